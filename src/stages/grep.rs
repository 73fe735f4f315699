//! Keeps the lines whose records match a query, in their order.
//!
//! A record may match by any of its lines, the last included, and lines of other sources come
//! between them. So lines wait until their record is complete: the next one of its source has
//! begun, or no more will come. What does not match goes on as [`Update::FilteredOut`].

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use globset::GlobMatcher;

use crate::fleet::Feed;
use crate::model::gap::Gap;
use crate::model::host::HostSpec;
use crate::model::line::{FleetLine, Line};
use crate::model::record::RecordText;
use crate::model::source::SourceId;
use crate::model::update::Update;
use crate::query::{MatchInput, Query};

/// Most bytes that wait. Beyond it, the oldest record is decided by the lines of it that have come.
const MAX_HELD_BYTES: usize = 8 << 20;

/// Which lines are wanted; all of them by default.
#[derive(Debug, Clone, Default)]
pub struct LineFilter {
    /// Their record must match this.
    pub query: Option<Query>,
    /// The name of their source must match one of these, if there are any.
    pub sources: Vec<GlobMatcher>,
}

impl LineFilter {
    fn wants_source(&self, name: &str) -> bool {
        self.sources.is_empty() || self.sources.iter().any(|glob| glob.is_match(name))
    }
}

/// Updates with only the wanted lines left in them.
pub struct GrepStage<F> {
    feed: F,
    filter: LineFilter,
    names: LineNames,
    held: HeldLines,
    /// No more is waited for.
    closed: bool,
    /// No more will come.
    ended: bool,
}

impl<F: Feed> GrepStage<F> {
    /// Filters the lines of `feed`. Host `n` of `hosts` is `HostId(n)` in it.
    #[must_use]
    pub fn new(feed: F, hosts: &[HostSpec], filter: LineFilter) -> Self {
        Self {
            feed,
            filter,
            names: LineNames::new(hosts),
            held: HeldLines::default(),
            closed: false,
            ended: false,
        }
    }

    /// What of a batch may go on, with what waited for it.
    fn take(&mut self, batch: Vec<Update>) -> Vec<Update> {
        let mut out = Vec::with_capacity(batch.len());
        for update in batch {
            match update {
                Update::Lines(lines) => {
                    for line in lines {
                        self.line(line, &mut out);
                    }
                }
                Update::Gap(gap) => self.gap(gap, &mut out),
                other => {
                    self.names.learn(&other);
                    out.push(other);
                }
            }
        }
        out
    }

    fn line(&mut self, line: FleetLine, out: &mut Vec<Update>) {
        if !self.filter.wants_source(self.names.source(line.source)) {
            return push(Grepped::Line(line, false), out);
        }
        if self.filter.query.is_none() {
            return push(Grepped::Line(line, true), out);
        }
        self.held.line(line);
        self.release(out);
    }

    fn gap(&mut self, gap: Gap, out: &mut Vec<Update>) {
        if self.filter.query.is_none() {
            return out.push(Update::Gap(gap));
        }
        self.held.gap(gap);
        self.release(out);
    }

    /// Lets go what is decided.
    fn release(&mut self, out: &mut Vec<Update>) {
        let Some(query) = &self.filter.query else {
            return;
        };
        while let Some(next) = self.held.next(query, &self.names) {
            push(next, out);
        }
    }

    /// What still waits, after the end.
    fn finish(&mut self) -> Option<Vec<Update>> {
        if std::mem::replace(&mut self.ended, true) {
            return None;
        }
        let mut out = Vec::new();
        self.held.finish();
        self.release(&mut out);
        (!out.is_empty()).then_some(out)
    }
}

impl<F: Feed> Feed for GrepStage<F> {
    async fn next(&mut self) -> Option<Vec<Update>> {
        while !self.ended {
            let Some(batch) = self.feed.next().await else {
                return self.finish();
            };
            let out = self.take(batch);
            if !out.is_empty() {
                return Some(out);
            }
        }
        None
    }

    fn try_next(&mut self) -> Option<Vec<Update>> {
        while let Some(batch) = self.feed.try_next() {
            let out = self.take(batch);
            if !out.is_empty() {
                return Some(out);
            }
        }
        if self.closed { self.finish() } else { None }
    }

    fn close(&mut self) {
        self.feed.close();
        self.closed = true;
    }
}

