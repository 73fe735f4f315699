//! `key=value` wherever it stands, objects behind other text, and the tail of nginx's error log.
//!
//! A value ends at a blank, or at a comma, semicolon or bracket that does not belong to it.
//! Everything is one pass over the bytes: looks back and ahead are bounded.

use std::borrow::Cow;

use super::head::quoted_end;
use super::{FieldValue, FieldVisitor, Flow, ValueKind, json, offer};

/// Longer names are no names.
const MAX_KEY: usize = 64;

/// See [`is_colon_key`].
const COLON_KEYS: [&str; 8] = [
    "duration",
    "Query_time",
    "Lock_time",
    "Rows_sent",
    "Rows_examined",
    "Rows_affected",
    "Bytes_sent",
    "Schema",
];

/// What nginx writes behind the message of an error, in this order.
const NGINX: [&str; 7] = [
    "client",
    "server",
    "request",
    "subrequest",
    "upstream",
    "host",
    "referrer",
];

/// Shows the fields of a text of any number of lines.
pub(super) fn walk<'a>(text: &'a [u8], visit: &mut dyn FieldVisitor<'a>) -> Flow {
    let end = nginx_tail(text).unwrap_or(text.len());
    pairs(&text[..end], visit)?;
    nginx(&text[end..], visit)
}

fn pairs<'a>(text: &'a [u8], visit: &mut dyn FieldVisitor<'a>) -> Flow {
    let mut at = 0;
    // What stands before this belongs to fields that have been shown.
    let mut done = 0;
    while let Some(next) = text
        .get(at..)
        .and_then(|rest| memchr::memchr3(b'=', b'{', b':', rest))
    {
        at += next;
        if text[at] == b'{' {
            let is_object = json::is_object(&text[at..]);
            at += if is_object {
                json::walk(&text[at..], visit)?.max(1)
            } else {
                1
            };
            done = if is_object { at } else { done };
            continue;
        }
        let begins = match text[at] {
            b':' => text.get(at + 1) == Some(&b' '),
            _ => !matches!(text.get(at + 1), Some(b'=' | b'>' | b'~')),
        };
        let is_named = |key: &&[u8]| text[at] == b'=' || is_colon_key(key);
        let Some(key) = begins
            .then(|| key(&text[done..at]))
            .flatten()
            .filter(is_named)
        else {
            at += 1;
            continue;
        };
        at += usize::from(text[at] == b':');
        at += 1 + colour_bytes(&text[at + 1..]);
        let value = PairValue::of(&text[at..]);
        offer(visit, key, || value.value())?;
        at += value.len;
        done = at;
    }
    Flow::Continue(())
}

/// The name that ends a text: letters, digits and `_.@/-`, not in the middle of a word. Colours may
/// stand around it.
fn key(before: &[u8]) -> Option<&[u8]> {
    let before = without_colour(before);
    let from = before.len().saturating_sub(MAX_KEY + 1);
    let is_key = |b: &u8| b.is_ascii_alphanumeric() || b"_.@/-".contains(b) || !b.is_ascii();
    let start = before[from..]
        .iter()
        .rposition(|b| !is_key(b))
        .map_or(from, |at| from + at + 1);
    let colour = before[..start]
        .ends_with(b"\x1b[")
        .then(|| memchr::memchr(b'm', &before[start..]))
        .flatten();
    let coloured = start;
    let start = start + colour.map_or(0, |end| end + 1);
    let key = &before[start..];
    let first = key
        .first()
        .filter(|b| b.is_ascii_alphabetic() || b"_@".contains(b) || !b.is_ascii());
    // 0x1d stands before what auditd adds in words.
    let apart =
        start == 0 || start > coloured || b" \t\n\r,;[({|'\"\x1d:".contains(&before[start - 1]);
    (first.is_some() && apart && key.len() <= MAX_KEY).then_some(key)
}

/// Of the colours with which a text begins.
fn colour_bytes(text: &[u8]) -> usize {
    let mut at = 0;
    while text[at..].starts_with(b"\x1b[") {
        let Some(end) = text[at..].iter().take(16).position(|b| *b == b'm') else {
            break;
        };
        at += end + 1;
    }
    at
}

/// Without the colours that end a text.
fn without_colour(mut text: &[u8]) -> &[u8] {
    while text.ends_with(b"m") {
        let from = text.len().saturating_sub(8);
        let Some(escape) = memchr::memrchr(0x1b, &text[from..]) else {
            break;
        };
        let colour = &text[from + escape + 1..text.len() - 1];
        if !colour
            .iter()
            .all(|b| b.is_ascii_digit() || b"[;".contains(b))
        {
            break;
        }
        text = &text[..from + escape];
    }
    text
}

