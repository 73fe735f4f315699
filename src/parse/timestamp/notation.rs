//! How stamps are written: a table, and a small parser for each entry.
//!
//! A parser takes the bytes from where a stamp may begin and answers with what the stamp says and
//! how long it is, or with nothing. It allocates nothing, and gives up at the first byte that does
//! not fit. A new format is a new row. Where in a line stamps stand is left to `layout`, what they
//! leave open to `clock`, stamps in fields with a name to `fields`.

use std::fmt;

use super::iis::is_iis;
use super::moment::{CalendarDate, TimeOfDay, WrittenMoment, WrittenZone};
use super::scan::{ClockPrecision, MAX_DECIMALS, StampScanner};
use super::zone::ZoneNames;

/// Where a stamp of some format may stand in a line that is the only one known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StampPlace {
    /// Near the beginning of the line.
    Anywhere,
    /// At the beginning only: further on, it would be told from any other number or word by chance
    /// alone.
    Start,
    /// In a field with a name, which the parser looks for in the line.
    Field,
    /// Nowhere: only many lines, or the inventory, can prove it.
    Proved,
}

/// What the parser of a format found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ParsedStamp {
    /// What the stamp says.
    pub(super) moment: WrittenMoment,
    /// Where it begins in the bytes that were given.
    pub(super) start: usize,
    /// Where it ends.
    pub(super) end: usize,
}

/// A way to write a time.
#[derive(Clone, Copy)]
pub(super) struct TimestampNotation {
    /// As the inventory names it.
    pub(super) name: &'static str,
    /// What it looks like, for the documentation.
    pub(super) example: &'static str,
    /// Where it stands.
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
    Byte(u8),
    Any,
}

impl TimestampNotation {
    /// Whether a stamp of this format may begin with a byte.
    #[inline]
    pub(super) fn begins_with(&self, byte: u8) -> bool {
        match self.first {
            FirstByte::Digit => byte.is_ascii_digit(),
            FirstByte::Letter => byte.is_ascii_uppercase(),
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

use FirstByte::{Byte, Digit, Letter};

/// Those that are told by their shape, in this order where several fit at one place.
pub(super) const SHAPES: &[TimestampNotation] = formats![
    "iso8601" "2026-11-20T13:00:01.123+01:00, 2026/11/20 13:00:01,123" Anywhere Digit, iso;
    "syslog" "Nov 20 13:00:01, Fri Nov 20 13:00:01 2026, Nov 20, 2026 1:00:01 PM" Anywhere Letter, month_first;
    "access" "20/Nov/2026:13:00:01 +0000, 20-Nov-26 13:00:01, 20 Nov 13:00:01.123" Anywhere Digit, day_first;
    "compact" "20261120130001, 20261120-13:00:01:123" Anywhere Digit, compact;
    "european" "20.11.2026 13:00:01, 20/11/26 13:00:01" Anywhere Digit, day_month, true;
    "american" "11/20/2026 1:00:01 PM, 11/20/26 13:00:01" Anywhere Digit, month_day, true;
    "short-year" "26/11/20 13:00:01" Anywhere Digit, short_year, true;
    "month-day" "11-20 13:00:01.123, 11/20 13:00:01" Start Digit, month_day_only, true;
    "day-month" "20.11. 13:00:01, 20/11 13:00:01" Start Digit, day_month_only, true;
    "yymmdd" "261120 13:00:01, 261120 130001" Start Digit, yymmdd;
    "klog" "E1120 13:00:01.123456, I20261120 13:00:01.123456" Start Letter, klog;
    "epoch" "1795179601, 1795179601.123, 1795179601123" Start Digit, epoch;
    "boot" "[    5.123456] (seconds since the host was started)" Start Byte(b'['), since_boot;
    "tai64n" "@400000006b00000000000000" Start Byte(b'@'), tai64n;
];

/// Those that only many lines prove, or the inventory.
pub(super) const PROVED: &[TimestampNotation] = formats![
    "w3c" "2026-11-20 13:00:01 (UTC; elsewhere where `#Fields:` says so)" Proved Digit, utc;
    "clock" "13:00:01.123 (the day is that of the lines around it)" Proved Digit, time_only;
];

impl StampScanner<'_> {
    fn found(self, text: &[u8], moment: WrittenMoment) -> Option<ParsedStamp> {
        Some(ParsedStamp {
            moment,
            start: 0,
            end: text.len() - self.0.len(),
        })
    }

    /// The end of a stamp that is known by its shape: no part of a word or of the name of a file.
    fn ends_stamp(&self) -> bool {
        match self.0 {
            [b'.', next, ..] => !next.is_ascii_alphanumeric(),
            [next, ..] => !next.is_ascii_digit(),
            [] => true,
        }
    }

    fn year4(&mut self) -> Option<i32> {
        self.digits(4).and_then(|year| i32::try_from(year).ok())
    }

    /// Two digits of a year from 1970 to 2069, as in POSIX.
    fn year2(&mut self) -> Option<i32> {
        let year = self.digits(2).and_then(|year| i32::try_from(year).ok())?;
        self.peek()
            .is_none_or(|b| !b.is_ascii_digit())
            .then_some(year + if year < 69 { 2000 } else { 1900 })
    }

    fn year2_or_4(&mut self) -> Option<i32> {
        if self.run_of_digits() == 4 {
            self.year4()
        } else {
            self.year2()
        }
    }

    /// What stands between a date and a time: `T`, blanks, `, `, ` - `, `_`, `-`, `:`, `::`.
    #[inline]
    fn between(&mut self) -> Option<()> {
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
            }
        }
        Some(())
    }
}

