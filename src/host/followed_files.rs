//! The files that one shell of a host follows: how far each was read, across connections, and the
//! counters that the shell samples.
//!
//! Turns what the follower found into events: here lines get their times. Sources and problems are
//! reported to the state of the host. No I/O.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::files::follow::{
    FileObservation, FileUnavailable, FollowOutcome, FollowedLog, Follower, StartAt,
};
use crate::metrics::ProcCounters;
use crate::model::cursor::{Cursor, FileId, LineRef};
use crate::model::host::SystemFacts;
use crate::model::line::Line;
use crate::model::metrics::{DiskUsage, Sample};
use crate::model::read_position::ReadPosition;
use crate::model::source::{SourceInfo, SourceSpec};
use crate::model::time::{Time, TimeSource};
use crate::parse::line_reader::{LineReader, SeenAt, date_first_lines};
use crate::parse::split::FilePiece;

use super::HostEvent;
use super::problems::{Problem, ProblemKey};
use super::sources::{MAX_SOURCES, RegisteredSource, name_of_file};
use super::state::SharedState;

/// How far an earlier run has read its sources, by their names.
type SourcePositions = Arc<BTreeMap<String, Vec<ReadPosition>>>;

/// When something was observed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ObservedAt {
    /// On a clock that does not go back, the same for all connections of this process.
    pub(crate) since_start: Duration,
    /// By our wall clock.
    pub(crate) time: Time,
}

/// The files that one shell follows.
#[derive(Default)]
pub(crate) struct FollowedFiles {
    /// How far each file was read.
    pub(crate) follower: Follower,
    state: SharedState,
    /// They are those that need sudo.
    pub(crate) as_root: bool,
    /// The shell reports on the host as a whole: its state, its facts, its metrics. Of two shells
    /// on a host one does.
    pub(crate) reports_host: bool,
    /// Counters of the last sample, for rates.
    counters: Option<ProcCounters>,
    /// File systems, as last reported.
    pub(crate) disks: Vec<DiskUsage>,
    /// What the host said of itself.
    facts: SystemFacts,
    /// The login on the host and its groups, for hints.
    pub(crate) user: String,
    /// It did not come back from `df` once: it is not asked again.
    pub(crate) df_hangs: bool,
    /// It hung when its files were looked at: on the next connection nothing is touched that has
    /// not been tried.
    pub(crate) hung: bool,
    /// A bounded pass, which has no other way to show lines that it leaves out.
    pub(crate) is_bounded: bool,
    /// All that was asked for was read at least once.
    pub(crate) seen_whole: bool,
    facts_pending: bool,
    /// By their numbers.
    sources: BTreeMap<u32, SourceState>,
    by_path: BTreeMap<Vec<u8>, u32>,
    /// How far an earlier run has read its sources, by their names.
    resume: SourcePositions,
    /// Patterns whose files could be listed once: others than those are new.
    pub(crate) listed: BTreeSet<String>,
    /// Patterns that have a problem.
    troubled: BTreeSet<String>,
    events: Vec<HostEvent>,
    /// Tells that journals may begin: the files have their shell, and a host without named sources
    /// has none of the usual logs, but a journal.
    pub(crate) wants_journal: Option<oneshot::Sender<()>>,
}

/// A followed file.
struct SourceState {
    info: SourceInfo,
    reader: LineReader,
    /// When the file had been written to that is being read, by its host's clock.
    written: Option<Time>,
    last_read: Option<Time>,
    /// The stamp of the last line that has one.
    last_stamp: Option<Time>,
}

impl SourceState {
    /// When its lines were seen that came `now`.
    fn seen_at(&self, now: Time) -> SeenAt {
        SeenAt {
            written: self.written.unwrap_or(now),
            now,
        }
    }

    /// Learns from lines that are not told what the next may go on with.
    fn pass_over(&mut self, pieces: Vec<FilePiece>, now: Time) {
        let seen = self.seen_at(now);
        self.reader.learn_from(&pieces, seen.written);
        let file = FileId::default();
        for piece in pieces {
            match piece {
                FilePiece::Line {
                    offset,
                    bytes,
                    stored,
                } => {
                    let cursor = Cursor { file, offset };
                    self.reader.followed_line(cursor, bytes, stored, seen);
                }
                FilePiece::Gap { .. } => self.reader.cut(),
            }
        }
    }
}

impl FollowedFiles {
    /// Those that the login reads. They go on where an earlier run stopped.
    #[must_use]
    pub(crate) fn of_login(resume: &SourcePositions, state: &SharedState) -> Self {
        Self {
            resume: Arc::clone(resume),
            state: state.clone(),
            reports_host: true,
            ..Self::default()
        }
    }

