//! How programs name the files that a log consists of: each scheme is made for real, read back by
//! every driver, and followed over runs, over lost connections and at speed. No line is missing,
//! none comes twice, and no other program's file is taken.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use futures_util::future::join_all;
use logtrail::host::search::answer;
use logtrail::host::shell::ShellFiles;
use logtrail::host::{Files, LocalFiles};
use logtrail::model::host::{HostSpec, SystemFacts};
use logtrail::model::time::Time;
use logtrail::query::request::{LogRequest, LogResponse, PageRequest, PageStart, RequestKind};
use tokio::sync::mpsc;

use crate::support::connect::connect;
use crate::support::files::{append, compressed};
use crate::support::fleet::Watched;
use crate::support::scene::Scene;
use crate::support::spec::{following, local_host};
use crate::support::sshd::Sshd;
use crate::support::{program, run};

/// A way to name the files of a log.
struct Naming {
    /// The path or pattern that is asked for.
    source: &'static str,
    /// Of each day, oldest first: the file that is written to, and what becomes of it.
    days: &'static [(&'static str, &'static str)],
    /// What compresses it then, if anything.
    packer: &'static str,
}

const fn naming(
    source: &'static str,
    days: &'static [(&'static str, &'static str)],
    packer: &'static str,
) -> Naming {
    Naming {
        source,
        days,
        packer,
    }
}

/// The last day is the one that is written to, under its first name.
const NAMINGS: &[Naming] = &[
    naming(
        "app.log",
        &[
            ("app.log", "app.log-20261118"),
            ("app.log", "app.log-20261119"),
            ("app.log", ""),
        ],
        "",
    ),
    naming(
        "app.log",
        &[
            ("app.log", "app.log-20261118"),
            ("app.log", "app.log-20261119"),
            ("app.log", ""),
        ],
        "gzip",
    ),
    naming(
        "app.log",
        &[
            ("app.log", "app-2022-03-03T11-49-22.459.log"),
            ("app.log", "app-2022-03-04T01-00-00.001.log"),
            ("app.log", ""),
        ],
        "",
    ),
    naming(
        "app.log",
        &[
            ("app.log", "app-2022-03-03T11-49-22.459.log.1"),
            ("app.log", "app-2022-03-04T01-00-00.001.log.1"),
            ("app.log", ""),
        ],
        "gzip",
    ),
    naming(
        "mina.log",
        &[
            ("mina.log", "mina.log.2024-01-15T10:30:00Z"),
            ("mina.log", "mina.log.2024-01-16T10:30:00Z"),
            ("mina.log", ""),
        ],
        "",
    ),
    naming(
        "app.log",
        &[
            ("app.log", "app-12-30-2025-1.log"),
            ("app.log", "app-01-14-2026-1.log"),
            ("app.log", ""),
        ],
        "gzip",
    ),
    naming(
        "app.log",
        &[
            ("app.log", "app.log.30.11.2026"),
            ("app.log", "app.log.01.12.2026"),
            ("app.log", ""),
        ],
        "",
    ),
    naming(
        "app.log",
        &[
            ("app.log", "app.log.1794000000"),
            ("app.log", "app.log.1795000000"),
            ("app.log", ""),
        ],
        "",
    ),
    naming(
        "app.log",
        &[("app.log", "app.log.old"), ("app.log", "")],
        "",
    ),
    naming(
        "app.log",
        &[("app.log", "app.log.bak"), ("app.log", "")],
        "gzip",
    ),
    naming(
        "app.log",
        &[
            ("app.log", "app.log.001"),
            ("app.log", "app.log.002"),
            ("app.log", ""),
        ],
        "",
    ),
    naming(
        "current",
        &[
            ("current", "@400000006734a1b20bebc200.s"),
            ("current", "@400000006734a1c20bebc200.u"),
            ("current", ""),
        ],
        "",
    ),
    naming(
        "app.log",
        &[
            ("app.log", "old/app.log-20261118"),
            ("app.log", "old/app.log-20261119"),
            ("app.log", ""),
        ],
        "gzip",
    ),
    naming(
        "app.log",
        &[
            ("app.log", "archived/app-20261118.log"),
            ("app.log", "archived/app-20261119.log"),
            ("app.log", ""),
        ],
        "",
    ),
    naming(
        "laravel-*.log",
        &[
            ("laravel-2026-11-26.log", ""),
            ("laravel-2026-11-27.log", ""),
            ("laravel-2026-11-28.log", ""),
        ],
        "",
    ),
    naming(
        "catalina.2026-11-28.log",
        &[
            ("catalina.2026-11-26.log", "catalina.2026-11-26.log"),
            ("catalina.2026-11-27.log", "catalina.2026-11-27.log"),
            ("catalina.2026-11-28.log", ""),
        ],
        "gzip",
    ),
    naming(
        "log*.txt",
        &[
            ("log20261126.txt", ""),
            ("log20261127.txt", ""),
            ("log20261128.txt", ""),
        ],
        "",
    ),
    naming(
        "u_ex261127.log",
        &[
            ("u_ex261126.log", ""),
            ("u_ex261127.log", ""),
            ("u_ex261128.log", ""),
        ],
        "",
    ),
    naming(
        "access.*",
        &[
            ("access.20261126", ""),
            ("access.20261127", ""),
            ("access.20261128", ""),
        ],
        "",
    ),
    naming(
        "access.*",
        &[
            ("access.1795564800", ""),
            ("access.1795651200", ""),
            ("access.1795737600", ""),
        ],
        "",
    ),
    naming(
        "postgresql-*.log",
        &[
            ("postgresql-Fri.log", ""),
            ("postgresql-Sat.log", ""),
            ("postgresql-Sun.log", ""),
        ],
        "",
    ),
    naming(
        "postgresql-2026-11-28_000000.log",
        &[
            ("postgresql-2026-11-27_000000.log", ""),
            ("postgresql-2026-11-28_000000.log", ""),
            ("postgresql-2026-11-28_133742.log", ""),
        ],
        "",
    ),
    naming(
        "*.log",
        &[
            ("2026-11-26.log", ""),
            ("2026-11-27.log", ""),
            ("2026-11-28.log", ""),
        ],
        "",
    ),
];

