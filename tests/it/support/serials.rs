//! Every numbered line of a `Writer` is told once: what of them was told, and what is missing.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::fleet::Watched;
use super::run;
use super::writer::{Writer, serial};

/// The lines of one host as text.
pub(crate) fn lines_of(watched: &Watched, host: u32) -> Vec<String> {
    let records = watched
        .records
        .iter()
        .filter(|record| record.host.0 == host);
    records
        .map(|record| String::from_utf8_lossy(&record.content.raw).into_owned())
        .collect()
}

/// Whether the last line of a host has this serial number.
pub(crate) fn has_reached(watched: &Watched, host: u32, number: u64) -> bool {
    let last = watched
        .records
        .iter()
        .rev()
        .find(|record| record.host.0 == host);
    last.is_some_and(|record| serial(&String::from_utf8_lossy(&record.content.raw)) == number)
}

/// Stops the writer of the first host and waits for its last line. Returns how many it has written.
pub(crate) async fn until_last_line(
    watched: &mut Watched,
    writer: &mut Writer,
    patience: Duration,
) -> u64 {
    let written = writer.stop();
    let is_last = |w: &Watched| has_reached(w, 0, written - 1);
    watched
        .until_within(patience, "the last line", is_last)
        .await;
    written
}

/// Stops the writer of the first host: each of its lines is told once, and none is missing.
pub(crate) async fn assert_complete(
    watched: &mut Watched,
    writer: &mut Writer,
    patience: Duration,
) {
    let written = until_last_line(watched, writer, patience).await;
    assert_all_once(watched, 0, written);
    assert_eq!(watched.gaps, []);
}

/// From the first that was told on, every line of a host is told once and in order.
pub(crate) fn assert_all_once(watched: &Watched, host: u32, written: u64) {
    let serials: Vec<u64> = lines_of(watched, host)
        .iter()
        .map(|line| serial(line))
        .collect();
    let expected: Vec<u64> = (serials[0]..written).collect();
    let breaks: Vec<_> = serials
        .windows(2)
        .filter(|pair| pair[1] != pair[0] + 1)
        .collect();
    assert!(
        serials == expected,
        "host {host}: {} of {} lines; breaks {breaks:?}; gaps {:?}",
        serials.len(),
        expected.len(),
        watched.gaps
    );
}

/// The same for a log that logrotate rotates. Where it finds a file under the name that it is about
/// to create, it renames that to `app.log-YYYYMMDDHH.backup`, over the one of the same hour: what
/// was in that is destroyed, and nobody's fault.
pub(crate) fn assert_all_on_disk_once(watched: &Watched, folder: &Path, written: u64) {
    // Lines that a writer adds to a generation after it was renamed are told when they are found.
    let mut serials: Vec<u64> = lines_of(watched, 0)
        .iter()
        .map(|line| serial(line))
        .collect();
    serials.sort_unstable();
    let files: Vec<PathBuf> = fs::read_dir(folder)
        .expect("a folder")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    assert!(
        serials.windows(2).all(|pair| pair[0] < pair[1]),
        "told twice"
    );
    let is_backed_up = files
        .iter()
        .any(|file| file.extension().is_some_and(|ending| ending == "backup"));
    let mut untold: BTreeSet<u64> = (serials[0]..written).collect();
    untold.retain(|number| serials.binary_search(number).is_err());
    assert!(
        untold.is_empty() || is_backed_up,
        "untold: {untold:?}; {:?}",
        watched.gaps
    );
    for file in files.iter().filter(|file| {
        file.file_name()
            .is_some_and(|name| name.to_string_lossy().contains("app.log"))
    }) {
        let packed = file.extension().is_some_and(|ending| ending == "gz");
        let text = if packed {
            run(Command::new("gzip").arg("-dc").arg(file))
        } else {
            fs::read_to_string(file).expect("text")
        };
        let missed: Vec<u64> = text
            .lines()
            .map(serial)
            .filter(|number| untold.contains(number))
            .collect();
        let (first, last) = (missed.first(), missed.last());
        assert!(
            missed.is_empty(),
            "{} lines of {file:?} are untold: {first:?} to {last:?}; {:?}",
            missed.len(),
            watched.gaps
        );
    }
}
