//! Files of a source: the live one and its rotated siblings, and what can be read and found in one
//! of them.
//!
//! The words in which whoever has the files (`engine` on this machine, a shell on a host) and
//! whoever asks for them speak. How files become one log is left to `host::history`.
//!
//! Offsets always count the bytes of the text. In a compressed file that is the text inside it.

use std::cmp::Reverse;

use bytes::Bytes;

use super::cursor::FileId;
use super::query::Prefilter;
use super::record::Time;

/// How the text of a file is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Packing {
    /// As it is.
    #[default]
    Plain,
    /// `gzip`, of one or several members.
    Gzip,
    /// `bzip2`.
    Bzip2,
    /// `xz`.
    Xz,
    /// `zstd`.
    Zstd,
}

impl Packing {
    /// By the end of the file's name; that is what `logrotate` and people go by.
    #[must_use]
    pub fn of_name(name: &[u8]) -> Self {
        let ends: [(&[u8], Self); 4] = [
            (b".gz", Self::Gzip),
            (b".bz2", Self::Bzip2),
            (b".xz", Self::Xz),
            (b".zst", Self::Zstd),
        ];
        ends.iter()
            .find(|(end, _)| name.ends_with(end))
            .map_or(Self::Plain, |(_, packing)| *packing)
    }

    /// The name of a file without the ending that says so.
    #[must_use]
    pub fn stripped(self, name: &[u8]) -> &[u8] {
        let ending = match self {
            Self::Plain => 0,
            Self::Gzip | Self::Xz => 3,
            Self::Bzip2 | Self::Zstd => 4,
        };
        &name[..name.len().saturating_sub(ending)]
    }

    /// The word for it in JSON, which is also the program that unpacks it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Gzip => "gzip",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
            Self::Zstd => "zstd",
        }
    }
}

/// A file as it was found in its folder. Its path is only where it was; who reads it makes sure
/// that it is still `id`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFile {
    /// Where, as the host spells it: any bytes but NUL.
    pub path: Vec<u8>,
    /// Which.
    pub id: FileId,
    /// Bytes on disk.
    pub size: u64,
    /// When it was last written to.
    pub modified: Time,
    /// How its text is stored.
    pub packing: Packing,
}

/// Where a file stands among the generations of a log, by its name. The order is that of age: the
/// oldest first, and where a log was rotated in both ways, those with a date before those with a
/// number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Generation {
    /// It has a date: year, month, day and whatever numbers follow, or seconds since 1970.
    Dated(Vec<u64>),
    /// It has a number, the higher the older.
    Numbered(Reverse<u64>),
    /// It has the name of the log itself, or that and the ending of a compressed file.
    Live,
}

impl Generation {
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
        let name = candidate.strip_suffix(b".backup").unwrap_or(candidate);
        let name = Packing::of_name(name).stripped(name);
        let name = name.strip_suffix(b".backup").unwrap_or(name);
        if candidate == live || name == live {
            return Some(Self::Live);
        }
        match name.strip_prefix(live) {
            Some(added) => Self::of_added(added),
            None => Self::before_extension(live, name),
        }
    }

    fn before_extension(live: &[u8], name: &[u8]) -> Option<Self> {
        let start = live
            .iter()
            .rposition(|&byte| byte == b'/')
            .map_or(0, |slash| slash + 1);
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
        let separates = |byte: &u8| b"-._".contains(byte);
        let valid = added.first().is_some_and(separates)
            && added.iter().all(|b| separates(b) || b.is_ascii_digit());
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
    Generation::of(live, candidate).is_some()
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

/// Some text of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Chunk {
    /// The text, from where it was asked for. Fewer bytes than were asked for only at the end.
    pub bytes: Bytes,
    /// Nothing follows it at present.
    pub at_end: bool,
}

/// Lines that are looked for in a file: those that *begin* within a range of bytes.
///
/// The first byte of the range need not be that of a line. The line that begins last may end behind
/// the range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// Where.
    pub file: LogFile,
    /// First byte, of the text.
    pub from: u64,
    /// The byte after the last; `u64::MAX` for the end.
    pub to: u64,
    /// What a line must have to be found, at least.
    pub filter: Prefilter,
    /// Lines before each found one that are wanted too, as far as they begin in the range.
    pub before: u32,
    /// Lines after each found one that are wanted too, as far as they begin in the range.
    pub after: u32,
}

/// A line that a scan has found, without its line end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Of its first byte.
    pub offset: u64,
    /// The line.
    pub raw: Bytes,
    /// It passed the filter; otherwise it stands beside one that did.
    pub is_hit: bool,
}

/// A part of what a scan finds, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Finds {
    /// Never the same line twice in a scan.
    pub lines: Vec<Found>,
    /// All lines that begin before this offset have been looked at, as far as is known.
    pub read_to: u64,
}

/// Why a file could not be read, or not as it was asked for. The others are not affected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// There is none under the name any more.
    #[error("no such file")]
    Missing,
    /// The login may not.
    #[error("permission denied")]
    Denied,
    /// Under the name is another file now: it was rotated since it was listed. To be listed anew.
    #[error("another file has taken its place")]
    Replaced,
    /// It is no regular file.
    #[error("not a regular file")]
    Special,
    /// Its compression is broken or cut short; what was read before that is good.
    #[error("the compressed file is damaged: {0}")]
    Damaged(String),
    /// Nothing on the host unpacks it.
    #[error("{0} is not installed there")]
    Unsupported(&'static str),
    /// More than one answer may hold: it unpacks to too much, takes too long, or has a line that is
    /// too long.
    #[error("{0}")]
    TooMuch(String),
    /// The system's own words.
    #[error("{0}")]
    Other(String),
}

impl FileError {
    /// What can be done about it, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Missing => Some("check the path; `logtrail-tui sources` lists what there is"),
            Self::Denied => Some(
                "let the login read it, for instance by its group (often adm), or give the source become = \"sudo\"",
            ),
            Self::Special => Some("name a file"),
            Self::Damaged(_) => Some("what stands before the damage was read"),
            Self::Unsupported(_) => Some("install it there, or unpack the file"),
            Self::Replaced | Self::TooMuch(_) | Self::Other(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generations_are_known_by_their_names_and_other_logs_are_not() {
        let of = |name: &str| Generation::of(b"/l/app.log", name.as_bytes());
        let (dated, numbered) = (Generation::Dated, |n| Generation::Numbered(Reverse(n)));
        for (name, generation) in [
            ("/l/app.log", Generation::Live),
            ("/l/app.log.gz", Generation::Live),
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
            .map(|name| (Generation::of(b"a.log", name.as_bytes()), *name))
            .collect();
        found.reverse();
        found.sort();
        assert_eq!(
            found.iter().map(|(_, name)| *name).collect::<Vec<_>>(),
            names
        );
    }
}
