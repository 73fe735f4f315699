//! The host list beside the log, and the metrics of the selected host below it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::paint::{Row, Shown, bar, bytes_per_second, count, number, percent};
use super::theme::{Role, Theme};
use crate::app::App;
use crate::model::{LinkState, SafeText};
use crate::store::{HostRow, Series};

/// Above these shares a percentage is drawn as a warning, and as critical.
const HIGH_PCT: f64 = 70.0;
const CRITICAL_PCT: f64 = 90.0;

/// A series without a natural maximum leaves so much room above its highest point, or a steady one would be a block.
const HEADROOM: f64 = 1.6;

/// Which numbers a list of a width has room for, in cells.
struct Columns {
    name: u16,
    spark: u16,
    memory: u16,
    load: u16,
    rate: u16,
}

impl Columns {
    fn of(width: u16) -> Self {
        let (spark, memory, load) = match width {
            44.. => (8, 5, 6),
            36.. => (8, 5, 0),
            26.. => (5, 0, 0),
            _ => (0, 0, 0),
        };
        let rate = if width >= 20 { 5 } else { 0 };
        let cpu = if spark > 0 { spark + 5 } else { 0 };
        // Two cells for the state, one for the border, one before the first number and one after the last.
        let name = width.saturating_sub(2 + 1 + 2 + cpu + memory + load + rate);
        Self { name, spark, memory, load, rate }
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
    let inner = bordered(app, theme, area, buffer);
    let columns = Columns::of(area.width);
    draw_header(app, theme, &columns, inner, buffer);
    let list = Rect { y: inner.y + 1, height: inner.height.saturating_sub(1), ..inner };
    let hosts = app.store().hosts();
    let first = first_row(app.selected_host(), hosts.len(), list.height.into());
    for (y, (index, host)) in (0..list.height).zip(hosts.iter().enumerate().skip(first)) {
        draw_host(app, theme, &columns, index, host, Row::new(buffer, list, y));
    }
}

/// The list without its border, unless it has the whole width.
fn bordered(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) -> Rect {
    if app.areas(buffer.area).main.width == 0 {
        return area;
    }
    let border = Rect { x: area.right() - 1, width: 1, ..area };
    for y in 0..border.height {
        Row::new(buffer, border, y).put("│", theme.get(Role::PaneBorder));
    }
    Rect { width: area.width - 1, ..area }
}

fn draw_header(app: &App, theme: &Theme, columns: &Columns, area: Rect, buffer: &mut Buffer) {
    let style = theme.get(if app.hosts_focused() { Role::PaneHeaderFocused } else { Role::PaneHeader });
    let mut row = Row::new(buffer, area, 0).fill(style);
    row.column(" hosts", columns.name + 3, style);
    if columns.spark > 0 {
        row.right("cpu", columns.spark + 5, style);
    }
    for (cells, label) in [(columns.memory, "mem"), (columns.load, "load"), (columns.rate, "l/s")] {
        if cells > 0 {
            row.right(label, cells, style);
        }
    }
}

/// The first host on the screen, so that the selected one is on it.
fn first_row(selected: usize, count: usize, height: usize) -> usize {
    selected.saturating_sub(height.saturating_sub(1) / 2).min(count.saturating_sub(height))
}

fn draw_host(app: &App, theme: &Theme, columns: &Columns, index: usize, host: &HostRow, row: Row<'_>) {
    let selected = index == app.selected_host() && app.hosts_focused();
    let under = if selected { theme.get(Role::HostSelected) } else { Style::new() };
    let mut row = row.fill(under);
    let (glyph, role) = glyph(host.status.state);
    row.put(glyph, theme.get(role)).blank(1);
    let listed = app
        .pane(app.focused_pane())
        .and_then(|pane| pane.lens_hosts())
        .is_none_or(|hosts| hosts.iter().any(|id| id.index() == index));
    let name_style = if listed { theme.host(index) } else { theme.get(Role::Faint) };
    row.column(SafeText::new(host.name.as_str()), columns.name, name_style).blank(1);
    if host.status.state.is_up() || (host.status.state == LinkState::Connecting && host.sample.is_some()) {
        draw_numbers(app, theme, columns, host, &mut row);
    } else {
        row.column(state_words(host), columns.numbers(), theme.get(role));
    }
}

fn draw_numbers(app: &App, theme: &Theme, columns: &Columns, host: &HostRow, row: &mut Row<'_>) {
    if columns.spark > 0 {
        sparkline(theme, &host.cpu, columns.spark, Some(100.0), row);
        share(theme, host.cpu.latest(), 5, row);
    }
    if columns.memory > 0 {
        share(theme, host.memory.latest(), columns.memory, row);
    }
    if columns.load > 0 {
        let load =
            host.load.latest().map_or_else(|| Shown::from("–"), |load| number(load, if load < 100.0 { 2 } else { 0 }));
        row.right(load, columns.load, theme.get(Role::Dim));
    }
    if columns.rate > 0 {
        let rate = host.rate(app.now());
        row.right(count(rate), columns.rate, theme.get(if rate > 0.0 { Role::LineNone } else { Role::Faint }));
    }
}

fn share(theme: &Theme, value: Option<f64>, cells: u16, row: &mut Row<'_>) {
    let text = value.map_or_else(|| Shown::from("–"), percent);
    row.right(text, cells, theme.get(gravity(value, Role::LineNone)));
}

fn gravity(value: Option<f64>, normal: Role) -> Role {
    match value {
        Some(value) if value >= CRITICAL_PCT => Role::SparkCritical,
        Some(value) if value >= HIGH_PCT => Role::SparkHigh,
        _ => normal,
    }
}

/// The last points as bars, the newest at the right; full height is `full`, or the highest of them.
fn sparkline(theme: &Theme, series: &Series, cells: u16, full: Option<f64>, row: &mut Row<'_>) {
    let points: Vec<_> = series.last(cells.into()).collect();
    let highest = points.iter().flatten().copied().fold(0.0, f64::max);
    let scale = full.unwrap_or(highest * HEADROOM).max(f64::MIN_POSITIVE);
    row.blank(cells - u16::try_from(points.len()).unwrap_or(cells));
    for point in points {
        let role = if full.is_some() { gravity(point, Role::Spark) } else { Role::Spark };
        row.put(bar(point.map(|value| value / scale)), theme.get(role));
    }
}

/// The state as a sign that can be told apart without colour.
pub(super) fn glyph(state: LinkState) -> (&'static str, Role) {
    match state {
        LinkState::Ok => ("●", Role::HostOk),
        LinkState::Degraded => ("◐", Role::HostDegraded),
        LinkState::Connecting => ("◌", Role::HostConnecting),
        LinkState::Throttled => ("◍", Role::HostDegraded),
        LinkState::Unreachable | LinkState::Timeout => ("○", Role::HostDown),
        LinkState::Denied | LinkState::HostKeyChanged => ("✕", Role::HostDown),
    }
}

/// The state in words, with the time of the next try.
fn state_words(host: &HostRow) -> Shown<'static> {
    let state = host.status.state;
    match (state, host.status.retry_in_s) {
        (LinkState::Connecting, None) => Shown::from("connecting …"),
        (_, Some(seconds)) => Shown::own(&format!("{state} ↻ {seconds} s")),
        _ => Shown::from(state.as_str()),
    }
}

