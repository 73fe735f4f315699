//! What is read of the time before the ring: rows of many sources put in order page by page, at
//! either end.
//!
//! A window on the whole log, within a budget of bytes. Each source is a stream of which pages are
//! asked, older ones from the oldest line that is known, newer ones from the newest; a row goes
//! into the window when no other stream can still bring one that belongs between. So rows are only
//! ever added at an end, and what is on the screen stays. What lies at the far end leaves when the
//! budget is used up, and is asked for again when it is wanted.
//!
//! Where the window reaches the ring, it goes on there ([`Past::joined`]). The part of the ring in
//! which some sources have lines and others do not yet, because it began with their last few lines,
//! is put in order with the rest. Who asks, and when, is left to `app`.

use std::collections::BTreeMap;

use super::{Lens, Ring, RingEntry, Store};
use crate::model::host::HostId;
use crate::model::source::SourceId;
use crate::model::time::Time;
use crate::query::request::PageStart;

mod stream;

pub use stream::{Side, StreamState};

use stream::{PastRun, PastStream, far_line, find, is_cut, is_due, line, needs, resume};

/// The number of the first row of a window; older ones are counted down from it.
pub const MIDDLE: u64 = 1 << 39;

/// The number of the row above the oldest, which says how it goes on there.
pub const NOTICE: u64 = 0;

/// Most bytes of rows that were read and wait for those of other streams.
const AHEAD_BYTES: usize = 8 << 20;

/// A page that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
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

/// A window of rows and the streams that it is made of.
#[derive(Debug)]
pub struct Past {
    rows: Ring,
    streams: BTreeMap<SourceId, PastStream>,
    /// The ring goes on from this number.
    joined: Option<u64>,
    /// Rows of the ring from here to where it goes on are in the window; those before are not yet.
    reach: u64,
    /// While it comes near the ring from below: everything of it before this is in the window, or
    /// is passed over.
    climb: u64,
    /// Numbers that rows had in the ring, with those that they have here.
    moved: Vec<(u64, u64)>,
    split: Time,
}

/// Where the next row of a merge comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum From {
    Stream,
    Live(u64),
}

impl Past {
    /// A window at the oldest end of the ring, from where all sources have lines in it. Empty to
    /// begin with.
    #[must_use]
    pub fn before_live(
        store: &Store,
        lens: &Lens,
        sources: &[(SourceId, HostId)],
        now: Time,
    ) -> Self {
        let ring = store.ring();
        let mut past = Self::new(now, sources);
        let mut missing = sources.len();
        for (seq, entry) in ring.from(ring.first()) {
            let Some(record) = entry.record().filter(|_| !is_cut(ring, lens, seq)) else {
                continue;
            };
            let Some(stream) = past
                .streams
                .get_mut(&record.source)
                .filter(|stream| stream.first_live.is_none())
            else {
                continue;
            };
            (stream.first_live, stream.oldest) = (Some(seq), line(entry));
            missing -= 1;
            if missing == 0 {
                break;
            }
        }
        let joined = past
            .streams
            .values()
            .filter_map(|stream| stream.first_live)
            .max()
            .unwrap_or_else(|| ring.end());
        (past.joined, past.reach) = (Some(joined), joined);
        past.split = ring
            .get(joined)
            .map_or(now, |entry| Time(entry.time().0.saturating_add(1)));
        past
    }

    /// A window around a moment, which may be far from the ring.
    #[must_use]
    pub fn at(time: Time, sources: &[(SourceId, HostId)]) -> Self {
        Self::new(time, sources)
    }

