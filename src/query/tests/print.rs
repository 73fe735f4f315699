//! A query printed is a query that means the same.

use jiff::civil;
use proptest::prelude::*;

use super::super::*;
use super::now;
use crate::model::level::Level;

fn printed(text: &str) -> String {
    super::query(text).to_string()
}

#[test]
fn a_query_prints_as_it_was_understood() {
    for (text, expected) in [
        ("  cart   failed ", "cart failed"),
        ("\"cart\"", "cart"),
        ("\"no stock\"", "\"no stock\""),
        ("a AND b OR c", "a b OR c"),
        ("a (b OR c)", "a (b OR c)"),
        ("(a b) OR (c)", "a b OR c"),
        ("((a)) (b c)", "a b c"),
        ("NOT a", "-a"),
        ("NOT (a b)", "-(a b)"),
        ("NOT NOT a", "-(-a)"),
        (
            "\"OR\" \"-x\" \"(a)\" \"a:b\"",
            "\"OR\" \"-x\" \"(a)\" \"a:b\"",
        ),
        ("level=err level:*", "level:error level>=trace"),
        ("host:web-* host!=\"a b\"", "host:web-* -host:\"a b\""),
        ("/a\\/b/i", "/a\\/b/i"),
        ("/a/b/", "/a\\/b/"),
        ("status:>=500 took<1.5s", "status>=500 took<1.5s"),
        (
            "msg:\"no stock\"* a:\"*\" \"odd name\":x",
            "msg:\"no stock\"* a:\"*\" \"odd name\":x",
        ),
        (".level:x", ".level:x"),
        ("a:** b:\"\"", "a:* b:\"\""),
        ("since:\"2026-11-20 13:00\"", "since:2026-11-20T13:00"),
        ("2026-11-20 13:00..13:05", "2026-11-20T13:00..13:05"),
        ("since:\"yesterday 03:14\"", "since:yesterdayT03:14"),
        (
            "since:yesterday 03:14 until:\"today 3:14\"",
            "since:yesterdayT03:14 until:todayT03:14",
        ),
        ("yesterday 03:14..04:00 x", "yesterdayT03:14..04:00 x"),
        (
            "yesterday 03:14..yesterday 04:00",
            "yesterdayT03:14..yesterdayT04:00",
        ),
        ("yesterday 03:14", "yesterday \"03:14\""),
        ("2026-11-20 x", "\"2026-11-20\" x"),
        ("2h..1h", "-2h..-1h"),
        ("-(-2h..-1h)", "-(-2h..-1h)"),
        ("yesterday \"today\"", "yesterday \"today\""),
        ("..13:00", "until:13:00"),
        ("--verbose", "--verbose"),
    ] {
        assert_eq!(printed(text), expected, "{text}");
        assert_eq!(printed(expected), expected);
    }
}

/// Texts that want quoting, among others.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,6}",
        "[-\"/\\\\ ()*:=<>!.a1A@_|~]{1,8}",
        prop::sample::select(vec![
            "OR",
            "AND",
            "NOT",
            "-",
            "--",
            "today",
            "yesterday",
            "13:00",
            "2026-11-20",
            "level:error",
            "a:b",
            "1h..2h",
            "/x/",
            "/x",
            "C:\\",
            "\\",
            "\"",
            "since:",
            "host",
            ".a:b",
            "x)",
            "(x",
            "13:00..",
            "größe",
            "a\nb",
            "\u{85}",
        ])
        .prop_map(str::to_owned),
        "\\PC{1,6}",
    ]
}

fn pattern() -> impl Strategy<Value = RegexPattern> {
    let text = prop_oneof![
        "[a-z/ .*]{1,8}",
        "[ab/\"() \\\\|+.]{1,8}",
        Just("[/]a/ b".to_owned())
    ];
    (text, any::<bool>()).prop_filter_map("an expression", |(text, either_case)| {
        // A backslash before a slash is left out when an expression is read.
        let pattern = RegexPattern {
            text: text.replace("\\/", "/"),
            either_case,
        };
        expression::regex(&pattern)
            .ok()
            .filter(|_| !pattern.text.contains("\\/"))
            .map(|_| pattern)
    })
}

fn pieces() -> impl Strategy<Value = Vec<ValuePiece>> {
    (prop::collection::vec(text(), 0..3), any::<(bool, bool)>()).prop_map(
        |(texts, (before, after))| {
            let mut pieces: Vec<ValuePiece> =
                before.then_some(ValuePiece::Any).into_iter().collect();
            for (index, text) in texts.into_iter().enumerate() {
                pieces.extend((index > 0).then_some(ValuePiece::Any));
                pieces.push(ValuePiece::Text(text));
            }
            if after && pieces.last() != Some(&ValuePiece::Any) {
                pieces.push(ValuePiece::Any);
            }
            pieces
        },
    )
}

fn order() -> impl Strategy<Value = ComparisonOp> {
    prop::sample::select(vec![
        ComparisonOp::Below,
        ComparisonOp::AtMost,
        ComparisonOp::AtLeast,
        ComparisonOp::Above,
    ])
}

