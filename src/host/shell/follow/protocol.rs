//! What is said between the console and `follow.sh`. Both ends have the same words: those of
//! [`FollowRequest`] and [`FileObservation`] where it is about a file. What all scripts have in
//! common is in [`protocol`](crate::host::shell::protocol).
//!
//! I is the number of a watch, P that of a pattern, STAT is `device:inode:size:time`. What stands
//! behind `+` is the body.
//!
//! | request | answers |
//! |---|---|
//! | `watch I CHAIN PATH BESIDE ARCHIVED` | none: CHAIN is the number of its source; the others are patterns for its generations |
//! | `read_from I DEV:INO OFFSET` | none, and no end |
//! | `poll MOST SUM` | of any watch: `changed I STAT`; `read I STAT START + bytes`; `unpacked I STAT START WANTED + bytes`; `absent I missing` or `special`; `absent I failing + what a program says`; `denied I STAT-or-hyphen + a line of ls, path`; at the end `polled 1` where another poll should follow at once, or `polled 0` |
//! | `find I NEAR DEV:INO OFFSET [SUM LENGTH SINCE]` | `found I STAT`, or `found I -` |
//! | `list I` | `listed I + + STAT NAME lines`, as often as needed, and before those next to the target of a link a line `= NAME` with its name; at last `listed I 1`, or `listed I 0` where files were moved all the while |
//! | `heads I` | `heads I + STAT SUM LENGTH lines` |
//! | `hole I OFFSET` | `hole I STAT TO` |
//! | `compare I OFFSET` | `candidate I STAT START + bytes` for each; at the end `compared I` |
//! | `forget I` | none |
//! | `try watch_I PATH`, `try pattern_P PATTERN` | `tried watch_I 1`, or `0` where it has not come back yet; the same of a pattern |
//! | `expand P PATTERN` | `expanded P MATCHED ANY CUT + paths, NUL behind each, of names that have the same days in turn the one written to last first`, or `barred P + a line of ls, path` |
//! | `sample` | `counters + lines of /proc` |
//! | `usage` | `disks + mounts, a line of --, df -P -k, a line of --, df -P -i` |

use std::fmt::Write;

use bytes::Bytes;

use crate::files::follow::{
    FileHead, FileObservation, FileStat, FileUnavailable, FollowRequest, ListedFile,
    PermissionBlock, Watch,
};
use crate::host::driver::follow::{BarredPattern, ExpandedPattern};
use crate::host::shell::frame::{END, Frame};
use crate::host::shell::protocol::{DESCRIBE, DESCRIBED, ProtocolError, READY, StatWord, escape};
use crate::host::sources::MOST_EXPANDED;

/// Something on the host that may hang when it is touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Suspect {
    /// A file, by its watch.
    File(Watch),
    /// A pattern, by its number.
    Pattern(u32),
}

/// A request to `follow.sh`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FollowScriptRequest<'a> {
    /// What the follower asks for.
    File(&'a FollowRequest),
    /// Look at all watches and read what has grown.
    Poll {
        /// Most bytes of each file.
        most: usize,
        /// Most bytes of all, about.
        sum: usize,
    },
    /// List the logs that a pattern matches.
    Expand(u32, &'a [u8]),
    /// Touch this path or pattern by a process of its own.
    Try(Suspect, &'a [u8]),
    /// Say what the host is.
    Describe,
    /// Send the counters.
    Sample,
    /// Send how full the disks are.
    Usage,
}

impl FollowScriptRequest<'_> {
    /// Writes it as the line that the script reads.
    pub(crate) fn encode(&self, out: &mut String) {
        // Writing to a string cannot fail.
        let _ = match self {
            Self::File(request) => return encode_request(request, out),
            Self::Poll { most, sum } => writeln!(out, "poll {most} {sum}"),
            Self::Expand(number, pattern) => writeln!(out, "expand {number} {}", escape(pattern)),
            Self::Try(Suspect::File(watch), path) => {
                writeln!(out, "try watch_{watch} {}", escape(path))
            }
            Self::Try(Suspect::Pattern(number), pattern) => {
                writeln!(out, "try pattern_{number} {}", escape(pattern))
            }
            Self::Describe => writeln!(out, "{DESCRIBE}"),
            Self::Sample => writeln!(out, "sample"),
            Self::Usage => writeln!(out, "usage"),
        };
    }

    /// Whether the script ends its answers with [`FollowAnswer::End`].
    #[must_use]
    pub(crate) fn is_answered(&self) -> bool {
        !matches!(self, Self::File(FollowRequest::ReadFrom(..)))
    }
}

fn encode_request(request: &FollowRequest, out: &mut String) {
    // Writing to a string cannot fail.
    let _ = match request {
        FollowRequest::Watch {
            watch,
            chain,
            path,
            siblings,
        } => {
            let [beside, archived] = siblings.each_ref().map(|pattern| escape(pattern));
            let path = escape(path);
            writeln!(out, "watch {watch} {chain} {path} {beside} {archived}")
        }
        FollowRequest::ReadFrom(watch, id, offset) => {
            writeln!(out, "read_from {watch} {}:{} {offset}", id.dev, id.ino)
        }
        FollowRequest::Find {
            watch,
            near,
            id,
            offset,
            mark,
        } => {
            let _ = write!(out, "find {watch} {near} {}:{} {offset}", id.dev, id.ino);
            match mark {
                Some(mark) => writeln!(out, " {} {} {}", mark.sum, mark.length, mark.since),
                None => writeln!(out),
            }
        }
        FollowRequest::List(watch) => writeln!(out, "list {watch}"),
        FollowRequest::Heads(watch) => writeln!(out, "heads {watch}"),
        FollowRequest::Hole(watch, offset) => writeln!(out, "hole {watch} {offset}"),
        FollowRequest::Compare(watch, offset) => writeln!(out, "compare {watch} {offset}"),
        FollowRequest::Forget(watch) => writeln!(out, "forget {watch}"),
    };
}

/// An answer of `follow.sh`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FollowAnswer {
    /// It runs and waits for requests.
    Ready,
    /// Something about a file.
    Seen(FileObservation),
    /// A poll is over; true where it stopped at its limit and another should follow at once.
    Polled(bool),
    /// Logs that a pattern matches.
    Expanded(ExpandedPattern),
    /// What the pattern with this number matches cannot be told, for this stands before it.
    Barred(BarredPattern),
    /// Whether touching it has come back.
    Tried(Suspect, bool),
    /// Facts, as `describe` of the script prints them.
    Described(Bytes),
    /// Counters, as `grep` prints them.
    Counters(Bytes),
    /// Mounts, and two outputs of `df`.
    Disks(Bytes),
    /// The end of what one request brought.
    End,
}

