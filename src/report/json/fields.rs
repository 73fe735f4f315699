//! The fields and ids of a line, as JSON.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::encoding::JsonText;
use crate::model::dialect::LineDialect;
use crate::model::line::Line;
use crate::parse::fields::{self, FieldValue, ValueKind};

/// An object with the fields of a line, in its order; of several with one name the first. `null`
/// where it has none. Of very many those that [`fields::all`] finds; the others are in its text.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    line: &'a [u8],
    dialect: Option<&'a LineDialect>,
}

impl<'a> Fields<'a> {
    /// Of a line.
    pub(crate) fn of(line: &'a Line) -> Self {
        Self {
            line: &line.raw,
            dialect: line.dialect.as_deref(),
        }
    }
}

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = fields::all_in(self.line, self.dialect).list;
        if fields.is_empty() {
            return serializer.serialize_none();
        }
        let mut names = BTreeSet::new();
        let mut map = serializer.serialize_map(None)?;
        for field in fields.iter().filter(|field| names.insert(&field.name)) {
            map.serialize_entry(&field.name, &TypedValue(&field.value))?;
        }
        map.end()
    }
}

/// A value in its own type, where JSON has that.
struct TypedValue<'a>(&'a FieldValue<'a>);

impl Serialize for TypedValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // 007, 1e400 and whatever else is a number for a person only stay as they were written.
        let typed = match self.0.kind {
            ValueKind::Text => None,
            ValueKind::Null | ValueKind::Bool | ValueKind::Number | ValueKind::Json => {
                serde_json::from_slice(&self.0.text).ok()
            }
        };
        // As a float an integer of many digits would lose some.
        let is_whole = !self.0.text.iter().any(|b| b".eE".contains(b));
        let typed = typed.filter(|value: &serde_json::Value| !(value.is_f64() && is_whole));
        match typed {
            Some(value) => serde_json::Value::serialize(&value, serializer),
            None => JsonText::new(&self.0.text).serialize(serializer),
        }
    }
}

/// What ties a line to others; `null` where it names nothing of the kind.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Ids<'a> {
    request: Option<JsonText<'a>>,
    trace: Option<JsonText<'a>>,
    span: Option<JsonText<'a>>,
    user: Option<JsonText<'a>>,
}

impl<'a> Ids<'a> {
    /// Of a line.
    pub(crate) fn of(line: &'a [u8]) -> Self {
        let fields::LineIds {
            request,
            trace,
            span,
            user,
        } = fields::ids(line);
        let text = |id: Option<Cow<'a, [u8]>>| id.map(JsonText::owned);
        Self {
            request: text(request),
            trace: text(trace),
            span: text(span),
            user: text(user),
        }
    }
}
