//! The hosts that a file defines, with the defaults applied and every value checked. Which of them
//! are wanted is left to `selection`, the jump routes to `routes`.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;

use super::environment::ProcessEnvironment;
use super::error::ConfigError;
use super::file::{
    ConfigText, InventoryDocument, PathList, RawAgent, RawHost, RawHostKeys, RawTransport,
};
use super::host_table::{HostSettings, HostTable, InventoryHost};
use super::routes::{Chains, RouteResolver};
use super::selection::{HostGroups, is_glob};
use super::sources::{check_label, sources};
use super::target::SshTarget;
use crate::model::host::{
    Address, HostKeyPolicy, HostName, HostSpec, NameError, TransportKind, UserName,
};
use crate::model::source::SourceSpec;

/// The file with everything in it checked; empty where there is no file.
#[derive(Debug, Clone, Default)]
pub(super) struct Inventory {
    pub(super) file: Option<ConfigText>,
    pub(super) table: HostTable,
    pub(super) groups: HostGroups,
    /// Where in the file each key is named first.
    identities: HashMap<PathBuf, usize>,
    /// `routes[n]` are those of `hosts[n]`.
    routes: Vec<Chains>,
}

impl Inventory {
    /// Checks a file as a whole, whatever of it is wanted later.
    ///
    /// # Errors
    /// With the place of the first thing that is wrong.
    pub(super) fn new(
        file: ConfigText,
        env: &ProcessEnvironment,
        host_keys: Option<HostKeyPolicy>,
    ) -> Result<Self, ConfigError> {
        let document = file.parse()?;
        let reader = InventoryReader {
            file: &file,
            env,
            base: base_of(&file.path),
            host_keys,
        };
        let built_in = HostSettings {
            host_keys,
            ..HostSettings::default()
        };
        let defaults = reader.settings(&document.defaults, &built_in)?;
        let hosts = reader.hosts(&document, &defaults)?;
        let identities = reader.identities(&document)?;
        let mut inventory = Self {
            file: Some(file),
            table: HostTable::new(defaults, hosts),
            identities,
            ..Self::default()
        };
        let (routes, groups) = inventory.resolve(&document)?;
        inventory.routes = routes;
        inventory.groups = groups;
        Ok(inventory)
    }

    /// What hosts and groups say of each other.
    fn resolve(
        &self,
        document: &InventoryDocument,
    ) -> Result<(Vec<Chains>, HostGroups), ConfigError> {
        let Some(file) = &self.file else {
            return Ok(Default::default());
        };
        let routes = RouteResolver::new(&self.table, file);
        routes.of_routes(&self.table.defaults.via)?;
        Ok((
            routes.all()?,
            HostGroups::new(&self.table, &document.groups, file)?,
        ))
    }

    /// What is wrong with a key, with the place where the file names it.
    pub(super) fn identity_error(&self, path: &Path, why: &str) -> ConfigError {
        let message = format!("{}: {why}", path.display());
        match (&self.file, self.identities.get(path)) {
            (Some(file), Some(&at)) => file.error(at, format!("identity: {message}")),
            _ => ConfigError::option("identity", message),
        }
    }

    /// That of a user who has no file.
    pub(super) fn none(host_keys: Option<HostKeyPolicy>) -> Self {
        let defaults = HostSettings {
            host_keys,
            ..HostSettings::default()
        };
        Self {
            table: HostTable::without_file(defaults),
            ..Self::default()
        }
    }

    /// A host with its routes.
    pub(super) fn spec(&self, n: usize) -> HostSpec {
        let settings = &self.table.hosts[n].settings;
        HostSpec {
            endpoint: self.table.endpoint(n),
            via: self.routes[n].clone(),
            tags: settings.tags.clone(),
            sources: settings.sources.clone(),
            transport: settings.transport.clone(),
        }
    }

