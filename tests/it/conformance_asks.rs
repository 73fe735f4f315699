//! Whole questions about logs, answered from the files by the engine, by a shell on this machine
//! and by one behind a real sshd: the same lines, hits, counts, gaps and totals.

use std::fs;
use std::path::Path;
use std::time::Duration;

use logtrail::host::search::answer;
use logtrail::host::shell::ShellFiles;
use logtrail::host::{Files, LocalFiles};
use logtrail::model::host::{HostSpec, SystemFacts};
use logtrail::model::time::Time;
use logtrail::query::request::{
    HistogramRequest, LogRequest, LogResponse, PageRequest, PageStart, RequestKind, SearchRequest,
};
use logtrail::query::{Query, ReferenceTime};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::mpsc;

use crate::conformance::packed;
use crate::support::fleet::local_host;
use crate::support::sshd::Sshd;
use crate::support::within;
use crate::transport::connect;

/// 20 November 2026, 00:00.
const BEGIN: i64 = 1_795_132_800;

const SECONDS: i64 = 86_400;

fn time(second: i64) -> Time {
    Time((BEGIN + second) * 1_000_000_000)
}

/// A day of a log: some records of several lines, some levels, some words, some damage.
fn day(rng: &mut StdRng) -> Vec<Vec<u8>> {
    let mut second = 0.0;
    let mut records = Vec::new();
    while second < SECONDS as f64 {
        let stamp = time(second as i64).to_timestamp();
        let level = ["INFO", "INFO", "INFO", "DEBUG", "WARN", "ERROR"][rng.random_range(0..6)];
        let mut record = format!(
            "{stamp} {level} request {} cart={}\n",
            records.len(),
            rng.random_range(0..50)
        )
        .into_bytes();
        match rng.random_range(0..40) {
            0 => record.extend_from_slice(
                b"java.lang.IllegalStateException: no cart\n\tat shop.Cart.get(Cart.java:1)\n\tat shop.Main\n",
            ),
            1 => record.extend_from_slice(b"  continued \xff\xfe \0 text\r\n"),
            2 => record.extend(std::iter::repeat_n(b'x', 3000).chain([b'\n'])),
            _ => {}
        }
        records.push(record);
        second += rng.random_range(1.0..40.0);
    }
    records
}

/// One log of a day in seven generations, of which each kind is stored in its own way, and one with
/// a damaged end.
fn write_logs(folder: &Path) {
    let rng = &mut StdRng::seed_from_u64(4);
    let records = day(rng);
    let names = [
        ("app.log.6.zst", "zstd"),
        ("app.log.5.xz", "xz"),
        ("app.log.4.bz2", "bzip2"),
        ("app.log.3.gz", "gzip"),
        ("app.log.2", ""),
        ("app.log.1", ""),
        ("app.log", ""),
    ];
    let part = records.len().div_ceil(names.len());
    for ((name, program), records) in names.iter().zip(records.chunks(part)) {
        let text = records.concat();
        let bytes = if program.is_empty() {
            text
        } else {
            packed(program, &text)
        };
        fs::write(folder.join(name), bytes).expect("written");
    }
    let other = day(rng).concat();
    fs::write(folder.join("web.log"), &other).expect("written");
    fs::write(
        folder.join("plain.log"),
        b"no stamp\nnone here either\n\nerror cart=7\n",
    )
    .expect("written");
    fs::write(folder.join("empty.log"), b"").expect("written");
    let (old, new) = other.split_at(other.len() / 2);
    fs::write(folder.join("cut.log"), new).expect("written");
    fs::write(
        folder.join("cut.log.1.gz"),
        [packed("gzip", old), b"\x1f\x8b\x08 and no more".to_vec()].concat(),
    )
    .expect("written");
}

fn query(text: &str) -> Query {
    Query::parse(text, &ReferenceTime::default()).expect(text)
}

