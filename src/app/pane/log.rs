//! A log pane: what it shows of the scrollback, and where in it the operator is.
//!
//! A place is the number of an entry and its row in the pane, so it stays put while lines come at
//! one end and are forgotten at the other.

use std::collections::BTreeSet;

use crate::model::cursor::Cursor;
use crate::model::host::HostId;
use crate::model::level::Level;
use crate::model::line::FleetLine;
use crate::model::source::SourceId;
use crate::model::time::Time;
use crate::query::Query;
use crate::scrollback::{Filter, Lens, PageWindow, RingEntry, Scrollback, Seq, Side};

/// Bytes of lines that one turn of the loop may spend on one pane: about two milliseconds of
/// matching.
const SLICE_BYTES: usize = 1024 * 1024;

mod window;

pub use window::Rows;

/// Memory for lines that a pane has read of the time before the ring.
pub(crate) const WINDOW_BYTES: usize = 16 << 20;

/// Lines without an end that a pane shows: they take the place of others.
const MAX_UNFINISHED: usize = 3;

/// A pane of merged log lines.
#[derive(Debug)]
pub struct LogPane {
    lens: Lens,
    filter: Filter,
    filters_off: bool,
    position: Option<PanePosition>,
    frozen: Option<Seq>,
    window: Option<PageWindow>,
    /// Whether the rows of `window` are seen; before, what the ring has is not in order with them
    /// yet.
    in_window: bool,
    /// Since when rows that have come wait for others.
    pub(crate) held_up: HeldUp,
    /// How many windows there were.
    pub(crate) window_number: u32,
    /// A line that is on its way, to which the cursor will go.
    pub(crate) landing: Option<(SourceId, Cursor)>,
    /// Columns that are scrolled away to the left; means nothing while lines are wrapped.
    pub left: u16,
    /// Long lines go on in the next row.
    pub wrap: bool,
    /// What is highlighted, and what `n` looks for.
    pub search: Option<Query>,
    /// Whether the last search went to newer lines: `n` goes on that way, `N` the other.
    pub(crate) searches_forward: bool,
    bookmarks: BTreeSet<Seq>,
}

/// Since when each end of the window waits for rows, while it does.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct HeldUp {
    pub(crate) older: Option<Time>,
    pub(crate) newer: Option<Time>,
}

impl HeldUp {
    pub(crate) fn side_mut(&mut self, side: Side) -> &mut Option<Time> {
        match side {
            Side::Older => &mut self.older,
            Side::Newer => &mut self.newer,
        }
    }
}

/// Where the operator is, when not following.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PanePosition {
    /// The entry that the cursor is on.
    pub seq: Seq,
    /// Its row in the pane, from the top.
    pub row: u16,
    /// Entries from this number on are new since then.
    pub since: Seq,
}

/// Which entries a jump looks for.
#[derive(Debug, Clone)]
pub enum JumpTarget {
    /// Lines that match.
    Query(Query),
    /// Lines of this level or graver.
    Level(Level),
    /// Lines that are bookmarked.
    Bookmark,
}

impl LogPane {
    /// A pane that shows everything and follows.
    #[must_use]
    pub fn new(scrollback: &Scrollback) -> Self {
        Self {
            lens: Lens::new(Filter::default(), scrollback),
            filter: Filter::default(),
            filters_off: false,
            position: None,
            frozen: None,
            window: None,
            in_window: false,
            held_up: HeldUp::default(),
            window_number: 0,
            landing: None,
            left: 0,
            wrap: false,
            search: None,
            searches_forward: false,
            bookmarks: BTreeSet::new(),
        }
    }

    /// A pane that shows the same at the same place, for a split.
    #[must_use]
    pub fn duplicate(&self, scrollback: &Scrollback) -> Self {
        let position = self.position.filter(|position| position.seq.is_live());
        let mut pane = Self {
            lens: Lens::new(self.lens.filter().clone(), scrollback),
            filter: self.filter.clone(),
            bookmarks: self
                .bookmarks
                .iter()
                .copied()
                .filter(|seq| seq.is_live())
                .collect(),
            search: self.search.clone(),
            window: None,
            in_window: false,
            held_up: HeldUp::default(),
            landing: None,
            position,
            ..*self
        };
        if let Some((time, line)) = self.place_in_window(scrollback) {
            pane.go_to(time, scrollback);
            pane.landing = line;
        }
        pane
    }

