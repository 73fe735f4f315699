//! Jumps to the next or previous line of a kind: done in slices, so that no jump through a full ring holds up a key.

use super::pane::{LogPane, Target};
use super::tree::PaneId;
use crate::store::Store;

/// Lines that one turn of the loop may look at for a jump: a few milliseconds.
const SLICE_LINES: usize = 4096;

/// A jump on its way.
#[derive(Debug)]
pub(super) struct Seek {
    /// The pane that it moves.
    pub(super) pane: PaneId,
    /// What it looks for.
    pub(super) target: Target,
    forward: bool,
    /// Matches that are still to be found.
    count: u32,
    /// The entry that was looked at last.
    at: u64,
    start: u64,
    wrapped: bool,
}

/// How far a slice of a jump came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sought {
    /// It is not there yet.
    Going,
    /// At this index; and whether it went round the end.
    Found(usize, bool),
    /// There is none.
    Nothing,
}

impl Seek {
    /// A jump from the entry under the cursor, which itself is looked at last.
    #[must_use]
    pub(super) fn new(id: PaneId, pane: &LogPane, target: Target, forward: bool, count: u32) -> Option<Self> {
        let at = pane.seq(pane.cursor()?)?;
        Some(Self { pane: id, target, forward, count: count.max(1), at, start: at, wrapped: false })
    }

    /// As [`Seek::new`], but the entry under the cursor is looked at first.
    #[must_use]
    pub(super) fn from_here(id: PaneId, pane: &LogPane, target: Target, forward: bool) -> Option<Self> {
        let mut seek = Self::new(id, pane, target, forward, 1)?;
        // Before the very first entry there is no number; one more than the largest is 0 again.
        seek.at = if forward { seek.at.wrapping_sub(1) } else { seek.at + 1 };
        Some(seek)
    }

    /// Looks at the next lines.
    pub(super) fn advance(&mut self, pane: &LogPane, store: &Store) -> Sought {
        for _ in 0..SLICE_LINES {
            let Some(index) = self.step(pane) else { return Sought::Nothing };
            let Some(seq) = pane.seq(index) else { return Sought::Nothing };
            let past = if self.forward { seq >= self.start } else { seq <= self.start };
            if pane.is_target(store, seq, &self.target) {
                self.count -= 1;
                if self.count == 0 {
                    return Sought::Found(index, self.wrapped);
                }
            } else if self.wrapped && past {
                return Sought::Nothing;
            }
            self.at = seq;
        }
        Sought::Going
    }

    /// The index that comes next, going round the ends.
    fn step(&mut self, pane: &LogPane) -> Option<usize> {
        let len = pane.len();
        if len == 0 {
            return None;
        }
        let next = if self.forward { pane.index_of(self.at.wrapping_add(1)) } else { pane.index_of(self.at) };
        let next = if self.forward { (next < len).then_some(next) } else { next.checked_sub(1) };
        if next.is_none() {
            if self.wrapped {
                return None;
            }
            self.wrapped = true;
        }
        Some(next.unwrap_or(if self.forward { 0 } else { len - 1 }))
    }
}
