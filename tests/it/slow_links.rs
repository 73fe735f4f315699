//! R31: links that are slow and far away. A log grows three times as fast as its link can carry it:
//! the connection is one and the same, what comes is in order, and it is told how far behind it is.

use std::fmt::Write;
use std::time::{Duration, Instant};

use logtrail::model::host::HostId;
use logtrail::model::source::SourceKind;
use logtrail::model::state::{HostStatus, LinkState};
use logtrail::model::time::Time;
use logtrail::query::request::{
    LogRequest, LogResponse, PageRequest, PageStart, RequestKind, SearchRequest,
};
use logtrail::query::{Query, ReferenceTime};

use crate::support::PATIENCE;
use crate::support::fleet::Watched;
use crate::support::serials::lines_of;
use crate::support::slow::{Link, SlowLink};
use crate::support::spec::following;
use crate::support::sshd::Sshd;
use crate::support::writer::{LINE_BYTES, Writer, serial};

/// What was seen of a host behind a slow link.
#[derive(Debug)]
struct Seen {
    link: Link,
    connections: usize,
    /// From the start to the first line.
    first_line: Option<Duration>,
    lines: usize,
    /// How old the newest line was at the end.
    age: Option<Duration>,
    /// How far behind the host was said to be at the end.
    behind_s: Option<u64>,
    samples: usize,
    /// The longest time without a sample, from the first on.
    longest_without_sample: Duration,
    /// The most lines that came between two samples, from the first on.
    most_lines_without_sample: usize,
    /// Bytes per second that the link carried to us.
    carried: u64,
    statuses: Vec<HostStatus>,
    /// With little time, and with enough.
    once: Option<[Pass; 2]>,
}

/// What a bounded pass brought.
#[derive(Debug)]
struct Pass {
    took: Duration,
    lines: usize,
    status: HostStatus,
}

fn age_of(watched: &Watched) -> Option<Duration> {
    let now = Time::from_timestamp(jiff::Timestamp::now());
    let newest = watched
        .records
        .iter()
        .map(|record| record.content.time)
        .max()?;
    Some(Duration::from_nanos(
        now.0.saturating_sub(newest.0).max(0).unsigned_abs(),
    ))
}

/// Follows a log that grows three times as fast as the link for so long.
async fn follow(link: Link, time: Duration) -> Seen {
    follow_as(link, time, |path| SourceKind::Path(path.to_owned())).await
}

/// The same by another kind of source.
async fn follow_as(link: Link, time: Duration, kind: impl Fn(&str) -> SourceKind) -> Seen {
    let sshd = Sshd::start();
    let log = sshd.path("app.log");
    let _writer = Writer::start(&log, &sshd.path("no"), 3 * link.rate / LINE_BYTES);
    let slow = SlowLink::start(sshd.addr(), link);
    let mut host = following(&sshd, "far", &log);
    host.endpoint = slow.host(&sshd, "far").endpoint;
    host.sources[0].kind = kind(log.to_str().expect("UTF-8"));
    let began = Instant::now();
    let mut watched = Watched::follow(vec![host], 10);
    let (mut first_line, mut sampled, mut longest) = (None, began, Duration::ZERO);
    let (mut lines_then, mut most_lines) = (0, 0);
    while began.elapsed() < time {
        let seen = watched.samples.len();
        let _ = tokio::time::timeout(
            Duration::from_millis(250),
            watched.until_within(time, "the end", |_| false),
        )
        .await;
        if first_line.is_none() && !watched.records.is_empty() {
            first_line = Some(began.elapsed());
        }
        if seen > 0 {
            longest = longest.max(sampled.elapsed());
            most_lines = most_lines.max(watched.records.len() - lines_then);
        }
        if watched.samples.len() > seen {
            (sampled, lines_then) = (Instant::now(), watched.records.len());
        }
    }
    let serials: Vec<u64> = lines_of(&watched, 0)
        .iter()
        .map(|line| serial(line))
        .collect();
    let breaks: Vec<_> = serials
        .windows(2)
        .filter(|pair| pair[1] != pair[0] + 1)
        .collect();
    assert!(
        breaks.is_empty() && watched.gaps.is_empty(),
        "{link:?}: {breaks:?}; {:?}",
        watched.gaps
    );
    Seen {
        link,
        connections: slow.accepted(),
        first_line,
        lines: serials.len(),
        age: age_of(&watched),
        behind_s: watched
            .statuses
            .last()
            .and_then(|(_, status)| status.behind_s),
        samples: watched.samples.len(),
        longest_without_sample: longest,
        most_lines_without_sample: most_lines,
        carried: slow.delivered() as u64 / time.as_secs(),
        statuses: watched
            .statuses
            .iter()
            .map(|(_, status)| status.clone())
            .collect(),
        once: None,
    }
}

