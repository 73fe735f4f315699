//! Hosts are reached, or it is said why not: against real OpenSSH servers on this machine.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use logtrail::model::host::{Address, HostSpec, TransportKind};
use logtrail::model::state::LinkState;
use logtrail::transport::{
    Connection, Connector, ShellEvent, ShellInput, ShellOutput, TransportSettings,
};

use crate::support::sshd::{Daemon, Sshd};
use crate::support::{Person, wait_until, within};

pub(crate) fn connector(person: &Person) -> Connector {
    let settings = TransportSettings {
        ssh_config: false,
        connect_timeout: Duration::from_secs(10),
        known_hosts: None,
    };
    Connector::new(settings, Arc::new(person.clone()))
}

pub(crate) async fn connect(host: &HostSpec) -> Connection {
    let connecting = connector(&Person::absent());
    within("connecting", connecting.connect(host))
        .await
        .unwrap_or_else(|error| panic!("{:?}", error.status))
}

/// Why a host was not reached.
pub(crate) async fn refusal(person: &Person, host: &HostSpec) -> (LinkState, String) {
    match within("connecting", connector(person).connect(host)).await {
        Ok(_) => panic!("it was let in"),
        Err(error) => (error.status.state, error.status.reason.unwrap_or_default()),
    }
}

/// What a script prints on standard output, on a shell of its own.
pub(crate) async fn say(connection: &Connection, script: &str) -> String {
    let (mut input, mut output) = connection
        .open_shell()
        .await
        .unwrap_or_else(|error| panic!("{:?}", error.status));
    input
        .send(Bytes::from(format!("{script}\nexit\n")))
        .await
        .expect("sent");
    stdout(&mut output).await
}

async fn stdout(output: &mut ShellOutput) -> String {
    let mut text = Vec::new();
    while let Some(event) = within("the end of the shell", output.next())
        .await
        .expect("an event")
    {
        if let ShellEvent::Stdout(bytes) = event {
            text.extend_from_slice(&bytes);
        }
    }
    String::from_utf8(text).expect("text")
}

async fn shell(connection: &Connection) -> (ShellInput, ShellOutput) {
    connection
        .open_shell()
        .await
        .unwrap_or_else(|error| panic!("{:?}", error.status))
}

#[tokio::test]
async fn a_shell_on_a_real_server_answers_and_several_run_at_once() {
    let sshd = Sshd::start();
    let connection = connect(&sshd.host("web-1")).await;
    assert_eq!(
        say(&connection, "echo hello; echo noise >&2").await,
        "hello\n"
    );
    let (one, two) = tokio::join!(say(&connection, "echo one"), say(&connection, "echo two"));
    assert_eq!((one.as_str(), two.as_str()), ("one\n", "two\n"));
    assert_eq!(sshd.accepted(), 1, "one connection carries them all");
}

#[tokio::test]
async fn the_end_of_input_ends_the_remote_shell_with_its_exit_status() {
    let sshd = Sshd::start();
    let connection = connect(&sshd.host("web-1")).await;
    let (mut input, mut output) = shell(&connection).await;
    input
        .send(Bytes::from_static(b"(exit 7)\n"))
        .await
        .expect("sent");
    input.eof().await;
    assert_eq!(
        within("the exit", output.next()).await.expect("event"),
        Some(ShellEvent::Exit(Ok(7)))
    );
    assert_eq!(within("the end", output.next()).await.expect("end"), None);
}

#[tokio::test]
async fn a_connection_that_is_cut_ends_for_every_waiter_and_every_shell() {
    let sshd = Sshd::start();
    let connection = connect(&sshd.host("web-1")).await;
    let (_input, mut output) = shell(&connection).await;
    sshd.cut();
    let clone = connection.clone();
    let (one, two) = within("the end", async {
        tokio::join!(connection.ended(), clone.ended())
    })
    .await;
    assert_eq!(
        (one.status.state, two.status.state),
        (LinkState::Unreachable, LinkState::Unreachable)
    );
    assert!(within("the shell's end", output.next()).await.is_err());
    assert!(connection.open_shell().await.is_err());
    assert_eq!(
        connection.ended().await.status.state,
        LinkState::Unreachable,
        "late waiters are told too"
    );
}

