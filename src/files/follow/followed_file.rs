//! One generation of a file: how far it was read, and how it is recognised.

use std::time::Duration;

use bytes::Bytes;

use crate::model::cursor::FileId;
use crate::model::gap::GapReason;
use crate::parse::split::{FileLineSplitter, FilePiece};

use super::messages::{FileFingerprint, FileStat, Watch};
use super::tail::LastLines;

/// Bytes kept to recognise a file by. Whoever reads on from an offset reads at least as many before
/// it again.
pub const MARKER: usize = 1024;

/// Most lines are written at once; one that is not whole for so long is waited for by whoever
/// watches.
const UNFINISHED_AFTER: Duration = Duration::from_millis(500);

/// As much of it as a screen shows.
const UNFINISHED_BYTES: usize = 16 << 10;

#[derive(Debug, Clone)]
pub(super) struct FollowedFile {
    pub(super) watch: Watch,
    pub(super) id: FileId,
    /// The next byte to be delivered.
    pub(super) offset: u64,
    /// The bytes before it.
    pub(super) marker: Vec<u8>,
    pub(super) lines: FileLineSplitter,
    /// Size when last seen.
    pub(super) size: u64,
    /// Nothing was left to read at the last look.
    pub(super) at_end: bool,
    /// It was read to its end before its file became another.
    pub(super) rested: bool,
    /// The last read under its name did not have the bytes that were known.
    pub(super) doubted: bool,
    /// Last time that it grew.
    pub(super) grew: Duration,
    /// Offset up to which a line without end was told of.
    pub(super) told: u64,
    pub(super) tail: Option<LastLines>,
    /// When it was changed last, by the host's clock.
    pub(super) changed: u64,
    pub(super) proof: SuccessionProof,
    /// Its first bytes, until it is proven that no other generation came before them.
    pub(super) held: Option<(FileStat, Vec<u8>)>,
    /// Its very first bytes, by which a copy of it is distinguished from what follows it.
    pub(super) head: Vec<u8>,
    /// It was read before, and forgotten: another file may have its number now.
    pub(super) recalled: bool,
    /// Its file has other bytes now: it is looked for as a copy, before it is lost for this reason.
    pub(super) rewritten: Option<GapReason>,
    /// Since when its successor waits though it may not be read.
    pub(super) denied: Option<Duration>,
}

/// Whether it is known that no generation came and went before this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SuccessionProof {
    /// Not at all.
    Wanted,
    /// None did before it was begun; but what was in it first may have been copied and cut off.
    OfName,
    /// It is.
    Done,
}

/// What a read turned out to be.
pub(super) enum ReadResult {
    /// What follows our offset.
    Lines(Vec<FilePiece>),
    /// It does not reach our offset, or begins behind it.
    WrongOffset,
    /// The bytes before our offset are not those we read.
    Rewritten,
}

impl FollowedFile {
    pub(super) fn new(watch: Watch, id: FileId, offset: u64, cut: bool, now: Duration) -> Self {
        Self {
            watch,
            id,
            offset,
            marker: Vec::new(),
            lines: FileLineSplitter::new(offset, cut),
            size: offset,
            at_end: false,
            rested: false,
            doubted: false,
            grew: now,
            told: offset,
            tail: None,
            changed: 0,
            proof: SuccessionProof::Done,
            held: None,
            head: Vec::new(),
            recalled: false,
            rewritten: None,
            denied: None,
        }
    }

    /// One that is read from its first byte, and may have had others before it.
    pub(super) fn unproven(watch: Watch, stat: FileStat, now: Duration) -> Self {
        Self {
            proof: SuccessionProof::Wanted,
            changed: stat.changed,
            ..Self::new(watch, stat.id, 0, false, now)
        }
    }

    /// Whether these bytes must wait for a proof that they are the next.
    pub(super) fn wants_proof(&self, stat: FileStat, bytes: &[u8]) -> bool {
        match self.proof {
            SuccessionProof::Wanted => true,
            SuccessionProof::OfName => {
                self.offset == 0 && (!bytes.is_empty() || stat.changed != self.changed)
            }
            SuccessionProof::Done => false,
        }
    }

    /// Nothing was ever in it.
    pub(super) fn is_empty(&self) -> bool {
        self.at_end && self.offset == 0
    }

    /// It is known to be there, or to have been, and nothing of it was seen yet.
    pub(super) fn was_never_read(&self) -> bool {
        !self.at_end && self.offset == 0 && self.held.is_none()
    }

