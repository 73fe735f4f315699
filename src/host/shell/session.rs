//! One connection's worth of following: starts the script, keeps its questions and answers in step,
//! and turns what comes of it into events.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep_until};

use crate::host::driver::facts::RoundTrip;
use crate::host::root::Told;
use crate::host::track::{MAX_SOURCES, Track, usual_sources};
use crate::host::{HostEvent, Outbox, Work};
use crate::metrics::{ProcCounters, parse_df};
use crate::model::source::{SourceKind, SourceSpec};
use crate::model::state::{HostStatus, LinkState};
use crate::model::time::Time;
use crate::transport::{Connection, LinkError, PaceSpan};

use super::describe;
use super::follow::hang_guard::HangGuard;
use super::follow::protocol::{Expanded, FollowAnswer, FollowScriptRequest, Suspect, decode};
use super::limits::{ANSWER_LIMIT, LEASE_RENEWAL};
use super::protocol::RENEW;
use super::script::{Script, protocol_error};
use super::script_text::FOLLOW;
use crate::files::follow::{
    FileObservation, FileUnavailable, FollowRequest, PermissionBlock, StartAt,
};

/// From one look at the files to the next: with the round trip, what a line waits at most. Files
/// that rest are looked at half as often, for each look costs the host a process where nothing
/// there can wait for them.
const POLL: Duration = Duration::from_millis(200);
const POLL_AT_REST: Duration = Duration::from_millis(400);
const REST_AFTER: Duration = Duration::from_secs(5);

/// Most bytes that one look brings of one file, so that a flood on one does not hold up the others:
/// more where the link is quick, for each look costs the host two processes; less where it is slow,
/// as the pace of the connection has it.
const POLL_BYTES: std::ops::RangeInclusive<usize> = 256 << 10..=1 << 20;
const QUICK: Duration = Duration::from_millis(100);

/// New files of patterns are noticed within this.
const EXPAND: Duration = Duration::from_secs(2);

/// After an answer that lists them, this many times as long as it took: neither a slow link nor a
/// folder with very many files may keep the host from being asked for lines.
const EXPAND_SHARE: u32 = 8;

/// How full disks are changes slowly, and `df` is dear.
const USAGE: Duration = Duration::from_secs(60);

/// The second sample of a bounded pass comes this long after the first: rates over less are noise.
const FIRST_WINDOW: Duration = Duration::from_millis(750);

/// Follows the sources of `wanted` and samples metrics until the connection ends, or (`work.once`)
/// all is said.
///
/// # Errors
/// When the shell does not start, hangs, or the connection breaks. What was read before has been
/// sent.
pub async fn run(
    connection: &Connection,
    wanted: &[SourceSpec],
    track: &mut Track,
    work: &Work,
    outbox: &Outbox,
) -> Result<(), LinkError> {
    // Until it has said what it is, nothing is known of it but this, and what was told before is
    // true no more.
    let reason = Some("its shell has begun; waiting for what the host says of itself".to_owned());
    let begun = HostStatus {
        reason,
        ..HostStatus::plain(LinkState::Connecting)
    };
    let script =
        Script::start_after(connection, &FOLLOW, outbox.send(HostEvent::Status(begun))).await?;
    work_through(script, wanted, track, work, Listener::Host(outbox)).await
}

/// The same in a shell of root's, for the sources that want it; with metrics where it is the only
/// shell.
///
/// # Errors
/// When sudo refuses, the shell hangs, or the connection breaks.
pub async fn run_as_root(
    connection: &Connection,
    wanted: &[SourceSpec],
    track: &mut Track,
    work: &Work,
    told: &Told<'_>,
) -> Result<(), LinkError> {
    let script = Script::start_as_root(connection, &FOLLOW).await?;
    track.clear_problems();
    work_through(script, wanted, track, work, Listener::Root(told)).await
}

async fn work_through(
    script: Script,
    wanted: &[SourceSpec],
    track: &mut Track,
    work: &Work,
    listener: Listener<'_>,
) -> Result<(), LinkError> {
    if !wanted.is_empty()
        && let Some(begin) = track.wants_journal.take()
    {
        // Where nobody waits for it the connection is ending.
        let _ = begin.send(());
    }
    track.is_bounded = work.once;
    let suspects = HangGuard::new(std::mem::take(&mut track.hung));
    let mut session = Session {
        script,
        suspects,
        track,
        work,
        listener,
        patterns: wanted.to_vec(),
        expanded: vec![false; wanted.len()],
        usual: wanted.is_empty(),
        began: now(),
        asked: VecDeque::new(),
        outgoing: String::new(),
        timers: Timers::new(Instant::now()),
        poll_bytes: *POLL_BYTES.start(),
        samples: 0,
        described: false,
        has_journal: false,
    };
    session.start().await?;
    session.follow().await
}

