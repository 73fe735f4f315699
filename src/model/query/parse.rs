//! How queries are written.

use memchr::memmem;

use super::{Comparison, Level, MAX_QUERY_BYTES, MAX_REGEX_BYTES, QueryError, Term, What};

/// The terms of a query in the order in which they are written.
pub(super) fn terms(text: &str) -> Result<Vec<Term>, QueryError> {
    if text.len() > MAX_QUERY_BYTES {
        return Err(error(MAX_QUERY_BYTES, format!("a query has at most {MAX_QUERY_BYTES} bytes")));
    }
    let mut reader = Reader { text, at: 0 };
    let mut terms = Vec::new();
    while reader.skip_blanks() {
        terms.push(reader.term()?);
    }
    Ok(terms)
}

fn error(at: usize, message: impl Into<String>) -> QueryError {
    QueryError { at, message: message.into() }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
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

    fn term(&mut self) -> Result<Term, QueryError> {
        // Dashes alone are a word.
        let dashes_alone = self.bare_at().bytes().all(|b| b == b'-');
        let negated = !dashes_alone && self.eat("-");
        let what = match self.rest().chars().next() {
            Some('"') => phrase(self.at, &self.quoted()?)?,
            Some('/') => self.regex()?,
            _ => self.word()?,
        };
        Ok(Term { negated, what })
    }

    /// What is between here and the next blank.
    fn bare_at(&self) -> &'a str {
        let rest = self.rest();
        &rest[..rest.find(char::is_whitespace).unwrap_or(rest.len())]
    }

    fn bare(&mut self) -> &'a str {
        let word = self.bare_at();
        self.at += word.len();
        word
    }

    /// The text in quotes.
    fn quoted(&mut self) -> Result<String, QueryError> {
        let start = self.at;
        let mut text = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.at += at + 1;
                    return self.ended("a blank must follow the closing quote").map(|()| text);
                }
                '\\' => match chars.next() {
                    Some((_, escaped @ ('"' | '\\'))) => text.push(escaped),
                    // A backslash before anything else is meant itself: paths of Windows, sequences of JSON.
                    Some((_, other)) => text.extend(['\\', other]),
                    None => break,
                },
                _ => text.push(c),
            }
        }
        Err(error(start, "this quote is not closed: put a \" at the end"))
    }

    fn ended(&self, otherwise: &str) -> Result<(), QueryError> {
        let ended = self.rest().chars().next().is_none_or(char::is_whitespace);
        if ended { Ok(()) } else { Err(error(self.at, otherwise)) }
    }

    /// `/…/` or `/…/i`. A slash with anything else behind it belongs to the expression, so that paths in it are
    /// written as they are.
    fn regex(&mut self) -> Result<What, QueryError> {
        let (start, body) = (self.at, &self.rest()[1..]);
        let mut escaped = false;
        for (at, c) in body.char_indices() {
            let after = &body[at + c.len_utf8()..];
            let after_flag = after.strip_prefix('i').unwrap_or(after);
            let ends = |rest: &str| rest.chars().next().is_none_or(char::is_whitespace);
            if c == '/' && !escaped && (ends(after) || ends(after_flag)) {
                let either_case = !ends(after);
                self.at = start + 1 + at + 1 + usize::from(either_case);
                return regex(start + 1, &body[..at], either_case);
            }
            escaped = c == '\\' && !escaped;
        }
        Err(error(start, "this regular expression is not closed: end it with / or /i, or put text in \"quotes\""))
    }

    fn word(&mut self) -> Result<What, QueryError> {
        let start = self.at;
        for (field, make) in [("host:", What::Host as fn(_) -> _), ("source:", What::Source as fn(_) -> _)] {
            if self.eat(field) {
                return self.glob(field).map(make);
            }
        }
        let word = self.bare();
        match word.strip_prefix("level") {
            Some(rest) if rest.starts_with(['<', '>', '=', ':']) => level(start + "level".len(), rest),
            _ => text(start, word),
        }
    }

    fn glob(&mut self, field: &str) -> Result<globset::GlobMatcher, QueryError> {
        let start = self.at;
        let pattern = if self.rest().starts_with('"') { self.quoted()? } else { self.bare().to_owned() };
        if pattern.is_empty() {
            return Err(error(start, format!("{field} needs a name or a pattern, as in {field}web-*")));
        }
        let glob = globset::GlobBuilder::new(&pattern).case_insensitive(is_lower(&pattern)).build();
        let glob = glob.map_err(|cause| error(start, format!("{pattern:?} is not a pattern: {}", cause.kind())))?;
        Ok(glob.compile_matcher())
    }
}

