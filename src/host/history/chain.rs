//! Which files are one log, and in which order: the live file and its generations, oldest first. Names and times only;
//! nothing is read.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::host::shell::siblings::is_rotated;
use crate::model::file::Generation;
use crate::model::{FileId, LogFile, LogNames, Packing};

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
    let is_end = |at: &usize| b".-_".contains(&file[*at]) && Generation::of(&file[..*at], file).is_some();
    let name = file.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
    (name + 1..file.len()).find(is_end).map_or(file, |at| &file[..at])
}

/// Oldest first: by their names, or where some have dates and others numbers, by when they were written to.
fn in_order(live: Option<LogFile>, older: Vec<(Generation, LogFile)>) -> Vec<LogFile> {
    // While a generation is being packed it is there twice; the plain one is whole.
    let mut once: BTreeMap<(Generation, Vec<u8>), LogFile> = BTreeMap::new();
    for (generation, file) in older {
        // What has no age in its name is no twin of another one.
        let mark = if generation == Generation::Live { file.path.clone() } else { Vec::new() };
        let known = once.get(&(generation.clone(), mark.clone()));
        if known.is_none_or(|known| known.packing != Packing::Plain && file.packing == Packing::Plain) {
            once.insert((generation, mark), file);
        }
    }
    let kind = |generation: &Generation| std::mem::discriminant(generation);
    let is_mixed = once.keys().any(|(_, mark)| !mark.is_empty())
        || once.keys().zip(once.keys().skip(1)).any(|(one, other)| kind(&one.0) != kind(&other.0));
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

/// The log of which just one file is named.
pub(super) fn of_path(path: &[u8], listed: Vec<LogFile>) -> Chain {
    let mut live = None;
    let mut older = Vec::new();
    for file in listed {
        if file.path == path {
            live = Some(file);
        } else if let Some(generation) = Generation::of(path, &file.path) {
            older.push((generation, file));
        }
    }
    Chain { path: path.to_vec(), files: in_order(live, older) }
}

/// The live file, if there is one, and the others of a log.
type Members = (Option<LogFile>, Vec<(Generation, LogFile)>);

/// The logs among the files that a pattern brings, in the order of their paths.
pub(super) fn of_pattern(listed: Vec<LogFile>) -> Vec<Chain> {
    let all: HashSet<&[u8]> = listed.iter().map(|file| &file.path[..]).collect();
    let lives: LogNames = all.iter().filter(|path| !is_rotated(path, &all)).map(|path| path.to_vec()).collect();
    let mut logs: BTreeMap<Vec<u8>, Members> = BTreeMap::new();
    for file in listed {
        if lives.contains(&file.path) {
            let path = file.path.clone();
            logs.entry(path).or_default().0 = Some(file);
            continue;
        }
        let found = lives.log_of(&file.path).map(|(live, generation)| (live.to_vec(), generation));
        let (live, generation) = found.unwrap_or_else(|| {
            let stem = stem(&file.path).to_vec();
            let generation = Generation::of(&stem, &file.path).unwrap_or(Generation::Live);
            (stem, generation)
        });
        logs.entry(live).or_default().1.push((generation, file));
    }
    logs.into_iter().map(|(path, (live, older))| Chain { path, files: in_order(live, older) }).collect()
}

/// Where the generations that were listed before stand in a new listing; `None`: they are gone.
///
/// A renamed file keeps its number. One that was packed since, and the copy of one that was emptied, are new files in the
/// place of the old ones.
pub(super) fn moved(before: &[LogFile], now: &[LogFile]) -> Vec<Option<usize>> {
    let known: HashSet<FileId> = before.iter().map(|file| file.id).collect();
    let is_new = |file: &LogFile| !known.contains(&file.id);
    // Of one that has two names the first.
    let at: HashMap<FileId, usize> = now.iter().enumerate().rev().map(|(number, file)| (file.id, number)).collect();
    let mut places = vec![None; before.len()];
    let mut next: Option<usize> = None;
    for (number, file) in before.iter().enumerate().rev() {
        let same = at.get(&file.id).copied();
        let shrunk = same.is_some_and(|at| file.packing == Packing::Plain && now[at].size < file.size);
        let place = if shrunk { same } else { next }.or(Some(now.len()).filter(|_| number + 1 == before.len()));
        // Since then it may have been emptied again and again.
        let may_be = |other: &LogFile| other.packing != Packing::Plain || other.size >= file.size;
        let new = (0..place.unwrap_or(0)).rev().take_while(|at| is_new(&now[*at]));
        let older = new.into_iter().find(|at| file.packing != Packing::Plain || may_be(&now[*at]));
        places[number] = if shrunk || same.is_none() { older } else { same };
        next = places[number].or(next);
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FileId, Time};

    fn file(number: usize, path: &str) -> LogFile {
        let id = FileId { dev: 1, ino: number as u64 + 1 };
        let modified = Time(number as i64);
        LogFile { path: path.into(), id, size: 1, modified, packing: Packing::of_name(path.as_bytes()) }
    }

    fn files(paths: &[&str]) -> Vec<LogFile> {
        paths.iter().enumerate().map(|(number, path)| file(number, path)).collect()
    }

    fn names(chain: &Chain) -> Vec<String> {
        chain.files.iter().map(|file| String::from_utf8_lossy(&file.path).into_owned()).collect()
    }

    #[test]
    fn generations_of_a_log_stand_in_the_order_of_their_age() {
        for (listed, expected) in [
            (&["/l/a", "/l/a.10.gz", "/l/a.2.gz", "/l/a.1"][..], &["/l/a.10.gz", "/l/a.2.gz", "/l/a.1", "/l/a"][..]),
            (&["/l/a-20261120", "/l/a-20261119.xz", "/l/a"], &["/l/a-20261119.xz", "/l/a-20261120", "/l/a"]),
            (&["/l/a.2026-11-20", "/l/a.2026-11-19", "/l/a"], &["/l/a.2026-11-19", "/l/a.2026-11-20", "/l/a"]),
            // By time: no two ages can be compared.
            (
                &["/l/a-20261120.gz", "/l/a.1", "/l/a.backup", "/l/a"],
                &["/l/a-20261120.gz", "/l/a.1", "/l/a.backup", "/l/a"],
            ),
            // While it is packed.
            (&["/l/a.1.gz", "/l/a.1", "/l/a", "/l/a.2.gz"], &["/l/a.2.gz", "/l/a.1", "/l/a"]),
            // Logs of their own, and what is none.
            (&["/l/a", "/l/ab", "/l/a.conf", "/l/a.1.swp", "/l/a.1"], &["/l/a.1", "/l/a"]),
            (&["/l/a.1", "/l/a.2"], &["/l/a.2", "/l/a.1"]),
        ] {
            assert_eq!(names(&of_path(b"/l/a", files(listed))), expected);
        }
        let chain = of_path(b"/l/a.log", files(&["/l/a.log", "/l/a-20261120.log.gz", "/l/a-2.log", "/l/a.1.log"]));
        assert_eq!(names(&chain), ["/l/a-20261120.log.gz", "/l/a.1.log", "/l/a.log"]);
    }

    #[test]
    fn one_file_under_two_names_is_one_generation() {
        let mut listed = files(&["/l/a", "/l/a.1", "/l/a.2"]);
        listed[1].id = listed[0].id;
        assert_eq!(names(&of_path(b"/l/a", listed)), ["/l/a.2", "/l/a"]);
    }

    #[test]
    fn a_pattern_brings_each_log_once_with_all_that_is_its_own() {
        let listed = files(&[
            "/l/a.log",
            "/l/a.log.1",
            "/l/b.log",
            "/l/b.log-20261120.gz",
            "/l/gone.log.2.gz",
            "/l/gone.log.1.gz",
        ]);
        let chains = of_pattern(listed);
        let found: Vec<(String, usize)> =
            chains.iter().map(|chain| (String::from_utf8_lossy(&chain.path).into_owned(), chain.files.len())).collect();
        assert_eq!(found, [("/l/a.log".into(), 2), ("/l/b.log".into(), 2), ("/l/gone.log".into(), 2)]);
    }

    #[test]
    fn generations_are_found_again_in_a_new_listing() {
        let of = |files: &[(u64, u64)]| -> Vec<LogFile> {
            let file = |(ino, size): &(u64, u64)| {
                let packing = if *size == 3 { Packing::Gzip } else { Packing::Plain };
                LogFile { id: FileId { dev: 1, ino: *ino }, size: *size, packing, ..file(0, "/l/a") }
            };
            files.iter().map(file).collect()
        };
        let before = of(&[(1, 10), (2, 10), (3, 10)]);
        for (now, expected) in [
            // Nothing, a rename, one that was packed meanwhile, one that is gone.
            (of(&[(1, 10), (2, 10), (3, 12)]), [Some(0), Some(1), Some(2)]),
            (of(&[(1, 10), (2, 10), (3, 12), (4, 1)]), [Some(0), Some(1), Some(2)]),
            (of(&[(1, 10), (9, 3), (3, 12), (4, 1)]), [Some(0), Some(1), Some(2)]),
            (of(&[(2, 10), (3, 12), (4, 1)]), [None, Some(0), Some(1)]),
            (of(&[(8, 3), (9, 3), (3, 12), (4, 1)]), [Some(0), Some(1), Some(2)]),
            // Copied and emptied.
            (of(&[(1, 10), (2, 10), (9, 12), (3, 1)]), [Some(0), Some(1), Some(2)]),
            (of(&[(1, 10), (2, 10), (3, 1)]), [Some(0), Some(1), None]),
            (of(&[(1, 10), (2, 10), (8, 12), (9, 1), (3, 1)]), [Some(0), Some(1), Some(2)]),
        ] {
            assert_eq!(moved(&before, &now), expected, "{now:?}");
        }
    }
}
