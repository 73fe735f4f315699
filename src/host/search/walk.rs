//! Goes along the lines of a log, block by block, across its generations: [`Forth`] towards the
//! newest, [`Back`] towards the oldest. Each byte is read once; a little more before the first line
//! tells which record and time it belongs to.

use bytes::Bytes;
use memchr::{memchr, memrchr, memrchr_iter};

use crate::host::Files;
use crate::model::gap::GapReason;
use crate::parse::split::MAX_LINE;
use crate::query::request::MissingBytes;

use super::file_reader::{FileItem, FileReader};
use super::holes;
use super::stop_reason::StopReason;
use super::text::{At, LogText, is_hole};

/// So much is read before the first line.
const BEFORE_BYTES: usize = 2 << 10;

/// So much of that will do.
const LEAST_BEFORE_BYTES: usize = 1 << 10;

/// Blocks are not smaller: a read costs a round trip.
const LEAST_BLOCK: usize = 4 << 10;

/// Nor larger.
const MOST_BLOCK: usize = 1 << 20;

/// A compressed file is unpacked from its beginning for every read; so they are few and large.
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

    /// Goes on with the next of so many generations.
    pub(super) fn skip(&mut self, count: usize) {
        self.at = At::start_of(self.at.file + 1);
        self.reader = None;
        self.cut = false;
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
    ) -> Result<Option<Vec<FileItem>>, StopReason> {
        if self.is_over || self.at.file >= text.log.files.len() {
            return Ok(None);
        }
        let number = self.at.file;
        let line = text.head(number).await?.line;
        let wanted = block(lines, line, text.is_plain(number));
        let (bytes, is_end) = if self.reader.is_some() {
            text.read(number, self.at.offset, wanted).await?
        } else {
            self.first(text, wanted).await?
        };
        let reader = self.reader.as_mut().expect("the first block makes one");
        let items = reader.items_of(&bytes, is_end);
        if is_end {
            self.skip(text.log.files.len());
            return Ok(Some(items));
        }
        let read_from = self.at.offset;
        self.at.offset += bytes.len() as u64;
        if is_hole(&bytes) {
            let end = holes::hole_end(text, number, read_from).await?;
            reader.skip(end.saturating_sub(self.at.offset));
            self.at.offset = self.at.offset.max(end);
        }
        Ok(Some(items))
    }

    /// The first block of a generation, read together with what is before it.
    async fn first<F: Files>(
        &mut self,
        text: &mut LogText<'_, F>,
        wanted: usize,
    ) -> Result<(Bytes, bool), StopReason> {
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
struct HeldBytes {
    bytes: Bytes,
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
    ) -> Result<Option<Vec<FileItem>>, StopReason> {
        while self.at.offset == 0 {
            let Some(file) = self.at.file.checked_sub(1) else {
                return Ok(None);
            };
            self.at = At {
                file,
                offset: text.length(file).await?,
            };
        }
        let number = self.at.file;
        let line = text.head(number).await?.line;
        let mut wanted = BEFORE_BYTES + block(lines, line, text.is_plain(number));
        let mut held = HeldBytes {
            bytes: Bytes::new(),
            from: self.at.offset,
        };
        loop {
            let block = held.read(text, number, wanted).await?;
            let mut begin = held.begin_of(lines);
            if begin.is_none() && is_hole(&block) {
                return self.over_a_hole(text, &held).await.map(Some);
            }
            if begin.is_none() && held.bytes.len() >= MOST_HELD {
                begin = held.first_begin();
                if begin.is_none() {
                    return self.over_a_long_line(text, &held).await.map(Some);
                }
            }
            if let Some(begin) = begin {
                self.at.offset = begin;
                return held.items(text, self.at).await.map(Some);
            }
            wanted = block.len().saturating_mul(2).clamp(LEAST_BLOCK, MOST_BLOCK);
        }
    }

    /// What was read begins with a part of a hole: what is behind it, and the hole.
    async fn over_a_hole<F: Files>(
        &mut self,
        text: &mut LogText<'_, F>,
        held: &HeldBytes,
    ) -> Result<Vec<FileItem>, StopReason> {
        let nuls = held.bytes.iter().take_while(|&&byte| byte == 0).count();
        let behind = At {
            file: self.at.file,
            offset: held.from + nuls as u64,
        };
        self.at.offset = holes::hole_begin(text, behind.file, behind.offset).await?;
        let gap = self.gap_to(behind.offset, GapReason::NulBytes);
        let mut items = vec![FileItem::Gap(gap)];
        items.extend(held.items(text, behind).await?);
        Ok(items)
    }

    /// What was read is all of one line, which began before it.
    async fn over_a_long_line<F: Files>(
        &mut self,
        text: &mut LogText<'_, F>,
        held: &HeldBytes,
    ) -> Result<Vec<FileItem>, StopReason> {
        let end = self.at.offset;
        self.at.offset = held.from;
        while self.at.offset > 0 && end - self.at.offset < MOST_OF_A_LINE {
            let earlier = self.at.offset.saturating_sub(MOST_BLOCK as u64);
            let block = text.part(self.at.file, earlier, self.at.offset).await?;
            if let Some(newline) = memrchr(b'\n', &block) {
                self.at.offset = earlier + newline as u64 + 1;
                return self.long_line(text, end).await;
            }
            self.at.offset = earlier;
        }
        if self.at.offset == 0 {
            return self.long_line(text, end).await;
        }
        Ok(vec![FileItem::Gap(
            self.gap_to(end, GapReason::LineTooLong),
        )])
    }

    /// The beginning of a line that ends at `end`, and the gap of its rest.
    async fn long_line<F: Files>(
        &mut self,
        text: &mut LogText<'_, F>,
        end: u64,
    ) -> Result<Vec<FileItem>, StopReason> {
        let At { file, offset } = self.at;
        let most = end.min(offset + MAX_LINE as u64);
        let kept = text.part(file, offset, most).await?;
        let rest = MissingBytes {
            from: offset + kept.len() as u64,
            // The end of the line is not missing.
            to: Some(end - 1),
            reason: GapReason::LineTooLong,
        };
        let mut reader = text.reader(file, offset, b"").await?;
        let mut items = reader.items_of(&kept, true);
        items.push(FileItem::Gap(rest));
        Ok(items)
    }

    fn gap_to(&self, to: u64, reason: GapReason) -> MissingBytes {
        MissingBytes {
            from: self.at.offset,
            to: Some(to),
            reason,
        }
    }
}

