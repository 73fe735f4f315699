//! Which files are one log, and in which order: the live file and its generations, oldest first.
//! Names and times only; nothing is read. A log that is a symlink has its generations next to its
//! target: under an [`Alias`](super::alias::Alias).

use std::collections::{BTreeMap, HashSet};

use crate::files::log_names::{LogNames, is_rotated};
use crate::files::rotation::{RotationIndex, name_start, separates, without_endings};
use crate::files::series::{LogSeries, SeriesFile};
use crate::model::log_file::{Compression, LogFile};

use super::alias::Aliases;

/// A log: where it is written to (or was), and its files, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chain {
    /// Of the live file, whether there is one or not.
    pub(super) path: Vec<u8>,
    /// Oldest first, every generation once.
    pub(super) files: Vec<LogFile>,
}

/// A file of a log other than the live one.
struct Older {
    generation: RotationIndex,
    /// The alias whose generation it is, if not the log's own.
    alias: Option<Vec<u8>>,
    file: LogFile,
}

/// Equal for two forms of one generation: the file, and the same compressed.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct GenerationKey {
    generation: RotationIndex,
    alias: Option<Vec<u8>>,
    /// Without the endings of compressed files.
    name: Vec<u8>,
}

impl GenerationKey {
    fn of(older: &Older) -> Self {
        // A compressed file with the name of the log is no second form of it.
        let name = match older.generation {
            RotationIndex::Live => &older.file.path[..],
            _ => without_endings(&older.file.path),
        };
        Self {
            generation: older.generation.clone(),
            alias: older.alias.clone(),
            name: name.to_vec(),
        }
    }

    /// Whether the name tells how old it is.
    fn tells_age(&self) -> bool {
        !matches!(
            self.generation,
            RotationIndex::Live | RotationIndex::Undated
        )
    }

    /// Whether the names tell which of two is older.
    fn compares_with(&self, other: &Self) -> bool {
        let kind = std::mem::discriminant(&self.generation);
        kind == std::mem::discriminant(&other.generation) && self.alias == other.alias
    }
}

/// The files of a log.
#[derive(Default)]
struct Members {
    live: Option<LogFile>,
    older: Vec<Older>,
}

impl Members {
    fn into_chain(self, path: Vec<u8>) -> Chain {
        Chain {
            path,
            files: self.in_order(),
        }
    }

    /// Oldest first: by their names, or where these cannot be compared, by when they were written
    /// to. One whose name does not tell its age has its place among the others by that time.
    fn in_order(self) -> Vec<LogFile> {
        let once = each_generation_once(self.older);
        let (telling, others): (Vec<_>, Vec<_>) =
            once.into_iter().partition(|(key, _)| key.tells_age());
        let is_mixed = telling
            .windows(2)
            .any(|pair| !pair[0].0.compares_with(&pair[1].0));
        let mut files: Vec<LogFile> = telling.into_iter().map(|(_, file)| file).collect();
        if is_mixed {
            files.sort_by_key(|file| file.modified);
        }
        let mut files = by_their_times(files, others.into_iter().map(|(_, file)| file).collect());
        files.extend(self.live);
        each_file_once(files)
    }
}

/// Puts files among others that are in order, each before the first that was written to later.
fn by_their_times(files: Vec<LogFile>, mut others: Vec<LogFile>) -> Vec<LogFile> {
    others.sort_by_key(|file| file.modified);
    let mut others = others.into_iter().peekable();
    let mut all = Vec::new();
    for file in files {
        while let Some(other) = others.next_if(|other| other.modified <= file.modified) {
            all.push(other);
        }
        all.push(file);
    }
    all.extend(others);
    all
}

/// While a generation is being compressed it is there twice; the plain file is whole.
fn each_generation_once(older: Vec<Older>) -> BTreeMap<GenerationKey, LogFile> {
    let mut once: BTreeMap<GenerationKey, LogFile> = BTreeMap::new();
    for older in older {
        let key = GenerationKey::of(&older);
        let is_plain = older.file.compression == Compression::Plain;
        let known = once.get(&key);
        if known.is_none_or(|known| is_plain && known.compression != Compression::Plain) {
            once.insert(key, older.file);
        }
    }
    once
}

/// One file under two names is one generation: the younger.
fn each_file_once(mut files: Vec<LogFile>) -> Vec<LogFile> {
    let mut seen = HashSet::new();
    files.reverse();
    files.retain(|file| file.id.ino == 0 || seen.insert(file.id));
    files.reverse();
    files
}

/// The files that logs are made of.
#[derive(Debug, Default)]
pub(super) struct Listed {
    /// Matches of the path or pattern, and their siblings.
    pub(super) own: Vec<LogFile>,
    /// What lies next to the targets of its symlinks.
    pub(super) linked: Vec<LogFile>,
    pub(super) aliases: Aliases,
}

