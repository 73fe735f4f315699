//! The text of one log: reading a part of a generation, and what is known of each generation once
//! its head was read.

use std::ops::Range;

use bytes::{Bytes, BytesMut};

use crate::files::access::FileError;
use crate::host::{Failure, Files, MAX_READ};
use crate::model::log_file::{Compression, LogFile};
use crate::model::time::{HostClock, Time, TimeSource};
use crate::parse::line_reader::LineReader;
use crate::parse::timestamp::{TimeFormat, TimeKey};
use crate::query::request::ResponseTotals;

use super::Halt;
use super::file_reader::{FileItem, FileReader};
use super::sources::Log;

/// So much of a file's head tells what its lines are like; more only where that has too few lines.
const HEAD_BYTES: usize = 4 << 10;

/// The most that is read for it.
const MOST_HEAD_BYTES: usize = 64 << 10;

/// Fewer lines prove little.
const HEAD_LINES: usize = 4;

const DAY_NANOS: i64 = 24 * 3600 * 1_000_000_000;

/// What a line takes where nothing is known.
const USUAL_LINE: usize = 120;

/// Blocks of nothing but NUL bytes that are at least so long may be part of a hole.
pub(super) const HOLE_BYTES: usize = 4 << 10;

/// A place in a log: the number of the generation and the offset in its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct At {
    pub(super) file: usize,
    pub(super) offset: u64,
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

/// What the head of a generation tells.
#[derive(Debug, Clone)]
pub(super) struct LogHead {
    lines: LineReader,
    key: Option<TimeKey>,
    /// Its lines have stamps.
    pub(super) stamped: bool,
    /// Those are times of a day, and do not say of which.
    undated: bool,
    /// The first time in it.
    pub(super) first: Option<Time>,
    /// Bytes of a line, about.
    pub(super) line: usize,
    /// Bytes of a line end.
    pub(super) line_end: u64,
    /// It could not be read.
    pub(super) failed: bool,
}

impl LogHead {
    /// What reads the lines of any part of the generation.
    pub(super) fn lines(&self) -> LineReader {
        self.lines.clone()
    }

