//! From two readings to rates.
//!
//! Three rules hold throughout: time is the host's own uptime, so that a slow network does not bend
//! a rate; a counter that goes back is a reset, and what it counts has no value in this window; and
//! what is not known is absent, not 0.

use super::ProcCounters;
use super::proc::{CpuTicks, DeviceCounters, InterfaceCounters, MemInfo};
use crate::model::metrics::{
    CpuUsage, DiskIo, DiskUsage, MemoryUsage, NetworkTraffic, PressureStall, Sample, SwapUsage,
};
use crate::model::time::Time;

/// Uptime comes in hundredths of a second: in a shorter window it would be wrong by more than a
/// tenth.
const MIN_WINDOW_MS: u64 = 100;

/// Idle and iowait step back a little on healthy kernels; three seconds (of 100 ticks) mean that a
/// processor was taken away and came back with counters of its own.
const HOTPLUG_TICKS: u64 = 300;

/// What `/proc` shows as a tick, on every kernel.
const MS_PER_TICK: u64 = 10;

/// Below this many ticks for each processor, one tick is more than a tenth of the figure.
const CONFIDENT_TICKS: u64 = 10;

/// Setting the clock moves the time of boot. Where only that is known, a smaller move is not a
/// reboot.
const BTIME_SLACK_S: u64 = 60;

/// Sectors of `/proc/diskstats` have this size whatever the device has.
const SECTOR_BYTES: u64 = 512;

impl Sample {
    /// What lies between two readings; with no earlier one, only the present values.
    #[must_use]
    pub fn between(
        before: Option<&ProcCounters>,
        after: &ProcCounters,
        disks: &[DiskUsage],
        now: Time,
    ) -> Self {
        let before = before.filter(|before| !rebooted(before, after));
        let window = before.and_then(|before| SampleWindow::between(before, after));
        let window = window.as_ref();
        Self {
            time: Some(now),
            window_ms: window.map(|window| window.ms),
            cpu: before.and_then(|before| cpu(before, after, window)),
            load: after.load,
            memory: memory(&after.memory),
            swap: swap(&after.memory),
            psi: window.and_then(psi),
            disks: disks.to_vec(),
            io: window.map(devices).unwrap_or_default(),
            network: window.map(network).unwrap_or_default(),
            uptime_s: after.uptime_s,
        }
    }
}

fn rebooted(before: &ProcCounters, after: &ProcCounters) -> bool {
    if let (Some(before), Some(after)) = (before.uptime_s, after.uptime_s)
        && after < before
    {
        return true;
    }
    if let (Some(before), Some(after)) = (&before.boot_id, &after.boot_id) {
        return before != after;
    }
    matches!((before.btime, after.btime), (Some(before), Some(after)) if before.abs_diff(after) > BTIME_SLACK_S)
}

/// Two readings, and the time between them.
struct SampleWindow<'a> {
    before: &'a ProcCounters,
    after: &'a ProcCounters,
    ms: u64,
}

impl<'a> SampleWindow<'a> {
    fn between(before: &'a ProcCounters, after: &'a ProcCounters) -> Option<Self> {
        let seconds = after.uptime_s? - before.uptime_s?;
        // The cast saturates; uptimes are finite and in order here.
        let ms = (seconds * 1000.0).round() as u64;
        (ms >= MIN_WINDOW_MS).then_some(Self { before, after, ms })
    }

    fn per_second(&self, count: u64) -> f64 {
        count as f64 * 1000.0 / self.ms as f64
    }

    /// The share, 0 to 100, that so many milliseconds have of the window.
    fn share(&self, ms: f64) -> f64 {
        (100.0 * ms / self.ms as f64).clamp(0.0, 100.0)
    }
}

fn cpu(
    before: &ProcCounters,
    after: &ProcCounters,
    window: Option<&SampleWindow<'_>>,
) -> Option<CpuUsage> {
    if before.cores != after.cores {
        return None;
    }
    let spent = spent(&before.cpu?, &after.cpu?)?;
    let system = spent.system + spent.irq + spent.softirq;
    let busy = spent.user + spent.nice + system + spent.steal;
    let counted = busy + spent.idle + spent.iowait;
    // Some containers have the line of the sum only.
    let cores = after.cores.max(1);
    // Some virtual machines do not count idle time. What no counter has was idle.
    let ticks = window.map_or(0, |window| window.ms / MS_PER_TICK);
    let expected = ticks.saturating_mul(cores.into());
    let is_counted = counted >= expected / 2;
    let total = if is_counted { counted } else { expected };
    if total == 0 {
        return None;
    }
    let share = |ticks: u64| 100.0 * ticks as f64 / total as f64;
    let guests = spent.guest + spent.guest_nice;
    Some(CpuUsage {
        busy_pct: share(busy),
        user_pct: share((spent.user + spent.nice).saturating_sub(guests)),
        system_pct: share(system),
        iowait_pct: share(spent.iowait),
        steal_pct: share(spent.steal),
        cores,
        low_confidence: counted < CONFIDENT_TICKS * u64::from(cores),
    })
}

