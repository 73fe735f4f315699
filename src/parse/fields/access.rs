//! Requests as servers log them: the common and the combined format of Apache and nginx (with a
//! virtual host before it, too), HAProxy's HTTP format, Envoy's default, Squid's native format, and
//! a bare `"GET / HTTP/1.1" 200`.

use std::borrow::Cow;
use std::ops::ControlFlow;

use super::head::{quoted_end, word};
use super::{FieldValue, FieldVisitor, Flow, ValueKind, offer};

/// How far into a line the request is looked for: paths are long.
const WITHIN: usize = 8 * 1024;

/// How far into a line its stamp is looked for.
const STAMP_WITHIN: usize = 256;

/// Shows what a line says of its request. Answers with what is left to read.
pub(super) fn walk<'a>(
    line: &'a [u8],
    visit: &mut dyn FieldVisitor<'a>,
) -> ControlFlow<(), &'a [u8]> {
    let end = memchr::memchr(b'\n', line).unwrap_or(line.len());
    let first = &line[..end];
    let rest = first_line(first, visit)?;
    ControlFlow::Continue(&line[end - rest.len()..])
}

/// The same for one line; what is left is its end.
fn first_line<'a>(first: &'a [u8], visit: &mut dyn FieldVisitor<'a>) -> ControlFlow<(), &'a [u8]> {
    if let Some((before, after)) = around_stamp(first) {
        if after.starts_with(b"\"") {
            client(before, visit)?;
            return answered(after, visit);
        }
        if is_haproxy(after) {
            haproxy(before, after, visit)?;
            return ControlFlow::Continue(b"");
        }
    }
    if let Some(at) = quoted_request(first) {
        peer(&first[..at], visit)?;
        return answered(&first[at..], visit);
    }
    squid(first, visit)?;
    ControlFlow::Continue(first)
}

/// What stands before and behind `[20/Nov/2026:13:00:00 +0000] `.
fn around_stamp(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let head = line.get(..STAMP_WITHIN).unwrap_or(line);
    memchr::memchr_iter(b'[', head).take(4).find_map(|at| {
        let stamp = line.get(at + 1..)?;
        let close = memchr::memchr(b']', stamp.get(..64).unwrap_or(stamp))?;
        let is_stamp = matches!(stamp, [a, b, b'/', _, _, _, b'/', ..] if a.is_ascii_digit() && b.is_ascii_digit());
        is_stamp.then(|| (line[..at].trim_ascii(), stamp[close + 1..].trim_ascii_start()))
    })
}

/// `shop.example:443 10.0.0.1 - bob`
fn client<'a>(before: &'a [u8], visit: &mut dyn FieldVisitor<'a>) -> Flow {
    let (mut addr, mut rest) = word(before);
    let is_vhost = rest.iter().filter(|b| **b == b' ').count() > 1
        && rest.first().is_some_and(u8::is_ascii_hexdigit);
    if is_vhost && memchr::memchr2(b'.', b':', word(rest).0).is_some() {
        text(visit, b"vhost", addr)?;
        (addr, rest) = word(rest);
    }
    text(visit, b"remote_addr", addr)?;
    let (_, user) = word(rest);
    text(visit, b"user", user)
}

/// An absent value is `-`.
fn text<'a>(visit: &mut dyn FieldVisitor<'a>, key: &[u8], text: &'a [u8]) -> Flow {
    if text.is_empty() || text == b"-" {
        return Flow::Continue(());
    }
    offer(visit, key, || FieldValue {
        kind: ValueKind::Text,
        text: Cow::Borrowed(text),
    })
}

fn number<'a>(visit: &mut dyn FieldVisitor<'a>, key: &[u8], text: &'a [u8]) -> Flow {
    if text
        .first()
        .is_some_and(|b| b.is_ascii_digit() || *b == b'-')
        && text != b"-"
    {
        return offer(visit, key, || FieldValue::sniffed(text));
    }
    Flow::Continue(())
}

/// A text between quotes and what stands behind them.
fn quoted(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let inner = text.strip_prefix(b"\"")?;
    let end = quoted_end(inner)?;
    Some((&inner[..end], inner[end + 1..].trim_ascii_start()))
}

/// `"GET / HTTP/1.1" 200 612 "https://…" "curl/8.0" …`
fn answered<'a>(line: &'a [u8], visit: &mut dyn FieldVisitor<'a>) -> ControlFlow<(), &'a [u8]> {
    let Some((line, rest)) = quoted(line) else {
        return ControlFlow::Continue(line);
    };
    request(line, visit)?;
    let (status, mut rest) = word(rest);
    if status.len() != 3 || !status.iter().all(u8::is_ascii_digit) {
        return ControlFlow::Continue(rest);
    }
    number(visit, b"status", status)?;
    let (bytes, after) = word(rest);
    if bytes == b"-" || bytes.iter().all(u8::is_ascii_digit) {
        number(visit, b"bytes", bytes)?;
        rest = after;
    }
    for key in [&b"referer"[..], b"user_agent", b"x_forwarded_for"] {
        let Some((value, after)) = quoted(rest) else {
            break;
        };
        text(visit, key, value)?;
        rest = after;
    }
    ControlFlow::Continue(rest)
}

