//! Screens as text for snapshots: the characters, then a line for each run of cells with a style.
//! The same run on rows below each other is one line.

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

/// A run: first row, last row, first column, last column, style.
type Run = (u16, u16, u16, u16, String);

/// The screen and its legend.
pub(crate) fn styled(buffer: &Buffer) -> String {
    let mut out = text(buffer);
    for (top, bottom, left, right, style) in runs(buffer) {
        let rows = if top == bottom {
            top.to_string()
        } else {
            format!("{top}-{bottom}")
        };
        out += &format!("{rows} | {left}-{right} {style}\n");
    }
    out
}

/// The characters alone.
pub(crate) fn text(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in buffer.area.rows() {
        let mut line = String::new();
        let mut hidden = 0;
        for x in y.left()..y.right() {
            let symbol = buffer[(x, y.y)].symbol();
            if hidden == 0 {
                line += symbol;
                hidden = unicode_width::UnicodeWidthStr::width(symbol).max(1);
            }
            hidden -= 1;
        }
        out += line.trim_end();
        out.push('\n');
    }
    out
}

fn runs(buffer: &Buffer) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for row in buffer.area.rows() {
        for (left, right, style) in row_runs(buffer, row.y) {
            let above = runs.iter_mut().find(|run| {
                run.1 + 1 == row.y && (run.2, run.3) == (left, right) && run.4 == style
            });
            match above {
                Some(run) => run.1 = row.y,
                None => runs.push((row.y, row.y, left, right, style)),
            }
        }
    }
    runs
}

fn row_runs(buffer: &Buffer, y: u16) -> Vec<(u16, u16, String)> {
    let mut runs: Vec<(u16, u16, String)> = Vec::new();
    for x in buffer.area.left()..buffer.area.right() {
        let style = style(&buffer[(x, y)]);
        match runs.last_mut() {
            Some((_, right, last)) if *last == style && *right + 1 == x => *right = x,
            _ => runs.push((x, x, style)),
        }
    }
    runs.retain(|(_, _, style)| !style.is_empty());
    runs
}

/// Words for a style; the colour of a blank is not seen and not named.
fn style(cell: &Cell) -> String {
    let mut words = Vec::new();
    let blank = cell.symbol() == " ";
    if cell.fg != Color::Reset && !blank {
        words.push(format!("fg={}", cell.fg));
    }
    if cell.bg != Color::Reset {
        words.push(format!("bg={}", cell.bg));
    }
    let seen = if blank {
        cell.modifier & (Modifier::REVERSED | Modifier::UNDERLINED)
    } else {
        cell.modifier
    };
    if !seen.is_empty() {
        words.push(format!("{seen:?}").to_lowercase());
    }
    words.join(" ")
}
