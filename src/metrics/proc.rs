//! One reading of `/proc`: text to counters. What the counters mean together is left to `rates`.

use crate::model::metrics::LoadAverage;

/// The files that a driver reads for [`ProcCounters::parse`], in one `grep -s '' FILE…`. Any of them
/// may be missing. `/proc/self/mounts` is not for the counters but for
/// [`parse_df`](super::parse_df).
pub const PROC_FILES: &[&str] = &[
    // First, so that the window does not depend on how long the rest takes to read.
    "/proc/uptime",
    "/proc/stat",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/diskstats",
    "/proc/net/dev",
    "/proc/net/route",
    "/proc/pressure/cpu",
    "/proc/pressure/memory",
    "/proc/pressure/io",
    "/proc/sys/kernel/random/boot_id",
    // On hosts with ZFS: the cache that gives way under pressure, which MemAvailable does not know
    // of.
    "/proc/spl/kstat/zfs/arcstats",
    "/proc/self/mounts",
];

/// What matches this on a host are the interfaces with hardware behind them. A driver adds a line
/// `/sys/class/net/eth0/device:` for each match to what it hands to [`ProcCounters::parse`].
pub const INTERFACE_GLOB: &str = "/sys/class/net/*/device";

/// What one reading of `/proc` holds: counters since boot and present values.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ProcCounters {
    /// Seconds since boot, in hundredths.
    pub(super) uptime_s: Option<f64>,
    /// When the host booted, in seconds since 1970 by its own clock; moves when that clock is set.
    pub(super) btime: Option<u64>,
    /// Differs after each boot.
    pub(super) boot_id: Option<String>,
    pub(super) cpu: Option<CpuTicks>,
    /// Online processors.
    pub(super) cores: u32,
    pub(super) load: Option<LoadAverage>,
    pub(super) memory: MemInfo,
    pub(super) psi: PsiTotals,
    /// Block devices, partitions and layers too, in the kernel's order.
    pub(super) devices: Vec<(String, DeviceCounters)>,
    /// Interfaces in the kernel's order.
    pub(super) interfaces: Vec<(String, InterfaceCounters)>,
    /// Interfaces with hardware behind them.
    pub(super) physical: Vec<String>,
    /// Interfaces of the default routes.
    pub(super) default_routes: Vec<String>,
}

/// The line `cpu` of `/proc/stat`, in ticks of 1/100 s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct CpuTicks {
    pub(super) user: u64,
    pub(super) nice: u64,
    pub(super) system: u64,
    pub(super) idle: u64,
    pub(super) iowait: u64,
    pub(super) irq: u64,
    pub(super) softirq: u64,
    pub(super) steal: u64,
    /// Part of `user`.
    pub(super) guest: u64,
    /// Part of `nice`.
    pub(super) guest_nice: u64,
}

/// `/proc/meminfo` and ZFS, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct MemInfo {
    pub(super) total: Option<u64>,
    pub(super) available: Option<u64>,
    pub(super) free: Option<u64>,
    pub(super) buffers: u64,
    pub(super) cached: u64,
    pub(super) reclaimable: u64,
    pub(super) shmem: u64,
    pub(super) swap_total: Option<u64>,
    pub(super) swap_free: Option<u64>,
    pub(super) swap_cached: u64,
    pub(super) arc_size: u64,
    pub(super) arc_min: u64,
}

/// Microseconds of stall since boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct PsiTotals {
    pub(super) cpu_some: Option<u64>,
    pub(super) memory_some: Option<u64>,
    pub(super) memory_full: Option<u64>,
    pub(super) io_some: Option<u64>,
    pub(super) io_full: Option<u64>,
}

/// A line of `/proc/diskstats`. The times are milliseconds and wrap at 2³² on every kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct DeviceCounters {
    pub(super) reads: u64,
    pub(super) read_sectors: u64,
    pub(super) read_ms: u64,
    pub(super) writes: u64,
    pub(super) write_sectors: u64,
    pub(super) write_ms: u64,
    pub(super) busy_ms: u64,
    pub(super) weighted_ms: u64,
}

