//! Levels that are at a fixed place of a known format: letters, marks and numbers.

use super::names::{named, of_letter, of_syslog};
use super::words::letters;
use crate::model::level::Level;
use crate::parse::bytes::{split_digits, split_once, within};

/// The level that a format says without a word.
pub(super) fn find(head: &[u8]) -> Option<Level> {
    match head.first()? {
        b'I' | b'W' | b'E' | b'F' | b'D' => klog(head),
        b'0'..=b'9' => stunnel(head)
            .or_else(|| redis(head))
            .or_else(|| mongodb(head)),
        b'[' => tornado(head)
            .or_else(|| xorg(head))
            .or_else(|| redis(head))
            .or_else(|| websphere(head)),
        b'(' => xorg(head).or_else(|| qbittorrent(head)),
        b'k' | b'u' | b'd' | b's' | b'a' | b'l' => dmesg(head),
        b'=' => erlang(head),
        _ => None,
    }
    .or_else(|| cups(head))
    .or_else(|| cisco(head))
    .or_else(|| php(head))
}

/// A line without what docker compose or a container runtime put before it.
pub(super) fn unwrapped(line: &[u8]) -> &[u8] {
    let Some(end) = memchr::memchr(b' ', within(line, 64)) else {
        return line;
    };
    let (name, rest) = line.split_at(end);
    let rest = rest.trim_ascii_start();
    // `web-1  | …`
    let is_name = || name.iter().any(u8::is_ascii_alphabetic) && named(name).is_none();
    if let Some(inner) = rest.strip_prefix(b"| ").filter(|_| is_name()) {
        return inner;
    }
    // `2026-11-20T13:00:00.123456789Z stderr F …`
    let runtime = rest
        .strip_prefix(b"stdout ")
        .or_else(|| rest.strip_prefix(b"stderr "));
    match runtime {
        Some([b'F' | b'P', b' ', inner @ ..]) if name.get(10) == Some(&b'T') => inner,
        _ => line,
    }
}

/// A line of syslog without the number of its bytes, which some transports put before it: `53
/// <11>1 …`.
pub(super) fn without_octet_count(line: &[u8]) -> &[u8] {
    let (count, rest) = split_digits(within(line, 7));
    let is_counted = !count.is_empty() && rest.starts_with(b" ");
    let behind = line.get(count.len() + 1..).unwrap_or_default();
    if is_counted && behind.starts_with(b"<") && super::split_priority(behind).is_some() {
        behind
    } else {
        line
    }
}

/// What a program said in a line of syslog, behind its priority; the rest of the line where that is
/// not clear.
pub(super) fn message(line: &[u8]) -> &[u8] {
    let line = line.trim_ascii_start();
    if let Some(fields) = line.strip_prefix(b"1 ") {
        // The stamp, the host, the program, its process and the message's kind.
        let Some(end) = memchr::memchr_iter(b' ', fields).nth(4) else {
            return line;
        };
        let rest = &fields[end + 1..];
        let data = if rest.starts_with(b"[") {
            memchr::memmem::find(rest, b"] ").map_or(rest.len(), |at| at + 1)
        } else {
            1
        };
        return rest.get(data..).unwrap_or_default().trim_ascii_start();
    }
    let tag = memchr::memmem::find(within(line, 128), b": ");
    tag.map_or(line, |at| line[at + 2..].trim_ascii_start())
}

/// `Nov 20, 2026 1:00:00 PM shop.Cart add`, behind which java.util.logging begins a new line.
pub(super) fn is_java_util(line: &[u8]) -> bool {
    let head = within(line, 32);
    let is_date = line.first().is_some_and(u8::is_ascii_uppercase)
        && memchr::memmem::find(head, b", ").is_some();
    is_date
        && (memchr::memmem::find(head, b" AM ").is_some()
            || memchr::memmem::find(head, b" PM ").is_some())
}

/// `E1120 13:00:00.123456       1 file.go:12] …`, `E20261120 …` of newer glog, `E261120 …` of
/// CockroachDB.
fn klog(head: &[u8]) -> Option<Level> {
    let (letter, rest) = head.split_first()?;
    let (digits, rest) = split_digits(rest);
    let is_time = matches!(rest, [b' ', b'0'..=b'9', b'0'..=b'9', b':', ..]);
    (matches!(digits.len(), 4 | 6 | 8) && is_time)
        .then(|| of_letter(*letter))
        .flatten()
}

