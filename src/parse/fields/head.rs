//! What is put before a program's line on its way: by syslog, by a container runtime, by docker
//! compose.

use crate::parse::level;
use std::borrow::Cow;
use std::ops::ControlFlow;

use super::{FieldPath, FieldShape, FieldValue, FieldVisitor, FieldWish, Flow, ValueKind, offer};

/// A name longer than this is none.
const MAX_NAME: usize = 128;

/// Facilities of RFC 5424 by their keywords.
const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv",
    "ftp", "ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4",
    "local5", "local6", "local7",
];

/// Severities of RFC 5424 by their keywords.
const SEVERITIES: [&str; 8] = [
    "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug",
];

/// Shows what heads say. Answers with what stands behind them, and whether that is the message of a
/// syslog line.
pub(super) fn walk<'a>(
    line: &'a [u8],
    visit: &mut dyn FieldVisitor<'a>,
) -> ControlFlow<(), (&'a [u8], bool)> {
    let mut rest = line.trim_ascii_start();
    if let Some((name, inner)) = compose(rest) {
        text(visit, b"container", name)?;
        rest = inner;
    }
    if let Some((stream, tag, inner)) = cri(rest) {
        text(visit, b"stream", stream)?;
        text(visit, b"tag", tag)?;
        rest = inner;
    }
    let unmarked = level::without_priority(rest);
    if unmarked.len() < rest.len() {
        priority(&rest[1..], visit)?;
    }
    if let Some(fields) = unmarked
        .strip_prefix(b"1 ")
        .filter(|_| unmarked.len() < rest.len())
    {
        return rfc5424(fields, visit);
    }
    rfc3164(unmarked, visit)
}

fn text<'a>(visit: &mut dyn FieldVisitor<'a>, key: &[u8], text: &'a [u8]) -> Flow {
    offer(visit, key, || FieldValue {
        kind: ValueKind::Text,
        text: Cow::Borrowed(text),
    })
}

/// A word and what stands behind the blanks after it.
pub(super) fn word(text: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr::memchr3(b' ', b'\t', b'\n', text).unwrap_or(text.len());
    (&text[..end], text[end..].trim_ascii_start())
}

/// `web-1  | …`
fn compose(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let (name, rest) = word(line);
    let inner = rest.strip_prefix(b"| ")?;
    let is_name = name
        .iter()
        .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b));
    (is_name && name.len() <= MAX_NAME && name.iter().any(u8::is_ascii_alphabetic))
        .then_some((name, inner))
}

/// `2026-11-20T13:00:00.123456789Z stdout F …`, as Kubernetes' container runtimes write it.
fn cri(line: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (stamp, rest) = word(line);
    let (stream, rest) = word(rest);
    let (tag, inner) = rest.split_at_checked(1)?;
    let is_cri =
        is_iso(stamp) && matches!(stream, b"stdout" | b"stderr") && matches!(tag, b"F" | b"P");
    is_cri.then_some((stream, tag, inner.strip_prefix(b" ")?))
}

/// `165>…`: facility × 8 + severity.
fn priority<'a>(digits: &'a [u8], visit: &mut dyn FieldVisitor<'a>) -> Flow {
    let number = digits
        .iter()
        .take_while(|b| b.is_ascii_digit())
        .fold(0_usize, |sum, b| sum * 10 + usize::from(b - b'0'));
    if let Some(facility) = FACILITIES.get(number / 8) {
        text(visit, b"facility", facility.as_bytes())?;
    }
    text(visit, b"severity", SEVERITIES[number % 8].as_bytes())
}

/// `2026-11-20T13:00:00Z web-1 app 4711 ID47 [id key="value"] message`, behind its version.
fn rfc5424<'a>(
    line: &'a [u8],
    visit: &mut dyn FieldVisitor<'a>,
) -> ControlFlow<(), (&'a [u8], bool)> {
    let (_, mut rest) = word(line);
    for name in [&b"host"[..], b"program", b"pid", b"msgid"] {
        let (value, after) = word(rest);
        if value != b"-" && !value.is_empty() {
            offer(visit, name, || FieldValue::sniffed(value))?;
        }
        rest = after;
    }
    while let Some(element) = rest.strip_prefix(b"[") {
        rest = structured(element, visit)?;
    }
    let message = rest.strip_prefix(b"-").unwrap_or(rest).trim_ascii_start();
    ControlFlow::Continue((
        message
            .strip_prefix("\u{feff}".as_bytes())
            .unwrap_or(message),
        true,
    ))
}

/// `id@32473 key="value" …]`; answers with what follows the bracket.
fn structured<'a>(
    element: &'a [u8],
    visit: &mut dyn FieldVisitor<'a>,
) -> ControlFlow<(), &'a [u8]> {
    let id_end = element
        .iter()
        .position(|b| b" ]".contains(b))
        .unwrap_or(element.len());
    let (id, mut rest) = element.split_at(id_end);
    let parent = FieldPath::top(id);
    while let Some(parameter) = rest.strip_prefix(b" ") {
        let Some(equals) = memchr::memmem::find(parameter, b"=\"") else {
            break;
        };
        let (key, quoted) = (parameter[..equals].trim_ascii(), &parameter[equals + 2..]);
        let Some(end) = quoted_end(quoted).filter(|_| is_name(key)) else {
            break;
        };
        let path = FieldPath {
            parent: Some(&parent),
            key,
            is_index: false,
        };
        if visit.wish(&path, FieldShape::Leaf) == FieldWish::Take {
            visit.take(
                &path,
                FieldValue {
                    kind: ValueKind::Text,
                    text: without_escapes(&quoted[..end]),
                },
            )?;
        }
        rest = &quoted[end + 1..];
    }
    ControlFlow::Continue(rest.strip_prefix(b"]").unwrap_or_default())
}

