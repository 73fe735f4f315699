//! What the user's OpenSSH configuration says of a host, as `ssh -G` prints it.
//!
//! No parser of ours reads `ssh_config`: `Match`, `Include` and tokens are OpenSSH's business. Answers are kept for
//! the run. What is made of them is decided in `plan`.

use std::collections::HashMap;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::process::Command;
use tokio::sync::{OnceCell, Semaphore};

use super::LinkError;
use crate::model::{Endpoint, LinkState};

/// `ssh -G` takes 14 ms; more than this is a `Match exec` that hangs.
const TIME: Duration = Duration::from_secs(10);

/// Runs of `ssh -G` at once: it is all processor time.
const AT_ONCE: usize = 4;

/// The part of `ssh -G` that matters here. Lists are as printed, `~` not expanded.
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
    /// `StrictHostKeyChecking accept-new`. `no` and `off` are not obeyed: then an unknown key is asked about.
    pub(super) accept_new: bool,
    pub(super) proxy_jump: Vec<String>,
    pub(super) proxy_command: Option<String>,
    pub(super) beyond_russh: Option<String>,
}

/// The answers of this run.
pub(super) struct Resolver {
    answers: Mutex<HashMap<Asked, Arc<Answer>>>,
    at_once: Semaphore,
}

type Asked = (String, Option<String>, Option<u16>);
type Answer = OnceCell<Option<Arc<OpenSsh>>>;

impl Resolver {
    pub(super) fn new() -> Self {
        Self { answers: Mutex::default(), at_once: Semaphore::new(AT_ONCE) }
    }

    /// What `ssh -G` says of an endpoint; `None` where there is no `ssh`. `config` is its option for a configuration.
    ///
    /// # Errors
    /// When `ssh` refuses the configuration or does not answer in time.
    pub(super) async fn ask(
        &self,
        endpoint: &Endpoint,
        config: Option<String>,
    ) -> Result<Option<Arc<OpenSsh>>, LinkError> {
        let asked = (name_for_ssh(endpoint), endpoint.user.as_ref().map(ToString::to_string), endpoint.port);
        let cell = {
            let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(answers.entry(asked.clone()).or_default())
        };
        cell.get_or_try_init(|| self.run(asked, config)).await.cloned()
    }

    async fn run(&self, (name, user, port): Asked, config: Option<String>) -> Result<Option<Arc<OpenSsh>>, LinkError> {
        let _permit = self.at_once.acquire().await.ok();
        let mut command = Command::new("ssh");
        command.arg("-G").args(config).stdin(Stdio::null()).kill_on_drop(true);
        if let Some(user) = user {
            command.args(["-l", &user]);
        }
        if let Some(port) = port {
            command.args(["-p", &port.to_string()]);
        }
        // `--`: a name is never an option, whatever it looks like.
        command.args(["--", &name]);
        match tokio::time::timeout(TIME, command.output()).await {
            Ok(Ok(output)) if output.status.success() => {
                Ok(Some(Arc::new(OpenSsh::parse(&String::from_utf8_lossy(&output.stdout)))))
            }
            Ok(Ok(output)) => Err(refused(&name, last_line(&output.stderr))),
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Ok(Err(error)) => Err(refused(&name, &error.to_string())),
            Err(_) => Err(refused(&name, "no answer in 10 s")),
        }
    }
}

/// Names of ad-hoc targets carry a user and a port, which `ssh` would not understand; their address is asked about.
fn name_for_ssh(endpoint: &Endpoint) -> String {
    let name = endpoint.name.as_str();
    match &endpoint.address {
        Some(address) if name.contains(['@', ':', '[', ']']) => address.to_string(),
        _ => name.to_owned(),
    }
}

fn last_line(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default().lines().rev().find(|l| !l.trim().is_empty()).unwrap_or("no reason")
}

fn refused(name: &str, why: &str) -> LinkError {
    LinkError::new(
        LinkState::Unreachable,
        format!("cannot read the OpenSSH configuration for {name}: {why}"),
        format!("run `ssh -G -- {name}` by hand and mend ~/.ssh/config"),
    )
}

