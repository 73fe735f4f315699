//! Both ends of a remote shell, whatever carries it: input that waits for the host, output in a
//! queue bounded in bytes.
//!
//! The pumps in `russh::channel` and `child` fill the queue; this file knows no SSH and no
//! processes. `greeting` decides whether what runs is a shell.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::russh::ChannelWriteHalf;
use ::russh::client::Msg;
use bytes::Bytes;
use tokio::io::AsyncWriteExt;
use tokio::process::ChildStdin;
use tokio::sync::{Notify, watch};

use super::LinkError;
use crate::model::state::LinkState;

/// Unread output of one shell. Scripts answer requests of at most a few MiB, so more than this is a
/// runaway; it is also what one host can cost us in memory per shell.
pub(super) const QUEUE_BYTES: usize = 16 * 1024 * 1024;

/// What an event costs besides its bytes, so that a flood of empty messages is bounded too.
const EVENT_COST: usize = 64;

/// Longest wait for a message that we send on dropping an input; nobody waits for it.
const PARTING_TIME: Duration = Duration::from_secs(5);

/// Standard input of a remote shell. Dropping it closes it.
pub struct ShellInput {
    sink: InputSink,
    queue: Arc<ShellQueue>,
}

pub(super) enum InputSink {
    Channel(Arc<ChannelWriteHalf<Msg>>),
    Child(ChildStdin),
    Closed,
}

impl ShellInput {
    pub(super) fn new(sink: InputSink, queue: Arc<ShellQueue>) -> Self {
        Self { sink, queue }
    }

    /// Sends bytes; waits while the host does not take them. Not cancel-safe: a part may have been
    /// sent.
    ///
    /// # Errors
    /// When the channel or the connection has ended.
    pub async fn send(&mut self, bytes: Bytes) -> Result<(), LinkError> {
        if bytes.is_empty() {
            return Ok(());
        }
        let queue = Arc::clone(&self.queue);
        let sending = async {
            match &mut self.sink {
                InputSink::Channel(writer) => writer.data_bytes(bytes).await.is_ok(),
                InputSink::Child(stdin) => {
                    stdin.write_all(&bytes).await.is_ok() && stdin.flush().await.is_ok()
                }
                InputSink::Closed => false,
            }
        };
        tokio::select! {
            sent = sending => if sent { Ok(()) } else { Err(queue.why_ended()) },
            () = queue.over() => Err(queue.why_ended()),
        }
    }

    /// Closes standard input, by which everything that we run on a host ends itself.
    pub async fn eof(&mut self) {
        match std::mem::replace(&mut self.sink, InputSink::Closed) {
            InputSink::Channel(writer) => send_eof(&writer).await,
            InputSink::Child(stdin) => drop(stdin),
            InputSink::Closed => {}
        }
    }
}

impl Drop for ShellInput {
    fn drop(&mut self) {
        if let InputSink::Channel(writer) = std::mem::replace(&mut self.sink, InputSink::Closed)
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(async move { send_eof(&writer).await });
        }
    }
}

/// The library takes the message once its session loop is free; a session that is gone or stuck is
/// no reason to wait.
async fn send_eof(writer: &ChannelWriteHalf<Msg>) {
    let _ = tokio::time::timeout(PARTING_TIME, writer.eof()).await;
}

/// What a remote shell says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShellEvent {
    /// Bytes of standard output, cut anywhere.
    Stdout(Bytes),
    /// Bytes of standard error, cut anywhere.
    Stderr(Bytes),
    /// It ended: exit status, or the name of the signal.
    Exit(Result<u32, String>),
}

/// Output of a remote shell. It is drained into a queue bounded in bytes whether or not it is read
/// here; a shell that sends more than the bound while nobody reads is ended with an error, for ours
/// never send unasked. Dropping it ends the shell.
pub struct ShellOutput {
    queue: Arc<ShellQueue>,
}

impl ShellOutput {
    pub(super) fn new(queue: Arc<ShellQueue>) -> Self {
        Self { queue }
    }

    /// The next event; `Ok(None)` after the channel was closed in order. Cancel-safe.
    ///
    /// # Errors
    /// When the connection broke or the bound of the queue was exceeded.
    pub async fn next(&mut self) -> Result<Option<ShellEvent>, LinkError> {
        self.queue.next().await
    }

    /// Puts bytes back: they come next.
    pub(super) fn unread(&mut self, bytes: Bytes) {
        if !bytes.is_empty() {
            self.queue.unread(ShellEvent::Stdout(bytes));
        }
    }
}

impl Drop for ShellOutput {
    fn drop(&mut self) {
        // `send` would do nothing while nobody listens.
        self.queue.abandoned.send_replace(true);
    }
}

/// The queue between a pump and the reader of a shell.
pub(super) struct ShellQueue {
    state: Mutex<QueueState>,
    readable: Notify,
    over: watch::Sender<bool>,
    abandoned: watch::Sender<bool>,
}

