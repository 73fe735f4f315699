//! A script of ours that runs in a shell on a host: started, and listened to frame by frame.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, timeout_at};

use crate::model::state::{HostStatus, LinkState};
use crate::transport::{
    Connection, Deadline, LinkError, OpenedShell, PaceAsker, PaceSpan, ShellEvent, ShellInput,
    ShellOutput, is_noise,
};

use super::frame::{END, Frame, Frames};
use super::protocol::READY;
use super::script_text::{launch, new_token};

/// How much of what a host says beside our frames is kept to be shown.
const NOISE_SHOWN: usize = 200;

/// How much is kept for that: what everybody's ssh says is left out.
const NOISE_KEPT: usize = 4 << 10;

/// How a shell ends that cannot start a program, or does not find it.
const CANNOT_RUN: [&str; 2] = ["with status 126", "with status 127"];

/// A server may tell how a shell ended before what it said last. Longer is not waited for that, for
/// a process that it left behind may hold the channel open.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A running script.
pub(crate) struct Script {
    input: ShellInput,
    output: ShellOutput,
    frames: Frames,
    /// Standard error, and what came before the script was ready: a login script, a message of the
    /// day, a refusal.
    noise: Vec<u8>,
    /// The end of standard error, for what sudo says after our mark.
    stderr: Vec<u8>,
    ready: bool,
    /// How it ended, and until when its last words are waited for.
    exit: Option<(String, Instant)>,
    bytes_read: u64,
    token: String,
    pace: PaceAsker,
    /// When the last bytes came.
    heard: Instant,
}

/// What the shell says and does before it becomes root's. It is sent nothing more until it has said
/// so, for what it had read ahead would be lost to its successor. The token on standard error
/// separates what the login's rc files print there from what sudo says: standard error may come
/// before the frame.
const BECOME_ROOT: &str = r"PATH=${PATH:-/usr/bin:/bin}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin; export PATH; printf '%s\n' $T >&2; printf '\n%s shell\n\n%s .\n' $T $T; exec sudo -n /bin/sh -s";

impl Script {
    /// Starts `text` in a shell of its own and waits for its first word.
    ///
    /// # Errors
    /// When no shell starts: with what the host said instead.
    pub(crate) async fn start(connection: &Connection, text: &str) -> Result<Self, LinkError> {
        Self::start_after(connection, text, std::future::ready(())).await
    }

    /// The same; between the shell and the script comes `opened`.
    pub(crate) async fn start_after(
        connection: &Connection,
        text: &str,
        opened: impl Future<Output = ()>,
    ) -> Result<Self, LinkError> {
        let mut time = Deadline::new(connection.login_time());
        let mut script = Self::open(connection, &mut time).await?;
        opened.await;
        // Where the shell has ended already, it is its end that tells; where it takes no words, the
        // end of the time.
        let _ = time
            .run(script.input.send(Bytes::from(launch(&script.token, text))))
            .await;
        script.greeted(&mut time).await
    }

    /// The same in a shell of root's, by `sudo -n`.
    ///
    /// # Errors
    /// When no shell starts, or sudo refuses: with its words and what it needs.
    pub(crate) async fn start_as_root(
        connection: &Connection,
        text: &str,
    ) -> Result<Self, LinkError> {
        let mut time = Deadline::new(connection.login_time());
        let mut script = Self::open(connection, &mut time).await?;
        let become_root = script
            .input
            .send(Bytes::from(format!("T={}; {BECOME_ROOT}\n", script.token)));
        time.run(become_root).await.unwrap_or(Ok(()))?;
        match time.run(script.next()).await {
            Ok(Ok(frame)) if frame.header == "shell" => {}
            Ok(Err(error)) => return Err(error),
            Ok(Ok(_)) => return Err(script.no_shell("answered with something else than a shell")),
            Err(_) => return Err(script.slow(time.whole())),
        }
        // Where sudo has refused already, it is the answer that tells.
        let sending = script.input.send(Bytes::from(launch(&script.token, text)));
        let sent = time.run(sending).await.unwrap_or(Ok(()));
        match time.run(script.next_of_root()).await {
            Ok(Some(frame)) if frame.header == READY => {
                script.noise.clear();
                script.ready = true;
                Ok(script)
            }
            Ok(_) => Err(script.no_root()),
            Err(_) => Err(sent.err().unwrap_or_else(|| script.no_root())),
        }
    }

    /// The next frame that says something; `None` where the shell has ended.
    async fn next_of_root(&mut self) -> Option<Frame> {
        loop {
            let frame = self.next().await.ok()?;
            if frame.header != END {
                return Some(frame);
            }
        }
    }

