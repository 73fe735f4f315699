//! What a host's `grep` is asked finds every line that matches the query: asked of the real GNU
//! grep and BusyBox.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use logtrail::model::time::Time;
use logtrail::parse::fields;
use logtrail::query::{GrepPatterns, MatchInput, Prefilter, Query, ReferenceTime};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rand::RngExt;

use crate::support::chance::chance;

/// Queries per run, each against all lines; a `grep` of either kind for each.
const QUERIES: usize = 300;
const LINES: usize = 600;

/// Pieces of lines: what text, JSON, levels and damage are made of.
const PIECES: &[&[u8]] = &[
    b"a",
    b"b",
    b"A",
    b"B",
    b"k",
    b"K",
    b"s",
    b"S",
    b"ab",
    b"error",
    b"ERROR",
    b"Error",
    b"warn",
    b"cart",
    b"Cart",
    b"5",
    b"50",
    b"502",
    b"7",
    b" ",
    b" ",
    b" ",
    b"\t",
    b"\r",
    b"\0",
    b"\0",
    b"\x01",
    b"\x1b[31m",
    b"\x7f",
    b"\xff",
    b"\xc3",
    b"\x80",
    b"\xe2\x82",
    "ü".as_bytes(),
    "Ü".as_bytes(),
    "ß".as_bytes(),
    "ſ".as_bytes(),
    "\u{212a}".as_bytes(),
    "٣".as_bytes(),
    "日本".as_bytes(),
    "İ".as_bytes(),
    "µ".as_bytes(),
    "😀".as_bytes(),
    b"\\",
    b"\\u0061",
    b"\\u0041b",
    b"\\\"",
    b"\\/",
    b"\\n",
    b"\"",
    b"'",
    b"{",
    b"}",
    b"[",
    b"]",
    b"(",
    b")",
    b"|",
    b"^",
    b"$",
    b"*",
    b"+",
    b"?",
    b".",
    b"-",
    b"/",
    b":",
    b"=",
    b",",
    b"<",
    b">",
    b"<11>",
    b"a=b",
    b"a:b",
    b"a=\"a b\"",
    b"status=502",
    b"level=warn",
    b"{\"a\":\"b\"}",
    b"{\"a\":\"\\u0062\",\"level\":50}",
    b"{\"msg\":\"\\u0063art\",\"a\":5}",
    b"E1120 13:00:00.000000 1 a.go:1] ",
    b"1.2.3.4 - - [20/Nov/2026:13:00:00 +0000] \"GET /a HTTP/1.1\" 502 7",
    b"<30>Nov 20 13:00:00 h sshd[7]: ",
];

fn line() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        8 => prop::sample::select(PIECES.to_vec()).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>().prop_filter("no line end", |b| *b != b'\n'), 1..4),
    ];
    prop::collection::vec(piece, 0..9).prop_map(|pieces| pieces.concat())
}

