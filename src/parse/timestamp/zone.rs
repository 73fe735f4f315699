//! Zones: the rules of a place's clocks, and the names that stamps have for them.
//!
//! The rules are looked up once for each stretch between two changes of the clocks, so that a line
//! costs a few additions. Names with a `/` (`Europe/Berlin`, as PHP writes) are those of the IANA
//! data base, as far as this machine has it.

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::tz::{self, AmbiguousOffset, Offset, TimeZone};

use super::moment::NANOS;
use crate::model::time::Time;

/// The names that a host's own zone has, with their offsets.
pub(super) type ZoneNames = Vec<(Box<[u8]>, i32)>;

/// Lines of one source may be this much out of order; an hour that comes twice is another matter.
const DISORDER_S: i64 = 60;

/// The longest name of the data base has 32 bytes.
const AREA_BYTES: usize = 40;

/// A zone with its rules, and the stretch of time that was asked for last.
#[derive(Debug, Clone)]
pub(super) struct LocalZone {
    pub(super) zone: TimeZone,
    stretch: OffsetPeriod,
}

/// Local times, in seconds as if they were of UTC, between two changes of the clocks.
#[derive(Debug, Clone, Copy)]
struct OffsetPeriod {
    from: i64,
    to: i64,
    offset: i64,
}

impl LocalZone {
    pub(super) fn new(zone: TimeZone) -> Self {
        Self {
            zone,
            stretch: OffsetPeriod {
                from: 0,
                to: 0,
                offset: 0,
            },
        }
    }

    /// What a local time in seconds is in UTC, in a line after one of `previous`.
    pub(super) fn utc_of(&mut self, local: i64, previous: Option<Time>) -> i64 {
        let OffsetPeriod { from, to, offset } = self.stretch;
        if (from..to).contains(&local) {
            local - offset
        } else {
            self.look_up(local, previous)
        }
    }

    fn look_up(&mut self, local: i64, previous: Option<Time>) -> i64 {
        let Ok(at) = Timestamp::from_second(local) else {
            return local;
        };
        let seconds = |offset: Offset| i64::from(offset.seconds());
        match self
            .zone
            .to_ambiguous_timestamp(Offset::UTC.to_datetime(at))
            .offset()
        {
            AmbiguousOffset::Unambiguous { offset } => {
                self.stretch = self.stretch_around(local, seconds(offset));
                local - seconds(offset)
            }
            // Clocks were put forward: what they never showed is so much later.
            AmbiguousOffset::Gap { before, .. } => local - seconds(before),
            // Clocks were put back, and showed this twice: the second time if the first is over
            // already.
            AmbiguousOffset::Fold { before, after } => {
                let (first, second) = (local - seconds(before), local - seconds(after));
                let is_over = previous.is_some_and(|previous| {
                    let behind = previous.0 / i64::from(NANOS) - DISORDER_S;
                    first < behind || self.last_change(second) < behind
                });
                if is_over { second } else { first }
            }
        }
    }

    /// When the clocks of the host were last changed before a moment.
    fn last_change(&self, at: i64) -> i64 {
        let after = Timestamp::from_second(at + 1).unwrap_or_default();
        self.zone
            .preceding(after)
            .next()
            .map_or(i64::MAX, |change| change.timestamp().as_second())
    }

    fn stretch_around(&self, local: i64, offset: i64) -> OffsetPeriod {
        let zone = &self.zone;
        let only_this = OffsetPeriod {
            from: local,
            to: local + 1,
            offset,
        };
        let Ok(at) = Timestamp::from_second(local - offset) else {
            return only_this;
        };
        let Ok(after) = Timestamp::from_second(local - offset + 1) else {
            return only_this;
        };
        let to = zone.following(at).next().map_or(i64::MAX, |next| {
            next.timestamp().as_second() + offset.min(i64::from(next.offset().seconds()))
        });
        let from = zone.preceding(after).next().map_or(i64::MIN, |last| {
            let at = last.timestamp().as_second();
            let before = Timestamp::from_second(at - 1)
                .map_or(offset, |at| i64::from(zone.to_offset(at).seconds()));
            at + offset.max(before)
        });
        OffsetPeriod { from, to, offset }
    }
}

/// What a zone is called in summer and winter; zones without letters have numbers for names, which
/// are read anyway.
pub(super) fn names_of(zone: &TimeZone) -> ZoneNames {
    let mut names = ZoneNames::new();
    // 15 January and 15 July of some years, because rules change.
    for at in [1_263_513_600, 1_279_152_000, 1_768_435_200, 1_784_073_600] {
        let Ok(at) = Timestamp::from_second(at) else {
            continue;
        };
        let info = zone.to_offset_info(at);
        let name = info.abbreviation().as_bytes();
        if name.first().is_some_and(u8::is_ascii_uppercase) {
            names.retain(|(known, _)| **known != *name);
            names.push((name.into(), info.offset().seconds()));
        }
    }
    names
}

/// Seconds ahead of UTC of a zone with a name: the host's own first, then those that have one
/// meaning.
pub(super) fn zone_of_name(name: &[u8], names: &ZoneNames) -> Option<i32> {
    let minutes = match name {
        b"UTC" | b"GMT" | b"Z" | b"UT" => 0,
        [] | [_] | [_, _] => return None,
        _ => {
            if let Some((_, offset)) = names.iter().find(|(known, _)| **known == *name) {
                return Some(*offset);
            }
            match name {
                b"WET" => 0,
                b"CET" | b"MEZ" | b"WEST" => 60,
                b"CEST" | b"MESZ" | b"EET" | b"SAST" => 120,
                b"EEST" | b"MSK" => 180,
                b"JST" | b"KST" => 540,
                b"HKT" | b"SGT" | b"AWST" => 480,
                b"AEST" => 600,
                b"AEDT" => 660,
                b"NZST" => 720,
                b"NZDT" => 780,
                b"NPT" => 345,
                b"PKT" => 300,
                b"BRT" => -180,
                b"EDT" => -240,
                b"EST" | b"CDT" => -300,
                b"MDT" => -360,
                b"MST" | b"PDT" => -420,
                b"PST" | b"AKDT" => -480,
                b"AKST" => -540,
                b"HST" => -600,
                _ => return None,
            }
        }
    };
    Some(minutes * 60)
}

/// Names of places in the data base of zones, in order. Read once, when a stamp has a word that
/// looks like one.
static AREAS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let names = tz::db().available().map(|name| name.as_str().to_owned());
    let mut areas: Vec<String> = names
        .filter(|name| name.contains('/') && name.len() <= AREA_BYTES)
        .collect();
    areas.sort_unstable();
    areas.dedup();
    areas
});

/// The number of the place that a text begins with, and how long its name is.
pub(super) fn area_number(text: &[u8]) -> Option<(u16, usize)> {
    let letters = text
        .iter()
        .take(AREA_BYTES)
        .take_while(|b| b.is_ascii_alphabetic())
        .count();
    if text.get(letters) != Some(&b'/') {
        return None;
    }
    let is_part = |b: &&u8| b.is_ascii_alphanumeric() || b"/_+-".contains(b);
    let name = &text[..text.iter().take(AREA_BYTES + 1).take_while(is_part).count()];
    let number = AREAS
        .binary_search_by(|area| area.as_bytes().cmp(name))
        .ok()?;
    Some((u16::try_from(number).ok()?, name.len()))
}

/// The zone of such a number.
pub(super) fn area(number: u16) -> Option<TimeZone> {
    TimeZone::get(AREAS.get(usize::from(number))?).ok()
}
