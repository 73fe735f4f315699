//! What is said between the console and `files.sh`. What all scripts have in common is in
//! [`protocol`](crate::host::shell::protocol).
//!
//! FILE is three words: PATH, DEV:INO, and `plain` or the program that unpacks it. In place of any
//! answer about a file comes `refused WHY`: `missing`, `denied`, `special`, `replaced`, or `without
//! PROGRAM`. What stands behind `+` is the body.
//!
//! | request | answers |
//! |---|---|
//! | `list path STEM EXTENSION`, `list pattern STEM EXTENSION` | `listing begin`, with which all begins again; `listing N + stats, line end, paths` with the number of the first that were asked for; `listing links N + links, targets`; `listing look`, a sign of life; `listing unsettled`, where files were moved all the while; `listing cut`, where `**` has more folders than are gone through |
//! | `read FILE FROM MOST` | `text SIZE START + bytes`; of a compressed file SIZE is a hyphen, and `ended WORDS` follows |
//! | `measure FILE` | `length SIZE`; of a compressed file `length -` and `ended WORDS` |
//! | `seek FILE KIND STRICT TARGET PIVOT` | `hint OFFSET READS ORDERED`, or `hint` where no stamp was seen |
//! | `scan FILE FROM TO HOW FOLD BEFORE AFTER PATTERNS` | `scanning FORM BEGIN END`; what it finds waits. FORM is `all` for text as it is, `offset` for lines behind their offsets, `number` for the same with bytes of the value 1 for NUL |
//! | `next some KIB`, `next much KIB` | of a scan: `piece + bytes`; `some` is what there is, `much` waits for more |
//! | `reread FROM MOST` | of the file of a scan: `text SIZE START + bytes` |
//! | `stop KILL` | none, and no end: the scan is over, `1` where its programs still run |
//!
//! The words of `ended`, and of the line behind a scan, are what programs complain of, and marks:
//! `=tN` is the exit status of what unpacks, `=gN` of `grep`, `=aN` of `awk`, `=nN` what `wc`
//! counted.

use bytes::Bytes;

use crate::files::access::{FileError, ScanRequest};
use crate::files::listing::LogLink;
use crate::host::driver::files::Hint;
use crate::host::shell::frame::{END, Frame};
use crate::host::shell::protocol::{DESCRIBE, DESCRIBED, ProtocolError, READY, StatWord, escape};
use crate::model::log_file::{Compression, LogFile};
use crate::model::time::Time;
use crate::query::Prefilter;

