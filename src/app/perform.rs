//! Doing what a key or a command asks for.

use ratatui::layout::Direction;

use super::actions::Act;
use super::prompt::PromptKind;
use super::seek::{Seek, SoughtLine};
use super::{
    App, Confirm, Effect, JumpTarget, LineColumns, LogPane, PaneId, Popup, Prompt, Side, TimeStyle,
};
use crate::model::host::HostId;
use crate::model::level::Level;
use crate::model::time::Time;
use crate::query::{Query, QueryError, ReferenceTime};
use crate::store::RingEntry;

/// Columns that one press scrolls sideways.
const SIDEWAYS: i32 = 8;

impl App {
    pub(super) fn perform(&mut self, act: Act, count: Option<u32>) {
        if self.popup.is_some() && self.perform_in_popup(act, count) {
            return;
        }
        if self.hosts_focused && self.perform_in_hosts(act, count) {
            return;
        }
        let times = i64::from(count.unwrap_or(1));
        let again = std::mem::replace(&mut self.topped, (act == Act::Top).then_some(self.focus))
            == Some(self.focus);
        match act {
            Act::Down => self.move_cursor(times),
            Act::Up => self.move_cursor(-times),
            Act::PageDown | Act::Page => self.page(times, 1),
            Act::PageUp => self.page(-times, 1),
            Act::HalfDown => self.page(times, 2),
            Act::HalfUp => self.page(-times, 2),
            Act::Top if count.is_none() => self.go_to_top(again),
            Act::Top => self.go_to(count.unwrap_or(1)),
            Act::GoTo => self.open_prompt(PromptKind::Command, "at "),
            Act::Fill => self.fill_gap(),
            Act::Bottom if count.is_some() => self.go_to(count.unwrap_or(1)),
            Act::Left => self.sideways(-SIDEWAYS * times as i32),
            Act::Right => self.sideways(SIDEWAYS * times as i32),
            Act::LineStart => self.sideways(i32::MIN / 2),
            Act::Bottom | Act::Follow => self.with_pane(|pane, _| pane.follow()),
            Act::Freeze => self.with_pane(|pane, store| pane.freeze(store, !pane.is_frozen())),
            Act::FreezeAll => self.freeze_all(),
            Act::Detail => self.open_detail(),
            Act::Search => self.open_prompt(PromptKind::Search, ""),
            Act::NextHit => self.next_hit(true, count),
            Act::PreviousHit => self.next_hit(false, count),
            Act::NextError => self.seek(JumpTarget::Level(Level::Error), true, count),
            Act::PreviousError => self.seek(JumpTarget::Level(Level::Error), false, count),
            Act::NextWarning => self.seek(JumpTarget::Level(Level::Warn), true, count),
            Act::PreviousWarning => self.seek(JumpTarget::Level(Level::Warn), false, count),
            Act::Bookmark => self.bookmark(),
            Act::NextBookmark => self.seek(JumpTarget::Bookmark, true, count),
            Act::PreviousBookmark => self.seek(JumpTarget::Bookmark, false, count),
            Act::Mark => self.mark(),
            Act::Filter => self.open_filter(),
            Act::ToggleFilters => self.with_pane(LogPane::toggle_filters),
            Act::Clear => self.clear(),
            Act::CopyLine => self.copy(false),
            Act::CopyRecord => self.copy(true),
            Act::AllHosts => self.with_pane(|pane, store| pane.show_hosts(store, None)),
            Act::Command => self.open_prompt(PromptKind::Command, ""),
            Act::Hosts
            | Act::Sources
            | Act::Theme
            | Act::Set
            | Act::OnlyHost
            | Act::ToggleHost
            | Act::Reconnect => {}
            Act::Answer => self.questions.show(self.now),
            Act::Interrupt => self.interrupt(),
            Act::Quit => self.back(),
            Act::QuitNow => self.effects.push(Effect::Quit),
            Act::Suspend => self.effects.push(Effect::Suspend),
            Act::Redraw => self.effects.push(Effect::Redraw),
            _ => self.arrange(act),
        }
    }

