//! What is copied from a line of a real log finds that line.

use std::path::Path;

use super::{now, subject};
use crate::query::Query;

/// The lines of the logs below a folder that are text, as a terminal shows them.
fn lines() -> Vec<(String, String)> {
    let root = match std::env::var_os("LOGTRAIL_COPIED") {
        Some(folder) => folder.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/logs"),
    };
    let mut lines = Vec::new();
    for kind in std::fs::read_dir(root).expect("a folder").flatten() {
        let Ok(bytes) = std::fs::read(kind.path().join("log")) else {
            continue;
        };
        let kind = kind.file_name().to_string_lossy().into_owned();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let own = text.lines().filter(|line| !line.trim().is_empty());
        lines.extend(own.map(|line| (kind.clone(), line.to_owned())));
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
        // All words alone, all pairs, and longer parts at distances that cover the line.
        let mut parts = vec![line.clone()];
        for length in [1, 2, 3, 5, 9, 17] {
            let step = if length < 3 { 1 } else { length };
            parts.extend(words.windows(length).step_by(step).map(|part| part.join(" ")));
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
    assert!(failed.is_empty(), "{}", failed[..failed.len().min(60)].join("\n"));
}
