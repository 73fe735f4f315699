//! What the programs of one host share while it is connected.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};
use tokio::time::timeout;

use crate::host::problems::{Problem, ProblemKey};
use crate::host::shell::ShellPrograms;
use crate::host::state::SharedState;
use crate::host::{Outbox, Work};
use crate::model::time::HostClock;
use crate::transport::sessions::SessionUse;
use crate::transport::{Connection, LinkError, sessions};

/// A host that has not said what time it has by then is taken to have UTC.
const CLOCK_TOLD_WITHIN: Duration = Duration::from_secs(15);

/// What the programs of a host share.
pub(super) struct ProgramsHost<'a> {
    pub(super) connection: &'a Connection,
    pub(super) work: &'a Work,
    pub(super) outbox: &'a Outbox,
    pub(super) state: &'a SharedState,
    /// In which what is short is asked in turn: the login's and root's, once they are started.
    shells: [Mutex<Option<ShellPrograms>>; sessions::SHARED_SHELLS],
    /// How many sources have no shell of their own.
    waiting: AtomicU32,
}

impl<'a> ProgramsHost<'a> {
    pub(super) fn new(
        connection: &'a Connection,
        work: &'a Work,
        outbox: &'a Outbox,
        state: &'a SharedState,
    ) -> Self {
        Self {
            connection,
            work,
            outbox,
            state,
            shells: Default::default(),
            waiting: AtomicU32::new(0),
        }
    }

    /// Replaces the problem of a source, or (`None`) ends it.
    pub(super) fn set_problem(&self, name: &str, problem: Option<Problem>) {
        let key = ProblemKey::Program(name.to_owned());
        self.state.lock().set_problem(key, problem);
    }

    /// Starts a shell for one source alone, or for those that share it.
    pub(super) async fn start_shell(
        &self,
        uses: SessionUse,
        as_root: bool,
    ) -> Result<ShellPrograms, LinkError> {
        ShellPrograms::start(&self.connection.for_use(uses), as_root).await
    }

    /// Waits for the shell that sources share.
    pub(super) async fn shared_shell(&self, as_root: bool) -> Result<SharedShell<'_>, LinkError> {
        let mut place = self.shells[usize::from(as_root)].lock().await;
        let shell = match place.take() {
            Some(shell) => shell,
            None => self.start_shell(SessionUse::Lasting, as_root).await?,
        };
        Ok(SharedShell { place, shell })
    }

    /// Counts one more source that has to share, until it is dropped.
    pub(super) fn waiting(&self) -> WaitingSource<'_> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        WaitingSource(&self.waiting)
    }

    pub(super) fn count_waiting(&self) -> u32 {
        self.waiting.load(Ordering::Relaxed).max(1)
    }

    /// The host's clock, once it has told.
    pub(super) async fn clock(&self) -> Option<HostClock> {
        let mut clock = self.state.lock().clock();
        let told = timeout(CLOCK_TOLD_WITHIN, clock.wait_for(Option::is_some))
            .await
            .ok()?;
        told.ok()?.clone()
    }
}

/// A shell that sources share, in the hands of one of them.
pub(super) struct SharedShell<'a> {
    // Dropped before the place is free.
    pub(super) shell: ShellPrograms,
    place: MutexGuard<'a, Option<ShellPrograms>>,
}

impl SharedShell<'_> {
    /// Leaves it to the next source. A shell in which a program may still run is dropped instead.
    pub(super) fn give_back(mut self) {
        *self.place = Some(self.shell);
    }
}

/// A source that has no shell of its own.
pub(super) struct WaitingSource<'a>(&'a AtomicU32);

impl Drop for WaitingSource<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
