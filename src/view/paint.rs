//! Cells: the only file that writes text to the screen, and it accepts only [`Shown`]: our own
//! words, numbers, and [`SafeText`]. Text from outside has no other way in.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::model::text::SafeText;
use crate::scrollback::Series;

/// Text that may go on the screen.
#[derive(Debug, Clone)]
pub(super) struct Shown<'a>(Cow<'a, str>);

impl<'a> From<&'a SafeText> for Shown<'a> {
    fn from(text: &'a SafeText) -> Self {
        Self(Cow::Borrowed(text.as_str()))
    }
}

impl From<SafeText> for Shown<'_> {
    fn from(text: SafeText) -> Self {
        Self(Cow::Owned(text.as_str().to_owned()))
    }
}

impl From<String> for Shown<'_> {
    /// Numbers and our own words; what is from outside in it is made safe.
    fn from(text: String) -> Self {
        Self::from(SafeText::new(&text))
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<&'static str> for Shown<'_> {
    fn from(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl<'a> Shown<'a> {
    /// A part of a safe text; empty where the range does not lie on its characters.
    pub(super) fn part(text: &'a SafeText, range: Range<usize>) -> Self {
        Self(Cow::Borrowed(text.as_str().get(range).unwrap_or_default()))
    }

    /// The same, to be kept.
    pub(super) fn into_owned(self) -> Shown<'static> {
        Shown(Cow::Owned(self.0.into_owned()))
    }

    /// Cells that it takes.
    pub(super) fn width(&self) -> usize {
        self.0.width()
    }
}

/// A row of cells that is written from left to right and clipped at its end.
pub(super) struct Row<'b> {
    buffer: &'b mut Buffer,
    x: u16,
    end: u16,
    y: u16,
    /// Cells that are still scrolled away.
    skip: u16,
    under: Style,
}

impl<'b> Row<'b> {
    /// The row `y` (from 0) of an area. Outside the area or the screen nothing is written.
    pub(super) fn new(buffer: &'b mut Buffer, area: Rect, y: u16) -> Self {
        let visible = area.intersection(buffer.area);
        let inside = area
            .y
            .checked_add(y)
            .filter(|y| *y < visible.bottom() && *y >= visible.y);
        let (x, end) = if inside.is_some() {
            (visible.x, visible.right())
        } else {
            (0, 0)
        };
        Self {
            buffer,
            x,
            end,
            y: inside.unwrap_or(0),
            skip: 0,
            under: Style::new(),
        }
    }

    /// Fills what is left with a style, and puts it under everything that follows.
    pub(super) fn fill(mut self, style: Style) -> Self {
        for x in self.x..self.end {
            let cell = &mut self.buffer[(x, self.y)];
            // What was here before may have been bold; a style only adds to it.
            cell.modifier = Modifier::empty();
            cell.set_symbol(" ").set_style(style);
        }
        self.under = style;
        self
    }

    /// Cells that are left.
    pub(super) fn left(&self) -> u16 {
        self.end.saturating_sub(self.x)
    }

    /// Where the next cell is.
    pub(super) fn x(&self) -> u16 {
        self.x
    }

    /// Which row of the screen this is.
    pub(super) fn y(&self) -> u16 {
        self.y
    }

    /// The next cells of this row, and of the rows below it.
    pub(super) fn area(&self, cells: u16, rows: u16) -> Rect {
        Rect {
            x: self.x,
            y: self.y,
            width: cells.min(self.left()),
            height: rows,
        }
    }

    /// Lets something else draw.
    pub(super) fn draw_in(&mut self, draw: impl FnOnce(&mut Buffer)) -> &mut Self {
        draw(self.buffer);
        self
    }

    /// Leaves out the next so many cells of text.
    pub(super) fn skip(&mut self, cells: u16) {
        self.skip = cells;
    }

    /// Writes text.
    pub(super) fn put<'a>(&mut self, text: impl Into<Shown<'a>>, style: Style) -> &mut Self {
        let text = text.into();
        for grapheme in text.0.graphemes(true) {
            if !self.put_grapheme(grapheme, style) {
                break;
            }
        }
        self
    }

    /// Writes text into exactly so many cells, cut with `…` or followed by blanks.
    pub(super) fn column<'a>(
        &mut self,
        text: impl Into<Shown<'a>>,
        cells: u16,
        style: Style,
    ) -> &mut Self {
        let text = text.into();
        let width = text.width();
        let end = self.end;
        self.end = self.x.saturating_add(cells).min(end);
        let stop = self.end;
        if width > usize::from(cells) {
            self.end = self.end.saturating_sub(1);
            self.put(text, style);
            self.end = stop;
            self.put("…", style);
        } else {
            self.put(text, style);
        }
        self.x = stop;
        self.end = end;
        self
    }

    /// Writes a column and a blank after it; nothing where it has no cells.
    pub(super) fn cell<'a>(
        &mut self,
        text: impl Into<Shown<'a>>,
        cells: u16,
        style: Style,
    ) -> &mut Self {
        self.column(text, cells, style).blank(u16::from(cells > 0))
    }

    /// Writes text at the right end of so many cells.
    pub(super) fn right<'a>(
        &mut self,
        text: impl Into<Shown<'a>>,
        cells: u16,
        style: Style,
    ) -> &mut Self {
        let text = text.into();
        let width = u16::try_from(text.width()).unwrap_or(u16::MAX);
        self.blank(cells.saturating_sub(width))
            .column(text, width.min(cells), style)
    }

    /// Leaves cells as they are.
    pub(super) fn blank(&mut self, cells: u16) -> &mut Self {
        self.x = self.x.saturating_add(cells).min(self.end);
        self
    }

    /// Writes text at the end of the row, if there is room for all of it and a blank before it.
    pub(super) fn at_end<'a>(&mut self, text: impl Into<Shown<'a>>, style: Style) -> &mut Self {
        let text = text.into();
        let width = u16::try_from(text.width()).unwrap_or(u16::MAX);
        if width < self.left() {
            let end = self.end;
            let x = std::mem::replace(&mut self.x, end - width);
            self.put(text, style);
            self.x = x;
            self.end = end - width;
        }
        self
    }

    /// False when the row is full.
    fn put_grapheme(&mut self, grapheme: &str, style: Style) -> bool {
        // The last wall: a control character would be obeyed by the terminal and makes ratatui
        // panic in debug builds.
        let grapheme = if grapheme.chars().any(char::is_control) {
            "\u{FFFD}"
        } else {
            grapheme
        };
        let width = u16::try_from(grapheme.width()).unwrap_or(1);
        if width == 0 {
            return true;
        }
        if self.skip > 0 {
            self.skip = self.skip.saturating_sub(width);
            return true;
        }
        if self.left() < width {
            return false;
        }
        let style = self.under.patch(style);
        self.buffer[(self.x, self.y)]
            .set_symbol(grapheme)
            .set_style(style);
        for x in self.x + 1..self.x + width {
            self.buffer[(x, self.y)].reset();
            self.buffer[(x, self.y)].set_style(style);
        }
        self.x += width;
        true
    }
}

