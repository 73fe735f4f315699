//! Overhears what a server says first, while the SSH library reads it: whether it speaks SSH at all,
//! and whether it still sends something. The library reports neither.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::stream::ByteStream;

/// As much as is kept: a server may say a few lines before it says which version it speaks.
const FIRST_BYTES: usize = 2048;

/// The beginning of what came over a stream, and when the last of it came.
#[derive(Clone)]
pub(super) struct OverheardBytes(Arc<Mutex<HeardBytes>>);

struct HeardBytes {
    first: Vec<u8>,
    last: Instant,
}

/// What a server speaks, by its first words.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ServerLanguage {
    /// It has said nothing.
    Unknown,
    /// SSH of a version that we speak.
    Ssh,
    /// Something else, with its first line.
    Other(String),
}

/// The stream with a listener.
pub(super) struct OverheardStream {
    inner: Box<dyn ByteStream>,
    heard: OverheardBytes,
}

/// Why a step was given up.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum StepOverdue {
    /// No byte came for too long.
    Silent,
    /// It took too long in all.
    Whole,
}

/// Listens to what is read from a stream.
pub(super) fn listen(inner: Box<dyn ByteStream>) -> (OverheardStream, OverheardBytes) {
    let heard = OverheardBytes(Arc::new(Mutex::new(HeardBytes {
        first: Vec::new(),
        last: Instant::now(),
    })));
    (
        OverheardStream {
            inner,
            heard: heard.clone(),
        },
        heard,
    )
}

impl OverheardBytes {
    /// What the other side speaks.
    pub(super) fn language(&self) -> ServerLanguage {
        let heard = self.lock();
        let mut lines = heard.first.split(|&byte| byte == b'\n');
        if lines
            .clone()
            .any(|line| line.starts_with(b"SSH-2.0-") || line.starts_with(b"SSH-1.99-"))
        {
            return ServerLanguage::Ssh;
        }
        match lines.find(|line| !line.trim_ascii().is_empty()) {
            Some(line) => {
                ServerLanguage::Other(String::from_utf8_lossy(line.trim_ascii()).into_owned())
            }
            None => ServerLanguage::Unknown,
        }
    }

    /// Runs a step as long as the other side is not silent for `silence`, and at most for `whole`.
    pub(super) async fn while_speaking<F: Future>(
        &self,
        step: F,
        silence: Duration,
        whole: Duration,
    ) -> Result<F::Output, StepOverdue> {
        let begun = Instant::now();
        let mut step = std::pin::pin!(step);
        loop {
            let until = (self.lock().last + silence).min(begun + whole);
            match tokio::time::timeout_at(until, &mut step).await {
                Ok(done) => return Ok(done),
                Err(_) if self.lock().last + silence > until && until < begun + whole => {}
                Err(_) if until < begun + whole => return Err(StepOverdue::Silent),
                Err(_) => return Err(StepOverdue::Whole),
            }
        }
    }

    fn heard(&self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let mut heard = self.lock();
        let room = FIRST_BYTES - heard.first.len();
        heard
            .first
            .extend_from_slice(&bytes[..bytes.len().min(room)]);
        heard.last = Instant::now();
    }

    fn lock(&self) -> MutexGuard<'_, HeardBytes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsyncRead for OverheardStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(cx, buf);
        self.heard.heard(&buf.filled()[before..]);
        polled
    }
}

impl AsyncWrite for OverheardStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    async fn language_of(words: &[u8]) -> ServerLanguage {
        let (near, mut far) = tokio::io::duplex(1 << 16);
        let (mut stream, heard) = listen(Box::new(near));
        far.write_all(words).await.expect("room");
        drop(far);
        stream.read_to_end(&mut Vec::new()).await.expect("read");
        heard.language()
    }

    #[tokio::test]
    async fn what_is_said_first_tells_the_language() {
        let other = |line: &str| ServerLanguage::Other(line.to_owned());
        assert_eq!(language_of(b"").await, ServerLanguage::Unknown);
        assert_eq!(language_of(b"\r\n\n").await, ServerLanguage::Unknown);
        assert_eq!(
            language_of(b"SSH-2.0-OpenSSH_9.2\r\n\0\0").await,
            ServerLanguage::Ssh
        );
        assert_eq!(
            language_of(b"welcome\r\nSSH-1.99-x\r\n").await,
            ServerLanguage::Ssh
        );
        assert_eq!(language_of(b"SSH-1.5-old\n").await, other("SSH-1.5-old"));
        assert_eq!(
            language_of(b"\nHTTP/1.1 400 Bad Request\r\n\r\n").await,
            other("HTTP/1.1 400 Bad Request")
        );
        assert_eq!(
            language_of(&vec![b'x'; 50_000]).await,
            other(&"x".repeat(FIRST_BYTES)),
            "no more is kept"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_step_may_go_on_while_something_comes_and_not_for_ever() {
        let s = Duration::from_secs;
        for (every, took, result) in [(3, 12, Ok(())), (6, 5, Err(StepOverdue::Silent))] {
            let (near, mut far) = tokio::io::duplex(64);
            let (mut stream, heard) = listen(Box::new(near));
            tokio::spawn(async move {
                for _ in 0..4 {
                    tokio::time::sleep(s(every)).await;
                    let _ = far.write_all(b"x").await;
                }
            });
            let step = async {
                stream.read_exact(&mut [0; 4]).await.expect("read");
            };
            let begun = Instant::now();
            assert_eq!(heard.while_speaking(step, s(5), s(60)).await, result);
            assert_eq!(begun.elapsed().as_secs(), took);
        }
        let (near, mut far) = tokio::io::duplex(64);
        let (mut stream, heard) = listen(Box::new(near));
        tokio::spawn(async move {
            while far.write_all(b"x").await.is_ok() {
                tokio::time::sleep(s(1)).await;
            }
        });
        let step = async {
            stream.read_to_end(&mut Vec::new()).await.expect("read");
        };
        assert_eq!(
            heard.while_speaking(step, s(5), s(60)).await,
            Err(StepOverdue::Whole),
            "who speaks for ever is ended too"
        );
    }
}
