//! Requests for pages that are older than the ring: which pages of which sources a pane needs, and
//! what becomes of the responses.
//!
//! Nothing is read before it is nearly needed: a few screens beyond the edge. `scrollback` turns
//! pages into rows, `host` answers the requests.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use ratatui::layout::Rect;

use super::event::{Effect, RequestHandle};
use super::pending_requests::{
    AskId, MOST_BYTES, PendingRequest, RequestPurpose, SourceNames, WindowPage,
};
use super::tree::PaneId;
use super::{App, LogPane};
use crate::model::host::HostId;
use crate::model::source::SourceId;
use crate::model::time::Time;
use crate::query::request::{LogRequest, LogResponse, PageRequest, RequestKind, SearchRequest};
use crate::query::{Query, TimeSpan, WrittenTime};
use crate::scrollback::{MissingPage, ReceivedPage, Scrollback, Seq, Side, StreamState};

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

/// Rows wait so long for those of slower hosts. Longer, and a slow host is in the way; shorter, and
/// rows come between others that were just being read.
const OVERTAKE_MS: i64 = 1000;

impl App {
    /// Asks for what is nearly wanted, and puts in order what has come.
    pub(super) fn pump(&mut self) {
        self.give_up_late();
        let panes: Vec<PaneId> = self.panes.logs.keys().copied().collect();
        let gone = self.requests.ids(|pending| {
            let pane = self.panes.get(pending.purpose.pane());
            !pane.is_some_and(|pane| is_awaited(pane, &pending.purpose))
        });
        self.cancel(gone);
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
            let room = WindowRoom { height, budget };
            let extended = extend(pane, side, room, scrollback);
            let overtaken = overtake(pane, side, now, room, scrollback);
            wanted.extend(if overtaken.is_empty() {
                extended
            } else {
                overtaken
            });
        }
        pane.follow_woven_window();
        pane.step_off_notice(below, height);
        pane.give_up_ring(budget, scrollback);
        pane.land(scrollback);
        pane.trim(budget, scrollback);
        // What was wanted of a window that was left is not wanted of the next.
        wanted.retain(|_| pane.window_number == window);
        wanted
    }

    fn ask_page(&mut self, id: PaneId, request: MissingPage, limit: u64) {
        let of_host = self.requests.ids(|pending| pending.host == request.host);
        if of_host.len() >= PER_HOST {
            return;
        }
        let Some(names) = self.name_of(request.source) else {
            return;
        };
        let Some(pane) = self.panes.get_mut(id) else {
            return;
        };
        let query = pane.looking().query.clone();
        let what = query.map_or_else(
            || page(&request),
            |query| search_for(query, beyond(&request), request.side == Side::Older, limit),
        );
        if let Some((window, _)) = pane.window_mut() {
            window.asked(&request);
        }
        let host = request.host;
        let page = WindowPage {
            pane: id,
            request,
            limit,
            window_number: pane.window_number,
        };
        self.send(host, names, what, RequestPurpose::Page(page));
    }

    /// A source by the name that its host knows.
    pub(super) fn name_of(&self, source: SourceId) -> Option<SourceNames> {
        let row = self.scrollback.source(source)?;
        Some(BTreeMap::from([(Arc::clone(&row.info.name), source)]))
    }

    pub(super) fn send(
        &mut self,
        host: HostId,
        names: SourceNames,
        what: RequestKind,
        purpose: RequestPurpose,
    ) {
        let request = LogRequest {
            sources: names.keys().map(|name| literal(name)).collect(),
            what,
        };
        let until = self.now.plus_millis(PATIENCE_MS);
        let id = self
            .requests
            .add(PendingRequest::new(purpose, host, names, until));
        self.effects
            .push(Effect::Ask(id, host, RequestHandle(Arc::new(request))));
    }

    /// Ends requests that nobody waits for any more.
    pub(super) fn cancel(&mut self, ids: Vec<AskId>) {
        for id in ids {
            self.requests.pending.remove(&id);
            self.effects.push(Effect::CancelAsk(id));
        }
    }

    fn give_up_late(&mut self) {
        for id in self.requests.ids(|pending| pending.until <= self.now) {
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
        let Some(pane) = self.panes.get_mut(page.pane) else {
            return;
        };
        let is_search = pane.looking().query.is_some();
        if is_search {
            pending.keep_beyond(&page.request);
        }
        let stuck = is_search && more && pending.failed.is_none() && pending.entries.is_empty();
        if stuck && page.limit < MOST_HITS {
            return self.ask_page(page.pane, page.request, MOST_HITS);
        }
        let ended = match pending.failed {
            Some(why) => Err(why),
            None if stuck => Err(format!(
                "more than {MOST_HITS} lines match within one moment"
            )),
            None => Ok(!more),
        };
        if let Some((window, lens)) = pane.window_mut() {
            let received = ReceivedPage {
                entries: pending.entries,
                ended,
            };
            let is_whole = window.arrived(&page.request, received, &self.scrollback, lens);
            pane.follow_woven_window();
            if !is_whole {
                pane.read_again(&self.scrollback);
            }
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
            format!(
                "{text:?} is no time; such as 03:14, yesterday 03:14, 2h, friday, or a time as a log has it"
            )
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
        if self
            .remote_search
            .as_ref()
            .is_some_and(|search| search.pane == pane)
        {
            self.stop_remote_search();
        }
        let own = self.requests.ids(|pending| pending.purpose.pane() == pane);
        self.cancel(own);
    }

    /// Ends only what is read for the window of a pane.
    pub(super) fn cancel_pages_for(&mut self, pane: PaneId) {
        let is_page = |pending: &PendingRequest| {
            matches!(pending.purpose, RequestPurpose::Page(_)) && pending.purpose.pane() == pane
        };
        let own = self.requests.ids(is_page);
        self.cancel(own);
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
        sources.iter().for_each(|source| window.add_source(source));
    }
    true
}

/// Puts what has come at an end in order, as far as that is nearly wanted; the pages without which
/// it does not go on.
fn extend(
    pane: &mut LogPane,
    side: Side,
    room: WindowRoom,
    scrollback: &Scrollback,
) -> Vec<MissingPage> {
    for _ in 0..TURNS {
        if !is_near(pane, side, room) {
            break;
        }
        let (wants, more) = merge(pane, scrollback, side, room.height);
        if !more {
            return wants;
        }
    }
    let behind = pane.window().map(|window| window.overtaken_requests(side));
    behind.unwrap_or_default()
}

/// Goes on without the sources for which rows have waited long enough; what is asked for then.
fn overtake(
    pane: &mut LogPane,
    side: Side,
    now: Time,
    room: WindowRoom,
    scrollback: &Scrollback,
) -> Vec<MissingPage> {
    let is_held_up = is_near(pane, side, room)
        && pane
            .window_mut()
            .is_some_and(|(window, lens)| window.is_held_up(side, lens));
    let since = pane.held_up.side_mut(side);
    if !is_held_up {
        *since = None;
        return Vec::new();
    }
    let since = *since.get_or_insert(now);
    if now < since.plus_millis(OVERTAKE_MS) {
        return Vec::new();
    }
    if let Some((window, lens)) = pane.window_mut() {
        window.overtake(side, lens);
    }
    *pane.held_up.side_mut(side) = None;
    extend(pane, side, room, scrollback)
}

/// When rows have waited long enough for those of slow hosts, if they do.
pub(super) fn overtakes_at(pane: &LogPane) -> Option<Time> {
    let since = [pane.held_up.older, pane.held_up.newer];
    let first = since.into_iter().flatten().min()?;
    Some(first.plus_millis(OVERTAKE_MS))
}

/// How much of a window is seen, and what it may hold.
#[derive(Debug, Clone, Copy)]
struct WindowRoom {
    height: u16,
    budget: usize,
}

/// Whether an end is so near that more should be there.
fn is_near(pane: &LogPane, side: Side, room: WindowRoom) -> bool {
    let WindowRoom { height, budget } = room;
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
    let top = pane.first_on_screen(height).unwrap_or(Seq::MAX);
    let Some((window, lens)) = pane.window_mut() else {
        return (Vec::new(), false);
    };
    let before = window.rows().len();
    match side {
        Side::Older => window.merge_older(scrollback, lens, ROWS),
        Side::Newer => window.merge_newer(scrollback, lens, ROWS),
    }
    let wanted = window.page_requests(side, lens);
    let merged = window.rows().len() - before;
    if side == Side::Older {
        pane.enter_window(top, scrollback);
    }
    (wanted, merged >= ROWS)
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

/// The time in which a page lies. A search knows times and no places: what is known already of the
/// moment at which it begins is taken out of the answer.
fn beyond(request: &MissingPage) -> Range<Time> {
    match request.side {
        Side::Older => Time(i64::MIN)..Time(request.bound.0.saturating_add(1)),
        Side::Newer => request.bound..Time(i64::MAX),
    }
}

/// At most so many lines that match, without those around them.
pub(super) fn search_for(
    query: Query,
    window: Range<Time>,
    newest_first: bool,
    limit: u64,
) -> RequestKind {
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
