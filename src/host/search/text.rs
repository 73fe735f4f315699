//! The text of one log: reads parts of a generation, and remembers what is known of each generation
//! once its head was read.

use std::ops::Range;

use bytes::{Bytes, BytesMut};

use crate::files::access::{FileChunk, FileError};
use crate::host::{Failure, Files, MAX_READ};
use crate::model::log_file::{Compression, LogFile};
use crate::model::time::HostClock;
use crate::parse::encoding::TextEncoding;
use crate::parse::line_reader::LineReader;
use crate::parse::timestamp::TimeFormat;
use crate::query::request::ResponseTotals;
use crate::query::{Prefilter, Query};

use super::file_reader::FileReader;
use super::log_head::LogHead;
use super::sources::Log;
use super::stop_reason::StopReason;

/// So much of a file's head tells what its lines are like; more only where that has too few lines.
const HEAD_BYTES: usize = 4 << 10;

/// The most that is read for it.
const MOST_HEAD_BYTES: usize = 64 << 10;

/// Fewer lines prove little.
const HEAD_LINES: usize = 4;

const DAY_NANOS: i64 = 24 * 3600 * 1_000_000_000;

/// Blocks of nothing but NUL bytes that are at least so long may be part of a hole.
pub(super) const HOLE_BYTES: usize = 4 << 10;

/// A place in a log: the number of the generation and the offset in its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct At {
    pub(super) file: usize,
    pub(super) offset: u64,
}

impl At {
    /// The beginning of a generation.
    pub(super) fn start_of(file: usize) -> Self {
        Self { file, offset: 0 }
    }
}

/// What reading has come to.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    /// Bytes that were read and came here.
    pub(super) bytes: u64,
    /// In so many reads.
    pub(super) reads: u32,
    /// Bytes of files that were looked at for it, as [`ResponseTotals::scanned`] has it.
    scanned: u64,
}

impl Tally {
    pub(super) fn add_to(self, totals: &mut ResponseTotals) {
        totals.received += self.bytes;
        totals.scanned += self.scanned;
    }
}

#[derive(Debug, Default, Clone)]
struct KnownText {
    length: Option<u64>,
    /// Of a compressed file: how far its text was unpacked.
    unpacked: u64,
    head: Option<LogHead>,
}

/// A log that is being read.
pub(super) struct LogText<'f, F> {
    pub(super) files: &'f mut F,
    pub(super) log: Log,
    pub(super) tally: Tally,
    clock: HostClock,
    format: Option<TimeFormat>,
    encoding: Option<TextEncoding>,
    known: Vec<KnownText>,
}

impl<'f, F: Files> LogText<'f, F> {
    pub(super) fn new(files: &'f mut F, log: Log, clock: &HostClock) -> Self {
        let format = log
            .spec
            .time
            .as_deref()
            .and_then(|format| TimeFormat::parse(format).ok());
        let encoding = log.spec.encoding.as_deref();
        let encoding = encoding.and_then(TextEncoding::named);
        let known = vec![KnownText::default(); log.files.len()];
        Self {
            files,
            log,
            tally: Tally::default(),
            clock: clock.clone(),
            format,
            encoding,
            known,
        }
    }

    /// What the driver can be asked to look for in place of a query.
    pub(super) fn prefilter(&self, query: &Query) -> Prefilter {
        match (query.prefilter(), self.encoding) {
            (Prefilter::Lines(patterns), Some(encoding))
                if !encoding.keeps_ascii() || !patterns.are_plain_ascii() =>
            {
                Prefilter::Everything
            }
            (filter, _) => filter,
        }
    }

    /// The same log, as its files are now.
    pub(super) fn relist(&mut self, files: Vec<LogFile>) {
        self.known = vec![KnownText::default(); files.len()];
        self.log.files = files;
    }

    /// A generation.
    pub(super) fn file(&self, number: usize) -> &LogFile {
        &self.log.files[number]
    }

