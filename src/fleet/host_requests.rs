//! The requests of a fan-out to one host: connects, asks, and tries again where that may help. What
//! the host says goes straight into the one channel of all hosts, tagged with its number.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::aggregator::still_waiting;
use crate::host::ask::Answering;
use crate::model::host::{HostId, HostSpec, SystemFacts};
use crate::model::state::{HostStatus, LinkState};
use crate::query::request::{LogRequest, LogResponse};
use crate::transport::backoff::Backoff;
use crate::transport::{Connection, Connector, LinkError};

/// Most responses of one host that wait to be taken.
const OF_A_HOST: usize = 2;

/// A host that is slow to answer is reported alive at most this often.
const ALIVE_EVERY: Duration = Duration::from_millis(250);

/// How long the end of a connection may take.
pub(super) const CLOSE_LIMIT: Duration = Duration::from_millis(1500);

/// A refusal says more than the hang-up that follows it, but may arrive a moment later.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Failures of sources that are named in the reason of a host's state; the others are counted.
const FAILURES_NAMED: usize = 3;

/// What is heard of a host.
#[derive(Debug)]
pub(super) enum HostResponse {
    /// It let us in.
    Connected,
    /// What is wrong with the way to it, though it leads there.
    Warned(HostStatus),
    /// It says something that is no reply yet.
    Alive,
    /// What a login without a shell is waiting for, in words: no sign of life, but the reason where
    /// none comes.
    Waits(String),
    /// The login has its shell.
    Greeted,
    Facts(Box<SystemFacts>),
    Reply(LogResponse),
    /// Its last state.
    Ended(HostStatus),
}

/// A response, and the host it comes from.
#[derive(Debug)]
pub(super) struct TaggedResponse {
    pub(super) host: HostId,
    pub(super) response: HostResponse,
}

/// How a host is reached and asked. Ends early once the channel is closed.
pub(super) trait Reach: Clone + Send + Sync + 'static {
    fn ask(
        &self,
        host: &HostSpec,
        asks: &[LogRequest],
        channel: &HostChannel,
    ) -> impl Future<Output = Result<(), LinkError>> + Send;
}

impl Reach for Connector {
    async fn ask(
        &self,
        host: &HostSpec,
        asks: &[LogRequest],
        channel: &HostChannel,
    ) -> Result<(), LinkError> {
        let connection = self.connect(host).await?;
        if let Some(warning) = connection.warning() {
            channel.send(HostResponse::Warned(warning.clone())).await;
        }
        let mut asking = std::pin::pin!(ask_all(&connection, host, asks, channel));
        let result = tokio::select! {
            // A server that gives one session hangs up when that ends.
            biased;
            result = &mut asking => result,
            () = report_life(&connection, channel) => Ok(()),
            error = connection.ended() => Err(match timeout(LAST_WORDS, asking).await {
                Ok(Err(refused)) if refused.status.state == LinkState::Degraded => refused,
                _ => error,
            }),
            () = channel.closed() => Ok(()),
        };
        connection.close().await;
        result
    }
}

/// Reports now and then that a host says something: over a slow link a reply may take longer than
/// silence may. What a login prints before its shell answers counts: how long that may go on is
/// left to the connection, which says why.
async fn report_life(connection: &Connection, channel: &HostChannel) {
    let mut known = (connection.heard(), connection.printed());
    let mut has_shell = false;
    loop {
        sleep(ALIVE_EVERY).await;
        if !connection.is_greeted() {
            let words = connection.waits_for();
            channel.send(HostResponse::Waits(words)).await;
        } else if !std::mem::replace(&mut has_shell, true) {
            channel.send(HostResponse::Greeted).await;
        }
        let now = (connection.heard(), connection.printed());
        if std::mem::replace(&mut known, now) != now {
            channel.send(HostResponse::Alive).await;
        }
    }
}

async fn ask_all(
    connection: &Connection,
    host: &HostSpec,
    asks: &[LogRequest],
    channel: &HostChannel,
) -> Result<(), LinkError> {
    channel.send(HostResponse::Connected).await;
    let mut answering = Answering::begin(connection, host, asks).await?;
    let facts = Box::new(answering.facts().clone());
    channel.send(HostResponse::Facts(facts)).await;
    for ask in asks {
        let (sender, mut replies) = mpsc::channel(OF_A_HOST);
        let tag = async {
            while let Some(reply) = replies.recv().await {
                channel.send(HostResponse::Reply(reply)).await;
            }
        };
        let (answered, ()) = tokio::join!(answering.answer(host, ask, sender), tag);
        answered?;
    }
    Ok(())
}

