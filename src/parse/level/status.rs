//! Levels from the status of a request: the server's failure, the client's, or neither.

use super::{HEAD_BYTES, number};
use crate::model::level::Level;

/// Requests have long paths before the status.
const ACCESS_HEAD_BYTES: usize = 4096;

/// Of 100 to 599.
pub(super) fn level(status: u32) -> Option<Level> {
    match status {
        100..=399 => Some(Level::Info),
        400..=499 => Some(Level::Warn),
        500..=599 => Some(Level::Error),
        _ => None,
    }
}

/// `… [20/Nov/2026:13:00:00 +0000] "GET / HTTP/1.1" 502 …`, and HAProxy's HTTP format.
pub(super) fn of_access_log(line: &[u8]) -> Option<Level> {
    let head = line.get(..HEAD_BYTES).unwrap_or(line);
    let stamp = memchr::memchr_iter(b'[', head).take(4).find(|at| {
        let stamp = head.get(at + 1..at + 8).unwrap_or_default();
        matches!(stamp, [a, b, b'/', .., b'/'] if a.is_ascii_digit() && b.is_ascii_digit())
    })?;
    let rest = &line[stamp..line.len().min(ACCESS_HEAD_BYTES)];
    let close = memchr::memchr(b']', rest)?;
    let rest = rest[close + 1..].trim_ascii_start();
    if rest.first() == Some(&b'"') {
        after_request(rest)
    } else {
        haproxy(rest)
    }
}

/// `front back/server 10/0/30/69/109 200 …`
fn haproxy(rest: &[u8]) -> Option<Level> {
    let mut words = rest.split(|b| *b == b' ');
    let server = words.nth(1)?;
    let timers = words.next()?;
    let is_haproxy = server.contains(&b'/') && timers.iter().filter(|b| **b == b'/').count() == 4;
    is_haproxy
        .then(|| words.next())
        .flatten()
        .and_then(number)
        .and_then(|(status, _)| level(status))
}

/// The number behind `"GET / HTTP/1.1"`.
fn after_request(rest: &[u8]) -> Option<Level> {
    let mut at = 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', rest.get(at..)?)?;
        if rest[at] == b'"' {
            break;
        }
        at += 2;
    }
    number(rest[at + 1..].strip_prefix(b" ")?).and_then(|(status, _)| level(status))
}

/// The same for lines that say no level in another way: `"GET / HTTP/1.1" 502` behind any stamp,
/// Gin's columns, Squid's and IIS' with the fields that they have by default.
pub(super) fn of_request(line: &[u8]) -> Option<Level> {
    let head = line.get(..ACCESS_HEAD_BYTES).unwrap_or(line);
    if let Some(rest) = head.strip_prefix(b"[GIN] ") {
        let (_, rest) = rest.split_at(memchr::memmem::find(rest, b" | ")? + 3);
        return number(rest.trim_ascii_start()).and_then(|(status, _)| level(status));
    }
    if let Some(proto) = memchr::memmem::find(head, b" HTTP/") {
        let open = memchr::memrchr(b'"', &head[..proto])?;
        return after_request(&head[open..]);
    }
    // uWSGI: `… => generated 12 bytes in 1 msecs (HTTP/1.1 200) …`
    if let Some(proto) = memchr::memmem::find(head, b"(HTTP/") {
        return number(head.get(proto + 10..)?).and_then(|(status, _)| level(status));
    }
    head.first().filter(|b| b.is_ascii_digit())?;
    squid(head).or_else(|| iis(head))
}

/// `1795179600.603    310 192.0.2.16 TCP_MISS/200 1234 GET http://…`
fn squid(head: &[u8]) -> Option<Level> {
    let result = memchr::memmem::find(head.get(..64).unwrap_or(head), b" TCP_")?;
    let rest = &head[result..];
    number(rest.get(memchr::memchr(b'/', rest)? + 1..)?).and_then(|(status, _)| level(status))
}

/// `2026-11-20 13:00:00 10.0.0.1 GET / - 443 - 10.0.0.2 curl - 200 0 0 15`: status, substatus,
/// win32-status, time.
fn iis(head: &[u8]) -> Option<Level> {
    let mut words = head.split(|b| *b == b' ');
    let method = words.nth(3)?;
    let path = words.next()?;
    if !(3..=7).contains(&method.len())
        || !method.iter().all(u8::is_ascii_uppercase)
        || path.first() != Some(&b'/')
    {
        return None;
    }
    let mut last = head.trim_ascii_end().rsplit(|b| *b == b' ');
    let numbers = last
        .by_ref()
        .take(3)
        .all(|word| number(word).is_some_and(|(_, rest)| rest.is_empty()));
    let status = last.next().filter(|word| numbers && word.len() == 3)?;
    number(status).and_then(|(status, _)| level(status))
}
