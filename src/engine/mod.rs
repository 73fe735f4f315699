//! The work on files itself, on the machine it runs on. Synchronous; knows no network and no
//! terminal.
//!
//! * `pattern`, `list`: the files that a pattern matches, and their rotated siblings.
//! * `open`, `unpack`, `text`: the text of a file, compressed or not, whatever has been put under
//!   its name since.
//! * `read`: pieces of it, and how long it is. `needle`, `block`, `scan`: the lines of it that are
//!   looked for.
//!
//! `host::search` joins several files into one log, and knows what a line means.
//!
//! Every question takes a [`StopFlag`], looks at it after a few hundred KiB at most, and gives up
//! when it is set.

mod block;
mod list;
mod needle;
mod open;
mod pattern;
mod read;
mod scan;
mod text;
mod unpack;

pub use list::{list, list_log};
pub use read::{CachingReader, measure};
pub use scan::FileScanner;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::files::access::FileError;
use crate::parse::split::MAX_LINE;

/// How a scan cuts up what it reads. Tests have smaller ones, to come upon the ends more often.
#[derive(Debug, Clone, Copy)]
struct ScanLimits {
    /// Text that is read at once.
    block: usize,
    /// The longest line that is kept and looked at; what it has beyond is passed over.
    max_line: usize,
    /// What is found is told when it comes to this much, but for the lines that belong to one hit.
    piece: usize,
    /// After so much text without a hit, how far the scan got is told all the same.
    silent: u64,
}

impl Default for ScanLimits {
    fn default() -> Self {
        Self {
            block: 256 << 10,
            max_line: MAX_LINE,
            piece: 256 << 10,
            silent: 16 << 20,
        }
    }
}

/// By which work is ended that nobody waits for any more. Its clones are the same one.
#[derive(Debug, Clone, Default)]
pub struct StopFlag(Arc<AtomicBool>);

impl StopFlag {
    /// Ends the work that has this or a clone of it.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// # Errors
    /// When the work is to end.
    fn check(&self) -> Result<(), FileError> {
        if self.0.load(Ordering::Relaxed) {
            Err(FileError::Other("given up".to_owned()))
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests;