#[derive(Default)]
struct QueueState {
    events: VecDeque<ShellEvent>,
    cost: usize,
    end: Option<Result<(), LinkError>>,
}

/// The bound was exceeded; the pump ends the shell.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct QueueFull;

impl ShellQueue {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            readable: Notify::new(),
            over: watch::Sender::new(false),
            abandoned: watch::Sender::new(false),
        })
    }

    pub(super) fn push(&self, event: ShellEvent) -> Result<(), QueueFull> {
        let mut state = self.lock();
        if state.end.is_some() || *self.abandoned.borrow() {
            return Ok(());
        }
        let cost = cost(&event);
        if state.cost + cost > QUEUE_BYTES {
            drop(state);
            self.finish(Err(overrun()));
            return Err(QueueFull);
        }
        state.cost += cost;
        state.events.push_back(event);
        drop(state);
        self.readable.notify_one();
        Ok(())
    }

    /// What the reader gets after the events that are queued. The first end given stays.
    pub(super) fn finish(&self, end: Result<(), LinkError>) {
        let mut state = self.lock();
        if state.end.is_none() {
            state.end = Some(end);
        }
        drop(state);
        self.over.send_replace(true);
        self.readable.notify_one();
    }

    /// Waits until the reader has gone.
    pub(super) async fn abandoned(&self) {
        let _ = self.abandoned.subscribe().wait_for(|gone| *gone).await;
    }

    async fn over(&self) {
        let _ = self.over.subscribe().wait_for(|over| *over).await;
    }

    async fn next(&self) -> Result<Option<ShellEvent>, LinkError> {
        loop {
            {
                let mut state = self.lock();
                if let Some(event) = state.events.pop_front() {
                    state.cost -= cost(&event);
                    return Ok(Some(event));
                }
                match &state.end {
                    Some(Ok(())) => return Ok(None),
                    Some(Err(why)) => return Err(why.clone()),
                    None => {}
                }
            }
            self.readable.notified().await;
        }
    }

    fn unread(&self, event: ShellEvent) {
        let mut state = self.lock();
        state.cost += cost(&event);
        state.events.push_front(event);
    }

    fn why_ended(&self) -> LinkError {
        match &self.lock().end {
            Some(Err(why)) => why.clone(),
            _ => LinkError::new(
                LinkState::Unreachable,
                "the remote shell has ended and takes no more input",
                "it is started anew at the next request",
            )
            .passing(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn overrun() -> LinkError {
    LinkError::new(
        LinkState::Unreachable,
        format!(
            "a remote shell sent more than {} MiB that nobody read and was ended",
            QUEUE_BYTES >> 20
        ),
        "the host sends faster than it was asked to; it is asked anew",
    )
}

fn cost(event: &ShellEvent) -> usize {
    EVENT_COST
        + match event {
            ShellEvent::Stdout(bytes) | ShellEvent::Stderr(bytes) => bytes.len(),
            ShellEvent::Exit(_) => 0,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn events_come_in_order_and_then_the_end() {
        let queue = ShellQueue::new();
        let mut output = ShellOutput::new(Arc::clone(&queue));
        queue
            .push(ShellEvent::Stdout(Bytes::from_static(b"a")))
            .expect("room");
        queue.push(ShellEvent::Exit(Ok(3))).expect("room");
        queue.finish(Ok(()));
        assert_eq!(
            output.next().await.expect("event"),
            Some(ShellEvent::Stdout(Bytes::from_static(b"a")))
        );
        assert_eq!(
            output.next().await.expect("event"),
            Some(ShellEvent::Exit(Ok(3)))
        );
        assert_eq!(output.next().await.expect("end"), None);
    }

    #[tokio::test]
    async fn a_flood_that_nobody_reads_ends_with_an_error_after_what_was_queued() {
        let queue = ShellQueue::new();
        let mut output = ShellOutput::new(Arc::clone(&queue));
        let mebibyte = Bytes::from(vec![b'x'; 1 << 20]);
        let accepted = (0..32)
            .take_while(|_| queue.push(ShellEvent::Stdout(mebibyte.clone())).is_ok())
            .count();
        assert_eq!(accepted, 15, "the cost of the events counts too");
        for _ in 0..accepted {
            assert!(output.next().await.expect("event").is_some());
        }
        assert!(
            output
                .next()
                .await
                .expect_err("overrun")
                .reason()
                .contains("16 MiB")
        );
    }

    #[tokio::test]
    async fn a_reader_that_goes_away_is_noticed_and_nothing_is_kept_for_it() {
        let queue = ShellQueue::new();
        drop(ShellOutput::new(Arc::clone(&queue)));
        queue.abandoned().await;
        queue
            .push(ShellEvent::Stdout(Bytes::from_static(b"a")))
            .expect("dropped");
        assert_eq!(queue.lock().cost, 0);
    }
}
