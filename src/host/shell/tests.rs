//! The script itself under every shell there is here: asked by hand, on real files.

use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use super::frame::{END, Frame, Frames};
use super::script_text::{FILES, FOLLOW, LAUNCH, PROGRAMS, launch, strip};

/// Those that serve as `/bin/sh` somewhere. (Not ksh93: it needs temporary files, which ours may
/// not write.)
pub(crate) const SHELLS: [&[&str]; 6] = [
    &["dash", "-s"],
    &["bash", "-s"],
    &["busybox", "sh", "-s"],
    &["bash", "--posix", "-s"],
    &["mksh", "-s"],
    &["yash", "-s"],
];

/// How many of [`SHELLS`] must be there.
const NEEDED: usize = 4;

mod denied;
mod failing;
mod group;
mod lexer;
mod names;
mod rest;
mod vocabulary;
pub(crate) mod waiting;

pub(crate) const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// A shell that runs the script.
pub(crate) struct Talk {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Option<std::process::ChildStdout>,
    frames: Frames,
}

impl Talk {
    fn start(command: &mut Command) -> Self {
        Self::start_with(command, "", &FOLLOW)
    }

    /// Another script, with what else is set before it.
    pub(crate) fn start_with(command: &mut Command, first: &str, script: &str) -> Self {
        Self::start_text(
            command,
            &format!("T={TOKEN} own_group=1 {first}\nexec 3<&0\n{script}"),
        )
    }

    /// What is sent to the shell is this text.
    fn start_text(command: &mut Command, text: &str) -> Self {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0);
        let mut child = command.spawn().expect("the shell starts");
        let (mut stdin, stdout) = (
            child.stdin.take().expect("piped"),
            child.stdout.take().expect("piped"),
        );
        stdin
            .write_all(text.as_bytes())
            .expect("it takes the script");
        let mut talk = Self {
            child,
            stdin: Some(stdin),
            stdout: Some(stdout),
            frames: Frames::new(TOKEN),
        };
        assert_eq!(talk.next().header, "ready");
        talk
    }

    /// Waits until nothing is left of its process group.
    fn wait_until_all_ended(&mut self, shell: &str) {
        let group = self.child.id().to_string();
        waiting::wait_until(
            || {
                let _ = self.child.try_wait();
                members(&group).is_empty()
            },
            || format!("{shell} leaves {:?}", members(&group)),
        );
    }

    fn next(&mut self) -> Frame {
        let mut buffer = [0; 65536];
        loop {
            if let Some(frame) = self.frames.next_frame().expect("short answers") {
                return frame;
            }
            let count = self
                .stdout
                .as_mut()
                .expect("open")
                .read(&mut buffer)
                .expect("read");
            assert!(count > 0, "it ended");
            self.frames.push(&buffer[..count]);
        }
    }

    /// The answer to a request, frame by frame as `HEADER BODY`; stats are left out of the header.
    fn ask(&mut self, request: &str) -> Vec<String> {
        self.tell(request);
        let mut out = Vec::new();
        loop {
            let frame = self.next();
            match frame.header.as_str() {
                END => return out,
                "ready" => {}
                header => {
                    let plain = header
                        .split(' ')
                        .filter(|word| !word.contains(':'))
                        .collect::<Vec<_>>()
                        .join(" ");
                    out.push(
                        format!("{plain} {}", String::from_utf8_lossy(&frame.body))
                            .trim_end()
                            .to_owned(),
                    );
                }
            }
        }
    }

    /// The body of the next frame with this header.
    pub(crate) fn ask_raw(&mut self, request: &str, header: &str) -> bytes::Bytes {
        self.tell(request);
        loop {
            let frame = self.next();
            if frame.header == header {
                return frame.body;
            }
        }
    }

    pub(crate) fn tell(&mut self, request: &str) {
        let stdin = self.stdin.as_mut().expect("open");
        stdin
            .write_all(format!("{request}\n").as_bytes())
            .expect("it takes a request");
    }

    fn watch(&mut self, number: u32, path: &Path) {
        let escaped = super::protocol::escape(path.to_str().expect("UTF-8").as_bytes());
        let bytes = path.as_os_str().as_encoded_bytes();
        let beside = super::protocol::escape(&crate::files::patterns::sibling_pattern(bytes));
        let archived =
            super::protocol::escape(&crate::files::patterns::archive_pattern(bytes, false, None));
        assert_eq!(
            self.ask(&format!(
                "watch {number} {number} {escaped} {beside} {archived}"
            )),
            Vec::<String>::new()
        );
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn id(path: &Path) -> String {
    use std::os::unix::fs::MetadataExt;
    let meta = path.metadata().expect("a file");
    format!("{}:{}", meta.dev(), meta.ino())
}

/// Does the same with every shell that is there.
pub(crate) fn with_every_shell(check: impl Fn(&str, Command)) {
    let mut tried = 0;
    for shell in SHELLS {
        let mut command = Command::new(shell[0]);
        command.args(&shell[1..]);
        let there = Command::new(shell[0])
            .arg("-c")
            .arg("true")
            .stdin(Stdio::null())
            .output()
            .is_ok();
        if there {
            tried += 1;
            check(&shell.join(" "), command);
        }
    }
    assert!(
        tried >= NEEDED,
        "dash, bash and busybox are needed; tests/run installs them"
    );
}

#[test]
fn the_script_has_no_placeholder_left_and_is_short() {
    let placeholder = regex::Regex::new("@[A-Z_]+@").expect("a pattern");
    for script in [&*FOLLOW, &*FILES, &*PROGRAMS] {
        assert_eq!(placeholder.find(script).map(|found| found.as_str()), None);
    }
    assert!(
        FOLLOW.len() < 20 << 10,
        "{} bytes are sent on each connection",
        FOLLOW.len()
    );
}

#[test]
fn every_shell_reads_what_has_grown_and_nothing_else() {
    with_every_shell(|shell, mut command| {
        let folder = tempfile::tempdir().expect("a folder");
        let (a, b) = (
            folder.path().join("a.log"),
            folder.path().join("it's\n$(b) *.log"),
        );
        std::fs::write(&a, "one\n").expect("write");
        std::fs::write(&b, "uno\n").expect("write");
        let mut talk = Talk::start(&mut command);
        talk.watch(1, &a);
        talk.watch(2, &b);
        assert_eq!(
            talk.ask("poll 262144"),
            ["changed 1", "changed 2", "polled 0"],
            "{shell}"
        );
        talk.tell(&format!("read_from 1 {} 0", id(&a)));
        talk.tell(&format!("read_from 2 {} 0", id(&b)));
        assert_eq!(
            talk.ask("poll 262144"),
            ["read 1 0 one", "read 2 0 uno", "polled 0"],
            "{shell}"
        );
        assert_eq!(talk.ask("poll 262144"), ["polled 0"], "{shell}");
        std::fs::write(&b, "uno\ndue\n").expect("write");
        std::fs::remove_file(&a).expect("remove");
        assert_eq!(
            talk.ask("poll 262144"),
            ["absent 1 missing", "read 2 0 uno\ndue", "polled 0"],
            "{shell}"
        );
        talk.ask("forget 1");
        assert_eq!(talk.ask("poll 262144"), ["polled 0"], "{shell}");
    });
}

/// Makes it a shell of somebody who is not root, to whom nothing is denied.
fn unprivileged(command: &mut Command) {
    if rustix::process::geteuid().is_root() {
        command.uid(65534).gid(65534);
    }
}

fn allow(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode))
        .expect("chmod");
}

