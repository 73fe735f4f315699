//! Two readings in, one sample out.

use proptest::prelude::*;

use super::*;
use crate::model::metrics::LoadAverage;

const BEFORE: &str = "\
/proc/uptime:1000.00 3000.00
/proc/stat:cpu  1000 100 500 8000 200 10 20 50 300 40
/proc/stat:cpu0 500 50 250 4000 100 5 10 25 150 20
/proc/stat:cpu1 500 50 250 4000 100 5 10 25 150 20
/proc/stat:btime 1790000000
/proc/loadavg:0.50 0.40 0.30 2/345 6789
/proc/meminfo:MemTotal:        1000 kB
/proc/meminfo:MemFree:          100 kB
/proc/meminfo:MemAvailable:     400 kB
/proc/meminfo:SwapTotal:        200 kB
/proc/meminfo:SwapFree:         140 kB
/proc/meminfo:SwapCached:        10 kB
/proc/pressure/cpu:some avg10=1.00 avg60=0.50 avg300=0.10 total=1000000
/proc/pressure/cpu:full avg10=0.00 avg60=0.00 avg300=0.00 total=0
/proc/pressure/io:some avg10=0.00 avg60=0.00 avg300=0.00 total=500000
/proc/pressure/io:full avg10=0.00 avg60=0.00 avg300=0.00 total=400000
/proc/diskstats:   8       0 sda 100 0 1000 200 50 0 2000 400 0 1000 5000 0 0 0 0
/proc/diskstats:   8       1 sda1 100 0 1000 200 50 0 2000 400 0 1000 5000
/proc/diskstats: 253       0 dm-0 100 0 1000 200 50 0 2000 400 0 1000 5000
/proc/diskstats:   7       0 loop0 9 0 9 9 9 0 9 9 0 9 9
/proc/net/dev:Inter-|   Receive                                                |  Transmit
/proc/net/dev: face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
/proc/net/dev:    lo: 5000 1 0 0 0 0 0 0 5000 1 0 0 0 0 0 0
/proc/net/dev:  eth0: 1000 10 1 2 0 0 0 0 2000 20 0 0 0 0 0 0
/proc/net/dev: bond0: 1000 10 1 2 0 0 0 0 2000 20 0 0 0 0 0 0
/sys/class/net/eth0/device:
/proc/net/route:Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT
/proc/net/route:bond0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
";

const AFTER: &str = "\
/proc/uptime:1002.00 3003.00
/proc/stat:cpu  1120 110 530 8200 215 12 23 70 360 45
/proc/stat:cpu0 560 55 265 4100 108 6 12 35 180 22
/proc/stat:cpu1 560 55 265 4100 107 6 11 35 180 23
/proc/stat:btime 1790000001
/proc/loadavg:0.60 0.41 0.31 2/345 6790
/proc/meminfo:MemTotal:        1000 kB
/proc/meminfo:MemAvailable:     250 kB
/proc/meminfo:SwapTotal:        200 kB
/proc/meminfo:SwapFree:         140 kB
/proc/meminfo:SwapCached:        10 kB
/proc/pressure/cpu:some avg10=1.00 avg60=0.50 avg300=0.10 total=1500000
/proc/pressure/io:some avg10=0.00 avg60=0.00 avg300=0.00 total=9500000
/proc/pressure/io:full avg10=0.00 avg60=0.00 avg300=0.00 total=400000
/proc/diskstats:   8       0 sda 110 0 3000 250 50 0 2000 400 3 1500 6000 0 0 0 0
/proc/diskstats:   8       1 sda1 110 0 3000 250 50 0 2000 400 0 1500 6000
/proc/diskstats: 253       0 dm-0 110 0 3000 250 50 0 2000 400 0 1500 6000
/proc/diskstats:   7       0 loop0 19 0 19 19 19 0 19 19 0 19 19
/proc/net/dev:    lo: 9000 1 0 0 0 0 0 0 9000 1 0 0 0 0 0 0
/proc/net/dev:  eth0:3000 12 2 4 0 0 0 0 2500 22 0 0 0 0 0 0
/proc/net/dev: bond0: 3000 12 2 4 0 0 0 0 2500 22 0 0 0 0 0 0
/sys/class/net/eth0/device:
/proc/net/route:bond0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
";

