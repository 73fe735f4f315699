//! Whole buffers of lines: the lines that match, found by the rarest thing they must have, as
//! ripgrep does it.

use std::ops::Range;

use memchr::{memchr, memmem, memrchr};
use regex::bytes::{Regex, RegexBuilder};

use super::ast::{QueryExpr, QueryTerm};
use super::expression;
use super::literals::{self, Literal};
use super::match_input::MatchInput;
use super::matcher::CompiledExpr;

/// What is searched in a buffer in place of the query.
#[derive(Debug, Clone)]
pub(super) enum LineProbe {
    /// One text.
    Text(Box<memmem::Finder<'static>>),
    /// One of several, or a text in either case.
    Regex(Regex),
}

/// The probe of an expression, and whether what it finds needs no second look.
pub(super) fn probe(expr: &QueryExpr) -> Option<(LineProbe, bool)> {
    let literals = literals::of(expr)?;
    let probe = match &literals[..] {
        [
            Literal {
                bytes,
                either_case: false,
            },
        ] => LineProbe::Text(Box::new(memmem::Finder::new(bytes).into_owned())),
        several => LineProbe::Regex(one_of(several)?),
    };
    // Then the text is all there is to the query, except where it was cut down to its part in
    // ASCII.
    let exact = match expr {
        QueryExpr::Term(QueryTerm::Text(text)) => {
            !text.contains(char::is_control) && (text.is_ascii() || !expression::either_case(text))
        }
        _ => false,
    };
    Some((probe, exact))
}

fn one_of(literals: &[Literal]) -> Option<Regex> {
    let parts: Vec<String> = literals.iter().map(Literal::pattern).collect();
    RegexBuilder::new(&parts.join("|"))
        .size_limit(16 * expression::MAX_REGEX_BYTES)
        .build()
        .ok()
}

impl Literal {
    /// As an expression over bytes, which may be no text.
    fn pattern(&self) -> String {
        let bytes: String = self
            .bytes
            .iter()
            .map(|byte| format!("\\x{byte:02X}"))
            .collect();
        format!("(?{}-u:{bytes})", if self.either_case { "i" } else { "" })
    }
}

impl LineProbe {
    fn find(&self, block: &[u8], from: usize) -> Option<usize> {
        match self {
            Self::Text(finder) => finder.find(block.get(from..)?).map(|at| from + at),
            Self::Regex(regex) => regex.find_at(block, from).map(|found| found.start()),
        }
    }
}

/// The lines of a buffer that match, each without its line end.
pub struct MatchingLines<'q, 'b, F> {
    pub(super) node: &'q CompiledExpr,
    pub(super) probe: Option<&'q (LineProbe, bool)>,
    pub(super) block: &'b [u8],
    pub(super) at: usize,
    pub(super) subject: F,
}

impl<F> MatchingLines<'_, '_, F> {
    /// The line in which a place is; the search goes on behind it.
    fn line_around(&mut self, hit: usize) -> Range<usize> {
        let before = memrchr(b'\n', &self.block[self.at..hit]);
        let start = before.map_or(self.at, |before| self.at + before + 1);
        let after = memchr(b'\n', &self.block[hit..]);
        let end = after.map_or(self.block.len(), |after| hit + after);
        self.at = end + 1;
        let line = &self.block[start..end];
        start..start + line.strip_suffix(b"\r").unwrap_or(line).len()
    }
}

impl<'b, F: FnMut(&'b [u8]) -> MatchInput<'b>> Iterator for MatchingLines<'_, 'b, F> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        while self.at < self.block.len() {
            let (hit, certain) = match self.probe {
                Some((probe, certain)) => (probe.find(self.block, self.at)?, *certain),
                None => (self.at, false),
            };
            let line = self.line_around(hit);
            let text = &self.block[line.clone()];
            if (certain && hit < line.end) || self.node.matches(&(self.subject)(text)) {
                return Some(line);
            }
        }
        None
    }
}