/// Appends to the updates, together with its like.
fn push(grepped: Grepped, out: &mut Vec<Update>) {
    match (grepped, out.last_mut()) {
        (Grepped::Gap(gap), _) => out.push(Update::Gap(gap)),
        (Grepped::Line(line, true), Some(Update::Lines(lines)))
        | (Grepped::Line(line, false), Some(Update::FilteredOut(lines))) => lines.push(line),
        (Grepped::Line(line, true), _) => out.push(Update::Lines(vec![line])),
        (Grepped::Line(line, false), _) => out.push(Update::FilteredOut(vec![line])),
    }
}

/// The names that a query may ask for.
#[derive(Debug, Default)]
struct LineNames {
    hosts: Vec<String>,
    sources: BTreeMap<SourceId, Arc<str>>,
}

impl LineNames {
    fn new(hosts: &[HostSpec]) -> Self {
        let names = hosts.iter().map(|host| host.name().as_str().to_owned());
        Self {
            hosts: names.collect(),
            sources: BTreeMap::new(),
        }
    }

    fn learn(&mut self, update: &Update) {
        if let Update::Source(_, id, info) = update {
            self.sources.insert(*id, Arc::clone(&info.name));
        }
    }

    fn host(&self, line: &FleetLine) -> &str {
        self.hosts
            .get(line.host.index())
            .map_or("?", String::as_str)
    }

    fn source(&self, id: SourceId) -> &str {
        self.sources.get(&id).map_or("?", |name| name)
    }
}

/// Lines that are held back until it is known whether they are wanted.
#[derive(Debug, Default)]
struct HeldLines {
    queue: VecDeque<HeldLine>,
    bytes: usize,
    /// The record under way of each source.
    open: BTreeMap<SourceId, u64>,
    /// Records that have lines waiting, or that are incomplete.
    groups: BTreeMap<u64, RecordGroup>,
    /// The number of the last record.
    last: u64,
}

#[derive(Debug)]
enum HeldLine {
    Line(FleetLine, u64),
    Gap(Gap),
}

impl HeldLine {
    fn memory(&self) -> usize {
        match self {
            Self::Line(line, _) => line.content.memory(),
            Self::Gap(_) => size_of::<Self>(),
        }
    }
}

/// A record.
#[derive(Debug)]
struct RecordGroup {
    /// Until it is decided.
    text: Option<RecordText<'static>>,
    /// No more lines of it will come, or it need not be waited for.
    is_whole: bool,
    /// Of its lines, how many wait.
    waiting: u32,
    matches: Option<bool>,
}

impl RecordGroup {
    fn new() -> Self {
        Self {
            text: None,
            is_whole: false,
            waiting: 0,
            matches: None,
        }
    }

    fn push(&mut self, line: &Line) {
        self.waiting += 1;
        match &mut self.text {
            _ if self.matches.is_some() => {}
            Some(text) => text.push(line),
            None => self.text = Some(RecordText::new(line).into_owned()),
        }
    }

    /// Whether it matches, by the lines of it that have come; `line` is one of them.
    fn decide(&mut self, query: &Query, names: &LineNames, line: &FleetLine) -> bool {
        if let Some(text) = self.text.take() {
            let host = names.host(line);
            let source = names.source(line.source);
            self.matches = Some(query.matches(&MatchInput::of_record(host, source, &text)));
        }
        self.matches.unwrap_or(false)
    }
}

/// What comes out.
#[derive(Debug)]
enum Grepped {
    /// A line, and whether it is wanted.
    Line(FleetLine, bool),
    /// A gap: always wanted.
    Gap(Gap),
}

impl HeldLines {
    fn line(&mut self, line: FleetLine) {
        let open = self.open.get(&line.source).copied();
        let id = match open.filter(|_| line.content.continues) {
            Some(id) => id,
            None => self.begin(line.source, open),
        };
        let group = self.groups.entry(id).or_insert_with(RecordGroup::new);
        group.push(&line.content);
        self.hold(HeldLine::Line(line, id));
    }

    /// Takes in a gap, which keeps its place among the lines.
    fn gap(&mut self, gap: Gap) {
        let before = self.open.remove(&gap.source);
        self.close(before);
        self.hold(HeldLine::Gap(gap));
    }

    fn hold(&mut self, held: HeldLine) {
        self.bytes += held.memory();
        self.queue.push_back(held);
    }

    /// No more will come.
    fn finish(&mut self) {
        self.groups
            .values_mut()
            .for_each(|group| group.is_whole = true);
    }

    /// The next that is decided.
    fn next(&mut self, query: &Query, names: &LineNames) -> Option<Grepped> {
        if self.first_must_wait() {
            return None;
        }
        let held = self.queue.pop_front()?;
        self.bytes -= held.memory();
        Some(match held {
            HeldLine::Gap(gap) => Grepped::Gap(gap),
            HeldLine::Line(line, id) => {
                let group = self.groups.get_mut(&id);
                let is_wanted = group.is_some_and(|group| group.decide(query, names, &line));
                self.forget_line(id);
                Grepped::Line(line, is_wanted)
            }
        })
    }

