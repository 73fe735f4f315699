//! Reaching a host: yields byte streams of remote shells and says why it could not.

pub mod backoff;

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::model::{Answer, HostSpec, HostStatus, LinkState, Question};

/// Answers what only a person can. `ask` may take as long as a person does; dropping the future withdraws the question.
pub trait Asker: Send + Sync {
    /// Puts a question and waits for its answer.
    fn ask(&self, question: Question) -> Pin<Box<dyn Future<Output = Answer> + Send + '_>>;
}

/// What is the same for all hosts of a run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whether `ssh -G` is asked what the user's OpenSSH configuration says of a host.
    pub ssh_config: bool,
    /// Longest time for TCP, key exchange and authentication together, without the time a person takes to answer.
    pub connect_timeout: Duration,
    /// Where accepted host keys are stored when the host names no file; `None`: the user's `~/.ssh/known_hosts`.
    pub known_hosts: Option<PathBuf>,
}

/// Makes connections within the budget: shared by all hosts of a run.
#[derive(Clone)]
pub struct Connector {
    _settings: Arc<Settings>,
}

/// Why a host was not reached, or was lost: a state with its reason and a hint.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}", .status.reason.as_deref().unwrap_or("no reason given"))]
pub struct LinkError {
    /// What the host's row shows.
    pub status: HostStatus,
}

impl Connector {
    /// A connector with an empty budget book.
    #[must_use]
    pub fn new(settings: Settings, asker: Arc<dyn Asker>) -> Self {
        let _ = asker;
        Self { _settings: Arc::new(settings) }
    }

    /// Dials, checks the host key, logs in: by the first route that answers.
    ///
    /// # Errors
    /// With the state, the reason and the hint for the host's row.
    pub async fn connect(&self, host: &HostSpec) -> Result<Connection, LinkError> {
        let _ = host;
        Err(LinkError { status: HostStatus::plain(LinkState::Unreachable) })
    }
}

/// A connection to a host. Clones are the same connection; it ends when [`Connection::close`] is called or it breaks.
#[derive(Clone)]
pub struct Connection {}

impl Connection {
    /// Starts `exec /bin/sh -s` on the host, on a channel of its own. Waits while the budget of sessions is used up.
    ///
    /// # Errors
    /// When the server refuses another session, or the connection has ended.
    pub async fn open_shell(&self) -> Result<(ShellInput, ShellOutput), LinkError> {
        Err(LinkError { status: HostStatus::plain(LinkState::Unreachable) })
    }

    /// Waits until the connection has ended, and says why.
    pub async fn ended(&self) -> LinkError {
        LinkError { status: HostStatus::plain(LinkState::Unreachable) }
    }

    /// Ends it, with everything that runs on it; returns within 2 seconds.
    pub async fn close(&self) {}
}

/// Standard input of a remote shell.
pub struct ShellInput {}

impl ShellInput {
    /// Sends bytes; waits while the host does not take them.
    ///
    /// # Errors
    /// When the channel or the connection has ended.
    pub async fn send(&mut self, bytes: Bytes) -> Result<(), LinkError> {
        let _ = bytes;
        Ok(())
    }

    /// Closes standard input, by which everything that we run on a host ends itself.
    pub async fn eof(&mut self) {}
}

/// What a remote shell says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShellEvent {
    /// Bytes of standard output, cut anywhere.
    Stdout(Bytes),
    /// Bytes of standard error, cut anywhere.
    Stderr(Bytes),
    /// It ended: exit status, or the name of the signal.
    Exit(Result<u32, String>),
}

/// Output of a remote shell. It is drained into a queue bounded in bytes whether or not it is read here; a shell
/// that sends more than the bound while nobody reads is ended with an error, for ours never send unasked.
pub struct ShellOutput {}

impl ShellOutput {
    /// The next event; `Ok(None)` after the channel was closed in order.
    ///
    /// # Errors
    /// When the connection broke or the bound of the queue was exceeded.
    pub async fn next(&mut self) -> Result<Option<ShellEvent>, LinkError> {
        Ok(None)
    }
}
