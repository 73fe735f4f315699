//! Regular expressions with named groups, as the inventory may give them: `/at (?<epoch>\d+)ms/`.
//!
//! The groups are the parts of a stamp, or one of them the whole of it in any known format.

use regex::bytes::{Captures, Regex, RegexBuilder};

use super::moment::WrittenZone;
use super::notation::{self, ParsedStamp};
use super::pattern::TimestampParts;
use super::scan::StampScanner;
use super::zone::ZoneNames;

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
        let built = RegexBuilder::new(text)
            .unicode(false)
            .size_limit(MAX_COMPILED)
            .build();
        let regex = built.map_err(|error| {
            let error = error.to_string();
            let why = error
                .lines()
                .last()
                .unwrap_or_default()
                .trim_start_matches("error: ")
                .to_owned();
            format!("the regular expression of the time is not valid: {why}")
        })?;
        let has = |name: &str| regex.capture_names().flatten().any(|group| group == name);
        if let Some(other) = regex
            .capture_names()
            .flatten()
            .find(|name| !GROUPS.contains(name))
        {
            return Err(format!(
                "unknown group {other:?} in the time expression; there are {}",
                GROUPS.join(", ")
            ));
        }
        let whole = has("time") || has("epoch");
        let parts = has("hour")
            && has("minute")
            && has("month") == has("day")
            && (has("month") || !has("year") || has("day_of_year"));
        if whole || parts {
            return Ok(Self(regex));
        }
        Err("the time expression needs a group (?<time>…) or (?<epoch>…), or hour and minute, with month and day or \
             without both"
            .to_owned())
    }

    /// The stamp of a line.
    pub(super) fn find(&self, line: &[u8], names: &ZoneNames) -> Option<ParsedStamp> {
        let head = &line[..line.len().min(HEAD)];
        let groups = self.0.captures(head)?;
        if let Some(time) = groups.name("time") {
            let text = time.as_bytes();
            let found = notation::any(text, names).or_else(|| notation::time_only(text, names))?;
            return Some(ParsedStamp {
                start: found.start + time.start(),
                end: found.end + time.start(),
                ..found
            });
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

/// `None`: a group has what cannot be its part of a time.
fn parts(groups: &Captures<'_>, names: &ZoneNames) -> Option<TimestampParts> {
    let text = |name: &str| {
        groups
            .name(name)
            .map(|group| group.as_bytes().trim_ascii())
            .filter(|text| !text.is_empty())
    };
    let part = |name: &str| text(name).and_then(number);
    let mut parts = TimestampParts {
        day: part("day"),
        day_of_year: part("day_of_year"),
        hour: part("hour"),
        minute: part("minute"),
        second: part("second"),
        ..TimestampParts::default()
    };
    if let Some(year) = text("year") {
        let short = year.len() <= 2;
        let year = i32::try_from(number(year)?).ok()?;
        parts.year = Some(match year {
            year if short && year < 69 => year + 2000,
            year if short => year + 1900,
            year => year,
        });
    }
    if let Some(month) = text("month") {
        parts.month = Some(StampScanner(month).month().or_else(|| number(month))?);
    }
    if let Some(fraction) = text("fraction") {
        parts.nano = Some(StampScanner(fraction).decimals()?);
    }
    if let Some(half) = text("ampm") {
        parts.after_noon = Some(StampScanner(half).half_of_day()?);
    }
    if let Some(epoch) = text("epoch") {
        parts.epoch = Some(notation::number(&mut StampScanner(epoch))?);
    }
    if let Some(zone) = text("zone") {
        parts.zone = Some(StampScanner(zone).zone(names)).filter(|zone| *zone != WrittenZone::Host);
    }
    Some(parts)
}

fn number(digits: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(digits).ok()?;
    // Up to four digits, so that nothing can run over.
    text.parse().ok().filter(|_| text.len() <= 4)
}
