//! Logging in: key types, passphrases, the agent, certificates, prompts.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use logtrail::model::prompt::{OperatorPrompt, PromptReply};
use logtrail::model::state::LinkState;
use russh::server::{self, Auth, Response};
use russh::{MethodKind, MethodSet, Preferred, cipher, kex};

use crate::support::openssh::ssh;
use crate::support::sshd::{Sshd, me};
use crate::support::{Person, make_key, program, run, secret, wait_until, within};
use crate::transport::{connect, connector, refusal, say};
use crate::transport_config::{bare, configured, reached, section};

#[tokio::test]
async fn keys_of_every_usual_type_let_in() {
    let folder = tempfile::tempdir().expect("a folder");
    for kind in ["ed25519", "ecdsa", "rsa"] {
        let key = folder.path().join(kind);
        make_key(&key, kind, "");
        let sshd = Sshd::builder()
            .authorize(folder.path().join(format!("{kind}.pub")))
            .start();
        let mut host = sshd.host("web-1");
        host.endpoint.identity = vec![key];
        assert_eq!(
            say(&connect(&host).await, "echo in").await,
            "in\n",
            "{kind}"
        );
    }
}

#[tokio::test]
async fn a_key_that_is_not_authorized_is_denied_with_what_was_tried_and_what_is_allowed() {
    let (sshd, other) = (Sshd::start(), Sshd::start());
    let mut host = sshd.host("web-1");
    host.endpoint.identity = vec![other.client_key_path()];
    let (state, reason) = refusal(&Person::absent(), &host).await;
    assert_eq!(state, LinkState::Denied);
    assert!(
        reason.contains("having tried key") && reason.ends_with("it allows publickey"),
        "{reason}"
    );
    assert_eq!(sshd.accepted(), 1, "a refused login is not tried again");
}

#[tokio::test]
async fn a_server_that_wants_two_keys_gets_two() {
    let folder = tempfile::tempdir().expect("a folder");
    let second = folder.path().join("second");
    make_key(&second, "ecdsa", "");
    let sshd = Sshd::builder()
        .config("AuthenticationMethods publickey,publickey")
        .authorize(folder.path().join("second.pub"))
        .start();
    let mut host = sshd.host("web-1");
    assert_eq!(refusal(&Person::absent(), &host).await.0, LinkState::Denied);
    host.endpoint.identity.push(second);
    connect(&host).await;
}

#[tokio::test]
async fn while_a_person_thinks_about_a_key_other_hosts_of_that_server_are_not_held_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("key");
    make_key(&key, "ed25519", "right");
    let sshd = Sshd::builder()
        .authorize(folder.path().join("key.pub"))
        .start();
    // More than may shake hands at one server at once.
    let locked: Vec<_> = (0..6)
        .map(|n| {
            let mut host = sshd.host(&format!("locked-{n}"));
            host.endpoint.identity = vec![key.clone()];
            host
        })
        .collect();
    let person = Person::who_answers([secret("right")]).after(Duration::from_secs(3));
    let connector = connector(&person);
    let waiting = futures_util::future::join_all(locked.iter().map(|host| connector.connect(host)));
    tokio::pin!(waiting);
    let open = sshd.host("open");
    let begun = std::time::Instant::now();
    tokio::select! {
        _ = &mut waiting => panic!("the person thinks for three seconds"),
        connected = async {
            wait_until("the question", || if person.asked().is_empty() { Err("not asked") } else { Ok(()) }).await;
            connector.connect(&open).await
        } => assert!(connected.is_ok() && begun.elapsed() < Duration::from_secs(3)),
    }
    assert!(
        within("the others", waiting)
            .await
            .iter()
            .all(Result::is_ok)
    );
    assert_eq!(person.asked().len(), 1);
}

