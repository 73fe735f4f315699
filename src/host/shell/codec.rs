//! What is said between the console and `follow.sh`: requests as lines, answers from frames.

use crate::model::cursor::FileId;

use super::frame::{END, Frame};
use crate::files::follow::{
    FileHead, FileObservation, FileStat, FileUnavailable, FollowRequest, PermissionBlock,
    RotatedSibling, Watch,
};

/// An answer of `follow.sh`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScriptAnswer<'a> {
    /// It runs and waits for requests.
    Ready,
    /// Something about a file.
    Seen(FileObservation<'a>),
    /// A poll is over; true where it stopped at its limit and another should follow at once.
    PollEnded(bool),
    /// Logs that a pattern matches.
    Expanded(Expanded<'a>),
    /// What the pattern with this number matches cannot be told, for this stands before it.
    Barred(u32, PermissionBlock),
    /// Whether a path, by the name under which it was tried, has been answered for.
    Tried(&'a str, bool),
    /// Facts, as `describe` of the script prints them.
    Described(&'a [u8]),
    /// Counters, as `grep` prints them.
    Counters(&'a [u8]),
    /// `df -P -k`, a line of `--`, `df -P -i`.
    Usage(&'a [u8]),
    /// The end of what one request brought.
    End,
}

/// Logs that a pattern matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expanded<'a> {
    /// The number of the pattern.
    pub pattern: u32,
    /// How many there are.
    pub matched: u32,
    /// Whether the pattern matches anything, be it old generations alone.
    pub any: bool,
    /// Their paths; of very many those that were written to last.
    pub files: Vec<&'a [u8]>,
}

/// The host said something that the script cannot have said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the host answered {0:?}, which makes no sense here")]
pub struct Nonsense(pub(crate) String);

/// Reads an answer.
///
/// # Errors
/// When the header is none of ours.
pub fn decode(frame: &Frame) -> Result<ScriptAnswer<'_>, Nonsense> {
    decode_words(frame).ok_or_else(|| Nonsense(frame.header.chars().take(80).collect()))
}

fn decode_words(frame: &Frame) -> Option<ScriptAnswer<'_>> {
    let mut words = frame.header.split(' ');
    match words.next()? {
        "R" => Some(ScriptAnswer::Ready),
        END => Some(ScriptAnswer::End),
        "D" => Some(ScriptAnswer::Described(&frame.body)),
        "M" => Some(ScriptAnswer::Counters(&frame.body)),
        "U" => Some(ScriptAnswer::Usage(&frame.body)),
        "E" => Some(ScriptAnswer::PollEnded(words.next()? == "1")),
        "T" => Some(ScriptAnswer::Tried(words.next()?, words.next()? == "1")),
        kind => decode_file(kind, words, &frame.body),
    }
}

fn decode_file<'a>(
    kind: &str,
    mut words: std::str::Split<'_, char>,
    body: &'a [u8],
) -> Option<ScriptAnswer<'a>> {
    let watch: Watch = words.next()?.parse().ok()?;
    let seen = match kind {
        "C" => FileObservation::Changed(watch, decode_stat(words.next()?)?),
        "F" => FileObservation::Read(
            watch,
            decode_stat(words.next()?)?,
            words.next()?.parse().ok()?,
            body,
        ),
        "Y" => FileObservation::Candidate(
            watch,
            decode_stat(words.next()?)?,
            words.next()?.parse().ok()?,
            body,
        ),
        "Z" => FileObservation::Compared(watch),
        "H" => decode_unpacked(watch, words, body)?,
        "V" => match words.next()? {
            "-" => FileObservation::Found(watch, None),
            stat => FileObservation::Found(watch, Some(decode_stat(stat)?)),
        },
        "L" => match words.next()? {
            "+" => FileObservation::ListedPart(watch, decode_listed(body)),
            is_whole => FileObservation::Listed(watch, is_whole == "1", decode_listed(body)),
        },
        "S" => FileObservation::Heads(
            watch,
            String::from_utf8_lossy(body)
                .lines()
                .filter_map(decode_head)
                .collect(),
        ),
        "O" => FileObservation::Hole(
            watch,
            decode_stat(words.next()?)?,
            words.next()?.parse().ok()?,
        ),
        "X" => decode_absence(watch, words, body)?,
        "B" => return Some(ScriptAnswer::Barred(watch, PermissionBlock::parse(body))),
        "G" => {
            let files = body
                .split(|&byte| byte == 0)
                .filter(|file| !file.is_empty())
                .collect();
            let (matched, any) = (words.next()?.parse().ok()?, words.next()? == "1");
            return Some(ScriptAnswer::Expanded(Expanded {
                pattern: watch,
                matched,
                any,
                files,
            }));
        }
        _ => return None,
    };
    Some(ScriptAnswer::Seen(seen))
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

fn decode_absence<'a>(
    watch: Watch,
    mut words: std::str::Split<'_, char>,
    body: &[u8],
) -> Option<FileObservation<'a>> {
    match words.next()? {
        "missing" => Some(FileObservation::Absent(watch, FileUnavailable::Missing)),
        "special" => Some(FileObservation::Absent(watch, FileUnavailable::Special)),
        "failing" => {
            let said = String::from_utf8_lossy(body);
            let known = FAILURES.into_iter().find(|failure| said.contains(failure));
            Some(FileObservation::Absent(
                watch,
                FileUnavailable::Failing(known.unwrap_or("it cannot be read")),
            ))
        }
        "denied" => {
            let stat = match words.next()? {
                "-" => None,
                stat => Some(decode_stat(stat)?),
            };
            Some(FileObservation::Denied(
                watch,
                stat,
                PermissionBlock::parse(body),
            ))
        }
        _ => None,
    }
}

