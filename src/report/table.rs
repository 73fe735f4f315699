//! What is known of each host while a report runs: a row per host, names of sources, counts.
//!
//! How a row looks is left to [`super::json`] and [`super::text`].

use std::sync::Arc;
use std::time::Duration;

use super::Outcome;
use crate::model::cursor::LineRef;
use crate::model::host::{HostId, HostSpec, SystemFacts};
use crate::model::line::FleetLine;
use crate::model::metrics::Sample;
use crate::model::source::{SourceId, SourceInfo};
use crate::model::state::{HostStatus, LinkState};
use crate::model::time::Time;
use crate::model::update::{Ledger, Update};
use crate::stages::SourceName;

/// Names in the progress line; the others are counted.
const NAMES_SHOWN: usize = 4;

/// All hosts of a report.
pub(super) struct ReportTable<'a> {
    pub(super) rows: Vec<ReportRow<'a>>,
    sources: Vec<Option<Arc<str>>>,
    pub(super) ledger: Ledger,
    pub(super) lines: u64,
    pub(super) gaps: u64,
}

/// What a summary has in addition to counts.
#[derive(Debug, Default)]
pub(super) struct ReadTotals {
    /// That came from the hosts.
    pub(super) read: u64,
    /// At which the hosts looked, where they were asked.
    pub(super) scanned: Option<u64>,
    /// Everything before it is there.
    pub(super) complete_to: Option<Time>,
    /// A limit ended an answer.
    pub(super) more: Option<bool>,
    /// Where pages begin and end.
    pub(super) pages: Vec<PageEnds>,
}

/// Where the page of a source begins and ends.
#[derive(Debug)]
pub(super) struct PageEnds {
    pub(super) host: HostId,
    pub(super) source: Arc<str>,
    pub(super) first: LineRef,
    pub(super) last: LineRef,
}

impl ReadTotals {
    /// The page of a source goes up to this line.
    pub(super) fn extend_page(&mut self, line: &FleetLine, source: &str) {
        let place = line.content.place();
        let is_of_source = |page: &&mut PageEnds| page.host == line.host && *page.source == *source;
        match self.pages.iter_mut().find(is_of_source) {
            Some(page) => page.last = place,
            None => self.pages.push(PageEnds {
                host: line.host,
                source: source.into(),
                first: place,
                last: place,
            }),
        }
    }
}

/// One host.
pub(super) struct ReportRow<'a> {
    pub(super) spec: &'a HostSpec,
    pub(super) status: HostStatus,
    pub(super) facts: Option<Arc<SystemFacts>>,
    /// The latest that has rates, or the latest of all.
    pub(super) sample: Option<Arc<Sample>>,
    pub(super) sources: Vec<(SourceId, SourceInfo)>,
    /// A line of it has come, printed or not.
    heard: bool,
    /// Its object has been written.
    pub(super) written: bool,
    /// Of a host that is asked: whether it is done.
    pub(super) done: Option<bool>,
}

impl<'a> ReportTable<'a> {
    pub(super) fn new(hosts: &'a [HostSpec]) -> Self {
        let row = |spec| ReportRow {
            spec,
            status: HostStatus::plain(LinkState::Connecting),
            facts: None,
            sample: None,
            sources: Vec::new(),
            heard: false,
            written: false,
            done: None,
        };
        Self {
            rows: hosts.iter().map(row).collect(),
            sources: Vec::new(),
            ledger: Ledger::default(),
            lines: 0,
            gaps: 0,
        }
    }

