//! Times in queries: how they are written, and which moments they mean.
//!
//! A time is kept as it was typed and means a moment only together with a [`ReferenceTime`]. A
//! range has its first moment in it and its last not; a day as the end of a range is meant with all
//! of it. A time of day alone is the last one that has passed, except as the end of a range: there
//! it is the first one after the beginning.

use std::fmt;
use std::ops::{Range, RangeInclusive};

use jiff::civil::{self, Date, Weekday};
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan};

use crate::model::time::Time;
use crate::parse::timestamp::{PlainTime, TypedStamp};

/// What relative times are relative to.
#[derive(Debug, Clone, PartialEq)]
pub struct ReferenceTime {
    /// This moment.
    pub time: Time,
    /// The zone of days and of times of day.
    pub zone: TimeZone,
}

/// A range of times as it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct TimeSpan {
    /// Where it begins; `None`: with the first line there is.
    pub from: Option<WrittenTime>,
    /// Where it ends; `None`: never.
    pub to: Option<WrittenTime>,
}

/// A time as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WrittenTime {
    /// `now`
    Now,
    /// `15m`: so many seconds before now.
    Ago(u64),
    /// `today`, `yesterday`, `friday`
    Named(NamedDay),
    /// `yesterday 13:00`
    NamedAt(NamedDay, civil::Time),
    /// `2026-11-20`
    Day(Date),
    /// `13:00`
    TimeOfDay(civil::Time),
    /// `2026-11-20T13:00`, in the zone of [`ReferenceTime`].
    Local(civil::DateTime),
    /// `2026-11-20T13:00:00Z` or with an offset.
    Moment(Timestamp),
    /// `Nov 20 13:00:00`: as some log writes it, with the year or more left open.
    Stamp(Box<TypedStamp>),
}

/// A day that is named by where it is from now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedDay {
    /// `today`
    Today,
    /// `yesterday`
    Yesterday,
    /// `friday`: the last one up to today.
    Weekday(Weekday),
    /// `last friday`: the last one before today.
    LastWeekday(Weekday),
}

/// What can be written, for messages.
pub(super) const EXAMPLES: &str =
    "15m, 13:00, 2026-11-20, \"2026-11-20 13:00\", yesterday, friday, or a time as a log has it";

/// The longest way back: longer than there have been logs.
const MAX_AGO_SECONDS: u64 = 100 * 366 * 86_400;

/// Units of durations; the first of a size is the one that is printed.
const UNITS: &[(&str, u64)] = &[
    ("d", 86_400),
    ("h", 3600),
    ("m", 60),
    ("s", 1),
    ("w", 7 * 86_400),
    ("week", 7 * 86_400),
    ("weeks", 7 * 86_400),
    ("day", 86_400),
    ("days", 86_400),
    ("hr", 3600),
    ("hrs", 3600),
    ("hour", 3600),
    ("hours", 3600),
    ("min", 60),
    ("mins", 60),
    ("minute", 60),
    ("minutes", 60),
    ("sec", 1),
    ("secs", 1),
    ("second", 1),
    ("seconds", 1),
];

/// From Monday on.
const WEEKDAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

/// The epoch in UTC: for tests, and where no relative time can occur.
impl Default for ReferenceTime {
    fn default() -> Self {
        Self {
            time: Time(0),
            zone: TimeZone::UTC,
        }
    }
}

impl ReferenceTime {
    fn date(&self) -> Date {
        self.zone.to_datetime(self.time.to_timestamp()).date()
    }

    /// The moment at which a clock of the zone shows this. Where it shows it twice: the first time
    /// for the beginning of a range and the second for its end.
    fn at(&self, shown: civil::DateTime, end: bool) -> Time {
        let shown = self.zone.to_ambiguous_timestamp(shown);
        let at = if end { shown.later() } else { shown.earlier() };
        at.map_or_else(
            |_| {
                Time(if shown.datetime().year() < 1970 {
                    i64::MIN
                } else {
                    i64::MAX
                })
            },
            Time::from_timestamp,
        )
    }

    fn midnight(&self, day: Date) -> Time {
        self.at(day.at(0, 0, 0, 0), false)
    }
}

impl TimeSpan {
    /// The moments that are meant: the first is in it, the last is not.
    #[must_use]
    pub fn resolve(&self, now: &ReferenceTime) -> Range<Time> {
        let from = self
            .from
            .as_ref()
            .map_or(Time(i64::MIN), |when| when.begins(now));
        let to = match (&self.to, &self.from) {
            (None, _) => Time(i64::MAX),
            (Some(WrittenTime::TimeOfDay(time)), Some(_)) => first_after(from, *time, now),
            (Some(when), _) => when.ends(now),
        };
        from..to
    }

