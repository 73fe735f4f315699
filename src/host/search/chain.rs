//! Which files are one log, and in which order: the live file and its generations, oldest first.
//! Names and times only; nothing is read.
//!
//! A log that is a symlink has its generations beside its target: the target is its [`Alias`].

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::files::listing::LogLink;
use crate::files::log_names::LogNames;
use crate::files::rotation::RotationIndex;
use crate::files::rotation::is_rotated;
use crate::model::cursor::FileId;
use crate::model::log_file::{Compression, LogFile};

/// A log: where it is written to (or was), and its files, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chain {
    /// Of the live file, whether there is one or not.
    pub(super) path: Vec<u8>,
    /// Oldest first, every generation once.
    pub(super) files: Vec<LogFile>,
}

/// The name of the live file that a generation has which has none.
fn stem(file: &[u8]) -> &[u8] {
    let is_end =
        |at: &usize| b".-_".contains(&file[*at]) && RotationIndex::of(&file[..*at], file).is_some();
    let name = file
        .iter()
        .rposition(|&byte| byte == b'/')
        .map_or(0, |slash| slash + 1);
    (name + 1..file.len())
        .find(is_end)
        .map_or(file, |at| &file[..at])
}

/// Another path under which generations of a log lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Alias {
    /// The path of the log.
    pub(super) log: Vec<u8>,
    /// Only older generations than this belong to the log.
    pub(super) before: Option<RotationIndex>,
}

/// Aliases by their path.
pub(super) type Aliases = HashMap<Vec<u8>, Alias>;

/// The aliases of a symlinked log: its target and, if the name of the target has a date, that name
/// without the date. To a link to `app-20261120.log` belong the older files of `app.log`.
pub(super) fn aliases_of(link: &LogLink) -> Vec<(Vec<u8>, Alias)> {
    let alias = |before| Alias {
        log: link.path.clone(),
        before,
    };
    let dated = undated(&link.target).map(|(path, generation)| (path, alias(Some(generation))));
    let aliases = [(link.target.clone(), alias(None))]
        .into_iter()
        .chain(dated);
    aliases.filter(|(path, _)| *path != link.path).collect()
}

/// The name of the log that a file with a date in its name belongs to; `None` without a date.
fn undated(file: &[u8]) -> Option<(Vec<u8>, RotationIndex)> {
    let start = file
        .iter()
        .rposition(|&byte| byte == b'/')
        .map_or(0, |slash| slash + 1);
    let dot = file[start..]
        .iter()
        .rposition(|&byte| byte == b'.')
        .map_or(file.len(), |dot| start + dot);
    let separators = (start + 1..file.len()).filter(|&at| b".-_".contains(&file[at]));
    let paths = separators.flat_map(|at| {
        [
            file[..at].to_vec(),
            [&file[..at], &file[dot.max(at)..]].concat(),
        ]
    });
    let mut dated = paths.filter_map(|path| Some((RotationIndex::of(&path, file)?, path)));
    dated
        .find(|(generation, _)| is_date(generation))
        .map(|(generation, path)| (path, generation))
}

/// Whether the name has a date in it. Other long numbers may be process ids.
fn is_date(generation: &RotationIndex) -> bool {
    let RotationIndex::Dated(numbers) = generation else {
        return false;
    };
    numbers
        .first()
        .is_some_and(|first| YEARS.contains(first) || *first >= LEAST_EPOCH)
}

/// Numbers in a name that are taken for a year.
const YEARS: std::ops::RangeInclusive<u64> = 1970..=2100;

/// The least number in a name that is taken for seconds since 1970 (September 2001): a date has
/// fewer digits.
const LEAST_EPOCH: u64 = 1_000_000_000;

/// A file of a log other than the live one.
struct Older {
    generation: RotationIndex,
    /// The alias whose generation it is, if not the log's own.
    alias: Option<Vec<u8>>,
    file: LogFile,
}

impl Older {
    /// Equal for two forms of one generation. A name that tells no age has no twin.
    fn key(&self) -> (RotationIndex, Option<Vec<u8>>) {
        let is_ageless = self.generation == RotationIndex::Live;
        (
            self.generation.clone(),
            if is_ageless {
                Some(self.file.path.clone())
            } else {
                self.alias.clone()
            },
        )
    }
}

