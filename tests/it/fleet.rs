//! The main job over real SSH: many hosts, rotations by the real `logrotate`, shells of every kind,
//! cut connections.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use logtrail::model::state::LinkState;
use serde_json::Value;

use crate::support::binary::{BINARY, logtrail};
use crate::support::fleet::Watched;
use crate::support::inventory::Inventory;
use crate::support::logrotate::logrotate;
use crate::support::processes::none_alive;
use crate::support::pty::Pty;
use crate::support::spec::{file_source, following};
use crate::support::sshd::Sshd;
use crate::support::time_limit::Stopwatch;
use crate::support::writer::{Writer, serial};

/// A log of three lines in the server's folder.
fn small_log(sshd: &Sshd) -> PathBuf {
    let log = sshd.path("app.log");
    let text = "2026-11-20T13:00:00Z INFO one\n2026-11-20T13:00:01Z WARN two\n2026-11-20T13:00:02Z ERROR three\n";
    std::fs::write(&log, text).expect("write the log");
    log
}

/// These servers, each with its log, in the group `prod`.
fn inventory(hosts: &[(&str, &Sshd, &Path)]) -> PathBuf {
    let hosts_of = |inventory: Inventory, (name, sshd, log): &(&str, &Sshd, &Path)| {
        inventory.following(name, sshd, log)
    };
    hosts
        .iter()
        .fold(Inventory::default(), hosts_of)
        .line("[groups]")
        .line("prod = [\"web-*\"]")
        .write(&hosts[0].1.path(""))
}

#[test]
fn a_pass_with_a_stopped_server_prints_the_rest_and_exits_with_3() {
    let servers = [Sshd::start(), Sshd::start(), Sshd::start()];
    let logs: Vec<PathBuf> = servers.iter().map(small_log).collect();
    let names = ["web-1", "web-2", "web-3"];
    let hosts: Vec<_> = (0..3)
        .map(|n| (names[n], &servers[n], logs[n].as_path()))
        .collect();
    let file = inventory(&hosts);
    servers[2].stop();

    let started = Stopwatch::start();
    let args = ["--hosts", "prod", "--once", "--json", "--timeout", "15s"];
    let output = logtrail(&file, &args).output().expect("run the console");
    started.assert_within_s(15, "a pass with a host that is stopped");
    let text = String::from_utf8(output.stdout).expect("JSON is UTF-8");
    assert_eq!(
        output.status.code(),
        Some(3),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let objects: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("a JSON line"))
        .collect();
    let of_type = |kind: &str| {
        objects
            .iter()
            .filter(|object| object["type"] == kind)
            .collect::<Vec<_>>()
    };

    assert_eq!(of_type("line").len(), 6, "{text}");
    let line = of_type("line")[0];
    assert_eq!(
        (&line["time"], &line["level"]),
        (&"2026-11-20T13:00:00.000000000Z".into(), &"info".into()),
        "{line}"
    );
    for metric in of_type("metric") {
        assert!(metric["window_ms"].as_u64() >= Some(500), "{metric}");
        assert!(metric["cpu"]["busy_pct"].is_number(), "{metric}");
        assert!(
            metric["memory"]["total_bytes"].as_u64() > Some(1 << 20),
            "{metric}"
        );
    }
    assert_eq!(of_type("metric").len(), 2, "{text}");
    let states: Vec<_> = of_type("host")
        .iter()
        .map(|host| (host["host"].clone(), host["state"].clone()))
        .collect();
    let expected = [("web-1", "ok"), ("web-2", "ok"), ("web-3", "unreachable")];
    assert_eq!(
        states,
        expected.map(|(host, state)| (host.into(), state.into())),
        "{text}"
    );
    let reason = of_type("host")[2]["reason"].as_str().expect("a reason");
    assert!(reason.contains("refused"), "{reason}");
    let summary = objects.last().expect("a summary");
    assert_eq!(summary["type"], "summary");
    assert_eq!(
        (&summary["hosts"]["ok"], &summary["exit"]),
        (&2.into(), &3.into()),
        "{summary}"
    );
}

#[test]
fn a_closed_pipe_ends_it_quietly() {
    let sshd = Sshd::start();
    let log = small_log(&sshd);
    let file = inventory(&[("web-1", &sshd, &log)]);
    let line = format!(
        "{BINARY} --once --no-ssh-config --config {} | true; echo ${{PIPESTATUS[0]}}",
        file.display()
    );
    let output = Command::new("bash")
        .args(["-c", &line])
        .output()
        .expect("run a pipe");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "0\n");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

