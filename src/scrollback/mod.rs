//! What is remembered: a byte-budgeted ring of lines, filtered lenses on it, metric series, the
//! table of hosts.
//!
//! Changed only by [`Scrollback::apply`] (and by [`Scrollback::mark`], a line that the operator
//! draws). It knows no clock and no runtime: the time is an argument. Reading hosts is left to
//! `fleet`, deciding what to look at to `app`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::backfilled::BackfilledLines;
use crate::model::cursor::FileId;
use crate::model::dialect::LineDialect;
use crate::model::gap::Gap;
use crate::model::host::{HostId, HostSpec};
use crate::model::line::{FleetLine, LineOrder};
use crate::model::record::RecordText;
use crate::model::source::{SourceId, SourceInfo};
use crate::model::time::Time;
use crate::model::update::{Ledger, Update};
use crate::query::MatchInput;

mod hosts;
mod lens;
mod page_window;
mod renumbering;
mod ring;
mod seq;
mod series;

pub use hosts::HostRow;
pub use lens::{Filter, Lens};
pub use page_window::{MissingPage, PageWindow, ReceivedPage, Side, StreamState, WindowSource};
pub use renumbering::Renumbering;
pub use ring::{Mark, Ring, RingEntry};
pub use seq::Seq;
pub use series::{Meter, SERIES_POINTS, Series};

/// Memory for lines, with their overhead: about a quarter of a million lines of 120 bytes. With
/// what collections keep in reserve the console has some 140 MB when it is full; older lines can be
/// read from the hosts again.
pub const RING_BYTES: usize = 64 * 1024 * 1024;

/// Hosts and sources that updates may name. Ids are dense, so a wild one must not make a table of
/// it.
const MAX_SOURCES: usize = 1 << 20;

/// Gaps for which the reason is kept why they could not be filled.
const MAX_EXPLAINED: usize = 64;

/// Everything that the console knows of the fleet.
#[derive(Debug)]
pub struct Scrollback {
    hosts: Vec<HostRow>,
    sources: Vec<Option<SourceRow>>,
    ring: Ring,
    ledger: Ledger,
    /// The last line of each source that has no end yet.
    unfinished: BTreeMap<SourceId, FleetLine>,
    /// What has become of the numbers of rows since they were taken.
    renumbered: Vec<Renumbering>,
    rate: Meter,
    marks: u32,
    /// By what gaps were filled.
    filled: BackfilledLines,
    /// What is known of gaps that were asked for, newest last.
    explained: Vec<((SourceId, u64, Time), String)>,
}

/// A source and the host it is on.
#[derive(Debug, Clone)]
pub struct SourceRow {
    /// The host.
    pub host: HostId,
    /// Name, path and problem.
    pub info: SourceInfo,
}

/// A record with all of its lines that are remembered.
#[derive(Debug)]
pub struct Whole<'a> {
    /// The first of its lines.
    pub first: &'a FleetLine,
    host: &'a str,
    source: &'a str,
    record: RecordText<'a>,
}

impl Whole<'_> {
    /// Its lines, joined by `\n`.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        self.record.bytes()
    }

    /// What its source is known to mean by it.
    #[must_use]
    pub fn dialect(&self) -> Option<&LineDialect> {
        self.record.dialect()
    }

    /// The record as the query looks at it.
    #[must_use]
    pub fn subject(&self) -> MatchInput<'_> {
        MatchInput::of_record(self.host, self.source, &self.record)
    }
}

impl Scrollback {
    /// Knows the names of the hosts and nothing else; remembers lines up to `ring_bytes`.
    #[must_use]
    pub fn new(hosts: &[HostSpec], ring_bytes: usize) -> Self {
        Self {
            hosts: hosts.iter().map(HostRow::new).collect(),
            sources: Vec::new(),
            ring: Ring::new(ring_bytes),
            ledger: Ledger {
                hosts: u32::try_from(hosts.len()).unwrap_or(u32::MAX),
                ..Ledger::default()
            },
            unfinished: BTreeMap::new(),
            renumbered: Vec::new(),
            rate: Meter::default(),
            marks: 0,
            filled: BackfilledLines::default(),
            explained: Vec::new(),
        }
    }

    /// Takes in the updates of the fleet, in their order, at `now`. Updates of hosts that are not in the
    /// table are ignored.
    pub fn apply(&mut self, updates: Vec<Update>, now: Time) {
        self.ring.forget_left();
        for update in updates {
            self.apply_one(update, now);
        }
    }

