//! Host keys: on record, unknown, changed, revoked, signed by an authority.

use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use logtrail::model::host::{HostKeyPolicy, HostSpec, TransportKind};
use logtrail::model::prompt::{OperatorPrompt, PromptReply};
use logtrail::model::state::LinkState;

use crate::support::openssh::ssh;
use crate::support::sshd::Sshd;
use crate::support::{Person, make_key, program, run, within};
use crate::transport::{connect, connector, refusal, say};
use crate::transport_config::{bare, configured, reached, section};

#[tokio::test]
async fn an_unknown_key_is_asked_about_with_its_fingerprint_then_stored_and_never_asked_again() {
    let sshd = Sshd::start();
    let mut host = sshd.host("web-1");
    host.endpoint.known_hosts = vec![sshd.path("new/known_hosts")];
    let person = Person::who_answers([PromptReply::Yes]);
    let connection = within("connecting", connector(&person).connect(&host))
        .await
        .expect("trusted");
    assert_eq!(say(&connection, "echo in").await, "in\n");
    let [
        OperatorPrompt::TrustHostKey {
            host: name,
            address,
            key_type,
            fingerprint,
        },
    ] = &person.asked()[..]
    else {
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
async fn r39_a_changed_key_stops_with_both_fingerprints_the_line_and_the_command_whatever_the_policy()
 {
    let sshd = Sshd::start();
    let mut host = sshd.host("web-1");
    let old = sshd.host_key_fingerprint();
    sshd.restart_with_new_host_key();
    for policy in [HostKeyPolicy::Strict, HostKeyPolicy::AcceptNew] {
        host.endpoint.host_keys = Some(policy);
        let person = Person::who_answers([PromptReply::Yes]);
        let error = connector(&person)
            .connect(&host)
            .await
            .err()
            .expect("it changed");
        assert_eq!(error.status.state, LinkState::HostKeyChanged);
        let (reason, hint) = (error.to_string(), error.status.hint.unwrap_or_default());
        assert!(
            reason.contains(&old) && reason.contains(&sshd.host_key_fingerprint()),
            "{reason}"
        );
        assert!(
            reason.contains(&format!("{}:1", sshd.known_hosts().display())),
            "{reason}"
        );
        assert!(
            hint.contains(&format!("ssh-keygen -R '[127.0.0.1]:{}'", sshd.port())),
            "{hint}"
        );
        assert!(
            person.asked().is_empty(),
            "nobody is asked about a changed key"
        );
    }
}

#[tokio::test]
async fn a_hashed_line_of_openssh_is_found() {
    let sshd = Sshd::start();
    let host = sshd.host("web-1");
    run(Command::new(program("ssh-keygen"))
        .args(["-q", "-H", "-f"])
        .arg(sshd.known_hosts()));
    let hashed = std::fs::read_to_string(sshd.known_hosts()).expect("hashed");
    assert!(hashed.starts_with("|1|"), "{hashed}");
    connect(&host).await;
}

#[tokio::test]
async fn r39_a_revoked_key_is_refused_even_beside_its_plain_line() {
    let sshd = Sshd::start();
    let host = sshd.host("web-1");
    let text = format!(
        "{}\n@revoked * {}\n",
        sshd.known_hosts_line(),
        sshd.host_key()
    );
    std::fs::write(sshd.known_hosts(), text).expect("written");
    let (state, reason) = refusal(&Person::absent(), &host).await;
    assert_eq!(state, LinkState::HostKeyChanged);
    assert!(
        reason.contains("@revoked") && reason.contains(":2"),
        "{reason}"
    );
}

/// Whoever follows the hint for a rebuilt host would trust again what somebody has taken from
/// circulation.
#[tokio::test]
async fn r39_a_revoked_key_has_the_same_hint_by_either_transport_and_it_is_not_that_of_a_rebuilt_host()
 {
    let (sshd, rebuilt) = (Sshd::start(), Sshd::start());
    let revoked = format!(
        "{}\n@revoked * {}\n",
        sshd.known_hosts_line(),
        sshd.host_key()
    );
    std::fs::write(sshd.known_hosts(), revoked).expect("written");
    let changed = rebuilt.host("rebuilt");
    rebuilt.restart_with_new_host_key();
    let connector = connector(&Person::absent());
    for transport in [TransportKind::Russh, TransportKind::System] {
        for (host, words, hint) in [
            (
                sshd.host("web-1"),
                "revoked",
                "the key was compromised or retired; give the host a new one",
            ),
            (
                changed.clone(),
                "has changed",
                "if the host was really rebuilt: ssh-keygen -R ",
            ),
        ] {
            let host = HostSpec {
                transport: transport.clone(),
                ..host
            };
            let status = within("connecting", connector.connect(&host))
                .await
                .err()
                .expect("refused")
                .status;
            assert_eq!(
                status.state,
                LinkState::HostKeyChanged,
                "{transport:?}: {status:?}"
            );
            assert!(
                status
                    .reason
                    .as_deref()
                    .is_some_and(|it| it.contains(words)),
                "{transport:?}: {status:?}"
            );
            assert!(
                status
                    .hint
                    .as_deref()
                    .is_some_and(|it| it.starts_with(hint)),
                "{transport:?}: {status:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_key_of_another_type_on_record_is_negotiated_first() {
    let folder = tempfile::tempdir().expect("a folder");
    make_key(&folder.path().join("ecdsa"), "ecdsa", "");
    let sshd = Sshd::builder()
        .config(format!("HostKey {}", folder.path().join("ecdsa").display()))
        .start();
    let host = sshd.host("web-1");
    let public = std::fs::read_to_string(folder.path().join("ecdsa.pub")).expect("a key");
    std::fs::write(
        sshd.known_hosts(),
        format!("[127.0.0.1]:{} {public}", sshd.port()),
    )
    .expect("written");
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
            .config(format!(
                "HostCertificate {}",
                folder.path().join("host-cert.pub").display()
            ))
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

/// A file of known hosts for a server that is called web-1 in the configuration.
fn known_hosts(sshd: &Sshd, name: &str, lines: &[String]) -> PathBuf {
    let file = sshd.path(name);
    std::fs::write(
        &file,
        lines
            .iter()
            .map(|line| format!("{line}\n"))
            .collect::<String>(),
    )
    .expect("written");
    file
}

/// The section of a server with these known hosts, and with these lines more.
fn section_with(sshd: &Sshd, known_hosts: &Path, more: &str) -> String {
    let usual = sshd.known_hosts().display().to_string();
    let text = section("web-1", sshd).replace(&usual, &known_hosts.display().to_string());
    format!("{text} GlobalKnownHostsFile /dev/null\n{more}\n")
}

/// Whether `ssh` gets in, and whether we do, with the same configuration.
async fn both(sshd: &Sshd, text: &str) -> (bool, bool) {
    let connector = configured(sshd, text);
    let outcome = ssh(&sshd.path("ssh_config"), &[], None, "web-1");
    let ours = reached(&connector, &bare(sshd, "web-1")).await;
    if outcome.reached != ours {
        println!("{text}\n{}", outcome.said);
    }
    (outcome.reached, ours)
}

/// The state and the words with which we are kept out.
async fn kept_out(sshd: &Sshd, text: &str) -> (LinkState, String) {
    let connecting = configured(sshd, text);
    let error = within("connecting", connecting.connect(&bare(sshd, "web-1")))
        .await
        .err()
        .expect("kept out");
    (error.status.state, error.to_string())
}

fn public(file: &Path) -> String {
    let text = std::fs::read_to_string(file.with_extension("pub")).expect("a key");
    text.split_whitespace()
        .take(2)
        .collect::<Vec<_>>()
        .join(" ")
}

fn keygen<'a>(arguments: impl IntoIterator<Item = &'a str>, folder: &Path) {
    run(Command::new(program("ssh-keygen"))
        .arg("-q")
        .args(arguments)
        .current_dir(folder));
}

/// R39: what RevokedHostKeys says goes before everything on record, and a file that cannot be
/// understood before all.
#[tokio::test]
async fn r39_keys_that_ssh_finds_revoked_are_refused_and_so_are_all_where_it_cannot_tell() {
    let sshd = Sshd::start();
    let (folder, other) = (sshd.path("revoked lists"), Sshd::start());
    std::fs::create_dir(&folder).expect("a folder");
    let write =
        |name: &str, bytes: &[u8]| std::fs::write(folder.join(name), bytes).expect("written");
    let (ours, others) = (sshd.host_key(), other.host_key());
    write("empty", b"");
    write(
        "other",
        format!("# retired\n{others} a comment\n").as_bytes(),
    );
    write(
        "listed",
        format!("# retired\n\n{others}\n   {ours} a comment\n").as_bytes(),
    );
    write("junk", format!("{others}\njunk\n{ours}\n").as_bytes());
    write("pattern", format!("* {ours}\n").as_bytes());
    std::fs::write(folder.join("ours.pub"), &ours).expect("written");
    std::fs::write(folder.join("others.pub"), &others).expect("written");
    keygen(["-k", "-f", "krl", "ours.pub"], &folder);
    keygen(["-k", "-f", "krl of others", "others.pub"], &folder);
    let krl = std::fs::read(folder.join("krl")).expect("a list");
    write("torn krl", &krl[..krl.len() - 3]);
    let (revoked, unreadable) = (Some(LinkState::HostKeyChanged), Some(LinkState::Denied));
    for (name, state) in [
        ("empty", None),
        ("other", None),
        ("krl of others", None),
        ("listed", revoked),
        ("krl", revoked),
        ("junk", unreadable),
        ("pattern", unreadable),
        ("torn krl", unreadable),
        ("not there", unreadable),
        (".", unreadable),
    ] {
        let file = folder.join(name);
        let more = format!(" RevokedHostKeys \"{}\"", file.display());
        let text = section_with(&sshd, &sshd.known_hosts(), &more);
        let expected = state.is_none();
        assert_eq!(
            both(&sshd, &text).await,
            (expected, expected),
            "{name}: (ssh, ours)"
        );
        // A key that is on no record is not taken either.
        let fresh = sshd.path("fresh");
        let text = section_with(
            &sshd,
            &fresh,
            &format!("{more}\n StrictHostKeyChecking accept-new"),
        );
        if let Some(state) = state {
            let (got, reason) = kept_out(&sshd, &text).await;
            assert_eq!(got, state, "{name}: {reason}");
            assert!(
                reason.contains(&file.display().to_string()),
                "{name}: {reason}"
            );
            let by_ssh = HostSpec {
                transport: TransportKind::System,
                ..bare(&sshd, "web-1")
            };
            let status = within("ssh", configured(&sshd, &text).connect(&by_ssh))
                .await
                .err()
                .expect("kept out")
                .status;
            assert_eq!(status.state, state, "by ssh: {name}: {status:?}");
            assert!(!fresh.exists(), "{name}");
        }
    }
}

/// A server with a host certificate that is signed as the arguments for `ssh-keygen` say, by an RSA
/// authority.
struct Certified {
    folder: tempfile::TempDir,
    sshd: Sshd,
}

impl Certified {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let at = folder.path();
        make_key(&at.join("ca"), "rsa", "");
        make_key(&at.join("key"), "ed25519", "");
        std::fs::copy(at.join("key.pub"), at.join("key-cert.pub")).expect("a place");
        let certificate = format!("HostCertificate {}", at.join("key-cert.pub").display());
        let host_key = format!("HostKey {}", at.join("key").display());
        let sshd = Sshd::builder().config(host_key).config(certificate).start();
        let this = Self { folder, sshd };
        this.sign("rsa-sha2-512");
        this
    }

    /// Signs again; sshd reads the certificate for each connection.
    fn sign(&self, algorithm: &str) {
        let arguments = [
            "-t",
            algorithm,
            "-s",
            "ca",
            "-I",
            "test",
            "-z",
            "7",
            "-h",
            "-n",
            "127.0.0.1",
            "key.pub",
        ];
        keygen(arguments, self.folder.path());
    }

    fn authority(&self, name: &str) -> String {
        format!(
            "@cert-authority {name} {}",
            public(&self.folder.path().join("ca"))
        )
    }

    fn plain(&self, name: &str) -> String {
        format!("{name} {}", public(&self.folder.path().join("key")))
    }

    fn with_port(&self) -> String {
        format!("[127.0.0.1]:{}", self.sshd.port())
    }
}

/// R39: an authority and a serial number can be revoked too.
#[tokio::test]
async fn a_host_certificate_is_refused_with_its_authority_or_by_its_number() {
    let certified = Certified::new();
    let (sshd, at) = (&certified.sshd, certified.folder.path());
    let known = known_hosts(sshd, "known", &[certified.authority("*")]);
    std::fs::write(at.join("list"), public(&at.join("ca"))).expect("written");
    for (file, serial) in [
        ("by number", "serial: 7"),
        ("by another number", "serial: 8"),
    ] {
        std::fs::write(at.join("spec"), serial).expect("written");
        keygen(["-k", "-f", file, "-s", "ca.pub", "spec"], at);
    }
    keygen(["-k", "-f", "authority", "ca.pub"], at);
    for (file, expected) in [
        ("list", false),
        ("authority", false),
        ("by number", false),
        ("by another number", true),
    ] {
        let more = format!(" RevokedHostKeys \"{}\"", at.join(file).display());
        assert_eq!(
            both(sshd, &section_with(sshd, &known, &more)).await,
            (expected, expected),
            "{file}: (ssh, ours)"
        );
    }
}

/// R39, R68.
#[tokio::test]
async fn r68_the_signature_of_an_authority_counts_as_with_ssh_and_never_with_sha_1() {
    let certified = Certified::new();
    let sshd = &certified.sshd;
    let by_authority = [certified.authority("*")];
    let and_plain = [
        certified.authority("*"),
        certified.plain(&certified.with_port()),
    ];
    for (signed, known, more, of_ssh, ours) in [
        ("rsa-sha2-512", &by_authority[..], "", true, true),
        ("rsa-sha2-256", &by_authority, "", true, true),
        ("ssh-rsa", &by_authority, "", false, false),
        // The bare key is on record too, and is what counts then.
        ("ssh-rsa", &and_plain, "", true, true),
        (
            "rsa-sha2-256",
            &by_authority,
            " CASignatureAlgorithms ssh-ed25519",
            false,
            false,
        ),
        (
            "rsa-sha2-256",
            &by_authority,
            " RequiredRSASize 2048",
            true,
            true,
        ),
        // Where we are stricter: SHA-1 cannot be allowed, and keys of authorities are measured.
        (
            "ssh-rsa",
            &by_authority,
            " CASignatureAlgorithms +ssh-rsa",
            true,
            false,
        ),
        (
            "rsa-sha2-256",
            &by_authority,
            " RequiredRSASize 3072",
            true,
            false,
        ),
    ] {
        certified.sign(signed);
        let known = known_hosts(sshd, "known", known);
        let text = section_with(sshd, &known, more);
        assert_eq!(
            both(sshd, &text).await,
            (of_ssh, ours),
            "{signed}{more}: (ssh, ours)"
        );
        if !ours {
            let (state, reason) = kept_out(sshd, &text).await;
            assert_eq!(state, LinkState::Denied, "{reason}");
            assert!(
                reason.contains("its certificate does not count: "),
                "{reason}"
            );
        }
    }
}

/// R39.
#[tokio::test]
async fn r39_an_authority_without_a_port_is_one_for_every_port_as_with_ssh() {
    let certified = Certified::new();
    let sshd = &certified.sshd;
    let (other, port) = (Sshd::start().host_key(), certified.with_port());
    for (case, known, more, expected) in [
        ("with the port", vec![certified.authority(&port)], "", true),
        (
            "without it",
            vec![certified.authority("127.0.0.1")],
            "",
            true,
        ),
        (
            "by a pattern",
            vec![certified.authority("127.0.0.*")],
            "",
            true,
        ),
        (
            "of another host",
            vec![certified.authority("127.0.0.2")],
            "",
            false,
        ),
        (
            "excluded",
            vec![certified.authority("127.*,!127.0.0.1")],
            "",
            false,
        ),
        (
            "with another port",
            vec![certified.authority("[127.0.0.1]:1")],
            "",
            false,
        ),
        (
            "by an alias",
            vec![certified.authority("127.0.0.1")],
            " HostKeyAlias 127.0.0.1",
            true,
        ),
        (
            "by another alias",
            vec![certified.authority("127.0.0.1")],
            " HostKeyAlias web",
            false,
        ),
        (
            "and another key",
            vec![certified.authority("127.0.0.1"), format!("{port} {other}")],
            "",
            true,
        ),
        (
            "and revoked",
            vec![
                certified.authority("127.0.0.1"),
                certified
                    .authority("127.0.0.1")
                    .replace("@cert-authority", "@revoked"),
            ],
            "",
            false,
        ),
        // Plain keys: the right one without a port is taken, another one is none.
        (
            "the plain key without it",
            vec![certified.plain("127.0.0.1")],
            "",
            true,
        ),
        (
            "another plain key without it",
            vec![format!("127.0.0.1 {other}")],
            "",
            false,
        ),
    ] {
        let known = known_hosts(sshd, "known", &known);
        assert_eq!(
            both(sshd, &section_with(sshd, &known, more)).await,
            (expected, expected),
            "{case}: (ssh, ours)"
        );
    }
}

/// R68.
#[tokio::test]
async fn r68_an_rsa_host_key_that_is_shorter_than_required_is_refused() {
    let sshd = Sshd::builder().host_key_type("rsa").start();
    for (required, expected) in [(1024, true), (2048, true), (2049, false), (3072, false)] {
        let text = section_with(
            &sshd,
            &sshd.known_hosts(),
            &format!(" RequiredRSASize {required}"),
        );
        assert_eq!(
            both(&sshd, &text).await,
            (expected, expected),
            "{required}: (ssh, ours)"
        );
        if !expected {
            let (state, reason) = kept_out(&sshd, &text).await;
            assert_eq!(state, LinkState::Denied);
            assert!(
                reason.contains(&format!(
                    "RSA of 2048 bits, and RequiredRSASize is {required}"
                )),
                "{reason}"
            );
        }
    }
}

/// R68: of servers that have nothing else the reason names what they have and why that is refused.
#[tokio::test]
async fn r68_old_algorithms_are_refused_by_name_and_with_the_reason() {
    for (option, kind, old, why) in [
        ("HostKeyAlgorithms ssh-rsa", "rsa", "ssh-rsa", "SHA-1"),
        (
            "KexAlgorithms diffie-hellman-group1-sha1",
            "ed25519",
            "diffie-hellman-group1-sha1",
            "1024 bits",
        ),
        (
            "KexAlgorithms diffie-hellman-group14-sha1",
            "ed25519",
            "diffie-hellman-group14-sha1",
            "SHA-1",
        ),
        ("Ciphers aes256-cbc", "ed25519", "aes256-cbc", "CBC"),
        ("Ciphers 3des-cbc", "ed25519", "3des-cbc", "64 bits"),
    ] {
        let sshd = Sshd::builder().host_key_type(kind).config(option).start();
        let text = section_with(&sshd, &sshd.known_hosts(), "");
        assert_eq!(
            both(&sshd, &text).await,
            (false, false),
            "{option}: (ssh, ours)"
        );
        let (state, reason) = kept_out(&sshd, &text).await;
        assert_eq!(state, LinkState::Denied, "{reason}");
        assert!(
            reason.contains(&format!("{old} (")) && reason.contains(why),
            "{reason}"
        );
    }
}

/// What the configuration takes away is not negotiated.
#[tokio::test]
async fn host_key_algorithms_of_the_configuration_are_kept_to() {
    let sshd = Sshd::start();
    for (allowed, expected) in [
        ("ssh-ed25519", true),
        ("ecdsa-sha2-nistp256,rsa-sha2-512", false),
    ] {
        let text = section_with(
            &sshd,
            &sshd.known_hosts(),
            &format!(" HostKeyAlgorithms {allowed}"),
        );
        assert_eq!(
            both(&sshd, &text).await,
            (expected, expected),
            "{allowed}: (ssh, ours)"
        );
    }
}

/// A server that proves its host key with SHA-1, whatever was agreed.
struct Sha1Server {
    process: Child,
    port: u16,
}

impl Sha1Server {
    fn start(host_key: &Path) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/support/sha1_server.py");
        // Debian's own, which has the packages of Debian.
        let mut process = Command::new("/usr/bin/python3")
            .arg(script)
            .arg(host_key)
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 starts; tests/run installs what is needed");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("piped");
        std::io::BufReader::new(stdout)
            .read_line(&mut line)
            .expect("a line");
        let port = line
            .trim()
            .parse()
            .expect("a port; python3-paramiko is needed, which tests/run installs");
        Self { process, port }
    }
}

impl Drop for Sha1Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// R68: what was agreed is not what counts, but what the signature is.
#[tokio::test]
async fn r68_a_host_key_on_record_that_is_proved_with_sha_1_is_refused_and_not_stored_as_new() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("key");
    make_key(&key, "rsa", "");
    let server = Sha1Server::start(&key);
    let near = Sshd::start();
    let usual = format!("Port {}", near.port());
    let known = known_hosts(
        &near,
        "known",
        &[format!("[127.0.0.1]:{} {}", server.port, public(&key))],
    );
    for (known, checking) in [(known, "yes"), (near.path("fresh"), "accept-new")] {
        let text = section_with(&near, &known, &format!(" StrictHostKeyChecking {checking}"))
            .replace(&usual, &format!("Port {}", server.port));
        let connector = configured(&near, &text);
        let outcome = ssh(&near.path("ssh_config"), &[], None, "web-1");
        assert!(
            !outcome.reached && outcome.said.contains("incorrect signature"),
            "ssh: {outcome:?}"
        );
        // It stores a new key before it looks at the signature.
        let _ = std::fs::remove_file(near.path("fresh"));
        let error = within("connecting", connector.connect(&bare(&near, "web-1")))
            .await
            .err()
            .expect("SHA-1");
        assert_eq!(error.status.state, LinkState::Denied, "{error}");
        assert!(
            error
                .to_string()
                .contains("is proved with \"ssh-rsa\" (SHA-1"),
            "{error}"
        );
    }
    assert!(!near.path("fresh").exists());
}
