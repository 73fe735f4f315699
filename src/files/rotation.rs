//! What the name of a file says of its place among the generations of a log. The scripts of the
//! shell driver have [`SEPARATORS`] and [`BACKUP`] in their patterns.

use std::cmp::Reverse;
use std::collections::HashSet;

use crate::model::log_file::{Compression, archive_endings};

/// What separates a name from the numbers of a generation, and these from each other.
pub const SEPARATORS: &str = "-._";

/// The ending of a file that logrotate finds under a name that it is about to give to another one.
pub const BACKUP: &str = ".backup";

/// The place of a file among the generations of a log, by its name. The order is that of age: the
/// oldest first, and where a log was rotated in both ways, those with a date before those with a
/// number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum RotationIndex {
    /// It has a date: year, month, day and whatever numbers follow, or seconds since 1970.
    Dated(Vec<u64>),
    /// It has a number, the higher the older.
    Numbered(Reverse<u64>),
    /// It has the name of the log itself, or that and the ending of a compressed file.
    Live,
}

impl RotationIndex {
    /// Which generation of the log `live` the file `candidate` is; `None` where by its name it is
    /// none.
    ///
    /// For `/l/app.log`: `/l/app.log` itself; what has a number or a date behind it
    /// (`/l/app.log.1`, `/l/app.log-20261120`); a date before its extension
    /// (`/l/app-20261120.log`), or after a dot a number too (`/l/app.1.log`; `/l/app-1.log` may
    /// well be a log of its own). All of them compressed or not, and as logrotate puts them out of
    /// its way (`.backup`).
    #[must_use]
    pub fn of(live: &[u8], candidate: &[u8]) -> Option<Self> {
        let name = without_endings(candidate);
        if candidate == live || name == live {
            return Some(Self::Live);
        }
        match name.strip_prefix(live) {
            Some(added) => Self::of_added(added),
            None => Self::before_extension(live, name),
        }
    }

    fn before_extension(live: &[u8], name: &[u8]) -> Option<Self> {
        let start = name_start(live);
        let dot = live[start..]
            .iter()
            .rposition(|&byte| byte == b'.')
            .filter(|&dot| dot > 0)?;
        let (stem, extension) = live.split_at(start + dot);
        let added = name.strip_prefix(stem)?.strip_suffix(extension)?;
        let generation = Self::of_added(added)?;
        (added[0] == b'.' || matches!(generation, Self::Dated(_))).then_some(generation)
    }

    /// Of what was added to the name: numbers, each behind one of `-._`.
    fn of_added(added: &[u8]) -> Option<Self> {
        let valid = added.first().is_some_and(separates) && added.iter().all(is_of_numbers);
        let groups: Vec<&[u8]> = added
            .split(separates)
            .filter(|group| !group.is_empty())
            .collect();
        let first = groups.first().filter(|_| valid)?;
        if groups.iter().any(|group| group.len() >= 6) || (first.len() == 4 && groups.len() > 1) {
            return Some(Self::Dated(
                groups.iter().flat_map(|group| date_parts(group)).collect(),
            ));
        }
        number(first).map(|number| Self::Numbered(Reverse(number)))
    }
}

/// Whether a file is by its name a generation of this log, or the log itself.
#[must_use]
pub fn belongs(live: &[u8], candidate: &[u8]) -> bool {
    RotationIndex::of(live, candidate).is_some()
}

/// Whether a file is an old generation of another one of those that a pattern matches, which is
/// read when it is one and not followed by itself; or is compressed. A name with a date and no
/// other file is a log of its own.
#[must_use]
pub fn is_rotated(file: &[u8], all: &HashSet<&[u8]>) -> bool {
    if archive_endings().any(|ending| file.ends_with(ending.as_bytes())) {
        return true;
    }
    let stem = before_numbers(file);
    // "app.log" with ".1", "app.log" with "-20261120": the stem has no separator at its end.
    stem > 0 && stem < file.len() && separates(&file[stem]) && all.contains(&file[..stem])
}

/// Where the name of a file begins in its path.
pub(crate) fn name_start(path: &[u8]) -> usize {
    memchr::memrchr(b'/', path).map_or(0, |slash| slash + 1)
}

/// A name without the endings of a compressed file and of one that is out of logrotate's way.
pub(crate) fn without_endings(name: &[u8]) -> &[u8] {
    let name = without_backup(name);
    without_backup(Compression::of_name(name).stripped(name))
}

fn without_backup(name: &[u8]) -> &[u8] {
    name.strip_suffix(BACKUP.as_bytes()).unwrap_or(name)
}

