//! Reading the parts of a stamp from bytes: numbers, months, times of day, zones.
//!
//! A [`StampScanner`] gives up at the first byte that does not fit, allocates nothing and never
//! looks further than it reads. What the parts mean together is left to `notation`.

use super::moment::{NANOS, ParsedStamp, TimeOfDay, WrittenMoment, WrittenZone, hour_of_day};
use super::names;
use super::zone::{NamedZone, ZoneNames, area_number, zone_of_name};

/// No fraction is longer, and a line of digits alone is no stamp.
pub(super) const MAX_DECIMALS: usize = 40;

/// One more letter than any name of a month has behind its first three, so that a longer word is
/// none.
const MAX_MONTH: usize = 7;

/// The bytes that are still to be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct StampScanner<'a>(pub(super) &'a [u8]);

/// What a time of day must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClockPrecision {
    /// `13:00` will do.
    Minutes,
    /// Only `13:00:00`.
    Seconds,
}

impl<'a> StampScanner<'a> {
    /// The stamp that begins a text and was read up to here.
    pub(super) fn found(self, text: &[u8], moment: WrittenMoment) -> ParsedStamp {
        ParsedStamp {
            moment,
            start: 0,
            end: text.len() - self.0.len(),
        }
    }

    /// The same, where no part of a word or of the name of a file follows.
    pub(super) fn stamp(self, text: &[u8], moment: WrittenMoment) -> Option<ParsedStamp> {
        self.ends_stamp().then(|| self.found(text, moment))
    }

    /// The same, where the word ends too.
    pub(super) fn word(self, text: &[u8], moment: WrittenMoment) -> Option<ParsedStamp> {
        self.ends_word().then(|| self.found(text, moment))
    }

    fn ends_stamp(&self) -> bool {
        match self.0 {
            [b'.', next, ..] => !next.is_ascii_alphanumeric(),
            [next, ..] => !next.is_ascii_digit(),
            [] => true,
        }
    }

    pub(super) fn ends_word(&self) -> bool {
        self.0.first().is_none_or(|b| !b.is_ascii_alphanumeric())
    }

