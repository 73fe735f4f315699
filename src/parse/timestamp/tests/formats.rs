//! A line of each format in, its time out.

use super::*;

/// 13:00:01 of UTC.
const UTC: &str = "2026-11-20T13:00:01Z";
/// 13:00:01 of a host that is an hour ahead.
const LOCAL: &str = "2026-11-20T12:00:01Z";
/// The same with milliseconds.
const UTC_MS: &str = "2026-11-20T13:00:01.123Z";
const LOCAL_MS: &str = "2026-11-20T12:00:01.123Z";
const LOCAL_US: &str = "2026-11-20T12:00:01.123456Z";
const UTC_US: &str = "2026-11-20T13:00:01.123456Z";

/// Checks that each line has the time as the first of a source, again, and after many of its kind
/// were learnt.
fn check(table: &[(&str, &str)]) {
    for &(line, expected) in table {
        let mut stamper = TimestampReader::new(&HostClock {
            boot: Some(time(UTC)),
            ..HostClock::fixed(3600)
        });
        let found = (time(expected), TimeSource::Stamp);
        assert_eq!(read(&mut stamper, line, now()), found, "{line}");
        assert_eq!(
            read(&mut stamper, line, now()),
            found,
            "a second time: {line}"
        );
        let sample = vec![line.as_bytes(); 20];
        stamper.learn(&mut sample.into_iter(), now());
        assert_eq!(read(&mut stamper, line, now()), found, "learnt: {line}");
    }
}

#[test]
fn dates_with_the_year_first() {
    check(&[
        ("2026-11-20T13:00:01.123Z hello", UTC_MS),
        (
            "2026-11-20T13:00:01,123456789+00:00 hello",
            "2026-11-20T13:00:01.123456789Z",
        ),
        ("2026-11-20_13:00:01.123 hello", LOCAL_MS),
        ("2026-11-20-13:00:01 hello", LOCAL),
        ("2026-11-20-13.00.01.123456 hello", LOCAL_US),
        ("2026-11-20, 13:00:01 hello", LOCAL),
        ("2026-11-20,13:00:01,123,INFO", LOCAL_MS),
        ("2026-11-20\t13:00:01\thello", LOCAL),
        ("2026-11-20  13:00:01 hello", LOCAL),
        ("2026-11-20 13:00:01:123 hello", LOCAL_MS),
        ("2026-11-20 13:00:01.1 hello", "2026-11-20T12:00:01.1Z"),
        ("2026.11.20 13:00:01 hello", LOCAL),
        ("2026/11/20 13:00:01.123456 main.go:12: hello", LOCAL_US),
        ("2026/11/20 13:00:01 [error] 811#8: *1 open() failed", LOCAL),
        ("2026-11-20 1:00:01 PM hello", LOCAL),
        ("2026-11-20 13:00:01 CET hello", LOCAL),
        (
            "2026-11-20 14:00:01.123 CEST [77] LOG:  ready",
            "2026-11-20T12:00:01.123Z",
        ),
        ("2026-11-20 10:00:01 -03 [77] LOG:  ready", UTC),
        (
            "2026-11-20 13:00:01.123 UTC,\"app\",\"shop\",77,\"[local]\",5e,1,\"SELECT\"",
            UTC_MS,
        ),
        (
            "2026-11-20 13:00:01.123 GMT [77] shop@app LOG:  ready",
            UTC_MS,
        ),
        ("2026-11-20 13:00:01 INFO ready", LOCAL),
        (
            "2026-11-20 13:00:01 0 [Note] mariadbd: ready for connections.",
            LOCAL,
        ),
        (
            "2026-11-20T13:00:01.123456Z 0 [System] [MY-010931] [Server] ready",
            UTC_US,
        ),
        ("2026-Nov-20 13:00:01.123456 hello", LOCAL_US),
        ("2026 Nov 20 13:00:01 switch %LINK-3-UPDOWN: hello", LOCAL),
        ("20261120T130001.123Z hello", UTC_MS),
        ("20261120T13:00:01Z hello", UTC),
        (
            "2026-11-20T13:00:01.123456789Z stdout F hello",
            "2026-11-20T13:00:01.123456789Z",
        ),
        (
            "2026-11-20T13:00:01.123+0000\tINFO\tmain.go:12\thello",
            UTC_MS,
        ),
        ("2026-11-20T13:00:01+01:00[Europe/Berlin] hello", LOCAL),
        (
            "2026-11-20 13:00:01.123  INFO 77 --- [main] c.e.Shop : hello",
            LOCAL_MS,
        ),
        (
            "2026-11-20 13:00:01,123 [main] INFO  com.example.Shop - hello",
            LOCAL_MS,
        ),
        (
            "2026-11-20-13.00.01.123456+060 I1A1234 LEVEL: Info",
            LOCAL_US,
        ),
        (
            "[2026/11/20 13:00:01,  0] ../source3/smbd/server.c:1()",
            LOCAL,
        ),
        ("   77:20261120:130001.123 agent #0 started", LOCAL_MS),
        ("Start-Date: 2026-11-20  13:00:01", LOCAL),
        (
            "2026-11-20 14:00:01.123456789 +0100 CET m=+0.001 hello",
            "2026-11-20T13:00:01.123456789Z",
        ),
        ("1,2026/11/20 13:00:01,0012,THREAT,url", LOCAL),
        (
            "https 2026-11-20T13:00:01.123456Z app/shop/50dc 10.0.0.1:2817",
            UTC_US,
        ),
        (
            "Started GET \"/\" for 127.0.0.1 at 2026-11-20 13:00:01 +0000",
            UTC,
        ),
        (
            "[pid: 77|app: 0|req: 1/1] 10.0.0.1 () {28 vars in 300 bytes} [Fri Nov 20 13:00:01 2026] GET /",
            LOCAL,
        ),
        ("2026-11-20 24:00:00 hello", "2026-11-20T23:00:00Z"),
        ("Fri 2026-11-20 13:00:01 UTC web-1 sshd[1]: hello", UTC),
        ("\u{feff}2026-11-20T13:00:01Z hello", UTC),
    ]);
}

