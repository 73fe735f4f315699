//! The clock of a host, and what it makes of a stamp: zones and their rules, years that are left
//! out, seconds since the start.
//!
//! What a stamp says is a [`WrittenMoment`]; a [`MomentResolver`] fills in what it leaves open. The
//! rules of zones are left to `zone`.

use jiff::tz::{Offset, TimeZone};

use super::calendar::FileCalendar;
use super::moment::{CalendarDate, NANOS, TimeOfDay, WrittenMoment, WrittenZone};
use super::zone::{LocalZone, ZoneNames, area, names_of};
use crate::model::time::{HostClock, Time};

/// A clock may be ahead of ours, and its zone may be unknown to us, but not by more than this.
pub(super) const AHEAD_MS: i64 = 2 * DAY * 1000;

/// 29 February may be this long ago (1896 to 1904 had none between).
const YEARS_BACK: i32 = 8;

/// Seconds of a day.
const DAY: i64 = 24 * 3600;

/// A source has lines of few zones; the rules of so many are kept.
const MOST_AREAS: usize = 4;

/// Turns what stamps say into moments.
#[derive(Debug, Clone)]
pub(super) struct MomentResolver {
    boot: Option<Time>,
    host: LocalZone,
    /// What the host's zone is called.
    pub(super) names: ZoneNames,
    /// Zones that stamps named, the last one first.
    areas: Vec<(u16, LocalZone)>,
    /// A stamp was read whose zone nobody can tell.
    pub(super) has_unknown_zone: bool,
    /// By which years and days that are left out are those of the file.
    pub(super) file: FileCalendar,
    /// The year of a minute of our clock, for stamps without one.
    latest: (i64, i32),
}

impl MomentResolver {
    pub(super) fn new(clock: &HostClock) -> Self {
        Self {
            boot: clock.boot,
            host: LocalZone::new(clock.zone.clone()),
            names: names_of(&clock.zone),
            areas: Vec::new(),
            has_unknown_zone: false,
            file: FileCalendar::default(),
            latest: (i64::MIN, 0),
        }
    }

    /// The same for lines of the file with this path.
    pub(super) fn of_file(self, path: &str) -> Self {
        Self {
            file: FileCalendar::of_path(path, &self.host.zone),
            ..self
        }
    }

    /// The same file on a host with another clock.
    pub(super) fn with_clock(&self, clock: &HostClock) -> Self {
        Self {
            file: self.file.in_zone(&clock.zone),
            ..Self::new(clock)
        }
    }

    /// The moment that a stamp means in a line that was there at `now`, after one of `previous`.
    /// `None`: there is no such day, its zone is stated and not known, or the start of the host is
    /// not.
    pub(super) fn time(
        &mut self,
        moment: WrittenMoment,
        now: Time,
        previous: Option<Time>,
    ) -> Option<Time> {
        if moment.has_unknown_zone() {
            self.has_unknown_zone = true;
            return None;
        }
        let now = self.file.latest(now);
        match moment {
            WrittenMoment::Epoch(nanos) => Some(Time(nanos)),
            WrittenMoment::SinceBoot(nanos) => Some(Time(self.boot?.0.saturating_add(nanos))),
            WrittenMoment::Clock(time, zone) => Some(self.time_of_a_day(time, zone, now, previous)),
            WrittenMoment::Civil(
                CalendarDate {
                    year: Some(year),
                    month,
                    day,
                },
                time,
                zone,
            ) => self.civil(days(year, month, day)?, time, zone, previous),
            WrittenMoment::Civil(date, time, zone) => self.nearest(date, time, zone, now, previous),
        }
    }

    /// The rules by which lines have their times when one of `at` has this zone; and whether others
    /// may have another. A host's own offset is that of its zone, which has another one in half a
    /// year.
    pub(super) fn zone_of(&self, zone: Option<WrittenZone>, at: Time) -> (TimeZone, bool) {
        match zone {
            Some(WrittenZone::Host) => (self.host.zone.clone(), false),
            Some(WrittenZone::Area(number)) => (
                area(number).unwrap_or_else(|| self.host.zone.clone()),
                false,
            ),
            Some(WrittenZone::Offset(seconds)) if seconds != 0 => {
                if self.host.zone.to_offset(at.to_timestamp()).seconds() == seconds {
                    return (self.host.zone.clone(), false);
                }
                (
                    Offset::from_seconds(seconds)
                        .unwrap_or(Offset::UTC)
                        .to_time_zone(),
                    true,
                )
            }
            _ => (TimeZone::UTC, false),
        }
    }

