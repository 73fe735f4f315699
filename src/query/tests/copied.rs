//! What is copied from a line of a real log finds that line.

use std::path::Path;

use super::{matches, now, query, subject};
use crate::model::time::Time;
use crate::query::{MAX_QUERY_BYTES, MAX_TERMS, Query};

/// About so many parts of a line are tried of each length.
const MOST_PARTS: usize = 6;

/// Lines of a kind of log that are tried; all where a folder is named.
const LINES: usize = 8;

/// Lines of the logs below a folder (`LOGTRAIL_COPIED` names another one) as a terminal shows them.
fn lines() -> Vec<(String, String)> {
    let root = match std::env::var_os("LOGTRAIL_COPIED") {
        Some(folder) => folder.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/logs"),
    };
    let is_all = std::env::var_os("LOGTRAIL_COPIED").is_some();
    let mut lines = Vec::new();
    for kind in std::fs::read_dir(root).expect("a folder").flatten() {
        let Ok(bytes) = std::fs::read(kind.path().join("log")) else {
            continue;
        };
        let kind = kind.file_name().to_string_lossy().into_owned();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let own: Vec<&str> = text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .collect();
        let step = if is_all { 1 } else { own.len() / LINES + 1 };
        lines.extend(
            own.into_iter()
                .step_by(step)
                .map(|line| (kind.clone(), line.to_owned())),
        );
    }
    assert!(lines.len() > 100);
    lines
}

/// Why a text that was copied from a line does not find it.
fn lost(copied: &str, line: &str) -> Option<String> {
    let query = match Query::parse(copied, &now()) {
        Ok(query) => query,
        Err(error) => return Some(error.to_string()),
    };
    if !query.matches(&subject(line.as_bytes())) {
        return Some(format!("was read as {query}"));
    }
    let found: Vec<_> = query.find_lines(line.as_bytes(), subject).collect();
    (found.is_empty()).then(|| format!("is not in the buffer: {query}"))
}

#[test]
fn a_line_copied_whole_or_in_part_finds_itself() {
    let mut tried = 0;
    let mut failed = Vec::new();
    for (kind, line) in lines() {
        let words: Vec<&str> = line.split(' ').collect();
        // Parts of all lengths, at distances that cover the line.
        let mut parts = vec![line.clone()];
        for length in [1, 2, 3, 5, 9, 17] {
            let step = length.max(words.len() / MOST_PARTS);
            parts.extend(
                words
                    .windows(length)
                    .step_by(step)
                    .map(|part| part.join(" ")),
            );
        }
        parts.sort_unstable();
        parts.dedup();
        for part in parts.into_iter().filter(|part| !part.trim().is_empty()) {
            tried += 1;
            if let Some(why) = lost(&part, &line) {
                failed.push(format!("{kind}: {part:.200}\n    {why:.200}"));
            }
        }
    }
    eprintln!("{} of {tried} parts are lost", failed.len());
    assert!(
        failed.is_empty(),
        "{}",
        failed[..failed.len().min(60)].join("\n")
    );
}

#[test]
fn signs_that_are_no_whole_syntax_are_text() {
    for (text, expected) in [
        ("cart \"no", "cart \"\\\"no\""),
        ("\"a\"b", "\"\\\"a\\\"b\""),
        ("\"\"", "\"\\\"\\\"\""),
        ("a \"b c\",", "a \"b c\""),
        ("//", "\"//\""),
        ("cart /api/(users", "cart \"/api/(users\""),
        ("/x?id=7", "\"/x?id=7\""),
        ("/a(b c/", "\"/a(b\" c/"),
        ("status==5", "status==5"),
        ("(foo", "\"(foo\""),
        ("(a OR b", "\"(a\" OR b"),
        ("(a OR b) (c", "(a OR b) \"(c\""),
        ("a b) c", "a \"b)\" c"),
        (")", "\")\""),
        ("a ()", "a \"()\""),
        ("OR a", "\"OR\" a"),
        ("a OR", "a \"OR\""),
        ("a AND", "a \"AND\""),
        ("NOT", "\"NOT\""),
        ("(a OR) b", "a \"OR\" b"),
        ("a | b && c", "a | b && c"),
        (
            "host: \"x\" level: since: until:never",
            "host: x level: since: until:never",
        ),
        ("level:loud level=30", ".level:loud .level=30"),
        ("a>=b", "a>=b"),
        ("[error] 12#12: *3", "[error] 12#12: \"*3\""),
        ("09:00:00 -05:00", "\"09:00:00\" -05:00"),
        (
            "20/Nov/2026:09:00:00 -0500]",
            "20/Nov/2026:09:00:00 \"-0500]\"",
        ),
        ("x -0500", "x -\"0500\""),
    ] {
        let read = query(text);
        assert_eq!(read.to_string(), expected, "{text}");
        assert!(
            matches(text, &format!("a line with {text} in it")),
            "{text}"
        );
    }
    // Of a line that was pasted the beginning is looked for.
    let words = vec!["word"; MAX_TERMS + 1].join(" ");
    assert!(matches(&words, &words) && !matches(&words, "word"));
    let long = "{\"a\": 1} ".repeat(MAX_QUERY_BYTES);
    assert!(matches(&long, &long) && !matches(&long, "{\"a\": 1}"));
    for unbalanced in [
        "(".repeat(4000),
        "( ".repeat(2000),
        "-(".repeat(2000),
        "\" (".repeat(1000),
    ] {
        assert!(Query::parse(&unbalanced, &now()).is_ok(), "{unbalanced:.9}");
    }
}

