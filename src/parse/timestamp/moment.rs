//! What a timestamp says: day, time of day and zone, each of which it may leave out.

/// Nanoseconds of a second.
pub(super) const NANOS: u32 = 1_000_000_000;

/// The time of a day: seconds from its beginning, and nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TimeOfDay {
    /// Up to 24:00:00.
    pub(super) second: u32,
    /// Below a second.
    pub(super) nano: u32,
}

/// The hour of a clock that shows twelve of them, where it says which half of the day it is.
pub(super) fn hour_of_day(hour: u32, after_noon: Option<bool>) -> u32 {
    match after_noon {
        Some(after_noon) if (1..=12).contains(&hour) => hour % 12 + if after_noon { 12 } else { 0 },
        _ => hour,
    }
}

/// The year that two digits mean: 1969 to 2068, as in POSIX.
pub(super) fn year_of_two_digits(year: u32) -> Option<i32> {
    let year = i32::try_from(year).ok()?;
    Some(year + if year < 69 { 2000 } else { 1900 })
}

/// Of which zone a stamp is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WrittenZone {
    /// It does not say: the host's.
    Host,
    /// Seconds ahead of UTC.
    Offset(i32),
    /// One of the data base of zones, by its number.
    Area(u16),
    /// It states one that cannot be read, or that is another one in each country.
    Unknown,
}

/// A day of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CalendarDate {
    /// 0 to 9999; `None`: left out.
    pub(super) year: Option<i32>,
    /// 1 to 12.
    pub(super) month: u32,
    /// 1 to 31.
    pub(super) day: u32,
}

impl CalendarDate {
    pub(super) fn of(year: Option<i32>, month: u32, day: u32) -> Self {
        Self { year, month, day }
    }

    /// A time of this day; `None`: no month has such a day.
    pub(super) fn at(self, time: TimeOfDay, zone: WrittenZone) -> Option<WrittenMoment> {
        let fits = (1..=12).contains(&self.month) && (1..=31).contains(&self.day);
        fits.then_some(WrittenMoment::Civil(self, time, zone))
    }
}

/// What a stamp says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WrittenMoment {
    /// Nanoseconds since 1970.
    Epoch(i64),
    /// Nanoseconds since the host was started.
    SinceBoot(i64),
    /// A time of some day, which is left out.
    Clock(TimeOfDay, WrittenZone),
    /// A day and a time.
    Civil(CalendarDate, TimeOfDay, WrittenZone),
}

impl WrittenMoment {
    /// It states a zone that nobody can tell: so nobody can tell when it was.
    pub(super) fn has_unknown_zone(self) -> bool {
        matches!(
            self,
            Self::Clock(_, WrittenZone::Unknown) | Self::Civil(_, _, WrittenZone::Unknown)
        )
    }
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

impl ParsedStamp {
    /// The stamp of a longer text, in which the bytes that were given begin further on.
    pub(super) fn shifted(self, by: usize) -> Self {
        Self {
            start: self.start + by,
            end: self.end + by,
            ..self
        }
    }
}
