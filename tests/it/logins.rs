//! Every way in which a login can end: in which state the host is then, whether it is tried again,
//! and what is said. Only what only a person can change is a refusal, and only a refusal is final.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use logtrail::fleet::{FleetOptions, Goal};
use logtrail::model::host::{HostName, HostSpec, TransportKind, UserName};
use logtrail::model::state::{HostStatus, LinkState};
use logtrail::transport::Connector;

use crate::support::connect::settings;
use crate::support::fleet::Watched;
use crate::support::gate::{Gate, Manner};
use crate::support::login::{Forgetful, field_connector, follow_options, mount_booting_pam};
use crate::support::mounted::with_own_mounts;
use crate::support::prompting::PromptingServer;
use crate::support::spec::file_source;
use crate::support::sshd::{Daemon, Sshd};
use crate::support::{make_key, within};
use LinkState::Denied;
use LinkState::HostKeyChanged;
use LinkState::Ok as Up;
use LinkState::Throttled;
use LinkState::Timeout;
use LinkState::Unreachable;

/// Where silence is played, a login and its shell may take so long; in the field it is two minutes.
const LOGIN_TIME: Duration = Duration::from_secs(8);

/// Longest silence before the login there.
const CONNECT_TIME: Duration = Duration::from_secs(2);

/// Elsewhere a login reaches no limit, however busy this machine is.
const AMPLE: Duration = Duration::from_secs(60);

/// One way in which a login ends.
struct Row {
    how: &'static str,
    host: HostSpec,
    state: LinkState,
    /// What the reason has in it.
    words: &'static str,
    /// What plays it.
    _server: Box<dyn std::any::Any>,
}

/// Nobody is refused here, but what was heard is an answer: a script wants it at once.
const FINAL_IN_A_PASS: [&str; 5] = [
    "nobody listens",
    "a web server",
    "SSH 1",
    "no command",
    "jump: nobody listens",
];

impl Row {
    /// A state that only a person can change is final; all others are not.
    fn is_tried_again(&self) -> bool {
        !matches!(self.state, Denied | HostKeyChanged | Up)
    }

    fn is_tried_again_in_a_pass(&self) -> bool {
        self.is_tried_again() && !FINAL_IN_A_PASS.contains(&self.how)
    }
}

fn connector(connect_timeout: Duration, login_time: Duration) -> Connector {
    Connector::new(settings(connect_timeout), Arc::new(Forgetful)).with_login_time(login_time)
}

struct Table {
    rows: Vec<Row>,
    log: PathBuf,
}

/// A host, and what plays it.
struct Played {
    host: HostSpec,
    server: Box<dyn std::any::Any>,
}

impl Played {
    fn new(host: HostSpec, server: impl std::any::Any) -> Self {
        Self {
            host,
            server: Box::new(server),
        }
    }

    /// By the system's `ssh`.
    fn by_ssh(mut self) -> Self {
        self.host.transport = TransportKind::System;
        self
    }

    /// By way of a jump host.
    fn via(mut self, jump: Self) -> Self {
        let mut endpoint = jump.host.endpoint;
        endpoint.name = HostName::new("hop-1").expect("a name");
        self.host.via = vec![vec![endpoint]];
        Self::new(self.host, (self.server, jump.server))
    }

    /// With these keys and no other.
    fn with_keys(mut self, keys: &[&PathBuf]) -> Self {
        self.host.endpoint.identity = keys.iter().map(|&key| key.clone()).collect();
        self
    }
}

impl Table {
    fn row(&mut self, how: &'static str, played: Played, state: LinkState, words: &'static str) {
        let Played { mut host, server } = played;
        // A name for each, by which it is known in what is said.
        let prefix = if how.starts_with("password") {
            "password"
        } else {
            "host"
        };
        host.endpoint.name =
            HostName::new(&format!("{prefix}-{}", self.rows.len())).expect("a name");
        host.sources = vec![file_source("app", &self.log)];
        self.rows.push(Row {
            how,
            host,
            state,
            words,
            _server: server,
        });
    }
}

