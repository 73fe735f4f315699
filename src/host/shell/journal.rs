//! The journal of a host as sources: a shell of its own for each unit that is followed, asked for one piece at a time.
//!
//! What a record of the journal has is put into a line of syslog's form, `<PRI>TIME HOST IDENT[PID]: MESSAGE`, so
//! that all that is made of lines (levels, filters, copies) works on it. The journal's own cursor is kept for going on
//! after a lost connection.

use std::collections::BTreeMap;
use std::ops::Range;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::host::{HostEvent, Line, Outbox, Work};
use crate::model::{Cursor, FileId, Joiner, SourceInfo, SourceKind, SourceSpec, Time, TimeFrom};
use crate::transport::backoff::Backoff;
use crate::transport::{Connection, LinkError};

use super::JOURNAL;
use super::codec::escape;
use super::frame::END;
use super::script::{Script, protocol_error};

/// The script ends itself when it is not told to go on for ten minutes.
const LEASE: Duration = Duration::from_secs(120);

/// The longest record that is kept; one that is longer is shown cut.
const MAX_RECORD: usize = 1 << 20;

/// Channels are closed a moment before the connection says why it ended.
const END_TOLD_WITHIN: Duration = Duration::from_secs(1);

/// A `journalctl` that cannot do what it is asked says so sooner.
const SETTLED_AFTER: Duration = Duration::from_secs(3);

/// The problem of a journal that the login may not see.
pub const DENIED: &str = "permission denied";

/// Numbers of journal sources begin here, beyond those of files.
const FIRST_NUMBER: u32 = 1 << 16;

/// Why sources bring nothing, by name: shared with the track, which tells the state of the host.
pub type Problems = Arc<Mutex<BTreeMap<String, String>>>;

/// The journals of one host, across connections.
pub struct Journals {
    followed: Vec<Followed>,
    problems: Problems,
}

struct Followed {
    number: u32,
    name: String,
    unit: Option<String>,
    /// The journal's name of the last record that was told.
    cursor: Option<String>,
    count: u64,
    joiner: Joiner,
    /// What was said of it last: the problem, if any.
    told: Option<Option<String>>,
}

impl Journals {
    /// Those among `sources`.
    #[must_use]
    pub fn new(sources: &[SourceSpec], problems: Problems) -> Self {
        let mut journals = Self { followed: Vec::new(), problems };
        for spec in sources {
            if let SourceKind::Journal(unit) = &spec.kind {
                journals.add(spec.name.clone(), unit.clone());
            }
        }
        journals
    }

    /// Follows the whole journal, where a host has nothing else.
    pub fn add_whole(&mut self) {
        if self.followed.is_empty() {
            self.add("journal".to_owned(), None);
        }
    }

    fn add(&mut self, name: String, unit: Option<String>) {
        let number = FIRST_NUMBER + u32::try_from(self.followed.len()).unwrap_or(0);
        self.followed.push(Followed {
            number,
            name,
            unit,
            cursor: None,
            count: 0,
            joiner: Joiner::default(),
            told: None,
        });
    }

    /// Follows all of them until the connection ends; in a bounded pass until each has given its last lines. A journal
    /// that cannot be read says why and is tried again; it takes nothing else of its host with it.
    pub async fn run(&mut self, connection: &Connection, work: &Work, outbox: &Outbox) {
        let problems = &self.problems;
        let each = self.followed.iter_mut().map(|journal| journal.run(connection, work, outbox, problems));
        join_all(each).await;
    }
}

impl Followed {
    async fn run(&mut self, connection: &Connection, work: &Work, outbox: &Outbox, problems: &Problems) {
        let mut backoff = Backoff::default();
        self.tell(outbox, problems, None).await;
        loop {
            let began = Instant::now();
            let why = match self.follow(connection, work, outbox, problems).await {
                Ok(complaint) if work.once => return self.tell(outbox, problems, complaint).await,
                Ok(complaint) => complaint.unwrap_or_else(|| "journalctl ended on the host".to_owned()),
                Err(error) => {
                    if timeout(END_TOLD_WITHIN, connection.ended()).await.is_ok() {
                        // Not the journal's trouble; whoever holds the connection knows.
                        return std::future::pending().await;
                    }
                    error.to_string()
                }
            };
            self.tell(outbox, problems, Some(why)).await;
            if work.once {
                return;
            }
            backoff.after_connection(began.elapsed());
            sleep(backoff.after_failure(began.elapsed(), rand::random())).await;
        }
    }

