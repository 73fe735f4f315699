//! How values are written as JSON: text that is safe on a terminal, bytes that are no UTF-8, times
//! and numbers.

use std::borrow::Cow;
use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::ser::Formatter;

use crate::model::time::Time;
use crate::report::clock_text;

/// The version of the schema.
pub const VERSION: u8 = 1;

/// Writes one object and the end of its line.
///
/// # Errors
/// When `out` takes no more.
pub(crate) fn write(out: &mut impl Write, object: &impl Serialize) -> io::Result<()> {
    object.serialize(&mut serde_json::Serializer::with_formatter(
        &mut *out, Careful,
    ))?;
    out.write_all(b"\n")
}

/// Compact, and escapes more than JSON demands: C1 controls and DEL, and the characters by which a
/// line of a stranger could reorder or hide its neighbours on a terminal.
struct Careful;

impl Formatter for Careful {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        // Most are plain, and that is seen faster than character by character.
        if fragment.is_ascii() && memchr::memchr(0x7f, fragment.as_bytes()).is_none() {
            return out.write_all(fragment.as_bytes());
        }
        let mut rest = fragment;
        while let Some(at) = rest.find(is_treacherous) {
            out.write_all(&rest.as_bytes()[..at])?;
            let mut tail = rest[at..].chars();
            let units = &mut [0; 2];
            for unit in tail.next().unwrap_or_default().encode_utf16(units) {
                write!(out, "\\u{unit:04x}")?;
            }
            rest = tail.as_str();
        }
        out.write_all(rest.as_bytes())
    }
}

pub(crate) fn is_treacherous(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Text as its source has it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum JsonText<'a> {
    Utf8(Cow<'a, str>),
    Bytes { bytes: String },
}

impl<'a> JsonText<'a> {
    pub(crate) fn new(raw: &'a [u8]) -> Self {
        match std::str::from_utf8(raw) {
            Ok(text) => Self::Utf8(Cow::Borrowed(text)),
            Err(_) => Self::Bytes {
                bytes: STANDARD.encode(raw),
            },
        }
    }

    pub(crate) fn owned(raw: Cow<'a, [u8]>) -> Self {
        match raw {
            Cow::Borrowed(raw) => Self::new(raw),
            Cow::Owned(raw) => match String::from_utf8(raw) {
                Ok(text) => Self::Utf8(Cow::Owned(text)),
                Err(error) => Self::Bytes {
                    bytes: STANDARD.encode(error.as_bytes()),
                },
            },
        }
    }
}

pub(crate) fn time(at: Time) -> String {
    clock_text::utc(at)
}

/// Three decimals: more would be noise of the arithmetic.
pub(crate) fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_come_back_as_they_were_and_nothing_treacherous_is_written(
            raw in prop_oneof![any::<String>().prop_map(String::into_bytes), any::<Vec<u8>>()]
        ) {
            let mut out = Vec::new();
            write(&mut out, &JsonText::new(&raw)).expect("a vector takes everything");
            let text = String::from_utf8(out).expect("UTF-8");
            let line = text.strip_suffix('\n').expect("one line");
            prop_assert!(!line.contains(is_treacherous), "{line:?}");
            let back = match serde_json::from_str(line).expect("JSON") {
                serde_json::Value::String(text) => text.into_bytes(),
                object => STANDARD.decode(object["bytes"].as_str().expect("bytes")).expect("base64"),
            };
            prop_assert_eq!(back, raw);
        }
    }
}