    /// Those that need sudo.
    #[must_use]
    pub(crate) fn of_root(resume: &SourcePositions, state: &SharedState) -> Self {
        Self {
            as_root: true,
            reports_host: false,
            ..Self::of_login(resume, state)
        }
    }

    /// Whether an earlier run knew files of this pattern: what it did not know of came into being
    /// since.
    #[must_use]
    pub(crate) fn remembers(&self, spec: &SourceSpec) -> bool {
        let is_of = |name: &String| {
            name.strip_prefix(&spec.name)
                .is_some_and(|rest| rest.starts_with('/'))
        };
        self.resume.keys().any(is_of)
    }

    /// Adds a log of `spec`, unless it is known; `only` where the source asked for just this one.
    /// False where there are too many. One that is known may be written to under another name now.
    pub(crate) fn add_log(
        &mut self,
        spec: &SourceSpec,
        log: FollowedLog,
        only: bool,
        begin: StartAt,
    ) -> bool {
        let path = match &log.series {
            Some(series) => series.path(),
            None => log.path.clone(),
        };
        let written_to = String::from_utf8_lossy(&log.path).into_owned();
        if let Some(&known) = self.by_path.get(&path) {
            if self.follower.move_on(known, log.path)
                && let Some(source) = self.sources.get_mut(&known)
            {
                source.reader.set_file(&written_to);
            }
            return true;
        }
        if self.sources.len() >= MAX_SOURCES {
            return false;
        }
        let shown = String::from_utf8_lossy(&path);
        let wanted = name_of_file(spec, &shown, only);
        let reader = LineReader::new(&self.facts.clock(), spec.time.as_deref())
            .with_encoding(spec.encoding.as_deref())
            .of_file(&written_to);
        let source = self.add_source(&wanted, &shown, reader);
        self.by_path.insert(path, source.number);
        match self.resume.get(&*source.name) {
            Some(reached) => self.follower.resume(source.number, log, reached),
            None if only => self.follower.add(source.number, log, begin),
            None => self.follower.add_found(source.number, log, begin),
        }
        true
    }

    fn add_source(&mut self, wanted: &str, path: &str, reader: LineReader) -> RegisteredSource {
        let source = self.state.lock().add_source(wanted, path);
        let info = SourceInfo {
            name: Arc::clone(&source.name),
            path: path.into(),
            problem: None,
            stamps: None,
        };
        self.events.push(HostEvent::Source {
            source: source.number,
            info: info.clone(),
        });
        let state = SourceState {
            info,
            reader,
            written: None,
            last_read: None,
            last_stamp: None,
        };
        self.sources.insert(source.number, state);
        source
    }

    /// Replaces the problem of a pattern, or (`None`) ends it.
    pub(crate) fn set_pattern_problem(&mut self, spec: &SourceSpec, problem: Option<Problem>) {
        if problem.is_some() {
            self.troubled.insert(spec.name.clone());
        } else {
            self.troubled.remove(&spec.name);
        }
        let key = ProblemKey::Pattern(spec.name.clone());
        self.state.lock().set_problem(key, problem);
    }

    /// Takes in what the shell has observed of its files.
    pub(crate) fn observe(&mut self, observation: &FileObservation, at: ObservedAt) {
        self.follower.see(observation, at.since_start);
        self.apply_outcomes(at.time);
    }

    /// Takes in that a bounded pass ends, with the lines that have no end yet.
    pub(crate) fn finish(&mut self, now: Time) {
        self.follower.finish();
        self.apply_outcomes(now);
    }

    fn apply_outcomes(&mut self, now: Time) {
        for outcome in self.follower.take_outcomes() {
            self.apply_outcome(outcome, now);
        }
    }

    fn apply_outcome(&mut self, outcome: FollowOutcome, now: Time) {
        match outcome {
            FollowOutcome::Pieces(source, file, pieces) => self.pieces(source, file, pieces, now),
            FollowOutcome::Written(source, written) => {
                if let Some(source) = self.sources.get_mut(&source) {
                    source.written = Some(written);
                }
            }
            FollowOutcome::Before(source, pieces) => {
                if let Some(source) = self.sources.get_mut(&source) {
                    source.pass_over(pieces, now);
                }
            }
            FollowOutcome::Problem(source, why) => self.set_absence(source, why),
            FollowOutcome::Unfinished(source, file, offset, line) => {
                self.unfinished(source, Cursor { file, offset }, line, now);
            }
            FollowOutcome::TailRead { source, is_all } => {
                if self.is_bounded && !is_all {
                    self.report_short_tail(source);
                }
            }
            FollowOutcome::Begun(source, cursor, before) => {
                let place = LineRef {
                    cursor,
                    check: None,
                };
                let reached = Box::new(ReadPosition {
                    place,
                    length: 0,
                    before,
                    time: now,
                });
                self.events.push(HostEvent::Begun { source, reached });
            }
        }
    }

