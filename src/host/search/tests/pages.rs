//! Pages forwards, backwards and from cursors, over generations that are moved about.

use proptest::prelude::*;

use super::fake::{Fake, Turn, lines};
use super::*;
use crate::model::cursor::{FileId, LineRef};
use crate::model::gap::GapReason;
use crate::query::request::MissingBytes;

/// Lines of a log in order, some of them the rest of a record.
fn text() -> impl Strategy<Value = Vec<String>> {
    let line = prop_oneof![
        6 => "[a-z ]{0,60}".prop_map(|text| (true, format!("{text}\n"))),
        1 => "[a-z]{0,9}".prop_map(|text| (true, format!("{text}\r\n"))),
        2 => "    at [a-z.]{1,30}\n".prop_map(|text| (false, text)),
        1 => Just((false, "\n".to_owned())),
        1 => "[a-z]{3000}".prop_map(|text| (true, format!("{text}\n"))),
    ];
    let lines = prop::collection::vec(line, 0..60);
    lines.prop_map(|lines| {
        let stamp = |(second, (stamped, text)): (usize, (bool, String))| {
            if stamped {
                format!("{} {text}", at(second as i64).to_timestamp())
            } else {
                text
            }
        };
        lines.into_iter().enumerate().map(stamp).collect()
    })
}

/// A log of some generations, the oldest packed, and all its lines.
fn log() -> impl Strategy<Value = (Fake, Vec<Bytes>)> {
    (prop::collection::vec(text(), 1..5), any::<bool>()).prop_map(|(parts, cut)| {
        let mut files = Fake::new();
        let (count, mut all) = (parts.len(), Vec::new());
        for (number, part) in parts.into_iter().enumerate() {
            let mut text = part.concat();
            if cut && text.ends_with("\n") && !text.ends_with("\r\n") {
                text.pop();
            }
            all.extend(lines(text.as_bytes()).into_iter().map(|(_, raw)| raw));
            let path = match count - 1 - number {
                0 => "/log/app".to_owned(),
                1 => "/log/app.1".to_owned(),
                older => format!("/log/app.{older}.gz"),
            };
            files.add(&path, text, at(100 + number as i64));
        }
        (files, all)
    })
}

fn last_place(lines: &[Line]) -> Option<LineRef> {
    lines.last().map(|line| LineRef::of(line.cursor, &line.raw))
}

fn all_forwards(files: &mut Fake, size: u32) -> Vec<Line> {
    let mut all = Vec::new();
    let mut start = PageStart::Oldest;
    loop {
        let (lines, _) = page(files, start, false, size);
        let Some(place) = last_place(&lines) else {
            return all;
        };
        start = PageStart::After(place);
        all.extend(lines);
    }
}

fn all_backwards(files: &mut Fake, size: u32) -> Vec<Line> {
    let mut parts = Vec::new();
    let mut start = PageStart::Newest;
    loop {
        let (lines, _) = page(files, start, true, size);
        let Some(first) = lines.first() else { break };
        start = PageStart::Cursor(LineRef::of(first.cursor, &first.raw));
        parts.push(lines);
    }
    parts.into_iter().rev().flatten().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn pages_in_either_direction_are_all_lines_in_order((mut files, all) in log(), size in 1..50_u32) {
        let forwards = all_forwards(&mut files, size);
        prop_assert_eq!(raws(&forwards), all.clone());
        let backwards = all_backwards(&mut files, size);
        prop_assert_eq!(raws(&backwards), all);
        for (one, other) in forwards.iter().zip(&backwards) {
            prop_assert_eq!((one.time, one.time_from, one.cursor), (other.time, other.time_from, other.cursor));
        }
    }

    #[test]
    fn a_cursor_finds_its_line_after_any_rotation(
        (mut files, all) in log(),
        turns in prop::collection::vec(prop::sample::select(vec![Turn::Rename, Turn::Compress, Turn::CopyTruncate]), 1..4),
        picked in any::<prop::sample::Index>(),
    ) {
        prop_assume!(!all.is_empty());
        let lines = all_forwards(&mut files, 1000);
        let line = &lines[picked.index(lines.len())];
        // Another line at the same offset of another file may be the same.
        let is_told = |other: &Line| other.cursor.offset == line.cursor.offset && other.raw == line.raw;
        prop_assume!(lines.iter().filter(|other| is_told(other)).count() == 1);
        for turn in turns {
            files.turn(turn);
            files.files.last_mut().expect("a file").text.extend_from_slice(b"");
        }
        let place = LineRef::of(line.cursor, &line.raw);
        let (found, replies) = page(&mut files, PageStart::Cursor(place), false, 1);
        prop_assert_eq!(found.first().map(|line| &line.raw), Some(&line.raw), "{:?}", replies);
    }

    #[test]
    fn a_log_that_is_rotated_between_two_reads_gives_the_same_page(
        (mut files, all) in log(),
        turns in prop::collection::vec((0..6_u32, prop::sample::select(vec![Turn::Rename, Turn::Compress])), 0..3),
    ) {
        files.turns = turns.into();
        let (lines, _) = page(&mut files, PageStart::Newest, true, 10_000);
        prop_assert_eq!(raws(&lines), all);
    }
}

