//! What is said between the console and `follow.sh`: requests as lines, answers from frames.

use crate::model::FileId;

use super::follow::{Absence, Request, Seen, Stat, Watch};
use super::frame::{END, Frame};

/// An answer of `follow.sh`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer<'a> {
    /// It runs and waits for requests.
    Ready,
    /// Something about a file.
    Seen(Seen<'a>),
    /// A poll is over; true where it stopped at its limit and another should follow at once.
    PollEnded(bool),
    /// Files that a pattern matches, for the pattern with this number; their number before the cap.
    Expanded(u32, u32, Vec<&'a [u8]>),
    /// Facts, as `describe` of the script prints them.
    Described(&'a [u8]),
    /// Counters, as `grep` prints them.
    Counters(&'a [u8]),
    /// `df -P -k`, a line of `--`, `df -P -i`.
    Usage(&'a [u8]),
    /// The end of what one request brought.
    End,
}

/// The host said something that the script cannot have said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the host answered {0:?}, which makes no sense here")]
pub struct Nonsense(pub(super) String);

/// Reads an answer.
///
/// # Errors
/// When the header is none of ours.
pub fn decode(frame: &Frame) -> Result<Answer<'_>, Nonsense> {
    decode_words(frame).ok_or_else(|| Nonsense(frame.header.chars().take(80).collect()))
}

fn decode_words(frame: &Frame) -> Option<Answer<'_>> {
    let mut words = frame.header.split(' ');
    match words.next()? {
        "R" => Some(Answer::Ready),
        END => Some(Answer::End),
        "D" => Some(Answer::Described(&frame.body)),
        "M" => Some(Answer::Counters(&frame.body)),
        "U" => Some(Answer::Usage(&frame.body)),
        "E" => Some(Answer::PollEnded(words.next()? == "1")),
        kind => decode_file(kind, words, &frame.body),
    }
}

fn decode_file<'a>(kind: &str, mut words: std::str::Split<'_, char>, body: &'a [u8]) -> Option<Answer<'a>> {
    let watch: Watch = words.next()?.parse().ok()?;
    let seen = match kind {
        "C" => Seen::Changed(watch, decode_stat(words.next()?)?),
        "F" => Seen::Read(watch, decode_stat(words.next()?)?, words.next()?.parse().ok()?, body),
        "Y" => Seen::Candidate(watch, decode_stat(words.next()?)?, words.next()?.parse().ok()?, body),
        "Z" => Seen::Compared(watch),
        "V" => match words.next()? {
            "-" => Seen::Found(watch, None, Vec::new()),
            stat => Seen::Found(watch, Some(decode_stat(stat)?), decode_newer(stat, body)),
        },
        "X" => Seen::Absent(watch, decode_absence(words.next()?)?),
        "G" => {
            let files = body.split(|&byte| byte == 0).filter(|file| !file.is_empty()).collect();
            return Some(Answer::Expanded(watch, words.next()?.parse().ok()?, files));
        }
        _ => return None,
    };
    Some(Answer::Seen(seen))
}

fn decode_absence(word: &str) -> Option<Absence> {
    match word {
        "missing" => Some(Absence::Missing),
        "denied" => Some(Absence::Denied),
        "special" => Some(Absence::Special),
        _ => None,
    }
}

/// `device:inode:size:time`; the time only tells the script that something has changed.
fn decode_stat(word: &str) -> Option<Stat> {
    let mut parts = word.split(':');
    let mut number = || parts.next()?.parse::<u64>().ok();
    let (dev, ino, size) = (number()?, number()?, number()?);
    Some(Stat { id: FileId { dev, ino }, size })
}

/// The files among those listed that changed after `stat` was taken of one, in the order of their last change.
fn decode_newer(stat: &str, listed: &[u8]) -> Vec<Stat> {
    let changed = |word: &str| -> Option<(u64, u64)> {
        let (seconds, fraction) = word.rsplit(':').next()?.split_once('.')?;
        Some((seconds.parse().ok()?, fraction.parse().ok()?))
    };
    let Some(after) = changed(stat) else { return Vec::new() };
    let listed = String::from_utf8_lossy(listed);
    let timed = listed.lines().filter_map(|line| Some((changed(line)?, decode_stat(line)?)));
    let mut newer: Vec<_> = timed.filter(|(at, _)| *at > after).collect();
    newer.sort_by_key(|(at, _)| *at);
    newer.into_iter().map(|(_, stat)| stat).collect()
}

/// Writes a request as the line that the script reads.
pub fn encode(request: &Request, out: &mut String) {
    use std::fmt::Write;
    // Writing to a string cannot fail.
    let _ = match request {
        Request::Watch { watch, chain, path } => writeln!(out, "W {watch} {chain} {}", escape(path)),
        Request::ReadFrom(watch, id, offset) => writeln!(out, "A {watch} {}:{} {offset}", id.dev, id.ino),
        Request::Find { watch, near, id, offset } => writeln!(out, "V {watch} {near} {}:{} {offset}", id.dev, id.ino),
        Request::Compare(watch, offset) => writeln!(out, "Y {watch} {offset}"),
        Request::Forget(watch) => writeln!(out, "N {watch}"),
    };
}

/// Whether the script answers to a request (and ends the answer with [`Answer::End`]).
pub fn is_answered(request: &Request) -> bool {
    !matches!(request, Request::ReadFrom(..))
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

    fn check(header: &str, body: &[u8], expected: &Answer<'_>) {
        let frame = Frame { header: header.to_owned(), body: Bytes::copy_from_slice(body) };
        assert_eq!(decode(&frame).as_ref(), Ok(expected));
    }

    #[test]
    fn answers_are_read_as_the_script_says_them() {
        let stat = Stat { id: FileId { dev: 65024, ino: 42 }, size: 1267 };
        check("R 123", b"", &Answer::Ready);
        check("E 1", b"", &Answer::PollEnded(true));
        check("C 3 65024:42:1267:1795188137", b"", &Answer::Seen(Seen::Changed(3, stat)));
        check("F 3 65024:42:1267:1795188137 4096", b"abc", &Answer::Seen(Seen::Read(3, stat, 4096, b"abc")));
        check("V 4 -", b"", &Answer::Seen(Seen::Found(4, None, Vec::new())));
        let newer = [(43, 5), (44, 6)].map(|(ino, size)| Stat { id: FileId { dev: 65024, ino }, size });
        let listed = b"65024:44:6:9.5\n65024:41:9:7.999\n65024:43:5:8.500\n65024:42:1267:8.400\n";
        check("V 4 65024:42:1267:8.400", listed, &Answer::Seen(Seen::Found(4, Some(stat), newer.to_vec())));
        check("X 4 denied", b"", &Answer::Seen(Seen::Absent(4, Absence::Denied)));
        check("G 0 2", b"/a\0/b\0", &Answer::Expanded(0, 2, vec![b"/a", b"/b"]));
    }

    #[test]
    fn what_the_script_cannot_have_said_is_an_error() {
        for header in ["", "Q 1", "C x 1:2:3:4", "C 1 1:2", "F 1 1:2:3:4", "X 1 tired"] {
            let frame = Frame { header: header.to_owned(), body: Bytes::new() };
            assert!(decode(&frame).is_err(), "{header:?}");
        }
    }

    #[test]
    fn a_path_becomes_one_plain_word() {
        assert_eq!(escape(b"/var/log/a b\n'$x.log"), "/var/log/a\\0040b\\0012\\0047\\0044x.log");
    }
}
