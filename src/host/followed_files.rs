//! What is remembered of a host across its connections: its sources, how far each was read, and the
//! last counters.
//!
//! Turns what the follower found into events: lines get their times here. No I/O.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{oneshot, watch};

use crate::metrics::ProcCounters;
use crate::model::cursor::{Cursor, FileId, LineRef};
use crate::model::host::SystemFacts;
use crate::model::metrics::Sample;
use crate::model::read_position::ReadPosition;
use crate::model::source::{SourceInfo, SourceKind, SourceSpec};
use crate::model::state::{HostStatus, LinkState};
use crate::model::time::{HostClock, Time, TimeSource};
use crate::parse::line_reader::{LineReader, date_first_lines};

use super::HostEvent;
use super::lag::{Lag, Unread};
use super::programs::Problems;
use crate::files::follow::{FileUnavailable, FollowOutcome, Follower, StartAt};
use crate::parse::split::FilePiece;

/// Files that one pattern may bring, and sources of one host in all: what a person can still tell
/// apart.
pub(super) const MAX_SOURCES: usize = 1000;

/// Problems that are told in the reason of a host's state; it is one line, and the others are
/// counted.
const PROBLEMS_TOLD: usize = 3;

/// Everything remembered of a host.
#[derive(Default)]
pub struct Track {
    /// How far each file was read.
    pub follower: Follower,
    /// ProcCounters of the last sample, for rates.
    pub counters: Option<ProcCounters>,
    /// File systems, as last reported.
    pub disks: Vec<crate::model::metrics::DiskUsage>,
    /// What the host said of itself.
    pub facts: SystemFacts,
    /// The login on the host and its groups, for hints.
    pub user: String,
    /// It did not come back from `df` once: it is not asked again.
    pub df_hangs: bool,
    /// It hung when its files were looked at: on the next connection nothing is touched that has
    /// not been tried.
    pub hung: bool,
    /// A bounded pass, which has no other way to show lines that it leaves out.
    pub is_bounded: bool,
    /// All that was asked for has been told of at least once.
    pub seen_whole: bool,
    facts_pending: bool,
    /// Sources whose last lines are so long that fewer were read than were asked for.
    shortened: BTreeSet<u32>,
    sources: Vec<Tracked>,
    by_path: BTreeMap<Vec<u8>, u32>,
    /// How far an earlier run was told of its sources, by their names.
    resume: Arc<BTreeMap<String, Vec<ReadPosition>>>,
    /// Why a pattern or unit brings nothing, and what can be done, by its name.
    missing: BTreeMap<String, (String, String)>,
    /// Patterns whose files could be listed once: others than those are new.
    pub(super) listed: BTreeSet<String>,
    events: Vec<HostEvent>,
    told: Option<HostStatus>,
    /// What is wrong with the way to the host, though it leads there.
    pub way: Option<HostStatus>,
    lag: Lag,
    /// Streams that have more than was told.
    pub(super) unread: Unread,
    /// What streams have to complain of.
    pub problems: Problems,
    /// What time the host has, for stamps without a zone.
    pub clock: watch::Sender<Option<HostClock>>,
    /// Tells that journals may begin: the files have their shell, and a host without named sources
    /// has none of the usual logs, but a journal.
    pub wants_journal: Option<oneshot::Sender<()>>,
}

struct Tracked {
    info: SourceInfo,
    reader: LineReader,
    last_read: Option<Time>,
    /// The stamp of the last line that has one.
    last_stamp: Option<Time>,
    hint: Option<String>,
}

impl Tracked {
    /// Learns from lines that are not told what the next may go on with.
    fn pass_over(&mut self, pieces: Vec<FilePiece>, now: Time) {
        self.reader.learn_from(&pieces, now);
        let file = FileId::default();
        for piece in pieces {
            match piece {
                FilePiece::Line { offset, bytes } => {
                    self.reader.line(Cursor { file, offset }, bytes, now);
                }
                FilePiece::Gap { .. } => self.reader.cut(),
            }
        }
    }
}

impl Track {
    /// One that goes on where an earlier run stopped.
    #[must_use]
    pub fn resuming(resume: &Arc<BTreeMap<String, Vec<ReadPosition>>>) -> Self {
        Self {
            resume: Arc::clone(resume),
            ..Self::default()
        }
    }

    /// Whether an earlier run knew files of this pattern: what it did not know of came into being
    /// since.
    #[must_use]
    pub fn remembers(&self, spec: &SourceSpec) -> bool {
        let is_of = |name: &String| {
            name.strip_prefix(&spec.name)
                .is_some_and(|rest| rest.starts_with('/'))
        };
        self.resume.keys().any(is_of)
    }

