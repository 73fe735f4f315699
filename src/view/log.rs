//! Log panes: a header of one row, then the lines.

use crate::parse::level;
use std::collections::BTreeSet;
use std::ops::Range;

use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::paint::{Row, Shown, bytes, whole};
use super::theme::{Role, Theme};
use super::time;
use crate::app::{App, LineColumns, LogPane, PaneId};
use crate::model::gap::Gap;
use crate::model::host::HostId;
use crate::model::level::Level;
use crate::model::line::FleetLine;
use crate::model::source::SourceId;
use crate::model::text::{SafeText, TextLook};
use crate::model::time::TimeSource;
use crate::query::Query;
use crate::store::{BEGIN, Mark, NOTICE, RingEntry, Side, StreamState};

/// Most bytes of a line that are looked at for one screen; the rest is beyond its right edge or its
/// last row.
const MAX_LINE_BYTES: usize = 64 * 1024;
/// A pane of fewer rows has none for lines without an end.
const MIN_ROWS: u16 = 6;
/// Bytes of text set aside for a cell: letters with a few combining marks.
const BYTES_PER_CELL: usize = 8;

pub(super) fn draw(app: &App, theme: &Theme, main: Rect, buffer: &mut Buffer) {
    for (id, area) in app.pane_areas(main) {
        draw_border(theme, main, area, buffer);
        if let Some(pane) = app.pane(id) {
            draw_header(app, theme, id, pane, area, buffer);
            let mut body = Rect {
                y: area.y + 1,
                height: area.height.saturating_sub(1),
                ..area
            };
            let unfinished = if body.height < MIN_ROWS {
                Vec::new()
            } else {
                pane.unfinished(app.store())
            };
            body.height -= u16::try_from(unfinished.len()).unwrap_or(0);
            let lines = ShownLines::new(app, theme, id, pane, body);
            lines.draw(body, buffer);
            for (y, record) in (body.bottom()..).zip(unfinished) {
                lines.draw_unfinished(
                    record,
                    Rect {
                        y,
                        height: 1,
                        ..body
                    },
                    buffer,
                );
            }
        }
    }
}

/// The column between panes side by side.
fn draw_border(theme: &Theme, main: Rect, area: Rect, buffer: &mut Buffer) {
    if area.right() < main.right() {
        let border = Rect {
            x: area.right(),
            width: 1,
            ..area
        };
        for y in 0..border.height {
            Row::new(buffer, border, y).put("│", theme.get(Role::PaneBorder));
        }
    }
}

fn draw_header(
    app: &App,
    theme: &Theme,
    id: PaneId,
    pane: &LogPane,
    area: Rect,
    buffer: &mut Buffer,
) {
    if area.height == 0 {
        return;
    }
    let focused = app.focused_pane() == id && !app.hosts_focused();
    let style = theme.get(if focused {
        Role::PaneHeaderFocused
    } else {
        Role::PaneHeader
    });
    let mut row = Row::new(buffer, area, 0).fill(style);
    row.put(" ", style);
    let (state, held) = state(app, pane);
    let state_style = if held && !focused {
        theme.get(Role::PanePaused)
    } else {
        style
    };
    row.at_end(" ", style)
        .at_end(state, state_style)
        .at_end(" ", style);
    for (index, part) in title(app, pane).into_iter().enumerate() {
        row.put(if index == 0 { "" } else { " · " }, style)
            .put(part, style);
    }
}

/// What the pane shows: hosts, sources, filter, search.
fn title(app: &App, pane: &LogPane) -> Vec<Shown<'static>> {
    let filter = pane.filter();
    let mut parts = vec![match &filter.hosts {
        None => Shown::from("all hosts"),
        Some(hosts) => names(
            hosts
                .iter()
                .filter_map(|id| app.store().host(*id))
                .map(|row| row.name.as_str()),
            "hosts",
        ),
    }];
    if let Some(sources) = &filter.sources {
        parts.push(names(
            sources
                .iter()
                .filter_map(|id| app.store().source(*id))
                .map(|row| &*row.info.name),
            "sources",
        ));
    }
    if let Some(query) = &filter.query {
        parts.push(Shown::own(&format!("& {query}")));
    }
    if pane.filters_off() {
        parts.push(Shown::from("filters off"));
    }
    if let Some(search) = &pane.search {
        parts.push(Shown::own(&format!("/ {search}")));
    }
    if pane.wrap {
        parts.push(Shown::from("wrapped"));
    }
    parts
}

