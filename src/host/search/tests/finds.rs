//! Searches and histograms against a reader who looks at every record.

use crate::parse::level;
use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::fake::{Fake, Turn};
use super::*;
use crate::model::level::Level;
use crate::query::request::{HistogramBucket, HistogramRequest, SearchHit, SearchRequest};
use crate::query::{MatchInput, Query, ReferenceTime};

/// A log of records, some of several lines.
fn log() -> impl Strategy<Value = Fake> {
    let words = "[ab]{1,2}( [ab]{1,3}){0,3}";
    let line = prop_oneof![
        5 => words.prop_map(|text| (true, format!("INFO {text}\n"))),
        1 => words.prop_map(|text| (true, format!("ERROR {text}\r\n"))),
        2 => "    at [ab]{1,3}\n".prop_map(|text| (false, text)),
        1 => Just((false, "\n".to_owned())),
    ];
    let generation = prop::collection::vec(line, 0..60);
    (prop::collection::vec(generation, 1..5), 1..6_usize).prop_map(|(parts, portion)| {
        let mut files = Fake::new();
        files.portion = portion;
        let (count, mut second) = (parts.len(), 0);
        for (number, part) in parts.into_iter().enumerate() {
            let mut text = String::new();
            // So much of each begins with stamps, that its records are known by them.
            let head = (0..6).map(|_| (true, "INFO begun\n".to_owned()));
            for (has_stamp, line) in head.chain(part) {
                second += i64::from(has_stamp);
                text += &if has_stamp {
                    stamped(second, line.trim_end_matches('\n'))
                } else {
                    line
                };
            }
            let path = match count - 1 - number {
                0 => "/log/app".to_owned(),
                1 => "/log/app.1".to_owned(),
                older => format!("/log/app.{older}.gz"),
            };
            files.add(&path, text, at(second));
        }
        files
    })
}

fn query(text: &str) -> Query {
    Query::parse(text, &ReferenceTime::default()).expect("a query")
}

fn queries() -> impl Strategy<Value = Query> {
    prop::sample::select(vec![
        "",
        "bab",
        "b aa",
        "-b",
        "level>=error",
        "error bb",
        "/^    at b/",
        "zzz",
        "aa OR bb",
    ])
    .prop_map(query)
}

/// What a record is in a comparison: its lines, and those around it.
type Seen = (Vec<Bytes>, Vec<Bytes>, Vec<Bytes>);

fn records(files: &mut Fake) -> (Vec<Line>, Vec<std::ops::Range<usize>>) {
    let (lines, _) = page(files, PageStart::Oldest, false, 100_000);
    let mut records: Vec<std::ops::Range<usize>> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        match records.last_mut() {
            Some(last) if line.continues => last.end = at + 1,
            _ => records.push(at..at + 1),
        }
    }
    (lines, records)
}

fn matching(
    files: &mut Fake,
    query: &Query,
    window: &std::ops::Range<Time>,
) -> (Vec<Line>, Vec<std::ops::Range<usize>>) {
    let (lines, mut records) = records(files);
    records.retain(|record| {
        let raw = raws(&lines[record.clone()]).join(&b'\n');
        let time = lines[record.start].time;
        window.contains(&time)
            && query.matches(&MatchInput {
                host: "web-1",
                source: "app",
                time,
                dialect: None,
                raw: &raw,
            })
    });
    (lines, records)
}

fn expected(files: &mut Fake, search: &SearchRequest) -> Vec<Seen> {
    let (lines, mut records) = matching(files, &search.query, &search.window);
    if search.newest_first {
        records.reverse();
    }
    let limit = search.limit.unwrap_or(u64::MAX).min(1 << 20) as usize;
    let seen = records.into_iter().take(limit).map(|record| {
        let before = record.start.saturating_sub(search.before as usize)..record.start;
        let after = record.end..(record.end + search.after as usize).min(lines.len());
        (
            raws(&lines[record]),
            raws(&lines[before]),
            raws(&lines[after]),
        )
    });
    seen.collect()
}

fn hits_of(reply: &LogResponse) -> &[SearchHit] {
    if let LogResponse::Hits(_, hits) = reply {
        hits
    } else {
        &[]
    }
}

