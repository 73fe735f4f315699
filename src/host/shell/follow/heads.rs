//! Generations that were there before anything was read, and of which nobody asked to be told. While they are as they were
//! listed, `lineage` knows them. When one is compressed or copied, and the new file has another time of change, it is known
//! by how it begins.

use crate::model::FileId;

use super::generation::cksum;
use super::{Follower, Generation, Head, Request, Stat, Watch};

/// How the generations begin that were there before.
#[derive(Debug, Default)]
pub(super) struct Heads {
    known: Vec<Head>,
    /// The host has not been asked, or has not answered.
    pub(super) are_wanted: bool,
}

impl Heads {
    /// Keeps those of the files that were there and are not read.
    pub(super) fn learn(&mut self, heads: &[Head], is_unread: impl Fn(FileId) -> bool) {
        self.are_wanted = false;
        self.known = heads.iter().filter(|head| head.length > 0 && is_unread(head.stat.id)).copied().collect();
    }

    /// Whether what begins with these bytes is one of them, of those that are there no more. It is forgotten then.
    fn take(&mut self, bytes: &[u8], is_gone: impl Fn(FileId) -> bool) -> bool {
        let is_begun = |head: &Head| bytes.get(..head.length).is_some_and(|bytes| cksum(bytes) == head.sum);
        let at = self.known.iter().position(|head| is_gone(head.stat.id) && is_begun(head));
        at.map(|at| self.known.swap_remove(at)).is_some()
    }
}

impl Follower {
    /// Asks how the files begin that are there, after the first listing.
    pub(super) fn ask_for_heads(&mut self, number: u32) {
        let source = self.source(number);
        source.heads.are_wanted = true;
        let request = Request::Heads(source.live);
        self.requests.push(request);
    }

    pub(super) fn learn_heads(&mut self, watch: Watch, heads: &[Head]) {
        let Some((number, true)) = self.lookup(watch) else { return };
        let source = self.source(number);
        source.heads.learn(heads, |id| source.lineage.was_there(id));
    }

    /// Whether what was taken for a generation that was missed is one that was there before, compressed or copied since. It is
    /// not told, and not looked at any more.
    pub(super) fn pass_over_known(&mut self, watch: Watch, stat: Stat, start: u64, bytes: &[u8]) -> bool {
        let Some((number, false)) = self.lookup(watch) else { return false };
        let source = self.source(number);
        let is_unread = |old: &Generation| old.offset == 0 && !old.recalled;
        let is_begun = |old: &Generation| old.watch == watch && old.id == stat.id && is_unread(old) && start == 0;
        let is_gone = |id| source.lineage.is_gone(id);
        if !source.old.iter().any(is_begun) || !source.heads.take(bytes, is_gone) {
            return false;
        }
        source.old.retain(|old| old.watch != watch);
        // The last generation may be the next that is read.
        let doubted = source.lineage.doubted.take_if(|_| !source.old.iter().any(is_unread));
        if let Some(from) = doubted {
            self.broken(number, stat.id, from);
        }
        self.forget(watch);
        true
    }
}