#[test]
fn stamps_behind_a_prefix() {
    check(&[
        ("[INFO] 2026-11-20 13:00:01 hello", LOCAL),
        ("INFO: 2026-11-20 13:00:01 hello", LOCAL),
        ("INFO|2026-11-20 13:00:01|hello", LOCAL),
        ("WARN  [2026-11-20 13:00:01,123] org.Shop: hello", LOCAL_MS),
        (
            "nova-api.log 2026-11-20 13:00:01.123 77 INFO nova.osapi [req-1] hello",
            LOCAL_MS,
        ),
        (
            "nova-api.log.1.2017-05-16_13:53:08 2026-11-20 13:00:01.123 25746 INFO nova",
            LOCAL_MS,
        ),
        (
            "app.log.2017-05-16_13:53:08 2026-11-20 13:00:01.123 hello",
            LOCAL_MS,
        ),
        ("pod/app-0 2026-11-20T13:00:01Z hello", UTC),
        ("[pod/app-0/shop] 2026-11-20T13:00:01Z hello", UTC),
        ("raft2026/11/20 13:00:01 INFO: became leader", LOCAL),
        ("web-1  | 20/Nov/2026:13:00:01 +0000 hello", UTC),
        (
            "web-1  | I1120 13:00:01.123456       1 main.go:12] hello",
            LOCAL_US,
        ),
        ("web-1  | {\"time\":\"2026-11-20T13:00:01Z\"}", UTC),
        (
            "Nov 20 13:00:01 web-1 app: {\"time\":\"2001-11-20T13:00:01Z\"}",
            LOCAL,
        ),
        (
            "Nov 20 13:00:01 web-1 app: 2001-01-01 00:00:00 hello",
            LOCAL,
        ),
        (
            "D, [2026-11-20T13:00:01.123456 #12] DEBUG -- : hello",
            LOCAL_US,
        ),
        ("\u{1b}[32m2026-11-20 13:00:01.123\u{1b}[0m hello", LOCAL_MS),
        ("\u{1b}[90m1795179601\u{1b}[0m hello", UTC),
    ]);
}

