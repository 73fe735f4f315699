//! What was copied from a line finds that line, whatever it means as a query: a dash before a word, a
//! slash, a name with a colon are in the lines of programs too.
//!
//! A query that is more than text is therefore looked for as it was typed besides, as a whole; and so
//! is a condition on a field, in a line that has another value in that field. Either counts only
//! where it stands apart, so that `status:50` is not found in `status:502`. What is asked of a host is
//! widened by the same text.

use regex::bytes::Regex;

use super::ast::{ComparisonOp, QueryExpr, QueryTerm};
use super::expression::{self, Failed};

/// A text that is recognised where it stands apart from what surrounds it.
#[derive(Debug, Clone)]
pub(super) struct CopiedText {
    pattern: Regex,
    /// It has no blanks: then it is a whole word, with everything that belongs to it.
    is_word: bool,
}

impl CopiedText {
    /// Blanks match any blanks: terminals show tabs as blanks, and shells make one of many.
    pub(super) fn new(text: &str) -> Result<Self, Failed> {
        let words: Vec<String> = text.split_whitespace().map(regex::escape).collect();
        Ok(Self {
            pattern: expression::built(&words.join(r"(?-u:[ \t]+)"))?,
            is_word: words.len() == 1,
        })
    }

    pub(super) fn pattern(&self) -> &Regex {
        &self.pattern
    }

    pub(super) fn is_in(&self, raw: &[u8]) -> bool {
        self.pattern.find_iter(raw).any(|found| {
            let (before, after) = (&raw[..found.start()], &raw[found.end()..]);
            let text = found.as_bytes();
            self.begins_apart(before, text) && self.ends_apart(text, after)
        })
    }

    fn begins_apart(&self, before: &[u8], text: &[u8]) -> bool {
        let (Some(last), Some(first)) = (before.last(), text.first()) else {
            return true;
        };
        if self.is_word && (is_of_word(*first) || b"-./@".contains(first)) {
            return !is_of_word(*last) && !b"-./@".contains(last);
        }
        !is_of_word(*first) || !is_of_word(*last)
    }

    fn ends_apart(&self, text: &[u8], after: &[u8]) -> bool {
        let (Some(last), Some(next)) = (text.last(), after.first()) else {
            return true;
        };
        if !is_of_word(*last) {
            return true;
        }
        if !self.is_word {
            return !is_of_word(*next);
        }
        // The point or colon that ends a sentence, or the part of a value that begins another.
        let goes_on = b"-./:@%+=?~*\\$([{".contains(next);
        let is_end = after.get(1).is_none_or(u8::is_ascii_whitespace);
        !is_of_word(*next) && (!goes_on || b".:".contains(next) && is_end)
    }
}

fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

/// What is searched for a query: what it means or, where that is more than text, the lines in which
/// it stands as it was typed.
pub(super) fn searched(typed: &str, expr: &QueryExpr) -> QueryExpr {
    let typed = typed.trim();
    if typed.is_empty() || !is_copied(expr) || finds_itself(typed, expr) {
        return expr.clone();
    }
    let copied = QueryExpr::Term(QueryTerm::AsTyped(typed.to_owned()));
    QueryExpr::any(vec![expr.clone(), copied])
}

/// Whether a query may have been copied from a line at all. One with times says how far back to
/// read, and one that compares levels is never in a line.
fn is_copied(expr: &QueryExpr) -> bool {
    match expr {
        QueryExpr::All(parts) | QueryExpr::Any(parts) => parts.iter().all(is_copied),
        QueryExpr::Not(inner) => is_copied(inner),
        QueryExpr::Term(QueryTerm::Time(_)) => false,
        QueryExpr::Term(QueryTerm::Level(order, _)) => *order == ComparisonOp::Equal,
        QueryExpr::Term(_) => true,
    }
}

/// Whether every line with this text matches anyway.
fn finds_itself(text: &str, expr: &QueryExpr) -> bool {
    match expr {
        QueryExpr::All(parts) => parts.iter().all(|part| finds_itself(text, part)),
        QueryExpr::Any(parts) => parts.iter().any(|part| finds_itself(text, part)),
        // A phrase in quotes is meant with its blanks as they are.
        QueryExpr::Term(QueryTerm::Text(term)) if term.contains(char::is_whitespace) => {
            text.contains(&format!("\"{term}\""))
        }
        QueryExpr::Term(QueryTerm::Text(term)) => text.contains(term.as_str()),
        QueryExpr::Not(_) | QueryExpr::Term(_) => false,
    }
}

/// Whether a query is text and nothing else, whose words stand anywhere in a line.
pub(super) fn is_text(expr: &QueryExpr) -> bool {
    match expr {
        QueryExpr::All(parts) => parts.iter().all(is_text),
        QueryExpr::Term(QueryTerm::Text(_)) => true,
        QueryExpr::Any(_) | QueryExpr::Not(_) | QueryExpr::Term(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_in(text: &str, line: &str) -> bool {
        CopiedText::new(text)
            .expect("a text")
            .is_in(line.as_bytes())
    }

    #[test]
    fn a_word_is_recognised_with_all_that_belongs_to_it() {
        for (text, line, expected) in [
            ("status:50", "status:502", false),
            ("status:50", "status:50, ok", true),
            ("status:50", "http.status:50", false),
            ("path=/api", "path=/api/users", false),
            ("path=/api", "path=/api: gone", true),
            ("path=/api", "path=/api.", true),
            ("user=Ann", "user=Ann-Marie", false),
            ("id=2", "id=1 id=2&x", true),
            ("-debug", "x-debug", false),
            ("-debug", "java -debug", true),
            ("-1", "-12", false),
            ("\"a\":1,", "{\"a\":1,\"b\":2}", true),
            ("größe:1", "xgröße:1", false),
        ] {
            assert_eq!(is_in(text, line), expected, "{text} in {line}");
        }
    }

    #[test]
    fn several_words_may_have_other_blanks_between_them() {
        assert!(is_in("a -b", "x a \t -b y"));
        assert!(!is_in("a -b", "a -bc") && !is_in("a -b", "xa -b"));
    }
}
