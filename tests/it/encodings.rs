//! Logs that are not UTF-8, on a real server: followed, paged back, searched, and gone on with.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::binary::logtrail;
use crate::support::inventory::Inventory;
use crate::support::sshd::Sshd;

/// A server with one log, whose source has these keys too.
struct EncodedLog {
    server: Sshd,
    folder: tempfile::TempDir,
}

impl EncodedLog {
    fn with(log: &[u8], keys: &str) -> Self {
        let server = Sshd::start();
        let folder = tempfile::tempdir().expect("a folder");
        let log_path = server.path("app.log");
        std::fs::write(&log_path, log).expect("write a log");
        Inventory::default()
            .server("web-1", &server)
            .line(&format!(
                "sources = [{{ name = \"app\", path = {log_path:?}{keys} }}]"
            ))
            .write(folder.path());
        Self { server, folder }
    }

    fn log(&self) -> PathBuf {
        self.server.path("app.log")
    }

    fn run(&self, args: &[&str]) -> Output {
        logtrail(&self.folder.path().join("hosts.toml"), args)
            .output()
            .expect("run it")
    }

    /// What a command prints, one object for each line.
    fn objects(&self, args: &[&str]) -> Vec<Value> {
        let out = self.run(args);
        let text = String::from_utf8(out.stdout).expect("UTF-8");
        let errors = String::from_utf8_lossy(&out.stderr).into_owned();
        let objects: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        assert!(!objects.is_empty(), "{args:?} printed nothing: {errors}");
        objects
    }

    /// The texts of the lines, or hits, that a command prints.
    fn texts(&self, args: &[&str]) -> Vec<String> {
        let objects = self.objects(args);
        let gaps = objects.iter().filter(|object| object["type"] == "gap");
        assert_eq!(gaps.count(), 0, "{args:?}: {objects:?}");
        objects
            .iter()
            .filter(|object| object["type"] == "line" || object["type"] == "hit")
            .map(|object| object["text"].as_str().expect("a text").to_owned())
            .collect()
    }
}

impl EncodedLog {
    /// The lines that a run of `tail -f` prints which goes on where another stopped, until this one.
    fn resumed_until(&self, last: &str) -> Vec<String> {
        let positions = self.folder.path().join("positions.json");
        let inventory = self.folder.path().join("hosts.toml");
        let positions = positions.display().to_string();
        let args = ["tail", "-f", "--json", "-n", "5", "--resume", &positions];
        let mut run = logtrail(&inventory, &args)
            .stdout(Stdio::piped())
            .spawn()
            .expect("start it");
        let mut texts = Vec::new();
        let output = BufReader::new(run.stdout.take().expect("piped"));
        for line in output.lines() {
            let object: Value = serde_json::from_str(&line.expect("read it")).expect("JSON");
            if object["type"] == "line" {
                texts.push(object["text"].as_str().expect("a text").to_owned());
            }
            if texts.last().is_some_and(|text| text == last) {
                break;
            }
        }
        let pid = Pid::from_raw(run.id().cast_signed()).expect("a process");
        kill_process(pid, Signal::INT).expect("a signal");
        run.wait().expect("it ends");
        texts
    }
}

/// A line of SQL Server's log, with letters of several scripts.
fn sql_line(n: usize) -> String {
    let what = if n % 10 == 3 {
        "Error: 18456, Login failed für 注文"
    } else {
        "Starting up database"
    };
    format!(
        "2026-11-20 10:{:02}:{:02}.12 spid{n} {what}",
        n / 60,
        n % 60
    )
}

/// The bytes of a unit of UTF-16.
type ToBytes = fn(u16) -> [u8; 2];

fn sql_log(lines: usize, to_bytes: ToBytes, mark: &str) -> Vec<u8> {
    let lines: Vec<String> = (0..lines).map(|n| sql_line(n) + "\r\n").collect();
    format!("{mark}{}", lines.concat())
        .encode_utf16()
        .flat_map(to_bytes)
        .collect()
}

