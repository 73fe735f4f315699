//! Many hosts into one ordered, bounded stream of updates.
//!
//! ```text
//!  a task per host ──▶ Outbox (bytes) ──┐
//!  a task per host ──▶ Outbox (bytes) ──┼─▶ one task: Merge, ledger ──▶ batches (bounded) ──▶ Updates
//!  a task per host ──▶ Outbox (bytes) ──┘
//! ```
//!
//! Backpressure: a slow reader stalls the merge, the outboxes fill up, and hosts are no longer
//! asked for more: nothing is dropped between a host and the store. The merge takes the same share
//! of each host in turn.
//!
//! Besides, hosts can be sent requests about what was written before: [`RequestClient`] over the
//! connections of a running fleet, [`OneShotClient`] over a new one each, [`FanOut`] to many hosts
//! at once.

mod aggregator;
mod backlog;
mod fan_out;
mod feed;
mod goal;
mod host_requests;
mod ledger;
mod merge;
mod one_shot;
mod pages;
mod requests;

pub use fan_out::{FanOut, FanOutEvent};
pub use feed::Feed;
pub use goal::{FleetOptions, Goal};
pub use one_shot::OneShotClient;
pub use requests::RequestClient;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use self::aggregator::Aggregator;
use crate::host::{Command, Outbox, Work, supervise};
use crate::model::host::{HostId, HostSpec};
use crate::model::read_position::SavedPositions;
use crate::model::update::Update;
use crate::query::request::{LogRequest, LogResponse};
use crate::transport::Connector;

/// Batches on their way. A batch has at most the share of each host, so this bounds the bytes too.
const BATCHES: usize = 4;

/// Batches that are there already when a reader closes the updates: more of them would make it late
/// for its own deadline.
const LAST_BATCHES: usize = 64;

/// Pending operator commands per host; further ones are dropped.
const COMMANDS: usize = 4;

/// Pending requests per host, which answers a few at a time; further ones are refused.
const REQUESTS: usize = 64;

/// How long the end may take.
const STOP_LIMIT: Duration = Duration::from_secs(2);

/// A running fleet. Dropping it stops everything.
pub struct Fleet {
    commands: Vec<mpsc::Sender<Command>>,
    requests: RequestClient,
    tasks: JoinSet<()>,
}

/// The updates of a fleet; they end when the goal is reached or the fleet is stopped.
pub struct Updates {
    batches: mpsc::Receiver<Vec<Update>>,
    /// Once they are closed, the number of batches that still come.
    left: Option<usize>,
}

impl Fleet {
    /// Starts a task per host. Host `n` of `hosts` is `HostId(n)` from then on.
    #[must_use]
    pub fn start(
        hosts: Vec<HostSpec>,
        options: FleetOptions,
        connector: Connector,
    ) -> (Self, Updates) {
        Self::resume(hosts, options, connector, &SavedPositions::new())
    }

    /// The same; files that an earlier run has read are read on from there.
    #[must_use]
    pub fn resume(
        hosts: Vec<HostSpec>,
        options: FleetOptions,
        connector: Connector,
        remembered: &SavedPositions,
    ) -> (Self, Updates) {
        let started = Instant::now();
        let ready = Arc::new(Notify::new());
        let (sender, batches) = mpsc::channel(BATCHES);
        let mut fleet = Self {
            commands: Vec::with_capacity(hosts.len()),
            requests: RequestClient::default(),
            tasks: JoinSet::new(),
        };
        let mut outboxes = Vec::with_capacity(hosts.len());
        for host in hosts {
            let outbox = Outbox::new(Arc::clone(&ready));
            let reached = remembered.get(host.name().as_str()).cloned();
            let work = options.work(started, reached.unwrap_or_default());
            fleet.supervise(host, work, connector.clone(), outbox.clone());
            outboxes.push(outbox);
        }
        let aggregator = Aggregator::new(outboxes, ready, options.goal, started);
        fleet.tasks.spawn(aggregator::run(aggregator, sender));
        let updates = Updates {
            batches,
            left: None,
        };
        (fleet, updates)
    }

    /// Keeps a host connected, in a task of its own.
    fn supervise(&mut self, host: HostSpec, work: Work, connector: Connector, outbox: Outbox) {
        let (command, commands) = mpsc::channel(COMMANDS);
        let (request, requests) = mpsc::channel(REQUESTS);
        self.commands.push(command);
        self.requests.add(request);
        self.tasks.spawn(async move {
            supervise(&host, &work, &connector, &outbox, commands, requests).await;
        });
    }

    /// Dials a host now, whatever its state and its back-off.
    pub fn reconnect(&self, host: HostId) {
        if let Some(commands) = self.commands.get(host.index()) {
            // A full queue has the same command in it already.
            let _ = commands.try_send(Command::Reconnect);
        }
    }

    /// Sends a request to a host that is followed; see [`RequestClient::ask`].
    #[must_use]
    pub fn ask(&self, host: HostId, ask: LogRequest) -> mpsc::Receiver<LogResponse> {
        self.requests.ask(host, ask)
    }

    /// A client for those who do not own the fleet.
    #[must_use]
    pub fn requests(&self) -> RequestClient {
        self.requests.clone()
    }

    /// Ends every connection in order; returns within 2 seconds.
    pub async fn stop(mut self) {
        self.commands.clear();
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        // What does not end in time is aborted when the set is dropped.
        let _ = timeout(STOP_LIMIT, ended).await;
    }
}

impl Feed for Updates {
    /// While nobody calls it the hosts are read no further than the bound of the queues.
    async fn next(&mut self) -> Option<Vec<Update>> {
        self.batches.recv().await
    }

    fn try_next(&mut self) -> Option<Vec<Update>> {
        if let Some(left) = &mut self.left {
            *left = left.checked_sub(1)?;
        }
        self.batches.try_recv().ok()
    }

    fn close(&mut self) {
        self.left.get_or_insert(LAST_BATCHES);
    }
}