/// Reads an answer.
///
/// # Errors
/// When the header is none of ours.
pub(crate) fn decode(frame: &Frame) -> Result<FollowAnswer, ProtocolError> {
    decode_words(frame).ok_or_else(|| ProtocolError::of_header(&frame.header))
}

/// The words of a header.
type Words<'a> = std::str::Split<'a, char>;

fn decode_words(frame: &Frame) -> Option<FollowAnswer> {
    let mut words = frame.header.split(' ');
    let body = || frame.body.clone();
    match words.next()? {
        READY => Some(FollowAnswer::Ready),
        END => Some(FollowAnswer::End),
        DESCRIBED => Some(FollowAnswer::Described(body())),
        "counters" => Some(FollowAnswer::Counters(body())),
        "disks" => Some(FollowAnswer::Disks(body())),
        "polled" => Some(FollowAnswer::Polled(words.next()? == "1")),
        "tried" => Some(FollowAnswer::Tried(
            decode_suspect(words.next()?)?,
            words.next()? == "1",
        )),
        "barred" => Some(FollowAnswer::Barred(BarredPattern {
            pattern: words.next()?.parse().ok()?,
            barrier: PermissionBlock::parse(&frame.body),
        })),
        "expanded" => decode_expanded(words, &frame.body).map(FollowAnswer::Expanded),
        kind => decode_seen(kind, words, &frame.body).map(FollowAnswer::Seen),
    }
}

fn decode_suspect(name: &str) -> Option<Suspect> {
    let (kind, number) = name.split_once('_')?;
    match kind {
        "watch" => number.parse().ok().map(Suspect::File),
        "pattern" => number.parse().ok().map(Suspect::Pattern),
        _ => None,
    }
}

fn decode_expanded(mut words: Words<'_>, body: &Bytes) -> Option<ExpandedPattern> {
    let files = body
        .split(|&byte| byte == 0)
        .filter(|file| !file.is_empty());
    // Whatever sends more is not our script.
    let files: Vec<Bytes> = files
        .take(MOST_EXPANDED + 1)
        .map(|file| body.slice_ref(file))
        .collect();
    Some(ExpandedPattern {
        pattern: words.next()?.parse().ok()?,
        matched: words.next()?.parse().ok()?,
        any: words.next()? == "1",
        is_cut: words.next()? == "1",
        files: (files.len() <= MOST_EXPANDED).then_some(files)?,
    })
}

