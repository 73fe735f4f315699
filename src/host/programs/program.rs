//! A program that runs in a shell on the host, and what it prints, piece by piece.

use bytes::Bytes;
use tokio::time::{Instant, sleep_until, timeout};

use crate::clock;
use crate::host::driver::facts::RoundTrip;
use crate::model::host::SystemFacts;
use crate::transport::{Connection, LinkError};

use super::line_splitter::{LineSplitter, RawLine};
use crate::host::shell::describe;
use crate::host::shell::frame::END;
use crate::host::shell::limits::{ANSWER_LIMIT, LEASE_RENEWAL};
use crate::host::shell::protocol::{DESCRIBE, DESCRIBED, ProtocolError, READY, RENEW, escape};
use crate::host::shell::script::{Script, protocol_error};
use crate::host::shell::script_text::PROGRAMS;

/// What a pipe holds.
const MOST_OF_A_PIECE: usize = 64 << 10;

/// No listing is longer; what is beyond is left unread.
const MAX_LISTING: usize = 4 << 20;

/// A shell in which one program after another can be run.
pub(super) struct Shell {
    script: Script,
    lease: Instant,
    /// The last piece was as long as it might be: there is more behind it.
    has_more: bool,
}

impl Shell {
    /// Starts it, as root where wanted.
    pub(super) async fn start(connection: &Connection, as_root: bool) -> Result<Self, LinkError> {
        let script = if as_root {
            Script::start_as_root(connection, &PROGRAMS).await?
        } else {
            Script::start(connection, &PROGRAMS).await?
        };
        Ok(Self {
            script,
            lease: Instant::now() + LEASE_RENEWAL,
            has_more: false,
        })
    }

    /// Runs a program. The one before it must have ended.
    pub(super) async fn run(&mut self, words: &[String]) -> Result<Program<'_>, LinkError> {
        let mut request = "S".to_owned();
        for word in words {
            request.push_str(" =");
            request.push_str(&escape(word.as_bytes()));
        }
        request.push('\n');
        self.script.send(request).await?;
        let splitter = LineSplitter::new(self.script.token());
        Ok(Program {
            shell: self,
            splitter,
        })
    }

    /// Runs a program that has little to say and ends: its lines and its exit status.
    pub(super) async fn answer(
        &mut self,
        words: &[String],
    ) -> Result<(Vec<String>, i32), LinkError> {
        let asking = async {
            let mut program = self.run(words).await?;
            let (mut lines, mut bytes) = (Vec::new(), 0);
            while let Some(more) = program.next().await? {
                let texts = more
                    .iter()
                    .map(|line| String::from_utf8_lossy(&line.bytes).into_owned());
                lines.extend(texts.inspect(|line| bytes += line.len()));
                if bytes > MAX_LISTING {
                    break;
                }
            }
            let code = program.end().await?;
            Ok((lines, code.unwrap_or(0)))
        };
        match timeout(ANSWER_LIMIT, asking).await {
            Ok(answer) => answer,
            Err(_) => Err(late(&words[0])),
        }
    }

    /// What the host says of itself.
    pub(super) async fn describe(&mut self) -> Result<SystemFacts, LinkError> {
        let sent = clock::now();
        self.script.send(format!("{DESCRIBE}\n")).await?;
        let asking = async {
            let mut facts = None;
            loop {
                let frame = self.script.next().await?;
                match (frame.header.as_str(), &facts) {
                    (DESCRIBED, _) => {
                        let trip = RoundTrip {
                            sent,
                            received: clock::now(),
                        };
                        facts = Some(describe::parse(&frame.body, trip).facts);
                    }
                    (END, Some(facts)) => return Ok(facts.clone()),
                    (END | READY, _) => {}
                    _ => return Err(protocol_error(&ProtocolError(frame.header))),
                }
            }
        };
        timeout(ANSWER_LIMIT, asking)
            .await
            .unwrap_or_else(|_| Err(late("the host")))
    }

    /// Ends it.
    pub(super) async fn end(&mut self) {
        self.script.end().await;
    }

    /// Asks for a piece of output and waits for it, however long that takes. Empty at the end.
    async fn piece(&mut self) -> Result<Bytes, LinkError> {
        let most = self.script.share().min(MOST_OF_A_PIECE);
        // Only what waits already comes as fast as the link brings it.
        let span = self.has_more.then(|| self.script.begin());
        self.script.send(format!("N {most}\n")).await?;
        loop {
            tokio::select! {
                frame = self.script.next() => {
                    let frame = frame?;
                    match frame.header.as_str() {
                        "J" => {
                            self.has_more = frame.body.len() >= most;
                            span.into_iter().for_each(|span| self.script.end_of(span));
                            return Ok(frame.body);
                        }
                        END | READY => {}
                        _ => return Err(protocol_error(&ProtocolError(frame.header))),
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

/// A running program.
pub(super) struct Program<'a> {
    shell: &'a mut Shell,
    splitter: LineSplitter,
}

impl Program<'_> {
    /// The lines that have come, perhaps none; `None` when it has ended. Waits however long that
    /// takes. Not cancel-safe.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<RawLine>>, LinkError> {
        if self.splitter.ended().is_some() {
            return Ok(None);
        }
        let piece = self.shell.piece().await?;
        let mut lines = Vec::new();
        self.splitter.push(&piece, &mut lines);
        if piece.is_empty() {
            // Killed, for it left no mark.
            self.splitter.finish(&mut lines);
            return Ok((!lines.is_empty()).then_some(lines));
        }
        Ok(Some(lines))
    }

    /// Whether there is more behind what has come.
    pub(super) fn has_more(&self) -> bool {
        self.shell.has_more
    }

    /// Whether its last line had no line end when it ended.
    pub(super) fn is_unended(&self) -> bool {
        self.splitter.is_unended()
    }

    /// Bytes read since the last call.
    pub(super) fn take_bytes_read(&mut self) -> u64 {
        self.shell.script.take_bytes_read()
    }

    /// Lets it end; its exit status where it had come to that.
    pub(super) async fn end(self) -> Result<Option<i32>, LinkError> {
        self.shell.script.send("Q\n".to_owned()).await?;
        Ok(self.splitter.ended())
    }
}

fn late(program: &str) -> LinkError {
    use crate::model::state::{HostStatus, LinkState};
    let reason = format!(
        "{program} has not answered for {} s",
        ANSWER_LIMIT.as_secs()
    );
    let hint = "see whether it does when it is called on the host by hand";
    LinkError::from(HostStatus::because(LinkState::Timeout, reason, hint))
}
