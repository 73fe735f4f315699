//! Which files of a host are followed: paths as they are, patterns as often as new files may match
//! them, and where no source was named what hosts usually have.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use crate::files::follow::{FollowedLog, StartAt};
use crate::files::log_names::is_rotated;
use crate::files::patterns::{DEEPEST, MOST_FOLDERS, series_pattern};
use crate::files::rotation::RotationIndex;
use crate::files::series::{LogSeries, SeriesFile};
use crate::host::driver::follow::{BarredPattern, ExpandedPattern, FollowFiles};
use crate::host::followed_files::FollowedFiles;
use crate::host::problems::Problem;
use crate::host::sources::{MAX_SOURCES, usual_sources};
use crate::model::braces::alternatives;
use crate::model::source::{SourceKind, SourceSpec};

/// New files of patterns are noticed within this.
const EXPAND: Duration = Duration::from_secs(2);

/// After an answer that lists them, this many times as long as it took: neither a slow link nor a
/// folder with very many files may keep the host from being asked for lines.
const EXPAND_SHARE: u32 = 8;

/// Finds the files of sources.
pub(super) struct FileFinder {
    patterns: Vec<SourcePattern>,
    /// No source was named.
    is_usual: bool,
    /// Sources that want root are meant, and no others.
    as_root: bool,
    /// Last lines to begin with.
    lines: u32,
    next: Instant,
    /// Patterns that were asked for and are not answered.
    pending: u32,
    has_journal: bool,
}

/// A source that is a path or pattern, or one of the patterns that it stands for.
struct SourcePattern {
    spec: SourceSpec,
    /// What the host is asked for.
    asked: Vec<u8>,
    /// The path has a date: the log that it is a day of.
    day: Option<LogSeries>,
    /// Why it brings nothing, or not all.
    problem: Option<PatternProblem>,
    /// It has been expanded once on this connection, or is none of ours.
    is_done: bool,
    /// The host does not come back from there.
    hangs: bool,
}

impl FileFinder {
    /// For these sources; those that the host usually has where there are none.
    pub(super) fn new(wanted: &[SourceSpec], as_root: bool, lines: u32) -> Self {
        let is_usual = wanted.is_empty();
        let specs = if is_usual {
            usual_sources()
        } else {
            wanted.to_vec()
        };
        Self {
            patterns: specs.iter().flat_map(SourcePattern::all_of).collect(),
            is_usual,
            as_root,
            lines,
            next: Instant::now(),
            pending: 0,
            has_journal: false,
        }
    }

    /// Whether every pattern has been expanded, as far as the host can be asked.
    pub(super) fn is_through(&self) -> bool {
        self.patterns
            .iter()
            .all(|pattern| pattern.is_done || pattern.hangs)
    }

    /// Whether every pattern has been expanded.
    pub(super) fn is_complete(&self) -> bool {
        self.patterns.iter().all(|pattern| pattern.is_done)
    }

    /// The host has a journal that may be read.
    pub(super) fn set_journal(&mut self, has_journal: bool) {
        self.has_journal = has_journal;
    }

    /// When it is time to look for new files.
    pub(super) fn next_due(&self) -> Option<Instant> {
        (self.pending == 0).then_some(self.next)
    }

    /// Patterns are expanded again and again; plain paths are added once.
    pub(super) fn ask_when_due(
        &mut self,
        driver: &mut impl FollowFiles,
        files: &mut FollowedFiles,
        now: Instant,
    ) {
        if now < self.next || self.pending > 0 {
            return;
        }
        self.next = now + EXPAND;
        for number in 0..self.patterns.len() {
            match self.path_to_expand(number) {
                PathUse::Expand(path) => self.expand(driver, number, &path),
                PathUse::Follow(path) => self.add_path(files, number, path),
                PathUse::Nothing => self.patterns[number].is_done = true,
            }
        }
    }

    /// Usual paths are looked for and not asked for.
    fn path_to_expand(&self, number: usize) -> PathUse {
        let pattern = &self.patterns[number];
        let spec = &pattern.spec;
        let is_ours = matches!(spec.kind, SourceKind::Path(_)) && spec.as_root == self.as_root;
        let is_pattern = spec.kind.is_glob() || pattern.day.is_some();
        if is_ours && (is_pattern || (self.is_usual && !pattern.is_done)) {
            PathUse::Expand(pattern.asked.clone())
        } else if is_ours && !pattern.is_done {
            PathUse::Follow(pattern.asked.clone())
        } else {
            PathUse::Nothing
        }
    }

