//! Along the lines of a log, block by block, across its generations: [`Forth`] towards the newest,
//! [`Back`] towards the oldest. Each byte is read once; a little more before the first line tells
//! which record and time it belongs to.

use bytes::{Bytes, BytesMut};
use memchr::{memchr_iter, memrchr, memrchr_iter};

use crate::host::Files;
use crate::model::gap::GapReason;
use crate::parse::split::MAX_LINE;
use crate::query::request::MissingBytes;

use super::Halt;
use super::file_reader::{FileItem, FileReader};
use super::text::{At, LogText, is_hole};

/// So much is read before the first line.
const BEFORE_BYTES: usize = 2 << 10;

/// So much of that will do.
const LEAST_BEFORE_BYTES: usize = 1 << 10;

/// Blocks are not smaller: a read costs a round trip.
const LEAST_BLOCK: usize = 4 << 10;

/// Nor larger.
const MOST_BLOCK: usize = 1 << 20;

/// Every read of a compressed file begins at its beginning; so they are few and large.
const PACKED_BLOCK: usize = 1 << 20;

/// Towards the oldest, what is held until enough lines begin in it.
const MOST_HELD: usize = 4 << 20;

/// A line that is longer is not followed back to its beginning.
const MOST_OF_A_LINE: u64 = 64 << 20;

/// How much to read for so many lines.
fn block(lines: usize, line: usize, is_plain: bool) -> usize {
    let wanted = lines.saturating_mul(line).saturating_mul(5) / 4;
    if is_plain {
        wanted.clamp(LEAST_BLOCK, MOST_BLOCK)
    } else {
        PACKED_BLOCK
    }
}

/// Towards the newest line.
pub(super) struct Forth {
    at: At,
    reader: Option<FileReader>,
    /// It may begin in the middle of a line, which is left out.
    cut: bool,
    is_over: bool,
}

impl Forth {
    /// From a place on at which a line begins.
    pub(super) fn new(at: At) -> Self {
        Self {
            at,
            reader: None,
            cut: false,
            is_over: false,
        }
    }

    /// From the first line on that begins behind a place.
    pub(super) fn within(at: At) -> Self {
        Self {
            cut: at.offset > 0,
            ..Self::new(at)
        }
    }

    /// The generation that is read next.
    pub(super) fn file(&self) -> usize {
        self.at.file
    }

    /// Goes on with the next generation: this one cannot be read.
    pub(super) fn skip(&mut self, count: usize) {
        (self.at, self.reader, self.cut) = (
            At {
                file: self.at.file + 1,
                offset: 0,
            },
            None,
            false,
        );
        self.is_over = self.at.file >= count;
    }

    /// All has been given.
    pub(super) fn is_at_end(&self) -> bool {
        self.is_over
    }

    /// The items that follow, about so many lines (perhaps none); `None` at the end of the log.
    pub(super) async fn next<F: Files>(
        &mut self,
        text: &mut LogText<'_, F>,
        lines: usize,
    ) -> Result<Option<Vec<FileItem>>, Halt> {
        if self.is_over || self.at.file >= text.log.files.len() {
            return Ok(None);
        }
        let number = self.at.file;
        let line = text.head(number).await?.line;
        let wanted = block(lines, line, text.is_plain(number));
        let mut items = Vec::new();
        let (bytes, is_end) = match &mut self.reader {
            Some(_) => text.read(number, self.at.offset, wanted).await?,
            None => self.first(text, wanted).await?,
        };
        let reader = self.reader.as_mut().expect("the first block makes one");
        reader.push(&bytes, &mut items);
        self.at.offset += bytes.len() as u64;
        if is_hole(&bytes) && !is_end {
            let end = text
                .hole_end(number, self.at.offset - bytes.len() as u64)
                .await?;
            reader.skip(end.saturating_sub(self.at.offset));
            self.at.offset = self.at.offset.max(end);
        }
        if is_end {
            reader.finish(&mut items);
            (self.at, self.reader) = (
                At {
                    file: number + 1,
                    offset: 0,
                },
                None,
            );
            self.is_over = self.at.file >= text.log.files.len();
        }
        Ok(Some(items))
    }