    /// Adds a file of `spec`, unless it is known; `only` where the source asked for just this file.
    /// False where there are too many.
    pub fn add_file(&mut self, spec: &SourceSpec, path: &[u8], only: bool, begin: StartAt) -> bool {
        if self.by_path.contains_key(path) {
            return true;
        }
        if self.sources.len() >= MAX_SOURCES {
            return false;
        }
        let shown = String::from_utf8_lossy(path).into_owned();
        let wanted = name_of(spec, &shown, only);
        let number = self.add_source(wanted, shown, spec.time.as_deref());
        self.by_path.insert(path.to_vec(), number);
        let name = &self.sources[number as usize].info.name;
        match self.resume.get(&**name) {
            Some(reached) => self.follower.resume(number, path.to_vec(), reached),
            None if only => self.follower.add(number, path.to_vec(), begin),
            None => self.follower.add_found(number, path.to_vec(), begin),
        }
        true
    }

    fn add_source(&mut self, wanted: String, path: String, format: Option<&str>) -> u32 {
        let taken = self
            .sources
            .iter()
            .any(|source| *source.info.name == *wanted);
        let name: Arc<str> = if taken {
            path.as_str().into()
        } else {
            wanted.into()
        };
        let info = SourceInfo {
            name,
            path: path.into(),
            problem: None,
            stamps: None,
        };
        let number = u32::try_from(self.sources.len()).unwrap_or(u32::MAX);
        self.events.push(HostEvent::Source(number, info.clone()));
        self.sources.push(Tracked {
            info,
            reader: LineReader::new(&self.facts.clock(), format),
            last_read: None,
            last_stamp: None,
            hint: None,
        });
        number
    }

    /// Notes that a pattern brings nothing, or (`None`) that it does now.
    pub fn set_missing(&mut self, spec: &SourceSpec, why: Option<String>) {
        let hint = "check the path, or give others: `sources` in hosts.toml, or --hosts HOST:/PATH";
        self.set_trouble(spec, why.map(|why| (why, hint.to_owned())));
    }

    /// The same with what can be done about it.
    pub(super) fn set_trouble(&mut self, spec: &SourceSpec, problem: Option<(String, String)>) {
        match problem {
            Some(problem) => self.missing.insert(spec.name.clone(), problem),
            None => self.missing.remove(&spec.name),
        };
    }

    /// Takes in what the follower found out at `now`.
    pub fn absorb(&mut self, now: Time) {
        for outcome in self.follower.take_outcomes() {
            match outcome {
                FollowOutcome::Pieces(number, file, pieces) => {
                    self.pieces(number, file, pieces, now);
                }
                FollowOutcome::Before(number, pieces) => {
                    if let Some(source) = self.sources.get_mut(number as usize) {
                        source.pass_over(pieces, now);
                    }
                }
                FollowOutcome::Problem(number, why) => self.problem(number, why),
                FollowOutcome::Unfinished(number, file, offset, line) => {
                    self.unfinished(number, Cursor { file, offset }, line, now);
                }
                FollowOutcome::TailRead { source, is_all } => {
                    if self.is_bounded && !is_all {
                        self.shortened.insert(source);
                    }
                }
                FollowOutcome::Begun(number, cursor, before) => {
                    let (place, length) = (
                        LineRef {
                            cursor,
                            check: None,
                        },
                        0,
                    );
                    let reached = Box::new(ReadPosition {
                        place,
                        length,
                        before,
                        time: now,
                    });
                    self.events.push(HostEvent::Begun(number, reached));
                }
            }
        }
    }