/// Expressions with all that `regex` has and `grep` has not, or has otherwise.
fn expression() -> impl Strategy<Value = String> {
    let atom = prop::sample::select(vec![
        "a",
        "b",
        "k",
        "s",
        "cart",
        "error",
        "5",
        ".",
        "\\d",
        "\\w",
        "\\s",
        "\\S",
        "\\W",
        "\\D",
        "\\b",
        "\\B",
        "^",
        "$",
        "\\.",
        "\\[",
        "\\\\",
        "\\{",
        "[ab]",
        "[^ab]",
        "[^\"]",
        "[]a]",
        "[a^]",
        "[\\]\\[^-]",
        "[[:alpha:]]",
        "[[:^digit:]]",
        "[a-z0-9]",
        "[ü-ÿ]",
        "[^[:ascii:]]",
        "\\p{L}",
        "\\p{Lu}",
        "(?-u:\\xff)",
        "(?-u:[\\x80-\\xff])",
        "(?-u:\\w)",
        "(?s:.)",
        "(?-u:.)",
        "\\x00",
        "\\x01",
        "\\n",
        "\\t",
        "\\r",
        "ü",
        "(?i:ü)",
        "(?i:k)",
        "(?i:s)",
        "(?i)error",
        "(?i:straße)",
        "日",
        "😀",
        "a b",
        "\"",
        "\\/",
        "\\A",
        "\\z",
        "(?m:^)",
        "(?x: a b )",
        "-",
        "\\^",
        "\\$",
        "\\|",
        "\\*",
        "{",
        "}",
        "]",
    ]);
    let leaf = atom.prop_map(str::to_owned);
    leaf.prop_recursive(3, 12, 3, |inner| {
        let count = prop::sample::select(vec!["*", "+", "?", "{2}", "{0,2}", "{2,}", "{3,9}", "*?", "+?", "{0}"]);
        prop_oneof![
            3 => prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
            1 => prop::collection::vec(inner.clone(), 1..3).prop_map(|parts| format!("({})", parts.join("|"))),
            1 => inner.clone().prop_map(|part| format!("(?:{part}|)")),
            2 => (inner, count).prop_map(|(part, count)| format!("(?:{part}){count}")),
        ]
    })
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn word() -> impl Strategy<Value = String> {
    let text = prop::collection::vec(prop::sample::select(PIECES.to_vec()), 1..3);
    let text = text
        .prop_map(|pieces| String::from_utf8_lossy(&pieces.concat()).into_owned())
        .boxed();
    let value = prop_oneof![
        text.clone().prop_map(|text| quoted(&text)),
        prop::sample::select(vec![
            "b", "B", "a*", "*b", "5*", "*", "\"a b\"", "ü", "502", "/a", "cart"
        ])
        .prop_map(str::to_owned),
    ];
    let name = prop::sample::select(vec![
        "a", "msg", "level", "status", "pid", "method", "path", ".level", "\"x y\"",
    ]);
    prop_oneof![
        4 => text.prop_map(|text| quoted(&text)),
        4 => (expression(), prop::sample::select(vec!["/", "/i"])).prop_map(|(text, end)| format!("/{}{end}", text.replace('/', "\\/"))),
        3 => (name, prop::sample::select(vec![":", "=", "!="]), value).prop_map(|(name, sign, value)| format!("{name}{sign}{value}")),
        1 => prop::sample::select(vec![
            "level>=warn", "level:error", "level<=info", "level!=warn", "level:*", "level>=fatal", "status>=500", "a>1", "host:web-*", "host:x",
            "since:1h", "source:s", "a", "b", "error", "größe",
        ]).prop_map(str::to_owned),
    ]
}

fn text() -> impl Strategy<Value = String> {
    word().prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.join(" ")),
            prop::collection::vec(inner.clone(), 1..4)
                .prop_map(|parts| format!("({})", parts.join(" OR "))),
            inner.prop_map(|part| format!("-({part})")),
        ]
    })
}

fn now() -> ReferenceTime {
    ReferenceTime {
        time: Time(1_000_000_000_000_000_000),
        ..ReferenceTime::default()
    }
}

fn matches(query: &Query, line: &[u8]) -> bool {
    // A host's line end may be CRLF, of which the console keeps nothing.
    let raw = line.strip_suffix(b"\r").unwrap_or(line);
    query.matches(&MatchInput {
        host: "web-1",
        source: "s",
        time: now().time,
        dialect: None,
        raw,
    })
}

