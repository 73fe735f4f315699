//! What opens above the panes: help, a host, a record, a question.

use crate::parse::level;
use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::hosts::glyph;
use super::paint::{Row, Shown, bytes, bytes_per_second, percent};
use super::theme::{Role, Theme};
use super::time;
use crate::app::actions::{ACTIONS, Group};
use crate::app::keys::spell;
use crate::app::{App, Popup};
use crate::model::gap::Gap;
use crate::model::host::HostId;
use crate::model::prompt::OperatorPrompt;
use crate::model::source::NO_STAMPS;
use crate::model::text::{ColourHandling, MAX_SHOWN_BYTES, SafeText};
use crate::model::time::Time;
use crate::parse::fields;
use crate::query::LANGUAGE;
use crate::store::RingEntry;

/// Bytes of a record that its popup shows in full; of lines that come after them only their
/// beginnings.
const MAX_RECORD_BYTES: usize = MAX_SHOWN_BYTES;

/// Longer objects are shown as they are only.
const MAX_OBJECT_BYTES: usize = 64 * 1024;

/// A row of a popup: pieces with their roles.
type Piece = (Shown<'static>, Role);
type Lines = Vec<Vec<Piece>>;

/// Fields of a record that have a row each: what a person still reads.
const MAX_FIELDS: usize = 100;

/// Draws what is open; says where the cursor stands, if something is typed there.
pub(super) fn draw(
    app: &App,
    theme: &Theme,
    screen: Rect,
    buffer: &mut Buffer,
) -> Option<Position> {
    if let Some((popup, offset)) = app.popup() {
        let width = screen.width.saturating_sub(4).min(match popup {
            Popup::Help => 150,
            Popup::Host(_) | Popup::Record(_) => 100,
        });
        let (title, lines) = match popup {
            Popup::Help => (
                Shown::from(" Keys and commands "),
                help(width.saturating_sub(4)),
            ),
            Popup::Host(id) => (host_title(app, id), host(app, id)),
            Popup::Record(seq) => match app.entry(seq) {
                Some(RingEntry::Gap(lost)) => (Shown::from(" Gap "), gap(app, lost)),
                _ => (
                    Shown::from(" Record "),
                    record(app, seq, width.saturating_sub(4)),
                ),
            },
        };
        let inner = draw_box(theme, &title, &lines, width, offset, screen, buffer);
        let hidden = lines.len().saturating_sub(inner.height.into());
        app.limit_scroll(u16::try_from(hidden).unwrap_or(u16::MAX));
    }
    let question = app.questions().open()?;
    let lines = ask(app, question);
    let width = screen.width.saturating_sub(4).min(84);
    let area = draw_box(
        theme,
        &Shown::from(" A host asks "),
        &lines,
        width,
        0,
        screen,
        buffer,
    );
    answer_cursor(app, question, lines.len(), area)
}

/// Draws a frame in the middle of the screen with lines in it, `offset` of them scrolled away.
/// Returns the inside.
fn draw_box(
    theme: &Theme,
    title: &Shown<'_>,
    lines: &Lines,
    width: u16,
    offset: u16,
    screen: Rect,
    buffer: &mut Buffer,
) -> Rect {
    let height = u16::try_from(lines.len() + 2)
        .unwrap_or(u16::MAX)
        .min(screen.height.saturating_sub(2));
    let x = screen.x + (screen.width - width.min(screen.width)) / 2;
    let y = screen.y + (screen.height - height) / 2;
    let area = Rect {
        x,
        y,
        width,
        height,
    };
    if width < 4 || height < 3 {
        return Rect::default();
    }
    let inner = Rect {
        x: area.x + 2,
        y: area.y + 1,
        width: width - 4,
        height: height - 2,
    };
    let most = lines.len().saturating_sub(inner.height.into());
    let first = usize::from(offset).min(most);
    draw_frame(theme, title, area, (first > 0, first < most), buffer);
    for (y, line) in (0..inner.height).zip(lines.iter().skip(first)) {
        let mut row = Row::new(buffer, inner, y);
        for (text, role) in line {
            row.put(text.clone(), theme.get(*role));
        }
    }
    inner
}

fn draw_frame(
    theme: &Theme,
    title: &Shown<'_>,
    area: Rect,
    more: (bool, bool),
    buffer: &mut Buffer,
) {
    let style = theme.get(Role::PopupBorder);
    for y in 0..area.height {
        let mut row = Row::new(buffer, area, y).fill(theme.get(Role::Popup));
        let (left, middle, right) = match y {
            0 => ("╭", "─", "╮"),
            y if y + 1 == area.height => ("╰", "─", "╯"),
            _ => ("│", " ", "│"),
        };
        row.put(left, style);
        if y == 0 {
            row.put("─", style)
                .put(title.clone(), theme.get(Role::PopupTitle));
        }
        while row.left() > 1 {
            row.put(middle, style);
        }
        row.put(right, style);
    }
    for (shown, y, words) in [
        (more.0, 0, " ↑ more "),
        (more.1, area.height - 1, " ↓ more "),
    ] {
        if shown {
            let mut row = Row::new(buffer, area, y);
            let end = area.width.saturating_sub(10);
            row.blank(end).put(words, style);
        }
    }
}

/// The table of actions, in as many columns as there is room for.
fn help(width: u16) -> Lines {
    const KEYS: usize = 19;
    const COLUMN: u16 = 66;
    let mut rows: Lines = Vec::new();
    for group in Group::ALL {
        if !rows.is_empty() {
            rows.push(Vec::new());
        }
        rows.push(vec![(Shown::from(group.title()), Role::PopupTitle)]);
        for action in ACTIONS.iter().filter(|action| action.group == group) {
            let keys: Vec<_> = action.sequences().map(|keys| spell(&keys)).collect();
            let shown = if keys.is_empty() {
                format!(":{} {}", action.name, action.argument)
            } else {
                keys.join("  ")
            };
            rows.push(vec![
                (Shown::own(&format!("{shown:KEYS$} ")), Role::PopupKey),
                (Shown::from(action.doc), Role::Popup),
            ]);
        }
    }
    if width >= 2 * COLUMN {
        rows = side_by_side(rows, COLUMN.into());
    }
    rows.extend(language());
    rows
}

/// How queries are written.
fn language() -> impl Iterator<Item = Vec<(Shown<'static>, Role)>> {
    const EXAMPLE: usize = 26;
    let title = [
        Vec::new(),
        vec![(Shown::from("Queries, of / and &"), Role::PopupTitle)],
    ];
    title
        .into_iter()
        .chain(LANGUAGE.iter().map(|(example, meaning)| {
            vec![
                (Shown::own(&format!("{example:EXAMPLE$} ")), Role::PopupKey),
                (Shown::from(*meaning), Role::Popup),
            ]
        }))
}

fn side_by_side(mut rows: Lines, column: usize) -> Lines {
    let half = rows.len().div_ceil(2);
    let right = rows.split_off(half);
    let mut right = right.into_iter().skip_while(Vec::is_empty);
    rows.into_iter()
        .map(|mut row| {
            let used: usize = row.iter().map(|(text, _)| text.width()).sum();
            row.push((
                Shown::own(&" ".repeat(column.saturating_sub(used))),
                Role::Popup,
            ));
            row.extend(right.next().unwrap_or_default());
            row
        })
        .collect()
}

fn host_title(app: &App, id: HostId) -> Shown<'static> {
    let name = app.store().host(id).map_or("", |host| host.name.as_str());
    Shown::own(&format!(" {name} "))
}

