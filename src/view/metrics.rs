//! The metrics of the selected host, as graphs that take the room there is.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::paint::{Row, Shown, bar, bytes, bytes_per_second, count, latest, percent};
use super::panel::bordered;
use super::theme::{Role, Theme};
use super::time;
use crate::app::App;
use crate::model::metrics::DiskUsage;
use crate::model::state::LinkState;
use crate::model::text::SafeText;
use crate::model::time::Time;
use crate::scrollback::{HostRow, Series};

/// Above these shares a percentage is drawn as a warning, and as critical.
const HIGH_PCT: f64 = 70.0;
const CRITICAL_PCT: f64 = 90.0;

/// Room above the highest point of a series without a natural maximum, or a steady one would be a
/// block.
const HEADROOM: f64 = 1.3;
/// Less traffic than this never fills a graph: the chatter of an idle host is no mountain.
const CALM_NETWORK: f64 = 100_000.0;
const CALM_DISK: f64 = 1_000_000.0;
const CALM_LOG: f64 = 20.0;

/// Cells before a graph, and behind it.
const LABEL: u16 = 7;
const VALUE: u16 = 11;
/// Cells for the name of a mount point, before its meter.
const MOUNT: u16 = 14;
/// Most disks, the fullest first.
const MAX_DISKS: usize = 4;

/// What full height means.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scale {
    /// 100 per cent.
    Share,
    /// At least this much.
    Open(f64),
}

impl Scale {
    /// What full height means where this is the highest point.
    fn full(self, highest: f64) -> f64 {
        match self {
            Self::Share => 100.0,
            Self::Open(least) => (highest * HEADROOM).max(least),
        }
    }

    /// How grave a value is; without a natural maximum none is.
    fn gravity(self, value: Option<f64>) -> Gravity {
        match self {
            Self::Share => Gravity::of(value),
            Self::Open(_) => Gravity::Normal,
        }
    }
}

/// How grave a percentage is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gravity {
    Normal,
    High,
    Critical,
}

impl Gravity {
    pub(super) fn of(share: Option<f64>) -> Self {
        match share {
            Some(share) if share >= CRITICAL_PCT => Self::Critical,
            Some(share) if share >= HIGH_PCT => Self::High,
            _ => Self::Normal,
        }
    }

    /// How a number is drawn.
    pub(super) fn text(self) -> Role {
        match self {
            Self::Normal => Role::LineNone,
            Self::High => Role::LineWarn,
            Self::Critical => Role::LineError,
        }
    }

    /// How a bar is drawn.
    fn bar(self) -> Role {
        match self {
            Self::Normal => Role::Spark,
            Self::High => Role::SparkHigh,
            Self::Critical => Role::SparkCritical,
        }
    }
}

pub(super) fn draw(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let Some(host) = app
        .scrollback()
        .hosts()
        .get(app.hosts_pane().selected())
        .filter(|_| !area.is_empty())
    else {
        return;
    };
    let area = bordered(theme, area, buffer);
    // Numbers of a host that was lost are not those of now.
    let state = host.lasting_status().state;
    let is_current = state.is_up() || state == LinkState::Connecting;
    if host.sample.is_some() && is_current {
        return draw_numbers(theme, host, app.now(), area, buffer);
    }
    draw_heading(theme, host, app.now(), area, buffer);
    draw_reason(theme, host, below(area, 1), buffer);
}

fn draw_numbers(theme: &Theme, host: &HostRow, now: Time, area: Rect, buffer: &mut Buffer) {
    let disks = disks(host);
    let pressure = pressure(host);
    let fixed = 1 + disks.len() + usize::from(!pressure.is_empty());
    let mut blocks = blocks(host, now);
    let room = usize::from(area.height).saturating_sub(fixed);
    grow(&mut blocks, room);
    // At the bottom, so that it ends on the row on which the log ends.
    let used: usize = blocks.iter().map(|block| usize::from(block.rows)).sum();
    let mut rest = below(area, u16::try_from(room.saturating_sub(used)).unwrap_or(0));
    draw_heading(theme, host, now, rest, buffer);
    rest = below(rest, 1);
    for block in blocks {
        let height = block.rows.min(rest.height);
        draw_block(theme, &block, Rect { height, ..rest }, buffer);
        rest = below(rest, block.rows);
    }
    for disk in disks {
        draw_disk(theme, disk, Row::new(buffer, rest, 0));
        rest = below(rest, 1);
    }
    draw_pressure(theme, &pressure, Row::new(buffer, rest, 0));
}

