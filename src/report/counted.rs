//! An output that counts what it takes, and acknowledges it to a checkpoint.

use std::io::{self, Write};

use crate::stages::Acknowledger;

/// Passes bytes on and counts them.
#[derive(Debug)]
pub(super) struct Counted<W> {
    out: W,
    taken: u64,
    acknowledger: Option<Acknowledger>,
}

impl<W> Counted<W> {
    pub(super) fn new(out: W, acknowledger: Option<Acknowledger>) -> Self {
        Self {
            out,
            taken: 0,
            acknowledger,
        }
    }

    /// Bytes that the output has accepted.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.out.write(bytes)?;
        self.taken += taken as u64;
        if let Some(acknowledger) = &self.acknowledger {
            acknowledger.acknowledge(self.taken);
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
