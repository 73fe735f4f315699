//! Times: found where a naive reader finds them, in few reads.

use proptest::prelude::*;

use super::fake::Fake;
use super::*;
use crate::query::request::SearchRequest;
use crate::query::{Query, ReferenceTime};

/// Seconds of lines in order, and how much each line has.
fn log() -> impl Strategy<Value = Vec<Vec<(i64, usize)>>> {
    let line = (
        prop_oneof![4 => 0..3_i64, 1 => 0..900_i64],
        prop_oneof![9 => 0..80_usize, 1 => 2000..9000_usize],
    );
    prop::collection::vec(prop::collection::vec(line, 0..120), 1..6)
}

fn stored(parts: Vec<Vec<(i64, usize)>>) -> (Fake, Vec<(i64, String)>) {
    let (mut files, mut second, mut all) = (Fake::new(), 0, Vec::new());
    let count = parts.len();
    for (number, part) in parts.into_iter().enumerate() {
        let mut text = String::new();
        for (step, length) in part {
            second += step;
            let line = stamped(second, &"x".repeat(length));
            text += &line;
            text += if length % 5 == 0 {
                "    at some.place\n"
            } else {
                ""
            };
            all.push((second, line));
        }
        let path = match count - 1 - number {
            0 => "/log/app".to_owned(),
            1 => "/log/app.1".to_owned(),
            older => format!("/log/app.{older}.gz"),
        };
        files.add(&path, text, at(second));
    }
    (files, all)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn a_time_is_found_where_a_reader_of_all_lines_finds_it(parts in log(), share in 0..=110_i64) {
        let (mut files, all) = stored(parts);
        let last = all.last().map_or(0, |(second, _)| *second);
        let wanted = last * share / 100;
        let expected = all.iter().find(|(second, _)| *second >= wanted).map(|(_, line)| line.trim_end().to_owned());
        let (lines, replies) = page(&mut files, PageStart::At(at(wanted)), false, 1);
        let found = lines.first().map(|line| String::from_utf8_lossy(&line.raw).trim_end().to_owned());
        prop_assert_eq!(found, expected, "{:?}", replies);
    }

    #[test]
    fn a_page_of_a_window_has_the_lines_of_that_time(parts in log(), from in 0..100_i64, to in 0..100_i64, backwards: bool) {
        let (mut files, all) = stored(parts);
        let last = all.last().map_or(0, |(second, _)| *second);
        let window = (last * from / 100)..(last * to / 100);
        let start = if backwards { PageStart::Newest } else { PageStart::Oldest };
        let asked = PageRequest { start, backwards, lines: 1000, window: at(window.start)..at(window.end) };
        let lines = lines_of(&ask(&mut files, RequestKind::Page(asked)));
        let found: Vec<String> = lines
            .iter()
            .filter(|line| !line.raw.starts_with(b"  "))
            .map(|line| String::from_utf8_lossy(&line.raw).into_owned() + "\n")
            .collect();
        let expected: Vec<String> =
            all.into_iter().filter(|(second, _)| window.contains(second)).map(|(_, line)| line).collect();
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn a_time_in_a_long_file_takes_few_reads() {
    // Time goes evenly, stands still, jumps, or comes all at the end.
    type Second = fn(i64) -> i64;
    let speeds: [(&str, Second); 4] = [
        ("evenly", |n| n),
        ("ever faster", |n| n * n / 1000),
        (
            "with a jump",
            |n| if n < 400_000 { n / 1000 } else { n * 1000 },
        ),
        ("at the end", |n| if n < 499_000 { n / 5000 } else { n }),
    ];
    for (name, second) in speeds {
        let mut files = Fake::new();
        let text: String = (0..500_000)
            .map(|n| stamped(second(n), "a line like any other, of a hundred bytes or so"))
            .collect();
        files.add("/log/app", text, at(second(500_000)));
        for share in [0, 1, 33, 50, 77, 99, 100] {
            let wanted = second(500_000 * share / 100);
            (files.reads, files.bytes) = (0, 0);
            let (lines, _) = page(&mut files, PageStart::At(at(wanted)), false, 1);
            if share < 100 {
                assert!(
                    lines[0].time >= at(wanted) && lines[0].time <= at(wanted + 2000),
                    "{name} {share}"
                );
            }
            assert!(
                files.reads <= 40,
                "{name}: {} reads for {share} %",
                files.reads
            );
            assert!(
                files.bytes <= 1 << 20,
                "{name}: {} bytes for {share} %",
                files.bytes
            );
        }
    }
}

#[test]
fn a_time_behind_a_hole_is_found() {
    let mut files = Fake::new();
    let lines = |from: i64| {
        (from..from + 1000)
            .map(|n| stamped(n, "x"))
            .collect::<String>()
    };
    files.add(
        "/log/app",
        [
            lines(0).as_bytes(),
            &vec![0; 200 << 20],
            lines(1000).as_bytes(),
        ]
        .concat(),
        at(2000),
    );
    for wanted in [500, 999, 1000, 1500] {
        files.bytes = 0;
        let (lines, _) = page(&mut files, PageStart::At(at(wanted)), false, 1);
        assert_eq!(lines[0].time, at(wanted));
        assert!(files.bytes < 2 << 20, "{} bytes for {wanted}", files.bytes);
    }
}

#[test]
fn a_log_that_is_not_in_order_is_read_from_its_beginning_and_says_so() {
    let mut files = Fake::new();
    // Two programs write to it, and the clock of one is an hour behind.
    let text: String = (0..20_000)
        .map(|n| {
            stamped(
                if n % 4000 < 2000 { n + 10_000 } else { n },
                "a line of some program or other",
            )
        })
        .collect();
    files.add("/log/app", text, at(30_000));
    let (lines, replies) = page(&mut files, PageStart::At(at(12_500)), false, 1);
    assert!(replies.iter().any(
        |reply| matches!(reply, LogResponse::Note(_, why) if why.contains("not in the order of time"))
    ));
    assert!(lines[0].time >= at(12_000));
}

#[test]
fn times_of_a_day_that_may_be_of_several_are_said_to_be() {
    let clock = |n: i64| {
        at(n)
            .to_timestamp()
            .strftime("%H:%M:%S an order was placed\n")
            .to_string()
    };
    let dated = |n: i64| stamped(n, "an order was placed");
    let hour = 3600;
    for (line, one_before, expected) in [
        (&clock as &dyn Fn(i64) -> String, None, true),
        (&clock, Some(-49 * hour), true),
        (&clock, Some(-hour), false),
        (&dated, None, false),
    ] {
        let mut files = Fake::new();
        if let Some(written) = one_before {
            files.add("/log/app.1", line(written), at(written));
        }
        files.add(
            "/log/app",
            (0..1000).map(line).collect::<String>(),
            at(1000),
        );
        let is_said = |replies: &[LogResponse]| {
            replies
                .iter()
                .filter(
                    |reply| matches!(reply, LogResponse::Note(_, why) if why.contains("of another day")),
                )
                .count()
        };
        let (lines, replies) = page(&mut files, PageStart::At(at(500)), false, 1);
        assert_eq!(
            (lines[0].time, is_said(&replies)),
            (at(500), usize::from(expected)),
            "{one_before:?} {replies:?}"
        );
        let query = Query::parse("order", &ReferenceTime::default()).expect("a query");
        let window = at(500)..at(600);
        let search = SearchRequest {
            query,
            window,
            newest_first: true,
            before: 0,
            after: 0,
            limit: None,
            count_only: true,
        };
        let replies = ask(&mut files, RequestKind::Search(search));
        assert_eq!(
            (totals(&replies).hits, is_said(&replies)),
            (100, usize::from(expected)),
            "{one_before:?}"
        );
        assert_eq!(
            is_said(&page(&mut files, PageStart::Newest, true, 1).1),
            0,
            "no time was asked for"
        );
    }
}

#[test]
fn lines_without_a_year_have_that_in_which_their_file_was_written() {
    let mut files = Fake::new();
    files.add(
        "/log/app.1",
        "Nov 20 12:00:00 web-1 sshd[1]: one\nNov 20 12:00:01 web-1 sshd[1]: two\n",
        at(-365 * 86_400 + 9),
    );
    files.add(
        "/log/app",
        "Nov 20 12:00:00 web-1 sshd[1]: one\nNov 20 12:00:01 web-1 sshd[1]: two\n",
        at(9),
    );
    let (lines, _) = page(&mut files, PageStart::Oldest, false, 10);
    let times: Vec<Time> = lines.iter().map(|line| line.time).collect();
    assert_eq!(
        times,
        [at(-365 * 86_400), at(1 - 365 * 86_400), at(0), at(1)]
    );
    let (lines, _) = page(&mut files, PageStart::At(at(0)), false, 1);
    assert_eq!(lines[0].time, at(0));
}

#[test]
fn a_log_without_times_is_taken_by_when_its_files_were_written() {
    let mut files = Fake::new();
    files.add("/log/app.1", "one\n", at(0));
    files.add("/log/app", "two\n", at(100));
    let (lines, replies) = page(&mut files, PageStart::At(at(50)), false, 10);
    assert_eq!(raws(&lines), ["two"]);
    assert!(
        replies
            .iter()
            .any(|reply| matches!(reply, LogResponse::Note(_, why) if why.contains("no times")))
    );
}
