//! The streams of a source that can be asked for what they have said.
//!
//! What a command or standard input has said is not kept by anyone.

use std::sync::Arc;

use super::argv::{self, CommandLine, StartFrom};
use super::discovery;
use super::journal;
use super::kind::label;
use super::list_output::{ContainerLog, WantedContainers};
use super::listing::Listing;
use super::problem;
use super::reader::ProgramLineReader;
use super::tail_start::{TailStart, find_tail_start, from_time, log_command};
use super::timestamp_prefix::PrefixStripper;
use crate::host::driver::programs::RunPrograms;
use crate::host::problems::Problem;
use crate::model::source::{SourceInfo, SourceKind, SourceSpec};
use crate::model::time::Time;
use crate::query::request::{LogRequest, LogResponse, RequestCost, RequestKind};
use crate::transport::LinkError;

/// A stream that can be asked for what it said.
pub(super) struct PastStream {
    pub(super) name: Arc<str>,
    label: String,
    /// Why it may not be all of it.
    pub(super) problem: Option<String>,
    /// The format of its stamps.
    time: Option<String>,
    /// The encoding of its text.
    encoding: Option<String>,
    pub(super) of: PastKind,
}

/// What keeps it.
pub(super) enum PastKind {
    Journal(Option<String>),
    Container(ContainerLog),
}

/// What is answered of a command or of standard input. Who asks about everything is told and gets
/// the rest; only for who asks about this very source is the answer not complete.
pub(super) fn without_past(spec: &SourceSpec, ask: &LogRequest) -> LogResponse {
    let name: Arc<str> = spec.name.as_str().into();
    if matches!(ask.what, RequestKind::List) {
        let info = SourceInfo {
            name,
            path: spec.kind.to_string().into(),
            problem: None,
            stamps: None,
        };
        return LogResponse::Source(info, Vec::new());
    }
    let why = "nobody keeps what it has said: it can only be followed".to_owned();
    if ask.sources.is_empty() {
        LogResponse::Note(name, why)
    } else {
        LogResponse::Failed(name, why)
    }
}

/// The streams of a source, by the names that following gives them; or why nobody knows.
pub(super) async fn find_streams(
    programs: &mut impl RunPrograms,
    spec: &SourceSpec,
) -> Result<Result<Vec<PastStream>, Problem>, LinkError> {
    match &spec.kind {
        SourceKind::Journal(unit) => {
            let journal = journal_stream(programs, spec, unit.clone()).await?;
            Ok(journal.map(|journal| vec![journal]))
        }
        _ => container_streams(programs, spec).await,
    }
}

async fn journal_stream(
    programs: &mut impl RunPrograms,
    spec: &SourceSpec,
    unit: Option<String>,
) -> Result<Result<PastStream, Problem>, LinkError> {
    let check = Listing::of(programs, &argv::journal_check()).await?;
    Ok(match journal::explained(check.code, &check.lines) {
        Some(problem) if check.code != 0 => Err(problem),
        // It says so where it shows only a part, or has nothing.
        problem => Ok(PastStream {
            problem: problem.map(|problem| problem.reason),
            ..PastStream::of_source(spec, PastKind::Journal(unit))
        }),
    })
}

async fn container_streams(
    programs: &mut impl RunPrograms,
    spec: &SourceSpec,
) -> Result<Result<Vec<PastStream>, Problem>, LinkError> {
    let Some(wanted) = WantedContainers::new(&spec.kind) else {
        return Ok(Ok(Vec::new()));
    };
    let found = match discovery::look(programs, &spec.kind, &wanted, &mut None).await? {
        Ok(found) if found.is_empty() => Err(Problem::plain(discovery::nothing(&spec.kind))),
        found => found,
    };
    Ok(found.map(|found| {
        let streams = found.into_iter().map(|(name, target)| {
            let label = target.label();
            let stream = PastStream::of_source(spec, PastKind::Container(target.at));
            if !spec.kind.is_glob() {
                return stream;
            }
            PastStream {
                name: format!("{}/{name}", spec.name).into(),
                label,
                ..stream
            }
        });
        // They are read one after the other: however many there are.
        let most = if spec.kind.is_glob() { usize::MAX } else { 1 };
        streams.take(most).collect()
    }))
}

impl PastStream {
    /// The stream that a source names.
    fn of_source(spec: &SourceSpec, of: PastKind) -> Self {
        Self {
            name: spec.name.as_str().into(),
            label: label(&spec.kind),
            problem: None,
            time: spec.time.clone(),
            encoding: spec.encoding.clone(),
            of,
        }
    }

    /// What reads its lines.
    pub(super) fn reader(&self) -> ProgramLineReader {
        ProgramLineReader::new(self.time.as_deref()).with_encoding(self.encoding.as_deref())
    }

    pub(super) fn words(&self, from: &StartFrom<'_>) -> CommandLine {
        match &self.of {
            PastKind::Journal(unit) => argv::journal(unit.as_deref(), from, false),
            PastKind::Container(at) => log_command(at, from, false),
        }
    }

    /// From a time on; from the beginning where that is before all that can be.
    pub(super) fn since(&self, time: Time) -> StartFrom<'static> {
        match self.of {
            PastKind::Journal(_) if time.0 <= 0 => StartFrom::Oldest,
            PastKind::Journal(_) => StartFrom::Time(time.0),
            PastKind::Container(_) => from_time(time.0),
        }
    }

    /// From where so many of its last lines are had. That these are all is known beforehand of a
    /// container only.
    pub(super) async fn tail_start(
        &self,
        programs: &mut impl RunPrograms,
        lines: u32,
    ) -> Result<TailStart, LinkError> {
        match &self.of {
            PastKind::Journal(_) => Ok(TailStart {
                from: StartFrom::Last(lines),
                is_all: false,
            }),
            PastKind::Container(at) => find_tail_start(programs, at, lines).await,
        }
    }

    /// Cuts off what an engine of containers puts before each line.
    pub(super) fn stripper(&self) -> Option<PrefixStripper> {
        match &self.of {
            PastKind::Journal(_) => None,
            PastKind::Container(at) => Some(PrefixStripper::new(at)),
        }
    }

    /// Why the program that prints it has failed.
    pub(super) fn failure(&self, code: i32, said: &str) -> Problem {
        match &self.of {
            PastKind::Journal(_) => {
                Problem::plain(&format!("journalctl ended with status {code}: {said}"))
            }
            PastKind::Container(at) => problem::of_container(at, code, said),
        }
    }

    /// That there is such a stream.
    pub(super) fn info(&self) -> LogResponse {
        let info = SourceInfo {
            name: Arc::clone(&self.name),
            path: self.label.as_str().into(),
            problem: self.problem.clone(),
            stamps: None,
        };
        LogResponse::Source(info, Vec::new())
    }

    /// What asking it costs.
    pub(super) fn cost(&self) -> LogResponse {
        let cost = RequestCost {
            bytes: 0,
            files: Vec::new(),
            commands: vec![self.words(&StartFrom::Oldest).join(" ")],
        };
        LogResponse::Cost(Arc::clone(&self.name), cost)
    }
}
