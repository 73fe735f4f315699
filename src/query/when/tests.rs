//! A written time in, the moments that it means out.

use super::*;

/// 20 November 2026, a Friday, 13:30 in Berlin.
fn now() -> ReferenceTime {
    let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("a zone");
    let at = "2026-11-20T12:30:00Z"
        .parse::<Timestamp>()
        .expect("a moment");
    ReferenceTime {
        time: Time::from_timestamp(at),
        zone,
    }
}

fn resolved(from: &str, to: &str) -> String {
    let read = |text: &str| {
        (!text.is_empty()).then(|| WrittenTime::parse(text).unwrap_or_else(|| panic!("{text}")))
    };
    let range = TimeSpan {
        from: read(from),
        to: read(to),
    }
    .resolve(&now());
    format!(
        "{} {}",
        range.start.to_timestamp(),
        range.end.to_timestamp()
    )
}

#[test]
fn a_range_means_these_moments() {
    for (from, to, expected) in [
        ("15m", "now", "2026-11-20T12:15:00Z 2026-11-20T12:30:00Z"),
        ("-2h", "-1h", "2026-11-20T10:30:00Z 2026-11-20T11:30:00Z"),
        (
            "yesterday",
            "yesterday",
            "2026-11-18T23:00:00Z 2026-11-19T23:00:00Z",
        ),
        (
            "today",
            "today",
            "2026-11-19T23:00:00Z 2026-11-20T23:00:00Z",
        ),
        (
            "yesterday 03:14",
            "today 3:14:15",
            "2026-11-19T02:14:00Z 2026-11-20T02:14:15Z",
        ),
        (
            "yesterdayT23:00",
            "1:00",
            "2026-11-19T22:00:00Z 2026-11-20T00:00:00Z",
        ),
        (
            "13:00",
            "13:05",
            "2026-11-20T12:00:00Z 2026-11-20T12:05:00Z",
        ),
        (
            "13:00",
            "14:00",
            "2026-11-20T12:00:00Z 2026-11-20T13:00:00Z",
        ),
        (
            "14:00",
            "15:00",
            "2026-11-19T13:00:00Z 2026-11-19T14:00:00Z",
        ),
        ("23:00", "1:00", "2026-11-19T22:00:00Z 2026-11-20T00:00:00Z"),
        (
            "2026-11-10 13:00",
            "13:05",
            "2026-11-10T12:00:00Z 2026-11-10T12:05:00Z",
        ),
        (
            "2026-11-10T13:00:00.5",
            "2026-11-10",
            "2026-11-10T12:00:00.5Z 2026-11-10T23:00:00Z",
        ),
        (
            "2026-11-10T13:00Z",
            "2026-11-10T13:00+0300",
            "2026-11-10T13:00:00Z 2026-11-10T10:00:00Z",
        ),
        // Clocks go back: this hour is shown twice, and both are meant.
        (
            "2026-10-25T02:00",
            "2026-10-25T02:30",
            "2026-10-25T00:00:00Z 2026-10-25T01:30:00Z",
        ),
        // Clocks go forward.
        (
            "2026-03-29",
            "2026-03-29",
            "2026-03-28T23:00:00Z 2026-03-29T22:00:00Z",
        ),
    ] {
        assert_eq!(resolved(from, to), expected, "{from}..{to}");
    }
}

#[test]
fn the_ends_of_the_calendar_are_times_too() {
    for text in [
        "0000-01-01",
        "9999-12-31",
        "0001-01-01T00:00",
        "9999-12-31T23:59:59.999999999",
    ] {
        let when = WrittenTime::parse(text).unwrap_or_else(|| panic!("{text}"));
        let range = TimeSpan {
            from: Some(when.clone()),
            to: Some(when),
        }
        .resolve(&now());
        assert!(range.start <= range.end, "{text}");
    }
}

#[test]
fn what_is_no_time_is_refused() {
    for text in [
        "",
        "-",
        "15",
        "m",
        "15x",
        "24:00",
        "13:60",
        "1:2",
        "13:00:",
        "2026-13-01",
        "2026-02-30",
        "99999999999d",
        "18446744073709551615w",
        "2026-11-20T",
        "yesterdayT",
        "yesterday 24:00",
        "yesterday03:14",
        "yesterday 03:14Z",
        "todays 03:14",
        "2026-11-20T13:00+",
        "2026-11-20T13:00+1",
        "größe",
        "Now",
        "13:00:00.",
    ] {
        assert_eq!(WrittenTime::parse(text), None, "{text}");
    }
}

#[test]
fn a_time_prints_to_what_reads_back_as_itself() {
    for (text, printed) in [
        ("90m", "1h30m"),
        ("-2days", "2d"),
        ("0s", "0s"),
        ("9:05", "09:05"),
        ("13:00:00", "13:00"),
        ("13:00:05.250", "13:00:05.25"),
        ("2026-11-20 13:00", "2026-11-20T13:00"),
        ("2026-11-20 13:00:00+01:00", "2026-11-20T12:00:00Z"),
        ("yesterday", "yesterday"),
        ("yesterday 03:14", "yesterdayT03:14"),
        ("today  3:14:00.5", "todayT03:14:00.5"),
    ] {
        let when = WrittenTime::parse(text).unwrap_or_else(|| panic!("{text}"));
        assert_eq!(when.to_string(), printed, "{text}");
        assert_eq!(WrittenTime::parse(printed), Some(when), "{text}");
    }
}
