//! Looking into the past: a search, a page and a seek in the logs of a day, against `grep` on the
//! host itself.
//!
//! The log is a syslog of 24 hours and 1 GB in which one line of a hundred is a hit, with the day
//! before it compressed beside it. What is counted for the host is everything that its sshd started
//! and sshd itself; for `grep` it is `grep`.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use jiff::{SignedDuration, Timestamp};

use crate::support::sshd::Sshd;
use crate::{Row, cpu, median};

const DAY: i64 = 24 * 3600;
const LOG_BYTES: u64 = 1_000_000_000;
const SIBLING_BYTES: u64 = 100_000_000;
const SPARSE_BYTES: u64 = 10_000_000_000;
const ROUNDS: usize = 3;
const NEEDLE: &str = "upstream timed out";

pub(crate) fn run() -> Vec<Row> {
    let sshd = Sshd::start();
    let log = sshd.path("syslog");
    let now = Timestamp::now();
    write_log(&log, now, LOG_BYTES);
    let day_before = now - SignedDuration::from_secs(DAY);
    write_log(&sshd.path("syslog.1"), day_before, SIBLING_BYTES);
    // As a rotation leaves it: written to last when its last line was.
    let rotated = File::options()
        .append(true)
        .open(sshd.path("syslog.1"))
        .expect("open a log");
    let ended = SystemTime::from(day_before - SignedDuration::from_secs(1));
    rotated.set_modified(ended).expect("set a time");
    assert!(
        Command::new("gzip")
            .arg("-1")
            .arg(sshd.path("syslog.1"))
            .status()
            .expect("gzip runs")
            .success()
    );
    let bench = Bench::new(&sshd, &log);

    let grep = median((0..ROUNDS).map(|_| bench.grep()).collect());
    let mut rows = Vec::new();
    let mut cpu = |what: &'static str, args: &[&str], target: &'static str| {
        let runs: Vec<Run> = (0..ROUNDS).map(|_| bench.ours(args)).collect();
        let ours = median(runs.iter().map(|run| run.host_cpu).collect());
        rows.push(row(what, ours, grep, target));
        runs
    };
    let since = (now - SignedDuration::from_secs(DAY)).to_string();
    let day = cpu(
        "search of 24 h, 1 % hits: CPU on the host",
        &[
            "search", "--json", "--limit", "1000000", "--since", &since, NEEDLE,
        ],
        "≤ 10×; theirs: LC_ALL=C grep -c",
    );
    let count = cpu(
        "count of 24 h, 1 % hits: CPU on the host",
        &["search", "--json", "--count", "--since", &since, NEEDLE],
        "≤ 10×; theirs: LC_ALL=C grep -c",
    );
    let hour = (now - SignedDuration::from_secs(3600)).to_string();
    cpu(
        "search of the last hour: CPU on the host",
        &[
            "search", "--json", "--limit", "1000000", "--since", &hour, NEEDLE,
        ],
        "≤ 2×; theirs: grep -c of all",
    );
    let (wall, over_ssh) = (
        median(day.iter().map(|run| run.wall).collect()),
        bench.ssh_grep(),
    );
    rows.push(row(
        "search of 24 h, 1 % hits: wall time",
        wall,
        over_ssh,
        "theirs: ssh host grep",
    ));
    let first = median(day.iter().map(|run| run.first).collect());
    rows.push(row(
        "search of 24 h: wall time of the first hit",
        first,
        bench.connect(),
        "theirs: ssh host true",
    ));
    let page = median(
        (0..ROUNDS)
            .map(|_| {
                bench
                    .ours(&["read", "--json", "--backwards", "-n", "200"])
                    .wall
            })
            .collect(),
    );
    rows.push(row(
        "a page backwards: wall time",
        page,
        bench.connect(),
        "theirs: ssh host true",
    ));
    let memory =
        |side: fn(&Run) -> u64| day.iter().chain(&count).map(side).max().unwrap_or_default();
    rows.push(memory_row(
        "search of 24 h: memory on the host",
        memory(|run| run.host_memory),
    ));
    rows.push(memory_row(
        "search of 24 h: memory here",
        memory(|run| run.our_memory),
    ));
    rows.extend(seek(&sshd, now));
    rows
}

