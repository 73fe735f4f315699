//! How stamps can be compared by a program that knows nothing of them, such as `awk` on a host: as
//! texts of one length.
//!
//! A [`TimeKey`] is what a [`TimestampReader`](super::TimestampReader) knows of a source, in words
//! of a small vocabulary. The program on the host turns each stamp into `YYYYMMDDhhmmss` and nine
//! digits of a second; one without a year into `0` (last year) or `1` and the rest; a number into
//! nanoseconds since 1970. It compares that with [`TimeKey::target`].

use jiff::ToSpan;
use jiff::tz::TimeZone;

use super::calendar::FileCalendar;
use super::moment::{WrittenMoment, WrittenZone};
use crate::model::time::Time;

/// Stamps of lines that have no year are at most so far ahead of the clock.
const AHEAD_MS: i64 = super::clock::AHEAD_MS;

/// In which notation a source has its stamps and where, so that moments can be compared as texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeKey {
    kind: KeyKind,
    strict: bool,
    /// That of what the stamps say.
    zone: TimeZone,
    /// Other lines may well have stamps of another zone.
    mixed: bool,
    /// Of the file.
    calendar: FileCalendar,
}

/// The notations that can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeyKind {
    Iso,
    ShortYear,
    DayMonth,
    MonthDay,
    Access,
    Month,
    NoYear,
    Klog,
    Yymmdd,
    Compact,
    Epoch,
    Tai,
}

/// The last stamp that was seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct LastTimestamp {
    pub(super) moment: WrittenMoment,
    /// Where it was.
    at: usize,
    /// How it begins.
    text: [u8; 8],
}

impl LastTimestamp {
    pub(super) fn new(moment: WrittenMoment, line: &[u8], at: usize) -> Self {
        let mut text = [0; 8];
        let stamp = line.get(at..).unwrap_or_default();
        let length = stamp.len().min(text.len());
        text[..length].copy_from_slice(&stamp[..length]);
        Self { moment, at, text }
    }

    /// It says nothing of the day.
    pub(super) fn is_undated(&self) -> bool {
        matches!(self.moment, WrittenMoment::Clock(..))
    }

    /// What it says of its zone.
    pub(super) fn zone(&self) -> Option<WrittenZone> {
        match self.moment {
            WrittenMoment::Civil(_, _, zone) => Some(zone),
            _ => None,
        }
    }
}

impl TimeKey {
    /// Of a source whose last stamp, of the format with this name, was `example`.
    pub(super) fn new(
        format: &str,
        example: &LastTimestamp,
        zone: TimeZone,
        mixed: bool,
    ) -> Option<Self> {
        let kind = KeyKind::of(format, example)?;
        let strict = example.at == usize::from(kind == KeyKind::Klog);
        Some(Self {
            kind,
            strict,
            zone,
            mixed,
            calendar: FileCalendar::default(),
        })
    }

    /// The same of a file with this calendar.
    pub(super) fn of_calendar(self, calendar: FileCalendar) -> Self {
        Self { calendar, ..self }
    }

    /// The word for the notation.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.kind {
            KeyKind::Iso => "iso",
            KeyKind::ShortYear => "ymd",
            KeyKind::DayMonth => "dmy",
            KeyKind::MonthDay => "mdy",
            KeyKind::Access => "access",
            KeyKind::Month => "mon",
            KeyKind::NoYear => "md",
            KeyKind::Klog => "klog",
            KeyKind::Yymmdd => "yymmdd",
            KeyKind::Compact => "compact",
            KeyKind::Epoch => "epoch",
            KeyKind::Tai => "tai",
        }
    }

    /// Whether a stamp is one only at the beginning of a line.
    #[must_use]
    pub fn is_strict(&self) -> bool {
        self.strict
    }

    /// What the stamps of lines that are older than a moment compare as less than, in a source that
    /// was last written to at `now`. Where clocks were put back about then, or may be those of
    /// another zone, it is an hour less.
    #[must_use]
    pub fn target(&self, time: Time, now: Time) -> String {
        match self.kind {
            KeyKind::Epoch => format!("{:019}", time.0.max(0)),
            KeyKind::Tai => {
                let seconds = time.0.div_euclid(1_000_000_000) + (1 << 62) + 10;
                format!("{seconds:016x}{:08x}", time.0.rem_euclid(1_000_000_000))
            }
            KeyKind::Month | KeyKind::NoYear | KeyKind::Klog => {
                self.without_year(self.safe(time), now)
            }
            _ => self.written(self.safe(time)),
        }
    }

    /// Of stamps without a year, those that compare as greater than this are of the year before.
    #[must_use]
    pub fn pivot(&self, now: Time) -> String {
        let latest = self.calendar.latest(now).plus_millis(AHEAD_MS);
        self.written(latest)[4..].to_owned()
    }

    fn without_year(&self, time: Time, now: Time) -> String {
        let latest = self.calendar.latest(now).plus_millis(AHEAD_MS);
        let earliest = latest
            .to_timestamp()
            .to_zoned(self.zone.clone())
            .checked_sub(1.year());
        if time > latest {
            return "2".to_owned();
        }
        if earliest.is_ok_and(|earliest| time <= Time::from_timestamp(earliest.timestamp())) {
            return "0".to_owned();
        }
        let text = self.written(time)[4..].to_owned();
        let year = if text > self.pivot(now) { "0" } else { "1" };
        year.to_owned() + &text
    }

    /// As a stamp of this source would have it.
    fn written(&self, time: Time) -> String {
        let local = self.zone.to_datetime(time.to_timestamp());
        format!(
            "{}{:09}",
            local.strftime("%Y%m%d%H%M%S"),
            local.subsec_nanosecond()
        )
    }

    fn safe(&self, time: Time) -> Time {
        const HOUR_MS: i64 = 3_600_000;
        let offset = |time: Time| self.zone.to_offset(time.to_timestamp());
        let changes =
            offset(time.plus_millis(-2 * HOUR_MS)) != offset(time.plus_millis(2 * HOUR_MS));
        if changes || self.mixed {
            time.plus_millis(-HOUR_MS)
        } else {
            time
        }
    }
}