    /// A source whose last lines are so long that fewer were read than were asked for.
    fn report_short_tail(&self, number: u32) {
        let Some(source) = self.sources.get(&number) else {
            return;
        };
        let problem = Problem::new(
            "its last lines are so long that fewer are shown than were asked for",
            "`logtrail-tui read --backwards` shows those before them",
        );
        let problem = problem.of(&source.info.path);
        let key = ProblemKey::Tail(number);
        self.state.lock().set_problem(key, Some(problem));
    }

    /// A reading of the counters: rates since the one before.
    pub(crate) fn sample(&mut self, after: ProcCounters, now: Time) {
        let sample = Sample::between(self.counters.as_ref(), &after, &self.disks, now);
        self.counters = Some(after);
        if std::mem::take(&mut self.facts_pending) {
            self.facts.memory_bytes = sample
                .memory
                .map_or(self.facts.memory_bytes, |memory| memory.total_bytes);
            self.facts.uptime_s = sample
                .uptime_s
                .map_or(self.facts.uptime_s, |uptime| uptime as u64);
            self.events.push(HostEvent::Facts(self.facts.clone()));
        }
        self.events.push(HostEvent::Sample(sample));
    }

    /// Facts of a new connection; reported with the first counters, which have the rest of them.
    /// The host may have been started again since the last connection.
    pub(crate) fn describe(&mut self, facts: SystemFacts, user: String) {
        let clock = facts.clock();
        for source in self.sources.values_mut() {
            source.reader.set_clock(&clock);
        }
        if self.reports_host {
            self.state.lock().describe(&user, clock);
        }
        self.facts = facts;
        self.facts_pending = true;
        self.user = user;
    }

    /// Every line written before `sent` (by our clock) was read by `now`, which took `bytes`.
    pub(crate) fn read_to(&mut self, sent: Time, now: Time, bytes: u64) {
        let up_to = self.reports_host.then(|| {
            let look = Duration::from_nanos(now.0.saturating_sub(sent.0).max(0).unsigned_abs());
            self.state.lock().complete(sent, look);
            let error = self.facts.clock_error_ms.unwrap_or(0.0);
            let skew = self.facts.clock_offset_ms.unwrap_or(0.0) - error;
            sent.plus_millis(skew as i64)
        });
        self.events.push(HostEvent::ReadTo { up_to, bytes });
    }

    /// Computes how far behind all is; this connection began at `began`.
    pub(crate) fn look_behind(&mut self, now: Time, began: Time) {
        if !self.reports_host {
            return;
        }
        let unread = self
            .sources
            .iter()
            .filter(|(number, _)| self.follower.has_more(**number));
        let newest = unread.map(|(_, source)| source.last_stamp).min().flatten();
        let skew_ms = self.facts.clock_offset_ms.unwrap_or(0.0) as i64;
        self.state.lock().look_behind(now, began, newest, skew_ms);
    }

    /// Sources so far.
    #[cfg(test)]
    pub(crate) fn count_sources(&self) -> usize {
        self.sources.len()
    }

    /// Whether there is anything to follow.
    #[must_use]
    pub(crate) fn has_sources(&self) -> bool {
        !self.sources.is_empty()
    }

    /// sudo has given a shell: what kept all sources from being read is over.
    pub(crate) fn clear_problems(&mut self) {
        let mut state = self.state.lock();
        state.set_problem(ProblemKey::Privilege, None);
        drop(state);
        for number in self.numbers() {
            self.set_problem(number, None);
        }
    }

    /// sudo has refused: shows at each source why none of them is read. The host has the problem
    /// once, in place of those of the sources.
    pub(crate) fn refuse_all(&mut self, problem: &Problem) {
        for number in self.numbers() {
            self.show_problem(number, Some(problem.reason.clone()));
        }
        let mut state = self.state.lock();
        for number in self.sources.keys().copied() {
            state.set_problem(ProblemKey::Source(number), None);
            state.set_problem(ProblemKey::Tail(number), None);
        }
        for name in std::mem::take(&mut self.troubled) {
            state.set_problem(ProblemKey::Pattern(name), None);
        }
        state.set_problem(ProblemKey::Privilege, Some(problem.clone()));
    }

