//! A source as a stream of rows: what was read of it and waits for those of other sources, and from
//! where more is asked.

use std::collections::VecDeque;
use std::sync::Arc;

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
    /// Rows of other sources have gone past its next ones.
    pub(super) is_overtaken: bool,
}

impl Default for PageQueue {
    fn default() -> Self {
        Self {
            ahead: VecDeque::new(),
            state: StreamState::Open,
            asked: None,
            is_overtaken: false,
        }
    }
}

impl PageQueue {
    /// Its line that is farthest from the window.
    pub(super) fn far_line(&self) -> Option<(LineRef, Time)> {
        self.ahead.iter().rev().find_map(position_of)
    }

    fn near_line(&self) -> Option<(LineRef, Time)> {
        self.ahead.iter().find_map(position_of)
    }

    /// Whether its next page is to be asked for.
    pub(super) fn needs_page(&self) -> bool {
        self.ahead.is_empty() && self.state == StreamState::Open
    }

    /// Whether its next row is not known yet, there may be one, and the others wait for it.
    pub(super) fn is_awaited(&self) -> bool {
        let may_come = matches!(self.state, StreamState::Open | StreamState::Asked);
        self.ahead.is_empty() && may_come && !self.is_overtaken
    }

    /// Bytes of its rows.
    pub(super) fn bytes(&self) -> usize {
        self.ahead.iter().map(RingEntry::cost).sum()
    }
}

/// A source that a window has rows of.
#[derive(Debug, Clone)]
pub struct WindowSource {
    /// The source.
    pub id: SourceId,
    /// Its host.
    pub host: HostId,
    /// Its name.
    pub name: Arc<str>,
}

#[derive(Debug)]
pub(super) struct SourceStream {
    pub(super) host: HostId,
    pub(super) name: Arc<str>,
    pub(super) older: PageQueue,
    pub(super) newer: PageQueue,
    /// The oldest line whose place is known; the newest in the window.
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
    pub(super) fn new(source: &WindowSource) -> Self {
        Self {
            host: source.host,
            name: Arc::clone(&source.name),
            older: PageQueue::default(),
            newer: PageQueue::default(),
            oldest: None,
            newest: None,
            first_row: None,
            first_live: None,
            resume: None,
        }
    }

    pub(super) fn queue(&self, side: Side) -> &PageQueue {
        match side {
            Side::Older => &self.older,
            Side::Newer => &self.newer,
        }
    }

    pub(super) fn queue_mut(&mut self, side: Side) -> &mut PageQueue {
        match side {
            Side::Older => &mut self.older,
            Side::Newer => &mut self.newer,
        }
    }

    /// Where its next page begins, and the time there.
    pub(super) fn start(&self, side: Side, split: Time) -> (PageStart, Time) {
        match side {
            Side::Older => self.older_start(split),
            Side::Newer => self.newer_start(split),
        }
    }

    /// Whether a line is in a part of the source that the window has had.
    pub(super) fn has_had(&self, entry: &RingEntry) -> bool {
        // What waits before the window says better where that ends than what was in it once.
        let (edge, is_within) = match self.newer.near_line() {
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

    fn older_start(&self, split: Time) -> (PageStart, Time) {
        let known = self
            .older
            .far_line()
            .or(self.oldest)
            .or_else(|| self.newer.near_line());
        known.map_or((PageStart::At(split), split), |(place, time)| {
            (PageStart::Cursor(place), time)
        })
    }

    fn newer_start(&self, split: Time) -> (PageStart, Time) {
        let after = self
            .newer
            .far_line()
            .or(self.newest)
            .or_else(|| self.older.near_line());
        match (after, self.oldest) {
            (Some((place, time)), _) => (PageStart::After(place), time),
            (None, Some((place, time))) => (PageStart::Cursor(place), time),
            (None, None) => (PageStart::At(split), split),
        }
    }
}

pub(super) fn position_of(entry: &RingEntry) -> Option<(LineRef, Time)> {
    entry.line().map(position)
}

pub(super) fn position(line: &FleetLine) -> (LineRef, Time) {
    (line.content.place(), line.content.time)
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
/// read, and is not shown: those lines may have had the match. The host has the whole record.
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
    let lines = ring.lines_from(ring.first(), source);
    let found = match last {
        None => lines.clone().find(|(_, line)| line.content.time >= split),
        Some(last) => {
            let mut whole = lines.filter(|(seq, _)| !is_cut(ring, lens, *seq));
            let is_last = |line: &FleetLine| {
                last.cursor.offset == line.content.cursor.offset && last.fits(line.content.stored())
            };
            let first = whole.clone().next();
            match whole.find(|(_, line)| is_last(line)) {
                Some((seq, _)) => return seq.next(),
                None => first,
            }
        }
    };
    found.map_or(ring.end(), |(seq, _)| seq)
}
