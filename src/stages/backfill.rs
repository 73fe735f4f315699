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

use crate::fleet::{self, Feed};
use crate::model::backfilled::BackfilledLines;
use crate::model::cursor::LineRef;
use crate::model::gap::{Gap, GapReason};
use crate::model::host::HostId;
use crate::model::line::{FleetLine, Line, LineOrder};
use crate::model::source::SourceId;
use crate::model::update::Update;
use crate::query::gap_fill::{FillOutcome, GapBoundary, GapFill};
use crate::query::request::{LogRequest, LogResponse, MissingBytes, RequestKind};

/// The line after a gap is waited for so long: a log may say nothing more for days.
const WAIT: Duration = Duration::from_secs(5);

/// Lines that are asked for at once.
const PAGE_LINES: u32 = 5000;

/// Bytes that are brought back per gap; the rest remains a gap.
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
    /// Asks a host. An answer that is whole ends with [`LogResponse::Done`]; dropping the receiver
    /// ends the work.
    fn ask(&self, host: HostId, ask: LogRequest) -> mpsc::Receiver<LogResponse>;
}

impl GapRequests for fleet::RequestClient {
    fn ask(&self, host: HostId, ask: LogRequest) -> mpsc::Receiver<LogResponse> {
        Self::ask(self, host, ask)
    }
}

impl GapRequests for fleet::OneShotClient {
    fn ask(&self, host: HostId, ask: LogRequest) -> mpsc::Receiver<LogResponse> {
        Self::ask(self, host, ask)
    }
}

/// Updates in which gaps are filled, as far as the hosts can.
pub struct Backfill<F, A> {
    feed: F,
    client: A,
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

impl<F: Feed, A: GapRequests> Backfill<F, A> {
    /// Fills the gaps of `feed`.
    #[must_use]
    pub fn new(feed: F, client: A) -> Self {
        Self {
            feed,
            client,
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
                Update::Lines(lines) => self.lines(lines, &mut out),
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

    fn lines(&mut self, lines: Vec<FleetLine>, out: &mut Vec<Update>) {
        let mut free = Vec::with_capacity(lines.len());
        for line in lines {
            if self.filled.takes(&line) {
                continue;
            }
            if self.holes.contains_key(&line.source) {
                self.hold(line);
            } else {
                self.note(&line);
                free.push(line);
            }
        }
        if !free.is_empty() {
            out.push(Update::Lines(free));
        }
    }

    /// Holds back a line that comes after a gap. The first of them shows where the gap ends.
    fn hold(&mut self, line: FleetLine) {
        let source = line.source;
        let place = line.content.place();
        let bytes = line.content.memory();
        let Some(hole) = self.holes.get_mut(&source) else {
            return;
        };
        hole.bytes += bytes;
        self.held += bytes;
        match hole.held.last_mut() {
            Some(Update::Lines(held)) => held.push(line),
            _ => hole.held.push(Update::Lines(vec![line])),
        }
        if hole.until.is_some() {
            self.fetch(source, Some(place));
        }
    }

    fn note(&mut self, line: &FleetLine) {
        self.known.entry(line.source).or_default().last = Some(line.content.place());
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
        let Some(before) = before.filter(|_| may_turn_up && !self.closed) else {
            return out.push(Update::Gap(gap));
        };
        self.serial += 1;
        let hole = Hole {
            serial: self.serial,
            before,
            held: Vec::new(),
            bytes: 0,
            until: Some(Instant::now() + WAIT),
            gap,
        };
        self.holes.insert(hole.gap.source, hole);
    }

    /// Requests the lines between the one before a gap and the one after it from the host.
    fn fetch(&mut self, source: SourceId, after: Option<LineRef>) {
        let Some(hole) = self.holes.get_mut(&source) else {
            return;
        };
        hole.until = None;
        let known = self.known.get(&source);
        let boundary = after.map_or(GapBoundary::File, GapBoundary::Line);
        let gap = hole.gap.clone();
        let name = known.map(|known| Arc::clone(&known.name));
        let fill = GapFill::new(hole.before, boundary);
        let serial = hole.serial;
        let client = self.client.clone();
        let room = Arc::clone(&self.room);
        self.fetching.spawn(async move {
            let _room = room.acquire().await;
            let request = GapRequest {
                gap,
                name: name.unwrap_or_default(),
                fill,
                updates: Vec::new(),
                bytes: 0,
                deadline: Instant::now() + MOST_TIME,
            };
            (source, serial, request.fetch(&client).await)
        });
    }

    /// The line after these gaps does not come. Lines of a file that has another name by now can be
    /// distinguished from those still to come; lines of the same file cannot.
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
            self.fill(source, vec![Update::Gap(gap)]);
        }
    }

    fn give_up_all(&mut self) {
        let all: Vec<SourceId> = self.holes.keys().copied().collect();
        all.into_iter().for_each(|source| self.give_up(source));
    }

