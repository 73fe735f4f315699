//! Zones, folds, gaps, years that are left out.

use jiff::tz::TimeZone;

use super::*;

fn host(zone: &str) -> HostClock {
    HostClock {
        zone: TimeZone::get(zone).expect("a zone"),
        boot: None,
    }
}

/// Stamps lines in order.
fn times(clock: &HostClock, lines: &[&str]) -> Vec<String> {
    let mut stamper = TimestampReader::new(clock);
    lines
        .iter()
        .map(|line| read(&mut stamper, line, now()).0.to_timestamp().to_string())
        .collect()
}

#[test]
fn local_time_follows_the_rules_of_the_zone() {
    let table = [
        (
            "Europe/Berlin",
            "2026-07-01 13:00:00",
            "2026-07-01T11:00:00Z",
        ),
        (
            "Europe/Berlin",
            "2026-11-20 13:00:00",
            "2026-11-20T12:00:00Z",
        ),
        (
            "Europe/Berlin",
            "Jul  1 13:00:00 web-1 app: x",
            "2026-07-01T11:00:00Z",
        ),
        (
            "America/New_York",
            "2026-07-01 13:00:00",
            "2026-07-01T17:00:00Z",
        ),
        (
            "America/New_York",
            "2026-11-20 13:00:00 EDT x",
            "2026-11-20T17:00:00Z",
        ),
        (
            "Asia/Kolkata",
            "2026-11-20 13:00:00",
            "2026-11-20T07:30:00Z",
        ),
        (
            "Asia/Kolkata",
            "2026-11-20 13:00:00 IST x",
            "2026-11-20T07:30:00Z",
        ),
        (
            "Asia/Jerusalem",
            "2026-11-20 13:00:00 IST x",
            "2026-11-20T11:00:00Z",
        ),
        (
            "America/Chicago",
            "2026-11-20 13:00:00 CST x",
            "2026-11-20T19:00:00Z",
        ),
        (
            "Asia/Shanghai",
            "2026-11-20 13:00:00 CST x",
            "2026-11-20T05:00:00Z",
        ),
        (
            "Europe/Berlin",
            "2026-07-01 13:00:00 CEST x",
            "2026-07-01T11:00:00Z",
        ),
        (
            "America/Sao_Paulo",
            "2026-11-20 13:00:00 -03 x",
            "2026-11-20T16:00:00Z",
        ),
        // Clocks went from 02:00 to 03:00.
        (
            "Europe/Berlin",
            "2026-03-29 01:59:59",
            "2026-03-29T00:59:59Z",
        ),
        (
            "Europe/Berlin",
            "2026-03-29 02:30:00",
            "2026-03-29T01:30:00Z",
        ),
        (
            "Europe/Berlin",
            "2026-03-29 03:00:00",
            "2026-03-29T01:00:00Z",
        ),
        // And from 03:00 to 02:00.
        (
            "Europe/Berlin",
            "2026-10-25 02:30:00",
            "2026-10-25T00:30:00Z",
        ),
        (
            "Europe/Berlin",
            "2026-10-25 03:00:00",
            "2026-10-25T02:00:00Z",
        ),
        (
            "Europe/Berlin",
            "2100-07-01 13:00:00",
            "2100-07-01T11:00:00Z",
        ),
        (
            "Europe/Berlin",
            "1700-07-01 13:00:00",
            "1700-07-01T12:06:32Z",
        ),
    ];
    for (zone, line, expected) in table {
        assert_eq!(times(&host(zone), &[line]), [expected], "{zone} {line}");
    }
}

