//! Levels in fields: `level=warn`, `"level":"warn"`, `"log":{"level":40}`, the journal's
//! `"PRIORITY":"4"`.

use super::names::{is_key, named};
use super::{HEAD_BYTES, StatedLevel, number, status, text, words};
use crate::model::level::Level;

/// Objects may have their level after the message, and the journal has it anywhere.
const OBJECT_BYTES: usize = 8 * 1024;

/// Objects that have the level of the record in them: `{"log":{"level":…}}` is ECS.
const PARENTS: [&[u8]; 4] = [b"log", b"fields", b"record", b"meta"];

/// Names that are seen in access logs beside the status.
const REQUESTS: [&[u8]; 12] = [
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

/// Names of the status.
const STATUSES: [&[u8]; 8] = [
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

/// The escaped line in docker's `{"log":"…","stream":…`.
pub(super) fn docker_log(line: &[u8]) -> Option<&[u8]> {
    let (log, rest) = string(line.strip_prefix(b"{\"log\":")?)?;
    let is_docker = [&b",\"stream\""[..], b",\"attrs\"", b",\"time\""]
        .iter()
        .any(|next| rest.starts_with(next));
    is_docker.then_some(log)
}

/// The beginning of an escaped text, as it reads; nothing after its first line.
pub(super) fn decoded<'b>(escaped: &[u8], buffer: &'b mut [u8]) -> &'b [u8] {
    let (mut from, mut len) = (escaped.iter(), 0);
    while len < buffer.len()
        && let Some(&byte) = from.next()
    {
        buffer[len] = match byte {
            b'\\' => match from.next() {
                Some(b'n' | b'r') if len > 0 => break,
                Some(b't' | b'n' | b'r') => b' ',
                // `<` and `>` are written as \u003c and \u003e by Go, the escape of colours as
                // \u001b.
                Some(b'u') => {
                    let digits = from
                        .as_slice()
                        .get(..4)
                        .and_then(|digits| std::str::from_utf8(digits).ok());
                    from = from.as_slice().get(4..).unwrap_or_default().iter();
                    digits
                        .and_then(|digits| u8::from_str_radix(digits, 16).ok())
                        .unwrap_or(b'?')
                }
                Some(&other) => other,
                None => break,
            },
            byte => byte,
        };
        len += 1;
    }
    buffer[..len].trim_ascii_start()
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
        let letters = words::letters(value.strip_prefix(b"\"").unwrap_or(value));
        Some((
            start,
            named(letters).filter(|_| is_key(key) || key == b"at")?,
        ))
    })
}

/// What the members of an object state.
pub(super) fn find(object: &[u8]) -> Option<StatedLevel> {
    let mut found = MemberLevel::default();
    let object = object.get(..OBJECT_BYTES).unwrap_or(object);
    let mut rest = object.strip_prefix(b"{")?;
    let mut depth = 1_u32;
    // The innermost object that may have the level in it is that of depth 1, or this one.
    let mut parent = 1_u32;
    while let Some(at) = rest
        .iter()
        .position(|b| matches!(b, b'"' | b'{' | b'}' | b'[' | b']'))
    {
        let byte = rest[at];
        rest = &rest[at + 1..];
        match byte {
            b'"' => {
                let Some((text, after)) = quoted(rest) else {
                    break;
                };
                let member = behind_colon(after);
                rest = member.unwrap_or(after);
                let Some(value) = member.filter(|_| depth <= parent) else {
                    continue;
                };
                if value.first() == Some(&b'{') && is_parent(text) {
                    parent = depth + 1;
                } else if let Some(level) = found.member(text, value) {
                    return Some(StatedLevel::clear(level));
                }
            }
            b'{' | b'[' => depth += 1,
            _ if depth == 1 => break,
            _ => {
                depth -= 1;
                parent = parent.min(depth);
            }
        }
    }
    found.rest()
}

/// The value, where a string is the name of a member.
fn behind_colon(text: &[u8]) -> Option<&[u8]> {
    text.trim_ascii_start()
        .strip_prefix(b":")
        .map(<[u8]>::trim_ascii_start)
}

fn is_parent(key: &[u8]) -> bool {
    PARENTS
        .iter()
        .any(|parent| key.eq_ignore_ascii_case(parent))
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
            b"MESSAGE" => self.message = string(text).map(|(message, _)| message),
            // MongoDB writes a letter, others write anything.
            b"s" => {
                return text
                    .strip_prefix(b"\"")
                    .filter(|text| text.get(1) == Some(&b'"'))
                    .and_then(value);
            }
            // Python counts in tens from debug, OpenTelemetry in fours from trace.
            b"levelno" => {
                return number(text).and_then(|(number, _)| super::of_number(number + 10));
            }
            key if key.eq_ignore_ascii_case(b"severitynumber")
                || key.eq_ignore_ascii_case(b"severity_number") =>
            {
                self.number = number(text).and_then(|(number, _)| of_telemetry(number));
            }
            // PostgreSQL's LOG says where a line goes.
            b"error_severity" if text.starts_with(b"\"LOG\"") => return Some(Level::Info),
            b"priority" => return string(text).and_then(|(word, _)| named(word)),
            key if is_key(key) => return value(text),
            key if STATUSES.iter().any(|name| key.eq_ignore_ascii_case(name)) => {
                let digits = text.strip_prefix(b"\"").unwrap_or(text);
                self.status = number(digits).and_then(|(number, _)| status::level(number));
                // Datadog's name of the level.
                return string(text).and_then(|(word, _)| named(word));
            }
            key => self.is_request |= REQUESTS.iter().any(|name| key.eq_ignore_ascii_case(name)),
        }
        None
    }

    fn rest(self) -> Option<StatedLevel> {
        let mut buffer = [0; HEAD_BYTES * 2];
        let message = self.message.filter(|_| self.priority.is_some());
        let said = message.and_then(|message| {
            let line = decoded(message, &mut buffer);
            // What is in there is smaller than the buffer, so this ends soon.
            text(line)
        });
        let of_status = self.status.filter(|_| self.is_request);
        let level = said.filter(|said| said.clear).map(|said| said.level);
        level
            .or(self.priority)
            .or(self.number)
            .or(of_status)
            .map(StatedLevel::clear)
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

/// A string between quotes with its escapes, and what follows it.
fn string(text: &[u8]) -> Option<(&[u8], &[u8])> {
    quoted(text.strip_prefix(b"\"")?)
}

/// The same behind the first quote.
fn quoted(inner: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut at = 0;
    loop {
        at += memchr::memchr2(b'"', b'\\', inner.get(at..)?)?;
        if inner[at] == b'"' {
            return Some((&inner[..at], &inner[at + 1..]));
        }
        at += 2;
    }
}

fn value(text: &[u8]) -> Option<Level> {
    let text = text.strip_prefix(b"\"").unwrap_or(text);
    if let Some((number, _)) = number(text) {
        return super::of_number(number);
    }
    let word = words::letters(text);
    match word {
        [letter] => super::of_letter(*letter),
        _ => named(word),
    }
}