fn decode_seen(kind: &str, mut words: Words<'_>, body: &Bytes) -> Option<FileObservation> {
    let watch: Watch = words.next()?.parse().ok()?;
    Some(match kind {
        "changed" => FileObservation::Changed(watch, decode_stat(words.next()?)?),
        "read" => {
            let stat = decode_stat(words.next()?)?;
            FileObservation::Read(watch, stat, decode_offset(words.next()?)?, body.clone())
        }
        "candidate" => {
            let stat = decode_stat(words.next()?)?;
            FileObservation::Candidate(watch, stat, decode_offset(words.next()?)?, body.clone())
        }
        "compared" => FileObservation::Compared(watch),
        "unpacked" => decode_unpacked(watch, words, body)?,
        "found" => FileObservation::Found(watch, decode_stat_or_none(words.next()?)?),
        "listed" => match words.next()? {
            "+" => FileObservation::ListedPart(watch, decode_listed(body)?),
            is_whole => FileObservation::Listed(watch, is_whole == "1", decode_listed(body)?),
        },
        "heads" => FileObservation::Heads(watch, decode_heads(body)),
        "hole" => {
            let stat = decode_stat(words.next()?)?;
            FileObservation::Hole(watch, stat, decode_offset(words.next()?)?)
        }
        "absent" => FileObservation::Absent(watch, decode_absence(words.next()?, body)?),
        "denied" => {
            let stat = decode_stat_or_none(words.next()?)?;
            FileObservation::Denied(watch, stat, PermissionBlock::parse(body))
        }
        _ => return None,
    })
}

/// What a file system that fails says is known, or not said.
const FAILURES: [&str; 9] = [
    "Stale file handle",
    "Input/output error",
    "Transport endpoint is not connected",
    // The same in the words of musl.
    "I/O error",
    "Socket not connected",
    "Host is down",
    "Connection timed out",
    "Operation timed out",
    "No such device",
];

fn decode_absence(why: &str, body: &[u8]) -> Option<FileUnavailable> {
    match why {
        "missing" => Some(FileUnavailable::Missing),
        "special" => Some(FileUnavailable::Special),
        "failing" => {
            let said = String::from_utf8_lossy(body);
            let known = FAILURES.into_iter().find(|failure| said.contains(failure));
            Some(FileUnavailable::Failing(
                known.unwrap_or("it cannot be read"),
            ))
        }
        _ => None,
    }
}

/// An offset in a file, which no system has beyond this: what is added to it does not run over.
fn decode_offset(word: &str) -> Option<u64> {
    let offset: u64 = word.parse().ok()?;
    (offset <= i64::MAX.unsigned_abs()).then_some(offset)
}

fn decode_stat(word: &str) -> Option<FileStat> {
    let stat = StatWord::parse(word).filter(|stat| stat.size <= i64::MAX.unsigned_abs())?;
    Some(FileStat {
        id: stat.id,
        size: stat.size,
        changed: stat.changed.and_then(|at| at.try_into().ok()).unwrap_or(0),
    })
}

/// A stat, or a hyphen for none.
fn decode_stat_or_none(word: &str) -> Option<Option<FileStat>> {
    match word {
        "-" => Some(None),
        stat => decode_stat(stat).map(Some),
    }
}

/// A piece of a compressed file, unpacked, of which only this tells whether it is the last: it is
/// shorter than asked for.
fn decode_unpacked(watch: Watch, mut words: Words<'_>, body: &Bytes) -> Option<FileObservation> {
    let stat = decode_stat(words.next()?)?;
    let start = decode_offset(words.next()?)?;
    let wanted: usize = words.next()?.parse().ok()?;
    let size = start
        .saturating_add(body.len() as u64)
        .saturating_add(u64::from(body.len() >= wanted));
    Some(FileObservation::Unpacked(
        watch,
        FileStat { size, ..stat },
        start,
        body.clone(),
    ))
}

/// The most files that the script lists in one frame; whatever sends more is not our script.
const MOST_LISTED: usize = 500;

/// What `list` of the script prints: a stat and a name to a line.
fn decode_listed(body: &Bytes) -> Option<Vec<ListedFile>> {
    let mut target = None;
    let mut listed = Vec::new();
    for line in body.split(|&byte| byte == b'\n') {
        if let Some(name) = line.strip_prefix(b"= ") {
            target = Some(body.slice_ref(name));
        } else if let Some((stat, name)) = decode_listed_line(line) {
            listed.push(ListedFile {
                stat,
                name: body.slice_ref(name),
                target: target.clone(),
            });
        }
        if listed.len() > MOST_LISTED {
            return None;
        }
    }
    Some(listed)
}

/// `None` for a file that went away.
fn decode_listed_line(line: &[u8]) -> Option<(FileStat, &[u8])> {
    let blank = memchr::memchr(b' ', line)?;
    let stat = std::str::from_utf8(&line[..blank]).ok()?;
    Some((decode_stat(stat)?, &line[blank + 1..]))
}

fn decode_heads(body: &[u8]) -> Vec<FileHead> {
    let text = String::from_utf8_lossy(body);
    text.lines().filter_map(decode_head).collect()
}

/// A stat, and what `cksum` prints.
fn decode_head(line: &str) -> Option<FileHead> {
    let mut words = line.split(' ');
    Some(FileHead {
        stat: decode_stat(words.next()?)?,
        sum: words.next()?.parse().ok()?,
        length: words.next()?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests;
