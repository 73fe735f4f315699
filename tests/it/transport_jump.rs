//! Jump hosts: chains, shared connections, routes that fail.

use std::sync::Arc;
use std::time::Duration;

use logtrail::model::host::{HostKeyPolicy, HostSpec, TransportKind};
use logtrail::model::prompt::PromptReply;
use logtrail::model::state::LinkState;
use logtrail::transport::{Connector, TransportSettings};

use crate::support::fleet::Watched;
use crate::support::gate::{Gate, Manner};
use crate::support::sshd::{Sshd, me};
use crate::support::{Person, within};
use crate::transport::{connect, connector, refusal, say};
use crate::transport_config::configured;

fn via(target: &Sshd, name: &str, routes: &[&[&Sshd]]) -> HostSpec {
    let mut host = target.host(name);
    let hop = |(n, sshd): (usize, &&Sshd)| sshd.endpoint(&format!("hop-{}", n + 1));
    host.via = routes
        .iter()
        .map(|route| route.iter().enumerate().map(hop).collect())
        .collect();
    host
}

#[tokio::test]
async fn a_chain_of_two_jump_hosts_leads_to_the_host() {
    let (one, two, target) = (Sshd::start(), Sshd::start(), Sshd::start());
    let connection = connect(&via(&target, "web-1", &[&[&one, &two]])).await;
    assert_eq!(say(&connection, "echo behind two").await, "behind two\n");
    assert_eq!(
        (one.accepted(), two.accepted(), target.accepted()),
        (1, 1, 1)
    );
}

#[tokio::test]
async fn many_hosts_share_one_connection_to_their_jump_host_and_it_is_dialled_again_when_dead() {
    let (bastion, target) = (Sshd::start(), Sshd::start());
    let hosts: Vec<HostSpec> = (0..6)
        .map(|n| via(&target, &format!("web-{n}"), &[&[&bastion]]))
        .collect();
    let connector = connector(&Person::absent());
    let all = futures_util::future::join_all(hosts.iter().map(|host| connector.connect(host)));
    let connections = within("all", all).await;
    assert!(connections.iter().all(Result::is_ok));
    assert_eq!((bastion.accepted(), target.accepted()), (1, 6));
    bastion.cut();
    for connection in connections.iter().flatten() {
        let why = within("the end", connection.ended()).await;
        assert!(
            why.to_string()
                .starts_with("jump host hop-1: the connection to hop-1"),
            "{why}"
        );
    }
    within("again", connector.connect(&hosts[0]))
        .await
        .map_err(|e| e.status)
        .map(drop)
        .expect("dialled again");
    assert_eq!(bastion.accepted(), 2);
}

#[tokio::test]
async fn the_second_route_is_taken_when_the_first_does_not_answer() {
    let (dead, alive, target) = (Sshd::start(), Sshd::start(), Sshd::start());
    let host = via(&target, "web-1", &[&[&dead], &[&alive]]);
    dead.stop();
    assert_eq!(
        say(&connect(&host).await, "echo by the second").await,
        "by the second\n"
    );
}

/// A fleet file with a host behind two jump hosts, of which the first has another key than
/// known_hosts has.
fn behind_a_changed_jump_host(target: &Sshd, changed: &Sshd, alive: &Sshd) -> std::path::PathBuf {
    // The record is made before the key changes.
    let _ = changed.known_hosts();
    changed.restart_with_new_host_key();
    let log = target.path("app.log");
    std::fs::write(&log, "2026-11-20T13:00:00Z INFO one\n").expect("written");
    let mut text = String::new();
    for (name, sshd, more) in [
        ("first", changed, String::new()),
        ("second", alive, String::new()),
        (
            "web-1",
            target,
            format!(
                "via = [\"first\", \"second\"]\nsources = [{{ name = \"app\", path = {log:?} }}]\n"
            ),
        ),
    ] {
        let (key, known) = (sshd.client_key_path(), sshd.known_hosts());
        let port = sshd.port();
        text += &format!(
            "[hosts.{name}]\naddress = \"127.0.0.1\"\nport = {port}\nidentity = {key:?}\nknown_hosts = {known:?}\n{more}"
        );
    }
    let file = target.path("hosts.toml");
    std::fs::write(&file, text).expect("written");
    file
}

/// R39, R38: no line comes by the first, and its change is reported though the second leads there.
#[test]
fn r38_r39_the_changed_key_of_a_jump_host_is_told_in_every_form_though_another_route_works() {
    let (changed, alive, target) = (Sshd::start(), Sshd::start(), Sshd::start());
    let old = changed.host_key_fingerprint();
    let file = behind_a_changed_jump_host(&target, &changed, &alive);
    let new = changed.host_key_fingerprint();
    for arguments in [
        &["--once"][..],
        &["--once", "--json"],
        &["search", "one"],
        &["--json", "search", "one"],
        &["--json", "read"],
        &["metrics"],
        &["--json", "metrics"],
    ] {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_logtrail-tui"))
            .args(["--hosts", "web-1", "--no-ssh-config", "--config"])
            .arg(&file)
            .args(arguments)
            .output()
            .expect("the program starts");
        let said = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{arguments:?}: {said}");
        for part in [
            "degraded",
            "jump host first: the host key of first",
            &old,
            &new,
            "another route was taken",
        ] {
            assert!(said.contains(part), "{arguments:?}: no {part:?} in {said}");
        }
        assert!(
            arguments.contains(&"metrics") || said.contains("INFO one"),
            "{arguments:?}: {said}"
        );
    }
}

