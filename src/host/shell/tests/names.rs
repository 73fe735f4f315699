//! What the scripts take names of files for is what `files::rotation` and the table of compressions
//! say.

use std::collections::HashSet;
use std::path::Path;
use std::process::Command;

use super::{FILES, FOLLOW, Talk};
use crate::files::log_names::is_rotated;
use crate::files::rotation::belongs;
use crate::host::shell::protocol::escape;
use crate::model::log_file::{Compression, archive_endings};

/// Names that may be taken for something else.
const NAMES: [&str; 22] = [
    "app.log",
    "app.log.1",
    "app.log-2",
    "app.log_3.gz",
    "app.log.4.bz2",
    "app.log.5.xz",
    "app.log.6.zst",
    "app.log.7.lz4",
    "app.log.8.Z",
    "app.log-20261120",
    "app.log.2026-11-20.3",
    "app.log-20261120130000.backup",
    "app.log.old",
    "app.log.1x",
    "app.log2",
    "app.logger",
    "app-20261120.log",
    "app.1.log",
    "web-2.log",
    "web.log",
    "other.log.gz",
    "x.1",
];

fn folder_of_names() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for name in NAMES {
        std::fs::write(folder.path().join(name), "x\n").expect("write");
    }
    folder
}

fn path_of(folder: &Path, name: &str) -> String {
    format!("{}/{name}", folder.display())
}

fn shell() -> Command {
    let mut command = Command::new("sh");
    command.arg("-s");
    command
}

#[test]
fn both_scripts_unpack_what_the_table_has_and_nothing_else() {
    let count = Compression::all().count();
    for compression in Compression::all() {
        let program = compression.as_str();
        let by_name = format!("*{}) {program} -dc", compression.ending());
        assert!(FOLLOW.contains(&by_name), "follow.sh lacks {by_name}");
        let by_program = format!("{program}) {program} -dc");
        assert!(FILES.contains(&by_program), "files.sh lacks {by_program}");
    }
    for script in [&*FOLLOW, &*FILES] {
        assert_eq!(script.matches(" -dc").count(), count, "{script}");
    }
}

#[test]
fn a_pattern_is_expanded_to_the_logs_that_are_no_rotated_files() {
    let folder = folder_of_names();
    let pattern = escape(path_of(folder.path(), "*").as_bytes());
    let mut talk = Talk::start(&mut shell());
    let all: Vec<String> = NAMES
        .iter()
        .map(|name| path_of(folder.path(), name))
        .collect();
    let known: HashSet<&[u8]> = all.iter().map(String::as_bytes).collect();
    let logs = all
        .iter()
        .filter(|path| !is_rotated(path.as_bytes(), &known));
    let logs: HashSet<&str> = logs.map(String::as_str).collect();
    let is_plain_archive = |path: &&str| archive_endings().any(|ending| path.ends_with(ending));
    let answer = talk.ask(&format!("expand 0 {pattern}")).concat();
    let (header, files) = answer.split_once(" /").expect("files");
    let files = format!("/{files}");
    let found = files.split('\0').filter(|path| !path.is_empty());
    let found: HashSet<&str> = found.collect();
    assert_eq!(header, format!("expanded 0 {} 1 0", found.len()));
    // The script leaves out what is plain; the console knows more of names.
    assert!(
        found.is_superset(&logs),
        "{found:?} without some of {logs:?}"
    );
    assert!(!found.iter().any(is_plain_archive), "{found:?}");
    assert!(
        !found.contains(&path_of(folder.path(), "app.log.1")[..]),
        "{found:?}"
    );
}

#[test]
fn beside_a_log_the_generations_with_its_name_and_numbers_are_listed() {
    let folder = folder_of_names();
    let live = path_of(folder.path(), "app.log");
    let mut talk = Talk::start(&mut shell());
    talk.watch(1, Path::new(&live));
    let answer = talk.ask("list 1").concat();
    let listed: HashSet<&str> = answer
        .lines()
        .filter_map(|line| Some(line.rsplit_once(' ')?.1))
        .collect();
    let generations = NAMES
        .iter()
        .copied()
        .filter(|name| belongs(b"app.log", name.as_bytes()));
    let generations: HashSet<&str> = generations.collect();
    assert!(listed.is_superset(&generations), "{answer}");
    assert!(!listed.contains("web.log"), "{answer}");
}
