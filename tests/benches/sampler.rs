//! Metrics: CPU on the host per sample, against an `ssh host cat /proc/…` for each over a shared
//! connection.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::fleet::Watched;
use crate::support::program;
use crate::support::sshd::Sshd;
use crate::{Row, block_on, cpu};

const SAMPLES: usize = 60;

pub(crate) fn run() -> Vec<Row> {
    let (ours, theirs) = (block_on(ours()), theirs());
    vec![Row {
        what: "metrics: CPU on the host per sample",
        ours: format!("{:.2} ms", ours * 1e3),
        theirs: format!("{:.2} ms", theirs * 1e3),
        ratio: ours / theirs,
        target: "plain ≤ 4 ms; theirs: ssh host cat /proc/…",
    }]
}

/// With samples as fast as they come, less the same time without (the following of no file).
async fn ours() -> f64 {
    let sshd = Sshd::start();
    let mut host = sshd.host("bench");
    let empty = sshd.path("empty.log");
    std::fs::write(&empty, "").expect("write");
    host.sources.push(logtrail::model::source::SourceSpec {
        name: "empty".to_owned(),
        kind: logtrail::model::source::SourceKind::Path(empty.display().to_string()),
        time: None,
        encoding: None,
        as_root: false,
        archive: None,
    });
    let long = Duration::from_secs(120);
    let mut fast = Watched::sampling(vec![host.clone()], Duration::from_millis(600));
    fast.until_within(long, "the first samples", |w| w.samples.len() >= 5)
        .await;
    let (cpu_before, samples_before, began) =
        (cpu::of_sessions(&sshd), fast.samples.len(), Instant::now());
    fast.until_within(long, "samples", |w| {
        w.samples.len() >= samples_before + SAMPLES
    })
    .await;
    let (busy, took) = (cpu::of_sessions(&sshd) - cpu_before, began.elapsed());
    fast.fleet.take().expect("running").stop().await;

    let mut idle = Watched::sampling(vec![host], Duration::from_secs(3600));
    idle.until_within(long, "the connection", |w| w.samples.len() >= 2)
        .await;
    let before = cpu::of_sessions(&sshd);
    let _ = tokio::time::timeout(took, idle.until_within(long, "nothing", |_| false)).await;
    let rest = cpu::of_sessions(&sshd) - before;
    ((busy - rest) / SAMPLES as f64).max(0.0)
}

fn theirs() -> f64 {
    // Without the operator's own ~/.bashrc, which would be read for each sample and counted.
    let sshd = Sshd::builder().config("SetEnv HOME=/nonexistent").start();
    let control = sshd.path("control");
    let ssh = |extra: &[&str]| {
        let mut command = Command::new(program("ssh"));
        command.args([
            "-F",
            "none",
            "-o",
            "BatchMode=yes",
            "-o",
            "ControlMaster=auto",
            "-o",
            "ControlPersist=60",
        ]);
        command
            .arg("-o")
            .arg(format!("ControlPath={}", control.display()));
        command.arg("-o").arg(format!(
            "UserKnownHostsFile={}",
            sshd.known_hosts().display()
        ));
        command.arg("-i").arg(sshd.client_key_path()).args([
            "-p",
            &sshd.port().to_string(),
            "127.0.0.1",
        ]);
        command
            .args(extra)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null());
        assert!(command.status().expect("ssh runs").success());
    };
    ssh(&["true"]);
    let before = cpu::of_sessions(&sshd);
    for _ in 0..SAMPLES {
        ssh(&[
            "cat /proc/uptime /proc/stat /proc/loadavg /proc/meminfo /proc/diskstats /proc/net/dev /proc/pressure/*",
        ]);
    }
    (cpu::of_sessions(&sshd) - before) / SAMPLES as f64
}
