//! The table of hosts: a row for each, with its state, its facts and its metrics over time.

use std::ops::Add;
use std::sync::Arc;

use super::series::{Meter, Series};
use crate::model::host::{HostName, HostSpec, SystemFacts};
use crate::model::metrics::Sample;
use crate::model::source::SourceId;
use crate::model::state::{HostStatus, LinkState};
use crate::model::time::Time;

/// What is known of a host.
#[derive(Debug, Clone)]
pub struct HostRow {
    /// Its name.
    pub name: HostName,
    /// Its labels.
    pub tags: Vec<String>,
    /// How it is doing.
    pub status: HostStatus,
    /// When it will be dialled again.
    pub retry_at: Option<Time>,
    /// What it said of itself.
    pub facts: Option<Arc<SystemFacts>>,
    /// The latest metrics.
    pub sample: Option<Arc<Sample>>,
    /// Busy share of all processors, per cent.
    pub cpu: Series,
    /// Used share of memory, per cent.
    pub memory: Series,
    /// Load over one minute.
    pub load: Series,
    /// Bytes received per second, all interfaces.
    pub rx: Series,
    /// Bytes sent per second, all interfaces.
    pub tx: Series,
    /// Bytes read and written per second, all disks.
    pub io: Series,
    /// Lines per second.
    pub log: Series,
    /// Its sources, in order of discovery.
    pub sources: Vec<SourceId>,
    /// Lines since the start.
    pub lines: u64,
    /// Gaps since the start.
    pub gaps: u64,
    rate: Meter,
}

impl HostRow {
    /// A host that is being dialled, and of which nothing else is known.
    #[must_use]
    pub fn new(spec: &HostSpec) -> Self {
        Self {
            name: spec.name().clone(),
            tags: spec.tags.clone(),
            status: HostStatus::plain(LinkState::Connecting),
            retry_at: None,
            facts: None,
            sample: None,
            cpu: Series::default(),
            memory: Series::default(),
            load: Series::default(),
            rx: Series::default(),
            tx: Series::default(),
            io: Series::default(),
            log: Series::default(),
            sources: Vec::new(),
            lines: 0,
            gaps: 0,
            rate: Meter::default(),
        }
    }

    /// Whole seconds until it is dialled again.
    #[must_use]
    pub fn retry_in_s(&self, now: Time) -> Option<u64> {
        let left = self.retry_at?.0.saturating_sub(now.0).max(0);
        Some(left.unsigned_abs().div_ceil(1_000_000_000))
    }

    pub(super) fn put_status(&mut self, status: HostStatus, now: Time) {
        let millis = |seconds: u64| {
            i64::try_from(seconds)
                .unwrap_or(i64::MAX)
                .saturating_mul(1000)
        };
        self.retry_at = status
            .retry_in_s
            .map(|seconds| now.plus_millis(millis(seconds)));
        self.status = status;
    }

    /// Lines per second over the last seconds.
    #[must_use]
    pub fn rate(&self, now: Time) -> f64 {
        self.rate.per_second(now)
    }

    pub(super) fn count_line(&mut self, now: Time) {
        self.lines += 1;
        self.rate.count(now);
    }

    pub(super) fn add_sample(&mut self, sample: Arc<Sample>, now: Time) {
        self.cpu.push(sample.cpu.map(|cpu| cpu.busy_pct));
        self.memory
            .push(sample.memory.map(|memory| memory.used_pct));
        self.load.push(sample.load.map(|load| load.one));
        let rx = sample.network.iter().map(|net| net.rx_bytes_per_s);
        self.rx.push(rx.reduce(f64::add));
        let tx = sample.network.iter().map(|net| net.tx_bytes_per_s);
        self.tx.push(tx.reduce(f64::add));
        let io = sample.io.iter();
        let io = io.map(|io| io.read_bytes_per_s + io.write_bytes_per_s);
        self.io.push(io.reduce(f64::add));
        // The lines that were there before us came in one second, and are no rate.
        self.log
            .push(self.rate.is_settled(now).then(|| self.rate.per_second(now)));
        self.sample = Some(sample);
    }
}
