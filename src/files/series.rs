//! Logs whose live file has the date in its own name: each day is a generation of one log, and the
//! newest is written to. Names only.
//!
//! Two files are of one series where their names differ in the date alone: `web-1-20261120.log` and
//! `web-2-20261120.log` are two logs. A number that is no date makes no series.

use super::name_age::{is_weekday, number};
use super::rotation::{RotationIndex, name_start, separates, without_endings};

/// A log whose files have the date in their names.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LogSeries {
    /// All before the date.
    prefix: Vec<u8>,
    /// All behind it.
    suffix: Vec<u8>,
}

/// A file of a series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesFile {
    /// The log that it is a day of.
    pub series: LogSeries,
    /// Which day.
    pub index: RotationIndex,
}

impl LogSeries {
    /// How it is shown: its names, with a star for the date.
    #[must_use]
    pub fn path(&self) -> Vec<u8> {
        [&self.prefix[..], b"*", &self.suffix].concat()
    }

    /// What every one of its files begins with.
    #[must_use]
    pub fn prefix(&self) -> &[u8] {
        &self.prefix
    }

    /// The same without what separates it from the date, and what its live files end with.
    #[must_use]
    pub fn around(&self) -> (&[u8], &[u8]) {
        let start = name_start(&self.prefix);
        let blank = self.prefix[start..].iter().rev();
        let blank = blank.take_while(|byte| separates(byte)).count();
        (&self.prefix[..self.prefix.len() - blank], &self.suffix)
    }

    /// Which of its generations a file is, compressed or not; `None` where it is none.
    #[must_use]
    pub fn index(&self, file: &[u8]) -> Option<RotationIndex> {
        let found = SeriesFile::of(without_endings(file)).filter(|found| found.series == *self);
        found
            .map(|found| found.index)
            .or_else(|| self.index_of_added(file))
    }

    /// What was rotated within its day, and so has a number behind all.
    fn index_of_added(&self, file: &[u8]) -> Option<RotationIndex> {
        let name = without_endings(file);
        let digits = name.iter().rev().take_while(|byte| byte.is_ascii_digit());
        let rest = name.len().checked_sub(digits.count() + 1)?;
        let (live, added) = name.split_at(rest);
        let is_added = added.len() > 1 && separates(&added[0]);
        let found = SeriesFile::of(live).filter(|found| is_added && found.series == *self);
        found.map(|_| RotationIndex::Undated)
    }
}

impl SeriesFile {
    /// The series of a file, going by its name alone.
    #[must_use]
    pub fn of(path: &[u8]) -> Option<Self> {
        let start = name_start(path);
        (start..path.len()).find_map(|at| Self::dated_at(path, at, start))
    }

    fn dated_at(path: &[u8], at: usize, start: usize) -> Option<Self> {
        let before = (at > start).then(|| path[at - 1]);
        let date = NameDate::at(&path[at..], before)?;
        let end = at + date.length;
        Some(Self {
            series: LogSeries {
                prefix: path[..at].to_vec(),
                suffix: path[end..].to_vec(),
            },
            index: date.index,
        })
    }
}

/// A date in a name.
struct NameDate {
    index: RotationIndex,
    length: usize,
}