/// Numbers, from 0, of the lines that a `grep` finds.
fn found(program: &[&str], patterns: &GrepPatterns, folder: &Path, input: &Path) -> Vec<usize> {
    let file = folder.join("patterns");
    fs::write(&file, patterns.file()).expect("a file of patterns");
    let mut command = Command::new(program[0]);
    command
        .args(&program[1..])
        .args(patterns.options())
        .args(["-n", "-f"])
        .arg(&file)
        .env("LC_ALL", "C");
    let input = fs::File::open(input).expect("the lines");
    let output = command
        .stdin(input)
        .stderr(Stdio::piped())
        .output()
        .expect("grep runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.code().is_some_and(|code| code < 2) && said.is_empty(),
        "{program:?} {patterns:?}: {said}"
    );
    let number = |line: &[u8]| {
        std::str::from_utf8(line.split(|&b| b == b':').next()?)
            .ok()?
            .parse::<usize>()
            .ok()
    };
    output
        .stdout
        .split(|&b| b == b'\n')
        .filter_map(number)
        .map(|number| number - 1)
        .collect()
}

/// The lines in a file, as they are and as BusyBox must have them.
fn written(folder: &Path, lines: &[Vec<u8>]) -> (std::path::PathBuf, std::path::PathBuf) {
    let (plain, without_nul) = (folder.join("lines"), folder.join("lines-without-nul"));
    let mut bytes = Vec::new();
    for line in lines {
        bytes
            .write_all(line)
            .and_then(|()| bytes.write_all(b"\n"))
            .expect("memory");
    }
    fs::write(&plain, &bytes).expect("a file");
    for byte in &mut bytes {
        *byte = if *byte == 0 { 1 } else { *byte };
    }
    fs::write(&without_nul, &bytes).expect("a file");
    (plain, without_nul)
}

/// How many of the queries had patterns, and how many lines were found that match; fails where one
/// was not found.
fn check(queries: &[String], lines: &[Vec<u8>]) -> (usize, usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let (plain, without_nul) = written(folder.path(), lines);
    let (mut narrowed, mut hits) = (0, 0);
    for text in queries {
        let Ok(query) = Query::parse(text, &now()) else {
            continue;
        };
        let Prefilter::Lines(patterns) = query.prefilter() else {
            continue;
        };
        narrowed += 1;
        for (program, input) in [
            (&["grep"][..], &plain),
            (&["grep"][..], &without_nul),
            (&["busybox", "grep"][..], &without_nul),
        ] {
            let mut found = found(program, &patterns, folder.path(), input)
                .into_iter()
                .peekable();
            for (number, line) in lines.iter().enumerate() {
                let is_found = found.next_if_eq(&number).is_some();
                let matching = matches(&query, line);
                hits += usize::from(matching);
                let shown = String::from_utf8_lossy(line);
                let asked = patterns
                    .list
                    .iter()
                    .map(|pattern| String::from_utf8_lossy(pattern))
                    .collect::<Vec<_>>();
                assert!(
                    is_found || !matching,
                    "{program:?} {text:?} {asked:?} has not found {shown:?}"
                );
            }
        }
    }
    (narrowed, hits)
}

fn drawn<T>(strategy: impl Strategy<Value = T>, count: usize, runner: &mut TestRunner) -> Vec<T> {
    (0..count)
        .map(|_| strategy.new_tree(runner).expect("a value").current())
        .collect()
}

#[test]
fn every_line_that_matches_is_found_by_grep() {
    let seed: [u8; 32] = chance().random();
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        TestRng::from_seed(RngAlgorithm::ChaCha, &seed),
    );
    let lines = drawn(line(), LINES, &mut runner);
    let queries = drawn(text(), QUERIES, &mut runner);
    let (narrowed, hits) = check(&queries, &lines);
    assert!(
        narrowed > QUERIES / 10 && hits > LINES,
        "{narrowed} queries had patterns, {hits} hits"
    );
}

