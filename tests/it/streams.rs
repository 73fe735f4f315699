//! What sources that are no files have said before: pods by a stand-in for `kubectl`, containers by
//! one for `docker`, and the journal by the real `journalctl` on what a real journald of the test's
//! own has written.

use std::collections::BTreeMap;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use logtrail::model::cursor::LineRef;
use logtrail::model::host::HostSpec;
use logtrail::model::level::Level;
use logtrail::model::line::Line;
use logtrail::model::source::{PodSelector, SourceKind};
use logtrail::model::time::Time;
use logtrail::query::request::{
    HistogramBucket, HistogramRequest, LogResponse, PageStart, RequestKind, SearchRequest,
};
use logtrail::query::{Query, ReferenceTime};

use crate::support::asking::{answer_of_streams, hits_of, page_request, reply_lines, text_of};
use crate::support::files::executable;
use crate::support::fleet::Watched;
use crate::support::spec::{container, source};
use crate::support::stand_in::{CONTAINER_ID, OTHER_ID, StandInHost, engine_line};
use crate::support::{PATIENCE, program, run};

fn moment(text: &str) -> Time {
    text.parse::<jiff::Timestamp>()
        .map(Time::from_timestamp)
        .expect("a time")
}

fn query(text: &str) -> Query {
    let now = ReferenceTime {
        time: moment("2026-11-21T12:00:00Z"),
        zone: jiff::tz::TimeZone::UTC,
    };
    Query::parse(text, &now).expect("a query")
}

fn search(text: &str) -> RequestKind {
    let window = Time(i64::MIN)..Time(i64::MAX);
    let (before, after, limit) = (1, 1, None);
    RequestKind::Search(SearchRequest {
        query: query(text),
        window,
        newest_first: false,
        before,
        after,
        limit,
        count_only: false,
    })
}

/// So many pages of so many lines, one after another: each begins where a cursor of the one before
/// is.
async fn pages(host: &HostSpec, backwards: bool, count: u32, each: u32) -> Vec<Line> {
    let (mut got, mut start) = (
        Vec::new(),
        if backwards {
            PageStart::Newest
        } else {
            PageStart::Oldest
        },
    );
    for number in 0..count {
        let (replies, totals) = answer_of_streams(host, page_request(start, backwards, each)).await;
        let lines = reply_lines(&replies);
        assert_eq!(
            (lines.len(), totals.more),
            (each as usize, true),
            "page {number}, backwards: {backwards}"
        );
        let next = if backwards {
            lines.first()
        } else {
            lines.last()
        }
        .expect("a line");
        // As a script has it: printed, and given back.
        let place: LineRef = LineRef::of(next.cursor, &next.raw)
            .to_string()
            .parse()
            .expect("a cursor");
        start = if backwards {
            PageStart::Cursor(place)
        } else {
            PageStart::After(place)
        };
        got = if backwards {
            [lines, got].concat()
        } else {
            [got, lines].concat()
        };
    }
    got
}

fn pod(container: Option<&str>) -> SourceKind {
    let container = container.map(str::to_owned);
    SourceKind::Pod(PodSelector {
        namespace: Some("shop".to_owned()),
        name: "web-*".to_owned(),
        container,
    })
}

const PODS: [&str; 2] = [
    "shop   web-0   u-1   Running   app,proxy   0,0   <none>   <none>   <none>",
    "shop   web-1   u-2   Succeeded   app,proxy   0,0   <none>   <none>   <none>",
];

