//! How grave a line says it is.
//!
//! Only what a line *states* counts: a priority, a field, a letter, or a word in its head. "0 errors" in a message is
//! no statement. Looking at the head is enough for that, and keeps this cheap enough to do for every line drawn.

use std::fmt;

/// The level a line states, in rising gravity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Finest detail.
    Trace,
    /// For developers.
    Debug,
    /// Normal events.
    Info,
    /// Normal, but worth a look (syslog).
    Notice,
    /// Something is odd.
    Warn,
    /// Something failed.
    Error,
    /// Syslog's crit, alert and emerg too.
    Fatal,
}

/// Where a statement of the level is looked for: stamps, names and threads come before it.
const HEAD_BYTES: usize = 256;

/// Objects may have their level after the message.
const JSON_HEAD_BYTES: usize = 1024;

/// Requests have long paths before the status.
const ACCESS_HEAD_BYTES: usize = 4096;

impl Level {
    /// All levels, in rising gravity.
    pub const ALL: [Self; 7] =
        [Self::Trace, Self::Debug, Self::Info, Self::Notice, Self::Warn, Self::Error, Self::Fatal];

    /// The word in JSON and in queries.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Notice => "notice",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }

    /// The level that a word names, in any case and in the usual spellings (`WARNING`, `err`, `crit`).
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        named(word.as_bytes())
    }

    /// The level that a line states, or `None` where it states none.
    #[must_use]
    pub fn detect(line: &[u8]) -> Option<Self> {
        let line = line.trim_ascii_start();
        let head = line.get(..HEAD_BYTES).unwrap_or(line);
        if let Some(level) = priority(head).or_else(|| klog(head)).or_else(|| access(line)) {
            return Some(level);
        }
        let object = object_start(head);
        let text = head.get(..object).unwrap_or(head);
        let field = logfmt(text);
        let words = text.get(..field.map_or(text.len(), |(at, _)| at)).unwrap_or(text);
        Words::new(words).find_map(|word| word.level()).or(field.map(|(_, level)| level)).or_else(|| {
            let end = line.len().min(object.saturating_add(JSON_HEAD_BYTES));
            json(line.get(object..end)?)
        })
    }

    /// A line without the `<165>` that syslog puts before it, which states the level and tells people nothing else.
    #[must_use]
    pub fn without_priority(line: &[u8]) -> &[u8] {
        split_priority(line).map_or(line, |(_, rest)| rest)
    }

    fn of_syslog(severity: u32) -> Self {
        match severity {
            0..=2 => Self::Fatal,
            3 => Self::Error,
            4 => Self::Warn,
            5 => Self::Notice,
            6 => Self::Info,
            _ => Self::Debug,
        }
    }

    fn of_letter(letter: u8) -> Option<Self> {
        Some(match letter.to_ascii_uppercase() {
            b'V' | b'T' => Self::Trace,
            b'D' => Self::Debug,
            b'I' => Self::Info,
            b'N' => Self::Notice,
            b'W' => Self::Warn,
            b'E' => Self::Error,
            b'F' | b'C' => Self::Fatal,
            _ => return None,
        })
    }

    /// Pino and bunyan count in tens from trace; GELF and journald write syslog's severity.
    fn of_number(number: u32) -> Option<Self> {
        match number {
            0..=7 => Some(Self::of_syslog(number)),
            10..=19 => Some(Self::Trace),
            20..=29 => Some(Self::Debug),
            30..=39 => Some(Self::Info),
            40..=49 => Some(Self::Warn),
            50..=59 => Some(Self::Error),
            60 => Some(Self::Fatal),
            _ => None,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The names in use, by syslog, log4j, java.util.logging, Python, .NET, Go, PHP, PostgreSQL and MySQL.
const NAMES: &[(&str, Level)] = &[
    ("info", Level::Info),
    ("error", Level::Error),
    ("warn", Level::Warn),
    ("warning", Level::Warn),
    ("debug", Level::Debug),
    ("err", Level::Error),
    ("fatal", Level::Fatal),
    ("trace", Level::Trace),
    ("notice", Level::Notice),
    ("critical", Level::Fatal),
    ("crit", Level::Fatal),
    ("alert", Level::Fatal),
    ("emerg", Level::Fatal),
    ("emergency", Level::Fatal),
    ("panic", Level::Fatal),
    ("dpanic", Level::Fatal),
    ("severe", Level::Error),
    ("note", Level::Notice),
    ("inf", Level::Info),
    ("information", Level::Info),
    ("informational", Level::Info),
    ("wrn", Level::Warn),
    ("ftl", Level::Fatal),
    ("dbg", Level::Debug),
    ("dbug", Level::Debug),
    ("trc", Level::Trace),
    ("trce", Level::Trace),
    ("verbose", Level::Trace),
    ("fine", Level::Debug),
    ("finer", Level::Trace),
    ("finest", Level::Trace),
];

fn named(word: &[u8]) -> Option<Level> {
    NAMES.iter().find(|(name, _)| word.eq_ignore_ascii_case(name.as_bytes())).map(|&(_, level)| level)
}

/// `<165>` before a line of syslog: facility × 8 + severity.
fn priority(head: &[u8]) -> Option<Level> {
    split_priority(head).map(|(number, _)| Level::of_syslog(number % 8))
}

fn split_priority(line: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = number(line.strip_prefix(b"<")?)?;
    (number <= 191).then_some((number, rest.strip_prefix(b">")?))
}

/// At most six digits and what follows them.
fn number(text: &[u8]) -> Option<(u32, &[u8])> {
    let digits = text.iter().take(7).take_while(|b| b.is_ascii_digit()).count();
    let number = text.get(..digits)?.iter().fold(0_u32, |number, b| number * 10 + u32::from(b - b'0'));
    (1..=6).contains(&digits).then_some((number, text.get(digits..)?))
}

/// `E1120 13:00:00.123456       1 file.go:12] …`
fn klog(head: &[u8]) -> Option<Level> {
    let (&letter, rest) = head.split_first()?;
    let stamp = rest.get(..8)?;
    let digits = |range: std::ops::Range<usize>| stamp[range].iter().all(u8::is_ascii_digit);
    (b"IWEF".contains(&letter) && digits(0..4) && stamp[4] == b' ' && digits(5..7) && stamp[7] == b':')
        .then(|| Level::of_letter(letter))
        .flatten()
}

/// `… [20/Nov/2026:13:00:00 +0000] "GET / HTTP/1.1" 502 …`: the server's failure, the client's, or neither.
fn access(line: &[u8]) -> Option<Level> {
    let head = line.get(..HEAD_BYTES).unwrap_or(line);
    let stamp = memchr::memchr_iter(b'[', head).take(4).find(|at| {
        let stamp = head.get(at + 1..at + 8).unwrap_or_default();
        matches!(stamp, [a, b, b'/', .., b'/'] if a.is_ascii_digit() && b.is_ascii_digit())
    })?;
    let rest = &line[stamp..line.len().min(ACCESS_HEAD_BYTES)];
    let request_end = memchr::memmem::find(rest, b"\" ").filter(|_| rest.contains(&b'"'))?;
    let (status, _) = number(rest.get(request_end + 2..)?)?;
    match status {
        100..=399 => Some(Level::Info),
        400..=499 => Some(Level::Warn),
        500..=599 => Some(Level::Error),
        _ => None,
    }
}

/// Where an object begins, be it the whole line or after a stamp; the end where there is none.
fn object_start(head: &[u8]) -> usize {
    let starts = |at: &usize| {
        let first = head[at + 1..].trim_ascii_start().first();
        first == Some(&b'"') && at.checked_sub(1).is_none_or(|before| b" \t:".contains(&head[before]))
    };
    memchr::memchr_iter(b'{', head).find(starts).unwrap_or(head.len())
}

/// Names of the field, as loggers spell them.
const KEYS: &[&str] = &[
    "level",
    "lvl",
    "severity",
    "loglevel",
    "log_level",
    "log.level",
    "levelname",
    "severity_text",
    "severitytext",
    "@l",
];

fn is_key(word: &[u8]) -> bool {
    KEYS.iter().any(|key| word.eq_ignore_ascii_case(key.as_bytes()))
}

/// The first `level=warn`, with the place where it begins.
fn logfmt(head: &[u8]) -> Option<(usize, Level)> {
    memchr::memchr_iter(b'=', head).find_map(|equals| {
        let start = head[..equals].iter().rposition(|b| b" \t,;[({".contains(b)).map_or(0, |at| at + 1);
        is_key(&head[start..equals]).then_some(())?;
        Some((start, value(&head[equals + 1..])?))
    })
}

/// The first `"level":"warn"` or `"level":40`.
fn json(object: &[u8]) -> Option<Level> {
    memchr::memchr_iter(b':', object).find_map(|colon| {
        let key = object[..colon].trim_ascii_end().strip_suffix(b"\"")?;
        let quote = memchr::memrchr(b'"', key)?;
        // A quote in a string is escaped, and then this is not a key.
        let before = key[..quote].trim_ascii_end().last();
        if !matches!(before, Some(b'{' | b',')) {
            return None;
        }
        let text = object[colon + 1..].trim_ascii_start();
        match &key[quote + 1..] {
            // MongoDB writes a letter, others write anything.
            b"s" => text.strip_prefix(b"\"").filter(|text| text.get(1) == Some(&b'"')).and_then(value),
            key => is_key(key).then(|| value(text)).flatten(),
        }
    })
}

fn value(text: &[u8]) -> Option<Level> {
    let text = text.strip_prefix(b"\"").unwrap_or(text);
    if let Some((number, _)) = number(text) {
        return Level::of_number(number);
    }
    let word = letters(text);
    match word {
        [letter] => Level::of_letter(*letter),
        _ => named(word),
    }
}

fn letters(text: &[u8]) -> &[u8] {
    let len = text.iter().position(|b| !is_letter(b)).unwrap_or(text.len());
    &text[..len]
}

/// Bytes beyond ASCII belong to words of other languages.
fn is_letter(b: &u8) -> bool {
    b.is_ascii_alphabetic() || !b.is_ascii()
}

/// The words of the head of a line, as long as it is not clear that the message has begun.
struct Words<'a> {
    text: &'a [u8],
    at: usize,
    /// What stands before `at`.
    before: Option<u8>,
    /// In `[…]`: words there are names of threads and modules, and no sign of a message.
    in_brackets: bool,
    /// Something like a stamp, a number or a bracket stands right before.
    after_stamp: bool,
    /// Bare words so far: one may be the name of the host; with the second, the message has begun.
    bare: u32,
}

/// A run of letters and what surrounds it.
struct Word<'a> {
    letters: &'a [u8],
    before: Option<u8>,
    after: Option<u8>,
    in_brackets: bool,
    after_stamp: bool,
    bare_before: u32,
}

