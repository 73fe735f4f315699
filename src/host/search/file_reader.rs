//! Makes lines of the bytes of one file, with their times and the records that they belong to.

use bytes::Bytes;

use crate::model::cursor::{Cursor, FileId};
use crate::model::line::Line;
use crate::model::log_file::LogFile;
use crate::model::time::{Time, TimeSource};
use crate::parse::line_reader::{LineReader, date_first_lines};
use crate::parse::split::{FileLineSplitter, FilePiece};
use crate::query::request::MissingBytes;

/// A part of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FileItem {
    /// A line.
    Line(Line),
    /// Bytes that are not shown.
    Gap(MissingBytes),
}

impl FileItem {
    /// The line.
    pub(super) fn line(&self) -> Option<&Line> {
        match self {
            Self::Line(line) => Some(line),
            Self::Gap(_) => None,
        }
    }

    fn line_mut(&mut self) -> Option<&mut Line> {
        match self {
            Self::Line(line) => Some(line),
            Self::Gap(_) => None,
        }
    }

    /// The line, to be kept.
    pub(super) fn into_line(self) -> Option<Line> {
        match self {
            Self::Line(line) => Some(line),
            Self::Gap(_) => None,
        }
    }
}

/// Reads a file on from some line.
#[derive(Debug, Clone)]
pub(super) struct FileReader {
    file: FileId,
    lines: FileLineSplitter,
    reader: LineReader,
    /// When the file was last written to.
    modified: Time,
    /// The time of lines before the first timestamp, where it is known.
    first: Option<Time>,
    /// A line with a timestamp has been seen.
    pub(super) has_time: bool,
}

impl FileReader {
    /// From the beginning of the file; `reader` knows its kind of lines.
    pub(super) fn new(file: &LogFile, reader: LineReader) -> Self {
        Self {
            file: file.id,
            lines: FileLineSplitter::new(0, false),
            reader,
            modified: file.modified,
            first: None,
            has_time: false,
        }
    }

    /// Lines before the first timestamp have this time: they begin where the file does.
    pub(super) fn begun_at(self, first: Option<Time>) -> Self {
        Self { first, ..self }
    }

    /// The bytes that follow, and what they complete.
    pub(super) fn push(&mut self, bytes: &[u8], out: &mut Vec<FileItem>) {
        let mut pieces = Vec::new();
        self.lines.push(bytes, &mut pieces);
        self.items(pieces, out);
    }

    /// A hole follows.
    pub(super) fn skip(&mut self, length: u64) {
        self.lines.skip(length);
    }

    /// Nothing follows.
    pub(super) fn finish(&mut self, out: &mut Vec<FileItem>) {
        let mut pieces = Vec::new();
        self.lines.finish(&mut pieces);
        self.items(pieces, out);
    }

    /// All items of the bytes that follow; where they end, the file may end.
    pub(super) fn items_of(&mut self, bytes: &[u8], is_end: bool) -> Vec<FileItem> {
        let mut items = Vec::new();
        self.push(bytes, &mut items);
        if is_end {
            self.finish(&mut items);
        }
        items
    }

    /// A line by itself.
    pub(super) fn line(&mut self, offset: u64, raw: Bytes) -> Line {
        self.line_of_file(offset, raw, None)
    }

    fn line_of_file(&mut self, offset: u64, bytes: Bytes, stored: Option<Box<[u8]>>) -> Line {
        let cursor = Cursor {
            file: self.file,
            offset,
        };
        let mut line = self
            .reader
            .line_of_file(cursor, bytes, stored, self.modified);
        self.has_time |= line.time_from == TimeSource::Stamp;
        if let (TimeSource::Arrival, Some(first)) = (line.time_from, self.first) {
            line.time = first;
            line.time_from = TimeSource::Previous;
        }
        line
    }

    /// From an offset on; unless that is 0, it may be in the middle of a line, which is left out.
    pub(super) fn split_from(self, offset: u64) -> Self {
        Self {
            lines: FileLineSplitter::new(offset, offset > 0),
            ..self
        }
    }

    /// Goes on at the beginning of a line.
    pub(super) fn at(self, offset: u64) -> Self {
        Self {
            lines: FileLineSplitter::new(offset, false),
            ..self
        }
    }

    /// What it knows now of the lines.
    pub(super) fn into_reader(self) -> LineReader {
        self.reader
    }

    fn items(&mut self, pieces: Vec<FilePiece>, out: &mut Vec<FileItem>) {
        let first = out.len();
        for piece in pieces {
            out.push(match piece {
                FilePiece::Line {
                    offset,
                    bytes,
                    stored,
                } => FileItem::Line(self.line_of_file(offset, bytes, stored)),
                FilePiece::Gap { from, to, reason } => {
                    self.reader.cut();
                    FileItem::Gap(MissingBytes { from, to, reason })
                }
            });
        }
        date_first_lines(out[first..].iter_mut().filter_map(FileItem::line_mut));
    }
}