/// What the row above the oldest line says: what is being read, what could not be, or that there is
/// no more.
fn notice(app: &App, pane: &LogPane) -> String {
    let Some(past) = pane.past() else {
        return String::new();
    };
    let states: Vec<_> = past.states(Side::Older).collect();
    let asked: BTreeSet<_> = states
        .iter()
        .filter(|(.., state)| **state == StreamState::Asked)
        .map(|(_, host, _)| *host)
        .collect();
    let failed = states
        .iter()
        .filter_map(|&(source, host, state)| match state {
            StreamState::Failed(why) => Some((source, host, why)),
            _ => None,
        });
    let mut failed: Vec<String> = failed
        .map(|(source, host, why)| failure(app, host, source, why))
        .collect();
    failed.dedup();
    let over = past.is_over(Side::Older);
    let going = match (asked.len(), failed.is_empty()) {
        (0, _) if over => "the logs begin here".to_owned(),
        (0, true) => "older lines are read from here on".to_owned(),
        (0, false) => String::new(),
        (1, _) => "reading older lines of 1 host…".to_owned(),
        (count, _) => format!("reading older lines of {count} hosts…"),
    };
    let more = failed.len().saturating_sub(1);
    let why = failed.into_iter().next().map(|first| {
        let others = if more > 0 {
            format!(" (and {more} more)")
        } else {
            String::new()
        };
        format!("not read: {first}{others}; Enter here tries again")
    });
    [Some(going).filter(|going| !going.is_empty()), why]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" · ")
}

fn failure(app: &App, host: HostId, source: SourceId, why: &str) -> String {
    let (host, source) = (app.store().host(host), app.store().source(source));
    let (host, source) = (
        host.map_or("", |row| row.name.as_str()),
        source.map_or("", |row| &row.info.name),
    );
    if why.starts_with(host) {
        why.to_owned()
    } else {
        format!("{host} {source}: {why}")
    }
}

/// Up to three names, or how many there are.
fn names<'a>(names: impl Iterator<Item = &'a str>, what: &str) -> Shown<'static> {
    let mut names: Vec<_> = names.collect();
    names.dedup();
    match names.len() {
        0 => Shown::own(&format!("no {what}")),
        1..=3 => Shown::own(&names.join(", ")),
        count => Shown::own(&format!("{count} {what}")),
    }
}

/// Whether new lines are shown as they come; true where they are not.
fn state(app: &App, pane: &LogPane) -> (Shown<'static>, bool) {
    let unseen = pane.unseen();
    let new = |word: &str| {
        let text = if unseen == 0 {
            word.to_owned()
        } else {
            format!("{word} · {unseen} new")
        };
        Shown::own(&text)
    };
    if pane.is_frozen() {
        (new("frozen"), true)
    } else if !pane.is_following() {
        (new(&place(app, pane)), true)
    } else if pane.pending(app.store()) > 0 {
        (Shown::from("reading back …"), false)
    } else if app.has_ended() {
        (Shown::from("ended"), true)
    } else {
        (Shown::from("following"), false)
    }
}

