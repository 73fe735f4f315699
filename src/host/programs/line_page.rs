//! Pages of lines that come in their order: which lines of a program's output belong to a page.

use crate::host::search::stream::{MOST_BYTES, RecentLines};
use crate::model::line::Line;
use crate::model::time::Time;
use crate::query::request::{PageRequest, PageStart};

/// Whether more lines are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum More {
    Wanted,
    Enough,
}

/// A page forwards, from a place on.
pub(super) struct Forwards<'a> {
    page: &'a PageRequest,
    begun: bool,
    /// The line of the cursor was met.
    met: bool,
    pub(super) lines: Vec<Line>,
    bytes: usize,
    pub(super) more: bool,
}

impl<'a> Forwards<'a> {
    pub(super) fn new(page: &'a PageRequest) -> Self {
        Self {
            page,
            begun: false,
            met: false,
            lines: Vec::new(),
            bytes: 0,
            more: false,
        }
    }

    /// From when on its lines are to be read.
    pub(super) fn reads_from(&self) -> Time {
        match self.page.start {
            PageStart::Oldest | PageStart::Newest => self.page.window.start,
            PageStart::At(time) => time.max(self.page.window.start),
            // The places of lines that come in one microsecond depend on those right before them.
            PageStart::Cursor(place) | PageStart::After(place) => {
                let micros = i64::try_from(place.cursor.offset).unwrap_or(i64::MAX);
                Time(micros.saturating_mul(1000).saturating_sub(1_000_000_000))
            }
        }
    }

    /// Whether the page begins at a line that is not there any more.
    pub(super) fn has_missed_cursor(&self) -> bool {
        let has_cursor = matches!(self.page.start, PageStart::Cursor(_) | PageStart::After(_));
        has_cursor && !self.met
    }

    pub(super) fn line(&mut self, line: Line) -> More {
        if !self.begun && !self.begins(&line) {
            return More::Wanted;
        }
        if line.time >= self.page.window.end {
            return More::Enough;
        }
        if line.time < self.page.window.start {
            return More::Wanted;
        }
        if self.lines.len() >= self.page.lines as usize || self.bytes > MOST_BYTES {
            self.more = true;
            return More::Enough;
        }
        self.bytes += line.memory();
        self.lines.push(line);
        More::Wanted
    }

    /// Whether the page begins with this line.
    fn begins(&mut self, line: &Line) -> bool {
        self.begun = match self.page.start {
            PageStart::Oldest => true,
            PageStart::Newest => false,
            PageStart::At(time) => line.time >= time,
            PageStart::Cursor(place) | PageStart::After(place)
                if line.cursor.offset == place.cursor.offset =>
            {
                self.met = place.fits(line.stored());
                self.begun = self.met && matches!(self.page.start, PageStart::After(_));
                return !self.begun;
            }
            PageStart::Cursor(place) | PageStart::After(place) => {
                line.cursor.offset > place.cursor.offset
            }
        };
        self.begun
    }
}

/// A page backwards: the last lines before a place, of those that are read.
pub(super) struct Backwards<'a> {
    page: &'a PageRequest,
    pub(super) lines: RecentLines,
    /// How many lines were read.
    pub(super) read: u32,
    /// How many of them are in the window and before the place.
    before: usize,
    /// How many of these have the time of the first line that was read. Of lines of one moment each
    /// has a place after the one before it: where not all of them were read, their places are not
    /// known.
    doubtful: usize,
    first: Option<Time>,
}

impl<'a> Backwards<'a> {
    pub(super) fn new(page: &'a PageRequest) -> Self {
        Self {
            page,
            lines: RecentLines::default(),
            read: 0,
            before: 0,
            doubtful: 0,
            first: None,
        }
    }

    /// Among how many of the last lines the page may be.
    pub(super) fn first_guess(page: &PageRequest) -> u32 {
        if page.start == PageStart::Newest && page.window.end == Time(i64::MAX) {
            page.lines.saturating_add(64)
        } else {
            page.lines.saturating_mul(4).max(1000)
        }
    }

    pub(super) fn line(&mut self, line: Line) {
        self.read += 1;
        let first = *self.first.get_or_insert(line.time);
        if is_before(&line, &self.page.start) && self.page.window.contains(&line.time) {
            self.before += 1;
            self.doubtful += usize::from(first == line.time);
            self.lines.push(line, self.page.lines as usize);
        }
    }

    /// Whether older lines would not change it.
    pub(super) fn is_complete(&self) -> bool {
        self.before - self.doubtful >= self.page.lines as usize || self.lines.is_full
    }

    /// Whether there are lines before it.
    pub(super) fn has_more(&self) -> bool {
        self.before > self.lines.len()
    }
}

/// Whether a line is before the place where a page backwards begins.
fn is_before(line: &Line, start: &PageStart) -> bool {
    match start {
        PageStart::Oldest => false,
        PageStart::Newest => true,
        PageStart::At(time) => line.time < *time,
        PageStart::Cursor(place) => line.cursor.offset < place.cursor.offset,
        PageStart::After(place) => line.cursor.offset <= place.cursor.offset,
    }
}
