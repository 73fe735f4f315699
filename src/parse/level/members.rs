//! Levels in fields: `level=warn`, `"level":"warn"`, `"log":{"level":40}`, the journal's
//! `"PRIORITY":"4"`.

use super::names::{is_key, named, of_letter};
use super::scales::{self, FieldsBeside};
use super::stated::{HEAD_BYTES, LineContext, StatedLevel};
use super::{status, words};
use crate::model::dialect::NumberScale;
use crate::model::level::Level;
use crate::parse::bytes::{quoted, split_digits, split_quoted};
use crate::parse::escapes;

/// Objects that have the level of the record in them: `{"log":{"level":…}}` is ECS, and loguru has
/// the name in `{"record":{"level":{"name":…}}}`.
const PARENTS: &[&[u8]] = &[b"log", b"fields", b"record", b"meta", b"level"];

/// The level, as the members of an object with the name of the level have it.
const NAMES_OF_LEVEL: &[&[u8]] = &[b"name", b"standardlevel", b"label", b"severity"];

/// Members in which a program's line may be an object again.
const LINES: &[&[u8]] = &[b"log", b"message", b"msg", b"MESSAGE", b"line", b"event"];

/// Names that access logs have besides the status.
const REQUESTS: &[&[u8]] = &[
    b"method",
    b"path",
    b"uri",
    b"url",
    b"request",
    b"request_method",
    b"request_uri",
    b"request_path",
    b"http_method",
    b"requestmethod",
    b"requestpath",
    b"verb",
    b"cs-method",
    b"cs-uri-stem",
];

/// Names of the status.
const STATUSES: &[&[u8]] = &[
    b"status",
    b"status_code",
    b"statuscode",
    b"http_status",
    b"http.status_code",
    b"http.response.status_code",
    b"downstreamstatus",
    b"response_code",
    b"responsestatus",
    b"elb_status_code",
    b"resp_status",
    b"sc-status",
];

/// Where an object begins, be it the whole line or after a stamp; the end where there is none.
pub(super) fn object_start(head: &[u8]) -> usize {
    let starts = |at: &usize| {
        let first = head[at + 1..].trim_ascii_start().first();
        first == Some(&b'"')
            && at
                .checked_sub(1)
                .is_none_or(|before| b" \t:".contains(&head[before]))
    };
    memchr::memchr_iter(b'{', head)
        .find(starts)
        .unwrap_or(head.len())
}

/// The beginning of an escaped text, as it reads; nothing after its first line.
pub(super) fn decoded<'b>(escaped: &[u8], buffer: &'b mut [u8]) -> &'b [u8] {
    let mut from = escaped.iter();
    let mut len = 0;
    while len < buffer.len()
        && let Some(&byte) = from.next()
    {
        buffer[len] = if byte == b'\\' {
            match unescaped(&mut from) {
                Some(b'\n' | b'\r') if len > 0 => break,
                Some(b'\t' | b'\n' | b'\r') => b' ',
                Some(other) => other,
                None => break,
            }
        } else {
            byte
        };
        len += 1;
    }
    buffer[..len].trim_ascii_start()
}

/// What the escape behind a backslash stands for, as far as levels need it.
fn unescaped(from: &mut std::slice::Iter<'_, u8>) -> Option<u8> {
    Some(match from.next()? {
        b't' => b'\t',
        b'n' => b'\n',
        b'r' => b'\r',
        // `<` and `>` are written as \u003c and \u003e by Go, the escape of colours as \u001b.
        b'u' => {
            let digits = from.as_slice().get(..4).unwrap_or_default();
            *from = from.as_slice()[digits.len()..].iter();
            std::str::from_utf8(digits)
                .ok()
                .and_then(|digits| u8::from_str_radix(digits, 16).ok())
                .unwrap_or(b'?')
        }
        &other => other,
    })
}

