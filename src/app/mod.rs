//! What the operator is doing: panes, focus, keymap, prompts. [`App::update`] takes an event and
//! the time and says what is to be done outside.
//!
//! It does no I/O, waits for nothing and knows no clock, so that every rule of the console can be
//! tested as a function. Drawing is left to `view`, the terminal and the fleet to `tui`.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use crossterm::event::KeyEvent;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use ratatui::layout::Rect;

use crate::model::host::{HostId, HostSpec};
use crate::model::line::FleetLine;
use crate::model::prompt::{OperatorPrompt, PromptReply};
use crate::model::text::{ColourHandling, SafeText, settled};
use crate::model::time::{Time, TimeSource};
use crate::model::update::Update;
use crate::parse::display::LineDisplay;
use crate::query::Query;
use crate::query::request::{LogRequest, LogResponse};
use crate::store::{RING_BYTES, RingEntry, Store, Whole};

pub mod actions;
mod beyond;
mod columns;
mod command;
mod editor;
pub mod keymap;
pub mod keys;
mod layout;
mod pane;
mod past;
mod perform;
mod prompt;
mod questions;
mod seek;
mod tree;

pub use columns::LineColumns;
pub use editor::Editor;
pub use layout::Areas;
pub use pane::{JumpTarget, LogPane, PanePosition, Rows};
pub use past::AskId;
pub use prompt::{Completion, Prompt, PromptCandidate, PromptKind};
pub use questions::{OpenPrompts, QuestionId};
pub use tree::{PaneId, Side, Tree};

use actions::Scope;
use beyond::Further;
use keymap::{Keymap, TypedKeys};
use keys::Key;
use past::PageRequests;
use prompt::{History, PromptOutcome};
use seek::Seek;

/// How long a notice stays in the status line, and how long a second press counts as a
/// confirmation.
const NOTICE_MS: i64 = 4000;

/// Something that has happened.
#[derive(Debug)]
pub enum Event {
    /// A key was pressed.
    Key(KeyEvent),
    /// A text was pasted.
    Paste(String),
    /// The terminal has this many columns and rows.
    Resize(u16, u16),
    /// The fleet tells.
    Batch(Vec<Update>),
    /// The fleet will tell nothing more.
    Ended,
    /// A host asks the operator.
    Ask(QuestionId, OperatorPrompt),
    /// Nobody waits for this answer any more.
    Withdrawn(QuestionId),
    /// An effect has something to say.
    Notice(String),
    /// A host answers what was asked.
    Replies(AskId, Vec<LogResponse>),
    /// No more replies come to that.
    Answered(AskId),
    /// Time has passed, or there is time to spare for [`App::has_work`].
    Tick,
}

/// Something that is to be done outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Leave the console.
    Quit,
    /// Hand the terminal back to the shell until it is wanted again.
    Suspend,
    /// Draw every cell anew.
    Redraw,
    /// Put text into the clipboard; any bytes, to be made safe by whoever does it.
    Copy(String),
    /// Dial a host now.
    Reconnect(HostId),
    /// Hand an answer to whoever asked.
    Answer(QuestionId, PromptReply),
    /// Use another theme.
    Theme(String),
    /// Ask a host, beside following it.
    Ask(AskId, HostId, RequestHandle),
    /// Nobody waits for this answer any more.
    CancelAsk(AskId),
}

/// What is asked of a host.
#[derive(Debug, Clone)]
pub struct RequestHandle(pub Arc<LogRequest>);

impl PartialEq for RequestHandle {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for RequestHandle {}

/// How times are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeStyle {
    /// `13:02:11.123`
    Full,
    /// `13:02:11`
    Short,
    /// Not at all.
    Off,
}

/// What is shown in every pane.
#[derive(Debug, Clone)]
pub struct ViewOptions {
    /// Times of lines.
    pub time: TimeStyle,
    /// Names of hosts.
    pub host: bool,
    /// Names of sources.
    pub source: bool,
    /// Lines as they are, with their stamps and JSON.
    pub raw: bool,
    /// Key hints in the last row.
    pub hints: bool,
    /// The host list.
    pub side: bool,
    /// Times in UTC.
    pub utc: bool,
    /// The operator's time zone.
    pub zone: TimeZone,
}

