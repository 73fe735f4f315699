//! Records over lines: which line goes on with the record before it.
//!
//! [`RecordJoiner`] answers for one source, line by line, and keeps little more than a few flags. A
//! stack trace, the rest of an SQL statement, an object printed over many lines belong to the line
//! that began them; filters, counts and copying take them together. What such lines look like is
//! left to `shape`, records with a frame around them to `frame`, their times to `timestamp`.

mod frame;
mod shape;

use std::ops::Range;

use crate::parse::bytes::within;
use crate::parse::level;

use frame::{RecordFrame, SeparatorGuess};
use shape::{LineShape, WrappedLine};

use crate::model::level::Level;

/// Lines of one record: more than the longest stack trace or goroutine dump that anyone reads. The
/// next begins a new record, so that a source which is taken for one endless record still comes in
/// pieces.
pub const MAX_LINES: u32 = 1000;

/// Bytes of one record, for the same reason.
pub const MAX_BYTES: usize = 256 * 1024;

/// As much of a record's first line as tells its level.
const HEAD_BYTES: usize = 160;

/// Decides for the lines of one source, in their order, where records begin.
#[derive(Debug, Clone, Default)]
pub struct RecordJoiner {
    open: Option<OpenRecord>,
    /// The beginning of the first line of the open record.
    head: Vec<u8>,
    trust: HeaderConfidence,
    separator: SeparatorGuess,
}

/// The record that the next line may belong to.
#[derive(Debug, Clone, Copy)]
struct OpenRecord {
    lines: u32,
    bytes: usize,
    /// The first line has a stamp.
    stamped: bool,
    /// What kind of text is under way.
    within: RecordContent,
    /// What it has around it, as long as that is not closed.
    frame: Option<RecordFrame>,
    /// Of whom its lines are, where others write in between: a hash of the program and process, or
    /// of the container.
    owner: u64,
}

/// What a record has come to, as far as it decides what may follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RecordContent {
    /// Ordinary lines.
    Plain,
    /// A Python traceback: its last line is not indented.
    Traceback,
    /// A stack, which the program's own text seldom follows.
    Stack,
    /// Between two tracebacks, the first of which led to the second; or behind the source line that
    /// Node quotes.
    Chain,
    /// A record of MySQL's slow log: the query is anything.
    SlowQuery,
    /// A Go panic: blank lines, `goroutine 1 [running]:` and names of functions.
    Goroutines,
    /// The line ended in the middle of a message (a part of a container's line, a Rust panic whose
    /// message is in the next line): whatever follows belongs to it.
    Cut,
}

/// How far a source is known as one whose records begin with a stamp or a level, so that lines
/// without one are taken for the rest of their records. Each such record vouches for a few more
/// lines; a single one is soon used up.
#[derive(Debug, Clone, Copy, Default)]
struct HeaderConfidence(u8);

impl HeaderConfidence {
    const PER_RECORD: u8 = 8;
    const PER_STRANGER: u8 = 32;

    /// A record began, in the way by which records of the source would be known or in another.
    fn begun(&mut self, is_known: bool) {
        self.0 = if is_known {
            self.0.saturating_add(Self::PER_RECORD)
        } else {
            self.0.saturating_sub(Self::PER_STRANGER)
        };
    }

    /// Whether one more line that might be anything is taken for a rest.
    fn spend(&mut self, open: &OpenRecord) -> bool {
        let needed = match open.within {
            RecordContent::Stack => 128,
            // What has gone on already may go on like that.
            _ if open.lines > 1 => 0,
            _ => Self::PER_RECORD / 2,
        };
        let is_enough = self.0 > needed;
        self.0 = self.0.saturating_sub(1);
        is_enough
    }
}

impl RecordJoiner {
    /// Whether this line goes on with the record of the line before it in the same source; `stamp`
    /// is where the line has a stamp of its own.
    pub fn continues(&mut self, line: &[u8], stamp: Option<Range<usize>>) -> bool {
        let wrapped = WrappedLine::of(line, stamp);
        let shape = wrapped.shape();
        let is_separator = self.separator.is_begin(line, wrapped.stamped);
        let belongs = RecordFrame::begun_by(line).is_none()
            && self.open.is_some_and(|open| {
                let joins =
                    |joiner: &mut Self| !is_separator && joiner.belongs(&open, &wrapped, shape);
                open.has_room_for(line) && (open.holds(&wrapped, line) || joins(self))
            });
        if !belongs {
            // Not what only a strange beginning (of a file, behind a gap) makes a record of its
            // own.
            if !matches!(
                shape,
                LineShape::Rest | LineShape::Frame | LineShape::Blank | LineShape::SlowUser
            ) {
                self.trust
                    .begun(wrapped.stamped || shape == LineShape::Level);
            }
            self.head.clear();
            self.head.extend_from_slice(within(line, HEAD_BYTES));
        }
        let open = self.open.filter(|_| belongs).unwrap_or_else(|| OpenRecord {
            frame: RecordFrame::of_first(line).or(is_separator.then_some(RecordFrame::Separator)),
            ..OpenRecord::new(&wrapped)
        });
        self.open = Some(open.with(line, &wrapped, shape));
        belongs
    }

