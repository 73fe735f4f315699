//! `key=value` wherever it is, objects behind other text, and the tail of nginx's error log.
//!
//! A value ends at a blank, or at a comma, semicolon or bracket that does not belong to it.
//! Everything is one pass over the bytes: looks back and ahead are bounded.

use super::value::FieldValue;
use super::visitor::{FieldPath, FieldVisitor, Flow};
use super::{access, json};
use crate::parse::bytes::{find, first_line, quoted, within};
use crate::parse::escapes::decoded;

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
    let mut scan = PairScanner {
        text,
        at: 0,
        shown: 0,
    };
    while let Some(mark) = scan.next_mark() {
        if mark == b'{' {
            scan.object(visit)?;
        } else if let Some(key) = scan.key(mark) {
            scan.pair(key, mark, visit)?;
        } else {
            scan.at += 1;
        }
    }
    Flow::Continue(())
}

/// Looks for pairs and objects in a text.
struct PairScanner<'a> {
    text: &'a [u8],
    at: usize,
    /// What comes before this belongs to fields that have been shown.
    shown: usize,
}

impl<'a> PairScanner<'a> {
    fn next_mark(&mut self) -> Option<u8> {
        let rest = self.text.get(self.at..)?;
        self.at += memchr::memchr3(b'=', b'{', b':', rest)?;
        Some(self.text[self.at])
    }

    fn object(&mut self, visit: &mut dyn FieldVisitor<'a>) -> Flow {
        let text = &self.text[self.at..];
        if !json::is_object(text) {
            self.at += 1;
            return Flow::Continue(());
        }
        self.at += json::walk(text, visit)?.end.max(1);
        self.shown = self.at;
        Flow::Continue(())
    }

    /// The name before an equals sign or a colon.
    fn key(&self, mark: u8) -> Option<&'a [u8]> {
        let next = self.text.get(self.at + 1);
        if mark == b':' {
            next.filter(|b| **b == b' ')?;
        } else if matches!(next, Some(b'=' | b'>' | b'~')) {
            return None;
        }
        key(&self.text[self.shown..self.at]).filter(|key| mark == b'=' || is_colon_key(key))
    }

    fn pair(&mut self, key: &[u8], mark: u8, visit: &mut dyn FieldVisitor<'a>) -> Flow {
        self.at += if mark == b':' { 2 } else { 1 };
        self.at += colour_bytes(&self.text[self.at..]);
        let value = PairValue::of(&self.text[self.at..]);
        visit.offer(&FieldPath::member(None, key), || value.value())?;
        self.at += value.len;
        self.shown = self.at;
        Flow::Continue(())
    }
}

/// The name that ends a text: letters, digits and `_.@/-`, not in the middle of a word. Colours may
/// surround it.
fn key(before: &[u8]) -> Option<&[u8]> {
    let before = without_colour(before);
    let from = before.len().saturating_sub(MAX_KEY + 1);
    let word = before[from..]
        .iter()
        .rposition(|b| !(b.is_ascii_alphanumeric() || b"_.@/-".contains(b) || !b.is_ascii()))
        .map_or(from, |at| from + at + 1);
    let start = word + rest_of_colour(before, word);
    let key = &before[start..];
    // 0x1d comes before what auditd adds in words.
    let is_apart =
        start == 0 || start > word || b" \t\n\r,;[({|'\"\x1d:".contains(&before[start - 1]);
    let begins = |b: &u8| b.is_ascii_alphabetic() || b"_@".contains(b) || !b.is_ascii();
    (is_apart && key.len() <= MAX_KEY && key.first().is_some_and(begins)).then_some(key)
}

/// How much of a word belongs to the colour that is before it: `36m` in `\x1b[36mlevel`.
fn rest_of_colour(text: &[u8], word: usize) -> usize {
    if !text[..word].ends_with(b"\x1b[") {
        return 0;
    }
    memchr::memchr(b'm', &text[word..]).map_or(0, |end| end + 1)
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

/// What follows an equals sign.
struct PairValue<'a> {
    raw: &'a [u8],
    quoted: bool,
    /// Bytes to go on behind.
    len: usize,
}

impl<'a> PairValue<'a> {
    fn of(text: &'a [u8]) -> Self {
        if let Some((raw, _)) = quoted(text) {
            return Self::quoted(raw);
        }
        if let Some(raw) = in_single_quotes(text) {
            let mut value = Self::quoted(raw);
            // auditd has fields in its `msg='…'`.
            if raw.contains(&b'=') {
                value.len = 1;
            }
            return value;
        }
        let raw = bare(text);
        Self {
            raw,
            quoted: false,
            len: raw.len(),
        }
    }

    fn quoted(raw: &'a [u8]) -> Self {
        Self {
            raw,
            quoted: true,
            len: raw.len() + 2,
        }
    }

    fn value(&self) -> FieldValue<'a> {
        if self.quoted {
            FieldValue::of_text(decoded(self.raw))
        } else {
            FieldValue::sniffed(self.raw)
        }
    }
}

fn in_single_quotes(text: &[u8]) -> Option<&[u8]> {
    let inner = text.strip_prefix(b"'")?;
    let end = memchr::memchr2(b'\'', b'\n', inner)?;
    (inner[end] == b'\'').then_some(&inner[..end])
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
    let head = within(rest, MAX_KEY);
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
    find(first_line(text), b", client: ")
}

fn nginx<'a>(tail: &'a [u8], visit: &mut dyn FieldVisitor<'a>) -> Flow {
    let mut rest = tail;
    while let Some((key, value)) = nginx_field(rest) {
        let (text, len) = match quoted(value) {
            Some((text, _)) => (text, text.len() + 2),
            None => {
                let end = memchr::memchr2(b',', b'\n', value).unwrap_or(value.len());
                (&value[..end], end)
            }
        };
        visit.text(key, text)?;
        if key == b"request" {
            access::request(text, visit)?;
        }
        rest = &value[len..];
    }
    Flow::Continue(())
}

/// The name in `, client: 10.0.0.1…`, and what follows it.
fn nginx_field(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let field = text.strip_prefix(b", ")?;
    let colon = find(within(field, MAX_KEY), b": ")?;
    let key = &field[..colon];
    let is_known = NGINX.iter().any(|name| name.as_bytes() == key);
    is_known.then_some((key, &field[colon + 2..]))
}
