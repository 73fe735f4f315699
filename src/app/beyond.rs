//! What lies beyond what a pane has: a match that the hosts are searched for, and the bytes of a
//! gap that one of them may still have.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::App;
use super::actions::{Action, ActionInfo, LogAction};
use super::page_requests::{PendingRequest, RequestPurpose};
use super::pane::LogPane;
use super::tree::PaneId;
use crate::model::cursor::LineRef;
use crate::model::gap::Gap;
use crate::model::host::HostId;
use crate::model::line::FleetLine;
use crate::model::source::SourceId;
use crate::model::time::Time;
use crate::query::Query;
use crate::query::gap_fill::{FillOutcome, GapBoundary, GapFill};
use crate::query::request::{MissingBytes, RequestKind, SearchRequest};
use crate::scrollback::{LIVE, NOTICE, Ring, RingEntry, Scrollback};

/// Hits that are asked for: the newest of a host may all be known already.
const HITS: u64 = 20;

/// Lines that are asked for to fill a gap.
const GAP_LINES: u32 = 20_000;

/// A search of the hosts for a match that a pane does not have.
#[derive(Debug)]
pub(super) struct RemoteSearch {
    pub(super) pane: PaneId,
    backwards: bool,
    /// What is said where there is none.
    nothing: &'static str,
    edge: Boundary,
    waiting: usize,
    asked: usize,
    progress: BTreeMap<HostId, (u64, u64)>,
    best: Option<FleetLine>,
    failed: Vec<String>,
}

/// Where what a pane has ends.
#[derive(Debug)]
struct Boundary {
    /// Before it, or after it, is what is not known.
    time: Time,
    /// Lines of that moment that are.
    known: Vec<(SourceId, u64)>,
}

