//! One stream: followed in a shell of its own, or asked now and then in one that many share; and
//! what is said of it.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::host::{HostEvent, Line};
use crate::model::source::{SourceInfo, SourceSpec};
use crate::model::time::Time;
use crate::transport::LinkError;
use crate::transport::backoff::Backoff;

use super::argv::{self, CommandLine, StartFrom};
use super::dedup::Deduplicator;
use super::input::StdinSource;
use super::line_splitter::RawLine;
use super::list_output::{ContainerLog, ContainerState, ContainerTarget};
use super::problem;
use super::program::Shell;
use super::reader::ProgramLineReader;
use super::tail_start::{find_tail_start, log_command};
use super::timestamp_prefix::{EngineOutput, PrefixStripper};
use super::{ProgramsHost, journal};
use crate::host::problems::Problem;
use crate::host::search::stream::RecentLines;
use crate::host::sources::RegisteredSource;

/// A program that cannot do what it is asked says so sooner.
const SETTLED_AFTER: Duration = Duration::from_secs(3);

/// In a bounded pass a command that goes on for ever is heard for so long.
const HEARD_FOR: Duration = Duration::from_secs(3);

/// From one asking to the next, of a stream that has no shell of its own.
const ASK_EVERY: Duration = Duration::from_secs(2);

/// Asking may take this part of the time in all, for it costs the host a process each time.
const ASKING_SHARE: u32 = 20;

/// What is followed, across connections.
pub(super) struct ProgramSource {
    number: u32,
    name: Arc<str>,
    /// As [`SourceInfo::path`].
    label: String,
    as_root: bool,
    pub(super) what: ProgramKind,
    reader: ProgramLineReader,
    /// What was said of it last: the problem, if any.
    told: Option<Option<Problem>>,
    /// Its problem is the host's.
    counts: bool,
    /// The time of the last line that was sent.
    newest: Option<Time>,
    /// What keeps a part of the journal from us while the rest is read.
    standing: Option<Problem>,
    given: PassProgress,
}

/// What a bounded pass has of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PassProgress {
    Nothing,
    /// Lines, and there may be more.
    Some,
    All,
}

/// Where its lines come from.
pub(super) enum ProgramKind {
    Journal {
        unit: Option<String>,
        cursor: Option<String>,
    },
    Command(CommandLine),
    Container(Box<FollowedContainer>),
    Input(StdinSource),
}

/// A container that is followed.
pub(super) struct FollowedContainer {
    target: watch::Receiver<Option<ContainerTarget>>,
    taken: Deduplicator,
    /// All of it is wanted, for it came into being while we looked; or was begun with before.
    whole: bool,
    /// The one that is read, and how often it had been started again.
    instance: Option<(String, u32)>,
    /// It was read to its end after it had ended.
    is_read: bool,
}

/// How it ended.
struct ProgramEnd {
    code: Option<i32>,
    /// The last that it said beside lines.
    complaint: Option<String>,
}

/// What was heard of a running program.
#[derive(Default)]
struct ProgramHeard {
    /// Lines have come, or it runs for a while.
    settled: bool,
    complaint: Option<String>,
    /// Of a container: its stamps are read.
    stripper: Option<PrefixStripper>,
    /// The last line of it was new.
    is_new: bool,
    /// Those that will be sent when it has ended, where only so many are wanted.
    last: Option<(RecentLines, usize)>,
}

/// A program that is run, and what is wanted of it.
struct ProgramRun {
    words: CommandLine,
    /// It is ended then.
    limit: Option<Instant>,
    /// Only so many lines, the last ones.
    last: Option<usize>,
    /// A last line without a line end is left for the next run.
    holds: bool,
}