#[tokio::test(flavor = "multi_thread")]
async fn what_a_container_of_a_pod_has_said_is_read_back_in_pages_that_join() {
    let world = StandInHost::with(&["kubectl"]);
    world.list(&PODS[..1]);
    // kubectl is asked for whole seconds: each page has to leave out what it prints of the one
    // before. Forty lines to a second, four to a stamp, of which two are alike.
    let written: Vec<String> = (0..3000).map(|n| format!("line {}", n / 2)).collect();
    let stamp = |n: usize| {
        format!(
            "2026-11-20T15:{:02}:{:02}.{:03}456789Z",
            n / 2400,
            n / 40 % 60,
            n % 40 / 4 * 100
        )
    };
    let all: Vec<String> = written
        .iter()
        .enumerate()
        .map(|(n, line)| format!("{} {line}", stamp(n)))
        .collect();
    world.says(
        "web-0.app",
        &all.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    let host = world.host(vec![source("cart", pod(Some("app")))]);
    for backwards in [false, true] {
        let got: Vec<String> = pages(&host, backwards, 4, 700)
            .await
            .iter()
            .map(text_of)
            .collect();
        let expected = if backwards {
            &written[200..]
        } else {
            &written[..2800]
        };
        assert!(got == expected, "backwards: {backwards}: {got:?}");
    }
    let then = moment(&stamp(1000));
    let (replies, _) = answer_of_streams(&host, page_request(PageStart::At(then), false, 2)).await;
    assert_eq!(
        reply_lines(&replies)
            .iter()
            .map(text_of)
            .collect::<Vec<_>>(),
        ["line 500", "line 500"]
    );
    let (replies, _) = answer_of_streams(&host, page_request(PageStart::At(then), true, 2)).await;
    assert_eq!(
        reply_lines(&replies)
            .iter()
            .map(text_of)
            .collect::<Vec<_>>(),
        ["line 499", "line 499"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_containers_of_pods_have_said_is_searched_by_pod_and_container() {
    let world = StandInHost::with(&["kubectl"]);
    world.list(&PODS);
    world.says(
        "web-0.app",
        &[
            &engine_line(1, "start"),
            &engine_line(2, "ERROR failed"),
            &engine_line(2, "    at Shop.main"),
            &engine_line(3, "ok"),
        ],
    );
    world.says(
        "web-0.proxy",
        &[&engine_line(2, "GET / 500"), &engine_line(3, "GET /ok 200")],
    );
    world.says(
        "web-1.app",
        &[&engine_line(9, "ERROR of a pod that has ended")],
    );
    world.says("web-1.proxy", &[]);
    let host = world.host(vec![source("cart", pod(None))]);
    let (replies, totals) = answer_of_streams(&host, search("ERROR OR 500")).await;
    let expected = [
        "cart/web-0/app: ERROR failed [start] [    at Shop.main|ok]",
        "cart/web-0/proxy: GET / 500 [] [GET /ok 200]",
        "cart/web-1/app: ERROR of a pod that has ended [] []",
    ];
    assert_eq!(
        (hits_of(&replies), totals.hits),
        (expected.map(str::to_owned).to_vec(), 3)
    );
    // One that is gone between the list and the question is named, and the others are answered.
    std::fs::remove_file(world.file("web-0.proxy")).expect("removed");
    let (replies, _) = answer_of_streams(&host, search("ERROR OR 500")).await;
    let failed: Vec<_> = replies
        .iter()
        .filter_map(|reply| match reply {
            LogResponse::Failed(name, why) => Some((&**name, why.contains("No such container"))),
            _ => None,
        })
        .collect();
    assert_eq!(failed, [("cart/web-0/proxy", true)]);
    assert_eq!(replies.len(), 3, "{replies:?}");
}

/// The records by source, minute and level, where there are any.
fn counts(replies: &[LogResponse]) -> BTreeMap<String, u64> {
    let of_bucket = |name: &str, bucket: &HistogramBucket| {
        let start = bucket.start.to_timestamp().to_string();
        let levels = ["none"].into_iter().chain(Level::ALL.map(Level::as_str));
        let key = |level: &str| format!("{name} {} {level}", &start[11..16]);
        levels
            .zip(bucket.counts)
            .filter(|(_, count)| *count > 0)
            .map(|(level, n)| (key(level), n))
            .collect::<Vec<_>>()
    };
    let of = |reply: &LogResponse| match reply {
        LogResponse::Buckets(name, buckets) => buckets
            .iter()
            .flat_map(|b| of_bucket(name, b))
            .collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    replies.iter().flat_map(of).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_containers_are_counted_by_time_and_level() {
    let world = StandInHost::with(&["docker", "kubectl"]);
    let docker = world.file("docker.ps");
    std::fs::write(
        &docker,
        format!(
            "{CONTAINER_ID}\tshop-web\tUp 3 minutes\n{OTHER_ID}\tshop-db\tExited (1) 1 day ago\n"
        ),
    )
    .expect("written");
    std::fs::rename(docker, world.file("ps")).expect("renamed");
    let web = [
        engine_line(59, "INFO of the minute before"),
        engine_line(60, "ERROR failed"),
        engine_line(61, "    at Shop.main"),
        engine_line(61, "ERROR again"),
        engine_line(119, "WARN slow"),
        engine_line(120, "ERROR in the next"),
        engine_line(240, "ERROR when the window is over"),
    ];
    world.says(CONTAINER_ID, &web.each_ref().map(String::as_str));
    world.says(
        OTHER_ID,
        &[
            &engine_line(199, "no level"),
            &engine_line(200, "ERROR in db"),
        ],
    );
    let asked = |text: &str| {
        let window = moment("2026-11-20T15:01:00Z")..moment("2026-11-20T15:04:00Z");
        RequestKind::Histogram(HistogramRequest {
            query: query(text),
            window,
            bucket: Duration::from_secs(60),
        })
    };
    let told = |text: &[(&str, u64)]| -> BTreeMap<String, u64> {
        text.iter()
            .map(|(key, count)| ((*key).to_owned(), *count))
            .collect()
    };
    let host = world.host(vec![container("shop-*")]);
    let (replies, totals) = answer_of_streams(&host, asked("")).await;
    let all = [
        ("shop/shop-web 15:01 error", 2),
        ("shop/shop-web 15:01 warn", 1),
        ("shop/shop-web 15:02 error", 1),
        ("shop/shop-db 15:03 none", 1),
        ("shop/shop-db 15:03 error", 1),
    ];
    assert_eq!(counts(&replies), told(&all));
    assert_eq!((totals.hits, totals.more), (6, false));
    // What only the rest of a record has counts its first line.
    let (replies, _) = answer_of_streams(&host, asked("Shop.main OR slow")).await;
    assert_eq!(
        counts(&replies),
        told(&[
            ("shop/shop-web 15:01 error", 1),
            ("shop/shop-web 15:01 warn", 1)
        ])
    );
    // The same of pods.
    world.list(&PODS[..1]);
    world.says("web-0.app", &web.each_ref().map(String::as_str));
    world.says("web-0.proxy", &[&engine_line(60, "GET /")]);
    let host = world.host(vec![source("cart", pod(None))]);
    let (replies, _) = answer_of_streams(&host, asked("level>=error")).await;
    assert_eq!(
        counts(&replies),
        told(&[
            ("cart/web-0/app 15:01 error", 2),
            ("cart/web-0/app 15:02 error", 1)
        ])
    );
}

/// A journald of our own, whose `/run` nobody else sees.
struct Journal {
    journald: Child,
    socket: UnixDatagram,
}

const JOURNALD: &str = "mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/journal /run/systemd/journald.conf.d /run/log/journal &&
printf '[Journal]\\nReadKMsg=no\\nAudit=no\\nStorage=volatile\\nRateLimitIntervalSec=0\\n' >/run/systemd/journald.conf.d/ours.conf &&
exec /usr/lib/systemd/systemd-journald";

impl Journal {
    /// `None` where a namespace of one's own is not allowed, as in most containers, or there is no
    /// journald.
    fn start() -> Option<Self> {
        let may = Command::new("unshare")
            .args(["--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"])
            .output();
        if !std::path::Path::new("/usr/lib/systemd/systemd-journald").exists()
            || !may.ok()?.status.success()
        {
            eprintln!("left out: there is no journald, or it may not have a /run of its own");
            return None;
        }
        let mut journald = Command::new("unshare")
            .args(["--mount", "sh", "-c", JOURNALD])
            .stdin(Stdio::null())
            .spawn()
            .expect("unshare runs");
        let socket = UnixDatagram::unbound().expect("a socket");
        let (path, deadline) = (
            root(&journald, "systemd/journal/socket"),
            Instant::now() + PATIENCE,
        );
        while let Err(error) = socket.connect(&path) {
            let ended = journald.try_wait().expect("a child");
            assert!(
                ended.is_none() && Instant::now() < deadline,
                "no journald: {error}, {ended:?}"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
        Some(Self { journald, socket })
    }

    /// A host whose `journalctl` is the real one, looking at this journal.
    fn world(&self) -> StandInHost {
        let world = StandInHost::with(&[]);
        let (real, at) = (program("journalctl"), root(&self.journald, "log/journal"));
        let script = format!(
            "#!/bin/sh\nexec {} --directory={} \"$@\"\n",
            real.display(),
            at.display()
        );
        executable(&world.file("bin/journalctl"), &script);
        world
    }

    /// A record of the unit `app.service`, as root may write one about it.
    fn says(&self, message: &str) {
        // As sd_journal_send(3) does it, so that a message may have several lines.
        let fields =
            b"PRIORITY=3\nSYSLOG_IDENTIFIER=app\nOBJECT_SYSTEMD_UNIT=app.service\nMESSAGE\n";
        let length = (message.len() as u64).to_le_bytes();
        self.socket
            .send(&[&fields[..], &length, message.as_bytes(), b"\n"].concat())
            .expect("journald takes it");
    }

    /// Waits until it can be read.
    fn has(&self, records: usize) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut command = Command::new(program("journalctl"));
            command.arg(format!(
                "--directory={}",
                root(&self.journald, "log/journal").display()
            ));
            let found = run(command.args(["--unit=app.service", "--quiet", "--output=json"]))
                .lines()
                .count();
            if found == records {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "{found} of {records} records are in the journal"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn root(journald: &Child, path: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{}/root/run/{path}", journald.id()))
}

impl Drop for Journal {
    fn drop(&mut self) {
        let _ = self.journald.kill();
        let _ = self.journald.wait();
    }
}

fn unit() -> SourceKind {
    SourceKind::Journal(Some("app.service".to_owned()))
}

/// What is behind the head that every line of the journal has, and before that the spaces of a line
/// that goes on.
fn message(line: &Line) -> String {
    let text = text_of(line);
    text.split_once("]: ")
        .map_or_else(|| text.clone(), |(_, message)| message.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_journal_has_is_read_back_in_pages_that_join_and_from_a_time_on() {
    let Some(journal) = Journal::start() else {
        return;
    };
    let mut written = Vec::new();
    for n in 0..1500 {
        if n % 10 == 3 {
            journal.says(&format!("record {n} failed\n\tat Cart.add"));
            written.extend([format!("record {n} failed"), "    \tat Cart.add".to_owned()]);
        } else {
            journal.says(&format!("record {n}"));
            written.push(format!("record {n}"));
        }
    }
    journal.has(1500);
    let world = journal.world();
    let host = world.host(vec![source("unit", unit())]);
    let mut all = Vec::new();
    for backwards in [false, true] {
        // Pages end anywhere, also in the middle of a record.
        all = pages(&host, backwards, 4, 401).await;
        let got: Vec<String> = all.iter().map(message).collect();
        let expected = if backwards {
            &written[written.len() - 1604..]
        } else {
            &written[..1604]
        };
        assert!(got == expected, "backwards: {backwards}: {got:?}");
    }
    // The first line of the first record that is not older than this.
    let at = all
        .iter()
        .position(|line| line.time == all[700].time)
        .expect("it is there");
    for (backwards, expected) in [(false, at..at + 3), (true, at - 3..at)] {
        let (replies, _) = answer_of_streams(
            &host,
            page_request(PageStart::At(all[700].time), backwards, 3),
        )
        .await;
        let got: Vec<String> = reply_lines(&replies).iter().map(text_of).collect();
        assert_eq!(
            got,
            all[expected].iter().map(text_of).collect::<Vec<_>>(),
            "backwards: {backwards}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_journal_has_is_searched_and_counted_record_by_record() {
    let Some(journal) = Journal::start() else {
        return;
    };
    for text in ["one", "two failed\n\tat Cart.add", "three"] {
        journal.says(text);
    }
    journal.has(3);
    let host = journal.world();
    let host = host.host(vec![source("unit", unit())]);
    let (replies, totals) = answer_of_streams(&host, search("Cart.add")).await;
    let LogResponse::Hits(name, hits) = &replies[0] else {
        panic!("{replies:?}")
    };
    let hit = &hits[0];
    let around = |lines: &[Line]| lines.iter().map(message).collect::<Vec<_>>();
    assert_eq!(
        (&**name, message(&hit.line), totals.hits),
        ("unit", "two failed".to_owned(), 1)
    );
    assert_eq!(
        (around(&hit.before), around(&hit.after)),
        (
            vec!["one".to_owned()],
            vec!["    \tat Cart.add".to_owned(), "three".to_owned()]
        )
    );
    let window = Time(i64::MIN)..Time(i64::MAX);
    let asked = HistogramRequest {
        query: query("level>=error"),
        window,
        bucket: Duration::from_secs(60),
    };
    let (replies, _) = answer_of_streams(&host, RequestKind::Histogram(asked)).await;
    assert_eq!(counts(&replies).values().sum::<u64>(), 3, "{replies:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn cuts_lose_or_repeat_no_record_of_the_journal() {
    let Some(journal) = Journal::start() else {
        return;
    };
    journal.says("record 0");
    journal.has(1);
    let world = journal.world();
    let mut watched = Watched::follow(vec![world.host(vec![source("unit", unit())])], 10);
    watched
        .until("the first record", |w| w.records.len() == 1)
        .await;
    let mut written = 1;
    for _ in 0..5 {
        for turn in 0..200 {
            journal.says(&format!("record {written}"));
            written += 1;
            if turn == 100 {
                world.sshd.cut();
            }
        }
        let last = format!("record {}", written - 1);
        watched
            .until_within(Duration::from_secs(40), &last, |w| {
                w.texts().iter().any(|t| t.ends_with(&last))
            })
            .await;
    }
    let texts = watched.texts();
    let got: Vec<&str> = texts
        .iter()
        .map(|text| text.split_once("]: ").expect("a record").1)
        .collect();
    let expected: Vec<String> = (0..written).map(|n| format!("record {n}")).collect();
    assert!(got == expected, "{} of {written}", got.len());
    assert_eq!(watched.gaps, []);
}
