//! Times that a person types or pastes: whatever can be read in a line is understood here too.
//!
//! The parsers are those of `notation`, and of two readings of a date the likelier is meant, as in
//! a log. Which moments times like `15m` or `yesterday` mean is left to the query.

use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};

use super::clock::{MomentResolver, days};
use super::counted::whole_hexadecimal_seconds;
use super::layout::at_spot;
use super::moment::{CalendarDate, NANOS, TimeOfDay, WrittenMoment, WrittenZone};
use super::notation::{self, SHAPES};
use super::scan::{ClockPrecision, StampScanner};
use super::spots::TimestampSpot;
use super::zone::ZoneNames;
use crate::model::time::{HostClock, Time};
use crate::parse::fields;

/// Longer texts are no times.
const MAX_BYTES: usize = 80;

/// A time as some log writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypedStamp {
    /// Without brackets around it.
    text: String,
    /// It is a day, without a time of day.
    is_day: bool,
    /// What it says, where there is one way to read it.
    said: Option<WrittenMoment>,
}

/// A time that leaves nothing open but the zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlainTime {
    /// This moment.
    Moment(Timestamp),
    /// What clocks show.
    Local(civil::DateTime),
    /// A day.
    Day(civil::Date),
    /// What clocks show on some day.
    TimeOfDay(civil::Time),
}

impl TypedStamp {
    /// Reads a text that is a time as a whole, brackets and a comma left out; `None` where it is
    /// none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_end_matches([',', ';']);
        let text = fields::without_brackets(text.as_bytes())
            .and_then(|inner| std::str::from_utf8(inner).ok())
            .map_or(text, str::trim);
        if text.len() > MAX_BYTES || !text.bytes().any(|b| b.is_ascii_digit()) {
            return None;
        }
        Self::of(text, false)
            .or_else(|| Self::of(&with_seconds(text)?, false))
            .or_else(|| Self::of(text, true))
            // klog's without the letter of its level.
            .or_else(|| {
                let is_number = text.starts_with(|c: char| c.is_ascii_digit());
                Self::of(&format!("I{text}"), false).filter(|_| is_number)
            })
    }

    fn of(text: &str, is_day: bool) -> Option<Self> {
        if is_day && text.contains(':') {
            return None;
        }
        let mut readings = readings(&whole(text, is_day, false));
        readings.retain(is_in_calendar);
        let (first, others) = readings.split_first()?;
        Some(Self {
            text: text.to_owned(),
            is_day,
            said: others.is_empty().then_some(*first),
        })
    }

    /// What it says, where that needs neither a year nor a choice between two days.
    #[must_use]
    pub fn plain(&self) -> Option<PlainTime> {
        match self.said? {
            WrittenMoment::Epoch(nanos) => {
                let at = Timestamp::from_nanosecond(nanos.into()).ok()?;
                Some(PlainTime::Moment(at))
            }
            WrittenMoment::Clock(time, WrittenZone::Host) => {
                civil_time(time).map(PlainTime::TimeOfDay)
            }
            WrittenMoment::Civil(date, _, WrittenZone::Host) if self.is_day => {
                civil_date(date).map(PlainTime::Day)
            }
            WrittenMoment::Civil(date, time, WrittenZone::Host) => Some(PlainTime::Local(
                civil_date(date)?.to_datetime(civil_time(time)?),
            )),
            moment @ WrittenMoment::Civil(CalendarDate { year: Some(_), .. }, ..) => {
                let mut calendar = MomentResolver::new(&HostClock::fixed(0));
                let at = calendar.time(moment, Time(0), None)?;
                Some(PlainTime::Moment(at.to_timestamp()))
            }
            _ => None,
        }
    }

    /// The moment that it means for somebody in a zone: the last one, where it leaves open which. Of
    /// a day, where it begins or, as the `end` of a range, where it ends.
    #[must_use]
    pub fn time(&self, now: Time, zone: &TimeZone, end: bool) -> Option<Time> {
        let clock = HostClock {
            zone: zone.clone(),
            boot: None,
        };
        let mut calendar = MomentResolver::new(&clock);
        if let Some(moment) = self.said {
            let moment = match moment {
                WrittenMoment::Civil(date, _, zone) if self.is_day && end => {
                    date.at(END_OF_DAY, zone)?
                }
                moment => moment,
            };
            let time = calendar.time(moment, now, None)?;
            let is_ahead = matches!(moment, WrittenMoment::Clock(..)) && time > now;
            return Some(time.plus_millis(if is_ahead { -DAY_MS } else { 0 }));
        }
        let text = whole(&self.text, self.is_day, end);
        let spot = TimestampSpot { at: 0, word: 0 };
        at_spot(text.as_bytes(), spot, &mut calendar, now).map(|found| found.time)
    }

    /// As it was typed, without brackets.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

