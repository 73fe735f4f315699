//! Logs with more generations, and patterns with more files, than anybody expects: all are
//! searched, read and followed.
//!
//! `tests/many` runs these with ten times as many files, and following again and again.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, UNIX_EPOCH};

use flate2::Compression;
use flate2::write::GzEncoder;
use logtrail::model::state::LinkState;
use serde_json::Value;

use crate::support::PATIENCE;
use crate::support::binary::logtrail;
use crate::support::fleet::Watched;
use crate::support::inventory::Inventory;
use crate::support::processes::peak_memory;
use crate::support::serials::{
    assert_all_on_disk_once, assert_all_once, lines_of, until_last_line,
};
use crate::support::spec::{file_source, following, local_host};
use crate::support::sshd::Sshd;
use crate::support::writer::{Writer, serial};

/// A shell of a host may map so much memory, in KiB, and whatever it starts.
const MEMORY_THERE: u32 = 64 << 10;

/// The console may have so much.
const MEMORY_HERE: u64 = 64 << 20;

/// Files of a log or pattern; `$LOGTRAIL_MANY` of them in slow rounds.
fn many() -> u64 {
    std::env::var("LOGTRAIL_MANY").map_or(1_030, |count| {
        count.parse().expect("LOGTRAIL_MANY is a number")
    })
}

/// A server and an inventory with one source of it.
struct Host {
    _sshd: Sshd,
    inventory: PathBuf,
}

impl Host {
    fn with_source(sshd: Sshd, path: &Path) -> Self {
        let inventory = Inventory::default()
            .following("web-1", &sshd, path)
            .write(&sshd.path(""));
        Self {
            _sshd: sshd,
            inventory,
        }
    }

    /// The last object that a command prints, its exit code, and the most memory that it had.
    fn run(&self, args: &[&str]) -> (Vec<Value>, Option<i32>, u64) {
        let mut command = logtrail(&self.inventory, args);
        command.args(["--json", "--timeout", "20m"]);
        let child = command.stdout(Stdio::piped()).spawn().expect("run it");
        let pid = child.id();
        let (done, is_done) = std::sync::mpsc::channel::<()>();
        let peak = std::thread::spawn(move || {
            let mut peak = 0;
            while is_done
                .recv_timeout(Duration::from_millis(20))
                .is_err_and(|why| why == std::sync::mpsc::RecvTimeoutError::Timeout)
            {
                peak = peak.max(peak_memory(pid));
            }
            peak
        });
        let output = child.wait_with_output().expect("it ends");
        drop(done);
        let text = String::from_utf8(output.stdout).expect("JSON is UTF-8");
        let objects = text
            .lines()
            .map(|line| serde_json::from_str(line).expect("a JSON object"))
            .collect();
        (
            objects,
            output.status.code(),
            peak.join().expect("no panic"),
        )
    }
}

fn limited() -> Sshd {
    Sshd::builder()
        .config(format!(
            "ForceCommand ulimit -v {MEMORY_THERE}; exec /bin/sh -c \"$SSH_ORIGINAL_COMMAND\""
        ))
        .start()
}

/// Writes a file that was changed so many hours after the first.
fn write(path: &Path, text: &str, hour: u64) {
    let mut file = File::create(path).expect("a file");
    if path.extension().is_some_and(|extension| extension == "gz") {
        let mut packed = GzEncoder::new(&mut file, Compression::fast());
        packed
            .write_all(text.as_bytes())
            .and_then(|()| packed.try_finish())
            .expect("packed");
    } else {
        file.write_all(text.as_bytes()).expect("written");
    }
    file.set_modified(UNIX_EPOCH + Duration::from_secs(1_700_000_000 + hour * 3600))
        .expect("its time");
}

/// The lines of one hour; one in three of them has a word that is looked for.
fn lines(hour: u64) -> String {
    let line = |n: u64| {
        let word = if (hour + n).is_multiple_of(3) {
            "needle"
        } else {
            "hay"
        };
        let time = jiff::Timestamp::from_second(1_700_000_000 + (hour * 3600 + n * 900) as i64)
            .expect("a time");
        format!("{time} {word} hour={hour} line={n}\n")
    };
    (0..4).map(line).collect()
}

