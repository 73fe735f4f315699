//! Which hosts are meant: the language of `--hosts`, and of the groups of the inventory.
//!
//! A selection is a list of parts. Each adds the hosts it names, in its own order, without
//! repeating one; a part with `!` takes hosts away, wherever it is, so that the order in which
//! parts are typed never puts an excluded host back. A part that names nothing is an error: a host
//! that is missing from the screen is not noticed at 3 a.m.

use std::collections::{BTreeMap, HashMap, HashSet};

use globset::{Glob, GlobMatcher};
use toml::Spanned;

use super::error::{ConfigError, suggestion};
use super::file::ConfigText;
use super::host_table::HostTable;
use super::sources::check_label;
use crate::model::host::Address;

/// Groups in groups in groups: beyond this depth somebody has made a mistake.
const MAX_NESTING: usize = 32;

/// The groups of an inventory, each resolved to its hosts.
#[derive(Debug, Clone, Default)]
pub(super) struct HostGroups(BTreeMap<String, Vec<usize>>);

impl HostGroups {
    /// Resolves all groups, wanted or not.
    pub(super) fn new(
        table: &HostTable,
        raw: &[(Spanned<String>, Vec<Spanned<String>>)],
        file: &ConfigText,
    ) -> Result<Self, ConfigError> {
        let mut resolver = GroupResolver {
            table,
            file,
            raw,
            done: HashMap::new(),
        };
        for (n, (name, _)) in raw.iter().enumerate() {
            resolver.check_name(name)?;
            resolver.group(n, &mut Vec::new())?;
        }
        let mut done = resolver.done;
        let named = raw
            .iter()
            .enumerate()
            .map(|(n, (name, _))| (name.get_ref().clone(), done.remove(&n).unwrap_or_default()));
        Ok(Self(named.collect()))
    }

    /// The hosts of a group.
    pub(super) fn find(&self, name: &str) -> Option<&[usize]> {
        self.0.get(name).map(Vec::as_slice)
    }

