//! Bytes that could not be had when they were asked for, and can be had later: the key of the
//! console, `--backfill`.
//!
//! A log is moved away under the eyes of the follower, written to where nobody looks, and another
//! put in its place: a gap. Then what was moved away turns up under the name of a generation. The
//! follower lists those when the log is rotated, and not before, so it is found there by nobody but
//! who asks for the gap.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::faults::append;
use super::support::pty::Pty;
use super::support::sshd::Sshd;
use super::support::{PATIENCE, program, run};

/// A host with a log. Where its gate is shut, new sessions wait before it.
pub(super) struct Host {
    sshd: Sshd,
    folder: tempfile::TempDir,
}

impl Host {
    pub(super) fn with(log: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (shell, gate) = (folder.path().join("shell"), folder.path().join("shut"));
        let script = format!(
            "#!/bin/sh\nwhile [ -e {} ]; do sleep 0.02; done\nexec /bin/sh \"$@\"\n",
            gate.display()
        );
        std::fs::write(&shell, script).expect("write the shell");
        std::fs::set_permissions(&shell, std::fs::Permissions::from_mode(0o755))
            .expect("make it executable");
        let sshd = Sshd::builder()
            .login_shell(&shell.display().to_string())
            .start();
        let host = Self { sshd, folder };
        append(&host.log(), log);
        let inventory = format!(
            "[hosts.web-1]\naddress = \"127.0.0.1\"\nport = {}\nidentity = {:?}\nknown_hosts = {:?}\nsources = [{{ name = \"app\", path = {:?} }}]\n",
            host.sshd.port(),
            host.sshd.client_key_path(),
            host.sshd.known_hosts(),
            host.log(),
        );
        std::fs::write(host.inventory(), inventory).expect("write the inventory");
        host
    }

    fn log(&self) -> PathBuf {
        self.sshd.path("app.log")
    }

    /// Where no generation of the log is looked for.
    fn away(&self) -> PathBuf {
        self.folder.path().join("away")
    }

    pub(super) fn inventory(&self) -> PathBuf {
        self.folder.path().join("hosts.toml")
    }

