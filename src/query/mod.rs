//! Queries: what a line must be to be found, shown or kept. Data, never code.
//!
//! One language for filters, searches and `--grep`; `parse` says how it is written, `matcher` what
//! its terms mean. A query is read once, together with the moment that relative times are relative
//! to, and asked of many lines.
//!
//! * `ast`, `when`, `number`: the parts of a query; `parse` and `print` between them and text;
//!   `error`.
//! * `matcher` over one line or record, `lines` over buffers, `highlights` over what is shown.
//! * `copied`: what was copied from a line finds that line, whatever it means.
//! * `reading`: what a query means in words, for somebody who wonders why it finds nothing.
//! * `language`: how it is written, for people.
//! * `literals`, `derived`, `grep`, `ere`, `explain`: what can be left to a host's `grep`, which is
//!   always wider.
//!
//! # What a term means
//!
//! Words and phrases are found wherever they are; without a capital in either case. A regular
//! expression matches within a line: `^` and `$` are its ends. `name:value` holds where the line
//! has a field of this name (`fields` knows the formats) with this value as a whole, `*` standing
//! for any text and case as for words; `name=value` where it is exactly this. Where a line has no
//! such field, both look for themselves as text that no letter or digit touches, so that
//! `localhost:8080` is found in any line. `name!=value` and `name>=number` hold only where there is
//! such a field. A line that states no level is in no relation to any, and `-term` is always the
//! opposite of `term`.
//!
//! A record of several lines matches a word or an expression where one of its lines does.

mod ast;
mod copied;
mod derived;
mod ere;
mod error;
mod explain;
mod expression;
pub mod gap_fill;
mod grep;
mod highlights;
mod language;
mod lines;
mod literals;
mod match_input;
mod matcher;
mod number;
mod parse;
mod print;
mod reading;
pub mod request;
mod when;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

pub use ast::{ComparisonOp, FieldTest, QueryExpr, QueryTerm, RegexPattern, ValuePiece, ValueTest};
pub use error::QueryError;
pub use explain::QueryExplanation;
pub use expression::MAX_REGEX_BYTES;
pub use grep::{GrepPatterns, Prefilter};
pub use language::{LANGUAGE, NOTES};
pub use lines::MatchingLines;
pub use match_input::MatchInput;
pub use number::WrittenNumber;
pub use parse::{MAX_DEPTH, MAX_QUERY_BYTES, MAX_REGEXES, MAX_TERMS};
pub use reading::QueryReading;
pub use when::{NamedDay, ReferenceTime, TimeSpan, WrittenTime};

use crate::model::time::Time;

/// A query, made ready to be asked. The default is empty and means every line.
#[derive(Debug, Clone)]
pub struct Query {
    typed: String,
    expr: QueryExpr,
    now: ReferenceTime,
    ready: Arc<CompiledQuery>,
}

/// What is worked out once.
#[derive(Debug)]
struct CompiledQuery {
    /// What is looked for: the query, or the text as it was typed.
    searched: QueryExpr,
    node: matcher::CompiledExpr,
    probe: Option<(lines::LineProbe, bool)>,
    marks: highlights::TextHighlights,
}

impl Query {
    /// Reads a query. Relative times in it stay relative to `now`, however long it is in use.
    ///
    /// # Errors
    /// With the place, the reason and what would be valid.
    pub fn parse(text: &str, now: &ReferenceTime) -> Result<Self, QueryError> {
        let expr = parse::expression(text, Some(now))?;
        let searched = copied::searched(text, &expr);
        Self::new(text.trim(), [expr, searched], now)
            .map_err(|cause| QueryError::new(text, 0..text.len(), cause.to_string()))
    }

    fn new(
        typed: &str,
        [expr, searched]: [QueryExpr; 2],
        now: &ReferenceTime,
    ) -> Result<Self, expression::Failed> {
        let ready = CompiledQuery {
            node: matcher::CompiledExpr::of(&searched, now)?,
            probe: lines::probe(&searched),
            marks: highlights::TextHighlights::of(&searched)?,
            searched,
        };
        Ok(Self {
            typed: typed.to_owned(),
            expr,
            now: now.clone(),
            ready: Arc::new(ready),
        })
    }

