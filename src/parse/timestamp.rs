//! Stamps: the time that a line says it was written.
//!
//! [`TimestampReader`] reads the lines of one source: it finds out which formats they have and
//! where their stamps are, keeps to that, and looks again when it stops fitting. What formats look
//! like is left to `notation`, a table with a small parser for each; where stamps are in a line to
//! `layout`, what a sample of lines proves to `learn`, years and other things that stamps leave
//! open to `clock` and `zone`, logs with a head of their own to `w3c`, formats that the
//! inventory gives to `format`, and times that people type to `typed`.

mod calendar;
mod clock;
mod counted;
mod east_asian;
mod expression;
mod fields;
mod format;
mod formats;
mod hour;
mod iis;
mod key;
mod layout;
mod learn;
mod moment;
mod names;
mod notation;
mod pattern;
mod scan;
mod spots;
mod typed;
mod w3c;
mod zone;

use std::ops::Range;

use clock::MomentResolver;
pub use format::TimeFormat;
use key::LastTimestamp;
pub use key::TimeKey;
use layout::{
    StampCandidate, TimestampLayout, detect, is_object, is_of_our_time, is_part_with_time,
    may_be_stamped,
};
use learn::MOST_LAYOUTS;
use moment::{ParsedStamp, WrittenMoment};
use notation::StampPlace;
use spots::is_behind_tag;
pub use typed::{PlainTime, TypedStamp};
use w3c::W3cHeader;

use super::bytes::{split_digits, within};
use crate::model::source::UNKNOWN_ZONE;
use crate::model::time::{HostClock, Time, TimeSource};

/// So many lines in a row without a known stamp (a long stack trace has about half of it), and one
/// is looked for everywhere again, not only at the places where it would be no coincidence.
const PATIENCE: u32 = 100;

/// Lines after which a sample has shown what there is to see.
const SAMPLE_LINES: usize = 64;

/// Lines in which a stamp would have been found if they had one.
const ENOUGH_LINES: usize = 16;

/// So much of each line of a sample is kept until then.
const SAMPLE_BYTES: usize = 4096;

/// So much of all of them: of lines that long, fewer tell.
const SAMPLE_ALL_BYTES: usize = 64 * 1024;

/// A source that has had so many lines without a sample will not be helped by one.
const SAMPLED_LATE: u32 = 10_000;

/// A line whose time is so near to that of its arrival is read as it is written.
const LIVE_NANOS: u64 = 600 * 1_000_000_000;

/// A format with little to recognise it by must fit the times before it to be believed of a single
/// line.
const LEAP_NANOS: u64 = 24 * 3600 * 1_000_000_000;

/// Finds the stamps of one source.
#[derive(Debug, Clone)]
pub struct TimestampReader {
    calendar: MomentResolver,
    /// The inventory's, and where it was seen last.
    given: Option<(TimeFormat, usize)>,
    /// Found out, the last one that fitted first.
    layouts: Vec<TimestampLayout>,
    /// Of a W3C log, or empty.
    header: W3cHeader,
    /// Lines in a row that had no known stamp.
    misses: u32,
    lines: u32,
    previous: Option<Time>,
    example: Option<LastTimestamp>,
    /// The line before was read as it was written.
    live: bool,
    /// The entry of a slow log has its time already, and another one of its second line is not
    /// needed.
    slow_entry: bool,
    /// The same of the alert that the line before has begun.
    alert: bool,
    /// The layouts are those of a sample, also if there are none.
    is_learnt: bool,
    sample: StampSample,
}

/// The beginnings of lines, until there are enough to learn from.
#[derive(Debug, Clone, Default)]
struct StampSample {
    heads: Vec<Box<[u8]>>,
    /// In all of them.
    bytes: usize,
    is_done: bool,
}

impl StampSample {
    /// Keeps the beginnings of lines, as many as there is room for.
    fn take(&mut self, lines: &mut dyn Iterator<Item = &[u8]>) {
        for line in lines.filter(|line| !line.is_empty()) {
            if self.is_full() {
                return;
            }
            let (line, _) = body(line);
            let head = within(line, SAMPLE_BYTES);
            self.bytes += head.len();
            self.heads.push(head.into());
        }
    }

    fn is_full(&self) -> bool {
        self.heads.len() >= SAMPLE_LINES || self.bytes >= SAMPLE_ALL_BYTES
    }
}

/// What was found of a line's time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedTime {
    /// The time that orders the line.
    pub time: Time,
    /// Where it comes from.
    pub from: TimeSource,
    /// Which bytes of the line are its stamp, where it has one.
    pub span: Option<Range<usize>>,
}

