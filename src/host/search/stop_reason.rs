//! Why an answer ends before all of it was given.

use crate::files::access::FileError;
use crate::host::Failure;
use crate::transport::LinkError;

/// Why an answer ends early.
#[derive(Debug)]
pub(crate) enum StopReason {
    /// The host is gone.
    Link(LinkError),
    /// Nobody listens any more.
    Closed,
    /// As much was found as was asked for.
    Enough,
    /// A file cannot be read: which, and why.
    File(String, FileError),
}

impl StopReason {
    pub(super) fn of(failure: Failure, path: &[u8]) -> Self {
        match failure {
            Failure::Link(error) => Self::Link(error),
            Failure::File(error) => Self::File(String::from_utf8_lossy(path).into_owned(), error),
        }
    }

    pub(super) fn is_of_file(&self) -> bool {
        matches!(self, Self::File(..))
    }

    /// The file was moved away since it was listed.
    pub(super) fn is_moved(&self) -> bool {
        matches!(self, Self::File(_, error) if error.is_move())
    }
}
