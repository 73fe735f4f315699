//! A small fleet with a life, for the tests of `app`, `view` and `tui`.

use std::sync::Arc;

use bytes::Bytes;
use jiff::tz::TimeZone;

use super::keys::parse_keys;
use super::{App, Effect, Event};
use crate::model::cursor::{Cursor, FileId};
use crate::model::gap::{Gap, GapReason};
use crate::model::host::{Endpoint, HostId, HostName, HostSpec, SystemFacts};
use crate::model::line::{ByteSpan, FleetLine, Line, LineOrder};
use crate::model::metrics;
use crate::model::metrics::Sample;
use crate::model::source::{SourceId, SourceInfo};
use crate::model::state::{HostStatus, LinkState};
use crate::model::time::{Time, TimeSource};
use crate::model::update::{Ledger, Update};

/// 2026-11-20T13:02:00Z, when every fixture begins.
pub(crate) const START: Time = Time(1_795_179_720_000_000_000);

/// A host of that name and nothing else.
pub(crate) fn host(name: &str) -> HostSpec {
    let endpoint = Endpoint::new(HostName::new(name).expect("valid"));
    HostSpec {
        tags: vec!["prod".into()],
        ..HostSpec::new(endpoint)
    }
}

/// Hosts `web-1`, `web-2`, `db-1`, `cache-1`, `bastion`.
pub(crate) fn hosts() -> Vec<HostSpec> {
    ["web-1", "web-2", "db-1", "cache-1", "bastion"]
        .map(host)
        .into()
}

/// A line of a host, `ms` after [`START`]; every host has one source, of its own number.
pub(crate) fn line(host: u32, ms: i64, text: &[u8]) -> FleetLine {
    FleetLine {
        host: HostId(host),
        source: SourceId(host),
        order: LineOrder::InOrder,
        content: Line {
            time: START.plus_millis(ms),
            time_from: TimeSource::Stamp,
            cursor: Cursor {
                file: FileId { dev: 1, ino: 2 },
                offset: u64::try_from(ms.max(0)).unwrap_or(0),
            },
            continues: false,
            dialect: None,
            stamp: ByteSpan::default(),
            raw: Bytes::copy_from_slice(text),
            stored: None,
        },
    }
}

/// What the fleet tells at the beginning: three hosts are up, one timed out, one refused us.
pub(crate) fn beginning() -> Vec<Update> {
    let mut updates = vec![
        Update::Status(HostId(0), HostStatus::plain(LinkState::Ok)),
        Update::Status(HostId(1), HostStatus::plain(LinkState::Ok)),
        Update::Status(HostId(2), HostStatus::plain(LinkState::Degraded)),
        Update::Status(
            HostId(3),
            HostStatus {
                retry_in_s: Some(12),
                ..HostStatus::because(
                    LinkState::Timeout,
                    "connect to 10.0.0.14:22: no answer in 10 s",
                    "is the host up?",
                )
            },
        ),
        Update::Status(
            HostId(4),
            HostStatus::because(
                LinkState::Denied,
                "log in as ops: publickey refused",
                "add your key to the host",
            ),
        ),
    ];
    for (id, name) in (0u32..).zip(["access", "app", "postgresql"]) {
        let path = format!("/var/log/{name}.log");
        let info = SourceInfo {
            name: name.into(),
            path: path.as_str().into(),
            problem: None,
            stamps: Some("iso8601"),
        };
        updates.push(Update::Source(HostId(id), SourceId(id), info));
        updates.push(Update::Facts(HostId(id), Arc::new(facts())));
    }
    updates
}

fn facts() -> SystemFacts {
    SystemFacts {
        os: "linux".into(),
        kernel: "6.12.0".into(),
        arch: "x86_64".into(),
        hostname: "ip-10-0-0-11".into(),
        cores: 8,
        memory_bytes: 33_554_432_000,
        uptime_s: 1_234_567,
        clock_offset_ms: Some(1.8),
        clock_error_ms: Some(0.4),
        utc_offset_s: Some(0),
        zone: None,
        booted: None,
        by_ssh: None,
        boot_id: None,
    }
}

