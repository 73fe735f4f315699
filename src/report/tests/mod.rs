//! Reports over invented updates: every kind of object, every exit code, every way to end.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::tz::TimeZone;
use serde_json::Value;
use tokio::time::Instant;

use super::*;
use crate::fleet::Feed;
use crate::model::cursor::{Cursor, FileId};
use crate::model::gap::{Gap, GapReason};
use crate::model::host::{Endpoint, HostId, HostName, HostSpec, SystemFacts};
use crate::model::line::{ByteSpan, FleetLine, Line};
use crate::model::metrics::{
    CpuUsage, DiskIo, DiskUsage, LoadAverage, MemoryUsage, NetworkTraffic, PressureStall, Sample,
    SwapUsage,
};
use crate::model::source::{SourceId, SourceInfo};
use crate::model::state::{HostStatus, LinkState};
use crate::model::time::{Time, TimeSource};
use crate::model::update::{Ledger, Update};
use crate::query::{Query, ReferenceTime};
use crate::stages::{GrepStage, LineFilter};

/// 2026-01-01T00:00:00.042Z.
const AT: Time = Time(1_767_225_600_042_000_000);

/// Batches, and then the end or nothing more for ever.
struct List {
    batches: VecDeque<Vec<Update>>,
    ends: bool,
}

impl Feed for List {
    async fn next(&mut self) -> Option<Vec<Update>> {
        match self.batches.pop_front() {
            None if !self.ends => std::future::pending().await,
            batch => batch,
        }
    }

    fn try_next(&mut self) -> Option<Vec<Update>> {
        self.batches.pop_front()
    }

    fn close(&mut self) {}
}

fn host(name: &str) -> HostSpec {
    HostSpec::new(Endpoint::new(HostName::new(name).expect("a name")))
}

fn options(json: bool) -> Options {
    Options {
        form: if json { Form::Json } else { Form::Text },
        timeout: Some(Duration::from_secs(10)),
        part: Part::All,
        color: false,
        progress: Progress::hidden(),
        zone: TimeZone::UTC,
        today: AT.to_timestamp().to_zoned(TimeZone::UTC).date(),
    }
}

async fn report(
    hosts: &[&str],
    options: Options,
    updates: Vec<Update>,
    ends: bool,
) -> (Outcome, String) {
    let list = List {
        batches: updates.into_iter().map(|update| vec![update]).collect(),
        ends,
    };
    print(hosts, options, list).await
}

async fn print(hosts: &[&str], options: Options, updates: impl Feed) -> (Outcome, String) {
    let hosts: Vec<HostSpec> = hosts.iter().map(|name| host(name)).collect();
    let mut out = Vec::new();
    let outcome = Run::new(&hosts, options)
        .print(updates, &mut Ending::never(), &mut out)
        .await
        .expect("a vector takes everything");
    (
        outcome,
        String::from_utf8(out).expect("the report is UTF-8"),
    )
}

fn up(id: u32) -> Vec<Update> {
    let id = HostId(id);
    let sample = Sample {
        window_ms: Some(600),
        cpu: Some(CpuUsage::default()),
        ..Sample::default()
    };
    vec![
        Update::Status(id, HostStatus::plain(LinkState::Ok)),
        Update::Facts(id, Arc::new(SystemFacts::default())),
        Update::Sample(id, Arc::new(sample)),
    ]
}

fn failed(id: u32, state: LinkState) -> Update {
    Update::Status(
        HostId(id),
        HostStatus::because(state, "it is so", "do this"),
    )
}

fn source(id: u32) -> Update {
    let info = SourceInfo {
        name: "access".into(),
        path: "/var/log/access.log".into(),
        problem: None,
        stamps: Some("iso8601"),
    };
    Update::Source(HostId(0), SourceId(id), info)
}