/// A log of which a generation was made each hour, three of four compressed.
fn generations(folder: &Path, count: u64) {
    for hour in 0..count {
        let ending = if hour + 1 == count {
            String::new()
        } else {
            let packed = if hour % 4 == 0 { "" } else { ".gz" };
            format!("-{}{packed}", 1_700_000_000 + hour * 3600)
        };
        write(&folder.join(format!("app.log{ending}")), &lines(hour), hour);
    }
}

/// How many lines `zgrep` finds in these files.
fn zgrep(folder: &Path, glob: &str) -> u64 {
    let script = format!("gzip -dcf {glob} | grep -c needle");
    let output = Command::new("sh")
        .args(["-c", &script])
        .current_dir(folder)
        .output()
        .expect("sh");
    String::from_utf8_lossy(&output.stdout)
        .trim()
        .parse()
        .expect("a number")
}

#[test]
fn r16_r22_a_search_reads_all_of_very_many_generations() {
    let sshd = limited();
    let logs = sshd.path("logs");
    fs::create_dir(&logs).expect("a folder");
    generations(&logs, many());
    let host = Host::with_source(sshd, &logs.join("app.log"));
    let (objects, exit, memory) = host.run(&["search", "needle", "--count"]);
    let summary = objects.last().expect("a summary");
    assert_eq!(
        (summary["hits"].as_u64(), exit),
        (Some(zgrep(&logs, "app.log*")), Some(0)),
        "{summary}"
    );
    assert!(
        (1..=MEMORY_HERE).contains(&memory),
        "{} MiB here",
        memory >> 20
    );
    for (args, hour) in [
        (&["search", "needle", "--limit", "1"][..], many() - 1),
        (&["read", "--at", "2020-01-01", "-n", "1"], 0),
    ] {
        let (objects, ..) = host.run(args);
        let text = objects
            .iter()
            .find_map(|object| object["text"].as_str())
            .unwrap_or_else(|| panic!("{args:?}: {objects:?}"));
        assert!(text.contains(&format!("hour={hour} ")), "{args:?}: {text}");
    }
}

#[test]
fn r16_r22_a_log_that_is_a_symlink_has_the_generations_of_what_it_leads_to() {
    let sshd = limited();
    let (logs, links) = (sshd.path("logs"), sshd.path("links"));
    fs::create_dir(&logs)
        .and_then(|()| fs::create_dir(&links))
        .expect("folders");
    generations(&logs, 40);
    std::os::unix::fs::symlink("../logs/app.log", links.join("current")).expect("a link");
    let expected = zgrep(&logs, "app.log*");
    let host = Host::with_source(sshd, &links.join("current"));
    let (objects, exit, _) = host.run(&["search", "needle", "--count"]);
    let summary = objects.last().expect("a summary");
    assert_eq!(
        (summary["hits"].as_u64(), exit),
        (Some(expected), Some(0)),
        "{summary}"
    );
    let (objects, ..) = host.run(&["read", "--at", "2020-01-01", "-n", "1"]);
    let first = objects
        .iter()
        .find_map(|object| object["text"].as_str())
        .expect("a line");
    assert!(first.contains("hour=0 "), "{first}");
    let (objects, ..) = host.run(&["histogram", "needle", "--bucket", "24h"]);
    let counted: u64 = objects
        .iter()
        .filter_map(|object| object["lines"].as_u64())
        .sum();
    assert_eq!(counted, expected, "{objects:?}");
    let (objects, ..) = host.run(&["sources"]);
    let files = objects
        .iter()
        .find_map(|object| object["files"].as_array())
        .expect("files");
    assert_eq!(files.len(), 40, "{objects:?}");
}

