//! The lines of a log pane, with the columns before them, gaps and marks.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::notice::notice;
use super::spans::{Span, laid_over, letter, spans};
use crate::app::{App, LogPane};
use crate::layout::LineColumns;
use crate::model::gap::Gap;
use crate::model::level::Level;
use crate::model::line::FleetLine;
use crate::model::text::SafeText;
use crate::model::time::TimeSource;
use crate::parse::level;
use crate::query::Query;
use crate::scrollback::{Mark, RingEntry, Seq};
use crate::view::paint::{Row, Shown, bytes, whole};
use crate::view::theme::{Role, Theme};
use crate::view::time;

/// What is needed to draw the lines of one pane.
pub(super) struct ShownLines<'a> {
    app: &'a App,
    theme: &'a Theme,
    pane: &'a LogPane,
    columns: LineColumns,
    height: u16,
    focused: bool,
}

/// Where an entry is drawn.
struct EntrySpot {
    /// All that is left of the pane.
    area: Rect,
    /// What lies under its text.
    under: Style,
    /// How many of its rows are above the pane.
    hidden_rows: u16,
}

impl EntrySpot {
    /// A row of it, from the top of what is seen.
    fn row<'b>(&self, buffer: &'b mut Buffer, y: u16) -> Row<'b> {
        Row::new(buffer, self.area, y).fill(self.under)
    }
}

impl<'a> ShownLines<'a> {
    pub(super) fn new(
        app: &'a App,
        theme: &'a Theme,
        pane: &'a LogPane,
        body: Rect,
        focused: bool,
    ) -> Self {
        Self {
            app,
            theme,
            pane,
            columns: app.columns(pane, body.width),
            height: body.height,
            focused,
        }
    }

    /// Draws the lines that are on the screen.
    pub(super) fn draw(&self, body: Rect, buffer: &mut Buffer) {
        let Some((first, hidden_rows)) = self.first() else {
            return self.draw_empty(body, buffer);
        };
        let mut spot = EntrySpot {
            area: body,
            under: Style::new(),
            hidden_rows,
        };
        let mut index = first;
        while !spot.area.is_empty() {
            let Some(seq) = self.pane.seq(index) else {
                break;
            };
            spot.under = self.style_under(index);
            let Some(rows) = self.draw_entry(seq, &spot, buffer) else {
                break;
            };
            let rows = rows.max(1).min(spot.area.height);
            spot.area.y += rows;
            spot.area.height -= rows;
            spot.hidden_rows = 0;
            index += 1;
        }
    }

    /// The cursor, where it is on the entry at an index.
    fn style_under(&self, index: usize) -> Style {
        let has_cursor = self.pane.position().is_some() && self.pane.cursor() == Some(index);
        if has_cursor && self.focused {
            self.theme.get(Role::LineCursor)
        } else {
            Style::new()
        }
    }

    fn draw_empty(&self, body: Rect, buffer: &mut Buffer) {
        let scrollback = self.app.scrollback();
        let words = match (
            scrollback.ring().end() == Seq::BEGIN,
            self.pane.pending(scrollback),
        ) {
            (true, _) => "waiting for the first lines …",
            (_, 0) => "nothing matches yet; :clear shows all",
            _ => "reading back …",
        };
        let mut row = Row::new(buffer, body, body.height / 2);
        let width = u16::try_from(words.len()).unwrap_or(0);
        row.blank(body.width.saturating_sub(width) / 2)
            .put(words, self.theme.get(Role::Dim));
    }

    /// The first entry on the screen, and how many of its rows are above it.
    fn first(&self) -> Option<(usize, u16)> {
        let cursor = self.pane.cursor()?;
        let own = self.rows(cursor).min(self.height);
        let lowest = self.height - own;
        let above = self
            .pane
            .position()
            .map_or(lowest, |position| position.row.min(lowest));
        let (mut first, mut rows) = (cursor, 0u16);
        while rows < above && first > 0 {
            first -= 1;
            rows = rows.saturating_add(self.rows(first));
        }
        Some((first, rows.saturating_sub(above)))
    }

    fn rows(&self, index: usize) -> u16 {
        if !self.pane.wrap {
            return 1;
        }
        let entry = self.pane.entry_at(index, self.app.scrollback());
        self.columns.wrapped_rows(entry, self.height)
    }

