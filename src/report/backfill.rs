//! `--backfill`: where bytes were lost the host is asked whether it still has them, and what it has
//! is printed in the place of the gap.
//!
//! A gap ends at the next line of its source. Until that has come, and until the host has answered,
//! what else comes of that source is held back; all others go on. What of the gap could not be had
//! is still a gap. How a host finds the bytes again (a former generation that has turned up, under
//! whatever name) is left to `host`.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::Feed;
use crate::fleet;
use crate::model::backfilled::BackfilledLines;
use crate::model::cursor::LineRef;
use crate::model::gap::{Gap, GapReason};
use crate::model::host::HostId;
use crate::model::line::{FleetLine, Line};
use crate::model::source::SourceId;
use crate::model::time::Time;
use crate::model::update::Update;
use crate::query::request::{
    LogRequest, LogResponse, MissingBytes, PageRequest, PageStart, RequestKind,
};

/// The line after a gap is waited for so long: a log may say nothing more for days.
const WAIT: Duration = Duration::from_secs(5);

/// Lines that are asked for at once.
const PAGE_LINES: u32 = 5000;

/// Of a gap so many bytes are brought back; the rest of it is a gap.
const MOST_BYTES: usize = 16 << 20;

/// For so long a host may go on answering, with all questions about one gap.
const MOST_TIME: Duration = Duration::from_secs(60);

/// A host that says nothing for so long is not waited for.
const SILENCE: Duration = Duration::from_secs(20);

/// Gaps that are asked for at the same time.
const AT_ONCE: usize = 4;

/// So many bytes are held back, of all sources together.
const MOST_HELD: usize = 16 << 20;

/// Who can be asked for what was lost.
pub trait GapRequests: Clone + Send + Sync + 'static {
    /// Asks a host. An answer that is whole ends with [`LogResponse::Done`]; dropping the receiver ends
    /// the work.
    fn ask(&self, host: HostId, ask: LogRequest) -> mpsc::Receiver<LogResponse>;
}

impl GapRequests for fleet::Questions {
    fn ask(&self, host: HostId, ask: LogRequest) -> mpsc::Receiver<LogResponse> {
        Self::ask(self, host, ask)
    }
}

impl GapRequests for fleet::Anew {
    fn ask(&self, host: HostId, ask: LogRequest) -> mpsc::Receiver<LogResponse> {
        Self::ask(self, host, ask)
    }
}

/// Updates in which gaps are filled, as far as the hosts can.
pub struct Backfill<F, A> {
    feed: F,
    asks: A,
    known: BTreeMap<SourceId, KnownSource>,
    holes: BTreeMap<SourceId, Hole>,
    filled: BackfilledLines,
    /// Tells a hole from one that its source had before.
    serial: u64,
    fetching: JoinSet<(SourceId, u64, Vec<Update>)>,
    room: Arc<Semaphore>,
    held: usize,
    ready: VecDeque<Vec<Update>>,
    /// Nothing more comes.
    ended: bool,
    /// Nothing more is asked for.
    closed: bool,
}

/// What is known of a source.
#[derive(Default)]
struct KnownSource {
    name: Arc<str>,
    /// Of its last line.
    last: Option<LineRef>,
}

/// A gap on its way to be filled.
struct Hole {
    serial: u64,
    gap: Gap,
    before: LineRef,
    /// What came of its source since.
    held: Vec<Update>,
    bytes: usize,
    /// Until when the line after it is waited for; `None` where the host is being asked.
    until: Option<Instant>,
}

impl<F: Feed + Send, A: GapRequests> Backfill<F, A> {
    /// Fills the gaps of `feed`.
    #[must_use]
    pub fn new(feed: F, asks: A) -> Self {
        Self {
            feed,
            asks,
            known: BTreeMap::new(),
            holes: BTreeMap::new(),
            filled: BackfilledLines::default(),
            serial: 0,
            fetching: JoinSet::new(),
            room: Arc::new(Semaphore::new(AT_ONCE)),
            held: 0,
            ready: VecDeque::new(),
            ended: false,
            closed: false,
        }
    }

