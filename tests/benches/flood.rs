//! A flood on one host: lines per second that reach the console, against `ssh host tail -f`.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use logtrail::model::source::{SourceKind, SourceSpec};

use crate::support::fleet::Watched;
use crate::support::program;
use crate::support::sshd::Sshd;
use crate::{Row, block_on, median};

const LINES: usize = 1_000_000;
const ROUNDS: usize = 3;

pub(crate) fn run() -> Vec<Row> {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(LINES as f64 / block_on(followed()));
        theirs.push(LINES as f64 / tailed());
    }
    let (ours, theirs) = (median(ours), median(theirs));
    vec![Row {
        what: "flood: lines per second to the console",
        ours: format!("{ours:.0}/s"),
        theirs: format!("{theirs:.0}/s"),
        ratio: ours / theirs,
        target: "agent ≥ 1.0×; theirs: ssh host tail -f | count",
    }]
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
    let mut ssh = command.spawn().expect("ssh runs");
    let mut stdout = ssh.stdout.take().expect("piped");
    let mut buffer = vec![0; 1 << 16];
    let mut count = |stdout: &mut std::process::ChildStdout| {
        let n = stdout.read(&mut buffer).expect("read");
        assert!(n > 0, "ssh ended");
        buffer[..n].iter().filter(|&&byte| byte == b'\n').count()
    };
    assert_eq!(count(&mut stdout), 1);
    let began = Instant::now();
    let writer = std::thread::spawn(move || append_flood(&log));
    let mut seen = 0;
    while seen < LINES {
        seen += count(&mut stdout);
    }
    let took = began.elapsed().as_secs_f64();
    let _ = ssh.kill();
    let _ = ssh.wait();
    writer.join().expect("the writer does not panic");
    took
}
