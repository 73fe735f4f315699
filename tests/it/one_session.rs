//! Servers that give a connection one session only: OpenSSH's with MaxSessions 1, and tinysshd,
//! which hangs up when it ends.

use std::sync::Arc;
use std::time::Duration;

use logtrail::fleet::{Asking, Told};
use logtrail::model::host::HostSpec;
use logtrail::model::source::{SourceKind, SourceSpec};
use logtrail::model::state::LinkState;
use logtrail::model::update::Update;
use logtrail::query::request::{LogRequest, LogResponse, PageStart, RequestKind};
use logtrail::transport::{Connector, TransportSettings};

use crate::servers::TinySshd;
use crate::sources::{
    ID, World, append, as_root, at, container, executable, last_reason, page, problem, source,
};
use crate::support::fleet::Watched;
use crate::support::sshd::Sshd;
use crate::support::{PATIENCE, Person, program};

/// The same logs on both servers.
struct Servers {
    world: World,
    tiny: TinySshd,
}

impl Servers {
    fn start() -> Self {
        let world = World::on(Sshd::builder().config("MaxSessions 1"), &["docker"]);
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
                "sh -c 'mount --bind {} /usr/local/bin && exec {tcpserver} -HRDl0 127.0.0.1 {port} {tinysshd}'",
                bin.display()
            )
        });
        Self { world, tiny }
    }

    fn file(&self, name: &str) -> SourceSpec {
        source(
            name,
            SourceKind::Path(
                self.world
                    .file(&format!("{name}.log"))
                    .display()
                    .to_string(),
            ),
        )
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
    let settings = TransportSettings {
        ssh_config: false,
        connect_timeout: Duration::from_secs(10),
        known_hosts: None,
    };
    let connector = Connector::new(settings, Arc::new(Person::absent()));
    let asks = [LogRequest {
        sources: sources.iter().map(|name| (*name).to_owned()).collect(),
        what,
    }];
    let mut asking = Asking::start(vec![host], &asks, PATIENCE, connector);
    let (mut told, mut last) = (Vec::new(), String::new());
    while let Some(next) = asking.next().await {
        match next {
            Told::Update(Update::Lines(records)) => {
                told.extend(
                    records
                        .iter()
                        .map(|record| String::from_utf8_lossy(&record.content.raw).into_owned()),
                );
            }
            Told::Update(Update::Status(_, status)) => {
                last = format!("{} {}", status.state, status.reason.unwrap_or_default())
                    .trim_end()
                    .to_owned();
            }
            Told::Reply(_, LogResponse::Failed(name, why)) => {
                told.push(format!("{name} failed: {why}"))
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
async fn r36_files_are_followed_where_a_server_gives_one_session_and_the_rest_says_why_not() {
    let servers = Servers::start();
    for host in servers.hosts(&[servers.file("app"), servers.secure(), container("shop")]) {
        println!("{}", host.name());
        let mut once = Watched::once(vec![host.clone()], 1, PATIENCE);
        once.until("a pass", |w| w.over).await;
        assert_eq!(
            once.texts().first().map(|text| &text[..1]),
            Some("a"),
            "{:?}",
            once.statuses
        );
        assert!(says_one_session(&once), "{:?}", once.statuses);
        let mut watched = Watched::follow(vec![host], 1);
        watched
            .until("the lines, and why not the others", |w| {
                !w.records.is_empty() && says_one_session(w)
            })
            .await;
        let is_why = |why: String| why.contains("one session only");
        watched
            .until("why not root's", |w| {
                problem(w, "secure").is_some_and(is_why)
            })
            .await;
        watched.until("metrics", |w| w.samples.len() > 1).await;
        append(&servers.world.file("app.log"), "a2\n");
        watched
            .until("what is new", |w| w.texts().ends_with(&["a2".to_owned()]))
            .await;
        let lost = watched
            .statuses
            .iter()
            .filter(|(_, status)| status.state != LinkState::Degraded);
        let lost: Vec<_> = lost
            .filter(|(_, s)| !matches!(s.state, LinkState::Ok | LinkState::Connecting))
            .collect();
        assert!(lost.is_empty(), "{lost:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r36_a_search_has_the_only_session_for_what_it_is_about() {
    let servers = Servers::start();
    servers
        .world
        .list(&[&format!("{}\tshop\t\t\trunning", crate::sources::ID)]);
    servers.world.says(ID, &[&at(1, "c1")]);
    let all = [servers.file("app"), servers.secure(), container("shop")];
    for (name, line) in [("app", "a1"), ("secure", "s1"), ("shop", "c1")] {
        for host in servers.hosts(&all) {
            let told = asked(host.clone(), &[name], page(PageStart::Oldest, false, 10)).await;
            assert_eq!(told, [line, "ok"], "{name} on {}", host.name());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r36_a_search_of_all_reads_what_it_can_where_a_server_gives_one_session() {
    let servers = Servers::start();
    for host in servers.hosts(&[servers.file("app"), servers.secure()]) {
        let told = asked(host.clone(), &[], page(PageStart::Oldest, false, 10)).await;
        let name = host.name();
        assert!(told.contains(&"a1".to_owned()), "{name}: {told:?}");
        assert!(
            told.iter().any(|line| line.starts_with("secure failed: ")),
            "{name}: {told:?}"
        );
        let last = told.last().expect("a state");
        assert!(
            last.starts_with("degraded") && last.contains("one session only"),
            "{name}: {told:?}"
        );
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
            page(PageStart::Oldest, false, 10),
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
async fn r36_what_only_root_may_read_has_the_only_session_of_a_host_that_has_nothing_else() {
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
        assert_eq!(problem(&watched, "secure"), None);
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
            problem(&watched, "secure").is_some_and(|why| why.contains("a password is required"))
        );
    }
}
