//! The configuration of OpenSSH that a connector reads.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use logtrail::model::host::{HostSpec, TransportKind};
use logtrail::model::state::LinkState;
use logtrail::transport::{Connector, TransportSettings};

use super::connect::output_of;
use super::sshd::{Sshd, me};
use super::{Person, within};

/// A connector that reads this configuration.
pub(crate) fn configured(sshd: &Sshd, text: &str) -> Connector {
    let file: PathBuf = sshd.path("ssh_config");
    std::fs::write(&file, text).expect("written");
    let settings = TransportSettings {
        ssh_config: true,
        connect_timeout: Duration::from_secs(10),
        known_hosts: None,
    };
    Connector::new(settings, Arc::new(Person::absent())).with_ssh_config(file)
}

/// A host of which nothing is known but its name.
pub(crate) fn named_only(sshd: &Sshd, name: &str) -> HostSpec {
    let mut host = sshd.host(name);
    host.transport = TransportKind::Auto;
    host.endpoint.address = None;
    host.endpoint.port = None;
    host.endpoint.user = None;
    host.endpoint.identity = Vec::new();
    host.endpoint.known_hosts = Vec::new();
    host
}

/// What the configuration says of a server.
pub(crate) fn ssh_section(name: &str, sshd: &Sshd) -> String {
    format!(
        "Host {name}\n HostName 127.0.0.1\n Port {}\n User {}\n IdentityFile {}\n IdentitiesOnly yes\n \
         UserKnownHostsFile {}\n",
        sshd.port(),
        me(),
        sshd.client_key_path().display(),
        sshd.known_hosts().display()
    )
}

/// Whether we get in.
pub(crate) async fn lets_in(connector: &Connector, host: &HostSpec) -> bool {
    match within("connecting", connector.connect(host)).await {
        Ok(connection) => output_of(&connection, "echo in").await == "in\n",
        Err(error) => {
            let state = error.status.state;
            assert!(
                matches!(state, LinkState::Denied | LinkState::HostKeyChanged),
                "{:?}",
                error.status
            );
            false
        }
    }
}