impl ProgramSource {
    pub(super) fn new(
        registered: RegisteredSource,
        label: String,
        spec: &SourceSpec,
        what: ProgramKind,
    ) -> Self {
        let reader = ProgramLineReader::new(spec.time.as_deref());
        Self {
            number: registered.number,
            name: registered.name,
            label,
            as_root: spec.as_root,
            what,
            reader,
            told: None,
            counts: true,
            newest: None,
            standing: None,
            given: PassProgress::Nothing,
        }
    }

    /// A container of several that a pattern means: that one of them has ended is no problem of the
    /// host.
    pub(super) fn one_of_many(self) -> Self {
        Self {
            counts: false,
            ..self
        }
    }

    /// Reads it until the connection ends; in a bounded pass until it has given its last lines.
    /// What cannot be read says why and is tried again; it takes nothing else of its host with it.
    pub(super) async fn run(&mut self, host: &ProgramsHost<'_>) {
        self.told = None;
        if let Some(clock) = host.clock().await {
            self.reader.set_clock(&clock);
        }
        if let ProgramKind::Input(input) = &mut self.what {
            return input
                .run(&mut self.reader, self.number, &self.name, host)
                .await;
        }
        if host.work.once
            && matches!(self.what, ProgramKind::Command(_))
            && self.given != PassProgress::Nothing
        {
            return self.not_again(host).await;
        }
        let mut backoff = Backoff::default();
        while self.is_wanted(host).await {
            let began = Instant::now();
            let pause = match self.turn(host).await {
                Ok(Some(pause)) => pause,
                Ok(None) => return,
                Err(error) => {
                    if host.connection.has_ended_by(&error).await {
                        // Not the stream's problem; whoever holds the connection knows.
                        return std::future::pending().await;
                    }
                    self.tell(host, Some(error.into())).await;
                    Duration::ZERO
                }
            };
            if host.work.once {
                return;
            }
            backoff.after_connection(began.elapsed());
            let wait = if pause.is_zero() {
                backoff.after_failure(began.elapsed(), rand::random())
            } else {
                pause
            };
            sleep(wait).await;
        }
    }

    /// A command says something else each time: over another connection of a pass it is not run
    /// once more.
    async fn not_again(&mut self, host: &ProgramsHost<'_>) {
        if self.given == PassProgress::Some {
            let reason = "the connection was lost while it ran, and its last lines with it";
            self.tell(
                host,
                Some(Problem::new(
                    reason,
                    "ask again; a pass runs a command once",
                )),
            )
            .await;
        }
    }

    /// Waits until there is something to read; false in a bounded pass where there is nothing.
    async fn is_wanted(&mut self, host: &ProgramsHost<'_>) -> bool {
        loop {
            let ProgramKind::Container(followed) = &mut self.what else {
                return true;
            };
            let target = followed.target.borrow_and_update().clone();
            let is_same =
                followed.instance == target.as_ref().map(|it| (it.instance.clone(), it.restarts));
            let why = match target.as_ref().map(|target| &target.state) {
                Some(ContainerState::Running) => return true,
                Some(ContainerState::Ended(_)) if !(followed.is_read && is_same) => return true,
                Some(ContainerState::Ended(why)) => Some(Problem::plain(why)),
                Some(ContainerState::Gone(why)) => {
                    // What comes into being under this name is new from its first line.
                    followed.whole = true;
                    Some(why.clone())
                }
                Some(ContainerState::Unknown(why)) => Some(why.clone()),
                // Not looked yet.
                None => None,
            };
            let mut changes = followed.target.clone();
            if let Some(why) = why {
                self.tell(host, Some(why)).await;
                if host.work.once {
                    return false;
                }
            }
            if changes.changed().await.is_err() {
                return false;
            }
        }
    }

