//! The terminal and the loop: input and updates in, frames and effects out.
//!
//! One biased `select!` over signals, input, the pacer's moment and batches of updates; nothing
//! else is awaited, so a dead host or a flood never holds up a key. What is to be done is decided
//! by `app`, what is seen by `view`.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crossterm::event::{Event as TermEvent, EventStream, KeyEventKind};
use futures_util::{Stream, StreamExt};
use jiff::tz::TimeZone;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::app::{App, Effect, Event, QuestionId};
use crate::clock;
use crate::fleet::{Feed, Fleet, RequestClient, Updates};
use crate::model::host::{HostId, HostSpec};
use crate::model::prompt::PromptReply;
use crate::model::time::Time;
use crate::model::update::Update;
use crate::query::Query;
use crate::view::{Depth, Theme};

mod answers;
mod asker;
mod basic_colours;
mod capability;
mod pacer;
mod signals;
mod terminal;
mod writer;

pub use asker::{Asked, ConsoleAsker, questions};
pub use capability::TerminalCapability;
pub use pacer::FramePacer;

use answers::{Part, PendingResponses};
use signals::{Signal, Signals};
use terminal::{Console, Screen};

/// Batches are taken in for so long before input is looked at again: half a frame, so that no key
/// waits longer.
const DRAIN: Duration = Duration::from_millis(8);
/// A turn longer than this is written to the debug log with what caused it.
const LONG_TURN: Duration = Duration::from_millis(100);
/// Longer copies are cut: terminals drop or choke on more.
const MAX_COPY_BYTES: usize = 100_000;

/// How the console looks at the start.
#[derive(Debug, Clone)]
pub struct Options {
    /// What the terminal can do.
    pub terminal: TerminalCapability,
    /// Name of the theme; `None`: `none` where `NO_COLOR` is set, else `dark`.
    pub theme: Option<String>,
    /// Folder of the operator's own themes.
    pub themes: Option<PathBuf>,
    /// What the lines of the first pane must be, at the start.
    pub query: Option<Query>,
    /// Times in UTC instead of the local zone.
    pub utc: bool,
}

/// Shows the fleet until the operator leaves or a signal ends it; the terminal is restored on every
/// way out.
///
/// # Errors
/// When the terminal cannot be used, or the theme of the options cannot; nothing was drawn then.
pub async fn run(
    fleet: Fleet,
    updates: Updates,
    hosts: &[HostSpec],
    questions: mpsc::Receiver<Asked>,
    options: Options,
) -> io::Result<()> {
    let zone = if options.utc {
        TimeZone::UTC
    } else {
        TimeZone::system()
    };
    let appearance = Appearance::of(&options)?;
    let mut signals = Signals::listen()?;
    let app = App::new(hosts, zone).with_query(options.query);
    let console = Console::enter(options.terminal)?;
    let mut turn = Loop::new(console, app, appearance, questions, clock::now);
    turn.hosts = fleet.requests();
    turn.reconnect = Box::new(|host| fleet.reconnect(host));
    let ended = turn.run(EventStream::new, updates, &mut signals).await;
    drop(turn);
    fleet.stop().await;
    ended
}

/// The theme, and what is needed to load another.
struct Appearance {
    theme: Theme,
    themes: Option<PathBuf>,
    depth: Depth,
}

impl Appearance {
    /// What the options and the environment say.
    fn of(options: &Options) -> io::Result<Self> {
        let depth = options.terminal.depth;
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let name = start_theme(options, no_color);
        let themes = options.themes.clone();
        let theme = Theme::load(name, themes.as_deref(), depth).map_err(io::Error::other)?;
        Ok(Self {
            theme,
            themes,
            depth,
        })
    }
}

/// The loop and what it owns.
struct Loop<'a, S, C> {
    screen: S,
    app: App,
    appearance: Appearance,
    pacer: FramePacer,
    questions: mpsc::Receiver<Asked>,
    asked: HashMap<QuestionId, oneshot::Sender<PromptReply>>,
    next_question: u64,
    hosts: RequestClient,
    /// Dials a host now.
    reconnect: Box<dyn Fn(HostId) + 'a>,
    answers: PendingResponses,
    clock: C,
    /// Whether the feed may have more.
    feeding: bool,
    full_redraw: bool,
    suspend: bool,
    quit: bool,
}

/// What woke the loop.
enum Wakeup {
    Signal(Signal),
    Input(Option<io::Result<TermEvent>>),
    Asked(Option<Asked>),
    Draw,
    Written,
    Batch(Vec<Update>),
    /// The feed has ended.
    Ended,
    Answer(Part),
    Spare,
}

