//! Lines of many sources into one order: by time, as far as waiting a moment makes that possible.
//!
//! Each source is a queue that is never reordered. A line is let out when no host can still send an
//! earlier one (the *watermark*: every host has been read to there), or when it has waited long
//! enough; of those that may go, the earliest goes first. A line that comes when later ones have
//! gone is marked late, not dropped. Time is an argument.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::time::Duration;

use crate::model::gap::Gap;
use crate::model::line::FleetLine;
use crate::model::source::SourceId;
use crate::model::time::Time;
use crate::model::update::Update;

/// How long a line waits for earlier ones of slower hosts. Longer would make the screen lag; a host
/// that lags more than this has its lines marked late.
pub(super) const HOLD: Duration = Duration::from_millis(1000);

/// A line is late when lines stamped this much later have gone. Many stamps are in whole seconds,
/// and many programs write a moment after they stamped.
pub(super) const LATE_BY: i64 = 1_500_000_000;

/// Most bytes held back; beyond, the earliest go whether their time has come or not.
pub(super) const HELD_BYTES: usize = 32 << 20;

/// A batch is not much larger: what is on its way to a reader who is slow is bounded in bytes.
pub(super) const BATCH_BYTES: usize = 1 << 20;

/// What a line takes beside its bytes, about.
const OVERHEAD: usize = 120;

/// Holds lines back for a moment and lets them out in order.
#[derive(Debug, Default)]
pub(super) struct Merge {
    sources: BTreeMap<SourceId, VecDeque<BufferedLine>>,
    bytes: usize,
    /// Lines stamped before this have been let out.
    let_out_to: Option<Time>,
    /// Lines that were marked late.
    late: u64,
}

#[derive(Debug)]
struct BufferedLine {
    arrived: Duration,
    item: MergeItem,
}

#[derive(Debug)]
enum MergeItem {
    Line(FleetLine),
    Gap(Gap),
}

/// What may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LetOut {
    /// What is stamped up to here, and what has waited for [`HOLD`].
    UpTo(Option<Time>),
    /// Nothing yet: hosts are still on their way.
    Nothing,
    /// Everything.
    All,
}

impl Merge {
    /// Takes in a line that arrived at `now`.
    pub(super) fn line(&mut self, record: FleetLine, now: Duration) {
        self.bytes += record.content.raw.len() + OVERHEAD;
        self.sources
            .entry(record.source)
            .or_default()
            .push_back(BufferedLine {
                arrived: now,
                item: MergeItem::Line(record),
            });
    }

    /// Takes in a gap; it keeps its place among the lines of its source.
    pub(super) fn gap(&mut self, gap: Gap, now: Duration) {
        self.sources
            .entry(gap.source)
            .or_default()
            .push_back(BufferedLine {
                arrived: now,
                item: MergeItem::Gap(gap),
            });
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

    /// Lets out what may go at `now`, up to a batch. Whether that was all.
    pub(super) fn let_out(&mut self, what: LetOut, now: Duration, out: &mut Vec<Update>) -> bool {
        let before = self.let_out_to;
        let keep = self.bytes.saturating_sub(BATCH_BYTES);
        let mut records = Vec::new();
        let mut heads: BinaryHeap<_> = self
            .sources
            .iter()
            .filter_map(|(&source, queue)| Some(Reverse((queue.front()?.time(), source))))
            .collect();
        while let Some(Reverse((_, source))) = heads.pop() {
            let until = heads.peek().map(|Reverse((time, _))| *time);
            if let Some(next) = self.let_out_of(
                source,
                until,
                (what, now, keep),
                before,
                (&mut records, out),
            ) {
                heads.push(Reverse((next, source)));
            }
            if self.bytes < keep && !heads.is_empty() {
                flush(&mut records, out);
                return false;
            }
        }
        flush(&mut records, out);
        if let LetOut::UpTo(to) = what {
            self.let_out_to = self.let_out_to.max(to);
        }
        true
    }

    /// Lets out what may go of one source until another source has an earlier line. The time of the
    /// line that comes next, where that may be looked at again.
    fn let_out_of(
        &mut self,
        source: SourceId,
        until: Option<Time>,
        (what, now, keep): (LetOut, Duration, usize),
        before: Option<Time>,
        (records, out): (&mut Vec<FleetLine>, &mut Vec<Update>),
    ) -> Option<Time> {
        loop {
            let full = self.bytes > HELD_BYTES;
            let queue = self.sources.get_mut(&source)?;
            if !queue
                .front()
                .is_some_and(|held| full || held.may_go(what, now))
            {
                return None;
            }
            let held = queue.pop_front()?;
            let next = queue.front().map(BufferedLine::time);
            if next.is_none() {
                self.sources.remove(&source);
            }
            let late =
                before.is_some_and(|before| held.time().0.saturating_add(LATE_BY) < before.0);
            self.emit(held.item, late, records, out);
            let next = next?;
            if until.is_some_and(|until| next > until) || self.bytes < keep {
                return Some(next);
            }
        }
    }

    fn emit(
        &mut self,
        item: MergeItem,
        late: bool,
        records: &mut Vec<FleetLine>,
        out: &mut Vec<Update>,
    ) {
        match item {
            MergeItem::Line(mut record) => {
                self.bytes -= record.content.raw.len() + OVERHEAD;
                self.late += u64::from(late);
                record.late = late;
                records.push(record);
            }
            MergeItem::Gap(gap) => {
                flush(records, out);
                out.push(Update::Gap(gap));
            }
        }
    }
}

fn flush(records: &mut Vec<FleetLine>, out: &mut Vec<Update>) {
    if !records.is_empty() {
        out.push(Update::Lines(std::mem::take(records)));
    }
}

impl BufferedLine {
    fn time(&self) -> Time {
        match &self.item {
            MergeItem::Line(record) => record.content.time,
            MergeItem::Gap(gap) => gap.until,
        }
    }