/// A server that runs this in place of a shell.
fn forcing(command: &str) -> Sshd {
    Sshd::builder()
        .config(format!("ForceCommand {command}"))
        .start()
}

fn forced(command: &str) -> Played {
    with_config(&format!("ForceCommand {command}"))
}

fn with_config(line: &str) -> Played {
    let sshd = Sshd::builder().config(line).start();
    Played::new(sshd.host("host"), sshd)
}

fn behind(gate: Gate, near: &Sshd) -> Played {
    Played::new(gate.host(near, "host"), gate)
}

fn good() -> Played {
    let sshd = Sshd::start();
    Played::new(sshd.host("host"), sshd)
}

/// Keys that no server takes.
fn strange_keys(near: &Sshd) -> [PathBuf; 2] {
    ["strange_1", "strange_2"].map(|name| {
        let key = near.path(name);
        if !key.exists() {
            make_key(&key, "ed25519", "");
        }
        key
    })
}

/// Before anybody has logged in.
async fn before_the_login(table: &mut Table, near: &Sshd) {
    table.row(
        "nobody listens",
        behind(Gate::refusing(), near),
        Unreachable,
        "connection refused",
    );
    table.row(
        "TCP is silent",
        behind(Gate::dropping().await, near),
        Timeout,
        "waiting for a TCP connection",
    );
    let mute = Sshd::builder().mute().start();
    table.row(
        "no version is told",
        Played::new(mute.host("host"), mute),
        Timeout,
        "waiting for the key exchange",
    );
    let http = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
    table.row(
        "a web server",
        behind(Gate::saying(http, false).await, near),
        Unreachable,
        "is a web server",
    );
    let old = Gate::saying(b"SSH-1.5-1.2.27\n", true).await;
    table.row(
        "SSH 1",
        behind(old, near),
        Unreachable,
        "only version 1 of SSH (\"SSH-1.5-1.2.27\")",
    );
    let mail = Gate::saying(b"220 mail.example ESMTP\r\n", true).await;
    table.row(
        "a mail server",
        behind(mail, near),
        Timeout,
        "said \"220 mail.example ESMTP\" and nothing more",
    );
    table.row(
        "closed at once",
        behind(Gate::saying(b"", false).await, near),
        Throttled,
        "before the login",
    );
    table.row(
        "reset at once",
        behind(Gate::resetting().await, near),
        Throttled,
        "before the login",
    );
    table.row(
        "too many connections",
        too_many(),
        Throttled,
        "turned us away, saying \"",
    );
    let left = Gate::saying(b"SSH-2.0-x\r\n", false).await;
    table.row(
        "closed in the key exchange",
        behind(left, near),
        Unreachable,
        "in the middle of the key exchange",
    );
    let weak = with_config("KexAlgorithms diffie-hellman-group1-sha1");
    table.row(
        "no algorithm in common",
        weak,
        Denied,
        "algorithm in common",
    );
    let mut unknown = good();
    unknown.host.endpoint.known_hosts = vec![near.path("nothing")];
    table.row("an unknown host key", unknown, Denied, "is not on record");
    let sshd = Sshd::start();
    let changed = sshd.host("host");
    sshd.restart_with_new_host_key();
    table.row(
        "a changed host key",
        Played::new(changed, sshd),
        HostKeyChanged,
        "has changed",
    );
}

/// A server with one place, which somebody else holds.
fn too_many() -> Played {
    let like = Sshd::builder().config("MaxStartups 1:100:1").start();
    let daemon = Daemon::start(&like);
    let host = daemon.host(&like, "host");
    let address = ("127.0.0.1", host.endpoint.port.expect("a port"));
    let deadline = Instant::now() + Duration::from_secs(20);
    // The place may still be that of whoever looked whether it listens.
    let held = loop {
        let mut held = std::net::TcpStream::connect(address).expect("it listens");
        let mut version = [0; 8];
        if held.read_exact(&mut version).is_ok() && version == *b"SSH-2.0-" {
            break held;
        }
        assert!(Instant::now() < deadline, "no place at a server with one");
    };
    Played::new(host, (like, daemon, held))
}

