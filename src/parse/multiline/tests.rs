//! Lines in, beginnings of records out.

use proptest::prelude::*;

use super::*;
use crate::model::time::{HostClock, Time};
use crate::parse::timestamp::TimestampReader;

/// The lines of a text that go on with the record before them, marked with `|`, the others with
/// `>`; behind lines that establish that records of the source have stamps, where `stamped`.
fn joined(text: &str) -> String {
    let mut stamper = TimestampReader::new(&HostClock::fixed(0));
    let mut joiner = RecordJoiner::default();
    text.lines()
        .map(|line| {
            let line = line.strip_prefix(['>', '|']).unwrap_or(line);
            let span = stamper
                .stamp(line.as_bytes(), Time(1_795_200_000_000_000_000))
                .span;
            let continues = joiner.continues(line.as_bytes(), span);
            format!("{}{line}\n", if continues { '|' } else { '>' })
        })
        .collect()
}

/// Each line begins with `>` or `|`, as it should be told.
fn holds(text: &str) {
    let text: String = text.lines().map(|line| format!("{line}\n")).collect();
    assert_eq!(joined(&text), text);
}

#[test]
fn a_stack_trace_of_java_belongs_to_the_line_that_logged_it() {
    holds(
        "\
>2026-11-20 13:00:00,123 ERROR [main] shop.Cart - cannot add
|java.lang.IllegalStateException: no such item
|\tat shop.Cart.add(Cart.java:12)
|\tat shop.Main.main(Main.java:3)
|Caused by: java.io.IOException: 2026-11-20 12:00:00 is over
|\tat shop.Db.get(Db.java:7)
|\t... 12 more
>2026-11-20 13:00:01,123 INFO [main] shop.Cart - added",
    );
    holds(
        "\
>starting
>Exception in thread \"main\" java.lang.IllegalStateException: x
|\tat shop.Main.main(Main.java:3)
>done",
    );
    holds(
        "\
>ERROR shop.Cart - cannot add
|java.lang.IllegalStateException: x
|\tat shop.Main.main(Main.java:3)
>INFO shop.Cart - added",
    );
}

#[test]
fn a_traceback_of_python_ends_with_the_name_of_the_exception() {
    holds(
        "\
>ready
>Traceback (most recent call last):
|  File \"/srv/shop/cart.py\", line 3, in add
|    raise KeyError(sku)
|KeyError: 'x'
|
|During handling of the above exception, another exception occurred:
|
|Traceback (most recent call last):
|  File \"/srv/shop/cart.py\", line 9, in add
|shop.NoSuchSku: x
>ready again",
    );
    holds(
        "\
>2026-11-20 13:00:00,123 ERROR cannot add
|Traceback (most recent call last):
|  File \"/srv/shop/cart.py\", line 3, in add
|KeyError: 'x'
>2026-11-20 13:00:01,123 INFO next",
    );
}

#[test]
fn a_dump_of_goroutines_belongs_to_the_panic() {
    holds(
        "\
>2026-11-20 13:00:00 ready
>panic: runtime error: index out of range [3] with length 3
|
|goroutine 1 [running]:
|main.main()
|\t/srv/shop/main.go:8 +0x1d
|created by main.start
|\t/srv/shop/main.go:4 +0x1d
|exit status 2
>2026-11-20 13:00:01 ready",
    );
}

#[test]
fn panics_of_rust_and_traces_of_node_php_and_net_stay_whole() {
    holds(
        "\
>listening
>thread 'main' panicked at src/main.rs:2:5:
|index out of bounds: the len is 3
|note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
>listening",
    );
    holds(
        "\
>/srv/shop/cart.js:3
|    throw new TypeError('x')
|    ^
|
|TypeError: x
|    at add (/srv/shop/cart.js:3:11)
|    at main {
|  code: 7
|}
|
|Node.js v20.20.2
>listening",
    );
    holds(
        "\
>PHP Fatal error:  Uncaught Exception: x in /srv/shop/cart.php:3
|Stack trace:
|#0 /srv/shop/cart.php(9): add()
|#1 {main}
|  thrown in /srv/shop/cart.php on line 3
>PHP Notice:  x",
    );
    holds(
        "\
>Unhandled exception. System.InvalidOperationException: x
|   at Shop.Cart.Add() in /srv/shop/Cart.cs:line 3
|   --- End of inner exception stack trace ---
>ready",
    );
}

