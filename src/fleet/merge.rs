//! Lines of many sources into one order: by time, as far as waiting a moment makes that possible.
//!
//! Each source is a queue that is never reordered. Of lines with the same stamp those of the host
//! that was named first in the inventory go first, then by the name of the source, so that the order
//! is the same each time. A line is released when no host can still send
//! an earlier one (the *watermark*: every host has been read to there), or when it has waited long
//! enough; of those that are releasable, the earliest goes first. A line that comes when later ones
//! have gone is marked late, not dropped. Time is an argument.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::model::gap::Gap;
use crate::model::host::HostId;
use crate::model::line::{FleetLine, LineOrder};
use crate::model::source::SourceId;
use crate::model::time::Time;
use crate::model::update::Update;

/// How long a line waits for earlier ones of slower hosts. Longer would make the screen lag; a host
/// that lags more than this has its lines marked late.
pub(super) const HOLD: Duration = Duration::from_millis(1000);

/// A line is late when lines stamped this much later have gone. Many stamps are in whole seconds,
/// and many programs write a moment after they stamped.
pub(super) const LATE_BY: i64 = 1_000_000_000;

/// Most bytes held back; beyond, the earliest go whether their time has come or not.
pub(super) const HELD_BYTES: usize = 32 << 20;

/// A batch is not much larger: what is on its way to a reader who is slow is bounded in bytes.
pub(super) const BATCH_BYTES: usize = 1 << 20;

/// Holds lines back for a moment and releases them in order.
#[derive(Debug, Default)]
pub(super) struct Merge {
    sources: BTreeMap<SourceId, VecDeque<BufferedItem>>,
    ranks: SourceRanks,
    bytes: usize,
    /// The latest stamp that was released; none of the future, which would make all others late.
    released_to: Option<Time>,
    /// Lines that were marked late.
    late: u64,
}

#[derive(Debug)]
struct BufferedItem {
    arrived: Duration,
    item: MergeItem,
}

#[derive(Debug)]
enum MergeItem {
    Line(FleetLine),
    Gap(Gap),
}

/// When it is asked what may go.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReleaseMoment {
    /// Since the start.
    pub(super) elapsed: Duration,
    /// By our clock.
    pub(super) wall: Time,
}

/// What is released.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Release {
    /// What is stamped up to here, and what has waited for [`HOLD`].
    UpTo(Option<Time>),
    /// Nothing yet: hosts are still on their way.
    Nothing,
    /// Everything.
    All,
}

impl Merge {
    /// Takes in a line that arrived at `now`.
    pub(super) fn line(&mut self, line: FleetLine, now: Duration) {
        self.bytes += line.content.memory();
        self.buffer(line.source, MergeItem::Line(line), now);
    }

    /// Learns whose a source is and what it is called, for the order of equal stamps.
    pub(super) fn name(&mut self, source: SourceId, host: HostId, name: &Arc<str>) {
        self.ranks.add(source, host, name);
    }

    /// Takes in a gap; it keeps its place among the lines of its source.
    pub(super) fn gap(&mut self, gap: Gap, now: Duration) {
        self.buffer(gap.source, MergeItem::Gap(gap), now);
    }

    fn buffer(&mut self, source: SourceId, item: MergeItem, arrived: Duration) {
        let buffered = BufferedItem { arrived, item };
        self.sources.entry(source).or_default().push_back(buffered);
    }

    /// Lines marked late so far.
    #[must_use]
    pub(super) fn late(&self) -> u64 {
        self.late
    }

    /// When the line that waits longest will have waited long enough.
    #[must_use]
    pub(super) fn next_deadline(&self) -> Option<Duration> {
        self.sources
            .values()
            .filter_map(|queue| Some(queue.front()?.arrived + HOLD))
            .min()
    }

