//! Subcommands on logs that are large, or match as a whole: what they cost in memory, bytes and
//! time, and that a search that nobody wants any more leaves nothing behind on the hosts.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use logtrail::model::host::HostId;
use logtrail::model::time::Time;
use logtrail::query::request::{LogRequest, LogResponse, PageRequest, PageStart, RequestKind};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::binary::logtrail;
use crate::support::files::executable;
use crate::support::fleet::Watched;
use crate::support::inventory::Inventory;
use crate::support::processes::{peak_memory, session_names};
use crate::support::spec::following;
use crate::support::sshd::Sshd;
use crate::support::time_limit::Stopwatch;
use crate::support::{PATIENCE, within};

/// The most memory that any process may take, here and on the host.
const MOST_MEMORY: u64 = 64 << 20;

const DAY: i64 = 24 * 3600;

/// So much of the sparse log is no hole.
const DENSE: u64 = 32 << 20;

fn command(inventory: &Path, args: &[&str]) -> Command {
    let mut command = logtrail(inventory, args);
    command
        .arg("--json")
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

/// An inventory of `web-1`, `web-2`, … with one source `app` each.
fn inventory(hosts: &[(&Sshd, &Path)]) -> PathBuf {
    let add = |inventory: Inventory, (n, (sshd, log)): (u32, &(&Sshd, &Path))| {
        inventory.following(&format!("web-{n}"), sshd, log)
    };
    let all = (1..).zip(hosts).fold(Inventory::default(), add);
    all.write(&hosts[0].0.path(""))
}

/// What one command printed, and what it took.
struct Ran {
    objects: Vec<Value>,
    memory_here: u64,
    memory_there: u64,
}

impl Ran {
    fn lines(&self) -> Vec<&Value> {
        self.objects
            .iter()
            .filter(|object| object["type"] == "line" || object["type"] == "hit")
            .collect()
    }

    /// Bytes that are read for a question of which so much is shown, beside what tells of the file
    /// and of the time.
    fn costs_no_more_than(&self, beside: u64) {
        let shown: usize = self
            .lines()
            .iter()
            .map(|line| line["text"].as_str().map_or(0, str::len))
            .sum();
        let read = self
            .objects
            .last()
            .and_then(|summary| summary["bytes_scanned"].as_u64())
            .expect("a summary");
        let most = 4 * shown as u64 + beside;
        assert!(
            read <= most,
            "{read} bytes were read to show {shown} (at most {most})"
        );
    }
}

/// Runs it to its end and looks at the memory of all that takes part, as often as there is time
/// for.
fn run(sshd: &Sshd, inventory: &Path, args: &[&str]) -> Ran {
    let mut child = command(inventory, args).spawn().expect("start it");
    let out = BufReader::new(child.stdout.take().expect("piped"));
    let reader = std::thread::spawn(move || {
        out.lines()
            .map(|line| serde_json::from_str(&line.expect("a line")).expect("JSON"))
            .collect()
    });
    let (mut memory_here, mut memory_there) = (0, 0);
    let deadline = Instant::now() + PATIENCE;
    while child.try_wait().expect("wait").is_none() {
        memory_here = peak_memory(child.id()).max(memory_here);
        memory_there = sshd
            .session_processes()
            .iter()
            .map(|(pid, _)| peak_memory(*pid))
            .fold(memory_there, u64::max);
        assert!(
            Instant::now() < deadline,
            "{args:?} did not end in {PATIENCE:?}"
        );
        std::thread::sleep(Duration::from_millis(1));
    }
    let objects = reader.join().expect("no panic");
    let ran = Ran {
        objects,
        memory_here,
        memory_there,
    };
    assert!(
        memory_here > 0 && memory_here <= MOST_MEMORY,
        "{args:?} took {memory_here} bytes here"
    );
    assert!(
        memory_there > 0 && memory_there <= MOST_MEMORY,
        "{args:?} took {memory_there} bytes on the host"
    );
    ran
}

fn line(at: Timestamp, number: u64) -> String {
    format!(
        "{at:.6} web-1 shop[{}]: request id={number:08x} path=/api/v1/items/{} ms=7\n",
        number % 7,
        number % 9973
    )
}

/// A log of a day that ends at `end`: its first lines, a hole, and all others.
fn write_sparse(path: &Path, end: Timestamp, bytes: u64) {
    write_plain(path, end, DENSE);
    let text = std::fs::read(path).expect("read");
    let head = text[..1 << 20]
        .iter()
        .rposition(|&byte| byte == b'\n')
        .expect("lines")
        + 1;
    let file = std::fs::File::create(path).expect("create a log");
    file.write_all_at(&text[..head], 0).expect("write");
    file.write_all_at(b"\n", bytes - DENSE - 1).expect("write");
    file.write_all_at(&text[head..], bytes - DENSE)
        .expect("write");
}

/// A log of a day that ends at `end`.
fn write_plain(path: &Path, end: Timestamp, bytes: u64) {
    let mut out = std::io::BufWriter::new(std::fs::File::create(path).expect("create a log"));
    let (mut written, mut number) = (0, 0);
    while written < bytes {
        let ago = SignedDuration::from_millis(DAY * 1000 * (bytes - written) as i64 / bytes as i64);
        let line = line(end - ago, number);
        out.write_all(line.as_bytes()).expect("write a log");
        (written, number) = (written + line.len() as u64, number + 1);
    }
}

/// Opens a log at its end, pages back, searches the last hour and jumps to the middle.
fn walk_about(write: impl Fn(&Path, Timestamp)) {
    let sshd = Sshd::start();
    let log = sshd.path("app.log");
    let end = Timestamp::now();
    write(&log, end);
    let inventory = inventory(&[(&sshd, &log)]);
    // The head of the file, which tells what its stamps are like, and what stands before the first
    // line.
    let beside = 16 << 10;
    let last = run(&sshd, &inventory, &["read", "--backwards", "-n", "200"]);
    assert_eq!(last.lines().len(), 200);
    last.costs_no_more_than(beside);
    let cursor = last.lines()[0]["cursor"]
        .as_str()
        .expect("a cursor")
        .to_owned();
    let back = run(
        &sshd,
        &inventory,
        &["read", "--backwards", "-n", "200", "--cursor", &cursor],
    );
    assert_eq!(back.lines().len(), 200);
    back.costs_no_more_than(beside);
    assert!(back.lines()[199]["time"].as_str() <= last.lines()[0]["time"].as_str());
    let hour = (end - SignedDuration::from_secs(3600)).to_string();
    let hits = run(
        &sshd,
        &inventory,
        &["search", "--since", &hour, "--limit", "50", "/items/"],
    );
    assert_eq!(hits.lines().len(), 50);
    assert!(
        hits.lines()
            .iter()
            .all(|hit| hit["time"].as_str() >= Some(&hour))
    );
    let middle = (end - SignedDuration::from_secs(DAY / 2)).to_string();
    let jump = run(&sshd, &inventory, &["read", "-n", "20", "--at", &middle]);
    assert_eq!(jump.lines().len(), 20);
    let found: Timestamp = jump.lines()[0]["time"]
        .as_str()
        .expect("a time")
        .parse()
        .expect("a time");
    let off = found - (end - SignedDuration::from_secs(DAY / 2));
    assert!(
        (0.0..20.0).contains(&off.total(jiff::Unit::Second).expect("seconds")),
        "{off} off"
    );
    // At most 40 looks at a place, and what is read through there.
    jump.costs_no_more_than(40 * (4 << 10) + 256 * 1024);
    println!(
        "memory here {} KiB, there {} KiB",
        [&last, &back, &hits, &jump]
            .map(|ran| ran.memory_here)
            .iter()
            .max()
            .expect("some")
            >> 10,
        [&last, &back, &hits, &jump]
            .map(|ran| ran.memory_there)
            .iter()
            .max()
            .expect("some")
            >> 10
    );
}

#[test]
fn r44_reading_a_sparse_log_of_10_gb_takes_64_mib_at_most() {
    walk_about(|path, end| write_sparse(path, end, 10 << 30));
}

#[test]
fn r44_a_log_of_200_mb_without_holes_is_so_too() {
    walk_about(|path, end| write_plain(path, end, 200 << 20));
}

/// Begins a search that matches every line of three hosts, waits for the first hit of each and ends
/// it; nothing of it may be there 2 s later.
fn explode(
    limit: &[&str],
    end: impl FnOnce(&mut std::process::Child, BufReader<std::process::ChildStdout>),
) {
    let servers: Vec<Sshd> = (0..3).map(|_| Sshd::start()).collect();
    let log = servers[0].path("app.log");
    write_plain(&log, Timestamp::now(), 64 << 20);
    let hosts: Vec<(&Sshd, &Path)> = servers.iter().map(|sshd| (sshd, log.as_path())).collect();
    let inventory = inventory(&hosts);
    let began = Stopwatch::start();
    let mut child = command(&inventory, &[&["search", "request"], limit].concat())
        .spawn()
        .expect("start it");
    let mut out = BufReader::new(child.stdout.take().expect("piped"));
    let mut seen = std::collections::BTreeSet::new();
    while seen.len() < servers.len() {
        let mut line = String::new();
        assert!(
            out.read_line(&mut line).expect("a line") > 0,
            "it ended; hits of {seen:?}"
        );
        let object: Value = serde_json::from_str(&line).expect("JSON");
        if object["type"] == "hit" {
            if seen.is_empty() {
                began.assert_within_s(2, "the first hit");
            }
            seen.insert(object["host"].as_str().expect("a host").to_owned());
        }
        began.assert_within(PATIENCE, &format!("more than hits of {seen:?}"));
    }
    end(&mut child, out);
    let ended = Stopwatch::start();
    loop {
        let left: Vec<_> = servers.iter().flat_map(session_names).collect();
        if left.is_empty() {
            break;
        }
        ended.assert_within_s(2, &format!("ending, which left {left:?}"));
        std::thread::sleep(Duration::from_millis(10));
    }
    let _ = child.kill();
    let _ = child.wait();
}

#[test]
fn r48_ctrl_c_frees_all_hosts_of_a_search_that_matches_everything() {
    explode(&[], |child, out| {
        kill_process(Pid::from_child(child), Signal::INT).expect("a signal");
        std::thread::spawn(move || out.lines().for_each(drop));
    });
}

#[test]
fn r48_a_reader_who_goes_frees_all_hosts_of_a_search_that_matches_everything() {
    explode(&[], |_, out| drop(out));
}

#[test]
fn r48_a_limit_ends_a_search_that_matches_everything_on_the_hosts() {
    explode(&["--limit", "2000"], |child, out| {
        let hits = out
            .lines()
            .filter(|line| {
                line.as_ref()
                    .is_ok_and(|line| line.contains("\"type\":\"hit\""))
            })
            .count();
        assert!(hits <= 6000, "{hits} hits");
        child.wait().expect("wait");
    });
}

/// A shell that keeps what it is told in a file.
fn listening_shell(folder: &Path) -> (PathBuf, PathBuf) {
    let (shell, heard) = (folder.join("shell"), folder.join("heard"));
    let script = format!("#!/bin/sh\ntee -a {} | /bin/sh \"$@\"\n", heard.display());
    executable(&shell, &script);
    (shell, heard)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_is_described_once_to_all_requests_of_a_connection() {
    let folder = tempfile::tempdir().expect("a folder");
    let (shell, heard) = listening_shell(folder.path());
    let sshd = Sshd::builder()
        .login_shell(&shell.display().to_string())
        .start();
    let log = sshd.path("app.log");
    std::fs::write(&log, "one\ntwo\n").expect("write a log");
    let mut watched = Watched::follow(vec![following(&sshd, "web-1", &log)], 10);
    let descriptions = || {
        std::fs::read_to_string(&heard)
            .expect("what was said")
            .lines()
            .filter(|line| *line == "describe")
            .count()
    };
    for (connection, expected) in [(1, 2), (2, 4)] {
        watched
            .until("the connection", |w| {
                w.statuses.iter().filter(|(_, it)| it.state.is_up()).count() >= connection
            })
            .await;
        for _ in 0..3 {
            let (window, backwards) = (Time(i64::MIN)..Time(i64::MAX), true);
            let page = PageRequest {
                start: PageStart::Newest,
                backwards,
                lines: 10,
                window,
            };
            let ask = LogRequest {
                sources: vec![],
                what: RequestKind::Page(page),
            };
            let mut replies = watched
                .fleet
                .as_ref()
                .expect("it runs")
                .requests()
                .ask(HostId(0), ask);
            let mut lines = 0;
            while let Some(reply) = within("an answer", replies.recv()).await {
                match reply {
                    LogResponse::Lines(_, more) => lines += more.len(),
                    LogResponse::Failed(_, why) => panic!("{why}"),
                    _ => {}
                }
            }
            assert_eq!(lines, 2);
        }
        assert_eq!(descriptions(), expected, "with connection {connection}");
        sshd.cut();
    }
}