    /// Follows it until journalctl ends; what that complained of, if anything.
    async fn follow(
        &mut self,
        connection: &Connection,
        work: &Work,
        outbox: &Outbox,
        problems: &Problems,
    ) -> Result<Option<String>, LinkError> {
        let mut script = Script::start(connection, &JOURNAL).await?;
        script.send(self.request(work)).await?;
        let mut partial = Vec::new();
        let mut lease = Instant::now() + LEASE;
        let complaint = OnceLock::new();
        loop {
            let piece = {
                let coming = std::pin::pin!(next_piece(&mut script, &mut lease, &complaint));
                self.settle(coming, &complaint, outbox, problems).await?
            };
            if piece.is_empty() {
                script.end().await;
                return Ok(complaint.into_inner());
            }
            self.tell(outbox, problems, complaint.get().cloned()).await;
            self.take(&piece, &mut partial, outbox).await;
            outbox.send(HostEvent::ReadTo(Time(i64::MIN), script.take_bytes_read())).await;
        }
    }

    /// Waits for a piece; a journal from which nothing comes is well when it has run for a while.
    async fn settle(
        &mut self,
        mut coming: Pin<&mut impl Future<Output = Result<Bytes, LinkError>>>,
        complaint: &OnceLock<String>,
        outbox: &Outbox,
        problems: &Problems,
    ) -> Result<Bytes, LinkError> {
        if let Ok(piece) = timeout(SETTLED_AFTER, &mut coming).await {
            return piece;
        }
        self.tell(outbox, problems, complaint.get().cloned()).await;
        coming.await
    }

    fn request(&self, work: &Work) -> String {
        let word = |value: Option<&String>| value.map_or_else(|| "-".to_owned(), |value| escape(value.as_bytes()));
        let follow = u8::from(!work.once);
        format!("{} {} {} {follow}\n", word(self.unit.as_ref()), word(self.cursor.as_ref()), work.lines)
    }

    /// Says that it is read or why it is not, where that has changed.
    async fn tell(&mut self, outbox: &Outbox, problems: &Problems, problem: Option<String>) {
        if self.told.as_ref() == Some(&problem) {
            return;
        }
        self.told = Some(problem.clone());
        let path = format!("journal:{}", self.unit.as_deref().unwrap_or("*"));
        {
            let mut problems = problems.lock().unwrap_or_else(PoisonError::into_inner);
            match &problem {
                Some(why) => problems.insert(self.name.clone(), format!("{path}: {why}")),
                None => problems.remove(&self.name),
            };
        }
        let info = SourceInfo { name: self.name.as_str().into(), path: path.into(), problem, stamps: Some("journal") };
        outbox.send(HostEvent::Source(self.number, info)).await;
    }

    /// Takes a piece of output, cut anywhere.
    async fn take(&mut self, piece: &[u8], partial: &mut Vec<u8>, outbox: &Outbox) {
        let mut lines = Vec::new();
        for part in piece.split_inclusive(|&byte| byte == b'\n') {
            let room = MAX_RECORD.saturating_sub(partial.len());
            partial.extend_from_slice(&part[..part.len().min(room)]);
            if part.ends_with(b"\n") {
                self.record(&std::mem::take(partial), &mut lines);
            }
        }
        if !lines.is_empty() {
            outbox.send(HostEvent::Lines(self.number, lines)).await;
        }
    }