    fn new(split: Time, sources: &[(SourceId, HostId)]) -> Self {
        Self {
            rows: Ring::starting_at(MIDDLE, usize::MAX),
            streams: sources
                .iter()
                .map(|&(source, host)| (source, PastStream::new(host)))
                .collect(),
            joined: None,
            reach: 0,
            climb: 0,
            moved: Vec::new(),
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
    pub fn joined(&self) -> Option<u64> {
        self.joined
    }

    /// Rows of the ring from this number on are in the window or behind it.
    #[must_use]
    pub fn reach(&self) -> u64 {
        self.reach
    }

    /// Numbers that rows had in the ring with those that they have here, of those added since the
    /// last time.
    pub fn take_moved(&mut self) -> Vec<(u64, u64)> {
        std::mem::take(&mut self.moved)
    }

    /// Whether a row of the ring has a number here that was not taken yet.
    #[must_use]
    pub fn has_moved(&self, seq: u64) -> bool {
        self.moved.iter().any(|&(from, _)| from == seq)
    }

    /// Takes in a source that has come into being.
    pub fn add_source(&mut self, source: SourceId, host: HostId) {
        self.streams
            .entry(source)
            .or_insert_with(|| PastStream::new(host));
    }

    /// Sources at an end, with how they go on.
    pub fn states(&self, side: Side) -> impl Iterator<Item = (SourceId, HostId, &StreamState)> {
        self.streams.iter().map(move |(&source, stream)| {
            let run = if side == Side::Older {
                &stream.older
            } else {
                &stream.newer
            };
            (source, stream.host, &run.state)
        })
    }

    /// Whether an end is the last: nothing is left to be read there.
    #[must_use]
    pub fn is_over(&self, side: Side) -> bool {
        let over = |run: &PastRun| run.state == StreamState::End && run.ahead.is_empty();
        self.streams.values().all(|stream| {
            over(if side == Side::Older {
                &stream.older
            } else {
                &stream.newer
            })
        })
    }

    /// Pages without which no more rows can be put in order at an end.
    #[must_use]
    pub fn wants(&self, side: Side, lens: &Lens) -> Vec<Want> {
        let head = self.head(lens);
        let is_wanted = |stream: &PastStream| match side {
            Side::Older => is_due(stream, head) && needs(&stream.older),
            Side::Newer => self.joined.is_none() && needs(&stream.newer),
        };
        let wanted = self.streams.iter().filter(|(_, stream)| is_wanted(stream));
        wanted
            .map(|(&source, stream)| {
                let edge = if side == Side::Older {
                    stream.older_start(self.split)
                } else {
                    stream.newer_start(self.split)
                };
                Want {
                    host: stream.host,
                    source,
                    side,
                    start: edge.0,
                    bound: edge.1,
                }
            })
            .collect()
    }

    /// Notes that a page was asked for.
    pub fn asked(&mut self, want: &Want) {
        if let Some(stream) = self.streams.get_mut(&want.source) {
            let run = stream.run(want.side);
            (run.state, run.asked) = (StreamState::Asked, Some(want.start));
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

    /// Takes in a page that was asked for, in the order of the file. `ended`: whether the log ends
    /// with it at this side, or why it could not be read (further).
    pub fn arrived(
        &mut self,
        want: &Want,
        mut page: Vec<RingEntry>,
        ended: Result<bool, String>,
        (store, lens): (&Store, &Lens),
    ) {
        let Some(stream) = self.streams.get_mut(&want.source) else {
            return;
        };
        let run = stream.run(want.side);
        if run.state != StreamState::Asked || run.asked != Some(want.start) {
            return;
        }
        run.state = match ended {
            Ok(true) => StreamState::End,
            Ok(false) => StreamState::Open,
            Err(why) => StreamState::Failed(why),
        };
        match want.side {
            Side::Older if self.has_begun_since(want, store) => return,
            Side::Older => page.reverse(),
            Side::Newer => self.meet_ring(want.source, &mut page, store, lens),
        }
        if let Some(stream) = self.streams.get_mut(&want.source) {
            stream.run(want.side).ahead.extend(page);
        }
        self.bound_ahead();
    }

    /// A source of which nothing was known is asked by the time, and may have gone on meanwhile:
    /// then it is asked again, from the first line that is known now.
    fn has_begun_since(&mut self, want: &Want, store: &Store) -> bool {
        let (PageStart::At(_), Some(joined)) = (want.start, self.joined) else {
            return false;
        };
        let Some(stream) = self.streams.get_mut(&want.source) else {
            return false;
        };
        let own = |entry: &&RingEntry| {
            entry
                .record()
                .is_some_and(|record| record.source == want.source)
        };
        let live = || {
            store
                .ring()
                .from(joined)
                .map(|(_, entry)| entry)
                .find(own)
                .and_then(line)
        };
        stream.oldest = stream.oldest.or_else(live);
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
        store: &Store,
        lens: &Lens,
    ) {
        let Some(stream) = self.streams.get_mut(&source) else {
            return;
        };
        let in_ring = |entry: &RingEntry| find(store, lens, entry.record()?);
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
                .find_map(line)
                .or(far_line(&stream.newer))
                .or(stream.newest);
            stream.resume = Some(resume(
                store,
                lens,
                source,
                last.map(|(place, _)| place),
                self.split,
            ));
        }
    }

    /// Lets go of what lies farthest ahead where too much waits; it is asked for again.
    fn bound_ahead(&mut self) {
        let bytes = |run: &PastRun| run.ahead.iter().map(RingEntry::cost).sum::<usize>();
        let all: usize = self
            .streams
            .values()
            .map(|stream| bytes(&stream.older) + bytes(&stream.newer))
            .sum();
        if all <= AHEAD_BYTES {
            return;
        }
        let share = AHEAD_BYTES / self.streams.len().max(1) / 2;
        for stream in self.streams.values_mut() {
            for run in [&mut stream.older, &mut stream.newer] {
                let mut left = bytes(run);
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
    pub fn merge_older(&mut self, store: &Store, lens: &Lens, most: usize) {
        self.forget_left(store);
        for _ in 0..most {
            let Some((source, from)) = self.next_older(store, lens) else {
                return;
            };
            match from {
                From::Live(seq) => {
                    let Some(entry) = store.ring().get(seq).cloned() else {
                        return;
                    };
                    self.reach = seq;
                    self.push_oldest(entry);
                    self.moved.push((seq, self.rows.first()));
                }
                From::Stream => {
                    let entry = self
                        .streams
                        .get_mut(&source)
                        .and_then(|stream| stream.older.ahead.pop_front());
                    let Some(entry) = entry else { return };
                    self.push_oldest(entry);
                }
            }
        }
    }

    /// The newest row that is not in the window, unless a stream that has to be asked may have one
    /// that is newer.
    fn next_older(&self, store: &Store, lens: &Lens) -> Option<(SourceId, From)> {
        let head = self.head(lens);
        let mut best = None;
        let mut bar = None;
        if let Some(seq) = head {
            let entry = store.ring().get(seq)?;
            let source = entry
                .origin()
                .map_or(SourceId(u32::MAX), |(_, source)| source);
            best = Some((entry.time(), source, From::Live(seq)));
        }
        for (&source, stream) in self
            .streams
            .iter()
            .filter(|(_, stream)| is_due(stream, head))
        {
            match stream.older.ahead.front() {
                Some(entry) => best = best.max(Some((entry.time(), source, From::Stream))),
                None if matches!(stream.older.state, StreamState::Open | StreamState::Asked) => {
                    bar = bar.max(Some((stream.older_start(self.split).1, source)));
                }
                None => {}
            }
        }
        let (time, source, from) = best?;
        (bar.is_none_or(|bar| (time, source) > bar)).then_some((source, from))
    }

    /// The newest row of the ring that passes and is not in the window yet.
    fn head(&self, lens: &Lens) -> Option<u64> {
        self.joined?;
        lens.index_of(self.reach)
            .checked_sub(1)
            .and_then(|index| lens.get(index))
    }

    fn push_oldest(&mut self, entry: RingEntry) {
        let origin = entry.origin().map(|(_, source)| source);
        let stream = origin.and_then(|source| self.streams.get_mut(&source));
        let Some((stream, at)) = stream.zip(line(&entry)) else {
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
            .zip(line(&entry))
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
    fn forget_left(&mut self, store: &Store) {
        let first = store.ring().first();
        let is_gone = |stream: &PastStream| {
            stream
                .first_live
                .is_some_and(|seq| seq < first && seq < self.reach)
        };
        if self.streams.values().any(is_gone) {
            self.abandon_ring(store);
        }
    }

    /// Leaves the rest of the ring that is not in order yet to the hosts, which are asked for it.
    fn abandon_ring(&mut self, store: &Store) {
        let rest = self.joined.unwrap_or(self.reach);
        for (&source, stream) in &mut self.streams {
            if stream.first_live.take().is_some_and(|seq| seq < self.reach) {
                stream.older = PastRun::default();
                let own = |entry: &&RingEntry| {
                    entry.record().is_some_and(|record| record.source == source)
                };
                let live = || {
                    store
                        .ring()
                        .from(rest)
                        .map(|(_, entry)| entry)
                        .find(own)
                        .and_then(line)
                };
                stream.oldest = stream
                    .first_row
                    .and_then(|seq| line(self.rows.get(seq)?))
                    .or_else(live);
            }
        }
        self.reach = 0;
    }

    /// Takes in the rows that the ring has forgotten a moment ago, of the part that goes on where
    /// the window ends.
    pub fn absorb(&mut self, store: &Store, gone: &[u64]) {
        let Some(joined) = self.joined else { return };
        for &seq in gone.iter().filter(|&&seq| seq >= joined) {
            let Some(entry) = store.ring().get_or_left(seq) else {
                continue;
            };
            self.push_newest(entry.clone());
            self.moved.push((seq, self.rows.end() - 1));
        }
        self.joined = Some(joined.max(store.ring().first()));
    }

    /// Puts in order, at the newer end of a window that is apart, what may be; at most so many
    /// rows. Joins the ring where it is reached.
    pub fn merge_newer(&mut self, store: &Store, lens: &Lens, most: usize) {
        if self.joined.is_some() {
            return;
        }
        for _ in 0..most {
            self.pass_over(store, lens);
            if self.reaches_ring() {
                self.join(store);
                return;
            }
            let Some((source, from)) = self.next_newer(store, lens) else {
                return;
            };
            match from {
                From::Live(seq) => {
                    let Some(entry) = store.ring().get(seq).cloned() else {
                        return;
                    };
                    self.climb = seq + 1;
                    self.push_newest(entry);
                }
                From::Stream => {
                    let entry = self
                        .streams
                        .get_mut(&source)
                        .and_then(|stream| stream.newer.ahead.pop_front());
                    let Some(entry) = entry else { return };
                    self.push_newest(entry);
                }
            }
        }
    }

    /// Passes over rows of the ring that are in the window, or stand before it.
    fn pass_over(&mut self, store: &Store, lens: &Lens) {
        let first = store.ring().first();
        for stream in self.streams.values_mut() {
            // What was to be taken from the ring has left it: the host is asked again.
            if stream
                .resume
                .is_some_and(|resume| resume.max(self.climb) < first)
            {
                stream.resume = None;
                stream.newer.state = StreamState::Open;
            }
        }
        self.climb = self.climb.max(first);
        self.pass_over_known(store, lens);
        let resumes: Option<Vec<u64>> = self
            .streams
            .values()
            .map(|stream| stream.resume.filter(|_| stream.newer.ahead.is_empty()))
            .collect();
        // Rows of the ring that are not shown need not be waited for.
        let top = resumes.map_or(0, |resumes| resumes.into_iter().max().unwrap_or(0));
        if self.foot(lens).is_none_or(|foot| foot >= top) {
            self.climb = self.climb.max(top);
        }
    }

    fn pass_over_known(&mut self, store: &Store, lens: &Lens) {
        while let Some(seq) = self.foot(lens) {
            let Some(entry) = store.ring().get(seq) else {
                return;
            };
            let stream = entry
                .origin()
                .and_then(|(_, source)| self.streams.get(&source));
            let is_past = match stream {
                None => self
                    .streams
                    .values()
                    .any(|stream| stream.resume.is_some_and(|resume| resume > seq)),
                Some(stream) => stream
                    .resume
                    .map_or_else(|| stream.has_had(entry), |resume| resume > seq),
            };
            if !is_past {
                return;
            }
            self.climb = seq + 1;
        }
    }

    fn foot(&self, lens: &Lens) -> Option<u64> {
        lens.get(lens.index_of(self.climb))
    }

    fn reaches_ring(&self) -> bool {
        let joins = |stream: &PastStream| {
            stream.resume.is_some_and(|seq| seq <= self.climb) && stream.newer.ahead.is_empty()
        };
        self.streams.values().all(joins)
    }

    fn join(&mut self, store: &Store) {
        self.joined = Some(self.climb.max(store.ring().first()));
        for stream in self.streams.values_mut() {
            // What is older is known by the rows of the window, and the ring before it is not put
            // in order again.
            (stream.resume, stream.first_live) = (None, None);
        }
        self.reach = 0;
    }

    fn next_newer(&self, store: &Store, lens: &Lens) -> Option<(SourceId, From)> {
        let mut best = None;
        let mut bar = None;
        let mut wall = None;
        if let Some(seq) = self.foot(lens) {
            let entry = store.ring().get(seq)?;
            let source = entry.origin().map(|(_, source)| source);
            let stream = source.and_then(|source| self.streams.get(&source));
            let follows = stream
                .is_none_or(|stream| stream.resume.is_some() && stream.newer.ahead.is_empty());
            let source = source.unwrap_or(SourceId(u32::MAX));
            if follows {
                best = Some((entry.time(), source, From::Live(seq)));
            } else {
                // Behind it, rows of other sources wait that are in the ring. Its own stream may
                // have that very row.
                wall = Some((entry.time(), source));
            }
        }
        for (&source, stream) in &self.streams {
            match stream.newer.ahead.front() {
                Some(entry) => {
                    let own = (entry.time(), source, From::Stream);
                    best = Some(best.map_or(own, |best| own.min(best)));
                }
                None if matches!(stream.newer.state, StreamState::Open | StreamState::Asked) => {
                    let own = (stream.newer_start(self.split).1, source);
                    bar = Some(bar.map_or(own, |bar| own.min(bar)));
                }
                None => {}
            }
        }
        let (time, source, from) = best?;
        let is_first = bar.is_none_or(|bar| (time, source) < bar)
            && wall.is_none_or(|wall| (time, source) <= wall);
        is_first.then_some((source, from))
    }

    /// Puts lines in the place of a gap; those before it have numbers that are so much lower from
    /// then on.
    pub fn fill(&mut self, seq: u64, lines: Vec<RingEntry>) -> u64 {
        let by = self.rows.fill(seq, lines);
        for stream in self.streams.values_mut() {
            stream.first_row = stream
                .first_row
                .map(|row| if row < seq { row - by } else { row });
        }
        by
    }

    /// Lets go of rows at the end that is farther from this one, until the budget is kept. Whether
    /// any went.
    pub fn trim(&mut self, keep: u64, budget: usize, store: &Store) {
        while self.rows.bytes() > budget && self.rows.end() - self.rows.first() > 1 {
            let (above, below) = (
                keep.saturating_sub(self.rows.first()),
                self.rows.end().saturating_sub(keep),
            );
            if self.reach > 0 {
                self.abandon_ring(store);
            }
            let (side, entry) = if above >= below {
                (Side::Older, self.rows.pop_oldest())
            } else {
                self.part();
                (Side::Newer, self.rows.pop_newest())
            };
            if let Some(entry) = entry {
                self.give_back(entry, side);
            }
        }
    }

    /// The window ends before the ring from now on.
    fn part(&mut self) {
        if self.joined.take().is_none() {
            return;
        }
        self.climb = 0;
        for stream in self.streams.values_mut() {
            (stream.newer, stream.resume) = (PastRun::default(), None);
        }
    }

    /// A row leaves the window: the only one of its source that waits before it, by which what
    /// follows is asked.
    fn give_back(&mut self, entry: RingEntry, side: Side) {
        let Some((_, source)) = entry.origin() else {
            return;
        };
        let (first, end) = (self.rows.first(), self.rows.end());
        let Some(stream) = self
            .streams
            .get_mut(&source)
            .filter(|_| entry.record().is_some())
        else {
            return;
        };
        let run = stream.run(side);
        run.ahead.clear();
        run.ahead.push_back(entry);
        run.state = StreamState::Open;
        stream.first_live = None;
        if side == Side::Newer {
            stream.resume = None;
        }
        stream.first_row = stream.first_row.filter(|&seq| seq >= first && seq < end);
    }
}
