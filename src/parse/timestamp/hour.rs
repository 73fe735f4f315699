//! Times of day alone, and days alone. A date behind a time of day belongs to it.

use super::moment::{CalendarDate, ParsedStamp, WrittenMoment};
use super::scan::{ClockPrecision, StampScanner};
use super::zone::ZoneNames;

/// `13:00:01.123`
pub(super) fn time_only(text: &[u8], names: &ZoneNames) -> Option<ParsedStamp> {
    let mut scan = StampScanner(text);
    if text.get(1..3)?.iter().all(|&b| b != b':') {
        return None;
    }
    let time = scan.time_of_day(ClockPrecision::Seconds)?;
    let zone = scan.zone(names);
    if !scan.ends_word() || scan.peek() == Some(b':') {
        return None;
    }
    match scan.date_behind() {
        Some(date) => scan.stamp(text, date.at(time, zone)?),
        None => scan.stamp(text, WrittenMoment::Clock(time, zone)),
    }
}

impl StampScanner<'_> {
    /// The date behind a time of day: `20.11.2026`, `20 Nov 2026`. One that may be of two days, as
    /// 05/06/2026, is of none.
    fn date_behind(&mut self) -> Option<CalendarDate> {
        self.attempt(|scan| {
            scan.take(b",");
            scan.skip(b" ")?;
            let open = scan.take(b"([");
            let date = scan.whole_date()?;
            scan.take(if open.is_some() { b")]" } else { b"" });
            scan.ends_word().then_some(date)
        })
    }

    fn whole_date(&mut self) -> Option<CalendarDate> {
        if self.run_of_digits() == 4 {
            let (date, rest) = date_at(self.0)?;
            self.0 = rest;
            return Some(date);
        }
        let first = self.short()?;
        let mark = self.take(b"./- ")?;
        if let Some(month) = self.month() {
            self.take(&[mark, b' '])?;
            return Some(CalendarDate::of(Some(self.year4()?), month, first));
        }
        let second = self.short()?;
        self.take(&[mark])?;
        let year = Some(self.year4()?);
        match (first, second) {
            (13.., _) => Some(CalendarDate::of(year, second, first)),
            (_, 13..) => Some(CalendarDate::of(year, first, second)),
            _ if mark == b'.' || first == second => Some(CalendarDate::of(year, second, first)),
            // No month: nothing is made of it.
            _ => Some(CalendarDate::of(year, 0, first)),
        }
    }
}

/// `2026-11-20` alone, as midnight.
pub(super) fn date_only(text: &[u8]) -> Option<CalendarDate> {
    date_at(text).map(|(date, _)| date)
}

fn date_at(text: &[u8]) -> Option<(CalendarDate, &[u8])> {
    let mut scan = StampScanner(text);
    let year = scan.year4()?;
    let mark = scan.take(b"-/.")?;
    let month = scan.short()?;
    scan.take(&[mark])?;
    let day = scan.short()?;
    Some((CalendarDate::of(Some(year), month, day), scan.0))
}