    /// What changes how things are shown, and not what.
    fn arrange(&mut self, act: Act) {
        match act {
            Act::Wrap => self.set_wrap(!self.panes.get(&self.focus).is_some_and(|pane| pane.wrap)),
            Act::ShowTime => self.shown.time = next_style(self.shown.time),
            Act::ShowHost => self.shown.host = !self.shown.host,
            Act::ShowSource => self.shown.source = !self.shown.source,
            Act::ShowRaw => self.shown.raw = !self.shown.raw,
            Act::Utc => self.shown.utc = !self.shown.utc,
            Act::Hints => self.shown.hints = !self.shown.hints,
            Act::Help => self.popup = Some((Popup::Help, 0)),
            Act::SplitRight => self.split(Direction::Horizontal),
            Act::SplitDown => self.split(Direction::Vertical),
            Act::FocusLeft => self.focus_side(Side::Left),
            Act::FocusDown => self.focus_side(Side::Down),
            Act::FocusUp => self.focus_side(Side::Up),
            Act::FocusRight => self.focus_side(Side::Right),
            Act::NextPane => self.cycle(true),
            Act::PreviousPane => self.cycle(false),
            Act::Wider => self.tree.resize(self.focus, Direction::Horizontal, true),
            Act::Narrower => self.tree.resize(self.focus, Direction::Horizontal, false),
            Act::Taller => self.tree.resize(self.focus, Direction::Vertical, true),
            Act::Shorter => self.tree.resize(self.focus, Direction::Vertical, false),
            Act::Equal => self.tree.equalise(),
            Act::Zoom => self.tree.zoom(),
            Act::Close => self.close_pane(),
            Act::Only => self.only_pane(),
            Act::HostList => self.toggle_host_list(),
            _ => {}
        }
    }

    /// True if the popup took it. Other actions close the popup and mean what lies below.
    fn perform_in_popup(&mut self, act: Act, count: Option<u32>) -> bool {
        let Some((popup, offset)) = &mut self.popup else {
            return false;
        };
        let times = u16::try_from(count.unwrap_or(1)).unwrap_or(u16::MAX);
        let page = self.screen.height.saturating_sub(6).max(1);
        let most = self.scroll_limit.get();
        match act {
            Act::Down => *offset = offset.saturating_add(times).min(most),
            Act::Up => *offset = offset.saturating_sub(times),
            Act::PageDown | Act::Page | Act::HalfDown => {
                *offset = offset.saturating_add(page).min(most);
            }
            Act::PageUp | Act::HalfUp => *offset = offset.saturating_sub(page),
            Act::Top => *offset = 0,
            Act::Bottom => *offset = most,
            Act::Quit | Act::Detail | Act::Interrupt | Act::Help => self.popup = None,
            Act::Reconnect | Act::OnlyHost | Act::ToggleHost => {
                if let Popup::Host(host) = *popup {
                    self.popup = None;
                    self.perform_on_host(act, host);
                }
            }
            Act::CopyLine | Act::CopyRecord => self.copy(act == Act::CopyRecord),
            Act::Redraw | Act::Suspend | Act::Answer => return false,
            _ => {
                self.popup = None;
                return false;
            }
        }
        true
    }

    /// True if the host list took it.
    fn perform_in_hosts(&mut self, act: Act, count: Option<u32>) -> bool {
        let last = self.store.hosts().len().saturating_sub(1);
        let times = count.unwrap_or(1) as usize;
        let page = usize::from(self.areas(self.screen).side.height.saturating_sub(1)).max(1);
        let at = self.host_cursor;
        self.host_cursor = match act {
            Act::Down => at.saturating_add(times).min(last),
            Act::Up => at.saturating_sub(times),
            Act::PageDown | Act::HalfDown => at.saturating_add(page).min(last),
            Act::PageUp | Act::HalfUp => at.saturating_sub(page),
            Act::Top => count.map_or(0, |line| (line as usize).saturating_sub(1).min(last)),
            Act::Bottom => count.map_or(last, |line| (line as usize).saturating_sub(1).min(last)),
            Act::Quit => {
                self.hosts_focused = false;
                at
            }
            Act::Detail | Act::OnlyHost | Act::ToggleHost | Act::Reconnect => {
                let host = HostId(u32::try_from(at).unwrap_or(u32::MAX));
                self.perform_on_host(act, host);
                at
            }
            _ => return false,
        };
        true
    }

