//! The words before the message: `2026-11-20 13:00:00,123 [main] ERROR com.shop.Cart - …`.
//!
//! A line is read token by token as long as it is not clear that its message has begun: stamps,
//! numbers, brackets, names with dots or digits, words in capitals and one plain word (the name of
//! the host, or of a logger) may come before it. How a word must be written to count depends on
//! what surrounds it: `ERROR` may be anywhere there, `[error]` too, `error:` only first, and
//! `error` only right behind a stamp.

use super::names::{named, of_letter, translated};
use super::stated::StatedLevel;
use crate::model::level::Level;
use crate::parse::bytes::is_digits;

/// What the words in the head of a line state.
pub(super) enum WordSearch {
    Level(StatedLevel),
    /// Nothing, and the message has begun.
    Message,
    /// Nothing so far.
    Nothing,
}

/// The level that a word in the head of a line states.
pub(super) fn find(head: &[u8]) -> WordSearch {
    let mut reader = WordReader {
        head,
        at: 0,
        gap: WordGap::Start,
        bare: 0,
        has_stamp: false,
        brackets: 0,
        is_open: false,
    };
    while let Some(token) = reader.token() {
        match reader.look(token) {
            TokenKind::Level(found) => return WordSearch::Level(found),
            TokenKind::Message => return WordSearch::Message,
            TokenKind::Column => {}
        }
    }
    WordSearch::Nothing
}

/// The level with which an indented line begins, as a format with a width aligns it to the right: `
/// INFO started`. Other indented lines go on with what was said before, and so state nothing.
pub(super) fn aligned(line: &[u8]) -> Option<Level> {
    let word = letters(line);
    let stands = word.iter().all(u8::is_ascii_uppercase)
        && matches!(line.get(word.len()), Some(b' ' | b'|'));
    stands.then(|| named(word)).flatten()
}

/// The letters with which a text begins. Bytes beyond ASCII belong to words of other languages.
pub(super) fn letters(text: &[u8]) -> &[u8] {
    let len = text
        .iter()
        .position(|b| !is_letter(*b))
        .unwrap_or(text.len());
    &text[..len]
}

fn is_letter(b: u8) -> bool {
    b.is_ascii_alphabetic() || !b.is_ascii()
}

/// What the token before this one was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WordGap {
    /// There is none.
    Start,
    /// A stamp or a bar.
    Stamp,
    /// Brackets with anything in them.
    Bracket,
    /// The id of a process in brackets, behind a stamp.
    Pid,
    /// A number by itself, such as the id of a process.
    Number,
    /// A dash.
    Dash,
    /// The name of a program with its colon, behind which the message begins.
    Tag,
    /// A word in capitals.
    Capitals,
    /// Any other name.
    Name,
}

/// What a token turned out to be.
enum TokenKind {
    Level(StatedLevel),
    /// Something that may come before a level.
    Column,
    /// The message has begun.
    Message,
}

struct WordReader<'a> {
    head: &'a [u8],
    at: usize,
    gap: WordGap,
    /// Plain words so far: one may be the name of the host; with the second, the message has begun.
    bare: u32,
    has_stamp: bool,
    /// Brackets that are open: words in them are names of threads and modules, and no sign of a
    /// message.
    brackets: u32,
    /// The token before ended with a bracket, and only a colour is between them.
    is_open: bool,
}

/// The bytes of a token.
#[derive(Clone, Copy)]
struct TokenSpan {
    start: usize,
    end: usize,
}

/// A run of letters of a token, and what surrounds it.
struct LetterRun<'a> {
    letters: &'a [u8],
    /// What the token has before it.
    lead: &'a [u8],
    before: Option<u8>,
    after: Option<u8>,
    /// All that follows.
    rest: &'a [u8],
    /// The next byte that is no blank.
    next: Option<u8>,
    /// Two blanks, or a tab, or the end follow.
    padded: bool,
}

impl<'a> WordReader<'a> {
    /// The next run of bytes between blanks and colours.
    fn token(&mut self) -> Option<TokenSpan> {
        self.at += blanks(&self.head[self.at..]);
        let rest = &self.head[self.at..];
        if rest.is_empty() {
            return None;
        }
        let len = rest
            .iter()
            .position(|b| matches!(b, b' ' | b'\t' | b'\r' | 0x1b))
            .unwrap_or(rest.len());
        let token = TokenSpan {
            start: self.at,
            end: self.at + len,
        };
        self.at = token.end;
        Some(token)
    }

