//! Programs of a host that are there and fail: each costs what it is for, and nothing else.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::{FILES, FOLLOW, TOKEN, Talk, launch, with_every_shell};

/// Puts a program of this name into a folder.
pub(super) fn stub(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    // Another name for another file: the one before may be running.
    let _ = std::fs::remove_file(&path);
    std::fs::write(&path, text).expect("write");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("its mode");
}

/// Without these nothing can be read: the shell itself, and what copies bytes.
const NEEDED: [&str; 2] = ["/bin/sh", "dd"];

/// All others that our scripts run.
fn programs() -> impl Iterator<Item = &'static str> {
    let all = super::vocabulary::PROGRAMS.iter().map(|(name, _)| *name);
    all.filter(|name| !NEEDED.contains(name) && *name != "sh")
}

/// Starts a script as it is started on a host, with a folder of programs that come first.
fn start(command: &mut Command, folder: &Path, script: &str) -> Talk {
    command.env(
        "PATH",
        format!(
            "{}:{}",
            folder.display(),
            std::env::var("PATH").expect("a path")
        ),
    );
    Talk::start_text(command, &launch(TOKEN, script))
}

#[test]
fn a_program_that_fails_keeps_no_line_of_a_followed_file_away() {
    with_every_shell(|shell, command| {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("a.log");
        for program in programs() {
            println!("{shell} where {program} fails");
            std::fs::write(&log, "one\n").expect("write");
            let bin = tempfile::tempdir().expect("a folder");
            stub(
                bin.path(),
                program,
                "#!/bin/sh\necho \"$0 fails\" >&2\nexit 1\n",
            );
            let mut command = again(&command);
            let mut talk = start(&mut command, bin.path(), &FOLLOW);
            talk.watch(1, &log);
            let seen = talk.ask("poll 65536");
            assert!(seen[0].starts_with("changed 1"), "{seen:?}");
            let id = if program == "stat" {
                format!("0:{}", inode(&log))
            } else {
                super::id(&log)
            };
            talk.tell(&format!("read_from 1 {id} 0"));
            assert_eq!(talk.ask("poll 65536"), ["read 1 0 one", "polled 0"]);
            // What tells of the host may be less; the answers come.
            for request in ["describe", "sample", "usage"] {
                assert!(!talk.ask(request).is_empty(), "{request}");
            }
            std::fs::write(&log, "one\ntwo\n").expect("write");
            let grown = talk.ask("poll 65536");
            assert!(grown[0].ends_with("two"), "{grown:?}");
        }
    });
}

#[test]
fn disks_are_told_where_timeout_fails_or_wants_other_words() {
    with_every_shell(|shell, command| {
        let mut told = Vec::new();
        for timeout in [
            "exec /usr/bin/timeout \"$@\"",
            "exit 1",
            "[ \"$1\" = -t ] && shift || exit 2; shift; exec \"$@\"",
        ] {
            let bin = tempfile::tempdir().expect("a folder");
            stub(bin.path(), "timeout", &format!("#!/bin/sh\n{timeout}\n"));
            stub(bin.path(), "df", "#!/bin/sh\necho disks\n");
            let mut command = again(&command);
            let mut talk = start(&mut command, bin.path(), &FOLLOW);
            let answer = talk.ask("usage").concat();
            told.push(answer.matches("disks").count());
        }
        assert!(
            told[0] > 0 && told.iter().all(|count| *count == told[0]),
            "{shell}: {told:?}"
        );
    });
}

#[test]
fn a_program_that_fails_ends_no_shell_that_reads_back() {
    with_every_shell(|shell, command| {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("a.log");
        std::fs::write(&log, "one\ntwo\n").expect("write");
        let path = super::super::protocol::escape(log.to_str().expect("UTF-8").as_bytes());
        for program in programs() {
            println!("{shell} where {program} fails");
            let bin = tempfile::tempdir().expect("a folder");
            stub(
                bin.path(),
                program,
                "#!/bin/sh\necho \"$0 fails\" >&2\nexit 1\n",
            );
            let mut command = again(&command);
            let mut talk = start(&mut command, bin.path(), &FILES);
            let id = if program == "stat" {
                format!("0:{}", inode(&log))
            } else {
                super::id(&log)
            };
            let read = format!("read {path} {id} plain 0 100");
            assert!(talk.ask(&read).concat().contains("one"), "it reads");
            talk.tell(&format!("scan {path} {id} plain 4 - F 0 0 0 two"));
            talk.tell("next some 64");
            talk.tell("stop 1");
            talk.tell(&format!("seek {path} {id} plain iso 0 1 0"));
            talk.tell("list path /nonexistent");
            while !talk.ask(&read).concat().contains("one") {}
        }
    });
}

fn inode(path: &Path) -> u64 {
    std::os::unix::fs::MetadataExt::ino(&path.metadata().expect("a file"))
}

/// The same command once more.
fn again(command: &Command) -> Command {
    let mut other = Command::new(command.get_program());
    other.args(command.get_args());
    other
}
