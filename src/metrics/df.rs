//! The output of `df`.

use crate::model::metrics::DiskUsage;

/// Types of file systems that are worth a `df`: those that fill up and do not hang. Network file
/// systems may hang for ever, and the rest (`tmpfs`, `squashfs`, `proc` …) says nothing of a disk.
/// `overlay` counts as a disk on `/` only, where it is the disk of a container.
pub const DISK_FS: &[&str] = &[
    "ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "bcachefs", "f2fs", "jfs", "reiserfs", "nilfs2",
    "ocfs2", "gfs2", "ubifs", "jffs2", "yaffs2", "vfat", "msdos", "exfat", "ntfs", "ntfs3",
    "fuseblk", "hfs", "hfsplus", "apfs", "ufs", "minix", "udf", "virtiofs", "overlay", "aufs",
];

/// Reads `df -P -k` and `df -P -i` of the same file systems, and takes the types from
/// `/proc/self/mounts`, given as it is or as `grep` prints it among other files.
#[must_use]
pub fn parse_df(kib: &str, inodes: &str, mounts: &str) -> Vec<DiskUsage> {
    let mounts: Vec<MountEntry> = mounts.lines().filter_map(mount).collect();
    let inodes: Vec<DfRow<'_>> = inodes.lines().filter_map(row).collect();
    let mut disks = Vec::new();
    for row in kib.lines().filter_map(row) {
        if let Some(disk) = disk(&row, &inodes, &mounts) {
            insert(&mut disks, disk);
        }
    }
    without_underlay(disks)
}

/// A line of `df`: what, three numbers, where. The numbers are `None` where `df` prints `-`.
struct DfRow<'a> {
    device: &'a str,
    total: Option<u64>,
    used: Option<u64>,
    available: Option<u64>,
    mount: &'a str,
}

/// Devices and mount points may contain spaces, so the numbers between them are looked for.
fn row(line: &str) -> Option<DfRow<'_>> {
    let words: Vec<&str> = line.split(' ').filter(|word| !word.is_empty()).collect();
    let numbers = words.windows(5).skip(1).find(|numbers| {
        let share = numbers[3].strip_suffix('%').unwrap_or(numbers[3]);
        numbers[..3].iter().all(|word| is_number(word)) && is_number(share)
    })?;
    let [total, used, available, share, _] = numbers else {
        return None;
    };
    let offset = |word: &str| word.as_ptr() as usize - line.as_ptr() as usize;
    Some(DfRow {
        device: line.get(..offset(total))?.trim_end(),
        total: number(total),
        used: number(used),
        available: number(available),
        mount: line.get(offset(share) + share.len()..)?.trim_start(),
    })
}

