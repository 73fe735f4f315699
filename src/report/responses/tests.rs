//! Made-up responses: every shape, every exit code, every way to end.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes as Text;
use serde_json::Value;

use super::throttled_writer::PAUSE;
use super::*;
use crate::model::cursor::{Cursor, FileId, LineRef};
use crate::model::host::{Endpoint, HostName, SystemFacts};
use crate::model::level::Level;
use crate::model::line::{ByteSpan, Line};
use crate::model::log_file::Compression;
use crate::model::source::SourceId;
use crate::model::state::{HostStatus, LinkState};
use crate::model::time::{Time, TimeSource};
use crate::query::{Query, ReferenceTime};
use crate::report::{ShutdownReason, schema};

/// 2026-01-01T00:00:00Z.
const AT: i64 = 1_767_225_600;

/// Responses, and then the end or nothing more for ever.
struct List {
    told: VecDeque<FanOutEvent>,
    ends: bool,
}

impl ResponseFeed for List {
    async fn next(&mut self) -> Option<FanOutEvent> {
        match self.told.pop_front() {
            None if !self.ends => std::future::pending().await,
            told => told,
        }
    }
}

fn hosts() -> Vec<HostSpec> {
    ["web-1", "web-2"]
        .map(|name| HostSpec::new(Endpoint::new(HostName::new(name).expect("a name"))))
        .into()
}

fn query(text: &str) -> Query {
    Query::parse(text, &ReferenceTime::default()).expect("a query")
}

fn options(shape: ResponseShape, json: bool) -> ResponseOptions {
    let today = Time(AT * 1_000_000_000)
        .to_timestamp()
        .to_zoned(TimeZone::UTC)
        .date();
    let progress = Progress::hidden();
    ResponseOptions {
        shape,
        reading: None,
        json,
        color: false,
        width: None,
        progress,
        zone: TimeZone::UTC,
        today,
    }
}

/// What is printed, on the output and beside it.
async fn print(options: ResponseOptions, told: Vec<FanOutEvent>) -> (u8, String, String) {
    let (mut out, mut notes) = (Vec::new(), Vec::new());
    let mut list = List {
        told: told.into(),
        ends: true,
    };
    let shutdown = &mut Shutdown::never();
    let output = ResponseOutput {
        out: &mut out,
        notes: &mut notes,
    };
    let outcome = print_responses(&mut list, &hosts(), options, shutdown, output)
        .await
        .expect("memory");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (outcome.exit, text(out), text(notes))
}

fn line(offset: u64, text: &str) -> Line {
    Line {
        time: Time((AT + offset as i64) * 1_000_000_000),
        time_from: TimeSource::Stamp,
        continues: false,
        dialect: None,
        stamp: ByteSpan::default(),
        cursor: Cursor {
            file: FileId { dev: 1, ino: 2 },
            offset,
        },
        raw: Text::copy_from_slice(text.as_bytes()),
        stored: None,
    }
}

fn of(host: u32, reply: LogResponse) -> FanOutEvent {
    FanOutEvent::Reply(HostId(host), reply)
}

fn hit(host: u32, offset: u64, text: &str) -> FanOutEvent {
    of(
        host,
        LogResponse::Hits(
            "app".into(),
            vec![SearchHit {
                line: line(offset, text),
                before: vec![],
                after: vec![],
            }],
        ),
    )
}

fn end(host: u32, status: HostStatus) -> [FanOutEvent; 2] {
    [
        FanOutEvent::Update(Update::Status(HostId(host), status)),
        FanOutEvent::Done(HostId(host)),
    ]
}

fn ok(host: u32) -> [FanOutEvent; 2] {
    end(host, HostStatus::plain(LinkState::Ok))
}

fn hung(host: u32) -> [FanOutEvent; 2] {
    end(
        host,
        HostStatus::because(LinkState::Timeout, "it has said nothing", "wait longer"),
    )
}

fn hits(count: bool, grouped: bool) -> ResponseShape {
    ResponseShape::Hits {
        count,
        grouped,
        marks: query("no"),
    }
}

#[tokio::test]
async fn hits_are_on_the_output_and_everything_else_beside_it() {
    let totals = ResponseTotals {
        scanned: 3 << 20,
        ..ResponseTotals::default()
    };
    let told = [hit(0, 1, "no stock"), of(0, LogResponse::Done(totals))]
        .into_iter()
        .chain(ok(0))
        .chain(hung(1));
    let (exit, out, notes) = print(options(hits(false, false), false), told.collect()).await;
    assert_eq!(exit, 3);
    assert_eq!(out, "00:00:01 web-1 app no stock\n");
    let expected = "web-2: timeout: it has said nothing – wait longer\n1/2 hosts · 1 timeout · 1 hit · 3.0 MiB looked at";
    assert!(notes.starts_with(expected), "{notes}");
}