/// A line of `/proc/net/dev`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct InterfaceCounters {
    pub(super) rx_bytes: u64,
    pub(super) rx_errors: u64,
    pub(super) rx_dropped: u64,
    pub(super) tx_bytes: u64,
    pub(super) tx_errors: u64,
    pub(super) tx_dropped: u64,
}

impl ProcCounters {
    /// Reads the output of `grep -s '' FILE…`: lines of the form `/proc/stat:cpu  1 2 3`. Unknown
    /// files and lines that do not parse are passed over: what is missing is `None` in the sample.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut counters = Self::default();
        for line in text.lines() {
            counters.read_line(line);
        }
        counters
    }

    fn read_line(&mut self, line: &str) {
        let Some((path, line)) = line.split_once(':') else {
            return;
        };
        match path {
            "/proc/stat" => self.read_stat(line),
            "/proc/uptime" => {
                self.uptime_s = self
                    .uptime_s
                    .or_else(|| seconds(line.split_whitespace().next()?));
            }
            "/proc/loadavg" => self.load = self.load.or_else(|| load(line)),
            "/proc/meminfo" => self.memory.read(line),
            "/proc/spl/kstat/zfs/arcstats" => self.memory.read_arc(line),
            "/proc/diskstats" => self.devices.extend(device(line)),
            "/proc/net/dev" => self.interfaces.extend(interface(line)),
            "/proc/net/route" => self.default_routes.extend(default_route(line)),
            "/proc/pressure/cpu" => stall("some", line, &mut self.psi.cpu_some),
            "/proc/pressure/memory" => {
                stall("some", line, &mut self.psi.memory_some);
                stall("full", line, &mut self.psi.memory_full);
            }
            "/proc/pressure/io" => {
                stall("some", line, &mut self.psi.io_some);
                stall("full", line, &mut self.psi.io_full);
            }
            "/proc/sys/kernel/random/boot_id" => self.boot_id = Some(line.trim().to_owned()),
            _ => self.physical.extend(physical(path)),
        }
    }

    fn read_stat(&mut self, line: &str) {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("cpu") => self.cpu = self.cpu.or_else(|| ticks(words)),
            Some("btime") => self.btime = words.next().and_then(|word| word.parse().ok()),
            Some(word) => {
                let number = word.strip_prefix("cpu").unwrap_or_default();
                if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) {
                    self.cores = self.cores.saturating_add(1);
                }
            }
            None => {}
        }
    }
}

impl MemInfo {
    fn read(&mut self, line: &str) {
        let Some((name, rest)) = line.split_once(':') else {
            return;
        };
        let mut words = rest.split_whitespace();
        let Some(kib) = words.next().and_then(|word| word.parse::<u64>().ok()) else {
            return;
        };
        let bytes = kib.saturating_mul(1024);
        match name {
            "MemTotal" => self.total = Some(bytes),
            "MemAvailable" => self.available = Some(bytes),
            "MemFree" => self.free = Some(bytes),
            "Buffers" => self.buffers = bytes,
            "Cached" => self.cached = bytes,
            "SReclaimable" => self.reclaimable = bytes,
            "Shmem" => self.shmem = bytes,
            "SwapTotal" => self.swap_total = Some(bytes),
            "SwapFree" => self.swap_free = Some(bytes),
            "SwapCached" => self.swap_cached = bytes,
            _ => {}
        }
    }

    /// `size 4 12345`: name, type, bytes.
    fn read_arc(&mut self, line: &str) {
        let mut words = line.split_whitespace();
        let name = words.next().unwrap_or_default();
        let Some(bytes) = words.nth(1).and_then(|word| word.parse().ok()) else {
            return;
        };
        match name {
            "size" => self.arc_size = bytes,
            "c_min" => self.arc_min = bytes,
            _ => {}
        }
    }
}

