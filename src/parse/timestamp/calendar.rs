//! The calendar of a file: until when its lines were written at the latest, which decides the year
//! and the day that stamps leave out.
//!
//! Whoever reads a file says when it was written to last. Its name may say more: the day in
//! `messages-20241103` is still that of its lines when the file has been copied since. All ways to a
//! line take both from here, so that it has the same time on each of them.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::model::time::Time;

/// Until when lines can have been written, as far as the name of a file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct FileCalendar {
    day: Option<Date>,
    /// The last moment of that day by the clock of the host.
    end: Option<Time>,
}

impl FileCalendar {
    /// Of a file with this path on a host with this zone.
    pub(super) fn of_path(path: &str, zone: &TimeZone) -> Self {
        Self {
            day: day_of_name(path),
            end: None,
        }
        .in_zone(zone)
    }

    /// The same on a host with another zone.
    pub(super) fn in_zone(self, zone: &TimeZone) -> Self {
        let end_of = |day: Date| {
            let next = day.tomorrow().ok()?.to_zoned(zone.clone()).ok()?;
            Some(Time(Time::from_timestamp(next.timestamp()).0 - 1))
        };
        Self {
            end: self.day.and_then(end_of),
            ..self
        }
    }

    /// When lines were written at the latest that were there at `written`.
    #[inline]
    pub(super) fn latest(self, written: Time) -> Time {
        self.end.map_or(written, |end| end.min(written))
    }
}

/// The day in the last part of a path, as `20241103` or `2024-11-03`; the last one of several.
fn day_of_name(path: &str) -> Option<Date> {
    let name = path.rsplit('/').next()?.as_bytes();
    (0..name.len())
        .rev()
        .filter(|&at| at == 0 || !name[at - 1].is_ascii_digit())
        .find_map(|at| day_at(&name[at..]))
}

fn day_at(text: &[u8]) -> Option<Date> {
    let run = text.iter().take_while(|b| b.is_ascii_digit()).count();
    let (year, month, day) = match run {
        8 | 10 | 12 | 14 => (&text[..4], &text[4..6], &text[6..8]),
        4 => {
            let mark = *text.get(4).filter(|mark| b"-_.".contains(mark))?;
            let is_end = |b: Option<&u8>| b.is_none_or(|b| !b.is_ascii_digit());
            let is_parted = text.get(7) == Some(&mark) && is_end(text.get(10));
            is_parted.then(|| (&text[..4], &text[5..7], text.get(8..10).unwrap_or_default()))?
        }
        _ => return None,
    };
    let number = |digits: &[u8]| std::str::from_utf8(digits).ok()?.parse::<i16>().ok();
    let year = number(year).filter(|year| (1990..2200).contains(year))?;
    let (month, day) = (number(month)?, number(day)?);
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_day_of_a_file_is_in_its_name() {
        let table = [
            ("/var/log/messages-20241103", Some(date(2024, 11, 3))),
            ("/var/log/messages-20241103.gz", Some(date(2024, 11, 3))),
            ("/l/app.2024-11-03.log", Some(date(2024, 11, 3))),
            ("/l/app_2024_11_03.1.log", Some(date(2024, 11, 3))),
            ("/l/app-2024110313", Some(date(2024, 11, 3))),
            ("/l/2023-01-01/app-2024-11-03", Some(date(2024, 11, 3))),
            ("/l/2023-01-01/app.log", None),
            ("/l/app-20241303", None),
            ("/l/app-1795179601", None),
            ("/l/app-2024-11-031", None),
            ("/l/app-2024-11-3", None),
            ("/l/app.1", None),
        ];
        for (path, expected) in table {
            assert_eq!(day_of_name(path), expected, "{path}");
        }
    }

    #[test]
    fn lines_are_not_newer_than_the_day_in_the_name_nor_than_the_file() {
        let at = |text: &str| Time::from_timestamp(text.parse().expect("a time"));
        let zone = TimeZone::get("Europe/Berlin").expect("a zone");
        let calendar = FileCalendar::of_path("/l/app-20241103", &zone);
        let end = at("2024-11-03T22:59:59.999999999Z");
        assert_eq!(calendar.latest(at("2026-11-03T10:00:00Z")), end);
        let before = at("2024-11-02T10:00:00Z");
        assert_eq!(calendar.latest(before), before);
        let utc = calendar.in_zone(&TimeZone::UTC);
        assert!(utc.latest(at("2026-11-03T10:00:00Z")) > end);
    }
}