/// Where the operator is, and on which day where that is not today.
fn place(app: &App, pane: &LogPane) -> String {
    let is_whole = pane.past().is_none_or(|past| past.is_over(Side::Older));
    let mut place = match () {
        () if pane.is_apart() => "in the past".to_owned(),
        // A share of what has been read so far would say nothing, and jump with each page.
        () if !is_whole => "paused".to_owned(),
        () => format!("paused {}%", share_above(pane)),
    };
    let (day, today) = (app.day_of(pane), app.date(app.now()));
    if day != today {
        place.push_str(" · ");
        place.push_str(&time::day(day, today));
    }
    if pane.past().is_some_and(|past| {
        past.states(Side::Newer)
            .any(|(.., state)| *state == StreamState::Asked)
    }) {
        place.push_str(" · reading …");
    }
    place
}

/// Which share of the lines, in per cent, ends with the cursor: 100 is the newest.
fn share_above(pane: &LogPane) -> usize {
    pane.cursor()
        .map_or(100, |cursor| (cursor + 1) * 100 / pane.len().max(1))
}

/// What is needed to draw the lines of one pane.
struct ShownLines<'a> {
    app: &'a App,
    theme: &'a Theme,
    pane: &'a LogPane,
    columns: LineColumns,
    zone: TimeZone,
    height: u16,
    focused: bool,
}

impl<'a> ShownLines<'a> {
    fn new(app: &'a App, theme: &'a Theme, id: PaneId, pane: &'a LogPane, body: Rect) -> Self {
        let columns = LineColumns::of(app, pane, body.width);
        let focused = app.focused_pane() == id;
        Self {
            app,
            theme,
            pane,
            columns,
            zone: app.zone(),
            height: body.height,
            focused,
        }
    }

    fn draw(&self, body: Rect, buffer: &mut Buffer) {
        let Some((mut index, mut skipped)) = self.first() else {
            return self.draw_empty(body, buffer);
        };
        let cursor = self
            .pane
            .place()
            .is_some()
            .then(|| self.pane.cursor())
            .flatten();
        let mut y = 0;
        while y < body.height {
            let Some(seq) = self.pane.seq(index) else {
                break;
            };
            let under = if cursor == Some(index) && self.focused {
                self.theme.get(Role::LineCursor)
            } else {
                Style::new()
            };
            if seq == NOTICE {
                self.draw_notice(
                    Row::new(
                        buffer,
                        Rect {
                            y: body.y + y,
                            height: 1,
                            ..body
                        },
                        0,
                    )
                    .fill(under),
                );
                (y, index, skipped) = (y + 1, index + 1, 0);
                continue;
            }
            let Some(entry) = self.pane.rows(self.app.store()).get(seq) else {
                break;
            };
            let rows = self.draw_entry(
                seq,
                entry,
                under,
                skipped,
                Rect {
                    y: body.y + y,
                    height: body.height - y,
                    ..body
                },
                buffer,
            );
            (y, index, skipped) = (y + rows.max(1), index + 1, 0);
        }
    }

