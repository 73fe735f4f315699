//! What stands in columns without a name, in formats that are told by their shape: the process, the
//! thread and the logger of log4j, logback and Spring, klog and glog, logcat, PostgreSQL, nginx,
//! Apache and Redis.

use crate::parse::level;
use std::borrow::Cow;

use super::head::word;
use super::{FieldValue, FieldVisitor, Flow, ValueKind, offer};

/// How far into a line columns are looked for.
const WITHIN: usize = 256;

/// Names of the columns.
pub(super) const NAMES: [&str; 3] = ["pid", "thread", "logger"];

/// Shows the columns of the first line of a text.
pub(super) fn walk<'a>(text: &'a [u8], visit: &mut dyn FieldVisitor<'a>) -> Flow {
    let end = memchr::memchr(b'\n', text)
        .unwrap_or(text.len())
        .min(WITHIN);
    let head = &text[..end];
    if !head.iter().take(48).any(u8::is_ascii_digit) {
        return Flow::Continue(());
    }
    if let Some((pid, thread, logger)) = klog(head).or_else(|| logcat(head)) {
        show(visit, "pid", pid)?;
        show(visit, "thread", thread)?;
        return show(visit, "logger", logger);
    }
    show(visit, "pid", pid(head).unwrap_or_default())?;
    let (thread, logger) = java(head);
    show(visit, "thread", thread)?;
    show(visit, "logger", logger)
}

fn show<'a>(visit: &mut dyn FieldVisitor<'a>, name: &str, text: &'a [u8]) -> Flow {
    if text.is_empty() {
        return Flow::Continue(());
    }
    let value = || {
        if name == "pid" {
            FieldValue::sniffed(text)
        } else {
            FieldValue {
                kind: ValueKind::Text,
                text: Cow::Borrowed(text),
            }
        }
    };
    offer(visit, name.as_bytes(), value)
}

fn is_number(text: &[u8]) -> bool {
    (1..=10).contains(&text.len()) && text.iter().all(u8::is_ascii_digit)
}

/// The process, the thread and the logger.
type Columns<'a> = (&'a [u8], &'a [u8], &'a [u8]);

/// `E1120 13:00:00.123456   29451 main.go:81] …`
fn klog(head: &[u8]) -> Option<Columns<'_>> {
    let (day, rest) = word(head);
    let is_day = matches!(day, [b'I' | b'W' | b'E' | b'F' | b'D', date @ ..] if date.len() >= 4 && is_number(date));
    let (_, rest) = word(rest);
    let (thread, rest) = word(rest);
    let source = word(rest).0.strip_suffix(b"]")?;
    (is_day && is_number(thread)).then_some((thread, b"", source))
}

/// `11-20 13:00:01.123  1702  2395 D WindowManager: …`
fn logcat(head: &[u8]) -> Option<Columns<'_>> {
    let (day, rest) = word(head);
    let (_, rest) = word(rest);
    let (pid, rest) = word(rest);
    let (thread, rest) = word(rest);
    let (letter, rest) = word(rest);
    let tag = &rest[..memchr::memchr(b':', rest)?];
    let is_day = day.len() == 5 && day[2] == b'-';
    (is_day && is_number(pid) && is_number(thread) && letter.len() == 1).then_some((
        pid,
        thread,
        tag.trim_ascii_end(),
    ))
}

/// `[pid 12:tid 1]`, ` 811#811: `, `1:M `, ` [77] `, ` 1234 --- `
fn pid(head: &[u8]) -> Option<&[u8]> {
    let digits = |text: &[u8]| text.iter().take_while(|b| b.is_ascii_digit()).count();
    if let Some(at) = memchr::memmem::find(head, b"[pid ") {
        let rest = &head[at + 5..];
        return Some(&rest[..digits(rest)]);
    }
    let first = digits(head);
    if matches!(
        head.get(first..first + 3),
        Some([b':', b'M' | b'S' | b'C' | b'X', b' '])
    ) {
        return Some(&head[..first]);
    }
    if let Some(at) = memchr::memmem::find(head, b" --- [") {
        return head[..at]
            .rsplit(|b| *b == b' ')
            .next()
            .filter(|number| is_number(number));
    }
    if let Some(at) =
        memchr::memchr(b'#', head).filter(|at| head.get(at + 1).is_some_and(u8::is_ascii_digit))
    {
        let pid = head[..at].rsplit(|b| *b == b' ').next()?;
        return Some(pid).filter(|pid| is_number(pid) && head[..at].contains(&b'['));
    }
    // In brackets by itself, behind a stamp.
    memchr::memchr_iter(b'[', head).take(3).find_map(|at| {
        let inner = &head[at + 1..];
        let number = &inner[..digits(inner)];
        let closed = matches!(
            inner.get(number.len()..number.len() + 2),
            Some([b']', b' ' | b':'])
        );
        let before = &head[..at];
        // One name may stand between; with two, the message has begun.
        let is_plain = |token: &[u8]| token.iter().any(u8::is_ascii_lowercase);
        let begun = before
            .split(|b| *b == b' ')
            .filter(|token| is_plain(token))
            .count()
            > 1;
        let behind_stamp = before.contains(&b':') && before.ends_with(b" ") && !begun;
        (closed && behind_stamp && is_number(number)).then_some(number)
    })
}

/// `… [main] ERROR com.shop.Cart - …`, `… ERROR [main] com.shop.Cart: …`, `… ERROR 12 --- [main]
/// c.s.Cart : …`
fn java(head: &[u8]) -> (&[u8], &[u8]) {
    let none = (&b""[..], &b""[..]);
    let Some((before, mut rest)) = around_level(head) else {
        return none;
    };
    let mut thread = before.strip_suffix(b"]").and_then(|text| {
        let open = memchr::memrchr(b'[', text)?;
        Some(&text[open + 1..])
    });
    if let Some((_, behind)) =
        rest.split_at_checked(memchr::memmem::find(rest, b"--- ").map_or(0, |at| at + 4))
    {
        rest = behind;
    }
    while let Some(inner) = rest.strip_prefix(b"[") {
        let Some(close) = memchr::memchr(b']', inner) else {
            return none;
        };
        thread = Some(&inner[..close]);
        rest = inner[close + 1..].trim_ascii_start();
    }
    let name = word(rest).0;
    let name = name.strip_suffix(b":").unwrap_or(name);
    let is_name = |b: &u8| b.is_ascii_alphanumeric() || b"._$-".contains(b);
    let is_logger =
        name.contains(&b'.') && name.iter().all(is_name) && name[0].is_ascii_alphabetic();
    if !is_logger {
        return none;
    }
    let is_thread =
        |name: &&[u8]| name.iter().any(u8::is_ascii_alphabetic) && !name.contains(&b']');
    (
        thread
            .map(<[u8]>::trim_ascii)
            .filter(is_thread)
            .unwrap_or_default(),
        name,
    )
}

/// What stands before and behind a level in capitals that is a token by itself.
fn around_level(head: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut at = 0;
    while at < head.len() {
        let start = at + head[at..].iter().position(|b| !b.is_ascii_whitespace())?;
        let token = word(&head[start..]).0;
        at = start + token.len();
        let is_level = token.len() < 9
            && token.iter().all(u8::is_ascii_uppercase)
            && std::str::from_utf8(token).is_ok_and(|token| level::named_by(token).is_some());
        if is_level {
            return Some((
                head[..start].trim_ascii_end(),
                head[at..].trim_ascii_start(),
            ));
        }
    }
    None
}