    /// Keeps the lens up with the scrollback; true when nothing is left to do.
    pub fn advance(&mut self, scrollback: &Scrollback) -> bool {
        if let Some(window) = &mut self.window {
            let gone = self.lens.gone(scrollback);
            window.absorb(scrollback, &gone);
            self.follow_moved();
            if self
                .position
                .is_some_and(|position| !self.in_window && gone.contains(&position.seq))
            {
                self.read_around_cursor(scrollback);
            }
        }
        let done = self.lens.advance(scrollback, SLICE_BYTES);
        let first = scrollback.ring().first();
        self.bookmarks.retain(|&seq| seq >= first || !seq.is_live());
        done
    }

    /// Entries that the lens has not looked at yet.
    #[must_use]
    pub fn pending(&self, scrollback: &Scrollback) -> usize {
        self.lens.pending(scrollback)
    }

    /// What the operator wants to see here, whether or not it is switched off.
    #[must_use]
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// The hosts that are let through at present; `None`: all.
    #[must_use]
    pub fn lens_hosts(&self) -> Option<&BTreeSet<HostId>> {
        self.lens.filter().hosts.as_ref()
    }

    /// Whether the filters are switched off for the moment.
    #[must_use]
    pub fn filters_off(&self) -> bool {
        self.filters_off
    }

    /// Shows other entries from now on. The place stays at the nearest entry that is still shown.
    pub fn change_filter(&mut self, scrollback: &Scrollback, change: impl FnOnce(&mut Filter)) {
        change(&mut self.filter);
        self.filters_off = false;
        self.look_through(self.filter.clone(), scrollback);
    }

    fn look_through(&mut self, filter: Filter, scrollback: &Scrollback) {
        let place = self.place_in_window(scrollback);
        self.close_window();
        self.lens.set_filter(filter, scrollback);
        self.advance(scrollback);
        if let Some((time, line)) = place {
            self.go_to(time, scrollback);
            self.landing = line;
        }
    }

    /// Switches the filters off, or on again.
    pub fn toggle_filters(&mut self, scrollback: &Scrollback) {
        self.filters_off = !self.filters_off;
        let filter = if self.filters_off {
            Filter::default()
        } else {
            self.filter.clone()
        };
        self.look_through(filter, scrollback);
    }

    /// Shows only these hosts, or all.
    pub fn show_hosts(&mut self, scrollback: &Scrollback, hosts: Option<BTreeSet<HostId>>) {
        self.change_filter(scrollback, |filter| filter.hosts = hosts);
    }

    /// Shows only this host, or all where it is the only one already.
    pub fn show_only_host(&mut self, scrollback: &Scrollback, host: HostId) {
        let only = BTreeSet::from([host]);
        let is_alone = self.filter.hosts.as_ref() == Some(&only);
        self.show_hosts(scrollback, (!is_alone).then_some(only));
    }

    /// Adds a host to those that are shown, or takes it away; all, where none is left.
    pub fn toggle_host(&mut self, scrollback: &Scrollback, host: HostId) {
        let all = scrollback.host_ids();
        let mut hosts = self
            .filter
            .hosts
            .clone()
            .unwrap_or_else(|| all.clone().collect());
        if !hosts.insert(host) {
            hosts.remove(&host);
        }
        let is_filter = !hosts.is_empty() && hosts.len() < all.count();
        self.show_hosts(scrollback, is_filter.then_some(hosts));
    }

    /// Shows only these sources, or all.
    pub fn show_sources(&mut self, scrollback: &Scrollback, sources: Option<BTreeSet<SourceId>>) {
        self.change_filter(scrollback, |filter| filter.sources = sources);
    }

    /// How many entries can be seen here: those that match, up to the moment it was frozen.
    #[must_use]
    pub fn len(&self) -> usize {
        let end = self
            .frozen
            .map_or(self.lens.len(), |seq| self.lens.index_of(seq));
        self.head() + self.live_to(end).saturating_sub(self.live_from())
    }

