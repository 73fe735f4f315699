//! What a stream's lines become: each with its time, its place, and whether it goes on with the
//! record before it.

use bytes::Bytes;
use jiff::Timestamp;

use crate::host::Line;
use crate::model::cursor::{Cursor, FileId};
use crate::model::source::NO_STAMPS;
use crate::model::time::{HostClock, Time, TimeSource};
use crate::parse::multiline::RecordJoiner;
use crate::parse::timestamp::{TimeFormat, TimestampReader};

use super::cut::RawLine;
use super::journal::{self, JournalEntry};

/// Reads the lines of one stream, in their order.
pub(super) struct Reader {
    joiner: RecordJoiner,
    stamper: TimestampReader,
    /// The inventory says which stamps the lines have: they go before that of the engine.
    given: bool,
    /// The place of the last line: a number that grows, of records with a time about its
    /// microseconds since 1970.
    place: u64,
    /// The time of the last line that had one.
    last: Option<Time>,
}

impl Reader {
    /// For a stream with this format of stamps.
    pub(super) fn new(format: Option<&str>) -> Self {
        let clock = HostClock::fixed(0);
        let format = format.and_then(|format| TimeFormat::parse(format).ok());
        let stamper = format.as_ref().map_or_else(
            || TimestampReader::new(&clock),
            |format| TimestampReader::with_format(&clock, format),
        );
        Self {
            joiner: RecordJoiner::default(),
            stamper,
            given: format.is_some(),
            place: 0,
            last: None,
        }
    }

    /// The host has this clock.
    pub(super) fn set_clock(&mut self, clock: &HostClock) {
        self.stamper.set_clock(clock);
    }

    /// The name of the format of its lines' stamps.
    pub(super) fn stamps(&self) -> &'static str {
        self.stamper.format().unwrap_or(NO_STAMPS)
    }

    /// A record of the journal, and the journal's name for it.
    pub(super) fn record(&mut self, json: &[u8], out: &mut Vec<Line>) -> Option<String> {
        let entry = JournalEntry::read(json)?;
        let (time, time_from) = match entry.time() {
            Some(time) => (time, TimeSource::Stamp),
            None => (now(), TimeSource::Arrival),
        };
        for (n, raw) in entry.lines(time).into_iter().enumerate() {
            let time_from = if n == 0 {
                time_from
            } else {
                TimeSource::Previous
            };
            let stamp = if n == 0 { journal::stamp(&raw) } else { None };
            let continues = self.joiner.continues(&raw, stamp.clone());
            let cursor = self.place(Some(time));
            out.push(Line {
                time,
                time_from,
                continues,
                stamp: stamp.into(),
                cursor,
                raw,
            });
        }
        entry.cursor
    }

    /// Lets the stamper see many lines before it is asked for the first.
    pub(super) fn learn<'a>(&mut self, lines: impl Iterator<Item = &'a [u8]>) {
        if self.stamper.wants_sample() {
            self.stamper.learn(&mut { lines }, now());
        }
    }

    /// A line that its engine took at `taken`. That is its time: exact, of one clock, and the same
    /// for every line; a stamp of its own goes before it only where the inventory says how to read
    /// it.
    pub(super) fn stamped(&mut self, taken: i64, raw: Bytes) -> Line {
        let taken = Time(taken);
        let stamped = self.stamper.stamp(&raw, taken);
        let own = self.given && stamped.from == TimeSource::Stamp;
        let time = if own { stamped.time } else { taken };
        self.last = Some(time);
        let continues = self.joiner.continues(&raw, stamped.span.clone());
        let cursor = self.place(Some(taken));
        Line {
            time,
            time_from: TimeSource::Stamp,
            continues,
            stamp: stamped.span.into(),
            cursor,
            raw,
        }
    }

    /// A line of which nobody says when it was written but itself.
    pub(super) fn plain(&mut self, line: RawLine) -> Line {
        let RawLine {
            bytes: raw,
            is_rest,
        } = line;
        let stamped = self.stamper.stamp(&raw, now());
        let (time, time_from) = match stamped.from {
            // Of a line that an engine did not stamp: that of the one before.
            TimeSource::Arrival if self.last.is_some() => {
                (self.last.unwrap_or(stamped.time), TimeSource::Previous)
            }
            from => (stamped.time, from),
        };
        let continues = self.joiner.continues(&raw, stamped.span.clone()) || is_rest;
        let cursor = self.place(None);
        Line {
            time,
            time_from,
            continues,
            stamp: stamped.span.into(),
            cursor,
            raw,
        }
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

fn now() -> Time {
    Time::from_timestamp(Timestamp::now())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::multiline;

    fn read(entries: &[&str]) -> Vec<Line> {
        let (mut reader, mut out) = (Reader::new(None), Vec::new());
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
