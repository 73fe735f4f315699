//! Values of fields.

use std::borrow::Cow;

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

/// What is inside the brackets or quotes around a value: `<ann@example.com>`; `None` where there are
/// none, or where they belong to different parts of it (`(a) (b)`).
#[must_use]
pub fn without_brackets(value: &[u8]) -> Option<&[u8]> {
    let [first, inner @ .., last] = value else {
        return None;
    };
    let is_pair = matches!(
        (first, last),
        (b'<', b'>') | (b'[', b']') | (b'(', b')') | (b'{', b'}') | (b'\'', b'\'') | (b'"', b'"')
    );
    (is_pair && !inner.contains(first) && !inner.contains(last)).then_some(inner)
}

impl<'a> FieldValue<'a> {
    pub(crate) fn of_text(text: impl Into<Cow<'a, [u8]>>) -> Self {
        Self {
            kind: ValueKind::Text,
            text: text.into(),
        }
    }

    /// A value of a format that has no kinds.
    pub(crate) fn sniffed(text: &'a [u8]) -> Self {
        let value = Self::of_text(text);
        let kind = match text {
            b"true" | b"false" => ValueKind::Bool,
            [b'0'..=b'9' | b'-' | b'.', ..] if value.as_number().is_some() => ValueKind::Number,
            _ => ValueKind::Text,
        };
        Self { kind, ..value }
    }

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

    pub(crate) fn into_owned<'b>(self) -> FieldValue<'b> {
        FieldValue {
            kind: self.kind,
            text: Cow::Owned(self.text.into_owned()),
        }
    }
}
