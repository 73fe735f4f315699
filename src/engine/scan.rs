//! Looks for lines in a file: those that pass a filter, and those around them. One block of lines
//! is searched at once, and only what is found is cut into lines.

use bytes::Bytes;
use regex::bytes::Regex;

use crate::files::access::{FileError, FoundLine, ScanBatch, ScanRequest};

use super::block::{KeptLines, TextBlock};
use super::needle::needle;
use super::text::PlainText;
use super::{ScanLimits, StopFlag};

/// What a line takes besides its bytes, about.
const LINE_OVERHEAD: usize = 64;

/// A scan over so much asks the system not to keep the text in memory in place of what others need.
const BIG: u64 = 256 << 20;
const FORGOTTEN: u64 = 8 << 20;

/// A scan under way.
pub struct FileScanner {
    limits: ScanLimits,
    text: PlainText,
    block: TextBlock,
    needle: Option<Regex>,
    to: u64,
    before: u32,
    after: u32,
    /// Lines that are still wanted after the last hit.
    owed: u32,
    /// Position of the first line that has not been looked at.
    at: usize,
    /// Position behind the last line that was told.
    told: usize,
    /// Of a big scan, how far the system was told that it may forget.
    forgotten: Option<u64>,
    over: bool,
    /// What is looked for is in what is too much of a line.
    is_cut: bool,
    failed: Option<FileError>,
}

impl FileScanner {
    /// Begins to look.
    ///
    /// # Errors
    /// When the file is gone, another one, damaged before the range, or may not be read.
    pub fn new(scan: &ScanRequest, stop: &StopFlag) -> Result<Self, FileError> {
        Self::with_limits(scan, ScanLimits::default(), stop)
    }

    pub(super) fn with_limits(
        scan: &ScanRequest,
        limits: ScanLimits,
        stop: &StopFlag,
    ) -> Result<Self, FileError> {
        let mut text = PlainText::open(&scan.file)?;
        // What is appended during the scan is not waited for.
        let to = text.length().map_or(scan.to, |length| scan.to.min(length));
        let block = TextBlock::begin(&mut text, scan.from, to, limits, stop)?;
        let forgotten =
            (text.length().is_some() && to.saturating_sub(scan.from) > BIG).then_some(scan.from);
        let before = scan.before;
        let after = scan.after;
        let needle = needle(&scan.filter);
        Ok(Self {
            limits,
            text,
            block,
            needle,
            to,
            before,
            after,
            owed: 0,
            at: 0,
            told: 0,
            forgotten,
            over: false,
            is_cut: false,
            failed: None,
        })
    }

    /// What is found next, or how far it got; `None` at the end.
    ///
    /// # Errors
    /// When the file cannot be read any further; what was found before has been told.
    pub fn next(&mut self, stop: &StopFlag) -> Result<Option<ScanBatch>, FileError> {
        if self.over {
            return self.failed.take().map_or(Ok(None), Err);
        }
        let mut piece = ScanPiece::new(self.limits.piece);
        let began = self.block.offset(self.at);
        while !self.over
            && !piece.is_full()
            && self.block.offset(self.at).saturating_sub(began) < self.limits.silent
        {
            self.look(&mut piece);
            if self.at == self.block.lines().len() && !self.over && !piece.is_full() {
                self.go_on(stop)?;
            }
        }
        let read_to = self.block.offset(self.at);
        self.forget(read_to);
        let is_shortened = self.needle.is_some() && self.block.take_shortened();
        let is_cut = std::mem::take(&mut self.is_cut) || is_shortened;
        Ok(Some(ScanBatch {
            is_cut,
            ..piece.finish(read_to)
        }))
    }

    fn go_on(&mut self, stop: &StopFlag) -> Result<(), FileError> {
        if self.block.is_ended() {
            self.over = true;
            self.failed = self.text.failure();
            return Ok(());
        }
        let kept = KeptLines {
            count: self.before,
            from: self.told,
        };
        let dropped = self.block.advance(&mut self.text, self.at, kept, stop)?;
        self.at -= dropped;
        self.told = self.told.saturating_sub(dropped);
        Ok(())
    }

