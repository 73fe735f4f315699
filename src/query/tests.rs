//! A query and a line in, a verdict out.

mod buffers;
mod copied;
mod print;
mod typed_times;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;

/// A Friday at 13:30 in UTC.
fn now() -> ReferenceTime {
    let at = "2026-11-20T13:30:00Z"
        .parse::<Timestamp>()
        .expect("a moment");
    ReferenceTime {
        time: Time::from_timestamp(at),
        zone: TimeZone::UTC,
    }
}

fn query(text: &str) -> Query {
    Query::parse(text, &now()).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

fn subject(raw: &[u8]) -> MatchInput<'_> {
    MatchInput {
        host: "web-1",
        source: "access",
        time: now().time.plus_millis(-60_000),
        dialect: None,
        raw,
    }
}

fn matches(text: &str, line: &str) -> bool {
    query(text).matches(&subject(line.as_bytes()))
}

#[test]
fn a_line_is_meant_or_not() {
    let line = "2026-11-20 13:00:00 ERROR Cart /api/v2/users failed: \"no stock\" -1 größe C:\\tmp";
    let table = [
        ("", true),
        ("   ", true),
        ("cart", true),
        ("Cart", true),
        ("CART", false),
        ("cart failed", true),
        ("cart gone", false),
        ("failed cart", true),
        ("\"failed cart\"", false),
        ("\"cart /api\"", true),
        ("\"/api/v2\"", true),
        ("/api/v2", true),
        ("/api/v3", false),
        ("\"\\\"no stock\\\"\"", true),
        ("\"-1\"", true),
        // A dash negates, but this very text is there.
        ("-1", true),
        ("-13", false),
        ("C:\\tmp", true),
        ("\"C:\\tmp\"", true),
        ("GRÖSSE", false),
        ("größe", true),
        ("-cart", false),
        ("-gone", true),
        ("-\"no luck\"", true),
        ("/v[0-9]/", true),
        ("/V[0-9]/", false),
        ("/V[0-9]/i", true),
        ("/api/v\\d/users/", true),
        ("/api\\/v2/", true),
        ("-/v[3-9]/", true),
        ("/failed: .no/ cart", true),
        ("level>=warn", true),
        ("level>=fatal", false),
        ("level:error", true),
        ("level=err", true),
        ("level!=error", false),
        ("level!=warn", true),
        ("level:*", true),
        ("level>error", false),
        ("level<error", false),
        ("level<=ERROR", true),
        ("-level:error", false),
        ("host:web-*", true),
        ("host:web", false),
        ("host:WEB-1", false),
        ("host!=web-1", false),
        ("-host:db-*", true),
        ("source:acc*s", true),
        ("source:\"access\"", true),
        ("source:error", false),
        ("host:web-1 level>=warn cart -gone /users/", true),
        ("users:", false),
        ("failed:", true),
        ("13:00:00", true),
        ("levels", false),
        ("-", true),
        ("--", false),
    ];
    for (text, expected) in table {
        assert_eq!(matches(text, line), expected, "{text}");
    }
}

#[test]
fn and_binds_more_than_or_and_not_more_than_both() {
    let line = "a b";
    for (text, expected) in [
        ("a OR x", true),
        ("x OR y", false),
        ("x y OR a", true),
        ("x AND a OR b", true),
        ("x (a OR b)", false),
        ("(x OR a) (b OR y)", true),
        ("NOT x", true),
        ("NOT a OR b", true),
        ("-(a b)", false),
        ("-(a x)", true),
        ("NOT NOT a", true),
        ("a and", false),
        ("a or x", false),
        ("(a)(b)", true),
        ("((((a))))", true),
        ("a AND -x", true),
        ("(a OR(x))", true),
    ] {
        assert_eq!(matches(text, line), expected, "{text}");
    }
}

#[test]
fn everyday_text_is_text() {
    for text in [
        "10.0.0.1:8080",
        "http://x.org/y?a=b",
        "https://x.org",
        "12:34:56",
        "C:\\x",
        "C:/x",
        "std::io",
        "fe80::1",
        "::1",
        "error:",
        "a->b",
        "a->5",
        "Vec<u8>",
        "a=>b",
        "foo()",
        "f(x,y)",
        "x=",
        "abc==",
        "../x",
        "a..b",
        "1..10",
        "13:00...",
        "/api/users",
        "/var/log/app.log:3",
        "*",
        "a|b",
        "--verbose",
        "#42",
        "50%",
        "user@host",
        "2026-11-20",
        "{",
        "[error]",
        "$HOME",
        "naïve",
        "0x1f",
        "<nil>",
        "<-",
        "and",
        "Today",
        ".../x",
    ] {
        assert_eq!(
            query(text).expr(),
            &QueryExpr::Term(QueryTerm::Text(text.to_owned())),
            "{text}"
        );
    }
    // These are conditions on fields, and find their text in a line that has no such field.
    for text in [
        "localhost:8080",
        "a=b",
        "db-1:5432",
        "id=7&x=8",
        "ab:cd:ef:01:02:03",
        "key=x*y",
    ] {
        assert!(matches(text, &format!("dial ({text}) failed")), "{text}");
        assert!(!matches(text, &format!("dial {text}9 failed")), "{text}");
    }
}

