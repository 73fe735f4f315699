//! The fields and ids of a line, as JSON.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::encoding::JsonText;
use crate::model::line::Line;
use crate::parse::fields::{self, FieldValue, LineFields, LineIds, ValueKind};

/// An object with the fields of a line, in its order; of several with one name the first. `null`
/// where it has none. Of very many those that [`fields::all`] finds; the others are in its text.
#[derive(Debug)]
pub(crate) struct Fields<'a>(LineFields<'a>);

/// The fields and the ids of a line.
pub(crate) fn of_line(line: &Line) -> (Fields<'_>, Ids<'_>) {
    let (fields, ids) = fields::all_with_ids(&line.raw, line.dialect.as_deref());
    (Fields(fields), Ids::of(ids))
}

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = &self.0.list;
        if fields.is_empty() {
            return serializer.serialize_none();
        }
        let mut map = serializer.serialize_map(None)?;
        let mut names = NamesSeen::default();
        for field in fields.iter().filter(|field| names.is_new(&field.name)) {
            map.serialize_entry(&field.name, &TypedValue(&field.value))?;
        }
        map.end()
    }
}

/// Few names are compared one by one, which is faster than a set.
const FEW_NAMES: usize = 16;

#[derive(Default)]
struct NamesSeen<'f> {
    few: Vec<&'f str>,
    many: BTreeSet<&'f str>,
}

impl<'f> NamesSeen<'f> {
    fn is_new(&mut self, name: &'f str) -> bool {
        if self.few.contains(&name) {
            return false;
        }
        if self.few.len() < FEW_NAMES {
            self.few.push(name);
            return true;
        }
        self.many.insert(name)
    }
}

/// A value in its own type, where JSON has that.
struct TypedValue<'a>(&'a FieldValue<'a>);

impl Serialize for TypedValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = self.0;
        match value.kind {
            ValueKind::Number => {
                if let Some(number) = plain_integer(&value.text) {
                    return serializer.serialize_u64(number);
                }
            }
            ValueKind::Text => return JsonText::new(&value.text).serialize(serializer),
            ValueKind::Null | ValueKind::Bool | ValueKind::Json => {}
        }
        // 007, 1e400 and whatever else is a number for a person only stay as they were written.
        let typed = serde_json::from_slice(&value.text).ok();
        // As a float an integer of many digits would lose some.
        let is_whole = !value.text.iter().any(|b| b".eE".contains(b));
        let typed = typed.filter(|value: &serde_json::Value| !(value.is_f64() && is_whole));
        match typed {
            Some(typed) => typed.serialize(serializer),
            None => JsonText::new(&value.text).serialize(serializer),
        }
    }
}

/// What nearly all numbers are: digits, without a sign and without zeros before them.
fn plain_integer(text: &[u8]) -> Option<u64> {
    let is_plain = matches!(text, [b'0'] | [b'1'..=b'9', ..]) && text.len() < 19;
    if !is_plain {
        return None;
    }
    text.iter().try_fold(0, |number, digit| {
        digit
            .is_ascii_digit()
            .then(|| number * 10 + u64::from(digit - b'0'))
    })
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
    fn of(ids: LineIds<'a>) -> Self {
        let LineIds {
            request,
            trace,
            span,
            user,
        } = ids;
        let text = |id: Option<Cow<'a, [u8]>>| id.map(JsonText::owned);
        Self {
            request: text(request),
            trace: text(trace),
            span: text(span),
            user: text(user),
        }
    }
}
