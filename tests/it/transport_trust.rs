//! Host keys: on record, unknown, changed, revoked, signed by an authority.

use std::process::Command;

use logtrail::model::{Answer, HostKeyPolicy, LinkState, Question};

use crate::support::sshd::Sshd;
use crate::support::{Person, make_key, program, run, within};
use crate::transport::{connect, connector, refusal, say};

#[tokio::test]
async fn an_unknown_key_is_asked_about_with_its_fingerprint_then_stored_and_never_asked_again() {
    let sshd = Sshd::start();
    let mut host = sshd.host("web-1");
    host.endpoint.known_hosts = vec![sshd.path("new/known_hosts")];
    let person = Person::who_answers([Answer::Yes]);
    let connection = within("connecting", connector(&person).connect(&host)).await.expect("trusted");
    assert_eq!(say(&connection, "echo in").await, "in\n");
    let [Question::TrustHostKey { host: name, address, key_type, fingerprint }] = &person.asked()[..] else {
        panic!("{:?}", person.asked());
    };
    assert_eq!(name.as_str(), "web-1");
    assert_eq!(*address, format!("127.0.0.1:{}", sshd.port()));
    assert_eq!(key_type, "ssh-ed25519");
    assert_eq!(*fingerprint, sshd.host_key_fingerprint());
    let stored = std::fs::read_to_string(sshd.path("new/known_hosts")).expect("stored");
    assert_eq!(stored.trim(), sshd.known_hosts_line());
    connect(&host).await;
}

#[tokio::test]
async fn an_unknown_key_that_is_refused_is_denied_and_not_stored() {
    let sshd = Sshd::start();
    let mut host = sshd.host("web-1");
    host.endpoint.known_hosts = vec![sshd.path("none")];
    let (state, reason) = refusal(&Person::absent(), &host).await;
    assert_eq!(state, LinkState::Denied);
    assert!(reason.contains(&sshd.host_key_fingerprint()), "{reason}");
    assert!(!sshd.path("none").exists());
}

#[tokio::test]
async fn accept_new_stores_an_unknown_key_without_asking() {
    let sshd = Sshd::start();
    let mut host = sshd.host("web-1");
    host.endpoint.known_hosts = vec![sshd.path("accepted")];
    host.endpoint.host_keys = Some(HostKeyPolicy::AcceptNew);
    connect(&host).await;
    let stored = std::fs::read_to_string(sshd.path("accepted")).expect("stored");
    assert_eq!(stored.trim(), sshd.known_hosts_line());
}

#[tokio::test]
async fn a_changed_key_stops_with_both_fingerprints_the_line_and_the_command_whatever_the_policy() {
    let sshd = Sshd::start();
    let mut host = sshd.host("web-1");
    let old = sshd.host_key_fingerprint();
    sshd.restart_with_new_host_key();
    for policy in [HostKeyPolicy::Strict, HostKeyPolicy::AcceptNew] {
        host.endpoint.host_keys = Some(policy);
        let person = Person::who_answers([Answer::Yes]);
        let error = connector(&person).connect(&host).await.err().expect("it changed");
        assert_eq!(error.status.state, LinkState::HostKeyChanged);
        let (reason, hint) = (error.to_string(), error.status.hint.unwrap_or_default());
        assert!(reason.contains(&old) && reason.contains(&sshd.host_key_fingerprint()), "{reason}");
        assert!(reason.contains(&format!("{}:1", sshd.known_hosts().display())), "{reason}");
        assert!(hint.contains(&format!("ssh-keygen -R '[127.0.0.1]:{}'", sshd.port())), "{hint}");
        assert!(person.asked().is_empty(), "nobody is asked about a changed key");
    }
}

#[tokio::test]
async fn a_hashed_line_of_openssh_is_found() {
    let sshd = Sshd::start();
    let host = sshd.host("web-1");
    run(Command::new(program("ssh-keygen")).args(["-q", "-H", "-f"]).arg(sshd.known_hosts()));
    let hashed = std::fs::read_to_string(sshd.known_hosts()).expect("hashed");
    assert!(hashed.starts_with("|1|"), "{hashed}");
    connect(&host).await;
}

#[tokio::test]
async fn a_revoked_key_is_refused_even_beside_its_plain_line() {
    let sshd = Sshd::start();
    let host = sshd.host("web-1");
    let text = format!("{}\n@revoked * {}\n", sshd.known_hosts_line(), sshd.host_key());
    std::fs::write(sshd.known_hosts(), text).expect("written");
    let (state, reason) = refusal(&Person::absent(), &host).await;
    assert_eq!(state, LinkState::HostKeyChanged);
    assert!(reason.contains("@revoked") && reason.contains(":2"), "{reason}");
}

#[tokio::test]
async fn a_key_of_another_type_on_record_is_negotiated_first() {
    let folder = tempfile::tempdir().expect("a folder");
    make_key(&folder.path().join("ecdsa"), "ecdsa", "");
    let sshd = Sshd::builder().config(format!("HostKey {}", folder.path().join("ecdsa").display())).start();
    let host = sshd.host("web-1");
    let public = std::fs::read_to_string(folder.path().join("ecdsa.pub")).expect("a key");
    std::fs::write(sshd.known_hosts(), format!("[127.0.0.1]:{} {public}", sshd.port())).expect("written");
    connect(&host).await;
}

#[tokio::test]
async fn a_host_certificate_is_trusted_by_the_authority_on_record_for_its_names_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let (authority, key) = (folder.path().join("ca"), folder.path().join("host"));
    make_key(&authority, "ed25519", "");
    make_key(&key, "ed25519", "");
    for (principal, trusted) in [("127.0.0.1", true), ("other.example.org", false)] {
        run(Command::new(program("ssh-keygen"))
            .args(["-q", "-s"])
            .arg(&authority)
            .args(["-I", "test", "-h", "-n", principal])
            .arg(folder.path().join("host.pub")));
        let sshd = Sshd::builder()
            .config(format!("HostKey {}", key.display()))
            .config(format!("HostCertificate {}", folder.path().join("host-cert.pub").display()))
            .start();
        let host = sshd.host("web-1");
        let public = std::fs::read_to_string(folder.path().join("ca.pub")).expect("a key");
        std::fs::write(sshd.known_hosts(), format!("@cert-authority * {public}")).expect("written");
        if trusted {
            connect(&host).await;
        } else {
            assert_eq!(refusal(&Person::absent(), &host).await.0, LinkState::Denied);
        }
    }
}