    fn civil(
        &mut self,
        days: i64,
        time: TimeOfDay,
        zone: WrittenZone,
        previous: Option<Time>,
    ) -> Option<Time> {
        let local = days * DAY + i64::from(time.second);
        let seconds = match zone {
            WrittenZone::Offset(offset) => local - i64::from(offset),
            zone => self.zone(zone).utc_of(local, previous),
        };
        Some(Time(
            seconds
                .saturating_mul(i64::from(NANOS))
                .saturating_add(i64::from(time.nano)),
        ))
    }

    /// The rules of a zone that is more than an offset.
    fn zone(&mut self, zone: WrittenZone) -> &mut LocalZone {
        let WrittenZone::Area(number) = zone else {
            return &mut self.host;
        };
        match self.areas.iter().position(|(known, _)| *known == number) {
            Some(at) => self.areas.swap(0, at),
            None => {
                self.areas.truncate(MOST_AREAS - 1);
                let rules = area(number).map_or_else(|| self.host.clone(), LocalZone::new);
                self.areas.insert(0, (number, rules));
            }
        }
        &mut self.areas[0].1
    }

    /// The last moment with this date that is not in the future.
    fn nearest(
        &mut self,
        date: CalendarDate,
        time: TimeOfDay,
        zone: WrittenZone,
        now: Time,
        previous: Option<Time>,
    ) -> Option<Time> {
        let latest = now.plus_millis(AHEAD_MS);
        let year = self.year_of(latest);
        for year in (year - YEARS_BACK..=year).rev() {
            let Some(days) = days(year, date.month, date.day) else {
                continue;
            };
            let found = self.civil(days, time, zone, previous)?;
            if found <= latest {
                return Some(found);
            }
        }
        None
    }

    fn year_of(&mut self, at: Time) -> i32 {
        let minute = at.0.div_euclid(60 * i64::from(NANOS));
        if self.latest.0 != minute {
            let local = self.host.zone.to_datetime(at.to_timestamp());
            self.latest = (minute, i32::from(local.year()));
        }
        self.latest.1
    }

    /// A time whose day is left out: that of the line before, or the day after it where the clock
    /// has begun again. While lines come as they are written, and for the first, the last one that
    /// is not in the future.
    fn time_of_a_day(
        &mut self,
        time: TimeOfDay,
        zone: WrittenZone,
        now: Time,
        previous: Option<Time>,
    ) -> Time {
        let after = match previous {
            Some(previous) => previous.plus_millis(-CLOCK_BACK_MS),
            None => now.plus_millis(CLOCK_AHEAD_MS - DAY * 1000),
        };
        let offset = match zone {
            WrittenZone::Offset(offset) => i64::from(offset),
            zone => i64::from(
                self.zone(zone)
                    .zone
                    .to_offset(after.to_timestamp())
                    .seconds(),
            ),
        };
        let first_day = (after.0.div_euclid(i64::from(NANOS)) + offset).div_euclid(DAY);
        for day in first_day..first_day + 2 {
            if let Some(found) = self
                .civil(day, time, zone, previous)
                .filter(|&found| found >= after)
            {
                return found;
            }
        }
        self.civil(first_day + 2, time, zone, previous)
            .unwrap_or(now)
    }
}

/// A time of day that is before that of the line before it by less than this is out of order, not
/// of the next day.
const CLOCK_BACK_MS: i64 = 6 * 3600 * 1000;

/// A time of day may be so far ahead of our clock and still be today's.
const CLOCK_AHEAD_MS: i64 = 3600 * 1000;

/// Days since 1970 of a date of the Gregorian calendar; `None`: there is no such day.
#[inline]
pub(super) fn days(year: i32, month: u32, day: u32) -> Option<i64> {
    const LENGTHS: [u32; 13] = [0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = *LENGTHS.get(month as usize)?;
    if day == 0 || day > longest || (month == 2 && day == 29 && !leap) {
        return None;
    }
    // Years that begin in March have their leap day last; eras of 400 years are alike.
    let year = i64::from(year) - i64::from(month <= 2);
    let month = i64::from((month + 9) % 12);
    let era = year.div_euclid(400);
    let year = year.rem_euclid(400);
    let day_of_year = (153 * month + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year * 365 + year / 4 - year / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}
