//! Requests as servers log them: the common and the combined format of Apache and nginx (with a
//! virtual host before it, too), HAProxy's HTTP format, Envoy's default, Squid's native format, and
//! a bare `"GET / HTTP/1.1" 200`.

use std::ops::ControlFlow;

use super::visitor::{FieldVisitor, Flow};
use crate::parse::bytes::{Words, find, first_line, is_digits, quoted, split_once, within, word};

/// How far into a line the request is looked for: paths are long.
const WITHIN: usize = 8 * 1024;

/// How far into a line its stamp is looked for.
const STAMP_WITHIN: usize = 256;

/// Shows what a line says of its request. Answers with what is left to read.
pub(super) fn walk<'a>(
    line: &'a [u8],
    visit: &mut dyn FieldVisitor<'a>,
) -> ControlFlow<(), &'a [u8]> {
    let first = first_line(line);
    let rest = request_of(first, visit)?;
    ControlFlow::Continue(&line[first.len() - rest.len()..])
}

/// The same for one line; what is left is its end.
fn request_of<'a>(first: &'a [u8], visit: &mut dyn FieldVisitor<'a>) -> ControlFlow<(), &'a [u8]> {
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

/// What precedes and follows `[20/Nov/2026:13:00:00 +0000] `.
fn around_stamp(line: &[u8]) -> Option<(&[u8], &[u8])> {
    memchr::memchr_iter(b'[', within(line, STAMP_WITHIN))
        .take(4)
        .find_map(|at| {
            let stamp = line.get(at + 1..)?;
            let close = memchr::memchr(b']', within(stamp, 64))?;
            let is_stamp = matches!(stamp, [b'0'..=b'9', b'0'..=b'9', b'/', _, _, _, b'/', ..]);
            is_stamp.then(|| {
                (
                    line[..at].trim_ascii(),
                    stamp[close + 1..].trim_ascii_start(),
                )
            })
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
    visit.text(key, text)
}

fn number<'a>(visit: &mut dyn FieldVisitor<'a>, key: &[u8], text: &'a [u8]) -> Flow {
    if text != b"-" && matches!(text, [b'0'..=b'9' | b'-', ..]) {
        return visit.sniffed(key, text);
    }
    Flow::Continue(())
}

/// `"GET / HTTP/1.1" 200 612 "https://…" "curl/8.0" …`
fn answered<'a>(line: &'a [u8], visit: &mut dyn FieldVisitor<'a>) -> ControlFlow<(), &'a [u8]> {
    let Some((line, rest)) = quoted(line) else {
        return ControlFlow::Continue(line);
    };
    request(line, visit)?;
    let (status, rest) = word(rest.trim_ascii_start());
    if status.len() != 3 || !is_digits(status) {
        return ControlFlow::Continue(rest);
    }
    number(visit, b"status", status)?;
    let (bytes, after) = word(rest);
    if bytes != b"-" && !is_digits(bytes) {
        return clients_say(rest, visit);
    }
    number(visit, b"bytes", bytes)?;
    clients_say(after, visit)
}

/// `"https://…" "curl/8.0" …`, what clients say of themselves.
fn clients_say<'a>(
    mut rest: &'a [u8],
    visit: &mut dyn FieldVisitor<'a>,
) -> ControlFlow<(), &'a [u8]> {
    for key in [&b"referer"[..], b"user_agent", b"x_forwarded_for"] {
        let Some((value, after)) = quoted(rest) else {
            break;
        };
        text(visit, key, value)?;
        rest = after.trim_ascii_start();
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
    let proto = find(within(line, WITHIN), b" HTTP/")?;
    let open = memchr::memrchr(b'"', &line[..proto])?;
    let (method, _) = word(&line[open + 1..proto]);
    let (_, rest) = quoted(&line[open..])?;
    let is_method = (3..=10).contains(&method.len()) && method.iter().all(u8::is_ascii_uppercase);
    let is_answered = rest
        .trim_ascii_start()
        .first()
        .is_some_and(u8::is_ascii_digit);
    (is_method && is_answered).then_some(open)
}

/// The address in `INFO:     127.0.0.1:51234 - `.
fn peer<'a>(before: &'a [u8], visit: &mut dyn FieldVisitor<'a>) -> Flow {
    let before = before.trim_ascii_end();
    let before = before.strip_suffix(b" -").unwrap_or(before);
    let addr = before.rsplit(|b| b" \t[".contains(b)).next();
    match addr.filter(|addr| is_address(addr)) {
        Some(addr) => text(visit, b"remote_addr", addr),
        None => Flow::Continue(()),
    }
}

fn is_address(text: &[u8]) -> bool {
    text.first().is_some_and(u8::is_ascii_hexdigit)
        && text
            .iter()
            .all(|b| b.is_ascii_hexdigit() || b".:]".contains(b))
        && text.iter().any(|b| b".:".contains(b))
}

/// `front back/server 10/0/30/69/109 200 …`
fn is_haproxy(after: &[u8]) -> bool {
    let mut words = Words(after);
    let _frontend = words.take();
    let server = words.take();
    let slashes = |text: &[u8]| memchr::memchr_iter(b'/', text).count();
    server.contains(&b'/') && slashes(words.take()) >= 2
}

/// HAProxy's HTTP and TCP formats, behind the stamp: the manual's sections 8.2.3 and 8.2.2.
fn haproxy<'a>(before: &'a [u8], after: &'a [u8], visit: &mut dyn FieldVisitor<'a>) -> Flow {
    let mut words = Words(after);
    text(visit, b"remote_addr", word(before).0)?;
    text(visit, b"frontend", words.take())?;
    let target = words.take();
    let (backend, server) = split_once(target, b'/').unwrap_or((target, b""));
    text(visit, b"backend", backend)?;
    text(visit, b"server", server)?;
    let timers = words.take();
    let total = timers.rsplit(|b| *b == b'/').next().unwrap_or_default();
    let total = total.strip_prefix(b"+").unwrap_or(total);
    number(visit, b"duration_ms", total)?;
    let status = words.take();
    let Some((_, line)) = split_once(words.0, b'"') else {
        // The TCP format has the bytes here, and no status.
        return number(visit, b"bytes", status);
    };
    number(visit, b"status", status)?;
    number(visit, b"bytes", words.take())?;
    request(line.strip_suffix(b"\"").unwrap_or(line), visit)
}

/// `1795179600.603    310 192.0.2.16 TCP_MISS/200 1234 GET http://… - DIRECT/… text/html`
fn squid<'a>(line: &'a [u8], visit: &mut dyn FieldVisitor<'a>) -> Flow {
    let mut words = Words(line.trim_ascii_start());
    let stamp = words.take();
    let elapsed = words.take();
    let addr = words.take();
    let result = split_once(words.take(), b'/');
    let is_stamp = stamp.len() > 10 && stamp.iter().all(|b| b.is_ascii_digit() || *b == b'.');
    let Some((cache, status)) = result.filter(|(cache, _)| is_stamp && cache.starts_with(b"TCP"))
    else {
        return Flow::Continue(());
    };
    number(visit, b"duration_ms", elapsed)?;
    text(visit, b"remote_addr", addr)?;
    text(visit, b"cache", cache)?;
    number(visit, b"status", status)?;
    number(visit, b"bytes", words.take())?;
    text(visit, b"method", words.take())?;
    text(visit, b"path", words.take())?;
    text(visit, b"user", words.take())
}