impl HeldBytes {
    /// Reads what is before it.
    async fn read<F: Files>(
        &mut self,
        text: &mut LogText<'_, F>,
        number: usize,
        wanted: usize,
    ) -> Result<Bytes, StopReason> {
        let from = self.from.saturating_sub(wanted as u64);
        let block = text.part(number, from, self.from).await?;
        self.bytes = [&block[..], &self.bytes].concat().into();
        self.from = from;
        Ok(block)
    }

    /// Where the last so many lines begin, or the file; `None` where more has to be read to know.
    fn begin_of(&self, lines: usize) -> Option<u64> {
        let inner = self.bytes.strip_suffix(b"\n").unwrap_or(&self.bytes);
        let newline = memrchr_iter(b'\n', inner).nth(lines.saturating_sub(1));
        match newline.map(|newline| newline + 1) {
            Some(begin) if begin >= LEAST_BEFORE_BYTES || self.from == 0 => {
                Some(self.from + begin as u64)
            }
            _ => (self.from == 0).then_some(0),
        }
    }

    /// Where the first line begins that begins in it.
    fn first_begin(&self) -> Option<u64> {
        let inner = self.bytes.strip_suffix(b"\n").unwrap_or(&self.bytes);
        memchr(b'\n', inner).map(|newline| self.from + newline as u64 + 1)
    }

    /// All items from a place on at which a line begins; it ends where a line does, or the file.
    async fn items<F: Files>(
        &self,
        text: &mut LogText<'_, F>,
        at: At,
    ) -> Result<Vec<FileItem>, StopReason> {
        let known = (at.offset - self.from) as usize;
        let mut reader = text
            .reader(at.file, at.offset, &self.bytes[..known])
            .await?;
        Ok(reader.items_of(&self.bytes[known..], true))
    }
}
