//! Points in time, the source of a line's time, and the clock of a host.

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

/// A moment: nanoseconds since 1970-01-01T00:00:00Z, in the years 1678 to 2261. Plain and small,
/// because every record of the ring has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub i64);

impl Time {
    /// From jiff; moments outside the range become its ends.
    #[must_use]
    pub fn from_timestamp(at: Timestamp) -> Self {
        let nanos = at
            .as_nanosecond()
            .clamp(i128::from(i64::MIN), i128::from(i64::MAX));
        Self(i64::try_from(nanos).unwrap_or_default())
    }

    /// As jiff has it, for printing and for calendars.
    #[must_use]
    pub fn to_timestamp(self) -> Timestamp {
        Timestamp::from_nanosecond(i128::from(self.0)).unwrap_or_default()
    }

    /// This moment and so many milliseconds more (or fewer), stopping at the ends of the range.
    #[must_use]
    pub fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis.saturating_mul(1_000_000)))
    }
}

/// Where the time of a record comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeSource {
    /// A stamp in the line.
    Stamp,
    /// The line has none; it has the time of the line before it in its source, or of the first
    /// stamped one after it where nothing before it was read.
    Previous,
    /// Neither is known: when the line reached us.
    Arrival,
}

impl TimeSource {
    /// The word in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stamp => "stamp",
            Self::Previous => "previous",
            Self::Arrival => "arrival",
        }
    }
}

/// What must be known of a host to read stamps that have no zone or count from its start.
#[derive(Debug, Clone)]
pub struct HostClock {
    /// Of its local time.
    pub zone: TimeZone,
    /// When its kernel was started, for stamps that count from there; `None`: not known.
    pub boot: Option<Time>,
}

impl HostClock {
    /// A host whose local time is always so many seconds ahead of UTC, and whose start is not
    /// known. Offsets that no place on earth has count as UTC.
    #[must_use]
    pub fn fixed(utc_offset_s: i32) -> Self {
        Self {
            zone: Offset::from_seconds(utc_offset_s)
                .unwrap_or(Offset::UTC)
                .to_time_zone(),
            boot: None,
        }
    }
}
