//! R18: logs on file systems that are not those of a disk of the host: FUSE, overlays, bind mounts,
//! memory.
//!
//! They are real ones. The FUSE file system is in this process
//! ([`support::fuse`](super::support::fuse)); what is written to the folder behind it raises no
//! event, as on a network mount. Lines have serial numbers as in `rotations`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fuser::Errno;
use logtrail::files::access::ScanRequest;
use logtrail::host::shell::ShellFiles;
use logtrail::host::{Files, LocalFiles};
use logtrail::model::state::LinkState;
use logtrail::query::Prefilter;

use crate::support::PATIENCE;
use crate::support::chance::{chance, millis};
use crate::support::connect::connect;
use crate::support::files::append;
use crate::support::fleet::Watched;
use crate::support::fuse::{Fuse, Manners};
use crate::support::mounted::{Mounted, with_own_mounts};
use crate::support::serials::{assert_all_once, assert_complete, lines_of, until_last_line};
use crate::support::spec::local_host;
use crate::support::time_limit::{Stopwatch, assert_at_most};
use crate::support::writer::Writer;

/// A folder and the place where it is seen once more. The place is removed before what is mounted
/// there is gone: it must be dropped last.
struct Places {
    folder: tempfile::TempDir,
}

impl Places {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["real", "seen", "other", "work"] {
            fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        Self { folder }
    }

    fn real(&self, name: &str) -> PathBuf {
        self.folder.path().join("real").join(name)
    }

    fn seen(&self, name: &str) -> PathBuf {
        self.folder.path().join("seen").join(name)
    }