    fn take(&mut self, batch: Vec<Update>) {
        let mut out = Vec::with_capacity(batch.len());
        for update in batch {
            match update {
                Update::Lines(records) => self.records(records, &mut out),
                Update::Gap(gap) => self.gap(gap, &mut out),
                Update::Source(host, source, info) => {
                    self.known.entry(source).or_default().name = Arc::clone(&info.name);
                    out.push(Update::Source(host, source, info));
                }
                other => out.push(other),
            }
        }
        if !out.is_empty() {
            self.ready.push_back(out);
        }
        if self.held > MOST_HELD {
            self.give_up_all();
        }
    }

    fn records(&mut self, records: Vec<FleetLine>, out: &mut Vec<Update>) {
        let mut free = Vec::with_capacity(records.len());
        for record in records {
            if self.filled.takes(&record) {
                continue;
            }
            let Some(hole) = self.holes.get_mut(&record.source) else {
                self.note(&record);
                free.push(record);
                continue;
            };
            let (source, place, bytes) = (
                record.source,
                record.content.place(),
                record.content.raw.len() + size_of::<FleetLine>(),
            );
            (hole.bytes, self.held) = (hole.bytes + bytes, self.held + bytes);
            match hole.held.last_mut() {
                Some(Update::Lines(held)) => held.push(record),
                _ => hole.held.push(Update::Lines(vec![record])),
            }
            if hole.until.is_some() {
                self.fetch(source, Some(place));
            }
        }
        if !free.is_empty() {
            out.push(Update::Lines(free));
        }
    }

    fn note(&mut self, record: &FleetLine) {
        self.known.entry(record.source).or_default().last = Some(record.content.place());
    }

    fn gap(&mut self, gap: Gap, out: &mut Vec<Update>) {
        if let Some(hole) = self.holes.get_mut(&gap.source) {
            return hole.held.push(Update::Gap(gap));
        }
        // Of a line that is too long, and of a hole in the file, the host has no more than it has
        // sent.
        let may_turn_up = matches!(
            gap.reason,
            GapReason::Truncated | GapReason::RotatedAway | GapReason::Overflow
        );
        let before = self.known.get(&gap.source).and_then(|known| known.last);
        let (Some(before), true, false) = (before, may_turn_up, self.closed) else {
            return out.push(Update::Gap(gap));
        };
        self.serial += 1;
        let (serial, until) = (self.serial, Some(Instant::now() + WAIT));
        self.holes.insert(
            gap.source,
            Hole {
                serial,
                gap,
                before,
                held: Vec::new(),
                bytes: 0,
                until,
            },
        );
    }

    /// Asks the host for what stands between the line before a gap and the one after it.
    fn fetch(&mut self, source: SourceId, after: Option<LineRef>) {
        let Some(hole) = self.holes.get_mut(&source) else {
            return;
        };
        hole.until = None;
        let name = self
            .known
            .get(&source)
            .map(|known| Arc::clone(&known.name))
            .unwrap_or_default();
        let wanted = WantedGap {
            gap: hole.gap.clone(),
            name,
            before: hole.before,
            after,
        };
        let (serial, asks, room) = (hole.serial, self.asks.clone(), Arc::clone(&self.room));
        self.fetching.spawn(async move {
            let _room = room.acquire().await;
            (source, serial, wanted.fetch(&asks).await)
        });
    }

    /// The line after these gaps does not come. What stood in a file that has another name by now
    /// is told from what is still to come; what stood in the same file is not.
    fn stop_waiting(&mut self, is_late: impl Fn(Instant) -> bool) {
        let late = self
            .holes
            .iter()
            .filter(|(_, hole)| hole.until.is_some_and(&is_late));
        let late: Vec<_> = late
            .map(|(source, hole)| (*source, hole.gap.reason))
            .collect();
        for (source, reason) in late {
            if reason == GapReason::RotatedAway {
                self.fetch(source, None);
            } else {
                self.give_up(source);
            }
        }
    }

    fn give_up(&mut self, source: SourceId) {
        if let Some(gap) = self.holes.get(&source).map(|hole| hole.gap.clone()) {
            self.close(source, vec![Update::Gap(gap)]);
        }
    }