/// One bounded pass over the same.
async fn once(link: Link, deadline: Duration) -> Pass {
    let sshd = Sshd::start();
    let log = sshd.path("app.log");
    let writer = Writer::start(&log, &sshd.path("no"), 3 * link.rate / LINE_BYTES);
    let slow = SlowLink::start(sshd.addr(), link);
    let mut host = following(&sshd, "far", &log);
    host.endpoint = slow.host(&sshd, "far").endpoint;
    writer.until_beyond(100).await;
    let began = Instant::now();
    let mut watched = Watched::once(vec![host], 10, deadline);
    watched
        .until_within(deadline * 2, "the end in its time", |watched| watched.over)
        .await;
    let (_, status) = watched.statuses.last().expect("a state").clone();
    Pass {
        took: began.elapsed(),
        lines: watched.records.len(),
        status,
    }
}

/// All links at once.
async fn look_at(links: Vec<Link>, time: Duration) -> Vec<Seen> {
    let tasks: Vec<_> = links
        .into_iter()
        .map(|link| {
            tokio::spawn(async move {
                let seen = follow(link, time).await;
                let (short, long) = (Duration::from_secs(15), Duration::from_secs(90));
                let passes = tokio::join!(once(link, short), once(link, long));
                Seen {
                    once: Some(passes.into()),
                    ..seen
                }
            })
        })
        .collect();
    let mut all = Vec::new();
    for task in tasks {
        all.push(task.await.expect("no panic"));
    }
    all
}

fn seconds(time: Option<Duration>) -> String {
    time.map_or_else(
        || "-".to_owned(),
        |time| format!("{:.1}", time.as_secs_f64()),
    )
}

fn table(all: &[Seen]) -> String {
    let mut out = String::from(
        "\n kB/s rtt s | connections | first line s | lines | carried kB/s | newest line's age s | told behind s | samples | longest without s | once with 15 s: s, lines, state | with 90 s\n",
    );
    for seen in all {
        let pass = |pass: &Pass| {
            format!(
                "{:.1}, {}, {}",
                pass.took.as_secs_f64(),
                pass.lines,
                pass.status.state
            )
        };
        let once = seen
            .once
            .iter()
            .flatten()
            .map(pass)
            .collect::<Vec<_>>()
            .join(" | ");
        let _ = writeln!(
            out,
            "{:5} {:5.1} | {:11} | {:12} | {:5} | {:12.1} | {:19} | {:13} | {:7} | {:17.1} | {once}",
            seen.link.rate / 1000,
            seen.link.round_trip.as_secs_f64(),
            seen.connections,
            seconds(seen.first_line),
            seen.lines,
            seen.carried as f64 / 1000.0,
            seconds(seen.age),
            seen.behind_s
                .map_or_else(|| "-".to_owned(), |behind| behind.to_string()),
            seen.samples,
            seen.longest_without_sample.as_secs_f64(),
        );
    }
    out
}

/// The connection is one and the same, metrics and lines come, and what is told of how far behind
/// they are is true.
fn assert_alive(seen: &Seen) {
    assert_connected_once(seen);
    assert!(seen.lines > 0 && seen.samples > 2, "{seen:?}");
    // Counted in lines, for a busy machine holds up both.
    let few = usize::try_from(12 * seen.link.rate / LINE_BYTES).expect("a number of lines");
    assert!(
        seen.most_lines_without_sample < few,
        "{few} lines: {seen:?}"
    );
    let (age, told) = (
        seen.age.expect("lines have times").as_secs_f64(),
        seen.behind_s.unwrap_or_default() as f64,
    );
    assert!(
        (told - age).abs() <= 5.0 + age / 4.0,
        "{told} s behind are told of a line that is {age} s old: {seen:?}"
    );
}