fn civil(
    year: Option<i32>,
    month: u32,
    day: u32,
    time: TimeOfDay,
    zone: WrittenZone,
) -> Option<WrittenMoment> {
    let fits = (1..=12).contains(&month) && (1..=31).contains(&day);
    fits.then_some(WrittenMoment::Civil(
        CalendarDate { year, month, day },
        time,
        zone,
    ))
}

/// Any date with its year first, and with marks between its parts or `T` behind them.
fn iso(text: &[u8], names: &ZoneNames) -> Option<ParsedStamp> {
    let mut scan = StampScanner(text);
    let year = scan.year4()?;
    let Some(mark) = scan.take(b"-/. ") else {
        return basic(year, scan, text, names);
    };
    let (month, day);
    if scan.peek()?.is_ascii_digit() {
        month = scan.short().filter(|_| mark != b' ')?;
        scan.take(&[mark])?;
        day = scan.short()?;
    } else {
        month = scan.month()?;
        scan.take(&[mark])?;
        scan.blanks(1);
        day = scan.short()?;
    }
    scan.between()?;
    let time = scan.time_of_day(ClockPrecision::Minutes)?;
    let zone = match scan.zone(names) {
        WrittenZone::Host if is_iis(scan.0) => WrittenZone::Offset(0),
        zone => zone,
    };
    let moment = civil(Some(year), month, day, time, zone)?;
    if scan.ends_stamp() {
        scan.found(text, moment)
    } else {
        None
    }
}

/// `20261120T130001Z`
fn basic(
    year: i32,
    mut scan: StampScanner<'_>,
    text: &[u8],
    names: &ZoneNames,
) -> Option<ParsedStamp> {
    let month = scan.digits(2)?;
    let day = scan.digits(2)?;
    scan.take(b"Tt")?;
    let colons = scan.0.get(2) == Some(&b':');
    let time = if colons {
        scan.time_of_day(ClockPrecision::Minutes)
    } else {
        scan.time_without_colons(ClockPrecision::Minutes)
    };
    let time = time?;
    let zone = scan.zone(names);
    let moment = civil(Some(year), month, day, time, zone)?;
    if scan.ends_stamp() {
        scan.found(text, moment)
    } else {
        None
    }
}

