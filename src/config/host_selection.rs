//! From `--hosts` to hosts: selections over the inventory, targets that need none, and paths that
//! narrow a host to single files.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use globset::GlobMatcher;

use super::error::{ConfigError, closest, suggestion};
use super::inventory::Inventory;
use super::selection::{SelectionTerm, glob, is_glob, parts};
use super::sources::{full_name, source_at};
use super::target::SshTarget;
use crate::model::host::{Address, HostName, HostSpec, NameError, TransportKind, UserName};
use crate::model::source::SourceSpec;

/// The hosts that are meant by what was given with `--hosts`, in the order in which they were named
/// first.
///
/// # Errors
/// When a part is not valid, or names nothing, or when nothing is left.
pub(super) fn choose(
    inventory: &Inventory,
    selections: &[String],
) -> Result<Vec<HostSpec>, ConfigError> {
    let parts: Vec<SelectionPart<'_>> = selections
        .iter()
        .flat_map(|selection| self::parts(selection))
        .map(SelectionPart::new)
        .collect();
    if parts.is_empty() {
        let message = "an empty selection; name a group, a host, or user@host";
        return Err(fail(message.to_owned()));
    }
    let mut choice = HostChoice {
        inventory,
        hosts: Vec::new(),
        known: HashMap::new(),
    };
    choice.include_all(&parts)?;
    for part in parts.iter().filter(|part| part.excluded) {
        choice.exclude(part)?;
    }
    choice.finish()
}

/// One part of a selection.
#[derive(Debug, Clone, Copy)]
struct SelectionPart<'a> {
    excluded: bool,
    /// Without the path.
    term: &'a str,
    path: Option<&'a str>,
}

impl<'a> SelectionPart<'a> {
    fn new(text: &'a str) -> Self {
        let (excluded, text) = text
            .strip_prefix('!')
            .map_or((false, text), |rest| (true, rest.trim()));
        let scheme = if text.starts_with("ssh://") {
            "ssh://".len()
        } else {
            0
        };
        match text[scheme..].find(":/") {
            Some(colon) => {
                let (term, path) = text.split_at(scheme + colon);
                Self {
                    excluded,
                    term,
                    path: path.get(1..),
                }
            }
            None => Self {
                excluded,
                term: text,
                path: None,
            },
        }
    }
}

/// A host that was named, and how.
struct NamedHost {
    spec: HostSpec,
    /// Its place in the inventory, where it has one.
    origin: Option<usize>,
    /// The target as it was typed, without scheme and path; the name where the inventory has it.
    typed: String,
    paths: Vec<SourceSpec>,
}

impl NamedHost {
    fn of_inventory(inventory: &Inventory, n: usize) -> Self {
        let spec = inventory.spec(n);
        Self {
            typed: spec.name().as_str().to_owned(),
            spec,
            origin: Some(n),
            paths: Vec::new(),
        }
    }

    /// Whether an exclusion means it as it was typed, or by the name it has outside the inventory.
    fn is_called(&self, term: &str, pattern: Option<&GlobMatcher>) -> bool {
        let name = self.spec.name().as_str();
        let outside = self.origin.is_none()
            && (name == term || pattern.is_some_and(|pattern| pattern.is_match(name)));
        outside || self.typed == term
    }

    /// What makes it another host than the others: the rest of it follows from these.
    fn key(&self) -> Key {
        let endpoint = &self.spec.endpoint;
        let local = self.spec.transport == TransportKind::Local;
        (
            self.origin,
            endpoint.name.clone(),
            endpoint.user.clone(),
            endpoint.port,
            local,
        )
    }
}

type Key = (Option<usize>, HostName, Option<UserName>, Option<u16>, bool);

struct HostChoice<'a> {
    inventory: &'a Inventory,
    hosts: Vec<NamedHost>,
    /// Places in `hosts`; valid until the first exclusion.
    known: HashMap<Key, usize>,
}

