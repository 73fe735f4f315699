//! Stamps: the time that a line says it was written.
//!
//! [`Stamper`] decides which format a source has and where in its lines the stamp stands; what a format looks like is
//! left to `formats`, a table with a small parser for each.

mod clock;
mod format;
mod formats;

use std::ops::Range;

pub use clock::HostClock;
pub use format::TimeFormat;
use formats::{Clock, FORMATS, Format, Place};

use super::record::{Time, TimeFrom};

/// How far into a line a stamp may begin: behind a priority, an address, a container's name or a user.
const PREFIX_BYTES: usize = 96;

/// How far into a line a field with the time may begin.
const FIELD_BYTES: usize = 2048;

/// So many lines in a row without the known stamp (a long stack trace has about half of it), and the format is
/// looked for everywhere again, not only at the places where it would be no coincidence.
const PATIENCE: u32 = 100;

/// Lines of a sample that are looked at.
const SAMPLE_LINES: usize = 500;

/// Finds the stamps of one source: detects the format from its lines, remembers it, and detects again when it
/// stops fitting.
#[derive(Debug, Clone)]
pub struct Stamper {
    clock: HostClock,
    known: Option<Known>,
    /// The format is the inventory's, not found by us.
    pinned: bool,
    /// Lines in a row that did not have it.
    misses: u32,
    previous: Option<Time>,
}

/// What was found of a line's time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamped {
    /// The time that orders the line.
    pub time: Time,
    /// Where it comes from.
    pub from: TimeFrom,
    /// Which bytes of the line are its stamp, where it has one.
    pub span: Option<Range<usize>>,
}

/// A format and the place where it was seen last.
#[derive(Debug, Clone, Copy)]
struct Known {
    format: &'static Format,
    at: usize,
}

impl Stamper {
    /// For a source of a host with this clock (for stamps without a zone, and since boot).
    #[must_use]
    pub fn new(clock: &HostClock) -> Self {
        Self { clock: clock.clone(), known: None, pinned: false, misses: 0, previous: None }
    }

    /// The same for a source whose format the inventory gives.
    #[must_use]
    pub fn with_format(clock: &HostClock, format: &TimeFormat) -> Self {
        let known = Some(Known { format: format.named(), at: 0 });
        Self { known, pinned: true, ..Self::new(clock) }
    }

    /// Whether the format is still in doubt, so that a sample of lines ([`learn`](Self::learn)) would help.
    #[must_use]
    pub fn wants_sample(&self) -> bool {
        !self.pinned && self.known.is_none()
    }

    /// Decides the format from lines of the source that follow each other, the last of them read at `now`.
    pub fn learn(&mut self, sample: &mut dyn Iterator<Item = &[u8]>, now: Time) {
        for line in sample.take(SAMPLE_LINES) {
            if self.known.is_none() {
                self.known = detect(line, &Clock { zone: &self.clock.zone, now }).map(|(known, _)| known);
            }
        }
    }

    /// The name of the format that the lines have, as far as it is known.
    #[must_use]
    pub fn format(&self) -> Option<&'static str> {
        self.known.map(|known| known.format.name)
    }

    /// The time of a line that was read at `now`. Lines without a stamp have the time of the line before.
    pub fn stamp(&mut self, line: &[u8], now: Time) -> Stamped {
        let zone = self.clock.zone.clone();
        let (time, from) = match self.find(line, &Clock { zone: &zone, now }) {
            Some(time) => {
                self.previous = Some(time);
                (time, TimeFrom::Stamp)
            }
            None => match self.previous {
                Some(previous) => (previous, TimeFrom::Previous),
                None => (now, TimeFrom::Arrival),
            },
        };
        Stamped { time, from, span: None }
    }

    fn find(&mut self, line: &[u8], clock: &Clock<'_>) -> Option<Time> {
        let Some(known) = self.known else {
            let (found, time) = detect(line, clock)?;
            self.known = Some(found);
            return Some(time);
        };
        let found = match fits(known, self.pinned, line, clock) {
            None if !self.pinned => self.find_other(known, line, clock),
            found => found,
        };
        match found {
            Some((found, time)) => {
                self.known = Some(found);
                self.misses = 0;
                Some(time)
            }
            None => {
                self.misses = self.misses.saturating_add(1);
                None
            }
        }
    }

    /// Another format in a line that has not the known one. Most such lines continue a record and may well contain
    /// some date; a stamp that takes the place of the known one is believed at once, others when nothing fits for long.
    fn find_other(&self, known: Known, line: &[u8], clock: &Clock<'_>) -> Option<(Known, Time)> {
        if self.misses >= PATIENCE {
            return detect(line, clock);
        }
        if line.first().is_none_or(|b| b" \t".contains(b)) {
            return None;
        }
        detect(line, clock).filter(|(found, _)| found.at <= known.at.min(1) || found.format.place == Place::Field)
    }
}

