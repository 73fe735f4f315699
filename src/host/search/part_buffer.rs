//! Holds what a part of a search brings until it is over, in bounded memory. A part that brings more
//! is cut there, and the rest is looked at again; `match_scan` does that.

use std::collections::VecDeque;

use crate::files::access::FileError;

use super::runs::RecordCandidate;

/// How much is looked at, and held, at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct PartLimits {
    /// Bytes of the first part of a plain file, and of the smallest where much is found.
    pub(super) least: u64,
    /// Bytes of the largest part.
    pub(super) most: u64,
    /// A part that brings more bytes of lines is cut there.
    pub(super) held: usize,
}

impl Default for PartLimits {
    fn default() -> Self {
        Self {
            least: 1 << 20,
            most: 64 << 20,
            held: 8 << 20,
        }
    }
}

/// Records of a part that are to be read by themselves; beyond that the part is cut there.
const MOST_OPEN: usize = 256;

/// What a part has brought.
pub(super) struct PartBuffer {
    limits: PartLimits,
    newest_first: bool,
    /// In the order of the file.
    candidates: VecDeque<RecordCandidate>,
    bytes: usize,
    opens: usize,
    /// Only what lies before this offset (or, newest first, from it on) has been looked at.
    pub(super) cut: Option<u64>,
    /// The file could not be read further; what was found before that is good.
    pub(super) failed: Option<FileError>,
    /// So many were open.
    pub(super) were_open: usize,
}

impl PartBuffer {
    pub(super) fn new(limits: PartLimits, newest_first: bool) -> Self {
        Self {
            limits,
            newest_first,
            candidates: VecDeque::new(),
            bytes: 0,
            opens: 0,
            cut: None,
            failed: None,
            were_open: 0,
        }
    }

    /// Adds the next candidate. True where the part is to be cut: it goes on from there later.
    pub(super) fn push(&mut self, candidate: RecordCandidate, wanted: u64) -> bool {
        self.bytes += candidate.size();
        self.opens += usize::from(candidate.is_open());
        self.candidates.push_back(candidate);
        while self.is_full(wanted) && self.candidates.len() > 1 {
            if !self.newest_first {
                // The next part begins with this one, which is found again.
                self.cut = self.take(false).map(|next| next.offset());
                return true;
            }
            self.take(true);
            self.cut = self.candidates.front().map(RecordCandidate::offset);
        }
        false
    }

    /// Takes out the candidate that is decided next.
    pub(super) fn pop(&mut self) -> Option<RecordCandidate> {
        self.take(!self.newest_first)
    }

    /// Takes out the first candidate if nothing is to be read for it.
    pub(super) fn pop_at_hand(&mut self) -> Option<RecordCandidate> {
        let first = self.candidates.front()?;
        first.is_at_hand().then(|| self.take(true))?
    }

    /// The bytes of what it holds, about.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether not all of the part has been decided.
    pub(super) fn has_more(&self) -> bool {
        !self.candidates.is_empty() || self.cut.is_some()
    }

    fn take(&mut self, is_first: bool) -> Option<RecordCandidate> {
        let candidate = if is_first {
            self.candidates.pop_front()
        } else {
            self.candidates.pop_back()
        }?;
        self.bytes -= candidate.size();
        self.opens -= usize::from(candidate.is_open());
        Some(candidate)
    }

    /// One more than is wanted tells that there is more.
    fn is_full(&self, wanted: u64) -> bool {
        self.bytes > self.limits.held
            || self.opens > MOST_OPEN
            || self.candidates.len() as u64 > wanted.saturating_add(1)
    }
}
