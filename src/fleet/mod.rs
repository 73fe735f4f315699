//! Many hosts into one ordered, bounded stream of updates.
//!
//! ```text
//!  a task per host ──▶ Outbox (bytes) ──┐
//!  a task per host ──▶ Outbox (bytes) ──┼─▶ one task: Merge, ledger ──▶ batches (bounded) ──▶ Updates
//!  a task per host ──▶ Outbox (bytes) ──┘
//! ```
//!
//! Who reads slowly slows down the merge, which lets the outboxes fill, which keeps the hosts from being asked for
//! more: nothing is dropped between a host and the store. The merge takes the same share of each host in turn.

mod conductor;
mod ledger;
mod merge;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::host::{Command, Outbox, Work, supervise};
use crate::model::{HostId, HostSpec, Update};
use crate::transport::Connector;

/// What is wanted of every host.
#[derive(Debug, Clone)]
pub struct Options {
    /// Follow until stopped, or one bounded pass.
    pub goal: Goal,
    /// How many of the last lines of each source to begin with.
    pub lines: u32,
    /// Time between two samples of metrics.
    pub sample_every: Duration,
}

/// When the fleet has done its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// Never: go on until stopped, reconnecting as needed.
    Follow,
    /// When every host has given its last lines and one sample over at least half a second, or has failed for good, or
    /// when so much time has passed; hosts that are not done by then have timed out.
    Once {
        /// From the start.
        deadline: Duration,
    },
}

/// Batches on their way. A batch has at most the share of each host, so this bounds the bytes too.
const BATCHES: usize = 4;

/// Commands of an operator on their way to a host; more are pressed in vain.
const COMMANDS: usize = 4;

/// How long the end may take.
const STOP_LIMIT: Duration = Duration::from_secs(2);

/// A running fleet. Dropping it stops everything.
pub struct Fleet {
    commands: Vec<mpsc::Sender<Command>>,
    tasks: JoinSet<()>,
}

/// What the fleet tells; ends when the goal is reached or the fleet is stopped.
pub struct Updates {
    batches: mpsc::Receiver<Vec<Update>>,
}

impl Fleet {
    /// Starts a task per host. Host `n` of `hosts` is `HostId(n)` from then on.
    #[must_use]
    pub fn start(hosts: Vec<HostSpec>, options: Options, connector: Connector) -> (Self, Updates) {
        let once = matches!(options.goal, Goal::Once { .. });
        let work = Work { lines: options.lines, sample_every: options.sample_every, once };
        let ready = Arc::new(Notify::new());
        let (sender, batches) = mpsc::channel(BATCHES);
        let mut tasks = JoinSet::new();
        let (mut commands, mut outboxes) = (Vec::new(), Vec::new());
        for host in hosts {
            let outbox = Outbox::new(Arc::clone(&ready));
            let (command, receiver) = mpsc::channel(COMMANDS);
            let (work, connector, theirs) = (work.clone(), connector.clone(), outbox.clone());
            tasks.spawn(async move { supervise(&host, &work, &connector, &theirs, receiver).await });
            outboxes.push(outbox);
            commands.push(command);
        }
        tasks.spawn(conductor::run(outboxes, options.goal, ready, sender));
        (Self { commands, tasks }, Updates { batches })
    }

    /// Dials a host now, whatever its state and its back-off.
    pub fn reconnect(&self, host: HostId) {
        if let Some(commands) = self.commands.get(host.index()) {
            // A full queue has the same command in it already.
            let _ = commands.try_send(Command::Reconnect);
        }
    }

    /// Ends every connection in order; returns within 2 seconds.
    pub async fn stop(mut self) {
        self.commands.clear();
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        // What does not end in time is aborted when the set is dropped.
        let _ = timeout(STOP_LIMIT, ended).await;
    }
}

impl Updates {
    /// The next batch of updates, never empty; `None` after the end. Cancel-safe. While nobody calls it the hosts
    /// are read no further than the bound of the queues.
    pub async fn next(&mut self) -> Option<Vec<Update>> {
        self.batches.recv().await
    }

    /// A batch that is there already.
    pub fn try_next(&mut self) -> Option<Vec<Update>> {
        self.batches.try_recv().ok()
    }
}
