//! A query and a line in, a verdict out.

use proptest::prelude::*;

use super::*;

fn query(text: &str) -> Query {
    Query::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

fn matches(text: &str, line: &str) -> bool {
    query(text).matches(&Subject { host: "web-1", source: "access", raw: line.as_bytes() })
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
        ("\"\\\"no stock\\\"\"", true),
        ("\"-1\"", true),
        ("-1", false),
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
        ("level>error", false),
        ("level<error", false),
        ("level<=ERROR", true),
        ("-level:error", false),
        ("host:web-*", true),
        ("host:web", false),
        ("host:WEB-1", false),
        ("-host:db-*", true),
        ("source:acc*s", true),
        ("source:\"access\"", true),
        ("source:error", false),
        ("host:web-1 level>=warn cart -gone /users/", true),
        ("users:", false),
        ("13:00:00", true),
        ("levels", false),
        ("-", true),
    ];
    for (text, expected) in table {
        assert_eq!(matches(text, line), expected, "{text}");
    }
}

#[test]
fn a_line_without_a_level_is_in_no_relation_to_any() {
    assert!(!matches("level<=fatal", "hello"));
    assert!(matches("-level>=warn", "hello"));
}

#[test]
fn bytes_that_are_no_text_do_not_hide_what_is() {
    let subject = Subject { host: "h", source: "s", raw: b"\xff\xfecart\xc3 Failed" };
    assert!(query("cart failed /c.rt/").matches(&subject));
    assert!(query("Failed -gone").matches(&subject));
}

#[test]
fn what_is_no_query_is_refused_with_its_place() {
    let table = [
        ("cart \"no", "this quote is not closed: put a \" at the end at column 6"),
        ("cart \"no\\", "this quote is not closed: put a \" at the end at column 6"),
        ("\"a\"b", "a blank must follow the closing quote at column 4"),
        ("\"\"", "there is nothing between the quotes at column 1"),
        ("//", "there is nothing between the slashes at column 2"),
        (
            "cart /api/users",
            "this regular expression is not closed: end it with / or /i, or put text in \"quotes\" at column 6",
        ),
        ("cart /ü(a/", "not a regular expression: unclosed group at column 9"),
        (
            "/a{2,1}/",
            "not a regular expression: invalid repetition count range, the start must be <= the end at column 3",
        ),
        (
            "/(?:a{1000}){1000}/",
            "this regular expression is too large: use smaller numbers in {…} or fewer Unicode classes at column 2",
        ),
        ("level>=wran", "\"wran\" is not a level: did you mean warn? at column 8"),
        (
            "x level:loud",
            "\"loud\" is not a level: use one of trace, debug, info, notice, warn, error, fatal at column 9",
        ),
        ("-host:", "host: needs a name or a pattern, as in host:web-* at column 7"),
        ("host:[", "\"[\" is not a pattern: unclosed character class; missing ']' at column 6"),
    ];
    for (text, expected) in table {
        let error = Query::parse(text).map(|_| ()).expect_err(text);
        assert_eq!(error.to_string(), expected, "{text}");
    }
    assert!(Query::parse(&"x".repeat(MAX_QUERY_BYTES)).is_ok());
    assert_eq!(Query::parse(&"x".repeat(MAX_QUERY_BYTES + 1)).map_err(|error| error.at), Err(MAX_QUERY_BYTES));
}

#[test]
fn what_was_found_is_marked_once() {
    let marks = |text: &str, shown: &str| -> Vec<String> {
        query(text).highlights(shown).into_iter().map(|range| shown[range].to_owned()).collect()
    };
    assert_eq!(marks("cart fail", "Cart: cart FAILED"), ["Cart", "cart", "FAIL"]);
    assert_eq!(marks("abc bcd", "xabcdx"), ["abcd"]);
    assert_eq!(marks("/x*/", "axxb"), ["xx"]);
    assert_eq!(marks("/(?-u)[^a]/", "aü"), Vec::<String>::new());
    assert_eq!(marks("-cart level:error host:a", "cart ERROR a"), Vec::<String>::new());
}

#[test]
fn only_a_query_without_terms_is_empty() {
    assert!(Query::default().is_empty() && query(" ").is_empty());
    assert!(!query("host:*").is_empty());
}

proptest! {
    #[test]
    fn any_text_is_a_query_or_an_error_within_it(text in "\\PC{0,40}", quirky in "[-\"/\\\\ ialevh:ost>=<*(]{0,20}") {
        for text in [text, quirky] {
            match Query::parse(&text) {
                Ok(query) => prop_assert_eq!(Query::parse(&query.to_string()), Ok(query)),
                Err(error) => prop_assert!(text.is_char_boundary(error.at), "{text:?} {error}"),
            }
        }
    }

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
    fn marks_are_sorted_apart_and_within_the_text(text in "[ab/.*]{1,6}", shown in "[abü]{0,20}") {
        if let Ok(query) = Query::parse(&text) {
            let mut end = 0;
            for (index, range) in query.highlights(&shown).into_iter().enumerate() {
                prop_assert!(range.start < range.end && (index == 0 || range.start > end), "{range:?}");
                prop_assert!(shown.get(range.clone()).is_some());
                end = range.end;
            }
        }
    }
}