/// The log with this live file.
pub(super) fn of_path(path: &[u8], listed: Listed) -> Chain {
    let aliases = &listed.aliases;
    let names: LogNames = aliases.keys().cloned().chain([path.to_vec()]).collect();
    let mut members = Members::default();
    for file in listed.own.into_iter().chain(listed.linked) {
        if file.path == path {
            members.live = Some(file);
        } else {
            let older = member(&names, aliases, file);
            members.older.extend(older.map(|(_, older)| older));
        }
    }
    members.into_chain(path.to_vec())
}

/// Finds the log that a file is an older generation of.
fn member(names: &LogNames, aliases: &Aliases, file: LogFile) -> Option<(Vec<u8>, Older)> {
    let (name, generation) = names.log_of(&file.path)?;
    let (log, alias) = match aliases.get(name) {
        None => (name.to_vec(), None),
        Some(alias) if alias.has(&generation) => (alias.log.clone(), Some(name.to_vec())),
        Some(_) => return None,
    };
    let older = Older {
        generation,
        alias,
        file,
    };
    Some((log, older))
}

/// The logs among the files that a pattern brings, in the order of their paths.
pub(super) fn of_pattern(listed: Listed) -> Vec<Chain> {
    let lives = live_paths(&listed);
    let aliases = &listed.aliases;
    let names: LogNames = lives.iter().chain(aliases.keys()).cloned().collect();
    let mut logs: BTreeMap<Vec<u8>, Members> = BTreeMap::new();
    for file in listed.own {
        if !lives.contains(&file.path) {
            let (log, older) =
                member(&names, aliases, file.clone()).unwrap_or_else(|| without_log(file));
            logs.entry(series_of_log(log))
                .or_default()
                .older
                .push(older);
        } else if let Some((series, older)) = day_of_series(&file) {
            logs.entry(series).or_default().older.push(older);
        } else {
            let path = file.path.clone();
            logs.entry(path).or_default().live = Some(file);
        }
    }
    let linked = listed.linked.into_iter();
    for (log, older) in linked.filter_map(|file| member(&names, aliases, file)) {
        logs.entry(log).or_default().older.push(older);
    }
    logs.into_iter()
        .map(|(path, members)| members.into_chain(path))
        .collect()
}

/// The days of the log that this file is one of; the path stands for all of them.
pub(super) fn of_series(series: &LogSeries, listed: Listed) -> Chain {
    let mut members = Members::default();
    for file in listed.own {
        if let Some(generation) = series.index(&file.path) {
            members.older.push(Older {
                generation,
                alias: None,
                file,
            });
        }
    }
    members.into_chain(series.path())
}

/// A file of a log that has the date in its own name.
fn day_of_series(file: &LogFile) -> Option<(Vec<u8>, Older)> {
    let SeriesFile { series, index } = SeriesFile::of(without_endings(&file.path))?;
    let older = Older {
        generation: index,
        alias: None,
        file: file.clone(),
    };
    Some((series.path(), older))
}

/// The path of a log: what stands for all days, where this is one of them.
fn series_of_log(log: Vec<u8>) -> Vec<u8> {
    SeriesFile::of(&log).map_or(log, |day| day.series.path())
}

/// The paths of files that are no old generation of another one.
fn live_paths(listed: &Listed) -> HashSet<Vec<u8>> {
    let own = || listed.own.iter().map(|file| &file.path[..]);
    // A file that is newer than the target of a link is not a generation of that link.
    let whole_aliases = listed
        .aliases
        .iter()
        .filter(|(_, alias)| alias.before.is_none())
        .map(|(path, _)| &path[..]);
    let all: HashSet<&[u8]> = own().chain(whole_aliases).collect();
    own()
        .filter(|path| !is_rotated(path, &all))
        .map(<[u8]>::to_vec)
        .collect()
}

/// A generation whose live log does not exist.
fn without_log(file: LogFile) -> (Vec<u8>, Older) {
    if let Some(day) = day_of_series(&file) {
        return day;
    }
    let log = stem(&file.path).to_vec();
    let older = Older {
        generation: RotationIndex::of(&log, &file.path).unwrap_or(RotationIndex::Live),
        alias: None,
        file,
    };
    (log, older)
}

