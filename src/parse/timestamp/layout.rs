//! Where in the lines of a source its stamps are, and in which format.
//!
//! A [`TimestampLayout`] is found in one line by [`detect`], and then looked for in the others by
//! [`TimestampLayout::find`]. What many lines prove together is left to `learn`.

use super::clock::{AHEAD_MS, MomentResolver, days};
use super::fields;
use super::formats::FORMATS;
use super::hour::date_only;
use super::moment::{CalendarDate, ParsedStamp, WrittenMoment};
use super::notation::{StampPlace, TimestampNotation};
use super::scan::StampScanner;
use super::spots::{
    LATE, PREFIX_BYTES, TimestampSpot, begins_token, colon_spots, is_behind_date, mark_before,
    spots,
};
use super::zone::ZoneNames;
use crate::model::time::Time;
use crate::parse::bytes::within;

/// Of two readings of a date, one that is so near to the present is the right one.
const NEAR_MS: i64 = AHEAD_MS;

/// A bare number that is a time further ahead than this is something else, and so is a date in an
/// unexpected place.
const MUCH_AHEAD_MS: i64 = 366 * 24 * 3600 * 1000;

/// A format and the place where it was seen last.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct TimestampLayout {
    pub(super) format: &'static TimestampNotation,
    /// The byte of the line; for fields, 0 where the whole line has their notation, 1 where only a
    /// part has.
    pub(super) at: usize,
    /// So many words come before it.
    pub(super) word: usize,
    /// Only this very word is the stamp: of another number or word, nothing would tell it.
    pub(super) exact: bool,
    /// The byte before it: a stamp among other words has the same, or it is a date that a message
    /// mentions.
    pub(super) before: Option<u8>,
}

impl TimestampLayout {
    /// A format in any place.
    pub(super) fn anywhere(format: &'static TimestampNotation) -> Self {
        Self {
            word: usize::MAX - WORD_SLACK,
            ..Self::of_field(format, 0)
        }
    }

    /// A format that looks for its place itself; for `at` see there.
    pub(super) fn of_field(format: &'static TimestampNotation, at: usize) -> Self {
        Self {
            format,
            at,
            word: 0,
            exact: false,
            before: None,
        }
    }

    /// A format in a place of a line.
    pub(super) fn at_spot(
        format: &'static TimestampNotation,
        line: &[u8],
        TimestampSpot { at, word }: TimestampSpot,
    ) -> Self {
        Self {
            format,
            at,
            word,
            exact: false,
            before: mark_before(line, at),
        }
    }

    /// The stamp of a line, and the layout with its place in this line. Where stamps begin the
    /// lines, one that is further on is not the stamp of a line but a part of its message.
    #[inline]
    pub(super) fn find(&self, line: &[u8], names: &ZoneNames) -> Option<(Self, ParsedStamp)> {
        if self.format.place == StampPlace::Field {
            if self.at == 0 && self.word == 0 && !has_notation(self.format, line) {
                return None;
            }
            return Some((*self, (self.format.parse)(line, names)?));
        }
        if !self.exact
            && self.word != LATE
            && let Some(found) = self.find_at(line, self.at, names)
        {
            return Some((*self, found));
        }
        if self.at == 0 && self.word == 0 && !self.exact {
            None
        } else {
            self.search(line, names)
        }
    }

    #[inline]
    fn find_at(&self, line: &[u8], at: usize, names: &ZoneNames) -> Option<ParsedStamp> {
        let text = line.get(at..)?;
        if !self.format.begins_with(*text.first()?) || !begins_token(line, at) {
            return None;
        }
        let found = (self.format.parse)(text, names)?.shifted(at);
        let is_clock = matches!(found.moment, WrittenMoment::Clock(..));
        (!is_clock || !is_behind_date(&line[..at])).then_some(found)
    }

    /// Whether another layout has the same format behind as many words.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let is_same_mark = || self.word != LATE || self.before == other.before;
        self.format == other.format && self.word == other.word && is_same_mark()
    }

    /// Whether a stamp in a place may be one of this layout.
    fn is_in_place(&self, line: &[u8], spot: TimestampSpot) -> bool {
        let is_anywhere = self.word > LATE;
        let is_counted = self.word != LATE;
        if is_anywhere || is_counted && (spot.word == 0 || spot.word == self.word) {
            return true;
        }
        let mark = mark_before(line, spot.at);
        mark == self.before || is_counted && mark.is_none()
    }

    fn search(&self, line: &[u8], names: &ZoneNames) -> Option<(Self, ParsedStamp)> {
        if self.word == LATE {
            return self.search_late(line, names);
        }
        let words = if self.exact {
            self.word..=self.word
        } else {
            0..=self.word + WORD_SLACK
        };
        spots(line)
            .skip_while(|spot| spot.word < *words.start())
            .take_while(|spot| spot.word <= *words.end())
            .find_map(|spot| {
                let found = self.find_at(line, spot.at, names)?;
                let at = spot.at;
                self.is_in_place(line, spot)
                    .then_some((Self { at, ..*self }, found))
            })
    }

    /// Behind words of any number, in the whole of the line.
    fn search_late(&self, line: &[u8], names: &ZoneNames) -> Option<(Self, ParsedStamp)> {
        colon_spots(line, 0)
            .filter(|spot| self.is_in_place(line, *spot))
            .find_map(|spot| {
                let found = self.find_at(line, spot.at, names)?;
                Some((
                    Self {
                        at: spot.at,
                        ..*self
                    },
                    found,
                ))
            })
    }
}

