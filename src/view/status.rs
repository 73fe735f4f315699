//! The status line: how complete the picture is. Below it the prompt or, without one, the keys that
//! help here.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::hints::{
    HELP_HINTS, HOST_HINTS, HOSTS_HINTS, Hint, LOG_HINTS, PANES_HINTS, RECORD_HINTS, SEARCH_HINTS,
};
use super::paint::{Row, Shown, count};
use super::theme::{Role, Theme};
use super::time;
use crate::app::actions::ActionInfo;
use crate::app::keys::spell;
use crate::app::{App, Pane, Prompt, PromptKind};
use crate::layout::Areas;
use crate::model::state::LinkState;
use crate::model::text::SafeText;
use crate::model::update::Ledger;
use crate::scrollback::HostRow;

/// Most completions that are listed at once.
const MAX_CANDIDATES: usize = 8;

/// What the status line says of one thing.
type Fact = (Shown<'static>, Role);

/// Between two facts.
const SEPARATOR: &str = " · ";

/// Narrower screens have room for one sign only: whether all hosts are up.
const SIGN_BELOW_WIDTH: u16 = 12;

pub(super) fn draw(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let style = theme.get(Role::Status);
    let mut row = Row::new(buffer, area, 0).fill(style);
    if area.width < SIGN_BELOW_WIDTH {
        let (up, total) = count_up(app);
        let (sign, role) = if up == total {
            ("●", Role::StatusGood)
        } else {
            ("○", Role::StatusBad)
        };
        row.put(sign, theme.get(role));
        return;
    }
    draw_right(app, theme, &mut row);
    row.put(" ", style);
    let states = states(app);
    let head = head(app, row.left().into(), &states);
    let mut line = FactLine {
        theme,
        row,
        before: "",
    };
    head.map(|head| line.put(head));
    // Where one does not fit, those that are better are left out, too.
    let _all_fit = states.into_iter().all(|state| line.put(state));
    // Of the rest, a later, shorter fact may still fit.
    for fact in facts(app) {
        line.put(fact);
    }
}

/// Facts with separators between them.
struct FactLine<'a> {
    theme: &'a Theme,
    row: Row<'a>,
    before: &'static str,
}

impl FactLine<'_> {
    /// Writes a fact where all of it fits: half a number is worse than none.
    fn put(&mut self, (words, role): Fact) -> bool {
        let width = self.before.chars().count() + words.width();
        let fits = width <= usize::from(self.row.left());
        if fits {
            self.row
                .put(self.before, self.theme.get(Role::StatusDim))
                .put(words, self.theme.get(role));
            self.before = SEPARATOR;
        }
        fits
    }
}

/// How many hosts are up: in few words where more states fit next to these, and not at all where
/// the worst state would not fit otherwise, which is the last to go.
fn head(app: &App, width: usize, states: &[Fact]) -> Option<Fact> {
    let (up, total) = count_up(app);
    let role = if up == total {
        Role::StatusGood
    } else {
        Role::StatusWarn
    };
    let short = format!("{up}/{total}");
    let beside = |words: &str| {
        let ends = states.iter().scan(words.len(), |end, (state, _)| {
            *end += SEPARATOR.chars().count() + state.width();
            Some(*end)
        });
        ends.take_while(|end| *end <= width).count()
    };
    let worst_fits_alone = states
        .first()
        .is_some_and(|(worst, _)| worst.width() <= width);
    if beside(&short) == 0 && worst_fits_alone {
        return None;
    }
    let long = format!("{short} hosts");
    let has_room = long.len() <= width && beside(&long) == beside(&short);
    Some(((if has_room { long } else { short }).into(), role))
}

/// How many hosts are up, and how many there are.
fn count_up(app: &App) -> (usize, usize) {
    let hosts = app.scrollback().hosts();
    let up = hosts.iter().filter(|host| host.status.state.is_up());
    (up.count(), hosts.len())
}