/// The path of the live file that a generation had, by its own path.
fn stem(file: &[u8]) -> &[u8] {
    (name_start(file) + 1..file.len())
        .filter(|&at| separates(&file[at]))
        .map(|at| &file[..at])
        .find(|log| RotationIndex::of(log, file).is_some())
        .unwrap_or(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::listing::LogLink;
    use crate::host::search::alias;
    use crate::model::cursor::FileId;
    use crate::model::time::Time;

    fn file(number: usize, path: &str) -> LogFile {
        let id = FileId {
            dev: 1,
            ino: number as u64 + 1,
        };
        let modified = Time(number as i64);
        LogFile {
            path: path.into(),
            id,
            size: 1,
            modified,
            compression: Compression::of_name(path.as_bytes()),
        }
    }

    fn files(paths: &[&str]) -> Vec<LogFile> {
        paths
            .iter()
            .enumerate()
            .map(|(number, path)| file(number, path))
            .collect()
    }

    fn listed_of(paths: &[&str]) -> Listed {
        Listed {
            own: files(paths),
            ..Listed::default()
        }
    }

    fn aliases(links: &[(&str, &str)]) -> Aliases {
        let link = |(path, target): &(&str, &str)| LogLink {
            path: (*path).into(),
            target: (*target).into(),
        };
        links
            .iter()
            .flat_map(|pair| alias::aliases_of(&link(pair)))
            .collect()
    }

    fn names(chain: &Chain) -> Vec<String> {
        chain
            .files
            .iter()
            .map(|file| String::from_utf8_lossy(&file.path).into_owned())
            .collect()
    }

    #[test]
    fn generations_of_a_log_are_in_the_order_of_their_age() {
        for (listed, expected) in [
            (
                &["/l/a", "/l/a.10.gz", "/l/a.2.gz", "/l/a.1"][..],
                &["/l/a.10.gz", "/l/a.2.gz", "/l/a.1", "/l/a"][..],
            ),
            (
                &["/l/a-20261120", "/l/a-20261119.xz", "/l/a"],
                &["/l/a-20261119.xz", "/l/a-20261120", "/l/a"],
            ),
            (
                &["/l/a.2026-11-20", "/l/a.2026-11-19", "/l/a"],
                &["/l/a.2026-11-19", "/l/a.2026-11-20", "/l/a"],
            ),
            // By time: no two ages can be compared.
            (
                &["/l/a-20261120.gz", "/l/a.1", "/l/a.backup", "/l/a"],
                &["/l/a-20261120.gz", "/l/a.1", "/l/a.backup", "/l/a"],
            ),
            // While it is packed.
            (
                &["/l/a.1.gz", "/l/a.1", "/l/a", "/l/a.2.gz"],
                &["/l/a.2.gz", "/l/a.1", "/l/a"],
            ),
            // Logs of their own, and what is none.
            (
                &["/l/a", "/l/ab", "/l/a.conf", "/l/a.1.swp", "/l/a.1"],
                &["/l/a.1", "/l/a"],
            ),
            (&["/l/a.1", "/l/a.2"], &["/l/a.2", "/l/a.1"]),
        ] {
            assert_eq!(names(&of_path(b"/l/a", listed_of(listed))), expected);
        }
        let chain = of_path(
            b"/l/a.log",
            listed_of(&[
                "/l/a.log",
                "/l/a-20261120.log.gz",
                "/l/a-2.log",
                "/l/a.1.log",
            ]),
        );
        assert_eq!(
            names(&chain),
            ["/l/a-20261120.log.gz", "/l/a.1.log", "/l/a.log"]
        );
    }

    #[test]
    fn a_log_that_is_a_symlink_has_the_generations_of_what_it_leads_to() {
        for (target, linked, expected) in [
            (
                "/r/a",
                &["/r/a.2.gz", "/r/a.10", "/r/a.1", "/r/ab"][..],
                &["/r/a.10", "/r/a.2.gz", "/r/a.1"][..],
            ),
            // One of its own was written to before the others.
            (
                "/r/a",
                &["/r/a.1", "/r/a-20261120"],
                &["/l/a.1", "/r/a.1", "/r/a-20261120"],
            ),
            // What the link leads to has a date: the days before are older.
            (
                "/r/x-20261120.log",
                &[
                    "/r/x-20261118.log.gz",
                    "/r/x-20261121.log",
                    "/r/x-20261119.log",
                    "/r/y-20261118.log",
                ],
                &["/r/x-20261118.log.gz", "/r/x-20261119.log"],
            ),
            (
                "/r/x.log.2026-11-20",
                &["/r/x.log.2026-11-19", "/r/x.log.2026-11-21"],
                &["/r/x.log.2026-11-19"],
            ),
            (
                "/r/x-20261120.log",
                &["/r/x-20261120.log.2", "/r/x-20261120.log.1"],
                &["/r/x-20261120.log.2", "/r/x-20261120.log.1"],
            ),
            // Another process, by the number before the date.
            (
                "/r/x-1-20261120.log",
                &[
                    "/r/x-0-20261119.log",
                    "/r/x-0-20261121.log",
                    "/r/x-1-20261119.log",
                    "/r/x-1-20261121.log",
                ],
                &["/r/x-1-20261119.log"],
            ),
            (
                "/r/x-20261120.log",
                &["/r/x-1-20261119.log", "/r/x-20261119.log"],
                &["/r/x-20261119.log"],
            ),
            ("/r/x-123457.log", &["/r/x-123456.log"], &[]),
            (
                "/r/x-1795188137.log",
                &["/r/x-1795188136.log"],
                &["/r/x-1795188136.log"],
            ),
            // A number alone may well be that of another process.
            (
                "/r/x.2.log",
                &["/r/x.1.log", "/r/x.2.log.1"],
                &["/r/x.2.log.1"],
            ),
            ("/l/a-20261120", &["/l/a-20261119"], &["/l/a-20261119"]),
        ] {
            let aliases = aliases(&[("/l/a", target)]);
            let mut own = files(&["/l/a.1", "/l/a"]);
            own.truncate(2);
            if !expected.contains(&"/l/a.1") {
                own.remove(0);
            }
            let linked = linked
                .iter()
                .zip(2..)
                .map(|(path, number)| file(number, path))
                .collect();
            let expected: Vec<&str> = expected.iter().copied().chain(["/l/a"]).collect();
            for is_pattern in [false, true] {
                let (own, linked, aliases) = (own.clone(), Vec::clone(&linked), aliases.clone());
                let listed = Listed {
                    own,
                    linked,
                    aliases,
                };
                let found = if is_pattern {
                    of_pattern(listed)
                } else {
                    vec![of_path(b"/l/a", listed)]
                };
                assert_eq!(
                    found.iter().map(names).collect::<Vec<_>>(),
                    [&expected[..]],
                    "{target} {is_pattern}"
                );
            }
        }
    }

    #[test]
    fn of_links_and_logs_that_a_pattern_brings_each_has_its_own() {
        let aliases = aliases(&[
            ("/l/1-new.log", "/r/x-20261121.log"),
            ("/l/2-pod.log", "/r/0.log"),
        ]);
        let linked = [
            "/r/x-20261120.log",
            "/r/0.log.20261120-130000.gz",
            "/r/x-20261122.log",
            "/r/0.logger",
        ];
        let linked = linked
            .iter()
            .zip(10..)
            .map(|(path, number)| file(number, path))
            .collect();
        let own = files(&[
            "/l/1-new.log",
            "/l/2-pod.log",
            "/l/a.log",
            "/l/a.log.1",
            "/l/2-pod.log.1",
        ]);
        let found = of_pattern(Listed {
            own,
            linked,
            aliases,
        });
        let found: Vec<Vec<String>> = found.iter().map(names).collect();
        assert_eq!(found[0], ["/r/x-20261120.log", "/l/1-new.log"]);
        assert_eq!(
            found[1],
            [
                "/l/2-pod.log.1",
                "/r/0.log.20261120-130000.gz",
                "/l/2-pod.log"
            ],
            "by their times"
        );
        assert_eq!(found[2], ["/l/a.log.1", "/l/a.log"]);
        assert_eq!(found.len(), 3);
        // A newer day than that to which the link leads is a log of its own.
        let aliases = self::aliases(&[("/r/new.log", "/r/x-20261120.log")]);
        let own = files(&["/r/new.log", "/r/x-20261121.log"]);
        let linked = vec![file(10, "/r/x-20261119.log")];
        let found: Vec<Vec<String>> = of_pattern(Listed {
            own,
            linked,
            aliases,
        })
        .iter()
        .map(names)
        .collect();
        assert_eq!(
            found,
            [
                vec!["/r/x-20261119.log", "/r/new.log"],
                vec!["/r/x-20261121.log"]
            ]
        );
    }

    #[test]
    fn one_file_under_two_names_is_one_generation() {
        let mut listed = files(&["/l/a", "/l/a.1", "/l/a.2"]);
        listed[1].id = listed[0].id;
        let listed = Listed {
            own: listed,
            ..Listed::default()
        };
        assert_eq!(names(&of_path(b"/l/a", listed)), ["/l/a.2", "/l/a"]);
    }

    #[test]
    fn a_pattern_brings_each_log_once_with_all_that_is_its_own() {
        let listed = listed_of(&[
            "/l/a.log",
            "/l/a.log.1",
            "/l/b.log",
            "/l/b.log-20261120.gz",
            "/l/gone.log.2.gz",
            "/l/gone.log.1.gz",
        ]);
        let chains = of_pattern(listed);
        let found: Vec<(String, usize)> = chains
            .iter()
            .map(|chain| {
                (
                    String::from_utf8_lossy(&chain.path).into_owned(),
                    chain.files.len(),
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                ("/l/a.log".into(), 2),
                ("/l/b.log".into(), 2),
                ("/l/gone.log".into(), 2)
            ]
        );
    }
}
