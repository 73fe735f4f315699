//! The help: every action with its keys, and how queries are written.

use super::dialog::{DialogLines, Piece, row, width_of};
use super::theme::Role;
use crate::app::actions::{ACTIONS, Group};
use crate::app::keys::spell;
use crate::query::LANGUAGE;

/// The table of actions, in as many columns as there is room for.
pub(super) fn help_lines(width: u16) -> DialogLines {
    const KEYS: usize = 19;
    const COLUMN: u16 = 66;
    let mut rows: DialogLines = Vec::new();
    for group in Group::ALL {
        if !rows.is_empty() {
            rows.push(Vec::new());
        }
        rows.push(row(Role::PopupTitle, group.title()));
        for info in ACTIONS.iter().filter(|info| info.group == group) {
            let keys: Vec<_> = info.sequences().map(|keys| spell(&keys)).collect();
            let shown = if keys.is_empty() {
                format!(":{} {}", info.name, info.argument)
            } else {
                with_command(keys.join("  "), info.name, KEYS)
            };
            rows.push(keys_and_doc(format!("{shown:KEYS$} "), info.doc));
        }
    }
    if width >= 2 * COLUMN {
        rows = side_by_side(rows, COLUMN.into());
    }
    rows.extend(legend());
    rows.extend(language());
    rows
}

/// What the signs and words of the screen mean.
const LEGEND: [(&str, &str); 18] = [
    ("●  ◐", "host up; up, but something of it is missing"),
    ("◔", "up, and behind: its link is slower than its logs"),
    ("◌", "being dialled"),
    ("○", "not reached, or silent; ↻ when it is dialled again"),
    ("◍", "closed our connection before the login (throttled)"),
    ("✕", "refused us, or shows another host key: needs you"),
    ("↑", "came late: later lines stand above it"),
    ("◆", "bookmarked"),
    ("‹  ›", "the line goes on at that side"),
    (
        "T D I N W E F",
        "trace, debug, info, notice, warning, error, fatal",
    ),
    ("following", "new lines move the pane"),
    ("paused", "you have scrolled up; f follows again"),
    ("frozen", "p holds the pane as it is"),
    (
        "history",
        "lines are read from the hosts, apart from the newest",
    ),
    (
        "psi",
        "pressure: the share of time in which something waited",
    ),
    ("complete to", "every host that is up was read to this time"),
    ("3 late", "lines that are marked ↑"),
    ("1 gap", "bytes that could not be read; r on it tries again"),
];

fn legend() -> impl Iterator<Item = Vec<Piece>> {
    const SIGN: usize = 19;
    let title = [Vec::new(), row(Role::PopupTitle, "Signs and words")];
    let rows = LEGEND
        .iter()
        .map(|(sign, meaning)| keys_and_doc(format!("{sign:SIGN$} "), meaning));
    title.into_iter().chain(rows)
}

/// Keys, and the command that does the same where there is room for it.
fn with_command(keys: String, name: &str, room: usize) -> String {
    let both = format!("{keys}  :{name}");
    if both.chars().count() <= room {
        both
    } else {
        keys
    }
}

/// How queries are written.
fn language() -> impl Iterator<Item = Vec<Piece>> {
    const EXAMPLE: usize = 26;
    let title = [Vec::new(), row(Role::PopupTitle, "Queries, of / and &")];
    let examples = LANGUAGE
        .iter()
        .map(|(example, meaning)| keys_and_doc(format!("{example:EXAMPLE$} "), meaning));
    title.into_iter().chain(examples)
}

fn keys_and_doc(keys: String, doc: &'static str) -> Vec<Piece> {
    vec![(keys.into(), Role::PopupKey), (doc.into(), Role::Popup)]
}

fn side_by_side(mut rows: DialogLines, column: usize) -> DialogLines {
    let half = rows.len().div_ceil(2);
    let right = rows.split_off(half);
    let mut right = right.into_iter().skip_while(Vec::is_empty);
    rows.into_iter()
        .map(|mut row| {
            let blanks = " ".repeat(column.saturating_sub(width_of(&row)));
            row.push((blanks.into(), Role::Popup));
            row.extend(right.next().unwrap_or_default());
            row
        })
        .collect()
}
