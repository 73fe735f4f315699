//! What is read of the time before the ring: rows of many sources put in order page by page, at
//! either end.
//!
//! A window on the whole log, within a budget of bytes. Each source is a stream whose pages are
//! requested, older ones from the oldest line that is known, newer ones from the newest; a row goes
//! into the window when no other stream can still bring one that belongs between. So rows are only
//! ever added at an end, and what is on the screen stays. What lies at the far end leaves when the
//! budget is used up, and is asked for again when it is wanted.
//!
//! Where the window reaches the ring, it goes on there ([`PageWindow::joined`]). The part of the
//! ring in which some sources have lines and others do not yet, because it began with their last
//! few lines, is put in order with the rest. `app` decides when to ask.

use std::collections::BTreeMap;

use super::{Lens, Renumbering, Ring, RingEntry, Scrollback, Seq};
use crate::model::host::HostId;
use crate::model::source::SourceId;
use crate::model::time::Time;
use crate::query::request::PageStart;

mod newer;
mod overtaken;
mod stream;
mod trim;

pub use stream::{Side, StreamState, WindowSource};

use stream::{PageQueue, SourceStream, find, is_cut, is_due, position, position_of, resume};

/// Most bytes of rows that were read and wait for those of other streams.
const AHEAD_BYTES: usize = 8 << 20;

/// A page that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingPage {
    /// Of which host.
    pub host: HostId,
    /// Of which source.
    pub source: SourceId,
    /// At which end.
    pub side: Side,
    /// From where.
    pub start: PageStart,
    /// The time there: nothing newer (at the newer end: older) is wanted.
    pub bound: Time,
}

/// What came for a [`MissingPage`].
#[derive(Debug)]
pub struct ReceivedPage {
    /// The rows, in the order of the file.
    pub entries: Vec<RingEntry>,
    /// Whether the log ends with it at this side, or why it could not be read (further).
    pub ended: Result<bool, String>,
}

/// A window of rows and the streams that it is made of.
#[derive(Debug)]
pub struct PageWindow {
    rows: Ring,
    streams: BTreeMap<SourceId, SourceStream>,
    /// The ring goes on from this number.
    joined: Option<Seq>,
    /// Rows of the ring from here to where it goes on are in the window; those before are not yet.
    reach: Seq,
    /// While it comes near the ring from below: everything of it before this is in the window, or
    /// is passed over.
    climb: Seq,
    /// Numbers that rows had in the ring, with those that they have here.
    moved: Vec<(Seq, Seq)>,
    /// What has become of the numbers of its rows since they were taken.
    woven: Vec<Renumbering>,
    /// Rows have left at this end.
    is_cut_older: bool,
    is_cut_newer: bool,
    split: Time,
}

/// Where the next row of a merge comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum From {
    Stream,
    Live(Seq),
}

impl PageWindow {
    /// A window at the oldest end of the ring, from where all sources have lines in it. Empty to
    /// begin with.
    #[must_use]
    pub fn before_live(
        scrollback: &Scrollback,
        lens: &Lens,
        sources: &[WindowSource],
        now: Time,
    ) -> Self {
        let ring = scrollback.ring();
        let mut window = Self::new(now, sources);
        let mut missing = sources.len();
        for (seq, entry) in ring.from(ring.first()) {
            let Some(line) = entry.line().filter(|_| !is_cut(ring, lens, seq)) else {
                continue;
            };
            let Some(stream) = window
                .streams
                .get_mut(&line.source)
                .filter(|stream| stream.first_live.is_none())
            else {
                continue;
            };
            (stream.first_live, stream.oldest) = (Some(seq), position_of(entry));
            missing -= 1;
            if missing == 0 {
                break;
            }
        }
        let joined = window
            .streams
            .values()
            .filter_map(|stream| stream.first_live)
            .max()
            .unwrap_or_else(|| ring.end());
        (window.joined, window.reach) = (Some(joined), joined);
        window.split = ring
            .get(joined)
            .map_or(now, |entry| Time(entry.time().0.saturating_add(1)));
        window
    }