    fn apply_one(&mut self, update: Update, now: Time) {
        match update {
            Update::Status(host, status) => self.with_host(host, |row| row.put_status(status, now)),
            Update::Facts(host, facts) => self.with_host(host, |row| row.put_facts(facts, now)),
            Update::Source(host, id, info) => self.put_source(host, id, info),
            Update::Sample(host, sample) => self.with_host(host, |row| row.add_sample(sample, now)),
            Update::Lines(lines) => self.add_lines(lines, now),
            Update::Unfinished(line) => drop(self.unfinished.insert(line.source, *line)),
            Update::Gap(gap) => self.add_gap(gap),
            Update::Ledger(ledger) => self.ledger = ledger,
            // Only a later run needs these.
            Update::Begun(..) | Update::FilteredOut(_) => {}
        }
    }

    /// Draws a line under everything that has come so far.
    pub fn mark(&mut self, now: Time) {
        self.marks += 1;
        self.ring.push(RingEntry::Mark(Mark {
            number: self.marks,
            time: now,
        }));
    }

    /// Puts lines in the place of a gap. Those after it keep their numbers; those before it, and
    /// the first of the new, have numbers that are so much lower.
    pub fn fill(&mut self, seq: Seq, lines: Vec<RingEntry>) -> u64 {
        self.ring.fill(seq, lines)
    }

    /// Notes by which lines a gap was filled, and which file its source goes on in: they are not
    /// taken in once more.
    pub fn note_filled(&mut self, source: SourceId, lines: &[RingEntry], after: Option<FileId>) {
        self.filled
            .note(source, lines.iter().filter_map(RingEntry::line), after);
    }

    /// Notes why a gap is still there.
    pub fn explain_gap(&mut self, gap: &Gap, why: &str) {
        let key = (gap.source, gap.from, gap.until);
        self.explained.retain(|(other, _)| *other != key);
        if self.explained.len() >= MAX_EXPLAINED {
            self.explained.remove(0);
        }
        self.explained.push((key, why.to_owned()));
    }

    /// Why a gap is still there, where it was asked for.
    #[must_use]
    pub fn gap_explained(&self, gap: &Gap) -> Option<&str> {
        let key = (gap.source, gap.from, gap.until);
        self.explained
            .iter()
            .find(|(other, _)| *other == key)
            .map(|(_, why)| why.as_str())
    }

    /// The lines, gaps and marks.
    #[must_use]
    pub fn ring(&self) -> &Ring {
        &self.ring
    }

    /// The hosts, in the order of their ids.
    #[must_use]
    pub fn hosts(&self) -> &[HostRow] {
        &self.hosts
    }

    /// The ids of all hosts.
    pub fn host_ids(&self) -> impl Iterator<Item = HostId> + Clone + use<> {
        (0..u32::try_from(self.hosts.len()).unwrap_or(u32::MAX)).map(HostId)
    }

    /// One host.
    #[must_use]
    pub fn host(&self, id: HostId) -> Option<&HostRow> {
        self.hosts.get(id.index())
    }

    /// One source.
    #[must_use]
    pub fn source(&self, id: SourceId) -> Option<&SourceRow> {
        self.sources.get(id.index())?.as_ref()
    }

    /// All sources that are known, with their ids.
    pub fn sources(&self) -> impl Iterator<Item = (SourceId, &SourceRow)> {
        (0..)
            .map(SourceId)
            .zip(&self.sources)
            .filter_map(|(id, row)| Some((id, row.as_ref()?)))
    }

    /// The last lines of sources whose ends have not come yet, in the order of their times.
    #[must_use]
    pub fn unfinished(&self) -> Vec<&FleetLine> {
        let mut lines: Vec<_> = self.unfinished.values().collect();
        lines.sort_by_key(|line| line.content.time);
        lines
    }

    /// How complete the picture is.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Lines per second of the whole fleet over the last seconds.
    #[must_use]
    pub fn rate(&self, now: Time) -> f64 {
        self.rate.per_second(now)
    }

