//! Questions to many hosts at once: each is connected, asked, and left again, and what it answers
//! is told as it comes.
//!
//! ```text
//!  a task per host ──▶ silence, failures, end ──┐
//!  a task per host ──▶ silence, failures, end ──┼─▶ bounded ──▶ Pages (of lines) ──▶ Asking::next
//! ```
//!
//! Who reads slowly slows the hosts; a host that is slow, stopped or hung holds back nobody, for
//! hits go out at once. Only lines of pages wait for each other ([`Pages`]), and only until every
//! host has answered or been given up. How a host is asked is left to `host`, what is printed of it
//! to `report`.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::host;
use crate::model::host::{HostId, HostSpec, SystemFacts};
use crate::model::state::{HostStatus, LinkState};
use crate::model::update::Update;
use crate::query::request::{LogRequest, LogResponse};
use crate::transport::backoff::Backoff;
use crate::transport::{Connector, LinkError};

use super::conductor::still_waiting;
use super::pages::Pages;

/// Answers of all hosts on their way. An answer has a few hundred KiB at most, so this bounds the
/// bytes too.
const ANSWERS: usize = 32;

/// Answers of one host on their way to the others.
const OF_A_HOST: usize = 2;

/// A host that is slow to answer is told to be alive this often at most.
const ALIVE_EVERY: Duration = Duration::from_millis(250);

/// How long the end of a connection may take.
const CLOSE_LIMIT: Duration = Duration::from_millis(1500);

/// What was refused tells more than that the server has hung up after it, and is told a moment
/// later.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Failures of sources that are told in the reason of a host's state; the others are counted.
const FAILURES_TOLD: usize = 3;

/// Hosts that are being asked. Dropping it stops everything.
pub struct Asking {
    heard: mpsc::Receiver<(HostId, HostResponse)>,
    tasks: JoinSet<()>,
    pages: Pages,
    ready: VecDeque<Told>,
    undone: usize,
}

/// What is told of the hosts.
#[derive(Debug)]
pub enum Told {
    /// The state of a host, what it says of itself, a source, lines of pages in their order, a gap.
    Update(Update),
    /// Any other answer.
    Reply(HostId, LogResponse),
    /// A host is done: it has answered everything, or failed. Its state has been told.
    Done(HostId),
}

/// What a host's task hears.
#[derive(Debug)]
pub(super) enum HostResponse {
    /// It let us in.
    Connected,
    /// What is wrong with the way to it, though it leads there.
    Warned(HostStatus),
    /// It says something that is no answer yet.
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

/// How a host is reached and asked. Ends early when nobody hears any more.
pub(super) trait Reach: Clone + Send + Sync + 'static {
    fn ask(
        &self,
        host: &HostSpec,
        asks: &[LogRequest],
        heard: mpsc::Sender<HostResponse>,
    ) -> impl Future<Output = Result<(), LinkError>> + Send;
}

impl Reach for Connector {
    async fn ask(
        &self,
        host: &HostSpec,
        asks: &[LogRequest],
        heard: mpsc::Sender<HostResponse>,
    ) -> Result<(), LinkError> {
        let connection = self.connect(host).await?;
        if let Some(warning) = connection.warning() {
            // Nobody hears any more where this fails; then this future is dropped.
            let _ = heard.send(HostResponse::Warned(warning.clone())).await;
        }
        let mut asking = std::pin::pin!(ask_all(&connection, host, asks, &heard));
        let result = tokio::select! {
            // A server that gives one session hangs up when that ends.
            biased;
            result = &mut asking => result,
            () = tell_alive(&connection, &heard) => Ok(()),
            error = connection.ended() => Err(match timeout(LAST_WORDS, asking).await {
                Ok(Err(refused)) if refused.status.state == LinkState::Degraded => refused,
                _ => error,
            }),
            () = heard.closed() => Ok(()),
        };
        connection.close().await;
        result
    }
}

