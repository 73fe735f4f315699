//! All that is known of one host: its state, facts, metrics and sources.

use super::dialog::{DialogLines, Piece, field, field_in};
use super::hosts::glyph;
use super::paint::{bytes, bytes_per_second, percent};
use super::theme::Role;
use super::time::span;
use crate::app::App;
use crate::model::host::{HostId, SystemFacts};
use crate::model::metrics::{
    CpuUsage, DiskIo, DiskUsage, LoadAverage, MemoryUsage, NetworkTraffic, Sample, SwapUsage,
};
use crate::model::source::{NO_STAMPS, SourceInfo, UNKNOWN_ZONE};
use crate::model::time::Time;
use crate::scrollback::HostRow;

pub(super) fn host_lines(app: &App, id: HostId) -> DialogLines {
    let scrollback = app.scrollback();
    let Some(host) = scrollback.host(id) else {
        return Vec::new();
    };
    let mut lines = state(host, app.now());
    if let Some(known) = &host.facts {
        lines.push(Vec::new());
        let uptime = host.uptime_s(app.now()).unwrap_or(known.uptime_s);
        lines.extend(facts(known, uptime));
    }
    if let Some(sample) = &host.sample {
        lines.push(Vec::new());
        lines.extend(metrics(sample));
    }
    lines.push(Vec::new());
    let sources = host.sources.iter().filter_map(|id| scrollback.source(*id));
    lines.extend(sources.map(|row| source(&row.info)));
    lines.push(field(
        "lines",
        format!("{}, {} gaps", host.lines, host.gaps),
    ));
    lines
}

/// How it is doing, why, and what to do.
fn state(host: &HostRow, now: Time) -> DialogLines {
    let status = host.lasting_status();
    let (sign, _) = glyph(status);
    let mut state = format!("{sign} {}", status.state);
    if host.is_tried_again() {
        state.push_str(", dialled again now");
    }
    let waits = host.status.reason.clone().filter(|_| host.is_tried_again());
    let reason = status.reason.clone();
    let tries = (host.failures > 0).then(|| attempts(host.failures));
    let behind = status.behind_s.map(|seconds| {
        let span = span(seconds);
        format!("{span}: its link is slower than its logs, or is silent")
    });
    let retry = host
        .retry_in_s(now)
        .map(|seconds| format!("{}; r dials now", span(seconds)));
    let tags = Some(host.tags.join(", ")).filter(|tags| !tags.is_empty());
    let rows = [
        Some(field("state", state)),
        Some(field("address", host.address.clone())),
        reason.map(|reason| field_in(Role::PopupBad, "reason", reason)),
        waits.map(|waits| field("now", waits)),
        status.hint.clone().map(|hint| field("try", hint)),
        behind.map(|behind| field("behind", behind)),
        tries.map(|tries| field("attempts", tries)),
        retry.map(|retry| field("again in", retry)),
        tags.map(|tags| field("tags", tags)),
    ];
    rows.into_iter().flatten().collect()
}

fn attempts(failures: u32) -> String {
    match failures {
        1 => "1 has failed".to_owned(),
        more => format!("{more} have failed since it was last up"),
    }
}

fn facts(facts: &SystemFacts, uptime_s: u64) -> DialogLines {
    let SystemFacts {
        os,
        kernel,
        arch,
        cores,
        ..
    } = facts;
    let memory = bytes(facts.memory_bytes as f64);
    let mut lines = vec![
        field("system", format!("{os} {kernel} {arch}")),
        field("hardware", format!("{memory}, {cores} cores")),
        field("hostname", facts.hostname.clone()),
        field("up", span(uptime_s)),
    ];
    if let (Some(offset), Some(error)) = (facts.clock_offset_ms, facts.clock_error_ms) {
        lines.push(field("clock", clock(offset, error)));
    }
    let by_ssh = facts.by_ssh.iter();
    lines.extend(by_ssh.map(|why| field("by", format!("the system's ssh, for {why}"))));
    lines
}

