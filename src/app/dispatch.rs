//! From an action to what it does to the console: the table, and what concerns the screen and the
//! program. What log panes do is left to `log_actions`, jumps to `jumps`.

use ratatui::layout::Direction;

use super::actions::{
    Action, HostAction, LayoutAction, LogAction, Motion, ProgramAction, ViewAction,
};
use super::event::Effect;
use super::notices::Confirm;
use super::pane::{HelpPane, HostPane, LogPane, Popup, RecordPane};
use super::prompt::{Prompt, PromptKind};
use super::tree::Side;
use super::{App, JumpTarget};
use crate::model::host::HostId;
use crate::model::level::Level;
use crate::scrollback::{RingEntry, Scrollback};

/// Columns that one press scrolls sideways.
const SIDEWAYS: i32 = 8;

impl App {
    pub(super) fn dispatch(&mut self, action: Action, count: Option<u32>) {
        if self.panes.popup.is_some() && self.dispatch_to_popup(action, count) {
            return;
        }
        if self.panes.hosts.focused && self.dispatch_to_hosts(action, count) {
            return;
        }
        let is_top = action == Action::Motion(Motion::Top);
        let again = self.panes.goes_to_top_again(is_top);
        match action {
            Action::Motion(Motion::Top) if count.is_none() => self.go_to_top(again),
            Action::Motion(motion) => self.move_in_log(motion, count),
            Action::Log(action) => self.dispatch_to_log(action, count),
            Action::View(action) => self.change_view(action),
            Action::Layout(action) => self.change_layout(action),
            Action::Program(action) => self.dispatch_to_program(action),
            Action::Argument(action) => {
                if let Err(error) = self.run_with_argument(action, "") {
                    self.say(error);
                }
            }
            // No host has the focus.
            Action::Host(_) => {}
        }
    }

    fn move_in_log(&mut self, motion: Motion, count: Option<u32>) {
        let times = i64::from(count.unwrap_or(1));
        match motion {
            Motion::Down => self.move_cursor(times),
            Motion::Up => self.move_cursor(-times),
            Motion::PageDown | Motion::Page => self.page(times, 1),
            Motion::PageUp => self.page(-times, 1),
            Motion::HalfDown => self.page(times, 2),
            Motion::HalfUp => self.page(-times, 2),
            Motion::Top => self.go_to(count.unwrap_or(1)),
            Motion::Bottom if count.is_some() => self.go_to(count.unwrap_or(1)),
            Motion::Bottom => self.with_pane(|pane, _| pane.follow()),
        }
    }

    fn dispatch_to_log(&mut self, action: LogAction, count: Option<u32>) {
        let columns = SIDEWAYS * i64::from(count.unwrap_or(1)) as i32;
        match action {
            LogAction::GoTo => self.open_prompt(PromptKind::Command, "at "),
            LogAction::Fill => self.fill_gap(),
            LogAction::Left => self.sideways(-columns),
            LogAction::Right => self.sideways(columns),
            LogAction::LineStart => self.sideways(i32::MIN / 2),
            LogAction::Follow => self.with_pane(|pane, _| pane.follow()),
            LogAction::Freeze => self.with_pane(|pane, scrollback| {
                pane.freeze(scrollback, !pane.is_frozen());
            }),
            LogAction::FreezeAll => self.panes.freeze_all(&self.scrollback),
            LogAction::Search => self.open_prompt(PromptKind::Search, ""),
            LogAction::NextHit => self.next_hit(true, count),
            LogAction::PreviousHit => self.next_hit(false, count),
            LogAction::NextError => self.seek(JumpTarget::Level(Level::Error), true, count),
            LogAction::PreviousError => self.seek(JumpTarget::Level(Level::Error), false, count),
            LogAction::NextWarning => self.seek(JumpTarget::Level(Level::Warn), true, count),
            LogAction::PreviousWarning => self.seek(JumpTarget::Level(Level::Warn), false, count),
            LogAction::Bookmark => self.bookmark(),
            LogAction::NextBookmark => self.seek(JumpTarget::Bookmark, true, count),
            LogAction::PreviousBookmark => self.seek(JumpTarget::Bookmark, false, count),
            LogAction::Mark => self.mark(),
            LogAction::Filter => self.open_filter(),
            LogAction::ToggleFilters => self.with_pane(LogPane::toggle_filters),
            LogAction::Clear => self.clear(),
            LogAction::CopyLine => self.copy(false),
            LogAction::CopyRecord => self.copy(true),
            LogAction::AllHosts => {
                self.with_pane(|pane, scrollback| pane.show_hosts(scrollback, None));
            }
        }
    }

