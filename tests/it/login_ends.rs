//! What somebody else does on a real server in the middle of a login: the kernel kills a shell that
//! has just begun, sshd is stopped between the key exchange and the shell. Each is tried again by
//! itself, also by way of a jump host.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use logtrail::fleet::{FleetOptions, Goal};
use logtrail::model::host::HostSpec;
use logtrail::model::state::LinkState;
use logtrail::transport::Connector;
use rustix::process::{Pid, Signal, kill_process};

use crate::support::Person;
use crate::support::connect::settings;
use crate::support::fleet::Watched;
use crate::support::login::{field_connector, follow_options};
use crate::support::spec::file_source;
use crate::support::sshd::Sshd;

fn signal(pid: u32, signal: Signal) {
    // Who is gone takes none.
    let _ = Pid::from_raw(pid.cast_signed()).map(|pid| kill_process(pid, signal));
}

/// What sshd has started for a login, and not what that has started in its turn.
fn is_login_shell(pid: u32) -> bool {
    let stat = |pid: &str| std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let is_sshd = |stat: &str| stat.contains("(sshd");
    let ours = stat(&pid.to_string());
    let parent = ours
        .rsplit_once(") ")
        .and_then(|(_, rest)| rest.split(' ').nth(1))
        .unwrap_or_default();
    !ours.is_empty() && !is_sshd(&ours) && is_sshd(&stat(parent))
}

/// Watches a server until it is dropped; then what was stopped goes on, so that it can end.
struct Meddler {
    over: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<BTreeSet<u32>>>,
}

impl Meddler {
    /// Calls `meddle` again and again, which tells whom it has done something to.
    fn start(
        sshd: &Arc<Sshd>,
        meddle: impl Fn(&Sshd, &mut BTreeSet<u32>) + Send + 'static,
    ) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let (is_over, sshd) = (Arc::clone(&over), Arc::clone(sshd));
        let thread = std::thread::spawn(move || {
            let mut met = BTreeSet::new();
            while !is_over.load(Ordering::SeqCst) {
                meddle(&sshd, &mut met);
                std::thread::sleep(Duration::from_millis(2));
            }
            met
        });
        Self {
            over,
            thread: Some(thread),
        }
    }

    /// Kills the first two login shells as soon as each is there.
    fn kill_shells(sshd: &Arc<Sshd>) -> Self {
        Self::start(sshd, |sshd, met| {
            for (pid, _) in sshd.session_processes() {
                if met.len() < 2 && is_login_shell(pid) && met.insert(pid) {
                    signal(pid, Signal::KILL);
                }
            }
        })
    }

    /// Stops what serves the first connection once it has let us in.
    fn stop_server(sshd: &Arc<Sshd>) -> Self {
        Self::start(sshd, |sshd, met| {
            if met.is_empty() && sshd.log().contains("Accepted publickey") {
                let all = sshd
                    .servers()
                    .into_iter()
                    .chain(sshd.session_processes().into_iter().map(|(pid, _)| pid));
                for pid in all {
                    signal(pid, Signal::STOP);
                    met.insert(pid);
                }
            }
        })
    }

    /// How many it has met.
    fn end(mut self) -> usize {
        self.join().len()
    }

    fn join(&mut self) -> BTreeSet<u32> {
        self.over.store(true, Ordering::SeqCst);
        let met = self
            .thread
            .take()
            .map(|thread| thread.join().expect("no panic"))
            .unwrap_or_default();
        met.iter().for_each(|pid| signal(*pid, Signal::CONT));
        met
    }
}

impl Drop for Meddler {
    fn drop(&mut self) {
        self.join();
    }
}

/// Two servers and the ways to a log of one line on the first: straight, and by way of the second.
fn ways() -> ([Arc<Sshd>; 2], [HostSpec; 2]) {
    // Long enough to be seen.
    let slow = "ForceCommand sleep 0.5; exec sh -c \"$SSH_ORIGINAL_COMMAND\"";
    let servers = [slow, "PrintMotd no"].map(|line| Arc::new(Sshd::builder().config(line).start()));
    let log = servers[0].path("app.log");
    std::fs::write(&log, "a line\n").expect("written");
    let sources = vec![file_source("app", &log)];
    let straight = HostSpec {
        sources,
        ..servers[0].host("host")
    };
    let around = HostSpec {
        via: vec![vec![servers[1].endpoint("hop")]],
        ..straight.clone()
    };
    (servers, [straight, around])
}

fn pass() -> FleetOptions {
    FleetOptions {
        goal: Goal::Once {
            deadline: Duration::from_secs(60),
        },
        ..follow_options()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r33_a_shell_that_is_killed_at_its_start_is_started_again() {
    for way in 0..2 {
        for options in [follow_options(), pass()] {
            let (servers, hosts) = ways();
            let meddler = Meddler::kill_shells(&servers[0]);
            let mut watched = Watched::by(vec![hosts[way].clone()], options, field_connector());
            let long = Duration::from_secs(60);
            watched
                .until_within(long, "the line", |w| w.over || !w.records.is_empty())
                .await;
            assert_eq!(watched.texts(), ["a line"], "{:?}", watched.statuses);
            assert_eq!(meddler.end(), 2, "{:?}", watched.statuses);
            let failed = |state| {
                watched
                    .statuses
                    .iter()
                    .filter(|(_, status)| status.state == state)
                    .count()
            };
            assert_eq!(failed(LinkState::Denied), 0, "{:?}", watched.statuses);
            assert_eq!(failed(LinkState::Unreachable), 2, "{:?}", watched.statuses);
        }
    }
}

/// With limits that are soon reached.
fn impatient() -> Connector {
    Connector::new(settings(Duration::from_secs(2)), Arc::new(Person::absent()))
        .with_login_time(Duration::from_secs(4))
}

#[tokio::test(flavor = "multi_thread")]
async fn r31_a_server_that_is_stopped_before_the_shell_is_dialled_again() {
    // Who is stopped, and by which way the host is reached.
    let cases = [(0, 0), (0, 1), (1, 1)]
        .into_iter()
        .flat_map(|case| [(case, follow_options()), (case, pass())]);
    join_all(
        cases.map(|((stopped, way), options)| stopped_before_the_shell(stopped, way, options)),
    )
    .await;
}

async fn stopped_before_the_shell(stopped: usize, way: usize, options: FleetOptions) {
    let (servers, hosts) = ways();
    let meddler = Meddler::stop_server(&servers[stopped]);
    let mut watched = Watched::by(vec![hosts[way].clone()], options, impatient());
    watched
        .until_within(Duration::from_secs(60), "the line", |w| {
            w.over || !w.records.is_empty()
        })
        .await;
    assert_eq!(
        watched.texts(),
        ["a line"],
        "{stopped}, {way}: {:?}",
        watched.statuses
    );
    assert_ne!(meddler.end(), 0);
    let states: Vec<LinkState> = watched
        .statuses
        .iter()
        .map(|(_, status)| status.state)
        .collect();
    assert!(
        states.contains(&LinkState::Timeout),
        "{stopped}, {way}: {:?}",
        watched.statuses
    );
    assert!(
        !states.contains(&LinkState::Denied),
        "{stopped}, {way}: {:?}",
        watched.statuses
    );
}
