//! Connections to hosts, without a fleet.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use logtrail::model::host::HostSpec;
use logtrail::model::state::LinkState;
use logtrail::transport::{Connection, Connector, ShellEvent, ShellOutput, TransportSettings};

use super::{Person, within};

/// Without the configuration of OpenSSH.
pub(crate) fn settings(connect_timeout: Duration) -> TransportSettings {
    TransportSettings {
        ssh_config: false,
        connect_timeout,
        known_hosts: None,
    }
}

/// With ten seconds for a connection.
pub(crate) fn connector(person: &Person) -> Connector {
    Connector::new(settings(Duration::from_secs(10)), Arc::new(person.clone()))
}

/// A connection to a host that asks nobody anything.
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
pub(crate) async fn output_of(connection: &Connection, script: &str) -> String {
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

/// The rest of what a shell prints on standard output.
pub(crate) async fn stdout(output: &mut ShellOutput) -> String {
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