/// A text in quotes as it reads, up to its first line end, as far as its level may be in it.
pub(super) fn with_decoded<R>(escaped: &[u8], read: impl Fn(&[u8]) -> Option<R>) -> Option<R> {
    if escaped.starts_with(b"{") {
        return read(escapes::decoded(escaped).trim_ascii());
    }
    let mut head = [0; HEAD_BYTES * 2];
    let found = read(decoded(escaped, &mut head));
    if found.is_some() || escaped.len() <= head.len() {
        return found;
    }
    let mut whole = vec![0; escaped.len()];
    read(decoded(escaped, &mut whole))
}

/// The first `level=warn`, with the place where it begins. In a text that goes on elsewhere, a value
/// whose quotes are not closed may be of any length.
pub(super) fn logfmt(text: &[u8], goes_on: bool) -> Option<(usize, Level)> {
    let mut at = 0;
    while let Some(equals) = memchr::memchr(b'=', text.get(at..)?).map(|found| at + found) {
        let start = text[at..equals]
            .iter()
            .rposition(|b| b" \t,;[({".contains(b))
            .map_or(at, |before| at + before + 1);
        let (key, value) = (&text[start..equals], &text[equals + 1..]);
        // `at=info method=GET …` is Heroku's. Numbers are something else: `compression level=6`.
        if is_key(key) || key == b"at" {
            let letters = words::letters(unquoted(value));
            if let Some(level) = named(letters) {
                return Some((start, level));
            }
        }
        let in_quotes = quoted(value);
        if in_quotes.is_none() && goes_on && value.starts_with(b"\"") {
            return None;
        }
        at = equals + 1 + in_quotes.map_or(0, |(text, _)| text.len() + 2);
    }
    None
}

/// What the members of an object state.
pub(super) fn find(object: &[u8], context: LineContext<'_>) -> Option<StatedLevel> {
    if let Some(inner) = inner_object(object)
        && let Some(deeper) = context.deeper()
    {
        let found = super::stated_in(escapes::decoded(inner).trim_ascii(), deeper);
        if found.is_some() {
            return found;
        }
    }
    let mut scan = MemberScanner::new(object)?;
    let mut found = MemberLevel {
        scale: context.dialect.and_then(|dialect| dialect.scale),
        ..MemberLevel::default()
    };
    while let Some((key, value)) = scan.next_member() {
        let level = found.member(key, value, scan.is_in_level());
        if let Some(level) = level {
            return Some(StatedLevel::clear(level));
        }
    }
    found.rest(object, context).map(StatedLevel::clear)
}

/// The number under the name of a level, in an object that does not tell by itself how it counts.
pub(super) fn bare_number(object: &[u8]) -> Option<u32> {
    let mut scan = MemberScanner::new(object)?;
    let mut found = MemberLevel::default();
    while let Some((key, value)) = scan.next_member() {
        if found.member(key, value, scan.is_in_level()).is_some() {
            return None;
        }
    }
    found.bare
}

/// The scale that the fields of an object tell.
pub(super) fn scale_of(object: &[u8]) -> Option<NumberScale> {
    let mut scan = MemberScanner::new(object)?;
    let mut beside = FieldsBeside::default();
    while let Some((key, value)) = scan.next_member() {
        beside.note(key);
        if key == b"time" && split_digits(value).0.len() == MILLIS_DIGITS {
            beside.note(scales::MILLIS.as_bytes());
        }
    }
    beside.scale()
}

/// Of the milliseconds since 1970, from 2001 until 2286.
const MILLIS_DIGITS: usize = 13;

/// The escaped object that is the line of a program, in the object that was put around it.
fn inner_object(object: &[u8]) -> Option<&[u8]> {
    // Without an escape, there is no object in a string.
    memchr::memchr(b'\\', object)?;
    let mut from = 0;
    while let Some(at) = memchr::memmem::find(&object[from..], b"\"{") {
        let open = from + at;
        let is_object = matches!(
            object[open + 2..].trim_ascii_start(),
            [b'\\', b'"' | b'n' | b't', ..]
        );
        if is_object && is_any_of(LINES, key_before(&object[..open])) {
            return split_quoted(&object[open + 1..]).map(|(text, _)| text);
        }
        from = open + 2;
    }
    None
}