    /// A window around a moment, which may be far from the ring.
    #[must_use]
    pub fn at(time: Time, sources: &[WindowSource]) -> Self {
        Self::new(time, sources)
    }

    fn new(split: Time, sources: &[WindowSource]) -> Self {
        Self {
            rows: Ring::starting_at(Seq::WINDOW, usize::MAX),
            streams: sources
                .iter()
                .map(|source| (source.id, SourceStream::new(source)))
                .collect(),
            joined: None,
            reach: Seq::NOTICE,
            climb: Seq::NOTICE,
            moved: Vec::new(),
            woven: Vec::new(),
            is_cut_older: false,
            is_cut_newer: false,
            split,
        }
    }

    /// The rows that are in order.
    #[must_use]
    pub fn rows(&self) -> &Ring {
        &self.rows
    }

    /// From which number on the ring goes on where the window ends; `None` while it is apart.
    #[must_use]
    pub fn joined(&self) -> Option<Seq> {
        self.joined
    }

    /// Rows of the ring from this number on are in the window or behind it.
    #[must_use]
    pub fn reach(&self) -> Seq {
        self.reach
    }

    /// Numbers that rows had in the ring with those that they have here, of those added since the
    /// last time.
    pub fn take_moved(&mut self) -> Vec<(Seq, Seq)> {
        std::mem::take(&mut self.moved)
    }

    /// Whether a row of the ring has a number here that was not taken yet.
    #[must_use]
    pub fn has_moved(&self, seq: Seq) -> bool {
        self.moved.iter().any(|&(from, _)| from == seq)
    }

    /// Follows rows of the ring whose numbers have changed.
    pub fn renumber(&mut self, renumbering: &Renumbering) {
        let follow = |seq: &mut Seq| *seq = renumbering.of_live(*seq);
        self.joined.iter_mut().for_each(follow);
        (self.reach, self.climb) = (
            renumbering.of_live(self.reach),
            renumbering.of_live(self.climb),
        );
        self.moved.iter_mut().for_each(|(from, _)| follow(from));
        for stream in self.streams.values_mut() {
            stream.first_live.iter_mut().for_each(follow);
            stream.resume.iter_mut().for_each(follow);
        }
    }

    /// Takes in a source that has come into being.
    pub fn add_source(&mut self, source: &WindowSource) {
        let has_rows = !self.rows.is_empty();
        self.streams.entry(source.id).or_insert_with(|| {
            let mut stream = SourceStream::new(source);
            (stream.older.is_overtaken, stream.newer.is_overtaken) = (has_rows, has_rows);
            stream
        });
    }

    /// Sources at an end, with how they go on.
    pub fn states(&self, side: Side) -> impl Iterator<Item = (SourceId, HostId, &StreamState)> {
        self.streams
            .iter()
            .map(move |(&source, stream)| (source, stream.host, &stream.queue(side).state))
    }

    /// Whether an end is the last: nothing is left to be read there.
    #[must_use]
    pub fn is_over(&self, side: Side) -> bool {
        let mut queues = self.streams.values().map(|stream| stream.queue(side));
        queues.all(|queue| queue.state == StreamState::End && queue.ahead.is_empty())
    }

    /// Pages without which no more rows can be put in order at an end.
    #[must_use]
    pub fn page_requests(&self, side: Side, lens: &Lens) -> Vec<MissingPage> {
        let head = self.head(lens);
        let is_wanted = |stream: &SourceStream| match side {
            Side::Older => is_due(stream, head),
            Side::Newer => self.joined.is_none(),
        };
        let wanted = self
            .streams
            .iter()
            .filter(|(_, stream)| is_wanted(stream) && stream.queue(side).needs_page());
        wanted
            .map(|(&source, stream)| self.request(source, stream, side))
            .collect()
    }

    fn request(&self, source: SourceId, stream: &SourceStream, side: Side) -> MissingPage {
        let (start, bound) = stream.start(side, self.split);
        MissingPage {
            host: stream.host,
            source,
            side,
            start,
            bound,
        }
    }