    fn look(&mut self, token: TokenSpan) -> TokenKind {
        let text = &self.head[token.start..token.end];
        let mut kind = WordKind::default();
        let mut at = token.start;
        while at < token.end {
            let b = self.head[at];
            if !is_letter(b) {
                self.punctuation(b, &mut kind);
                if b == b'=' {
                    return self.field(token, at);
                }
                at += 1;
                if b == b',' && self.is_quoted_text(at) {
                    return TokenKind::Column;
                }
                continue;
            }
            let word = self.word(token, at);
            if let Some(found) = self.level(&word) {
                return TokenKind::Level(found);
            }
            if is_rest_of_error(&word) {
                return TokenKind::Message;
            }
            kind.count(word.letters, self.gap);
            at += word.letters.len();
        }
        self.classify(text, &kind)
    }

    /// Steps over `"idle in transaction"` in a line of CSV.
    fn is_quoted_text(&mut self, at: usize) -> bool {
        let Some(inner) = self.head[at..].strip_prefix(b"\"") else {
            return false;
        };
        let end = memchr::memchr(b'"', inner).filter(|end| inner[..*end].contains(&b' '));
        self.at = end.map_or(self.at, |end| at + 1 + end + 1);
        end.is_some()
    }

    fn punctuation(&mut self, b: u8, kind: &mut WordKind) {
        match b {
            b'[' => self.brackets += 1,
            b']' => (self.brackets, kind.closed) = (self.brackets.saturating_sub(1), true),
            b'0'..=b'9' => kind.digits = true,
            _ => kind.marks = true,
        }
    }

    /// The value of a field is a message of its own.
    fn field(&mut self, token: TokenSpan, equals: usize) -> TokenKind {
        let value = &self.head[equals + 1..];
        self.at = match value.strip_prefix(b"\"") {
            Some(inner) => {
                equals + 2 + memchr::memchr(b'"', inner).map_or(inner.len(), |end| end + 1)
            }
            None => token.end,
        };
        self.gap = WordGap::Name;
        self.brackets = 0;
        if self.bare > 0 {
            TokenKind::Message
        } else {
            TokenKind::Column
        }
    }

