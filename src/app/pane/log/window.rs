//! What a pane shows of the time before the ring: it enters and leaves what was read, and stays
//! where the operator is.

use std::sync::Arc;

use super::{HeldUp, LogPane, PanePosition};
use crate::model::cursor::Cursor;
use crate::model::source::SourceId;
use crate::model::time::Time;
use crate::scrollback::{
    Filter, Lens, PageWindow, Renumbering, Ring, RingEntry, Scrollback, Seq, Whole, WindowSource,
};

impl LogPane {
    /// The rows that are read of the time before the ring.
    #[must_use]
    pub fn window(&self) -> Option<&PageWindow> {
        self.window.as_ref()
    }

    /// Whether what was read is shown. Until then, the ring is incomplete above the point from which
    /// all sources have lines.
    #[must_use]
    pub fn shows_window(&self) -> bool {
        self.in_window
    }

    /// The same, to be changed, with the lens.
    pub(crate) fn window_mut(&mut self) -> Option<(&mut PageWindow, &Lens)> {
        Some((self.window.as_mut()?, &self.lens))
    }

    /// Where entries are to be looked up.
    #[must_use]
    pub fn rows<'a>(&'a self, scrollback: &'a Scrollback) -> Rows<'a> {
        Rows {
            scrollback,
            window: self.window.as_ref().map(PageWindow::rows),
        }
    }

    /// What is looked through at present.
    #[must_use]
    pub fn looking(&self) -> &Filter {
        self.lens.filter()
    }

    /// Sources whose lines pass, with their hosts.
    #[must_use]
    pub fn sources(&self, scrollback: &Scrollback) -> Vec<WindowSource> {
        let filter = self.lens.filter();
        let passing = scrollback
            .sources()
            .filter(|(id, row)| filter.admits_place(row.host, *id));
        passing
            .map(|(id, row)| WindowSource {
                id,
                host: row.host,
                name: Arc::clone(&row.info.name),
            })
            .collect()
    }

    /// Begins to read what is older than the ring.
    pub(crate) fn begin_window(&mut self, scrollback: &Scrollback, now: Time) {
        self.window = Some(PageWindow::before_live(
            scrollback,
            &self.lens,
            &self.sources(scrollback),
            now,
        ));
        self.in_window = false;
    }

    /// Goes to a moment, wherever it is: the cursor is on the first line that is not older.
    pub fn go_to(&mut self, time: Time, scrollback: &Scrollback) {
        self.close_window();
        self.window = Some(PageWindow::at(time, &self.sources(scrollback)));
        self.in_window = true;
        /// Lines above it that show what led there.
        const ABOVE: u16 = 8;
        let row = self.position.map_or(ABOVE, |position| position.row);
        self.position = Some(PanePosition {
            seq: Seq::WINDOW,
            row,
            since: scrollback.ring().end(),
        });
    }

    /// Shows the rows that were read in place of what the ring has of their time, once what is on
    /// the screen is among them.
    pub(crate) fn enter_window(&mut self, top: Seq, scrollback: &Scrollback) {
        let Some(window) = &self.window else { return };
        let head = self.lens.index_of(window.reach()).checked_sub(1);
        if self.in_window || (head.is_some() && window.reach() > top) {
            return;
        }
        let seq = self.position.map_or(Seq::NOTICE, |position| position.seq);
        let is_left_out = seq.is_live()
            && window.joined().is_some_and(|joined| seq < joined)
            && !window.has_moved(seq);
        if is_left_out {
            return self.read_around_cursor(scrollback);
        }
        self.in_window = true;
        self.follow_moved();
    }

    /// Reads from the line under the cursor on, without what leads there from the ring.
    pub(crate) fn read_around_cursor(&mut self, scrollback: &Scrollback) {
        let entry = self
            .position
            .and_then(|position| scrollback.ring().get_or_left(position.seq));
        let of = |entry: &RingEntry| {
            (
                entry.time(),
                entry.line().map(|line| (line.source, line.content.cursor)),
            )
        };
        if let Some((time, line)) = entry.map(of) {
            self.go_to(time, scrollback);
            self.landing = line;
        }
    }