    /// Reads until there is no more for now: how long to wait, or `None` where that was all. No
    /// time means: as long as it takes after so many failures.
    async fn turn(&mut self, host: &ProgramsHost<'_>) -> Result<Option<Duration>, LinkError> {
        if host.work.once {
            let _place = host.connection.sessions().program().await;
            let mut shell = Shell::start(host.connection, self.as_root).await?;
            let limit =
                matches!(self.what, ProgramKind::Command(_)).then(|| Instant::now() + HEARD_FOR);
            if limit.is_some() {
                // From here on it may have run, whatever is heard of it.
                self.given = PassProgress::Some;
            }
            let ending = self.read(&mut shell, host, false, limit).await?;
            shell.end().await;
            self.given = PassProgress::All;
            let problem = self.problem_of(&ending, true);
            self.tell(host, problem).await;
            return Ok(None);
        }
        let follows = !self.has_ended();
        if let Some(_place) = self.place(host, follows).await {
            let mut shell = Shell::start(host.connection, self.as_root).await?;
            let ending = self.read(&mut shell, host, follows, None).await?;
            shell.end().await;
            self.ended(host, &ending).await;
            return Ok(Some(Duration::ZERO));
        }
        let _waiting = host.waiting();
        let began = Instant::now();
        let mut shared = host.shared(self.as_root).await;
        // Taken out, so that a shell that was left in the middle is not used again.
        let mut shell = match shared.take() {
            Some(shell) => shell,
            None => Shell::start(host.connection, self.as_root).await?,
        };
        let asked = Instant::now();
        let ending = self.read(&mut shell, host, false, None).await?;
        *shared = Some(shell);
        drop(shared);
        tracing::trace!(
            "{} was asked for {:?}, after {:?}",
            self.label,
            asked.elapsed(),
            began.elapsed()
        );
        self.ended(host, &ending).await;
        Ok(Some(ASK_EVERY.max(
            asked.elapsed() * ASKING_SHARE * host.count_waiting(),
        )))
    }