/// Tells now and then that a host says something: over a slow link an answer may take longer than
/// silence may. What a login prints before its shell answers counts: how long that may go on is
/// left to the connection, which says why.
async fn tell_alive(connection: &crate::transport::Connection, heard: &mpsc::Sender<HostResponse>) {
    let said = || (connection.heard(), connection.printed());
    let mut known = said();
    let mut has_shell = false;
    loop {
        sleep(ALIVE_EVERY).await;
        // Where nobody hears it, whoever waits for the end knows.
        if !connection.is_greeted() {
            let _ = heard
                .send(HostResponse::Waits(connection.waits_for()))
                .await;
        } else if !std::mem::replace(&mut has_shell, true) {
            let _ = heard.send(HostResponse::Greeted).await;
        }
        let now = said();
        if std::mem::replace(&mut known, now) != now {
            let _ = heard.send(HostResponse::Alive).await;
        }
    }
}

async fn ask_all(
    connection: &crate::transport::Connection,
    host: &HostSpec,
    asks: &[LogRequest],
    heard: &mpsc::Sender<HostResponse>,
) -> Result<(), LinkError> {
    // Nobody hears any more where this fails; then this future is dropped.
    let _ = heard.send(HostResponse::Connected).await;
    let mut answering = host::ask::Answering::begin(connection, host, asks).await?;
    let _ = heard
        .send(HostResponse::Facts(Box::new(answering.facts().clone())))
        .await;
    for ask in asks {
        let (sender, mut replies) = mpsc::channel(OF_A_HOST);
        let relay = async {
            while let Some(reply) = replies.recv().await {
                let _ = heard.send(HostResponse::Reply(reply)).await;
            }
        };
        let (answered, ()) = tokio::join!(answering.answer(host, ask, sender), relay);
        answered?;
    }
    Ok(())
}

impl Asking {
    /// Asks every host all of `asks`, one after the other. Host `n` of `hosts` is `HostId(n)`. A
    /// host that says nothing for `silence` has timed out; while it says something it may go on.
    #[must_use]
    pub fn start(
        hosts: Vec<HostSpec>,
        asks: &[LogRequest],
        silence: Duration,
        connector: Connector,
    ) -> Self {
        Self::start_by(hosts, asks, silence, connector)
    }

    pub(super) fn start_by(
        hosts: Vec<HostSpec>,
        asks: &[LogRequest],
        silence: Duration,
        reach: impl Reach,
    ) -> Self {
        let (sender, heard) = mpsc::channel(ANSWERS);
        let mut tasks = JoinSet::new();
        let (undone, asks) = (hosts.len(), Arc::<[LogRequest]>::from(asks));
        for (id, host) in (0..).map(HostId).zip(hosts) {
            let (asks, reach, out) = (
                Arc::clone(&asks),
                reach.clone(),
                Out {
                    host: id,
                    sender: sender.clone(),
                },
            );
            tasks.spawn(async move { ask_one(&host, &asks, silence, &reach, &out).await });
        }
        Self {
            heard,
            tasks,
            pages: Pages::default(),
            ready: VecDeque::new(),
            undone,
        }
    }

    /// What is told next; `None` after every host is done. Cancel-safe.
    pub async fn next(&mut self) -> Option<Told> {
        loop {
            if let Some(told) = self.ready.pop_front() {
                return Some(told);
            }
            if self.undone == 0 {
                let (more, ready) = (self.pages.let_out(true), &mut self.ready);
                if more.is_empty() {
                    return None;
                }
                ready.extend(more.into_iter().map(Told::Update));
                continue;
            }
            let (host, heard) = self.heard.recv().await?;
            self.take(host, heard);
        }
    }

    /// Ends every connection in order; returns within 2 seconds.
    pub async fn stop(mut self) {
        self.heard.close();
        // What is on its way is given up, so that nobody waits to send it.
        while self.heard.try_recv().is_ok() {}
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        let _ = timeout(CLOSE_LIMIT, ended).await;
    }