#[tokio::test]
async fn a_server_that_hangs_up_after_too_many_keys_has_denied_us_it_is_not_down() {
    let sshd = Sshd::builder().config("MaxAuthTries 1").start();
    let (one, two) = (Sshd::start(), Sshd::start());
    let mut host = sshd.host("web-1");
    host.endpoint.identity = vec![
        one.client_key_path(),
        two.client_key_path(),
        sshd.client_key_path(),
    ];
    let (state, reason) = refusal(&Person::absent(), &host).await;
    assert_eq!(state, LinkState::Denied, "{reason}");
    assert!(
        reason.contains("Too many authentication failures"),
        "{reason}"
    );
}

#[tokio::test]
async fn an_encrypted_key_is_asked_about_once_for_two_hosts_at_the_same_moment() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("key");
    make_key(&key, "ed25519", "open sesame");
    let servers = [0, 1].map(|_| {
        Sshd::builder()
            .authorize(folder.path().join("key.pub"))
            .start()
    });
    let mut hosts = [servers[0].host("a"), servers[1].host("b")];
    for host in &mut hosts {
        host.endpoint.identity = vec![key.clone()];
    }
    let person = Person::who_answers([secret("open sesame")]).after(Duration::from_millis(300));
    let connector = connector(&person);
    let both = async { tokio::join!(connector.connect(&hosts[0]), connector.connect(&hosts[1])) };
    let (a, b) = within("both", both).await;
    assert!(a.is_ok() && b.is_ok());
    assert_eq!(
        person.asked(),
        [OperatorPrompt::Passphrase {
            path: key.display().to_string(),
            again: false
        }]
    );
}

#[tokio::test]
async fn a_wrong_passphrase_is_asked_for_again_and_three_are_the_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("key");
    make_key(&key, "ed25519", "right");
    let sshd = Sshd::builder()
        .authorize(folder.path().join("key.pub"))
        .start();
    let mut host = sshd.host("web-1");
    host.endpoint.identity = vec![key];
    let person = Person::who_answers([secret("wrong"), secret("right")]);
    assert!(
        within("connecting", connector(&person).connect(&host))
            .await
            .is_ok()
    );
    let again: Vec<bool> = person
        .asked()
        .iter()
        .map(|q| matches!(q, OperatorPrompt::Passphrase { again: true, .. }))
        .collect();
    assert_eq!(again, [false, true]);
    let person = Person::who_answers(["a", "b", "c", "d"].map(secret));
    let (state, reason) = refusal(&person, &host).await;
    assert_eq!((state, person.asked().len()), (LinkState::Denied, 3));
    assert!(reason.contains("(locked)"), "{reason}");
}

#[tokio::test]
async fn a_passphrase_is_not_asked_for_when_the_server_does_not_want_the_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("key");
    make_key(&key, "ed25519", "right");
    let sshd = Sshd::start();
    let mut host = sshd.host("web-1");
    host.endpoint.identity = vec![key, sshd.client_key_path()];
    let person = Person::absent();
    assert!(
        within("connecting", connector(&person).connect(&host))
            .await
            .is_ok()
    );
    assert!(person.asked().is_empty());
}

#[tokio::test]
async fn the_time_that_a_person_takes_is_not_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("key");
    make_key(&key, "ed25519", "right");
    let sshd = Sshd::builder()
        .authorize(folder.path().join("key.pub"))
        .start();
    let mut host = sshd.host("web-1");
    host.endpoint.identity = vec![key];
    host.endpoint.known_hosts = vec![sshd.path("new")];
    let person =
        Person::who_answers([PromptReply::Yes, secret("right")]).after(Duration::from_millis(2500));
    let settings = logtrail::transport::TransportSettings {
        ssh_config: false,
        connect_timeout: Duration::from_secs(2),
        known_hosts: None,
    };
    let connector = logtrail::transport::Connector::new(settings, Arc::new(person));
    within("connecting", connector.connect(&host))
        .await
        .map_err(|e| e.status)
        .map(drop)
        .expect("in");
}