#[test]
fn fields_are_compared() {
    let json = r#"{"level":"info","msg":"no stock","status":502,"took":"1.2s","host":"inner","http":{"path":"\/api\/x"},"n":-3,"e":""}"#;
    let text = "level=info msg=\"No Stock\" status=502 took=1.2s path=/api/x size=10KiB";
    for (query, in_json, in_text) in [
        ("status:502", true, true),
        ("status:5*", true, true),
        ("status:50", false, false),
        ("status=502", true, true),
        ("status=5*", false, false),
        ("status!=502", false, false),
        ("status!=200", true, true),
        ("gone!=200", false, false),
        ("-gone:200", true, true),
        ("status>=500", true, true),
        ("status>=500 status<503", true, true),
        ("status>502", false, false),
        ("status:>=500", true, true),
        ("n<0", true, false),
        ("n>-5", true, false),
        ("took>=500ms", true, true),
        ("took>=2s", false, false),
        ("took>=1", false, false),
        ("size>=1KB", false, true),
        ("msg:\"no stock\"", true, true),
        ("msg:\"No Stock\"", false, true),
        ("msg:no*", true, true),
        ("msg:*stock", true, true),
        ("msg:*o*t*", true, true),
        ("msg:stock", false, false),
        ("msg:*", true, true),
        ("gone:*", false, false),
        ("http.path:/api/*", true, false),
        ("path:/api/*", true, true),
        ("e:\"\"", true, false),
        (".host:inner", true, false),
        (".level:info", true, true),
        ("\"status\":502", true, true),
        ("host:inner", false, false),
    ] {
        assert_eq!(matches(query, json), in_json, "{query} in JSON");
        assert_eq!(matches(query, text), in_text, "{query} in text");
    }
}

#[test]
fn times_are_compared() {
    // The line is a minute old.
    for (text, expected) in [
        ("since:15m", true),
        ("since:30s", false),
        ("until:30s", true),
        ("-since:15m", false),
        ("-2h..-1h", false),
        ("-2h..now", true),
        ("-2m..", true),
        ("..-2m", false),
        ("today", true),
        ("yesterday", false),
        ("since:yesterday until:today", true),
        ("13:00..13:30", true),
        ("13:00..13:05", false),
        ("2026-11-20 13:00..13:30", true),
        ("2026-11-20 13:00..2026-11-20 13:05", false),
        ("2026-11-20T13:00..2026-11-20", true),
        ("2026-11-19..2026-11-20", true),
        ("since:2026-11-20 13:29", true),
        ("since:2026-11-20 13:29:30", false),
        ("since:\"2026-11-20 13:00\"", true),
        ("since:\"yesterday 13:29\"", true),
        ("since:\"today 13:29:30\"", false),
        ("until:\"yesterday 13:29\"", false),
        ("yesterday 13:29..today 13:29:30", true),
        ("since:2026-11-20T13:00:00+02:00", true),
        ("until:2026-11-19", false),
        ("(-1h..now OR x)", true),
        ("-(today)", false),
        ("-13:00..14:00", false),
    ] {
        assert_eq!(matches(text, "a line"), expected, "{text}");
    }
}

#[test]
fn a_record_matches_where_one_of_its_lines_does() {
    let record = "ERROR failed x=1\n  at Foo.bar(Foo.java:3)\nCaused by: y";
    for (text, expected) in [
        ("failed caused", true),
        ("/^  at/", true),
        ("/^Caused by: y$/", true),
        ("/(?s)failed.*Foo/", false),
        ("/1\\s+at/", false),
        ("/x=1$/", true),
        ("/\\Afailed/", false),
        ("level:error", true),
        ("\"1\n\"", false),
        ("-/^x/", true),
    ] {
        assert_eq!(matches(text, record), expected, "{text}");
    }
}