impl Naming {
    fn told(&self) -> String {
        format!("{} as {:?} {}", self.source, self.days, self.packer)
    }

    /// The name under which a day lies once it is over.
    fn kept(&self, day: usize) -> String {
        let (live, kept) = self.days[day];
        let kept = if kept.is_empty() { live } else { kept };
        match self.packer {
            "gzip" => format!("{kept}.gz"),
            _ => kept.to_owned(),
        }
    }

    fn last(&self) -> usize {
        self.days.len() - 1
    }

    /// Puts all days of the log into a folder, each as old as it would be.
    fn write(&self, folder: &Path, lines: usize) {
        for day in 0..self.days.len() {
            let is_live = day == self.last();
            let name = if is_live {
                self.days[day].0.to_owned()
            } else {
                self.kept(day)
            };
            let text = text(day, lines);
            let bytes = match self.packer {
                "gzip" if !is_live => compressed("gzip", text.as_bytes()),
                _ => text.into_bytes(),
            };
            put(&folder.join(name), &bytes, self.last() - day);
        }
    }

    /// Ends a day, and begins the next with these lines.
    fn turn(&self, folder: &Path, day: usize, lines: &str) {
        let (live, kept) = self.days[day];
        let kept = folder.join(if kept.is_empty() { live } else { kept });
        if kept != folder.join(live) {
            fs::create_dir_all(kept.parent().expect("a folder")).expect("a folder");
            fs::rename(folder.join(live), &kept).expect("renamed");
        }
        append(&folder.join(self.days[day + 1].0), lines);
        if self.packer == "gzip" {
            run(Command::new(program("gzip")).arg(&kept));
        }
    }
}

fn text(day: usize, lines: usize) -> String {
    (0..lines)
        .map(|line| format!("day {day} line {line}\n"))
        .collect()
}

/// Writes a file that was written to so many days ago.
fn put(path: &Path, bytes: &[u8], days: usize) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(path, bytes).expect("written");
    let ago = Duration::from_secs(60 + 86_400 * days as u64);
    let file = fs::File::options().append(true).open(path).expect("opened");
    file.set_modified(SystemTime::now() - ago).expect("dated");
}

