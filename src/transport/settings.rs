//! What is the same for all hosts of a run.

use std::path::PathBuf;
use std::time::Duration;

/// What is the same for all hosts of a run.
#[derive(Debug, Clone)]
pub struct TransportSettings {
    /// Whether `ssh -G` is asked what the user's OpenSSH configuration says of a host.
    pub ssh_config: bool,
    /// Longest time for TCP, and longest silence in the key exchange. Each jump host on the way has
    /// as much. A server that speaks SSH has longer to let us in: see
    /// [`Connector::with_login_time`](super::Connector::with_login_time).
    pub connect_timeout: Duration,
    /// Where accepted host keys are stored when the host names no file; `None`: the user's
    /// `~/.ssh/known_hosts`.
    pub known_hosts: Option<PathBuf>,
}