/// How many hosts are in each state but well, the worst first.
fn states(app: &App) -> Vec<Fact> {
    let count = |state| {
        let hosts = app.scrollback().hosts().iter();
        hosts
            .filter(|host| host.lasting_status().state == state)
            .count()
    };
    let counted = LinkState::WORST_FIRST.map(|state| (state, count(state)));
    let present = counted.into_iter().filter(|(_, number)| *number > 0);
    present
        .map(|(state, number)| {
            let is_bad = !state.is_up() && state != LinkState::Connecting;
            let role = if is_bad {
                Role::StatusBad
            } else {
                Role::StatusWarn
            };
            (format!("{number} {state}").into(), role)
        })
        .collect()
}

/// At the right: what wants an answer, what was just said, what is being typed.
fn draw_right(app: &App, theme: &Theme, row: &mut Row<'_>) {
    let notice = theme.get(Role::Notice);
    if let Some((typed, _)) = app.typed() {
        row.at_end(format!(" {typed} "), notice);
    } else if let Some(text) = app.notice() {
        row.at_end(format!(" {text} "), notice);
    }
    if let Some(words) = app.searching_hosts() {
        row.at_end(format!(" {words} "), notice);
    }
    if app.is_seeking() {
        row.at_end(" searching … ", notice);
    }
    let waiting = app.questions().len();
    if waiting > 0 && app.questions().open().is_none() {
        let words = if waiting == 1 {
            " 1 question: ! answers ".to_owned()
        } else {
            format!(" {waiting} questions: ! answers ")
        };
        row.at_end(words, theme.get(Role::StatusBad));
    }
}

/// What else there is to say of the whole.
fn facts(app: &App) -> Vec<Fact> {
    let scrollback = app.scrollback();
    let Ledger { gaps, late, .. } = *scrollback.ledger();
    let rate = count(scrollback.rate(app.now()));
    let gap_words = format!("{gaps} {}", if gaps == 1 { "gap" } else { "gaps" });
    let gap_role = if gaps == 0 {
        Role::StatusDim
    } else {
        Role::StatusBad
    };
    let forgotten = scrollback.ring().forgotten();
    let facts = [
        behind(scrollback.hosts()),
        complete_to(app),
        Some((format!("{rate} lines/s").into(), Role::Status)),
        Some((gap_words.into(), gap_role)),
        (late > 0).then(|| (format!("{late} late").into(), Role::StatusDim)),
        (forgotten > 0).then(|| {
            let words = format!("{} older rows dropped from memory", count(forgotten as f64));
            (words.into(), Role::StatusDim)
        }),
    ];
    facts.into_iter().flatten().collect()
}

/// How many hosts send more slowly than they write, and how far the last of them is.
fn behind(hosts: &[HostRow]) -> Option<Fact> {
    let behind = hosts.iter().filter_map(|host| host.status.behind_s);
    let most = behind.clone().max()?;
    let words = format!("{} behind, by up to {most} s", behind.count());
    Some((words.into(), Role::StatusWarn))
}

fn complete_to(app: &App) -> Option<Fact> {
    let options = app.view_options();
    let complete = app.scrollback().ledger().complete_to?;
    let at = time::short(complete, options.date(app.now()), &options.zone());
    Some((format!("complete to {at}").into(), Role::Status))
}

/// The last row: the prompt, or the hints where there is a row for them. Returns where the
/// cursor goes.
pub(super) fn draw_bottom(
    app: &App,
    theme: &Theme,
    areas: Areas,
    buffer: &mut Buffer,
) -> Option<Position> {
    if let Some(prompt) = app.prompt() {
        if let Some(error) = &prompt.error {
            let style = theme.get(Role::PromptError);
            let above = Rect {
                y: areas.bottom.y.saturating_sub(1),
                ..areas.bottom
            };
            Row::new(buffer, above, 0)
                .fill(style)
                .put(" ", style)
                .put(SafeText::new(error), style);
        }
        draw_candidates(theme, prompt, areas, buffer);
        return draw_prompt(theme, prompt, areas.bottom, buffer);
    }
    if areas.bottom != areas.status {
        draw_hints(app, theme, Row::new(buffer, areas.bottom, 0));
    }
    None
}