fn questions() -> Vec<RequestKind> {
    let always = Time(i64::MIN)..Time(i64::MAX);
    let window = time(20_000)..time(61_000);
    let mut all = vec![RequestKind::List];
    for (start, backwards) in [
        (PageStart::Oldest, false),
        (PageStart::Newest, true),
        (PageStart::At(time(30_000)), false),
        (PageStart::At(time(30_000)), true),
        (PageStart::At(time(-5)), true),
        (PageStart::At(time(SECONDS)), false),
        (PageStart::At(time(80_000)), true),
    ] {
        for (lines, window) in [(40, &always), (2000, &window)] {
            all.push(RequestKind::Page(PageRequest {
                start,
                backwards,
                lines,
                window: window.clone(),
            }));
        }
    }
    for (text, newest_first, limit, context) in [
        ("cart=7", false, None, (0, 0)),
        ("cart=7", true, Some(5), (2, 2)),
        ("error cart", false, Some(30), (1, 0)),
        ("level>=warn -cart=1", true, Some(50), (0, 1)),
        ("/Exception.*cart/", false, None, (3, 3)),
        ("", true, Some(10), (0, 0)),
        ("nothing-has-this", false, None, (5, 5)),
        ("illegalstate", true, None, (0, 0)),
    ] {
        for window in [&always, &window] {
            for count_only in [false, true] {
                let (query, window, (before, after)) = (query(text), window.clone(), context);
                all.push(RequestKind::Search(SearchRequest {
                    query,
                    window,
                    newest_first,
                    before,
                    after,
                    limit,
                    count_only,
                }));
            }
        }
    }
    for text in ["", "cart=7", "level>=warn"] {
        for (window, hours) in [(&always, 24), (&window, 1)] {
            let bucket = Duration::from_secs(hours * 3600);
            all.push(RequestKind::Histogram(HistogramRequest {
                query: query(text),
                window: window.clone(),
                bucket,
            }));
        }
    }
    let estimates: Vec<RequestKind> = all[1..]
        .iter()
        .step_by(5)
        .map(|what| RequestKind::Estimate(Box::new(what.clone())))
        .collect();
    all.extend(estimates);
    all
}

/// What is answered, without what depends on how it was cut into pieces and on the words of
/// programs.
async fn answers<F: Files>(
    files: &mut F,
    host: &HostSpec,
    facts: &SystemFacts,
    what: &RequestKind,
) -> Vec<String> {
    let (sender, mut replies) = mpsc::channel(4);
    let ask = LogRequest {
        sources: Vec::new(),
        what: what.clone(),
    };
    let collect = async {
        let mut all = Vec::new();
        while let Some(reply) = replies.recv().await {
            match reply {
                LogResponse::Progress(..) => {}
                LogResponse::Lines(name, lines) => {
                    all.extend(lines.iter().map(|line| format!("{name} {line:?}")));
                }
                LogResponse::Hits(name, hits) => {
                    all.extend(hits.iter().map(|hit| format!("{name} {hit:?}")));
                }
                // Programs of the host read for one of them only.
                LogResponse::Cost(name, cost) => {
                    all.push(format!("{name}: {:?} of {:?}", cost.bytes, cost.files));
                }
                LogResponse::Note(name, text) | LogResponse::Failed(name, text)
                    if text.contains("damaged") =>
                {
                    all.push(format!("{name} is damaged"));
                }
                LogResponse::Done(totals) => {
                    all.push(format!(
                        "{} lines, {} hits, more: {}",
                        totals.lines, totals.hits, totals.more
                    ));
                }
                other => all.push(format!("{other:?}")),
            }
        }
        all
    };
    let work = async move {
        answer(files, host, facts, &ask, &sender)
            .await
            .unwrap_or_else(|error| panic!("{:?}", error.status));
    };
    within("the answer", async { tokio::join!(work, collect).1 }).await
}

/// Of all questions every `step`th.
async fn compare(host: &HostSpec, step: usize, least: usize) {
    let folder = tempfile::tempdir().expect("a folder");
    write_logs(folder.path());
    let paths: Vec<_> = [
        "app.log",
        "web.log",
        "plain.log",
        "empty.log",
        "cut.log",
        "missing.log",
        "*b.log",
    ]
    .map(|name| folder.path().join(name))
    .into();
    let paths: Vec<&Path> = paths.iter().map(AsRef::as_ref).collect();
    let logs = local_host("web-1", &paths);
    let connection = connect(host).await;
    let mut there = ShellFiles::start(&connection)
        .await
        .unwrap_or_else(|error| panic!("{:?}", error.status));
    let mut here = LocalFiles::new();
    let facts = here.describe().await;
    let (mut lines, mut differences) = (0, Vec::new());
    for what in questions().into_iter().step_by(step) {
        let one = answers(&mut here, &logs, &facts, &what).await;
        let other = answers(&mut there, &logs, &facts, &what).await;
        lines += one.len();
        if one != other {
            let same = one
                .iter()
                .zip(&other)
                .take_while(|(one, other)| one == other)
                .count();
            let next = |all: &[String]| {
                all.get(same).map_or("nothing".to_owned(), |text| {
                    text.chars().take(600).collect()
                })
            };
            let (one, other) = (next(&one), next(&other));
            differences.push(format!(
                "{what:?}\n  after {same} of the same:\n  engine: {one}\n  shell:  {other}"
            ));
        }
    }
    assert!(lines > least, "only {lines} answers");
    let first: Vec<&str> = differences.iter().take(6).map(String::as_str).collect();
    assert!(
        first.is_empty(),
        "{} questions are answered differently:\n{}",
        differences.len(),
        first.join("\n")
    );
    connection.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_on_this_machine_reads_logs_back_as_the_engine_does() {
    compare(&local_host("here", &[]), 2, 4000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_behind_sshd_reads_logs_back_as_the_engine_does() {
    let sshd = Sshd::start();
    compare(&sshd.host("web-1"), 7, 1000).await;
}