impl RemoteSearch {
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
    pub(super) fn search_hosts(
        &mut self,
        id: PaneId,
        query: Query,
        backwards: bool,
        nothing: &'static str,
    ) -> bool {
        let Some(pane) = self.panes.get(id) else {
            return false;
        };
        let Some(edge) = Boundary::of(pane, &self.scrollback, backwards) else {
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
        self.stop_remote_search();
        let window = edge.window(backwards);
        let (asked, progress, failed) = (hosts.len(), BTreeMap::new(), Vec::new());
        let (pane, waiting, best) = (id, asked, None);
        self.remote_search = Some(RemoteSearch {
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
                RequestPurpose::Search(id),
            );
        }
        true
    }

    /// The sources of a pane, by host.
    fn names_of(&self, pane: &LogPane) -> BTreeMap<HostId, BTreeMap<Arc<str>, SourceId>> {
        let mut hosts: BTreeMap<HostId, BTreeMap<Arc<str>, SourceId>> = BTreeMap::new();
        for (source, host) in pane.sources(&self.scrollback) {
            if let Some(row) = self.scrollback.source(source) {
                hosts
                    .entry(host)
                    .or_default()
                    .insert(Arc::clone(&row.info.name), source);
            }
        }
        hosts
    }

    /// Ends the search of the hosts; true if there was one.
    pub(super) fn stop_remote_search(&mut self) -> bool {
        let own = self
            .requests
            .pending
            .iter()
            .filter(|(_, pending)| matches!(pending.purpose, RequestPurpose::Search(_)));
        let own: Vec<_> = own.map(|(id, _)| *id).collect();
        own.into_iter().for_each(|id| self.cancel(id));
        self.remote_search.take().is_some()
    }

    /// How far the search of the hosts is.
    #[must_use]
    pub fn searching_hosts(&self) -> Option<String> {
        self.remote_search.as_ref().map(RemoteSearch::words)
    }

    pub(super) fn note_progress(&mut self) {
        let Some(search) = &mut self.remote_search else {
            return;
        };
        for pending in self
            .requests
            .pending
            .values()
            .filter(|pending| matches!(pending.purpose, RequestPurpose::Search(_)))
        {
            search.progress.insert(pending.host, pending.progress);
        }
    }

    /// A host has been searched: once all are, to the match that is nearest.
    pub(super) fn finish_remote_search(&mut self, id: PaneId, pending: PendingRequest) {
        let Some(search) = self
            .remote_search
            .as_mut()
            .filter(|search| search.pane == id)
        else {
            return;
        };
        search.waiting = search.waiting.saturating_sub(1);
        if let Some(why) = pending.failed {
            let name = self
                .scrollback
                .host(pending.host)
                .map_or("", |row| row.name.as_str());
            search.failed.push(format!("{name}: {why}"));
        }
        let is_new = |line: &FleetLine| {
            !search
                .edge
                .known
                .contains(&(line.source, line.content.cursor.offset))
        };
        let found = pending
            .entries
            .iter()
            .filter_map(RingEntry::line)
            .filter(|line| is_new(line));
        for line in found {
            let is_nearer = search
                .best
                .as_ref()
                .is_none_or(|best| (line.content.time > best.content.time) == search.backwards);
            if is_nearer {
                search.best = Some(line.clone());
            }
        }
        if search.waiting == 0 {
            self.end_remote_search();
        }
    }

    fn end_remote_search(&mut self) {
        let Some(search) = self.remote_search.take() else {
            return;
        };
        let failed = search
            .failed
            .first()
            .map(|why| format!(" · {} not searched: {why}", search.failed.len()));
        let failed = failed.unwrap_or_default();
        match search.best {
            Some(line) => {
                self.cancel_for(search.pane);
                let scrollback = &self.scrollback;
                if let Some(pane) = self.panes.get_mut(search.pane) {
                    pane.go_to(line.content.time, scrollback);
                    pane.landing = Some((line.source, line.content.cursor));
                }
                if !failed.is_empty() {
                    self.say(failed.trim_start_matches(" · ").to_owned());
                }
            }
            // The other direction was not looked at.
            None => {
                let where_to = if search.backwards { "above" } else { "below" };
                self.say(format!(
                    "{} {where_to}, nor on the hosts{failed}",
                    search.nothing
                ));
            }
        }
    }

    /// Asks for the bytes of the gap under the cursor.
    pub(super) fn fill_gap(&mut self) {
        let id = self.panes.focus;
        let Some(pane) = self.panes.get(id) else {
            return;
        };
        let Some((seq, RingEntry::Gap(gap))) = pane.entry(&self.scrollback) else {
            let key = ActionInfo::of(Action::Log(LogAction::Fill))
                .map(ActionInfo::key)
                .unwrap_or_default();
            return self.say(format!(
                "{key} reads the missing bytes of a gap: put the cursor on one"
            ));
        };
        let (gap, ring) = (Arc::clone(gap), pane.rows(&self.scrollback).ring(seq));
        let before = near(ring, seq, gap.source, true).map(|near| near.content.place());
        let Some(place) = before else {
            return self
                .say("no line before the gap is held any more from which it could be found");
        };
        let Some(name) = self
            .scrollback
            .source(gap.source)
            .map(|row| Arc::clone(&row.info.name))
        else {
            return;
        };
        let page = GapFill::new(place, GapBoundary::Response).page(GAP_LINES);
        self.scrollback.explain_gap(&gap, "asking the host …");
        self.panes.close_record();
        self.send(
            gap.host,
            BTreeMap::from([(name, gap.source)]),
            RequestKind::Page(page),
            RequestPurpose::Gap(id, seq, gap),
        );
    }

    /// The host has answered: the lines up to the one after the gap take its place.
    pub(super) fn finish_gap(&mut self, id: PaneId, seq: u64, gap: &Gap, pending: PendingRequest) {
        let Some(pane) = self.panes.get(id) else {
            return;
        };
        let ring = pane.rows(&self.scrollback).ring(seq);
        if !matches!(ring.get(seq), Some(RingEntry::Gap(there)) if **there == *gap) {
            return self.leave_gap(gap, "its place is not held any more");
        }
        let before = near(ring, seq, gap.source, true).map(|near| near.content.place());
        let after = near(ring, seq, gap.source, false).map(|near| near.content.place());
        let Some(before) = before else {
            return self.leave_gap(gap, "its place is not held any more");
        };
        let boundary = after.map_or(GapBoundary::Response, GapBoundary::Line);
        match missing(pending.entries, before, boundary) {
            Ok(lines) if !lines.is_empty() => {
                self.scrollback.note_filled(
                    gap.source,
                    &lines,
                    after.map(|place| place.cursor.file),
                );
                self.fill(id, seq, lines);
            }
            Ok(_) => {
                let why = pending
                    .failed
                    .unwrap_or_else(|| "the bytes are not on the host any more".to_owned());
                self.leave_gap(gap, &why);
            }
            Err(why) => self.leave_gap(gap, pending.failed.as_deref().unwrap_or(why)),
        }
    }

    fn leave_gap(&mut self, gap: &Gap, why: &str) {
        self.scrollback.explain_gap(gap, why);
        self.say(format!("the gap stays: {why}"));
    }

    fn fill(&mut self, id: PaneId, seq: u64, lines: Vec<RingEntry>) {
        let count = lines.len();
        if seq >= LIVE {
            let by = self.scrollback.fill(seq, lines);
            for pane in self.panes.logs.values_mut() {
                pane.renumber(seq, by, &self.scrollback);
            }
            self.seek = None;
            self.panes.close_record();
        } else if let Some(pane) = self.panes.get_mut(id) {
            pane.fill_window(seq, lines);
        }
        self.say(format!("{count} lines were still on the host"));
    }
}

/// What belongs in a gap, of what follows the line before it; nothing where the host has nothing.
fn missing(
    mut entries: Vec<RingEntry>,
    before: LineRef,
    boundary: GapBoundary,
) -> Result<Vec<RingEntry>, &'static str> {
    let mut fill = GapFill::new(before, boundary);
    let had_none = entries.is_empty();
    let taken = entries.iter().take_while(|entry| match entry {
        RingEntry::Line(line) => fill.takes(&line.content),
        RingEntry::Gap(gap) => fill.misses(&MissingBytes {
            from: gap.from,
            to: gap.to,
            reason: gap.reason,
        }),
        RingEntry::Mark(_) => true,
    });
    let count = taken.count();
    entries.truncate(count);
    if matches!(boundary, GapBoundary::Line(_)) {
        entries.retain(|entry| entry.line().is_some());
    }
    fill.page_ends(false);
    match fill.outcome() {
        Some(FillOutcome::Whole) => Ok(entries),
        Some(FillOutcome::StartGone) => Err("the line before the gap is gone from the host, too"),
        _ if had_none => Ok(entries),
        _ => Err("what the host has there does not lead to the line after the gap"),
    }
}

