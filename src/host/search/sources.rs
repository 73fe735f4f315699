//! The logs of a host that an [`LogRequest`] is about, by the names that following gives them.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::host::track::{name_of, usual_sources};
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
    let (mut found, mut names) = (Vec::new(), BTreeSet::new());
    for spec in &specs {
        match &spec.kind {
            SourceKind::Path(path) => {
                of_path(files, ask, spec, path, is_usual, &mut names, &mut found).await?;
            }
            _ => {
                if ask.is_about(&spec.name) {
                    let why = "it is no file".to_owned();
                    found.push(Source::Failed(spec.name.as_str().into(), why));
                }
            }
        }
    }
    Ok(found)
}

/// The logs of one path or pattern.
async fn of_path<F: Files>(
    files: &mut F,
    ask: &LogRequest,
    spec: &SourceSpec,
    path: &str,
    is_usual: bool,
    names: &mut BTreeSet<String>,
    found: &mut Vec<Source>,
) -> Result<(), Halt> {
    let is_glob = spec.kind.is_glob();
    if !is_glob && !names.contains(&spec.name) && !ask.is_about(&spec.name) {
        names.insert(spec.name.clone());
        return Ok(());
    }
    let failed = |why| Source::Failed(spec.name.as_str().into(), why);
    // The name of the source stands for all that its pattern matches.
    let all = is_glob && ask.is_about(&spec.name);
    let is_wanted = |log: &[u8]| {
        let shown = String::from_utf8_lossy(log);
        all || ask.is_about(&shown) || ask.is_about(&name_of(spec, &shown, !is_glob))
    };
    let found_logs = match links::logs(files, &spec.kind, is_wanted).await {
        Ok(logs) => logs,
        Err(Failure::Link(error)) => return Err(Halt::Link(error)),
        Err(Failure::File(error)) => {
            found.push(failed(super::told(path, &error)));
            return Ok(());
        }
    };
    found.extend(found_logs.problems.into_iter().map(failed));
    let chains = found_logs.chains;
    let chains = chains.into_iter().filter(|chain| !chain.files.is_empty());
    let logs = chains.map(|chain| named(spec, chain, !is_glob, names));
    let logs = logs.filter(|log| all || ask.is_about(&log.info.name));
    let before = found.len();
    found.extend(logs.map(|log| Source::Log(Box::new(log))));
    if found.len() == before && !is_usual && (!is_glob || ask.is_about(&spec.name)) {
        let hint = "check the path; as root, by become = \"sudo\", more may be seen";
        found.push(failed(format!("no file matches {path} – {hint}")));
    }
    Ok(())
}

fn named(spec: &SourceSpec, chain: Chain, only: bool, names: &mut BTreeSet<String>) -> Log {
    let shown = String::from_utf8_lossy(&chain.path).into_owned();
    let wanted = name_of(spec, &shown, only);
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