/// Metrics with a busy share of `cpu` per cent.
pub(crate) fn sample(cpu: f64) -> Sample {
    Sample {
        time: Some(START),
        window_ms: Some(2000),
        cpu: Some(metrics::CpuUsage {
            busy_pct: cpu,
            user_pct: cpu * 0.7,
            system_pct: cpu * 0.3,
            cores: 8,
            ..Default::default()
        }),
        load: Some(metrics::LoadAverage {
            one: cpu / 20.0,
            five: 1.0,
            fifteen: 0.8,
        }),
        memory: Some(metrics::MemoryUsage {
            total_bytes: 33_554_432_000,
            available_bytes: 19_000_000_000,
            used_pct: 35.0 + cpu / 10.0,
        }),
        disks: vec![metrics::DiskUsage {
            mount: "/var".into(),
            device: "/dev/sda2".into(),
            fs: "ext4".into(),
            total_bytes: 500_000_000_000,
            used_bytes: 400_000_000_000,
            available_bytes: 100_000_000_000,
            used_pct: 80.0,
            inodes_used_pct: Some(12.0),
        }],
        io: vec![metrics::DiskIo {
            device: "sda".into(),
            read_bytes_per_s: 12_000.0 * cpu,
            write_bytes_per_s: 90_000.0,
            util_pct: 3.0,
            ..Default::default()
        }],
        network: vec![metrics::NetworkTraffic {
            interface: "eth0".into(),
            rx_bytes_per_s: 10_000.0 * cpu,
            tx_bytes_per_s: 2_000_000.0,
            ..Default::default()
        }],
        psi: Some(metrics::PressureStall {
            cpu_some_pct: Some(1.0),
            memory_some_pct: Some(0.0),
            io_some_pct: Some(4.0),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// So many realistic lines, a tenth of a second apart, from the three hosts that are up.
pub(crate) fn lines(count: i64) -> Vec<FleetLine> {
    (0..count).map(nth_line).collect()
}

fn nth_line(number: i64) -> FleetLine {
    let ms = number * 100;
    let text = match number % 8 {
        0 => format!(
            "10.0.0.{} - - \"GET /api/orders/{number} HTTP/1.1\" 200 {}",
            number % 250,
            512 + number
        ),
        1 => format!("INFO  order {number} accepted in {} ms", 12 + number % 40),
        2 => format!("LOG:  checkpoint complete: wrote {number} buffers"),
        3 => format!(
            "WARN  upstream 10.0.3.{} slow: {} ms",
            number % 9,
            800 + number
        ),
        4 => format!(
            "10.0.0.{} - - \"POST /api/login HTTP/1.1\" 401 64",
            number % 250
        ),
        5 => format!("ERROR payment {number} failed: timeout after 30000 ms"),
        6 => format!("DEBUG cache hit ratio 0.{}", 80 + number % 20),
        _ => "{\"level\":\"info\",\"msg\":\"job done\",\"queue\":\"mail\",\"ms\":41}".to_owned(),
    };
    line(u32::try_from(number % 3).unwrap_or(0), ms, text.as_bytes())
}

/// A gap of 3,424 bytes on `web-2`.
pub(crate) fn gap(ms: i64) -> Gap {
    Gap {
        host: HostId(1),
        source: SourceId(1),
        from: 1_048_576,
        to: Some(1_052_000),
        reason: GapReason::Truncated,
        since: Some(START.plus_millis(ms - 1000)),
        until: START.plus_millis(ms),
    }
}

/// The console on the five hosts, with `count` lines, a gap among them, and two minutes of metrics.
pub(crate) fn busy(width: u16, height: u16, count: i64) -> App {
    let mut app = App::new(&hosts(), TimeZone::UTC);
    app.update(Event::Resize(width, height), START);
    app.update(Event::Batch(beginning()), START);
    for point in 0..40u32 {
        let wave = |phase: f64| 40.0 + 38.0 * (f64::from(point) / 4.0 + phase).sin();
        let samples =
            (0..3u32).map(|id| Update::Sample(HostId(id), Arc::new(sample(wave(f64::from(id))))));
        app.update(Event::Batch(samples.collect()), START);
    }
    let mut lines = lines(count);
    let tail = lines.split_off(lines.len().saturating_sub(4));
    let end = START.plus_millis(count * 100);
    let ledger = Ledger {
        hosts: 5,
        up: 3,
        complete_to: Some(end),
        lines: count.unsigned_abs(),
        gaps: 1,
        late: 0,
        bytes_read: 1 << 20,
    };
    let gap = Update::Gap(gap(count * 100 - 400));
    for line in lines {
        let at = line.content.time;
        app.update(Event::Batch(vec![Update::Lines(vec![line])]), at);
    }
    app.update(
        Event::Batch(vec![gap, Update::Lines(tail), Update::Ledger(ledger)]),
        end,
    );
    app
}

impl App {
    /// Presses keys as they are written, half a second after everything so far.
    pub(crate) fn keys(&mut self, written: &str) -> Vec<Effect> {
        let now = self.now.plus_millis(500);
        parse_keys(written)
            .into_iter()
            .flat_map(|key| self.update(Event::Key(key.into()), now))
            .collect()
    }
}