    /// What is known of its file.
    pub(super) fn stat(&self) -> FileStat {
        FileStat {
            id: self.id,
            size: self.size,
            changed: self.changed,
        }
    }

    /// How it is known again under another number.
    pub(super) fn mark(&self) -> Option<FileFingerprint> {
        let since = self.changed / 1_000_000_000;
        (!self.marker.is_empty()).then(|| FileFingerprint {
            sum: cksum(&self.marker),
            length: self.marker.len(),
            since,
        })
    }

    /// Passes over NUL bytes that the host has found to end at `to`.
    pub(super) fn pass_hole(&mut self, to: u64) {
        self.lines.skip(to - self.offset);
        self.offset = to;
        self.marker = vec![0; MARKER];
    }

    /// Whether `bytes`, which begin at `start`, have our marker before our offset.
    pub(super) fn marker_matches(&self, start: u64, bytes: &[u8]) -> bool {
        let Some(known) = self
            .offset
            .checked_sub(start)
            .and_then(|known| usize::try_from(known).ok())
        else {
            return false;
        };
        let compared = self.marker.len().min(known);
        known <= bytes.len()
            && bytes[known - compared..known] == self.marker[self.marker.len() - compared..]
    }

    pub(super) fn take(
        &mut self,
        stat: FileStat,
        start: u64,
        bytes: &[u8],
        now: Duration,
    ) -> ReadResult {
        let end = start + bytes.len() as u64;
        if start > self.offset || end < self.offset {
            // Shorter than it said: the next look at the file tells why.
            return ReadResult::WrongOffset;
        }
        if !self.marker_matches(start, bytes) {
            return ReadResult::Rewritten;
        }
        let known = usize::try_from(self.offset - start).unwrap_or(usize::MAX);
        self.begin_at_line(bytes, known);
        let new = &bytes[known..];
        let mut pieces = Vec::new();
        self.lines.push(new, &mut pieces);
        self.remember(bytes);
        self.doubted = false;
        self.offset = end;
        self.size = stat.size.max(end);
        self.changed = stat.changed;
        self.recalled = false;
        self.rested = false;
        self.rewritten = None;
        self.denied = None;
        if start == 0 && self.head.len() < MARKER {
            self.head = bytes[..bytes.len().min(MARKER)].to_vec();
        }
        self.at_end = end >= stat.size;
        if !new.is_empty() {
            self.grew = now;
        }
        if let Some(tail) = &mut self.tail {
            tail.collect(&mut pieces);
        }
        ReadResult::Lines(pieces)
    }

    /// The beginning of a last line that has had no end for a while, once for each time that it
    /// grew.
    pub(super) fn unfinished(&mut self, now: Duration) -> Option<(u64, Bytes)> {
        let is_new = self.at_end && self.tail.is_none() && self.told != self.offset;
        let (offset, line) = self
            .lines
            .unfinished()
            .filter(|_| is_new && now >= self.grew + UNFINISHED_AFTER)?;
        self.told = self.offset;
        Some((
            offset,
            Bytes::copy_from_slice(&line[..line.len().min(UNFINISHED_BYTES)]),
        ))
    }

    /// A file that is begun in its middle may be begun at the start of a line, which is then whole.
    fn begin_at_line(&mut self, bytes: &[u8], known: usize) {
        if self.marker.is_empty() && known > 0 && bytes[known - 1] == b'\n' {
            self.lines = FileLineSplitter::new(self.offset, false);
        }
    }

    fn remember(&mut self, bytes: &[u8]) {
        if bytes.len() >= MARKER {
            self.marker.clear();
            self.marker
                .extend_from_slice(&bytes[bytes.len() - MARKER..]);
        } else if bytes.len() > self.marker.len() {
            self.marker = bytes.to_vec();
        }
    }
}

/// The sum of POSIX `cksum`, which every host can make: CRC-32 of the bytes and then their number,
/// most significant bit first.
pub(crate) fn cksum(bytes: &[u8]) -> u32 {
    let length = bytes.len() as u64;
    let length_bytes = (0..8 - length.leading_zeros() / 8).map(|n| (length >> (8 * n)) as u8);
    let step = |crc: u32, byte: u8| {
        (0..8).fold(crc ^ (u32::from(byte) << 24), |crc, _| {
            (crc << 1) ^ if crc >> 31 == 1 { 0x04C1_1DB7 } else { 0 }
        })
    };
    !bytes.iter().copied().chain(length_bytes).fold(0, step)
}
