//! What following costs while nothing happens, what waits for the files then, and how long a shell
//! that nobody renews lives.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::waiting::wait_until;
use super::{FOLLOW, Talk, allow, id, members, unprivileged, with_every_shell};

/// Looks after which the script takes files for resting, and some more that find the watcher ready.
const LOOKS: usize = 40;

/// A log that is followed and has rested for long.
struct Resting {
    talk: Talk,
    log: PathBuf,
    _folder: tempfile::TempDir,
}

impl Resting {
    fn start(command: &mut std::process::Command) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        allow(folder.path(), 0o755);
        let log = folder.path().join("app.log");
        std::fs::write(&log, "one\n").expect("write");
        let mut talk = Talk::start(command);
        talk.watch(1, &log);
        assert_eq!(talk.ask("poll 262144"), ["changed 1", "polled 0"]);
        talk.tell(&format!("read_from 1 {} 4", id(&log)));
        assert_eq!(
            talk.ask("poll 262144"),
            ["read 1 0 one", "polled 0"],
            "the bytes before the offset, to be compared"
        );
        let mut resting = Self {
            talk,
            log,
            _folder: folder,
        };
        for _ in 0..LOOKS {
            resting.nothing_happens();
        }
        resting
    }

    fn nothing_happens(&mut self) {
        assert_eq!(self.talk.ask("poll 262144"), ["polled 0"]);
    }

    fn append(&self, text: &str) {
        let mut file = std::fs::OpenOptions::new()
            .append(true)
            .open(&self.log)
            .expect("open");
        file.write_all(text.as_bytes()).expect("write");
    }

    /// Looks as the console does until there is something; how many looks that took.
    fn look_until(&mut self, what: &str) -> usize {
        let mut answer = Vec::new();
        let mut looks = 0;
        wait_until(
            || {
                looks += 1;
                answer = self.talk.ask("poll 262144");
                answer[0] != "polled 0"
            },
            || format!("no {what:?}"),
        );
        assert_eq!(answer[0], what);
        looks
    }

    /// Faults of pages in processes that a look started, of which there is no process without.
    fn cost_of_a_look(&mut self) -> u64 {
        let group = self.talk.child.id().to_string();
        let faults_of_children = |stat: &String| {
            stat.rsplit(')')
                .next()?
                .split_whitespace()
                .nth(8)?
                .parse::<u64>()
                .ok()
        };
        let count = || {
            members(&group)
                .iter()
                .filter_map(faults_of_children)
                .sum::<u64>()
        };
        let before = count();
        self.nothing_happens();
        count().saturating_sub(before)
    }

    /// The processes whose end is the sign to look, once there are as many: a shell's child is not
    /// yet what it will be.
    fn watchers(&self, wanted: usize) -> Vec<u32> {
        let mut found: Vec<u32> = Vec::new();
        wait_until(
            || {
                found = members(&self.talk.child.id().to_string())
                    .iter()
                    .filter(|stat| stat.contains("(dd)"))
                    .filter_map(|stat| stat.split(' ').next()?.parse().ok())
                    .collect();
                found.len() == wanted
            },
            || format!("not {wanted} watchers: {:?}", self.programs()),
        );
        found
    }

    /// The names of what runs in the group of the shell.
    fn programs(&self) -> Vec<String> {
        let name = |stat: String| Some(stat.split_once('(')?.1.rsplit_once(')')?.0.to_owned());
        members(&self.talk.child.id().to_string())
            .into_iter()
            .filter_map(name)
            .collect()
    }
}

/// Whether what the shell has for `tail` is one that is woken by the kernel; BusyBox takes its own
/// for it.
fn has_watcher(shell: &str) -> bool {
    !shell.starts_with("busybox")
}

#[test]
fn files_at_rest_are_waited_for_and_a_look_costs_no_process() {
    with_every_shell(|shell, mut command| {
        let mut resting = Resting::start(&mut command);
        resting.watchers(usize::from(has_watcher(shell)));
        // One look in ten is made all the same.
        let costs: Vec<u64> = (0..5).map(|_| resting.cost_of_a_look()).collect();
        let free = has_watcher(shell) && !shell.starts_with("mksh");
        assert!(!free || costs.contains(&0), "{shell}: {costs:?}");
    });
}

#[test]
fn what_happens_to_files_at_rest_is_seen_at_one_of_the_next_looks() {
    with_every_shell(|shell, mut command| {
        let mut resting = Resting::start(&mut command);
        resting.append("two\n");
        let looks = resting.look_until("read 1 0 one\ntwo");
        assert!(looks <= 10, "{shell}: {looks} looks for a line");
        resting
            .talk
            .tell(&format!("read_from 1 {} 8", id(&resting.log)));
        resting.look_until("read 1 0 one\ntwo");
        for _ in 0..LOOKS {
            resting.nothing_happens();
        }
        std::fs::rename(&resting.log, resting.log.with_extension("log.1")).expect("rename");
        resting.look_until("absent 1 missing");
        std::fs::write(&resting.log, "new\n").expect("write");
        let looks = resting.look_until("changed 1");
        assert!(
            looks <= 2,
            "{shell}: a name that stands for something again is seen after {looks} looks"
        );
    });
}

