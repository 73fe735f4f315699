//! What a sample of lines proves, and what it must not.

use super::*;

/// Stamps each line after all of them were learnt.
fn learnt(lines: &[&str]) -> Vec<(Time, TimeSource)> {
    learnt_on(&HostClock::fixed(0), lines, now())
}

fn learnt_on(clock: &HostClock, lines: &[&str], now: Time) -> Vec<(Time, TimeSource)> {
    let mut stamper = TimestampReader::new(clock);
    stamper.learn(&mut lines.iter().map(|line| line.as_bytes()), now);
    lines
        .iter()
        .map(|line| read(&mut stamper, line, now))
        .collect()
}

/// Checks the first and the last of many lines that a template makes of seconds.
fn check_column(line: impl Fn(usize) -> String, first: &str, step_s: i64) {
    let lines: Vec<String> = (0..30).map(line).collect();
    let texts: Vec<&str> = lines.iter().map(String::as_str).collect();
    for (n, found) in learnt(&texts).into_iter().enumerate() {
        let expected = time(first).plus_millis(i64::try_from(n).expect("small") * step_s * 1000);
        assert_eq!(found, (expected, TimeSource::Stamp), "{}", lines[n]);
    }
}

#[test]
fn a_column_that_rises_is_a_stamp_wherever_it_stands() {
    let from = "2026-11-20T13:00:01Z";
    check_column(
        |n| format!("worker-{n} took {} job 7", 1_795_179_601 + n),
        from,
        1,
    );
    check_column(
        |n| format!("GET 200 {}.000 10.0.0.1", 1_795_179_601 + n),
        from,
        1,
    );
    check_column(
        |n| {
            format!(
                "node {} node-{n} unix.hw state_change 1 up",
                1_795_179_601 + n * 60
            )
        },
        from,
        60,
    );
    check_column(
        |n| {
            format!(
                "- {} 2005.06.03 R0{n} 2005-06-03-15.42.{n:02}.363779 RAS",
                1_117_838_521 + n
            )
        },
        "2005-06-03T22:42:01Z",
        1,
    );
    check_column(
        |n| format!("x,y,{},z", 1_795_179_601_000_u64 + n as u64 * 1000),
        from,
        1,
    );
    check_column(|n| format!("shop 261120 13:00:{:02} hello", n + 1), from, 1);
}

