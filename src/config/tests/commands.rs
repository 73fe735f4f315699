//! What subcommands mean: times, pages, buckets, and what is refused.

use std::path::Path;

use clap::Parser as _;
use jiff::tz::TimeZone;

use super::*;
use crate::config::{RunPlan, load};

/// 2026-11-20T13:30:00Z, a Friday, in a zone one hour east.
fn env() -> ProcessEnvironment {
    let at = "2026-11-20T13:30:00Z".parse().expect("a moment");
    let zone = TimeZone::fixed(jiff::tz::offset(1));
    ProcessEnvironment {
        now: ReferenceTime {
            time: Time::from_timestamp(at),
            zone,
        },
        ..ProcessEnvironment::default()
    }
}

fn plan(line: &str) -> Result<RunPlan, String> {
    let words = ["logtrail-tui"]
        .into_iter()
        .chain(line.split('|').map(str::trim));
    let args = CliArgs::try_parse_from(words).map_err(|error| error.to_string())?;
    load(&args, &env()).map_err(|error| error.to_string())
}

fn asked(line: &str) -> RequestTask {
    match plan(line).expect("a plan").task {
        RunTask::Ask(asked) => *asked,
        other => panic!("{other:?}"),
    }
}

fn search_of(line: &str) -> SearchRequest {
    match asked(line).asks.remove(0).what {
        RequestKind::Search(search) => search,
        other => panic!("{other:?}"),
    }
}

fn page_of(line: &str) -> PageRequest {
    match asked(line).asks.remove(0).what {
        RequestKind::Page(page) => page,
        other => panic!("{other:?}"),
    }
}

fn text(time: Time) -> String {
    match time {
        Time(i64::MIN | i64::MAX) => "-".to_owned(),
        time => time.to_timestamp().to_string(),
    }
}

#[test]
fn times_are_those_of_queries_and_days_with_a_time() {
    for (options, from, to) in [
        ("--since|15m", "2026-11-20T13:15:00Z", "-"),
        (
            "--since|-2h|--until|-1h",
            "2026-11-20T11:30:00Z",
            "2026-11-20T12:30:00Z",
        ),
        ("--since|03:14", "2026-11-20T02:14:00Z", "-"),
        ("--since|yesterday 03:14", "2026-11-19T02:14:00Z", "-"),
        (
            "--since|yesterday 23:00|--until|1:00",
            "2026-11-19T22:00:00Z",
            "2026-11-20T00:00:00Z",
        ),
        ("--since|today  9:00:30", "2026-11-20T08:00:30Z", "-"),
        (
            "--since|yesterday|--until|yesterday",
            "2026-11-18T23:00:00Z",
            "2026-11-19T23:00:00Z",
        ),
        (
            "--until|2026-11-20T13:00:00+00:00",
            "-",
            "2026-11-20T13:00:00Z",
        ),
        ("--since|2026-11-20 13:00", "2026-11-20T12:00:00Z", "-"),
    ] {
        let window = search_of(&format!("search|x|{options}")).window;
        assert_eq!(
            (text(window.start), text(window.end)),
            (from.to_owned(), to.to_owned()),
            "{options}"
        );
    }
}

#[test]
fn the_times_of_the_query_and_of_the_options_narrow_each_other() {
    let window = search_of("search|x since:2h|--since|1h|--until|30m").window;
    assert_eq!(
        (text(window.start), text(window.end)),
        ("2026-11-20T12:30:00Z".into(), "2026-11-20T13:00:00Z".into())
    );
    let error = plan("search|x until:2h|--since|1h").expect_err("no line can match");
    assert_eq!(
        error,
        "QUERY: the times in it and in the options exclude each other: no line can match"
    );
}

#[test]
fn words_of_a_query_must_all_hold_and_context_is_as_of_grep() {
    let search = search_of("search|no|stock|-C|3|-A|1");
    assert_eq!(
        (
            search.query.to_string().as_str(),
            search.before,
            search.after
        ),
        ("no stock", 3, 1)
    );
    assert!(search.newest_first && !search.count_only && search.limit.is_none());
    let search = search_of("search|--count|--limit|7|--|-healthz");
    assert_eq!(
        (
            search.query.to_string().as_str(),
            search.limit,
            search.count_only
        ),
        ("-healthz", Some(7), true)
    );
}

#[test]
fn standard_input_cannot_be_searched_and_a_minus_can_be_looked_for() {
    for line in [
        "search|-|word",
        "search|word|-",
        "search|-",
        "histogram|-|word",
    ] {
        let error = plan(line).expect_err(line);
        assert!(
            error.starts_with("QUERY: of standard input (-) nothing is kept"),
            "{line}: {error}"
        );
        assert!(
            error.contains("logtrail-tui - --once --grep QUERY"),
            "{line}: {error}"
        );
    }
    assert_eq!(search_of("search|\"-\"|word").query.to_string(), "- word");
    assert_eq!(search_of("search|a - b").query.to_string(), "a - b");
}

