//! A host whose gate can be shut, and a log that is moved away under the eyes of the follower.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Instant;

use serde_json::Value;

use super::binary::logtrail;
use super::files::{append, executable};
use super::inventory::Inventory;
use super::sshd::Sshd;
use super::{PATIENCE, program, run};

/// A host with a log. Where its gate is shut, new sessions wait before it.
pub(crate) struct GatedHost {
    pub(crate) sshd: Sshd,
    folder: tempfile::TempDir,
}

impl GatedHost {
    /// With a log of this text, and an inventory.
    pub(crate) fn with(log: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (shell, gate) = (folder.path().join("shell"), folder.path().join("shut"));
        let script = format!(
            "#!/bin/sh\nwhile [ -e {} ]; do sleep 0.02; done\nexec /bin/sh \"$@\"\n",
            gate.display()
        );
        executable(&shell, &script);
        let sshd = Sshd::builder()
            .login_shell(&shell.display().to_string())
            .start();
        let host = Self { sshd, folder };
        append(&host.log(), log);
        Inventory::default()
            .following("web-1", &host.sshd, &host.log())
            .write(host.folder.path());
        host
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.sshd.path("app.log")
    }

    /// Where no generation of the log is looked for.
    pub(crate) fn away(&self) -> PathBuf {
        self.folder.path().join("away")
    }

    pub(crate) fn inventory(&self) -> PathBuf {
        self.folder.path().join("hosts.toml")
    }

    /// What is written from now on goes where nobody looks, and another log begins.
    pub(crate) fn lose(&self, lost: &str, next: &str) {
        std::fs::rename(self.log(), self.away()).expect("move it away");
        append(&self.away(), lost);
        let new = self.folder.path().join("new");
        append(&new, next);
        std::fs::rename(new, self.log()).expect("put another in its place");
    }

    /// What was moved away is there again, as the generation before.
    pub(crate) fn find(&self, packed: bool) {
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
    pub(crate) fn rotate(&self, next: &str) {
        let older = |n: u32, end: &str| self.log().with_extension(format!("log.{n}{end}"));
        for end in ["", ".gz"].into_iter().filter(|end| older(1, end).exists()) {
            std::fs::rename(older(1, end), older(2, end)).expect("rename the one before");
        }
        std::fs::rename(self.log(), older(1, "")).expect("rename the log");
        append(&self.log(), next);
    }

    pub(crate) fn shut(&self) {
        std::fs::write(self.folder.path().join("shut"), "").expect("shut the gate");
    }

    pub(crate) fn open(&self) {
        std::fs::remove_file(self.folder.path().join("shut")).expect("open the gate");
    }

    /// Starts a subcommand.
    pub(crate) fn start(&self, args: &[&str]) -> RunningCommand {
        let mut child = logtrail(&self.inventory(), args)
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
        RunningCommand {
            child,
            objects,
            printed: Vec::new(),
        }
    }
}

/// A subcommand that prints JSON. Killed when it is dropped.
pub(crate) struct RunningCommand {
    child: Child,
    objects: Receiver<Value>,
    /// Texts of lines, and reasons of gaps.
    pub(crate) printed: Vec<String>,
}

impl RunningCommand {
    /// Reads on to a line, or to the end.
    pub(crate) fn until(&mut self, text: Option<&str>) {
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

impl Drop for RunningCommand {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What counts of an object: the text of a line, the reason of a gap.
pub(crate) fn printed(object: &Value) -> Option<String> {
    match object["type"].as_str()? {
        "line" => object["text"].as_str().map(str::to_owned),
        "gap" => Some(format!("gap: {}", object["reason"].as_str()?)),
        _ => None,
    }
}
