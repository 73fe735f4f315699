//! The shell driver of [`Files`]: a short-lived channel on which a constant script answers
//! questions about files.
//!
//! What was typed (patterns, paths, texts to look for) reaches the script as data only. Everything
//! runs within the script's process group, which ends with the channel: dropping the value ends
//! whatever it is doing. What the lines of a scan look like on their way is left to `stream`.

mod ended;
mod list;
mod protocol;
mod stream;

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::time::{Instant, sleep_until};

use crate::clock;
use crate::files::access::{FileChunk, FileError, ScanBatch, ScanRequest};
use crate::files::listing::FileListing;
use crate::files::rotation::parts;
use crate::host::driver::facts::RoundTrip;
use crate::host::driver::files::{Failure, Files, Hint, MAX_READ};
use crate::model::host::SystemFacts;
use crate::model::log_file::{Compression, LogFile};
use crate::model::state::{HostStatus, LinkState};
use crate::model::time::Time;
use crate::parse::timestamp::TimeKey;
use crate::transport::{Connection, LinkError};

use super::describe;
use super::limits::{ANSWER_LIMIT, LEASE_RENEWAL, WORK_LIMIT};
use super::protocol::{ProtocolError, RENEW};
use super::script::{Script, protocol_error};
use super::script_text::FILES;
use ended::damage;
use list::Lister;
use protocol::{FilesAnswer, FilesRequest, ProgramsEnd, SeekTarget, TextPiece, decode};
use stream::ScanStream;

/// The most frames of an answer that is not a list.
const MOST_FRAMES: usize = 8;
/// A link of which so much can be asked at once is not known to be slow.
const QUICK_SHARE: usize = 48 << 10;

/// The files of a host, by way of a shell.
pub struct ShellFiles {
    script: Script,
    /// Bytes of a list.
    most_listed: usize,
    lease: Instant,
    scan: Option<Running>,
    /// What ended a scan before its time, told after what it found.
    failed: Option<FileError>,
}

/// A scan under way.
struct Running {
    stream: ScanStream,
    /// Lines with a byte that may stand for a NUL are read again.
    restores: bool,
    over: bool,
}

impl ShellFiles {
    /// Starts a shell for questions about files.
    ///
    /// # Errors
    /// When no shell starts.
    pub async fn start(connection: &Connection) -> Result<Self, LinkError> {
        Ok(Self::by(Script::start(connection, &FILES).await?))
    }

    /// The same as root, by `sudo -n`.
    ///
    /// # Errors
    /// When no shell starts, or sudo refuses: with its words and what it needs.
    pub async fn start_as_root(connection: &Connection) -> Result<Self, LinkError> {
        Ok(Self::by(Script::start_as_root(connection, &FILES).await?))
    }

    fn by(script: Script) -> Self {
        Self {
            script,
            most_listed: FileListing::LIMIT,
            lease: Instant::now() + LEASE_RENEWAL,
            scan: None,
            failed: None,
        }
    }

    /// What the host says of itself.
    ///
    /// # Errors
    /// When the connection breaks.
    pub async fn describe(&mut self) -> Result<SystemFacts, LinkError> {
        let sent = clock::now();
        let answers = self.ask(&FilesRequest::Describe, ANSWER_LIMIT).await?;
        let text = first(&answers, |answer| match answer {
            FilesAnswer::Described(text) => Some(text),
            _ => None,
        })?;
        Ok(describe::parse(
            text,
            RoundTrip {
                sent,
                received: clock::now(),
            },
        )
        .facts)
    }

    /// Bytes that came from the host since the last call.
    pub fn take_bytes_read(&mut self) -> u64 {
        self.script.take_bytes_read()
    }

    /// Ends the shell, and what it is doing.
    pub async fn end(mut self) {
        self.script.end().await;
    }

    /// Sends a request.
    async fn begin(&mut self, request: &FilesRequest<'_>) -> Result<(), LinkError> {
        let mut lines = String::new();
        if let Some(scan) = self.scan.take() {
            // Not answered: it belongs to the answer that was begun.
            lines += &FilesRequest::Stop { kill: !scan.over }.encode();
        }
        lines += &request.encode();
        self.script.send(lines).await
    }

