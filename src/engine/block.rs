//! A stretch of a file's text in memory, cut into lines: the lines that are being looked at, and
//! those before them that may still be wanted. Lines are those of `parse::split`: they end with LF
//! or CRLF, NUL bytes before a line are a hole that does not belong to it, and only the beginning
//! of a line that is too long is kept.

use std::ops::Range;

use memchr::{memchr, memrchr};

use crate::files::access::FileError;

use super::text::PlainText;
use super::{ScanLimits, StopFlag};

/// Lines that are kept for being shown before a later one have so many bytes at most.
const MAX_KEPT: usize = 4 << 20;

/// Where in a piece of text to go on, if that is in it.
type End = fn(&[u8]) -> Option<usize>;

/// Lines before a position that are still wanted.
#[derive(Clone, Copy)]
pub(super) struct KeptLines {
    /// So many at most.
    pub(super) count: u32,
    /// None that begins before this position.
    pub(super) from: usize,
}

/// The stretch. Positions in it are not offsets: what was passed over is missing.
pub(super) struct TextBlock {
    limits: ScanLimits,
    bytes: Vec<u8>,
    /// Offset of the first byte.
    base: u64,
    /// Positions before which so many bytes were passed over.
    jumps: Vec<(usize, u64)>,
    /// The last line is whole, for nothing follows it.
    ended: bool,
    /// No line is wanted that begins here or later.
    to: u64,
    /// A line was too long, and its end was passed over.
    shortened: bool,
}

impl TextBlock {
    /// Begins with the first line that begins at `from` or later; lines that begin at `to` or later
    /// are not wanted.
    pub(super) fn begin(
        text: &mut PlainText,
        from: u64,
        to: u64,
        limits: ScanLimits,
        stop: &StopFlag,
    ) -> Result<Self, FileError> {
        let mut block = Self {
            limits,
            bytes: Vec::new(),
            base: from,
            jumps: Vec::new(),
            ended: false,
            to,
            shortened: false,
        };
        if from > 0 {
            block.ended = !text.skip_to(from - 1, stop)?;
            block.base = text.offset();
            block.pass_line(text, stop)?;
        }
        Ok(block)
    }

    /// The bytes of whole lines.
    pub(super) fn lines(&self) -> &[u8] {
        let end = if self.ended {
            self.bytes.len()
        } else {
            memrchr(b'\n', &self.bytes).map_or(0, |at| at + 1)
        };
        &self.bytes[..end]
    }

    /// Whether the end of a line was passed over since this was asked last.
    pub(super) fn take_shortened(&mut self) -> bool {
        std::mem::take(&mut self.shortened)
    }

    /// Nothing follows.
    pub(super) fn is_ended(&self) -> bool {
        self.ended
    }

    /// Of the byte at a position, or of the one that follows the last.
    pub(super) fn offset(&self, position: usize) -> u64 {
        let passed: u64 = self
            .jumps
            .iter()
            .filter(|(at, _)| *at <= position)
            .map(|(_, passed)| passed)
            .sum();
        self.base + position as u64 + passed
    }

    /// Where the line at a position ends, with its line end.
    pub(super) fn end_of_line(&self, position: usize) -> usize {
        memchr(b'\n', &self.bytes[position..]).map_or(self.bytes.len(), |at| position + at + 1)
    }

    /// Where the line around a position begins.
    pub(super) fn start_of_line(&self, position: usize) -> usize {
        memrchr(b'\n', &self.bytes[..position]).map_or(0, |at| at + 1)
    }

    /// Where the line begins that is `count` lines before the one at `position`, though not
    /// before `low`.
    pub(super) fn lines_before(&self, position: usize, count: u32, low: usize) -> usize {
        let mut start = position;
        for _ in 0..count {
            if start <= low {
                break;
            }
            start = self.start_of_line(start - 1).max(low);
        }
        start
    }

    /// The line that begins at a position, without its line end or with the CR of it; `None` where
    /// there is but a hole at the end.
    pub(super) fn line(&self, position: usize) -> Option<Range<usize>> {
        let end = self.end_of_line(position);
        let whole = &self.bytes[position..end];
        let text = whole.strip_suffix(b"\n").unwrap_or(whole);
        let hole = text.iter().take_while(|&&byte| byte == 0).count();
        if hole == whole.len() {
            return None;
        }
        Some(position + hole..position + (hole + self.limits.max_line).min(text.len()))
    }

    /// Bytes of a range of positions.
    pub(super) fn get(&self, range: Range<usize>) -> &[u8] {
        &self.bytes[range]
    }

