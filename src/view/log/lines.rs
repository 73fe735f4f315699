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
use crate::model::line::{FleetLine, LineOrder};
use crate::model::text::SafeText;
use crate::model::time::{Time, TimeSource};
use crate::parse::level;
use crate::query::Query;
use crate::scrollback::{Mark, RingEntry, Seq};
use crate::view::paint::{Row, Shown, bytes};
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
        let hosts = scrollback.hosts();
        let has_sources = hosts.iter().any(|host| !host.sources.is_empty());
        let is_settled = hosts.iter().any(|host| host.facts.is_some());
        let words = match (
            scrollback.ring().end() == Seq::BEGIN,
            self.pane.pending(scrollback),
        ) {
            (true, _) if is_settled && !has_sources => {
                "no log was found yet: Tab, then Enter, shows why; hosts.toml names sources"
            }
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
            return Some(self.draw_notice(spot.row(buffer, 0)));
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
            put_part(&mut row, &text, &pieces, &range);
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

    /// A line without an end, in one row.
    pub(super) fn draw_unfinished(&self, line: &FleetLine, area: Rect, buffer: &mut Buffer) {
        let mut row = Row::new(buffer, area, 0);
        self.draw_prefix(None, line, level::of_line(line), &mut row);
        row.put(self.text(line), self.theme.get(Role::Dim))
            .put(" …", self.theme.get(Role::LineLate));
    }

    /// Arrows where a line goes on beyond the sides of the pane.
    fn draw_edges(&self, text: &SafeText, area: Rect, y: u16, buffer: &mut Buffer) {
        let style = self.theme.get(Role::LineStamp);
        if self.columns.text <= 1 {
            return;
        }
        let mut put = |x: u16, arrow| {
            Row::new(buffer, area, y).blank(x).put(arrow, style);
        };
        if text.width() > usize::from(self.pane.left) + usize::from(self.columns.text) {
            put(area.width - 1, "›");
        }
        if self.pane.left > 0 && text.width() > 0 {
            put(self.columns.prefix().saturating_sub(1), "‹");
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
        let scrollback = self.app.scrollback();
        let is_bookmarked = seq.is_some_and(|seq| self.pane.is_bookmarked(seq));
        match (is_bookmarked, line.order != LineOrder::InOrder) {
            (true, _) => row.put("◆", theme.get(Role::LineBookmark)),
            (_, true) => row.put("↑", theme.get(Role::LineLate)),
            _ => row.blank(1),
        };
        let host = SafeText::new(scrollback.host_name(line.host));
        let source = SafeText::new(scrollback.source_name(line.source));
        let (letter, letter_role) = letter(level);
        row.cell(&host, self.columns.host, theme.host(line.host.index()));
        self.draw_time(line, row);
        row.cell(&source, self.columns.source, theme.get(Role::LineSource))
            .cell(letter, self.columns.level, theme.get(letter_role));
    }

    fn draw_time(&self, line: &FleetLine, row: &mut Row<'_>) {
        let LineColumns {
            time, day, zone, ..
        } = &self.columns;
        let shown = match time {
            0 => return,
            12 => time::full(line.content.time, *day, zone),
            _ => time::short(line.content.time, *day, zone),
        };
        let is_known = line.content.time_from == TimeSource::Stamp;
        let role = if is_known {
            Role::LineTime
        } else {
            Role::Faint
        };
        row.cell(shown, *time, self.theme.get(role));
    }

    fn draw_gap(&self, gap: &Gap, row: Row<'_>) -> u16 {
        let scrollback = self.app.scrollback();
        let lost = gap.bytes().map_or_else(
            || "unknown bytes".to_owned(),
            |lost| bytes(lost as f64).to_string(),
        );
        let host = scrollback.host_name(gap.host);
        let source = scrollback.source_name(gap.source);
        let reason = gap.reason.as_str();
        let why = scrollback.gap_explained(gap).unwrap_or("r reads it again");
        let since = gap
            .since
            .map_or_else(String::new, |since| format!("{}–", self.short(since)));
        let until = self.short(gap.until);
        // Where the row is too short for all of it, the lines around it say when it was.
        let words =
            format!("── gap: {lost} lost · {host} {source} · {reason} · {why} · {since}{until}");
        self.draw_rule(row, words, "─", Role::LineGap)
    }

    /// How it goes on above the oldest line.
    fn draw_notice(&self, row: Row<'_>) -> u16 {
        let words = format!("── {}", notice(self.app, self.pane));
        self.draw_rule(row, words, "─", Role::LineMark)
    }

    fn draw_mark(&self, mark: Mark, row: Row<'_>) -> u16 {
        let words = format!("━━ mark {} · {}", mark.number, self.short(mark.time));
        self.draw_rule(row, words, "━", Role::LineMark)
    }

    fn short(&self, time: Time) -> Shown<'static> {
        time::short(time, self.columns.day, &self.columns.zone)
    }

    /// A row with words, and a line up to its end.
    fn draw_rule(&self, mut row: Row<'_>, words: String, with: &'static str, role: Role) -> u16 {
        let style = self.theme.get(role);
        row.put(words, style).put(" ", style);
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

/// Writes a part of a text, in its styles.
fn put_part(row: &mut Row<'_>, text: &SafeText, pieces: &[Span], part: &Range<usize>) {
    for (piece, style) in pieces {
        let both = piece.start.max(part.start)..piece.end.min(part.end);
        row.put(Shown::part(text, both), *style);
    }
}