#[test]
fn the_second_line_of_java_util_logging_states_the_level_of_the_first() {
    holds(
        "\
>2026-11-20 13:00:00 shop.Cart add
|WARNING: cannot add
>2026-11-20 13:00:01 shop.Cart add
|INFO: added",
    );
    holds(
        "\
>2026-11-20 13:00:00 INFO shop.Cart add
>WARNING: this is of somebody else",
    );
}

#[test]
fn the_rest_of_a_statement_and_what_postgresql_adds_belong_to_the_message() {
    holds(
        "\
>2026-11-20 13:00:00.123 UTC [77] ERROR:  syntax error at or near \"selec\"
|2026-11-20 13:00:00.123 UTC [77] HINT:  select
|2026-11-20 13:00:00.123 UTC [77] STATEMENT:  selec
|\t1
|from x
>2026-11-20 13:00:01.123 UTC [77] LOG:  ready",
    );
}

#[test]
fn lines_without_stamps_are_records_of_their_own_where_none_has_one() {
    holds(">one\n>two\n|  of two\n|\tof two\n>three\n>{\"a\":1}\n>{\"a\":2}\n>four");
    holds(">{\n|  \"a\": 1,\n|  \"b\": [\n|  ]\n|}\n>{\n|  \"a\": 2\n|}");
}

#[test]
fn records_that_begin_with_a_level_need_no_stamps() {
    holds(">INFO:shop:ready\n>WARNING:shop:low\n>ERROR:shop:two lines\n|of text\n>INFO:shop:done");
}

#[test]
fn queries_of_mysql_are_records_whether_or_not_they_begin_a_second() {
    holds(
        "\
># Time: 261120 13:31:01
|# User@Host: root[root] @ localhost []
|SET timestamp=1795199461;
|select 1;
># User@Host: root[root] @ localhost []
|SET timestamp=1795199461;
|update x
|set y = 1;
># User@Host: root[root] @ localhost []
|select 2;",
    );
    holds(
        "\
>2026-11-20 13:31:01\t     3 Connect\troot@localhost
>\t\t     3 Query\tselect 1
|\tfrom x
>\t\t     3 Quit\t",
    );
}

#[test]
fn objects_and_markup_that_a_message_prints_belong_to_it() {
    let head = "2026-11-20 13:00:00 INFO request\n";
    holds(&format!(
        ">{head}>{head}|<soap:Envelope>\n|</soap:Envelope>\n>{head}|{{\"a\":1}}\n>{{\"level\":\"warn\"}}\n><13>x"
    ));
}

#[test]
fn text_behind_a_stack_is_the_programs_next_word() {
    holds(
        "\
>[2026-11-20T18:34:59.868Z] order 2 failed TypeError: x
|    at deep (/srv/shop/cart.js:3:57)
>order 3 placed
>order 4 placed",
    );
    holds(
        ">debug1: one\n>debug1: two\n>debug1: three\n>Server listening on 10.0.0.1\n>debug1: four\n|more of it",
    );
}

#[test]
fn a_banner_with_a_stamp_does_not_swallow_what_follows() {
    for stamped in [1, 3] {
        let text = format!(
            "{}{}",
            "2026-11-20 13:00:00 started\n".repeat(stamped),
            "job done\n".repeat(40)
        );
        let marks: String = joined(&text)
            .lines()
            .filter_map(|line| line.chars().next())
            .collect();
        assert_eq!(
            marks,
            format!(
                "{}{}{}",
                ">".repeat(stamped),
                "|".repeat(8 * stamped),
                ">".repeat(40 - 8 * stamped)
            )
        );
    }
}

#[test]
fn traces_in_syslog_belong_to_the_line_of_the_same_process() {
    holds(
        "\
>Nov 20 13:00:00 web-1 shop[811]: Traceback (most recent call last):
|Nov 20 13:00:00 web-1 shop[811]:   File \"/srv/shop/cart.py\", line 3, in add
>Nov 20 13:00:00 web-1 cron[4]:   indented
>Nov 20 13:00:00 web-1 shop[811]:     raise
>Nov 20 13:00:00 web-1 shop[811]: ready",
    );
}

#[test]
fn lines_of_containers_are_joined_where_the_wrapper_or_their_text_says_so() {
    holds(
        "\
>2026-11-20T13:00:00.123456789Z stdout P the first half
|2026-11-20T13:00:00.123456789Z stdout F  and the second
>2026-11-20T13:00:01.123456789Z stderr F java.lang.IllegalStateException: x
|2026-11-20T13:00:01.123456789Z stderr F \tat shop.Main.main(Main.java:3)
>2026-11-20T13:00:01.123456789Z stdout F ready",
    );
}