/// RFC 5424, section 6: any printable character but three.
fn is_name(key: &[u8]) -> bool {
    !key.is_empty()
        && key
            .iter()
            .all(|b| b.is_ascii_graphic() && !b"=]\"".contains(b))
}

/// The first quote without a backslash before it.
pub(super) fn quoted_end(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr::memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

/// RFC 5424 escapes `"`, `\` and `]`, and nothing else.
fn without_escapes(raw: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\\', raw).is_none() {
        return Cow::Borrowed(raw);
    }
    let mut text = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = after
            .first()
            .filter(|next| byte == b'\\' && b"\"\\]".contains(next));
        text.push(*escaped.unwrap_or(&byte));
        rest = if escaped.is_some() {
            &after[1..]
        } else {
            after
        };
    }
    Cow::Owned(text)
}

/// `Nov 20 13:00:00 web-1 sshd[4711]: message`, or with an ISO stamp as rsyslog and journalctl
/// write it.
fn rfc3164<'a>(
    line: &'a [u8],
    visit: &mut dyn FieldVisitor<'a>,
) -> ControlFlow<(), (&'a [u8], bool)> {
    let none = ControlFlow::Continue((line, false));
    let Some((rest, is_iso)) = stamp(line) else {
        return none;
    };
    let (host, after) = word(rest);
    let is_host = host.len() <= MAX_NAME
        && host
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.:%/@".contains(b))
        && host.last() != Some(&b':');
    let tag = tag(after);
    // Programs without syslog also begin a line with an ISO stamp, and mostly go on with the level.
    let is_level = std::str::from_utf8(host).is_ok_and(|host| level::named_by(host).is_some());
    // The kernel has no host behind `[   12.345678]`, but what looks like one, and a tag without a
    // process.
    let is_tag = tag.is_some_and(|(_, pid, _)| !pid.is_empty() || !line.starts_with(b"["));
    if !is_host || host.is_empty() || is_level || (is_iso && !is_tag) {
        return none;
    }
    text(visit, b"host", host)?;
    let Some((program, pid, message)) = tag else {
        return ControlFlow::Continue((after, true));
    };
    text(visit, b"program", program)?;
    if !pid.is_empty() {
        offer(visit, b"pid", || FieldValue::sniffed(pid))?;
    }
    ControlFlow::Continue((message, true))
}

/// Behind a stamp of syslog; true where it is one that programs use too, so that a tag must follow.
fn stamp(line: &[u8]) -> Option<(&[u8], bool)> {
    let (first, rest) = word(line);
    if is_iso(first) || is_journal(first) {
        return Some((rest, true));
    }
    let (day, rest) = word(rest);
    let is_name = first.len() == 3 && first[0].is_ascii_uppercase();
    if is_name && day.len() == 10 && day[4] == b'-' {
        // `Fri 2026-11-20 13:00:00 CET`
        let (_, rest) = word(rest);
        return Some((word(rest).1, true));
    }
    let (mut time, mut rest) = word(rest);
    if time.len() == 4 && all_digits(time) {
        (time, rest) = word(rest);
    }
    let is_time = time
        .get(..8)
        .is_some_and(|time| time[2] == b':' && time[5] == b':' && all_digits(&time[6..]));
    (is_name && day.len() <= 2 && all_digits(day) && is_time).then_some((rest, false))
}

/// `1795179600.123456`, as `journalctl -o short-unix` has it, or `[11700.548833]` with
/// `short-monotonic`.
fn is_journal(stamp: &[u8]) -> bool {
    let number = stamp
        .strip_prefix(b"[")
        .and_then(|rest| rest.strip_suffix(b"]"))
        .unwrap_or(stamp);
    let dot = number
        .len()
        .checked_sub(7)
        .filter(|dot| number[*dot] == b'.');
    dot.is_some_and(|dot| all_digits(&number[..dot]) && all_digits(&number[dot + 1..]))
}

fn is_iso(stamp: &[u8]) -> bool {
    stamp
        .get(..19)
        .is_some_and(|s| all_digits(&s[..4]) && s[4] == b'-' && s[10] == b'T' && s[13] == b':')
}

fn all_digits(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}

/// `sshd[4711]: message`, `kernel: message`, `kernel[0] (label): message`.
fn tag(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let head = text.get(..MAX_NAME).unwrap_or(text);
    let end = head.iter().position(|b| b" \t\n:[".contains(b))?;
    let (program, rest) = text.split_at(end);
    let (pid, rest) = match rest.strip_prefix(b"[") {
        Some(inner) => {
            let close = memchr::memchr(b']', inner.get(..MAX_NAME).unwrap_or(inner))?;
            (&inner[..close], &inner[close + 1..])
        }
        None => (&b""[..], rest),
    };
    let rest = match rest.strip_prefix(b" (") {
        Some(label) => {
            label.get(memchr::memchr(b')', label.get(..MAX_NAME).unwrap_or(label))? + 1..)?
        }
        None => rest,
    };
    let message = rest.strip_prefix(b":")?;
    let apart = message.is_empty() || message[0].is_ascii_whitespace();
    (!program.is_empty() && apart).then_some((
        program,
        pid,
        message.strip_prefix(b" ").unwrap_or(message),
    ))
}
