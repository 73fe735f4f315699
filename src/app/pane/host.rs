//! All that is known of one host.

use super::scroll::Scroll;
use crate::model::host::HostId;

/// What is known of a host.
#[derive(Debug)]
pub struct HostPane {
    /// Which host.
    pub host: HostId,
    /// How far it is scrolled.
    pub scroll: Scroll,
}

impl HostPane {
    /// Shows a host from the top.
    #[must_use]
    pub fn new(host: HostId) -> Self {
        Self {
            host,
            scroll: Scroll::default(),
        }
    }
}