    /// True where there is nothing to see.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of the entry at an index from 0 (the oldest).
    #[must_use]
    pub fn seq(&self, index: usize) -> Option<Seq> {
        if index >= self.len() {
            return None;
        }
        match (&self.window, index.checked_sub(self.head())) {
            (_, Some(index)) => self.lens.get(self.live_from() + index),
            (Some(window), None) if index > 0 => Some(window.rows().first() + index as u64 - 1),
            _ => Some(Seq::NOTICE),
        }
    }

    /// The index of the entry, or of the one after it where it is not shown.
    #[must_use]
    pub fn index_of(&self, seq: Seq) -> usize {
        let index = match &self.window {
            Some(_) if seq == Seq::NOTICE => 0,
            Some(window) if !seq.is_live() && self.in_window => {
                let rows = window.rows();
                1 + seq.min(rows.end()).rows_after(rows.first())
            }
            _ => self.head() + self.lens.index_of(seq).saturating_sub(self.live_from()),
        };
        index.min(self.len())
    }

    /// Rows before those of the ring.
    fn head(&self) -> usize {
        let Some(window) = &self.window else { return 0 };
        1 + if self.in_window {
            window.rows().len()
        } else {
            0
        }
    }

    /// The index in the lens of the first row of the ring that is seen.
    fn live_from(&self) -> usize {
        match &self.window {
            Some(window) if self.in_window => window
                .joined()
                .map_or(self.lens.len(), |seq| self.lens.index_of(seq)),
            _ => 0,
        }
    }

    fn live_to(&self, end: usize) -> usize {
        end.max(self.live_from())
    }

    /// Where the operator is; `None` while following.
    #[must_use]
    pub fn position(&self) -> Option<PanePosition> {
        self.position
    }

    /// Index of the entry that the cursor is on; the newest while following.
    #[must_use]
    pub fn cursor(&self) -> Option<usize> {
        let last = self.len().checked_sub(1)?;
        Some(
            self.position
                .map_or(last, |position| self.index_of(position.seq).min(last)),
        )
    }

