//! Many hosts into one ordered, bounded stream of updates.
//!
//! ```text
//!  a task per host ──▶ Outbox (bytes) ──┐
//!  a task per host ──▶ Outbox (bytes) ──┼─▶ one task: Merge, ledger ──▶ batches (bounded) ──▶ Updates
//!  a task per host ──▶ Outbox (bytes) ──┘
//! ```
//!
//! Who reads slowly slows down the merge, which lets the outboxes fill, which keeps the hosts from
//! being asked for more: nothing is dropped between a host and the store. The merge takes the same
//! share of each host in turn.

mod anew;
mod asking;
mod conductor;
mod ledger;
mod merge;
mod pages;

pub use anew::Anew;
pub use asking::{Asking, Told};

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::host::{Command, Outbox, Question, Work, supervise};
use crate::model::host::{HostId, HostSpec};
use crate::model::read_position::SavedPositions;
use crate::model::update::Update;
use crate::query::request::{LogRequest, LogResponse};
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
    /// When every host has given its last lines and one sample over at least half a second, or has
    /// failed for good, or when so much time has passed; hosts that are not done by then have timed
    /// out.
    Once {
        /// From the start.
        deadline: Duration,
    },
}

/// Batches on their way. A batch has at most the share of each host, so this bounds the bytes too.
const BATCHES: usize = 4;

/// Commands of an operator on their way to a host; more are pressed in vain.
const COMMANDS: usize = 4;

/// Questions on their way to a host, which answers a few at a time; more are refused.
const QUESTIONS: usize = 64;

/// Parts of an answer on their way; a reader who is slow makes the host wait.
const REPLIES: usize = 16;

/// How long the end may take.
const STOP_LIMIT: Duration = Duration::from_secs(2);

/// A running fleet. Dropping it stops everything.
pub struct Fleet {
    commands: Vec<mpsc::Sender<Command>>,
    questions: Questions,
    tasks: JoinSet<()>,
}

/// Asks the hosts of a fleet.
#[derive(Debug, Clone, Default)]
pub struct Questions(Vec<mpsc::Sender<Question>>);

impl Questions {
    /// Asks a host, over the connection that it has. A host that is down says so at once; dropping
    /// the receiver ends the work there. An answer that is whole ends with [`LogResponse::Done`].
    #[must_use]
    pub fn ask(&self, host: HostId, ask: LogRequest) -> mpsc::Receiver<LogResponse> {
        let (sender, receiver) = mpsc::channel(REPLIES);
        let refused = self
            .0
            .get(host.index())
            .is_none_or(|host| host.try_send((ask, sender.clone())).is_err());
        if refused {
            // There is room for the first.
            let _ = sender.try_send(LogResponse::Failed(
                "".into(),
                "it has not answered what was asked before".into(),
            ));
        }
        receiver
    }
}

/// What the fleet tells; ends when the goal is reached or the fleet is stopped.
pub struct Updates {
    batches: mpsc::Receiver<Vec<Update>>,
}

impl Fleet {
    /// Starts a task per host. Host `n` of `hosts` is `HostId(n)` from then on.
    #[must_use]
    pub fn start(hosts: Vec<HostSpec>, options: Options, connector: Connector) -> (Self, Updates) {
        Self::resume(hosts, options, connector, &SavedPositions::new())
    }

    /// The same; files that an earlier run was told of are read from there on.
    #[must_use]
    pub fn resume(
        hosts: Vec<HostSpec>,
        options: Options,
        connector: Connector,
        remembered: &SavedPositions,
    ) -> (Self, Updates) {
        let started = Instant::now();
        let until = match options.goal {
            Goal::Once { deadline } => Some(started + deadline),
            Goal::Follow => None,
        };
        let ready = Arc::new(Notify::new());
        let (sender, batches) = mpsc::channel(BATCHES);
        let mut tasks = JoinSet::new();
        let (mut commands, mut questions, mut outboxes) = (Vec::new(), Vec::new(), Vec::new());
        for host in hosts {
            let outbox = Outbox::new(Arc::clone(&ready));
            let (command, receiver) = mpsc::channel(COMMANDS);
            let (question, asked) = mpsc::channel(QUESTIONS);
            let resume = Arc::new(
                remembered
                    .get(host.name().as_str())
                    .cloned()
                    .unwrap_or_default(),
            );
            let work = Work {
                lines: options.lines,
                sample_every: options.sample_every,
                once: until.is_some(),
                until,
                resume,
            };
            let (connector, theirs) = (connector.clone(), outbox.clone());
            tasks.spawn(async move {
                supervise(&host, &work, &connector, &theirs, receiver, asked).await;
            });
            outboxes.push(outbox);
            commands.push(command);
            questions.push(question);
        }
        tasks.spawn(conductor::run(
            outboxes,
            options.goal,
            started,
            ready,
            sender,
        ));
        (
            Self {
                commands,
                questions: Questions(questions),
                tasks,
            },
            Updates { batches },
        )
    }

    /// Dials a host now, whatever its state and its back-off.
    pub fn reconnect(&self, host: HostId) {
        if let Some(commands) = self.commands.get(host.index()) {
            // A full queue has the same command in it already.
            let _ = commands.try_send(Command::Reconnect);
        }
    }

    /// Asks a host something beside following it; see [`Questions::ask`].
    #[must_use]
    pub fn ask(&self, host: HostId, ask: LogRequest) -> mpsc::Receiver<LogResponse> {
        self.questions.ask(host, ask)
    }

    /// What asks the hosts, for who does not own the fleet.
    #[must_use]
    pub fn questions(&self) -> Questions {
        self.questions.clone()
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
    /// The next batch of updates, never empty; `None` after the end. Cancel-safe. While nobody
    /// calls it the hosts are read no further than the bound of the queues.
    pub async fn next(&mut self) -> Option<Vec<Update>> {
        self.batches.recv().await
    }

    /// A batch that is there already.
    pub fn try_next(&mut self) -> Option<Vec<Update>> {
        self.batches.try_recv().ok()
    }
}