/// What was added to each field; `None` where one went back so far that the counters are not the
/// same any more.
fn spent(before: &CpuTicks, after: &CpuTicks) -> Option<CpuTicks> {
    let added = |before: u64, after: u64| {
        let back = before.saturating_sub(after);
        // The cap is more ticks than there ever were; it keeps sums of forged numbers from
        // overflowing.
        (back < HOTPLUG_TICKS).then(|| after.saturating_sub(before).min(1 << 56))
    };
    Some(CpuTicks {
        user: added(before.user, after.user)?,
        nice: added(before.nice, after.nice)?,
        system: added(before.system, after.system)?,
        idle: added(before.idle, after.idle)?,
        iowait: added(before.iowait, after.iowait)?,
        irq: added(before.irq, after.irq)?,
        softirq: added(before.softirq, after.softirq)?,
        steal: added(before.steal, after.steal)?,
        guest: added(before.guest, after.guest)?,
        guest_nice: added(before.guest_nice, after.guest_nice)?,
    })
}

fn memory(info: &MemInfo) -> Option<MemoryUsage> {
    let total = info.total.filter(|&total| total > 0)?;
    let before_3_14 = || {
        let cache = info
            .buffers
            .saturating_add(info.cached)
            .saturating_add(info.reclaimable);
        Some(info.free?.saturating_add(cache).saturating_sub(info.shmem))
    };
    let cache_of_zfs = info.arc_size.saturating_sub(info.arc_min);
    let available = info
        .available
        .or_else(before_3_14)?
        .saturating_add(cache_of_zfs)
        .min(total);
    let used_pct = 100.0 * (total - available) as f64 / total as f64;
    Some(MemoryUsage {
        total_bytes: total,
        available_bytes: available,
        used_pct,
    })
}

fn swap(info: &MemInfo) -> Option<SwapUsage> {
    let total = info.swap_total.filter(|&total| total > 0)?;
    let used = total
        .saturating_sub(info.swap_free?)
        .saturating_sub(info.swap_cached);
    Some(SwapUsage {
        total_bytes: total,
        used_bytes: used,
        used_pct: 100.0 * used as f64 / total as f64,
    })
}

fn psi(window: &SampleWindow<'_>) -> Option<PressureStall> {
    let before = &window.before.psi;
    let after = &window.after.psi;
    let share = |before: Option<u64>, after: Option<u64>| {
        let stalled_us = after?.checked_sub(before?)?;
        Some(window.share(stalled_us as f64 / 1000.0))
    };
    let psi = PressureStall {
        cpu_some_pct: share(before.cpu_some, after.cpu_some),
        memory_some_pct: share(before.memory_some, after.memory_some),
        memory_full_pct: share(before.memory_full, after.memory_full),
        io_some_pct: share(before.io_some, after.io_some),
        io_full_pct: share(before.io_full, after.io_full),
    };
    (psi != PressureStall::default()).then_some(psi)
}

fn devices(window: &SampleWindow<'_>) -> Vec<DiskIo> {
    let devices = &window.after.devices;
    let is_whole = |name: &str| is_whole_disk(name, devices.iter().map(|(name, _)| name.as_str()));
    devices
        .iter()
        .filter(|(name, counters)| (counters.reads > 0 || counters.writes > 0) && is_whole(name))
        .filter_map(|(name, after)| {
            device(name, find(&window.before.devices, name)?, after, window)
        })
        .collect()
}

/// Layers over other devices, and devices in memory: their traffic is none, or counted below them
/// already.
const LAYERS: &[&str] = &[
    "loop", "ram", "zram", "dm-", "md", "drbd", "bcache", "zd", "sr", "fd",
];

/// The device that a partition is on makes it one, not a pattern: `xvda1` is a disk where there
/// is no `xvda`.
fn is_whole_disk<'a>(name: &str, mut all: impl Iterator<Item = &'a str>) -> bool {
    let layer = LAYERS.iter().any(|layer| {
        name.strip_prefix(layer).is_some_and(|rest| {
            rest.bytes()
                .all(|b| b.is_ascii_digit() || b == b'_' || b == b'p')
        })
    });
    // The paths of a multipath NVMe device: nvme0c1n1 is a way to nvme0n1.
    let path = name
        .strip_prefix("nvme")
        .is_some_and(|rest| rest.contains('c'));
    !layer && !path && !all.any(|disk| is_partition_of(name, disk))
}

