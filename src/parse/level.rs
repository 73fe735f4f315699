//! How grave a line says it is.
//!
//! Only what a line *states* counts: a priority, a field, a letter, a mark, or a word in its head.
//! "0 errors" in a message is no statement, and a line that states nothing has no level. The stream
//! that a container's runtime notes with a line (`stderr`) is no level either: Go and Python print
//! everything there.
//!
//! Words are looked for in the head only, which keeps this cheap enough to do for every line drawn;
//! a field with a name counts wherever it is. Where it is looked for, in this order: `column` (the
//! place that the source is known to have for it), `marks` (what is at a fixed place: klog, Redis,
//! access logs), `words` (what comes before the message), `members` (fields with a name), `crashes`.
//! How numbers count is left to `scales`, other fields to [`crate::parse::fields`], and what a
//! source is known for to [`crate::parse::dialect`].

pub(super) mod column;
mod crashes;
mod glued;
mod marks;
mod members;
mod names;
mod rows;
mod scales;
mod stated;
mod status;
mod words;

pub(super) use scales::NumberTally;
use stated::{HEAD_BYTES, LineContext, StatedLevel};
use words::WordSearch;

use super::bytes::{docker_log, first_line, number, split_digits, within};
use crate::model::dialect::{LineDialect, NumberScale};
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
    of_in(record, None)
}

/// The same for a record of a source of which more is known.
#[must_use]
pub fn of_in(record: &[u8], dialect: Option<&LineDialect>) -> Option<Level> {
    let context = LineContext::of(dialect);
    let line = first_line(record);
    stated(line, context).or_else(|| {
        let next = record.get(line.len() + 1..)?;
        let is_in_second = marks::is_java_util(line);
        is_in_second
            .then(|| stated(first_line(next), context))
            .flatten()
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
    if is_rest {
        None
    } else {
        of_in(&line.content.raw, line.content.dialect.as_deref())
    }
}

/// Whether a field of this name says the level of a line.
pub(super) fn is_field(name: &str) -> bool {
    names::is_key(name.as_bytes())
}

/// The column with the level, and that with the status of a request, among columns of these names.
pub(super) fn columns_of<'n>(
    names: impl Iterator<Item = &'n [u8]> + Clone,
) -> (Option<usize>, Option<usize>) {
    let is_of_requests = names.clone().any(members::is_of_request);
    let status = names.clone().position(members::is_status);
    let mut levels = names;
    (
        levels.position(names::is_key),
        status.filter(|_| is_of_requests),
    )
}

/// What a line tells of how its source counts levels in fields: the scale itself, or a number whose
/// scale others must tell.
pub(super) enum NumberEvidence {
    /// The fields beside it are of loggers that count like this.
    Scale(NumberScale),
    /// A number alone.
    Bare(u32),
}

/// What an object tells of how its source counts.
pub(super) fn number_evidence(line: &[u8]) -> Option<NumberEvidence> {
    let object = line.get(members::object_start(within(line, HEAD_BYTES))..)?;
    let number = members::bare_number(object)?;
    Some(match members::scale_of(object) {
        Some(scale) => NumberEvidence::Scale(scale),
        None => NumberEvidence::Bare(number),
    })
}

/// Reads a line without what was put around it on its way: by a container's runtime, by syslog.
pub(super) fn with_bare(line: &[u8], mut read: impl FnMut(&[u8])) {
    let line = marks::unwrapped(line);
    let bare = |line| {
        let line = marks::without_octet_count(line);
        split_priority(line).map_or(line, |(_, rest)| rest)
    };
    let Some(escaped) = docker_log(line) else {
        return read(bare(line));
    };
    let mut head = [0; HEAD_BYTES * 2];
    read(bare(members::decoded(escaped, &mut head)));
}

/// What one line states, whatever was put around it on its way.
fn stated(line: &[u8], context: LineContext<'_>) -> Option<Level> {
    let line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line);
    let unindented = line.trim_ascii_start();
    if is_indented(line, unindented) {
        return words::aligned(unindented);
    }
    if is_heading(unindented) {
        return None;
    }
    let line = marks::unwrapped(unindented);
    match docker_log(line) {
        Some(escaped) => members::with_decoded(escaped, |text| stated_in(text, context)),
        None => stated_in(line, context),
    }
    .map(|found| found.level)
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

/// What a line states, perhaps behind a priority.
fn stated_in(line: &[u8], context: LineContext<'_>) -> Option<StatedLevel> {
    let line = marks::without_octet_count(line);
    let Some((number, rest)) = split_priority(line) else {
        return text(line, context);
    };
    let said = text(marks::message(rest), context).filter(|found| found.clear);
    said.or_else(|| Some(StatedLevel::clear(names::of_syslog(number % 8))))
}

/// What a line without a priority states.
fn text(line: &[u8], context: LineContext<'_>) -> Option<StatedLevel> {
    if let Some(level) = context
        .dialect
        .and_then(|dialect| of_columns(line, dialect))
    {
        return Some(StatedLevel::clear(level));
    }
    let head = within(line, HEAD_BYTES);
    if let Some(level) = marks::find(head).or_else(|| status::of_access_log(line)) {
        return Some(StatedLevel::clear(level));
    }
    let object = members::object_start(head);
    in_words(&head[..object], line)
        .or_else(|| {
            line.get(object..)
                .and_then(|object| members::find(object, context))
        })
        .or_else(|| in_shape(line))
}

/// What the columns of the source state that others do not have.
fn of_columns(line: &[u8], dialect: &LineDialect) -> Option<Level> {
    let column = dialect.level.and_then(|at| column::level(line, at));
    column.or_else(|| {
        let columns = dialect.columns.as_ref()?;
        rows::level(line, columns)
    })
}

/// What lines state that name nothing: those of known columns, requests, and crashes.
fn in_shape(line: &[u8]) -> Option<StatedLevel> {
    rows::level_of_shape(line)
        .or_else(|| rows::level_of_event(line))
        .or_else(|| status::of_request(line))
        .or_else(|| crashes::level(line))
        .map(StatedLevel::clear)
}

/// What words and a field before an object state. The line may go on behind the text.
fn in_words(text: &[u8], line: &[u8]) -> Option<StatedLevel> {
    let is_cut = text.len() == HEAD_BYTES && line.len() > HEAD_BYTES;
    let field = members::logfmt(text, is_cut);
    let words = &text[..field.map_or(text.len(), |(at, _)| at)];
    let tied = || glued::level(words).map(StatedLevel::clear);
    let of_field = |(_, level)| StatedLevel::clear(level);
    let found = match words::find(words) {
        WordSearch::Level(found) if found.clear => return Some(found),
        // What a message begins with is less than what stands before it.
        WordSearch::Level(found) => return tied().or(Some(found)),
        // `the cart has level=ERROR in it`
        WordSearch::Message if !is_logfmt(words) => return tied(),
        WordSearch::Message | WordSearch::Nothing => field.map(of_field),
    };
    found.or_else(tied).or_else(|| {
        let is_of_pairs = is_cut && memchr::memchr(b'=', text).is_some();
        let beyond = is_of_pairs.then(|| members::logfmt(line, false)).flatten();
        beyond.map(of_field)
    })
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
mod depth_tests;
#[cfg(test)]
mod tests;