fn found(replies: &[LogResponse], after: u32) -> Vec<Seen> {
    let hits = replies.iter().flat_map(|reply| match reply {
        LogResponse::Failed(name, why) => panic!("{name}: {why}"),
        LogResponse::Gap(_, missing) => panic!("{missing:?}"),
        other => hits_of(other),
    });
    let seen = hits.map(|hit| {
        let rest = hit
            .after
            .iter()
            .take_while(|line| line.continues && line.cursor.file == hit.line.cursor.file)
            .count();
        let mut record = vec![hit.line.raw.clone()];
        // Lines after it may go on with a record too, but not with this one.
        let rest = rest
            .min(hit.after.len())
            .max(hit.after.len().saturating_sub(after as usize));
        record.extend(raws(&hit.after[..rest]));
        (record, raws(&hit.before), raws(&hit.after[rest..]))
    });
    seen.collect()
}

fn all(query: Query) -> SearchRequest {
    SearchRequest {
        query,
        window: ALWAYS,
        newest_first: true,
        before: 0,
        after: 0,
        limit: None,
        count_only: false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn a_search_finds_every_record_that_matches_once_and_in_order(
        mut files in log(),
        query in queries(),
        newest_first: bool,
        (before, after) in (0..4_u32, 0..4_u32),
        limit in prop::option::of(1..9_u64),
        (from, to) in (-10..150_i64, 50..300_i64),
        turns in prop::collection::vec((0..9_u32, prop::sample::select(vec![Turn::Rename, Turn::Compress, Turn::CopyTruncate])), 0..3),
    ) {
        let search = SearchRequest { newest_first, before, after, limit, window: at(from)..at(to), ..all(query) };
        let expected = expected(&mut files, &search);
        files.turns = turns.into();
        let replies = ask(&mut files, RequestKind::Search(search));
        prop_assert_eq!(found(&replies, after), expected, "{:#?}", replies);
        let hits = totals(&replies).hits;
        prop_assert_eq!(hits, replies.iter().map(|reply| hits_of(reply).len()).sum::<usize>() as u64);
    }

    #[test]
    fn a_count_and_a_histogram_count_what_a_search_finds(mut files in log(), query in queries(), seconds in 1..90_u64) {
        let (lines, records) = matching(&mut files, &query, &ALWAYS);
        let mut counts: BTreeMap<Time, [u64; 8]> = BTreeMap::new();
        for record in &records {
            let line = &lines[record.start];
            let bucket = seconds as i64 * 1_000_000_000;
            let level = level::of(&line.raw).and_then(|level| Level::ALL.iter().position(|other| *other == level));
            counts.entry(Time(line.time.0.div_euclid(bucket) * bucket)).or_default()[level.map_or(0, |at| at + 1)] += 1;
        }
        let histogram = HistogramRequest { query: query.clone(), window: ALWAYS, bucket: Duration::from_secs(seconds) };
        let replies = ask(&mut files, RequestKind::Histogram(histogram));
        let buckets: Vec<HistogramBucket> = replies.iter().filter_map(|reply| match reply {
            LogResponse::Buckets(_, buckets) => Some(buckets.clone()),
            _ => None,
        }).flatten().collect();
        let expected: Vec<HistogramBucket> = counts.into_iter().map(|(start, counts)| HistogramBucket { start, counts }).collect();
        prop_assert_eq!(buckets, expected);
        let counted = ask(&mut files, RequestKind::Search(SearchRequest { count_only: true, ..all(query) }));
        prop_assert_eq!(totals(&counted).hits, records.len() as u64);
        prop_assert!(!counted.iter().any(|reply| matches!(reply, LogResponse::Hits(..))));
    }
}

#[test]
fn hits_that_are_found_together_go_out_together_and_wait_for_no_others() {
    let mut files = Fake::new();
    files.portion = 100;
    files.add(
        "/log/app",
        (0..2000)
            .map(|n| stamped(n, "ERROR it broke"))
            .collect::<String>(),
        at(2000),
    );
    for newest_first in [false, true] {
        let replies = ask(
            &mut files,
            RequestKind::Search(SearchRequest {
                newest_first,
                ..all(query("broke"))
            }),
        );
        let groups: Vec<usize> = replies
            .iter()
            .map(|reply| hits_of(reply).len())
            .filter(|hits| *hits > 0)
            .collect();
        assert_eq!(groups.iter().sum::<usize>(), 2000);
        assert!((20..400).contains(&groups.len()), "{groups:?}");
        let is_hits = |reply: &LogResponse| matches!(reply, LogResponse::Hits(..));
        let (first, last) = (
            replies.iter().position(is_hits),
            replies.iter().rposition(is_hits),
        );
        let told = |reply: &LogResponse| matches!(reply, LogResponse::Progress(..));
        let between = &replies[first.expect("hits")..last.expect("hits")];
        assert!(
            between.iter().filter(|reply| told(reply)).count() > 10,
            "each part tells its own when it is over"
        );
    }
}

#[test]
fn the_newest_hits_of_a_long_log_cost_little() {
    let mut files = Fake::new();
    files.portion = 100;
    let line = |n: i64| {
        stamped(
            n,
            if n % 1000 == 0 {
                "ERROR it broke"
            } else {
                "INFO a line like any other"
            },
        )
    };
    files.add(
        "/log/app",
        (0..200_000).map(line).collect::<String>(),
        at(200_000),
    );
    let replies = ask(
        &mut files,
        RequestKind::Search(SearchRequest {
            limit: Some(3),
            ..all(query("broke"))
        }),
    );
    let times: Vec<Time> = found_lines(&replies).iter().map(|line| line.time).collect();
    assert_eq!(times, [at(199_000), at(198_000), at(197_000)]);
    let totals = totals(&replies);
    assert!(totals.more && totals.scanned < 1 << 20, "{totals:?}");
    assert!(files.bytes < 64 << 10, "{} bytes were read", files.bytes);
}

#[test]
fn what_is_looked_at_is_what_it_takes_on_disk_also_where_a_limit_ends_it() {
    let mut files = Fake::new();
    files.portion = 100;
    for (path, from) in [("/log/app.1.gz", 0), ("/log/app", 5000)] {
        let line = |n: i64| {
            stamped(
                n,
                if n % 10 == 0 {
                    "ERROR it broke"
                } else {
                    "INFO a line like any other"
                },
            )
        };
        files.add(
            path,
            (from..from + 5000).map(line).collect::<String>(),
            at(from + 5000),
        );
    }
    let [packed, plain] = [0, 1].map(|number| files.files[number].text.len() as u64);
    // The text of the compressed one is seven times as long.
    let on_disk = packed / 7 + plain;
    let scanned = |files: &mut Fake, what| totals(&ask(files, what)).scanned;
    for count_only in [true, false] {
        let search = SearchRequest {
            count_only,
            ..all(query("broke"))
        };
        assert_eq!(
            scanned(&mut files, RequestKind::Search(search.clone())),
            on_disk
        );
        for newest_first in [true, false] {
            let few = SearchRequest {
                newest_first,
                limit: Some(10),
                ..search.clone()
            };
            let seen = scanned(&mut files, RequestKind::Search(few));
            assert!(
                (300..20_000).contains(&seen),
                "{seen} bytes looked at for ten hits"
            );
        }
        let many = scanned(
            &mut files,
            RequestKind::Search(SearchRequest {
                limit: Some(501),
                ..search
            }),
        );
        assert_eq!(
            many, on_disk,
            "of the compressed one all is unpacked before its last line is known"
        );
    }
    for (backwards, start) in [(false, PageStart::Oldest), (true, PageStart::At(at(5000)))] {
        let page = PageRequest {
            start,
            backwards,
            lines: 4000,
            window: ALWAYS,
        };
        let seen = scanned(&mut files, RequestKind::Page(page));
        assert!(
            (packed / 7..packed / 7 + 20_000).contains(&seen),
            "{seen} bytes looked at of {}",
            packed / 7
        );
    }
}

#[test]
fn a_window_bounds_what_is_looked_at() {
    let mut files = Fake::new();
    files.portion = 100;
    for (path, from) in [
        ("/log/app.2.gz", 0),
        ("/log/app.1", 50_000),
        ("/log/app", 100_000),
    ] {
        let text: String = (from..from + 50_000)
            .map(|n| stamped(n, "INFO a line like any other"))
            .collect();
        files.add(path, text, at(from + 50_000));
    }
    let window = at(120_000)..at(121_000);
    let replies = ask(
        &mut files,
        RequestKind::Search(SearchRequest {
            window,
            count_only: true,
            ..all(query("line"))
        }),
    );
    let totals = totals(&replies);
    assert_eq!(totals.hits, 1000);
    // With what it took to find both ends of it.
    assert!(totals.scanned < 700_000, "{totals:?}");
}

fn found_lines(replies: &[LogResponse]) -> Vec<Line> {
    replies
        .iter()
        .flat_map(hits_of)
        .map(|hit| hit.line.clone())
        .collect()
}

#[test]
fn an_estimate_reads_little_and_names_files_bytes_and_commands() {
    let mut files = Fake::new();
    for (path, from) in [
        ("/log/app.2.gz", 0),
        ("/log/app.1", 50_000),
        ("/log/app", 100_000),
    ] {
        let text: String = (from..from + 50_000)
            .map(|n| stamped(n, "INFO a line like any other"))
            .collect();
        files.add(path, text, at(from + 50_000));
    }
    let search = |from, to| SearchRequest {
        window: at(from)..at(to),
        ..all(query("broke"))
    };
    let cost = |files: &mut Fake, what| match &ask(files, RequestKind::Estimate(Box::new(what)))[..]
    {
        [LogResponse::Cost(_, cost), LogResponse::Done(_)] => cost.clone(),
        other => panic!("{other:?}"),
    };
    let hour = cost(&mut files, RequestKind::Search(search(120_000, 123_600)));
    assert!((100_000..400_000).contains(&hour.bytes), "{hour:?}");
    assert_eq!(hour.commands.len(), 1);
    let (reads, greps) = hour.commands[0]
        .split_once(" | head -c ")
        .expect("a part of a file");
    assert!(
        reads.starts_with("tail -c +") && reads.ends_with(" /log/app"),
        "{hour:?}"
    );
    assert!(greps.ends_with(" | grep -a -F -i -e broke"), "{hour:?}");
    let everything = cost(&mut files, RequestKind::Search(all(query("broke"))));
    assert_eq!(everything.files.len(), 3);
    let page = PageRequest {
        start: PageStart::At(at(120_000)),
        backwards: true,
        lines: 100,
        window: ALWAYS,
    };
    let page = cost(&mut files, RequestKind::Page(page));
    assert!((4_000..20_000).contains(&page.bytes), "{page:?}");
    assert!(files.bytes < 1 << 20, "{} bytes were read", files.bytes);
}

#[tokio::test]
async fn who_listens_no_more_ends_a_search_at_once() {
    let mut files = Fake::new();
    files.add(
        "/log/app",
        (0..5000).map(|n| stamped(n, "INFO x")).collect::<String>(),
        at(5000),
    );
    let (replies, mut received) = mpsc::channel(1);
    let asked = LogRequest {
        sources: Vec::new(),
        what: RequestKind::Search(all(query("x"))),
    };
    let (host, facts) = (host("/log/app"), SystemFacts::default());
    let listen = async {
        assert!(received.recv().await.is_some());
        drop(received);
    };
    let (ended, ()) = tokio::join!(
        crate::host::search::answer(&mut files, &host, &facts, &asked, &replies),
        listen
    );
    assert!(ended.is_ok());
}

#[test]
fn the_limit_of_hits_is_that_of_the_host() {
    let mut files = Fake::new();
    files.add("/log/app", stamped(0, "x") + &stamped(1, "x"), at(2));
    files.add("/log/web", stamped(0, "x") + &stamped(1, "x"), at(2));
    let mut host = host("/log/app");
    let kind = SourceKind::Path("/log/web".to_owned());
    host.sources.push(SourceSpec {
        name: "web".to_owned(),
        kind,
        time: None,
        encoding: None,
        as_root: false,
        archive: None,
    });
    for (limit, more) in [(3, true), (4, false), (1, true)] {
        let replies = ask_host(
            &mut files,
            &host,
            RequestKind::Search(SearchRequest {
                limit: Some(limit),
                ..all(query("x"))
            }),
        );
        assert_eq!(found_lines(&replies).len() as u64, limit);
        assert_eq!(totals(&replies).more, more, "{limit}");
    }
}

#[test]
fn a_log_that_is_moved_at_any_two_moments_of_a_search_is_searched_whole() {
    let mut files = Fake::new();
    let mut second = 0;
    for path in ["/log/app.2.gz", "/log/app.1", "/log/app"] {
        let text: String = (0..30)
            .map(|n| stamped(second + n, if n % 9 == 5 { "INFO hit" } else { "INFO x" }))
            .collect();
        second += 30;
        files.add(path, text, at(second));
    }
    let turns = [Turn::Rename, Turn::Compress, Turn::CopyTruncate];
    for (newest_first, one, other) in [true, false].into_iter().flat_map(|newest_first| {
        turns.into_iter().flat_map(move |one| {
            turns
                .into_iter()
                .map(move |other| (newest_first, one, other))
        })
    }) {
        let search = SearchRequest {
            newest_first,
            ..all(query("hit"))
        };
        let expected = expected(&mut files, &search);
        for (first, second) in (0..6).flat_map(|first| (0..5).map(move |second| (first, second))) {
            let mut files = files.clone();
            files.turns = [(first, one), (second, other)].into();
            let replies = ask(&mut files, RequestKind::Search(search.clone()));
            assert_eq!(
                found(&replies, 0),
                expected,
                "{one:?} at {first}, {other:?} at {second}, {newest_first}"
            );
        }
    }
}

/// Replies that say that something could not be read.
fn failures(replies: &[LogResponse]) -> Vec<&str> {
    replies
        .iter()
        .filter_map(|reply| {
            if let LogResponse::Failed(_, why) = reply {
                Some(&why[..])
            } else {
                None
            }
        })
        .collect()
}

/// A log with so many generations, each with a line.
fn generations(count: i64) -> Fake {
    let mut files = Fake::new();
    for number in (1..count).rev() {
        let age = count - number;
        files.add(&format!("/log/app.{number}"), stamped(age, "hit"), at(age));
    }
    files.add("/log/app", stamped(count, "hit"), at(count));
    files
}

#[test]
fn a_log_that_is_moved_again_and_again_while_it_is_searched_is_searched_whole() {
    for newest_first in [true, false] {
        let mut files = generations(60);
        files.turns = std::iter::repeat_n((5, Turn::Rename), 40).collect();
        let replies = ask(
            &mut files,
            RequestKind::Search(SearchRequest {
                newest_first,
                ..all(query("hit"))
            }),
        );
        assert_eq!(
            (totals(&replies).hits, failures(&replies)),
            (60, Vec::new())
        );
        assert!(
            files.turns.len() < 40 - 2 * 8,
            "{} turns are left",
            files.turns.len()
        );
    }
}

#[test]
fn a_log_that_is_moved_before_each_read_is_given_up_in_one_word() {
    let mut files = generations(60);
    files.turns = std::iter::repeat_n((0, Turn::Rename), 100_000).collect();
    let replies = ask(&mut files, RequestKind::Search(all(query("hit"))));
    let failures = failures(&replies);
    assert!(
        failures.len() == 1 && failures[0].contains("moved all the while"),
        "{failures:?}"
    );
}

#[test]
fn of_many_files_that_cannot_be_read_the_first_are_named_and_the_others_counted() {
    let mut files = generations(60);
    for file in files.files.iter_mut().take(30) {
        file.is_denied = true;
    }
    let replies = ask(&mut files, RequestKind::Search(all(query("hit"))));
    let failures = failures(&replies);
    assert_eq!(
        (totals(&replies).hits, failures.len()),
        (30, 9),
        "{failures:?}"
    );
    assert!(
        failures[0].contains("/log/app.") && failures[8].starts_with("22 more of its files"),
        "{failures:?}"
    );
}