    fn expand(&mut self, driver: &mut impl FollowFiles, number: usize, path: &[u8]) {
        if driver.expand(u32::try_from(number).unwrap_or(u32::MAX), path) {
            self.patterns[number].hangs = false;
            self.pending += 1;
        }
    }

    fn add_path(&mut self, files: &mut FollowedFiles, number: usize, path: Vec<u8>) {
        let pattern = &mut self.patterns[number];
        pattern.is_done = true;
        let log = pattern.log(path, None);
        if !files.add_log(&pattern.spec, log, true, StartAt::LastLines(self.lines)) {
            let why = format!(
                "{}: is not followed: {MAX_SOURCES} files of a host are",
                pattern.spec.name
            );
            files.set_pattern_problem(&pattern.spec, Some(missing(&why)));
        }
    }

    /// The host does not come back from looking at a pattern.
    pub(super) fn hangs(&mut self, number: u32, files: &mut FollowedFiles) {
        if let Some(pattern) = self.patterns.get_mut(number as usize) {
            pattern.hangs = true;
            let why = format!("{}: a file system does not answer", pattern.spec.name);
            files.set_pattern_problem(&pattern.spec, Some(missing(&why)));
        }
    }

    /// What is below a folder that we may not look into.
    pub(super) fn barred(&mut self, barred: &BarredPattern, files: &mut FollowedFiles) {
        let Some(pattern) = self.patterns.get_mut(barred.pattern as usize) else {
            return;
        };
        pattern.is_done = true;
        let spec = &pattern.spec;
        if let SourceKind::Path(path) = &spec.kind {
            let (why, hint) = barred.barrier.told(&files.user);
            let reason = format!("{}: {path}: {why}", spec.name);
            files.set_pattern_problem(spec, Some(Problem { reason, hint }));
        }
    }

    /// A pattern is answered for. Where that takes long, it is not asked so often that nothing else
    /// has its turn.
    pub(super) fn answered(&mut self, took: Duration) {
        self.pending = self.pending.saturating_sub(1);
        self.next = self.next.max(Instant::now() + took * EXPAND_SHARE);
    }

    /// Follows what a pattern matches.
    pub(super) fn expanded(&mut self, expanded: &ExpandedPattern, files: &mut FollowedFiles) {
        let Some(pattern) = self.patterns.get_mut(expanded.pattern as usize) else {
            return;
        };
        let begin = begin_of_found(pattern, self.lines, files);
        pattern.is_done = true;
        let is_only = !pattern.spec.kind.is_glob();
        let logs = pattern.logs(&expanded.files);
        let others = expanded.matched.saturating_sub(expanded.files.len());
        let matched = logs.len() + others;
        let mut followed = 0;
        for log in logs {
            followed += usize::from(files.add_log(&pattern.spec, log, is_only, begin));
        }
        pattern.problem = pattern.problem_of(expanded, matched, followed);
        if self.is_usual {
            return self.none_of_the_usual(files);
        }
        let spec = pattern.spec.clone();
        files.set_pattern_problem(&spec, self.problem_of(&spec));
    }

    /// What is wrong with a source: that nothing matches only where it is so of all patterns that
    /// it stands for.
    fn problem_of(&self, spec: &SourceSpec) -> Option<Problem> {
        let of_spec = || self.patterns.iter().filter(|pattern| pattern.spec == *spec);
        let brings = of_spec().any(|pattern| {
            pattern.is_done && !matches!(pattern.problem, Some(PatternProblem::Missing(_)))
        });
        of_spec().find_map(|pattern| match &pattern.problem {
            Some(PatternProblem::Missing(problem)) if !brings => Some(problem.clone()),
            Some(PatternProblem::NotAll(problem)) => Some(problem.clone()),
            _ => None,
        })
    }

    /// A host without any of the usual logs shows its journal; without that too it says so.
    fn none_of_the_usual(&self, files: &mut FollowedFiles) {
        if !self.is_through() {
            return;
        }
        let wants_journal = files.wants_journal.take();
        if files.has_sources() {
            return;
        }
        if let (true, Some(wants_journal)) = (self.has_journal, wants_journal) {
            // Where nobody waits for it the connection is ending.
            let _ = wants_journal.send(());
            return;
        }
        let paths: Vec<String> = usual_sources().into_iter().map(|spec| spec.name).collect();
        let why = format!(
            "no log found: looked for /var/log/{} and a journal",
            paths.join(", /var/log/")
        );
        files.set_pattern_problem(&self.patterns[0].spec, Some(missing(&why)));
    }
}

/// What becomes of a path.
enum PathUse {
    Expand(Vec<u8>),
    Follow(Vec<u8>),
    Nothing,
}

