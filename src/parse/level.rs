//! How grave a line says it is.
//!
//! Only what a line *states* counts: a priority, a field, a letter, a mark, or a word in its head.
//! "0 errors" in a message is no statement, and a line that states nothing has no level. What a
//! container's runtime notes beside a line (`stderr`) is no level either: Go and Python print
//! everything there.
//!
//! Looking at the head is enough for that, and keeps this cheap enough to do for every line drawn.
//! Where it is looked for, in this order: `marks` (what stands at a fixed place: klog, Redis,
//! access logs), `words` (what stands before the message), `members` (fields with a name). Other
//! fields are left to [`crate::parse::fields`].

mod marks;
mod members;
mod names;
mod status;
mod words;

use names::named;

use crate::model::level::Level;
use crate::model::line::FleetLine;

/// Where a statement of the level is looked for: stamps, names and threads come before it.
const HEAD_BYTES: usize = 256;

/// A level, and how clearly it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct StatedLevel {
    level: Level,
    /// A field, or a word that is set apart; more than `error:` before a message.
    clear: bool,
}

/// The level that a word names, in any case and in the usual spellings (`WARNING`, `err`,
/// `crit`).
#[must_use]
pub fn named_by(word: &str) -> Option<Level> {
    named(word.as_bytes())
}

/// The level that a line states, or `None` where it states none. Of several lines the first
/// counts; only `java.util.logging` says it in the second.
///
/// The priority that syslog or the journal put before a line is that of its stream where a
/// program writes to its standard output; so a field, or a head with a stamp of its own, is
/// believed before it. The words with which a message begins are not.
#[must_use]
pub fn of(record: &[u8]) -> Option<Level> {
    let end = memchr::memchr(b'\n', record);
    let line = &record[..end.unwrap_or(record.len())];
    stated(line).or_else(|| {
        let next = record.get(end? + 1..)?;
        marks::is_java_util(line)
            .then(|| stated(next.split(|b| *b == b'\n').next()?))
            .flatten()
    })
}

/// A line without the `<165>` that syslog puts before it, which states the level and tells
/// people nothing else.
#[must_use]
pub fn without_priority(line: &[u8]) -> &[u8] {
    split_priority(line).map_or(line, |(_, rest)| rest)
}

fn of_syslog(severity: u32) -> Level {
    match severity {
        0..=2 => Level::Fatal,
        3 => Level::Error,
        4 => Level::Warn,
        5 => Level::Notice,
        6 => Level::Info,
        _ => Level::Debug,
    }
}

fn of_letter(letter: u8) -> Option<Level> {
    Some(match letter.to_ascii_uppercase() {
        b'V' | b'T' => Level::Trace,
        b'D' => Level::Debug,
        b'I' => Level::Info,
        b'N' => Level::Notice,
        b'W' => Level::Warn,
        b'E' => Level::Error,
        b'F' | b'C' => Level::Fatal,
        _ => return None,
    })
}

/// Pino and bunyan count in tens from trace; GELF and journald write syslog's severity.
fn of_number(number: u32) -> Option<Level> {
    match number {
        0..=7 => Some(of_syslog(number)),
        10..=19 => Some(Level::Trace),
        20..=29 => Some(Level::Debug),
        30..=39 => Some(Level::Info),
        40..=49 => Some(Level::Warn),
        50..=59 => Some(Level::Error),
        60 => Some(Level::Fatal),
        _ => None,
    }
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

impl StatedLevel {
    fn clear(level: Level) -> Self {
        Self { level, clear: true }
    }
}

/// What one line states, whatever was put around it on its way.
fn stated(line: &[u8]) -> Option<Level> {
    let line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line);
    let unindented = line.trim_ascii_start();
    let indent = line.len() - unindented.len();
    let begins = || unindented.starts_with(b"{") || unindented.get(4..5) == Some(b"-");
    if (indent > 1 || line.first() == Some(&b'\t')) && !begins() {
        return words::aligned(unindented);
    }
    // `------ INFO OUTPUT ------` is a heading.
    if [&b"----"[..], b"====", b"****"]
        .iter()
        .any(|ruler| unindented.starts_with(ruler))
    {
        return None;
    }
    let line = marks::unwrapped(unindented);
    if let Some(escaped) = members::docker_log(line) {
        let mut buffer = [0; HEAD_BYTES * 2];
        return inner(members::decoded(escaped, &mut buffer));
    }
    inner(line)
}

fn inner(line: &[u8]) -> Option<Level> {
    let Some((number, rest)) = split_priority(line) else {
        return text(line).map(|found| found.level);
    };
    let said = text(marks::message(rest)).filter(|found| found.clear);
    Some(said.map_or(of_syslog(number % 8), |found| found.level))
}

/// What a line without a priority states.
fn text(line: &[u8]) -> Option<StatedLevel> {
    let head = line.get(..HEAD_BYTES).unwrap_or(line);
    if let Some(level) = marks::find(head).or_else(|| status::of_access_log(line)) {
        return Some(StatedLevel::clear(level));
    }
    let object = members::object_start(head);
    let before = &head[..object];
    let field = members::logfmt(before);
    let words = &before[..field.map_or(before.len(), |(at, _)| at)];
    let field = field.map(|(_, level)| StatedLevel::clear(level));
    match words::find(words) {
        words::WordSearch::Level(found) => return Some(found),
        // `the cart has level=ERROR in it`
        words::WordSearch::Message if !is_logfmt(words) => {}
        _ if field.is_some() => return field,
        _ => {}
    }
    line.get(object..)
        .and_then(members::find)
        .or_else(|| status::of_request(line).map(StatedLevel::clear))
}

/// Whether a text begins with a field, so that words further on are those of a value without
/// quotes.
fn is_logfmt(text: &[u8]) -> bool {
    let end = text.iter().position(|b| b" =".contains(b));
    end.is_some_and(|end| text[end] == b'=')
}

fn split_priority(line: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = number(line.strip_prefix(b"<")?)?;
    (number <= 191).then_some((number, rest.strip_prefix(b">")?))
}

/// At most six digits and what follows them.
fn number(text: &[u8]) -> Option<(u32, &[u8])> {
    let digits = text
        .iter()
        .take(7)
        .take_while(|b| b.is_ascii_digit())
        .count();
    let number = text
        .get(..digits)?
        .iter()
        .fold(0_u32, |number, b| number * 10 + u32::from(b - b'0'));
    (1..=6)
        .contains(&digits)
        .then_some((number, text.get(digits..)?))
}

#[cfg(test)]
mod tests;