    fn args<'a>(&self, inventory: &'a str, args: &[&'a str]) -> Vec<&'a str> {
        [args, &["--no-ssh-config", "--config", inventory]].concat()
    }

    /// What is written from now on goes where nobody looks, and another log begins.
    fn lose(&self, lost: &str, next: &str) {
        std::fs::rename(self.log(), self.away()).expect("move it away");
        append(&self.away(), lost);
        let new = self.folder.path().join("new");
        append(&new, next);
        std::fs::rename(new, self.log()).expect("put another in its place");
    }

    /// What was moved away is there again, as the generation before.
    fn find(&self, packed: bool) {
        let back = self.log().with_extension("log.1");
        if packed {
            run(Command::new(program("gzip")).arg(self.away()));
            std::fs::rename(
                self.away().with_extension("gz"),
                back.with_extension("1.gz"),
            )
            .expect("move it back");
        } else {
            std::fs::rename(self.away(), back).expect("move it back");
        }
    }

    /// The log is rotated once more.
    fn rotate(&self, next: &str) {
        let older = |n: u32, end: &str| self.log().with_extension(format!("log.{n}{end}"));
        for end in ["", ".gz"].into_iter().filter(|end| older(1, end).exists()) {
            std::fs::rename(older(1, end), older(2, end)).expect("rename the one before");
        }
        std::fs::rename(self.log(), older(1, "")).expect("rename the log");
        append(&self.log(), next);
    }

    fn shut(&self) {
        std::fs::write(self.folder.path().join("shut"), "").expect("shut the gate");
    }

    fn open(&self) {
        std::fs::remove_file(self.folder.path().join("shut")).expect("open the gate");
    }

    fn start(&self, args: &[&str]) -> Going {
        let inventory = self.inventory();
        let mut command = Command::new(env!("CARGO_BIN_EXE_logtrail-tui"));
        command
            .args(self.args(inventory.to_str().expect("UTF-8"), args))
            .env_remove("LOGTRAIL_HOSTS");
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("start it");
        let out = BufReader::new(child.stdout.take().expect("piped"));
        let (sender, objects) = channel();
        std::thread::spawn(move || {
            let line = |line: std::io::Result<String>| {
                serde_json::from_str(&line.expect("a line")).expect("JSON")
            };
            out.lines()
                .map(line)
                .try_for_each(|object| sender.send(object))
        });
        Going {
            child,
            objects,
            printed: Vec::new(),
        }
    }
}

/// A subcommand that prints JSON. Killed when it is dropped.
struct Going {
    child: Child,
    objects: Receiver<Value>,
    /// Texts of lines, and reasons of gaps.
    printed: Vec<String>,
}

impl Going {
    /// Reads on to a line, or to the end.
    fn until(&mut self, text: Option<&str>) {
        let deadline = Instant::now() + PATIENCE;
        while text.is_none_or(|text| self.printed.last().is_none_or(|last| last != text)) {
            match self
                .objects
                .recv_timeout(deadline.saturating_duration_since(Instant::now()))
            {
                Ok(object) => self.printed.extend(printed(&object)),
                Err(RecvTimeoutError::Disconnected) if text.is_none() => return,
                Err(error) => panic!("{error} while waiting for {text:?}: {:?}", self.printed),
            }
        }
    }
}

fn printed(object: &Value) -> Option<String> {
    match object["type"].as_str()? {
        "line" => object["text"].as_str().map(str::to_owned),
        "gap" => Some(format!("gap: {}", object["reason"].as_str()?)),
        _ => None,
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn until(what: &str, condition: impl Fn() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(
            began.elapsed() < PATIENCE,
            "it takes longer than {PATIENCE:?} until {what}"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn tail_prints_a_gap_and_with_backfill_what_has_turned_up_in_its_place_once() {
    for packed in [false, true] {
        let host = Host::with("one\ntwo\n");
        let mut plain = host.start(&["tail", "-f", "--json"]);
        let mut filled = host.start(&["tail", "-f", "--json", "--backfill"]);
        plain.until(Some("two"));
        filled.until(Some("two"));
        host.shut();
        host.lose("three\nfour\n", "five\n");
        plain.until(Some("five"));
        host.find(packed);
        host.open();
        filled.until(Some("five"));
        append(&host.log(), "six\n");
        plain.until(Some("six"));
        assert_eq!(
            plain.printed,
            ["one", "two", "gap: rotated-away", "five", "six"],
            "packed: {packed}"
        );
        // With the next rotation the follower comes by the file.
        host.rotate("seven\n");
        plain.until(Some("seven"));
        filled.until(Some("seven"));
        let lost = |going: &Going| {
            going
                .printed
                .iter()
                .filter(|line| ["three", "four"].contains(&&***line))
                .count()
        };
        assert_eq!(
            (lost(&plain), lost(&filled)),
            (2, 2),
            "{:?}, {:?}",
            plain.printed,
            filled.printed
        );
        assert_eq!(
            filled.printed[..6],
            ["one", "two", "three", "four", "five", "six"],
            "packed: {packed}"
        );
    }
}

#[test]
fn a_bounded_pass_prints_a_gap_and_with_backfill_what_has_turned_up_in_its_place() {
    let line = |n: usize| format!("{n:04} {}", "x".repeat(1000));
    let lines: Vec<String> = (0..3000).map(line).collect();
    for backfill in [false, true] {
        let host = Host::with(&(lines.join("\n") + "\n"));
        host.sshd.freeze_after(300 << 10);
        let mut args = vec!["--once", "--json", "--lines", "100000", "--timeout", "30s"];
        args.extend(backfill.then_some("--backfill"));
        let mut pass = host.start(&args);
        until("the host has said enough", || host.sshd.is_frozen());
        host.shut();
        host.lose("", "another\n");
        host.sshd.freeze(false);
        if backfill {
            until("the host is asked for the gap", || {
                host.sshd.accepted() == 2
            });
            host.find(false);
            host.open();
            pass.until(None);
            // A line that was cut off by the gap stands there as it was told first, and then whole.
            let whole = pass
                .printed
                .iter()
                .filter(|line| line.len() == lines[0].len());
            assert!(
                whole.eq(&lines) && pass.printed.len() <= lines.len() + 2,
                "{} lines",
                pass.printed.len()
            );
            assert_eq!(pass.printed.last().map(String::as_str), Some("another"));
        } else {
            pass.until(None);
            let (after, told) = pass.printed.split_last().expect("something");
            let (gap, told) = told.split_last().expect("something before it");
            // Of the last one it has only the beginning.
            let whole = told
                .iter()
                .zip(&lines)
                .take_while(|(one, other)| one == other)
                .count();
            assert_eq!(
                (&**gap, &**after, told.len() - whole <= 1, whole > 0),
                ("gap: rotated-away", "another", true, true),
                "{whole} lines"
            );
            assert!(whole < lines.len(), "{whole} lines");
        }
    }
}

#[test]
fn r_in_the_console_puts_what_has_turned_up_in_the_place_of_a_gap_once() {
    for packed in [false, true] {
        let host = Host::with("line one\nline two\n");
        let inventory = host.inventory();
        let mut screen = Pty::start(
            &host.args(inventory.to_str().expect("UTF-8"), &[]),
            (100, 20),
        );
        screen.wait_for("line two");
        host.lose("line three\nline four\n", "line five\n");
        screen.wait_for("line five");
        screen.wait_for("── gap: unknown bytes lost · web-1 app · rotated-away");
        screen.keys("kr");
        screen.wait_for("the gap stays: the line before the gap is gone from the host, too");
        host.find(packed);
        screen.keys("r");
        screen.wait_for("2 lines were still on the host");
        append(&host.log(), "line six\n");
        screen.keys("f");
        screen.wait_for("line six");
        host.rotate("line seven\n");
        screen.wait_for("line seven");
        let shown = screen.screen();
        let words = ["one", "two", "three", "four", "five", "six", "seven"];
        let at: Vec<_> = words
            .iter()
            .map(|word| shown.find(&format!("line {word}")))
            .collect();
        assert!(
            at.is_sorted() && at[0].is_some() && !shown.contains("── gap"),
            "packed: {packed}\n{shown}"
        );
        assert_eq!(
            ["three", "four"].map(|word| shown.matches(&format!("line {word}")).count()),
            [1, 1],
            "{shown}"
        );
        screen.kill();
    }
}
