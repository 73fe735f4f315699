//! Gives the raw lines of one source their times, and says which of them continue a record.
//!
//! It sees the lines in their order. Where the bytes come from, and what their cursors are, is left
//! to the callers: a followed file, a file that is read back, the output of a program.

use bytes::Bytes;

use super::dialect::DialectReader;
use super::encoding::TextEncoding;
use super::multiline::RecordJoiner;
use super::split::FilePiece;
use super::timestamp::{ParsedTime, TimeFormat, TimestampReader};
use crate::model::cursor::Cursor;
use crate::model::line::Line;
use crate::model::source::NO_STAMPS;
use crate::model::time::{HostClock, Time, TimeSource};

/// What is known of the lines of a source: the format of their timestamps, the record under way,
/// and what its lines mean that no line says by itself.
#[derive(Debug, Clone)]
pub struct LineReader {
    timestamps: TimestampReader,
    records: RecordJoiner,
    dialect: DialectReader,
    encoding: Option<TextEncoding>,
}

/// When lines of a followed file were seen.
#[derive(Debug, Clone, Copy)]
pub struct SeenAt {
    /// The file was written to last, by its host's clock.
    pub written: Time,
    /// They reached us.
    pub now: Time,
}

impl SeenAt {
    /// A file that was written to less long ago is under way.
    const AT_REST_MS: i64 = 600 * 1000;

    /// The time of lines that say nothing of it: now, unless the file has been at rest for long.
    fn arrival(self) -> Time {
        let is_at_rest = self.written < self.now.plus_millis(-Self::AT_REST_MS);
        if is_at_rest { self.written } else { self.now }
    }
}

impl LineReader {
    /// For a source on a host with this clock. `format` is what the inventory says of its
    /// timestamps; one that cannot be parsed counts as none, for `config` has refused it before.
    #[must_use]
    pub fn new(clock: &HostClock, format: Option<&str>) -> Self {
        let format = format.and_then(|format| TimeFormat::parse(format).ok());
        Self::with_format(clock, format.as_ref())
    }

    /// The same with a format that has been parsed.
    #[must_use]
    pub fn with_format(clock: &HostClock, format: Option<&TimeFormat>) -> Self {
        let timestamps = match format {
            Some(format) => TimestampReader::with_format(clock, format),
            None => TimestampReader::new(clock),
        };
        Self {
            timestamps,
            records: RecordJoiner::default(),
            dialect: DialectReader::default(),
            encoding: None,
        }
    }

    /// The inventory says how the text is encoded; a name that is not known counts as none, for
    /// `config` has refused it before.
    #[must_use]
    pub fn with_encoding(self, name: Option<&str>) -> Self {
        Self {
            encoding: name.and_then(TextEncoding::named),
            ..self
        }
    }

    /// The file has this path: its name may say of which day or year its lines are.
    #[must_use]
    pub fn of_file(self, path: &str) -> Self {
        Self {
            timestamps: self.timestamps.of_file(path),
            ..self
        }
    }

    /// The lines that follow are of the file with this path.
    pub fn set_file(&mut self, path: &str) {
        self.timestamps = self.timestamps.clone().of_file(path);
    }

    /// The host's clock has been read (again).
    pub fn set_clock(&mut self, clock: &HostClock) {
        self.timestamps.set_clock(clock);
    }

    /// The name of the format of the timestamps, or [`NO_STAMPS`].
    #[must_use]
    pub fn format_name(&self) -> &'static str {
        self.timestamps.format().unwrap_or(NO_STAMPS)
    }

    /// Finds out the format from lines that are about to be read, unless it is known. `now` is when
    /// they arrived.
    pub fn learn<'a>(&mut self, lines: impl Iterator<Item = &'a [u8]> + Clone, now: Time) {
        self.dialect.learn(lines.clone());
        self.timestamps.learn(&mut { lines }, now);
    }

    /// The same from the lines among pieces of a file.
    pub fn learn_from(&mut self, pieces: &[FilePiece], now: Time) {
        let lines = pieces.iter().filter_map(|piece| match piece {
            FilePiece::Line { bytes, .. } => Some(&bytes[..]),
            FilePiece::Gap { .. } => None,
        });
        self.learn(lines, now);
    }

    /// The next line. Without a timestamp it has the time of the line before it, or `fallback` if
    /// there is none.
    pub fn line(&mut self, cursor: Cursor, raw: Bytes, fallback: Time) -> Line {
        match self.encoding.and_then(|encoding| encoding.text(&raw)) {
            Some(text) => self.decoded(cursor, text.into(), &raw, fallback),
            None => {
                let stamped = self.timestamps.stamp(&raw, fallback);
                self.stamped_line(cursor, raw, stamped)
            }
        }
    }

    /// The next line of a file.
    pub fn line_of_file(
        &mut self,
        cursor: Cursor,
        bytes: Bytes,
        stored: Option<Box<[u8]>>,
        fallback: Time,
    ) -> Line {
        match stored {
            Some(stored) => self.decoded(cursor, bytes, &stored, fallback),
            None => self.line(cursor, bytes, fallback),
        }
    }

    /// The next line, which was decoded already; `stored` are the bytes of its file.
    fn decoded(&mut self, cursor: Cursor, text: Bytes, stored: &[u8], fallback: Time) -> Line {
        let stamped = self.timestamps.stamp(&text, fallback);
        Line {
            stored: Some(stored.into()),
            ..self.stamped_line(cursor, text, stamped)
        }
    }

    /// The same of a followed file.
    pub fn followed_line(
        &mut self,
        cursor: Cursor,
        bytes: Bytes,
        stored: Option<Box<[u8]>>,
        seen: SeenAt,
    ) -> Line {
        let mut line = self.line_of_file(cursor, bytes, stored, seen.written);
        if line.time_from == TimeSource::Arrival {
            line.time = seen.arrival();
        }
        line
    }

    /// The next line, whose time the caller knows.
    pub fn stamped_line(&mut self, cursor: Cursor, raw: Bytes, stamped: ParsedTime) -> Line {
        Line {
            stored: None,
            time: stamped.time,
            time_from: stamped.from,
            continues: self.records.continues(&raw, stamped.span.clone()),
            dialect: self.dialect.see(&raw, cursor.offset == 0),
            stamp: stamped.span.into(),
            cursor,
            raw,
        }
    }

    /// Bytes are missing: the next line begins a record.
    pub fn cut(&mut self) {
        self.records.cut();
    }

    /// What reads the timestamps, as it is now.
    #[must_use]
    pub fn timestamps(&self) -> &TimestampReader {
        &self.timestamps
    }

    /// What `other` has learnt of records and of what its lines mean, at a place where no record is
    /// under way.
    #[must_use]
    pub fn with_records_of(self, other: Self) -> Self {
        let mut records = other.records;
        records.cut();
        Self {
            records,
            dialect: other.dialect,
            ..self
        }
    }
}

