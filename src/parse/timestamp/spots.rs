//! The places in a line where a stamp may begin, and what may be before it.
//!
//! Looking at them all is what finding a stamp costs, so they are few: starts of words. What is
//! found there is left to `layout`.

use super::names::is_day;
use crate::parse::bytes::within;

/// How far into a line a stamp of any shape may begin: behind an address, a container's name, a
/// user, a field or two (Amazon's S3 has up to 129 bytes before it). Behind that only those with
/// colons are looked for.
pub(super) const PREFIX_BYTES: usize = 160;

/// Where a stamp may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TimestampSpot {
    pub(super) at: usize,
    pub(super) word: usize,
}

/// Starts of words near the beginning of a line, with a digit, a letter, `[` or `@`.
pub(super) fn spots(line: &[u8]) -> impl Iterator<Item = TimestampSpot> {
    let head = within(line, PREFIX_BYTES);
    let mut word = 0;
    let mut in_word = false;
    head.iter().enumerate().filter_map(move |(at, &b)| {
        let parts = matches!(b, b' ' | b'\t' | b',' | b';' | b'|');
        if parts {
            word += usize::from(in_word);
        }
        in_word = !parts;
        (may_begin_with(b) && begins_token(head, at)).then_some(TimestampSpot { at, word })
    })
}

#[inline]
fn may_begin_with(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b >= 0xc3 || matches!(b, b'[' | b'@')
}

/// Starts of words in the whole of a line that are a little before a time of day with colons,
/// wherever that is. To find those costs no more than a look for the colons. Of how many words
/// come before them says nothing.
pub(super) fn colon_spots(line: &[u8], from: usize) -> impl Iterator<Item = TimestampSpot> {
    let is_digit = |at: usize| line.get(at).is_some_and(u8::is_ascii_digit);
    let mut seen = from;
    memchr::memchr_iter(b':', line)
        .filter(move |&colon| colon >= from.max(1) && is_digit(colon - 1) && is_digit(colon + 1))
        .flat_map(move |colon| {
            let begin = seen.max(colon.saturating_sub(LONGEST_DATE));
            seen = seen.max(colon);
            begin..colon
        })
        .filter(|&at| may_begin_with(line[at]) && begins_token(line, at))
        .map(|at| TimestampSpot { at, word: LATE })
}

/// What is before the first colon of a time takes no more: `miércoles, 20 de noviembre de 2026 a
/// las 13`.
const LONGEST_DATE: usize = 48;

/// The number of words before a stamp that may be behind any number of them.
pub(super) const LATE: usize = usize::MAX / 2;

/// Whether a stamp may begin here: not in the middle of a word or of the name of a file.
#[inline]
pub(super) fn begins_token(line: &[u8], at: usize) -> bool {
    let Some(before) = byte_before(line, at) else {
        return true;
    };
    match before {
        b' ' | b'\t' | b'[' | b'(' | b'{' | b'<' | b'"' | b'\'' | b'|' | b'=' | b',' | b';'
        | b':' | b'>' | b'*' | b'#' | b'@' | b'!' | b'&' | 0 => true,
        // A part of a date that is named, as in `2026年11月20日`, is none by itself.
        0x80.. => !is_inside_of_named(line, at),
        b'm' if ends_colour(&line[..at]) => true,
        b'a'..=b'z' | b'A'..=b'Z' => is_glued(line, at),
        b'0'..=b'9' => false,
        _ => at == 1,
    }
}

/// Whether the character before a place has a digit before it, or the place is in the middle of a
/// word of other letters than those of ASCII.
fn is_inside_of_named(line: &[u8], at: usize) -> bool {
    if !line[at].is_ascii_digit() {
        return true;
    }
    let begin = (at.saturating_sub(4)..at)
        .rev()
        .find(|&at| line[at] >= 0xc0);
    let before = begin.and_then(|begin| byte_before(line, begin));
    before.is_some_and(|b| b.is_ascii_digit())
}

/// Whether a date of Go's log follows the prefix of a logger that forgot a blank:
/// `raft2026/11/20 13:00:01`.
fn is_glued(line: &[u8], at: usize) -> bool {
    at <= GLUED_BYTES
        && line.get(at + 4) == Some(&b'/')
        && line.get(at + 7) == Some(&b'/')
        && line[..at].iter().all(u8::is_ascii_alphabetic)
}

/// The longest such prefix.
const GLUED_BYTES: usize = 24;

/// Whether a text ends in `ESC [ … m`, as programs write that take a log for a terminal.
fn ends_colour(text: &[u8]) -> bool {
    let Some(text) = text.strip_suffix(b"m") else {
        return false;
    };
    let numbers = text
        .iter()
        .rev()
        .take_while(|b| b.is_ascii_digit() || **b == b';')
        .count();
    text[..text.len() - numbers].ends_with(b"\x1b[")
}