impl<'a> Words<'a> {
    fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0, before: None, in_brackets: false, after_stamp: false, bare: 0 }
    }

    /// Over what is no letter, noting what it was.
    fn skip(&mut self) {
        while let Some(&b) = self.text.get(self.at).filter(|b| !is_letter(b)) {
            self.at += 1;
            self.before = Some(b);
            match b {
                // A colour, which is like a blank to what stands behind it.
                0x1b if self.text.get(self.at) == Some(&b'[') => {
                    self.at += colour_bytes(&self.text[self.at..]);
                    self.before = Some(b' ');
                }
                b'[' => self.in_brackets = true,
                b']' => (self.in_brackets, self.after_stamp) = (false, true),
                b'0'..=b'9' | b'|' | b'-' => self.after_stamp = true,
                // The value of a field is a message of its own.
                b'=' if self.text.get(self.at) == Some(&b'"') => {
                    let rest = &self.text[self.at + 1..];
                    self.at += memchr::memchr(b'"', rest).map_or(rest.len() + 1, |end| end + 2);
                }
                _ => {}
            }
        }
    }

    fn count(&mut self, word: &Word<'_>) {
        let between_blanks =
            matches!(word.before, None | Some(b' ' | b'\t')) && matches!(word.after, None | Some(b' ' | b'\t' | b','));
        let upper = word.letters.iter().all(u8::is_ascii_uppercase);
        if between_blanks && !self.in_brackets && !upper && !is_calendar(word.letters) {
            self.bare += 1;
        }
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = Word<'a>;

    fn next(&mut self) -> Option<Word<'a>> {
        self.skip();
        if self.bare > 1 {
            return None;
        }
        let letters = letters(self.text.get(self.at..).filter(|rest| !rest.is_empty())?);
        let word = Word {
            letters,
            before: self.before,
            after: after_colour(&self.text[self.at + letters.len()..]),
            in_brackets: self.in_brackets,
            after_stamp: self.after_stamp,
            bare_before: self.bare,
        };
        self.at += letters.len();
        self.count(&word);
        // T and Z are parts of a stamp, and months of a date.
        self.after_stamp = letters.len() == 1 || is_calendar(letters) || (self.after_stamp && is_zone(letters));
        Some(word)
    }
}