fn sample(before: &str, after: &str) -> Sample {
    Sample::between(
        Some(&ProcCounters::parse(before)),
        &ProcCounters::parse(after),
        &[],
        Time(7),
    )
}

/// The second reading with some text replaced.
fn but(from: &str, to: &str) -> String {
    assert!(AFTER.contains(from), "{from:?} is not in the reading");
    AFTER.replace(from, to)
}

#[test]
fn the_first_sample_has_only_present_values() {
    let sample = Sample::between(None, &ProcCounters::parse(AFTER), &[], Time(7));
    assert_eq!(sample.time, Some(Time(7)));
    assert_eq!(
        (sample.window_ms, sample.cpu, sample.psi),
        (None, None, None)
    );
    assert!(sample.io.is_empty() && sample.network.is_empty());
    assert_eq!(
        sample.load,
        Some(LoadAverage {
            one: 0.6,
            five: 0.41,
            fifteen: 0.31
        })
    );
    assert_eq!(sample.uptime_s, Some(1002.0));
    let memory = sample.memory.expect("meminfo was read");
    assert_eq!(
        (memory.total_bytes, memory.available_bytes, memory.used_pct),
        (1_024_000, 256_000, 75.0)
    );
    let swap = sample.swap.expect("there is swap");
    assert_eq!(
        (swap.total_bytes, swap.used_bytes, swap.used_pct),
        (204_800, 51_200, 25.0)
    );
}

#[test]
fn cpu_shares_are_of_all_ticks_and_guests_count_once() {
    let cpu = sample(BEFORE, AFTER).cpu.expect("two readings");
    // 120 user + 10 nice + 30 system + 200 idle + 15 iowait + 2 irq + 3 softirq + 20 steal = 400
    // ticks.
    assert_eq!(cpu.busy_pct, 46.25);
    assert_eq!(cpu.user_pct, 100.0 * (130.0 - 65.0) / 400.0);
    assert_eq!(cpu.system_pct, 8.75);
    assert_eq!((cpu.iowait_pct, cpu.steal_pct), (3.75, 5.0));
    assert_eq!((cpu.cores, cpu.low_confidence), (2, false));
}

#[test]
fn where_idle_time_is_not_counted_what_is_missing_was_idle() {
    let still = AFTER.replace(
        "cpu  1120 110 530 8200 215 12 23 70 360 45",
        "cpu  1010 100 510 8000 200 10 20 50 300 40",
    );
    let cpu = sample(BEFORE, &still).cpu.expect("a window");
    assert_eq!(
        (cpu.busy_pct, cpu.user_pct, cpu.low_confidence),
        (5.0, 2.5, false)
    );
}

#[test]
fn few_ticks_are_marked() {
    let after = but(
        "cpu  1120 110 530 8200 215 12 23 70 360 45",
        "cpu  1010 100 500 8005 200 10 20 50 300 40",
    );
    let cpu = sample(BEFORE, &after).cpu.expect("fifteen ticks");
    assert!(cpu.low_confidence);
}

#[test]
fn iowait_that_steps_back_a_little_counts_as_none() {
    let cpu = sample(BEFORE, &but(" 8200 215 ", " 8200 190 "))
        .cpu
        .expect("a small step back");
    assert_eq!(cpu.iowait_pct, 0.0);
}