#[test]
fn marks_around_a_value_are_no_part_of_it() {
    let line =
        "login: user=<ann@example.com>, method=PLAIN, rip=192.0.2.1, status=503; (pid=12) [tid=7]";
    for (text, expected) in [
        ("rip=192.0.2.1,", true),
        ("rip:192.0.2.1,", true),
        ("rip=192.0.2.1", true),
        ("rip=192.0.2.10,", false),
        ("user=<ann@example.com>,", true),
        ("user=ann@example.com", true),
        ("user:ann@*", true),
        ("user:<ann@example.com>", true),
        ("user!=ann@example.com,", false),
        ("user=\"<ann@example.com>\"", true),
        ("user=\"ann\"", false),
        ("status=503;", true),
        ("status>=500;", true),
        ("status:503; method=PLAIN,", true),
        ("method=PLAIN, rip=192.0.2.1, lip=10.0.0.1", false),
        ("rip=192.0.2.1, level>=warn", false),
        ("rip=192.0.2.1, -healthz", true),
        ("(pid=12)", true),
        ("pid=12)", true),
        ("[tid=7]", true),
        ("tid:7]", true),
    ] {
        assert_eq!(matches(text, line), expected, "{text}");
    }
    // The name comes twice, or its value is text of the message.
    let json = r#"{"status":200,"id":1,"msg":"upstream said status:502, id=2"}"#;
    for (text, expected) in [
        ("status:502", true),
        ("status:502,", true),
        ("status:50", false),
        ("id=2", true),
        ("-status:502", false),
        ("status!=502", true),
        ("\"id\":1,\"msg\"", true),
        ("\"status\":200,", true),
    ] {
        assert_eq!(matches(text, json), expected, "{text}");
    }
}

#[test]
fn what_is_pasted_is_found() {
    for line in [
        "java -Xmx512m -Dlog.level=debug -jar x.jar --verbose",
        "GET /x?id=7&y=a%20b#top HTTP/1.1",
        "https://user:pw@example.com:8443/a/b/?q=1&r=[2]",
        "at com.x.Y$Z.lambda$0(Z.java:12) ~[app.jar!/:1.0]",
        "{\"a\":1,\"b\":{\"c\":[1,2]},\"d\":\"e f\"}",
        "C:\\Program Files\\x.exe \\\\server\\share",
        "foo|bar ~x* !y NOT found and OR not AND gone",
        "a:b key: value k = v k==v k=~v k!=v",
        "12:00:00,123 12:00:00.123 -0500 -05:00 - -- ---",
        "{123e4567-e89b-12d3-a456-426614174000} [fe80::1%eth0]:8080 ::1",
        "host=db-1 source=cron level=30 level=\"info\" level:INFO, level=[warn] since:2h",
        "time=\"2026-11-20T10:00:00Z\" level=notice msg=\"he said \\\"no\\\"\"",
        "x=<a> y=(b) z={c} w='d e' v=\"f\"; u=[1, 2]",
        "a>=b c<d e->f g=>h Vec<u8> 5>=x <nil> <-ch",
        "''quoted'' `ticks` $(cmd) ${VAR} %s @x #1 ^ \u{1b}[0m",
        "..13:00 1..2 ../x ... 2026-11-20..",
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        for from in 0..words.len() {
            for to in from + 1..=words.len() {
                let part = words[from..to].join(" ");
                match Query::parse(&part, &now()) {
                    Ok(query) if query.window() != Some(Time(i64::MIN)..Time(i64::MAX)) => {
                        assert!(part.contains("since:") || part.contains(".."), "{part}");
                    }
                    Ok(query) => {
                        assert!(query.matches(&subject(line.as_bytes())), "{part} {query}");
                    }
                    Err(error) => panic!("{part}: {error}"),
                }
            }
        }
    }
}
