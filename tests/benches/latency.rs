//! What following costs a host at rest, and how long a line waits until it is told.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use logtrail::model::host::HostSpec;
use logtrail::model::source::{SourceKind, SourceSpec};

use crate::support::fleet::Watched;
use crate::support::sshd::Sshd;
use crate::{Row, block_on, cpu};

const REST: Duration = Duration::from_secs(20);
const FILES: usize = 20;
const LINES: u32 = 150;

pub(crate) fn run() -> Vec<Row> {
    let rest = block_on(at_rest()) * 100.0;
    let mut rows = vec![Row {
        what: "at rest, 20 files: CPU of the host",
        ours: format!("{rest:.2} %"),
        theirs: "-".to_owned(),
        ratio: rest / 0.2,
        target: "≤ 0.2 % of a core, without the sampling",
    }];
    for (what, hosts) in [
        ("line written to line told, 1 host", 1),
        ("the same, 5 hosts, one at rest", 5),
    ] {
        let mut waits = block_on(waits(hosts));
        waits.sort();
        let (half, most) = (waits[waits.len() / 2], waits[waits.len() * 99 / 100]);
        rows.push(Row {
            what,
            ours: format!("p50 {} p99 {}", half.as_millis(), most.as_millis()),
            theirs: "-".to_owned(),
            ratio: most.as_secs_f64() / 0.5,
            target: "p99 ≤ 500 ms",
        });
    }
    rows
}

fn with_source(mut host: HostSpec, path: &Path) -> HostSpec {
    let kind = SourceKind::Path(path.display().to_string());
    host.sources.push(SourceSpec {
        name: path.display().to_string(),
        kind,
        time: None,
        encoding: None,
        as_root: false,
        archive: None,
    });
    host
}

/// The share of a core that a host with files that rest uses, its sshd included.
async fn at_rest() -> f64 {
    let sshd = Sshd::start();
    let mut host = sshd.host("bench");
    for n in 0..FILES {
        let log = sshd.path(&format!("{n}.log"));
        std::fs::write(&log, "a line\n").expect("write");
        host = with_source(host, &log);
    }
    let mut watched = Watched::sampling(vec![host], Duration::from_secs(3600));
    watched
        .until("the connection", |w| w.samples.len() >= 2)
        .await;
    // Until it takes it for resting.
    let _ = tokio::time::timeout(Duration::from_secs(7), watched.until("nothing", |_| false)).await;
    let (before, began) = (cpu::of_sessions(&sshd), Instant::now());
    let _ = tokio::time::timeout(REST, watched.until_within(REST * 2, "nothing", |_| false)).await;
    (cpu::of_sessions(&sshd) - before) / began.elapsed().as_secs_f64()
}

/// A line now and then on each host but the last of several; how long each took.
async fn waits(hosts: usize) -> Vec<Duration> {
    let servers: Vec<Sshd> = (0..hosts).map(|_| Sshd::start()).collect();
    let logs: Vec<PathBuf> = servers.iter().map(|sshd| sshd.path("app.log")).collect();
    let specs = (0..hosts).map(|n| {
        std::fs::write(&logs[n], "first\n").expect("write");
        with_source(servers[n].host(&format!("h{n}")), &logs[n])
    });
    let mut watched = Watched::follow(specs.collect(), 10);
    watched
        .until("the first lines", |w| w.records.len() == hosts)
        .await;
    let busy = logs[..hosts.saturating_sub(1).max(1)].to_vec();
    let writer = std::thread::spawn(move || write_now_and_then(&busy));
    let (mut told, mut seen) = (HashMap::new(), watched.records.len());
    while told.len() < LINES as usize {
        watched
            .until("more lines", |w| w.records.len() > seen)
            .await;
        for record in &watched.records[seen..] {
            let text = String::from_utf8_lossy(&record.content.raw).into_owned();
            told.insert(
                text.rsplit(' ').next().unwrap_or_default().to_owned(),
                Instant::now(),
            );
        }
        seen = watched.records.len();
    }
    let written = writer.join().expect("the writer does not panic");
    written
        .into_iter()
        .filter_map(|(name, at)| Some(told.get(&name)?.duration_since(at)))
        .collect()
}

fn write_now_and_then(logs: &[PathBuf]) -> Vec<(String, Instant)> {
    let mut written = Vec::new();
    for n in 0..LINES {
        // Steps that have nothing to do with ours.
        std::thread::sleep(Duration::from_millis(u64::from(37 + n * 29 % 83)));
        let log = &logs[n as usize % logs.len()];
        let mut file = std::fs::OpenOptions::new()
            .append(true)
            .open(log)
            .expect("open");
        let at = Instant::now();
        writeln!(file, "{:.6} INFO line {n}", jiff::Timestamp::now()).expect("write");
        written.push((n.to_string(), at));
    }
    written
}