    fn perform_on_host(&mut self, act: Act, host: HostId) {
        match act {
            Act::Detail => self.popup = Some((Popup::Host(host), 0)),
            Act::Reconnect => self.effects.push(Effect::Reconnect(host)),
            Act::OnlyHost => self.with_pane(|pane, store| {
                let alone = pane
                    .filter()
                    .hosts
                    .as_ref()
                    .is_some_and(|hosts| hosts.iter().eq([&host]));
                pane.show_hosts(store, (!alone).then(|| [host].into()));
            }),
            _ => {
                let all: Vec<_> = self.all_hosts().collect();
                self.with_pane(|pane, store| {
                    let mut hosts = pane
                        .filter()
                        .hosts
                        .clone()
                        .unwrap_or_else(|| all.iter().copied().collect());
                    if !hosts.insert(host) {
                        hosts.remove(&host);
                    }
                    let every = hosts.len() == all.len() || hosts.is_empty();
                    pane.show_hosts(store, (!every).then_some(hosts));
                });
            }
        }
    }

    pub(super) fn with_pane(&mut self, change: impl FnOnce(&mut LogPane, &crate::store::Store)) {
        if let Some(pane) = self.panes.get_mut(&self.focus) {
            change(pane, &self.store);
        }
    }

    /// Rows for lines in the focused pane: all but its header.
    fn page_height(&self) -> u16 {
        self.pane_height(self.focus)
    }

    fn move_cursor(&mut self, delta: i64) {
        let height = self.page_height();
        self.with_pane(|pane, store| pane.move_cursor(delta, height, store));
    }

    /// A page keeps two lines in sight; wrapped lines count their rows, so that none is skipped.
    fn page(&mut self, times: i64, divisor: u16) {
        let height = self.page_height();
        let rows = (height / divisor)
            .saturating_sub(if divisor == 1 { 2 } else { 0 })
            .max(1);
        let lines = i64::from(self.lines_in(rows, times < 0));
        self.with_pane(|pane, store| pane.scroll(times.saturating_mul(lines), height, store));
    }

    /// How many lines from the cursor fill so many rows.
    fn lines_in(&self, rows: u16, up: bool) -> u16 {
        let Some(pane) = self.panes.get(&self.focus).filter(|pane| pane.wrap) else {
            return rows;
        };
        let main = self.areas(self.screen).main;
        let width = self
            .pane_areas(main)
            .into_iter()
            .find(|(id, _)| *id == self.focus)
            .map_or(0, |(_, area)| area.width);
        let columns = LineColumns::of(self, pane, width);
        let (mut index, mut lines, mut left) = (pane.cursor().unwrap_or(0), 0, rows);
        while left > 0 && lines < rows {
            let entry = pane
                .seq(index)
                .and_then(|seq| pane.rows(&self.store).get(seq));
            let most = usize::from(rows) * usize::from(columns.text) * 8;
            let text = entry
                .and_then(RingEntry::record)
                .map(|record| self.shown_text(record, &columns, most));
            left = left.saturating_sub(text.map_or(1, |text| columns.rows(&text)));
            lines += 1;
            let next = if up {
                index.checked_sub(1)
            } else {
                Some(index + 1)
            };
            let Some(next) = next else { break };
            index = next;
        }
        lines.max(1)
    }

