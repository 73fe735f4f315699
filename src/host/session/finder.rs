//! Which files of a host are followed: paths as they are, patterns as often as new files may match
//! them, and where no source was named what hosts usually have.

use std::time::Duration;

use tokio::time::Instant;

use crate::files::follow::StartAt;
use crate::host::driver::follow::{BarredPattern, ExpandedPattern, FollowFiles};
use crate::host::followed_files::FollowedFiles;
use crate::host::problems::Problem;
use crate::host::sources::{MAX_SOURCES, usual_sources};
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

/// A source that is a path or pattern.
struct SourcePattern {
    spec: SourceSpec,
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
        let pattern = |spec| SourcePattern {
            spec,
            is_done: false,
            hangs: false,
        };
        Self {
            patterns: specs.into_iter().map(pattern).collect(),
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
                PathUse::Expand(path) => self.expand(driver, number, path.as_bytes()),
                PathUse::Follow(path) => self.add_path(files, number, path.as_bytes()),
                PathUse::Nothing => self.patterns[number].is_done = true,
            }
        }
    }

    /// Usual paths are looked for and not asked for.
    fn path_to_expand(&self, number: usize) -> PathUse {
        let SourcePattern { spec, is_done, .. } = &self.patterns[number];
        match &spec.kind {
            SourceKind::Path(path) if spec.as_root == self.as_root => {
                if spec.kind.is_glob() || (self.is_usual && !is_done) {
                    PathUse::Expand(path.clone())
                } else if *is_done {
                    PathUse::Nothing
                } else {
                    PathUse::Follow(path.clone())
                }
            }
            _ => PathUse::Nothing,
        }
    }

    fn expand(&mut self, driver: &mut impl FollowFiles, number: usize, path: &[u8]) {
        if driver.expand(u32::try_from(number).unwrap_or(u32::MAX), path) {
            self.patterns[number].hangs = false;
            self.pending += 1;
        }
    }

    fn add_path(&mut self, files: &mut FollowedFiles, number: usize, path: &[u8]) {
        let pattern = &mut self.patterns[number];
        pattern.is_done = true;
        if !files.add_file(&pattern.spec, path, true, StartAt::LastLines(self.lines)) {
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
        let spec = &pattern.spec;
        let is_only = !spec.kind.is_glob();
        let mut followed = 0;
        for file in &expanded.files {
            followed += usize::from(files.add_file(spec, file, is_only, begin));
        }
        if self.is_usual {
            self.none_of_the_usual(files);
        } else {
            files.set_pattern_problem(spec, problem_of_pattern(spec, expanded, followed));
        }
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
    Expand(String),
    Follow(String),
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
fn problem_of_pattern(
    spec: &SourceSpec,
    expanded: &ExpandedPattern,
    followed: usize,
) -> Option<Problem> {
    let SourceKind::Path(path) = &spec.kind else {
        return None;
    };
    let name = &spec.name;
    let more = expanded.matched.saturating_sub(followed);
    if more > 0 {
        return Some(too_many(name, path, expanded.matched, more));
    }
    match (expanded.files.len(), expanded.any) {
        (0, false) => Some(missing(&format!("{name}: no file matches {path}"))),
        (0, true) => Some(missing(&format!(
            "{name}: {path} matches only old generations, which are not followed"
        ))),
        _ => None,
    }
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
    use bytes::Bytes;
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
                files: Vec::new(),
            };
            finder.answered(Duration::ZERO);
            finder.expanded(&none, &mut files);
        }
        assert!(wanted.try_recv().is_ok());
    }
}