#[test]
fn a_host_without_stat_is_followed_by_ls() {
    let folder = tempfile::tempdir().expect("a folder");
    let bin = folder.path().join("bin");
    std::fs::create_dir(&bin).expect("a folder");
    let stat = bin.join("stat");
    std::fs::write(&stat, "#!/bin/sh\nexit 1\n").expect("write");
    std::fs::set_permissions(&stat, std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .expect("chmod");
    let log = folder.path().join("app.log");
    std::fs::write(&log, "one\n").expect("write");
    let mut command = Command::new("sh");
    command
        .arg("-s")
        .env("PATH", format!("{}:/usr/bin:/bin", bin.display()));
    let mut talk = Talk::start(&mut command);
    talk.watch(1, &log);
    assert_eq!(talk.ask("poll 262144"), ["changed 1", "polled 0"]);
    talk.tell(&format!(
        "read_from 1 0:{} 0",
        id(&log).split(':').nth(1).expect("an inode")
    ));
    assert_eq!(talk.ask("poll 262144"), ["read 1 0 one", "polled 0"]);
    assert_eq!(talk.ask("poll 262144"), ["polled 0"]);
}

/// A folder with programs that come before those of the system, but for a shell that takes its own
/// for them (BusyBox).
fn with_programs(
    shell: &str,
    command: &mut Command,
    programs: &[(&str, &str)],
) -> Option<tempfile::TempDir> {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in programs {
        let file = folder.path().join(name);
        std::fs::write(&file, format!("#!/bin/sh\n{text}\n")).expect("write");
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .expect("chmod");
    }
    command.env("PATH", format!("{}:/usr/bin:/bin", folder.path().display()));
    (!shell.starts_with("busybox")).then_some(folder)
}

#[test]
fn a_file_system_that_fails_is_told_from_a_name_that_stands_for_nothing() {
    with_every_shell(|shell, mut command| {
        let words = "case $* in *app.log) echo \"ls: cannot access 'app.log': Stale file handle\" >&2; exit 2 ;; esac";
        let programs = with_programs(
            shell,
            &mut command,
            &[("ls", &format!("{words}; exec /bin/ls \"$@\""))],
        );
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("app.log");
        let mut talk = Talk::start(&mut command);
        talk.watch(1, &log);
        talk.watch(2, &folder.path().join("other.log"));
        let answer = talk.ask("poll 262144");
        if programs.is_none() {
            assert_eq!(
                answer,
                ["absent 2 missing", "absent 1 missing", "polled 0"],
                "{shell}"
            );
            return;
        }
        assert_eq!(answer[0], "absent 2 missing", "{shell}");
        assert!(
            answer[1].starts_with("absent 1 failing ls")
                && answer[1].ends_with("Stale file handle"),
            "{shell}: {answer:?}"
        );
        assert_eq!(
            talk.ask("poll 262144"),
            ["polled 0"],
            "{shell}: it is said once"
        );
        std::fs::write(&log, "one\n").expect("write");
        assert_eq!(
            talk.ask("poll 262144"),
            ["changed 1", "polled 0"],
            "{shell}"
        );
    });
}

#[test]
fn all_file_systems_of_disks_are_told_however_many_are_mounted() {
    let folder = tempfile::tempdir().expect("a folder");
    let mounts = format!(
        "for n in $(seq 100); do mkdir {0}/$n && mount --bind {0} {0}/$n || exit; done; exec sh -s",
        folder.path().display()
    );
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private"]);
    if !rustix::process::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.args(["sh", "-c", &mounts]);
    let mut talk = Talk::start(&mut command);
    let told = String::from_utf8(talk.ask_raw("usage", "disks").to_vec()).expect("UTF-8");
    let parts: Vec<&str> = told.split("--\n").collect();
    let of_ours = |text: &str| {
        text.lines()
            .filter(|line| line.contains(folder.path().to_str().expect("UTF-8")))
            .count()
    };
    assert_eq!(
        parts.iter().map(|part| of_ours(part)).collect::<Vec<_>>(),
        [100, 100, 100],
        "{told}"
    );
}

#[test]
fn what_cannot_be_read_to_its_end_is_asked_for_again_with_the_reason() {
    with_every_shell(|shell, mut command| {
        // The last word on a disk that gives the first line only.
        let dd = "head -c 4; exit 1";
        let tail =
            "case $1 in -c) echo 'tail: error reading: Input/output error' >&2; exit 1 ;; esac";
        let Some(_programs) = with_programs(shell, &mut command, &[("dd", dd), ("tail", tail)])
        else {
            return;
        };
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("app.log");
        std::fs::write(&log, "one\ntwo\n").expect("write");
        let mut talk = Talk::start(&mut command);
        talk.watch(1, &log);
        talk.tell(&format!("read_from 1 {} 0", id(&log)));
        let failing = "absent 1 failing tail: error reading: Input/output error";
        for look in 0..3 {
            assert_eq!(
                talk.ask("poll 262144"),
                ["read 1 0 one", failing, "polled 0"],
                "{shell}, look {look}"
            );
        }
    });
}

#[test]
fn a_path_is_tried_by_a_process_that_hangs_in_place_of_the_shell() {
    with_every_shell(|shell, mut command| {
        let tail = "case $* in *-c*) [ ! -e \"$0.hangs\" ] || exec sleep 1000 ;; esac";
        let programs = with_programs(shell, &mut command, &[("tail", tail)]);
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("it's one.log");
        std::fs::write(&log, "one\n").expect("write");
        let mut talk = Talk::start(&mut command);
        let group = talk.child.id().to_string();
        let path = super::protocol::escape(log.to_str().expect("UTF-8").as_bytes());
        let pattern = super::protocol::escape(
            folder
                .path()
                .join("*.log")
                .to_str()
                .expect("UTF-8")
                .as_bytes(),
        );
        let ended = |talk: &mut Talk, name: &str, path: &str| {
            let tried = [format!("tried {name} 1")];
            waiting::wait_until(
                || talk.ask(&format!("try {name} {path}")) == tried,
                || format!("{shell}: {name} is not answered for"),
            );
        };
        ended(&mut talk, "watch_1", &path);
        ended(&mut talk, "watch_2", "/none/at/all");
        ended(&mut talk, "pattern_0", &pattern);
        let Some(programs) = programs else { return };
        std::fs::write(programs.path().join("tail.hangs"), "").expect("write");
        for _ in 0..20 {
            assert_eq!(
                talk.ask(&format!("try watch_1 {path}")),
                ["tried watch_1 0"],
                "{shell}"
            );
            ended(&mut talk, "watch_3", "/none/at/all");
        }
        let sleeping = members(&group)
            .iter()
            .filter(|stat| stat.contains("(sleep)"))
            .count();
        // One is the lease.
        assert!(
            sleeping <= 2,
            "{shell}: {sleeping} processes wait for one path"
        );
        talk.stdin = None;
        talk.wait_until_all_ended(shell);
    });
}

#[test]
fn an_old_generation_is_read_before_the_ones_after_it_and_told_with_them() {
    with_every_shell(|shell, mut command| {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("app.log");
        let mut ids = Vec::new();
        for (name, text) in [
            ("app.log.2", "one\n"),
            ("app.log.1", "two\n"),
            ("app.log.old", "x"),
            ("app.log", "three\n"),
        ] {
            std::fs::write(folder.path().join(name), text).expect("write");
            ids.push(id(&folder.path().join(name)));
        }
        let mut talk = Talk::start(&mut command);
        talk.watch(1, &log);
        let found = talk.ask(&format!("find 2 1 {} 0", ids[0]));
        assert_eq!(found, ["found 2"], "{shell}");
        let listed = talk.ask("list 1").join("\n");
        assert!(
            listed.starts_with("listed 1 1 ") && listed.contains(&format!("{}:4:", ids[1])),
            "{shell}: {listed:?}"
        );
        assert!(
            listed.contains(" app.log.1") && listed.contains(" app.log.2"),
            "{shell}: {listed:?}"
        );
        let heads = talk.ask("heads 1").join("\n");
        let sum = crate::files::follow::cksum(b"two\n");
        assert!(
            heads.starts_with("heads 1 ") && heads.contains(&format!("{}:4:", ids[1])),
            "{shell}: {heads:?}"
        );
        assert!(heads.contains(&format!(" {sum} 4")), "{shell}: {heads:?}");
        talk.ask(&format!("find 3 1 {} 0", ids[1]));
        talk.tell(&format!("read_from 1 {} 0", ids[3]));
        assert_eq!(
            talk.ask("poll 262144"),
            ["read 2 0 one", "read 3 0 two", "read 1 0 three", "polled 0"],
            "{shell}"
        );
    });
}

#[test]
fn one_poll_of_many_files_brings_a_bounded_share_of_each() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new("sh");
    command.arg("-s");
    let mut talk = Talk::start(&mut command);
    let text = "a line of some length\n".repeat(20_000);
    for n in 1..=40 {
        let log = folder.path().join(format!("{n}.log"));
        std::fs::write(&log, &text).expect("write");
        talk.watch(n, &log);
        talk.tell(&format!("read_from {n} {} 0", id(&log)));
    }
    let answer = talk.ask("poll 262144");
    let bytes: usize = answer.iter().map(String::len).sum();
    assert_eq!(answer.len(), 41, "each has its share");
    assert!(
        (1 << 20..8 << 20).contains(&bytes),
        "{bytes} bytes in one answer"
    );
    assert_eq!(answer[40], "polled 1", "and there is more");
}

#[test]
fn no_shell_of_ours_can_write_a_file() {
    with_every_shell(|shell, mut command| {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("written");
        let prelude = strip(&[include_str!("prelude.sh")]);
        let text = format!(
            "T=x\n{prelude}\necho text >{0}\ncat /bin/sh >>{0}\necho end\n",
            file.display()
        );
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().expect("the shell starts");
        child
            .stdin
            .take()
            .expect("piped")
            .write_all(text.as_bytes())
            .expect("it takes the script");
        let _ = child.wait_with_output().expect("it ends");
        let length = file.metadata().map_or(0, |meta| meta.len());
        assert_eq!(length, 0, "{shell} wrote {length} bytes");
    });
}

/// The processes of a group that live, by what proc_pid_stat(5) says.
fn members(group: &str) -> Vec<String> {
    let entries = std::fs::read_dir("/proc")
        .expect("/proc")
        .filter_map(Result::ok);
    let stats = entries.filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok());
    stats
        .filter(|stat| {
            let fields: Vec<&str> = stat
                .rsplit(')')
                .next()
                .unwrap_or_default()
                .split_whitespace()
                .collect();
            fields.get(2) == Some(&group) && fields.first() != Some(&"Z")
        })
        .collect()
}