    fn first_must_wait(&self) -> bool {
        let Some(HeldLine::Line(_, id)) = self.queue.front() else {
            return false;
        };
        let is_open = |group: &RecordGroup| !group.is_whole && group.matches.is_none();
        self.groups.get(id).is_some_and(is_open) && self.bytes <= MAX_HELD_BYTES
    }

    /// A line of this record waits no more.
    fn forget_line(&mut self, id: u64) {
        let Some(group) = self.groups.get_mut(&id) else {
            return;
        };
        group.waiting -= 1;
        if group.waiting == 0 && group.is_whole {
            self.groups.remove(&id);
        }
    }

    fn begin(&mut self, source: SourceId, before: Option<u64>) -> u64 {
        self.close(before);
        self.last += 1;
        self.open.insert(source, self.last);
        self.last
    }

    fn close(&mut self, id: Option<u64>) {
        let Some(id) = id else { return };
        match self.groups.get_mut(&id) {
            Some(group) if group.waiting > 0 => group.is_whole = true,
            _ => drop(self.groups.remove(&id)),
        }
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
    use crate::model::line::{ByteSpan, Line, LineOrder};
    use crate::model::time::{Time, TimeSource};
    use crate::query::ReferenceTime;

    const FILE: FileId = FileId { dev: 0, ino: 0 };

    fn line(source: u32, offset: u64, continues: bool, text: &str) -> FleetLine {
        FleetLine {
            host: HostId(0),
            source: SourceId(source),
            order: LineOrder::InOrder,
            content: Line {
                time: Time(0),
                time_from: TimeSource::Stamp,
                cursor: Cursor { file: FILE, offset },
                continues,
                dialect: None,
                stamp: ByteSpan::default(),
                raw: Bytes::copy_from_slice(text.as_bytes()),
                stored: None,
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

    fn query(written: &str) -> Query {
        Query::parse(written, &ReferenceTime::default()).expect("a query")
    }

    /// What is decided, by its offset, and whether it is wanted.
    fn drain(held: &mut HeldLines, query: &Query, out: &mut Vec<(u64, bool)>) {
        while let Some(grepped) = held.next(query, &LineNames::default()) {
            out.push(match grepped {
                Grepped::Line(line, is_wanted) => (line.content.cursor.offset, is_wanted),
                Grepped::Gap(gap) => (gap.from, true),
            });
        }
    }

    #[test]
    fn gaps_without_end_do_not_wait_for_a_record_without_end() {
        let (mut held, mut out) = (HeldLines::default(), Vec::new());
        held.line(line(0, 0, false, "x"));
        for at in 1..200_000 {
            held.gap(gap(1, at));
        }
        drain(&mut held, &query("x"), &mut out);
        assert_eq!((out.first(), out.len()), (Some(&(0, true)), 200_000));
    }

    proptest! {
        #[test]
        fn a_line_is_wanted_if_its_record_is_and_nothing_is_lost_or_moved(
            pieces in prop::collection::vec(
                (0u32..3, prop::option::weighted(0.9, (any::<bool>(), prop::sample::select(vec!["a", "b", "c"])))), 0..60),
            asked in prop::sample::select(vec!["a", "-a", "a b", "-c b"]),
        ) {
            let query = query(asked);
            let (mut held, mut out) = (HeldLines::default(), Vec::new());
            // Of each source the text of the record under way, by its place in `records`.
            let (mut open, mut records) = (BTreeMap::new(), Vec::<String>::new());
            let mut expected = Vec::new();
            for (at, (source, piece)) in (0..).zip(pieces) {
                let Some((continues, text)) = piece else {
                    open.remove(&source);
                    expected.push((at, None));
                    held.gap(gap(source, at));
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
                held.line(line(source, at, continues, text));
                drain(&mut held, &query, &mut out);
            }
            held.finish();
            drain(&mut held, &query, &mut out);
            let is_wanted = |text: &String| {
                query.matches(&MatchInput { host: "", source: "", time: Time(0), dialect: None, raw: text.trim_end().as_bytes() })
            };
            let wanted: Vec<bool> = records.iter().map(is_wanted).collect();
            let expected: Vec<_> =
                expected.into_iter().map(|(at, record)| (at, record.is_none_or(|record| wanted[record]))).collect();
            prop_assert_eq!(out, expected);
            prop_assert!(held.bytes == 0 && held.groups.is_empty());
        }
    }
}