fn field() -> impl Strategy<Value = FieldTest> {
    let name = prop_oneof!["[a-z_@][a-z0-9_.@-]{0,6}", "level|host|since", "a", text()];
    let number = prop::sample::select(vec!["5", "-1.5", "2e3", "1.5ms", "10KiB", "+3"]);
    let number = number.prop_filter_map("a number", WrittenNumber::parse);
    let test = prop_oneof![
        pieces().prop_map(ValueTest::Like),
        prop_oneof![text(), Just(String::new())].prop_map(ValueTest::Is),
        text().prop_map(ValueTest::IsNot),
        (order(), number).prop_map(|(order, number)| ValueTest::Number(order, number)),
    ];
    (name, test).prop_map(|(name, test)| FieldTest { name, test })
}

fn when() -> impl Strategy<Value = WrittenTime> {
    let time = (
        0..24_i8,
        0..60_i8,
        0..60_i8,
        prop_oneof![Just(0), 0..1_000_000_000],
    );
    let time = time
        .prop_filter_map("a time", |(h, m, s, n)| civil::Time::new(h, m, s, n).ok())
        .boxed();
    let day = (0..=9999_i16, 1..=12_i8, 1..=28_i8)
        .prop_filter_map("a day", |(y, m, d)| civil::Date::new(y, m, d).ok());
    let day = day.boxed();
    let moment = (0..4_000_000_000_i64)
        .prop_filter_map("a moment", |s| jiff::Timestamp::from_second(s).ok());
    prop_oneof![
        Just(WrittenTime::Now),
        prop::sample::select(vec![
            "friday",
            "last friday",
            "Nov 20 13:00:01",
            "11/12/2026 10:00:00",
            "13:00:00 UTC",
            "Nov 27"
        ])
        .prop_filter_map("a time", WrittenTime::parse),
        Just(WrittenTime::Named(NamedDay::Today)),
        Just(WrittenTime::Named(NamedDay::Yesterday)),
        (0..10_000_000_u64).prop_map(WrittenTime::Ago),
        day.clone().prop_map(WrittenTime::Day),
        time.clone().prop_map(WrittenTime::TimeOfDay),
        time.clone()
            .prop_map(|time| WrittenTime::NamedAt(NamedDay::Today, time)),
        time.clone().prop_map(|time| WrittenTime::NamedAt(
            NamedDay::LastWeekday(jiff::civil::Weekday::Friday),
            time
        )),
        (day, time).prop_map(|(day, time)| WrittenTime::Local(day.to_datetime(time))),
        moment.prop_map(WrittenTime::Moment),
    ]
}

fn span() -> impl Strategy<Value = TimeSpan> {
    prop_oneof![
        when().prop_map(|from| TimeSpan {
            from: Some(from),
            to: None
        }),
        when().prop_map(|to| TimeSpan {
            from: None,
            to: Some(to)
        }),
        (when(), when()).prop_map(|(from, to)| TimeSpan {
            from: Some(from),
            to: Some(to)
        }),
    ]
}

fn term() -> impl Strategy<Value = QueryTerm> {
    let glob = prop_oneof!["[a-z*-]{1,6}", "[a-z\\[\\] (){}\"?*]{1,6}"];
    let glob = glob
        .prop_filter("a glob", |glob| expression::glob(glob).is_ok())
        .boxed();
    let order_of_levels = prop_oneof![
        order(),
        Just(ComparisonOp::Equal),
        Just(ComparisonOp::Unequal)
    ];
    let level = (order_of_levels, prop::sample::select(Level::ALL.to_vec()));
    prop_oneof![
        4 => text().prop_map(QueryTerm::Text),
        1 => pattern().prop_map(QueryTerm::Regex),
        1 => glob.clone().prop_map(QueryTerm::Host),
        1 => glob.prop_map(QueryTerm::Source),
        1 => level.prop_map(|(order, level)| QueryTerm::Level(order, level)),
        3 => field().prop_map(QueryTerm::Field),
        2 => span().prop_map(QueryTerm::Time),
    ]
}

/// Expressions as the parser makes them, without parentheses that mean nothing.
pub(super) fn expr() -> impl Strategy<Value = QueryExpr> {
    term()
        .prop_map(QueryExpr::Term)
        .prop_recursive(4, 16, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 1..4).prop_map(QueryExpr::all),
                prop::collection::vec(inner.clone(), 1..4).prop_map(QueryExpr::any),
                inner.prop_map(|inner| QueryExpr::Not(Box::new(inner))),
            ]
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_printed_expression_reads_back_as_itself(expr in expr()) {
        let text = expr.to_string();
        let read = parse::expression(&text, None);
        prop_assert_eq!(read.as_ref(), Ok(&expr), "{}", text);
        prop_assert_eq!(expr.to_string(), text);
    }

    #[test]
    fn any_text_is_a_query_or_an_error_within_it(
        text in "\\PC{0,40}",
        quirky in "[-\"/\\\\ ialevh:ost>=<*(.)0-9T|!ORAND]{0,24}",
    ) {
        for text in [text, quirky] {
            match Query::parse(&text, &now()) {
                Ok(query) => {
                    let printed = query.to_string();
                    let again = Query::parse(&printed, &now());
                    prop_assert_eq!(again.as_ref(), Ok(&query), "{} {}", text, printed);
                    prop_assert_eq!(query.to_string(), printed);
                }
                Err(error) => {
                    prop_assert!(text.get(error.span.clone()).is_some(), "{text:?} {error}");
                    prop_assert_eq!(error.picture(&text).lines().count(), 2);
                }
            }
        }
    }
}