/// Kernels before 2.6 have four fields, and each newer one appended some: what is missing is 0.
fn ticks<'a>(words: impl Iterator<Item = &'a str>) -> Option<CpuTicks> {
    let mut fields = [0_u64; 10];
    let mut known = 0;
    for (field, word) in fields.iter_mut().zip(words) {
        *field = word.parse().ok()?;
        known += 1;
    }
    let [
        user,
        nice,
        system,
        idle,
        iowait,
        irq,
        softirq,
        steal,
        guest,
        guest_nice,
    ] = fields;
    (known >= 4).then_some(CpuTicks {
        user,
        nice,
        system,
        idle,
        iowait,
        irq,
        softirq,
        steal,
        guest,
        guest_nice,
    })
}

fn load(line: &str) -> Option<LoadAverage> {
    let mut words = line.split_whitespace().map(seconds);
    let mut next = || words.next().flatten();
    Some(LoadAverage {
        one: next()?,
        five: next()?,
        fifteen: next()?,
    })
}

/// A number that is finite and not negative.
fn seconds(word: &str) -> Option<f64> {
    word.parse::<f64>()
        .ok()
        .filter(|number| number.is_finite() && *number >= 0.0)
}

/// `some avg10=0.12 avg60=0.05 avg300=0.01 total=123456`
fn stall(kind: &str, line: &str, total: &mut Option<u64>) {
    let mut words = line.split_whitespace();
    if words.next() == Some(kind)
        && let Some(value) = words.find_map(|word| word.strip_prefix("total=")?.parse().ok())
    {
        *total = Some(value);
    }
}

/// `   8       0 sda 1 2 3 4 5 6 7 8 9 10 11 …`
fn device(line: &str) -> Option<(String, DeviceCounters)> {
    let mut words = line.split_whitespace();
    let name = words.nth(2)?;
    let mut fields = [0_u64; 11];
    for field in &mut fields {
        *field = words.next()?.parse().ok()?;
    }
    let [
        reads,
        _,
        read_sectors,
        read_ms,
        writes,
        _,
        write_sectors,
        write_ms,
        _,
        busy_ms,
        weighted_ms,
    ] = fields;
    let counters = DeviceCounters {
        reads,
        read_sectors,
        read_ms,
        writes,
        write_sectors,
        write_ms,
        busy_ms,
        weighted_ms,
    };
    Some((name.to_owned(), counters))
}

/// `  eth0: 1 2 3 4 5 6 7 8 9 10 11 12 …`; old kernels write `eth0:1`, and aliases have a colon in
/// their name.
fn interface(line: &str) -> Option<(String, InterfaceCounters)> {
    let (name, rest) = line.rsplit_once(':')?;
    let mut words = rest.split_whitespace();
    let mut fields = [0_u64; 12];
    for field in &mut fields {
        *field = words.next()?.parse().ok()?;
    }
    let [
        rx_bytes,
        _,
        rx_errors,
        rx_dropped,
        _,
        _,
        _,
        _,
        tx_bytes,
        _,
        tx_errors,
        tx_dropped,
    ] = fields;
    let counters = InterfaceCounters {
        rx_bytes,
        rx_errors,
        rx_dropped,
        tx_bytes,
        tx_errors,
        tx_dropped,
    };
    Some((name.trim().to_owned(), counters))
}

/// Bits of the flags in `/proc/net/route` (`RTF_UP`, `RTF_REJECT`).
const ROUTE_UP: u32 = 0x0001;
const ROUTE_REJECT: u32 = 0x0200;

/// `Iface Destination Gateway Flags RefCnt Use Metric Mask …`, the numbers in hexadecimal.
fn default_route(line: &str) -> Option<String> {
    let mut words = line.split_whitespace();
    let name = words.next()?;
    let destination = words.next()?;
    let flags = u32::from_str_radix(words.nth(1)?, 16).ok()?;
    let mask = words.nth(3)?;
    let default = destination == "00000000" && mask == "00000000";
    (default && flags & ROUTE_UP != 0 && flags & ROUTE_REJECT == 0).then(|| name.to_owned())
}

fn physical(path: &str) -> Option<String> {
    let name = path
        .strip_prefix("/sys/class/net/")?
        .strip_suffix("/device")?;
    (!name.is_empty()).then(|| name.to_owned())
}
