//! Requests for pages that are older than the ring: which pages of which sources a pane needs, and
//! what becomes of the responses.
//!
//! Nothing is read before it is nearly needed: a few screens beyond the edge. `scrollback` turns
//! pages into rows, `host` answers the requests.

use std::collections::BTreeMap;
use std::iter;
use std::ops::Range;
use std::sync::Arc;

use ratatui::layout::Rect;

use super::tree::PaneId;
use super::{App, Effect, LogPane, RequestHandle};
use crate::model::gap::Gap;
use crate::model::host::HostId;
use crate::model::line::{FleetLine, Line};
use crate::model::source::SourceId;
use crate::model::time::Time;
use crate::query::request::{
    LogRequest, LogResponse, MissingBytes, PageRequest, PageStart, RequestKind, SearchHit,
    SearchRequest,
};
use crate::query::{Query, TimeSpan, WrittenTime};
use crate::scrollback::{MissingPage, ReceivedPage, RingEntry, Scrollback, Side, StreamState};

/// Lines that are asked of a source at once.
const PAGE_LINES: u32 = 500;

/// Hits that are asked for where so many lines match within one moment that a page of them does not
/// get past it.
const MOST_HITS: u64 = 20_000;

/// Screens beyond the edge that are kept read.
const SCREENS: usize = 3;

/// Rows that are put in order before it is asked whether there are enough.
const ROWS: usize = 100;

/// How often that may be asked in one turn of the loop.
const TURNS: usize = 40;

/// Most requests of the console to one host that are not answered yet.
const PER_HOST: usize = 4;

/// A host that sends nothing for so long is not waited for.
const PATIENCE_MS: i64 = 20_000;

/// An answer of more bytes is cut off.
const MOST_BYTES: usize = 32 << 20;

/// Names a request of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AskId(pub u64);

/// What a request is for.
#[derive(Debug, Clone)]
pub(super) enum RequestPurpose {
    /// Rows at an end of a pane's window.
    Page(WindowPage),
    /// A match beyond what a pane has.
    Search(PaneId),
    /// The bytes of a gap.
    Gap(PaneId, u64, Arc<Gap>),
}

/// A page for the window of a pane.
#[derive(Debug, Clone)]
pub(super) struct WindowPage {
    pane: PaneId,
    request: MissingPage,
    /// How many lines or hits were asked for.
    limit: u64,
    /// For which of the pane's windows.
    window_number: u32,
}

/// A request that is not answered yet.
#[derive(Debug)]
pub(super) struct PendingRequest {
    pub(super) purpose: RequestPurpose,
    pub(super) host: HostId,
    pub(super) names: BTreeMap<Arc<str>, SourceId>,
    /// When it is given up.
    until: Time,
    pub(super) entries: Vec<RingEntry>,
    bytes: usize,
    pub(super) failed: Option<String>,
    pub(super) progress: (u64, u64),
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct PendingRequests {
    next: u64,
    pub(super) pending: BTreeMap<AskId, PendingRequest>,
}

impl PendingRequests {
    fn of_host(&self, host: HostId) -> usize {
        self.pending
            .values()
            .filter(|pending| pending.host == host)
            .count()
    }
}

impl RequestPurpose {
    fn pane(&self) -> PaneId {
        match self {
            Self::Page(page) => page.pane,
            Self::Search(pane) | Self::Gap(pane, ..) => *pane,
        }
    }
}

impl App {
    /// Asks for what is nearly wanted, and puts in order what has come.
    pub(super) fn pump(&mut self) {
        self.give_up_late();
        let panes: Vec<PaneId> = self.panes.logs.keys().copied().collect();
        let gone = |purpose: &RequestPurpose| {
            !self
                .panes
                .get(purpose.pane())
                .is_some_and(|pane| is_awaited(pane, purpose))
        };
        let gone: Vec<AskId> = self
            .requests
            .pending
            .iter()
            .filter(|(_, pending)| gone(&pending.purpose))
            .map(|(id, _)| *id)
            .collect();
        gone.into_iter().for_each(|id| self.cancel(id));
        for id in panes {
            for request in self.pump_pane(id) {
                self.ask_page(id, request, PAGE_LINES.into());
            }
        }
    }

