//! What a stream's lines become: each with its time, its place, and whether it goes on with the
//! record before it.

use bytes::Bytes;

use crate::clock;
use crate::host::driver::line_splitter::RawLine;
use crate::model::cursor::{Cursor, FileId};
use crate::model::line::Line;
use crate::model::source::SourceSpec;
use crate::model::time::{HostClock, Time, TimeSource};
use crate::parse::line_reader::LineReader;
use crate::parse::timestamp::{ParsedTime, TimeFormat};

use super::journal::{self, JournalEntry};

/// Reads the lines of one stream, in their order.
pub(super) struct ProgramLineReader {
    lines: LineReader,
    /// The inventory says which stamps the lines have: they go before that of the engine.
    given: bool,
    /// The place of the last line: a number that grows, of records with a time about its
    /// microseconds since 1970.
    place: u64,
    /// The time of the last line that had one.
    last: Option<Time>,
}

impl ProgramLineReader {
    /// For a stream with this format of stamps.
    pub(super) fn new(format: Option<&str>) -> Self {
        Self {
            lines: LineReader::new(&HostClock::fixed(0), format),
            given: format.is_some_and(|format| TimeFormat::parse(format).is_ok()),
            place: 0,
            last: None,
        }
    }

    /// For what the inventory says of a source.
    pub(super) fn of(spec: &SourceSpec) -> Self {
        Self::new(spec.time.as_deref()).with_encoding(spec.encoding.as_deref())
    }

    /// Whose text has this encoding.
    pub(super) fn with_encoding(self, encoding: Option<&str>) -> Self {
        Self {
            lines: self.lines.with_encoding(encoding),
            ..self
        }
    }

    /// The host has this clock.
    pub(super) fn set_clock(&mut self, clock: &HostClock) {
        self.lines.set_clock(clock);
    }