    /// To the oldest line that was read; from there, or when it is wanted `again`, to the oldest of
    /// all logs: lines that were read meanwhile stand above what was the top a moment ago.
    fn go_to_top(&mut self, again: bool) {
        let at_top = |pane: &LogPane| pane.past().is_some() && pane.cursor() == Some(0);
        if again || self.panes.get(&self.focus).is_some_and(at_top) {
            self.cancel_for(self.focus);
            self.with_pane(|pane, store| pane.go_to(Time(i64::MIN), store));
        } else {
            self.go_to(1);
        }
    }

    fn go_to(&mut self, line: u32) {
        let height = self.page_height();
        let index = (line as usize).saturating_sub(1);
        self.with_pane(|pane, store| pane.jump(index, height, store));
    }

    fn sideways(&mut self, columns: i32) {
        self.with_pane(|pane, _| pane.scroll_sideways(if pane.wrap { 0 } else { columns }));
    }

    pub(super) fn set_wrap(&mut self, wrap: bool) {
        self.with_pane(|pane, _| {
            pane.wrap = wrap;
            pane.left = 0;
        });
    }

    fn freeze_all(&mut self) {
        let hold = !self.panes.values().all(LogPane::is_frozen);
        for pane in self.panes.values_mut() {
            pane.freeze(&self.store, hold);
        }
    }

    fn open_prompt(&mut self, kind: PromptKind, text: &str) {
        self.prompt = Some(Prompt::new(kind, text));
    }

    fn open_filter(&mut self) {
        let query = self
            .panes
            .get(&self.focus)
            .and_then(|pane| pane.filter().query.as_ref());
        let text = query
            .map(|query| query.typed().to_owned())
            .unwrap_or_default();
        self.open_prompt(PromptKind::Filter, &text);
    }

    /// Shows only the lines that match; with an empty text, all.
    pub(super) fn set_query(&mut self, text: &str) -> Result<(), String> {
        let query = if text.trim().is_empty() {
            None
        } else {
            Some(self.query(text).map_err(|error| error.message)?)
        };
        self.with_pane(|pane, store| pane.change_filter(store, |filter| filter.query = query));
        Ok(())
    }

    /// Relative times in a query are relative to the moment at which it is entered.
    pub(super) fn query(&self, text: &str) -> Result<Query, QueryError> {
        Query::parse(
            text,
            &ReferenceTime {
                time: self.now(),
                zone: self.zone(),
            },
        )
    }

    /// Searches: while following upwards from the newest line, else downwards from the cursor.
    /// Empty: the last search again.
    pub(super) fn search(&mut self, text: &str) -> Result<(), String> {
        if !text.trim().is_empty() {
            let query = self.query(text).map_err(|error| error.message)?;
            self.with_pane(|pane, _| pane.search = Some(query));
        }
        let Some(pane) = self.panes.get(&self.focus) else {
            return Ok(());
        };
        let Some(query) = pane.search.clone() else {
            return Err("nothing was searched before".into());
        };
        let forward = pane.place().is_some();
        self.seek = Seek::from_here(
            self.focus,
            pane,
            &self.store,
            JumpTarget::Query(query),
            forward,
        );
        self.continue_seek();
        Ok(())
    }

    fn next_hit(&mut self, forward: bool, count: Option<u32>) {
        match self
            .panes
            .get(&self.focus)
            .and_then(|pane| pane.search.clone())
        {
            Some(query) => self.seek(JumpTarget::Query(query), forward, count),
            None => self.say("nothing was searched yet; / searches"),
        }
    }

    fn seek(&mut self, target: JumpTarget, forward: bool, count: Option<u32>) {
        let Some(pane) = self.panes.get(&self.focus) else {
            return;
        };
        self.seek = Seek::new(
            self.focus,
            pane,
            &self.store,
            target,
            (forward, count.unwrap_or(1)),
        );
        self.continue_seek();
    }

