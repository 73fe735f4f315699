//! What the operator is doing: panes, focus, keymap, prompts. [`App::update`] takes an event and
//! the time and says what is to be done outside.
//!
//! It does no I/O, waits for nothing and knows no clock, so that every rule of the console can be
//! tested as a function. Drawing is left to `view`, the terminal and the fleet to `tui`.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use ratatui::layout::Rect;

use crate::layout::{Areas, LineColumns, ViewOptions};
use crate::model::host::HostSpec;
use crate::model::time::Time;
use crate::model::update::Update;
use crate::query::Query;
use crate::scrollback::{RING_BYTES, RingEntry, Scrollback, Seq, Whole};

pub mod actions;
mod command;
mod dispatch;
mod editor;
mod event;
mod gaps;
mod jumps;
pub mod keymap;
pub mod keys;
mod log_actions;
mod notices;
mod page_requests;
mod pane;
mod panes;
mod pending_requests;
mod prompt;
mod questions;
mod remote_search;
mod seek;
mod tree;

pub use editor::Editor;
pub use event::{Effect, Event, RequestHandle};
pub use pane::{
    HelpPane, HostPane, HostsPane, JumpTarget, LogPane, Pane, PanePosition, Popup, RecordPane,
    Rows, Scroll,
};
pub use pending_requests::AskId;
pub use prompt::{Completion, Prompt, PromptCandidate, PromptKind};
pub use questions::{OpenPrompts, QuestionId};
pub use tree::{PaneId, Side, Tree};

use actions::Scope;
use keymap::{Keymap, TypedKeys};
use keys::Key;
use notices::Notices;
use page_requests::overtakes_at;
use panes::Panes;
use pending_requests::PendingRequests;
use prompt::{History, PromptOutcome};
use remote_search::RemoteSearch;
use seek::Seek;

/// The state of the console.
#[derive(Debug)]
pub struct App {
    scrollback: Scrollback,
    panes: Panes,
    prompts: Prompts,
    questions: OpenPrompts,
    keyboard: Keyboard,
    seek: Option<Seek>,
    requests: PendingRequests,
    remote_search: Option<RemoteSearch>,
    view_options: ViewOptions,
    notices: Notices,
    screen: Rect,
    now: Time,
    ended: bool,
    busy: bool,
    effects: Vec<Effect>,
}

/// What is typed at the bottom, and what was typed there before.
#[derive(Debug, Default)]
struct Prompts {
    open: Option<Prompt>,
    history: History,
}

/// What is typed of a command, and when a key was pressed last.
#[derive(Debug, Default)]
struct Keyboard {
    keymap: Keymap,
    last_key: Option<Time>,
}

impl App {
    /// A console with one pane that follows all hosts.
    #[must_use]
    pub fn new(hosts: &[HostSpec], zone: TimeZone) -> Self {
        let scrollback = Scrollback::new(hosts, RING_BYTES);
        Self {
            panes: Panes::new(&scrollback),
            scrollback,
            prompts: Prompts::default(),
            questions: OpenPrompts::default(),
            keyboard: Keyboard::default(),
            seek: None,
            requests: PendingRequests::default(),
            remote_search: None,
            view_options: ViewOptions::new(zone),
            notices: Notices::default(),
            screen: Rect::default(),
            now: Time(0),
            ended: false,
            busy: false,
            effects: Vec::new(),
        }
    }

    /// The same, whose first pane shows only the lines that match.
    #[must_use]
    pub fn with_query(mut self, query: Option<Query>) -> Self {
        let scrollback = &self.scrollback;
        for pane in self.panes.logs.values_mut() {
            pane.change_filter(scrollback, |filter| filter.query.clone_from(&query));
        }
        self
    }

    /// Takes in what has happened at `now`; says what is to be done outside.
    pub fn update(&mut self, event: Event, now: Time) -> Vec<Effect> {
        self.now = now;
        match event {
            Event::Key(key) => self.on_key(key.into()),
            Event::Paste(text) => self.on_paste(&text),
            Event::Resize(width, height) => self.screen = Rect::new(0, 0, width, height),
            Event::Batch(updates) => self.take_in(updates),
            Event::Ended => self.ended = true,
            Event::Ask(id, question) => self.questions.add(id, question),
            Event::Withdrawn(id) => self.questions.withdraw(id),
            Event::Notice(text) => self.say(text),
            Event::Replies(id, replies) => self.on_replies(id, replies),
            Event::Answered(id) => self.on_answered(id),
            Event::Tick => {}
        }
        self.settle();
        std::mem::take(&mut self.effects)
    }