    fn word(&self, token: TokenSpan, at: usize) -> LetterRun<'a> {
        let letters = letters(&self.head[at..token.end]);
        let mut end = at + letters.len();
        // `debug1:`, `[rewrite:trace2]`, `DEBUG5`: levels of a level.
        let counted =
            letters.eq_ignore_ascii_case(b"debug") || letters.eq_ignore_ascii_case(b"trace");
        if counted && self.head.get(end).is_some_and(u8::is_ascii_digit) {
            end += 1;
        }
        let lead = &self.head[token.start..at];
        let rest = &self.head[end..];
        LetterRun {
            letters,
            lead,
            before: lead.last().copied().or(Some(b'[').filter(|_| self.is_open)),
            after: rest.first().copied().filter(|_| end < token.end),
            rest,
            next: rest.get(blanks(rest)).copied(),
            padded: matches!(rest.first(), None | Some(b'\t' | b'\r' | 0x1b))
                || rest.starts_with(b"  "),
        }
    }

    /// Notes what a token without a level was.
    fn classify(&mut self, text: &[u8], kind: &WordKind) -> TokenKind {
        self.is_open = text.ends_with(b"[");
        if self.brackets > 0 || kind.closed {
            self.gap = self.gap_after_bracket(text, kind);
            return TokenKind::Column;
        }
        let is_error = text.ends_with(b"Exception:") || text.ends_with(b"Error:");
        if kind.names > 0 && is_error {
            // `java.lang.IllegalStateException: …`, `ValueError: …`
            return TokenKind::Message;
        }
        self.gap = self.gap_after(text, kind);
        if self.bare > 1 {
            TokenKind::Message
        } else {
            TokenKind::Column
        }
    }

    fn gap_after_bracket(&mut self, text: &[u8], kind: &WordKind) -> WordGap {
        let is_pid = self.has_stamp
            && matches!(text, [b'[', id @ .., b']'] if id.iter().all(u8::is_ascii_digit));
        self.has_stamp |= kind.digits;
        if text.ends_with(b":") {
            self.tag()
        } else if is_pid {
            WordGap::Pid
        } else {
            WordGap::Bracket
        }
    }

    fn gap_after(&mut self, text: &[u8], kind: &WordKind) -> WordGap {
        let is_address = kind.digits && !kind.marks && text.len() > 7;
        if is_digits(text) {
            self.stamped(WordGap::Number)
        } else if is_address && text.iter().all(u8::is_ascii_hexdigit) {
            // Of a thread.
            WordGap::Number
        } else if kind.names > 0 {
            self.gap_after_name(text, kind)
        } else if kind.digits {
            self.stamped(WordGap::Stamp)
        } else {
            self.gap_after_marks(text)
        }
    }

    fn gap_after_name(&mut self, text: &[u8], kind: &WordKind) -> WordGap {
        if text.ends_with(b":") {
            return self.tag();
        }
        if !kind.lower {
            return WordGap::Capitals;
        }
        if !kind.digits && (!kind.marks || text.ends_with(b",")) {
            self.bare += 1;
        }
        WordGap::Name
    }

    fn gap_after_marks(&self, text: &[u8]) -> WordGap {
        match text {
            b"|" | b"::" => WordGap::Stamp,
            _ if text.contains(&b'-') || text.contains(&b'*') => WordGap::Dash,
            // `I/O error: …`
            _ if text.contains(&b'/') => WordGap::Name,
            // Months, days, AM and zones, and marks.
            _ => self.gap,
        }
    }

    fn stamped(&mut self, gap: WordGap) -> WordGap {
        self.has_stamp = true;
        gap
    }

    fn tag(&mut self) -> WordGap {
        self.bare = self.bare.max(1);
        WordGap::Tag
    }

    fn level(&self, word: &LetterRun<'_>) -> Option<StatedLevel> {
        if let [letter] = word.letters {
            return self
                .is_letter(word)
                .then(|| of_letter(*letter))
                .flatten()
                .map(StatedLevel::clear);
        }
        let level = word.name(self.gap)?;
        if word.letters.iter().all(u8::is_ascii_uppercase) {
            return self
                .states_in_capitals(word)
                .then_some(self.statement(level));
        }
        if word.is_enclosed() || self.is_before_tag(word) {
            return Some(StatedLevel::clear(level));
        }
        let begins = word.before.is_none() && self.gap != WordGap::Name && self.brackets == 0;
        let is_tagged = || {
            word.after == Some(b':')
                || (word.padded && word.next == Some(b':'))
                || self.is_numbered(word)
        };
        (begins && (is_tagged() || self.is_column(word))).then_some(self.statement(level))
    }

    /// Whether the name of a level in capitals is one.
    fn states_in_capitals(&self, word: &LetterRun<'_>) -> bool {
        // `[Server thread/INFO]` is Minecraft's.
        let is_thread = word.before == Some(b'/') && word.after == Some(b']');
        let is_apart =
            word.is_first() || is_thread || matches!(word.before, Some(b':' | b'.' | b'-'));
        let is_all = self.gap == WordGap::Tag && word.next.is_none();
        let in_place = self.has_stamp
            || self.bare == 0
            || self.gap != WordGap::Name
            || word.before.is_some()
            || word.after == Some(b'!');
        is_apart && in_place && !is_all && word.ends_capitals()
    }

    /// With which a message begins, or which is in a column of its own.
    fn statement(&self, level: Level) -> StatedLevel {
        StatedLevel {
            level,
            clear: !matches!(self.gap, WordGap::Start | WordGap::Tag),
        }
    }

    /// `debug 1: …`, as BIND has it.
    fn is_numbered(&self, word: &LetterRun<'_>) -> bool {
        let next = || self.next_token().strip_suffix(b":");
        word.letters == b"debug"
            && next().is_some_and(|number| number.iter().all(u8::is_ascii_digit))
    }

    /// `info` behind a stamp or between dashes, where a message may begin too.
    fn is_column(&self, word: &LetterRun<'_>) -> bool {
        let ends = matches!(word.after, None | Some(b',' | b'|' | b'\t'));
        let alone = word.padded || matches!(word.next, Some(b'|' | b'-' | b'[' | b'(' | b':'));
        if word.next.is_none() {
            // The word is all the message.
            return false;
        }
        match self.gap {
            WordGap::Start => {
                matches!(word.after, Some(b',' | b'|')) && !word.padded && word.next != Some(b' ')
            }
            WordGap::Stamp | WordGap::Bracket | WordGap::Pid | WordGap::Number
                if self.has_stamp && ends && self.bare == 0 =>
            {
                let lower = word.letters.iter().all(u8::is_ascii_lowercase);
                alone || word.after.is_some() || (lower && !word.is_talk()) || word.is_calm()
            }
            WordGap::Dash => alone,
            _ => false,
        }
    }

    /// `web-1 err tmm[123]: …`: between the host and the program, as some templates of syslog have
    /// it.
    fn is_before_tag(&self, word: &LetterRun<'_>) -> bool {
        if !self.has_stamp
            || self.gap != WordGap::Name
            || self.bare > 1
            || word.before.or(word.after).is_some()
        {
            return false;
        }
        let next = self.next_token();
        next.ends_with(b"]:") && next.contains(&b'[')
    }

    /// What follows the token at hand.
    fn next_token(&self) -> &'a [u8] {
        let rest = &self.head[self.at..];
        let rest = &rest[blanks(rest)..];
        &rest[..rest
            .iter()
            .position(|b| b" \t".contains(b))
            .unwrap_or(rest.len())]
    }

    /// Whether a letter means a level: logcat's, glog's, Ruby's, MongoDB's.
    fn is_letter(&self, word: &LetterRun<'_>) -> bool {
        if !word.letters[0].is_ascii_uppercase() {
            return false;
        }
        let begins = word.before.is_none() && self.bare == 0;
        match word.after {
            // Not `Option<T>`, and not `Copyright (C)`.
            _ if word.is_enclosed() => word.lead.len() < 2 && self.bare == 0 && word.lead != b"(",
            Some(b',') => begins && self.gap == WordGap::Start && word.next == Some(b','),
            Some(b'/') => {
                begins
                    && matches!(self.gap, WordGap::Start | WordGap::Stamp | WordGap::Number)
                    && self.is_logcat()
            }
            Some(b']') => self.brackets > 0 && word.before.is_none(),
            // Telegraf's `E!`.
            Some(b'!') => begins && self.gap == WordGap::Stamp,
            // `I` is a word too.
            None => {
                let stands = matches!(self.gap, WordGap::Stamp | WordGap::Bracket)
                    && (word.letters != b"I" || self.is_before_name(word));
                begins && (self.gap == WordGap::Number || stands)
            }
            _ => false,
        }
    }

    /// A name in capitals, a bracket or a path follows, as in MongoDB's, etcd's and TensorFlow's
    /// lines.
    fn is_before_name(&self, word: &LetterRun<'_>) -> bool {
        let next = self.next_token();
        word.padded
            || next
                .first()
                .is_some_and(|b| b.is_ascii_uppercase() || b"[|".contains(b))
            || next.contains(&b'/')
    }

    /// `D/Tag( 123): …`, `D/Tag: …`, `D/Tag ]`
    fn is_logcat(&self) -> bool {
        let rest = self.head.get(self.at..).unwrap_or_default();
        let token = &self.head[..self.at];
        let start = token
            .iter()
            .rposition(|b| b"/".contains(b))
            .map_or(0, |at| at + 1);
        let tag = &token[start..];
        let named = tag.first().is_some_and(u8::is_ascii_alphabetic);
        let with_pid = tag.ends_with(b"(") || rest.trim_ascii_start().first() == Some(&b'(');
        named
            && tag != b"O:"
            && (with_pid || memchr::memchr2(b':', b'(', tag).is_some() || self.brackets > 0)
    }
}