    /// Whether it was written as one word: `today`, `yesterday`.
    fn day(&self) -> Option<&WrittenTime> {
        self.from.as_ref().filter(|from| {
            self.to.as_ref() == Some(from)
                && matches!(
                    from,
                    WrittenTime::Named(NamedDay::Today | NamedDay::Yesterday)
                )
        })
    }
}

impl NamedDay {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "today" => return Some(Self::Today),
            "yesterday" => return Some(Self::Yesterday),
            _ => {}
        }
        let last = text.strip_prefix("last ").map(str::trim_start);
        let day = weekday(last.unwrap_or(text))?;
        Some(match last {
            Some(_) => Self::LastWeekday(day),
            None => Self::Weekday(day),
        })
    }

    fn date(self, today: Date) -> Date {
        let back = match self {
            Self::Today => 0,
            Self::Yesterday => 1,
            Self::Weekday(day) => today.weekday().since(day),
            Self::LastWeekday(day) => match today.weekday().since(day) {
                0 => 7,
                back => back,
            },
        };
        today.checked_sub(i64::from(back).days()).unwrap_or(today)
    }
}

impl WrittenTime {
    /// Reads a time; `None` where it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // As it is printed.
        let spaced = text.contains('_').then(|| text.replace('_', " "));
        spaced
            .and_then(|text| Self::parse_words(&text))
            .or_else(|| Self::parse_words(text))
    }

    fn parse_words(text: &str) -> Option<Self> {
        match text {
            "now" => return Some(Self::Now),
            "noon" => return Some(Self::TimeOfDay(civil::time(12, 0, 0, 0))),
            "midnight" => return Some(Self::TimeOfDay(civil::Time::midnight())),
            _ => {}
        }
        if let Some(time) = time_of_day(text) {
            return Some(Self::TimeOfDay(time));
        }
        if let Some(day) = date(text) {
            return Some(Self::Day(day));
        }
        date_time(text)
            .or_else(|| named_day(text))
            .or_else(|| ago(text.strip_prefix('-').unwrap_or(text)).map(Self::Ago))
            .or_else(|| Self::stamp(text))
    }

    /// As a log writes it.
    fn stamp(text: &str) -> Option<Self> {
        let stamp = TypedStamp::parse(text)?;
        match stamp.plain() {
            Some(PlainTime::Moment(at)) => moment_of(at),
            Some(PlainTime::Local(shown)) => Some(Self::Local(shown)),
            Some(PlainTime::Day(day)) => Some(Self::Day(day)),
            Some(PlainTime::TimeOfDay(time)) => Some(Self::TimeOfDay(time)),
            None => Some(Self::Stamp(Box::new(stamp))),
        }
    }

    fn begins(&self, now: &ReferenceTime) -> Time {
        self.day(now.date())
            .map_or_else(|| self.moment(now, false), |day| now.midnight(day))
    }

    fn ends(&self, now: &ReferenceTime) -> Time {
        match self.day(now.date()) {
            Some(day) => day
                .tomorrow()
                .map_or(Time(i64::MAX), |next| now.midnight(next)),
            None => self.moment(now, true),
        }
    }

    /// The day that it is, where it is one.
    fn day(&self, today: Date) -> Option<Date> {
        match self {
            Self::Day(day) => Some(*day),
            Self::Named(day) => Some(day.date(today)),
            _ => None,
        }
    }

    fn moment(&self, now: &ReferenceTime, end: bool) -> Time {
        match self {
            Self::Now => now.time,
            Self::Ago(seconds) => now
                .time
                .plus_millis(-i64::try_from(seconds * 1000).unwrap_or(i64::MAX)),
            Self::TimeOfDay(time) => last_before(now, *time, end),
            Self::NamedAt(day, time) => now.at(day.date(now.date()).to_datetime(*time), end),
            Self::Local(shown) => now.at(*shown, end),
            Self::Moment(at) => Time::from_timestamp(*at),
            Self::Named(day) => now.midnight(day.date(now.date())),
            Self::Day(day) => now.midnight(*day),
            // A day that no calendar has.
            Self::Stamp(stamp) => stamp
                .time(now.time, &now.zone, end)
                .unwrap_or(Time(i64::MAX)),
        }
    }
}

