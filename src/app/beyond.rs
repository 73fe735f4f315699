//! What lies beyond what a pane has: a match that the hosts are searched for, and the bytes of a
//! gap that one of them may still have.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::actions::{Act, Action};
use super::pane::LogPane;
use super::past::{Errand, Pending};
use super::tree::PaneId;
use super::{App, Popup};
use crate::model::cursor::LineRef;
use crate::model::gap::Gap;
use crate::model::host::HostId;
use crate::model::line::FleetLine;
use crate::model::source::SourceId;
use crate::model::time::Time;
use crate::query::Query;
use crate::query::request::{PageRequest, PageStart, RequestKind, SearchRequest};
use crate::store::{LIVE, NOTICE, Ring, RingEntry, Store};

/// Hits that are asked for: the newest of a host may all be known already.
const HITS: u64 = 20;

/// Lines that are asked for to fill a gap.
const GAP_LINES: u32 = 20_000;

/// A search of the hosts for a match that a pane does not have.
#[derive(Debug)]
pub(super) struct Further {
    pub(super) pane: PaneId,
    backwards: bool,
    /// What is said where there is none.
    nothing: &'static str,
    edge: Edge,
    waiting: usize,
    asked: usize,
    progress: BTreeMap<HostId, (u64, u64)>,
    best: Option<FleetLine>,
    failed: Vec<String>,
}

/// Where what a pane has ends.
#[derive(Debug)]
struct Edge {
    /// Before it, or after it, is what is not known.
    time: Time,
    /// Lines of that moment that are.
    known: Vec<(SourceId, u64)>,
}

impl Further {
    /// How far it is, for the status line.
    pub(super) fn words(&self) -> String {
        let bytes: u64 = self.progress.values().map(|(done, _)| done).sum();
        let answered = self.asked - self.waiting;
        format!(
            "searching {} hosts · {answered} done · {} MiB read · Esc stops",
            self.asked,
            bytes >> 20
        )
    }
}

impl App {
    /// Searches the hosts for the next match before what the pane has (or after, where it is apart
    /// from the live end), of lines that the pane lets through. False where there is nobody to ask.
    pub(super) fn search_further(
        &mut self,
        id: PaneId,
        query: Query,
        backwards: bool,
        nothing: &'static str,
    ) -> bool {
        let Some(pane) = self.panes.get(&id) else {
            return false;
        };
        let Some(edge) = Edge::of(pane, &self.store, backwards) else {
            return false;
        };
        let filter = pane.looking().query.as_ref();
        let query = filter
            .and_then(|filter| filter.and(&query).ok())
            .unwrap_or(query);
        let hosts = self.names_of(pane);
        if hosts.is_empty() {
            return false;
        }
        self.stop_further();
        let window = edge.window(backwards);
        let (asked, progress, failed) = (hosts.len(), BTreeMap::new(), Vec::new());
        let (pane, waiting, best) = (id, asked, None);
        self.further = Some(Further {
            pane,
            backwards,
            nothing,
            edge,
            waiting,
            asked,
            progress,
            best,
            failed,
        });
        for (host, names) in hosts {
            let (query, window) = (query.clone(), window.clone());
            let (before, after, limit) = (0, 0, Some(HITS));
            let search = SearchRequest {
                query,
                window,
                newest_first: backwards,
                before,
                after,
                limit,
                count_only: false,
            };
            self.send(
                host,
                names,
                RequestKind::Search(search),
                Errand::Further(id),
            );
        }
        true
    }

    /// The sources of a pane, by host.
    fn names_of(&self, pane: &LogPane) -> BTreeMap<HostId, BTreeMap<Arc<str>, SourceId>> {
        let mut hosts: BTreeMap<HostId, BTreeMap<Arc<str>, SourceId>> = BTreeMap::new();
        for (source, host) in pane.sources(&self.store) {
            if let Some(row) = self.store.source(source) {
                hosts
                    .entry(host)
                    .or_default()
                    .insert(Arc::clone(&row.info.name), source);
            }
        }
        hosts
    }

    /// Ends the search of the hosts; true if there was one.
    pub(super) fn stop_further(&mut self) -> bool {
        let own = self
            .asks
            .pending
            .iter()
            .filter(|(_, pending)| matches!(pending.errand, Errand::Further(_)));
        let own: Vec<_> = own.map(|(id, _)| *id).collect();
        own.into_iter().for_each(|id| self.cancel(id));
        self.further.take().is_some()
    }

