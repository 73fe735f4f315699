//! Formats that the inventory gives.

use super::*;

/// 13:00:01 of a host that is an hour ahead of UTC.
const LOCAL: &str = "2026-11-20T12:00:01Z";
const UTC_MS: &str = "2026-11-20T13:00:01.123Z";

fn given(format: &str, line: &str) -> (Time, TimeSource) {
    let format = TimeFormat::parse(format).unwrap_or_else(|error| panic!("{format}: {error}"));
    read(
        &mut TimestampReader::with_format(&HostClock::fixed(3600), &format),
        line,
        now(),
    )
}

#[test]
fn patterns_and_expressions_are_read() {
    let table = [
        ("%d.%m.%Y %H:%M:%S", "20.11.2026 13:00:01 x", LOCAL),
        (
            "%d.%m.%Y %H:%M:%S",
            "[main] at 20.11.2026 13:00:01 x",
            LOCAL,
        ),
        (
            "%Y-%m-%dT%H:%M:%S%.f%z",
            "2026-11-20T14:00:01.123+01:00 x",
            UTC_MS,
        ),
        ("%FT%T.%fZ%Z", "2026-11-20T13:00:01.123Z UTC x", UTC_MS),
        ("%b %e, %Y %I:%M:%S %p", "Nov 20, 2026 1:00:01 PM x", LOCAL),
        (
            "%A, %d-%b-%y %T %Z",
            "Friday, 20-Nov-26 13:00:01 CET x",
            LOCAL,
        ),
        ("%c", "Fri Nov 20 13:00:01 2026 x", LOCAL),
        ("%s", "id 7 at 1795179601 x", "2026-11-20T13:00:01Z"),
        ("%s.%L", "1795179601.123 x", UTC_MS),
        ("%Y%j%H%M%S", "2026324130001 x", LOCAL),
        ("%* [%H:%M]", "abc [13:00] x", "2026-11-20T12:00:00Z"),
        ("%m/%d %T", "11/20 13:00:01 x", LOCAL),
        ("100%% %F %T", "100% 2026-11-20 13:00:01 x", LOCAL),
        (r"/at (?<epoch>\d+)ms/", "done at 1795179601123ms x", UTC_MS),
        (
            r"/started=(?<time>\S+)/",
            "x started=2026-11-20T13:00:01.123Z y",
            UTC_MS,
        ),
        (
            r"/(?<day>\d+)\. (?<month>[A-Z]\w+) (?<year>\d+), (?<hour>\d+)h(?<minute>\d+)/",
            "le 20. Nov 2026, 13h00",
            "2026-11-20T12:00:00Z",
        ),
        (
            r"/(?<year>\d\d)(?<month>\d\d)(?<day>\d\d)-(?<hour>\d\d)(?<minute>\d\d)(?<second>\d\d)\.(?<fraction>\d+)(?<zone>[+-]\d+)/",
            "261120-130001.123+0000",
            UTC_MS,
        ),
        (
            r"/(?<hour>\d+):(?<minute>\d+) (?<ampm>[ap]m)/",
            "x 1:00 pm",
            "2026-11-20T12:00:00Z",
        ),
        ("clock", "13:00:01 x", LOCAL),
        ("clock", "x 13:00:01 x", LOCAL),
        ("epoch", "a b c d e 1795179601.123 x", UTC_MS),
        (
            "w3c",
            "2026-11-20 13:00:01 10.0.0.1 GET",
            "2026-11-20T13:00:01Z",
        ),
        ("european", "05/06/2026 13:00:01 x", "2026-06-05T12:00:01Z"),
        ("american", "05/06/2026 13:00:01 x", "2026-05-06T12:00:01Z"),
        ("json", "x {\"time\":1795179601123}", UTC_MS),
    ];
    for (format, line, expected) in table {
        assert_eq!(
            given(format, line),
            (time(expected), TimeSource::Stamp),
            "{format}: {line}"
        );
    }
}

#[test]
fn a_line_without_the_given_format_has_no_stamp() {
    for (format, line) in [
        ("%d.%m.%Y %H:%M:%S", "2026-11-20 13:00:01 x"),
        ("%d.%m.%Y %H:%M:%S", "32.13.2026 13:00:01 x"),
        ("%H:%M", "25:00 x"),
        ("%s", "12 x"),
        (r"/(?<epoch>\d+)/", "12 x"),
        (r"/(?<hour>\d+):(?<minute>\d+)/", "123456789012:00"),
        ("syslog", "2026-11-20T13:00:01Z x"),
    ] {
        assert_eq!(
            given(format, line),
            (now(), TimeSource::Arrival),
            "{format}: {line}"
        );
    }
}

