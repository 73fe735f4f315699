//! A fleet under test: hosts of this machine or of real servers, and what they said, in a form that
//! reads well.

use std::sync::Arc;
use std::time::{Duration, Instant};

use logtrail::fleet::{Feed as _, Fleet, FleetOptions, Goal, Updates};
use logtrail::model::gap::Gap;
use logtrail::model::host::HostSpec;
use logtrail::model::line::FleetLine;
use logtrail::model::metrics::Sample;
use logtrail::model::source::SourceInfo;
use logtrail::model::state::{HostStatus, LinkState};
use logtrail::model::update::Update;
use logtrail::transport::Connector;

use super::connect::settings;
use super::{PATIENCE, Person};

/// A running fleet and all it has said.
pub(crate) struct Watched {
    pub(crate) fleet: Option<Fleet>,
    updates: Updates,
    pub(crate) records: Vec<FleetLine>,
    pub(crate) gaps: Vec<Gap>,
    pub(crate) statuses: Vec<(u32, HostStatus)>,
    pub(crate) sources: Vec<SourceInfo>,
    pub(crate) samples: Vec<(u32, Arc<Sample>)>,
    pub(crate) over: bool,
}

impl Watched {
    /// Starts following.
    pub(crate) fn follow(hosts: Vec<HostSpec>, lines: u32) -> Self {
        Self::start(hosts, lines, Goal::Follow)
    }

    /// Starts a bounded pass.
    pub(crate) fn once(hosts: Vec<HostSpec>, lines: u32, deadline: Duration) -> Self {
        Self::start(hosts, lines, Goal::Once { deadline })
    }

    /// Starts following with so long between two samples.
    pub(crate) fn sampling(hosts: Vec<HostSpec>, every: Duration) -> Self {
        Self::start_with(
            hosts,
            FleetOptions {
                goal: Goal::Follow,
                lines: 0,
                sample_every: every,
            },
        )
    }

    fn start(hosts: Vec<HostSpec>, lines: u32, goal: Goal) -> Self {
        Self::start_with(
            hosts,
            FleetOptions {
                goal,
                lines,
                sample_every: Duration::from_secs(1),
            },
        )
    }

    fn start_with(hosts: Vec<HostSpec>, options: FleetOptions) -> Self {
        Self::by(
            hosts,
            options,
            Connector::new(
                settings(Duration::from_secs(10)),
                Arc::new(Person::absent()),
            ),
        )
    }

    /// Starts with a connector of one's own.
    pub(crate) fn by(hosts: Vec<HostSpec>, options: FleetOptions, connector: Connector) -> Self {
        let (fleet, updates) = Fleet::start(hosts, options, connector);
        let (records, gaps, statuses, sources, samples) = Default::default();
        Self {
            fleet: Some(fleet),
            updates,
            records,
            gaps,
            statuses,
            sources,
            samples,
            over: false,
        }
    }

    /// Listens until `condition` holds; fails with `what` and what was heard when that takes too
    /// long.
    pub(crate) async fn until(&mut self, what: &str, condition: impl Fn(&Self) -> bool) {
        self.until_within(PATIENCE, what, condition).await;
    }

    /// The same with another patience.
    pub(crate) async fn until_within(
        &mut self,
        patience: Duration,
        what: &str,
        condition: impl Fn(&Self) -> bool,
    ) {
        let deadline = Instant::now() + patience;
        while !condition(self) {
            let left = deadline.saturating_duration_since(Instant::now());
            match tokio::time::timeout(left, self.updates.next()).await {
                Ok(Some(batch)) => batch.into_iter().for_each(|update| self.heard(update)),
                Ok(None) => {
                    self.over = true;
                    assert!(
                        condition(self),
                        "the fleet ended before {what}: {}",
                        self.state()
                    );
                }
                Err(_) => panic!("{what} did not happen in {patience:?}: {}", self.state()),
            }
        }
    }

    /// Listens for as long, whatever comes.
    pub(crate) async fn pause(&mut self, time: Duration) {
        let deadline = tokio::time::Instant::now() + time;
        while let Ok(batch) = tokio::time::timeout_at(deadline, self.updates.next()).await {
            let batch = batch.expect("the fleet goes on");
            batch.into_iter().for_each(|update| self.heard(update));
        }
    }

    fn heard(&mut self, update: Update) {
        match update {
            Update::Lines(records) => self.records.extend(records),
            Update::Gap(gap) => self.gaps.push(gap),
            Update::Status(host, status) => self.statuses.push((host.0, status)),
            Update::Source(_, _, info) => self.sources.push(info),
            Update::Sample(host, sample) => self.samples.push((host.0, sample)),
            Update::Facts(..)
            | Update::Ledger(_)
            | Update::Unfinished(_)
            | Update::FilteredOut(_)
            | Update::Begun(..) => {}
        }
    }

    fn state(&self) -> String {
        let last: Vec<String> = self.texts().into_iter().rev().take(5).collect();
        format!(
            "{} lines, the last {last:?}; gaps {:?}; statuses {:?}; sources {:?}",
            self.records.len(),
            self.gaps,
            self.statuses,
            self.sources
        )
    }

    /// The lines as text, in the order in which they were told.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.records
            .iter()
            .map(|record| String::from_utf8_lossy(&record.content.raw).into_owned())
            .collect()
    }
}

/// What was last said to be wrong with a source.
pub(crate) fn problem_of(watched: &Watched, name: &str) -> Option<String> {
    watched
        .sources
        .iter()
        .rev()
        .find(|info| *info.name == *name)
        .and_then(|info| info.problem.clone())
}

/// State, reason and hint of the last status.
pub(crate) fn last_reason(watched: &Watched) -> (Option<LinkState>, String, String) {
    let status = watched.statuses.last().map(|(_, status)| status.clone());
    let text = |text: Option<String>| text.unwrap_or_default();
    status.map_or_else(Default::default, |s| {
        (Some(s.state), text(s.reason), text(s.hint))
    })
}

/// The state of a host as it was told last.
pub(crate) fn last_state(watched: &Watched, host: u32) -> Option<LinkState> {
    watched
        .statuses
        .iter()
        .rev()
        .find(|(of, _)| *of == host)
        .map(|(_, status)| status.state)
}
