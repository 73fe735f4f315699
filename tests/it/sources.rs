//! Sources that are no files, on real SSH servers: containers, pods, commands, standard input.
//!
//! No engine of containers runs here: a program of the test's stands in for `docker` and `kubectl`,
//! with their options and the form of what they print. What is odd about real engines is in
//! `containers`, what they have said before in `streams`; `journalctl` is in `faults`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use logtrail::host::shell::Talk;
use logtrail::model::cursor::LineRef;
use logtrail::model::host::{HostSpec, SystemFacts};
use logtrail::model::source::{ContainerSelector, PodSelector, SourceKind, SourceSpec};
use logtrail::model::state::LinkState;
use logtrail::model::time::{Time, TimeSource};
use logtrail::query::request::{
    LogRequest, LogResponse, PageRequest, PageStart, RequestKind, ResponseTotals, SearchRequest,
};
use logtrail::query::{Query, ReferenceTime};
use logtrail::transport::{Connection, Connector, TransportSettings};

use crate::support::fleet::Watched;
use crate::support::sshd::{Builder, Sshd};
use crate::support::{Person, wait_until};

/// `docker` and `kubectl` in one: `ps` and `get` print the file `ps`, `logs` prints the file of the
/// container. Following ends when the file `ended` says so.
const STAND_IN: &str = r#"#!/bin/sh
at=@FOLDER@
[ -e $at/broken ] && { cat $at/broken >&2; exit 1; }
for id; do :; done
follow= tail= since= previous= kind=
for word; do
  case $word in
    ps|get|logs) kind=$word ;;
    --follow) follow=1 ;;
    --tail=*) tail=${word#*=} ;;
    --since=*|--since-time=*) since=${word#*=}; since=${since%Z} ;;
    --container=*) container=.${word#*=} ;;
    --previous) previous=.previous ;;
  esac
done
[ $kind = logs ] || { cat $at/ps; exit; }
log=$at/$id$container$previous
[ -e $log ] || { echo "Error response from daemon: No such container: $id" >&2; exit 1; }
n=$(wc -l <$log); k=1
[ -n "$tail" ] && [ $tail -lt $n ] && k=$((n - tail + 1))
# Like the engines, by time and not by line: everything stamped since then, once more.
# kubectl tells the server no more than whole seconds.
case $0 in */kubectl) since=${since%.*} ;; esac
[ -n "$since" ] && while [ $k -le $n ]; do
  line=$(sed -n "${k}p" $log); stamp=${line%% *}
  [ "$(printf '%s\n%s\n' "$since" "${stamp%Z}" | sort | head -n 1)" = "$since" ] && break
  k=$((k + 1))
done
while :; do
  [ -e $log.ended ] && over=1
  n=$(wc -l <$log)
  if [ $n -ge $k ]; then sed -n "${k},${n}p" $log; k=$((n + 1)); fi
  [ -n "$over" ] || [ -z "$follow" ] && exit
  sleep 0.05
done
"#;

/// A host with a stand-in, and the folder of what it has.
pub(crate) struct World {
    pub(crate) sshd: Sshd,
    folder: tempfile::TempDir,
}

impl World {
    pub(crate) fn with(programs: &[&str]) -> Self {
        Self::on(Sshd::builder(), programs)
    }

    /// The same with a server of some kind.
    pub(crate) fn on(server: Builder, programs: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("bin")).expect("a folder");
        for program in programs {
            let file = folder.path().join("bin").join(program);
            let at = folder.path().display().to_string();
            executable(&file, &STAND_IN.replace("@FOLDER@", &at));
        }
        for engine in ["docker", "podman"]
            .iter()
            .filter(|engine| !programs.contains(engine))
        {
            // As if there was none, whatever is installed here.
            executable(
                &folder.path().join("bin").join(engine),
                "#!/bin/sh\nexit 127\n",
            );
        }
        let path = format!("SetEnv PATH={}/bin:/usr/bin:/bin", folder.path().display());
        Self {
            sshd: server.config(path).start(),
            folder,
        }
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What `ps` or `get pods` prints from now on; changed in one step.
    pub(crate) fn list(&self, lines: &[&str]) {
        let new = self.file("ps.new");
        fs::write(
            &new,
            lines
                .iter()
                .map(|line| format!("{line}\n"))
                .collect::<String>(),
        )
        .expect("written");
        fs::rename(new, self.file("ps")).expect("renamed");
    }

    pub(crate) fn says(&self, log: &str, lines: &[&str]) {
        append(
            &self.file(log),
            &lines
                .iter()
                .map(|line| format!("{line}\n"))
                .collect::<String>(),
        );
    }

