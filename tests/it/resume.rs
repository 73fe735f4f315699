//! `tail -f --resume FILE`: the console is killed, ended, started again, and prints each line once.
//!
//! `tests/kills 500` kills it so often, at other moments each time, and prints what came of it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rand::RngExt;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::binary::{BINARY, logtrail};
use crate::support::chance::{chance, millis};
use crate::support::files::append;
use crate::support::inventory::Inventory;
use crate::support::logrotate::logrotate;
use crate::support::sshd::Sshd;
use crate::support::time_limit::assert_at_most;
use crate::support::writer::{Writer, serial};
use crate::support::{PATIENCE, program, run};

/// As it is documented: what was printed within so long before a kill may come twice, on a disk
/// that writes at once.
const COMES_TWICE: Duration = Duration::from_secs(1);

/// Hosts with a log each, an inventory, and a file that remembers.
pub(crate) struct Scene {
    servers: Vec<Sshd>,
    folder: tempfile::TempDir,
}

/// A run of the console, and what it has printed, with the time at which it was read.
struct Run {
    child: Child,
    printed: Arc<Mutex<Chunks>>,
    notes: Arc<Mutex<Vec<u8>>>,
    readers: Vec<std::thread::JoinHandle<()>>,
}

/// What was read, and when.
type Chunks = Vec<(Instant, Vec<u8>)>;

/// A line or a gap, and when it was read.
type Said = (Instant, String);

impl Scene {
    /// `web-1`, `web-2`, … with a log of these texts each.
    pub(crate) fn with(logs: &[&str]) -> Self {
        let scene = Self {
            servers: logs.iter().map(|_| Sshd::start()).collect(),
            folder: tempfile::tempdir().expect("a folder"),
        };
        logs.iter()
            .enumerate()
            .for_each(|(n, log)| fs::write(scene.log(n), log).expect("write a log"));
        let paths: Vec<String> = (0..logs.len())
            .map(|n| scene.log(n).display().to_string())
            .collect();
        scene.follows(&paths);
        scene
    }

    /// Which path, or pattern, of each host is followed.
    pub(crate) fn follows(&self, paths: &[String]) {
        let mut inventory = Inventory::default();
        for (n, (server, path)) in (1..).zip(self.servers.iter().zip(paths)) {
            inventory = inventory.following(&format!("web-{n}"), server, Path::new(path));
        }
        inventory.write(self.folder.path());
    }

    pub(crate) fn log(&self, n: usize) -> PathBuf {
        self.servers[n].path("app.log")
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("at")
    }

    fn command(&self, args: &[&str]) -> Command {
        let inventory = self.folder.path().join("hosts.toml");
        let mut command = logtrail(&inventory, &["tail", "-f", "--json"]);
        command
            .arg("--resume")
            .arg(self.file())
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn start(&self, args: &[&str]) -> Run {
        let mut child = self.command(args).spawn().expect("start it");
        let (printed, notes) = (Arc::default(), Arc::default());
        let (mut out, mut said) = (
            child.stdout.take().expect("piped"),
            child.stderr.take().expect("piped"),
        );
        let (chunks, text): (Arc<Mutex<Chunks>>, Arc<Mutex<Vec<u8>>>) =
            (Arc::clone(&printed), Arc::clone(&notes));
        let of_output = std::thread::spawn(move || {
            let mut chunk = vec![0; 64 << 10];
            while let Ok(length @ 1..) = out.read(&mut chunk) {
                chunks
                    .lock()
                    .expect("no panic")
                    .push((Instant::now(), chunk[..length].to_vec()));
            }
        });
        let of_notes = std::thread::spawn(move || {
            let mut chunk = vec![0; 4 << 10];
            while let Ok(length @ 1..) = said.read(&mut chunk) {
                text.lock()
                    .expect("no panic")
                    .extend_from_slice(&chunk[..length]);
            }
        });
        Run {
            child,
            printed,
            notes,
            readers: vec![of_output, of_notes],
        }
    }

    /// A run that prints until this line, and is ended by Ctrl-C.
    fn run_until(&self, args: &[&str], last: &str) -> Vec<String> {
        let mut run = self.start(args);
        run.until(last);
        texts(run.end(Signal::INT))
    }

    /// What the next run prints until this line; then it is ended.
    pub(crate) fn next(&self, last: &str) -> Vec<String> {
        self.run_until(&[], last)
    }
}

impl Run {
    /// What it has printed so far: lines that are whole.
    fn said(&self) -> Vec<Said> {
        let chunks = self.printed.lock().expect("no panic");
        let (mut said, mut line) = (Vec::new(), Vec::new());
        for (at, chunk) in chunks.iter() {
            for part in chunk.split_inclusive(|&byte| byte == b'\n') {
                line.extend_from_slice(part);
                if line.ends_with(b"\n") {
                    let object: Value = serde_json::from_slice(&line).expect("a JSON line");
                    let text = match object["type"].as_str() {
                        Some("line") => object["text"].as_str().map(str::to_owned),
                        Some("gap") => object["reason"]
                            .as_str()
                            .map(|reason| format!("gap: {reason}")),
                        _ => None,
                    };
                    said.extend(text.map(|text| (*at, text)));
                    line.clear();
                }
            }
        }
        said
    }

