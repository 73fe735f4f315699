//! Updates: what the fleet reports, in the order in which it is to be believed. Applying them is
//! left to whatever shows or prints the fleet.

use std::sync::Arc;

use super::gap::Gap;
use super::host::{HostId, SystemFacts};
use super::line::FleetLine;
use super::metrics::Sample;
use super::read_position::ReadPosition;
use super::source::{SourceId, SourceInfo};
use super::state::HostStatus;
use super::time::Time;

/// One thing that has changed. The store applies them in order; nothing else changes the store.
#[derive(Debug, Clone)]
pub enum Update {
    /// The state of a host.
    Status(HostId, HostStatus),
    /// How a host described itself.
    Facts(HostId, Arc<SystemFacts>),
    /// A source came into being or changed its state.
    Source(HostId, SourceId, SourceInfo),
    /// A source is read from this place on; nothing of it has come before.
    Begun(HostId, SourceId, Box<ReadPosition>),
    /// Metrics of a host.
    Sample(HostId, Arc<Sample>),
    /// Lines in their final order; those that came too late for it are marked.
    Lines(Vec<FleetLine>),
    /// The last line of a source, whose end has not come yet. When it has, the line comes among
    /// [`Lines`](Self::Lines) with the same cursor. Until then this may come again, with more of
    /// it.
    Unfinished(Box<FleetLine>),
    /// Lines that a stage filtered out. They are not shown, but they count as read.
    FilteredOut(Vec<FleetLine>),
    /// Bytes were lost.
    Gap(Gap),
    /// The completeness ledger, when it has changed; at most a few times a second.
    Ledger(Ledger),
}

/// How complete the picture is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ledger {
    /// Hosts selected.
    pub hosts: u32,
    /// Of these, up (ok or degraded).
    pub up: u32,
    /// Every line of every host that is up, stamped before this, has been shown; `None` before the
    /// first answer.
    pub complete_to: Option<Time>,
    /// Lines shown since the start.
    pub lines: u64,
    /// Gaps since the start.
    pub gaps: u64,
    /// Lines that came too late to be put in order.
    pub late: u64,
    /// Bytes read from hosts, after decryption.
    pub bytes_read: u64,
}
