//! What leaves the window at its ends, so that it keeps within its budget.

use super::super::{RingEntry, Scrollback, Seq};
use super::PageWindow;
use super::stream::{PageQueue, Side, StreamState};

impl PageWindow {
    /// Lets go of rows at the end that is farther from this one, until the budget is kept. Whether
    /// any went.
    pub fn trim(&mut self, keep: Seq, budget: usize, scrollback: &Scrollback) {
        while self.rows.bytes() > budget && self.rows.end() - self.rows.first() > 1 {
            let above = keep.rows_after(self.rows.first());
            let below = self.rows.end().rows_after(keep);
            if self.reach > Seq::NOTICE {
                self.abandon_ring(scrollback);
            }
            let (side, entry) = if above >= below {
                self.is_cut_older = true;
                (Side::Older, self.rows.pop_oldest())
            } else {
                self.is_cut_newer = true;
                self.part();
                (Side::Newer, self.rows.pop_newest())
            };
            if let Some(entry) = entry {
                self.give_back(entry, side);
            }
        }
    }

    /// The window ends before the ring from now on.
    fn part(&mut self) {
        if self.joined.take().is_none() {
            return;
        }
        self.climb = Seq::NOTICE;
        for stream in self.streams.values_mut() {
            (stream.newer, stream.resume) = (PageQueue::default(), None);
        }
    }

    /// A row leaves the window: the only one of its source that waits before it, by which what
    /// follows is asked.
    fn give_back(&mut self, entry: RingEntry, side: Side) {
        let Some((_, source)) = entry.origin() else {
            return;
        };
        let (first, end) = (self.rows.first(), self.rows.end());
        let Some(stream) = self
            .streams
            .get_mut(&source)
            .filter(|_| entry.line().is_some())
        else {
            return;
        };
        let run = stream.queue_mut(side);
        run.ahead.clear();
        run.ahead.push_back(entry);
        run.state = StreamState::Open;
        stream.first_live = None;
        if side == Side::Newer {
            stream.resume = None;
        }
        stream.first_row = stream.first_row.filter(|&seq| seq >= first && seq < end);
    }
}