/// While we say who we are.
async fn in_the_login(table: &mut Table, near: &Sshd) {
    let [one, two] = strange_keys(near);
    table.row(
        "the key is refused",
        good().with_keys(&[&one]),
        Denied,
        "having tried key",
    );
    table.row(
        "there is no key",
        good().with_keys(&[]),
        Denied,
        "having nothing to offer",
    );
    let prompting = PromptingServer::password().await;
    table.row(
        "password refused",
        Played::new(prompting.host(near), prompting),
        Denied,
        "having tried a password, a password",
    );
    let host_based = Gate::speaking(Manner::AllowHostBasedOnly).await;
    table.row(
        "no method in common",
        behind(host_based, near),
        Denied,
        "it allows hostbased",
    );
    let strict = with_config("MaxAuthTries 1").with_keys(&[&one, &two]);
    table.row(
        "too many keys",
        strict,
        Denied,
        "Too many authentication failures",
    );
    let at_first = Gate::speaking(Manner::LeaveAtKey(1)).await;
    table.row(
        "hung up at a key",
        behind(at_first, near),
        Unreachable,
        "hung up during the login",
    );
    let at_second = Gate::speaking(Manner::LeaveAtKey(2)).await;
    let two_keys = behind(at_second, near).with_keys(&[&one, &two]);
    table.row(
        "hung up at the second key",
        two_keys,
        Unreachable,
        "hung up during the login",
    );
    let signed = Gate::speaking(Manner::LeaveAtSignature).await;
    table.row(
        "hung up at a signature",
        behind(signed, near),
        Unreachable,
        "hung up during the login",
    );
    let left = Gate::speaking(Manner::LeaveAtSession).await;
    table.row(
        "hung up after the login",
        behind(left, near),
        Unreachable,
        "was lost",
    );
    let words = Gate::speaking(Manner::LeaveAfterLogin("down for maintenance")).await;
    table.row(
        "took its leave after the login",
        behind(words, near),
        Unreachable,
        "down for maintenance",
    );
}

/// When we are in, and want a shell.
async fn after_the_login(table: &mut Table, near: &Sshd) {
    table.row(
        "no session",
        with_config("MaxSessions 0"),
        Throttled,
        "refuses another session",
    );
    let refused = Gate::speaking(Manner::RefuseCommands).await;
    table.row(
        "no command",
        behind(refused, near),
        Unreachable,
        "does not run a command",
    );
    let closed = Gate::speaking(Manner::CloseSessions).await;
    table.row(
        "a session closed at once",
        behind(closed, near),
        Unreachable,
        "closed the session before a shell",
    );
    table.row(
        "exit 0",
        forced("echo 'Mail only.'; exit 0"),
        Denied,
        "exit status 0, saying: Mail only.",
    );
    table.row(
        "exit 1",
        forced("echo 'Not available.' >&2; exit 1"),
        Denied,
        "status 1, saying: Not available.",
    );
    table.row(
        "exit 126",
        forced("echo 'no' >&2; exit 126"),
        Denied,
        "exit status 126, saying: no",
    );
    table.row(
        "exit 127",
        forced("exec /nonexistent/sh -s"),
        Denied,
        "exit status 127, saying: ",
    );
    let booting = "echo 'System is booting up.' >&2; exit 254";
    table.row(
        "exit 254",
        forced(booting),
        Unreachable,
        "exit status 254, saying: System is booting up.",
    );
    let full = "echo 'sh: 1: Cannot fork' >&2; exit 2";
    table.row(
        "no processes",
        forced(full),
        Unreachable,
        "exit status 2, saying: sh: 1: Cannot fork",
    );
    table.row(
        "killed",
        forced("kill -KILL $$"),
        Unreachable,
        "was ended by signal KILL before it answered",
    );
    table.row(
        "a child killed",
        forced("sh -c 'kill -9 $$'; exit $?"),
        Unreachable,
        "exit status 137",
    );
    table.row(
        "silent for ever",
        forced("exec sleep 1000"),
        Timeout,
        "no shell answered within 8.0 s",
    );
    table.row(
        "takes all, says nothing",
        forced("cat >/dev/null"),
        Timeout,
        "no shell answered within 8.0 s",
    );
    table.row(
        "an echo",
        forced("exec cat"),
        Timeout,
        "no shell answered within 8.0 s",
    );
    let endless = "while :; do printf '%0999d\\nnoise\\n' 0; sleep 0.01; done";
    table.row("noise for ever", forced(endless), Timeout, "at last: noise");
    table.row("a slow shell", forced("sleep 2; exec /bin/sh -s"), Up, "");
    let noisy = "head -c 10000000 /dev/zero | tr '\\0' x; printf '\\nend\\n'; exec /bin/sh -s";
    table.row("10 MB of noise", forced(noisy), Up, "");
    let stderr = "head -c 100000 /dev/zero | tr '\\0' x >&2; exec /bin/sh -s";
    table.row("100 kB of noise in one line", forced(stderr), Up, "");
    let words = "head -c 100000 /dev/zero | tr '\\0' x >&2; exit 3";
    table.row(
        "a refusal of 100 kB",
        forced(words),
        Denied,
        "exit status 3, saying: xxxxxxxxxx",
    );
}