/// What is known of a host by what it has sent in one try.
#[derive(Debug)]
struct LifeSigns {
    /// When the host was heard last; until then, when the first try began.
    last: Instant,
    /// A response waits to be taken: how long that takes is not the host's silence.
    is_blocked: bool,
    stage: AskStage,
    /// It has sent part of a response, which another try would repeat.
    has_replied: bool,
    failures: Failures,
    /// Nothing more is wanted of this try.
    is_given_up: bool,
}

/// How far the way to a host has come.
#[derive(Debug)]
enum AskStage {
    Dialling,
    /// Logged in without a shell so far; what it waits for.
    Waits(String),
    Connected,
}

/// Takes what a host says in one try.
#[derive(Debug)]
pub(super) struct HostChannel {
    host: HostId,
    sender: mpsc::Sender<TaggedResponse>,
    signs: watch::Sender<LifeSigns>,
}

impl HostChannel {
    fn new(host: HostId, sender: mpsc::Sender<TaggedResponse>, last_sign: Instant) -> Self {
        let signs = LifeSigns {
            last: last_sign,
            is_blocked: false,
            stage: AskStage::Dialling,
            has_replied: false,
            failures: Failures::default(),
            is_given_up: false,
        };
        Self {
            host,
            sender,
            signs: watch::Sender::new(signs),
        }
    }

    /// Sends a response; waits until it is taken, or is not wanted any more.
    pub(super) async fn send(&self, response: HostResponse) {
        match response {
            HostResponse::Waits(words) => self
                .signs
                .send_modify(|signs| signs.stage = AskStage::Waits(words)),
            HostResponse::Greeted => self
                .signs
                .send_modify(|signs| signs.stage = AskStage::Connected),
            HostResponse::Alive => self.signs.send_modify(|signs| signs.last = Instant::now()),
            response => self.forward(response).await,
        }
    }

    async fn forward(&self, response: HostResponse) {
        self.signs.send_modify(|signs| signs.note(&response));
        if !self.signs.borrow().is_given_up {
            self.tag(response).await;
        }
        self.signs.send_modify(|signs| {
            signs.last = Instant::now();
            signs.is_blocked = false;
        });
    }

    /// Puts it into the channel of all hosts, where somebody still listens.
    async fn tag(&self, response: HostResponse) {
        let host = self.host;
        let _ = self.sender.send(TaggedResponse { host, response }).await;
    }

    /// Waits until nothing more is wanted.
    pub(super) async fn closed(&self) {
        let mut signs = self.signs.subscribe();
        tokio::select! {
            () = self.sender.closed() => {}
            _ = signs.wait_for(|signs| signs.is_given_up) => {}
        }
    }

    /// Waits until the host has been silent for this long.
    async fn silent_for(&self, silence: Duration) {
        let mut signs = self.signs.subscribe();
        loop {
            let due = signs.borrow_and_update().silent_at(silence);
            tokio::select! {
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => return,
                _ = signs.changed() => {}
            }
        }
    }

    fn give_up(&self) {
        self.signs.send_modify(|signs| signs.is_given_up = true);
    }

    fn has_replied(&self) -> bool {
        self.signs.borrow().has_replied
    }
}

impl LifeSigns {
    fn note(&mut self, response: &HostResponse) {
        // A warning is of the way, and says nothing of who is at its end.
        if !matches!(response, HostResponse::Warned(_)) {
            self.stage = AskStage::Connected;
        }
        self.has_replied |= matches!(response, HostResponse::Reply(_));
        self.failures.note(response);
        self.is_blocked = true;
    }

    fn silent_at(&self, silence: Duration) -> Option<Instant> {
        (!self.is_blocked).then(|| self.last + silence)
    }
}

/// How a try failed, and the number of tries up to it.
struct FailedTry {
    status: HostStatus,
    tries: u32,
}

/// All that is asked of one host.
pub(super) struct HostTask {
    pub(super) id: HostId,
    pub(super) host: HostSpec,
    pub(super) asks: Arc<[LogRequest]>,
    /// A host that says nothing for so long has timed out.
    pub(super) silence: Duration,
    pub(super) sender: mpsc::Sender<TaggedResponse>,
}

