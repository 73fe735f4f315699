//! Queries: what a line must be to be found, shown or kept. Data, never code.
//!
//! This file is what a query means; how it is written is left to `parse`.

mod parse;

use std::fmt;
use std::ops::Range;

use memchr::memmem;

use super::level::Level;

/// What a query looks at.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Name of the host.
    pub host: &'a str,
    /// Name of the source.
    pub source: &'a str,
    /// The raw line.
    pub raw: &'a [u8],
}

/// A parsed query: terms that must all hold. The default is empty and means every line.
#[derive(Debug, Clone, Default)]
pub struct Query {
    text: String,
    /// The cheap ones first.
    terms: Vec<Term>,
}

/// Why a text is not a query, with the byte at which it goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} at column {}", .at + 1)]
pub struct QueryError {
    /// Byte offset into the text.
    pub at: usize,
    /// What is wrong and what would be valid.
    pub message: String,
}

/// The longest query in bytes. Nobody types more; what is pasted by mistake is refused at once.
pub const MAX_QUERY_BYTES: usize = 4096;

/// The largest compiled regular expression in bytes, above which it would cost more than it is worth (`(?:a{1000}){1000}`).
pub const MAX_REGEX_BYTES: usize = 1024 * 1024;

impl Query {
    /// Reads words (all must occur), `"phrases"`, `/regular expressions/` (`/…/i` for either case), `level>=warn`,
    /// `level:error`, `host:GLOB`, `source:GLOB`, each negated by a leading `-`. Lower-case text matches either case; text
    /// with a capital is matched exactly. A word that begins with `-`, `/` or `"` is written as a phrase, with `\"` and
    /// `\\` for quotes and backslashes in it.
    ///
    /// # Errors
    /// With the place and the reason.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        let mut terms = parse::terms(text)?;
        terms.sort_by_key(|term| term.what.cost());
        Ok(Self { text: text.trim().to_owned(), terms })
    }

    /// True where every line is meant.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether a line is meant.
    #[must_use]
    pub fn matches(&self, subject: &Subject<'_>) -> bool {
        self.terms.iter().all(|term| term.what.matches(subject) != term.negated)
    }

    /// The parts of a text (as shown) that the positive text terms match: byte ranges, sorted, not overlapping.
    #[must_use]
    pub fn highlights(&self, shown: &str) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        for term in self.terms.iter().filter(|term| !term.negated) {
            term.what.find(shown.as_bytes(), &mut found);
        }
        // An expression that switches Unicode off may match a part of a character.
        found.retain(|range| {
            !range.is_empty() && shown.is_char_boundary(range.start) && shown.is_char_boundary(range.end)
        });
        merged(found)
    }
}

/// The text that was parsed.
impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

/// Queries are the same that were written the same.
impl PartialEq for Query {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Query {}

#[derive(Debug, Clone)]
struct Term {
    negated: bool,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    Host(globset::GlobMatcher),
    Source(globset::GlobMatcher),
    Level(Comparison, Level),
    /// Text in exactly this case.
    Text(memmem::Finder<'static>),
    /// Text in either case, or what the user wrote as an expression.
    Regex(regex::bytes::Regex),
}

/// How the level of a line must stand to the one in the query. A line that states none is in no relation to any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Below,
    AtMost,
    Equal,
    AtLeast,
    Above,
}

impl What {
    fn cost(&self) -> u8 {
        match self {
            Self::Host(_) | Self::Source(_) => 0,
            Self::Text(_) => 1,
            Self::Level(..) => 2,
            Self::Regex(_) => 3,
        }
    }

    fn matches(&self, subject: &Subject<'_>) -> bool {
        match self {
            Self::Host(glob) => glob.is_match(subject.host),
            Self::Source(glob) => glob.is_match(subject.source),
            Self::Level(comparison, level) => {
                Level::detect(subject.raw).is_some_and(|found| comparison.holds(found, *level))
            }
            Self::Text(finder) => finder.find(subject.raw).is_some(),
            Self::Regex(regex) => regex.is_match(subject.raw),
        }
    }

    fn find(&self, text: &[u8], found: &mut Vec<Range<usize>>) {
        match self {
            Self::Text(finder) => {
                let len = finder.needle().len();
                found.extend(finder.find_iter(text).map(|at| at..at + len));
            }
            Self::Regex(regex) => found.extend(regex.find_iter(text).map(|found| found.range())),
            Self::Host(_) | Self::Source(_) | Self::Level(..) => {}
        }
    }
}

impl Comparison {
    fn holds(self, found: Level, wanted: Level) -> bool {
        match self {
            Self::Below => found < wanted,
            Self::AtMost => found <= wanted,
            Self::Equal => found == wanted,
            Self::AtLeast => found >= wanted,
            Self::Above => found > wanted,
        }
    }
}

/// Sorted, and what touches or overlaps made one.
fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| range.start);
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

#[cfg(test)]
mod tests;
