//! What happens to logs, by the numbers of the catalogue of reliability: on a real sshd, with the
//! real logrotate.
//!
//! Each line carries a serial number: none may be missing, none told twice, none torn, unless
//! exactly one gap covers it. `tests/rotations N` runs those of the matrix N times and prints how
//! often each passed.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{FileExt, symlink};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use logtrail::model::gap::GapReason;

use crate::support::chance::{chance, millis};
use crate::support::files::append;
use crate::support::fleet::Watched;
use crate::support::logrotate::logrotate;
use crate::support::serials::{assert_all_on_disk_once, has_reached};
use crate::support::spec::{following, local_host};
use crate::support::sshd::Sshd;
use crate::support::time_limit::Stopwatch;
use crate::support::writer::Writer;
use crate::support::{PATIENCE, run};

const LONG: Duration = Duration::from_secs(40);

/// A log that is written to and rotated by logrotate, and followed over SSH.
struct Rotated {
    sshd: Sshd,
    writer: Writer,
    watched: Watched,
    rotate: Box<dyn Fn()>,
}

impl Rotated {
    async fn start(how: &str, rate: u64) -> Self {
        let sshd = Sshd::start();
        let log = sshd.path("app.log");
        let writer = Writer::start(&log, &sshd.path("reopen"), rate);
        let rotate = Box::new(logrotate(&sshd, &log, how));
        let mut watched = Watched::follow(vec![following(&sshd, "web-1", &log)], 0);
        watched.until("lines", |w| w.records.len() > 500).await;
        Self {
            sshd,
            writer,
            watched,
            rotate,
        }
    }

    /// All lines are told once, and there is no gap.
    async fn end(mut self) {
        let written = self.writer.stop();
        self.watched
            .until_within(LONG, "the last line", |w| has_reached(w, 0, written - 1))
            .await;
        assert_all_on_disk_once(&self.watched, &self.sshd.path(""), written);
        assert_eq!(self.watched.gaps, []);
    }
}

/// A log of this machine that has been read.
async fn read(text: &str) -> (tempfile::TempDir, std::path::PathBuf, Watched) {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("app.log");
    append(&log, text);
    let mut watched = Watched::follow(vec![local_host("here", &[&log])], 100);
    let lines = text.lines().count();
    watched
        .until("what was there", |w| w.records.len() == lines)
        .await;
    (folder, log, watched)
}

