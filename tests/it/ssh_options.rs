//! Options of OpenSSH's configuration, each against the real `ssh` with the same file: the built-in
//! client keeps to them, or the system's `ssh` is used and the host says so.

use logtrail::model::host::{Address, HostSpec, TransportKind};
use logtrail::model::state::LinkState;
use logtrail::transport::Connector;

use crate::support::binary::logtrail;
use crate::support::connect::output_of;
use crate::support::files::append;
use crate::support::inventory::Inventory;
use crate::support::openssh::ssh;
use crate::support::ssh_config::{configured, lets_in, named_only, ssh_section};
use crate::support::sshd::Sshd;
use crate::support::time_limit::Stopwatch;
use crate::support::{wait_until, within};

/// By which client a host is reached, and why.
#[derive(Debug, PartialEq, Eq)]
enum Way {
    BuiltIn,
    Ssh(String),
}

async fn way(connector: &Connector, host: &HostSpec) -> Way {
    let connected = within("connecting", connector.connect(host)).await;
    let connection = connected.unwrap_or_else(|error| panic!("{:?}", error.status));
    assert_eq!(output_of(&connection, "echo in").await, "in\n");
    connection
        .by_ssh()
        .map_or(Way::BuiltIn, |why| Way::Ssh(why.to_owned()))
}

/// What is said of a host, of its server, and why `ssh` is needed where it is.
struct OptionRow {
    client: &'static str,
    server: &'static str,
    by_ssh: Option<&'static str>,
}

const fn built_in(client: &'static str, server: &'static str) -> OptionRow {
    OptionRow {
        client,
        server,
        by_ssh: None,
    }
}

const fn by_ssh(client: &'static str, server: &'static str, why: &'static str) -> OptionRow {
    OptionRow {
        client,
        server,
        by_ssh: Some(why),
    }
}

const NOTHING: &str = "LogLevel VERBOSE";
const CTR: &str = "Ciphers aes256-ctr";

/// `CTR` where the algorithms that are told apart are those of message authentication.
const ROWS: &[OptionRow] = &[
    built_in("LogLevel ERROR", "KexAlgorithms ecdh-sha2-nistp256"),
    built_in("LogLevel ERROR", "KexAlgorithms ecdh-sha2-nistp521"),
    built_in("LogLevel ERROR", "Ciphers aes192-ctr"),
    built_in(
        "KexAlgorithms +diffie-hellman-group14-sha1",
        "KexAlgorithms diffie-hellman-group14-sha1",
    ),
    built_in(
        "KexAlgorithms +diffie-hellman-group1-sha1",
        "KexAlgorithms diffie-hellman-group1-sha1",
    ),
    built_in("Ciphers +aes128-cbc", "Ciphers aes128-cbc"),
    built_in("Ciphers aes256-gcm@openssh.com", NOTHING),
    built_in("AddressFamily inet", NOTHING),
    built_in("BindAddress 127.0.0.3", NOTHING),
    built_in("PreferredAuthentications publickey", NOTHING),
    built_in("BatchMode yes", NOTHING),
    built_in("RemoteCommand echo other", NOTHING),
    built_in("SessionType none", NOTHING),
    built_in("ForkAfterAuthentication yes", NOTHING),
    by_ssh(
        "LogLevel ERROR",
        "KexAlgorithms sntrup761x25519-sha512@openssh.com",
        "its server has no key exchange but sntrup761x25519-sha512@openssh.com",
    ),
    by_ssh(
        "Ciphers +3des-cbc",
        "Ciphers 3des-cbc",
        "its server has no cipher but 3des-cbc",
    ),
    by_ssh(
        "Ciphers aes256-ctr",
        "MACs umac-128-etm@openssh.com",
        "its server has no message authentication but umac-128-etm@openssh.com",
    ),
    by_ssh(
        "HostKeyAlgorithms +ssh-rsa",
        "HostKeyAlgorithms ssh-rsa",
        "its server has no host key but ssh-rsa",
    ),
    by_ssh(
        "Ciphers 3des-cbc",
        "Ciphers +3des-cbc",
        "the configuration of web-1 has Ciphers without any that the built-in client has",
    ),
    by_ssh(
        "BindInterface lo",
        NOTHING,
        "the configuration of web-1 has BindInterface",
    ),
    by_ssh(
        "PreferredAuthentications gssapi-with-mic,publickey",
        NOTHING,
        "the configuration of web-1 has GSSAPI or host-based login before others",
    ),
];

fn server(row: &OptionRow) -> Sshd {
    let mut builder = Sshd::builder().config(row.server);
    if row.server.starts_with("MACs") {
        builder = builder.config(CTR);
    }
    if row.server.contains("ssh-rsa") {
        builder = builder.host_key_type("rsa");
    }
    builder.start()
}

