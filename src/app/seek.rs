//! Jumps to the next or previous line of a kind: done in slices, so that no jump through a full
//! ring holds up a key.

use crate::parse::level;
use std::collections::BTreeMap;

use super::pane::{JumpTarget, LogPane, Rows};
use super::tree::PaneId;
use crate::model::source::SourceId;
use crate::query::Query;
use crate::store::{RingEntry, Side, Store};

/// Bytes of lines that one turn of the loop may look at for a jump: a few milliseconds.
const SLICE_BYTES: usize = 1024 * 1024;

/// What a line costs beside its bytes, in the same unit.
const PER_LINE: usize = 256;

/// A jump on its way.
#[derive(Debug)]
pub(super) struct Seek {
    /// The pane that it moves.
    pub(super) pane: PaneId,
    /// What it looks for.
    pub(super) target: JumpTarget,
    pub(super) forward: bool,
    /// Matches that are still to be found.
    count: u32,
    /// The entry that was looked at last.
    at: u64,
    start: u64,
    wrapped: bool,
    /// Rows of the ring before this one are not complete: sources have lines between them that were
    /// not read.
    floor: Option<u64>,
    hits: HitCount,
}

/// How far a slice of a jump came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SoughtLine {
    /// It is not there yet.
    Going,
    /// At this index; and whether it went round the end.
    Found(usize, bool),
    /// There is none in what the pane has, which is not all there is.
    Edge,
    /// There is none.
    Nothing,
}

impl Seek {
    /// A jump from the entry under the cursor, which itself is looked at last.
    #[must_use]
    pub(super) fn new(
        id: PaneId,
        pane: &LogPane,
        store: &Store,
        target: JumpTarget,
        (forward, count): (bool, u32),
    ) -> Option<Self> {
        let at = pane.seq(pane.cursor()?)?;
        Some(Self {
            pane: id,
            target,
            forward,
            count: count.max(1),
            at,
            start: at,
            wrapped: false,
            floor: pane.floor(store).filter(|_| !forward),
            hits: HitCount::default(),
        })
    }

    /// As [`Seek::new`], but the entry under the cursor is looked at first.
    #[must_use]
    pub(super) fn from_here(
        id: PaneId,
        pane: &LogPane,
        store: &Store,
        target: JumpTarget,
        forward: bool,
    ) -> Option<Self> {
        let mut seek = Self::new(id, pane, store, target, (forward, 1))?;
        // Before the very first entry there is no number; one more than the largest is 0 again.
        seek.at = if forward {
            seek.at.wrapping_sub(1)
        } else {
            seek.at + 1
        };
        Some(seek)
    }

    /// Looks at the next lines.
    pub(super) fn advance(&mut self, pane: &LogPane, store: &Store) -> SoughtLine {
        let mut left = SLICE_BYTES;
        while left > 0 {
            if self.floor.is_some_and(|floor| self.at <= floor) && self.goes_on(pane) {
                return SoughtLine::Edge;
            }
            let was_wrapped = self.wrapped;
            let Some(index) = self.step(pane) else {
                return SoughtLine::Nothing;
            };
            if self.wrapped && !was_wrapped && self.goes_on(pane) {
                return SoughtLine::Edge;
            }
            let Some(seq) = pane.seq(index) else {
                return SoughtLine::Nothing;
            };
            let past = if self.forward {
                seq >= self.start
            } else {
                seq <= self.start
            };
            let entry = pane.rows(store).get(seq);
            left = left.saturating_sub(
                PER_LINE
                    + entry
                        .and_then(RingEntry::record)
                        .map_or(0, |record| record.content.raw.len()),
            );
            if entry.is_some_and(|entry| self.is_target(pane, pane.rows(store), seq, entry)) {
                self.count -= 1;
                if self.count == 0 {
                    return SoughtLine::Found(index, self.wrapped);
                }
            } else if self.wrapped && past {
                return SoughtLine::Nothing;
            }
            self.at = seq;
        }
        SoughtLine::Going
    }

    fn is_target(&mut self, pane: &LogPane, store: Rows<'_>, seq: u64, entry: &RingEntry) -> bool {
        match (&self.target, entry) {
            (JumpTarget::Bookmark, _) => pane.is_bookmarked(seq),
            (JumpTarget::Query(query), RingEntry::Line(record)) => {
                self.hits.is_hit(store, seq, record.source, query)
            }
            (JumpTarget::Level(level), RingEntry::Line(record)) => {
                level::of_line(record).is_some_and(|found| found >= *level)
            }
            _ => false,
        }
    }

    /// Whether the hosts may have more beyond the end that was reached.
    fn goes_on(&self, pane: &LogPane) -> bool {
        let is_theirs = !matches!(self.target, JumpTarget::Bookmark);
        let more = pane.past().is_none_or(|past| !past.is_over(Side::Older));
        is_theirs && if self.forward { pane.is_apart() } else { more }
    }

    /// The index that comes next, going round the ends.
    fn step(&mut self, pane: &LogPane) -> Option<usize> {
        let len = pane.len();
        if len == 0 {
            return None;
        }
        let next = if self.forward {
            pane.index_of(self.at.wrapping_add(1))
        } else {
            pane.index_of(self.at)
        };
        let next = if self.forward {
            (next < len).then_some(next)
        } else {
            next.checked_sub(1)
        };
        if next.is_none() {
            if self.wrapped {
                return None;
            }
            self.wrapped = true;
        }
        Some(next.unwrap_or(if self.forward { 0 } else { len - 1 }))
    }
}