/// R34: the steps to a shell have one limit together.
#[tokio::test]
async fn a_session_and_a_command_that_are_slow_together_use_up_the_time_of_one_login() {
    let near = Sshd::start();
    let slow = crate::support::gate::Gate::speaking(crate::support::gate::Manner::SlowSessions(
        Duration::from_millis(1300),
    ))
    .await;
    let connecting = connector(&Person::absent()).with_login_time(Duration::from_secs(2));
    let host = slow.host(&near, "web-1");
    let connection = within("connecting", connecting.connect(&host))
        .await
        .expect("it lets in");
    let error = within("the failure", connection.open_shell())
        .await
        .err()
        .expect("it is too slow");
    let waited = "did not answer within 2.0 s, waiting for the start of a shell";
    assert!(error.to_string().contains(waited), "{error}");
}

#[tokio::test]
async fn a_certificate_beside_the_key_lets_in() {
    let folder = tempfile::tempdir().expect("a folder");
    let (authority, key) = (folder.path().join("ca"), folder.path().join("key"));
    make_key(&authority, "ed25519", "");
    make_key(&key, "ed25519", "");
    sign(&authority, &folder.path().join("key.pub"));
    let sshd = Sshd::builder()
        .config(format!("TrustedUserCAKeys {}.pub", authority.display()))
        .start();
    let mut host = sshd.host("web-1");
    host.endpoint.identity = vec![key];
    connect(&host).await;
}

#[tokio::test]
async fn the_agent_signs_for_a_key_whose_file_is_locked_and_for_its_certificate() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("key");
    make_key(&key, "rsa", "");
    let agent = Agent::start(folder.path()).await;
    let authority = folder.path().join("ca");
    make_key(&authority, "ed25519", "");
    sign(&authority, &folder.path().join("key.pub"));
    agent.add(&key);
    run(Command::new(program("ssh-keygen"))
        .args(["-q", "-p", "-P", "", "-N", "locked now", "-f"])
        .arg(&key));
    std::fs::remove_file(folder.path().join("key-cert.pub")).expect("the agent alone has it now");
    let by_key = Sshd::builder()
        .authorize(folder.path().join("key.pub"))
        .start();
    let by_certificate = Sshd::builder()
        .config(format!("TrustedUserCAKeys {}.pub", authority.display()))
        .start();
    for sshd in [by_key, by_certificate] {
        let mut host = sshd.host("web-1");
        host.endpoint.identity = vec![key.clone()];
        let person = Person::absent();
        let connector = connector(&person).with_agent(agent.socket.clone());
        within("connecting", connector.connect(&host))
            .await
            .map_err(|e| e.status)
            .map(drop)
            .expect("in");
        assert!(person.asked().is_empty());
    }
}

#[tokio::test]
async fn a_password_is_asked_for_as_a_last_resort_and_two_wrong_ones_are_the_end() {
    let sshd = Sshd::start();
    let server = Prompting::start(Kind::Password).await;
    let host = server.host(&sshd);
    let person = Person::who_answers([secret("wrong"), secret("right")]);
    assert!(
        within("connecting", connector(&person).connect(&host))
            .await
            .is_ok()
    );
    let [
        OperatorPrompt::Secret {
            prompt,
            echo: false,
            ..
        },
        _,
    ] = &person.asked()[..]
    else {
        panic!("{:?}", person.asked())
    };
    assert!(prompt.starts_with("password for "), "{prompt}");
    let person = Person::who_answers(["a", "b", "c"].map(secret));
    let (state, reason) = refusal(&person, &host).await;
    assert_eq!(
        (state, person.asked().len()),
        (LinkState::Denied, 2),
        "{reason}"
    );
}

#[tokio::test]
async fn prompts_of_the_server_are_passed_on_word_for_word() {
    let sshd = Sshd::start();
    let server = Prompting::start(Kind::Interactive).await;
    let person = Person::who_answers([secret("123456")]);
    assert!(
        within(
            "connecting",
            connector(&person).connect(&server.host(&sshd))
        )
        .await
        .is_ok()
    );
    let [
        OperatorPrompt::Secret {
            prompt, echo: true, ..
        },
    ] = &person.asked()[..]
    else {
        panic!("{:?}", person.asked())
    };
    assert_eq!(prompt, "One-time code: ");
}

