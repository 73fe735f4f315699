//! How far a file was read, for another run of the program: a cursor, and the bytes by which its
//! place is recognised. Writing it to a file is left to `report`.

use std::collections::BTreeMap;

use super::cursor::{Cursor, FileId, LineRef};
use super::line::FleetLine;
use super::time::Time;

/// Bytes before a place that are kept to know it by.
const KEPT: usize = 512;

/// A place up to which a file was printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadPosition {
    /// The last line that was printed; without a check the line that comes next.
    pub place: LineRef,
    /// How many bytes of it were, without its line end.
    pub length: u64,
    /// The last bytes before its end, its own among them, as far as they are known.
    pub before: Vec<u8>,
    /// When it was written, as far as is known.
    pub time: Time,
}

impl ReadPosition {
    /// With a line, printed at `now`, after what was reached in the same file, if anything.
    #[must_use]
    pub fn line(record: &FleetLine, earlier: Option<Self>, now: Time) -> Self {
        let stored = record.content.stored();
        // How another encoding ends a line is not looked at: the line by itself has to do.
        let mut before = match earlier {
            Some(earlier) if record.content.stored.is_none() => {
                earlier.up_to(record.content.cursor.offset)
            }
            _ => Vec::new(),
        };
        before.extend_from_slice(stored);
        before.drain(..before.len().saturating_sub(KEPT));
        let length = stored.len() as u64;
        // A stamp that is read wrongly may lie in the future.
        Self {
            place: record.content.place(),
            length,
            before,
            time: record.content.time.min(now),
        }
    }

    /// Whether the rest of a line follows, perhaps no more than its end, which belongs to what was
    /// printed.
    #[must_use]
    pub fn is_in_line(&self) -> bool {
        self.place.check.is_some()
    }

    /// Offset after the last byte that was printed.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.place.cursor.offset + self.length
    }

    /// The bytes before an offset, where nothing but a line end lies between.
    fn up_to(mut self, offset: u64) -> Vec<u8> {
        let end: &[u8] = match (self.is_in_line(), offset.checked_sub(self.offset())) {
            (false, Some(0)) => b"",
            (true, Some(1)) => b"\n",
            (true, Some(2)) => b"\r\n",
            _ => return Vec::new(),
        };
        self.before.extend_from_slice(end);
        self.before
    }
}

/// How far the sources of each host were printed, by their names: the generations of each, oldest
/// first.
pub type SavedPositions = BTreeMap<String, BTreeMap<String, Vec<ReadPosition>>>;

/// The most generations of a source whose positions are kept.
const GENERATIONS: usize = 8;

/// A program may go on writing to a file that was renamed; so long after its last line the file is
/// forgotten.
const RESTED_AFTER_MS: i64 = 120_000;

/// How far a source was printed: its generations, in the order in which they were begun.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PrintedPositions {
    generations: Vec<(ReadPosition, Time)>,
    /// The line that comes next does not follow the one before it.
    cut: bool,
}

impl PrintedPositions {
    /// As an earlier run left it, known again at `now`.
    #[must_use]
    pub fn before(reached: Vec<ReadPosition>, now: Time) -> Self {
        Self {
            generations: reached.into_iter().map(|one| (one, now)).collect(),
            cut: false,
        }
    }

    /// A line was printed at `now`.
    pub fn line(&mut self, record: &FleetLine, now: Time) {
        // A file that was not there yet is known by no number.
        self.generations
            .retain(|(reached, _)| reached.place.cursor.file != FileId::default());
        let cursor = record.content.cursor;
        if let Some(at) = self.continued_by(cursor) {
            let earlier = (!self.cut).then(|| self.generations[at].0.clone());
            self.generations[at] = (ReadPosition::line(record, earlier, now), now);
        } else {
            // A file that was cut off begins again.
            self.position(cursor.file)
                .map(|at| self.generations.remove(at));
            let begun = ReadPosition::line(record, None, now);
            self.generations.push((begun, now));
        }
        self.cut = false;
        self.forget_rested(now);
    }

    /// The generation that a line goes on with.
    fn continued_by(&self, cursor: Cursor) -> Option<usize> {
        let is_before = |at: &usize| self.generations[*at].0.offset() <= cursor.offset;
        match self.position(cursor.file) {
            Some(at) => Some(at).filter(is_before),
            // In a copy, or packed, a file has another number and goes on where it was.
            None if cursor.offset > 0 => (0..self.generations.len()).rev().find(is_before),
            None => None,
        }
    }

    fn forget_rested(&mut self, now: Time) {
        let rests = |printed: Time| printed.plus_millis(RESTED_AFTER_MS) < now;
        while self.generations.len() > 1
            && (self.generations.len() > GENERATIONS || rests(self.generations[0].1))
        {
            self.generations.remove(0);
        }
    }

    /// Bytes were left out.
    pub fn gap(&mut self) {
        self.cut = true;
    }

    /// It was begun at this place; nothing of it was printed yet.
    pub fn begin(&mut self, reached: ReadPosition, now: Time) {
        if self.generations.is_empty() {
            self.generations.push((reached, now));
        }
    }

