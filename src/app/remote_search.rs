//! A search of the hosts for a match that a pane does not have: where it begins, and which of the
//! lines that come is the nearest. Asking the hosts is left to `jumps`.

use std::collections::BTreeMap;
use std::ops::Range;

use super::pane::LogPane;
use super::pending_requests::PendingRequest;
use super::tree::PaneId;
use crate::model::host::HostId;
use crate::model::line::FleetLine;
use crate::model::source::SourceId;
use crate::model::time::Time;
use crate::scrollback::{RingEntry, Scrollback, Seq};

/// Once a match is there, the other hosts have so long to find a nearer one.
const PATIENCE_MS: i64 = 1500;

/// A search of the hosts for a match that a pane does not have.
#[derive(Debug)]
pub(super) struct RemoteSearch {
    pub(super) pane: PaneId,
    backwards: bool,
    /// The notice where there is none.
    nothing: NothingFound,
    edge: Boundary,
    /// Hosts that have not answered, by name.
    waiting: BTreeMap<HostId, String>,
    asked: usize,
    bytes_read: BTreeMap<HostId, u64>,
    /// The nearest match so far.
    pub(super) best: Option<FleetLine>,
    /// When the first was found.
    found_at: Option<Time>,
    /// The jump was made, while some hosts had not answered.
    has_jumped: bool,
    /// A match that came after the jump is nearer.
    nearer_after_jump: bool,
    failed: Vec<String>,
}

/// What is said where nothing is found.
#[derive(Debug, Clone)]
pub(super) struct NothingFound {
    pub(super) what: &'static str,
    /// How the query was read, behind a dot; empty where it is text.
    pub(super) reading: String,
}

impl NothingFound {
    pub(super) fn text(&self) -> String {
        format!("{}{}", self.what, self.reading)
    }
}

/// Where what a pane has ends.
#[derive(Debug)]
pub(super) struct Boundary {
    /// Before it, or after it, is what is not known.
    time: Time,
    /// Lines of that moment that are.
    known: Vec<(SourceId, u64)>,
}

impl RemoteSearch {
    /// A search of these hosts beyond an edge.
    pub(super) fn new(
        pane: PaneId,
        edge: Boundary,
        backwards: bool,
        nothing: NothingFound,
        hosts: BTreeMap<HostId, String>,
    ) -> Self {
        Self {
            pane,
            backwards,
            nothing,
            edge,
            asked: hosts.len(),
            waiting: hosts,
            bytes_read: BTreeMap::new(),
            best: None,
            found_at: None,
            has_jumped: false,
            nearer_after_jump: false,
            failed: Vec::new(),
        }
    }

    /// How far it is, for the status line.
    pub(super) fn words(&self) -> String {
        let bytes: u64 = self.bytes_read.values().sum();
        let waiting = self.waiting_for();
        if self.has_jumped {
            return format!("not searched yet: {waiting} · Esc stops");
        }
        let answered = self.asked - self.waiting.len();
        let slow = if answered == 0 {
            String::new()
        } else {
            format!(" · waiting for {waiting}")
        };
        format!(
            "searching {} hosts · {answered} done{slow} · {} MiB read · Esc stops",
            self.asked,
            bytes >> 20
        )
    }

    /// Who has not answered.
    fn waiting_for(&self) -> String {
        match self.waiting.len() {
            0..=2 => {
                let names: Vec<_> = self.waiting.values().map(String::as_str).collect();
                names.join(", ")
            }
            more => format!("{more} hosts"),
        }
    }

    /// When the match that is there is near enough, whoever has not answered.
    pub(super) fn jumps_at(&self) -> Option<Time> {
        let found = self.found_at.filter(|_| !self.has_jumped)?;
        Some(found.plus_millis(PATIENCE_MS))
    }