#[test]
fn a_line_without_a_level_is_in_no_relation_to_any() {
    assert!(!matches("level<=fatal", "hello"));
    assert!(!matches("level!=fatal", "hello"));
    assert!(matches("-level>=warn", "hello"));
}

#[test]
fn bytes_that_are_no_text_do_not_hide_what_is() {
    let subject = subject(b"\xff\xfecart\xc3 Failed");
    assert!(query("cart failed /c.rt/").matches(&subject));
    assert!(query("Failed -gone").matches(&subject));
}

#[test]
fn letters_of_ascii_are_the_same_only_as_each_other() {
    assert!(!matches("k", "\u{212a}") && !matches("s", "ſ"));
    assert!(matches("straße", "STRAßE") && matches("ärger", "ÄRGER"));
}

#[test]
fn what_is_no_query_is_refused_with_its_place() {
    let table = [
        (
            "level>=",
            "a level is missing: use one of trace, debug, info, notice, warn, error, fatal at column 8",
        ),
        (
            "cart /ü(a/",
            "not a regular expression: unclosed group at column 8",
        ),
        (
            "/a\\/\\/(b/",
            "not a regular expression: unclosed group at column 7",
        ),
        (
            "/a{2,1}/",
            "not a regular expression: invalid repetition count range, the start must be <= the end at column 3",
        ),
        (
            "/(?:a{1000}){1000}/",
            "this regular expression is too large: use smaller numbers in {…} or fewer Unicode classes at column 2",
        ),
        (
            "level>=wran",
            "\"wran\" is not a level: did you mean warn? at column 8",
        ),
        (
            "x level:wran",
            "\"wran\" is not a level: did you mean warn? at column 9",
        ),
        (
            "x level>=loud",
            "\"loud\" is not a level: use one of trace, debug, info, notice, warn, error, fatal at column 10",
        ),
        (
            "host:[",
            "\"[\" is not a pattern: unclosed character class; missing ']'; put text in \"quotes\" at column 6",
        ),
        (
            "host>5",
            "host cannot be compared: write host:web-* at column 5",
        ),
        (
            "status>=5oo",
            "\"5oo\" is not a number: write status>=500, or a duration or size as in status>=1.5s; put text in \"quotes\" at column 9",
        ),
        (
            "since:15",
            "\"15\" is not a time: write 15m, 13:00, 2026-11-20, \"2026-11-20 13:00\", yesterday, friday, or a time as a log has it; put text in \"quotes\" at column 7",
        ),
        (
            "13:0O..14:00",
            "\"13:0O\" is not a time: write 15m, 13:00, 2026-11-20, \"2026-11-20 13:00\", yesterday, friday, or a time as a log has it; put text in \"quotes\" at column 1",
        ),
        ("-1h..-2h", "this range ends before it begins at column 1"),
    ];
    for (text, expected) in table {
        let error = Query::parse(text, &now()).map(|_| ()).expect_err(text);
        assert_eq!(error.to_string(), expected, "{text}");
    }
}