/// The times of a column of numbers among others.
fn column(numbers: &[u64]) -> Vec<(Time, TimeSource)> {
    let line = |(n, at): (usize, &u64)| {
        format!(
            "{} node-{} unix.disk change.down {at} 1 Disk sda{n} is down",
            48_213 - n * 977,
            n * 7 % 5
        )
    };
    let lines: Vec<String> = numbers.iter().enumerate().map(line).collect();
    learnt(&lines.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn a_column_of_past_times_is_a_stamp_in_any_order() {
    let mixed = [
        1_077_804_742,
        1_074_119_817,
        1_081_000_003,
        1_077_804_742,
        1_072_000_000,
        1_079_123_456,
    ];
    let newest_first: Vec<u64> = (0..10).map(|n| 1_077_804_742 - n * 61).collect();
    let present: Vec<u64> = (0..10).map(|n| 1_795_188_000 - n * 7 % 10).collect();
    for numbers in [mixed.repeat(2), newest_first, present] {
        for (number, found) in numbers.iter().zip(column(&numbers)) {
            assert_eq!(
                found,
                (Time(*number as i64 * 1_000_000_000), TimeSource::Stamp),
                "{numbers:?}"
            );
        }
    }
}

#[test]
fn a_column_that_is_better_explained_otherwise_is_none() {
    let counter: Vec<u64> = (0..12).map(|n| 1_077_804_742 + n * 7 % 12).collect();
    let beyond: Vec<u64> = (0..12)
        .map(|n| 1_795_179_601 + n * 5 % 12 * 1_000_000)
        .collect();
    let few = vec![1_077_804_742, 1_074_119_817, 1_081_000_003, 1_072_000_000];
    let any: Vec<u64> = (0..40)
        .map(|n| 1_000_000_000 + n * 7_919 % 40 * 200_000_000)
        .collect();
    for numbers in [vec![1_077_804_742; 12], counter, beyond, few, any] {
        assert!(
            column(&numbers)
                .iter()
                .all(|(_, from)| *from == TimeSource::Arrival),
            "{numbers:?}"
        );
    }
}

#[test]
fn one_line_that_begins_with_a_number_and_a_date_is_of_the_number_if_they_agree() {
    for (line, expected) in [
        (
            "- 1117838570 2005.06.03 R02-M1 2005-06-03-15.42.50.363779 R02-M1 RAS KERNEL INFO x",
            "2005-06-03T22:42:50Z",
        ),
        (
            "- 1131566461 2005.11.09 dn228 Nov 9 12:01:01 dn228/dn228 crond[2915]: x",
            "2005-11-09T20:01:01Z",
        ),
        ("1200000000 2026-11-20 13:00:01 x", "2026-11-20T13:00:01Z"),
        ("1795179601 Nov 20 14:00:01 x", "2026-11-20T13:00:01Z"),
        (
            "LABEL 1117869872 2005.06.04 R04 2005-06-04-00.24.32.398284 R04 RAS x",
            "2005-06-04T07:24:32Z",
        ),
        ("LABEL 1117869872 2005.06.05 R04 x", "2005-06-04T07:24:32Z"),
        // The number is that of something else.
        (
            "order 1117869872 2026-11-20 13:00:01 x",
            "2026-11-20T13:00:01Z",
        ),
        (
            "order 1117869872 2005.06.07 at 2026-11-20 13:00:01 x",
            "2026-11-20T13:00:01Z",
        ),
    ] {
        let found = read(&mut TimestampReader::new(&HostClock::fixed(0)), line, now());
        assert_eq!(found, (time(expected), TimeSource::Stamp), "{line}");
    }
}

#[test]
fn a_number_that_is_no_time_is_none() {
    let mut order = Vec::new();
    for n in 0..30_u64 {
        order.push(format!(
            "order {} shipped",
            1_000_000_007 + (n * 7_919 * 104_729) % 8_000_000_000
        ));
    }
    let texts: Vec<&str> = order.iter().map(String::as_str).collect();
    assert!(
        learnt(&texts)
            .iter()
            .all(|(_, from)| *from == TimeSource::Arrival)
    );
    // Numbers in front that count, and dates behind them that they do not agree with.
    check_column(
        |n| format!("{} 2026-11-20 13:00:{:02} hello", 1_200_000_000 + n, n + 1),
        "2026-11-20T13:00:01Z",
        1,
    );
}

#[test]
fn a_date_that_never_changes_is_none_where_another_does() {
    check_column(
        |n| {
            format!(
                "2017-05-16_13:53:08 2026-11-20 13:00:{:02}.000 77 INFO nova",
                n + 1
            )
        },
        "2026-11-20T13:00:01Z",
        1,
    );
    check_column(
        |n| {
            format!(
                "build 2017-05-16 13:53:08 at 2026-11-20T13:00:{:02}Z hello",
                n + 1
            )
        },
        "2026-11-20T13:00:01Z",
        1,
    );
}

#[test]
fn a_date_that_messages_quote_is_none() {
    let shop = "DEBUG:shop.cart: {'level': 'ERROR', 'date': '2001-02-03 04:05:06'}";
    let lines: Vec<&str> = ["INFO:shop: hello", "WARNING:shop: low", shop]
        .into_iter()
        .cycle()
        .take(60)
        .collect();
    assert!(
        learnt(&lines)
            .iter()
            .all(|(_, from)| *from == TimeSource::Arrival)
    );
    let mut lines = vec![
        "Nov 20, 2026 1:00:01 PM shop.Cart add",
        "FINE: cart looked at: ERROR 2001-02-03 04:05:06",
    ];
    lines = lines.into_iter().cycle().take(60).collect();
    for (n, found) in learnt(&lines).into_iter().enumerate() {
        let from = if n % 2 == 0 {
            TimeSource::Stamp
        } else {
            TimeSource::Previous
        };
        assert_eq!(found, (time("2026-11-20T13:00:01Z"), from), "{}", lines[n]);
    }
}

#[test]
fn a_date_that_stands_in_a_message_is_not_its_time_where_stamps_stand_otherwise() {
    let at = "2026-11-20T13:00:01Z";
    let lines = [
        (
            "*** Starting shop 2.0 (64bit) on [Fri Nov 20 13:00:01 2026] ***",
            TimeSource::Stamp,
        ),
        (
            "compiled with version: 12.2.0 on 19 May 2023 13:59:29",
            TimeSource::Previous,
        ),
        (
            "Python version: 3.11.2 (main, Oct  7 2026, 12:35:07) [GCC 12.2.0]",
            TimeSource::Previous,
        ),
        (
            "your license ends on 2027-01-01 00:00:00",
            TimeSource::Previous,
        ),
        (
            "spawned worker 1 (pid: 36356, cores: 1)",
            TimeSource::Previous,
        ),
        (
            "[pid: 7|req: 1/1] 10.0.0.5 () {24 vars in 247 bytes} [Fri Nov 20 13:00:01 2026] GET /",
            TimeSource::Stamp,
        ),
        (
            "[pid: 7|req: 1/2] 10.0.0.5 (bob) {4 vars in 2 bytes} [Fri Nov 20 13:00:01 2026] GET /",
            TimeSource::Stamp,
        ),
        (
            "Fri Nov 20 13:00:01 2026 - *** worker 2 hangs ***",
            TimeSource::Stamp,
        ),
    ];
    let texts: Vec<&str> = lines.iter().map(|(line, _)| *line).collect();
    let mut one_by_one = TimestampReader::new(&HostClock::fixed(0));
    for ((line, from), found) in lines.into_iter().zip(learnt(&texts)) {
        assert_eq!(found, (time(at), from), "{line}");
        assert_eq!(
            read(&mut one_by_one, line, now()),
            (time(at), from),
            "one by one: {line}"
        );
    }
}

#[test]
fn times_of_day_may_have_stack_traces_between() {
    let mut lines = Vec::new();
    for n in 0..10 {
        lines.push(format!(
            "13:00:{n:02}.010 [main] DEBUG shop.Cart looked at 2001-02-03 04:05:06"
        ));
        lines.extend(
            [
                "java.lang.IllegalStateException: no",
                "\tat shop.Cart.add(Cart.java:12)",
                "Caused by: x",
            ]
            .map(str::to_owned),
        );
    }
    let texts: Vec<&str> = lines.iter().map(String::as_str).collect();
    let found = learnt(&texts);
    assert_eq!(
        found[36],
        (time("2026-11-20T13:00:09.01Z"), TimeSource::Stamp)
    );
    assert_eq!(
        found[39],
        (time("2026-11-20T13:00:09.01Z"), TimeSource::Previous)
    );
}

#[test]
fn days_and_months_are_told_apart_by_those_around_them() {
    let cases: [(&str, [&str; 3], [&str; 3]); 4] = [
        (
            "{}/2026 13:00:01 x",
            ["05/06", "05/07", "05/08"],
            ["05-06", "05-07", "05-08"],
        ),
        (
            "{}/2026 13:00:01 x",
            ["05/06", "06/06", "07/06"],
            ["06-05", "06-06", "06-07"],
        ),
        (
            "{}.2026 13:00:01 x",
            ["11.12", "12.12", "13.12"],
            ["12-11", "12-12", "12-13"],
        ),
        (
            "26/{} 13:00:01 x",
            ["05/06", "05/07", "05/08"],
            ["05-06", "05-07", "05-08"],
        ),
    ];
    // Seen from the end of the year, so that nothing is in the future.
    let now = time("2026-12-31T00:00:00Z");
    for (line, days, expected) in cases {
        let lines: Vec<String> = days
            .iter()
            .flat_map(|day| vec![line.replace("{}", day); 4])
            .collect();
        let texts: Vec<&str> = lines.iter().map(String::as_str).collect();
        let found = learnt_on(&HostClock::fixed(0), &texts, now);
        for (n, day) in expected.iter().enumerate() {
            let expected = time(&format!("2026-{day}T13:00:01Z"));
            assert_eq!(
                found[n * 4],
                (expected, TimeSource::Stamp),
                "{}",
                lines[n * 4]
            );
        }
    }
}

#[test]
fn a_time_of_day_has_the_day_of_its_neighbours() {
    let lines = [
        "23:59:58 one",
        "23:59:59.500 two",
        "00:00:01 three",
        "  at x",
        "08:00:00 four",
        "07:59:59 five",
    ];
    let lines: Vec<&str> = lines.iter().copied().chain(["15:00:00 six"; 4]).collect();
    let found = learnt(&lines);
    let expected = [
        ("2026-11-19T23:59:58Z", TimeSource::Stamp),
        ("2026-11-19T23:59:59.5Z", TimeSource::Stamp),
        ("2026-11-20T00:00:01Z", TimeSource::Stamp),
        ("2026-11-20T00:00:01Z", TimeSource::Previous),
        ("2026-11-20T08:00:00Z", TimeSource::Stamp),
        ("2026-11-20T07:59:59Z", TimeSource::Stamp),
        ("2026-11-20T15:00:00Z", TimeSource::Stamp),
    ];
    for (n, (at, from)) in expected.into_iter().enumerate() {
        assert_eq!(found[n], (time(at), from), "{}", lines[n]);
    }
    let few = learnt(&["13:00:01 a", "13:00:02 b", "13:00:02 c", "13:00:03 d"]);
    assert_eq!(few[3], (time("2026-11-20T13:00:03Z"), TimeSource::Stamp));
    assert_eq!(
        stamp("13:00:01 hello").1,
        TimeSource::Arrival,
        "one line proves nothing"
    );
}

#[test]
fn lines_that_come_as_they_are_written_have_the_present_day() {
    let mut stamper = TimestampReader::new(&HostClock::fixed(0));
    let lines = (0..10).map(|n| format!("15:29:5{n} x")).collect::<Vec<_>>();
    stamper.learn(&mut lines.iter().map(String::as_bytes), now());
    assert_eq!(
        read(&mut stamper, &lines[8], now()).0,
        time("2026-11-20T15:29:58Z")
    );
    let later = time("2026-11-24T06:00:00Z");
    assert_eq!(
        read(&mut stamper, "05:59:59 x", later).0,
        time("2026-11-24T05:59:59Z")
    );
}

#[test]
fn a_source_of_several_kinds_has_the_stamps_of_each() {
    let kinds = [
        "Nov 20 13:00:01 web-1 app: hello",
        r#"{"level":"info","time":"2026-11-20T13:00:01Z"}"#,
        r#"10.0.0.1 - - [20/Nov/2026:13:00:01 +0000] "GET /""#,
        "2026/11/20 13:00:01 [error] 1#1: hello",
        "level=info ts=1795179601 msg=x",
    ];
    let lines: Vec<&str> = kinds.iter().copied().cycle().take(50).collect();
    let expected = (time("2026-11-20T13:00:01Z"), TimeSource::Stamp);
    assert!(learnt(&lines).iter().all(|found| *found == expected));
    let mut stamper = TimestampReader::new(&HostClock::fixed(0));
    for line in &lines {
        assert_eq!(read(&mut stamper, line, now()), expected, "{line}");
    }
}

#[test]
fn what_continues_a_record_has_its_time_whatever_dates_it_has() {
    let first = time("2026-11-20T13:00:01Z");
    let mut stamper = TimestampReader::new(&HostClock::fixed(0));
    assert_eq!(
        read(&mut stamper, "2026-11-20 13:00:01 ERROR no luck", now()),
        (first, TimeSource::Stamp)
    );
    for line in [
        "java.lang.Exception: since 2020-01-01 00:00:00",
        "Caused by: expired at 2020-01-01T00:00:00Z",
        "\tat shop.Cart.add(Cart.java:12) 2020-01-01 00:00:00",
        "    ... 12 more",
        "DETAIL:  Key (at)=(2020-01-01 00:00:00) already exists.",
        "1795179 rows",
        "1200000000 bytes",
        "",
        "}",
    ] {
        assert_eq!(
            read(&mut stamper, line, now()),
            (first, TimeSource::Previous),
            "{line}"
        );
    }
}

#[test]
fn a_sample_is_wanted_until_there_was_one_and_again_when_it_stops_fitting() {
    let mut stamper = TimestampReader::new(&HostClock::fixed(0));
    for n in 0..64 {
        assert!(stamper.wants_sample(), "after {n} lines");
        stamper.learn(&mut [&b"2026-11-20 13:00:01 hello"[..]].into_iter(), now());
    }
    assert!(!stamper.wants_sample());
    for _ in 0..PATIENCE {
        read(&mut stamper, "worker at 13:00:02.000: hello", now());
    }
    assert!(stamper.wants_sample());
    let lines = ["worker at 13:00:02.000: hello"; 20];
    stamper.learn(&mut lines.iter().map(|line| line.as_bytes()), now());
    let given = TimeFormat::parse("iso8601").expect("a format");
    assert!(!TimestampReader::with_format(&HostClock::fixed(0), &given).wants_sample());
}

#[test]
fn lines_that_come_one_by_one_are_read_as_those_of_a_batch() {
    type Line = fn(usize) -> String;
    let kinds: [(&str, Line); 6] = [
        ("access", |n| {
            format!("10.0.{n}.1 - - [20/Nov/2026:13:00:{n:02} +0000] \"GET /{n} HTTP/1.1\" 200 5")
        }),
        ("nova", |n| {
            format!(
                "nova-api.log.1.2017-05-16_13:53:08 2026-11-20 13:00:{n:02}.000 25746 INFO nova [req-{n}]"
            )
        }),
        ("health", |n| {
            format!("20261120-13:0:{n}:0|Step_LSC|30002312|{n}")
        }),
        ("raw", |n| {
            format!(
                "node-{n} APPREAD {} 2026.11.20 R02 2026-11-20-13.00.{n:02}.000000 RAS",
                1_795_179_600 + n
            )
        }),
        ("compose", |n| {
            format!("web-1  | {{\"level\":\"info\",\"time\":\"2026-11-20T13:00:{n:02}Z\"}}")
        }),
        ("level", |n| {
            format!(
                "[{}] [2026-11-20 13:00:{n:02}] x",
                ["INFO", "WARNING", "ERROR"][n % 3]
            )
        }),
    ];
    for (name, line) in kinds {
        let mut stamper = TimestampReader::new(&HostClock::fixed(0));
        for n in 0..60 {
            let text = line(n);
            stamper.learn(&mut [text.as_bytes()].into_iter(), now());
            let expected =
                time("2026-11-20T13:00:00Z").plus_millis(i64::try_from(n).expect("small") * 1000);
            assert_eq!(
                read(&mut stamper, &text, now()),
                (expected, TimeSource::Stamp),
                "{name}: {text}"
            );
        }
    }
}

#[test]
fn a_long_dump_makes_nothing_forgotten() {
    let head = |n: usize| format!("[INFO] [main] 13:00:{n:02}.000 hello");
    let mut stamper = TimestampReader::new(&HostClock::fixed(0));
    let heads: Vec<String> = (0..30).map(head).collect();
    stamper.learn(&mut heads.iter().map(String::as_bytes), now());
    assert_eq!(read(&mut stamper, &heads[0], now()).1, TimeSource::Stamp);
    let dump: Vec<String> = (0..5000)
        .map(|n| format!("thread {n} waits for lock {}", n * 7))
        .collect();
    for lines in dump.chunks(50) {
        stamper.learn(&mut lines.iter().map(String::as_bytes), now());
        for line in lines {
            assert_eq!(
                read(&mut stamper, line, now()),
                (time("2026-11-20T13:00:00Z"), TimeSource::Previous),
                "{line}"
            );
        }
    }
    assert_eq!(
        read(&mut stamper, &heads[5], now()),
        (time("2026-11-20T13:00:05Z"), TimeSource::Stamp)
    );
}

#[test]
fn an_entry_of_a_slow_log_has_one_time() {
    let mut stamper = TimestampReader::new(&HostClock::fixed(0));
    let mut from = |line: &str| read(&mut stamper, line, now());
    let first = time("2026-11-20T13:00:05.5Z");
    assert_eq!(
        from("# Time: 2026-11-20T13:00:05.500000Z"),
        (first, TimeSource::Stamp)
    );
    assert_eq!(
        from("# User@Host: app[app] @ web-1 [10.0.0.1]  Id: 8"),
        (first, TimeSource::Previous)
    );
    assert_eq!(
        from("SET timestamp=1795179601;"),
        (first, TimeSource::Previous)
    );
    assert_eq!(from("SELECT 1;"), (first, TimeSource::Previous));
    assert_eq!(
        from("# User@Host: app[app] @ web-1 [10.0.0.1]  Id: 8").1,
        TimeSource::Previous
    );
    assert_eq!(
        from("SET timestamp=1795179606;"),
        (time("2026-11-20T13:00:06Z"), TimeSource::Stamp)
    );
}

#[test]
fn a_date_that_an_early_message_quotes_does_not_become_the_day_of_those_after_it() {
    let mut stamper = TimestampReader::new(&HostClock::fixed(0));
    let lines: Vec<String> = (0..12)
        .map(|n| match n {
            2 => "13:00:02.000 [main] DEBUG Cart looked at: 2001-02-03 04:05:06".to_owned(),
            n => format!("13:00:{n:02}.000 [main] INFO Cart order {n}"),
        })
        .collect();
    let mut found = Vec::new();
    for line in &lines {
        stamper.learn(&mut std::iter::once(line.as_bytes()), now());
        found.push(stamper.stamp(line.as_bytes(), now()));
    }
    let day = time("2026-11-20T13:00:00Z");
    for (n, stamped) in (0..).zip(&found).skip(4) {
        assert_eq!(
            (stamped.time, stamped.from),
            (day.plus_millis(n * 1000), TimeSource::Stamp),
            "{}",
            lines[n as usize]
        );
    }
}
