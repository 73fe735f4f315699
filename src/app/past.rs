//! Reading what is older than the ring: which pages of which sources a pane is asked for, and what
//! becomes of the answers.
//!
//! Nothing is read before it is nearly wanted: a few screens beyond the edge. How pages become rows
//! is left to `store`'s window, how a host answers to `host`.

use std::collections::BTreeMap;
use std::iter;
use std::ops::Range;
use std::sync::Arc;

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
use crate::query::{Query, ReferenceTime, TimeSpan, WrittenTime};
use crate::store::{RingEntry, Side, Store, StreamState, Want};

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

/// Questions of the console to one host that are not answered yet.
const PER_HOST: usize = 4;

/// A host that sends nothing for so long is not waited for.
const PATIENCE_MS: i64 = 20_000;

/// An answer of more bytes is cut off.
const MOST_BYTES: usize = 32 << 20;

/// A question of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AskId(pub u64);

/// What an answer is for.
#[derive(Debug, Clone)]
pub(super) enum Errand {
    /// Rows at an end of a pane's window; beside the page, how many were asked for, and of which of
    /// its windows.
    Page(PaneId, Want, u64, u32),
    /// A match beyond what a pane has.
    Further(PaneId),
    /// The bytes of a gap.
    Gap(PaneId, u64, Arc<Gap>),
}

/// A question that is not answered yet.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) errand: Errand,
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
pub(super) struct PageRequests {
    next: u64,
    pub(super) pending: BTreeMap<AskId, Pending>,
}

impl PageRequests {
    fn of_host(&self, host: HostId) -> usize {
        self.pending
            .values()
            .filter(|pending| pending.host == host)
            .count()
    }
}

impl Errand {
    fn pane(&self) -> PaneId {
        match self {
            Self::Page(pane, ..) | Self::Further(pane) | Self::Gap(pane, ..) => *pane,
        }
    }
}

impl App {
    /// Asks for what is nearly wanted, and puts in order what has come.
    pub(super) fn pump(&mut self) {
        self.give_up_late();
        let panes: Vec<PaneId> = self.panes.keys().copied().collect();
        let gone = |errand: &Errand| {
            !self
                .panes
                .get(&errand.pane())
                .is_some_and(|pane| wants(pane, errand))
        };
        let gone: Vec<AskId> = self
            .asks
            .pending
            .iter()
            .filter(|(_, pending)| gone(&pending.errand))
            .map(|(id, _)| *id)
            .collect();
        gone.into_iter().for_each(|id| self.cancel(id));
        for id in panes {
            for want in self.pump_pane(id) {
                self.ask_page(id, want, PAGE_LINES.into());
            }
        }
    }

    /// Brings the window of a pane up to date; which pages it wants for that.
    fn pump_pane(&mut self, id: PaneId) -> Vec<Want> {
        let height = self.pane_height(id);
        let budget = self.past_bytes / self.panes.len().max(1);
        let (store, now) = (&self.store, self.now);
        let Some(pane) = self.panes.get_mut(&id) else {
            return Vec::new();
        };
        if pane.place().is_none() || pane.pending(store) > 0 || !has_past(pane, store, now) {
            return Vec::new();
        }
        let (window, below) = (pane.window, pane.below_notice());
        let mut wanted = Vec::new();
        for side in [Side::Older, Side::Newer] {
            wanted.extend(extend(pane, side, height, (store, budget)));
        }
        pane.step_off_notice(below, height);
        pane.give_up_ring(budget, store);
        pane.land(store);
        pane.trim(budget, store);
        // What was wanted of a window that was left is not wanted of the next.
        wanted.retain(|_| pane.window == window);
        wanted
    }

    fn ask_page(&mut self, pane: PaneId, want: Want, limit: u64) {
        if self.asks.of_host(want.host) >= PER_HOST {
            return;
        }
        let Some((query, window)) = self
            .panes
            .get(&pane)
            .map(|pane| (pane.looking().query.clone(), pane.window))
        else {
            return;
        };
        let Some(name) = self
            .store
            .source(want.source)
            .map(|row| Arc::clone(&row.info.name))
        else {
            return;
        };
        let what = query.map_or_else(|| page(&want), |query| search(query, &want, limit));
        if let Some((past, _)) = self.panes.get_mut(&pane).and_then(LogPane::past_mut) {
            past.asked(&want);
        }
        let host = want.host;
        self.send(
            host,
            BTreeMap::from([(name, want.source)]),
            what,
            Errand::Page(pane, want, limit, window),
        );
    }

