//! The host list: a row for each host with its state and its most important numbers.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::metrics::{Gravity, Scale, graph};
use super::paint::{Row, Shown, count, latest, percent};
use super::panel::{bordered, header_role};
use super::theme::{Role, Theme};
use crate::app::{App, LogPane};
use crate::model::state::{HostStatus, LinkState};
use crate::model::text::SafeText;
use crate::model::time::Time;
use crate::scrollback::HostRow;

/// Which numbers a list of a width has room for, in cells; 0 is one that is not shown.
struct HostColumns {
    name: u16,
    spark: u16,
    cpu: u16,
    memory: u16,
    load: u16,
    rate: u16,
}

impl HostColumns {
    fn of(width: u16) -> Self {
        let (spark, cpu, memory, load) = match width {
            44.. => (8, 5, 5, 6),
            36.. => (8, 5, 5, 0),
            26.. => (5, 5, 0, 0),
            _ => (0, 0, 0, 0),
        };
        let mut columns = Self {
            name: 0,
            spark,
            cpu,
            memory,
            load,
            rate: if width >= 20 { 5 } else { 0 },
        };
        // Two cells for the state, one for the border, one before the first number and one after
        // the last.
        columns.name = width.saturating_sub(2 + 1 + 2 + columns.numbers());
        columns
    }

    fn numbers(&self) -> u16 {
        self.spark + self.cpu + self.memory + self.load + self.rate
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
    let style = theme.get(header_role(app.hosts_pane().focused));
    Row::new(buffer, area, 0)
        .fill(style)
        .column(" hosts", columns.name + 3, style)
        .right("cpu", columns.spark + columns.cpu, style)
        .right("mem", columns.memory, style)
        .right("load", columns.load, style)
        .right("l/s", columns.rate, style);
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
    let (glyph, role) = glyph(host.lasting_status());
    row.put(glyph, theme.get(role)).blank(1);
    let name_style = if is_listed(app, index) {
        theme.host(index)
    } else {
        theme.get(Role::Faint)
    };
    row.column(SafeText::new(host.name.as_str()), columns.name, name_style)
        .blank(1);
    let state = host.lasting_status().state;
    if state.is_up() || (state == LinkState::Connecting && host.sample.is_some()) {
        draw_numbers(app, theme, columns, host, &mut row);
    } else {
        row.column(
            state_words(host, app.now()),
            columns.numbers(),
            theme.get(role),
        );
    }
}

/// Whether the pane that keys mean shows lines of a host.
fn is_listed(app: &App, index: usize) -> bool {
    app.pane(app.focused_pane())
        .and_then(LogPane::lens_hosts)
        .is_none_or(|hosts| hosts.iter().any(|id| id.index() == index))
}

fn draw_numbers(
    app: &App,
    theme: &Theme,
    columns: &HostColumns,
    host: &HostRow,
    row: &mut Row<'_>,
) {
    let at = row.area(columns.spark, 1);
    row.draw_in(|buffer| graph(theme, &host.cpu, Scale::Share, at, buffer))
        .blank(columns.spark);
    for (share, cells) in [(&host.cpu, columns.cpu), (&host.memory, columns.memory)] {
        let role = Gravity::of(share.latest()).text();
        row.right(latest(share, percent), cells, theme.get(role));
    }
    let load = latest(&host.load, |load| {
        let decimals = if load < 100.0 { 2 } else { 0 };
        format!("{load:.decimals$}").into()
    });
    let (rate, role) = rate(host, app.now());
    row.right(load, columns.load, theme.get(Role::Dim))
        .right(rate, columns.rate, theme.get(role));
}

/// Lines per second; of a host that is behind, how far.
fn rate(host: &HostRow, now: Time) -> (Shown<'static>, Role) {
    let rate = host.rate(now);
    match host.status.behind_s {
        Some(seconds) => (format!("-{}", short(seconds)).into(), Role::HostDegraded),
        None if rate > 0.0 => (count(rate), Role::LineNone),
        None => (count(rate), Role::Faint),
    }
}

/// A time in at most three cells.
fn short(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..5940 => format!("{}m", seconds / 60),
        _ => format!("{}h", (seconds / 3600).min(99)),
    }
}

/// The state as a sign that does not need its colour.
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
    let state = host.lasting_status().state;
    match (state, host.retry_in_s(now)) {
        (_, None) if host.is_tried_again() => format!("{state} ↻ now").into(),
        (_, Some(0)) => format!("{state} ↻ now").into(),
        // The popup of the host has room for what it waits for.
        (LinkState::Connecting, None) if host.status.reason.is_some() => "logged in …".into(),
        (LinkState::Connecting, None) => "connecting …".into(),
        (_, Some(seconds)) => format!("{state} ↻ {seconds} s").into(),
        _ => state.as_str().into(),
    }
}