#[test]
fn a_file_that_is_denied_keeps_no_other_from_rest_and_is_seen_when_it_is_granted() {
    with_every_shell(|shell, mut command| {
        unprivileged(&mut command);
        let mut resting = Resting::start(&mut command);
        let denied = resting.log.with_file_name("denied.log");
        std::fs::write(&denied, "one\n").expect("write");
        allow(&denied, 0);
        resting.talk.watch(2, &denied);
        let told = resting.talk.ask("poll 262144");
        assert!(
            told[0].starts_with("denied 2 ----------") && told[1..] == ["polled 0"],
            "{shell}: {told:?}"
        );
        for _ in 0..LOOKS {
            resting.nothing_happens();
        }
        resting.watchers(usize::from(has_watcher(shell)));
        let costs: Vec<u64> = (0..5).map(|_| resting.cost_of_a_look()).collect();
        let free = has_watcher(shell) && !shell.starts_with("mksh");
        assert!(!free || costs.contains(&0), "{shell}: {costs:?}");
        allow(&denied, 0o644);
        let looks = resting.look_until("changed 2");
        assert!(
            looks <= 2,
            "{shell}: a file that is granted is seen after {looks} looks"
        );
    });
}

#[test]
fn a_line_at_any_moment_around_the_start_of_the_watcher_is_seen_without_another_one() {
    with_every_shell(|shell, mut command| {
        let mut resting = Resting::start(&mut command);
        let mut text = "one\n".to_owned();
        // The watcher starts at the 31st look that finds nothing, and looks are left out from the
        // sixth after that on.
        for looks in 27..=42 {
            text += "x\n";
            resting.append("x\n");
            let looked = resting.look_until(&format!("read 1 0 {}", text.trim_end()));
            assert!(looked <= 10, "{shell}: {looked} looks for a line");
            resting
                .talk
                .tell(&format!("read_from 1 {} {}", id(&resting.log), text.len()));
            resting.look_until(&format!("read 1 0 {}", text.trim_end()));
            for _ in 0..looks {
                resting.nothing_happens();
            }
        }
    });
}

#[test]
fn a_watcher_that_is_ended_by_somebody_else_is_replaced_and_given_up_after_three_times() {
    let mut command = std::process::Command::new("sh");
    command.arg("-s");
    let mut resting = Resting::start(&mut command);
    for time in 1..=4 {
        let watchers = resting.watchers(usize::from(time <= 3));
        for pid in watchers {
            let pid = rustix::process::Pid::from_raw(i32::try_from(pid).expect("a number"))
                .expect("not 0");
            rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it runs");
            let gone = || !Path::new(&format!("/proc/{}/fd/0", pid.as_raw_nonzero())).exists();
            wait_until(gone, || "it does not end".to_owned());
        }
        for _ in 0..LOOKS {
            resting.nothing_happens();
        }
    }
    resting.append("two\n");
    assert_eq!(
        resting.look_until("read 1 0 one\ntwo"),
        1,
        "every look is made again"
    );
}

#[test]
fn r40_nothing_is_left_of_a_shell_whose_files_rest() {
    with_every_shell(|shell, mut command| {
        let mut resting = Resting::start(&mut command);
        resting.talk.stdin = None;
        resting.talk.wait_until_all_ended(shell);
    });
}

#[test]
fn r40_nothing_is_left_of_a_shell_whose_answers_cannot_be_written_any_more() {
    with_every_shell(|shell, mut command| {
        let mut talk = Talk::start(&mut command);
        talk.stdout = None;
        // Requests that were under way when the connection broke.
        for _ in 0..LOOKS {
            let _ = talk
                .stdin
                .as_mut()
                .expect("open")
                .write_all(b"poll 262144\n");
            std::thread::sleep(Duration::from_millis(5));
        }
        talk.stdin = None;
        talk.wait_until_all_ended(shell);
    });
}

#[test]
fn r40_a_shell_that_nobody_renews_ends_when_its_lease_does() {
    with_every_shell(|shell, mut command| {
        let mut talk = Talk::start_with(&mut command, "lease_s=2", &FOLLOW);
        talk.wait_until_all_ended(shell);
    });
}

#[test]
fn r40_a_shell_that_is_renewed_outlives_its_first_lease() {
    let mut command = std::process::Command::new("sh");
    command.arg("-s");
    // Long enough for a busy machine to renew it in time.
    let mut talk = Talk::start_with(&mut command, "lease_s=4", &FOLLOW);
    let since = Instant::now();
    while since.elapsed() < Duration::from_millis(5500) {
        talk.tell("renew");
        assert_eq!(talk.ask("poll 262144"), ["polled 0"]);
        std::thread::sleep(Duration::from_millis(100));
    }
}