    pub(crate) fn host(&self, sources: Vec<SourceSpec>) -> HostSpec {
        let mut host = self.sshd.host("web-1");
        host.sources = sources;
        host
    }
}

pub(crate) fn executable(file: &Path, text: &str) {
    fs::write(file, text).expect("written");
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).expect("chmod");
}

pub(crate) fn append(file: &Path, text: &str) {
    use std::io::Write;
    let mut file = fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(file)
        .expect("a log");
    file.write_all(text.as_bytes()).expect("written");
}

pub(crate) fn source(name: &str, kind: SourceKind) -> SourceSpec {
    SourceSpec {
        name: name.to_owned(),
        kind,
        time: None,
        as_root: false,
    }
}

pub(crate) fn as_root(source: SourceSpec) -> SourceSpec {
    SourceSpec {
        as_root: true,
        ..source
    }
}

pub(crate) fn container(name: &str) -> SourceSpec {
    source(
        "shop",
        SourceKind::Container(ContainerSelector {
            engine: None,
            name: name.to_owned(),
        }),
    )
}

pub(crate) fn command(name: &str, words: &[&str]) -> SourceSpec {
    source(
        name,
        SourceKind::Command(words.iter().map(|word| (*word).to_owned()).collect()),
    )
}

pub(crate) const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
pub(crate) const OTHER: &str = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210";

pub(crate) fn at(second: u32, text: &str) -> String {
    format!(
        "2026-11-20T15:{:02}:{:02}.123456789Z {text}",
        second / 60,
        second % 60
    )
}

pub(crate) fn problem(watched: &Watched, name: &str) -> Option<String> {
    watched
        .sources
        .iter()
        .rev()
        .find(|info| *info.name == *name)
        .and_then(|info| info.problem.clone())
}