    /// A place to follow it, where there is one or it cannot do without.
    async fn place<'a>(
        &mut self,
        host: &'a ProgramsHost<'_>,
        follows: bool,
    ) -> Option<tokio::sync::SemaphorePermit<'a>> {
        if !follows {
            return None;
        }
        let sessions = host.connection.sessions();
        if let Some(place) = sessions.try_program() {
            return Some(place);
        }
        if !matches!(self.what, ProgramKind::Command(_)) {
            return None;
        }
        let reason = "it waits, for as many other streams are followed as one connection allows";
        self.tell(
            host,
            Some(Problem::new(
                reason,
                "name fewer commands and journals for this host",
            )),
        )
        .await;
        sessions.program().await
    }

    fn has_ended(&self) -> bool {
        let ProgramKind::Container(followed) = &self.what else {
            return false;
        };
        matches!(
            followed
                .target
                .borrow()
                .as_ref()
                .map(|target| &target.state),
            Some(ContainerState::Ended(_))
        )
    }

    /// Runs what reads it until that ends, or for a limited time.
    async fn read(
        &mut self,
        shell: &mut Shell,
        host: &ProgramsHost<'_>,
        follow: bool,
        limit: Option<Instant>,
    ) -> Result<ProgramEnd, LinkError> {
        if let ProgramKind::Journal { .. } = &self.what {
            let (said, code) = shell.answer(&argv::journal_check()).await?;
            self.standing = journal::explained(code, &said);
        }
        if let Some(words) = self.before() {
            self.listen(
                shell,
                host,
                ProgramRun {
                    words,
                    limit,
                    last: None,
                    holds: false,
                },
            )
            .await?;
        }
        let holds = !follow
            && !host.work.once
            && matches!(self.what, ProgramKind::Container(_))
            && !self.has_ended();
        if let Some(at) = self.begins_with_last() {
            let lines = host.work.lines;
            let words = log_command(&at, &find_tail_start(shell, &at, lines).await?.from, false);
            let ending = self
                .listen(
                    shell,
                    host,
                    ProgramRun {
                        words,
                        limit,
                        last: Some(lines as usize),
                        holds,
                    },
                )
                .await?;
            if !follow || ending.code != Some(0) {
                return Ok(ending);
            }
        }
        let words = self.words(host.work.lines, follow);
        self.listen(
            shell,
            host,
            ProgramRun {
                words,
                limit,
                last: None,
                holds,
            },
        )
        .await
    }

    /// What is to be read first, if anything: where a container was started again while we did not
    /// look, the end of the one before it.
    fn before(&mut self) -> Option<CommandLine> {
        let ProgramKind::Container(followed) = &mut self.what else {
            return None;
        };
        let target = followed.target.borrow().clone()?;
        let was = followed
            .instance
            .replace((target.instance.clone(), target.restarts));
        match (was, &target.at) {
            (Some((instance, restarts)), ContainerLog::Pod(of))
                if instance == target.instance && restarts < target.restarts =>
            {
                let since = followed.taken.resume()?;
                Some(argv::pod_log(of, &StartFrom::Time(since), false, true))
            }
            (Some((instance, _)), _) if instance != target.instance => {
                // Another of the same name: all of it is new.
                (followed.taken, followed.whole) = (Deduplicator::default(), true);
                None
            }
            _ => None,
        }
    }

    /// The container of which only the last lines are wanted, before everything that comes.
    fn begins_with_last(&mut self) -> Option<ContainerLog> {
        let ProgramKind::Container(followed) = &mut self.what else {
            return None;
        };
        if followed.whole {
            return None;
        }
        // A connection may have ended while they were read, of which nothing was sent.
        followed.taken = Deduplicator::default();
        followed
            .target
            .borrow()
            .as_ref()
            .map(|target| target.at.clone())
    }

    fn words(&mut self, lines: u32, follow: bool) -> CommandLine {
        match &mut self.what {
            ProgramKind::Journal { unit, cursor } => {
                let from = cursor
                    .as_deref()
                    .map_or(StartFrom::Last(lines), StartFrom::Cursor);
                argv::journal(unit.as_deref(), &from, follow)
            }
            ProgramKind::Command(words) => words.clone(),
            ProgramKind::Container(followed) => {
                let from = followed
                    .taken
                    .resume()
                    .map_or(StartFrom::Oldest, StartFrom::Time);
                let target = followed.target.borrow();
                target
                    .as_ref()
                    .map_or_else(Vec::new, |target| log_command(&target.at, &from, follow))
            }
            ProgramKind::Input(_) => Vec::new(),
        }
    }

    /// Runs a program and takes its lines until it ends.
    async fn listen(
        &mut self,
        shell: &mut Shell,
        host: &ProgramsHost<'_>,
        run: ProgramRun,
    ) -> Result<ProgramEnd, LinkError> {
        let mut program = shell.run(&run.words).await?;
        let mut heard = self.begin_to_hear(run.last);
        let mut held = None;
        loop {
            let more = match run.limit {
                Some(limit) => timeout_at(limit, program.next()).await,
                None => Ok(self.settle(pin!(program.next()), host, &mut heard).await),
            };
            // What goes on beyond its time is ended with its shell.
            let Ok(more) = more else {
                return Ok(ProgramEnd {
                    code: None,
                    complaint: heard.complaint,
                });
            };
            let Some(mut more) = more? else { break };
            if run.holds {
                let last = more.pop().or_else(|| held.take());
                more = held.into_iter().chain(more).collect();
                held = last;
            }
            self.took(host, more, &mut heard).await;
            let newest = self.newest.filter(|_| program.has_more());
            host.state.lock().set_unread(self.number, newest);
            let bytes = program.take_bytes_read();
            host.outbox
                .send(HostEvent::ReadTo { up_to: None, bytes })
                .await;
        }
        host.state.lock().set_unread(self.number, None);
        let held = held.filter(|_| !program.is_unended()).into_iter().collect();
        let code = program.end().await?;
        self.took(host, held, &mut heard).await;
        self.took_last(host, &mut heard).await;
        Ok(ProgramEnd {
            code: Some(code.unwrap_or(-1)),
            complaint: heard.complaint,
        })
    }

    fn begin_to_hear(&self, last: Option<usize>) -> ProgramHeard {
        let stripper = match &self.what {
            ProgramKind::Container(followed) => followed
                .target
                .borrow()
                .as_ref()
                .map(|target| PrefixStripper::new(&target.at)),
            _ => None,
        };
        ProgramHeard {
            stripper,
            last: last.map(|most| (RecentLines::default(), most)),
            ..ProgramHeard::default()
        }
    }

    /// Waits for lines; a stream from which nothing comes is well when it has run for a while.
    async fn settle<T>(
        &mut self,
        mut coming: Pin<&mut impl Future<Output = T>>,
        host: &ProgramsHost<'_>,
        heard: &mut ProgramHeard,
    ) -> T {
        if !heard.settled {
            if let Ok(more) = timeout(SETTLED_AFTER, &mut coming).await {
                return more;
            }
            heard.settled = true;
            let problem = heard.complaint.as_deref().map(Problem::plain);
            self.tell(host, self.standing.clone().or(problem)).await;
        }
        coming.await
    }

    async fn took(
        &mut self,
        host: &ProgramsHost<'_>,
        more: Vec<RawLine>,
        heard: &mut ProgramHeard,
    ) {
        let mut lines = Vec::with_capacity(more.len());
        match &mut self.what {
            ProgramKind::Journal { cursor, .. } => {
                for line in more {
                    let named = self.reader.record(&line.bytes, &mut lines);
                    *cursor = named.or(cursor.take());
                }
            }
            ProgramKind::Container(followed) => stamped(
                &mut self.reader,
                &mut followed.taken,
                more,
                heard,
                &mut lines,
            ),
            ProgramKind::Command(_) | ProgramKind::Input(_) => {
                self.reader.learn(more.iter().map(|line| &line.bytes[..]));
                lines.extend(more.into_iter().map(|line| self.reader.plain(line)));
            }
        }
        match &mut heard.last {
            Some((last, most)) => lines.into_iter().for_each(|line| last.push(line, *most)),
            None => self.send(host, lines, heard).await,
        }
    }

    /// Sends the last lines, where that was all that is wanted; from there on everything is.
    async fn took_last(&mut self, host: &ProgramsHost<'_>, heard: &mut ProgramHeard) {
        let Some((mut last, _)) = heard.last.take() else {
            return;
        };
        if let ProgramKind::Container(followed) = &mut self.what {
            followed.whole = true;
        }
        self.send(host, last.take(), heard).await;
    }

    async fn send(&mut self, host: &ProgramsHost<'_>, lines: Vec<Line>, heard: &mut ProgramHeard) {
        if lines.is_empty() {
            return;
        }
        heard.settled = true;
        self.given = PassProgress::Some;
        self.newest = lines.last().map(|line| line.time);
        // Together: where the connection ends while the queue is full, none of it may be dropped.
        let state = self.news(host, self.standing.clone());
        host.outbox
            .send_all(state.into_iter().chain([HostEvent::Lines {
                source: self.number,
                lines,
            }]))
            .await;
    }

    /// What is said of it when all of it that there is has been read.
    async fn ended(&mut self, host: &ProgramsHost<'_>, ending: &ProgramEnd) {
        let had_ended = self.has_ended();
        let problem = self.problem_of(ending, false);
        let is_well = problem.is_none();
        if let ProgramKind::Container(followed) = &mut self.what {
            followed.is_read = had_ended && is_well;
        }
        // What has ended says so in a moment.
        if !(had_ended && is_well) {
            self.tell(host, problem).await;
        }
    }

    fn problem_of(&self, ending: &ProgramEnd, once: bool) -> Option<Problem> {
        let said = ending.complaint.as_deref().unwrap_or_default();
        match (&self.what, ending.code) {
            (ProgramKind::Journal { .. }, _) if self.standing.is_some() => self.standing.clone(),
            (_, None) | (ProgramKind::Input(_), _) => None,
            (ProgramKind::Journal { .. }, Some(_)) => {
                (!once).then(|| Problem::plain("journalctl ended on the host"))
            }
            (ProgramKind::Command(_), Some(0)) if once => None,
            (ProgramKind::Command(words), Some(code)) => Some(problem::of_command(&words[0], code)),
            (ProgramKind::Container(_), Some(0)) => None,
            (ProgramKind::Container(followed), Some(code)) => Some(
                match followed.target.borrow().as_ref().map(|target| &target.at) {
                    Some(ContainerLog::Engine(engine, _)) => {
                        problem::of_engine(*engine, code, said)
                    }
                    _ => problem::of_kubectl(code, said),
                },
            ),
        }
    }

    /// Says that it is read or why it is not, where that has changed.
    async fn tell(&mut self, host: &ProgramsHost<'_>, problem: Option<Problem>) {
        host.outbox.send_all(self.news(host, problem)).await;
    }

    fn news(&mut self, host: &ProgramsHost<'_>, problem: Option<Problem>) -> Option<HostEvent> {
        if self.told.as_ref() == Some(&problem) {
            return None;
        }
        self.told = Some(problem.clone());
        let of_host = problem
            .as_ref()
            .filter(|_| self.counts)
            .map(|problem| problem.of(&self.label));
        host.set_problem(&self.name, of_host);
        let stamps = Some(match self.what {
            ProgramKind::Journal { .. } => "journal",
            ProgramKind::Container(_) => "engine",
            ProgramKind::Command(_) | ProgramKind::Input(_) => self.reader.stamps(),
        });
        let info = SourceInfo {
            name: Arc::clone(&self.name),
            path: self.label.as_str().into(),
            problem: problem.map(|problem| problem.reason),
            stamps,
        };
        Some(HostEvent::Source {
            source: self.number,
            info,
        })
    }
}