impl TimestampReader {
    /// For a source of a host with this clock (for stamps without a zone, and since boot).
    #[must_use]
    pub fn new(clock: &HostClock) -> Self {
        Self {
            calendar: MomentResolver::new(clock),
            given: None,
            layouts: Vec::with_capacity(MOST_LAYOUTS),
            header: W3cHeader::default(),
            misses: 0,
            lines: 0,
            previous: None,
            example: None,
            live: false,
            slow_entry: false,
            alert: false,
            is_learnt: false,
            sample: StampSample::default(),
        }
    }

    /// The same for a source whose format the inventory gives: no other is looked for.
    #[must_use]
    pub fn with_format(clock: &HostClock, format: &TimeFormat) -> Self {
        Self {
            given: Some((format.clone(), 0)),
            ..Self::new(clock)
        }
    }

    /// The clock of the host is another one now: it was started again, or its zone was changed.
    /// What is known of the source is kept.
    pub fn set_clock(&mut self, clock: &HostClock) {
        self.calendar = self.calendar.with_clock(clock);
    }

    /// The same for the file with this path, whose name may have a day.
    #[must_use]
    pub fn of_file(self, path: &str) -> Self {
        Self {
            calendar: self.calendar.of_file(path),
            ..self
        }
    }

    /// The name of the format that the last stamped line had; [`UNKNOWN_ZONE`] where all that keeps
    /// it from being read is its zone.
    #[must_use]
    pub fn format(&self) -> Option<&'static str> {
        match &self.given {
            Some((format, _)) => Some(format.name()),
            None if self.header.has_columns() => Some("w3c"),
            None if self.calendar.has_unknown_zone => Some(UNKNOWN_ZONE),
            None => self.layouts.first().map(|layout| layout.format.name),
        }
    }

    /// Whether the last stamp was a time of day alone, whose day is a guess.
    #[must_use]
    pub fn is_undated(&self) -> bool {
        self.example.as_ref().is_some_and(LastTimestamp::is_undated)
    }

    /// How a program that knows nothing of stamps can compare those of this source; `None` where it
    /// cannot, or there was none yet.
    #[must_use]
    pub fn key(&self) -> Option<TimeKey> {
        let example = self.example.as_ref()?;
        if self.calendar.has_unknown_zone {
            return None;
        }
        let (zone, mixed) = self.calendar.zone_of(example.zone(), self.previous?);
        let key = TimeKey::new(self.format()?, example, zone, mixed)?;
        Some(key.of_calendar(self.calendar.file))
    }

    /// Whether lines that follow each other would help to tell the format: [`learn`](Self::learn)
    /// takes them. Becomes false after a few dozen lines, and true again when the format stops
    /// fitting.
    #[must_use]
    pub fn wants_sample(&self) -> bool {
        self.given.is_none() && !self.sample.is_done && self.lines < SAMPLED_LATE
    }

    /// Decides the format from lines of the source that follow each other, the last of them read at
    /// `now`, before they are stamped. May be called again with the lines after those while
    /// [`wants_sample`](Self::wants_sample) says so.
    pub fn learn(&mut self, sample: &mut dyn Iterator<Item = &[u8]>, now: Time) {
        if !self.wants_sample() {
            return;
        }
        let before = self.sample.heads.len();
        self.sample.take(sample);
        let count = self.sample.heads.len();
        // One line at a time would otherwise be looked at as often as there are lines.
        if count / 4 == before / 4 && !self.sample.is_full() {
            return;
        }
        self.learn_from_sample(now);
        if self.sample.is_full() {
            self.sample = StampSample {
                is_done: true,
                ..StampSample::default()
            };
        }
    }

    fn learn_from_sample(&mut self, now: Time) {
        let heads: Vec<&[u8]> = self.sample.heads.iter().map(|line| &**line).collect();
        let layouts = learn::learn(&heads, &mut self.calendar, now);
        if !layouts.is_empty() {
            // What single lines were thought to say before may be a date that a message quotes.
            if self.previous.is_none() || !self.is_learnt {
                let begin = begin_of_clock(&layouts, &heads, &mut self.calendar, now);
                self.previous = begin.or(self.previous);
            }
            self.misses = 0;
        }
        if !layouts.is_empty() || heads.len() >= ENOUGH_LINES {
            self.adopt(layouts);
        }
    }

    /// What a sample proved goes before all that was known. The first one also says what was no
    /// stamp; a later one may be of nothing but a stack trace.
    fn adopt(&mut self, mut layouts: Vec<TimestampLayout>) {
        if self.is_learnt {
            self.layouts
                .retain(|known| !layouts.iter().any(|layout| layout.is_like(known)));
            layouts.append(&mut self.layouts);
            layouts.truncate(MOST_LAYOUTS);
        }
        self.layouts = layouts;
        self.is_learnt = true;
    }

    /// The time of a line that was there at `now`: when its file was written to, where that is
    /// known, or now. Days and years that the stamp leaves out are the last ones before. Lines without a stamp have the time of the line
    /// before.
    pub fn stamp(&mut self, line: &[u8], now: Time) -> ParsedTime {
        self.lines = self.lines.saturating_add(1);
        let (text, skipped) = body(line);
        let Some((found, time)) = self.find(text, now) else {
            self.miss();
            return self.unstamped(now);
        };
        self.misses = 0;
        self.calendar.has_unknown_zone = false;
        self.live = time.0.abs_diff(now.0) < LIVE_NANOS;
        self.previous = Some(time);
        self.example = Some(LastTimestamp::new(found.moment, text, found.start));
        ParsedTime {
            time,
            from: TimeSource::Stamp,
            span: Some(found.start + skipped..found.end + skipped),
        }
    }

    fn unstamped(&self, now: Time) -> ParsedTime {
        let from = match self.previous {
            Some(_) => TimeSource::Previous,
            None => TimeSource::Arrival,
        };
        ParsedTime {
            time: self.previous.unwrap_or(now),
            from,
            span: None,
        }
    }

    /// A line had no stamp. After many of them what is known no longer fits, and a sample is
    /// wanted: less and less often in a source that has no stamps.
    fn miss(&mut self) {
        self.misses = self.misses.saturating_add(1);
        if self.misses == PATIENCE {
            self.header = W3cHeader::default();
        }
        let turn = self.misses / PATIENCE;
        if self.misses.is_multiple_of(PATIENCE) && turn.is_power_of_two() && self.given.is_none() {
            self.sample = StampSample::default();
            self.lines = 0;
        }
    }

    fn find(&mut self, line: &[u8], now: Time) -> Option<(ParsedStamp, Time)> {
        if let Some((format, at)) = &mut self.given
            && format.name() != "w3c"
        {
            let found = format.find(line, at, &self.calendar.names)?;
            return self.time(found, now);
        }
        let first = *line.first()?;
        if first == b'#' && line.get(1).is_some_and(u8::is_ascii_uppercase) {
            let found = self.header.read(line, &self.calendar.names)?;
            return self.time(found, now);
        }
        if self.is_said_already(line, first) {
            return None;
        }
        if self.header.has_columns() || self.given.is_some() {
            return self.in_columns(line, now);
        }
        self.known(line, now).or_else(|| self.other(line, now))
    }

    #[inline]
    fn time(&mut self, found: ParsedStamp, now: Time) -> Option<(ParsedStamp, Time)> {
        let is_live = self.live && matches!(found.moment, WrittenMoment::Clock(..));
        // A line of the year 9999 must not decide the day, or the side of a fold, of those after
        // it.
        let previous = self
            .previous
            .filter(|&previous| !is_live && is_possible(previous, now));
        self.calendar
            .time(found.moment, now, previous)
            .map(|time| (found, time))
    }

    fn in_columns(&mut self, line: &[u8], now: Time) -> Option<(ParsedStamp, Time)> {
        let found = match &mut self.given {
            Some((format, at)) if !self.header.has_columns() => {
                format.find(line, at, &self.calendar.names)?
            }
            _ => self.header.find(line, &self.calendar.names)?,
        };
        self.time(found, now)
    }

    /// The stamp in one of the layouts that are known.
    #[inline]
    fn known(&mut self, line: &[u8], now: Time) -> Option<(ParsedStamp, Time)> {
        for at in 0..self.layouts.len() {
            let Some((layout, found)) = self.layouts[at].find(line, &self.calendar.names) else {
                continue;
            };
            if let Some(found) = self.time(found, now) {
                self.layouts[at].at = layout.at;
                self.layouts.swap(0, at);
                return Some(found);
            }
        }
        None
    }

    /// An entry of a slow log usually has its time in its first line, and again further down; an
    /// alert of OSSEC has it again in the second.
    #[inline]
    fn is_said_already(&mut self, line: &[u8], first: u8) -> bool {
        match first {
            b'#' if line.starts_with(b"# Time: ") => {
                self.slow_entry = true;
                false
            }
            b'*' if line.starts_with(b"** Alert ") => {
                self.alert = true;
                false
            }
            b'0'..=b'9' if self.alert => {
                self.alert = false;
                true
            }
            b'S' if self.slow_entry && line.starts_with(b"SET timestamp=") => {
                self.slow_entry = false;
                true
            }
            _ => false,
        }
    }

    /// Another format in a line that has none of the known ones. Most such lines continue a record
    /// and may well contain some date; a stamp that takes the place of the known one is believed at
    /// once, others when nothing fits for long.
    fn other(&mut self, line: &[u8], now: Time) -> Option<(ParsedStamp, Time)> {
        let knows = self.is_learnt || !self.layouts.is_empty();
        let is_indented = matches!(line.first(), Some(b' ' | b'\t'));
        let is_passed_over = || is_indented && self.misses < PATIENCE && !is_part_with_time(line);
        if knows && (is_passed_over() || !may_be_stamped(line)) {
            return None;
        }
        let StampCandidate { layout, found, .. } = detect(line, &mut self.calendar, now)?;
        // Where objects have a member for their time, another date in one of them is none.
        let is_member = |known: &TimestampLayout| known.format.name == "json";
        if layout.format.place != StampPlace::Field
            && self.layouts.iter().any(is_member)
            && is_object(line)
        {
            return None;
        }
        let (found, time) = self.time(found, now)?;
        if knows && !self.believes(layout, time, line, now) {
            return None;
        }
        self.layouts.retain(|known| !known.is_like(&layout));
        self.layouts.truncate(MOST_LAYOUTS - 1);
        self.layouts.insert(0, layout);
        Some((found, time))
    }

    fn believes(&self, layout: TimestampLayout, time: Time, line: &[u8], now: Time) -> bool {
        let in_place =
            layout.word == 0 || self.layouts.iter().any(|known| layout.word <= known.word);
        let near = self
            .previous
            .is_none_or(|previous| previous.0.abs_diff(time.0) < LEAP_NANOS);
        let present = now.0.abs_diff(time.0) < LEAP_NANOS;
        if !near && !is_possible(time, now) {
            return false;
        }
        let is_told = present || (near && self.previous.is_some());
        if self.misses >= PATIENCE && is_told {
            return true;
        }
        match layout.format.place {
            StampPlace::Field => layout.at == 0 || near,
            StampPlace::Anywhere => {
                layout.word == 0
                    || (in_place && is_told)
                    || (near && self.is_bracketed(layout, line))
                    || (near && self.is_tagged(layout, line))
            }
            StampPlace::Start | StampPlace::Proved => in_place && near,
        }
    }

    /// A part of the program that has the format of the others, and its name before it: `[GIN]
    /// 2026/11/20 - 13:00:01`.
    fn is_tagged(&self, layout: TimestampLayout, line: &[u8]) -> bool {
        let has_format = |known: &TimestampLayout| known.format == layout.format;
        is_behind_tag(line, layout.at) && self.layouts.iter().any(has_format)
    }

    /// Nobody writes the brackets of an access log in a message, nor those in which the source has
    /// its stamps.
    fn is_bracketed(&self, layout: TimestampLayout, line: &[u8]) -> bool {
        let has_mark = |known: &TimestampLayout| {
            known.format == layout.format && known.before == layout.before
        };
        let is_mark = layout.before == Some(b'[');
        (layout.format.name == "access" && line[..layout.at].ends_with(b"["))
            || (is_mark && self.layouts.iter().any(has_mark))
    }
}

