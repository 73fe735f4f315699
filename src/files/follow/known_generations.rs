//! Asks for the heads of generations that existed before following began, and drops what is one of
//! them under another name. `heads` recognises them.

use std::time::Duration;

use super::followed_file::FollowedFile;
use super::follower::Follower;
use super::messages::{FileHead, FileStat, FollowRequest, Watch};

impl Follower {
    /// Requests the heads of one log if no other request is pending.
    pub(super) fn ask_for_heads(&mut self, now: Duration) {
        let mut sources = self.sources.values_mut();
        let source = sources.find(|source| source.heads.is_due(now));
        let Some(source) = source.filter(|_| self.requests.is_empty()) else {
            return;
        };
        source.heads.is_asked = true;
        self.requests.push(FollowRequest::Heads(source.live));
    }

    pub(super) fn learn_heads(&mut self, watch: Watch, heads: &[FileHead]) {
        let Some((number, true)) = self.lookup(watch) else {
            return;
        };
        let source = self.source(number);
        source.heads.learn(heads, |id| source.lineage.was_there(id));
    }

    /// Drops a generation that was taken for a missed one but existed before, and was compressed or
    /// copied since. Returns whether it was dropped.
    pub(super) fn pass_over_known(
        &mut self,
        watch: Watch,
        stat: FileStat,
        start: u64,
        bytes: &[u8],
    ) -> bool {
        let Some((number, false)) = self.lookup(watch) else {
            return false;
        };
        let source = self.source(number);
        let is_unread = |old: &FollowedFile| old.offset == 0 && !old.recalled;
        let is_begun = |old: &FollowedFile| {
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