/// The last moment up to now at which clocks showed this.
fn last_before(now: &ReferenceTime, time: civil::Time, end: bool) -> Time {
    let today = now.date();
    let at = now.at(today.to_datetime(time), end);
    if at <= now.time {
        at
    } else {
        now.at(today.yesterday().unwrap_or(today).to_datetime(time), end)
    }
}

/// The first moment after another one at which clocks show this.
fn first_after(from: Time, time: civil::Time, now: &ReferenceTime) -> Time {
    let day = now.zone.to_datetime(from.to_timestamp()).date();
    let at = now.at(day.to_datetime(time), true);
    if at > from {
        at
    } else {
        now.at(
            day.checked_add(1.day()).unwrap_or(day).to_datetime(time),
            true,
        )
    }
}

/// `2026-11-20`
pub(super) fn date(text: &str) -> Option<Date> {
    let [year, month, day] = numbers(text, '-', [4, 2, 2])?;
    Date::new(
        i16::try_from(year).ok()?,
        i8::try_from(month).ok()?,
        i8::try_from(day).ok()?,
    )
    .ok()
}

/// `9:30`, `13:00:05`, `13:00:05.250`
pub(super) fn time_of_day(text: &str) -> Option<civil::Time> {
    let (clock, fraction) = match text.split_once('.') {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (text, None),
    };
    let (hour, rest) = clock.split_once(':')?;
    let [minute, second] = match numbers(rest, ':', [2]) {
        Some([minute]) if fraction.is_none() => [minute, 0],
        _ => numbers(rest, ':', [2, 2])?,
    };
    civil::Time::new(
        i8::try_from(digits(hour, 1..=2)?).ok()?,
        i8::try_from(minute).ok()?,
        i8::try_from(second).ok()?,
        fraction.map_or(Some(0), nanoseconds)?,
    )
    .ok()
}

fn nanoseconds(fraction: &str) -> Option<i32> {
    let missing = 9_u32.checked_sub(u32::try_from(fraction.len()).ok()?)?;
    Some(digits(fraction, 1..=9)? * 10_i32.pow(missing))
}

/// A date and a time of day with `T` or a blank between, and perhaps `Z` or an offset.
fn date_time(text: &str) -> Option<WrittenTime> {
    let day = date(text.get(..10)?)?;
    let rest = text[10..].strip_prefix(['T', 't', ' '])?.trim_start();
    if let Some(time) = time_of_day(rest) {
        return Some(WrittenTime::Local(day.to_datetime(time)));
    }
    let at = rest.find(['Z', 'z', '+', '-'])?;
    let time = time_of_day(rest[..at].trim_end())?;
    let zone = &rest[at..];
    moment_of(offset(zone)?.to_timestamp(day.to_datetime(time)).ok()?)
}

/// A moment that is printed with a year of four digits.
fn moment_of(at: Timestamp) -> Option<WrittenTime> {
    (Offset::UTC.to_datetime(at).year() >= 0).then_some(WrittenTime::Moment(at))
}

/// `yesterday`, `last friday 10:00`, or with a `T` as in dates
fn named_day(text: &str) -> Option<WrittenTime> {
    if let Some(day) = NamedDay::parse(text) {
        return Some(WrittenTime::Named(day));
    }
    let (at, between) = text.char_indices().rev().find(|(at, c)| {
        matches!(c, 'T' | 't' | ' ') && text[at + 1..].starts_with(|c: char| c.is_ascii_digit())
    })?;
    let (day, clock) = (text[..at].trim_end(), &text[at + between.len_utf8()..]);
    let day = NamedDay::parse(day)?;
    match WrittenTime::parse_words(clock)? {
        WrittenTime::TimeOfDay(time) => Some(WrittenTime::NamedAt(day, time)),
        _ => None,
    }
}

/// The name of a day of the week, or its first three letters.
fn weekday(text: &str) -> Option<Weekday> {
    let text = text.to_ascii_lowercase();
    let at = WEEKDAYS
        .iter()
        .position(|name| *name == text || text.len() == 3 && name.starts_with(&text))?;
    Weekday::from_monday_zero_offset(i8::try_from(at).ok()?).ok()
}

