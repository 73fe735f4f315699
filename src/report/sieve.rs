//! The lines whose records match a query, in their order.
//!
//! A record may match by any of its lines, the last included, and lines of other sources stand
//! between them. So lines wait until their record is known to be whole: the next of its source has
//! begun, or no more will come.

use std::collections::{BTreeMap, VecDeque};

use crate::model::gap::Gap;
use crate::model::line::FleetLine;
use crate::model::source::SourceId;
use crate::model::time::Time;
use crate::query::{MatchInput, Query};

/// Most bytes that wait. Beyond it, the oldest record is decided by the lines of it that have come.
const MAX_HELD_BYTES: usize = 8 << 20;

/// What a line takes beside its bytes, and a gap in all, about.
const OVERHEAD: usize = 160;

/// Holds lines back until it is known whether they are wanted.
#[derive(Debug)]
pub(super) struct Sieve {
    query: Query,
    held: VecDeque<HeldLine>,
    bytes: usize,
    /// The record under way of each source.
    open: BTreeMap<SourceId, u64>,
    /// Records of which lines wait, or that are under way.
    groups: BTreeMap<u64, RecordGroup>,
    next: u64,
}

#[derive(Debug)]
enum HeldLine {
    Line(FleetLine, u64),
    Gap(Gap),
}

/// A record.
#[derive(Debug)]
struct RecordGroup {
    /// Of its first line.
    time: Time,
    text: Vec<u8>,
    /// No more lines of it will come, or it need not be waited for.
    is_whole: bool,
    /// Of its lines, how many wait.
    waiting: u32,
    matches: Option<bool>,
}

impl RecordGroup {
    fn new(time: Time) -> Self {
        Self {
            time,
            text: Vec::new(),
            is_whole: false,
            waiting: 0,
            matches: None,
        }
    }
}

/// What comes out.
#[derive(Debug)]
pub(super) enum Sifted {
    /// A line, and whether it is wanted.
    Line(FleetLine, bool),
    /// A gap: always wanted.
    Gap(Gap),
}

impl Sieve {
    /// For the records that match.
    pub(super) fn new(query: Query) -> Self {
        Self {
            query,
            held: VecDeque::new(),
            bytes: 0,
            open: BTreeMap::new(),
            groups: BTreeMap::new(),
            next: 0,
        }
    }

    /// Takes in a line.
    pub(super) fn line(&mut self, record: FleetLine) {
        let open = self.open.get(&record.source).copied();
        let id = match open.filter(|_| record.content.continues) {
            Some(id) => id,
            None => self.begin(record.source, open),
        };
        let group = self
            .groups
            .entry(id)
            .or_insert_with(|| RecordGroup::new(record.content.time));
        group.waiting += 1;
        if group.matches.is_none() {
            if group.waiting > 1 {
                group.text.push(b'\n');
            }
            group.text.extend_from_slice(&record.content.raw);
        }
        self.bytes += record.content.raw.len() + OVERHEAD;
        self.held.push_back(HeldLine::Line(record, id));
    }

    /// Takes in a gap, which keeps its place among the lines.
    pub(super) fn gap(&mut self, gap: Gap) {
        let before = self.open.remove(&gap.source);
        self.close(before);
        self.bytes += OVERHEAD;
        self.held.push_back(HeldLine::Gap(gap));
    }

    /// No more will come.
    pub(super) fn finish(&mut self) {
        self.groups
            .values_mut()
            .for_each(|group| group.is_whole = true);
    }

