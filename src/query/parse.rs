//! How queries are written: what joins terms. Terms that are more than text are read in `term`,
//! ranges of times in `range`.
//!
//! Everyday text must stay text: what a person copies from a log line (addresses with ports, URLs,
//! paths, clock times, `std::io`) is searched for as it is. A phrase in quotes always is. Signs that
//! are no whole syntax are text too: a quote or a parenthesis that is not closed, a path, an OR with
//! nothing behind it. An error is left for what was certainly meant as syntax, such as a misspelt
//! level. What a query finds besides, because it was copied from a line, is left to `copied`.

mod range;
mod term;

pub(super) use term::{RESERVED, is_name};

use std::ops::Range;

use super::ast::{QueryExpr, QueryTerm, RegexPattern};
use super::error::QueryError;
use super::expression;
use super::when::ReferenceTime;

/// The longest query in bytes. Nobody types more; what is pasted by mistake is refused at once.
pub const MAX_QUERY_BYTES: usize = 4096;

/// The most terms of a query. Each may cost a search over every line.
pub const MAX_TERMS: usize = 64;

/// The most regular expressions among them: each may take
/// [`MAX_REGEX_BYTES`](super::MAX_REGEX_BYTES) twice.
pub const MAX_REGEXES: usize = 16;

/// The deepest nesting of parentheses and negations.
pub const MAX_DEPTH: usize = 32;

/// Behind so many parentheses that nothing closes, none groups any more.
const MAX_OPEN_GROUPS: usize = 8;

/// The expression that a text is. Ranges of times are checked against `now`, where one is given.
pub(super) fn expression(text: &str, now: Option<&ReferenceTime>) -> Result<QueryExpr, QueryError> {
    let mut reader = QueryReader::new(text, now);
    if text.len() > MAX_QUERY_BYTES {
        if let Some(head) = head_of_long_line(text) {
            return Ok(QueryExpr::Term(QueryTerm::Text(head.to_owned())));
        }
        let message = format!("a query has at most {MAX_QUERY_BYTES} bytes");
        return reader.error(MAX_QUERY_BYTES..text.len(), message);
    }
    match reader.whole() {
        Err(_) if reader.is_long_text() => {
            Ok(QueryExpr::Term(QueryTerm::Text(text.trim().to_owned())))
        }
        read => read,
    }
}

/// So much of a line that is too long for a query is looked for.
const HEAD_BYTES: usize = 1024;

/// The beginning of a line that was pasted; `None` where the text is a query, though too long.
fn head_of_long_line(text: &str) -> Option<&str> {
    let text = text.trim();
    let is_query = text.starts_with(['/', '(', '-', '"']) || text.contains(" OR ");
    let end = (0..=HEAD_BYTES.min(text.len()))
        .rev()
        .find(|&at| text.is_char_boundary(at))?;
    (!is_query).then(|| &text[..end])
}

struct QueryReader<'a> {
    text: &'a str,
    at: usize,
    /// Parentheses and negations around this place.
    depth: usize,
    /// Parentheses around this place.
    groups: usize,
    /// Parentheses group; otherwise they are text.
    has_groups: bool,
    /// Parentheses that turned out to be text; each is read twice.
    open_groups: usize,
    /// Words that join were read.
    is_joined: bool,
    terms: usize,
    /// Of the terms, those that are text and not negated.
    texts: usize,
    regexes: usize,
    now: Option<&'a ReferenceTime>,
}

impl<'a> QueryReader<'a> {
    fn new(text: &'a str, now: Option<&'a ReferenceTime>) -> Self {
        Self {
            text,
            at: 0,
            depth: 0,
            groups: 0,
            has_groups: true,
            open_groups: 0,
            is_joined: false,
            terms: 0,
            texts: 0,
            regexes: 0,
            now,
        }
    }

    fn whole(&mut self) -> Result<QueryExpr, QueryError> {
        if !self.skip_blanks() {
            return Ok(QueryExpr::everything());
        }
        self.any()
    }

    /// Whether what has more terms than a query may have is a line that was pasted, rather than a
    /// list of conditions.
    fn is_long_text(&self) -> bool {
        let is_long = self.terms > MAX_TERMS || self.regexes > MAX_REGEXES;
        is_long && !self.is_joined && self.texts * 2 > self.terms
    }