    fn take(&mut self, host: HostId, heard: HostResponse) {
        match heard {
            HostResponse::Alive | HostResponse::Waits(_) | HostResponse::Greeted => {}
            HostResponse::Connected => {
                self.update(Update::Status(host, HostStatus::plain(LinkState::Ok)));
            }
            // It is part of the last state.
            HostResponse::Warned(_) => {}
            HostResponse::Facts(facts) => self.update(Update::Facts(host, Arc::from(facts))),
            HostResponse::Reply(reply) => self.reply(host, reply),
            HostResponse::Ended(status) => {
                self.undone -= 1;
                self.update(Update::Status(host, status));
                self.ready.push_back(Told::Done(host));
            }
        }
    }

    fn reply(&mut self, host: HostId, reply: LogResponse) {
        match reply {
            LogResponse::Lines(source, lines) => {
                let named = self.pages.lines(host, &source, lines);
                self.ready.extend(named.map(Told::Update));
            }
            LogResponse::Gap(source, missing) => {
                let named = self.pages.gap(host, &source, &missing);
                self.ready.extend(named.map(Told::Update));
            }
            LogResponse::Source(info, files) => {
                let known = self.pages.info(host, &info);
                self.update(known);
                self.ready
                    .push_back(Told::Reply(host, LogResponse::Source(info, files)));
            }
            other => self.ready.push_back(Told::Reply(host, other)),
        }
        self.ready
            .extend(self.pages.let_out(false).into_iter().map(Told::Update));
    }

    fn update(&mut self, update: Update) {
        self.ready.push_back(Told::Update(update));
    }
}

/// Where a host's task says what it heard.
struct Out {
    host: HostId,
    sender: mpsc::Sender<(HostId, HostResponse)>,
}

impl Out {
    /// Returns false if nobody listens any more.
    async fn send(&self, heard: HostResponse) -> bool {
        self.sender.send((self.host, heard)).await.is_ok()
    }
}

/// Asks one host and reports how it ended. Failures that may pass are retried until the time is
/// over.
async fn ask_one(
    host: &HostSpec,
    asks: &[LogRequest],
    silence: Duration,
    reach: &impl Reach,
    out: &Out,
) {
    let (mut backoff, started) = (Backoff::default(), Instant::now());
    let (mut last, mut tries) = (None, 0_u32);
    let status = loop {
        tries += 1;
        let began = Instant::now();
        let mut turn = Turn {
            silence,
            last_sign: started,
            last: last.take(),
            stage: AskStage::Dialling,
            heard: false,
        };
        let Some(ended) = turn.listen(host, asks, reach, out).await else {
            return;
        };
        let wait = match &ended {
            Err(error) if error.may_pass && !turn.heard => {
                next_wait(&mut backoff, error, began.elapsed())
            }
            _ => Duration::MAX,
        };
        let is_over = wait >= (started + silence).saturating_duration_since(Instant::now());
        match ended {
            Ok(status) => break status,
            Err(LinkError { status, .. }) if is_over => break status.at_last(tries),
            Err(LinkError { status, .. }) => last = Some((status, tries)),
        }
        tokio::select! {
            () = sleep(wait) => {}
            () = out.sender.closed() => return,
        }
    };
    out.send(HostResponse::Ended(status)).await;
}

/// The wait before the next try. It is longer if the server may count tries as offences.
fn next_wait(backoff: &mut Backoff, error: &LinkError, tried_for: Duration) -> Duration {
    match error.status.retry_in_s {
        None => backoff.after_failure(tried_for, rand::random()),
        Some(least) => backoff.after_offence(tried_for, rand::random(), Duration::from_secs(least)),
    }
}

/// One try to ask a host.
struct Turn {
    silence: Duration,
    /// When the host was heard last; until then, when the first try began.
    last_sign: Instant,
    /// How the last try ended, and the number of tries so far.
    last: Option<(HostStatus, u32)>,
    stage: AskStage,
    /// It has sent part of an answer, which another try would repeat.
    heard: bool,
}