#[test]
fn a_page_begins_where_it_is_asked_to_and_is_whole_between_two_times() {
    let at: Time = Time::from_timestamp("2026-11-20T02:14:00Z".parse().expect("a moment"));
    let place: LineRef = "fe01.2a.77.d0625e31".parse().expect("a cursor");
    for (line, start, backwards, lines) in [
        ("read", PageStart::Oldest, false, 100),
        ("read|-n|5|--backwards", PageStart::Newest, true, 5),
        ("read|--at|03:14", PageStart::At(at), false, 100),
        ("read|--at|03:14|--backwards", PageStart::At(at), true, 100),
        (
            "read|--at|03:14|--until|04:00",
            PageStart::At(at),
            false,
            u32::MAX,
        ),
        (
            "read|--since|03:14|--until|04:00|-n|9",
            PageStart::At(at),
            false,
            9,
        ),
        ("read|--since|03:14", PageStart::At(at), false, 100),
        (
            "read|--cursor|fe01.2a.77.d0625e31|--backwards",
            PageStart::Cursor(place),
            true,
            100,
        ),
        (
            "read|--after|fe01.2a.77.d0625e31",
            PageStart::After(place),
            false,
            100,
        ),
    ] {
        let page = page_of(line);
        assert_eq!(
            (page.start, page.backwards, page.lines),
            (start, backwards, lines),
            "{line}"
        );
    }
}

#[test]
fn context_is_the_page_before_a_line_and_the_one_that_begins_with_it() {
    let asks = asked("context|fe01.2a.77.d0625e31|-C|4").asks;
    let pages: Vec<_> = asks
        .iter()
        .map(|ask| match &ask.what {
            RequestKind::Page(page) => (page.backwards, page.lines),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(pages, [(true, 4), (false, 5)]);
    assert_eq!(asked("context|fe01.2a.77.d0625e31|-C|0").asks.len(), 1);
}

#[test]
fn buckets_are_about_sixty_of_a_length_that_people_use() {
    for (options, seconds) in [
        ("--since|1h", 60),
        ("--since|1h|--until|30m", 30),
        ("--since|yesterday", 3600),
        ("--since|10s", 1),
        ("--since|2000w", 28 * 86_400),
        ("", 3600),
        ("--bucket|15m", 900),
    ] {
        let line = if options.is_empty() {
            "histogram".to_owned()
        } else {
            format!("histogram|{options}")
        };
        let ResponseShape::Buckets { bucket } = asked(&line).shape else {
            panic!("no buckets")
        };
        assert_eq!(bucket, Duration::from_secs(seconds), "{options}");
    }
}

#[test]
fn what_cannot_be_meant_is_refused_with_what_would_be_right() {
    for (line, told) in [
        (
            "search|x|--since|noonish",
            "--since: \"noonish\" is not a time; valid are 15m or",
        ),
        (
            "read|--since|1h|--until|2h",
            "--until: ends before --since begins",
        ),
        (
            "read|--after|fe01.2a",
            "--after: \"fe01.2a\" is not a cursor: expected DEV.INODE.OFFSET.CHECK",
        ),
        (
            "context|1.2.3.4|--hosts|a@x,b@y",
            "CURSOR: a cursor is of one host, and 2 are selected; name the host with",
        ),
        ("search|level>=wran", "QUERY: "),
        ("tail|--source|[", "--source: \"[\" is not a valid glob"),
        (
            "tail|--hosts|x:/var/log/a.log|--source|b*",
            "--source: no host has a source like b*; see `logtrail-tui sources`",
        ),
    ] {
        let error = plan(line).expect_err(line);
        assert!(error.starts_with(told), "{line}: {error}");
    }
    for line in [
        "search",
        "read|--at|1h|--since|1h",
        "read|--cursor|1.2.3|--after|1.2.3",
        "search|x|--count|-C|1",
    ] {
        assert!(plan(line).is_err(), "{line}");
    }
}

#[test]
fn an_explanation_asks_for_an_estimate_of_the_same() {
    let asked = asked("search|no stock|--explain");
    assert!(asked.explain.is_some() && matches!(asked.shape, ResponseShape::Costs));
    assert!(
        matches!(&asked.asks[0].what, RequestKind::Estimate(what) if matches!(**what, RequestKind::Search(_)))
    );
}

#[test]
fn tail_takes_its_own_options_and_only_the_sources_that_may_be_meant() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("hosts.toml");
    let text = "[hosts.a]\nsources = [{ name = \"app\", path = \"/a\" }, { name = \"db\", path = \"/b\" }, { name = \"x\", path = \"/x/*.log\" }]\n";
    std::fs::write(&file, text).expect("a file");
    let plan = |line: &str| {
        plan(&format!("--config|{}|{line}", Path::new(&file).display())).expect("a plan")
    };
    let tail = plan("tail|-f|-n|3|--source|ap*");
    let names: Vec<_> = tail.hosts[0]
        .sources
        .iter()
        .map(|source| source.name.as_str())
        .collect();
    assert_eq!((names, tail.lines, tail.once), (vec!["app", "x"], 3, false));
    assert_eq!(plan("tail|--grep|y").lines, 1000);
    assert_eq!((plan("tail").lines, plan("tail").once), (10, true));
}
