//! One channel: a real `/bin/sh -s` behind it, its input and output carried with back-pressure.
//!
//! [`super::server`] decides which channels get one.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;

use bytes::{Buf as _, Bytes};
use russh::server::Msg;
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::cast::USER;

/// One read of the shell's output: the largest packet that SSH clients must accept.
const OUTPUT_CHUNK: usize = 32 * 1024;

/// Input that the shell has not read yet. russh has no flow control for a single channel: if this
/// one were not drained, it would hold up all of its connection and hide its end. A client that
/// goes beyond is hung up on.
const MAX_UNREAD_INPUT: usize = 4 * 1024 * 1024;

/// What a shell that could not be started exits with, as shells have it.
const NOT_STARTED: u32 = 127;

/// Runs a shell in `home` until it ends, the client closes the channel or is lost, or `stop` is
/// closed. Whatever it started and left in its process group ends with it.
pub(super) async fn serve(channel: Channel<Msg>, home: &Path, mut stop: watch::Receiver<()>) {
    let (input, output) = channel.split();
    let output = Arc::new(output);
    let status = tokio::select! {
        status = run(input, &output, home) => status,
        _ = stop.changed() => None,
    };
    if let Some(status) = status {
        let _ = output.exit_status(status).await;
        let _ = output.eof().await;
    }
    // Not waited for: russh 0.65.1 drops the client's answer to a close of ours.
    let _ = output.close().await;
}

/// The exit status to report, or `None` where nobody is left to hear it.
async fn run(
    mut input: ChannelReadHalf,
    output: &Arc<ChannelWriteHalf<Msg>>,
    home: &Path,
) -> Option<u32> {
    let Ok(mut child) = spawn(home) else {
        return Some(NOT_STARTED);
    };
    let _group = ShellGroup::of(&child);
    let stdin = child.stdin.take();
    let mut pumps = JoinSet::new();
    if let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) {
        pumps.spawn(pump(stdout, Arc::clone(output), None));
        pumps.spawn(pump(stderr, Arc::clone(output), Some(1)));
    }
    let finished = async {
        // As sshd does: the channel stays open while anything holds the shell's output.
        while pumps.join_next().await.is_some() {}
        child.wait().await
    };
    tokio::select! {
        status = finished => Some(status.map_or(NOT_STARTED, exit_code)),
        () = feed(&mut input, stdin) => None,
    }
}

fn spawn(home: &Path) -> io::Result<Child> {
    let mut command = Command::new("/bin/sh");
    command.arg("-s").current_dir(home).env_clear();
    command
        .env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")
        .env("SHELL", "/bin/sh");
    command
        .env("HOME", home)
        .env("USER", USER)
        .env("LOGNAME", USER);
    if let Some(zone) = std::env::var_os("TZ") {
        command.env("TZ", zone);
    }
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.process_group(0).kill_on_drop(true).spawn()
}

/// Kills the process group of a shell when dropped. By then the shell may have been reaped; its
/// number is not given out again while its group has members, and without members there is nothing
/// to kill.
struct ShellGroup(Option<Pid>);

impl ShellGroup {
    fn of(child: &Child) -> Self {
        Self(
            child
                .id()
                .and_then(|id| i32::try_from(id).ok())
                .and_then(Pid::from_raw),
        )
    }
}

impl Drop for ShellGroup {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// Carries output to the client; waits while the client's window is closed, so the shell waits too.
async fn pump(
    mut from: impl AsyncRead + Unpin,
    to: Arc<ChannelWriteHalf<Msg>>,
    stream: Option<u32>,
) {
    let mut buffer = vec![0; OUTPUT_CHUNK];
    loop {
        let Ok(count @ 1..) = from.read(&mut buffer).await else {
            return;
        };
        let chunk = Bytes::copy_from_slice(&buffer[..count]);
        let sent = match stream {
            None => to.data_bytes(chunk).await,
            Some(stream) => to.extended_data_bytes(stream, chunk).await,
        };
        if sent.is_err() {
            return;
        }
    }
}

/// Carries input to the shell; returns when the channel is closed or lost, or too much has piled
/// up.
async fn feed(input: &mut ChannelReadHalf, mut stdin: Option<ChildStdin>) {
    let mut unread = VecDeque::<Bytes>::new();
    let mut unread_bytes = 0;
    let mut ended = false;
    loop {
        if ended && unread.is_empty() {
            stdin = None;
        }
        tokio::select! {
            message = input.wait() => match message {
                Some(ChannelMsg::Data { data }) if stdin.is_some() && !data.is_empty() => {
                    unread_bytes += data.len();
                    unread.push_back(data);
                }
                Some(ChannelMsg::Eof) => ended = true,
                Some(ChannelMsg::Close) | None => return,
                Some(_) => {}
            },
            written = write_some(stdin.as_mut(), unread.front()), if !unread.is_empty() => match written {
                Ok(count) => {
                    unread_bytes -= count;
                    advance(&mut unread, count);
                }
                Err(_) => {
                    // It no longer reads; what it still has to say is carried on.
                    stdin = None;
                    unread.clear();
                    unread_bytes = 0;
                }
            },
        }
        if unread_bytes > MAX_UNREAD_INPUT {
            return;
        }
    }
}

/// Cancel-safe: a write either has taken bytes and returns, or has not taken any.
async fn write_some(stdin: Option<&mut ChildStdin>, bytes: Option<&Bytes>) -> io::Result<usize> {
    match (stdin, bytes) {
        (Some(stdin), Some(bytes)) => stdin.write(bytes).await,
        _ => Err(io::ErrorKind::BrokenPipe.into()),
    }
}

fn advance(unread: &mut VecDeque<Bytes>, count: usize) {
    if let Some(front) = unread.front_mut() {
        front.advance(count);
        if front.is_empty() {
            unread.pop_front();
        }
    }
}

fn exit_code(status: ExitStatus) -> u32 {
    use std::os::unix::process::ExitStatusExt as _;
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u32::try_from(code).ok())
        .unwrap_or(NOT_STARTED)
}