/// What is left of an area below so many rows.
fn below(area: Rect, rows: u16) -> Rect {
    let rows = rows.min(area.height);
    Rect {
        y: area.y + rows,
        height: area.height - rows,
        ..area
    }
}

fn draw_heading(theme: &Theme, host: &HostRow, now: Time, area: Rect, buffer: &mut Buffer) {
    let style = theme.get(Role::PaneHeader);
    let mut row = Row::new(buffer, area, 0).fill(style);
    row.put(" ", style)
        .put(SafeText::new(host.name.as_str()), style);
    if let Some(facts) = &host.facts {
        let cores = cores(facts.cores);
        let uptime = host.uptime_s(now).unwrap_or(facts.uptime_s);
        let up = Shown::from(format!("{cores} · up {}", time::span(uptime)));
        row.at_end(" ", style);
        let fits = up.width() < row.left().into();
        row.at_end(if fits { up } else { cores }, style);
    }
}

fn cores(count: u32) -> Shown<'static> {
    let unit = if count == 1 { "core" } else { "cores" };
    Shown::from(format!("{count} {unit}"))
}

/// Why there are no numbers, and what to do.
fn draw_reason(theme: &Theme, host: &HostRow, body: Rect, buffer: &mut Buffer) {
    let status = host.lasting_status();
    let reason = status.reason.as_deref().map(|text| (text, Role::LineNone));
    let hint = status.hint.as_deref().map(|text| (text, Role::Dim));
    let width = usize::from(body.width.saturating_sub(2));
    let lines = [reason, hint]
        .into_iter()
        .flatten()
        .flat_map(|(text, role)| {
            words_in_lines(&SafeText::new(text), width)
                .into_iter()
                .map(move |line| (line, role))
        });
    for (y, (line, role)) in (0..body.height).zip(lines) {
        Row::new(buffer, body, y)
            .blank(1)
            .put(line, theme.get(role));
    }
}

/// A text in lines of at most so many cells, broken at blanks where there are any.
fn words_in_lines(text: &SafeText, width: usize) -> Vec<SafeText> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.as_str().split(' ') {
        match lines.last_mut() {
            Some(line)
                if SafeText::new(line).width() + 1 + SafeText::new(word).width() <= width =>
            {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.iter().map(|line| SafeText::new(line)).collect()
}

/// A graph with its label and what it says in numbers, the most important first.
struct GraphBlock<'a> {
    label: &'static str,
    series: &'a Series,
    scale: Scale,
    /// How the first number is drawn.
    role: Role,
    values: Vec<Shown<'static>>,
    rows: u16,
    most: u16,
}

impl<'a> GraphBlock<'a> {
    /// A graph of at most so many rows, without numbers.
    fn new(label: &'static str, series: &'a Series, scale: Scale, most: u16) -> Self {
        // What never moved needs no room to move in.
        let moves = series.highest().is_some_and(|highest| highest > 0.0);
        Self {
            label,
            series,
            scale,
            role: scale.gravity(series.latest()).text(),
            values: Vec::new(),
            rows: 1,
            most: if moves { most } else { 1 },
        }
    }

    fn with(mut self, value: impl Into<Shown<'static>>) -> Self {
        self.values.push(value.into());
        self
    }
}

fn blocks(host: &HostRow, now: Time) -> Vec<GraphBlock<'_>> {
    vec![
        cpu(host),
        memory(host),
        load(host),
        GraphBlock::new("log", &host.log, Scale::Open(CALM_LOG), 6)
            .with(format!("{} l/s", count(host.rate(now))))
            .with(format!("{} lines", count(host.lines as f64))),
        traffic("net ↓", &host.rx, CALM_NETWORK),
        traffic("net ↑", &host.tx, CALM_NETWORK),
        traffic("disk", &host.io, CALM_DISK),
    ]
}

