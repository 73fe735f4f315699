//! What a host's own `grep` can be asked, so that it sends few lines that do not match and every
//! line that does.
//!
//! The patterns are data: they are written to `grep` by way of `-f`, one per line, never into a
//! command. They are for `LC_ALL=C grep -a` of GNU or BusyBox. BusyBox reads a line only up to its
//! first NUL; there, or wherever it is not known which it is, `tr '\000' '\001'` goes before.
//!
//! Of what must hold together only one part is asked, the one that narrows most. Thereby of each
//! record of several lines that matches at least one line is found, though its words may be in
//! different ones.

use std::cmp::Reverse;

use super::ast::{QueryExpr, QueryTerm, RegexPattern};
use super::literals::{self, Literal};
use super::{ere, expression};

/// A question to `grep` that finds every line which matches a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prefilter {
    /// Nothing narrower than all lines is safe.
    Everything,
    /// The lines in which one of these is found.
    Lines(GrepPatterns),
}

/// Patterns of `grep`; a line is found where one of them is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrepPatterns {
    /// Texts (`-F`) in place of extended regular expressions (`-E`).
    pub fixed: bool,
    /// Letters of ASCII match in either case (`-i`); only of texts.
    pub either_case: bool,
    /// Never empty, none of them is, and none has a line end or a NUL in it.
    pub list: Vec<Vec<u8>>,
}

/// More patterns than these cost a host more than the lines they keep back.
const MAX_PATTERNS: usize = 64;

impl Prefilter {
    /// The narrowest that is wide enough for an expression.
    pub(super) fn of(expr: &QueryExpr) -> Self {
        match wider(expr) {
            Some(parts) => Self::Lines(patterns(&parts)),
            None => Self::Everything,
        }
    }
}

impl GrepPatterns {
    /// The options of `grep`, all constant.
    #[must_use]
    pub fn options(&self) -> Vec<&'static str> {
        let mut options = vec!["-a", if self.fixed { "-F" } else { "-E" }];
        options.extend(self.either_case.then_some("-i"));
        options
    }

    /// Whether they are texts of ASCII, which an encoding that keeps ASCII has as they are.
    #[must_use]
    pub fn are_plain_ascii(&self) -> bool {
        self.fixed && self.list.iter().all(|pattern| pattern.is_ascii())
    }

    /// The contents of the file of `-f`.
    #[must_use]
    pub fn file(&self) -> Vec<u8> {
        self.list
            .iter()
            .flat_map(|pattern| [&pattern[..], b"\n"])
            .flatten()
            .copied()
            .collect()
    }
}

/// One alternative.
#[derive(Debug, Clone)]
enum WideAlternative {
    Text(Literal),
    /// With the length of the text that it must find at least.
    Expression(Vec<u8>, usize),
}

impl WideAlternative {
    fn is_in(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(own), Self::Text(other)) => own.is_in(other),
            _ => false,
        }
    }
}

fn wider(expr: &QueryExpr) -> Option<Vec<WideAlternative>> {
    match expr {
        QueryExpr::All(parts) => parts.iter().filter_map(wider).max_by_key(|set| worth(set)),
        QueryExpr::Any(parts) => {
            let all: Option<Vec<_>> = parts.iter().map(wider).collect();
            let all = without_wider(all?.concat());
            Some(all).filter(|all| (1..=MAX_PATTERNS).contains(&all.len()))
        }
        QueryExpr::Not(_) => None,
        QueryExpr::Term(QueryTerm::Regex(pattern)) => expression(pattern),
        QueryExpr::Term(term) => folded(term).map_or_else(|| texts(term), |text| expression(&text)),
    }
}

/// Without the texts in which another one is: that one finds their lines too.
fn without_wider(all: Vec<WideAlternative>) -> Vec<WideAlternative> {
    let mut kept: Vec<WideAlternative> = Vec::with_capacity(all.len());
    for alternative in all {
        if !kept.iter().any(|other| other.is_in(&alternative)) {
            kept.retain(|other| !alternative.is_in(other));
            kept.push(alternative);
        }
    }
    kept
}

/// The expression for a text in either case that is more than ASCII, where `grep -i` is no way.
fn folded(term: &QueryTerm) -> Option<RegexPattern> {
    let QueryTerm::Text(text) = term else {
        return None;
    };
    let is_folded = !text.is_ascii() && expression::either_case(text) && !text.contains('\n');
    is_folded.then(|| RegexPattern {
        text: expression::folded(text),
        either_case: false,
    })
}

fn texts(term: &QueryTerm) -> Option<Vec<WideAlternative>> {
    let literals = literals::of_term(term)?;
    let safe = literals.iter().all(|literal| !literal.bytes.contains(&0));
    safe.then(|| literals.into_iter().map(WideAlternative::Text).collect())
}

fn expression(pattern: &RegexPattern) -> Option<Vec<WideAlternative>> {
    let hir = literals::hir(pattern)?;
    let least = literals::of_term(&QueryTerm::Regex(pattern.clone()))
        .map_or(1, |set| literals::worth(&set).0);
    match ere::wider(&hir) {
        Some(text) => Some(vec![WideAlternative::Expression(text, least)]),
        None => texts(&QueryTerm::Regex(pattern.clone())),
    }
}

fn worth(set: &[WideAlternative]) -> (usize, Reverse<usize>) {
    let shortest = set.iter().map(|wide| match wide {
        WideAlternative::Text(literal) => literal.bytes.len(),
        WideAlternative::Expression(_, least) => *least,
    });
    (shortest.min().unwrap_or(0).min(8), Reverse(set.len()))
}

/// Texts as texts if there is nothing else, for that is what `grep` is fastest at.
fn patterns(parts: &[WideAlternative]) -> GrepPatterns {
    let fixed = parts
        .iter()
        .all(|part| matches!(part, WideAlternative::Text(_)));
    let either_case = fixed
        && parts
            .iter()
            .any(|part| matches!(part, WideAlternative::Text(literal) if literal.either_case));
    let list = parts.iter().map(|part| match part {
        WideAlternative::Text(literal) if fixed => literal.bytes.clone(),
        WideAlternative::Text(literal) => ere::escaped(&literal.bytes, literal.either_case),
        WideAlternative::Expression(text, _) => text.clone(),
    });
    GrepPatterns {
        fixed,
        either_case,
        list: list.collect(),
    }
}