/// `device:inode:size:time`. A time that is no number of seconds is only good to tell the script of
/// a change.
fn decode_stat(word: &str) -> Option<FileStat> {
    let mut parts = word.split(':');
    let mut number = || parts.next()?.parse::<u64>().ok();
    let (dev, ino, size) = (number()?, number()?, number()?);
    let changed = parts.next().and_then(decode_time).unwrap_or(0);
    Some(FileStat {
        id: FileId { dev, ino },
        size,
        changed,
    })
}

/// Seconds, with nine digits behind a point or without.
fn decode_time(word: &str) -> Option<u64> {
    let (seconds, nanos) = word.split_once('.').unwrap_or((word, "0"));
    seconds
        .parse::<u64>()
        .ok()?
        .checked_mul(1_000_000_000)?
        .checked_add(nanos.parse().ok()?)
}

/// A piece of a compressed file, unpacked, of which only this tells whether it is the last: it is
/// shorter than asked for.
fn decode_unpacked<'a>(
    watch: Watch,
    mut words: std::str::Split<'_, char>,
    body: &'a [u8],
) -> Option<FileObservation<'a>> {
    let stat = decode_stat(words.next()?)?;
    let (start, wanted): (u64, usize) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let size = start + body.len() as u64 + u64::from(body.len() >= wanted);
    Some(FileObservation::Unpacked(
        watch,
        FileStat { size, ..stat },
        start,
        body,
    ))
}

/// What `list` of the script prints: a stat and the end of a name to a line.
fn decode_listed(body: &[u8]) -> Vec<RotatedSibling> {
    let text = String::from_utf8_lossy(body);
    let sibling = |line: &str| {
        let (stat, name) = line.split_once(' ')?;
        let plain = PACKED.iter().find_map(|ending| name.strip_suffix(ending));
        Some(RotatedSibling {
            stat: decode_stat(stat)?,
            name: plain.unwrap_or(name).to_owned(),
            packed: plain.is_some(),
        })
    };
    text.lines().filter_map(sibling).collect()
}