/// What is open above the panes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Popup {
    /// Keys and commands.
    Help,
    /// What is known of a host.
    Host(HostId),
    /// A whole record.
    Record(u64),
}

/// A message in the status line.
#[derive(Debug, Clone)]
struct Notice {
    text: String,
    until: Time,
}

/// The state of the console.
#[derive(Debug)]
pub struct App {
    store: Store,
    panes: BTreeMap<PaneId, LogPane>,
    tree: Tree,
    focus: PaneId,
    next_pane: u32,
    hosts_focused: bool,
    host_cursor: usize,
    popup: Option<(Popup, u16)>,
    scroll_limit: Cell<u16>,
    prompt: Option<Prompt>,
    history: History,
    questions: OpenPrompts,
    keymap: Keymap,
    seek: Option<Seek>,
    /// Where the last act was to go to the top.
    topped: Option<PaneId>,
    asks: PageRequests,
    further: Option<Further>,
    /// For all panes together.
    past_bytes: usize,
    shown: ViewOptions,
    notice: Option<Notice>,
    confirm: Option<(Confirm, Time)>,
    screen: Rect,
    now: Time,
    last_key: Option<Time>,
    ended: bool,
    busy: bool,
    effects: Vec<Effect>,
}

/// What a second press would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Confirm {
    Quit,
    Interrupt,
}

impl App {
    /// A console with one pane that follows all hosts.
    #[must_use]
    pub fn new(hosts: &[HostSpec], zone: TimeZone) -> Self {
        let store = Store::new(hosts, RING_BYTES);
        let first = PaneId(0);
        Self {
            panes: BTreeMap::from([(first, LogPane::new(&store))]),
            store,
            tree: Tree::new(first),
            focus: first,
            next_pane: 1,
            hosts_focused: false,
            host_cursor: 0,
            popup: None,
            scroll_limit: Cell::new(u16::MAX),
            prompt: None,
            history: History::default(),
            questions: OpenPrompts::default(),
            keymap: Keymap::default(),
            seek: None,
            topped: None,
            asks: PageRequests::default(),
            further: None,
            past_bytes: pane::PAST_BYTES,
            shown: ViewOptions {
                time: TimeStyle::Full,
                host: true,
                source: true,
                raw: false,
                hints: true,
                side: true,
                utc: false,
                zone,
            },
            notice: None,
            confirm: None,
            screen: Rect::default(),
            now: Time(0),
            last_key: None,
            ended: false,
            busy: false,
            effects: Vec::new(),
        }
    }

