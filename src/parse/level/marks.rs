//! Levels that are at a fixed place of a known format: letters, marks and numbers.

use super::names::named;
use super::number;
use super::words::letters;
use crate::model::level::Level;

/// The level that a format says without a word.
pub(super) fn find(head: &[u8]) -> Option<Level> {
    match head.first()? {
        b'I' | b'W' | b'E' | b'F' | b'D' => klog(head),
        b'0'..=b'9' => stunnel(head).or_else(|| redis(head)),
        b'[' => tornado(head).or_else(|| xorg(head)).or_else(|| redis(head)),
        b'(' => xorg(head),
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
    let head = line.get(..64).unwrap_or(line);
    let Some(end) = memchr::memchr(b' ', head) else {
        return line;
    };
    let rest = line[end..].trim_ascii_start();
    // `web-1  | …`
    let name = &head[..end];
    let is_name = || name.iter().any(u8::is_ascii_alphabetic) && named(name).is_none();
    if let Some(inner) = rest.strip_prefix(b"| ").filter(|_| is_name()) {
        return inner;
    }
    // `2026-11-20T13:00:00.123456789Z stderr F …`
    let runtime = rest
        .strip_prefix(b"stdout ")
        .or_else(|| rest.strip_prefix(b"stderr "));
    match runtime {
        Some([b'F' | b'P', b' ', inner @ ..]) if head.get(10) == Some(&b'T') => inner,
        _ => line,
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
    let tag = memchr::memmem::find(line.get(..128).unwrap_or(line), b": ");
    tag.map_or(line, |at| line[at + 2..].trim_ascii_start())
}

/// `Nov 20, 2026 1:00:00 PM shop.Cart add`, behind which java.util.logging begins a new line.
pub(super) fn is_java_util(line: &[u8]) -> bool {
    let head = line.get(..32).unwrap_or(line);
    let is_date = line.first().is_some_and(u8::is_ascii_uppercase)
        && memchr::memmem::find(head, b", ").is_some();
    is_date
        && (memchr::memmem::find(head, b" AM ").is_some()
            || memchr::memmem::find(head, b" PM ").is_some())
}

/// `E1120 13:00:00.123456       1 file.go:12] …`, `E20261120 …` of newer glog, `E261120 …` of
/// CockroachDB.
fn klog(head: &[u8]) -> Option<Level> {
    let digits = head[1..].iter().take_while(|b| b.is_ascii_digit()).count();
    let time = head.get(digits + 1..digits + 5)?;
    let is_time =
        time[0] == b' ' && time[1].is_ascii_digit() && time[2].is_ascii_digit() && time[3] == b':';
    (matches!(digits, 4 | 6 | 8) && is_time)
        .then(|| super::of_letter(head[0]))
        .flatten()
}

/// `1:M 20 Nov 2026 13:00:00.000 * Ready`, `[1] 20 Nov 13:00:00.000 # Warning`: the marks are those
/// of Redis' `serverLogRaw`, the levels those it gives to syslog.
fn redis(head: &[u8]) -> Option<Level> {
    let start = match head.strip_prefix(b"[") {
        Some(rest) => {
            rest.len()
                - rest
                    .get(..24)
                    .unwrap_or(rest)
                    .iter()
                    .position(|b| *b == b']')?
        }
        None => head.len(),
    };
    let (_, rest) = number(head).or_else(|| Some((0, &head[head.len() - start + 1..])))?;
    let rest = match rest {
        [b':', b'M' | b'S' | b'C' | b'X', rest @ ..] | [b']', rest @ ..] => rest,
        rest if start < head.len() => rest,
        _ => return None,
    };
    let time = memchr::memchr(b':', rest.get(..24).unwrap_or(rest))?;
    let rest = &rest[time..];
    let fraction = rest.get(..10)?;
    if fraction[3] != b':' || fraction[6] != b'.' {
        return None;
    }
    match rest.get(10..13)? {
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
            Some(super::of_syslog(u32::from(digit - b'0')))
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

/// `E [20/Nov/2026:13:00:00 +0000] …`: CUPS' letters, of which X is an emergency and `d` more
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
        ] => super::of_letter(*letter),
        _ => None,
    }
}

/// `%LINK-3-UPDOWN: …`: the severity of Cisco's systems.
fn cisco(head: &[u8]) -> Option<Level> {
    let at = memchr::memchr(b'%', head)?;
    let code = &head[at + 1..];
    let end = code
        .iter()
        .position(|b| !b.is_ascii_uppercase() && !b.is_ascii_digit() && *b != b'_' && *b != b'-')?;
    let mut parts = code[..end].split(|b| *b == b'-');
    let facility = parts.next()?;
    let severity = parts.find(|part| matches!(part, [b'0'..=b'7']))?;
    let is_code = code[end] == b':'
        && facility.len() > 1
        && facility[0].is_ascii_uppercase()
        && parts.next().is_some();
    is_code.then(|| super::of_syslog(u32::from(severity[0] - b'0')))
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
        ] => super::of_letter(*letter),
        _ => None,
    }
}

/// `[    12.345] (EE) …`: the marks of the X server, of which these say how grave a line is.
fn xorg(head: &[u8]) -> Option<Level> {
    let rest = match head.strip_prefix(b"[") {
        Some(rest) => rest
            .get(memchr::memchr(b']', rest.get(..24).unwrap_or(rest))? + 1..)?
            .trim_ascii_start(),
        None => head,
    };
    match rest.get(..5)? {
        b"(EE) " => Some(Level::Error),
        b"(WW) " => Some(Level::Warn),
        b"(II) " => Some(Level::Info),
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
            let close = memchr::memchr(b']', head.get(..64).unwrap_or(head))?;
            head[close + 1..].strip_prefix(b" PHP ")?
        }
        None => return None,
    };
    let end = memchr::memchr(b':', rest.get(..32).unwrap_or(rest))?;
    match &rest[..end] {
        b"Fatal error" | b"Core error" | b"Compile error" => Some(Level::Fatal),
        b"Parse error" | b"Recoverable fatal error" | b"Catchable fatal error" => {
            Some(Level::Error)
        }
        b"Deprecated" | b"Strict Standards" => Some(Level::Notice),
        _ => None,
    }
}
