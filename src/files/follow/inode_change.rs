//! A file that has another number, and nothing else has happened to it: its file system was mounted
//! again, another server took over, or a file of an image was written to for the first time (an
//! overlay copies it then).
//!
//! ```text
//!  another number, at least as long ──▶ the old number is nowhere ──▶ read on under the new one ──▶ same bytes: go on
//!                                                                                │
//!                                                                                └──▶ others: it is another file
//! ```
//!
//! Numbers are told by no file system to be the same for ever, so the bytes decide, as always. What
//! was read must be as long as a whole marker, or the device must be another too: two short logs
//! may begin alike.

use crate::model::cursor::FileId;

use super::followed_file::{FollowedFile, MARKER};
use super::{FileStat, FollowRequest, Follower, Phase};

/// What is known of a current generation whose number is no more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum InodeChange {
    #[default]
    No,
    /// The file under the name is being compared; what the number was.
    Tried(FileId),
    /// The file with this number is another.
    Refused(FileId),
}

impl FollowedFile {
    /// Whether this may be the same file under another number.
    fn may_be(&self, other: FileStat) -> bool {
        let is_known =
            self.marker.len() >= MARKER || (self.id.dev != other.id.dev && !self.marker.is_empty());
        is_known && self.held.is_none() && other.size >= self.offset
    }
}

impl Follower {
    /// Nothing has the number of the current generation. Reads on in the file that has its name, if
    /// that may be it.
    pub(super) fn try_renumbered(&mut self, number: u32, next: Option<FileStat>) -> bool {
        let source = self.source(number);
        let (Some(next), Some(current)) = (next, &mut source.current) else {
            return false;
        };
        if source.renumbered == InodeChange::Refused(next.id) || !current.may_be(next) {
            return false;
        }
        source.renumbered = InodeChange::Tried(current.id);
        current.id = next.id;
        (source.phase, source.unread) = (Phase::Reading, true);
        let request = FollowRequest::ReadFrom(source.live, next.id, current.offset);
        self.requests.push(request);
        true
    }

    /// What the name stands for has other bytes than what was read. True where it was only tried
    /// whether it has the same.
    pub(super) fn was_not_renumbered(&mut self, number: u32, stat: FileStat) -> bool {
        let InodeChange::Tried(_) = self.source(number).renumbered else {
            return false;
        };
        self.source(number).give_number_back();
        self.source(number).renumbered = InodeChange::Refused(stat.id);
        self.start_finding(number, Some(stat));
        true
    }
}

impl super::FollowedSource {
    /// The number under which the current generation was read.
    pub(super) fn give_number_back(&mut self) {
        if let (InodeChange::Tried(before), Some(current)) = (self.renumbered, &mut self.current) {
            current.id = before;
            self.renumbered = InodeChange::No;
        }
    }
}
