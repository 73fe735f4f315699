//! Lines: the bytes as they were, and the time that orders them.
//!
//! Level and fields are found lazily, by `parse` and the query,
//! from the raw bytes.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use super::cursor::{Cursor, LineRef};
use super::dialect::LineDialect;
use super::host::HostId;
use super::source::SourceId;
use super::time::{Time, TimeSource};

/// A part of a line, in bytes; empty where there is none or where it lies beyond what two bytes
/// count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ByteSpan {
    start: u16,
    end: u16,
}

impl ByteSpan {
    /// The part, unless it is empty.
    #[must_use]
    pub fn range(self) -> Option<Range<usize>> {
        (self.start < self.end).then(|| self.start.into()..self.end.into())
    }
}

impl From<Option<Range<usize>>> for ByteSpan {
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

/// A line of one source: a whole record, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What orders it among the lines of the fleet.
    pub time: Time,
    /// Where that time comes from.
    pub time_from: TimeSource,
    /// It belongs to the same record as the line before it: a stack trace, the rest of a statement
    /// ([`RecordJoiner`](crate::parse::multiline::RecordJoiner)).
    pub continues: bool,
    /// What its source is known to mean by it; `None` where that is no more than it says.
    pub dialect: Option<Arc<LineDialect>>,
    /// Where in the line its timestamp is.
    pub stamp: ByteSpan,
    /// The byte at which it begins.
    pub cursor: Cursor,
    /// The line without its line end, as UTF-8 where its encoding is known. Its own allocation, so
    /// that a line kept does not keep a whole read alive.
    pub raw: Bytes,
    /// The bytes of its file, where they are in another encoding.
    pub stored: Option<Box<[u8]>>,
}

impl Line {
    /// Its cursor, to be handed out.
    #[must_use]
    pub fn place(&self) -> LineRef {
        LineRef::of(self.cursor, self.stored())
    }

    /// Its bytes as its file has them, without the line end.
    #[must_use]
    pub fn stored(&self) -> &[u8] {
        self.stored.as_deref().unwrap_or(&self.raw)
    }

    /// What it occupies in memory, in bytes.
    #[must_use]
    pub fn memory(&self) -> usize {
        size_of::<FleetLine>()
            + self.raw.len()
            + self.stored.as_ref().map_or(0, |stored| stored.len())
    }
}

/// Whether a line came in time for its place among those of other sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LineOrder {
    /// No later line was shown before it.
    #[default]
    InOrder,
    /// Later lines were shown before it, but it was written before its source was first heard of:
    /// nobody was late.
    Backlog,
    /// It arrived after later lines had been shown.
    Late,
}

/// A line of the fleet: a [`Line`] with the host and the source it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetLine {
    /// The host that sent it.
    pub host: HostId,
    /// Its source on that host.
    pub source: SourceId,
    /// Whether it came in time for its place among the others.
    pub order: LineOrder,
    /// The line itself.
    pub content: Line,
}

impl FleetLine {
    /// A line that arrived in time.
    #[must_use]
    pub fn new(host: HostId, source: SourceId, content: Line) -> Self {
        Self {
            host,
            source,
            order: LineOrder::InOrder,
            content,
        }
    }
}
