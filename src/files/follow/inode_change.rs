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
//! No file system promises that numbers stay the same for ever, so the bytes decide, as always. What
//! was read must be as long as a whole marker, or the device must be another too: two short logs
//! may begin alike.

use super::followed_file::{FollowedFile, MARKER};
use super::followed_source::InodeChange;
use super::follower::Follower;
use super::messages::FileStat;

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
        let offset = current.offset;
        let request = source.read_on(next.id, offset);
        self.requests.push(request);
        true
    }

    /// The file under the name has other bytes than what was read. True where it was only tried
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
