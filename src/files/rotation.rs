//! What the name of a file says of its place among the generations of a log. The scripts of the
//! shell driver have [`SEPARATORS`] and [`BACKUP`] in their patterns.

use crate::model::log_file::Compression;

use super::name_age::{NameAge, of_added, of_tai_label};
pub(crate) use super::rotation_index::separates;
pub use super::rotation_index::{RotationIndex, SEPARATORS};

/// The ending of a file that logrotate finds under a name that it is about to give to another one.
pub const BACKUP: &str = ".backup";

/// The live file of `multilog`, `svlogd` and `s6-log`, whose generations have names of their own.
const SUPERVISED: &[u8] = b"current";

impl RotationIndex {
    /// Which generation of the log `live` the file `candidate` is; `None` where by its name it is
    /// none.
    ///
    /// For `/l/app.log`: `/l/app.log` itself; what has a number, a date or a word like `old` behind
    /// it (`/l/app.log.1`, `/l/app.log-20261120`, `/l/app.log.old`); a date before its extension
    /// (`/l/app-2026-11-20T13-00-00.459.log`), or after a dot a number or word too (`/l/app.1.log`;
    /// `/l/app-1.log` may well be a log of its own), and then perhaps a number behind it
    /// (`/l/app-20261120.log.1`). All of them compressed or not, and as logrotate puts them out of
    /// its way (`.backup`). For `/l/current` the files that a supervisor keeps.
    #[must_use]
    pub fn of(live: &[u8], candidate: &[u8]) -> Option<Self> {
        let name = without_endings(candidate);
        if candidate == live || name == live {
            return Some(Self::Live);
        }
        match name.strip_prefix(live) {
            Some(added) => of_added(added).map(|age| age.index),
            None => Self::before_extension(live, name).or_else(|| Self::supervised(live, name)),
        }
    }

    fn before_extension(live: &[u8], name: &[u8]) -> Option<Self> {
        let (stem, extension) = parts(live);
        let added = name.strip_prefix(stem).filter(|_| !extension.is_empty())?;
        if let Some(age) = added.strip_suffix(extension).and_then(of_added) {
            return (added[0] == b'.' || age.has_date).then_some(age.index);
        }
        let at = memchr::memmem::rfind(added, extension)?;
        let (inner, outer) = (&added[..at], &added[at + extension.len()..]);
        let is_rotated_again = of_added(outer).is_some_and(|age| !age.has_date);
        let dated = of_added(inner).filter(|age| is_rotated_again && age.has_date);
        dated.map(|NameAge { index, .. }| index)
    }

    fn supervised(live: &[u8], name: &[u8]) -> Option<Self> {
        let (folder, file) = live.split_at(name_start(live));
        let label = name.strip_prefix(folder).filter(|_| file == SUPERVISED)?;
        of_tai_label(label)
    }
}

/// Whether a file is by its name a generation of this log, or the log itself.
#[must_use]
pub fn belongs(live: &[u8], candidate: &[u8]) -> bool {
    RotationIndex::of(live, candidate).is_some()
}

/// A path or pattern up to its extension, and that; the name of a hidden file is no extension.
#[must_use]
pub fn parts(path: &[u8]) -> (&[u8], &[u8]) {
    let start = name_start(path);
    let dot = memchr::memrchr(b'.', &path[start..]).filter(|&dot| dot > 0);
    path.split_at(dot.map_or(path.len(), |dot| start + dot))
}

/// The log whose supervisor has kept this file, if one has.
pub(super) fn supervised_log(file: &[u8]) -> Option<Vec<u8>> {
    let (folder, name) = without_endings(file).split_at(name_start(file));
    of_tai_label(name).map(|_| [folder, SUPERVISED].concat())
}

/// Where the name of a file begins in its path.
pub(crate) fn name_start(path: &[u8]) -> usize {
    memchr::memrchr(b'/', path).map_or(0, |slash| slash + 1)
}

/// A name without the endings of a compressed file and of one that is out of logrotate's way.
pub(crate) fn without_endings(name: &[u8]) -> &[u8] {
    let name = without_backup(name);
    without_backup(Compression::of_name(name).stripped(name))
}