    /// Reads the window again around the line under the cursor.
    pub(crate) fn read_again(&mut self, scrollback: &Scrollback) {
        if let Some((time, line)) = self.place_in_window(scrollback) {
            self.go_to(time, scrollback);
            self.landing = line;
        }
    }

    /// What has moved from the ring keeps its place and its bookmark.
    pub(crate) fn follow_moved(&mut self) {
        let Some(window) = self.window.as_mut().filter(|_| self.in_window) else {
            return;
        };
        for (from, to) in window.take_moved() {
            if let Some(position) = self
                .position
                .as_mut()
                .filter(|position| position.seq == from)
            {
                position.seq = to;
            }
            if self.bookmarks.contains(&from) {
                self.bookmarks.insert(to);
            }
        }
    }

    /// The rows of the window keep their places and bookmarks where others have come between them.
    pub(crate) fn follow_woven_window(&mut self) {
        let Some(window) = &mut self.window else {
            return;
        };
        for woven in window.take_woven() {
            let follow = |seq: Seq| {
                if seq.is_live() || seq == Seq::NOTICE {
                    seq
                } else {
                    woven.of(seq)
                }
            };
            if let Some(position) = &mut self.position {
                position.seq = follow(position.seq);
            }
            self.bookmarks = self.bookmarks.iter().map(|&seq| follow(seq)).collect();
        }
    }

    pub(crate) fn close_window(&mut self) {
        self.window = None;
        self.in_window = false;
        self.landing = None;
        self.held_up = HeldUp::default();
        self.window_number = self.window_number.wrapping_add(1);
        self.bookmarks.retain(|seq| seq.is_live());
    }

    /// The time at the cursor and the line there, where that is in what was read.
    pub(crate) fn place_in_window(
        &self,
        scrollback: &Scrollback,
    ) -> Option<(Time, Option<(SourceId, Cursor)>)> {
        let (seq, entry) = self.entry(scrollback)?;
        let line = entry.line().map(|line| (line.source, line.content.cursor));
        (self.window.is_some() && self.in_window && !seq.is_live())
            .then(|| (entry.time(), self.landing.or(line)))
    }

    /// Whether it shows nothing of the ring.
    #[must_use]
    pub fn is_apart(&self) -> bool {
        self.in_window
            && self
                .window
                .as_ref()
                .is_some_and(|window| window.joined().is_none())
    }

    /// The numbers of the first and the last row on the screen, about.
    pub(crate) fn on_screen(&self, height: u16) -> Option<(usize, usize)> {
        let (index, row) = self.cursor_row(height)?;
        let top = index.saturating_sub(row.into());
        Some((top, top + usize::from(height)))
    }

    /// The number of the first row on the screen that is one of the ring.
    pub(crate) fn first_on_screen(&self, height: u16) -> Option<Seq> {
        let (top, bottom) = self.on_screen(height)?;
        (top..bottom)
            .filter_map(|index| self.seq(index))
            .find(|seq| seq.is_live())
    }

    /// How many rows of the ring before this index are complete: sources may have older lines that
    /// are not read yet.
    pub(crate) fn complete_from(&self) -> usize {
        match &self.window {
            Some(window) if !self.in_window => {
                1 + window.joined().map_or(0, |seq| self.lens.index_of(seq))
            }
            _ => 0,
        }
    }

    /// The row of the ring before which others are to come between what is shown; `None` where all
    /// rows are in order.
    pub(crate) fn floor(&self, scrollback: &Scrollback) -> Option<Seq> {
        match &self.window {
            _ if self.in_window => None,
            Some(window) => window.joined(),
            None => {
                PageWindow::before_live(scrollback, &self.lens, &self.sources(scrollback), Time(0))
                    .joined()
            }
        }
    }

    /// Reads around the cursor where too much lies between the screen and the point from which all
    /// sources have lines to hold it at once.
    pub(crate) fn give_up_ring(&mut self, budget: usize, scrollback: &Scrollback) {
        if self
            .window
            .as_ref()
            .is_some_and(|window| !self.in_window && window.rows().bytes() > budget / 2)
        {
            self.read_around_cursor(scrollback);
        }
    }