/// By the system's `ssh`.
async fn by_the_systems_ssh(table: &mut Table, near: &Sshd) {
    let [one, _] = strange_keys(near);
    table.row(
        "ssh: the key is refused",
        good().with_keys(&[&one]).by_ssh(),
        Denied,
        "Permission denied (publickey)",
    );
    let closed = behind(Gate::saying(b"", false).await, near);
    table.row(
        "ssh: closed at once",
        closed.by_ssh(),
        Throttled,
        "onnection closed by",
    );
    let left = behind(Gate::speaking(Manner::LeaveAtKey(1)).await, near);
    table.row(
        "ssh: hung up at a key",
        left.by_ssh(),
        Unreachable,
        "Connection closed by",
    );
    table.row(
        "ssh: exit 1",
        forced("echo 'Not available.'; exit 1").by_ssh(),
        Denied,
        "saying: Not available.",
    );
    table.row(
        "ssh: killed",
        forced("kill -KILL $$").by_ssh(),
        Unreachable,
        "exit status 255",
    );
    table.row(
        "ssh: silent for ever",
        forced("exec sleep 1000").by_ssh(),
        Timeout,
        "no shell answered within 8.0 s",
    );
    table.row(
        "ssh: a slow shell",
        forced("sleep 2; exec /bin/sh -s").by_ssh(),
        Up,
        "",
    );
}

/// By way of a jump host.
async fn by_a_jump_host(table: &mut Table, near: &Sshd) {
    let [one, _] = strange_keys(near);
    table.row(
        "jump: nobody listens",
        behind(Gate::refusing(), near).via(good()),
        Unreachable,
        "jump host hop-1 cannot connect",
    );
    let refused = good().via(good().with_keys(&[&one]));
    table.row(
        "jump: refused by it",
        refused,
        Denied,
        "jump host hop-1: hop-1",
    );
    let left = behind(Gate::speaking(Manner::LeaveAtKey(1)).await, near);
    table.row(
        "jump: it hangs up",
        good().via(left),
        Unreachable,
        "jump host hop-1: hop-1",
    );
    let closed = behind(Gate::saying(b"", false).await, near);
    table.row(
        "jump: it has enough",
        good().via(closed),
        Throttled,
        "jump host hop-1: hop-1",
    );
    let left = behind(Gate::speaking(Manner::LeaveAtKey(1)).await, near);
    table.row(
        "jump: the host hangs up",
        left.via(good()),
        Unreachable,
        "hung up during the login",
    );
    table.row(
        "jump: the host's key is refused",
        good().with_keys(&[&one]).via(good()),
        Denied,
        "having tried key",
    );
    table.row(
        "jump: exit 1",
        forced("exit 1").via(good()),
        Denied,
        "exit status 1",
    );
    table.row(
        "jump: silent for ever",
        forced("exec sleep 1000").via(good()),
        Timeout,
        "no shell answered",
    );
    table.row(
        "jump: a slow shell",
        forced("sleep 2; exec /bin/sh -s").via(good()),
        Up,
        "",
    );
}

