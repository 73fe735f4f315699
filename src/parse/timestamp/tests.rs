//! A line in, a time out.

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;

mod clocks;
mod columns;
mod formats;
mod given;
mod languages;
mod learning;
mod long_lines;

fn time(text: &str) -> Time {
    Time::from_timestamp(text.parse::<Timestamp>().expect("a time of a test"))
}

/// When the lines of the tests are read.
fn now() -> Time {
    time("2026-11-20T15:30:00Z")
}

/// The first line of a source of a host that is an hour ahead of UTC.
fn stamp(line: &str) -> (Time, TimeSource) {
    read(
        &mut TimestampReader::new(&HostClock::fixed(3600)),
        line,
        now(),
    )
}

fn read(stamper: &mut TimestampReader, line: &str, now: Time) -> (Time, TimeSource) {
    let stamped = stamper.stamp(line.as_bytes(), now);
    (stamped.time, stamped.from)
}

#[test]
fn every_format_is_read() {
    let utc = "2026-11-20T13:00:01Z";
    let local = "2026-11-20T12:00:01Z";
    let table = [
        ("iso8601", "2026-11-20T13:00:01Z hello", utc),
        ("iso8601", "2026-11-20T14:00:01+01:00 hello", utc),
        ("iso8601", "2026-11-20 18:30:01 +0530 hello", utc),
        ("iso8601", "2026-11-20T05:00:01-08 hello", utc),
        (
            "iso8601",
            "2026-11-20 13:00:01.000 UTC [77] LOG:  ready",
            utc,
        ),
        (
            "iso8601",
            "2026-11-20T13:00:01.5Z",
            "2026-11-20T13:00:01.5Z",
        ),
        (
            "iso8601",
            "2026-11-20T13:00:01.1234567899Z",
            "2026-11-20T13:00:01.123456789Z",
        ),
        (
            "iso8601",
            "2026-11-20 13:00:01,250 - root - INFO - hello",
            "2026-11-20T12:00:01.25Z",
        ),
        ("iso8601", "2026-11-20 13:00:01 -1 items", local),
        ("iso8601", "2026-11-20 13:00 hello", "2026-11-20T12:00:00Z"),
        ("iso8601", "2026/11/20 13:00:01 [error] 1#1: hello", local),
        ("iso8601", "20261120T130001Z hello", utc),
        ("iso8601", "[2026-11-20T13:00:01Z INFO shop] hello", utc),
        (
            "iso8601",
            "<165>1 2026-11-20T13:00:01Z web-1 app - - - hello",
            utc,
        ),
        ("iso8601", "shop-1  | 2026-11-20T13:00:01Z hello", utc),
        (
            "iso8601",
            "E, [2026-11-20T13:00:01.000000 #12] ERROR -- : hello",
            local,
        ),
        ("logfmt", "time=2026-11-20T13:00:01Z level=info", utc),
        (
            "iso8601",
            "2016-12-31T23:59:60Z leap second",
            "2016-12-31T23:59:59Z",
        ),
        (
            "iso8601",
            "2028-02-29T00:00:00Z leap day",
            "2028-02-29T00:00:00Z",
        ),
        (
            "iso8601",
            "\x1b[2m2026-11-20T13:00:01Z\x1b[0m \x1b[32m INFO\x1b[0m hello",
            utc,
        ),
        ("syslog", "Nov 20 13:00:01 web-1 sshd[1]: hello", local),
        ("syslog", "<13>Nov 20 13:00:01 web-1 sshd[1]: hello", local),
        (
            "syslog",
            "Nov  2 13:00:01 web-1 sshd[1]: hello",
            "2026-11-02T12:00:01Z",
        ),
        (
            "syslog",
            "Dec 24 13:00:01 web-1 sshd[1]: hello",
            "2025-12-24T12:00:01Z",
        ),
        (
            "syslog",
            "Nov 20 2019 13:00:01 asa : hello",
            "2019-11-20T12:00:01Z",
        ),
        (
            "syslog",
            "Nov 20 13:00:01.5 web-1 sshd[1]: hello",
            "2026-11-20T12:00:01.5Z",
        ),
        (
            "syslog",
            "[Fri Nov 20 13:00:01.000000 2026] [core:error] hello",
            local,
        ),
        ("syslog", "Fri Nov 20 13:00:01 UTC 2026 backup done", utc),
        (
            "access",
            "10.0.0.1 - - [20/Nov/2026:13:00:01 +0000] \"GET / HTTP/1.1\" 200 5",
            utc,
        ),
        (
            "access",
            "2001:db8:1234:5678:9abc:def0:1234:5678 - bob@example.com [20/Nov/2026:13:00:01 +0000] \"GET /\"",
            utc,
        ),
        (
            "access",
            "[20-Nov-2026 13:00:01 UTC] PHP Notice: hello",
            utc,
        ),
        ("access", "1:M 20 Nov 2026 13:00:01.000 * Ready", local),
        (
            "klog",
            "I1120 13:00:01.000000       1 main.go:12] hello",
            local,
        ),
        ("epoch", "1795179601 hello", utc),
        ("epoch", "1795179601.000 GET", utc),
        ("epoch", "[1795179601000] hello", utc),
        ("epoch", "1795179601000000 hello", utc),
        ("epoch", "1795179601000000000 hello", utc),
        (
            "json",
            "{\"level\":30,\"time\":1795179601000,\"msg\":\"x\"}",
            utc,
        ),
        (
            "json",
            "{\"msg\":\"at 2001-01-01 00:00:00\",\"ts\":1795179601.0}",
            utc,
        ),
        ("json", "{ \"@timestamp\" : \"2026-11-20T13:00:01Z\" }", utc),
        ("json", "{\"timestamp\":\"1795179601\"}", utc),
        (
            "json",
            "{\"msg\":\"\\\"time\\\":1\",\"t\":\"20/Nov/2026:13:00:01 +0000\"}",
            utc,
        ),
        ("json", "{\"time\":\"Fri, 20 Nov 2026 13:00:01 GMT\"}", utc),
        (
            "json",
            "{\"t\":{\"$date\":\"2026-11-20T13:00:01.000+00:00\"},\"s\":\"I\"}",
            utc,
        ),
        ("logfmt", "level=info ts=1795179601.000 msg=x", utc),
    ];
    for (format, line, expected) in table {
        let mut stamper = TimestampReader::new(&HostClock::fixed(3600));
        let found = read(&mut stamper, line, now());
        assert_eq!(found, (time(expected), TimeSource::Stamp), "{line}");
        assert_eq!(stamper.format(), Some(format), "{line}");
        assert_eq!(
            read(&mut stamper, line, now()),
            found,
            "a second time: {line}"
        );
    }
}

