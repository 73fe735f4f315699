//! A flood on one host: lines per second that reach the console, and those that `tail -f` prints,
//! against `ssh host tail -f`.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use logtrail::model::source::{SourceKind, SourceSpec};

use crate::support::binary::logtrail;
use crate::support::fleet::Watched;
use crate::support::inventory::Inventory;
use crate::support::program;
use crate::support::sshd::Sshd;
use crate::{Row, block_on, median};

const LINES: usize = 1_000_000;
const ROUNDS: usize = 3;

/// A way to get at the lines of a flood.
struct Way {
    what: &'static str,
    seconds: fn() -> f64,
    target: &'static str,
}

const WAYS: [Way; 3] = [
    Way {
        what: "flood: lines per second to the console",
        seconds: || block_on(followed()),
        target: "agent ≥ 1.0×; theirs: ssh host tail -f | count",
    },
    Way {
        what: "flood: tail -f, lines/s",
        seconds: || printed(&["tail", "-f"]),
        target: "≥ 0.5×; theirs: ssh host tail -f | count",
    },
    Way {
        what: "flood: tail -f --json, lines/s",
        seconds: || printed(&["tail", "-f", "--json"]),
        target: "≥ 0.3×; theirs: ssh host tail -f | count",
    },
];

pub(crate) fn run() -> Vec<Row> {
    let mut theirs = Vec::new();
    let mut ours = [const { Vec::new() }; WAYS.len()];
    for _ in 0..ROUNDS {
        theirs.push(LINES as f64 / tailed());
        for (speeds, way) in ours.iter_mut().zip(&WAYS) {
            speeds.push(LINES as f64 / (way.seconds)());
        }
    }
    let theirs = median(theirs);
    let rows = WAYS.iter().zip(ours).map(|(way, ours)| {
        let ours = median(ours);
        Row {
            what: way.what,
            ours: format!("{ours:.0}/s"),
            theirs: format!("{theirs:.0}/s"),
            ratio: ours / theirs,
            target: way.target,
        }
    });
    rows.collect()
}

fn append_flood(log: &Path) {
    let line = "2026-11-20T13:00:00.123456Z INFO worker[4711] request served path=/api/v1/items status=200 ms=12\n";
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .open(log)
        .expect("open");
    let chunk = line.repeat(1000);
    for _ in 0..LINES / 1000 {
        file.write_all(chunk.as_bytes()).expect("write");
    }
}

/// Seconds from the first byte of the flood to the last line in the console's hands, parsed and
/// merged.
async fn followed() -> f64 {
    let sshd = Sshd::start();
    let log = sshd.path("flood.log");
    std::fs::write(&log, "first\n").expect("write");
    let mut host = sshd.host("bench");
    let kind = SourceKind::Path(log.display().to_string());
    host.sources.push(SourceSpec {
        name: "flood".to_owned(),
        kind,
        time: None,
        encoding: None,
        as_root: false,
        archive: None,
    });
    let mut watched = Watched::follow(vec![host], 10);
    watched
        .until("the first line", |w| w.records.len() == 1)
        .await;
    let began = Instant::now();
    let writer = std::thread::spawn(move || append_flood(&log));
    let long = std::time::Duration::from_secs(300);
    watched
        .until_within(long, "the last line", |w| w.records.len() == LINES + 1)
        .await;
    let took = began.elapsed().as_secs_f64();
    writer.join().expect("the writer does not panic");
    took
}

fn tailed() -> f64 {
    let sshd = Sshd::start();
    let log = sshd.path("flood.log");
    std::fs::write(&log, "first\n").expect("write");
    let mut command = Command::new(program("ssh"));
    command.args(["-F", "none", "-o", "BatchMode=yes", "-o"]);
    command.arg(format!(
        "UserKnownHostsFile={}",
        sshd.known_hosts().display()
    ));
    command.arg("-i").arg(sshd.client_key_path()).args([
        "-p",
        &sshd.port().to_string(),
        "127.0.0.1",
    ]);
    command
        .arg(format!("exec tail -n +1 -f {}", log.display()))
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    seconds_of_flood(command, log)
}

/// Seconds from the first byte of the flood to the last line that the program prints.
fn printed(args: &[&str]) -> f64 {
    let sshd = Sshd::start();
    let log = sshd.path("flood.log");
    std::fs::write(&log, "first\n").expect("write");
    let inventory = Inventory::default().following("bench", &sshd, &log);
    let inventory = inventory.write(&sshd.path(""));
    let mut command = logtrail(&inventory, args);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    seconds_of_flood(command, log)
}

/// Seconds until a command that follows the log has printed a flood.
fn seconds_of_flood(mut command: Command, log: PathBuf) -> f64 {
    let mut follower = command.spawn().expect("the follower runs");
    let mut stdout = follower.stdout.take().expect("piped");
    let mut buffer = vec![0; 1 << 16];
    let mut count = || {
        let n = stdout.read(&mut buffer).expect("read");
        assert!(n > 0, "the follower ended");
        memchr::memchr_iter(b'\n', &buffer[..n]).count()
    };
    assert_eq!(count(), 1);
    let began = Instant::now();
    let writer = std::thread::spawn(move || append_flood(&log));
    let mut seen = 0;
    while seen < LINES {
        seen += count();
    }
    let took = began.elapsed().as_secs_f64();
    let _ = follower.kill();
    let _ = follower.wait();
    writer.join().expect("the writer does not panic");
    took
}