fn line(raw: &[u8]) -> Update {
    Update::Lines(vec![FleetLine {
        host: HostId(0),
        source: SourceId(0),
        late: false,
        content: Line {
            time: AT,
            time_from: TimeSource::Stamp,
            cursor: Cursor {
                file: FileId {
                    dev: 0xfe01,
                    ino: 0x2a,
                },
                offset: 77,
            },
            continues: false,
            stamp: ByteSpan::default(),
            raw: Bytes::copy_from_slice(raw),
        },
    }])
}

fn gap(to: Option<u64>) -> Update {
    Update::Gap(Gap {
        host: HostId(0),
        source: SourceId(0),
        from: 1_048_576,
        to,
        reason: GapReason::Truncated,
        since: None,
        until: AT,
    })
}

fn full_sample() -> Sample {
    Sample {
        time: Some(AT),
        window_ms: Some(612),
        cpu: Some(CpuUsage {
            busy_pct: 12.5,
            user_pct: 1.0 / 3.0,
            cores: 8,
            ..CpuUsage::default()
        }),
        load: Some(LoadAverage {
            one: 0.4,
            five: 0.3,
            fifteen: 0.2,
        }),
        memory: Some(MemoryUsage {
            total_bytes: 100,
            available_bytes: 40,
            used_pct: 60.0,
        }),
        swap: Some(SwapUsage {
            total_bytes: 10,
            used_bytes: 1,
            used_pct: 10.0,
        }),
        psi: Some(PressureStall {
            cpu_some_pct: Some(1.5),
            ..PressureStall::default()
        }),
        disks: vec![DiskUsage {
            mount: "/".into(),
            device: "/dev/sda1".into(),
            fs: "ext4".into(),
            ..DiskUsage::default()
        }],
        io: vec![DiskIo {
            device: "sda".into(),
            read_await_ms: Some(0.25),
            ..DiskIo::default()
        }],
        network: vec![NetworkTraffic {
            interface: "eth0".into(),
            rx_bytes_per_s: 10.0,
            ..NetworkTraffic::default()
        }],
        uptime_s: Some(86_400.5),
    }
}

