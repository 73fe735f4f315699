//! Levels from the status of a request: the server's failure, the client's, or neither.

use super::stated::HEAD_BYTES;
use crate::model::level::Level;
use crate::parse::bytes::{find, is_digits, number, quoted, split_once, within, word};

/// How far into a line the protocol of a request is looked for where nothing says that there is a
/// request.
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
    let head = within(line, HEAD_BYTES);
    let stamp = memchr::memchr_iter(b'[', head).take(4).find(|at| {
        let stamp = head.get(at + 1..at + 8).unwrap_or_default();
        matches!(stamp, [a, b, b'/', .., b'/'] if a.is_ascii_digit() && b.is_ascii_digit())
    })?;
    let (_, rest) = split_once(&line[stamp..], b']')?;
    let rest = rest.trim_ascii_start();
    if rest.starts_with(b"\"") {
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
    let is_haproxy = server.contains(&b'/') && memchr::memchr_iter(b'/', timers).count() == 4;
    words.next().filter(|_| is_haproxy).and_then(of_number)
}

/// The number behind `"GET / HTTP/1.1"`.
fn after_request(rest: &[u8]) -> Option<Level> {
    of_number(quoted(rest)?.1.strip_prefix(b" ")?)
}

fn of_number(text: &[u8]) -> Option<Level> {
    number(text).and_then(level)
}

/// The same for lines that say no level in another way: `"GET / HTTP/1.1" 502` behind any stamp,
/// Gin's columns, Squid's and IIS' with the fields that they have by default.
pub(super) fn of_request(line: &[u8]) -> Option<Level> {
    let head = within(line, ACCESS_HEAD_BYTES);
    if let Some(rest) = head.strip_prefix(b"[GIN] ") {
        let columns = find(rest, b" | ")? + 3;
        return of_number(rest[columns..].trim_ascii_start());
    }
    if let Some(proto) = find(head, b" HTTP/") {
        let open = memchr::memrchr(b'"', &head[..proto])?;
        return after_request(&head[open..]);
    }
    if head.len() == ACCESS_HEAD_BYTES
        && let Some(open) = open_request(within(line, HEAD_BYTES))
    {
        return after_request(&line[open..]);
    }
    // uWSGI: `… => generated 12 bytes in 1 msecs (HTTP/1.1 200) …`
    if let Some(proto) = find(head, b"(HTTP/") {
        return of_number(head.get(proto + 10..)?);
    }
    head.first().filter(|b| b.is_ascii_digit())?;
    squid(head).or_else(|| iis(head))
}

/// Where `"GET /…` begins, whose end is further on.
fn open_request(head: &[u8]) -> Option<usize> {
    memchr::memchr_iter(b'"', head).take(8).find(|open| {
        let (method, rest) = word(&head[open + 1..]);
        (3..=10).contains(&method.len())
            && method.iter().all(u8::is_ascii_uppercase)
            && !rest.is_empty()
    })
}

/// `1795179600.603    310 192.0.2.16 TCP_MISS/200 1234 GET http://…`
fn squid(head: &[u8]) -> Option<Level> {
    let result = find(within(head, 64), b" TCP_")?;
    of_number(split_once(&head[result..], b'/')?.1)
}

/// `2026-11-20 13:00:00 10.0.0.1 GET / - 443 - 10.0.0.2 curl - 200 0 0 15`: status, substatus,
/// win32-status, time.
fn iis(head: &[u8]) -> Option<Level> {
    let mut words = head.split(|b| *b == b' ');
    let method = words.nth(3)?;
    let is_method = (3..=7).contains(&method.len()) && method.iter().all(u8::is_ascii_uppercase);
    if !is_method || !words.next()?.starts_with(b"/") {
        return None;
    }
    let mut last = head.trim_ascii_end().rsplit(|b| *b == b' ');
    let are_numbers = last
        .by_ref()
        .take(3)
        .all(|word| word.len() <= 6 && is_digits(word));
    let status = last.next().filter(|word| are_numbers && word.len() == 3)?;
    of_number(status)
}