#[test]
fn dates_of_syslog_and_ctime() {
    check(&[
        ("Nov 20 13:00:01 web-1 sshd[1]: hello", LOCAL),
        ("<13>Nov 20 13:00:01 web-1 sshd[1]: hello", LOCAL),
        (
            "<13>1 2026-11-20T13:00:01.123456Z web-1 app 12 ID47 - hello",
            UTC_US,
        ),
        ("Nov 20 13:00:01.123456 web-1 sshd[1]: hello", LOCAL_US),
        ("*Nov 20 13:00:01.123: %SYS-5-CONFIG_I: hello", LOCAL_MS),
        (".Nov 20 13:00:01.123 CET: %SYS-5-CONFIG_I: hello", LOCAL_MS),
        ("Nov 20 13:00:01 UTC: %SYS-5: hello", UTC),
        (
            "Nov 20, 2026 1:00:01 PM org.apache.catalina.startup.Catalina start",
            LOCAL,
        ),
        (
            "Nov 20, 2026 1:00:01\u{202f}PM org.apache.catalina.startup.Catalina start",
            LOCAL,
        ),
        (
            "Nov 20, 2026 12:00:01 AM com.example.Shop main",
            "2026-11-19T23:00:01Z",
        ),
        ("November 20, 2026 13:00:01 hello", LOCAL),
        ("[Fri Nov 20 13:00:01 2026] usb 1-1: new device", LOCAL),
        (
            "[Fri Nov 20 13:00:01.123456 2026] [mpm_event:notice] [pid 1:tid 2] AH00489: ready",
            LOCAL_US,
        ),
        (
            "[Fri Nov 20 13:00:01 2026] [error] [client 10.0.0.1] hello",
            LOCAL,
        ),
        ("Fri Nov 20 13:00:01 CET 2026 backup done", LOCAL),
        ("Fri Nov 20 01:00:01 PM UTC 2026 backup done", UTC),
        ("Fri Nov 20 13:00:01 2026: hello", LOCAL),
        ("Fri, 20 Nov 2026 13:00:01 GMT hello", UTC),
        (
            "Fri Nov 20 2026 13:00:01 GMT+0000 (Coordinated Universal Time) hello",
            UTC,
        ),
    ]);
}

#[test]
fn dates_with_the_day_first() {
    check(&[
        (
            "10.0.0.1 - - [20/Nov/2026:13:00:01 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"curl/8.5\"",
            UTC,
        ),
        (
            "shop.example.com:443 2001:db8::1 - bob [20/Nov/2026:14:00:01 +0100] \"GET / HTTP/2\" 200 5",
            UTC,
        ),
        (
            "10.0.0.1 - John Smith [20/Nov/2026:13:00:01 +0000] \"GET / HTTP/1.1\" 200 5",
            UTC,
        ),
        (
            "10.0.0.1:51234 [20/Nov/2026:13:00:01.123] http~ app/web1 0/0/1/2/3 200 512 - - ---- 1/1/0/0/0 0/0 \"GET /\"",
            LOCAL_MS,
        ),
        (
            "<134>Nov 20 13:00:01 lb haproxy[1]: 10.0.0.1:51234 [20/Nov/2026:13:00:00.123] http app/web1 200",
            LOCAL,
        ),
        (
            "1:M 20 Nov 2026 13:00:01.123 * Ready to accept connections",
            LOCAL_MS,
        ),
        ("[77] 20 Nov 13:00:01.123 # Server started", LOCAL_MS),
        ("77:C 20 Nov 13:00:01 * hello", LOCAL),
        (
            "20-Nov-2026 13:00:01.123 general: info: zone loaded",
            LOCAL_MS,
        ),
        ("20-Nov-26 13:00:01 hello", LOCAL),
        (
            "20-NOV-2026 13:00:01 * (CONNECT_DATA=(SID=db)) * establish",
            LOCAL,
        ),
        (
            "20-Nov-2026 13:00:01.123 INFO [main] org.apache.catalina.startup.Catalina.start Server",
            LOCAL_MS,
        ),
        ("=INFO REPORT==== 20-Nov-2026::13:00:01 ===", LOCAL),
        ("Fri 20 Nov 13:00:01 UTC 2026 backup done", UTC),
        ("[20Nov2026 13:00:01.123] [main/INFO] hello", LOCAL_MS),
        ("[20/Nov/2026 13:00:01] \"GET / HTTP/1.1\" 200 5", LOCAL),
        ("[77] 20/11/2026 -- 13:00:01 - <Notice> - hello", LOCAL),
        ("[20-Nov-2026 13:00:01 UTC] PHP Warning:  hello", UTC),
        (
            "[20-Nov-2026 13:00:01] NOTICE: fpm is running, pid 1",
            LOCAL,
        ),
        ("20 November 2026, 13:00:01 hello", LOCAL),
        ("20.11.2026 13:00:01 hello", LOCAL),
        ("20.11.2026, 13:00:01,123 hello", LOCAL_MS),
        ("20/11/2026 13:00:01 hello", LOCAL),
        ("20-11-2026 13:00:01.123 hello", LOCAL_MS),
        ("[20.11.26 13:00:01] hello", LOCAL),
        ("20.11. 13:00:01 hello", LOCAL),
    ]);
}