    /// The same, whose first pane shows only the lines that match.
    #[must_use]
    pub fn with_query(mut self, query: Option<Query>) -> Self {
        let store = &self.store;
        for pane in self.panes.values_mut() {
            pane.change_filter(store, |filter| filter.query.clone_from(&query));
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
            Event::Batch(updates) => self.store.apply(updates, now),
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

    /// Brings everything that follows from the store and the time up to date, within a bound.
    fn settle(&mut self) {
        let mut busy = false;
        for pane in self.panes.values_mut() {
            busy |= !pane.advance(&self.store);
        }
        self.pump();
        self.continue_seek();
        self.busy = busy;
        self.questions.tick(self.now, self.last_key);
        self.notice.take_if(|notice| notice.until <= self.now);
        self.confirm.take_if(|(_, until)| *until <= self.now);
    }

    /// True while there is work that was cut off to keep the console quick: send [`Event::Tick`]
    /// soon.
    #[must_use]
    pub fn has_work(&self) -> bool {
        self.busy || self.seek.is_some()
    }

    /// When the screen will change by itself.
    #[must_use]
    pub fn wakes_at(&self) -> Option<Time> {
        let notice = self.notice.as_ref().map(|notice| notice.until);
        let question = self
            .questions
            .opens_at(self.last_key)
            .map(|at| at.max(self.now));
        let counts_down =
            |row: &crate::store::HostRow| row.retry_in_s(self.now).is_some_and(|left| left > 0);
        let moves = self.store.rate(self.now) > 0.0 || self.store.hosts().iter().any(counts_down);
        let second = moves.then(|| self.now.plus_millis(1000));
        [notice, question, second, self.asks_until()]
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
        } else if self.prompt.is_some() {
            self.on_prompt_key(key);
        } else {
            self.on_command_key(key);
        }
        self.last_key = Some(self.now);
    }

    fn on_command_key(&mut self, key: Key) {
        if key == keys::ESC {
            return self.escape();
        }
        match self.keymap.press(key, self.scope()) {
            TypedKeys::Act(act, count) => self.perform(act, count),
            TypedKeys::Pending => {}
            TypedKeys::Unknown => self.say(format!("{key} is not bound here; ? shows the keys")),
        }
    }

    /// Esc closes what is open, innermost first, and never quits.
    fn escape(&mut self) {
        if self.stop_further()
            || self.keymap.clear()
            || self.seek.take().is_some()
            || self.popup.take().is_some()
        {
            return;
        }
        if self.notice.take().is_some() {
            return;
        }
        if self.hosts_focused {
            self.hosts_focused = false;
        } else if let Some(pane) = self.panes.get_mut(&self.focus) {
            pane.search = None;
        }
    }

    fn on_prompt_key(&mut self, key: Key) {
        let Some(mut prompt) = self.prompt.take() else {
            return;
        };
        match prompt.press(key, &self.history) {
            PromptOutcome::Open => self.prompt = Some(prompt),
            PromptOutcome::Cancelled => self.history.add(prompt.kind, prompt.editor.text()),
            PromptOutcome::Entered(text) => self.enter(prompt, &text),
            PromptOutcome::Complete => {
                prompt.offer(self.completions(&prompt));
                self.prompt = Some(prompt);
            }
        }
    }

    /// Does what was typed; what cannot be done stays in the prompt with the reason, the cursor
    /// where it goes wrong.
    fn enter(&mut self, mut prompt: Prompt, text: &str) {
        self.history.add(prompt.kind, text);
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
            self.prompt = Some(prompt);
        }
    }

    fn on_paste(&mut self, text: &str) {
        if self.questions.open().is_some() {
            self.questions.paste(text);
        } else if let Some(prompt) = &mut self.prompt {
            prompt.paste(text);
        }
        self.last_key = Some(self.now);
    }

    fn say(&mut self, text: impl Into<String>) {
        self.notice = Some(Notice {
            text: text.into(),
            until: self.now.plus_millis(NOTICE_MS),
        });
    }

    /// True at the second press within the time of a notice.
    fn confirmed(&mut self, what: Confirm, notice: &str) -> bool {
        if self.confirm.is_some_and(|(asked, _)| asked == what) {
            return true;
        }
        self.confirm = Some((what, self.now.plus_millis(NOTICE_MS)));
        self.say(notice);
        false
    }

    fn scope(&self) -> Scope {
        match self.popup {
            Some((Popup::Host(_), _)) => Scope::Hosts,
            Some(_) => Scope::Log,
            None if self.hosts_focused => Scope::Hosts,
            None => Scope::Log,
        }
    }
}

