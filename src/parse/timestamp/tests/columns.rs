//! Logs whose head names the columns of their day and time: W3C and IIS.

use super::formats::{LOCAL, UTC, check};
use super::*;

#[test]
fn columns_are_those_of_the_fields_of_a_w3c_log() {
    let table = [
        (
            "#Fields: date time s-ip cs-method",
            "2026-11-20 13:00:01 10.0.0.1 GET",
            Some(UTC),
        ),
        (
            "#Fields: date time x-edge-location",
            "2026-11-20\t13:00:01\tFRA2",
            Some(UTC),
        ),
        (
            "#Fields: s-ip cs-method date time",
            "10.0.0.1 GET 2026-11-20 13:00:01",
            Some(UTC),
        ),
        ("#Fields: time c-ip", "13:00:01 10.0.0.1", Some(UTC)),
        ("#Fields: c-ip", "2026-11-20 13:00:01 10.0.0.1", Some(LOCAL)),
        ("#Fields: date time", "- -", None),
    ];
    for (fields, line, expected) in table {
        let mut stamper = TimestampReader::new(&HostClock::fixed(3600));
        assert_eq!(
            read(
                &mut stamper,
                "#Software: Microsoft Internet Information Services 10.0",
                now()
            )
            .1,
            TimeSource::Arrival
        );
        assert_eq!(
            read(&mut stamper, "#Date: 2026-11-20 13:00:00", now()).0,
            time("2026-11-20T13:00:00Z")
        );
        read(&mut stamper, fields, now());
        let found = read(&mut stamper, line, now());
        match expected {
            Some(expected) => {
                assert_eq!(
                    found,
                    (time(expected), TimeSource::Stamp),
                    "{fields}: {line}"
                );
            }
            None => assert_eq!(found.1, TimeSource::Previous, "{fields}: {line}"),
        }
    }
}

#[test]
fn the_columns_of_iis_are_of_utc_also_without_their_head() {
    check(&[
        (
            "2026-11-20 13:00:01 10.0.0.1 GET /path - 80 - 10.0.0.2 agent 200 0 0 15",
            UTC,
        ),
        (
            "2026-11-20 13:00:01 fe80::1%4 POST / id=7 443 SHOP\\bob ::1 agent - 200 0 0 15",
            UTC,
        ),
        (
            "2026-11-20 13:00:01 W3SVC1 10.0.0.1 GET /path - 80 - 10.0.0.2 agent 200 0 0",
            UTC,
        ),
        (
            "2026-11-20 13:00:01 W3SVC1 WEB-1 10.0.0.1 GET /path - 80 - 10.0.0.2 HTTP/1.1 agent 200",
            UTC,
        ),
        ("2026-11-20 13:00:01 10.0.0.1 GET /path 200 15", LOCAL),
        (
            "2026-11-20 13:00:01 10.0.0.1 GET /path - 80 - agent 200 0 0 15",
            LOCAL,
        ),
        (
            "2026-11-20 13:00:01 web-1 GET /path - 80 - 10.0.0.2 agent 200 0 0 15",
            LOCAL,
        ),
        (
            "2026-11-20 13:00:01 W3SVC1 WEB-1 web 10.0.0.1 GET /path - 80 - 10.0.0.2 agent 200",
            LOCAL,
        ),
        ("2026-11-20 13:00:01 10.0.0.1", LOCAL),
    ]);
    let given = TimeFormat::parse("%F %T").expect("a format");
    let mut stamper = TimestampReader::with_format(&HostClock::fixed(3600), &given);
    let line = "2026-11-20 13:00:01 10.0.0.1 GET /path - 80 - 10.0.0.2 agent 200 0 0 15";
    assert_eq!(
        read(&mut stamper, line, now()),
        (time(LOCAL), TimeSource::Stamp),
        "unless the inventory says otherwise"
    );
}

#[test]
fn lines_that_do_not_have_the_columns_of_a_head_are_read_as_others_in_the_end() {
    let mut stamper = TimestampReader::new(&HostClock::fixed(3600));
    read(&mut stamper, "#Fields: s-ip date time", now());
    let line = "2026-11-20 13:00:01 hello";
    for _ in 1..PATIENCE {
        assert_eq!(read(&mut stamper, line, now()).1, TimeSource::Arrival);
    }
    assert_eq!(
        read(&mut stamper, line, now()),
        (time(LOCAL), TimeSource::Stamp)
    );
}

#[test]
fn a_w3c_log_may_say_that_its_times_are_local() {
    let mut stamper = TimestampReader::new(&HostClock::fixed(3600));
    for line in [
        "#Version: 1.5",
        "#Time Format: Local",
        "#Fields: date time action",
    ] {
        read(&mut stamper, line, now());
    }
    assert_eq!(
        read(&mut stamper, "2026-11-20 13:00:01 DROP", now()),
        (time(LOCAL), TimeSource::Stamp)
    );
}