fn cpu(host: &HostRow) -> GraphBlock<'_> {
    let block = GraphBlock::new("cpu", &host.cpu, Scale::Share, 5).with(share(&host.cpu));
    match host.sample.as_ref().and_then(|sample| sample.cpu) {
        Some(cpu) => block
            .with(format!("iowait {}", percent(cpu.iowait_pct)))
            .with(format!("steal {}", percent(cpu.steal_pct))),
        None => block,
    }
}

fn memory(host: &HostRow) -> GraphBlock<'_> {
    let block = GraphBlock::new("mem", &host.memory, Scale::Share, 2).with(share(&host.memory));
    match host.sample.as_ref().and_then(|sample| sample.memory) {
        Some(memory) => block.with(format!("of {}", bytes(memory.total_bytes as f64))),
        None => block,
    }
}

/// A load of as many as there are cores is busy, twice as many is too much.
fn load(host: &HostRow) -> GraphBlock<'_> {
    let cores = host
        .facts
        .as_ref()
        .map_or(1.0, |facts| f64::from(facts.cores));
    let busy = host
        .load
        .latest()
        .map(|load| HIGH_PCT + (load / cores - 1.0) * (CRITICAL_PCT - HIGH_PCT));
    let block = GraphBlock::new("load", &host.load, Scale::Open(cores), 2)
        .with(latest(&host.load, |load| format!("{load:.2}").into()))
        .with(format!("of {cores}"));
    GraphBlock {
        role: Gravity::of(busy).text(),
        ..block
    }
}

fn traffic<'a>(label: &'static str, series: &'a Series, calm: f64) -> GraphBlock<'a> {
    let highest = bytes(series.highest().unwrap_or(0.0));
    GraphBlock::new(label, series, Scale::Open(calm), 3)
        .with(latest(series, bytes_per_second))
        .with(format!("max {highest}"))
}

fn share(series: &Series) -> Shown<'static> {
    latest(series, |share| format!("{share:.1}%").into())
}

