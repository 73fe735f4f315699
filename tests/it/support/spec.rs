//! What is followed: hosts with their sources, as an inventory would have them.

use std::path::Path;

use logtrail::model::host::{Endpoint, HostName, HostSpec, TransportKind};
use logtrail::model::source::{ContainerSelector, SourceKind, SourceSpec};

use super::sshd::Sshd;

/// A host that is this machine, with one source for each path.
pub(crate) fn local_host(name: &str, paths: &[&Path]) -> HostSpec {
    let source = |path: &&Path| {
        let name = path.file_name().unwrap_or(path.as_os_str());
        file_source(name.to_str().expect("test paths are UTF-8"), path)
    };
    let endpoint = Endpoint::new(HostName::new(name).expect("a valid name"));
    HostSpec {
        sources: paths.iter().map(source).collect(),
        transport: TransportKind::Local,
        ..HostSpec::new(endpoint)
    }
}

/// A host of a server whose log `app` is followed.
pub(crate) fn following(sshd: &Sshd, name: &str, log: &Path) -> HostSpec {
    HostSpec {
        sources: vec![file_source("app", log)],
        ..sshd.host(name)
    }
}

/// A source of any kind.
pub(crate) fn source(name: &str, kind: SourceKind) -> SourceSpec {
    SourceSpec {
        name: name.to_owned(),
        kind,
        time: None,
        encoding: None,
        as_root: false,
        archive: None,
    }
}

/// A file by its path, or by a pattern.
pub(crate) fn file_source(name: &str, path: &Path) -> SourceSpec {
    let path = path.to_str().expect("test paths are UTF-8");
    source(name, SourceKind::Path(path.to_owned()))
}

/// The same source, read as root.
pub(crate) fn as_root(source: SourceSpec) -> SourceSpec {
    SourceSpec {
        as_root: true,
        archive: None,
        ..source
    }
}

/// The source `shop`: a container, or a pattern of names.
pub(crate) fn container(name: &str) -> SourceSpec {
    source(
        "shop",
        SourceKind::Container(ContainerSelector {
            engine: None,
            name: name.to_owned(),
        }),
    )
}

/// What a command prints.
pub(crate) fn command(name: &str, words: &[&str]) -> SourceSpec {
    source(
        name,
        SourceKind::Command(words.iter().map(|word| (*word).to_owned()).collect()),
    )
}
