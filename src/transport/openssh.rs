//! What `ssh -G` is asked, and what its answer means.
//!
//! `tokens` runs it. What only the system's `ssh` can do is in one table here, `SystemOnlyOptions`;
//! what of the rest is decided how is left to `plan`.

use std::path::PathBuf;

use super::login_methods::LoginMethods;
use super::outward::{AddressFamily, LocalEnd};
use crate::model::host::{Address, HostKeyPolicy};

/// What `ssh -G` is asked: everything that its answer depends on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct SshQuestion {
    pub(super) name: String,
    pub(super) user: Option<String>,
    pub(super) port: Option<u16>,
    /// In place of `HostName`: tokens and `Match host` are about what is dialled.
    pub(super) address: Option<Address>,
}

/// The options that tell `ssh` what is dialled under the name of a host. The sections of the address
/// are for such a host too, after those of its name: where names are made canonical OpenSSH reads
/// its configuration once more, for what the name came to.
pub(super) fn at_address(address: &Address) -> [String; 2] {
    [
        format!("-oHostName={}", address.without_tokens()),
        "-oCanonicalizeHostname=always".to_owned(),
    ]
}

/// Lists of algorithms, as `ssh` has them in force.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct AlgorithmLists {
    pub(super) kex: Vec<String>,
    pub(super) host_keys: Vec<String>,
    pub(super) ciphers: Vec<String>,
    pub(super) macs: Vec<String>,
}

/// The part of `ssh -G` that matters here. Lists are as printed, tokens expanded, `~` not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct OpenSsh {
    pub(super) hostname: Option<String>,
    pub(super) user: Option<String>,
    pub(super) port: Option<u16>,
    pub(super) identity_files: Vec<String>,
    pub(super) identities_only: bool,
    pub(super) identity_agent: Option<String>,
    pub(super) certificate_files: Vec<String>,
    pub(super) user_known_hosts: Vec<String>,
    pub(super) global_known_hosts: Vec<String>,
    pub(super) hash_known_hosts: bool,
    pub(super) host_key_alias: Option<String>,
    /// `StrictHostKeyChecking yes` and `accept-new`. `no` and `off` are not obeyed: then an unknown
    /// key is asked about.
    pub(super) host_keys: Option<HostKeyPolicy>,
    /// `RevokedHostKeys`; newer versions of OpenSSH take more than one.
    pub(super) revoked_host_keys: Vec<String>,
    pub(super) required_rsa_size: Option<u32>,
    pub(super) algorithms: AlgorithmLists,
    /// The same lists where nothing is configured.
    pub(super) default_algorithms: AlgorithmLists,
    /// Whether keys of ours may sign with SHA-1 (`PubkeyAcceptedAlgorithms +ssh-rsa`).
    pub(super) signs_with_sha1: bool,
    pub(super) login_methods: LoginMethods,
    pub(super) local_end: LocalEnd,
    /// `StrictHostKeyChecking no`, which is not obeyed.
    pub(super) checking_is_off: bool,
    /// Options of `ssh` that would keep a shell of ours from running, each with what to set it to.
    pub(super) session_overrides: Vec<&'static str>,
    pub(super) ca_signature_algorithms: Option<Vec<String>>,
    /// The user's home as OpenSSH has it: that of the password file, whatever `$HOME` says.
    pub(super) home: Option<PathBuf>,
    pub(super) proxy_jump: Vec<String>,
    pub(super) proxy_command: Option<String>,
    pub(super) beyond_russh: Option<String>,
}

impl OpenSsh {
    /// Reads the output of `ssh -G`: lines of a lower-case keyword and its value. Unknown keywords
    /// are ignored.
    pub(super) fn parse(text: &str) -> Self {
        let mut said = Self::default();
        let mut beyond = SystemOnlyOptions::default();
        for line in text.lines() {
            if let Some((key, value)) = line.trim().split_once(' ') {
                said.set(key, value.trim());
                said.login_methods.set(key, value.trim());
                said.session_overrides.extend(overridden(key, value.trim()));
                beyond.note(key, value.trim());
            }
        }
        said.beyond_russh = beyond.verdict();
        said
    }

