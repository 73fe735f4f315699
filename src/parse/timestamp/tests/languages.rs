//! Dates of other languages and of other programs, and zones however they are stated.

use super::*;

/// The first line of a source of a host on UTC is of `expected`, by its stamp.
fn is_of(line: &str, expected: &str) {
    let mut stamper = TimestampReader::new(&HostClock::fixed(0));
    let found = read(&mut stamper, line, now());
    assert_eq!(found, (time(expected), TimeSource::Stamp), "{line}");
}

#[test]
fn months_have_their_names_in_many_languages() {
    let november = "2026-11-13T17:00:00Z";
    for line in [
        "nov. 13 17:00:00 web1 app[0]: order placed",
        "nov 13 17:00:00 web1 app[0]: order placed",
        "NOV 13 17:00:00 web1 app[0]: order placed",
        "Kas 13 17:00:00 web1 app[0]: order placed",
        "ноя 13 17:00:00 web1 app[0]: order placed",
        "НОЯБРЯ 13 17:00:00 web1 app[0]: order placed",
        "नव॰ 13 17:00:00 web1 app[0]: order placed",
        "marras 13 17:00:00 web1 app[0]: order placed",
        "nov. 13, 2026 5:00:00 PM org.example.Cart place",
        "nov 13, 2026 5:00:00 p.\u{a0}m. org.example.Cart place",
        "nov 13, 2026 5:00:00 P. M. org.example.Cart place",
        "Kas 13, 2026 5:00:00 ÖS org.example.Cart place",
        "thg 11 13, 2026 5:00:00 CH org.example.Cart place",
        "11月 13, 2026 5:00:00 午後 org.example.Cart place",
        "11월 13, 2026 5:00:00 오후 org.example.Cart place",
        "νοε 13, 2026 5:00:00 μ.μ. org.example.Cart place",
        "13 nov. 2026 17:00:00 app",
        "ven. 13 nov. 2026 17:00:00 app",
        "vendredi 13 novembre 2026 à 17:00:00 app",
        "Freitag, 13. November 2026 um 17:00:00 app",
        "13 de noviembre de 2026, 17:00:00 app",
        "13 ноября 2026 г., 17:00:00 app",
        "13. marraskuuta 2026 klo 17.00.00 app",
        "13 Kasım 2026 17:00:00 app",
        "2026. nov. 13. 17:00:00 app",
        "2026. 11. 13. 오후 5:00:00 app",
        "2026/11/13 午後 5:00:00 app",
        "2026-11-13 (Fri) 17:00:00 app",
        "2026-11-13 Fri 17:00:00 app",
        "2026/11/13(金) 17:00:00 app",
        "2026年11月13日 17時00分00秒 INFO 注文",
        "2026年11月13日(金) 17:00:00 INFO 注文",
        "2026年11月13日 下午5:00:00 INFO",
        "2026年11月13日 星期五 17:00:00 INFO",
        "2026년 11월 13일 17시 00분 00초 INFO",
        "2026년 11월 13일 오후 5:00:00 INFO",
    ] {
        is_of(line, november);
    }
}

#[test]
fn every_month_of_the_table_is_read_in_small_letters_and_with_a_capital() {
    let mut without_capital = 0;
    for (names, month) in super::super::names::MONTHS.iter().zip(1..) {
        for name in names.split_whitespace() {
            let length = name.chars().count();
            let mut letters = name.chars();
            let first = letters.next().expect("a letter");
            let capital = first.to_uppercase().chain(letters).collect::<String>();
            for name in [name.to_owned(), capital, name.to_uppercase()] {
                // A few letters have no capital of their own.
                if name.to_lowercase().chars().count() != length {
                    without_capital += 1;
                    continue;
                }
                for line in [
                    format!("{name} 7, 2026 05:06:07 x"),
                    format!("{name}. 7, 2026 05:06:07 x"),
                    format!("7 {name} 2026 05:06:07 x"),
                    format!("7-{name}-2026 05:06:07 x"),
                ] {
                    is_of(&line, &format!("2026-{month:02}-07T05:06:07Z"));
                }
            }
        }
    }
    assert!(without_capital < 10, "{without_capital}");
}