impl Turn {
    /// Asks once. Returns the host's last state, or `None` if nobody listens any more.
    async fn listen(
        &mut self,
        host: &HostSpec,
        asks: &[LogRequest],
        reach: &impl Reach,
        out: &Out,
    ) -> Option<Result<HostStatus, LinkError>> {
        let (sender, mut heard) = mpsc::channel(OF_A_HOST);
        let mut asking = std::pin::pin!(reach.ask(host, asks, sender));
        let (mut result, mut failures) = (None, Failures::default());
        let silent = loop {
            tokio::select! {
                () = out.sender.closed() => break None,
                ended = &mut asking, if result.is_none() => result = Some(ended),
                next = heard.recv() => match next {
                    Some(next) => if !self.take(next, &mut failures, out).await {
                        break None;
                    },
                    None => return Some(result.unwrap_or(Ok(())).map(|()| failures.status())),
                },
                () = sleep_until(self.last_sign + self.silence) => break Some(self.silent()),
            }
        };
        drop(heard);
        // It is told at once that nobody hears it, and the others do not wait for its end.
        if let Some(status) = silent {
            out.send(HostResponse::Ended(status)).await;
        }
        if result.is_none() {
            let _ = timeout(CLOSE_LIMIT, asking).await;
        }
        None
    }

    /// False where nobody hears any more.
    async fn take(&mut self, next: HostResponse, failures: &mut Failures, out: &Out) -> bool {
        match next {
            HostResponse::Waits(words) => self.stage = AskStage::Waits(words),
            HostResponse::Greeted => self.stage = AskStage::Connected,
            HostResponse::Alive => self.last_sign = Instant::now(),
            next => {
                // A warning is of the way, and says nothing of who is at its end.
                if !matches!(next, HostResponse::Warned(_)) {
                    self.stage = AskStage::Connected;
                }
                self.heard |= matches!(next, HostResponse::Reply(_));
                failures.note(&next);
                if !out.send(next).await {
                    return false;
                }
                // How long nobody took it is not the host's silence.
                self.last_sign = Instant::now();
            }
        }
        true
    }

    /// The status of a host that was silent for too long; while it is being redialled, why it was
    /// lost.
    fn silent(&mut self) -> HostStatus {
        let seconds = self.silence.as_secs_f64();
        let reason = match (&self.stage, self.last.take()) {
            (AskStage::Dialling, Some((status, tries))) => return status.at_last(tries),
            (AskStage::Dialling, None) => format!("no connection within {seconds:.1} s"),
            (AskStage::Waits(words), last) => still_waiting(words, last.map(|(status, _)| status)),
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

/// How far the way to a host has come.
enum AskStage {
    Dialling,
    /// Logged in without a shell so far; what it waits for.
    Waits(String),
    Connected,
}

/// Sources that could not be read, or not to their end.
#[derive(Debug, Default)]
struct Failures {
    told: Vec<String>,
    count: usize,
    /// What is wrong with the way.
    way: Option<HostStatus>,
}

impl Failures {
    fn note(&mut self, heard: &HostResponse) {
        if let HostResponse::Warned(way) = heard {
            self.way = Some(way.clone());
        }
        let HostResponse::Reply(LogResponse::Failed(source, why)) = heard else {
            return;
        };
        self.count += 1;
        if self.told.len() < FAILURES_TOLD {
            self.told.push(format!("{source}: {why}"));
        }
    }

    fn status(&self) -> HostStatus {
        let mut reason = self.told.join("; ");
        if self.count > self.told.len() {
            reason += &format!(" (and {} more)", self.count - self.told.len());
        }
        let way = self.way.clone().unwrap_or(HostStatus::plain(LinkState::Ok));
        let reasons: Vec<String> = way
            .reason
            .into_iter()
            .chain(Some(reason).filter(|reason| !reason.is_empty()))
            .collect();
        match reasons.is_empty() {
            true => HostStatus::plain(LinkState::Ok),
            false => HostStatus {
                reason: Some(reasons.join("; ")),
                hint: way.hint,
                of_way: self.way.is_some(),
                ..HostStatus::plain(LinkState::Degraded)
            }
            .bounded(),
        }
    }
}

#[cfg(test)]
#[path = "asking_tests.rs"]
mod tests;