    fn notes(&self) -> String {
        String::from_utf8_lossy(&self.notes.lock().expect("no panic")).into_owned()
    }

    /// Waits until it has printed a line with this in it.
    fn until(&mut self, what: &str) {
        let deadline = Instant::now() + 2 * PATIENCE;
        while !self.said().iter().any(|(_, text)| text.contains(what)) {
            assert!(
                Instant::now() < deadline,
                "no {what:?} came: {:?}\n{}",
                texts(self.said()),
                self.notes()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until the file has this in it, which this run or another writes.
    fn until_remembered(&self, file: &Path, is_there: impl Fn(&Value) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let text = fs::read(file).unwrap_or_default();
            let document: Value = serde_json::from_slice(&text).unwrap_or_default();
            if document["entries"]
                .as_array()
                .is_some_and(|entries| entries.iter().any(&is_there))
            {
                return;
            }
            assert!(Instant::now() < deadline, "{document:#}\n{}", self.notes());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Ends it so, and tells all that it has printed.
    fn end(&mut self, signal: Signal) -> Vec<Said> {
        kill_process(
            Pid::from_raw(self.child.id().cast_signed()).expect("a process"),
            signal,
        )
        .expect("a signal");
        let status = self.child.wait().expect("it ends");
        // To the end of the pipe: all that it has taken.
        self.readers
            .drain(..)
            .for_each(|reader| reader.join().expect("no panic"));
        let said = self.said();
        // Before it listens to signals it has printed nothing, and ends by them.
        let is_early = status.code().is_none() && said.is_empty();
        let is_orderly = is_early || matches!(status.code(), Some(0 | 3 | 4));
        assert!(
            signal == Signal::KILL || is_orderly,
            "{status} {}",
            self.notes()
        );
        said
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn texts(said: Vec<Said>) -> Vec<String> {
    said.into_iter().map(|(_, text)| text).collect()
}

/// How often a run is ended; `$LOGTRAIL_KILLS` times in slow rounds.
fn rounds() -> u32 {
    std::env::var("LOGTRAIL_KILLS").map_or(5, |rounds| {
        rounds.parse().expect("LOGTRAIL_KILLS is a number")
    })
}

/// What came of many rounds.
#[derive(Debug, Default)]
struct Tally {
    /// When each line came last, and how that run ended.
    lines: BTreeMap<u64, (Instant, End)>,
    twice: u64,
    /// The longest time before a kill at which a line was printed that came again.
    oldest: Duration,
    gaps: u64,
}

/// When a run was ended, and whether it was killed.
type End = (Instant, bool);

impl Tally {
    fn add(&mut self, said: Vec<Said>, end: End, disk: &Disk) {
        for (at, text) in said {
            if text.starts_with("gap") {
                self.gaps += 1;
                continue;
            }
            let number = serial(&text);
            if let Some((printed, (ended, is_killed))) = self.lines.insert(number, (at, end)) {
                assert!(is_killed, "{number} came again after an orderly end");
                let age = ended.saturating_duration_since(printed);
                let (most, slowest) = (COMES_TWICE + 3 * disk.slowest(), disk.slowest());
                let what = format!(
                    "{number} came again; from its print to the kill, where fsync takes {slowest:?}"
                );
                assert_at_most(most, age, &what);
                (self.twice, self.oldest) = (self.twice + 1, self.oldest.max(age));
            }
        }
    }
}

/// How long the disk takes, on a machine that is busy with other tests, to write and rename a file
/// as the console does.
struct Disk {
    slowest: Arc<Mutex<Duration>>,
    ends: Arc<Mutex<bool>>,
}

impl Disk {
    fn watch(folder: &Path) -> Self {
        let disk = Self {
            slowest: Arc::default(),
            ends: Arc::default(),
        };
        let (slowest, ends) = (Arc::clone(&disk.slowest), Arc::clone(&disk.ends));
        let (new, named, folder) = (
            folder.join("probe.new"),
            folder.join("probe"),
            folder.to_owned(),
        );
        std::thread::spawn(move || {
            while !*ends.lock().expect("no panic") {
                let began = Instant::now();
                std::thread::sleep(Duration::from_millis(100));
                let Ok(()) = fs::write(&new, "x") else { return };
                let done = fs::File::open(&new).and_then(|file| file.sync_all());
                let done = done.and_then(|()| fs::rename(&new, &named));
                let Ok(()) = done.and_then(|()| fs::File::open(&folder)?.sync_all()) else {
                    return;
                };
                let mut slowest = slowest.lock().expect("no panic");
                *slowest = slowest.max(began.elapsed().saturating_sub(Duration::from_millis(100)));
            }
        });
        disk
    }

    fn slowest(&self) -> Duration {
        *self.slowest.lock().expect("no panic")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        *self.ends.lock().expect("no panic") = true;
    }
}

/// Kills and ends runs at moments of chance while a program writes and, where asked for, its log is
/// rotated.
fn kill_and_restart(scene: &Scene, rotate: Option<&dyn Fn()>) {
    // It knows where the log begins; without that the first run that prints would begin with the
    // last lines.
    let mut run = scene.start(&[]);
    run.until_remembered(&scene.file(), |entry| entry["host"] == "web-1");
    run.end(Signal::KILL);
    let disk = Disk::watch(scene.folder.path());
    let mut writer = Writer::start(&scene.log(0), &scene.servers[0].path("reopen"), 2000);
    let (mut tally, started) = (Tally::default(), Instant::now());
    let (mut kills, mut printed) = (0, 0);
    let mut chance = chance();
    for round in 0..rounds() {
        let mut run = scene.start(&[]);
        // Several rotations are caught up with in a second or two: who never has that never gets
        // on.
        let longest = if rotate.is_some() { 4000 } else { 1500 };
        std::thread::sleep(millis(&mut chance, 50..longest));
        let signal = match round % 4 {
            3 => [Signal::INT, Signal::TERM][(round / 4 % 2) as usize],
            _ => Signal::KILL,
        };
        let at = Instant::now();
        let said = run.end(signal);
        (kills, printed) = (
            kills + u32::from(signal == Signal::KILL),
            printed + u32::from(!said.is_empty()),
        );
        tally.add(said, (at, signal == Signal::KILL), &disk);
        if let Some(rotate) = rotate {
            (0..chance.random_range(0..3)).for_each(|_| rotate());
        }
    }
    let written = writer.stop();
    let mut run = scene.start(&[]);
    run.until(&format!("serial={} ", written - 1));
    tally.add(run.end(Signal::INT), (Instant::now(), false), &disk);
    let missing: Vec<u64> = (0..written)
        .filter(|number| !tally.lines.contains_key(number))
        .collect();
    println!(
        "{} rounds, {kills} of them killed, {printed} that printed, in {:?}: {written} lines, {} missing, {} gaps, {} twice, \
         of these the oldest printed {:?} before the kill; fsync takes {:?} at most",
        rounds(),
        started.elapsed(),
        missing.len(),
        tally.gaps,
        tally.twice,
        tally.oldest,
        disk.slowest()
    );
    let first = missing.first();
    assert_eq!((first, missing.len(), tally.gaps), (None, 0, 0));
}

#[test]
fn r25_a_console_that_is_killed_often_prints_every_line() {
    kill_and_restart(&Scene::with(&[""]), None);
}

#[test]
fn r25_no_line_is_missing_where_the_log_is_rotated_between_the_runs() {
    let scene = Scene::with(&[""]);
    let log = scene.log(0);
    let rotate = logrotate(&scene.servers[0], &log, "create");
    kill_and_restart(&scene, Some(&rotate));
}

#[test]
fn after_an_orderly_end_of_any_kind_no_line_is_missing_and_none_comes_twice() {
    let scene = Scene::with(&["one\ntwo\n"]);
    let mut number = 2;
    let mut more = || {
        number += 1;
        append(&scene.log(0), &format!("line {number}\n"));
        format!("line {number}")
    };
    assert_eq!(scene.next("two"), ["one", "two"]);
    for signal in [Signal::INT, Signal::TERM] {
        let away = more();
        let mut run = scene.start(&[]);
        run.until(&away);
        let live = more();
        run.until(&live);
        assert_eq!(texts(run.end(signal)), [away, live]);
    }
    // Its reader goes.
    let away = more();
    let mut child = scene.command(&[]).spawn().expect("start it");
    let mut out = std::io::BufReader::new(child.stdout.take().expect("piped"));
    let mut line = String::new();
    std::io::BufRead::read_line(&mut out, &mut line).expect("a line");
    assert!(line.contains(&away), "{line}");
    drop(out);
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    let away = more();
    assert_eq!(scene.next(&away), [away]);
}

#[test]
fn what_was_filtered_out_is_not_read_again_and_nothing_else_is_left_out() {
    let scene = Scene::with(&["error one\ninfo two\ninfo three\n"]);
    assert_eq!(scene.run_until(&["--grep", "error"], "one"), ["error one"]);
    append(&scene.log(0), "info four\nerror five\ninfo six\n");
    assert_eq!(
        scene.run_until(&["--grep", "error"], "five"),
        ["error five"]
    );
    append(&scene.log(0), "info seven\n");
    let rest = scene.next("seven");
    assert_eq!(rest.last().map(String::as_str), Some("info seven"));
    assert!(
        !rest
            .iter()
            .any(|line| line.contains("error") || line.contains("four")),
        "{rest:?}"
    );
}

#[test]
fn a_source_of_which_nothing_was_printed_begins_where_the_first_run_found_it() {
    let scene = Scene::with(&["one\ntwo\n"]);
    let mut run = scene.start(&["-n", "0"]);
    run.until_remembered(&scene.file(), |entry| {
        entry["length"] == 0 && entry["host"] == "web-1"
    });
    assert!(run.end(Signal::KILL).is_empty());
    let lines: Vec<String> = (0..30).map(|n| format!("line {n}")).collect();
    append(&scene.log(0), &(lines.join("\n") + "\n"));
    assert_eq!(scene.run_until(&["-n", "0"], "line 29"), lines);
}

#[test]
fn rotated_generations_of_any_form_are_read_on_from_where_they_were_left() {
    for how in ["rename", "packed", "twice", "copied"] {
        let scene = Scene::with(&["one\ntwo\n"]);
        let log = scene.log(0);
        assert_eq!(scene.next("two"), ["one", "two"], "{how}");
        append(&log, "three\n");
        let older = |end: &str| PathBuf::from(format!("{}{end}", log.display()));
        match how {
            "rename" => fs::rename(&log, older(".1")).expect("renamed"),
            "packed" => {
                fs::rename(&log, older("-20261120")).expect("renamed");
                fs::write(&log, "").expect("created");
                run(Command::new(program("gzip")).arg(older("-20261120")));
            }
            "twice" => {
                fs::rename(&log, older(".2")).expect("renamed");
                fs::write(older(".1"), "four\n").expect("written");
                run(Command::new(program("gzip")).arg(older(".2")));
            }
            _ => {
                fs::copy(&log, older(".1")).expect("copied");
                fs::File::options()
                    .write(true)
                    .open(&log)
                    .expect("open")
                    .set_len(0)
                    .expect("cut");
            }
        }
        append(&log, "five\n");
        let mut expected = vec!["three", "five"];
        if how == "twice" {
            expected.insert(1, "four");
        }
        assert_eq!(scene.next("five"), expected, "{how}");
        append(&log, "six\n");
        assert_eq!(scene.next("six"), ["six"], "{how}");
    }
}

#[test]
fn a_log_that_is_gone_entirely_is_one_gap_and_then_what_there_is() {
    let scene = Scene::with(&["one\ntwo\n"]);
    assert_eq!(scene.next("two"), ["one", "two"]);
    // In its place there may be one of the same number.
    fs::write(scene.folder.path().join("holds-a-number"), "").expect("written");
    fs::remove_file(scene.log(0)).expect("removed");
    append(
        &scene.log(0),
        "other one, and longer than all that was there before\nother two\n",
    );
    let said = scene.next("other two");
    assert!(
        ["gap: rotated-away", "gap: truncated"].contains(&said[0].as_str()),
        "{said:?}"
    );
    assert_eq!(
        said[1..],
        [
            "other one, and longer than all that was there before",
            "other two"
        ]
    );
}

#[test]
fn a_host_that_is_down_at_the_restart_keeps_its_place() {
    let scene = Scene::with(&["a1\n", "b1\n"]);
    let mut run = scene.start(&[]);
    run.until("a1");
    run.until("b1");
    run.end(Signal::INT);
    append(&scene.log(0), "a2\n");
    append(&scene.log(1), "b2\n");
    scene.servers[1].freeze(true);
    assert_eq!(scene.next("a2"), ["a2"]);
    scene.servers[1].freeze(false);
    append(&scene.log(1), "b3\n");
    assert_eq!(scene.next("b3"), ["b2", "b3"]);
}

#[test]
fn new_files_of_a_pattern_are_read_from_their_first_line() {
    let scene = Scene::with(&["a1\n"]);
    let pattern = scene.servers[0].path("*.log").display().to_string();
    scene.follows(&[pattern]);
    assert_eq!(scene.next("a1"), ["a1"]);
    let lines: Vec<String> = (0..30).map(|n| format!("b{n}.")).collect();
    fs::write(scene.servers[0].path("other.log"), lines.join("\n") + "\n").expect("written");
    assert_eq!(scene.next("b29."), lines);
}

#[test]
fn a_torn_file_is_set_aside_with_a_notice_and_the_one_before_it_used() {
    let scene = Scene::with(&["one\n"]);
    assert_eq!(scene.next("one"), ["one"]);
    let whole = fs::read(scene.file()).expect("read");
    for torn in [&b""[..], &whole[..whole.len() / 2], &b"garbage"[..]] {
        append(&scene.log(0), "more\n");
        fs::write(scene.file(), torn).expect("torn");
        fs::write(scene.folder.path().join("at.previous"), &whole).expect("written");
        let mut run = scene.start(&[]);
        run.until("more");
        let said = texts(run.end(Signal::INT));
        assert!(said.iter().all(|line| line == "more"), "{said:?}");
        assert!(
            run.notes().contains("set aside as")
                && run.notes().contains("the one before it is used")
        );
        assert_eq!(
            fs::read(scene.folder.path().join("at.corrupt")).expect("set aside"),
            torn
        );
    }
}

#[test]
fn a_file_that_is_in_use_or_not_writable_is_refused_at_once() {
    let scene = Scene::with(&["one\n"]);
    let mut first = scene.start(&[]);
    first.until("one");
    let mut second = scene.start(&[]);
    assert_eq!(second.child.wait().expect("it ends").code(), Some(2));
    second
        .readers
        .drain(..)
        .for_each(|reader| reader.join().expect("no panic"));
    assert!(
        second
            .notes()
            .contains("another logtrail-tui that runs uses it"),
        "{}",
        second.notes()
    );
    assert!(second.said().is_empty());
    first.end(Signal::INT);

    let no_folder = scene.folder.path().join("no/at").display().to_string();
    for (args, why) in [
        (
            vec!["tail", "-f", "--resume", &no_folder],
            "cannot be written: No such file or directory",
        ),
        (
            vec!["tail", "-f", "--resume", "/dev/null"],
            "not a regular file",
        ),
        (
            vec!["tail", "-f", "--resume", "/proc/at"],
            "cannot be written",
        ),
    ] {
        let mut command = Command::new(BINARY);
        let output = command
            .args(&args)
            .env_remove("LOGTRAIL_HOSTS")
            .stdin(Stdio::null())
            .output()
            .expect("run it");
        let notes = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{args:?} {notes}");
        assert!(
            notes.contains(why) && notes.lines().count() == 1,
            "{args:?} {notes}"
        );
    }
}