#[tokio::test]
async fn every_object_has_the_keys_and_the_order_of_the_schema() {
    let facts = SystemFacts {
        os: "linux".into(),
        kernel: "6.1.0".into(),
        arch: "x86_64".into(),
        hostname: "web-1".into(),
        cores: 8,
        memory_bytes: 33_554_432_000,
        uptime_s: 86_400,
        clock_offset_ms: Some(1.8),
        clock_error_ms: Some(0.4),
        ..SystemFacts::default()
    };
    let ledger = Ledger {
        hosts: 1,
        up: 1,
        complete_to: Some(AT),
        bytes_read: 65_536,
        ..Ledger::default()
    };
    let updates = vec![
        Update::Status(HostId(0), HostStatus::plain(LinkState::Ok)),
        Update::Facts(HostId(0), Arc::new(facts)),
        source(0),
        line(b"GET / 200"),
        gap(Some(1_052_000)),
        Update::Sample(HostId(0), Arc::new(full_sample())),
        Update::Ledger(ledger),
    ];
    let (outcome, out) = report(&["web-1"], options(true), updates, true).await;
    let lines: Vec<&str> = out.lines().collect();
    let expect = [
        r#"{"v":1,"type":"line","host":"web-1","source":"access","time":"2026-01-01T00:00:00.042000000Z","time_from":"stamp","level":null,"cursor":"fe01.2a.77.d0625e31","text":"GET / 200","continues":false,"fields":null,"ids":{"request":null,"trace":null,"span":null,"user":null}}"#,
        r#"{"v":1,"type":"gap","host":"web-1","source":"access","from":1048576,"to":1052000,"bytes":3424,"reason":"truncated","since":null,"until":"2026-01-01T00:00:00.042000000Z"}"#,
        r#"{"v":1,"type":"host","host":"web-1","state":"ok","reason":null,"facts":{"os":"linux","kernel":"6.1.0","arch":"x86_64","hostname":"web-1","cores":8,"memory_bytes":33554432000,"uptime_s":86400,"clock_offset_ms":1.8,"clock_error_ms":0.4},"driver":"shell","hint":null,"behind_s":null,"sources":[{"name":"access","path":"/var/log/access.log","problem":null,"stamps":"iso8601"}]}"#,
        r#"{"v":1,"type":"metric","host":"web-1","time":"2026-01-01T00:00:00.042000000Z","cpu":{"busy_pct":12.5,"iowait_pct":0.0,"steal_pct":0.0,"user_pct":0.333,"system_pct":0.0,"cores":8,"low_confidence":false},"load":{"1m":0.4,"5m":0.3,"15m":0.2},"memory":{"total_bytes":100,"available_bytes":40,"used_pct":60.0},"swap":{"total_bytes":10,"used_bytes":1,"used_pct":10.0},"psi":{"cpu":{"some_pct":1.5},"memory":{"some_pct":null,"full_pct":null},"io":{"some_pct":null,"full_pct":null}},"disks":[{"mount":"/","device":"/dev/sda1","fs":"ext4","total_bytes":0,"used_bytes":0,"available_bytes":0,"used_pct":0.0,"inodes_used_pct":null}],"network":[{"interface":"eth0","rx_bytes_per_s":10.0,"tx_bytes_per_s":0.0,"rx_errors_per_s":0.0,"tx_errors_per_s":0.0}],"io":[{"device":"sda","read_bytes_per_s":0.0,"write_bytes_per_s":0.0,"read_await_ms":0.25,"write_await_ms":null,"queue":0.0,"util_pct":0.0}],"window_ms":612,"uptime_s":86400.5}"#,
    ];
    for (got, expect) in lines.iter().zip(expect) {
        // The level is found by `model`, and is its business.
        assert_eq!(*got, expect);
    }
    assert_eq!(lines.len(), 5, "{out}");
    let (before, rest) = lines[4].split_once("\"elapsed_ms\":").expect("elapsed_ms");
    let expect = r#"{"v":1,"type":"summary","hosts":{"total":1,"ok":1,"failed":0},"lines":1,"hits":0,"gaps":1,"bytes_read":65536,"complete_to":"2026-01-01T00:00:00.042000000Z","#;
    assert_eq!(before, expect);
    assert!(
        rest.ends_with(r#","exit":3,"bytes_scanned":null,"more":null,"pages":[]}"#),
        "{rest}"
    );
    assert_eq!(
        outcome,
        Outcome {
            hosts: 1,
            ok: 1,
            lines: 1,
            hits: 0,
            gaps: 1,
            exit: 3
        }
    );
}

#[tokio::test]
async fn fields_have_their_types_and_ids_their_names() {
    let fields = async |raw: &[u8]| {
        let (_, out) = report(&["a"], options(true), vec![line(raw)], true).await;
        let row: Value = serde_json::from_str(out.lines().next().expect("a line")).expect("JSON");
        format!("{} {}", row["fields"], row["ids"]["request"])
    };
    let table: [(&[u8], &str); 4] = [
        (
            br#"{"n":1,"f":1.5,"t":"7","b":true,"z":null,"o":{"x":[1,2]},"big":123456789012345678901234567890,"n":2}"#,
            r#"{"n":1,"f":1.5,"t":"7","b":true,"z":null,"o.x":[1,2],"big":"123456789012345678901234567890"} null"#,
        ),
        (b"status=502 zip=00501 request_id=abc-1", r#"{"status":502,"zip":"00501","request_id":"abc-1"} "abc-1""#),
        (b"user=\xff", r#"{"user":{"bytes":"/w=="}} null"#),
        (b"nothing here", "null null"),
    ];
    for (raw, expected) in table {
        assert_eq!(
            fields(raw).await,
            expected,
            "{}",
            String::from_utf8_lossy(raw)
        );
    }
}

#[tokio::test]
async fn absent_metrics_are_null_and_not_zero() {
    let updates = vec![
        failed(0, LinkState::Ok),
        Update::Sample(HostId(0), Arc::new(Sample::default())),
    ];
    let (_, out) = report(&["a"], options(true), updates, true).await;
    let metric = out
        .lines()
        .find(|line| line.contains("\"metric\""))
        .expect("a metric");
    let expect = r#"{"v":1,"type":"metric","host":"a","time":null,"cpu":null,"load":null,"memory":null,"swap":null,"psi":null,"disks":[],"network":[],"io":[],"window_ms":null,"uptime_s":null}"#;
    assert_eq!(metric, expect);
}

#[tokio::test]
async fn text_is_never_lossy_and_never_obeyed() {
    let check = async |raw: &[u8], expect: &str| {
        let (_, out) = report(&["a"], options(true), vec![line(raw)], true).await;
        let first = out.lines().next().expect("a line");
        assert!(
            first.contains(&format!("\"text\":{expect},\"continues\":")),
            "{first}"
        );
        assert!(serde_json::from_str::<Value>(first).is_ok(), "{first}");
    };
    check(b"", r#""""#).await;
    check("gr\u{fc}n \u{1f600}".as_bytes(), "\"gr\u{fc}n \u{1f600}\"").await;
    check(
        b"\x1b]52;c;eA==\x07\r\t\0\"\\",
        r#""\u001b]52;c;eA==\u0007\r\t\u0000\"\\""#,
    )
    .await;
    check(
        "\u{7f}\u{9b}31m\u{202e}\u{2066}\u{200b}\u{feff}".as_bytes(),
        r#""\u007f\u009b31m\u202e\u2066\u200b\ufeff""#,
    )
    .await;
    check("\u{e0041}".as_bytes(), r#""\udb40\udc41""#).await;
    check(b"caf\xe9", r#"{"bytes":"Y2Fm6Q=="}"#).await;
}

#[tokio::test]
async fn the_exit_code_tells_how_much_has_answered() {
    let both = || [up(0), up(1)].concat();
    let one = |state| [up(0), vec![failed(1, state)]].concat();
    let cases: Vec<(&str, Vec<Update>, u8)> = vec![
        ("both", both(), 0),
        (
            "both, one without a file that was asked for",
            [both(), vec![failed(1, LinkState::Degraded)]].concat(),
            3,
        ),
        (
            "both, and neither with its file",
            [
                both(),
                [0, 1].map(|id| failed(id, LinkState::Degraded)).into(),
            ]
            .concat(),
            3,
        ),
        ("both, and a gap", [both(), vec![gap(None)]].concat(), 3),
        ("one denied", one(LinkState::Denied), 3),
        ("one unreachable", one(LinkState::Unreachable), 3),
        (
            "one lost after it had answered",
            [both(), vec![failed(0, LinkState::Unreachable)]].concat(),
            3,
        ),
        (
            "none",
            vec![
                failed(0, LinkState::Unreachable),
                failed(1, LinkState::HostKeyChanged),
            ],
            4,
        ),
        ("nothing at all", vec![], 4),
    ];
    for (what, updates, exit) in cases {
        for json in [true, false] {
            let (outcome, out) = report(&["a", "b"], options(json), updates.clone(), true).await;
            assert_eq!(outcome.exit, exit, "{what}: {out}");
        }
    }
}

#[tokio::test]
async fn each_host_is_reported_once_and_the_summary_comes_last() {
    let updates = [
        vec![failed(1, LinkState::Denied), failed(1, LinkState::Denied)],
        up(0),
        vec![line(b"x")],
    ]
    .concat();
    let (_, out) = report(&["a", "b", "c"], options(true), updates, true).await;
    let objects: Vec<Value> = out
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let what: Vec<String> = objects
        .iter()
        .map(|it| format!("{}:{}", it["type"], it["host"]).replace('"', ""))
        .collect();
    assert_eq!(
        what,
        [
            "host:b",
            "line:a",
            "host:a",
            "metric:a",
            "host:c",
            "summary:null"
        ]
    );
    assert_eq!(objects[4]["state"], "unreachable");
    assert_eq!(objects[0]["driver"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn at_the_deadline_whoever_is_missing_is_named_with_what_was_missing() {
    let connected = Update::Status(HostId(1), HostStatus::plain(LinkState::Ok));
    let dialling = Update::Status(
        HostId(2),
        HostStatus::because(LinkState::Connecting, "no answer from 10.0.0.3", ""),
    );
    let updates = [
        up(0),
        vec![
            connected,
            dialling,
            failed(3, LinkState::Unreachable),
            line(b"x"),
        ],
    ]
    .concat();
    let started = Instant::now();
    let (outcome, out) = report(&["a", "b", "c", "d"], options(true), updates, false).await;
    assert_eq!(started.elapsed().as_secs(), 10);
    assert_eq!((outcome.ok, outcome.exit, outcome.lines), (1, 3, 1));
    let rows: Vec<Value> = out
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let rows: Vec<String> = rows
        .iter()
        .filter(|row| row["type"] == "host")
        .map(|row| format!("{} {} {}", row["host"], row["state"], row["reason"]).replace('"', ""))
        .collect();
    assert_eq!(
        rows,
        [
            "a ok null",
            "b timeout connected, but no answer within 10.0 s",
            "c timeout no connection within 10.0 s; last: no answer from 10.0.0.3",
            "d unreachable it is so",
        ]
    );
}

fn of(source: u32, continues: bool, raw: &'static str) -> Update {
    let Update::Lines(mut records) = line(raw.as_bytes()) else {
        return line(b"");
    };
    records.iter_mut().for_each(|record| {
        (record.source, record.content.continues) = (SourceId(source), continues);
    });
    Update::Lines(records)
}

/// The texts of the lines that are printed for a query.
async fn found(query: &str, updates: Vec<Update>) -> Vec<String> {
    let filter = LineFilter {
        query: Some(Query::parse(query, &ReferenceTime::default()).expect("a query")),
        sources: Vec::new(),
    };
    let list = List {
        batches: updates.into_iter().map(|update| vec![update]).collect(),
        ends: true,
    };
    let wanted = GrepStage::new(list, &[host("a")], filter);
    let (outcome, out) = print(&["a"], options(true), wanted).await;
    let rows = out
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let text = |row: Value| match row["type"].as_str() {
        Some("line") => row["text"].as_str().map(str::to_owned),
        Some("gap") => Some("gap".to_owned()),
        _ => None,
    };
    let texts: Vec<_> = rows.filter_map(text).collect();
    assert_eq!(outcome.lines + outcome.gaps, texts.len() as u64);
    texts
}

#[tokio::test]
async fn only_lines_of_matching_records_are_printed_in_their_order() {
    let updates = || {
        vec![
            of(0, false, "cannot add"),
            of(1, false, "hay"),
            of(0, true, "  at Cart.needle"),
            gap(None),
            of(0, true, "  at Main"),
            of(1, true, "  more hay"),
            of(1, false, "a needle"),
        ]
    };
    assert_eq!(
        found("needle", updates()).await,
        ["cannot add", "  at Cart.needle", "gap", "a needle"]
    );
    assert_eq!(
        found("add needle", updates()).await,
        ["cannot add", "  at Cart.needle", "gap"]
    );
    assert_eq!(
        found("-needle", updates()).await,
        ["hay", "gap", "  at Main", "  more hay"]
    );
    assert_eq!(found("nothing", updates()).await, ["gap"]);
}

#[tokio::test]
async fn a_record_without_end_does_not_hold_up_the_others_for_ever() {
    let line = "x".repeat(100_000);
    let line: &'static str = Box::leak(line.into_boxed_str());
    let mut updates = vec![of(0, false, "needle"), of(1, false, "needle too")];
    updates.extend((0..200).map(|_| of(0, true, line)));
    assert_eq!(found("needle", updates).await.len(), 202);
}

#[tokio::test]
async fn a_priority_of_syslog_is_for_machines_and_people_do_not_see_it() {
    let updates = || vec![source(0), line(b"<30>Nov 20 00:00:00 a sshd[1]: x")];
    let (_, text) = report(&["a"], options(false), updates(), true).await;
    assert!(
        text.contains("Nov 20 00:00:00 a sshd[1]: x") && !text.contains("<30>"),
        "{text}"
    );
    let (_, json) = report(&["a"], options(true), updates(), true).await;
    assert!(json.contains("\"text\":\"<30>Nov 20"), "{json}");
}

#[tokio::test]
async fn people_get_lines_then_a_table_then_the_summary() {
    let sample = Update::Sample(HostId(0), Arc::new(full_sample()));
    let ledger = Update::Ledger(Ledger {
        complete_to: Some(AT),
        ..Ledger::default()
    });
    let updates = [
        up(0),
        vec![
            source(0),
            line(b"GET / 200"),
            gap(Some(1_048_580)),
            sample,
            ledger,
        ],
        vec![failed(1, LinkState::Unreachable)],
    ];
    let (_, out) = report(&["web-1", "db-10"], options(false), updates.concat(), true).await;
    let (before, elapsed) = out.trim_end().rsplit_once(" · ").expect("a summary");
    assert!(elapsed.ends_with(" s"), "{elapsed}");
    let expect = "\
00:00:00 web-1 access GET / 200
00:00:00 web-1 access --- gap: 4 bytes missing from offset 1048576: truncated ---
HOST   STATE         CPU   MEM   LOAD  DISK  REASON
web-1  ok            12%   60%   0.40    0%
db-10  unreachable     -     -      -     -  it is so – do this
1/2 hosts · 1 unreachable · 1 line · 1 gap · complete to 00:00:00";
    assert_eq!(before, expect);
}

#[tokio::test]
async fn csv_has_a_header_and_a_row_for_each_line_and_gap_and_its_summary_elsewhere() {
    let hosts = [host("web-1"), host("db-1")];
    let lines: [&[u8]; 3] = [
        b"a \"b\", c",
        b"=HYPERLINK(\"http://x\")",
        b"<11>Nov 20 00:00:00 a: \x1b[31mx\xff",
    ];
    let mut updates = [up(0), vec![source(0)]].concat();
    updates.extend(lines.iter().map(|raw| line(raw)));
    updates.extend([gap(Some(1_048_580)), failed(1, LinkState::Denied)]);
    for (cells, guard) in [(Cells::Guarded, "'"), (Cells::Raw, "")] {
        let list = List {
            batches: VecDeque::from([updates.clone()]),
            ends: true,
        };
        let options = Options {
            form: Form::Csv(cells),
            ..options(false)
        };
        let (mut out, mut notes) = (Vec::new(), Vec::new());
        let outcome = Run::new(&hosts, options)
            .with_notes(&mut notes)
            .print(list, &mut Ending::never(), &mut out)
            .await
            .expect("written");
        let expect = format!(
            r#"time,time_from,level,host,source,text,cursor,continues
2026-01-01T00:00:00.042000000Z,stamp,,web-1,access,"a ""b"", c",fe01.2a.77.651b0ab1,false
2026-01-01T00:00:00.042000000Z,stamp,,web-1,access,"{guard}=HYPERLINK(""http://x"")",fe01.2a.77.36bcb38e,false
2026-01-01T00:00:00.042000000Z,stamp,error,web-1,access,<11>Nov 20 00:00:00 a: \x1B[31mx\xFF,fe01.2a.77.8793bafb,false
2026-01-01T00:00:00.042000000Z,gap,,web-1,access,4 bytes missing from offset 1048576: truncated,,
"#
        );
        assert_eq!(String::from_utf8_lossy(&out), expect);
        let notes = String::from_utf8_lossy(&notes);
        assert!(
            notes.contains("db-1   denied")
                && notes.contains("\n1/2 hosts · 1 denied · 3 lines · 1 gap"),
            "{notes}"
        );
        assert_eq!((outcome.lines, outcome.gaps, outcome.exit), (3, 1, 3));
    }
}

#[tokio::test]
async fn a_time_that_is_not_of_today_has_its_date() {
    let tomorrow = jiff::civil::date(2026, 1, 2);
    let options = Options {
        today: tomorrow,
        ..options(false)
    };
    let (_, out) = report(&["a"], options, [up(0), vec![line(b"x")]].concat(), true).await;
    assert!(out.starts_with("2026-01-01 00:00:00 a "), "{out}");
}

#[tokio::test]
async fn colour_is_only_ours_and_only_on_request() {
    let (_, plain) = report(
        &["a"],
        options(false),
        [up(0), vec![line(b"x")]].concat(),
        true,
    )
    .await;
    assert!(!plain.contains('\x1b'), "{plain:?}");
    let colored = Options {
        color: true,
        ..options(false)
    };
    let (_, colored) = report(&["a"], colored, [up(0), vec![line(b"x")]].concat(), true).await;
    assert!(colored.contains("\x1b[36ma   \x1b[0m"), "{colored:?}");
}

#[tokio::test]
async fn colours_of_lines_are_written_anew_on_a_terminal_and_left_out_elsewhere() {
    for (raw, plain, colored) in [
        (
            "\x1b[1;31mred\x1b[m rest",
            "red rest",
            "\x1b[1;31mred\x1b[0m rest",
        ),
        ("\x1b[38:5:208mx\x1b[K", "x␛[K", "\x1b[38;5;208mx␛[K\x1b[0m"),
        ("\x1b[97;44mx", "x", "\x1b[97;44mx\x1b[0m"),
        ("\x1b[38;2;1;200;3mx", "x", "\x1b[38;2;1;200;3mx\x1b[0m"),
        // Nothing hides: neither concealed, nor in the colour of what is behind it.
        ("\x1b[8mx", "x", "x"),
        ("\x1b[30;40mx", "x", "x"),
        ("\x1b[47mx", "x", "x"),
        ("\x1b[30mx\x1b[38;5;231my\x1b[38;2;1;2;3mz", "xyz", "xyz"),
        ("\x1b]0;t\x07", "␛]0;t␇", "␛]0;t␇"),
        (
            "ERROR \x1b[1mx\x1b[m",
            "ERROR x",
            "\x1b[31mERROR \x1b[0m\x1b[31;1mx\x1b[0m",
        ),
        ("1%\r2%\r3%\r4%", "␍×3 4%", "␍×3 4%"),
    ] {
        for (color, expect) in [(false, plain), (true, colored)] {
            let options = Options {
                color,
                ..options(false)
            };
            let (_, out) = report(
                &["a"],
                options,
                [up(0), vec![line(raw.as_bytes())]].concat(),
                true,
            )
            .await;
            let first = out.lines().next().expect("a line");
            assert!(first.ends_with(&format!(" {expect}")), "{first:?}");
            assert!(color || !out.contains('\x1b'), "{out:?}");
        }
        let (_, json) = report(&["a"], options(true), vec![line(raw.as_bytes())], true).await;
        let object: Value =
            serde_json::from_str(json.lines().next().expect("a line")).expect("JSON");
        assert_eq!(object["text"], raw);
    }
}

/// Takes some bytes and then fails.
struct Failing(usize, io::ErrorKind);

impl Write for Failing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(self.1.into());
        }
        let taken = bytes.len().min(self.0);
        self.0 -= taken;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_reader_that_has_gone_ends_it_quietly_and_a_full_disk_does_not() {
    let hosts = [host("a")];
    for json in [true, false] {
        let list = || List {
            batches: VecDeque::from([vec![failed(0, LinkState::Denied), line(b"x")]]),
            ends: true,
        };
        let gone = Run::new(&hosts, options(json))
            .print(
                list(),
                &mut Ending::never(),
                &mut Failing(10, io::ErrorKind::BrokenPipe),
            )
            .await;
        assert_eq!(gone.expect("no error").exit, 0);
        let full = Run::new(&hosts, options(json))
            .print(
                list(),
                &mut Ending::never(),
                &mut Failing(10, io::ErrorKind::StorageFull),
            )
            .await;
        assert!(full.is_err_and(|error| {
            error
                .to_string()
                .starts_with("write the report to standard output")
        }));
    }
}
