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

use super::followed_files::Track;
use super::programs::Programs;
use super::request_server::{Question, ServedLink, serve};
use super::sudo::RootFiles;
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
    tokio::select! {
        () = keep(host, work, connector, outbox, commands, &link) => {}
        () = serve(host, state, &mut questions) => {}
    }
}

async fn keep(
    host: &HostSpec,
    work: &Work,
    connector: &Connector,
    outbox: &Outbox,
    mut commands: Receiver<Command>,
    link: &watch::Sender<ServedLink>,
) {
    let mut track = Track::resuming(&work.resume);
    let unread = track.unread.clone();
    let mut streams = Programs::new(
        &host.sources,
        Arc::clone(&track.problems),
        unread,
        track.clock.subscribe(),
    );
    let mut root_files = RootFiles::new(
        &host.sources,
        Arc::clone(&track.problems),
        Track::resuming(&work.resume),
    );
    let mut backoff = Backoff::default();
    let mut tries = 0_u32;
    loop {
        outbox
            .send(HostEvent::Status(HostStatus::plain(LinkState::Connecting)))
            .await;
        track.forget_told();
        let began = Instant::now();
        let ended = tokio::select! {
            ended = connect_and_work(host, work, connector, outbox, (&mut track, &mut streams, &mut root_files), (&mut backoff, link)) => ended,
            command = commands.recv() => match command {
                Some(Command::Reconnect) => {
                    link.send_replace(ServedLink::Down(format!("{} is being dialled again", host.name())));
                    continue;
                }
                None => return,
            },
        };
        tries += 1;
        let Err(error) = ended else {
            return outbox.send(HostEvent::Done).await;
        };
        let wait = next_wait(&mut backoff, &error, began.elapsed(), work.until);
        let is_over = work.once && wait.is_none();
        let status = if is_over {
            error.status.at_last(tries)
        } else {
            error.status
        };
        tell_down(host, status, wait, outbox, link).await;
        if is_over {
            return outbox.send(HostEvent::Done).await;
        }
        if !wait_or_command(wait, &mut commands).await {
            return;
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
    let LinkError { status, may_pass } = error;
    if status.state.needs_a_person() || (until.is_some() && !may_pass) {
        return None;
    }
    let wait = match status.retry_in_s {
        None => backoff.after_failure(tried_for, rand::random()),
        Some(least) => backoff.after_offence(tried_for, rand::random(), Duration::from_secs(least)),
    };
    Some(wait).filter(|wait| until.is_none_or(|until| Instant::now() + *wait < until))
}

/// Says that a login waits for its shell, until it has one and can be asked.
async fn wait_for_shell(
    connection: &Arc<Connection>,
    since: Instant,
    outbox: &Outbox,
    link: &watch::Sender<ServedLink>,
) -> Infallible {
    let mut next = since + TELL_EVERY;
    loop {
        tokio::select! {
            biased;
            () = connection.greeted() => {
                link.send_replace(ServedLink::Up(Arc::clone(connection)));
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
            () = outbox.send(HostEvent::Status(status)) => {}
        }
        next += TELL_EVERY;
    }
}

/// Says why a host is lost, and when it is dialled again, to who looks and to who asks.
async fn tell_down(
    host: &HostSpec,
    mut status: HostStatus,
    wait: Option<Duration>,
    outbox: &Outbox,
    link: &watch::Sender<ServedLink>,
) {
    let why = status
        .reason
        .clone()
        .unwrap_or_else(|| status.state.to_string());
    link.send_replace(ServedLink::Down(format!("{} is down: {why}", host.name())));
    status.retry_in_s = wait.map(|wait| wait.as_secs_f64().ceil() as u64);
    outbox.send(HostEvent::Status(status)).await;
}

async fn connect_and_work(
    host: &HostSpec,
    work: &Work,
    connector: &Connector,
    outbox: &Outbox,
    (track, streams, root_files): (&mut Track, &mut Programs, &mut RootFiles),
    (backoff, link): (&mut Backoff, &watch::Sender<ServedLink>),
) -> Result<(), LinkError> {
    let connection = Arc::new(connector.connect(host).await?);
    link.send_replace(ServedLink::Down(format!(
        "{} is logged in and waits for its shell",
        host.name()
    )));
    track.way = connection.warning().cloned();
    let connected = Instant::now();
    let is_alone = root_files.is_alone();
    let result = {
        let mut working = pin!(work_over(
            &connection,
            host,
            work,
            outbox,
            (&mut *track, streams, root_files)
        ));
        tokio::select! {
            // A server that gives one session hangs up when that ends.
            biased;
            result = &mut working => result,
            error = connection.ended() => Err(match timeout(LAST_WORDS, working).await {
                Ok(Err(refused)) if refused.status.state == LinkState::Throttled => refused,
                _ => error,
            }),
            never = wait_for_shell(&connection, connected, outbox, link) => match never {},
        }
    };
    if result.is_ok() && !is_alone {
        // A stream may have found its problem after the files were done.
        outbox.send_all(track.take_events()).await;
    }
    if connection.is_greeted() {
        backoff.after_connection(connected.elapsed());
    }
    link.send_replace(ServedLink::Down(format!(
        "{} is not connected any more",
        host.name()
    )));
    connection.close().await;
    result
}

/// Says all a host has to say over this connection.
async fn work_over(
    connection: &Connection,
    host: &HostSpec,
    work: &Work,
    outbox: &Outbox,
    (track, streams, root_files): (&mut Track, &mut Programs, &mut RootFiles),
) -> Result<(), LinkError> {
    if root_files.is_alone() {
        return root_files.run_alone(connection, work, outbox).await;
    }
    let (wants_journal, wanted) = oneshot::channel();
    track.wants_journal = Some(wants_journal);
    let files = shell::run(connection, &host.sources, track, work, outbox);
    let others = async {
        // The files go first where there is but one session.
        if wanted.await.is_ok() && host.sources.is_empty() {
            streams.add_whole();
        }
        let streams = async {
            streams.run(connection, work, outbox).await;
            Ok(())
        };
        tokio::try_join!(streams, root_files.run(connection, work, outbox)).map(drop)
    };
    tokio::try_join!(files, others).map(drop)
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