/// `Z`, `+01`, `+0100`, `+01:00`
fn offset(text: &str) -> Option<Offset> {
    if text.eq_ignore_ascii_case("z") {
        return Some(Offset::UTC);
    }
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+')?),
    };
    let (hours, minutes) = match digits.len() {
        2 => (digits, "00"),
        4 => digits.split_at_checked(2)?,
        _ => digits.split_once(':')?,
    };
    let [hours] = numbers(hours, ':', [2])?;
    let [minutes] = numbers(minutes, ':', [2])?;
    (minutes < 60)
        .then(|| Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok())
        .flatten()
}

/// Numbers of exactly so many digits.
fn numbers<const N: usize>(text: &str, between: char, widths: [usize; N]) -> Option<[i32; N]> {
    let mut parts = text.split(between);
    let mut found = [0; N];
    for (slot, width) in found.iter_mut().zip(widths) {
        *slot = digits(parts.next()?, width..=width)?;
    }
    parts.next().is_none().then_some(found)
}

/// A number of so many digits and nothing else.
fn digits(text: &str, widths: RangeInclusive<usize>) -> Option<i32> {
    let is_number = widths.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

/// `15m`, `1h30m`, `2days`, `2 hours ago`, `an hour ago`: seconds.
fn ago(text: &str) -> Option<u64> {
    let text = text.strip_suffix(" ago").unwrap_or(text);
    if let Some(unit) = ["a ", "an "].iter().find_map(|one| text.strip_prefix(one)) {
        return UNITS
            .iter()
            .find(|(name, seconds)| *name == unit && (unit.len() > 2 || *seconds == 1))
            .map(|(_, seconds)| *seconds);
    }
    let mut rest = text;
    let mut sum = 0_u64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest[..digits].parse().ok()?;
        let after = rest[digits..].trim_start_matches(' ');
        let end = after
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(after.len());
        let (_, seconds) = UNITS.iter().find(|(name, _)| *name == &after[..end])?;
        sum = sum.checked_add(number.checked_mul(*seconds)?)?;
        rest = after[end..].trim_start_matches(' ');
    }
    (!text.is_empty() && sum <= MAX_AGO_SECONDS).then_some(sum)
}

impl fmt::Display for TimeSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.day(), &self.from, &self.to) {
            (Some(day), ..) => write!(f, "{day}"),
            (None, Some(from), Some(to)) => write!(f, "{}..{}", InRange(from), InRange(to)),
            (None, Some(from), None) => write!(f, "since:{from}"),
            (None, None, Some(to)) => write!(f, "until:{to}"),
            (None, None, None) => f.write_str("until:now"),
        }
    }
}

/// With the sign of times that have passed.
struct InRange<'a>(&'a WrittenTime);

impl fmt::Display for InRange<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if matches!(self.0, WrittenTime::Ago(_)) {
            "-"
        } else {
            ""
        };
        write!(f, "{sign}{}", self.0)
    }
}

impl fmt::Display for WrittenTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Now => f.write_str("now"),
            Self::Named(day) => write!(f, "{day}"),
            Self::NamedAt(day, time) => write!(f, "{day}T{}", short(*time)),
            Self::Stamp(stamp) => f.write_str(&stamp.text().replace(' ', "_")),
            Self::Day(day) => write!(f, "{day}"),
            Self::TimeOfDay(time) => f.write_str(&short(*time)),
            Self::Local(shown) => write!(f, "{}T{}", shown.date(), short(shown.time())),
            Self::Moment(at) => write!(f, "{at}"),
            Self::Ago(seconds) => write_duration(f, *seconds),
        }
    }
}

impl fmt::Display for NamedDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name =
            |day: &Weekday| WEEKDAYS[usize::from(day.to_monday_zero_offset().unsigned_abs())];
        match self {
            Self::Today => f.write_str("today"),
            Self::Yesterday => f.write_str("yesterday"),
            Self::Weekday(day) => f.write_str(name(day)),
            Self::LastWeekday(day) => write!(f, "last_{}", name(day)),
        }
    }
}

/// `1h30m`
fn write_duration(f: &mut fmt::Formatter<'_>, seconds: u64) -> fmt::Result {
    if seconds == 0 {
        return f.write_str("0s");
    }
    let mut left = seconds;
    for (unit, size) in &UNITS[..4] {
        if left >= *size {
            write!(f, "{}{unit}", left / size)?;
            left %= size;
        }
    }
    Ok(())
}

/// Without seconds that are none.
fn short(time: civil::Time) -> String {
    let text = time.to_string();
    text.strip_suffix(":00")
        .filter(|text| text.len() == 5)
        .map_or(text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests;
