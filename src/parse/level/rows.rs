//! Levels in rows whose values have their names elsewhere, and in events of security products.

use super::{names, scales, status};
use crate::model::dialect::{NamedColumns, NumberScale};
use crate::model::level::Level;
use crate::parse::bytes::number;
use crate::parse::named_columns::{self, RowValues};
use crate::parse::security_event::SecurityEvent;

/// The level in the column that has it, or that of the status of a request.
pub(super) fn level(line: &[u8], columns: &NamedColumns) -> Option<Level> {
    let value = |at: usize| RowValues::of(line, columns.separator).nth(at);
    if line.starts_with(b"#") {
        return None;
    }
    let stated = columns.level.and_then(|at| of_value(value(at)?));
    stated.or_else(|| of_status(value(columns.status?)?))
}

/// The level of the status of a row that only one program writes.
pub(super) fn level_of_shape(line: &[u8]) -> Option<Level> {
    let shape = named_columns::shape(line)?;
    of_status(RowValues::of(line, shape.separator).nth(shape.status)?)
}

/// How grave an event is for CEF and LEEF, which count from 0 to 10 or have words of their own.
pub(super) fn level_of_event(line: &[u8]) -> Option<Level> {
    match SecurityEvent::of(line)?.severity()? {
        b"Low" | b"Unknown" => Some(Level::Info),
        b"Medium" => Some(Level::Warn),
        b"High" => Some(Level::Error),
        b"Very-High" => Some(Level::Fatal),
        text => scales::level(NumberScale::SecurityEvent, number(text)?),
    }
}

/// What the value of a column for levels states.
fn of_value(value: &[u8]) -> Option<Level> {
    match value {
        [letter] => names::of_letter(*letter),
        // PostgreSQL's.
        b"LOG" => Some(Level::Info),
        word => names::named(word),
    }
}

fn of_status(value: &[u8]) -> Option<Level> {
    number(value).and_then(status::level)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_without_a_head_are_known_by_their_shape() {
        for (line, level) in [
            (
                "https 2026-11-13T17:00:00.000000Z app/lb/1 192.0.2.1:2817 10.0.0.66:9000 0.086 0.048 0.037 502 - 57 812 \"GET https://x:443/ HTTP/1.1\" \"curl\"",
                Some(Level::Error),
            ),
            (
                "2026-11-13T23:39:43.945958Z my-elb 192.0.2.1:2817 10.0.0.1:80 0.000073 0.001048 0.000057 404 404 0 29 \"GET http://x:80/ HTTP/1.1\" \"curl\" - -",
                Some(Level::Warn),
            ),
            (
                "2026-11-13\t17:55:07\tFRA56-C1\t2390\t192.0.2.10\tGET\td1.example\t/i\t200\t-",
                Some(Level::Info),
            ),
            (
                "2026-11-20 13:00:00 10.0.0.1 GET /x - 443 - 10.0.0.2 curl - 500 0 0 15",
                Some(Level::Error),
            ),
            ("https is a protocol 404", None),
            ("2026-11-20 13:00:00 worker GET /x 404", None),
        ] {
            assert_eq!(level_of_shape(line.as_bytes()), level, "{line}");
        }
    }

    #[test]
    fn the_severity_of_an_event_is_its_level() {
        for (line, level) in [
            ("CEF:0|a|b|1|2|x|3|src=1", Some(Level::Info)),
            ("CEF:0|a|b|1|2|x|High|src=1", Some(Level::Error)),
            ("Nov 20 13:00:00 fw CEF:1|a|b|1|2|x|10|", Some(Level::Fatal)),
            (
                "LEEF:1.0|a|b|1|login|sev=5\tsrc=10.0.0.1",
                Some(Level::Warn),
            ),
            (
                "LEEF:2.0|a|b|1|login|^|src=10.0.0.1^sev=9^usr=bob",
                Some(Level::Fatal),
            ),
            ("LEEF:1.0|a|b|1|login|src=10.0.0.1", None),
            ("see CEF: the format", None),
            ("BRIEF:0|a|b|1|2|x|3|", None),
        ] {
            assert_eq!(level_of_event(line.as_bytes()), level, "{line}");
        }
    }
}