    /// Draws an entry; says how many rows it took, or `None` where it is not there any more.
    fn draw_entry(&self, seq: Seq, spot: &EntrySpot, buffer: &mut Buffer) -> Option<u16> {
        if seq == Seq::NOTICE {
            self.draw_notice(spot.row(buffer, 0));
            return Some(1);
        }
        let rows = match self.pane.rows(self.app.scrollback()).get(seq)? {
            RingEntry::Line(line) => self.draw_line(seq, line, spot, buffer),
            RingEntry::Gap(gap) => self.draw_gap(gap, spot.row(buffer, 0)),
            RingEntry::Mark(mark) => self.draw_mark(*mark, spot.row(buffer, 0)),
        };
        Some(rows)
    }

    fn draw_line(&self, seq: Seq, line: &FleetLine, spot: &EntrySpot, buffer: &mut Buffer) -> u16 {
        let text = self.text(line);
        let level = level::of_line(line);
        let pieces = self.pieces(&text, level);
        let ranges = self.row_ranges(&text);
        let rows = u16::try_from(ranges.len()).unwrap_or(u16::MAX);
        let visible = (0..rows)
            .zip(ranges)
            .skip(spot.hidden_rows.into())
            .take(spot.area.height.into());
        for (number, range) in visible {
            let y = number - spot.hidden_rows;
            let mut row = spot.row(buffer, y);
            if number == 0 {
                self.draw_prefix(Some(seq), line, level, &mut row);
            } else {
                row.blank(self.columns.prefix());
            }
            row.skip(if self.pane.wrap { 0 } else { self.pane.left });
            for (piece, style) in &pieces {
                let part = piece.start.max(range.start)..piece.end.min(range.end);
                row.put(Shown::part(&text, part), *style);
            }
            if !self.pane.wrap {
                self.draw_edges(&text, spot.area, y, buffer);
            }
        }
        rows - spot.hidden_rows
    }

    /// Which part of a text each of its rows has.
    fn row_ranges(&self, text: &SafeText) -> Vec<Range<usize>> {
        if self.pane.wrap {
            return text.rows(self.columns.text.into());
        }
        let whole = 0..text.as_str().len();
        vec![whole]
    }

    /// A line of which the end has not come, in one row.
    pub(super) fn draw_unfinished(&self, line: &FleetLine, area: Rect, buffer: &mut Buffer) {
        let mut row = Row::new(buffer, area, 0);
        self.draw_prefix(None, line, level::of_line(line), &mut row);
        row.put(self.text(line), self.theme.get(Role::Dim))
            .put(" …", self.theme.get(Role::LineLate));
    }

    /// Arrows where a line goes on beyond the sides of the pane.
    fn draw_edges(&self, text: &SafeText, area: Rect, y: u16, buffer: &mut Buffer) {
        let style = self.theme.get(Role::LineStamp);
        let beyond = text.width() > usize::from(self.pane.left) + usize::from(self.columns.text);
        if beyond && self.columns.text > 1 {
            Row::new(buffer, area, y)
                .blank(area.width - 1)
                .put("›", style);
        }
        if self.pane.left > 0 && self.columns.text > 1 && text.width() > 0 {
            Row::new(buffer, area, y)
                .blank(self.columns.prefix().saturating_sub(1))
                .put("‹", style);
        }
    }

    /// The columns before the text; without a number the line is no entry yet.
    fn draw_prefix(
        &self,
        seq: Option<Seq>,
        line: &FleetLine,
        level: Option<Level>,
        row: &mut Row<'_>,
    ) {
        let theme = self.theme;
        match (
            seq.is_some_and(|seq| self.pane.is_bookmarked(seq)),
            line.late,
        ) {
            (true, _) => row.put("◆", theme.get(Role::LineBookmark)),
            (_, true) => row.put("↑", theme.get(Role::LineLate)),
            _ => row.blank(1),
        };
        if self.columns.host > 0 {
            let name = self
                .app
                .scrollback()
                .host(line.host)
                .map_or_else(SafeText::default, |host| SafeText::new(host.name.as_str()));
            row.column(&name, self.columns.host, theme.host(line.host.index()))
                .blank(1);
        }
        self.draw_time(line, row);
        if self.columns.source > 0 {
            let name = self
                .app
                .scrollback()
                .source(line.source)
                .map_or_else(SafeText::default, |source| SafeText::new(&source.info.name));
            row.column(&name, self.columns.source, theme.get(Role::LineSource))
                .blank(1);
        }
        if self.columns.level > 0 {
            let (letter, role) = letter(level);
            row.column(letter, 1, theme.get(role)).blank(1);
        }
    }

