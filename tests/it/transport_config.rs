//! The user's OpenSSH configuration, as the real `ssh -G` reads it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use logtrail::model::{HostSpec, LinkState, TransportKind};
use logtrail::transport::{Connector, Settings};

use crate::support::sshd::{Sshd, me};
use crate::support::{Person, program, within};
use crate::transport::say;

/// A connector that reads this configuration.
fn configured(sshd: &Sshd, text: &str) -> Connector {
    let file: PathBuf = sshd.path("ssh_config");
    std::fs::write(&file, text).expect("written");
    let settings = Settings { ssh_config: true, connect_timeout: Duration::from_secs(10), known_hosts: None };
    Connector::new(settings, Arc::new(Person::absent())).with_ssh_config(file)
}

/// A host of which nothing is known but its name.
fn bare(sshd: &Sshd, name: &str) -> HostSpec {
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
fn section(name: &str, sshd: &Sshd) -> String {
    format!(
        "Host {name}\n HostName 127.0.0.1\n Port {}\n User {}\n IdentityFile {}\n IdentitiesOnly yes\n \
         UserKnownHostsFile {}\n",
        sshd.port(),
        me(),
        sshd.client_key_path().display(),
        sshd.known_hosts().display()
    )
}

async fn answers(connector: &Connector, host: &HostSpec) {
    let connected = within("connecting", connector.connect(host)).await;
    let connection = connected.unwrap_or_else(|error| panic!("{:?}", error.status));
    assert_eq!(say(&connection, "echo in").await, "in\n");
}

#[tokio::test]
async fn a_name_alone_is_enough_where_the_configuration_says_the_rest() {
    let sshd = Sshd::start();
    let connector = configured(&sshd, &section("web-1", &sshd));
    answers(&connector, &bare(&sshd, "web-1")).await;
}

#[tokio::test]
async fn what_the_inventory_says_goes_before_the_configuration() {
    let (sshd, other) = (Sshd::start(), Sshd::start());
    let connector = configured(&sshd, &section("web-1", &other));
    answers(&connector, &sshd.host("web-1")).await;
    assert_eq!(other.accepted(), 0);
}

#[tokio::test]
async fn proxy_jump_is_followed_over_a_shared_connection_of_ours() {
    let (bastion, target) = (Sshd::start(), Sshd::start());
    let text = format!("{}{} ProxyJump bastion\n", section("bastion", &bastion), section("web-1", &target));
    answers(&configured(&target, &text), &bare(&target, "web-1")).await;
    assert_eq!((bastion.accepted(), target.accepted()), (1, 1));
}

#[tokio::test]
async fn a_circle_of_proxy_jumps_is_an_error_not_an_endless_loop() {
    let sshd = Sshd::start();
    let text = format!("{} ProxyJump b\n{} ProxyJump a\n", section("a", &sshd), section("b", &sshd));
    let error = configured(&sshd, &text).connect(&bare(&sshd, "a")).await.err().expect("a circle");
    assert_eq!(error.status.state, LinkState::Unreachable);
    assert!(error.status.hint.unwrap_or_default().contains("circle"));
}

#[tokio::test]
async fn a_proxy_command_that_ends_is_the_reason_and_not_the_host() {
    let sshd = Sshd::start();
    let text = format!("{} ProxyCommand /nonexistent/proxy %h\n", section("web-1", &sshd));
    let error = configured(&sshd, &text).connect(&bare(&sshd, "web-1")).await.err().expect("no way there");
    let status = error.status;
    assert_eq!(status.state, LinkState::Unreachable, "{status:?}");
    assert!(
        status.reason.as_deref().is_some_and(|reason| reason.starts_with("the ProxyCommand for web-1")),
        "{status:?}"
    );
    assert!(status.hint.as_deref().is_some_and(|hint| hint.ends_with("/nonexistent/proxy 127.0.0.1")), "{status:?}");
}

#[tokio::test]
async fn a_proxy_command_carries_the_connection() {
    let (near, target) = (Sshd::start(), Sshd::start());
    let proxy = format!(
        "{} -F none -i {} -o UserKnownHostsFile={} -p {} -W %h:%p 127.0.0.1",
        program("ssh").display(),
        near.client_key_path().display(),
        near.known_hosts().display(),
        near.port()
    );
    let text = format!("{} ProxyCommand {proxy}\n", section("web-1", &target));
    answers(&configured(&target, &text), &bare(&target, "web-1")).await;
    assert_eq!((near.accepted(), target.accepted()), (1, 1));
}

#[tokio::test]
async fn what_russh_cannot_do_goes_through_the_systems_ssh_by_itself() {
    let sshd = Sshd::start();
    let command = format!("/bin/echo {}", sshd.known_hosts_line());
    let text = format!(
        "{} KnownHostsCommand {command}\n",
        section("web-1", &sshd).replace(&sshd.known_hosts().display().to_string(), "/dev/null")
    );
    answers(&configured(&sshd, &text), &bare(&sshd, "web-1")).await;
}