    /// Sends a request and waits for its answers.
    async fn ask(
        &mut self,
        request: &FilesRequest<'_>,
        limit: Duration,
    ) -> Result<Vec<FilesAnswer>, LinkError> {
        let span = self.script.begin();
        self.begin(request).await?;
        let answer = self.answer(limit).await;
        self.script.end_of(span);
        answer
    }

    async fn answer(&mut self, limit: Duration) -> Result<Vec<FilesAnswer>, LinkError> {
        let mut answers = Vec::new();
        let asked = Instant::now();
        while let Some(answer) = self.next_of_answer(asked, limit).await? {
            if answers.len() >= MOST_FRAMES {
                return Err(nonsense(Some(&answer)));
            }
            answers.push(answer);
        }
        Ok(answers)
    }

    /// The next part of an answer; `None` where it is over.
    async fn next_of_answer(
        &mut self,
        asked: Instant,
        limit: Duration,
    ) -> Result<Option<FilesAnswer>, LinkError> {
        loop {
            let lease = self.lease;
            // A host that is slow to say it all is not silent.
            let deadline = self.script.heard().max(asked) + limit;
            tokio::select! {
                biased;
                frame = self.script.next() => {
                    match decode(&frame?).map_err(|error| protocol_error(&error))? {
                        FilesAnswer::End => return Ok(None),
                        // It is said twice at the beginning.
                        FilesAnswer::Ready => {}
                        answer => return Ok(Some(answer)),
                    }
                }
                () = sleep_until(lease) => {
                    self.lease += LEASE_RENEWAL;
                    self.script.send(RENEW.to_owned()).await?;
                }
                // Meanwhile a part of a frame may have come, which is not silence.
                () = sleep_until(deadline) => if self.script.heard().max(asked).elapsed() >= limit {
                    return Err(silent(limit));
                },
            }
        }
    }

    /// The same of a file; what the script says of it in place of an answer is an error.
    async fn ask_of_file(
        &mut self,
        request: &FilesRequest<'_>,
        limit: Duration,
    ) -> Result<Vec<FilesAnswer>, Failure> {
        let answers = self.ask(request, limit).await?;
        let refusal = answers.iter().find_map(|answer| match answer {
            FilesAnswer::Refused(why) => Some(why.clone()),
            _ => None,
        });
        refusal.map_or(Ok(answers), |why| Err(why.into()))
    }

    async fn list_by(&mut self, is_pattern: bool, pattern: &[u8]) -> Result<FileListing, Failure> {
        let (stem, extension) = parts(pattern);
        let request = FilesRequest::List {
            is_pattern,
            stem,
            extension,
        };
        let mut lister = Lister::new(pattern, self.most_listed);
        let span = self.script.begin();
        let asked = Instant::now();
        self.begin(&request).await?;
        while let Some(answer) = self.next_of_answer(asked, ANSWER_LIMIT).await? {
            match answer {
                FilesAnswer::Listing(part) => lister.push(part),
                FilesAnswer::Refused(why) => {
                    self.answer(ANSWER_LIMIT).await?;
                    return Err(why.into());
                }
                other => return Err(nonsense(Some(&other)).into()),
            }
        }
        self.script.end_of(span);
        Ok(lister.chosen())
    }

    /// As much of a read as the link brings soon.
    fn piece_of(&self, file: &LogFile, most: usize) -> usize {
        let share = self.script.share();
        match file.compression {
            Compression::Plain => most.min(share),
            // All before it is unpacked for each piece: only a slow link is worth that.
            _ if share < QUICK_SHARE => most.min(2 * share),
            _ => most,
        }
    }

    async fn read_piece(
        &mut self,
        file: &LogFile,
        from: u64,
        most: usize,
    ) -> Result<FileChunk, Failure> {
        let limit = if file.compression == Compression::Plain {
            ANSWER_LIMIT
        } else {
            WORK_LIMIT
        };
        let request = FilesRequest::Read(file, from, most);
        let answers = self.ask_of_file(&request, limit).await?;
        let text = first(&answers, text_of)?;
        if file.compression == Compression::Plain {
            return Ok(chunk_of_plain(text, from, most));
        }
        let bytes = cut(text, from, most);
        let is_all = text.start + text.bytes.len() as u64 <= from + bytes.len() as u64;
        match damage(first(&answers, end_of)?, file.compression) {
            Some(error) if bytes.is_empty() && most > 0 => Err(error.into()),
            damage => Ok(FileChunk {
                at_end: damage.is_none() && is_all,
                bytes,
            }),
        }
    }

