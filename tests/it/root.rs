//! What only root may read, by `sudo -n` on real SSH servers: a program of the test's stands in for
//! `sudo`, for nobody's machine is to be asked for a password.

use std::fs;
use std::time::Duration;

use logtrail::host::shell::ShellFiles;
use logtrail::model::state::LinkState;
use logtrail::query::request::{LogRequest, LogResponse, PageStart, RequestKind};

use crate::support::asking::{answer_of, answer_over, page_request, reply_lines, text_of};
use crate::support::connect::{connect, connector};
use crate::support::files::{append, executable};
use crate::support::fleet::{Watched, last_reason, problem_of};
use crate::support::spec::{as_root, command, file_source};
use crate::support::stand_in::StandInHost;
use crate::support::{Person, within};

/// A program that stands in for sudo, and says what it was called with.
fn sudo(world: &StandInHost, text: &str) {
    executable(
        &world.file("bin/sudo"),
        &format!("#!/bin/sh\n[ \"$*\" = '-n /bin/sh -s' ] || exit 9\n{text}\n"),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_root_may_read_is_followed_by_sudo_beside_the_rest() {
    let world = StandInHost::with(&["docker"]);
    sudo(&world, "AS_ROOT=1 exec /usr/bin/sudo AS_ROOT=1 \"$@\"");
    let (secure, app) = (world.file("secure.log"), world.file("app.log"));
    append(&secure, "s0\ns1\n");
    append(&app, "a1\n");
    executable(
        &world.file("bin/whose"),
        "#!/bin/sh\necho \"root: $AS_ROOT\"\nsleep 1000\n",
    );
    let secure_all = as_root(file_source("secure", &secure));
    let whose = as_root(command(
        "whose",
        &[&world.file("bin/whose").display().to_string()],
    ));
    let mut watched = Watched::follow(
        vec![world.host(vec![secure_all, file_source("app", &app), whose])],
        1,
    );
    watched.until("all three", |w| w.records.len() == 3).await;
    append(&secure, "s2\n");
    append(&app, "a2\n");
    watched
        .until("more of both", |w| w.records.len() == 5)
        .await;
    world.sshd.cut();
    append(&secure, "s3\n");
    watched
        .until("the rest", |w| w.texts().contains(&"s3".to_owned()))
        .await;
    let mut texts = watched.texts();
    texts.retain(|line| !line.starts_with("root"));
    texts.sort();
    assert_eq!(texts, ["a1", "a2", "s1", "s2", "s3"]);
    assert!(
        watched.texts().contains(&"root: 1".to_owned()),
        "{:?}",
        watched.texts()
    );
    assert_eq!(last_reason(&watched).0, Some(LinkState::Ok));
    assert!(!watched.samples.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_root_may_read_is_read_back_by_sudo_beside_the_rest() {
    let world = StandInHost::with(&[]);
    sudo(&world, "AS_ROOT=1 exec \"$2\" \"$3\"");
    let (secure, app) = (world.file("secure.log"), world.file("app.log"));
    append(&secure, "s1\ns2\n");
    append(&app, "a1\n");
    let mut host = world.host(vec![
        as_root(file_source("secure", &secure)),
        file_source("app", &app),
        command("up", &["uptime"]),
    ]);
    let (list, _) = answer_of(&host, RequestKind::List).await;
    let names = list.iter().filter_map(|reply| match reply {
        LogResponse::Source(info, files) => Some(format!("{} {}", info.name, files.len())),
        _ => None,
    });
    assert_eq!(names.collect::<Vec<_>>(), ["up 0", "secure 1", "app 1"]);
    host.sources.pop();
    let page = page_request(PageStart::Oldest, false, 10);
    let (read, totals) = answer_of(&host, page.clone()).await;
    assert_eq!(
        reply_lines(&read).iter().map(text_of).collect::<Vec<_>>(),
        ["s1", "s2", "a1"]
    );
    assert_eq!(totals.lines, 3);
    sudo(&world, "echo 'sudo: a password is required' >&2; exit 1");
    let (read, _) = answer_of(&host, page).await;
    let refused = |reply: &LogResponse| matches!(reply, LogResponse::Failed(name, why) if &**name == "secure" && why.contains("sudo -n /bin/sh -s is refused"));
    assert!(refused(&read[0]), "{read:?}");
    assert_eq!(
        reply_lines(&read[1..])
            .iter()
            .map(text_of)
            .collect::<Vec<_>>(),
        ["a1"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sudo_that_refuses_says_what_it_needs_and_the_other_sources_go_on() {
    let world = StandInHost::with(&[]);
    sudo(&world, "echo 'sudo: a password is required' >&2; exit 1");
    let (secure, app) = (world.file("secure.log"), world.file("app.log"));
    append(&secure, "s1\n");
    append(&app, "a1\n");
    let sources = vec![
        as_root(file_source("secure", &secure)),
        file_source("app", &app),
    ];
    let mut watched = Watched::follow(vec![world.host(sources.clone())], 1);
    watched
        .until("the reason", |w| {
            last_reason(w).0 == Some(LinkState::Degraded) && w.records.len() == 1
        })
        .await;
    let (_, reason, hint) = last_reason(&watched);
    assert!(
        reason.contains("sudo -n /bin/sh -s is refused, and said: sudo: a password is required"),
        "{reason}"
    );
    let user = crate::support::sshd::me();
    assert!(
        hint.contains(&format!("{user} ALL=(root) NOPASSWD: /bin/sh -s")),
        "{hint}"
    );
    assert!(problem_of(&watched, "secure").is_some_and(|why| why.contains("is refused")));
    append(&app, "a2\n");
    watched
        .until("the other to go on", |w| w.texts() == ["a1", "a2"])
        .await;
    sudo(&world, "exec \"$2\" \"$3\"");
    watched
        .until("root's, once sudo lets us", |w| {
            w.texts().contains(&"s1".to_owned())
        })
        .await;
    watched
        .until("all to be well", |w| {
            last_reason(w).0 == Some(LinkState::Ok)
        })
        .await;
    assert_eq!(problem_of(&watched, "secure"), None);
    assert_eq!(world.sshd.accepted(), 1);
    // The same of a bounded pass, where the server tells that sudo has ended before what it said.
    sudo(
        &world,
        "(sleep 0.3; echo 'sudo: a password is required' >&2) & exit 1",
    );
    let mut once = Watched::once(vec![world.host(sources)], 1, Duration::from_secs(20));
    once.until("the end", |w| w.over).await;
    let why = problem_of(&once, "secure").expect("a reason");
    assert!(
        why.contains("is refused, and said: sudo: a password is required"),
        "{why}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn files_for_root_are_read_back_by_sudo_or_it_is_said_what_is_needed() {
    let world = StandInHost::with(&[]);
    let used = world.file("used");
    sudo(
        &world,
        &format!("echo once >>{}; exec \"$2\" \"$3\"", used.display()),
    );
    let (secure, app) = (world.file("secure.log"), world.file("app.log"));
    append(&secure, "s1\ns2\n");
    append(&app, "a1\n");
    let host = world.host(vec![
        as_root(file_source("secure", &secure)),
        file_source("app", &app),
    ]);
    let connector = connector(&Person::absent());
    let connection = connector.connect(&host).await.expect("a connection");
    let all = async || {
        let (sender, mut replies) = tokio::sync::mpsc::channel(1000);
        let ask = LogRequest {
            sources: Vec::new(),
            what: page_request(PageStart::Oldest, false, 10),
        };
        logtrail::host::ask::ask(&connection, &host, &ask, sender)
            .await
            .expect("the host stays");
        let mut told = Vec::new();
        while let Some(reply) = replies.recv().await {
            match reply {
                LogResponse::Lines(name, lines) => {
                    told.extend(
                        lines
                            .iter()
                            .map(|line| format!("{name}: {}", text_of(line))),
                    );
                }
                LogResponse::Failed(name, why) => told.push(format!("{name}: {why}")),
                LogResponse::Done(totals) => told.push(format!("done: {}", totals.lines)),
                _ => {}
            }
        }
        told
    };
    assert_eq!(
        all().await,
        ["secure: s1", "secure: s2", "app: a1", "done: 3"]
    );
    assert_eq!(fs::read_to_string(&used).expect("sudo was used"), "once\n");
    sudo(&world, "echo 'sudo: a password is required' >&2; exit 1");
    let told = all().await;
    assert!(
        told[0].starts_with("secure: sudo -n /bin/sh -s is refused, and said: sudo: a password"),
        "{told:?}"
    );
    assert!(told[0].contains("NOPASSWD: /bin/sh -s"), "{told:?}");
    assert_eq!(told[1..], ["app: a1", "done: 1"]);
}

/// Sessions that a host may hold for as long as it is followed.
const FOLLOWED: usize = 7;

#[tokio::test(flavor = "multi_thread")]
async fn a_request_about_root_and_login_files_needs_no_second_session_where_there_is_none() {
    let world = StandInHost::with(&[]);
    sudo(&world, "exec /usr/bin/sudo \"$@\"");
    let (secure, app) = (world.file("secure.log"), world.file("app.log"));
    append(&secure, "s1\n");
    append(&app, "a1\n");
    let host = world.host(vec![
        as_root(file_source("secure", &secure)),
        file_source("app", &app),
    ]);
    let connection = connect(&host).await;
    let mut held = Vec::new();
    for _ in 0..FOLLOWED {
        let shell = ShellFiles::start(&connection).await;
        held.push(shell.unwrap_or_else(|error| panic!("{:?}", error.status)));
    }
    let page = || page_request(PageStart::Oldest, false, 10);
    let answers = async {
        tokio::join!(
            answer_over(&connection, &host, page()),
            answer_over(&connection, &host, page())
        )
    };
    let (one, other) = within("two answers over one session", answers).await;
    for (replies, _) in [one, other] {
        let lines = reply_lines(&replies);
        assert_eq!(lines.iter().map(text_of).collect::<Vec<_>>(), ["s1", "a1"]);
    }
    drop(held);
    connection.close().await;
}
