//! Follows files and samples metrics by a shell on the host: the requests of a session as lines for
//! `follow.sh`, its answers as events. When to ask is left to `host::session`, what is kept from a
//! host that has hung to `hang_guard`, and the words to `protocol`.

pub(crate) mod hang_guard;
pub(crate) mod protocol;

use std::collections::VecDeque;

use bytes::Bytes;
use tokio::time::{Instant, sleep_until};

use crate::clock;
use crate::files::follow::{FileObservation, FileUnavailable, FollowRequest};
use crate::host::driver::facts::RoundTrip;
use crate::host::driver::follow::{
    DescribeHost, DriverEvent, DriverRequestKind, FollowFiles, HostDriver, PollEnd, SampleMetrics,
    SilentRequest,
};
use crate::host::followed_files::FollowedFiles;
use crate::host::session;
use crate::host::{HostEvent, Outbox, Work};
use crate::metrics::{ProcCounters, parse_df};
use crate::model::source::SourceSpec;
use crate::model::state::{HostStatus, LinkState};
use crate::model::time::Time;
use crate::transport::sessions::SessionUse;
use crate::transport::{Connection, LinkError, PaceSpan};

use super::describe;
use super::limits::{ANSWER_LIMIT, LEASE_RENEWAL};
use super::protocol::RENEW;
use super::script::{Script, protocol_error};
use super::script_text::FOLLOW;
use hang_guard::HangGuard;
use protocol::{FollowAnswer, FollowScriptRequest, Suspect, decode};

/// Follows the sources of `wanted` and samples metrics until the connection ends, or (`work.once`)
/// all is said.
///
/// # Errors
/// When the shell does not start, hangs, or the connection breaks. What was read before has been
/// sent.
///
/// In a pass it gives back the session, which the caller ends: some servers hang up with it.
pub(crate) async fn run(
    connection: &Connection,
    wanted: &[SourceSpec],
    files: &mut FollowedFiles,
    work: &Work,
    outbox: &Outbox,
) -> Result<ShellFollower, LinkError> {
    // Until it has said what it is, nothing is known of it but this, and what was told before is
    // true no more.
    let reason = Some("its shell has begun; waiting for what the host says of itself".to_owned());
    let begun = HostStatus {
        reason,
        ..HostStatus::plain(LinkState::Connecting)
    };
    let opened = outbox.send(HostEvent::Status(begun));
    let script = Script::start_after(connection, &FOLLOW, opened).await?;
    let mut driver = ShellFollower::new(script, std::mem::take(&mut files.hung));
    driver.by_ssh = connection.by_ssh().map(str::to_owned);
    session::run(driver, wanted, files, work, outbox).await
}

/// The same in a shell of root's, for the sources that want it; with metrics where it is the only
/// shell.
///
/// # Errors
/// When sudo refuses, the shell hangs, or the connection breaks.
pub(crate) async fn run_as_root(
    connection: &Connection,
    wanted: &[SourceSpec],
    files: &mut FollowedFiles,
    work: &Work,
    outbox: &Outbox,
) -> Result<(), LinkError> {
    let connection = &connection.for_use(SessionUse::Lasting);
    let script = Script::start_as_root(connection, &FOLLOW).await?;
    files.clear_problems();
    let mut driver = ShellFollower::new(script, std::mem::take(&mut files.hung));
    driver.by_ssh = connection.by_ssh().map(str::to_owned);
    let mut driver = session::run(driver, wanted, files, work, outbox).await?;
    driver.end().await;
    Ok(())
}

/// A session with `follow.sh`.
pub(crate) struct ShellFollower {
    script: Script,
    guard: HangGuard,
    /// Requests whose answers have not ended yet.
    pending: VecDeque<PendingAnswer>,
    /// Lines to be sent.
    outgoing: String,
    /// What was found out without an answer.
    told: VecDeque<DriverEvent>,
    lease: Instant,
    /// Why the user's own `ssh` carries it, where that was chosen for it.
    by_ssh: Option<String>,
}

/// A request that was sent.
struct PendingAnswer {
    kind: DriverRequestKind,
    sent: Instant,
    /// The same by our clock.
    at: Time,
    span: PaceSpan,
}

impl ShellFollower {
    /// In a shell of its own on a host that has not hung.
    #[cfg(test)]
    pub(crate) async fn start(connection: &Connection) -> Result<Self, LinkError> {
        Ok(Self::new(Script::start(connection, &FOLLOW).await?, false))
    }

    /// `has_hung` where the host has on the connection before.
    fn new(script: Script, has_hung: bool) -> Self {
        Self {
            script,
            guard: HangGuard::new(has_hung),
            pending: VecDeque::new(),
            outgoing: String::new(),
            told: VecDeque::new(),
            lease: Instant::now() + LEASE_RENEWAL,
            by_ssh: None,
        }
    }

    fn ask(&mut self, request: &FollowScriptRequest<'_>, kind: DriverRequestKind) {
        request.encode(&mut self.outgoing);
        if request.is_answered() {
            self.pending.push_back(PendingAnswer {
                kind,
                sent: Instant::now(),
                at: clock::now(),
                span: self.script.begin(),
            });
        }
    }

    /// Tries what may hang, and tells what does.
    fn try_suspects(&mut self) {
        let now = Instant::now();
        for (suspect, path) in self.guard.due(now) {
            self.ask(
                &FollowScriptRequest::Try(suspect, &path),
                DriverRequestKind::Other,
            );
        }
        for suspect in self.guard.take_hanging(now) {
            self.told.push_back(match suspect {
                Suspect::File(watch) => {
                    let why = FileUnavailable::Failing("the file system does not answer");
                    DriverEvent::Seen(FileObservation::Absent(watch, why))
                }
                Suspect::Pattern(number) => DriverEvent::PatternHangs(number),
            });
        }
    }

