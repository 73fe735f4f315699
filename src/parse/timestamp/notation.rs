//! How stamps are written: a table, and a small parser for each entry.
//!
//! A parser takes the bytes from where a stamp may begin and answers with what the stamp says and
//! how long it is, or with nothing. It allocates nothing, and gives up at the first byte that does
//! not fit. A new format is a new row. Where they are in a line is left to `layout`, what they
//! leave open to `clock`, stamps in fields with a name to `fields`.

use std::fmt;

use super::clock::days;
use super::counted::{epoch, hexadecimal_seconds, since_boot, tai64n, whole_hexadecimal_seconds};
use super::east_asian::east_asian;
use super::hour::time_only;
use super::iis::is_iis;
use super::moment::{
    CalendarDate, ParsedStamp, TimeOfDay, WrittenMoment, WrittenZone, hour_of_day,
    year_of_two_digits,
};
use super::names::{is_day, local_half_of_day};
use super::scan::{ClockPrecision, StampScanner};
use super::zone::ZoneNames;

/// Where a stamp of some format may be in a line that is the only one known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StampPlace {
    /// Near the beginning of the line.
    Anywhere,
    /// At the beginning only: further on, only chance would distinguish it from any other
    /// number or word.
    Start,
    /// In a field with a name, which the parser looks for in the line.
    Field,
    /// Nowhere: only many lines, or the inventory, can prove it.
    Proved,
}

/// A way to write a time.
#[derive(Clone, Copy)]
pub(super) struct TimestampNotation {
    /// As the inventory names it.
    pub(super) name: &'static str,
    /// What it looks like, for the documentation.
    pub(super) example: &'static str,
    /// Where it is.
    pub(super) place: StampPlace,
    /// The bytes that it may begin with.
    pub(super) first: FirstByte,
    /// The same bytes may mean another day in another format.
    pub(super) ambiguous: bool,
    /// Bytes to what they say.
    pub(super) parse: fn(&[u8], &ZoneNames) -> Option<ParsedStamp>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum FirstByte {
    Digit,
    Letter,
    /// Of ASCII.
    Capital,
    Byte(u8),
    Any,
}

impl TimestampNotation {
    /// Whether a stamp of this format may begin with a byte.
    #[inline]
    pub(super) fn begins_with(&self, byte: u8) -> bool {
        match self.first {
            FirstByte::Digit => byte.is_ascii_digit(),
            FirstByte::Letter => byte.is_ascii_alphabetic() || byte >= 0x80,
            FirstByte::Capital => byte.is_ascii_uppercase(),
            FirstByte::Byte(first) => byte == first,
            FirstByte::Any => true,
        }
    }
}

impl fmt::Debug for TimestampNotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for TimestampNotation {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// Rows of a table of formats.
macro_rules! formats {
    ($($name:literal $example:literal $place:ident $first:expr, $parse:expr $(, $ambiguous:literal)?;)*) => {
        &[$(TimestampNotation {
            name: $name,
            example: $example,
            place: StampPlace::$place,
            first: $first,
            ambiguous: false $(|| $ambiguous)?,
            parse: $parse,
        }),*]
    };
}

pub(super) use formats;

use FirstByte::{Byte, Capital, Digit, Letter};

/// Those that their shape proves, in this order where several fit at one place.
pub(super) const SHAPES: &[TimestampNotation] = formats![
    "iso8601" "2026-11-20T13:00:01.123+01:00, 2026/11/20 13:00:01,123, 2026-324T13:00:01" Anywhere Digit, iso;
    "syslog" "Nov 20 13:00:01, nov. 20, 2026 1:00:01 PM, Fri Nov 20 13:00:01 2026" Anywhere Letter, month_first;
    "access" "20/Nov/2026:13:00:01 +0000, 20-Nov-26 13:00:01, 20 Nov 13:00:01.123" Anywhere Digit, day_first;
    "east-asian" "2026年11月20日 13時00分01秒, 2026년 11월 20일 13:00:01" Anywhere Digit, east_asian;
    "compact" "20261120130001, 20261120-13:00:01:123" Anywhere Digit, compact;
    "european" "20.11.2026 13:00:01, 20/11/26 13:00:01" Anywhere Digit, day_month, true;
    "american" "11/20/2026 1:00:01 PM, 11/20/26 13:00:01" Anywhere Digit, month_day, true;
    "short-year" "26/11/20 13:00:01" Anywhere Digit, short_year, true;
    "month-day" "11-20 13:00:01.123, 11/20 13:00:01" Start Digit, month_day_only, true;
    "day-month" "20.11. 13:00:01, 20/11 13:00:01" Start Digit, day_month_only, true;
    "yymmdd" "261120 13:00:01, 261120 130001" Start Digit, yymmdd;
    "klog" "E1120 13:00:01.123456, I20261120 13:00:01.123456, I261120 13:00:01.123456" Start Capital, klog;
    "epoch" "1795179601, 1795179601.123, 1795179601123" Start Digit, epoch;
    "hex" "6b0a43b0.075bcde8 (seconds since 1970, and billionths)" Start Digit, hexadecimal_seconds;
    "boot" "[    5.123456] (seconds since the host was started)" Start Byte(b'['), since_boot;
    "tai64n" "@400000006b00000000000000" Start Byte(b'@'), tai64n;
];

/// Those that only many lines prove, or the inventory.
pub(super) const PROVED: &[TimestampNotation] = formats![
    "w3c" "2026-11-20 13:00:01 (UTC; elsewhere where `#Fields:` says so)" Proved Digit, utc;
    "hex-seconds" "6b0a43b0 (seconds since 1970)" Proved Digit, whole_hexadecimal_seconds;
    "clock" "13:00:01.123 (the day is that of the lines around it)" Proved Digit, time_only;
];

/// The longest name of a day, in bytes.
const MAX_DAY: usize = 32;

impl StampScanner<'_> {
    pub(super) fn year4(&mut self) -> Option<i32> {
        self.digits(4).and_then(|year| i32::try_from(year).ok())
    }

