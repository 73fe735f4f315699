//! Records: a line of a source, with its bytes as they were and the time that orders it.
//!
//! Level and fields are found lazily, by `parse` and the query,
//! from the raw bytes.

use std::ops::Range;

use bytes::Bytes;

use super::cursor::{Cursor, Place};
use super::host::HostId;
use super::source::SourceId;
use super::time::{Time, TimeFrom};

/// A part of a line, in bytes; empty where there is none or where it lies beyond what two bytes
/// count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    start: u16,
    end: u16,
}

impl Span {
    /// The part, unless it is empty.
    #[must_use]
    pub fn range(self) -> Option<Range<usize>> {
        (self.start < self.end).then(|| self.start.into()..self.end.into())
    }
}

impl From<Option<Range<usize>>> for Span {
    fn from(range: Option<Range<usize>>) -> Self {
        let narrow = |range: Range<usize>| {
            Some((
                u16::try_from(range.start).ok()?,
                u16::try_from(range.end).ok()?,
            ))
        };
        range
            .and_then(narrow)
            .map_or(Self::default(), |(start, end)| Self { start, end })
    }
}

/// A line with its time, of a source that whoever has it knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What orders it.
    pub time: Time,
    /// Where that comes from.
    pub time_from: TimeFrom,
    /// It goes on with the record of the line before it.
    pub continues: bool,
    /// Where in the line its stamp stands.
    pub stamp: Span,
    /// The byte at which it begins.
    pub cursor: Cursor,
    /// The line.
    pub raw: Bytes,
}

/// A line as it stood in its source, which is a whole record or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// On which host.
    pub host: HostId,
    /// In which source.
    pub source: SourceId,
    /// What orders it among the lines of the fleet.
    pub time: Time,
    /// Where that time comes from.
    pub time_from: TimeFrom,
    /// The byte at which it begins.
    pub cursor: Cursor,
    /// It arrived after later lines of other sources had been shown already.
    pub late: bool,
    /// It goes on with the record that the line before it in its source belongs to: a stack trace,
    /// the rest of a statement ([`Joiner`](crate::parse::multiline::Joiner)).
    pub continues: bool,
    /// Where in the line its stamp stands.
    pub stamp: Span,
    /// The line without its line end. Its own allocation, so that a record kept does not keep a
    /// whole read alive.
    pub raw: Bytes,
}

impl Record {
    /// Its cursor, to be handed out.
    #[must_use]
    pub fn place(&self) -> Place {
        Place::of(self.cursor, &self.raw)
    }
}
