//! Reads the last lines of a file that is seen for the first time, in a window at its end that
//! grows until it has them all.

use std::collections::VecDeque;
use std::time::Duration;

use super::followed_file::{FollowedFile, SuccessionProof};
use super::tail::LastLines;
use super::{FileStat, FollowOutcome, FollowRequest, Follower, Phase, emit};

/// First guess of how far from the end the last lines begin, and how far to go back at most: 2,000
/// lines of 4 KiB. Over a slow link a smaller guess is the better one.
pub(super) const FIRST_WINDOW: u64 = 64 << 10;
const LINE_GUESS: u64 = 256;
const SMALL_LINE_GUESS: u64 = 128;
const LAST_WINDOW: u64 = 8 << 20;

/// The first guess for so many lines, over a link that brings so much in a second if it is slow.
pub(super) fn first_window(want: u32, slow: Option<u64>) -> u64 {
    let (first, line) = slow.map_or((FIRST_WINDOW, LINE_GUESS), |slow| (slow, SMALL_LINE_GUESS));
    first.max(u64::from(want) * line)
}

impl Follower {
    /// Reads a window at the end of a file, to give its last lines.
    pub(super) fn start_tail(
        &mut self,
        number: u32,
        stat: FileStat,
        want: u32,
        window: u64,
        now: Duration,
    ) {
        let source = self.source(number);
        let offset = stat.size.saturating_sub(window.min(LAST_WINDOW));
        let mut generation = FollowedFile::new(source.live, stat.id, offset, offset > 0, now);
        // Of what was there before the first look nothing is missed, but in an empty file something
        // may come and go.
        generation.proof = if stat.size == 0 {
            SuccessionProof::OfName
        } else {
            SuccessionProof::Done
        };
        let (pieces, before) = (VecDeque::new(), VecDeque::new());
        generation.tail = Some(LastLines {
            want,
            until: stat.size,
            window,
            pieces,
            before,
            full: false,
        });
        source.current = Some(generation);
        (source.phase, source.unread) = (Phase::Reading, true);
        let (live, is_first) = (source.live, !source.lineage.has_begun());
        if is_first {
            self.requests.push(FollowRequest::List(live));
        }
        self.requests
            .push(FollowRequest::ReadFrom(live, stat.id, offset));
    }

    /// Gives the last lines when all of them have been read, or reads further back when they were
    /// too few.
    pub(super) fn tail_progress(&mut self, number: u32, stat: FileStat, now: Duration) {
        let source = self.source(number);
        let Some(current) = &mut source.current else {
            return;
        };
        let Some(tail) = current.tail.take_if(|tail| current.offset >= tail.until) else {
            return;
        };
        let more_before = tail.until > tail.window && tail.window < LAST_WINDOW;
        if !tail.full && more_before {
            let stat = FileStat {
                size: tail.until,
                ..stat
            };
            return self.start_tail(number, stat, tail.want, tail.window * 4, now);
        }
        source.begun = true;
        let (id, is_all) = (
            current.id,
            tail.full || tail.until <= tail.window.min(LAST_WINDOW),
        );
        let begun = if tail.pieces.is_empty() {
            current.begun(number)
        } else {
            None
        };
        self.outcomes.extend(begun);
        self.outcomes
            .push(FollowOutcome::Before(number, tail.before.into()));
        emit(&mut self.outcomes, number, id, tail.pieces.into());
        self.outcomes.push(FollowOutcome::TailRead {
            source: number,
            is_all,
        });
    }
}