    /// Brings the window of a pane up to date; which pages it wants for that.
    fn pump_pane(&mut self, id: PaneId) -> Vec<MissingPage> {
        let height = self.pane_height(id);
        let budget = self.panes.window_share();
        let (scrollback, now) = (&self.scrollback, self.now);
        let Some(pane) = self.panes.get_mut(id) else {
            return Vec::new();
        };
        if pane.position().is_none()
            || pane.pending(scrollback) > 0
            || !has_window(pane, scrollback, now)
        {
            return Vec::new();
        }
        let (window, below) = (pane.window_number, pane.below_notice());
        let mut wanted = Vec::new();
        for side in [Side::Older, Side::Newer] {
            wanted.extend(extend(pane, side, height, budget, scrollback));
        }
        pane.step_off_notice(below, height);
        pane.give_up_ring(budget, scrollback);
        pane.land(scrollback);
        pane.trim(budget, scrollback);
        // What was wanted of a window that was left is not wanted of the next.
        wanted.retain(|_| pane.window_number == window);
        wanted
    }

    fn ask_page(&mut self, pane: PaneId, request: MissingPage, limit: u64) {
        if self.requests.of_host(request.host) >= PER_HOST {
            return;
        }
        let Some((query, window)) = self
            .panes
            .get(pane)
            .map(|pane| (pane.looking().query.clone(), pane.window_number))
        else {
            return;
        };
        let Some(name) = self
            .scrollback
            .source(request.source)
            .map(|row| Arc::clone(&row.info.name))
        else {
            return;
        };
        let what = query.map_or_else(|| page(&request), |query| search(query, &request, limit));
        if let Some((window, _)) = self.panes.get_mut(pane).and_then(LogPane::window_mut) {
            window.asked(&request);
        }
        let host = request.host;
        self.send(
            host,
            BTreeMap::from([(name, request.source)]),
            what,
            RequestPurpose::Page(WindowPage {
                pane,
                request,
                limit,
                window_number: window,
            }),
        );
    }

    pub(super) fn send(
        &mut self,
        host: HostId,
        names: BTreeMap<Arc<str>, SourceId>,
        what: RequestKind,
        purpose: RequestPurpose,
    ) {
        let id = AskId(self.requests.next);
        self.requests.next += 1;
        let ask = LogRequest {
            sources: names.keys().map(|name| literal(name)).collect(),
            what,
        };
        let until = self.now.plus_millis(PATIENCE_MS);
        self.requests.pending.insert(
            id,
            PendingRequest {
                purpose,
                host,
                names,
                until,
                entries: Vec::new(),
                bytes: 0,
                failed: None,
                progress: (0, 0),
            },
        );
        self.effects
            .push(Effect::Ask(id, host, RequestHandle(Arc::new(ask))));
    }

    pub(super) fn cancel(&mut self, id: AskId) {
        if self.requests.pending.remove(&id).is_some() {
            self.effects.push(Effect::CancelAsk(id));
        }
    }

    fn give_up_late(&mut self) {
        let late: Vec<AskId> = self
            .requests
            .pending
            .iter()
            .filter(|(_, pending)| pending.until <= self.now)
            .map(|(id, _)| *id)
            .collect();
        for id in late {
            self.effects.push(Effect::CancelAsk(id));
            self.fail(id, format!("no answer in {} s", PATIENCE_MS / 1000));
        }
    }

    fn fail(&mut self, id: AskId, why: String) {
        if let Some(mut pending) = self.requests.pending.remove(&id) {
            pending.failed.get_or_insert(why);
            self.finish(pending, true);
        }
    }

