//! The place that a source has for the level in each of its lines, which only all of them together
//! show: letters as in `E!`, `(W)` and `[D1]`, numbers as in `[40]`, and names, be they tied to
//! other words (`daemon.err`) or written like any word of a message (`Warn Server: …`).
//!
//! A place is one where nearly all lines have a level, and not always the same one.

use super::names::{named, of_letter};
use super::scales::{self, NumberTally};
use crate::model::dialect::{LevelColumn, LevelMarkKind, NumberScale};
use crate::model::level::Level;
use crate::parse::bytes::{is_digits, number, within};

/// So many words of a line are looked at.
const MAX_WORDS: usize = 10;

/// How far from its beginning a bracket may be closed for what is in it to be one word.
const MAX_BRACKET: usize = 96;

/// Fewer lines prove little.
const ENOUGH: u32 = 8;

/// How far into a line its clock must be for the line to begin a record.
const CLOCK_WITHIN: usize = 64;

/// Whether a line has a clock where those that begin a record have one.
pub(crate) fn begins_record(line: &[u8]) -> bool {
    let is_two = |digits: Option<&[u8]>| digits.is_some_and(is_digits);
    let head = within(line, CLOCK_WITHIN);
    let is_text = head.first().is_some_and(|b| !b"{# \t".contains(b));
    is_text
        && memchr::memchr2_iter(b':', b'.', head).any(|at| {
            is_two(at.checked_sub(2).and_then(|from| head.get(from..at)))
                && is_two(head.get(at + 1..at + 3))
        })
}

/// The level that a line has in the column of its source; `None` also where the line does not begin
/// a record.
pub(super) fn level(line: &[u8], column: LevelColumn) -> Option<Level> {
    if !begins_record(line) {
        return None;
    }
    let word = ColumnWords(line).nth(column.word.into())?;
    match column.kind {
        LevelMarkKind::Letter => letter(word)?,
        LevelMarkKind::Number(scale) => scales::level(scale, number_alone(word)?),
        LevelMarkKind::Name => name(word),
    }
}

/// The words of a line, which blanks and bars separate. What is in brackets is one word.
struct ColumnWords<'a>(&'a [u8]);

impl<'a> Iterator for ColumnWords<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let is_blank = |b: &u8| matches!(b, b' ' | b'\t' | b'|');
        let start = self.0.iter().position(|b| !is_blank(b))?;
        let text = &self.0[start..];
        let bracket = match text[0] {
            b'[' => memchr::memchr(b']', within(text, MAX_BRACKET)).unwrap_or(0),
            _ => 0,
        };
        let end = text[bracket..].iter().position(is_blank);
        let (word, rest) = text.split_at(end.map_or(text.len(), |end| bracket + end));
        self.0 = rest;
        Some(word)
    }
}

/// A word without the marks around it.
fn without_marks(word: &[u8]) -> &[u8] {
    let word = word.strip_suffix(b":").unwrap_or(word);
    match word {
        [first, inner @ .., last]
            if first.is_ascii_punctuation() && last.is_ascii_punctuation() =>
        {
            inner
        }
        _ => word,
    }
}

/// A capital letter alone; the level that it means, if it does. `None` where a word is no letter.
fn letter(word: &[u8]) -> Option<Option<Level>> {
    let letter = match without_marks(word) {
        [letter] => letter,
        [letter, mark] if mark.is_ascii_punctuation() => letter,
        // `E/worker`
        [letter, b'/', name, ..] if name.is_ascii_alphabetic() => letter,
        [b'D', b'1'..=b'5'] => &b'D',
        [letter, again] if letter == again => letter,
        _ => return None,
    };
    letter.is_ascii_uppercase().then(|| of_letter(*letter))
}

fn number_alone(word: &[u8]) -> Option<u32> {
    let inner = without_marks(word);
    number(inner).filter(|_| is_digits(inner))
}

/// The name of a level, alone or tied to other words.
fn name(word: &[u8]) -> Option<Level> {
    word.split(|b| !b.is_ascii_alphabetic()).find_map(named)
}

/// What the words at each place of the lines of a source were.
#[derive(Debug, Clone, Default)]
pub(crate) struct ColumnTally {
    lines: u32,
    places: [PlaceTally; MAX_WORDS],
}

/// What the words at one place were.
#[derive(Debug, Clone, Default)]
struct PlaceTally {
    letters: MarkTally,
    names: MarkTally,
    numbers: NumberTally,
}

/// How many words were marks of a level, and of which.
#[derive(Debug, Clone, Copy, Default)]
struct MarkTally {
    count: u32,
    /// Those that mean a level.
    telling: u32,
    /// A bit for each level.
    levels: u32,
}