/// `1:M 20 Nov 2026 13:00:00.000 * Ready`, `[1] 20 Nov 13:00:00.000 # Warning`: the marks are those
/// of Redis' `serverLogRaw`, the levels those it gives to syslog.
fn redis(head: &[u8]) -> Option<Level> {
    let rest = match head.strip_prefix(b"[") {
        Some(inner) => &inner[memchr::memchr(b']', within(inner, 24))? + 1..],
        None => match split_digits(head).1 {
            [b':', b'M' | b'S' | b'C' | b'X', rest @ ..] => rest,
            _ => return None,
        },
    };
    let clock = &rest[memchr::memchr(b':', within(rest, 24))?..];
    let is_clock = clock.get(3) == Some(&b':') && clock.get(6) == Some(&b'.');
    match clock.get(10..13).filter(|_| is_clock)? {
        b" . " => Some(Level::Debug),
        b" - " => Some(Level::Info),
        b" * " => Some(Level::Notice),
        b" # " => Some(Level::Warn),
        _ => None,
    }
}

/// `2026.11.20 13:00:00 LOG5[ui]: …`: stunnel's severities are those of syslog.
fn stunnel(head: &[u8]) -> Option<Level> {
    match head.get(19..26)? {
        [b' ', b'L', b'O', b'G', digit @ b'0'..=b'7', b'[', _] => {
            Some(of_syslog(u32::from(digit - b'0')))
        }
        _ => None,
    }
}

/// `=ERROR REPORT==== 20-Nov-2026::13:00:00 ===`
fn erlang(head: &[u8]) -> Option<Level> {
    let end = memchr::memmem::find(head, b" REPORT====")?;
    match &head[1..end] {
        b"CRASH" | b"SUPERVISOR" => Some(Level::Error),
        b"PROGRESS" => Some(Level::Info),
        word => named(word),
    }
}

/// `E [20/Nov/2026:13:00:00 +0000] …`: CUPS' letters. X is an emergency, and `d` has more
/// detail than `D`.
fn cups(head: &[u8]) -> Option<Level> {
    match head.get(..6)? {
        [
            b'X' | b'A' | b'C',
            b' ',
            b'[',
            b'0'..=b'9',
            b'0'..=b'9',
            b'/',
        ] => Some(Level::Fatal),
        [b'd', b' ', b'[', b'0'..=b'9', b'0'..=b'9', b'/'] => Some(Level::Trace),
        [
            letter @ (b'E' | b'W' | b'N' | b'I' | b'D'),
            b' ',
            b'[',
            b'0'..=b'9',
            b'0'..=b'9',
            b'/',
        ] => of_letter(*letter),
        _ => None,
    }
}

/// `%LINK-3-UPDOWN: …`: the severity of Cisco's systems.
fn cisco(head: &[u8]) -> Option<Level> {
    let (_, behind) = split_once(head, b'%')?;
    let (code, _) = split_once(behind, b':')?;
    let is_code = |b: &u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b"_-".contains(b);
    let mut parts = code.split(|b| *b == b'-');
    let facility = parts.next()?;
    let severity = parts.find_map(|part| match part {
        [digit @ b'0'..=b'7'] => Some(u32::from(digit - b'0')),
        _ => None,
    })?;
    let is_cisco = code.iter().all(is_code)
        && facility.len() > 1
        && facility[0].is_ascii_uppercase()
        && parts.next().is_some();
    is_cisco.then(|| of_syslog(severity))
}

/// `[I 2026-11-20 13:00:00.123 ServerApp] …`: Tornado's and Jupyter's; Passenger has a blank before
/// the letter.
fn tornado(head: &[u8]) -> Option<Level> {
    let inner = head[1..].strip_prefix(b" ").unwrap_or(&head[1..]);
    match inner.get(..3)? {
        [
            letter @ (b'D' | b'I' | b'N' | b'W' | b'E' | b'C'),
            b' ',
            b'0'..=b'9',
        ] => of_letter(*letter),
        _ => None,
    }
}

