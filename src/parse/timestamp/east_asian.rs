//! Dates as Chinese, Japanese and Korean have them: `2026年11月20日 13時00分01秒`, `2026년 11월 20일
//! 오후 1:00:01`, and those of `java.util.logging`: `11月 20, 2026 1:00:01 午後`.

use super::moment::{CalendarDate, ParsedStamp, TimeOfDay, hour_of_day};
use super::names;
use super::scan::{ClockPrecision, StampScanner};
use super::zone::ZoneNames;

/// The longest name of a day in brackets, in bytes.
const MAX_BRACKETS: usize = 16;

/// Any date whose parts are named.
pub(super) fn east_asian(text: &[u8], names: &ZoneNames) -> Option<ParsedStamp> {
    let mut scan = StampScanner(text);
    let year = scan.attempt(|scan| {
        let year = scan.year4()?;
        scan.unit(&["年", "년"])?;
        Some(year)
    });
    let month = scan.short()?;
    scan.unit(&["月", "월"])?;
    let day = scan.short()?;
    let (year, is_named) = match scan.unit(&["日", "일", "号"]) {
        Some(()) => (year, true),
        // Java's order is that of English.
        None if year.is_none() => {
            scan.take(b",")?;
            scan.skip(b" ")?;
            (Some(scan.year4()?), false)
        }
        None => return None,
    };
    if is_named {
        scan.day_in_brackets();
    }
    scan.take(b",");
    scan.blanks(2);
    let time = scan
        .named_time()
        .or_else(|| scan.time_of_day(ClockPrecision::Minutes))?;
    let zone = scan.zone(names);
    scan.stamp(text, CalendarDate::of(year, month, day).at(time, zone)?)
}

impl StampScanner<'_> {
    /// The name of a part of a date, and a blank behind it.
    fn unit(&mut self, any: &[&str]) -> Option<()> {
        any.iter().find_map(|unit| self.skip(unit.as_bytes()))?;
        self.blanks(1);
        Some(())
    }

    /// `(金)`, with brackets of either width; or `星期五`.
    fn day_in_brackets(&mut self) {
        let _ = self.attempt(|scan| {
            for (open, close) in [("(", ")"), ("（", "）")] {
                if scan.skip(open.as_bytes()).is_some() {
                    let inside = &scan.0[..scan.0.len().min(MAX_BRACKETS)];
                    let length = memchr::memmem::find(inside, close.as_bytes())?;
                    scan.0 = &scan.0[length + close.len()..];
                    return Some(());
                }
            }
            let length = scan
                .0
                .iter()
                .take(MAX_BRACKETS)
                .take_while(|b| **b >= 0x80)
                .count();
            names::is_day(&scan.0[..length]).then_some(())?;
            scan.0 = &scan.0[length..];
            Some(())
        });
    }

    /// `午後1時00分01.123秒`
    fn named_time(&mut self) -> Option<TimeOfDay> {
        self.attempt(|scan| {
            let half = scan.attempt(|scan| {
                let (after_noon, length) = names::half_of_day(scan.0)?;
                scan.0 = &scan.0[length..];
                scan.blanks(1);
                Some(after_noon)
            });
            let hour = scan.short()?;
            scan.unit(&["時", "时", "點", "点", "시"])?;
            let minute = scan.short().filter(|&minute| minute < 60)?;
            scan.unit(&["分", "분"])?;
            let (second, nano) = scan.named_second().unwrap_or((0, 0));
            let second = hour_of_day(hour, half) * 3600 + minute * 60 + second;
            (second <= 24 * 3600).then_some(TimeOfDay { second, nano })
        })
    }

    /// Seconds and nanoseconds.
    fn named_second(&mut self) -> Option<(u32, u32)> {
        self.attempt(|scan| {
            let second = scan.short().filter(|&second| second <= 60)?;
            let nano = scan.fraction().unwrap_or(0);
            scan.unit(&["秒", "초"])?;
            Some((second.min(59), nano))
        })
    }
}