impl HostTask {
    /// Asks the host and reports how it ended. Failures that may pass are retried until the time is
    /// over.
    pub(super) async fn run(self, reach: impl Reach) {
        let started = Instant::now();
        let mut backoff = Backoff::default();
        let mut last = None;
        let mut tries = 0;
        let status = loop {
            tries += 1;
            let began = Instant::now();
            let channel = HostChannel::new(self.id, self.sender.clone(), started);
            let Some(ended) = self.try_once(&reach, &channel, last.take()).await else {
                return;
            };
            let error = match ended {
                Ok(status) => break status,
                Err(error) => error,
            };
            let is_over = !error.may_pass || channel.has_replied();
            let wait = next_wait(&mut backoff, &error, began.elapsed());
            if is_over || Instant::now() + wait >= started + self.silence {
                break error.status.at_last(tries);
            }
            let status = error.status;
            last = Some(FailedTry { status, tries });
            tokio::select! {
                () = sleep(wait) => {}
                () = self.sender.closed() => return,
            }
        };
        self.end(status).await;
    }

    /// Asks once. Returns the host's last state, or `None` if that was sent already or nobody
    /// listens any more.
    async fn try_once(
        &self,
        reach: &impl Reach,
        channel: &HostChannel,
        last: Option<FailedTry>,
    ) -> Option<Result<HostStatus, LinkError>> {
        let mut asking = std::pin::pin!(reach.ask(&self.host, &self.asks, channel));
        tokio::select! {
            () = self.sender.closed() => channel.give_up(),
            ended = &mut asking => {
                return Some(ended.map(|()| channel.signs.borrow().failures.status()));
            }
            () = channel.silent_for(self.silence) => {
                channel.give_up();
                let status = self.silent_status(&channel.signs.borrow().stage, last);
                // The others do not wait for its end.
                self.end(status).await;
            }
        }
        let _ = timeout(CLOSE_LIMIT, asking).await;
        None
    }

    async fn end(&self, status: HostStatus) {
        let ended = TaggedResponse {
            host: self.id,
            response: HostResponse::Ended(status),
        };
        // Where nobody listens any more, nobody needs to know.
        let _ = self.sender.send(ended).await;
    }

    /// The status of a host that was silent for too long; while it is being redialled, why it was
    /// lost.
    fn silent_status(&self, stage: &AskStage, last: Option<FailedTry>) -> HostStatus {
        let seconds = self.silence.as_secs_f64();
        let reason = match (stage, last) {
            (AskStage::Dialling, Some(last)) => return last.status.at_last(last.tries),
            (AskStage::Dialling, None) => format!("no connection within {seconds:.1} s"),
            (AskStage::Waits(words), last) => still_waiting(words, last.map(|last| last.status)),
            (AskStage::Connected, _) => {
                format!("connected, but it has said nothing for {seconds:.1} s")
            }
        };
        HostStatus::because(
            LinkState::Timeout,
            reason,
            "try again with a longer --timeout",
        )
    }
}

/// The wait before the next try. It is longer if the server may count tries as offences.
fn next_wait(backoff: &mut Backoff, error: &LinkError, tried_for: Duration) -> Duration {
    match error.status.retry_in_s {
        None => backoff.after_failure(tried_for, rand::random()),
        Some(least) => backoff.after_offence(tried_for, rand::random(), Duration::from_secs(least)),
    }
}

/// Sources that could not be read, or not to their end.
#[derive(Debug, Default)]
struct Failures {
    named: Vec<String>,
    count: usize,
    /// What is wrong with the way.
    way: Option<HostStatus>,
}

impl Failures {
    fn note(&mut self, response: &HostResponse) {
        if let HostResponse::Warned(way) = response {
            self.way = Some(way.clone());
        }
        let HostResponse::Reply(LogResponse::Failed(source, why)) = response else {
            return;
        };
        self.count += 1;
        if self.named.len() < FAILURES_NAMED {
            self.named.push(format!("{source}: {why}"));
        }
    }

    fn reason(&self) -> Option<String> {
        let mut reason = self.named.join("; ");
        if self.count > self.named.len() {
            reason += &format!(" (and {} more)", self.count - self.named.len());
        }
        (!reason.is_empty()).then_some(reason)
    }

    fn status(&self) -> HostStatus {
        let way = self.way.clone().unwrap_or(HostStatus::plain(LinkState::Ok));
        let reasons: Vec<String> = way.reason.into_iter().chain(self.reason()).collect();
        if reasons.is_empty() {
            return HostStatus::plain(LinkState::Ok);
        }
        HostStatus {
            reason: Some(reasons.join("; ")),
            hint: way.hint,
            of_way: self.way.is_some(),
            ..HostStatus::plain(LinkState::Degraded)
        }
        .bounded()
    }
}