/// Oldest first: by their names, or where these cannot be compared, by when they were written to.
fn in_order(live: Option<LogFile>, older: Vec<Older>) -> Vec<LogFile> {
    // While a generation is being packed it is there twice; the plain one is whole.
    let mut once: BTreeMap<(RotationIndex, Option<Vec<u8>>), LogFile> = BTreeMap::new();
    for older in older {
        let (key, file) = (older.key(), older.file);
        let known = once.get(&key);
        if known.is_none_or(|known| {
            known.compression != Compression::Plain && file.compression == Compression::Plain
        }) {
            once.insert(key, file);
        }
    }
    let kind = |(generation, alias): &(RotationIndex, Option<Vec<u8>>)| {
        (std::mem::discriminant(generation), alias.clone())
    };
    let is_mixed = once
        .keys()
        .any(|(generation, _)| *generation == RotationIndex::Live)
        || once
            .keys()
            .zip(once.keys().skip(1))
            .any(|(one, other)| kind(one) != kind(other));
    let mut files: Vec<LogFile> = once.into_values().collect();
    if is_mixed {
        files.sort_by_key(|file| file.modified);
    }
    files.extend(live);
    each_once(files)
}

/// One file under two names is one generation: the younger.
fn each_once(mut files: Vec<LogFile>) -> Vec<LogFile> {
    let mut seen = BTreeSet::new();
    files.reverse();
    files.retain(|file| file.id.ino == 0 || seen.insert((file.id.dev, file.id.ino)));
    files.reverse();
    files
}

/// The files that logs are made of.
#[derive(Debug, Default)]
pub(super) struct Listed {
    /// Matches of the path or pattern, and their siblings.
    pub(super) own: Vec<LogFile>,
    /// What lies beside the targets of its symlinks.
    pub(super) linked: Vec<LogFile>,
    pub(super) aliases: Aliases,
}

/// The log of which just one file is named.
pub(super) fn of_path(path: &[u8], listed: Listed) -> Chain {
    let aliases = &listed.aliases;
    let names: LogNames = aliases.keys().cloned().chain([path.to_vec()]).collect();
    let (mut live, mut older) = (None, Vec::new());
    for file in listed.own.into_iter().chain(listed.linked) {
        if file.path == path {
            live = Some(file);
        } else {
            older.extend(member(&names, aliases, file).map(|(_, file)| file));
        }
    }
    Chain {
        path: path.to_vec(),
        files: in_order(live, older),
    }
}

/// Finds the log that a file is an older generation of.
fn member(names: &LogNames, aliases: &Aliases, file: LogFile) -> Option<(Vec<u8>, Older)> {
    let (name, generation) = names.log_of(&file.path)?;
    let (log, alias) = match aliases.get(name) {
        None => (name.to_vec(), None),
        Some(Alias {
            before: Some(before),
            ..
        }) if generation >= *before || !is_date(&generation) => return None,
        Some(alias) => (alias.log.clone(), Some(name.to_vec())),
    };
    Some((
        log,
        Older {
            generation,
            alias,
            file,
        },
    ))
}

/// The live file, if there is one, and the others of a log.
type Members = (Option<LogFile>, Vec<Older>);

/// The logs among the files that a pattern brings, in the order of their paths.
pub(super) fn of_pattern(listed: Listed) -> Vec<Chain> {
    let aliases = &listed.aliases;
    let own = || listed.own.iter().map(|file| &file.path[..]);
    // A file that is newer than the target of a link is not a generation of that link.
    let whole_aliases = aliases
        .iter()
        .filter(|(_, alias)| alias.before.is_none())
        .map(|(path, _)| &path[..]);
    let all: HashSet<&[u8]> = own().chain(whole_aliases).collect();
    let lives: HashSet<Vec<u8>> = own()
        .filter(|path| !is_rotated(path, &all))
        .map(<[u8]>::to_vec)
        .collect();
    let names: LogNames = lives.iter().chain(aliases.keys()).cloned().collect();
    let mut logs: BTreeMap<Vec<u8>, Members> = BTreeMap::new();
    for file in listed.own {
        if lives.contains(&file.path) {
            let log = file.path.clone();
            logs.entry(log).or_default().0 = Some(file);
            continue;
        }
        let (log, older) =
            member(&names, aliases, file.clone()).unwrap_or_else(|| without_log(file));
        logs.entry(log).or_default().1.push(older);
    }
    for (log, older) in listed
        .linked
        .into_iter()
        .filter_map(|file| member(&names, aliases, file))
    {
        logs.entry(log).or_default().1.push(older);
    }
    logs.into_iter()
        .map(|(path, (live, older))| Chain {
            path,
            files: in_order(live, older),
        })
        .collect()
}