    /// The name of the format of its lines' stamps.
    pub(super) fn stamps(&self) -> &'static str {
        self.lines.format_name()
    }

    /// A record of the journal, and the journal's name for it.
    pub(super) fn record(&mut self, json: &[u8], out: &mut Vec<Line>) -> Option<String> {
        let entry = JournalEntry::read(json)?;
        let (time, time_from) = match entry.time() {
            Some(time) => (time, TimeSource::Stamp),
            None => (clock::now(), TimeSource::Arrival),
        };
        for (n, raw) in entry.lines(time).into_iter().enumerate() {
            let stamped = if n == 0 {
                ParsedTime {
                    time,
                    from: time_from,
                    span: journal::stamp(&raw),
                }
            } else {
                ParsedTime {
                    time,
                    from: TimeSource::Previous,
                    span: None,
                }
            };
            let cursor = self.place(Some(time));
            out.push(self.lines.stamped_line(cursor, raw, stamped));
        }
        entry.cursor
    }

    /// Lets the reader of timestamps see many lines before it is asked for the first.
    pub(super) fn learn<'a>(&mut self, lines: impl Iterator<Item = &'a [u8]> + Clone) {
        self.lines.learn(lines, clock::now());
    }

    /// A line that its engine took at `taken`. That is its time: exact, of one clock, and the same
    /// for every line; a stamp of its own goes before it only where the inventory says how to read
    /// it.
    pub(super) fn stamped(&mut self, taken: i64, raw: Bytes) -> Line {
        let taken = Time(taken);
        let cursor = self.place(Some(taken));
        let mut line = self.lines.line(cursor, raw, taken);
        if !self.given || line.time_from != TimeSource::Stamp {
            line.time = taken;
        }
        line.time_from = TimeSource::Stamp;
        self.last = Some(line.time);
        line
    }

    /// A line of which nobody says when it was written but itself.
    pub(super) fn plain(&mut self, line: RawLine) -> Line {
        let cursor = self.place(None);
        let is_rest = line.is_rest;
        let mut line = self.lines.line(cursor, line.bytes, clock::now());
        line.continues |= is_rest;
        // A line that its engine did not stamp has the time of the one before.
        if let (TimeSource::Arrival, Some(last)) = (line.time_from, self.last) {
            line.time = last;
            line.time_from = TimeSource::Previous;
        }
        line
    }

    /// Such lines, of which the reader of timestamps sees all before it is asked for the first.
    pub(super) fn plain_lines(&mut self, lines: Vec<RawLine>) -> Vec<Line> {
        self.learn(lines.iter().map(|line| &line.bytes[..]));
        lines.into_iter().map(|line| self.plain(line)).collect()
    }

    fn place(&mut self, time: Option<Time>) -> Cursor {
        let micros = time
            .and_then(|time| u64::try_from(time.0 / 1000).ok())
            .unwrap_or(0);
        self.place = (self.place + 1).max(micros);
        Cursor {
            file: FileId::default(),
            offset: self.place,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::multiline;

    fn read(entries: &[&str]) -> Vec<Line> {
        let (mut reader, mut out) = (ProgramLineReader::new(None), Vec::new());
        entries
            .iter()
            .for_each(|json| drop(reader.record(json.as_bytes(), &mut out)));
        out
    }

    fn lines(json: &str) -> Vec<String> {
        read(&[json])
            .iter()
            .map(|line| String::from_utf8_lossy(&line.raw).into_owned())
            .collect()
    }

    #[test]
    fn a_stack_trace_is_one_record_in_one_entry_or_in_many() {
        let entry = |message: &str| {
            format!(
                r#"{{"__REALTIME_TIMESTAMP":"1795188137000000","PRIORITY":"3","_HOSTNAME":"h","_COMM":"app","_PID":"7","MESSAGE":"{message}"}}"#
            )
        };
        let continues = |messages: &[&str]| {
            let entries: Vec<_> = messages.iter().map(|message| entry(message)).collect();
            let lines = read(&entries.iter().map(String::as_str).collect::<Vec<_>>());
            lines.iter().map(|line| line.continues).collect::<Vec<_>>()
        };
        assert_eq!(
            continues(&[r"failed\n\tat Cart.add", "next"]),
            [false, true, false]
        );
        assert_eq!(
            continues(&["failed", r"\tat Cart.add", r"\tat Cart.main", "next"]),
            [false, true, true, false]
        );
        let long = r"a\n".repeat(2 * multiline::MAX_LINES as usize);
        let records = continues(&[&long])
            .iter()
            .filter(|&&continues| !continues)
            .count();
        assert_eq!(records, 2, "none is endless");
    }

    #[test]
    fn a_record_becomes_a_line_in_the_form_of_syslog() {
        let json = r#"{"__CURSOR":"s=1","__REALTIME_TIMESTAMP":"1795188137123456","PRIORITY":"3","_HOSTNAME":"web-1",
            "SYSLOG_IDENTIFIER":"nginx","_PID":"811","MESSAGE":"no such file"}"#;
        assert_eq!(
            lines(json),
            ["<27>2026-11-20T15:22:17.123456Z web-1 nginx[811]: no such file"]
        );
    }

    #[test]
    fn a_message_of_several_lines_becomes_several_lines_and_bytes_stay_bytes() {
        let json = r#"{"__REALTIME_TIMESTAMP":"1795188137000000","_HOSTNAME":"h","_COMM":"app","MESSAGE":"one\ntwo"}"#;
        assert_eq!(
            lines(json),
            ["2026-11-20T15:22:17.000000Z h app: one", "    two"]
        );
        let json = r#"{"__REALTIME_TIMESTAMP":"1795188137000000","_HOSTNAME":"h","_COMM":"app","MESSAGE":[104,105]}"#;
        assert_eq!(lines(json), ["2026-11-20T15:22:17.000000Z h app: hi"]);
    }

    #[test]
    fn what_is_no_record_is_shown_as_it_is() {
        assert!(
            lines("Failed to open\n")[0].ends_with("unknown: Failed to open"),
            "{:?}",
            lines("Failed to open\n")
        );
    }
}
