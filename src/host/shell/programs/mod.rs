//! The driver for programs of hosts on which there is nothing but a POSIX shell: they run in a
//! shell, and what they print is asked for piece by piece.

mod protocol;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use tokio::time::{Instant, sleep_until, timeout};

use crate::clock;
use crate::host::driver::facts::RoundTrip;
use crate::host::driver::line_splitter::{LineSplitter, RawLine};
use crate::host::driver::programs::{ProgramExit, RunPrograms};
use crate::model::host::SystemFacts;
use crate::model::state::{HostStatus, LinkState};
use crate::transport::{Connection, LinkError};

use super::describe;
use super::frame::{END, Frame};
use super::limits::{ANSWER_LIMIT, LEASE_RENEWAL};
use super::protocol::{DESCRIBED, ProtocolError, READY, RENEW};
use super::script::{Script, protocol_error};
use super::script_text::PROGRAMS;
use protocol::{PIECE, ProgramsRequest, exit_mark};

/// What a pipe holds.
const MOST_OF_A_PIECE: usize = 64 << 10;

/// A shell in which one program after another is run.
pub(crate) struct ShellPrograms {
    script: Script,
    lease: Instant,
    /// The last piece was as long as it might be: there is more behind it.
    has_more: bool,
    /// Of the program that runs.
    splitter: LineSplitter,
}

impl ShellPrograms {
    /// Starts the shell, as root where wanted.
    ///
    /// # Errors
    /// When no shell starts, or sudo refuses.
    pub(crate) async fn start(connection: &Connection, as_root: bool) -> Result<Self, LinkError> {
        let script = if as_root {
            Script::start_as_root(connection, &PROGRAMS).await?
        } else {
            Script::start(connection, &PROGRAMS).await?
        };
        Ok(Self {
            script,
            lease: Instant::now() + LEASE_RENEWAL,
            has_more: false,
            splitter: LineSplitter::default(),
        })
    }

    /// What the host says of itself.
    ///
    /// # Errors
    /// When the host is lost, or does not answer.
    pub(crate) async fn describe(&mut self) -> Result<SystemFacts, LinkError> {
        let description = self.next_description();
        let described = timeout(ANSWER_LIMIT, description).await;
        described.unwrap_or_else(|_| Err(late("the host")))
    }

    async fn next_description(&mut self) -> Result<SystemFacts, LinkError> {
        let sent = clock::now();
        self.send(ProgramsRequest::Describe).await?;
        let mut facts = None;
        loop {
            let frame = self.script.next().await?;
            match (frame.header.as_str(), facts) {
                (DESCRIBED, _) => {
                    let received = clock::now();
                    let trip = RoundTrip { sent, received };
                    facts = Some(describe::parse(&frame.body, trip).facts);
                }
                (END, Some(known)) => return Ok(known),
                (END | READY, known) => facts = known,
                _ => return Err(unexpected(frame)),
            }
        }
    }

    /// Ends the shell.
    pub(crate) async fn end(&mut self) {
        self.script.end().await;
    }

    async fn send(&mut self, request: ProgramsRequest<'_>) -> Result<(), LinkError> {
        self.script.send(request.encode()).await
    }

    /// Asks for a piece of output and waits for it, however long that takes. Empty at the end.
    async fn piece(&mut self) -> Result<Bytes, LinkError> {
        let most = self.script.share().min(MOST_OF_A_PIECE);
        // Only what waits already comes as fast as the link brings it.
        let span = self.has_more.then(|| self.script.begin());
        self.send(ProgramsRequest::Next(most)).await?;
        let piece = self.next_piece().await?;
        self.has_more = piece.len() >= most;
        if let Some(span) = span {
            self.script.end_of(span);
        }
        Ok(piece)
    }

    async fn next_piece(&mut self) -> Result<Bytes, LinkError> {
        loop {
            tokio::select! {
                frame = self.script.next() => {
                    let frame = frame?;
                    match frame.header.as_str() {
                        PIECE => return Ok(frame.body),
                        END | READY => {}
                        _ => return Err(unexpected(frame)),
                    }
                }
                () = sleep_until(self.lease) => {
                    self.lease += LEASE_RENEWAL;
                    self.script.send(RENEW.to_owned()).await?;
                }
            }
        }
    }
}

impl RunPrograms for ShellPrograms {
    async fn run(&mut self, words: &[String]) -> Result<(), LinkError> {
        self.send(ProgramsRequest::Run(words)).await?;
        self.splitter = LineSplitter::new(&exit_mark(self.script.token()));
        Ok(())
    }

    async fn next(&mut self) -> Result<Option<Vec<RawLine>>, LinkError> {
        if self.splitter.ended().is_some() {
            return Ok(None);
        }
        let piece = self.piece().await?;
        let mut lines = Vec::new();
        self.splitter.push(&piece, &mut lines);
        if piece.is_empty() {
            // Killed, for it left no mark.
            self.splitter.finish(&mut lines);
            return Ok((!lines.is_empty()).then_some(lines));
        }
        Ok(Some(lines))
    }

    fn has_more(&self) -> bool {
        self.has_more
    }

    async fn stop(&mut self) -> Result<ProgramExit, LinkError> {
        self.send(ProgramsRequest::Stop).await?;
        Ok(ProgramExit {
            code: self.splitter.ended(),
            is_unended: self.splitter.is_unended(),
        })
    }

    fn take_bytes_read(&mut self) -> u64 {
        self.script.take_bytes_read()
    }
}

fn unexpected(frame: Frame) -> LinkError {
    protocol_error(&ProtocolError(frame.header))
}

/// An answer did not come in time.
pub(crate) fn late(program: &str) -> LinkError {
    let reason = format!(
        "{program} has not answered for {} s",
        ANSWER_LIMIT.as_secs()
    );
    let hint = "see whether it does when it is called on the host by hand";
    LinkError::from(HostStatus::because(LinkState::Timeout, reason, hint))
}
