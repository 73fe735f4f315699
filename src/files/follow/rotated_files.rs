//! Reads generations that have lost the name of their log to their end, wherever they went, and lets
//! them go when they have rested, or are gone. `succession` finds those that came in between.

use std::time::Duration;

use crate::model::gap::GapReason;
use crate::parse::split::FilePiece;

use super::followed_file::FollowedFile;
use super::followed_source::Phase;
use super::follower::{Follower, emit};
use super::messages::{FileStat, Watch};

/// A writer may hold on to a file that was renamed until it is told to open its log again;
/// `logrotate` tells it at once, people and cron jobs do later. So long after its last line an old
/// generation is not looked at any more.
pub(super) const OLD_GENERATION_WAIT: Duration = Duration::from_secs(90);

impl Follower {
    /// An old generation has another name now.
    pub(super) fn old_moved(&mut self, number: u32, watch: Watch) {
        let source = self.source(number);
        let Some(old) = source.old.iter().find(|old| old.watch == watch) else {
            return;
        };
        if old.is_empty() {
            return self.drop_old(number, watch, GapReason::RotatedAway);
        }
        let request = old.to_be_found(source.live);
        self.requests.push(request);
    }

    /// The answer to where an old generation is now.
    pub(super) fn old_found(&mut self, number: u32, watch: Watch, stat: Option<FileStat>) {
        let source = self.source(number);
        let Some(old) = source.old.iter_mut().find(|old| old.watch == watch) else {
            return;
        };
        // Shorter than when it was listed, and not read yet: another file has its number. And a
        // guess of what was read of a file whose number another has now may be right of yet
        // another.
        let is_it = |stat: &FileStat| {
            (old.offset > 0 || stat.size >= old.size) && (!old.recalled || stat.id == old.id)
        };
        match stat.filter(is_it) {
            Some(stat) => {
                source.lineage.moved(old.id, stat, old.rewritten.is_some());
                old.doubted &= old.id == stat.id;
                old.id = stat.id;
                self.join(number, watch, stat.id);
            }
            None if old.was_never_read() || old.recalled => self.look_again(number, watch),
            None => {
                let reason = old.rewritten.unwrap_or(GapReason::RotatedAway);
                self.drop_old(number, watch, reason);
            }
        }
    }

    /// What had the name is found under another.
    pub(super) fn became_old(
        &mut self,
        number: u32,
        watch: Watch,
        stat: FileStat,
        next: Option<FileStat>,
        now: Duration,
    ) {
        let source = self.source(number);
        let Some(current) = source.current.take() else {
            return;
        };
        let old = FollowedFile {
            watch,
            id: stat.id,
            at_end: false,
            recalled: false,
            grew: now,
            ..current
        };
        source.old.push_back(old);
        source.phase = Phase::Waiting(next);
    }

    /// Those at rest are looked at no more.
    pub(super) fn forget_rested(&mut self, number: u32, now: Duration) {
        let source = self.source(number);
        let has_rested =
            |old: &&FollowedFile| old.at_end && now.saturating_sub(old.grew) > OLD_GENERATION_WAIT;
        let rested = source.old.iter().filter(has_rested);
        let rested: Vec<Watch> = rested.map(|old| old.watch).collect();
        for watch in rested {
            self.drop_old(number, watch, GapReason::RotatedAway);
        }
    }

    /// Ends an old generation; what it is known to have had beyond our offset is a gap.
    pub(super) fn drop_old(&mut self, number: u32, watch: Watch, reason: GapReason) {
        let source = self.source(number);
        let Some(at) = source.old.iter().position(|old| old.watch == watch) else {
            return;
        };
        let Some(mut old) = source.old.remove(at) else {
            return;
        };
        let mut pieces = Vec::new();
        old.release(&mut pieces);
        let is_last = matches!(source.phase, Phase::Waiting(_)) && at == source.old.len();
        source.lineage.remember(&old, is_last);
        old.lines.finish(&mut pieces);
        if !old.at_end && !old.rested {
            let to = (old.size > old.offset && reason != GapReason::Truncated).then_some(old.size);
            pieces.push(FilePiece::Gap {
                from: old.offset,
                to,
                reason,
            });
            source.lineage.broken();
        }
        if reason == GapReason::Truncated {
            source.lineage.want(old.id);
            source.lineage.cut(&old);
        }
        emit(&mut self.outcomes, number, old.id, pieces);
        self.forget(watch);
    }
}
