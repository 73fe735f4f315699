//! Many hosts into one ordered, bounded stream of updates.

use std::time::Duration;

use crate::model::{HostId, HostSpec, Update};
use crate::transport::Connector;

/// What is wanted of every host.
#[derive(Debug, Clone)]
pub struct Options {
    /// Follow until stopped, or one bounded pass.
    pub goal: Goal,
    /// How many of the last lines of each source to begin with.
    pub lines: u32,
    /// Time between two samples of metrics.
    pub sample_every: Duration,
}

/// When the fleet has done its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// Never: go on until stopped, reconnecting as needed.
    Follow,
    /// When every host has given its last lines and one sample over at least half a second, or has failed for good.
    Once,
}

/// A running fleet. Dropping it stops everything.
pub struct Fleet {}

/// What the fleet tells; ends when the goal is reached or the fleet is stopped.
pub struct Updates {}

impl Fleet {
    /// Starts a task per host. Host `n` of `hosts` is `HostId(n)` from then on.
    #[must_use]
    pub fn start(hosts: Vec<HostSpec>, options: Options, connector: Connector) -> (Self, Updates) {
        let _ = (hosts, options, connector);
        (Self {}, Updates {})
    }

    /// Dials a host now, whatever its state and its back-off.
    pub fn reconnect(&self, host: HostId) {
        let _ = host;
    }

    /// Ends every connection in order; returns within 2 seconds.
    pub async fn stop(self) {}
}

impl Updates {
    /// The next batch of updates, never empty; `None` after the end. Cancel-safe. While nobody calls it the hosts
    /// are read no further than the bound of the queues.
    pub async fn next(&mut self) -> Option<Vec<Update>> {
        None
    }

    /// A batch that is there already.
    pub fn try_next(&mut self) -> Option<Vec<Update>> {
        None
    }
}