    fn year2(&mut self) -> Option<i32> {
        let year = self.digits(2)?;
        if self.run_of_digits() > 0 {
            return None;
        }
        year_of_two_digits(year)
    }

    fn year2_or_4(&mut self) -> Option<i32> {
        if self.run_of_digits() == 4 {
            self.year4()
        } else {
            self.year2()
        }
    }

    /// What is between a date and a time: `T`, blanks, `, `, ` - `, `_`, `-`, `:`, `::`; and
    /// behind a blank the day of the week, or a word as in `20 novembre 2026 à 13:00:01`.
    #[inline]
    fn between(&mut self) -> Option<()> {
        if self.peek() == Some(b'(') {
            return self.word_between();
        }
        match self.take(b" T\tt_-:,")? {
            b'T' | b't' => {}
            b':' => drop(self.take(b":")),
            _ => {
                self.blanks(8);
                if self.peek() == Some(b'-') {
                    self.take(b"-");
                    self.take(b"-");
                    self.blanks(1);
                }
                if self.peek().is_some_and(|b| !b.is_ascii_digit()) {
                    let _ = self.word_between();
                }
            }
        }
        Some(())
    }

    /// `Fri `, `(金) `, `at `, `a las `.
    #[cold]
    fn word_between(&mut self) -> Option<()> {
        const WORDS: &[&[u8]] = &[
            b"at", b"um", b"kl", b"klo", b"o", b"om", b"alle", b"ore", b"a las", b"saat", b"ob",
            b"u",
        ];
        const OTHERS: &[&str] = &["à", "às", "в", "о", "в", "г", "р"];
        self.attempt(|scan| {
            if let Some(mark) = scan.take(b"([") {
                let close = if mark == b'(' { b')' } else { b']' };
                let length = scan.0.iter().take(MAX_DAY).position(|b| *b == close)?;
                is_day(&scan.0[..length]).then_some(())?;
                scan.0 = &scan.0[length + 1..];
            } else {
                let is_end = |at: &usize| matches!(scan.0.get(*at), Some(b' ' | b'.' | b','));
                let length = (1..scan.0.len().min(MAX_DAY)).find(is_end)?;
                let has_words = WORDS.iter().find(|word| scan.0.starts_with(word));
                let length = has_words.map_or(length, |word| word.len().max(length));
                let word = &scan.0[..length];
                let is_known = WORDS.contains(&word)
                    || OTHERS.iter().any(|other| other.as_bytes() == word)
                    || is_day(word);
                scan.0 = scan.0.get(length..).filter(|_| is_known)?;
                scan.skip_while(2, |b| b".,".contains(b));
            }
            scan.blanks(1);
            Some(())
        })
    }
}

/// Any date with its year first, and with marks between its parts or `T` behind them.
fn iso(text: &[u8], names: &ZoneNames) -> Option<ParsedStamp> {
    let mut scan = StampScanner(text);
    let year = scan.year4()?;
    let Some(mark) = scan.take(b"-/. :") else {
        return basic(year, scan, text, names);
    };
    let date = if scan.run_of_digits() == 3 {
        day_of_year(year, scan.digits(3)?)?
    } else {
        let month = month_between(mark, &mut scan)?;
        let day = scan.short()?;
        // `2026. 11. 20. 13:00:01`
        scan.take(if mark == b'.' { b"." } else { b"" });
        CalendarDate::of(Some(year), month, day)
    };
    scan.between()?;
    let (time, zone) = scan.time_and_zone(ClockPrecision::Minutes, names)?;
    let zone = match zone {
        WrittenZone::Host if is_iis(scan.0) => WrittenZone::Offset(0),
        zone => zone,
    };
    scan.stamp(text, date.at(time, zone)?)
}

/// The day of a year by its number, from 1.
pub(super) fn day_of_year(year: i32, number: u32) -> Option<CalendarDate> {
    let mut rest = number;
    for month in 1..=12 {
        let length = (28..=31)
            .rev()
            .find(|&day| days(year, month, day).is_some())?;
        if rest <= length {
            return (rest > 0).then(|| CalendarDate::of(Some(year), month, rest));
        }
        rest -= length;
    }
    None
}

/// A month, by number or by name, and the mark behind it.
#[inline]
fn month_between(mark: u8, scan: &mut StampScanner<'_>) -> Option<u32> {
    if mark == b'.' {
        scan.blanks(1);
    }
    if scan.peek()?.is_ascii_digit() {
        let month = scan.short().filter(|_| mark != b' ');
        scan.take(&[mark])?;
        if mark == b'.' {
            scan.blanks(1);
        }
        return month;
    }
    let month = scan.month();
    let pointed = scan.take(b".").is_some();
    if scan.take(&[mark]).is_none() && !(pointed && mark == b'.') {
        return None;
    }
    scan.blanks(1);
    month
}

/// `20261120T130001Z`
fn basic(
    year: i32,
    mut scan: StampScanner<'_>,
    text: &[u8],
    names: &ZoneNames,
) -> Option<ParsedStamp> {
    let date = CalendarDate::of(Some(year), scan.digits(2)?, scan.digits(2)?);
    scan.take(b"Tt")?;
    // An hour has two digits here; `compact` reads the others.
    if scan.0.get(1) == Some(&b':') {
        return None;
    }
    let time = scan.any_time_of_day(ClockPrecision::Minutes)?;
    let zone = scan.zone(names);
    scan.stamp(text, date.at(time, zone)?)
}

/// `20261120130001`, `20261120 130001`, `20261120-13:00:01:123`
fn compact(text: &[u8], names: &ZoneNames) -> Option<ParsedStamp> {
    let mut scan = StampScanner(text);
    let run = scan.run_of_digits();
    if !matches!(run, 8 | 14 | 17) {
        return None;
    }
    let year = scan.year4().filter(|year| (1970..2262).contains(year))?;
    let date = CalendarDate::of(Some(year), scan.digits(2)?, scan.digits(2)?);
    let mut time = if run == 8 {
        scan.between()?;
        scan.any_time_of_day(ClockPrecision::Seconds)?
    } else {
        scan.time_without_colons(ClockPrecision::Seconds)?
    };
    if run == 17 {
        time.nano = scan.digits(3)? * 1_000_000;
    }
    let zone = scan.zone(names);
    let found = scan.stamp(text, date.at(time, zone)?);
    found.filter(|_| scan.ends_word())
}

/// `261120 13:00:01`, `261120  9:00:01`, `261120 130001`
fn yymmdd(text: &[u8], names: &ZoneNames) -> Option<ParsedStamp> {
    let mut scan = StampScanner(text);
    if scan.run_of_digits() != 6 {
        return None;
    }
    let year = year_of_two_digits(scan.digits(2)?);
    let date = CalendarDate::of(year, scan.digits(2)?, scan.digits(2)?);
    scan.take(b" \t_-")?;
    scan.blanks(1);
    let time = scan.any_time_of_day(ClockPrecision::Seconds)?;
    let zone = scan.zone(names);
    scan.word(text, date.at(time, zone)?)
}

/// `Nov 20 13:00:01`, and with a year before or behind the time, as in `Fri Nov 20 13:00:01 UTC
/// 2026`.
fn month_first(text: &[u8], names: &ZoneNames) -> Option<ParsedStamp> {
    let mut scan = StampScanner(text);
    let month = scan.month()?;
    let mark = scan.take(b" -/.")?;
    if mark == b'.' {
        scan.take(b"-/");
    }
    scan.blanks(1);
    let day = scan.short()?;
    scan.take(b",");
    let behind = scan.take(b" -/.:")?;
    let mut year = year_and(&mut scan, mark == behind && mark != b' ');
    scan.blanks(1);
    let time = scan.time_of_day(ClockPrecision::Seconds).or_else(|| {
        // Without seconds it is a stamp only together with a year.
        year.and_then(|_| scan.time_of_day(ClockPrecision::Minutes))
    })?;
    let time = if year.is_some() {
        in_local_half(time, &mut scan)
    } else {
        time
    };
    let mut zone = scan.zone(names);
    if year.is_none() {
        year = year_at_end(&mut scan);
        // `2026 GMT+0000`
        if year.is_some() && zone == WrittenZone::Host {
            zone = scan.zone(names);
        }
    }
    if year.is_none() && zone == WrittenZone::Host {
        year = year_behind_word(&mut scan);
        // The word is that of a zone which nobody here knows.
        zone = year.map_or(zone, |_| WrittenZone::Unknown);
    }
    scan.word(text, CalendarDate::of(year, month, day).at(time, zone)?)
}

/// The time in the half of the day that follows, in a language whose word for it would be another
/// word elsewhere.
fn in_local_half(time: TimeOfDay, scan: &mut StampScanner<'_>) -> TimeOfDay {
    const HOUR: u32 = 3600;
    let half = scan.attempt(|scan| {
        scan.skip_while(3, |b| b" \xc2\xa0".contains(b));
        let (after_noon, length) = local_half_of_day(scan.0)?;
        scan.0 = &scan.0[length..];
        Some(after_noon)
    });
    let second = hour_of_day(time.second / HOUR, half) * HOUR + time.second % HOUR;
    TimeOfDay { second, ..time }
}

/// A year that is followed by a time. One of two digits only where it is parted from the day as
/// the day is from the month: `Nov-20-26`.
fn year_and(scan: &mut StampScanner<'_>, may_be_short: bool) -> Option<i32> {
    scan.attempt(|scan| {
        let is_quoted = scan.take(b"'").is_some();
        let year = match scan.run_of_digits() {
            2 if may_be_short || is_quoted => scan.year2()?,
            _ => scan.year4()?,
        };
        let behind: &[u8] = if may_be_short { b" ,:T-" } else { b" ,:" };
        scan.take(behind).map(|_| year)
    })
}

/// `XYZT 2026`: the year behind a word that can only be a zone.
fn year_behind_word(scan: &mut StampScanner<'_>) -> Option<i32> {
    scan.attempt(|scan| {
        scan.skip(b" ")?;
        let letters = scan.skip_while(6, u8::is_ascii_uppercase);
        (2..6).contains(&letters).then_some(())?;
        year_at_end(scan)
    })
}

/// `20/Nov/2026:13:00:01 +0000`, `20-Nov-26 13:00:01`, `20 Nov 13:00:01`, `20-Nov 13:00`
fn day_first(text: &[u8], names: &ZoneNames) -> Option<ParsedStamp> {
    let mut scan = StampScanner(text);
    let day = scan.short()?;
    let mark = scan.take(b"/- .");
    if matches!(mark, Some(b'.' | b' ')) {
        scan.blanks(1);
        let _ = scan.skip(b"de ");
    }
    let month = scan.month()?;
    scan.take(b".,");
    let mut year = year_behind(&mut scan, mark);
    let is_short = year.is_none() && mark == Some(b'-');
    if year.is_none() && !is_short && !matches!(mark, Some(b' ' | b'.')) {
        return None;
    }
    scan.between()?;
    let precision = if is_short || year.is_some() {
        ClockPrecision::Minutes
    } else {
        ClockPrecision::Seconds
    };
    let (time, zone) = scan.time_and_zone(precision, names)?;
    if year.is_none() {
        year = year_at_end(&mut scan);
    }
    scan.stamp(text, CalendarDate::of(year, month, day).at(time, zone)?)
}

/// The year behind a month, which is parted from it as the day is.
fn year_behind(scan: &mut StampScanner<'_>, mark: Option<u8>) -> Option<i32> {
    scan.attempt(|scan| {
        let before = match mark {
            Some(mark) => Some(scan.take(&[mark, b' '])?),
            None => None,
        };
        let _ = scan.skip(b"de ");
        // `20 Nov 13:00:01` has none, nor has `20-Nov 13:00`.
        let year = scan.year2_or_4()?;
        (before != Some(b' ') || scan.peek() != Some(b':')).then_some(year)
    })
}

/// The year behind a time, as ctime and `date` have it: a word of its own.
fn year_at_end(scan: &mut StampScanner<'_>) -> Option<i32> {
    scan.attempt(|scan| {
        scan.skip(b" ")?;
        let year = scan.year4().filter(|year| (1970..=2261).contains(year))?;
        scan.ends_word().then_some(year)
    })
}

/// `20.11.2026 13:00:01`
fn day_month(text: &[u8], names: &ZoneNames) -> Option<ParsedStamp> {
    let mut scan = StampScanner(text);
    let (day, month) = two(&mut scan)?;
    let date = CalendarDate::of(year_last(&mut scan), month, day);
    time_behind(date, scan, text, names)
}

/// `11/20/2026 13:00:01`
fn month_day(text: &[u8], names: &ZoneNames) -> Option<ParsedStamp> {
    let mut scan = StampScanner(text);
    let (month, day) = two(&mut scan)?;
    let date = CalendarDate::of(year_last(&mut scan), month, day);
    time_behind(date, scan, text, names)
}

/// Two numbers with a mark between them; the mark is still to be read behind them.
fn two(scan: &mut StampScanner<'_>) -> Option<(u32, u32)> {
    let first = scan.short()?;
    let mark = scan.take(b"/.-")?;
    let second = scan.short()?;
    (scan.peek() == Some(mark)).then_some((first, second))
}

fn year_last(scan: &mut StampScanner<'_>) -> Option<i32> {
    scan.0 = scan.0.get(1..)?;
    scan.year2_or_4()
}

/// `26/11/20 13:00:01`
fn short_year(text: &[u8], names: &ZoneNames) -> Option<ParsedStamp> {
    let mut scan = StampScanner(text);
    let year = scan.year2();
    let mark = scan.take(b"/.-")?;
    let month = scan.short()?;
    scan.take(&[mark])?;
    let date = CalendarDate::of(year, month, scan.short()?);
    time_behind(date, scan, text, names)
}

/// The time behind a date that has a year.
fn time_behind(
    date: CalendarDate,
    mut scan: StampScanner<'_>,
    text: &[u8],
    names: &ZoneNames,
) -> Option<ParsedStamp> {
    date.year?;
    scan.between()?;
    let (time, zone) = scan.time_and_zone(ClockPrecision::Minutes, names)?;
    scan.stamp(text, date.at(time, zone)?)
}

/// `11-20 13:00:01.123`
fn month_day_only(text: &[u8], names: &ZoneNames) -> Option<ParsedStamp> {
    let mut scan = StampScanner(text);
    let month = scan.short()?;
    scan.take(b"/.-")?;
    let date = CalendarDate::of(None, month, scan.short()?);
    time_behind_day(date, scan, text, names)
}

/// `20.11. 13:00:01`
fn day_month_only(text: &[u8], names: &ZoneNames) -> Option<ParsedStamp> {
    let mut scan = StampScanner(text);
    let day = scan.short()?;
    let mark = scan.take(b"/.-")?;
    let date = CalendarDate::of(None, scan.short()?, day);
    if mark == b'.' {
        scan.take(b".");
    }
    time_behind_day(date, scan, text, names)
}

/// The time behind a date that leaves the year out.
fn time_behind_day(
    date: CalendarDate,
    mut scan: StampScanner<'_>,
    text: &[u8],
    names: &ZoneNames,
) -> Option<ParsedStamp> {
    scan.take(b" T\t_,-")?;
    scan.blanks(1);
    let time = scan.time_of_day(ClockPrecision::Seconds)?;
    let zone = scan.zone(names);
    scan.stamp(text, date.at(time, zone)?)
}

fn klog(text: &[u8], _: &ZoneNames) -> Option<ParsedStamp> {
    let mut scan = StampScanner(text);
    scan.take(b"IWEFD")?;
    let year = match scan.run_of_digits() {
        8 => scan.year4(),
        // CockroachDB leaves the century out.
        6 => scan.digits(2).and_then(year_of_two_digits),
        _ => None,
    };
    let date = CalendarDate::of(year, scan.digits(2)?, scan.digits(2)?);
    scan.take(b" ")?;
    let time = scan.time_of_day(ClockPrecision::Seconds)?;
    let found = scan.found(text, date.at(time, WrittenZone::Host)?);
    Some(ParsedStamp { start: 1, ..found })
}

/// Date and time at the beginning, in UTC.
fn utc(text: &[u8], names: &ZoneNames) -> Option<ParsedStamp> {
    iso(text, names).map(|found| ParsedStamp {
        moment: in_utc(found.moment),
        ..found
    })
}

/// The same, in UTC where it says nothing of a zone.
pub(super) fn in_utc(moment: WrittenMoment) -> WrittenMoment {
    match moment {
        WrittenMoment::Civil(date, time, WrittenZone::Host) => {
            WrittenMoment::Civil(date, time, WrittenZone::Offset(0))
        }
        WrittenMoment::Clock(time, WrittenZone::Host) => {
            WrittenMoment::Clock(time, WrittenZone::Offset(0))
        }
        other => other,
    }
}

/// A value that is known to be a time: any format that its shape proves, with the name of a day
/// before it or without.
pub(super) fn any(text: &[u8], names: &ZoneNames) -> Option<ParsedStamp> {
    let first = *text.first()?;
    let found = SHAPES
        .iter()
        .filter(|format| format.begins_with(first))
        .find_map(|format| (format.parse)(text, names));
    found.or_else(|| day_name(text, names))
}

/// `Fri, 20 Nov 2026 13:00:01 GMT`, `Fri Nov 20 13:00:01 2026`, `Friday, 20-Nov-26 13:00:01 GMT`
fn day_name(text: &[u8], names: &ZoneNames) -> Option<ParsedStamp> {
    let mut scan = StampScanner(text);
    if scan.skip_while(MAX_DAY, |b| b.is_ascii_alphabetic() || *b >= 0x80) < 2 {
        return None;
    }
    scan.take(b".");
    scan.take(b",");
    scan.skip(b" ")?;
    let found = day_first(scan.0, names)
        .or_else(|| month_first(scan.0, names))
        .or_else(|| iso(scan.0, names))?;
    Some(ParsedStamp {
        end: found.end + text.len() - scan.0.len(),
        ..found
    })
}
