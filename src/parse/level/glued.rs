//! Levels that punctuation ties to other words before the message: `daemon.err`, `<auth.info>`,
//! `[ID 540003 kern.warning]`, `system,error`, `critical/Checker:`, `Er(163)`, `LEVEL: Error`.
//!
//! Read only where the words of a line do not say the level by themselves. A tie that only the other
//! lines of its source prove is left to `column`.

use super::names::{named, of_syslog};
use super::words::letters;
use crate::model::level::Level;
use crate::parse::bytes::{number, split_once};

/// Facilities of syslog, as programs name them.
const FACILITIES: &[&[u8]] = &[
    b"kern",
    b"user",
    b"mail",
    b"daemon",
    b"auth",
    b"syslog",
    b"lpr",
    b"news",
    b"uucp",
    b"cron",
    b"authpriv",
    b"security",
    b"ftp",
    b"ntp",
    b"console",
    b"audit",
    b"clock",
    b"local0",
    b"local1",
    b"local2",
    b"local3",
    b"local4",
    b"local5",
    b"local6",
    b"local7",
];

/// So many words may be before the level: the stamp, the host and what else comes before a program.
const MAX_WORDS: usize = 10;

/// The level that a word before the message has tied to it.
pub(super) fn level(head: &[u8]) -> Option<Level> {
    let mut before = WordsBefore::default();
    let mut words = head
        .split(|b| matches!(b, b' ' | b'\t'))
        .filter(|word| !word.is_empty())
        .take(MAX_WORDS)
        .peekable();
    while let Some(word) = words.next() {
        if matches!(word, b"LEVEL:" | b"Level:") && before.has_stamp {
            return words.peek().and_then(|next| named(next));
        }
        if let Some(level) = before.level(word) {
            return Some(level);
        }
        before.note(word);
        if before.is_message() {
            return None;
        }
    }
    None
}

/// What came before a word of a line.
#[derive(Default)]
struct WordsBefore {
    has_stamp: bool,
    /// Words that are no part of a stamp or of brackets.
    plain: usize,
    /// `program:`, behind which only `[ID …]` of Solaris may say the level.
    has_tag: bool,
    in_id: bool,
}

impl WordsBefore {
    fn level(&self, word: &[u8]) -> Option<Level> {
        if self.in_id {
            return word.strip_suffix(b"]").and_then(of_facility);
        }
        if self.has_tag || self.plain > 1 {
            return None;
        }
        let inner = match word {
            [b'<', inner @ .., b'>'] | [b'[', inner @ .., b']'] => inner,
            _ => word,
        };
        let name = letters_and_digits(inner);
        if name == 0 {
            return None;
        }
        // What ties the first two words tells which kind it can be.
        match inner.get(name)? {
            b'.' => of_facility(inner),
            b'(' => esxi(inner),
            b',' | b'-' | b'_' => topics(inner).filter(|_| self.has_stamp || self.plain == 0),
            b'/' => before_name(inner).filter(|_| self.has_stamp),
            _ => None,
        }
    }

    fn note(&mut self, word: &[u8]) {
        self.in_id = word == b"[ID" || (self.in_id && word.iter().all(u8::is_ascii_digit));
        let is_number = |b: &u8| b.is_ascii_digit() || b"[]:.,-+/TZ".contains(b);
        if word.iter().all(is_number) {
            self.has_stamp |= word.iter().any(u8::is_ascii_digit);
        } else if word.ends_with(b":") {
            self.has_tag = true;
        } else if word.first().is_some_and(u8::is_ascii_alphabetic) && !is_of_stamp(word) {
            self.plain += 1;
        }
    }

    fn is_message(&self) -> bool {
        self.plain > 2
    }
}

/// How many letters and digits a word begins with; none where the first is no letter.
fn letters_and_digits(word: &[u8]) -> usize {
    if !word.first().is_some_and(u8::is_ascii_alphabetic) {
        return 0;
    }
    let other = |b: &u8| !b.is_ascii_alphanumeric();
    word.iter().position(other).unwrap_or(word.len())
}

