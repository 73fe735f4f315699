//! What is known of one server before it is dialled: the inventory over `ssh -G` over defaults.
//!
//! Resolving does not dial; it may run `ssh -G` once per server (see `resolve`).

use std::path::{Path, PathBuf};

use super::algorithms::KeyPolicy;
use super::failure::{self, ServerLabel};
use super::known_hosts::RecordedServer;
use super::login_methods::LoginMethods;
use super::openssh::OpenSsh;
use super::outward::LocalEnd;
use super::{LinkError, TransportSettings};
use crate::model::host::{Address, Endpoint, HostKeyPolicy, UserName};

/// Everything that is needed to dial one server and to log in.
#[derive(Debug, Clone)]
pub(super) struct ConnectPlan {
    /// What the command line and the inventory say of it.
    pub(super) own: Endpoint,
    pub(super) place: ServerLabel,
    pub(super) user: String,
    /// Key files to try, in this order.
    pub(super) identity: Vec<PathBuf>,
    /// True where keys that are not among `identity` must not be offered.
    pub(super) identities_only: bool,
    /// Certificates besides those next to the key files.
    pub(super) certificates: Vec<PathBuf>,
    pub(super) agent: AgentAt,
    pub(super) subject: RecordedServer,
    pub(super) known_hosts: Vec<PathBuf>,
    /// Where an accepted key is stored.
    pub(super) store_in: Option<PathBuf>,
    pub(super) hash_names: bool,
    pub(super) host_keys: HostKeyPolicy,
    /// Files of keys that are not to be trusted.
    pub(super) revoked: Vec<PathBuf>,
    pub(super) policy: KeyPolicy,
    /// A command whose pipes are the connection.
    pub(super) proxy_command: Option<String>,
    /// `[user@]host[:port]` of the jump hosts of the user's configuration, first hop first.
    pub(super) proxy_jump: Vec<String>,
    /// Why russh cannot do what the user's configuration asks for.
    pub(super) beyond_russh: Option<String>,
    pub(super) login_methods: LoginMethods,
    /// Whether `ssh` would sign with SHA-1 for a server that knows nothing else.
    pub(super) signs_with_sha1: bool,
    pub(super) local_end: LocalEnd,
    /// The configuration has the checking of host keys off, which is not obeyed.
    pub(super) checking_is_off: bool,
    /// Options for `ssh`, without which it would run no shell of ours.
    pub(super) session_overrides: Vec<&'static str>,
}

/// Where the ssh-agent listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum AgentAt {
    /// `$SSH_AUTH_SOCK`.
    Environment,
    /// A socket.
    Socket(PathBuf),
    /// Not to be used.
    Nowhere,
}

/// Key files that OpenSSH tries by default, in this order.
const DEFAULT_IDENTITIES: [&str; 3] = ["id_rsa", "id_ecdsa", "id_ed25519"];

impl ConnectPlan {
    /// The plan for an endpoint. `said` is what `ssh -G` says of it, where it was asked.
    ///
    /// # Errors
    /// When the configuration names an address or a user that cannot be used.
    pub(super) fn new(
        endpoint: &Endpoint,
        said: Option<&OpenSsh>,
        settings: &TransportSettings,
    ) -> Result<Self, LinkError> {
        let nothing = OpenSsh::default();
        let said = said.unwrap_or(&nothing);
        let home = said.home.clone().or_else(std::env::home_dir);
        let address = address(endpoint, said)?;
        let port = endpoint.port.or(said.port).unwrap_or(22);
        let (known_hosts, store_in) = known_hosts(endpoint, said, settings, home.as_deref());
        let subject = match &said.host_key_alias {
            Some(alias) => RecordedServer::new(alias, 22),
            None => RecordedServer::new(&address, port),
        };
        let policy = KeyPolicy::new(said);
        Ok(Self {
            user: user(endpoint, said)?,
            identities_only: !endpoint.identity.is_empty() || said.identities_only,
            identity: identity(endpoint, said, home.as_deref()),
            certificates: expand_all(&said.certificate_files, home.as_deref()),
            agent: agent(said, home.as_deref()),
            subject,
            known_hosts,
            store_in,
            hash_names: said.hash_known_hosts,
            host_keys: strictest(endpoint.host_keys, said.host_keys),
            revoked: revoked(said, home.as_deref()),
            beyond_russh: beyond_russh(said, &policy),
            policy,
            proxy_command: said.proxy_command.clone(),
            proxy_jump: said.proxy_jump.clone(),
            login_methods: said.login_methods.clone(),
            signs_with_sha1: said.signs_with_sha1,
            local_end: said.local_end.clone(),
            checking_is_off: said.checking_is_off,
            session_overrides: said.session_overrides.clone(),
            place: ServerLabel {
                name: endpoint.name.to_string(),
                address,
                port,
            },
            own: endpoint.clone(),
        })
    }
}

