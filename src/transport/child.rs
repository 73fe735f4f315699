//! A shell that is a child process of ours: its pipes into the same queue as a remote one, and its
//! end.

use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};

use super::LinkError;
use super::failure::ConnectionEnd;
use super::pace::LinkPacer;
use super::sessions::SessionPermit;
use super::shell::{InputSink, QueueFull, ShellEvent, ShellInput, ShellOutput, ShellQueue};
use crate::model::state::LinkState;

/// Read at once from a pipe.
const CHUNK: usize = 32 * 1024;

/// Pipes that stay open after the child has ended belong to something it left in the background.
const PIPES_AFTER_EXIT: Duration = Duration::from_secs(1);

/// What a child gets to end by itself after it was asked politely.
const END_TIME: Duration = Duration::from_millis(500);

/// Starts a command as the leader of a process group of its own, so that all of it can be ended.
/// What it says is counted by the pacer.
///
/// # Errors
/// When it cannot be started.
pub(super) fn spawn(
    mut command: Command,
    pacer: Option<LinkPacer>,
    ending: ConnectionEnd,
    permit: SessionPermit,
) -> Result<(ShellInput, ShellOutput), LinkError> {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    #[cfg(unix)]
    command.process_group(0);
    let mut child = command.spawn().map_err(|error| {
        let program = command
            .as_std()
            .get_program()
            .to_string_lossy()
            .into_owned();
        LinkError::new(
            LinkState::Unreachable,
            format!("cannot run {program}: {error}"),
            "is it installed?",
        )
    })?;
    let queue = ShellQueue::new();
    let sink = child
        .stdin
        .take()
        .map_or(InputSink::Closed, InputSink::Child);
    tokio::spawn(pump(child, pacer, Arc::clone(&queue), ending, permit));
    Ok((
        ShellInput::new(sink, Arc::clone(&queue)),
        ShellOutput::new(queue),
    ))
}

async fn pump(
    mut child: Child,
    pacer: Option<LinkPacer>,
    queue: Arc<ShellQueue>,
    ending: ConnectionEnd,
    permit: SessionPermit,
) {
    let group = ProcessGroup::of(&child);
    let result = tokio::select! {
        result = attend(&mut child, pacer.as_ref(), &queue) => result,
        () = queue.abandoned() => Ok(()),
        why = ending.ended() => Err(why),
    };
    group.end(&mut child).await;
    queue.finish(result);
    drop(permit);
}

/// Drains both pipes until the child has ended and they are closed.
async fn attend(
    child: &mut Child,
    pacer: Option<&LinkPacer>,
    queue: &ShellQueue,
) -> Result<(), LinkError> {
    let stdout = child.stdout.take();
    let stderr = child.stderr.take();
    let count = |bytes| pacer.iter().for_each(|pacer| pacer.arrived(bytes));
    let out = |bytes: Bytes| {
        count(bytes.len());
        queue.push(ShellEvent::Stdout(bytes))
    };
    let pipes = async {
        tokio::try_join!(
            drain(stdout, out),
            drain(stderr, |b| queue.push(ShellEvent::Stderr(b)))
        )
    };
    tokio::pin!(pipes);
    let (status, drained) = tokio::select! {
        drained = &mut pipes => (None, Some(drained)),
        status = child.wait() => (Some(status), None),
    };
    let full = match drained {
        Some(drained) => drained.is_err(),
        None => matches!(
            tokio::time::timeout(PIPES_AFTER_EXIT, pipes).await,
            Ok(Err(QueueFull))
        ),
    };
    if full {
        // The queue has its error already.
        return Ok(());
    }
    let status = match status {
        Some(status) => status,
        None => child.wait().await,
    };
    if let Ok(status) = status {
        let _ = queue.push(ShellEvent::Exit(exit(status)));
    }
    Ok(())
}

async fn drain<R: AsyncRead + Unpin>(
    pipe: Option<R>,
    push: impl Fn(Bytes) -> Result<(), QueueFull>,
) -> Result<(), QueueFull> {
    let Some(mut pipe) = pipe else { return Ok(()) };
    let mut buffer = BytesMut::new();
    loop {
        buffer.reserve(CHUNK);
        match pipe.read_buf(&mut buffer).await {
            Ok(0) | Err(_) => return Ok(()),
            Ok(_) => push(buffer.split().freeze())?,
        }
    }
}

fn exit(status: ExitStatus) -> Result<u32, String> {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return Err(signal_name(signal));
    }
    Ok(status
        .code()
        .and_then(|code| u32::try_from(code).ok())
        .unwrap_or(255))
}

#[cfg(unix)]
fn signal_name(number: i32) -> String {
    use rustix::process::Signal as S;
    match S::from_named_raw(number) {
        Some(S::KILL) => "KILL".to_owned(),
        Some(S::TERM) => "TERM".to_owned(),
        Some(S::HUP) => "HUP".to_owned(),
        Some(S::INT) => "INT".to_owned(),
        Some(S::PIPE) => "PIPE".to_owned(),
        _ => number.to_string(),
    }
}

/// The process group that a child leads.
pub(super) struct ProcessGroup {
    #[cfg(unix)]
    id: Option<rustix::process::Pid>,
}

impl ProcessGroup {
    #[cfg(unix)]
    pub(super) fn of(child: &Child) -> Self {
        let id = child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(rustix::process::Pid::from_raw);
        Self { id }
    }

    #[cfg(not(unix))]
    pub(super) fn of(_: &Child) -> Self {
        Self {}
    }

    /// Ends whatever of the group is left, also what a shell that ended by itself left in the
    /// background: politely, then by force. A group that is empty is no error.
    pub(super) async fn end(mut self, child: &mut Child) {
        #[cfg(unix)]
        if let Some(id) = self.id.take() {
            use rustix::process::{Signal, kill_process_group};
            let _ = kill_process_group(id, Signal::TERM);
            let _ = tokio::time::timeout(END_TIME, child.wait()).await;
            let _ = kill_process_group(id, Signal::KILL);
        }
        let _ = child.start_kill();
        let _ = tokio::time::timeout(END_TIME, child.wait()).await;
    }
}

#[cfg(unix)]
impl Drop for ProcessGroup {
    /// The runtime went away before the child was ended in order.
    fn drop(&mut self) {
        if let Some(id) = self.id {
            let _ = rustix::process::kill_process_group(id, rustix::process::Signal::KILL);
        }
    }
}