    /// Not answered: it does not wait for what is.
    fn renew_lease_when_due(&mut self) {
        let now = Instant::now();
        if now >= self.lease {
            self.lease = now + LEASE_RENEWAL;
            self.outgoing.push_str(RENEW);
        }
    }

    /// When the next line is to be sent, or the host is silent.
    fn next_due(&self) -> Instant {
        let due = self.guard.next_due().into_iter();
        let due = due.chain(self.silent_at()).chain([self.lease]).min();
        due.unwrap_or(self.lease)
    }

    /// When a host hangs that has been asked something and does not say a word.
    fn silent_at(&self) -> Option<Instant> {
        let first = self.pending.front()?;
        Some(self.script.heard().max(first.sent) + ANSWER_LIMIT)
    }

    fn silence(&self) -> Option<SilentRequest> {
        let is_silent = self.silent_at().is_some_and(|at| Instant::now() >= at);
        let first = self.pending.front().filter(|_| is_silent)?;
        Some(SilentRequest {
            kind: first.kind,
            waited: ANSWER_LIMIT,
        })
    }

    fn answered(&mut self, answer: FollowAnswer) -> Option<DriverEvent> {
        let first = self.pending.front();
        let took = first.map(|first| first.sent.elapsed()).unwrap_or_default();
        let asked = first.map_or_else(clock::now, |first| first.at);
        Some(match answer {
            FollowAnswer::Ready => return None,
            FollowAnswer::End => {
                let ended = self.pending.pop_front()?;
                self.script.end_of(ended.span);
                return None;
            }
            FollowAnswer::Tried(suspect, is_over) => {
                for request in self.guard.answered(suspect, is_over) {
                    self.ask(
                        &FollowScriptRequest::File(&request),
                        DriverRequestKind::Other,
                    );
                }
                return None;
            }
            FollowAnswer::Seen(seen) => DriverEvent::Seen(seen),
            FollowAnswer::Polled(again) => DriverEvent::Polled(PollEnd { again, asked, took }),
            FollowAnswer::Expanded(expanded) => DriverEvent::Expanded(expanded, took),
            FollowAnswer::Barred(barred) => DriverEvent::Barred(barred, took),
            FollowAnswer::Described(text) => {
                let trip = RoundTrip {
                    sent: asked,
                    received: clock::now(),
                };
                let mut described = describe::parse(&text, trip);
                described.facts.by_ssh = self.by_ssh.clone();
                DriverEvent::Described(Box::new(described))
            }
            FollowAnswer::Counters(text) => {
                let counters = ProcCounters::parse(&String::from_utf8_lossy(&text));
                DriverEvent::Counters(Box::new(counters))
            }
            FollowAnswer::Disks(text) => disks(&text),
        })
    }
}

/// Of the mounts and both outputs of `df`.
fn disks(text: &Bytes) -> DriverEvent {
    let text = String::from_utf8_lossy(text);
    let mut parts = text.split("--\n");
    let mounts = parts.next().unwrap_or_default();
    let kib = parts.next().unwrap_or_default();
    let inodes = parts.next().unwrap_or_default();
    DriverEvent::Disks(parse_df(kib, inodes, mounts))
}

impl FollowFiles for ShellFollower {
    fn request(&mut self, request: FollowRequest) {
        if let Some(request) = self.guard.pass(request) {
            self.ask(
                &FollowScriptRequest::File(&request),
                DriverRequestKind::Other,
            );
        }
    }

    fn poll(&mut self, most: usize) {
        let share = self.script.share();
        let poll = FollowScriptRequest::Poll {
            most: most.min(share),
            sum: share,
        };
        self.ask(&poll, DriverRequestKind::Poll);
    }

    fn expand(&mut self, number: u32, pattern: &[u8]) -> bool {
        let may_ask = self.guard.passes_pattern(number, pattern);
        if may_ask {
            let expand = FollowScriptRequest::Expand(number, pattern);
            self.ask(&expand, DriverRequestKind::Expand);
        }
        may_ask
    }
}

impl DescribeHost for ShellFollower {
    fn describe(&mut self) {
        self.ask(&FollowScriptRequest::Describe, DriverRequestKind::Other);
    }
}

impl SampleMetrics for ShellFollower {
    fn sample(&mut self) {
        self.ask(&FollowScriptRequest::Sample, DriverRequestKind::Sample);
    }

    fn measure_disks(&mut self) {
        self.ask(&FollowScriptRequest::Usage, DriverRequestKind::Disks);
    }
}

impl HostDriver for ShellFollower {
    async fn flush(&mut self) -> Result<(), LinkError> {
        self.try_suspects();
        self.renew_lease_when_due();
        if self.outgoing.is_empty() {
            return Ok(());
        }
        let lines = std::mem::take(&mut self.outgoing);
        self.script.send(lines).await
    }

    async fn next(&mut self) -> Result<Option<DriverEvent>, LinkError> {
        if let Some(event) = self.told.pop_front() {
            return Ok(Some(event));
        }
        let due = self.next_due();
        tokio::select! {
            // What has come is looked at before it is called late: the fleet may have kept us
            // waiting.
            biased;
            frame = self.script.next() => {
                let answer = decode(&frame?).map_err(|error| protocol_error(&error))?;
                Ok(self.answered(answer))
            }
            () = sleep_until(due) => Ok(self.silence().map(DriverEvent::Silent)),
        }
    }

    fn is_idle(&self) -> bool {
        self.pending.is_empty()
    }

    fn share(&self) -> usize {
        self.script.share()
    }

    fn take_bytes_read(&mut self) -> u64 {
        self.script.take_bytes_read()
    }

    async fn end(&mut self) {
        self.script.end().await;
    }
}