    /// True where every line is meant.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.expr == QueryExpr::everything()
    }

    /// As it was typed, for a prompt in which it is changed. [`fmt::Display`] prints it as it was
    /// understood.
    #[must_use]
    pub fn typed(&self) -> &str {
        &self.typed
    }

    /// Means what both mean. Relative times are relative to the moment of this one.
    ///
    /// # Errors
    /// When both together are too much.
    pub fn and(&self, other: &Self) -> Result<Self, QueryError> {
        let typed = format!("({}) ({})", self.typed, other.typed);
        let both =
            |own: &QueryExpr, other: &QueryExpr| QueryExpr::all(vec![own.clone(), other.clone()]);
        let exprs = [
            both(&self.expr, &other.expr),
            both(&self.ready.searched, &other.ready.searched),
        ];
        Self::new(&typed, exprs, &self.now)
            .map_err(|cause| QueryError::new(&typed, 0..typed.len(), cause.to_string()))
    }

    /// Its parts.
    #[must_use]
    pub fn expr(&self) -> &QueryExpr {
        &self.expr
    }

    /// Whether a line is meant.
    #[must_use]
    pub fn matches(&self, subject: &MatchInput<'_>) -> bool {
        self.ready.node.matches(subject)
    }

    /// The lines of a buffer that match, as ranges of its bytes without line ends (`\n` or `\r\n`).
    /// `subject` says of a line where and when it was written; it is asked only where the text of
    /// the line leaves a doubt.
    ///
    /// The same lines as [`Query::matches`] finds, some ten times faster where few of them match.
    pub fn find_lines<'q, 'b, F>(&'q self, block: &'b [u8], subject: F) -> MatchingLines<'q, 'b, F>
    where
        F: FnMut(&'b [u8]) -> MatchInput<'b>,
    {
        MatchingLines {
            node: &self.ready.node,
            probe: self.ready.probe.as_ref(),
            block,
            at: 0,
            subject,
        }
    }

    /// The parts of a text (as shown) that the positive terms match, values of fields included:
    /// byte ranges, sorted, not overlapping.
    #[must_use]
    pub fn highlights(&self, shown: &str) -> Vec<Range<usize>> {
        self.ready.marks.find(shown)
    }

    /// No line that matches is stamped outside of this; `None` where none can match.
    #[must_use]
    pub fn window(&self) -> Option<Range<Time>> {
        explain::window(&self.expr, &self.now)
    }

    /// What to ask a host's `grep`.
    #[must_use]
    pub fn prefilter(&self) -> Prefilter {
        Prefilter::of(&self.ready.searched)
    }

    /// How it is read, for somebody who wonders why it finds nothing.
    #[must_use]
    pub fn reading(&self) -> QueryReading {
        QueryReading::of(&self.typed, &self.expr)
    }

    /// What becomes of it.
    #[must_use]
    pub fn explain(&self) -> QueryExplanation {
        QueryExplanation::of(&self.expr, self.prefilter(), &self.now)
    }
}

impl Default for Query {
    fn default() -> Self {
        let ready = CompiledQuery {
            searched: QueryExpr::everything(),
            node: matcher::CompiledExpr::All(Vec::new()),
            probe: None,
            marks: highlights::TextHighlights::default(),
        };
        Self {
            typed: String::new(),
            expr: QueryExpr::everything(),
            now: ReferenceTime::default(),
            ready: Arc::new(ready),
        }
    }
}

/// As it was understood; reads back as the same query.
impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.expr.to_string())
    }
}

/// Queries are the same that were understood the same and mean the same moments.
impl PartialEq for Query {
    fn eq(&self, other: &Self) -> bool {
        self.expr == other.expr && self.now == other.now
    }
}

#[cfg(test)]
mod tests;
