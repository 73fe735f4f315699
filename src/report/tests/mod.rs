//! Reports over invented updates: every kind of object, every exit code, every way to end.

mod json;
mod passes;
mod text;

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::tz::TimeZone;
use serde_json::Value;
use tokio::time::Instant;

use super::*;
use crate::fleet::Feed;
use crate::model::cursor::{Cursor, FileId};
use crate::model::gap::{Gap, GapReason};
use crate::model::host::{Endpoint, HostId, HostName, HostSpec, SystemFacts};
use crate::model::line::{ByteSpan, FleetLine, Line, LineOrder};
use crate::model::metrics::{
    CpuUsage, DiskIo, DiskUsage, LoadAverage, MemoryUsage, NetworkTraffic, PressureStall, Sample,
    SwapUsage,
};
use crate::model::source::{SourceId, SourceInfo};
use crate::model::state::{HostStatus, LinkState};
use crate::model::time::{Time, TimeSource};
use crate::model::update::{Ledger, Update};
use crate::query::{Query, ReferenceTime};
use crate::stages::{GrepStage, LineFilter};

/// 2026-01-01T00:00:00.042Z.
const AT: Time = Time(1_767_225_600_042_000_000);

/// Batches, and then the end or nothing more for ever.
struct List {
    batches: VecDeque<Vec<Update>>,
    ends: bool,
}

impl Feed for List {
    async fn next(&mut self) -> Option<Vec<Update>> {
        match self.batches.pop_front() {
            None if !self.ends => std::future::pending().await,
            batch => batch,
        }
    }

    fn try_next(&mut self) -> Option<Vec<Update>> {
        self.batches.pop_front()
    }

    fn close(&mut self) {}
}

fn host(name: &str) -> HostSpec {
    HostSpec::new(Endpoint::new(HostName::new(name).expect("a name")))
}

fn options(json: bool) -> ReportOptions {
    ReportOptions {
        form: if json {
            OutputFormat::Json
        } else {
            OutputFormat::Text
        },
        timeout: Some(Duration::from_secs(10)),
        part: ReportContent::All,
        color: false,
        progress: Progress::hidden(),
        zone: TimeZone::UTC,
        today: AT.to_timestamp().to_zoned(TimeZone::UTC).date(),
    }
}

async fn report(
    hosts: &[&str],
    options: ReportOptions,
    updates: Vec<Update>,
    ends: bool,
) -> (Outcome, String) {
    let list = List {
        batches: updates.into_iter().map(|update| vec![update]).collect(),
        ends,
    };
    print(hosts, options, list).await
}

async fn print(hosts: &[&str], options: ReportOptions, updates: impl Feed) -> (Outcome, String) {
    let hosts: Vec<HostSpec> = hosts.iter().map(|name| host(name)).collect();
    let mut out = Vec::new();
    let outcome = Run::new(&hosts, options)
        .print(updates, &mut Shutdown::never(), &mut out)
        .await
        .expect("a vector takes everything");
    (
        outcome,
        String::from_utf8(out).expect("the report is UTF-8"),
    )
}

fn up(id: u32) -> Vec<Update> {
    let id = HostId(id);
    let sample = Sample {
        window_ms: Some(600),
        cpu: Some(CpuUsage::default()),
        ..Sample::default()
    };
    vec![
        Update::Status(id, HostStatus::plain(LinkState::Ok)),
        Update::Facts(id, Arc::new(SystemFacts::default())),
        Update::Sample(id, Arc::new(sample)),
    ]
}

fn failed(id: u32, state: LinkState) -> Update {
    Update::Status(
        HostId(id),
        HostStatus::because(state, "it is so", "do this"),
    )
}

fn source(id: u32) -> Update {
    let info = SourceInfo {
        name: "access".into(),
        path: "/var/log/access.log".into(),
        problem: None,
        stamps: Some("iso8601"),
    };
    Update::Source(HostId(0), SourceId(id), info)
}

fn line(raw: &[u8]) -> Update {
    Update::Lines(vec![FleetLine {
        host: HostId(0),
        source: SourceId(0),
        order: LineOrder::InOrder,
        content: Line {
            time: AT,
            time_from: TimeSource::Stamp,
            cursor: Cursor {
                file: FileId {
                    dev: 0xfe01,
                    ino: 0x2a,
                },
                offset: 77,
            },
            continues: false,
            dialect: None,
            stamp: ByteSpan::default(),
            raw: Bytes::copy_from_slice(raw),
            stored: None,
        },
    }])
}

fn gap(to: Option<u64>) -> Update {
    Update::Gap(Gap {
        host: HostId(0),
        source: SourceId(0),
        from: 1_048_576,
        to,
        reason: GapReason::Truncated,
        since: None,
        until: AT,
    })
}

fn full_sample() -> Sample {
    Sample {
        time: Some(AT),
        window_ms: Some(612),
        cpu: Some(CpuUsage {
            busy_pct: 12.5,
            user_pct: 1.0 / 3.0,
            cores: 8,
            ..CpuUsage::default()
        }),
        load: Some(LoadAverage {
            one: 0.4,
            five: 0.3,
            fifteen: 0.2,
        }),
        memory: Some(MemoryUsage {
            total_bytes: 100,
            available_bytes: 40,
            used_pct: 60.0,
        }),
        swap: Some(SwapUsage {
            total_bytes: 10,
            used_bytes: 1,
            used_pct: 10.0,
        }),
        psi: Some(PressureStall {
            cpu_some_pct: Some(1.5),
            ..PressureStall::default()
        }),
        disks: vec![DiskUsage {
            mount: "/".into(),
            device: "/dev/sda1".into(),
            fs: "ext4".into(),
            ..DiskUsage::default()
        }],
        io: vec![DiskIo {
            device: "sda".into(),
            read_await_ms: Some(0.25),
            ..DiskIo::default()
        }],
        network: vec![NetworkTraffic {
            interface: "eth0".into(),
            rx_bytes_per_s: 10.0,
            ..NetworkTraffic::default()
        }],
        uptime_s: Some(86_400.5),
    }
}