    /// What changes how things are shown, and not what.
    fn change_view(&mut self, action: ViewAction) {
        let options = &mut self.view_options;
        match action {
            ViewAction::Wrap => {
                let wrap = self.panes.focused().is_some_and(|pane| pane.wrap);
                self.set_wrap(!wrap);
            }
            ViewAction::ShowTime => options.time = options.time.next(),
            ViewAction::ShowHost => options.host = !options.host,
            ViewAction::ShowSource => options.source = !options.source,
            ViewAction::ShowRaw => options.raw = !options.raw,
            ViewAction::Utc => options.utc = !options.utc,
            ViewAction::Hints => options.hints = !options.hints,
        }
    }

    fn change_layout(&mut self, action: LayoutAction) {
        let panes = &mut self.panes;
        match action {
            LayoutAction::SplitRight => self.split(Direction::Horizontal),
            LayoutAction::SplitDown => self.split(Direction::Vertical),
            LayoutAction::FocusLeft => self.focus_side(Side::Left),
            LayoutAction::FocusDown => self.focus_side(Side::Down),
            LayoutAction::FocusUp => self.focus_side(Side::Up),
            LayoutAction::FocusRight => self.focus_side(Side::Right),
            LayoutAction::NextPane => panes.cycle_focus(true, self.view_options.side),
            LayoutAction::PreviousPane => panes.cycle_focus(false, self.view_options.side),
            LayoutAction::Wider => panes.resize(Direction::Horizontal, true),
            LayoutAction::Narrower => panes.resize(Direction::Horizontal, false),
            LayoutAction::Taller => panes.resize(Direction::Vertical, true),
            LayoutAction::Shorter => panes.resize(Direction::Vertical, false),
            LayoutAction::Equal => panes.tree.equalise(),
            LayoutAction::Zoom => panes.tree.zoom(),
            LayoutAction::Close => self.close_pane(),
            LayoutAction::Only => panes.close_others(),
            LayoutAction::HostList => self.toggle_host_list(),
        }
    }

    fn dispatch_to_program(&mut self, action: ProgramAction) {
        match action {
            ProgramAction::Detail => self.open_detail(),
            ProgramAction::Command => self.open_prompt(PromptKind::Command, ""),
            ProgramAction::Answer => self.questions.show(self.now),
            ProgramAction::Help => self.panes.popup = Some(Popup::Help(HelpPane::default())),
            ProgramAction::Redraw => self.effects.push(Effect::Redraw),
            ProgramAction::Suspend => self.effects.push(Effect::Suspend),
            ProgramAction::Interrupt => self.interrupt(),
            ProgramAction::Quit => self.back(),
            ProgramAction::QuitNow => self.effects.push(Effect::Quit),
        }
    }

    /// True if the popup took it. Other actions close the popup and mean what lies below.
    fn dispatch_to_popup(&mut self, action: Action, count: Option<u32>) -> bool {
        use ProgramAction::{Answer, Detail, Help, Interrupt, Quit, Redraw, Suspend};
        match action {
            Action::Motion(motion) => self.scroll_popup(motion, count),
            Action::Program(Quit | Detail | Interrupt | Help) => self.panes.popup = None,
            Action::Host(action) => {
                if let Some(Popup::Host(pane)) = &self.panes.popup {
                    let host = pane.host;
                    self.panes.popup = None;
                    self.dispatch_to_host(action, host);
                }
            }
            Action::Log(LogAction::CopyLine) => self.copy(false),
            Action::Log(LogAction::CopyRecord) => self.copy(true),
            Action::Program(Redraw | Suspend | Answer) => return false,
            _ => {
                self.panes.popup = None;
                return false;
            }
        }
        true
    }

    fn scroll_popup(&mut self, motion: Motion, count: Option<u32>) {
        let Some(popup) = &mut self.panes.popup else {
            return;
        };
        let scroll = popup.scroll_mut();
        let rows = u16::try_from(count.unwrap_or(1)).unwrap_or(u16::MAX);
        let page = self.screen.height.saturating_sub(6).max(1);
        match motion {
            Motion::Down => scroll.down(rows),
            Motion::Up => scroll.up(rows),
            Motion::PageDown | Motion::Page | Motion::HalfDown => scroll.down(page),
            Motion::PageUp | Motion::HalfUp => scroll.up(page),
            Motion::Top => scroll.to_top(),
            Motion::Bottom => scroll.to_bottom(),
        }
    }

    /// True if the host list took it.
    fn dispatch_to_hosts(&mut self, action: Action, count: Option<u32>) -> bool {
        let host = self.panes.hosts.selected_host();
        match action {
            Action::Motion(Motion::Page) => return false,
            Action::Motion(motion) => self.move_in_hosts(motion, count),
            Action::Program(ProgramAction::Quit) => self.panes.hosts.focused = false,
            Action::Program(ProgramAction::Detail) => {
                self.panes.popup = Some(Popup::Host(HostPane::new(host)));
            }
            Action::Host(action) => self.dispatch_to_host(action, host),
            _ => return false,
        }
        true
    }