    pub(super) fn is_plain(&self, number: usize) -> bool {
        self.log.files[number].compression == Compression::Plain
    }

    /// The end of the log, as it was listed.
    pub(super) async fn end(&mut self) -> Result<At, StopReason> {
        let Some(file) = self.log.files.len().checked_sub(1) else {
            return Ok(At::start_of(0));
        };
        Ok(At {
            file,
            offset: self.length(file).await?,
        })
    }

    /// Where the text of a generation ends at the latest, as far as that is known without unpacking
    /// it.
    pub(super) fn reach(&self, number: usize) -> u64 {
        if self.is_plain(number) {
            self.file(number).size
        } else {
            self.known[number].length.unwrap_or(u64::MAX)
        }
    }

    /// How long the text of a generation is.
    pub(super) async fn length(&mut self, number: usize) -> Result<u64, StopReason> {
        if self.is_plain(number) {
            return Ok(self.log.files[number].size);
        }
        if let Some(length) = self.known[number].length {
            return Ok(length);
        }
        let file = &self.log.files[number];
        let length = self
            .files
            .measure(file)
            .await
            .map_err(|failure| StopReason::of(failure, &file.path))?;
        self.known[number].length = Some(length);
        self.look(number, 0..length);
        Ok(length)
    }

    /// Counts what the host has looked at to get at this part of a generation. A compressed file is
    /// read from its beginning on, and on disk has no more bytes than it has.
    pub(super) fn look(&mut self, number: usize, part: Range<u64>) {
        let file = &self.log.files[number];
        if file.compression == Compression::Plain {
            self.tally.scanned += part.end - part.start;
            return;
        }
        let unpacked = &mut self.known[number].unpacked;
        let end = part.end.min(file.size).max(*unpacked);
        self.tally.scanned += end - *unpacked;
        *unpacked = end;
    }

    /// Text from an offset on, and whether it ends there. Less than asked for only at the end. A
    /// plain file that has become shorter is another one.
    pub(super) async fn read(
        &mut self,
        number: usize,
        from: u64,
        most: usize,
    ) -> Result<(Bytes, bool), StopReason> {
        let mut parts = BytesMut::new();
        let mut is_end = false;
        while parts.len() < most && !is_end {
            let at = from + parts.len() as u64;
            let chunk = self.chunk(number, at, most - parts.len()).await?;
            is_end = chunk.at_end || chunk.bytes.is_empty();
            if parts.is_empty() && (is_end || chunk.bytes.len() >= most) {
                return Ok((chunk.bytes, is_end));
            }
            parts.extend_from_slice(&chunk.bytes);
        }
        Ok((parts.freeze(), is_end))
    }

    /// One read of the driver.
    async fn chunk(
        &mut self,
        number: usize,
        from: u64,
        most: usize,
    ) -> Result<FileChunk, StopReason> {
        let file = &self.log.files[number];
        let read = self.files.read(file, from, most.min(MAX_READ)).await;
        let chunk = read.map_err(|failure| StopReason::of(failure, &file.path))?;
        let length = chunk.bytes.len() as u64;
        let is_end = chunk.at_end || length == 0;
        let is_shrunk = is_end && self.is_plain(number) && from + length < file.size;
        self.tally.reads += 1;
        self.tally.bytes += length;
        self.look(number, from..from + length);
        if is_shrunk {
            return Err(self.shrunk(number));
        }
        Ok(chunk)
    }

    /// Exactly this part. A file that has become shorter is another one.
    pub(super) async fn part(
        &mut self,
        number: usize,
        from: u64,
        to: u64,
    ) -> Result<Bytes, StopReason> {
        let length = usize::try_from(to - from).unwrap_or(usize::MAX);
        let (bytes, _) = self.read(number, from, length).await?;
        if bytes.len() < length {
            return Err(self.shrunk(number));
        }
        Ok(bytes)
    }

