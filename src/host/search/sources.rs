//! Finds the logs of a host that a [`LogRequest`] is about, by the names that following gives them.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::files::patterns::lies_beside;
use crate::host::sources::{name_of_file, usual_sources};
use crate::host::{Failure, Files};
use crate::model::host::HostSpec;
use crate::model::log_file::LogFile;
use crate::model::source::{SourceInfo, SourceKind, SourceSpec};
use crate::query::request::LogRequest;

use super::chain::Chain;
use super::links::{self, Logs};
use super::stop_reason::StopReason;

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
    /// What lies beside it, begins alike, and was not taken.
    pub(super) beside: Vec<Vec<u8>>,
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
) -> Result<Vec<Source>, StopReason> {
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
    ) -> Result<(), StopReason> {
        let only = !spec.kind.is_glob();
        let is_named = self.ask.is_about(&spec.name);
        if only && !is_named && self.names.insert(spec.name.clone()) {
            return Ok(());
        }
        let ask = self.ask;
        let means_all = self.means_all(spec);
        let is_wanted = |log: &[u8]| {
            let shown = String::from_utf8_lossy(log);
            means_all || ask.is_about(&shown) || ask.is_about(&name_of_file(spec, &shown, only))
        };
        match links::logs(files, spec, is_wanted).await {
            Ok(logs) => self.add_logs(spec, path, logs),
            Err(Failure::File(error)) => self.fail(&spec.name, error.explained(path)),
            Err(Failure::Link(error)) => return Err(StopReason::Link(error)),
        }
        Ok(())
    }

    /// Adds those of the logs of a path or pattern that are asked for.
    fn add_logs(&mut self, spec: &SourceSpec, path: &str, logs: Logs) {
        for why in logs.problems {
            self.fail(&spec.name, why);
        }
        let only = !spec.kind.is_glob();
        let is_named = self.ask.is_about(&spec.name);
        let before = self.found.len();
        for chain in logs.chains.into_iter().filter(|log| !log.files.is_empty()) {
            let mut log = self.named(spec, chain);
            let is_alike = |file: &&Vec<u8>| lies_beside(&log.path, file);
            log.beside = logs.beside.iter().filter(is_alike).cloned().collect();
            if self.means_all(spec) || self.ask.is_about(&log.info.name) {
                self.found.push(Source::Log(Box::new(log)));
            }
        }
        if self.found.len() == before && !self.is_usual && (only || is_named) {
            let hint = "check the path; as root, by become = \"sudo\", more may be seen";
            self.fail(&spec.name, format!("no file matches {path} – {hint}"));
        }
    }

    /// Whether all logs are asked for that the pattern of a source matches: its name means them all.
    fn means_all(&self, spec: &SourceSpec) -> bool {
        spec.kind.is_glob() && self.ask.is_about(&spec.name)
    }

    /// Gives a log its name: its path where another one has the name already.
    fn named(&mut self, spec: &SourceSpec, chain: Chain) -> Log {
        let path = String::from_utf8_lossy(&chain.path).into_owned();
        let mut name = name_of_file(spec, &path, !spec.kind.is_glob());
        if self.names.contains(&name) {
            name.clone_from(&path);
        }
        self.names.insert(name.clone());
        Log {
            info: SourceInfo {
                name: name.into(),
                path: path.into(),
                problem: None,
                stamps: None,
            },
            spec: spec.clone(),
            path: chain.path,
            files: chain.files,
            beside: Vec::new(),
        }
    }

    fn fail(&mut self, name: &str, why: String) {
        self.found.push(Source::Failed(name.into(), why));
    }
}

/// Names that are told of what lies beside a log; of more their number.
const MOST_TOLD: usize = 5;

/// What lies beside a log and begins alike, but is by its name no generation of it.
pub(super) fn beside_note(log: &Log) -> Option<String> {
    let names = log.beside.iter().take(MOST_TOLD).map(|path| {
        let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
        String::from_utf8_lossy(name).into_owned()
    });
    let names: Vec<String> = names.collect();
    let more = log.beside.len().saturating_sub(MOST_TOLD);
    let and_more = match more {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!names.is_empty()).then(|| {
        format!(
            "beside it, and not part of it by the name: {}{and_more}",
            names.join(", ")
        )
    })
}

/// The files of a log as they are now.
pub(super) async fn again<F: Files>(files: &mut F, log: &Log) -> Result<Vec<LogFile>, StopReason> {
    let listed = links::logs(files, &log.spec, |path| path == log.path).await;
    let logs = listed.map_err(|failure| StopReason::of(failure, &log.path))?;
    let same = logs.chains.into_iter().find(|chain| chain.path == log.path);
    Ok(same.map(|chain| chain.files).unwrap_or_default())
}
