//! Patterns with the fields of `strftime`, as the inventory may give them: `%d.%m.%Y %H:%M:%S`.
//!
//! Compiled once into [`PatternItem`]s and read directly: a library's parser answers with an error
//! that it has to make up for each place that does not fit, and wants fields that stamps leave out.
//! What the fields mean together is [`TimestampParts`].

use std::iter::Peekable;
use std::str::Chars;

use super::counted;
use super::moment::{
    CalendarDate, ParsedStamp, TimeOfDay, WrittenMoment, WrittenZone, hour_of_day,
    year_of_two_digits,
};
use super::scan::StampScanner;
use super::zone::ZoneNames;

/// The longest pattern: a longer one is a mistake.
const MAX_BYTES: usize = 200;

/// A name, a word or blanks have at most so many bytes.
const MAX_WORD: usize = 128;

/// A pattern, compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TimestampPattern(Vec<PatternItem>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PatternItem {
    Byte(u8),
    Blanks,
    Year,
    ShortYear,
    Month,
    MonthName,
    Day,
    DayOfYear,
    WeekdayName,
    Hour,
    Minute,
    Second,
    /// Digits of a fraction.
    Fraction,
    /// The same with its point, or nothing.
    DotFraction,
    Millis,
    HalfOfDay,
    Offset,
    ZoneName,
    Epoch,
    /// The same without a fraction, which the pattern has itself.
    WholeEpoch,
    Word,
}

use PatternItem::{
    Blanks, Byte, Day, DayOfYear, DotFraction, Epoch, Fraction, HalfOfDay, Hour, Millis, Minute,
    Month, MonthName, Second, ShortYear, WeekdayName, WholeEpoch, Word, Year, ZoneName,
};

impl TimestampPattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_BYTES {
            return Err(format!("a time pattern has at most {MAX_BYTES} bytes"));
        }
        let mut items = Vec::new();
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            match c {
                '%' => field_items(&mut rest, &mut items)?,
                c if c.is_whitespace() => items.push(Blanks),
                c => items.extend(c.to_string().bytes().map(Byte)),
            }
        }
        for at in 1..items.len() {
            if items[at - 1] == Epoch && matches!(items[at], Byte(b'.' | b',') | DotFraction) {
                items[at - 1] = WholeEpoch;
            }
        }
        items.dedup_by(|a, b| *a == Blanks && *b == Blanks);
        let pattern = Self(items);
        match pattern.missing() {
            Some((what, field)) => Err(format!("the time pattern has no {what} ({field})")),
            None => Ok(pattern),
        }
    }

    fn has(&self, any: &[PatternItem]) -> bool {
        self.0.iter().any(|item| any.contains(item))
    }

    /// What a pattern must have and this one has not, and the field for it.
    fn missing(&self) -> Option<(&'static str, &'static str)> {
        if self.has(&[Epoch, WholeEpoch]) {
            return None;
        }
        if !self.has(&[Hour]) {
            return Some(("hour", "%H"));
        }
        if !self.has(&[Minute]) {
            return Some(("minute", "%M"));
        }
        if self.has(&[DayOfYear]) {
            return None;
        }
        match (self.has(&[Month, MonthName]), self.has(&[Day])) {
            (true, false) => Some(("day", "%d")),
            (false, true) => Some(("month", "%m or %b")),
            (false, false) if self.has(&[Year, ShortYear]) => Some(("month and day", "%m and %d")),
            _ => None,
        }
    }

    /// The stamp of a line: where it was in the line before (`at`), or the first within its first
    /// `reach` bytes.
    pub(super) fn find(
        &self,
        line: &[u8],
        at: &mut usize,
        reach: usize,
        names: &ZoneNames,
    ) -> Option<ParsedStamp> {
        if let Some(found) = self.find_at(line, *at, names) {
            return Some(found);
        }
        let found = (0..line.len().min(reach)).find_map(|at| self.find_at(line, at, names))?;
        *at = found.start;
        Some(found)
    }

    fn find_at(&self, line: &[u8], at: usize, names: &ZoneNames) -> Option<ParsedStamp> {
        let text = line.get(at..)?;
        // Not in the middle of a number or word.
        let inside = at > 0 && line[at - 1].is_ascii_alphanumeric();
        if inside && text.first().is_some_and(u8::is_ascii_alphanumeric) {
            return None;
        }
        let mut scan = StampScanner(text);
        let mut parts = TimestampParts::default();
        for item in &self.0 {
            item.read(&mut scan, &mut parts, names)?;
        }
        Some(ParsedStamp {
            moment: parts.moment()?,
            start: at,
            end: line.len() - scan.0.len(),
        })
    }
}