    /// Releases what may go at `now`, up to a batch. Returns whether that was all.
    pub(super) fn release(
        &mut self,
        what: Release,
        now: ReleaseMoment,
        out: &mut Vec<Update>,
    ) -> bool {
        let turn = ReleaseTurn {
            what,
            now,
            keep: self.bytes.saturating_sub(BATCH_BYTES),
        };
        self.ranks.settle();
        let mut batch = BatchBuilder {
            lines: Vec::new(),
            updates: out,
        };
        let mut heads: BinaryHeap<_> = self
            .sources
            .iter()
            .filter_map(|(&source, queue)| {
                Some(Reverse((queue.front()?.time(), self.ranks.of(source))))
            })
            .collect();
        while let Some(Reverse((_, rank))) = heads.pop() {
            let until = heads.peek().map(|Reverse(head)| *head);
            if let Some(next) = self.release_source(rank, until, &turn, &mut batch) {
                heads.push(Reverse((next, rank)));
            }
            if self.bytes < turn.keep && !heads.is_empty() {
                batch.flush();
                return false;
            }
        }
        batch.flush();
        true
    }

    /// Releases what may go of one source until another source has an earlier line. Returns the
    /// time of its next line, where that may be looked at again.
    fn release_source(
        &mut self,
        rank: SourceRank,
        until: Option<(Time, SourceRank)>,
        turn: &ReleaseTurn,
        batch: &mut BatchBuilder<'_>,
    ) -> Option<Time> {
        loop {
            let is_full = self.bytes > HELD_BYTES;
            let queue = self.sources.get_mut(&rank.source)?;
            if !is_full && !queue.front()?.is_releasable(turn.what, turn.now.elapsed) {
                return None;
            }
            let first = queue.pop_front()?;
            let next = queue.front().map(BufferedItem::time);
            self.emit(first.item, turn, batch);
            let Some(next) = next else {
                self.sources.remove(&rank.source);
                return None;
            };
            if until.is_some_and(|until| (next, rank) > until) || self.bytes < turn.keep {
                return Some(next);
            }
        }
    }

    /// Whether later lines have gone before a line. A pass sorts all it has, and what is still out of
    /// order then is so in its file.
    fn order_of(&self, line: &FleetLine, turn: &ReleaseTurn) -> LineOrder {
        let time = line.content.time.0.saturating_add(LATE_BY);
        let is_behind = self.released_to.is_some_and(|before| time < before.0);
        match line.order {
            _ if !is_behind || turn.what == Release::All => LineOrder::InOrder,
            LineOrder::Backlog => LineOrder::Backlog,
            LineOrder::InOrder | LineOrder::Late => LineOrder::Late,
        }
    }

    fn emit(&mut self, item: MergeItem, turn: &ReleaseTurn, batch: &mut BatchBuilder<'_>) {
        match item {
            MergeItem::Line(mut line) => {
                self.bytes -= line.content.memory();
                line.order = self.order_of(&line, turn);
                self.late += u64::from(line.order == LineOrder::Late);
                let stamp = line.content.time.min(turn.now.wall);
                self.released_to = self.released_to.max(Some(stamp));
                batch.lines.push(line);
            }
            MergeItem::Gap(gap) => {
                batch.flush();
                batch.updates.push(Update::Gap(gap));
            }
        }
    }
}

/// One call of [`Merge::release`].
struct ReleaseTurn {
    what: Release,
    now: ReleaseMoment,
    /// Bytes that stay: the rest is a batch.
    keep: usize,
}

/// Updates, with lines that follow each other in one of them.
struct BatchBuilder<'a> {
    lines: Vec<FleetLine>,
    updates: &'a mut Vec<Update>,
}

impl BatchBuilder<'_> {
    fn flush(&mut self) {
        if !self.lines.is_empty() {
            let lines = std::mem::take(&mut self.lines);
            self.updates.push(Update::Lines(lines));
        }
    }
}

/// Where a source stands among those with the same stamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct SourceRank {
    rank: u32,
    source: SourceId,
}

/// The sources in the order of their hosts and names; those without a name come last.
#[derive(Debug, Default)]
struct SourceRanks {
    names: BTreeSet<(HostId, Arc<str>, SourceId)>,
    ranks: BTreeMap<SourceId, u32>,
    /// Sources have come since the ranks were given.
    is_stale: bool,
}

impl SourceRanks {
    fn add(&mut self, source: SourceId, host: HostId, name: &Arc<str>) {
        let place = (host, Arc::clone(name), source);
        self.is_stale |= self.names.insert(place);
    }

    fn settle(&mut self) {
        if std::mem::take(&mut self.is_stale) {
            let sources = self.names.iter().map(|(.., source)| *source);
            self.ranks = sources.zip(0..).collect();
        }
    }

    fn of(&self, source: SourceId) -> SourceRank {
        SourceRank {
            rank: self.ranks.get(&source).copied().unwrap_or(u32::MAX),
            source,
        }
    }
}