/// Metrics of the selected host as sparklines.
pub(super) fn draw_metrics(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let Some(host) = app.store().hosts().get(app.selected_host()).filter(|_| !area.is_empty()) else { return };
    let area = bordered(app, theme, area, buffer);
    let style = theme.get(Role::PaneHeader);
    let mut heading = Row::new(buffer, area, 0).fill(style);
    heading.put(" ", style).put(SafeText::new(host.name.as_str()), style);
    heading.at_end(" ", style).at_end(facts(host), style);
    let percentages = [("cpu", &host.cpu), ("mem", &host.memory)];
    for (y, (label, series)) in (1..).zip(percentages) {
        let value = series.latest().map_or_else(|| Shown::from("–"), |value| Shown::own(&format!("{value:.1}%")));
        metric(theme, label, series, Some(100.0), value, Row::new(buffer, area, y));
    }
    let load = host.load.latest().map_or_else(|| Shown::from("–"), |value| number(value, 2));
    metric(theme, "load", &host.load, None, load, Row::new(buffer, area, 3));
    for (y, (label, series)) in (4..).zip([("net ↓", &host.rx), ("net ↑", &host.tx), ("disk", &host.io)]) {
        let value = series.latest().map_or_else(|| Shown::from("–"), bytes_per_second);
        metric(theme, label, series, None, value, Row::new(buffer, area, y));
    }
    fullest_disk(theme, host, Row::new(buffer, area, 7));
    pressure(theme, host, Row::new(buffer, area, 8));
}

fn metric(theme: &Theme, label: &'static str, series: &Series, full: Option<f64>, value: Shown<'_>, mut row: Row<'_>) {
    const LABEL: u16 = 7;
    const VALUE: u16 = 10;
    row.blank(1).column(label, LABEL - 1, theme.get(Role::Dim));
    let spark = row.left().saturating_sub(VALUE + 1);
    sparkline(theme, series, spark, full, &mut row);
    row.right(
        value,
        VALUE,
        theme.get(if full.is_some() { gravity(series.latest(), Role::LineNone) } else { Role::LineNone }),
    );
}

fn fullest_disk(theme: &Theme, host: &HostRow, mut row: Row<'_>) {
    let disks = host.sample.iter().flat_map(|sample| &sample.disks);
    let Some(disk) = disks.max_by(|a, b| a.used_pct.total_cmp(&b.used_pct)) else { return };
    row.blank(1).column("full", 6, theme.get(Role::Dim));
    let value = percent(disk.used_pct);
    let mount = row.left().saturating_sub(11);
    row.column(SafeText::new(&disk.mount), mount, theme.get(Role::LineNone));
    row.right(value, 10, theme.get(gravity(Some(disk.used_pct), Role::LineNone)));
}

fn pressure(theme: &Theme, host: &HostRow, mut row: Row<'_>) {
    let Some(psi) = host.sample.as_ref().and_then(|sample| sample.psi) else { return };
    row.blank(1).column("stall", 6, theme.get(Role::Dim));
    for (label, value) in [("cpu ", psi.cpu_some_pct), ("mem ", psi.memory_some_pct), ("io ", psi.io_some_pct)] {
        if let Some(value) = value {
            row.put(label, theme.get(Role::Dim))
                .put(percent(value), theme.get(gravity(Some(value), Role::LineNone)))
                .blank(1);
        }
    }
}

fn facts(host: &HostRow) -> Shown<'static> {
    host.facts.as_ref().map_or_else(|| Shown::from(""), |facts| Shown::own(&format!("{} cores", facts.cores)))
}
