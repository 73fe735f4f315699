//! The table of hosts: a row for each, with its state, its facts and its metrics over time.

use std::ops::Add;
use std::sync::Arc;

use super::series::{Meter, Series};
use crate::model::host::{Address, Endpoint, HostName, HostSpec, SystemFacts, TransportKind};
use crate::model::metrics::Sample;
use crate::model::source::SourceId;
use crate::model::state::{HostStatus, LinkState};
use crate::model::time::Time;

/// How long a host has been running, which goes on while it is connected.
#[derive(Debug, Clone, Copy)]
struct Uptime {
    seconds: u64,
    /// When it said so.
    at: Time,
    /// When the connection was lost.
    until: Option<Time>,
}

impl Uptime {
    fn begun(seconds: u64, at: Time) -> Self {
        Self {
            seconds,
            at,
            until: None,
        }
    }

    fn seconds(self, now: Time) -> u64 {
        let until = self.until.unwrap_or(now);
        let since = until.0.saturating_sub(self.at.0).max(0) / 1_000_000_000;
        self.seconds + since.unsigned_abs()
    }
}

/// What is dialled, as people write it: `10.0.0.11:2222 via bastion`.
fn address(spec: &HostSpec) -> String {
    if spec.transport == TransportKind::Local {
        return "this machine".to_owned();
    }
    let Endpoint {
        name,
        address,
        port,
        user,
        ..
    } = &spec.endpoint;
    let user = user
        .as_ref()
        .map_or_else(String::new, |user| format!("{user}@"));
    let dialled = address.as_ref().map_or(name.as_str(), Address::as_str);
    let port = port.map_or_else(String::new, |port| format!(":{port}"));
    let routes = spec.via.iter().map(|hops| {
        let hops = hops.iter().map(|hop| hop.name.as_str());
        hops.collect::<Vec<_>>().join(", ")
    });
    let routes: Vec<_> = routes.filter(|route| !route.is_empty()).collect();
    let via = if routes.is_empty() {
        String::new()
    } else {
        format!(" via {}", routes.join(" or "))
    };
    format!("{user}{dialled}{port}{via}")
}

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
    /// Why it was lost or not reached, since it was last up.
    failure: Option<HostStatus>,
    /// How often that happened since then.
    pub failures: u32,
    /// What is dialled, and over what.
    pub address: String,
    /// What it said of itself.
    pub facts: Option<Arc<SystemFacts>>,
    uptime: Option<Uptime>,
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
            failure: None,
            failures: 0,
            address: address(spec),
            facts: None,
            uptime: None,
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
        if status.state.is_up() {
            (self.failure, self.failures) = (None, 0);
        } else {
            self.stop_uptime(now);
            if status.state != LinkState::Connecting {
                self.failure = Some(status.clone());
                self.failures = self.failures.saturating_add(1);
            }
        }
        self.status = status;
    }

    /// How it is doing, without the moments in which it is tried again: a host that was not reached
    /// stays that until it is up.
    #[must_use]
    pub fn lasting_status(&self) -> &HostStatus {
        self.failure.as_ref().unwrap_or(&self.status)
    }

    /// Whether it is being dialled again after it was lost or not reached.
    #[must_use]
    pub fn is_tried_again(&self) -> bool {
        self.failure.is_some() && self.status.state == LinkState::Connecting
    }

    pub(super) fn put_facts(&mut self, facts: Arc<SystemFacts>, now: Time) {
        self.uptime = Some(Uptime::begun(facts.uptime_s, now));
        self.facts = Some(facts);
    }

    fn stop_uptime(&mut self, now: Time) {
        if let Some(uptime) = &mut self.uptime {
            uptime.until.get_or_insert(now);
        }
    }

    /// Seconds since it was started; as it was last known while it is not connected.
    #[must_use]
    pub fn uptime_s(&self, now: Time) -> Option<u64> {
        self.uptime.map(|uptime| uptime.seconds(now))
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
        if let Some(seconds) = sample.uptime_s.filter(|seconds| *seconds >= 0.0) {
            self.uptime = Some(Uptime::begun(seconds as u64, now));
        }
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