    async fn open(connection: &Connection, time: &mut Deadline) -> Result<Self, LinkError> {
        let OpenedShell {
            input,
            output,
            pace,
        } = connection.open_anywhere(time).await?;
        let token = new_token();
        let (frames, heard) = (Frames::new(&token), Instant::now());
        Ok(Self {
            input,
            output,
            frames,
            noise: Vec::new(),
            stderr: Vec::new(),
            ready: false,
            exit: None,
            bytes_read: 0,
            token,
            pace,
            heard,
        })
    }

    /// A host that is slow to start one shell is slow to start each: every one reads the login's rc
    /// files.
    async fn greeted(self, time: &mut Deadline) -> Result<Self, LinkError> {
        let mut script = self;
        match time.run(script.next()).await {
            Ok(Ok(frame)) if frame.header == READY => {
                script.ready = true;
                Ok(script)
            }
            Ok(Ok(_)) => Err(script.no_shell("answered with something else than a shell")),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(script.slow(time.whole())),
        }
    }

    /// Sends requests; waits while the host does not take them.
    pub(crate) async fn send(&mut self, requests: String) -> Result<(), LinkError> {
        self.input.send(Bytes::from(requests)).await
    }

    /// Ends it.
    pub(crate) async fn end(&mut self) {
        self.input.eof().await;
    }

    /// The next frame. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Result<Frame, LinkError> {
        loop {
            if let Some(frame) = self
                .frames
                .next_frame()
                .map_err(|error| protocol_error(&error))?
            {
                return Ok(frame);
            }
            match self.next_event().await? {
                Some(ShellEvent::Stdout(bytes)) => {
                    self.bytes_read += bytes.len() as u64;
                    self.pace.heard(bytes.len());
                    self.heard = Instant::now();
                    if !self.ready {
                        self.keep(&bytes);
                    }
                    self.frames.push(&bytes);
                }
                Some(ShellEvent::Stderr(bytes)) => {
                    self.keep(&bytes);
                    self.keep_stderr(&bytes);
                }
                Some(ShellEvent::Exit(exit)) => {
                    let how = exit.map_or_else(
                        |signal| format!("by signal {signal}"),
                        |code| format!("with status {code}"),
                    );
                    self.exit = Some((how, Instant::now() + LAST_WORDS));
                }
                None => {
                    return Err(
                        self.ended(self.exit.as_ref().map_or("without a word", |(how, _)| how))
                    );
                }
            }
        }
    }

    /// What the channel brings next; of a shell that has ended `None`, at the latest when its last
    /// words are overdue.
    async fn next_event(&mut self) -> Result<Option<ShellEvent>, LinkError> {
        let Some((_, until)) = self.exit else {
            return self.output.next().await;
        };
        Ok(timeout_at(until, self.output.next())
            .await
            .ok()
            .and_then(Result::ok)
            .flatten())
    }

    /// How many bytes may be asked for now, so that nothing else on the connection has to wait for
    /// long.
    pub(crate) fn share(&self) -> usize {
        self.pace.share()
    }

    /// Something is asked that is answered at once.
    pub(crate) fn begin(&self) -> PaceSpan {
        self.pace.begin()
    }

    /// It was answered, all of it.
    pub(crate) fn end_of(&self, span: PaceSpan) {
        self.pace.end(span);
    }

    /// When it last said something.
    pub(crate) fn heard(&self) -> Instant {
        self.heard
    }

    /// By which this shell marks what it says.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// Bytes read since the last call.
    pub(crate) fn take_bytes_read(&mut self) -> u64 {
        std::mem::take(&mut self.bytes_read)
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = NOISE_KEPT.saturating_sub(self.noise.len());
        self.noise
            .extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn keep_stderr(&mut self, bytes: &[u8]) {
        self.stderr.extend_from_slice(bytes);
        let excess = self.stderr.len().saturating_sub(NOISE_KEPT);
        self.stderr.drain(..excess);
    }

    fn ended(&self, how: &str) -> LinkError {
        if !self.ready {
            return self.no_shell(&format!("ended the shell at once, {how}"));
        }
        // Ours ends by itself only when we close its input: somebody else has ended it, the kernel
        // for want of memory perhaps.
        let how = if how == "with status 0" {
            "because it was killed there"
        } else {
            how
        };
        let reason = format!("the shell on the host ended {how}{}", self.said());
        LinkError::from(HostStatus::because(
            LinkState::Unreachable,
            reason,
            "it is started again by itself",
        ))
        .passing()
    }

    /// A login that has a shell did not have one this time: whether a connection has any is found
    /// out before.
    fn no_shell(&self, how: &str) -> LinkError {
        let reason = format!("the host let us in but {how}{}", self.said());
        let hint = if self
            .exit
            .as_ref()
            .is_some_and(|(how, _)| CANNOT_RUN.contains(&how.as_str()))
        {
            "it is tried again; if it stays so, check that this login may run /bin/sh: its mode, noexec, SELinux, AppArmor"
        } else {
            "it is tried again; if it stays so, look for what .bashrc or a forced command runs in place of \
             `exec /bin/sh -s`"
        };
        LinkError::from(HostStatus::because(LinkState::Unreachable, reason, hint)).passing()
    }

    fn slow(&self, limit: Duration) -> LinkError {
        let reason = format!(
            "the host let us in but no shell began within {} s{}",
            limit.as_secs(),
            self.said()
        );
        LinkError::from(HostStatus::because(
            LinkState::Timeout,
            reason,
            "it is tried again; the host is very slow",
        ))
    }

    /// Sudo would have asked for a password, or does not let this login do it.
    fn no_root(&self) -> LinkError {
        let said = said(words_of_sudo(&self.stderr, &self.noise, &self.token));
        let reason = format!("sudo -n /bin/sh -s is refused{said}");
        let wants_terminal = said.contains("you must have a tty");
        let hint = if wants_terminal {
            "it needs `Defaults:{user} !requiretty` in sudoers, for a script has no terminal; better let {user} read the log \
             itself, by the group of the file"
        } else {
            "it needs `{user} ALL=(root) NOPASSWD: /bin/sh -s` in sudoers, which lets {user} do anything as root; \
             better let {user} read the log itself, by the group of the file"
        };
        LinkError::from(HostStatus::because(LinkState::Degraded, reason, hint))
    }

    fn said(&self) -> String {
        said(&self.noise)
    }
}