/// Dates lines by a timestamp that comes behind them: those before the first one, and the first
/// lines of a record that has its own further down. The former may be the end of a stack trace whose
/// head was not read; with the time of their arrival they would hold back all that follows.
pub fn date_first_lines<'a>(lines: impl Iterator<Item = &'a mut Line>) {
    let mut undated: Vec<&mut Line> = Vec::new();
    for line in lines {
        match line.time_from {
            TimeSource::Stamp => {
                let is_its_record = line.continues;
                let time = line.time;
                for line in undated.drain(..) {
                    if is_its_record || line.time_from == TimeSource::Arrival {
                        line.time = time;
                        line.time_from = TimeSource::Previous;
                    }
                }
            }
            TimeSource::Arrival => undated.push(line),
            TimeSource::Previous if !line.continues => {
                undated.clear();
                undated.push(line);
            }
            TimeSource::Previous if !undated.is_empty() => undated.push(line),
            TimeSource::Previous => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::cursor::FileId;
    use crate::parse::split::FileLineSplitter;

    const ARRIVED: Time = Time(1_795_188_200_000_000_000);

    fn read(text: &str, cuts: &[usize]) -> Vec<Line> {
        let mut reader = LineReader::new(&HostClock::fixed(0), None);
        let (mut split, mut pieces) = (FileLineSplitter::new(0, false), Vec::new());
        let mut rest = text.as_bytes();
        for cut in cuts {
            let (head, tail) = rest.split_at((*cut).min(rest.len()));
            split.push(head, &mut pieces);
            rest = tail;
        }
        split.push(rest, &mut pieces);
        split.finish(&mut pieces);
        let file = FileId::default();
        let mut lines: Vec<Line> = pieces
            .into_iter()
            .filter_map(|piece| match piece {
                FilePiece::Line { offset, bytes, .. } => {
                    Some(reader.line(Cursor { file, offset }, bytes, ARRIVED))
                }
                FilePiece::Gap { .. } => None,
            })
            .collect();
        date_first_lines(lines.iter_mut());
        lines
    }

    /// Seconds, where the time comes from, and whether the line continues a record.
    fn told(text: &str) -> Vec<(i64, TimeSource, bool)> {
        let second = |line: &Line| line.time.0.div_euclid(1_000_000_000) % 60;
        read(text, &[])
            .iter()
            .map(|line| (second(line), line.time_from, line.continues))
            .collect()
    }

    #[test]
    fn a_line_without_a_timestamp_has_the_time_of_the_one_before_it() {
        let text = "2026-11-20T15:22:17Z failed\n\tat Cart.add\n2026-11-20T15:22:18Z next\n";
        assert_eq!(
            told(text),
            [
                (17, TimeSource::Stamp, false),
                (17, TimeSource::Previous, true),
                (18, TimeSource::Stamp, false)
            ]
        );
    }

    #[test]
    fn lines_before_the_first_timestamp_have_its_time_and_without_one_they_have_arrived_now() {
        let text = "\tat Cart.add\n2026-11-20T15:22:18Z next\n";
        assert_eq!(told(text)[0], (18, TimeSource::Previous, false));
        let lines = read("neither\nof them\n", &[]);
        assert!(lines.iter().all(|line| line.time == ARRIVED));
    }

    proptest! {
        #[test]
        fn the_lines_are_the_same_however_their_bytes_arrive(
            lines in proptest::collection::vec(
                prop_oneof![
                    (0..60u8).prop_map(|s| format!("2026-11-20T15:22:{s:02}Z GET /")),
                    Just("\tat Cart.add".to_owned()),
                    Just(String::new()),
                ],
                0..20,
            ),
            cuts in proptest::collection::vec(0..40usize, 0..8),
        ) {
            let text = lines.join("\n");
            prop_assert_eq!(read(&text, &cuts), read(&text, &[]));
        }
    }
}