/// `20261120130001`, `20261120 130001`, `20261120-13:00:01:123`
fn compact(text: &[u8], names: &ZoneNames) -> Option<ParsedStamp> {
    let mut scan = StampScanner(text);
    let run = scan.run_of_digits();
    if !matches!(run, 8 | 14 | 17) {
        return None;
    }
    let year = scan.year4().filter(|year| (1970..2262).contains(year))?;
    let (month, day) = (scan.digits(2)?, scan.digits(2)?);
    let mut time = match run {
        8 => {
            scan.between()?;
            let colons = scan.0.iter().take(3).any(|&b| b == b':');
            if colons {
                scan.time_of_day(ClockPrecision::Seconds)
            } else {
                scan.time_without_colons(ClockPrecision::Seconds)
            }
        }
        _ => scan.time_without_colons(ClockPrecision::Seconds),
    }?;
    if run == 17 {
        time.nano = scan.digits(3)? * 1_000_000;
    }
    let zone = scan.zone(names);
    let moment = civil(Some(year), month, day, time, zone)?;
    if scan.ends_word() && scan.ends_stamp() {
        scan.found(text, moment)
    } else {
        None
    }
}

/// `261120 13:00:01`, `261120  9:00:01`, `261120 130001`
fn yymmdd(text: &[u8], names: &ZoneNames) -> Option<ParsedStamp> {
    let mut scan = StampScanner(text);
    if scan.run_of_digits() != 6 {
        return None;
    }
    let year = i32::try_from(scan.digits(2)?).ok()?;
    let (month, day) = (scan.digits(2)?, scan.digits(2)?);
    scan.take(b" \t_-")?;
    scan.blanks(1);
    let colons = scan.0.iter().take(3).any(|&b| b == b':');
    let time = if colons {
        scan.time_of_day(ClockPrecision::Seconds)
    } else {
        scan.time_without_colons(ClockPrecision::Seconds)
    };
    let time = time?;
    let zone = scan.zone(names);
    let year = year + if year < 69 { 2000 } else { 1900 };
    let moment = civil(Some(year), month, day, time, zone)?;
    if scan.ends_word() {
        scan.found(text, moment)
    } else {
        None
    }
}

/// `Nov 20 13:00:01`, and with a year before or behind the time, as in `Fri Nov 20 13:00:01 UTC
/// 2026`.
fn month_first(text: &[u8], names: &ZoneNames) -> Option<ParsedStamp> {
    let mut scan = StampScanner(text);
    let month = scan.month()?;
    scan.take(b" -/.")?;
    scan.blanks(1);
    let day = scan.short()?;
    scan.take(b",");
    scan.take(b" -/.:")?;
    let mut year = year_and(&mut scan);
    scan.blanks(1);
    let time = scan.time_of_day(ClockPrecision::Seconds).or_else(|| {
        // Without seconds it is a stamp only together with a year.
        year.and_then(|_| scan.time_of_day(ClockPrecision::Minutes))
    })?;
    let mut zone = scan.zone(names);
    if year.is_none() {
        year = year_at_end(&mut scan);
        // `2026 GMT+0000`
        if year.is_some() && zone == WrittenZone::Host {
            zone = scan.zone(names);
        }
    }
    let moment = civil(year, month, day, time, zone)?;
    if scan.ends_word() {
        scan.found(text, moment)
    } else {
        None
    }
}

/// A year that is followed by a time.
fn year_and(scan: &mut StampScanner<'_>) -> Option<i32> {
    let mut ahead = *scan;
    let year = ahead.year4()?;
    ahead.take(b" ,:")?;
    *scan = ahead;
    Some(year)
}

/// A year that is a word of its own.
fn year_alone(scan: &mut StampScanner<'_>) -> Option<i32> {
    let year = scan.year4().filter(|year| (1970..=2261).contains(year))?;
    scan.ends_word().then_some(year)
}

