//! `ProxyCommand`: a child process whose pipes are the connection.

use std::io;
use std::pin::Pin;
use std::process::Stdio;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::LinkError;
use super::plan::ConnectPlan;
use super::stream::ByteStream;
use crate::model::state::LinkState;

/// Starts the command of the user's own configuration in a shell, as OpenSSH does.
///
/// # Errors
/// When the shell cannot be started.
pub(super) fn run(command: &str, plan: &ConnectPlan) -> Result<Box<dyn ByteStream>, LinkError> {
    let mut child = Command::new("/bin/sh");
    child
        .args(["-c", &format!("exec {}", expand(command, plan))])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    #[cfg(unix)]
    child.process_group(0);
    let failed = |why: String| {
        LinkError::new(
            LinkState::Unreachable,
            format!("cannot run the ProxyCommand for {}: {why}", plan.place),
            "try the command of ~/.ssh/config by hand",
        )
    };
    let mut child = child.spawn().map_err(|error| failed(error.to_string()))?;
    match (child.stdin.take(), child.stdout.take()) {
        (Some(stdin), Some(stdout)) => Ok(Box::new(ProxyStream {
            stdout,
            stdin,
            _child: child,
        })),
        _ => Err(failed("it has no pipes".to_owned())),
    }
}

/// The command ended before the server said who it is: what the server thinks of us cannot be the
/// reason.
pub(super) fn ended(command: &str, plan: &ConnectPlan) -> LinkError {
    LinkError::new(
        LinkState::Unreachable,
        format!(
            "the ProxyCommand for {} ended before the host answered",
            plan.place
        ),
        format!(
            "run it by hand to see what it says: {}",
            expand(command, plan)
        ),
    )
}

/// `%h`, `%p`, `%r`, `%n` and `%%`. Host, port and user were validated: they have no meaning to a
/// shell.
fn expand(command: &str, plan: &ConnectPlan) -> String {
    let place = &plan.place;
    replace_tokens(
        command,
        &[
            ('h', &place.address),
            ('p', &place.port.to_string()),
            ('r', &plan.user),
            ('n', &place.name),
        ],
    )
}

fn replace_tokens(command: &str, tokens: &[(char, &str)]) -> String {
    let mut out = String::with_capacity(command.len() + 16);
    let mut chars = command.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('%') | None => out.push('%'),
            Some(letter) => match tokens.iter().find(|(token, _)| *token == letter) {
                Some((_, value)) => out.push_str(value),
                None => out.extend(['%', letter]),
            },
        }
    }
    out
}

/// Reads what the child writes and writes what it reads; the child dies with it.
struct ProxyStream {
    stdout: ChildStdout,
    stdin: ChildStdin,
    _child: Child,
}

impl AsyncRead for ProxyStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stdout).poll_read(cx, buf)
    }
}

impl AsyncWrite for ProxyStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stdin).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stdin).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stdin).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_replaced_once_and_unknown_ones_stay() {
        let tokens = [('h', "10.0.0.7"), ('p', "2222"), ('r', "%h")];
        assert_eq!(
            replace_tokens("nc %h %p %r 100%% %x %", &tokens),
            "nc 10.0.0.7 2222 %h 100% %x %"
        );
    }
}
