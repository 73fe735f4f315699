//! A box in the middle of the screen with lines of text in it, which may be scrolled.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::paint::{Row, Shown};
use super::theme::{Role, Theme};
use crate::model::text::SafeText;

/// A piece of a row, with its role.
pub(super) type Piece = (Shown<'static>, Role);

/// The rows of a box.
pub(super) type DialogLines = Vec<Vec<Piece>>;

/// A box with what is in it.
pub(super) struct Dialog {
    /// In its upper border.
    pub(super) title: Shown<'static>,
    /// All of its rows.
    pub(super) lines: DialogLines,
    /// Cells, with the border.
    pub(super) width: u16,
    /// How many rows are scrolled away.
    pub(super) offset: u16,
}

impl Dialog {
    /// Draws it in the middle of the screen. Returns the inside.
    pub(super) fn draw(&self, theme: &Theme, screen: Rect, buffer: &mut Buffer) -> Rect {
        let area = self.area(screen);
        if area.width < 4 || area.height < 3 {
            return Rect::default();
        }
        let inner = Rect {
            x: area.x + 2,
            y: area.y + 1,
            width: area.width - 4,
            height: area.height - 2,
        };
        let most = self.lines.len().saturating_sub(inner.height.into());
        let first = usize::from(self.offset).min(most);
        self.draw_frame(theme, area, buffer);
        draw_more(theme, area, " ↑ more ", (first > 0).then_some(0), buffer);
        let bottom = (first < most).then_some(area.height - 1);
        draw_more(theme, area, " ↓ more ", bottom, buffer);
        for (y, line) in (0..inner.height).zip(self.lines.iter().skip(first)) {
            let mut row = Row::new(buffer, inner, y);
            for (text, role) in line {
                row.put(text.clone(), theme.get(*role));
            }
        }
        inner
    }

    fn area(&self, screen: Rect) -> Rect {
        let height = u16::try_from(self.lines.len() + 2)
            .unwrap_or(u16::MAX)
            .min(screen.height.saturating_sub(2));
        Rect {
            x: screen.x + (screen.width - self.width.min(screen.width)) / 2,
            y: screen.y + (screen.height - height) / 2,
            width: self.width,
            height,
        }
    }

    fn draw_frame(&self, theme: &Theme, area: Rect, buffer: &mut Buffer) {
        let style = theme.get(Role::PopupBorder);
        for y in 0..area.height {
            let mut row = Row::new(buffer, area, y).fill(theme.get(Role::Popup));
            let [left, middle, right] = match y {
                0 => ["╭─", "─", "╮"],
                y if y + 1 == area.height => ["╰", "─", "╯"],
                _ => ["│", " ", "│"],
            };
            row.put(left, style);
            if y == 0 {
                row.put(self.title.clone(), theme.get(Role::PopupTitle));
            }
            while row.left() > 1 {
                row.put(middle, style);
            }
            row.put(right, style);
        }
    }
}

/// Words in the border, at this row of the box, that there is more in that direction.
fn draw_more(
    theme: &Theme,
    area: Rect,
    words: &'static str,
    row: Option<u16>,
    buffer: &mut Buffer,
) {
    if let Some(y) = row {
        Row::new(buffer, area, y)
            .blank(area.width.saturating_sub(10))
            .put(words, theme.get(Role::PopupBorder));
    }
}

/// A row with a label and a value.
pub(super) fn field(label: &str, value: impl Into<Shown<'static>>) -> Vec<Piece> {
    field_in(Role::Popup, label, value)
}

/// The same with the value in another role.
pub(super) fn field_in(role: Role, label: &str, value: impl Into<Shown<'static>>) -> Vec<Piece> {
    vec![
        (format!("{label:10}").into(), Role::PopupDim),
        (value.into(), role),
    ]
}

/// A row of one piece.
pub(super) fn row(role: Role, text: impl Into<Shown<'static>>) -> Vec<Piece> {
    vec![(text.into(), role)]
}

/// Cells that a row takes.
pub(super) fn width_of(row: &[Piece]) -> usize {
    row.iter().map(|(text, _)| text.width()).sum()
}

/// The same rows; what is wider than so many cells goes on below its value, broken at blanks where
/// there are any.
pub(super) fn wrapped(lines: DialogLines, width: usize) -> DialogLines {
    lines
        .into_iter()
        .flat_map(|line| wrapped_row(line, width))
        .collect()
}

fn wrapped_row(line: Vec<Piece>, width: usize) -> DialogLines {
    /// Narrower values would be a few letters a row.
    const NARROWEST: usize = 12;
    if width_of(&line) <= width || width == 0 {
        return vec![line];
    }
    let label = line.first().filter(|_| line.len() > 1);
    let indent = label.map_or(0, |(label, _)| label.width());
    let mut rows = WrappedRows {
        rows: vec![Vec::new()],
        indent: if indent + NARROWEST > width {
            0
        } else {
            indent
        },
        width,
        left: width,
    };
    for (text, role) in line {
        let text = SafeText::new(&text.to_string());
        for word in text.as_str().split_inclusive(' ') {
            rows.put_word(&SafeText::new(word), role);
        }
    }
    rows.rows
}

/// Rows that are being filled with the words of one.
struct WrappedRows {
    rows: DialogLines,
    /// Blanks before all but the first.
    indent: usize,
    width: usize,
    /// Cells that the last of them has left.
    left: usize,
}

impl WrappedRows {
    fn put_word(&mut self, word: &SafeText, role: Role) {
        let is_begun = self.left < self.width - self.indent;
        if is_begun && SafeText::new(word.as_str().trim_end()).width() > self.left {
            self.break_row();
        }
        for (at, part) in word.rows(self.left.max(1)).into_iter().enumerate() {
            if at > 0 {
                self.break_row();
            }
            let part = Shown::part(word, part).into_owned();
            self.left = self.left.saturating_sub(part.width());
            if let Some(row) = self.rows.last_mut() {
                row.push((part, role));
            }
        }
    }

    fn break_row(&mut self) {
        let indent = (" ".repeat(self.indent).into(), Role::Popup);
        self.rows.push(vec![indent]);
        self.left = self.width - self.indent;
    }
}

/// A text in rows of so many cells.
pub(super) fn wrap(text: &SafeText, width: usize) -> DialogLines {
    let rows = text.rows(width).into_iter();
    rows.map(|part| row(Role::Popup, Shown::part(text, part).into_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(line: Vec<Piece>, width: usize) -> Vec<String> {
        let text = |row: &Vec<Piece>| row.iter().map(|(text, _)| text.to_string()).collect();
        wrapped(vec![line], width).iter().map(text).collect()
    }

    #[test]
    fn a_value_that_is_too_long_goes_on_below_itself() {
        let line = || field("reason", "connect to 10.0.0.14:22: refused");
        assert_eq!(
            rows(line(), 60),
            ["reason    connect to 10.0.0.14:22: refused"]
        );
        assert_eq!(
            rows(line(), 24),
            [
                "reason    connect to ",
                "          10.0.0.14:22: ",
                "          refused"
            ]
        );
        let path = field("source", "/a/very/long/path/without/blanks");
        let all = rows(path, 24).concat().replace(' ', "");
        assert_eq!(all, "source/a/very/long/path/without/blanks");
        assert!(
            rows(line(), 12)
                .iter()
                .all(|row| row.trim_end().chars().count() <= 12)
        );
        assert_eq!(rows(line(), 0).len(), 1, "nothing fits, and nothing hangs");
        assert_eq!(rows(field("wide", "日本語日本語日本語日本語"), 22).len(), 2);
    }
}