    fn forget(&mut self, read_to: u64) {
        if let Some(forgotten) = &mut self.forgotten
            && read_to - *forgotten > FORGOTTEN
        {
            self.text.forget(*forgotten..read_to);
            *forgotten = read_to;
        }
    }

    /// Looks at the lines that are in memory, until there are enough for one piece.
    fn look(&mut self, piece: &mut ScanPiece) {
        while self.at < self.block.lines().len() && !self.over && !piece.is_full() {
            let hit = self.find();
            self.tell_after(hit.unwrap_or(self.block.lines().len()), piece);
            if self.over || piece.is_full() {
                return;
            }
            match hit {
                Some(hit) if self.block.offset(hit) < self.to => self.tell_hit(hit, piece),
                Some(_) => self.over = true,
                None => self.at = self.block.lines().len(),
            }
        }
        self.over |= self.block.offset(self.at) >= self.to;
    }

    /// The next line that passes the filter; notes one that might with what is not kept of it.
    fn find(&mut self) -> Option<usize> {
        let mut from = self.at;
        while from < self.block.lines().len() {
            let lines = self.block.lines();
            let start = match &self.needle {
                None => from,
                Some(needle) => {
                    let found = needle.find_at(lines, from)?.start();
                    self.block
                        .start_of_line(found.min(lines.len() - 1))
                        .max(from)
                }
            };
            if self.is_hit(start) {
                return Some(start);
            }
            self.is_cut |= self.block.line(start).is_some();
            from = self.block.end_of_line(start);
        }
        None
    }

    /// What is looked for must be in what is kept of a line, not in what is too much of it.
    fn is_hit(&self, start: usize) -> bool {
        let Some(line) = self.block.line(start) else {
            return false;
        };
        line.len() < self.limits.max_line
            || self
                .needle
                .as_ref()
                .is_none_or(|needle| needle.is_match(self.block.get(line)))
    }

    /// Tells the lines before `limit` that are wanted after the last hit.
    fn tell_after(&mut self, limit: usize, piece: &mut ScanPiece) {
        while self.owed > 0 && self.at < limit && !piece.is_full() {
            if self.block.offset(self.at) >= self.to {
                self.over = true;
                return;
            }
            self.owed -= 1;
            self.tell(self.at, false, piece);
        }
    }

    fn tell_hit(&mut self, hit: usize, piece: &mut ScanPiece) {
        let mut line = self.block.lines_before(hit, self.before, self.told);
        while line < hit {
            self.tell(line, false, piece);
            line = self.told;
        }
        self.tell(hit, true, piece);
        self.owed = self.after;
    }

    fn tell(&mut self, line: usize, is_hit: bool, piece: &mut ScanPiece) {
        if let Some(shown) = self.block.line(line) {
            let text = self.block.get(shown.clone());
            piece.add(
                self.block.offset(shown.start),
                text.strip_suffix(b"\r").unwrap_or(text),
                is_hit,
            );
        }
        self.told = self.block.end_of_line(line);
        self.at = self.told;
    }
}

/// Lines on their way, in one allocation.
struct ScanPiece {
    /// What makes it full.
    limit: usize,
    bytes: Vec<u8>,
    lines: Vec<(u64, usize, bool)>,
}

impl ScanPiece {
    fn new(limit: usize) -> Self {
        Self {
            limit,
            bytes: Vec::new(),
            lines: Vec::new(),
        }
    }

    fn is_full(&self) -> bool {
        self.bytes.len() + self.lines.len() * LINE_OVERHEAD >= self.limit
    }

    fn add(&mut self, offset: u64, line: &[u8], is_hit: bool) {
        self.bytes.extend_from_slice(line);
        self.lines.push((offset, self.bytes.len(), is_hit));
    }

    fn finish(self, read_to: u64) -> ScanBatch {
        let bytes = Bytes::from(self.bytes);
        let mut start = 0;
        let found = self.lines.into_iter().map(|(offset, end, is_hit)| {
            let raw = bytes.slice(start..end);
            start = end;
            FoundLine {
                offset,
                raw,
                is_hit,
            }
        });
        ScanBatch {
            lines: found.collect(),
            read_to,
            is_cut: false,
        }
    }
}
