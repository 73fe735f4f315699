//! Byte streams that count what comes, and can be cut from outside. The SSH library would otherwise
//! keep the task and socket of an abandoned handshake, or of a connection with a silent peer, for
//! ever.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::pace::LinkPacer;

/// What SSH is spoken over: a socket, a channel through a jump host, the pipes of a proxy command.
pub(super) trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}

/// Cuts the stream it was made with; clones cut the same stream.
#[derive(Clone, Default)]
pub(super) struct StreamCut(Arc<CutState>);

#[derive(Default)]
struct CutState {
    done: AtomicBool,
    reader: Mutex<Option<Waker>>,
    writer: Mutex<Option<Waker>>,
}

/// A stream with its cut.
pub(super) struct CuttableStream {
    inner: Box<dyn ByteStream>,
    cut: StreamCut,
    pacer: LinkPacer,
}

/// Cuts when it is dropped, unless it was disarmed: covers time-outs and cancelled futures alike.
pub(super) struct CutOnDrop(Option<StreamCut>);

impl StreamCut {
    /// From now on reads and writes fail with `ConnectionAborted`.
    pub(super) fn cut(&self) {
        self.0.done.store(true, Ordering::SeqCst);
        for slot in [&self.0.reader, &self.0.writer] {
            if let Some(waker) = slot.lock().unwrap_or_else(PoisonError::into_inner).take() {
                waker.wake();
            }
        }
    }

    pub(super) fn on_drop(&self) -> CutOnDrop {
        CutOnDrop(Some(self.clone()))
    }

    fn check(&self, slot: &Mutex<Option<Waker>>, cx: &Context<'_>) -> io::Result<()> {
        // Registered before the flag is read, so that a cut in between still wakes.
        *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(cx.waker().clone());
        if self.0.done.load(Ordering::SeqCst) {
            Err(io::ErrorKind::ConnectionAborted.into())
        } else {
            Ok(())
        }
    }
}

impl CutOnDrop {
    pub(super) fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for CutOnDrop {
    fn drop(&mut self) {
        if let Some(cut) = &self.0 {
            cut.cut();
        }
    }
}

impl CuttableStream {
    pub(super) fn new(inner: Box<dyn ByteStream>, pacer: LinkPacer) -> (Self, StreamCut) {
        let cut = StreamCut::default();
        (
            Self {
                inner,
                cut: cut.clone(),
                pacer,
            },
            cut,
        )
    }
}

impl AsyncRead for CuttableStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.cut.check(&self.cut.0.reader, cx)?;
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(cx, buf);
        let came = buf.filled().len() - before;
        if came > 0 {
            self.pacer.arrived(came);
        }
        polled
    }
}

impl AsyncWrite for CuttableStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.cut.check(&self.cut.0.writer, cx)?;
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.cut.check(&self.cut.0.writer, cx)?;
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.cut.check(&self.cut.0.writer, cx)?;
        // Where the other side has gone there is nothing to end. The library would take the error
        // for the reason, and forget the server's last words.
        Pin::new(&mut self.inner).poll_shutdown(cx).map(|_| Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt;

    #[tokio::test]
    async fn a_cut_ends_a_read_that_waits() {
        let (near, _far) = tokio::io::duplex(16);
        let (mut stream, cut) = CuttableStream::new(Box::new(near), LinkPacer::new());
        let reading = tokio::spawn(async move { stream.read_u8().await });
        tokio::task::yield_now().await;
        cut.cut();
        let error = reading.await.expect("no panic").expect_err("it was cut");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
    }

    #[tokio::test]
    async fn a_guard_cuts_unless_it_is_disarmed() {
        let (near, _far) = tokio::io::duplex(16);
        let (mut stream, cut) = CuttableStream::new(Box::new(near), LinkPacer::new());
        cut.on_drop().disarm();
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"x")
            .await
            .expect("still whole");
        drop(cut.on_drop());
        assert!(
            tokio::io::AsyncWriteExt::write_all(&mut stream, b"x")
                .await
                .is_err()
        );
    }
}