    fn record(&mut self, json: &[u8], lines: &mut Vec<Line>) {
        let entry: Entry = match serde_json::from_slice(json) {
            Ok(entry) => entry,
            // Too long, or not of journalctl: shown as it is, for it is all that there is.
            Err(_) if json.iter().all(u8::is_ascii_whitespace) => return,
            Err(_) => Entry { message: Value::String(String::from_utf8_lossy(json).into_owned()), ..Entry::default() },
        };
        let (time, time_from) = match entry.time() {
            Some(time) => (time, TimeFrom::Stamp),
            None => (Time::from_timestamp(Timestamp::now()), TimeFrom::Arrival),
        };
        for (n, raw) in entry.lines(time).into_iter().enumerate() {
            let cursor = Cursor { file: FileId::default(), offset: self.count };
            self.count += 1;
            let time_from = if n == 0 { time_from } else { TimeFrom::Previous };
            let stamp = if n == 0 { stamp(&raw) } else { None };
            let continues = self.joiner.continues(&raw, stamp.clone());
            lines.push(Line { time, time_from, continues, stamp: stamp.into(), cursor, raw });
        }
        self.cursor = entry.cursor.or(self.cursor.take());
    }
}

/// Asks for a piece of output and waits for it, however long that takes. Empty at the end.
async fn next_piece(
    script: &mut Script,
    lease: &mut Instant,
    complaint: &OnceLock<String>,
) -> Result<Bytes, LinkError> {
    script.send("N\n".to_owned()).await?;
    loop {
        tokio::select! {
            frame = script.next() => {
                let frame = frame?;
                if frame.header == "J" {
                    return Ok(frame.body);
                }
                if let Some(code) = frame.header.strip_prefix("W ") {
                    complaint.get_or_init(|| explained(code, &frame.body));
                    continue;
                }
                if frame.header != END && frame.header != "R" {
                    return Err(protocol_error(&super::codec::Nonsense(frame.header)));
                }
            }
            () = sleep_until(*lease) => {
                *lease += LEASE;
                script.send("K\n".to_owned()).await?;
            }
        }
    }
}

/// What journalctl complains of, given its exit status and what it said.
fn explained(code: &str, said: &[u8]) -> String {
    let said = String::from_utf8_lossy(said);
    if code == "127" {
        return "there is no journalctl on this host; name its logs as sources".to_owned();
    }
    if said.contains("insufficient permissions") || said.contains("not seeing messages") {
        return DENIED.to_owned();
    }
    match said.lines().find(|line| !line.trim().is_empty()) {
        Some(line) => line.trim().to_owned(),
        None => format!("journalctl ended with status {code}"),
    }
}

/// A record as `journalctl --output=json` prints it; see systemd.journal-fields(7).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Entry {
    #[serde(rename = "__CURSOR")]
    cursor: Option<String>,
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

impl Entry {
    fn time(&self) -> Option<Time> {
        let micros: i64 = text(&self.realtime)?.parse().ok()?;
        Some(Time(micros.checked_mul(1000)?))
    }

    /// One line for each line of the message.
    fn lines(&self, time: Time) -> Vec<Bytes> {
        let message = bytes(&self.message);
        let mut parts = message.split(|&byte| byte == b'\n');
        let mut first = self.head(time).into_bytes();
        first.extend_from_slice(parts.next().unwrap_or_default());
        let rest = parts.filter(|part| !part.is_empty());
        let indented = rest.map(|part| Bytes::from([b"    ".as_slice(), part].concat()));
        std::iter::once(Bytes::from(first)).chain(indented).collect()
    }

    fn head(&self, time: Time) -> String {
        let priority = text(&self.priority).and_then(|word| word.parse::<u32>().ok()).filter(|&priority| priority < 8);
        let facility = text(&self.facility).and_then(|word| word.parse::<u32>().ok()).filter(|&number| number < 24);
        let stamp = time.to_timestamp();
        let host = text(&self.hostname).unwrap_or_else(|| "-".to_owned());
        let ident = text(&self.identifier).or_else(|| text(&self.command)).unwrap_or_else(|| "unknown".to_owned());
        let pid = text(&self.syslog_pid).or_else(|| text(&self.pid)).map_or_else(String::new, |pid| format!("[{pid}]"));
        let pri = priority.map_or_else(String::new, |priority| format!("<{}>", facility.unwrap_or(3) * 8 + priority));
        format!("{pri}{stamp:.6} {host} {ident}{pid}: ")
    }
}