/// Which lines a query hits, asked one after the other. What was found out of a record is kept
/// until its source goes on with another, so that a stack trace is read once and not once for each
/// of its lines.
#[derive(Debug, Default)]
struct HitCount(BTreeMap<SourceId, SeekVerdict>);

/// What is known of a record.
#[derive(Debug, Clone, Copy)]
struct SeekVerdict {
    /// The line of it that was asked about last.
    at: u64,
    matches: bool,
    /// What was found stands in one of the lines; otherwise it is a level, a field, or that
    /// something is missing.
    in_text: bool,
}

impl HitCount {
    /// Whether a line is what is looked for in a record that matches: the lines in which something
    /// is found, or the first where what was found is none of the text.
    fn is_hit(&mut self, store: Rows<'_>, seq: u64, source: SourceId, query: &Query) -> bool {
        let (before, after) = (store.ring(seq).before(seq), store.ring(seq).after(seq));
        if before.is_none() && after.is_none() {
            return matches(store, seq, query);
        }
        let known = self.0.get(&source).copied();
        let known = known.filter(|verdict| [before, after].contains(&Some(verdict.at)));
        let verdict = SeekVerdict {
            at: seq,
            ..known.unwrap_or_else(|| SeekVerdict::of(store, seq, query))
        };
        self.0.insert(source, verdict);
        verdict.matches && (has_hit(store, seq, query) || (before.is_none() && !verdict.in_text))
    }
}

impl SeekVerdict {
    fn of(store: Rows<'_>, seq: u64, query: &Query) -> Self {
        let matches = matches(store, seq, query);
        let in_text = matches
            && store
                .ring(seq)
                .lines_of(seq)
                .any(|seq| has_hit(store, seq, query));
        Self {
            at: seq,
            matches,
            in_text,
        }
    }
}

fn matches(store: Rows<'_>, seq: u64, query: &Query) -> bool {
    store
        .whole(seq)
        .is_some_and(|whole| query.matches(&whole.subject()))
}

fn has_hit(store: Rows<'_>, seq: u64, query: &Query) -> bool {
    let line = store
        .get(seq)
        .and_then(RingEntry::record)
        .map(|record| String::from_utf8_lossy(&record.content.raw));
    line.is_some_and(|line| !query.highlights(&line).is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::app::fixture;
    use crate::model::time::Time;
    use crate::model::update::Update;
    use crate::query::ReferenceTime;
    use crate::store::BEGIN;

    fn query(text: &str) -> Query {
        Query::parse(text, &ReferenceTime::default()).expect("a query")
    }

    /// A store with lines of sources, and whether they go on.
    fn store(lines: &[(u32, bool, &str)]) -> Store {
        let mut store = Store::new(&[], 1 << 20);
        let line = |&(source, continues, text): &(u32, bool, &str)| {
            let mut line = fixture::line(0, 0, text.as_bytes());
            line.source = SourceId(source);
            line.content.continues = continues;
            line
        };
        store.apply(
            vec![Update::Lines(lines.iter().map(line).collect())],
            Time(0),
        );
        store
    }

    fn hits(store: &Store, seqs: impl Iterator<Item = u64>, query: &Query) -> Vec<u64> {
        let mut hits = HitCount::default();
        let source = |seq| {
            store
                .ring()
                .get(seq)
                .and_then(RingEntry::record)
                .map(|record| record.source)
        };
        seqs.filter(|&seq| {
            source(seq).is_some_and(|source| hits.is_hit(Rows::live(store), seq, source, query))
        })
        .collect()
    }

    #[test]
    fn a_jump_goes_to_the_lines_of_a_record_in_which_something_is_found_or_to_its_first() {
        let lines = [
            (0, false, "ERROR no luck"),
            (1, false, "other"),
            (0, true, "  at Cart.add"),
            (1, true, "  more"),
            (0, true, "  at Cart.main"),
        ];
        let store = store(&lines);
        for (text, found) in [
            ("Cart", &[2, 4][..]),
            ("luck cart", &[0, 2, 4]),
            ("level:error", &[0]),
            ("-cart", &[1]),
            ("none", &[]),
        ] {
            let hits = hits(&store, BEGIN..BEGIN + 5, &query(text));
            assert_eq!(
                hits.into_iter().map(|seq| seq - BEGIN).collect::<Vec<_>>(),
                found,
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn what_is_kept_of_a_record_changes_no_answer(
            lines in prop::collection::vec(
                (0u32..3, any::<bool>(), prop::sample::select(vec!["a", "b", "a b", "c", "ERROR a"])), 0..40),
            asked in prop::sample::select(vec!["a", "-a", "a b", "-c b", "level:error"]),
        ) {
            let (store, query) = (store(&lines), query(asked));
            let end = store.ring().end();
            let each: Vec<u64> = (BEGIN..end).filter(|&seq| !hits(&store, seq..seq + 1, &query).is_empty()).collect();
            prop_assert_eq!(&hits(&store, BEGIN..end, &query), &each);
            let mut back = hits(&store, (BEGIN..end).rev(), &query);
            back.reverse();
            prop_assert_eq!(&back, &each);
        }
    }
}