    /// The entry at an index.
    #[must_use]
    pub fn entry_at<'a>(
        &'a self,
        index: usize,
        scrollback: &'a Scrollback,
    ) -> Option<&'a RingEntry> {
        self.rows(scrollback).get(self.seq(index)?)
    }

    /// The entry that the cursor is on.
    #[must_use]
    pub fn entry<'a>(&'a self, scrollback: &'a Scrollback) -> Option<(Seq, &'a RingEntry)> {
        let seq = self.seq(self.cursor()?)?;
        Some((seq, self.rows(scrollback).get(seq)?))
    }

    /// The time of the line under the cursor, or of the one below it where that has none: the row
    /// above the oldest line. `None` while following.
    pub(crate) fn time_seen(&self, scrollback: &Scrollback) -> Option<Time> {
        let time = |index| self.entry_at(index, scrollback).map(RingEntry::time);
        let cursor = self.position.and_then(|_| self.cursor())?;
        time(cursor).or_else(|| time(cursor + 1))
    }

    /// The newest lines without an end that belong below the newest entry, oldest first; none while
    /// the operator looks at something else. A query is asked what it says of them so far.
    #[must_use]
    pub fn unfinished<'a>(&self, scrollback: &'a Scrollback) -> Vec<&'a FleetLine> {
        let is_shown = |line: &&FleetLine| self.lens.filter().admits_line(scrollback, line);
        let mut lines: Vec<_> = scrollback
            .unfinished()
            .into_iter()
            .filter(is_shown)
            .collect();
        lines.drain(
            ..if self.is_following() {
                lines.len().saturating_sub(MAX_UNFINISHED)
            } else {
                lines.len()
            },
        );
        lines
    }

    /// How many entries have come that cannot be seen from here.
    #[must_use]
    pub fn unseen(&self) -> usize {
        let since = [self.frozen, self.position.map(|position| position.since)]
            .into_iter()
            .flatten()
            .min();
        since.map_or(0, |seq| self.lens.len() - self.lens.index_of(seq))
    }

    /// True while new lines move the pane.
    #[must_use]
    pub fn is_following(&self) -> bool {
        self.position.is_none() && self.frozen.is_none()
    }

    /// True while the pane is held as it is.
    #[must_use]
    pub fn is_frozen(&self) -> bool {
        self.frozen.is_some()
    }

    /// Goes to the newest line and stays there.
    pub fn follow(&mut self) {
        self.position = None;
        self.frozen = None;
        self.close_window();
    }

    /// Holds the pane as it is, or lets it go on.
    pub fn freeze(&mut self, scrollback: &Scrollback, hold: bool) {
        self.frozen = hold.then(|| self.frozen.unwrap_or(scrollback.ring().end()));
    }

    /// Moves the cursor; past the newest line, follows.
    pub fn move_cursor(&mut self, delta: i64, height: u16, scrollback: &Scrollback) {
        // Who moves does not want to be taken elsewhere any more.
        self.landing = None;
        let Some((index, row)) = self.cursor_row(height) else {
            return self.scroll_back(delta, scrollback);
        };
        let target = index as i64 + delta;
        if target >= self.len() as i64 {
            return self.catch_up(height, scrollback);
        }
        let target = usize::try_from(target).unwrap_or(0);
        let moved = i64::from(row) + (target as i64 - index as i64);
        let row = moved.clamp(0, i64::from(height.saturating_sub(1)));
        self.put_cursor(target, u16::try_from(row).unwrap_or(0), height, scrollback);
    }

    /// Moves what is seen; the cursor stays on its row. Past the newest line, follows.
    pub fn scroll(&mut self, delta: i64, height: u16, scrollback: &Scrollback) {
        self.landing = None;
        let Some((index, row)) = self.cursor_row(height) else {
            return self.scroll_back(delta, scrollback);
        };
        let target = index as i64 + delta;
        let last_row = usize::from(height.saturating_sub(1));
        if delta > 0 && target + last_row.saturating_sub(row.into()) as i64 >= self.len() as i64 {
            return self.catch_up(height, scrollback);
        }
        self.put_cursor(
            usize::try_from(target).unwrap_or(0),
            row,
            height,
            scrollback,
        );
    }

    /// Where nothing is shown, going up is asking for what is older.
    fn scroll_back(&mut self, delta: i64, scrollback: &Scrollback) {
        if delta < 0 {
            self.position = Some(PanePosition {
                seq: Seq::NOTICE,
                row: 0,
                since: scrollback.ring().end(),
            });
        }
    }

    /// The line below the notice, where the cursor is on that: it stays there when older lines come
    /// between.
    pub(crate) fn below_notice(&self) -> Option<Seq> {
        self.position
            .filter(|position| position.seq == Seq::NOTICE)
            .and_then(|_| self.seq(1))
    }

    /// Takes the cursor from the notice to that line, which stays on its row, or to the newest,
    /// where older lines have come.
    pub(crate) fn step_off_notice(&mut self, below: Option<Seq>, height: u16) {
        let is_shown = |seq: Seq| self.seq(self.index_of(seq)) == Some(seq);
        let has_come = below.map_or(self.len() > 1, |seq| {
            is_shown(seq) && self.index_of(seq) > 1
        });
        let last = self.len().checked_sub(1).and_then(|last| self.seq(last));
        if let Some(position) = self
            .position
            .as_mut()
            .filter(|position| position.seq == Seq::NOTICE && has_come)
        {
            position.seq = below.or(last).unwrap_or(Seq::NOTICE);
            let bottom = height.saturating_sub(1);
            position.row = if below.is_some() {
                position.row.saturating_add(1).min(bottom)
            } else {
                bottom
            };
        }
    }

    /// Puts the cursor on the entry at an index, in the middle of the pane where it was not on it
    /// already.
    pub fn jump(&mut self, index: usize, height: u16, scrollback: &Scrollback) {
        self.landing = None;
        let Some((here, row)) = self.cursor_row(height) else {
            return;
        };
        let moved = i64::from(row) + index as i64 - here as i64;
        let on_screen = (0..i64::from(height)).contains(&moved);
        let row = if on_screen {
            u16::try_from(moved).unwrap_or(0)
        } else {
            height / 2
        };
        self.put_cursor(
            index.min(self.len().saturating_sub(1)),
            row,
            height,
            scrollback,
        );
    }

    /// Scrolls sideways.
    pub fn scroll_sideways(&mut self, columns: i32) {
        let left = i32::from(self.left)
            .saturating_add(columns)
            .clamp(0, i32::from(u16::MAX));
        self.left = u16::try_from(left).unwrap_or(0);
    }

    /// Bookmarks the line under the cursor, or takes the bookmark away. True if it is bookmarked
    /// now.
    pub fn toggle_bookmark(&mut self) -> Option<bool> {
        let seq = self.seq(self.cursor()?)?;
        let added = self.bookmarks.insert(seq);
        if !added {
            self.bookmarks.remove(&seq);
        }
        Some(added)
    }

    /// Whether an entry is bookmarked here.
    #[must_use]
    pub fn is_bookmarked(&self, seq: Seq) -> bool {
        self.bookmarks.contains(&seq)
    }

    /// The cursor's index and row; while following, the newest line on the last row.
    fn cursor_row(&self, height: u16) -> Option<(usize, u16)> {
        let index = self.cursor()?;
        let row = self.position.map_or(u16::MAX, |position| position.row);
        Some((index, self.fitting_row(index, row, height)))
    }

    fn put_cursor(&mut self, index: usize, row: u16, height: u16, scrollback: &Scrollback) {
        let since = self
            .position
            .map_or(scrollback.ring().end(), |position| position.since);
        if let Some(seq) = self.seq(index) {
            self.position = Some(PanePosition {
                seq,
                row: self.fitting_row(index, row, height),
                since,
            });
        }
    }

    /// The row nearest to `row` that leaves no row empty above the oldest entry or below the
    /// newest.
    fn fitting_row(&self, index: usize, row: u16, height: u16) -> u16 {
        let bottom = usize::from(height.saturating_sub(1));
        let below = self.len().saturating_sub(1).saturating_sub(index);
        let lowest = bottom.min(index);
        let highest = bottom.saturating_sub(below).min(lowest);
        u16::try_from(usize::from(row).clamp(highest, lowest)).unwrap_or(0)
    }

    /// Past the newest line: follows, or stays where more is to be read before the ring is reached.
    fn catch_up(&mut self, height: u16, scrollback: &Scrollback) {
        if self.is_apart() {
            return self.put_cursor(self.len().saturating_sub(1), u16::MAX, height, scrollback);
        }
        self.position = None;
        self.close_window();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::fixture;
    use crate::model::time::Time;
    use crate::model::update::Update;
    use crate::query::ReferenceTime;

    fn add(scrollback: &mut Scrollback, lines: &[(u32, bool, &str)]) {
        let line = |&(source, continues, text): &(u32, bool, &str)| {
            let mut line = fixture::line(0, 0, text.as_bytes());
            line.source = SourceId(source);
            line.content.continues = continues;
            line
        };
        scrollback.apply(
            vec![Update::Lines(lines.iter().map(line).collect())],
            Time(0),
        );
    }

    #[test]
    fn the_cursor_goes_to_the_next_line_when_its_own_no_longer_matches() {
        let mut scrollback = Scrollback::new(&[], 1 << 20);
        add(
            &mut scrollback,
            &[
                (0, false, "no luck"),
                (1, false, "other"),
                (2, false, "third"),
            ],
        );
        let mut pane = LogPane::new(&scrollback);
        let query = Query::parse("-cart", &ReferenceTime::default()).ok();
        pane.change_filter(&scrollback, |filter| filter.query = query);
        pane.move_cursor(-2, 10, &scrollback);
        assert_eq!(
            (pane.entry(&scrollback).map(|(seq, _)| seq), pane.len()),
            (Some(Seq::BEGIN), 3)
        );
        add(
            &mut scrollback,
            &[(0, true, "  at Cart.add"), (2, true, "  at Cart.main")],
        );
        while !pane.advance(&scrollback) {}
        assert_eq!(
            (
                pane.entry(&scrollback).map(|(seq, _)| seq),
                pane.len(),
                pane.unseen()
            ),
            (Some(Seq::BEGIN + 1), 1, 0)
        );
        add(&mut scrollback, &[(1, true, "cart")]);
        while !pane.advance(&scrollback) {}
        assert_eq!(
            (
                pane.entry(&scrollback).map(|(seq, _)| seq),
                pane.cursor(),
                pane.len()
            ),
            (None, None, 0)
        );
        pane.move_cursor(-1, 10, &scrollback);
        add(&mut scrollback, &[(1, false, "fine")]);
        while !pane.advance(&scrollback) {}
        assert_eq!(
            (pane.entry(&scrollback).map(|(seq, _)| seq), pane.unseen()),
            (Some(Seq::BEGIN + 6), 1)
        );
    }
}