#[test]
fn what_only_looks_like_a_stamp_is_none() {
    let table = [
        "",
        "hello",
        "2026-13-20 13:00:01 no such month",
        "2026-02-29T13:00:01Z no such day",
        "2026-11-20 25:00:01 no such hour",
        "2026-11-20",
        "10.0.0.1:8080 connected",
        "order 1795179601 shipped",
        "123456789012 is no time",
        "17951796010 neither",
        "v2026-11-20T13",
        "Nov 31 13:00:01 x",
        "Nov",
        "{\"times\":1795179601}",
        "{\"time\":17}",
        "99999999999999999999999999999999999",
    ];
    for line in table {
        assert_eq!(stamp(line), (now(), TimeSource::Arrival), "{line}");
    }
}

#[test]
fn a_line_without_a_stamp_has_the_time_of_the_line_before() {
    let mut stamper = TimestampReader::new(&HostClock::fixed(0));
    let mut at = |line: &str| read(&mut stamper, line, now());
    assert_eq!(at("first words"), (now(), TimeSource::Arrival));
    let first = time("2026-11-20T13:00:01Z");
    assert_eq!(
        at("2026-11-20 13:00:01 ERROR no luck"),
        (first, TimeSource::Stamp)
    );
    assert_eq!(
        at("java.lang.Exception: since 2020-01-01 00:00:00"),
        (first, TimeSource::Previous)
    );
    assert_eq!(
        at("\tat shop.Cart.add(Cart.java:12)"),
        (first, TimeSource::Previous)
    );
    assert_eq!(
        at(" 2001-01-01 00:00:00 quoted"),
        (first, TimeSource::Previous)
    );
    assert_eq!(
        at("2026-11-20 13:00:02 INFO on"),
        (time("2026-11-20T13:00:02Z"), TimeSource::Stamp)
    );
}