const DAY_MS: i64 = 24 * 3600 * 1000;

/// Some year with a 29 February.
const LEAP_YEAR: i32 = 2024;

const END_OF_DAY: TimeOfDay = TimeOfDay {
    second: 24 * 3600,
    nano: 0,
};

/// A time of day behind a day that has none.
fn whole(text: &str, is_day: bool, end: bool) -> String {
    match (is_day, end) {
        (false, _) => text.to_owned(),
        (true, false) => format!("{text} 00:00:00"),
        (true, true) => format!("{text} 24:00:00"),
    }
}

/// People leave seconds out, and logs never do: `Nov 27 10:00`.
fn with_seconds(text: &str) -> Option<String> {
    let at = text.rfind(':').filter(|&at| at > 0)?;
    let minutes = &text[at + 1..];
    let is_clock = minutes.len() >= 2 && minutes.as_bytes()[..2].iter().all(u8::is_ascii_digit);
    let (head, tail) = text.split_at_checked(at + 3).filter(|_| is_clock)?;
    Some(format!("{head}:00{tail}"))
}

/// Whether some year has this day.
fn is_in_calendar(moment: &WrittenMoment) -> bool {
    match moment {
        WrittenMoment::Civil(CalendarDate { year, month, day }, ..) => {
            days(year.unwrap_or(LEAP_YEAR), *month, *day).is_some()
        }
        _ => true,
    }
}

/// What a text says as a whole, by each format that reads it.
fn readings(text: &str) -> Vec<WrittenMoment> {
    let (text, names) = (text.as_bytes(), ZoneNames::new());
    let is_whole = |found: &super::ParsedStamp| {
        found.end == text.len() && !matches!(found.moment, WrittenMoment::SinceBoot(_))
    };
    let mut readings = Vec::new();
    for format in SHAPES {
        let Some(found) = (format.parse)(text, &names).filter(is_whole) else {
            continue;
        };
        if !readings.contains(&found.moment) {
            readings.push(found.moment);
        }
        if !format.ambiguous {
            break;
        }
    }
    if readings.is_empty() {
        let found = notation::any(text, &names)
            .filter(is_whole)
            .filter(|_| begins_with_weekday(text));
        readings.extend(
            found
                .map(|found| found.moment)
                .or_else(|| clock(text, &names))
                .or_else(|| hexadecimal(text, &names)),
        );
    }
    readings
}

/// In a line any word may stand for a day's name; a query has other words before a time.
fn begins_with_weekday(text: &[u8]) -> bool {
    const DAYS: [&[u8]; 7] = [b"mon", b"tue", b"wed", b"thu", b"fri", b"sat", b"sun"];
    text.first_chunk::<3>()
        .is_some_and(|word| DAYS.contains(&&word.to_ascii_lowercase()[..]))
}

/// `6b0a43b0`, which a digit and a letter set apart from numbers and words.
fn hexadecimal(text: &[u8], names: &ZoneNames) -> Option<WrittenMoment> {
    let has = |is: fn(&u8) -> bool| text.iter().any(is);
    let is_mixed = has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
    let found = whole_hexadecimal_seconds(text, names)?;
    (is_mixed && found.end == text.len()).then_some(found.moment)
}

/// `10:00 PM`, `13:00 UTC`, `9am`
fn clock(text: &[u8], names: &ZoneNames) -> Option<WrittenMoment> {
    let mut scan = StampScanner(text);
    // `10.0` and `1:2` are no times of day to a person.
    let behind = &text[scan.run_of_digits()..];
    let has_minutes = |minutes: &[u8]| minutes.len() >= 2 && minutes[1].is_ascii_digit();
    if behind.starts_with(b".")
        || behind
            .strip_prefix(b":")
            .is_some_and(|rest| !has_minutes(rest))
    {
        return None;
    }
    let time = scan
        .attempt(|scan| scan.time_of_day(ClockPrecision::Minutes))
        .or_else(|| hour(&mut scan))?;
    let zone = scan.zone(names);
    let is_whole = scan.0.is_empty() && time.second < END_OF_DAY.second;
    is_whole.then_some(WrittenMoment::Clock(time, zone))
}

/// `9am`
fn hour(scan: &mut StampScanner<'_>) -> Option<TimeOfDay> {
    let hour = scan.short().filter(|hour| (1..=12).contains(hour))?;
    let after_noon = scan.half_of_day()?;
    Some(TimeOfDay {
        second: super::moment::hour_of_day(hour, Some(after_noon)) * 3600,
        nano: 0,
    })
}