#[test]
fn a_record_has_an_end() {
    let mut joiner = RecordJoiner::default();
    joiner.continues(b"one", None);
    let joined = (0..MAX_LINES)
        .take_while(|_| joiner.continues(b"\tat x", None))
        .count();
    assert_eq!(joined, MAX_LINES as usize - 1);
    joiner.continues(&[b'x'; 10], None);
    assert!(joiner.continues(b" y", None));
    assert!(!joiner.continues(&[b' '; MAX_BYTES], None));
}

#[test]
fn nothing_is_joined_over_a_gap() {
    let mut joiner = RecordJoiner::default();
    joiner.continues(b"one", None);
    joiner.cut();
    assert!(!joiner.continues(b"\tat x", None));
    assert!(joiner.continues(b"\tat y", None));
}

proptest! {
    #[test]
    fn any_lines_are_survived(lines in prop::collection::vec((any::<Vec<u8>>(), any::<Option<(u8, u8)>>()), 0..50)) {
        let mut joiner = RecordJoiner::default();
        for (line, stamp) in &lines {
            joiner.continues(line, stamp.map(|(start, len)| usize::from(start)..usize::from(start) + usize::from(len)));
        }
    }
}

#[test]
fn a_record_begins_with_the_line_of_its_frame() {
    holds(
        "\
>--c7036611-A--
|[20/Nov/2026:13:00:00 +0000] VkdRbX8 192.0.2.1 50123 10.0.0.1 80
|--c7036611-B--
|POST /?id=0 HTTP/1.1
|Host: shop.example.com
|
|--c7036611-C--
|--boundary
|Content-Disposition: form-data
|--c7036611-F--
|Date: Fri, 20 Nov 2026 13:00:00 GMT
|--c7036611-Z--
|
>--d8147722-A--
|[20/Nov/2026:13:00:07 +0000] VkdRbX9 192.0.2.1 50123 10.0.0.1 80
|--d8147722-Z--",
    );
    holds(
        "\
>** Alert 1795179601.1000: - syslog,sshd,
|2026 Nov 20 13:00:01 web1->/var/log/auth.log
|Rule: 5710 (level 5) -> 'Attempt to login using a non-existent user'
|Nov 20 13:00:00 web1 sshd[811]: Invalid user admin
|
>** Alert 1795179701.1400: - syslog,sshd,
|2026 Nov 20 13:01:41 web1->/var/log/auth.log",
    );
}

#[test]
fn a_line_that_a_stamp_follows_each_time_is_found_to_begin_records() {
    for separator in ["==== entry {} ====", "-----", "### request {}", "*** {}"] {
        let record = |n: usize, marks: [char; 2]| {
            let line = separator.replace("{}", &n.to_string());
            format!(
                "{}{line}\n{}2026-11-20 13:00:{n:02} INFO order\n",
                marks[0], marks[1]
            )
        };
        let mut stamper = TimestampReader::new(&HostClock::fixed(0));
        let mut joiner = RecordJoiner::default();
        let text: String = (0..8).map(|n| record(n, ['>', '|'])).collect();
        let marks: Vec<bool> = text
            .lines()
            .map(|line| {
                let line = &line.as_bytes()[1..];
                let span = stamper.stamp(line, Time(1_795_200_000_000_000_000)).span;
                joiner.continues(line, span)
            })
            .collect();
        // The first two show it.
        assert!(
            marks[6..].chunks(2).all(|pair| pair == [false, true]),
            "{separator} {marks:?}"
        );
    }
    holds(
        "\
>2026-11-20 13:00:00 INFO a
|----------
>2026-11-20 13:00:01 INFO b
>2026-11-20 13:00:02 INFO c
|----------
>2026-11-20 13:00:03 INFO d",
    );
}

#[test]
fn an_object_or_element_that_is_printed_over_several_lines_is_one_record() {
    holds(
        "\
>{
|  \"level\": \"error\",
|  \"timestamp\": \"2026-11-20T13:00:00Z\",
|  \"context\": {
|    \"due\": \"2026-12-24T13:00:00Z\"
|  },
|  \"message\": \"no stock\"
|}
>{
|  \"timestamp\": \"2026-11-20T13:00:01Z\"
|}",
    );
    holds(
        "\
><record>
|  <date>2026-11-20T13:00:00.123Z</date>
|  <level>INFO</level>
|  <message>first
|second
|</message>
|</record>
><record>
|  <date>2026-11-20T13:00:01.123Z</date>
|</record>",
    );
}