#[tokio::test]
async fn the_exit_status_says_what_was_found_and_who_answered() {
    for (told, expected) in [
        (
            vec![hit(0, 1, "no")]
                .into_iter()
                .chain(ok(0))
                .chain(ok(1))
                .collect::<Vec<_>>(),
            0,
        ),
        (ok(0).into_iter().chain(ok(1)).collect(), 1),
        (ok(0).into_iter().chain(hung(1)).collect(), 3),
        (hung(0).into_iter().chain(hung(1)).collect(), 4),
    ] {
        assert_eq!(
            print(options(hits(false, false), true), told).await.0,
            expected
        );
    }
    let told = ok(0).into_iter().chain(ok(1)).collect();
    assert_eq!(
        print(options(ResponseShape::Lines, true), told).await.0,
        0,
        "only a search finds nothing"
    );
}

#[tokio::test]
async fn groups_are_printed_as_grep_does_with_what_was_found_standing_out() {
    let near = |before, at: &str, offset: u64, after| SearchHit {
        line: line(offset, at),
        before,
        after,
    };
    let group = |hit| of(0, LogResponse::Hits("app".into(), vec![hit]));
    let told = vec![
        group(near(vec![line(0, "a")], "no b", 2, vec![line(7, "c")])),
        group(near(vec![line(50, "d")], "no e", 52, vec![])),
    ];
    let colored = ResponseOptions {
        color: true,
        ..options(hits(false, true), false)
    };
    let told: Vec<_> = told.into_iter().chain(ok(0)).chain(ok(1)).collect();
    let out = print(colored, told).await.1;
    let plain = out
        .replace("\x1b[36m", "")
        .replace("\x1b[2m", "")
        .replace("\x1b[0m", "");
    let expected = "00:00:00 web-1 app- a\n00:00:02 web-1 app: \x1b[1;7mno b\n00:00:07 web-1 app- c\n--\n00:00:50 web-1 app- d\n00:00:52 web-1 app: \x1b[1;7mno e\n";
    assert_eq!(plain, expected);
    assert!(out.contains("\x1b[1;7mno\x1b[0m b"), "{out:?}");
}

#[tokio::test]
async fn a_count_is_a_number_for_each_host() {
    let totals = |hits| {
        LogResponse::Done(ResponseTotals {
            hits,
            ..ResponseTotals::default()
        })
    };
    let told = || {
        vec![of(0, totals(3)), of(1, totals(4))]
            .into_iter()
            .chain(ok(1))
            .chain(ok(0))
            .collect::<Vec<_>>()
    };
    let (exit, out, notes) = print(options(hits(true, false), false), told()).await;
    assert_eq!((exit, out.as_str()), (0, "web-2  4\nweb-1  3\n"));
    assert!(notes.contains(" · 7 hits · "), "{notes}");
}

#[tokio::test]
async fn a_histogram_is_drawn_with_blocks_on_a_terminal_and_with_numbers_elsewhere() {
    let mut counts = [0; 1 + Level::COUNT];
    (counts[3], counts[5], counts[6]) = (30, 5, 5);
    let bucket = |n: i64, counts| HistogramBucket {
        start: Time((AT + n * 60) * 1_000_000_000),
        counts,
    };
    let mut few = [0; 1 + Level::COUNT];
    few[0] = 10;
    let told = || {
        let of_app = of(
            0,
            LogResponse::Buckets("app".into(), vec![bucket(0, counts), bucket(2, few)]),
        );
        vec![of_app]
            .into_iter()
            .chain(ok(0))
            .chain(ok(1))
            .collect::<Vec<_>>()
    };
    let shape = ResponseShape::Buckets {
        bucket: Duration::from_secs(60),
    };
    let drawn = ResponseOptions {
        width: Some(74),
        ..options(shape.clone(), false)
    };
    let expected = "\
FROM                     LINES       WARN      ERROR
2026-01-01 00:00:00         40          5          5  ████████████████████
2026-01-01 00:01:00          0          0          0
2026-01-01 00:02:00         10          0          0  █████
";
    assert_eq!(print(drawn, told()).await.1, expected);
    let numbers: Vec<_> = expected
        .lines()
        .map(|row| row.trim_end_matches(['█', ' ']))
        .collect();
    assert_eq!(
        print(options(shape, false), told())
            .await
            .1
            .lines()
            .collect::<Vec<_>>(),
        numbers
    );
}

