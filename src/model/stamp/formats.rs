//! The formats of stamps: a table, and a small parser for each entry.
//!
//! A parser takes the bytes from where a stamp may begin and answers with the time, or with nothing. It allocates
//! nothing, and gives up at the first byte that does not fit. A new format is a new row.

use std::fmt;

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

use crate::model::record::Time;

/// What a stamp may leave open.
pub(super) struct Clock<'a> {
    /// Of local time, for stamps without a zone.
    pub(super) zone: &'a TimeZone,
    /// For stamps without a year.
    pub(super) now: Time,
}

/// Where a stamp of some format stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Near the beginning of the line.
    Anywhere,
    /// At the beginning only: further on, it would be told from any other number or word by chance alone.
    Start,
    /// In a field with a name, which the parser looks for in the line.
    Field,
}

/// A way to write a time.
pub(super) struct Format {
    /// As the inventory names it.
    pub(super) name: &'static str,
    /// Where it stands.
    pub(super) place: Place,
    /// Bytes to time.
    pub(super) parse: fn(&[u8], &Clock<'_>) -> Option<Time>,
}

impl fmt::Debug for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// In this order where several fit at one place.
pub(super) static FORMATS: &[Format] = &[
    // 2026-11-20T13:00:00.123+01:00, 2026-11-20 13:00:00,123, 2026/11/20 13:00:00, 20261120T130000Z
    Format { name: "iso8601", place: Place::Anywhere, parse: iso },
    // Nov 20 13:00:00, Nov 20 2026 13:00:00, Fri Nov 20 13:00:00.123456 2026
    Format { name: "syslog", place: Place::Anywhere, parse: month_first },
    // 20/Nov/2026:13:00:00 +0000, 20-Nov-2026 13:00:00, 20 Nov 2026 13:00:00.123
    Format { name: "access", place: Place::Anywhere, parse: day_first },
    // E1120 13:00:00.123456
    Format { name: "klog", place: Place::Start, parse: klog },
    // 1795179600, 1795179600.123, 1795179600123
    Format { name: "epoch", place: Place::Start, parse: epoch },
    // {"time":"2026-11-20T13:00:00Z"}, {"ts":1795179600.123}
    Format { name: "json", place: Place::Field, parse: json },
    // ts=2026-11-20T13:00:00Z, time="Nov 20 13:00:00", t=1795179600
    Format { name: "logfmt", place: Place::Field, parse: logfmt },
];

fn iso(text: &[u8], clock: &Clock<'_>) -> Option<Time> {
    let mut scan = Scan(text);
    let year = scan.digits(4)?;
    let separator = scan.take(b"-/");
    let month = scan.digits(2)?;
    let day = if separator.is_some() {
        scan.take(b"-/").filter(|&same| Some(same) == separator)?;
        scan.digits(2)?
    } else {
        scan.digits(2)?
    };
    scan.take(if separator.is_some() { b"T t_" } else { b"Tt" })?;
    let time = scan.time_of_day(separator.is_some())?;
    let zone = scan.zone();
    moment(year, month, day, time, zone, clock)
}

fn month_first(text: &[u8], clock: &Clock<'_>) -> Option<Time> {
    let mut scan = Scan(text);
    let month = scan.month()?;
    scan.take(b" ")?;
    scan.take(b" ");
    let day = scan.day()?;
    scan.take(b",");
    scan.take(b" ")?;
    let mut year = scan.year_and(b" ");
    let time = scan.time_of_day(true)?;
    let zone = scan.zone();
    if year.is_none() {
        // ctime has the year last.
        year = scan.after(b" ").and_then(|mut rest| rest.year_alone());
    }
    match year {
        Some(year) => moment(year, month, day, time, zone, clock),
        None => nearest(month, day, time, zone, clock),
    }
}

fn day_first(text: &[u8], clock: &Clock<'_>) -> Option<Time> {
    let mut scan = Scan(text);
    let day = scan.day()?;
    let separator = scan.take(b"/- ")?;
    let month = scan.month()?;
    scan.take(&[separator])?;
    let year = scan.digits(4)?;
    scan.take(b": ")?;
    let time = scan.time_of_day(true)?;
    let zone = scan.zone();
    moment(year, month, day, time, zone, clock)
}

fn klog(text: &[u8], clock: &Clock<'_>) -> Option<Time> {
    let mut scan = Scan(text);
    scan.take(b"IWEF")?;
    let month = scan.digits(2)?;
    let day = scan.digits(2)?;
    scan.take(b" ")?;
    let time = scan.time_of_day(true)?;
    nearest(month, day, time, None, clock)
}

/// Seconds have ten digits from 2001 to 2286, milliseconds 13, microseconds 16 and nanoseconds 19: numbers of any
/// other length are taken for something else.
fn epoch(text: &[u8], _: &Clock<'_>) -> Option<Time> {
    let mut scan = Scan(text);
    let mut digits = 0;
    let mut number: i64 = 0;
    while let Some(digit) = scan.digit() {
        digits += 1;
        number = number.checked_mul(10)?.checked_add(i64::from(digit))?;
    }
    let scale = match digits {
        10 => 1_000_000_000,
        13 => 1_000_000,
        16 => 1_000,
        19 => 1,
        _ => return None,
    };
    let whole = number.checked_mul(scale)?;
    // A fraction of anything but seconds is below what clocks measure, or below a microsecond at any rate.
    let fraction = i64::from(scan.fraction(b".").unwrap_or(0));
    let nanos = if digits == 10 { fraction } else { 0 };
    scan.ends_word().then_some(Time(whole.checked_add(nanos)?))
}

const FIELDS: &[&[u8]] = &[b"time", b"ts", b"timestamp", b"@timestamp", b"t", b"@t", b"$date"];

fn json(line: &[u8], clock: &Clock<'_>) -> Option<Time> {
    memchr::memchr_iter(b':', line).find_map(|colon| {
        let key = line[..colon].trim_ascii_end().strip_suffix(b"\"")?;
        let quote = memchr::memrchr(b'"', key)?;
        // A quote in a string is escaped, and then this is not a key.
        let before = line[..quote].trim_ascii_end().last();
        let is_key = FIELDS.contains(&&key[quote + 1..]) && matches!(before, Some(b'{' | b','));
        is_key.then(|| value(line[colon + 1..].trim_ascii_start(), clock)).flatten()
    })
}

fn logfmt(line: &[u8], clock: &Clock<'_>) -> Option<Time> {
    memchr::memchr_iter(b'=', line).find_map(|equals| {
        let start = line[..equals].iter().rposition(|b| b" \t,".contains(b)).map_or(0, |at| at + 1);
        FIELDS.contains(&&line[start..equals]).then(|| value(&line[equals + 1..], clock)).flatten()
    })
}

fn value(text: &[u8], clock: &Clock<'_>) -> Option<Time> {
    let text = text.strip_prefix(b"\"").unwrap_or(text);
    let formats = FORMATS.iter().filter(|format| format.place != Place::Field);
    let mut parsers = formats.map(|format| format.parse);
    parsers.find_map(|parse| parse(text, clock)).or_else(|| day_name(text, clock))
}

/// `Fri, 20 Nov 2026 13:00:00 GMT`, `Fri Nov 20 13:00:00 2026`
fn day_name(text: &[u8], clock: &Clock<'_>) -> Option<Time> {
    let rest = text.get(3..)?;
    let rest = rest.strip_prefix(b",").unwrap_or(rest).strip_prefix(b" ")?;
    day_first(rest, clock).or_else(|| month_first(rest, clock))
}

/// Hour, minute, second, nanosecond; each within its range.
type TimeOfDay = (i8, i8, i8, i32);

fn moment(year: u32, month: u32, day: u32, time: TimeOfDay, zone: Option<i32>, clock: &Clock<'_>) -> Option<Time> {
    let (hour, minute, second, nano) = time;
    let year = i16::try_from(year).ok()?;
    let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
    let civil = DateTime::new(year, month, day, hour, minute, second, nano).ok()?;
    let zone = zone.and_then(|zone| Offset::from_seconds(zone).ok());
    // What jiff cannot hold either (the last day of 9999) is an end of the range.
    let end = if year > 1970 { Time(i64::MAX) } else { Time(i64::MIN) };
    let found = match zone {
        Some(offset) => offset.to_timestamp(civil),
        None => clock.zone.to_ambiguous_timestamp(civil).compatible(),
    };
    Some(found.map_or(end, Time::from_timestamp))
}

/// A clock may be ahead of ours, and its zone may be unknown to us, but not by more than this.
const AHEAD_MS: i64 = 2 * 24 * 3600 * 1000;

/// 29 February may be this long ago (1896 to 1904 had none between).
const YEARS_BACK: u32 = 8;

/// The last moment with this date that is not in the future.
fn nearest(month: u32, day: u32, time: TimeOfDay, zone: Option<i32>, clock: &Clock<'_>) -> Option<Time> {
    let latest = clock.now.plus_millis(AHEAD_MS);
    let year = u32::try_from(clock.zone.to_datetime(latest.to_timestamp()).year()).ok()?;
    let mut years = (year.saturating_sub(YEARS_BACK)..=year).rev();
    years.find_map(|year| moment(year, month, day, time, zone, clock).filter(|&time| time <= latest))
}

/// The bytes that are still to be read.
#[derive(Clone, Copy)]
struct Scan<'a>(&'a [u8]);