    /// Notes that a page was asked for.
    pub fn asked(&mut self, request: &MissingPage) {
        if let Some(stream) = self.streams.get_mut(&request.source) {
            let queue = stream.queue_mut(request.side);
            queue.state = StreamState::Asked;
            queue.asked = Some(request.start);
        }
    }

    /// Asks again where it failed.
    pub fn retry(&mut self) {
        for stream in self.streams.values_mut() {
            for run in [&mut stream.older, &mut stream.newer] {
                if matches!(run.state, StreamState::Failed(_)) {
                    run.state = StreamState::Open;
                }
            }
        }
    }

    /// Takes in a page that was asked for. False where the window has to be read again to have its
    /// rows.
    pub fn arrived(
        &mut self,
        request: &MissingPage,
        page: ReceivedPage,
        scrollback: &Scrollback,
        lens: &Lens,
    ) -> bool {
        let Some(stream) = self.streams.get_mut(&request.source) else {
            return true;
        };
        let run = stream.queue_mut(request.side);
        if run.state != StreamState::Asked || run.asked != Some(request.start) {
            return true;
        }
        run.is_overtaken |= page.ended.is_err();
        let mut entries = page.entries;
        run.state = match page.ended {
            Ok(true) => StreamState::End,
            Ok(false) => StreamState::Open,
            Err(why) => StreamState::Failed(why),
        };
        match request.side {
            Side::Older if self.has_begun_since(request, scrollback) => return true,
            Side::Older => entries.reverse(),
            Side::Newer => self.meet_ring(request.source, &mut entries, scrollback, lens),
        }
        let is_whole = self.queue_up(request, entries);
        self.bound_ahead();
        is_whole
    }

    /// Lets rows wait for their turn; those whose turn is over go where they belong.
    fn queue_up(&mut self, request: &MissingPage, mut entries: Vec<RingEntry>) -> bool {
        let MissingPage { source, side, .. } = *request;
        let is_overtaken = self
            .streams
            .get(&source)
            .is_some_and(|stream| stream.queue(side).is_overtaken);
        if is_overtaken {
            let Some(beyond) = self.take_overtaken(source, side, entries) else {
                return false;
            };
            entries = beyond;
        }
        if let Some(stream) = self.streams.get_mut(&source) {
            let queue = stream.queue_mut(side);
            queue.is_overtaken &= entries.is_empty() && queue.state != StreamState::End;
            queue.ahead.extend(entries);
        }
        true
    }

    /// A source without a known line is asked by time, and may have written since: then it is asked
    /// again, from the first line that is known now.
    fn has_begun_since(&mut self, request: &MissingPage, scrollback: &Scrollback) -> bool {
        let (PageStart::At(_), Some(joined)) = (request.start, self.joined) else {
            return false;
        };
        let Some(stream) = self.streams.get_mut(&request.source) else {
            return false;
        };
        let mut live = scrollback.ring().lines_from(joined, request.source);
        stream.oldest = stream
            .oldest
            .or_else(|| live.next().map(|(_, line)| position(line)));
        if stream.oldest.is_some() {
            stream.older.state = StreamState::Open;
        }
        stream.oldest.is_some()
    }

    /// Newer lines are read up to the first that the ring has.
    fn meet_ring(
        &mut self,
        source: SourceId,
        page: &mut Vec<RingEntry>,
        scrollback: &Scrollback,
        lens: &Lens,
    ) {
        let Some(stream) = self.streams.get_mut(&source) else {
            return;
        };
        let in_ring = |entry: &RingEntry| find(scrollback, lens, entry.line()?);
        let found = page
            .iter()
            .enumerate()
            .find_map(|(at, entry)| Some((at, in_ring(entry)?)));
        if let Some((at, seq)) = found {
            page.truncate(at);
            stream.resume = Some(seq);
            stream.newer.state = StreamState::End;
        } else if stream.newer.state != StreamState::Open {
            let last = page
                .iter()
                .rev()
                .find_map(position_of)
                .or(stream.newer.far_line())
                .or(stream.newest);
            stream.resume = Some(resume(
                scrollback,
                lens,
                source,
                last.map(|(place, _)| place),
                self.split,
            ));
        }
    }