    /// Releases what replaces a gap, and what has come since.
    fn fill(&mut self, source: SourceId, instead: Vec<Update>) {
        let Some(hole) = self.holes.remove(&source) else {
            return;
        };
        self.held -= hole.bytes;
        for update in &instead {
            if let Update::Lines(lines) = update {
                lines.last().into_iter().for_each(|line| self.note(line));
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
        let file_after = after.map(|line| line.content.cursor.file);
        self.filled.note(source, lines_of(&instead), file_after);
        self.fill(source, instead);
    }
}

impl<F: Feed, A: GapRequests> Feed for Backfill<F, A> {
    async fn next(&mut self) -> Option<Vec<Update>> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                return Some(batch);
            }
            if self.ended && self.holes.is_empty() {
                return None;
            }
            let until = self.holes.values().filter_map(|hole| hole.until).min();
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
                () = sleep_until_some(until) => self.stop_waiting(|until| until <= Instant::now()),
            }
        }
    }

    fn try_next(&mut self) -> Option<Vec<Update>> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                return Some(batch);
            }
            let batch = self.feed.try_next()?;
            self.take(batch);
        }
    }

    fn close(&mut self) {
        self.feed.close();
        self.closed = true;
        self.give_up_all();
    }
}

async fn sleep_until_some(until: Option<Instant>) {
    match until {
        Some(until) => sleep_until(until).await,
        None => std::future::pending().await,
    }
}

fn lines_of(updates: &[Update]) -> impl Iterator<Item = &FleetLine> {
    updates.iter().flat_map(|update| match update {
        Update::Lines(lines) => lines.as_slice(),
        _ => &[],
    })
}

/// A gap whose bytes are requested from its host, and what has come in its place so far.
struct GapRequest {
    gap: Gap,
    /// The name of its source.
    name: Arc<str>,
    fill: GapFill,
    updates: Vec<Update>,
    bytes: usize,
    deadline: Instant,
}

impl GapRequest {
    /// What replaces the gap: lines, and a gap where some are still missing.
    async fn fetch(mut self, client: &impl GapRequests) -> Vec<Update> {
        while self.fill.outcome().is_none() {
            if self.bytes < MOST_BYTES {
                self.page(client).await;
            } else {
                self.fill.breaks_off();
            }
        }
        match self.fill.outcome() {
            Some(FillOutcome::Whole) => self.updates,
            Some(FillOutcome::StartGone | FillOutcome::LeadsElsewhere) => {
                vec![Update::Gap(self.gap)]
            }
            Some(FillOutcome::Broken) | None => {
                let rest = self.fill.rest(&self.gap);
                self.updates.push(Update::Gap(rest));
                self.updates
            }
        }
    }

    async fn page(&mut self, client: &impl GapRequests) {
        let ask = LogRequest {
            sources: vec![self.name.to_string()],
            what: RequestKind::Page(self.fill.page(PAGE_LINES)),
        };
        let mut replies = client.ask(self.gap.host, ask);
        while self.fill.outcome().is_none() {
            let until = self.deadline.min(Instant::now() + SILENCE);
            let Ok(Some(reply)) = timeout_at(until, replies.recv()).await else {
                return self.fill.breaks_off();
            };
            match reply {
                LogResponse::Lines(name, lines) if name == self.name => self.lines(lines),
                LogResponse::Gap(name, missing) if name == self.name => self.missing(&missing),
                LogResponse::Failed(name, _) if name.is_empty() || name == self.name => {
                    return self.fill.breaks_off();
                }
                LogResponse::Done(totals) => return self.fill.page_ends(totals.more),
                _ => {}
            }
        }
    }

    fn lines(&mut self, lines: Vec<Line>) {
        let mut taken = Vec::with_capacity(lines.len());
        for line in lines {
            if self.bytes > MOST_BYTES && !self.fill.is_past(&line) {
                self.fill.breaks_off();
            }
            if !self.fill.takes(&line) {
                break;
            }
            self.bytes += line.memory();
            taken.push(self.backfilled(line));
        }
        if !taken.is_empty() {
            self.updates.push(Update::Lines(taken));
        }
    }

    /// Bytes that the host does not have either.
    fn missing(&mut self, missing: &MissingBytes) {
        if self.fill.misses(missing) {
            let MissingBytes { from, to, reason } = *missing;
            self.updates.push(Update::Gap(Gap {
                from,
                to,
                reason,
                ..self.gap.clone()
            }));
        }
    }

    fn backfilled(&self, line: Line) -> FleetLine {
        FleetLine {
            order: LineOrder::Late,
            ..FleetLine::new(self.gap.host, self.gap.source, line)
        }
    }
}

#[cfg(test)]
#[path = "backfill_tests.rs"]
mod tests;