    /// When a question is given up.
    pub(super) fn requests_until(&self) -> Option<Time> {
        self.requests
            .pending
            .values()
            .map(|pending| pending.until)
            .min()
    }

    /// A host answers.
    pub(super) fn on_replies(&mut self, id: AskId, replies: Vec<LogResponse>) {
        for reply in replies {
            let Some(pending) = self.requests.pending.get_mut(&id) else {
                return;
            };
            if !matches!(reply, LogResponse::Failed(..)) {
                pending.until = self.now.plus_millis(PATIENCE_MS);
            }
            if let LogResponse::Done(totals) = reply {
                let Some(pending) = self.requests.pending.remove(&id) else {
                    return;
                };
                self.finish(pending, totals.more);
            } else if !pending.take_in(reply) {
                self.effects.push(Effect::CancelAsk(id));
                self.fail(
                    id,
                    format!("its answer has more than {} MiB", MOST_BYTES >> 20),
                );
            }
        }
        self.note_progress();
    }

    /// Nothing more comes.
    pub(super) fn on_answered(&mut self, id: AskId) {
        self.fail(id, "the answer broke off".to_owned());
    }

    fn finish(&mut self, pending: PendingRequest, more: bool) {
        match pending.purpose.clone() {
            RequestPurpose::Page(page) => self.finish_page(page, pending, more),
            RequestPurpose::Search(pane) => self.finish_remote_search(pane, pending),
            RequestPurpose::Gap(pane, seq, gap) => self.finish_gap(pane, seq, &gap, pending),
        }
    }

    fn finish_page(&mut self, page: WindowPage, mut pending: PendingRequest, more: bool) {
        let WindowPage {
            pane: id,
            request,
            limit,
            ..
        } = page;
        let Some(pane) = self.panes.get_mut(id) else {
            return;
        };
        let is_search = pane.looking().query.is_some();
        if is_search {
            if request.side == Side::Older {
                pending.entries.reverse();
            }
            pending.entries.retain(|entry| is_beyond(entry, &request));
        }
        let stuck = is_search && more && pending.failed.is_none() && pending.entries.is_empty();
        if stuck && limit < MOST_HITS {
            return self.ask_page(id, request, MOST_HITS);
        }
        let ended = match pending.failed {
            Some(why) => Err(why),
            None if stuck => Err(format!(
                "more than {MOST_HITS} lines match within one moment"
            )),
            None => Ok(!more),
        };
        let scrollback = &self.scrollback;
        if let Some((window, lens)) = pane.window_mut() {
            let page = ReceivedPage {
                entries: pending.entries,
                ended,
            };
            window.arrived(&request, page, scrollback, lens);
        }
    }

    /// Where a pane is on the screen, with its header; empty while another has all the room.
    pub(super) fn pane_area(&self, id: PaneId) -> Rect {
        self.pane_areas(self.areas(self.screen).main)
            .into_iter()
            .find(|(pane, _)| *pane == id)
            .map_or(Rect::ZERO, |(_, area)| area)
    }

    /// Rows for lines in a pane.
    pub(super) fn pane_height(&self, id: PaneId) -> u16 {
        self.pane_area(id).height.saturating_sub(1).max(1)
    }

    /// Goes to a moment in the pane that keys mean.
    pub(super) fn go_to_time(&mut self, text: &str) -> Result<(), String> {
        let from = WrittenTime::parse(text.trim()).ok_or_else(|| {
            format!("{text:?} is no time; such as 03:14, \"yesterday 03:14\", 2h, 2026-11-20T03:14")
        })?;
        let time = TimeSpan {
            from: Some(from),
            to: None,
        }
        .resolve(&self.reference_time())
        .start;
        let id = self.panes.focus;
        self.cancel_for(id);
        self.with_pane(|pane, scrollback| pane.go_to(time, scrollback));
        Ok(())
    }

