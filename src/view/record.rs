//! A whole record with its fields, or a gap.

use std::borrow::Cow;
use std::iter;

use jiff::tz::TimeZone;

use super::dialog::{DialogLines, Piece, field, row, wrap};
use super::paint::{Shown, bytes};
use super::theme::Role;
use super::time;
use crate::app::App;
use crate::model::gap::Gap;
use crate::model::level::Level;
use crate::model::text::{ColourHandling, MAX_SHOWN_BYTES, SafeText};
use crate::model::time::Time;
use crate::parse::{fields, level};
use crate::scrollback::{Seq, Whole};

/// Bytes of a record that its popup shows in full; of lines that come after them only their
/// beginnings.
const MAX_RECORD_BYTES: usize = MAX_SHOWN_BYTES;

/// Longer objects are shown as they are only.
const MAX_OBJECT_BYTES: usize = 64 * 1024;

/// Fields of a record that have a row each: what a person still reads.
const MAX_FIELDS: usize = 100;

pub(super) fn record_lines(app: &App, seq: Seq, width: u16) -> DialogLines {
    let Some(whole) = app.whole(seq) else {
        return vec![row(
            Role::PopupDim,
            "this line was dropped from memory; t goes to its time on the hosts",
        )];
    };
    let width = width.max(1).into();
    let parts = [
        head(&whole, &app.view_options().zone()),
        text(whole.text(), width),
        ids(whole.text()),
        members(&whole, width),
    ];
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    let with_blanks = parts.flat_map(|part| iter::once(Vec::new()).chain(part));
    with_blanks.skip(1).collect()
}

fn head(whole: &Whole<'_>, zone: &TimeZone) -> DialogLines {
    let line = &whole.first.content;
    let subject = whole.subject();
    let time = time::long(line.time, zone);
    let from = line.time_from.as_str();
    let level = level::of_in(whole.text(), whole.dialect()).map_or("none stated", Level::as_str);
    vec![
        field("host", subject.host.to_owned()),
        field("source", subject.source.to_owned()),
        field("time", format!("{time} (from {from})")),
        field("level", level),
        field(
            "cursor",
            format!("{} ({})", line.cursor, extent(whole.text())),
        ),
    ]
}

fn text(text: &[u8], width: usize) -> DialogLines {
    let mut left = MAX_RECORD_BYTES;
    let mut lines = DialogLines::new();
    for line in text.split(|&b| b == b'\n') {
        let shown = SafeText::line(line, ColourHandling::Shown, left);
        left = left.saturating_sub(shown.as_str().len());
        lines.extend(wrap(&shown, width));
    }
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
    let row =
        |(label, id): (&str, Option<Cow<'_, [u8]>>)| Some(field(label, SafeText::from_bytes(&id?)));
    rows.into_iter().filter_map(row).collect()
}

/// An object as it would be written by hand; of other records a row for each field.
fn members(whole: &Whole<'_>, width: usize) -> DialogLines {
    let pretty = pretty(whole.text(), width);
    if !pretty.is_empty() {
        return pretty;
    }
    let fields = fields::all_in(whole.text(), whole.dialect());
    let left_out = (fields.list.len() + fields.left_out).saturating_sub(MAX_FIELDS);
    let mut rows: DialogLines = fields
        .list
        .iter()
        .take(MAX_FIELDS)
        .map(|field| member(field, width))
        .collect();
    if left_out > 0 {
        rows.push(row(Role::PopupDim, format!("and {left_out} more")));
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
    let unknown = || Shown::from("unknown");
    let lost = gap.bytes().map_or_else(unknown, |lost| bytes(lost as f64));
    let from = gap.from;
    let to = gap.to.map_or_else(|| "?".to_owned(), |to| to.to_string());
    let time = |at: Time| time::long(at, &app.view_options().zone());
    vec![
        field("host", scrollback.host_name(gap.host).to_owned()),
        field("source", scrollback.source_name(gap.source).to_owned()),
        field("lost", format!("{lost} (bytes {from} to {to})")),
        field("reason", gap.reason.as_str()),
        field("since", gap.since.map_or_else(unknown, time)),
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
    pretty
        .lines()
        .flat_map(|line| wrap(&SafeText::new(line), width))
        .collect()
}
