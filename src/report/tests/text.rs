//! The text form and CSV.

use super::*;

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
    for (cells, guard) in [(CsvCells::Guarded, "'"), (CsvCells::Raw, "")] {
        let list = List {
            batches: VecDeque::from([updates.clone()]),
            ends: true,
        };
        let options = ReportOptions {
            form: OutputFormat::Csv(cells),
            ..options(false)
        };
        let (mut out, mut notes) = (Vec::new(), Vec::new());
        let outcome = Run::new(&hosts, options)
            .with_notes(&mut notes)
            .print(list, &mut Shutdown::never(), &mut out)
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
    let options = ReportOptions {
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
    let colored = ReportOptions {
        color: true,
        ..options(false)
    };
    let (_, colored) = report(&["a"], colored, [up(0), vec![line(b"x")]].concat(), true).await;
    assert!(colored.contains("\x1b[36ma   \x1b[0m"), "{colored:?}");
}

#[tokio::test]
async fn line_colours_are_kept_on_a_terminal_and_left_out_in_a_pipe() {
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
            let options = ReportOptions {
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
