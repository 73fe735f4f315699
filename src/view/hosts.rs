//! The host list beside the log: a row for each host with its state and its most telling numbers.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::metrics::{Scale, graph, gravity};
use super::paint::{Row, Shown, count, number, percent};
use super::panel::bordered;
use super::theme::{Role, Theme};
use crate::app::App;
use crate::model::state::{HostStatus, LinkState};
use crate::model::text::SafeText;
use crate::model::time::Time;
use crate::scrollback::HostRow;

/// Which numbers a list of a width has room for, in cells.
struct HostColumns {
    name: u16,
    spark: u16,
    memory: u16,
    load: u16,
    rate: u16,
}

impl HostColumns {
    fn of(width: u16) -> Self {
        let (spark, memory, load) = match width {
            44.. => (8, 5, 6),
            36.. => (8, 5, 0),
            26.. => (5, 0, 0),
            _ => (0, 0, 0),
        };
        let rate = if width >= 20 { 5 } else { 0 };
        let cpu = if spark > 0 { spark + 5 } else { 0 };
        // Two cells for the state, one for the border, one before the first number and one after
        // the last.
        let name = width.saturating_sub(2 + 1 + 2 + cpu + memory + load + rate);
        Self {
            name,
            spark,
            memory,
            load,
            rate,
        }
    }

    fn numbers(&self) -> u16 {
        let cpu = if self.spark > 0 { self.spark + 5 } else { 0 };
        cpu + self.memory + self.load + self.rate
    }
}

pub(super) fn draw(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let inner = bordered(theme, area, buffer);
    let columns = HostColumns::of(area.width);
    draw_header(app, theme, &columns, inner, buffer);
    let list = Rect {
        y: inner.y + 1,
        height: inner.height.saturating_sub(1),
        ..inner
    };
    let hosts = app.scrollback().hosts();
    let first = first_row(app.hosts_pane().selected(), hosts.len(), list.height.into());
    for (y, (index, host)) in (0..list.height).zip(hosts.iter().enumerate().skip(first)) {
        draw_host(app, theme, &columns, index, host, Row::new(buffer, list, y));
    }
}

fn draw_header(app: &App, theme: &Theme, columns: &HostColumns, area: Rect, buffer: &mut Buffer) {
    let style = theme.get(if app.hosts_pane().focused {
        Role::PaneHeaderFocused
    } else {
        Role::PaneHeader
    });
    let mut row = Row::new(buffer, area, 0).fill(style);
    row.column(" hosts", columns.name + 3, style);
    if columns.spark > 0 {
        row.right("cpu", columns.spark + 5, style);
    }
    for (cells, label) in [
        (columns.memory, "mem"),
        (columns.load, "load"),
        (columns.rate, "l/s"),
    ] {
        if cells > 0 {
            row.right(label, cells, style);
        }
    }
}

/// The first host on the screen, so that the selected one is on it.
fn first_row(selected: usize, count: usize, height: usize) -> usize {
    selected
        .saturating_sub(height.saturating_sub(1) / 2)
        .min(count.saturating_sub(height))
}

fn draw_host(
    app: &App,
    theme: &Theme,
    columns: &HostColumns,
    index: usize,
    host: &HostRow,
    row: Row<'_>,
) {
    let selected = index == app.hosts_pane().selected() && app.hosts_pane().focused;
    let under = if selected {
        theme.get(Role::HostSelected)
    } else {
        Style::new()
    };
    let mut row = row.fill(under);
    let (glyph, role) = glyph(&host.status);
    row.put(glyph, theme.get(role)).blank(1);
    let listed = app
        .pane(app.focused_pane())
        .and_then(|pane| pane.lens_hosts())
        .is_none_or(|hosts| hosts.iter().any(|id| id.index() == index));
    let name_style = if listed {
        theme.host(index)
    } else {
        theme.get(Role::Faint)
    };
    row.column(SafeText::new(host.name.as_str()), columns.name, name_style)
        .blank(1);
    if host.status.state.is_up()
        || (host.status.state == LinkState::Connecting && host.sample.is_some())
    {
        draw_numbers(app, theme, columns, host, &mut row);
    } else {
        row.column(
            state_words(host, app.now()),
            columns.numbers(),
            theme.get(role),
        );
    }
}

fn draw_numbers(
    app: &App,
    theme: &Theme,
    columns: &HostColumns,
    host: &HostRow,
    row: &mut Row<'_>,
) {
    if columns.spark > 0 {
        let at = row.area(columns.spark, 1);
        row.draw_in(|buffer| graph(theme, &host.cpu, Scale::Share, at, buffer))
            .blank(columns.spark);
        share(theme, host.cpu.latest(), 5, row);
    }
    if columns.memory > 0 {
        share(theme, host.memory.latest(), columns.memory, row);
    }
    if columns.load > 0 {
        let load = host.load.latest().map_or_else(
            || Shown::from("–"),
            |load| number(load, if load < 100.0 { 2 } else { 0 }),
        );
        row.right(load, columns.load, theme.get(Role::Dim));
    }
    if columns.rate > 0 {
        let rate = host.rate(app.now());
        let (words, role) = match host.status.behind_s {
            Some(seconds) => (
                Shown::own(&format!("-{}", short(seconds))),
                Role::HostDegraded,
            ),
            None => (
                count(rate),
                if rate > 0.0 {
                    Role::LineNone
                } else {
                    Role::Faint
                },
            ),
        };
        row.right(words, columns.rate, theme.get(role));
    }
}

fn share(theme: &Theme, value: Option<f64>, cells: u16, row: &mut Row<'_>) {
    let text = value.map_or_else(|| Shown::from("–"), percent);
    row.right(text, cells, theme.get(gravity(value, Role::LineNone)));
}

/// A time in at most three cells.
fn short(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..5940 => format!("{}m", seconds / 60),
        _ => format!("{}h", (seconds / 3600).min(99)),
    }
}

/// The state as a sign that can be told apart without colour.
pub(super) fn glyph(status: &HostStatus) -> (&'static str, Role) {
    match status.state {
        LinkState::Ok if status.behind_s.is_some() => ("◔", Role::HostDegraded),
        LinkState::Ok => ("●", Role::HostOk),
        LinkState::Degraded => ("◐", Role::HostDegraded),
        LinkState::Connecting => ("◌", Role::HostConnecting),
        LinkState::Throttled => ("◍", Role::HostDegraded),
        LinkState::Unreachable | LinkState::Timeout => ("○", Role::HostDown),
        LinkState::Denied | LinkState::HostKeyChanged => ("✕", Role::HostDown),
    }
}

/// The state in words, with the time of the next try.
fn state_words(host: &HostRow, now: Time) -> Shown<'static> {
    let state = host.status.state;
    match (state, host.retry_in_s(now)) {
        (_, Some(0)) => Shown::own(&format!("{state} ↻ now")),
        // What it waits for is told where there is room.
        (LinkState::Connecting, None) if host.status.reason.is_some() => Shown::from("logged in …"),
        (LinkState::Connecting, None) => Shown::from("connecting …"),
        (_, Some(seconds)) => Shown::own(&format!("{state} ↻ {seconds} s")),
        _ => Shown::from(state.as_str()),
    }
}