impl HostChoice<'_> {
    /// Adds what is named, or all there is where parts only exclude.
    fn include_all(&mut self, parts: &[SelectionPart<'_>]) -> Result<(), ConfigError> {
        if parts.iter().all(|part| part.excluded) {
            let inventory = self.inventory;
            (0..inventory.table.hosts.len())
                .for_each(|n| self.add(NamedHost::of_inventory(inventory, n)));
            return Ok(());
        }
        for part in parts.iter().filter(|part| !part.excluded) {
            self.include(part)?;
        }
        if self.hosts.is_empty() {
            let message = "an empty selection: no host is in it; see `logtrail-tui hosts`";
            return Err(fail(message.to_owned()));
        }
        Ok(())
    }

    fn add(&mut self, chosen: NamedHost) {
        match self.known.entry(chosen.key()) {
            Entry::Occupied(known) => self.hosts[*known.get()].paths.extend(chosen.paths),
            Entry::Vacant(free) => {
                free.insert(self.hosts.len());
                self.hosts.push(chosen);
            }
        }
    }

    fn include(&mut self, part: &SelectionPart<'_>) -> Result<(), ConfigError> {
        let mut hosts = match self.of_inventory(part.term)? {
            Some(places) => places
                .into_iter()
                .map(|n| NamedHost::of_inventory(self.inventory, n))
                .collect(),
            None => vec![self.target(part.term)?],
        };
        if let Some(path) = part.path {
            let source = source_at(path).map_err(fail)?;
            hosts
                .iter_mut()
                .for_each(|host| host.paths.push(source.clone()));
        }
        hosts.into_iter().for_each(|host| self.add(host));
        Ok(())
    }

    fn exclude(&mut self, part: &SelectionPart<'_>) -> Result<(), ConfigError> {
        let term = part.term;
        if part.path.is_some() {
            return Err(fail(format!(
                "\"!{term}:…\" excludes a path; only hosts can be excluded"
            )));
        }
        let pattern = if is_glob(term) {
            Some(glob(term).map_err(fail)?)
        } else {
            None
        };
        let places = self.excluded_places(term, pattern.as_ref())?;
        self.hosts.retain(|host| {
            let by_place = host.origin.is_some_and(|n| places.contains(&n));
            !by_place && !host.is_called(term, pattern.as_ref())
        });
        Ok(())
    }

    /// The hosts of the inventory that an exclusion names; it may name none where it names a target
    /// that was typed.
    fn excluded_places(
        &self,
        term: &str,
        pattern: Option<&GlobMatcher>,
    ) -> Result<HashSet<usize>, ConfigError> {
        let of_inventory = self.of_inventory(term);
        match of_inventory {
            Ok(Some(places)) => Ok(HashSet::from_iter(places)),
            _ if self.hosts.iter().any(|host| host.is_called(term, pattern)) => Ok(HashSet::new()),
            Err(error) => Err(error),
            Ok(None) => {
                let names = self
                    .inventory
                    .table
                    .names()
                    .chain(self.inventory.groups.names());
                Err(fail(format!(
                    "\"!{term}\" excludes nothing{}",
                    suggestion(term, names)
                )))
            }
        }
    }

    fn of_inventory(&self, term: &str) -> Result<Option<Vec<usize>>, ConfigError> {
        let inventory = self.inventory;
        let parsed = SelectionTerm::parse(term);
        if inventory.file.is_none() && !matches!(parsed, SelectionTerm::Name(_)) {
            let hint = "see `logtrail-tui --help` for where one is looked for";
            return Err(fail(format!(
                "{term:?} needs an inventory, and there is none; {hint}"
            )));
        }
        let group = |name: &str| Ok(inventory.groups.find(name).map(<[usize]>::to_vec));
        let with_hint = |message: String| match parsed {
            SelectionTerm::Group(name) => fail(format!(
                "{message}{}",
                suggestion(name, inventory.groups.names())
            )),
            _ => fail(message),
        };
        parsed.hosts(&inventory.table, group, &with_hint)
    }

    /// A target to dial, for a name that the inventory does not have.
    fn target(&self, term: &str) -> Result<NamedHost, ConfigError> {
        let target = SshTarget::parse(term).map_err(fail)?;
        let typed = term.strip_prefix("ssh://").unwrap_or(term).to_owned();
        let known = self.inventory.table.find(target.host.as_str());
        let origin = known.filter(|_| !target.explicit);
        let spec = match origin {
            Some(n) => dialled(self.inventory.spec(n), target),
            None if self.inventory.table.takes_outside(&target) => {
                self.inventory.spec_of_target(&target).map_err(fail)?
            }
            None => return Err(fail(self.unknown(term))),
        };
        Ok(NamedHost {
            spec,
            origin,
            typed,
            paths: Vec::new(),
        })
    }

    fn unknown(&self, term: &str) -> String {
        let names = self
            .inventory
            .table
            .names()
            .chain(self.inventory.groups.names());
        match closest(term, names) {
            Some(name) => format!("unknown host or group {term:?}; did you mean {name:?}?"),
            None => format!(
                "unknown host or group {term:?}; to dial a host outside the inventory write ssh://{term}"
            ),
        }
    }

    fn finish(mut self) -> Result<Vec<HostSpec>, ConfigError> {
        if self.hosts.is_empty() {
            return Err(fail(
                "an empty selection: everything in it is excluded".to_owned(),
            ));
        }
        self.make_names_unique()?;
        Ok(self.hosts.into_iter().map(narrowed).collect())
    }

    /// Two targets may have one host in common (`ann@web,bob@web`): then they are called as they
    /// were typed.
    fn make_names_unique(&mut self) -> Result<(), ConfigError> {
        let mut count: HashMap<HostName, usize> = HashMap::new();
        for host in &self.hosts {
            *count.entry(host.spec.name().clone()).or_default() += 1;
        }
        let mut taken = HashSet::new();
        for host in &mut self.hosts {
            if count.get(host.spec.name()).is_some_and(|count| *count > 1) {
                host.call_as_typed()
                    .map_err(|error| fail(error.to_string()))?;
            }
            let name = host.spec.name();
            if !taken.insert(name.clone()) {
                return Err(fail(format!(
                    "two different hosts would be called {name:?}"
                )));
            }
        }
        Ok(())
    }
}

