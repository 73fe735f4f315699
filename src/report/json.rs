//! The JSON Lines that users build on. The types here are the schema, kept apart from those of
//! `model`, so that a change there cannot change it by accident.
//!
//! One object per line. `v` is the version of the schema (1); new keys may be added at the end
//! within a version. Times are RFC 3339 in UTC with nine digits, so that they sort as text; sizes
//! are bytes; absent is `null`. Text that is not UTF-8 is `{"bytes": base64}` in place of the
//! string. Control characters, and those that reorder or hide text on a terminal, are always
//! escaped.
//!
//! | `type` | one per | keys |
//! |---|---|---|
//! | `host` | host, when its state is final | `host`, `state`, `reason`, `facts`, `driver`, `hint`, `sources` |
//! | `metric` | host with metrics, after its `host` | `host`, `time`, `cpu`, `load`, `memory`, `swap`, `psi`, `disks`, `network`, `io`, `window_ms`, `uptime_s` |
//! | `line` | line | `host`, `source`, `time`, `time_from`, `level`, `cursor`, `text`, `continues`, `fields`, `ids` |
//! | `gap` | loss | `host`, `source`, `from`, `to`, `bytes`, `reason`, `since`, `until` |
//! | `summary` | report, always last | `hosts`, `lines`, `hits`, `gaps`, `bytes_read`, `complete_to`, `elapsed_ms`, `exit` |
//!
//! `state` is one of ok, degraded, connecting, unreachable, denied, throttled, timeout,
//! host-key-changed; `level` one of trace, debug, info, notice, warn, error, fatal or null;
//! `time_from` one of stamp, previous, arrival; `driver` one of local, shell, agent, or null where
//! the host was never reached. A line that `continues` belongs to the record of the line before it
//! in its source, which states the level and the time of both. `fields` is an object or null; `ids`
//! has `request`, `trace`, `span` and `user`.

mod encoding;
mod fields;
mod responses;

use std::time::Duration;

use serde::Serialize;

pub use self::encoding::VERSION;
use self::encoding::{JsonText, rounded};
pub(super) use self::encoding::{is_treacherous, time, write};
use self::fields::{Fields, Ids};
pub(super) use self::responses::{
    BucketLine, CostLine, CountLine, Hit, NoteLine, SourceLine, kind,
};
use super::Outcome;
use super::table::{PageEnds, ReadTotals, ReportRow};
use crate::model::gap::Gap;
use crate::model::host::{SystemFacts, TransportKind};
use crate::model::level::Level;
use crate::model::line::FleetLine;
use crate::model::metrics::{
    CpuUsage, DiskIo, DiskUsage, LoadAverage, MemoryUsage, NetworkTraffic, PressureStall, Sample,
    SwapUsage,
};
use crate::model::source::SourceInfo;
use crate::parse::level;
use crate::stages::SourceName;

/// `"type":"line"`.
#[derive(Debug, Serialize)]
pub(super) struct LineObject<'a> {
    v: u8,
    r#type: &'static str,
    host: &'a str,
    source: &'a str,
    time: String,
    time_from: &'static str,
    level: Option<&'static str>,
    cursor: String,
    text: JsonText<'a>,
    continues: bool,
    fields: Fields<'a>,
    ids: Ids<'a>,
}

impl<'a> LineObject<'a> {
    pub(super) fn new(name: SourceName<'a>, line: &'a FleetLine) -> Self {
        let (fields, ids) = fields::of_line(&line.content);
        Self {
            v: VERSION,
            r#type: "line",
            host: name.host,
            source: name.source,
            time: time(line.content.time),
            time_from: line.content.time_from.as_str(),
            level: level::of_line(line).map(Level::as_str),
            cursor: line.content.place().to_string(),
            text: JsonText::new(&line.content.raw),
            continues: line.content.continues,
            fields,
            ids,
        }
    }
}