/// A request to `files.sh`.
#[derive(Debug)]
pub(crate) enum FilesRequest<'a> {
    /// Say what the host is.
    Describe,
    /// List what a path or pattern stands for, and what may be older generations of it.
    List {
        /// Otherwise it is a path.
        is_pattern: bool,
        /// All before the extension.
        stem: &'a [u8],
        /// From the dot on.
        extension: &'a [u8],
    },
    /// Send so many bytes of a file, at most, from an offset on.
    Read(&'a LogFile, u64, usize),
    /// Find out how long the text of a file is.
    Measure(&'a LogFile),
    /// Find out where to look for a time.
    Seek(&'a LogFile, SeekTarget),
    /// Begin to look for lines.
    Scan(&'a ScanRequest),
    /// Send what a scan has found.
    Next(PieceSize),
    /// Send bytes of the file that is scanned.
    Reread(u64, usize),
    /// End a scan.
    Stop {
        /// Its programs may still run.
        kill: bool,
    },
}

/// What stamps are compared with.
#[derive(Debug)]
pub(crate) struct SeekTarget {
    /// How they are written.
    pub(crate) kind: &'static str,
    pub(crate) is_strict: bool,
    pub(crate) target: String,
    pub(crate) pivot: String,
}

/// How much of what a scan has found is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PieceSize {
    /// Wait for more than what is there.
    pub(crate) is_much: bool,
    /// At most.
    pub(crate) kib: usize,
}

impl FilesRequest<'_> {
    /// The line that the script reads.
    pub(crate) fn encode(&self) -> String {
        match self {
            Self::Describe => format!("{DESCRIBE}\n"),
            Self::List {
                is_pattern,
                stem,
                extension,
            } => {
                let how = if *is_pattern { "pattern" } else { "path" };
                format!("list {how} {} {}\n", word(stem), word(extension))
            }
            Self::Read(file, from, most) => format!("read {} {from} {most}\n", file_words(file)),
            Self::Measure(file) => format!("measure {}\n", file_words(file)),
            Self::Seek(file, to) => format!(
                "seek {} {} {} {} {}\n",
                file_words(file),
                to.kind,
                u8::from(to.is_strict),
                to.target,
                to.pivot
            ),
            Self::Scan(scan) => encode_scan(scan),
            Self::Next(size) => {
                let how = if size.is_much { "much" } else { "some" };
                format!("next {how} {}\n", size.kib)
            }
            Self::Reread(from, most) => format!("reread {from} {most}\n"),
            Self::Stop { kill } => format!("stop {}\n", u8::from(*kill)),
        }
    }
}

fn encode_scan(scan: &ScanRequest) -> String {
    let to = match i64::try_from(scan.to) {
        Ok(to) => to.to_string(),
        Err(_) => "-".to_owned(),
    };
    let (how, fold, patterns) = match &scan.filter {
        Prefilter::Everything => ("all", 0, Vec::new()),
        Prefilter::Lines(patterns) => (
            if patterns.fixed { "F" } else { "E" },
            u8::from(patterns.either_case),
            patterns.file(),
        ),
    };
    format!(
        "scan {} {} {to} {how} {fold} {} {} {}\n",
        file_words(&scan.file),
        scan.from,
        scan.before,
        scan.after,
        word(&patterns)
    )
}

fn file_words(file: &LogFile) -> String {
    format!(
        "{} {}:{} {}",
        escape(&file.path),
        file.id.dev,
        file.id.ino,
        file.compression.as_str()
    )
}

/// A word of a request that may be empty.
fn word(bytes: &[u8]) -> String {
    // Nothing, as `printf %b` has it.
    if bytes.is_empty() {
        "\\c".to_owned()
    } else {
        escape(bytes)
    }
}

/// An answer of `files.sh`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum FilesAnswer {
    /// It runs and waits for requests.
    Ready,
    /// The end of what one request brought.
    End,
    /// The facts of a host, as `describe` of the script prints them.
    Described(Bytes),
    /// A file cannot be read.
    Refused(FileError),
    /// A part of a list.
    Listing(ListingPart),
    /// Text of a file.
    Text(TextPiece),
    /// How the programs of a request ended.
    Ended(ProgramsEnd),
    /// The length of a text, where it is not known by [`Self::Ended`].
    Length(Option<u64>),
    /// A scan has begun.
    Scanning(ScanStart),
    /// What a scan has found.
    Piece(Bytes),
    /// Where to look for a time.
    Hint(Option<Hint>),
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ListingPart {
    /// All begins again.
    Begin,
    /// A sign of life.
    Look,
    /// Files were moved all the while.
    Unsettled,
    /// A pattern with `**` has more folders than were looked at.
    Cut,
    /// Symlinks that were asked for, and where they lead.
    Links(Vec<LogLink>),
    /// Files.
    Files {
        /// So many of the first were asked for.
        own: usize,
        /// `None` for one that went away.
        files: Vec<Option<LogFile>>,
    },
}

/// Text of a file, from the block on in which it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TextPiece {
    /// The length of a file that is not compressed.
    pub(crate) size: Option<u64>,
    /// Where the bytes begin.
    pub(crate) start: u64,
    pub(crate) bytes: Bytes,
}

/// What a scan sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ScanStart {
    pub(crate) form: ScanForm,
    /// The first byte that is looked at.
    pub(crate) begin: u64,
    /// Where looking ends, where that is known.
    pub(crate) end: Option<u64>,
}

/// How lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScanForm {
    /// As they are: everything is found.
    Text,
    /// `OFFSET:LINE`, and `OFFSET-LINE` for context.
    Offset,
    /// The same, with bytes of the value 1 for NUL.
    WithoutNul,
}

/// How programs ended, and what they complained of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ProgramsEnd {
    /// Exit status of what unpacks.
    pub(crate) unpack: Option<u32>,
    /// Exit status of `grep`.
    pub(crate) grep: Option<u32>,
    /// Exit status of `awk`.
    pub(crate) awk: Option<u32>,
    /// What `wc` counted.
    pub(crate) length: Option<u64>,
    /// Their words.
    pub(crate) said: String,
}

