//! Makes whole records of the lines that a scan has found. Adjacent lines are a run, and what a run
//! shows from the first line of a record to that of the next is a record. One that may go on
//! outside of what was found is left open; `match_scan` reads it.

use std::ops::Range;

use crate::files::access::FoundLine;
use crate::model::line::Line;
use crate::model::log_file::{Compression, LogFile};
use crate::model::time::TimeSource;

use super::file_reader::FileReader;
use super::log_head::LogHead;

/// A run is looked at when it has so many bytes, whether it is over or not.
const MOST_RUN_BYTES: usize = 2 << 20;

/// Without timestamps, only after so many lines is it sure where records begin.
pub(super) const SURE_AFTER: usize = 8;

/// What a line takes on top of its bytes, about.
pub(super) const LINE_OVERHEAD: usize = 100;

/// Lines around a hit, as far as the scan was asked for them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Context {
    pub(crate) before: usize,
    pub(crate) after: usize,
}

impl Context {
    /// As much of each as one of both has.
    pub(super) fn max(self, other: Self) -> Self {
        Self {
            before: self.before.max(other.before),
            after: self.after.max(other.after),
        }
    }
}

/// A record in which a line passed the filter.
#[derive(Debug, Clone)]
pub(super) enum RecordCandidate {
    /// All its lines were found.
    Whole(WholeRecord),
    /// The record of the line at this offset is to be read.
    Open(u64),
}

/// A record and the lines around it; `None` where not all of those were found.
#[derive(Debug, Clone)]
pub(super) struct WholeRecord {
    /// Never empty.
    pub(super) record: Vec<Line>,
    pub(super) before: Option<Vec<Line>>,
    pub(super) after: Option<Vec<Line>>,
}

impl RecordCandidate {
    /// Bytes that it holds, about.
    pub(super) fn size(&self) -> usize {
        let Self::Whole(whole) = self else {
            return LINE_OVERHEAD;
        };
        let around = whole.before.iter().chain(&whole.after).flatten();
        let lines = whole.record.iter().chain(around);
        lines.map(|line| line.raw.len() + LINE_OVERHEAD).sum()
    }

    /// It is to be read.
    pub(super) fn is_open(&self) -> bool {
        matches!(self, Self::Open(_))
    }

    /// Nothing is to be read for it.
    pub(super) fn is_at_hand(&self) -> bool {
        matches!(self, Self::Whole(whole) if whole.before.is_some() && whole.after.is_some())
    }

    /// Offset of its first line that is known.
    pub(super) fn offset(&self) -> u64 {
        match self {
            Self::Whole(whole) => whole.record[0].cursor.offset,
            Self::Open(offset) => *offset,
        }
    }
}

/// Adjacent lines, in their order.
pub(super) struct Runs {
    /// For the first line of a run: what is known of the file.
    fresh: FileReader,
    reader: FileReader,
    /// Records of the file begin with a timestamp.
    stamped: bool,
    /// Bytes of a line end of the file. Where a line has another one, a run counts as over: there
    /// might be an empty line between it and the next.
    line_end: u64,
    /// Where the file ends.
    length: u64,
    context: Context,
    lines: Vec<(Line, bool)>,
    bytes: usize,
}

impl Runs {
    /// Of a file with this head.
    pub(super) fn new(file: &LogFile, head: &LogHead, context: Context) -> Self {
        let fresh = FileReader::new(file, head.lines()).begun_at(head.first);
        Self {
            reader: fresh.clone(),
            fresh,
            stamped: head.first.is_some(),
            line_end: head.line_end,
            length: match file.compression {
                Compression::Plain => file.size,
                _ => u64::MAX,
            },
            context,
            lines: Vec::new(),
            bytes: 0,
        }
    }

    /// The next line that was found.
    pub(super) fn push(&mut self, found: FoundLine, out: &mut Vec<RecordCandidate>) {
        self.make_room(found.offset, out);
        let line = self.reader.line(found.offset, found.raw);
        self.add(line, found.is_hit);
    }

    /// The next line, which was read here.
    pub(super) fn push_line(&mut self, line: Line, out: &mut Vec<RecordCandidate>) {
        self.make_room(line.cursor.offset, out);
        self.add(line, true);
    }

    /// Looks at what there is before a line at this offset is added.
    fn make_room(&mut self, offset: u64, out: &mut Vec<RecordCandidate>) {
        let last = self.lines.last();
        if last.is_some_and(|(last, _)| offset != self.end_of(last)) {
            self.finish(out);
        }
        if self.bytes > MOST_RUN_BYTES {
            self.look(false, out);
        }
    }

    fn add(&mut self, line: Line, is_hit: bool) {
        self.bytes += line.raw.len();
        self.lines.push((line, is_hit));
    }

    /// The run is over.
    pub(super) fn finish(&mut self, out: &mut Vec<RecordCandidate>) {
        self.look(true, out);
        self.lines.clear();
        self.bytes = 0;
        self.reader = self.fresh.clone();
    }

    /// The records of the run; the last one only if it is over.
    fn look(&mut self, is_over: bool, out: &mut Vec<RecordCandidate>) {
        let mut begin = 0;
        for end in 1..self.lines.len() {
            if !self.lines[end].0.continues {
                out.extend(self.candidate(begin..end));
                begin = end;
            }
        }
        if is_over {
            if begin < self.lines.len() {
                out.extend(self.candidate(begin..self.lines.len()));
            }
        } else {
            self.keep_from(begin);
        }
    }

    /// The records before this line were looked at: they are context now.
    fn keep_from(&mut self, begin: usize) {
        for (_, is_hit) in &mut self.lines[..begin] {
            *is_hit = false;
        }
        self.lines
            .drain(..begin.saturating_sub(self.context.before.max(SURE_AFTER)));
        self.bytes = self.lines.iter().map(|(line, _)| line.raw.len()).sum();
    }

    fn candidate(&self, range: Range<usize>) -> Option<RecordCandidate> {
        let record = &self.lines[range.clone()];
        let (hit, _) = record.iter().find(|(_, is_hit)| *is_hit)?;
        if !self.begins_at(range.start) || !self.ends_at(range.end) {
            return Some(RecordCandidate::Open(hit.cursor.offset));
        }
        let before = range.start.checked_sub(self.context.before);
        let after = range.end + self.context.after;
        Some(RecordCandidate::Whole(WholeRecord {
            record: lines_of(record),
            before: before.map(|from| lines_of(&self.lines[from..range.start])),
            after: self.lines.get(range.end..after).map(lines_of),
        }))
    }

    /// Whether a record surely begins with this line.
    fn begins_at(&self, at: usize) -> bool {
        let line = &self.lines[at].0;
        let is_head = !line.continues && (!self.stamped || line.time_from == TimeSource::Stamp);
        let enough = if self.stamped { 1 } else { SURE_AFTER };
        line.cursor.offset == 0 || (is_head && (at >= enough || self.lines[0].0.cursor.offset == 0))
    }

    /// Whether a record surely ends before this line.
    fn ends_at(&self, at: usize) -> bool {
        let last = &self.lines[at - 1].0;
        at < self.lines.len() || self.end_of(last) >= self.length
    }

    /// Where the next line begins.
    fn end_of(&self, line: &Line) -> u64 {
        line.cursor.offset + line.stored().len() as u64 + self.line_end
    }
}

fn lines_of(found: &[(Line, bool)]) -> Vec<Line> {
    found.iter().map(|(line, _)| line.clone()).collect()
}
