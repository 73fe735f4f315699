//! Generations that were there before anything was read, and of which nobody asked to be told.
//! While they are as they were listed, `lineage` knows them. When one is compressed or copied, and
//! the new file has another time of change, it is known by how it begins.
//!
//! Logs of one program may all begin alike. So a file is only taken for one of them where that is
//! gone since the last listing, where no name says that it is newer than what was read, and where
//! the whole of a short one is the same.

use std::time::Duration;

use crate::model::cursor::FileId;

use super::generation::{MARKER, cksum};
use super::{Follower, Generation, Head, Request, Sibling, Stat, Watch};

/// The most that are remembered of a log. The host tells no more.
const MOST: usize = 8;

/// A host is asked when it has told what it was asked for first. One log is asked about at a time.
const ASKED_AFTER: Duration = Duration::from_secs(3);

/// How the generations begin that were there before.
#[derive(Debug, Default)]
pub(super) struct Heads {
    /// Of those that are there.
    there: Vec<Head>,
    /// Of those that went away, and are not known by their times of change.
    gone: Vec<Head>,
    /// When the host is to be asked, until it has answered.
    due: Option<Duration>,
    is_asked: bool,
}

impl Heads {
    /// The host is to be asked some time after this.
    pub(super) fn want(&mut self, now: Duration) {
        self.due = Some(now + ASKED_AFTER);
    }

    /// What was asked over another connection has no answer.
    pub(super) fn restart(&mut self) {
        self.is_asked = false;
    }

    fn learn(&mut self, heads: &[Head], is_unread: impl Fn(FileId) -> bool) {
        (self.due, self.is_asked) = (None, false);
        let known = heads
            .iter()
            .filter(|head| (1..=MARKER).contains(&head.length))
            .take(MOST);
        self.there = known
            .filter(|head| is_unread(head.stat.id))
            .copied()
            .collect();
    }

    /// A listing shows which of them are gone; `is_known` are files that were there before. Nothing
    /// is left to be found in those that were gone before, where `all_read`.
    pub(super) fn compare(
        &mut self,
        listed: &[Sibling],
        is_known: impl Fn(Stat) -> bool,
        all_read: bool,
    ) {
        if all_read {
            self.gone.clear();
        }
        let is_there = |head: &Head| {
            let is_it = |one: &Sibling| {
                !one.packed && one.stat.id == head.stat.id && one.stat.size >= head.stat.size
            };
            listed.iter().any(is_it)
        };
        let is_known_by_time = |head: &Head| {
            listed
                .iter()
                .any(|sibling| !is_known(sibling.stat) && sibling.is_made_of(head.stat))
        };
        let (there, gone): (Vec<Head>, Vec<Head>) =
            self.there.iter().partition(|head| is_there(head));
        self.there = there;
        self.gone
            .extend(gone.into_iter().filter(|head| !is_known_by_time(head)));
    }

    /// Whether a file that begins with these bytes, and has no others where `is_whole`, is one of
    /// those that are gone. That is forgotten then.
    fn take(&mut self, bytes: &[u8], is_whole: bool) -> bool {
        let is_it = |head: &Head| {
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

impl Follower {
    /// Asks about one log, where nothing else is to be asked.
    pub(super) fn ask_for_heads(&mut self, now: Duration) {
        let is_due = |heads: &Heads| !heads.is_asked && heads.due.is_some_and(|due| due <= now);
        let source = self
            .sources
            .values_mut()
            .find(|source| is_due(&source.heads));
        let Some(source) = source.filter(|_| self.requests.is_empty()) else {
            return;
        };
        source.heads.is_asked = true;
        self.requests.push(Request::Heads(source.live));
    }

    pub(super) fn learn_heads(&mut self, watch: Watch, heads: &[Head]) {
        let Some((number, true)) = self.lookup(watch) else {
            return;
        };
        let source = self.source(number);
        source.heads.learn(heads, |id| source.lineage.was_there(id));
    }

    /// Whether what was taken for a generation that was missed is one that was there before,
    /// compressed or copied since. It is not told, and not looked at any more.
    pub(super) fn pass_over_known(
        &mut self,
        watch: Watch,
        stat: Stat,
        start: u64,
        bytes: &[u8],
    ) -> bool {
        let Some((number, false)) = self.lookup(watch) else {
            return false;
        };
        let source = self.source(number);
        let is_unread = |old: &Generation| old.offset == 0 && !old.recalled;
        let is_begun = |old: &Generation| {
            old.watch == watch && old.id == stat.id && is_unread(old) && start == 0
        };
        let may_be = source.old.iter().any(is_begun) && !source.lineage.came_after_last(stat.id);
        if !may_be || !source.heads.take(bytes, stat.size <= bytes.len() as u64) {
            return false;
        }
        source.old.retain(|old| old.watch != watch);
        // The last generation may be the next that is read.
        let doubted = source
            .lineage
            .doubted
            .take_if(|_| !source.old.iter().any(is_unread));
        if let Some(from) = doubted {
            self.broken(number, stat.id, from);
        }
        self.forget(watch);
        true
    }
}