/// `20/Nov/2026:13:00:01 +0000`, `20-Nov-26 13:00:01`, `20 Nov 13:00:01`
fn day_first(text: &[u8], names: &ZoneNames) -> Option<ParsedStamp> {
    let mut scan = StampScanner(text);
    let day = scan.short()?;
    let mark = scan.take(b"/- .");
    let month = scan.month()?;
    scan.take(b".,");
    let mut year = year_behind(&mut scan, mark);
    if year.is_none() && mark != Some(b' ') {
        return None;
    }
    scan.between()?;
    let time = scan.time_of_day(ClockPrecision::Seconds)?;
    let zone = scan.zone(names);
    if year.is_none() {
        year = year_at_end(&mut scan);
    }
    let moment = civil(year, month, day, time, zone)?;
    if scan.ends_stamp() {
        scan.found(text, moment)
    } else {
        None
    }
}

/// The year behind a month, which is parted from it as the day is.
fn year_behind(scan: &mut StampScanner<'_>, mark: Option<u8>) -> Option<i32> {
    let mut ahead = *scan;
    if let Some(mark) = mark {
        ahead.take(&[mark, b' '])?;
    }
    let year = ahead.year2_or_4()?;
    // `20 Nov 13:00:01` has none.
    if ahead.peek() == Some(b':') && mark == Some(b' ') {
        return None;
    }
    *scan = ahead;
    Some(year)
}

/// The year behind a time, as ctime and `date` have it.
fn year_at_end(scan: &mut StampScanner<'_>) -> Option<i32> {
    let mut ahead = *scan;
    ahead.skip(b" ")?;
    let year = year_alone(&mut ahead)?;
    *scan = ahead;
    Some(year)
}

/// `20.11.2026 13:00:01`
fn day_month(text: &[u8], names: &ZoneNames) -> Option<ParsedStamp> {
    let mut scan = StampScanner(text);
    let (day, month) = two(&mut scan)?;
    year_last(day, month, scan, text, names)
}

/// `11/20/2026 13:00:01`
fn month_day(text: &[u8], names: &ZoneNames) -> Option<ParsedStamp> {
    let mut scan = StampScanner(text);
    let (month, day) = two(&mut scan)?;
    year_last(day, month, scan, text, names)
}

/// Two numbers with a mark between them; the mark is still to be read behind them.
fn two(scan: &mut StampScanner<'_>) -> Option<(u32, u32)> {
    let first = scan.short()?;
    let mark = scan.take(b"/.-")?;
    let second = scan.short()?;
    (scan.peek() == Some(mark)).then_some((first, second))
}

fn year_last(
    day: u32,
    month: u32,
    mut scan: StampScanner<'_>,
    text: &[u8],
    names: &ZoneNames,
) -> Option<ParsedStamp> {
    scan.0 = scan.0.get(1..)?;
    let year = scan.year2_or_4()?;
    scan.between()?;
    let time = scan.time_of_day(ClockPrecision::Minutes)?;
    let zone = scan.zone(names);
    let moment = civil(Some(year), month, day, time, zone)?;
    if scan.ends_stamp() {
        scan.found(text, moment)
    } else {
        None
    }
}

/// `26/11/20 13:00:01`
fn short_year(text: &[u8], names: &ZoneNames) -> Option<ParsedStamp> {
    let mut scan = StampScanner(text);
    let year = scan.year2()?;
    let mark = scan.take(b"/.-")?;
    let month = scan.short()?;
    scan.take(&[mark])?;
    let day = scan.short()?;
    scan.between()?;
    let time = scan.time_of_day(ClockPrecision::Minutes)?;
    let zone = scan.zone(names);
    let moment = civil(Some(year), month, day, time, zone)?;
    if scan.ends_stamp() {
        scan.found(text, moment)
    } else {
        None
    }
}

/// `11-20 13:00:01.123`
fn month_day_only(text: &[u8], names: &ZoneNames) -> Option<ParsedStamp> {
    let mut scan = StampScanner(text);
    let month = scan.short()?;
    scan.take(b"/.-")?;
    let day = scan.short()?;
    year_left_out(day, month, scan, text, names)
}