    /// Lets go of what lies farthest ahead where too much waits; it is asked for again.
    fn bound_ahead(&mut self) {
        let all: usize = self
            .streams
            .values()
            .map(|stream| stream.older.bytes() + stream.newer.bytes())
            .sum();
        if all <= AHEAD_BYTES {
            return;
        }
        let share = AHEAD_BYTES / self.streams.len().max(1) / 2;
        for stream in self.streams.values_mut() {
            for run in [&mut stream.older, &mut stream.newer] {
                let mut left = run.bytes();
                while left > share && run.ahead.len() > 1 {
                    left -= run.ahead.pop_back().map_or(0, |entry| entry.cost());
                    if run.state != StreamState::Asked {
                        run.state = StreamState::Open;
                    }
                }
            }
            if stream.newer.state == StreamState::Open {
                stream.resume = None;
            }
        }
    }

    /// Puts in order, at the older end, what may be; at most so many rows.
    pub fn merge_older(&mut self, scrollback: &Scrollback, lens: &Lens, most: usize) {
        self.forget_left(scrollback);
        for _ in 0..most {
            let Some((source, from)) = self.next_older(scrollback, lens) else {
                return;
            };
            let Some(entry) = self.take_row(source, from, Side::Older, scrollback) else {
                return;
            };
            self.push_oldest(entry);
            if let From::Live(seq) = from {
                self.reach = seq;
                self.moved.push((seq, self.rows.first()));
            }
        }
    }

    /// Takes the row that comes next, out of the ring or out of what waits.
    fn take_row(
        &mut self,
        source: SourceId,
        from: From,
        side: Side,
        scrollback: &Scrollback,
    ) -> Option<RingEntry> {
        match from {
            From::Live(seq) => scrollback.ring().get(seq).cloned(),
            From::Stream => {
                let stream = self.streams.get_mut(&source)?;
                stream.queue_mut(side).ahead.pop_front()
            }
        }
    }

    /// The newest row that is not in the window, unless a stream that has to be asked may have one
    /// that is newer.
    fn next_older(&self, scrollback: &Scrollback, lens: &Lens) -> Option<(SourceId, From)> {
        let head = self.head(lens);
        let mut live = None;
        if let Some(seq) = head {
            live = Some((
                order_of(&self.streams, scrollback.ring().get(seq)?),
                From::Live(seq),
            ));
        }
        let due = self
            .streams
            .iter()
            .filter(|(_, stream)| is_due(stream, head));
        let (order, from) = next_rows(due.clone(), Side::Older).chain(live).max()?;
        let bar = awaited_rows(due, Side::Older, self.split).max();
        (bar.is_none_or(|bar| order > bar)).then_some((order.source, from))
    }

    /// The newest row of the ring that passes and is not in the window yet.
    fn head(&self, lens: &Lens) -> Option<Seq> {
        self.joined?;
        lens.index_of(self.reach)
            .checked_sub(1)
            .and_then(|index| lens.get(index))
    }

    fn push_oldest(&mut self, entry: RingEntry) {
        let origin = entry.origin().map(|(_, source)| source);
        let stream = origin.and_then(|source| self.streams.get_mut(&source));
        let Some((stream, at)) = stream.zip(position_of(&entry)) else {
            return self.rows.push_oldest(entry, None);
        };
        let next = stream.first_row.filter(|&seq| self.rows.get(seq).is_some());
        self.rows.push_oldest(entry, next);
        stream.first_row = Some(self.rows.first());
        stream.oldest = Some(at);
        if stream.newest.is_none() {
            stream.newest = Some(at);
        }
    }

    fn push_newest(&mut self, entry: RingEntry) {
        let origin = entry.origin().map(|(_, source)| source);
        let seq = self.rows.end();
        if let Some((stream, at)) = origin
            .and_then(|source| self.streams.get_mut(&source))
            .zip(position_of(&entry))
        {
            stream.newest = Some(at);
            if stream
                .first_row
                .is_none_or(|first| first < self.rows.first())
            {
                (stream.first_row, stream.oldest) = (Some(seq), Some(at));
            }
        }
        self.rows.push(entry);
    }