fn field(label: &str, value: Shown<'static>) -> Vec<Piece> {
    vec![
        (Shown::own(&format!("{label:10}")), Role::PopupDim),
        (value, Role::Popup),
    ]
}

fn outside(text: &str) -> Shown<'static> {
    Shown::from(SafeText::new(text))
}

fn host(app: &App, id: HostId) -> Lines {
    let Some(host) = app.store().host(id) else {
        return Vec::new();
    };
    let (sign, _) = glyph(&host.status);
    let mut lines = vec![field(
        "state",
        Shown::from(sign).join(&Shown::own(&format!(" {}", host.status.state))),
    )];
    if let Some(reason) = &host.status.reason {
        lines.push(vec![
            (Shown::own(&format!("{:10}", "reason")), Role::PopupDim),
            (outside(reason), Role::PopupBad),
        ]);
    }
    if let Some(hint) = &host.status.hint {
        lines.push(field("try", outside(hint)));
    }
    if let Some(seconds) = host.status.behind_s {
        lines.push(field(
            "behind",
            time::span(seconds).join(&Shown::from(
                ": its link is slower than its logs, or is silent",
            )),
        ));
    }
    if let Some(seconds) = host.retry_in_s(app.now()) {
        lines.push(field(
            "again in",
            time::span(seconds).join(&Shown::from("; r dials now")),
        ));
    }
    if !host.tags.is_empty() {
        lines.push(field("tags", outside(&host.tags.join(", "))));
    }
    facts(app, id, &mut lines);
    metrics(app, id, &mut lines);
    sources(app, id, &mut lines);
    lines
}

