//! Finds the log that a rotated file belongs to, among the names of many logs, without looking at
//! all of them. [`RotationIndex`] knows what a name says of a generation.

use std::collections::HashSet;

use crate::model::log_file::archive_endings;

use super::rotation::{
    RotationIndex, name_start, parts, separates, supervised_log, without_endings,
};
use super::series::{LogSeries, SeriesFile};

/// Paths of live files.
#[derive(Debug, Clone, Default)]
pub struct LogNames {
    paths: HashSet<Vec<u8>>,
    /// The same without their extensions.
    stems: HashSet<Vec<u8>>,
    /// Of those that have the date in their names.
    series: HashSet<LogSeries>,
}

impl FromIterator<Vec<u8>> for LogNames {
    fn from_iter<I: IntoIterator<Item = Vec<u8>>>(paths: I) -> Self {
        let mut names = Self::default();
        paths.into_iter().for_each(|path| names.insert(path));
        names
    }
}

impl LogNames {
    /// One more.
    pub fn insert(&mut self, path: Vec<u8>) {
        self.stems.insert(parts(&path).0.to_vec());
        self.series
            .extend(SeriesFile::of(&path).map(|day| day.series));
        self.paths.insert(path);
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.paths.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// Whether it is the path of one of them.
    #[must_use]
    pub fn contains(&self, path: &[u8]) -> bool {
        self.paths.contains(path)
    }

    /// Whether a file is another day of one that has the date in its name, compressed or not.
    #[must_use]
    pub fn has_day(&self, file: &[u8]) -> bool {
        let day = SeriesFile::of(without_endings(file));
        day.is_some_and(|day| self.series.contains(&day.series))
    }

    /// Whether a file begins as one of them does before its extension.
    #[must_use]
    pub fn are_begun_like(&self, file: &[u8]) -> bool {
        let start = name_start(file);
        let end = file.len().min(start + LONGEST_NAME);
        (start..end)
            .filter(|&at| separates(&file[at]))
            .any(|at| self.stems.contains(&file[..at]))
    }

    /// The log that a file is a generation of by its name, and which; of several that with the
    /// longest path: with both, `app.log-20261120.1` is of `app.log-20261120` and not of `app.log`.
    #[must_use]
    pub fn log_of(&self, file: &[u8]) -> Option<(&[u8], RotationIndex)> {
        let known = logs_that_fit(file)
            .into_iter()
            .filter_map(|path| self.paths.get(&path));
        let fits = known.filter_map(|log| Some((&log[..], RotationIndex::of(log, file)?)));
        fits.max_by_key(|(log, _)| log.len())
    }
}

/// Whether a file is an old generation of another one of those that a pattern matches, which is
/// read when it is one and not followed by itself; or is compressed. A name with a date and no
/// other file is a log of its own.
#[must_use]
pub fn is_rotated(file: &[u8], all: &HashSet<&[u8]>) -> bool {
    if archive_endings().any(|ending| file.ends_with(ending.as_bytes())) {
        return true;
    }
    logs_that_fit(file)
        .iter()
        .filter(|log| log[..] != *file && all.contains(&log[..]))
        .any(|log| RotationIndex::of(log, file).is_some())
}

/// The longest name that a file system has, and the most extensions that are tried: what a host
/// sends is no longer, or is no file.
const LONGEST_NAME: usize = 255;
const MOST_EXTENSIONS: usize = 3;

/// The paths of all logs that a file may be a generation of by its name, and some more.
fn logs_that_fit(file: &[u8]) -> Vec<Vec<u8>> {
    let name = without_endings(file);
    let start = name_start(name);
    let mut logs = vec![file.to_vec(), name.to_vec()];
    if name.len() - start > LONGEST_NAME {
        return logs;
    }
    logs.extend(supervised_log(name));
    let separators = (start..name.len()).filter(|&at| separates(&name[at]));
    for at in separators {
        logs.push(name[..at].to_vec());
        // With numbers before its extension.
        let extensions = extensions(&name[at..]).map(|extension| [&name[..at], extension].concat());
        logs.extend(extensions);
    }
    logs
}

/// The last parts of a name that may be extensions, each with its dot.
fn extensions(name: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = name;
    let next = move || {
        let dot = memchr::memrchr(b'.', rest)?;
        let (before, extension) = rest.split_at(dot);
        rest = before;
        Some(extension)
    };
    std::iter::from_fn(next)
        .filter(|extension| !extension[1..].iter().all(u8::is_ascii_digit))
        .take(MOST_EXTENSIONS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_rotated_file_belongs_to_the_log_with_the_longest_name_that_fits() {
        let logs = [
            "/l/app.log",
            "/l/app.log-20261120",
            "/l/web.log",
            "/l/a",
            "/l/current",
        ]
        .map(|path| path.as_bytes().to_vec());
        let logs: LogNames = logs.into_iter().collect();
        for (file, expected) in [
            ("/l/app.log.1", Some("/l/app.log")),
            ("/l/app.log-20261120.1", Some("/l/app.log-20261120")),
            ("/l/app.log-20261121.gz", Some("/l/app.log")),
            ("/l/app-20261121.log.xz", Some("/l/app.log")),
            ("/l/web.3.log", Some("/l/web.log")),
            ("/l/web-3.log", None),
            ("/l/a.2026-11-20-130000.backup", Some("/l/a")),
            (
                "/l/app-2026-11-21T11-49-22.459.log.1.gz",
                Some("/l/app.log"),
            ),
            ("/l/app.log.old", Some("/l/app.log")),
            ("/l/app.log-import.csv", None),
            ("/l/app-worker.log", None),
            ("/l/@400000006734a1b20bebc200.s", Some("/l/current")),
            ("/l/a", Some("/l/a")),
            ("/k/a.1", None),
        ] {
            let found = logs
                .log_of(file.as_bytes())
                .map(|(log, _)| String::from_utf8_lossy(log).into_owned());
            assert_eq!(found.as_deref(), expected, "{file}");
        }
    }

    #[test]
    fn old_generations_and_compressed_files_are_told_from_logs() {
        let all = [
            "/l/app.log",
            "/l/app.log.1",
            "/l/app.log-20261120",
            "/l/web-2.log",
            "/l/x.1",
        ];
        let all: HashSet<&[u8]> = all.iter().map(|path| path.as_bytes()).collect();
        for (file, rotated) in [
            ("/l/app.log", false),
            ("/l/app.log.1", true),
            ("/l/app.log-20261120", true),
            ("/l/app.log.2.gz", true),
            ("/l/app.lz4", true),
            ("/l/web-2.log", false),
            ("/l/app-20261119.log", true),
            ("/l/app.log.bak", true),
            ("/l/x.1", false),
            ("/l/", false),
        ] {
            assert_eq!(is_rotated(file.as_bytes(), &all), rotated, "{file}");
        }
    }

    #[test]
    fn other_days_of_a_log_are_known_compressed_too() {
        let names: LogNames = [b"/l/app-2026-11-28.log".to_vec()].into_iter().collect();
        assert!(names.has_day(b"/l/app-2026-11-27.log.gz"));
        assert!(!names.has_day(b"/l/web-2026-11-27.log.gz") && !names.has_day(b"/l/app.log"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]
        #[test]
        fn it_finds_what_looking_at_every_log_finds(
            logs in prop::collection::vec("(/[al]/)?[ab.]{1,3}([-._][12]{1,8}){0,2}(\\.gz)?", 1..6),
            at in any::<prop::sample::Index>(),
            added in "([-._]?([0-9]{0,8}|old|2026-11-20T10)){0,3}(\\.(log|gz|zst|backup)){0,2}(\\.1)?",
        ) {
            let file = format!("{}{added}", at.get(&logs)).into_bytes();
            let every = logs.iter().filter(|log| RotationIndex::of(log.as_bytes(), &file).is_some());
            let expected = every.map(String::len).max();
            let names: LogNames = logs.iter().map(|log| log.clone().into_bytes()).collect();
            prop_assert_eq!(names.log_of(&file).map(|(log, _)| log.len()), expected);
        }
    }
}
