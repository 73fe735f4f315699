//! Following real files with a real shell, on this machine and over real SSH.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use logtrail::model::host::HostSpec;
use logtrail::model::state::LinkState;

use crate::support::files::append;
use crate::support::fleet::Watched;
use crate::support::spec::{following, local_host};
use crate::support::sshd::Sshd;

#[tokio::test(flavor = "multi_thread")]
async fn it_begins_with_the_last_lines_of_a_file_and_goes_on_with_new_ones() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("it's a \"log\" $(touch x)\n.log");
    append(&log, "one\ntwo\nthree\n");
    let mut watched = Watched::follow(vec![local_host("here", &[&log])], 2);
    watched
        .until("the last two lines", |w| w.records.len() == 2)
        .await;
    append(&log, "four\nfi");
    watched
        .until("the next line", |w| w.records.len() == 3)
        .await;
    append(&log, "ve\n");
    watched
        .until("the line in two parts", |w| w.records.len() == 4)
        .await;
    assert_eq!(watched.texts(), ["two", "three", "four", "five"]);
    watched
        .until("two samples", |w| {
            w.samples.iter().any(|(_, sample)| sample.cpu.is_some())
        })
        .await;
    watched.fleet.take().expect("running").stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_file_is_read_to_its_end_and_its_successor_from_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("app.log");
    append(&log, "one\n");
    let mut watched = Watched::follow(vec![local_host("here", &[&log])], 10);
    watched
        .until("the first line", |w| w.records.len() == 1)
        .await;
    append(&log, "two\n");
    fs::rename(&log, folder.path().join("app.log.1")).expect("rename");
    File::create(&log).expect("create");
    append(&folder.path().join("app.log.1"), "three\n");
    append(&log, "four\n");
    watched.until("all lines", |w| w.records.len() == 4).await;
    assert_eq!(watched.texts(), ["one", "two", "three", "four"]);
    assert_eq!(watched.gaps, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_file_degrades_the_host_until_it_appears() {
    let folder = tempfile::tempdir().expect("a folder");
    let (log, other) = (
        folder.path().join("late.log"),
        folder.path().join("there.log"),
    );
    append(&other, "there\n");
    let mut watched = Watched::follow(vec![local_host("here", &[&log, &other])], 10);
    let state = |w: &Watched| w.statuses.last().map(|(_, status)| status.state);
    watched
        .until("the state to be degraded", |w| {
            state(w) == Some(LinkState::Degraded)
        })
        .await;
    watched
        .until("the other file's line", |w| w.texts() == ["there"])
        .await;
    append(&log, "here I am\n");
    watched
        .until("the state to be ok", |w| state(w) == Some(LinkState::Ok))
        .await;
    watched
        .until("its first line", |w| w.texts() == ["there", "here I am"])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_truncated_file_leaves_a_gap_and_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("app.log");
    append(&log, "a line that is gone soon\n");
    let mut watched = Watched::follow(vec![local_host("here", &[&log])], 10);
    watched
        .until("the first line", |w| w.records.len() == 1)
        .await;
    fs::write(&log, "new\n").expect("rewrite");
    watched
        .until("the new line", |w| w.records.len() == 2)
        .await;
    assert_eq!(watched.gaps.len(), 1, "{:?}", watched.gaps);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bounded_pass_ends_by_itself_with_lines_and_rates() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("app.log");
    append(
        &log,
        &(0..5000).map(|n| format!("line {n}\n")).collect::<String>(),
    );
    let mut watched = Watched::once(
        vec![local_host("here", &[&log])],
        3,
        super::support::PATIENCE,
    );
    watched.until("the end", |w| w.over).await;
    assert_eq!(watched.texts(), ["line 4997", "line 4998", "line 4999"]);
    let (_, sample) = watched.samples.last().expect("samples");
    assert!(
        sample.window_ms.is_some_and(|window| window >= 500),
        "{sample:?}"
    );
    assert!(sample.cpu.is_some(), "{sample:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pass_over_a_log_under_rotation_is_never_silently_empty() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("app.log");
    append(&log, "first\n");
    let ended = Arc::new(AtomicBool::new(false));
    let (rotated, is_ended) = (log.clone(), Arc::clone(&ended));
    let rotating = std::thread::spawn(move || {
        let old = |n: u32| rotated.with_extension(format!("log.{n}"));
        for turn in 0.. {
            for n in (1..5).rev().filter(|&n| old(n).exists()) {
                fs::rename(old(n), old(n + 1)).expect("rename");
            }
            fs::rename(&rotated, old(1)).expect("rename");
            append(&rotated, &format!("line {turn}\n"));
            std::thread::sleep(Duration::from_millis(70));
            if is_ended.load(Ordering::SeqCst) {
                return;
            }
        }
    });
    for pass in 0..8 {
        let mut watched = Watched::once(
            vec![local_host("here", &[&log])],
            3,
            super::support::PATIENCE,
        );
        watched.until("the end", |w| w.over).await;
        let has_reason =
            watched.sources.iter().any(|info| info.problem.is_some()) || !watched.gaps.is_empty();
        assert!(
            !watched.records.is_empty() || has_reason,
            "pass {pass}: nothing, and no reason"
        );
    }
    ended.store(true, Ordering::SeqCst);
    rotating.join().expect("it only renames");
}

/// Logs that rest, and when each gets its one line: from before their files are taken for resting
/// until what waits for them has waited for long.
const RESTING: u32 = 16;
const FIRST_LINE: Duration = Duration::from_secs(5);
const NEXT_LINE: Duration = Duration::from_millis(600);

/// How much later than a line of a log that never rests a line may be told.
const WAKING: Duration = Duration::from_millis(1500);

fn since_epoch() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("it is later than that")
}

fn followed(sshd: &Sshd, name: &str) -> (HostSpec, PathBuf) {
    let log = sshd.path(&format!("{name}.log"));
    append(&log, "begin\n");
    (following(sshd, name, &log), log)
}

/// Writes to the busy log all the time and once to each of the others; every line says when it was
/// written.
fn write_at_their_times(busy: &Path, resting: &[PathBuf]) {
    let started = Instant::now();
    let mut resting = resting.iter();
    let mut next = FIRST_LINE;
    while resting.len() > 0 || started.elapsed() < next + WAKING * 2 {
        append(busy, &format!("busy {}\n", since_epoch().as_micros()));
        if started.elapsed() >= next
            && let Some(log) = resting.next()
        {
            append(log, &format!("resting {}\n", since_epoch().as_micros()));
            next += NEXT_LINE;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    append(busy, "end\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_of_a_resting_log_comes_about_as_soon_as_one_of_a_busy_log() {
    let sshd = Sshd::start();
    let (busy_host, busy) = followed(&sshd, "busy");
    let (mut hosts, logs): (Vec<_>, Vec<_>) = (0..RESTING)
        .map(|n| followed(&sshd, &format!("web-{n}")))
        .unzip();
    hosts.push(busy_host);
    let mut watched = Watched::follow(hosts, 1);
    watched
        .until("the first line of all", |w| {
            w.records.len() as u32 > RESTING
        })
        .await;
    let writer = std::thread::spawn(move || write_at_their_times(&busy, &logs));

    // What a slow machine costs, it costs both.
    let (mut resting, mut of_busy) = (Vec::new(), Duration::ZERO);
    let mut told = watched.records.len();
    while watched.texts().last().is_none_or(|line| line != "end")
        || (resting.len() as u32) < RESTING
    {
        watched
            .until("another line", |w| w.records.len() > told)
            .await;
        let now = since_epoch();
        for line in watched.texts().drain(told..) {
            let Some((log, at)) = line.split_once(' ') else {
                continue;
            };
            let took = now.saturating_sub(Duration::from_micros(at.parse().expect("a time")));
            if log == "busy" {
                of_busy = of_busy.max(took);
            } else {
                resting.push(took);
            }
        }
        told = watched.records.len();
    }
    writer.join().expect("all is written");
    assert_eq!(resting.len() as u32, RESTING);
    assert!(
        resting.iter().all(|took| *took <= WAKING + of_busy),
        "{resting:?}, of the busy log {of_busy:?}"
    );
}