#[test]
fn r16_a_search_goes_through_all_files_of_a_pattern_however_many_there_are() {
    let sshd = limited();
    let logs = sshd.path("logs");
    fs::create_dir(&logs).expect("a folder");
    for number in 0..many() {
        write(
            &logs.join(format!("job-x{number}x.log")),
            &lines(number),
            number,
        );
    }
    let host = Host::with_source(sshd, &logs.join("*.log"));
    let (objects, exit, memory) = host.run(&["search", "needle", "--count", "--source", "app"]);
    let summary = objects.last().expect("a summary");
    assert_eq!(
        (summary["hits"].as_u64(), exit),
        (Some(zgrep(&logs, "*.log")), Some(0)),
        "{summary}"
    );
    assert!(
        (1..=MEMORY_HERE).contains(&memory),
        "{} MiB here",
        memory >> 20
    );
    let (objects, exit, _) = host.run(&["sources"]);
    let sources = objects
        .iter()
        .filter(|object| object["type"] == "source")
        .count();
    assert_eq!((sources as u64, exit), (many(), Some(0)));
}

/// Moves each generation on by one, as logrotate does where it counts, and the log to the first.
fn shift(log: &Path, count: u64) {
    let numbered = |number: u64| PathBuf::from(format!("{}.{number}", log.display()));
    for number in (1..count).rev() {
        let _ = fs::rename(numbered(number), numbered(number + 1));
    }
    fs::rename(log, numbered(1)).expect("there is a log");
}

#[test]
fn r22_a_search_finds_all_while_generations_are_renamed() {
    let sshd = Sshd::start();
    let logs = sshd.path("logs");
    fs::create_dir(&logs).expect("a folder");
    let log = logs.join("app.log");
    for number in 1..many() {
        fs::write(
            logs.join(format!("app.log.{number}")),
            format!("needle {number}\n"),
        )
        .expect("write");
    }
    fs::write(&log, "needle 0\n").expect("write");
    let host = Host::with_source(sshd, &log);
    let (done, is_done) = std::sync::mpsc::channel::<()>();
    let rotating = std::thread::spawn(move || {
        let mut turns = 0;
        while is_done.recv_timeout(Duration::from_secs(2)).is_err() {
            shift(&log, many() + turns);
            File::create(&log).expect("a new log");
            turns += 1;
        }
        turns
    });
    let (objects, exit, _) = host.run(&["search", "needle", "--count"]);
    done.send(()).expect("it waits");
    let (turns, summary) = (
        rotating.join().expect("no panic"),
        objects.last().expect("a summary"),
    );
    assert_eq!(
        (summary["hits"].as_u64(), exit),
        (Some(many()), Some(0)),
        "after {turns} rotations: {objects:?}"
    );
    assert!(turns > 1, "{turns} rotations");
}

#[tokio::test(flavor = "multi_thread")]
async fn r01_r03_rotating_a_log_with_two_thousand_generations_loses_no_line() {
    let sshd = Sshd::start();
    let log = sshd.path("app.log");
    for number in 1..=2000 {
        let line = format!(
            "old serial={} all is well and goes on as it did\n",
            9_000_000 + number
        );
        fs::write(sshd.path(&format!("app.log.{number}")), line).expect("write");
    }
    let reopen = sshd.path("reopen");
    let mut writer = Writer::start(&log, &reopen, 750);
    let mut watched = Watched::follow(vec![following(&sshd, "web-1", &log)], 0);
    watched.until("lines", |w| w.records.len() > 300).await;
    for turn in 1..=4 {
        shift(&log, 2000 + turn);
        File::create(&reopen).expect("told to open its log again");
        let target = writer.written() + 2000;
        while writer.written() < target {
            watched.pause(Duration::from_millis(100)).await;
        }
    }
    let written = until_last_line(&mut watched, &mut writer, Duration::from_secs(60)).await;
    assert_all_on_disk_once(&watched, &sshd.path(""), written);
    assert_eq!(watched.gaps, []);
}

/// The last line of a script compresses `$1`. A rotation moves each generation on by one, and has
/// the third compressed.
fn compress_and_shift(log: &Path, how: &str) {
    let named =
        |number: u64, ending: &str| PathBuf::from(format!("{}.{number}{ending}", log.display()));
    let script = format!("set -e; {how}; rm \"$1\"");
    let done = Command::new("sh")
        .args(["-c", &script, "sh"])
        .arg(named(2, ""))
        .status()
        .expect("sh");
    assert!(done.success(), "{how}");
    for (number, ending) in (1..20)
        .rev()
        .flat_map(|number| [(number, ""), (number, ".gz")])
    {
        let _ = fs::rename(named(number, ending), named(number + 1, ending));
    }
    fs::rename(log, named(1, "")).expect("there is a log");
}

