//! The hosts that the inventory defines, by name and number, with their settings. `routes` and
//! `selection` resolve what hosts and groups say of each other.

use std::collections::HashMap;
use std::path::PathBuf;

use super::target::SshTarget;
use crate::model::host::{Address, Endpoint, HostKeyPolicy, HostName, TransportKind, UserName};
use crate::model::source::SourceSpec;

/// The built-in values and those of `[defaults]`; then those of a host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct HostSettings {
    pub(super) address: Option<Address>,
    pub(super) port: Option<u16>,
    pub(super) user: Option<UserName>,
    pub(super) identity: Vec<PathBuf>,
    /// Routes as they are written, each with its place in the file.
    pub(super) via: Vec<(String, usize)>,
    pub(super) tags: Vec<String>,
    pub(super) sources: Vec<SourceSpec>,
    pub(super) transport: TransportKind,
    pub(super) known_hosts: Vec<PathBuf>,
    /// `None`: left to ssh_config.
    pub(super) host_keys: Option<HostKeyPolicy>,
}

/// A host of the file.
#[derive(Debug, Clone)]
pub(super) struct InventoryHost {
    pub(super) name: HostName,
    pub(super) settings: HostSettings,
}

/// The hosts of a file; none where there is no file.
#[derive(Debug, Clone, Default)]
pub(super) struct HostTable {
    pub(super) defaults: HostSettings,
    pub(super) hosts: Vec<InventoryHost>,
    index: HashMap<String, usize>,
    has_file: bool,
}

/// Edits between two names up to which one is taken for the other mistyped: a letter wrong, or two
/// swapped.
const MISTYPED: usize = 2;

impl HostTable {
    pub(super) fn new(defaults: HostSettings, hosts: Vec<InventoryHost>) -> Self {
        let numbered = hosts.iter().enumerate();
        let index = numbered
            .map(|(n, host)| (host.name.as_str().to_owned(), n))
            .collect();
        Self {
            defaults,
            hosts,
            index,
            has_file: true,
        }
    }

    pub(super) fn without_file(defaults: HostSettings) -> Self {
        Self {
            defaults,
            ..Self::default()
        }
    }

    /// The place of a host by its name.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }

    /// The names of all hosts, in the order of the file.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.hosts.iter().map(|host| host.name.as_str())
    }

    /// The SSH server of a host.
    pub(super) fn endpoint(&self, n: usize) -> Endpoint {
        let InventoryHost { name, settings, .. } = &self.hosts[n];
        settings.endpoint(name.clone())
    }

    /// The SSH server of a target that the file does not define: the defaults hold for it as for
    /// every host.
    pub(super) fn endpoint_of_target(&self, target: &SshTarget) -> Result<Endpoint, String> {
        let name = HostName::new(target.host.as_str()).map_err(|error| error.to_string())?;
        let mut endpoint = self.defaults.endpoint(name);
        endpoint.address = None;
        endpoint.user = target.user.clone().or(endpoint.user);
        endpoint.port = target.port.or(endpoint.port);
        Ok(endpoint)
    }

    /// Whether a target may be dialled though the file does not define it. A bare word is taken for
    /// a name mistyped; so is a name with dots that is nearly one of the file's.
    pub(super) fn takes_outside(&self, target: &SshTarget) -> bool {
        let host = target.host.as_str();
        let nearly = |name: &str| strsim::osa_distance(name, host) <= MISTYPED;
        !self.has_file
            || target.is_surely_meant()
            || host == "localhost"
            || (host.contains('.') && !self.names().any(nearly))
    }
}

impl HostSettings {
    pub(super) fn endpoint(&self, name: HostName) -> Endpoint {
        Endpoint {
            name,
            address: self.address.clone(),
            port: self.port,
            user: self.user.clone(),
            identity: self.identity.clone(),
            known_hosts: self.known_hosts.clone(),
            host_keys: self.host_keys,
        }
    }

    /// Whether a host with these settings *of its own* is this machine. The defaults, which are for
    /// SSH, do not count: a default user must not turn `localhost` into a host to log in to.
    pub(super) fn is_local(&self, name: &HostName) -> bool {
        name.as_str() == "localhost"
            && self.transport == TransportKind::Auto
            && self.address.is_none()
            && self.port.is_none()
            && self.user.is_none()
            && self.via.is_empty()
    }
}
