//! The sources of one host: their numbers, their names, and those that a host usually has.
//!
//! Files, files that need sudo, and programs all register here, so that no number is given twice.
//! What comes from a source is left to whoever registered it.

use std::sync::Arc;

use crate::model::source::{SourceKind, SourceSpec};

/// Files that one pattern may bring, and sources of one host in all: what a person can still tell
/// apart.
pub(super) const MAX_SOURCES: usize = 1000;

/// Files that a host tells of for one pattern: several may be days of one log.
pub(super) const MOST_EXPANDED: usize = 4000;

/// Gives each source of a host its number and its name. Both stay for as long as the host is
/// watched.
#[derive(Debug, Default)]
pub(super) struct SourceRegistry {
    /// By number.
    names: Vec<Arc<str>>,
}

/// A source that has been registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RegisteredSource {
    /// From 0, in order of discovery.
    pub(crate) number: u32,
    /// What it is called on the screen and in JSON.
    pub(crate) name: Arc<str>,
}

impl SourceRegistry {
    /// Registers a source. It is called `wanted` unless another source is; then `otherwise`, its
    /// path or what identifies it.
    pub(super) fn add(&mut self, wanted: &str, otherwise: &str) -> RegisteredSource {
        let is_taken = self.names.iter().any(|name| **name == *wanted);
        let name: Arc<str> = if is_taken { otherwise } else { wanted }.into();
        let number = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push(Arc::clone(&name));
        RegisteredSource { number, name }
    }
}

/// What a file of `spec` is called, unless the name is taken. `only` where the inventory asks for
/// just this file.
pub(super) fn name_of_file(spec: &SourceSpec, path: &str, only: bool) -> String {
    let file = path.rsplit('/').next().unwrap_or(path);
    if only {
        spec.name.clone()
    } else {
        format!("{}/{file}", spec.name)
    }
}

/// The sources that are looked for on a host for which the inventory names none: what every syslog
/// writes. The journal is the last resort, for most syslog daemons write the same there.
#[must_use]
pub(super) fn usual_sources() -> Vec<SourceSpec> {
    ["/var/log/syslog", "/var/log/messages"]
        .map(|path| SourceSpec {
            name: path.rsplit('/').next().unwrap_or(path).to_owned(),
            kind: SourceKind::Path(path.to_owned()),
            time: None,
            encoding: None,
            as_root: false,
            archive: None,
        })
        .into()
}

/// The journal of a host that has nothing else.
#[must_use]
pub(super) fn whole_journal() -> SourceSpec {
    SourceSpec {
        name: "journal".to_owned(),
        kind: SourceKind::Journal(None),
        time: None,
        encoding: None,
        as_root: false,
        archive: None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_source_whose_name_is_taken_is_called_by_its_path() {
        let mut registry = SourceRegistry::default();
        let names = ["/a/x.log", "/b/x.log"].map(|path| registry.add("app/x.log", path).name);
        assert_eq!(
            names.map(|name| name.to_string()),
            ["app/x.log", "/b/x.log"]
        );
    }

    proptest! {
        #[test]
        fn no_two_sources_have_one_number_and_none_is_skipped(
            sources in proptest::collection::vec(("[ab]/[xy]", "/[abc]/[xyz]"), 0..40),
        ) {
            let mut registry = SourceRegistry::default();
            let numbers: BTreeSet<u32> = sources
                .iter()
                .map(|(wanted, path)| registry.add(wanted, path).number)
                .collect();
            let count = u32::try_from(sources.len()).expect("a few");
            prop_assert_eq!(numbers, (0..count).collect::<BTreeSet<_>>());
        }

        #[test]
        fn no_two_sources_of_different_paths_have_one_name(
            sources in proptest::collection::btree_map("/[abc]/[xyz]{1,2}", "[ab]/[xy]", 0..20),
        ) {
            let mut registry = SourceRegistry::default();
            let names: BTreeSet<_> = sources
                .iter()
                .map(|(path, wanted)| registry.add(wanted, path).name)
                .collect();
            prop_assert_eq!(names.len(), sources.len());
        }
    }
}