    fn take_in(&mut self, updates: Vec<Update>) {
        self.scrollback.apply(updates, self.now);
        let renumbered = self.scrollback.take_renumbered();
        if renumbered.is_empty() {
            return;
        }
        for pane in self.panes.logs.values_mut() {
            pane.follow_woven(&renumbered, &self.scrollback);
        }
        for renumbering in renumbered {
            self.panes.follow_woven(&renumbering);
            self.requests.follow_woven(&renumbering);
            if let Some(seek) = &mut self.seek {
                seek.follow_woven(&renumbering);
            }
        }
    }

    /// Brings everything that follows from the scrollback and the time up to date, within a bound.
    fn settle(&mut self) {
        let mut busy = false;
        for pane in self.panes.logs.values_mut() {
            busy |= !pane.advance(&self.scrollback);
        }
        self.pump();
        self.continue_seek();
        self.jump_to_found();
        self.busy = busy;
        self.questions.tick(self.now, self.keyboard.last_key);
        self.notices.tick(self.now);
    }

    /// True while there is work that was cut off to keep the console quick: send [`Event::Tick`]
    /// soon.
    #[must_use]
    pub fn has_work(&self) -> bool {
        self.busy || self.seek.is_some()
    }

    /// When the screen changes without an event.
    #[must_use]
    pub fn wakes_at(&self) -> Option<Time> {
        let notice = self.notices.until();
        let question = self
            .questions
            .opens_at(self.keyboard.last_key)
            .map(|at| at.max(self.now));
        let counts_down = |row: &crate::scrollback::HostRow| {
            row.retry_in_s(self.now).is_some_and(|left| left > 0)
        };
        let moves =
            self.scrollback.rate(self.now) > 0.0 || self.scrollback.hosts().iter().any(counts_down);
        let second = moves.then(|| self.now.plus_millis(1000));
        let held_up = self.panes.logs.values().filter_map(overtakes_at).min();
        let search = self.remote_search.as_ref().and_then(RemoteSearch::jumps_at);
        let requests = self.requests.until();
        [notice, question, second, requests, held_up, search]
            .into_iter()
            .flatten()
            .min()
    }

    /// Whether another question of a host can be taken.
    #[must_use]
    pub fn takes_questions(&self) -> bool {
        self.questions.has_room()
    }

    fn on_key(&mut self, key: Key) {
        if self.questions.open().is_some() {
            if let Some((id, answer)) = self.questions.press(key, self.now) {
                self.effects.push(Effect::Answer(id, answer));
            }
        } else if self.prompts.open.is_some() {
            self.on_prompt_key(key);
        } else {
            self.on_command_key(key);
        }
        self.keyboard.last_key = Some(self.now);
    }

    fn on_command_key(&mut self, key: Key) {
        if key == keys::ESC {
            return self.escape();
        }
        match self.keyboard.keymap.press(key, self.scope()) {
            TypedKeys::Action(action, count) => self.dispatch(action, count),
            TypedKeys::Pending => {}
            TypedKeys::Unknown => self.say(format!("{key} is not bound here; ? shows the keys")),
        }
    }

    /// Esc closes what is open, innermost first, and never quits.
    fn escape(&mut self) {
        if self.stop_what_runs() || self.notices.clear() {
            return;
        }
        if self.panes.hosts.focused {
            self.panes.hosts.focused = false;
        } else if let Some(pane) = self.panes.focused_mut() {
            pane.search = None;
        }
    }

    fn on_prompt_key(&mut self, key: Key) {
        let Some(mut prompt) = self.prompts.open.take() else {
            return;
        };
        match prompt.press(key, &self.prompts.history) {
            PromptOutcome::Open => self.prompts.open = Some(prompt),
            PromptOutcome::Cancelled => self.prompts.history.add(prompt.kind, prompt.editor.text()),
            PromptOutcome::Entered(text) => self.enter(prompt, &text),
            PromptOutcome::Complete => {
                prompt.offer(self.completions(&prompt));
                self.prompts.open = Some(prompt);
            }
        }
    }

    /// Does what was typed; what cannot be done stays in the prompt with the reason, the cursor
    /// where it goes wrong.
    fn enter(&mut self, mut prompt: Prompt, text: &str) {
        self.prompts.history.add(prompt.kind, text);
        let done = match prompt.kind {
            PromptKind::Search => self.search(text),
            PromptKind::Filter => self.set_query(text),
            PromptKind::Command => self.run_command(text),
        };
        if let Err(error) = done {
            if prompt.kind != PromptKind::Command
                && let Err(fault) = self.query(text)
            {
                prompt.editor.go_to(fault.column - 1);
            }
            prompt.error = Some(error);
            self.prompts.open = Some(prompt);
        }
    }

    fn on_paste(&mut self, text: &str) {
        if self.questions.open().is_some() {
            self.questions.paste(text);
        } else if let Some(prompt) = &mut self.prompts.open {
            prompt.paste(text);
        }
        self.keyboard.last_key = Some(self.now);
    }

    fn say(&mut self, text: impl Into<String>) {
        self.notices.show(text.into(), self.now);
    }