/// Gives the rows that there are to the graphs, in turn, those first that are listed first.
fn grow(blocks: &mut [GraphBlock<'_>], rows: usize) {
    let mut left = rows.saturating_sub(blocks.len());
    loop {
        let before = left;
        for block in blocks.iter_mut().filter(|block| block.rows < block.most) {
            if left > 0 {
                block.rows += 1;
                left -= 1;
            }
        }
        if left == before {
            return;
        }
    }
}

fn draw_block(theme: &Theme, block: &GraphBlock<'_>, area: Rect, buffer: &mut Buffer) {
    for y in 0..area.height {
        let mut row = Row::new(buffer, area, y);
        row.blank(1).column(
            if y == 0 { block.label } else { "" },
            LABEL - 1,
            theme.get(Role::Dim),
        );
        row.blank(row.left().saturating_sub(VALUE + 1));
        if let Some(value) = block.values.get(usize::from(y)) {
            row.right(
                value.clone(),
                VALUE,
                theme.get(if y == 0 { block.role } else { Role::Faint }),
            );
        }
    }
    let width = area.width.saturating_sub(LABEL + VALUE + 1);
    graph(
        theme,
        block.series,
        block.scale,
        Rect {
            x: area.x + LABEL,
            width,
            ..area
        },
        buffer,
    );
}

/// The last points as bars from the bottom of an area, the newest at the right. A point that was
/// measured is always seen, one that was not never; the top is left free, so that a graph does
/// not touch the one above it.
pub(super) fn graph(theme: &Theme, series: &Series, scale: Scale, area: Rect, buffer: &mut Buffer) {
    let points: Vec<_> = series.last(area.width.into()).collect();
    let full = scale.full(points.iter().flatten().copied().fold(0.0, f64::max));
    let most = usize::from(area.height) * 8 - usize::from(area.height > 0);
    let first = area.width - u16::try_from(points.len()).unwrap_or(area.width);
    for (x, point) in (first..area.width).zip(points) {
        let Some(value) = point else { continue };
        let exact = value / full * (most + 1) as f64;
        let eighths = (exact.round() as usize).clamp(1, most.max(1));
        let role = match scale.gravity(point) {
            Gravity::Normal if exact < 1.0 => Role::Faint,
            gravity => gravity.bar(),
        };
        for y in 0..area.height {
            let below = usize::from(area.height - 1 - y) * 8;
            Row::new(buffer, area, y)
                .blank(x)
                .put(bar(eighths.saturating_sub(below)), theme.get(role));
        }
    }
}

/// The fullest disks.
fn disks(host: &HostRow) -> Vec<&DiskUsage> {
    let mut disks: Vec<_> = host
        .sample
        .iter()
        .flat_map(|sample| &sample.disks)
        .collect();
    disks.sort_by(|a, b| b.used_pct.total_cmp(&a.used_pct));
    disks.truncate(MAX_DISKS);
    disks
}

fn draw_disk(theme: &Theme, disk: &DiskUsage, mut row: Row<'_>) {
    let gravity = Gravity::of(Some(disk.used_pct));
    row.blank(1)
        .column(SafeText::new(&disk.mount), MOUNT - 2, theme.get(Role::Dim))
        .blank(1);
    let cells = row.left().saturating_sub(6);
    let used = (disk.used_pct / 100.0 * f64::from(cells)).round() as u16;
    for cell in 0..cells {
        let role = if cell < used {
            gravity.bar()
        } else {
            Role::Faint
        };
        row.put("━", theme.get(role));
    }
    row.right(percent(disk.used_pct), 5, theme.get(gravity.text()));
}

/// Shares of the time in which something waited for a resource.
fn pressure(host: &HostRow) -> Vec<(&'static str, f64)> {
    let Some(psi) = host.sample.as_ref().and_then(|sample| sample.psi) else {
        return Vec::new();
    };
    let shares = [
        ("cpu ", psi.cpu_some_pct),
        ("mem ", psi.memory_some_pct),
        ("io ", psi.io_some_pct),
    ];
    shares
        .into_iter()
        .filter_map(|(label, share)| Some((label, share?)))
        .collect()
}

fn draw_pressure(theme: &Theme, pressure: &[(&'static str, f64)], mut row: Row<'_>) {
    if !pressure.is_empty() {
        row.blank(1).column("psi", LABEL - 1, theme.get(Role::Dim));
    }
    for (label, share) in pressure {
        // Half a number is worse than none.
        if usize::from(row.left()) < label.len() + percent(*share).width() {
            break;
        }
        let role = Gravity::of(Some(*share)).text();
        row.put(*label, theme.get(Role::Dim))
            .put(percent(*share), theme.get(role))
            .blank(2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(points: &[Option<f64>], scale: Scale, width: u16, height: u16) -> Vec<String> {
        let mut series = Series::default();
        points.iter().for_each(|point| series.push(*point));
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        graph(&Theme::dark(), &series, scale, area, &mut buffer);
        super::super::styled::text(&buffer)
            .lines()
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn a_graph_rises_from_the_bottom_and_never_touches_what_is_above_it() {
        let points = [Some(0.0), Some(50.0), None, Some(100.0)];
        assert_eq!(drawn(&points, Scale::Share, 4, 2), ["   ▇", "▁█ █"]);
        assert_eq!(drawn(&points, Scale::Share, 6, 1), ["  ▁▄ ▇"]);
        assert!(drawn(&points, Scale::Share, 6, 0).is_empty());
    }

    #[test]
    fn chatter_is_low_and_a_steady_series_is_no_block() {
        assert_eq!(
            drawn(&[Some(500.0), Some(900.0)], Scale::Open(CALM_NETWORK), 2, 1),
            ["▁▁"]
        );
        assert_eq!(
            drawn(&[Some(2e6), Some(2e6)], Scale::Open(CALM_NETWORK), 2, 1),
            ["▆▆"]
        );
    }

    #[test]
    fn a_reason_is_broken_between_words() {
        let lines = words_in_lines(&SafeText::new("connect to 10.0.0.1: no answer"), 12);
        assert_eq!(
            lines.iter().map(SafeText::as_str).collect::<Vec<_>>(),
            ["connect to", "10.0.0.1: no", "answer"]
        );
    }
}
