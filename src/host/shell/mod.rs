//! The driver for hosts on which there is nothing but a POSIX shell: one long-lived shell per
//! connection follows all files and samples the metrics. The script is constant; what a user typed
//! reaches it only as data on standard input.

pub mod codec;
mod describe;
mod files;
pub mod frame;
mod limits;
mod script;
mod session;
mod streams;
mod suspects;

pub use files::ShellFiles;
pub use session::{run, run_as_root};
pub(crate) use streams::note;
pub use streams::{Problems, Streams, Talk, Trouble, history};

use std::sync::LazyLock;

use rand::RngExt;

use crate::metrics::{DISK_FS, PROC_FILES};
use crate::model::host::Facts;
use crate::model::time::Time;

const STATS: &str = include_str!("stats.sh");
const BARRED: &str = include_str!("barred.sh");
const BATCH: &str = include_str!("batch.sh");

/// The scripts as they are sent: without comments and empty lines, and with the lists of the model
/// filled in.
static FOLLOW: LazyLock<String> = LazyLock::new(|| {
    let ours = [
        STATS,
        BATCH,
        BARRED,
        include_str!("describe.sh"),
        include_str!("follow.sh"),
    ];
    script(&ours)
        .replace("@PROC_FILES@", &sampled_files())
        .replace("@DISK_FS@", &DISK_FS.join("|"))
});

static STREAMS: LazyLock<String> = LazyLock::new(|| {
    script(&[
        include_str!("describe.sh"),
        include_str!("streams/streams.sh"),
    ])
});

static FILES: LazyLock<String> = LazyLock::new(|| {
    script(&[
        STATS,
        BATCH,
        BARRED,
        include_str!("describe.sh"),
        include_str!("files.sh"),
    ])
    .replace("@SEEK@", &strip(&[include_str!("files/seek.awk")]))
});

/// Mounts are read with the usage of disks, more seldom.
fn sampled_files() -> String {
    let files: Vec<&str> = PROC_FILES
        .iter()
        .copied()
        .filter(|file| *file != "/proc/self/mounts")
        .collect();
    files.join(" ")
}

/// 128 random bits in hexadecimal, by which a shell marks its answers.
fn new_token() -> String {
    format!("{:032x}", rand::rng().random::<u128>())
}

static LAUNCH: LazyLock<String> = LazyLock::new(|| strip(&[include_str!("launch.sh")]));

/// What a shell is sent to start a script: the text between single quotes, for it is run by another
/// shell.
fn launch(token: &str, script: &str) -> String {
    format!(
        "T={token}\nbody='{}'\n{}",
        script.replace('\'', r"'\''"),
        *LAUNCH
    )
}

/// What every script begins and ends with is put around its own parts.
fn script(parts: &[&str]) -> String {
    strip(
        &[
            &[include_str!("prelude.sh")],
            parts,
            &[include_str!("epilogue.sh")],
        ]
        .concat(),
    )
}

/// What a description of this machine, whose clock is ours, says.
pub(super) fn described(text: &[u8], at: Time) -> Facts {
    describe::parse(text, at, at).facts
}

fn strip(parts: &[&str]) -> String {
    let lines = parts.iter().flat_map(|part| part.lines());
    let kept = lines.filter(|line| !line.trim_start().starts_with('#') && !line.trim().is_empty());
    kept.flat_map(|line| [line, "\n"]).collect()
}

#[cfg(test)]
mod tests;