    fn scope(&self) -> Scope {
        match self.active_pane() {
            Some(Pane::Hosts(_) | Pane::Host(_)) => Scope::Hosts,
            _ => Scope::Log,
        }
    }
}

/// What `view` reads.
impl App {
    /// Everything that is known of the fleet.
    #[must_use]
    pub fn scrollback(&self) -> &Scrollback {
        &self.scrollback
    }

    /// The time of the last event.
    #[must_use]
    pub fn now(&self) -> Time {
        self.now
    }

    /// How a screen is divided at present.
    #[must_use]
    pub fn areas(&self, screen: Rect) -> Areas {
        Areas::of(
            screen,
            &self.view_options,
            self.panes.hosts.focused,
            self.scrollback.hosts().len(),
        )
    }

    /// The panes on the screen and where.
    #[must_use]
    pub fn pane_areas(&self, main: Rect) -> Vec<(PaneId, Rect)> {
        self.panes.tree.areas(main, self.panes.focus)
    }

    /// A pane.
    #[must_use]
    pub fn pane(&self, id: PaneId) -> Option<&LogPane> {
        self.panes.get(id)
    }

    /// An entry of the pane that keys mean.
    #[must_use]
    pub fn entry(&self, seq: Seq) -> Option<&RingEntry> {
        self.panes.focused()?.rows(&self.scrollback).get(seq)
    }

    /// The record of the pane that keys mean to which a line belongs.
    #[must_use]
    pub fn whole(&self, seq: Seq) -> Option<Whole<'_>> {
        self.panes.focused()?.rows(&self.scrollback).whole(seq)
    }

    /// How many panes there are, and whether one of them has all the room.
    #[must_use]
    pub fn pane_count(&self) -> (usize, bool) {
        (self.panes.logs.len(), self.panes.tree.is_zoomed())
    }

    /// The pane that keys and commands mean.
    #[must_use]
    pub fn focused_pane(&self) -> PaneId {
        self.panes.focus
    }

    /// The host list.
    #[must_use]
    pub fn hosts_pane(&self) -> &HostsPane {
        &self.panes.hosts
    }

    /// The pane that takes keys.
    #[must_use]
    pub fn active_pane(&self) -> Option<Pane<'_>> {
        self.panes.active()
    }

    /// What is open above the panes.
    #[must_use]
    pub fn popup(&self) -> Option<&Popup> {
        self.panes.popup.as_ref()
    }

    /// The panes on the screen, and where; without what is open above them.
    #[must_use]
    pub fn panes_on(&self, areas: &Areas) -> Vec<(Pane<'_>, Rect)> {
        let hosts = &self.panes.hosts;
        let mut shown = vec![
            (Pane::Hosts(hosts), areas.side),
            (Pane::Metrics(hosts), areas.metrics),
        ];
        let logs = self.pane_areas(areas.main).into_iter();
        shown.extend(logs.filter_map(|(id, area)| Some((Pane::Log(id, self.pane(id)?), area))));
        shown
    }

    /// The open prompt.
    #[must_use]
    pub fn prompt(&self) -> Option<&Prompt> {
        self.prompts.open.as_ref()
    }

    /// Questions of hosts.
    #[must_use]
    pub fn questions(&self) -> &OpenPrompts {
        &self.questions
    }

    /// What is shown in every pane.
    #[must_use]
    pub fn view_options(&self) -> &ViewOptions {
        &self.view_options
    }

    /// The message in the status line; may hold text from outside.
    #[must_use]
    pub fn notice(&self) -> Option<&str> {
        self.notices.text()
    }

    /// Keys typed of a command that is not complete, and how it can go on.
    #[must_use]
    pub fn typed(&self) -> Option<(String, Vec<(String, &'static str)>)> {
        self.keyboard.keymap.is_pending().then(|| {
            (
                self.keyboard.keymap.spelled(),
                self.keyboard.keymap.continuations(self.scope()),
            )
        })
    }

    /// The day at which a pane looks: that of the line under the cursor, today while it follows.
    #[must_use]
    pub fn day_of(&self, pane: &LogPane) -> Date {
        let seen = pane.time_seen(&self.scrollback);
        self.view_options.date(seen.unwrap_or(self.now))
    }

    /// The columns of a pane that is `width` cells wide.
    #[must_use]
    pub fn columns(&self, pane: &LogPane, width: u16) -> LineColumns {
        LineColumns::of(
            &self.view_options,
            &self.scrollback,
            pane.lens_hosts(),
            self.day_of(pane),
            width,
        )
    }

    /// Whether a jump is on its way.
    #[must_use]
    pub fn is_seeking(&self) -> bool {
        self.seek.is_some()
    }

    /// Whether the fleet has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ended
    }
}

#[cfg(test)]
pub(crate) mod fixture;