fn draw_prompt(
    theme: &Theme,
    prompt: &Prompt,
    area: Rect,
    buffer: &mut Buffer,
) -> Option<Position> {
    let (sign, help) = sign_and_help(prompt.kind);
    let mut row = Row::new(buffer, area, 0).fill(theme.get(Role::Text));
    if prompt.editor.text().is_empty() {
        row.at_end(help, theme.get(Role::HintText));
    }
    row.put(sign, theme.get(Role::PromptSign));
    let typed = prompt.editor.text();
    let before: String = typed.chars().take(prompt.editor.cursor()).collect();
    let width = u16::try_from(SafeText::new(&before).width()).unwrap_or(u16::MAX);
    let hidden = width.saturating_sub(row.left().saturating_sub(1));
    let cursor = Position::new(row.x().saturating_add(width - hidden), row.y());
    row.skip(hidden);
    row.put(SafeText::new(typed), theme.get(Role::PromptText));
    (!area.is_empty()).then_some(cursor)
}

fn sign_and_help(kind: PromptKind) -> (&'static str, &'static str) {
    match kind {
        PromptKind::Search => (
            "/",
            "words, \"phrase\", /regex/, field:value, level>=warn, since:15m, -not, OR",
        ),
        PromptKind::Filter => (
            "&",
            "show only: words, \"phrase\", /regex/, field:value, level>=warn, since:15m, -not, OR",
        ),
        PromptKind::Command => (":", "Tab completes"),
    }
}

/// The completions above the prompt, the chosen one among them.
fn draw_candidates(theme: &Theme, prompt: &Prompt, areas: Areas, buffer: &mut Buffer) {
    let Some(completion) = prompt.completion() else {
        return;
    };
    let candidates = &completion.candidates;
    let most = MAX_CANDIDATES.min(areas.bottom.y.into());
    let rows = candidates.len().min(most);
    let first = completion.chosen.saturating_sub(rows.saturating_sub(1));
    let height = u16::try_from(rows).unwrap_or(0);
    let area = Rect {
        y: areas.bottom.y - height,
        height,
        ..areas.bottom
    };
    for (y, (index, candidate)) in (0..height).zip(candidates.iter().enumerate().skip(first)) {
        let (role, doc_role) = if index == completion.chosen {
            (Role::PopupChosen, Role::PopupChosen)
        } else {
            (Role::Popup, Role::PopupDim)
        };
        let style = theme.get(role);
        Row::new(buffer, area, y)
            .fill(style)
            .put(" ", style)
            .column(SafeText::new(&candidate.text), 22, style)
            .put(candidate.doc, theme.get(doc_role));
    }
}

/// Keys that help here; in the middle of a sequence, how it goes on.
fn draw_hints(app: &App, theme: &Theme, mut row: Row<'_>) {
    let (key, text) = (theme.get(Role::HintKey), theme.get(Role::HintText));
    row.blank(1);
    if let Some((_, continuations)) = app
        .typed()
        .filter(|(_, continuations)| !continuations.is_empty())
    {
        for (keys, name) in continuations {
            row.put(keys, key).put(format!(" {name}  "), text);
        }
        return;
    }
    for (action, words) in hints(app) {
        let keys = ActionInfo::of(*action)
            .and_then(|info| info.sequences().next())
            .map(|keys| spell(&keys))
            .unwrap_or_default();
        let hint = Shown::from(keys);
        if hint.width() + words.len() + 3 > usize::from(row.left()) {
            break;
        }
        row.put(hint, key).put(format!(" {words}  "), text);
    }
}

fn hints(app: &App) -> &'static [Hint] {
    match app.active_pane() {
        Some(Pane::Host(_)) => HOST_HINTS,
        Some(Pane::Record(_)) => RECORD_HINTS,
        Some(Pane::Help(_)) => HELP_HINTS,
        Some(Pane::Hosts(_)) => HOSTS_HINTS,
        Some(Pane::Log(_, pane)) if pane.search.is_some() => SEARCH_HINTS,
        Some(Pane::Log(..) | Pane::Metrics(_)) | None if app.pane_count().0 > 1 => PANES_HINTS,
        Some(Pane::Log(..) | Pane::Metrics(_)) | None => LOG_HINTS,
    }
}
