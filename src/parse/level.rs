//! How grave a line says it is.
//!
//! Only what a line *states* counts: a priority, a field, a letter, a mark, or a word in its head.
//! "0 errors" in a message is no statement, and a line that states nothing has no level. The stream
//! that a container's runtime notes with a line (`stderr`) is no level either: Go and Python print
//! everything there.
//!
//! Looking at the head is enough for that, and keeps this cheap enough to do for every line drawn.
//! Where it is looked for, in this order: `marks` (what is at a fixed place: klog, Redis,
//! access logs), `words` (what comes before the message), `members` (fields with a name). Other
//! fields are left to [`crate::parse::fields`].

mod marks;
mod members;
mod names;
mod stated;
mod status;
mod words;

use stated::{HEAD_BYTES, StatedLevel};
use words::WordSearch;

use super::bytes::{docker_log, first_line, number, split_digits, within};
use crate::model::level::Level;
use crate::model::line::FleetLine;

/// The level that a word names, in any case and in the usual spellings (`WARNING`, `err`,
/// `crit`).
#[must_use]
pub fn named_by(word: &str) -> Option<Level> {
    names::named(word.as_bytes())
}

/// The level that a line states, or `None` where it states none. Of several lines the first
/// counts; only `java.util.logging` says it in the second.
///
/// The priority that syslog or the journal put before a line is that of its stream where a
/// program writes to its standard output; so a field, or a head with a stamp of its own, is
/// believed before it. The words with which a message begins are not.
#[must_use]
pub fn of(record: &[u8]) -> Option<Level> {
    let line = first_line(record);
    stated(line).or_else(|| {
        let next = record.get(line.len() + 1..)?;
        let is_in_second = marks::is_java_util(line);
        is_in_second.then(|| stated(first_line(next))).flatten()
    })
}

/// A line without the `<165>` that syslog puts before it, which states the level and tells
/// people nothing else.
#[must_use]
pub fn without_priority(line: &[u8]) -> &[u8] {
    split_priority(line).map_or(line, |(_, rest)| rest)
}

/// The level that a line states. What only goes on with a record states none, unless it is the line
/// in which java.util.logging says the level.
#[must_use]
pub fn of_line(line: &FleetLine) -> Option<Level> {
    let is_rest =
        line.content.continues && line.content.raw.first().is_none_or(u8::is_ascii_whitespace);
    if is_rest { None } else { of(&line.content.raw) }
}

/// Whether a field of this name says the level of a line.
pub(super) fn is_field(name: &str) -> bool {
    names::is_key(name.as_bytes())
}

/// What one line states, whatever was put around it on its way.
fn stated(line: &[u8]) -> Option<Level> {
    let line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line);
    let unindented = line.trim_ascii_start();
    if is_indented(line, unindented) {
        return words::aligned(unindented);
    }
    if is_heading(unindented) {
        return None;
    }
    let line = marks::unwrapped(unindented);
    let Some(escaped) = docker_log(line) else {
        return inner(line);
    };
    let mut buffer = [0; HEAD_BYTES * 2];
    inner(members::decoded(escaped, &mut buffer))
}

/// Whether a line is indented as those are that go on with a record, and does not begin one by an
/// object or a date.
fn is_indented(line: &[u8], unindented: &[u8]) -> bool {
    let is_wide = line.len() > unindented.len() + 1 || line.starts_with(b"\t");
    is_wide && !unindented.starts_with(b"{") && unindented.get(4) != Some(&b'-')
}

/// `------ INFO OUTPUT ------`
fn is_heading(line: &[u8]) -> bool {
    matches!(line, [a @ (b'-' | b'=' | b'*'), b, c, d, ..] if a == b && b == c && c == d)
}

fn inner(line: &[u8]) -> Option<Level> {
    let Some((number, rest)) = split_priority(line) else {
        return text(line).map(|found| found.level);
    };
    let said = text(marks::message(rest)).filter(|found| found.clear);
    Some(said.map_or(names::of_syslog(number % 8), |found| found.level))
}

/// What a line without a priority states.
fn text(line: &[u8]) -> Option<StatedLevel> {
    let head = within(line, HEAD_BYTES);
    if let Some(level) = marks::find(head).or_else(|| status::of_access_log(line)) {
        return Some(StatedLevel::clear(level));
    }
    let object = members::object_start(head);
    in_words(&head[..object]).or_else(|| {
        line.get(object..)
            .and_then(|object| members::find(object, text))
            .or_else(|| status::of_request(line).map(StatedLevel::clear))
    })
}

/// What words and a field before an object state.
fn in_words(text: &[u8]) -> Option<StatedLevel> {
    let field = members::logfmt(text);
    let words = &text[..field.map_or(text.len(), |(at, _)| at)];
    match words::find(words) {
        WordSearch::Level(found) => Some(found),
        // `the cart has level=ERROR in it`
        WordSearch::Message if !is_logfmt(words) => None,
        _ => field.map(|(_, level)| StatedLevel::clear(level)),
    }
}

/// Whether a text begins with a field, so that words further on are those of a value without
/// quotes.
fn is_logfmt(text: &[u8]) -> bool {
    memchr::memchr2(b' ', b'=', text).is_some_and(|end| text[end] == b'=')
}

fn split_priority(line: &[u8]) -> Option<(u32, &[u8])> {
    let priority = line.strip_prefix(b"<")?;
    let number = number(priority).filter(|number| *number <= 191)?;
    let (_, rest) = split_digits(priority);
    Some((number, rest.strip_prefix(b">")?))
}

#[cfg(test)]
mod tests;
