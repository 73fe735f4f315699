//! The shell driver of [`Files`]: a short-lived channel on which a constant script answers
//! questions about files.
//!
//! What was typed (patterns, paths, texts to look for) reaches the script as data only. Everything
//! runs within the script's process group, which ends with the channel: dropping the value ends
//! whatever it is doing. What the lines of a scan look like on their way is left to `stream`.

mod ended;
mod list;
mod stream;

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use tokio::time::{Instant, sleep_until};

use crate::files::access::{Chunk, FileError, Finds, Scan};
use crate::files::listing::Listing;
use crate::host::files::{Failure, Files, Hint, MAX_READ};
use crate::model::host::Facts;
use crate::model::log_file::{Compression, LogFile};
use crate::model::state::{HostStatus, LinkState};
use crate::model::time::Time;
use crate::parse::timestamp::TimeKey;
use crate::query::Prefilter;
use crate::transport::{Connection, LinkError};

use super::codec::{Nonsense, escape};
use super::describe;
use super::frame::{END, Frame};
use super::limits::{ANSWER_LIMIT, LEASE_RENEWAL, WORK_LIMIT};
use super::script::{Script, protocol_error};
use super::script_text::FILES;
use ended::UnpackEnd;
use list::{Lister, parts};
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
            most_listed: Listing::LIMIT,
            lease: Instant::now() + LEASE_RENEWAL,
            scan: None,
            failed: None,
        }
    }

    /// What the host says of itself.
    ///
    /// # Errors
    /// When the connection breaks.
    pub async fn describe(&mut self) -> Result<Facts, LinkError> {
        let sent = now();
        let frames = self.ask("D", ANSWER_LIMIT).await?;
        let described = frames
            .iter()
            .find(|frame| frame.header == "D")
            .ok_or_else(|| nonsense(frames.first()))?;
        Ok(describe::parse(&described.body, sent, now()).facts)
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
    async fn begin(&mut self, request: &str) -> Result<(), LinkError> {
        // Not answered: it belongs to the answer that was begun.
        let stop = self
            .scan
            .take()
            .map_or_else(String::new, |scan| format!("X {}\n", u8::from(!scan.over)));
        self.script.send(format!("{stop}{request}\n")).await
    }

    /// The frames of an answer.
    async fn ask(&mut self, request: &str, limit: Duration) -> Result<Vec<Frame>, LinkError> {
        let span = self.script.begin();
        self.begin(request).await?;
        let answer = self.answer(limit).await;
        self.script.end_of(span);
        answer
    }

    async fn answer(&mut self, limit: Duration) -> Result<Vec<Frame>, LinkError> {
        let mut frames = Vec::new();
        let asked = Instant::now();
        while let Some(frame) = self.next_of_answer(asked, limit).await? {
            if frames.len() >= MOST_FRAMES {
                return Err(nonsense(Some(&frame)));
            }
            frames.push(frame);
        }
        Ok(frames)
    }

    /// The next frame of an answer; `None` where it is over.
    async fn next_of_answer(
        &mut self,
        asked: Instant,
        limit: Duration,
    ) -> Result<Option<Frame>, LinkError> {
        loop {
            let lease = self.lease;
            // A host that is slow to say it all is not silent.
            let deadline = self.script.heard().max(asked) + limit;
            tokio::select! {
                biased;
                frame = self.script.next() => match frame? {
                    frame if frame.header == END => return Ok(None),
                    // It is said twice at the beginning.
                    frame if frame.header == "R" => {}
                    frame => return Ok(Some(frame)),
                },
                () = sleep_until(lease) => {
                    self.lease += LEASE_RENEWAL;
                    self.script.send("K\n".to_owned()).await?;
                }
                // Meanwhile a part of a frame may have come, which is not silence.
                () = sleep_until(deadline) => if self.script.heard().max(asked).elapsed() >= limit {
                    return Err(silent(limit));
                },
            }
        }
    }

    /// The same of a file; what the script says of it in place of an answer is an error.
    async fn ask_of_file(&mut self, request: &str, limit: Duration) -> Result<Vec<Frame>, Failure> {
        let frames = self.ask(request, limit).await?;
        match frames
            .iter()
            .find_map(|frame| frame.header.strip_prefix("X "))
        {
            Some(why) => Err(refusal(why).into()),
            None => Ok(frames),
        }
    }

    async fn list_by(&mut self, how: &str, pattern: &[u8]) -> Result<Listing, Failure> {
        let (stem, extension) = parts(pattern);
        let request = format!("L {how} {} {}", word(stem), word(extension));
        let mut lister = Lister::new(pattern, self.most_listed);
        let (span, asked) = (self.script.begin(), Instant::now());
        self.begin(&request).await?;
        while let Some(frame) = self.next_of_answer(asked, ANSWER_LIMIT).await? {
            match frame.header.strip_prefix("X ") {
                Some(why) => {
                    let why = refusal(why);
                    self.answer(ANSWER_LIMIT).await?;
                    return Err(why.into());
                }
                None => lister.push(&frame).ok_or_else(|| nonsense(Some(&frame)))?,
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
    ) -> Result<Chunk, Failure> {
        let limit = if file.compression == Compression::Plain {
            ANSWER_LIMIT
        } else {
            WORK_LIMIT
        };
        let frames = self
            .ask_of_file(&format!("R {} {from} {most}", file_words(file)), limit)
            .await?;
        let Some((start, body)) = frames.iter().find_map(text_of) else {
            return Err(nonsense(frames.first()).into());
        };
        if file.compression == Compression::Plain {
            let size: u64 = frames[0]
                .header
                .split(' ')
                .nth(1)
                .and_then(|size| size.parse().ok())
                .unwrap_or(0);
            // What is beyond is not there yet: a network file system may give NUL bytes for it.
            // Files of /proc have no size.
            let length = if size > 0 {
                size
            } else {
                start + body.len() as u64
            };
            let there = usize::try_from(length.saturating_sub(from)).unwrap_or(usize::MAX);
            let bytes = cut(body, start, from, most.min(there));
            let at_end = if size > 0 {
                from.saturating_add(bytes.len() as u64) >= length
            } else {
                bytes.is_empty() || bytes.len() < most
            };
            return Ok(Chunk { at_end, bytes });
        }
        let bytes = cut(body, start, from, most);
        let is_all = start + body.len() as u64 <= from + bytes.len() as u64;
        let ended =
            UnpackEnd::of(&frames, file.compression).ok_or_else(|| nonsense(frames.last()))?;
        match ended.damage {
            Some(error) if bytes.is_empty() && most > 0 => Err(error.into()),
            damage => Ok(Chunk {
                at_end: damage.is_none() && is_all,
                bytes,
            }),
        }
    }

    /// Puts back the NUL bytes that this host's `grep` could not be shown.
    async fn restore(&mut self, finds: &mut Finds) -> Result<(), LinkError> {
        for line in finds.lines.iter_mut().filter(|line| line.raw.contains(&1)) {
            let most = line.raw.len();
            self.script
                .send(format!("Z {} {most}\n", line.offset))
                .await?;
            let frames = self.answer(ANSWER_LIMIT).await?;
            let Some((start, body)) = frames.iter().find_map(text_of) else {
                return Err(nonsense(frames.first()));
            };
            let text = cut(body, start, line.offset, most);
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
    async fn list(&mut self, pattern: &[u8]) -> Result<Listing, Failure> {
        let is_pattern = pattern.iter().any(|byte| b"*?[".contains(byte));
        self.list_by(if is_pattern { "p" } else { "f" }, pattern)
            .await
    }

    async fn list_log(&mut self, path: &[u8]) -> Result<Listing, Failure> {
        self.list_by("f", path).await
    }

    async fn read(&mut self, file: &LogFile, from: u64, most: usize) -> Result<Chunk, Failure> {
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
        Ok(Chunk {
            bytes: parts.freeze(),
            at_end: chunk.at_end,
        })
    }

    async fn measure(&mut self, file: &LogFile) -> Result<u64, Failure> {
        let frames = self
            .ask_of_file(&format!("M {}", file_words(file)), WORK_LIMIT)
            .await?;
        let plain = frames
            .iter()
            .find_map(|frame| frame.header.strip_prefix("N ")?.parse().ok());
        if let Some(size) = plain {
            return Ok(size);
        }
        let ended =
            UnpackEnd::of(&frames, file.compression).ok_or_else(|| nonsense(frames.last()))?;
        match (ended.damage, ended.length) {
            (Some(error), _) => Err(error.into()),
            (None, Some(length)) => Ok(length),
            (None, None) => Err(nonsense(frames.last()).into()),
        }
    }

    async fn scan(&mut self, scan: &Scan) -> Result<(), Failure> {
        self.failed = None;
        let to = if i64::try_from(scan.to).is_ok() {
            scan.to.to_string()
        } else {
            "-".to_owned()
        };
        let (how, fold, patterns) = match &scan.filter {
            Prefilter::Everything => ("all", 0, Vec::new()),
            Prefilter::Lines(patterns) => (
                if patterns.fixed { "F" } else { "E" },
                u8::from(patterns.either_case),
                patterns.file(),
            ),
        };
        let file = file_words(&scan.file);
        let context = format!("{} {}", scan.before, scan.after);
        let request = format!(
            "S {file} {} {to} {how} {fold} {context} {}",
            scan.from,
            word(&patterns)
        );
        let frames = self.ask_of_file(&request, WORK_LIMIT).await?;
        let stream = frames
            .iter()
            .find_map(|frame| ScanStream::begin(&frame.header, self.script.token(), scan));
        let stream = stream.ok_or_else(|| nonsense(frames.first()))?;
        let restores = stream.has_no_nul() && scan.file.compression == Compression::Plain;
        self.scan = Some(Running {
            stream,
            restores,
            over: false,
        });
        Ok(())
    }

    async fn next(&mut self) -> Result<Option<Finds>, Failure> {
        loop {
            let share = self.script.share();
            let Some(running) = self.scan.as_mut().filter(|running| !running.over) else {
                return self
                    .failed
                    .take()
                    .map_or(Ok(None), |error| Err(error.into()));
            };
            let request = format!("N {}\n", running.stream.pieces(share));
            let span = self.script.begin();
            self.script.send(request).await?;
            let frames = self.answer(WORK_LIMIT).await?;
            self.script.end_of(span);
            let Some(piece) = frames.iter().find(|frame| frame.header == "J") else {
                return Err(nonsense(frames.first()).into());
            };
            let Some(running) = self.scan.as_mut() else {
                return Ok(None);
            };
            let mut finds = running
                .stream
                .push(&piece.body)
                .map_err(|header| protocol_error(&Nonsense(header)))?;
            if let Some(ended) = running.stream.ended() {
                running.over = true;
                self.failed = ended.clone();
            } else if piece.body.is_empty() {
                return Err(nonsense(Some(piece)).into());
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
            now()
        };
        let (strict, target, pivot) = (
            u8::from(key.is_strict()),
            key.target(time, written),
            key.pivot(written),
        );
        let request = format!(
            "T {} {} {strict} {target} {pivot}",
            file_words(file),
            key.kind()
        );
        let limit = if file.compression == Compression::Plain {
            ANSWER_LIMIT
        } else {
            WORK_LIMIT
        };
        let frames = self.ask_of_file(&request, limit).await?;
        let answer = frames
            .iter()
            .find_map(|frame| frame.header.strip_prefix("K"));
        Ok(hint(answer.ok_or_else(|| nonsense(frames.first()))?))
    }
}

/// `OFFSET READS ORDERED`; nothing where no stamp was seen.
fn hint(answer: &str) -> Option<Hint> {
    let mut words = answer.split_whitespace();
    let (offset, reads) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    Some(Hint {
        offset,
        reads,
        ordered: words.next()? == "1",
    })
}

fn now() -> Time {
    Time::from_timestamp(Timestamp::now())
}

/// A word of a request that may be empty.
fn word(bytes: &[u8]) -> String {
    // Nothing, as `printf %b` has it.
    if bytes.is_empty() {
        "\\c".to_owned()
    } else {
        escape(bytes)
    }
}

fn file_words(file: &LogFile) -> String {
    format!(
        "{} {}:{} {}",
        escape(&file.path),
        file.id.dev,
        file.id.ino,
        file.compression.as_str()
    )
}

/// Where the text of an answer begins, and the text.
fn text_of(frame: &Frame) -> Option<(u64, &Bytes)> {
    let start = frame
        .header
        .strip_prefix("F ")?
        .split(' ')
        .nth(1)?
        .parse()
        .ok()?;
    Some((start, &frame.body))
}

/// What was asked for of what came, which begins on the block before.
fn cut(body: &Bytes, start: u64, from: u64, most: usize) -> Bytes {
    let skip = usize::try_from(from.saturating_sub(start))
        .unwrap_or(usize::MAX)
        .min(body.len());
    body.slice(skip..body.len().min(skip.saturating_add(most)))
}

fn refusal(why: &str) -> FileError {
    match why {
        "missing" => FileError::Missing,
        "denied" => FileError::Denied,
        "special" => FileError::Special,
        "replaced" => FileError::Replaced,
        _ => match PROGRAMS
            .iter()
            .find(|program| why.strip_prefix("without ") == Some(program))
        {
            Some(program) => FileError::Unsupported(program),
            None => FileError::Other(why.to_owned()),
        },
    }
}

/// What the script cannot do without.
const PROGRAMS: [&str; 10] = [
    "dd", "head", "tail", "wc", "grep", "awk", "gzip", "bzip2", "xz", "zstd",
];

fn nonsense(frame: Option<&Frame>) -> LinkError {
    let header = frame.map_or_else(
        || "nothing".to_owned(),
        |frame| frame.header.chars().take(80).collect(),
    );
    protocol_error(&Nonsense(header))
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
