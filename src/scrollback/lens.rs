//! Lenses: which entries of the ring a pane shows. Kept up to date as lines come, never worked out
//! while drawing.
//!
//! After a change of the filter the ring is read backwards from its end in slices, so that the
//! newest matches are on the screen first and no key waits for the rest.

use std::collections::{BTreeSet, VecDeque};

use super::{Renumbering, RingEntry, Scrollback, Seq};
use crate::model::host::HostId;
use crate::model::line::FleetLine;
use crate::model::source::SourceId;
use crate::query::Query;

/// What a pane wants to see: all of these must hold.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Lines that match; gaps and marks are not asked.
    pub query: Option<Query>,
    /// Only these hosts; `None`: all.
    pub hosts: Option<BTreeSet<HostId>>,
    /// Only these sources; `None`: all.
    pub sources: Option<BTreeSet<SourceId>>,
}

impl Filter {
    /// Whether an entry is of a host and a source that pass. Gaps of a host that is shown are
    /// always shown: a loss must not hide behind a query.
    #[must_use]
    pub fn admits_origin(&self, entry: &RingEntry) -> bool {
        entry
            .origin()
            .is_none_or(|(host, source)| self.admits_place(host, source))
    }

    /// Whether lines of that host and source pass at all.
    #[must_use]
    pub fn admits_place(&self, host: HostId, source: SourceId) -> bool {
        let is_host = self
            .hosts
            .as_ref()
            .is_none_or(|hosts| hosts.contains(&host));
        is_host
            && self
                .sources
                .as_ref()
                .is_none_or(|sources| sources.contains(&source))
    }

    /// Whether a line passes that is no entry yet.
    #[must_use]
    pub fn admits_line(&self, scrollback: &Scrollback, line: &FleetLine) -> bool {
        let is_asked = |query: &Query| query.matches(&scrollback.subject(line));
        self.admits_place(line.host, line.source) && self.query.as_ref().is_none_or(is_asked)
    }
}

/// The numbers of the entries that pass a filter, in order. Records pass whole or not at all.
#[derive(Debug)]
pub struct Lens {
    filter: Filter,
    matches: VecDeque<Seq>,
    /// Everything in `low..high` has been looked at.
    low: Seq,
    high: Seq,
}

impl Lens {
    /// A lens that has looked at nothing yet.
    #[must_use]
    pub fn new(filter: Filter, scrollback: &Scrollback) -> Self {
        let end = scrollback.ring().end();
        Self {
            filter,
            matches: VecDeque::new(),
            low: end,
            high: end,
        }
    }

    /// What it lets through.
    #[must_use]
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Lets other entries through from now on, and looks at everything again, newest first.
    pub fn set_filter(&mut self, filter: Filter, scrollback: &Scrollback) {
        *self = Self::new(filter, scrollback);
    }

    /// Looks at new entries, then at old ones, until about `budget` bytes of lines were read. True
    /// when nothing is left.
    pub fn advance(&mut self, scrollback: &Scrollback, budget: usize) -> bool {
        self.forget(scrollback);
        let mut left = budget;
        while self.high < scrollback.ring().end() {
            if left == 0 {
                return false;
            }
            let seq = self.high;
            self.high = seq.next();
            self.look(scrollback, seq, &mut left);
        }
        while self.low > scrollback.ring().first() {
            if left == 0 {
                return false;
            }
            self.low = self.low.previous();
            self.look(scrollback, self.low, &mut left);
        }
        true
    }

    /// Follows rows whose numbers have changed, and looks at those that were put between them.
    pub fn renumber(&mut self, renumberings: &[Renumbering], scrollback: &Scrollback) {
        let now = |seq: Seq| Renumbering::of_all(renumberings, seq);
        self.matches.iter_mut().for_each(|seq| *seq = now(*seq));
        (self.low, self.high) = (now(self.low), now(self.high));
        let seen = self.low..self.high;
        let mut unlimited = usize::MAX;
        for seq in Renumbering::all_inserted(renumberings) {
            if seen.contains(&seq) {
                self.look(scrollback, seq, &mut unlimited);
            }
        }
    }

    /// How many entries match, so far as it has looked.
    #[must_use]
    pub fn len(&self) -> usize {
        self.matches.len()
    }

    /// True where nothing matches so far.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.matches.is_empty()
    }

    /// The number of the match at an index from 0.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Seq> {
        self.matches.get(index).copied()
    }

    /// Index of the first match whose number is at least `seq`; [`Lens::len`] where there is none.
    #[must_use]
    pub fn index_of(&self, seq: Seq) -> usize {
        self.matches.partition_point(|&other| other < seq)
    }

    /// Entries that are still to be looked at.
    #[must_use]
    pub fn pending(&self, scrollback: &Scrollback) -> usize {
        let ring = scrollback.ring();
        ring.end().rows_after(self.high.max(ring.first())) + self.low.rows_after(ring.first())
    }

    /// The numbers of those that match and that the ring has forgotten since.
    #[must_use]
    pub fn gone(&self, scrollback: &Scrollback) -> Vec<Seq> {
        let first = scrollback.ring().first();
        self.matches
            .iter()
            .copied()
            .take_while(|&seq| seq < first)
            .collect()
    }

    /// Drops what the ring has forgotten.
    fn forget(&mut self, scrollback: &Scrollback) {
        let first = scrollback.ring().first();
        while self.matches.front().is_some_and(|&seq| seq < first) {
            self.matches.pop_front();
        }
        self.low = self.low.max(first);
        self.high = self.high.max(first);
    }

    /// Looks at an entry. A record is decided when its last line comes into sight, for all of its
    /// lines: more of them may have come since it was decided before.
    fn look(&mut self, scrollback: &Scrollback, seq: Seq, left: &mut usize) {
        /// The cost of an entry besides the bytes of its line, in the same unit.
        const PER_ENTRY: usize = 64;
        *left = left.saturating_sub(PER_ENTRY);
        let Some(entry) = scrollback.ring().get(seq) else {
            return;
        };
        if !self.filter.admits_origin(entry) {
            return;
        }
        let (Some(query), Some(_)) = (&self.filter.query, entry.line()) else {
            return self.put(seq, true);
        };
        if scrollback.ring().after(seq).is_some() {
            return;
        }
        let Some(whole) = scrollback.whole(seq) else {
            return;
        };
        *left = left.saturating_sub(whole.text().len());
        let is_match = query.matches(&whole.subject());
        scrollback
            .ring()
            .lines_of(seq)
            .for_each(|seq| self.put(seq, is_match));
    }

    /// Makes an entry one of those that match, or not; it may have been that before.
    fn put(&mut self, seq: Seq, is_match: bool) {
        let index = match (self.matches.front(), self.matches.back()) {
            (_, Some(&last)) if seq > last => self.matches.len(),
            (Some(&first), _) if seq < first => 0,
            _ => self.index_of(seq),
        };
        match (is_match, self.get(index) == Some(seq)) {
            (true, false) => self.matches.insert(index, seq),
            (false, true) => drop(self.matches.remove(index)),
            _ => {}
        }
    }
}
