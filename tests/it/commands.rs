//! Subcommands over real SSH: hosts that are stopped and hang, readers that go, cursors that lead
//! on.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::PATIENCE;
use crate::support::binary::logtrail;
use crate::support::files::append;
use crate::support::inventory::Inventory;
use crate::support::sshd::Sshd;
use crate::support::time_limit::{Stopwatch, assert_at_most};

/// Hosts with a log each, in an inventory.
struct Hosts {
    servers: Vec<Sshd>,
    folder: tempfile::TempDir,
}

impl Hosts {
    /// `web-1`, `web-2`, … whose log `app` are these texts.
    fn with(logs: &[&str]) -> Self {
        let servers: Vec<Sshd> = logs.iter().map(|_| Sshd::start()).collect();
        let folder = tempfile::tempdir().expect("a folder");
        let mut inventory = Inventory::default();
        for (n, (server, log)) in (1..).zip(servers.iter().zip(logs)) {
            let path = server.path("app.log");
            std::fs::write(&path, log).expect("write a log");
            inventory = inventory.following(&format!("web-{n}"), server, &path);
        }
        inventory.write(folder.path());
        Self { servers, folder }
    }

    fn command(&self, args: &[&str]) -> Command {
        logtrail(&self.folder.path().join("hosts.toml"), args)
    }

    fn run(&self, args: &[&str]) -> Ran {
        Ran::of(self.command(args).output().expect("run it"))
    }

    fn start(&self, args: &[&str]) -> Child {
        self.command(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("start it")
    }

    fn log(&self, n: usize) -> std::path::PathBuf {
        self.servers[n].path("app.log")
    }
}

struct Ran {
    code: Option<i32>,
    out: String,
    notes: String,
}

impl Ran {
    fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Self {
            code: output.status.code(),
            out: text(output.stdout),
            notes: text(output.stderr),
        }
    }

    fn objects(&self, kind: &str) -> Vec<Value> {
        let all = self
            .out
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("a JSON line"));
        all.filter(|object| object["type"] == kind).collect()
    }

    fn summary(&self) -> Value {
        let last = self
            .out
            .lines()
            .last()
            .unwrap_or_else(|| panic!("nothing was printed: {}", self.notes));
        let last: Value = serde_json::from_str(last).expect("JSON");
        assert_eq!(last["type"], "summary", "{}", self.out);
        last
    }

    fn texts(&self, kind: &str) -> Vec<String> {
        self.objects(kind)
            .iter()
            .map(|it| it["text"].as_str().expect("text").to_owned())
            .collect()
    }
}