/// What sudo said: what follows the mark on standard error.
fn words_of_sudo<'a>(stderr: &'a [u8], noise: &'a [u8], mark: &str) -> &'a [u8] {
    if let Some(words) = after_last(stderr, mark) {
        return words;
    }
    if stderr.len() == NOISE_KEPT {
        // They are so long that they have pushed the mark out.
        return stderr;
    }
    // The login joins standard error to standard output. The last mark there ends the frame.
    after_last(noise, mark)
        .and_then(|words| words.strip_prefix(b" ."))
        .unwrap_or_default()
}

fn after_last<'a>(bytes: &'a [u8], mark: &str) -> Option<&'a [u8]> {
    let at = memchr::memmem::rfind(bytes, mark.as_bytes())?;
    Some(&bytes[at + mark.len()..])
}

/// The words of a host for a reason: on one line, without those that every run of ssh may print.
fn said(noise: &[u8]) -> String {
    let text = String::from_utf8_lossy(noise);
    let lines = text.lines().filter(|line| !is_noise(line));
    let words: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
    let said: String = words.join(" ").chars().take(NOISE_SHOWN).collect();
    if said.is_empty() {
        said
    } else {
        format!(", and said: {said}")
    }
}

/// The host said what our script cannot have said.
pub(crate) fn protocol_error(error: &dyn std::error::Error) -> LinkError {
    let hint = "the connection is made anew; if it happens again, please report it with a debug log (--log-file)";
    LinkError::from(HostStatus::because(
        LinkState::Unreachable,
        error.to_string(),
        hint,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sudo_says_is_what_follows_the_last_mark() {
        for (stderr, noise, words) in [
            ("rc noise\nT1\nsudo: no\n", "", "\nsudo: no\n"),
            ("T1\nof another\nT1\nsudo: no", "", "\nsudo: no"),
            ("rc noise\nT1\n", "\nT1 shell\n\nT1 .\nelse", "\n"),
            ("rc noise\n", "rc noise\n", ""),
            ("", "T1\n\nT1 shell\n\nT1 .\nsudo: no\n", "\nsudo: no\n"),
            ("", "T1\n\nT1 shell\n", ""),
        ] {
            let said = words_of_sudo(stderr.as_bytes(), noise.as_bytes(), "T1");
            assert_eq!(said, words.as_bytes(), "{stderr:?} {noise:?}");
        }
        let long = "no ".repeat(NOISE_KEPT)[..NOISE_KEPT].to_owned();
        assert_eq!(words_of_sudo(long.as_bytes(), b"", "T1"), long.as_bytes());
    }
}
