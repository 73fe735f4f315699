//! Records of the journal as lines.
//!
//! What a record has is put into a line of syslog's form, `<PRI>TIME HOST IDENT[PID]: MESSAGE`, so
//! that all that is made of lines (levels, filters, copies) works on it. The journal's own cursor
//! is kept for going on after a lost connection.

use std::ops::Range;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;

use crate::host::problems::Problem;
use crate::model::time::Time;

/// The problem of a journal that the login may not see.
const DENIED: &str = "permission denied";

/// What journalctl complains of, given its exit status and what it said.
pub(super) fn explained(code: i32, said: &[String]) -> Option<Problem> {
    if code == 127 {
        return Some(Problem::plain(
            "there is no journalctl on this host; name its logs as sources",
        ));
    }
    if said.iter().any(|line| {
        line.contains("insufficient permissions") || line.contains("not seeing messages")
    }) {
        return Some(Problem::new(
            DENIED,
            "let {user} see it: usermod -aG systemd-journal {user}",
        ));
    }
    // "-- No entries --", "-- Journal begins at …": what it says where all is well.
    match said
        .iter()
        .map(|line| line.trim())
        .find(|line| !line.is_empty() && !line.starts_with("-- "))
    {
        Some(line) => Some(Problem::plain(line)),
        None if code != 0 => Some(Problem::plain(&format!(
            "journalctl ended with status {code}"
        ))),
        None => None,
    }
}

/// A record as `journalctl --output=json` prints it; see systemd.journal-fields(7).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct JournalEntry {
    #[serde(rename = "__CURSOR")]
    pub(super) cursor: Option<String>,
    #[serde(rename = "__REALTIME_TIMESTAMP")]
    realtime: Value,
    #[serde(rename = "PRIORITY")]
    priority: Value,
    #[serde(rename = "SYSLOG_FACILITY")]
    facility: Value,
    #[serde(rename = "_HOSTNAME")]
    hostname: Value,
    #[serde(rename = "SYSLOG_IDENTIFIER")]
    identifier: Value,
    #[serde(rename = "_COMM")]
    command: Value,
    #[serde(rename = "SYSLOG_PID")]
    syslog_pid: Value,
    #[serde(rename = "_PID")]
    pid: Value,
    #[serde(rename = "MESSAGE")]
    message: Value,
}

impl JournalEntry {
    /// Reads a record; what is none is shown as it is, for it is all that there is.
    pub(super) fn read(json: &[u8]) -> Option<Self> {
        match serde_json::from_slice(json) {
            Ok(entry) => Some(entry),
            Err(_) if json.iter().all(u8::is_ascii_whitespace) => None,
            Err(_) => Some(Self {
                message: Value::String(String::from_utf8_lossy(json).into_owned()),
                ..Self::default()
            }),
        }
    }

    pub(super) fn time(&self) -> Option<Time> {
        let micros: i64 = text(&self.realtime)?.parse().ok()?;
        Some(Time(micros.checked_mul(1000)?))
    }

    /// One line for each line of the message.
    pub(super) fn lines(&self, time: Time) -> Vec<Bytes> {
        let message = bytes(&self.message);
        let mut parts = message.split(|&byte| byte == b'\n');
        let mut first = self.head(time).into_bytes();
        first.extend_from_slice(parts.next().unwrap_or_default());
        let rest = parts.filter(|part| !part.is_empty());
        let indented = rest.map(|part| Bytes::from([b"    ".as_slice(), part].concat()));
        std::iter::once(Bytes::from(first))
            .chain(indented)
            .collect()
    }

    fn head(&self, time: Time) -> String {
        let priority = text(&self.priority)
            .and_then(|word| word.parse::<u32>().ok())
            .filter(|&priority| priority < 8);
        let facility = text(&self.facility)
            .and_then(|word| word.parse::<u32>().ok())
            .filter(|&number| number < 24);
        let stamp = time.to_timestamp();
        let host = text(&self.hostname).unwrap_or_else(|| "-".to_owned());
        let ident = text(&self.identifier)
            .or_else(|| text(&self.command))
            .unwrap_or_else(|| "unknown".to_owned());
        let pid = text(&self.syslog_pid)
            .or_else(|| text(&self.pid))
            .map_or_else(String::new, |pid| format!("[{pid}]"));
        let pri = priority.map_or_else(String::new, |priority| {
            format!("<{}>", facility.unwrap_or(3) * 8 + priority)
        });
        format!("{pri}{stamp:.6} {host} {ident}{pid}: ")
    }
}

/// Where the stamp of a head stands.
pub(super) fn stamp(line: &[u8]) -> Option<Range<usize>> {
    let start = if line.first() == Some(&b'<') {
        memchr::memchr(b'>', line)? + 1
    } else {
        0
    };
    Some(start..start + memchr::memchr(b' ', &line[start..])?)
}

/// A field as text; one that was given several times is an array, of which the first is meant.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(values) => values.first().and_then(text),
        _ => None,
    }
}

/// A message: text, or an array of bytes where it is not UTF-8.
fn bytes(value: &Value) -> Vec<u8> {
    match value {
        Value::String(text) => text.clone().into_bytes(),
        Value::Array(values) => values
            .iter()
            .filter_map(|value| value.as_u64().and_then(|byte| u8::try_from(byte).ok()))
            .collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_journalctl_complains_of_is_explained() {
        let gone = "there is no journalctl on this host; name its logs as sources";
        for (code, said, expect) in [
            (
                1,
                "No journal files were opened due to insufficient permissions.",
                Some(DENIED),
            ),
            (
                0,
                "Hint: You are currently not seeing messages from other users and the system.",
                Some(DENIED),
            ),
            (127, "sh: 1: journalctl: not found", Some(gone)),
            (
                1,
                "\nNo journal files were found.\nmore",
                Some("No journal files were found."),
            ),
            (0, "-- No entries --", None),
            (2, "", Some("journalctl ended with status 2")),
        ] {
            let said: Vec<String> = said.lines().map(str::to_owned).collect();
            assert_eq!(
                explained(code, &said).map(|problem| problem.reason),
                expect.map(str::to_owned),
                "{said:?}"
            );
        }
    }
}