    /// Puts back the NUL bytes that this host's `grep` could not be shown.
    async fn restore(&mut self, finds: &mut ScanBatch) -> Result<(), LinkError> {
        for line in finds.lines.iter_mut().filter(|line| line.raw.contains(&1)) {
            let most = line.raw.len();
            let request = FilesRequest::Reread(line.offset, most);
            self.script.send(request.encode()).await?;
            let answers = self.answer(ANSWER_LIMIT).await?;
            let text = cut(first(&answers, text_of)?, line.offset, most);
            if text.len() == most {
                let hole = text.iter().take_while(|&&byte| byte == 0).count();
                line.offset += hole as u64;
                line.raw = text.slice(hole..);
            }
        }
        Ok(())
    }
}

impl Files for ShellFiles {
    async fn list(&mut self, pattern: &[u8]) -> Result<FileListing, Failure> {
        let is_pattern = pattern.iter().any(|byte| b"*?[".contains(byte));
        self.list_by(is_pattern, pattern).await
    }

    async fn list_log(&mut self, path: &[u8]) -> Result<FileListing, Failure> {
        self.list_by(false, path).await
    }

    async fn read(&mut self, file: &LogFile, from: u64, most: usize) -> Result<FileChunk, Failure> {
        let most = most.min(MAX_READ);
        let mut wanted = self.piece_of(file, most);
        let mut chunk = self.read_piece(file, from, wanted).await?;
        if wanted == most {
            return Ok(chunk);
        }
        let mut parts = BytesMut::from(&chunk.bytes[..]);
        // Less than was wanted, and not at the end: damage, which is told when nothing good is left
        // before it.
        while !chunk.at_end && chunk.bytes.len() == wanted && parts.len() < most {
            wanted = self.piece_of(file, most - parts.len());
            chunk = match self
                .read_piece(file, from + parts.len() as u64, wanted)
                .await
            {
                Err(Failure::File(_)) if file.compression != Compression::Plain => break,
                read => read?,
            };
            parts.extend_from_slice(&chunk.bytes);
        }
        Ok(FileChunk {
            bytes: parts.freeze(),
            at_end: chunk.at_end,
        })
    }

    async fn measure(&mut self, file: &LogFile) -> Result<u64, Failure> {
        let request = FilesRequest::Measure(file);
        let answers = self.ask_of_file(&request, WORK_LIMIT).await?;
        let plain = answers.iter().find_map(|answer| match answer {
            FilesAnswer::Length(length) => *length,
            _ => None,
        });
        if let Some(length) = plain {
            return Ok(length);
        }
        let end = first(&answers, end_of)?;
        match (damage(end, file.compression), end.length) {
            (Some(error), _) => Err(error.into()),
            (None, Some(length)) => Ok(length),
            (None, None) => Err(nonsense(answers.last()).into()),
        }
    }

    async fn scan(&mut self, scan: &ScanRequest) -> Result<(), Failure> {
        self.failed = None;
        let answers = self
            .ask_of_file(&FilesRequest::Scan(scan), WORK_LIMIT)
            .await?;
        let start = first(&answers, |answer| match answer {
            FilesAnswer::Scanning(start) => Some(start),
            _ => None,
        })?;
        let stream = ScanStream::begin(*start, self.script.token(), scan);
        let restores = stream.has_no_nul() && scan.file.compression == Compression::Plain;
        self.scan = Some(Running {
            stream,
            restores,
            over: false,
        });
        Ok(())
    }

