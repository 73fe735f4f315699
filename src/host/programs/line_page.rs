//! Pages of lines that come in their order: which lines of a program's output belong to a page.

use crate::host::search::stream::MOST_BYTES;
use crate::model::line::Line;
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
    pub(super) met: bool,
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
                self.met = place.fits(&line.raw);
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

/// Whether a line stands before where a page backwards begins.
pub(super) fn is_before(line: &Line, start: &PageStart) -> bool {
    match start {
        PageStart::Oldest => false,
        PageStart::Newest => true,
        PageStart::At(time) => line.time < *time,
        PageStart::Cursor(place) => line.cursor.offset < place.cursor.offset,
        PageStart::After(place) => line.cursor.offset <= place.cursor.offset,
    }
}