fn without_backup(name: &[u8]) -> &[u8] {
    name.strip_suffix(BACKUP.as_bytes()).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;

    use super::*;

    #[test]
    fn generations_are_known_by_their_names_and_other_logs_are_not() {
        let of = |name: &str| RotationIndex::of(b"/l/app.log", name.as_bytes());
        let (dated, numbered) = (RotationIndex::Dated, |n| {
            RotationIndex::Numbered(Reverse(n))
        });
        for (name, generation) in [
            ("/l/app.log", RotationIndex::Live),
            ("/l/app.log.gz", RotationIndex::Live),
            ("/l/app.log.1", numbered(1)),
            ("/l/app.log-2", numbered(2)),
            ("/l/app.log.12.gz", numbered(12)),
            ("/l/app.log-20261120", dated(vec![2026, 11, 20])),
            ("/l/app.log-20261120.zst", dated(vec![2026, 11, 20])),
            ("/l/app.log.2026-11-20", dated(vec![2026, 11, 20])),
            ("/l/app.log_2026-11-20.3", dated(vec![2026, 11, 20, 3])),
            ("/l/app.log-2026112013", dated(vec![2026, 11, 20, 13])),
            ("/l/app.log-1795188137", dated(vec![1_795_188_137])),
            (
                "/l/app.log-20261120130000.backup",
                dated(vec![2026, 11, 20, 13, 0, 0]),
            ),
            (
                "/l/app.log-20261120130000.backup.gz",
                dated(vec![2026, 11, 20, 13, 0, 0]),
            ),
            ("/l/app-20261120.log", dated(vec![2026, 11, 20])),
            ("/l/app.2026-11-20.log.xz", dated(vec![2026, 11, 20])),
            ("/l/app.1.log", numbered(1)),
            (
                "/l/app-2022-03-03T11-49-22.459.log",
                dated(vec![2022, 3, 3, 11, 49, 22, 459]),
            ),
            (
                "/l/app-2022-03-03T11-49-22.459.log.1.gz",
                dated(vec![2022, 3, 3, 11, 49, 22, 459]),
            ),
            (
                "/l/app.log.2024-01-15T10:30:00Z",
                dated(vec![2024, 1, 15, 10, 30, 0]),
            ),
            ("/l/app-11-27-2026-1.log.gz", dated(vec![2026, 11, 27, 1])),
            ("/l/app.log.27.11.2026", dated(vec![2026, 11, 27])),
            ("/l/app.log.05.11.2026", dated(vec![2026, 11, 5])),
            ("/l/app.log-27-Nov-2026", dated(vec![2026, 11, 27])),
            ("/l/app.log.2026", dated(vec![2026])),
            ("/l/app-05-11-2026.log", RotationIndex::Undated),
            ("/l/app.log.old", RotationIndex::Undated),
            ("/l/app.log.bak.gz", RotationIndex::Undated),
            ("/l/app.old.log", RotationIndex::Undated),
            ("/l/app.log.001", RotationIndex::Undated),
            ("/l/app.log.Sat", RotationIndex::Undated),
            ("/l/app.1.log.bz2", numbered(1)),
        ] {
            assert_eq!(of(name), Some(generation), "{name}");
        }
        for name in [
            "/l/app-1.log",
            "/l/app2.log",
            "/l/app.log2",
            "/l/app-old.log",
            "/l/app.log-import.csv",
            "/l/app-worker.log",
            "/l/app-worker-20261120.log",
            "/l/app.log.tmp",
            "/l/app.log.1.tmp",
            "/l/app.log:1",
            "/l/app.logT1",
            "/l/app.log.",
            "/l/app.log.1x",
            "/l/app",
            "/l/app.log-.",
            "/l/app.log/1",
            "/k/app.log.1",
            "/l/app.log.gz.1",
            "/l/app..log",
            "",
        ] {
            assert_eq!(of(name), None, "{name}");
        }
        let finished = RotationIndex::of(b"/l/current", b"/l/@400000006734a1b20bebc200.s");
        assert_eq!(
            finished,
            Some(dated(vec![0x4000_0000_6734_a1b2, 200_000_000]))
        );
        assert!(!belongs(b"/l/app.log", b"/l/@400000006734a1b20bebc200.s"));
        // Neither what begins with a dot nor a folder has an extension.
        assert!(
            !belongs(b"/l.d/.log", b"/l.d/-20261120.log")
                && !belongs(b"/l.d/app", b"/l-20261120.d/app")
        );
        assert!(belongs(b"/l/\xff $(x)", b"/l/\xff $(x).7.gz"));
    }

    #[test]
    fn generations_sort_from_the_oldest_to_the_log_itself() {
        let names = [
            "a.log-20261119",
            "a.log.2026-11-20",
            "a.log-20261120.1",
            "a.log-20261120.10",
            "a.log.11.gz",
            "a.log.9",
            "a.log.0",
            "a.log",
        ];
        let mut found: Vec<_> = names
            .iter()
            .map(|name| (RotationIndex::of(b"a.log", name.as_bytes()), *name))
            .collect();
        found.reverse();
        found.sort();
        assert_eq!(
            found.iter().map(|(_, name)| *name).collect::<Vec<_>>(),
            names
        );
    }
}
