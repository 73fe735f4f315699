//! Numbers in queries and in fields, with the units of durations and sizes.
//!
//! A number without a unit is compared with numbers without one, a duration with durations, a size
//! with sizes; so `took>=500ms` finds `took=1.2s` and not `took=700`, whose unit is not known.

use std::fmt;

/// A number as it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct WrittenNumber {
    /// The digits, `500`, `-1.5` or `2e6`.
    digits: String,
    /// The unit as it was written; empty for none.
    unit: &'static str,
}

/// What can be compared.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub(super) struct Amount {
    kind: NumberKind,
    /// In the smallest unit of its kind.
    value: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
enum NumberKind {
    Plain,
    /// In nanoseconds.
    Duration,
    /// In bytes.
    Size,
}

const KIB: f64 = 1024.0;

/// Units by the spelling in logs; `m` is minutes, for which Go and Rust use it, and sizes begin
/// with a capital.
const UNITS: &[(&str, NumberKind, f64)] = &[
    ("", NumberKind::Plain, 1.0),
    ("ns", NumberKind::Duration, 1.0),
    ("us", NumberKind::Duration, 1e3),
    ("µs", NumberKind::Duration, 1e3),
    ("μs", NumberKind::Duration, 1e3),
    ("ms", NumberKind::Duration, 1e6),
    ("s", NumberKind::Duration, 1e9),
    ("m", NumberKind::Duration, 60e9),
    ("min", NumberKind::Duration, 60e9),
    ("h", NumberKind::Duration, 3600e9),
    ("d", NumberKind::Duration, 86_400e9),
    ("B", NumberKind::Size, 1.0),
    ("kB", NumberKind::Size, 1e3),
    ("KB", NumberKind::Size, 1e3),
    ("MB", NumberKind::Size, 1e6),
    ("GB", NumberKind::Size, 1e9),
    ("TB", NumberKind::Size, 1e12),
    ("KiB", NumberKind::Size, KIB),
    ("MiB", NumberKind::Size, KIB * KIB),
    ("GiB", NumberKind::Size, KIB * KIB * KIB),
    ("TiB", NumberKind::Size, KIB * KIB * KIB * KIB),
];

impl WrittenNumber {
    /// A number with or without a unit; `None` where it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = digits(text);
        let (unit, ..) = UNITS.iter().find(|(unit, ..)| *unit == &text[digits..])?;
        text[..digits]
            .parse::<f64>()
            .ok()
            .filter(|value| value.is_finite())?;
        Some(Self {
            digits: text[..digits].to_owned(),
            unit,
        })
    }

    pub(super) fn amount(&self) -> Option<Amount> {
        amount(&self.digits, self.unit)
    }
}

/// What a field's value amounts to, blanks around it and before its unit left out. Durations in
/// several parts, as Go prints them (`1m30.5s`), are added up.
pub(super) fn amount_of(text: &str) -> Option<Amount> {
    let text = text.trim_ascii();
    let at = digits(text);
    if at == 0 {
        return None;
    }
    if let Some(amount) = amount(&text[..at], text[at..].trim_ascii_start()) {
        return Some(amount);
    }
    Some(Amount {
        kind: NumberKind::Duration,
        value: sum_of_durations(text)?,
    })
}

fn sum_of_durations(text: &str) -> Option<f64> {
    let mut rest = text;
    let mut sum = 0.0;
    while !rest.is_empty() {
        let (number, behind) = rest.split_at(digits(rest));
        let end = behind.find(|c: char| !c.is_alphabetic());
        let (unit, next) = behind.split_at(end.unwrap_or(behind.len()));
        sum += amount(number, unit)
            .filter(|part| part.kind == NumberKind::Duration)?
            .value;
        rest = next;
    }
    Some(sum)
}

fn amount(digits: &str, unit: &str) -> Option<Amount> {
    let &(_, kind, factor) = UNITS.iter().find(|(name, ..)| *name == unit)?;
    let value = digits.parse::<f64>().ok()?;
    Some(Amount {
        kind,
        value: value * factor,
    })
}

impl Amount {
    /// Whether both count the same.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.kind == other.kind
    }

    /// In the smallest unit of its kind.
    pub(super) fn value(&self) -> f64 {
        self.value
    }
}

/// Length of the number at the beginning: a sign, digits, a fraction, an exponent.
fn digits(text: &str) -> usize {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let Some(rest) = behind_digits(unsigned) else {
        return 0;
    };
    let fraction = rest.strip_prefix('.').and_then(behind_digits);
    let rest = fraction.unwrap_or(rest);
    let exponent = rest
        .strip_prefix(['e', 'E'])
        .map(|exponent| exponent.strip_prefix(['-', '+']).unwrap_or(exponent));
    let rest = exponent.and_then(behind_digits).unwrap_or(rest);
    text.len() - rest.len()
}

/// What follows the digits with which a text begins; `None` where it begins with none.
fn behind_digits(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    (rest.len() < text.len()).then_some(rest)
}

impl fmt::Display for WrittenNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.digits, self.unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Option<f64> {
        amount_of(text).map(|amount| amount.value)
    }

    #[test]
    fn numbers_durations_and_sizes_are_read() {
        for (text, expected) in [
            ("500", Some(500.0)),
            ("-1.5e3", Some(-1500.0)),
            ("1.5ms", Some(1.5e6)),
            ("1.5 ms", Some(1.5e6)),
            ("1m30.5s", Some(90.5e9)),
            ("2h0m0s", Some(7200e9)),
            ("10KiB", Some(10_240.0)),
            ("3e", None),
            ("1.", None),
            ("", None),
            ("-", None),
            ("ms", None),
            ("1m30", None),
            ("0x1f", None),
        ] {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn only_like_is_compared_with_like() {
        let like = |a: &str, b: &str| {
            amount_of(a)
                .zip(amount_of(b))
                .is_some_and(|(a, b)| a.is_like(&b))
        };
        assert!(like("1s", "5ms") && like("1KB", "1MiB") && like("1", "2"));
        assert!(!like("1s", "5") && !like("1s", "1KB"));
    }

    #[test]
    fn a_number_prints_as_it_was_written() {
        for text in ["500", "-1.50", "2e6", "500ms", "10MiB"] {
            assert_eq!(
                WrittenNumber::parse(text).map(|number| number.to_string()),
                Some(text.to_owned())
            );
        }
        for text in ["", "x", "5x", "1e999", "inf", "nan"] {
            assert_eq!(WrittenNumber::parse(text), None, "{text}");
        }
    }
}