/// Files of other programs that begin alike, and what is written into them.
fn write_others(folder: &Path) {
    for name in [
        "app.log-import.csv",
        "app-worker.log",
        "app-worker-20261118.log.gz",
        "app.log.tmp",
        "app.logger.1",
        "access.lock",
        "catalina.2026-11-27.log.lck",
        "catalina-2026-11-27.out",
        "older/app.log-20261117",
    ] {
        put(&folder.join(name), b"day 9 line 9\n", 3);
    }
}

async fn ask<F: Files>(files: &mut F, host: &HostSpec, what: RequestKind) -> Vec<LogResponse> {
    let (replies, mut got) = mpsc::channel(100);
    let ask = LogRequest {
        sources: Vec::new(),
        what,
    };
    let facts = SystemFacts::default();
    let (answered, all) = tokio::join!(
        async {
            let answered = answer(files, host, &facts, &ask, &replies).await;
            drop(replies);
            answered
        },
        async {
            let mut all = Vec::new();
            while let Some(reply) = got.recv().await {
                all.push(reply);
            }
            all
        }
    );
    answered.expect("the host is there");
    all
}

/// All lines of the only log, oldest first.
async fn lines<F: Files>(files: &mut F, host: &HostSpec) -> Vec<String> {
    let page = RequestKind::Page(PageRequest {
        start: PageStart::Oldest,
        backwards: false,
        lines: 1000,
        window: Time(i64::MIN)..Time(i64::MAX),
    });
    let mut all = Vec::new();
    for reply in ask(files, host, page).await {
        match reply {
            LogResponse::Lines(_, lines) => all.extend(
                lines
                    .iter()
                    .map(|line| String::from_utf8_lossy(&line.raw).into_owned()),
            ),
            LogResponse::Failed(name, why) => all.push(format!("{name} failed: {why}")),
            LogResponse::Gap(name, gap) => all.push(format!("{name} gap: {gap:?}")),
            _ => {}
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scheme_is_one_log_in_the_order_of_time_and_nothing_else_is_taken() {
    let sshd = Sshd::start();
    let connection = connect(&sshd.host("there")).await;
    let mut shell = ShellFiles::start(&connection).await.expect("a shell");
    for (number, naming) in NAMINGS.iter().enumerate() {
        let folder = sshd.path(&format!("logs-{number}"));
        naming.write(&folder, 2);
        // A pattern takes what it matches.
        if !naming.source.contains('*') {
            write_others(&folder);
        }
        let host = local_host("here", &[&folder.join(naming.source)]);
        let expected: Vec<String> = (0..naming.days.len())
            .flat_map(|day| (0..2).map(move |line| format!("day {day} line {line}")))
            .collect();
        assert_eq!(
            lines(&mut LocalFiles::new(), &host).await,
            expected,
            "engine: {}",
            naming.told()
        );
        assert_eq!(
            lines(&mut shell, &host).await,
            expected,
            "shell: {}",
            naming.told()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_beside_a_log_and_is_not_taken_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    NAMINGS[0].write(folder.path(), 1);
    write_others(folder.path());
    let sshd = Sshd::start();
    let connection = connect(&sshd.host("there")).await;
    let mut shell = ShellFiles::start(&connection).await.expect("a shell");
    let host = local_host("here", &[&folder.path().join("app.log")]);
    let notes = |replies: Vec<LogResponse>| -> Vec<String> {
        let note = |reply| match reply {
            LogResponse::Note(_, note) => Some(note),
            _ => None,
        };
        replies.into_iter().filter_map(note).collect()
    };
    let expected = "beside it, and not part of it by the name: app-worker-20261118.log.gz, app-worker.log, \
                    app.log-import.csv, app.log.tmp, app.logger.1";
    for replies in [
        ask(&mut LocalFiles::new(), &host, RequestKind::List).await,
        ask(&mut shell, &host, RequestKind::List).await,
    ] {
        assert_eq!(notes(replies), [expected]);
    }
}

/// Lines of a day, as `tail` prints them.
fn day_lines(day: usize, range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|line| format!("day {day} line {line}")).collect()
}

/// So many schemes are tried side by side: mostly they wait.
const SIDE_BY_SIDE: usize = 6;

#[test]
fn no_scheme_loses_or_repeats_a_line_between_two_runs() {
    for namings in NAMINGS.chunks(SIDE_BY_SIDE) {
        std::thread::scope(|scope| {
            for naming in namings {
                scope.spawn(|| between_two_runs(naming));
            }
        });
    }
}

fn between_two_runs(naming: &Naming) {
    let scene = Scene::with(&[""]);
    let folder = scene.log(0).parent().expect("a folder").join("logs");
    fs::create_dir(&folder).expect("a folder");
    let source = folder.join(naming.source);
    scene.follows(&[source.display().to_string()]);
    append(&folder.join(naming.days[0].0), &text(0, 3));
    assert_eq!(
        scene.next("day 0 line 2"),
        day_lines(0, 0..3),
        "{}",
        naming.told()
    );
    append(&folder.join(naming.days[0].0), "day 0 line 3\n");
    let last = naming.last();
    for day in 0..last {
        naming.turn(&folder, day, &text(day + 1, 2));
    }
    let mut expected = day_lines(0, 3..4);
    expected.extend((1..=last).flat_map(|day| day_lines(day, 0..2)));
    let end = format!("day {last} line 1");
    assert_eq!(scene.next(&end), expected, "{}", naming.told());
    append(
        &folder.join(naming.days[last].0),
        &format!("day {last} line 2\n"),
    );
    let end = format!("day {last} line 2");
    assert_eq!(scene.next(&end), [&end[..]], "{}", naming.told());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_scheme_loses_or_repeats_a_line_over_lost_connections() {
    for namings in NAMINGS.chunks(SIDE_BY_SIDE) {
        join_all(namings.iter().map(over_lost_connections)).await;
    }
}

async fn over_lost_connections(naming: &Naming) {
    let sshd = Sshd::start();
    let folder = sshd.path("logs");
    fs::create_dir(&folder).expect("a folder");
    append(&folder.join(naming.days[0].0), &text(0, 500));
    let host = following(&sshd, "web-1", &folder.join(naming.source));
    let mut watched = Watched::follow(vec![host], 1000);
    watched
        .until("the first day", |w| w.records.len() == 500)
        .await;
    for day in 0..naming.last() {
        sshd.cut();
        append(
            &folder.join(naming.days[day].0),
            &format!("day {day} line 500\n"),
        );
        naming.turn(&folder, day, &text(day + 1, 500));
        let so_far = (day + 2) * 500;
        watched
            .until(&naming.told(), |w| {
                w.records.len() + w.gaps.len() > so_far + day
            })
            .await;
    }
    let mut expected: Vec<String> = Vec::new();
    for day in 0..=naming.last() {
        expected.extend(day_lines(
            day,
            0..if day == naming.last() { 500 } else { 501 },
        ));
    }
    assert_eq!(watched.texts(), expected, "{}", naming.told());
    assert_eq!(watched.gaps, [], "{}", naming.told());
    watched.fleet.take().expect("running").stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_of_a_new_day_is_followed_whole_while_it_is_written_to_at_speed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |day: usize| {
        folder
            .path()
            .join(format!("app-2026-11-{:02}.log", day + 1))
    };
    append(&path(0), "day 0 line 0\n");
    let mut watched = Watched::follow(
        vec![local_host("here", &[&folder.path().join("app-*.log")])],
        10,
    );
    watched
        .until("the first line", |w| w.records.len() == 1)
        .await;
    let days: Vec<PathBuf> = (1..6).map(path).collect();
    let writer = std::thread::spawn(move || {
        for (day, path) in (1..).zip(&days) {
            for line in 0..200 {
                append(path, &format!("day {day} line {line}\n"));
                std::thread::sleep(Duration::from_millis(3));
            }
        }
    });
    watched.until("all days", |w| w.records.len() >= 1001).await;
    writer.join().expect("no panic");
    let mut expected = day_lines(0, 0..1);
    expected.extend((1..6).flat_map(|day| day_lines(day, 0..200)));
    assert_eq!(watched.texts(), expected);
    let names: BTreeSet<&str> = watched.sources.iter().map(|info| &info.name[..]).collect();
    assert_eq!((watched.gaps.len(), names.len()), (0, 1), "{names:?}");
}