#[test]
fn hotplug_drops_the_cpu_figures_only() {
    let less_idle = sample(BEFORE, &but(" 8200 ", " 4000 "));
    let fewer_cores = sample(BEFORE, &but("/proc/stat:cpu1", "/proc/stat:gone"));
    for sample in [less_idle, fewer_cores] {
        assert_eq!(sample.cpu, None);
        assert_eq!(sample.window_ms, Some(2000));
        assert!(!sample.network.is_empty());
    }
}

#[test]
fn a_reboot_starts_anew() {
    let uptime_back = but("/proc/uptime:1002.00", "/proc/uptime:12.00");
    let booted_later = but("btime 1790000001", "btime 1790009000");
    for after in [uptime_back, booted_later] {
        let sample = sample(BEFORE, &after);
        assert_eq!(
            (sample.window_ms, sample.cpu, sample.psi),
            (None, None, None)
        );
        assert!(sample.io.is_empty() && sample.network.is_empty());
        assert!(sample.memory.is_some());
    }
}

#[test]
fn the_boot_id_decides_over_a_clock_that_was_set() {
    let id = |text: &str, id: &str| format!("{text}/proc/sys/kernel/random/boot_id:{id}\n");
    let set = but("btime 1790000001", "btime 1790009000");
    assert!(sample(&id(BEFORE, "a"), &id(&set, "a")).cpu.is_some());
    assert!(sample(&id(BEFORE, "a"), &id(AFTER, "b")).cpu.is_none());
}

#[test]
fn a_window_too_short_for_the_clock_has_no_rates() {
    let sample = sample(BEFORE, &but("/proc/uptime:1002.00", "/proc/uptime:1000.05"));
    assert_eq!(sample.window_ms, None);
    assert!(sample.io.is_empty() && sample.network.is_empty());
}

#[test]
fn pressure_is_the_share_of_the_window_and_absent_where_it_is_not_measured() {
    let psi = sample(BEFORE, AFTER).psi.expect("pressure was read");
    assert_eq!(psi.cpu_some_pct, Some(25.0));
    assert_eq!((psi.io_some_pct, psi.io_full_pct), (Some(100.0), Some(0.0)));
    assert_eq!((psi.memory_some_pct, psi.memory_full_pct), (None, None));
    assert_eq!(
        sample("/proc/uptime:1.00 1", "/proc/uptime:2.00 1").psi,
        None
    );
}

#[test]
fn only_whole_disks_are_counted() {
    let io = sample(BEFORE, AFTER).io;
    let sda = DiskIo {
        device: "sda".into(),
        read_bytes_per_s: 512_000.0,
        write_bytes_per_s: 0.0,
        read_await_ms: Some(5.0),
        write_await_ms: None,
        queue: 0.5,
        util_pct: 25.0,
    };
    assert_eq!(io, [sda]);
}

#[test]
fn a_disk_is_told_from_a_partition_by_its_neighbours() {
    let all = [
        "sda",
        "sda1",
        "nvme0n1",
        "nvme0n1p2",
        "nvme0c1n1",
        "mmcblk0",
        "mmcblk0p1",
        "mmcblk0boot0",
        "xvdb1",
        "md127",
        "dm-3",
        "zram0",
        "sr0",
        "nbd1",
        "nbd12",
    ];
    let whole: Vec<&str> = all
        .into_iter()
        .filter(|name| is_whole_disk(name, all.into_iter()))
        .collect();
    assert_eq!(
        whole,
        ["sda", "nvme0n1", "mmcblk0", "xvdb1", "nbd1", "nbd12"]
    );
}

#[test]
fn traffic_is_counted_on_the_hardware_once() {
    let network = sample(BEFORE, AFTER).network;
    let eth0 = NetworkTraffic {
        interface: "eth0".into(),
        rx_bytes_per_s: 1000.0,
        tx_bytes_per_s: 250.0,
        rx_errors_per_s: 1.5,
        tx_errors_per_s: 0.0,
    };
    assert_eq!(network, [eth0]);
}

