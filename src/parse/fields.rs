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
//! * `json`: an object, as the whole line or behind other text, docker's json-file with the line
//!   inside it;
//! * `access`: requests as nginx, Apache, HAProxy, Envoy and Squid log them;
//! * `text`: `key=value` and `key="a value"` wherever they stand (logfmt, auditd, the kernel,
//!   postfix), and the tail of nginx's error log;
//! * `columns`: the process, the thread and the logger, where the shape of the line tells which is
//!   which.
//!
//! # Names
//!
//! A member of a nested object is named with dots (`http.request.id`), an element of an array with
//! its index (`items.0.id`). In this order a name means: the field of exactly this name; the same
//! inside an object that loggers put around what they were given (`fields`, `context`,
//! `attributes`, …); the same in another case; one of the usual spellings of what it stands for
//! (`names` has them: `status` is also `http.response.status_code`). Of several the first counts.

mod access;
mod columns;
mod head;
mod ids;
mod json;
mod names;
mod text;

use std::borrow::Cow;
use std::ops::ControlFlow;

/// So much of a line is read: the longest line that is kept whole.
const MAX_BYTES: usize = 1024 * 1024;

/// So many fields are listed.
const MAX_FIELDS: usize = 512;

/// Fields with longer names are not listed: in an object with a long name, each of many members
/// would repeat it.
const MAX_NAME: usize = 1024;

/// Objects in objects are looked into so deep; deeper ones are values as they stand.
const MAX_DEPTH: usize = 128;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// Text, without its quotes and escapes.
    Text,
    /// A number as it was written.
    Number,
    /// `true` or `false`.
    Bool,
    /// JSON's `null`.
    Null,
    /// An object or an array of JSON, as it was written.
    Json,
}

/// What a line says under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldValue<'a> {
    /// What it is.
    pub kind: ValueKind,
    /// The value in bytes.
    pub text: Cow<'a, [u8]>,
}

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

/// The ids that a line names. Each as it was written, but without what stands around it in a
/// `traceparent`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineIds<'a> {
    /// Of the request.
    pub request: Option<Cow<'a, [u8]>>,
    /// Of the trace, over all services.
    pub trace: Option<Cow<'a, [u8]>>,
    /// Of the part of the trace.
    pub span: Option<Cow<'a, [u8]>>,
    /// Who it was for: an id where there is one, else a name.
    pub user: Option<Cow<'a, [u8]>>,
}

/// The value of the field that a name means, if the line has it. `request_id`, `trace_id`,
/// `span_id` and `user_id` are also found where [`ids()`] finds them.
#[must_use]
pub fn get<'a>(line: &'a [u8], name: &str) -> Option<FieldValue<'a>> {
    let mut getter = names::FieldGetter::new(name);
    let _ = walk(line, &mut getter);
    getter.best().or_else(|| {
        let ids = ids(line);
        let id = match name {
            "request_id" => ids.request,
            "trace_id" => ids.trace,
            "span_id" => ids.span,
            "user_id" => ids.user,
            _ => None,
        };
        id.map(|text| FieldValue {
            kind: ValueKind::Text,
            text,
        })
    })
}

/// All fields of a line.
#[must_use]
pub fn all(line: &[u8]) -> LineFields<'_> {
    let mut fields = LineFields::default();
    let _ = walk(line, &mut fields);
    fields
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

impl<'a> FieldValue<'a> {
    /// As a number, quoted or not: `502`, `-1.5`, `1e400` (which is infinite). No units.
    #[must_use]
    pub fn as_number(&self) -> Option<f64> {
        // What the standard library reads beyond this is `inf` and `nan`, which are words.
        let is_number = self
            .text
            .iter()
            .all(|b| b.is_ascii_digit() || b"+-.eE".contains(b));
        std::str::from_utf8(&self.text)
            .ok()
            .filter(|_| is_number)?
            .parse()
            .ok()
    }

    /// A value of a format that has no kinds.
    fn sniffed(text: &'a [u8]) -> Self {
        let text = Cow::Borrowed(text);
        let kind = match &*text {
            b"true" | b"false" => ValueKind::Bool,
            [b'0'..=b'9' | b'-' | b'.', ..]
                if (Self {
                    kind: ValueKind::Text,
                    text: text.clone(),
                })
                .as_number()
                .is_some() =>
            {
                ValueKind::Number
            }
            _ => ValueKind::Text,
        };
        Self { kind, text }
    }

