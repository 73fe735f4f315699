//! The scripts as they are sent: put together from their parts, without comments, empty lines and
//! indentation, and with the tables of the model filled in. What they answer is left to `script`
//! and the drivers.

use std::sync::LazyLock;

use rand::RngExt;

use crate::files::follow::MARKER;
use crate::files::patterns::{DEEPEST, MOST_FOLDERS};
use crate::files::rotation::SEPARATORS;
use crate::host::sources::MOST_EXPANDED;
use crate::metrics::{DISK_FS, PROC_FILES};
use crate::model::log_file::{Compression, archive_endings};

const STATS: &str = include_str!("stats.sh");
const BARRED: &str = include_str!("barred.sh");
const BATCH: &str = include_str!("batch.sh");
const DEEP: &str = include_str!("deep.sh");
const DESCRIBE: &str = include_str!("describe.sh");

/// Follows files and samples metrics.
pub(crate) static FOLLOW: LazyLock<String> = LazyLock::new(|| {
    script(&[
        STATS,
        BATCH,
        DEEP,
        BARRED,
        DESCRIBE,
        include_str!("follow/follow.sh"),
    ])
});

/// Runs programs that print logs.
pub(crate) static PROGRAMS: LazyLock<String> =
    LazyLock::new(|| script(&[DESCRIBE, include_str!("programs/programs.sh")]));

/// Answers questions about files.
pub(crate) static FILES: LazyLock<String> = LazyLock::new(|| {
    script(&[
        STATS,
        BATCH,
        DEEP,
        BARRED,
        DESCRIBE,
        include_str!("files/files.sh"),
    ])
    .replace("@SEEK@", &strip(&[include_str!("files/seek.awk")]))
});

/// Starts one of them.
pub(crate) static LAUNCH: LazyLock<String> = LazyLock::new(|| strip(&[include_str!("launch.sh")]));

/// 128 random bits in hexadecimal, by which a shell marks its answers.
pub(crate) fn new_token() -> String {
    format!("{:032x}", rand::rng().random::<u128>())
}

/// What a shell is sent to start a script: the text between single quotes, for it is run by another
/// shell.
pub(crate) fn launch(token: &str, script: &str) -> String {
    format!(
        "T={token}\nbody='{}'\n{}",
        script.replace('\'', r"'\''"),
        *LAUNCH
    )
}

/// What every script begins and ends with is put around its own parts.
fn script(parts: &[&str]) -> String {
    let whole = [
        &[include_str!("prelude.sh")],
        parts,
        &[include_str!("epilogue.sh")],
    ]
    .concat();
    fill(strip(&whole))
}

/// Puts the tables of the model where a script names them.
fn fill(script: String) -> String {
    let tables = [
        ("@PROC_FILES@", sampled_files()),
        ("@DISK_FS@", DISK_FS.join("|")),
        (
            "@PACKED@",
            suffixes(Compression::all().map(Compression::ending)),
        ),
        ("@ARCHIVES@", suffixes(archive_endings())),
        ("@SEPARATORS@", SEPARATORS.to_owned()),
        ("@DEEPEST@", DEEPEST.to_string()),
        ("@MOST_FOLDERS@", MOST_FOLDERS.to_string()),
        ("@MARKER@", MARKER.to_string()),
        ("@MOST_EXPANDED@", MOST_EXPANDED.to_string()),
    ];
    tables
        .iter()
        .fold(script, |script, (name, value)| script.replace(name, value))
}

/// A pattern of the shell for names with these endings.
fn suffixes(endings: impl Iterator<Item = &'static str>) -> String {
    let patterns: Vec<String> = endings.map(|ending| format!("*{ending}")).collect();
    patterns.join("|")
}

/// Mounts are read with the usage of disks, more seldom.
fn sampled_files() -> String {
    let files: Vec<&str> = PROC_FILES
        .iter()
        .copied()
        .filter(|file| *file != "/proc/self/mounts")
        .collect();
    files.join(" ")
}

/// No text of ours goes on in another line with blanks that matter.
pub(crate) fn strip(parts: &[&str]) -> String {
    let lines = parts
        .iter()
        .flat_map(|part| part.lines())
        .map(str::trim_start);
    let kept = lines.filter(|line| !line.starts_with('#') && !line.is_empty());
    kept.flat_map(|line| [line, "\n"]).collect()
}
