//! The one pass over a line that shows all its fields, outer ones first.

use std::borrow::Cow;

use super::visitor::{FieldVisitor, Flow, OwningVisitor};
use super::{access, columns, head, json, text};
use crate::parse::bytes::{docker_log, within};

/// So much of a line is read: the longest line that is kept whole.
const MAX_BYTES: usize = 1024 * 1024;

/// Shows all fields of a line.
pub(crate) fn walk<'a>(line: &'a [u8], visit: &mut dyn FieldVisitor<'a>) -> Flow {
    let (rest, is_message) = head::walk(within(line, MAX_BYTES), visit)?;
    if json::is_object(rest) {
        return object(rest, visit);
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

/// A line that is an object; docker's has the line of the program in it.
fn object<'a>(line: &'a [u8], visit: &mut dyn FieldVisitor<'a>) -> Flow {
    let end = json::walk(line, visit)?;
    let Some(log) = docker_log(line) else {
        return text::walk(line.get(end..).unwrap_or_default(), visit);
    };
    match json::decoded(log) {
        Cow::Borrowed(inner) => walk_inner(inner, visit),
        Cow::Owned(inner) => walk_inner(&inner, &mut OwningVisitor(visit)),
    }
}

/// Like [`walk`], for a line that has been taken out of docker's and is not another of them.
fn walk_inner<'a>(line: &'a [u8], visit: &mut dyn FieldVisitor<'a>) -> Flow {
    let line = line.trim_ascii();
    if json::is_object(line) {
        return json::walk(line, visit).map_continue(|_| ());
    }
    let rest = access::walk(line, visit)?;
    if visit.wants_columns() {
        columns::walk(rest, visit)?;
    }
    text::walk(rest, visit)
}