#[test]
fn what_is_no_format_says_why() {
    for (format, why) in [
        ("sundial", "unknown time format \"sundial\""),
        ("", "unknown time format \"\""),
        ("%d.%m.%Y", "the time pattern has no hour (%H)"),
        (
            "%Y %H:%M",
            "the time pattern has no month and day (%m and %d)",
        ),
        ("%m %H:%M", "the time pattern has no day (%d)"),
        ("%d %H:%M", "the time pattern has no month (%m or %b)"),
        ("%H o'clock", "the time pattern has no minute (%M)"),
        ("%H:%M:%", "a time pattern ends in '%'; write %% for a '%'"),
        (
            "/(?<epoch>x",
            "the regular expression of a time ends with '/'",
        ),
        (
            "/(?<when>x)/",
            "unknown group \"when\" in the time expression; there are time, epoch, year",
        ),
        (
            "/x/",
            "the time expression needs a group (?<time>…) or (?<epoch>…), or hour and minute",
        ),
        (
            "/(/",
            "the regular expression of the time is not valid: unclosed group",
        ),
        (
            "%H:%M %!",
            "unknown field \"%!\" in the time pattern; there are %Y",
        ),
    ] {
        let error = TimeFormat::parse(format).expect_err(format);
        assert!(error.starts_with(why), "{format}: {error}");
        assert!(!error.contains('\n'), "{error}");
    }
}

#[test]
fn the_example_names_the_formats_of_the_table_and_no_others() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("hosts.example.toml");
    let text = std::fs::read_to_string(path).expect("read the example");
    let documented: Vec<(&str, &str)> = text
        .lines()
        .skip_while(|line| !line.starts_with("# Formats of `time`"))
        .skip(1)
        .map_while(|line| line.strip_prefix("#   "))
        .filter_map(|line| {
            line.split_once(' ')
                .map(|(name, example)| (name, example.trim()))
        })
        .collect();
    assert_eq!(documented, TimeFormat::examples().collect::<Vec<_>>());
}

proptest! {
    #[test]
    fn what_a_pattern_prints_it_reads_back(seconds in 0..4_000_000_000_i64, millis in 0..1000_i32) {
        let at = Timestamp::new(seconds, millis * 1_000_000).expect("in range");
        let whole = Time::from_timestamp(Timestamp::from_second(seconds).expect("in range"));
        let exact = Time::from_timestamp(at);
        for (pattern, expected) in [
            ("%Y-%m-%d %H:%M:%S%.3f", exact),
            ("%d/%b/%Y:%H:%M:%S %z", whole),
            ("%a, %d %B %Y %T %Z", whole),
            ("%D %r", whole),
            ("%F %I:%M:%S.%3f %p", exact),
            ("%Y %j %T", whole),
            ("%a %b %e %T %Y", whole),
            ("%s", whole),
            ("%e.%m.%y %k:%M:%S", whole),
        ] {
            let zoned = at.to_zoned(jiff::tz::TimeZone::UTC);
            if (pattern.contains("%y") || pattern.contains("%D")) && seconds > 3_124_224_000 {
                continue;
            }
            let line = zoned.strftime(pattern).to_string();
            if pattern == "%s" && seconds < 1_000_000_000 {
                continue;
            }
            let format = TimeFormat::parse(pattern).expect(pattern);
            let found = read(&mut TimestampReader::with_format(&HostClock::fixed(0), &format), &line, now());
            prop_assert_eq!(found, (expected, TimeSource::Stamp), "{}: {}", pattern, line);
        }
    }

    #[test]
    fn what_programs_print_is_read_back(seconds in 1_000_000_000..1_795_188_000_i64, micros in 0..1_000_000_i32) {
        let at = Timestamp::new(seconds, micros * 1000).expect("in range");
        let zoned = at.to_zoned(jiff::tz::TimeZone::UTC);
        let exact = Time::from_timestamp(at);
        let whole = Time(exact.0 / 1_000_000_000 * 1_000_000_000);
        for (pattern, expected) in [
            ("%Y-%m-%dT%H:%M:%S.%6fZ x", exact),
            ("%Y-%m-%d %H:%M:%S,%6f x", exact),
            ("%Y/%m/%d %H:%M:%S x", whole),
            ("%Y-%m-%d-%H.%M.%S.%6f x", exact),
            ("10.0.0.1 - - [%d/%b/%Y:%H:%M:%S %z] \"GET /\"", whole),
            ("[%a %b %d %H:%M:%S.%6f %Y] x", exact),
            ("%b %e, %Y %I:%M:%S %p x", whole),
            ("1:M %d %b %Y %H:%M:%S.%6f * x", exact),
            ("I%Y%m%d %H:%M:%S.%6f 1 x.go:1] x", exact),
            ("%Y%m%d%H%M%S x", whole),
            ("%Y%m%d-%-H:%-M:%-S x", whole),
            ("%y%m%d %H:%M:%S x", whole),
            ("%s.%6f x", exact),
            ("{\"msg\":\"x\",\"ts\":%s.%6f}", exact),
            ("{\"msg\":\"x\",\"time\":\"%a, %d %b %Y %H:%M:%S GMT\"}", whole),
            ("level=info ts=%Y-%m-%dT%H:%M:%S.%6fZ", exact),
            ("type=CWD msg=audit(%s.%6f:7): x", exact),
        ] {
            let line = zoned.strftime(pattern).to_string();
            let found = read(&mut TimestampReader::new(&HostClock::fixed(0)), &line, now());
            prop_assert_eq!(found, (expected, TimeSource::Stamp), "{}: {}", pattern, line);
        }
    }
}