    fn may_go(&self, what: LetOut, now: Duration) -> bool {
        match what {
            LetOut::All => true,
            LetOut::Nothing => false,
            LetOut::UpTo(to) => {
                to.is_some_and(|to| self.time() <= to) || self.arrived + HOLD <= now
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::cursor::{Cursor, FileId};
    use crate::model::host::HostId;
    use crate::model::line::{ByteSpan, Line};
    use crate::model::time::TimeSource;
    use bytes::Bytes;
    use proptest::prelude::*;

    fn record(source: u32, time: i64) -> FleetLine {
        let cursor = Cursor {
            file: FileId::default(),
            offset: 0,
        };
        let (time, time_from) = (Time(time), TimeSource::Stamp);
        let (host, raw) = (HostId(source), Bytes::from_static(b"line"));
        let (late, continues, stamp) = (false, false, ByteSpan::default());
        FleetLine {
            host,
            source: SourceId(source),
            late,
            content: Line {
                time,
                time_from,
                cursor,
                continues,
                stamp,
                raw,
            },
        }
    }

    fn let_out(merge: &mut Merge, what: LetOut, now: Duration) -> Vec<(u32, i64, bool)> {
        let mut out = Vec::new();
        while !merge.let_out(what, now, &mut out) {}
        let records = out.into_iter().flat_map(|update| match update {
            Update::Lines(records) => records,
            _ => Vec::new(),
        });
        records
            .map(|record| (record.source.0, record.content.time.0, record.late))
            .collect()
    }

    const START: Duration = Duration::ZERO;

    #[test]
    fn lines_wait_for_the_watermark_and_then_go_in_the_order_of_time() {
        let mut merge = Merge::default();
        merge.line(record(1, 30), START);
        merge.line(record(2, 10), START);
        merge.line(record(1, 50), START);
        merge.line(record(2, 20), START);
        assert_eq!(let_out(&mut merge, LetOut::UpTo(None), START), []);
        let out = let_out(&mut merge, LetOut::UpTo(Some(Time(30))), START);
        assert_eq!(out, [(2, 10, false), (2, 20, false), (1, 30, false)]);
        assert_eq!(
            let_out(&mut merge, LetOut::UpTo(Some(Time(30))), HOLD),
            [(1, 50, false)],
            "it has waited enough"
        );
        assert_eq!(merge.next_deadline(), None);
    }

    #[test]
    fn what_comes_when_later_lines_have_gone_is_late() {
        let mut merge = Merge::default();
        merge.line(record(1, 30), START);
        let_out(&mut merge, LetOut::UpTo(Some(Time(40))), START);
        merge.line(record(2, 20), START);
        let late = 40 - LATE_BY - 1;
        merge.line(record(3, late), START);
        let out = let_out(&mut merge, LetOut::UpTo(Some(Time(60))), START);
        assert_eq!(
            out,
            [(3, late, true), (2, 20, false)],
            "a stamp in whole seconds is not late"
        );
        assert_eq!(merge.late(), 1);
    }

    #[test]
    fn a_stamp_from_the_future_holds_up_its_own_source_for_a_moment_and_no_other() {
        let mut merge = Merge::default();
        merge.line(record(1, 9999), START);
        merge.line(record(1, 11), START);
        merge.line(record(2, 10), START);
        assert_eq!(
            let_out(&mut merge, LetOut::UpTo(Some(Time(20))), START),
            [(2, 10, false)]
        );
        let out = let_out(&mut merge, LetOut::UpTo(Some(Time(20))), HOLD);
        assert_eq!(out, [(1, 9999, false), (1, 11, false)]);
    }

    #[test]
    fn what_goes_at_once_is_bounded_and_the_rest_follows() {
        let mut merge = Merge::default();
        let raw = Bytes::from(vec![b'x'; BATCH_BYTES / 4]);
        for time in 0..12 {
            merge.line(
                {
                    let mut line = record(1, time);
                    line.content.raw = raw.clone();
                    line
                },
                START,
            );
        }
        let mut batches = Vec::new();
        loop {
            let mut out = Vec::new();
            let all = merge.let_out(LetOut::All, START, &mut out);
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
                merge.line(record(source, time), START);
                if let Some(&mark) = marks.get(n / 10) {
                    out.extend(let_out(&mut merge, LetOut::UpTo(Some(Time(mark))), START));
                }
            }
            out.extend(let_out(&mut merge, LetOut::All, START));
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
                merge.line(record(source, time), START);
            }
            let out = let_out(&mut merge, LetOut::UpTo(Some(Time(100))), START);
            prop_assert!(out.windows(2).all(|pair| pair[0].1 <= pair[1].1));
            prop_assert_eq!(out.len(), lines.len());
        }
    }
}