/// Adds what the field behind a `%` is read as.
fn field_items(rest: &mut Peekable<Chars<'_>>, items: &mut Vec<PatternItem>) -> Result<(), String> {
    // `%-d`, `%_d` and `%0d` differ in padding only, which is read either way; `%:z` and `%.f` in
    // marks.
    let mut flags = String::new();
    while let Some(flag) = rest.next_if(|c| "-_0:.^#123456789E".contains(*c)) {
        flags.push(flag);
    }
    let letter = rest
        .next()
        .ok_or("a time pattern ends in '%'; write %% for a '%'")?;
    let found = items_of_field(&flags, letter).ok_or_else(|| {
        let known = "%Y %y %m %b %d %e %j %a %H %I %M %S %f %L %p %z %Z %s %T %R %F %D %c %* %%";
        format!("unknown field \"%{flags}{letter}\" in the time pattern; there are {known}")
    })?;
    items.extend_from_slice(found);
    Ok(())
}

fn items_of_field(flags: &str, letter: char) -> Option<&'static [PatternItem]> {
    Some(match letter {
        'Y' | 'G' => &[Year],
        'y' => &[ShortYear],
        'm' => &[Month],
        'b' | 'B' | 'h' => &[MonthName],
        'd' | 'e' => &[Day],
        'j' => &[DayOfYear],
        'a' | 'A' => &[WeekdayName],
        'H' | 'k' | 'I' | 'l' => &[Hour],
        'M' => &[Minute],
        'S' => &[Second],
        'f' if flags.contains('.') => &[DotFraction],
        'f' | 'N' => &[Fraction],
        'L' => &[Millis],
        'p' | 'P' => &[HalfOfDay],
        'z' => &[PatternItem::Offset],
        'Z' | 'Q' => &[ZoneName],
        's' => &[Epoch],
        'T' => &[Hour, Byte(b':'), Minute, Byte(b':'), Second],
        'R' => &[Hour, Byte(b':'), Minute],
        'r' => &[
            Hour,
            Byte(b':'),
            Minute,
            Byte(b':'),
            Second,
            Blanks,
            HalfOfDay,
        ],
        'F' => &[Year, Byte(b'-'), Month, Byte(b'-'), Day],
        'D' => &[Month, Byte(b'/'), Day, Byte(b'/'), ShortYear],
        'c' => &[
            WeekdayName,
            Blanks,
            MonthName,
            Blanks,
            Day,
            Blanks,
            Hour,
            Byte(b':'),
            Minute,
            Byte(b':'),
            Second,
            Blanks,
            Year,
        ],
        'n' | 't' => &[Blanks],
        '*' => &[Word],
        '%' => &[Byte(b'%')],
        _ => return None,
    })
}

impl PatternItem {
    fn read(
        self,
        scan: &mut StampScanner<'_>,
        parts: &mut TimestampParts,
        names: &ZoneNames,
    ) -> Option<()> {
        match self {
            Byte(b) => scan.take(&[b]).map(drop),
            Blanks => (scan.blanks(MAX_WORD) > 0).then_some(()),
            WeekdayName => (scan.skip_while(MAX_WORD, u8::is_ascii_alphabetic) > 0).then_some(()),
            Word => (scan.skip_while(MAX_WORD, |b| !b.is_ascii_whitespace()) > 0).then_some(()),
            PatternItem::Offset => set(&mut parts.zone, offset(scan)),
            ZoneName => match scan.zone(names) {
                // A name without one meaning: the host's.
                WrittenZone::Host => {
                    (scan.skip_while(MAX_WORD, u8::is_ascii_alphabetic) > 0).then_some(())
                }
                zone => set(&mut parts.zone, Some(zone)),
            },
            Epoch => set(&mut parts.epoch, counted::number(scan)),
            WholeEpoch => set(&mut parts.epoch, whole_epoch(scan)),
            date_or_time => date_or_time.read_number(scan, parts),
        }
    }

