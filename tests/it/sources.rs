//! Sources that are no files, on real SSH servers: containers, pods, commands, standard input.
//!
//! No engine of containers runs here: a program of the test's stands in for `docker` and `kubectl`,
//! with their options and the form of what they print. What is odd about real engines is in
//! `containers`, what they have said before in `streams`; `journalctl` is in `faults`.

use std::fs;
use std::time::Duration;

use logtrail::model::cursor::LineRef;
use logtrail::model::source::{ContainerSelector, PodSelector, SourceKind};
use logtrail::model::state::LinkState;
use logtrail::model::time::{Time, TimeSource};
use logtrail::query::request::{LogResponse, PageStart, RequestKind, SearchRequest};
use logtrail::query::{Query, ReferenceTime};

use crate::support::asking::{answer_of_streams, hits_of, page_request, reply_lines, text_of};
use crate::support::binary::BINARY;
use crate::support::files::executable;
use crate::support::fleet::{Watched, last_reason, problem_of};
use crate::support::spec::{command, container, source};
use crate::support::stand_in::{CONTAINER_ID, OTHER_ID, StandInHost, engine_line};
use crate::support::wait_until;

#[tokio::test(flavor = "multi_thread")]
async fn a_container_is_followed_with_the_engines_times_and_without_its_stamps() {
    let world = StandInHost::with(&["docker"]);
    world.list(&[&format!("{CONTAINER_ID}\tshop-web\tUp 3 minutes")]);
    world.says(
        CONTAINER_ID,
        &[
            &engine_line(1, "one"),
            &engine_line(2, "two"),
            &engine_line(2, "  at Shop.two"),
        ],
    );
    let mut watched = Watched::follow(vec![world.host(vec![container("shop-web")])], 2);
    watched
        .until("its last lines", |w| w.records.len() == 2)
        .await;
    world.says(CONTAINER_ID, &[&engine_line(3, "three")]);
    watched.until("a new line", |w| w.records.len() == 3).await;
    assert_eq!(watched.texts(), ["two", "  at Shop.two", "three"]);
    let first = &watched.records[0];
    assert_eq!(
        (
            first.content.time.to_timestamp().to_string(),
            first.content.time_from
        ),
        (
            "2026-11-20T15:00:02.123456789Z".to_owned(),
            TimeSource::Stamp
        )
    );
    assert!(
        watched.records[1].content.continues,
        "a stack trace is one record"
    );
    assert_eq!(
        watched
            .sources
            .last()
            .map(|info| (&*info.name, &*info.path)),
        Some(("shop", "container:shop-web"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn cuts_lose_or_repeat_no_line_of_a_container() {
    let world = StandInHost::with(&["docker"]);
    world.list(&[&format!("{CONTAINER_ID}\tshop-web\tUp 3 minutes")]);
    fs::write(world.file(CONTAINER_ID), "").expect("written");
    let mut watched = Watched::follow(vec![world.host(vec![container("shop-*")])], 0);
    watched
        .until("to be followed", |w| {
            w.sources.iter().any(|info| &*info.name == "shop/shop-web")
        })
        .await;
    let mut written = 0;
    for turn in 0..4 {
        for _ in 0..50 {
            // Five lines to a stamp, every other with the same text as the one before.
            world.says(
                CONTAINER_ID,
                &[&engine_line(written / 5, &format!("line {}", written / 2))],
            );
            written += 1;
        }
        if turn < 3 {
            watched
                .until("half of it", |w| w.records.len() as u32 >= written - 40)
                .await;
            world.sshd.cut();
        }
    }
    watched
        .until("all lines", |w| w.records.len() as u32 >= written)
        .await;
    world.says(CONTAINER_ID, &[&engine_line(written, "the end")]);
    watched
        .until("the last line", |w| {
            w.texts().last().is_some_and(|line| line == "the end")
        })
        .await;
    let expected: Vec<String> = (0..written)
        .map(|n| format!("line {}", n / 2))
        .chain(["the end".to_owned()])
        .collect();
    assert_eq!(watched.texts(), expected);
    assert!(world.sshd.accepted() > 3, "it was cut");
}

#[tokio::test(flavor = "multi_thread")]
async fn containers_that_come_and_go_are_sources_that_say_so() {
    let world = StandInHost::with(&["docker"]);
    let web = format!("{CONTAINER_ID}\tshop-web\tUp 3 minutes");
    world.list(&[&web, "WARNING: of no interest"]);
    world.says(
        CONTAINER_ID,
        &[&engine_line(1, "old"), &engine_line(2, "one")],
    );
    let mut watched = Watched::follow(vec![world.host(vec![container("shop-*")])], 1);
    watched.until("the first", |w| w.texts() == ["one"]).await;
    world.says(
        OTHER_ID,
        &[
            &engine_line(3, "new from"),
            &engine_line(4, "its first line"),
        ],
    );
    world.list(&[&web, &format!("{OTHER_ID}\tshop-job\tUp 1 second")]);
    watched.until("the second", |w| w.records.len() == 3).await;
    world.says(OTHER_ID, &[&engine_line(5, "last words")]);
    fs::write(world.file(&format!("{OTHER_ID}.ended")), "").expect("written");
    world.list(&[
        &web,
        &format!("{OTHER_ID}\tshop-job\tExited (3) About a minute ago"),
    ]);
    watched
        .until("its end", |w| problem_of(w, "shop/shop-job").is_some())
        .await;
    assert_eq!(
        problem_of(&watched, "shop/shop-job").as_deref(),
        Some("exited with code 3")
    );
    assert_eq!(
        watched.texts(),
        ["one", "new from", "its first line", "last words"]
    );
    assert_eq!(
        last_reason(&watched).0,
        Some(LinkState::Ok),
        "a job that has ended is no trouble of the host"
    );
    world.list(&[&web]);
    watched
        .until("it to be gone", |w| {
            problem_of(w, "shop/shop-job").as_deref() == Some("removed")
        })
        .await;
    world.says(CONTAINER_ID, &[&engine_line(6, "two")]);
    watched
        .until("the first to go on", |w| {
            w.texts().last().is_some_and(|line| line == "two")
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_containers_than_a_connection_has_sessions_are_all_followed() {
    let world = StandInHost::with(&["docker"]);
    let ids: Vec<String> = (0..12).map(|n| format!("{n:064x}")).collect();
    let rows: Vec<String> = ids
        .iter()
        .enumerate()
        .map(|(n, id)| format!("{id}\tc{n}\tUp 3 minutes"))
        .collect();
    world.list(&rows.iter().map(String::as_str).collect::<Vec<_>>());
    for id in &ids {
        world.says(id, &[&engine_line(1, "one")]);
    }
    let mut watched = Watched::follow(vec![world.host(vec![container("c*")])], 5);
    let patience = Duration::from_secs(40);
    watched
        .until_within(patience, "a line of each", |w| w.records.len() == 12)
        .await;
    for (n, id) in ids.iter().enumerate() {
        world.says(id, &[&engine_line(2, &format!("two of {n}"))]);
    }
    watched
        .until_within(patience, "the next of each", |w| w.records.len() == 24)
        .await;
    let mut said: Vec<String> = watched.texts().split_off(12);
    said.sort();
    let mut expected: Vec<String> = (0..12).map(|n| format!("two of {n}")).collect();
    expected.sort();
    assert_eq!(said, expected);
    assert_eq!(world.sshd.accepted(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_refuses_says_what_helps_and_is_asked_again() {
    let world = StandInHost::with(&["docker"]);
    world.list(&[&format!("{CONTAINER_ID}\tshop-web\tUp 3 minutes")]);
    world.says(CONTAINER_ID, &[&engine_line(1, "one")]);
    let denied = "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock\n";
    fs::write(world.file("broken"), denied).expect("written");
    let mut watched = Watched::follow(vec![world.host(vec![container("shop-web")])], 5);
    watched
        .until("the reason", |w| {
            last_reason(w).0 == Some(LinkState::Degraded)
        })
        .await;
    let (_, reason, hint) = last_reason(&watched);
    assert_eq!(reason, "container:shop-web: docker: permission denied");
    assert!(
        hint.contains(&format!(
            "usermod -aG docker {}",
            crate::support::sshd::me()
        )),
        "{hint}"
    );
    assert_eq!(
        problem_of(&watched, "shop").as_deref(),
        Some("docker: permission denied")
    );
    fs::remove_file(world.file("broken")).expect("removed");
    watched
        .until("the line", |w| {
            w.texts() == ["one"] && last_reason(w).0 == Some(LinkState::Ok)
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bounded_pass_reads_containers_and_says_which_there_are_not() {
    let world = StandInHost::with(&["podman"]);
    world.list(&[&format!("{CONTAINER_ID}\tshop-web\tExited (1) 2 days ago")]);
    world.says(
        CONTAINER_ID,
        &[&engine_line(1, "one"), &engine_line(2, "two")],
    );
    let mut none = container("other");
    none.name = "other".to_owned();
    let hosts = vec![world.host(vec![container("shop-web"), none])];
    let mut watched = Watched::once(hosts, 1, Duration::from_secs(20));
    watched.until("the end", |w| w.over).await;
    assert_eq!(watched.texts(), ["two"]);
    assert_eq!(
        problem_of(&watched, "other").as_deref(),
        Some("no such container")
    );
    assert_eq!(
        last_reason(&watched).1,
        "container:other: no such container"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_without_an_engine_says_so() {
    let world = StandInHost::with(&[]);
    let kind = SourceKind::Container(ContainerSelector {
        engine: Some(logtrail::model::source::ContainerEngine::Podman),
        name: "x".to_owned(),
    });
    let mut watched = Watched::once(
        vec![world.host(vec![source("x", kind)])],
        1,
        Duration::from_secs(20),
    );
    watched.until("the end", |w| w.over).await;
    assert_eq!(
        problem_of(&watched, "x").as_deref(),
        Some("there is no podman on this host")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn containers_of_pods_are_followed_across_a_cut_connection_and_a_restart() {
    let world = StandInHost::with(&["kubectl"]);
    let row = |restarts: u32| {
        format!(
            "shop   web-0   u-1   Running   app,proxy   {restarts},0   <none>   <none>   <none>"
        )
    };
    world.list(&[&row(0)]);
    world.says("web-0.app", &[&engine_line(1, "one")]);
    world.says("web-0.proxy", &[&engine_line(1, "GET /")]);
    let pod = PodSelector {
        namespace: Some("shop".to_owned()),
        name: "web-*".to_owned(),
        container: None,
    };
    let mut watched = Watched::follow(
        vec![world.host(vec![source("cart", SourceKind::Pod(pod))])],
        5,
    );
    watched.until("both", |w| w.records.len() == 2).await;
    let names: Vec<&str> = watched.sources.iter().map(|info| &*info.name).collect();
    assert!(
        names.contains(&"cart/web-0/app") && names.contains(&"cart/web-0/proxy"),
        "{names:?}"
    );
    world.sshd.freeze(true);
    // It crashes and is started again while nobody looks.
    world.says(
        "web-0.app.previous",
        &[&engine_line(1, "one"), &engine_line(2, "last words")],
    );
    fs::remove_file(world.file("web-0.app")).expect("removed");
    world.says("web-0.app", &[&engine_line(9, "hello again")]);
    world.list(&[&row(1)]);
    world.sshd.cut();
    world.sshd.freeze(false);
    watched
        .until("both lives", |w| {
            w.texts().contains(&"hello again".to_owned())
        })
        .await;
    let app: Vec<String> = watched
        .texts()
        .into_iter()
        .filter(|line| line != "GET /")
        .collect();
    assert_eq!(app, ["one", "last words", "hello again"]);
    assert_eq!(watched.records.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_followed_and_its_words_mean_nothing_to_a_shell() {
    let world = StandInHost::with(&[]);
    let script = world.file("bin/tell");
    executable(
        &script,
        "#!/bin/sh\nprintf '<%s>\\n' \"$@\"\necho oops >&2\nexit 3\n",
    );
    let canary = world.file("canary");
    let words = [
        "tell",
        "$(touch canary)",
        "a b",
        "",
        "'\"`",
        "*",
        "-n",
        "\\0101;",
        "ä",
    ];
    let touch = format!("`touch {}`; touch {}", canary.display(), canary.display());
    let all: Vec<&str> = words.iter().copied().chain([touch.as_str()]).collect();
    let hosts = vec![world.host(vec![command("tell", &all)])];
    let mut watched = Watched::once(hosts, 5, Duration::from_secs(20));
    watched.until("the end", |w| w.over).await;
    let expected: Vec<String> = all[1..]
        .iter()
        .map(|word| format!("<{word}>"))
        .chain(["oops".to_owned()])
        .collect();
    assert_eq!(watched.texts(), expected);
    assert!(!canary.exists());
    assert_eq!(
        problem_of(&watched, "tell").as_deref(),
        Some("tell ended with exit code 3")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_are_started_again_and_end_with_the_connection() {
    let world = StandInHost::with(&[]);
    executable(&world.file("bin/once"), "#!/bin/sh\necho hello\n");
    executable(
        &world.file("bin/forever"),
        "#!/bin/sh\nn=0\nwhile :; do echo $n; n=$((n + 1)); sleep 0.05; done\n",
    );
    let hosts = vec![world.host(vec![
        command("once", &["once"]),
        command("forever", &["forever"]),
    ])];
    let mut watched = Watched::follow(hosts, 5);
    let count = |w: &Watched, line: &str| w.texts().iter().filter(|text| *text == line).count();
    watched
        .until("both twice", |w| {
            count(w, "hello") >= 2 && count(w, "20") == 1
        })
        .await;
    assert_eq!(count(&watched, "0"), 1, "it goes on");
    assert!(
        watched
            .sources
            .iter()
            .any(|info| info.problem.as_deref() == Some("once ended with exit code 0"))
    );
    let before = world.sshd.session_processes();
    assert!(!before.is_empty());
    watched.fleet.take().expect("running").stop().await;
    wait_until("nothing of it to be left", || {
        let left: Vec<_> = before
            .iter()
            .filter(|(pid, _)| fs::metadata(format!("/proc/{pid}")).is_ok())
            .collect();
        if left.is_empty() {
            Ok(())
        } else {
            Err(format!("{left:?}"))
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r69_a_command_cannot_write_and_a_pass_leaves_an_endless_one() {
    let world = StandInHost::with(&[]);
    let file = world.file("written");
    executable(
        &world.file("bin/writes"),
        &format!(
            "#!/bin/sh\necho before\necho x >{0}\ncat /proc/cpuinfo >{0}\n",
            file.display()
        ),
    );
    executable(
        &world.file("bin/forever"),
        "#!/bin/sh\nwhile :; do echo tick; sleep 0.1; done\n",
    );
    let hosts = vec![world.host(vec![
        command("writes", &["writes"]),
        command("forever", &["forever"]),
    ])];
    let mut watched = Watched::once(hosts, 5, Duration::from_secs(20));
    watched.until("the end", |w| w.over).await;
    assert!(
        watched.texts().contains(&"tick".to_owned())
            && watched.texts().contains(&"before".to_owned())
    );
    assert_eq!(fs::read(&file).unwrap_or_default(), b"");
    assert_eq!(problem_of(&watched, "forever"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_container_has_said_is_read_back_in_pages_that_join() {
    let world = StandInHost::with(&["docker"]);
    world.list(&[&format!("{CONTAINER_ID}\tshop-web\tUp 3 minutes")]);
    // Three lines to a stamp, of which two are alike.
    let written: Vec<String> = (0..3000).map(|n| format!("line {}", n / 2)).collect();
    let all: Vec<String> = written
        .iter()
        .enumerate()
        .map(|(n, line)| engine_line(n as u32 / 3, line))
        .collect();
    world.says(
        CONTAINER_ID,
        &all.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    let host = world.host(vec![container("shop-web"), command("c", &["true"])]);
    let told = |replies: &mut Vec<LogResponse>| {
        let Some(LogResponse::Note(name, why)) = replies.pop() else {
            panic!("{replies:?}")
        };
        assert!(
            &*name == "c" && why.contains("can only be followed"),
            "{why}"
        );
    };
    for backwards in [false, true] {
        let (mut got, mut start) = (
            Vec::new(),
            if backwards {
                PageStart::Newest
            } else {
                PageStart::Oldest
            },
        );
        for _ in 0..4 {
            let (mut replies, totals) =
                answer_of_streams(&host, page_request(start, backwards, 700)).await;
            told(&mut replies);
            let lines = reply_lines(&replies);
            assert_eq!(totals.lines, 700);
            assert!(totals.more);
            let next = if backwards { &lines[0] } else { &lines[699] };
            let place = LineRef::of(next.cursor, &next.raw);
            // As a script has it: printed, and given back.
            let place: LineRef = place.to_string().parse().expect("a cursor");
            start = if backwards {
                PageStart::Cursor(place)
            } else {
                PageStart::After(place)
            };
            let texts = lines.iter().map(text_of);
            got = if backwards {
                texts.chain(got).collect()
            } else {
                got.into_iter().chain(texts).collect()
            };
        }
        let expected = if backwards {
            &written[200..]
        } else {
            &written[..2800]
        };
        assert_eq!(got, expected, "backwards: {backwards}");
    }
    let then = "2026-11-20T15:10:00Z"
        .parse::<jiff::Timestamp>()
        .map(Time::from_timestamp)
        .expect("a time");
    let (mut replies, _) =
        answer_of_streams(&host, page_request(PageStart::At(then), false, 2)).await;
    told(&mut replies);
    assert_eq!(
        reply_lines(&replies)
            .iter()
            .map(text_of)
            .collect::<Vec<_>>(),
        ["line 900", "line 900"]
    );
    let nowhere: LineRef = LineRef::of(reply_lines(&replies)[0].cursor, b"another line");
    let (replies, _) =
        answer_of_streams(&host, page_request(PageStart::Cursor(nowhere), false, 1)).await;
    assert!(
        matches!(&replies[0], LogResponse::Note(_, why) if why.contains("not there any more")),
        "{replies:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_containers_and_the_journal_have_said_is_searched_record_by_record() {
    let world = StandInHost::with(&["docker"]);
    let rows = [
        format!("{CONTAINER_ID}\tshop-web\tUp 3 minutes"),
        format!("{OTHER_ID}\tshop-db\tExited (1) 1 day ago"),
    ];
    world.list(&rows.each_ref().map(String::as_str));
    let web = [
        engine_line(1, "start"),
        engine_line(2, "ERROR failed"),
        engine_line(2, "    at Shop.main"),
        engine_line(3, "ok"),
        engine_line(4, "ERROR again"),
    ];
    world.says(CONTAINER_ID, &web.each_ref().map(String::as_str));
    world.says(OTHER_ID, &[&engine_line(9, "ERROR in db")]);
    let journal = "#!/bin/sh\ncase $* in *--lines=0*) exit ;; esac\necho '{\"__CURSOR\":\"c\",\"__REALTIME_TIMESTAMP\":\"1795188137000000\",\"PRIORITY\":\"3\",\"_HOSTNAME\":\"h\",\"_COMM\":\"app\",\"MESSAGE\":\"failed too\"}'\n";
    executable(&world.file("bin/journalctl"), journal);
    let host = world.host(vec![
        container("shop-*"),
        source("unit", SourceKind::Journal(Some("app.service".to_owned()))),
    ]);
    let query = |text: &str| {
        Query::parse(
            text,
            &ReferenceTime {
                time: Time(1_800_000_000_000_000_000),
                zone: jiff::tz::TimeZone::UTC,
            },
        )
        .expect("a query")
    };
    let search = |text: &str, newest_first, limit| {
        let window = Time(i64::MIN)..Time(i64::MAX);
        let (before, after) = (1, 1);
        RequestKind::Search(SearchRequest {
            query: query(text),
            window,
            newest_first,
            before,
            after,
            limit,
            count_only: false,
        })
    };
    let (replies, totals) = answer_of_streams(&host, search("level>=error", false, None)).await;
    assert_eq!(
        hits_of(&replies),
        [
            "shop/shop-web: ERROR failed [start] [    at Shop.main|ok]",
            "shop/shop-web: ERROR again [ok] []",
            "shop/shop-db: ERROR in db [] []",
            "unit: <27>2026-11-20T15:22:17.000000Z h app: failed too [] []",
        ]
    );
    assert_eq!(totals.hits, 4);
    let (replies, totals) =
        answer_of_streams(&host, search("Shop.main OR again", true, Some(1))).await;
    assert_eq!(hits_of(&replies), ["shop/shop-web: ERROR again [ok] []"]);
    assert!(totals.more && totals.hits == 1, "{totals:?}");
}

/// The program with this on its standard input: what it prints, and how it ends.
fn with_input(args: &[&str], input: &[u8]) -> (String, Option<i32>) {
    use std::io::{Read, Write};
    use std::process::{Command, Stdio};
    let home = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(BINARY);
    command
        .args(args)
        .env_clear()
        .env("HOME", home.path())
        .env("PATH", "/usr/bin:/bin");
    let piped = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = piped.spawn().expect("the program starts");
    let (mut stdin, input) = (child.stdin.take().expect("piped"), input.to_vec());
    let writing = std::thread::spawn(move || stdin.write_all(&input).expect("it takes all"));
    let mut printed = Vec::new();
    child
        .stdout
        .take()
        .expect("piped")
        .read_to_end(&mut printed)
        .expect("read");
    writing.join().expect("no panic");
    let code = child.wait().expect("it ends").code();
    (String::from_utf8(printed).expect("UTF-8"), code)
}

#[test]
fn all_of_standard_input_is_printed_in_one_pass() {
    let input = b"2026-11-20T15:00:01Z ERROR one\r\n  at Shop.main\n2026-11-20T15:00:02Z two";
    let (printed, code) = with_input(&["--once", "--json", "-"], input);
    let lines: Vec<serde_json::Value> = printed
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let of = |kind: &str| {
        lines
            .iter()
            .filter(|line| line["type"] == kind)
            .collect::<Vec<_>>()
    };
    let texts: Vec<_> = of("line")
        .iter()
        .map(|line| line["text"].as_str().unwrap_or_default())
        .collect();
    assert_eq!(
        texts,
        [
            "2026-11-20T15:00:01Z ERROR one",
            "  at Shop.main",
            "2026-11-20T15:00:02Z two"
        ]
    );
    assert_eq!(
        (&of("line")[0]["host"], &of("line")[0]["source"]),
        (&"localhost".into(), &"stdin".into())
    );
    assert_eq!((&of("line")[0]["level"], code), (&"error".into(), Some(0)));

    // Far more than any buffer, and more than the last few lines.
    let many: String = (0..50_000)
        .map(|n| format!("line {n} of many, and some more text to it\n"))
        .collect();
    let (printed, code) = with_input(&["--once", "-", "--grep", "line"], many.as_bytes());
    let count = printed
        .lines()
        .filter(|line| line.contains("of many"))
        .count();
    assert_eq!((count, code), (50_000, Some(0)));
}

#[test]
fn standard_input_is_shown_as_it_is_written_while_keys_come_from_the_terminal() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("pipe");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .expect("mkfifo")
            .success()
    );
    let from = format!("cat {}", pipe.display());
    let mut console = crate::support::pty::Pty::behind(&from, &["--no-ssh-config", "-"], (100, 24));
    let mut app = fs::OpenOptions::new()
        .write(true)
        .open(&pipe)
        .expect("somebody reads");
    std::io::Write::write_all(&mut app, b"first of all\n").expect("written");
    console.wait_for("first of all");
    std::io::Write::write_all(&mut app, b"second\n").expect("written");
    console.wait_for("second");
    drop(app);
    console.keys("\t\r");
    console.wait_for("end of input");
    assert!(
        !console.screen().contains("degraded"),
        "an end is no trouble:\n{}",
        console.screen()
    );
    console.keys("q:quit\r");
    console.wait_for_end();
}
