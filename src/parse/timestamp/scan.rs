//! Reading the parts of a stamp from bytes: numbers, months, times of day, zones.
//!
//! A [`StampScanner`] gives up at the first byte that does not fit, allocates nothing and never
//! looks further than it reads. What the parts mean together is left to `formats`.

use super::moment::{NANOS, TimeOfDay, WrittenZone};
use super::zone::{ZoneNames, area_number, zone_of_name};

/// No fraction is longer, and a line of digits alone is no stamp.
pub(super) const MAX_DECIMALS: usize = 40;

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

    /// Passes over blanks, at most so many.
    pub(super) fn blanks(&mut self, most: usize) -> usize {
        let count = self
            .0
            .iter()
            .take(most)
            .take_while(|b| matches!(b, b' ' | b'\t'))
            .count();
        self.0 = &self.0[count..];
        count
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

    /// The English name of a month, whole or its first three letters, in any case.
    pub(super) fn month(&mut self) -> Option<u32> {
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
        let more = &NAMES[month][3..];
        if rest.first().is_some_and(u8::is_ascii_alphabetic) {
            let whole = rest
                .get(..more.len())
                .is_some_and(|end| end.eq_ignore_ascii_case(more));
            // Java writes `Sept`.
            let length = if whole && !more.is_empty() {
                more.len()
            } else {
                usize::from(month == 8 && rest[0] == b't')
            };
            self.0 = &rest[length..];
            if length == 0 || self.0.first().is_some_and(u8::is_ascii_alphabetic) {
                return None;
            }
        }
        u32::try_from(month + 1).ok()
    }

    /// `13:00[:00[.123]]`, `13.00.00`, `1:00:00 PM`. Parts may be unpadded.
    pub(super) fn time_of_day(&mut self, precision: ClockPrecision) -> Option<TimeOfDay> {
        let hour = self.short()?;
        let separator = self.take(b":.-")?;
        let minute = self.short().filter(|&minute| minute < 60)?;
        let mut ahead = *self;
        let mut second = None;
        if ahead.take(&[separator]).is_some()
            && let Some(found) = ahead.short().filter(|&found| found <= 60)
        {
            *self = ahead;
            // Leap seconds: the last moment that this clock has is as near as it can say.
            second = Some(found.min(59));
        }
        if second.is_none() && (separator != b':' || precision == ClockPrecision::Seconds) {
            return None;
        }
        let nano = if second.is_some() {
            self.fraction().unwrap_or(0)
        } else {
            0
        };
        let hour = match self.half_of_day() {
            Some(after_noon) if (1..=12).contains(&hour) => {
                hour % 12 + if after_noon { 12 } else { 0 }
            }
            _ => hour,
        };
        let second = hour * 3600 + minute * 60 + second.unwrap_or(0);
        (hour < 24 || second == 24 * 3600).then_some(TimeOfDay { second, nano })
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
        let mut ahead = *self;
        if ahead.take(b":").is_some() {
            let count = ahead.run_of_digits();
            let millis = ahead.digits(count).filter(|_| (1..=3).contains(&count))?;
            *self = ahead;
            return Some(millis * 1_000_000);
        }
        let mark = ahead.take(b".,")?;
        let count = ahead.run_of_digits();
        let nanos = ahead.decimals()?;
        // A number between commas is a column, unless it looks like a fraction.
        if mark == b',' && ahead.peek() == Some(b',') && !matches!(count, 3 | 6 | 9) {
            return None;
        }
        *self = ahead;
        Some(nanos)
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

    /// `AM` or `pm`, behind a blank or none: whether it is after noon. Newer JDKs have a narrow
    /// no-break space there.
    pub(super) fn half_of_day(&mut self) -> Option<bool> {
        let mut ahead = *self;
        match ahead.peek()? {
            b' ' => ahead.skip(b" ")?,
            0xe2 => ahead.skip("\u{202f}".as_bytes())?,
            0xc2 => ahead.skip("\u{a0}".as_bytes())?,
            _ => {}
        }
        let after_noon = ahead.take(b"AaPp")?.eq_ignore_ascii_case(&b'p');
        let dotted = ahead.take(b".").is_some();
        ahead.take(b"Mm")?;
        if dotted {
            ahead.take(b".");
        }
        ahead.ends_word().then(|| {
            *self = ahead;
            after_noon
        })
    }

    /// `Z`, `+01:00`, `+0100`, `+01`, ` +0100`, ` UTC`, ` CEST`, ` Europe/Berlin`. Names that mean
    /// different things in different countries are passed over, unless they are the host's own.
    pub(super) fn zone(&mut self, names: &ZoneNames) -> WrittenZone {
        let mut ahead = *self;
        let blank = ahead.take(b" ").is_some();
        let found = match ahead.peek() {
            Some(b'+' | b'-') => ahead.offset().map(WrittenZone::Offset),
            Some(b'A'..=b'Z') => ahead
                .zone_name(names)
                .map(WrittenZone::Offset)
                .or_else(|| ahead.area()),
            Some(b'z') if !blank => ahead
                .skip(b"z")
                .filter(|()| ahead.ends_word())
                .map(|()| WrittenZone::Offset(0)),
            _ => None,
        };
        if found.is_some() {
            *self = ahead;
        }
        found.unwrap_or(WrittenZone::Host)
    }

    fn zone_name(&mut self, names: &ZoneNames) -> Option<i32> {
        let mut ahead = *self;
        let length = ahead
            .0
            .iter()
            .take(6)
            .take_while(|b| b.is_ascii_uppercase())
            .count();
        let (name, rest) = ahead.0.split_at(length);
        let offset = zone_of_name(name, names)?;
        ahead.0 = rest;
        // `UTC+01:00`.
        let more = if offset == 0 { ahead.offset() } else { None };
        ahead.ends_word().then(|| {
            *self = ahead;
            more.unwrap_or(offset)
        })
    }

    fn area(&mut self) -> Option<WrittenZone> {
        let (number, length) = area_number(self.0)?;
        self.0 = &self.0[length..];
        Some(WrittenZone::Area(number))
    }

    /// Seconds ahead of UTC. ` -1 items` is no zone, nor is `-1234`: no zone is 34 minutes off.
    pub(super) fn offset(&mut self) -> Option<i32> {
        let mut ahead = *self;
        let sign = if ahead.take(b"+-")? == b'-' { -1 } else { 1 };
        if ahead.run_of_digits() == 3 {
            // DB2 has minutes: `+060`.
            let minutes = ahead
                .digits(3)
                .filter(|minutes| minutes % 15 == 0 && ahead.ends_word())?;
            *self = ahead;
            return i32::try_from(minutes * 60)
                .ok()
                .map(|seconds| sign * seconds);
        }
        let hours = ahead.digits(2).filter(|&hours| hours <= 14)?;
        let colon = ahead.take(b":").is_some();
        let minutes = match ahead.digits(2) {
            Some(minutes) => minutes,
            None if colon => return None,
            None => 0,
        };
        if minutes > 45 || minutes % 15 != 0 || !ahead.ends_word() {
            return None;
        }
        *self = ahead;
        i32::try_from(hours * 3600 + minutes * 60)
            .ok()
            .map(|seconds| sign * seconds)
    }

    pub(super) fn ends_word(&self) -> bool {
        self.0.first().is_none_or(|b| !b.is_ascii_alphanumeric())
    }
}