    /// How its stamps can be compared where the file is.
    pub(super) fn key(&self) -> Option<TimeKey> {
        self.key.clone()
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
    known: Vec<KnownText>,
}

impl<'f, F: Files> LogText<'f, F> {
    pub(super) fn new(files: &'f mut F, log: Log, clock: &HostClock) -> Self {
        let format = log
            .spec
            .time
            .as_deref()
            .and_then(|format| TimeFormat::parse(format).ok());
        let known = vec![KnownText::default(); log.files.len()];
        Self {
            files,
            log,
            tally: Tally::default(),
            clock: clock.clone(),
            format,
            known,
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
    pub(super) async fn end(&mut self) -> Result<At, Halt> {
        let Some(file) = self.log.files.len().checked_sub(1) else {
            return Ok(At { file: 0, offset: 0 });
        };
        Ok(At {
            file,
            offset: self.length(file).await?,
        })
    }

    /// Where the text of a generation ends at the latest, as far as that is known without unpacking
    /// it.
    pub(super) fn reach(&self, number: usize) -> u64 {
        let file = &self.log.files[number];
        let length = self.known[number].length.unwrap_or(u64::MAX);
        if file.compression == Compression::Plain {
            file.size
        } else {
            length
        }
    }

    /// How long the text of a generation is.
    pub(super) async fn length(&mut self, number: usize) -> Result<u64, Halt> {
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
            .map_err(|failure| Halt::of(failure, &file.path))?;
        self.known[number].length = Some(length);
        self.look(number, 0..length);
        Ok(length)
    }

    /// Counts what the host has looked at to get at this part of a generation. A compressed file is
    /// read from its beginning on, and on disk has no more bytes than it has.
    pub(super) fn look(&mut self, number: usize, part: Range<u64>) {
        let unpacked = &mut self.known[number].unpacked;
        let file = &self.log.files[number];
        self.tally.scanned += match file.compression {
            Compression::Plain => part.end - part.start,
            _ => part.end.min(file.size).saturating_sub(std::mem::replace(
                unpacked,
                part.end.min(file.size).max(*unpacked),
            )),
        };
    }

    /// Text from an offset on, and whether it ends there. Less than asked for only at the end. A
    /// plain file that has become shorter is another one.
    pub(super) async fn read(
        &mut self,
        number: usize,
        from: u64,
        most: usize,
    ) -> Result<(Bytes, bool), Halt> {
        let mut parts = BytesMut::new();
        let mut is_end = false;
        while parts.len() < most && !is_end {
            let file = &self.log.files[number];
            let (at, wanted) = (
                from + parts.len() as u64,
                (most - parts.len()).min(MAX_READ),
            );
            let read = self.files.read(file, at, wanted).await;
            let chunk = read.map_err(|failure| Halt::of(failure, &file.path))?;
            self.tally.reads += 1;
            self.tally.bytes += chunk.bytes.len() as u64;
            is_end = chunk.at_end || chunk.bytes.is_empty();
            self.look(number, at..at + chunk.bytes.len() as u64);
            let file = &self.log.files[number];
            if is_end
                && file.compression == Compression::Plain
                && at + (chunk.bytes.len() as u64) < file.size
            {
                return Err(self.shrunk(number));
            }
            if parts.is_empty() && (is_end || chunk.bytes.len() >= most) {
                return Ok((chunk.bytes, is_end));
            }
            parts.extend_from_slice(&chunk.bytes);
        }
        Ok((parts.freeze(), is_end))
    }

    /// Exactly this part. A file that has become shorter is another one.
    pub(super) async fn part(&mut self, number: usize, from: u64, to: u64) -> Result<Bytes, Halt> {
        let length = usize::try_from(to - from).unwrap_or(usize::MAX);
        let (bytes, _) = self.read(number, from, length).await?;
        if bytes.len() < length {
            return Err(self.shrunk(number));
        }
        Ok(bytes)
    }

    /// A generation is shorter than it was.
    pub(super) fn shrunk(&self, number: usize) -> Halt {
        Halt::of(
            Failure::File(FileError::Replaced),
            &self.log.files[number].path,
        )
    }

    /// What the head of a generation tells.
    pub(super) async fn head(&mut self, number: usize) -> Result<&LogHead, Halt> {
        if self.known[number].head.is_none() {
            // A file that cannot be read says so where its lines are wanted.
            let head = match self.read_head(number).await {
                Err(halt) if halt.is_of_file() && !halt.is_moved() => LogHead {
                    failed: true,
                    ..self.head_of(number, b"", true)
                },
                head => head?,
            };
            self.known[number].head = Some(head);
        }
        Ok(self.known[number].head.as_ref().expect("it was read above"))
    }

    async fn read_head(&mut self, number: usize) -> Result<LogHead, Halt> {
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
        Ok(self.head_of(number, &bytes, at_end))
    }

    fn head_of(&self, number: usize, bytes: &[u8], at_end: bool) -> LogHead {
        let file = &self.log.files[number];
        let mut learnt = LineReader::with_format(&self.clock, self.format.as_ref());
        let sample = items_of(FileReader::new(file, learnt.clone()), bytes, at_end);
        let sampled = sample.iter().filter_map(FileItem::line);
        learnt.learn(sampled.map(|line| &line.raw[..]), file.modified);
        let mut reader = FileReader::new(file, learnt.clone());
        let (mut first, mut out) = (None, Vec::new());
        reader.push(bytes, &mut out);
        if at_end {
            reader.finish(&mut out);
        }
        for line in out.iter().filter_map(FileItem::line) {
            if line.time_from == TimeSource::Stamp {
                first.get_or_insert(line.time);
            }
        }
        let count = out.len().max(1);
        let written = bytes.len() - memchr::memchr_iter(0, bytes).count();
        let line = if out.is_empty() {
            written.max(USUAL_LINE)
        } else {
            (written / count).max(1)
        };
        let is_crlf = memchr::memchr(b'\n', bytes).is_some_and(|end| bytes[..end].ends_with(b"\r"));
        let line_end = 1 + u64::from(is_crlf);
        let stamped = reader.has_time;
        // What was only learnt has seen no stamp yet, and cannot say how one compares.
        let seen = reader.into_reader();
        let key = seen.timestamps().key();
        let undated = seen.timestamps().is_undated();
        LogHead {
            lines: learnt.with_records_of(seen),
            key,
            stamped,
            undated,
            first,
            line,
            line_end,
            failed: false,
        }
    }

    /// Whether the lines of a generation may be of several days without saying of which.
    pub(super) async fn may_hide_days(&mut self, number: usize) -> Result<bool, Halt> {
        let undated = self.head(number).await?.undated;
        let written = |number: usize| self.log.files[number].modified.0;
        // It was begun when the one before it was written to last.
        let is_short =
            number > 0 && written(number).saturating_sub(written(number - 1)) <= DAY_NANOS;
        Ok(undated && !is_short)
    }

    /// What reads this generation from `offset` on, where a line begins: `before` are bytes that
    /// stand before it, and more of them are read where they do not tell the time of what follows.
    pub(super) async fn reader(
        &mut self,
        number: usize,
        offset: u64,
        before: &[u8],
    ) -> Result<FileReader, Halt> {
        let head = self.head(number).await?;
        let stamped = head.stamped;
        let first = head.first;
        let lines = head.lines();
        let mut before = Bytes::copy_from_slice(before);
        let mut more = HEAD_BYTES * 4;
        loop {
            let from = offset - before.len() as u64;
            let file = self.file(number);
            let mut reader = FileReader::new(file, lines.clone()).split_from(from);
            if from == 0 {
                reader = reader.begun_at(first);
            }
            reader.push(&before, &mut Vec::new());
            if reader.has_time
                || !stamped
                || from == 0
                || before.len() >= MOST_HEAD_BYTES
                || is_hole(&before)
            {
                return Ok(reader.at(offset));
            }
            let earlier = from.saturating_sub(more as u64);
            let mut longer = BytesMut::from(&self.part(number, earlier, from).await?[..]);
            longer.extend_from_slice(&before);
            before = longer.freeze();
            more *= 4;
        }
    }

    /// The offset behind a hole that `from` is in. Read in few places: what lies between them
    /// belongs to the gap.
    pub(super) async fn hole_end(&mut self, number: usize, from: u64) -> Result<u64, Halt> {
        let length = self.length(number).await?;
        let (mut inside, mut step) = (from, HOLE_BYTES as u64);
        let mut outside = loop {
            let probe = inside.saturating_add(step);
            if probe >= length {
                break length;
            }
            if !self.is_hole_at(number, probe).await? {
                break probe;
            }
            (inside, step) = (probe, step * 2);
        };
        // The bytes at `inside` are NUL, those of the block at `outside` are not all.
        while outside - inside > HOLE_BYTES as u64 {
            let middle = inside + (outside - inside) / 2;
            if self.is_hole_at(number, middle).await? {
                inside = middle;
            } else {
                outside = middle;
            }
        }
        let rest = self
            .part(number, inside, (outside + HOLE_BYTES as u64).min(length))
            .await?;
        Ok(inside
            + rest
                .iter()
                .position(|&byte| byte != 0)
                .unwrap_or(rest.len()) as u64)
    }

    /// The offset at which the hole begins that ends at `to` or behind it.
    pub(super) async fn hole_begin(&mut self, number: usize, to: u64) -> Result<u64, Halt> {
        let block = HOLE_BYTES as u64;
        let (mut inside, mut step) = (to, block);
        // Places are those of the blocks that end there.
        let mut outside = loop {
            let probe = inside.saturating_sub(step);
            if probe <= block {
                break probe.min(block);
            }
            if !self.is_hole_at(number, probe - block).await? {
                break probe;
            }
            (inside, step) = (probe, step * 2);
        };
        while inside > outside + block {
            let middle = outside + (inside - outside) / 2;
            if self
                .is_hole_at(number, middle.saturating_sub(block))
                .await?
            {
                inside = middle;
            } else {
                outside = middle;
            }
        }
        let from = outside.saturating_sub(block);
        let rest = self.part(number, from, inside).await?;
        Ok(from
            + rest
                .iter()
                .rposition(|&byte| byte != 0)
                .map_or(0, |last| last as u64 + 1))
    }

    async fn is_hole_at(&mut self, number: usize, from: u64) -> Result<bool, Halt> {
        let (bytes, _) = self.read(number, from, HOLE_BYTES).await?;
        Ok(!bytes.is_empty() && bytes.iter().all(|&byte| byte == 0))
    }
}

/// Whether bytes are, or may be a part of, a hole in a file.
pub(super) fn is_hole(bytes: &[u8]) -> bool {
    bytes.len() >= HOLE_BYTES && bytes.iter().all(|&byte| byte == 0)
}

fn items_of(mut reader: FileReader, bytes: &[u8], at_end: bool) -> Vec<FileItem> {
    let mut items = Vec::new();
    reader.push(bytes, &mut items);
    if at_end {
        reader.finish(&mut items);
    }
    items
}