    fn set(&mut self, key: &str, value: &str) {
        let some = || Some(value.to_owned()).filter(|value| value != "none");
        let words = || value.split_ascii_whitespace().map(str::to_owned).collect();
        match key {
            "hostname" => self.hostname = some(),
            "user" => self.user = some(),
            "port" => self.port = value.parse().ok(),
            "identityfile" => self.identity_files.push(value.to_owned()),
            "identitiesonly" => self.identities_only = is_yes(value),
            "identityagent" => self.identity_agent = Some(value.to_owned()),
            "certificatefile" => self.certificate_files.extend(some()),
            "userknownhostsfile" => self.user_known_hosts = words(),
            "globalknownhostsfile" => self.global_known_hosts = words(),
            "hashknownhosts" => self.hash_known_hosts = is_yes(value),
            "hostkeyalias" => self.host_key_alias = some(),
            "stricthostkeychecking" => {
                self.host_keys = policy(value);
                self.checking_is_off = matches!(value, "no" | "off" | "false");
            }
            "revokedhostkeys" => self.revoked_host_keys.extend(some()),
            "requiredrsasize" => self.required_rsa_size = value.parse().ok(),
            "hostkeyalgorithms" => self.algorithms.host_keys = list(value),
            "kexalgorithms" => self.algorithms.kex = list(value),
            "ciphers" => self.algorithms.ciphers = list(value),
            "macs" => self.algorithms.macs = list(value),
            "pubkeyacceptedalgorithms" | "pubkeyacceptedkeytypes" => {
                self.signs_with_sha1 = list(value).iter().any(|name| name == "ssh-rsa");
            }
            "addressfamily" => self.local_end.family = AddressFamily::of(value),
            "bindaddress" => self.local_end.address = some(),
            "casignaturealgorithms" => self.ca_signature_algorithms = Some(list(value)),
            // Asked for by us: see `tokens`.
            "controlpath" => {
                self.home = Some(PathBuf::from(value)).filter(|home| home.is_absolute());
            }
            "proxycommand" => self.proxy_command = some(),
            "proxyjump" => {
                self.proxy_jump = some().map_or_else(Vec::new, |jumps| list(&jumps));
            }
            _ => {}
        }
    }
}

/// What only the system's `ssh` can do.
#[derive(Default)]
struct SystemOnlyOptions {
    reasons: Vec<String>,
}

impl SystemOnlyOptions {
    fn note(&mut self, key: &str, value: &str) {
        let reason = match key {
            "pkcs11provider" if value != "none" => "a smart card (PKCS11Provider)",
            "knownhostscommand" if value != "none" => "KnownHostsCommand",
            "bindinterface" if value != "none" => "BindInterface",
            "hostbasedauthentication" if is_yes(value) => "HostbasedAuthentication",
            "verifyhostkeydns" if value != "no" && value != "false" => "VerifyHostKeyDNS",
            "proxyusefdpass" if is_yes(value) => "ProxyUseFdpass",
            "preferredauthentications" if foreign_first(value) => {
                "GSSAPI or host-based login before others"
            }
            _ => return,
        };
        self.reasons.push(reason.to_owned());
    }

    fn verdict(self) -> Option<String> {
        (!self.reasons.is_empty()).then(|| self.reasons.join(", "))
    }
}

/// Debian offers GSSAPI to everybody, so only a list in which somebody has put it first counts.
fn foreign_first(methods: &str) -> bool {
    methods.starts_with("gssapi") || methods.starts_with("hostbased")
}

/// What an option must be set to where it would keep a shell of ours from running, or the reason
/// why it does not from being told. Older versions do not know all of them, so only what was set is
/// set again.
fn overridden(key: &str, value: &str) -> Option<&'static str> {
    match key {
        "remotecommand" if value != "none" => Some("RemoteCommand=none"),
        "sessiontype" if value != "default" => Some("SessionType=default"),
        "forkafterauthentication" if is_yes(value) => Some("ForkAfterAuthentication=no"),
        "stdinnull" if is_yes(value) => Some("StdinNull=no"),
        "tunnel" if value != "no" && value != "false" => Some("Tunnel=no"),
        "loglevel" if matches!(value, "QUIET" | "FATAL") => Some("LogLevel=INFO"),
        _ => None,
    }
}

fn list(value: &str) -> Vec<String> {
    value.split(',').map(str::to_owned).collect()
}

