//! Finds the log that a rotated file belongs to, among the names of many logs, without looking at
//! all of them. [`RotationIndex`] knows what a name says of a generation.

use std::collections::HashSet;

use super::rotation::{RotationIndex, before_numbers, name_start, separates, without_endings};

/// Paths of live files.
#[derive(Debug, Clone, Default)]
pub struct LogNames(HashSet<Vec<u8>>);

impl FromIterator<Vec<u8>> for LogNames {
    fn from_iter<I: IntoIterator<Item = Vec<u8>>>(paths: I) -> Self {
        Self(paths.into_iter().collect())
    }
}

impl LogNames {
    /// One more.
    pub fn insert(&mut self, path: Vec<u8>) {
        self.0.insert(path);
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it is the path of one of them.
    #[must_use]
    pub fn contains(&self, path: &[u8]) -> bool {
        self.0.contains(path)
    }

    /// The log that a file is a generation of by its name, and which; of several that with the
    /// longest path: with both, `app.log-20261120.1` is of `app.log-20261120` and not of `app.log`.
    #[must_use]
    pub fn log_of(&self, file: &[u8]) -> Option<(&[u8], RotationIndex)> {
        let known = logs_that_fit(file)
            .into_iter()
            .filter_map(|path| self.0.get(&path));
        let fits = known.filter_map(|log| Some((&log[..], RotationIndex::of(log, file)?)));
        fits.max_by_key(|(log, _)| log.len())
    }
}

/// The paths of all logs that a file may be a generation of by its name, and some more.
fn logs_that_fit(file: &[u8]) -> Vec<Vec<u8>> {
    let name = without_endings(file);
    let start = name_start(file);
    let mut logs = vec![file.to_vec(), name.to_vec()];
    logs.extend(where_numbers_begin(name, start).map(|at| name[..at].to_vec()));
    // With numbers before its extension.
    if let Some(dot) = name
        .iter()
        .rposition(|&byte| byte == b'.')
        .filter(|&dot| dot > start)
    {
        logs.extend(
            where_numbers_begin(&name[..dot], start).map(|at| [&name[..at], &name[dot..]].concat()),
        );
    }
    logs
}

/// The places from which on a name has nothing but numbers and what separates them.
fn where_numbers_begin(name: &[u8], start: usize) -> impl Iterator<Item = usize> {
    (before_numbers(name).max(start)..name.len()).filter(|&at| separates(&name[at]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_rotated_file_belongs_to_the_log_with_the_longest_name_that_fits() {
        let logs = ["/l/app.log", "/l/app.log-20261120", "/l/web.log", "/l/a"]
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
            ("/l/a", Some("/l/a")),
            ("/k/a.1", None),
        ] {
            let found = logs
                .log_of(file.as_bytes())
                .map(|(log, _)| String::from_utf8_lossy(log).into_owned());
            assert_eq!(found.as_deref(), expected, "{file}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]
        #[test]
        fn it_finds_what_looking_at_every_log_finds(
            logs in prop::collection::vec("(/[al]/)?[ab.]{1,3}([-._][12]{1,8}){0,2}(\\.gz)?", 1..6),
            at in any::<prop::sample::Index>(),
            added in "([-._]?[0-9]{0,8}){0,3}(\\.(log|gz|zst|backup)){0,2}",
        ) {
            let file = format!("{}{added}", at.get(&logs)).into_bytes();
            let every = logs.iter().filter(|log| RotationIndex::of(log.as_bytes(), &file).is_some());
            let expected = every.map(String::len).max();
            let names: LogNames = logs.iter().map(|log| log.clone().into_bytes()).collect();
            prop_assert_eq!(names.log_of(&file).map(|(log, _)| log.len()), expected);
        }
    }
}