impl FollowedContainer {
    /// One that is looked for; `whole` where it came into being while we looked.
    pub(super) fn new(target: watch::Receiver<Option<ContainerTarget>>, whole: bool) -> Self {
        Self {
            target,
            taken: Deduplicator::default(),
            whole,
            instance: None,
            is_read: false,
        }
    }
}

/// Lines of an engine. One without a stamp is its complaint; behind others it may as well go on
/// with them.
fn stamped(
    reader: &mut ProgramLineReader,
    taken: &mut Deduplicator,
    more: Vec<RawLine>,
    heard: &mut ProgramHeard,
    out: &mut Vec<Line>,
) {
    let Some(stripper) = &mut heard.stripper else {
        return;
    };
    let said: Vec<_> = more.into_iter().map(|line| stripper.line(line)).collect();
    reader.learn(said.iter().flat_map(|said| match said {
        EngineOutput::Lines(lines) => lines.iter().map(|line| &line.raw[..]).collect(),
        _ => Vec::new(),
    }));
    let mut begun = heard.settled;
    for said in said {
        match said {
            EngineOutput::Lines(lines) => {
                begun = true;
                for line in lines {
                    let new = taken.take(line);
                    heard.is_new = new.is_some();
                    out.extend(new.map(|line| reader.stamped(line.at, line.raw)));
                }
            }
            EngineOutput::Rest(bytes) => out.extend(heard.is_new.then(|| {
                reader.plain(RawLine {
                    bytes,
                    is_rest: true,
                })
            })),
            EngineOutput::Other(bytes) => {
                heard.complaint = Some(String::from_utf8_lossy(&bytes).into_owned());
                out.extend(begun.then(|| {
                    reader.plain(RawLine {
                        bytes,
                        is_rest: false,
                    })
                }));
            }
        }
    }
}