#[tokio::test]
async fn a_server_that_hangs_up_on_a_slow_person_is_not_dialled_again_by_itself() {
    let sshd = Sshd::start();
    let server = Prompting::start(Kind::Password).await;
    let host = server.host(&sshd);
    let person = Person::who_answers([secret("right")]).after(Duration::from_millis(1500));
    let (state, reason) = {
        let refusing = refusal(&person, &host);
        tokio::pin!(refusing);
        tokio::select! {
            _ = &mut refusing => panic!("the person is still thinking"),
            () = wait_until("the question", || if person.asked().is_empty() { Err("not asked") } else { Ok(()) }) => {}
        }
        server.hang_up();
        refusing.await
    };
    assert_eq!(state, LinkState::Denied, "{reason}");
    assert!(
        reason.contains("hung up before it had an answer"),
        "{reason}"
    );
}

/// A row of a table: the file that is named, where its private half is, whether `ssh` gets in by
/// it, whether we do.
struct Named {
    file: &'static str,
    agent_has_it: bool,
    ssh: bool,
    ours: bool,
}

/// A public key file stands for the key of the agent, in the inventory and in the configuration.
#[tokio::test]
async fn the_file_of_a_public_key_or_of_a_certificate_stands_for_the_key_of_the_agent() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    // `alone`: nothing but its public half is in a file. `pair`: both are.
    for name in ["alone", "pair", "certified", "authority", "stranger"] {
        make_key(
            &at.join(name),
            if name == "pair" { "rsa" } else { "ed25519" },
            "",
        );
    }
    sign(&at.join("authority"), &at.join("certified.pub"));
    std::fs::create_dir(at.join("public")).expect("a folder");
    for name in ["alone.pub", "certified.pub", "certified-cert.pub"] {
        std::fs::copy(at.join(name), at.join("public").join(name)).expect("copied");
    }
    let agents = [
        Agent::start(&folder_in(at, "empty")).await,
        Agent::start(&folder_in(at, "full")).await,
    ];
    for name in ["alone", "pair", "stranger"] {
        agents[1].add(&at.join(name));
    }
    std::fs::remove_file(at.join("certified-cert.pub")).expect("only the public folder has it");
    agents[1].add(&at.join("certified"));
    let sshd = Sshd::builder()
        .authorize(at.join("alone.pub"))
        .authorize(at.join("pair.pub"))
        .config(format!(
            "TrustedUserCAKeys {}",
            at.join("authority.pub").display()
        ))
        // One wrong offer and it hangs up: nothing but the key that is named is offered.
        .config("MaxAuthTries 2")
        .start();
    for Named {
        file,
        agent_has_it,
        ssh: of_ssh,
        ours,
    } in [
        Named {
            file: "public/alone.pub",
            agent_has_it: true,
            ssh: true,
            ours: true,
        },
        Named {
            file: "public/alone.pub",
            agent_has_it: false,
            ssh: false,
            ours: false,
        },
        Named {
            file: "public/alone",
            agent_has_it: true,
            ssh: true,
            ours: true,
        },
        Named {
            file: "pair",
            agent_has_it: true,
            ssh: true,
            ours: true,
        },
        Named {
            file: "pair",
            agent_has_it: false,
            ssh: true,
            ours: true,
        },
        Named {
            file: "pair.pub",
            agent_has_it: true,
            ssh: true,
            ours: true,
        },
        // The private key file next to it is used where ssh gives up.
        Named {
            file: "pair.pub",
            agent_has_it: false,
            ssh: false,
            ours: true,
        },
        // With its certificate next to it, for which the agent has the bare key.
        Named {
            file: "public/certified",
            agent_has_it: true,
            ssh: true,
            ours: true,
        },
        Named {
            file: "public/certified-cert.pub",
            agent_has_it: true,
            ssh: false,
            ours: true,
        },
        Named {
            file: "public/certified-cert.pub",
            agent_has_it: false,
            ssh: false,
            ours: false,
        },
        Named {
            file: "stranger.pub",
            agent_has_it: true,
            ssh: false,
            ours: false,
        },
    ] {
        let case = format!(
            "{file}, {} agent",
            if agent_has_it { "full" } else { "empty" }
        );
        let (path, agent) = (at.join(file), &agents[usize::from(agent_has_it)]);
        let usual = sshd.client_key_path().display().to_string();
        let connector = configured(
            &sshd,
            &section("web-1", &sshd).replace(&usual, &path.display().to_string()),
        );
        let connector = connector.with_agent(agent.socket.clone());
        let outcome = ssh(&sshd.path("ssh_config"), &[], Some(&agent.socket), "web-1");
        assert_eq!(outcome.reached, of_ssh, "ssh: {case}: {outcome:?}");
        assert_eq!(
            reached(&connector, &bare(&sshd, "web-1")).await,
            ours,
            "IdentityFile {case}"
        );
        let mut host = sshd.host("web-1");
        host.endpoint.identity = vec![path];
        assert_eq!(reached(&connector, &host).await, ours, "identity {case}");
    }
}