fn beyond_russh(said: &OpenSsh, policy: &KeyPolicy) -> Option<String> {
    let algorithms = policy
        .beyond()
        .map(|option| format!("{option} without any that the built-in client has"));
    let all: Vec<String> = said
        .beyond_russh
        .iter()
        .cloned()
        .chain(algorithms)
        .collect();
    (!all.is_empty()).then(|| all.join(", "))
}

/// What is strict in one file is not weakened by the other.
fn strictest(
    inventory: Option<HostKeyPolicy>,
    configuration: Option<HostKeyPolicy>,
) -> HostKeyPolicy {
    match (inventory, configuration) {
        (Some(HostKeyPolicy::AcceptNew), None | Some(HostKeyPolicy::AcceptNew))
        | (None, Some(HostKeyPolicy::AcceptNew)) => HostKeyPolicy::AcceptNew,
        _ => HostKeyPolicy::Strict,
    }
}

fn address(endpoint: &Endpoint, said: &OpenSsh) -> Result<String, LinkError> {
    if let Some(address) = &endpoint.address {
        return Ok(address.to_string());
    }
    let name = said.hostname.as_deref().unwrap_or(endpoint.name.as_str());
    Address::new(name)
        .map(|address| address.to_string())
        .map_err(|error| {
            failure::denied(
                format!("{} cannot be dialled: {error}", endpoint.name),
                "give `address` in the inventory, or HostName in ~/.ssh/config",
            )
        })
}

fn user(endpoint: &Endpoint, said: &OpenSsh) -> Result<String, LinkError> {
    if let Some(user) = &endpoint.user {
        return Ok(user.to_string());
    }
    let local = || {
        ["USER", "LOGNAME"]
            .iter()
            .find_map(|name| std::env::var(name).ok().filter(|user| !user.is_empty()))
    };
    let user = said
        .user
        .clone()
        .or_else(local)
        .unwrap_or_else(|| "root".to_owned());
    UserName::new(&user)
        .map(|user| user.to_string())
        .map_err(|error| {
            failure::denied(
                format!("cannot log in on {}: {error}", endpoint.name),
                "give `user` in the inventory",
            )
        })
}

fn identity(endpoint: &Endpoint, said: &OpenSsh, home: Option<&Path>) -> Vec<PathBuf> {
    if !endpoint.identity.is_empty() {
        return endpoint.identity.clone();
    }
    if !said.identity_files.is_empty() {
        return expand_all(&said.identity_files, home);
    }
    home.map_or_else(Vec::new, |home| {
        DEFAULT_IDENTITIES
            .iter()
            .map(|name| home.join(".ssh").join(name))
            .collect()
    })
}

fn agent(said: &OpenSsh, home: Option<&Path>) -> AgentAt {
    match said.identity_agent.as_deref() {
        None | Some("SSH_AUTH_SOCK") => AgentAt::Environment,
        Some("none") => AgentAt::Nowhere,
        Some(value) => match value.strip_prefix('$') {
            Some(name) => {
                std::env::var_os(name).map_or(AgentAt::Nowhere, |path| AgentAt::Socket(path.into()))
            }
            None => AgentAt::Socket(expand(value, home)),
        },
    }
}

/// The files to read, and the one to store in.
fn known_hosts(
    endpoint: &Endpoint,
    said: &OpenSsh,
    settings: &TransportSettings,
    home: Option<&Path>,
) -> (Vec<PathBuf>, Option<PathBuf>) {
    if let Some(first) = endpoint.known_hosts.first() {
        return (endpoint.known_hosts.clone(), Some(first.clone()));
    }
    let mut files: Vec<PathBuf> = settings.known_hosts.iter().cloned().collect();
    if said.user_known_hosts.is_empty() {
        let folder = home.map(|home| home.join(".ssh"));
        files.extend(
            folder
                .iter()
                .flat_map(|ssh| ["known_hosts", "known_hosts2"].map(|name| ssh.join(name))),
        );
    } else {
        files.extend(expand_all(&said.user_known_hosts, home));
    }
    let store = files.first().cloned();
    if said.global_known_hosts.is_empty() {
        files.extend(["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"].map(PathBuf::from));
    } else {
        files.extend(expand_all(&said.global_known_hosts, home));
    }
    (files, store)
}

/// One file to older versions of OpenSSH, perhaps with spaces in its name; several to newer ones.
fn revoked(said: &OpenSsh, home: Option<&Path>) -> Vec<PathBuf> {
    let files = said.revoked_host_keys.iter().flat_map(|value| {
        let whole = expand(value, home);
        let words: Vec<_> = value
            .split_ascii_whitespace()
            .map(|word| expand(word, home))
            .collect();
        if !whole.exists() && words.iter().any(|word| word.exists()) {
            words
        } else {
            vec![whole]
        }
    });
    files.collect()
}

fn expand_all(paths: &[String], home: Option<&Path>) -> Vec<PathBuf> {
    paths
        .iter()
        .filter(|path| *path != "none")
        .map(|path| expand(path, home))
        .collect()
}