/// A stat, and what `cksum` prints.
fn decode_head(line: &str) -> Option<FileHead> {
    let mut words = line.split(' ');
    let (stat, sum, length) = (
        decode_stat(words.next()?)?,
        words.next()?.parse().ok()?,
        words.next()?.parse().ok()?,
    );
    Some(FileHead { stat, sum, length })
}

/// Endings of compressed files that the script can read.
const PACKED: [&str; 4] = [".gz", ".bz2", ".xz", ".zst"];

/// Writes a request as the line that the script reads.
pub fn encode(request: &FollowRequest, out: &mut String) {
    use std::fmt::Write;
    // Writing to a string cannot fail.
    let _ = match request {
        FollowRequest::Watch { watch, chain, path } => {
            writeln!(out, "W {watch} {chain} {}", escape(path))
        }
        FollowRequest::ReadFrom(watch, id, offset) => {
            writeln!(out, "A {watch} {}:{} {offset}", id.dev, id.ino)
        }
        FollowRequest::Find {
            watch,
            near,
            id,
            offset,
            mark,
        } => {
            let _ = write!(out, "V {watch} {near} {}:{} {offset}", id.dev, id.ino);
            match mark {
                Some(mark) => writeln!(out, " {} {} {}", mark.sum, mark.length, mark.since),
                None => writeln!(out),
            }
        }
        FollowRequest::List(watch) => writeln!(out, "L {watch}"),
        FollowRequest::Heads(watch) => writeln!(out, "S {watch}"),
        FollowRequest::Hole(watch, offset) => writeln!(out, "O {watch} {offset}"),
        FollowRequest::Compare(watch, offset) => writeln!(out, "Y {watch} {offset}"),
        FollowRequest::Forget(watch) => writeln!(out, "N {watch}"),
    };
}

/// Whether the script answers to a request (and ends the answer with [`ScriptAnswer::End`]).
pub fn is_answered(request: &FollowRequest) -> bool {
    !matches!(request, FollowRequest::ReadFrom(..))
}

