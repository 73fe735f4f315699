//! The one pass over a line that shows all its fields, outer ones first.

use std::borrow::Cow;

use super::visitor::{FieldVisitor, Flow, OwningVisitor};
use super::{access, columns, head, json, rows, text};
use crate::model::dialect::LineDialect;
use crate::parse::bytes::{docker_log, within};
use crate::parse::escapes::decoded;
use crate::parse::security_event::SecurityEvent;

/// So much of a line is read: the longest line that is kept whole.
const MAX_BYTES: usize = 1024 * 1024;

/// So many objects are read that are the text of a member of another.
const MAX_NESTED: u8 = 3;

/// Shows all fields of a line.
pub(crate) fn walk<'a>(line: &'a [u8], visit: &mut dyn FieldVisitor<'a>) -> Flow {
    walk_in(line, None, visit)
}

/// The same for a line of a source of which more is known.
pub(crate) fn walk_in<'a>(
    line: &'a [u8],
    dialect: Option<&LineDialect>,
    visit: &mut dyn FieldVisitor<'a>,
) -> Flow {
    let columns = dialect.and_then(|dialect| dialect.columns.as_ref());
    if let Some(columns) = columns
        && let Some(row) = rows::of_head(line, columns)
    {
        return row.walk(visit);
    }
    let (rest, is_message) = head::walk(within(line, MAX_BYTES), visit)?;
    if json::is_object(rest) {
        return object(rest, MAX_NESTED, visit);
    }
    if let Some(row) = rows::of_shape(rest) {
        return row.walk(visit);
    }
    if let Some(event) = SecurityEvent::of(rest) {
        return event
            .fields()
            .try_for_each(|(name, value)| visit.sniffed(name, value));
    }
    let text = access::walk(rest, visit)?;
    if !is_message && text.len() == rest.len() && visit.wants_columns() {
        columns::walk(text, visit)?;
    }
    text::walk(text, visit)?;
    if is_message {
        visit.text(b"message", rest)?;
    }
    Flow::Continue(())
}

/// A line that is an object, and the line of the program in it where there is one; so many more may
/// be inside each other.
fn object<'a>(line: &'a [u8], nested: u8, visit: &mut dyn FieldVisitor<'a>) -> Flow {
    let read = json::walk(line, visit)?;
    let inner = docker_log(line).or(read.inner).filter(|_| nested > 0);
    let Some(inner) = inner else {
        return text::walk(line.get(read.end..).unwrap_or_default(), visit);
    };
    match decoded(inner) {
        Cow::Borrowed(inner) => walk_inner(inner, nested - 1, visit),
        Cow::Owned(inner) => walk_inner(&inner, nested - 1, &mut OwningVisitor(visit)),
    }
}

/// Like [`walk`], for a line that has been taken out of an object.
fn walk_inner<'a>(line: &'a [u8], nested: u8, visit: &mut dyn FieldVisitor<'a>) -> Flow {
    let line = line.trim_ascii();
    if json::is_object(line) {
        return object(line, nested, visit);
    }
    let rest = access::walk(line, visit)?;
    if visit.wants_columns() {
        columns::walk(rest, visit)?;
    }
    text::walk(rest, visit)
}