struct Session<'a> {
    script: Script,
    suspects: HangGuard,
    track: &'a mut Track,
    work: &'a Work,
    listener: Listener<'a>,
    /// Sources that are paths or patterns; those the host usually has where none were named.
    patterns: Vec<SourceSpec>,
    /// Which patterns have been expanded once on this connection.
    expanded: Vec<bool>,
    usual: bool,
    began: Time,
    /// Requests whose answers have not ended yet.
    asked: VecDeque<ScriptQuestion>,
    outgoing: String,
    timers: Timers,
    /// Within [`POLL_BYTES`].
    poll_bytes: usize,
    samples: u32,
    described: bool,
    has_journal: bool,
}

/// Who is told: the fleet at once, or by way of what joins the files of root to those of their
/// host.
enum Listener<'a> {
    Host(&'a Outbox),
    Root(&'a Told<'a>),
}

/// A request that was sent.
struct ScriptQuestion {
    asked: PendingKind,
    sent: Instant,
    /// The same by our clock.
    at: Time,
    span: PaceSpan,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PendingKind {
    Poll,
    Expand,
    Sample,
    Usage,
    Other,
}

/// When what is to be asked next.
struct Timers {
    poll: Instant,
    sample: Instant,
    expand: Instant,
    usage: Instant,
    lease: Instant,
    /// The last time that a file had grown.
    active: Instant,
}

impl Timers {
    fn new(now: Instant) -> Self {
        Self {
            poll: now,
            sample: now,
            expand: now,
            usage: now,
            lease: now + LEASE_RENEWAL,
            active: now,
        }
    }
}

fn now() -> Time {
    Time::from_timestamp(Timestamp::now())
}

impl Session<'_> {
    /// Asks what the host is and tells it what to look at.
    async fn start(&mut self) -> Result<(), LinkError> {
        self.ask(&FollowScriptRequest::Describe, PendingKind::Other);
        if self.usual {
            self.patterns = usual_sources();
            self.expanded = vec![false; self.patterns.len()];
        }
        self.track.follower.restart();
        self.queue_requests();
        self.flush().await
    }

    /// Asks and listens until the end.
    async fn follow(&mut self) -> Result<(), LinkError> {
        loop {
            self.ask_what_is_due();
            self.flush().await?;
            if self.is_done() {
                self.track.follower.finish();
                self.track.absorb(now());
                self.tell().await;
                self.script.end().await;
                return Ok(());
            }
            let deadline = self.next_deadline();
            tokio::select! {
                // What has come is looked at before it is called late: the fleet may have kept us
                // waiting.
                biased;
                frame = self.script.next() => {
                    let frame = frame?;
                    let answer = decode(&frame).map_err(|error| protocol_error(&error))?;
                    self.track.follower.set_pace(self.script.share() as u64);
                    self.answered(&answer);
                    self.track.look_behind(now(), self.began);
                    self.tell().await;
                }
                () = sleep_until(deadline) => {
                    self.check_answers()?;
                    self.track.look_behind(now(), self.began);
                    self.tell().await;
                }
            }
        }
    }

    fn is_done(&self) -> bool {
        self.work.once
            && self.described
            && (self.samples >= 2 || !self.tells_metrics())
            && self.all_expanded()
            && self.asked.is_empty()
            && self.track.follower.is_settled()
    }

    fn all_expanded(&self) -> bool {
        self.expanded
            .iter()
            .enumerate()
            .all(|(number, &done)| done || self.suspects.hangs(number as u32))
    }

    fn pending(&self, what: PendingKind) -> bool {
        self.asked.iter().any(|question| question.asked == what)
    }

    fn ask(&mut self, request: &FollowScriptRequest<'_>, what: PendingKind) {
        request.encode(&mut self.outgoing);
        if request.is_answered() {
            self.will_answer(what);
        }
    }

    fn will_answer(&mut self, asked: PendingKind) {
        self.asked.push_back(ScriptQuestion {
            asked,
            sent: Instant::now(),
            at: now(),
            span: self.script.begin(),
        });
    }

    fn queue_requests(&mut self) {
        for request in self.track.follower.take_requests() {
            if let Some(request) = self.suspects.pass(request) {
                self.request(&request);
            }
        }
    }

