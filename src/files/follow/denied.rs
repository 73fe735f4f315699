//! A file that may not be read keeps its place: it is read on from there when it may. Its name can
//! go to another file meanwhile, and what is renamed may be readable though its successor is not.

use std::time::Duration;

use crate::model::gap::GapReason;

use super::{FileStat, FileUnavailable, Follower, PermissionBlock, Phase, Watch};

/// Who may read one file of a log may soon read the others: so long a successor waits for an old
/// generation that is still denied.
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
        let source = self.source(number);
        if !live {
            return match source.old.iter_mut().find(|old| old.watch == watch) {
                Some(old) if stat.is_some_and(|stat| stat.id != old.id) => {
                    self.old_moved(number, watch);
                }
                Some(old) => _ = old.denied.get_or_insert(now),
                None => {}
            };
        }
        self.set_problem(number, Some(FileUnavailable::Denied(barrier.clone())));
        self.source(number)
            .twin
            .iter_mut()
            .for_each(|twin| twin.stat = None);
        let (Some(stat), source) = (stat, self.source(number)) else {
            return;
        };
        match source.phase {
            Phase::Unknown | Phase::Reading
                if source
                    .current
                    .as_ref()
                    .is_some_and(|current| current.id != stat.id) =>
            {
                self.start_finding(number, Some(stat));
            }
            Phase::Finding(_) => source.phase = Phase::Finding(Some(stat)),
            Phase::Waiting(_) => source.phase = Phase::Waiting(Some(stat)),
            Phase::Unknown | Phase::Reading | Phase::Comparing(..) => {}
        }
    }

    /// Gives up old generations that others have waited for long enough. While the name is denied
    /// too nobody waits.
    pub(super) fn give_up_denied(&mut self, number: u32, now: Duration) {
        let source = self.source(number);
        if source.problem.is_some() {
            source
                .old
                .iter_mut()
                .filter(|old| old.denied.is_some())
                .for_each(|old| old.denied = Some(now));
            return;
        }
        let is_over = |since: Duration| now.saturating_sub(since) >= DENIED_WAIT;
        let over = source
            .old
            .iter()
            .filter(|old| old.denied.is_some_and(is_over))
            .map(|old| old.watch)
            .collect();
        let over: Vec<Watch> = over;
        over.into_iter()
            .for_each(|watch| self.give_up_old(number, watch));
    }

    /// Nobody gives it back, and its successor must not wait for it.
    pub(super) fn give_up_old(&mut self, number: u32, watch: Watch) {
        let id = self
            .source(number)
            .old
            .iter()
            .find(|old| old.watch == watch)
            .map(|old| old.id);
        self.drop_old(number, watch, GapReason::RotatedAway);
        self.source(number).lineage.give_up(id.unwrap_or_default());
    }
}
