//! Logs whose head names their columns, asked far behind it: a row has its fields and its level on
//! every road.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::binary::logtrail;
use crate::support::inventory::{Inventory, write_log_here};
use crate::support::sshd::Sshd;

/// So many rows that the last of them are far from the head.
const ROWS: usize = 3000;

/// Rows of W3C's format with columns that nobody could guess; every tenth request fails.
fn rows() -> String {
    let mut log =
        "#Version: 1.0\n#Fields: date time c-ip sc-status cs-method cs-uri-stem\n".to_owned();
    for row in 0..ROWS {
        let status = if row % 10 == 7 { 503 } else { 200 };
        let (minute, second) = (row / 60, row % 60);
        log += &format!(
            "2026-11-20 13:{minute:02}:{second:02} 192.0.2.{} {status} GET /cart/{row}\n",
            row % 250
        );
    }
    log
}

/// The objects of a type that a command printed.
fn objects(inventory: &Path, args: &[&str], kind: &str) -> Vec<Value> {
    let output = logtrail(inventory, args).output().expect("run it");
    let printed = String::from_utf8(output.stdout).expect("text");
    let all = printed
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("an object"));
    all.filter(|object| object["type"] == kind).collect()
}

fn assert_rows_are_found(inventory: &Path) {
    let found = objects(
        inventory,
        &["search", "status>=400", "--json", "--limit", "1000"],
        "hit",
    );
    assert_eq!(found.len(), ROWS / 10);
    let last = found.last().expect("a row");
    assert_eq!(last["level"], "error", "{last}");
    assert_eq!(last["fields"]["sc-status"], 503, "{last}");
    let errors = objects(
        inventory,
        &["search", "level>=error", "--json", "--limit", "1000"],
        "hit",
    );
    assert_eq!(errors.len(), ROWS / 10);
    let buckets = objects(
        inventory,
        &["histogram", "status>=400", "--bucket", "1h", "--json"],
        "bucket",
    );
    let counted = |bucket: &Value| bucket["levels"]["error"].as_u64();
    let counted: u64 = buckets.iter().filter_map(counted).sum();
    assert_eq!(counted, ROWS as u64 / 10, "{buckets:?}");
}

#[test]
fn rows_far_behind_their_head_have_a_status_here() {
    let folder = tempfile::tempdir().expect("a folder");
    let log: PathBuf = folder.path().join("access.log");
    std::fs::write(&log, rows()).expect("write a log");
    assert_rows_are_found(&write_log_here(folder.path(), &log));
}

#[test]
fn rows_far_behind_their_head_have_a_status_over_a_real_connection() {
    let sshd = Sshd::start();
    let log = sshd.path("access.log");
    std::fs::write(&log, rows()).expect("write a log");
    let inventory = Inventory::default().following("web-1", &sshd, &log);
    assert_rows_are_found(&inventory.write(&sshd.path("")));
}