/// What came into being since we looked, on this connection or before it was lost, is new from its
/// first byte.
fn begin_of_found(pattern: &SourcePattern, lines: u32, files: &mut FollowedFiles) -> StartAt {
    let has_been_looked = pattern.is_done || files.seen_whole;
    // Where we might not look what is there now may be old.
    let is_new = !files.listed.insert(pattern.spec.name.clone()) && has_been_looked;
    if is_new || files.remembers(&pattern.spec) {
        StartAt::Start
    } else {
        StartAt::LastLines(lines)
    }
}

/// Why a pattern brings nothing, or not all that it matches.
enum PatternProblem {
    Missing(Problem),
    NotAll(Problem),
}

impl SourcePattern {
    /// All patterns that a source stands for.
    fn all_of(spec: &SourceSpec) -> Vec<Self> {
        let SourceKind::Path(path) = &spec.kind else {
            return vec![Self::new(spec, Vec::new(), None)];
        };
        if spec.kind.is_glob() {
            let patterns = alternatives(path).into_iter();
            return patterns
                .map(|pattern| Self::new(spec, pattern.into_bytes(), None))
                .collect();
        }
        let day = SeriesFile::of(path.as_bytes()).map(|day| day.series);
        let asked = day
            .as_ref()
            .map_or_else(|| path.clone().into_bytes(), series_pattern);
        vec![Self::new(spec, asked, day)]
    }

    fn new(spec: &SourceSpec, asked: Vec<u8>, day: Option<LogSeries>) -> Self {
        Self {
            spec: spec.clone(),
            asked,
            day,
            problem: None,
            is_done: false,
            hangs: false,
        }
    }

    fn log(&self, path: Vec<u8>, series: Option<LogSeries>) -> FollowedLog {
        FollowedLog {
            path,
            series,
            archive: self.spec.archive.clone(),
        }
    }

    /// The logs among files: one for all files that have the date in their names, at the newest of
    /// them.
    fn logs(&self, files: &[Bytes]) -> Vec<FollowedLog> {
        let all: HashSet<&[u8]> = files.iter().map(|file| &file[..]).collect();
        if let (Some(series), SourceKind::Path(path)) = (&self.day, &self.spec.kind) {
            return vec![self.day_log(series, path.as_bytes(), files)];
        }
        let mut logs = Vec::new();
        let mut days: BTreeMap<LogSeries, (RotationIndex, &Bytes)> = BTreeMap::new();
        for file in files.iter().filter(|file| !is_rotated(file, &all)) {
            let Some(SeriesFile { series, index }) = SeriesFile::of(file) else {
                logs.push(self.log(file.to_vec(), None));
                continue;
            };
            let newest = days.entry(series).or_insert((index.clone(), file));
            if is_newer(&index, &newest.0) {
                *newest = (index, file);
            }
        }
        logs.extend(
            days.into_iter()
                .map(|(series, (_, file))| self.log(file.to_vec(), Some(series))),
        );
        logs
    }

    /// The log of a path with a date, at its newest day; the path alone where it is an old
    /// generation of another log, or there is none yet.
    fn day_log(&self, series: &LogSeries, path: &[u8], files: &[Bytes]) -> FollowedLog {
        let is_of_another = files
            .iter()
            .any(|file| series.index(file).is_none() && RotationIndex::of(file, path).is_some());
        let mut newest: Option<(RotationIndex, &Bytes)> = None;
        for file in files.iter().filter(|_| !is_of_another) {
            let Some(index) = series.index(file) else {
                continue;
            };
            if newest
                .as_ref()
                .is_none_or(|newest| is_newer(&index, &newest.0))
            {
                newest = Some((index, file));
            }
        }
        match newest {
            Some((_, file)) => self.log(file.to_vec(), Some(series.clone())),
            None if is_of_another => self.log(path.to_vec(), None),
            None => self.log(path.to_vec(), Some(series.clone())),
        }
    }

    fn problem_of(
        &self,
        expanded: &ExpandedPattern,
        matched: usize,
        followed: usize,
    ) -> Option<PatternProblem> {
        let SourceKind::Path(path) = &self.spec.kind else {
            return None;
        };
        let name = &self.spec.name;
        let more = matched.saturating_sub(followed);
        if more > 0 {
            let problem = too_many(name, path, matched, more);
            return Some(PatternProblem::NotAll(problem));
        }
        if expanded.is_cut {
            return Some(PatternProblem::NotAll(too_deep(name, path)));
        }
        if matched > 0 {
            return None;
        }
        let why = match expanded.any {
            false => format!("{name}: no file matches {path}"),
            true => format!("{name}: {path} matches only old generations, which are not followed"),
        };
        Some(PatternProblem::Missing(missing(&why)))
    }
}

