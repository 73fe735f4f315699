//! Files that tests write: logs, scripts, archives.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Adds to a log, which may begin with that.
pub(crate) fn append(file: &Path, text: &str) {
    let mut file = fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(file)
        .expect("a log");
    file.write_all(text.as_bytes()).expect("written");
}

/// Writes a script that may be run.
pub(crate) fn executable(file: &Path, text: &str) {
    fs::write(file, text).expect("written");
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).expect("chmod");
}

/// Compresses as the program of this name does.
pub(crate) fn compressed(program: &str, text: &[u8]) -> Vec<u8> {
    let mut command = Command::new(program);
    let child = command
        .arg("-c")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut child = child
        .unwrap_or_else(|error| panic!("{program}: {error}; tests/run installs what is needed"));
    let (mut input, text) = (child.stdin.take().expect("piped"), text.to_vec());
    let writer = std::thread::spawn(move || input.write_all(&text));
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("no panic").expect("written");
    output.stdout
}