/// What a token consists of.
#[derive(Default)]
struct WordKind {
    /// Runs of letters that are no part of a stamp.
    names: u32,
    lower: bool,
    digits: bool,
    marks: bool,
    /// A bracket was closed.
    closed: bool,
}

impl WordKind {
    fn count(&mut self, word: &[u8], gap: WordGap) {
        let upper = word.iter().all(u8::is_ascii_uppercase);
        let of_stamp = word.len() == 1 && upper
            || is_calendar(word)
            || (upper
                && (2..=5).contains(&word.len())
                && matches!(gap, WordGap::Stamp | WordGap::Number));
        if !of_stamp {
            self.names += 1;
            self.lower |= !upper;
        }
    }
}

impl LetterRun<'_> {
    /// Words that mean a level in some places only.
    fn name(&self, gap: WordGap) -> Option<Level> {
        match self.letters {
            // `SERVICE ALERT: …` of Nagios reports any state.
            b"ALERT" if gap == WordGap::Capitals => None,
            // `STACK TRACE:`
            b"TRACE" if gap == WordGap::Capitals && self.before.is_none() => None,
            b"NOTE" if self.after.is_none() => None,
            // PostgreSQL; its log as CSV has commas.
            b"LOG" if matches!(self.after, Some(b':' | b',')) => Some(Level::Info),
            // PgBouncer.
            b"LOG" if gap == WordGap::Pid => Some(Level::Info),
            b"fail" if self.after == Some(b':') && self.before.is_none() => Some(Level::Error),
            b"CONFIG" if gap != WordGap::Tag && (self.after == Some(b':') || self.padded) => {
                Some(Level::Debug)
            }
            // `note: …` goes on with what a compiler said; MySQL's `[Note]` is a level.
            b"note" | b"Note" if !self.is_enclosed() => None,
            word if self.after == Some(b':')
                && self.before.is_none()
                && matches!(gap, WordGap::Start | WordGap::Capitals) =>
            {
                named(word).or_else(|| translated(word))
            }
            b"System" if self.is_enclosed() => Some(Level::Info),
            b"SUCCESS" if self.next == Some(b'|') => Some(Level::Info),
            b"FAILURE" => Some(Level::Error),
            word => named(word),
        }
    }

    /// Whether nothing of a word comes before it in its token.
    fn is_first(&self) -> bool {
        match self.before {
            None => true,
            Some(b'"') => matches!(self.lead, [b'"'] | [.., b',' | b';', b'"']),
            Some(b) => b"[(<|*,;#".contains(&b),
        }
    }

    /// In brackets by itself, blanks aside: `[error]`, `[info     ]`, `<warn>`, `[core:error]`.
    fn is_enclosed(&self) -> bool {
        match self.before {
            Some(b'[') => self.next == Some(b']') || self.after == Some(b']'),
            Some(b':' | b'#') => self.after == Some(b']'),
            // Not `<error><code>…`.
            Some(b'<') => {
                self.after == Some(b'>')
                    && matches!(self.rest.get(1), None | Some(b' ' | b':' | b'\t'))
            }
            Some(b'(') => self.after == Some(b')'),
            Some(b'|') => self.next == Some(b'|'),
            _ => false,
        }
    }

    fn ends_capitals(&self) -> bool {
        match self.after {
            None => true,
            // `ERROR-2`, `INFO+2` of Go's slog lie between levels.
            Some(b'-' | b'+') if self.rest.get(1).is_some_and(u8::is_ascii_digit) => {
                self.rest.get(2).is_none_or(u8::is_ascii_whitespace)
            }
            Some(b'-') => self.next == Some(b'-'),
            Some(b) => b"]:)>|,;[/!*\"".contains(&b),
        }
    }

    /// `alert manager`, `fine` and `panic mode` are talk.
    fn is_talk(&self) -> bool {
        [&b"alert"[..], b"fine", b"panic"].contains(&self.letters)
    }

    /// Words with which few messages begin.
    fn is_calm(&self) -> bool {
        [&b"Info"[..], b"Debug", b"Verbose", b"Information"].contains(&self.letters)
    }
}

/// Lines that PostgreSQL writes below another have no level of their own.
fn is_rest_of_error(word: &LetterRun<'_>) -> bool {
    word.after == Some(b':')
        && [
            &b"STATEMENT"[..],
            b"DETAIL",
            b"HINT",
            b"CONTEXT",
            b"QUERY",
            b"LOCATION",
        ]
        .contains(&word.letters)
}

/// Blanks and colours, which are like blanks to what follows them.
fn blanks(text: &[u8]) -> usize {
    let mut at = 0;
    loop {
        match text.get(at) {
            Some(b' ' | b'\t' | b'\r') => at += 1,
            Some(0x1b) => {
                let sequence = text[at..].iter().position(u8::is_ascii_alphabetic);
                at += sequence.map_or(text.len() - at, |end| end + 1);
            }
            _ => return at,
        }
    }
}

fn is_calendar(word: &[u8]) -> bool {
    const NAMES: &[u8; 57] = b"JanFebMarAprMayJunJulAugSepOctNovDecMonTueWedThuFriSatSun";
    word.len() == 3 && NAMES.chunks_exact(3).any(|name| name == word)
}