/// `20.11. 13:00:01`
fn day_month_only(text: &[u8], names: &ZoneNames) -> Option<ParsedStamp> {
    let mut scan = StampScanner(text);
    let day = scan.short()?;
    let mark = scan.take(b"/.-")?;
    let month = scan.short()?;
    if mark == b'.' {
        scan.take(b".");
    }
    year_left_out(day, month, scan, text, names)
}

fn year_left_out(
    day: u32,
    month: u32,
    mut scan: StampScanner<'_>,
    text: &[u8],
    names: &ZoneNames,
) -> Option<ParsedStamp> {
    scan.take(b" T\t_,-")?;
    scan.blanks(1);
    let time = scan.time_of_day(ClockPrecision::Seconds)?;
    let zone = scan.zone(names);
    let moment = civil(None, month, day, time, zone)?;
    if scan.ends_stamp() {
        scan.found(text, moment)
    } else {
        None
    }
}

fn klog(text: &[u8], _: &ZoneNames) -> Option<ParsedStamp> {
    let mut scan = StampScanner(text);
    scan.take(b"IWEF")?;
    let year = if scan.run_of_digits() == 8 {
        scan.year4()
    } else {
        None
    };
    let (month, day) = (scan.digits(2)?, scan.digits(2)?);
    scan.take(b" ")?;
    let time = scan.time_of_day(ClockPrecision::Seconds)?;
    let moment = civil(year, month, day, time, WrittenZone::Host)?;
    scan.found(text, moment)
        .map(|found| ParsedStamp { start: 1, ..found })
}

/// Seconds have ten digits from 2001 to 2286, milliseconds 13, microseconds 16 and nanoseconds 19:
/// numbers of any other length are taken for something else. zap's console has
/// `1.7951796011234567e+09`.
fn epoch(text: &[u8], _: &ZoneNames) -> Option<ParsedStamp> {
    let mut scan = StampScanner(text);
    let moment = WrittenMoment::Epoch(number(&mut scan)?);
    if scan.ends_word() && scan.ends_stamp() {
        scan.found(text, moment)
    } else {
        None
    }
}

/// A number of seconds or of thousandths, millionths or billionths of it, as nanoseconds.
pub(super) fn number(scan: &mut StampScanner<'_>) -> Option<i64> {
    let run = scan.run_of_digits();
    let scale = match run {
        1 => return with_exponent(scan),
        10 => 1_000_000_000,
        13 => 1_000_000,
        16 => 1_000,
        19 => 1,
        _ => return None,
    };
    let mut number: i64 = 0;
    for _ in 0..run {
        number = number
            .checked_mul(10)?
            .checked_add(i64::from(scan.digit()?))?;
    }
    // Of a second, or of a thousandth of it; below a millionth of a second it is less than what
    // clocks measure.
    let mut ahead = *scan;
    let fraction = ahead.take(b".").and_then(|_| ahead.decimals());
    if fraction.is_some() {
        *scan = ahead;
    }
    let nanos = number
        .checked_mul(scale)?
        .checked_add(i64::from(fraction.unwrap_or(0)) * scale / 1_000_000_000)?;
    (nanos >= EARLIEST_S * 1_000_000_000).then_some(nanos)
}

/// Ten digits: 9 September 2001.
const EARLIEST_S: i64 = 1_000_000_000;

/// `1.7951796011234567e+09`: seconds.
fn with_exponent(scan: &mut StampScanner<'_>) -> Option<i64> {
    let mut ahead = *scan;
    let mut nanos = i64::from(ahead.digit()?) * 1_000_000_000_000_000_000;
    let mut unit = 100_000_000_000_000_000_i64;
    if ahead.take(b".").is_some() {
        for _ in 0..MAX_DECIMALS {
            let Some(digit) = ahead.digit() else { break };
            nanos = nanos.checked_add(i64::from(digit).checked_mul(unit)?)?;
            unit /= 10;
        }
    }
    ahead.take(b"eE")?;
    ahead.take(b"+");
    let exponent = ahead.run_of_digits();
    // Whatever the unit, its exponent only says which it is: the digits are the same.
    ahead
        .digits(exponent)
        .filter(|exponent| matches!(exponent, 9 | 12 | 15 | 18))?;
    *scan = ahead;
    (nanos > 0).then_some(nanos)
}

