//! What is copied from a line of a real log finds that line.

use std::path::Path;

use super::{now, subject};
use crate::query::Query;

/// About so many parts of a line are tried of each length.
const MOST_PARTS: usize = 6;

/// Lines of a kind of log that are tried; all where a folder is named.
const LINES: usize = 8;

/// Lines of the logs below a folder (`LOGTRAIL_COPIED` names another one) as a terminal shows them.
fn lines() -> Vec<(String, String)> {
    let root = match std::env::var_os("LOGTRAIL_COPIED") {
        Some(folder) => folder.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/logs"),
    };
    let is_all = std::env::var_os("LOGTRAIL_COPIED").is_some();
    let mut lines = Vec::new();
    for kind in std::fs::read_dir(root).expect("a folder").flatten() {
        let Ok(bytes) = std::fs::read(kind.path().join("log")) else {
            continue;
        };
        let kind = kind.file_name().to_string_lossy().into_owned();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let own: Vec<&str> = text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .collect();
        let step = if is_all { 1 } else { own.len() / LINES + 1 };
        lines.extend(
            own.into_iter()
                .step_by(step)
                .map(|line| (kind.clone(), line.to_owned())),
        );
    }
    assert!(lines.len() > 100);
    lines
}

/// Why a text that was copied from a line does not find it.
fn lost(copied: &str, line: &str) -> Option<String> {
    let query = match Query::parse(copied, &now()) {
        Ok(query) => query,
        Err(error) => return Some(error.to_string()),
    };
    if !query.matches(&subject(line.as_bytes())) {
        return Some(format!("was read as {query}"));
    }
    let found: Vec<_> = query.find_lines(line.as_bytes(), subject).collect();
    (found.is_empty()).then(|| format!("is not in the buffer: {query}"))
}

#[test]
fn a_line_copied_whole_or_in_part_finds_itself() {
    let mut tried = 0;
    let mut failed = Vec::new();
    for (kind, line) in lines() {
        let words: Vec<&str> = line.split(' ').collect();
        // Parts of all lengths, at distances that cover the line.
        let mut parts = vec![line.clone()];
        for length in [1, 2, 3, 5, 9, 17] {
            let step = length.max(words.len() / MOST_PARTS);
            parts.extend(
                words
                    .windows(length)
                    .step_by(step)
                    .map(|part| part.join(" ")),
            );
        }
        parts.sort_unstable();
        parts.dedup();
        for part in parts.into_iter().filter(|part| !part.trim().is_empty()) {
            tried += 1;
            if let Some(why) = lost(&part, &line) {
                failed.push(format!("{kind}: {part:.200}\n    {why:.200}"));
            }
        }
    }
    eprintln!("{} of {tried} parts are lost", failed.len());
    assert!(
        failed.is_empty(),
        "{}",
        failed[..failed.len().min(60)].join("\n")
    );
}