#[test]
fn dates_of_programs_with_a_notation_of_their_own() {
    for (line, expected) in [
        (
            "I261113 17:00:00.000000 1 server/node.go:400 ⋮ startup",
            "2026-11-13T17:00:00Z",
        ),
        (
            "Nov-13-26 17:00:00 [SSL-out] 192.0.2.0",
            "2026-11-13T17:00:00Z",
        ),
        ("Nov/13/2026 17:00:00 x", "2026-11-13T17:00:00Z"),
        (
            "2026:11:13-17:00:00 utm1 ulogd[1]: x",
            "2026-11-13T17:00:00Z",
        ),
        ("2026:11:13 17:00:00 exif", "2026-11-13T17:00:00Z"),
        ("13-Nov 17:00 bacula-dir JobId 0: x", "2026-11-13T17:00:00Z"),
        (
            "13-Nov-2026 17:00 bacula-dir JobId 0: x",
            "2026-11-13T17:00:00Z",
        ),
        (
            "6b0a43b0.075bcde8 conn=1 op=0 x",
            "2026-11-28T03:00:00.123457Z",
        ),
        ("2026-317T17:00:00,123:INFO:foo", "2026-11-13T17:00:00.123Z"),
        ("2024-366 17:00:00 x", "2024-12-31T17:00:00Z"),
        (
            "11/13/26, 05:00:00 PM UTC.123456 web_php[0].ERR x",
            "2026-11-13T17:00:00.123456Z",
        ),
        (
            "** Alert 1794589200.1000: - syslog,sshd,",
            "2026-11-13T17:00:00Z",
        ),
        (
            "  <date>2026-11-13T17:00:00.5Z</date>",
            "2026-11-13T17:00:00.5Z",
        ),
        (
            "  <TimeCreated SystemTime='2026-11-13T17:00:00Z'/>",
            "2026-11-13T17:00:00Z",
        ),
        (
            "  \"@timestamp\": \"2026-11-13T17:00:00Z\",",
            "2026-11-13T17:00:00Z",
        ),
    ] {
        let mut stamper = TimestampReader::new(&HostClock::fixed(0));
        let found = read(&mut stamper, line, time("2026-11-28T15:00:00Z"));
        let nanos = found.0.0.abs_diff(time(expected).0);
        assert!(
            nanos < 1000 && found.1 == TimeSource::Stamp,
            "{line}: {found:?}"
        );
    }
}

#[test]
fn numbers_of_openldap_are_proved_by_many_lines() {
    let line = |n: u32| {
        format!(
            "{:08x} conn={n} fd=12 ACCEPT from IP=192.0.2.{n}:4",
            0x6af7_4210 + n * 3307
        )
    };
    let mut stamper = TimestampReader::new(&HostClock::fixed(0));
    let lines: Vec<String> = (0..24).map(line).collect();
    stamper.learn(&mut lines.iter().map(String::as_bytes), now());
    for (n, line) in (0..).zip(&lines) {
        let expected = time("2026-11-13T17:00:00Z").plus_millis(n * 3_307_000);
        assert_eq!(
            read(&mut stamper, line, now()),
            (expected, TimeSource::Stamp),
            "{line}"
        );
    }
    // Names of commits are no times.
    let mut stamper = TimestampReader::new(&HostClock::fixed(0));
    let hashes = [
        "6af74210 fix",
        "3e01ab44 add",
        "71c0ffee cut",
        "5bad1dea mend",
    ]
    .repeat(6);
    stamper.learn(
        &mut hashes.iter().map(|line| line.as_bytes()),
        time("2010-01-01T00:00:00Z"),
    );
    assert_eq!(read(&mut stamper, hashes[0], now()).1, TimeSource::Arrival);
}

#[test]
fn a_zone_is_read_however_it_is_stated() {
    for (zone, expected) in [
        ("UTC+8", "09:00"),
        ("UTC+08", "09:00"),
        ("UTC+08:00", "09:00"),
        ("GMT+2", "15:00"),
        ("GMT-3", "20:00"),
        ("UTC\u{2212}3", "20:00"),
        ("UTC+5:30", "11:30"),
        ("+5:30", "11:30"),
        ("+05:30", "11:30"),
        ("\u{2212}05:00", "22:00"),
        ("(UTC+01:00)", "16:00"),
        ("(UTC)", "17:00"),
        ("[UTC]", "17:00"),
        ("(CEST)", "15:00"),
        ("(Asia/Tokyo)", "08:00"),
        ("[Asia/Tokyo]", "08:00"),
        ("+0100 (CET)", "16:00"),
        ("WIB", "10:00"),
        ("EAT", "14:00"),
        ("PHT", "09:00"),
        ("ICT", "10:00"),
        ("CLT", "21:00"),
        ("IRST", "13:30"),
        ("NZDT", "04:00"),
    ] {
        let line = format!("2026-11-20 17:00:00 {zone} INFO order");
        let mut stamper = TimestampReader::new(&HostClock::fixed(3600));
        let found = read(&mut stamper, &line, now());
        let expected = time(&format!("2026-11-20T{expected}:00Z"));
        assert_eq!(found, (expected, TimeSource::Stamp), "{line}");
    }
}