    fn draw_time(&self, line: &FleetLine, row: &mut Row<'_>) {
        let known = line.content.time_from == TimeSource::Stamp;
        let style = self
            .theme
            .get(if known { Role::LineTime } else { Role::Faint });
        let day = self.columns.day;
        match self.columns.time {
            0 => return,
            12 => row.column(
                time::full(line.content.time, day, &self.columns.zone),
                12,
                style,
            ),
            cells => row.column(
                time::short(line.content.time, day, &self.columns.zone),
                cells,
                style,
            ),
        };
        row.blank(1);
    }

    fn draw_gap(&self, gap: &Gap, mut row: Row<'_>) -> u16 {
        let style = self.theme.get(Role::LineGap);
        let scrollback = self.app.scrollback();
        row.put("── gap: ", style);
        match gap.bytes() {
            Some(lost) => row.put(bytes(lost as f64), style).put(" lost", style),
            None => row.put("unknown bytes lost", style),
        };
        if let (Some(host), Some(source)) =
            (scrollback.host(gap.host), scrollback.source(gap.source))
        {
            row.put(" · ", style)
                .put(SafeText::new(host.name.as_str()), style);
            row.put(" ", style)
                .put(SafeText::new(&source.info.name), style);
        }
        row.put(" · ", style)
            .put(gap.reason.as_str(), style)
            .put(" · ", style);
        match scrollback.gap_explained(gap) {
            Some(why) => row.put(SafeText::new(why), style),
            None => row.put("r reads it again", style),
        };
        // Where the row is too short for all of it, when it was is said by the lines around it.
        row.put(" · ", style);
        let day = self.columns.day;
        if let Some(since) = gap.since {
            row.put(time::short(since, day, &self.columns.zone), style)
                .put("–", style);
        }
        row.put(time::short(gap.until, day, &self.columns.zone), style);
        self.draw_rule(row, "─", style)
    }

    /// How it goes on above the oldest line.
    fn draw_notice(&self, mut row: Row<'_>) {
        let style = self.theme.get(Role::LineMark);
        row.put("── ", style)
            .put(Shown::own(&notice(self.app, self.pane)), style);
        self.draw_rule(row, "─", style);
    }

    fn draw_mark(&self, mark: Mark, mut row: Row<'_>) -> u16 {
        let style = self.theme.get(Role::LineMark);
        row.put("━━ mark ", style)
            .put(whole(mark.number.into()), style)
            .put(" · ", style);
        row.put(
            time::short(mark.time, self.columns.day, &self.columns.zone),
            style,
        );
        self.draw_rule(row, "━", style)
    }

    fn draw_rule(&self, mut row: Row<'_>, with: &'static str, style: Style) -> u16 {
        row.put(" ", style);
        while row.left() > 0 {
            row.put(with, style);
        }
        1
    }

    /// The part of a line that can be on the screen.
    fn text(&self, line: &FleetLine) -> SafeText {
        let rows = if self.pane.wrap {
            usize::from(self.height)
        } else {
            1
        };
        let cells = rows * usize::from(self.columns.text) + usize::from(self.pane.left);
        self.columns.text_of(line, cells)
    }

    /// The parts of a text that look different: by its level, by what they are, by the colours that
    /// the program wrote.
    fn pieces(&self, text: &SafeText, level: Option<Level>) -> Vec<Span> {
        let (hits, style) = self.highlights(text.as_str());
        laid_over(spans(text, level, self.theme), hits, style)
    }

    /// What was searched stands out; without a search, what was filtered is a little stronger than
    /// the rest.
    fn highlights(&self, text: &str) -> (Vec<Range<usize>>, Style) {
        let of = |query: &Query| query.highlights(text);
        match (&self.pane.search, &self.pane.filter().query) {
            (Some(search), _) => (of(search), self.theme.get(Role::Hit)),
            (None, Some(query)) if !self.pane.filters_off() => {
                (of(query), self.theme.get(Role::Strong))
            }
            _ => (Vec::new(), Style::new()),
        }
    }
}