impl BufferedItem {
    fn time(&self) -> Time {
        match &self.item {
            MergeItem::Line(line) => line.content.time,
            MergeItem::Gap(gap) => gap.until,
        }
    }

    fn is_releasable(&self, what: Release, now: Duration) -> bool {
        match what {
            Release::All => true,
            Release::Nothing => false,
            Release::UpTo(to) => {
                to.is_some_and(|to| self.time() <= to) || self.arrived + HOLD <= now
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::cursor::{Cursor, FileId};
    use crate::model::line::{ByteSpan, Line};
    use crate::model::time::TimeSource;
    use bytes::Bytes;
    use proptest::prelude::*;

    fn line(source: u32, time: i64) -> FleetLine {
        let cursor = Cursor {
            file: FileId::default(),
            offset: 0,
        };
        let line = Line {
            time: Time(time),
            time_from: TimeSource::Stamp,
            cursor,
            continues: false,
            dialect: None,
            stamp: ByteSpan::default(),
            raw: Bytes::from_static(b"line"),
            stored: None,
        };
        FleetLine::new(HostId(source), SourceId(source), line)
    }

    fn release(merge: &mut Merge, what: Release, now: Duration) -> Vec<(u32, i64, bool)> {
        let wall = match what {
            Release::UpTo(Some(to)) => to,
            _ => Time(i64::MAX),
        };
        let now = ReleaseMoment { elapsed: now, wall };
        let mut out = Vec::new();
        while !merge.release(what, now, &mut out) {}
        let lines = out.into_iter().flat_map(|update| match update {
            Update::Lines(lines) => lines,
            _ => Vec::new(),
        });
        lines
            .map(|line| {
                let is_late = line.order == LineOrder::Late;
                (line.source.0, line.content.time.0, is_late)
            })
            .collect()
    }

    const START: Duration = Duration::ZERO;

    #[test]
    fn lines_wait_for_the_watermark_and_then_go_in_the_order_of_time() {
        let mut merge = Merge::default();
        merge.line(line(1, 30), START);
        merge.line(line(2, 10), START);
        merge.line(line(1, 50), START);
        merge.line(line(2, 20), START);
        assert_eq!(release(&mut merge, Release::UpTo(None), START), []);
        let out = release(&mut merge, Release::UpTo(Some(Time(30))), START);
        assert_eq!(out, [(2, 10, false), (2, 20, false), (1, 30, false)]);
        assert_eq!(
            release(&mut merge, Release::UpTo(Some(Time(30))), HOLD),
            [(1, 50, false)],
            "it has waited enough"
        );
        assert_eq!(merge.next_deadline(), None);
    }

    #[test]
    fn what_comes_when_later_lines_have_gone_is_late() {
        let mut merge = Merge::default();
        merge.line(line(1, 30), START);
        release(&mut merge, Release::UpTo(Some(Time(40))), START);
        merge.line(line(2, 20), START);
        let late = 30 - LATE_BY - 1;
        merge.line(line(3, late), START);
        let out = release(&mut merge, Release::UpTo(Some(Time(60))), START);
        assert_eq!(
            out,
            [(3, late, true), (2, 20, false)],
            "a stamp in whole seconds is not late"
        );
        assert_eq!(merge.late(), 1);
    }

    #[test]
    fn what_is_behind_a_row_that_waited_long_enough_is_late_whatever_the_watermark() {
        let mut merge = Merge::default();
        let second = 1_000_000_000;
        merge.line(line(1, 10 * second), START);
        // The slow host has been read to 5 only; the line has waited.
        let wall = Time(11 * second);
        let release = |merge: &mut Merge, elapsed| {
            let mut out = Vec::new();
            let moment = ReleaseMoment { elapsed, wall };
            merge.release(Release::UpTo(Some(Time(5 * second))), moment, &mut out);
            let lines = out.into_iter().filter_map(|update| match update {
                Update::Lines(lines) => Some(lines),
                _ => None,
            });
            lines.flatten().map(|line| line.order).collect::<Vec<_>>()
        };
        assert_eq!(release(&mut merge, HOLD), [LineOrder::InOrder]);
        let mut backlog = line(3, second);
        backlog.order = LineOrder::Backlog;
        merge.line(backlog, HOLD);
        merge.line(line(2, 8 * second), HOLD);
        merge.line(line(2, 9 * second + 1), HOLD);
        let orders = release(&mut merge, HOLD * 2);
        let expected = [LineOrder::Backlog, LineOrder::Late, LineOrder::InOrder];
        assert_eq!(orders, expected);
        assert_eq!(merge.late(), 1, "a backlog is not late");
    }

    #[test]
    fn equal_stamps_go_by_host_and_name_whichever_was_heard_of_first() {
        for order in [[4, 2, 7], [7, 4, 2], [2, 7, 4]] {
            let mut merge = Merge::default();
            for source in order {
                let (host, name) = match source {
                    4 => (0, "app"),
                    2 => (0, "web"),
                    _ => (1, "app"),
                };
                merge.name(SourceId(source), HostId(host), &name.into());
                merge.line(line(source, 10), START);
                merge.line(line(source, 10), START);
            }
            let out = release(&mut merge, Release::UpTo(Some(Time(10))), START);
            let sources: Vec<_> = out.iter().map(|line| line.0).collect();
            assert_eq!(sources, [4, 4, 2, 2, 7, 7], "{order:?}");
        }
    }

    #[test]
    fn a_stamp_from_the_future_holds_up_its_own_source_for_a_moment_and_no_other() {
        let mut merge = Merge::default();
        merge.line(line(1, 9999), START);
        merge.line(line(1, 11), START);
        merge.line(line(2, 10), START);
        assert_eq!(
            release(&mut merge, Release::UpTo(Some(Time(20))), START),
            [(2, 10, false)]
        );
        let out = release(&mut merge, Release::UpTo(Some(Time(20))), HOLD);
        assert_eq!(out, [(1, 9999, false), (1, 11, false)]);
    }

    #[test]
    fn what_goes_at_once_is_bounded_and_the_rest_follows() {
        let mut merge = Merge::default();
        let raw = Bytes::from(vec![b'x'; BATCH_BYTES / 4]);
        for time in 0..12 {
            merge.line(
                {
                    let mut line = line(1, time);
                    line.content.raw = raw.clone();
                    line
                },
                START,
            );
        }
        let mut batches = Vec::new();
        loop {
            let mut out = Vec::new();
            let now = ReleaseMoment {
                elapsed: START,
                wall: Time(i64::MAX),
            };
            let all = merge.release(Release::All, now, &mut out);
            batches.push(
                out.iter()
                    .map(|update| {
                        if let Update::Lines(r) = update {
                            r.len()
                        } else {
                            0
                        }
                    })
                    .sum::<usize>(),
            );
            if all {
                break;
            }
        }
        assert_eq!(batches, [4, 4, 4]);
    }

    proptest! {
        #[test]
        fn every_line_goes_once_and_in_the_order_of_its_source(
            lines in prop::collection::vec((0u32..4, 0i64..100), 0..60),
            marks in prop::collection::vec(0i64..100, 1..6),
        ) {
            let mut merge = Merge::default();
            let mut out = Vec::new();
            for (n, &(source, time)) in lines.iter().enumerate() {
                merge.line(line(source, time), START);
                if let Some(&mark) = marks.get(n / 10) {
                    out.extend(release(&mut merge, Release::UpTo(Some(Time(mark))), START));
                }
            }
            out.extend(release(&mut merge, Release::All, START));
            for source in 0..4 {
                let sent: Vec<i64> = lines.iter().filter(|line| line.0 == source).map(|line| line.1).collect();
                let got: Vec<i64> = out.iter().filter(|line| line.0 == source).map(|line| line.1).collect();
                prop_assert_eq!(sent, got);
            }
            prop_assert_eq!(merge.bytes, 0);
        }

        #[test]
        fn lines_in_order_on_their_sources_come_out_in_order(
            mut lines in prop::collection::vec((0u32..4, 0i64..100), 0..60),
        ) {
            lines.sort_by_key(|line| (line.0, line.1));
            let mut merge = Merge::default();
            for &(source, time) in &lines {
                merge.line(line(source, time), START);
            }
            let out = release(&mut merge, Release::UpTo(Some(Time(100))), START);
            prop_assert!(out.windows(2).all(|pair| pair[0].1 <= pair[1].1));
            prop_assert_eq!(out.len(), lines.len());
        }
    }
}