/// Words that may come before a stamp in addition to those seen first: a name of two words in
/// place of one.
const WORD_SLACK: usize = 2;

/// Whether the whole line is written as the fields of this format are.
pub(super) fn has_notation(format: &TimestampNotation, line: &[u8]) -> bool {
    match format.name {
        "json" => is_object(line) || fields::is_printed_member(line),
        "logfmt" => is_pairs(line),
        _ => true,
    }
}

/// What a line's fields say of it counts more than a date elsewhere in it.
pub(super) fn has_fields(line: &[u8]) -> bool {
    is_object(line)
        || is_pairs(line)
        || is_part_with_time(line)
        || line.starts_with(b"** Alert ")
        || line.starts_with(b"# Time: ")
        || line.starts_with(b"SET timestamp=")
}

/// Whether a line is the part of a printed object or element that has the time of it.
pub(super) fn is_part_with_time(line: &[u8]) -> bool {
    const LONGEST_INDENT: usize = 32;
    let text = within(line, LONGEST_INDENT).trim_ascii_start();
    match text.first() {
        Some(b'"') => fields::is_printed_member(line),
        Some(b'<') => fields::xml(line, &ZoneNames::new()).is_some(),
        _ => false,
    }
}

/// Whether a line begins as pairs of logfmt do.
fn is_pairs(line: &[u8]) -> bool {
    let key = fields::key(within(line, PREFIX_BYTES));
    !key.is_empty() && line.get(key.len()) == Some(&b'=')
}

/// Whether a line is an object of JSON, as far as its first bytes say.
pub(super) fn is_object(line: &[u8]) -> bool {
    within(line, PREFIX_BYTES)
        .trim_ascii_start()
        .strip_prefix(b"{")
        .is_some_and(|rest| rest.trim_ascii_start().starts_with(b"\""))
}

/// Whether it is worth looking for a stamp: there is none without so many digits. Most lines of
/// stack traces have fewer.
pub(super) fn may_be_stamped(line: &[u8]) -> bool {
    const LEAST_DIGITS: usize = 5;
    let head = within(line, PREFIX_BYTES);
    head.iter().filter(|b| b.is_ascii_digit()).count() >= LEAST_DIGITS || has_fields(line)
}

/// A stamp of one line, before it is known whether others have it.
#[derive(Debug, Clone, Copy)]
pub(super) struct StampCandidate {
    pub(super) layout: TimestampLayout,
    pub(super) found: ParsedStamp,
    pub(super) time: Time,
}

/// The first stamp of any format in a line, where nothing is known of others.
pub(super) fn detect(
    line: &[u8],
    calendar: &mut MomentResolver,
    now: Time,
) -> Option<StampCandidate> {
    if has_fields(line) {
        in_fields(line, calendar, now).or_else(|| in_spot(line, calendar, now))
    } else {
        in_spot(line, calendar, now).or_else(|| in_fields(line, calendar, now))
    }
}

/// Formats of fields with a name.
pub(super) fn field_formats() -> impl Iterator<Item = &'static TimestampNotation> {
    FORMATS
        .iter()
        .filter(|format| format.place == StampPlace::Field)
}

fn in_fields(line: &[u8], calendar: &mut MomentResolver, now: Time) -> Option<StampCandidate> {
    field_formats().find_map(|format| {
        let found = (format.parse)(line, &calendar.names)?;
        let at = usize::from(!has_notation(format, line));
        Some(StampCandidate {
            layout: TimestampLayout::of_field(format, at),
            found,
            time: calendar.time(found.moment, now, None)?,
        })
    })
}

fn in_spot(line: &[u8], calendar: &mut MomentResolver, now: Time) -> Option<StampCandidate> {
    for spot in spots(line).chain(colon_spots(line, PREFIX_BYTES)) {
        calendar.has_unknown_zone = false;
        let found = at_spot(line, spot, calendar, now);
        // Another date of the line does not say when it was, if its own does not.
        if found.is_some() || calendar.has_unknown_zone {
            return found;
        }
    }
    None
}