    pub(super) fn continue_seek(&mut self) {
        let Some(mut seek) = self.seek.take() else {
            return;
        };
        let Some(pane) = self.panes.get(&seek.pane) else {
            return;
        };
        if pane.pending(&self.store) > 0 {
            // "No match" can only be said of a pane that has been read to its beginning.
            self.seek = Some(seek);
            return;
        }
        match seek.advance(pane, &self.store) {
            SoughtLine::Going => self.seek = Some(seek),
            SoughtLine::Edge => self.seek_further(&seek),
            SoughtLine::Nothing => self.say(nothing(&seek.target)),
            SoughtLine::Found(index, wrapped) => {
                self.land(seek.pane, index);
                if wrapped {
                    self.say("went round the end");
                }
            }
        }
    }

    /// Nothing was found in what the pane has: the hosts are searched.
    fn seek_further(&mut self, seek: &Seek) {
        let nothing = nothing(&seek.target);
        let query = match &seek.target {
            JumpTarget::Query(query) => Some(query.clone()),
            JumpTarget::Level(level) => self.query(&format!("level>={level}")).ok(),
            JumpTarget::Bookmark => None,
        };
        if !query.is_some_and(|query| self.search_further(seek.pane, query, !seek.forward, nothing))
        {
            self.say(nothing);
        }
    }

    fn land(&mut self, id: PaneId, index: usize) {
        let height = self.page_height();
        if let Some(pane) = self.panes.get_mut(&id) {
            pane.jump(index, height, &self.store);
        }
    }

    fn mark(&mut self) {
        self.store.mark(self.now);
        if self
            .panes
            .get(&self.focus)
            .is_some_and(|pane| !pane.is_following())
        {
            self.say("marked below the newest line; f goes there");
        }
    }

    fn bookmark(&mut self) {
        let set = self
            .panes
            .get_mut(&self.focus)
            .and_then(LogPane::toggle_bookmark);
        if set == Some(true) {
            self.say("bookmarked; ] and [ go from one to the next");
        }
    }

    fn clear(&mut self) {
        self.with_pane(|pane, store| {
            pane.search = None;
            pane.change_filter(store, |filter| *filter = crate::store::Filter::default());
        });
    }

    fn open_detail(&mut self) {
        let entry = self
            .panes
            .get(&self.focus)
            .and_then(|pane| pane.entry(&self.store));
        if entry.is_none() {
            // The row above the oldest line, which says what could not be read.
            return self.with_pane(|pane, _| pane.retry());
        }
        if let Some((seq, RingEntry::Line(_) | RingEntry::Gap(_))) = entry {
            self.popup = Some((Popup::Record(seq), 0));
        }
    }

    fn copy(&mut self, whole: bool) {
        let Some(pane) = self.panes.get(&self.focus) else {
            return;
        };
        let Some((seq, entry)) = pane.entry(&self.store) else {
            return;
        };
        let Some(line) = entry.record() else { return };
        let copied = match pane.rows(&self.store).whole(seq).filter(|_| whole) {
            Some(record) => {
                let (subject, text) = (record.subject(), String::from_utf8_lossy(record.text()));
                format!(
                    "{} {} {} {text}",
                    timestamp(record.first.content.time),
                    subject.host,
                    subject.source
                )
            }
            None => String::from_utf8_lossy(&line.content.raw).into_owned(),
        };
        self.effects.push(Effect::Copy(copied));
    }

    fn interrupt(&mut self) {
        if self.stop_further()
            || self.keymap.clear()
            || self.seek.take().is_some()
            || self.popup.take().is_some()
        {
            return;
        }
        if self.confirmed(Confirm::Interrupt, "Ctrl-C again to quit") {
            self.effects.push(Effect::Quit);
        }
    }

