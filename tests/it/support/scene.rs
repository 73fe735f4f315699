//! Hosts with a log each that `tail -f --resume` prints, run after run.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::PATIENCE;
use super::binary::logtrail;
use super::inventory::Inventory;
use super::sshd::Sshd;

/// Hosts with a log each, an inventory, and a file that remembers.
pub(crate) struct Scene {
    pub(crate) servers: Vec<Sshd>,
    pub(crate) folder: tempfile::TempDir,
}

/// A run of the console, and what it has printed, with the time at which it was read.
pub(crate) struct Run {
    pub(crate) child: Child,
    pub(crate) printed: Arc<Mutex<Chunks>>,
    pub(crate) notes: Arc<Mutex<Vec<u8>>>,
    pub(crate) readers: Vec<std::thread::JoinHandle<()>>,
}

/// What was read, and when.
pub(crate) type Chunks = Vec<(Instant, Vec<u8>)>;

/// A line or a gap, and when it was read.
pub(crate) type Said = (Instant, String);

impl Scene {
    /// `web-1`, `web-2`, … with a log of these texts each.
    pub(crate) fn with(logs: &[&str]) -> Self {
        let scene = Self {
            servers: logs.iter().map(|_| Sshd::start()).collect(),
            folder: tempfile::tempdir().expect("a folder"),
        };
        logs.iter()
            .enumerate()
            .for_each(|(n, log)| fs::write(scene.log(n), log).expect("write a log"));
        let paths: Vec<String> = (0..logs.len())
            .map(|n| scene.log(n).display().to_string())
            .collect();
        scene.follows(&paths);
        scene
    }

    /// Which path, or pattern, of each host is followed.
    pub(crate) fn follows(&self, paths: &[String]) {
        let mut inventory = Inventory::default();
        for (n, (server, path)) in (1..).zip(self.servers.iter().zip(paths)) {
            inventory = inventory.following(&format!("web-{n}"), server, Path::new(path));
        }
        inventory.write(self.folder.path());
    }

    pub(crate) fn log(&self, n: usize) -> PathBuf {
        self.servers[n].path("app.log")
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("at")
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let inventory = self.folder.path().join("hosts.toml");
        let mut command = logtrail(&inventory, &["tail", "-f", "--json"]);
        command
            .arg("--resume")
            .arg(self.file())
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn start(&self, args: &[&str]) -> Run {
        let mut child = self.command(args).spawn().expect("start it");
        let (printed, notes) = (Arc::default(), Arc::default());
        let (mut out, mut said) = (
            child.stdout.take().expect("piped"),
            child.stderr.take().expect("piped"),
        );
        let (chunks, text): (Arc<Mutex<Chunks>>, Arc<Mutex<Vec<u8>>>) =
            (Arc::clone(&printed), Arc::clone(&notes));
        let of_output = std::thread::spawn(move || {
            let mut chunk = vec![0; 64 << 10];
            while let Ok(length @ 1..) = out.read(&mut chunk) {
                chunks
                    .lock()
                    .expect("no panic")
                    .push((Instant::now(), chunk[..length].to_vec()));
            }
        });
        let of_notes = std::thread::spawn(move || {
            let mut chunk = vec![0; 4 << 10];
            while let Ok(length @ 1..) = said.read(&mut chunk) {
                text.lock()
                    .expect("no panic")
                    .extend_from_slice(&chunk[..length]);
            }
        });
        Run {
            child,
            printed,
            notes,
            readers: vec![of_output, of_notes],
        }
    }

    /// A run that prints until this line, and is ended by Ctrl-C.
    pub(crate) fn run_until(&self, args: &[&str], last: &str) -> Vec<String> {
        let mut run = self.start(args);
        run.until(last);
        texts(run.end(Signal::INT))
    }

    /// What the next run prints until this line; then it is ended.
    pub(crate) fn next(&self, last: &str) -> Vec<String> {
        self.run_until(&[], last)
    }
}

impl Run {
    /// What it has printed so far: lines that are whole.
    pub(crate) fn said(&self) -> Vec<Said> {
        let chunks = self.printed.lock().expect("no panic");
        let (mut said, mut line) = (Vec::new(), Vec::new());
        for (at, chunk) in chunks.iter() {
            for part in chunk.split_inclusive(|&byte| byte == b'\n') {
                line.extend_from_slice(part);
                if line.ends_with(b"\n") {
                    let object: Value = serde_json::from_slice(&line).expect("a JSON line");
                    let text = match object["type"].as_str() {
                        Some("line") => object["text"].as_str().map(str::to_owned),
                        Some("gap") => object["reason"]
                            .as_str()
                            .map(|reason| format!("gap: {reason}")),
                        _ => None,
                    };
                    said.extend(text.map(|text| (*at, text)));
                    line.clear();
                }
            }
        }
        said
    }

    pub(crate) fn notes(&self) -> String {
        String::from_utf8_lossy(&self.notes.lock().expect("no panic")).into_owned()
    }

    /// Waits until it has printed a line with this in it.
    pub(crate) fn until(&mut self, what: &str) {
        let deadline = Instant::now() + 2 * PATIENCE;
        while !self.said().iter().any(|(_, text)| text.contains(what)) {
            assert!(
                Instant::now() < deadline,
                "no {what:?} came: {:?}\n{}",
                texts(self.said()),
                self.notes()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until the file has this in it, which this run or another writes.
    pub(crate) fn until_remembered(&self, file: &Path, is_there: impl Fn(&Value) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let text = fs::read(file).unwrap_or_default();
            let document: Value = serde_json::from_slice(&text).unwrap_or_default();
            if document["entries"]
                .as_array()
                .is_some_and(|entries| entries.iter().any(&is_there))
            {
                return;
            }
            assert!(Instant::now() < deadline, "{document:#}\n{}", self.notes());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Ends it so, and tells all that it has printed.
    pub(crate) fn end(&mut self, signal: Signal) -> Vec<Said> {
        kill_process(
            Pid::from_raw(self.child.id().cast_signed()).expect("a process"),
            signal,
        )
        .expect("a signal");
        let status = self.child.wait().expect("it ends");
        // To the end of the pipe: all that it has taken.
        self.readers
            .drain(..)
            .for_each(|reader| reader.join().expect("no panic"));
        let said = self.said();
        // Before it listens to signals it has printed nothing, and ends by them.
        let is_early = status.code().is_none() && said.is_empty();
        let is_orderly = is_early || matches!(status.code(), Some(0 | 3 | 4));
        assert!(
            signal == Signal::KILL || is_orderly,
            "{status} {}",
            self.notes()
        );
        said
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn texts(said: Vec<Said>) -> Vec<String> {
    said.into_iter().map(|(_, text)| text).collect()
}
