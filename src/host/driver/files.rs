//! Who has the files of a host: what can be asked of them, the same of every driver.
//!
//! A shell over a channel ([`shell`](crate::host::shell)) and this machine's own files (`local`, by
//! way of `engine`) answer alike; one suite of tests asks them the same questions. What is made of
//! the answers is left to `search`.

use std::future::Future;

use crate::files::access::{FileChunk, FileError, ScanBatch, ScanRequest};
use crate::files::listing::FileListing;
use crate::model::log_file::LogFile;
use crate::model::time::Time;
use crate::parse::timestamp::TimeKey;
use crate::transport::LinkError;

/// The most text that one [`Files::read`] brings.
pub const MAX_READ: usize = 1 << 20;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It is about one file; the next question may well be answered.
    #[error(transparent)]
    File(#[from] FileError),
    /// The host is gone.
    #[error(transparent)]
    Link(#[from] LinkError),
}

/// Where a search by time should begin to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hint {
    /// No line before this one is as new as what was looked for, if the file is in order.
    pub offset: u64,
    /// How many places of the file were read.
    pub reads: u32,
    /// Nothing was seen that is out of order.
    pub ordered: bool,
}

/// What can be asked. Each question is over before the next; dropping a future that has not ended
/// makes the value useless, but leaves nothing behind on the host.
pub trait Files: Send {
    /// Whether a compressed file that is read further and further on is unpacked once, and not for
    /// each read.
    const READS_ON: bool = false;

    /// Whether programs of the host do the work, and not this one.
    const RUNS_PROGRAMS: bool = true;

    /// Every regular file that a pattern (or path) matches, and every one that may be a rotated
    /// sibling of such a file by its name; and where those lead that are symlinks. No order, no
    /// file twice.
    fn list(&mut self, pattern: &[u8])
    -> impl Future<Output = Result<FileListing, Failure>> + Send;

    /// The same for one path, even if it looks like a pattern.
    fn list_log(
        &mut self,
        path: &[u8],
    ) -> impl Future<Output = Result<FileListing, Failure>> + Send;

    /// Text of a file from an offset on, at most `most` bytes (and never more than [`MAX_READ`]).
    fn read(
        &mut self,
        file: &LogFile,
        from: u64,
        most: usize,
    ) -> impl Future<Output = Result<FileChunk, Failure>> + Send;

    /// How long the text of a file is. For a compressed one all of it is unpacked for that.
    fn measure(&mut self, file: &LogFile) -> impl Future<Output = Result<u64, Failure>> + Send;

    /// Begins to look for lines; ends a scan that is not over.
    fn scan(&mut self, scan: &ScanRequest) -> impl Future<Output = Result<(), Failure>> + Send;

    /// What the scan has found next, of a few hundred KiB at most; `None` when it is over.
    fn next(&mut self) -> impl Future<Output = Result<Option<ScanBatch>, Failure>> + Send;

    /// Where to look for the first line that is not older than `time`, found where the text is: by
    /// bisection, or in a compressed file in one pass; `None` where the driver has no quicker way
    /// than to read here and there.
    fn seek(
        &mut self,
        file: &LogFile,
        key: &TimeKey,
        time: Time,
    ) -> impl Future<Output = Result<Option<Hint>, Failure>> + Send;
}