    pub(super) fn send(
        &mut self,
        host: HostId,
        names: BTreeMap<Arc<str>, SourceId>,
        what: RequestKind,
        errand: Errand,
    ) {
        let id = AskId(self.asks.next);
        self.asks.next += 1;
        let ask = LogRequest {
            sources: names.keys().map(|name| literal(name)).collect(),
            what,
        };
        let until = self.now.plus_millis(PATIENCE_MS);
        let (entries, bytes, failed, progress) = Default::default();
        self.asks.pending.insert(
            id,
            Pending {
                errand,
                host,
                names,
                until,
                entries,
                bytes,
                failed,
                progress,
            },
        );
        self.effects
            .push(Effect::Ask(id, host, RequestHandle(Arc::new(ask))));
    }

    pub(super) fn cancel(&mut self, id: AskId) {
        if self.asks.pending.remove(&id).is_some() {
            self.effects.push(Effect::CancelAsk(id));
        }
    }

    fn give_up_late(&mut self) {
        let late: Vec<AskId> = self
            .asks
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
        if let Some(mut pending) = self.asks.pending.remove(&id) {
            pending.failed.get_or_insert(why);
            self.finish(pending, true);
        }
    }

    /// When a question is given up.
    pub(super) fn asks_until(&self) -> Option<Time> {
        self.asks
            .pending
            .values()
            .map(|pending| pending.until)
            .min()
    }