/// `[    12.345] (EE) …`: those marks of the X server that say how grave a line is.
fn xorg(head: &[u8]) -> Option<Level> {
    let rest = match head.strip_prefix(b"[") {
        Some(rest) => rest[memchr::memchr(b']', within(rest, 24))? + 1..].trim_ascii_start(),
        None => head,
    };
    match rest.get(..5)? {
        b"(EE) " => Some(Level::Error),
        b"(WW) " => Some(Level::Warn),
        b"(II) " => Some(Level::Info),
        _ => None,
    }
}

/// `2019-11-20T13:00:00.000+0000 D1 NETWORK  [conn1] …`: MongoDB's debug has five levels.
fn mongodb(head: &[u8]) -> Option<Level> {
    let (stamp, rest) = split_once(within(head, 40), b' ')?;
    let is_mongodb = stamp.get(10) == Some(&b'T')
        && matches!(rest, [b'D', b'1'..=b'5', b' ', component, ..] if component.is_ascii_uppercase() || *component == b'-');
    is_mongodb.then_some(Level::Debug)
}

/// `[11/13/26 17:00:00:000 UTC] 00000000 ApplicationMg W WSVR0221I: …`: the name has 13 places, and
/// WebSphere's letters are those of its basic format.
fn websphere(head: &[u8]) -> Option<Level> {
    let close = memchr::memchr(b']', within(head, 48)).filter(|_| head.get(3) == Some(&b'/'))?;
    let rest = head[close + 1..].strip_prefix(b" ")?;
    let (thread, name) = rest.split_at_checked(8)?;
    let letter = match name.get(..17)? {
        [b' ', .., b' ', letter, b' '] => *letter,
        _ => return None,
    };
    let is_thread = thread.iter().all(u8::is_ascii_hexdigit);
    match letter {
        _ if !is_thread => None,
        b'A' => Some(Level::Notice),
        b'O' => Some(Level::Info),
        b'C' => Some(Level::Debug),
        b'R' => Some(Level::Error),
        b'1'..=b'3' | b'>' | b'<' => Some(Level::Trace),
        letter => of_letter(letter),
    }
}

/// `(W) 2026-11-13T17:00:00 - …`: normal, information, warning and critical.
fn qbittorrent(head: &[u8]) -> Option<Level> {
    let stamp = head.get(4..).filter(|_| head.get(2..4) == Some(b") "))?;
    if stamp.get(4) != Some(&b'-') || stamp.get(10) != Some(&b'T') {
        return None;
    }
    match head[1] {
        b'N' | b'I' => Some(Level::Info),
        letter @ (b'W' | b'C') => of_letter(letter),
        _ => None,
    }
}

/// `kern  :warn  : [    0.000000] …`, as dmesg decodes it with `-x`.
fn dmesg(head: &[u8]) -> Option<Level> {
    let colon = memchr::memchr(b':', head.get(..10)?)?;
    let word = letters(&head[colon + 1..]);
    let rest = head[colon + 1 + word.len()..].trim_ascii_start();
    let facility = head[..colon].trim_ascii_end();
    let known = [
        &b"kern"[..],
        b"user",
        b"daemon",
        b"syslog",
        b"auth",
        b"local0",
    ]
    .contains(&facility);
    (known && rest.starts_with(b": "))
        .then(|| named(word))
        .flatten()
}

/// `PHP Fatal error:  …`, also behind a stamp.
fn php(head: &[u8]) -> Option<Level> {
    let rest = match head.strip_prefix(b"PHP ") {
        Some(rest) => rest,
        None if head.first() == Some(&b'[') => {
            let close = memchr::memchr(b']', within(head, 64))?;
            head[close + 1..].strip_prefix(b" PHP ")?
        }
        None => return None,
    };
    let end = memchr::memchr(b':', within(rest, 32))?;
    match &rest[..end] {
        b"Fatal error" | b"Core error" | b"Compile error" => Some(Level::Fatal),
        b"Parse error" | b"Recoverable fatal error" | b"Catchable fatal error" => {
            Some(Level::Error)
        }
        b"Deprecated" | b"Strict Standards" => Some(Level::Notice),
        _ => None,
    }
}
