//! Finds out whether what a login runs is a shell, and if not, why. What was printed before it
//! answers (`.bashrc`, a message of the day, a wrapper) is skipped, however long it is.
//!
//! Only a shell that says that it is none is a refusal. One that is slow, was killed or has no
//! memory to start with is tried again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;

use super::deadline::Deadline;
use super::noise::is_noise;
use super::shell::{ShellEvent, ShellInput, ShellOutput};
use super::{LinkError, failure};
use crate::model::state::LinkState;

/// What is kept of the noise, of each of both outputs, for its last line.
const KEPT_BYTES: usize = 4 * 1024;

/// Exit statuses from here on are not a shell's own: 254 is sshd's, while `/run/nologin` is there;
/// 255 is that of the system's `ssh`; and a shell that passes on how something ended adds 128 to
/// the signal.
const NOT_ITS_OWN: u32 = 128;

/// What shells say of a program that they cannot start, in lower case.
const NOT_STARTED: [&str; 6] = [
    "not found",
    "no such file",
    "permission denied",
    "cannot execute",
    "not an executable",
    "unknown command",
];

/// The system's words for what passes: too many processes, too little memory, a home that is not
/// there yet. In lower case, for some shells print them so.
const PASSING: [&str; 10] = [
    "cannot fork",
    "resource temporarily unavailable",
    "cannot allocate memory",
    "too many open files",
    "input/output error",
    "stale file handle",
    "transport endpoint is not connected",
    "connection timed out",
    "host is down",
    "no such device",
];

/// Makes sure that what answers is a shell, within the time that is left, and drops what was
/// printed before it; `printed` counts it.
pub(super) async fn greet(
    input: &mut ShellInput,
    output: &mut ShellOutput,
    place: &str,
    time: &mut Deadline,
    printed: &AtomicU64,
) -> Result<(), LinkError> {
    let token = format!("{:016x}", rand::random::<u64>());
    let mut heard = GreetingHeard::new(&token);
    // The sum is done by the shell: an echo of our own words is not an answer.
    let asking = input.send(Bytes::from(format!("echo lt-$((4000+242))-{token}\n")));
    let greeting = async {
        // A shell that has ended takes no words; what it said tells why.
        let _ = asking.await;
        heard.until_answered(output, printed).await
    };
    match time.run(greeting).await {
        Ok(Ok(rest)) => {
            output.unread(rest);
            Ok(())
        }
        Ok(Err(Some(lost))) => Err(lost),
        Ok(Err(None)) => Err(heard.ended(place)),
        Err(_) => Err(heard.silent(place, time.whole())),
    }
}

/// The end of what was printed, and how much it was.
#[derive(Default)]
struct PrintedTail {
    bytes: Vec<u8>,
    whole: u64,
}

impl PrintedTail {
    fn push(&mut self, bytes: &[u8]) {
        self.whole += bytes.len() as u64;
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() > 2 * KEPT_BYTES {
            self.bytes.drain(..self.bytes.len() - KEPT_BYTES);
        }
    }

    /// The last line that is no blank, no echo of ours and nothing that `ssh` says each time.
    fn last_line(&self, token: &str) -> Option<String> {
        let text = String::from_utf8_lossy(&self.bytes);
        let line = text
            .lines()
            .rev()
            .find(|line| !is_noise(line) && !line.contains(token))?;
        Some(line.trim().to_owned())
    }
}

struct GreetingHeard {
    token: String,
    stdout: PrintedTail,
    stderr: PrintedTail,
    exit: Option<Result<u32, String>>,
}

impl GreetingHeard {
    fn new(token: &str) -> Self {
        Self {
            token: token.to_owned(),
            stdout: PrintedTail::default(),
            stderr: PrintedTail::default(),
            exit: None,
        }
    }

    /// The bytes after the answer; `Err(None)` where the shell ended without it.
    async fn until_answered(
        &mut self,
        output: &mut ShellOutput,
        printed: &AtomicU64,
    ) -> Result<Bytes, Option<LinkError>> {
        let answer = format!("lt-4242-{}\n", self.token).into_bytes();
        loop {
            match output.next().await.map_err(Some)? {
                Some(ShellEvent::Stdout(bytes)) => {
                    // The answer may be cut anywhere.
                    let before = self.stdout.bytes.len().min(answer.len());
                    let mut seen = self.stdout.bytes[self.stdout.bytes.len() - before..].to_vec();
                    seen.extend_from_slice(&bytes);
                    if let Some(at) = memchr::memmem::find(&seen, &answer) {
                        return Ok(Bytes::from(seen.split_off(at + answer.len())));
                    }
                    self.stdout.push(&bytes);
                }
                Some(ShellEvent::Stderr(bytes)) => self.stderr.push(&bytes),
                Some(ShellEvent::Exit(exit)) => self.exit = Some(exit),
                None => return Err(None),
            }
            printed.store(self.stdout.whole + self.stderr.whole, Ordering::Relaxed);
        }
    }

