//! Queries: what a line must be to be found, shown or kept. Data, never code.

use std::fmt;
use std::ops::Range;

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

/// A parsed query: terms that must all hold.
#[derive(Debug, Clone)]
pub struct Query {
    text: String,
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

impl Query {
    /// Reads words (all must occur), `"phrases"`, `/regular expressions/`, `level>=warn`, `host:GLOB`, `source:GLOB`,
    /// each negated by a leading `-`. Lower-case text matches either case; text with a capital is matched exactly.
    ///
    /// # Errors
    /// With the place and the reason.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        Ok(Self { text: text.to_owned() })
    }

    /// Whether a line is meant.
    #[must_use]
    pub fn matches(&self, subject: &Subject<'_>) -> bool {
        let _ = (subject, Level::Warn);
        true
    }

    /// The parts of a text (as shown) that the positive text terms match: byte ranges, sorted, not overlapping.
    #[must_use]
    pub fn highlights(&self, shown: &str) -> Vec<Range<usize>> {
        let _ = shown;
        Vec::new()
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}