impl<'a> Scan<'a> {
    /// One of these bytes.
    fn take(&mut self, any: &[u8]) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        any.contains(&first).then(|| {
            self.0 = rest;
            first
        })
    }

    /// The rest after these bytes.
    fn after(&self, prefix: &[u8]) -> Option<Self> {
        self.0.strip_prefix(prefix).map(Self)
    }

    fn digit(&mut self) -> Option<u8> {
        self.take(b"0123456789").map(|b| b - b'0')
    }

    fn digits(&mut self, count: usize) -> Option<u32> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        let mut number = 0;
        for b in digits {
            let digit = b.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            number = number * 10 + u32::from(digit);
        }
        self.0 = rest;
        Some(number)
    }

    /// `2` or `20`, not followed by a digit.
    fn day(&mut self) -> Option<u32> {
        let day = match self.digits(2) {
            Some(day) => day,
            None => self.digits(1)?,
        };
        self.0.first().is_none_or(|b| !b.is_ascii_digit()).then_some(day)
    }

    fn month(&mut self) -> Option<u32> {
        const MONTHS: [&[u8; 3]; 12] =
            [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
        let (name, rest) = self.0.split_first_chunk::<3>()?;
        let month = MONTHS.iter().position(|month| *month == name)?;
        self.0 = rest;
        u32::try_from(month + 1).ok()
    }

    /// A year that is followed by one of these bytes.
    fn year_and(&mut self, any: &[u8]) -> Option<u32> {
        let mut ahead = *self;
        let year = ahead.digits(4)?;
        ahead.take(any)?;
        *self = ahead;
        Some(year)
    }

    /// A year that is a word of its own.
    fn year_alone(&mut self) -> Option<u32> {
        let year = self.digits(4).filter(|year| (1970..=2261).contains(year))?;
        self.ends_word().then_some(year)
    }

    /// `13:00[:00[.123]]`, or `1300[00[.123]]` without colons.
    fn time_of_day(&mut self, colons: bool) -> Option<TimeOfDay> {
        let hour = self.digits(2).filter(|&hour| hour < 24)?;
        if colons {
            self.take(b":")?;
        }
        let minute = self.digits(2).filter(|&minute| minute < 60)?;
        let mut ahead = *self;
        let more = !colons || ahead.take(b":").is_some();
        let mut second = 0;
        let mut nano = 0;
        if let Some(found) = more.then(|| ahead.digits(2)).flatten() {
            *self = ahead;
            // Leap seconds: the next second is as near as this clock can say.
            second = (found <= 60).then_some(found.min(59))?;
            nano = self.fraction(b".,").unwrap_or(0);
        }
        let narrow = |number: u32| i8::try_from(number).ok();
        Some((narrow(hour)?, narrow(minute)?, narrow(second)?, nano))
    }

    /// `.123` as nanoseconds; digits beyond the ninth are passed over.
    fn fraction(&mut self, points: &[u8]) -> Option<i32> {
        let mut ahead = *self;
        ahead.take(points)?;
        let mut nanos = i32::from(ahead.digit()?) * 100_000_000;
        let mut unit = 10_000_000;
        while let Some(digit) = ahead.digit() {
            nanos += i32::from(digit) * unit;
            unit /= 10;
        }
        *self = ahead;
        Some(nanos)
    }

    /// `Z`, `+01:00`, `+0100`, `+01`, ` +0100`, ` UTC`: seconds ahead of UTC. Other names of zones mean different things in
    /// different countries, and are passed over.
    fn zone(&mut self) -> Option<i32> {
        let mut ahead = *self;
        let blank = ahead.take(b" ").is_some();
        let zone = ahead.offset(blank).or_else(|| ahead.zone_name(blank))?;
        *self = ahead;
        Some(zone)
    }

    fn zone_name(&mut self, blank: bool) -> Option<i32> {
        let names: &[&[u8]] = if blank { &[b"UTC", b"GMT", b"Z"] } else { &[b"UTC", b"GMT", b"Z", b"z"] };
        let rest = names.iter().find_map(|name| self.after(name)).filter(Self::ends_word)?;
        *self = rest;
        Some(0)
    }

    /// After a blank, only with four digits: ` -1 items` is no zone.
    fn offset(&mut self, blank: bool) -> Option<i32> {
        let mut ahead = *self;
        let sign = if ahead.take(b"+-")? == b'-' { -1 } else { 1 };
        let hours = ahead.digits(2).filter(|&hours| hours <= 14)?;
        let colon = ahead.take(b":").is_some();
        let minutes = match ahead.digits(2) {
            Some(minutes) => minutes,
            None if blank || colon => return None,
            None => 0,
        };
        if minutes > 59 || !ahead.ends_word() {
            return None;
        }
        *self = ahead;
        i32::try_from(hours * 3600 + minutes * 60).ok().map(|seconds| sign * seconds)
    }

    fn ends_word(&self) -> bool {
        self.0.first().is_none_or(|b| !b.is_ascii_alphanumeric())
    }
}