/// R67.
#[tokio::test]
async fn r67_options_are_kept_to_or_the_systems_ssh_is_used_and_said() {
    for row in ROWS {
        let case = format!("{} to {}", row.client, row.server);
        let sshd = server(row);
        let text = format!("{} {}\n", ssh_section("web-1", &sshd), row.client);
        let connector = configured(&sshd, &text);
        let host = named_only(&sshd, "web-1");
        let expected = row
            .by_ssh
            .map_or(Way::BuiltIn, |why| Way::Ssh(why.to_owned()));
        assert_eq!(way(&connector, &host).await, expected, "{case}");
        let dialled = sshd.accepted();
        assert_eq!(way(&connector, &host).await, expected, "{case}, again");
        assert_eq!(
            sshd.accepted(),
            dialled + 1,
            "{case}: what was learnt is not tried again"
        );
        // The measure: `ssh` reaches it too, but for what is for people at a terminal.
        let is_for_people = ["RemoteCommand", "SessionType", "Fork"]
            .iter()
            .any(|option| row.client.starts_with(option));
        let config = sshd.path("ssh_config");
        assert!(
            is_for_people || ssh(&config, &[], None, "web-1").reached,
            "{case}: ssh"
        );
    }
}

/// R67: with the same server and without the option that asks for it nothing old is used.
#[tokio::test]
async fn r67_old_algorithms_are_refused_where_nobody_asked_for_them() {
    for (client, server) in [
        (
            "LogLevel ERROR",
            "KexAlgorithms diffie-hellman-group14-sha1",
        ),
        (
            "KexAlgorithms +diffie-hellman-group1-sha1",
            "Ciphers aes128-cbc",
        ),
        (
            "Ciphers aes256-gcm@openssh.com",
            "Ciphers aes128-gcm@openssh.com",
        ),
        ("MACs hmac-sha2-512", "Ciphers 3des-cbc"),
    ] {
        let sshd = Sshd::builder().config(server).start();
        let text = format!("{} {client}\n", ssh_section("web-1", &sshd));
        let connector = configured(&sshd, &text);
        let reached = lets_in(&connector, &named_only(&sshd, "web-1")).await;
        assert!(!reached, "{client} to {server}");
        assert!(
            !ssh(&sshd.path("ssh_config"), &[], None, "web-1").reached,
            "ssh: {client} to {server}"
        );
    }
}

/// R67: no key is offered where the configuration has keys off, or other ways to log in only.
#[tokio::test]
async fn r67_keys_are_not_offered_where_the_configuration_excludes_them() {
    for option in [
        "PubkeyAuthentication no",
        "PreferredAuthentications password",
        "PreferredAuthentications keyboard-interactive,password",
    ] {
        let sshd = Sshd::start();
        let text = format!("{} {option}\n", ssh_section("web-1", &sshd));
        let connector = configured(&sshd, &text);
        let refused = within("connecting", connector.connect(&named_only(&sshd, "web-1")))
            .await
            .err()
            .expect("no other way in");
        assert_eq!(refused.status.state, LinkState::Denied, "{option}");
        let reason = refused.status.reason.unwrap_or_default();
        assert!(
            reason.contains("having nothing to offer") && reason.contains("and ~/.ssh/config "),
            "{option}: {reason}"
        );
        assert!(
            !sshd.log().contains("publickey"),
            "{option}: {}",
            sshd.log()
        );
    }
}

/// R67: what is for people at a terminal does not stop our shell in the system's ssh either.
#[tokio::test]
async fn r67_the_systems_ssh_runs_our_shell_whatever_is_for_people() {
    for options in [
        " RemoteCommand tmux attach\n RequestTTY force\n",
        " SessionType none\n",
        " SessionType subsystem\n",
        " ForkAfterAuthentication yes\n StdinNull yes\n",
        " LogLevel QUIET\n",
    ] {
        let sshd = Sshd::start();
        let text = format!("{}{options}", ssh_section("web-1", &sshd));
        let connector = configured(&sshd, &text);
        let mut host = named_only(&sshd, "web-1");
        host.transport = TransportKind::System;
        assert_eq!(way(&connector, &host).await, Way::BuiltIn, "{options}");
    }
}

/// R67: the section of an address is for the host that has it, after that of its name.
#[tokio::test]
async fn r67_sections_of_the_address_are_for_a_host_of_the_inventory() {
    let (bastion, target) = (Sshd::start(), Sshd::start());
    for pattern in ["127.0.0.*", "127.0.0.1", "127.*"] {
        let by_address = ssh_section(pattern, &target).replace(" HostName 127.0.0.1\n", "");
        let text = format!(
            "{}Host web-1\n User nobody-else\n{by_address} ProxyJump bastion\n",
            ssh_section("bastion", &bastion),
        );
        for transport in [TransportKind::Auto, TransportKind::System] {
            let (before, via) = (target.accepted(), bastion.accepted());
            let mut host = named_only(&target, "web-1");
            host.endpoint.user = target.host("web-1").endpoint.user;
            host.endpoint.address = Some(Address::new("127.0.0.1").expect("an address"));
            host.transport = transport.clone();
            let connector = configured(&target, &text);
            assert_eq!(way(&connector, &host).await, Way::BuiltIn, "{pattern}");
            let dialled = (target.accepted() - before, bastion.accepted() - via);
            assert_eq!(dialled, (1, 1), "{pattern} by {transport:?}");
        }
    }
}

