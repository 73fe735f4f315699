//! A fleet in the middle of an incident: logins that take up to 40 s, shells that are killed once,
//! hosts that are booting. It takes two minutes and both cores, so it runs by itself:
//! `tests/logins`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use logtrail::model::host::{HostName, HostSpec, UserName};
use logtrail::model::state::LinkState;

use crate::support::fleet::Watched;
use crate::support::login::{field_connector, follow_options, mount_booting_pam};
use crate::support::mounted::with_own_mounts;
use crate::support::spec::file_source;
use crate::support::sshd::{Daemon, Sshd};

/// All must be up by then.
const LIMIT: Duration = Duration::from_secs(120);

/// The longest that `.bashrc` sleeps.
const SLOWEST: u64 = 40;

/// Hosts are booting for so long.
const BOOTING: Duration = Duration::from_secs(10);

/// How many hosts there are to be.
fn count() -> usize {
    std::env::var("LOGINS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(150)
}

struct Fleet {
    hosts: Vec<HostSpec>,
    servers: Vec<Sshd>,
    /// One server for every fifth host: they share its places.
    shared: (Sshd, Daemon),
}

/// What `.bashrc` does.
fn slow(sshd: &Sshd, is_killed_once: bool) {
    let kill = format!(
        "[ -e {0} ] || {{ : >{0}; kill -KILL $$; }}\n",
        sshd.path("killed").display()
    );
    let text = format!(
        "{}sleep $((RANDOM % {}))\n",
        if is_killed_once { &kill } else { "" },
        SLOWEST + 1
    );
    fs::write(sshd.path(".bashrc"), text).expect("written");
}

/// A server whose logins have its folder as their home, where everybody may read.
fn server(config: &str) -> Sshd {
    let home = tempfile::tempdir().expect("a folder").keep();
    let sshd = Sshd::builder()
        .config(config)
        .environment(&[&format!("HOME={}", home.display())])
        .start();
    // The home is known only now.
    fs::remove_dir(&home).expect("it is empty");
    std::os::unix::fs::symlink(sshd.path(""), &home).expect("a link");
    fs::write(sshd.path("home"), home.display().to_string()).expect("written");
    fs::set_permissions(sshd.path(""), PermissionsExt::from_mode(0o755)).expect("chmod");
    fs::write(sshd.path("app.log"), "a line\n").expect("written");
    sshd
}

fn fleet(count: usize) -> Fleet {
    let near = server("UsePAM no");
    slow(&near, false);
    let daemon = Daemon::start(&near);
    let (mut hosts, mut servers) = (Vec::new(), Vec::new());
    for number in 0..count {
        let name = format!("host-{number}");
        let is_booting = number % 10 == 1;
        let (mut host, log) = if number % 5 == 0 {
            (daemon.host(&near, &name), near.path("app.log"))
        } else {
            let sshd = server(if is_booting {
                "UsePAM yes"
            } else {
                "UsePAM no"
            });
            slow(&sshd, number % 10 == 2);
            let found = (sshd.host(&name), sshd.path("app.log"));
            servers.push(sshd);
            found
        };
        host.endpoint.name = HostName::new(&name).expect("a name");
        if is_booting {
            host.endpoint.user = Some(UserName::new("operator1").expect("a user"));
        }
        host.sources = vec![file_source("app", &log)];
        hosts.push(host);
    }
    Fleet {
        hosts,
        servers,
        shared: (near, daemon),
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for sshd in self.servers.iter().chain([&self.shared.0]) {
            let _ = fs::read_to_string(sshd.path("home")).map(fs::remove_file);
        }
    }
}

/// Of so many numbers in order, the smallest that is not below that share of them.
fn share(sorted: &[f64], share: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

#[test]
#[ignore = "two minutes and both cores: run by tests/logins"]
fn r31_r33_slow_killed_and_booting_logins_are_up_in_two_minutes() {
    assert!(
        rustix::process::geteuid().is_root(),
        "only root can run a server for another user"
    );
    with_own_mounts(|| async {
        let folder = tempfile::tempdir().expect("a folder");
        let _mounts = mount_booting_pam(folder.path());
        let fleet = fleet(count());
        let count = fleet.hosts.len();
        let began = Instant::now();
        let mut watched = Watched::by(fleet.hosts.clone(), follow_options(), field_connector());
        watched.pause(BOOTING).await;
        fs::remove_file(folder.path().join("nologin")).expect("it was there");
        let mut up: Vec<Option<f64>> = vec![None; count];
        while up.iter().any(Option::is_none) && began.elapsed() < LIMIT {
            let known = watched.records.len();
            let left = LIMIT.saturating_sub(began.elapsed());
            let more = watched.until_within(2 * LIMIT, "a line", |w| w.records.len() > known);
            let _ = tokio::time::timeout(left, more).await;
            for record in &watched.records {
                up[record.host.0 as usize].get_or_insert(began.elapsed().as_secs_f64());
            }
        }
        let mut times: Vec<f64> = up.iter().flatten().copied().collect();
        times.sort_by(f64::total_cmp);
        let ended = |state| {
            watched
                .statuses
                .iter()
                .filter(|(_, status)| status.state == state)
                .count()
        };
        let states = [
            LinkState::Denied,
            LinkState::Timeout,
            LinkState::Unreachable,
            LinkState::Throttled,
        ];
        let ends: Vec<String> = states
            .iter()
            .map(|state| format!("{state} {}", ended(*state)))
            .collect();
        eprintln!(
            "{} of {count} hosts up; tries that ended {}",
            times.len(),
            ends.join(", ")
        );
        if !times.is_empty() {
            let [half, most, last] = [0.5, 0.9, 1.0].map(|of| share(&times, of));
            eprintln!(
                "up after {half:.1} s (half), {most:.1} s (nine of ten), {last:.1} s (all that are)"
            );
        }
        let missing: Vec<_> = (0..count)
            .filter(|&host| up[host].is_none())
            .map(|host| {
                watched
                    .statuses
                    .iter()
                    .rev()
                    .find(|(of, _)| *of as usize == host)
            })
            .collect();
        assert!(missing.is_empty(), "{missing:?}");
        assert_eq!(ended(LinkState::Denied), 0);
    });
}
