//! A file that may not be read keeps its place, and is read on from there when permission is back.
//! Until then its name can go to another file, and what was renamed may be readable though its
//! successor is not. `permission` reads how a host describes what is denied.

use std::time::Duration;

use crate::model::gap::GapReason;

use super::followed_source::Phase;
use super::follower::Follower;
use super::messages::{FileStat, FileUnavailable, Watch};
use super::permission::PermissionBlock;

/// A login that may read one file of a log may soon read the others: a successor waits this long for
/// an old generation that is still denied.
const DENIED_WAIT: Duration = Duration::from_secs(3);

impl Follower {
    pub(super) fn denied(
        &mut self,
        watch: Watch,
        stat: Option<FileStat>,
        barrier: &PermissionBlock,
        now: Duration,
    ) {
        let Some((number, live)) = self.lookup(watch) else {
            return;
        };
        if !live {
            return self.old_denied(number, watch, stat, now);
        }
        self.set_problem(number, Some(FileUnavailable::Denied(barrier.clone())));
        let source = self.source(number);
        source.lose_alias();
        let Some(stat) = stat else {
            return;
        };
        match source.phase {
            Phase::Unknown | Phase::Reading => {
                let current = source.current.as_ref();
                if current.is_some_and(|current| current.id != stat.id) {
                    self.start_finding(number, Some(stat));
                }
            }
            Phase::Finding(_) => source.phase = Phase::Finding(Some(stat)),
            Phase::Waiting(_) => source.phase = Phase::Waiting(Some(stat)),
            Phase::Comparing(..) => {}
        }
    }

    fn old_denied(&mut self, number: u32, watch: Watch, stat: Option<FileStat>, now: Duration) {
        let Some(old) = self.source(number).old_mut(watch) else {
            return;
        };
        if stat.is_some_and(|stat| stat.id != old.id) {
            self.old_moved(number, watch);
        } else {
            old.denied.get_or_insert(now);
        }
    }

    /// Gives up old generations that others have waited for long enough. While the name is denied
    /// too nobody waits.
    pub(super) fn give_up_denied(&mut self, number: u32, now: Duration) {
        let source = self.source(number);
        if source.problem.is_some() {
            for old in source.old.iter_mut().filter(|old| old.denied.is_some()) {
                old.denied = Some(now);
            }
            return;
        }
        let is_over = |since: Duration| now.saturating_sub(since) >= DENIED_WAIT;
        let over = source
            .old
            .iter()
            .filter(|old| old.denied.is_some_and(is_over));
        let over: Vec<Watch> = over.map(|old| old.watch).collect();
        for watch in over {
            self.give_up_old(number, watch);
        }
    }

    /// Nobody gives it back, and its successor must not wait for it.
    pub(super) fn give_up_old(&mut self, number: u32, watch: Watch) {
        let old = self.source(number).old_mut(watch);
        let id = old.map(|old| old.id);
        self.drop_old(number, watch, GapReason::RotatedAway);
        self.source(number).lineage.give_up(id.unwrap_or_default());
    }
}