fn facts(app: &App, id: HostId, lines: &mut Lines) {
    let Some(facts) = app.store().host(id).and_then(|host| host.facts.clone()) else {
        return;
    };
    lines.push(Vec::new());
    lines.push(field(
        "system",
        outside(&format!("{} {} {}", facts.os, facts.kernel, facts.arch)),
    ));
    let named =
        bytes(facts.memory_bytes as f64).join(&Shown::own(&format!(", {} cores", facts.cores)));
    lines.push(field("hardware", named));
    lines.push(field("hostname", outside(&facts.hostname)));
    lines.push(field("up", time::span(facts.uptime_s)));
    if let (Some(offset), Some(error)) = (facts.clock_offset_ms, facts.clock_error_ms) {
        lines.push(field(
            "clock",
            Shown::own(&format!("{offset:+.1} ms ± {error:.1} ms against ours")),
        ));
    }
}

fn metrics(app: &App, id: HostId, lines: &mut Lines) {
    let Some(sample) = app.store().host(id).and_then(|host| host.sample.clone()) else {
        return;
    };
    lines.push(Vec::new());
    if let Some(cpu) = sample.cpu {
        let words = format!(
            "{:.1}% busy (user {:.1}, system {:.1}, steal {:.1}), iowait {:.1}%",
            cpu.busy_pct, cpu.user_pct, cpu.system_pct, cpu.steal_pct, cpu.iowait_pct
        );
        lines.push(field("cpu", Shown::own(&words)));
    }
    if let Some(load) = sample.load {
        lines.push(field(
            "load",
            Shown::own(&format!(
                "{:.2} {:.2} {:.2}",
                load.one, load.five, load.fifteen
            )),
        ));
    }
    if let Some(memory) = sample.memory {
        let of = bytes(memory.available_bytes as f64)
            .join(&Shown::from(" available of "))
            .join(&bytes(memory.total_bytes as f64));
        lines.push(field(
            "memory",
            percent(memory.used_pct)
                .join(&Shown::from(" used, "))
                .join(&of),
        ));
    }
    if let Some(swap) = sample.swap {
        lines.push(field(
            "swap",
            percent(swap.used_pct)
                .join(&Shown::from(" of "))
                .join(&bytes(swap.total_bytes as f64)),
        ));
    }
    for disk in &sample.disks {
        let free = bytes(disk.available_bytes as f64).join(&Shown::from(" free"));
        let inodes = disk.inodes_used_pct.map_or_else(
            || Shown::from(""),
            |used| Shown::own(&format!(", inodes {used:.0}%")),
        );
        lines.push(field(
            "disk",
            outside(&format!("{:16} ", disk.mount))
                .join(&percent(disk.used_pct))
                .join(&Shown::from(" used, "))
                .join(&free)
                .join(&inodes),
        ));
    }
    for io in &sample.io {
        let rates = Shown::from("read ")
            .join(&bytes_per_second(io.read_bytes_per_s))
            .join(&Shown::from(", write "))
            .join(&bytes_per_second(io.write_bytes_per_s));
        lines.push(field(
            "device",
            outside(&format!("{:16} ", io.device))
                .join(&rates)
                .join(&Shown::own(&format!(", {:.0}% busy", io.util_pct))),
        ));
    }
    for net in &sample.network {
        let rates = Shown::from("↓ ")
            .join(&bytes_per_second(net.rx_bytes_per_s))
            .join(&Shown::from("  ↑ "))
            .join(&bytes_per_second(net.tx_bytes_per_s));
        lines.push(field(
            "network",
            outside(&format!("{:16} ", net.interface)).join(&rates),
        ));
    }
}

