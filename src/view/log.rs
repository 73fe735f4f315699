//! Log panes: a header of one row, then the lines.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::paint::{Row, Shown};
use super::panel::header_role;
use super::theme::{Role, Theme};
use super::time;
use crate::app::{App, LogPane, PaneId};
use crate::scrollback::{Side, StreamState};
use notice::missing;

mod lines;
mod notice;
mod spans;

use lines::ShownLines;

/// A pane of fewer rows has none for lines without an end.
const MIN_ROWS: u16 = 6;

/// A log pane, with what it takes to draw it.
#[derive(Clone, Copy)]
pub(super) struct LogView<'a> {
    /// The whole console.
    pub(super) app: &'a App,
    /// Its colours.
    pub(super) theme: &'a Theme,
    /// Which pane.
    pub(super) id: PaneId,
    /// Its state.
    pub(super) pane: &'a LogPane,
}

/// Draws the pane: a header, the lines, and below them those that have no end yet.
pub(super) fn draw(view: LogView<'_>, area: Rect, buffer: &mut Buffer) {
    draw_header(view, area, buffer);
    let mut body = Rect {
        y: area.y + 1,
        height: area.height.saturating_sub(1),
        ..area
    };
    let unfinished = if body.height < MIN_ROWS {
        Vec::new()
    } else {
        view.pane.unfinished(view.app.scrollback())
    };
    body.height -= u16::try_from(unfinished.len()).unwrap_or(0);
    let is_focused = view.app.focused_pane() == view.id;
    let lines = ShownLines::new(view.app, view.theme, view.pane, body, is_focused);
    lines.draw(body, buffer);
    for (y, line) in (body.bottom()..).zip(unfinished) {
        let row = Rect {
            y,
            height: 1,
            ..body
        };
        lines.draw_unfinished(line, row, buffer);
    }
}

fn draw_header(view: LogView<'_>, area: Rect, buffer: &mut Buffer) {
    let LogView {
        app,
        theme,
        id,
        pane,
    } = view;
    let focused = app.focused_pane() == id && !app.hosts_pane().focused;
    let style = theme.get(header_role(focused));
    let mut row = Row::new(buffer, area, 0).fill(style);
    row.put(" ", style);
    let title = Shown::from(title(app, pane).join(" · "));
    let (mut state, held) = state(app, pane);
    let used = state.width() + title.width() + 6;
    let room = usize::from(area.width).saturating_sub(used);
    if let Some(words) = missing(app, pane, room) {
        state = format!("{state} · {words}").into();
    }
    let state_style = if held && !focused {
        theme.get(Role::PanePaused)
    } else {
        style
    };
    row.at_end(" ", style)
        .at_end(state, state_style)
        .at_end(" ", style);
    row.put(title, style);
}

/// What the pane shows: hosts, sources, filter, search.
fn title(app: &App, pane: &LogPane) -> Vec<String> {
    let scrollback = app.scrollback();
    let filter = pane.filter();
    let hosts = filter.hosts.as_ref().map(|hosts| {
        let hosts = hosts.iter().filter_map(|id| scrollback.host(*id));
        names(hosts.map(|row| row.name.as_str()), "hosts")
    });
    let sources = filter.sources.as_ref().map(|sources| {
        let sources = sources.iter().filter_map(|id| scrollback.source(*id));
        names(sources.map(|row| &*row.info.name), "sources")
    });
    let parts = [
        Some(hosts.unwrap_or_else(|| "all hosts".to_owned())),
        sources,
        filter.query.as_ref().map(|query| format!("& {query}")),
        pane.filters_off().then(|| "filters off".to_owned()),
        pane.search.as_ref().map(|search| format!("/ {search}")),
        pane.wrap.then(|| "wrapped".to_owned()),
    ];
    parts.into_iter().flatten().collect()
}

/// Up to three names, or how many there are.
fn names<'a>(names: impl Iterator<Item = &'a str>, what: &str) -> String {
    let mut names: Vec<_> = names.collect();
    names.dedup();
    match names.len() {
        0 => format!("no {what}"),
        1..=3 => names.join(", "),
        count => format!("{count} {what}"),
    }
}

/// Whether new lines are shown as they come; true where they are not.
fn state(app: &App, pane: &LogPane) -> (Shown<'static>, bool) {
    let unseen = pane.unseen();
    let new = |words: String| {
        if unseen == 0 {
            words.into()
        } else {
            format!("{words} · {unseen} new").into()
        }
    };
    if pane.is_frozen() {
        (new("frozen".to_owned()), true)
    } else if !pane.is_following() {
        (new(place(app, pane)), true)
    } else if pane.pending(app.scrollback()) > 0 {
        ("reading back …".into(), false)
    } else if app.has_ended() {
        ("ended".into(), true)
    } else {
        ("following".into(), false)
    }
}

/// Where the operator is, and on which day where that is not today.
fn place(app: &App, pane: &LogPane) -> String {
    let is_whole = pane
        .window()
        .is_none_or(|window| window.is_over(Side::Older));
    let mut place = match () {
        () if pane.is_apart() => "history".to_owned(),
        // A share of what has been read so far would say nothing, and jump with each page.
        () if !is_whole => "paused".to_owned(),
        () => format!("paused {}%", share_above(pane)),
    };
    let day = app.day_of(pane);
    let today = app.view_options().date(app.now());
    if day != today {
        place.push_str(" · ");
        place.push_str(&time::day(day, today));
    }
    if pane.window().is_some_and(|window| {
        window
            .states(Side::Newer)
            .any(|(.., state)| *state == StreamState::Asked)
    }) {
        place.push_str(" · reading …");
    }
    place
}

/// Which share of the lines, in per cent, ends with the cursor: 100 is the newest.
fn share_above(pane: &LogPane) -> usize {
    pane.cursor()
        .map_or(100, |cursor| (cursor + 1) * 100 / pane.len().max(1))
}
