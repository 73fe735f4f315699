//! The model host of the follower as a driver. What it says of itself is made up.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use bytes::Bytes;

use super::World;
use crate::files::follow::FollowRequest;
use crate::files::follow::tests::host::{Host, LOG};
use crate::files::log_names::is_rotated;
use crate::host::driver::facts::{RawFacts, RoundTrip};
use crate::host::driver::follow::{
    DescribeHost, DriverEvent, ExpandedPattern, FollowFiles, HostDescription, HostDriver, PollEnd,
    SampleMetrics,
};
use crate::metrics::{ProcCounters, parse_df};
use crate::model::time::Time;
use crate::transport::LinkError;

/// A model host with a log.
#[derive(Default)]
pub(super) struct ModelWorld(ModelDriver);

/// Answers at once.
#[derive(Default)]
pub(super) struct ModelDriver {
    host: Host,
    events: VecDeque<DriverEvent>,
}

impl FollowFiles for ModelDriver {
    fn request(&mut self, request: FollowRequest) {
        let seen = self.host.answer(&request);
        self.events.extend(seen.into_iter().map(DriverEvent::Seen));
    }

    fn poll(&mut self, _: usize) {
        let seen = self.host.look_at_all();
        self.events.extend(seen.into_iter().map(DriverEvent::Seen));
        self.events.push_back(DriverEvent::Polled(PollEnd {
            again: false,
            asked: Time(0),
            took: Duration::ZERO,
        }));
    }

    /// A pattern is what names begin with, and a star.
    fn expand(&mut self, number: u32, pattern: &[u8]) -> bool {
        let prefix = String::from_utf8_lossy(pattern).replace('*', "");
        let names = self.host.files.keys().map(String::as_bytes);
        let all: HashSet<&[u8]> = names
            .filter(|name| name.starts_with(prefix.as_bytes()))
            .collect();
        let logs = all.iter().filter(|name| !is_rotated(name, &all));
        let files: Vec<Bytes> = logs.map(|name| Bytes::copy_from_slice(name)).collect();
        let expanded = ExpandedPattern {
            pattern: number,
            matched: files.len(),
            any: !all.is_empty(),
            is_cut: false,
            files,
        };
        self.events
            .push_back(DriverEvent::Expanded(expanded, Duration::ZERO));
        true
    }
}

impl DescribeHost for ModelDriver {
    fn describe(&mut self) {
        let raw = RawFacts {
            os: "Linux".to_owned(),
            hostname: "model".to_owned(),
            ..RawFacts::default()
        };
        let trip = RoundTrip {
            sent: Time(0),
            received: Time(0),
        };
        let description = HostDescription {
            facts: raw.facts(trip),
            ..HostDescription::default()
        };
        self.events
            .push_back(DriverEvent::Described(Box::new(description)));
    }
}

impl SampleMetrics for ModelDriver {
    fn sample(&mut self) {
        let counters = ProcCounters::parse("/proc/uptime:100.00 50.00\n");
        self.events
            .push_back(DriverEvent::Counters(Box::new(counters)));
    }

    fn measure_disks(&mut self) {
        let disks = parse_df("", "", "");
        self.events.push_back(DriverEvent::Disks(disks));
    }
}

impl HostDriver for ModelDriver {
    async fn flush(&mut self) -> Result<(), LinkError> {
        Ok(())
    }

    async fn next(&mut self) -> Result<Option<DriverEvent>, LinkError> {
        Ok(self.events.pop_front())
    }

    fn is_idle(&self) -> bool {
        self.events.is_empty()
    }

    fn share(&self) -> usize {
        usize::MAX
    }

    fn take_bytes_read(&mut self) -> u64 {
        0
    }

    async fn end(&mut self) {}
}

impl World for ModelWorld {
    type Driver = ModelDriver;

    fn driver(&mut self) -> &mut ModelDriver {
        &mut self.0
    }

    fn path(&self) -> Vec<u8> {
        LOG.into()
    }

    fn pattern(&self) -> Vec<u8> {
        format!("{LOG}*").into()
    }

    fn append(&mut self, text: &str) {
        if !self.0.host.files.contains_key(LOG) {
            self.0.host.create(LOG);
        }
        self.0.host.append(LOG, text);
    }

    fn append_to_old(&mut self, text: &str) {
        self.0.host.append(&format!("{LOG}.1"), text);
    }

    fn rename(&mut self) {
        self.0.host.rename_and_create();
    }

    fn copy(&mut self) {
        self.0.host.copy_and_truncate();
    }

    fn remove(&mut self) {
        self.0.host.files.remove(LOG);
    }
}