/// The name of the member whose value follows.
fn key_before(text: &[u8]) -> &[u8] {
    let key = text.trim_ascii_end().strip_suffix(b":").unwrap_or_default();
    let key = key.trim_ascii_end().strip_suffix(b"\"").unwrap_or_default();
    let start = memchr::memrchr(b'"', key).map_or(key.len(), |at| at + 1);
    &key[start..]
}

/// Steps over an object, from one member that may have the level to the next.
struct MemberScanner<'a> {
    rest: &'a [u8],
    depth: u32,
    /// The innermost object that may have the level in it is that of depth 1, or this one.
    parent: u32,
    /// The depth of the members of an object that has the name of a level itself.
    level: u32,
}

impl<'a> MemberScanner<'a> {
    fn new(object: &'a [u8]) -> Option<Self> {
        Some(Self {
            rest: object.strip_prefix(b"{")?,
            depth: 1,
            parent: 1,
            level: u32::MAX,
        })
    }

    /// Whether the member at hand is one of `"level":{…}`.
    fn is_in_level(&self) -> bool {
        self.depth == self.level
    }

    /// The name of a member, and what its value begins with.
    fn next_member(&mut self) -> Option<(&'a [u8], &'a [u8])> {
        loop {
            match self.next_mark()? {
                b'"' => {
                    let (text, after) = split_quoted(self.rest)?;
                    let value = behind_colon(after);
                    self.rest = value.unwrap_or(after);
                    let Some(value) = value.filter(|_| self.depth <= self.parent) else {
                        continue;
                    };
                    if !value.starts_with(b"{") || !is_any_of(PARENTS, text) {
                        return Some((text, value));
                    }
                    self.parent = self.depth + 1;
                    if is_key(text) {
                        self.level = self.parent;
                    }
                }
                b'{' | b'[' => self.depth += 1,
                _ if self.depth == 1 => return None,
                _ => {
                    self.depth -= 1;
                    self.parent = self.parent.min(self.depth);
                    if self.depth < self.level {
                        self.level = u32::MAX;
                    }
                }
            }
        }
    }

    /// To behind the next quote or bracket.
    fn next_mark(&mut self) -> Option<u8> {
        let is_mark = |b: &u8| matches!(b, b'"' | b'{' | b'}' | b'[' | b']');
        let at = self.rest.iter().position(is_mark)?;
        let mark = self.rest[at];
        self.rest = &self.rest[at + 1..];
        Some(mark)
    }
}

/// The value, where a string is the name of a member.
fn behind_colon(text: &[u8]) -> Option<&[u8]> {
    text.trim_ascii_start()
        .strip_prefix(b":")
        .map(<[u8]>::trim_ascii_start)
}

/// Whether a field of this name has the status of a request.
pub(super) fn is_status(name: &[u8]) -> bool {
    is_any_of(STATUSES, name)
}

/// Whether a field of this name is one that logs of requests have.
pub(super) fn is_of_request(name: &[u8]) -> bool {
    is_any_of(REQUESTS, name)
}

fn is_any_of(names: &[&[u8]], key: &[u8]) -> bool {
    names.iter().any(|name| key.eq_ignore_ascii_case(name))
}

/// What says the level only together with something else.
#[derive(Default)]
struct MemberLevel<'a> {
    /// How the source counts.
    scale: Option<NumberScale>,
    priority: Option<Level>,
    message: Option<&'a [u8]>,
    number: Option<Level>,
    /// A number whose scale is to be found.
    bare: Option<u32>,
    status: Option<Level>,
    is_request: bool,
}