#[test]
fn a_zone_that_nobody_can_tell_makes_the_time_unknown_and_that_is_said() {
    for stamp in [
        "2026-11-20 17:00:00 IST",
        "2026-11-20 17:00:00 CST",
        "2026-11-20 17:00:00 (AST)",
        "2026-11-20 17:00:00+01:23",
        "2026-11-20T17:00:00+2500",
        "2026-11-20 17:00:00 UTC+25",
        "20/Nov/2026:17:00:00 IST",
        "20.11.2026 17:00:00 IST",
        "Nov 20 17:00:00 IST",
        "Nov 20 17:00:00 QQQT 2026",
    ] {
        let mut stamper = TimestampReader::new(&HostClock::fixed(0));
        let line = format!("{stamp} INFO order at 2026-11-19 10:00:00");
        let lines = vec![line.as_bytes(); 20];
        stamper.learn(&mut lines.iter().copied(), now());
        assert_eq!(
            read(&mut stamper, &line, now()),
            (now(), TimeSource::Arrival),
            "{line}"
        );
        assert_eq!(stamper.format(), Some("unknown-zone"), "{line}");
    }
    // A word that is no zone is none.
    is_of("2026-11-20 17:00:00 GET /", "2026-11-20T17:00:00Z");
    is_of("2026-11-20 17:00:00 (main) x", "2026-11-20T17:00:00Z");
}

#[test]
fn the_time_behind_a_date_that_nobody_can_read_is_none() {
    for date in [
        "Q261113",
        "13-nóvemberz-26",
        "Nvo-13-26",
        "13/Nvo/2026",
        "nvo. 13",
        "nvo 13",
        "13 nvo",
        "13 nvo.",
        "2026-W46-5",
        "26.317",
        "20261399",
        "13.13.13",
        "令和8年11月13日",
        "R8.11.13",
        "lis 13",
        "13 lis 2026",
        "1405/08/22/x",
        "[2026x11x13]",
    ] {
        let line = |n: u32| format!("{date} 17:{:02}:{:02} INFO order {n}", n / 60, n % 60);
        let lines: Vec<String> = (0..40).map(line).collect();
        let mut stamper = TimestampReader::new(&HostClock::fixed(0));
        stamper.learn(&mut lines.iter().map(String::as_bytes), now());
        for line in &lines {
            assert_eq!(
                read(&mut stamper, line, now()),
                (now(), TimeSource::Arrival),
                "{line}"
            );
        }
    }
}

#[test]
fn a_time_of_day_behind_what_is_no_date_has_the_present_day() {
    for before in [
        "",
        "[",
        "INFO ",
        "10.0.0.7 ",
        "[pool-1-thread-2] ",
        "shop-1  | ",
        "node3 ",
    ] {
        let line = |n: u32| format!("{before}15:{:02}:{:02} order {n}", n / 60, n % 60);
        let lines: Vec<String> = (0..40).map(line).collect();
        let mut stamper = TimestampReader::new(&HostClock::fixed(0));
        stamper.learn(&mut lines.iter().map(String::as_bytes), now());
        let expected = time("2026-11-20T15:00:07Z");
        assert_eq!(
            read(&mut stamper, &lines[7], now()),
            (expected, TimeSource::Stamp),
            "{before}"
        );
    }
}

#[test]
fn the_date_may_be_behind_the_time() {
    for date in [
        "2026-11-13",
        "13.11.2026",
        "13 Nov 2026",
        "13-nov-2026",
        "11/13/2026",
        "(13.11.2026)",
    ] {
        let line = |n: u32| format!("17:{:02}:{:02} {date} order {n}", n / 60, n % 60);
        let lines: Vec<String> = (0..40).map(line).collect();
        let mut stamper = TimestampReader::new(&HostClock::fixed(0));
        stamper.learn(&mut lines.iter().map(String::as_bytes), now());
        let expected = time("2026-11-13T17:00:07Z");
        assert_eq!(
            read(&mut stamper, &lines[7], now()),
            (expected, TimeSource::Stamp),
            "{date}"
        );
    }
}