impl KeyKind {
    fn of(format: &str, example: &LastTimestamp) -> Option<Self> {
        let text = &example.text;
        let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        Some(match format {
            "syslog" if !text[3].is_ascii_alphabetic() => Self::Month,
            "access" if text[1..4].iter().any(u8::is_ascii_alphabetic) => Self::Access,
            "european" => Self::DayMonth,
            "american" => Self::MonthDay,
            "short-year" => Self::ShortYear,
            "month-day" => Self::NoYear,
            "klog" if digits == 4 => Self::Klog,
            "yymmdd" => Self::Yymmdd,
            "tai64n" => Self::Tai,
            "syslog" | "access" | "klog" | "boot" | "clock" | "day-month" | "mysql-slow" => {
                return None;
            }
            _ => match (digits, example.moment) {
                (4, WrittenMoment::Civil(..)) if b"-/.".contains(&text[4]) => Self::Iso,
                (8, WrittenMoment::Civil(..)) => Self::Compact,
                (8, WrittenMoment::Epoch(_)) => Self::Epoch,
                _ => return None,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::TimestampReader;
    use super::*;
    use crate::model::time::HostClock;

    const NOW: Time = Time(1_795_188_137_000_000_000);

    fn key(clock: &HostClock, line: &str) -> Option<TimeKey> {
        let mut stamper = TimestampReader::new(clock);
        let lines = vec![line.as_bytes(); 20];
        stamper.learn(&mut lines.iter().copied(), NOW);
        stamper.stamp(line.as_bytes(), NOW);
        stamper.key()
    }

    #[test]
    fn a_moment_is_written_as_the_lines_of_the_source_have_it() {
        let clock = HostClock::fixed(3600);
        for (line, kind, strict, target) in [
            (
                "2026-11-20T13:00:01Z x",
                "iso",
                true,
                "20261120152217000000000",
            ),
            (
                "2026-11-20 13:00:01,123 x",
                "iso",
                true,
                "20261120162217000000000",
            ),
            (
                "10.0.0.7 - - [20/Nov/2026:13:00:01 +0000] x",
                "access",
                false,
                "20261120152217000000000",
            ),
            (
                "Nov 20 13:00:01 host app: x",
                "mon",
                true,
                "11120162217000000000",
            ),
            (
                "I1120 13:00:01.123456 7 a.go:1] x",
                "klog",
                true,
                "11120162217000000000",
            ),
            ("1795179601.123 x", "epoch", true, "1795188137000000000"),
            (
                "20261120130001 x",
                "compact",
                true,
                "20261120162217000000000",
            ),
        ] {
            let key = key(&clock, line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(
                (key.kind(), key.is_strict(), key.target(NOW, NOW)),
                (kind, strict, target.to_owned()),
                "{line}"
            );
        }
        for line in [
            "no stamp at all",
            "[    5.123456] booted",
            "November 20 13:00:01 x",
        ] {
            assert_eq!(key(&clock, line), None, "{line}");
        }
    }

    #[test]
    fn months_without_a_year_are_those_before_the_last_line() {
        let key = key(&HostClock::fixed(0), "Nov 20 13:00:01 host app: x").expect("a key");
        let target = |days: i64| key.target(NOW.plus_millis(days * 86_400_000), NOW);
        assert_eq!(key.pivot(NOW), "1122152217000000000");
        assert_eq!(target(-30), "11021152217000000000");
        assert_eq!(target(-350), "01205152217000000000");
        assert!(
            target(-400) < target(-350) && target(-350) < target(-30) && target(-30) < target(30)
        );
    }

    #[test]
    fn where_clocks_are_put_back_or_zones_may_change_it_is_an_hour_less() {
        let zone = TimeZone::get("Europe/Berlin").expect("a zone");
        let clock = HostClock { zone, boot: None };
        let local = key(&clock, "2026-11-20 13:00:01 x").expect("a key");
        let at = |text: &str| Time::from_timestamp(text.parse().expect("a time"));
        assert_eq!(
            local.target(at("2026-07-01T10:00:00Z"), NOW),
            "20260701120000000000000"
        );
        assert_eq!(
            local.target(at("2026-10-25T00:30:00Z"), NOW),
            "20261025013000000000000"
        );
        // The host's own offset, which is another one in summer.
        let written = key(&clock, "2026-11-20T13:00:01+01:00 x").expect("a key");
        assert_eq!(
            written.target(at("2026-07-01T10:00:00Z"), NOW),
            "20260701120000000000000"
        );
        let other = key(&clock, "2026-11-20T13:00:01-05:00 x").expect("a key");
        assert_eq!(
            other.target(at("2026-07-01T10:00:00Z"), NOW),
            "20260701040000000000000"
        );
    }
}
