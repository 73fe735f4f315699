//! From the bytes of one file to its lines, with their times and the records that they belong to.

use bytes::Bytes;

use crate::model::cursor::{Cursor, FileId};
use crate::model::line::Line;
use crate::model::time::{Time, TimeSource};
use crate::parse::multiline::RecordJoiner;
use crate::parse::split::{FilePiece, LineSplitter};
use crate::parse::timestamp::{ParsedTime, TimestampReader};
use crate::query::request::MissingBytes;

/// A part of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ReelItem {
    /// A line.
    Line(Line),
    /// Bytes that are not shown.
    Gap(MissingBytes),
}

impl ReelItem {
    /// The line.
    pub(super) fn line(&self) -> Option<&Line> {
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
pub(super) struct Reel {
    file: FileId,
    lines: LineSplitter,
    stamper: TimestampReader,
    joiner: RecordJoiner,
    /// When the file was last written to.
    modified: Time,
    /// The time of lines before the first stamp, where it is known.
    first: Option<Time>,
    /// A line with a stamp has been seen.
    pub(super) has_time: bool,
}

impl Reel {
    /// From `offset` on, with what is known of the file; `cut` where that is in the middle of a
    /// line.
    pub(super) fn new(
        file: FileId,
        modified: Time,
        known: (TimestampReader, RecordJoiner),
        offset: u64,
        cut: bool,
    ) -> Self {
        let (stamper, joiner) = known;
        Self {
            file,
            lines: LineSplitter::new(offset, cut),
            stamper,
            joiner,
            modified,
            first: None,
            has_time: false,
        }
    }

    /// It begins where the file does, and the first stamp in that says so.
    pub(super) fn begun_at(self, first: Option<Time>) -> Self {
        Self { first, ..self }
    }

    /// The bytes that follow, and what they complete.
    pub(super) fn push(&mut self, bytes: &[u8], out: &mut Vec<ReelItem>) {
        let mut pieces = Vec::new();
        self.lines.push(bytes, &mut pieces);
        self.items(pieces, out);
    }

    /// A hole follows.
    pub(super) fn skip(&mut self, length: u64) {
        self.lines.skip(length);
    }

    /// Nothing follows.
    pub(super) fn finish(&mut self, out: &mut Vec<ReelItem>) {
        let mut pieces = Vec::new();
        self.lines.finish(&mut pieces);
        self.items(pieces, out);
    }

    /// A line by itself.
    pub(super) fn line(&mut self, offset: u64, raw: Bytes) -> Line {
        let ParsedTime { time, from, span } = self.stamper.stamp(&raw, self.modified);
        self.has_time |= from == TimeSource::Stamp;
        let (time, from) = match self.first {
            Some(first) if from == TimeSource::Arrival => (first, TimeSource::Previous),
            _ => (time, from),
        };
        let stamp = span.clone().into();
        let continues = self.joiner.continues(&raw, span);
        Line {
            time,
            time_from: from,
            continues,
            stamp,
            cursor: Cursor {
                file: self.file,
                offset,
            },
            raw,
        }
    }

    /// Goes on at the beginning of a line.
    pub(super) fn at(self, offset: u64) -> Self {
        Self {
            lines: LineSplitter::new(offset, false),
            ..self
        }
    }

    /// Goes on in the middle of a line, which is left out.
    pub(super) fn within(self, offset: u64) -> Self {
        Self {
            lines: LineSplitter::new(offset, true),
            ..self
        }
    }

    /// What it knows now, for a reel that begins elsewhere.
    pub(super) fn into_known(self) -> (TimestampReader, RecordJoiner) {
        (self.stamper, self.joiner)
    }

    fn items(&mut self, pieces: Vec<FilePiece>, out: &mut Vec<ReelItem>) {
        let first = out.len();
        for piece in pieces {
            out.push(match piece {
                FilePiece::Line { offset, bytes } => ReelItem::Line(self.line(offset, bytes)),
                FilePiece::Gap { from, to, reason } => {
                    self.joiner.cut();
                    ReelItem::Gap(MissingBytes { from, to, reason })
                }
            });
        }
        date_the_first(&mut out[first..]);
    }
}

/// Lines before the first stamp of a file have the time of the line after them.
fn date_the_first(items: &mut [ReelItem]) {
    let stamped = items.iter().find_map(|item| {
        item.line()
            .filter(|line| line.time_from == TimeSource::Stamp)
    });
    let Some(time) = stamped.map(|line| line.time) else {
        return;
    };
    for item in items {
        match item {
            ReelItem::Line(line) if line.time_from == TimeSource::Arrival => {
                (line.time, line.time_from) = (time, TimeSource::Previous);
            }
            ReelItem::Line(line) if line.time_from == TimeSource::Stamp => return,
            _ => {}
        }
    }
}
