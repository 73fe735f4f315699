//! An output that shows the first of a burst at once and the rest of it in few pieces: a system
//! call for each of 85,000 hits would cost more than to find them.

use std::io::{self, Write};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// What comes sooner after something was shown waits until so long after it. Nobody sees the
/// difference.
pub(super) const PAUSE: Duration = Duration::from_millis(50);

/// More than this waits for nothing. So at most this is held, and one answer.
const MOST: usize = 64 << 10;

/// An output that is written to all the time and shown now and then: nothing goes out but by
/// [`Write::flush`].
pub(super) struct ThrottledWriter<W> {
    out: W,
    held: Vec<u8>,
    /// From when on something is shown at once.
    rested: Option<Instant>,
}

impl<W: Write> ThrottledWriter<W> {
    pub(super) fn new(out: W) -> Self {
        Self {
            out,
            held: Vec::new(),
            rested: None,
        }
    }

    /// Whether it is time to show what was written.
    pub(super) fn is_due(&self) -> bool {
        let is_rested = || self.rested.is_none_or(|rested| rested <= Instant::now());
        !self.held.is_empty() && (self.held.len() >= MOST || is_rested())
    }

    /// Waits for that; for ever where nothing was written. Cancel-safe.
    pub(super) async fn due(&self) {
        match self.rested {
            _ if self.held.is_empty() => std::future::pending().await,
            Some(rested) => sleep_until(rested).await,
            None => {}
        }
    }
}

impl<W: Write> Write for ThrottledWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.held.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(&self.held)?;
        self.held.clear();
        self.rested = Some(Instant::now() + PAUSE);
        self.out.flush()
    }
}