/// What `view` reads.
impl App {
    /// Everything that is known of the fleet.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
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
            self.shown.side,
            self.hosts_focused,
            self.shown.hints,
            self.store.hosts().len(),
        )
    }

    /// The panes on the screen and where.
    #[must_use]
    pub fn pane_areas(&self, main: Rect) -> Vec<(PaneId, Rect)> {
        self.tree.areas(main, self.focus)
    }

    /// A pane.
    #[must_use]
    pub fn pane(&self, id: PaneId) -> Option<&LogPane> {
        self.panes.get(&id)
    }

    /// An entry of the pane that keys mean.
    #[must_use]
    pub fn entry(&self, seq: u64) -> Option<&RingEntry> {
        self.panes.get(&self.focus)?.rows(&self.store).get(seq)
    }

    /// The record of the pane that keys mean to which a line belongs.
    #[must_use]
    pub fn whole(&self, seq: u64) -> Option<Whole<'_>> {
        self.panes.get(&self.focus)?.rows(&self.store).whole(seq)
    }

    /// How many panes there are, and whether one of them has all the room.
    #[must_use]
    pub fn pane_count(&self) -> (usize, bool) {
        (self.panes.len(), self.tree.is_zoomed())
    }

    /// The pane that keys and commands mean.
    #[must_use]
    pub fn focused_pane(&self) -> PaneId {
        self.focus
    }

    /// Whether keys go to the host list.
    #[must_use]
    pub fn hosts_focused(&self) -> bool {
        self.hosts_focused
    }

    /// The host under the cursor of the host list.
    #[must_use]
    pub fn selected_host(&self) -> usize {
        self.host_cursor
    }

    /// What is open above the panes, and how far it is scrolled.
    #[must_use]
    pub fn popup(&self) -> Option<(Popup, u16)> {
        self.popup
    }

    /// How far the open popup can be scrolled: the one thing that only drawing knows and keys need.
    pub fn limit_scroll(&self, most: u16) {
        self.scroll_limit.set(most);
    }

    /// The open prompt.
    #[must_use]
    pub fn prompt(&self) -> Option<&Prompt> {
        self.prompt.as_ref()
    }

    /// Questions of hosts.
    #[must_use]
    pub fn questions(&self) -> &OpenPrompts {
        &self.questions
    }

    /// What is shown in every pane.
    #[must_use]
    pub fn shown(&self) -> &ViewOptions {
        &self.shown
    }

    /// The message in the status line; may hold text from outside.
    #[must_use]
    pub fn notice(&self) -> Option<&str> {
        self.notice.as_ref().map(|notice| notice.text.as_str())
    }

    /// Keys typed of a command that is not complete, and how it can go on.
    #[must_use]
    pub fn typed(&self) -> Option<(String, Vec<(String, &'static str)>)> {
        self.keymap.is_pending().then(|| {
            (
                self.keymap.spelled(),
                self.keymap.continuations(self.scope()),
            )
        })
    }

    /// The day at which a pane looks: that of the line under the cursor, today while it follows.
    #[must_use]
    pub fn day_of(&self, pane: &LogPane) -> Date {
        // Above the oldest line stands a row that has no time of its own.
        let at = |index: usize| {
            pane.rows(&self.store)
                .get(pane.seq(index)?)
                .map(RingEntry::time)
        };
        let seen = pane
            .place()
            .and_then(|_| pane.cursor())
            .and_then(|index| at(index).or_else(|| at(index + 1)));
        self.date(seen.unwrap_or(self.now))
    }

    /// The date of a moment where the operator is.
    #[must_use]
    pub fn date(&self, time: Time) -> Date {
        time.to_timestamp().to_zoned(self.zone()).date()
    }

    /// How a line is read beside such columns: without its stamp, unless the column of the time
    /// says less (on another day than the pane's it shows no seconds). A pane too narrow for that
    /// column has no room for stamps either.
    #[must_use]
    pub fn reading(&self, record: &FleetLine, columns: &LineColumns) -> LineDisplay {
        match (self.shown.raw, columns.time, record.content.time_from) {
            (true, ..) => LineDisplay::Raw,
            (_, 0, TimeSource::Stamp) => LineDisplay::Bare,
            (_, _, TimeSource::Stamp) if self.date(record.content.time) == columns.day => {
                LineDisplay::Bare
            }
            _ => LineDisplay::Stamped,
        }
    }

    /// A line as it is shown beside such columns, in no more than `most` bytes: in its reading,
    /// with its colours, and of a progress bar the last state; in the raw view every byte of it.
    #[must_use]
    pub fn shown_text(&self, record: &FleetLine, columns: &LineColumns, most: usize) -> SafeText {
        match self.reading(record, columns) {
            LineDisplay::Raw => SafeText::line(&record.content.raw, ColourHandling::Shown, most),
            reading => SafeText::line(
                &settled(&reading.of_stamped(&record.content.raw, record.content.stamp.range())),
                ColourHandling::Kept,
                most,
            ),
        }
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

    /// The time zone in which times are shown.
    #[must_use]
    pub fn zone(&self) -> TimeZone {
        if self.shown.utc {
            TimeZone::UTC
        } else {
            self.shown.zone.clone()
        }
    }
}

#[cfg(test)]
pub(crate) mod fixture;