/// `"type":"gap"`.
#[derive(Debug, Serialize)]
pub(super) struct GapLine<'a> {
    v: u8,
    r#type: &'static str,
    host: &'a str,
    source: &'a str,
    from: u64,
    to: Option<u64>,
    bytes: Option<u64>,
    reason: &'static str,
    since: Option<String>,
    until: String,
}

impl<'a> GapLine<'a> {
    pub(super) fn new(name: SourceName<'a>, gap: &Gap) -> Self {
        Self {
            v: VERSION,
            r#type: "gap",
            host: name.host,
            source: name.source,
            from: gap.from,
            to: gap.to,
            bytes: gap.bytes(),
            reason: gap.reason.as_str(),
            since: gap.since.map(time),
            until: time(gap.until),
        }
    }
}

/// `"type":"host"`.
#[derive(Debug, Serialize)]
pub(super) struct HostObject<'a> {
    v: u8,
    r#type: &'static str,
    host: &'a str,
    state: &'static str,
    reason: Option<&'a str>,
    facts: Option<HostFacts<'a>>,
    driver: Option<&'static str>,
    hint: Option<&'a str>,
    behind_s: Option<u64>,
    sources: Vec<SourceObject<'a>>,
}

#[derive(Debug, Serialize)]
struct HostFacts<'a> {
    os: &'a str,
    kernel: &'a str,
    arch: &'a str,
    hostname: &'a str,
    cores: u32,
    memory_bytes: u64,
    uptime_s: u64,
    clock_offset_ms: Option<f64>,
    clock_error_ms: Option<f64>,
    by_ssh: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct SourceObject<'a> {
    name: &'a str,
    path: &'a str,
    problem: Option<&'a str>,
    stamps: Option<&'a str>,
}

impl<'a> HostObject<'a> {
    pub(super) fn new(row: &'a ReportRow<'_>) -> Self {
        let driver = match row.spec.transport {
            TransportKind::Local => "local",
            _ => "shell",
        };
        let sources = row.sources.iter();
        Self {
            v: VERSION,
            r#type: "host",
            host: row.spec.name().as_str(),
            state: row.status.state.as_str(),
            reason: row.status.reason.as_deref(),
            facts: row.facts.as_deref().map(HostFacts::new),
            driver: row.answered().then_some(driver),
            hint: row.status.hint.as_deref(),
            behind_s: row.status.behind_s,
            sources: sources.map(|(_, info)| SourceObject::new(info)).collect(),
        }
    }
}

impl<'a> SourceObject<'a> {
    fn new(info: &'a SourceInfo) -> Self {
        Self {
            name: &info.name,
            path: &info.path,
            problem: info.problem.as_deref(),
            stamps: info.stamps,
        }
    }
}

impl<'a> HostFacts<'a> {
    fn new(facts: &'a SystemFacts) -> Self {
        Self {
            os: &facts.os,
            kernel: &facts.kernel,
            arch: &facts.arch,
            hostname: &facts.hostname,
            cores: facts.cores,
            memory_bytes: facts.memory_bytes,
            uptime_s: facts.uptime_s,
            clock_offset_ms: facts.clock_offset_ms.map(rounded),
            clock_error_ms: facts.clock_error_ms.map(rounded),
            by_ssh: facts.by_ssh.as_deref(),
        }
    }
}

/// `"type":"metric"`.
#[derive(Debug, Serialize)]
pub(super) struct Metric<'a> {
    v: u8,
    r#type: &'static str,
    host: &'a str,
    time: Option<String>,
    cpu: Option<CpuPart>,
    load: Option<LoadPart>,
    memory: Option<MemoryPart>,
    swap: Option<SwapPart>,
    psi: Option<PsiPart>,
    disks: Vec<DiskPart<'a>>,
    network: Vec<NetworkPart<'a>>,
    io: Vec<IoPart<'a>>,
    window_ms: Option<u64>,
    uptime_s: Option<f64>,
}