fn civil_date(date: CalendarDate) -> Option<civil::Date> {
    civil::Date::new(
        i16::try_from(date.year?).ok()?,
        i8::try_from(date.month).ok()?,
        i8::try_from(date.day).ok()?,
    )
    .ok()
}

fn civil_time(time: TimeOfDay) -> Option<civil::Time> {
    debug_assert!(time.nano < NANOS);
    civil::Time::new(
        i8::try_from(time.second / 3600).ok()?,
        i8::try_from(time.second / 60 % 60).ok()?,
        i8::try_from(time.second % 60).ok()?,
        i32::try_from(time.nano).ok()?,
    )
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Time {
        Time::from_timestamp(text.parse().expect("a moment"))
    }

    /// In New York, on a Friday in winter.
    fn meant(text: &str) -> String {
        let zone = TimeZone::posix("EST5EDT,M3.2.0,M11.1.0").expect("a zone");
        let stamp = TypedStamp::parse(text).unwrap_or_else(|| panic!("{text}"));
        let time = stamp.time(at("2026-11-27T15:00:00Z"), &zone, false);
        time.unwrap_or_else(|| panic!("{text}"))
            .to_timestamp()
            .to_string()
    }

    #[test]
    fn what_logs_write_is_understood() {
        for (text, expected) in [
            ("27/Nov/2026:10:00:00 +0000", "2026-11-27T10:00:00Z"),
            ("[27/Nov/2026:10:00:00 +0000]", "2026-11-27T10:00:00Z"),
            ("Nov 27 08:00:00", "2026-11-27T13:00:00Z"),
            ("nov 27 08:00", "2026-11-27T13:00:00Z"),
            ("Dec 31 08:00:00", "2025-12-31T13:00:00Z"),
            ("2026-11-27 08:00:00,123", "2026-11-27T13:00:00.123Z"),
            ("2026-11-27 08:00:00,123,", "2026-11-27T13:00:00.123Z"),
            ("2026/11/27 08:00:00", "2026-11-27T13:00:00Z"),
            ("1795773600", "2026-11-27T10:00:00Z"),
            ("1795773600123", "2026-11-27T10:00:00.123Z"),
            ("2026-11-27 10:00:00 UTC", "2026-11-27T10:00:00Z"),
            ("Fri Nov 27 10:00:00 UTC 2026", "2026-11-27T10:00:00Z"),
            ("Fri, 27 Nov 2026 10:00:00 GMT", "2026-11-27T10:00:00Z"),
            ("I1127 08:00:00.5", "2026-11-27T13:00:00.5Z"),
            ("1127 08:00:00.5", "2026-11-27T13:00:00.5Z"),
            ("08:00:00.5", "2026-11-27T13:00:00.5Z"),
            ("10:00 PM", "2026-11-27T03:00:00Z"),
            ("9am", "2026-11-27T14:00:00Z"),
            ("9 am", "2026-11-27T14:00:00Z"),
            ("13:00 UTC", "2026-11-27T13:00:00Z"),
            ("16:00:00 UTC", "2026-11-26T16:00:00Z"),
            // Both are days of the past; the nearer is meant.
            ("11/10/2026 08:00:00", "2026-11-10T13:00:00Z"),
            ("27.11.2026 08:00", "2026-11-27T13:00:00Z"),
            ("27/Nov/2026", "2026-11-27T05:00:00Z"),
            ("2026/11/27", "2026-11-27T05:00:00Z"),
            ("Nov 27", "2026-11-27T05:00:00Z"),
        ] {
            assert_eq!(meant(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_time_as_a_whole_is_refused() {
        for text in [
            "",
            "27",
            "Nov",
            "10:00:00 XYZ",
            "10:00:00 x",
            "[    5.123456]",
            "404",
            "2026",
            "13am",
            "Nov 31x 10:00",
            "cart 2026-11-20 13:00:00",
            "10.0.0.1",
            "v1.2.3",
            "12345678901",
        ] {
            assert_eq!(TypedStamp::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_day_goes_on_until_the_next() {
        let zone = TimeZone::UTC;
        let now = at("2026-11-27T15:00:00Z");
        for text in ["Nov 26", "26/Nov/2026", "26.11.2026"] {
            let day = TypedStamp::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(
                day.time(now, &zone, false),
                Some(at("2026-11-26T00:00:00Z"))
            );
            assert_eq!(day.time(now, &zone, true), Some(at("2026-11-27T00:00:00Z")));
        }
    }
}