impl<'a> MemberLevel<'a> {
    /// The level, where a member says it for itself.
    fn member(&mut self, key: &[u8], text: &'a [u8], in_level: bool) -> Option<Level> {
        match key {
            _ if in_level => {
                return if is_any_of(NAMES_OF_LEVEL, key) {
                    word(text)
                } else {
                    None
                };
            }
            // Of the journal: as a program said it, or that of its standard output.
            b"PRIORITY" => self.priority = of_syslog(text),
            b"MESSAGE" => self.message = quoted(text).map(|(message, _)| message),
            // MongoDB writes a letter, others write anything.
            b"s" => return letter(text),
            // zap, for developers.
            b"L" => return word(text),
            // PostgreSQL's LOG says where a line goes.
            b"error_severity" if text.starts_with(b"\"LOG\"") => return Some(Level::Info),
            b"priority" => return word(text),
            _ if is_key(key) => return self.value(key, text),
            _ if is_any_of(STATUSES, key) => {
                self.status = whole_number(text).and_then(status::level);
                // Datadog's name of the level.
                return word(text);
            }
            _ => {
                self.number = self.number.or_else(|| number_by_name(key, text));
                self.is_request |= is_any_of(REQUESTS, key);
            }
        }
        None
    }

    /// A word is the level; a number only where its scale is known.
    fn value(&mut self, key: &[u8], text: &[u8]) -> Option<Level> {
        let Some(number) = whole_number(text) else {
            return name_or_letter(text);
        };
        let scale = scales::of_name(key).or(self.scale);
        let level = scale.and_then(|scale| scales::level(scale, number));
        self.bare = self.bare.or(Some(number).filter(|_| scale.is_none()));
        level
    }

    fn rest(self, object: &[u8], context: LineContext<'_>) -> Option<Level> {
        let message = self.message.filter(|_| self.priority.is_some());
        let said = message
            .zip(context.deeper())
            .and_then(|(message, deeper)| {
                with_decoded(message, |text| {
                    super::text(text, deeper).filter(|said| said.clear)
                })
            })
            .map(|said| said.level);
        let bare = || scales::level(scale_of(object)?, self.bare?);
        said.or(self.priority)
            .or_else(bare)
            .or(self.number)
            .or(self.status.filter(|_| self.is_request))
    }
}

/// The level of a number in a field whose name tells how it counts.
fn number_by_name(key: &[u8], text: &[u8]) -> Option<Level> {
    // This sorts out nearly all members.
    let first = key.first()?.to_ascii_lowercase();
    if !b"slip".contains(&first) || !unquoted(text).first()?.is_ascii_digit() {
        return None;
    }
    let scale = scales::of_name(key)?;
    scales::level(scale, whole_number(text)?)
}

fn of_syslog(text: &[u8]) -> Option<Level> {
    whole_number(text).and_then(|number| scales::level(NumberScale::Syslog, number))
}

/// A number without a fraction, in quotes or not, that is all of a value.
fn whole_number(text: &[u8]) -> Option<u32> {
    let (digits, rest) = split_digits(unquoted(text));
    let is_whole = (1..=6).contains(&digits.len())
        && matches!(
            rest.first(),
            None | Some(b'"' | b',' | b'}' | b']' | b' ' | b'\t' | b'\r')
        );
    let digit = |sum: u32, b: &u8| sum * 10 + u32::from(b - b'0');
    is_whole.then(|| digits.iter().fold(0, digit))
}

/// `"E"`, `"D1"`
fn letter(text: &[u8]) -> Option<Level> {
    match quoted(text)?.0 {
        [letter] | [letter @ b'D', b'1'..=b'5'] => of_letter(*letter),
        _ => None,
    }
}

/// A string that is the name of a level.
fn word(text: &[u8]) -> Option<Level> {
    named(quoted(text)?.0)
}

fn unquoted(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\"").unwrap_or(text)
}

fn name_or_letter(text: &[u8]) -> Option<Level> {
    match words::letters(unquoted(text)) {
        [letter] => of_letter(*letter),
        word => named(word),
    }
}