    /// A generation is shorter than it was.
    pub(super) fn shrunk(&self, number: usize) -> StopReason {
        StopReason::of(
            Failure::File(FileError::Replaced),
            &self.log.files[number].path,
        )
    }

    /// What the head of a generation tells.
    pub(super) async fn head(&mut self, number: usize) -> Result<&LogHead, StopReason> {
        if self.known[number].head.is_none() {
            // A file that cannot be read says so where its lines are wanted.
            let head = match self.read_head(number).await {
                Err(reason) if reason.is_of_file() && !reason.is_moved() => {
                    LogHead::unreadable(self.file(number), self.configured_lines(number))
                }
                head => head?,
            };
            self.known[number].head = Some(head);
        }
        Ok(self.known[number].head.as_ref().expect("it was read above"))
    }

    async fn read_head(&mut self, number: usize) -> Result<LogHead, StopReason> {
        let (mut bytes, mut at_end) = self.read(number, 0, HEAD_BYTES).await?;
        let newlines = bytes.iter().filter(|&&byte| byte == b'\n').count();
        // What is never written to may be most of a file.
        let is_sparse = bytes.ends_with(&[0; HEAD_BYTES / 4]);
        if !at_end && newlines < HEAD_LINES && !is_sparse && !is_hole(&bytes) {
            let (more, ends) = self
                .read(number, bytes.len() as u64, MOST_HEAD_BYTES - bytes.len())
                .await?;
            bytes = [&bytes[..], &more[..]].concat().into();
            at_end = ends;
        }
        let lines = self.configured_lines(number);
        Ok(LogHead::of(self.file(number), lines, &bytes, at_end))
    }

    /// What reads the lines of a generation when nothing is known of them but what is configured.
    fn configured_lines(&self, number: usize) -> LineReader {
        let path = &self.log.files[number].path;
        LineReader::with_format(&self.clock, self.format.as_ref())
            .with_encoding(self.log.spec.encoding.as_deref())
            .of_file(&String::from_utf8_lossy(path))
    }

    /// Whether the lines of a generation may be of several days without saying of which.
    pub(super) async fn may_hide_days(&mut self, number: usize) -> Result<bool, StopReason> {
        let undated = self.head(number).await?.undated;
        let written = |number: usize| self.log.files[number].modified.0;
        // It was begun when the one before it was written to last.
        let is_short =
            number > 0 && written(number).saturating_sub(written(number - 1)) <= DAY_NANOS;
        Ok(undated && !is_short)
    }

    /// What reads this generation from `offset` on, where a line begins: `before` are bytes that
    /// are right before it, and more of them are read where they do not tell the time of what
    /// follows.
    pub(super) async fn reader(
        &mut self,
        number: usize,
        offset: u64,
        before: &[u8],
    ) -> Result<FileReader, StopReason> {
        let head = self.head(number).await?;
        let first = head.first;
        let lines = head.lines();
        let mut before = Bytes::copy_from_slice(before);
        let mut more = HEAD_BYTES as u64 * 4;
        loop {
            let from = offset - before.len() as u64;
            let mut reader = FileReader::new(self.file(number), lines.clone()).split_from(from);
            if from == 0 {
                reader = reader.begun_at(first);
            }
            reader.push(&before, &mut Vec::new());
            let has_all = from == 0 || before.len() >= MOST_HEAD_BYTES || is_hole(&before);
            if reader.has_time || first.is_none() || has_all {
                return Ok(reader.at(offset));
            }
            let earlier = self.part(number, from.saturating_sub(more), from).await?;
            before = [earlier, before].concat().into();
            more *= 4;
        }
    }
}

/// Whether bytes are, or may be a part of, a hole in a file.
pub(super) fn is_hole(bytes: &[u8]) -> bool {
    bytes.len() >= HOLE_BYTES && bytes.iter().all(|&byte| byte == 0)
}