    /// How far each generation was printed, oldest first.
    pub fn reached(&self) -> impl Iterator<Item = &ReadPosition> {
        self.generations.iter().map(|(reached, _)| reached)
    }

    fn position(&self, file: FileId) -> Option<usize> {
        self.generations
            .iter()
            .position(|(reached, _)| reached.place.cursor.file == file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::cursor::{Cursor, FileId};
    use crate::model::host::HostId;
    use crate::model::line::{ByteSpan, Line, LineOrder};
    use crate::model::source::SourceId;
    use crate::model::time::TimeSource;

    fn record(offset: u64, text: &'static str) -> FleetLine {
        let cursor = Cursor {
            file: FileId { dev: 1, ino: 2 },
            offset,
        };
        let (host, source, time, time_from) = (HostId(0), SourceId(0), Time(50), TimeSource::Stamp);
        let (continues, stamp) = (false, ByteSpan::default());
        FleetLine {
            host,
            source,
            order: LineOrder::InOrder,
            content: Line {
                time,
                time_from,
                cursor,
                continues,
                dialect: None,
                stamp,
                raw: text.into(),
                stored: None,
            },
        }
    }

    #[test]
    fn what_stands_before_a_place_is_as_in_the_file() {
        let one = ReadPosition::line(&record(10, "one"), None, Time(99));
        assert_eq!(
            (one.offset(), &one.before[..], one.time),
            (13, &b"one"[..], Time(50))
        );
        let two = ReadPosition::line(&record(14, "two"), Some(one.clone()), Time(20));
        assert_eq!(
            (&two.before[..], two.time),
            (&b"one\ntwo"[..], Time(20)),
            "not later than now"
        );
        let three = ReadPosition::line(&record(19, ""), Some(two.clone()), Time(99));
        assert_eq!(&three.before[..], b"one\ntwo\r\n");
        let far = ReadPosition::line(&record(30, "far"), Some(two), Time(99));
        assert_eq!(&far.before[..], b"far", "what lies between is not known");
    }

    #[test]
    fn no_more_is_kept_than_is_needed() {
        let mut reached = None;
        for n in 0..100 {
            reached = Some(ReadPosition::line(
                &record(n * 21, "twenty bytes of text"),
                reached,
                Time(99),
            ));
        }
        let reached = reached.expect("some");
        assert_eq!(
            (reached.before.len(), reached.offset()),
            (KEPT, 99 * 21 + 20)
        );
        assert!(reached.before.ends_with(b"text\ntwenty bytes of text"));
    }

    #[test]
    fn generations_stand_in_the_order_in_which_they_were_begun() {
        let of = |ino: u64, offset: u64| {
            let record = record(offset, "line");
            {
                let mut line = record;
                line.content.cursor = Cursor {
                    file: FileId { dev: 1, ino },
                    offset,
                };
                line
            }
        };
        let mut printed = PrintedPositions::default();
        let mut ends = |ino: u64, offset: u64, seconds: i64| {
            printed.line(&of(ino, offset), Time(0).plus_millis(seconds * 1000));
            printed
                .reached()
                .map(|one| (one.place.cursor.file.ino, one.place.cursor.offset))
                .collect::<Vec<_>>()
        };
        assert_eq!(ends(1, 0, 0), [(1, 0)]);
        assert_eq!(ends(2, 0, 1), [(1, 0), (2, 0)]);
        assert_eq!(
            ends(1, 5, 2),
            [(1, 5), (2, 0)],
            "the writer had not let go of it"
        );
        assert_eq!(
            ends(1, 0, 3),
            [(2, 0), (1, 0)],
            "the number was given to a new file, or the file cut off"
        );
        assert_eq!(
            ends(1, 5, 200),
            [(1, 5)],
            "nobody writes to the other any more"
        );
        let last = (3..30).map(|ino| ends(ino, 0, 201)).last().expect("some");
        assert_eq!((last.len(), last[0].0, last[7].0), (8, 22, 29));
    }

    #[test]
    fn a_copy_takes_the_place_of_its_original() {
        let of = |ino: u64, offset: u64| {
            let record = record(offset, "line");
            {
                let mut line = record;
                line.content.cursor = Cursor {
                    file: FileId { dev: 1, ino },
                    offset,
                };
                line
            }
        };
        let mut printed = PrintedPositions::default();
        for (ino, offset) in [(1, 0), (1, 5), (9, 10), (1, 0)] {
            printed.line(&of(ino, offset), Time(0));
        }
        let ends: Vec<_> = printed
            .reached()
            .map(|one| (one.place.cursor.file.ino, &one.before[..]))
            .collect();
        assert_eq!(ends, [(9, &b"line\nline\nline"[..]), (1, b"line")]);
    }

    #[test]
    fn a_line_after_a_gap_is_not_joined_with_the_one_before() {
        let mut printed = PrintedPositions::default();
        printed.line(&record(10, "one"), Time(99));
        printed.gap();
        printed.line(&record(15, "two"), Time(99));
        assert_eq!(
            printed
                .reached()
                .map(|one| &one.before[..])
                .collect::<Vec<_>>(),
            [b"two"]
        );
    }
}
