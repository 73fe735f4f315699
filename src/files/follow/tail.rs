//! Collects the last lines of a file that is seen for the first time. `last_lines` decides how far
//! back to read.

use std::collections::VecDeque;

use crate::parse::split::FilePiece;

/// Lines before the last lines: more than nearly every stack trace has.
const MOST_BEFORE: usize = 100;

/// The last lines of a file that is seen first are collected before they are given.
#[derive(Debug, Clone)]
pub(super) struct LastLines {
    pub(super) want: u32,
    /// Size of the file when it was seen first: lines beyond are live.
    pub(super) until: u64,
    pub(super) window: u64,
    pub(super) pieces: VecDeque<FilePiece>,
    /// What stands before them, by which is known what they go on with.
    pub(super) before: VecDeque<FilePiece>,
    /// More than the wanted lines were there.
    pub(super) full: bool,
}

impl LastLines {
    /// Keeps the last of the pieces and empties `pieces`.
    pub(super) fn collect(&mut self, pieces: &mut Vec<FilePiece>) {
        self.pieces.extend(pieces.drain(..));
        let want = self.want as usize;
        self.full |= self.pieces.len() >= want;
        self.before
            .extend(self.pieces.drain(..self.pieces.len().saturating_sub(want)));
        self.before
            .drain(..self.before.len().saturating_sub(MOST_BEFORE));
    }
}