    fn error<T>(&self, span: Range<usize>, message: impl Into<String>) -> Result<T, QueryError> {
        Err(QueryError::new(self.text, span, message))
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// False at the end of the text.
    fn skip_blanks(&mut self) -> bool {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
        self.at < self.text.len()
    }

    fn eat(&mut self, prefix: &str) -> bool {
        let eaten = self.rest().starts_with(prefix);
        if eaten {
            self.at += prefix.len();
        }
        eaten
    }

    /// Whether one of the words AND, OR and NOT is here.
    fn is_at(&self, word: &str) -> bool {
        let after = self
            .rest()
            .strip_prefix(word)
            .map(|rest| rest.chars().next());
        after.is_some_and(|next| next.is_none_or(|c| c.is_whitespace() || c == '(' || c == ')'))
    }

    fn any(&mut self) -> Result<QueryExpr, QueryError> {
        let mut parts = vec![self.all()?];
        while self.joins("OR") {
            self.at += "OR".len();
            self.is_joined = true;
            parts.push(self.all()?);
        }
        Ok(QueryExpr::any(parts))
    }

    fn all(&mut self) -> Result<QueryExpr, QueryError> {
        let mut parts = vec![self.one()?];
        while self.skip_blanks() && !self.ends(self.rest()) && !self.joins("OR") {
            if self.joins("AND") {
                self.at += "AND".len();
                self.is_joined = true;
                self.skip_blanks();
            }
            parts.push(self.one()?);
        }
        Ok(QueryExpr::all(parts))
    }

    /// Whether this word is here and there is something behind it that it can join.
    fn joins(&self, word: &str) -> bool {
        self.is_at(word) && {
            let behind = self.rest()[word.len()..].trim_start();
            !behind.is_empty() && !self.ends(behind)
        }
    }

    /// A term, a group, or the negation of one.
    fn one(&mut self) -> Result<QueryExpr, QueryError> {
        self.skip_blanks();
        let start = self.at;
        if self.joins("NOT") {
            self.at += "NOT".len();
            self.is_joined = true;
            self.skip_blanks();
            return self.negation(start);
        }
        if let Some(range) = self.range()? {
            return self.counted(start, range);
        }
        if self.is_negation(self.bare_at()) {
            self.at += 1;
            return self.negation(start);
        }
        if self.opens_group() {
            return self.group();
        }
        let expr = self.primary()?;
        self.counted(start, expr)
    }

    /// Dashes alone are text, and so are options as in `--verbose` and the zones behind times.
    fn is_negation(&self, word: &str) -> bool {
        let is_dashed = word.len() > 1 && word.starts_with('-') && !word.starts_with("--");
        is_dashed && !is_zone(word, self.text[..self.at].trim_end())
    }

    fn negation(&mut self, start: usize) -> Result<QueryExpr, QueryError> {
        let texts = self.texts;
        let negated = self.deeper(start, |reader| {
            reader.one().map(|expr| QueryExpr::Not(Box::new(expr)))
        });
        self.texts = texts;
        negated
    }

    /// Whether a parenthesis is here that may group.
    fn opens_group(&self) -> bool {
        let inner = self.rest().strip_prefix('(').filter(|_| self.has_groups);
        inner.is_some_and(|inner| inner.contains(')') && !inner.trim_start().starts_with(')'))
    }

    /// A group; a parenthesis that nothing closes is text.
    fn group(&mut self) -> Result<QueryExpr, QueryError> {
        let start = self.at;
        let before = QueryReader { ..*self };
        self.at += 1;
        let inner = self.deeper(start, |reader| {
            reader.groups += 1;
            let inner = reader.any()?;
            reader.groups -= 1;
            Ok(reader.eat(")").then_some(inner))
        })?;
        if let Some(inner) = inner {
            return Ok(inner);
        }
        let open_groups = self.open_groups + 1;
        *self = QueryReader {
            open_groups,
            has_groups: open_groups < MAX_OPEN_GROUPS,
            ..before
        };
        let text = self.text_from(start);
        self.counted(start, text)
    }

    fn deeper<T>(
        &mut self,
        start: usize,
        read: impl FnOnce(&mut Self) -> Result<T, QueryError>,
    ) -> Result<T, QueryError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return self.error(
                start..start + 1,
                format!("parentheses and negations nest at most {MAX_DEPTH} deep"),
            );
        }
        let read = read(self)?;
        self.depth -= 1;
        Ok(read)
    }

    fn counted(&mut self, start: usize, expr: QueryExpr) -> Result<QueryExpr, QueryError> {
        self.terms += 1;
        self.texts += usize::from(matches!(expr, QueryExpr::Term(QueryTerm::Text(_))));
        if self.terms > MAX_TERMS {
            return self.error(
                start..self.at,
                format!("a query has at most {MAX_TERMS} terms; a regex can join many: /a|b/"),
            );
        }
        Ok(expr)
    }

    fn primary(&mut self) -> Result<QueryExpr, QueryError> {
        match self.rest().chars().next() {
            Some('"') => self.phrase(),
            Some('/') => self.regex(),
            _ => self.word(),
        }
    }

    /// What is between here and the next blank, or the parenthesis that closes the group around.
    fn bare_at(&self) -> &'a str {
        let rest = self.rest();
        let mut open = 0_usize;
        for (at, c) in rest.char_indices() {
            match c {
                '(' => open += 1,
                ')' if open == 0 && self.groups > 0 => return &rest[..at],
                ')' => open = open.saturating_sub(1),
                c if c.is_whitespace() => return &rest[..at],
                _ => {}
            }
        }
        rest
    }

    /// The word from a place on, as text.
    fn text_from(&mut self, start: usize) -> QueryExpr {
        self.at = start;
        QueryExpr::Term(QueryTerm::Text(self.bare().to_owned()))
    }

    /// The word at a place.
    fn bare_from(&self, at: usize) -> &'a str {
        QueryReader { at, ..*self }.bare_at()
    }

    fn bare(&mut self) -> &'a str {
        let word = self.bare_at();
        self.at += word.len();
        word
    }

    /// The text in quotes that begins here, where they are closed and the term ends with them, but
    /// for signs as they stand behind a value.
    fn quoted(&mut self) -> Option<String> {
        let text = self.quoted_piece()?;
        let rest = self.rest();
        let behind =
            rest.trim_start_matches(|c: char| CLOSING.contains(&c) && !self.closes_group(c));
        self.ends(behind).then(|| {
            self.at += rest.len() - behind.len();
            text
        })
    }

    /// The text in quotes that begins here, whatever is behind it.
    fn quoted_piece(&mut self) -> Option<String> {
        let mut text = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.at += at + 1;
                    return Some(text);
                }
                '\\' => match chars.next()? {
                    (_, escaped @ ('"' | '\\')) => text.push(escaped),
                    // A backslash before anything else is meant itself: paths of Windows, sequences
                    // of JSON.
                    (_, other) => text.extend(['\\', other]),
                },
                _ => text.push(c),
            }
        }
        None
    }

    fn closes_group(&self, c: char) -> bool {
        c == ')' && self.groups > 0
    }

    /// Whether a term has ended before this.
    fn ends(&self, rest: &str) -> bool {
        rest.chars()
            .next()
            .is_none_or(|c| c.is_whitespace() || c == ')' && self.groups > 0)
    }

    /// `"a phrase"`, or `"the name of a field":value`.
    fn phrase(&mut self) -> Result<QueryExpr, QueryError> {
        let start = self.at;
        if let Some(name) = self.quoted_piece().filter(|name| !name.is_empty())
            && let Some(expr) = self.field_named(&name, start)?
        {
            return Ok(expr);
        }
        self.at = start;
        match self.quoted().filter(|text| !text.is_empty()) {
            Some(text) => Ok(QueryExpr::Term(QueryTerm::Text(text))),
            None => Ok(self.text_from(start)),
        }
    }

    /// `/…/` or `/…/i`. A slash with anything else behind it belongs to the expression, so that
    /// paths in it are written as they are. A path that is not closed is text.
    fn regex(&mut self) -> Result<QueryExpr, QueryError> {
        let start = self.at;
        let body = &self.rest()[1..];
        let Some((length, either_case)) = self.end_of_regex(body).filter(|(length, _)| *length > 0)
        else {
            return Ok(self.text_from(start));
        };
        self.at = start + 1 + length + 1 + usize::from(either_case);
        let body = &body[..length];
        let read = self.pattern(start + 1, body, either_case);
        // Two paths of a sentence are no expression.
        if read.is_err() && body.contains(char::is_whitespace) {
            return Ok(self.text_from(start));
        }
        read
    }

    /// Where the slash is that ends an expression, and whether an `i` follows it.
    fn end_of_regex(&self, body: &str) -> Option<(usize, bool)> {
        let mut escaped = false;
        for (at, c) in body.char_indices() {
            if c == '/' && !escaped {
                let after = &body[at + 1..];
                if self.ends(after) {
                    return Some((at, false));
                }
                if after.strip_prefix('i').is_some_and(|rest| self.ends(rest)) {
                    return Some((at, true));
                }
            }
            escaped = c == '\\' && !escaped;
        }
        None
    }

    fn pattern(
        &mut self,
        start: usize,
        body: &str,
        either_case: bool,
    ) -> Result<QueryExpr, QueryError> {
        self.regexes += 1;
        if self.regexes > MAX_REGEXES {
            let message = format!(
                "a query has at most {MAX_REGEXES} regular expressions; one can join many: /a|b/"
            );
            return self.error(start..start + body.len(), message);
        }
        let pattern = RegexPattern {
            text: without_escaped_slashes(body),
            either_case,
        };
        if let Err(error) = expression::regex(&pattern) {
            let (offset, reason) = place_and_reason(&error, &pattern.text);
            let slashes = pattern.text[..offset].matches('/').count();
            let escapes = slashes.min(body.matches("\\/").count());
            let at = start + (offset + escapes).min(body.len());
            return self.error(at..at + usize::from(at < start + body.len()), reason);
        }
        Ok(QueryExpr::Term(QueryTerm::Regex(pattern)))
    }
}