#[test]
fn a_source_that_changes_its_format_is_followed() {
    let mut stamper = TimestampReader::new(&HostClock::fixed(0));
    let mut from = |line: &str| read(&mut stamper, line, now()).1;
    assert_eq!(from("Nov 20 13:00:01 web-1 app: one"), TimeSource::Stamp);
    assert_eq!(
        from("2026-11-20T13:00:02Z web-1 app: two"),
        TimeSource::Stamp
    );
    assert_eq!(
        from("{\"time\":\"2026-11-20T13:00:03Z\"}"),
        TimeSource::Stamp
    );
    assert_eq!(
        from("2026-11-20T13:00:02Z web-1 app: three"),
        TimeSource::Stamp
    );
    for _ in 0..PATIENCE {
        assert_eq!(
            from("worker 7 at 2026-11-20T13:00:04Z: four"),
            TimeSource::Previous
        );
    }
    assert_eq!(
        from("worker 7 at 2026-11-20T13:00:04Z: four"),
        TimeSource::Stamp
    );
    assert_eq!(
        from("worker 12 at 2026-11-20T13:00:05Z: five"),
        TimeSource::Stamp
    );
}

#[test]
fn a_missing_year_is_the_one_that_is_not_in_the_future() {
    let table = [
        (
            "2027-01-01T00:00:05Z",
            "Dec 31 23:59:58 x",
            "2026-12-31T23:59:58Z",
        ),
        (
            "2026-12-31T23:59:50Z",
            "Jan  1 00:00:01 x",
            "2027-01-01T00:00:01Z",
        ),
        (
            "2026-06-01T00:00:00Z",
            "Jun  1 08:00:00 x",
            "2026-06-01T08:00:00Z",
        ),
        (
            "2026-06-01T00:00:00Z",
            "Jun  4 08:00:00 x",
            "2025-06-04T08:00:00Z",
        ),
        (
            "2027-03-01T00:00:00Z",
            "Feb 29 08:00:00 x",
            "2024-02-29T08:00:00Z",
        ),
        (
            "2103-03-01T00:00:00Z",
            "Feb 29 08:00:00 x",
            "2096-02-29T08:00:00Z",
        ),
    ];
    for (now, line, expected) in table {
        assert_eq!(
            read(
                &mut TimestampReader::new(&HostClock::fixed(0)),
                line,
                time(now)
            ),
            (time(expected), TimeSource::Stamp),
            "{now} {line}"
        );
    }
}

#[test]
fn years_out_of_range_become_the_ends_of_the_range() {
    assert_eq!(
        stamp("9999-12-31T00:00:00Z x"),
        (Time(i64::MAX), TimeSource::Stamp)
    );
    assert_eq!(
        stamp("0000-01-01T00:00:00Z x"),
        (Time(i64::MIN), TimeSource::Stamp)
    );
}

#[test]
fn a_year_that_cannot_be_decides_nothing_for_the_lines_after_it() {
    // In a source of times of day, which have the day of the line before.
    for year in ["9999", "0001", "2199"] {
        let mut stamper = TimestampReader::new(&HostClock::fixed(0));
        let clocks: Vec<String> = (0..20).map(|n| format!("13:00:{n:02} hello")).collect();
        stamper.learn(&mut clocks.iter().map(String::as_bytes), now());
        let mut times = |line: &str| read(&mut stamper, line, now());
        assert_eq!(times(&clocks[3]).0, time("2026-11-20T13:00:03Z"));
        let row = format!("{year}-12-31 00:00:00 | the end of a contract");
        assert_eq!(
            times(&row),
            (time("2026-11-20T13:00:03Z"), TimeSource::Previous),
            "{row}"
        );
        assert_eq!(times(&clocks[4]).0, time("2026-11-20T13:00:04Z"), "{row}");
    }
    // Where it does stand in the place of the stamp, it is that of its own line, and of what
    // continues that.
    let mut stamper = TimestampReader::new(&HostClock::fixed(0));
    let mut times = |line: &str| read(&mut stamper, line, now());
    assert_eq!(
        times("9999-12-31 00:00:00 x"),
        (Time(i64::MAX), TimeSource::Stamp)
    );
    assert_eq!(
        times("  rest of it"),
        (Time(i64::MAX), TimeSource::Previous)
    );
    assert_eq!(
        times("2026-11-20 13:00:01 y"),
        (time("2026-11-20T13:00:01Z"), TimeSource::Stamp)
    );
    assert_eq!(
        times("  rest of it"),
        (time("2026-11-20T13:00:01Z"), TimeSource::Previous)
    );
    assert_eq!(times("Nov 20 13:00:02 z").0, time("2026-11-20T13:00:02Z"));
}