fn assert_connected_once(seen: &Seen) {
    assert_eq!(seen.connections, 1, "{seen:?}");
    let is_well =
        |status: &HostStatus| status.state.is_up() || status.state == LinkState::Connecting;
    assert!(seen.statuses.iter().all(is_well), "{seen:?}");
    assert!(
        seen.statuses
            .iter()
            .any(|status| status.state == LinkState::Ok),
        "{seen:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn r31_slow_links_keep_their_connection_and_tell_how_far_behind_they_are() {
    let slow = Link {
        rate: 30_000,
        round_trip: Duration::from_millis(100),
    };
    let far = Link {
        rate: 60_000,
        round_trip: Duration::from_secs(3),
    };
    let time = Duration::from_secs(34);
    let tail = |path: &str| {
        SourceKind::Command(["tail", "-n", "10", "-f", path].map(str::to_owned).into())
    };
    let (file, command, far) = tokio::join!(
        follow(slow, time),
        follow_as(slow, time, tail),
        follow(far, time)
    );
    assert_alive(&file);
    assert_alive(&command);
    assert_connected_once(&far);
}

/// The lines and hits of an answer that is whole.
async fn answered(mut replies: tokio::sync::mpsc::Receiver<LogResponse>) -> usize {
    let mut count = 0;
    while let Some(reply) = replies.recv().await {
        match reply {
            LogResponse::Lines(_, lines) => count += lines.len(),
            LogResponse::Hits(_, hits) => count += hits.len(),
            LogResponse::Failed(source, why) => panic!("{source}: {why}"),
            LogResponse::Done(_) => return count,
            _ => {}
        }
    }
    panic!("it ended after {count}");
}

#[tokio::test(flavor = "multi_thread")]
async fn r31_pages_and_searches_over_a_slow_link_hold_up_no_metrics() {
    let link = Link {
        rate: 30_000,
        round_trip: Duration::from_millis(300),
    };
    let sshd = Sshd::start();
    let log = sshd.path("app.log");
    let writer = Writer::start(&log, &sshd.path("no"), 3 * link.rate / LINE_BYTES);
    let slow = SlowLink::start(sshd.addr(), link);
    let mut host = following(&sshd, "far", &log);
    host.endpoint = slow.host(&sshd, "far").endpoint;
    writer.until_beyond(2000).await;
    let mut watched = Watched::follow(vec![host], 10);
    watched
        .until("lines and metrics", |watched| {
            !watched.records.is_empty() && watched.samples.len() > 1
        })
        .await;
    let window = Time(i64::MIN)..Time(i64::MAX);
    let page = RequestKind::Page(PageRequest {
        start: PageStart::Oldest,
        backwards: false,
        lines: 1000,
        window: window.clone(),
    });
    let query = Query::parse(
        "/serial=[0-9]*000 /",
        &ReferenceTime {
            time: Time(0),
            zone: jiff::tz::TimeZone::UTC,
        },
    )
    .expect("a query");
    let (newest_first, before, after, limit, count_only) = (true, 0, 0, None, false);
    let search = RequestKind::Search(SearchRequest {
        query,
        window,
        newest_first,
        before,
        after,
        limit,
        count_only,
    });
    let requests = watched.fleet.as_ref().expect("it runs").requests();
    let ask = |what| {
        answered(requests.ask(
            HostId(0),
            LogRequest {
                sources: Vec::new(),
                what,
            },
        ))
    };
    let mut both = Box::pin(futures_util::future::join(ask(page), ask(search)));
    let mut meanwhile = 0;
    let counts = loop {
        let seen = watched.samples.len();
        tokio::select! {
            counts = &mut both => break counts,
            () = watched.until_within(PATIENCE * 2, "metrics", |watched| watched.samples.len() > seen) => {
                meanwhile += watched.samples.len() - seen;
            }
        }
    };
    assert!(counts.0 == 1000 && counts.1 >= 2, "{counts:?}");
    // The page alone takes 3 s of the whole link, and has a part of it.
    assert!(
        meanwhile >= 2,
        "{meanwhile} samples came before the answers were whole"
    );
    assert_eq!(slow.accepted(), 1, "{:?}", watched.statuses);
}

/// Run by `tests/slow_links`, for it takes seven minutes.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes seven minutes; tests/slow_links runs it"]
async fn r31_twelve_links_carry_what_they_can_over_one_connection_each() {
    let time = std::env::var("SLOW_LINKS_S")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(300);
    let trips = [100, 1000, 3000].map(Duration::from_millis);
    let links = [8_000, 30_000, 60_000, 120_000].into_iter();
    let links = links
        .flat_map(|rate| trips.map(|round_trip| Link { rate, round_trip }))
        .collect();
    let all = look_at(links, Duration::from_secs(time)).await;
    eprintln!("{}", table(&all));
    for seen in &all {
        assert_alive(seen);
        let passes = seen.once.as_ref().expect("two passes");
        assert!(
            passes[1].lines > 0 && passes[1].status.state == LinkState::Ok,
            "{seen:?}"
        );
    }
}
