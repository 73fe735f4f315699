//! Metrics of a host: what each number means.

use super::time::Time;

/// Metrics of a host over one window. Absent is `None`, never 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sample {
    /// When the window ended, by our clock.
    pub time: Option<Time>,
    /// Length of the window in milliseconds, by the host's own uptime; rates and CPU are means over
    /// it.
    pub window_ms: Option<u64>,
    /// CPU; `None` in the first sample, and after a reboot or a change of the number of cores.
    pub cpu: Option<CpuUsage>,
    /// Load averages.
    pub load: Option<LoadAverage>,
    /// Memory.
    pub memory: Option<MemoryUsage>,
    /// Swap; `None` where the host has none.
    pub swap: Option<SwapUsage>,
    /// Pressure stall information; `None` where the kernel has none or it is switched off.
    pub psi: Option<PressureStall>,
    /// File systems on disks.
    pub disks: Vec<DiskUsage>,
    /// Whole block devices; empty in the first sample.
    pub io: Vec<DiskIo>,
    /// Physical or default-route network interfaces; empty in the first sample.
    pub network: Vec<NetworkTraffic>,
    /// Seconds since boot.
    pub uptime_s: Option<f64>,
}

/// Shares of all processors' time, 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct CpuUsage {
    /// Everything but idle and iowait; includes steal.
    pub busy_pct: f64,
    /// user + nice, without guests.
    pub user_pct: f64,
    /// system + irq + softirq.
    pub system_pct: f64,
    /// Idle while I/O was pending; not busy, and not reliable (`proc_stat(5)`).
    pub iowait_pct: f64,
    /// Taken by the hypervisor.
    pub steal_pct: f64,
    /// Online processors.
    pub cores: u32,
    /// Fewer than 10 ticks per core in the window: a rough figure.
    pub low_confidence: bool,
}

/// Load averages over 1, 5 and 15 minutes.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LoadAverage {
    /// Over one minute.
    pub one: f64,
    /// Over five minutes.
    pub five: f64,
    /// Over fifteen minutes.
    pub fifteen: f64,
}

/// Physical memory in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct MemoryUsage {
    /// MemTotal.
    pub total_bytes: u64,
    /// MemAvailable, or what is computed for kernels before 3.14.
    pub available_bytes: u64,
    /// Share of total that is not available.
    pub used_pct: f64,
}

/// Swap in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SwapUsage {
    /// SwapTotal.
    pub total_bytes: u64,
    /// SwapTotal − SwapFree − SwapCached.
    pub used_bytes: u64,
    /// Share of total that is used.
    pub used_pct: f64,
}

/// Share of the window in which tasks were stalled, 0 to 100. `some`: at least one task; `full`:
/// all of them.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PressureStall {
    /// CPU, some (full has no meaning for a whole system).
    pub cpu_some_pct: Option<f64>,
    /// Memory, some.
    pub memory_some_pct: Option<f64>,
    /// Memory, full.
    pub memory_full_pct: Option<f64>,
    /// I/O, some.
    pub io_some_pct: Option<f64>,
    /// I/O, full.
    pub io_full_pct: Option<f64>,
}

/// A file system.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DiskUsage {
    /// Where it is mounted.
    pub mount: String,
    /// What is mounted.
    pub device: String,
    /// Its type, `ext4`.
    pub fs: String,
    /// Size in bytes.
    pub total_bytes: u64,
    /// Used bytes.
    pub used_bytes: u64,
    /// Available to ordinary users, in bytes.
    pub available_bytes: u64,
    /// As `df` has it: ceil(100·used/(used+available)).
    pub used_pct: f64,
    /// Share of inodes in use; `None` where the file system has no fixed number.
    pub inodes_used_pct: Option<f64>,
}

/// Traffic of a whole block device.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DiskIo {
    /// Kernel name, `sda`.
    pub device: String,
    /// Bytes read per second.
    pub read_bytes_per_s: f64,
    /// Bytes written per second.
    pub write_bytes_per_s: f64,
    /// Mean time of a read in milliseconds; `None` without reads.
    pub read_await_ms: Option<f64>,
    /// Mean time of a write in milliseconds; `None` without writes.
    pub write_await_ms: Option<f64>,
    /// Mean number of requests in flight.
    pub queue: f64,
    /// Share of the window in which it was busy; means little for devices that work in parallel.
    pub util_pct: f64,
}

/// Traffic of a network interface.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NetworkTraffic {
    /// Its name, `eth0`.
    pub interface: String,
    /// Bytes received per second.
    pub rx_bytes_per_s: f64,
    /// Bytes sent per second.
    pub tx_bytes_per_s: f64,
    /// Packets received with errors or dropped, per second.
    pub rx_errors_per_s: f64,
    /// Packets not sent for errors or dropped, per second.
    pub tx_errors_per_s: f64,
}