    /// The ring has forgotten rows that were still to be put in order.
    fn forget_left(&mut self, scrollback: &Scrollback) {
        let first = scrollback.ring().first();
        let is_gone = |stream: &SourceStream| {
            stream
                .first_live
                .is_some_and(|seq| seq < first && seq < self.reach)
        };
        if self.streams.values().any(is_gone) {
            self.abandon_ring(scrollback);
        }
    }

    /// Leaves the rest of the ring that is not in order yet to the hosts, which are asked for it.
    fn abandon_ring(&mut self, scrollback: &Scrollback) {
        let rest = self.joined.unwrap_or(self.reach);
        for (&source, stream) in &mut self.streams {
            if stream.first_live.take().is_some_and(|seq| seq < self.reach) {
                stream.older = PageQueue::default();
                let mut live = scrollback.ring().lines_from(rest, source);
                stream.oldest = stream
                    .first_row
                    .and_then(|seq| position_of(self.rows.get(seq)?))
                    .or_else(|| live.next().map(|(_, line)| position(line)));
            }
        }
        self.reach = Seq::NOTICE;
    }

    /// Takes in the rows that the ring has forgotten a moment ago, of the part that goes on where
    /// the window ends.
    pub fn absorb(&mut self, scrollback: &Scrollback, gone: &[Seq]) {
        let Some(joined) = self.joined else { return };
        for &seq in gone.iter().filter(|&&seq| seq >= joined) {
            let Some(entry) = scrollback.ring().get_or_left(seq) else {
                continue;
            };
            self.push_newest(entry.clone());
            self.moved.push((seq, self.rows.end().previous()));
        }
        self.joined = Some(joined.max(scrollback.ring().first()));
    }

    /// Puts lines in the place of a gap; those before it have numbers that are so much lower from
    /// then on.
    pub fn fill(&mut self, seq: Seq, lines: Vec<RingEntry>) -> u64 {
        let by = self.rows.fill(seq, lines);
        for stream in self.streams.values_mut() {
            stream.first_row = stream
                .first_row
                .map(|row| if row < seq { row - by } else { row });
        }
        by
    }
}

/// By what rows of different sources are put in order: those with the same stamp by their host and
/// the name of their source, so that it is the same order each time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct RowOrder<'a> {
    time: Time,
    host: HostId,
    name: &'a str,
    source: SourceId,
}

fn order_of<'a>(streams: &'a BTreeMap<SourceId, SourceStream>, entry: &RingEntry) -> RowOrder<'a> {
    let end = (HostId(u32::MAX), SourceId(u32::MAX));
    let (host, source) = entry.origin().unwrap_or(end);
    RowOrder {
        time: entry.time(),
        host,
        name: streams.get(&source).map_or("", |stream| &stream.name),
        source,
    }
}

fn order_at(source: SourceId, stream: &SourceStream, time: Time) -> RowOrder<'_> {
    RowOrder {
        time,
        host: stream.host,
        name: &stream.name,
        source,
    }
}

/// The next row of each stream that has one.
fn next_rows<'a>(
    streams: impl Iterator<Item = (&'a SourceId, &'a SourceStream)>,
    side: Side,
) -> impl Iterator<Item = (RowOrder<'a>, From)> {
    streams.filter_map(move |(&source, stream)| {
        let row = stream.queue(side).ahead.front()?;
        Some((order_at(source, stream, row.time()), From::Stream))
    })
}

/// Where the next row of each stream may be whose page has not come.
fn awaited_rows<'a>(
    streams: impl Iterator<Item = (&'a SourceId, &'a SourceStream)>,
    side: Side,
    split: Time,
) -> impl Iterator<Item = RowOrder<'a>> {
    let awaited = streams.filter(move |(_, stream)| stream.queue(side).is_awaited());
    awaited.map(move |(&source, stream)| order_at(source, stream, stream.start(side, split).1))
}