/// The nearest line of a source before or after a number.
fn near(ring: &Ring, seq: u64, source: SourceId, before: bool) -> Option<&FleetLine> {
    let own = |entry: &'_ RingEntry| entry.line().is_some_and(|line| line.source == source);
    if before {
        let mut at = seq;
        while at > ring.first() {
            at -= 1;
            if let Some(RingEntry::Line(line)) = ring.get(at).filter(|entry| own(entry)) {
                return Some(line);
            }
        }
        return None;
    }
    ring.from(seq + 1)
        .map(|(_, entry)| entry)
        .find(|entry| own(entry))
        .and_then(RingEntry::line)
}

impl Boundary {
    /// Of what a pane has read whole. Backwards from above that, it is the line under the cursor.
    fn of(pane: &LogPane, scrollback: &Scrollback, backwards: bool) -> Option<Self> {
        let shown: Vec<u64> = (0..pane.len().min(2))
            .filter_map(|index| pane.seq(index))
            .collect();
        let top = shown.into_iter().find(|&seq| seq != NOTICE)?;
        let cursor = pane.entry(scrollback).map(|(seq, _)| seq);
        let from = match pane.floor(scrollback).filter(|_| backwards) {
            Some(floor) => cursor.map_or(floor, |seq| seq.min(floor)).max(top),
            None => top,
        };
        let ring = pane.rows(scrollback).ring(from);
        let edge = if backwards {
            ring.get(from).or_else(|| ring.get(top))
        } else {
            ring.get(ring.end() - 1)
        };
        let time = edge?.time();
        let lines = ring
            .from(from)
            .filter_map(|(_, entry)| entry.line())
            .filter(|line| line.content.time == time);
        Some(Self {
            time,
            known: lines
                .map(|line| (line.source, line.content.cursor.offset))
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