    async fn next(&mut self) -> Result<Option<ScanBatch>, Failure> {
        loop {
            let share = self.script.share();
            let Some(running) = self.scan.as_mut().filter(|running| !running.over) else {
                return self
                    .failed
                    .take()
                    .map_or(Ok(None), |error| Err(error.into()));
            };
            let request = FilesRequest::Next(running.stream.pieces(share));
            let span = self.script.begin();
            self.script.send(request.encode()).await?;
            let answers = self.answer(WORK_LIMIT).await?;
            self.script.end_of(span);
            let piece = first(&answers, |answer| match answer {
                FilesAnswer::Piece(piece) => Some(piece),
                _ => None,
            })?;
            let Some(running) = self.scan.as_mut() else {
                return Ok(None);
            };
            let mut finds = running
                .stream
                .push(piece)
                .map_err(|header| protocol_error(&ProtocolError(header)))?;
            if let Some(ended) = running.stream.ended() {
                running.over = true;
                self.failed = ended.clone();
            } else if piece.is_empty() {
                return Err(nonsense(answers.first()).into());
            }
            let is_over = running.over;
            if running.restores {
                self.restore(&mut finds).await?;
            }
            if is_over || !finds.lines.is_empty() {
                return Ok(Some(finds));
            }
        }
    }

    async fn seek(
        &mut self,
        file: &LogFile,
        key: &TimeKey,
        time: Time,
    ) -> Result<Option<Hint>, Failure> {
        // Years that are left out are those before the last line.
        let written = if file.modified > Time(0) {
            file.modified
        } else {
            clock::now()
        };
        let to = SeekTarget {
            kind: key.kind(),
            is_strict: key.is_strict(),
            target: key.target(time, written),
            pivot: key.pivot(written),
        };
        let limit = if file.compression == Compression::Plain {
            ANSWER_LIMIT
        } else {
            WORK_LIMIT
        };
        let request = FilesRequest::Seek(file, to);
        let answers = self.ask_of_file(&request, limit).await?;
        let hint = first(&answers, |answer| match answer {
            FilesAnswer::Hint(hint) => Some(hint),
            _ => None,
        })?;
        Ok(*hint)
    }
}

/// The first of these answers that is what was asked for.
fn first<'a, T>(
    answers: &'a [FilesAnswer],
    wanted: impl Fn(&'a FilesAnswer) -> Option<&'a T>,
) -> Result<&'a T, LinkError> {
    let found = answers.iter().find_map(wanted);
    found.ok_or_else(|| nonsense(answers.first()))
}

fn text_of(answer: &FilesAnswer) -> Option<&TextPiece> {
    match answer {
        FilesAnswer::Text(text) => Some(text),
        _ => None,
    }
}

fn end_of(answer: &FilesAnswer) -> Option<&ProgramsEnd> {
    match answer {
        FilesAnswer::Ended(end) => Some(end),
        _ => None,
    }
}

fn chunk_of_plain(text: &TextPiece, from: u64, most: usize) -> FileChunk {
    let size = text.size.unwrap_or(0);
    // What is beyond is not there yet: a network file system may give NUL bytes for it. Files of
    // /proc have no size.
    let length = if size > 0 {
        size
    } else {
        text.start + text.bytes.len() as u64
    };
    let there = usize::try_from(length.saturating_sub(from)).unwrap_or(usize::MAX);
    let bytes = cut(text, from, most.min(there));
    let at_end = if size > 0 {
        from.saturating_add(bytes.len() as u64) >= length
    } else {
        bytes.is_empty() || bytes.len() < most
    };
    FileChunk { at_end, bytes }
}

/// What was asked for of what came, which begins on the block before.
fn cut(text: &TextPiece, from: u64, most: usize) -> Bytes {
    let skip = usize::try_from(from.saturating_sub(text.start))
        .unwrap_or(usize::MAX)
        .min(text.bytes.len());
    let end = text.bytes.len().min(skip.saturating_add(most));
    text.bytes.slice(skip..end)
}

fn nonsense(answer: Option<&FilesAnswer>) -> LinkError {
    let said = answer.map_or_else(|| "nothing".to_owned(), |answer| format!("{answer:?}"));
    protocol_error(&ProtocolError::of_header(&said))
}

fn silent(limit: Duration) -> LinkError {
    let reason = format!(
        "the host has not answered for {} s, though the connection stands",
        limit.as_secs()
    );
    let hint = "a disk or network mount may hang there";
    LinkError::from(HostStatus::because(LinkState::Timeout, reason, hint))
}

#[cfg(test)]
mod tests;