/// Waits for a child to end, and says how it did.
fn end_of(child: &mut Child, within: Duration) -> Option<i32> {
    let deadline = Instant::now() + within;
    loop {
        if let Some(status) = child.try_wait().expect("wait") {
            return status.code();
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            panic!("it did not end within {within:?}");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn log_of(minute: u32) -> String {
    (0..60).fold(String::new(), |log, s| {
        let level = if s % 20 == 7 {
            "ERROR no stock"
        } else {
            "INFO sold"
        };
        log + &format!("2026-11-20T13:{minute:02}:{s:02}Z {level} {minute}.{s}\n")
    })
}

#[test]
fn a_search_answers_from_live_hosts_and_names_a_stopped_and_a_hung_one() {
    let hosts = Hosts::with(&[&log_of(1), &log_of(2), &log_of(3)]);
    hosts.servers[0].stop();
    hosts.servers[1].freeze(true);
    let started = Stopwatch::start();
    let mut child = hosts.start(&["search", "no stock", "--json", "--timeout", "8s"]);
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let mut first = None;
    let mut objects: Vec<Value> = Vec::new();
    for line in lines.by_ref() {
        let object: Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
        if object["type"] == "hit" {
            first.get_or_insert_with(|| started.took());
        }
        objects.push(object);
    }
    let code = end_of(&mut child, PATIENCE);
    let took = started.took();
    let hits: Vec<_> = objects
        .iter()
        .filter(|it| it["type"] == "hit")
        .map(|it| it["host"].clone())
        .collect();
    assert_eq!(hits, vec![Value::from("web-3"); 3], "{objects:?}");
    assert_at_most(
        Duration::from_secs(7),
        first.expect("a hit"),
        "the first hit",
    );
    assert_at_most(Duration::from_secs(14), took, "the search");
    let state = |name: &str| {
        let host = objects
            .iter()
            .find(|it| it["type"] == "host" && it["host"] == name)
            .expect("an object");
        host["state"].as_str().expect("a state").to_owned()
    };
    assert_eq!(
        ["web-1", "web-2", "web-3"].map(state),
        ["unreachable", "timeout", "ok"]
    );
    let summary = objects.last().expect("a summary");
    assert_eq!(
        (&summary["hosts"]["ok"], &summary["hits"], &summary["exit"]),
        (&1.into(), &3.into(), &3.into())
    );
    assert_eq!(code, Some(3));
}

#[test]
fn a_search_ends_at_once_when_its_reader_goes_though_hosts_hang() {
    let hosts = Hosts::with(&[&log_of(1), &log_of(2)]);
    hosts.servers[0].freeze(true);
    let mut child = hosts.start(&["search", "no stock", "--json", "--timeout", "60s"]);
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take().expect("piped"));
    out.read_line(&mut line).expect("a line");
    assert!(line.contains("\"type\":\"hit\""), "{line}");
    drop(out);
    let gone = Stopwatch::start();
    assert_eq!(end_of(&mut child, PATIENCE), Some(0));
    gone.assert_within_s(3, "ending after its reader had gone");
}

#[test]
fn ctrl_c_ends_a_search_with_the_summary_of_what_there_was() {
    let hosts = Hosts::with(&[&log_of(1), &log_of(2)]);
    hosts.servers[0].freeze(true);
    let mut child = hosts.start(&["search", "no stock", "--json", "--timeout", "60s"]);
    let mut out = BufReader::new(child.stdout.take().expect("piped"));
    let mut line = String::new();
    while !line.contains("\"host\":\"web-2\",\"state\"") {
        line.clear();
        assert!(
            out.read_line(&mut line).expect("a line") > 0,
            "web-2 did not end"
        );
    }
    let asked = Stopwatch::start();
    kill_process(
        Pid::from_raw(child.id().cast_signed()).expect("a process"),
        Signal::INT,
    )
    .expect("a signal");
    let mut rest = String::new();
    out.read_to_string(&mut rest).expect("the rest");
    assert_eq!(end_of(&mut child, PATIENCE), Some(3), "{rest}");
    asked.assert_within_s(3, "ending after Ctrl-C");
    let summary: Value =
        serde_json::from_str(rest.lines().last().expect("a summary")).expect("JSON");
    assert_eq!(
        (&summary["type"], &summary["hits"], &summary["exit"]),
        (&"summary".into(), &3.into(), &3.into())
    );
    assert!(rest.contains("interrupted"), "{rest}");
}

#[test]
fn a_search_exits_like_grep_and_with_3_when_it_is_incomplete() {
    let hosts = Hosts::with(&[&log_of(1)]);
    assert_eq!(hosts.run(&["search", "no stock"]).code, Some(0));
    let nothing = hosts.run(&["search", "no such thing"]);
    assert_eq!(
        (nothing.code, nothing.out.as_str()),
        (Some(1), ""),
        "{}",
        nothing.notes
    );
    hosts.servers[0].stop();
    assert_eq!(hosts.run(&["search", "no stock"]).code, Some(4));
    assert_eq!(hosts.run(&["search", "level>=wran"]).code, Some(2));
}

#[test]
fn text_has_host_and_source_on_each_line_and_context_as_grep_has_it() {
    let hosts = Hosts::with(&[&log_of(1)]);
    let ran = hosts.run(&[
        "search",
        "no stock",
        "--oldest-first",
        "-C",
        "1",
        "--until",
        "2026-11-20T13:01:30Z",
    ]);
    let lines: Vec<_> = ran
        .out
        .lines()
        .map(|line| line.split_once("web-1 ").map_or(line, |(_, line)| line))
        .collect();
    let expected = "\
app- 2026-11-20T13:01:06Z INFO sold 1.6
app: 2026-11-20T13:01:07Z ERROR no stock 1.7
app- 2026-11-20T13:01:08Z INFO sold 1.8
--
app- 2026-11-20T13:01:26Z INFO sold 1.26
app: 2026-11-20T13:01:27Z ERROR no stock 1.27
app- 2026-11-20T13:01:28Z INFO sold 1.28";
    assert_eq!(lines.join("\n"), expected, "{}", ran.notes);
    assert!(!ran.out.contains('\x1b'), "{:?}", ran.out);
    assert!(ran.notes.contains("1/1 hosts · 2 hits"), "{}", ran.notes);
}

#[test]
fn counts_limits_and_orders_are_what_was_asked_for() {
    let hosts = Hosts::with(&[&log_of(1), &log_of(2)]);
    let counted = hosts.run(&["search", "no stock", "--count"]);
    let mut rows: Vec<_> = counted.out.lines().collect();
    rows.sort_unstable();
    assert_eq!(rows, ["web-1  3", "web-2  3"], "{}", counted.notes);
    for (options, expected) in [
        (
            &["--limit", "1"][..],
            ["ERROR no stock 1.47", "ERROR no stock 2.47"],
        ),
        (
            &["--limit", "1", "--oldest-first"],
            ["ERROR no stock 1.7", "ERROR no stock 2.7"],
        ),
    ] {
        let ran = hosts.run(&[&["search", "no stock", "--json"], options].concat());
        let mut texts: Vec<_> = ran
            .texts("hit")
            .iter()
            .map(|text| text[21..].to_owned())
            .collect();
        texts.sort_unstable();
        assert_eq!(texts, expected, "{}", ran.out);
        assert_eq!(ran.summary()["more"], true, "{}", ran.out);
    }
}

#[test]
fn cursors_page_through_a_log_while_it_is_rotated_and_compressed() {
    let whole: String = (0..4).map(log_of).collect();
    let hosts = Hosts::with(&[&whole]);
    let mut texts = hosts.run(&["read", "--json", "-n", "37"]).texts("line");
    let mut after = {
        let ran = hosts.run(&["read", "--json", "-n", "37"]);
        ran.summary()["pages"][0]["last"]
            .as_str()
            .expect("a cursor")
            .to_owned()
    };
    let log = hosts.log(0);
    let rotated = |n: u32, ext: &str| log.with_file_name(format!("app.log.{n}{ext}"));
    std::fs::rename(&log, rotated(1, "")).expect("rotate");
    std::fs::write(&log, log_of(9)).expect("the next");
    for page in 0..20 {
        if page == 2 {
            let status = Command::new("gzip")
                .arg(rotated(1, ""))
                .status()
                .expect("gzip; tests/run installs it");
            assert!(status.success() && rotated(1, ".gz").exists());
        }
        let ran = hosts.run(&["read", "--json", "-n", "37", "--after", &after]);
        assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.notes);
        let page = ran.texts("line");
        if page.is_empty() {
            break;
        }
        texts.extend(page);
        ran.summary()["pages"][0]["last"]
            .as_str()
            .expect("a cursor")
            .clone_into(&mut after);
    }
    let expected = whole + &log_of(9);
    assert_eq!(texts, expected.lines().collect::<Vec<_>>());
}

#[test]
fn pages_of_many_hosts_are_in_one_order_and_begin_at_a_time() {
    let logs = [
        "13:00:00 a\n2026-11-20T13:00:02Z c\n",
        "13:00:01 b\n2026-11-20T13:00:03Z d\n",
    ];
    let logs = logs.map(|log| format!("2026-11-20T{}", log.replacen(' ', "Z ", 1)));
    let hosts = Hosts::with(&[&logs[0], &logs[1]]);
    let letters = |args: &[&str]| {
        let ran = hosts.run(&[&["read", "--json"], args].concat());
        let texts = ran.texts("line");
        assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.notes);
        texts
            .iter()
            .map(|text| text[21..].to_owned())
            .collect::<String>()
    };
    assert_eq!(letters(&[]), "abcd");
    assert_eq!(letters(&["--at", "2026-11-20T13:00:01Z"]), "bcd");
    assert_eq!(
        letters(&[
            "--since",
            "2026-11-20T13:00:01Z",
            "--until",
            "2026-11-20T13:00:03Z"
        ]),
        "bc"
    );
    assert_eq!(letters(&["-n", "1", "--backwards"]), "cd");
    assert_eq!(letters(&["--source", "ap?", "-n", "1"]), "ab");
}