    /// A host that the file does not define.
    pub(super) fn spec_of_target(&self, target: &SshTarget) -> Result<HostSpec, String> {
        let endpoint = self.table.endpoint_of_target(target)?;
        let own = HostSettings {
            user: target.user.clone(),
            port: target.port,
            ..HostSettings::default()
        };
        let local = !target.explicit && own.is_local(&endpoint.name);
        let transport = if local {
            TransportKind::Local
        } else {
            self.table.defaults.transport.clone()
        };
        let via = if local {
            Vec::new()
        } else {
            self.default_routes(&endpoint.name)?
        };
        let HostSettings { tags, sources, .. } = self.table.defaults.clone();
        Ok(HostSpec {
            endpoint,
            via,
            tags,
            sources,
            transport,
        })
    }

    /// The routes of `[defaults]`, for a host that the file does not define.
    fn default_routes(&self, name: &HostName) -> Result<Chains, String> {
        match &self.file {
            Some(file) if !names_hop(&self.table.defaults.via, name.as_str()) => {
                RouteResolver::new(&self.table, file)
                    .of_routes(&self.table.defaults.via)
                    .map_err(|error| error.message)
            }
            _ => Ok(Vec::new()),
        }
    }
}

/// Whether a name is a hop of one of the routes.
fn names_hop(routes: &[(String, usize)], name: &str) -> bool {
    routes
        .iter()
        .flat_map(|(route, _)| route.split(','))
        .any(|hop| hop.trim() == name)
}

fn base_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}

/// Turns what is written into settings, with the place of whatever is wrong.
struct InventoryReader<'a> {
    file: &'a ConfigText,
    env: &'a ProcessEnvironment,
    base: &'a Path,
    /// `--host-keys`, which goes before the file.
    host_keys: Option<HostKeyPolicy>,
}

