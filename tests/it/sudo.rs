//! The real sudo, with rules as hosts have them: what only root may read comes, or it is said why
//! not, and nothing is left.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use logtrail::model::host::HostSpec;
use logtrail::model::source::SourceSpec;
use logtrail::model::state::LinkState;

use crate::support::binary::logtrail;
use crate::support::files::{append, executable};
use crate::support::fleet::{Watched, last_reason};
use crate::support::inventory::Inventory;
use crate::support::processes::none_alive;
use crate::support::spec::{as_root, file_source};
use crate::support::sshd::{Sshd, me};
use crate::support::time_limit::Stopwatch;
use crate::support::{PATIENCE, program, wait_until};

/// A server whose sudo has rules of its own.
struct World {
    folder: tempfile::TempDir,
    sshd: Sshd,
}

impl World {
    fn with(defaults: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let sudoers = folder.path().join("sudoers");
        let iolog = format!(
            "Defaults iolog_dir={}, iolog_file=%{{seq}}",
            folder.path().join("io").display()
        );
        fs::write(
            &sudoers,
            format!("{iolog}\nDefaults {defaults}\nALL ALL=(root) NOPASSWD: ALL\n"),
        )
        .expect("write");
        let sudo = format!(
            "#!/bin/sh\nexec unshare --mount --propagation private sh -c 'chmod 440 {0}; mount --bind {0} /etc/sudoers && exec {1} \"$@\"' sudo \"$@\"\n",
            sudoers.display(),
            program("sudo").display()
        );
        let bin = folder.path().join("bin");
        fs::create_dir(&bin).expect("a folder");
        executable(&bin.join("sudo"), &sudo);
        let sshd = Sshd::builder()
            .environment(&[&format!("PATH={}:/usr/bin:/bin", bin.display())])
            .start();
        append(&sshd.path("secure.log"), "one\n");
        Self { folder, sshd }
    }

    fn secure(&self) -> SourceSpec {
        as_root(file_source("secure", &self.sshd.path("secure.log")))
    }

    fn host(&self) -> HostSpec {
        HostSpec {
            sources: vec![self.secure()],
            ..self.sshd.host("web-1")
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r40_sudo_finishes_its_log_of_what_it_ran() {
    let world = World::with("log_output, log_input, !use_pty");
    let mut once = Watched::once(vec![world.host()], 10, PATIENCE);
    once.until("a pass", |w| w.over).await;
    assert_eq!(
        once.texts(),
        ["one"],
        "{:?} {:?}",
        once.statuses,
        once.sources
    );
    // sudo takes the right to write from what it has finished.
    let finished = || match fs::metadata(world.folder.path().join("io/00/00/01/timing")) {
        Ok(meta) if meta.permissions().mode() & 0o222 == 0 => Ok(()),
        other => Err(other.map(|meta| meta.permissions())),
    };
    wait_until("sudo to finish its log", finished).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sudo_that_wants_a_terminal_says_so() {
    let world = World::with("requiretty");
    let mut once = Watched::once(vec![world.host()], 10, PATIENCE);
    once.until("a pass", |w| w.over).await;
    let (state, reason, hint) = last_reason(&once);
    assert_eq!(state, Some(LinkState::Degraded), "{reason}");
    assert!(
        reason.contains("sudo -n /bin/sh -s is refused") && reason.contains("you must have a tty"),
        "{reason}"
    );
    assert!(
        hint.contains(&format!("Defaults:{} !requiretty", me())),
        "{hint}"
    );
}

/// The rules under which sudo stays beside what it runs.
const KINDS: [&str; 4] = [
    "use_pty",
    "!use_pty",
    "log_output, log_input, !use_pty",
    "log_output, use_pty",
];

#[tokio::test(flavor = "multi_thread")]
async fn r40_under_every_rule_of_sudo_lines_come_and_nothing_is_left_after_kill_9() {
    for rules in KINDS {
        println!("{rules}");
        let world = World::with(rules);
        let secure = world.sshd.path("secure.log");
        let config = Inventory::default()
            .server("web-1", &world.sshd)
            .line(&format!(
                "sources = [{{ name = \"secure\", path = {secure:?}, become = \"sudo\" }}]"
            ))
            .write(world.folder.path());
        let out = world.folder.path().join("out");
        let file = fs::File::create(&out).expect("a file");
        let mut console = logtrail(&config, &["tail", "-f"])
            .stdout(file)
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let printed = |line: &str| {
            let text = fs::read_to_string(&out).unwrap_or_default();
            if text.lines().any(|it| it.ends_with(line)) {
                Ok(())
            } else {
                Err(text)
            }
        };
        wait_until("the first line", || printed("one")).await;
        append(&world.sshd.path("secure.log"), "two\n");
        wait_until("the second line", || printed("two")).await;
        let ours = world.sshd.session_processes();
        assert!(ours.len() > 6, "{rules}: {ours:?}");
        console.kill().expect("SIGKILL");
        console.wait().expect("it ends");
        let killed = Stopwatch::start();
        wait_until("nothing to be left", || none_alive(&ours)).await;
        killed.assert_within_s(5, rules);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r40_nothing_is_left_of_scripts_whose_input_closes_while_they_start() {
    let world = World::with("use_pty");
    let mark = world.folder.path().display().to_string().into_bytes();
    for round in 0..10 {
        let before = world.sshd.accepted();
        let mut watched = Watched::follow(vec![world.host()], 10);
        let started = || {
            if world.sshd.accepted() > before {
                Ok(())
            } else {
                Err("no login")
            }
        };
        wait_until("a login", started).await;
        // Later each time: in the login's shell, in ours, in sudo, in the script.
        let deep = || {
            if world.sshd.session_processes().len() >= round {
                Ok(())
            } else {
                Err("too few processes")
            }
        };
        wait_until("some processes", deep).await;
        let ours = world.sshd.session_processes();
        world.sshd.cut();
        let cut = Stopwatch::start();
        drop(watched.fleet.take());
        let left = || none_alive(&ours).and_then(|()| none_marked(&mark));
        wait_until("nothing to be left", left).await;
        cut.assert_within_s(5, &format!("round {round}"));
    }
}

/// Whether no process has this in its environment, which is that of a login.
fn none_marked(mark: &[u8]) -> Result<(), String> {
    let is_marked = |path: &std::path::PathBuf| {
        let environment = fs::read(path.join("environ")).unwrap_or_default();
        environment.windows(mark.len()).any(|window| window == mark)
    };
    let all = fs::read_dir("/proc")
        .expect("Linux")
        .filter_map(|entry| Some(entry.ok()?.path()));
    let left: Vec<_> = all.filter(is_marked).collect();
    if left.is_empty() {
        Ok(())
    } else {
        Err(format!("{left:?}"))
    }
}
