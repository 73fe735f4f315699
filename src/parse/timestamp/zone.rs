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
                let first = local - seconds(before);
                let second = local - seconds(after);
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

/// What the name of a zone says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NamedZone {
    /// Seconds ahead of UTC.
    Offset(i32),
    /// It is the name of several zones with different times.
    Ambiguous,
}

/// The zone with a name: the host's own first, then those that have one meaning. `None`: no zone
/// is known to be called so.
#[inline]
pub(super) fn zone_of_name(name: &[u8], names: &ZoneNames) -> Option<NamedZone> {
    match name {
        b"UTC" | b"GMT" | b"Z" | b"UT" => return Some(NamedZone::Offset(0)),
        [] | [_] | [_, _] => return None,
        _ => {}
    }
    if let Some((_, offset)) = names.iter().find(|(known, _)| **known == *name) {
        return Some(NamedZone::Offset(*offset));
    }
    if is_ambiguous(name) {
        return Some(NamedZone::Ambiguous);
    }
    Some(NamedZone::Offset(minutes_of_name(name)? * 60))
}

/// Whether several zones have this name: those of India, Israel and Ireland; of China, Cuba and
/// Chicago; of Arabia and the Atlantic; of Samoa and Singapore; of the Gulf and South Georgia; of
/// Armenia and the Amazon; of Argentina and Egypt; of Bangladesh and Brunei; of Western Samoa and
/// West Sumatra; of Ecuador and the eastern Caribbean.
fn is_ambiguous(name: &[u8]) -> bool {
    matches!(
        name,
        b"IST"
            | b"CST"
            | b"AST"
            | b"ADT"
            | b"SST"
            | b"GST"
            | b"AMT"
            | b"AMST"
            | b"ART"
            | b"BDT"
            | b"WST"
            | b"ECT"
    )
}

/// How many minutes a zone is ahead of UTC: those of the IANA data base whose name has a single
/// meaning, and those for which Java, PHP and Windows have names and it has only numbers.
#[rustfmt::skip]
fn minutes_of_name(name: &[u8]) -> Option<i32> {
    Some(match name {
        b"HST" => -600,
        b"AKST" | b"HDT" => -540,
        b"PST" | b"AKDT" => -480,
        b"MST" | b"PDT" => -420,
        b"MDT" => -360,
        b"EST" | b"CDT" | b"COT" | b"PET" => -300,
        b"CLT" | b"EDT" | b"VET" => -240,
        b"NST" => -210,
        b"BRT" | b"UYT" => -180,
        b"NDT" => -150,
        b"WET" => 0,
        b"CET" | b"MEZ" | b"WEST" | b"BST" | b"WAT" => 60,
        b"CEST" | b"MESZ" | b"EET" | b"SAST" | b"CAT" => 120,
        b"EEST" | b"EAT" | b"MSK" | b"TRT" | b"IDT" => 180,
        b"IRST" => 210,
        b"MSD" | b"SAMT" => 240,
        b"PKT" | b"UZT" | b"YEKT" => 300,
        b"NPT" => 345,
        b"OMST" => 360,
        b"MMT" => 390,
        b"ICT" | b"WIB" | b"KRAT" | b"NOVT" => 420,
        b"HKT" | b"SGT" | b"AWST" | b"MYT" | b"PHT" | b"WITA" | b"IRKT" => 480,
        b"JST" | b"KST" | b"WIT" | b"YAKT" => 540,
        b"ACST" => 570,
        b"AEST" | b"VLAT" => 600,
        b"ACDT" => 630,
        b"AEDT" | b"MAGT" => 660,
        b"NZST" | b"PETT" => 720,
        b"NZDT" => 780,
        _ => return None,
    })
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