/// A generation whose live log does not exist.
fn without_log(file: LogFile) -> (Vec<u8>, Older) {
    let log = stem(&file.path).to_vec();
    let generation = RotationIndex::of(&log, &file.path).unwrap_or(RotationIndex::Live);
    (
        log,
        Older {
            generation,
            alias: None,
            file,
        },
    )
}

/// Where the generations that were listed before stand in a new listing; `None`: they are gone.
///
/// A renamed file keeps its number. One that was packed since, and the copy of one that was
/// emptied, are new files in the place of the old ones.
pub(super) fn moved(before: &[LogFile], now: &[LogFile]) -> Vec<Option<usize>> {
    let known: HashSet<FileId> = before.iter().map(|file| file.id).collect();
    let is_new = |file: &LogFile| !known.contains(&file.id);
    // Of one that has two names the first.
    let at: HashMap<FileId, usize> = now
        .iter()
        .enumerate()
        .rev()
        .map(|(number, file)| (file.id, number))
        .collect();
    let mut places = vec![None; before.len()];
    let mut next: Option<usize> = None;
    for (number, file) in before.iter().enumerate().rev() {
        let same = at.get(&file.id).copied();
        let shrunk = same
            .is_some_and(|at| file.compression == Compression::Plain && now[at].size < file.size);
        let place = if shrunk { same } else { next }
            .or(Some(now.len()).filter(|_| number + 1 == before.len()));
        // Since then it may have been emptied again and again.
        let may_be =
            |other: &LogFile| other.compression != Compression::Plain || other.size >= file.size;
        let new = (0..place.unwrap_or(0))
            .rev()
            .take_while(|at| is_new(&now[*at]));
        let older = new
            .into_iter()
            .find(|at| file.compression != Compression::Plain || may_be(&now[*at]));
        places[number] = if shrunk || same.is_none() {
            older
        } else {
            same
        };
        next = places[number].or(next);
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
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
            .flat_map(|pair| aliases_of(&link(pair)))
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
    fn generations_of_a_log_stand_in_the_order_of_their_age() {
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

    #[test]
    fn generations_are_found_again_in_a_new_listing() {
        let of = |files: &[(u64, u64)]| -> Vec<LogFile> {
            let file = |(ino, size): &(u64, u64)| {
                let compression = if *size == 3 {
                    Compression::Gzip
                } else {
                    Compression::Plain
                };
                LogFile {
                    id: FileId { dev: 1, ino: *ino },
                    size: *size,
                    compression,
                    ..file(0, "/l/a")
                }
            };
            files.iter().map(file).collect()
        };
        let before = of(&[(1, 10), (2, 10), (3, 10)]);
        for (now, expected) in [
            // Nothing, a rename, one that was packed meanwhile, one that is gone.
            (
                of(&[(1, 10), (2, 10), (3, 12)]),
                [Some(0), Some(1), Some(2)],
            ),
            (
                of(&[(1, 10), (2, 10), (3, 12), (4, 1)]),
                [Some(0), Some(1), Some(2)],
            ),
            (
                of(&[(1, 10), (9, 3), (3, 12), (4, 1)]),
                [Some(0), Some(1), Some(2)],
            ),
            (of(&[(2, 10), (3, 12), (4, 1)]), [None, Some(0), Some(1)]),
            (
                of(&[(8, 3), (9, 3), (3, 12), (4, 1)]),
                [Some(0), Some(1), Some(2)],
            ),
            // Copied and emptied.
            (
                of(&[(1, 10), (2, 10), (9, 12), (3, 1)]),
                [Some(0), Some(1), Some(2)],
            ),
            (of(&[(1, 10), (2, 10), (3, 1)]), [Some(0), Some(1), None]),
            (
                of(&[(1, 10), (2, 10), (8, 12), (9, 1), (3, 1)]),
                [Some(0), Some(1), Some(2)],
            ),
        ] {
            assert_eq!(moved(&before, &now), expected, "{now:?}");
        }
    }
}
