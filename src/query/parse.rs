//! How queries are written: what joins terms. Terms that are more than text are read in `term`,
//! ranges of times in `range`.
//!
//! Everyday text must stay text: what a person copies from a log line (addresses with ports, URLs,
//! paths, clock times, `std::io`) is searched for as it is. A phrase in quotes always is.

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

/// The expression that a text is. Ranges of times are checked against `now`, where one is given.
pub(super) fn expression(text: &str, now: Option<&ReferenceTime>) -> Result<QueryExpr, QueryError> {
    let mut reader = QueryReader {
        text,
        at: 0,
        depth: 0,
        groups: 0,
        terms: 0,
        regexes: 0,
        now,
    };
    if text.len() > MAX_QUERY_BYTES {
        let message = format!("a query has at most {MAX_QUERY_BYTES} bytes");
        return reader.error(MAX_QUERY_BYTES..text.len(), message);
    }
    if !reader.skip_blanks() {
        return Ok(QueryExpr::everything());
    }
    let expr = reader.any()?;
    // Only a parenthesis ends an expression before the text does.
    if reader.at < text.len() {
        return reader.error(
            reader.at..reader.at + 1,
            "no ( is open that this ) could close; put text in \"quotes\"",
        );
    }
    Ok(expr)
}

struct QueryReader<'a> {
    text: &'a str,
    at: usize,
    /// Parentheses and negations around this place.
    depth: usize,
    /// Parentheses around this place.
    groups: usize,
    terms: usize,
    regexes: usize,
    now: Option<&'a ReferenceTime>,
}

impl<'a> QueryReader<'a> {
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
        while self.is_at("OR") {
            self.at += "OR".len();
            parts.push(self.all()?);
        }
        Ok(QueryExpr::any(parts))
    }

    fn all(&mut self) -> Result<QueryExpr, QueryError> {
        let mut parts = Vec::new();
        let mut wanting = None;
        while self.skip_blanks() && !self.rest().starts_with(')') && !self.is_at("OR") {
            if self.is_at("AND") {
                if parts.is_empty() || wanting.is_some() {
                    break;
                }
                wanting = Some(self.at);
                self.at += "AND".len();
                continue;
            }
            parts.push(self.one()?);
            wanting = None;
        }
        if parts.is_empty() || wanting.is_some() {
            return self.missing();
        }
        Ok(QueryExpr::all(parts))
    }

    /// Something is missing here.
    fn missing<T>(&self) -> Result<T, QueryError> {
        let word = ["AND", "OR"].into_iter().find(|word| self.is_at(word));
        match word {
            Some(word) => {
                let message = format!(
                    "something must stand before {word}; to find the word itself write \"{word}\""
                );
                self.error(self.at..self.at + word.len(), message)
            }
            None if self.rest().starts_with(')') && self.groups == 0 => self.error(
                self.at..self.at + 1,
                "no ( is open that this ) could close; put text in \"quotes\"",
            ),
            None if self.text[..self.at].trim_end().ends_with('(') => {
                self.error(self.at..self.at, "there is nothing between the parentheses")
            }
            None => self.error(
                self.at..self.at,
                "something must follow: a word, \"a phrase\", /a regex/, field:value or (",
            ),
        }
    }

    /// A term, a group, or the negation of one.
    fn one(&mut self) -> Result<QueryExpr, QueryError> {
        let start = self.at;
        if self.is_at("NOT") {
            self.at += "NOT".len();
            return if self.skip_blanks() {
                self.negation(start)
            } else {
                self.missing()
            };
        }
        if let Some(range) = self.range()? {
            return self.counted(start, range);
        }
        let word = self.bare_at();
        // Dashes alone are text, and so are options as in --verbose.
        if word.len() > 1 && word.starts_with('-') && !word.starts_with("--") {
            self.at += 1;
            return self.negation(start);
        }
        if self.rest().starts_with('(') {
            return self.group();
        }
        let expr = self.primary()?;
        self.counted(start, expr)
    }

    fn negation(&mut self, start: usize) -> Result<QueryExpr, QueryError> {
        self.deeper(start, |reader| {
            if reader.rest().starts_with(')') || reader.is_at("OR") || reader.is_at("AND") {
                return reader.missing();
            }
            reader.one().map(|expr| QueryExpr::Not(Box::new(expr)))
        })
    }

    fn group(&mut self) -> Result<QueryExpr, QueryError> {
        let start = self.at;
        self.at += 1;
        self.deeper(start, |reader| {
            reader.groups += 1;
            let inner = reader.any()?;
            reader.groups -= 1;
            if reader.eat(")") {
                return Ok(inner);
            }
            reader.error(
                start..start + 1,
                "this ( is not closed: put a ) at the end, or put text in \"quotes\"",
            )
        })
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
                ')' if open == 0 => return &rest[..at],
                ')' => open -= 1,
                c if c.is_whitespace() => return &rest[..at],
                _ => {}
            }
        }
        rest
    }

    fn bare(&mut self) -> &'a str {
        let word = self.bare_at();
        self.at += word.len();
        word
    }

    /// The text in quotes that begins here.
    fn quoted(&mut self) -> Result<String, QueryError> {
        let start = self.at;
        let mut text = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.at += at + 1;
                    return Ok(text);
                }
                '\\' => match chars.next() {
                    Some((_, escaped @ ('"' | '\\'))) => text.push(escaped),
                    // A backslash before anything else is meant itself: paths of Windows, sequences
                    // of JSON.
                    Some((_, other)) => text.extend(['\\', other]),
                    None => break,
                },
                _ => text.push(c),
            }
        }
        self.error(
            start..self.text.len(),
            "this quote is not closed: put a \" at the end",
        )
    }

    /// Refuses what follows without a blank.
    fn ended(&self, what: &str) -> Result<(), QueryError> {
        if self.ends(self.rest()) {
            return Ok(());
        }
        self.error(
            self.at..self.at + self.bare_at().len(),
            format!("a blank must follow {what}"),
        )
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
        let text = self.quoted()?;
        if text.is_empty() {
            return self.error(start..self.at, "there is nothing between the quotes");
        }
        if let Some(expr) = self.field_named(&text, start)? {
            return Ok(expr);
        }
        self.ended("the closing quote")?;
        Ok(QueryExpr::Term(QueryTerm::Text(text)))
    }

    /// `/…/` or `/…/i`. A slash with anything else behind it belongs to the expression, so that
    /// paths in it are written as they are. A path that is not closed is text.
    fn regex(&mut self) -> Result<QueryExpr, QueryError> {
        let start = self.at;
        let body = &self.rest()[1..];
        if let Some((length, either_case)) = self.end_of_regex(body) {
            self.at = start + 1 + length + 1 + usize::from(either_case);
            return self.pattern(start + 1, &body[..length], either_case);
        }
        let word = self.bare_at();
        let is_path = |c: char| c.is_alphanumeric() || "/-_.~%:@=&,;#!".contains(c);
        if word.chars().all(is_path) {
            self.at += word.len();
            return Ok(QueryExpr::Term(QueryTerm::Text(word.to_owned())));
        }
        self.error(
            start..self.text.len(),
            "this regular expression is not closed: end it with / or /i, or put text in \"quotes\"",
        )
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
        if body.is_empty() {
            return self.error(start..start, "there is nothing between the slashes");
        }
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