    /// Ends what is read for a pane.
    pub(super) fn cancel_for(&mut self, pane: PaneId) {
        let own: Vec<AskId> = self
            .requests
            .pending
            .iter()
            .filter(|(_, pending)| pending.purpose.pane() == pane)
            .map(|(id, _)| *id)
            .collect();
        own.into_iter().for_each(|id| self.cancel(id));
    }
}

impl PendingRequest {
    /// Keeps a part of an answer; false when it is too much.
    fn take_in(&mut self, reply: LogResponse) -> bool {
        match reply {
            LogResponse::Lines(name, lines) => self.add(&name, lines),
            LogResponse::Hits(name, hits) => {
                let lines = hits
                    .into_iter()
                    .flat_map(|hit| self.lines_of(hit))
                    .collect();
                self.add(&name, lines);
            }
            LogResponse::Gap(name, missing) => self.add_gap(&name, &missing),
            LogResponse::Failed(name, why) if name.is_empty() || self.names.contains_key(&name) => {
                self.failed.get_or_insert(why);
            }
            LogResponse::Progress(done, all) => self.progress = (done, all),
            _ => {}
        }
        self.bytes <= MOST_BYTES
    }

    /// The lines of a record that was found, in the order of the answer: the newest first where
    /// that is what was asked for.
    fn lines_of(&self, hit: SearchHit) -> Vec<Line> {
        let RequestPurpose::Page(WindowPage { request, .. }) = &self.purpose else {
            return vec![hit.line];
        };
        let rest = hit.after.into_iter().take_while(|line| line.continues);
        let mut lines: Vec<Line> = iter::once(hit.line).chain(rest).collect();
        if request.side == Side::Older {
            lines.reverse();
        }
        lines
    }

    fn add(&mut self, name: &Arc<str>, lines: Vec<Line>) {
        let Some(&source) = self.names.get(name) else {
            return;
        };
        for line in lines {
            self.bytes += line.raw.len() + size_of::<RingEntry>();
            self.entries
                .push(RingEntry::Line(FleetLine::new(self.host, source, line)));
        }
    }

