//! What a script ends: all that it has started, and nothing else, whatever process group the login
//! has.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::failing::stub;
use super::waiting::wait_until;
use super::{PROGRAMS, launch};
use super::{TOKEN, with_every_shell};

/// The numbers of all processes, each with that of its parent.
fn processes() -> Vec<(u32, u32)> {
    let numbers = std::fs::read_dir("/proc")
        .expect("Linux")
        .filter_map(|entry| {
            let pid = entry.ok()?.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            let mut words = stat.rsplit_once(") ")?.1.split(' ');
            let state = words.next()?;
            let parent = words.next()?.parse().ok()?;
            (state != "Z" && state != "X").then_some((pid, parent))
        });
    numbers.collect()
}

/// What a process has started, and what that has.
fn descendants(root: u32) -> Vec<u32> {
    let all = processes();
    let mut found = vec![root];
    while let Some((pid, _)) = all
        .iter()
        .find(|(pid, parent)| found.contains(parent) && !found.contains(pid))
    {
        found.push(*pid);
    }
    found.split_off(1)
}

/// A wrapper that runs a login's shell in its own process group, next to another program, and says
/// when it has ended.
struct Wrapped {
    wrapper: Child,
    bystander: u32,
    said: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Wrapped {
    fn start(shell: &str, script: &str) -> Self {
        let text = format!("sleep 600 & echo bystander $!; {shell} -s; echo ended $?; wait");
        let mut command = Command::new("sh");
        command
            .args(["-c", &text])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut wrapper = command.process_group(0).spawn().expect("sh");
        let mut said = BufReader::new(wrapper.stdout.take().expect("piped")).lines();
        let first = said.next().expect("a line").expect("text");
        let bystander = first
            .strip_prefix("bystander ")
            .expect("its number")
            .parse()
            .expect("a number");
        wrapper
            .stdin
            .as_mut()
            .expect("piped")
            .write_all(script.as_bytes())
            .expect("it takes the script");
        let mut wrapped = Self {
            wrapper,
            bystander,
            said,
        };
        wrapped.until(&format!("{TOKEN} ready"));
        wrapped
    }

    fn until(&mut self, wanted: &str) {
        loop {
            let line = self
                .said
                .next()
                .unwrap_or_else(|| panic!("it ended before {wanted}"))
                .expect("text");
            if line == wanted {
                return;
            }
        }
    }

    fn ask(&mut self, request: &str) {
        self.wrapper
            .stdin
            .as_mut()
            .expect("open")
            .write_all(request.as_bytes())
            .expect("it takes a request");
    }

    /// What runs here that neither the wrapper nor its other program is.
    fn ours(&self) -> Vec<u32> {
        descendants(self.wrapper.id())
            .into_iter()
            .filter(|pid| *pid != self.bystander)
            .collect()
    }
}

impl Drop for Wrapped {
    fn drop(&mut self) {
        if let Some(group) = rustix::process::Pid::from_raw(self.wrapper.id() as i32) {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _ = self.wrapper.wait();
    }
}

/// The group of a process.
fn group_of(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(2)?.parse().ok()
}

/// Whose process group a script runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    Own,
    Logins,
}

/// Starts the script behind a wrapper, has it run a program that would run for long, and closes its
/// input.
fn ends_only_its_own(shell: &str, script: &str, group: Group) {
    let mut wrapped = Wrapped::start(shell, script);
    let word = |word: &str| super::super::protocol::escape(format!("={word}").as_bytes());
    wrapped.ask(&format!("run {} {}\nnext\n", word("sleep"), word("601")));
    let runs = |pid: &u32| {
        std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|words| words == b"sleep\x00601\0")
    };
    let mut ours = Vec::new();
    wait_until(
        || {
            ours = wrapped.ours();
            ours.iter().any(runs)
        },
        || format!("{shell} runs no program: {:?}", processes()),
    );
    let inside = ours
        .iter()
        .copied()
        .find(|pid| runs(pid))
        .and_then(group_of)
        .expect("it runs");
    assert_eq!(
        if inside == wrapped.wrapper.id() {
            Group::Logins
        } else {
            Group::Own
        },
        group,
        "{shell}"
    );
    drop(wrapped.wrapper.stdin.take());
    wrapped.until("ended 0");
    let left = || {
        ours.iter()
            .filter(|pid| processes().iter().any(|(other, _)| other == *pid))
            .collect::<Vec<_>>()
    };
    wait_until(
        || left().is_empty(),
        || format!("{shell} leaves {:?}", left()),
    );
    let lives = processes().iter().any(|(pid, _)| *pid == wrapped.bystander);
    assert!(lives, "{shell}: a program that was there before is ended");
}

