//! Times as text, quickly: every printed line has one.

use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};

use crate::model::time::Time;

/// RFC 3339 in UTC with nine digits: `2026-11-20T13:00:00.123456000Z`.
pub(super) fn utc(at: Time) -> String {
    let at = Offset::UTC.to_datetime(at.to_timestamp());
    let mut text = *b"0000-00-00T00:00:00.000000000Z";
    put_date(&mut text, at.date());
    put_clock(&mut text[11..], at);
    put_digits(&mut text[20..29], at.subsec_nanosecond().unsigned_abs());
    ascii(&text)
}

/// `13:00:00`, after the date where that is not `today`.
pub(super) fn local(at: Time, zone: &TimeZone, today: Option<Date>) -> String {
    let at = zone.to_datetime(at.to_timestamp());
    let mut text = *b"0000-00-00 00:00:00";
    put_date(&mut text, at.date());
    put_clock(&mut text[11..], at);
    let is_today = Some(at.date()) == today;
    ascii(&text[if is_today { 11 } else { 0 }..])
}

fn put_date(text: &mut [u8], date: Date) {
    put_digits(&mut text[..4], date.year().unsigned_abs().into());
    put_digits(&mut text[5..7], date.month().unsigned_abs().into());
    put_digits(&mut text[8..10], date.day().unsigned_abs().into());
}

fn put_clock(text: &mut [u8], at: DateTime) {
    put_digits(&mut text[..2], at.hour().unsigned_abs().into());
    put_digits(&mut text[3..5], at.minute().unsigned_abs().into());
    put_digits(&mut text[6..8], at.second().unsigned_abs().into());
}

/// The last digits of a number, as many as there is room for.
fn put_digits(text: &mut [u8], mut number: u32) {
    for digit in text.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

fn ascii(text: &[u8]) -> String {
    text.iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn times_are_written_as_jiff_writes_them(nanos in any::<i64>()) {
            let at = Time(nanos);
            prop_assert_eq!(utc(at), format!("{:.9}", at.to_timestamp()));
            let zone = TimeZone::fixed(Offset::constant(5));
            let zoned = at.to_timestamp().to_zoned(zone.clone());
            let clock = zoned.strftime("%H:%M:%S").to_string();
            prop_assert_eq!(local(at, &zone, Some(zoned.date())), clock);
            let both = zoned.strftime("%Y-%m-%d %H:%M:%S").to_string();
            prop_assert_eq!(local(at, &zone, None), both);
        }
    }
}