/// A month, a day of the week, or a zone.
fn is_of_stamp(word: &[u8]) -> bool {
    let is_calendar = word.len() == 3 && word[0].is_ascii_uppercase();
    is_calendar || (word.len() <= 5 && word.iter().all(|b| b.is_ascii_uppercase() || *b == b']'))
}

/// `daemon.err`
fn of_facility(word: &[u8]) -> Option<Level> {
    let (facility, severity) = split_once(word, b'.')?;
    FACILITIES
        .contains(&facility)
        .then(|| named(severity))
        .flatten()
}

/// `Er(163)`: the priority of syslog, and the two letters of its severity.
fn esxi(word: &[u8]) -> Option<Level> {
    let (letters, rest) = word.split_at_checked(2)?;
    let priority = number(rest.strip_prefix(b"(")?.strip_suffix(b")")?)?;
    let severity = [b"Em", b"Al", b"Cr", b"Er", b"Wa", b"No", b"In", b"Db"]
        .iter()
        .position(|of| *of == letters)?;
    let severity = u32::try_from(severity).ok()?;
    (priority % 8 == severity).then(|| of_syslog(severity))
}

/// `system,info,account`, `wireless,warning`: a list of topics, one of which is a level.
fn topics(word: &[u8]) -> Option<Level> {
    let is_topic = |part: &[u8]| {
        !part.is_empty()
            && part
                .iter()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_!".contains(b))
    };
    let parts = || word.split(|b| *b == b',');
    let levels = parts().filter(|part| named(part).is_some()).count();
    (parts().count() > 1 && levels == 1 && parts().all(is_topic))
        .then(|| parts().find_map(named))
        .flatten()
}

/// `critical/Checker:`
fn before_name(word: &[u8]) -> Option<Level> {
    let name = letters(word);
    let rest = word[name.len()..].strip_prefix(b"/")?;
    let is_name = rest.ends_with(b":") && rest[0].is_ascii_alphabetic();
    is_name.then(|| named(name)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_that_is_tied_to_other_words_is_found() {
        for (line, level) in [
            (
                "Nov 13 17:00:00 router daemon.err dnsmasq[1]: x",
                Some(Level::Error),
            ),
            (
                "Nov 13 17:00:00 <auth.info> bsd1 sshd[1]: x",
                Some(Level::Info),
            ),
            (
                "Nov 13 17:00:00 sol1 genunix: [ID 540000 kern.warning] x",
                Some(Level::Warn),
            ),
            (
                "Nov 13 17:00:00 sol1 su: [ID 810491 auth.crit] x",
                Some(Level::Fatal),
            ),
            (
                "Jan  1 00:00:12 OpenWrt user.notice kernel: x",
                Some(Level::Notice),
            ),
            (
                "Thu Nov 13 17:00:00 2026 daemon.warn odhcpd[1]: x",
                Some(Level::Warn),
            ),
            (
                "2026-11-13 17:00:00 system,info,account user",
                Some(Level::Info),
            ),
            (
                "Nov 13 17:00:00 router wireless,warning x",
                Some(Level::Warn),
            ),
            (
                "[2026-11-13 17:00:00 +0000] critical/Checker: x",
                Some(Level::Fatal),
            ),
            (
                "2026-11-13T17:00:00.000Z Er(163) Hostd[1]: x",
                Some(Level::Error),
            ),
            ("2026-11-13T17:00:00.000Z Er(162) Hostd[1]: x", None),
            (
                "2026-11-13-17.00.00.000000+000 I1000E500   LEVEL: Error",
                Some(Level::Error),
            ),
            (
                "Nov 13 17:00:00 web app[1]: read user.info and daemon.err",
                None,
            ),
            ("please set user.info first", None),
            ("levels error,warning are on", None),
            ("2026-11-13 17:00:00 a list error,debug of both", None),
            ("", None),
        ] {
            assert_eq!(super::level(line.as_bytes()), level, "{line}");
        }
    }
}
