//! Sources that are no files: the journal, containers and pods by the host's own programs, commands
//! of the inventory, and standard input of the console.
//!
//! Each `ProgramSource` is followed in a shell of its own, asked for one piece at a time. A
//! connection lends only so many sessions (`transport::sessions`). Sources for which none is left
//! share one shell, where each is asked in its turn, if they can be asked for what came since (all
//! but commands). Nothing is lost by that, and nothing comes twice: `dedup` and the journal's own
//! cursors see to it. What containers there are is left to `discovery`, and how lines are read to
//! `reader`.

mod argv;
mod container;
mod dedup;
mod discovery;
mod followed_program;
mod heard;
mod history;
mod host;
mod input;
mod journal;
mod kind;
mod line_page;
mod list_output;
mod listing;
mod past_output;
mod past_stream;
mod problem;
mod reader;
mod report;
mod source;
mod tail_start;
mod timestamp_prefix;
mod turns;

pub use history::Talk;

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::future::{join, join_all};
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc;

use crate::host::sources::{RegisteredSource, whole_journal};
use crate::host::state::SharedState;
use crate::host::{Outbox, Work};
use crate::model::source::{SourceKind, SourceSpec};
use crate::transport::Connection;

use discovery::Discovery;
use host::ProgramsHost;
use input::StdinSource;
use kind::{ProgramKind, label};
use reader::ProgramLineReader;
use report::SourceReport;
use source::{ProgramSource, SharedSource};

/// The programs of one host, across connections.
pub(crate) struct Programs {
    sources: Vec<SharedSource>,
    discoveries: Vec<Discovery>,
    state: SharedState,
}

impl Programs {
    /// Those among `sources`.
    #[must_use]
    pub(crate) fn new(sources: &[SourceSpec], state: &SharedState) -> Self {
        let mut programs = Self {
            sources: Vec::new(),
            discoveries: Vec::new(),
            state: state.clone(),
        };
        // Commands first: they cannot wait for a place.
        let (commands, others): (Vec<_>, Vec<_>) = sources
            .iter()
            .partition(|spec| matches!(spec.kind, SourceKind::Command(_)));
        commands
            .into_iter()
            .chain(others)
            .for_each(|spec| programs.add(spec));
        programs
    }

    /// Follows the whole journal, where a host has nothing else.
    pub(crate) fn add_whole(&mut self) {
        if self.sources.is_empty() {
            self.add(&whole_journal());
        }
    }

    fn add(&mut self, spec: &SourceSpec) {
        let kind = match &spec.kind {
            SourceKind::Path(_) => return,
            SourceKind::Container(_) | SourceKind::Pod(_) => return self.add_containers(spec),
            SourceKind::Input => {
                let registered = self.register(spec);
                let input = StdinSource::new(registered, ProgramLineReader::of(spec));
                return self
                    .sources
                    .push(ProgramSource::Input(Box::new(input)).shared());
            }
            SourceKind::Journal(unit) => ProgramKind::Journal {
                unit: unit.clone(),
                cursor: None,
            },
            SourceKind::Command(words) => ProgramKind::Command(words.clone()),
        };
        let report = SourceReport::new(self.register(spec), label(&spec.kind), true);
        let source = ProgramSource::program(spec, kind, report);
        self.sources.push(source.shared());
    }

    fn register(&self, spec: &SourceSpec) -> RegisteredSource {
        self.state.lock().add_source(&spec.name, &label(&spec.kind))
    }

    fn add_containers(&mut self, spec: &SourceSpec) {
        if let Some((discovery, only)) = Discovery::new(spec, &self.state) {
            self.discoveries.push(discovery);
            self.sources.extend(only.map(ProgramSource::shared));
        }
    }

    /// Follows all of them until the connection ends; in a bounded pass until each has given its
    /// last lines.
    pub(crate) async fn run(&mut self, connection: &Connection, work: &Work, outbox: &Outbox) {
        self.state.lock().forget_unread();
        self.discoveries.iter().for_each(Discovery::forget);
        let host = &ProgramsHost::new(connection, work, outbox, &self.state);
        let (found, mut coming) = mpsc::channel(16);
        let looks = self.discoveries.iter_mut();
        let looking = join_all(looks.map(|discovery| discovery.keep_looking(host, found.clone())));
        // When nobody looks any more, no more sources come.
        drop(found);
        let sources = &mut self.sources;
        let mut running: FuturesUnordered<_> = sources
            .iter()
            .map(|source| run(Arc::clone(source), host))
            .collect();
        let following = async {
            loop {
                tokio::select! {
                    Some(source) = coming.recv() => {
                        sources.push(Arc::clone(&source));
                        running.push(run(source, host));
                    }
                    Some(()) = running.next() => {}
                    else => break,
                }
            }
        };
        join(looking, following).await;
    }
}

async fn run(source: SharedSource, host: &ProgramsHost<'_>) {
    source.lock().await.run(host).await;
}
