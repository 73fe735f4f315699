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

/// Of which zone a stamp is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WrittenZone {
    /// It does not say: the host's.
    Host,
    /// Seconds ahead of UTC.
    Offset(i32),
    /// One of the data base of zones, by its number.
    Area(u16),
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