fn numbered(count: i64, from: i64) -> String {
    (from..from + count)
        .map(|number| stamped(number, &format!("line {number:06} of a log like any other")))
        .collect()
}

#[test]
fn a_page_of_a_plain_file_reads_little_more_than_it_shows() {
    let mut files = Fake::new();
    files.add("/log/app", numbered(50_000, 0), at(50_000));
    let (middle, _) = page(&mut files, PageStart::Newest, true, 20_000);
    let middle = LineRef::of(middle[0].cursor, &middle[0].raw);
    for (start, backwards) in [
        (PageStart::Newest, true),
        (PageStart::Oldest, false),
        (PageStart::Cursor(middle), true),
        (PageStart::Cursor(middle), false),
        (PageStart::After(middle), false),
    ] {
        for count in [50, 200, 5000] {
            files.bytes = 0;
            let (lines, _) = page(&mut files, start, backwards, count);
            assert_eq!(lines.len(), count as usize);
            let shown: u64 = lines.iter().map(|line| line.raw.len() as u64 + 1).sum();
            assert!(
                files.bytes <= 4 * shown,
                "{start:?} {backwards}: {} bytes for {shown}",
                files.bytes
            );
        }
    }
}

#[test]
fn the_rest_of_a_record_at_the_border_of_a_page_is_known_as_such() {
    let mut files = Fake::new();
    let text: String = (0..200)
        .map(|n| stamped(n, "ERROR it broke") + "    at Shop.main(Shop.java:7)\n")
        .collect();
    files.add("/log/app", text, at(200));
    let (lines, _) = page(&mut files, PageStart::Newest, true, 1);
    assert!(lines[0].continues);
    assert_eq!(
        (lines[0].time, lines[0].time_from.as_str()),
        (at(199), "previous")
    );
    let place = LineRef::of(lines[0].cursor, &lines[0].raw);
    let (again, _) = page(&mut files, PageStart::Cursor(place), false, 1);
    assert_eq!(again, lines);
}

#[test]
fn a_line_that_was_under_way_comes_again_when_it_has_grown() {
    let mut files = Fake::new();
    files.add("/log/app", "one\ntw", at(0));
    let (lines, _) = page(&mut files, PageStart::Newest, true, 1);
    assert_eq!(&lines[0].raw[..], b"tw");
    files.files[0].text.extend_from_slice(b"o\nthree\n");
    let place = LineRef::of(lines[0].cursor, &lines[0].raw);
    let (lines, _) = page(&mut files, PageStart::After(place), false, 9);
    assert_eq!(raws(&lines), ["two", "three"]);
}

#[test]
fn a_cursor_whose_line_is_gone_is_a_gap_and_the_oldest_line_that_is_left() {
    let mut files = Fake::new();
    files.add("/log/app.1", numbered(3, 0), at(3));
    files.add("/log/app", numbered(3, 3), at(6));
    let (lines, _) = page(&mut files, PageStart::Oldest, false, 2);
    let place = last_place(&lines).expect("a line");
    files.files.remove(0);
    let (lines, replies) = page(&mut files, PageStart::After(place), false, 1);
    assert_eq!(lines[0].time, at(3));
    let gap = replies.iter().find_map(|reply| match reply {
        LogResponse::Gap(_, missing) => Some(missing.clone()),
        _ => None,
    });
    let from = place.cursor.offset;
    assert_eq!(
        gap,
        Some(MissingBytes {
            from,
            to: None,
            reason: GapReason::RotatedAway
        })
    );
    assert!(
        replies
            .iter()
            .any(|reply| matches!(reply, LogResponse::Note(_, why) if why.contains("/log/app")))
    );
}