    /// The next line has nothing to do with those before it: bytes between them are missing.
    pub fn cut(&mut self) {
        self.open = None;
    }

    fn belongs(&mut self, open: &OpenRecord, line: &WrappedLine<'_>, shape: LineShape) -> bool {
        let expected =
            open.within == RecordContent::Cut || open.expects(shape) || self.is_told(open, shape);
        if line.stamped {
            let same = line.owner != 0 && line.owner == open.owner;
            return shape == LineShape::Addendum || same && expected;
        }
        match shape {
            _ if expected => true,
            LineShape::Level => {
                let is_word = line
                    .text
                    .first()
                    .is_some_and(|b| b.is_ascii_alphabetic() || !b.is_ascii());
                is_word && open.lines == 1 && open.stamped && self.head_level().is_none()
            }
            // A record of MySQL's slow log whose second is the last one's has no line for the time.
            LineShape::SlowUser => open.lines == 1 && self.head.starts_with(b"# Time:"),
            LineShape::Head | LineShape::GoPanic | LineShape::CutShort => false,
            // Where records have stamps, a line without one begins none. Where only some state a
            // level, a sentence may.
            _ => {
                (open.stamped || !line.text.first().is_some_and(u8::is_ascii_uppercase))
                    && self.trust.spend(open)
            }
        }
    }

    /// Whether a line begins the trace of what the line before it said had gone wrong.
    fn is_told(&self, open: &OpenRecord, shape: LineShape) -> bool {
        let is_trace = matches!(shape, LineShape::Exception | LineShape::TracebackHead);
        is_trace && open.lines == 1 && self.head_level().is_some_and(|level| level >= Level::Warn)
    }

    fn head_level(&self) -> Option<Level> {
        level::of(&self.head)
    }
}

impl OpenRecord {
    fn new(first: &WrappedLine<'_>) -> Self {
        Self {
            lines: 0,
            bytes: 0,
            stamped: first.stamped,
            within: RecordContent::Plain,
            frame: None,
            owner: first.owner,
        }
    }

    fn with(self, raw: &[u8], line: &WrappedLine<'_>, shape: LineShape) -> Self {
        let is_closed = |frame: &RecordFrame| self.lines > 0 && frame.is_closed_by(raw);
        let within = match (shape, self.within) {
            _ if line.is_cut => RecordContent::Cut,
            (LineShape::CutShort, _) => RecordContent::Cut,
            (LineShape::TracebackHead, _) => RecordContent::Traceback,
            (LineShape::Goroutine | LineShape::GoPanic, _) => RecordContent::Goroutines,
            (LineShape::Chain, _) => RecordContent::Chain,
            (LineShape::SlowUser, _) => RecordContent::SlowQuery,
            (_, RecordContent::SlowQuery) => RecordContent::SlowQuery,
            (LineShape::Frame, RecordContent::Plain | RecordContent::Cut) => RecordContent::Stack,
            (LineShape::Rest | LineShape::Blank | LineShape::GoFrame, RecordContent::Cut) => {
                RecordContent::Plain
            }
            (
                LineShape::Rest | LineShape::Frame | LineShape::Blank | LineShape::GoFrame,
                within,
            ) => within,
            _ => RecordContent::Plain,
        };
        Self {
            lines: self.lines + 1,
            bytes: self.bytes.saturating_add(raw.len()),
            within,
            frame: self.frame.filter(|frame| !is_closed(frame)),
            // A stamp behind the line of a frame is that of the record.
            stamped: self.stamped || self.frame.is_some() && line.stamped,
            ..self
        }
    }

    /// Whether its frame is not closed before this line.
    fn holds(&self, line: &WrappedLine<'_>, raw: &[u8]) -> bool {
        self.frame
            .is_some_and(|frame| frame.holds(raw, self.lines, line.stamped))
    }

    fn has_room_for(&self, line: &[u8]) -> bool {
        self.lines < MAX_LINES && self.bytes.saturating_add(line.len()) <= MAX_BYTES
    }

    /// Whether a line of this shape belongs to the record whatever its source is like.
    fn expects(&self, shape: LineShape) -> bool {
        match shape {
            LineShape::Blank
            | LineShape::Rest
            | LineShape::Frame
            | LineShape::Chain
            | LineShape::Goroutine
            | LineShape::Addendum => true,
            shape if self.within == RecordContent::SlowQuery => shape != LineShape::SlowUser,
            LineShape::GoFrame => self.within == RecordContent::Goroutines,
            LineShape::TracebackHead => self.within == RecordContent::Chain,
            // The last line of a traceback names an exception, which may be called anything.
            LineShape::Exception => {
                matches!(self.within, RecordContent::Traceback | RecordContent::Chain)
            }
            LineShape::Plain | LineShape::Level => {
                self.within == RecordContent::Traceback && self.lines > 1
            }
            LineShape::Head | LineShape::GoPanic | LineShape::CutShort | LineShape::SlowUser => {
                false
            }
        }
    }
}

#[cfg(test)]
mod tests;