#[tokio::test]
async fn r39_a_revoked_jump_host_is_told_too_and_a_dead_one_is_not() {
    let (revoked, dead, alive, target) =
        (Sshd::start(), Sshd::start(), Sshd::start(), Sshd::start());
    std::fs::write(
        revoked.known_hosts(),
        format!("@revoked * {}\n", revoked.host_key()),
    )
    .expect("written");
    let host = via(&target, "web-1", &[&[&dead], &[&revoked], &[&alive]]);
    dead.stop();
    let connection = connect(&host).await;
    let warning = connection.warning().expect("a warning");
    let reason = warning.reason.as_deref().unwrap_or_default();
    assert_eq!(warning.state, LinkState::HostKeyChanged);
    assert!(
        reason.contains("is marked @revoked") && !reason.contains("refused"),
        "{reason}"
    );
    let connection = connect(&via(&target, "web-1", &[&[&dead], &[&alive]])).await;
    assert_eq!(connection.warning(), None);
}

/// R39: what is followed says so as long as it is reached by the other route.
#[tokio::test]
async fn a_host_that_is_followed_is_degraded_while_the_key_of_a_jump_host_has_changed() {
    let (changed, alive, target) = (Sshd::start(), Sshd::start(), Sshd::start());
    let mut host = via(&target, "web-1", &[&[&changed], &[&alive]]);
    host.via[1][0].name = logtrail::model::host::HostName::new("second").expect("a name");
    changed.restart_with_new_host_key();
    let mut watched = Watched::follow(vec![host], 1);
    let is_told = |watched: &Watched| {
        watched.statuses.last().is_some_and(|(_, status)| {
            status.state == LinkState::Degraded
                && status
                    .reason
                    .as_deref()
                    .is_some_and(|r| r.contains("has changed"))
        })
    };
    watched.until("the warning", is_told).await;
    target.cut();
    watched
        .until("the loss", |watched| {
            watched
                .statuses
                .iter()
                .any(|(_, status)| !status.state.is_up() && status.reason.is_some())
        })
        .await;
    watched.until("the warning again", is_told).await;
}

#[tokio::test]
async fn when_no_route_works_each_is_named_with_its_reason() {
    let (one, two, target) = (Sshd::start(), Sshd::start(), Sshd::start());
    let mut host = via(&target, "web-1", &[&[&one], &[&two]]);
    host.via[1][0].name = logtrail::model::host::HostName::new("spare").expect("a name");
    one.stop();
    two.stop();
    let (state, reason) = refusal(&Person::absent(), &host).await;
    assert_eq!(state, LinkState::Unreachable);
    assert!(
        reason.contains("via hop-1: jump host hop-1: cannot connect")
            && reason.contains("via spare:"),
        "{reason}"
    );
}

#[tokio::test]
async fn a_jump_host_that_cannot_reach_the_host_says_so_with_its_name() {
    let (bastion, target) = (Sshd::start(), Sshd::start());
    let host = via(&target, "web-1", &[&[&bastion]]);
    target.stop();
    let (state, reason) = refusal(&Person::absent(), &host).await;
    assert_eq!(state, LinkState::Unreachable);
    assert!(
        reason.contains("jump host hop-1 cannot connect to 127.0.0.1:"),
        "{reason}"
    );
}

#[tokio::test]
async fn a_jump_host_that_does_not_forward_is_told_from_a_host_that_is_down() {
    let (bastion, target) = (
        Sshd::builder().config("AllowTcpForwarding no").start(),
        Sshd::start(),
    );
    let (state, reason) = refusal(&Person::absent(), &via(&target, "web-1", &[&[&bastion]])).await;
    assert_eq!(state, LinkState::Unreachable);
    assert!(reason.contains("does not forward"), "{reason}");
}

#[tokio::test]
async fn an_unknown_jump_host_is_asked_about_once_for_all_hosts_behind_it() {
    let (bastion, target) = (Sshd::start(), Sshd::start());
    let hosts = ["a", "b", "c"].map(|name| {
        let mut host = via(&target, name, &[&[&bastion]]);
        host.via[0][0].known_hosts = vec![bastion.path("new")];
        host
    });
    let person = Person::who_answers([PromptReply::Yes]).after(Duration::from_millis(200));
    let connector = connector(&person);
    let all = futures_util::future::join_all(hosts.iter().map(|host| connector.connect(host)));
    assert!(within("all", all).await.iter().all(Result::is_ok));
    assert_eq!(person.asked().len(), 1);
}