    /// A reading of the counters: rates since the one before.
    pub fn sample(&mut self, after: ProcCounters, now: Time) {
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

    /// Facts of a new connection; told with the first counters, which have the rest of them. The
    /// host may have been started again meanwhile.
    pub fn describe(&mut self, facts: SystemFacts, user: String) {
        self.facts = facts;
        let clock = self.facts.clock();
        for source in &mut self.sources {
            source.reader.set_clock(&clock);
        }
        self.clock.send_replace(Some(clock));
        self.facts_pending = true;
        self.user = user;
    }

    /// Every line written before `sent` (by our clock) has been told of at `now`, and `bytes` were
    /// read for it.
    pub fn read_to(&mut self, sent: Time, now: Time, bytes: u64) {
        let look = Duration::from_nanos(now.0.saturating_sub(sent.0).max(0).unsigned_abs());
        self.lag.complete(sent, look);
        let skew =
            self.facts.clock_offset_ms.unwrap_or(0.0) - self.facts.clock_error_ms.unwrap_or(0.0);
        self.events
            .push(HostEvent::ReadTo(sent.plus_millis(skew as i64), bytes));
    }

    /// Looks at how far behind all is; this connection began at `began`.
    pub(super) fn look_behind(&mut self, now: Time, began: Time) {
        let skew = self.facts.clock_offset_ms.unwrap_or(0.0) as i64;
        let unread = (0u32..)
            .zip(&self.sources)
            .filter(|(number, _)| self.follower.has_more(*number));
        let newest = unread.map(|(_, source)| source.last_stamp).min().flatten();
        let ours = |stamp: Time| stamp.plus_millis(-skew);
        self.lag.look(
            now,
            began,
            newest.map(ours),
            self.unread.earliest().map(ours),
        );
    }

    /// Whether there is anything to follow.
    #[must_use]
    pub fn has_sources(&self) -> bool {
        !self.sources.is_empty()
    }

    /// Sources so far.
    #[must_use]
    pub fn count_sources(&self) -> u32 {
        u32::try_from(self.sources.len()).unwrap_or(u32::MAX)
    }

    /// What kept all sources from being read is over.
    pub fn clear_problems(&mut self) {
        (0..self.count_sources()).for_each(|number| self.set_problem(number, None));
    }

    /// Sets or clears the problem of a source, with a hint.
    pub fn set_problem(&mut self, number: u32, problem: Option<(String, String)>) {
        let Some(source) = self.sources.get_mut(number as usize) else {
            return;
        };
        let (problem, hint) = problem.unzip();
        if source.info.problem != problem {
            source.info.problem = problem;
            source.hint = hint;
            self.events
                .push(HostEvent::Source(number, source.info.clone()));
        }
    }

    /// What is to be said, in order, ending with the state of the host where that has changed.
    pub fn take_events(&mut self) -> Vec<HostEvent> {
        let status = self.status();
        if self.told.as_ref() != Some(&status) {
            self.told = Some(status.clone());
            self.events.push(HostEvent::Status(status));
        }
        std::mem::take(&mut self.events)
    }

    /// The state is to be said again, for another was said meanwhile.
    pub fn forget_told(&mut self) {
        self.told = None;
    }

    /// Ok, or degraded with the first problems, what can be done about the first, and the number of
    /// others.
    fn status(&self) -> HostStatus {
        let of_way = self.way.iter().map(|way| {
            (
                way.reason.clone().unwrap_or_default(),
                way.hint.clone().unwrap_or_default(),
            )
        });
        let of_sources = self.sources.iter().filter_map(|source| {
            let problem = source.info.problem.as_ref()?;
            Some((
                format!("{}: {problem}", source.info.path),
                source.hint.clone().unwrap_or_default(),
            ))
        });
        let of_tails = self.shortened.iter().filter_map(|&number| {
            let path = &self.sources.get(number as usize)?.info.path;
            let reason = format!(
                "{path}: its last lines are so long that fewer are shown than were asked for"
            );
            Some((
                reason,
                "`logtrail-tui read --backwards` shows those before them".to_owned(),
            ))
        });
        let of_patterns = self.missing.values().cloned();
        let of_streams = self
            .problems
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let user = self.user.split(' ').next().unwrap_or_default();
        let of_streams = of_streams
            .into_values()
            .map(|problem| (problem.reason, problem.hint.replace("{user}", user)));
        let problems = of_way.chain(of_sources).chain(of_tails);
        let mut problems = problems.chain(of_patterns).chain(of_streams);
        let behind_s = self.lag.told();
        let Some((mut reason, hint)) = problems.next() else {
            return HostStatus {
                behind_s,
                ..HostStatus::plain(LinkState::Ok)
            };
        };
        for (other, _) in problems.by_ref().take(PROBLEMS_TOLD - 1) {
            reason = format!("{reason}; {other}");
        }
        let reason = match problems.count() {
            0 => reason,
            more => format!("{reason} (and {more} more)"),
        };
        let hint = Some(hint).filter(|hint| !hint.is_empty());
        let of_way = self.way.is_some();
        HostStatus {
            hint,
            reason: Some(reason),
            of_way,
            behind_s,
            ..HostStatus::plain(LinkState::Degraded)
        }
        .bounded()
    }

    fn pieces(&mut self, number: u32, file: FileId, pieces: Vec<FilePiece>, now: Time) {
        let Some(source) = self.sources.get_mut(number as usize) else {
            return;
        };
        source.reader.learn_from(&pieces, now);
        let mut lines = Vec::with_capacity(pieces.len());
        for piece in pieces {
            match piece {
                FilePiece::Line { offset, bytes } => {
                    lines.push(source.reader.line(Cursor { file, offset }, bytes, now));
                }
                FilePiece::Gap { from, to, reason } => {
                    source.reader.cut();
                    date_first_lines(lines.iter_mut());
                    if !lines.is_empty() {
                        self.events
                            .push(HostEvent::Lines(number, std::mem::take(&mut lines)));
                    }
                    self.events
                        .push(HostEvent::Gap(number, from, to, reason, source.last_read));
                }
            }
        }
        source.last_read = Some(now);
        let stamped = lines
            .iter()
            .rev()
            .find(|line| line.time_from == TimeSource::Stamp);
        source.last_stamp = stamped.map(|line| line.time).or(source.last_stamp);
        date_first_lines(lines.iter_mut());
        if !lines.is_empty() {
            self.events.push(HostEvent::Lines(number, lines));
            let stamps = Some(source.reader.format_name());
            if std::mem::replace(&mut source.info.stamps, stamps) != stamps {
                self.events
                    .push(HostEvent::Source(number, source.info.clone()));
            }
        }
    }

    /// A line under way: read like the others, but nothing is learnt from it, for it comes again.
    fn unfinished(&mut self, number: u32, cursor: Cursor, raw: Bytes, now: Time) {
        let Some(source) = self.sources.get(number as usize) else {
            return;
        };
        let line = source.reader.clone().line(cursor, raw, now);
        self.events.push(HostEvent::Unfinished(number, line));
    }

    fn problem(&mut self, number: u32, why: Option<FileUnavailable>) {
        let problem = why.map(|why| match why {
            FileUnavailable::Missing => {
                ("no such file".to_owned(), "check the path; the file is read as soon as it appears".to_owned())
            }
            FileUnavailable::Denied(barrier) => barrier.told(&self.user),
            FileUnavailable::Special => ("not a regular file".to_owned(), "name a file".to_owned()),
            FileUnavailable::Failing(how) => (
                how.to_owned(),
                "the file system fails there: look at its mount, and at the kernel's log; it is tried again by itself"
                    .to_owned(),
            ),
        });
        self.set_problem(number, problem);
    }
}

/// What the source is called that a file of `spec` is, unless the name is taken; `only` where it
/// asked for just this file.
pub(super) fn name_of(spec: &SourceSpec, path: &str, only: bool) -> String {
    let file = path.rsplit('/').next().unwrap_or(path);
    if only {
        spec.name.clone()
    } else {
        format!("{}/{file}", spec.name)
    }
}

/// The sources that are looked for on a host for which the inventory names none: what every syslog
/// writes. The journal is the last resort, for most syslog daemons write the same there.
#[must_use]
pub(super) fn usual_sources() -> Vec<SourceSpec> {
    ["/var/log/syslog", "/var/log/messages"]
        .map(|path| SourceSpec {
            name: path.rsplit('/').next().unwrap_or(path).to_owned(),
            kind: SourceKind::Path(path.to_owned()),
            time: None,
            as_root: false,
        })
        .into()
}

/// The journal of a host that has nothing else.
#[must_use]
pub(super) fn whole_journal() -> SourceSpec {
    SourceSpec {
        name: "journal".to_owned(),
        kind: SourceKind::Journal(None),
        time: None,
        as_root: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(name: &str) -> SourceSpec {
        SourceSpec {
            name: name.to_owned(),
            kind: SourceKind::Path("/log/*.log".to_owned()),
            time: None,
            as_root: false,
        }
    }

    fn names(track: &mut Track) -> Vec<String> {
        let events = track.take_events();
        let name = |event: &HostEvent| match event {
            HostEvent::Source(_, info) => Some(info.name.to_string()),
            _ => None,
        };
        events.iter().filter_map(name).collect()
    }

    #[test]
    fn files_of_a_pattern_are_named_after_it_and_told_apart() {
        let mut track = Track::default();
        track.add_file(&spec("app"), b"/a/x.log", false, StartAt::Start);
        track.add_file(&spec("app"), b"/b/x.log", false, StartAt::Start);
        track.add_file(&spec("app"), b"/a/x.log", false, StartAt::Start);
        assert_eq!(names(&mut track), ["app/x.log", "/b/x.log"]);
    }

    #[test]
    fn the_rest_of_a_record_that_comes_first_has_the_time_of_the_line_after_it() {
        let mut track = Track::default();
        track.add_file(&spec("app"), b"/a/x.log", true, StartAt::Start);
        track.take_events();
        let lines = [
            "  at Shop.main",
            "2026-01-01T00:00:00Z one",
            "  at Shop.two",
        ];
        let pieces = lines
            .map(|line| FilePiece::Line {
                offset: 0,
                bytes: line.into(),
            })
            .into();
        track.pieces(
            0,
            FileId { dev: 1, ino: 1 },
            pieces,
            Time(1_800_000_000_000_000_000),
        );
        let events = track.take_events();
        let Some(HostEvent::Lines(0, lines)) = events.first() else {
            panic!("no lines")
        };
        let stamped = lines[1].time;
        let got: Vec<_> = lines
            .iter()
            .map(|line| (line.time == stamped, line.time_from.as_str()))
            .collect();
        assert_eq!(
            got,
            [(true, "previous"), (true, "stamp"), (true, "previous")]
        );
    }

    #[test]
    fn after_a_restart_stamps_count_from_the_new_start() {
        let mut track = Track::default();
        let now = Time(1_800_000_000_000_000_000);
        let facts = |id: &str, ago_s: i64| SystemFacts {
            boot_id: Some(id.to_owned()),
            booted: Some(now.plus_millis(-1000 * ago_s)),
            ..SystemFacts::default()
        };
        track.describe(facts("a", 5000), String::new());
        track.add_file(&spec("kern"), b"/log/kern.log", true, StartAt::Start);
        let read = |track: &mut Track| {
            let pieces = vec![FilePiece::Line {
                offset: 0,
                bytes: "[   10.000000] usb 1-1: new device".into(),
            }];
            track.pieces(0, FileId { dev: 1, ino: 1 }, pieces, now);
            let lines = track
                .take_events()
                .into_iter()
                .find_map(|event| match event {
                    HostEvent::Lines(_, lines) => Some(lines),
                    _ => None,
                });
            lines.map(|lines| lines[0].time)
        };
        assert_eq!(read(&mut track), Some(now.plus_millis(-4_990_000)));
        track.describe(facts("b", 60), String::new());
        assert_eq!(read(&mut track), Some(now.plus_millis(-50_000)));
    }

    #[test]
    fn a_host_that_is_described_again_has_its_new_clock_in_all_its_sources() {
        let mut track = Track::default();
        track.add_file(&spec("app"), b"/a/x.log", true, StartAt::Start);
        let mut time = |offset: i32| {
            track.describe(
                SystemFacts {
                    utc_offset_s: Some(offset),
                    ..SystemFacts::default()
                },
                String::new(),
            );
            track.take_events();
            let piece = FilePiece::Line {
                offset: 0,
                bytes: "2026-01-01 12:00:00 one".into(),
            };
            track.pieces(
                0,
                FileId { dev: 1, ino: 1 },
                vec![piece],
                Time(1_800_000_000_000_000_000),
            );
            track.take_events().iter().find_map(|event| match event {
                HostEvent::Lines(0, lines) => Some(lines[0].time.to_timestamp().to_string()),
                _ => None,
            })
        };
        assert_eq!(time(0).as_deref(), Some("2026-01-01T12:00:00Z"));
        assert_eq!(time(3600).as_deref(), Some("2026-01-01T11:00:00Z"));
    }

    #[test]
    fn a_problem_degrades_the_host_until_it_is_gone() {
        let mut track = Track::default();
        track.add_file(&spec("app"), b"/a/x.log", true, StartAt::Start);
        assert_eq!(track.status(), HostStatus::plain(LinkState::Ok));
        track.problem(0, Some(FileUnavailable::Missing));
        assert_eq!(
            track.status().reason.as_deref(),
            Some("/a/x.log: no such file")
        );
        track.set_missing(&spec("web"), Some("no file matches /w/*".to_owned()));
        assert_eq!(
            track.status().reason.as_deref(),
            Some("/a/x.log: no such file; no file matches /w/*")
        );
        track.set_missing(&spec("db"), Some("no file matches /d/*".to_owned()));
        track.set_missing(&spec("mail"), Some("no file matches /m/*".to_owned()));
        assert!(
            track
                .status()
                .reason
                .is_some_and(|reason| reason.ends_with(" (and 1 more)"))
        );
        track.set_missing(&spec("db"), None);
        track.set_missing(&spec("mail"), None);
        track.problem(0, None);
        track.set_missing(&spec("web"), None);
        assert_eq!(track.status(), HostStatus::plain(LinkState::Ok));
        track.way = Some(HostStatus::because(
            LinkState::HostKeyChanged,
            "jump host b: its key has changed",
            "ask",
        ));
        assert_eq!(
            track.status(),
            HostStatus {
                of_way: true,
                ..HostStatus::because(
                    LinkState::Degraded,
                    "jump host b: its key has changed",
                    "ask"
                )
            }
        );
    }
}