#[test]
fn a_stamp_may_name_the_place_whose_time_it_has() {
    let table = [
        (
            "[29-Feb-2024 18:59:58 America/New_York] PHP Notice:  x",
            "2024-02-29T23:59:58Z",
        ),
        (
            "[01-Jul-2026 13:00:00 America/New_York] x",
            "2026-07-01T17:00:00Z",
        ),
        (
            "[01-Jul-2026 13:00:00 America/Argentina/Buenos_Aires] x",
            "2026-07-01T16:00:00Z",
        ),
        ("[01-Jul-2026 13:00:00 Etc/GMT+3] x", "2026-07-01T16:00:00Z"),
        (
            "[01-Jul-2026 13:00:00 Asia/Kolkata] x",
            "2026-07-01T07:30:00Z",
        ),
        (
            "2026-07-01 13:00:00 Pacific/Auckland x",
            "2026-07-01T01:00:00Z",
        ),
        (
            "{\"time\":\"2026-07-01 13:00:00 Asia/Tokyo\"}",
            "2026-07-01T04:00:00Z",
        ),
        // Not in the data base: the host's.
        (
            "[01-Jul-2026 13:00:00 Mars/Olympus_Mons] x",
            "2026-07-01T11:00:00Z",
        ),
        (
            "2026-07-01 13:00:00 America/New_Yorker x",
            "2026-07-01T11:00:00Z",
        ),
        ("2026-07-01 13:00:00 INFO/main x", "2026-07-01T11:00:00Z"),
        ("2026-07-01 13:00:00 Europe/ x", "2026-07-01T11:00:00Z"),
    ];
    let lines: Vec<&str> = table.iter().map(|(line, _)| *line).collect();
    for (line, expected) in table {
        assert_eq!(times(&host("Europe/Berlin"), &[line]), [expected], "{line}");
    }
    // More zones in turn than are kept.
    let found = times(&host("Europe/Berlin"), &[&lines[..], &lines[..]].concat());
    let expected: Vec<&str> = table
        .iter()
        .chain(&table)
        .map(|(_, expected)| *expected)
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn another_clock_of_the_host_changes_times_but_not_what_is_known_of_the_source() {
    let boot = |text: &str| HostClock {
        boot: Some(time(text)),
        ..host("Europe/Berlin")
    };
    let mut stamper = TimestampReader::new(&boot("2026-11-20T12:00:00Z"));
    let lines: Vec<String> = (0..20)
        .map(|n| format!("[    {n}.000000] eth0: hello"))
        .collect();
    stamper.learn(&mut lines.iter().map(String::as_bytes), now());
    assert_eq!(
        read(&mut stamper, &lines[5], now()).0,
        time("2026-11-20T12:00:05Z")
    );
    assert_eq!(
        read(&mut stamper, "2026-11-20 13:00:00 x", now()).0,
        time("2026-11-20T12:00:00Z")
    );
    stamper.set_clock(&HostClock {
        boot: Some(time("2026-11-20T14:00:00Z")),
        ..host("America/New_York")
    });
    assert_eq!(stamper.format(), Some("iso8601"));
    assert_eq!(
        read(&mut stamper, &lines[5], now()).0,
        time("2026-11-20T14:00:05Z")
    );
    assert_eq!(
        read(&mut stamper, "2026-11-20 09:00:00 x", now()).0,
        time("2026-11-20T14:00:00Z")
    );
}

#[test]
fn an_hour_that_comes_twice_keeps_the_lines_in_order() {
    let lines = [
        "2026-10-25 01:59:59 x",
        "2026-10-25 02:10:00 x",
        "2026-10-25 02:09:59 a little out of order",
        "2026-10-25 02:59:59 x",
        "2026-10-25 02:00:00 x",
        "2026-10-25 02:05:00 x",
        "2026-10-25 02:59:59 x",
        "2026-10-25 03:00:00 x",
    ];
    let expected = [
        "2026-10-24T23:59:59Z",
        "2026-10-25T00:10:00Z",
        "2026-10-25T00:09:59Z",
        "2026-10-25T00:59:59Z",
        "2026-10-25T01:00:00Z",
        "2026-10-25T01:05:00Z",
        "2026-10-25T01:59:59Z",
        "2026-10-25T02:00:00Z",
    ];
    assert_eq!(times(&host("Europe/Berlin"), &lines), expected);
}

#[test]
fn a_stamp_from_the_start_of_the_host_needs_to_know_it() {
    let line = "[    5.500000] usb 1-1: new device";
    assert_eq!(
        read(&mut TimestampReader::new(&HostClock::fixed(0)), line, now()),
        (now(), TimeSource::Arrival)
    );
    let clock = HostClock {
        boot: Some(time("2026-11-20T08:00:00Z")),
        ..HostClock::fixed(0)
    };
    assert_eq!(times(&clock, &[line]), ["2026-11-20T08:00:05.5Z"]);
}

#[test]
fn lines_around_new_year_have_the_year_of_their_side() {
    let lines = [
        "Dec 31 23:59:58 web-1 app: x",
        "Dec 31 23:59:59 web-1 app: x",
        "Jan  1 00:00:00 web-1 app: x",
    ];
    let expected = [
        "2026-12-31T23:59:58Z",
        "2026-12-31T23:59:59Z",
        "2027-01-01T00:00:00Z",
    ];
    let mut stamper = TimestampReader::new(&HostClock::fixed(0));
    for now in [
        "2026-12-31T23:59:59Z",
        "2027-01-01T00:00:10Z",
        "2027-06-01T00:00:00Z",
    ] {
        for (line, expected) in lines.iter().zip(expected) {
            assert_eq!(
                read(&mut stamper, line, time(now)).0,
                time(expected),
                "{line} at {now}"
            );
        }
    }
    // A host east of us is in the new year already.
    let tokyo = host("Asia/Tokyo");
    let found = read(
        &mut TimestampReader::new(&tokyo),
        "Jan  1 08:00:00 web-1 app: x",
        time("2026-12-31T23:00:01Z"),
    );
    assert_eq!(found.0, time("2026-12-31T23:00:00Z"));
}

proptest! {
    #[test]
    fn local_time_is_that_of_the_zone(seconds in 0..4_000_000_000_i64, zone in 0..5_usize) {
        let clock = host(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/St_Johns"][zone]);
        let at = Timestamp::from_second(seconds).expect("in range").to_zoned(clock.zone.clone());
        let ambiguous = clock.zone.to_ambiguous_zoned(at.datetime()).is_ambiguous();
        let mut stamper = TimestampReader::new(&clock);
        // In an hour that comes twice, the line before says which it is.
        stamper.stamp(Timestamp::from_second(seconds - 1).expect("in range").to_string().as_bytes(), now());
        let line = at.strftime("%Y-%m-%d %H:%M:%S x").to_string();
        let found = read(&mut stamper, &line, now()).0;
        let expected = Time::from_timestamp(at.timestamp());
        if ambiguous {
            prop_assert!(found.0.abs_diff(expected.0) <= 3_600_000_000_000, "{line}");
        } else {
            prop_assert_eq!(found, expected, "{}", line);
        }
    }
}