    fn other(&self, name: &str) -> PathBuf {
        self.folder.path().join("other").join(name)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn fuse(&self, numbers: u64, manners: Manners) -> Fuse {
        Fuse::mount(&self.at("real"), &self.at("seen"), numbers, manners)
    }
}

/// More than a marker's worth of lines, which a short log does not have.
fn many_lines() -> Vec<String> {
    (0..60)
        .map(|n| format!("line {n} of those that were there before"))
        .collect()
}

fn follow(paths: &[&Path], lines: u32) -> Watched {
    Watched::follow(vec![local_host("here", paths)], lines)
}

/// What the last status says of why a source is not read.
fn reason(watched: &Watched) -> String {
    let status = watched.statuses.last().map(|(_, status)| status.clone());
    status
        .filter(|status| status.state == LinkState::Degraded)
        .and_then(|status| status.reason)
        .unwrap_or_default()
}

fn is_well(watched: &Watched) -> bool {
    watched
        .statuses
        .last()
        .is_some_and(|(_, status)| status.state == LinkState::Ok)
}

#[test]
fn r18_nothing_beyond_a_size_that_lags_is_taken_for_text() {
    with_own_mounts(|| async {
        for zeroes_beyond in [false, true] {
            let places = Places::new();
            let lag = Duration::from_millis(700);
            let fuse = places.fuse(
                0,
                Manners {
                    sizes_lag: lag,
                    zeroes_beyond,
                    ..Manners::default()
                },
            );
            let mut writer = Writer::start(&places.real("app.log"), &places.real("no"), 3000);
            let mut watched = follow(&[&places.seen("app.log")], 0);
            watched.until("lines", |w| w.records.len() > 15_000).await;
            assert_complete(&mut watched, &mut writer, PATIENCE).await;
            assert!(
                fuse.reads_beyond() > 0,
                "no read reached beyond the size that was told"
            );
        }
    });
}

/// The text of a file and where it ends, read and scanned for.
async fn read_back(files: &mut impl Files, path: &Path) -> (String, bool, usize) {
    let path = path.to_str().expect("UTF-8").as_bytes();
    let file = files
        .list(path)
        .await
        .expect("a list")
        .into_iter()
        .find(|file| file.path == path)
        .expect("the file");
    let chunk = files.read(&file, 0, 100_000).await.expect("text");
    let scan = ScanRequest {
        file,
        from: 0,
        to: u64::MAX,
        filter: Prefilter::Everything,
        before: 0,
        after: 0,
    };
    files.scan(&scan).await.expect("a scan");
    let mut lines = 0;
    while let Some(finds) = files.next().await.expect("lines") {
        lines += finds.lines.len();
    }
    (
        String::from_utf8_lossy(&chunk.bytes).into_owned(),
        chunk.at_end,
        lines,
    )
}

#[test]
fn r18_nothing_beyond_a_size_that_lags_is_read_back() {
    with_own_mounts(|| async {
        let places = Places::new();
        append(&places.real("app.log"), "one\ntwo\n");
        let for_ever = Duration::from_secs(3600);
        let fuse = places.fuse(
            0,
            Manners {
                sizes_lag: for_ever,
                zeroes_beyond: true,
                ..Manners::default()
            },
        );
        let seen = places.seen("app.log");
        assert_eq!(fs::metadata(&seen).expect("there").len(), 8);
        append(&places.real("app.log"), &"three\n".repeat(1000));
        let connection = connect(&local_host("here", &[])).await;
        let by_shell = read_back(
            &mut ShellFiles::start(&connection).await.expect("a shell"),
            &seen,
        )
        .await;
        let by_engine = read_back(&mut LocalFiles::new(), &seen).await;
        assert!(
            fuse.reads_beyond() > 0,
            "no read reached beyond the size that was told"
        );
        let expected = ("one\ntwo\n".to_owned(), true, 2);
        assert_eq!((by_shell, by_engine), (expected.clone(), expected));
    });
}

#[test]
fn r18_a_log_that_has_another_number_after_a_remount_goes_on_where_it_was() {
    with_own_mounts(|| async {
        for is_gone_between in [true, false] {
            let places = Places::new();
            let (real, seen) = (places.real("app.log"), places.seen("app.log"));
            let mut expected = many_lines();
            append(&real, &(expected.join("\n") + "\nhalf of "));
            let mut fuse = Some(places.fuse(0, Manners::default()));
            let mut watched = follow(&[&seen], 100);
            watched
                .until("the first lines", |w| w.texts() == expected)
                .await;
            for round in 1..=3 {
                if is_gone_between {
                    fuse = None;
                    watched
                        .until("that it is gone", |w| reason(w).contains("no such file"))
                        .await;
                }
                append(&real, &format!("it\nline {round}\nhalf of "));
                // Over the one that is there, where that is not gone.
                let next = places.fuse(round << 40, Manners::default());
                expected.extend(["half of it".to_owned(), format!("line {round}")]);
                watched
                    .until("the next lines", |w| w.records.len() >= expected.len())
                    .await;
                drop(fuse.replace(next));
                watched.pause(Duration::from_millis(600)).await;
            }
            assert_eq!(watched.texts(), expected, "gone between: {is_gone_between}");
            assert_eq!(watched.gaps, []);
        }
    });
}

#[test]
fn r18_the_old_file_is_read_first_when_an_unmounted_log_was_rotated() {
    with_own_mounts(|| async {
        let places = Places::new();
        let (real, seen) = (places.real("app.log"), places.seen("app.log"));
        for n in 1..=2 {
            append(
                &places.real(&format!("app.log.{n}")),
                &format!("of a generation that nobody asked for: {n}\n"),
            );
        }
        let rotate = || {
            for n in (1..4)
                .rev()
                .filter(|n| places.real(&format!("app.log.{n}")).exists())
            {
                fs::rename(
                    places.real(&format!("app.log.{n}")),
                    places.real(&format!("app.log.{}", n + 1)),
                )
                .expect("rename");
            }
            fs::rename(&real, places.real("app.log.1")).expect("rename");
        };
        let mut expected = many_lines();
        append(&real, &(expected.join("\n") + "\n"));
        let fuse = places.fuse(0, Manners::default());
        let mut watched = follow(&[&seen], 100);
        watched
            .until("the first lines", |w| w.texts() == expected)
            .await;
        drop(fuse);
        append(&real, "its end\n");
        rotate();
        let next = many_lines()
            .iter()
            .map(|line| line.replace("before", "after, and this is longer"))
            .collect::<Vec<_>>();
        append(&real, &(next.join("\n") + "\n"));
        let fuse = places.fuse(1 << 40, Manners::default());
        expected.push("its end".to_owned());
        expected.extend(next);
        watched
            .until("all", |w| w.records.len() >= expected.len())
            .await;
        // Another mount, and another rotation after it: what is beside the log is still what it
        // was.
        let over = places.fuse(2 << 40, Manners::default());
        append(&real, "on another mount\n");
        expected.push("on another mount".to_owned());
        watched
            .until("a line", |w| w.records.len() >= expected.len())
            .await;
        rotate();
        append(&real, "new\n");
        expected.push("new".to_owned());
        watched
            .until("the new file", |w| w.records.len() >= expected.len())
            .await;
        watched.pause(Duration::from_millis(600)).await;
        drop((over, fuse));
        assert_eq!(watched.texts(), expected);
        assert_eq!(watched.gaps, []);
    });
}

#[test]
fn r18_a_new_log_of_the_same_size_is_not_taken_for_the_old_one() {
    with_own_mounts(|| async {
        let places = Places::new();
        let (real, seen) = (places.real("app.log"), places.seen("app.log"));
        append(&real, "old one\nold two\n");
        let fuse = places.fuse(0, Manners::default());
        let mut watched = follow(&[&seen], 10);
        watched
            .until("the first lines", |w| w.records.len() == 2)
            .await;
        drop(fuse);
        fs::remove_file(&real).expect("remove");
        append(&real, "new one\nnew two\nnew three\n");
        let _fuse = places.fuse(1 << 40, Manners::default());
        watched
            .until("the new lines", |w| {
                w.texts().iter().any(|line| line == "new three")
            })
            .await;
        assert_eq!(
            watched.texts(),
            ["old one", "old two", "new one", "new two", "new three"]
        );
        assert_eq!(watched.gaps.len(), 1, "{:?}", watched.gaps);
    });
}

#[test]
fn r18_a_server_that_goes_and_comes_back_costs_no_line() {
    with_own_mounts(|| async {
        for (error, words) in [
            (Errno::ESTALE, "Stale file handle"),
            (Errno::EIO, "Input/output error"),
            (Errno::ENOTCONN, "Transport endpoint is not connected"),
        ] {
            let places = Places::new();
            let fuse = places.fuse(0, Manners::default());
            let mut writer = Writer::start(&places.real("app.log"), &places.real("no"), 500);
            let mut watched = follow(&[&places.seen("app.log")], 0);
            watched.until("lines", |w| w.records.len() > 300).await;
            for _ in 0..2 {
                fuse.behave(Manners {
                    fails: Some(error),
                    ..Manners::default()
                });
                watched
                    .until("what is wrong", |w| reason(w).contains(words))
                    .await;
                fuse.behave(Manners::default());
                let seen = watched.records.len();
                watched
                    .until("lines after it", |w| {
                        w.records.len() > seen + 300 && is_well(w)
                    })
                    .await;
            }
            let written = until_last_line(&mut watched, &mut writer, PATIENCE).await;
            assert_all_once(&watched, 0, written);
            assert_eq!(watched.gaps, [], "{words}");
        }
    });
}

#[test]
fn r18_a_log_out_of_reach_at_first_begins_with_its_last_lines() {
    with_own_mounts(|| async {
        let places = Places::new();
        let text: String = (0..5000).map(|n| format!("line {n}\n")).collect();
        append(&places.real("app.log"), &text);
        let fuse = places.fuse(
            0,
            Manners {
                fails: Some(Errno::EIO),
                ..Manners::default()
            },
        );
        let mut watched = follow(&[&places.seen("app.log")], 3);
        watched
            .until("what is wrong", |w| {
                reason(w).contains("Input/output error")
            })
            .await;
        fuse.behave(Manners::default());
        watched
            .until("the last lines", |w| w.records.len() >= 3)
            .await;
        append(&places.real("app.log"), "the next\n");
        watched
            .until("the next", |w| {
                w.texts().iter().any(|line| line == "the next")
            })
            .await;
        assert_eq!(
            watched.texts(),
            ["line 4997", "line 4998", "line 4999", "the next"]
        );
        assert_eq!(watched.gaps, []);
    });
}

#[test]
fn r18_unread_lines_are_told_though_nothing_more_is_written() {
    with_own_mounts(|| async {
        for at_rest in [false, true] {
            let places = Places::new();
            append(&places.real("app.log"), "one\n");
            let fuse = places.fuse(0, Manners::default());
            let mut watched = follow(&[&places.seen("app.log")], 10);
            watched
                .until("the first line", |w| w.records.len() == 1)
                .await;
            if at_rest {
                watched.pause(Duration::from_secs(15)).await;
            }
            fuse.behave(Manners {
                reads_fail: Some(Errno::EIO),
                ..Manners::default()
            });
            append(&places.real("app.log"), "two\n");
            watched.pause(Duration::from_millis(1500)).await;
            assert_eq!(watched.texts(), ["one"]);
            fuse.behave(Manners::default());
            watched
                .until("the line", |w| w.texts() == ["one", "two"])
                .await;
            assert_eq!(watched.gaps, []);
        }
    });
}

/// How late lines are told that are written to `real` and read at `seen`, sorted.
async fn delays(watched: &mut Watched, real: &Path, rest: Duration, count: usize) -> Vec<Duration> {
    let mut delays = Vec::new();
    let mut chance = chance();
    for n in 0..count {
        let pause = rest + millis(&mut chance, 0..500);
        watched.pause(pause).await;
        let written = Instant::now();
        append(real, &format!("line {n}\n"));
        watched
            .until("the line", |w| {
                w.texts().last() == Some(&format!("line {n}"))
            })
            .await;
        delays.push(written.elapsed());
    }
    delays.sort();
    delays
}

/// Whether the `tail` that waits for this file has asked the kernel for events.
async fn wait_for_watcher(watched: &mut Watched, log: &Path) -> bool {
    let log = log.to_str().expect("UTF-8").to_owned();
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut met: Option<(PathBuf, Instant)> = None;
    loop {
        let processes = fs::read_dir("/proc")
            .expect("/proc")
            .filter_map(|entry| Some(entry.ok()?.path()));
        for process in processes {
            let words = fs::read_to_string(process.join("cmdline")).unwrap_or_default();
            if words.starts_with("tail\0") && words.split('\0').any(|word| word == log) {
                // One that has just begun may be about to ask.
                let began = met
                    .take()
                    .filter(|(known, _)| *known == process)
                    .map_or_else(Instant::now, |(_, began)| began);
                met = Some((process.clone(), began));
                if began.elapsed() < Duration::from_secs(1) {
                    continue;
                }
                let files = fs::read_dir(process.join("fd"))
                    .into_iter()
                    .flatten()
                    .filter_map(Result::ok);
                let mut targets = files.filter_map(|file| fs::read_link(file.path()).ok());
                return targets.any(|target| target.to_string_lossy().contains("inotify"));
            }
        }
        assert!(
            Instant::now() < deadline,
            "nothing waits for {log}, which rests"
        );
        watched.pause(Duration::from_millis(200)).await;
    }
}

#[test]
fn r18_lines_written_behind_the_back_of_a_mount_are_told_in_time() {
    with_own_mounts(|| async {
        let places = Places::new();
        for name in ["fuse.log", "disk.log"] {
            append(&places.real(name), "first\n");
        }
        let _fuse = places.fuse(0, Manners::default());
        for (what, real, seen) in [
            ("a disk", places.real("disk.log"), places.real("disk.log")),
            ("FUSE", places.real("fuse.log"), places.seen("fuse.log")),
        ] {
            let mut watched = follow(&[&seen], 1);
            watched
                .until("the first line", |w| w.records.len() == 1)
                .await;
            for (state, rest) in [("busy", 0), ("at rest", 16_000)] {
                let times = delays(
                    &mut watched,
                    &real,
                    Duration::from_millis(rest),
                    if rest == 0 { 20 } else { 2 },
                )
                .await;
                let (median, last) = (times[times.len() / 2], times[times.len() - 1]);
                eprintln!(
                    "r18: a line on {what}, {state}: told after {median:?}, at most {last:?}"
                );
                // One look in ten is made though nothing wakes the script: 4 s. How quick it is,
                // the bench says.
                assert_at_most(
                    Duration::from_secs(4),
                    last,
                    &format!("a line on {what}, {state}"),
                );
            }
            // What wakes the script at rest is told by the kernel of a disk, and looks itself
            // elsewhere.
            let by_events = wait_for_watcher(&mut watched, &seen).await;
            assert_eq!(
                by_events,
                what == "a disk",
                "{what}: whether tail waits for events"
            );
        }
    });
}

#[test]
fn r18_a_hung_file_system_holds_up_other_sources_for_a_moment_only() {
    with_own_mounts(|| async {
        let places = Places::new();
        let (hung, well) = (places.seen("hung.log"), places.other("well.log"));
        append(&places.real("hung.log"), "hung 0\n");
        append(&well, "well 0\n");
        let fuse = places.fuse(0, Manners::default());
        let mut watched = follow(&[&hung, &well], 10);
        watched
            .until("the first lines", |w| w.records.len() == 2)
            .await;
        fuse.behave(Manners {
            hangs: true,
            ..Manners::default()
        });
        let began = Instant::now();
        append(&places.real("hung.log"), "hung 1\n");
        // The look that was under way may still bring the first of them.
        for n in 1..=3 {
            append(&well, &format!("well {n}\n"));
            let line = format!("well {n}");
            watched
                .until_within(Duration::from_secs(60), &line, |w| {
                    w.texts().contains(&line)
                })
                .await;
            eprintln!(
                "r18: while another file hangs, line {n} was told {:?} after the hang began",
                began.elapsed()
            );
            watched.pause(Duration::from_millis(500)).await;
        }
        watched
            .until("which file it is", |w| {
                reason(w).contains("hung.log: the file system does not answer")
            })
            .await;
        // It stays so: nothing is dialled again, and nothing piles up on the host.
        let (waiting, statuses) = (fuse.waiting(), watched.statuses.len());
        for n in 4..=8 {
            append(&well, &format!("well {n}\n"));
            let line = format!("well {n}");
            let written = Stopwatch::start();
            watched.until(&line, |w| w.texts().contains(&line)).await;
            written.assert_within_s(2, &line);
            watched.pause(Duration::from_secs(1)).await;
        }
        assert_eq!(
            (fuse.waiting(), watched.statuses.len()),
            (waiting, statuses)
        );
        fuse.behave(Manners::default());
        watched
            .until("what hung, and a host that is well", |w| {
                w.texts().contains(&"hung 1".to_owned()) && is_well(w)
            })
            .await;
        append(&places.real("hung.log"), "hung 2\n");
        watched
            .until("the next", |w| w.texts().contains(&"hung 2".to_owned()))
            .await;
        let lines = |of: &str| {
            lines_of(&watched, 0)
                .into_iter()
                .filter(|line| line.starts_with(of))
                .collect::<Vec<_>>()
        };
        assert_eq!(lines("hung"), ["hung 0", "hung 1", "hung 2"]);
        assert_eq!(
            lines("well"),
            (0..=8).map(|n| format!("well {n}")).collect::<Vec<_>>()
        );
        assert_eq!(watched.gaps, []);
    });
}

#[test]
fn r18_a_log_goes_on_when_it_moves_to_the_upper_layer() {
    with_own_mounts(|| async {
        let number =
            |path: &Path| std::os::unix::fs::MetadataExt::ino(&fs::metadata(path).expect("there"));
        for keeps_its_number in [true, false] {
            let places = Places::new();
            let mut expected = many_lines();
            let _lower = Mounted::tmpfs(&places.at("real"));
            append(&places.real("app.log"), &(expected.join("\n") + "\n"));
            if !keeps_its_number {
                // The copy of a file of two names is another file than both.
                fs::hard_link(places.real("app.log"), places.real("twin")).expect("link");
            }
            let (upper, work) = (places.at("other"), places.at("work"));
            let _seen = Mounted::overlay(&places.at("real"), &upper, &work, &places.at("seen"));
            let seen = places.seen("app.log");
            let mut watched = follow(&[&seen], 100);
            watched
                .until("what was there", |w| w.texts() == expected)
                .await;
            let before = number(&seen);
            for line in ["one", "two", "three"] {
                append(&seen, &format!("{line}\n"));
                expected.push(line.to_owned());
                watched
                    .until("the next line", |w| w.records.len() >= expected.len())
                    .await;
            }
            assert_eq!(
                number(&seen) == before,
                keeps_its_number,
                "the kernel numbers copies in another way"
            );
            // Then it is rotated there.
            append(&seen, "four\n");
            fs::rename(&seen, places.seen("app.log.1")).expect("rename");
            append(&seen, "five\n");
            expected.extend(["four", "five"].map(str::to_owned));
            watched
                .until("all", |w| w.records.len() >= expected.len())
                .await;
            watched.pause(Duration::from_millis(600)).await;
            assert_eq!(watched.texts(), expected);
            assert_eq!(watched.gaps, []);
        }
    });
}

#[test]
fn r18_a_log_in_memory_is_followed_over_rotations() {
    with_own_mounts(|| async {
        let places = Places::new();
        let _seen = Mounted::tmpfs(&places.at("seen"));
        let (log, reopen) = (places.seen("app.log"), places.seen("reopen"));
        let mut writer = Writer::start(&log, &reopen, 3000);
        let mut watched = follow(&[&log], 0);
        for round in (1..=4).rev() {
            let seen = watched.records.len();
            watched
                .until("lines", |w| w.records.len() > seen + 1500)
                .await;
            fs::rename(&log, places.seen(&format!("app.log.{round}"))).expect("rename");
            fs::write(&reopen, "").expect("write");
        }
        assert_complete(&mut watched, &mut writer, PATIENCE).await;
    });
}

#[test]
fn r18_a_file_that_a_pattern_finds_under_two_names_is_told_once() {
    with_own_mounts(|| async {
        let places = Places::new();
        append(&places.real("app.log"), "one\n");
        append(&places.other("same.log"), "");
        let _file = Mounted::bind(&places.real("app.log"), &places.other("same.log"));
        let _folder = Mounted::bind(&places.at("real"), &places.at("seen"));
        let mut watched = follow(&[&places.folder.path().join("*/*.log")], 10);
        watched.until("the line", |w| !w.records.is_empty()).await;
        for n in 2..5 {
            append(&places.real("app.log"), &format!("line {n}\n"));
            watched
                .until("the next", |w| w.texts().contains(&format!("line {n}")))
                .await;
            watched.pause(Duration::from_millis(600)).await;
        }
        assert_eq!(watched.texts(), ["one", "line 2", "line 3", "line 4"]);
        assert_eq!(watched.gaps, []);
    });
}

#[test]
fn r18_a_file_whose_name_is_gone_is_told_under_another_name() {
    with_own_mounts(|| async {
        let places = Places::new();
        append(&places.real("app.log"), "one\n");
        let bound = Mounted::bind(&places.at("real"), &places.at("seen"));
        let mut watched = follow(&[&places.seen("app.log"), &places.at("r*/app.log")], 10);
        watched.until("the line", |w| !w.records.is_empty()).await;
        append(&places.real("app.log"), "two\n");
        watched
            .until("the next", |w| w.texts() == ["one", "two"])
            .await;
        drop(bound);
        watched
            .until("that it is gone", |w| {
                reason(w).contains("seen/app.log: no such file")
            })
            .await;
        append(&places.real("app.log"), "three\n");
        watched
            .until("the line under the other name", |w| {
                w.texts() == ["one", "two", "three"]
            })
            .await;
        assert_eq!(watched.gaps, []);
    });
}

#[test]
fn r18_a_file_of_two_names_is_told_to_its_end_when_the_first_name_is_gone() {
    with_own_mounts(|| async {
        let places = Places::new();
        append(&places.real("app.log"), "one\n");
        // The name that comes first.
        fs::create_dir(places.at("mounted")).expect("a folder");
        let bound = Mounted::bind(&places.at("real"), &places.at("mounted"));
        let mut watched = follow(&[&places.at("*/app.log")], 10);
        watched.until("the line", |w| !w.records.is_empty()).await;
        append(&places.real("app.log"), "two\n");
        watched
            .until("the next", |w| w.texts() == ["one", "two"])
            .await;
        drop(bound);
        watched
            .until("that it is gone", |w| {
                reason(w).contains("mounted/app.log: no such file")
            })
            .await;
        append(&places.real("app.log"), "three\n");
        watched
            .until("the line of the other name", |w| w.records.len() >= 3)
            .await;
        let bound = Mounted::bind(&places.at("real"), &places.at("mounted"));
        watched.until("that it is back", is_well).await;
        // It is rotated under both.
        append(&places.real("app.log"), "four\n");
        fs::rename(places.real("app.log"), places.real("app.log.1")).expect("rename");
        append(&places.real("app.log"), "five\n");
        watched.until("all", |w| w.records.len() >= 5).await;
        watched.pause(Duration::from_millis(900)).await;
        drop(bound);
        assert_eq!(watched.texts(), ["one", "two", "three", "four", "five"]);
        assert_eq!(watched.gaps, []);
    });
}