    /// The first block of a generation, read at once with what stands before it.
    async fn first<F: Files>(
        &mut self,
        text: &mut LogText<'_, F>,
        wanted: usize,
    ) -> Result<(Bytes, bool), Halt> {
        let At { file, offset } = self.at;
        let from = offset.saturating_sub(BEFORE_BYTES as u64);
        let known = (offset - from) as usize;
        let (bytes, is_end) = text.read(file, from, known + wanted).await?;
        let before = bytes.slice(..known.min(bytes.len()));
        if before.len() < known {
            return Err(text.shrunk(file));
        }
        let reader = text.reader(file, offset, &before).await?;
        self.reader = Some(if std::mem::take(&mut self.cut) {
            reader.split_from(offset)
        } else {
            reader
        });
        Ok((bytes.slice(known..), is_end))
    }
}

/// Towards the oldest line.
pub(super) struct Back {
    /// The first byte of what was given last.
    pub(super) at: At,
}

/// What is held of a generation until it is known where its lines begin.
struct HeldItems {
    bytes: BytesMut,
    from: u64,
}

impl Back {
    /// From a place back at which a line begins, or a generation ends.
    pub(super) fn new(at: At) -> Self {
        Self { at }
    }

    /// Goes on with the generation before: this one, or the end of the one before, cannot be read.
    pub(super) fn skip(&mut self) {
        let file = if self.at.offset == 0 {
            self.at.file.saturating_sub(1)
        } else {
            self.at.file
        };
        self.at = At { file, offset: 0 };
    }

    /// The items before, in the order of the log, with about so many lines and not more (perhaps
    /// none); `None` at its beginning.
    pub(super) async fn next<F: Files>(
        &mut self,
        text: &mut LogText<'_, F>,
        lines: usize,
    ) -> Result<Option<Vec<FileItem>>, Halt> {
        while self.at.offset == 0 {
            let Some(file) = self.at.file.checked_sub(1) else {
                return Ok(None);
            };
            self.at = At {
                file,
                offset: text.length(file).await?,
            };
        }
        let At {
            file: number,
            offset: end,
        } = self.at;
        let line = text.head(number).await?.line;
        let mut wanted = BEFORE_BYTES + block(lines, line, text.is_plain(number));
        let mut held = HeldItems {
            bytes: BytesMut::new(),
            from: end,
        };
        let begin = loop {
            let block = held.read(text, number, wanted).await?;
            if let Some(begin) = held.begin_of(lines) {
                break begin;
            }
            if held.from == 0 {
                break 0;
            }
            if is_hole(&block) {
                return self.over_a_hole(text, &held).await.map(Some);
            }
            if held.bytes.len() >= MOST_HELD {
                match held.first_begin() {
                    Some(begin) => break begin,
                    None => return self.over_a_long_line(text, &held).await.map(Some),
                }
            }
            wanted = block.len().saturating_mul(2).clamp(LEAST_BLOCK, MOST_BLOCK);
        };
        self.at.offset = begin;
        held.items(text, number, begin).await.map(Some)
    }

    /// What was read begins with a part of a hole: what stands behind it, and the hole.
    async fn over_a_hole<F: Files>(
        &mut self,
        text: &mut LogText<'_, F>,
        held: &HeldItems,
    ) -> Result<Vec<FileItem>, Halt> {
        let nuls = held.bytes.iter().take_while(|&&byte| byte == 0).count();
        let behind = held.from + nuls as u64;
        let begin = text.hole_begin(self.at.file, behind).await?;
        let gap = MissingBytes {
            from: begin,
            to: Some(behind),
            reason: GapReason::NulBytes,
        };
        self.at.offset = begin;
        let mut items = vec![FileItem::Gap(gap)];
        let reader = text
            .reader(self.at.file, behind, &held.bytes[..nuls])
            .await?;
        items.extend(cut(reader, &held.bytes[nuls..]));
        Ok(items)
    }