    fn numbers(&self) -> Vec<u32> {
        self.sources.keys().copied().collect()
    }

    /// Replaces the problem of a source, or (`None`) ends it.
    fn set_problem(&mut self, number: u32, problem: Option<Problem>) {
        let Some(source) = self.sources.get(&number) else {
            return;
        };
        let reason = problem.as_ref().map(|problem| problem.reason.clone());
        let of_host = problem.map(|problem| problem.of(&source.info.path));
        let key = ProblemKey::Source(number);
        self.state.lock().set_problem(key, of_host);
        self.show_problem(number, reason);
    }

    fn show_problem(&mut self, number: u32, problem: Option<String>) {
        let Some(source) = self.sources.get_mut(&number) else {
            return;
        };
        if source.info.problem != problem {
            source.info.problem = problem;
            self.events.push(HostEvent::Source {
                source: number,
                info: source.info.clone(),
            });
        }
    }

    /// What is to be reported, in order, ending with the state of the host where that has changed.
    pub(crate) fn take_events(&mut self) -> Vec<HostEvent> {
        if self.reports_host {
            let status = self.state.lock().take_changed_status();
            self.events.extend(status.map(HostEvent::Status));
        }
        std::mem::take(&mut self.events)
    }

    fn pieces(&mut self, number: u32, file: FileId, pieces: Vec<FilePiece>, now: Time) {
        let Some(source) = self.sources.get_mut(&number) else {
            return;
        };
        let seen = source.seen_at(now);
        source.reader.learn_from(&pieces, seen.written);
        let mut lines = Vec::with_capacity(pieces.len());
        for piece in pieces {
            match piece {
                FilePiece::Line {
                    offset,
                    bytes,
                    stored,
                } => {
                    let cursor = Cursor { file, offset };
                    lines.push(source.reader.followed_line(cursor, bytes, stored, seen));
                }
                FilePiece::Gap { from, to, reason } => {
                    source.reader.cut();
                    let before = std::mem::take(&mut lines);
                    self.events.extend(lines_event(number, before));
                    self.events.push(HostEvent::Gap {
                        source: number,
                        from,
                        to,
                        reason,
                        since: source.last_read,
                    });
                }
            }
        }
        source.last_read = Some(now);
        let stamped = lines
            .iter()
            .rev()
            .find(|line| line.time_from == TimeSource::Stamp);
        source.last_stamp = stamped.map(|line| line.time).or(source.last_stamp);
        if let Some(lines) = lines_event(number, lines) {
            self.events.push(lines);
            let stamps = Some(source.reader.format_name());
            if std::mem::replace(&mut source.info.stamps, stamps) != stamps {
                self.events.push(HostEvent::Source {
                    source: number,
                    info: source.info.clone(),
                });
            }
        }
    }

    /// A line under way: read like the others, but nothing is learnt from it, for it comes again.
    fn unfinished(&mut self, number: u32, cursor: Cursor, raw: Bytes, now: Time) {
        let Some(source) = self.sources.get(&number) else {
            return;
        };
        let mut reader = source.reader.clone();
        let line = reader.followed_line(cursor, raw, None, source.seen_at(now));
        self.events.push(HostEvent::Unfinished {
            source: number,
            line,
        });
    }

    fn set_absence(&mut self, number: u32, why: Option<FileUnavailable>) {
        let problem = why.map(|why| problem_of(&why, &self.user));
        self.set_problem(number, problem);
    }
}

/// Tells lines of a source; `None` where there are none.
fn lines_event(source: u32, mut lines: Vec<Line>) -> Option<HostEvent> {
    date_first_lines(lines.iter_mut());
    (!lines.is_empty()).then_some(HostEvent::Lines { source, lines })
}

/// Why a file is not read, and what can be done about it.
fn problem_of(absence: &FileUnavailable, user: &str) -> Problem {
    match absence {
        FileUnavailable::Missing => Problem::new(
            "no such file",
            "check the path; the file is read as soon as it appears",
        ),
        FileUnavailable::Denied(barrier) => {
            let (reason, hint) = barrier.told(user);
            Problem { reason, hint }
        }
        FileUnavailable::Special => Problem::new("not a regular file", "name a file"),
        FileUnavailable::Failing(how) => Problem::new(
            how,
            "the file system fails there: look at its mount, and at the kernel's log; it is tried again by itself",
        ),
    }
}

#[cfg(test)]
mod tests;
