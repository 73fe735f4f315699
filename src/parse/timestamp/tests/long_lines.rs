//! Lines whose time is far behind their beginning, behind other dates or much else.

use super::*;

/// Reads lines after they were learnt, and from the first on without that; each is of its own
/// minute behind 09:00.
fn are_of_their_minutes(line: impl Fn(&str, &str) -> String) {
    let at = |n: i64| time("2026-11-20T09:00:00Z").plus_millis(n * 60_000);
    let text = |n: i64| {
        let other = at(n).plus_millis((n * 7 % 5 - 2) * 86_400_000);
        line(
            &at(n).to_timestamp().to_string(),
            &other.to_timestamp().to_string(),
        )
    };
    let lines: Vec<String> = (0..40).map(text).collect();
    for is_learnt in [true, false] {
        let mut stamper = TimestampReader::new(&HostClock::fixed(0));
        if is_learnt {
            stamper.learn(&mut lines.iter().map(String::as_bytes), now());
        }
        for (n, line) in (0..).zip(&lines) {
            let found = read(&mut stamper, line, now());
            let shown = &line[..line.len().min(300)];
            assert_eq!(found, (at(n), TimeSource::Stamp), "{is_learnt} {n} {shown}");
        }
    }
}

#[test]
fn the_member_of_an_object_with_the_time_is_found_wherever_it_is() {
    for key in ["timestamp", "@timestamp", "time", "ts"] {
        for length in [1, 200, 4_000, 5_000, 70_000] {
            let long = "x".repeat(length);
            for before in ["receiveTimestamp", "due", "deliver_by", "session_start"] {
                are_of_their_minutes(|at, other| {
                    format!(
                        "{{\"a\":1,\"{before}\":\"{other}\",\"text\":\"{long}\",\"{key}\":\"{at}\",\"msg\":\"m\"}}"
                    )
                });
            }
        }
    }
}

#[test]
fn the_pair_with_the_time_is_found_wherever_it_is() {
    for key in ["ts", "time", "timestamp"] {
        for length in [1, 200, 900, 2_000, 70_000] {
            let long = "x ".repeat(length / 2);
            are_of_their_minutes(|at, other| {
                format!("msg=\"order {long}\" deliver_by={other} level=info {key}={at}")
            });
        }
    }
}

#[test]
fn an_event_of_cef_has_its_time_at_its_end() {
    let long = "x".repeat(3_000);
    for key in ["end", "rt", "start"] {
        are_of_their_minutes(|at, _| {
            let millis = time(at).0 / 1_000_000;
            format!("CEF:0|Vendor|Product|1.0|100|name|5|src=10.0.0.1 msg={long} {key}={millis}")
        });
    }
}

#[test]
fn the_brackets_of_an_access_log_are_found_behind_what_is_long() {
    for length in [10, 140, 400, 3_000] {
        let long = "(X11; Linux) ".repeat(length / 13);
        are_of_their_minutes(|at, _| {
            let at = time(at)
                .to_timestamp()
                .strftime("%d/%b/%Y:%H:%M:%S +0000")
                .to_string();
            let agent = &long
                [..long.len() * (at.len() + usize::from(at.as_bytes()[16])) % (long.len() + 1)];
            format!(
                "192.0.2.0 \"GET /{} HTTP/1.1\" 200 512 \"{agent}\" [{at}] 0.012",
                &long[..length.min(long.len())]
            )
        });
    }
}

#[test]
fn a_column_of_a_table_is_found_behind_what_is_long() {
    let long = "x".repeat(400);
    are_of_their_minutes(|at, _| format!("17,\"{long}\",ok,{at},4"));
}

#[test]
fn an_object_without_its_time_has_no_other_one() {
    let mut stamper = TimestampReader::new(&HostClock::fixed(0));
    let with_time = "{\"timestamp\":\"2026-11-20T09:00:00Z\",\"msg\":\"m\"}";
    let without = "{\"due\":\"2026-11-20T11:00:00Z\",\"msg\":\"m\"}";
    let lines = vec![with_time.as_bytes(); 20];
    stamper.learn(&mut lines.iter().copied(), now());
    let nine = time("2026-11-20T09:00:00Z");
    assert_eq!(
        read(&mut stamper, with_time, now()),
        (nine, TimeSource::Stamp)
    );
    assert_eq!(
        read(&mut stamper, without, now()),
        (nine, TimeSource::Previous)
    );
}

#[test]
fn a_part_of_a_program_with_its_name_before_the_time_is_read() {
    for tag in ["[GIN] ", "[cron job] "] {
        let line = |n: i64| {
            let tag = if n % 16 == 7 { tag } else { "" };
            let dash = if tag.is_empty() { "" } else { "- " };
            format!("{tag}2026/11/20 {dash}09:{n:02}:00 http: error")
        };
        let lines: Vec<String> = (0..40).map(line).collect();
        let mut stamper = TimestampReader::new(&HostClock::fixed(0));
        for (n, line) in (0..).zip(&lines) {
            let at = time("2026-11-20T09:00:00Z").plus_millis(n * 60_000);
            assert_eq!(
                read(&mut stamper, line, now()),
                (at, TimeSource::Stamp),
                "{line}"
            );
        }
    }
}