    /// How far the search of the hosts is.
    #[must_use]
    pub fn searching_hosts(&self) -> Option<String> {
        self.further.as_ref().map(Further::words)
    }

    pub(super) fn note_progress(&mut self) {
        let Some(further) = &mut self.further else {
            return;
        };
        for pending in self
            .asks
            .pending
            .values()
            .filter(|pending| matches!(pending.errand, Errand::Further(_)))
        {
            further.progress.insert(pending.host, pending.progress);
        }
    }

    /// A host has been searched: once all are, to the match that is nearest.
    pub(super) fn finish_further(&mut self, id: PaneId, pending: Pending) {
        let Some(further) = self.further.as_mut().filter(|further| further.pane == id) else {
            return;
        };
        further.waiting = further.waiting.saturating_sub(1);
        if let Some(why) = pending.failed {
            let name = self
                .store
                .host(pending.host)
                .map_or("", |row| row.name.as_str());
            further.failed.push(format!("{name}: {why}"));
        }
        let is_new = |record: &FleetLine| {
            !further
                .edge
                .known
                .contains(&(record.source, record.content.cursor.offset))
        };
        let found = pending
            .entries
            .iter()
            .filter_map(RingEntry::record)
            .filter(|record| is_new(record));
        for record in found {
            let is_nearer = further
                .best
                .as_ref()
                .is_none_or(|best| (record.content.time > best.content.time) == further.backwards);
            if is_nearer {
                further.best = Some(record.clone());
            }
        }
        if further.waiting == 0 {
            self.end_further();
        }
    }

    fn end_further(&mut self) {
        let Some(further) = self.further.take() else {
            return;
        };
        let failed = further
            .failed
            .first()
            .map(|why| format!(" · {} not searched: {why}", further.failed.len()));
        let failed = failed.unwrap_or_default();
        match further.best {
            Some(record) => {
                self.cancel_for(further.pane);
                let store = &self.store;
                if let Some(pane) = self.panes.get_mut(&further.pane) {
                    pane.go_to(record.content.time, store);
                    pane.landing = Some((record.source, record.content.cursor));
                }
                if !failed.is_empty() {
                    self.say(failed.trim_start_matches(" · ").to_owned());
                }
            }
            // The other direction was not looked at.
            None => {
                let where_to = if further.backwards { "above" } else { "below" };
                self.say(format!(
                    "{} {where_to}, nor on the hosts{failed}",
                    further.nothing
                ));
            }
        }
    }

    /// Asks for the bytes of the gap under the cursor.
    pub(super) fn fill_gap(&mut self) {
        let id = self.focus;
        let Some(pane) = self.panes.get(&id) else {
            return;
        };
        let Some((seq, RingEntry::Gap(gap))) = pane.entry(&self.store) else {
            let key = Action::of(Act::Fill).map(Action::key).unwrap_or_default();
            return self.say(format!(
                "{key} reads the missing bytes of a gap: put the cursor on one"
            ));
        };
        let (gap, ring) = (Arc::clone(gap), pane.rows(&self.store).ring(seq));
        let before = near(ring, seq, gap.source, true).map(|near| near.content.place());
        let Some(place) = before else {
            return self
                .say("no line before the gap is held any more from which it could be found");
        };
        let Some(name) = self
            .store
            .source(gap.source)
            .map(|row| Arc::clone(&row.info.name))
        else {
            return;
        };
        let window = Time(i64::MIN)..Time(i64::MAX);
        let page = PageRequest {
            start: PageStart::After(place),
            backwards: false,
            lines: GAP_LINES,
            window,
        };
        self.store.explain_gap(&gap, "asking the host …");
        self.popup
            .take_if(|(popup, _)| matches!(popup, Popup::Record(_)));
        self.send(
            gap.host,
            BTreeMap::from([(name, gap.source)]),
            RequestKind::Page(page),
            Errand::Gap(id, seq, gap),
        );
    }