#[tokio::test(flavor = "multi_thread")]
async fn r01_old_generations_are_not_told_when_they_are_compressed_later() {
    for how in [
        "gzip -c \"$1\" >\"$1.gz\"",
        "gzip -c \"$1\" >\"$1.gz\"; touch -d \"$(stat -c %y \"$1\" | cut -c1-26)\" \"$1.gz\"",
        "gzip -k \"$1\"",
    ] {
        let sshd = Sshd::start();
        let log = sshd.path("app.log");
        for number in 1..=3 {
            let line = format!("old generation {number} that nobody asked for\n").repeat(50);
            fs::write(sshd.path(&format!("app.log.{number}")), line).expect("write");
        }
        let reopen = sshd.path("reopen");
        let mut writer = Writer::start(&log, &reopen, 200);
        let mut watched = Watched::follow(vec![following(&sshd, "web-1", &log)], 0);
        // Before it asks how the old ones begin, the host has told what it was asked for first.
        watched
            .until("lines of five seconds", |w| w.records.len() > 1000)
            .await;
        for _ in 0..4 {
            compress_and_shift(&log, how);
            File::create(&reopen).expect("told to open its log again");
            let target = writer.written() + 200;
            let is_beyond = |line: &String| line.ends_with("did") && serial(line) > target;
            watched
                .until("lines of the next", |w| {
                    lines_of(w, 0).last().is_some_and(is_beyond)
                })
                .await;
        }
        let written = until_last_line(&mut watched, &mut writer, PATIENCE).await;
        let lines = lines_of(&watched, 0);
        assert_eq!(
            lines.iter().find(|line| line.starts_with("old")),
            None,
            "{how}"
        );
        assert_all_once(&watched, 0, written);
        assert_eq!(watched.gaps, [], "{how}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r16_the_files_that_changed_last_are_followed_and_the_rest_is_counted() {
    let sshd = Sshd::start();
    let logs = sshd.path("logs");
    fs::create_dir(&logs).expect("a folder");
    for number in 0..1200_u64 {
        // By their names the last ones are the oldest.
        write(
            &logs.join(format!("job-x{number:04}x.log")),
            "one\n",
            1200 - number,
        );
        write(
            &logs.join(format!("job-x{number:04}x.log.1.gz")),
            "old\n",
            1200 - number,
        );
    }
    let mut host = sshd.host("web-1");
    host.sources.push(file_source("jobs", &logs.join("*")));
    let mut watched = Watched::follow(vec![host], 1);
    watched
        .until_within(
            Duration::from_secs(90),
            "a line of each that is followed",
            |w| w.records.len() == 1000,
        )
        .await;
    let degraded = |w: &Watched| {
        w.statuses
            .last()
            .is_some_and(|(_, status)| status.state == LinkState::Degraded)
    };
    watched.until("it to be said", degraded).await;
    let reason = watched
        .statuses
        .last()
        .and_then(|(_, status)| status.reason.clone())
        .unwrap_or_default();
    assert!(
        reason.contains("matches 1200 files; 200 of them are not followed"),
        "{reason}"
    );
    let followed: Vec<&str> = watched.sources.iter().map(|source| &*source.path).collect();
    assert!(
        followed.iter().any(|path| path.ends_with("x0000x.log")),
        "the newest"
    );
    assert!(
        !followed.iter().any(|path| path.ends_with("x1199x.log")),
        "the oldest"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn r13_a_pass_says_that_long_last_lines_are_fewer_than_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("app.log");
    let line = "x".repeat(1_000_000) + "\n";
    fs::write(&log, line.repeat(12)).expect("write");
    let mut once = Watched::once(vec![local_host("here", &[&log])], 10, PATIENCE);
    once.until("a pass", |w| w.over).await;
    assert_eq!(once.records.len(), 8);
    let (_, status) = once.statuses.last().expect("a status");
    let reason = status.reason.as_deref().unwrap_or_default();
    assert!(
        status.state == LinkState::Degraded && reason.contains("so long that fewer are shown"),
        "{status:?}"
    );
}