impl<'a> Metric<'a> {
    pub(super) fn new(host: &'a str, sample: &'a Sample) -> Self {
        Self {
            v: VERSION,
            r#type: "metric",
            host,
            time: sample.time.map(time),
            cpu: sample.cpu.map(CpuPart::from),
            load: sample.load.map(LoadPart::from),
            memory: sample.memory.map(MemoryPart::from),
            swap: sample.swap.map(SwapPart::from),
            psi: sample.psi.map(PsiPart::from),
            disks: sample.disks.iter().map(DiskPart::from).collect(),
            network: sample.network.iter().map(NetworkPart::from).collect(),
            io: sample.io.iter().map(IoPart::from).collect(),
            window_ms: sample.window_ms,
            uptime_s: sample.uptime_s.map(rounded),
        }
    }
}

#[derive(Debug, Serialize)]
struct CpuPart {
    busy_pct: f64,
    iowait_pct: f64,
    steal_pct: f64,
    user_pct: f64,
    system_pct: f64,
    cores: u32,
    low_confidence: bool,
}

impl From<CpuUsage> for CpuPart {
    fn from(cpu: CpuUsage) -> Self {
        Self {
            busy_pct: rounded(cpu.busy_pct),
            iowait_pct: rounded(cpu.iowait_pct),
            steal_pct: rounded(cpu.steal_pct),
            user_pct: rounded(cpu.user_pct),
            system_pct: rounded(cpu.system_pct),
            cores: cpu.cores,
            low_confidence: cpu.low_confidence,
        }
    }
}

#[derive(Debug, Serialize)]
struct LoadPart {
    #[serde(rename = "1m")]
    one: f64,
    #[serde(rename = "5m")]
    five: f64,
    #[serde(rename = "15m")]
    fifteen: f64,
}

impl From<LoadAverage> for LoadPart {
    fn from(load: LoadAverage) -> Self {
        Self {
            one: rounded(load.one),
            five: rounded(load.five),
            fifteen: rounded(load.fifteen),
        }
    }
}

#[derive(Debug, Serialize)]
struct MemoryPart {
    total_bytes: u64,
    available_bytes: u64,
    used_pct: f64,
}

impl From<MemoryUsage> for MemoryPart {
    fn from(memory: MemoryUsage) -> Self {
        Self {
            total_bytes: memory.total_bytes,
            available_bytes: memory.available_bytes,
            used_pct: rounded(memory.used_pct),
        }
    }
}

#[derive(Debug, Serialize)]
struct SwapPart {
    total_bytes: u64,
    used_bytes: u64,
    used_pct: f64,
}

impl From<SwapUsage> for SwapPart {
    fn from(swap: SwapUsage) -> Self {
        Self {
            total_bytes: swap.total_bytes,
            used_bytes: swap.used_bytes,
            used_pct: rounded(swap.used_pct),
        }
    }
}

#[derive(Debug, Serialize)]
struct PsiPart {
    cpu: SomePart,
    memory: SomeFullPart,
    io: SomeFullPart,
}

#[derive(Debug, Serialize)]
struct SomePart {
    some_pct: Option<f64>,
}

#[derive(Debug, Serialize)]
struct SomeFullPart {
    some_pct: Option<f64>,
    full_pct: Option<f64>,
}

impl From<PressureStall> for PsiPart {
    fn from(psi: PressureStall) -> Self {
        let both = |some: Option<f64>, full: Option<f64>| SomeFullPart {
            some_pct: some.map(rounded),
            full_pct: full.map(rounded),
        };
        Self {
            cpu: SomePart {
                some_pct: psi.cpu_some_pct.map(rounded),
            },
            memory: both(psi.memory_some_pct, psi.memory_full_pct),
            io: both(psi.io_some_pct, psi.io_full_pct),
        }
    }
}

#[derive(Debug, Serialize)]
struct DiskPart<'a> {
    mount: &'a str,
    device: &'a str,
    fs: &'a str,
    total_bytes: u64,
    used_bytes: u64,
    available_bytes: u64,
    used_pct: f64,
    inodes_used_pct: Option<f64>,
}