async fn table() -> (Vec<Row>, Sshd) {
    let near = Sshd::start();
    let log = near.path("app.log");
    std::fs::write(&log, "a line\n").expect("written");
    let mut table = Table {
        rows: Vec::new(),
        log,
    };
    before_the_login(&mut table, &near).await;
    in_the_login(&mut table, &near).await;
    after_the_login(&mut table, &near).await;
    by_the_systems_ssh(&mut table, &near).await;
    by_a_jump_host(&mut table, &near).await;
    (table.rows, near)
}

fn last(watched: &Watched, number: usize) -> Option<&HostStatus> {
    let of_host = |(host, _): &&(u32, HostStatus)| *host as usize == number;
    watched
        .statuses
        .iter()
        .rev()
        .find(of_host)
        .map(|(_, status)| status)
}

/// What was told of a host that tried and failed, in order.
fn failures(watched: &Watched, number: usize) -> Vec<&HostStatus> {
    let of_host = watched
        .statuses
        .iter()
        .filter(|(host, _)| *host as usize == number)
        .map(|(_, status)| status);
    of_host
        .filter(|status| status.state != LinkState::Connecting)
        .collect()
}

fn check(row: &Row, status: &HostStatus, wrong: &mut Vec<String>) {
    let reason = status.reason.as_deref().unwrap_or_default();
    let is_right = status.state == row.state
        && reason.contains(row.words)
        && reason.chars().count() <= 500
        && !reason.contains('\n')
        && (row.state == Up || status.hint.as_deref().is_some_and(|hint| !hint.is_empty()));
    if !is_right {
        wrong.push(format!(
            "{}: {} with {:?}; got {status:?}",
            row.how, row.state, row.words
        ));
    }
}

/// The rows whose hosts are silent, with limits that are soon reached, and all others. (What speaks
/// no SSH and stays is silent before the login, which has its own limit.)
fn by_silence(rows: Vec<Row>) -> [(Vec<Row>, Connector); 2] {
    let (silent, others) = rows.into_iter().partition(|row| row.state == Timeout);
    [
        (silent, connector(CONNECT_TIME, LOGIN_TIME)),
        (others, connector(4 * CONNECT_TIME, AMPLE)),
    ]
}

fn hosts(rows: &[Row]) -> Vec<HostSpec> {
    rows.iter().map(|row| row.host.clone()).collect()
}

/// What is wrong with what was told while following.
async fn followed(rows: Vec<Row>, connector: Connector) -> Vec<String> {
    let mut watched = Watched::by(hosts(&rows), follow_options(), connector);
    let (long, began) = (Duration::from_secs(120), Instant::now());
    let needed = |row: &Row| if row.is_tried_again() { 2 } else { 1 };
    let all = |w: &Watched| {
        rows.iter()
            .enumerate()
            .all(|(n, row)| failures(w, n).len() >= needed(row))
    };
    let ended = watched.until_within(
        2 * long,
        "each login to end, twice where it is tried again",
        all,
    );
    let _ = tokio::time::timeout(long, ended).await;
    // As long as any first wait of those that are tried again: a refusal would have been tried
    // again by now.
    let rest = Duration::from_secs(20).saturating_sub(began.elapsed());
    watched.pause(rest).await;
    let mut wrong = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        for status in failures(&watched, number) {
            check(row, status, &mut wrong);
            if status.retry_in_s.is_some() != row.is_tried_again() {
                wrong.push(format!(
                    "{}: the next try is in {:?} s",
                    row.how, status.retry_in_s
                ));
            }
        }
        let count = failures(&watched, number).len();
        if count < needed(row) || (!row.is_tried_again() && count > 1) {
            wrong.push(format!("{}: it ended {count} times", row.how));
        }
    }
    wrong
}