    fn request(&mut self, request: &FollowRequest) {
        self.ask(&FollowScriptRequest::File(request), PendingKind::Other);
    }

    /// Tries what may hang, and says what does.
    fn ask_of_suspects(&mut self, at: Instant) {
        for (suspect, path) in self.suspects.due(at) {
            self.ask(
                &FollowScriptRequest::Try(suspect, &path),
                PendingKind::Other,
            );
        }
        for suspect in self.suspects.take_hanging(at) {
            match suspect {
                Suspect::File(watch) => {
                    let seen = FileObservation::Absent(
                        watch,
                        FileUnavailable::Failing("the file system does not answer"),
                    );
                    self.track.follower.see(&seen, since_start());
                }
                Suspect::Pattern(number) => {
                    let spec = self.patterns[number as usize].clone();
                    let why = format!("{}: a file system does not answer", spec.name);
                    self.track.set_missing(&spec, Some(why));
                }
            }
        }
        self.track.absorb(now());
    }

    fn ask_what_is_due(&mut self) {
        let at = Instant::now();
        self.queue_requests();
        self.ask_of_suspects(at);
        if at >= self.timers.expand && self.described && !self.pending(PendingKind::Expand) {
            self.timers.expand = at + EXPAND;
            self.ask_to_expand();
        }
        if at >= self.timers.usage
            && self.tells_metrics()
            && !self.pending(PendingKind::Usage)
            && !self.track.df_hangs
        {
            self.timers.usage = at + USAGE;
            self.ask(&FollowScriptRequest::Usage, PendingKind::Usage);
        }
        if at >= self.timers.sample && self.tells_metrics() && !self.pending(PendingKind::Sample) {
            let every = if self.samples == 0 {
                FIRST_WINDOW
            } else {
                self.work.sample_every.max(FIRST_WINDOW)
            };
            self.timers.sample = at + every;
            if !(self.work.once && self.samples >= 2) {
                self.ask(&FollowScriptRequest::Sample, PendingKind::Sample);
            }
        }
        let begun = self.work.once && self.all_expanded() && self.track.follower.is_settled();
        if at >= self.timers.poll && !self.pending(PendingKind::Poll) && self.described && !begun {
            let share = self.script.share();
            let poll = FollowScriptRequest::Poll {
                most: self.poll_bytes.min(share),
                sum: share,
            };
            self.ask(&poll, PendingKind::Poll);
        }
        if at >= self.timers.lease {
            self.timers.lease = at + LEASE_RENEWAL;
            // Not answered: it does not wait for what is.
            self.outgoing.push_str(RENEW);
        }
    }

    /// Patterns are expanded again and again; plain paths once, where they are looked for and not
    /// asked for.
    fn ask_to_expand(&mut self) {
        for number in 0..self.patterns.len() {
            let spec = &self.patterns[number];
            let (SourceKind::Path(path), true) = (&spec.kind, spec.as_root == self.is_root())
            else {
                self.expanded[number] = true;
                continue;
            };
            if self.patterns[number].kind.is_glob() || (self.usual && !self.expanded[number]) {
                let path = path.clone();
                let index = u32::try_from(number).unwrap_or(u32::MAX);
                if self.suspects.passes_pattern(index, path.as_bytes()) {
                    let expand = FollowScriptRequest::Expand(index, path.as_bytes());
                    self.ask(&expand, PendingKind::Expand);
                }
            } else if !self.expanded[number] {
                self.expanded[number] = true;
                let (spec, path) = (self.patterns[number].clone(), path.clone().into_bytes());
                if !self
                    .track
                    .add_file(&spec, &path, true, StartAt::LastLines(self.work.lines))
                {
                    let why = format!(
                        "{}: is not followed: {MAX_SOURCES} files of a host are",
                        spec.name
                    );
                    self.track.set_missing(&spec, Some(why));
                }
            }
        }
        self.queue_requests();
    }

    fn next_deadline(&self) -> Instant {
        let timers = &self.timers;
        // Whether what is asked is overdue is looked at now and then; nothing is asked again before
        // its answer.
        let unasked = |asked, due| {
            if self.pending(asked) {
                Instant::now() + POLL
            } else {
                due
            }
        };
        let mut next = timers
            .lease
            .min(unasked(PendingKind::Expand, timers.expand))
            .min(unasked(PendingKind::Poll, timers.poll));
        if self.tells_metrics() {
            next = next.min(unasked(PendingKind::Sample, timers.sample));
        }
        if !self.track.df_hangs && self.tells_metrics() {
            next = next.min(unasked(PendingKind::Usage, timers.usage));
        }
        next = self.suspects.next_due().map_or(next, |due| next.min(due));
        next.max(Instant::now() + Duration::from_millis(1))
    }