/// The byte before a stamp and the name of its day, if any; `None` where they begin the line.
pub(super) fn mark_before(line: &[u8], at: usize) -> Option<u8> {
    let before = &line[at.saturating_sub(LONGEST_DATE).min(line.len())..at.min(line.len())];
    let day = before.strip_suffix(b" ").and_then(|before| {
        let begin = before.iter().rposition(|b| b" \t[(<\"'|=".contains(b));
        let day = &before[begin.map_or(0, |begin| begin + 1)..];
        is_day(day).then_some(day.len() + 1)
    });
    byte_before(line, at - day.unwrap_or(0))
}

fn byte_before(line: &[u8], at: usize) -> Option<u8> {
    at.checked_sub(1)
        .and_then(|before| line.get(before))
        .copied()
}

/// Whether what is right before a time of day may be its date, in a notation that nobody here
/// knows: digits, a word with digits and `/`, `-` or `.`, a letter with many digits, or a word that
/// has a day or a year before it. Then nothing is known of the day, and least of all that it is
/// left out. An address is none, nor is what another column has.
pub(super) fn is_behind_date(before: &[u8]) -> bool {
    let head = &before[before.len().saturating_sub(LONGEST_DATE)..];
    let (rest, word) = last_word(head);
    if word.iter().any(u8::is_ascii_digit) {
        return is_like_date(word);
    }
    let is_name = !word.is_empty()
        && word
            .iter()
            .all(|b| b.is_ascii_alphabetic() || *b >= 0x80 || *b == b'.')
        && !word.iter().all(u8::is_ascii_uppercase);
    is_name && is_day_or_year(last_word(rest).1)
}

/// The last word of a text, and what is before it.
fn last_word(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text
        .iter()
        .rposition(|b| !b" \t,;-_@[(\"'".contains(b))
        .map_or(0, |at| at + 1);
    let begin = text[..end]
        .iter()
        .rposition(|b| b" \t,;|=<>\"'".contains(b))
        .map_or(0, |at| at + 1);
    (&text[..begin], &text[begin..end])
}

/// Of a word with a digit.
fn is_like_date(word: &[u8]) -> bool {
    let bare = word.trim_ascii_end();
    let is_closed = matches!(bare.last(), Some(b']' | b')'));
    let is_letter = |b: &u8| b.is_ascii_alphabetic() || *b >= 0x80;
    let runs_of = |is: &dyn Fn(&u8) -> bool| {
        let runs = bare.split(|b| !is(b)).filter(|run| !run.is_empty());
        runs.fold((0, 0), |(runs, bytes), run| (runs + 1, bytes + run.len()))
    };
    let (numbers, digits) = runs_of(&u8::is_ascii_digit);
    let (words, _) = runs_of(&is_letter);
    if is_closed {
        // The names of threads are in brackets, too.
        let is_date = words <= 1 && (numbers > 1 || digits >= 6) || numbers > 2 && digits >= 6;
        return is_date && !is_address(bare);
    }
    let is_number = bare.iter().all(|b| b.is_ascii_digit() || b".:".contains(b));
    let has_mark = bare.iter().any(|b| b"/-.".contains(b) || *b >= 0x80);
    (is_number || has_mark || digits >= 4) && !is_address(bare)
}

/// Whether a word is made like the address of a machine: four numbers, or hexadecimal ones.
fn is_address(word: &[u8]) -> bool {
    let count = |mark: u8| word.iter().filter(|b| **b == mark).count();
    let is_hexadecimal = |b: &u8| b.is_ascii_hexdigit() || b":.%[]()/".contains(b);
    (count(b'.') == 3 || count(b':') > 2) && word.iter().all(is_hexadecimal)
}

fn is_day_or_year(word: &[u8]) -> bool {
    let digits = word.strip_suffix(b".").unwrap_or(word);
    matches!(digits.len(), 1 | 2 | 4) && digits.iter().all(u8::is_ascii_digit)
}

/// Whether all that is before a place is a name in brackets.
pub(super) fn is_behind_tag(line: &[u8], at: usize) -> bool {
    const LONGEST_TAG: usize = 32;
    let Some(tag) = line.get(..at).filter(|tag| tag.len() <= LONGEST_TAG) else {
        return false;
    };
    let name = tag
        .strip_prefix(b"[")
        .and_then(|tag| tag.strip_suffix(b"] "));
    name.is_some_and(|name| !name.is_empty() && !name.contains(&b']'))
}
