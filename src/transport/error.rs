//! Why a host was not reached, as reported to all callers. `failure` turns the errors of each step
//! into it.

use crate::model::state::{HostStatus, LinkState};

/// Why a host was not reached, or was lost: a state with its reason and a hint.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}", .status.reason.as_deref().unwrap_or("no reason given"))]
pub struct LinkError {
    /// What the host's row shows.
    pub status: HostStatus,
    /// It may pass by itself, and soon: nobody has said no. A bounded pass tries again only then,
    /// for whoever waits for its end wants to hear at once of what stays as it is.
    pub may_pass: bool,
    /// What the user's own `ssh` could do here, and the built-in client cannot.
    pub(super) beyond_russh: Option<Box<str>>,
}

impl From<HostStatus> for LinkError {
    /// Silence passes, and so does a server that has too many connections; of the rest, whoever
    /// makes the error knows.
    fn from(status: HostStatus) -> Self {
        let may_pass = matches!(status.state, LinkState::Timeout | LinkState::Throttled);
        Self {
            status,
            may_pass,
            beyond_russh: None,
        }
    }
}

impl LinkError {
    /// The same as something that may pass by itself.
    #[must_use]
    pub(crate) fn passing(self) -> Self {
        Self {
            may_pass: true,
            ..self
        }
    }
}