/// Text without a capital matches either case.
fn is_lower(text: &str) -> bool {
    !text.chars().any(char::is_uppercase)
}

fn level(at: usize, condition: &str) -> Result<What, QueryError> {
    // The longer operators first, since the shorter ones begin them.
    let operators = [
        (">=", Comparison::AtLeast),
        ("<=", Comparison::AtMost),
        ("=", Comparison::Equal),
        (":", Comparison::Equal),
        (">", Comparison::Above),
        ("<", Comparison::Below),
    ];
    let found = operators.iter().find_map(|(sign, comparison)| Some((sign, comparison, condition.strip_prefix(sign)?)));
    let Some((sign, &comparison, name)) = found else { return Err(error(at, "expected level>=NAME")) };
    let name_at = at + sign.len();
    match Level::parse(name) {
        Some(level) => Ok(What::Level(comparison, level)),
        None => Err(error(name_at, format!("{name:?} is not a level: {}", level_hint(name)))),
    }
}

fn level_hint(name: &str) -> String {
    let near = Level::ALL.into_iter().min_by_key(|level| strsim::levenshtein(level.as_str(), &name.to_lowercase()));
    match near.filter(|level| !name.is_empty() && strsim::levenshtein(level.as_str(), &name.to_lowercase()) <= 2) {
        Some(level) => format!("did you mean {level}?"),
        None => format!("use one of {}", Level::ALL.map(Level::as_str).join(", ")),
    }
}

fn phrase(at: usize, phrase: &str) -> Result<What, QueryError> {
    if phrase.is_empty() { Err(error(at, "there is nothing between the quotes")) } else { text(at, phrase) }
}

fn text(at: usize, text: &str) -> Result<What, QueryError> {
    if is_lower(text) && text.chars().any(char::is_alphabetic) {
        regex(at, &regex::escape(text), true)
    } else {
        Ok(What::Text(memmem::Finder::new(text).into_owned()))
    }
}

fn regex(at: usize, pattern: &str, either_case: bool) -> Result<What, QueryError> {
    if pattern.is_empty() {
        return Err(error(at, "there is nothing between the slashes"));
    }
    let built = regex::bytes::RegexBuilder::new(pattern)
        .case_insensitive(either_case)
        .size_limit(MAX_REGEX_BYTES)
        .dfa_size_limit(MAX_REGEX_BYTES)
        .build();
    built.map(What::Regex).map_err(|cause| match cause {
        regex::Error::CompiledTooBig(_) => {
            error(at, "this regular expression is too large: use smaller numbers in {…} or fewer Unicode classes")
        }
        cause => {
            let (offset, reason) = place_and_reason(&cause.to_string(), pattern);
            error(at + offset, format!("not a regular expression: {reason}"))
        }
    })
}

/// The crate explains itself in several lines: the pattern, indented, a caret below it, and `error: REASON`.
fn place_and_reason(explained: &str, pattern: &str) -> (usize, String) {
    const INDENT: usize = 4;
    let caret = explained.lines().find(|line| line.contains('^') && line.trim().bytes().all(|b| b == b'^'));
    let column = caret.and_then(|line| line.find('^')).map_or(0, |at| at.saturating_sub(INDENT));
    let offset = pattern.char_indices().nth(column).map_or(pattern.len(), |(at, _)| at);
    let reason = explained.lines().find_map(|line| line.strip_prefix("error: ")).unwrap_or("it does not parse");
    (offset, reason.to_owned())
}