impl ColumnTally {
    /// One more line that begins a record.
    pub(crate) fn add(&mut self, line: &[u8]) {
        self.lines += 1;
        for (place, word) in self.places.iter_mut().zip(ColumnWords(line)) {
            if let Some(level) = letter(word) {
                place.letters.add(level);
            } else if let Some(number) = number_alone(word) {
                place.numbers.add(number);
            } else if let Some(level) = name(word) {
                place.names.add(Some(level));
            }
        }
    }

    /// The place where nearly all lines have a level.
    pub(crate) fn column(&self) -> Option<LevelColumn> {
        if self.lines < ENOUGH {
            return None;
        }
        (0..).zip(&self.places).find_map(|(word, place)| {
            let kind = place.kind(self.lines)?;
            Some(LevelColumn { word, kind })
        })
    }
}

impl PlaceTally {
    fn kind(&self, lines: u32) -> Option<LevelMarkKind> {
        if self.names.is_of_most(lines) {
            return Some(LevelMarkKind::Name);
        }
        if self.letters.is_of_most(lines) {
            return Some(LevelMarkKind::Letter);
        }
        if !is_nearly_all(self.numbers.total(), lines) {
            return None;
        }
        // Other numbers are those of workers, processes and attempts too.
        self.numbers
            .scale()
            .filter(|scale| *scale == NumberScale::Python)
            .map(LevelMarkKind::Number)
    }
}

impl MarkTally {
    fn add(&mut self, level: Option<Level>) {
        self.count += 1;
        if let Some(level) = level {
            self.telling += 1;
            self.levels |= 1 << (level as u32);
        }
    }

    /// Whether nearly all lines have such a mark here, of more than one level, and one of them calm:
    /// no program has nothing but failures to tell.
    fn is_of_most(self, lines: u32) -> bool {
        let calm = 1 << (Level::Notice as u32 + 1);
        is_nearly_all(self.count, lines)
            && self.telling * 3 >= self.count * 2
            && self.levels.count_ones() > 1
            && self.levels & (calm - 1) != 0
    }
}

fn is_nearly_all(count: u32, lines: u32) -> bool {
    count * 10 >= lines * 9
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column_of(lines: &[&str]) -> Option<LevelColumn> {
        let mut tally = ColumnTally::default();
        for line in lines.iter().cycle().take(20) {
            tally.add(line.as_bytes());
        }
        tally.column()
    }

    #[test]
    fn a_column_of_levels_is_learnt_and_read() {
        let letter = LevelMarkKind::Letter;
        let name = LevelMarkKind::Name;
        let python = LevelMarkKind::Number(NumberScale::Python);
        for (lines, word, kind, level) in [
            (
                &["01:00:00 I! a", "01:00:00 E! b"][..],
                1,
                letter,
                Level::Error,
            ),
            (&["(N) 01:00 - a", "(W) 01:00 - b"], 0, letter, Level::Warn),
            (&["01:00|I|a", "01:00|F|b"], 1, letter, Level::Fatal),
            (&["01:00 *I* a", "01:00 *E* b"], 1, letter, Level::Error),
            (&["01:00 I/a x", "01:00 E/b y"], 1, letter, Level::Error),
            (
                &["[1 Jan 01:00] x I a", "[1 Jan 01:00] y W b"],
                2,
                letter,
                Level::Warn,
            ),
            (
                &["01:00 Info A: x", "01:00 Error B: y"],
                1,
                name,
                Level::Error,
            ),
            (
                &["01:00 <auth.info> x", "01:00 <kern.err> y"],
                1,
                name,
                Level::Error,
            ),
            (
                &["01:00 a(info) x", "01:00 b(warning) y"],
                1,
                name,
                Level::Warn,
            ),
            (
                &[
                    "01:00 [20] x",
                    "01:00 [20] x",
                    "01:00 [20] x",
                    "01:00 [40] y",
                ],
                1,
                python,
                Level::Error,
            ),
        ] {
            let column = column_of(lines);
            assert_eq!(column, Some(LevelColumn { word, kind }), "{lines:?}");
            let last = lines.last().expect("a line").as_bytes();
            assert_eq!(super::level(last, column.expect("a column")), Some(level));
        }
    }

    #[test]
    fn what_is_always_the_same_or_says_nothing_is_no_column() {
        for lines in [
            &["01:00 stdout F a", "01:00 stdout P b"][..],
            &["01:00 I am here", "01:00 I saw it"],
            &["01:00 M a.txt", "01:00 A b.txt"],
            &["01:00 [80] x", "01:00 [443] y"],
            &["01:00 [1] x", "01:00 [1] x", "01:00 [1] x", "01:00 [2] y"],
            &["01:00 (6) x", "01:00 (6) x", "01:00 (7) y"],
            &["01:00 error one", "01:00 failed two"],
        ] {
            assert_eq!(column_of(lines), None, "{lines:?}");
        }
    }
}