impl NamedHost {
    fn call_as_typed(&mut self) -> Result<(), NameError> {
        if self.typed != self.spec.name().as_str() {
            let address = Address::new(self.spec.name().as_str())?;
            self.spec.endpoint.address.get_or_insert(address);
            self.spec.endpoint.name = HostName::new(&self.typed)?;
        }
        Ok(())
    }
}

/// A host of the inventory with the user and the port that were typed.
fn dialled(mut spec: HostSpec, target: SshTarget) -> HostSpec {
    spec.endpoint.user = target.user.or(spec.endpoint.user);
    spec.endpoint.port = target.port.or(spec.endpoint.port);
    // A user or a port says that it is to be reached by SSH after all.
    if spec.transport == TransportKind::Local {
        spec.transport = TransportKind::Auto;
    }
    spec
}

/// A path that was typed takes the place of the host's own sources.
fn narrowed(chosen: NamedHost) -> HostSpec {
    let NamedHost {
        mut spec, paths, ..
    } = chosen;
    if !paths.is_empty() {
        spec.sources.clear();
    }
    for mut source in paths {
        if spec.sources.iter().any(|other| other.kind == source.kind) {
            continue;
        }
        if spec.sources.iter().any(|other| other.name == source.name) {
            source.name = full_name(&source.kind);
        }
        spec.sources.push(source);
    }
    spec
}

fn fail(message: String) -> ConfigError {
    ConfigError::option("--hosts", message)
}
