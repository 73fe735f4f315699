//! What a scan sends: lines as `grep` prints them, or text as it stands in the file, cut into
//! pieces anywhere; and at its end, behind a mark, how it ended.

use bytes::Bytes;
use memchr::memchr;

use super::ended::damage;
use super::protocol::{PieceSize, ProgramsEnd, ScanForm, ScanStart};
use crate::files::access::{FileError, FoundLine, ScanBatch, ScanRequest};
use crate::model::log_file::Compression;
use crate::parse::split::MAX_LINE;

/// In front of a line stand its offset and a mark.
const MAX_HEAD: usize = 64;

/// A piece of so many bytes says that more waits behind it.
const MUCH: usize = 16 << 10;

/// A stream that is being read.
pub(super) struct ScanStream {
    form: ScanForm,
    /// Offset of the first byte that was looked at; of [`ScanForm::Text`], of the line that comes
    /// next.
    begin: u64,
    /// Where looking ends, where that is known.
    end: Option<u64>,
    compression: Compression,
    mark: String,
    /// The beginning of a line whose end has not come.
    partial: Vec<u8>,
    /// Bytes of it that are left out: a hole before it, and what is too long.
    hole: u64,
    dropped: u64,
    /// A line that is empty, or a part of the mark.
    pending: Option<FoundLine>,
    read_to: u64,
    /// Much came with the last piece.
    much: bool,
    /// Bytes that were asked for last.
    asked: usize,
    ended: Option<Option<FileError>>,
}

impl ScanStream {
    /// Of what announces it.
    pub(super) fn begin(start: ScanStart, token: &str, scan: &ScanRequest) -> Self {
        Self {
            form: start.form,
            begin: start.begin,
            end: start.end,
            compression: scan.file.compression,
            mark: format!("#{token} "),
            partial: Vec::new(),
            hole: 0,
            dropped: 0,
            pending: None,
            read_to: start.begin,
            much: false,
            asked: MUCH,
            ended: None,
        }
    }

    /// Whether NUL bytes come as bytes of the value 1.
    pub(super) fn has_no_nul(&self) -> bool {
        self.form == ScanForm::WithoutNul
    }

    /// What to ask for: what there is, or more where much waits; of so many bytes that the link
    /// may bring.
    pub(super) fn pieces(&mut self, share: usize) -> PieceSize {
        let most = if self.much { 256 } else { 64 };
        let kib = (share >> 10).clamp(4, most);
        self.asked = kib << 10;
        PieceSize {
            is_much: self.much,
            kib,
        }
    }

    /// How it ended, if it has: with the error that ended it.
    pub(super) fn ended(&self) -> Option<&Option<FileError>> {
        self.ended.as_ref()
    }

    /// Takes the bytes that follow.
    ///
    /// # Errors
    /// When a line is written as none of ours is; it is given back.
    pub(super) fn push(&mut self, piece: &Bytes) -> Result<ScanBatch, String> {
        self.much = piece.len() >= MUCH.min(self.asked);
        let mut lines = Vec::new();
        let mut at = 0;
        while let Some(length) = memchr(b'\n', &piece[at..]) {
            let part = piece.slice(at..at + length);
            at += length + 1;
            let line = if self.partial.is_empty() {
                part
            } else {
                self.keep(&part);
                std::mem::take(&mut self.partial).into()
            };
            self.line(line, &mut lines)?;
            if self.ended.is_some() {
                return Ok(ScanBatch {
                    lines,
                    read_to: self.end.unwrap_or(0).max(self.read_to),
                    is_cut: false,
                });
            }
        }
        self.keep(&piece[at..]);
        Ok(ScanBatch {
            lines,
            read_to: self.read_to,
            is_cut: false,
        })
    }

    fn keep(&mut self, part: &[u8]) {
        self.partial.extend_from_slice(part);
        if self.partial.len() > MAX_LINE {
            let head = self.head(&self.partial).map_or(0, |head| head.length);
            let hole = self.partial[head..]
                .iter()
                .take_while(|&&byte| byte == 0)
                .count();
            self.partial.drain(head..head + hole);
            self.hole += hole as u64;
            let kept = self.partial.len().min(head + MAX_LINE);
            self.dropped += (self.partial.len() - kept) as u64;
            self.partial.truncate(kept);
        }
    }

    fn line(&mut self, line: Bytes, lines: &mut Vec<FoundLine>) -> Result<(), String> {
        if let Some(how) = line.strip_prefix(self.mark.as_bytes()) {
            let end = ProgramsEnd::parse(&String::from_utf8_lossy(how));
            self.ended = Some(damage(&end, self.compression));
            return Ok(());
        }
        if self.form != ScanForm::Text && matches!(&line[..], b"" | b"--") {
            return Ok(());
        }
        let head = self
            .head(&line)
            .ok_or_else(|| String::from_utf8_lossy(&line[..line.len().min(80)]).into_owned())?;
        let (found, after) = self.found_line(&head, &line);
        lines.extend(self.pending.take());
        // A hole at the end of a file is no line.
        if found.raw.is_empty() && self.end.is_some_and(|end| found.offset >= end) {
            return Ok(());
        }
        if self.form == ScanForm::Text {
            self.begin = after;
        }
        if self.form == ScanForm::Text && found.raw.is_empty() {
            // Seen to be one by what follows.
            self.pending = Some(found);
        } else {
            self.read_to = after;
            lines.push(found);
        }
        Ok(())
    }

    /// The line behind a head, without the hole before it; and the offset behind its end.
    fn found_line(&mut self, head: &ScanHead, line: &Bytes) -> (FoundLine, u64) {
        let begin = head.offset + std::mem::take(&mut self.hole);
        let dropped = std::mem::take(&mut self.dropped);
        let text = line.slice(head.length..);
        let hole = text.iter().take_while(|&&byte| byte == 0).count();
        let mut raw = text.slice(hole..);
        if dropped == 0 && raw.ends_with(b"\r") {
            raw.truncate(raw.len() - 1);
        }
        let found = FoundLine {
            offset: begin + hole as u64,
            raw,
            is_hit: head.is_hit,
        };
        (found, begin + text.len() as u64 + dropped + 1)
    }

    /// What stands before the text of a line.
    fn head(&self, line: &[u8]) -> Option<ScanHead> {
        if self.form == ScanForm::Text {
            return Some(ScanHead {
                offset: self.begin,
                is_hit: true,
                length: 0,
            });
        }
        let digits = line
            .iter()
            .take(MAX_HEAD)
            .position(|byte| matches!(byte, b':' | b'-'))?;
        let offset: u64 = std::str::from_utf8(&line[..digits]).ok()?.parse().ok()?;
        Some(ScanHead {
            offset: self.begin + offset,
            is_hit: line[digits] == b':',
            length: digits + 1,
        })
    }
}

struct ScanHead {
    offset: u64,
    is_hit: bool,
    length: usize,
}