/// Up to the letter that ends a sequence after its escape.
fn colour_bytes(text: &[u8]) -> usize {
    text.iter().position(u8::is_ascii_alphabetic).map_or(text.len(), |end| end + 1)
}

/// The next byte that is seen.
fn after_colour(text: &[u8]) -> Option<u8> {
    match text.strip_prefix(b"\x1b") {
        Some(colour) => colour.get(colour_bytes(colour)).copied(),
        None => text.first().copied(),
    }
}

fn is_calendar(word: &[u8]) -> bool {
    const NAMES: &[u8; 57] = b"JanFebMarAprMayJunJulAugSepOctNovDecMonTueWedThuFriSatSun";
    word.len() == 3 && NAMES.chunks_exact(3).any(|name| name == word)
}

fn is_zone(word: &[u8]) -> bool {
    (2..=5).contains(&word.len()) && word.iter().all(u8::is_ascii_uppercase)
}

impl Word<'_> {
    fn level(&self) -> Option<Level> {
        let enclosed = matches!(
            (self.before, self.after),
            (Some(b'['), Some(b']')) | (Some(b'<'), Some(b'>')) | (Some(b'('), Some(b')')) | (Some(b'|'), Some(b'|'))
        );
        if let [letter] = self.letters {
            let alone = self.before == Some(b' ') && self.after == Some(b' ');
            let stated = (alone && self.after_stamp && self.bare_before == 0) || enclosed || self.is_first_of_ruby();
            return (stated && letter.is_ascii_uppercase()).then(|| Level::of_letter(*letter)).flatten();
        }
        let before = matches!(self.before, None | Some(b' ' | b'\t' | b'[' | b'(' | b'<' | b'|' | b':' | b'*' | b'-'));
        let after =
            matches!(self.after, None | Some(b' ' | b'\t' | b']' | b')' | b'>' | b'|' | b':' | b',' | b'-' | b'*'));
        if !before || !after {
            return None;
        }
        let upper = self.letters.iter().all(u8::is_ascii_uppercase);
        let tagged = self.after == Some(b':') || (self.before == Some(b':') && self.after == Some(b']'));
        let loose = self.after_stamp && !self.in_brackets && self.bare_before == 0;
        self.name(upper).filter(|_| upper || enclosed || tagged || loose)
    }

    /// PostgreSQL's `LOG:` and .NET's `fail:` are words that mean a level nowhere else.
    fn name(&self, upper: bool) -> Option<Level> {
        match self.letters {
            b"LOG" if self.after == Some(b':') => Some(Level::Info),
            b"fail" if self.after == Some(b':') && self.before.is_none() => Some(Level::Error),
            // `note that`, `alert manager`, `fine` and `panic mode` are talk.
            word if !upper && [&b"note"[..], b"alert", b"fine", b"panic"].contains(&word) => {
                named(word).filter(|_| self.after == Some(b':') || self.after == Some(b']'))
            }
            word => named(word),
        }
    }

    /// `E, [2026-11-20T13:00:00.123456 #1234] ERROR -- : …`
    fn is_first_of_ruby(&self) -> bool {
        self.before.is_none() && self.after == Some(b',')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_priority_is_taken_off_and_nothing_else() {
        for (line, rest) in [("<30>Nov 20", "Nov 20"), ("<192>x", "<192>x"), ("<a>", "<a>"), ("<30", "<30"), ("", "")] {
            assert_eq!(Level::without_priority(line.as_bytes()), rest.as_bytes());
        }
    }

    #[test]
    fn a_stated_level_is_found() {
        use Level::{Debug, Error, Fatal, Info, Notice, Trace, Warn};
        let table: &[(&str, Level)] = &[
            ("<165>1 2026-11-20T13:00:00Z web-1 app - - - an error", Notice),
            ("<11>Nov 20 13:00:00 web-1 app: hello", Error),
            ("2026-11-20 13:00:00,123 [main] ERROR com.shop.Cart - cannot save", Error),
            ("2026-11-20T13:00:00.000Z  INFO 1234 --- [main] c.shop.Cart : started with 0 errors", Info),
            ("2026-11-20 13:00:00,123 - root - WARNING - low on paper", Warn),
            ("ERROR:root:it broke", Error),
            ("2026-11-20 13:00:00.123 UTC [77] ERROR:  relation \"carts\" does not exist", Error),
            ("2026-11-20 13:00:00.123 UTC [77] LOG:  checkpoint complete", Info),
            ("2026-11-20T13:00:00.0Z 0 [Warning] [MY-10] [Server] old plugin", Warn),
            ("2026/11/20 13:00:00 [error] 12#12: *1 connect() failed", Error),
            ("[Fri Nov 20 13:00:00.123 2026] [core:crit] [pid 1] no", Fatal),
            ("[2026-11-20T13:00:00,123][WARN ][o.e.c.Room] [node-1] is full", Warn),
            ("[2026-11-20T13:00:00Z DEBUG shop::cart] added", Debug),
            ("2026-11-20T13:00:00Z  WARN shop::cart: slow", Warn),
            ("2026-11-20T13:00:00.000Z\terror\tcart/add.go:12\tfailed", Error),
            ("2026-11-20 13:00:00 info starting", Info),
            ("Nov 20 13:00:00 myhost sshd[12]: error: no such identity", Error),
            ("Nov 20, 2026 1:00:00 PM shop.Cart add SEVERE", Error),
            ("SEVERE: it broke", Error),
            ("panic: runtime error: index out of range", Fatal),
            ("fatal: not a repository", Fatal),
            ("warning: unused variable", Warn),
            ("fail: Shop.Cart[0]", Error),
            ("11-20 13:00:00.123  1234  5678 E Camera: lost", Error),
            ("[W] careful", Warn),
            ("E, [2026-11-20T13:00:00.1 #12] no word here", Error),
            ("E1120 13:00:00.123456       1 controller.go:12] no", Error),
            ("I1120 13:00:00.123456       1 controller.go:12] error syncing", Info),
            ("time=2026-11-20T13:00:00Z level=warning msg=\"an ERROR\"", Warn),
            ("time=2026-11-20T13:00:00Z msg=\"an ERROR here\" level=debug", Debug),
            ("ts=1 lvl=eror msg=x level=\"crit\"", Fatal),
            ("INFO set level=debug", Info),
            ("{\"level\":\"error\",\"msg\":\"x\"}", Error),
            ("{\"level\":30,\"time\":1790000000000,\"msg\":\"ERROR\"}", Info),
            ("{\"time\":1, \"severity\" : \"CRITICAL\"}", Fatal),
            ("{\"msg\":\"say \\\"level\\\":\\\"error\\\"\",\"level\":\"trace\"}", Trace),
            ("2026-11-20T13:00:00Z stdout F {\"level\":\"warn\"}", Warn),
            ("{\"t\":{\"$date\":\"2026-11-20T13:00:00Z\"},\"s\":\"W\",\"c\":\"NETWORK\"}", Warn),
            ("{\"@t\":\"2026-11-20T13:00:00Z\",\"@l\":\"Warning\"}", Warn),
            ("\x1b[2m2026-11-20T13:00:00Z\x1b[0m \x1b[32m INFO\x1b[0m \x1b[2mshop\x1b[0m: an error", Info),
            ("\x1b[31merror\x1b[39m: it broke", Error),
            ("10.0.0.1 - - [20/Nov/2026:13:00:00 +0000] \"GET /error HTTP/1.1\" 200 5 \"-\" \"x\"", Info),
            ("10.0.0.1 - - [20/Nov/2026:13:00:00 +0000] \"GET /a HTTP/1.1\" 404 5", Warn),
            ("10.0.0.1 - bob [20/Nov/2026:13:00:00 +0000] \"POST /a HTTP/2\" 502 0", Error),
        ];
        for (line, level) in table {
            assert_eq!(Level::detect(line.as_bytes()), Some(*level), "{line}");
        }
    }

    #[test]
    fn talk_of_errors_is_no_level() {
        let table = [
            "",
            "finished with 0 errors",
            "2026-11-20 13:00:00 worker finished, error count 0",
            "no error here",
            "    at shop.Cart.error(Cart.java:12)",
            "error_count=0 err=nil",
            "Nov 20 13:00:00 myhost systemd: Started error reporter",
            "GET /error.html",
            "{\"msg\":\"ERROR\",\"error\":null}",
            "{\"error\":\"level\",\"s\":\"Warnings\"}",
            "größter anzunehmender error ERROR",
            "<999>too large",
        ];
        for line in table {
            assert_eq!(Level::detect(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn words_name_levels_in_any_case() {
        for level in Level::ALL {
            assert_eq!(Level::parse(level.as_str()), Some(level));
            assert_eq!(Level::parse(&level.as_str().to_uppercase()), Some(level));
        }
        assert_eq!(Level::parse("Emerg"), Some(Level::Fatal));
        assert_eq!(Level::parse("loud"), None);
    }

    proptest::proptest! {
        #[test]
        fn any_line_is_survived(line: Vec<u8>, text in "[\\[\\]{}\":=<>|, \"0-9A-Za-z/-]{0,80}") {
            let _ = Level::detect(&line);
            let _ = Level::detect(text.as_bytes());
        }

        #[test]
        fn a_level_before_a_message_is_found_whatever_the_message(message in "[ -Z\\\\-z]{0,80}") {
            let line = format!("2026-11-20 13:00:00 NOTICE {message}");
            proptest::prop_assert_eq!(Level::detect(line.as_bytes()), Some(Level::Notice));
        }
    }
}
