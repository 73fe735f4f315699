//! Answers questions without a console: on the terminal where there is one, otherwise with a
//! refusal at once, so that the host's row gets its reason. Answering is what `transport` asks of
//! those above it ([`transport::PromptAnswerer`]).
//!
//! [`transport::PromptAnswerer`]: crate::transport::PromptAnswerer

use std::fs::{File, OpenOptions};
use std::future::Future;
use std::io::{self, IsTerminal as _, Write as _};
use std::pin::Pin;
use std::sync::Arc;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::sync::{Mutex, oneshot};
use zeroize::Zeroizing;

use crate::model::prompt::{OperatorPrompt, PromptReply};
use crate::model::text::SafeText;
use crate::report::Progress;
use crate::transport::PromptAnswerer;

/// A longer answer is not a passphrase; it is refused.
const MAX_ANSWER: usize = 4096;

/// An asker for a run without a console. Questions are put one at a time, with the progress out of
/// their way.
#[must_use]
pub fn asker(progress: Progress) -> Arc<dyn PromptAnswerer> {
    if io::stderr().is_terminal() && terminal().is_ok() {
        Arc::new(OnTerminal {
            progress,
            turn: Mutex::new(()),
        })
    } else {
        Arc::new(Nobody)
    }
}

/// Nobody is there.
struct Nobody;

impl PromptAnswerer for Nobody {
    fn ask(
        &self,
        _question: OperatorPrompt,
    ) -> Pin<Box<dyn Future<Output = PromptReply> + Send + '_>> {
        Box::pin(std::future::ready(PromptReply::No))
    }
}

struct OnTerminal {
    progress: Progress,
    turn: Mutex<()>,
}

impl PromptAnswerer for OnTerminal {
    fn ask(
        &self,
        question: OperatorPrompt,
    ) -> Pin<Box<dyn Future<Output = PromptReply> + Send + '_>> {
        Box::pin(async move {
            let _turn = self.turn.lock().await;
            let _quiet = Quiet::new(&self.progress);
            put(&question).await.unwrap_or(PromptReply::No)
        })
    }
}

/// Keeps the progress off the terminal.
struct Quiet<'a>(&'a Progress);

impl<'a> Quiet<'a> {
    fn new(progress: &'a Progress) -> Self {
        progress.pause();
        Self(progress)
    }
}

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        self.0.resume();
    }
}

async fn put(question: &OperatorPrompt) -> io::Result<PromptReply> {
    let mut terminal = terminal()?;
    let echo = match question {
        OperatorPrompt::TrustHostKey { .. } => true,
        OperatorPrompt::Passphrase { .. } => false,
        OperatorPrompt::Secret { echo, .. } => *echo,
    };
    // Before the prompt, for a script types its answer as soon as it sees that.
    let modes = Modes::key_by_key(&terminal)?;
    write!(terminal, "{}", prompt(question))?;
    let typed = type_answer(terminal.try_clone()?, echo).await;
    drop(modes);
    writeln!(terminal)?;
    Ok(match (typed?, question) {
        (Some(text), OperatorPrompt::TrustHostKey { .. }) if is_yes(&text) => PromptReply::Yes,
        (Some(text), OperatorPrompt::Passphrase { .. } | OperatorPrompt::Secret { .. }) => {
            PromptReply::Secret(text)
        }
        _ => PromptReply::No,
    })
}

/// Reads in a thread of its own, not one of the runtime's: nobody can interrupt the read, and a
/// question that has been withdrawn must not hold up the end of the program.
async fn type_answer(mut keys: File, echo: bool) -> io::Result<Option<Zeroizing<String>>> {
    let (sender, typed) = oneshot::channel();
    let thread = std::thread::Builder::new().name("question".into());
    thread.spawn(move || {
        // The question may have been withdrawn.
        let _ = sender.send(read_answer(&mut keys, echo));
    })?;
    typed.await.unwrap_or(Ok(None))
}

fn terminal() -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open("/dev/tty")
}

fn prompt(question: &OperatorPrompt) -> String {
    match question {
        OperatorPrompt::TrustHostKey {
            host,
            address,
            key_type,
            fingerprint,
        } => {
            let [address, key_type, fingerprint] =
                [address, key_type, fingerprint].map(|text| SafeText::new(text));
            format!(
                "{host} ({address}) is not in known_hosts. Its key is {key_type} {fingerprint}\nTrust it and store it? [y/N] "
            )
        }
        OperatorPrompt::Passphrase { path, again } => {
            let wrong = if *again { "That was wrong. " } else { "" };
            format!("{wrong}Passphrase for {}: ", SafeText::new(path))
        }
        OperatorPrompt::Secret { host, prompt, .. } => {
            format!("{host}: {} ", SafeText::new(prompt.trim_end()))
        }
    }
}