    /// A host that has been asked something and not said a word for long hangs.
    fn check_answers(&mut self) -> Result<(), LinkError> {
        match self.asked.front() {
            Some(question) if self.script.heard().max(question.sent).elapsed() > ANSWER_LIMIT => {
                // A file system that does not answer is no reason to have no logs either.
                match question.asked {
                    PendingKind::Usage => self.track.df_hangs = true,
                    PendingKind::Poll | PendingKind::Expand | PendingKind::Other => {
                        self.track.hung = true;
                    }
                    PendingKind::Sample => {}
                }
                let reason = format!(
                    "the host has not answered for {} s, though the connection stands",
                    ANSWER_LIMIT.as_secs()
                );
                let hint = "a disk or network mount may hang there; the connection is made again";
                Err(LinkError::from(HostStatus::because(
                    LinkState::Timeout,
                    reason,
                    hint,
                )))
            }
            _ => Ok(()),
        }
    }

    async fn flush(&mut self) -> Result<(), LinkError> {
        if self.outgoing.is_empty() {
            return Ok(());
        }
        let lines = std::mem::take(&mut self.outgoing);
        self.script.send(lines).await
    }

    /// Sends what is to be told; waits while the fleet has no room, and so asks the host for
    /// nothing.
    async fn tell(&mut self) {
        let events = self.track.take_events();
        match self.listener {
            Listener::Host(outbox) => outbox.send_all(events).await,
            Listener::Root(told) => told.send_all(events).await,
        }
    }

    fn is_root(&self) -> bool {
        matches!(self.listener, Listener::Root(_))
    }

    /// Of two shells the first does.
    fn tells_metrics(&self) -> bool {
        match self.listener {
            Listener::Host(_) => true,
            Listener::Root(told) => told.is_alone(),
        }
    }

    fn answered(&mut self, answer: &FollowAnswer) {
        match answer {
            FollowAnswer::Ready => {}
            FollowAnswer::End => self.answer_ended(),
            FollowAnswer::Seen(seen) => {
                if matches!(
                    seen,
                    FileObservation::Read(..) | FileObservation::Unpacked(..)
                ) {
                    self.timers.active = Instant::now();
                }
                self.track.follower.see(seen, since_start());
                self.track.absorb(now());
            }
            FollowAnswer::Polled(again) => self.poll_ended(*again),
            FollowAnswer::Tried(suspect, is_over) => {
                for request in self.suspects.answered(*suspect, *is_over) {
                    self.request(&request);
                }
            }
            FollowAnswer::Expanded(expanded) => self.files_matched(expanded),
            FollowAnswer::Barred(number, barrier) => self.files_barred(*number, barrier),
            FollowAnswer::Described(text) => self.host_described(text),
            FollowAnswer::Counters(text) => {
                self.samples += 1;
                // Of a busy host the answer comes late, and the window begins only there.
                self.timers.sample = self.timers.sample.max(Instant::now() + FIRST_WINDOW);
                let counters = ProcCounters::parse(&String::from_utf8_lossy(text));
                self.track.sample(counters, now());
            }
            FollowAnswer::Disks(text) => self.usage_told(text),
        }
    }

    fn answer_ended(&mut self) {
        let Some(question) = self.asked.pop_front() else {
            return;
        };
        self.script.end_of(question.span);
        if question.asked == PendingKind::Expand {
            // Where it takes long, it is not asked so often that nothing else has its turn.
            let rest = question.sent.elapsed() * EXPAND_SHARE;
            self.timers.expand = self.timers.expand.max(Instant::now() + rest);
        }
    }

    fn poll_ended(&mut self, again: bool) {
        let at = Instant::now();
        self.track
            .follower
            .see(&FileObservation::PollEnded, since_start());
        self.track.absorb(now());
        if again && let Some(question) = self.asked.front() {
            let quick = at.duration_since(question.sent) < QUICK;
            let wanted = if quick {
                self.poll_bytes * 2
            } else {
                self.poll_bytes / 2
            };
            self.poll_bytes = wanted.clamp(*POLL_BYTES.start(), *POLL_BYTES.end());
        }
        let at_rest = at.duration_since(self.timers.active) > REST_AFTER;
        let hurry = again || self.work.once;
        self.timers.poll = at
            + if hurry {
                Duration::ZERO
            } else if at_rest {
                POLL_AT_REST
            } else {
                POLL
            };
        let complete = !again && self.all_expanded() && self.track.follower.is_settled();
        self.track.seen_whole |= complete && self.expanded.iter().all(|&done| done);
        if complete && let Some(question) = self.asked.front() {
            self.track
                .read_to(question.at, now(), self.script.take_bytes_read());
        }
    }

