//! Which files are one log, and in which order: the live file and its generations, oldest first. Names and times only;
//! nothing is read.

use std::collections::BTreeMap;

use crate::host::shell::siblings::is_rotated;
use crate::model::{LogFile, Packing};

/// What the end of a generation's name says of its age.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Age {
    /// The higher, the older.
    Number(u64),
    /// Digits of a date, or of seconds since 1970: the higher, the younger.
    Date(Vec<u8>),
    /// `backup`, `old`, `bak`: it is old.
    Word(Vec<u8>),
}

/// So many digits are a number of logrotate; more are a date.
const MOST_DIGITS_OF_A_NUMBER: usize = 5;

/// Ends of names of older generations.
const WORDS: [&[u8]; 3] = [b"backup", b"bak", b"old"];

/// A log: where it is written to (or was), and its files, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chain {
    /// Of the live file, whether there is one or not.
    pub(super) path: Vec<u8>,
    /// Oldest first, every generation once.
    pub(super) files: Vec<LogFile>,
}

/// A name without the end that says how it is packed.
fn unpacked(path: &[u8]) -> &[u8] {
    let end = match Packing::of_name(path) {
        Packing::Plain => 0,
        Packing::Gzip => 3,
        Packing::Bzip2 | Packing::Zstd => 4,
        Packing::Xz => 3,
    };
    &path[..path.len() - end]
}

/// What the end of a name says that stands behind the name of the live file.
fn age_of(rest: &[u8]) -> Option<Age> {
    let rest = rest.strip_prefix(b".").or_else(|| rest.strip_prefix(b"-")).or_else(|| rest.strip_prefix(b"_"))?;
    if WORDS.iter().any(|word| rest.eq_ignore_ascii_case(word)) {
        return Some(Age::Word(rest.to_vec()));
    }
    let digits: Vec<u8> = rest.iter().copied().filter(u8::is_ascii_digit).collect();
    let is_dated = rest.iter().all(|byte| byte.is_ascii_digit() || b"-._:T".contains(byte));
    if digits.is_empty() || !is_dated {
        return None;
    }
    if digits.len() == rest.len() && digits.len() <= MOST_DIGITS_OF_A_NUMBER {
        let number = digits.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
        return Some(Age::Number(number));
    }
    (digits.len() > MOST_DIGITS_OF_A_NUMBER).then_some(Age::Date(digits))
}

/// The age of a file by its name, where it is an older generation of `live`: `app.log.1`, `app.log-20261120.gz`, and with
/// the ending kept `app-20261120.log`, `app.1.log`.
pub(super) fn age(live: &[u8], file: &[u8]) -> Option<Age> {
    let file = unpacked(file);
    if let Some(rest) = file.strip_prefix(live) {
        // Packed where it stands, as some do with a log of the day before.
        return if rest.is_empty() { Some(Age::Word(b"packed".to_vec())) } else { age_of(rest) };
    }
    let name = live.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
    let dot = name + live[name..].iter().rposition(|&byte| byte == b'.')?;
    let (stem, ending) = live.split_at(dot);
    let rest = file.strip_prefix(stem)?.strip_suffix(ending)?;
    // A number alone is more often a log of its own: worker-2.log beside worker.log.
    age_of(rest).filter(|age| matches!(age, Age::Date(_)) || rest.starts_with(b"."))
}

/// The name of the live file that a generation has which has none.
fn stem(file: &[u8]) -> &[u8] {
    let file = unpacked(file);
    let is_end = |at: &usize| b".-_".contains(&file[*at]) && age_of(&file[*at..]).is_some();
    (1..file.len()).find(is_end).map_or(file, |at| &file[..at])
}

/// Oldest first: by numbers or by dates where all have one or the other, else by when they were written to.
fn in_order(live: Option<LogFile>, older: Vec<(Age, LogFile)>) -> Vec<LogFile> {
    // While a generation is being packed it is there twice; the plain one is whole.
    let mut once: BTreeMap<Age, LogFile> = BTreeMap::new();
    for (age, file) in older {
        let known = once.get(&age);
        if known.is_none_or(|known| known.packing != Packing::Plain && file.packing == Packing::Plain) {
            once.insert(age, file);
        }
    }
    let mut files: Vec<(Age, LogFile)> = once.into_iter().collect();
    let numbered = files.iter().all(|(age, _)| matches!(age, Age::Number(_)));
    let dated = files
        .iter()
        .all(|(age, file)| matches!((age, file), (Age::Date(digits), _) if digits.len() == first_digits(&files)));
    if numbered {
        files.reverse();
    } else if !dated {
        files.sort_by_key(|(_, file)| file.modified);
    }
    // One file under two names is one generation.
    let mut files: Vec<LogFile> = files.into_iter().map(|(_, file)| file).chain(live).collect();
    let mut seen = std::collections::BTreeSet::new();
    files.reverse();
    files.retain(|file| seen.insert((file.id.dev, file.id.ino)) || file.id.ino == 0);
    files.reverse();
    files
}

fn first_digits(files: &[(Age, LogFile)]) -> usize {
    match files.first() {
        Some((Age::Date(digits), _)) => digits.len(),
        _ => 0,
    }
}

/// The log of which just one file is named.
pub(super) fn of_path(path: &[u8], listed: Vec<LogFile>) -> Chain {
    let mut live = None;
    let mut older = Vec::new();
    for file in listed {
        if file.path == path {
            live = Some(file);
        } else if let Some(age) = age(path, &file.path) {
            older.push((age, file));
        }
    }
    Chain { path: path.to_vec(), files: in_order(live, older) }
}

/// The logs among the files that a pattern brings, in the order of their paths.
pub(super) fn of_pattern(listed: Vec<LogFile>) -> Vec<Chain> {
    let all: Vec<&[u8]> = listed.iter().map(|file| &file.path[..]).collect();
    let mut lives: Vec<Vec<u8>> =
        listed.iter().map(|file| &file.path[..]).filter(|path| !is_rotated(path, &all)).map(<[u8]>::to_vec).collect();
    // The longest name that fits is the log: app.log-20261120.1 is of app.log-20261120 where that is one.
    lives.sort_by_key(|path| std::cmp::Reverse(path.len()));
    let mut logs: BTreeMap<Vec<u8>, (Option<LogFile>, Vec<(Age, LogFile)>)> = BTreeMap::new();
    for file in listed {
        if lives.contains(&file.path) {
            let path = file.path.clone();
            logs.entry(path).or_default().0 = Some(file);
            continue;
        }
        let found = lives.iter().find_map(|live| Some((live.clone(), age(live, &file.path)?)));
        let (live, age) = found.unwrap_or_else(|| {
            let stem = stem(&file.path).to_vec();
            let age = age(&stem, &file.path).unwrap_or(Age::Word(file.path.clone()));
            (stem, age)
        });
        logs.entry(live).or_default().1.push((age, file));
    }
    logs.into_iter().map(|(path, (live, older))| Chain { path, files: in_order(live, older) }).collect()
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
}