/// How long a name is without the numbers at its end and what separates them.
pub(crate) fn before_numbers(name: &[u8]) -> usize {
    name.len()
        - name
            .iter()
            .rev()
            .take_while(|byte| is_of_numbers(byte))
            .count()
}

/// Whether it is a digit or a separator.
fn is_of_numbers(byte: &u8) -> bool {
    byte.is_ascii_digit() || separates(byte)
}

/// Whether it is one of [`SEPARATORS`].
pub(crate) fn separates(byte: &u8) -> bool {
    SEPARATORS.as_bytes().contains(byte)
}

/// `20261120130000` in its parts, so that it compares with what was written with separators.
fn date_parts(digits: &[u8]) -> Vec<u64> {
    let is_date = matches!(digits.len(), 8 | 10 | 12 | 14)
        && (digits.starts_with(b"20") || digits.starts_with(b"19"));
    if !is_date {
        return vec![number(digits).unwrap_or(u64::MAX)];
    }
    let (year, rest) = digits.split_at(4);
    std::iter::once(year)
        .chain(rest.chunks(2))
        .filter_map(number)
        .collect()
}

fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

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
            ("/l/x.1", false),
            ("/l/", false),
        ] {
            assert_eq!(is_rotated(file.as_bytes(), &all), rotated, "{file}");
        }
    }

    #[test]
    fn generations_are_known_by_their_names_and_other_logs_are_not() {
        let of = |name: &str| RotationIndex::of(b"/l/app.log", name.as_bytes());
        let (dated, numbered) = (RotationIndex::Dated, |n| {
            RotationIndex::Numbered(Reverse(n))
        });
        for (name, generation) in [
            ("/l/app.log", RotationIndex::Live),
            ("/l/app.log.gz", RotationIndex::Live),
            ("/l/app.log.1", numbered(1)),
            ("/l/app.log-2", numbered(2)),
            ("/l/app.log.12.gz", numbered(12)),
            ("/l/app.log-20261120", dated(vec![2026, 11, 20])),
            ("/l/app.log-20261120.zst", dated(vec![2026, 11, 20])),
            ("/l/app.log.2026-11-20", dated(vec![2026, 11, 20])),
            ("/l/app.log_2026-11-20.3", dated(vec![2026, 11, 20, 3])),
            ("/l/app.log-2026112013", dated(vec![2026, 11, 20, 13])),
            ("/l/app.log-1795188137", dated(vec![1_795_188_137])),
            (
                "/l/app.log-20261120130000.backup",
                dated(vec![2026, 11, 20, 13, 0, 0]),
            ),
            (
                "/l/app.log-20261120130000.backup.gz",
                dated(vec![2026, 11, 20, 13, 0, 0]),
            ),
            ("/l/app-20261120.log", dated(vec![2026, 11, 20])),
            ("/l/app.2026-11-20.log.xz", dated(vec![2026, 11, 20])),
            ("/l/app.1.log", numbered(1)),
            ("/l/app.1.log.bz2", numbered(1)),
        ] {
            assert_eq!(of(name), Some(generation), "{name}");
        }
        for name in [
            "/l/app-1.log",
            "/l/app2.log",
            "/l/app.log2",
            "/l/app.log.old",
            "/l/app.log.",
            "/l/app.log.1x",
            "/l/app",
            "/l/app.log-.",
            "/l/app.log/1",
            "/k/app.log.1",
            "/l/app.log.gz.1",
            "/l/app..log",
            "",
        ] {
            assert_eq!(of(name), None, "{name}");
        }
        // Neither what begins with a dot nor a folder has an extension.
        assert!(
            !belongs(b"/l.d/.log", b"/l.d/-20261120.log")
                && !belongs(b"/l.d/app", b"/l-20261120.d/app")
        );
        assert!(belongs(b"/l/\xff $(x)", b"/l/\xff $(x).7.gz"));
    }

    #[test]
    fn generations_sort_from_the_oldest_to_the_log_itself() {
        let names = [
            "a.log-20261119",
            "a.log.2026-11-20",
            "a.log-20261120.1",
            "a.log-20261120.10",
            "a.log.11.gz",
            "a.log.9",
            "a.log.0",
            "a.log",
        ];
        let mut found: Vec<_> = names
            .iter()
            .map(|name| (RotationIndex::of(b"a.log", name.as_bytes()), *name))
            .collect();
        found.reverse();
        found.sort();
        assert_eq!(
            found.iter().map(|(_, name)| *name).collect::<Vec<_>>(),
            names
        );
    }
}
