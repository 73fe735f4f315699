//! Files of a source: the live one and its rotated siblings, and what can be read and found in one
//! of them.
//!
//! The messages between what has the files (`engine` on this machine, a shell on a host) and what
//! reads them. `host::search` makes one log of them.
//!
//! Offsets always count the bytes of the text. In a compressed file that is the text inside it.

use bytes::Bytes;

use crate::model::log_file::LogFile;
use crate::query::Prefilter;

/// Some text of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileChunk {
    /// The text, from where it was asked for. Fewer bytes than were asked for only at the end.
    pub bytes: Bytes,
    /// Nothing follows it at present.
    pub at_end: bool,
}

/// Lines that are looked for in a file: those that *begin* within a range of bytes.
///
/// The first byte of the range need not be that of a line. The line that begins last may end behind
/// the range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanRequest {
    /// Where.
    pub file: LogFile,
    /// First byte, of the text.
    pub from: u64,
    /// The byte after the last; `u64::MAX` for the end.
    pub to: u64,
    /// What a line must have to be found, at least.
    pub filter: Prefilter,
    /// Lines before each found one that are wanted too, as far as they begin in the range.
    pub before: u32,
    /// Lines after each found one that are wanted too, as far as they begin in the range.
    pub after: u32,
}

/// A line that a scan has found, without its line end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundLine {
    /// Of its first byte.
    pub offset: u64,
    /// The line.
    pub raw: Bytes,
    /// It passed the filter; otherwise it is context of one that did.
    pub is_hit: bool,
}

/// A part of what a scan finds, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScanBatch {
    /// Never the same line twice in a scan.
    pub lines: Vec<FoundLine>,
    /// All lines that begin before this offset have been looked at, as far as is known.
    pub read_to: u64,
    /// Of a line that is too long only the beginning was looked at.
    pub is_cut: bool,
}

/// Why a file could not be read, or not as it was asked for. The others are not affected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// There is none under the name any more.
    #[error("no such file")]
    Missing,
    /// The login may not.
    #[error("permission denied")]
    Denied,
    /// Under the name is another file now: it was rotated since it was listed. The caller lists
    /// again.
    #[error("another file has taken its place")]
    Replaced,
    /// It is no regular file.
    #[error("not a regular file")]
    Special,
    /// Its compression is broken or cut short; what was read before that is good.
    #[error("the compressed file is damaged: {0}")]
    Damaged(String),
    /// Nothing on the host unpacks it.
    #[error("{0} is not installed there")]
    Unsupported(&'static str),
    /// More than one answer may hold: it unpacks to too much, takes too long, or has a line that is
    /// too long.
    #[error("{0}")]
    TooMuch(String),
    /// The system's own words.
    #[error("{0}")]
    Other(String),
}

impl FileError {
    /// The file is gone, or another one, since it was listed.
    #[must_use]
    pub fn is_move(&self) -> bool {
        matches!(self, Self::Replaced | Self::Missing)
    }

    /// Why the file at this path cannot be read, and what can be done about it, in one line.
    #[must_use]
    pub fn explained(&self, path: &str) -> String {
        match self.hint() {
            Some(hint) => format!("{path}: {self} – {hint}"),
            None => format!("{path}: {self}"),
        }
    }

    /// What can be done about it, where that is known.
    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Missing => Some("check the path; `logtrail-tui sources` lists what there is"),
            Self::Denied => Some(
                "let the login read it, for instance by its group (often adm), or give the source become = \"sudo\"",
            ),
            Self::Special => Some("name a file"),
            Self::Damaged(_) => Some("what stands before the damage was read"),
            Self::Unsupported(_) => Some("install it there, or unpack the file"),
            Self::Replaced | Self::TooMuch(_) | Self::Other(_) => None,
        }
    }
}
