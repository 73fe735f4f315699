//! JSON: every object, its keys, and text that is never lossy.

use super::*;

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
        r#"{"v":1,"type":"host","host":"web-1","state":"ok","reason":null,"facts":{"os":"linux","kernel":"6.1.0","arch":"x86_64","hostname":"web-1","cores":8,"memory_bytes":33554432000,"uptime_s":86400,"clock_offset_ms":1.8,"clock_error_ms":0.4,"by_ssh":null},"driver":"shell","hint":null,"behind_s":null,"sources":[{"name":"access","path":"/var/log/access.log","problem":null,"stamps":"iso8601"}]}"#,
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
