//! Regular expressions with named groups, as the inventory may give them: `/at (?<epoch>\d+)ms/`.
//!
//! The groups are the parts of a stamp, or one of them the whole of it in any known format.

use regex::bytes::{Captures, Regex, RegexBuilder};

use super::counted;
use super::hour;
use super::moment::{ParsedStamp, WrittenZone, year_of_two_digits};
use super::notation;
use super::pattern::TimestampParts;
use super::scan::StampScanner;
use super::zone::ZoneNames;
use crate::parse::bytes::within;

/// How far into a line an expression looks.
const HEAD: usize = 4096;

/// A compiled expression may have so many bytes; a larger one is refused.
const MAX_COMPILED: usize = 1 << 20;

/// The longest expression.
const MAX_BYTES: usize = 1000;

/// The groups that mean something.
const GROUPS: [&str; 12] = [
    "time",
    "epoch",
    "year",
    "month",
    "day",
    "hour",
    "minute",
    "second",
    "fraction",
    "ampm",
    "zone",
    "day_of_year",
];

/// An expression, compiled.
#[derive(Debug, Clone)]
pub(super) struct TimestampRegex(Regex);

impl TimestampRegex {
    /// Compiles an expression.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_BYTES {
            return Err(format!(
                "the regular expression of a time has at most {MAX_BYTES} bytes"
            ));
        }
        let regex = RegexBuilder::new(text)
            .unicode(false)
            .size_limit(MAX_COMPILED)
            .build()
            .map_err(|error| {
                let error = error.to_string();
                let why = error.lines().last().unwrap_or_default();
                let why = why.trim_start_matches("error: ");
                format!("the regular expression of the time is not valid: {why}")
            })?;
        check_groups(&regex)?;
        Ok(Self(regex))
    }

    /// The stamp of a line.
    pub(super) fn find(&self, line: &[u8], names: &ZoneNames) -> Option<ParsedStamp> {
        let groups = self.0.captures(within(line, HEAD))?;
        if let Some(time) = groups.name("time") {
            let text = time.as_bytes();
            let found = notation::any(text, names).or_else(|| hour::time_only(text, names))?;
            return Some(found.shifted(time.start()));
        }
        let parts = parts(&groups, names)?;
        let named = || GROUPS.iter().filter_map(|name| groups.name(name));
        let start = named().map(|group| group.start()).min()?;
        let end = named().map(|group| group.end()).max()?;
        Some(ParsedStamp {
            moment: parts.moment()?,
            start,
            end,
        })
    }
}

/// What is wrong with the groups of an expression.
fn check_groups(regex: &Regex) -> Result<(), String> {
    let groups: Vec<&str> = regex.capture_names().flatten().collect();
    if let Some(other) = groups.iter().find(|name| !GROUPS.contains(name)) {
        return Err(format!(
            "unknown group {other:?} in the time expression; there are {}",
            GROUPS.join(", ")
        ));
    }
    let has = |name: &str| groups.contains(&name);
    let has_parts = has("hour")
        && has("minute")
        && has("month") == has("day")
        && (has("month") || !has("year") || has("day_of_year"));
    if has("time") || has("epoch") || has_parts {
        return Ok(());
    }
    Err("the time expression needs a group (?<time>…) or (?<epoch>…), or hour and minute, with month and day or \
         without both"
        .to_owned())
}

/// `None`: a group has what cannot be its part of a time.
fn parts(groups: &Captures<'_>, names: &ZoneNames) -> Option<TimestampParts> {
    let text = |name: &str| {
        let text = groups.name(name)?.as_bytes().trim_ascii();
        Some(text).filter(|text| !text.is_empty())
    };
    let part = |name: &str| text(name).and_then(number);
    let zone = text("zone").map(|zone| StampScanner(zone).zone(names));
    Some(TimestampParts {
        year: all_or_nothing(text("year"), year_of)?,
        month: all_or_nothing(text("month"), |month| {
            StampScanner(month).month().or_else(|| number(month))
        })?,
        day: part("day"),
        day_of_year: part("day_of_year"),
        hour: part("hour"),
        minute: part("minute"),
        second: part("second"),
        nano: all_or_nothing(text("fraction"), |text| StampScanner(text).decimals())?,
        after_noon: all_or_nothing(text("ampm"), |text| StampScanner(text).half_of_day())?,
        zone: zone.filter(|zone| *zone != WrittenZone::Host),
        epoch: all_or_nothing(text("epoch"), |text| {
            counted::number(&mut StampScanner(text))
        })?,
    })
}

/// What a group has, where it is there; `None` where it has something else.
fn all_or_nothing<T>(
    group: Option<&[u8]>,
    read: impl FnOnce(&[u8]) -> Option<T>,
) -> Option<Option<T>> {
    match group {
        Some(text) => read(text).map(Some),
        None => Some(None),
    }
}

/// A year of four digits, or of two as POSIX reads them.
fn year_of(digits: &[u8]) -> Option<i32> {
    let year = number(digits)?;
    if digits.len() > 2 {
        i32::try_from(year).ok()
    } else {
        year_of_two_digits(year)
    }
}

fn number(digits: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(digits).ok()?;
    // Up to four digits, so that nothing can run over.
    text.parse().ok().filter(|_| text.len() <= 4)
}