/// The script as it is sent, run by this shell throughout.
fn launched(shell: &str) -> String {
    launch(TOKEN, &PROGRAMS).replace("/bin/sh -", &format!("{shell} -"))
}

/// The same where `setsid` is this program. By its path, for BusyBox has one of its own.
fn launched_with(shell: &str, folder: &Path, setsid: &str) -> String {
    stub(folder, "setsid", setsid);
    let script = launched(shell);
    assert_eq!(
        script.matches("setsid ").count(),
        2,
        "it is tried, and used"
    );
    script.replace("setsid ", &format!("{}/setsid ", folder.display()))
}

#[test]
fn r40_a_script_ends_what_it_has_started_and_nothing_else_of_the_login_and_lets_a_wrapper_see_its_end()
 {
    with_every_shell(|shell, _| {
        let shell = shell
            .strip_suffix(" -s")
            .expect("it reads from standard input");
        ends_only_its_own(shell, &launched(shell), Group::Own);
    });
}

/// Programs called `setsid` that do not do what they should.
const BROKEN: [(&str, &str); 9] = [
    ("fails", "#!/bin/sh\nexit 1\n"),
    (
        "fails when it has read all there is",
        "#!/bin/sh\ncat >/dev/null\nexit 1\n",
    ),
    ("is killed", "#!/bin/sh\nkill -SYS $$\n"),
    (
        "wants other words",
        "#!/bin/sh\n[ \"$1\" = -w ] || { echo usage; exit 2; }\nshift; exec \"$@\"\n",
    ),
    ("does nothing", "#!/bin/sh\nexit 0\n"),
    ("makes no session", "#!/bin/sh\nexec \"$@\"\n"),
    (
        "forks and returns",
        "#!/bin/sh\nexec /usr/bin/setsid -f \"$@\"\n",
    ),
    (
        "has an interpreter that is not there",
        "#!/nonexistent/sh\n",
    ),
    ("is no program", "\x7fELF\0\0"),
];

#[test]
fn r40_without_a_program_that_makes_sessions_what_it_has_started_is_ended_one_by_one() {
    let folder = tempfile::tempdir().expect("a folder");
    with_every_shell(|shell, _| {
        let shell = shell
            .strip_suffix(" -s")
            .expect("it reads from standard input");
        let script = launched_with(shell, folder.path(), BROKEN[0].1);
        ends_only_its_own(shell, &script, Group::Logins);
        ends_only_its_own(
            shell,
            &script.replace("/proc/self/stat", "/nonexistent"),
            Group::Logins,
        );
    });
}

#[test]
fn r40_a_setsid_that_is_there_and_does_not_work_is_gone_without() {
    let folder = tempfile::tempdir().expect("a folder");
    with_every_shell(|shell, _| {
        let shell = shell
            .strip_suffix(" -s")
            .expect("it reads from standard input");
        for (what, setsid) in BROKEN {
            println!("{shell}, setsid {what}");
            ends_only_its_own(
                shell,
                &launched_with(shell, folder.path(), setsid),
                Group::Logins,
            );
        }
    });
}
