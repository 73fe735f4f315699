//! Levels in fields: `level=warn`, `"level":"warn"`, `"log":{"level":40}`, the journal's
//! `"PRIORITY":"4"`.

use super::names::{is_key, named, of_letter, of_number};
use super::stated::{HEAD_BYTES, StatedLevel};
use super::{status, words};
use crate::model::level::Level;
use crate::parse::bytes::{number, quoted, split_quoted, within};

/// Objects may have their level after the message, and the journal has it anywhere.
const OBJECT_BYTES: usize = 8 * 1024;

/// Objects that have the level of the record in them: `{"log":{"level":…}}` is ECS.
const PARENTS: &[&[u8]] = &[b"log", b"fields", b"record", b"meta"];

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
];

/// OpenTelemetry's number of the level, by the names that its exporters give it.
const TELEMETRY: &[&[u8]] = &[b"severitynumber", b"severity_number"];

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

/// The first `level=warn`, with the place where it begins.
pub(super) fn logfmt(head: &[u8]) -> Option<(usize, Level)> {
    memchr::memchr_iter(b'=', head).find_map(|equals| {
        let start = head[..equals]
            .iter()
            .rposition(|b| b" \t,;[({".contains(b))
            .map_or(0, |at| at + 1);
        let key = &head[start..equals];
        // `at=info method=GET …` is Heroku's. Numbers are something else: `compression level=6`.
        let value = &head[equals + 1..];
        let letters = words::letters(unquoted(value));
        Some((
            start,
            named(letters).filter(|_| is_key(key) || key == b"at")?,
        ))
    })
}

/// What the members of an object state; `said` is what the message in one of them does.
pub(super) fn find(object: &[u8], said: fn(&[u8]) -> Option<StatedLevel>) -> Option<StatedLevel> {
    let mut scan = MemberScanner {
        rest: within(object, OBJECT_BYTES).strip_prefix(b"{")?,
        depth: 1,
        parent: 1,
    };
    let mut found = MemberLevel::default();
    while let Some((key, value)) = scan.next_member() {
        if let Some(level) = found.member(key, value) {
            return Some(StatedLevel::clear(level));
        }
    }
    found.rest(said).map(StatedLevel::clear)
}

/// Steps over an object, from one member that may have the level to the next.
struct MemberScanner<'a> {
    rest: &'a [u8],
    depth: u32,
    /// The innermost object that may have the level in it is that of depth 1, or this one.
    parent: u32,
}

impl<'a> MemberScanner<'a> {
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
                }
                b'{' | b'[' => self.depth += 1,
                _ if self.depth == 1 => return None,
                _ => {
                    self.depth -= 1;
                    self.parent = self.parent.min(self.depth);
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

fn is_any_of(names: &[&[u8]], key: &[u8]) -> bool {
    names.iter().any(|name| key.eq_ignore_ascii_case(name))
}

/// What says the level only together with something else.
#[derive(Default)]
struct MemberLevel<'a> {
    priority: Option<Level>,
    message: Option<&'a [u8]>,
    number: Option<Level>,
    status: Option<Level>,
    is_request: bool,
}

impl<'a> MemberLevel<'a> {
    /// The level, where a member says it for itself.
    fn member(&mut self, key: &[u8], text: &'a [u8]) -> Option<Level> {
        match key {
            // Of the journal: as a program said it, or that of its standard output.
            b"PRIORITY" => self.priority = value(text),
            b"MESSAGE" => self.message = quoted(text).map(|(message, _)| message),
            // MongoDB writes a letter, others write anything.
            b"s" => return value(text).filter(|_| matches!(text, [b'"', _, b'"', ..])),
            // Python counts in tens from debug, OpenTelemetry in fours from trace.
            b"levelno" => return of_number(number(text)? + 10),
            _ if is_any_of(TELEMETRY, key) => self.number = number(text).and_then(of_telemetry),
            // PostgreSQL's LOG says where a line goes.
            b"error_severity" if text.starts_with(b"\"LOG\"") => return Some(Level::Info),
            b"priority" => return word(text),
            _ if is_key(key) => return value(text),
            _ if is_any_of(STATUSES, key) => {
                self.status = number(unquoted(text)).and_then(status::level);
                // Datadog's name of the level.
                return word(text);
            }
            _ => self.is_request |= is_any_of(REQUESTS, key),
        }
        None
    }

    fn rest(self, said: fn(&[u8]) -> Option<StatedLevel>) -> Option<Level> {
        let message = self.message.filter(|_| self.priority.is_some());
        // The buffer is smaller than a line, so messages within messages soon end.
        let mut buffer = [0; HEAD_BYTES * 2];
        message
            .and_then(|message| said(decoded(message, &mut buffer)))
            .filter(|said| said.clear)
            .map(|said| said.level)
            .or(self.priority)
            .or(self.number)
            .or(self.status.filter(|_| self.is_request))
    }
}

fn of_telemetry(number: u32) -> Option<Level> {
    Some(match number {
        1..=4 => Level::Trace,
        5..=8 => Level::Debug,
        9..=12 => Level::Info,
        13..=16 => Level::Warn,
        17..=20 => Level::Error,
        21..=24 => Level::Fatal,
        _ => return None,
    })
}

/// A string that is the name of a level.
fn word(text: &[u8]) -> Option<Level> {
    named(quoted(text)?.0)
}

fn unquoted(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\"").unwrap_or(text)
}

fn value(text: &[u8]) -> Option<Level> {
    let text = unquoted(text);
    if let Some(number) = number(text) {
        return of_number(number);
    }
    match words::letters(text) {
        [letter] => of_letter(*letter),
        word => named(word),
    }
}
