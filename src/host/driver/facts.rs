//! What a host says of itself, as a driver reads it, and the facts that come of it. How the values
//! are read is left to the drivers.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::host::SystemFacts;
use crate::model::time::Time;

/// Values as they were read. What could not be read is empty.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct RawFacts {
    pub(crate) clock: Option<ClockReading>,
    /// Of local time.
    pub(crate) utc_offset_s: Option<i32>,
    /// Those of the host's time zone, as POSIX writes them.
    pub(crate) zone_rules: String,
    pub(crate) os: String,
    pub(crate) arch: String,
    pub(crate) kernel: String,
    pub(crate) hostname: String,
    /// Seconds since 1970.
    pub(crate) booted: Option<i64>,
    /// The value of `MemTotal` in `/proc/meminfo`: `16384 kB`.
    pub(crate) memory: String,
    /// All of `/proc/uptime`: `86400.51 1234.5`.
    pub(crate) uptime: String,
    pub(crate) boot_id: Option<String>,
    pub(crate) cores: u32,
}

/// What a host's clock said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClockReading {
    pub(crate) at: Timestamp,
    /// It may be wrong by this much.
    pub(crate) resolution_ms: u16,
}

/// When a host was asked, by our clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RoundTrip {
    /// When the question was sent.
    pub(crate) sent: Time,
    /// When the answer had come.
    pub(crate) received: Time,
}

impl RawFacts {
    /// The facts of a host that was asked then.
    #[must_use]
    pub(crate) fn facts(self, trip: RoundTrip) -> SystemFacts {
        let mut facts = SystemFacts {
            zone: self.agreed_zone(trip.received),
            booted: self.booted.and_then(seconds),
            memory_bytes: kibibytes(&self.memory).unwrap_or(0),
            uptime_s: whole_seconds(&self.uptime).unwrap_or(0),
            os: self.os.to_ascii_lowercase(),
            arch: self.arch,
            kernel: self.kernel,
            hostname: self.hostname,
            boot_id: self.boot_id,
            cores: self.cores,
            utc_offset_s: self.utc_offset_s,
            ..SystemFacts::default()
        };
        if let Some(clock) = self.clock {
            facts.clock_offset_ms = Some(clock.offset_ms(trip));
            facts.clock_error_ms = Some(clock.error_ms(trip));
        }
        facts
    }

    /// The rules of the zone, unless the clock's offset is another: a login may have a zone of its
    /// own.
    fn agreed_zone(&self, at: Time) -> Option<String> {
        let zone = TimeZone::posix(&self.zone_rules).ok()?;
        let offset = zone.to_offset(at.to_timestamp()).seconds();
        (Some(offset) == self.utc_offset_s).then(|| self.zone_rules.clone())
    }
}

/// The clock offset is that of the classic algorithm (RFC 5905, section 8) with one stamp of the
/// host: its clock minus the middle of the round trip, right to within half of the round trip and
/// the resolution of its stamp.
impl ClockReading {
    fn offset_ms(self, trip: RoundTrip) -> f64 {
        let middle = trip.sent.0 / 2 + trip.received.0 / 2;
        (Time::from_timestamp(self.at).0.saturating_sub(middle)) as f64 / 1e6
    }

    fn error_ms(self, trip: RoundTrip) -> f64 {
        let length = trip.received.0.saturating_sub(trip.sent.0).max(0);
        length as f64 / 2e6 + f64::from(self.resolution_ms)
    }
}

/// `16384 kB`
fn kibibytes(value: &str) -> Option<u64> {
    let number = value.trim().strip_suffix("kB")?.trim_end();
    number.parse::<u64>().ok()?.checked_mul(1024)
}

/// `86400.51 1234.5`
fn whole_seconds(uptime: &str) -> Option<u64> {
    uptime.split('.').next()?.parse().ok()
}

fn seconds(since_epoch: i64) -> Option<Time> {
    Timestamp::from_second(since_epoch)
        .ok()
        .map(Time::from_timestamp)
}
