//! The logs of a host that an [`LogRequest`] is about, by the names that following gives them.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::host::sources::{name_of_file, usual_sources};
use crate::host::{Failure, Files};
use crate::model::host::HostSpec;
use crate::model::log_file::LogFile;
use crate::model::source::{SourceInfo, SourceKind, SourceSpec};
use crate::query::request::LogRequest;

use super::chain::Chain;
use super::{Halt, links};

/// A source that consists of files.
#[derive(Debug, Clone)]
pub(super) struct Log {
    /// As it is shown.
    pub(super) info: SourceInfo,
    /// Whose it is.
    pub(super) spec: SourceSpec,
    /// Of its live file.
    pub(super) path: Vec<u8>,
    /// Oldest first.
    pub(super) files: Vec<LogFile>,
}

/// What became of a source that was asked for.
pub(super) enum Source {
    /// Its files.
    Log(Box<Log>),
    /// Nothing can be read of it: its name and why.
    Failed(Arc<str>, String),
}

/// All sources of the host that are asked for, in the order of the inventory.
pub(super) async fn sources<F: Files>(
    files: &mut F,
    host: &HostSpec,
    ask: &LogRequest,
) -> Result<Vec<Source>, Halt> {
    let is_usual = host.sources.is_empty();
    let specs = if is_usual {
        usual_sources()
    } else {
        host.sources.clone()
    };
    let mut list = SourceList {
        ask,
        is_usual,
        names: BTreeSet::new(),
        found: Vec::new(),
    };
    for spec in &specs {
        match &spec.kind {
            SourceKind::Path(path) => list.add_path(files, spec, path).await?,
            _ if ask.is_about(&spec.name) => list.fail(&spec.name, "it is no file".to_owned()),
            _ => {}
        }
    }
    Ok(list.found)
}

/// The sources that were found so far.
struct SourceList<'r> {
    ask: &'r LogRequest,
    /// The inventory names none: the usual logs are looked for.
    is_usual: bool,
    /// Names that are taken.
    names: BTreeSet<String>,
    found: Vec<Source>,
}

impl SourceList<'_> {
    /// Adds the logs of one path or pattern.
    async fn add_path<F: Files>(
        &mut self,
        files: &mut F,
        spec: &SourceSpec,
        path: &str,
    ) -> Result<(), Halt> {
        let only = !spec.kind.is_glob();
        let is_named = self.ask.is_about(&spec.name);
        if only && !is_named && self.names.insert(spec.name.clone()) {
            return Ok(());
        }
        // The name of the source means all that its pattern matches.
        let all = !only && is_named;
        let ask = self.ask;
        let is_wanted = |log: &[u8]| {
            let shown = String::from_utf8_lossy(log);
            all || ask.is_about(&shown) || ask.is_about(&name_of_file(spec, &shown, only))
        };
        let logs = match links::logs(files, &spec.kind, is_wanted).await {
            Ok(logs) => logs,
            Err(Failure::Link(error)) => return Err(Halt::Link(error)),
            Err(Failure::File(error)) => {
                self.fail(&spec.name, super::told(path, &error));
                return Ok(());
            }
        };
        for why in logs.problems {
            self.fail(&spec.name, why);
        }
        let before = self.found.len();
        for chain in logs.chains {
            self.add_log(spec, chain, all);
        }
        if self.found.len() == before && !self.is_usual && (only || is_named) {
            let hint = "check the path; as root, by become = \"sudo\", more may be seen";
            self.fail(&spec.name, format!("no file matches {path} – {hint}"));
        }
        Ok(())
    }

    /// Adds the log of these files, if there are any and it is asked for.
    fn add_log(&mut self, spec: &SourceSpec, chain: Chain, all: bool) {
        if chain.files.is_empty() {
            return;
        }
        let log = named(spec, chain, !spec.kind.is_glob(), &mut self.names);
        if all || self.ask.is_about(&log.info.name) {
            self.found.push(Source::Log(Box::new(log)));
        }
    }

    fn fail(&mut self, name: &str, why: String) {
        self.found.push(Source::Failed(name.into(), why));
    }
}

fn named(spec: &SourceSpec, chain: Chain, only: bool, names: &mut BTreeSet<String>) -> Log {
    let shown = String::from_utf8_lossy(&chain.path).into_owned();
    let wanted = name_of_file(spec, &shown, only);
    let name = if names.contains(&wanted) {
        shown.clone()
    } else {
        wanted
    };
    names.insert(name.clone());
    let info = SourceInfo {
        name: name.into(),
        path: shown.into(),
        problem: None,
        stamps: None,
    };
    Log {
        info,
        spec: spec.clone(),
        path: chain.path,
        files: chain.files,
    }
}

/// The files of a log as they are now.
pub(super) async fn again<F: Files>(files: &mut F, log: &Log) -> Result<Vec<LogFile>, Failure> {
    let chains = links::logs(files, &log.spec.kind, |path| path == log.path)
        .await?
        .chains;
    Ok(chains
        .into_iter()
        .find(|chain| chain.path == log.path)
        .map(|chain| chain.files)
        .unwrap_or_default())
}
