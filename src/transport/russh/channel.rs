//! A remote shell on a channel of its own, and the pump that drains it at once.

use std::sync::Arc;
use std::time::Duration;

use ::russh::client::Msg;
use ::russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Error, Sig};
use tokio::sync::oneshot;

use super::client::{OuterClient, RusshClient};
use crate::model::state::LinkState;
use crate::transport::LinkError;
use crate::transport::deadline::Deadline;
use crate::transport::failure::{self, ConnectionEnd};
use crate::transport::pace::LinkPacer;
use crate::transport::sessions::SessionPermit;
use crate::transport::shell::{InputSink, ShellEvent, ShellInput, ShellOutput, ShellQueue};

/// The constant command of every session: what the login shell is does not matter, and nothing
/// needs quoting.
const COMMAND: &str = "exec /bin/sh -s";

/// Longest wait for a channel, and for the server to take the command, once the login is over, on a
/// link without length.
const OPEN_TIME: Duration = Duration::from_secs(5);

/// What a shell gets after its input was closed to end by itself.
const END_TIME: Duration = Duration::from_secs(2);

/// A session that we closed is freed by the server later, and nothing tells when.
const FREED_AFTER: Duration = Duration::from_millis(300);

/// Tries to open a session that is refused, for the reason above.
const OPEN_TRIES: usize = 3;

/// Starts a shell. The first one of a login may use up all of the time: what sshd does before it
/// opens a first session (PAM) is part of the login.
pub(crate) async fn open_shell(
    client: &RusshClient,
    permit: SessionPermit,
    time: &mut Deadline,
    is_first: bool,
) -> Result<(ShellInput, ShellOutput), LinkError> {
    let whole = time.whole();
    let most = if is_first {
        whole
    } else {
        client.pacer.patience(OPEN_TIME).min(whole)
    };
    let too_late = |step| failure::no_answer(&client.place, step, most);
    let opened = time.run_at_most(most, open_channel(client, &permit)).await;
    let channel = opened.unwrap_or_else(|_| Err(too_late("a session")))?;
    let (reader, writer) = channel.split();
    let writer = Arc::new(writer);
    let queue = ShellQueue::new();
    let (confirm, confirmed) = oneshot::channel();
    let pump = ShellPump {
        reader,
        writer: Arc::clone(&writer),
        queue: Arc::clone(&queue),
        pacer: client.pacer.clone(),
        confirm: Some(confirm),
        way: client.way(),
    };
    tokio::spawn(pump.run(client.notes.ending.clone(), permit));
    let output = ShellOutput::new(Arc::clone(&queue));
    let starting = start_shell(client, &writer, confirmed);
    let started = time.run_at_most(most, starting).await;
    started.unwrap_or_else(|_| Err(too_late("the start of a shell")))?;
    Ok((ShellInput::new(InputSink::Channel(writer), queue), output))
}

async fn start_shell(
    client: &RusshClient,
    writer: &ChannelWriteHalf<Msg>,
    confirmed: oneshot::Receiver<bool>,
) -> Result<(), LinkError> {
    let sent = writer.exec(true, COMMAND).await;
    sent.map_err(|error| client.lost(&error))?;
    match confirmed.await {
        Ok(true) => Ok(()),
        Ok(false) => Err(no_exec(client)),
        Err(_) => Err(client.lost(&Error::HUP)),
    }
}

async fn open_channel(
    client: &RusshClient,
    permit: &SessionPermit,
) -> Result<Channel<Msg>, LinkError> {
    let mut tries = 0;
    loop {
        tries += 1;
        match client.handle.channel_open_session().await {
            Ok(channel) => return Ok(channel),
            Err(Error::ChannelOpenFailure(_)) if tries < OPEN_TRIES => {
                tokio::time::sleep(FREED_AFTER).await;
            }
            Err(Error::ChannelOpenFailure(_)) => return Err(no_session(client, permit.others())),
            Err(error) => return Err(client.lost(&error)),
        }
    }
}

fn no_session(client: &RusshClient, others: usize) -> LinkError {
    let said = client
        .refusal()
        .map(|words| format!(": {words}"))
        .unwrap_or_default();
    let refuses = if others == 1 {
        "gives a connection one session only"
    } else {
        "refuses another session"
    };
    LinkError::new(
        LinkState::Throttled,
        format!("{} {refuses}{said}", client.place),
        "sshd's MaxSessions is the limit of sessions per connection; ten or more lets everything run at once",
    )
}

