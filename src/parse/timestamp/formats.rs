//! All known timestamp formats, by name: those of `notation`, and those in named fields.

use super::fields;
use super::notation::FirstByte::Any;
use super::notation::{PROVED, SHAPES, StampPlace, TimestampNotation, formats};

const FIELDS: &[TimestampNotation] = formats![
    "audit" "msg=audit(1795179601.123:456)" Field Any, fields::audit;
    "mysql-slow" "# Time: 261120 13:00:01, SET timestamp=1795179601;" Field Any, fields::mysql_slow;
    "json" "{\"time\":\"2026-11-20T13:00:01Z\"}, {\"ts\":1795179601.123}" Field Any, fields::json;
    "xml" "<date>2026-11-20T13:00:01Z</date> in a line of its own" Field Any, fields::xml;
    "ossec" "** Alert 1795179601.1000: - syslog" Field Any, fields::alert;
    "logfmt" "ts=2026-11-20T13:00:01Z, date=2026-11-20 time=13:00:01" Field Any, fields::logfmt;
];

/// In this order where several fit at one place.
pub(super) static FORMATS: &[TimestampNotation] =
    &joined::<{ SHAPES.len() + FIELDS.len() + PROVED.len() }>();

const fn joined<const COUNT: usize>() -> [TimestampNotation; COUNT] {
    let mut all = [SHAPES[0]; COUNT];
    let mut at = 0;
    while at < COUNT {
        all[at] = if at < SHAPES.len() {
            SHAPES[at]
        } else if at < SHAPES.len() + FIELDS.len() {
            FIELDS[at - SHAPES.len()]
        } else {
            PROVED[at - SHAPES.len() - FIELDS.len()]
        };
        at += 1;
    }
    all
}

/// The format of a name.
pub(super) fn named(name: &str) -> Option<&'static TimestampNotation> {
    FORMATS.iter().find(|format| format.name == name)
}
