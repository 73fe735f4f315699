//! A source as a stream of rows: what was read of it and waits for those of other sources, and from
//! where more is asked.

use std::collections::VecDeque;

use super::super::{Lens, Ring, RingEntry, Scrollback, Seq};
use crate::model::cursor::LineRef;
use crate::model::host::HostId;
use crate::model::line::FleetLine;
use crate::model::source::SourceId;
use crate::model::time::Time;
use crate::query::request::PageStart;

/// An end of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Where the oldest rows are.
    Older,
    /// Where the newest are.
    Newer,
}

/// How a stream goes on at one end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamState {
    /// There may be more.
    Open,
    /// It was asked for.
    Asked,
    /// There is no more: the log begins here, or, at the newer end, the ring has what follows.
    End,
    /// It could not be read, and why.
    Failed(String),
}

/// Rows of one source that were read and not put in order yet, the nearest to the window first.
#[derive(Debug)]
pub(super) struct PageQueue {
    pub(super) ahead: VecDeque<RingEntry>,
    pub(super) state: StreamState,
    /// From where it was asked for last: another answer comes too late.
    pub(super) asked: Option<PageStart>,
}

impl Default for PageQueue {
    fn default() -> Self {
        Self {
            ahead: VecDeque::new(),
            state: StreamState::Open,
            asked: None,
        }
    }
}

#[derive(Debug)]
pub(super) struct SourceStream {
    pub(super) host: HostId,
    pub(super) older: PageQueue,
    pub(super) newer: PageQueue,
    /// The oldest line of which it is known where it stands; the newest in the window.
    pub(super) oldest: Option<(LineRef, Time)>,
    pub(super) newest: Option<(LineRef, Time)>,
    /// The number in the window of the oldest line there.
    pub(super) first_row: Option<Seq>,
    /// Its oldest line in the ring: what is older comes after the ring has been put in order so
    /// far.
    pub(super) first_live: Option<Seq>,
    /// At the newer end: the ring has what follows, from this number on.
    pub(super) resume: Option<Seq>,
}

impl SourceStream {
    pub(super) fn new(host: HostId) -> Self {
        Self {
            host,
            older: PageQueue::default(),
            newer: PageQueue::default(),
            oldest: None,
            newest: None,
            first_row: None,
            first_live: None,
            resume: None,
        }
    }

    pub(super) fn run(&mut self, side: Side) -> &mut PageQueue {
        match side {
            Side::Older => &mut self.older,
            Side::Newer => &mut self.newer,
        }
    }

    /// Whether a line stands where the window has been already.
    pub(super) fn has_had(&self, entry: &RingEntry) -> bool {
        // What waits before the window says better where that ends than what was in it once.
        let (edge, is_within) = match near_line(&self.newer) {
            Some(next) => (Some(next), false),
            None => (self.newest, true),
        };
        let Some(((known, time), line)) = edge.zip(entry.line()) else {
            return false;
        };
        if known.cursor.file != line.content.cursor.file {
            return line.content.time < time;
        }
        line.content.cursor.offset < known.cursor.offset
            || (is_within && line.content.cursor.offset == known.cursor.offset)
    }

    /// Where its next page of older lines begins.
    pub(super) fn older_start(&self, split: Time) -> (PageStart, Time) {
        let known = far_line(&self.older)
            .or(self.oldest)
            .or_else(|| near_line(&self.newer));
        known.map_or((PageStart::At(split), split), |(place, time)| {
            (PageStart::Cursor(place), time)
        })
    }

    pub(super) fn newer_start(&self, split: Time) -> (PageStart, Time) {
        let after = far_line(&self.newer)
            .or(self.newest)
            .or_else(|| near_line(&self.older));
        match (after, self.oldest) {
            (Some((place, time)), _) => (PageStart::After(place), time),
            (None, Some((place, time))) => (PageStart::Cursor(place), time),
            (None, None) => (PageStart::At(split), split),
        }
    }
}

pub(super) fn position_of(entry: &RingEntry) -> Option<(LineRef, Time)> {
    entry
        .line()
        .map(|line| (line.content.place(), line.content.time))
}

pub(super) fn far_line(run: &PageQueue) -> Option<(LineRef, Time)> {
    run.ahead.iter().rev().find_map(position_of)
}

pub(super) fn near_line(run: &PageQueue) -> Option<(LineRef, Time)> {
    run.ahead.iter().find_map(position_of)
}

pub(super) fn needs(run: &PageQueue) -> bool {
    run.ahead.is_empty() && run.state == StreamState::Open
}

/// Whether older lines of a source come next: not while the ring has some that are not in the
/// window.
pub(super) fn is_due(stream: &SourceStream, head: Option<Seq>) -> bool {
    match (stream.first_live, head) {
        (Some(first), Some(head)) => first > head,
        _ => true,
    }
}

/// Whether a line of the ring is the rest of a record whose first lines were forgotten, or never
/// read, and is not shown: what is looked for stood in those, perhaps. The host has the whole
/// record.
pub(super) fn is_cut(ring: &Ring, lens: &Lens, seq: Seq) -> bool {
    let continues = |seq| {
        ring.get(seq)
            .and_then(RingEntry::line)
            .is_some_and(|line| line.content.continues)
    };
    let is_shown = || lens.get(lens.index_of(seq)) == Some(seq);
    continues(seq) && !is_shown() && ring.lines_of(seq).next().is_some_and(continues)
}

/// The number in the ring of a line that was read.
pub(super) fn find(scrollback: &Scrollback, lens: &Lens, line: &FleetLine) -> Option<Seq> {
    let same = |other: &FleetLine| {
        other.source == line.source
            && other.content.cursor.offset == line.content.cursor.offset
            && (other.content.cursor == line.content.cursor
                || other.content.raw == line.content.raw)
    };
    let ring = scrollback.ring();
    let found = ring
        .from(ring.first())
        .find(|(_, entry)| entry.line().is_some_and(same))
        .map(|(seq, _)| seq);
    found.filter(|&seq| !is_cut(ring, lens, seq))
}

/// From which number on the ring has what follows a line, which is the last that a host has; of a
/// source that had none since `split`, what came after.
pub(super) fn resume(
    scrollback: &Scrollback,
    lens: &Lens,
    source: SourceId,
    last: Option<LineRef>,
    split: Time,
) -> Seq {
    let ring = scrollback.ring();
    if last.is_none() {
        let is_after = |entry: &RingEntry| {
            entry
                .line()
                .is_some_and(|line| line.source == source && line.content.time >= split)
        };
        return ring
            .from(ring.first())
            .find(|(_, entry)| is_after(entry))
            .map_or(ring.end(), |(seq, _)| seq);
    }
    let own = |entry: &RingEntry| entry.line().filter(|line| line.source == source).cloned();
    let lines = ring
        .from(ring.first())
        .filter_map(|(seq, entry)| Some((seq, own(entry)?)));
    let mut lines = lines.filter(|(seq, _)| !is_cut(ring, lens, *seq));
    let is_last = |line: &FleetLine| {
        last.is_some_and(|last| {
            last.cursor.offset == line.content.cursor.offset && last.fits(&line.content.raw)
        })
    };
    let mut first = None;
    let found = lines.find(|(seq, line)| {
        first.get_or_insert(*seq);
        is_last(line)
    });
    found
        .map(|(seq, _)| seq.next())
        .or(first)
        .unwrap_or_else(|| ring.end())
}
