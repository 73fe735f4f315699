//! How far a pane of text is scrolled.

use std::cell::Cell;

/// How many rows are scrolled away at the top, and how many can be.
#[derive(Debug)]
pub struct Scroll {
    offset: u16,
    /// The one thing that only drawing knows and keys need.
    limit: Cell<u16>,
}

impl Default for Scroll {
    fn default() -> Self {
        Self {
            offset: 0,
            limit: Cell::new(u16::MAX),
        }
    }
}

impl Scroll {
    /// Rows that are scrolled away.
    #[must_use]
    pub fn offset(&self) -> u16 {
        self.offset
    }

    /// Notes how far it can be scrolled.
    pub fn set_limit(&self, rows: u16) {
        self.limit.set(rows);
    }

    /// Scrolls down.
    pub fn down(&mut self, rows: u16) {
        self.offset = self.offset.saturating_add(rows).min(self.limit.get());
    }

    /// Scrolls up.
    pub fn up(&mut self, rows: u16) {
        self.offset = self.offset.saturating_sub(rows);
    }

    /// Scrolls to the first row.
    pub fn to_top(&mut self) {
        self.offset = 0;
    }

    /// Scrolls to the last rows.
    pub fn to_bottom(&mut self) {
        self.offset = self.limit.get();
    }
}
