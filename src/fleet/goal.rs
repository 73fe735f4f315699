//! What a fleet is started for, and when it is done.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::host::Work;
use crate::model::read_position::ReadPosition;

/// What is wanted of every host.
#[derive(Debug, Clone)]
pub struct FleetOptions {
    /// Follow until stopped, or one bounded pass.
    pub goal: Goal,
    /// How many of the last lines of each source to begin with.
    pub lines: u32,
    /// Time between two samples of metrics.
    pub sample_every: Duration,
}

impl FleetOptions {
    /// What is wanted of a host that an earlier run has read up to `reached`.
    pub(super) fn work(
        &self,
        started: Instant,
        reached: BTreeMap<String, Vec<ReadPosition>>,
    ) -> Work {
        let until = match self.goal {
            Goal::Once { deadline } => Some(started + deadline),
            Goal::Follow => None,
        };
        Work {
            lines: self.lines,
            sample_every: self.sample_every,
            once: until.is_some(),
            until,
            resume: Arc::new(reached),
        }
    }
}

/// When the fleet has done its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// Never: go on until stopped, reconnecting as needed.
    Follow,
    /// When every host has given its last lines and one sample over at least half a second, or has
    /// failed for good, or when the deadline has passed; hosts that are not done by then have timed
    /// out.
    Once {
        /// From the start.
        deadline: Duration,
    },
}