/// `GET /cart?id=1 HTTP/1.1`
pub(super) fn request<'a>(line: &'a [u8], visit: &mut dyn FieldVisitor<'a>) -> Flow {
    let (method, rest) = word(line);
    if method.is_empty() || !method.iter().all(u8::is_ascii_uppercase) {
        return text(visit, b"request", line);
    }
    let (path, protocol) = match memchr::memrchr(b' ', rest) {
        Some(blank) if rest[blank..].starts_with(b" HTTP/") => (&rest[..blank], &rest[blank + 1..]),
        _ => (rest, &b""[..]),
    };
    text(visit, b"method", method)?;
    text(visit, b"path", path)?;
    text(visit, b"protocol", protocol)
}

/// Where `"GET /… HTTP/1.1" 200` begins.
fn quoted_request(line: &[u8]) -> Option<usize> {
    let proto = memchr::memmem::find(line.get(..WITHIN).unwrap_or(line), b" HTTP/")?;
    let open = memchr::memrchr(b'"', &line[..proto])?;
    let (method, _) = word(&line[open + 1..proto]);
    let (_, rest) = quoted(&line[open..])?;
    let is_method = (3..=10).contains(&method.len()) && method.iter().all(u8::is_ascii_uppercase);
    (is_method && rest.first().is_some_and(u8::is_ascii_digit)).then_some(open)
}

/// The address in `INFO:     127.0.0.1:51234 - `.
fn peer<'a>(before: &'a [u8], visit: &mut dyn FieldVisitor<'a>) -> Flow {
    let before = before.trim_ascii_end();
    let before = before.strip_suffix(b" -").unwrap_or(before);
    let start = before
        .iter()
        .rposition(|b| b" \t[".contains(b))
        .map_or(0, |at| at + 1);
    let addr = &before[start..];
    let is_addr = addr
        .first()
        .is_some_and(|b| b.is_ascii_hexdigit() || *b == b'[')
        && addr
            .iter()
            .all(|b| b.is_ascii_hexdigit() || b".:[]".contains(b))
        && addr.iter().any(|b| b".:".contains(b));
    if is_addr {
        text(visit, b"remote_addr", addr)
    } else {
        Flow::Continue(())
    }
}

/// `front back/server 10/0/30/69/109 200 …`
fn is_haproxy(after: &[u8]) -> bool {
    let (_, rest) = word(after);
    let (server, rest) = word(rest);
    let (timers, _) = word(rest);
    server.contains(&b'/') && timers.iter().filter(|b| **b == b'/').count() >= 2
}

/// HAProxy's HTTP and TCP formats, behind the stamp: the manual's sections 8.2.3 and 8.2.2.
fn haproxy<'a>(before: &'a [u8], after: &'a [u8], visit: &mut dyn FieldVisitor<'a>) -> Flow {
    text(visit, b"remote_addr", word(before).0)?;
    let (frontend, rest) = word(after);
    text(visit, b"frontend", frontend)?;
    let (target, rest) = word(rest);
    let slash = memchr::memchr(b'/', target).unwrap_or(target.len());
    text(visit, b"backend", &target[..slash])?;
    text(
        visit,
        b"server",
        target.get(slash + 1..).unwrap_or_default(),
    )?;
    let (timers, rest) = word(rest);
    let total = memchr::memrchr(b'/', timers).map_or(timers, |at| &timers[at + 1..]);
    number(
        visit,
        b"duration_ms",
        total.strip_prefix(b"+").unwrap_or(total),
    )?;
    let (status, rest) = word(rest);
    // The TCP format has the bytes here, and no status.
    let is_http = quoted_start(rest).is_some();
    number(visit, if is_http { b"status" } else { b"bytes" }, status)?;
    let Some(open) = quoted_start(rest) else {
        return Flow::Continue(());
    };
    number(visit, b"bytes", word(rest).0)?;
    let line = rest[open + 1..]
        .strip_suffix(b"\"")
        .unwrap_or(&rest[open + 1..]);
    request(line, visit)
}

fn quoted_start(rest: &[u8]) -> Option<usize> {
    memchr::memchr(b'"', rest)
}

/// `1795179600.603    310 192.0.2.16 TCP_MISS/200 1234 GET http://… - DIRECT/… text/html`
fn squid<'a>(line: &'a [u8], visit: &mut dyn FieldVisitor<'a>) -> Flow {
    let mut words = line
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty());
    let mut next = || words.next().unwrap_or_default();
    let (stamp, elapsed, addr, result, bytes) = (next(), next(), next(), next(), next());
    let (method, url, user) = (next(), next(), next());
    let is_stamp = stamp.len() > 10 && stamp.iter().all(|b| b.is_ascii_digit() || *b == b'.');
    let Some(slash) =
        memchr::memchr(b'/', result).filter(|_| is_stamp && result.starts_with(b"TCP"))
    else {
        return Flow::Continue(());
    };
    number(visit, b"duration_ms", elapsed)?;
    text(visit, b"remote_addr", addr)?;
    text(visit, b"cache", &result[..slash])?;
    number(visit, b"status", &result[slash + 1..])?;
    number(visit, b"bytes", bytes)?;
    text(visit, b"method", method)?;
    text(visit, b"path", url)?;
    text(visit, b"user", user)
}
