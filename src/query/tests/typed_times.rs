//! A time that can be read in a log can be typed.

use std::path::Path;

use jiff::tz::TimeZone;

use super::now;
use crate::model::time::{HostClock, Time, TimeSource};
use crate::parse::timestamp::TimestampReader;
use crate::query::{Query, ReferenceTime, TimeSpan, WrittenTime};

/// After all logs were written.
fn later() -> ReferenceTime {
    let at = "2026-11-28T00:00:00Z".parse().expect("a moment");
    ReferenceTime {
        time: Time::from_timestamp(at),
        zone: TimeZone::UTC,
    }
}

fn typed(text: &str) -> Option<Time> {
    let from = Some(WrittenTime::parse(text)?);
    Some(TimeSpan { from, to: None }.resolve(&later()).start)
}

/// The stamps of a log as they stand there, with the times that they were read as.
fn stamps(log: &[u8]) -> Vec<(String, Time, bool)> {
    let clock = HostClock {
        zone: TimeZone::UTC,
        boot: None,
    };
    let now = later().time;
    let lines: Vec<&[u8]> = log.split(|&b| b == b'\n').collect();
    let mut reader = TimestampReader::new(&clock);
    reader.learn(&mut lines.iter().copied(), now);
    let mut stamps = Vec::new();
    for line in lines {
        let read = reader.stamp(line, now);
        // An object is no text that anybody types.
        let span = read.span.filter(|span| line[span.start] != b'{');
        let Some(span) = span.filter(|_| read.from == TimeSource::Stamp) else {
            continue;
        };
        let text = String::from_utf8_lossy(&line[span]).into_owned();
        stamps.push((text, read.time, reader.is_undated()));
    }
    stamps
}

#[test]
fn every_stamp_of_real_logs_can_be_typed() {
    const DAY: i64 = 86_400_000_000_000;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/logs");
    let (mut tried, mut failed) = (0, Vec::new());
    for kind in std::fs::read_dir(root).expect("a folder").flatten() {
        let Ok(log) = std::fs::read(kind.path().join("log")) else {
            continue;
        };
        for (text, read, is_undated) in stamps(&log) {
            tried += 1;
            let is_same = typed(&text)
                .is_some_and(|time| time == read || is_undated && (time.0 - read.0) % DAY == 0);
            if !is_same {
                let name = kind.file_name().to_string_lossy().into_owned();
                failed.push(format!("{name}: {text}: {:?}", typed(&text)));
            }
        }
    }
    assert!(tried > 5000, "{tried}");
    failed.dedup_by_key(|line| line.split(':').next().map(str::to_owned));
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn stamps_bound_a_query_with_quotes_and_without() {
    // Now is a Friday, 13:30 in UTC.
    let range = |text: &str| {
        let query = Query::parse(text, &now()).unwrap_or_else(|error| panic!("{text}: {error}"));
        let window = query.window().unwrap_or_else(|| panic!("{text}"));
        let shown = |time: Time| match time {
            Time(i64::MIN | i64::MAX) => "-".to_owned(),
            time => time.to_timestamp().to_string(),
        };
        format!("{} {}", shown(window.start), shown(window.end))
    };
    for (text, expected) in [
        (
            "since:\"20/Nov/2026:10:00:00 +0000\"",
            "2026-11-20T10:00:00Z -",
        ),
        (
            "since:20/Nov/2026:10:00:00 +0000 x",
            "2026-11-20T10:00:00Z -",
        ),
        ("since:Nov 20 10:00:00 x", "2026-11-20T10:00:00Z -"),
        ("until:1795179601 x", "- 2026-11-20T13:00:01Z"),
        (
            "Nov 20 10:00:00..Nov 20 11:00:00 x",
            "2026-11-20T10:00:00Z 2026-11-20T11:00:00Z",
        ),
        (
            "1795179601..1795179602",
            "2026-11-20T13:00:01Z 2026-11-20T13:00:02Z",
        ),
        (
            "2026/11/20 10:00..10:05",
            "2026-11-20T10:00:00Z 2026-11-20T10:05:00Z",
        ),
        ("2026-11-20 10:00:00,123.. x", "2026-11-20T10:00:00.123Z -"),
        ("since:2 hours ago x", "2026-11-20T11:30:00Z -"),
        (
            "since:an hour ago until:10 minutes ago",
            "2026-11-20T12:30:00Z 2026-11-20T13:20:00Z",
        ),
        ("since:friday", "2026-11-20T00:00:00Z -"),
        ("since:last friday 10:00 x", "2026-11-13T10:00:00Z -"),
        (
            "since:monday until:tuesday",
            "2026-11-16T00:00:00Z 2026-11-18T00:00:00Z",
        ),
        ("since:yesterday 22:00 x", "2026-11-19T22:00:00Z -"),
        ("since:yesterday 10:00 PM x", "2026-11-19T22:00:00Z -"),
        ("since:noon", "2026-11-20T12:00:00Z -"),
        ("since:10:00 PM", "2026-11-19T22:00:00Z -"),
        ("since:13:00 UTC", "2026-11-20T13:00:00Z -"),
        (
            "since:Nov 18 until:Nov 18",
            "2026-11-18T00:00:00Z 2026-11-19T00:00:00Z",
        ),
        ("cart 2026-11-20T13:00..", "2026-11-20T13:00:00Z -"),
        ("x (since:Nov 18)", "2026-11-18T00:00:00Z -"),
    ] {
        assert_eq!(range(text), expected, "{text}");
        let printed = Query::parse(text, &now()).expect("a query").to_string();
        assert_eq!(range(&printed), expected, "{text} as {printed}");
    }
}
