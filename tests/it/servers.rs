//! Servers and logins that give our shells no session of their own: what was there before us is
//! there after us.

use std::fs;
use std::path::Path;
use std::process::Command;

use logtrail::model::host::HostSpec;
use logtrail::model::state::LinkState;

use crate::support::connect::connect;
use crate::support::files::executable;
use crate::support::fleet::Watched;
use crate::support::processes::none_alive;
use crate::support::spec::file_source;
use crate::support::sshd::Sshd;
use crate::support::tinysshd::TinySshd;
use crate::support::{PATIENCE, program, wait_until};

/// Reads a log and follows it, several times, and is cut off; the server goes on, and nothing of
/// ours is left.
async fn is_left_alone(mut server: TinySshd) {
    let log = server.folder.path().join("app.log");
    fs::write(&log, "one\ntwo\n").expect("write");
    for round in 1..=3 {
        let host = server.host(vec![file_source("app", &log)]);
        let mut once = Watched::once(vec![host.clone()], 10, PATIENCE);
        once.until(&format!("a pass, round {round}"), |w| w.over)
            .await;
        assert_eq!(once.texts(), ["one", "two"], "{:?}", once.statuses);
        let mut watched = Watched::follow(vec![host], 10);
        watched.until("the lines", |w| w.records.len() == 2).await;
        watched.fleet.take().expect("running").stop().await;
        assert!(
            server.listener.try_wait().expect("a child").is_none(),
            "it has ended after round {round}"
        );
        let left = || {
            Some(server.sessions())
                .filter(|left| !left.is_empty())
                .map_or(Ok(()), Err)
        };
        wait_until("nothing to be left", left).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r40_r69_tinysshd_under_tcpserver_outlives_every_visit() {
    is_left_alone(TinySshd::under_tcpserver()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r40_r69_tinysshd_under_socat_outlives_every_visit() {
    let socat = program("socat").display().to_string();
    let listen = "bind=127.0.0.1,reuseaddr,fork";
    is_left_alone(TinySshd::start(|port, tinysshd| {
        format!("{socat} TCP-LISTEN:{port},{listen} 'EXEC:{tinysshd}'")
    }))
    .await;
}

/// The lines of a file that a wrapper writes.
fn file_lines(path: &Path) -> Vec<String> {
    fs::read_to_string(path)
        .unwrap_or_default()
        .lines()
        .map(str::to_owned)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn r41_a_wrapper_that_keeps_an_audit_sees_the_end_of_every_shell() {
    let folder = tempfile::tempdir().expect("a folder");
    let audit = folder.path().join("audit");
    for (what, options) in [("a wrapper", ""), ("a wrapper that stops at errors", "-e")] {
        let wrap = format!(
            "#!/bin/sh {options}\necho start >>{0}\n/bin/sh -c \"$SSH_ORIGINAL_COMMAND\"\necho end >>{0}\n",
            audit.display()
        );
        let script = folder.path().join("wrap.sh");
        executable(&script, &wrap);
        let sshd = Sshd::builder()
            .config(format!("ForceCommand {}", script.display()))
            .start();
        let log = sshd.path("app.log");
        fs::write(&log, "one\n").expect("write");
        let host = HostSpec {
            sources: vec![file_source("app", &log)],
            ..sshd.host("web-1")
        };
        let mut once = Watched::once(vec![host.clone()], 10, PATIENCE);
        once.until("a pass", |w| w.over).await;
        assert_eq!(once.texts(), ["one"]);
        let mut watched = Watched::follow(vec![host], 10);
        watched.until("the line", |w| w.records.len() == 1).await;
        watched.fleet.take().expect("running").stop().await;
        let seen = || {
            let lines = file_lines(&audit);
            let count = |word: &str| lines.iter().filter(|line| *line == word).count();
            if count("start") >= 2 && count("start") == count("end") {
                Ok(())
            } else {
                Err(lines)
            }
        };
        wait_until(&format!("{what} to see as many ends as starts"), seen).await;
        fs::remove_file(&audit).expect("it was there");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r40_what_the_rc_file_of_a_login_has_started_goes_on() {
    let home = tempfile::tempdir().expect("a home");
    let number = home.path().join("number");
    let rc = format!(
        "sleep 600 </dev/null >/dev/null 2>&1 & echo $! >>{}\n",
        number.display()
    );
    fs::write(home.path().join(".bashrc"), rc).expect("write");
    let bash = program("bash");
    let command = format!(
        "ForceCommand . $HOME/.bashrc; exec {} -c \"$SSH_ORIGINAL_COMMAND\"",
        bash.display()
    );
    let sshd = Sshd::builder()
        .config(command)
        .environment(&[&format!("HOME={}", home.path().display())])
        .start();
    let log = sshd.path("app.log");
    fs::write(&log, "one\n").expect("write");
    let host = HostSpec {
        sources: vec![file_source("app", &log)],
        ..sshd.host("web-1")
    };
    let mut once = Watched::once(vec![host], 10, PATIENCE);
    once.until("a pass", |w| w.over).await;
    let started = file_lines(&number);
    assert!(!started.is_empty());
    let lives = |pid: &String| {
        fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|words| words == b"sleep\x00600\0")
    };
    let living = started.iter().filter(|pid| lives(pid)).count();
    for pid in &started {
        let _ = Command::new("kill").arg(pid).status();
    }
    assert_eq!(living, started.len(), "{started:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn r40_nothing_is_left_of_the_shell_of_a_wrapper_whose_connection_is_cut() {
    let sshd = Sshd::builder()
        .config("ForceCommand /bin/sh -c \"$SSH_ORIGINAL_COMMAND\"; true")
        .start();
    let connection = connect(&sshd.host("web-1")).await;
    let log = sshd.path("app.log");
    fs::write(&log, "one\n").expect("write");
    let host = HostSpec {
        sources: vec![file_source("app", &log)],
        ..sshd.host("web-1")
    };
    let mut watched = Watched::follow(vec![host], 10);
    watched.until("the line", |w| w.records.len() == 1).await;
    let ours = sshd.session_processes();
    assert!(ours.len() > 3, "{ours:?}");
    drop(connection);
    sshd.stop();
    wait_until("nothing to be left", || none_alive(&ours)).await;
    let lost = |w: &Watched| {
        w.statuses
            .last()
            .is_some_and(|(_, status)| status.state == LinkState::Unreachable)
    };
    watched.until("the loss", lost).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r40_a_host_whose_setsid_does_not_work_is_followed_and_nothing_is_left() {
    let folder = tempfile::tempdir().expect("a folder");
    executable(
        &folder.path().join("setsid"),
        "#!/bin/sh\necho 'setsid: Operation not permitted' >&2\nexit 1\n",
    );
    let sshd = Sshd::builder()
        .environment(&[&format!("PATH={}:/usr/bin:/bin", folder.path().display())])
        .start();
    let log = sshd.path("app.log");
    fs::write(&log, "one\n").expect("write");
    let host = HostSpec {
        sources: vec![file_source("app", &log)],
        ..sshd.host("web-1")
    };
    let mut watched = Watched::follow(vec![host], 10);
    watched.until("the line", |w| w.records.len() == 1).await;
    assert!(sshd.session_processes().len() > 3);
    watched.fleet.take().expect("running").stop().await;
    let left = || {
        Some(sshd.session_processes())
            .filter(|left| !left.is_empty())
            .map_or(Ok(()), Err)
    };
    wait_until("nothing to be left", left).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_cannot_start_a_shell_says_where_to_look() {
    let sshd = Sshd::builder()
        .config("ForceCommand exec /nonexistent/bin/sh -s")
        .start();
    let mut once = Watched::once(vec![sshd.host("web-1")], 10, PATIENCE);
    once.until("the end", |w| w.over).await;
    let (_, status) = once.statuses.last().expect("a status");
    assert_eq!(status.state, LinkState::Denied, "{status:?}");
    assert!(
        status
            .reason
            .as_ref()
            .is_some_and(|why| why.contains("cannot start /bin/sh for this login")),
        "{status:?}"
    );
    assert!(
        status
            .hint
            .as_ref()
            .is_some_and(|hint| hint.contains("check /bin/sh on the host")),
        "{status:?}"
    );
}