    fn into_owned<'b>(self) -> FieldValue<'b> {
        FieldValue {
            kind: self.kind,
            text: Cow::Owned(self.text.into_owned()),
        }
    }
}

/// Whether to go on; a break ends the whole walk.
type Flow = ControlFlow<()>;

/// The names from the outermost object to a field.
#[derive(Debug, Clone, Copy)]
struct FieldPath<'p> {
    parent: Option<&'p FieldPath<'p>>,
    key: &'p [u8],
    /// The key is the place in an array.
    is_index: bool,
}

impl<'p> FieldPath<'p> {
    fn top(key: &'p [u8]) -> Self {
        Self {
            parent: None,
            key,
            is_index: false,
        }
    }

    /// The length of its name.
    fn len(&self) -> usize {
        self.key.len() + self.parent.map_or(0, |parent| parent.len() + 1)
    }

    fn name(&self) -> String {
        let mut name = self
            .parent
            .map(|parent| parent.name() + ".")
            .unwrap_or_default();
        name += &String::from_utf8_lossy(self.key);
        name
    }
}

/// What stands under a name, before it is known whether anyone wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FieldShape {
    /// A value, or an object that is empty or too deep.
    Leaf,
    /// An array.
    Array,
    /// An object with members.
    Object,
}

/// What to do with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FieldWish {
    Skip,
    Take,
    /// Not the object or the array itself, but perhaps something in it.
    Enter,
}

/// Who is shown every field of a line, and told the value of those it takes.
trait FieldVisitor<'a> {
    fn wish(&mut self, path: &FieldPath<'_>, shape: FieldShape) -> FieldWish;
    fn take(&mut self, path: &FieldPath<'_>, value: FieldValue<'a>) -> Flow;

    /// Whether it is worth while to look for what stands in columns without a name.
    fn wants_columns(&self) -> bool {
        false
    }
}

/// A leaf that is decoded only if it is wanted.
fn offer<'a>(
    visit: &mut dyn FieldVisitor<'a>,
    key: &[u8],
    value: impl FnOnce() -> FieldValue<'a>,
) -> Flow {
    let path = FieldPath::top(key);
    match visit.wish(&path, FieldShape::Leaf) {
        FieldWish::Take => visit.take(&path, value()),
        FieldWish::Skip | FieldWish::Enter => Flow::Continue(()),
    }
}

/// For text that was decoded on the way and will not live as long as the line.
struct OwningVisitor<'v, 'a>(&'v mut dyn FieldVisitor<'a>);

impl<'b> FieldVisitor<'b> for OwningVisitor<'_, '_> {
    fn wish(&mut self, path: &FieldPath<'_>, shape: FieldShape) -> FieldWish {
        self.0.wish(path, shape)
    }

    fn take(&mut self, path: &FieldPath<'_>, value: FieldValue<'b>) -> Flow {
        self.0.take(path, value.into_owned())
    }

    fn wants_columns(&self) -> bool {
        self.0.wants_columns()
    }
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

/// Shows all fields of a line, outer ones first.
fn walk<'a>(line: &'a [u8], visit: &mut dyn FieldVisitor<'a>) -> Flow {
    let line = line.get(..MAX_BYTES).unwrap_or(line);
    let (rest, is_message) = head::walk(line, visit)?;
    if rest.first() == Some(&b'{') && json::is_object(rest) {
        return object(rest, visit);
    }
    let text = access::walk(rest, visit)?;
    if !is_message && text.len() == rest.len() && visit.wants_columns() {
        columns::walk(text, visit)?;
    }
    text::walk(text, visit)?;
    if is_message {
        offer(visit, b"message", || FieldValue {
            kind: ValueKind::Text,
            text: Cow::Borrowed(rest),
        })
    } else {
        Flow::Continue(())
    }
}

/// A line that is an object; docker's has the line of the program in it.
fn object<'a>(line: &'a [u8], visit: &mut dyn FieldVisitor<'a>) -> Flow {
    let end = json::walk(line, visit)?;
    let Some(log) = json::docker_log(line) else {
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
    if line.first() == Some(&b'{') && json::is_object(line) {
        return json::walk(line, visit).map_continue(|_| ());
    }
    let rest = access::walk(line, visit)?;
    if visit.wants_columns() {
        columns::walk(rest, visit)?;
    }
    text::walk(rest, visit)
}

#[cfg(test)]
mod tests;