fn is_yes(text: &str) -> bool {
    matches!(text.trim().to_lowercase().as_str(), "y" | "yes")
}

/// The terminal hands over key by key, unseen, until this is dropped: also when the question is
/// withdrawn. Ctrl-C comes as a key and refuses, for its signal would leave the terminal without
/// echo.
struct Modes {
    terminal: File,
    before: Termios,
}

impl Modes {
    fn key_by_key(terminal: &File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut now = before.clone();
        now.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
        tcsetattr(terminal, OptionalActions::Flush, &now)?;
        Ok(Self {
            terminal: terminal.try_clone()?,
            before,
        })
    }
}

impl Drop for Modes {
    fn drop(&mut self) {
        let _ = tcsetattr(&self.terminal, OptionalActions::Flush, &self.before);
    }
}

const CTRL_C: u8 = 0x03;
const CTRL_D: u8 = 0x04;
const BACKSPACE: u8 = 0x08;
const ENTER: u8 = b'\r';
const CTRL_U: u8 = 0x15;
const ESCAPE: u8 = 0x1b;
const DELETE: u8 = 0x7f;

/// The line that is typed, or `None` where it is refused.
fn read_answer(
    keys: &mut (impl io::Read + io::Write),
    echo: bool,
) -> io::Result<Option<Zeroizing<String>>> {
    let mut typed = Zeroizing::new(Vec::with_capacity(MAX_ANSWER));
    if echo {
        // Where the answer begins: it is rewritten after each key.
        write!(keys, "\x1b7")?;
    }
    loop {
        match next_key(keys)? {
            ENTER => break,
            CTRL_C | CTRL_D | ESCAPE => return Ok(None),
            CTRL_U => typed.clear(),
            BACKSPACE | DELETE => erase(&mut typed),
            _ if typed.len() == MAX_ANSWER => return Ok(None),
            key => typed.push(key),
        }
        if echo {
            write!(keys, "\x1b8\x1b[K{}", SafeText::from_bytes(&typed))?;
        }
    }
    let text = std::str::from_utf8(&typed).ok();
    Ok(text.map(|text| Zeroizing::new(text.to_owned())))
}

/// The next key. A terminal that is gone ends what is typed, and a line feed is Enter.
fn next_key(keys: &mut impl io::Read) -> io::Result<u8> {
    let mut key = Zeroizing::new([0]);
    let count = keys.read(&mut *key)?;
    Ok(match key[0] {
        _ if count == 0 => CTRL_D,
        b'\n' => ENTER,
        key => key,
    })
}

/// The last character, not only its last byte.
fn erase(typed: &mut Vec<u8>) {
    while typed.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &[u8]) -> Option<String> {
        struct Keys<'a>(&'a [u8]);
        impl io::Read for Keys<'_> {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                self.0.read(into)
            }
        }
        impl io::Write for Keys<'_> {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        read_answer(&mut Keys(keys), false)
            .expect("no error")
            .map(|text| text.to_string())
    }

    #[test]
    fn an_answer_ends_with_enter_and_can_be_corrected() {
        assert_eq!(typed(b"secret\r"), Some("secret".into()));
        assert_eq!(typed("n\u{e4}\u{7f}o\n".as_bytes()), Some("no".into()));
        assert_eq!(typed(b"wrong\x15right\n"), Some("right".into()));
    }

    #[test]
    fn ctrl_c_escape_and_a_lost_terminal_refuse() {
        for keys in [&b"sec\x03"[..], b"\x1b", b"sec", b"\x04"] {
            assert_eq!(typed(keys), None, "{keys:?}");
        }
    }

    #[test]
    fn a_prompt_shows_what_there_is_to_decide_on() {
        let host = crate::model::host::HostName::new("web-1").expect("a name");
        let question = OperatorPrompt::TrustHostKey {
            host,
            address: "10.0.0.1:22".into(),
            key_type: "ssh-ed25519".into(),
            fingerprint: "SHA256:abc".into(),
        };
        assert_eq!(
            prompt(&question),
            "web-1 (10.0.0.1:22) is not in known_hosts. Its key is ssh-ed25519 SHA256:abc\nTrust it and store it? [y/N] "
        );
    }

    #[tokio::test]
    async fn with_nobody_there_every_question_is_refused_at_once() {
        let question = OperatorPrompt::Passphrase {
            path: "/k".into(),
            again: false,
        };
        assert_eq!(Nobody.ask(question).await, PromptReply::No);
    }
}
