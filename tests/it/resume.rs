//! `tail -f --resume FILE`: the console is killed, ended, started again, and prints each line once.
//!
//! `tests/kills 500` kills it so often, at other moments each time, and prints what came of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rand::RngExt;
use rustix::process::Signal;

use crate::support::binary::BINARY;
use crate::support::chance::{chance, millis};
use crate::support::files::append;
use crate::support::logrotate::logrotate;
use crate::support::scene::{Said, Scene, texts};
use crate::support::time_limit::assert_at_most;
use crate::support::writer::{Writer, serial};
use crate::support::{program, run};

/// As it is documented: what was printed within so long before a kill may come twice, on a disk
/// that writes at once.
const COMES_TWICE: Duration = Duration::from_secs(1);

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