    /// The host has answered: the lines up to the one after the gap take its place.
    pub(super) fn finish_gap(&mut self, id: PaneId, seq: u64, gap: &Gap, pending: Pending) {
        let Some(pane) = self.panes.get(&id) else {
            return;
        };
        let ring = pane.rows(&self.store).ring(seq);
        if !matches!(ring.get(seq), Some(RingEntry::Gap(there)) if **there == *gap) {
            return self.leave_gap(gap, "its place is not held any more");
        }
        let after = near(ring, seq, gap.source, false).map(|near| near.content.place());
        match missing(pending.entries, after) {
            Ok(lines) if !lines.is_empty() => {
                self.store
                    .note_filled(gap.source, &lines, after.map(|place| place.cursor.file));
                self.fill(id, seq, lines);
            }
            Ok(_) => {
                let why = pending
                    .failed
                    .unwrap_or_else(|| "the bytes are not on the host any more".to_owned());
                self.leave_gap(gap, &why);
            }
            Err(why) => self.leave_gap(gap, &pending.failed.unwrap_or(why)),
        }
    }

    fn leave_gap(&mut self, gap: &Gap, why: &str) {
        self.store.explain_gap(gap, why);
        self.say(format!("the gap stays: {why}"));
    }

    fn fill(&mut self, id: PaneId, seq: u64, lines: Vec<RingEntry>) {
        let count = lines.len();
        if seq >= LIVE {
            let by = self.store.fill(seq, lines);
            for pane in self.panes.values_mut() {
                pane.renumber(seq, by, &self.store);
            }
            self.seek = None;
            self.popup
                .take_if(|(popup, _)| matches!(popup, Popup::Record(_)));
        } else if let Some(pane) = self.panes.get_mut(&id) {
            pane.fill_past(seq, lines);
        }
        self.say(format!("{count} lines were still on the host"));
    }
}

/// The lines that belong in a gap, of those that follow the line before it: up to the one after it.
fn missing(mut entries: Vec<RingEntry>, after: Option<LineRef>) -> Result<Vec<RingEntry>, String> {
    // A page that begins with a gap does not begin where it was to: its lines may all be here
    // already.
    if entries
        .first()
        .is_some_and(|first| first.record().is_none())
    {
        return Err("the line before the gap is gone from the host, too".to_owned());
    }
    let Some(after) = after else {
        return Ok(entries);
    };
    let is_after = |entry: &RingEntry| {
        entry.record().is_some_and(|record| {
            record.content.cursor == after.cursor
                || (record.content.cursor.offset == after.cursor.offset
                    && after.fits(&record.content.raw))
        })
    };
    match entries.iter().position(is_after) {
        Some(end) => {
            entries.truncate(end);
            entries.retain(|entry| entry.record().is_some());
            Ok(entries)
        }
        None if entries.is_empty() => Ok(entries),
        None => Err("what the host has there does not lead to the line after the gap".to_owned()),
    }
}

/// The nearest line of a source before or after a number.
fn near(ring: &Ring, seq: u64, source: SourceId, before: bool) -> Option<&FleetLine> {
    let own = |entry: &'_ RingEntry| entry.record().is_some_and(|record| record.source == source);
    if before {
        let mut at = seq;
        while at > ring.first() {
            at -= 1;
            if let Some(RingEntry::Line(record)) = ring.get(at).filter(|entry| own(entry)) {
                return Some(record);
            }
        }
        return None;
    }
    ring.from(seq + 1)
        .map(|(_, entry)| entry)
        .find(|entry| own(entry))
        .and_then(RingEntry::record)
}

impl Edge {
    /// Of what a pane has read whole. Backwards from above that, it is the line under the cursor.
    fn of(pane: &LogPane, store: &Store, backwards: bool) -> Option<Self> {
        let shown: Vec<u64> = (0..pane.len().min(2))
            .filter_map(|index| pane.seq(index))
            .collect();
        let top = shown.into_iter().find(|&seq| seq != NOTICE)?;
        let cursor = pane.entry(store).map(|(seq, _)| seq);
        let from = match pane.floor(store).filter(|_| backwards) {
            Some(floor) => cursor.map_or(floor, |seq| seq.min(floor)).max(top),
            None => top,
        };
        let ring = pane.rows(store).ring(from);
        let edge = if backwards {
            ring.get(from).or_else(|| ring.get(top))
        } else {
            ring.get(ring.end() - 1)
        };
        let time = edge?.time();
        let lines = ring
            .from(from)
            .filter_map(|(_, entry)| entry.record())
            .filter(|record| record.content.time == time);
        Some(Self {
            time,
            known: lines
                .map(|record| (record.source, record.content.cursor.offset))
                .collect(),
        })
    }

    /// What lies beyond it.
    fn window(&self, backwards: bool) -> Range<Time> {
        if backwards {
            Time(i64::MIN)..Time(self.time.0.saturating_add(1))
        } else {
            self.time..Time(i64::MAX)
        }
    }
}
