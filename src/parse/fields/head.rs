//! What is put before a program's line on its way: by syslog, by a container runtime, by docker
//! compose.

use std::borrow::Cow;
use std::ops::ControlFlow;

use super::value::FieldValue;
use super::visitor::{FieldPath, FieldVisitor, Flow};
use crate::parse::bytes::{Words, is_digits, split_digits, split_once, split_quoted, within, word};
use crate::parse::level;

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

/// What follows a head, and whether that is the message of a syslog line.
type BehindHead<'a> = ControlFlow<(), (&'a [u8], bool)>;

/// Shows what heads say.
pub(super) fn walk<'a>(line: &'a [u8], visit: &mut dyn FieldVisitor<'a>) -> BehindHead<'a> {
    let mut rest = line.trim_ascii_start();
    if let Some((name, inner)) = compose(rest) {
        visit.text(b"container", name)?;
        rest = inner;
    }
    if let Some((stream, tag, inner)) = cri(rest) {
        visit.text(b"stream", stream)?;
        visit.text(b"tag", tag)?;
        rest = inner;
    }
    let unmarked = level::without_priority(rest);
    if unmarked.len() == rest.len() {
        return rfc3164(rest, visit);
    }
    priority(&rest[1..], visit)?;
    match unmarked.strip_prefix(b"1 ") {
        Some(fields) => rfc5424(fields, visit),
        None => rfc3164(unmarked, visit),
    }
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
    let number = split_digits(digits)
        .0
        .iter()
        .fold(0_usize, |sum, b| sum * 10 + usize::from(b - b'0'));
    if let Some(facility) = FACILITIES.get(number / 8) {
        visit.text(b"facility", facility.as_bytes())?;
    }
    visit.text(b"severity", SEVERITIES[number % 8].as_bytes())
}

/// `2026-11-20T13:00:00Z web-1 app 4711 ID47 [id key="value"] message`, behind its version.
fn rfc5424<'a>(line: &'a [u8], visit: &mut dyn FieldVisitor<'a>) -> BehindHead<'a> {
    let mut words = Words(line);
    let _time = words.take();
    for name in [&b"host"[..], b"program", b"pid", b"msgid"] {
        let value = words.take();
        if value != b"-" && !value.is_empty() {
            visit.sniffed(name, value)?;
        }
    }
    let mut rest = words.0;
    while let Some(element) = rest.strip_prefix(b"[") {
        rest = structured(element, visit)?;
    }
    let message = rest.strip_prefix(b"-").unwrap_or(rest).trim_ascii_start();
    let without_bom = message.strip_prefix("\u{feff}".as_bytes());
    ControlFlow::Continue((without_bom.unwrap_or(message), true))
}

/// `id@32473 key="value" …]`; answers with what follows the bracket.
fn structured<'a>(
    element: &'a [u8],
    visit: &mut dyn FieldVisitor<'a>,
) -> ControlFlow<(), &'a [u8]> {
    let id_end = memchr::memchr2(b' ', b']', element).unwrap_or(element.len());
    let (id, mut rest) = element.split_at(id_end);
    let parent = FieldPath::member(None, id);
    while let Some((key, value, after)) = parameter(rest) {
        let path = FieldPath::member(Some(&parent), key);
        visit.offer(&path, || FieldValue::of_text(without_escapes(value)))?;
        rest = after;
    }
    ControlFlow::Continue(rest.strip_prefix(b"]").unwrap_or_default())
}

/// The name and the value in ` key="value"`, and what follows them.
fn parameter(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let parameter = text.strip_prefix(b" ")?;
    let equals = memchr::memmem::find(parameter, b"=\"")?;
    let key = parameter[..equals].trim_ascii();
    let (value, after) = split_quoted(&parameter[equals + 2..])?;
    is_name(key).then_some((key, value, after))
}