/// The stamp that begins at a place, by the first format that fits; of those that read the same
/// bytes as different days, by the likeliest.
pub(super) fn at_spot(
    line: &[u8],
    spot: TimestampSpot,
    calendar: &mut MomentResolver,
    now: Time,
) -> Option<StampCandidate> {
    let text = line.get(spot.at..).filter(|text| may_begin(text))?;
    let first = *text.first()?;
    let mut best: Option<StampCandidate> = None;
    let formats = FORMATS.iter().filter(|format| {
        format.begins_with(first)
            && matches!(format.place, StampPlace::Anywhere | StampPlace::Start)
    });
    for format in formats {
        if best.is_some() && !format.ambiguous {
            continue;
        }
        let Some(next) = read_at(format, line, spot, calendar, now) else {
            continue;
        };
        if !format.ambiguous {
            return Some(next);
        }
        if best.is_none_or(|best| is_likelier(text, &next, best.time, now)) {
            best = Some(next);
        }
    }
    best
}

/// A stamp of this format at a place, if it may be there alone.
fn read_at(
    format: &'static TimestampNotation,
    line: &[u8],
    spot: TimestampSpot,
    calendar: &mut MomentResolver,
    now: Time,
) -> Option<StampCandidate> {
    let (before, text) = line.split_at_checked(spot.at)?;
    let found = (format.parse)(text, &calendar.names)?.shifted(spot.at);
    let is_number = format.name == "epoch";
    let is_labelled = format.place == StampPlace::Start && !may_precede(before);
    let is_dated = || is_number && spot.word == 1 && is_dated(&line[found.end..], found.moment);
    if is_labelled && !is_dated() {
        return None;
    }
    let time = calendar.time(found.moment, now, None)?;
    if !is_plausible(format, time, now)
        || (is_number && is_contradicted(line, found.end, time, calendar))
    {
        return None;
    }
    Some(StampCandidate {
        layout: TimestampLayout {
            exact: is_labelled,
            ..TimestampLayout::at_spot(format, line, spot)
        },
        found,
        time,
    })
}

/// Whether the first bytes are those of any stamp at all. Most numbers and words are not, and this
/// costs a fraction of asking each format.
#[inline]
fn may_begin(text: &[u8]) -> bool {
    match text {
        [b'0'..=b'9', ..] => may_begin_with_number(text),
        // klog's letter has digits behind it.
        [b'A'..=b'Z', next, ..] if next.is_ascii_digit() => true,
        [b'A'..=b'Z' | b'a'..=b'z' | 0x80..=0xff, ..] => StampScanner(text).month().is_some(),
        [b'[', next, ..] => next.is_ascii_digit() || matches!(next, b' ' | b'\t'),
        [b'@', next, ..] => next.is_ascii_digit(),
        _ => false,
    }
}

fn may_begin_with_number(text: &[u8]) -> bool {
    let run = StampScanner(text).run_of_digits();
    let behind = &text[run..];
    match (run, behind) {
        (1 | 2, [b'/' | b'-' | b'.' | 0x80..=0xff, ..]) => true,
        (1 | 2, [b' ', month @ ..]) => {
            let month = month.strip_prefix(b"de ").unwrap_or(month);
            let month = month.strip_prefix(b" ").unwrap_or(month);
            StampScanner(month).month().is_some()
        }
        // A hexadecimal number begins with any digits.
        (1..=7, [b'a'..=b'f', ..]) if is_hexadecimal(text) => true,
        (1 | 2, [b'A'..=b'Z' | b'a'..=b'z', ..]) => {
            run == 1 || StampScanner(behind).month().is_some()
        }
        (4, [b'-' | b'/' | b'.' | b' ' | b':' | 0x80..=0xff, ..])
        | (6 | 8 | 10 | 13 | 14 | 16 | 17 | 19, _) => true,
        _ => false,
    }
}

/// Eight digits and as many behind a point.
fn is_hexadecimal(text: &[u8]) -> bool {
    text.get(8) == Some(&b'.') && text[..8].iter().all(u8::is_ascii_hexdigit)
}

/// What may come before a stamp that has to begin its line: marks and colours, or the name of a
/// container.
fn may_precede(prefix: &[u8]) -> bool {
    if prefix.is_empty() || prefix.ends_with(b"| ") {
        return true;
    }
    let mut rest = prefix;
    while let Some((&b, more)) = rest.split_first() {
        if b == 0x1b && more.first() == Some(&b'[') {
            rest = more
                .iter()
                .position(|&b| b == b'm')
                .map_or(&[], |end| &more[end + 1..]);
            continue;
        }
        if b.is_ascii_alphanumeric() {
            return false;
        }
        rest = more;
    }
    true
}