    /// A part of a day or of a time of day.
    fn read_number(self, scan: &mut StampScanner<'_>, parts: &mut TimestampParts) -> Option<()> {
        match self {
            Year => set(&mut parts.year, scan.year4()),
            ShortYear => set(&mut parts.year, scan.digits(2).and_then(year_of_two_digits)),
            Month => set(&mut parts.month, unpadded(scan)),
            MonthName => set(&mut parts.month, scan.month()),
            Day => set(&mut parts.day, unpadded(scan)),
            DayOfYear => set(&mut parts.day_of_year, scan.digits(3)),
            Hour => set(&mut parts.hour, unpadded(scan)),
            Minute => set(&mut parts.minute, unpadded(scan)),
            Second => set(&mut parts.second, unpadded(scan)),
            Fraction => set(&mut parts.nano, scan.decimals()),
            Millis => set(&mut parts.nano, millis(scan)),
            HalfOfDay => set(&mut parts.after_noon, scan.half_of_day()),
            DotFraction => {
                parts.nano = scan.fraction().or(parts.nano);
                Some(())
            }
            Byte(_) | Blanks | WeekdayName | Word => None,
            PatternItem::Offset | ZoneName | Epoch | WholeEpoch => None,
        }
    }
}

fn set<T>(part: &mut Option<T>, value: Option<T>) -> Option<()> {
    *part = value;
    part.as_ref().map(|_| ())
}

/// One or two digits, behind one blank at most, as `%e` pads.
fn unpadded(scan: &mut StampScanner<'_>) -> Option<u32> {
    scan.blanks(1);
    scan.digits(2).or_else(|| scan.digits(1))
}

fn millis(scan: &mut StampScanner<'_>) -> Option<u32> {
    let run = scan.run_of_digits().min(3);
    let millis = scan.digits(run).filter(|_| run > 0)?;
    Some(millis * 1_000_000)
}

fn offset(scan: &mut StampScanner<'_>) -> Option<WrittenZone> {
    let offset = if scan.take(b"Z").is_some() {
        Some(0)
    } else {
        scan.offset()
    };
    offset.map(WrittenZone::Offset)
}

/// A number whose fraction is another item.
fn whole_epoch(scan: &mut StampScanner<'_>) -> Option<i64> {
    let (digits, rest) = scan.0.split_at(scan.run_of_digits());
    scan.0 = rest;
    counted::number(&mut StampScanner(digits))
}

/// The parts of a stamp as fields with names give them.
#[derive(Debug, Default)]
pub(super) struct TimestampParts {
    pub(super) year: Option<i32>,
    pub(super) month: Option<u32>,
    pub(super) day: Option<u32>,
    pub(super) day_of_year: Option<u32>,
    pub(super) hour: Option<u32>,
    pub(super) minute: Option<u32>,
    pub(super) second: Option<u32>,
    pub(super) nano: Option<u32>,
    pub(super) after_noon: Option<bool>,
    pub(super) zone: Option<WrittenZone>,
    /// Nanoseconds.
    pub(super) epoch: Option<i64>,
}

impl TimestampParts {
    /// What they say together; `None`: no such time.
    pub(super) fn moment(&self) -> Option<WrittenMoment> {
        if let Some(epoch) = self.epoch {
            let nanos = epoch.saturating_add(i64::from(self.nano.unwrap_or(0)));
            return Some(WrittenMoment::Epoch(nanos));
        }
        let time = self.time_of_day()?;
        let zone = self.zone.unwrap_or(WrittenZone::Host);
        let date = match (self.month, self.day, self.day_of_year) {
            (Some(month), Some(day), _) => CalendarDate::of(self.year, month, day),
            (_, _, Some(day)) => self.date_of(day)?,
            _ => return Some(WrittenMoment::Clock(time, zone)),
        };
        Some(WrittenMoment::Civil(date, time, zone))
    }

    fn time_of_day(&self) -> Option<TimeOfDay> {
        let hour = hour_of_day(self.hour?, self.after_noon);
        let minute = self.minute.unwrap_or(0);
        let second = self.second.unwrap_or(0);
        if hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        Some(TimeOfDay {
            second: hour * 3600 + minute * 60 + second.min(59),
            nano: self.nano.unwrap_or(0),
        })
    }

    fn date_of(&self, day: u32) -> Option<CalendarDate> {
        let year = self.year?;
        let date = jiff::civil::date(i16::try_from(year).ok()?, 1, 1)
            .with()
            .day_of_year(i16::try_from(day).ok()?)
            .build()
            .ok()?;
        let month = u32::try_from(date.month()).ok()?;
        let day = u32::try_from(date.day()).ok()?;
        Some(CalendarDate::of(self.year, month, day))
    }
}