/// `ask` is the default of OpenSSH, and its `ssh -G` prints the default: it says nothing.
fn policy(value: &str) -> Option<HostKeyPolicy> {
    match value {
        "accept-new" => Some(HostKeyPolicy::AcceptNew),
        _ if is_yes(value) => Some(HostKeyPolicy::Strict),
        _ => None,
    }
}

fn is_yes(value: &str) -> bool {
    matches!(value, "yes" | "true")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_output_of_ssh_is_understood() {
        let said = OpenSsh::parse(
            "host web\nuser ops\nhostname 10.0.0.7\nport 2222\nidentitiesonly yes\nhashknownhosts yes\n\
             stricthostkeychecking accept-new\nidentityfile ~/.ssh/a\nidentityfile ~/.ssh/b\n\
             userknownhostsfile /a /b\nproxyjump ops@b1:22,b2\nhostkeyalias web\nidentityagent none\n",
        );
        assert_eq!(said.hostname.as_deref(), Some("10.0.0.7"));
        assert_eq!((said.user.as_deref(), said.port), (Some("ops"), Some(2222)));
        assert_eq!(said.identity_files, ["~/.ssh/a", "~/.ssh/b"]);
        assert_eq!(said.user_known_hosts, ["/a", "/b"]);
        assert_eq!(said.proxy_jump, ["ops@b1:22", "b2"]);
        assert!(said.identities_only && said.hash_known_hosts);
        assert_eq!(said.host_keys, Some(HostKeyPolicy::AcceptNew));
        assert_eq!(said.identity_agent.as_deref(), Some("none"));
        assert_eq!(said.beyond_russh, None);
    }

    #[test]
    fn strict_checking_is_yes_or_accept_new_and_never_less() {
        let said =
            |value: &str| OpenSsh::parse(&format!("stricthostkeychecking {value}\n")).host_keys;
        assert_eq!(["yes", "true"].map(said), [Some(HostKeyPolicy::Strict); 2]);
        assert_eq!(said("accept-new"), Some(HostKeyPolicy::AcceptNew));
        assert_eq!(["ask", "no", "off", "false"].map(said), [None; 4]);
    }

    #[test]
    fn none_means_nothing_and_debians_gssapi_default_asks_for_nothing_special() {
        let said = OpenSsh::parse(
            "proxycommand none\nproxyjump none\npkcs11provider none\ngssapiauthentication yes\nverifyhostkeydns false\n",
        );
        assert_eq!(said, OpenSsh::default());
    }

    #[test]
    fn what_russh_cannot_do_is_named() {
        let said = OpenSsh::parse(
            "pkcs11provider /lib/p11.so\npreferredauthentications gssapi-with-mic,hostbased\n",
        );
        assert_eq!(
            said.beyond_russh.as_deref(),
            Some("a smart card (PKCS11Provider), GSSAPI or host-based login before others")
        );
        let said = OpenSsh::parse("bindinterface eth1\nhostbasedauthentication yes\n");
        assert_eq!(
            said.beyond_russh.as_deref(),
            Some("BindInterface, HostbasedAuthentication")
        );
    }

    #[test]
    fn what_would_keep_a_shell_from_running_is_set_again_where_it_was_set() {
        let said = OpenSsh::parse(
            "remotecommand tmux attach\nsessiontype subsystem\nforkafterauthentication yes\nstdinnull yes\ntunnel \
             point-to-point\nloglevel QUIET\n",
        );
        assert_eq!(
            said.session_overrides,
            [
                "RemoteCommand=none",
                "SessionType=default",
                "ForkAfterAuthentication=no",
                "StdinNull=no",
                "Tunnel=no",
                "LogLevel=INFO"
            ]
        );
        let defaults = "remotecommand none\nsessiontype default\nforkafterauthentication no\nstdinnull no\ntunnel false\nloglevel INFO\n";
        assert!(OpenSsh::parse(defaults).session_overrides.is_empty());
    }

    #[test]
    fn a_value_with_spaces_is_kept_whole() {
        assert_eq!(
            OpenSsh::parse("proxycommand nc -X 5 %h %p\n")
                .proxy_command
                .as_deref(),
            Some("nc -X 5 %h %p")
        );
    }
}