/// Whether a number behind the first word of a line is followed by its own day, or one next to it
/// in some zone, as in `R02 1117869872 2005.06.04 …`.
fn is_dated(rest: &[u8], number: WrittenMoment) -> bool {
    const DAY: i64 = 24 * 3600 * 1_000_000_000;
    let WrittenMoment::Epoch(number) = number else {
        return false;
    };
    let day = rest
        .strip_prefix(b" ")
        .and_then(date_only)
        .and_then(|CalendarDate { year, month, day }| days(year?, month, day));
    day.is_some_and(|day| (day - number.div_euclid(DAY)).abs() <= 1)
}

/// Whether a stamp behind a number says that it is none: a time of the line at all, in whatever
/// zone, would be a whole number of quarters of an hour away from it.
pub(super) fn is_contradicted(
    line: &[u8],
    end: usize,
    number: Time,
    calendar: &mut MomentResolver,
) -> bool {
    const QUARTER: i64 = 15 * 60 * 1_000_000_000;
    // The year that the stamp may leave out is that of the number.
    let other = spots(line)
        .filter(|spot| spot.at > end)
        .find_map(|spot| any_time(&line[spot.at..], number, calendar));
    other.is_some_and(|other| {
        let between = other.0.saturating_sub(number.0);
        let rest = between.rem_euclid(QUARTER);
        between.saturating_abs() > 60 * QUARTER || rest.min(QUARTER - rest) > 5_000_000_000
    })
}

/// The time with which a text begins, in a format that may be anywhere.
fn any_time(text: &[u8], now: Time, calendar: &mut MomentResolver) -> Option<Time> {
    FORMATS
        .iter()
        .filter(|format| format.place == StampPlace::Anywhere && format.begins_with(text[0]))
        .find_map(|format| {
            let found = (format.parse)(text, &calendar.names)?;
            calendar.time(found.moment, now, None)
        })
}

/// Numbers are times only if they are of the past, or nearly.
pub(super) fn is_plausible(format: &TimestampNotation, time: Time, now: Time) -> bool {
    let is_number = matches!(format.name, "epoch" | "hex" | "hex-seconds");
    !is_number || is_of_our_time(time, now)
}

/// Whether a time is not far in the future. A clock of ours that was never set knows nothing of
/// that.
pub(super) fn is_of_our_time(time: Time, now: Time) -> bool {
    time <= now.plus_millis(MUCH_AHEAD_MS) || now < Time(1_000_000_000_000_000_000)
}

/// Whether of two readings of one date the second, `next`, is to be preferred to the one before it:
/// the only one that is not in the future, or just now, or in a later year; else as dates are
/// usually written.
fn is_likelier(text: &[u8], next: &StampCandidate, best: Time, now: Time) -> bool {
    let rank = |time: Time| {
        let ahead = time > now.plus_millis(AHEAD_MS);
        let near = !ahead && time >= now.plus_millis(-NEAR_MS);
        let years = (now.0 / 1_000_000_000 - time.0 / 1_000_000_000) / (366 * 24 * 3600);
        (ahead, !near, years)
    };
    // Slashes are usually American, as `%D` and `%x` of the C library have it. Points and dashes
    // are not.
    let is_usual = next.layout.format.name == "american" && within(text, 3).contains(&b'/');
    rank(next.time) < rank(best) || (rank(next.time) == rank(best) && is_usual)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_asked_for_all_that_is_read(text: &str) {
        let bytes = text.as_bytes();
        let formats = FORMATS
            .iter()
            .filter(|format| matches!(format.place, StampPlace::Anywhere | StampPlace::Start));
        for format in formats.filter(|format| {
            bytes
                .first()
                .is_some_and(|&first| format.begins_with(first))
        }) {
            let is_read = (format.parse)(bytes, &Vec::new()).is_some();
            assert!(!is_read || may_begin(bytes), "{}: {text}", format.name);
        }
    }

    #[test]
    fn no_stamp_of_the_table_is_passed_over() {
        for example in FORMATS.iter().map(|format| format.example) {
            (0..example.len())
                .filter_map(|at| example.get(at..))
                .for_each(is_asked_for_all_that_is_read);
        }
        ["1.795179601e+09", "1e+09", "20Nov2026 13:00:01"]
            .iter()
            .copied()
            .for_each(is_asked_for_all_that_is_read);
    }

    proptest! {
        #[test]
        fn no_stamp_is_passed_over(
            text in r"(@|\[ ?|[IWEF])?[0-9]{0,4}[-/. ]?([0-9]{0,4}|Nov|may)[-/. e+]{0,2}[0-9]{0,10}[T :.,_-]{0,2}[0-9]{0,2}[:.]?[0-9]{0,2}[:.]?[0-9]{0,2}",
        ) {
            is_asked_for_all_that_is_read(&text);
        }
    }
}