fn sources(app: &App, id: HostId, lines: &mut Lines) {
    let Some(host) = app.store().host(id) else {
        return;
    };
    lines.push(Vec::new());
    for source in host.sources.iter().filter_map(|id| app.store().source(*id)) {
        let mut line = field(
            "source",
            outside(&format!("{:16} {}", source.info.name, source.info.path)),
        );
        match (&source.info.problem, source.info.stamps) {
            (Some(problem), _) => line.push((outside(&format!("  {problem}")), Role::PopupBad)),
            (None, Some(NO_STAMPS)) => {
                line.push((Shown::from("  times of arrival"), Role::PopupDim));
            }
            (None, Some(stamps)) => line.push((
                Shown::from("  times: ").join(&Shown::from(stamps)),
                Role::PopupDim,
            )),
            (None, None) => {}
        }
        lines.push(line);
    }
    lines.push(field(
        "lines",
        Shown::own(&format!("{}, {} gaps", host.lines, host.gaps)),
    ));
}

fn record(app: &App, seq: u64, width: u16) -> Lines {
    let Some(whole) = app.whole(seq) else {
        return vec![vec![(
            Shown::from("this line has been forgotten"),
            Role::PopupDim,
        )]];
    };
    let (line, subject) = (&whole.first.content, whole.subject());
    let from = Shown::own(&format!(" (from {})", line.time_from.as_str()));
    let mut lines = vec![
        field("host", outside(subject.host)),
        field("source", outside(subject.source)),
        field("time", time::long(line.time, &app.zone()).join(&from)),
        field(
            "level",
            level::of(whole.text()).map_or(Shown::from("none stated"), |level| {
                Shown::from(level.as_str())
            }),
        ),
        field(
            "cursor",
            Shown::own(&format!("{} ({})", line.cursor, extent(whole.text()))),
        ),
        Vec::new(),
    ];
    let text = whole.text();
    let width = width.max(1).into();
    let mut left = MAX_RECORD_BYTES;
    for line in text.split(|&b| b == b'\n') {
        let shown = SafeText::line(line, ColourHandling::Shown, left);
        left = left.saturating_sub(shown.as_str().len());
        lines.extend(wrap(&shown, width).map(|part| vec![(part, Role::Popup)]));
    }
    let members = [ids(text), members(text, width)]
        .into_iter()
        .filter(|part| !part.is_empty());
    members.for_each(|part| {
        lines.push(Vec::new());
        lines.extend(part);
    });
    lines
}

/// How much a record is.
fn extent(text: &[u8]) -> String {
    match text.split(|&b| b == b'\n').count() {
        1 => format!("{} bytes", text.len()),
        lines => format!("{lines} lines, {} bytes", text.len()),
    }
}

/// What ties the record to others, a row each.
fn ids(text: &[u8]) -> Lines {
    let fields::LineIds {
        request,
        trace,
        span,
        user,
    } = fields::ids(text);
    let rows = [
        ("request", request),
        ("trace", trace),
        ("span", span),
        ("user", user),
    ];
    let row = |(label, id): (&str, Option<Cow<'_, [u8]>>)| {
        Some(field(label, SafeText::from_bytes(&id?).into()))
    };
    rows.into_iter().filter_map(row).collect()
}

/// An object as it would be written by hand; of other records a row for each field.
fn members(text: &[u8], width: usize) -> Lines {
    let pretty = pretty(text, width);
    if !pretty.is_empty() {
        return pretty;
    }
    let fields = fields::all(text);
    let left_out = (fields.list.len() + fields.left_out).saturating_sub(MAX_FIELDS);
    let mut rows: Lines = fields
        .list
        .iter()
        .take(MAX_FIELDS)
        .map(|field| member(field, width))
        .collect();
    if left_out > 0 {
        rows.push(vec![(
            Shown::own(&format!("and {left_out} more")),
            Role::PopupDim,
        )]);
    }
    rows
}

fn member(field: &fields::NamedField<'_>, width: usize) -> Vec<Piece> {
    let name = SafeText::new(&format!("{:16} ", field.name));
    let room = width.saturating_sub(name.width());
    let value = SafeText::from_bytes(&field.value.text).slice_cells(0, room);
    vec![(name.into(), Role::PopupDim), (value.into(), Role::Popup)]
}