fn folder_in(folder: &Path, name: &str) -> std::path::PathBuf {
    let folder = folder.join(name);
    std::fs::create_dir(&folder).expect("a folder");
    folder
}

#[tokio::test]
async fn an_agent_that_lacks_the_key_of_a_public_file_is_told_from_none_and_what_to_do_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    make_key(&folder.path().join("key"), "ed25519", "");
    let file = folder.path().join("only.pub");
    std::fs::rename(folder.path().join("key.pub"), &file).expect("moved");
    let agent = Agent::start(folder.path()).await;
    let sshd = Sshd::builder().authorize(&file).start();
    let mut host = sshd.host("web-1");
    host.endpoint.identity = vec![file.clone()];
    for (socket, words) in [
        (agent.socket.clone(), "does not hold it"),
        (folder.path().join("none"), "none answers"),
    ] {
        let connector = connector(&Person::absent()).with_agent(socket);
        let error = within("connecting", connector.connect(&host))
            .await
            .err()
            .expect("no private key");
        assert_eq!(error.status.state, LinkState::Denied);
        let expected = format!(
            "{} (a public key, which stands for one of the ssh-agent, ",
            file.display()
        );
        assert!(
            error.to_string().contains(&expected) && error.to_string().contains(words),
            "{error}"
        );
        assert!(
            error
                .status
                .hint
                .as_deref()
                .is_some_and(|hint| hint.contains("ssh-add")),
            "{:?}",
            error.status
        );
    }
}

/// A certificate that CertificateFile names is signed for by the agent; its path has tokens.
#[tokio::test]
async fn a_certificate_file_goes_with_the_key_of_the_agent_and_with_that_of_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    for name in ["authority", "key"] {
        make_key(&at.join(name), "ed25519", "");
    }
    sign(&at.join("authority"), &at.join("key.pub"));
    std::fs::rename(at.join("key-cert.pub"), at.join(format!("{}-cert", me()))).expect("moved");
    std::fs::create_dir(at.join("public")).expect("a folder");
    std::fs::copy(at.join("key.pub"), at.join("public/key.pub")).expect("copied");
    let agent = Agent::start(at).await;
    agent.add(&at.join("key"));
    let sshd = Sshd::builder()
        .config(format!(
            "TrustedUserCAKeys {}",
            at.join("authority.pub").display()
        ))
        .start();
    let usual = sshd.client_key_path().display().to_string();
    for (identity, token, expected) in [
        ("key", "%r-cert", true),
        ("public/key.pub", "%r-cert", true),
        ("public/key.pub", "%n-cert", false),
    ] {
        let text =
            section("web-1", &sshd).replace(&usual, &at.join(identity).display().to_string());
        let text = format!("{text} CertificateFile {}\n", at.join(token).display());
        let connector = configured(&sshd, &text).with_agent(agent.socket.clone());
        let outcome = ssh(&sshd.path("ssh_config"), &[], Some(&agent.socket), "web-1");
        assert_eq!(
            outcome.reached, expected,
            "ssh: {identity}, {token}: {outcome:?}"
        );
        assert_eq!(
            reached(&connector, &bare(&sshd, "web-1")).await,
            expected,
            "{identity}, {token}"
        );
    }
}

