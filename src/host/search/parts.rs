//! The ranges of a log's generations that a search has to read. `match_scan` cuts them into pieces.

use std::collections::VecDeque;
use std::ops::Range;

use crate::host::Files;
use crate::model::log_file::LogFile;
use crate::model::time::Time;

use super::text::{At, LogText};
use super::{Halt, seek, sources};

/// A log is given up after so many rotations in a row without anything read in between.
pub(super) const MOST_MOVES: u32 = 8;

/// A range of one generation that has not been read yet.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) file: usize,
    pub(super) from: u64,
    pub(super) to: u64,
}

/// Finds the range of a time window, and starts over when the log is rotated meanwhile.
pub(super) async fn range<F: Files>(
    text: &mut LogText<'_, F>,
    window: &Range<Time>,
) -> Result<(Range<At>, Vec<String>), Halt> {
    for _ in 0..MOST_MOVES {
        match seek::range(text, window).await {
            Err(halt) if halt.is_moved() => {
                let listed = list_again(text).await?;
                text.relist(listed);
            }
            range => return range,
        }
    }
    seek::range(text, window).await
}

pub(super) async fn list_again<F: Files>(text: &mut LogText<'_, F>) -> Result<Vec<LogFile>, Halt> {
    let listed = sources::again(text.files, &text.log).await;
    listed.map_err(|failure| Halt::of(failure, &text.log.path))
}

/// The parts of a range, oldest first: one of each generation.
pub(super) fn parts_of<F: Files>(text: &LogText<'_, F>, range: Range<At>) -> VecDeque<Part> {
    let last = range.end.file.min(text.log.files.len() - 1);
    let whole = |file: usize| {
        let end = if text.is_plain(file) {
            text.file(file).size
        } else {
            u64::MAX
        };
        // A line that begins before a moment is wanted, wherever a compressed file ends.
        let is_cut = file == range.end.file && text.is_plain(file);
        Part {
            file,
            from: if file == range.start.file {
                range.start.offset
            } else {
                0
            },
            to: if is_cut { range.end.offset } else { end },
        }
    };
    (range.start.file..=last)
        .map(whole)
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