    fn give_up_all(&mut self) {
        let all: Vec<SourceId> = self.holes.keys().copied().collect();
        all.into_iter().for_each(|source| self.give_up(source));
    }

    /// Lets out what stands in place of a gap, and what has come since.
    fn close(&mut self, source: SourceId, instead: Vec<Update>) {
        let Some(hole) = self.holes.remove(&source) else {
            return;
        };
        self.held -= hole.bytes;
        for update in &instead {
            if let Update::Lines(records) = update {
                records
                    .last()
                    .into_iter()
                    .for_each(|record| self.note(record));
            }
        }
        if !instead.is_empty() {
            self.ready.push_back(instead);
        }
        self.take(hole.held);
    }

    fn fetched(&mut self, source: SourceId, serial: u64, instead: Vec<Update>) {
        let Some(hole) = self.holes.get(&source).filter(|hole| hole.serial == serial) else {
            return;
        };
        let after = lines_of(&hole.held).next();
        let lines = lines_of(&instead);
        self.filled.note(
            source,
            lines,
            after.map(|record| record.content.cursor.file),
        );
        self.close(source, instead);
    }
}

impl<F: Feed + Send, A: GapRequests> Feed for Backfill<F, A> {
    async fn next(&mut self) -> Option<Vec<Update>> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                return Some(batch);
            }
            if self.ended && self.holes.is_empty() {
                return None;
            }
            let until = self.holes.values().filter_map(|hole| hole.until).min();
            let late = async {
                match until {
                    Some(until) => sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                batch = self.feed.next(), if !self.ended => match batch {
                    Some(batch) => self.take(batch),
                    None => {
                        self.ended = true;
                        self.stop_waiting(|_| true);
                    }
                },
                Some(done) = self.fetching.join_next() => match done {
                    Ok((source, serial, instead)) => self.fetched(source, serial, instead),
                    // Nobody knows which: they are gaps all the same.
                    Err(_) => self.give_up_all(),
                },
                () = late => self.stop_waiting(|until| until <= Instant::now()),
            }
        }
    }

    /// After the end of the pass: there is no time to wait for more.
    fn try_next(&mut self) -> Option<Vec<Update>> {
        self.closed = true;
        self.give_up_all();
        loop {
            if let Some(batch) = self.ready.pop_front() {
                return Some(batch);
            }
            let batch = self.feed.try_next()?;
            self.take(batch);
        }
    }
}

fn lines_of(updates: &[Update]) -> impl Iterator<Item = &FleetLine> {
    updates.iter().flat_map(|update| match update {
        Update::Lines(records) => records.as_slice(),
        _ => &[],
    })
}

/// What is asked of a host about a gap.
struct WantedGap {
    gap: Gap,
    name: Arc<str>,
    before: LineRef,
    after: Option<LineRef>,
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FillEnd {
    /// With the line after the gap: nothing is missing.
    Whole,
    /// There is more.
    More,
    /// Before its end.
    Broken,
    /// The line before the gap is not there, or what follows it does not lead to the line after the
    /// gap: it is not known where these lines belong.
    Lost,
}

/// What was answered so far.
#[derive(Default)]
struct Got {
    updates: Vec<Update>,
    bytes: usize,
    /// The last line, and the offset after it.
    last: Option<(LineRef, u64)>,
}

impl WantedGap {
    /// What stands in place of the gap: lines, and a gap where some are missing still.
    async fn fetch(&self, asks: &impl GapRequests) -> Vec<Update> {
        let (mut got, deadline) = (Got::default(), Instant::now() + MOST_TIME);
        let ended = loop {
            let start = PageStart::After(got.last.map_or(self.before, |(place, _)| place));
            let known = got.last;
            match self.page(asks, start, deadline, &mut got).await {
                // A page without a line would lead to the same page.
                FillEnd::More if got.last != known && got.bytes < MOST_BYTES => {}
                FillEnd::More => break FillEnd::Broken,
                ended => break ended,
            }
        };
        match ended {
            FillEnd::Whole => got.updates,
            FillEnd::Lost => vec![Update::Gap(self.gap.clone())],
            FillEnd::Broken | FillEnd::More => {
                got.updates.push(Update::Gap(self.rest(got.last)));
                got.updates
            }
        }
    }

