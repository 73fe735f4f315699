//! Standard input of the console as a source: what another program writes, as it is written.
//!
//! It is read by a thread, for nothing else can wait for a terminal or a file without holding up
//! others. The thread is at most a few pieces ahead: then whoever writes waits.

use std::io::{ErrorKind, Read};
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc::{self, Receiver};

use super::host::ProgramsHost;
use super::reader::ProgramLineReader;
use crate::host::driver::line_splitter::LineSplitter;
use crate::host::problems::Problem;
use crate::host::sources::RegisteredSource;
use crate::host::{HostEvent, Outbox};
use crate::model::source::SourceInfo;

/// Pieces that have been read and not been taken.
const AHEAD: usize = 4;

const PIECE: usize = 64 << 10;

/// Standard input, from its first byte that is asked for.
pub(super) struct StdinSource {
    source: RegisteredSource,
    reader: ProgramLineReader,
    pieces: Option<Receiver<Result<Bytes, String>>>,
    splitter: LineSplitter,
    /// How it ended.
    ended: Option<InputEnd>,
}

enum InputEnd {
    /// Whoever wrote it has ended, too.
    Whole,
    /// It cannot be read any more, and why.
    Broken(String),
}

impl InputEnd {
    fn why(&self) -> String {
        match self {
            Self::Whole => "end of input".to_owned(),
            Self::Broken(why) => format!("it cannot be read: {why}"),
        }
    }
}

impl StdinSource {
    pub(super) fn new(source: RegisteredSource, reader: ProgramLineReader) -> Self {
        Self {
            source,
            reader,
            pieces: None,
            splitter: LineSplitter::default(),
            ended: None,
        }
    }

    /// Reads it to its end.
    pub(super) async fn run(&mut self, host: &ProgramsHost<'_>) {
        if let Some(clock) = host.clock().await {
            self.reader.set_clock(&clock);
        }
        let mut told = None;
        loop {
            let info = self.info();
            if told.as_ref() != Some(&info) {
                told = Some(info.clone());
                let source = self.source.number;
                host.outbox.send(HostEvent::Source { source, info }).await;
            }
            if let Some(ended) = &self.ended {
                // An end is no problem of the host: whoever looks at the source is told that no
                // more will come.
                let is_broken = matches!(ended, InputEnd::Broken(_));
                let problem = is_broken.then(|| Problem::plain(&ended.why()).of(&self.source.name));
                return host.set_problem(&self.source.name, problem);
            }
            self.read_piece(host.outbox).await;
        }
    }

    /// Waits for a piece and sends its lines.
    async fn read_piece(&mut self, outbox: &Outbox) {
        let pieces = self.pieces.get_or_insert_with(|| read(std::io::stdin()));
        let mut lines = Vec::new();
        let mut bytes = 0;
        match pieces.recv().await {
            Some(Ok(piece)) => {
                bytes = piece.len() as u64;
                self.splitter.push(&piece, &mut lines);
            }
            over => {
                let broken = over.and_then(Result::err);
                self.ended = Some(broken.map_or(InputEnd::Whole, InputEnd::Broken));
                self.splitter.finish(&mut lines);
            }
        }
        if !lines.is_empty() {
            let source = self.source.number;
            let lines = self.reader.plain_lines(lines);
            outbox.send(HostEvent::Lines { source, lines }).await;
        }
        outbox.send(HostEvent::ReadTo { up_to: None, bytes }).await;
    }

    fn info(&self) -> SourceInfo {
        SourceInfo {
            name: Arc::clone(&self.source.name),
            path: "stdin".into(),
            problem: self.ended.as_ref().map(InputEnd::why),
            stamps: Some(self.reader.stamps()),
        }
    }
}

/// Reads in a thread of its own, which ends with its input or when nobody takes the pieces any
/// more.
fn read(mut input: impl Read + Send + 'static) -> Receiver<Result<Bytes, String>> {
    let (pieces, taken) = mpsc::channel(AHEAD);
    std::thread::spawn(move || {
        let mut buffer = vec![0; PIECE];
        loop {
            let piece = match input.read(&mut buffer) {
                Ok(0) => return,
                Ok(count) => Ok(Bytes::copy_from_slice(&buffer[..count])),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => Err(error.to_string()),
            };
            let failed = piece.is_err();
            if pieces.blocking_send(piece).is_err() || failed {
                return;
            }
        }
    });
    taken
}