/// RFC 5424, section 6: any printable character but three.
fn is_name(key: &[u8]) -> bool {
    !key.is_empty()
        && key
            .iter()
            .all(|b| b.is_ascii_graphic() && !b"=]\"".contains(b))
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
fn rfc3164<'a>(line: &'a [u8], visit: &mut dyn FieldVisitor<'a>) -> BehindHead<'a> {
    let no_head = ControlFlow::Continue((line, false));
    let Some((rest, is_iso)) = stamp(line) else {
        return no_head;
    };
    let (host, after) = word(rest);
    let tag = tag(after);
    // The kernel has no host behind `[   12.345678]`, but what looks like one, and a tag without a
    // process.
    let is_of_kernel = line.starts_with(b"[");
    let is_tag = tag.is_some_and(|tag| !tag.pid.is_empty() || !is_of_kernel);
    if !is_host(host) || (is_iso && !is_tag) {
        return no_head;
    }
    visit.text(b"host", host)?;
    let Some(tag) = tag else {
        return ControlFlow::Continue((after, true));
    };
    visit.text(b"program", tag.program)?;
    if !tag.pid.is_empty() {
        visit.sniffed(b"pid", tag.pid)?;
    }
    ControlFlow::Continue((tag.message, true))
}

fn is_host(word: &[u8]) -> bool {
    let is_name = (1..=MAX_NAME).contains(&word.len())
        && word
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.:%/@".contains(b))
        && !word.ends_with(b":");
    // Programs without syslog begin lines with an ISO stamp too, and usually go on with the level.
    is_name && !std::str::from_utf8(word).is_ok_and(|word| level::named_by(word).is_some())
}

/// Behind a stamp of syslog; true where it is one that programs use too, so that a tag must follow.
fn stamp(line: &[u8]) -> Option<(&[u8], bool)> {
    let mut words = Words(line);
    let first = words.take();
    if is_iso(first) || is_journal(first) {
        return Some((words.0, true));
    }
    if first.len() != 3 || !first[0].is_ascii_uppercase() {
        return None;
    }
    let day = words.take();
    let mut time = words.take();
    if day.len() == 10 && day[4] == b'-' {
        // `Fri 2026-11-20 13:00:00 CET`
        let _zone = words.take();
        return Some((words.0, true));
    }
    if time.len() == 4 && is_digits(time) {
        time = words.take();
    }
    (day.len() <= 2 && is_digits(day) && is_time(time)).then_some((words.0, false))
}

fn is_time(word: &[u8]) -> bool {
    matches!(word, [_, _, b':', _, _, b':', second @ ..] if second.get(..2).is_some_and(is_digits))
}

/// `1795179600.123456`, as `journalctl -o short-unix` has it, or `[11700.548833]` with
/// `short-monotonic`.
fn is_journal(stamp: &[u8]) -> bool {
    let number = stamp
        .strip_prefix(b"[")
        .and_then(|rest| rest.strip_suffix(b"]"))
        .unwrap_or(stamp);
    split_once(number, b'.').is_some_and(|(seconds, micros)| {
        micros.len() == 6 && is_digits(seconds) && is_digits(micros)
    })
}

fn is_iso(stamp: &[u8]) -> bool {
    stamp
        .get(..19)
        .is_some_and(|s| is_digits(&s[..4]) && s[4] == b'-' && s[10] == b'T' && s[13] == b':')
}

/// The program that wrote a message, before it.
#[derive(Clone, Copy)]
struct ProgramTag<'a> {
    program: &'a [u8],
    /// Empty where it is left out.
    pid: &'a [u8],
    message: &'a [u8],
}

/// `sshd[4711]: message`, `kernel: message`, `kernel[0] (label): message`.
fn tag(text: &[u8]) -> Option<ProgramTag<'_>> {
    let end = within(text, MAX_NAME)
        .iter()
        .position(|b| b" \t\n:[".contains(b))?;
    let (program, rest) = text.split_at(end);
    let (pid, rest) = match rest.strip_prefix(b"[") {
        Some(inner) => up_to_bracket(inner, b']')?,
        None => (&b""[..], rest),
    };
    let rest = match rest.strip_prefix(b" (") {
        Some(label) => up_to_bracket(label, b')')?.1,
        None => rest,
    };
    let message = rest.strip_prefix(b":")?;
    let is_apart = message.first().is_none_or(u8::is_ascii_whitespace);
    (!program.is_empty() && is_apart).then_some(ProgramTag {
        program,
        pid,
        message: message.strip_prefix(b" ").unwrap_or(message),
    })
}

/// What precedes and follows a closing bracket that is near.
fn up_to_bracket(inner: &[u8], bracket: u8) -> Option<(&[u8], &[u8])> {
    let close = memchr::memchr(bracket, within(inner, MAX_NAME))?;
    Some((&inner[..close], &inner[close + 1..]))
}