#[test]
fn context_prints_the_lines_around_the_one_that_a_hit_names() {
    let hosts = Hosts::with(&[&log_of(1)]);
    let hit = hosts
        .run(&["search", "1.27", "--json"])
        .objects("hit")
        .remove(0);
    let cursor = hit["cursor"].as_str().expect("a cursor");
    let ran = hosts.run(&["context", cursor, "-C", "1", "--json"]);
    let seconds: Vec<_> = ran
        .texts("line")
        .iter()
        .map(|text| text[17..19].to_owned())
        .collect();
    assert_eq!(seconds, ["26", "27", "28"], "{}{}", ran.out, ran.notes);
    let text = hosts.run(&["context", cursor, "-C", "1"]).out;
    let marks: Vec<_> = text.lines().map(|line| line.contains("app: ")).collect();
    assert_eq!(marks, [false, true, false], "{text}");
}

#[test]
fn a_histogram_counts_by_time_and_level_and_needs_no_terminal() {
    let hosts = Hosts::with(&[&log_of(1), &log_of(2)]);
    let ran = hosts.run(&["histogram", "--bucket", "1m", "--json"]);
    let total = |key: &str| -> u64 {
        ran.objects("bucket")
            .iter()
            .filter_map(|it| it["levels"][key].as_u64())
            .sum()
    };
    assert_eq!((total("info"), total("error")), (114, 6), "{}", ran.out);
    let text = hosts.run(&["histogram", "--bucket", "1m", "no stock"]).out;
    let rows: Vec<Vec<&str>> = text
        .lines()
        .skip(1)
        .map(|row| row.split_whitespace().skip(2).collect())
        .collect();
    assert_eq!(rows, [["3", "0", "3"], ["3", "0", "3"]], "{text}");
}