#[tokio::test(flavor = "multi_thread")]
async fn r01_rename_rotation_with_a_writer_that_reopens_at_once_loses_nothing() {
    let mut rotated = Rotated::start("create", 15_000).await;
    for _ in 0..5 {
        (rotated.rotate)();
        rotated.watched.pause(Duration::from_millis(700)).await;
    }
    rotated.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r02_lines_that_a_writer_adds_to_the_renamed_file_are_told() {
    let (folder, log, mut watched) = read("one\n").await;
    let mut late = OpenOptions::new().append(true).open(&log).expect("open");
    fs::rename(&log, folder.path().join("app.log.1")).expect("rename");
    append(&log, "new\n");
    watched
        .until("the new file", |w| w.texts().contains(&"new".to_owned()))
        .await;
    for n in 0..5 {
        writeln!(late, "late {n}").expect("write");
        watched
            .until("a late line", |w| {
                w.texts().last() == Some(&format!("late {n}"))
            })
            .await;
        if n == 2 {
            // Its number moves on while it is written to.
            fs::rename(
                folder.path().join("app.log.1"),
                folder.path().join("app.log.2"),
            )
            .expect("rename");
        }
    }
    assert_eq!(watched.records.len(), 7);
    assert_eq!(watched.gaps, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn r03_several_rotations_between_two_looks_lose_nothing() {
    let mut rotated = Rotated::start("create", 4000).await;
    for _ in 0..4 {
        for _ in 0..3 {
            (rotated.rotate)();
        }
        rotated.watched.pause(Duration::from_millis(300)).await;
    }
    rotated.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r05_copytruncate_of_a_file_that_grows_past_the_offset_before_the_next_look() {
    let (folder, log, mut watched) = read("old one\nold two\n").await;
    append(&log, "old three\n");
    fs::copy(&log, folder.path().join("app.log.1")).expect("copy");
    fs::write(
        &log,
        "new one, and it is longer than all that stood there before\nnew two\n",
    )
    .expect("rewrite");
    watched.until("all", |w| w.records.len() == 5).await;
    let begins: Vec<String> = watched
        .texts()
        .iter()
        .map(|line| line[..7].to_owned())
        .collect();
    assert_eq!(
        begins,
        ["old one", "old two", "old thr", "new one", "new two"]
    );
    assert_eq!(watched.gaps, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn r06_a_file_rewritten_with_the_same_size_is_told_again_with_one_gap() {
    let (_folder, log, mut watched) = read("time,value\n12:00,1\n").await;
    fs::write(&log, "time,value\n12:05,7\n").expect("rewrite");
    watched
        .until("the new lines", |w| w.records.len() == 4)
        .await;
    assert_eq!(
        watched.texts(),
        ["time,value", "12:00,1", "time,value", "12:05,7"]
    );
    let reasons: Vec<GapReason> = watched.gaps.iter().map(|gap| gap.reason).collect();
    assert_eq!(reasons, [GapReason::Truncated]);
}

#[tokio::test(flavor = "multi_thread")]
async fn r07_a_hole_of_ten_gigabytes_is_an_exact_gap_and_not_sent() {
    const HOLE: u64 = 10 << 30;
    let sshd = Sshd::start();
    let log = sshd.path("app.log");
    append(&log, "before\n");
    let mut watched = Watched::follow(vec![following(&sshd, "web-1", &log)], 10);
    watched
        .until("the first line", |w| w.records.len() == 1)
        .await;
    // A writer without O_APPEND goes on at its old offset after the file was cut off.
    let writer = OpenOptions::new().write(true).open(&log).expect("open");
    fs::copy(&log, sshd.path("app.log.1")).expect("copy");
    writer.set_len(0).expect("truncate");
    writer.write_all_at(b"after\n", HOLE).expect("write");
    let began = Stopwatch::start();
    watched
        .until_within(PATIENCE, "the line behind the hole", |w| {
            w.records.len() == 2
        })
        .await;
    began.assert_within_s(10, "the line behind the hole");
    assert_eq!(watched.texts(), ["before", "after"]);
    let gaps: Vec<_> = watched
        .gaps
        .iter()
        .map(|gap| (gap.from, gap.to, gap.reason))
        .collect();
    assert_eq!(gaps, [(0, Some(HOLE), GapReason::NulBytes)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn r08_a_deleted_and_recreated_file_is_read_from_its_start_with_one_gap() {
    let (_folder, log, mut watched) = read("old one\nold two\n").await;
    fs::remove_file(&log).expect("remove");
    fs::write(&log, "new one, longer than what was read before\nnew two\n").expect("create");
    watched
        .until("the new lines", |w| w.records.len() == 4)
        .await;
    assert_eq!(
        watched.texts()[2..],
        ["new one, longer than what was read before", "new two"]
    );
    assert_eq!(watched.gaps.len(), 1, "{:?}", watched.gaps);
}

#[tokio::test(flavor = "multi_thread")]
async fn r09_a_file_renamed_over_the_log_is_never_mixed_with_it() {
    for round in 0..5 {
        let (folder, log, mut watched) = read("old one\nold two\n").await;
        let other = folder.path().join("other");
        fs::write(
            &other,
            "new one, longer than what was read before\nnew two\n",
        )
        .expect("create");
        fs::rename(&other, &log).expect("rename");
        watched
            .until("the new lines", |w| w.records.len() == 4)
            .await;
        assert_eq!(
            watched.texts()[2..],
            ["new one, longer than what was read before", "new two"],
            "round {round}"
        );
        assert_eq!(watched.gaps.len(), 1, "{:?}", watched.gaps);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r10_a_link_that_is_moved_on_has_its_old_target_read_to_the_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    append(&path("1.txt"), "one\n");
    symlink(path("1.txt"), path("current.log")).expect("link");
    let mut watched = Watched::follow(vec![local_host("here", &[&path("current.log")])], 10);
    watched
        .until("the first file", |w| w.texts() == ["one"])
        .await;
    append(&path("1.txt"), "its end\n");
    append(&path("2.txt"), "two\n");
    symlink(path("2.txt"), path("next")).expect("link");
    fs::rename(path("next"), path("current.log")).expect("swap");
    watched.until("both", |w| w.records.len() == 3).await;
    assert_eq!(watched.texts(), ["one", "its end", "two"]);
    assert_eq!(watched.gaps, []);
    assert!(
        watched
            .sources
            .iter()
            .all(|info| info.path.ends_with("current.log")),
        "{:?}",
        watched.sources
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn r11_the_end_of_a_log_that_was_compressed_at_once_is_read_from_there() {
    let mut rotated = Rotated::start("create\n compress", 4000).await;
    for round in 0..6 {
        if round % 2 == 0 {
            rotated.sshd.cut();
        }
        (rotated.rotate)();
        rotated.watched.pause(Duration::from_millis(900)).await;
    }
    assert!(
        rotated.sshd.path("app.log.6.gz").exists(),
        "it was compressed"
    );
    rotated.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r12_a_line_in_three_pieces_over_a_lost_connection_is_told_once_and_whole() {
    let sshd = Sshd::start();
    let log = sshd.path("app.log");
    append(&log, "one\ntw");
    let mut watched = Watched::follow(vec![following(&sshd, "web-1", &log)], 10);
    watched
        .until("the first line", |w| w.records.len() == 1)
        .await;
    append(&log, "o, an");
    watched.pause(Duration::from_millis(300)).await;
    sshd.cut();
    append(&log, "d its end\nthree\n");
    watched
        .until_within(LONG, "the rest", |w| w.records.len() >= 3)
        .await;
    assert_eq!(watched.texts(), ["one", "two, and its end", "three"]);
    assert_eq!(watched.gaps, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn r13_a_very_long_line_is_cut_with_an_exact_gap() {
    const LENGTH: usize = 24 << 20;
    let (_folder, log, mut watched) = read("before\n").await;
    let mut file = OpenOptions::new().append(true).open(&log).expect("open");
    for _ in 0..LENGTH >> 20 {
        file.write_all(&vec![b'x'; 1 << 20]).expect("write");
    }
    file.write_all(b"\nafter\n").expect("write");
    watched
        .until_within(LONG, "the line after it", |w| w.records.len() == 3)
        .await;
    let lengths: Vec<usize> = watched
        .records
        .iter()
        .map(|record| record.content.raw.len())
        .collect();
    assert_eq!(lengths, [6, 1 << 20, 5]);
    let gaps: Vec<_> = watched
        .gaps
        .iter()
        .map(|gap| (gap.bytes(), gap.reason))
        .collect();
    assert_eq!(
        gaps,
        [(Some((LENGTH - (1 << 20)) as u64), GapReason::LineTooLong)]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn r14_a_log_in_a_folder_that_comes_again_is_read_from_its_first_byte() {
    let folder = tempfile::tempdir().expect("a folder");
    let (sub, log) = (folder.path().join("sub"), folder.path().join("sub/app.log"));
    let mut watched = Watched::follow(vec![local_host("here", &[&log])], 1);
    watched
        .until("the reason", |w| {
            w.sources.iter().any(|info| info.problem.is_some())
        })
        .await;
    fs::create_dir(&sub).expect("a folder");
    append(&log, "one\ntwo\n");
    watched
        .until("all its lines", |w| w.texts() == ["one", "two"])
        .await;
    fs::remove_dir_all(&sub).expect("remove");
    let gone = watched.sources.len();
    watched
        .until("that it is gone", |w| {
            w.sources[gone..].iter().any(|info| info.problem.is_some())
        })
        .await;
    fs::create_dir(&sub).expect("a folder");
    append(&log, "three, and more than before\nfour\n");
    watched
        .until("the new lines", |w| w.records.len() == 4)
        .await;
    assert_eq!(
        watched.texts()[2..],
        ["three, and more than before", "four"]
    );
    assert!(watched.gaps.len() <= 1, "{:?}", watched.gaps);
}

#[tokio::test(flavor = "multi_thread")]
async fn r16_a_pattern_takes_new_files_and_passes_over_folders_and_loops() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    append(&path("a.log"), "a\n");
    fs::create_dir(path("folder.log")).expect("a folder");
    symlink(path("loop.log"), path("loop.log")).expect("a link");
    let mut watched = Watched::follow(vec![local_host("here", &[&path("*.log")])], 10);
    watched
        .until("the first file", |w| w.texts() == ["a"])
        .await;
    append(&path("b.log"), "b\n");
    let began = Stopwatch::start();
    watched
        .until("the new file", |w| w.texts() == ["a", "b"])
        .await;
    began.assert_within_s(4, "the new file");
    assert!(
        watched
            .sources
            .iter()
            .all(|info| !info.path.contains("folder.log")),
        "{:?}",
        watched.sources
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn r16_a_link_to_the_newest_log_tells_nothing_that_its_file_has_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let link = |to: &str| {
        symlink(path(to), path("next")).expect("link");
        fs::rename(path("next"), path("a-newest.log")).expect("swap");
    };
    append(&path("day-1.log"), "one\n");
    link("day-1.log");
    let mut watched = Watched::follow(vec![local_host("here", &[&path("*.log")])], 10);
    watched
        .until("the first line", |w| w.texts() == ["one"])
        .await;
    append(&path("day-2.log"), "two\n");
    link("day-2.log");
    watched
        .until("the next file", |w| w.records.len() >= 2)
        .await;
    for n in 3..6 {
        append(&path("day-2.log"), &format!("line {n}\n"));
        watched
            .until("the next line", |w| {
                w.texts().contains(&format!("line {n}"))
            })
            .await;
        watched.pause(Duration::from_millis(700)).await;
    }
    append(&path("day-1.log"), "late\n");
    watched
        .until("the late line", |w| w.texts().contains(&"late".to_owned()))
        .await;
    assert_eq!(
        watched.texts(),
        ["one", "two", "line 3", "line 4", "line 5", "late"]
    );
    assert_eq!(watched.gaps, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn r17_empty_and_tiny_files_and_those_with_equal_heads_are_told_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let head = "the same first line of all\n".repeat(200);
    append(&path("empty.log"), "");
    append(&path("a.log"), &(head.clone() + "a\n"));
    append(&path("b.log"), &(head + "b\n"));
    let logs = ["empty.log", "a.log", "b.log"].map(path);
    let logs: Vec<&Path> = logs.iter().map(std::path::PathBuf::as_path).collect();
    let mut watched = Watched::follow(vec![local_host("here", &logs)], 1);
    watched
        .until("the last lines", |w| w.records.len() == 2)
        .await;
    append(logs[0], "tiny");
    append(logs[0], "\n");
    append(logs[1], "a again\n");
    append(logs[2], "b again\n");
    watched
        .until("the new lines", |w| w.records.len() == 5)
        .await;
    let mut texts = watched.texts();
    texts.sort();
    assert_eq!(texts, ["a", "a again", "b", "b again", "tiny"]);
    assert_eq!(watched.gaps, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn r19_times_of_change_that_go_back_change_nothing() {
    let (folder, log, mut watched) = read("one\n").await;
    append(&log, "two\n");
    fs::rename(&log, folder.path().join("app.log.1")).expect("rename");
    append(&log, "three\n");
    run(Command::new("touch").args(["-d", "2001-01-01"]).arg(&log));
    watched
        .until("the new file", |w| w.records.len() == 3)
        .await;
    append(&log, "four\n");
    run(Command::new("touch").args(["-d", "2000-01-01"]).arg(&log));
    fs::rename(&log, folder.path().join("app.log.0")).expect("rename");
    append(&log, "five\n");
    run(Command::new("touch").args(["-d", "1999-01-01"]).arg(&log));
    watched.until("all", |w| w.records.len() == 5).await;
    assert_eq!(watched.texts(), ["one", "two", "three", "four", "five"]);
    assert_eq!(watched.gaps, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn r20_pipes_folders_sockets_and_devices_are_refused_and_hold_up_nobody() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    run(Command::new("mkfifo").arg(path("pipe")));
    fs::create_dir(path("folder")).expect("a folder");
    let _socket = std::os::unix::net::UnixListener::bind(path("socket")).expect("a socket");
    append(&path("app.log"), "one\n");
    let device = Path::new("/dev/zero");
    let [pipe, sub, socket, log] = ["pipe", "folder", "socket", "app.log"].map(path);
    let mut watched = Watched::follow(
        vec![local_host("here", &[&pipe, &sub, &socket, device, &log])],
        10,
    );
    let refused = |w: &Watched| {
        w.sources
            .iter()
            .filter(|info| info.problem.is_some())
            .count()
    };
    watched
        .until("the line, and four reasons", |w| {
            w.texts() == ["one"] && refused(w) == 4
        })
        .await;
    append(&log, "two\n");
    watched
        .until("the next line", |w| w.texts() == ["one", "two"])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r21_cuts_without_rotation_lose_nothing_even_in_the_middle_of_lines() {
    let cuts = std::env::var("LOGTRAIL_CUTS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(5);
    let mut rotated = Rotated::start("create", 15_000).await;
    let mut chance = chance();
    for _ in 0..cuts {
        let seen = rotated.watched.records.len();
        rotated.sshd.cut();
        rotated
            .watched
            .until_within(LONG, "lines after a cut", |w| w.records.len() > seen + 500)
            .await;
        rotated.watched.pause(millis(&mut chance, 0..200)).await;
    }
    rotated.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r22_rename_rotation_while_the_connection_is_away_loses_nothing() {
    let mut rotated = Rotated::start("create", 4000).await;
    for turns in [1, 2, 4] {
        rotated.sshd.cut();
        (0..turns).for_each(|_| (rotated.rotate)());
        let seen = rotated.watched.records.len();
        rotated
            .watched
            .until_within(LONG, "lines again", |w| w.records.len() > seen + 1000)
            .await;
    }
    rotated.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r23_copytruncate_while_the_connection_is_away_is_read_from_the_copies() {
    let sshd = Sshd::start();
    let log = sshd.path("app.log");
    let mut watched = Watched::follow(vec![following(&sshd, "web-1", &log)], 10);
    let rotate = logrotate(&sshd, &log, "copytruncate");
    append(&log, "0\n");
    watched
        .until("the first line", |w| w.records.len() == 1)
        .await;
    for turn in 1..4 {
        append(&log, &format!("{turn} before\n"));
        sshd.cut();
        rotate();
        append(
            &log,
            &format!("{turn} between, and longer than what stood there before it was cut off\n"),
        );
        rotate();
        append(&log, &format!("{turn} after\n"));
        watched
            .until_within(LONG, "all lines", |w| w.records.len() == turn * 3 + 1)
            .await;
    }
    let words: Vec<String> = watched
        .texts()
        .iter()
        .map(|line| line.replace(',', " "))
        .collect();
    let expected =
        (1..4).flat_map(|turn| ["before", "between", "after"].map(|word| format!("{turn} {word}")));
    assert!(
        words[1..]
            .iter()
            .zip(expected)
            .all(|(line, begin)| line.starts_with(&begin)),
        "{words:?}"
    );
    assert_eq!(watched.gaps, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn r24_a_file_recreated_during_a_cut_is_read_from_its_start() {
    let sshd = Sshd::start();
    let log = sshd.path("app.log");
    append(&log, "old one\nold two\n");
    let mut watched = Watched::follow(vec![following(&sshd, "web-1", &log)], 10);
    watched
        .until("the old lines", |w| w.records.len() == 2)
        .await;
    sshd.cut();
    fs::remove_file(&log).expect("remove");
    fs::write(
        &log,
        "new one, and it is longer than what was read of the old\nnew two\n",
    )
    .expect("create");
    watched
        .until_within(LONG, "the new lines", |w| w.records.len() >= 4)
        .await;
    let new = [
        "new one, and it is longer than what was read of the old",
        "new two",
    ];
    assert_eq!(watched.texts()[2..], new);
    assert_eq!(watched.gaps.len(), 1, "{:?}", watched.gaps);
}

#[tokio::test(flavor = "multi_thread")]
async fn r25_a_console_begins_again_with_the_last_lines_and_leaves_nothing_behind() {
    let (folder, log, watched) = read("one\ntwo\n").await;
    drop(watched);
    append(&log, "three\n");
    let mut again = Watched::follow(vec![local_host("here", &[&log])], 2);
    again
        .until("the last lines", |w| w.records.len() == 2)
        .await;
    assert_eq!(again.texts(), ["two", "three"]);
    let left = fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(left, 1, "nothing beside the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn r26_what_retention_removed_is_exactly_one_gap_with_its_reason_and_time() {
    let sshd = Sshd::start();
    let log = sshd.path("app.log");
    append(&log, "one\n");
    let mut watched = Watched::follow(vec![following(&sshd, "web-1", &log)], 10);
    watched
        .until("the first line", |w| w.records.len() == 1)
        .await;
    sshd.cut();
    for n in 0..4 {
        append(&log, &format!("generation {n}\n"));
        // As `rotate 1` has it.
        fs::rename(&log, sshd.path("app.log.1")).expect("rename");
        File::create(&log).expect("create");
    }
    append(&log, "last\n");
    watched
        .until_within(LONG, "the last line", |w| {
            w.texts().contains(&"last".to_owned())
        })
        .await;
    assert_eq!(watched.texts(), ["one", "generation 3", "last"]);
    let [gap] = &watched.gaps[..] else {
        panic!("{:?}", watched.gaps)
    };
    assert_eq!((gap.from, gap.to), (4, None));
    // Its number may have been given to the file that has the name now.
    assert!(
        matches!(gap.reason, GapReason::RotatedAway | GapReason::Truncated),
        "{gap:?}"
    );
    assert!(gap.since.is_some_and(|since| since <= gap.until), "{gap:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn r27_each_line_names_its_true_file_while_two_files_swap_names() {
    use std::os::unix::fs::MetadataExt;
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    append(&path("app.log"), "of a\n");
    append(&path("app.log.1"), "of b\n");
    let number = |name: &str| fs::metadata(path(name)).expect("a file").ino();
    let (a, b) = (number("app.log"), number("app.log.1"));
    let mut watched = Watched::follow(vec![local_host("here", &[&path("app.log")])], 10);
    watched
        .until("the first line", |w| w.records.len() == 1)
        .await;
    let until = Instant::now() + Duration::from_secs(4);
    let swapper = std::thread::spawn({
        let [live, old, third] = ["app.log", "app.log.1", "third"].map(path);
        move || {
            let mut swaps = 0;
            while Instant::now() < until {
                fs::rename(&live, &third).expect("rename");
                fs::rename(&old, &live).expect("rename");
                fs::rename(&third, &old).expect("rename");
                swaps += 1;
            }
            swaps
        }
    });
    watched.pause(Duration::from_secs(4)).await;
    let swaps = swapper.join().expect("no panic");
    assert!(swaps > 1000, "{swaps} swaps");
    for record in &watched.records {
        let of = if record.content.cursor.file.ino == a {
            "of a"
        } else {
            "of b"
        };
        assert!([a, b].contains(&record.content.cursor.file.ino));
        assert_eq!(
            String::from_utf8_lossy(&record.content.raw),
            of,
            "{record:?}"
        );
    }
}
