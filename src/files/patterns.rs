//! Patterns over paths: what a host is asked for on behalf of a source, and how far it looks.
//! Matching itself is done by the shell of the host, or by `engine`.

use super::rotation::{name_start, parts};
use super::series::LogSeries;

/// How many folders deep `**` looks, and through how many folders in all.
pub const DEEPEST: usize = 8;
/// See [`DEEPEST`].
pub const MOST_FOLDERS: usize = 2000;

/// The part of a path that stands for any number of folders.
pub const ANY_DEPTH: &[u8] = b"**/";

/// Folders in which rotated files are kept, by how their names begin.
const ARCHIVE_FOLDERS: [&[u8]; 4] = [b"archive", b"backup", b"rotate", b"olddir"];

/// A pattern of the shell that matches all of these, and a few others.
const ARCHIVE_FOLDER_PATTERN: &[u8] = b"[oabr][lrao][dct]*/";

/// A path as a pattern that matches it alone.
#[must_use]
pub fn quoted(path: &[u8]) -> Vec<u8> {
    let quote = |byte: &u8| {
        let special = b"*?[\\".contains(byte).then_some(b'\\');
        special.into_iter().chain([*byte])
    };
    path.iter().flat_map(quote).collect()
}

/// Whether a folder of this name is one for rotated files.
#[must_use]
pub fn is_archive_folder(name: &[u8]) -> bool {
    name == b"old" || ARCHIVE_FOLDERS.iter().any(|begin| name.starts_with(begin))
}

/// The name of the folder in which a file is.
#[must_use]
pub fn folder_name(file: &[u8]) -> &[u8] {
    let folder = &file[..name_start(file).saturating_sub(1)];
    &folder[name_start(folder)..]
}

/// What matches all files of a series, and others that begin and end as they do.
#[must_use]
pub fn series_pattern(series: &LogSeries) -> Vec<u8> {
    let (before, behind) = series.around();
    [&quoted(before)[..], b"*", &quoted(behind)].concat()
}

/// What matches the rotated files of a log that lie in another folder: the one that was configured
/// (`archive`), or one beside the log that is called like one for such files. `is_pattern` where
/// the path of the log is a pattern.
#[must_use]
pub fn archive_pattern(log: &[u8], is_pattern: bool, archive: Option<&str>) -> Vec<u8> {
    let (folder, name) = log.split_at(name_start(log));
    let plain = |text: &[u8]| match is_pattern {
        true => text.to_vec(),
        false => quoted(text),
    };
    let folder = match archive {
        None => [&plain(folder)[..], ARCHIVE_FOLDER_PATTERN].concat(),
        Some(archive) if archive.starts_with('/') => {
            [&quoted(archive.as_bytes())[..], b"/"].concat()
        }
        Some(archive) => [&plain(folder)[..], &quoted(archive.as_bytes()), b"/"].concat(),
    };
    let stem = match is_pattern {
        true => name.to_vec(),
        false => quoted(parts(name).0),
    };
    [&folder[..], &stem, b"*"].concat()
}

/// The names beside a log under which its generations may lie, as a pattern; there are others among
/// them.
#[must_use]
pub fn sibling_pattern(log: &[u8]) -> Vec<u8> {
    let (folder, name) = log.split_at(name_start(log));
    let (stem, extension) = parts(name);
    let names = match (name, extension) {
        (b"current", _) => b"@4*".to_vec(),
        (_, b"") => [&quoted(name)[..], b"*"].concat(),
        _ => [&quoted(stem)[..], b"[-._]*"].concat(),
    };
    [&quoted(folder)[..], &names].concat()
}

/// Whether a file that is none of a log's seems to belong to it all the same; the path of a log
/// with the date in its names has a star for that.
#[must_use]
pub fn lies_beside(log: &[u8], file: &[u8]) -> bool {
    let Some(star) = memchr::memchr(b'*', log) else {
        return begins_alike(log, file);
    };
    let prefix = &log[..star];
    let is_named = name_start(prefix) < prefix.len();
    is_named
        && file
            .strip_prefix(prefix)
            .is_some_and(|rest| memchr::memmem::find(rest, &log[star + 1..]).is_some())
}

/// Whether the name of a file begins like that of a log and seems to belong to it: the name of the
/// log with something behind it, or with something before its extension.
fn begins_alike(log: &[u8], file: &[u8]) -> bool {
    let (stem, extension) = parts(log);
    let Some(added) = file.strip_prefix(stem) else {
        return false;
    };
    added.first().is_some_and(super::rotation::separates)
        && (extension.is_empty() || memchr::memmem::find(added, extension).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn rotated_files_are_looked_for_in_folders_that_are_made_for_them() {
        for (log, is_pattern, archive, expected) in [
            ("/l/app.log", false, None, "/l/[oabr][lrao][dct]*/app*"),
            ("/l/a*.log", true, None, "/l/[oabr][lrao][dct]*/a*.log*"),
            ("/l/app.log", false, Some("/var/old"), "/var/old/app*"),
            ("/l/app.log", false, Some("x*"), "/l/x\\*/app*"),
            ("/l/a[1].log", false, None, "/l/[oabr][lrao][dct]*/a\\[1]*"),
        ] {
            let pattern = archive_pattern(log.as_bytes(), is_pattern, archive);
            assert_eq!(text(pattern), expected, "{log}");
        }
        for name in [
            "old",
            "olddir",
            "archive",
            "archived",
            "archive-2026",
            "backups",
            "rotated",
        ] {
            assert!(is_archive_folder(name.as_bytes()), "{name}");
        }
        for name in ["older", "oldham", "web", "arc", "log"] {
            assert!(!is_archive_folder(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn names_beside_a_log_are_matched_by_what_comes_before_its_extension() {
        assert_eq!(text(sibling_pattern(b"/l/app.log")), "/l/app[-._]*");
        assert_eq!(text(sibling_pattern(b"/l/syslog")), "/l/syslog*");
        assert_eq!(text(sibling_pattern(b"/sv/current")), "/sv/@4*");
        for (file, is_alike) in [
            ("/l/app.log-import.csv", true),
            ("/l/app-worker.log", true),
            ("/l/app.log.tmp", true),
            ("/l/app.pid", false),
            ("/l/apple.log", false),
            ("/l/web.log", false),
        ] {
            assert_eq!(
                lies_beside(b"/l/app.log", file.as_bytes()),
                is_alike,
                "{file}"
            );
        }
        assert!(lies_beside(b"/l/app-*.log", b"/l/app-error.log"));
        assert!(!lies_beside(b"/l/app-*.log", b"/l/web.log"));
        assert!(!lies_beside(b"/l/*.log", b"/l/web.log"));
    }
}