/// Whether the name of a file tells that it is newer; of those whose names do not tell, the host
/// lists the one first that was written to last.
fn is_newer(index: &RotationIndex, than: &RotationIndex) -> bool {
    match (index, than) {
        (RotationIndex::Dated(date), RotationIndex::Dated(other)) => date > other,
        _ => false,
    }
}

/// What is said where `**` stands for more folders than are gone through.
fn too_deep(name: &str, path: &str) -> Problem {
    let reason = format!(
        "{name}: {path}: ** goes {DEEPEST} folders deep and through {MOST_FOLDERS} in all; what lies beyond is not followed"
    );
    Problem::new(&reason, "name the folders that have logs")
}

/// What is said of files beyond those that are followed, and what can be done.
fn too_many(name: &str, path: &str, matched: usize, more: usize) -> Problem {
    let reason = format!(
        "{name}: {path} matches {matched} files; {more} of them are not followed, for {MAX_SOURCES} of a host are, those \
         that were changed last"
    );
    let hint = "follow fewer by a narrower pattern; `search` goes through all of them";
    Problem::new(&reason, hint)
}

/// What is said of a source without files.
fn missing(why: &str) -> Problem {
    let hint = "check the path, or give others: `sources` in hosts.toml, or --hosts HOST:/PATH";
    Problem::new(why, hint)
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;
    use crate::files::follow::FollowRequest;

    /// Keeps the patterns that were asked for.
    #[derive(Default)]
    struct AskedPatterns(Vec<(u32, Vec<u8>)>);

    impl FollowFiles for AskedPatterns {
        fn request(&mut self, _: FollowRequest) {}

        fn poll(&mut self, _: usize) {}

        fn expand(&mut self, number: u32, pattern: &[u8]) -> bool {
            self.0.push((number, pattern.to_vec()));
            true
        }
    }

    fn source(path: &str) -> SourceSpec {
        SourceSpec {
            name: path.to_owned(),
            kind: SourceKind::Path(path.to_owned()),
            time: None,
            encoding: None,
            as_root: false,
            archive: None,
        }
    }

    #[test]
    fn paths_are_followed_at_once_and_patterns_when_they_are_expanded() {
        let mut asked = AskedPatterns::default();
        let mut files = FollowedFiles::default();
        let mut finder = FileFinder::new(&[source("/l/a.log"), source("/l/*.log")], false, 10);
        finder.ask_when_due(&mut asked, &mut files, Instant::now());
        assert_eq!(asked.0, [(1, b"/l/*.log".to_vec())]);
        assert_eq!((files.count_sources(), finder.is_through()), (1, false));
        let found = ExpandedPattern {
            pattern: 1,
            matched: 1,
            any: true,
            is_cut: false,
            files: vec![Bytes::from_static(b"/l/b.log")],
        };
        finder.answered(Duration::ZERO);
        finder.expanded(&found, &mut files);
        assert_eq!((files.count_sources(), finder.is_complete()), (2, true));
    }

    #[test]
    fn a_pattern_is_asked_for_again_after_its_answer_and_later_where_that_took_long() {
        let mut asked = AskedPatterns::default();
        let mut files = FollowedFiles::default();
        let mut finder = FileFinder::new(&[source("/l/*.log")], false, 10);
        let begun = Instant::now();
        finder.ask_when_due(&mut asked, &mut files, begun);
        finder.ask_when_due(&mut asked, &mut files, begun + 2 * EXPAND);
        assert_eq!((asked.0.len(), finder.next_due()), (1, None));
        finder.answered(EXPAND);
        let due = finder.next_due().expect("it is answered");
        assert!(due >= begun + EXPAND * EXPAND_SHARE);
    }

    #[test]
    fn of_a_host_with_none_of_the_usual_logs_the_journal_is_wanted() {
        let (wants_journal, mut wanted) = oneshot::channel();
        let mut files = FollowedFiles::default();
        files.wants_journal = Some(wants_journal);
        let mut finder = FileFinder::new(&[], false, 10);
        finder.set_journal(true);
        finder.ask_when_due(&mut AskedPatterns::default(), &mut files, Instant::now());
        for pattern in 0..2 {
            assert!(wanted.try_recv().is_err(), "not before all are known");
            let none = ExpandedPattern {
                pattern,
                matched: 0,
                any: false,
                is_cut: false,
                files: Vec::new(),
            };
            finder.answered(Duration::ZERO);
            finder.expanded(&none, &mut files);
        }
        assert!(wanted.try_recv().is_ok());
    }
}
