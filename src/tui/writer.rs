//! The only writer to the terminal: a thread of its own, so that a terminal that takes nothing
//! stops no data.
//!
//! It holds one frame. While that frame is on its way no other is drawn (frames are skipped, never
//! queued), so what the terminal shows after a pause is the present.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// Hands bytes to the writing thread; clones are the same terminal.
#[derive(Debug, Clone)]
pub(super) struct Output {
    sender: SyncSender<Vec<u8>>,
    state: Arc<WriterState>,
}

#[derive(Debug, Default)]
struct WriterState {
    inner: Mutex<WriterInner>,
    /// Told when a frame has been written.
    written: Notify,
    idle: std::sync::Condvar,
}

#[derive(Debug, Default)]
struct WriterInner {
    /// When the frame that is on its way was handed over.
    busy_since: Option<Instant>,
    took: Duration,
    error: Option<String>,
}

impl Output {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system has no thread for us.
    pub(super) fn start(mut to: impl Write + Send + 'static) -> io::Result<Self> {
        // One frame: a second one is never handed over before the first is written.
        let (sender, frames) = sync_channel(1);
        let output = Self {
            sender,
            state: Arc::default(),
        };
        let state = output.state.clone();
        std::thread::Builder::new()
            .name("terminal".into())
            .spawn(move || write_frames(&mut to, &frames, &state))?;
        Ok(output)
    }

    /// True when the terminal has taken everything.
    pub(super) fn is_idle(&self) -> bool {
        self.lock().busy_since.is_none()
    }

    /// Waits until a frame has been written. Cancel-safe.
    pub(super) async fn written(&self) {
        self.state.written.notified().await;
    }

    /// How long the last frame took.
    pub(super) fn took(&self) -> Duration {
        self.lock().took
    }

    /// Why the terminal cannot be written to, once it cannot.
    pub(super) fn error(&self) -> Option<String> {
        self.lock().error.clone()
    }

    /// Hands over a frame; false (and the frame is lost) while another one is on its way.
    pub(super) fn send(&self, frame: Vec<u8>) -> bool {
        let mut inner = self.lock();
        if inner.busy_since.is_some() {
            return false;
        }
        let sent = match self.sender.try_send(frame) {
            Ok(()) => true,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => false,
        };
        if sent {
            inner.busy_since = Some(Instant::now());
        }
        sent
    }

    /// Waits until everything is written, but no longer than `most`; false if the terminal still
    /// takes nothing.
    pub(super) fn drain(&self, most: Duration) -> bool {
        let inner = self.lock();
        let waited = self
            .state
            .idle
            .wait_timeout_while(inner, most, |inner| inner.busy_since.is_some());
        waited.map_or_else(
            |poisoned| poisoned.into_inner().0.busy_since.is_none(),
            |(inner, _)| inner.busy_since.is_none(),
        )
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, WriterInner> {
        self.state
            .inner
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn write_frames(to: &mut impl Write, frames: &Receiver<Vec<u8>>, state: &WriterState) {
    while let Ok(frame) = frames.recv() {
        let result = to.write_all(&frame).and_then(|()| to.flush());
        let mut inner = state.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.took = inner
            .busy_since
            .take()
            .map_or(Duration::ZERO, |since| since.elapsed());
        if let Err(error) = result {
            inner.error.get_or_insert(error.to_string());
        }
        drop(inner);
        state.idle.notify_all();
        state.written.notify_one();
    }
}

/// Collects the bytes of a frame for ratatui's backend; a flush in the middle of a frame sends
/// nothing.
#[derive(Debug, Default, Clone)]
pub(super) struct FrameBuffer {
    bytes: Arc<Mutex<Vec<u8>>>,
}

impl FrameBuffer {
    /// The bytes so far; leaves nothing behind.
    pub(super) fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.bytes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for FrameBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// A terminal that takes a frame only when it is told to.
    struct Blocked(mpsc::Receiver<()>, mpsc::Sender<Vec<u8>>);

    impl Write for Blocked {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.recv().map_err(io::Error::other)?;
            self.1.send(bytes.to_vec()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_terminal_that_takes_nothing_holds_one_frame_and_no_caller() {
        let (go, gate) = mpsc::channel();
        let (taken, frames) = mpsc::channel();
        let output = Output::start(Blocked(gate, taken)).expect("a thread");
        assert!(output.send(b"one".to_vec()));
        assert!(!output.send(b"two".to_vec()) && !output.is_idle());
        assert!(!output.drain(Duration::from_millis(10)));
        go.send(()).expect("the thread lives");
        assert_eq!(frames.recv().expect("written"), b"one");
        assert!(output.drain(Duration::from_secs(10)));
        assert!(output.send(b"three".to_vec()));
        go.send(()).expect("the thread lives");
        assert_eq!(frames.recv().expect("written"), b"three");
    }

    #[test]
    fn a_terminal_that_is_gone_is_an_error_and_not_a_panic() {
        let output =
            Output::start(Blocked(mpsc::channel().1, mpsc::channel().0)).expect("a thread");
        assert!(output.send(b"x".to_vec()));
        assert!(output.drain(Duration::from_secs(10)));
        assert!(output.error().is_some());
    }
}