/// How the host's clock goes beside ours, and how well that is known.
fn clock(offset_ms: f64, error_ms: f64) -> String {
    let size = clock_span(offset_ms.abs());
    let error = clock_span(error_ms);
    if offset_ms.abs() <= error_ms {
        return format!("as ours, to within {error}");
    }
    let side = if offset_ms < 0.0 {
        "behind"
    } else {
        "ahead of"
    };
    format!("{size} {side} ours, ± {error}")
}

fn clock_span(ms: f64) -> String {
    match ms {
        ..10.0 => format!("{ms:.1} ms"),
        10.0..1000.0 => format!("{ms:.0} ms"),
        1000.0..120_000.0 => format!("{:.1} s", ms / 1000.0),
        _ => span((ms / 1000.0) as u64).to_string(),
    }
}

fn metrics(sample: &Sample) -> DialogLines {
    let of_all = [
        sample.cpu.map(cpu),
        sample.load.map(load),
        sample.memory.map(memory),
        sample.swap.map(swap),
    ];
    let mut lines: DialogLines = of_all.into_iter().flatten().collect();
    lines.extend(sample.disks.iter().map(disk));
    lines.extend(sample.io.iter().map(device));
    lines.extend(sample.network.iter().map(network));
    lines
}

fn cpu(cpu: CpuUsage) -> Vec<Piece> {
    let words = format!(
        "{:.1}% busy (user {:.1}, system {:.1}, steal {:.1}), iowait {:.1}%",
        cpu.busy_pct, cpu.user_pct, cpu.system_pct, cpu.steal_pct, cpu.iowait_pct
    );
    field("cpu", words)
}

fn load(load: LoadAverage) -> Vec<Piece> {
    let LoadAverage { one, five, fifteen } = load;
    field("load", format!("{one:.2} {five:.2} {fifteen:.2}"))
}

fn memory(memory: MemoryUsage) -> Vec<Piece> {
    let used = percent(memory.used_pct);
    let available = bytes(memory.available_bytes as f64);
    let total = bytes(memory.total_bytes as f64);
    field(
        "memory",
        format!("{used} used, {available} available of {total}"),
    )
}

fn swap(swap: SwapUsage) -> Vec<Piece> {
    let total = bytes(swap.total_bytes as f64);
    field("swap", format!("{} of {total}", percent(swap.used_pct)))
}

fn disk(disk: &DiskUsage) -> Vec<Piece> {
    let used = percent(disk.used_pct);
    let free = bytes(disk.available_bytes as f64);
    let inodes = disk
        .inodes_used_pct
        .map_or_else(String::new, |used| format!(", inodes {used:.0}%"));
    let words = format!("{:16} {used} used, {free} free{inodes}", disk.mount);
    field("disk", words)
}

fn device(io: &DiskIo) -> Vec<Piece> {
    let read = bytes_per_second(io.read_bytes_per_s);
    let write = bytes_per_second(io.write_bytes_per_s);
    let words = format!(
        "{:16} read {read}, write {write}, {:.0}% busy",
        io.device, io.util_pct
    );
    field("device", words)
}

fn network(net: &NetworkTraffic) -> Vec<Piece> {
    let rx = bytes_per_second(net.rx_bytes_per_s);
    let tx = bytes_per_second(net.tx_bytes_per_s);
    field("network", format!("{:16} ↓ {rx}  ↑ {tx}", net.interface))
}

fn source(info: &SourceInfo) -> Vec<Piece> {
    let mut line = field("source", format!("{:16} {}", info.name, info.path));
    let (words, role) = match (&info.problem, info.stamps) {
        (Some(problem), _) => (format!("  {problem}"), Role::PopupBad),
        (None, Some(NO_STAMPS)) => ("  times of arrival".to_owned(), Role::PopupDim),
        (None, Some(UNKNOWN_ZONE)) => (
            "  times of arrival: the zone of its stamps is not known".to_owned(),
            Role::PopupDim,
        ),
        (None, Some(stamps)) => (format!("  times: {stamps}"), Role::PopupDim),
        (None, None) => return line,
    };
    line.push((words.into(), role));
    line
}