/// What is wrong with what was told in a bounded pass.
async fn passed(rows: Vec<Row>, connector: Connector) -> Vec<String> {
    let mut watched = Watched::by(hosts(&rows), pass_of(60), connector);
    watched
        .until_within(Duration::from_secs(90), "the end of the pass", |w| w.over)
        .await;
    let mut wrong = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        match last(&watched, number) {
            Some(status) => check(row, status, &mut wrong),
            None => wrong.push(format!("{}: nothing was told", row.how)),
        }
        if let Some(status) = last(&watched, number).filter(|status| status.retry_in_s.is_some()) {
            wrong.push(format!("{}: nobody will try again: {status:?}", row.how));
        }
        let count = failures(&watched, number).len();
        if row.state != Up && (count > 1) != row.is_tried_again_in_a_pass() {
            wrong.push(format!("{}: it ended {count} times", row.how));
        }
    }
    wrong
}

#[tokio::test(flavor = "multi_thread")]
async fn r31_r33_r38_r41_followed_hosts_have_the_state_of_each_end_of_a_login() {
    let (rows, _near) = table().await;
    let [(silent, soon), (others, ample)] = by_silence(rows);
    let (one, two) = tokio::join!(followed(silent, soon), followed(others, ample));
    assert_none_wrong(&[one, two].concat());
}

#[tokio::test(flavor = "multi_thread")]
async fn r31_r38_r41_hosts_of_a_pass_have_the_state_of_each_end_of_a_login() {
    let (rows, _near) = table().await;
    let [(silent, soon), (others, ample)] = by_silence(rows);
    let (one, two) = tokio::join!(passed(silent, soon), passed(others, ample));
    assert_none_wrong(&[one, two].concat());
}

fn assert_none_wrong(wrong: &[String]) {
    let all = wrong.join("\n");
    assert!(wrong.is_empty(), "{} wrong:\n{all}", wrong.len());
}

fn pass_of(seconds: u64) -> FleetOptions {
    FleetOptions {
        goal: Goal::Once {
            deadline: Duration::from_secs(seconds),
        },
        ..follow_options()
    }
}

/// The host of a server with a log of one line.
fn with_log(sshd: &Sshd) -> HostSpec {
    let log = sshd.path("app.log");
    std::fs::write(&log, "a line\n").expect("written");
    HostSpec {
        sources: vec![file_source("app", &log)],
        ..sshd.host("host")
    }
}

fn states(watched: &Watched) -> Vec<LinkState> {
    let mut states: Vec<LinkState> = watched
        .statuses
        .iter()
        .map(|(_, status)| status.state)
        .collect();
    states.dedup();
    states
}

