//! Keeps one host connected: dials, works, waits, dials again; never faster than the back-off
//! allows, and never again by itself where that would lock the operator out or hide an attack.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::Receiver;
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::model::host::HostSpec;
use crate::model::state::{HostStatus, LinkState};
use crate::transport::backoff::Backoff;
use crate::transport::{Connection, Connector, LinkError};

use super::driver::follow::HostDriver as _;
use super::followed_files::FollowedFiles;
use super::problems::{Problem, ProblemKey};
use super::programs::Programs;
use super::request_server::{Question, ServedLink, serve};
use super::state::SharedState;
use super::sudo::PrivilegedFiles;
use super::{HostEvent, Outbox, Work, shell};

/// What the operator wants of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Dial now, whatever the state.
    Reconnect,
}

/// A refused session explains more than the hang-up after it, and arrives a moment later.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// A login that waits for its shell says so this often, so that the seconds that it tells are true
/// whenever a pass ends.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// Connects to a host and says all it has to say, until the sender of commands is dropped; for a
/// bounded pass until it is done, which it says too. Meanwhile it answers questions over the same
/// connection. Dropping the future ends everything that runs on the host.
pub async fn supervise(
    host: &HostSpec,
    work: &Work,
    connector: &Connector,
    outbox: &Outbox,
    commands: Receiver<Command>,
    mut questions: Receiver<Question>,
) {
    let (link, state) = watch::channel(ServedLink::Down(format!(
        "{} is not connected yet",
        host.name()
    )));
    let supervisor = Supervisor {
        host,
        work,
        connector,
        outbox,
        link: &link,
    };
    tokio::select! {
        () = supervisor.keep_connected(commands) => {}
        () = serve(host, state, &mut questions) => {}
    }
}

/// What a host brings, across connections: the files of the login, the files that need sudo, and
/// the programs; and their state.
struct Feeders {
    state: SharedState,
    files: FollowedFiles,
    privileged: PrivilegedFiles,
    programs: Programs,
    /// The least wait before the next dial, where other hosts were lost with this one.
    spread: Duration,
}

impl Feeders {
    fn new(host: &HostSpec, work: &Work) -> Self {
        let state = SharedState::default();
        let privileged = FollowedFiles::of_root(&work.resume, &state);
        Self {
            files: FollowedFiles::of_login(&work.resume, &state),
            privileged: PrivilegedFiles::new(&host.sources, privileged),
            programs: Programs::new(&host.sources, &state),
            state,
            spread: Duration::ZERO,
        }
    }
}

/// Keeps one host connected.
struct Supervisor<'a> {
    host: &'a HostSpec,
    work: &'a Work,
    connector: &'a Connector,
    outbox: &'a Outbox,
    /// Whether the host can be asked.
    link: &'a watch::Sender<ServedLink>,
}