    /// The shell was closed before it answered.
    fn ended(&self, place: &str) -> LinkError {
        let said = self
            .said()
            .map(|line| format!(", saying: {line}"))
            .unwrap_or_default();
        match &self.exit {
            Some(Ok(status)) if self.is_refusal(*status) && self.misses_our_shell() => failure::denied(
                format!("{place} lets us in but cannot start /bin/sh for this login: exit status {status}{said}"),
                "check /bin/sh on the host: that it is there, its mode and what it links to, and that neither \
                     noexec, SELinux nor AppArmor forbids it",
            ),
            Some(Ok(status)) if self.is_refusal(*status) => failure::denied(
                format!("{place} lets us in but runs no shell: it ended with exit status {status}{said}"),
                "the login needs a shell that can run `exec /bin/sh -s`; look for nologin, ForceCommand, an exit in \
                 .bashrc",
            ),
            Some(Ok(status)) => LinkError::new(
                LinkState::Unreachable,
                format!("{place} let us in but its shell ended at once with exit status {status}{said}"),
                "it is dialled again; a host that is booting (/run/nologin) or is out of memory or processes does this",
            )
            .passing(),
            Some(Err(signal)) => LinkError::new(
                LinkState::Unreachable,
                format!("{place} let us in but its shell was ended by signal {signal} before it answered{said}"),
                "it is dialled again; a host that is out of memory or processes does this",
            )
            .passing(),
            None => LinkError::new(
                LinkState::Unreachable,
                format!("{place} let us in but closed the session before a shell answered{said}"),
                "it is dialled again; a restart, a limit on sessions or a server without shells does this",
            )
            .passing(),
        }
    }

    /// Whether the login's shell complains that the one that we want in its place does not start.
    /// Its exit status is no help: of tcsh it is 1.
    fn misses_our_shell(&self) -> bool {
        let text = String::from_utf8_lossy(&self.stderr.bytes).to_ascii_lowercase();
        text.contains("/bin/sh") && NOT_STARTED.iter().any(|words| text.contains(words))
    }

    /// A shell that ended by itself, in order, without a word to us: it is none, and says so.
    fn is_refusal(&self, status: u32) -> bool {
        let passes = |tail: &PrintedTail| {
            let text = String::from_utf8_lossy(&tail.bytes).to_ascii_lowercase();
            PASSING.iter().any(|words| text.contains(words))
        };
        status < NOT_ITS_OWN && !passes(&self.stderr) && !passes(&self.stdout)
    }

    /// No answer within the limit.
    fn silent(&self, place: &str, limit: Duration) -> LinkError {
        let noise = self.stdout.whole + self.stderr.whole;
        let heard = match self.said() {
            Some(line) => format!("; it printed {}, at last: {line}", amount(noise)),
            None => String::new(),
        };
        LinkError::new(
            LinkState::Timeout,
            format!(
                "{place} let us in but no shell answered within {:.1} s{heard}",
                limit.as_secs_f64()
            ),
            "it is dialled again; the host is very slow, or what the login runs is no shell that can run \
             `exec /bin/sh -s`: look for ForceCommand and .bashrc",
        )
    }

    /// What was said last: `nologin` says why on standard output, and a broken start file
    /// complains on standard error.
    fn said(&self) -> Option<String> {
        let lines = [&self.stdout, &self.stderr].map(|said| said.last_line(&self.token));
        let lines: Vec<String> = lines
            .into_iter()
            .flatten()
            .map(|line| failure::shown(&line))
            .collect();
        (!lines.is_empty()).then(|| lines.join("; "))
    }
}

