//! A real `ssh-agent`.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::{program, run, wait_until};

/// A real ssh-agent.
pub(crate) struct SshAgent {
    process: Child,
    pub(crate) socket: std::path::PathBuf,
}

impl SshAgent {
    /// Starts it; its socket is in this folder.
    pub(crate) async fn start(folder: &Path) -> Self {
        let socket = folder.join("agent");
        let process = Command::new(program("ssh-agent"))
            .arg("-D")
            .arg("-a")
            .arg(&socket)
            .stdout(Stdio::null())
            .spawn()
            .expect("ssh-agent starts");
        wait_until("the agent's socket", || {
            if socket.exists() {
                Ok(())
            } else {
                Err("missing")
            }
        })
        .await;
        Self { process, socket }
    }

    /// Has it hold a key.
    pub(crate) fn add(&self, key: &Path) {
        run(Command::new(program("ssh-add"))
            .arg("-q")
            .arg(key)
            .env("SSH_AUTH_SOCK", &self.socket));
    }
}

impl Drop for SshAgent {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