impl NameDate {
    /// The date, with a time of day, at the beginning of a text, if there is one; `before` is what
    /// stands before it.
    fn at(text: &[u8], before: Option<u8>) -> Option<Self> {
        if before.is_some_and(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let (mut numbers, date) = match digits(text) {
            0 => return Self::weekday(text, before),
            length => of_digits(&text[..length], before).or_else(|| of_groups(text))?,
        };
        let (time, length) = time_of_day(&text[date..]);
        numbers.extend(time);
        // In a checksum or a name of a machine digits are a date by chance.
        let is_end = !text
            .get(date + length)
            .is_some_and(u8::is_ascii_alphanumeric);
        is_end.then_some(Self {
            index: RotationIndex::Dated(numbers),
            length: date + length,
        })
    }

    /// Seven files in a ring: when each was written to tells their order.
    fn weekday(text: &[u8], before: Option<u8>) -> Option<Self> {
        let length = text.iter().take_while(|byte| byte.is_ascii_alphabetic());
        let length = length.count();
        let is_alone =
            before.is_some_and(|byte| separates(&byte)) && text.get(length).is_none_or(separates);
        (is_alone && is_weekday(&text[..length])).then_some(Self {
            index: RotationIndex::Undated,
            length,
        })
    }
}

fn digits(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

fn is_day(month: u64, day: u64) -> bool {
    (1..=12).contains(&month) && (1..=31).contains(&day)
}

/// Years that logs of today may have in their names.
fn is_year(year: u64) -> bool {
    (1990..=2100).contains(&year)
}

/// A date in one run of digits: its numbers, and how long it is.
fn of_digits(run: &[u8], before: Option<u8>) -> Option<(Vec<u64>, usize)> {
    let part = |from: usize, to: usize| number(run.get(from..to)?);
    let is_glued = before.is_none_or(|byte| byte.is_ascii_alphabetic());
    let rest = |from: usize| run[from..].chunks(2).filter_map(number).collect::<Vec<_>>();
    let year = part(0, 4).filter(|year| is_year(*year));
    let found = match (run.len(), year) {
        (8 | 10 | 12 | 14, Some(year)) if is_day(part(4, 6)?, part(6, 8)?) => {
            [&[year], &rest(4)[..]].concat()
        }
        (6, Some(year)) if is_day(part(4, 6)?, 1) => vec![year, part(4, 6)?],
        // Six digits behind a separator may well be a process.
        (6 | 8, _) if is_glued && is_day(part(2, 4)?, part(4, 6)?) => {
            [&[2000 + part(0, 2)?], &rest(2)[..]].concat()
        }
        (10, _) if before.is_none_or(|byte| separates(&byte)) => {
            vec![part(0, 10).filter(|at| (1_000_000_000..2_500_000_000).contains(at))?]
        }
        _ => return None,
    };
    Some((found, run.len()))
}

/// A date whose numbers are separated: its numbers, and how long it is.
fn of_groups(text: &[u8]) -> Option<(Vec<u64>, usize)> {
    let first = digits(text);
    let separator = text.get(first).filter(|byte| separates(byte))?;
    let behind = &text[first + 1..];
    let second = digits(behind);
    if !(1..=2).contains(&second) {
        return None;
    }
    let one = number(&text[..first])?;
    let two = number(&behind[..second])?;
    let third_at = first + 1 + second + 1;
    let has_third = behind.get(second) == Some(separator);
    let third = if has_third {
        digits(&text[third_at..])
    } else {
        0
    };
    let three = text
        .get(third_at..third_at + third)
        .and_then(number)
        .filter(|_| third > 0);
    match (first, third, three) {
        (4, 1..=2, Some(day)) if is_year(one) && is_day(two, day) => {
            Some((vec![one, two, day], third_at + third))
        }
        (4, ..) if second == 2 && is_year(one) && is_day(two, 1) => {
            Some((vec![one, two], first + 1 + second))
        }
        (1..=2, 4, Some(year)) if is_year(year) => {
            let (month, day) = month_and_day(one, two, *separator)?;
            Some((vec![year, month, day], third_at + third))
        }
        _ => None,
    }
}

/// Of the two numbers before a year: with dots the day is the first, otherwise where it must be.
fn month_and_day(one: u64, two: u64, separator: u8) -> Option<(u64, u64)> {
    let is_day_first = one > 12 || (separator == b'.' && two <= 12);
    let (month, day) = if is_day_first { (two, one) } else { (one, two) };
    is_day(month, day).then_some((month, day))
}

/// A time of day behind a date, with what separates the two: groups of two or more digits. A single
/// digit may be the number of a process, and belongs to the name.
fn time_of_day(text: &[u8]) -> (Vec<u64>, usize) {
    let mut numbers = Vec::new();
    let mut length = 0;
    loop {
        let rest = &text[length..];
        let is_separator = |byte: &u8| separates(byte) || b"T:,h".contains(byte);
        let run = rest.get(1..).map_or(0, digits);
        if !rest.first().is_some_and(is_separator) || run < 2 {
            break;
        }
        numbers.extend(number(&rest[1..=run]));
        length += 1 + run;
    }
    if length > 0 && text.get(length) == Some(&b'Z') {
        length += 1;
    }
    (numbers, length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series_of(name: &str) -> Option<(String, RotationIndex)> {
        let path = format!("/l/{name}");
        let found = SeriesFile::of(path.as_bytes())?;
        let shown = String::from_utf8(found.series.path()).expect("text");
        Some((shown.trim_start_matches("/l/").to_owned(), found.index))
    }

    #[test]
    fn a_live_log_with_the_date_in_its_name_is_a_day_of_a_series() {
        let dated = |numbers: &[u64]| RotationIndex::Dated(numbers.to_vec());
        for (name, series, index) in [
            (
                "laravel-2026-11-28.log",
                "laravel-*.log",
                dated(&[2026, 11, 28]),
            ),
            (
                "catalina.2026-11-28.log",
                "catalina.*.log",
                dated(&[2026, 11, 28]),
            ),
            ("log20261128.txt", "log*.txt", dated(&[2026, 11, 28])),
            ("log20261128_001.txt", "log*.txt", dated(&[2026, 11, 28, 1])),
            (
                "postgresql-2026-11-28_000000.log",
                "postgresql-*.log",
                dated(&[2026, 11, 28, 0]),
            ),
            (
                "postgresql-Sat.log",
                "postgresql-*.log",
                RotationIndex::Undated,
            ),
            ("u_ex261128.log", "u_ex*.log", dated(&[2026, 11, 28])),
            ("u_ex26112813.log", "u_ex*.log", dated(&[2026, 11, 28, 13])),
            ("access.20261128", "access.*", dated(&[2026, 11, 28])),
            ("access.1795824000", "access.*", dated(&[1_795_824_000])),
            ("2026-11-28.log", "*.log", dated(&[2026, 11, 28])),
            ("app-2026-11.log", "app-*.log", dated(&[2026, 11])),
            ("app-202611.log", "app-*.log", dated(&[2026, 11])),
            ("app.28.11.2026.log", "app.*.log", dated(&[2026, 11, 28])),
            ("x-1-20261128.log", "x-1-*.log", dated(&[2026, 11, 28])),
            (
                "app-2026-11-28-2.log",
                "app-*-2.log",
                dated(&[2026, 11, 28]),
            ),
            (
                "a-20261128T101112Z.log",
                "a-*.log",
                dated(&[2026, 11, 28, 101_112]),
            ),
        ] {
            assert_eq!(series_of(name), Some((series.to_owned(), index)), "{name}");
        }
        for name in [
            "app.log",
            "app-1.log",
            "x-123456.log",
            "x-261128.log",
            "web-20.log",
            "sat.log",
            "saturn-sat1.log",
            "x-20261399.log",
            "x-99999999.log",
            "v1.2.3.log",
            "10.0.0.1.log",
            "app-3000000000.log",
        ] {
            assert_eq!(series_of(name), None, "{name}");
        }
    }

    #[test]
    fn days_that_are_compressed_or_rotated_again_are_of_the_series() {
        let series = SeriesFile::of(b"/l/web-2026-11-28.log")
            .expect("dated")
            .series;
        for (name, is_of_it) in [
            ("/l/web-2026-11-27.log", true),
            ("/l/web-2026-11-26.log.gz", true),
            ("/l/web-2026-11-28.log.1", true),
            ("/l/web-2026-11-28.log.2.gz", true),
            ("/l/web-2026-11-28-error.log", false),
            ("/l/web.log", false),
            ("/k/web-2026-11-27.log", false),
        ] {
            assert_eq!(series.index(name.as_bytes()).is_some(), is_of_it, "{name}");
        }
        assert_eq!(series.around(), (&b"/l/web"[..], &b".log"[..]));
    }
}
