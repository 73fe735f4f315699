//! Files that only root may read: followed like the others, on the same connection, in a shell that
//! is root's by `sudo -n`.
//!
//! Their sources and problems are reported to the state of the host, like all others. Metrics and
//! facts are left to the shell of the login.
//!
//! A host that has nothing but such files, on a server that gives a connection one session, has
//! this shell alone: it is connected again for that, and the shell reports all there is. Where sudo
//! refuses it goes back to the usual one.

use tokio::time::{Instant, sleep};

use crate::model::source::{SourceKind, SourceSpec};
use crate::model::state::{HostStatus, LinkState};
use crate::transport::backoff::Backoff;
use crate::transport::{Connection, LinkError};

use super::followed_files::FollowedFiles;
use super::problems::Problem;
use super::{Outbox, Work, shell};
use crate::files::follow::{FollowedLog, StartAt};

/// The files of one host that need sudo, across connections.
pub(super) struct PrivilegedFiles {
    sources: Vec<SourceSpec>,
    files: FollowedFiles,
    /// The host has no other sources.
    is_all: bool,
    login_shell: LoginShell,
}

/// The shell of the login, on the next connection.
enum LoginShell {
    /// It comes first, and root's is the second.
    First,
    /// There is none: root's has the only session.
    Absent,
    /// It has the only session, because sudo refused.
    Alone(Problem),
}

impl PrivilegedFiles {
    /// Those among `sources`.
    #[must_use]
    pub(super) fn new(sources: &[SourceSpec], files: FollowedFiles) -> Self {
        let is_all = sources.iter().all(needs_sudo);
        let sources = sources.iter().filter(|spec| needs_sudo(spec));
        Self {
            sources: sources.cloned().collect(),
            files,
            is_all,
            login_shell: LoginShell::First,
        }
    }

    /// Follows them until the connection ends; in a bounded pass until each has given its last
    /// lines. Where sudo refuses, it is tried again now and then; the other files of the host do
    /// not wait for it.
    ///
    /// # Errors
    /// When the next connection must be for these files alone.
    pub(super) async fn run(
        &mut self,
        connection: &Connection,
        work: &Work,
        outbox: &Outbox,
    ) -> Result<(), LinkError> {
        if self.sources.is_empty() {
            return Ok(());
        }
        let login_shell = std::mem::replace(&mut self.login_shell, LoginShell::First);
        if let LoginShell::Alone(problem) = login_shell {
            self.report_refusal(&problem, work, outbox).await;
            return if work.once {
                Ok(())
            } else {
                std::future::pending().await
            };
        }
        self.keep_following(connection, work, outbox).await
    }

    /// Whether the server has no second session, and the login has no files of its own to follow.
    fn needs_the_only_session(&self, error: &LinkError) -> bool {
        self.is_all && error.status.state == LinkState::Throttled
    }

    async fn keep_following(
        &mut self,
        connection: &Connection,
        work: &Work,
        outbox: &Outbox,
    ) -> Result<(), LinkError> {
        let mut backoff = Backoff::default();
        loop {
            let began = Instant::now();
            let Err(error) = self.follow(connection, work, outbox).await else {
                return Ok(());
            };
            if connection.has_ended_by(&error).await {
                // Not their problem; whoever holds the connection knows.
                return std::future::pending().await;
            }
            if self.needs_the_only_session(&error) {
                self.login_shell = LoginShell::Absent;
                return Err(error);
            }
            self.report_refusal(&error.into(), work, outbox).await;
            if work.once {
                return Ok(());
            }
            backoff.after_connection(began.elapsed());
            sleep(backoff.after_failure(began.elapsed(), rand::random())).await;
        }
    }

    async fn follow(
        &mut self,
        connection: &Connection,
        work: &Work,
        outbox: &Outbox,
    ) -> Result<(), LinkError> {
        self.files.reports_host = self.is_alone();
        shell::run_as_root(connection, &self.sources, &mut self.files, work, outbox).await
    }

    /// Whether this connection is for these files alone.
    pub(super) fn is_alone(&self) -> bool {
        matches!(self.login_shell, LoginShell::Absent)
    }

    /// Follows the files, and reports all else that is reported of a host.
    ///
    /// # Errors
    /// When the connection ends. If sudo refused, the next one is for the usual shell.
    pub(super) async fn run_alone(
        &mut self,
        connection: &Connection,
        work: &Work,
        outbox: &Outbox,
    ) -> Result<(), LinkError> {
        let ended = self.follow(connection, work, outbox).await;
        ended.map_err(|error| match error.status.state {
            LinkState::Degraded => {
                let problem = Problem::from(error);
                self.login_shell = LoginShell::Alone(problem.clone());
                let hint = "it is dialled again, for all but what needs sudo";
                let state = LinkState::Throttled;
                LinkError::from(HostStatus::because(state, problem.reason, hint))
            }
            _ => error,
        })
    }

    /// Shows the sources with what keeps them from being read.
    async fn report_refusal(&mut self, problem: &Problem, work: &Work, outbox: &Outbox) {
        for spec in &self.sources {
            if let (SourceKind::Path(path), false) = (&spec.kind, spec.kind.is_glob()) {
                let begin = StartAt::LastLines(work.lines);
                let log = FollowedLog::from(&path[..]);
                self.files.add_log(spec, log, true, begin);
            }
        }
        self.files.reports_host = false;
        self.files.refuse_all(problem);
        outbox.send_all(self.files.take_events()).await;
    }
}

fn needs_sudo(spec: &SourceSpec) -> bool {
    spec.as_root && matches!(spec.kind, SourceKind::Path(_))
}
