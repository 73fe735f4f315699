//! Recognises generations that existed before following began, which must not be shown.
//! `rotation_history` knows them as long as they are unchanged. Once one is compressed or copied,
//! and the new file has another modification time, its first bytes identify it.
//!
//! All logs of a program may begin alike. So a file is taken for a known one only if that one is
//! gone since the last listing, if no name says that the file is newer than what was read, and, for
//! a short one, if the contents are equal as a whole.

use std::time::Duration;

use crate::model::cursor::FileId;

use super::followed_file::{MARKER, cksum};
use super::messages::{FileHead, FileStat, RotatedSibling};

/// The most heads of a log that are kept; the script sends no more.
const MOST: usize = 8;

/// Heads are requested this long after the first listing, one log at a time, so that lines come
/// first.
const ASKED_AFTER: Duration = Duration::from_secs(3);

/// First bytes of the generations that existed before.
#[derive(Debug, Default)]
pub(super) struct KnownHeads {
    /// Of files that are still there.
    there: Vec<FileHead>,
    /// Of files that are gone and whose modification time does not identify their successor.
    gone: Vec<FileHead>,
    /// When to request them; `None` once they are known.
    due: Option<Duration>,
    pub(super) is_asked: bool,
}

impl KnownHeads {
    /// Schedules the request.
    pub(super) fn want(&mut self, now: Duration) {
        self.due = Some(now + ASKED_AFTER);
    }

    /// Whether they are to be requested by now.
    pub(super) fn is_due(&self, now: Duration) -> bool {
        !self.is_asked && self.due.is_some_and(|due| due <= now)
    }

    /// A request over a lost connection gets no answer.
    pub(super) fn restart(&mut self) {
        self.is_asked = false;
    }

    pub(super) fn learn(&mut self, heads: &[FileHead], is_unread: impl Fn(FileId) -> bool) {
        self.due = None;
        self.is_asked = false;
        let known = heads
            .iter()
            .filter(|head| (1..=MARKER).contains(&head.length))
            .take(MOST);
        self.there = known
            .filter(|head| is_unread(head.stat.id))
            .copied()
            .collect();
    }

    /// Notes which files are gone, by a new listing. `is_known` tells files that were listed
    /// before; with `all_read`, nothing that is still to be read can match what was gone earlier.
    pub(super) fn compare(
        &mut self,
        listed: &[RotatedSibling],
        is_known: impl Fn(FileStat) -> bool,
        all_read: bool,
    ) {
        if all_read {
            self.gone.clear();
        }
        let is_there = |head: &FileHead| {
            let is_it = |one: &RotatedSibling| {
                !one.packed && one.stat.id == head.stat.id && one.stat.size >= head.stat.size
            };
            listed.iter().any(is_it)
        };
        let is_known_by_time = |head: &FileHead| {
            listed
                .iter()
                .any(|sibling| !is_known(sibling.stat) && sibling.is_made_of(head.stat))
        };
        let (there, gone): (Vec<FileHead>, Vec<FileHead>) =
            self.there.iter().partition(|head| is_there(head));
        self.there = there;
        self.gone
            .extend(gone.into_iter().filter(|head| !is_known_by_time(head)));
    }

    /// Whether a file with these first bytes is one of those that are gone, which is then
    /// forgotten. `is_whole`: the file has no more bytes.
    pub(super) fn take(&mut self, bytes: &[u8], is_whole: bool) -> bool {
        let is_it = |head: &FileHead| {
            let is_as_long = head.length == MARKER || (is_whole && bytes.len() == head.length);
            is_as_long
                && bytes
                    .get(..head.length)
                    .is_some_and(|bytes| cksum(bytes) == head.sum)
        };
        let at = self.gone.iter().position(is_it);
        at.map(|at| self.gone.swap_remove(at)).is_some()
    }
}
