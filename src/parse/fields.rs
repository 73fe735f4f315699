//! Fields: what a line says under a name.
//!
//! [`get`] finds one field, [`all`] lists them, [`ids()`] finds those that tie lines of several
//! programs together. All three read the line in one pass, parse nothing that is not asked for, and
//! take a record of several lines as well. What a field is compared with is left to the query,
//! times to [`crate::parse::timestamp`], levels to [`crate::parse::level`].
//!
//! Where fields are found, one inside the other (a journal of a container that prints JSON):
//!
//! * `head`: syslog (RFC 3164 and 5424 with structured data), Kubernetes CRI, docker compose;
//! * `json`: an object, as the whole line or behind other text, and the line inside it where its message is
//!   an object again (docker's json-file);
//! * `rows`: columns by the names that the head of the log gives them, or that a known shape has;
//! * `access`: requests as nginx, Apache, HAProxy, Envoy and Squid log them;
//! * `text`: `key=value` and `key="a value"` wherever they are (logfmt, auditd, the kernel,
//!   postfix), and the tail of nginx's error log;
//! * `columns`: the process, the thread and the logger, where the shape of the line tells which is
//!   which.
//!
//! # Names
//!
//! A member of a nested object is named with dots (`http.request.id`), an element of an array with
//! its index (`items.0.id`). In this order a name means: the field of exactly this name; the same
//! inside an object that loggers put around what they were given (`fields`, `context`,
//! `attributes`, …); the same in another case; one of the usual spellings of the same thing
//! (`names` has them: `status` is also `http.response.status_code`). Of several the first counts.

mod access;
mod columns;
mod head;
mod ids;
mod json;
mod names;
mod rows;
mod text;
mod value;
mod visitor;
mod walk;

pub use ids::LineIds;
pub use value::{FieldValue, ValueKind, without_brackets};

use crate::model::dialect::LineDialect;
use visitor::{FieldPath, FieldShape, FieldVisitor, FieldWish, Flow};
use walk::walk_in;

/// So many fields are listed.
const MAX_FIELDS: usize = 512;

/// Fields with longer names are not listed: in an object with a long name, each of many members
/// would repeat it.
const MAX_NAME: usize = 1024;

/// A field with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedField<'a> {
    /// With dots where it is nested. Bytes that are not UTF-8 are replaced.
    pub name: String,
    /// What it says.
    pub value: FieldValue<'a>,
}

/// The fields of a line, in its order; a name may occur twice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineFields<'a> {
    /// The first 512 of them whose names have at most 1024 bytes.
    pub list: Vec<NamedField<'a>>,
    /// How many others there are in the first MiB of the line.
    pub left_out: usize,
}

/// The value of the field that a name means, if the line has it. `request_id`, `trace_id`,
/// `span_id` and `user_id` are also found where [`ids()`] finds them.
#[must_use]
pub fn get<'a>(line: &'a [u8], name: &str) -> Option<FieldValue<'a>> {
    get_in(line, None, name)
}

/// The same in a line of a source of which more is known.
#[must_use]
pub fn get_in<'a>(
    line: &'a [u8],
    dialect: Option<&LineDialect>,
    name: &str,
) -> Option<FieldValue<'a>> {
    let mut getter = names::FieldGetter::new(name);
    let _ = walk_in(line, dialect, &mut getter);
    getter.best().or_else(|| {
        let ids = ids(line);
        let id = match name {
            "request_id" => ids.request,
            "trace_id" => ids.trace,
            "span_id" => ids.span,
            "user_id" => ids.user,
            _ => None,
        };
        id.map(FieldValue::of_text)
    })
}

/// Whether a text is a name as pairs have it.
pub(super) fn is_key(text: &[u8]) -> bool {
    text.first().is_some_and(u8::is_ascii_alphabetic)
        && text
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"_.@/-".contains(b))
}

/// All fields of a line.
#[must_use]
pub fn all(line: &[u8]) -> LineFields<'_> {
    all_in(line, None)
}

/// The same of a line of a source of which more is known.
#[must_use]
pub fn all_in<'a>(line: &'a [u8], dialect: Option<&LineDialect>) -> LineFields<'a> {
    let mut fields = LineFields::default();
    let _ = walk_in(line, dialect, &mut fields);
    fields
}

/// All fields of a line, and its ids, in one pass.
#[must_use]
pub fn all_with_ids<'a>(
    line: &'a [u8],
    dialect: Option<&LineDialect>,
) -> (LineFields<'a>, LineIds<'a>) {
    let mut fields = LineFields::default();
    let ids = ids::find_beside(line, dialect, &mut fields);
    (fields, ids)
}

/// The ids that a line names under the usual names, or in the forms of traceparent, OpenStack and
/// Spring.
#[must_use]
pub fn ids(line: &[u8]) -> LineIds<'_> {
    ids::find(line)
}

/// How surely a member of this name is the message of an object, less being surer; `None` where it
/// is something else.
pub(super) fn message_rank(name: &str) -> Option<usize> {
    names::message_rank(name.as_bytes())
}

impl<'a> FieldVisitor<'a> for LineFields<'a> {
    fn wish(&mut self, path: &FieldPath<'_>, shape: FieldShape) -> FieldWish {
        if shape == FieldShape::Object {
            return FieldWish::Enter;
        }
        if self.list.len() < MAX_FIELDS && path.len() <= MAX_NAME {
            return FieldWish::Take;
        }
        self.left_out += 1;
        FieldWish::Skip
    }

    fn take(&mut self, path: &FieldPath<'_>, value: FieldValue<'a>) -> Flow {
        self.list.push(NamedField {
            name: path.name(),
            value,
        });
        Flow::Continue(())
    }

    fn wants_columns(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests;