    /// The match to jump to before all have answered, and the words for it.
    pub(super) fn jump_early(&mut self, now: Time) -> Option<(FleetLine, String)> {
        let is_due = self.jumps_at().is_some_and(|at| at <= now);
        let line = self.best.clone().filter(|_| is_due)?;
        self.has_jumped = true;
        let words = format!(
            "the nearest match so far; not searched yet: {}",
            self.waiting_for()
        );
        Some((line, words))
    }

    /// The match to jump to now that all have answered, unless that was done.
    pub(super) fn last_jump(&self) -> Option<&FleetLine> {
        self.best.as_ref().filter(|_| !self.has_jumped)
    }

    /// Notes how far a host is.
    pub(super) fn note_progress(&mut self, pending: &PendingRequest) {
        self.bytes_read.insert(pending.host, pending.bytes_read);
    }

    /// Takes in the answer of a host; true where it was the last.
    pub(super) fn take_in(&mut self, pending: PendingRequest, now: Time) -> bool {
        let host_name = self.waiting.remove(&pending.host).unwrap_or_default();
        if let Some(why) = pending.failed {
            self.failed.push(format!("{host_name}: {why}"));
        }
        let found = pending.entries.iter().filter_map(RingEntry::line);
        for line in found.filter(|line| !self.edge.knows(line)) {
            let is_nearer = self
                .best
                .as_ref()
                .is_none_or(|best| (line.content.time > best.content.time) == self.backwards);
            if is_nearer {
                self.best = Some(line.clone());
                self.found_at.get_or_insert(now);
                self.nearer_after_jump |= self.has_jumped;
            }
        }
        self.waiting.is_empty()
    }

    /// The match that came too late for the jump, and is nearer.
    pub(super) fn take_missed(&mut self) -> Option<&FleetLine> {
        let has_missed = std::mem::take(&mut self.nearer_after_jump);
        self.best.as_ref().filter(|_| has_missed)
    }

    /// Which hosts could not be searched, where there are any.
    pub(super) fn failure(&self) -> Option<String> {
        let first = self.failed.first()?;
        Some(format!("{} not searched: {first}", self.failed.len()))
    }

    /// The notice where nothing was found. The other direction was not searched.
    pub(super) fn nothing_found(&self) -> String {
        let side = if self.backwards { "above" } else { "below" };
        let failed = self
            .failure()
            .map_or_else(String::new, |failed| format!(" · {failed}"));
        let NothingFound { what, reading } = &self.nothing;
        format!("{what} {side}, nor on the hosts{failed}{reading}")
    }
}

impl Boundary {
    /// The end of what a pane has read whole.
    pub(super) fn of(pane: &LogPane, scrollback: &Scrollback, backwards: bool) -> Option<Self> {
        let top = (0..2)
            .filter_map(|index| pane.seq(index))
            .find(|&seq| seq != Seq::NOTICE)?;
        let from = if backwards {
            oldest_whole(pane, scrollback, top)
        } else {
            top
        };
        let ring = pane.rows(scrollback).ring(from);
        let edge = if backwards {
            ring.get(from).or_else(|| ring.get(top))
        } else {
            ring.get(ring.end().previous())
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

    fn knows(&self, line: &FleetLine) -> bool {
        self.known
            .contains(&(line.source, line.content.cursor.offset))
    }

    /// What lies beyond it.
    pub(super) fn window(&self, backwards: bool) -> Range<Time> {
        if backwards {
            Time(i64::MIN)..Time(self.time.0.saturating_add(1))
        } else {
            self.time..Time(i64::MAX)
        }
    }
}

/// The oldest row below which nothing is missing; the one under the cursor, where that is above it.
fn oldest_whole(pane: &LogPane, scrollback: &Scrollback, top: Seq) -> Seq {
    let Some(floor) = pane.floor(scrollback) else {
        return top;
    };
    let cursor = pane.entry(scrollback).map(|(seq, _)| seq);
    cursor.map_or(floor, |seq| seq.min(floor)).max(top)
}