#[test]
fn a_hole_of_nul_bytes_is_one_gap_and_is_not_read() {
    let mut files = Fake::new();
    let hole = 300 << 20;
    let (head, tail) = (numbered(5, 0), numbered(5, 5));
    let text = [head.as_bytes(), &vec![0; hole], tail.as_bytes()].concat();
    files.add("/log/app", text, at(10));
    for (start, backwards) in [(PageStart::Oldest, false), (PageStart::Newest, true)] {
        files.bytes = 0;
        let (lines, replies) = page(&mut files, start, backwards, 100);
        assert_eq!(
            raws(&lines).concat(),
            (head.clone() + &tail).replace('\n', "").as_bytes()
        );
        let from = head.len() as u64;
        let gap = MissingBytes {
            from,
            to: Some(from + hole as u64),
            reason: GapReason::NulBytes,
        };
        let gaps: Vec<_> = replies
            .iter()
            .filter(|reply| matches!(reply, LogResponse::Gap(_, found) if *found == gap))
            .collect();
        assert_eq!(gaps.len(), 1, "{replies:?}");
        assert!(files.bytes < 1 << 20, "{} bytes were read", files.bytes);
    }
}

#[test]
fn a_line_without_end_is_a_beginning_and_a_gap() {
    let mut files = Fake::new();
    let long = 9 << 20;
    files.add(
        "/log/app",
        [b"one\n", &vec![b'x'; long][..], b"\ntwo\n"].concat(),
        at(0),
    );
    for (start, backwards) in [(PageStart::Oldest, false), (PageStart::Newest, true)] {
        let (lines, replies) = page(&mut files, start, backwards, 100);
        let lengths: Vec<usize> = lines.iter().map(|line| line.raw.len()).collect();
        assert_eq!(lengths, [3, 1 << 20, 3], "{backwards}");
        let gap = MissingBytes {
            from: 4 + (1 << 20),
            to: Some(4 + long as u64),
            reason: GapReason::LineTooLong,
        };
        assert!(
            replies
                .iter()
                .any(|reply| matches!(reply, LogResponse::Gap(_, found) if *found == gap)),
            "{backwards}"
        );
    }
}

#[test]
fn sources_are_listed_with_their_files_oldest_first() {
    let mut files = Fake::new();
    for path in ["/log/app", "/log/app.1", "/log/app.2.gz", "/log/apple"] {
        files.add(path, "x\n", at(0));
    }
    let replies = ask(&mut files, RequestKind::List);
    let Some(LogResponse::Source(info, found)) = replies.first() else {
        panic!("{replies:?}")
    };
    let paths: Vec<_> = found
        .iter()
        .map(|file| String::from_utf8_lossy(&file.path).into_owned())
        .collect();
    assert_eq!(
        (&*info.name, paths),
        (
            "app",
            vec![
                "/log/app.2.gz".into(),
                "/log/app.1".into(),
                "/log/app".into()
            ]
        )
    );
    assert_eq!(totals(&replies).lines, 0);
}

#[test]
fn a_file_of_another_device_with_the_same_number_is_another_file() {
    let mut files = Fake::new();
    files.add("/log/app", "one\ntwo\n", at(0));
    let (lines, _) = page(&mut files, PageStart::Oldest, false, 1);
    let mut cursor = lines[0].cursor;
    cursor.file = FileId {
        dev: 9,
        ino: cursor.file.ino,
    };
    // Its line is known by what it says.
    let (again, _) = page(
        &mut files,
        PageStart::Cursor(LineRef::of(cursor, &lines[0].raw)),
        false,
        1,
    );
    assert_eq!(raws(&again), ["one"]);
    let (_, replies) = page(
        &mut files,
        PageStart::Cursor(LineRef {
            cursor,
            check: None,
        }),
        false,
        1,
    );
    assert!(
        replies
            .iter()
            .any(|reply| matches!(reply, LogResponse::Gap(..)))
    );
}