    /// The record that a line belongs to, with all of its lines.
    #[must_use]
    pub fn whole(&self, seq: Seq) -> Option<Whole<'_>> {
        self.whole_in(&self.ring, seq)
    }

    /// The same of a line that is in other rows than those of the ring.
    #[must_use]
    pub fn whole_in<'a>(&'a self, ring: &'a Ring, seq: Seq) -> Option<Whole<'a>> {
        let line = |seq| ring.get(seq).and_then(RingEntry::line);
        let first = ring.lines_of(seq).find_map(line)?;
        let lines = ring.lines_of(seq).filter_map(line);
        Some(Whole {
            first,
            host: self.host_name(first.host),
            source: self.source_name(first.source),
            record: RecordText::of(lines.map(|line| &line.content))?,
        })
    }

    /// A line as the query looks at it.
    #[must_use]
    pub fn subject<'a>(&'a self, line: &'a FleetLine) -> MatchInput<'a> {
        let (host, source) = (self.host_name(line.host), self.source_name(line.source));
        MatchInput {
            host,
            source,
            time: line.content.time,
            dialect: line.content.dialect.as_deref(),
            raw: &line.content.raw,
        }
    }

    /// The name of a host; empty where there is none of that number.
    #[must_use]
    pub fn host_name(&self, id: HostId) -> &str {
        self.host(id).map_or("", |row| row.name.as_str())
    }

    /// The name of a source; empty where there is none of that number.
    #[must_use]
    pub fn source_name(&self, id: SourceId) -> &str {
        self.source(id).map_or("", |row| &row.info.name)
    }

    fn with_host(&mut self, id: HostId, change: impl FnOnce(&mut HostRow)) {
        if let Some(row) = self.hosts.get_mut(id.index()) {
            change(row);
        }
    }

    fn put_source(&mut self, host: HostId, id: SourceId, info: SourceInfo) {
        if id.index() >= MAX_SOURCES {
            return;
        }
        if self.sources.len() <= id.index() {
            self.sources.resize_with(id.index() + 1, || None);
        }
        if self.sources[id.index()].is_none() {
            self.with_host(host, |row| row.sources.push(id));
        }
        self.sources[id.index()] = Some(SourceRow { host, info });
    }

    fn add_lines(&mut self, lines: Vec<FleetLine>, now: Time) {
        let mut backlog = Vec::new();
        let mut behind = BTreeSet::new();
        for line in lines {
            self.finish(&line);
            if self.filled.takes(&line) {
                continue;
            }
            self.rate.count(now);
            self.with_host(line.host, |row| row.count_line(now));
            if line.order == LineOrder::Backlog {
                behind.insert(line.source);
                backlog.push(line);
                continue;
            }
            if behind.contains(&line.source) {
                self.weave(std::mem::take(&mut backlog));
                behind.clear();
            }
            self.ring.push(RingEntry::Line(line));
        }
        self.weave(backlog);
    }

    /// Puts the first lines of sources that were heard of late where they belong by their time. What
    /// is older than all that is remembered is left to the hosts once something was forgotten.
    fn weave(&mut self, backlog: Vec<FleetLine>) {
        let oldest = self.ring.get(self.ring.first()).map(RingEntry::time);
        let is_held = |line: &FleetLine| {
            self.ring.forgotten() == 0 || oldest.is_some_and(|oldest| line.content.time >= oldest)
        };
        let lines = backlog.into_iter().filter(is_held).map(|line| {
            RingEntry::Line(FleetLine {
                order: LineOrder::InOrder,
                ..line
            })
        });
        // Each source for itself: one that is out of order must not draw the lines of others along.
        let mut by_source: BTreeMap<Option<(HostId, SourceId)>, Vec<RingEntry>> = BTreeMap::new();
        for line in lines {
            by_source.entry(line.origin()).or_default().push(line);
        }
        let sources = &self.sources;
        let may_pass = |there: &RingEntry, line: &RingEntry| {
            let is_own = there.origin() == line.origin();
            let is_late = there
                .line()
                .is_some_and(|line| line.order == LineOrder::Late);
            !is_own && (is_late || order_of(sources, there) > order_of(sources, line))
        };
        for lines in by_source.into_values() {
            let end = self.ring.len();
            self.renumbered.push(self.ring.weave(end, lines, may_pass));
        }
    }

    /// What has become of the numbers of rows since the last time, in that order.
    pub fn take_renumbered(&mut self) -> Vec<Renumbering> {
        std::mem::take(&mut self.renumbered)
    }

    /// A line that is at, or behind, the one without an end says that this has one.
    fn finish(&mut self, line: &FleetLine) {
        let is_over = |unfinished: &FleetLine| {
            let begun = unfinished.content.cursor;
            let cursor = line.content.cursor;
            cursor.file == begun.file && cursor.offset >= begun.offset
        };
        if self.unfinished.get(&line.source).is_some_and(is_over) {
            self.unfinished.remove(&line.source);
        }
    }

    fn add_gap(&mut self, gap: Gap) {
        self.unfinished.remove(&gap.source);
        self.with_host(gap.host, |row| row.gaps += 1);
        self.ring.push(RingEntry::Gap(Arc::new(gap)));
    }
}

/// By what rows are put in order: those with the same stamp by their host and the name of their
/// source, so that it is the same order each time.
fn order_of<'a>(sources: &'a [Option<SourceRow>], entry: &RingEntry) -> (Time, HostId, &'a str) {
    let Some((host, source)) = entry.origin() else {
        return (entry.time(), HostId(u32::MAX), "");
    };
    let row = sources.get(source.index()).and_then(Option::as_ref);
    (entry.time(), host, row.map_or("", |row| &*row.info.name))
}

#[cfg(test)]
mod tests;