/// R68: as with ssh, keys of ours that are shorter than required are not offered, those of the
/// agent neither.
#[tokio::test]
async fn our_own_rsa_keys_that_are_shorter_than_required_are_not_offered() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("key");
    make_key(&key, "rsa", "");
    let agent = Agent::start(folder.path()).await;
    agent.add(&key);
    let sshd = Sshd::builder()
        .authorize(folder.path().join("key.pub"))
        .start();
    let usual = sshd.client_key_path().display().to_string();
    for (file, required, expected) in [
        ("key", 2048, true),
        ("key", 3072, false),
        ("key.pub", 2048, true),
        ("key.pub", 3072, false),
    ] {
        let path = folder.path().join(file).display().to_string();
        let text = format!(
            "{} RequiredRSASize {required}\n",
            section("web-1", &sshd).replace(&usual, &path)
        );
        let connector = configured(&sshd, &text).with_agent(agent.socket.clone());
        let outcome = ssh(&sshd.path("ssh_config"), &[], Some(&agent.socket), "web-1");
        assert_eq!(
            outcome.reached, expected,
            "ssh: {file}, {required}: {outcome:?}"
        );
        let host = bare(&sshd, "web-1");
        assert_eq!(
            reached(&connector, &host).await,
            expected,
            "{file}, {required}"
        );
        if !expected {
            let error = within("connecting", connector.connect(&host))
                .await
                .err()
                .expect("too short");
            assert!(
                error
                    .to_string()
                    .contains("(RSA of 2048 bits, and RequiredRSASize is 3072)"),
                "{error}"
            );
        }
    }
}

