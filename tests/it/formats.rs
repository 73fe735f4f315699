//! Real logs: times and levels as a person reads them (`tests/formats` prints the table).

use std::fs;
use std::path::{Path, PathBuf};

#[path = "../corpus/mod.rs"]
mod corpus;

use corpus::{Miss, TIME_AT_LEAST, TOGETHER, Tally, WRONG_LEVEL_AT_MOST, measure};

/// The least share of stated levels that must be found, in every kind.
const LEVEL_AT_LEAST: f64 = 0.99;

/// The least share of lines of all kinds of which it must be known whether they go on with the
/// record before.
const JOINED_AT_LEAST: f64 = 0.99;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/logs")
}

#[test]
fn times_and_levels_of_real_logs_are_right_in_every_kind() {
    let measured = measure(&folder(), TOGETHER).expect("the folder is sound");
    assert!(measured.len() >= 100, "{} kinds", measured.len());
    let bad: Vec<String> = measured
        .iter()
        .filter(|(_, tally, _)| !tally.is_good())
        .map(|(kind, tally, misses)| {
            let first = misses
                .iter()
                .filter(|miss| miss.what != "continues")
                .take(3);
            let first: Vec<String> = first.map(Miss::to_string).collect();
            format!(
                "{}: time {:?}, wrong level {:?}: {first:#?}",
                kind.name, tally.time, tally.wrong_level
            )
        })
        .collect();
    assert!(
        bad.is_empty(),
        "below {TIME_AT_LEAST} right times or above {WRONG_LEVEL_AT_MOST} wrong levels (tests/formats --wrong):\n{}",
        bad.join("\n")
    );
}

#[test]
fn levels_that_are_stated_are_found_and_records_are_whole() {
    let measured = measure(&folder(), TOGETHER).expect("the folder is sound");
    let mut all = Tally::default();
    for (kind, tally, misses) in &measured {
        let found = tally.level.ratio().unwrap_or(1.0);
        let first = misses
            .iter()
            .find(|miss| miss.what == "level")
            .map(Miss::to_string);
        assert!(
            found >= LEVEL_AT_LEAST,
            "{}: {:?}: {first:?}",
            kind.name,
            tally.level
        );
        all.add(tally);
    }
    let joined = all.continues.ratio().expect("lines");
    assert!(joined >= JOINED_AT_LEAST, "{:?}", all.continues);
}

#[test]
fn a_broken_folder_is_named_with_what_is_wrong() {
    let about = "now = \"2026-11-20T13:00:00Z\"\n";
    let table = [
        (
            "a\n",
            "1\t-\t-\t\n",
            "zone = 1\n",
            "about.toml: invalid type: integer `1`, expected a string",
        ),
        ("a\n", "1\t-\t-\t\n", "", "about.toml: missing field `now`"),
        (
            "a\n",
            "1\t-\t-\t\n",
            "now = \"noon\"\n",
            "about.toml: \"noon\" is no time as in RFC 3339",
        ),
        (
            "a\nb\n",
            "1\t-\t-\t\n",
            about,
            "expected.tsv: 1 lines for the 2 lines of log",
        ),
        (
            "a\n",
            "2\t-\t-\t\n",
            about,
            "expected.tsv:1: line 2, where 1 was expected: \"2\\t-\\t-\\t\"",
        ),
        (
            "a\n",
            "1\t-\tbad\t\n",
            about,
            "expected.tsv:1: \"bad\" is no level",
        ),
        ("a\n", "1\t-\n", about, "expected.tsv:1: 2 fields, where"),
        (
            "a\n",
            "1\tnoon\t-\t\n",
            about,
            "expected.tsv:1: \"noon\" is no time",
        ),
        (
            "a\n",
            "1\t-\t-\tx\n",
            about,
            "expected.tsv:1: \"x\" is neither `+` nor nothing",
        ),
    ];
    for (log, expected, about, problem) in table {
        let folder = tempfile::tempdir().expect("a folder");
        let kind = folder.path().join("kind");
        fs::create_dir(&kind).expect("a folder");
        for (name, text) in [
            ("log", log),
            ("expected.tsv", expected),
            ("about.toml", about),
        ] {
            fs::write(kind.join(name), text).expect("write");
        }
        let found = measure(folder.path(), TOGETHER).expect_err(problem);
        assert!(found.contains(problem), "{found}");
    }
}

#[test]
fn what_is_read_otherwise_is_counted_and_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = "2026-11-20T13:00:00Z INFO up\n2026-11-20T13:00:01Z WARN low\n  at here\n2026-11-20T13:00:02Z INFO down\n";
    let expected = "1\t2026-11-20T13:00:00Z\tinfo\t\n2\t2026-11-20T13:00:09Z\terror\t\n3\t-\t-\t+\n4\t?\t?\t?\n";
    for (name, text) in [
        ("log", log),
        ("expected.tsv", expected),
        ("about.toml", "now = \"2026-11-20T14:00:00Z\"\n"),
    ] {
        fs::write(folder.path().join(name), text).expect("write");
    }
    let measured = measure(folder.path(), TOGETHER).expect("sound");
    let (_, tally, misses) = &measured[0];
    assert!(!tally.is_good());
    assert_eq!((tally.lines, tally.stamped), (4, 2));
    assert_eq!((tally.time.part, tally.time.of), (1, 2));
    assert_eq!((tally.level.part, tally.level.of), (1, 2));
    assert_eq!((tally.wrong_level.part, tally.wrong_level.of), (1, 3));
    assert_eq!((tally.continues.part, tally.continues.of), (3, 3));
    let named: Vec<_> = misses
        .iter()
        .map(|miss| (miss.line, miss.what, &*miss.expected, &*miss.found))
        .collect();
    assert_eq!(
        named,
        [
            (2, "time", "2026-11-20T13:00:09Z", "2026-11-20T13:00:01Z"),
            (2, "level", "error", "warn")
        ]
    );
}