#[test]
fn a_format_can_be_named() {
    for name in TimeFormat::names() {
        let format = TimeFormat::parse(name).expect("it is in the table");
        assert_eq!(
            TimestampReader::with_format(&HostClock::fixed(0), &format).format(),
            Some(name)
        );
    }
    assert!(TimeFormat::parse("sundial").is_err());
    let format = TimeFormat::parse("syslog").expect("it is in the table");
    let mut stamper = TimestampReader::with_format(&HostClock::fixed(0), &format);
    let line = "2026-11-20T13:00:01Z relay: Nov 20 12:00:00 web-1 app: hello";
    assert_eq!(
        read(&mut stamper, line, now()),
        (time("2026-11-20T12:00:00Z"), TimeSource::Stamp)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_line_is_survived(
        lines: Vec<Vec<u8>>,
        texts in prop::collection::vec("[0-9A-Za-z:/ \"{}=.,+-]{0,60}", 0..40),
        stamps in prop::collection::vec(r"(\[|<|- |\{.time.:.)?[0-9]{0,4}[-/. ]?([0-9]{1,4}|Nov|May)[-/. ]?[0-9]{1,4}[T :.,_-]{0,2}[0-9]{1,2}[:.]?[0-9]{1,2}[:.]?[0-9]{0,3}[.,]?[0-9]{0,10} ?(Z|UTC|CET|PM|[+-][0-9:]{2,5})?", 0..40),
        offset: i32,
        boot: Option<i64>,
        now: i64,
    ) {
        let zone = jiff::tz::TimeZone::get("Europe/Berlin").expect("a zone");
        let clocks = [HostClock { boot: boot.map(Time), ..HostClock::fixed(offset) }, HostClock { zone, boot: None }];
        let texts = texts.iter().chain(&stamps).map(String::as_bytes);
        let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).chain(texts).collect();
        for clock in &clocks {
            let formats = TimeFormat::names().chain(["%d.%m.%Y %H:%M:%S%.f %Z", "%s", "%* %j %Y %R", r"/(?<time>\d.*)/"]);
            let given = formats.map(|format| TimeFormat::parse(format).expect("a format"));
            let stampers = given.map(|format| TimestampReader::with_format(clock, &format)).chain([TimestampReader::new(clock)]);
            for mut stamper in stampers {
                for batch in lines.chunks(7) {
                    stamper.learn(&mut batch.iter().copied(), Time(now));
                    for line in batch {
                        let stamped = stamper.stamp(line, Time(now));
                        prop_assert_eq!(stamped.span.is_some(), stamped.from == TimeSource::Stamp);
                        prop_assert!(stamped.span.is_none_or(|span| span.start < span.end && span.end <= line.len()));
                    }
                }
            }
        }
    }

}

proptest! {
    #[test]
    fn any_format_of_the_inventory_is_read_or_refused(text in "[%/a-zA-Z(?<>).*+ -]{0,30}", line: Vec<u8>, now: i64) {
        if let Ok(format) = TimeFormat::parse(&text) {
            TimestampReader::with_format(&HostClock::fixed(0), &format).stamp(&line, Time(now));
        }
    }

    #[test]
    fn a_printed_time_is_read_back(seconds in -5_000_000_000_i64..9_000_000_000, nanos in 0..1_000_000_000_i32) {
        let at = Timestamp::new(seconds, nanos).expect("in range").max(Timestamp::UNIX_EPOCH);
        let mut stamper = TimestampReader::new(&HostClock::fixed(7200));
        prop_assert_eq!(read(&mut stamper, &at.to_string(), Time(0)), (Time::from_timestamp(at), TimeSource::Stamp));
        let json = format!("{{\"ts\":\"{at}\"}}");
        prop_assert_eq!(read(&mut stamper, &json, Time(0)), (Time::from_timestamp(at), TimeSource::Stamp));
    }

    #[test]
    fn a_date_of_syslog_is_read_back(days in 0..363_i64, now in 0..4_000_000_000_i64) {
        let now = Timestamp::from_second(now).expect("in range");
        let at = Timestamp::from_second(now.as_second() - days * 86_400).expect("in range").max(Timestamp::UNIX_EPOCH);
        let line = at.strftime("%b %e %H:%M:%S web-1 app: hello").to_string();
        let found = read(&mut TimestampReader::new(&HostClock::fixed(0)), &line, Time::from_timestamp(now));
        prop_assert_eq!(found, (Time::from_timestamp(at), TimeSource::Stamp), "{}", line);
    }
}