/// `1.2k`, `37`, `2.4M`: a count in at most four cells.
pub(super) fn count(value: f64) -> Shown<'static> {
    scaled(value, &["", "k", "M", "G", "T"]).into()
}

/// `3.4 kB`: bytes in powers of 1000, as `df -H` and networks count.
pub(super) fn bytes(value: f64) -> Shown<'static> {
    scaled(value, &[" B", " kB", " MB", " GB", " TB", " PB"]).into()
}

/// `3.4 kB/s`
pub(super) fn bytes_per_second(value: f64) -> Shown<'static> {
    format!("{}/s", bytes(value)).into()
}

/// `12%`
pub(super) fn percent(value: f64) -> Shown<'static> {
    format!("{:.0}%", value.clamp(0.0, 999.0)).into()
}

/// The newest point of a series; a dash where it was not measured.
pub(super) fn latest(series: &Series, words: impl FnOnce(f64) -> Shown<'static>) -> Shown<'static> {
    series.latest().map_or(Shown::from("–"), words)
}

/// A value in the largest unit in which it is at least 1, with one decimal at most.
fn scaled(value: f64, units: &[&str]) -> String {
    let mut value = value.max(0.0);
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    let decimals = usize::from(unit > 0 && value < 9.95);
    format!("{value:.decimals$}{}", units[unit])
}

/// A bar of so many eighths of a cell.
pub(super) fn bar(eighths: usize) -> Shown<'static> {
    const BARS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
    Shown::from(BARS[eighths.min(8)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (value, short) in [
            (0.0, "0"),
            (999.4, "999"),
            (999.6, "1.0k"),
            (1234.0, "1.2k"),
            (12_345.0, "12k"),
            (2.4e6, "2.4M"),
        ] {
            assert_eq!(count(value).0, short);
        }
        assert_eq!(bytes(3424.0).0, "3.4 kB");
    }

    #[test]
    fn a_row_is_clipped_at_its_end_and_outside_the_screen_nothing_is_written() {
        let area = Rect::new(0, 0, 6, 1);
        let mut buffer = Buffer::empty(area);
        Row::new(&mut buffer, area, 0).put("日本語です", Style::new());
        assert_eq!(buffer, Buffer::with_lines(["日本語"]));
        Row::new(&mut buffer, Rect::new(3, 0, 90, 9), 5).put("gone", Style::new());
        Row::new(&mut buffer, Rect::new(90, 90, 9, 9), 0)
            .fill(Style::new())
            .put("gone", Style::new());
        assert_eq!(buffer, Buffer::with_lines(["日本語"]));
    }

    #[test]
    fn a_name_too_long_for_its_column_ends_in_dots() {
        let area = Rect::new(0, 0, 12, 1);
        let mut buffer = Buffer::empty(area);
        Row::new(&mut buffer, area, 0)
            .column("bastion", 5, Style::new())
            .put("|", Style::new())
            .right("7", 3, Style::new());
        assert_eq!(buffer, Buffer::with_lines(["bast…|  7   "]));
    }
}
