//! The program itself, as a user starts it.

use std::path::Path;
use std::process::{Command, Stdio};

/// Where it is.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_logtrail-tui");

/// The program with an inventory. It reads neither the user's OpenSSH configuration nor standard
/// input.
pub(crate) fn logtrail(inventory: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command
        .args(args)
        .args(["--no-ssh-config", "--config"])
        .arg(inventory)
        .env_remove("LOGTRAIL_HOSTS")
        .stdin(Stdio::null());
    command
}