    /// Reads all that `read` does or, where it does not fit, nothing.
    #[inline]
    pub(super) fn attempt<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let mut ahead = *self;
        let found = read(&mut ahead)?;
        *self = ahead;
        Some(found)
    }

    /// The next byte.
    pub(super) fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// One of these bytes.
    pub(super) fn take(&mut self, any: &[u8]) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        any.contains(&first).then(|| {
            self.0 = rest;
            first
        })
    }

    /// These bytes.
    pub(super) fn skip(&mut self, prefix: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(prefix)?;
        Some(())
    }

    /// Passes over bytes of a kind, at most so many; answers with how many there were.
    pub(super) fn skip_while(&mut self, most: usize, is: impl Fn(&u8) -> bool) -> usize {
        let count = self.0.iter().take(most).take_while(|b| is(b)).count();
        self.0 = &self.0[count..];
        count
    }

    /// Passes over blanks, at most so many.
    pub(super) fn blanks(&mut self, most: usize) -> usize {
        self.skip_while(most, |b| matches!(b, b' ' | b'\t'))
    }

    pub(super) fn digit(&mut self) -> Option<u32> {
        let (&first, rest) = self.0.split_first()?;
        let digit = first.wrapping_sub(b'0');
        (digit <= 9).then(|| {
            self.0 = rest;
            u32::from(digit)
        })
    }

    /// Just so many digits; more may follow.
    #[inline]
    pub(super) fn digits(&mut self, count: usize) -> Option<u32> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        let mut number = 0;
        for b in digits {
            let digit = b.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            // A run of digits may be longer than any number that is asked for.
            number = u32::saturating_add(u32::saturating_mul(number, 10), u32::from(digit));
        }
        self.0 = rest;
        Some(number)
    }

    /// A number of one or two digits, not followed by another.
    #[inline]
    pub(super) fn short(&mut self) -> Option<u32> {
        let mut number = self.digit()?;
        if let Some(digit) = self.digit() {
            number = number * 10 + digit;
        }
        self.peek()
            .is_none_or(|b| !b.is_ascii_digit())
            .then_some(number)
    }

    /// How many digits come next.
    pub(super) fn run_of_digits(&self) -> usize {
        self.0
            .iter()
            .take(20)
            .take_while(|b| b.is_ascii_digit())
            .count()
    }

    /// The name of a month, whole or shortened, in any case and of any language that is known.
    #[inline]
    pub(super) fn month(&mut self) -> Option<u32> {
        if let Some(month) = self.attempt(Self::english_month) {
            return Some(month);
        }
        let (month, length) = names::month(self.0)?;
        self.0 = &self.0[length..];
        Some(month)
    }

    fn english_month(&mut self) -> Option<u32> {
        const NAMES: [&[u8]; 12] = [
            b"january",
            b"february",
            b"march",
            b"april",
            b"may",
            b"june",
            b"july",
            b"august",
            b"september",
            b"october",
            b"november",
            b"december",
        ];
        let (name, rest) = self.0.split_first_chunk::<3>()?;
        let name = name.map(|b| b.to_ascii_lowercase());
        let month = NAMES.iter().position(|month| month[..3] == name)?;
        self.0 = rest;
        let letters = self.skip_while(MAX_MONTH, |b| b.is_ascii_alphabetic() || *b >= 0x80);
        let more = &rest[..letters];
        // Java writes `Sept`.
        let is_name = more.is_empty()
            || more.eq_ignore_ascii_case(&NAMES[month][3..])
            || (month == 8 && more == b"t");
        u32::try_from(month + 1).ok().filter(|_| is_name)
    }

    /// `13:00[:00[.123]]`, `13.00.00`, `1:00:00 PM`. Parts may be unpadded.
    pub(super) fn time_of_day(&mut self, precision: ClockPrecision) -> Option<TimeOfDay> {
        let half = self.half_before();
        let hour = self.short()?;
        let separator = self.take(b":.-")?;
        let minute = self.short().filter(|&minute| minute < 60)?;
        let second = self.attempt(|scan| {
            scan.take(&[separator])?;
            scan.short().filter(|&second| second <= 60)
        });
        if second.is_none() && (separator != b':' || precision == ClockPrecision::Seconds) {
            return None;
        }
        let nano = second.and_then(|_| self.fraction()).unwrap_or(0);
        let hour = hour_of_day(hour, half.or_else(|| self.half_of_day()));
        // Leap seconds: the last moment that this clock has is as near as it can say.
        let second = hour * 3600 + minute * 60 + second.unwrap_or(0).min(59);
        (hour < 24 || second == 24 * 3600).then_some(TimeOfDay { second, nano })
    }

    /// A time of day with colons or without.
    pub(super) fn any_time_of_day(&mut self, precision: ClockPrecision) -> Option<TimeOfDay> {
        if matches!(self.0, [_, b':', ..] | [_, _, b':', ..]) {
            self.time_of_day(precision)
        } else {
            self.time_without_colons(precision)
        }
    }

    /// `130000[.123]`, `1300` where minutes will do.
    pub(super) fn time_without_colons(&mut self, precision: ClockPrecision) -> Option<TimeOfDay> {
        let hour = self.digits(2).filter(|&hour| hour < 24)?;
        let minute = self.digits(2).filter(|&minute| minute < 60)?;
        let second = match self.digits(2) {
            Some(second) if second <= 60 => second.min(59),
            None if precision == ClockPrecision::Minutes => 0,
            _ => return None,
        };
        let nano = self.fraction().unwrap_or(0);
        Some(TimeOfDay {
            second: hour * 3600 + minute * 60 + second,
            nano,
        })
    }

    /// `.123`, `,123`, `:123` as nanoseconds; digits beyond the ninth are passed over. Behind a
    /// colon it is a number of milliseconds, which need not be padded.
    pub(super) fn fraction(&mut self) -> Option<u32> {
        self.attempt(|scan| {
            let mark = scan.take(b".,:")?;
            let count = scan.run_of_digits();
            if mark == b':' {
                let millis = scan.digits(count).filter(|_| (1..=3).contains(&count))?;
                return Some(millis * 1_000_000);
            }
            let nanos = scan.decimals()?;
            // A number between commas is a column, unless it looks like a fraction.
            let is_column =
                mark == b',' && scan.peek() == Some(b',') && !matches!(count, 3 | 6 | 9);
            (!is_column).then_some(nanos)
        })
    }

    /// The digits behind a point as nanoseconds.
    pub(super) fn decimals(&mut self) -> Option<u32> {
        let mut nanos = self.digit()? * (NANOS / 10);
        let mut unit = NANOS / 100;
        for _ in 0..MAX_DECIMALS {
            let Some(digit) = self.digit() else { break };
            nanos += digit * unit;
            unit /= 10;
        }
        Some(nanos)
    }

    /// `午後` and other halves of the day that are written before the hour.
    #[inline]
    fn half_before(&mut self) -> Option<bool> {
        if self.peek()? < 0x80 {
            return None;
        }
        self.attempt(|scan| {
            let after_noon = scan.named_half()?;
            scan.blanks(1);
            Some(after_noon)
        })
    }

    fn named_half(&mut self) -> Option<bool> {
        let (after_noon, length) = names::half_of_day(self.0)?;
        self.0 = &self.0[length..];
        Some(after_noon)
    }

    /// `AM` or `pm`, or what another language has for it, behind a blank or none: whether it is
    /// after noon. Newer JDKs have a narrow no-break space there.
    pub(super) fn half_of_day(&mut self) -> Option<bool> {
        self.attempt(|scan| {
            match scan.peek()? {
                b' ' => scan.skip(b" ")?,
                0xe2 => scan.skip("\u{202f}".as_bytes())?,
                0xc2 => scan.skip("\u{a0}".as_bytes())?,
                _ => {}
            }
            scan.attempt(Self::english_half)
                .or_else(|| scan.other_half())
        })
    }

    fn english_half(&mut self) -> Option<bool> {
        self.attempt(|scan| {
            let after_noon = scan.take(b"AaPp")?.eq_ignore_ascii_case(&b'p');
            let dotted = scan.take(b".").is_some();
            scan.take(b"Mm")?;
            if dotted {
                scan.take(b".");
            }
            scan.ends_word().then_some(after_noon)
        })
    }

    /// Those of other languages begin with a letter that is none of ASCII, or have points.
    fn other_half(&mut self) -> Option<bool> {
        match self.0 {
            [0x80..=0xff, ..] | [b'a' | b'p' | b'A' | b'P', b'.', ..] => self.named_half(),
            [b'p' | b'P' | b'd' | b'D' | b'o' | b'O', _, ..] => self.named_half(),
            _ => None,
        }
    }

    /// A time of day with its zone, and the fraction that some write behind that:
    /// `PM UTC.123456`.
    #[inline]
    pub(super) fn time_and_zone(
        &mut self,
        precision: ClockPrecision,
        names: &ZoneNames,
    ) -> Option<(TimeOfDay, WrittenZone)> {
        let mut time = self.time_of_day(precision)?;
        let zone = self.zone(names);
        if zone != WrittenZone::Host && time.nano == 0 && self.peek() == Some(b'.') {
            time.nano = self.fraction().unwrap_or(0);
        }
        Some((time, zone))
    }

    /// `Z`, `+01:00`, `+0100`, `+01`, `+5:30`, ` +0100`, ` UTC`, ` UTC+8`, ` (CEST)`,
    /// ` Europe/Berlin`. A zone that is stated and cannot be read, or whose name means different
    /// things in different countries, is [`WrittenZone::Unknown`], unless it is the host's own.
    pub(super) fn zone(&mut self, names: &ZoneNames) -> WrittenZone {
        let found = self.attempt(|scan| {
            let blank = scan.take(b" ").is_some();
            match scan.peek()? {
                b'+' | b'-' | 0xe2 => scan.offset_of_stamp(blank),
                b'A'..=b'Z' => scan.zone_name(names).or_else(|| scan.area()),
                b'(' | b'[' if blank => scan.zone_in_brackets(names),
                b'z' if !blank => {
                    scan.skip(b"z")?;
                    scan.ends_word().then_some(WrittenZone::Offset(0))
                }
                _ => None,
            }
        });
        found.unwrap_or(WrittenZone::Host)
    }

    /// A number right behind the time is its zone, whatever it is; one behind a blank may be
    /// anything else.
    fn offset_of_stamp(&mut self, blank: bool) -> Option<WrittenZone> {
        if let Some(offset) = self.offset() {
            return Some(WrittenZone::Offset(offset));
        }
        let is_number = |text: &[u8]| {
            matches!(text, [_, a, b, c, d, ..] if [a, b, c, d].iter().all(|b| b.is_ascii_digit()))
                || matches!(text, [_, a, b, b':', d, ..] if [a, b, d].iter().all(|b| b.is_ascii_digit()))
        };
        (!blank && is_number(self.0)).then_some(WrittenZone::Unknown)
    }

    /// `(UTC+01:00)`, `(CEST)`, `[Europe/Berlin]`.
    fn zone_in_brackets(&mut self, names: &ZoneNames) -> Option<WrittenZone> {
        let close = if self.take(b"([")? == b'(' {
            b')'
        } else {
            b']'
        };
        let zone = match self.peek()? {
            b'+' | b'-' | 0xe2 => self.offset().map(WrittenZone::Offset),
            _ => self.zone_name(names).or_else(|| self.area()),
        };
        self.take(&[close])?;
        zone
    }

    fn zone_name(&mut self, names: &ZoneNames) -> Option<WrittenZone> {
        self.attempt(|scan| {
            let text = scan.0;
            let length = scan.skip_while(6, u8::is_ascii_uppercase);
            let zone = match zone_of_name(&text[..length], names)? {
                NamedZone::Offset(0) => scan.offset_behind_name(),
                NamedZone::Offset(offset) => WrittenZone::Offset(offset),
                NamedZone::Ambiguous => WrittenZone::Unknown,
            };
            scan.ends_word().then_some(zone)
        })
    }

    /// `+8`, `+01:00` behind `UTC`.
    fn offset_behind_name(&mut self) -> WrittenZone {
        if !matches!(
            self.0,
            [b'+' | b'-', b'0'..=b'9', ..] | [0xe2, 0x88, 0x92, ..]
        ) {
            return WrittenZone::Offset(0);
        }
        let hours = |scan: &mut Self| {
            let sign = scan.sign()?;
            let hours = scan.short().filter(|&hours| hours <= 14)?;
            scan.ends_word()
                .then_some(sign * i32::try_from(hours).ok()? * 3600)
        };
        // `UTC+5:30` has minutes.
        match self.offset().or_else(|| self.attempt(hours)) {
            Some(offset) => WrittenZone::Offset(offset),
            None => {
                self.skip_while(8, |b| b"+-:0123456789".contains(b));
                WrittenZone::Unknown
            }
        }
    }

    fn area(&mut self) -> Option<WrittenZone> {
        let (number, length) = area_number(self.0)?;
        self.0 = &self.0[length..];
        Some(WrittenZone::Area(number))
    }

    /// Seconds ahead of UTC. ` -1 items` is no zone, nor is `-1234`: no zone is 34 minutes off.
    pub(super) fn offset(&mut self) -> Option<i32> {
        self.attempt(|scan| {
            let sign = scan.sign()?;
            let minutes = i32::try_from(scan.offset_minutes()?).ok()?;
            scan.ends_word().then_some(sign * minutes * 60)
        })
    }

    /// 1 or -1; the minus of typographers too.
    fn sign(&mut self) -> Option<i32> {
        if self.skip("\u{2212}".as_bytes()).is_some() {
            return Some(-1);
        }
        Some(if self.take(b"+-")? == b'-' { -1 } else { 1 })
    }

    fn offset_minutes(&mut self) -> Option<u32> {
        let run = self.run_of_digits();
        if run == 3 {
            // DB2 has minutes: `+060`.
            return self.digits(3).filter(|minutes| minutes % 15 == 0);
        }
        // `+5:30` needs its colon: a digit alone may be anything.
        let has_one_digit = run == 1 && self.0.get(1) == Some(&b':');
        let hours = self.digits(if has_one_digit { 1 } else { 2 });
        let hours = hours.filter(|&hours| hours <= 14)?;
        let colon = self.take(b":").is_some();
        let minutes = match self.digits(2) {
            Some(minutes) => minutes,
            None if colon => return None,
            None => 0,
        };
        (minutes <= 45 && minutes % 15 == 0).then_some(hours * 60 + minutes)
    }
}
