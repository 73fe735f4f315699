//! This machine without SSH: `/bin/sh -s` as a child process, in place of a remote shell.

use tokio::process::Command;

use super::failure::{self, ConnectionEnd};
use super::pace::LinkPacer;
use super::sessions::SessionPermit;
use super::shell::{ShellInput, ShellOutput};
use super::{LinkError, child};

/// The shells of this machine.
pub(super) struct LocalShells {
    pub(super) ending: ConnectionEnd,
    /// There is no network in between.
    pub(super) pacer: LinkPacer,
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
            command,
        }
    }

    pub(super) fn open_shell(
        &self,
        permit: SessionPermit,
    ) -> Result<(ShellInput, ShellOutput), LinkError> {
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]);
        child::spawn(command, None, self.ending.clone(), permit)
    }

    /// Ends every shell; their permits say when they are gone.
    pub(super) fn close(&self) {
        self.ending.end(failure::closed_by_us());
    }
}

impl Drop for LocalShells {
    fn drop(&mut self) {
        self.close();
    }
}