    /// `q`: back from the host list or a zoomed pane; at the root quits. Where lines still come and
    /// something would be lost that is not there again after the next start, only at the second
    /// press.
    fn back(&mut self) {
        if self.tree.is_zoomed() {
            return self.tree.zoom();
        }
        let live = self
            .store
            .hosts()
            .iter()
            .filter(|row| row.status.state.is_up())
            .count();
        let hosts = if live == 1 { "host" } else { "hosts" };
        let notice = format!("{live} {hosts} still followed: q again to quit");
        if live == 0
            || self.ended
            || !self.has_arrangement()
            || self.confirmed(Confirm::Quit, &notice)
        {
            self.effects.push(Effect::Quit);
        }
    }

    /// Whether the operator has made something of the screen: panes, filters, a place.
    fn has_arrangement(&self) -> bool {
        let touched = |pane: &LogPane| {
            let filter = pane.filter();
            !pane.is_following()
                || filter.query.is_some()
                || filter.hosts.is_some()
                || filter.sources.is_some()
        };
        self.panes.len() > 1 || self.panes.values().any(touched)
    }

    fn split(&mut self, direction: Direction) {
        let new = PaneId(self.next_pane);
        let main = self.areas(self.screen).main;
        if !self.tree.split(self.focus, new, direction, main) {
            return self.say("no room for another pane here");
        }
        if let Some(pane) = self.panes.get(&self.focus) {
            let pane = pane.duplicate(&self.store);
            self.panes.insert(new, pane);
        }
        self.next_pane += 1;
        self.focus = new;
        self.hosts_focused = false;
    }

    fn close_pane(&mut self) {
        let panes = self.tree.panes();
        let index = panes
            .iter()
            .position(|pane| *pane == self.focus)
            .unwrap_or(0);
        if !self.tree.close(self.focus) {
            return self.say("the last pane stays; q quits");
        }
        self.panes.remove(&self.focus);
        let left = self.tree.panes();
        self.focus = left
            .get(index.saturating_sub(1))
            .or(left.first())
            .copied()
            .unwrap_or(self.focus);
    }

    fn only_pane(&mut self) {
        let focus = self.focus;
        self.tree.only(focus);
        self.panes.retain(|pane, _| *pane == focus);
    }

    fn focus_side(&mut self, side: Side) {
        let areas = self.areas(self.screen);
        if self.hosts_focused {
            self.hosts_focused = side != Side::Right;
            return;
        }
        match self.tree.neighbour(self.focus, side, areas.main) {
            Some(pane) => self.focus = pane,
            None if side == Side::Left && areas.side.width > 0 => self.hosts_focused = true,
            None => {}
        }
    }

    /// Round the panes in reading order, the host list first.
    fn cycle(&mut self, forward: bool) {
        let panes = self.tree.panes();
        let stops = panes.len() + usize::from(self.shown.side);
        let pane_index = panes
            .iter()
            .position(|pane| *pane == self.focus)
            .unwrap_or(0);
        let here = if self.hosts_focused {
            panes.len()
        } else {
            pane_index
        };
        let next = (here + if forward { 1 } else { stops - 1 }) % stops.max(1);
        self.hosts_focused = next == panes.len();
        if let Some(pane) = panes.get(next) {
            self.focus = *pane;
        }
    }

    /// F2 goes to the list; there it hides it.
    fn toggle_host_list(&mut self) {
        if self.hosts_focused {
            self.shown.side = false;
            self.hosts_focused = false;
        } else {
            self.shown.side = true;
            self.hosts_focused = true;
        }
    }
}

fn next_style(style: TimeStyle) -> TimeStyle {
    match style {
        TimeStyle::Full => TimeStyle::Short,
        TimeStyle::Short => TimeStyle::Off,
        TimeStyle::Off => TimeStyle::Full,
    }
}

fn nothing(target: &JumpTarget) -> &'static str {
    match target {
        JumpTarget::Query(_) => "no match",
        JumpTarget::Level(Level::Warn) => "no warning and no error",
        JumpTarget::Level(_) => "no error",
        JumpTarget::Bookmark => "no bookmark; m sets one",
    }
}

fn timestamp(time: Time) -> String {
    time.to_timestamp().to_string()
}