    fn move_in_hosts(&mut self, motion: Motion, count: Option<u32>) {
        let last = self.scrollback.hosts().len().saturating_sub(1);
        let rows = count.unwrap_or(1) as usize;
        let page = usize::from(self.areas(self.screen).side.height.saturating_sub(1)).max(1);
        let counted = count.map(|line| (line as usize).saturating_sub(1).min(last));
        let hosts = &mut self.panes.hosts;
        match motion {
            Motion::Down => hosts.down(rows, last),
            Motion::Up => hosts.up(rows),
            Motion::PageDown | Motion::HalfDown | Motion::Page => hosts.down(page, last),
            Motion::PageUp | Motion::HalfUp => hosts.up(page),
            Motion::Top => hosts.select(counted.unwrap_or(0)),
            Motion::Bottom => hosts.select(counted.unwrap_or(last)),
        }
    }

    fn dispatch_to_host(&mut self, action: HostAction, host: HostId) {
        match action {
            HostAction::Reconnect => self.effects.push(Effect::Reconnect(host)),
            HostAction::OnlyHost => {
                self.with_pane(|pane, scrollback| pane.show_only_host(scrollback, host));
            }
            HostAction::ToggleHost => {
                self.with_pane(|pane, scrollback| pane.toggle_host(scrollback, host));
            }
        }
    }

    pub(super) fn with_pane(&mut self, change: impl FnOnce(&mut LogPane, &Scrollback)) {
        if let Some(pane) = self.panes.focused_mut() {
            change(pane, &self.scrollback);
        }
    }

    fn open_prompt(&mut self, kind: PromptKind, text: &str) {
        self.prompts.open = Some(Prompt::new(kind, text));
    }

    fn open_filter(&mut self) {
        let query = self
            .panes
            .focused()
            .and_then(|pane| pane.filter().query.as_ref());
        let text = query
            .map(|query| query.typed().to_owned())
            .unwrap_or_default();
        self.open_prompt(PromptKind::Filter, &text);
    }

    fn open_detail(&mut self) {
        let entry = self
            .panes
            .focused()
            .and_then(|pane| pane.entry(&self.scrollback));
        if entry.is_none() {
            // The row above the oldest line, which says what could not be read.
            return self.with_pane(|pane, _| pane.retry());
        }
        if let Some((seq, RingEntry::Line(_) | RingEntry::Gap(_))) = entry {
            self.panes.popup = Some(Popup::Record(RecordPane::new(seq)));
        }
    }

    fn interrupt(&mut self) {
        if self.stop_what_runs() {
            return;
        }
        let notice = "Ctrl-C again to quit";
        if self
            .notices
            .is_confirmed(Confirm::Interrupt, notice, self.now)
        {
            self.effects.push(Effect::Quit);
        }
    }

    /// Ends the innermost of what runs or is open; false where there is none.
    pub(super) fn stop_what_runs(&mut self) -> bool {
        self.stop_remote_search()
            || self.keyboard.keymap.clear()
            || self.seek.take().is_some()
            || self.panes.popup.take().is_some()
    }

    /// `q`: back from the host list or a zoomed pane; at the root quits. Where lines still come and
    /// something would be lost that is not there again after the next start, only at the second
    /// press.
    fn back(&mut self) {
        if self.panes.tree.is_zoomed() {
            return self.panes.tree.zoom();
        }
        let live = self
            .scrollback
            .hosts()
            .iter()
            .filter(|row| row.status.state.is_up())
            .count();
        let hosts = if live == 1 { "host" } else { "hosts" };
        let notice = format!("{live} {hosts} still followed: q again to quit");
        if live == 0
            || self.ended
            || !self.panes.are_arranged()
            || self.notices.is_confirmed(Confirm::Quit, &notice, self.now)
        {
            self.effects.push(Effect::Quit);
        }
    }

    fn split(&mut self, direction: Direction) {
        let main = self.areas(self.screen).main;
        if !self.panes.split(direction, main, &self.scrollback) {
            self.say("no room for another pane here");
        }
    }

    fn close_pane(&mut self) {
        if !self.panes.close() {
            self.say("the last pane stays; q quits");
        }
    }

    fn focus_side(&mut self, side: Side) {
        let areas = self.areas(self.screen);
        self.panes
            .focus_side(side, areas.main, areas.side.width > 0);
    }

    /// F2 goes to the list; there it hides it.
    fn toggle_host_list(&mut self) {
        let hides = self.panes.hosts.focused;
        self.view_options.side = !hides;
        self.panes.hosts.focused = !hides;
    }
}