    /// What was read is all of one line, which began before it.
    async fn over_a_long_line<F: Files>(
        &mut self,
        text: &mut LogText<'_, F>,
        held: &HeldItems,
    ) -> Result<Vec<FileItem>, Halt> {
        let (number, end) = (self.at.file, self.at.offset);
        let mut from = held.from;
        while from > 0 && end - from < MOST_OF_A_LINE {
            let earlier = from.saturating_sub(MOST_BLOCK as u64);
            let block = text.part(number, earlier, from).await?;
            if let Some(newline) = memrchr(b'\n', &block) {
                let begin = earlier + newline as u64 + 1;
                self.at.offset = begin;
                return self.long_line(text, begin, end).await;
            }
            from = earlier;
        }
        self.at.offset = from;
        if from == 0 {
            return self.long_line(text, from, end).await;
        }
        Ok(vec![FileItem::Gap(MissingBytes {
            from,
            to: Some(end),
            reason: GapReason::LineTooLong,
        })])
    }

    async fn long_line<F: Files>(
        &mut self,
        text: &mut LogText<'_, F>,
        begin: u64,
        end: u64,
    ) -> Result<Vec<FileItem>, Halt> {
        let kept = text
            .part(self.at.file, begin, end.min(begin + MAX_LINE as u64))
            .await?;
        let line = FileItem::Line(
            text.reader(self.at.file, begin, b"")
                .await?
                .line(begin, kept.clone()),
        );
        let from = begin + kept.len() as u64;
        // The end of the line is not missing.
        let gap = MissingBytes {
            from,
            to: Some(end - 1),
            reason: GapReason::LineTooLong,
        };
        Ok(vec![line, FileItem::Gap(gap)])
    }
}

impl HeldItems {
    /// Reads what stands before.
    async fn read<F: Files>(
        &mut self,
        text: &mut LogText<'_, F>,
        number: usize,
        wanted: usize,
    ) -> Result<Bytes, Halt> {
        let from = self.from.saturating_sub(wanted as u64);
        let block = text.part(number, from, self.from).await?;
        let mut bytes = BytesMut::with_capacity(block.len() + self.bytes.len());
        bytes.extend_from_slice(&block);
        bytes.extend_from_slice(&self.bytes);
        (self.bytes, self.from) = (bytes, from);
        Ok(block)
    }

    /// Where the last so many lines begin, if enough stands before them.
    fn begin_of(&self, lines: usize) -> Option<u64> {
        let inner = self.bytes.strip_suffix(b"\n").unwrap_or(&self.bytes);
        let newline = memrchr_iter(b'\n', inner).nth(lines.saturating_sub(1))?;
        let begin = newline + 1;
        (begin >= LEAST_BEFORE_BYTES || self.from == 0).then_some(self.from + begin as u64)
    }

    /// Where the first line begins that begins in it.
    fn first_begin(&self) -> Option<u64> {
        let inner = self.bytes.strip_suffix(b"\n").unwrap_or(&self.bytes);
        memchr_iter(b'\n', inner)
            .next()
            .map(|newline| self.from + newline as u64 + 1)
    }

    async fn items<F: Files>(
        self,
        text: &mut LogText<'_, F>,
        number: usize,
        begin: u64,
    ) -> Result<Vec<FileItem>, Halt> {
        let known = (begin - self.from) as usize;
        let reader = text.reader(number, begin, &self.bytes[..known]).await?;
        Ok(cut(reader, &self.bytes[known..]))
    }
}

/// All items of bytes that end where a line does, or the file.
fn cut(mut reader: FileReader, bytes: &[u8]) -> Vec<FileItem> {
    let mut items = Vec::new();
    reader.push(bytes, &mut items);
    reader.finish(&mut items);
    items
}
