//! Standard input of the console as a source: what another program writes, as it is written.
//!
//! It is read by a thread, for nothing else can wait for a terminal or a file without holding up
//! others. The thread is at most a few pieces ahead: then whoever writes waits.

use std::io::{ErrorKind, Read};

use bytes::Bytes;
use tokio::sync::mpsc::{self, Receiver};

use super::ProgramsHost;
use super::line_splitter::{LineSplitter, RawLine};
use super::reader::ProgramLineReader;
use crate::host::problems::Problem;
use crate::host::{HostEvent, Outbox};
use crate::model::source::SourceInfo;

/// Pieces that have been read and not been taken.
const AHEAD: usize = 4;

const PIECE: usize = 64 << 10;

/// Standard input, from its first byte that is asked for.
pub(super) struct StdinSource {
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
    pub(super) fn new() -> Self {
        Self {
            pieces: None,
            splitter: LineSplitter::default(),
            ended: None,
        }
    }

    /// Reads it to its end.
    pub(super) async fn run(
        &mut self,
        reader: &mut ProgramLineReader,
        number: u32,
        name: &str,
        host: &ProgramsHost<'_>,
    ) {
        let outbox = host.outbox;
        let mut told = None;
        loop {
            let info = info(
                name,
                self.ended.as_ref().map(InputEnd::why),
                reader.stamps(),
            );
            if told.as_ref() != Some(&info) {
                told = Some(info.clone());
                outbox
                    .send(HostEvent::Source {
                        source: number,
                        info,
                    })
                    .await;
            }
            if let Some(ended) = &self.ended {
                // An end is no problem of the host: whoever looks at the source is told that no
                // more will come.
                let is_broken = matches!(ended, InputEnd::Broken(_));
                let problem = is_broken.then(|| Problem::plain(&ended.why()).of(name));
                return host.set_problem(name, problem);
            }
            let (mut lines, mut bytes) = (Vec::new(), 0);
            match self
                .pieces
                .get_or_insert_with(|| read(std::io::stdin()))
                .recv()
                .await
            {
                Some(Ok(piece)) => {
                    bytes = piece.len() as u64;
                    self.splitter.push(&piece, &mut lines);
                }
                over => {
                    self.ended = Some(match over {
                        Some(Err(why)) => InputEnd::Broken(why),
                        _ => InputEnd::Whole,
                    });
                    self.splitter.finish(&mut lines);
                }
            }
            take(reader, number, lines, outbox).await;
            outbox.send(HostEvent::ReadTo { up_to: None, bytes }).await;
        }
    }
}

async fn take(reader: &mut ProgramLineReader, number: u32, lines: Vec<RawLine>, outbox: &Outbox) {
    if lines.is_empty() {
        return;
    }
    reader.learn(lines.iter().map(|line| &line.bytes[..]));
    let lines = lines.into_iter().map(|line| reader.plain(line)).collect();
    outbox
        .send(HostEvent::Lines {
            source: number,
            lines,
        })
        .await;
}

fn info(name: &str, problem: Option<String>, stamps: &'static str) -> SourceInfo {
    SourceInfo {
        name: name.into(),
        path: "stdin".into(),
        problem,
        stamps: Some(stamps),
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
