//! Regular expressions for the texts, wildcards and patterns of a query, bounded in size, and
//! whether they ignore case.

use globset::{GlobBuilder, GlobMatcher};
use regex::bytes::{Regex, RegexBuilder};

use super::ast::{RegexPattern, ValuePiece};

/// The largest compiled regular expression in bytes, above which it would cost more than it is
/// worth (`(?:a{1000}){1000}`).
pub const MAX_REGEX_BYTES: usize = 1024 * 1024;

/// Why an expression cannot be made ready, which the parser has ruled out for those that were
/// typed.
pub(super) type Failed = Box<dyn std::error::Error + Send + Sync>;

/// The texts among the pieces of a value.
pub(super) fn texts(pieces: &[ValuePiece]) -> impl Iterator<Item = &str> {
    pieces.iter().filter_map(|piece| match piece {
        ValuePiece::Text(text) => Some(text.as_str()),
        ValuePiece::Any => None,
    })
}

/// The expression that a whole value must match.
pub(super) fn like(pieces: &[ValuePiece]) -> Result<Regex, regex::Error> {
    let fold = !texts(pieces).any(has_capital);
    let mut pattern = String::from(r"\A");
    for piece in pieces {
        match piece {
            ValuePiece::Text(text) if fold => pattern += &folded(text),
            ValuePiece::Text(text) => pattern += &regex::escape(text),
            ValuePiece::Any => pattern += "(?s-u:.*)",
        }
    }
    built(&(pattern + r"\z"))
}

pub(super) fn has_capital(text: &str) -> bool {
    text.chars().any(char::is_uppercase)
}

/// Whether a text is meant in either case: it has letters, and none of them is a capital.
pub(super) fn either_case(text: &str) -> bool {
    !has_capital(text) && text.chars().any(char::is_alphabetic)
}

/// An expression for a text in either case. Letters of ASCII are the same as each other only, so
/// that `k` is not also the sign of Kelvin; others by Unicode's simple rules.
pub(super) fn folded(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = rest
            .find(|c: char| c.is_ascii() != first.is_ascii())
            .unwrap_or(rest.len());
        let flags = if first.is_ascii() { "i-u" } else { "i" };
        pattern += &format!("(?{flags}:{})", regex::escape(&rest[..end]));
        rest = &rest[end..];
    }
    pattern
}

/// The expression of a query, made ready.
pub(super) fn regex(pattern: &RegexPattern) -> Result<Regex, regex::Error> {
    RegexBuilder::new(&pattern.text)
        .size_limit(MAX_REGEX_BYTES)
        .dfa_size_limit(MAX_REGEX_BYTES)
        .case_insensitive(pattern.either_case)
        .build()
}

/// An expression of ours: from a text that has at most the length of a query, so it is never too
/// large for memory.
pub(super) fn built(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern)
        .size_limit(16 * MAX_REGEX_BYTES)
        .dfa_size_limit(MAX_REGEX_BYTES)
        .build()
}

/// The pattern of a name; without a capital it matches either case.
pub(super) fn glob(pattern: &str) -> Result<GlobMatcher, globset::Error> {
    let glob = GlobBuilder::new(pattern)
        .case_insensitive(!has_capital(pattern))
        .build()?;
    Ok(glob.compile_matcher())
}