fn seek(sshd: &Sshd, now: Timestamp) -> Vec<Row> {
    let log = sshd.path("sparse.log");
    write_sparse(&log, now);
    let bench = Bench::new(sshd, &log);
    let at = (now - SignedDuration::from_secs(DAY / 3)).to_string();
    let wall = median(
        (0..ROUNDS)
            .map(|_| {
                bench
                    .ours(&["read", "--json", "-n", "10", "--at", &at])
                    .wall
            })
            .collect(),
    );
    vec![row(
        "a time in a sparse file of 10 GB: wall time",
        wall,
        bench.connect(),
        "theirs: ssh host true",
    )]
}

fn row(what: &'static str, ours: f64, theirs: f64, target: &'static str) -> Row {
    let shown = |seconds: f64| format!("{:.0} ms", seconds * 1e3);
    Row {
        what,
        ours: shown(ours),
        theirs: shown(theirs),
        ratio: ours / theirs,
        target,
    }
}

fn memory_row(what: &'static str, bytes: u64) -> Row {
    let limit = 64 << 20;
    let shown = |bytes: u64| format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20));
    Row {
        what,
        ours: shown(bytes),
        theirs: shown(limit),
        ratio: bytes as f64 / limit as f64,
        target: "≤ 64 MiB",
    }
}

/// Lines of a day that ends at `end`, of such a length in all.
fn write_log(path: &Path, end: Timestamp, bytes: u64) {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path).expect("create a log"));
    let (mut written, mut number, mut line) = (0, 0_u64, String::new());
    while written < bytes {
        line_at(&mut line, end, number, written as f64 / bytes as f64);
        out.write_all(line.as_bytes()).expect("write a log");
        written += line.len() as u64;
        number += 1;
    }
    out.flush().expect("write a log");
}

fn line_at(line: &mut String, end: Timestamp, number: u64, part: f64) {
    let ago = SignedDuration::from_millis(((1.0 - part) * (DAY * 1000) as f64) as i64);
    line.clear();
    let what = if number.is_multiple_of(100) {
        NEEDLE
    } else {
        "request served"
    };
    let _ = writeln!(
        line,
        "{:.6} web-1 shop[{}]: {what} id={number:08x} path=/api/v1/items/{} status=200 ms={}",
        end - ago,
        1000 + number % 7,
        number % 9973,
        number % 311
    );
}

/// A line at the beginning of each 64 KiB, and nothing behind it.
fn write_sparse(path: &Path, end: Timestamp) {
    use std::os::unix::fs::FileExt;
    let file = File::create(path).expect("create a log");
    let mut line = String::new();
    for number in 0..SPARSE_BYTES >> 16 {
        line_at(
            &mut line,
            end,
            number,
            (number << 16) as f64 / SPARSE_BYTES as f64,
        );
        let start = if number == 0 {
            line.clone()
        } else {
            format!("\n{line}")
        };
        file.write_all_at(start.as_bytes(), number << 16)
            .expect("write a log");
    }
}

struct Bench<'a> {
    sshd: &'a Sshd,
    log: &'a Path,
    inventory: std::path::PathBuf,
}

/// What one run of ours took.
struct Run {
    host_cpu: f64,
    wall: f64,
    first: f64,
    host_memory: u64,
    our_memory: u64,
}

impl<'a> Bench<'a> {
    fn new(sshd: &'a Sshd, log: &'a Path) -> Self {
        let inventory = sshd.path("bench.toml");
        let text = format!(
            "[defaults]\nknown_hosts = {:?}\nidentity = {:?}\n\n[hosts.bench]\naddress = \"127.0.0.1\"\nport = {}\nuser = {:?}\nsources = [{{ path = {:?} }}]\n",
            sshd.known_hosts(),
            sshd.client_key_path(),
            sshd.port(),
            crate::support::sshd::me(),
            log
        );
        std::fs::write(&inventory, text).expect("write an inventory");
        Self {
            sshd,
            log,
            inventory,
        }
    }

