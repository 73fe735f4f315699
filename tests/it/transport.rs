//! Hosts are reached, or it is said why not: against real OpenSSH servers on this machine.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use logtrail::model::{HostSpec, LinkState};
use logtrail::transport::{Connection, Connector, Settings, ShellEvent, ShellInput, ShellOutput};

use crate::support::sshd::Sshd;
use crate::support::{Person, within};

fn connector(person: &Person) -> Connector {
    let settings = Settings { ssh_config: false, connect_timeout: Duration::from_secs(10), known_hosts: None };
    Connector::new(settings, Arc::new(person.clone()))
}

async fn connect(host: &HostSpec) -> Connection {
    let connecting = connector(&Person::absent());
    within("connecting", connecting.connect(host)).await.unwrap_or_else(|error| panic!("{:?}", error.status))
}

/// Why a host was not reached.
async fn refusal(person: &Person, host: &HostSpec) -> (LinkState, String) {
    match within("connecting", connector(person).connect(host)).await {
        Ok(_) => panic!("it was let in"),
        Err(error) => (error.status.state, error.status.reason.unwrap_or_default()),
    }
}

/// What a script prints on standard output, on a shell of its own.
async fn say(connection: &Connection, script: &str) -> String {
    let (mut input, mut output) = connection.open_shell().await.unwrap_or_else(|error| panic!("{:?}", error.status));
    input.send(Bytes::from(format!("{script}\nexit\n"))).await.expect("sent");
    stdout(&mut output).await
}

async fn stdout(output: &mut ShellOutput) -> String {
    let mut text = Vec::new();
    while let Some(event) = within("the end of the shell", output.next()).await.expect("an event") {
        if let ShellEvent::Stdout(bytes) = event {
            text.extend_from_slice(&bytes);
        }
    }
    String::from_utf8(text).expect("text")
}

async fn shell(connection: &Connection) -> (ShellInput, ShellOutput) {
    connection.open_shell().await.unwrap_or_else(|error| panic!("{:?}", error.status))
}

#[tokio::test]
async fn a_shell_on_a_real_server_answers_and_several_run_at_once() {
    let sshd = Sshd::start();
    let connection = connect(&sshd.host("web-1")).await;
    assert_eq!(say(&connection, "echo hello; echo noise >&2").await, "hello\n");
    let (one, two) = tokio::join!(say(&connection, "echo one"), say(&connection, "echo two"));
    assert_eq!((one.as_str(), two.as_str()), ("one\n", "two\n"));
    assert_eq!(sshd.accepted(), 1, "one connection carries them all");
}

#[tokio::test]
async fn the_end_of_input_ends_the_remote_shell_with_its_exit_status() {
    let sshd = Sshd::start();
    let connection = connect(&sshd.host("web-1")).await;
    let (mut input, mut output) = shell(&connection).await;
    input.send(Bytes::from_static(b"(exit 7)\n")).await.expect("sent");
    input.eof().await;
    assert_eq!(within("the exit", output.next()).await.expect("event"), Some(ShellEvent::Exit(Ok(7))));
    assert_eq!(within("the end", output.next()).await.expect("end"), None);
}
