//! The user's OpenSSH configuration, as the real `ssh -G` reads it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use logtrail::model::host::{Endpoint, HostKeyPolicy, HostSpec, TransportKind};
use logtrail::model::state::LinkState;
use logtrail::transport::{Connector, TransportSettings};

use crate::support::openssh::ssh;
use crate::support::sshd::{Sshd, me};
use crate::support::{Person, program, within};
use crate::transport::say;

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
pub(crate) fn bare(sshd: &Sshd, name: &str) -> HostSpec {
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
pub(crate) fn section(name: &str, sshd: &Sshd) -> String {
    format!(
        "Host {name}\n HostName 127.0.0.1\n Port {}\n User {}\n IdentityFile {}\n IdentitiesOnly yes\n \
         UserKnownHostsFile {}\n",
        sshd.port(),
        me(),
        sshd.client_key_path().display(),
        sshd.known_hosts().display()
    )
}

/// What the configuration says of a server whose key is on no record: accepted keys go to
/// `known_hosts`.
fn unknown(name: &str, sshd: &Sshd, known_hosts: &Path, checking: &str) -> String {
    section(name, sshd).replace(
        &sshd.known_hosts().display().to_string(),
        &known_hosts.display().to_string(),
    ) + &format!(" GlobalKnownHostsFile /dev/null\n StrictHostKeyChecking {checking}\n")
}

/// Whether we get in.
pub(crate) async fn reached(connector: &Connector, host: &HostSpec) -> bool {
    match within("connecting", connector.connect(host)).await {
        Ok(connection) => say(&connection, "echo in").await == "in\n",
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
    let text = format!(
        "{}{} ProxyJump bastion\n",
        section("bastion", &bastion),
        section("web-1", &target)
    );
    answers(&configured(&target, &text), &bare(&target, "web-1")).await;
    assert_eq!((bastion.accepted(), target.accepted()), (1, 1));
}

#[tokio::test]
async fn a_circle_of_proxy_jumps_is_an_error_not_an_endless_loop() {
    let sshd = Sshd::start();
    let text = format!(
        "{} ProxyJump b\n{} ProxyJump a\n",
        section("a", &sshd),
        section("b", &sshd)
    );
    let error = configured(&sshd, &text)
        .connect(&bare(&sshd, "a"))
        .await
        .err()
        .expect("a circle");
    assert_eq!(
        error.status.state,
        LinkState::Denied,
        "a person has to mend it"
    );
    assert!(error.status.hint.unwrap_or_default().contains("circle"));
}

#[tokio::test]
async fn a_proxy_command_that_ends_is_the_reason_and_not_the_host() {
    let sshd = Sshd::start();
    let text = format!(
        "{} ProxyCommand /nonexistent/proxy %h\n",
        section("web-1", &sshd)
    );
    let error = configured(&sshd, &text)
        .connect(&bare(&sshd, "web-1"))
        .await
        .err()
        .expect("no way there");
    let status = error.status;
    assert_eq!(status.state, LinkState::Unreachable, "{status:?}");
    assert!(
        status
            .reason
            .as_deref()
            .is_some_and(|reason| reason.starts_with("the ProxyCommand for web-1")),
        "{status:?}"
    );
    assert!(
        status
            .hint
            .as_deref()
            .is_some_and(|hint| hint.ends_with("/nonexistent/proxy 127.0.0.1")),
        "{status:?}"
    );
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

/// A row of a table: what hosts.toml and the configuration say of an unknown key, whether `ssh`
/// takes it, whether we do.
struct Unknown {
    inventory: Option<HostKeyPolicy>,
    configuration: &'static str,
    ssh: bool,
    ours: bool,
}

const STRICT: Option<HostKeyPolicy> = Some(HostKeyPolicy::Strict);
const ACCEPT_NEW: Option<HostKeyPolicy> = Some(HostKeyPolicy::AcceptNew);

/// What hosts.toml says is to `ssh` an option of its command line.
const UNKNOWN: [Unknown; 10] = [
    Unknown {
        inventory: STRICT,
        configuration: "accept-new",
        ssh: false,
        ours: false,
    },
    Unknown {
        inventory: STRICT,
        configuration: "no",
        ssh: false,
        ours: false,
    },
    Unknown {
        inventory: STRICT,
        configuration: "ask",
        ssh: false,
        ours: false,
    },
    // The first in which we differ: what is strict in one of two files is not weakened by the
    // other.
    Unknown {
        inventory: ACCEPT_NEW,
        configuration: "yes",
        ssh: true,
        ours: false,
    },
    Unknown {
        inventory: ACCEPT_NEW,
        configuration: "ask",
        ssh: true,
        ours: true,
    },
    Unknown {
        inventory: None,
        configuration: "accept-new",
        ssh: true,
        ours: true,
    },
    Unknown {
        inventory: None,
        configuration: "yes",
        ssh: false,
        ours: false,
    },
    Unknown {
        inventory: None,
        configuration: "ask",
        ssh: false,
        ours: false,
    },
    // The other: nothing is accepted blindly.
    Unknown {
        inventory: None,
        configuration: "no",
        ssh: true,
        ours: false,
    },
    Unknown {
        inventory: None,
        configuration: "off",
        ssh: true,
        ours: false,
    },
];

fn as_option(policy: Option<HostKeyPolicy>) -> Option<&'static str> {
    policy.map(|policy| match policy {
        HostKeyPolicy::Strict => "-oStrictHostKeyChecking=yes",
        HostKeyPolicy::AcceptNew => "-oStrictHostKeyChecking=accept-new",
    })
}

/// R39, R67.
#[tokio::test]
async fn r39_an_unknown_key_is_taken_where_the_inventory_or_the_configuration_says_so_and_neither_is_strict_by_either_transport()
 {
    let sshd = Sshd::start();
    for (n, row) in UNKNOWN.iter().enumerate() {
        let case = format!("{:?} over {}", row.inventory, row.configuration);
        let of_ssh = sshd.path(&format!("of-ssh-{n}"));
        let config = sshd.path(&format!("config-{n}"));
        std::fs::write(&config, unknown("web-1", &sshd, &of_ssh, row.configuration))
            .expect("written");
        let outcome = ssh(
            &config,
            &as_option(row.inventory).into_iter().collect::<Vec<_>>(),
            None,
            "web-1",
        );
        assert_eq!(outcome.reached, row.ssh, "ssh: {case}: {outcome:?}");
        for transport in [TransportKind::Auto, TransportKind::System] {
            let ours = sshd.path(&format!("ours-{n}-{transport:?}"));
            let connector = configured(&sshd, &unknown("web-1", &sshd, &ours, row.configuration));
            let mut host = bare(&sshd, "web-1");
            host.endpoint.host_keys = row.inventory;
            host.transport = transport;
            assert_eq!(
                reached(&connector, &host).await,
                row.ours,
                "{:?}: {case}",
                host.transport
            );
            assert_eq!(
                ours.exists(),
                row.ours,
                "{:?}: {case}: what is stored",
                host.transport
            );
        }
    }
}

/// R39: whatever is said, a key that differs from the one on record is refused, also where ssh
/// would go on.
#[tokio::test]
async fn a_changed_key_is_refused_where_the_configuration_has_checking_off() {
    let sshd = Sshd::start();
    let known = sshd.known_hosts();
    sshd.restart_with_new_host_key();
    for transport in [TransportKind::Auto, TransportKind::System] {
        for inventory in [None, ACCEPT_NEW] {
            let connector = configured(&sshd, &unknown("web-1", &sshd, &known, "no"));
            let mut host = bare(&sshd, "web-1");
            (host.transport, host.endpoint.host_keys) = (transport.clone(), inventory);
            let error = within("connecting", connector.connect(&host))
                .await
                .err()
                .expect("it changed");
            assert_eq!(
                error.status.state,
                LinkState::HostKeyChanged,
                "{transport:?} {inventory:?}: {:?}",
                error.status
            );
        }
    }
}

/// R39, R67: the host itself is on record; its jump host, which only the configuration knows, is
/// not.
#[tokio::test]
async fn an_unknown_jump_host_of_the_configuration_is_taken_by_its_own_entry_and_never_less_strictly_than_the_host()
 {
    let (bastion, target) = (Sshd::start(), Sshd::start());
    for (n, (of_host, of_all, of_bastion, ours)) in [
        (None, None, "accept-new", true),
        (None, None, "ask", false),
        (None, None, "no", false),
        (STRICT, None, "accept-new", false),
        (STRICT, ACCEPT_NEW, "accept-new", false),
        (ACCEPT_NEW, None, "yes", false),
        (ACCEPT_NEW, ACCEPT_NEW, "yes", false),
        (ACCEPT_NEW, ACCEPT_NEW, "ask", true),
        (None, STRICT, "accept-new", false),
    ]
    .into_iter()
    .enumerate()
    {
        for transport in [TransportKind::Auto, TransportKind::System] {
            let known = bastion.path(&format!("known-{n}-{transport:?}"));
            let text = unknown("bastion", &bastion, &known, of_bastion);
            let text = format!("{text}{} ProxyJump bastion\n", section("web-1", &target));
            let connector = configured(&target, &text).with_host_keys(of_all);
            let mut host = bare(&target, "web-1");
            (host.transport, host.endpoint.host_keys) = (transport.clone(), of_host.or(of_all));
            let case =
                format!("{transport:?}: host {of_host:?}, all {of_all:?}, bastion {of_bastion}");
            assert_eq!(reached(&connector, &host).await, ours, "{case}");
            assert_eq!(known.exists(), ours, "{case}: what is stored");
        }
    }
}

/// R67: what the inventory says of a jump host reaches the `ssh` that is started for it.
#[tokio::test]
async fn the_systems_ssh_uses_the_key_and_the_known_hosts_of_a_jump_host_of_the_inventory() {
    let (bastion, target) = (Sshd::start(), Sshd::start());
    let mut host = target.host("web-1");
    host.transport = TransportKind::System;
    host.via = vec![vec![bastion.endpoint("bastion")]];
    answers(&configured(&target, "\n"), &host).await;
    assert_eq!((bastion.accepted(), target.accepted()), (1, 1));
    host.via[0][0].known_hosts = vec![bastion.path("empty")];
    for checking in ["accept-new", "no"] {
        let connector = configured(
            &target,
            &format!("Host bastion\n StrictHostKeyChecking {checking}\n"),
        );
        host.via[0][0].host_keys = STRICT;
        assert!(!reached(&connector, &host).await, "strict over {checking}");
    }
    assert!(!bastion.path("empty").exists());
}

/// R67: paths of the configuration are where `ssh` finds them.
#[tokio::test]
async fn tokens_of_paths_are_expanded_as_ssh_does() {
    let sshd = Sshd::start();
    let user = me();
    let folder = sshd.path("keys");
    std::fs::create_dir(&folder).expect("a folder");
    let place = |name: &str| folder.join(name).display().to_string();
    for (case, pattern) in [
        (
            "the host, the login, the local user",
            format!("127.0.0.1-{user}-{user}"),
        ),
        (
            "the name, the port, the alias",
            format!("web-1-{}-web-1", sshd.port()),
        ),
        ("a percent sign", "100%".to_owned()),
        ("a space", "a b".to_owned()),
    ] {
        std::fs::copy(sshd.client_key_path(), place(&pattern)).expect(case);
        std::fs::set_permissions(
            place(&pattern),
            std::os::unix::fs::PermissionsExt::from_mode(0o600),
        )
        .expect(case);
    }
    for (written, reaches) in [
        ("%h-%r-%u", true),
        ("%n-%p-%k", true),
        ("100%%", true),
        ("a b", true),
        ("%h-%r-nobody", false),
    ] {
        let text = section("web-1", &sshd).replace(
            &format!("IdentityFile {}", sshd.client_key_path().display()),
            &format!("IdentityFile \"{}\"", place(written)),
        );
        let connector = configured(&sshd, &text);
        let outcome = ssh(&sshd.path("ssh_config"), &[], None, "web-1");
        assert_eq!(outcome.reached, reaches, "ssh: {written}: {outcome:?}");
        assert_eq!(
            reached(&connector, &bare(&sshd, "web-1")).await,
            reaches,
            "{written}"
        );
    }
}

#[tokio::test]
async fn the_home_a_variable_and_the_home_of_a_user_are_expanded_as_ssh_does() {
    let sshd = Sshd::start();
    let key = sshd.client_key_path().display().to_string();
    let up = "../".repeat(16);
    for written in [
        format!("%d/{up}{key}"),
        format!("~/{up}{key}"),
        format!("~{}/{up}{key}", me()),
        format!("${{HOME}}/{up}{key}"),
    ] {
        let connector = configured(&sshd, &section("web-1", &sshd).replace(&key, &written));
        let outcome = ssh(&sshd.path("ssh_config"), &[], None, "web-1");
        assert!(outcome.reached, "ssh: {written}: {outcome:?}");
        assert!(
            reached(&connector, &bare(&sshd, "web-1")).await,
            "{written}"
        );
    }
}

#[tokio::test]
async fn a_token_that_cannot_be_expanded_is_an_error_that_names_it_and_nothing_is_dialled() {
    // Some of them ssh finds out about only after it has dialled.
    let (of_ssh, ours) = (Sshd::start(), Sshd::start());
    for (keyword, written, named) in [
        ("IdentityFile", "/keys/%q", "%q"),
        (
            "IdentityFile",
            "${LOGTRAIL_HAS_NO_SUCH}/key",
            "LOGTRAIL_HAS_NO_SUCH",
        ),
        (
            "IdentityFile",
            "~logtrail-no-such-user/key",
            "logtrail-no-such-user",
        ),
        ("CertificateFile", "/keys/%q-cert.pub", "%q"),
        (
            "UserKnownHostsFile",
            "${LOGTRAIL_HAS_NO_SUCH}/known",
            "LOGTRAIL_HAS_NO_SUCH",
        ),
        ("UserKnownHostsFile", "/keys/%q", "%q"),
        ("IdentityAgent", "/run/%q", "%q"),
    ] {
        let text = |sshd: &Sshd| {
            format!(
                "Host web-1\n {keyword} {written}\n{}",
                section("web-1", sshd)
            )
        };
        let file = of_ssh.path("ssh_config");
        std::fs::write(&file, text(&of_ssh)).expect("written");
        let outcome = ssh(&file, &[], None, "web-1");
        assert!(
            !outcome.reached && outcome.said.contains(named),
            "ssh: {keyword} {written}: {outcome:?}"
        );
        let connector = configured(&ours, &text(&ours));
        let error = within("connecting", connector.connect(&bare(&ours, "web-1")))
            .await
            .err()
            .expect("no such token");
        assert!(
            error.to_string().contains(named),
            "{keyword} {written}: {error}"
        );
        assert!(
            error.to_string().starts_with("cannot "),
            "{keyword} {written}: {error}"
        );
        assert!(
            !error.to_string().contains("Pseudo-terminal"),
            "{keyword} {written}: {error}"
        );
        assert_eq!(
            error.status.state,
            LinkState::Denied,
            "only a person can mend it: {keyword} {written}: {error}"
        );
    }
    assert_eq!(ours.accepted(), 0);
}

/// What the inventory gives as the address is what `%h` is.
#[tokio::test]
async fn the_address_of_the_inventory_is_the_host_that_tokens_and_match_host_are_about() {
    let sshd = Sshd::start();
    let (known, key) = (sshd.known_hosts(), sshd.client_key_path());
    std::fs::copy(&known, sshd.path("known-127.0.0.1")).expect("copied");
    let folder = sshd.path("");
    let text = format!(
        "Match host 127.0.0.1\n UserKnownHostsFile {0}known-%h\n IdentityFile {1}\n IdentitiesOnly yes\n",
        folder.display(),
        key.display()
    );
    let mut host = bare(&sshd, "web-1");
    let Endpoint {
        address,
        port,
        user,
        ..
    } = sshd.endpoint("web-1");
    (
        host.endpoint.address,
        host.endpoint.port,
        host.endpoint.user,
    ) = (address, port, user);
    let connector = configured(&sshd, &text);
    let options = [
        &format!("-p{}", sshd.port()),
        "-oHostName=127.0.0.1",
        &format!("-l{}", me()),
    ];
    let outcome = ssh(&sshd.path("ssh_config"), &options, None, "web-1");
    assert!(outcome.reached, "ssh: {outcome:?}");
    answers(&connector, &host).await;
}

/// A row of a table: what the command line, hosts.toml and the configuration say of an unknown key,
/// and the exit status.
struct Layers {
    option: Option<&'static str>,
    inventory: Option<&'static str>,
    configuration: &'static str,
    exit: i32,
}

/// R39, R67: by the program as it is, with an `ssh` before the real one that reads this
/// configuration.
#[test]
fn r39_the_command_line_has_the_last_word_and_of_the_inventory_and_the_configuration_the_one_that_is_strict()
 {
    let (strict, accept_new) = (Some("strict"), Some("accept-new"));
    let sshd = Sshd::start();
    let log = sshd.path("app.log");
    std::fs::write(&log, "2026-11-20T13:00:00Z INFO one\n").expect("written");
    for (
        n,
        Layers {
            option,
            inventory,
            configuration,
            exit,
        },
    ) in [
        Layers {
            option: strict,
            inventory: None,
            configuration: "accept-new",
            exit: 4,
        },
        Layers {
            option: strict,
            inventory: accept_new,
            configuration: "accept-new",
            exit: 4,
        },
        Layers {
            option: accept_new,
            inventory: strict,
            configuration: "yes",
            exit: 0,
        },
        Layers {
            option: None,
            inventory: strict,
            configuration: "accept-new",
            exit: 4,
        },
        Layers {
            option: accept_new,
            inventory: None,
            configuration: "yes",
            exit: 0,
        },
        Layers {
            option: None,
            inventory: accept_new,
            configuration: "yes",
            exit: 4,
        },
        Layers {
            option: None,
            inventory: accept_new,
            configuration: "ask",
            exit: 0,
        },
        Layers {
            option: None,
            inventory: None,
            configuration: "accept-new",
            exit: 0,
        },
        Layers {
            option: None,
            inventory: None,
            configuration: "ask",
            exit: 4,
        },
    ]
    .into_iter()
    .enumerate()
    {
        for transport in ["auto", "system"] {
            let case = format!("{option:?}, {inventory:?}, {configuration}, {transport}");
            let folder = sshd.path(&format!("{n}-{transport}"));
            std::fs::create_dir(&folder).expect("a folder");
            let known = folder.join("known");
            std::fs::write(
                folder.join("config"),
                unknown("web-1", &sshd, &known, configuration),
            )
            .expect("written");
            let script = format!(
                "#!/bin/sh\nexec {} -F {} \"$@\"\n",
                program("ssh").display(),
                folder.join("config").display()
            );
            std::fs::write(folder.join("ssh"), script).expect("written");
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
            std::fs::set_permissions(folder.join("ssh"), mode).expect("executable");
            let policy = inventory
                .map(|policy| format!("host_keys = {policy:?}\n"))
                .unwrap_or_default();
            let source = format!("sources = [{{ name = \"app\", path = {log:?} }}]\n");
            let text = format!("[hosts.web-1]\ntransport = {transport:?}\n{policy}{source}");
            std::fs::write(folder.join("hosts.toml"), text).expect("written");
            let path = std::env::var("PATH").expect("a PATH");
            let output = std::process::Command::new(env!("CARGO_BIN_EXE_logtrail-tui"))
                .args(["--hosts", "web-1", "--once", "--config"])
                .arg(folder.join("hosts.toml"))
                .args(
                    option
                        .into_iter()
                        .flat_map(|policy| ["--host-keys", policy]),
                )
                .env("PATH", format!("{}:{path}", folder.display()))
                .output()
                .expect("the program starts");
            assert_eq!(output.status.code(), Some(exit), "{case}: {output:?}");
            assert_eq!(known.exists(), exit == 0, "{case}: what is stored");
        }
    }
}
