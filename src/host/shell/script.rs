//! A script of ours that runs in a shell on a host: started, and listened to frame by frame.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::timeout;

use crate::model::{HostStatus, LinkState};
use crate::transport::{Connection, LinkError, ShellEvent, ShellInput, ShellOutput};

use super::codec::{self, Answer};
use super::frame::{Frame, Frames};
use super::new_token;

/// A shell that has not said a word after this has none to say: a login that forces another command, or none at all.
const START_LIMIT: Duration = Duration::from_secs(15);

/// How much of what a host says beside our frames is kept to be shown.
const NOISE_SHOWN: usize = 200;

/// A running script.
pub(super) struct Script {
    input: ShellInput,
    output: ShellOutput,
    frames: Frames,
    /// Standard error, and what came before the first frame: a login script, a message of the day, a refusal.
    noise: Vec<u8>,
    ready: bool,
    token: String,
    bytes_read: u64,
}

impl Script {
    /// Starts `text` in a shell of its own and waits for its first word.
    ///
    /// # Errors
    /// When no shell starts: with what the host said instead.
    pub(super) async fn start(connection: &Connection, text: &str) -> Result<Self, LinkError> {
        let (mut input, output) = connection.open_shell().await?;
        let token = new_token();
        input.send(Bytes::from(format!("T={token}\n{text}"))).await?;
        let frames = Frames::new(&token);
        let mut script = Self { input, output, frames, noise: Vec::new(), ready: false, token, bytes_read: 0 };
        match timeout(START_LIMIT, script.next()).await {
            Ok(Ok(frame)) if codec::decode(&frame) == Ok(Answer::Ready) => {
                script.ready = true;
                Ok(script)
            }
            Ok(Ok(_)) => Err(script.no_shell("answered with something else than a shell")),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(script.no_shell("did not start a shell in 15 s")),
        }
    }

    /// Sends requests; waits while the host does not take them.
    pub(super) async fn send(&mut self, requests: String) -> Result<(), LinkError> {
        self.input.send(Bytes::from(requests)).await
    }

    /// Ends it.
    pub(super) async fn end(&mut self) {
        self.input.eof().await;
    }

    /// The next frame. Cancel-safe.
    pub(super) async fn next(&mut self) -> Result<Frame, LinkError> {
        loop {
            if let Some(frame) = self.frames.next_frame().map_err(|error| protocol_error(&error))? {
                return Ok(frame);
            }
            match self.output.next().await? {
                Some(ShellEvent::Stdout(bytes)) => {
                    self.bytes_read += bytes.len() as u64;
                    if !self.ready {
                        self.keep(&bytes);
                    }
                    self.frames.push(&bytes);
                }
                Some(ShellEvent::Stderr(bytes)) => self.keep(&bytes),
                Some(ShellEvent::Exit(Ok(code))) => return Err(self.ended(&format!("with status {code}"))),
                Some(ShellEvent::Exit(Err(signal))) => return Err(self.ended(&format!("by signal {signal}"))),
                None => return Err(self.ended("without a word")),
            }
        }
    }

    /// By which its answers are marked.
    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// Bytes read since the last call.
    pub(super) fn take_bytes_read(&mut self) -> u64 {
        std::mem::take(&mut self.bytes_read)
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = NOISE_SHOWN.saturating_sub(self.noise.len());
        self.noise.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn ended(&self, how: &str) -> LinkError {
        if !self.ready {
            return self.no_shell(&format!("ended the shell at once, {how}"));
        }
        let reason = format!("the shell on the host ended {how}{}", self.said());
        LinkError { status: HostStatus::because(LinkState::Unreachable, reason, "it is started again by itself") }
    }

    /// A login without a shell is like no login, and trying again does not help.
    fn no_shell(&self, how: &str) -> LinkError {
        let reason = format!("the host let us in but {how}{}", self.said());
        let hint = "the login needs a shell that runs `exec /bin/sh -s`: not nologin, a forced command or a menu";
        LinkError { status: HostStatus::because(LinkState::Denied, reason, hint) }
    }

    fn said(&self) -> String {
        let said = String::from_utf8_lossy(&self.noise);
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        if said.is_empty() { String::new() } else { format!(", and said: {said}") }
    }
}

/// The host said what our script cannot have said.
pub(super) fn protocol_error(error: &dyn std::error::Error) -> LinkError {
    let hint = "the connection is made anew; if it happens again, please report it with a debug log (--log-file)";
    LinkError { status: HostStatus::because(LinkState::Unreachable, error.to_string(), hint) }
}
