//! The real `ssh` as the measure: what it does with the same files.

use std::path::Path;
use std::process::Command;

use super::program;

/// What `ssh` did: whether it reached the host and ran a command there, and all that it said.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) reached: bool,
    pub(crate) said: String,
}

/// Runs a command on a host by `ssh -F CONFIG OPTIONS… NAME`, with nobody there to ask and the
/// ssh-agent at `agent`.
pub(crate) fn ssh(config: &Path, options: &[&str], agent: Option<&Path>, name: &str) -> Outcome {
    let mut command = Command::new(program("ssh"));
    command
        .arg("-F")
        .arg(config)
        .args(["-n", "-T", "-oBatchMode=yes", "-oConnectTimeout=10"])
        .args(options);
    command
        .arg("--")
        .arg(name)
        .arg("echo in")
        .env_remove("SSH_AUTH_SOCK");
    if let Some(socket) = agent {
        command.env("SSH_AUTH_SOCK", socket);
    }
    let output = command.output().expect("ssh starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Outcome {
        reached: output.stdout == b"in\n",
        said,
    }
}