    /// One run of the program on the server.
    fn ours(&self, args: &[&str]) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_logtrail-tui"));
        command
            .arg("--config")
            .arg(&self.inventory)
            .args(["--no-ssh-config", "--timeout", "10m"])
            .args(args);
        let began = Instant::now();
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program runs");
        let stdout = child.stdout.take().expect("piped");
        let reader = std::thread::spawn(move || first_line(stdout, began));
        let (mut host_cpu, mut host_memory, mut our_memory) = (0.0_f64, 0, 0);
        while child.try_wait().expect("a child").is_none() {
            // What is killed with its connection takes its figures with it: they are looked at all
            // the time.
            host_cpu = host_cpu.max(cpu::of_sessions(self.sshd));
            host_memory = host_memory.max(memory_of_host(self.sshd));
            our_memory = our_memory.max(status_kib(child.id(), "VmHWM:") * 1024);
            std::thread::sleep(Duration::from_millis(10));
        }
        let wall = began.elapsed().as_secs_f64();
        let (first, lines) = reader.join().expect("a reader");
        assert!(lines > 0, "{args:?} printed nothing");
        while self.sshd.live() > 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
        Run {
            host_cpu,
            wall,
            first,
            host_memory,
            our_memory,
        }
    }

    /// Processor time of `grep` over all of the log.
    fn grep(&self) -> f64 {
        let before = cpu_of_children();
        let mut command = Command::new("grep");
        // Not to /dev/null: GNU grep stops at the first line where nobody can see the count.
        let output = command
            .env("LC_ALL", "C")
            .args(["-c", NEEDLE])
            .arg(self.log)
            .output()
            .expect("grep runs");
        assert!(output.status.success());
        cpu_of_children() - before
    }

    /// Wall time of `ssh host grep`.
    fn ssh_grep(&self) -> f64 {
        self.ssh(&format!(
            "LC_ALL=C grep '{NEEDLE}' {} | cat",
            self.log.display()
        ))
    }

    /// Wall time of a connection that does nothing.
    fn connect(&self) -> f64 {
        median((0..ROUNDS).map(|_| self.ssh("true")).collect())
    }

    fn ssh(&self, line: &str) -> f64 {
        let began = Instant::now();
        let mut command = Command::new(crate::support::program("ssh"));
        command.args(["-F", "none", "-o", "BatchMode=yes", "-o"]);
        command.arg(format!(
            "UserKnownHostsFile={}",
            self.sshd.known_hosts().display()
        ));
        command.arg("-i").arg(self.sshd.client_key_path()).args([
            "-p",
            &self.sshd.port().to_string(),
            "127.0.0.1",
        ]);
        command
            .arg(line)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        assert!(command.status().expect("ssh runs").success());
        began.elapsed().as_secs_f64()
    }
}

/// Seconds until the first line came, and how many came.
fn first_line(stdout: impl std::io::Read, began: Instant) -> (f64, usize) {
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(stdout));
    let Some(Ok(_)) = lines.next() else {
        return (0.0, 0);
    };
    (began.elapsed().as_secs_f64(), 1 + lines.count())
}

/// Seconds of processor time of all processes of ours that have ended and were waited for.
fn cpu_of_children() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = text
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace();
    let ticks: u64 = fields
        .skip(13)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    // USER_HZ is 100 on every Linux.
    ticks as f64 / 100.0
}

/// What the processes of those who are logged in have in memory together, without what they share.
fn memory_of_host(sshd: &Sshd) -> u64 {
    sshd.session_processes()
        .into_iter()
        .map(|(pid, _)| status_kib(pid, "RssAnon:") * 1024)
        .sum()
}

fn status_kib(pid: u32, name: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let value = text.lines().find_map(|line| {
        line.strip_prefix(name)?
            .split_whitespace()
            .next()?
            .parse()
            .ok()
    });
    value.unwrap_or_default()
}
