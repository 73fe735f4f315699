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

mod answers;
mod fields;

use crate::parse::level;
use std::borrow::Cow;
use std::io::{self, Write};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::ser::Formatter;

pub(super) use self::answers::{BucketLine, CostLine, CountLine, Hit, NoteLine, SourceLine, kind};
use self::fields::{Fields, Ids};
use super::Outcome;
use super::table::{Bytes, PageEnds, Row};
use crate::model::gap::Gap;
use crate::model::host::{SystemFacts, TransportKind};
use crate::model::level::Level;
use crate::model::line::FleetLine;
use crate::model::metrics::{
    CpuUsage, DiskIo, DiskUsage, LoadAverage, MemoryUsage, NetworkTraffic, PressureStall, Sample,
    SwapUsage,
};
use crate::model::time::Time;

/// The version of the schema.
pub const VERSION: u8 = 1;

/// Writes one object and the end of its line.
///
/// # Errors
/// When `out` takes no more.
pub(super) fn write(out: &mut impl Write, object: &impl Serialize) -> io::Result<()> {
    object.serialize(&mut serde_json::Serializer::with_formatter(
        &mut *out, Careful,
    ))?;
    out.write_all(b"\n")
}

/// Compact, and escapes more than JSON demands: C1 controls and DEL, and the characters by which a
/// line of a stranger could reorder or hide what stands beside it in a terminal.
struct Careful;

impl Formatter for Careful {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(is_treacherous) {
            out.write_all(&rest.as_bytes()[..at])?;
            let mut tail = rest[at..].chars();
            let units = &mut [0; 2];
            for unit in tail.next().unwrap_or_default().encode_utf16(units) {
                write!(out, "\\u{unit:04x}")?;
            }
            rest = tail.as_str();
        }
        out.write_all(rest.as_bytes())
    }
}

pub(super) fn is_treacherous(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Text as it stood in its source.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum JsonText<'a> {
    Utf8(Cow<'a, str>),
    Bytes { bytes: String },
}

impl<'a> JsonText<'a> {
    fn new(raw: &'a [u8]) -> Self {
        match std::str::from_utf8(raw) {
            Ok(text) => Self::Utf8(Cow::Borrowed(text)),
            Err(_) => Self::Bytes {
                bytes: STANDARD.encode(raw),
            },
        }
    }

    fn owned(raw: Cow<'a, [u8]>) -> Self {
        match raw {
            Cow::Borrowed(raw) => Self::new(raw),
            Cow::Owned(raw) => match String::from_utf8(raw) {
                Ok(text) => Self::Utf8(Cow::Owned(text)),
                Err(error) => Self::Bytes {
                    bytes: STANDARD.encode(error.as_bytes()),
                },
            },
        }
    }
}

/// `"type":"line"`.
#[derive(Debug, Serialize)]
pub(super) struct Line<'a> {
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

impl<'a> Line<'a> {
    pub(super) fn new(host: &'a str, source: &'a str, record: &'a FleetLine) -> Self {
        Self {
            v: VERSION,
            r#type: "line",
            host,
            source,
            time: time(record.content.time),
            time_from: record.content.time_from.as_str(),
            level: level::of_line(record).map(Level::as_str),
            cursor: record.content.place().to_string(),
            text: JsonText::new(&record.content.raw),
            continues: record.content.continues,
            fields: Fields(&record.content.raw),
            ids: Ids::of(&record.content.raw),
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
    pub(super) fn new(host: &'a str, source: &'a str, gap: &Gap) -> Self {
        Self {
            v: VERSION,
            r#type: "gap",
            host,
            source,
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
}

#[derive(Debug, Serialize)]
struct SourceObject<'a> {
    name: &'a str,
    path: &'a str,
    problem: Option<&'a str>,
    stamps: Option<&'a str>,
}

impl<'a> HostObject<'a> {
    pub(super) fn new(row: &'a Row<'_>) -> Self {
        let driver = if row.spec.transport == TransportKind::Local {
            "local"
        } else {
            "shell"
        };
        let source = |info: &'a crate::model::source::SourceInfo| SourceObject {
            name: &info.name,
            path: &info.path,
            problem: info.problem.as_deref(),
            stamps: info.stamps,
        };
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
            sources: row.sources.iter().map(|(_, info)| source(info)).collect(),
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
        rows: &'a [Row<'_>],
        bytes: &'a Bytes,
        elapsed: Duration,
    ) -> Self {
        let Outcome {
            hosts,
            ok,
            lines,
            hits,
            gaps,
            exit,
        } = *outcome;
        let page = |page: &'a PageEnds| PageLine {
            host: rows
                .get(page.host.index())
                .map_or("?", |row| row.spec.name().as_str()),
            source: &page.source,
            first: page.first.to_string(),
            last: page.last.to_string(),
        };
        Self {
            v: VERSION,
            r#type: "summary",
            hosts: SummaryHosts {
                total: hosts,
                ok,
                failed: hosts - ok,
            },
            lines,
            hits,
            gaps,
            bytes_read: bytes.read,
            complete_to: bytes.complete_to.map(time),
            elapsed_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            exit,
            bytes_scanned: bytes.scanned,
            more: bytes.more,
            pages: bytes.pages.iter().map(page).collect(),
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

pub(super) fn time(at: Time) -> String {
    format!("{:.9}", at.to_timestamp())
}

/// Three decimals: more would be noise of the arithmetic.
fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_come_back_as_they_were_and_nothing_treacherous_is_written(
            raw in prop_oneof![any::<String>().prop_map(String::into_bytes), any::<Vec<u8>>()]
        ) {
            let mut out = Vec::new();
            write(&mut out, &JsonText::new(&raw)).expect("a vector takes everything");
            let text = String::from_utf8(out).expect("UTF-8");
            let line = text.strip_suffix('\n').expect("one line");
            prop_assert!(!line.contains(is_treacherous), "{line:?}");
            let back = match serde_json::from_str(line).expect("JSON") {
                serde_json::Value::String(text) => text.into_bytes(),
                object => STANDARD.decode(object["bytes"].as_str().expect("bytes")).expect("base64"),
            };
            prop_assert_eq!(back, raw);
        }
    }
}