#[test]
fn utf_16_is_read_searched_and_paged_like_any_other_log() {
    let kinds: [(ToBytes, &str); 3] = [
        (u16::to_le_bytes, "\u{feff}"),
        (u16::to_be_bytes, "\u{feff}"),
        (u16::to_le_bytes, ""),
    ];
    for (to_bytes, mark) in kinds {
        let log = EncodedLog::with(&sql_log(300, to_bytes, mark), "");
        let last: Vec<String> = (295..300).map(sql_line).collect();
        assert_eq!(log.texts(&["--once", "--json", "--lines", "5"]), last);
        assert_eq!(log.texts(&["tail", "--json", "-n", "5"]), last);

        let hits = |query: &str| log.texts(&["search", "--json", query]);
        let failed: Vec<String> = (0..300).filter(|n| n % 10 == 3).map(sql_line).collect();
        assert_eq!(hits("\"Login failed\"").len(), 30);
        let mut found = hits("注文");
        found.sort();
        let mut expected = failed.clone();
        expected.sort();
        assert_eq!(found, expected);
        assert_eq!(hits("\"spid17 starting\"").len(), 1);

        let page = log.texts(&["read", "--json", "--at", "2026-11-20T10:02:00", "-n", "3"]);
        assert!(page.contains(&sql_line(120)), "{page:?}");
        let all = log.texts(&["read", "--json", "--since", "2026-11-20T00:00", "-n", "400"]);
        assert_eq!(all, (0..300).map(sql_line).collect::<Vec<_>>());
    }
}

#[test]
fn utf_16_has_its_times() {
    let log = EncodedLog::with(&sql_log(20, u16::to_le_bytes, "\u{feff}"), "");
    for object in log.objects(&["--once", "--json", "--lines", "5"]) {
        if object["type"] == "line" {
            assert_eq!(object["time_from"], "stamp", "{object}");
        }
    }
}

#[test]
fn utf_16_goes_on_where_an_earlier_run_stopped() {
    let log = EncodedLog::with(&sql_log(20, u16::to_le_bytes, "\u{feff}"), "");
    assert_eq!(log.resumed_until(&sql_line(19)).len(), 5);
    let more: Vec<u8> = (sql_line(20) + "\r\n" + &sql_line(21) + "\r\n")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let mut file = File::options().append(true).open(log.log()).expect("open");
    file.write_all(&more).expect("write");
    assert_eq!(
        log.resumed_until(&sql_line(21)),
        [sql_line(20), sql_line(21)]
    );
}

#[test]
fn an_encoding_of_the_inventory_is_shown_and_searched() {
    let cases: [(&str, &[u8], &str, &str); 3] = [
        (
            "latin1",
            b"WARN \xdcberlauf f\xfcr Bestellung",
            "WARN Überlauf für Bestellung",
            "überlauf",
        ),
        (
            "shift_jis",
            b"ERROR \x92\x8d\x95\xb6 x=1",
            "ERROR 注文 x=1",
            "注文",
        ),
        (
            "euc-kr",
            b"INFO \xc1\xd6\xb9\xae done",
            "INFO 주문 done",
            "주문",
        ),
    ];
    for (encoding, bytes, text, query) in cases {
        let stamp = "2026-11-20T10:00:00Z ";
        let lines = [
            stamp.as_bytes(),
            bytes,
            b"\n",
            stamp.as_bytes(),
            b"INFO ascii\n",
        ]
        .concat();
        let log = EncodedLog::with(&lines, &format!(", encoding = \"{encoding}\""));
        let expected = format!("{stamp}{text}");
        assert_eq!(
            log.texts(&["--once", "--json", "--lines", "2"])[0],
            expected
        );
        assert_eq!(log.texts(&["search", "--json", query]), [&*expected]);
        assert_eq!(log.texts(&["search", "--json", "ascii"]).len(), 1);
        assert_eq!(log.texts(&["read", "--json", "-n", "2"])[0], expected);
    }
}

#[test]
fn a_search_for_letters_says_that_a_log_is_not_utf_8_and_what_to_do() {
    let log = EncodedLog::with(b"2026-11-20T10:00:00Z \xdcberlauf\n", "");
    let out = log.run(&["search", "Überlauf"]);
    let said =
        String::from_utf8_lossy(&out.stderr).into_owned() + &String::from_utf8_lossy(&out.stdout);
    assert!(
        said.contains("not UTF-8") && said.contains("encoding"),
        "{said}"
    );
    assert_eq!(out.status.code(), Some(1));
}

#[test]
fn an_unknown_encoding_is_refused_with_what_is_known() {
    let log = EncodedLog::with(b"x\n", ", encoding = \"ebcdic\"");
    let out = log.run(&["--once"]);
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(2), "{said}");
    assert!(
        said.contains("unknown encoding \"ebcdic\"") && said.contains("shift_jis"),
        "{said}"
    );
}