/// What is logged, for one test.
#[derive(Clone, Default)]
struct Log(Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// R68: what was negotiated is in the log, and a downgrade that can hide lost messages is a warning
/// there.
#[tokio::test]
async fn the_log_has_what_was_negotiated_and_warns_of_chacha20_without_strict_key_exchange() {
    let sshd = Sshd::start();
    let without_strict = Preferred {
        kex: vec![kex::CURVE25519].into(),
        cipher: vec![cipher::CHACHA20_POLY1305].into(),
        ..Preferred::DEFAULT
    };
    let with_other_ciphers = Preferred {
        kex: vec![kex::CURVE25519].into(),
        ..Preferred::DEFAULT
    };
    for (preferred, strict, warns) in [
        (Preferred::DEFAULT, "strict", false),
        (without_strict, "not strict", true),
        (with_other_ciphers, "not strict", false),
    ] {
        let server = Prompting::start_with(Kind::Password, preferred).await;
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        let guard = tracing::subscriber::set_default(subscriber);
        let person = Person::who_answers([secret("right")]);
        assert!(
            within(
                "connecting",
                connector(&person).connect(&server.host(&sshd))
            )
            .await
            .is_ok()
        );
        drop(guard);
        let text = String::from_utf8_lossy(&log.0.lock().expect("no panic")).into_owned();
        assert!(
            text.contains("key exchange ")
                && text.contains(&format!(" ({strict}), host key ssh-ed25519, cipher ")),
            "{text}"
        );
        assert_eq!(text.contains("CVE-2023-48795"), warns, "{text}");
    }
}

fn sign(authority: &Path, public: &Path) {
    run(Command::new(program("ssh-keygen"))
        .args(["-q", "-s"])
        .arg(authority)
        .args(["-I", "test", "-n", &crate::support::sshd::me()])
        .arg(public));
}

/// A real ssh-agent.
pub(crate) struct Agent {
    process: Child,
    pub(crate) socket: std::path::PathBuf,
}

impl Agent {
    pub(crate) async fn start(folder: &Path) -> Self {
        let socket = folder.join("agent");
        let process = Command::new(program("ssh-agent"))
            .arg("-D")
            .arg("-a")
            .arg(&socket)
            .stdout(Stdio::null())
            .spawn()
            .expect("ssh-agent starts");
        wait_until("the agent's socket", || {
            if socket.exists() {
                Ok(())
            } else {
                Err("missing")
            }
        })
        .await;
        Self { process, socket }
    }

    pub(crate) fn add(&self, key: &Path) {
        run(Command::new(program("ssh-add"))
            .arg("-q")
            .arg(key)
            .env("SSH_AUTH_SOCK", &self.socket));
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A server that asks for what OpenSSH asks for with PAM only. `right` and `123456` let in.
pub(crate) struct Prompting {
    port: u16,
    host_key: String,
    sessions: Arc<std::sync::Mutex<Vec<tokio::task::JoinHandle<()>>>>,
    _folder: tempfile::TempDir,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Password,
    Interactive,
}

impl Kind {
    fn method(self) -> MethodKind {
        match self {
            Self::Password => MethodKind::Password,
            Self::Interactive => MethodKind::KeyboardInteractive,
        }
    }
}

impl Prompting {
    pub(crate) async fn password() -> Self {
        Self::start(Kind::Password).await
    }

    async fn start(kind: Kind) -> Self {
        Self::start_with(kind, Preferred::DEFAULT).await
    }

    async fn start_with(kind: Kind, preferred: Preferred) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let key = folder.path().join("key");
        make_key(&key, "ed25519", "");
        let config = Arc::new(server::Config {
            keys: vec![russh::keys::load_secret_key(&key, None).expect("a key")],
            methods: MethodSet::from(&[kind.method()][..]),
            preferred,
            auth_rejection_time: Duration::ZERO,
            ..server::Config::default()
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let sessions: Arc<std::sync::Mutex<Vec<_>>> = Arc::default();
        let taken = Arc::clone(&sessions);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let config = Arc::clone(&config);
                let (mut near, mut far) = (socket, tokio::io::duplex(64 * 1024));
                tokio::spawn(async move {
                    if let Ok(session) = server::run_stream(config, far.0, Gate(kind)).await {
                        let _ = session.await;
                    }
                });
                let copying =
                    async move { drop(tokio::io::copy_bidirectional(&mut near, &mut far.1).await) };
                taken.lock().expect("no panic").push(tokio::spawn(copying));
            }
        });
        let host_key = std::fs::read_to_string(folder.path().join("key.pub")).expect("a key");
        Self {
            port,
            host_key,
            sessions,
            _folder: folder,
        }
    }

    /// Ends every connection.
    fn hang_up(&self) {
        self.sessions
            .lock()
            .expect("no panic")
            .drain(..)
            .for_each(|session| session.abort());
    }

    pub(crate) fn host(&self, near: &Sshd) -> logtrail::model::host::HostSpec {
        let mut host = near.host("gate");
        let known = near.path("gate_known_hosts");
        std::fs::write(
            &known,
            format!("[127.0.0.1]:{} {}", self.port, self.host_key),
        )
        .expect("written");
        host.endpoint.port = Some(self.port);
        host.endpoint.known_hosts = vec![known];
        host
    }
}

struct Gate(Kind);

impl Gate {
    fn decide(&self, right: bool) -> Auth {
        let methods = MethodSet::from(&[self.0.method()][..]);
        if right {
            Auth::Accept
        } else {
            // As OpenSSH does: the same method may be tried again.
            Auth::Reject {
                proceed_with_methods: Some(methods),
                partial_success: false,
            }
        }
    }
}

impl server::Handler for Gate {
    type Error = russh::Error;

    async fn auth_password(&mut self, _: &str, password: &str) -> Result<Auth, russh::Error> {
        Ok(self.decide(self.0 == Kind::Password && password == "right"))
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        _: &str,
        _: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, russh::Error> {
        let Some(mut response) = response else {
            return Ok(Auth::Partial {
                name: "".into(),
                instructions: "".into(),
                prompts: vec![("One-time code: ".into(), true)].into(),
            });
        };
        let code = response.next();
        Ok(self.decide(code.is_some_and(|code| code == "123456")))
    }
}