fn is_number(word: &str) -> bool {
    let digits = word.strip_prefix('-').unwrap_or(word);
    !word.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

/// A negative number is what ordinary users have left when root has taken from the reserve:
/// nothing.
fn number(word: &str) -> Option<u64> {
    if word.len() > 1 && word.starts_with('-') {
        Some(0)
    } else {
        word.parse().ok()
    }
}

struct MountEntry {
    at: String,
    fs: String,
}

fn mount(line: &str) -> Option<MountEntry> {
    let line = match line.strip_prefix("/proc/self/mounts:") {
        Some(line) => line,
        None if line.starts_with("/proc/") || line.starts_with("/sys/") => return None,
        None => line,
    };
    let mut words = line.split(' ');
    let at = unescape(words.nth(1)?);
    Some(MountEntry {
        at,
        fs: words.next()?.to_owned(),
    })
}

/// The kernel writes blanks, newlines and backslashes of a mount point as `\040`.
fn unescape(word: &str) -> String {
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match octal(byte, tail) {
            Some(escaped) => {
                bytes.push(escaped);
                rest = tail.get(3..).unwrap_or_default();
            }
            None => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn octal(byte: u8, tail: &[u8]) -> Option<u8> {
    let digits = tail
        .get(..3)
        .filter(|digits| byte == b'\\' && digits.iter().all(|b| (b'0'..=b'7').contains(b)))?;
    let value = digits
        .iter()
        .fold(0_u32, |value, digit| value * 8 + u32::from(digit - b'0'));
    u8::try_from(value).ok()
}

fn disk(row: &DfRow<'_>, inodes: &[DfRow<'_>], mounts: &[MountEntry]) -> Option<DiskUsage> {
    // The last mount on a place is the one that is seen there.
    let fs = mounts
        .iter()
        .rev()
        .find(|mount| mount.at == row.mount)
        .map(|mount| mount.fs.as_str());
    if !is_disk(fs, row) {
        return None;
    }
    let total = row.total.filter(|total| *total > 0)?;
    let used = row.used?;
    let available = row.available?;
    let inodes = inodes.iter().find(|inodes| inodes.mount == row.mount);
    Some(DiskUsage {
        mount: row.mount.to_owned(),
        device: row.device.to_owned(),
        fs: fs.unwrap_or_default().to_owned(),
        total_bytes: total.saturating_mul(1024),
        used_bytes: used.saturating_mul(1024),
        available_bytes: available.saturating_mul(1024),
        used_pct: used_pct(used, available),
        inodes_used_pct: inodes.and_then(inodes_used_pct),
    })
}

/// Without a type (no `/proc`), what has a path for a device is taken for a disk.
fn is_disk(fs: Option<&str>, row: &DfRow<'_>) -> bool {
    match fs {
        Some("overlay" | "aufs") => row.mount == "/",
        Some(fs) => DISK_FS.contains(&fs),
        None => row.device.starts_with("/dev/") || row.mount == "/",
    }
}

/// Rounded up as in `df`: it shows 100 % a little too early rather than too late.
fn used_pct(used: u64, available: u64) -> f64 {
    let used = u128::from(used);
    let both = used + u128::from(available);
    if both == 0 {
        0.0
    } else {
        (used * 100).div_ceil(both) as f64
    }
}

fn inodes_used_pct(row: &DfRow<'_>) -> Option<f64> {
    let total = row.total.filter(|&total| total > 0)?;
    Some((100.0 * row.used? as f64 / total as f64).min(100.0))
}

/// Adds a disk unless it is there already under another mount point; of several, the shortest is
/// kept.
fn insert(disks: &mut Vec<DiskUsage>, disk: DiskUsage) {
    let same = |known: &DiskUsage| {
        known.mount == disk.mount
            || (disk.device.starts_with('/') && known.device == disk.device && known.fs == disk.fs)
    };
    match disks.iter().position(same) {
        None => disks.push(disk),
        Some(known) if disk.mount.len() < disks[known].mount.len() => disks[known] = disk,
        Some(_) => {}
    }
}

/// In a container, `/etc/hosts` and the like are mounts of the very disk that `/` lies on.
fn without_underlay(mut disks: Vec<DiskUsage>) -> Vec<DiskUsage> {
    let root = disks
        .iter()
        .find(|disk| disk.mount == "/" && matches!(disk.fs.as_str(), "overlay" | "aufs"))
        .cloned();
    if let Some(root) = root {
        // Both lines were read one after the other, so the used bytes may differ a little.
        let slack = root.total_bytes / 1000;
        let same = |disk: &DiskUsage| {
            disk.total_bytes == root.total_bytes
                && disk.used_bytes.abs_diff(root.used_bytes) <= slack
        };
        disks.retain(|disk| disk.mount == "/" || !same(disk));
    }
    disks
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
/dev/vda1 / ext4 rw,relatime 0 0
tmpfs /run tmpfs rw 0 0
/dev/vdb1 /srv/my\\040data xfs rw 0 0
/dev/vdb1 /mnt/bind xfs rw 0 0
/dev/vdc /boot/efi vfat rw 0 0
nas:/export /nas nfs4 rw 0 0
/dev/loop3 /snap/core/1 squashfs ro 0 0
overlay /var/lib/docker/overlay2/x/merged overlay rw 0 0
";

    const GNU: &str = "\
Filesystem     1024-blocks     Used Available Capacity Mounted on
/dev/vda1         41152812 23456789  15577263      61% /
tmpfs               804900     1072    803828       1% /run
/dev/vdb1       1000000000        1 999999999       1% /mnt/bind
/dev/vdb1       1000000000        1 999999999       1% /srv/my data
/dev/vdc            523248     5928    517320       2% /boot/efi
nas:/export     5000000000 40000000  10000000      80% /nas
/dev/loop3           65536    65536         0     100% /snap/core/1
overlay           41152812 23456789  15577263      61% /var/lib/docker/overlay2/x/merged
";

    const GNU_INODES: &str = "\
Filesystem       Inodes  IUsed     IFree IUse% Mounted on
/dev/vda1       2621440 524288   2097152   20% /
/dev/vdb1      50000000      3  49999997    1% /mnt/bind
/dev/vdc              0      0         0     - /boot/efi
";

    fn mounts_of(disks: &[DiskUsage]) -> Vec<&str> {
        disks.iter().map(|disk| disk.mount.as_str()).collect()
    }

    #[test]
    fn only_disks_are_kept_each_once() {
        let disks = parse_df(GNU, GNU_INODES, MOUNTS);
        assert_eq!(mounts_of(&disks), ["/", "/mnt/bind", "/boot/efi"]);
        let root = &disks[0];
        assert_eq!(
            (root.device.as_str(), root.fs.as_str()),
            ("/dev/vda1", "ext4")
        );
        assert_eq!(root.total_bytes, 41_152_812 * 1024);
        assert_eq!(root.available_bytes, 15_577_263 * 1024);
    }

    #[test]
    fn shares_are_those_of_df() {
        let disks = parse_df(GNU, GNU_INODES, MOUNTS);
        let shares: Vec<f64> = disks.iter().map(|disk| disk.used_pct).collect();
        assert_eq!(shares, [61.0, 1.0, 2.0]);
        let inodes: Vec<Option<f64>> = disks.iter().map(|disk| disk.inodes_used_pct).collect();
        assert_eq!(inodes, [Some(20.0), Some(100.0 * 3.0 / 5e7), None]);
    }

    #[test]
    fn mount_points_with_blanks_are_read_whole() {
        let kib = "/dev/sdb 100 50 50 50% /srv/my data\n";
        let disks = parse_df(kib, "", "/dev/sdb /srv/my\\040data xfs rw 0 0\n");
        assert_eq!(mounts_of(&disks), ["/srv/my data"]);
    }

    #[test]
    fn busybox_prints_the_same_shape() {
        let kib = "\
Filesystem           1024-blocks    Used Available Capacity Mounted on
overlay               61255492  20000000  38000000  34% /
tmpfs                    65536         0     65536   0% /dev
/dev/vda1             61255492  20000010  37999990  34% /etc/hosts
/dev/vdb              10255492  10000000   -100000 101% /data
";
        let mounts = "overlay / overlay rw 0 0\n/dev/vda1 /etc/hosts ext4 rw 0 0\n/dev/vdb /data ext4 rw 0 0\n";
        let disks = parse_df(
            kib,
            "Filesystem Inodes Used Available Capacity Mounted on\noverlay 10 1 9 10% /\n",
            mounts,
        );
        assert_eq!(mounts_of(&disks), ["/", "/data"]);
        assert_eq!(disks[0].inodes_used_pct, Some(10.0));
        assert_eq!((disks[1].available_bytes, disks[1].used_pct), (0, 100.0));
    }

    #[test]
    fn the_mounts_are_found_among_other_files() {
        let grepped = "/proc/stat:cpu 1 2 3\n/proc/self/mounts:/dev/sda1 / xfs rw 0 0\n/proc/self/mounts:x /x tmpfs rw 0 0\n";
        let kib = "/dev/sda1 100 50 50 50% /\nx 1 0 1 0% /x\n";
        assert_eq!(mounts_of(&parse_df(kib, "", grepped)), ["/"]);
    }

    #[test]
    fn without_types_what_has_a_device_is_a_disk() {
        let disks = parse_df(GNU, "", "");
        assert_eq!(
            mounts_of(&disks),
            ["/", "/mnt/bind", "/boot/efi", "/snap/core/1"]
        );
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_survived(kib in ".{0,200}", inodes in "[ -~\n]{0,200}", mounts in "[\\\\/ 0-9a-z\n:]{0,200}") {
            let _ = parse_df(&kib, &inodes, &mounts);
        }

        #[test]
        fn any_numbers_are_survived(a: u64, b: u64, c: i64) {
            for disk in parse_df(&format!("/dev/a {a} {b} {c} 1% /a b"), "", "") {
                proptest::prop_assert!((0.0..=100.0).contains(&disk.used_pct), "{disk:?}");
            }
        }
    }
}