    fn draw_empty(&self, body: Rect, buffer: &mut Buffer) {
        let store = self.app.store();
        let words = match (store.ring().end() == BEGIN, self.pane.pending(store)) {
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
            .place()
            .map_or(lowest, |place| place.row.min(lowest));
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
        let entry = self
            .pane
            .seq(index)
            .and_then(|seq| self.pane.rows(self.app.store()).get(seq));
        entry
            .and_then(RingEntry::record)
            .map_or(1, |record| self.columns.rows(&self.text(record)))
    }

    /// Draws an entry; says how many rows it took.
    fn draw_entry(
        &self,
        seq: u64,
        entry: &RingEntry,
        under: Style,
        skipped: u16,
        area: Rect,
        buffer: &mut Buffer,
    ) -> u16 {
        match entry {
            RingEntry::Line(record) => self.draw_record(seq, record, under, skipped, area, buffer),
            RingEntry::Gap(gap) => self.draw_gap(gap, Row::new(buffer, area, 0).fill(under)),
            RingEntry::Mark(mark) => self.draw_mark(*mark, Row::new(buffer, area, 0).fill(under)),
        }
    }

    fn draw_record(
        &self,
        seq: u64,
        record: &FleetLine,
        under: Style,
        skipped: u16,
        area: Rect,
        buffer: &mut Buffer,
    ) -> u16 {
        let text = self.text(record);
        let level = level::of_line(record);
        let pieces = self.pieces(&text, level);
        let all = 0..text.as_str().len();
        let ranges = if self.pane.wrap {
            text.rows(self.columns.text.into())
        } else {
            vec![all]
        };
        let rows = u16::try_from(ranges.len()).unwrap_or(u16::MAX);
        let visible = (0..rows)
            .zip(ranges)
            .skip(skipped.into())
            .take(area.height.into());
        for (y, range) in visible {
            let mut row = Row::new(buffer, area, y - skipped).fill(under);
            if y == 0 {
                self.draw_prefix(Some(seq), record, level, &mut row);
            } else {
                row.blank(self.columns.prefix());
            }
            row.skip(if self.pane.wrap { 0 } else { self.pane.left });
            for (piece, style) in &pieces {
                let part = piece.start.max(range.start)..piece.end.min(range.end);
                row.put(Shown::part(&text, part), *style);
            }
            if !self.pane.wrap {
                self.draw_edges(&text, area, y, buffer);
            }
        }
        rows - skipped
    }

    /// A line of which the end has not come, in one row.
    fn draw_unfinished(&self, record: &FleetLine, area: Rect, buffer: &mut Buffer) {
        let mut row = Row::new(buffer, area, 0);
        self.draw_prefix(None, record, level::of_line(record), &mut row);
        row.put(self.text(record), self.theme.get(Role::Dim))
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
        seq: Option<u64>,
        record: &FleetLine,
        level: Option<Level>,
        row: &mut Row<'_>,
    ) {
        let theme = self.theme;
        match (
            seq.is_some_and(|seq| self.pane.is_bookmarked(seq)),
            record.late,
        ) {
            (true, _) => row.put("◆", theme.get(Role::LineBookmark)),
            (_, true) => row.put("↑", theme.get(Role::LineLate)),
            _ => row.blank(1),
        };
        if self.columns.host > 0 {
            let name = self
                .app
                .store()
                .host(record.host)
                .map_or_else(SafeText::default, |host| SafeText::new(host.name.as_str()));
            row.column(&name, self.columns.host, theme.host(record.host.index()))
                .blank(1);
        }
        self.draw_time(record, row);
        if self.columns.source > 0 {
            let name = self
                .app
                .store()
                .source(record.source)
                .map_or_else(SafeText::default, |source| SafeText::new(&source.info.name));
            row.column(&name, self.columns.source, theme.get(Role::LineSource))
                .blank(1);
        }
        if self.columns.level > 0 {
            let (letter, role) = letter(level);
            row.column(letter, 1, theme.get(role)).blank(1);
        }
    }

    fn draw_time(&self, record: &FleetLine, row: &mut Row<'_>) {
        let known = record.content.time_from == TimeSource::Stamp;
        let style = self
            .theme
            .get(if known { Role::LineTime } else { Role::Faint });
        let day = self.columns.day;
        match self.columns.time {
            0 => return,
            12 => row.column(time::full(record.content.time, day, &self.zone), 12, style),
            cells => row.column(
                time::short(record.content.time, day, &self.zone),
                cells,
                style,
            ),
        };
        row.blank(1);
    }

    fn draw_gap(&self, gap: &Gap, mut row: Row<'_>) -> u16 {
        let style = self.theme.get(Role::LineGap);
        let store = self.app.store();
        row.put("── gap: ", style);
        match gap.bytes() {
            Some(lost) => row.put(bytes(lost as f64), style).put(" lost", style),
            None => row.put("unknown bytes lost", style),
        };
        if let (Some(host), Some(source)) = (store.host(gap.host), store.source(gap.source)) {
            row.put(" · ", style)
                .put(SafeText::new(host.name.as_str()), style);
            row.put(" ", style)
                .put(SafeText::new(&source.info.name), style);
        }
        row.put(" · ", style)
            .put(gap.reason.as_str(), style)
            .put(" · ", style);
        match store.gap_explained(gap) {
            Some(why) => row.put(SafeText::new(why), style),
            None => row.put("r reads it again", style),
        };
        // Where the row is too short for all of it, when it was is said by the lines around it.
        row.put(" · ", style);
        let day = self.columns.day;
        if let Some(since) = gap.since {
            row.put(time::short(since, day, &self.zone), style)
                .put("–", style);
        }
        row.put(time::short(gap.until, day, &self.zone), style);
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
        row.put(time::short(mark.time, self.columns.day, &self.zone), style);
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
    fn text(&self, record: &FleetLine) -> SafeText {
        let rows = if self.pane.wrap {
            usize::from(self.height)
        } else {
            1
        };
        let cells = rows * usize::from(self.columns.text) + usize::from(self.pane.left);
        let most = (cells * BYTES_PER_CELL + BYTES_PER_CELL).min(MAX_LINE_BYTES);
        self.app.shown_text(record, &self.columns, most)
    }

    /// The parts of a text that look different: by its level, by what they are, by the colours that
    /// the program wrote.
    fn pieces(&self, text: &SafeText, level: Option<Level>) -> Vec<(Range<usize>, Style)> {
        let shown = text.as_str();
        let mut pieces = vec![(0..shown.len(), self.theme.get(text_role(level)))];
        let stamp = stamp_length(shown);
        pieces = laid_over(
            pieces,
            std::iter::once(0..stamp),
            self.theme.get(Role::LineStamp),
        );
        pieces = laid_over(
            pieces,
            keys(shown).filter(|key| key.start >= stamp),
            self.theme.get(Role::LineKey),
        );
        pieces = coloured(pieces, text.looks(), self.theme);
        let (hits, style) = self.highlights(shown);
        laid_over(pieces, hits, style)
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

/// Length of a stamp at the beginning of a line, by its look alone: it repeats the time column and
/// is drawn faintly.
fn stamp_length(text: &str) -> usize {
    let month = text
        .as_bytes()
        .get(..3)
        .is_some_and(|word| word.iter().all(u8::is_ascii_alphabetic))
        && text.as_bytes().get(3) == Some(&b' ');
    let start = if month { 3 } else { 0 };
    let rest = &text[start..];
    let digit_or_sign = |c: char| c.is_ascii_digit() || "-:./,+[] TZ".contains(c);
    let length = rest.find(|c| !digit_or_sign(c)).unwrap_or(rest.len());
    let found = &rest[..length];
    let is_stamp =
        found.matches(':').count() >= 2 && found.bytes().filter(u8::is_ascii_digit).count() >= 6;
    if is_stamp {
        start + found.trim_end_matches(['T', 'Z', '[', '-']).len()
    } else {
        0
    }
}

/// Names of fields, with their `=`: what is the same in every line steps back behind what is not.
fn keys(text: &str) -> impl Iterator<Item = Range<usize>> {
    memchr::memchr_iter(b'=', text.as_bytes()).filter_map(|equals| {
        let name = |b: &u8| b.is_ascii_alphanumeric() || b"_-.@/".contains(b);
        let length = text.as_bytes()[..equals]
            .iter()
            .rev()
            .take_while(|b| name(b))
            .count();
        let start = equals - length;
        let begins = start == 0 || text.as_bytes()[start - 1] == b' ';
        (length > 0 && begins).then_some(start..equals + 1)
    })
}

/// Pieces with others over them, both in order and without overlaps among themselves.
fn laid_over(
    under: Vec<(Range<usize>, Style)>,
    over: impl IntoIterator<Item = Range<usize>>,
    style: Style,
) -> Vec<(Range<usize>, Style)> {
    let mut over = over
        .into_iter()
        .filter(|range| !range.is_empty())
        .peekable();
    let mut pieces = Vec::with_capacity(under.len());
    for (piece, own) in under {
        let mut at = piece.start;
        while let Some(range) = over.peek().filter(|range| range.start < piece.end).cloned() {
            let (start, end) = (range.start.max(at), range.end.min(piece.end));
            pieces.extend([(at..start, own), (start..end, style)]);
            at = end.max(at);
            if range.end > piece.end {
                break;
            }
            over.next();
        }
        pieces.push((at..piece.end, own));
    }
    pieces.retain(|(range, _)| !range.is_empty());
    pieces
}

/// Pieces cut where looks begin and end, and those within a look with its style over their own.
fn coloured(
    under: Vec<(Range<usize>, Style)>,
    looks: impl Iterator<Item = (Range<usize>, TextLook)>,
    theme: &Theme,
) -> Vec<(Range<usize>, Style)> {
    let mut looks = looks.peekable();
    if looks.peek().is_none() {
        return under;
    }
    let mut pieces = Vec::with_capacity(under.len());
    for (piece, own) in under {
        let mut at = piece.start;
        while let Some((range, look)) = looks
            .peek()
            .filter(|(range, _)| range.start < piece.end)
            .cloned()
        {
            let (start, end) = (range.start.max(at), range.end.min(piece.end));
            pieces.extend([(at..start, own), (start..end, theme.look(own, look))]);
            at = end.max(at);
            if range.end > piece.end {
                break;
            }
            looks.next();
        }
        pieces.push((at..piece.end, own));
    }
    pieces.retain(|(range, _)| !range.is_empty());
    pieces
}

fn letter(level: Option<Level>) -> (&'static str, Role) {
    match level {
        None => (" ", Role::LineNone),
        Some(Level::Trace) => ("T", Role::LevelTrace),
        Some(Level::Debug) => ("D", Role::LevelDebug),
        Some(Level::Info) => ("I", Role::LevelInfo),
        Some(Level::Notice) => ("N", Role::LevelNotice),
        Some(Level::Warn) => ("W", Role::LevelWarn),
        Some(Level::Error) => ("E", Role::LevelError),
        Some(Level::Fatal) => ("F", Role::LevelFatal),
    }
}

fn text_role(level: Option<Level>) -> Role {
    match level {
        None => Role::LineNone,
        Some(Level::Trace) => Role::LineTrace,
        Some(Level::Debug) => Role::LineDebug,
        Some(Level::Info | Level::Notice) => Role::LineInfo,
        Some(Level::Warn) => Role::LineWarn,
        Some(Level::Error) => Role::LineError,
        Some(Level::Fatal) => Role::LineFatal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_at_the_beginning_is_recognised_by_its_look() {
        for (line, stamp) in [
            (
                "2026-11-20T13:02:11.123Z INFO up",
                "2026-11-20T13:02:11.123Z ",
            ),
            ("Nov 20 13:02:11 web-1 sshd[1]: x", "Nov 20 13:02:11 "),
            ("10.0.0.1 - - GET /", ""),
            ("ERROR 13:02:11", ""),
            ("", ""),
        ] {
            assert_eq!(
                line[..stamp_length(line)].trim_end(),
                stamp.trim_end(),
                "{line}"
            );
        }
    }

    #[test]
    fn names_of_fields_are_found_and_no_equals_sign_else() {
        let text = "GET /a?b=c id=7 x==y user.name=\"a b=\" =z";
        let found: Vec<_> = keys(text).map(|key| &text[key]).collect();
        assert_eq!(found, ["id=", "x=", "user.name=", "b="]);
    }

    #[test]
    fn pieces_laid_over_others_cut_them_and_cover_everything() {
        let (a, b, c) = (Style::new(), Style::new().bold(), Style::new().dim());
        let pieces = laid_over(vec![(0..4, a), (4..10, b)], [2..6, 8..10], c);
        assert_eq!(
            pieces,
            [(0..2, a), (2..4, c), (4..6, c), (6..8, b), (8..10, c)]
        );
        assert_eq!(
            laid_over(pieces, std::iter::once(0..10), a)
                .iter()
                .map(|(range, _)| range.len())
                .sum::<usize>(),
            10
        );
    }
}
