//! Passes: exit codes, rows, deadlines, queries, and outputs that fail.

use super::*;

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
async fn a_large_batch_is_printed_as_its_lines_one_by_one_are() {
    let lines = |n: u32| match line(format!("n={n} level=warn").as_bytes()) {
        Update::Lines(lines) => lines,
        other => unreachable!("{other:?}"),
    };
    let many: Vec<Update> = (0..5000).map(|n| Update::Lines(lines(n))).collect();
    let at_once = vec![Update::Lines((0..5000).flat_map(lines).collect())];
    for form in [
        OutputFormat::Text,
        OutputFormat::Json,
        OutputFormat::Csv(CsvCells::Guarded),
    ] {
        let options = ReportOptions {
            form,
            part: ReportContent::Lines,
            ..options(false)
        };
        let (_, one_by_one) = report(&["a"], options.clone(), many.clone(), true).await;
        let (outcome, together) = report(&["a"], options, at_once.clone(), true).await;
        let lines =
            |text: String| -> Vec<String> { text.lines().take(5000).map(str::to_owned).collect() };
        assert_eq!(lines(together), lines(one_by_one));
        assert_eq!(outcome.lines, 5000);
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
                &mut Shutdown::never(),
                &mut Failing(10, io::ErrorKind::BrokenPipe),
            )
            .await;
        assert_eq!(gone.expect("no error").exit, 0);
        let full = Run::new(&hosts, options(json))
            .print(
                list(),
                &mut Shutdown::never(),
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