/// So many bytes in words.
pub(super) fn amount(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(stdout: &str, stderr: &str, exit: Option<Result<u32, &str>>) -> GreetingHeard {
        let mut heard = GreetingHeard::new("token");
        heard.stdout.push(stdout.as_bytes());
        heard.stderr.push(stderr.as_bytes());
        heard.exit = exit.map(|exit| exit.map_err(str::to_owned));
        heard
    }

    #[test]
    fn only_a_shell_that_ends_in_order_is_none() {
        for (exit, stderr, state) in [
            (Some(Ok(0)), "", LinkState::Denied),
            (
                Some(Ok(1)),
                "This account is currently not available.",
                LinkState::Denied,
            ),
            (
                Some(Ok(126)),
                "sh: /bin/sh: Permission denied",
                LinkState::Denied,
            ),
            (Some(Ok(127)), "sh: /bin/sh: not found", LinkState::Denied),
            (Some(Ok(2)), "sh: 1: Cannot fork", LinkState::Unreachable),
            (
                Some(Ok(1)),
                "bash: fork: retry: Resource temporarily unavailable",
                LinkState::Unreachable,
            ),
            (
                Some(Ok(126)),
                "/bin/bash: Input/output error",
                LinkState::Unreachable,
            ),
            (
                Some(Ok(1)),
                "zsh: fork failed: resource temporarily unavailable",
                LinkState::Unreachable,
            ),
            (
                Some(Ok(1)),
                "zsh: fork failed: cannot allocate memory",
                LinkState::Unreachable,
            ),
            (
                Some(Ok(1)),
                "zsh: too many open files: /etc/zshrc",
                LinkState::Unreachable,
            ),
            (
                Some(Ok(126)),
                "-bash: /home/ann/.profile: Connection timed out",
                LinkState::Unreachable,
            ),
            (
                Some(Ok(1)),
                "Could not chdir to home directory /home/ann: Host is down",
                LinkState::Unreachable,
            ),
            (
                Some(Ok(126)),
                "bash: /srv/bin/sh: No such device",
                LinkState::Unreachable,
            ),
            (
                Some(Ok(127)),
                "sh: /srv/bin/sh: No such file or directory",
                LinkState::Denied,
            ),
            (Some(Ok(137)), "Killed", LinkState::Unreachable),
            (
                Some(Ok(254)),
                "System is booting up.",
                LinkState::Unreachable,
            ),
            (Some(Ok(255)), "", LinkState::Unreachable),
            (Some(Err("KILL")), "", LinkState::Unreachable),
            (None, "", LinkState::Unreachable),
        ] {
            let error = heard("", stderr, exit).ended("web-1");
            assert_eq!(error.state(), state, "{exit:?} {stderr}");
            assert!(error.reason().contains(stderr), "{}", error.reason());
        }
    }

    #[test]
    fn a_login_that_cannot_start_our_shell_is_told_from_one_that_has_none() {
        for (exit, said, hint) in [
            (
                126,
                "sh: 1: exec: /bin/sh: Permission denied",
                "check /bin/sh on the host",
            ),
            (
                127,
                "bash: line 1: exec: /bin/sh: cannot execute: required file not found",
                "check /bin/sh on the host",
            ),
            (
                127,
                "zsh:1: no such file or directory: /bin/sh",
                "check /bin/sh on the host",
            ),
            (
                127,
                "fish: Unknown command: /bin/sh\nfish: \nexec /bin/sh -s\n     ^~~~~~^",
                "check /bin/sh on the host",
            ),
            (
                1,
                "/bin/sh: Permission denied.",
                "check /bin/sh on the host",
            ),
            (
                127,
                "rbash: gate: command not found",
                "look for nologin, ForceCommand",
            ),
            (
                1,
                "/bin/sh is not for you",
                "look for nologin, ForceCommand",
            ),
        ] {
            let error = heard("", said, Some(Ok(exit))).ended("web-1");
            let told = error.status.hint.unwrap_or_default();
            assert!(
                error.status.state == LinkState::Denied && told.contains(hint),
                "{said}: {told}"
            );
        }
    }

    #[test]
    fn of_noise_the_end_is_kept_and_the_amount_told() {
        let mut long = heard("", "", None);
        for n in 0..100_000 {
            long.stdout
                .push(format!("line {n} of a long message of the day\n").as_bytes());
            assert!(long.stdout.bytes.len() <= 2 * KEPT_BYTES);
        }
        let error = long.silent("web-1", Duration::from_secs(120));
        assert_eq!(error.state(), LinkState::Timeout);
        assert_eq!(
            error.reason(),
            "web-1 let us in but no shell answered within 120.0 s; it printed 3.8 MiB, at last: line 99999 of a long \
             message of the day"
        );
    }

    #[test]
    fn an_echo_of_our_own_words_says_nothing() {
        let error = heard("echo lt-$((4000+242))-token\n", "", None)
            .silent("web-1", Duration::from_secs(1));
        assert_eq!(
            error.reason(),
            "web-1 let us in but no shell answered within 1.0 s"
        );
    }
}