#[tokio::test]
async fn closing_or_dropping_a_connection_ends_it_on_the_server() {
    let sshd = Sshd::start();
    let (closed, dropped) = (
        connect(&sshd.host("a")).await,
        connect(&sshd.host("b")).await,
    );
    let begun = std::time::Instant::now();
    closed.close().await;
    assert!(begun.elapsed() < Duration::from_secs(2));
    assert!(
        closed
            .ended()
            .await
            .to_string()
            .contains("closed from here")
    );
    drop(dropped);
    wait_until("the end of both sessions", || match sshd.live() {
        0 => Ok(()),
        n => Err(n),
    })
    .await;
}

#[tokio::test]
async fn a_server_that_freezes_is_noticed_within_the_time_of_the_keepalive() {
    let sshd = Sshd::start();
    let connection = connect(&sshd.host("web-1")).await;
    sshd.freeze(true);
    let begun = std::time::Instant::now();
    let why = tokio::time::timeout(Duration::from_secs(25), connection.ended())
        .await
        .expect("noticed");
    assert_eq!(why.status.state, LinkState::Timeout, "{:?}", why.status);
    assert!(
        begun.elapsed() < Duration::from_secs(22),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn a_server_that_never_speaks_is_a_timeout() {
    let sshd = Sshd::builder().mute().start();
    let settings = TransportSettings {
        ssh_config: false,
        connect_timeout: Duration::from_millis(300),
        known_hosts: None,
    };
    let connector = Connector::new(settings, Arc::new(Person::absent()));
    let error = within("the timeout", connector.connect(&sshd.host("web-1")))
        .await
        .err()
        .expect("it is mute");
    assert_eq!(error.status.state, LinkState::Timeout);
    assert!(
        error
            .to_string()
            .contains("did not answer within 0.3 s, waiting for the key exchange"),
        "{error}"
    );
}

#[tokio::test]
async fn a_port_that_refuses_and_a_name_without_an_address_are_unreachable() {
    let sshd = Sshd::start();
    let mut host = sshd.host("web-1");
    sshd.stop();
    let (state, reason) = refusal(&Person::absent(), &host).await;
    assert_eq!(state, LinkState::Unreachable);
    assert!(
        reason.contains("web-1 (127.0.0.1:") && reason.ends_with("connection refused"),
        "{reason}"
    );
    host.endpoint.address = Some(Address::new("no-such-host.invalid").expect("an address"));
    let (state, reason) = refusal(&Person::absent(), &host).await;
    assert_eq!(state, LinkState::Unreachable);
    assert!(
        reason.contains("cannot find the address of no-such-host.invalid"),
        "{reason}"
    );
}

#[tokio::test]
async fn a_server_that_closes_at_once_is_throttled_not_down() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let sshd = Sshd::start();
    let mut host = sshd.host("web-1");
    host.endpoint.port = Some(listener.local_addr().expect("bound").port());
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    assert_eq!(
        refusal(&Person::absent(), &host).await.0,
        LinkState::Throttled
    );
}

#[tokio::test]
async fn a_second_session_beyond_max_sessions_is_throttled_and_the_first_goes_on() {
    let sshd = Sshd::builder().config("MaxSessions 1").start();
    let connection = connect(&sshd.host("web-1")).await;
    let (mut input, mut output) = shell(&connection).await;
    let error = connection.open_shell().await.err().expect("refused");
    assert_eq!(error.status.state, LinkState::Throttled);
    assert!(
        error
            .status
            .hint
            .as_deref()
            .unwrap_or_default()
            .contains("MaxSessions")
    );
    input
        .send(Bytes::from_static(b"echo still here; exit\n"))
        .await
        .expect("sent");
    assert_eq!(stdout(&mut output).await, "still here\n");
}

#[tokio::test]
async fn the_ninth_shell_waits_until_one_of_eight_has_ended() {
    let sshd = Sshd::start();
    let connection = connect(&sshd.host("web-1")).await;
    let mut shells = Vec::new();
    for _ in 0..8 {
        shells.push(shell(&connection).await);
    }
    let waiting = tokio::time::timeout(Duration::from_millis(200), connection.open_shell()).await;
    assert!(waiting.is_err(), "it waits");
    shells.pop();
    within("a free session", connection.open_shell())
        .await
        .expect("a shell");
}

#[tokio::test]
async fn sixty_hosts_at_once_behind_one_sshd_with_its_default_limits_are_all_let_in() {
    let keys = Sshd::start();
    let daemon = Daemon::start(&keys);
    let hosts: Vec<HostSpec> = (0..60)
        .map(|n| daemon.host(&keys, &format!("web-{n}")))
        .collect();
    let connector = connector(&Person::absent());
    let all = futures_util::future::join_all(hosts.iter().map(|host| connector.connect(host)));
    for result in within("all", all).await {
        result
            .map_err(|error| error.status)
            .map(drop)
            .expect("let in");
    }
}

#[tokio::test]
async fn a_forced_command_and_its_words_are_reported_instead_of_a_shell() {
    let sshd = Sshd::builder()
        .config("ForceCommand echo 'This account is not available.'; exit 3")
        .start();
    let connection = connect(&sshd.host("web-1")).await;
    let error = connection.open_shell().await.err().expect("no shell");
    assert_eq!(error.status.state, LinkState::Denied);
    let reason = error.to_string();
    assert!(
        reason.contains("exit status 3, saying: This account is not available."),
        "{reason}"
    );
}

#[tokio::test]
async fn noise_before_the_shell_is_dropped() {
    let sshd = Sshd::builder()
        .config("ForceCommand echo noise; exec /bin/sh -s")
        .start();
    let connection = connect(&sshd.host("web-1")).await;
    assert_eq!(say(&connection, "echo signal").await, "signal\n");
}

#[tokio::test]
async fn a_flood_that_nobody_reads_ends_its_shell_and_no_other() {
    let sshd = Sshd::start();
    let connection = connect(&sshd.host("web-1")).await;
    let (mut input, mut output) = shell(&connection).await;
    input
        .send(Bytes::from_static(b"head -c 40000000 /dev/zero\n"))
        .await
        .expect("sent");
    let (mut calm_input, mut calm_output) = shell(&connection).await;
    calm_input
        .send(Bytes::from_static(b"echo calm; exit\n"))
        .await
        .expect("sent");
    assert_eq!(stdout(&mut calm_output).await, "calm\n");
    within("the end of the flood", async {
        while input.send(Bytes::from_static(b"\n")).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let error = loop {
        match output.next().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("it ended in order"),
            Err(error) => break error,
        }
    };
    assert!(error.to_string().contains("16 MiB"), "{error}");
    assert_eq!(say(&connection, "echo after").await, "after\n");
}

#[tokio::test]
async fn this_machine_needs_no_ssh_and_its_shells_end_with_the_connection() {
    let mut host = Sshd::start().host("localhost");
    host.transport = TransportKind::Local;
    let connection = connect(&host).await;
    assert_eq!(say(&connection, "echo local").await, "local\n");
    let (mut input, mut output) = shell(&connection).await;
    input
        .send(Bytes::from_static(b"sleep 1000 & echo $!; wait\n"))
        .await
        .expect("sent");
    let Some(ShellEvent::Stdout(line)) = output.next().await.expect("an event") else {
        panic!("no line")
    };
    let sleeper = String::from_utf8_lossy(&line).trim().to_owned();
    drop(connection);
    assert!(within("the end", output.next()).await.is_err());
    wait_until("the end of the background process", || {
        let stat = std::fs::read_to_string(format!("/proc/{sleeper}/stat")).unwrap_or_default();
        if stat.is_empty() || stat.contains(") Z ") {
            Ok(())
        } else {
            Err(stat)
        }
    })
    .await;
}

#[tokio::test]
async fn the_systems_ssh_gives_shells_and_says_why_it_could_not() {
    let sshd = Sshd::start();
    let mut host = sshd.host("web-1");
    host.transport = TransportKind::System;
    let connection = connect(&host).await;
    assert_eq!(say(&connection, "echo by ssh").await, "by ssh\n");
    sshd.cut();
    assert_eq!(
        within("the end", connection.ended()).await.status.state,
        LinkState::Unreachable
    );
    host.endpoint.identity = Vec::new();
    let (state, reason) = refusal(&Person::absent(), &host).await;
    assert_eq!(state, LinkState::Denied, "{reason}");
    sshd.stop();
    let (state, reason) = refusal(&Person::absent(), &host).await;
    assert_eq!(state, LinkState::Unreachable, "{reason}");
}