    async fn page(
        &self,
        asks: &impl GapRequests,
        start: PageStart,
        deadline: Instant,
        got: &mut Got,
    ) -> FillEnd {
        let window = Time(i64::MIN)..Time(i64::MAX);
        let page = PageRequest {
            start,
            backwards: false,
            lines: PAGE_LINES,
            window,
        };
        let ask = LogRequest {
            sources: vec![self.name.to_string()],
            what: RequestKind::Page(page),
        };
        let mut replies = asks.ask(self.gap.host, ask);
        loop {
            let until = deadline.min(Instant::now() + SILENCE);
            let Ok(Some(reply)) = timeout_at(until, replies.recv()).await else {
                return FillEnd::Broken;
            };
            match reply {
                LogResponse::Lines(name, lines) if name == self.name => {
                    if let Some(ended) = self.lines(lines, got) {
                        return ended;
                    }
                }
                LogResponse::Gap(name, missing) if name == self.name => {
                    if let Some(ended) = self.missing(&missing, got) {
                        return ended;
                    }
                }
                LogResponse::Failed(name, _) if name.is_empty() || name == self.name => {
                    return FillEnd::Broken;
                }
                LogResponse::Done(totals) if totals.more => return FillEnd::More,
                LogResponse::Done(_) if self.after.is_none() => return FillEnd::Whole,
                LogResponse::Done(_) => return FillEnd::Lost,
                _ => {}
            }
        }
    }

    fn lines(&self, lines: Vec<Line>, got: &mut Got) -> Option<FillEnd> {
        let mut records = Vec::with_capacity(lines.len());
        let mut ended = None;
        for line in lines {
            if self.is_beyond(&line) {
                ended = Some(FillEnd::Whole);
                break;
            }
            if got.bytes > MOST_BYTES {
                ended = Some(FillEnd::Broken);
                break;
            }
            got.bytes += line.raw.len() + size_of::<FleetLine>();
            let record = self.backfilled(line);
            got.last = Some((
                record.content.place(),
                record.content.cursor.offset + record.content.raw.len() as u64 + 1,
            ));
            records.push(record);
        }
        if !records.is_empty() {
            got.updates.push(Update::Lines(records));
        }
        ended
    }

    /// Whether a line is the one after the gap; where that is not known, whether it is of another
    /// file than the one before.
    fn is_beyond(&self, line: &Line) -> bool {
        match self.after {
            Some(after) => {
                let is_there = line.cursor.offset == after.cursor.offset;
                is_there && (line.cursor.file == after.cursor.file || after.fits(&line.raw))
            }
            None => line.cursor.file != self.before.cursor.file,
        }
    }

    /// Bytes that the host does not have either.
    fn missing(&self, missing: &MissingBytes, got: &mut Got) -> Option<FillEnd> {
        let place = got.last.map_or(self.before, |(place, _)| place);
        let is_lost = matches!(
            missing.reason,
            GapReason::Truncated | GapReason::RotatedAway
        );
        if is_lost && missing.from == place.cursor.offset {
            return Some(if got.last.is_none() {
                FillEnd::Lost
            } else {
                FillEnd::Broken
            });
        }
        let MissingBytes { from, to, reason } = *missing;
        got.updates.push(Update::Gap(Gap {
            from,
            to,
            reason,
            ..self.gap.clone()
        }));
        None
    }

    /// The gap that is left.
    fn rest(&self, last: Option<(LineRef, u64)>) -> Gap {
        let Some((place, from)) = last else {
            return self.gap.clone();
        };
        let is_same = place.cursor.file == self.before.cursor.file;
        let to = self.gap.to.filter(|&to| is_same && to > from);
        Gap {
            from,
            to,
            ..self.gap.clone()
        }
    }

    fn backfilled(&self, line: Line) -> FleetLine {
        FleetLine {
            late: true,
            ..FleetLine::new(self.gap.host, self.gap.source, line)
        }
    }
}

#[cfg(test)]
#[path = "backfill_tests.rs"]
mod tests;
