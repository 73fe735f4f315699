//! Servers that give a connection one session only: OpenSSH's with MaxSessions 1, and tinysshd,
//! which hangs up when it ends.

use logtrail::fleet::{FanOut, FanOutEvent};
use logtrail::model::host::{HostId, HostSpec};
use logtrail::model::source::SourceSpec;
use logtrail::model::state::LinkState;
use logtrail::model::update::Update;
use logtrail::query::request::{LogRequest, LogResponse, PageStart, RequestKind};

use crate::support::asking::{all_replies, page_request, reply_lines, text_of};
use crate::support::connect::connector;
use crate::support::files::{append, executable};
use crate::support::fleet::{Watched, last_reason, problem_of};
use crate::support::spec::{as_root, command, container, file_source};
use crate::support::sshd::Sshd;
use crate::support::stand_in::{CONTAINER_ID, StandInHost, engine_line};
use crate::support::tinysshd::TinySshd;
use crate::support::{PATIENCE, Person, program};

/// The same logs on both servers.
struct Servers {
    world: StandInHost,
    tiny: TinySshd,
}

impl Servers {
    fn start() -> Self {
        Self::with_connections("-c40")
    }

    /// The option of `tcpserver` says how many connections there may be at once.
    fn with_connections(most: &str) -> Self {
        let world = StandInHost::on(Sshd::builder().config("MaxSessions 1"), &["docker"]);
        executable(
            &world.file("bin/sudo"),
            "#!/bin/sh\n[ \"$*\" = '-n /bin/sh -s' ] || exit 9\nexec \"$2\" \"$3\"\n",
        );
        append(&world.file("app.log"), "a1\n");
        append(&world.file("secure.log"), "s1\n");
        let (bin, tcpserver) = (
            world.file("bin"),
            program("tcpserver").display().to_string(),
        );
        // Its logins have a PATH of their own; with what is here in a folder of that.
        let tiny = TinySshd::start(|port, tinysshd| {
            format!(
                "sh -c 'mount --bind {} /usr/local/bin && exec {tcpserver} {most} -HRDl0 127.0.0.1 {port} {tinysshd}'",
                bin.display()
            )
        });
        Self { world, tiny }
    }

    fn file(&self, name: &str) -> SourceSpec {
        file_source(name, &self.world.file(&format!("{name}.log")))
    }

    fn secure(&self) -> SourceSpec {
        as_root(self.file("secure"))
    }

    fn hosts(&self, sources: &[SourceSpec]) -> [HostSpec; 2] {
        [
            self.tiny.host(sources.to_vec()),
            self.world.host(sources.to_vec()),
        ]
    }
}

/// What a host answers about these sources, as `search` and `read` have it: lines, failures, and
/// its last state.
async fn asked(host: HostSpec, sources: &[&str], what: RequestKind) -> Vec<String> {
    let connector = connector(&Person::absent());
    let asks = [LogRequest {
        sources: sources.iter().map(|name| (*name).to_owned()).collect(),
        what,
    }];
    let mut asking = FanOut::start(vec![host], &asks, PATIENCE, connector);
    let (mut told, mut last) = (Vec::new(), String::new());
    while let Some(next) = asking.next().await {
        match next {
            FanOutEvent::Update(Update::Lines(records)) => {
                told.extend(
                    records
                        .iter()
                        .map(|record| String::from_utf8_lossy(&record.content.raw).into_owned()),
                );
            }
            FanOutEvent::Update(Update::Status(_, status)) => {
                last = format!("{} {}", status.state, status.reason.unwrap_or_default())
                    .trim_end()
                    .to_owned();
            }
            FanOutEvent::Reply(_, LogResponse::Failed(name, why)) => {
                told.push(format!("{name} failed: {why}"));
            }
            _ => {}
        }
    }
    told.push(last);
    told
}