    pub(super) fn host_name(&self, host: HostId) -> &'a str {
        self.rows
            .get(host.index())
            .map_or("?", |row| row.spec.name().as_str())
    }

    pub(super) fn source_name(&self, source: SourceId) -> &str {
        self.sources
            .get(source.index())
            .and_then(Option::as_deref)
            .unwrap_or("?")
    }

    /// A source with its host.
    pub(super) fn name(&self, host: HostId, source: SourceId) -> SourceName<'_> {
        SourceName {
            host: self.host_name(host),
            source: self.source_name(source),
        }
    }

    pub(super) fn status(&mut self, host: HostId, status: HostStatus) {
        if let Some(row) = self.row(host) {
            row.status = status;
        }
    }

    /// Everything that is not printed by itself.
    pub(super) fn apply(&mut self, update: Update) {
        match update {
            Update::Facts(host, facts) => {
                if let Some(row) = self.row(host) {
                    row.facts = Some(facts);
                }
            }
            Update::Sample(host, sample) => self.sample(host, sample),
            Update::Source(host, id, info) => self.source(host, id, info),
            Update::Ledger(ledger) => self.ledger = ledger,
            // A line without an end is printed when the pass ends, as a line.
            Update::Status(..)
            | Update::Lines(_)
            | Update::FilteredOut(_)
            | Update::Unfinished(_)
            | Update::Gap(_)
            | Update::Begun(..) => {}
        }
    }

    fn sample(&mut self, host: HostId, sample: Arc<Sample>) {
        if let Some(row) = self.row(host)
            && (sample.cpu.is_some() || !row.has_rates())
        {
            row.sample = Some(sample);
        }
    }

    fn source(&mut self, host: HostId, id: SourceId, info: SourceInfo) {
        if self.sources.len() <= id.index() {
            self.sources.resize(id.index() + 1, None);
        }
        self.sources[id.index()] = Some(Arc::clone(&info.name));
        // Of some only the name is known.
        if let Some(row) = self.row(host).filter(|_| !info.path.is_empty()) {
            match row.sources.iter_mut().find(|(known, _)| *known == id) {
                Some((_, known)) => *known = info,
                None => row.sources.push((id, info)),
            }
        }
    }

    pub(super) fn heard(&mut self, host: HostId) {
        if let Some(row) = self.row(host) {
            row.heard = true;
        }
    }

    pub(super) fn printed(&mut self, host: HostId) {
        self.lines += 1;
        self.heard(host);
    }

    /// Hosts from which nothing more is expected.
    pub(super) fn done(&self) -> usize {
        self.rows.iter().filter(|row| row.is_done()).count()
    }

    /// The first names of those that are waited for.
    pub(super) fn awaited(&self) -> String {
        let mut names = self
            .rows
            .iter()
            .filter(|row| !row.is_done())
            .map(|row| row.spec.name().as_str());
        let first: Vec<&str> = names.by_ref().take(NAMES_SHOWN).collect();
        match names.count() {
            0 => first.join(", "),
            more => format!("{} and {more} more", first.join(", ")),
        }
    }

    /// At the deadline: a host that is not done has not answered in time. A failure that is known
    /// already says more.
    pub(super) fn time_is_up(&mut self, after: Duration) {
        for row in &mut self.rows {
            if let Some(missing) = row.missing() {
                let mut reason = format!("{missing} within {:.1} s", after.as_secs_f64());
                if let Some(known) = &row.status.reason {
                    reason += &format!("; last: {known}");
                }
                row.status = HostStatus::because(
                    LinkState::Timeout,
                    reason,
                    "try again with a longer --timeout",
                );
            }
        }
    }

    /// When the operator interrupts: a host that is not done keeps what it reached.
    pub(super) fn interrupted(&mut self) {
        for row in self.rows.iter_mut().filter(|row| !row.is_done()) {
            let state = if row.status.state.is_up() {
                LinkState::Degraded
            } else {
                LinkState::Connecting
            };
            row.status = HostStatus {
                reason: Some("interrupted".to_owned()),
                ..HostStatus::plain(state)
            };
        }
    }

    /// Bytes that came from the hosts, and until when everything is there.
    pub(super) fn bytes(&self) -> ReadTotals {
        ReadTotals {
            read: self.ledger.bytes_read,
            complete_to: self.ledger.complete_to,
            ..ReadTotals::default()
        }
    }

    /// After the end of the updates: a host that is still being dialled was never reached.
    pub(super) fn settle(&mut self) {
        let is_dialled = |row: &&mut ReportRow<'_>| row.status.state == LinkState::Connecting;
        for row in self.rows.iter_mut().filter(is_dialled) {
            let reason = row.status.reason.take();
            let reason = reason.unwrap_or_else(|| "the connection was not made".to_owned());
            row.status = HostStatus::because(
                LinkState::Unreachable,
                reason,
                "see whether ssh reaches the host",
            );
        }
    }

    /// How many hosts are well, what was printed, and the exit code of that. Where only metrics were
    /// asked for, a host that has them has given everything, whatever is wrong with its logs.
    pub(super) fn outcome(&self, only_metrics: bool) -> Outcome {
        let rows = &self.rows;
        let is_ok = |row: &&ReportRow<'_>| row.status.state == LinkState::Ok;
        let is_whole = |row: &ReportRow<'_>| {
            row.status.state == LinkState::Ok || (only_metrics && row.lacks_only_logs())
        };
        let ok = rows.iter().filter(is_ok).count();
        let exit = if !rows.iter().any(ReportRow::answered) {
            4
        } else if !rows.iter().all(is_whole) || self.gaps > 0 {
            3
        } else {
            0
        };
        Outcome {
            hosts: rows.len(),
            ok,
            lines: self.lines,
            hits: 0,
            gaps: self.gaps,
            exit,
        }
    }

    fn row(&mut self, host: HostId) -> Option<&mut ReportRow<'a>> {
        self.rows.get_mut(host.index())
    }
}

impl ReportRow<'_> {
    /// It has said something of itself, so it was reached, whatever came later.
    pub(super) fn answered(&self) -> bool {
        self.status.state.is_up() || self.facts.is_some() || self.heard
    }

    fn lacks_only_logs(&self) -> bool {
        let status = &self.status;
        status.state == LinkState::Degraded && !status.of_way && self.has_rates()
    }

    fn has_rates(&self) -> bool {
        self.sample
            .as_ref()
            .is_some_and(|sample| sample.cpu.is_some())
    }

    fn is_done(&self) -> bool {
        if let Some(done) = self.done {
            return done;
        }
        match self.status.state {
            LinkState::Ok | LinkState::Degraded => self.missing().is_none(),
            LinkState::Connecting => false,
            state => state.needs_a_person() || self.status.retry_in_s.is_none(),
        }
    }

    /// What has not come, where the host has not said why.
    fn missing(&self) -> Option<&'static str> {
        let sampled = || {
            self.sample
                .as_ref()
                .is_some_and(|sample| sample.window_ms.is_some() || sample.cpu.is_some())
        };
        match self.status.state {
            LinkState::Connecting => Some("no connection"),
            LinkState::Ok | LinkState::Degraded if self.facts.is_none() => {
                Some("connected, but no answer")
            }
            // A host without a usable /proc is degraded and never has a sample over a window.
            LinkState::Ok if !sampled() => Some("no second sample of the metrics"),
            _ => None,
        }
    }
}