#[test]
fn without_hardware_the_default_route_is_counted_and_without_that_what_is_no_layer() {
    let names = |text: &str| -> Vec<String> {
        let counters = ProcCounters::parse(text);
        let rows = counters
            .interfaces
            .iter()
            .filter(|(name, _)| is_counted(name, &counters));
        rows.map(|(name, _)| name.clone()).collect()
    };
    let container = AFTER.replace("/sys/class", "/none");
    assert_eq!(names(&container), ["bond0"]);
    let bare = container.replace("/proc/net/route", "/none");
    assert_eq!(names(&bare), ["eth0"]);
}

#[test]
fn a_counter_that_went_back_is_a_wrap_only_near_its_end() {
    assert_eq!(added(10, 15), Some(5));
    assert_eq!(added(u64::from(u32::MAX) - 4, 5), Some(10));
    assert_eq!(added(1_000_000, 5), None);
    assert_eq!(added(u64::MAX, 5), None);
    let reset = sample(BEFORE, &but("eth0:3000", "eth0:30"));
    assert!(reset.network.is_empty());
}

#[test]
fn kernels_before_3_14_have_what_is_free_or_cached() {
    let text = "/proc/meminfo:MemTotal: 1000 kB\n/proc/meminfo:MemFree: 100 kB\n/proc/meminfo:Buffers: 50 kB\n\
                /proc/meminfo:Cached: 200 kB\n/proc/meminfo:SReclaimable: 30 kB\n/proc/meminfo:Shmem: 80 kB\n";
    let memory = sample("", text).memory.expect("there is a total");
    assert_eq!(memory.available_bytes, 300 * 1024);
    assert_eq!(sample("", text).swap, None);
}

#[test]
fn the_cache_of_zfs_above_its_minimum_is_available() {
    let text = "/proc/meminfo:MemTotal: 1000 kB\n/proc/meminfo:MemAvailable: 100 kB\n\
                /proc/spl/kstat/zfs/arcstats:c_min 4 102400\n/proc/spl/kstat/zfs/arcstats:size 4 307200\n";
    assert_eq!(
        sample("", text).memory.map(|memory| memory.available_bytes),
        Some(300 * 1024)
    );
}

#[test]
fn this_machine_is_read() {
    let read = || {
        let mut text = String::new();
        for path in super::super::PROC_FILES {
            for line in std::fs::read_to_string(path).unwrap_or_default().lines() {
                text.push_str(&format!("{path}:{line}\n"));
            }
        }
        text
    };
    let sample = Sample::between(None, &ProcCounters::parse(&read()), &[], Time(0));
    assert!(
        sample.uptime_s.is_some() && sample.load.is_some() && sample.memory.is_some(),
        "{sample:?}"
    );
}

proptest! {
    #[test]
    fn any_text_is_survived(before in ".{0,300}", after in "[ -~\n]{0,300}") {
        sample(&before, &after);
    }

    /// Readings cut anywhere, with any number in the place of some others: every share stays a
    /// share.
    #[test]
    fn torn_and_forged_readings_stay_within_bounds(cut in 0..AFTER.len(), digit in "[0-9]", number: u64) {
        let forged = AFTER.get(..cut).unwrap_or_default().replace(&digit, &number.to_string());
        for sample in [sample(BEFORE, &forged), sample(&forged, AFTER)] {
            let cpu = sample.cpu.unwrap_or_default();
            for share in [cpu.busy_pct, cpu.user_pct, cpu.system_pct, cpu.iowait_pct, cpu.steal_pct] {
                prop_assert!((0.0..=100.0).contains(&share), "{sample:?}");
            }
            for io in sample.io {
                prop_assert!((0.0..=100.0).contains(&io.util_pct), "{io:?}");
                prop_assert!(io.read_bytes_per_s.is_finite() && io.queue >= 0.0, "{io:?}");
            }
            for network in sample.network {
                prop_assert!(network.rx_bytes_per_s.is_finite() && network.rx_bytes_per_s >= 0.0);
            }
        }
    }
}