/// Every kind of answer.
fn everything() -> Vec<FanOutEvent> {
    let file = LogFile {
        path: b"/l/a\xff.1.gz".to_vec(),
        id: FileId { dev: 1, ino: 2 },
        size: 77,
        modified: Time(AT),
        compression: Compression::Gzip,
    };
    let info = SourceInfo {
        name: "app".into(),
        path: "/l/a".into(),
        problem: None,
        stamps: None,
    };
    let near = SearchHit {
        line: line(9, "no"),
        before: vec![line(1, "b")],
        after: vec![line(20, "\u{202e}c")],
    };
    let cost = RequestCost {
        bytes: 7,
        files: vec![("/l/a".to_owned(), 7)],
        commands: vec!["grep x".to_owned()],
    };
    let records = vec![FleetLine::new(HostId(0), SourceId(0), line(5, "{\"a\":1}"))];
    let gap = Gap {
        host: HostId(0),
        source: SourceId(0),
        from: 1,
        to: Some(3),
        reason: crate::model::gap::GapReason::Truncated,
        since: None,
        until: Time(i64::MIN),
    };
    let mut told = vec![
        FanOutEvent::Update(Update::Status(HostId(0), HostStatus::plain(LinkState::Ok))),
        FanOutEvent::Update(Update::Facts(HostId(0), Arc::new(SystemFacts::default()))),
        FanOutEvent::Update(Update::Source(HostId(0), SourceId(0), info.clone())),
        FanOutEvent::Update(Update::Lines(records)),
        FanOutEvent::Update(Update::Gap(gap)),
        of(0, LogResponse::Source(info, vec![file])),
        of(0, LogResponse::Hits("app".into(), vec![near])),
        of(
            0,
            LogResponse::Buckets(
                "app".into(),
                vec![HistogramBucket {
                    start: Time(AT),
                    counts: [1; 8],
                }],
            ),
        ),
        of(
            0,
            LogResponse::Note("app".into(), "not in order".to_owned()),
        ),
        of(0, LogResponse::Failed("app".into(), "damaged".to_owned())),
        of(0, LogResponse::Progress(1, 2)),
        of(0, LogResponse::Cost("app".into(), cost)),
        of(
            0,
            LogResponse::Done(ResponseTotals {
                lines: 1,
                hits: 1,
                scanned: 10,
                received: 5,
                more: true,
            }),
        ),
    ];
    told.extend(ok(0));
    told.extend(hung(1));
    told
}