/// R67: a jump host that only the system's ssh can reach takes the host behind it along.
#[tokio::test]
async fn r67_a_jump_host_beyond_the_built_in_client_is_passed_by_the_systems_ssh() {
    let sntrup = "KexAlgorithms sntrup761x25519-sha512@openssh.com";
    let (bastion, target) = (Sshd::builder().config(sntrup).start(), Sshd::start());
    let text = format!(
        "{}{} ProxyJump bastion\n",
        ssh_section("bastion", &bastion),
        ssh_section("web-1", &target)
    );
    let connector = configured(&target, &text);
    let way = way(&connector, &named_only(&target, "web-1")).await;
    assert!(
        matches!(&way, Way::Ssh(why) if why.contains("sntrup761")),
        "{way:?}"
    );
}

/// R39: where checking is off for `ssh`, the hint names what helps here.
#[tokio::test]
async fn r39_an_unknown_key_with_checking_off_has_a_hint_that_helps() {
    for transport in [TransportKind::Auto, TransportKind::System] {
        let sshd = Sshd::start();
        let text = ssh_section("web-1", &sshd).replace(
            &sshd.known_hosts().display().to_string(),
            &sshd.path("nothing").display().to_string(),
        );
        let connector = configured(&sshd, &(text + " StrictHostKeyChecking no\n"));
        let mut host = named_only(&sshd, "web-1");
        host.transport = transport.clone();
        let refused = within("connecting", connector.connect(&host)).await;
        let hint = refused.err().expect("unknown").status.hint;
        assert!(
            hint.as_deref()
                .is_some_and(|hint| hint.contains("accept-new")),
            "{transport:?}: {hint:?}"
        );
    }
}

/// A zone is part of an address: it is dialled, and not looked up as a name.
#[tokio::test]
async fn an_address_with_a_zone_is_dialled() {
    let sshd = Sshd::start();
    for transport in [TransportKind::Auto, TransportKind::System] {
        let mut host = sshd.host("web-1");
        host.endpoint.address = Some(Address::new("fe80::1%lo").expect("an address"));
        host.transport = transport.clone();
        let connector = configured(&sshd, "\n");
        let refused = within("connecting", connector.connect(&host)).await;
        let status = refused.err().expect("nobody is there").status;
        let reason = status.reason.unwrap_or_default();
        let looked_up = ["cannot find", "resolve", "hostname", "percent"];
        assert!(
            reason.contains("fe80::1%lo") && !looked_up.iter().any(|word| reason.contains(word)),
            "{transport:?}: {reason}"
        );
    }
}

/// R40: the system's ssh, which holds the connection, does not outlive us.
#[tokio::test(flavor = "multi_thread")]
async fn r40_the_systems_ssh_and_its_folder_are_gone_after_kill_9() {
    let sshd = Sshd::start();
    let log = sshd.path("app.log");
    append(&log, "one\n");
    // Too long for the name of a socket.
    let long = sshd.path(&"x".repeat(90));
    std::fs::create_dir(&long).expect("a folder");
    for folder in [sshd.path(""), long] {
        let config = Inventory::default()
            .following("web-1", &sshd, &log)
            .line("transport = \"system\"")
            .write(&sshd.path(""));
        let out = sshd.path("out");
        let file = std::fs::File::create(&out).expect("a file");
        let mut console = logtrail(&config, &["tail", "-f"])
            .env("TMPDIR", &folder)
            .env_remove("XDG_RUNTIME_DIR")
            .stdout(file)
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("it starts");
        let printed = || match std::fs::read_to_string(&out) {
            Ok(text) if text.contains("one") => Ok(()),
            other => Err(format!("{other:?}")),
        };
        wait_until("the line", printed).await;
        let ours = masters(sshd.port());
        assert!(!ours.is_empty(), "it is reached by ssh");
        console.kill().expect("SIGKILL");
        console.wait().expect("it ends");
        let killed = Stopwatch::start();
        let gone = || {
            let left = masters(sshd.port());
            let folders = left_folders(&folder);
            if left.is_empty() && folders.is_empty() {
                Ok(())
            } else {
                Err(format!("{left:?} {folders:?}"))
            }
        };
        wait_until("ssh to be gone", gone).await;
        killed.assert_within_s(5, "the end of ssh");
    }
}

/// Command lines of `ssh` that reach this port.
fn masters(port: u16) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").expect("/proc");
    let lines = processes.filter_map(|entry| {
        let line = std::fs::read(entry.ok()?.path().join("cmdline")).ok()?;
        Some(String::from_utf8_lossy(&line).replace('\0', " "))
    });
    let to_it = format!("-p{port} ");
    lines
        .filter(|line| line.contains("-M -N") && line.contains(&to_it))
        .collect()
}

fn left_folders(folder: &std::path::Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).expect("a folder");
    let names = names.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.filter(|name| name.starts_with("lt")).collect()
}
