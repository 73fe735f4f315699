//! The messages of the follower: what was observed, what it requests, and the outcomes. Values
//! without behaviour; the driver carries them.

use bytes::Bytes;

use crate::model::cursor::{Cursor, FileId};
use crate::model::time::Time;
use crate::parse::split::FilePiece;

use super::permission::PermissionBlock;
use crate::files::rotation::RotationIndex;

/// A file on the host that is being looked at, as both sides number it.
pub type Watch = u32;

/// What `stat` reports of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct FileStat {
    /// Which file.
    pub id: FileId,
    /// Its length in bytes.
    pub size: u64,
    /// When it was changed last, in nanoseconds of the host's clock, as finely as the host can
    /// tell; 0 where it cannot.
    pub changed: u64,
}

/// A file near a log, which may be a generation of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedFile {
    /// Which file.
    pub stat: FileStat,
    /// Its name, without its folder; a byte of the value 1 stands for a line end.
    pub name: Bytes,
    /// The name of the file that the log leads to, where the log is a symlink and this was found
    /// next to that file.
    pub target: Option<Bytes>,
}

/// A file next to a log that is an older generation of it by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RotatedSibling {
    /// Which file.
    pub stat: FileStat,
    /// Its name, without the ending of a compressed file.
    pub name: Bytes,
    /// Which generation it is.
    pub index: RotationIndex,
    /// It is compressed.
    pub packed: bool,
}

/// The first bytes of an uncompressed file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileHead {
    /// Which file.
    pub stat: FileStat,
    /// The sum of its first bytes, as `cksum` has it.
    pub sum: u32,
    /// How many bytes, 1024 at most.
    pub length: usize,
}

/// The last bytes before an offset, as `cksum` sums them up: by them a generation is known in a
/// copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileFingerprint {
    /// What `cksum` says.
    pub sum: u32,
    /// How many bytes.
    pub length: usize,
    /// When the generation was changed last, in seconds: a copy is not older.
    pub since: u64,
}

/// What the script saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileObservation {
    /// The name leads to another file than before, or the file is shorter than what was read.
    Changed(Watch, FileStat),
    /// Bytes from `start` on, some of them known; `stat` is from just before the read.
    Read(Watch, FileStat, u64, Bytes),
    /// The same of what a compressed file unpacks to, which does not grow; the size is beyond the
    /// end of these bytes where there are more.
    Unpacked(Watch, FileStat, u64, Bytes),
    /// There is no file that could be read.
    Absent(Watch, FileUnavailable),
    /// The file, where it is known which, may not be read.
    Denied(Watch, Option<FileStat>, PermissionBlock),
    /// Answer to [`FollowRequest::Find`].
    Found(Watch, Option<FileStat>),
    /// Part of the answer to [`FollowRequest::List`].
    ListedPart(Watch, Vec<ListedFile>),
    /// The rest of the answer to [`FollowRequest::List`]: false where files were moved all the
    /// while, so that some may be left out.
    Listed(Watch, bool, Vec<ListedFile>),
    /// Answer to [`FollowRequest::Heads`].
    Heads(Watch, Vec<FileHead>),
    /// Answer to [`FollowRequest::Hole`]: there are nothing but NUL bytes up to this offset.
    Hole(Watch, FileStat, u64),
    /// Part of the answer to [`FollowRequest::Compare`]: a file next to the watched one, with its
    /// bytes from `start` on.
    Candidate(Watch, FileStat, u64, Bytes),
    /// End of the answer to [`FollowRequest::Compare`].
    Compared(Watch),
    /// All watches have been looked at once.
    PollEnded,
}

/// Why a file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileUnavailable {
    /// There is no file of this name.
    Missing,
    /// We may not read it: this is in the way.
    Denied(PermissionBlock),
    /// A directory, pipe, socket or device.
    Special,
    /// Its file system does not work: in what way.
    Failing(&'static str),
}

/// What the script is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FollowRequest {
    /// Look at this path from now on. `chain` is the source it belongs to.
    Watch {
        /// Its number.
        watch: Watch,
        /// The source, for fairness and order.
        chain: u32,
        /// The path as the host spells it.
        path: Vec<u8>,
        /// Patterns that match what may be older generations of it: in its folder, and in those of
        /// rotated files.
        siblings: Box<[Vec<u8>; 2]>,
    },
    /// Treat this file as the one under the watched name, and read on from this offset.
    ReadFrom(Watch, FileId, u64),
    /// Look for a file next to that of `near`, and watch it as an old generation.
    Find {
        /// The number it gets.
        watch: Watch,
        /// Beside which.
        near: Watch,
        /// Which file.
        id: FileId,
        /// Where to read on.
        offset: u64,
        /// How it is known where it has another number now, as a copy or compressed.
        mark: Option<FileFingerprint>,
    },
    /// List the older generations next to the watched file.
    List(Watch),
    /// Sum up the first bytes of the uncompressed files next to the watched one.
    Heads(Watch),
    /// Find out how far the NUL bytes go that are at this offset.
    Hole(Watch, u64),
    /// Send the bytes before this offset of each file next to the watched one.
    Compare(Watch, u64),
    /// Look at it no longer.
    Forget(Watch),
}

/// What has come of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FollowOutcome {
    /// Lines and gaps of a file of a source.
    Pieces(u32, FileId, Vec<FilePiece>),
    /// When the file that the pieces after it are of had been written to as they were read.
    Written(u32, Time),
    /// What comes before the lines that come next, and is not wanted itself.
    Before(u32, Vec<FilePiece>),
    /// The last line of a file, whose end has not come: its offset, and its beginning.
    Unfinished(u32, FileId, u64, Bytes),
    /// Why nothing comes from a source, or that it is read now.
    Problem(u32, Option<FileUnavailable>),
    /// A source that has brought nothing yet is read from here on; the bytes before.
    Begun(u32, Cursor, Vec<u8>),
    /// A source that was asked for its last lines has given them.
    TailRead {
        /// Which.
        source: u32,
        /// False where they are so long that not all were read.
        is_all: bool,
    },
}