/// Whether a line may have been written then, as far as our clock tells.
fn is_possible(time: Time, now: Time) -> bool {
    time >= Time(0) && is_of_our_time(time, now)
}

/// A line without the priority of syslog and the mark of an encoding, and how long those are.
#[inline]
fn body(line: &[u8]) -> (&[u8], usize) {
    match line.first() {
        Some(b'<') => {
            let (digits, rest) = split_digits(&within(line, 6)[1..]);
            let has_priority = (1..4).contains(&digits.len()) && rest.starts_with(b">");
            let skipped = if has_priority { digits.len() + 2 } else { 0 };
            (&line[skipped..], skipped)
        }
        Some(0xef) if line.starts_with(b"\xef\xbb\xbf") => (&line[3..], 3),
        _ => (line, 0),
    }
}

/// The moment of the first of several times of day, the last of which is before `now`.
fn begin_of_clock(
    layouts: &[TimestampLayout],
    lines: &[&[u8]],
    calendar: &mut MomentResolver,
    now: Time,
) -> Option<Time> {
    let layout = layouts
        .first()
        .filter(|layout| layout.format.name == "clock")?;
    let mut first = None;
    let mut last = None;
    for line in lines {
        let Some((_, found)) = layout.find(line, &calendar.names) else {
            continue;
        };
        last = calendar.time(found.moment, now, last);
        first = first.or(last);
    }
    let newest = now.plus_millis(3600 * 1000);
    let first = first?;
    let last = last?;
    // Read forwards, the midnights between them have put the end behind the present.
    let ahead = last.0.saturating_sub(newest.0).max(0);
    let days = ahead.div_euclid(86_400_000_000_000) + i64::from(ahead % 86_400_000_000_000 > 0);
    Some(first.plus_millis(-days * 86_400_000))
}

#[cfg(test)]
mod tests;