impl ProgramsEnd {
    /// Reads the words of an `ended`.
    pub(crate) fn parse(words: &str) -> Self {
        let mut end = Self::default();
        let mut said = Vec::new();
        for word in words.split(' ') {
            match word.split_at_checked(2) {
                Some(("=t", status)) => end.unpack = end.unpack.or(status.parse().ok()),
                Some(("=g", status)) => end.grep = end.grep.or(status.parse().ok()),
                Some(("=a", status)) => end.awk = end.awk.or(status.parse().ok()),
                Some(("=n", length)) => end.length = end.length.or(length.parse().ok()),
                _ if word.starts_with('=') => {}
                _ => said.push(word),
            }
        }
        let said = said.join(" ");
        end.said = said.chars().filter(|c| !c.is_control()).take(120).collect();
        end
    }
}

/// Reads an answer.
///
/// # Errors
/// When the header is none of ours.
pub(crate) fn decode(frame: &Frame) -> Result<FilesAnswer, ProtocolError> {
    decode_words(frame).ok_or_else(|| ProtocolError::of_header(&frame.header))
}

fn decode_words(frame: &Frame) -> Option<FilesAnswer> {
    let (word, rest) = frame.header.split_once(' ').unwrap_or((&frame.header, ""));
    Some(match word {
        READY => FilesAnswer::Ready,
        END => FilesAnswer::End,
        DESCRIBED => FilesAnswer::Described(frame.body.clone()),
        "refused" => FilesAnswer::Refused(decode_refusal(rest)),
        "listing" => FilesAnswer::Listing(decode_listing(rest, &frame.body)?),
        "text" => {
            let (size, start) = rest.split_once(' ')?;
            FilesAnswer::Text(TextPiece {
                size: size.parse().ok(),
                start: start.parse().ok()?,
                bytes: frame.body.clone(),
            })
        }
        "ended" => FilesAnswer::Ended(ProgramsEnd::parse(rest)),
        "length" => FilesAnswer::Length(rest.parse().ok()),
        "scanning" => FilesAnswer::Scanning(decode_scanning(rest)?),
        "piece" => FilesAnswer::Piece(frame.body.clone()),
        "hint" => FilesAnswer::Hint(decode_hint(rest)),
        _ => return None,
    })
}

/// What the script cannot do without.
const PROGRAMS: [&str; 10] = [
    "dd", "head", "tail", "wc", "grep", "awk", "gzip", "bzip2", "xz", "zstd",
];

fn decode_refusal(why: &str) -> FileError {
    let program = why
        .strip_prefix("without ")
        .and_then(|missing| PROGRAMS.into_iter().find(|program| *program == missing));
    match (why, program) {
        (_, Some(program)) => FileError::Unsupported(program),
        ("missing", _) => FileError::Missing,
        ("denied", _) => FileError::Denied,
        ("special", _) => FileError::Special,
        ("replaced", _) => FileError::Replaced,
        _ => FileError::Other(why.to_owned()),
    }
}

fn decode_listing(what: &str, body: &[u8]) -> Option<ListingPart> {
    Some(match what {
        "begin" => ListingPart::Begin,
        "look" => ListingPart::Look,
        "unsettled" => ListingPart::Unsettled,
        "cut" => ListingPart::Cut,
        files_or_links => match files_or_links.strip_prefix("links ") {
            Some(count) => ListingPart::Links(decode_links(count.parse().ok()?, body)),
            None => ListingPart::Files {
                own: files_or_links.parse().ok()?,
                files: decode_files(body)?,
            },
        },
    })
}

/// Where one of them could not be followed it is not known which: then they are told again, one by
/// one.
fn decode_links(count: usize, body: &[u8]) -> Vec<LogLink> {
    let paths: Vec<&[u8]> = body
        .strip_suffix(b"\0")
        .unwrap_or(body)
        .split(|&byte| byte == 0)
        .collect();
    if paths.len() != count.saturating_mul(2) {
        return Vec::new();
    }
    let (links, targets) = paths.split_at(count);
    let known = links
        .iter()
        .zip(targets)
        .filter(|(_, target)| !target.is_empty());
    known
        .map(|(path, target)| LogLink {
            path: path.to_vec(),
            target: target.to_vec(),
        })
        .collect()
}

