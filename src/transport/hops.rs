//! Writes what the system's `ssh` must know of the jump hosts on a route: a configuration of ours
//! before the user's own.
//!
//! Options on the command line reach the last server only; `ssh` starts another `ssh` for each jump
//! host, which is given nothing but the file of `-F`. `system` writes the options of the host
//! itself.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::connector_state::ConnectorState;
use super::plan::ConnectPlan;
use super::tokens::quoted;
use crate::model::host::HostKeyPolicy;

/// Holds for every server on the way, whatever the user's configuration says.
const FORCED: &str = "BatchMode yes\nPermitLocalCommand no\nForwardAgent no\nForwardX11 no\nServerAliveInterval 5\n\
                      ServerAliveCountMax 3\n";

/// The option that names the configuration for a way, the host last: that of the user, with a file
/// in `folder` before it where there are jump hosts.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn configuration(
    chain: &[ConnectPlan],
    inner: &ConnectorState,
    folder: &Path,
) -> io::Result<Option<String>> {
    let Some((_, hops)) = chain.split_last().filter(|(_, hops)| !hops.is_empty()) else {
        return Ok(inner.config_option());
    };
    let users = match inner.ssh_config.get() {
        _ if !inner.settings.ssh_config => Vec::new(),
        Some(file) => vec![std::path::absolute(file)?],
        None => vec![
            PathBuf::from("~/.ssh/config"),
            PathBuf::from("/etc/ssh/ssh_config"),
        ],
    };
    let file = folder.join("config");
    std::fs::write(&file, text(hops, &users, inner.settings.connect_timeout))?;
    Ok(Some(format!("-F{}", file.display())))
}

/// The value of `StrictHostKeyChecking`. Nobody can be asked, so what would be asked is refused.
pub(super) fn strictness(policy: HostKeyPolicy) -> &'static str {
    match policy {
        HostKeyPolicy::Strict => "yes",
        HostKeyPolicy::AcceptNew => "accept-new",
    }
}

/// The first value counts in `ssh_config`, so what is ours comes before what is included.
fn text(hops: &[ConnectPlan], users: &[PathBuf], connect_timeout: Duration) -> String {
    let mut text = FORCED.to_owned();
    let _ = writeln!(text, "ConnectTimeout {}", connect_timeout.as_secs().max(1));
    for hop in hops {
        text.push_str(&section(hop));
    }
    text.push_str("Match all\n");
    for file in users {
        let _ = writeln!(text, "Include {}", path(file));
    }
    text
}

fn section(hop: &ConnectPlan) -> String {
    let own = &hop.own;
    let mut text = format!(
        "Host {}\n StrictHostKeyChecking {}\n",
        own.name,
        strictness(hop.host_keys)
    );
    if let Some(address) = &own.address {
        let address = address.without_tokens();
        let _ = writeln!(text, " HostName {address}\n CanonicalizeHostname always");
    }
    for option in &hop.session_overrides {
        let _ = writeln!(text, " {}", option.replace('=', " "));
    }
    for file in &own.identity {
        let _ = writeln!(text, " IdentityFile {}", path(file));
    }
    if !own.identity.is_empty() {
        text.push_str(" IdentitiesOnly yes\n");
    }
    if !own.known_hosts.is_empty() {
        let files: Vec<String> = own.known_hosts.iter().map(|file| path(file)).collect();
        let _ = writeln!(text, " UserKnownHostsFile {}", files.join(" "));
    }
    text
}

/// A path in which nothing is a token.
fn path(file: &Path) -> String {
    quoted(&file.display().to_string().replace('%', "%%"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::host::{Endpoint, HostName};
    use crate::transport::TransportSettings;
    use crate::transport::openssh::OpenSsh;

    fn hop(own: Endpoint, said: &str) -> ConnectPlan {
        let settings = TransportSettings {
            ssh_config: true,
            connect_timeout: Duration::from_secs(1),
            known_hosts: None,
        };
        ConnectPlan::new(&own, Some(&OpenSsh::parse(said)), &settings).expect("a plan")
    }

    #[test]
    fn what_is_said_of_a_jump_host_stands_before_the_users_own_configuration() {
        let own = Endpoint {
            identity: vec!["/keys/a %b".into()],
            known_hosts: vec!["/k1".into(), "/k 2".into()],
            ..Endpoint::new(HostName::new("bastion").expect("a name"))
        };
        let text = text(
            &[hop(own, "stricthostkeychecking accept-new\n")],
            &["/home/ann/.ssh/config".into()],
            Duration::from_millis(2500),
        );
        let expected = "Host bastion\n StrictHostKeyChecking accept-new\n IdentityFile \"/keys/a %%b\"\n IdentitiesOnly yes\n \
                        UserKnownHostsFile \"/k1\" \"/k 2\"\nMatch all\nInclude \"/home/ann/.ssh/config\"\n";
        assert_eq!(text, format!("{FORCED}ConnectTimeout 2\n{expected}"));
        assert!(
            text.contains("\nServerAliveInterval 5\nServerAliveCountMax 3\n"),
            "{text}"
        );
    }

    #[test]
    fn a_jump_host_for_which_checking_is_off_is_checked_all_the_same() {
        let own = Endpoint::new(HostName::new("bastion").expect("a name"));
        for off in ["no", "off", "ask"] {
            let section = section(&hop(own.clone(), &format!("stricthostkeychecking {off}\n")));
            assert_eq!(section, "Host bastion\n StrictHostKeyChecking yes\n");
        }
    }
}
