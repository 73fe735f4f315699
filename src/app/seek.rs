//! Jumps to the next or previous line of a kind: done in slices, so that no jump through a full
//! ring holds up a key.

use std::collections::BTreeMap;

use super::pane::{JumpTarget, LogPane, Rows};
use super::tree::PaneId;
use crate::model::source::SourceId;
use crate::parse::level;
use crate::query::Query;
use crate::scrollback::{Renumbering, RingEntry, Scrollback, Seq, Side};

/// Bytes of lines that one turn of the loop may look at for a jump: a few milliseconds.
const SLICE_BYTES: usize = 1024 * 1024;

/// The cost of a line besides its bytes, in the same unit.
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
    at: Seq,
    start: Seq,
    wrapped: bool,
    /// Rows of the ring before this one are not complete: sources have lines between them that were
    /// not read.
    floor: Option<Seq>,
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
        scrollback: &Scrollback,
        target: JumpTarget,
        forward: bool,
    ) -> Option<Self> {
        let at = pane.seq(pane.cursor()?)?;
        Some(Self {
            pane: id,
            target,
            forward,
            count: 1,
            at,
            start: at,
            wrapped: false,
            floor: pane.floor(scrollback).filter(|_| !forward),
            hits: HitCount::default(),
        })
    }

    /// As [`Seek::new`], but the entry under the cursor is looked at first.
    #[must_use]
    pub(super) fn from_here(
        id: PaneId,
        pane: &LogPane,
        scrollback: &Scrollback,
        target: JumpTarget,
        forward: bool,
    ) -> Option<Self> {
        let mut seek = Self::new(id, pane, scrollback, target, forward)?;
        seek.at = if forward {
            seek.at.previous()
        } else {
            seek.at.next()
        };
        Some(seek)
    }

    /// Goes on at the same rows where these have other numbers.
    pub(super) fn follow_woven(&mut self, renumbering: &Renumbering) {
        let follow = |seq: Seq| renumbering.of_live(seq);
        (self.at, self.start) = (follow(self.at), follow(self.start));
        self.floor = self.floor.map(follow);
        self.hits = HitCount::default();
    }

    /// The same, to the match of that number from here.
    #[must_use]
    pub(super) fn nth(self, count: u32) -> Self {
        Self {
            count: count.max(1),
            ..self
        }
    }

    /// Looks at the next lines.
    pub(super) fn advance(&mut self, pane: &LogPane, scrollback: &Scrollback) -> SoughtLine {
        let rows = pane.rows(scrollback);
        let mut left = SLICE_BYTES;
        while left > 0 {
            let (index, seq) = match self.next_row(pane) {
                Ok(next) => next,
                Err(end) => return end,
            };
            let entry = rows.get(seq);
            let line = entry.and_then(RingEntry::line);
            left = left.saturating_sub(PER_LINE + line.map_or(0, |line| line.content.raw.len()));
            if entry.is_some_and(|entry| self.is_target(pane, rows, seq, entry)) {
                self.count -= 1;
                if self.count == 0 {
                    return SoughtLine::Found(index, self.wrapped);
                }
            } else if self.wrapped && self.is_round(seq) {
                return SoughtLine::Nothing;
            }
            self.at = seq;
        }
        SoughtLine::Going
    }

    /// The row to look at next, or how the jump ends where there is none.
    fn next_row(&mut self, pane: &LogPane) -> Result<(usize, Seq), SoughtLine> {
        let is_at_floor = self.floor.is_some_and(|floor| self.at <= floor);
        if is_at_floor && self.goes_on(pane) {
            return Err(SoughtLine::Edge);
        }
        let was_wrapped = self.wrapped;
        let index = self.step(pane).ok_or(SoughtLine::Nothing)?;
        if self.wrapped && !was_wrapped && self.goes_on(pane) {
            return Err(SoughtLine::Edge);
        }
        let seq = pane.seq(index).ok_or(SoughtLine::Nothing)?;
        Ok((index, seq))
    }

    /// Whether a row that comes after going round the end was looked at already.
    fn is_round(&self, seq: Seq) -> bool {
        if self.forward {
            seq >= self.start
        } else {
            seq <= self.start
        }
    }

    fn is_target(&mut self, pane: &LogPane, rows: Rows<'_>, seq: Seq, entry: &RingEntry) -> bool {
        match (&self.target, entry) {
            (JumpTarget::Bookmark, _) => pane.is_bookmarked(seq),
            (JumpTarget::Query(query), RingEntry::Line(line)) => {
                self.hits.is_hit(rows, seq, line.source, query)
            }
            (JumpTarget::Level(level), RingEntry::Line(line)) => {
                level::of_line(line).is_some_and(|found| found >= *level)
            }
            _ => false,
        }
    }

    /// Whether the hosts may have more beyond the end that was reached.
    fn goes_on(&self, pane: &LogPane) -> bool {
        let is_theirs = !matches!(self.target, JumpTarget::Bookmark);
        let more = pane
            .window()
            .is_none_or(|window| !window.is_over(Side::Older));
        is_theirs && if self.forward { pane.is_apart() } else { more }
    }

    /// The index that comes next, going round the ends.
    fn step(&mut self, pane: &LogPane) -> Option<usize> {
        let len = pane.len();
        if len == 0 {
            return None;
        }
        let next = if self.forward {
            pane.index_of(self.at.next())
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

/// Which lines a query hits, asked one after the other. The verdict on a record is kept until its
/// source goes on with another, so that a stack trace is read once, not once per line.
#[derive(Debug, Default)]
struct HitCount(BTreeMap<SourceId, SeekVerdict>);

/// What is known of a record.
#[derive(Debug, Clone, Copy)]
struct SeekVerdict {
    /// The line of it that was asked about last.
    at: Seq,
    matches: bool,
    /// One of the lines contains what was found; otherwise it is a level, a field, or that something
    /// is missing.
    in_text: bool,
}

impl HitCount {
    /// Whether a line is what is looked for in a record that matches: the lines in which something
    /// is found, or the first where what was found is none of the text.
    fn is_hit(&mut self, rows: Rows<'_>, seq: Seq, source: SourceId, query: &Query) -> bool {
        let (before, after) = (rows.ring(seq).before(seq), rows.ring(seq).after(seq));
        if before.is_none() && after.is_none() {
            return matches(rows, seq, query);
        }
        let known = self.0.get(&source).copied();
        let known = known.filter(|verdict| [before, after].contains(&Some(verdict.at)));
        let verdict = SeekVerdict {
            at: seq,
            ..known.unwrap_or_else(|| SeekVerdict::of(rows, seq, query))
        };
        self.0.insert(source, verdict);
        verdict.matches && (has_hit(rows, seq, query) || (before.is_none() && !verdict.in_text))
    }
}

impl SeekVerdict {
    fn of(rows: Rows<'_>, seq: Seq, query: &Query) -> Self {
        let matches = matches(rows, seq, query);
        let in_text = matches
            && rows
                .ring(seq)
                .lines_of(seq)
                .any(|seq| has_hit(rows, seq, query));
        Self {
            at: seq,
            matches,
            in_text,
        }
    }
}

fn matches(rows: Rows<'_>, seq: Seq, query: &Query) -> bool {
    rows.whole(seq)
        .is_some_and(|whole| query.matches(&whole.subject()))
}

fn has_hit(rows: Rows<'_>, seq: Seq, query: &Query) -> bool {
    let line = rows
        .get(seq)
        .and_then(RingEntry::line)
        .map(|line| String::from_utf8_lossy(&line.content.raw));
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

    fn query(text: &str) -> Query {
        Query::parse(text, &ReferenceTime::default()).expect("a query")
    }

    /// A scrollback with lines of sources, and whether they go on.
    fn scrollback(lines: &[(u32, bool, &str)]) -> Scrollback {
        let mut scrollback = Scrollback::new(&[], 1 << 20);
        let line = |&(source, continues, text): &(u32, bool, &str)| {
            let mut line = fixture::line(0, 0, text.as_bytes());
            line.source = SourceId(source);
            line.content.continues = continues;
            line
        };
        scrollback.apply(
            vec![Update::Lines(lines.iter().map(line).collect())],
            Time(0),
        );
        scrollback
    }

    fn hits(scrollback: &Scrollback, seqs: impl Iterator<Item = Seq>, query: &Query) -> Vec<Seq> {
        let mut hits = HitCount::default();
        let source = |seq| {
            scrollback
                .ring()
                .get(seq)
                .and_then(RingEntry::line)
                .map(|line| line.source)
        };
        seqs.filter(|&seq| {
            source(seq)
                .is_some_and(|source| hits.is_hit(Rows::live(scrollback), seq, source, query))
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
        let scrollback = scrollback(&lines);
        for (text, found) in [
            ("Cart", &[2, 4][..]),
            ("luck cart", &[0, 2, 4]),
            ("level:error", &[0]),
            ("-cart", &[1]),
            ("none", &[]),
        ] {
            let hits = hits(&scrollback, Seq::BEGIN.onwards().take(5), &query(text));
            assert_eq!(
                hits.into_iter()
                    .map(|seq| seq - Seq::BEGIN)
                    .collect::<Vec<_>>(),
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
            let (scrollback, query) = (scrollback(&lines), query(asked));
            let all: Vec<Seq> = scrollback.ring().from(Seq::BEGIN).map(|(seq, _)| seq).collect();
            let is_alone = |seq: &Seq| !hits(&scrollback, std::iter::once(*seq), &query).is_empty();
            let each: Vec<Seq> = all.iter().copied().filter(is_alone).collect();
            prop_assert_eq!(&hits(&scrollback, all.iter().copied(), &query), &each);
            let mut back = hits(&scrollback, all.iter().copied().rev(), &query);
            back.reverse();
            prop_assert_eq!(&back, &each);
        }
    }
}