/// The server says no without a reason: a restricted login, or no memory for another process.
fn no_exec(client: &RusshClient) -> LinkError {
    LinkError::new(
        LinkState::Unreachable,
        format!(
            "{} let us in but does not run a command for this login",
            client.place
        ),
        "it is dialled again; if it stays so, the login needs a shell: look for a restricted key, access to files only",
    )
}

fn name_of(signal: &Sig) -> String {
    match signal {
        // OpenSSH's own for what the protocol has no name for, and whatever else a server makes up.
        Sig::Custom(name) => name.split('@').next().unwrap_or_default().to_owned(),
        known => format!("{known:?}"),
    }
}

struct ShellPump {
    reader: ChannelReadHalf,
    writer: Arc<ChannelWriteHalf<Msg>>,
    queue: Arc<ShellQueue>,
    pacer: LinkPacer,
    confirm: Option<oneshot::Sender<bool>>,
    way: OuterClient,
}

/// How reading a channel came to an end.
enum ChannelRead {
    /// Closed by both sides, in order.
    Closed,
    /// The connection went away under it.
    Lost,
    /// Nobody wants it any more, or it sent too much.
    Unwanted,
}

impl ShellPump {
    async fn run(mut self, ending: ConnectionEnd, permit: SessionPermit) {
        let queue = Arc::clone(&self.queue);
        let read = tokio::select! {
            read = self.read() => read,
            () = queue.abandoned() => ChannelRead::Unwanted,
        };
        match read {
            ChannelRead::Closed => queue.finish(Ok(())),
            ChannelRead::Lost => {
                // The reason is told right after the channels are dropped.
                let why = tokio::time::timeout(Duration::from_secs(1), ending.ended()).await;
                queue.finish(Err(why.map_or_else(
                    |_| failure::closed_by_us(),
                    |why| self.way.explain(why),
                )));
            }
            ChannelRead::Unwanted => {
                queue.finish(Err(failure::closed_by_us()));
                self.end().await;
            }
        }
        drop(permit);
    }

    async fn read(&mut self) -> ChannelRead {
        loop {
            let Some(message) = self.reader.wait().await else {
                return ChannelRead::Lost;
            };
            let event = match message {
                ChannelMsg::Data { data } => ShellEvent::Stdout(data),
                ChannelMsg::ExtendedData { data, .. } => ShellEvent::Stderr(data),
                ChannelMsg::ExitStatus { exit_status } => ShellEvent::Exit(Ok(exit_status)),
                ChannelMsg::ExitSignal { signal_name, .. } => {
                    ShellEvent::Exit(Err(name_of(&signal_name)))
                }
                // Data may follow an exit status and even an end of file of a background process:
                // only this ends it.
                ChannelMsg::Close => return ChannelRead::Closed,
                ChannelMsg::Success => {
                    self.answer(true);
                    continue;
                }
                ChannelMsg::Failure => {
                    self.answer(false);
                    continue;
                }
                _ => continue,
            };
            if self.queue.push(event).is_err() {
                return ChannelRead::Unwanted;
            }
        }
    }

    fn answer(&mut self, accepted: bool) {
        if let Some(confirm) = self.confirm.take() {
            let _ = confirm.send(accepted);
        }
    }

    /// End of input first, which ends everything of ours on the host, while draining; then by
    /// force.
    async fn end(mut self) {
        // In tasks of their own: the session loop takes messages only while this channel is
        // drained.
        let writer = Arc::clone(&self.writer);
        let patience = self.pacer.patience(OPEN_TIME);
        tokio::spawn(async move { tokio::time::timeout(patience, writer.eof()).await });
        let drain =
            async { while !matches!(self.reader.wait().await, None | Some(ChannelMsg::Close)) {} };
        if tokio::time::timeout(self.pacer.patience(END_TIME), drain)
            .await
            .is_err()
        {
            let writer = self.writer;
            tokio::spawn(async move { tokio::time::timeout(patience, writer.close()).await });
            drop(self.reader);
            tokio::time::sleep(FREED_AFTER).await;
        }
    }
}
