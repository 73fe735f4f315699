//! Servers and logins that give our shells no session of their own: what was there before us is
//! there after us.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use logtrail::model::host::{
    Address, Endpoint, HostKeyPolicy, HostName, HostSpec, TransportKind, UserName,
};
use logtrail::model::source::{SourceKind, SourceSpec};
use logtrail::model::state::LinkState;

use super::support::fleet::Watched;
use super::support::sshd::{Sshd, me};
use super::support::{PATIENCE, make_key, program, run, wait_until};
use super::transport::connect;

fn source(name: &str, path: &Path) -> SourceSpec {
    let kind = SourceKind::Path(path.to_str().expect("UTF-8").to_owned());
    SourceSpec {
        name: name.to_owned(),
        kind,
        time: None,
        as_root: false,
    }
}

/// A tinysshd behind a program that listens: it starts commands in the process group of that
/// program.
pub(crate) struct TinySshd {
    pub(crate) folder: tempfile::TempDir,
    listener: Child,
    port: u16,
}

impl TinySshd {
    /// `serve` is the command that listens on a port and runs `tinysshd` with the folder of its
    /// keys.
    pub(crate) fn start(serve: impl Fn(u16, &str) -> String) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let keys = folder.path().join("keys");
        let client = folder.path().join("client_key");
        run(Command::new(program("tinysshd-makekey")).arg(&keys));
        make_key(&client, "ed25519", "");
        let tinysshd = format!("{} -L {}", program("tinysshd").display(), keys.display());
        for _ in 0..20 {
            let free = TcpListener::bind("127.0.0.1:0")
                .and_then(|listener| listener.local_addr())
                .expect("a port");
            let mut listener = Self::listen(folder.path(), &serve(free.port(), &tinysshd));
            while listener.try_wait().expect("a child").is_none() {
                if TcpStream::connect(free).is_ok() {
                    return Self {
                        folder,
                        listener,
                        port: free.port(),
                    };
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        panic!("tinysshd does not start");
    }

    /// By the usual one.
    pub(crate) fn under_tcpserver() -> Self {
        let tcpserver = program("tcpserver").display().to_string();
        Self::start(|port, tinysshd| format!("{tcpserver} -HRDl0 127.0.0.1 {port} {tinysshd}"))
    }

    /// It reads the keys of the user's home, which is another folder for it than for everybody
    /// else.
    fn listen(folder: &Path, serve: &str) -> Child {
        let script = format!(
            "home=$(getent passwd {} | cut -d: -f6) && mount -t tmpfs -o mode=755 none \"$home\" && \
             mkdir -m 700 \"$home/.ssh\" && cp {}/client_key.pub \"$home/.ssh/authorized_keys\" && exec {serve}",
            me(),
            folder.display(),
        );
        let mut command = Command::new(program("unshare"));
        command.args(["--mount", "--propagation", "private"]);
        if me() != "root" {
            command.args(["--user", "--map-root-user"]);
        }
        command
            .args(["sh", "-c", &script])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.process_group(0).spawn().expect("unshare")
    }

    pub(crate) fn host(&self, sources: Vec<SourceSpec>) -> HostSpec {
        let endpoint = Endpoint {
            address: Some(Address::new("127.0.0.1").expect("an address")),
            port: Some(self.port),
            user: Some(UserName::new(&me()).expect("a user")),
            identity: vec![self.folder.path().join("client_key")],
            known_hosts: vec![self.folder.path().join("known_hosts")],
            host_keys: Some(HostKeyPolicy::AcceptNew),
            ..Endpoint::new(HostName::new("tiny").expect("a name"))
        };
        HostSpec {
            sources,
            transport: TransportKind::Russh,
            ..HostSpec::new(endpoint)
        }
    }

    /// What runs in it for those who are logged in.
    fn sessions(&self) -> Vec<String> {
        let all = run(Command::new("ps").args(["-e", "-o", "pid=,ppid=,args="]));
        let rows: Vec<(u32, u32, &str)> = all
            .lines()
            .filter_map(|line| {
                let (pid, rest) = line.trim_start().split_once(' ')?;
                let (parent, args) = rest.trim_start().split_once(' ')?;
                Some((pid.parse().ok()?, parent.parse().ok()?, args.trim()))
            })
            .collect();
        let mut found = vec![self.listener.id()];
        while let Some(row) = rows
            .iter()
            .find(|row| found.contains(&row.1) && !found.contains(&row.0))
        {
            found.push(row.0);
        }
        let below = |row: &&(u32, u32, &str)| row.0 != found[0] && found.contains(&row.0);
        rows.iter()
            .filter(below)
            .map(|row| format!("{} {}", row.0, row.2))
            .collect()
    }
}

impl Drop for TinySshd {
    fn drop(&mut self) {
        let _ = self.listener.kill();
        let _ = self.listener.wait();
    }
}

/// Reads a log and follows it, several times, and is cut off; the server goes on, and nothing of
/// ours is left.
async fn is_left_alone(mut server: TinySshd) {
    let log = server.folder.path().join("app.log");
    fs::write(&log, "one\ntwo\n").expect("write");
    for round in 1..=3 {
        let host = server.host(vec![source("app", &log)]);
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
fn lines_of(path: &Path) -> Vec<String> {
    fs::read_to_string(path)
        .unwrap_or_default()
        .lines()
        .map(str::to_owned)
        .collect()
}

/// Whether none of these processes, each with when it began, is there any more.
pub(crate) fn none_left(processes: &[(u32, String)]) -> Result<(), String> {
    let began = |pid: u32| {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        text.rsplit_once(')')?
            .1
            .split_whitespace()
            .nth(19)
            .map(str::to_owned)
    };
    let left: Vec<_> = processes
        .iter()
        .filter(|(pid, at)| began(*pid).as_ref() == Some(at))
        .collect();
    if left.is_empty() {
        Ok(())
    } else {
        Err(format!("{left:?}"))
    }
}

/// A script that the test may run.
fn executable(path: &Path, text: &str) -> PathBuf {
    fs::write(path, text).expect("write");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("its mode");
    path.to_owned()
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
        let wrap = executable(&folder.path().join("wrap.sh"), &wrap);
        let sshd = Sshd::builder()
            .config(format!("ForceCommand {}", wrap.display()))
            .start();
        let log = sshd.path("app.log");
        fs::write(&log, "one\n").expect("write");
        let host = HostSpec {
            sources: vec![source("app", &log)],
            ..sshd.host("web-1")
        };
        let mut once = Watched::once(vec![host.clone()], 10, PATIENCE);
        once.until("a pass", |w| w.over).await;
        assert_eq!(once.texts(), ["one"]);
        let mut watched = Watched::follow(vec![host], 10);
        watched.until("the line", |w| w.records.len() == 1).await;
        watched.fleet.take().expect("running").stop().await;
        let seen = || {
            let lines = lines_of(&audit);
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
        sources: vec![source("app", &log)],
        ..sshd.host("web-1")
    };
    let mut once = Watched::once(vec![host], 10, PATIENCE);
    once.until("a pass", |w| w.over).await;
    let started = lines_of(&number);
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
        sources: vec![source("app", &log)],
        ..sshd.host("web-1")
    };
    let mut watched = Watched::follow(vec![host], 10);
    watched.until("the line", |w| w.records.len() == 1).await;
    let ours = sshd.session_processes();
    assert!(ours.len() > 3, "{ours:?}");
    drop(connection);
    sshd.stop();
    wait_until("nothing to be left", || none_left(&ours)).await;
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
        sources: vec![source("app", &log)],
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
