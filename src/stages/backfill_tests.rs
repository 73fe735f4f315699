//! Gaps that are filled, in part or not at all, by made-up hosts.

use std::sync::Mutex;

use bytes::Bytes;

use super::*;
use crate::model::cursor::{Cursor, FileId};
use crate::model::source::SourceInfo;
use crate::model::time::Time;
use crate::model::time::TimeSource;
use crate::query::request::ResponseTotals;

const HOST: HostId = HostId(0);

/// What a host answers to each question in turn; after the last it says nothing.
#[derive(Clone, Default)]
struct Host(
    Arc<Mutex<VecDeque<Vec<LogResponse>>>>,
    Arc<Mutex<Vec<LogRequest>>>,
    Arc<Mutex<Vec<mpsc::Sender<LogResponse>>>>,
);

impl Host {
    fn with(answers: Vec<Vec<LogResponse>>) -> Self {
        Self(
            Arc::new(Mutex::new(answers.into())),
            Arc::default(),
            Arc::default(),
        )
    }
}

impl GapRequests for Host {
    fn ask(&self, _: HostId, ask: LogRequest) -> mpsc::Receiver<LogResponse> {
        self.1.lock().expect("whole").push(ask);
        let (sender, receiver) = mpsc::channel(100);
        let answer = self.0.lock().expect("whole").pop_front();
        let Some(answer) = answer else {
            self.2.lock().expect("whole").push(sender);
            return receiver;
        };
        answer
            .into_iter()
            .for_each(|reply| sender.try_send(reply).expect("room"));
        receiver
    }
}

struct Batches(mpsc::Receiver<Vec<Update>>);

impl Feed for Batches {
    async fn next(&mut self) -> Option<Vec<Update>> {
        self.0.recv().await
    }

    fn try_next(&mut self) -> Option<Vec<Update>> {
        self.0.try_recv().ok()
    }

    fn close(&mut self) {}
}

fn named(source: u32, name: &str) -> Update {
    let info = SourceInfo {
        name: name.into(),
        path: "/x".into(),
        problem: None,
        stamps: None,
    };
    Update::Source(HOST, SourceId(source), info)
}

/// `FILE:OFFSET`, of which the text is the same.
fn line(place: &str) -> Line {
    let (file, offset) = place.split_once(':').expect("a place");
    let file = FileId {
        dev: 1,
        ino: file.parse().expect("a number"),
    };
    let cursor = Cursor {
        file,
        offset: offset.parse().expect("a number"),
    };
    let (time_from, raw) = (
        TimeSource::Arrival,
        Bytes::copy_from_slice(place.as_bytes()),
    );
    Line {
        time: Time(0),
        time_from,
        continues: false,
        dialect: None,
        stamp: None.into(),
        cursor,
        raw,
        stored: None,
    }
}

fn lines_of_source(source: u32, places: &[&str]) -> Update {
    let line = |place: &&str| FleetLine::new(HOST, SourceId(source), line(place));
    Update::Lines(places.iter().map(line).collect())
}

fn gap(source: u32, from: u64, reason: GapReason) -> Update {
    let (since, until) = (None, Time(0));
    Update::Gap(Gap {
        host: HOST,
        source: SourceId(source),
        from,
        to: None,
        reason,
        since,
        until,
    })
}

fn lines(places: &[&str]) -> LogResponse {
    LogResponse::Lines(
        "app".into(),
        places.iter().map(|place| line(place)).collect(),
    )
}

fn done(more: bool) -> LogResponse {
    LogResponse::Done(ResponseTotals {
        more,
        ..ResponseTotals::default()
    })
}

fn lost(from: u64) -> LogResponse {
    let reason = GapReason::RotatedAway;
    LogResponse::Gap(
        "app".into(),
        MissingBytes {
            from,
            to: None,
            reason,
        },
    )
}

/// What is printed: texts of lines, and gaps.
fn printed(updates: &[Update]) -> Vec<String> {
    let one = |update: &Update| match update {
        Update::Lines(lines) => lines
            .iter()
            .map(|line| String::from_utf8_lossy(&line.content.raw).into_owned())
            .collect(),
        Update::Gap(gap) => vec![format!("gap {} {}", gap.from, gap.reason.as_str())],
        _ => Vec::new(),
    };
    updates.iter().flat_map(one).collect()
}