/// Names before `: ` that are fields and not the beginning of a message: ids, PostgreSQL's
/// duration, MySQL's slow log.
fn is_colon_key(key: &[u8]) -> bool {
    // `request_id`, `requestId`, but not `invalid`.
    let is_id = match key {
        [.., b'_' | b'-' | b'.', b'i' | b'I', b'd' | b'D'] => true,
        [.., before, b'I', b'd' | b'D'] => before.is_ascii_lowercase(),
        _ => false,
    };
    is_id || COLON_KEYS.iter().any(|name| name.as_bytes() == key)
}

/// What stands behind an equals sign.
struct PairValue<'a> {
    raw: &'a [u8],
    quoted: bool,
    /// Bytes to go on behind.
    len: usize,
}

impl<'a> PairValue<'a> {
    fn of(text: &'a [u8]) -> Self {
        if let Some(inner) = text.strip_prefix(b"\"")
            && let Some(end) = quoted_end(inner)
        {
            return Self {
                raw: &inner[..end],
                quoted: true,
                len: end + 2,
            };
        }
        if let Some(inner) = text.strip_prefix(b"'")
            && let Some(end) =
                memchr::memchr2(b'\'', b'\n', inner).filter(|end| inner[*end] == b'\'')
        {
            // auditd has fields in its `msg='…'`.
            let len = if memchr::memchr(b'=', &inner[..end]).is_some() {
                1
            } else {
                end + 2
            };
            return Self {
                raw: &inner[..end],
                quoted: true,
                len,
            };
        }
        let raw = bare(text);
        Self {
            raw,
            quoted: false,
            len: raw.len(),
        }
    }

    fn value(&self) -> FieldValue<'a> {
        if self.quoted {
            return FieldValue {
                kind: ValueKind::Text,
                text: json::decoded(self.raw),
            };
        }
        FieldValue::sniffed(self.raw)
    }
}

/// A value without quotes.
fn bare(text: &[u8]) -> &[u8] {
    let mut open = 0_i32;
    let mut end = text.len();
    for (at, &b) in text.iter().enumerate() {
        let ends = match b {
            b' ' | b'\t' | b'\n' | b'\r' | 0x1b | 0x1d | b'"' | b'\'' => true,
            b'(' | b'[' | b'{' => {
                open += 1;
                false
            }
            b')' | b']' | b'}' => {
                open -= 1;
                open < 0
            }
            b',' | b';' => open == 0 && separates(&text[at + 1..]),
            _ => false,
        };
        if ends {
            end = at;
            break;
        }
    }
    &text[..end]
}

/// Whether what follows a comma is the end, a blank, or another field.
fn separates(rest: &[u8]) -> bool {
    let head = rest.get(..MAX_KEY).unwrap_or(rest);
    let len = head
        .iter()
        .position(|b| !b.is_ascii_alphanumeric() && !b"_.-".contains(b));
    match len.map(|len| (len, head[len])) {
        None => rest.is_empty(),
        Some((0, b)) => b.is_ascii_whitespace() || b"\"')]}".contains(&b),
        Some((_, b)) => b == b'=' && head[0].is_ascii_alphabetic(),
    }
}

/// Where `, client: 10.0.0.1, server: …` begins, as nginx ends a line of its error log.
fn nginx_tail(text: &[u8]) -> Option<usize> {
    let end = memchr::memchr(b'\n', text).unwrap_or(text.len());
    memchr::memmem::find(&text[..end], b", client: ")
}

fn nginx<'a>(tail: &'a [u8], visit: &mut dyn FieldVisitor<'a>) -> Flow {
    let mut rest = tail;
    while let Some(field) = rest.strip_prefix(b", ") {
        let Some(colon) = memchr::memmem::find(field.get(..MAX_KEY).unwrap_or(field), b": ") else {
            break;
        };
        let (key, value) = (&field[..colon], &field[colon + 2..]);
        if !NGINX.iter().any(|name| name.as_bytes() == key) {
            break;
        }
        let quoted = value
            .strip_prefix(b"\"")
            .and_then(|inner| Some(&inner[..quoted_end(inner)?]));
        let len = quoted.map_or_else(
            || {
                value
                    .iter()
                    .position(|b| b",\n".contains(b))
                    .unwrap_or(value.len())
            },
            |q| q.len() + 2,
        );
        let text = quoted.unwrap_or(&value[..len]);
        offer(visit, key, || FieldValue {
            kind: ValueKind::Text,
            text: Cow::Borrowed(text),
        })?;
        if key == b"request" {
            super::access::request(text, visit)?;
        }
        rest = &value[len..];
    }
    Flow::Continue(())
}