#[test]
fn an_explanation_says_bytes_files_and_commands_before_anything_runs() {
    let hosts = Hosts::with(&[&log_of(1)]);
    let ran = hosts.run(&["search", "no stock", "--explain", "--json"]);
    assert_eq!(ran.objects("explanation").len(), 1, "{}", ran.out);
    let cost = ran.objects("cost").remove(0);
    assert_eq!(cost["bytes"], log_of(1).len(), "{cost}");
    assert_eq!(
        cost["files"][0]["path"],
        hosts.log(0).to_str().expect("UTF-8")
    );
    assert!(
        cost["commands"][0]
            .as_str()
            .is_some_and(|it| it.contains("grep")),
        "{cost}"
    );
    assert_eq!(ran.code, Some(0));
}

#[test]
fn sources_lists_the_files_of_each_with_their_packing() {
    let hosts = Hosts::with(&[&log_of(1)]);
    let log = hosts.log(0);
    let old = log.with_file_name("app.log.1");
    std::fs::write(&old, log_of(0)).expect("write");
    assert!(
        Command::new("gzip")
            .arg(&old)
            .status()
            .expect("gzip; tests/run installs it")
            .success()
    );
    let source = hosts
        .run(&["sources", "--json"])
        .objects("source")
        .remove(0);
    let files: Vec<_> = source["files"]
        .as_array()
        .expect("files")
        .iter()
        .map(|it| it["packing"].clone())
        .collect();
    assert_eq!(
        (&source["name"], &source["kind"]),
        (&"app".into(), &"file".into())
    );
    assert_eq!(files, ["gzip", "plain"], "{source}");
    let text = hosts.run(&["sources"]).out;
    assert!(
        text.contains("web-1 app") && text.contains("in 2 files") && text.contains("app.log.1.gz"),
        "{text}"
    );
}