    fn add_gap(&mut self, name: &Arc<str>, missing: &MissingBytes) {
        let Some(&source) = self.names.get(name) else {
            return;
        };
        let since = self.entries.last().map(RingEntry::time);
        let until = since.unwrap_or(match &self.purpose {
            RequestPurpose::Page(page) => page.request.bound,
            _ => self.until,
        });
        self.entries.push(RingEntry::Gap(Arc::new(Gap {
            host: self.host,
            source,
            from: missing.from,
            to: missing.to,
            reason: missing.reason,
            since,
            until,
        })));
    }
}

/// Whether a pane still waits for this.
fn is_awaited(pane: &LogPane, purpose: &RequestPurpose) -> bool {
    let RequestPurpose::Page(page) = purpose else {
        return true;
    };
    let is_asked = |(source, _, state): (SourceId, _, &StreamState)| {
        source == page.request.source && *state == StreamState::Asked
    };
    page.window_number == pane.window_number
        && pane
            .window()
            .is_some_and(|window| window.states(page.request.side).any(is_asked))
}

/// Sees to it that a pane has a window on all of its sources; false where it has none.
fn has_window(pane: &mut LogPane, scrollback: &Scrollback, now: Time) -> bool {
    let sources = pane.sources(scrollback);
    if pane.window().is_none() {
        if sources.is_empty() {
            return false;
        }
        pane.begin_window(scrollback, now);
    }
    if let Some((window, _)) = pane.window_mut() {
        sources
            .into_iter()
            .for_each(|(source, host)| window.add_source(source, host));
    }
    true
}

/// Puts what has come at an end in order, as far as that is nearly wanted; the pages without which
/// it does not go on.
fn extend(
    pane: &mut LogPane,
    side: Side,
    height: u16,
    budget: usize,
    scrollback: &Scrollback,
) -> Vec<MissingPage> {
    for _ in 0..TURNS {
        if !is_near(pane, side, height, budget) {
            break;
        }
        let (wants, more) = merge(pane, scrollback, side, height);
        if !more {
            return wants;
        }
    }
    Vec::new()
}

/// Whether an end is so near that more should be there.
fn is_near(pane: &LogPane, side: Side, height: u16, budget: usize) -> bool {
    let Some((top, bottom)) = pane.on_screen(height) else {
        return pane.window().is_some();
    };
    // Long lines leave room for fewer: what is read at one end must not push out what is near at
    // the other.
    let is_full = pane
        .window()
        .is_some_and(|window| window.rows().bytes() > budget / 2);
    let margin = if is_full { 1 } else { SCREENS } * usize::from(height);
    match side {
        Side::Older => top < pane.complete_from() + margin,
        Side::Newer => pane.is_apart() && bottom + margin > pane.len(),
    }
}

/// Puts some of what has come in order; what else is needed for more, and whether there was more
/// than that.
fn merge(
    pane: &mut LogPane,
    scrollback: &Scrollback,
    side: Side,
    height: u16,
) -> (Vec<MissingPage>, bool) {
    let top = pane.first_on_screen(height).unwrap_or(u64::MAX);
    let Some((window, lens)) = pane.window_mut() else {
        return (Vec::new(), false);
    };
    let before = window.rows().end() - window.rows().first();
    match side {
        Side::Older => window.merge_older(scrollback, lens, ROWS),
        Side::Newer => window.merge_newer(scrollback, lens, ROWS),
    }
    let (wanted, after) = (
        window.page_requests(side, lens),
        window.rows().end() - window.rows().first(),
    );
    if side == Side::Older {
        pane.enter_window(top, scrollback);
    }
    (wanted, after - before >= ROWS as u64)
}

fn page(request: &MissingPage) -> RequestKind {
    let window = Time(i64::MIN)..Time(i64::MAX);
    RequestKind::Page(PageRequest {
        start: request.start,
        backwards: request.side == Side::Older,
        lines: PAGE_LINES,
        window,
    })
}

/// With a query only what matches is asked for. A search knows times and no places: what is known
/// already of the moment at which it begins is taken out of the answer.
fn search(query: Query, request: &MissingPage, limit: u64) -> RequestKind {
    let newest_first = request.side == Side::Older;
    let window: Range<Time> = match request.side {
        Side::Older => Time(i64::MIN)..Time(request.bound.0.saturating_add(1)),
        Side::Newer => request.bound..Time(i64::MAX),
    };
    RequestKind::Search(SearchRequest {
        query,
        window,
        newest_first,
        before: 0,
        after: 0,
        limit: Some(limit),
        count_only: false,
    })
}

/// Whether a line that was found lies on the far side of the one that was known.
fn is_beyond(entry: &RingEntry, request: &MissingPage) -> bool {
    let Some(line) = entry.line() else {
        return true;
    };
    let (place, own) = match request.start {
        PageStart::Cursor(place) => (place, request.side == Side::Newer),
        PageStart::After(place) => (place, false),
        _ => return (line.content.time < request.bound) == (request.side == Side::Older),
    };
    if line.content.place() == place {
        return own;
    }
    if line.content.cursor.file != place.cursor.file {
        let apart = if request.side == Side::Older {
            line.content.time < request.bound
        } else {
            line.content.time > request.bound
        };
        return apart;
    }
    (line.content.cursor.offset < place.cursor.offset) == (request.side == Side::Older)
}

/// A name as a pattern that means only itself.
fn literal(name: &str) -> String {
    let mut pattern = String::with_capacity(name.len());
    for c in name.chars() {
        if "*?[{\\".contains(c) {
            pattern.extend(['[', c, ']']);
        } else {
            pattern.push(c);
        }
    }
    pattern
}

#[cfg(test)]
mod tests;