/// Two hosts write 5,000 lines a second each while the logs are rotated; every line arrives once
/// and in order.
async fn rotated_under_load(extra: &str) {
    let servers = [Sshd::start(), Sshd::start()];
    let mut writers = Vec::new();
    let mut rotations = Vec::new();
    let mut hosts = Vec::new();
    for (n, sshd) in servers.iter().enumerate() {
        let (log, reopen) = (sshd.path("app.log"), sshd.path("reopen"));
        writers.push(Writer::start(&log, &reopen, 5000));
        rotations.push(logrotate(sshd, &log, extra));
        hosts.push(following(sshd, &format!("web-{n}"), &log));
    }
    let mut watched = Watched::follow(hosts, 0);
    watched
        .until("lines of both hosts", |w| {
            (0..2).all(|n| w.records.iter().any(|r| r.host.0 == n))
        })
        .await;
    for _ in 0..3 {
        let seen = watched.records.len();
        let long = Duration::from_secs(60);
        watched
            .until_within(long, "lines for ten seconds", |w| {
                w.records.len() >= seen + 2 * 10 * 5000
            })
            .await;
        rotations.iter().for_each(|rotate| rotate());
    }
    let written: Vec<u64> = writers.iter_mut().map(Writer::stop).collect();
    let last = |w: &Watched, n: usize| {
        w.records
            .iter()
            .rev()
            .find(|r| r.host.0 == n as u32)
            .map(|r| r.content.raw.clone())
    };
    let serial_of = |raw: &[u8]| serial(std::str::from_utf8(raw).expect("UTF-8"));
    let all_there = |w: &Watched| {
        (0..2).all(|n| last(w, n).is_some_and(|raw| serial_of(&raw) + 1 == written[n]))
    };
    watched.until("the last lines", all_there).await;
    for host in 0..2 {
        let serials: Vec<u64> = watched
            .records
            .iter()
            .filter(|r| r.host.0 == host)
            .map(|r| serial_of(&r.content.raw))
            .collect();
        let expected: Vec<u64> = (serials[0]..written[host as usize]).collect();
        assert!(
            serials.len() > 100_000,
            "{} lines in 30 seconds",
            serials.len()
        );
        assert!(
            serials == expected,
            "{} of {} lines of host {host}",
            serials.len(),
            expected.len()
        );
    }
    assert_eq!(watched.gaps, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn renaming_logrotate_under_5000_lines_a_second_loses_nothing() {
    rotated_under_load("create").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_shell_serves_and_noise_before_it_is_passed_over() {
    let shells = ["dash -s", "bash -s", "bash --posix -s", "busybox sh -s"];
    for shell in shells {
        let sshd = Sshd::builder()
            .config(format!("ForceCommand echo 'Welcome!'; exec {shell}"))
            .start();
        let log = small_log(&sshd);
        let mut watched = Watched::follow(vec![following(&sshd, "web-1", &log)], 10);
        watched
            .until(&format!("the lines with {shell}"), |w| w.records.len() == 3)
            .await;
        std::fs::rename(&log, sshd.path("app.log.1")).expect("rename");
        std::fs::write(&log, "four\n").expect("create");
        watched
            .until(&format!("the line after a rotation with {shell}"), |w| {
                w.records.len() == 4
            })
            .await;
        watched
            .until(&format!("rates with {shell}"), |w| {
                w.samples.iter().any(|(_, s)| s.cpu.is_some())
            })
            .await;
        assert_eq!(watched.gaps, [], "{shell}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_without_a_shell_is_denied_with_what_it_said() {
    let sshd = Sshd::builder()
        .config("ForceCommand echo 'This account is for mail only.'; exit 7")
        .start();
    let mut watched = Watched::follow(vec![sshd.host("web-1")], 10);
    let denied = |w: &Watched| {
        w.statuses
            .last()
            .is_some_and(|(_, status)| status.state == LinkState::Denied)
    };
    watched.until("the host to be denied", denied).await;
    let (_, status) = watched.statuses.last().expect("a status");
    let reason = status.reason.clone().expect("a reason");
    assert!(
        reason.contains("status 7") && reason.contains("for mail only"),
        "{reason}"
    );
    assert_eq!(status.retry_in_s, None, "trying again would not help");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_connection_is_made_again_and_nothing_is_lost_or_told_twice() {
    let sshd = Sshd::start();
    let (log, reopen) = (sshd.path("app.log"), sshd.path("reopen"));
    let mut writer = Writer::start(&log, &reopen, 2000);
    let mut watched = Watched::follow(vec![following(&sshd, "web-1", &log)], 0);
    for cut in 1..=5 {
        let seen = watched.records.len();
        // Lines may still come of the connection before.
        let again =
            |w: &Watched| w.records.len() > seen + 500 && sshd.accepted() >= cut && sshd.live() > 0;
        watched
            .until(&format!("lines before cut {cut}"), again)
            .await;
        sshd.cut();
    }
    let written = writer.stop();
    let all = |w: &Watched| {
        w.texts()
            .last()
            .is_some_and(|line| serial(line) + 1 == written)
            && sshd.accepted() > 5
    };
    watched
        .until("the last line, by the sixth connection", all)
        .await;
    let serials: Vec<u64> = watched.texts().iter().map(|line| serial(line)).collect();
    assert!(
        serials == (serials[0]..written).collect::<Vec<_>>(),
        "{} of {written}",
        serials.len()
    );
    assert_eq!(watched.gaps, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_appears_while_the_connection_is_cut_is_read_from_its_first_byte() {
    let sshd = Sshd::start();
    let pattern = sshd.path("*.log");
    std::fs::write(sshd.path("old.log"), "old\n").expect("write");
    let mut watched = Watched::follow(vec![following(&sshd, "web-1", &pattern)], 1);
    watched
        .until("the old file's line", |w| w.texts() == ["old"])
        .await;
    watched.until("rates", |w| w.samples.len() >= 2).await;
    sshd.cut();
    std::fs::write(sshd.path("new.log"), "one\ntwo\nthree\n").expect("write");
    watched
        .until("all lines of the new file", |w| w.records.len() == 4)
        .await;
    assert_eq!(watched.texts(), ["old", "one", "two", "three"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_host_that_hangs_does_not_hold_up_the_others() {
    let (hung, live) = (Sshd::builder().mute().start(), Sshd::start());
    let log = small_log(&live);
    let hosts = vec![
        following(&hung, "web-1", &log),
        following(&live, "web-2", &log),
    ];
    let mut watched = Watched::follow(hosts, 10);
    watched
        .until("the lines of the live host", |w| w.records.len() == 3)
        .await;
    assert!(
        watched
            .statuses
            .iter()
            .all(|(host, status)| *host != 0 || status.state == LinkState::Connecting),
        "before the other host's time was up: {:?}",
        watched.statuses
    );
}

#[test]
fn nothing_of_ours_is_left_on_the_host_five_seconds_after_a_kill() {
    let sshd = Sshd::start();
    let (log, reopen) = (sshd.path("app.log"), sshd.path("reopen"));
    let _writer = Writer::start(&log, &reopen, 1000);
    let file = inventory(&[("web-1", &sshd, &log)]);
    let mut screen = Pty::console(&file, (160, 24));
    screen.wait_for("serial=");
    let ours = sshd.session_processes();
    assert!(
        ours.len() >= 3,
        "the shell, what hands on requests, what serves: {ours:?}"
    );
    screen.kill();
    let killed = Stopwatch::start();
    while let Err(left) = none_alive(&ours) {
        killed.assert_within_s(5, &format!("ending after a kill, which left {left}"));
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Every file of a tree with all that a write would change: type, mode, size, times of change,
/// content.
fn tree(folder: &Path, out: &mut Vec<String>) {
    use std::os::unix::fs::MetadataExt;
    let mut entries: Vec<_> = std::fs::read_dir(folder)
        .expect("read a folder")
        .filter_map(Result::ok)
        .collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let meta = entry.metadata().expect("stat");
        let changed = (
            meta.mode(),
            meta.len(),
            meta.mtime_nsec(),
            meta.ctime(),
            meta.ctime_nsec(),
            meta.ino(),
        );
        let content = if meta.is_file() {
            std::fs::read(entry.path()).expect("read")
        } else {
            Vec::new()
        };
        out.push(format!(
            "{:?} {changed:?} {}",
            entry.path(),
            String::from_utf8_lossy(&content)
        ));
        if meta.is_dir() {
            tree(&entry.path(), out);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hosts_files_are_the_same_before_and_after() {
    let sshd = Sshd::start();
    let host = sshd.path("host");
    std::fs::create_dir_all(host.join("log/old")).expect("folders");
    std::fs::write(host.join("log/app.log"), "one\ntwo\n").expect("write");
    std::fs::write(host.join("log/old/app.log.1"), "zero\n").expect("write");
    let (mut before, mut after) = (Vec::new(), Vec::new());
    tree(&host, &mut before);
    let mut spec = following(&sshd, "web-1", &host.join("log/*.log"));
    spec.sources
        .push(file_source("old", &host.join("log/old/app.log.1")));
    let mut watched = Watched::follow(vec![spec], 10);
    watched
        .until("all lines and rates", |w| {
            w.records.len() == 3 && w.samples.len() >= 3
        })
        .await;
    watched.fleet.take().expect("running").stop().await;
    tree(&host, &mut after);
    assert_eq!(before, after);
}