impl OpenSsh {
    /// Reads the output of `ssh -G`: lines of a lower-case keyword and its value. Unknown keywords are ignored.
    pub(super) fn parse(text: &str) -> Self {
        let mut said = Self::default();
        let mut beyond = Beyond::default();
        for line in text.lines() {
            if let Some((key, value)) = line.trim().split_once(' ') {
                said.set(key, value.trim());
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
            "stricthostkeychecking" => self.accept_new = value == "accept-new",
            "proxycommand" => self.proxy_command = some(),
            "proxyjump" => {
                self.proxy_jump = some().map_or_else(Vec::new, |v| v.split(',').map(str::to_owned).collect());
            }
            _ => {}
        }
    }
}

/// What only the system's `ssh` can do.
#[derive(Default)]
struct Beyond {
    reasons: Vec<String>,
}

impl Beyond {
    fn note(&mut self, key: &str, value: &str) {
        let reason = match key {
            "pkcs11provider" if value != "none" => "a smart card (PKCS11Provider)",
            "knownhostscommand" if value != "none" => "KnownHostsCommand",
            "verifyhostkeydns" if value != "no" && value != "false" => "VerifyHostKeyDNS",
            "proxyusefdpass" if is_yes(value) => "ProxyUseFdpass",
            "preferredauthentications" if only_foreign(value) => "GSSAPI or host-based login only",
            _ => return,
        };
        self.reasons.push(reason.to_owned());
    }

    fn verdict(self) -> Option<String> {
        (!self.reasons.is_empty()).then(|| self.reasons.join(", "))
    }
}

/// Debian offers GSSAPI to everybody, so only a list that has nothing else counts.
fn only_foreign(methods: &str) -> bool {
    methods.split(',').all(|method| method.starts_with("gssapi") || method == "hostbased")
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
        assert!(said.identities_only && said.accept_new && said.hash_known_hosts);
        assert_eq!(said.identity_agent.as_deref(), Some("none"));
        assert_eq!(said.beyond_russh, None);
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
        let said = OpenSsh::parse("pkcs11provider /lib/p11.so\npreferredauthentications gssapi-with-mic,hostbased\n");
        assert_eq!(
            said.beyond_russh.as_deref(),
            Some("a smart card (PKCS11Provider), GSSAPI or host-based login only")
        );
    }

    #[tokio::test]
    async fn the_real_ssh_is_asked_once_and_told_the_users_choice() {
        let folder = tempfile::tempdir().expect("a folder");
        let config = folder.path().join("config");
        std::fs::write(&config, "Host web-1\n HostName 10.0.0.7\n User ops\nMatch user ops\n Port 2222\n")
            .expect("written");
        let resolver = Resolver::new();
        let option = Some(format!("-F{}", config.display()));
        let endpoint = Endpoint::new(crate::model::HostName::new("web-1").expect("a name"));
        let said = resolver.ask(&endpoint, option.clone()).await.expect("answered").expect("ssh is installed");
        assert_eq!(
            (said.hostname.as_deref(), said.user.as_deref(), said.port),
            (Some("10.0.0.7"), Some("ops"), Some(2222))
        );
        std::fs::write(&config, "Nonsense yes\n").expect("written");
        assert_eq!(resolver.ask(&endpoint, option.clone()).await.expect("kept"), Some(said));
        let error = Resolver::new().ask(&endpoint, option).await.expect_err("a mistake in the file");
        assert!(error.reason().contains("cannot read the OpenSSH configuration for web-1"), "{error}");
        assert!(error.reason().contains("terminating, 1 bad configuration options"), "{error}");
    }

    #[test]
    fn a_value_with_spaces_is_kept_whole() {
        assert_eq!(OpenSsh::parse("proxycommand nc -X 5 %h %p\n").proxy_command.as_deref(), Some("nc -X 5 %h %p"));
    }
}
