//! A buffer is searched faster than its lines are asked one by one, with the same result.

use proptest::prelude::*;

use super::super::*;
use super::{now, print, subject};

/// Lines, each alone asked.
fn one_by_one(query: &Query, block: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < block.len() {
        let end = block[at..]
            .iter()
            .position(|&b| b == b'\n')
            .map_or(block.len(), |length| at + length);
        let line = block[at..end]
            .strip_suffix(b"\r")
            .unwrap_or(&block[at..end]);
        if query.matches(&subject(line)) {
            found.push(at..at + line.len());
        }
        at = end + 1;
    }
    found
}

#[test]
fn lines_are_found_without_their_ends() {
    let block = b"one cart\r\ntwo\n\nthree CART x\ncart";
    let found = |text: &str| -> Vec<&str> {
        let query = super::query(text);
        let ranges: Vec<Range<usize>> = query.find_lines(block, subject).collect();
        ranges
            .into_iter()
            .map(|range| std::str::from_utf8(&block[range]).expect("text"))
            .collect()
    };
    assert_eq!(found("cart"), ["one cart", "three CART x", "cart"]);
    assert_eq!(found("CART"), ["three CART x"]);
    assert_eq!(found("/t$/"), ["one cart", "cart"]);
    assert_eq!(found("-cart"), ["two", ""]);
    assert_eq!(found("host:web-1").len(), 5);
    assert_eq!(found("\"t\\r\""), Vec::<&str>::new());
}

fn line() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&'static [u8]> = vec![
        b"a",
        b"b",
        b"A",
        b"ab",
        b"cart",
        b"Cart",
        b"error",
        b" ",
        b" ",
        b"\n",
        b"\n",
        b"\r\n",
        b"\r",
        b"\"",
        b"a:b",
        b"a=b",
        b"a=1",
        b"{\"a\":\"b\"}",
        b"\xff",
        "größe".as_bytes(),
        "GRÖßE".as_bytes(),
        b"\\u0061",
        b"/",
        b".",
        b"-",
        b"\0",
        b"500",
    ];
    prop::collection::vec(prop::sample::select(pieces), 0..30).prop_map(|pieces| pieces.concat())
}

fn text() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "a",
        "A",
        "ab",
        "cart",
        "Cart",
        "-cart",
        "OR",
        "größe",
        "/a.b/",
        "/^a/",
        "/b$/",
        "/\\s/",
        "/(?i)CART|error/",
        "/[ab]+/",
        "a:b",
        "a=b",
        "a>=1",
        "a:*",
        "level:error",
        "-a",
        "(a OR cart)",
        "since:1h",
        "/a\\nb/",
        "/\\Aa/",
        "/cart/i",
        "x:a*",
        "500",
        "\"a b\"",
        "a!=b",
    ]);
    prop::collection::vec(word, 1..5).prop_map(|words| words.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_buffer_has_the_lines_that_match_one_by_one(block in line(), text in text()) {
        if let Ok(query) = Query::parse(&text, &now()) {
            let found: Vec<Range<usize>> = query.find_lines(&block, subject).collect();
            prop_assert_eq!(found, one_by_one(&query, &block), "{}", text);
        }
    }

    #[test]
    fn so_it_is_for_any_query(block in line(), expr in print::expr()) {
        if let Ok(query) = Query::parse(&expr.to_string(), &now()) {
            let found: Vec<Range<usize>> = query.find_lines(&block, subject).collect();
            prop_assert_eq!(found, one_by_one(&query, &block), "{}", query);
        }
    }
}