/// A path or pattern as one word for `printf %b`: everything but the plainest characters in octal.
pub fn escape(path: &[u8]) -> String {
    let mut out = String::with_capacity(path.len());
    for &byte in path {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("\\0{byte:03o}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn check(header: &str, body: &[u8], expected: &ScriptAnswer<'_>) {
        let frame = Frame {
            header: header.to_owned(),
            body: Bytes::copy_from_slice(body),
        };
        assert_eq!(decode(&frame).as_ref(), Ok(expected));
    }

    #[test]
    fn answers_are_read_as_the_script_says_them() {
        let stat = |changed| FileStat {
            id: FileId {
                dev: 65024,
                ino: 42,
            },
            size: 1267,
            changed,
        };
        let (day, exact) = (
            stat(1_795_188_137_000_000_000),
            stat(1_795_188_137_000_000_250),
        );
        check("R 123", b"", &ScriptAnswer::Ready);
        check("E 1", b"", &ScriptAnswer::PollEnded(true));
        check("T w3 1", b"", &ScriptAnswer::Tried("w3", true));
        check(
            "C 3 65024:42:1267:1795188137",
            b"",
            &ScriptAnswer::Seen(FileObservation::Changed(3, day)),
        );
        check(
            "F 3 65024:42:1267:1795188137 4096",
            b"abc",
            &ScriptAnswer::Seen(FileObservation::Read(3, day, 4096, b"abc")),
        );
        check(
            "V 4 -",
            b"",
            &ScriptAnswer::Seen(FileObservation::Found(4, None)),
        );
        check(
            "V 4 65024:42:1267:1795188137.000000250",
            b"",
            &ScriptAnswer::Seen(FileObservation::Found(4, Some(exact))),
        );
        check(
            "V 4 65024:42:1267:Nov210930",
            b"",
            &ScriptAnswer::Seen(FileObservation::Found(4, Some(stat(0)))),
        );
        let listed =
            b"65024:42:1267:1795188137.000000250 .1\n65024:42:1267:1795188137 -20261120.gz\n";
        let siblings = [(exact, ".1", false), (day, "-20261120", true)];
        let siblings = siblings.map(|(stat, name, packed)| RotatedSibling {
            stat,
            name: name.to_owned(),
            packed,
        });
        check(
            "L 4 +",
            listed,
            &ScriptAnswer::Seen(FileObservation::ListedPart(4, siblings.to_vec())),
        );
        check(
            "L 4 1",
            listed,
            &ScriptAnswer::Seen(FileObservation::Listed(4, true, siblings.to_vec())),
        );
        let head = FileHead {
            stat: day,
            sum: 4_038_471_504,
            length: 3,
        };
        check(
            "S 4",
            b"65024:42:1267:1795188137 4038471504 3\ngone\n",
            &ScriptAnswer::Seen(FileObservation::Heads(4, vec![head])),
        );
        check(
            "O 4 65024:42:1267:1795188137 1024",
            b"",
            &ScriptAnswer::Seen(FileObservation::Hole(4, day, 1024)),
        );
        let last = FileStat { size: 8, ..day };
        check(
            "H 4 65024:42:1267:1795188137 5 4",
            b"abc",
            &ScriptAnswer::Seen(FileObservation::Unpacked(4, last, 5, b"abc")),
        );
        let more = FileStat { size: 10, ..day };
        check(
            "H 4 65024:42:1267:1795188137 5 4",
            b"abcd",
            &ScriptAnswer::Seen(FileObservation::Unpacked(4, more, 5, b"abcd")),
        );
        check(
            "X 4 missing",
            b"",
            &ScriptAnswer::Seen(FileObservation::Absent(4, FileUnavailable::Missing)),
        );
        let ls = b"-rw-r----- 1 root adm 5 Nov 20 13:00 /l/a\n/l/a";
        let stat = FileStat {
            id: FileId { dev: 1, ino: 2 },
            size: 3,
            changed: 0,
        };
        let barrier = || PermissionBlock::parse(ls);
        check(
            "X 4 denied 1:2:3:0",
            ls,
            &ScriptAnswer::Seen(FileObservation::Denied(4, Some(stat), barrier())),
        );
        check(
            "X 4 denied -",
            ls,
            &ScriptAnswer::Seen(FileObservation::Denied(4, None, barrier())),
        );
        check("B 4", ls, &ScriptAnswer::Barred(4, barrier()));
        check(
            "X 4 failing",
            b"Stale file handle\n",
            &ScriptAnswer::Seen(FileObservation::Absent(
                4,
                FileUnavailable::Failing("Stale file handle"),
            )),
        );
        let other = FileUnavailable::Failing("it cannot be read");
        check(
            "X 4 failing",
            b"\x1b[2Jon fire\n",
            &ScriptAnswer::Seen(FileObservation::Absent(4, other)),
        );
        let expanded = Expanded {
            pattern: 0,
            matched: 2,
            any: true,
            files: vec![b"/a", b"/b"],
        };
        check("G 0 2 1", b"/a\0/b\0", &ScriptAnswer::Expanded(expanded));
    }

    #[test]
    fn what_the_script_cannot_have_said_is_an_error() {
        for header in [
            "",
            "Q 1",
            "C x 1:2:3:4",
            "C 1 1:2",
            "F 1 1:2:3:4",
            "X 1 tired",
        ] {
            let frame = Frame {
                header: header.to_owned(),
                body: Bytes::new(),
            };
            assert!(decode(&frame).is_err(), "{header:?}");
        }
    }

    #[test]
    fn a_path_becomes_one_plain_word() {
        assert_eq!(
            escape(b"/var/log/a b\n'$x.log"),
            "/var/log/a\\0040b\\0012\\0047\\0044x.log"
        );
    }
}
