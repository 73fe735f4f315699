//! Why there is no demo.

use std::io;

use super::cast::{DEFAULT_SIZE, MAX_SIZE};
use crate::model::host::NameError;

/// Why there is no demo.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// Asked for none, or for too many hosts.
    #[error("demo fleet of {0} hosts: the size must be 1 to {MAX_SIZE}; try --size {DEFAULT_SIZE}")]
    Size(usize),
    /// The folder for keys and logs could not be made or filled.
    #[error(
        "demo: {what} {path}: {source}; free some space there, or set TMPDIR to a folder that can be written"
    )]
    Folder {
        /// What was being done.
        what: &'static str,
        /// To which file or folder.
        path: String,
        /// Why it failed.
        source: io::Error,
    },
    /// The shell that clears up after us could not be started.
    #[error(
        "demo: start /bin/sh to remove {path} at the end: {source}; the demo needs a POSIX shell"
    )]
    Watcher {
        /// The folder.
        path: String,
        /// Why it failed.
        source: io::Error,
    },
    /// A listener or thread could not be had.
    #[error("demo: {what}: {source}; try a smaller --size")]
    System {
        /// What was being done.
        what: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// A key could not be made or written down.
    #[error("demo: make an ed25519 key: {0}")]
    Key(#[from] russh::keys::ssh_key::Error),
    /// A name of ours is not valid: our bug.
    #[error("demo: {0}")]
    Name(#[from] NameError),
}
