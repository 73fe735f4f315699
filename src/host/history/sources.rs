//! The logs of a host that an [`Ask`] is about, by the names that following gives them.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::host::track::{name_of, usual_sources};
use crate::host::{Failure, Files};
use crate::model::{Ask, HostSpec, LogFile, SourceInfo, SourceKind, SourceSpec};

use super::Halt;
use super::chain::{self, Chain};

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
pub(super) async fn sources<F: Files>(files: &mut F, host: &HostSpec, ask: &Ask) -> Result<Vec<Source>, Halt> {
    let is_usual = host.sources.is_empty();
    let specs = if is_usual { usual_sources() } else { host.sources.clone() };
    let (mut found, mut names) = (Vec::new(), BTreeSet::new());
    for spec in &specs {
        match &spec.kind {
            SourceKind::Path(path) => of_path(files, ask, spec, path, is_usual, &mut names, &mut found).await?,
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
    ask: &Ask,
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
    let listed = match files.list(path.as_bytes()).await {
        Ok(listed) => listed,
        Err(Failure::Link(error)) => return Err(Halt::Link(error)),
        Err(Failure::File(error)) => {
            found.push(failed(super::told(path, &error)));
            return Ok(());
        }
    };
    if listed.left_out() > 0 {
        let more = listed.left_out();
        found.push(failed(format!("{path} has more files than fit: the oldest {more} are left out – name fewer")));
    }
    if !listed.is_settled {
        found.push(failed(format!("{path}: its files are moved all the while – some may be missing; try again")));
    }
    let listed = listed.into_files();
    let chains = if is_glob { chain::of_pattern(listed) } else { vec![chain::of_path(path.as_bytes(), listed)] };
    let chains = chains.into_iter().filter(|chain| !chain.files.is_empty());
    // The name of the source stands for all that its pattern matches.
    let all = is_glob && ask.is_about(&spec.name);
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
    let name = if names.contains(&wanted) { shown.clone() } else { wanted };
    names.insert(name.clone());
    let info = SourceInfo { name: name.into(), path: shown.into(), problem: None, stamps: None };
    Log { info, spec: spec.clone(), path: chain.path, files: chain.files }
}

/// The files of a log as they are now.
pub(super) async fn again<F: Files>(files: &mut F, log: &Log) -> Result<Vec<LogFile>, Failure> {
    let SourceKind::Path(path) = &log.spec.kind else { return Ok(Vec::new()) };
    let listed = files.list(path.as_bytes()).await?.into_files();
    if !log.spec.kind.is_glob() {
        return Ok(chain::of_path(&log.path, listed).files);
    }
    let chains = chain::of_pattern(listed);
    Ok(chains.into_iter().find(|chain| chain.path == log.path).map(|chain| chain.files).unwrap_or_default())
}
