//! What the operator wants to see in every pane.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::model::time::Time;

/// How times are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeStyle {
    /// `13:02:11.123`
    Full,
    /// `13:02:11`
    Short,
    /// Not at all.
    Off,
}

impl TimeStyle {
    /// The one that comes after it when a key goes through them.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Full => Self::Short,
            Self::Short => Self::Off,
            Self::Off => Self::Full,
        }
    }
}

/// What is shown in every pane.
#[derive(Debug, Clone)]
pub struct ViewOptions {
    /// Times of lines.
    pub time: TimeStyle,
    /// Names of hosts.
    pub host: bool,
    /// Names of sources.
    pub source: bool,
    /// Lines as they are, with their stamps and JSON.
    pub raw: bool,
    /// Key hints in the last row.
    pub hints: bool,
    /// The host list.
    pub side: bool,
    /// Times in UTC.
    pub utc: bool,
    local: TimeZone,
}

impl ViewOptions {
    /// All of it, with times in the operator's zone.
    #[must_use]
    pub fn new(local: TimeZone) -> Self {
        Self {
            time: TimeStyle::Full,
            host: true,
            source: true,
            raw: false,
            hints: true,
            side: true,
            utc: false,
            local,
        }
    }

    /// The time zone in which times are shown.
    #[must_use]
    pub fn zone(&self) -> TimeZone {
        if self.utc {
            TimeZone::UTC
        } else {
            self.local.clone()
        }
    }

    /// The date of a moment in that zone.
    #[must_use]
    pub fn date(&self, time: Time) -> Date {
        date(time, self.zone())
    }
}

/// The date of a moment in a zone.
pub(super) fn date(time: Time, zone: TimeZone) -> Date {
    time.to_timestamp().to_zoned(zone).date()
}