/// The known format in a line: where it was, or anywhere near if the lines have a prefix. Where stamps begin the
/// lines, one that stands further on is not the stamp of a line but a part of its message.
fn fits(known: Known, pinned: bool, line: &[u8], clock: &Clock<'_>) -> Option<(Known, Time)> {
    let Known { format, at } = known;
    match format.place {
        Place::Field => Some((known, (format.parse)(line.get(..FIELD_BYTES).unwrap_or(line), clock)?)),
        Place::Anywhere | Place::Start => {
            if let Some(time) = line.get(at..).and_then(|text| (format.parse)(text, clock))
                && begins_word(line, at)
            {
                return Some((known, time));
            }
            if at == 0 && !pinned {
                return None;
            }
            candidates(line).find_map(|at| Some((Known { format, at }, format.may_be_at(line, at, clock)?)))
        }
    }
}

/// The first stamp of any format.
fn detect(line: &[u8], clock: &Clock<'_>) -> Option<(Known, Time)> {
    let fields = line.get(..FIELD_BYTES).unwrap_or(line);
    let in_fields = || {
        let formats = FORMATS.iter().filter(|format| format.place == Place::Field);
        formats.into_iter().find_map(|format| Some((Known { format, at: 0 }, (format.parse)(fields, clock)?)))
    };
    let in_place = || {
        candidates(line).find_map(|at| {
            let formats = FORMATS.iter().filter(|format| format.place != Place::Field);
            formats.into_iter().find_map(|format| Some((Known { format, at }, format.may_be_at(line, at, clock)?)))
        })
    };
    // The fields of an object are what it says of itself; a date elsewhere in it may be anything.
    if line.trim_ascii_start().first() == Some(&b'{') {
        in_fields().or_else(in_place)
    } else {
        in_place().or_else(in_fields)
    }
}

impl Format {
    fn may_be_at(&self, line: &[u8], at: usize, clock: &Clock<'_>) -> Option<Time> {
        // Something short and without letters may stand before a stamp that has to begin its line: `[`.
        if self.place == Place::Start && line.get(..at)?.iter().any(u8::is_ascii_alphanumeric) {
            return None;
        }
        (self.parse)(line.get(at..)?, clock)
    }
}

/// Where a stamp may begin: at the start of a word, with a digit or a capital.
fn candidates(line: &[u8]) -> impl Iterator<Item = usize> {
    let head = line.get(..PREFIX_BYTES).unwrap_or(line);
    let starts = head.iter().enumerate().filter(|(_, b)| b.is_ascii_digit() || b.is_ascii_uppercase());
    starts.map(|(at, _)| at).filter(|&at| begins_word(line, at))
}

fn begins_word(line: &[u8], at: usize) -> bool {
    let before = line.get(..at).unwrap_or_default();
    before.last().is_none_or(|b| !b.is_ascii_alphanumeric()) || ends_colour(before)
}

/// Whether a text ends in `ESC [ … m`, as programs write that take a log for a terminal.
fn ends_colour(text: &[u8]) -> bool {
    let Some(text) = text.strip_suffix(b"m") else { return false };
    let numbers = text.iter().rev().take_while(|b| b.is_ascii_digit() || **b == b';').count();
    text[..text.len() - numbers].ends_with(b"\x1b[")
}

#[cfg(test)]
mod tests;