    /// Puts the cursor on the line for which it came, once that is there.
    pub(crate) fn land(&mut self, scrollback: &Scrollback) {
        let Some((source, cursor)) = self.landing else {
            return;
        };
        let Some(window) = &self.window else { return };
        let is_it = |entry: &RingEntry| {
            entry
                .line()
                .is_some_and(|line| line.source == source && line.content.cursor == cursor)
        };
        let live = window.joined().map(|joined| scrollback.ring().from(joined));
        let mut rows = window
            .rows()
            .from(Seq::WINDOW)
            .chain(live.into_iter().flatten());
        let found = rows.find(|(_, entry)| is_it(entry)).map(|(seq, _)| seq);
        if let (Some(seq), Some(position)) = (found, self.position.as_mut()) {
            position.seq = seq;
            self.landing = None;
        }
    }

    /// Keeps what was read within its budget, around the cursor.
    pub(crate) fn trim(&mut self, budget: usize, scrollback: &Scrollback) {
        let keep = self.position.map_or(Seq::MAX, |position| position.seq);
        if let Some(window) = self.window.as_mut().filter(|_| self.in_window) {
            window.trim(keep, budget, scrollback);
        }
    }

    /// Puts lines in the place of a gap that was read.
    pub(crate) fn fill_window(&mut self, seq: Seq, lines: Vec<RingEntry>) {
        let Some(window) = &mut self.window else {
            return;
        };
        let by = window.fill(seq, lines);
        let moved = |old: Seq| {
            if old > Seq::NOTICE && old <= seq {
                old - by
            } else {
                old
            }
        };
        if let Some(position) = &mut self.position {
            position.seq = moved(position.seq);
        }
        self.bookmarks = self.bookmarks.iter().map(|&old| moved(old)).collect();
    }

    /// Asks again for what could not be read.
    pub(crate) fn retry(&mut self) {
        if let Some(window) = &mut self.window {
            window.retry();
        }
    }

    /// Follows rows of the ring between which others were put.
    pub(crate) fn follow_woven(&mut self, all: &[Renumbering], scrollback: &Scrollback) {
        for renumbering in all {
            self.renumber_places(renumbering);
        }
        self.lens.renumber(all, scrollback);
    }

    fn renumber_places(&mut self, renumbering: &Renumbering) {
        if let Some(position) = &mut self.position {
            position.seq = renumbering.of_live(position.seq);
            position.since = renumbering.of_live(position.since);
        }
        self.frozen = self.frozen.map(|seq| renumbering.of_live(seq));
        let bookmarks = self.bookmarks.iter();
        self.bookmarks = bookmarks.map(|&seq| renumbering.of_live(seq)).collect();
        if let Some(window) = &mut self.window {
            window.renumber(renumbering);
        }
    }

    /// What was before a place that was filled has lower numbers.
    pub(crate) fn renumber(&mut self, seq: Seq, by: u64, scrollback: &Scrollback) {
        let moved = |old: Seq| {
            if old.is_live() && old < seq {
                old - by
            } else {
                old
            }
        };
        if let Some(position) = &mut self.position {
            position.seq = if position.seq == seq {
                seq - by
            } else {
                moved(position.seq)
            };
        }
        self.bookmarks = self.bookmarks.iter().map(|&old| moved(old)).collect();
        self.look_through(self.lens.filter().clone(), scrollback);
    }
}

/// Where the entries of a pane are looked up by their numbers.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    scrollback: &'a Scrollback,
    window: Option<&'a Ring>,
}

impl<'a> Rows<'a> {
    /// Those of the ring alone.
    #[must_use]
    pub fn live(scrollback: &'a Scrollback) -> Self {
        Self {
            scrollback,
            window: None,
        }
    }

    /// The rows among which this one is.
    #[must_use]
    pub fn ring(&self, seq: Seq) -> &'a Ring {
        self.window
            .filter(|window| window.get(seq).is_some())
            .unwrap_or_else(|| self.scrollback.ring())
    }

    /// An entry.
    #[must_use]
    pub fn get(&self, seq: Seq) -> Option<&'a RingEntry> {
        self.ring(seq).get(seq)
    }

    /// The record that a line belongs to.
    #[must_use]
    pub fn whole(&self, seq: Seq) -> Option<Whole<'a>> {
        self.scrollback.whole_in(self.ring(seq), seq)
    }
}