/// All of it, where the batches are followed by nothing.
async fn filled(batches: Vec<Vec<Update>>, host: Host) -> Vec<String> {
    let (sender, receiver) = mpsc::channel(100);
    for batch in batches {
        sender.try_send(batch).expect("room");
    }
    drop(sender);
    let mut backfill = Backfill::new(Batches(receiver), host);
    let mut all = Vec::new();
    while let Some(batch) = backfill.next().await {
        all.extend(batch);
    }
    printed(&all)
}

fn truncated_between(before: &[&str], after: &[&str]) -> Vec<Vec<Update>> {
    let source = named(0, "app");
    vec![
        vec![source, lines_of_source(0, before)],
        vec![gap(0, 8, GapReason::Truncated), lines_of_source(0, after)],
    ]
}

#[tokio::test(start_paused = true)]
async fn what_the_host_still_has_up_to_the_line_after_it_stands_in_place_of_the_gap() {
    let host = Host::with(vec![
        vec![lines(&["1:4", "1:8"]), done(true)],
        vec![lines(&["1:12", "2:0", "2:4"])],
    ]);
    let printed = filled(truncated_between(&["1:0"], &["2:0", "2:4"]), host.clone()).await;
    assert_eq!(printed, ["1:0", "1:4", "1:8", "1:12", "2:0", "2:4"]);
    let starts: Vec<_> = host
        .1
        .lock()
        .expect("whole")
        .iter()
        .map(|ask| format!("{:?}", ask.what))
        .collect();
    assert!(
        starts.len() == 2 && starts[0].contains("offset: 0") && starts[1].contains("offset: 8"),
        "{starts:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn where_the_host_has_nothing_the_gap_stays() {
    for answer in [
        vec![lost(0), lines(&["0:0", "2:0"]), done(false)],
        vec![LogResponse::Failed("".into(), "web-1 is down".to_owned())],
        vec![LogResponse::Failed(
            "app".into(),
            "permission denied".to_owned(),
        )],
        // It does not lead to the line after the gap.
        vec![lines(&["3:0", "3:4"]), done(false)],
        vec![],
    ] {
        let shown = format!("{answer:?}");
        let printed = filled(
            truncated_between(&["1:0"], &["2:0"]),
            Host::with(vec![answer]),
        )
        .await;
        assert_eq!(printed, ["1:0", "gap 8 truncated", "2:0"], "{shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn of_an_answer_that_breaks_off_the_rest_is_a_gap() {
    let host = Host::with(vec![vec![
        lines(&["1:8", "1:12"]),
        LogResponse::Failed("app".into(), "gone".to_owned()),
    ]]);
    let printed = filled(truncated_between(&["1:0"], &["2:0"]), host).await;
    assert_eq!(printed, ["1:0", "1:8", "1:12", "gap 17 truncated", "2:0"]);
    // It was moved on between two pages.
    let host = Host::with(vec![
        vec![lines(&["1:8"]), done(true)],
        vec![lost(8), lines(&["0:0"]), done(false)],
    ]);
    let printed = filled(truncated_between(&["1:0"], &["2:0"]), host).await;
    assert_eq!(printed, ["1:0", "1:8", "gap 12 truncated", "2:0"]);
}

#[tokio::test(start_paused = true)]
async fn other_sources_go_on_and_a_second_gap_is_filled_too() {
    let batches = vec![
        vec![
            named(0, "app"),
            named(1, "web"),
            lines_of_source(0, &["1:0"]),
            lines_of_source(1, &["9:0"]),
        ],
        vec![
            gap(0, 4, GapReason::RotatedAway),
            lines_of_source(0, &["2:0"]),
            gap(0, 4, GapReason::Truncated),
        ],
        vec![lines_of_source(0, &["3:0"]), lines_of_source(1, &["9:4"])],
    ];
    let host = Host::with(vec![
        vec![lines(&["1:4", "2:0"]), done(false)],
        vec![
            LogResponse::Lines("other".into(), vec![line("7:0")]),
            lines(&["2:4", "3:0"]),
            done(false),
        ],
    ]);
    let printed = filled(batches, host).await;
    assert_eq!(printed, ["1:0", "9:0", "9:4", "1:4", "2:0", "2:4", "3:0"]);
}

#[tokio::test(start_paused = true)]
async fn without_a_line_after_it_only_a_file_of_another_name_can_be_told_from_what_is_to_come() {
    let begin = |reason| {
        vec![vec![
            named(0, "app"),
            lines_of_source(0, &["1:0"]),
            gap(0, 4, reason),
        ]]
    };
    let host = || Host::with(vec![vec![lines(&["1:4", "2:0", "2:4"]), done(false)]]);
    assert_eq!(
        filled(begin(GapReason::RotatedAway), host()).await,
        ["1:0", "1:4"]
    );
    assert_eq!(
        filled(begin(GapReason::Truncated), host()).await,
        ["1:0", "gap 4 truncated"]
    );
    // Where the log goes on to be followed it is waited for, and not for ever.
    let (sender, receiver) = mpsc::channel(100);
    begin(GapReason::Truncated)
        .into_iter()
        .for_each(|batch| sender.try_send(batch).expect("room"));
    let (mut backfill, began) = (Backfill::new(Batches(receiver), host()), Instant::now());
    let mut all = backfill.next().await.expect("the first line");
    all.extend(backfill.next().await.expect("the gap"));
    assert_eq!(
        (printed(&all), began.elapsed() >= WAIT),
        (vec!["1:0".to_owned(), "gap 4 truncated".to_owned()], true)
    );
}

#[tokio::test(start_paused = true)]
async fn a_gap_that_nothing_could_fill_is_not_held_back() {
    let batches = vec![vec![
        named(0, "app"),
        gap(0, 0, GapReason::Truncated),
        lines_of_source(0, &["1:0"]),
        gap(0, 4, GapReason::LineTooLong),
        lines_of_source(0, &["1:9"]),
    ]];
    let host = Host::default();
    let printed = filled(batches, host.clone()).await;
    assert_eq!(
        printed,
        ["gap 0 truncated", "1:0", "gap 4 line-too-long", "1:9"]
    );
    assert_eq!(host.1.lock().expect("whole").len(), 0);
}

#[tokio::test(start_paused = true)]
async fn who_ends_it_sees_the_gap_and_all_that_waited_for_it() {
    let (sender, receiver) = mpsc::channel(100);
    let mut batches = truncated_between(&["1:0"], &["2:0"]);
    batches.push(vec![
        lines_of_source(0, &["2:4"]),
        gap(0, 8, GapReason::Truncated),
        lines_of_source(0, &["3:0"]),
    ]);
    batches
        .into_iter()
        .for_each(|batch| sender.try_send(batch).expect("room"));
    let mut backfill = Backfill::new(Batches(receiver), Host::default());
    let mut all = backfill.next().await.expect("the first line");
    let _ = tokio::time::timeout(Duration::from_secs(1), backfill.next()).await;
    backfill.close();
    while let Some(batch) = backfill.try_next() {
        all.extend(batch);
    }
    assert_eq!(
        printed(&all),
        [
            "1:0",
            "gap 8 truncated",
            "2:0",
            "2:4",
            "gap 8 truncated",
            "3:0"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_bounded() {
    let big = "x".repeat(4 << 20);
    let mut batches = truncated_between(&["1:0"], &["2:0"]);
    for _ in 0..5 {
        let Update::Lines(mut more) = lines_of_source(0, &["2:4"]) else {
            unreachable!("lines")
        };
        more[0].content.raw = Bytes::from(big.clone());
        batches.push(vec![Update::Lines(more)]);
    }
    let (sender, receiver) = mpsc::channel(100);
    batches
        .into_iter()
        .for_each(|batch| sender.try_send(batch).expect("room"));
    let (mut backfill, began) = (
        Backfill::new(Batches(receiver), Host::default()),
        Instant::now(),
    );
    let mut all = Vec::new();
    while printed(&all).len() < 8 {
        all.extend(backfill.next().await.expect("more"));
    }
    assert!(began.elapsed() < Duration::from_secs(1) && backfill.held == 0);
    assert_eq!(printed(&all)[..3], ["1:0", "gap 8 truncated", "2:0"]);
}