pub(crate) fn last_reason(watched: &Watched) -> (Option<LinkState>, String, String) {
    let status = watched.statuses.last().map(|(_, status)| status.clone());
    let text = |text: Option<String>| text.unwrap_or_default();
    status.map_or_else(Default::default, |s| {
        (Some(s.state), text(s.reason), text(s.hint))
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_is_followed_with_the_engines_times_and_without_its_stamps() {
    let world = World::with(&["docker"]);
    world.list(&[&format!("{ID}\tshop-web\tUp 3 minutes")]);
    world.says(ID, &[&at(1, "one"), &at(2, "two"), &at(2, "  at Shop.two")]);
    let mut watched = Watched::follow(vec![world.host(vec![container("shop-web")])], 2);
    watched
        .until("its last lines", |w| w.records.len() == 2)
        .await;
    world.says(ID, &[&at(3, "three")]);
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
async fn whenever_the_connection_breaks_no_line_of_a_container_is_lost_or_comes_twice() {
    let world = World::with(&["docker"]);
    world.list(&[&format!("{ID}\tshop-web\tUp 3 minutes")]);
    fs::write(world.file(ID), "").expect("written");
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
            world.says(ID, &[&at(written / 5, &format!("line {}", written / 2))]);
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
    world.says(ID, &[&at(written, "the end")]);
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
    let world = World::with(&["docker"]);
    let web = format!("{ID}\tshop-web\tUp 3 minutes");
    world.list(&[&web, "WARNING: of no interest"]);
    world.says(ID, &[&at(1, "old"), &at(2, "one")]);
    let mut watched = Watched::follow(vec![world.host(vec![container("shop-*")])], 1);
    watched.until("the first", |w| w.texts() == ["one"]).await;
    world.says(OTHER, &[&at(3, "new from"), &at(4, "its first line")]);
    world.list(&[&web, &format!("{OTHER}\tshop-job\tUp 1 second")]);
    watched.until("the second", |w| w.records.len() == 3).await;
    world.says(OTHER, &[&at(5, "last words")]);
    fs::write(world.file(&format!("{OTHER}.ended")), "").expect("written");
    world.list(&[
        &web,
        &format!("{OTHER}\tshop-job\tExited (3) About a minute ago"),
    ]);
    watched
        .until("its end", |w| problem(w, "shop/shop-job").is_some())
        .await;
    assert_eq!(
        problem(&watched, "shop/shop-job").as_deref(),
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
            problem(w, "shop/shop-job").as_deref() == Some("removed")
        })
        .await;
    world.says(ID, &[&at(6, "two")]);
    watched
        .until("the first to go on", |w| {
            w.texts().last().is_some_and(|line| line == "two")
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_containers_than_a_connection_has_sessions_are_all_followed() {
    let world = World::with(&["docker"]);
    let ids: Vec<String> = (0..12).map(|n| format!("{n:064x}")).collect();
    let rows: Vec<String> = ids
        .iter()
        .enumerate()
        .map(|(n, id)| format!("{id}\tc{n}\tUp 3 minutes"))
        .collect();
    world.list(&rows.iter().map(String::as_str).collect::<Vec<_>>());
    for id in &ids {
        world.says(id, &[&at(1, "one")]);
    }
    let mut watched = Watched::follow(vec![world.host(vec![container("c*")])], 5);
    let patience = Duration::from_secs(40);
    watched
        .until_within(patience, "a line of each", |w| w.records.len() == 12)
        .await;
    for (n, id) in ids.iter().enumerate() {
        world.says(id, &[&at(2, &format!("two of {n}"))]);
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
    let world = World::with(&["docker"]);
    world.list(&[&format!("{ID}\tshop-web\tUp 3 minutes")]);
    world.says(ID, &[&at(1, "one")]);
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
        problem(&watched, "shop").as_deref(),
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
    let world = World::with(&["podman"]);
    world.list(&[&format!("{ID}\tshop-web\tExited (1) 2 days ago")]);
    world.says(ID, &[&at(1, "one"), &at(2, "two")]);
    let mut none = container("other");
    none.name = "other".to_owned();
    let hosts = vec![world.host(vec![container("shop-web"), none])];
    let mut watched = Watched::once(hosts, 1, Duration::from_secs(20));
    watched.until("the end", |w| w.over).await;
    assert_eq!(watched.texts(), ["two"]);
    assert_eq!(
        problem(&watched, "other").as_deref(),
        Some("no such container")
    );
    assert_eq!(
        last_reason(&watched).1,
        "container:other: no such container"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_without_an_engine_says_so() {
    let world = World::with(&[]);
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
        problem(&watched, "x").as_deref(),
        Some("there is no podman on this host")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn containers_of_pods_are_followed_across_a_cut_connection_and_a_restart() {
    let world = World::with(&["kubectl"]);
    let row = |restarts: u32| {
        format!(
            "shop   web-0   u-1   Running   app,proxy   {restarts},0   <none>   <none>   <none>"
        )
    };
    world.list(&[&row(0)]);
    world.says("web-0.app", &[&at(1, "one")]);
    world.says("web-0.proxy", &[&at(1, "GET /")]);
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
    world.says("web-0.app.previous", &[&at(1, "one"), &at(2, "last words")]);
    fs::remove_file(world.file("web-0.app")).expect("removed");
    world.says("web-0.app", &[&at(9, "hello again")]);
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
    let world = World::with(&[]);
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
        problem(&watched, "tell").as_deref(),
        Some("tell ended with exit code 3")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_ends_is_started_again_and_one_that_goes_on_is_ended_with_the_connection() {
    let world = World::with(&[]);
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
async fn r69_a_command_cannot_write_and_a_bounded_pass_hears_an_endless_one_for_a_while() {
    let world = World::with(&[]);
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
    assert_eq!(problem(&watched, "forever"), None);
}

/// What a host answers, its last reply aside.
pub(crate) async fn connected(host: &HostSpec) -> Connection {
    let settings = TransportSettings {
        ssh_config: false,
        connect_timeout: Duration::from_secs(10),
        known_hosts: None,
    };
    Connector::new(settings, Arc::new(Person::absent()))
        .connect(host)
        .await
        .expect("a connection")
}

pub(crate) async fn heard(
    mut replies: tokio::sync::mpsc::Receiver<LogResponse>,
) -> Vec<LogResponse> {
    let mut all = Vec::new();
    while let Some(reply) = replies.recv().await {
        all.push(reply);
    }
    all
}

/// The whole answer of a host about all its sources.
pub(crate) async fn answered(
    host: &HostSpec,
    what: RequestKind,
) -> (Vec<LogResponse>, ResponseTotals) {
    let connection = connected(host).await;
    let (sender, replies) = tokio::sync::mpsc::channel(1000);
    let ask = LogRequest {
        sources: Vec::new(),
        what,
    };
    logtrail::host::ask::ask(&connection, host, &ask, sender)
        .await
        .expect("the host stays");
    connection.close().await;
    let mut all = heard(replies).await;
    let Some(LogResponse::Done(totals)) = all.pop() else {
        panic!("the last is not the end: {all:?}")
    };
    (all, totals)
}

/// What its streams answer, and what that came to.
pub(crate) async fn ask(host: &HostSpec, what: RequestKind) -> (Vec<LogResponse>, ResponseTotals) {
    let connection = connected(host).await;
    let (sender, replies) = tokio::sync::mpsc::channel(1000);
    let ask = LogRequest {
        sources: Vec::new(),
        what,
    };
    let asked = logtrail::host::shell::history(
        (&connection, &mut Talk::default()),
        host,
        &SystemFacts::default(),
        &ask,
        &sender,
    )
    .await;
    let totals = asked.expect("the host stays");
    drop(sender);
    connection.close().await;
    (heard(replies).await, totals)
}

pub(crate) fn page(start: PageStart, backwards: bool, lines: u32) -> RequestKind {
    RequestKind::Page(PageRequest {
        start,
        backwards,
        lines,
        window: Time(i64::MIN)..Time(i64::MAX),
    })
}

pub(crate) fn lines(replies: &[LogResponse]) -> Vec<logtrail::model::line::Line> {
    let of = |reply: &LogResponse| match reply {
        LogResponse::Lines(_, lines) => lines.clone(),
        other => panic!("{other:?}"),
    };
    replies.iter().flat_map(of).collect()
}

pub(crate) fn text(line: &logtrail::model::line::Line) -> String {
    String::from_utf8_lossy(&line.raw).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_container_has_said_is_read_back_in_pages_that_join() {
    let world = World::with(&["docker"]);
    world.list(&[&format!("{ID}\tshop-web\tUp 3 minutes")]);
    // Three lines to a stamp, of which two are alike.
    let written: Vec<String> = (0..3000).map(|n| format!("line {}", n / 2)).collect();
    let all: Vec<String> = written
        .iter()
        .enumerate()
        .map(|(n, line)| at(n as u32 / 3, line))
        .collect();
    world.says(ID, &all.iter().map(String::as_str).collect::<Vec<_>>());
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
            let (mut replies, totals) = ask(&host, page(start, backwards, 700)).await;
            told(&mut replies);
            let lines = lines(&replies);
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
            let texts = lines.iter().map(text);
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
    let (mut replies, _) = ask(&host, page(PageStart::At(then), false, 2)).await;
    told(&mut replies);
    assert_eq!(
        lines(&replies).iter().map(text).collect::<Vec<_>>(),
        ["line 900", "line 900"]
    );
    let nowhere: LineRef = LineRef::of(lines(&replies)[0].cursor, b"another line");
    let (replies, _) = ask(&host, page(PageStart::Cursor(nowhere), false, 1)).await;
    assert!(
        matches!(&replies[0], LogResponse::Note(_, why) if why.contains("not there any more")),
        "{replies:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_containers_and_the_journal_have_said_is_searched_record_by_record() {
    let world = World::with(&["docker"]);
    let rows = [
        format!("{ID}\tshop-web\tUp 3 minutes"),
        format!("{OTHER}\tshop-db\tExited (1) 1 day ago"),
    ];
    world.list(&rows.each_ref().map(String::as_str));
    let web = [
        at(1, "start"),
        at(2, "ERROR failed"),
        at(2, "    at Shop.main"),
        at(3, "ok"),
        at(4, "ERROR again"),
    ];
    world.says(ID, &web.each_ref().map(String::as_str));
    world.says(OTHER, &[&at(9, "ERROR in db")]);
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
    let hits = |replies: &[LogResponse]| {
        let of = |reply: &LogResponse| match reply {
            LogResponse::Hits(name, hits) => {
                let [hit] = &hits[..] else { panic!("{hits:?}") };
                let around = |lines: &[logtrail::model::line::Line]| {
                    lines.iter().map(text).collect::<Vec<_>>().join("|")
                };
                format!(
                    "{name}: {} [{}] [{}]",
                    text(&hit.line),
                    around(&hit.before),
                    around(&hit.after)
                )
            }
            other => panic!("{other:?}"),
        };
        replies.iter().map(of).collect::<Vec<_>>()
    };
    let (replies, totals) = ask(&host, search("level>=error", false, None)).await;
    assert_eq!(
        hits(&replies),
        [
            "shop/shop-web: ERROR failed [start] [    at Shop.main|ok]",
            "shop/shop-web: ERROR again [ok] []",
            "shop/shop-db: ERROR in db [] []",
            "unit: <27>2026-11-20T15:22:17.000000Z h app: failed too [] []",
        ]
    );
    assert_eq!(totals.hits, 4);
    let (replies, totals) = ask(&host, search("Shop.main OR again", true, Some(1))).await;
    assert_eq!(hits(&replies), ["shop/shop-web: ERROR again [ok] []"]);
    assert!(totals.more && totals.hits == 1, "{totals:?}");
}

/// The program with this on its standard input: what it prints, and how it ends.
fn with_input(args: &[&str], input: &[u8]) -> (String, Option<i32>) {
    use std::io::{Read, Write};
    use std::process::{Command, Stdio};
    let home = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_logtrail-tui"));
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
