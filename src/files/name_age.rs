//! Reads what a rotation has added to the name of a log: a date in any notation, a number, or a
//! word such as `old`. Which file belongs to which log is left to `rotation`.

use std::cmp::Reverse;

use super::rotation_index::{RotationIndex, separates};

/// What a program calls a generation that it keeps, where it keeps one.
const WORDS: [&str; 8] = [
    "old", "bak", "backup", "prev", "previous", "save", "saved", "orig",
];

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// What stands between the parts of a time and behind it, and counts where there is a date only.
const TIME_WORDS: [&str; 6] = ["t", "z", "utc", "gmt", "w", "h"];
const TIME_SEPARATORS: &[u8] = b":,+";

/// Years that a number of four digits may be.
const YEARS: std::ops::RangeInclusive<u64> = 1970..=2100;

/// What an addition to a name says of the age of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NameAge {
    pub(super) index: RotationIndex,
    /// A date was read, and not a mere number or word.
    pub(super) has_date: bool,
}

/// A number in a name; a month that is written as a word is one, too.
#[derive(Clone, Copy)]
struct NameNumber {
    value: u64,
    digits: usize,
    is_month: bool,
    is_padded: bool,
}

impl NameNumber {
    fn of(digits: &[u8]) -> Self {
        Self {
            value: number(digits).unwrap_or(u64::MAX),
            digits: digits.len(),
            is_month: false,
            is_padded: digits.len() > 1 && digits[0] == b'0',
        }
    }

    fn is_year(&self) -> bool {
        self.digits == 4 && YEARS.contains(&self.value)
    }

    fn is_within(&self, most: u64) -> bool {
        self.digits <= 2 && (1..=most).contains(&self.value)
    }
}

/// The parts of an addition.
#[derive(Default)]
struct NameParts<'a> {
    numbers: Vec<NameNumber>,
    /// The digits of the first number.
    first: &'a [u8],
    has_word: bool,
    /// Something that only a time has.
    has_time: bool,
    has_dot: bool,
}

/// Reads an addition, which begins with a separator; `None` where something in it tells nothing of
/// an age.
pub(super) fn of_added(added: &[u8]) -> Option<NameAge> {
    added.first().filter(|first| separates(first))?;
    let parts = parts(added)?;
    let dated = dated(&parts);
    if dated.is_none() && parts.has_time {
        return None;
    }
    dated.or_else(|| undated(&parts))
}

/// Splits an addition; `None` where it has something else than numbers and known words.
fn parts(added: &[u8]) -> Option<NameParts<'_>> {
    let mut parts = NameParts::default();
    let mut rest = added;
    while let Some(&byte) = rest.first() {
        let same = |other: &u8| {
            (byte.is_ascii_digit() && other.is_ascii_digit())
                || (byte.is_ascii_alphabetic() && other.is_ascii_alphabetic())
        };
        let length = rest.iter().take_while(|other| same(other)).count().max(1);
        let (part, behind) = rest.split_at(length);
        rest = behind;
        if byte.is_ascii_digit() {
            if parts.numbers.is_empty() {
                parts.first = part;
            }
            parts.numbers.push(NameNumber::of(part));
        } else if byte.is_ascii_alphabetic() {
            parts.take_word(part)?;
        } else if TIME_SEPARATORS.contains(&byte) {
            parts.has_time = true;
        } else if separates(&byte) {
            parts.has_dot |= byte == b'.';
        } else {
            return None;
        }
    }
    Some(parts)
}

impl NameParts<'_> {
    fn take_word(&mut self, word: &[u8]) -> Option<()> {
        let word = String::from_utf8_lossy(word).to_ascii_lowercase();
        if let Some(month) = MONTHS.iter().position(|month| is_short_of(&word, month)) {
            self.numbers.push(NameNumber {
                value: month as u64 + 1,
                digits: 2,
                is_month: true,
                is_padded: false,
            });
        } else if TIME_WORDS.contains(&&word[..]) {
            self.has_time = true;
        } else if WORDS.contains(&&word[..]) || is_weekday(word.as_bytes()) {
            self.has_word = true;
        } else {
            return None;
        }
        Some(())
    }
}

