//! How queries are written, for people: one table for the help, the manual, the console and the
//! README.

/// Terms by example, with what they mean.
pub const LANGUAGE: &[(&str, &str)] = &[
    (
        "cart failed",
        "both words, wherever they stand; lower case matches either case",
    ),
    ("Cart", "with a capital letter: exactly so"),
    ("\"no stock\"", "a phrase; what is in quotes is always text"),
    (
        "/time.?out$/i",
        "a regular expression within a line; with i in either case",
    ),
    ("-healthz", "not; also NOT, and before a group"),
    (
        "cart OR (order -test)",
        "one of both; what stands side by side binds more, as with AND",
    ),
    (
        "level>=warn",
        "trace debug info notice warn error fatal, with : = != > >= < <=",
    ),
    (
        "host:web-* source:nginx*",
        "names of hosts and of sources, as patterns",
    ),
    (
        "status:502 path:/api/*",
        "a field has this value; * is any text",
    ),
    ("user=Ann", "a field is exactly this"),
    ("user!=Ann", "a field is there and is something else"),
    (
        "status>=500 took>1.5s",
        "numbers, durations and sizes (10MiB), each with its like",
    ),
    ("trace_id:*", "a line has such a field"),
    (
        ".level:x \"a name\":x",
        "a field whose name would mean something else, or is no word",
    ),
    (
        "since:15m until:13:05",
        "from then on; before then; also 2 hours ago, friday 10:00 PM",
    ),
    (
        "13:00..13:05 -2h..-1h",
        "between two times; either may be left out",
    ),
    (
        "2026-11-20 13:00..13:05",
        "on that day; also 2026-11-19..2026-11-20, with both days",
    ),
    ("yesterday", "a whole day; also today"),
];

/// What the table has no room for, in paragraphs.
pub const NOTES: &[&str] = &[
    "Everyday text needs no quotes: 10.0.0.1:8080, http://x/y, 12:34:56, C:\\x, std::io and /api/users are text. In a \
     line that has no field of that name, name:value and name=value are found as text that no letter or digit touches, \
     so that localhost:8080 is found anywhere.",
    "What is copied from a line finds that line: a query without times is also looked for as it was typed, as a whole \
     and apart from other words, so that -Xmx512m or error -healthz finds the line in which just that stands. Commas \
     and brackets around a value are no part of it (rip=192.0.2.1, or user=<ann>); quotes and parentheses that are not \
     closed are text. Where nothing matches, it is said how the query was read.",
    "In quotes \\\" is a quote and \\\\ a backslash. Regular expressions are those of Rust's regex crate, without \
     look-around and back references; ^ and $ are the ends of a line.",
    "A stack trace, and whatever else goes on with the line before it, is one record with that line. It matches as a \
     whole: words may stand in different lines of it, and all of its lines are kept or none. A search stops at the lines \
     in which something was found.",
    "A line without a level, or without the field, is in no relation to any; -level>=warn finds it and level<warn does \
     not. name:value looks at case as words do, name=value always.",
    "Times may be written as a log has them: 20/Nov/2026:13:00:00 +0000, Nov 20 13:00:00, 1795179601. They are in your \
     zone unless they say another (2026-11-20T13:00Z), and relative to the moment at which the query \
     was given. A time of day alone is the last one that has passed. A range begins with its first moment and ends \
     before its last; a day as its end is meant with all of it.",
    "A query has at most 4096 bytes, 64 terms and 16 regular expressions. It is data: nothing of it is executed on a \
     host.",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{Query, ReferenceTime};

    #[test]
    fn every_example_is_a_query() {
        for (example, _) in LANGUAGE {
            let query = Query::parse(example, &ReferenceTime::default())
                .unwrap_or_else(|error| panic!("{example}: {error}"));
            assert!(!query.is_empty(), "{example}");
        }
    }

    #[test]
    fn the_limits_are_those_that_are_held() {
        let notes = NOTES.join(" ");
        for limit in [
            super::super::MAX_QUERY_BYTES,
            super::super::MAX_TERMS,
            super::super::MAX_REGEXES,
        ] {
            assert!(notes.contains(&limit.to_string()), "{limit}");
        }
    }
}
