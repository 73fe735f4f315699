//! A whole record with its fields, or a gap.

use std::borrow::Cow;

use super::dialog::{DialogLines, Piece, field, outside, wrap};
use super::paint::{Shown, bytes};
use super::theme::Role;
use super::time;
use crate::app::App;
use crate::model::gap::Gap;
use crate::model::text::{ColourHandling, MAX_SHOWN_BYTES, SafeText};
use crate::model::time::Time;
use crate::parse::{fields, level};
use crate::scrollback::Seq;

/// Bytes of a record that its popup shows in full; of lines that come after them only their
/// beginnings.
const MAX_RECORD_BYTES: usize = MAX_SHOWN_BYTES;

/// Longer objects are shown as they are only.
const MAX_OBJECT_BYTES: usize = 64 * 1024;

/// Fields of a record that have a row each: what a person still reads.
const MAX_FIELDS: usize = 100;

pub(super) fn record_lines(app: &App, seq: Seq, width: u16) -> DialogLines {
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
        field(
            "time",
            time::long(line.time, &app.view_options().zone()).join(&from),
        ),
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
fn ids(text: &[u8]) -> DialogLines {
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
fn members(text: &[u8], width: usize) -> DialogLines {
    let pretty = pretty(text, width);
    if !pretty.is_empty() {
        return pretty;
    }
    let fields = fields::all(text);
    let left_out = (fields.list.len() + fields.left_out).saturating_sub(MAX_FIELDS);
    let mut rows: DialogLines = fields
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

pub(super) fn gap_lines(app: &App, gap: &Gap) -> DialogLines {
    let scrollback = app.scrollback();
    let lost = gap
        .bytes()
        .map_or_else(|| Shown::from("unknown"), |lost| bytes(lost as f64));
    let to = gap.to.map_or_else(|| "?".to_owned(), |to| to.to_string());
    let time = |at: Time| time::long(at, &app.view_options().zone());
    vec![
        field(
            "host",
            outside(
                scrollback
                    .host(gap.host)
                    .map_or("", |host| host.name.as_str()),
            ),
        ),
        field(
            "source",
            outside(
                scrollback
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
fn pretty(raw: &[u8], width: usize) -> DialogLines {
    if raw.len() > MAX_OBJECT_BYTES {
        return DialogLines::new();
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