impl<'a> From<&'a DiskUsage> for DiskPart<'a> {
    fn from(disk: &'a DiskUsage) -> Self {
        Self {
            mount: &disk.mount,
            device: &disk.device,
            fs: &disk.fs,
            total_bytes: disk.total_bytes,
            used_bytes: disk.used_bytes,
            available_bytes: disk.available_bytes,
            used_pct: rounded(disk.used_pct),
            inodes_used_pct: disk.inodes_used_pct.map(rounded),
        }
    }
}

#[derive(Debug, Serialize)]
struct NetworkPart<'a> {
    interface: &'a str,
    rx_bytes_per_s: f64,
    tx_bytes_per_s: f64,
    rx_errors_per_s: f64,
    tx_errors_per_s: f64,
}

impl<'a> From<&'a NetworkTraffic> for NetworkPart<'a> {
    fn from(network: &'a NetworkTraffic) -> Self {
        Self {
            interface: &network.interface,
            rx_bytes_per_s: rounded(network.rx_bytes_per_s),
            tx_bytes_per_s: rounded(network.tx_bytes_per_s),
            rx_errors_per_s: rounded(network.rx_errors_per_s),
            tx_errors_per_s: rounded(network.tx_errors_per_s),
        }
    }
}

#[derive(Debug, Serialize)]
struct IoPart<'a> {
    device: &'a str,
    read_bytes_per_s: f64,
    write_bytes_per_s: f64,
    read_await_ms: Option<f64>,
    write_await_ms: Option<f64>,
    queue: f64,
    util_pct: f64,
}

impl<'a> From<&'a DiskIo> for IoPart<'a> {
    fn from(io: &'a DiskIo) -> Self {
        Self {
            device: &io.device,
            read_bytes_per_s: rounded(io.read_bytes_per_s),
            write_bytes_per_s: rounded(io.write_bytes_per_s),
            read_await_ms: io.read_await_ms.map(rounded),
            write_await_ms: io.write_await_ms.map(rounded),
            queue: rounded(io.queue),
            util_pct: rounded(io.util_pct),
        }
    }
}

/// `"type":"summary"`.
#[derive(Debug, Serialize)]
pub(super) struct Summary<'a> {
    v: u8,
    r#type: &'static str,
    hosts: SummaryHosts,
    lines: u64,
    hits: u64,
    gaps: u64,
    bytes_read: u64,
    complete_to: Option<String>,
    elapsed_ms: u64,
    exit: u8,
    bytes_scanned: Option<u64>,
    more: Option<bool>,
    pages: Vec<PageLine<'a>>,
}

#[derive(Debug, Serialize)]
struct SummaryHosts {
    total: usize,
    ok: usize,
    failed: usize,
}

impl<'a> Summary<'a> {
    pub(super) fn new(
        outcome: &Outcome,
        rows: &'a [ReportRow<'_>],
        totals: &'a ReadTotals,
        elapsed: Duration,
    ) -> Self {
        Self {
            v: VERSION,
            r#type: "summary",
            hosts: SummaryHosts {
                total: outcome.hosts,
                ok: outcome.ok,
                failed: outcome.hosts - outcome.ok,
            },
            lines: outcome.lines,
            hits: outcome.hits,
            gaps: outcome.gaps,
            bytes_read: totals.read,
            complete_to: totals.complete_to.map(time),
            elapsed_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            exit: outcome.exit,
            bytes_scanned: totals.scanned,
            more: totals.more,
            pages: totals
                .pages
                .iter()
                .map(|page| PageLine::new(page, rows))
                .collect(),
        }
    }
}

/// Where the page of a source begins and ends.
#[derive(Debug, Serialize)]
struct PageLine<'a> {
    host: &'a str,
    source: &'a str,
    first: String,
    last: String,
}

impl<'a> PageLine<'a> {
    fn new(page: &'a PageEnds, rows: &'a [ReportRow<'_>]) -> Self {
        let host = rows.get(page.host.index());
        Self {
            host: host.map_or("?", |row| row.spec.name().as_str()),
            source: &page.source,
            first: page.first.to_string(),
            last: page.last.to_string(),
        }
    }
}