    /// Forgets what is before a position, except for the lines to keep, and reads on. Returns how
    /// many bytes it forgot.
    pub(super) fn advance(
        &mut self,
        text: &mut PlainText,
        position: usize,
        kept: KeptLines,
        stop: &StopFlag,
    ) -> Result<usize, FileError> {
        let low = kept.from.max(position.saturating_sub(MAX_KEPT));
        let keep = match self.lines_before(position, kept.count, low) {
            // Not where a line begins.
            start if start > 0 && self.bytes[start - 1] != b'\n' => {
                self.end_of_line(start).min(position)
            }
            start => start,
        };
        self.drop_before(keep);
        let start = position - keep;
        self.read(text, stop)?;
        if !self.ended
            && self.bytes.len() - start > self.limits.max_line + 1
            && memchr(b'\n', &self.bytes[start..]).is_none()
        {
            self.shorten(text, start, stop)?;
        }
        Ok(keep)
    }

    fn drop_before(&mut self, keep: usize) {
        self.base = self.offset(keep);
        self.jumps.retain_mut(|(at, _)| {
            let kept = *at > keep;
            *at = at.saturating_sub(keep);
            kept
        });
        self.bytes.drain(..keep);
    }

    fn read(&mut self, text: &mut PlainText, stop: &StopFlag) -> Result<(), FileError> {
        let had = self.bytes.len();
        self.bytes.resize(had + self.limits.block, 0);
        let read = text.read(&mut self.bytes[had..], stop);
        self.bytes.truncate(had + *read.as_ref().unwrap_or(&0));
        // Also where there is more that cannot be read: before the error the last line is shown as
        // far as it goes.
        self.ended = read != Ok(self.limits.block);
        stop.check()
    }

    /// Makes room where a line has not ended for long: a hole before it is passed over, or what it
    /// has too much.
    fn shorten(
        &mut self,
        text: &mut PlainText,
        start: usize,
        stop: &StopFlag,
    ) -> Result<(), FileError> {
        let hole = self.bytes[start..]
            .iter()
            .take_while(|&&byte| byte == 0)
            .count();
        // One byte of it stays, for there the line begins.
        if hole > 1 {
            let end = self.offset(start + hole);
            let behind = self.bytes.split_off(start + hole);
            self.bytes.truncate(start + 1);
            self.go_on_at(end);
            self.bytes.extend(behind);
            return if self.bytes.len() == start + 1 {
                self.pass_hole(text, stop)
            } else {
                Ok(())
            };
        }
        self.shortened = true;
        self.bytes.truncate(start + hole + self.limits.max_line);
        self.bytes.push(b'\n');
        self.pass_line(text, stop)
    }

    /// The byte that is added next has this offset.
    fn go_on_at(&mut self, offset: u64) {
        let at = self.bytes.len();
        let expected = self.offset(self.bytes.len());
        debug_assert!(
            offset >= expected || self.ended,
            "{offset} stands before {expected}"
        );
        self.jumps.push((at, offset.saturating_sub(expected)));
    }

    /// Passes over the rest of a line.
    fn pass_line(&mut self, text: &mut PlainText, stop: &StopFlag) -> Result<(), FileError> {
        let to = self.to;
        self.pass(text, to, stop, |piece| {
            memchr(b'\n', piece).map(|at| at + 1)
        })
    }

    /// Passes over bytes that were never written.
    fn pass_hole(&mut self, text: &mut PlainText, stop: &StopFlag) -> Result<(), FileError> {
        self.pass(text, u64::MAX, stop, |piece| {
            piece.iter().position(|&byte| byte != 0)
        })
    }

    /// Passes over text until `end` says where to go on in a piece of it, or to an offset behind
    /// which no line begins that is wanted. Holes have no line end.
    fn pass(
        &mut self,
        text: &mut PlainText,
        to: u64,
        stop: &StopFlag,
        end: End,
    ) -> Result<(), FileError> {
        let mut piece = vec![0; self.limits.block];
        while !self.ended && text.offset() < to {
            text.skip_hole();
            let offset = text.offset();
            let read = text.read(&mut piece, stop);
            stop.check()?;
            self.ended = read != Ok(self.limits.block);
            let read = read.unwrap_or(0);
            if let Some(at) = end(&piece[..read]) {
                self.go_on_at(offset + at as u64);
                self.bytes.extend_from_slice(&piece[at..read]);
                return Ok(());
            }
        }
        self.ended = true;
        self.go_on_at(text.offset());
        Ok(())
    }
}