/// `[    5.123456]`
fn since_boot(text: &[u8], _: &ZoneNames) -> Option<ParsedStamp> {
    let mut scan = StampScanner(text);
    scan.skip(b"[")?;
    scan.blanks(12);
    let run = scan.run_of_digits();
    if !(1..=8).contains(&run) {
        return None;
    }
    let seconds = i64::from(scan.digits(run)?);
    scan.skip(b".")?;
    if !matches!(scan.run_of_digits(), 3 | 6 | 9) {
        return None;
    }
    let nanos = i64::from(scan.decimals()?);
    // printk may add the thread or processor: `[    5.123456][  T1]`, or `[    5.123456@0]`.
    if scan.take(b"@").is_some() {
        let run = scan.run_of_digits();
        scan.digits(run)?;
    }
    scan.skip(b"]")?;
    scan.found(
        text,
        WrittenMoment::SinceBoot(seconds * 1_000_000_000 + nanos),
    )
}

/// `@4000000065f1b2c32ab6c71c`: <https://cr.yp.to/libtai/tai64.html>, with the 10 seconds by which
/// daemontools, runit and s6 are ahead of UTC (they do not count leap seconds either).
fn tai64n(text: &[u8], _: &ZoneNames) -> Option<ParsedStamp> {
    const EPOCH: u64 = (1 << 62) + 10;
    let mut scan = StampScanner(text.strip_prefix(b"@")?);
    let digits = scan.0.get(..24)?;
    let hex = |digits: &[u8]| {
        digits.iter().try_fold(0_u64, |number, &b| {
            Some(number << 4 | u64::from(char::from(b).to_digit(16)?))
        })
    };
    let seconds = i64::try_from(hex(&digits[..16])?.checked_sub(EPOCH)?).ok()?;
    let nanos = i64::try_from(hex(&digits[16..])?)
        .ok()
        .filter(|&nanos| nanos < 1_000_000_000)?;
    scan.0 = &scan.0[24..];
    let time = seconds.saturating_mul(1_000_000_000).saturating_add(nanos);
    if scan.ends_word() {
        scan.found(text, WrittenMoment::Epoch(time))
    } else {
        None
    }
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

/// `13:00:01.123`
pub(super) fn time_only(text: &[u8], names: &ZoneNames) -> Option<ParsedStamp> {
    let mut scan = StampScanner(text);
    if text.get(1..3)?.iter().all(|&b| b != b':') {
        return None;
    }
    let time = scan.time_of_day(ClockPrecision::Seconds)?;
    let zone = scan.zone(names);
    if scan.ends_stamp() && scan.ends_word() && scan.peek() != Some(b':') {
        scan.found(text, WrittenMoment::Clock(time, zone))
    } else {
        None
    }
}

/// `2026-11-20` alone, as midnight.
pub(super) fn date_only(text: &[u8]) -> Option<CalendarDate> {
    let mut scan = StampScanner(text);
    let year = scan.year4()?;
    let mark = scan.take(b"-/.")?;
    let month = scan.short()?;
    scan.take(&[mark])?;
    let day = scan.short()?;
    Some(CalendarDate {
        year: Some(year),
        month,
        day,
    })
}

/// A value that is known to be a time: any format that is told by its shape, and names of days
/// before it.
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
    let letters = text
        .iter()
        .take(10)
        .take_while(|b| b.is_ascii_alphabetic())
        .count();
    let rest = text.get(letters..).filter(|_| letters >= 3)?;
    let rest = rest.strip_prefix(b",").unwrap_or(rest).strip_prefix(b" ")?;
    let found = day_first(rest, names)
        .or_else(|| month_first(rest, names))
        .or_else(|| iso(rest, names))?;
    Some(ParsedStamp {
        end: found.end + text.len() - rest.len(),
        ..found
    })
}