#[test]
fn dates_with_two_digits_of_a_year_or_none() {
    check(&[
        ("11/20/2026 13:00:01 hello", LOCAL),
        ("11/20/2026 1:00:01 PM hello", LOCAL),
        ("11/20/26 13:00:01 hello", LOCAL),
        ("11/20/2026-13:00:01.123 - hello", LOCAL_MS),
        ("26/11/20 13:00:01 INFO executor.Executor: hello", LOCAL),
        (
            "17/06/09 20:10:40 INFO spark.SecurityManager: hello",
            "2017-06-09T19:10:40Z",
        ),
        ("261120 13:00:01 mysqld_safe Starting mysqld daemon", LOCAL),
        (
            "261120  9:00:01 [Note] Event Scheduler: Loaded 0 events",
            "2026-11-20T08:00:01Z",
        ),
        ("261120 130001 77 INFO dfs.DataNode: hello", LOCAL),
        (
            "11-20 13:00:01.123  1702  2395 D WindowManager: hello",
            LOCAL_MS,
        ),
        ("11-20 13:00:01.123 D/WindowManager( 1702): hello", LOCAL_MS),
        ("11/20 13:00:01 hello", LOCAL),
        ("11/20-13:00:01.123456  [**] [1:1000:1] hello", LOCAL_US),
        (
            "11/20/2026-13:00:01.123456  [**] [1:1000:1] hello",
            LOCAL_US,
        ),
        (
            "[11/20/26 13:00:01:123 CET] 00000001 WsServerImpl A hello",
            LOCAL_MS,
        ),
        ("<Nov 20, 2026 1:00:01 PM CET> <Info> <Server> hello", LOCAL),
        ("####<Nov 20, 2026 1:00:01,123 PM UTC> <Info> hello", UTC_MS),
        ("Information,11/20/2026 1:00:01 PM,Service,7036", LOCAL),
        (
            "[11.20 13:00:01] chrome.exe - proxy:5070 open through proxy",
            LOCAL,
        ),
        ("I1120 13:00:01.123456       1 main.go:12] hello", LOCAL_US),
        (
            "W20261120 13:00:01.123456 140123 main.cc:12] hello",
            LOCAL_US,
        ),
        ("20261120130001 hello", LOCAL),
        ("20261120130001.123 hello", LOCAL_MS),
        ("20261120 130001 hello", LOCAL),
        ("20261120 13:00:01 hello", LOCAL),
        ("20261120-13:0:1:123|Step_LSC|30002312|hello", LOCAL_MS),
        (
            "20261120-13:0:1:23|Step_LSC|30002312|hello",
            "2026-11-20T12:00:01.023Z",
        ),
    ]);
}

#[test]
fn seconds_since_something() {
    check(&[
        ("1795179601 hello", UTC),
        (
            "1795179601.123    200 10.0.0.1 TCP_MISS/200 512 GET http://x/ - HIER_DIRECT/10.0.0.2 text/html",
            UTC_MS,
        ),
        ("1795179601123 hello", UTC_MS),
        ("1795179601123456 hello", UTC_US),
        ("- 1795179601 2026.11.20 node-1 hello", UTC),
        ("1.795179601123456e+09\tinfo\tmain.go:12\thello", UTC_US),
        ("1795179601.123456 web-1 sshd[1]: hello", UTC_US),
        (
            "[    5.123456] usb 1-1: new device",
            "2026-11-20T13:00:06.123456Z",
        ),
        (
            "[12345.678901] usb 1-1: new device",
            "2026-11-20T16:25:46.678901Z",
        ),
        (
            "[    5.123456][   T1] usb 1-1: new device",
            "2026-11-20T13:00:06.123456Z",
        ),
        (
            "<6>[    5.123456] usb 1-1: new device",
            "2026-11-20T13:00:06.123456Z",
        ),
        ("@400000006b00445b0754d4c0 hello", UTC_MS),
        (
            "type=SYSCALL msg=audit(1795179601.123:456): arch=c000003e syscall=59",
            UTC_MS,
        ),
        (
            "node=web-1 type=EXECVE msg=audit(1795179601.123:456): argc=3",
            UTC_MS,
        ),
        ("# Time: 2026-11-20T13:00:01.123456Z", UTC_US),
        ("# Time: 261120 13:00:01", LOCAL),
        ("# Time: 261120  9:00:01", "2026-11-20T08:00:01Z"),
        ("SET timestamp=1795179601;", UTC),
    ]);
}