#[tokio::test]
async fn every_object_is_as_the_schema_has_it_and_the_summary_is_last() {
    let shapes = [
        ResponseShape::Sources,
        hits(false, true),
        hits(true, false),
        ResponseShape::Lines,
        ResponseShape::Costs,
    ];
    let bucket = Duration::from_secs(60);
    let mut kinds = std::collections::BTreeSet::new();
    for shape in shapes
        .into_iter()
        .chain([ResponseShape::Buckets { bucket }])
    {
        let out = print(options(shape, true), everything()).await.1;
        let mut last = Value::Null;
        for line in out.lines() {
            assert!(!line.contains('\u{202e}'), "{line}");
            last = serde_json::from_str(line).expect("JSON");
            assert_eq!(schema::check(&last), Ok(()), "{line}");
            kinds.insert(last["type"].as_str().expect("a type").to_owned());
        }
        assert_eq!(
            (&last["type"], &last["exit"]),
            (&"summary".into(), &3.into())
        );
        assert_eq!(
            (&last["bytes_scanned"], &last["more"]),
            (&10.into(), &true.into())
        );
    }
    let expected = [
        "bucket", "cost", "count", "gap", "hit", "host", "line", "note", "source", "summary",
    ];
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn a_cost_says_which_programs_would_read_or_that_none_would() {
    let cost = |commands: &[&str]| {
        let commands = commands.iter().map(|&command| command.to_owned()).collect();
        of(
            0,
            LogResponse::Cost(
                "app".into(),
                RequestCost {
                    bytes: 7,
                    files: vec![("/l/a".to_owned(), 7)],
                    commands,
                },
            ),
        )
    };
    for (commands, expected) in [
        (&["grep x"][..], "$ grep x"),
        (&[], "read by this program itself"),
    ] {
        let told = [cost(commands)]
            .into_iter()
            .chain(ok(0))
            .chain(ok(1))
            .collect();
        let out = print(options(ResponseShape::Costs, false), told).await.1;
        assert_eq!(out.lines().last().map(str::trim), Some(expected), "{out}");
    }
}

#[tokio::test]
async fn a_page_ends_with_the_cursors_to_go_on_with() {
    let (_, out, notes) = print(options(ResponseShape::Lines, false), everything()).await;
    assert!(
        out.contains("--- gap: 2 bytes missing from offset 1: truncated ---"),
        "{out}"
    );
    let cursor = LineRef::of(line(5, "").cursor, b"{\"a\":1}");
    assert!(
        notes.contains(&format!(
            "go on with --after {cursor}, back with --backwards --cursor {cursor}"
        )),
        "{notes}"
    );
    let json = print(options(ResponseShape::Lines, true), everything())
        .await
        .1;
    let summary: Value =
        serde_json::from_str(json.lines().last().expect("a summary")).expect("JSON");
    assert_eq!(summary["pages"][0]["last"], cursor.to_string());
}

#[tokio::test]
async fn a_reader_that_has_gone_ends_it_with_0_though_nothing_was_to_be_printed() {
    let (mut out, mut notes) = (Vec::new(), Vec::new());
    for (why, expected) in [
        (ShutdownReason::Unread, 0),
        (ShutdownReason::Interrupted, 4),
    ] {
        let mut list = List {
            told: VecDeque::new(),
            ends: false,
        };
        let mut shutdown = Shutdown::never();
        shutdown.tell(why);
        let shape = options(hits(false, false), true);
        let outcome = print_responses(
            &mut list,
            &hosts(),
            shape,
            &mut shutdown,
            ResponseOutput {
                out: &mut out,
                notes: &mut notes,
            },
        )
        .await
        .expect("memory");
        assert_eq!(outcome.exit, expected);
    }
    let text = String::from_utf8_lossy(&out);
    assert_eq!(
        text.lines().count(),
        3,
        "two hosts and the summary of the interrupted one: {text}"
    );
}

/// An output that remembers each piece that it was given.
#[derive(Clone, Default)]
struct Pieces(Arc<Mutex<Vec<String>>>);

impl Pieces {
    fn lines(&self) -> usize {
        self.0.lock().expect("no panic").concat().lines().count()
    }
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .expect("no panic")
            .push(String::from_utf8_lossy(bytes).into_owned());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_burst_of_hits_is_written_in_few_pieces() {
    let told = (0..10_000)
        .map(|at| hit(0, at, "no stock"))
        .chain(ok(0))
        .chain(ok(1));
    let mut list = List {
        told: told.collect(),
        ends: true,
    };
    let (mut out, mut notes) = (Pieces::default(), Vec::new());
    let shape = options(hits(false, false), true);
    print_responses(
        &mut list,
        &hosts(),
        shape,
        &mut Shutdown::never(),
        ResponseOutput {
            out: &mut out,
            notes: &mut notes,
        },
    )
    .await
    .expect("memory");
    let pieces = out.0.lock().expect("no panic");
    let bytes = pieces.concat().len();
    assert!(
        pieces.len() <= 3 + bytes / (64 << 10),
        "{} pieces of {bytes} bytes",
        pieces.len()
    );
    assert_eq!(
        pieces
            .concat()
            .lines()
            .filter(|line| line.contains("no stock"))
            .count(),
        10_000
    );
}

#[tokio::test(start_paused = true)]
async fn a_hit_is_shown_at_once_and_those_right_behind_it_soon() {
    let mut list = List {
        told: vec![hit(0, 1, "no 1"), hit(0, 2, "no 2"), hit(0, 3, "no 3")].into(),
        ends: false,
    };
    let (mut out, mut notes, mut shutdown) = (Pieces::default(), Vec::new(), Shutdown::never());
    let shown = out.clone();
    let hosts = hosts();
    let printing = print_responses(
        &mut list,
        &hosts,
        options(hits(false, false), true),
        &mut shutdown,
        ResponseOutput {
            out: &mut out,
            notes: &mut notes,
        },
    );
    let mut printing = std::pin::pin!(printing);
    for expected in [1, 3] {
        let ended = tokio::time::timeout(PAUSE * 3 / 4, &mut printing).await;
        assert!(ended.is_err(), "nobody has ended it");
        assert_eq!(shown.lines(), expected);
    }
}
