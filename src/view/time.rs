//! Times as people read them: the time of day, and the day where it is not today.

use jiff::Zoned;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::paint::Shown;
use crate::model::time::Time;

/// Twelve cells: `13:02:11.123`, or `Nov 19 13:02` on another day than `day`. A time without a
/// fraction is most likely one in whole seconds; zeros would tell what nobody knows.
pub(super) fn full(time: Time, day: Date, zone: &TimeZone) -> Shown<'static> {
    let at = zoned(time, zone);
    if at.date() == day {
        if at.subsec_nanosecond() == 0 {
            return at.strftime("%H:%M:%S").to_string().into();
        }
        return format!(
            "{:02}:{:02}:{:02}.{:03}",
            at.hour(),
            at.minute(),
            at.second(),
            at.millisecond()
        )
        .into();
    }
    at.strftime("%b %e %H:%M").to_string().into()
}

/// Eight cells: `13:02:11`, or `Nov 19` on another day than `day`.
pub(super) fn short(time: Time, day: Date, zone: &TimeZone) -> Shown<'static> {
    let at = zoned(time, zone);
    let pattern = if at.date() == day {
        "%H:%M:%S"
    } else {
        "%b %e"
    };
    at.strftime(pattern).to_string().into()
}

/// `Fri Nov 20`, with the year where that is another one than that of `now`.
pub(super) fn day(day: Date, now: Date) -> String {
    let pattern = if day.year() == now.year() {
        "%a %b %e"
    } else {
        "%a %b %e %Y"
    };
    day.strftime(pattern).to_string()
}

/// With date and zone, for details.
pub(super) fn long(time: Time, zone: &TimeZone) -> Shown<'static> {
    let at = zoned(time, zone);
    at.strftime("%Y-%m-%d %H:%M:%S%.3f %:z").to_string().into()
}

/// `3 d 4 h`, `5 h 12 min`, `42 s`.
pub(super) fn span(seconds: u64) -> Shown<'static> {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let words = match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    };
    words.into()
}

fn zoned(time: Time, zone: &TimeZone) -> Zoned {
    time.to_timestamp().to_zoned(zone.clone())
}