    fn files_matched(&mut self, expanded: &Expanded) {
        let (number, files) = (expanded.pattern as usize, &expanded.files);
        let Some(spec) = self.patterns.get(number).cloned() else {
            return;
        };
        // What came into being since we looked, on this connection or before it was lost, is new
        // from its first byte.
        let has_been_looked = self.expanded[number] || self.track.seen_whole;
        // Where we might not look what is there now may be old.
        let new = !self.track.listed.insert(spec.name.clone()) && has_been_looked;
        let new = new || self.track.remembers(&spec);
        let begin = if new {
            StartAt::Start
        } else {
            StartAt::LastLines(self.work.lines)
        };
        self.expanded[number] = true;
        let glob = spec.kind.is_glob();
        let followed = files
            .iter()
            .filter(|file| self.track.add_file(&spec, file, !glob, begin))
            .count();
        if self.usual {
            self.none_of_the_usual();
        } else if let SourceKind::Path(path) = &spec.kind {
            let more = (expanded.matched as usize).saturating_sub(followed);
            let name = &spec.name;
            let why = match (files.len(), expanded.any) {
                (0, false) => Some(format!("{name}: no file matches {path}")),
                (0, true) => Some(format!(
                    "{name}: {path} matches only old generations, which are not followed"
                )),
                _ => None,
            };
            match more {
                0 => self.track.set_missing(&spec, why),
                _ => self.track.set_trouble(
                    &spec,
                    Some(too_many(name, path, expanded.matched as usize, more)),
                ),
            }
        }
    }

    fn files_barred(&mut self, number: u32, barrier: &PermissionBlock) {
        let number = number as usize;
        let Some(spec) = self.patterns.get(number).cloned() else {
            return;
        };
        self.expanded[number] = true;
        if let SourceKind::Path(path) = &spec.kind {
            let (why, hint) = barrier.told(&self.track.user);
            self.track
                .set_trouble(&spec, Some((format!("{}: {path}: {why}", spec.name), hint)));
        }
    }

    /// A host without any of the usual logs shows its journal; without that too it says so.
    fn none_of_the_usual(&mut self) {
        if !self.all_expanded() {
            return;
        }
        let wants_journal = self.track.wants_journal.take();
        if self.track.has_sources() {
            return;
        }
        if let (true, Some(wants_journal)) = (self.has_journal, wants_journal) {
            // Where nobody waits for it the connection is ending.
            let _ = wants_journal.send(());
        } else {
            let paths: Vec<String> = usual_sources().into_iter().map(|spec| spec.name).collect();
            let why = format!(
                "no log found: looked for /var/log/{} and a journal",
                paths.join(", /var/log/")
            );
            self.track.set_missing(&self.patterns[0].clone(), Some(why));
        }
    }

    fn host_described(&mut self, text: &[u8]) {
        let sent = self.asked.front().map_or_else(now, |question| question.at);
        let description = describe::parse(
            text,
            RoundTrip {
                sent,
                received: now(),
            },
        );
        self.track.describe(description.facts, description.user);
        self.described = true;
        self.has_journal = description.journal;
    }

    fn usage_told(&mut self, text: &[u8]) {
        let text = String::from_utf8_lossy(text);
        let mut parts = text.split("--\n");
        let (mounts, kib, inodes) = (parts.next(), parts.next(), parts.next());
        self.track.disks = parse_df(
            kib.unwrap_or(""),
            inodes.unwrap_or(""),
            mounts.unwrap_or(""),
        );
    }
}

/// What is said of files beyond those that are followed, and what can be done.
fn too_many(name: &str, path: &str, matched: usize, more: usize) -> (String, String) {
    let reason = format!(
        "{name}: {path} matches {matched} files; {more} of them are not followed, for {MAX_SOURCES} of a host are, those \
         that were changed last"
    );
    (
        reason,
        "follow fewer by a narrower pattern; `search` goes through all of them".to_owned(),
    )
}

/// Time on a clock that does not go back, the same for all connections of this process.
fn since_start() -> Duration {
    static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    START.elapsed()
}