#[test]
fn fields_of_objects_and_pairs() {
    check(&[
        (
            r#"{"@timestamp":"2026-11-20T13:00:01.123Z","log.level":"INFO"}"#,
            UTC_MS,
        ),
        (
            r#"{"level":"info","ts":1795179601.123456,"msg":"x"}"#,
            UTC_US,
        ),
        (
            r#"{"level":"info","ts":1.795179601123456e+09,"msg":"x"}"#,
            UTC_US,
        ),
        (
            r#"{"level":30,"time":1795179601123,"pid":1,"msg":"x"}"#,
            UTC_MS,
        ),
        (
            r#"{"log":"2001-01-01 \"time\":\"2001-01-01T00:00:00Z\"\n","stream":"stdout","time":"2026-11-20T13:00:01.123Z"}"#,
            UTC_MS,
        ),
        (
            r#"{"log":{"level":"info","time":"2026-11-20T13:00:01.123Z"},"msg":"x"}"#,
            UTC_MS,
        ),
        (
            r#"{"user":{"created":"2001-01-01T00:00:00Z","time":"2001-01-01T00:00:00Z"},"date":"2026-11-20T13:00:01Z"}"#,
            UTC,
        ),
        (r#"{"date":1795179601.123,"log":"x"}"#, UTC_MS),
        (
            r#"{"datetime":"2026-11-20 13:00:01,123","msg":"x"}"#,
            LOCAL_MS,
        ),
        (
            r#"{"eventVersion":"1.08","eventTime":"2026-11-20T13:00:01Z"}"#,
            UTC,
        ),
        (
            r#"{"__REALTIME_TIMESTAMP":"1795179601123456","MESSAGE":"x"}"#,
            UTC_US,
        ),
        (
            r#"{"_SOURCE_REALTIME_TIMESTAMP":"1795179601123456","MESSAGE":"x"}"#,
            UTC_US,
        ),
        (
            r#"{"instant":{"epochSecond":1795179601,"nanoOfSecond":123000000},"thread":"main"}"#,
            UTC_MS,
        ),
        (
            r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1795179601123000000","body":{}}]}]}]}"#,
            UTC_MS,
        ),
        ("__REALTIME_TIMESTAMP=1795179601123456", UTC_US),
        (r#"{"timeMillis":1795179601123,"thread":"main"}"#, UTC_MS),
        (
            r#"{"t":{"$date":"2026-11-20T13:00:01.123+00:00"},"s":"I","c":"NETWORK"}"#,
            UTC_MS,
        ),
        (
            r#"{"timestamp":{"seconds":1795179601,"nanos":123000000},"severity":"INFO"}"#,
            UTC_MS,
        ),
        (r#"{"timestamp": "Fri, 20 Nov 2026 13:00:01 GMT"}"#, UTC),
        (
            r#"{"time_local":"20/Nov/2026:13:00:01 +0000","status":"200"}"#,
            UTC,
        ),
        (r#"{"msec":"1795179601.123","status":"200"}"#, UTC_MS),
        (
            r#"{"date":"2026-11-20","time":"13:00:01","msg":"x"}"#,
            LOCAL,
        ),
        (r#"{"time":0.123,"timestamp":"2026-11-20T13:00:01Z"}"#, UTC),
        (
            r#"{"msg":"x","timestamp":"1795179601123456789"}"#,
            "2026-11-20T13:00:01.123456789Z",
        ),
        (
            r#"{"duration":5,"startTime":"2026-11-20T12:59:59Z","time":"2026-11-20T13:00:01Z"}"#,
            UTC,
        ),
        ("time=2026-11-20T13:00:01.123Z level=INFO msg=\"x\"", UTC_MS),
        (
            "level=info ts=1795179601.123 caller=main.go:12 msg=\"a b\"",
            UTC_MS,
        ),
        ("level=info msg=\"ts=1001001001\" ts=1795179601.123", UTC_MS),
        ("t=2026-11-20T13:00:01+0000 lvl=info msg=\"x\"", UTC),
        (
            "msg=\"it is time=2001-01-01T00:00:00Z\" time=\"2026-11-20T13:00:01Z\"",
            UTC,
        ),
        (
            "date=2026-11-20 time=13:00:01 devname=\"fw\" logid=\"0000000013\"",
            LOCAL,
        ),
        ("at=info method=GET path=/ ts=1795179601123", UTC_MS),
    ]);
}

#[test]
fn a_long_line_costs_and_says_as_much_as_its_head_and_its_end() {
    let long = "x".repeat(1 << 20);
    for line in [
        format!("2026-11-20T13:00:01Z {long}"),
        format!(r#"{{"log":"{long}","stream":"stdout","time":"2026-11-20T13:00:01Z"}}"#),
        format!(r#"{{"time":"2026-11-20T13:00:01Z","log":"{long}"}}"#),
    ] {
        assert_eq!(
            stamp(&line),
            (time(UTC), TimeSource::Stamp),
            "{}",
            &line[..40]
        );
    }
    for unit in [
        "x",
        " ",
        "{",
        "1",
        "a=",
        "\"",
        "12:",
        "2026-11-20 13:00:01.1",
    ] {
        let line = unit.repeat((1 << 20) / unit.len());
        let begun = std::time::Instant::now();
        for _ in 0..10 {
            stamp(&line);
        }
        // Reading all of it at each place would take minutes, in a build for tests.
        assert!(
            begun.elapsed() < std::time::Duration::from_secs(2),
            "{unit}: {:?}",
            begun.elapsed()
        );
    }
    assert_eq!(stamp(&long), (now(), TimeSource::Arrival));
}

#[test]
fn columns_are_those_of_the_fields_of_a_w3c_log() {
    let table = [
        (
            "#Fields: date time s-ip cs-method",
            "2026-11-20 13:00:01 10.0.0.1 GET",
            Some(UTC),
        ),
        (
            "#Fields: date time x-edge-location",
            "2026-11-20\t13:00:01\tFRA2",
            Some(UTC),
        ),
        (
            "#Fields: s-ip cs-method date time",
            "10.0.0.1 GET 2026-11-20 13:00:01",
            Some(UTC),
        ),
        ("#Fields: time c-ip", "13:00:01 10.0.0.1", Some(UTC)),
        ("#Fields: c-ip", "2026-11-20 13:00:01 10.0.0.1", Some(LOCAL)),
        ("#Fields: date time", "- -", None),
    ];
    for (fields, line, expected) in table {
        let mut stamper = TimestampReader::new(&HostClock::fixed(3600));
        assert_eq!(
            read(
                &mut stamper,
                "#Software: Microsoft Internet Information Services 10.0",
                now()
            )
            .1,
            TimeSource::Arrival
        );
        assert_eq!(
            read(&mut stamper, "#Date: 2026-11-20 13:00:00", now()).0,
            time("2026-11-20T13:00:00Z")
        );
        read(&mut stamper, fields, now());
        let found = read(&mut stamper, line, now());
        match expected {
            Some(expected) => {
                assert_eq!(
                    found,
                    (time(expected), TimeSource::Stamp),
                    "{fields}: {line}"
                );
            }
            None => assert_eq!(found.1, TimeSource::Previous, "{fields}: {line}"),
        }
    }
}

#[test]
fn the_columns_of_iis_are_of_utc_also_without_their_head() {
    check(&[
        (
            "2026-11-20 13:00:01 10.0.0.1 GET /path - 80 - 10.0.0.2 agent 200 0 0 15",
            UTC,
        ),
        (
            "2026-11-20 13:00:01 fe80::1%4 POST / id=7 443 SHOP\\bob ::1 agent - 200 0 0 15",
            UTC,
        ),
        (
            "2026-11-20 13:00:01 W3SVC1 10.0.0.1 GET /path - 80 - 10.0.0.2 agent 200 0 0",
            UTC,
        ),
        (
            "2026-11-20 13:00:01 W3SVC1 WEB-1 10.0.0.1 GET /path - 80 - 10.0.0.2 HTTP/1.1 agent 200",
            UTC,
        ),
        ("2026-11-20 13:00:01 10.0.0.1 GET /path 200 15", LOCAL),
        (
            "2026-11-20 13:00:01 10.0.0.1 GET /path - 80 - agent 200 0 0 15",
            LOCAL,
        ),
        (
            "2026-11-20 13:00:01 web-1 GET /path - 80 - 10.0.0.2 agent 200 0 0 15",
            LOCAL,
        ),
        (
            "2026-11-20 13:00:01 W3SVC1 WEB-1 web 10.0.0.1 GET /path - 80 - 10.0.0.2 agent 200",
            LOCAL,
        ),
        ("2026-11-20 13:00:01 10.0.0.1", LOCAL),
    ]);
    let given = TimeFormat::parse("%F %T").expect("a format");
    let mut stamper = TimestampReader::with_format(&HostClock::fixed(3600), &given);
    let line = "2026-11-20 13:00:01 10.0.0.1 GET /path - 80 - 10.0.0.2 agent 200 0 0 15";
    assert_eq!(
        read(&mut stamper, line, now()),
        (time(LOCAL), TimeSource::Stamp),
        "unless the inventory says otherwise"
    );
}

#[test]
fn lines_that_do_not_have_the_columns_of_a_head_are_read_as_others_in_the_end() {
    let mut stamper = TimestampReader::new(&HostClock::fixed(3600));
    read(&mut stamper, "#Fields: s-ip date time", now());
    let line = "2026-11-20 13:00:01 hello";
    for _ in 1..PATIENCE {
        assert_eq!(read(&mut stamper, line, now()).1, TimeSource::Arrival);
    }
    assert_eq!(
        read(&mut stamper, line, now()),
        (time(LOCAL), TimeSource::Stamp)
    );
}

#[test]
fn a_w3c_log_may_say_that_its_times_are_local() {
    let mut stamper = TimestampReader::new(&HostClock::fixed(3600));
    for line in [
        "#Version: 1.5",
        "#Time Format: Local",
        "#Fields: date time action",
    ] {
        read(&mut stamper, line, now());
    }
    assert_eq!(
        read(&mut stamper, "2026-11-20 13:00:01 DROP", now()),
        (time(LOCAL), TimeSource::Stamp)
    );
}

#[test]
fn the_span_of_a_stamp_is_told() {
    let table = [
        ("<13>Nov 20 13:00:01 web-1 app: x", "Nov 20 13:00:01"),
        (
            "2026-11-20 13:00:01.123 UTC [77] LOG: x",
            "2026-11-20 13:00:01.123 UTC",
        ),
        (
            "10.0.0.1 - - [20/Nov/2026:13:00:01 +0000] \"GET /\"",
            "20/Nov/2026:13:00:01 +0000",
        ),
        (
            r#"{"a":1,"time":"2026-11-20T13:00:01Z","b":2}"#,
            "2026-11-20T13:00:01Z",
        ),
        (r#"{"a":1,"time":1795179601.5,"b":2}"#, "1795179601.5"),
        ("level=info ts=1795179601.5 x=y", "1795179601.5"),
        (
            "type=CWD msg=audit(1795179601.123:456): cwd=/",
            "1795179601.123",
        ),
        (
            "I1120 13:00:01.123456 1 main.go:12] x",
            "1120 13:00:01.123456",
        ),
        ("# Time: 261120 13:00:01", "261120 13:00:01"),
        ("[    5.123456] x", "[    5.123456]"),
        (
            "Fri, 20 Nov 2026 13:00:01 GMT x",
            "20 Nov 2026 13:00:01 GMT",
        ),
    ];
    for (line, expected) in table {
        let mut stamper = TimestampReader::new(&HostClock {
            boot: Some(time(UTC)),
            ..HostClock::fixed(0)
        });
        let span = stamper.stamp(line.as_bytes(), now()).span.expect(line);
        assert_eq!(&line[span], expected, "{line}");
    }
}