    /// A host answers.
    pub(super) fn on_replies(&mut self, id: AskId, replies: Vec<LogResponse>) {
        for reply in replies {
            let Some(pending) = self.asks.pending.get_mut(&id) else {
                return;
            };
            if !matches!(reply, LogResponse::Failed(..)) {
                pending.until = self.now.plus_millis(PATIENCE_MS);
            }
            if let LogResponse::Done(totals) = reply {
                let Some(pending) = self.asks.pending.remove(&id) else {
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

    fn finish(&mut self, pending: Pending, more: bool) {
        match pending.errand.clone() {
            Errand::Page(pane, want, limit, _) => {
                self.finish_page(pane, want, limit, pending, more);
            }
            Errand::Further(pane) => self.finish_further(pane, pending),
            Errand::Gap(pane, seq, gap) => self.finish_gap(pane, seq, &gap, pending),
        }
    }

    fn finish_page(
        &mut self,
        id: PaneId,
        want: Want,
        limit: u64,
        mut pending: Pending,
        more: bool,
    ) {
        let Some(pane) = self.panes.get_mut(&id) else {
            return;
        };
        let is_search = pane.looking().query.is_some();
        if is_search {
            if want.side == Side::Older {
                pending.entries.reverse();
            }
            pending.entries.retain(|entry| is_beyond(entry, &want));
        }
        let stuck = is_search && more && pending.failed.is_none() && pending.entries.is_empty();
        if stuck && limit < MOST_HITS {
            return self.ask_page(id, want, MOST_HITS);
        }
        let ended = match pending.failed {
            Some(why) => Err(why),
            None if stuck => Err(format!(
                "more than {MOST_HITS} lines match within one moment"
            )),
            None => Ok(!more),
        };
        let store = &self.store;
        if let Some((past, lens)) = pane.past_mut() {
            past.arrived(&want, pending.entries, ended, (store, lens));
        }
    }

    /// Rows for lines in a pane.
    pub(super) fn pane_height(&self, id: PaneId) -> u16 {
        let main = self.areas(self.screen).main;
        let own = self
            .pane_areas(main)
            .into_iter()
            .find(|(pane, _)| *pane == id);
        own.map_or(1, |(_, area)| area.height.saturating_sub(1))
            .max(1)
    }

    /// Goes to a moment in the pane that keys mean.
    pub(super) fn go_to_time(&mut self, text: &str) -> Result<(), String> {
        let now = ReferenceTime {
            time: self.now,
            zone: self.zone(),
        };
        let from = WrittenTime::parse(text.trim()).ok_or_else(|| {
            format!("{text:?} is no time; such as 03:14, \"yesterday 03:14\", 2h, 2026-11-20T03:14")
        })?;
        let time = TimeSpan {
            from: Some(from),
            to: None,
        }
        .resolve(&now)
        .start;
        let id = self.focus;
        self.cancel_for(id);
        self.with_pane(|pane, store| pane.go_to(time, store));
        Ok(())
    }

    /// Ends what is read for a pane.
    pub(super) fn cancel_for(&mut self, pane: PaneId) {
        let own: Vec<AskId> = self
            .asks
            .pending
            .iter()
            .filter(|(_, pending)| pending.errand.pane() == pane)
            .map(|(id, _)| *id)
            .collect();
        own.into_iter().for_each(|id| self.cancel(id));
    }
}

impl Pending {
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
        let Errand::Page(_, want, ..) = &self.errand else {
            return vec![hit.line];
        };
        let rest = hit.after.into_iter().take_while(|line| line.continues);
        let mut lines: Vec<Line> = iter::once(hit.line).chain(rest).collect();
        if want.side == Side::Older {
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
        let until = since.unwrap_or(match &self.errand {
            Errand::Page(_, want, ..) => want.bound,
            _ => self.until,
        });
        let (from, to, reason) = (missing.from, missing.to, missing.reason);
        self.entries.push(RingEntry::Gap(Arc::new(Gap {
            host: self.host,
            source,
            from,
            to,
            reason,
            since,
            until,
        })));
    }
}

/// Whether a pane still waits for this.
fn wants(pane: &LogPane, errand: &Errand) -> bool {
    match errand {
        Errand::Page(_, want, _, window) => pane.past().is_some_and(|past| {
            let is_asked = |(source, _, state): (SourceId, _, &StreamState)| {
                source == want.source && *state == StreamState::Asked
            };
            *window == pane.window && past.states(want.side).any(is_asked)
        }),
        Errand::Further(_) | Errand::Gap(..) => true,
    }
}

/// Sees to it that a pane has a window on all of its sources; false where it has none.
fn has_past(pane: &mut LogPane, store: &Store, now: Time) -> bool {
    let sources = pane.sources(store);
    if pane.past().is_none() {
        if sources.is_empty() {
            return false;
        }
        pane.begin_past(store, now);
    }
    if let Some((past, _)) = pane.past_mut() {
        sources
            .into_iter()
            .for_each(|(source, host)| past.add_source(source, host));
    }
    true
}

/// Puts what has come at an end in order, as far as that is nearly wanted; the pages without which
/// it does not go on.
fn extend(
    pane: &mut LogPane,
    side: Side,
    height: u16,
    (store, budget): (&Store, usize),
) -> Vec<Want> {
    for _ in 0..TURNS {
        if !is_near(pane, side, height, budget) {
            break;
        }
        let (wants, more) = merge(pane, store, side, height);
        if !more {
            return wants;
        }
    }
    Vec::new()
}

/// Whether an end is so near that more should be there.
fn is_near(pane: &LogPane, side: Side, height: u16, budget: usize) -> bool {
    let Some((top, bottom)) = pane.on_screen(height) else {
        return pane.past().is_some();
    };
    // Long lines leave room for fewer: what is read at one end must not push out what is near at
    // the other.
    let is_full = pane
        .past()
        .is_some_and(|past| past.rows().bytes() > budget / 2);
    let margin = if is_full { 1 } else { SCREENS } * usize::from(height);
    match side {
        Side::Older => top < pane.complete_from() + margin,
        Side::Newer => pane.is_apart() && bottom + margin > pane.len(),
    }
}

/// Puts some of what has come in order; what else is needed for more, and whether there was more
/// than that.
fn merge(pane: &mut LogPane, store: &Store, side: Side, height: u16) -> (Vec<Want>, bool) {
    let top = pane.first_on_screen(height).unwrap_or(u64::MAX);
    let Some((past, lens)) = pane.past_mut() else {
        return (Vec::new(), false);
    };
    let before = past.rows().end() - past.rows().first();
    match side {
        Side::Older => past.merge_older(store, lens, ROWS),
        Side::Newer => past.merge_newer(store, lens, ROWS),
    }
    let (wanted, after) = (
        past.wants(side, lens),
        past.rows().end() - past.rows().first(),
    );
    if side == Side::Older {
        pane.enter_past(top, store);
    }
    (wanted, after - before >= ROWS as u64)
}

fn page(want: &Want) -> RequestKind {
    let window = Time(i64::MIN)..Time(i64::MAX);
    RequestKind::Page(PageRequest {
        start: want.start,
        backwards: want.side == Side::Older,
        lines: PAGE_LINES,
        window,
    })
}

/// With a query only what matches is asked for. A search knows times and no places: what is known
/// already of the moment at which it begins is taken out of the answer.
fn search(query: Query, want: &Want, limit: u64) -> RequestKind {
    let newest_first = want.side == Side::Older;
    let window: Range<Time> = match want.side {
        Side::Older => Time(i64::MIN)..Time(want.bound.0.saturating_add(1)),
        Side::Newer => want.bound..Time(i64::MAX),
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
fn is_beyond(entry: &RingEntry, want: &Want) -> bool {
    let Some(record) = entry.record() else {
        return true;
    };
    let (place, own) = match want.start {
        PageStart::Cursor(place) => (place, want.side == Side::Newer),
        PageStart::After(place) => (place, false),
        _ => return (record.content.time < want.bound) == (want.side == Side::Older),
    };
    if record.content.place() == place {
        return own;
    }
    if record.content.cursor.file != place.cursor.file {
        let apart = if want.side == Side::Older {
            record.content.time < want.bound
        } else {
            record.content.time > want.bound
        };
        return apart;
    }
    (record.content.cursor.offset < place.cursor.offset) == (want.side == Side::Older)
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
