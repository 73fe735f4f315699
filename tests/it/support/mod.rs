//! What several end to end tests share: waiting for a condition, real SSH servers, people who
//! answer questions.
//!
//! Not every test uses everything.
#![allow(dead_code)]

use std::collections::VecDeque;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use logtrail::model::prompt::{OperatorPrompt, PromptReply};
use logtrail::transport::PromptAnswerer;

pub(crate) mod asking;
pub(crate) mod binary;
pub(crate) mod chance;
pub(crate) mod connect;
pub(crate) mod files;
pub(crate) mod fleet;
pub(crate) mod fuse;
pub(crate) mod gate;
pub(crate) mod gated_host;
pub(crate) mod inventory;
pub(crate) mod login;
pub(crate) mod logrotate;
pub(crate) mod mounted;
pub(crate) mod openssh;
pub(crate) mod processes;
pub(crate) mod prompting;
pub(crate) mod pty;
pub(crate) mod scene;
pub(crate) mod serials;
pub(crate) mod slow;
pub(crate) mod source_graph;
pub(crate) mod spec;
pub(crate) mod ssh_agent;
pub(crate) mod ssh_config;
pub(crate) mod sshd;
pub(crate) mod stand_in;
pub(crate) mod time_limit;
pub(crate) mod tinysshd;
pub(crate) mod writer;

/// How long anything may take on a busy machine before a test gives up on it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Waits until `condition` holds; fails with `what` and the state it shows when `PATIENCE` is over.
pub(crate) async fn wait_until<S: std::fmt::Debug>(
    what: &str,
    condition: impl FnMut() -> Result<(), S>,
) {
    wait_until_within(PATIENCE, what, condition).await;
}

/// The same with another patience.
pub(crate) async fn wait_until_within<S: std::fmt::Debug>(
    patience: Duration,
    what: &str,
    mut condition: impl FnMut() -> Result<(), S>,
) {
    let deadline = Instant::now() + patience;
    while let Err(state) = condition() {
        assert!(
            Instant::now() < deadline,
            "{what} did not happen in {patience:?}; last seen: {state:?}"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits until `condition` holds, outside of a runtime.
pub(crate) fn wait_for(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(
            Instant::now() < deadline,
            "{what} did not happen in {PATIENCE:?}"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Awaits something that must not take longer than [`PATIENCE`].
pub(crate) async fn within<F: Future>(what: &str, future: F) -> F::Output {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(output) => output,
        Err(_) => panic!("{what} took longer than {PATIENCE:?}"),
    }
}

/// A person at the console: gives the answers it was given, in order, then refuses; remembers what
/// it was asked.
#[derive(Clone, Default)]
pub(crate) struct Person {
    answers: Arc<Mutex<VecDeque<PromptReply>>>,
    asked: Arc<Mutex<Vec<OperatorPrompt>>>,
    thinks: Duration,
}

impl Person {
    /// Somebody who refuses everything, like a program without a terminal.
    #[must_use]
    pub(crate) fn absent() -> Self {
        Self::default()
    }

    /// Somebody who answers so.
    #[must_use]
    pub(crate) fn who_answers(answers: impl IntoIterator<Item = PromptReply>) -> Self {
        Self {
            answers: Arc::new(Mutex::new(answers.into_iter().collect())),
            ..Self::default()
        }
    }

    /// The same person, thinking as long before each answer.
    #[must_use]
    pub(crate) fn after(mut self, thinks: Duration) -> Self {
        self.thinks = thinks;
        self
    }

    /// What it was asked so far.
    #[must_use]
    pub(crate) fn asked(&self) -> Vec<OperatorPrompt> {
        self.asked.lock().expect("no panic").clone()
    }
}

impl PromptAnswerer for Person {
    fn ask(
        &self,
        question: OperatorPrompt,
    ) -> Pin<Box<dyn Future<Output = PromptReply> + Send + '_>> {
        self.asked.lock().expect("no panic").push(question);
        Box::pin(async {
            tokio::time::sleep(self.thinks).await;
            self.answers
                .lock()
                .expect("no panic")
                .pop_front()
                .unwrap_or(PromptReply::No)
        })
    }
}

/// A secret as an answer.
#[must_use]
pub(crate) fn secret(text: &str) -> PromptReply {
    PromptReply::Secret(text.to_owned().into())
}

/// Where a program is; fails with how to install it.
#[must_use]
pub(crate) fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/bin", "/sbin", "/usr/local/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
        .unwrap_or_else(|| panic!("{name} is not installed; tests/run installs what is needed"))
}

/// Makes a key pair `file` and `file.pub` of a type (`ed25519`, `ecdsa`, `rsa`) with a passphrase,
/// perhaps empty.
pub(crate) fn make_key(file: &Path, kind: &str, passphrase: &str) {
    let bits: &[&str] = if kind == "rsa" { &["-b", "2048"] } else { &[] };
    run(Command::new(program("ssh-keygen"))
        .args(["-q", "-t", kind, "-N", passphrase, "-C", "test", "-f"])
        .arg(file)
        .args(bits));
}

/// Runs a command that must succeed, and gives its standard output.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?} failed: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