fn is_partition_of(name: &str, disk: &str) -> bool {
    let Some(rest) = name.strip_prefix(disk) else {
        return false;
    };
    let ends_in_digit = disk.ends_with(|c: char| c.is_ascii_digit());
    let number = if ends_in_digit {
        rest.strip_prefix('p').unwrap_or_default()
    } else {
        rest
    };
    // mmcblk0boot0 and mmcblk0rpmb are areas of mmcblk0 too.
    let area = ends_in_digit && (rest.starts_with("boot") || rest.starts_with("rpmb"));
    area || (!number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

fn device(
    name: &str,
    before: &DeviceCounters,
    after: &DeviceCounters,
    window: &SampleWindow<'_>,
) -> Option<DiskIo> {
    let reads = added(before.reads, after.reads)?;
    let writes = added(before.writes, after.writes)?;
    let read_ms = added(before.read_ms, after.read_ms)?;
    let write_ms = added(before.write_ms, after.write_ms)?;
    let read_sectors = added(before.read_sectors, after.read_sectors)?;
    let write_sectors = added(before.write_sectors, after.write_sectors)?;
    let mean = |ms: u64, requests: u64| (requests > 0).then(|| ms as f64 / requests as f64);
    Some(DiskIo {
        device: name.to_owned(),
        read_bytes_per_s: window.per_second(read_sectors.saturating_mul(SECTOR_BYTES)),
        write_bytes_per_s: window.per_second(write_sectors.saturating_mul(SECTOR_BYTES)),
        read_await_ms: mean(read_ms, reads),
        write_await_ms: mean(write_ms, writes),
        queue: added(before.weighted_ms, after.weighted_ms)? as f64 / window.ms as f64,
        util_pct: window.share(added(before.busy_ms, after.busy_ms)? as f64),
    })
}

fn network(window: &SampleWindow<'_>) -> Vec<NetworkTraffic> {
    let before = &window.before.interfaces;
    window
        .after
        .interfaces
        .iter()
        .filter(|(name, _)| is_counted(name, window.after))
        .filter_map(|(name, after)| interface(name, find(before, name)?, after, window))
        .collect()
}

/// Interfaces of the kernel's and of container engines, by the beginnings of their names.
const VIRTUAL: &[&str] = &[
    "lo",
    "veth",
    "br-",
    "br",
    "virbr",
    "vmbr",
    "docker",
    "cni",
    "flannel",
    "cali",
    "vxlan",
    "bond",
    "team",
    "dummy",
    "ifb",
    "tun",
    "tap",
    "wg",
    "sit",
    "ip6tnl",
    "gre",
    "vnet",
    "lxc",
    "podman",
    "kube-ipvs",
    "nodelocaldns",
];

/// Every byte is counted once: on the hardware where there is any, since a bond, bridge, VLAN or
/// tunnel that has the default route passes its traffic on to it; else (in a container) on what has
/// the default route; and where neither is known, on everything that does not sound like a layer.
fn is_counted(name: &str, counters: &ProcCounters) -> bool {
    let known = |names: &[String]| {
        names
            .iter()
            .any(|known| counters.interfaces.iter().any(|(name, _)| name == known))
    };
    let among = |names: &[String]| names.iter().any(|known| known == name);
    if known(&counters.physical) {
        among(&counters.physical)
    } else if known(&counters.default_routes) {
        among(&counters.default_routes)
    } else {
        !VIRTUAL.iter().any(|prefix| name.starts_with(prefix))
    }
}

fn interface(
    name: &str,
    before: &InterfaceCounters,
    after: &InterfaceCounters,
    window: &SampleWindow<'_>,
) -> Option<NetworkTraffic> {
    let rate = |before: u64, after: u64| Some(window.per_second(added(before, after)?));
    Some(NetworkTraffic {
        interface: name.to_owned(),
        rx_bytes_per_s: rate(before.rx_bytes, after.rx_bytes)?,
        tx_bytes_per_s: rate(before.tx_bytes, after.tx_bytes)?,
        rx_errors_per_s: rate(before.rx_errors, after.rx_errors)?
            + rate(before.rx_dropped, after.rx_dropped)?,
        tx_errors_per_s: rate(before.tx_errors, after.tx_errors)?
            + rate(before.tx_dropped, after.tx_dropped)?,
    })
}

/// A 32-bit counter in its last quarter may have wrapped; any other that went back was reset.
const WRAP_FROM: u64 = 3 << 30;

/// What was added to a counter, or `None` where it was reset.
fn added(before: u64, after: u64) -> Option<u64> {
    if after >= before {
        return Some(after - before);
    }
    let may_have_wrapped = (WRAP_FROM..=u64::from(u32::MAX)).contains(&before) && after < (1 << 30);
    may_have_wrapped.then(|| after + (1 << 32) - before)
}

fn find<'a, T>(rows: &'a [(String, T)], name: &str) -> Option<&'a T> {
    rows.iter()
        .find(|(known, _)| known == name)
        .map(|(_, row)| row)
}

#[cfg(test)]
mod tests;