/// Signs behind a value that are no part of it, where they close nothing in it.
const CLOSING: [char; 7] = [',', ';', ')', ']', '}', '>', '.'];

/// Whether a word is how far a zone is behind UTC: `-05:00`, and behind a time of day `-0500` too.
pub(super) fn is_zone(word: &str, before: &str) -> bool {
    let is_number = |text: &str| text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
    let offset = word[1..].trim_end_matches(|c| CLOSING.contains(&c) || "\"'|:-".contains(c));
    if let Some((hours, minutes)) = offset.split_once(':') {
        return is_number(hours) && is_number(minutes);
    }
    let clock = before
        .rsplit(|c: char| c.is_whitespace() || c == 'T')
        .next();
    let is_clock = |clock: &str| {
        let colons = clock.bytes().filter(|&b| b == b':').count();
        colons >= 2 && clock.ends_with(|c: char| c.is_ascii_digit())
    };
    offset.len() == 4 && offset.bytes().all(|b| b.is_ascii_digit()) && clock.is_some_and(is_clock)
}

/// A slash needs a backslash only for the query, and the expression is easier to read without.
fn without_escaped_slashes(body: &str) -> String {
    let mut text = String::with_capacity(body.len());
    let mut chars = body.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('/') => text.push('/'),
                Some(other) => text.extend(['\\', other]),
                None => text.push('\\'),
            },
            _ => text.push(c),
        }
    }
    text
}

/// The crate explains itself in several lines: the pattern, indented, a caret below it, and `error:
/// REASON`.
fn place_and_reason(error: &regex::Error, pattern: &str) -> (usize, String) {
    const INDENT: usize = 4;
    if matches!(error, regex::Error::CompiledTooBig(_)) {
        let message = "this regular expression is too large: use smaller numbers in {…} or fewer Unicode classes";
        return (0, message.to_owned());
    }
    let explained = error.to_string();
    let column = explained
        .lines()
        .find(|line| line.contains('^') && line.trim().bytes().all(|b| b == b'^'))
        .and_then(|line| line.find('^'))
        .map_or(0, |at| at.saturating_sub(INDENT));
    let offset = pattern
        .char_indices()
        .nth(column)
        .map_or(pattern.len(), |(at, _)| at);
    let reason = explained
        .lines()
        .find_map(|line| line.strip_prefix("error: "))
        .unwrap_or("it does not parse");
    (offset, format!("not a regular expression: {reason}"))
}