    /// The names of all groups.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// A part of a selection without its `!`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SelectionTerm<'a> {
    /// `tag:NAME`, where NAME may be a glob.
    Tag(&'a str),
    /// `group:NAME`.
    Group(&'a str),
    /// A pattern over names of hosts.
    Glob(&'a str),
    /// A group or a host.
    Name(&'a str),
}

impl<'a> SelectionTerm<'a> {
    pub(super) fn parse(text: &'a str) -> Self {
        if let Some(tag) = text.strip_prefix("tag:") {
            Self::Tag(tag)
        } else if let Some(group) = text.strip_prefix("group:") {
            Self::Group(group)
        } else if is_glob(text) {
            Self::Glob(text)
        } else {
            Self::Name(text)
        }
    }

    /// The hosts of the inventory that are meant. `group` says what a group has; `None` is a name
    /// that is neither a group nor a host, which may yet be a target.
    pub(super) fn hosts(
        self,
        table: &HostTable,
        mut group: impl FnMut(&str) -> Result<Option<Vec<usize>>, ConfigError>,
        fail: &dyn Fn(String) -> ConfigError,
    ) -> Result<Option<Vec<usize>>, ConfigError> {
        match self {
            Self::Tag(tag) => with_tag(table, tag).map(Some).map_err(fail),
            Self::Glob(pattern) => with_name_like(table, pattern).map(Some).map_err(fail),
            Self::Group(name) => match group(name)? {
                Some(hosts) => Ok(Some(hosts)),
                None => Err(fail(format!("unknown group {name:?}"))),
            },
            Self::Name(name) => match group(name)? {
                Some(hosts) => Ok(Some(hosts)),
                None => Ok(table.find(name).map(|n| vec![n])),
            },
        }
    }
}

/// Whether a text is a pattern. The brackets of an IPv6 address are none.
pub(super) fn is_glob(text: &str) -> bool {
    let host = text.rsplit_once('@').map_or(text, |(_, host)| host);
    let address = host
        .strip_prefix('[')
        .and_then(|inner| inner.split_once(']'));
    if address.is_some_and(|(inner, _)| Address::is_ip(inner) && inner.contains(':')) {
        return false;
    }
    text.contains(['*', '?', '[', '{'])
}

/// A pattern over names of hosts.
pub(super) fn glob(pattern: &str) -> Result<GlobMatcher, String> {
    let glob = Glob::new(pattern)
        .map_err(|error| format!("{pattern:?} is not a valid glob: {}", error.kind()))?;
    Ok(glob.compile_matcher())
}

/// The parts of a selection: between commas, but not within the braces of a glob.
pub(super) fn parts(selection: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut depth = 0_usize;
    for (at, byte) in selection.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                parts.push(&selection[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&selection[start..]);
    parts
        .into_iter()
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect()
}

fn with_tag(table: &HostTable, tag: &str) -> Result<Vec<usize>, String> {
    let matcher = if is_glob(tag) { Some(glob(tag)?) } else { None };
    let meant = |given: &String| {
        matcher
            .as_ref()
            .map_or(given == tag, |matcher| matcher.is_match(given))
    };
    let hosts: Vec<usize> = matching(table, |n| table.hosts[n].settings.tags.iter().any(meant));
    if hosts.is_empty() {
        let tags = table.hosts.iter().flat_map(|host| &host.settings.tags);
        return Err(format!(
            "no host has the tag {tag:?}{}",
            suggestion(tag, tags.map(String::as_str))
        ));
    }
    Ok(hosts)
}

fn with_name_like(table: &HostTable, pattern: &str) -> Result<Vec<usize>, String> {
    let matcher = glob(pattern)?;
    let hosts = matching(table, |n| matcher.is_match(table.hosts[n].name.as_str()));
    if hosts.is_empty() {
        Err(format!("no host is named like {pattern:?}"))
    } else {
        Ok(hosts)
    }
}

fn matching(table: &HostTable, meant: impl Fn(usize) -> bool) -> Vec<usize> {
    (0..table.hosts.len()).filter(|&n| meant(n)).collect()
}

/// Resolves groups that name each other.
struct GroupResolver<'a> {
    table: &'a HostTable,
    file: &'a ConfigText,
    raw: &'a [(Spanned<String>, Vec<Spanned<String>>)],
    done: HashMap<usize, Vec<usize>>,
}

impl GroupResolver<'_> {
    fn check_name(&self, name: &Spanned<String>) -> Result<(), ConfigError> {
        let at = name.span().start;
        let name = name.get_ref();
        check_label("group name", name).map_err(|message| self.file.error(at, message))?;
        if name.contains([':', '@', '/', '!', ' ']) || is_glob(name) {
            let message = format!(
                "group name {name:?} would be taken for something else in --hosts; use letters and digits"
            );
            return Err(self.file.error(at, message));
        }
        if self.table.find(name).is_some() {
            return Err(self.file.error(
                at,
                format!("group {name:?} has the name of a host; rename one of them"),
            ));
        }
        Ok(())
    }

    /// The hosts of a group; `inside` are the groups that led here.
    fn group(&mut self, n: usize, inside: &mut Vec<usize>) -> Result<Vec<usize>, ConfigError> {
        if let Some(hosts) = self.done.get(&n) {
            return Ok(hosts.clone());
        }
        inside.push(n);
        let members = &self.raw[n].1;
        let is_exclusion = |member: &Spanned<String>| member.get_ref().starts_with('!');
        let mut hosts = Vec::new();
        if !members.is_empty() && members.iter().all(is_exclusion) {
            hosts.extend(0..self.table.hosts.len());
        }
        let mut excluded = HashSet::new();
        for member in members {
            match member.get_ref().strip_prefix('!') {
                Some(term) => excluded.extend(self.member(n, term.trim(), member, inside)?),
                None => hosts.extend(self.member(n, member.get_ref().trim(), member, inside)?),
            }
        }
        inside.pop();
        let mut seen = HashSet::new();
        hosts.retain(|host| !excluded.contains(host) && seen.insert(*host));
        self.done.insert(n, hosts.clone());
        Ok(hosts)
    }

    /// The hosts that a member of group `n` names.
    fn member(
        &mut self,
        n: usize,
        term: &str,
        member: &Spanned<String>,
        inside: &mut Vec<usize>,
    ) -> Result<Vec<usize>, ConfigError> {
        let raw = self.raw;
        let table = self.table;
        let file = self.file;
        let place = format!("group {:?}", raw[n].0.get_ref());
        let fail = |message: String| file.error(member.span().start, format!("{place}: {message}"));
        let group = |name: &str| {
            let Some(other) = raw.iter().position(|(other, _)| other.get_ref() == name) else {
                return Ok(None);
            };
            refuse_cycle(raw, other, inside).map_err(fail)?;
            self.group(other, inside).map(Some)
        };
        let hosts = SelectionTerm::parse(term).hosts(table, group, &fail)?;
        hosts.ok_or_else(|| {
            let groups = raw.iter().map(|(name, _)| name.get_ref().as_str());
            let hint = suggestion(term, table.names().chain(groups));
            fail(format!("unknown member {term:?}{hint}"))
        })
    }
}

fn refuse_cycle(
    raw: &[(Spanned<String>, Vec<Spanned<String>>)],
    other: usize,
    inside: &[usize],
) -> Result<(), String> {
    if let Some(start) = inside.iter().position(|&n| n == other) {
        let names: Vec<&str> = inside[start..]
            .iter()
            .chain([&other])
            .map(|&n| raw[n].0.get_ref().as_str())
            .collect();
        return Err(format!("group cycle: {}", names.join(" has ")));
    }
    if inside.len() >= MAX_NESTING {
        return Err(format!("groups are nested more than {MAX_NESTING} deep"));
    }
    Ok(())
}
