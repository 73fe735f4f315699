//! What is in columns without a name, in formats with a shape of their own: the process, the
//! thread and the logger of log4j, logback and Spring, klog and glog, logcat, PostgreSQL, nginx,
//! Apache and Redis.

use super::visitor::{FieldVisitor, Flow};
use crate::parse::bytes::{
    Words, find, first_line, is_digits, split_digits, split_once, within, word,
};
use crate::parse::level;

/// How far into a line columns are looked for.
const WITHIN: usize = 256;

/// Names of the columns.
pub(super) const NAMES: [&str; 3] = ["pid", "thread", "logger"];

/// Shows the columns of the first line of a text.
pub(super) fn walk<'a>(text: &'a [u8], visit: &mut dyn FieldVisitor<'a>) -> Flow {
    let head = within(first_line(text), WITHIN);
    if !within(head, 48).iter().any(u8::is_ascii_digit) {
        return Flow::Continue(());
    }
    let columns = klog(head).or_else(|| logcat(head));
    columns.unwrap_or_else(|| java(head)).show(visit)
}

fn is_number(text: &[u8]) -> bool {
    text.len() <= 10 && is_digits(text)
}

/// The process, the thread and the logger; empty where there is none.
#[derive(Default)]
struct UnnamedColumns<'a> {
    pid: &'a [u8],
    thread: &'a [u8],
    logger: &'a [u8],
}

impl<'a> UnnamedColumns<'a> {
    fn show(&self, visit: &mut dyn FieldVisitor<'a>) -> Flow {
        if !self.pid.is_empty() {
            visit.sniffed(b"pid", self.pid)?;
        }
        if !self.thread.is_empty() {
            visit.text(b"thread", self.thread)?;
        }
        if !self.logger.is_empty() {
            visit.text(b"logger", self.logger)?;
        }
        Flow::Continue(())
    }
}

/// `E1120 13:00:00.123456   29451 main.go:81] …`
fn klog(head: &[u8]) -> Option<UnnamedColumns<'_>> {
    let mut words = Words(head);
    let (letter, date) = words.take().split_first()?;
    let is_day = b"IWEFD".contains(letter) && date.len() >= 4 && is_number(date);
    let _time = words.take();
    let thread = words.take();
    let logger = words.take().strip_suffix(b"]")?;
    (is_day && is_number(thread)).then_some(UnnamedColumns {
        pid: thread,
        thread: b"",
        logger,
    })
}

/// `11-20 13:00:01.123  1702  2395 D WindowManager: …`
fn logcat(head: &[u8]) -> Option<UnnamedColumns<'_>> {
    let mut words = Words(head);
    let day = words.take();
    let _time = words.take();
    let pid = words.take();
    let thread = words.take();
    let letter = words.take();
    let (tag, _) = split_once(words.0, b':')?;
    let is_day = day.len() == 5 && day[2] == b'-';
    let is_logcat = is_day && is_number(pid) && is_number(thread) && letter.len() == 1;
    is_logcat.then_some(UnnamedColumns {
        pid,
        thread,
        logger: tag.trim_ascii_end(),
    })
}

/// `[pid 12:tid 1]`, ` 811#811: `, `1:M `, ` [77] `, ` 1234 --- `
fn pid(head: &[u8]) -> Option<&[u8]> {
    if let Some(at) = find(head, b"[pid ") {
        return Some(split_digits(&head[at + 5..]).0);
    }
    let (first, role) = split_digits(head);
    if matches!(role, [b':', b'M' | b'S' | b'C' | b'X', b' ', ..]) {
        return Some(first);
    }
    if let Some(at) = find(head, b" --- [") {
        return last_word(&head[..at]).filter(|number| is_number(number));
    }
    if let Some((before, [b'0'..=b'9', ..])) = split_once(head, b'#') {
        return last_word(before).filter(|pid| is_number(pid) && before.contains(&b'['));
    }
    memchr::memchr_iter(b'[', head)
        .take(3)
        .find_map(|at| pid_in_brackets(&head[..at], &head[at + 1..]))
}

/// In brackets by itself, behind a stamp.
fn pid_in_brackets<'a>(before: &[u8], inner: &'a [u8]) -> Option<&'a [u8]> {
    let (number, rest) = split_digits(inner);
    let is_closed = matches!(rest, [b']', b' ' | b':', ..]);
    // One name may come between; with two, the message has begun.
    let is_plain = |token: &&[u8]| token.iter().any(u8::is_ascii_lowercase);
    let names = before.split(|b| *b == b' ').filter(is_plain).count();
    let is_behind_stamp = before.contains(&b':') && before.ends_with(b" ") && names < 2;
    (is_closed && is_behind_stamp && is_number(number)).then_some(number)
}

fn last_word(text: &[u8]) -> Option<&[u8]> {
    text.rsplit(|b| *b == b' ').next()
}

/// `… [main] ERROR com.shop.Cart - …`, `… ERROR [main] com.shop.Cart: …`, `… ERROR 12 --- [main]
/// c.s.Cart : …`
fn java(head: &[u8]) -> UnnamedColumns<'_> {
    let (thread, logger) = thread_and_logger(head).unwrap_or_default();
    UnnamedColumns {
        pid: pid(head).unwrap_or_default(),
        thread,
        logger,
    }
}

fn thread_and_logger(head: &[u8]) -> Option<(&[u8], &[u8])> {
    let (before, behind) = around_level(head)?;
    let mut thread = before
        .strip_suffix(b"]")
        .and_then(|text| Some(&text[memchr::memrchr(b'[', text)? + 1..]));
    let mut rest = find(behind, b"--- ").map_or(behind, |at| &behind[at + 4..]);
    while let Some(inner) = rest.strip_prefix(b"[") {
        let (name, after) = split_once(inner, b']')?;
        thread = Some(name);
        rest = after.trim_ascii_start();
    }
    let logger = logger(rest)?;
    let is_thread =
        |name: &&[u8]| name.iter().any(u8::is_ascii_alphabetic) && !name.contains(&b']');
    let thread = thread.map(<[u8]>::trim_ascii).filter(is_thread);
    Some((thread.unwrap_or_default(), logger))
}

/// A name with dots that a text begins with.
fn logger(text: &[u8]) -> Option<&[u8]> {
    let (name, _) = word(text);
    let name = name.strip_suffix(b":").unwrap_or(name);
    let is_name = |b: &u8| b.is_ascii_alphanumeric() || b"._$-".contains(b);
    let is_logger =
        name.contains(&b'.') && name.iter().all(is_name) && name[0].is_ascii_alphabetic();
    is_logger.then_some(name)
}

/// What precedes and follows a level in capitals that is a token by itself.
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
