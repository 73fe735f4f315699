//! Texts one of which is in every line that a query matches, so that most lines need no second
//! look.
//!
//! Wider than the query, never narrower: used for the search of whole buffers, and for what is
//! asked of a host.

use memchr::memmem;
use regex_syntax::hir::{Class, Hir, HirKind};

use super::ast::{QueryExpr, QueryTerm, RegexPattern, ValueTest};
use super::derived;
use super::expression::{either_case, texts};

/// A text in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Literal {
    /// In lower case where either case is meant. Never empty, and without a line end.
    pub(super) bytes: Vec<u8>,
    /// Letters of ASCII match in either case.
    pub(super) either_case: bool,
}

/// More alternatives than these are no faster than a look at each line.
const MAX_LITERALS: usize = 64;

impl Literal {
    fn new(bytes: impl Into<Vec<u8>>, either_case: bool) -> Option<Self> {
        let bytes = bytes.into();
        (!bytes.is_empty() && !bytes.contains(&b'\n')).then_some(Self { bytes, either_case })
    }

    /// Whether it is in every line in which another one is.
    pub(super) fn is_in(&self, other: &Self) -> bool {
        if self.either_case {
            let other = other.bytes.to_ascii_lowercase();
            return memmem::find(&other, &self.bytes).is_some();
        }
        !other.either_case && memmem::find(&other.bytes, &self.bytes).is_some()
    }

    /// A text in exactly this case or, where that is not all of ASCII, the longest part that is.
    fn folded(text: &str) -> Option<Self> {
        let part = text
            .split(|c: char| !c.is_ascii() || c == '\n')
            .max_by_key(|part| part.len())?;
        Self::new(part.to_ascii_lowercase(), true)
    }
}

/// The literals one of which is in every line that matches; `None` where there are none.
pub(super) fn of(expr: &QueryExpr) -> Option<Vec<Literal>> {
    match expr {
        QueryExpr::All(parts) => parts.iter().filter_map(of).max_by_key(|set| worth(set)),
        QueryExpr::Any(parts) => union(parts.iter().map(of)),
        QueryExpr::Not(_) => None,
        QueryExpr::Term(term) => of_term(term),
    }
}

pub(super) fn of_term(term: &QueryTerm) -> Option<Vec<Literal>> {
    match term {
        QueryTerm::Text(text) if either_case(text) => {
            Literal::folded(text).map(|literal| vec![literal])
        }
        QueryTerm::Text(text) => Literal::new(text.as_bytes(), false).map(|literal| vec![literal]),
        QueryTerm::AsTyped(text) => text
            .split_whitespace()
            .max_by_key(|word| word.len())
            .and_then(|word| Literal::new(word.as_bytes(), false))
            .map(|literal| vec![literal]),
        QueryTerm::Regex(pattern) => of_hir(&hir(pattern)?),
        QueryTerm::Field(field) => of_value(&field.test),
        QueryTerm::Host(_) | QueryTerm::Source(_) | QueryTerm::Level(..) | QueryTerm::Time(_) => {
            None
        }
    }
}

/// How the `regex` crate understands an expression.
pub(super) fn hir(pattern: &RegexPattern) -> Option<Hir> {
    let mut parser = regex_syntax::ParserBuilder::new();
    parser
        .utf8(false)
        .case_insensitive(pattern.either_case)
        .build()
        .parse(&pattern.text)
        .ok()
}

/// A value is in its line as it is, or with escapes, which all begin with a backslash, or
/// behind a priority.
fn of_value(test: &ValueTest) -> Option<Vec<Literal>> {
    let value = match test {
        ValueTest::Like(pieces) if !texts(pieces).any(|text| text.contains('\n')) => texts(pieces)
            .filter_map(Literal::folded)
            .max_by_key(|literal| literal.bytes.len()),
        ValueTest::Is(value) => Literal::new(value.as_bytes(), false),
        ValueTest::Like(_) | ValueTest::IsNot(_) | ValueTest::Number(..) => None,
    };
    let mut set = vec![value?, Literal::new(*b"\\", false)?];
    if derived::may_satisfy(test) {
        set.extend(Literal::new([derived::SIGN], false));
    }
    Some(set)
}

/// How much a set narrows: by its shortest text, then by how few there are.
pub(super) fn worth(set: &[Literal]) -> (usize, std::cmp::Reverse<usize>) {
    let shortest = set
        .iter()
        .map(|literal| literal.bytes.len())
        .min()
        .unwrap_or(0);
    (shortest.min(8), std::cmp::Reverse(set.len()))
}

fn union(sets: impl Iterator<Item = Option<Vec<Literal>>>) -> Option<Vec<Literal>> {
    let mut all = Vec::new();
    for set in sets {
        all.extend(set?);
        if all.len() > MAX_LITERALS {
            return None;
        }
    }
    let all = without_wider(all);
    (!all.is_empty()).then_some(all)
}

/// Without those in which another one is: that one finds their lines too.
fn without_wider(all: Vec<Literal>) -> Vec<Literal> {
    let mut kept: Vec<Literal> = Vec::with_capacity(all.len());
    for literal in all {
        if !kept.iter().any(|other| other.is_in(&literal)) {
            kept.retain(|other| !literal.is_in(other));
            kept.push(literal);
        }
    }
    kept
}

fn of_hir(hir: &Hir) -> Option<Vec<Literal>> {
    match hir.kind() {
        HirKind::Literal(literal) => Literal::new(&*literal.0, false).map(|literal| vec![literal]),
        HirKind::Capture(capture) => of_hir(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => of_hir(&repetition.sub),
        HirKind::Alternation(parts) => union(parts.iter().map(of_hir)),
        HirKind::Concat(parts) => of_concat(parts),
        HirKind::Class(_) => letter(hir)
            .and_then(|byte| Literal::new([byte], true))
            .map(|literal| vec![literal]),
        HirKind::Repetition(_) | HirKind::Empty | HirKind::Look(_) => None,
    }
}

/// The best of the parts, where runs of letters in either case are one part.
fn of_concat(parts: &[Hir]) -> Option<Vec<Literal>> {
    let mut sets = Vec::new();
    let mut run = LiteralRun::default();
    for part in parts {
        match (part.kind(), letter(part)) {
            (HirKind::Literal(literal), _) => run.bytes.extend(&literal.0),
            (_, Some(letter)) => {
                run.bytes.push(letter);
                run.either_case = true;
            }
            _ => {
                sets.extend(std::mem::take(&mut run).end());
                sets.extend(of_hir(part));
            }
        }
    }
    sets.extend(run.end());
    sets.into_iter().max_by_key(|set| worth(set))
}

#[derive(Default)]
struct LiteralRun {
    bytes: Vec<u8>,
    either_case: bool,
}

impl LiteralRun {
    fn end(self) -> Option<Vec<Literal>> {
        let bytes = if self.either_case {
            self.bytes.to_ascii_lowercase()
        } else {
            self.bytes
        };
        Literal::new(bytes, self.either_case).map(|literal| vec![literal])
    }
}

/// The letter that a class is in both cases and nothing else.
fn letter(hir: &Hir) -> Option<u8> {
    let HirKind::Class(class) = hir.kind() else {
        return None;
    };
    let class = match class {
        Class::Unicode(class) => class.to_byte_class()?,
        Class::Bytes(class) => class.clone(),
    };
    let [upper, lower] = class.ranges() else {
        return None;
    };
    let is_letter = upper.len() == 1
        && lower.len() == 1
        && upper.start().is_ascii_uppercase()
        && upper.start().to_ascii_lowercase() == lower.start();
    is_letter.then_some(lower.start())
}
