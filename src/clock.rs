//! The wall clock of this machine. All other code reads the time here or takes it as an argument.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use crate::model::time::Time;

/// The time now.
#[must_use]
pub fn now() -> Time {
    Time::from_timestamp(Timestamp::now())
}

/// The time now, in the time zone of this machine.
#[must_use]
pub fn local_now() -> Zoned {
    now().to_timestamp().to_zoned(TimeZone::system())
}