/// What is strict for one host is no refusal for another, and what one accepts is not accepted for
/// all.
#[tokio::test]
async fn an_unknown_jump_host_is_judged_for_each_host_by_its_own_policy_whoever_comes_first() {
    for strict_first in [true, false] {
        let (bastion, target) = (Sshd::start(), Sshd::start());
        let known = target.path("known_of_bastion");
        let key = bastion.client_key_path();
        let text = format!(
            "Host web-*\n ProxyJump bastion\nHost bastion\n HostName 127.0.0.1\n Port {}\n User {}\n IdentityFile {}\n \
             IdentitiesOnly yes\n UserKnownHostsFile {}\n StrictHostKeyChecking accept-new\n",
            bastion.port(),
            me(),
            key.display(),
            known.display(),
        );
        let connector = configured(&target, &text);
        let (mut strict, lenient) = (target.host("web-1"), target.host("web-2"));
        strict.endpoint.host_keys = Some(HostKeyPolicy::Strict);
        let order = if strict_first {
            [&strict, &lenient]
        } else {
            [&lenient, &strict]
        };
        let both = futures_util::future::join_all(order.map(|host| connector.connect(host)));
        let mut results = within("both", both).await;
        let last = results.remove(1);
        let (of_strict, of_lenient) = if strict_first {
            (results.remove(0), last)
        } else {
            (last, results.remove(0))
        };
        of_lenient.unwrap_or_else(|error| panic!("strict first {strict_first}: {error}"));
        // It may find the key on record that the other has just stored; but never by the dial of
        // the other.
        match of_strict {
            Ok(_) => assert_eq!(bastion.accepted(), 2, "strict first: {strict_first}"),
            Err(error) => {
                assert_eq!(error.status.state, LinkState::Denied, "{error}");
                assert!(error.to_string().contains("is not on record"), "{error}");
            }
        }
    }
}

#[tokio::test]
async fn a_jump_host_that_refuses_us_is_asked_once_for_all_hosts_behind_it() {
    let (bastion, target, other) = (Sshd::start(), Sshd::start(), Sshd::start());
    let hosts = ["a", "b", "c"].map(|name| {
        let mut host = via(&target, name, &[&[&bastion]]);
        host.via[0][0].identity = vec![other.client_key_path()];
        host
    });
    let connector = connector(&Person::absent());
    let all = futures_util::future::join_all(hosts.iter().map(|host| connector.connect(host)));
    for result in within("all", all).await {
        let error = result.err().expect("refused");
        assert_eq!(error.status.state, LinkState::Denied);
        assert!(
            error.to_string().starts_with("jump host hop-1: "),
            "{error}"
        );
    }
    assert_eq!(
        bastion.accepted(),
        1,
        "each refused login counts towards a lock-out"
    );
}

#[tokio::test]
async fn r34_a_jump_host_that_hangs_up_in_the_login_is_asked_once_for_all_hosts_behind_it() {
    let near = Sshd::start();
    let bastion = Gate::speaking(Manner::LeaveAtKey(1)).await;
    let connector = connector(&Person::absent());
    for name in ["a", "b", "c"] {
        let mut host = near.host(name);
        host.via = vec![vec![bastion.host(&near, "hop-1").endpoint]];
        let error = within("the failure", connector.connect(&host))
            .await
            .err()
            .expect("it hangs up");
        assert_eq!(
            (error.status.state, error.status.retry_in_s),
            (LinkState::Unreachable, Some(10)),
            "{error}"
        );
        assert!(
            error.to_string().starts_with("jump host hop-1: hop-1"),
            "{error}"
        );
    }
    assert_eq!(
        bastion.accepted(),
        1,
        "a server may count each such login towards a lock-out"
    );
}

#[tokio::test]
async fn the_systems_ssh_takes_the_second_route_too() {
    let (dead, alive, target) = (Sshd::start(), Sshd::start(), Sshd::start());
    // The system's ssh finds what a jump host needs in the configuration.
    let config = target.path("ssh_config");
    let known = [&dead, &alive]
        .map(|sshd| sshd.known_hosts().display().to_string())
        .join(" ");
    let text = format!(
        "Host 127.0.0.1\n IdentityFile {}\n UserKnownHostsFile {known}\n",
        alive.client_key_path().display()
    );
    std::fs::write(&config, text).expect("written");
    let mut host = via(&target, "web-1", &[&[&dead], &[&alive]]);
    host.transport = TransportKind::System;
    dead.stop();
    let settings = TransportSettings {
        ssh_config: true,
        connect_timeout: Duration::from_secs(10),
        known_hosts: None,
    };
    let connector = Connector::new(settings, Arc::new(Person::absent())).with_ssh_config(config);
    let connection = within("connecting", connector.connect(&host))
        .await
        .unwrap_or_else(|e| panic!("{:?}", e.status));
    assert_eq!(
        say(&connection, "echo by the second").await,
        "by the second\n"
    );
    assert_eq!((alive.accepted(), target.accepted()), (1, 1));
}