#[tokio::test(flavor = "multi_thread")]
async fn r31_a_login_of_seventeen_seconds_is_only_slow_and_says_what_it_waits_for() {
    let sshd = forcing("sleep 17; exec /bin/sh -s");
    let host = with_log(&sshd);
    let mut following = Watched::by(vec![host.clone()], follow_options(), field_connector());
    let mut pass = Watched::by(vec![host], pass_of(60), field_connector());
    let long = Duration::from_secs(60);
    let waits = |w: &Watched| {
        let reason = last(w, 0)
            .and_then(|status| status.reason.clone())
            .unwrap_or_default();
        reason.starts_with("logged in; waiting for its shell for ")
    };
    following
        .until_within(long, "what it waits for", waits)
        .await;
    following
        .until_within(long, "the line", |w| w.texts() == ["a line"])
        .await;
    pass.until_within(long, "the line in a pass", |w| w.over)
        .await;
    assert_eq!(pass.texts(), ["a line"]);
    for watched in [&following, &pass] {
        assert_eq!(
            states(watched),
            [LinkState::Connecting, Up],
            "{:?}",
            watched.statuses
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r31_a_pass_ends_in_its_time_though_a_login_is_slow() {
    let slow = forcing("head -c 100000 /dev/zero | tr '\\0' x; sleep 100; exec /bin/sh -s");
    let quick = Sshd::start();
    let mut pass = Watched::by(
        vec![slow.host("slow"), with_log(&quick)],
        pass_of(15),
        field_connector(),
    );
    // The slow login would have its shell after a hundred seconds.
    pass.until_within(Duration::from_secs(90), "the end of the pass", |w| w.over)
        .await;
    assert_eq!(pass.texts(), ["a line"]);
    let (slow, quick) = (
        last(&pass, 0).expect("a state"),
        last(&pass, 1).expect("a state"),
    );
    assert_eq!((slow.state, quick.state), (Timeout, Up));
    let reason = slow.reason.as_deref().unwrap_or_default();
    assert!(
        reason.starts_with("logged in; waiting for its shell for "),
        "{reason}"
    );
    assert!(
        reason.ends_with(" s, past 97.7 KiB that the login prints when the time was over"),
        "{reason}"
    );
    let seconds = reason["logged in; waiting for its shell for ".len()..]
        .split(' ')
        .next()
        .and_then(|it| it.parse().ok());
    assert!(
        seconds.is_some_and(|seconds: u64| (12..=15).contains(&seconds)),
        "as long as it was at the end: {reason}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn r31_a_pass_says_that_a_silent_shell_had_begun() {
    // Long enough that it was told what the login waits for; then it answers once.
    let begins = forcing("sleep 2; read -r line; eval \"$line\"; exec sleep 1000");
    let mut pass = Watched::by(vec![begins.host("begins")], pass_of(8), field_connector());
    pass.until_within(Duration::from_secs(60), "the end of the pass", |w| w.over)
        .await;
    let told = |words: &str| {
        pass.statuses
            .iter()
            .any(|(_, it)| it.reason.as_deref().is_some_and(|it| it.contains(words)))
    };
    assert!(told("waiting for its shell for 1 s"), "{:?}", pass.statuses);
    let status = last(&pass, 0).expect("a state");
    assert_eq!(status.state, Timeout);
    let reason = status.reason.as_deref().unwrap_or_default();
    assert_eq!(
        reason,
        "its shell has begun; waiting for what the host says of itself when the time was over"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn r33_a_login_shell_that_is_killed_once_is_started_again() {
    let flag = tempfile::tempdir().expect("a folder");
    let killed = flag.path().join("killed");
    let command = format!(
        "[ -e {0} ] || {{ : >{0}; kill -KILL $$; }}; exec /bin/sh -s",
        killed.display()
    );
    let sshd = forcing(&command);
    let mut watched = Watched::by(vec![with_log(&sshd)], follow_options(), field_connector());
    watched.until("the line", |w| w.texts() == ["a line"]).await;
    assert_eq!(
        states(&watched),
        [
            LinkState::Connecting,
            Unreachable,
            LinkState::Connecting,
            Up
        ]
    );
    assert_eq!(sshd.accepted(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn r38_a_jump_host_that_dies_while_a_host_behind_it_logs_in_is_named() {
    let bastion = Sshd::start();
    let host = forced("sleep 100; exec /bin/sh -s").via(Played::new(bastion.host("hop"), ()));
    let mut watched = Watched::by(vec![host.host.clone()], follow_options(), field_connector());
    watched
        .until("the login", |w| {
            last(w, 0).is_some_and(|status| status.reason.is_some())
        })
        .await;
    bastion.cut();
    // It is dialled again a moment later.
    let lost = |w: &Watched| {
        w.statuses
            .iter()
            .find(|(_, status)| status.state == Unreachable)
            .map(|(_, status)| status.clone())
    };
    watched.until("the end", |w| lost(w).is_some()).await;
    let reason = lost(&watched)
        .and_then(|status| status.reason)
        .unwrap_or_default();
    assert!(
        reason.starts_with("jump host hop-1: the connection to hop-1"),
        "{reason}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn r30_r33_a_cut_anywhere_in_handshake_and_login_is_no_refusal() {
    let near = Sshd::start();
    let [strange, _] = strange_keys(&near);
    let mut wrong = Vec::new();
    // About 2,500 bytes until a shell has answered.
    let cuts: Vec<usize> = (0..3400).step_by(61).collect();
    let played = futures_util::stream::iter(cuts).map(|bytes| {
        let (near, strange) = (&near, &strange);
        async move {
            let gate = Gate::cutting(near, bytes).await;
            let mut host = gate.host(near, "host");
            // The first is refused, and so looks like a reason for what comes.
            host.endpoint.identity.insert(0, strange.clone());
            let connected = field_connector().connect(&host).await;
            let ended = match connected {
                Ok(connection) => connection.open_shell().await.err(),
                Err(error) => Some(error),
            };
            (bytes, ended.map(|error| error.status))
        }
    });
    let ends: Vec<(usize, Option<HostStatus>)> =
        within("all cuts", played.buffer_unordered(4).collect()).await;
    let let_in = ends.iter().filter(|(_, ended)| ended.is_none()).count();
    for (bytes, ended) in ends {
        if let Some(status) =
            ended.filter(|status| !matches!(status.state, Unreachable | Throttled))
        {
            wrong.push(format!("after {bytes} bytes: {status:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        (1..30).contains(&let_in),
        "{let_in} were let in: the cuts do not reach from the first byte to a shell"
    );
}

#[test]
fn r33_a_booting_host_is_tried_until_it_lets_in() {
    let is_root = rustix::process::geteuid().is_root();
    assert!(
        is_root,
        "only root can run a server for another user: run this test as root, in a container for example"
    );
    with_own_mounts(|| async {
        let folder = tempfile::tempdir().expect("a folder");
        let _mounts = mount_booting_pam(folder.path());
        let sshd = Sshd::builder().config("UsePAM yes").start();
        std::fs::set_permissions(sshd.path(""), PermissionsExt::from_mode(0o755)).expect("chmod");
        let mut one_key = with_log(&sshd);
        one_key.endpoint.user = Some(UserName::new("operator1").expect("a user"));
        let mut two_keys = one_key.clone();
        two_keys.endpoint.name = HostName::new("two-keys").expect("a name");
        two_keys
            .endpoint
            .identity
            .insert(0, strange_keys(&sshd)[0].clone());
        let hosts = vec![one_key, two_keys];
        let mut pass = Watched::by(hosts.clone(), pass_of(20), field_connector());
        pass.until_within(Duration::from_secs(40), "the end of the pass", |w| w.over)
            .await;
        let mut watched = Watched::by(hosts, follow_options(), field_connector());
        watched
            .until("both to fail", |w| {
                (0..2).all(|host| !failures(w, host).is_empty())
            })
            .await;
        for host in 0..2 {
            for status in [
                last(&pass, host).expect("a state"),
                failures(&watched, host)[0],
            ] {
                assert_eq!(status.state, Unreachable, "{status:?}\n{}", sshd.log());
                let reason = status.reason.as_deref().unwrap_or_default();
                assert!(
                    reason.contains("hung up during the login of operator1"),
                    "{reason}\n{}",
                    sshd.log()
                );
                assert!(
                    reason.contains("saying \"System is booting up."),
                    "{reason}\n{}",
                    sshd.log()
                );
            }
            assert!(
                failures(&watched, host)[0].retry_in_s >= Some(10),
                "a server may count it: {:?}",
                watched.statuses
            );
        }
        std::fs::remove_file(folder.path().join("nologin")).expect("it was there");
        watched
            .until_within(Duration::from_secs(60), "the lines of both", |w| {
                w.records.len() == 2
            })
            .await;
        let denied = watched
            .statuses
            .iter()
            .find(|(_, status)| status.state == Denied);
        assert_eq!(denied, None);
    });
}