/// `~` is the home folder; `ssh -G` leaves it as it was written. Tokens are expanded already (see
/// `tokens`).
fn expand(path: &str, home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(path),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn endpoint(name: &str) -> Endpoint {
        let name = crate::model::host::HostName::new(name).expect("a name");
        Endpoint {
            user: Some(UserName::new("ops").expect("a user")),
            ..Endpoint::new(name)
        }
    }

    fn settings() -> TransportSettings {
        TransportSettings {
            ssh_config: false,
            connect_timeout: Duration::from_secs(1),
            known_hosts: None,
        }
    }

    fn said(text: &str) -> OpenSsh {
        OpenSsh::parse(text)
    }

    #[test]
    fn a_name_alone_is_dialled_at_port_22_with_the_default_keys() {
        let plan = ConnectPlan::new(&endpoint("web-1"), None, &settings()).expect("a plan");
        assert_eq!(plan.place.dialled(), "web-1:22");
        assert_eq!(plan.subject.name(), "web-1");
        assert!(!plan.identities_only);
        let names: Vec<_> = plan
            .identity
            .iter()
            .filter_map(|path| path.file_name()?.to_str())
            .collect();
        assert!(names.is_empty() || names == DEFAULT_IDENTITIES);
    }

    #[test]
    fn the_inventory_goes_before_the_configuration_and_keys_that_it_names_are_the_only_ones() {
        let mut endpoint = endpoint("web-1");
        endpoint.port = Some(2200);
        endpoint.identity = vec!["/keys/a".into()];
        let said = said("hostname 10.0.0.7\nport 22\nuser other\nidentityfile /keys/b\n");
        let plan = ConnectPlan::new(&endpoint, Some(&said), &settings()).expect("a plan");
        assert_eq!(
            (plan.place.dialled().as_str(), plan.user.as_str()),
            ("10.0.0.7:2200", "ops")
        );
        assert_eq!(
            (plan.identity, plan.identities_only),
            (vec![PathBuf::from("/keys/a")], true)
        );
        assert_eq!(plan.subject.name(), "[10.0.0.7]:2200");
    }

    #[test]
    fn an_alias_for_the_host_key_stands_without_the_port() {
        let plan = ConnectPlan::new(
            &endpoint("web-1"),
            Some(&said("port 2222\nhostkeyalias Cluster\n")),
            &settings(),
        );
        assert_eq!(plan.expect("a plan").subject.name(), "cluster");
    }

    #[test]
    fn accepted_keys_go_to_the_file_of_the_host_then_of_the_run_then_of_the_configuration() {
        let said = said("userknownhostsfile /u/one /u/two\nglobalknownhostsfile /g\n");
        let (mut endpoint, mut settings) = (endpoint("web-1"), settings());
        let files = |e: &Endpoint, s: &TransportSettings| {
            let plan = ConnectPlan::new(e, Some(&said), s).expect("a plan");
            (plan.store_in.expect("a file"), plan.known_hosts.len())
        };
        assert_eq!(files(&endpoint, &settings), ("/u/one".into(), 3));
        settings.known_hosts = Some("/run".into());
        assert_eq!(files(&endpoint, &settings), ("/run".into(), 4));
        endpoint.known_hosts = vec!["/host".into()];
        assert_eq!(files(&endpoint, &settings), ("/host".into(), 1));
    }

    #[test]
    fn the_policy_for_host_keys_is_strict_where_the_inventory_or_the_configuration_says_so_or_neither_says_anything()
     {
        use HostKeyPolicy::{AcceptNew, Strict};
        for (inventory, configuration, taken) in [
            (Some(Strict), "accept-new", Strict),
            (Some(Strict), "no", Strict),
            (Some(AcceptNew), "true", Strict),
            (Some(AcceptNew), "yes", Strict),
            (Some(AcceptNew), "accept-new", AcceptNew),
            (Some(AcceptNew), "ask", AcceptNew),
            (None, "accept-new", AcceptNew),
            (None, "true", Strict),
            (None, "ask", Strict),
            (None, "no", Strict),
            (None, "off", Strict),
        ] {
            let endpoint = Endpoint {
                host_keys: inventory,
                ..endpoint("web-1")
            };
            let said = said(&format!("stricthostkeychecking {configuration}\n"));
            let plan = ConnectPlan::new(&endpoint, Some(&said), &settings()).expect("a plan");
            assert_eq!(plan.host_keys, taken, "{inventory:?} over {configuration}");
        }
    }

    #[test]
    fn a_host_name_of_the_configuration_that_could_be_an_option_is_refused() {
        let error = ConnectPlan::new(
            &endpoint("web-1"),
            Some(&said("hostname -oProxyCommand=x\n")),
            &settings(),
        );
        assert!(
            error
                .expect_err("refused")
                .reason()
                .contains("starts with '-'")
        );
    }

    #[test]
    fn a_tilde_is_the_home_folder_at_the_start_of_a_path_only() {
        let home = Path::new("/home/ops");
        assert_eq!(
            expand("~/.ssh/a", Some(home)),
            Path::new("/home/ops/.ssh/a")
        );
        assert_eq!(expand("/keys/~/a", Some(home)), Path::new("/keys/~/a"));
    }
}
