//! Reads the last lines of a file that is seen for the first time, in a window at its end that
//! grows until it has them all.

use std::collections::VecDeque;
use std::time::Duration;

use super::followed_file::{FollowedFile, SuccessionProof};
use super::follower::{Follower, emit};
use super::messages::{FileStat, FollowOutcome, FollowRequest};
use super::tail::LastLines;

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
        generation.tail = Some(LastLines {
            want,
            until: stat.size,
            window,
            pieces: VecDeque::new(),
            before: VecDeque::new(),
            full: false,
        });
        source.current = Some(generation);
        let request = source.read_on(stat.id, offset);
        if !source.lineage.has_begun() {
            let listing = FollowRequest::List(source.live);
            self.requests.push(listing);
        }
        self.requests.push(request);
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
        let id = current.id;
        let is_all = tail.full || tail.until <= tail.window.min(LAST_WINDOW);
        if tail.pieces.is_empty() {
            let begun = current.begun(number);
            self.outcomes.extend(begun);
        }
        let before = FollowOutcome::Before(number, tail.before.into());
        self.outcomes.push(before);
        emit(&mut self.outcomes, number, id, tail.pieces.into());
        self.outcomes.push(FollowOutcome::TailRead {
            source: number,
            is_all,
        });
    }
}
