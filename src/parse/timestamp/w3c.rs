//! W3C extended logs, whose head says which columns they have: <https://www.w3.org/TR/WD-logfile>.
//!
//! IIS and CloudFront write their times in UTC, and Windows' firewall says that it does not.

use super::fields::shifted;
use super::hour::{self, date_only};
use super::moment::{CalendarDate, ParsedStamp, WrittenMoment};
use super::notation::{self, in_utc};
use super::zone::ZoneNames;
use crate::parse::bytes::within;

/// As much of a line is read as has its columns.
const HEAD: usize = 4096;

/// What the head of a log says of the columns of its day and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct W3cHeader {
    date: Option<usize>,
    time: Option<usize>,
    /// The day of `#Date:`, for logs that have no column for it.
    day: Option<CalendarDate>,
    is_local: bool,
}

impl W3cHeader {
    /// Takes in a line that begins with `#`. A `#Date:` is a stamp itself.
    pub(super) fn read(&mut self, line: &[u8], names: &ZoneNames) -> Option<ParsedStamp> {
        let head = within(line, HEAD);
        if let Some(fields) = head.strip_prefix(b"#Fields:") {
            let at =
                |name: &[u8]| words(fields.trim_ascii_start()).position(|(_, word)| word == name);
            self.date = at(b"date");
            self.time = at(b"time");
        } else if head.starts_with(b"#Time Format: Local") {
            self.is_local = true;
        } else if let Some(date) = head.strip_prefix(b"#Date:") {
            let date = date.trim_ascii_start();
            self.day = date_only(date).or(self.day);
            let found = shifted(notation::any(date, names), head.len() - date.len())?;
            return Some(self.in_zone(found));
        }
        None
    }

    /// Whether the log has such columns.
    #[inline]
    pub(super) fn has_columns(&self) -> bool {
        self.time.is_some()
    }

    /// The stamp of a line.
    pub(super) fn find(&self, line: &[u8], names: &ZoneNames) -> Option<ParsedStamp> {
        let head = within(line, HEAD);
        let column = self.time?;
        let (start, clock) = words(head).nth(column)?;
        let clock = shifted(hour::time_only(clock, names), start)?;
        let WrittenMoment::Clock(time, zone) = clock.moment else {
            return None;
        };
        let (date, from) = match self.date {
            Some(date) => {
                let (from, text) = words(head).nth(date)?;
                (
                    date_only(text),
                    if date + 1 == column { from } else { start },
                )
            }
            None => (self.day, start),
        };
        let moment = match date {
            Some(date) => WrittenMoment::Civil(date, time, zone),
            None => WrittenMoment::Clock(time, zone),
        };
        Some(self.in_zone(ParsedStamp {
            moment,
            start: from,
            end: clock.end,
        }))
    }

    fn in_zone(&self, found: ParsedStamp) -> ParsedStamp {
        if self.is_local {
            found
        } else {
            ParsedStamp {
                moment: in_utc(found.moment),
                ..found
            }
        }
    }
}

/// The words of a text and where they begin.
fn words(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    text.split(|b| matches!(b, b' ' | b'\t'))
        .scan(0, |next, word| {
            let start = *next;
            *next += word.len() + 1;
            Some((start, word))
        })
        .filter(|(_, word)| !word.is_empty())
}