    /// The next that is decided; `name` gives the names of a line's host and source.
    pub(super) fn next<'a>(
        &mut self,
        name: impl Fn(&FleetLine) -> (&'a str, &'a str),
    ) -> Option<Sifted> {
        let full = self.bytes > MAX_HELD_BYTES;
        let id = match self.held.front()? {
            HeldLine::Line(_, id) => *id,
            HeldLine::Gap(_) => 0,
        };
        if self
            .groups
            .get(&id)
            .is_some_and(|group| !group.is_whole && group.matches.is_none() && !full)
        {
            return None;
        }
        match self.held.pop_front()? {
            HeldLine::Gap(gap) => {
                self.bytes -= OVERHEAD;
                Some(Sifted::Gap(gap))
            }
            HeldLine::Line(record, id) => {
                self.bytes -= record.content.raw.len() + OVERHEAD;
                let is_wanted = self.decide(id, name(&record));
                Some(Sifted::Line(record, is_wanted))
            }
        }
    }

    fn begin(&mut self, source: SourceId, before: Option<u64>) -> u64 {
        self.close(before);
        self.next += 1;
        self.open.insert(source, self.next);
        self.next
    }

    fn close(&mut self, id: Option<u64>) {
        let Some(id) = id else { return };
        match self.groups.get_mut(&id) {
            Some(group) if group.waiting > 0 => group.is_whole = true,
            _ => drop(self.groups.remove(&id)),
        }
    }

    fn decide(&mut self, id: u64, (host, source): (&str, &str)) -> bool {
        let Some(group) = self.groups.get_mut(&id) else {
            return false;
        };
        let query = &self.query;
        let matches = *group.matches.get_or_insert_with(|| {
            let raw = &std::mem::take(&mut group.text);
            query.matches(&MatchInput {
                host,
                source,
                time: group.time,
                raw,
            })
        });
        group.waiting -= 1;
        if group.waiting == 0 && group.is_whole {
            self.groups.remove(&id);
        }
        matches
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;
    use crate::model::cursor::{Cursor, FileId};
    use crate::model::gap::GapReason;
    use crate::model::host::HostId;
    use crate::model::line::{ByteSpan, Line};
    use crate::model::time::TimeSource;
    use crate::query::ReferenceTime;

    const FILE: FileId = FileId { dev: 0, ino: 0 };

    fn line(source: u32, offset: u64, continues: bool, text: &str) -> FleetLine {
        FleetLine {
            host: HostId(0),
            source: SourceId(source),
            late: false,
            content: Line {
                time: Time(0),
                time_from: TimeSource::Stamp,
                cursor: Cursor { file: FILE, offset },
                continues,
                stamp: ByteSpan::default(),
                raw: Bytes::copy_from_slice(text.as_bytes()),
            },
        }
    }

    fn gap(source: u32, from: u64) -> Gap {
        let reason = GapReason::Truncated;
        Gap {
            host: HostId(0),
            source: SourceId(source),
            from,
            to: None,
            reason,
            since: None,
            until: Time(0),
        }
    }

    fn sieve(query: &str) -> Sieve {
        Sieve::new(Query::parse(query, &ReferenceTime::default()).expect("a query"))
    }

    /// What is let out, by its offset, and whether it is wanted.
    fn drain(sieve: &mut Sieve, out: &mut Vec<(u64, bool)>) {
        while let Some(sifted) = sieve.next(|_| ("", "")) {
            out.push(match sifted {
                Sifted::Line(record, is_wanted) => (record.content.cursor.offset, is_wanted),
                Sifted::Gap(gap) => (gap.from, true),
            });
        }
    }

    #[test]
    fn gaps_without_end_do_not_wait_for_a_record_without_end() {
        let (mut sieve, mut out) = (sieve("x"), Vec::new());
        sieve.line(line(0, 0, false, "x"));
        for at in 1..200_000 {
            sieve.gap(gap(1, at));
        }
        drain(&mut sieve, &mut out);
        assert_eq!((out.first(), out.len()), (Some(&(0, true)), 200_000));
    }

    proptest! {
        #[test]
        fn a_line_is_wanted_if_its_record_is_and_nothing_is_lost_or_moved(
            pieces in prop::collection::vec(
                (0u32..3, prop::option::weighted(0.9, (any::<bool>(), prop::sample::select(vec!["a", "b", "c"])))), 0..60),
            asked in prop::sample::select(vec!["a", "-a", "a b", "-c b"]),
        ) {
            let (mut sieve, mut out) = (sieve(asked), Vec::new());
            // Of each source the text of the record under way, by its place in `records`.
            let (mut open, mut records) = (BTreeMap::new(), Vec::<String>::new());
            let mut expected = Vec::new();
            for (at, (source, piece)) in (0..).zip(pieces) {
                let Some((continues, text)) = piece else {
                    open.remove(&source);
                    expected.push((at, None));
                    sieve.gap(gap(source, at));
                    continue;
                };
                let record = match open.get(&source).copied().filter(|_| continues) {
                    Some(record) => record,
                    None => {
                        records.push(String::new());
                        records.len() - 1
                    }
                };
                open.insert(source, record);
                records[record] += &format!("{text}\n");
                expected.push((at, Some(record)));
                sieve.line(line(source, at, continues, text));
                drain(&mut sieve, &mut out);
            }
            sieve.finish();
            drain(&mut sieve, &mut out);
            let query = Query::parse(asked, &ReferenceTime::default()).expect("a query");
            let is_wanted = |text: &String| {
                query.matches(&MatchInput { host: "", source: "", time: Time(0), raw: text.trim_end().as_bytes() })
            };
            let wanted: Vec<bool> = records.iter().map(is_wanted).collect();
            let expected: Vec<_> =
                expected.into_iter().map(|(at, record)| (at, record.is_none_or(|record| wanted[record]))).collect();
            prop_assert_eq!(out, expected);
            prop_assert!(sieve.bytes == 0 && sieve.groups.is_empty());
        }
    }
}