impl Supervisor<'_> {
    async fn keep_connected(&self, mut commands: Receiver<Command>) {
        let mut feeders = Feeders::new(self.host, self.work);
        let mut backoff = Backoff::default();
        let mut tries = 0_u32;
        loop {
            self.report(HostStatus::plain(LinkState::Connecting)).await;
            feeders.state.lock().resend_status();
            let began = Instant::now();
            let ended = tokio::select! {
                ended = self.connect_and_work(&mut feeders, &mut backoff) => ended,
                command = commands.recv() => match command {
                    Some(Command::Reconnect) => {
                        self.set_down("is being dialled again");
                        continue;
                    }
                    None => return,
                },
            };
            tries += 1;
            let Err(error) = ended else {
                return self.outbox.send(HostEvent::Done).await;
            };
            let wait = next_wait(&mut backoff, &error, began.elapsed(), self.work.until);
            let wait = wait.map(|wait| wait.max(std::mem::take(&mut feeders.spread)));
            let is_over = self.work.once && wait.is_none();
            let status = if is_over {
                error.status.at_last(tries)
            } else {
                error.status
            };
            self.report_down(status, wait).await;
            if is_over {
                return self.outbox.send(HostEvent::Done).await;
            }
            if !wait_or_command(wait, &mut commands).await {
                return;
            }
        }
    }

    async fn report(&self, status: HostStatus) {
        self.outbox.send(HostEvent::Status(status)).await;
    }

    /// Says to whoever asks the host why it cannot be asked.
    fn set_down(&self, why: &str) {
        let why = format!("{} {why}", self.host.name());
        self.link.send_replace(ServedLink::Down(why));
    }

    /// Says why a host is lost, and when it is dialled again, to those who look and those who ask.
    async fn report_down(&self, mut status: HostStatus, wait: Option<Duration>) {
        let why = status.in_words();
        self.set_down(&format!("is down: {why}"));
        status.retry_in_s = wait.map(|wait| wait.as_secs_f64().ceil() as u64);
        self.report(status).await;
    }

    async fn connect_and_work(
        &self,
        feeders: &mut Feeders,
        backoff: &mut Backoff,
    ) -> Result<(), LinkError> {
        let connection = Arc::new(self.connector.connect(self.host).await?);
        self.set_down("is logged in and waits for its shell");
        let warning = connection.warning().cloned().map(Problem::from);
        feeders.state.lock().set_problem(ProblemKey::Route, warning);
        let connected = Instant::now();
        let result = self.work_until_it_ends(&connection, feeders).await;
        if connection.is_greeted() {
            backoff.after_connection(connected.elapsed());
            // A pass has an end, by which its hosts want to be asked.
            if result.is_err() && !self.work.once {
                feeders.spread = self.connector.lost_one().mul_f64(rand::random());
            }
        }
        self.set_down("is not connected any more");
        connection.close().await;
        result
    }

    async fn work_until_it_ends(
        &self,
        connection: &Arc<Connection>,
        feeders: &mut Feeders,
    ) -> Result<(), LinkError> {
        let mut working = pin!(self.work_over(connection, feeders));
        tokio::select! {
            // A server that gives one session hangs up when that ends.
            biased;
            result = &mut working => result,
            error = connection.ended() => Err(match timeout(LAST_WORDS, working).await {
                Ok(Err(refused)) if refused.status.state == LinkState::Throttled => refused,
                _ => error,
            }),
            never = self.wait_for_shell(connection) => match never {},
        }
    }

    /// Reports all that a host has to say over this connection.
    async fn work_over(
        &self,
        connection: &Connection,
        feeders: &mut Feeders,
    ) -> Result<(), LinkError> {
        let Feeders {
            files,
            privileged,
            programs,
            ..
        } = feeders;
        if privileged.is_alone() {
            return privileged
                .run_alone(connection, self.work, self.outbox)
                .await;
        }
        let (wants_journal, wanted) = oneshot::channel();
        files.wants_journal = Some(wants_journal);
        let others = async {
            // The files go first where there is but one session.
            if wanted.await.is_ok() && self.host.sources.is_empty() {
                programs.add_whole();
            }
            let programs = async {
                programs.run(connection, self.work, self.outbox).await;
                Ok(())
            };
            let privileged = privileged.run(connection, self.work, self.outbox);
            tokio::try_join!(programs, privileged).map(drop)
        };
        let of_login = shell::run(
            connection,
            &self.host.sources,
            files,
            self.work,
            self.outbox,
        );
        let (mut session, ()) = tokio::try_join!(of_login, others)?;
        session.end().await;
        // A program may have found its problem after the files were done.
        self.outbox.send_all(files.take_events()).await;
        Ok(())
    }

    /// Says that a login waits for its shell, until it has one and can be asked.
    async fn wait_for_shell(&self, connection: &Arc<Connection>) -> Infallible {
        let mut next = Instant::now() + TELL_EVERY;
        loop {
            tokio::select! {
                biased;
                () = connection.greeted() => {
                    self.link.send_replace(ServedLink::Up(Arc::clone(connection)));
                    return std::future::pending().await;
                }
                () = sleep_until(next) => {}
            }
            let status = HostStatus {
                reason: Some(connection.waits_for()),
                ..HostStatus::plain(LinkState::Connecting)
            };
            tokio::select! {
                biased;
                () = connection.greeted() => {}
                () = self.report(status) => {}
            }
            next += TELL_EVERY;
        }
    }
}

/// The wait before the next try, where there is one: never by itself where a person is needed; in a
/// pass, which ends at `until`, only where the failure may pass and there is time left. Where the
/// failure says that it may count against us, the wait is longer.
fn next_wait(
    backoff: &mut Backoff,
    error: &LinkError,
    tried_for: Duration,
    until: Option<Instant>,
) -> Option<Duration> {
    let LinkError {
        status, may_pass, ..
    } = error;
    if status.state.needs_a_person() || (until.is_some() && !may_pass) {
        return None;
    }
    let wait = match status.retry_in_s {
        None => backoff.after_failure(tried_for, rand::random()),
        Some(least) => backoff.after_offence(tried_for, rand::random(), Duration::from_secs(least)),
    };
    Some(wait).filter(|wait| until.is_none_or(|until| Instant::now() + *wait < until))
}

/// Waits for the time (for ever where there is none) or a command. False where nobody can give
/// commands any more.
async fn wait_or_command(wait: Option<Duration>, commands: &mut Receiver<Command>) -> bool {
    let timer = async {
        match wait {
            Some(wait) => sleep(wait).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = timer => true,
        command = commands.recv() => command.is_some(),
    }
}