/// A line of stats, and as many paths.
fn decode_files(body: &[u8]) -> Option<Vec<Option<LogFile>>> {
    let line = memchr::memchr(b'\n', body)?;
    let stats = std::str::from_utf8(&body[..line]).ok()?;
    let stats = stats.split(' ').filter(|stat| !stat.is_empty());
    let paths = body[line + 1..].split(|&byte| byte == 0);
    stats
        .zip(paths)
        .map(|(stat, path)| match stat {
            "gone" => Some(None),
            stat => decode_file(stat, path).map(Some),
        })
        .collect()
}

fn decode_file(stat: &str, path: &[u8]) -> Option<LogFile> {
    let stat = StatWord::parse(stat)?;
    Some(LogFile {
        path: path.to_vec(),
        id: stat.id,
        size: stat.size,
        modified: Time(stat.changed.unwrap_or(0)),
        compression: Compression::of_name(path),
    })
}

/// `FORM BEGIN END`.
fn decode_scanning(words: &str) -> Option<ScanStart> {
    let mut words = words.split(' ');
    let form = match words.next()? {
        "all" => ScanForm::Text,
        "offset" => ScanForm::Offset,
        "number" => ScanForm::WithoutNul,
        _ => return None,
    };
    Some(ScanStart {
        form,
        begin: words.next()?.parse().ok()?,
        end: words.next()?.parse().ok(),
    })
}

/// `OFFSET READS ORDERED`; nothing where no stamp was seen.
fn decode_hint(words: &str) -> Option<Hint> {
    let mut words = words.split_whitespace();
    Some(Hint {
        offset: words.next()?.parse().ok()?,
        reads: words.next()?.parse().ok()?,
        ordered: words.next()? == "1",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(header: &str, body: &'static [u8]) -> Result<FilesAnswer, ProtocolError> {
        decode(&Frame {
            header: header.to_owned(),
            body: Bytes::from_static(body),
        })
    }

    #[test]
    fn answers_are_read_as_the_script_says_them() {
        let piece = |size| TextPiece {
            size,
            start: 4096,
            bytes: Bytes::from_static(b"abc"),
        };
        let hint = Hint {
            offset: 10,
            reads: 3,
            ordered: true,
        };
        let start = ScanStart {
            form: ScanForm::Offset,
            begin: 5,
            end: None,
        };
        for (header, body, expected) in [
            ("ready", &b""[..], FilesAnswer::Ready),
            ("text 10 4096", b"abc", FilesAnswer::Text(piece(Some(10)))),
            ("text - 4096", b"abc", FilesAnswer::Text(piece(None))),
            ("length 10", b"", FilesAnswer::Length(Some(10))),
            ("length -", b"", FilesAnswer::Length(None)),
            ("hint 10 3 1", b"", FilesAnswer::Hint(Some(hint))),
            ("hint ", b"", FilesAnswer::Hint(None)),
            ("scanning offset 5 -", b"", FilesAnswer::Scanning(start)),
            (
                "refused without xz",
                b"",
                FilesAnswer::Refused(FileError::Unsupported("xz")),
            ),
            (
                "refused on fire",
                b"",
                FilesAnswer::Refused(FileError::Other("on fire".to_owned())),
            ),
        ] {
            assert_eq!(answer(header, body), Ok(expected), "{header}");
        }
    }

    #[test]
    fn of_the_end_of_programs_marks_are_told_from_their_words() {
        let end = ProgramsEnd::parse("gzip: stdin: unexpected end =t1 =n7 =x");
        let said = "gzip: stdin: unexpected end".to_owned();
        let expected = ProgramsEnd {
            unpack: Some(1),
            length: Some(7),
            said,
            ..ProgramsEnd::default()
        };
        assert_eq!(end, expected);
    }

    #[test]
    fn r53_what_is_no_list_is_none() {
        for (header, body) in [
            ("listing x", &b"\n"[..]),
            ("listing 1", b"no line end"),
            ("listing 1", b"a:b:c:d\n/a\0"),
            ("unlisted 1", b"\n"),
            ("", b""),
        ] {
            assert!(answer(header, body).is_err(), "{header}");
        }
        let FilesAnswer::Listing(ListingPart::Files { own: 1, files }) =
            answer("listing 1", b"1:2:3\n/a\0").expect("a list")
        else {
            panic!("a list of files");
        };
        let times: Vec<_> = files.iter().flatten().map(|file| file.modified).collect();
        assert_eq!(
            times,
            [Time(0)],
            "without a time a file is as old as can be"
        );
    }
}
