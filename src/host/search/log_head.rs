//! What the first lines of a generation tell of all of them.

use crate::model::log_file::LogFile;
use crate::model::time::{Time, TimeSource};
use crate::parse::encoding::TextKind;
use crate::parse::line_reader::LineReader;
use crate::parse::timestamp::TimeKey;

use super::file_reader::{FileItem, FileReader};

/// What a line takes where nothing is known.
const USUAL_LINE: usize = 120;

/// What the head of a generation tells.
#[derive(Debug, Clone)]
pub(super) struct LogHead {
    lines: LineReader,
    key: Option<TimeKey>,
    /// Its timestamps are times of a day, without a date.
    pub(super) undated: bool,
    /// The first timestamp in it; `None` where its lines have none.
    pub(super) first: Option<Time>,
    /// Bytes of a line, about.
    pub(super) line: usize,
    /// Bytes of a line end.
    pub(super) line_end: u64,
    /// How its text is encoded.
    pub(super) text: TextKind,
    /// It could not be read.
    pub(super) failed: bool,
}

impl LogHead {
    /// Learns from the first bytes of a file; `lines` knows only what is configured.
    pub(super) fn of(file: &LogFile, mut lines: LineReader, bytes: &[u8], at_end: bool) -> Self {
        let sample = FileReader::new(file, lines.clone()).items_of(bytes, at_end);
        let sampled = sample.iter().filter_map(FileItem::line);
        lines.learn(sampled.map(|line| &line.raw[..]), file.modified);
        let mut reader = FileReader::new(file, lines.clone());
        let items = reader.items_of(bytes, at_end);
        let mut stamped = items
            .iter()
            .filter_map(FileItem::line)
            .filter(|line| line.time_from == TimeSource::Stamp);
        let text = TextKind::of(bytes);
        let line_end = match text {
            TextKind::Utf16 => wide_line_end(&items),
            TextKind::Utf8 | TextKind::Other => line_end(bytes),
        };
        // What was only learnt has seen no stamp yet, and cannot say how one compares.
        let seen = reader.into_reader();
        Self {
            key: seen.timestamps().key(),
            undated: seen.timestamps().is_undated(),
            first: stamped.next().map(|line| line.time),
            lines: lines.with_records_of(seen),
            line: line_length(bytes, items.len()),
            line_end,
            text,
            failed: false,
        }
    }

    /// Of a file that cannot be read.
    pub(super) fn unreadable(file: &LogFile, lines: LineReader) -> Self {
        Self {
            failed: true,
            ..Self::of(file, lines, b"", true)
        }
    }

    /// What reads the lines of any part of the generation.
    pub(super) fn lines(&self) -> LineReader {
        self.lines.clone()
    }

    /// How its stamps can be compared where the file is.
    pub(super) fn key(&self) -> Option<TimeKey> {
        self.key.clone()
    }
}

/// The usual length of so many lines.
fn line_length(bytes: &[u8], count: usize) -> usize {
    let written = bytes.len() - memchr::memchr_iter(0, bytes).count();
    match written.checked_div(count) {
        Some(length) => length.max(1),
        None => written.max(USUAL_LINE),
    }
}

/// The length of the line end between the first two lines of UTF-16.
fn wide_line_end(items: &[FileItem]) -> u64 {
    let mut lines = items.iter().filter_map(FileItem::line);
    let (first, second) = (lines.next(), lines.next());
    first.zip(second).map_or(2, |(first, second)| {
        second.cursor.offset - first.cursor.offset - first.stored().len() as u64
    })
}

/// The length of the first line end.
fn line_end(bytes: &[u8]) -> u64 {
    let end = memchr::memchr(b'\n', bytes).unwrap_or(0);
    1 + u64::from(bytes[..end].ends_with(b"\r"))
}