/// Whether it is the name of a day of the week, short or long.
pub(super) fn is_weekday(word: &[u8]) -> bool {
    let word = String::from_utf8_lossy(word).to_ascii_lowercase();
    WEEKDAYS.iter().any(|day| is_short_of(&word, day))
}

/// Whether a word is a name that is shortened to three letters, or that whole.
fn is_short_of(word: &str, short: &str) -> bool {
    const LONG: [&str; 19] = [
        "january",
        "february",
        "march",
        "april",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "sept",
    ];
    word == short || (word.starts_with(short) && LONG.contains(&word))
}

/// A date, with whatever numbers follow it.
fn dated(parts: &NameParts<'_>) -> Option<NameAge> {
    let numbers = &parts.numbers;
    let (first, second) = (numbers.first()?, numbers.get(1));
    let values = |from: usize| numbers[from..].iter().map(|number| number.value);
    let is_first = |index: Vec<u64>| {
        Some(NameAge {
            index: RotationIndex::Dated(index),
            has_date: true,
        })
    };
    if first.digits >= 6 && !first.is_month {
        return is_first(
            date_parts(parts.first)
                .into_iter()
                .chain(values(1))
                .collect(),
        );
    }
    if first.is_year() {
        let is_date = second.is_none_or(|second| second.digits <= 3 || second.digits == 4);
        return is_date.then(|| values(0).collect()).and_then(is_first);
    }
    let third = numbers.get(2).filter(|third| third.is_year())?;
    let second = second?;
    let rest = || std::iter::once(third.value);
    let of = |month: u64, day: u64| is_first(rest().chain([month, day]).chain(values(3)).collect());
    match (first.is_month, second.is_month) {
        (true, false) if second.is_within(31) => of(first.value, second.value),
        (false, true) if first.is_within(31) => of(second.value, first.value),
        _ if !first.is_within(31) || !second.is_within(31) => None,
        _ if first.value > 12 || (parts.has_dot && second.value <= 12) => {
            of(second.value, first.value)
        }
        _ if second.value > 12 || first.value == second.value => of(first.value, second.value),
        // Which of the two is the day is not to be known: the file's own time tells its age.
        _ => Some(NameAge {
            index: RotationIndex::Undated,
            has_date: true,
        }),
    }
}

/// A number alone, or a word.
fn undated(parts: &NameParts<'_>) -> Option<NameAge> {
    let index = match parts.numbers[..] {
        [] if parts.has_word => RotationIndex::Undated,
        [] => return None,
        // Numbers of a fixed width may rise or fall.
        [one] if !one.is_month && !one.is_padded => RotationIndex::Numbered(Reverse(one.value)),
        _ => RotationIndex::Undated,
    };
    Some(NameAge {
        index,
        has_date: false,
    })
}

/// `20261120130000` in its parts, so that it compares with what was written with separators.
pub(super) fn date_parts(digits: &[u8]) -> Vec<u64> {
    let is_date = matches!(digits.len(), 8 | 10 | 12 | 14)
        && (digits.starts_with(b"20") || digits.starts_with(b"19"));
    if !is_date {
        return vec![number(digits).unwrap_or(u64::MAX)];
    }
    let (year, rest) = digits.split_at(4);
    std::iter::once(year)
        .chain(rest.chunks(2))
        .filter_map(number)
        .collect()
}

pub(super) fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// The name that `multilog`, `svlogd` and `s6-log` give to a finished file: when it was finished,
/// as a TAI64N label, and a letter.
pub(super) fn of_tai_label(name: &[u8]) -> Option<RotationIndex> {
    let label = name.strip_prefix(b"@")?;
    let (hex, ending) = label.split_at_checked(24)?;
    let is_label = matches!(ending, b".s" | b".u" | b".t" | b"");
    let hex = std::str::from_utf8(hex).ok().filter(|_| is_label)?;
    let seconds = u64::from_str_radix(hex.get(..16)?, 16).ok()?;
    let nanoseconds = u64::from_str_radix(hex.get(16..)?, 16).ok()?;
    Some(RotationIndex::Dated(vec![seconds, nanoseconds]))
}
