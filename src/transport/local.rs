//! This machine without SSH: `/bin/sh -s` as a child process, in place of a remote shell.

use std::sync::Arc;

use tokio::process::Command;
use tokio::sync::Semaphore;

use super::failure::{self, ConnectionEnd};
use super::pace::LinkPacer;
use super::shell::{ShellInput, ShellOutput};
use super::{LinkError, child};

/// As many as on a connection, so that nothing behaves differently here.
const SHELLS: usize = super::russh::client::SESSIONS;

/// The shells of this machine.
pub(super) struct LocalShells {
    pub(super) ending: ConnectionEnd,
    /// There is no network in between.
    pub(super) pacer: LinkPacer,
    shells: Arc<Semaphore>,
    /// What is run as the shell.
    command: Vec<String>,
}

impl LocalShells {
    pub(super) fn new() -> Self {
        Self::running(&["/bin/sh", "-s"])
    }

    pub(super) fn running(command: &[&str]) -> Self {
        let command = command.iter().map(|&word| word.to_owned()).collect();
        Self {
            ending: ConnectionEnd::new(),
            pacer: LinkPacer::unhurried(),
            shells: Arc::new(Semaphore::new(SHELLS)),
            command,
        }
    }

    pub(super) async fn open_shell(&self) -> Result<(ShellInput, ShellOutput), LinkError> {
        let acquired = Arc::clone(&self.shells).acquire_owned();
        let permit = tokio::select! {
            permit = acquired => permit.map_err(|_| failure::closed_by_us())?,
            why = self.ending.ended() => return Err(why),
        };
        if let Some(why) = self.ending.get() {
            return Err(why);
        }
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]);
        child::spawn(command, None, self.ending.clone(), permit)
    }
}

impl LocalShells {
    /// Ends every shell and waits until they are gone.
    pub(super) async fn close(&self) {
        self.ending.end(failure::closed_by_us());
        child::all_gone(&self.shells, SHELLS).await;
    }
}

impl Drop for LocalShells {
    fn drop(&mut self) {
        self.ending.end(failure::closed_by_us());
    }
}
