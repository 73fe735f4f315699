//! All that is known of one host: its state, facts, metrics and sources.

use super::dialog::{DialogLines, field, outside};
use super::hosts::glyph;
use super::paint::{Shown, bytes, bytes_per_second, percent};
use super::theme::Role;
use super::time;
use crate::app::App;
use crate::model::host::HostId;
use crate::model::source::NO_STAMPS;

pub(super) fn host_title(app: &App, id: HostId) -> Shown<'static> {
    let name = app
        .scrollback()
        .host(id)
        .map_or("", |host| host.name.as_str());
    Shown::own(&format!(" {name} "))
}

pub(super) fn host_lines(app: &App, id: HostId) -> DialogLines {
    let Some(host) = app.scrollback().host(id) else {
        return Vec::new();
    };
    let (sign, _) = glyph(&host.status);
    let mut lines = vec![field(
        "state",
        Shown::from(sign).join(&Shown::own(&format!(" {}", host.status.state))),
    )];
    if let Some(reason) = &host.status.reason {
        lines.push(vec![
            (Shown::own(&format!("{:10}", "reason")), Role::PopupDim),
            (outside(reason), Role::PopupBad),
        ]);
    }
    if let Some(hint) = &host.status.hint {
        lines.push(field("try", outside(hint)));
    }
    if let Some(seconds) = host.status.behind_s {
        lines.push(field(
            "behind",
            time::span(seconds).join(&Shown::from(
                ": its link is slower than its logs, or is silent",
            )),
        ));
    }
    if let Some(seconds) = host.retry_in_s(app.now()) {
        lines.push(field(
            "again in",
            time::span(seconds).join(&Shown::from("; r dials now")),
        ));
    }
    if !host.tags.is_empty() {
        lines.push(field("tags", outside(&host.tags.join(", "))));
    }
    facts(app, id, &mut lines);
    metrics(app, id, &mut lines);
    sources(app, id, &mut lines);
    lines
}

fn facts(app: &App, id: HostId, lines: &mut DialogLines) {
    let Some(facts) = app
        .scrollback()
        .host(id)
        .and_then(|host| host.facts.clone())
    else {
        return;
    };
    lines.push(Vec::new());
    lines.push(field(
        "system",
        outside(&format!("{} {} {}", facts.os, facts.kernel, facts.arch)),
    ));
    let named =
        bytes(facts.memory_bytes as f64).join(&Shown::own(&format!(", {} cores", facts.cores)));
    lines.push(field("hardware", named));
    lines.push(field("hostname", outside(&facts.hostname)));
    lines.push(field("up", time::span(facts.uptime_s)));
    if let (Some(offset), Some(error)) = (facts.clock_offset_ms, facts.clock_error_ms) {
        lines.push(field(
            "clock",
            Shown::own(&format!("{offset:+.1} ms ± {error:.1} ms against ours")),
        ));
    }
}

fn metrics(app: &App, id: HostId, lines: &mut DialogLines) {
    let Some(sample) = app
        .scrollback()
        .host(id)
        .and_then(|host| host.sample.clone())
    else {
        return;
    };
    lines.push(Vec::new());
    if let Some(cpu) = sample.cpu {
        let words = format!(
            "{:.1}% busy (user {:.1}, system {:.1}, steal {:.1}), iowait {:.1}%",
            cpu.busy_pct, cpu.user_pct, cpu.system_pct, cpu.steal_pct, cpu.iowait_pct
        );
        lines.push(field("cpu", Shown::own(&words)));
    }
    if let Some(load) = sample.load {
        lines.push(field(
            "load",
            Shown::own(&format!(
                "{:.2} {:.2} {:.2}",
                load.one, load.five, load.fifteen
            )),
        ));
    }
    if let Some(memory) = sample.memory {
        let of = bytes(memory.available_bytes as f64)
            .join(&Shown::from(" available of "))
            .join(&bytes(memory.total_bytes as f64));
        lines.push(field(
            "memory",
            percent(memory.used_pct)
                .join(&Shown::from(" used, "))
                .join(&of),
        ));
    }
    if let Some(swap) = sample.swap {
        lines.push(field(
            "swap",
            percent(swap.used_pct)
                .join(&Shown::from(" of "))
                .join(&bytes(swap.total_bytes as f64)),
        ));
    }
    for disk in &sample.disks {
        let free = bytes(disk.available_bytes as f64).join(&Shown::from(" free"));
        let inodes = disk.inodes_used_pct.map_or_else(
            || Shown::from(""),
            |used| Shown::own(&format!(", inodes {used:.0}%")),
        );
        lines.push(field(
            "disk",
            outside(&format!("{:16} ", disk.mount))
                .join(&percent(disk.used_pct))
                .join(&Shown::from(" used, "))
                .join(&free)
                .join(&inodes),
        ));
    }
    for io in &sample.io {
        let rates = Shown::from("read ")
            .join(&bytes_per_second(io.read_bytes_per_s))
            .join(&Shown::from(", write "))
            .join(&bytes_per_second(io.write_bytes_per_s));
        lines.push(field(
            "device",
            outside(&format!("{:16} ", io.device))
                .join(&rates)
                .join(&Shown::own(&format!(", {:.0}% busy", io.util_pct))),
        ));
    }
    for net in &sample.network {
        let rates = Shown::from("↓ ")
            .join(&bytes_per_second(net.rx_bytes_per_s))
            .join(&Shown::from("  ↑ "))
            .join(&bytes_per_second(net.tx_bytes_per_s));
        lines.push(field(
            "network",
            outside(&format!("{:16} ", net.interface)).join(&rates),
        ));
    }
}

fn sources(app: &App, id: HostId, lines: &mut DialogLines) {
    let Some(host) = app.scrollback().host(id) else {
        return;
    };
    lines.push(Vec::new());
    for source in host
        .sources
        .iter()
        .filter_map(|id| app.scrollback().source(*id))
    {
        let mut line = field(
            "source",
            outside(&format!("{:16} {}", source.info.name, source.info.path)),
        );
        match (&source.info.problem, source.info.stamps) {
            (Some(problem), _) => line.push((outside(&format!("  {problem}")), Role::PopupBad)),
            (None, Some(NO_STAMPS)) => {
                line.push((Shown::from("  times of arrival"), Role::PopupDim));
            }
            (None, Some(stamps)) => line.push((
                Shown::from("  times: ").join(&Shown::from(stamps)),
                Role::PopupDim,
            )),
            (None, None) => {}
        }
        lines.push(line);
    }
    lines.push(field(
        "lines",
        Shown::own(&format!("{}, {} gaps", host.lines, host.gaps)),
    ));
}