#[test]
fn a_query_has_limits() {
    let fails = |text: &str| {
        Query::parse(text, &now())
            .err()
            .map(|error| error.span.start)
    };
    assert_eq!(fails(&"x".repeat(MAX_QUERY_BYTES)), None);
    assert_eq!(fails(&"ä".repeat(MAX_QUERY_BYTES / 2)), None);
    assert_eq!(fails(&"x".repeat(MAX_QUERY_BYTES + 1)), None);
    assert_eq!(
        fails(&"x OR ".repeat(MAX_QUERY_BYTES)),
        Some(MAX_QUERY_BYTES)
    );
    assert_eq!(
        fails(&format!("/{}/", "a|".repeat(500_000))),
        Some(MAX_QUERY_BYTES)
    );
    assert_eq!(fails(&vec!["x"; MAX_TERMS].join(" ")), None);
    assert!(fails(&vec!["-x"; MAX_TERMS + 1].join(" ")).is_some());
    assert!(fails(&vec!["x"; MAX_TERMS + 1].join(" OR ")).is_some());
    assert_eq!(fails(&vec!["/x/"; MAX_REGEXES].join(" ")), None);
    assert!(fails(&vec!["/x/"; MAX_REGEXES + 1].join(" ")).is_some());
    let nested = |depth| format!("{}x{}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(fails(&nested(MAX_DEPTH)), None);
    for deep in [nested(MAX_DEPTH + 1), nested(2000), "NOT ".repeat(1000)] {
        assert!(fails(&deep).is_some(), "{deep}");
    }
}

#[test]
fn expressions_that_are_slow_elsewhere_are_refused_or_linear() {
    let line = "a".repeat(1024 * 1024);
    for text in ["/(a*)*b/", "/(a|a)*b/", "/a*a*a*a*a*b/", "/(x+x+)+y/"] {
        assert!(!matches(text, &line), "{text}");
    }
    for text in [
        "/(?:a{1000}){1000}/",
        "/\\w{1,5000}/",
        "/((((a{20}){20}){20}){20}){20}/",
    ] {
        let error = Query::parse(text, &now()).map(|_| ()).expect_err(text);
        assert!(error.message.contains("too large"), "{error}");
    }
}

#[test]
fn what_was_found_is_marked_once() {
    let marks = |text: &str, shown: &str| -> Vec<String> {
        query(text)
            .highlights(shown)
            .into_iter()
            .map(|range| shown[range].to_owned())
            .collect()
    };
    assert_eq!(marks("cart -cart", "Cart carts"), ["Cart", "cart"]);
    assert_eq!(marks("abc bcd", "xabcdx"), ["abcd"]);
    assert_eq!(marks("/a*/", "baab"), ["aa"]);
    assert_eq!(marks("größe /(?-u:\\xC3)/", "die Größe"), ["Größe"]);
    assert_eq!(
        marks("-cart level:error host:a", "cart ERROR a"),
        Vec::<String>::new()
    );
    assert_eq!(
        marks("cart OR (gone -x)", "a cart is gone x"),
        ["cart", "gone"]
    );
    assert_eq!(
        marks("status:502 took>1s", "status=502 in 502ms took=2s"),
        ["502"]
    );
    assert_eq!(
        marks("msg:no*stock", "msg=\"no more stock\""),
        ["no", "stock"]
    );
    assert_eq!(marks("-status:502", "status=502"), Vec::<String>::new());
}

#[test]
fn only_a_query_without_terms_is_empty() {
    assert!(Query::default().is_empty() && query(" ").is_empty());
    assert!(!query("host:*").is_empty());
}

#[test]
fn an_explanation_has_the_moments_and_what_a_host_is_asked() {
    let explained = query("Cart -healthz since:15m level>=warn").explain();
    assert_eq!(explained.query, "Cart -healthz since:15m level>=warn");
    assert_eq!(
        explained.checked,
        ["Cart", "-healthz", "since:15m", "level>=warn"]
    );
    let window = now().time.plus_millis(-900_000)..Time(i64::MAX);
    assert_eq!(explained.times, [("since:15m".to_owned(), window.clone())]);
    assert_eq!(explained.window, Some(window));
    let patterns = GrepPatterns {
        fixed: true,
        either_case: false,
        list: vec![b"Cart".to_vec()],
    };
    assert_eq!(explained.prefilter, Prefilter::Lines(patterns));
    assert_eq!(query("since:1h until:2h").window(), None);
    assert_eq!(query("-cart").prefilter(), Prefilter::Everything);
}

proptest! {
    #[test]
    fn words_mean_what_a_naive_search_finds(
        words in prop::collection::vec(("[-]?", "[abAB.+]{1,3}"), 0..4),
        line in "[abAB .+]{0,20}",
    ) {
        let text: Vec<String> = words.iter().map(|(sign, word)| format!("{sign}{word}")).collect();
        let occurs = |word: &str| {
            let exact = word.contains(|c: char| c.is_ascii_uppercase());
            if exact { line.contains(word) } else { line.to_lowercase().contains(word) }
        };
        let expected = words.iter().all(|(sign, word)| occurs(word) == sign.is_empty());
        prop_assert_eq!(matches(&text.join(" "), &line), expected);
    }

    #[test]
    fn any_phrase_finds_itself(phrase in "\\PC{1,20}", before in "\\PC{0,9}") {
        let quoted = format!("\"{}\"", phrase.replace('\\', "\\\\").replace('"', "\\\""));
        let line = format!("{before}{phrase}");
        prop_assert!(matches(&quoted, &line));
    }

    #[test]
    fn marks_are_sorted_apart_and_within_the_text(text in "[ab/.*:=]{1,6}", shown in "[abü]{0,20}") {
        if let Ok(query) = Query::parse(&text, &now()) {
            let mut end = 0;
            for (index, range) in query.highlights(&shown).into_iter().enumerate() {
                prop_assert!(range.start < range.end && (index == 0 || range.start > end), "{range:?}");
                prop_assert!(shown.get(range.clone()).is_some());
                end = range.end;
            }
        }
    }
}
