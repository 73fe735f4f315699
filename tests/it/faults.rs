//! What goes wrong between a host and the console, and with the files: every line is told once or
//! is in a gap.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use logtrail::model::host::HostSpec;
use logtrail::model::source::SourceKind;
use logtrail::model::state::LinkState;
use rand::RngExt;

use crate::support::chance::{chance, millis};
use crate::support::files::{append, executable};
use crate::support::fleet::{Watched, last_state};
use crate::support::logrotate::logrotate;
use crate::support::serials::{
    assert_all_on_disk_once, assert_all_once, has_reached, lines_of, until_last_line,
};
use crate::support::spec::{following, local_host, source};
use crate::support::sshd::Sshd;
use crate::support::time_limit::{Stopwatch, assert_at_most};
use crate::support::writer::{Writer, serial};
use crate::support::{PATIENCE, wait_until};

#[tokio::test(flavor = "multi_thread")]
async fn r29_a_half_open_link_is_noticed_and_holds_up_no_other() {
    let servers = [Sshd::start(), Sshd::start()];
    let logs: Vec<PathBuf> = servers.iter().map(|sshd| sshd.path("app.log")).collect();
    let mut writers: Vec<Writer> = (0..2)
        .map(|n| Writer::start(&logs[n], &servers[n].path("no"), 500))
        .collect();
    let hosts = (0..2)
        .map(|n| following(&servers[n], &format!("web-{n}"), &logs[n]))
        .collect();
    let mut watched = Watched::follow(hosts, 0);
    watched
        .until("lines of both", |w| {
            (0..2).all(|host| lines_of(w, host).len() > 500)
        })
        .await;
    servers[0].freeze(true);
    let (frozen, seen) = (Stopwatch::start(), lines_of(&watched, 1).len());
    let long = Duration::from_secs(30);
    watched
        .until_within(long, "the state to tell", |w| {
            last_state(w, 0).is_some_and(|state| !state.is_up())
        })
        .await;
    let noticed = frozen.took();
    assert_at_most(Duration::from_secs(20), noticed, "noticing");
    let others = lines_of(&watched, 1).len() - seen;
    assert!(
        others as f64 > noticed.as_secs_f64() * 500.0 * 0.8,
        "{others} lines of the other in {noticed:?}"
    );
    servers[0].freeze(false);
    let written: Vec<u64> = writers.iter_mut().map(Writer::stop).collect();
    let all = |w: &Watched| (0..2).all(|host| has_reached(w, host, written[host as usize] - 1));
    watched.until_within(long, "the last lines", all).await;
    (0..2).for_each(|host| assert_all_once(&watched, host, written[host as usize]));
    assert_eq!(watched.gaps, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn r04_copytruncate_under_load_loses_only_what_logrotate_destroys() {
    let sshd = Sshd::start();
    let log = sshd.path("app.log");
    let mut writer = Writer::start(&log, &sshd.path("reopen"), 12_000);
    let rotate = logrotate(&sshd, &log, "copytruncate");
    let mut watched = Watched::follow(vec![following(&sshd, "web-1", &log)], 0);
    watched.until("lines", |w| w.records.len() > 5000).await;
    for _ in 0..4 {
        let seen = watched.records.len();
        rotate();
        let long = Duration::from_secs(40);
        watched
            .until_within(long, "lines after a rotation", |w| {
                w.records.len() > seen + 15_000
            })
            .await;
    }
    until_last_line(&mut watched, &mut writer, PATIENCE).await;

    let mut on_disk = BTreeSet::new();
    for entry in fs::read_dir(sshd.path(""))
        .expect("a folder")
        .filter_map(Result::ok)
    {
        if entry.file_name().to_string_lossy().starts_with("app.log") {
            let text = fs::read(entry.path()).expect("read");
            on_disk.extend(
                text.split(|&byte| byte == b'\n')
                    .map(|line| String::from_utf8_lossy(line).into_owned()),
            );
        }
    }
    let lines = lines_of(&watched, 0);
    let is_whole = |line: &&String| {
        line.ends_with("all is well and goes on as it did") && line.contains("serial=")
    };
    for torn in lines.iter().filter(|line| !is_whole(line)) {
        assert!(
            on_disk.contains(torn),
            "torn by us and not by the rotation: {torn:?}"
        );
    }
    let serials: Vec<u64> = lines
        .iter()
        .filter(is_whole)
        .map(|line| serial(line))
        .collect();
    assert!(
        serials.windows(2).all(|pair| pair[0] < pair[1]),
        "twice, or not in order"
    );
    let ours: BTreeSet<u64> = serials.iter().copied().collect();
    let theirs = on_disk
        .iter()
        .filter(is_whole)
        .map(|line| serial(line))
        .filter(|number| *number >= serials[0]);
    let missed: Vec<u64> = theirs.filter(|number| !ours.contains(number)).collect();
    assert!(
        missed.is_empty() || !watched.gaps.is_empty(),
        "{} lines are on disk and untold: {missed:?}",
        missed.len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn cuts_at_any_moment_of_rotations_lose_nothing_and_tell_nothing_twice() {
    let sshd = Sshd::start();
    let log = sshd.path("app.log");
    let mut writer = Writer::start(&log, &sshd.path("reopen"), 4000);
    let rotate = logrotate(&sshd, &log, "create");
    let mut watched = Watched::follow(vec![following(&sshd, "web-1", &log)], 0);
    watched.until("lines", |w| w.records.len() > 500).await;
    let mut chance = chance();
    for _ in 0..10 {
        // Cuts before, in and after what a rotation brings about, and now and then two rotations
        // while we are away.
        let pause = millis(&mut chance, 0..400);
        watched.pause(pause).await;
        sshd.cut();
        for _ in 0..chance.random_range(1..3) {
            rotate();
        }
        let pause = millis(&mut chance, 0..700);
        watched.pause(pause).await;
    }
    let written = until_last_line(&mut watched, &mut writer, Duration::from_secs(40)).await;
    assert_all_on_disk_once(&watched, &sshd.path(""), written);
    assert_eq!(watched.gaps, []);
}

/// What is done to a log of three lines; what must be told afterwards, beside a gap.
async fn replaced(what: &str, replace: impl Fn(&Path)) {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("app.log");
    append(&log, "old one\nold two\nold thr");
    let mut watched = Watched::follow(vec![local_host("here", &[&log])], 10);
    watched
        .until("the old lines", |w| w.records.len() == 2)
        .await;
    replace(&log);
    watched
        .until(&format!("the new lines, {what}"), |w| {
            w.texts().iter().any(|line| line == "new three")
        })
        .await;
    let new: Vec<String> = watched
        .texts()
        .into_iter()
        .filter(|line| line.contains("new"))
        .collect();
    assert_eq!(
        new,
        ["new one", "new two", "new three"],
        "{what}: {:?}",
        watched.texts()
    );
    let old: Vec<String> = watched
        .texts()
        .into_iter()
        .filter(|line| !line.contains("new"))
        .collect();
    assert!(
        old.len() <= 3
            && ["old one", "old two", "old thr"]
                .starts_with(&old.iter().map(String::as_str).collect::<Vec<_>>()),
        "{what}: {old:?}"
    );
    assert_eq!(watched.gaps.len(), 1, "{what}: {:?}", watched.gaps);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_in_the_place_of_another_is_read_from_its_start_and_never_mixed() {
    const NEW: &str = "new one\nnew two\nnew three\n";
    replaced("deleted and created", |log| {
        fs::remove_file(log).expect("remove");
        fs::write(log, NEW).expect("create");
    })
    .await;
    replaced("renamed over", |log| {
        let other = log.with_extension("tmp");
        fs::write(&other, NEW).expect("create");
        fs::rename(&other, log).expect("rename");
    })
    .await;
    replaced("a link in its place", |log| {
        let other = log.with_extension("tmp");
        fs::write(&other, NEW).expect("create");
        let link = log.with_extension("link");
        std::os::unix::fs::symlink(&other, &link).expect("link");
        fs::rename(&link, log).expect("rename");
    })
    .await;
    replaced("written anew, longer", |log| {
        fs::write(log, NEW).expect("write");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_points_elsewhere_is_followed_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let (first, second) = (folder.path().join("1.txt"), folder.path().join("2.txt"));
    append(&first, "one\n");
    append(&second, "two\n");
    let (link, next) = (folder.path().join("current"), folder.path().join("next"));
    std::os::unix::fs::symlink(&first, &link).expect("link");
    let mut watched = Watched::follow(vec![local_host("here", &[&link])], 10);
    watched
        .until("the first file", |w| w.texts() == ["one"])
        .await;
    std::os::unix::fs::symlink(&second, &next).expect("link");
    fs::rename(&next, &link).expect("swap");
    watched
        .until("the second file", |w| w.texts() == ["one", "two"])
        .await;
    append(&second, "three\n");
    watched
        .until("more of it", |w| w.texts() == ["one", "two", "three"])
        .await;
    assert_eq!(
        watched.gaps,
        [],
        "where the link pointed is known, and the first file is read to its end"
    );
}

fn alive_tasks() -> usize {
    tokio::runtime::Handle::current()
        .metrics()
        .num_alive_tasks()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_that_is_stopped_or_dropped_leaves_no_process_and_no_task() {
    for stop in [true, false] {
        let (flooding, frozen, mute) =
            (Sshd::start(), Sshd::start(), Sshd::builder().mute().start());
        let log = flooding.path("app.log");
        let writer = Writer::start(&log, &flooding.path("no"), 20_000);
        let before = alive_tasks();
        let here = local_host("here", &[&log]);
        let hosts = vec![
            following(&flooding, "flooding", &log),
            following(&frozen, "frozen", &log),
            following(&mute, "mute", &log),
            here,
        ];
        let mut watched = Watched::follow(hosts, 10);
        watched
            .until("lines of those that live", |w| {
                [0, 1, 3].iter().all(|&n| lines_of(w, n).len() > 100)
            })
            .await;
        frozen.freeze(true);
        // Nobody reads what they say while more is written than all queues can hold.
        let enough = writer.written() + 20_000;
        writer.until_beyond(enough).await;
        let ours = [&flooding, &frozen].map(Sshd::session_processes).concat();
        assert!(ours.len() >= 6, "{ours:?}");
        let fleet = watched.fleet.take().expect("running");
        let began = Stopwatch::start();
        if stop {
            fleet.stop().await;
        } else {
            drop(fleet);
        }
        began.assert_within(Duration::from_millis(2500), "stopping");
        drop(watched);
        wait_until("the end of all tasks", || {
            if alive_tasks() <= before {
                Ok(())
            } else {
                Err(alive_tasks() - before)
            }
        })
        .await;
        began.assert_within(Duration::from_millis(4500), "the end of all tasks");
        // The server notices when the wire works again.
        frozen.freeze(false);
        wait_until("the end of all processes on the hosts", || {
            let left = [&flooding, &frozen].map(Sshd::session_processes).concat();
            if left.is_empty() { Ok(()) } else { Err(left) }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_is_asked_for_no_more_while_nobody_reads_and_loses_nothing() {
    let sshd = Sshd::start();
    let log = sshd.path("app.log");
    append(&log, "first\n");
    let mut watched = Watched::follow(vec![following(&sshd, "web-1", &log)], 10);
    watched
        .until("the first line", |w| w.records.len() == 1)
        .await;
    let padding = "x".repeat(4000);
    let text: String = (0..20_000).map(|n| format!("{n} {padding}\n")).collect();
    append(&log, &text);
    // What the server has written, when it writes no more.
    let written = || -> u64 {
        let of = |pid: u32| fs::read_to_string(format!("/proc/{pid}/io")).unwrap_or_default();
        let descendants = sshd.session_processes().into_iter().map(|(pid, _)| pid);
        let texts: Vec<String> = sshd
            .servers()
            .into_iter()
            .chain(descendants)
            .map(of)
            .collect();
        texts
            .iter()
            .filter_map(|text| {
                text.split("wchar: ")
                    .nth(1)?
                    .lines()
                    .next()?
                    .parse::<u64>()
                    .ok()
            })
            .max()
            .unwrap_or(0)
    };
    let mut last = (written(), Instant::now());
    while last.1.elapsed() < Duration::from_secs(1) {
        tokio::time::sleep(Duration::from_millis(50)).await;
        if written() > last.0 + 4096 {
            last = (written(), Instant::now());
        }
    }
    // What the merge holds, and the queues on the way.
    assert!(
        last.0 < 60 << 20,
        "{} bytes of {} sent though nobody reads",
        last.0,
        text.len()
    );
    let long = Duration::from_secs(60);
    watched
        .until_within(long, "all lines", |w| w.records.len() == 20_001)
        .await;
    let numbers: Vec<String> = watched
        .texts()
        .iter()
        .skip(1)
        .map(|line| line.split(' ').next().unwrap_or("").to_owned())
        .collect();
    assert!(
        numbers == (0..20_000).map(|n| n.to_string()).collect::<Vec<_>>(),
        "not in order"
    );
    assert_eq!(watched.gaps, []);
    assert_eq!(sshd.accepted(), 1, "on the same connection");
}

fn with_journal(mut host: HostSpec) -> HostSpec {
    let kind = SourceKind::Journal(Some("app.service".to_owned()));
    host.sources.push(source("unit", kind));
    host
}

#[tokio::test(flavor = "multi_thread")]
async fn r36_a_journal_is_read_beside_files_where_a_server_gives_one_session() {
    let sshd = Sshd::builder().config("MaxSessions 1").start();
    let log = sshd.path("app.log");
    append(&log, "one\n");
    let mut watched = Watched::follow(vec![with_journal(following(&sshd, "web-1", &log))], 10);
    let says_why = |w: &Watched| {
        let status = w.statuses.last().map(|(_, status)| status.clone());
        status.is_some_and(|s| {
            s.state == LinkState::Degraded && s.reason.is_some_and(|why| why.contains("journal"))
        })
    };
    watched
        .until("the line, and what journalctl says", |w| {
            w.records.len() == 1 && says_why(w)
        })
        .await;
    append(&log, "two\n");
    watched
        .until("the next line", |w| w.texts() == ["one", "two"])
        .await;
    assert_eq!(
        sshd.accepted(),
        2,
        "a further connection, and the first stands"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_ends_is_asked_again_and_its_files_go_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let (fake, called) = (
        folder.path().join("journalctl"),
        folder.path().join("called"),
    );
    // It cannot write a file, but make a folder; it ends when it is called to follow first.
    let text = format!(
        "#!/bin/sh\ncase $* in *--follow*) ;; *) exit 0 ;; esac\nmkdir {} 2>/dev/null && exit 1\necho '{}'\nexec sleep 1000\n",
        called.display(),
        r#"{"__CURSOR":"c1","__REALTIME_TIMESTAMP":"1795188137000000","_HOSTNAME":"h","_COMM":"app","MESSAGE":"hello"}"#
    );
    executable(&fake, &text);
    let sshd = Sshd::builder()
        .config(format!(
            "SetEnv PATH={}:/usr/bin:/bin",
            folder.path().display()
        ))
        .start();
    let log = sshd.path("app.log");
    append(&log, "one\n");
    let mut watched = Watched::follow(vec![with_journal(following(&sshd, "web-1", &log))], 10);
    watched
        .until("the line of the journal", |w| {
            w.texts().iter().any(|line| line.ends_with("app: hello"))
        })
        .await;
    let problems: Vec<_> = watched
        .sources
        .iter()
        .filter_map(|info| info.problem.clone())
        .collect();
    assert!(
        problems.iter().any(|why| why.contains("journalctl ended")),
        "{problems:?}"
    );
    watched
        .until("the host to be well", |w| {
            last_state(w, 0) == Some(LinkState::Ok)
        })
        .await;
    // Which of the two shells is quicker is open.
    watched
        .until("the line of the file", |w| {
            w.texts().contains(&"one".to_owned())
        })
        .await;
    assert_eq!(sshd.accepted(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_consoles_on_one_host_do_not_disturb_each_other() {
    let sshd = Sshd::start();
    let log = sshd.path("app.log");
    let mut writer = Writer::start(&log, &sshd.path("reopen"), 1000);
    let rotate = logrotate(&sshd, &log, "create");
    let mut both = [0, 1].map(|_| Watched::follow(vec![following(&sshd, "web-1", &log)], 0));
    for watched in &mut both {
        watched.until("lines", |w| w.records.len() > 500).await;
    }
    rotate();
    let [mut first, mut second] = both;
    let seen = first.records.len();
    first
        .until("lines after the rotation", |w| w.records.len() > seen + 500)
        .await;
    first.fleet.take().expect("running").stop().await;
    let seen = second.records.len();
    second
        .until("lines after the other has gone", |w| {
            w.records.len() > seen + 1500
        })
        .await;
    let written = until_last_line(&mut second, &mut writer, PATIENCE).await;
    assert_all_once(&second, 0, written);
    let serials: BTreeMap<u64, usize> = lines_of(&first, 0)
        .iter()
        .map(|line| (serial(line), 1))
        .collect();
    assert_eq!(
        serials.len(),
        first.records.len(),
        "nothing twice for the first either"
    );
}