#[test]
fn cases_that_are_known_to_be_difficult_are_found() {
    let texts = [
        "k",
        "s",
        "größe",
        "ärger",
        "\"a b\"",
        "/\\d+/",
        "/[^a]b/",
        "/^a$/",
        "/a\\b/",
        "/(?i)straße/",
        "/\\x00b/",
        "/a.b/",
        "a:b",
        "a=b",
        "msg:cart",
        "C:\\x",
        "/[[]/",
        "/[]]/",
        "/[:a]/",
        "/a{2,3}b/",
        "/(a|)b/",
        "/(?-u:\\xff)/",
        "/😀/",
        "\"*\"",
        "\"a.b\"",
        "a OR /b/ OR ü",
        "\"\\\"\"",
        "/[\\\\]/",
        "-a b",
    ];
    let lines: Vec<Vec<u8>> = [
        "k",
        "K",
        "\u{212a}",
        "s",
        "ſ",
        "GRÖßE",
        "größe",
        "Ärger",
        "A B",
        "٣",
        "5",
        "\0b",
        "xb",
        "a",
        "a\r",
        "STRASSE",
        "STRAßE",
        "a\0b",
        "a\u{1}b",
        "a\u{fc}b",
        "{\"a\":\"\\u0062\"}",
        "{\"msg\":\"\\u0063art\"}",
        "a: b",
        "a=b",
        "c:\\X",
        "[",
        "]",
        ":",
        "aab",
        "aaab",
        "b",
        "😀",
        "*",
        "a.b",
        "axb",
        "\"",
        "\\",
        "ü",
    ]
    .iter()
    .map(|line| line.as_bytes().to_vec())
    .chain([b"\xffb".to_vec(), b"a\xffb".to_vec(), b"\xff".to_vec()])
    .collect();
    let (narrowed, hits) = check(&texts.map(str::to_owned), &lines);
    assert!(narrowed > 20 && hits > 60, "{narrowed} {hits}");
}

/// Whether a pattern without wildcards finds a line.
fn holds(patterns: &GrepPatterns, line: &[u8]) -> bool {
    assert!(patterns.fixed, "values are texts");
    let fold = |bytes: &[u8]| {
        if patterns.either_case {
            bytes.to_ascii_lowercase()
        } else {
            bytes.to_vec()
        }
    };
    let line = fold(line);
    patterns
        .list
        .iter()
        .map(|pattern| fold(pattern))
        .any(|text| line.windows(text.len()).any(|part| part == text))
}

#[test]
fn every_field_of_real_lines_is_found_by_its_value() {
    let logs = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/logs");
    let mut checked = 0;
    for entry in fs::read_dir(&logs).expect("the folder of logs") {
        let Ok(log) = fs::read(entry.expect("an entry").path().join("log")) else {
            continue;
        };
        for line in log
            .split(|&b| b == b'\n')
            .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
            .take(20)
        {
            for field in fields::all(line).list.iter().take(12) {
                let Some(value) = fields::get(line, &field.name) else {
                    continue;
                };
                let Ok(value) = std::str::from_utf8(&value.text) else {
                    continue;
                };
                for sign in ["=", ":"] {
                    let text = format!("{}{sign}{}", quoted(&field.name), quoted(value));
                    let Ok(query) = Query::parse(&text, &now()) else {
                        continue;
                    };
                    let shown = String::from_utf8_lossy(line);
                    assert!(matches(&query, line), "{text} does not match {shown}");
                    if let Prefilter::Lines(patterns) = query.prefilter() {
                        assert!(
                            holds(&patterns, line),
                            "{text}: {patterns:?} does not find {shown}"
                        );
                        checked += 1;
                    }
                }
            }
        }
    }
    assert!(checked > 2000, "{checked} fields were checked");
}

#[test]
fn patterns_are_data_and_never_options_or_commands() {
    for text in [
        "\"-e\"",
        "\"--help\"",
        "\"$(reboot)\"",
        "\"`id`\"",
        "\"; rm x\"",
        "\"a\nb\" x",
    ] {
        let query = Query::parse(text, &now()).expect("a query");
        let Prefilter::Lines(patterns) = query.prefilter() else {
            panic!("{text}")
        };
        assert!(
            patterns
                .options()
                .iter()
                .all(|option| ["-a", "-E", "-F", "-i"].contains(option))
        );
        assert_eq!(
            patterns.file().iter().filter(|&&b| b == b'\n').count(),
            patterns.list.len()
        );
    }
}