#[test]
fn tail_f_prints_last_and_new_lines_until_its_reader_goes() {
    let hosts = Hosts::with(&[&log_of(1), &log_of(2)]);
    let ran = hosts.run(&["tail", "-n", "2", "--json"]);
    let ends: Vec<_> = ran
        .texts("line")
        .iter()
        .map(|text| text[17..].to_owned())
        .collect();
    let expected = [
        "58Z INFO sold 1.58",
        "59Z INFO sold 1.59",
        "58Z INFO sold 2.58",
        "59Z INFO sold 2.59",
    ];
    assert_eq!(ends, expected, "{}{}", ran.out, ran.notes);
    let mut child = hosts.start(&["tail", "-f", "-n", "1"]);
    let mut out = BufReader::new(child.stdout.take().expect("piped"));
    let mut line = String::new();
    for _ in 0..2 {
        out.read_line(&mut line).expect("a line");
    }
    append(&hosts.log(1), "2026-11-20T13:05:00Z INFO more\n");
    line.clear();
    out.read_line(&mut line).expect("a line");
    assert!(
        line.contains("web-2 app") && line.ends_with("INFO more\n"),
        "{line}"
    );
    drop(out);
    assert_eq!(
        end_of(&mut child, Duration::from_secs(5)),
        Some(0),
        "its reader has gone and nothing was written"
    );
}

#[test]
fn tail_f_is_ended_by_ctrl_c_with_its_summary_and_0() {
    let hosts = Hosts::with(&[&log_of(1)]);
    let mut child = hosts.start(&["tail", "-f", "-n", "1", "--json"]);
    let mut out = BufReader::new(child.stdout.take().expect("piped"));
    let mut line = String::new();
    out.read_line(&mut line).expect("a line");
    kill_process(
        Pid::from_raw(child.id().cast_signed()).expect("a process"),
        Signal::INT,
    )
    .expect("a signal");
    let mut rest = String::new();
    out.read_to_string(&mut rest).expect("the rest");
    assert_eq!(
        end_of(&mut child, Duration::from_secs(5)),
        Some(0),
        "{rest}"
    );
    assert!(
        rest.lines()
            .last()
            .is_some_and(|last| last.contains("\"type\":\"summary\"")),
        "{rest}"
    );
}

#[test]
fn metrics_come_without_lines_whatever_the_logs_are_like() {
    let hosts = Hosts::with(&[&log_of(1)]);
    std::fs::remove_file(hosts.log(0)).expect("there was one");
    let ran = hosts.run(&["metrics", "--json"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.notes);
    assert!(
        ran.objects("metric")[0]["cpu"]["busy_pct"].is_number(),
        "{}",
        ran.out
    );
    assert!(ran.objects("line").is_empty());
    let once = hosts.run(&["--once", "--json"]);
    for told in [&ran, &once] {
        assert_eq!(told.objects("host")[0]["state"], "degraded", "{}", told.out);
    }
    let ran = hosts.run(&["metrics"]);
    assert!(ran.out.contains("1/1 hosts · 1 degraded"), "{}", ran.out);
}

/// A command that goes on, and what it has printed so far.
struct Going {
    child: Child,
    lines: std::sync::mpsc::Receiver<String>,
    all: Vec<String>,
}

impl Going {
    fn start(hosts: &Hosts, args: &[&str], notes: bool) -> Self {
        let mut child = hosts.start(args);
        let (sender, lines) = std::sync::mpsc::channel();
        let read = |from: Box<dyn std::io::Read + Send>| {
            std::thread::spawn(move || {
                BufReader::new(from)
                    .lines()
                    .map_while(Result::ok)
                    .for_each(|line| drop(sender.send(line)));
            })
        };
        if notes {
            read(Box::new(child.stderr.take().expect("piped")));
        } else {
            read(Box::new(child.stdout.take().expect("piped")));
        }
        Self {
            child,
            lines,
            all: Vec::new(),
        }
    }

    fn until(&mut self, what: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.all.iter().any(|line| line.contains(what)) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => self.all.push(line),
                Err(_) => panic!("no {what:?} came: {:#?}", self.all),
            }
        }
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn tail_f_notes_that_a_host_was_lost_and_is_back() {
    let hosts = Hosts::with(&["one\n"]);
    let mut notes = Going::start(&hosts, &["tail", "-f", "--timeout", "2s"], true);
    let mut seen = Going::start(&hosts, &["tail", "-f"], false);
    seen.until("one");
    hosts.servers[0].stop();
    hosts.servers[0].cut();
    notes.until("web-1: unreachable: ");
}
