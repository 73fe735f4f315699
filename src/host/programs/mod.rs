//! Sources that are no files: the journal, containers and pods by the host's own programs, commands
//! of the inventory, and standard input of the console.
//!
//! Each `ProgramSource` is followed in a shell of its own, asked for one piece at a time. A
//! connection lends only so many [`sessions`]; of the sources for which none is left, those that
//! can be asked for what came since (all but commands) share one shell, where each is asked in its
//! turn. Nothing is lost by that, and nothing comes twice: `dedup` and the journal's own cursors
//! see to it. What containers there are is left to `discovery`, and how lines are read to `reader`.

mod argv;
mod dedup;
mod discovery;
mod history;
mod input;
mod journal;
mod line_page;
mod line_splitter;
mod list_output;
mod problem;
mod program;
mod reader;
mod stream;
mod tail_start;
mod timestamp_prefix;

pub use history::Talk;

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{Mutex, MutexGuard, mpsc};
use tokio::time::timeout;

use crate::host::problems::{Problem, ProblemKey};
use crate::host::sources::whole_journal;
use crate::host::state::SharedState;
use crate::host::{Outbox, Work};
use crate::model::source::{SourceKind, SourceSpec};
use crate::model::time::HostClock;
use crate::transport::{Connection, sessions};

use discovery::Discovery;
use input::StdinSource;
use program::Shell;
use stream::{ProgramKind, ProgramSource};

/// A host that has not said what time it has by then is taken to have UTC.
const CLOCK_TOLD_WITHIN: Duration = Duration::from_secs(15);

/// The programs of one host, across connections.
pub(crate) struct Programs {
    sources: Vec<Arc<Mutex<ProgramSource>>>,
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
        let what = match &spec.kind {
            SourceKind::Path(_) => return,
            SourceKind::Journal(unit) => ProgramKind::Journal {
                unit: unit.clone(),
                cursor: None,
            },
            SourceKind::Command(words) => ProgramKind::Command(words.clone()),
            SourceKind::Input => ProgramKind::Input(StdinSource::new()),
            SourceKind::Container(_) | SourceKind::Pod(_) => {
                let Some((discovery, only)) = Discovery::new(spec, &self.state) else {
                    return;
                };
                self.discoveries.push(discovery);
                self.sources
                    .extend(only.map(|source| Arc::new(Mutex::new(source))));
                return;
            }
        };
        let label = label(&spec.kind);
        let registered = self.state.lock().add_source(&spec.name, &label);
        let source = ProgramSource::new(registered, label, spec, what);
        self.sources.push(Arc::new(Mutex::new(source)));
    }

    /// Follows all of them until the connection ends; in a bounded pass until each has given its
    /// last lines.
    pub(crate) async fn run(&mut self, connection: &Connection, work: &Work, outbox: &Outbox) {
        self.state.lock().forget_unread();
        let host = ProgramsHost {
            connection,
            work,
            outbox,
            state: &self.state,
            shells: Default::default(),
            waiting: AtomicU32::new(0),
        };
        self.discoveries.iter().for_each(Discovery::forget);
        let (found, mut coming) = mpsc::channel(16);
        let host = &host;
        let looks = self
            .discoveries
            .iter_mut()
            .map(|discovery| discovery.keep_looking(host, found.clone()));
        let mut looking = pin!(join_all(looks));
        drop(found);
        let run =
            |source: Arc<Mutex<ProgramSource>>| async move { source.lock().await.run(host).await };
        let mut running: FuturesUnordered<_> = self
            .sources
            .iter()
            .map(|source| run(Arc::clone(source)))
            .collect();
        let (mut looked, mut all_found) = (false, false);
        while !(looked && all_found && running.is_empty()) {
            tokio::select! {
                _ = &mut looking, if !looked => looked = true,
                source = coming.recv(), if !all_found => match source {
                    Some(source) => {
                        self.sources.push(Arc::clone(&source));
                        running.push(run(source));
                    }
                    None => all_found = true,
                },
                _ = running.next(), if !running.is_empty() => {}
            }
        }
    }
}

/// What is shown in place of a path.
fn label(kind: &SourceKind) -> String {
    match kind {
        SourceKind::Journal(None) => "journal:*".to_owned(),
        kind => kind.to_string(),
    }
}

/// What the programs of a host share while it is connected.
struct ProgramsHost<'a> {
    connection: &'a Connection,
    work: &'a Work,
    outbox: &'a Outbox,
    state: &'a SharedState,
    /// In which what is short is asked in turn: ours and root's, while they run.
    shells: [Mutex<Option<Shell>>; sessions::SHARED_SHELLS],
    /// How many sources have no shell of their own.
    waiting: AtomicU32,
}

impl ProgramsHost<'_> {
    /// Replaces the problem of a source, or (`None`) ends it.
    fn set_problem(&self, name: &str, problem: Option<Problem>) {
        let key = ProblemKey::Program(name.to_owned());
        self.state.lock().set_problem(key, problem);
    }

    /// The shell that sources share; none where it is to be started. Whoever is in the middle of
    /// something has taken it out.
    async fn shared(&self, as_root: bool) -> MutexGuard<'_, Option<Shell>> {
        self.shells[usize::from(as_root)].lock().await
    }

    /// Counts one more that has to share, until it is dropped.
    fn waiting(&self) -> Waiting<'_> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        Waiting(&self.waiting)
    }

    fn count_waiting(&self) -> u32 {
        self.waiting.load(Ordering::Relaxed).max(1)
    }

    /// The host's clock, once it has told.
    async fn clock(&self) -> Option<HostClock> {
        let mut clock = self.state.lock().clock();
        let told = timeout(CLOCK_TOLD_WITHIN, clock.wait_for(Option::is_some))
            .await
            .ok()?;
        told.ok()?.clone()
    }
}

struct Waiting<'a>(&'a AtomicU32);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