fn gap(app: &App, gap: &Gap) -> Lines {
    let store = app.store();
    let lost = gap
        .bytes()
        .map_or_else(|| Shown::from("unknown"), |lost| bytes(lost as f64));
    let to = gap.to.map_or_else(|| "?".to_owned(), |to| to.to_string());
    let time = |at: Time| time::long(at, &app.zone());
    vec![
        field(
            "host",
            outside(store.host(gap.host).map_or("", |host| host.name.as_str())),
        ),
        field(
            "source",
            outside(
                store
                    .source(gap.source)
                    .map_or("", |source| &source.info.name),
            ),
        ),
        field(
            "lost",
            lost.join(&Shown::own(&format!(" (bytes {} to {to})", gap.from))),
        ),
        field("reason", Shown::from(gap.reason.as_str())),
        field(
            "since",
            gap.since.map_or_else(|| Shown::from("unknown"), time),
        ),
        field("until", time(gap.until)),
    ]
}

/// An object with a row for each of its members; nothing where the text is none.
fn pretty(raw: &[u8], width: usize) -> Lines {
    if raw.len() > MAX_OBJECT_BYTES {
        return Lines::new();
    }
    let object = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(raw);
    let pretty = object
        .ok()
        .and_then(|object| serde_json::to_string_pretty(&object).ok())
        .unwrap_or_default();
    let lines = pretty
        .lines()
        .flat_map(|line| wrap(&SafeText::new(line), width).collect::<Vec<_>>());
    lines.map(|line| vec![(line, Role::Popup)]).collect()
}

/// A text in rows of so many cells.
fn wrap(text: &SafeText, width: usize) -> impl Iterator<Item = Shown<'static>> {
    let rows = text.rows(width).into_iter();
    rows.map(|row| Shown::part(text, row).into_owned())
        .collect::<Vec<_>>()
        .into_iter()
}

fn ask(app: &App, question: &OperatorPrompt) -> Lines {
    let plain = |text: &str| vec![(outside(text), Role::Popup)];
    let strong = |text: &str| vec![(outside(text), Role::PopupTitle)];
    let keys = |text: &'static str| vec![(Shown::from(text), Role::PopupKey)];
    let mut lines = match question {
        OperatorPrompt::TrustHostKey {
            host,
            address,
            key_type,
            fingerprint,
        } => vec![
            plain(&format!(
                "{host} ({address}) shows a key that is not in known_hosts:"
            )),
            Vec::new(),
            strong(&format!("{key_type} {fingerprint}")),
            Vec::new(),
            plain("Compare it with the key that the host's owner names."),
            Vec::new(),
            keys("y  trust it and store it    n, Esc  refuse"),
        ],
        OperatorPrompt::Passphrase { path, again } => vec![
            plain(&format!(
                "{}passphrase of {path}:",
                if *again { "that was not it; " } else { "" }
            )),
            Vec::new(),
            masked(app, false),
            Vec::new(),
            keys("Enter  use it    Esc  go on without this key"),
        ],
        OperatorPrompt::Secret { host, prompt, echo } => vec![
            plain(&format!("{host} asks: {prompt}")),
            Vec::new(),
            masked(app, *echo),
            Vec::new(),
            keys("Enter  send it    Esc  refuse"),
        ],
    };
    if app.questions().len() > 1 {
        let more = match app.questions().len() - 1 {
            1 => "1 more waits".to_owned(),
            more => format!("{more} more wait"),
        };
        lines.push(vec![(Shown::own(&more), Role::PopupDim)]);
    }
    lines
}

fn masked(app: &App, echo: bool) -> Vec<Piece> {
    let typed = app.questions().typed();
    let shown = if echo {
        outside(typed)
    } else {
        Shown::own(&"•".repeat(typed.chars().count().min(60)))
    };
    vec![
        (Shown::from("› "), Role::PopupKey),
        (shown, Role::PopupTitle),
    ]
}

fn answer_cursor(
    app: &App,
    question: &OperatorPrompt,
    rows: usize,
    inner: Rect,
) -> Option<Position> {
    let echo = match question {
        OperatorPrompt::TrustHostKey { .. } => return None,
        OperatorPrompt::Passphrase { .. } => false,
        OperatorPrompt::Secret { echo, .. } => *echo,
    };
    let width: usize = masked(app, echo).iter().map(|(text, _)| text.width()).sum();
    let fits = usize::from(inner.height) >= rows.min(3);
    let x = inner
        .x
        .saturating_add(u16::try_from(width).unwrap_or(u16::MAX))
        .min(inner.right().saturating_sub(1));
    fits.then_some(Position::new(x, inner.y + 2))
        .filter(|at| inner.contains(*at))
}
