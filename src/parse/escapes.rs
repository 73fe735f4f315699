//! Strings of JSON without their escapes.

use std::borrow::Cow;

/// A string without its escapes. What is no escape of JSON stays as it is, and half a surrogate
/// pair becomes U+FFFD.
pub(crate) fn decoded(raw: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr::memchr(b'\\', raw) else {
        return Cow::Borrowed(raw);
    };
    let mut text = raw[..first].to_vec();
    let mut rest = &raw[first..];
    while let [b'\\', after @ ..] = rest {
        rest = escape(after, &mut text);
        let plain = memchr::memchr(b'\\', rest).unwrap_or(rest.len());
        text.extend_from_slice(&rest[..plain]);
        rest = &rest[plain..];
    }
    Cow::Owned(text)
}

/// One escape behind its backslash; answers with what follows it.
fn escape<'a>(after: &'a [u8], text: &mut Vec<u8>) -> &'a [u8] {
    let Some((&letter, rest)) = after.split_first() else {
        text.push(b'\\');
        return after;
    };
    let byte = match letter {
        b'"' | b'\\' | b'/' | b'\'' => letter,
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'b' => 8,
        b'f' => 12,
        b'u' => {
            if let Some((character, rest)) = unicode(rest) {
                text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                return rest;
            }
            b'u'
        }
        _ => letter,
    };
    if !b"\"\\/'ntrbf".contains(&letter) {
        text.push(b'\\');
    }
    text.push(byte);
    rest
}

/// Four hexadecimal digits, or a pair of such.
fn unicode(text: &[u8]) -> Option<(char, &[u8])> {
    let (first, rest) = hex(text)?;
    if (0xd800..0xdc00).contains(&first)
        && let Some((second, rest)) = rest.strip_prefix(b"\\u").and_then(hex)
        && (0xdc00..0xe000).contains(&second)
    {
        let character = char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00));
        return Some((character.unwrap_or(char::REPLACEMENT_CHARACTER), rest));
    }
    Some((
        char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER),
        rest,
    ))
}

fn hex(text: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, rest) = text.split_at_checked(4)?;
    let number = digits.iter().try_fold(0, |number, &b| {
        Some(number * 16 + char::from(b).to_digit(16)?)
    })?;
    Some((number, rest))
}