impl<S: Screen, C: Fn() -> Time> Loop<'_, S, C> {
    fn new(
        screen: S,
        app: App,
        appearance: Appearance,
        questions: mpsc::Receiver<Asked>,
        clock: C,
    ) -> Self {
        Self {
            screen,
            app,
            appearance,
            pacer: FramePacer::default(),
            questions,
            asked: HashMap::new(),
            next_question: 0,
            hosts: RequestClient::default(),
            reconnect: Box::new(|_| {}),
            answers: PendingResponses::default(),
            clock,
            feeding: true,
            full_redraw: false,
            suspend: false,
            quit: false,
        }
    }

    /// Turns until the operator leaves. `open_input` makes a new source of input after each
    /// suspension: a source that lives on would take the keys that are meant for the shell.
    async fn run<I>(
        &mut self,
        open_input: impl Fn() -> I,
        mut feed: impl Feed,
        signals: &mut Signals,
    ) -> io::Result<()>
    where
        I: Stream<Item = io::Result<TermEvent>> + Unpin,
    {
        while !self.quit {
            let mut input = open_input();
            self.resize()?;
            while !self.quit && !self.suspend {
                self.turn(&mut input, &mut feed, signals).await?;
            }
            drop(input);
            if std::mem::take(&mut self.suspend) && !self.screen.suspend()? {
                self.handle(Event::Notice("there is no shell to go back to".into()));
            }
        }
        Ok(())
    }

    /// Waits for something to happen, and does what follows.
    async fn turn<I>(
        &mut self,
        input: &mut I,
        feed: &mut impl Feed,
        signals: &mut Signals,
    ) -> io::Result<()>
    where
        I: Stream<Item = io::Result<TermEvent>> + Unpin,
    {
        let wakeup = self.wait(input, feed, signals).await;
        let began = Instant::now();
        match wakeup {
            Wakeup::Signal(Signal::End) | Wakeup::Input(None) => self.quit = true,
            Wakeup::Signal(Signal::Suspend) => self.suspend = true,
            Wakeup::Input(Some(event)) => self.on_input(event?)?,
            Wakeup::Asked(Some(asked)) => self.on_asked(asked),
            Wakeup::Asked(None) => self.questions.close(),
            Wakeup::Draw => self.draw()?,
            Wakeup::Written => self.pacer.took(self.screen.took()),
            Wakeup::Batch(batch) => self.on_batches(batch, input, feed).await?,
            Wakeup::Ended => {
                self.feeding = false;
                self.on_data(Event::Ended);
            }
            Wakeup::Answer((id, Some(replies))) => self.on_data(Event::Replies(id, replies)),
            Wakeup::Answer((id, None)) => self.on_data(Event::Answered(id)),
            Wakeup::Spare => self.on_data(Event::Tick),
        }
        self.withdraw();
        self.schedule_frame();
        if began.elapsed() > LONG_TURN {
            tracing::debug!(
                elapsed_ms = began.elapsed().as_millis(),
                "a turn of the console took long"
            );
        }
        Ok(())
    }

    /// The only place that waits.
    async fn wait<I>(
        &mut self,
        input: &mut I,
        feed: &mut impl Feed,
        signals: &mut Signals,
    ) -> Wakeup
    where
        I: Stream<Item = io::Result<TermEvent>> + Unpin,
    {
        let ready = self.screen.is_ready();
        let due = self.pacer.due().filter(|_| ready);
        tokio::select! {
            biased;
            signal = signals.next() => Wakeup::Signal(signal),
            event = input.next() => Wakeup::Input(event),
            asked = self.questions.recv(), if self.app.takes_questions() && !self.questions.is_closed() => Wakeup::Asked(asked),
            () = self.screen.written(), if !ready => Wakeup::Written,
            () = sleep_until(due), if due.is_some() => Wakeup::Draw,
            part = self.answers.next() => Wakeup::Answer(part),
            batch = feed.next(), if self.feeding => batch.map_or(Wakeup::Ended, Wakeup::Batch),
            // Yields first: a loop that is always ready would never let the runtime look at its
            // timers and signals.
            () = tokio::task::yield_now(), if self.app.has_work() => Wakeup::Spare,
        }
    }

    fn on_input(&mut self, event: TermEvent) -> io::Result<()> {
        match event {
            TermEvent::Key(key) if key.kind != KeyEventKind::Release => {
                self.handle(Event::Key(key));
            }
            TermEvent::Paste(text) => self.handle(Event::Paste(text)),
            TermEvent::Resize(..) => self.resize()?,
            _ => return Ok(()),
        }
        self.pacer.input(Instant::now());
        Ok(())
    }

    /// Takes in this batch and more that are there already, until input comes or the time is up.
    async fn on_batches<I>(
        &mut self,
        first: Vec<Update>,
        input: &mut I,
        feed: &mut impl Feed,
    ) -> io::Result<()>
    where
        I: Stream<Item = io::Result<TermEvent>> + Unpin,
    {
        let began = Instant::now();
        let mut next = Some(first);
        while let Some(batch) = next.take() {
            self.on_data(Event::Batch(batch));
            let pressed = tokio::select! {
                biased;
                event = input.next() => Some(event),
                () = std::future::ready(()) => None,
            };
            match pressed {
                Some(Some(event)) => return self.on_input(event?),
                Some(None) => self.quit = true,
                None if began.elapsed() < DRAIN => next = feed.try_next(),
                None => {}
            }
        }
        Ok(())
    }

    fn on_asked(&mut self, (question, answer): Asked) {
        let id = QuestionId(self.next_question);
        self.next_question += 1;
        self.asked.insert(id, answer);
        self.on_data(Event::Ask(id, question));
    }

    /// Takes away questions that nobody waits for any more.
    fn withdraw(&mut self) {
        let gone: Vec<_> = self
            .asked
            .iter()
            .filter(|(_, answer)| answer.is_closed())
            .map(|(id, _)| *id)
            .collect();
        for id in gone {
            self.asked.remove(&id);
            self.on_data(Event::Withdrawn(id));
        }
    }

    fn draw(&mut self) -> io::Result<()> {
        self.handle(Event::Tick);
        self.pacer.drawn(Instant::now());
        let full_redraw = std::mem::take(&mut self.full_redraw);
        self.screen
            .draw(&self.app, &self.appearance.theme, full_redraw)
    }

    /// Schedules a frame for when the screen changes without an event.
    fn schedule_frame(&mut self) {
        if let Some(at) = self.app.wakes_at() {
            let wait = at.0.saturating_sub((self.clock)().0);
            self.pacer
                .at(Instant::now() + Duration::from_nanos(u64::try_from(wait).unwrap_or(0)));
        }
    }

    fn resize(&mut self) -> io::Result<()> {
        let size = self.screen.size()?;
        self.full_redraw = true;
        self.handle(Event::Resize(size.width, size.height));
        self.pacer.input(Instant::now());
        Ok(())
    }

    /// Takes in what changes the screen without a key.
    fn on_data(&mut self, event: Event) {
        self.handle(event);
        self.pacer.data(Instant::now());
    }

    fn handle(&mut self, event: Event) {
        let now = (self.clock)();
        for effect in self.app.update(event, now) {
            if let Some(notice) = self.execute(effect) {
                self.app.update(Event::Notice(notice), now);
            }
        }
    }

    /// Does what is to be done outside; what the operator should know of it is the result.
    fn execute(&mut self, effect: Effect) -> Option<String> {
        match effect {
            Effect::Quit => self.quit = true,
            Effect::Suspend => self.suspend = true,
            Effect::Redraw => self.full_redraw = true,
            Effect::Copy(text) => return Some(self.copy(&text)),
            Effect::Reconnect(host) => {
                (self.reconnect)(host);
                return Some("dialling again".into());
            }
            Effect::Answer(id, answer) => {
                if let Some(waiting) = self.asked.remove(&id) {
                    // Whoever asked may be gone; then nobody wants the answer.
                    let _ = waiting.send(answer);
                }
            }
            Effect::Ask(id, host, what) => self
                .answers
                .add(id, self.hosts.ask(host, (*what.0).clone())),
            Effect::CancelAsk(id) => self.answers.cancel(id),
            Effect::Theme(name) => return Some(self.use_theme(&name)),
        }
        None
    }

    fn use_theme(&mut self, name: &str) -> String {
        let Appearance { themes, depth, .. } = &self.appearance;
        match Theme::load(name, themes.as_deref(), *depth) {
            Ok(theme) => {
                self.appearance.theme = theme;
                self.full_redraw = true;
                format!("theme {name}")
            }
            Err(error) => error.to_string(),
        }
    }

    fn copy(&mut self, text: &str) -> String {
        let (safe, cut) = copyable(text);
        if let Err(error) = self.screen.copy(&safe) {
            return format!("not copied: {error}");
        }
        let bytes = safe.len();
        if cut {
            format!("copied the first {bytes} bytes")
        } else {
            format!("copied {bytes} bytes")
        }
    }
}

/// What may go into a clipboard, from where it may be pasted into a shell: no control characters
/// but tabs and line ends within, no line end at the end. True where it was cut.
fn copyable(text: &str) -> (String, bool) {
    let trimmed = text.trim_end_matches(['\n', '\r']);
    let mut safe = String::with_capacity(trimmed.len().min(MAX_COPY_BYTES));
    for c in trimmed.chars() {
        let c = if c.is_control() && c != '\t' && c != '\n' {
            '\u{FFFD}'
        } else {
            c
        };
        if safe.len() + c.len_utf8() > MAX_COPY_BYTES {
            return (safe, true);
        }
        safe.push(c);
    }
    (safe, false)
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

fn start_theme(options: &Options, no_color: bool) -> &str {
    match &options.theme {
        Some(name) => name,
        None if no_color => "none",
        None => "dark",
    }
}

#[cfg(test)]
mod tests;