/// Where the stamp of a head stands.
fn stamp(line: &[u8]) -> Option<Range<usize>> {
    let start = if line.first() == Some(&b'<') { memchr::memchr(b'>', line)? + 1 } else { 0 };
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
        Value::Array(values) => {
            values.iter().filter_map(|value| value.as_u64().and_then(|byte| u8::try_from(byte).ok())).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::joiner;

    fn read(entries: &[&str]) -> Vec<Line> {
        let joiner = Joiner::default();
        let mut journal =
            Followed { number: 0, name: "j".to_owned(), unit: None, cursor: None, count: 0, joiner, told: None };
        let mut out = Vec::new();
        entries.iter().for_each(|json| journal.record(json.as_bytes(), &mut out));
        out
    }

    fn lines(json: &str) -> Vec<String> {
        read(&[json]).iter().map(|line| String::from_utf8_lossy(&line.raw).into_owned()).collect()
    }

    #[test]
    fn a_stack_trace_is_one_record_in_one_entry_or_in_many() {
        let entry = |message: &str| {
            format!(
                r#"{{"__REALTIME_TIMESTAMP":"1795188137000000","PRIORITY":"3","_HOSTNAME":"h","_COMM":"app","_PID":"7","MESSAGE":"{message}"}}"#
            )
        };
        let continues = |messages: &[&str]| {
            let entries: Vec<_> = messages.iter().map(|message| entry(message)).collect();
            let lines = read(&entries.iter().map(String::as_str).collect::<Vec<_>>());
            lines.iter().map(|line| line.continues).collect::<Vec<_>>()
        };
        assert_eq!(continues(&[r"failed\n\tat Cart.add", "next"]), [false, true, false]);
        assert_eq!(continues(&["failed", r"\tat Cart.add", r"\tat Cart.main", "next"]), [false, true, true, false]);
        let long = r"a\n".repeat(2 * joiner::MAX_LINES as usize);
        let records = continues(&[&long]).iter().filter(|&&continues| !continues).count();
        assert_eq!(records, 2, "none is endless");
    }

    #[test]
    fn a_record_becomes_a_line_in_the_form_of_syslog() {
        let json = r#"{"__CURSOR":"s=1","__REALTIME_TIMESTAMP":"1795188137123456","PRIORITY":"3","_HOSTNAME":"web-1",
            "SYSLOG_IDENTIFIER":"nginx","_PID":"811","MESSAGE":"no such file"}"#;
        assert_eq!(lines(json), ["<27>2026-11-20T15:22:17.123456Z web-1 nginx[811]: no such file"]);
    }

    #[test]
    fn a_message_of_several_lines_becomes_several_lines_and_bytes_stay_bytes() {
        let json = r#"{"__REALTIME_TIMESTAMP":"1795188137000000","_HOSTNAME":"h","_COMM":"app","MESSAGE":"one\ntwo"}"#;
        assert_eq!(lines(json), ["2026-11-20T15:22:17.000000Z h app: one", "    two"]);
        let json = r#"{"__REALTIME_TIMESTAMP":"1795188137000000","_HOSTNAME":"h","_COMM":"app","MESSAGE":[104,105]}"#;
        assert_eq!(lines(json), ["2026-11-20T15:22:17.000000Z h app: hi"]);
    }

    #[test]
    fn what_journalctl_complains_of_is_explained() {
        for (code, said, expect) in [
            ("1", "No journal files were opened due to insufficient permissions.\n", DENIED),
            ("0", "Hint: You are currently not seeing messages from other users and the system.\n", DENIED),
            ("127", "sh: 1: journalctl: not found", "there is no journalctl on this host; name its logs as sources"),
            ("1", "\nNo journal files were found.\nmore", "No journal files were found."),
            ("2", "", "journalctl ended with status 2"),
        ] {
            assert_eq!(explained(code, said.as_bytes()), expect, "{code} {said:?}");
        }
    }

    #[test]
    fn what_is_no_record_is_shown_as_it_is() {
        assert!(lines("Failed to open\n")[0].ends_with("unknown: Failed to open"), "{:?}", lines("Failed to open\n"));
    }
}
