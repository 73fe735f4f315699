//! Records: a line of a source, with its bytes as they were and the time that orders it.
//!
//! Level and fields are found lazily, by [`Level::detect`](super::Level::detect) and the query,
//! from the raw bytes.

use std::ops::Range;

use bytes::Bytes;
use jiff::Timestamp;

use super::cursor::{Cursor, Place};
use super::host::HostId;
use super::level::Level;
use super::source::SourceId;

/// A moment: nanoseconds since 1970-01-01T00:00:00Z, in the years 1678 to 2261. Plain and small,
/// because every record of the ring has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub i64);

impl Time {
    /// From jiff; moments outside the range become its ends.
    #[must_use]
    pub fn from_timestamp(at: Timestamp) -> Self {
        let nanos = at
            .as_nanosecond()
            .clamp(i128::from(i64::MIN), i128::from(i64::MAX));
        Self(i64::try_from(nanos).unwrap_or_default())
    }

    /// As jiff has it, for printing and for calendars.
    #[must_use]
    pub fn to_timestamp(self) -> Timestamp {
        Timestamp::from_nanosecond(i128::from(self.0)).unwrap_or_default()
    }

    /// This moment and so many milliseconds more (or fewer), stopping at the ends of the range.
    #[must_use]
    pub fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis.saturating_mul(1_000_000)))
    }
}

/// Where the time of a record comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeFrom {
    /// A stamp in the line.
    Stamp,
    /// The line has none; it has the time of the line before it in its source, or of the first
    /// stamped one after it where nothing before it was read.
    Previous,
    /// Neither is known: when the line reached us.
    Arrival,
}

impl TimeFrom {
    /// The word in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stamp => "stamp",
            Self::Previous => "previous",
            Self::Arrival => "arrival",
        }
    }
}

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
    /// the rest of a statement ([`Joiner`](super::Joiner)).
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

    /// The level that this line states. What only goes on with a record states none, unless it is
    /// the line in which java.util.logging says the level.
    #[must_use]
    pub fn level(&self) -> Option<Level> {
        let is_rest = self.continues && self.raw.first().is_none_or(u8::is_ascii_whitespace);
        if is_rest {
            None
        } else {
            Level::detect(&self.raw)
        }
    }
}