impl InventoryReader<'_> {
    fn hosts(
        &self,
        document: &InventoryDocument,
        defaults: &HostSettings,
    ) -> Result<Vec<InventoryHost>, ConfigError> {
        document
            .hosts
            .iter()
            .map(|(name, raw)| self.host(name, raw, defaults))
            .collect()
    }

    fn host(
        &self,
        name: &Spanned<String>,
        raw: &RawHost,
        defaults: &HostSettings,
    ) -> Result<InventoryHost, ConfigError> {
        let at = name.span().start;
        let name = host_name(name.get_ref()).map_err(|message| self.file.error(at, message))?;
        let mut settings = self.settings(raw, defaults)?;
        let own = self.settings(raw, &HostSettings::default())?;
        if own.is_local(&name) {
            settings.transport = TransportKind::Local;
            settings.via.clear();
        }
        // A default route is for the hosts behind it; the jump hosts themselves are in front.
        if raw.via.is_none() && names_hop(&defaults.via, name.as_str()) {
            settings.via.clear();
        }
        Ok(InventoryHost { name, settings })
    }

    fn identities(
        &self,
        document: &InventoryDocument,
    ) -> Result<HashMap<PathBuf, usize>, ConfigError> {
        let mut places = HashMap::new();
        for raw in document
            .hosts
            .iter()
            .map(|(_, raw)| raw)
            .chain([&document.defaults])
        {
            let at = raw.identity.as_ref().map_or(0, |paths| paths.span().start);
            for path in self.paths(raw.identity.as_ref())?.unwrap_or_default() {
                places.entry(path).or_insert(at);
            }
        }
        Ok(places)
    }

    /// The values of a table over those of the layer below.
    fn settings(&self, raw: &RawHost, below: &HostSettings) -> Result<HostSettings, ConfigError> {
        self.agent(raw)?;
        let address = self.checked(raw.address.as_ref(), Address::new)?;
        let user = self.checked(raw.user.as_ref(), UserName::new)?;
        let via = |via: &Vec<_>| via.iter().map(route).collect();
        let below = below.clone();
        Ok(HostSettings {
            address: address.or(below.address),
            port: raw.port.map(|port| port.0).or(below.port),
            user: user.or(below.user),
            identity: self.paths(raw.identity.as_ref())?.unwrap_or(below.identity),
            via: raw.via.as_ref().map_or(below.via, via),
            tags: self.tags(raw.tags.as_deref())?.unwrap_or(below.tags),
            sources: self.sources(raw)?.unwrap_or(below.sources),
            transport: raw.transport.map_or(below.transport, RawTransport::kind),
            known_hosts: self
                .paths(raw.known_hosts.as_ref())?
                .unwrap_or(below.known_hosts),
            host_keys: self
                .host_keys
                .or(raw.host_keys.map(RawHostKeys::policy))
                .or(below.host_keys),
        })
    }

    fn agent(&self, raw: &RawHost) -> Result<(), ConfigError> {
        match &raw.agent {
            Some(agent) if *agent.get_ref() == RawAgent::Require => {
                let message =
                    "agent = \"require\": this version has no agent yet; use \"auto\" or \"never\"";
                Err(self.file.error(agent.span().start, message))
            }
            _ => Ok(()),
        }
    }

    fn checked<T>(
        &self,
        value: Option<&Spanned<String>>,
        check: impl Fn(&str) -> Result<T, NameError>,
    ) -> Result<Option<T>, ConfigError> {
        let Some(value) = value else { return Ok(None) };
        check(value.get_ref())
            .map(Some)
            .map_err(|error| self.file.error(value.span().start, error.to_string()))
    }

    fn paths(
        &self,
        paths: Option<&Spanned<PathList>>,
    ) -> Result<Option<Vec<PathBuf>>, ConfigError> {
        let Some(paths) = paths else { return Ok(None) };
        let expanded: Result<_, String> = paths
            .get_ref()
            .0
            .iter()
            .map(|p| self.env.expand(p, self.base))
            .collect();
        expanded
            .map(Some)
            .map_err(|message| self.file.error(paths.span().start, message))
    }

    fn tags(&self, tags: Option<&[Spanned<String>]>) -> Result<Option<Vec<String>>, ConfigError> {
        let Some(tags) = tags else { return Ok(None) };
        let mut checked: Vec<String> = Vec::with_capacity(tags.len());
        for tag in tags {
            check_label("tag", tag.get_ref())
                .map_err(|message| self.file.error(tag.span().start, message))?;
            if !checked.contains(tag.get_ref()) {
                checked.push(tag.get_ref().clone());
            }
        }
        Ok(Some(checked))
    }

    fn sources(&self, raw: &RawHost) -> Result<Option<Vec<SourceSpec>>, ConfigError> {
        let Some(raw) = &raw.sources else {
            return Ok(None);
        };
        sources(raw)
            .map(Some)
            .map_err(|(at, message)| self.file.error(at, message))
    }
}

fn route(route: &Spanned<String>) -> (String, usize) {
    let Range { start, .. } = route.span();
    (route.get_ref().clone(), start)
}

/// A name of the inventory: stricter than what the type allows, for it must not look like a target
/// or a pattern.
fn host_name(given: &str) -> Result<HostName, String> {
    let name = HostName::new(given).map_err(|error| error.to_string())?;
    if given.contains(['@', ':', '[', ']']) || is_glob(given) {
        return Err(format!(
            "host name {given:?} may have letters, digits, '.', '_' and '-' only; set address for the rest"
        ));
    }
    Ok(name)
}

impl RawTransport {
    fn kind(self) -> TransportKind {
        match self {
            Self::Auto => TransportKind::Auto,
            Self::Russh => TransportKind::Russh,
            Self::System => TransportKind::System,
        }
    }
}

impl RawHostKeys {
    fn policy(self) -> HostKeyPolicy {
        match self {
            Self::Strict => HostKeyPolicy::Strict,
            Self::AcceptNew => HostKeyPolicy::AcceptNew,
        }
    }
}
