//! The clock of a host, as far as stamps leave it open: its time zone and when it was started.

use jiff::tz::{Offset, TimeZone};

use crate::model::record::Time;

/// What must be known of a host to read stamps that have no zone or count from its start.
#[derive(Debug, Clone)]
pub struct HostClock {
    /// Of its local time.
    pub zone: TimeZone,
    /// When its kernel was started, for stamps that count from there; `None`: not known.
    pub boot: Option<Time>,
}

impl HostClock {
    /// A host whose local time is always so many seconds ahead of UTC, and whose start is not known. Offsets that no
    /// place on earth has count as UTC.
    #[must_use]
    pub fn fixed(utc_offset_s: i32) -> Self {
        Self { zone: Offset::from_seconds(utc_offset_s).unwrap_or(Offset::UTC).to_time_zone(), boot: None }
    }
}