fn says_one_session(watched: &Watched) -> bool {
    let (state, reason, hint) = last_reason(watched);
    state == Some(LinkState::Degraded)
        && reason.contains("gives a connection one session only")
        && !hint.is_empty()
}

#[tokio::test(flavor = "multi_thread")]
async fn r36_where_a_connection_has_one_session_further_ones_bring_the_rest_and_answer() {
    let servers = Servers::start();
    servers
        .world
        .list(&[&format!("{CONTAINER_ID}\tshop\t\t\trunning")]);
    servers.world.says(CONTAINER_ID, &[&engine_line(1, "c1")]);
    for host in servers.hosts(&[servers.file("app"), servers.secure(), container("shop")]) {
        println!("{}", host.name());
        let mut once = Watched::once(vec![host.clone()], 10, PATIENCE);
        once.until("a pass", |w| w.over).await;
        for line in ["a1", "s1", "c1"] {
            let texts = once.texts();
            assert!(texts.contains(&line.to_owned()), "{texts:?}");
        }
        let mut watched = Watched::follow(vec![host], 10);
        let has = |w: &Watched, line: &str| w.texts().contains(&line.to_owned());
        watched
            .until("the lines of all", |w| {
                ["a1", "s1", "c1"].iter().all(|line| has(w, line))
            })
            .await;
        let fleet = watched.fleet.as_ref().expect("it runs");
        for _ in 0..3 {
            let asked = LogRequest {
                sources: vec!["app".to_owned()],
                what: page_request(PageStart::Oldest, false, 10),
            };
            let mut replies = all_replies(fleet.ask(HostId(0), asked)).await;
            let end = replies.pop();
            assert!(matches!(end, Some(LogResponse::Done(_))), "{end:?}");
            let lines: Vec<String> = reply_lines(&replies).iter().map(text_of).collect();
            assert!(lines.contains(&"a1".to_owned()), "{replies:?}");
        }
        watched.until("metrics", |w| w.samples.len() > 1).await;
    }
    // A refusal is tried three times, for a session that was closed may not be free yet; and what
    // starts together is refused together. Then it is known: no question was refused.
    let log = servers.world.sshd.log();
    let refused = log.matches("no more sessions").count();
    assert!(refused <= 2 * 2 * 3, "{refused} refusals: {log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn r36_where_there_is_no_further_connection_files_are_followed_and_it_says_why_no_more() {
    let servers = Servers::with_connections("-c1");
    let [tiny, _] = servers.hosts(&[servers.file("app"), servers.secure()]);
    let mut watched = Watched::follow(vec![tiny], 1);
    watched
        .until_within(2 * PATIENCE, "the lines, and why not the others", |w| {
            !w.records.is_empty() && says_one_session(w)
        })
        .await;
    append(&servers.world.file("app.log"), "a2\n");
    watched
        .until("what is new", |w| w.texts().ends_with(&["a2".to_owned()]))
        .await;
}

/// R36: commands cannot share a session, so there is a further connection for those that have none.
#[tokio::test(flavor = "multi_thread")]
async fn r36_all_commands_are_followed_however_many_one_connection_has_room_for() {
    let sshd = Sshd::start();
    let mut host = sshd.host("web-1");
    host.sources = (0..12)
        .map(|n| {
            command(
                &format!("c{n}"),
                &["sh", "-c", &format!("echo said {n}; exec cat")],
            )
        })
        .collect();
    let mut watched = Watched::follow(vec![host], 1);
    watched
        .until("the lines of all", |w| {
            (0..12).all(|n| w.texts().contains(&format!("said {n}")))
        })
        .await;
    assert_eq!(sshd.accepted(), 3, "the first, and two further ones");
}

#[tokio::test(flavor = "multi_thread")]
async fn r36_a_search_has_the_only_session_for_what_it_is_about() {
    let servers = Servers::start();
    servers
        .world
        .list(&[&format!("{CONTAINER_ID}\tshop\t\t\trunning")]);
    servers.world.says(CONTAINER_ID, &[&engine_line(1, "c1")]);
    let all = [servers.file("app"), servers.secure(), container("shop")];
    for (name, line) in [("app", "a1"), ("secure", "s1"), ("shop", "c1")] {
        for host in servers.hosts(&all) {
            let told = asked(
                host.clone(),
                &[name],
                page_request(PageStart::Oldest, false, 10),
            )
            .await;
            assert_eq!(told, [line, "ok"], "{name} on {}", host.name());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r36_a_search_of_all_reads_all_where_a_server_gives_one_session() {
    let servers = Servers::start();
    for host in servers.hosts(&[servers.file("app"), servers.secure()]) {
        let name = host.name().clone();
        let mut told = asked(host, &[], page_request(PageStart::Oldest, false, 10)).await;
        assert_eq!(told.pop().as_deref(), Some("ok"), "{name}: {told:?}");
        told.sort();
        assert_eq!(told, ["a1", "s1"], "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r36_a_sudo_that_refuses_the_only_session_is_what_is_told() {
    let servers = Servers::start();
    executable(
        &servers.world.file("bin/sudo"),
        "#!/bin/sh\necho 'sudo: a password is required' >&2; exit 1\n",
    );
    for host in servers.hosts(&[servers.file("app"), servers.secure()]) {
        let told = asked(
            host.clone(),
            &["secure"],
            page_request(PageStart::Oldest, false, 10),
        )
        .await;
        let last = told.last().expect("a state");
        let name = host.name();
        assert!(
            last.starts_with("degraded") && last.contains("sudo: a password is required"),
            "{name}: {told:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r36_files_for_root_have_the_only_session_where_there_are_no_others() {
    let servers = Servers::start();
    for host in servers.hosts(&[servers.secure()]) {
        println!("{}", host.name());
        let mut once = Watched::once(vec![host.clone()], 1, PATIENCE);
        once.until("a pass", |w| w.over).await;
        assert!(
            once.texts()[0].starts_with('s') && once.texts().len() == 1,
            "{:?}",
            once.statuses
        );
        assert_eq!(
            last_reason(&once).0,
            Some(LinkState::Ok),
            "{:?}",
            once.statuses
        );
        let mut watched = Watched::follow(vec![host], 1);
        watched.until("the line", |w| !w.records.is_empty()).await;
        watched.until("metrics", |w| w.samples.len() > 1).await;
        append(&servers.world.file("secure.log"), "s2\n");
        watched
            .until("what is new", |w| w.texts().ends_with(&["s2".to_owned()]))
            .await;
        assert_eq!(
            last_reason(&watched).0,
            Some(LinkState::Ok),
            "{:?}",
            watched.statuses
        );
        assert_eq!(problem_of(&watched, "secure"), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r36_a_sudo_that_refuses_the_only_session_leaves_it_to_the_rest() {
    let servers = Servers::start();
    executable(
        &servers.world.file("bin/sudo"),
        "#!/bin/sh\necho 'sudo: a password is required' >&2; exit 1\n",
    );
    for host in servers.hosts(&[servers.secure()]) {
        println!("{}", host.name());
        let is_refused = |w: &Watched| {
            let (state, reason, hint) = last_reason(w);
            state == Some(LinkState::Degraded)
                && reason.contains("sudo: a password is required")
                && hint.contains("NOPASSWD: /bin/sh -s")
        };
        let mut once = Watched::once(vec![host.clone()], 1, PATIENCE);
        once.until("a pass", |w| w.over).await;
        assert!(
            is_refused(&once) && !once.samples.is_empty(),
            "{:?}",
            once.statuses
        );
        let mut watched = Watched::follow(vec![host], 1);
        watched
            .until("the refusal, and metrics", |w| {
                is_refused(w) && w.samples.len() > 1
            })
            .await;
        assert!(
            problem_of(&watched, "secure")
                .is_some_and(|why| why.contains("a password is required"))
        );
    }
}
