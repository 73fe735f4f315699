//! The ranges of a log's generations that a search has to read. `match_scan` cuts them into pieces.

use std::collections::VecDeque;
use std::ops::Range;

use crate::host::Files;
use crate::model::gap::GapReason;
use crate::model::time::Time;
use crate::query::request::MissingBytes;

use super::seek::{self, SoughtRange};
use super::sources;
use super::stop_reason::StopReason;
use super::text::{At, LogText};

/// A log is given up after so many rotations in a row without anything read in between.
pub(super) const MOST_MOVES: u32 = 8;

/// A range of one generation that has not been read yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) file: usize,
    pub(super) from: u64,
    pub(super) to: u64,
}

impl Part {
    /// Splits it at an offset: what is read first, and what is read later.
    pub(super) fn split(self, at: u64, newest_first: bool) -> (Self, Self) {
        let older = Self { to: at, ..self };
        let newer = Self { from: at, ..self };
        if newest_first {
            (newer, older)
        } else {
            (older, newer)
        }
    }

    /// What is missing where its generation is gone.
    pub(super) fn missing(self) -> MissingBytes {
        MissingBytes {
            from: self.from,
            to: (self.to < u64::MAX).then_some(self.to),
            reason: GapReason::RotatedAway,
        }
    }
}

/// The parts of a log in which the lines of a window are, oldest first, and what should be known
/// of them.
pub(super) async fn of_window<F: Files>(
    text: &mut LogText<'_, F>,
    window: &Range<Time>,
) -> Result<(VecDeque<Part>, Vec<String>), StopReason> {
    if text.log.files.is_empty() || window.is_empty() {
        return Ok((VecDeque::new(), Vec::new()));
    }
    let sought = range(text, window).await?;
    Ok((parts_of(text, sought.places), sought.notes))
}

/// Finds the range of a time window, and starts over when the log was rotated in between.
async fn range<F: Files>(
    text: &mut LogText<'_, F>,
    window: &Range<Time>,
) -> Result<SoughtRange, StopReason> {
    for _ in 0..MOST_MOVES {
        match seek::range(text, window).await {
            Err(reason) if reason.is_moved() => {
                let listed = sources::again(text.files, &text.log).await?;
                text.relist(listed);
            }
            range => return range,
        }
    }
    seek::range(text, window).await
}

/// The parts of a range, oldest first: one of each generation.
fn parts_of<F: Files>(text: &LogText<'_, F>, range: Range<At>) -> VecDeque<Part> {
    let last = range.end.file.min(text.log.files.len() - 1);
    let part_of = |file: usize| Part {
        file,
        from: if file == range.start.file {
            range.start.offset
        } else {
            0
        },
        to: match text.is_plain(file) {
            true if file == range.end.file => range.end.offset,
            true => text.file(file).size,
            // A line that begins before a moment is wanted, wherever a compressed file ends.
            false => u64::MAX,
        },
    };
    (range.start.file..=last)
        .map(part_of)
        .filter(|part| part.from < part.to)
        .collect()
}

/// What a part costs to read.
pub(super) fn weight<F: Files>(text: &LogText<'_, F>, part: &Part) -> u64 {
    if text.is_plain(part.file) {
        part.to - part.from
    } else {
        text.file(part.file).size
    }
}
