//! What terms mean: a query made ready to be asked of many lines, cheap questions first.

use std::ops::Range;

use globset::GlobMatcher;
use memchr::{memchr, memmem};
use regex::bytes::Regex;

use super::ast::{ComparisonOp, FieldTest, QueryExpr, QueryTerm, ValuePiece, ValueTest};
use super::copied::CopiedText;
use super::derived;
use super::expression::{
    Failed, built, either_case, folded, glob, has_capital, like, regex, texts,
};
use super::match_input::MatchInput;
use super::number::{self, Amount};
use super::when::ReferenceTime;
use crate::model::level::Level;
use crate::model::time::Time;
use crate::parse::{fields, level};

/// An expression made ready.
#[derive(Debug, Clone)]
pub(super) enum CompiledExpr {
    All(Vec<CompiledExpr>),
    Any(Vec<CompiledExpr>),
    Not(Box<CompiledExpr>),
    Ask(Box<CompiledTerm>),
}

/// A term made ready.
#[derive(Debug, Clone)]
pub(super) enum CompiledTerm {
    Host(Box<GlobMatcher>),
    Source(Box<GlobMatcher>),
    Time(Range<Time>),
    Text(Needle),
    AsTyped(CopiedText),
    Regex(Regex),
    Level(ComparisonOp, Level),
    Field(Box<CompiledField>),
}

/// A text to be found.
#[derive(Debug, Clone)]
pub(super) enum Needle {
    /// In exactly this case.
    Exact(Box<memmem::Finder<'static>>),
    /// In either case, or with conditions on what surrounds it.
    Regex(Regex),
    /// In no line: it has a line end in it.
    Nowhere,
}

/// A condition on a field made ready.
#[derive(Debug, Clone)]
pub(super) struct CompiledField {
    name: String,
    value: CompiledValue,
    /// What must be in the line for the condition to hold, unless it is written with escapes.
    hint: Option<Needle>,
    /// A priority may say it in place of the hint.
    derived: bool,
    /// What is found in place of the field in a line that has no such field.
    text: Option<Needle>,
    /// And in a line in which it is another, where the same name comes twice or means two things.
    typed: Option<CopiedText>,
}

#[derive(Debug, Clone)]
enum CompiledValue {
    Present,
    Like(Regex),
    Is(Vec<u8>),
    IsNot(Vec<u8>),
    Number(ComparisonOp, Option<Amount>),
}

impl CompiledExpr {
    pub(super) fn of(expr: &QueryExpr, now: &ReferenceTime) -> Result<Self, Failed> {
        Ok(match expr {
            QueryExpr::All(parts) => Self::All(Self::cheapest_first(parts, now)?),
            QueryExpr::Any(parts) => Self::Any(Self::cheapest_first(parts, now)?),
            QueryExpr::Not(inner) => Self::Not(Box::new(Self::of(inner, now)?)),
            QueryExpr::Term(term) => Self::Ask(Box::new(CompiledTerm::of(term, now)?)),
        })
    }

    fn cheapest_first(parts: &[QueryExpr], now: &ReferenceTime) -> Result<Vec<Self>, Failed> {
        let nodes: Result<Vec<_>, _> = parts.iter().map(|part| Self::of(part, now)).collect();
        let mut nodes = nodes?;
        nodes.sort_by_key(Self::cost);
        Ok(nodes)
    }

    pub(super) fn matches(&self, subject: &MatchInput<'_>) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.matches(subject)),
            Self::Any(parts) => parts.iter().any(|part| part.matches(subject)),
            Self::Not(inner) => !inner.matches(subject),
            Self::Ask(ask) => ask.matches(subject),
        }
    }

    fn cost(&self) -> u32 {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().map(Self::cost).sum(),
            Self::Not(inner) => inner.cost(),
            Self::Ask(ask) => ask.cost(),
        }
    }
}

impl CompiledTerm {
    pub(super) fn of(term: &QueryTerm, now: &ReferenceTime) -> Result<Self, Failed> {
        Ok(match term {
            QueryTerm::Host(pattern) => Self::Host(Box::new(glob(pattern)?)),
            QueryTerm::Source(pattern) => Self::Source(Box::new(glob(pattern)?)),
            QueryTerm::Time(span) => Self::Time(span.resolve(now)),
            QueryTerm::Text(text) => Self::Text(Needle::of(text)?),
            QueryTerm::AsTyped(text) => Self::AsTyped(CopiedText::new(text)?),
            QueryTerm::Regex(pattern) => Self::Regex(regex(pattern)?),
            QueryTerm::Level(order, level) => Self::Level(*order, *level),
            QueryTerm::Field(field) => Self::Field(Box::new(CompiledField::of(field)?)),
        })
    }

    /// In units of about a nanosecond for a line of 150 bytes.
    fn cost(&self) -> u32 {
        match self {
            Self::Time(_) => 1,
            Self::Host(_) | Self::Source(_) => 20,
            Self::Text(Needle::Exact(_) | Needle::Nowhere) => 30,
            Self::Text(Needle::Regex(_)) | Self::AsTyped(_) => 60,
            Self::Regex(_) => 150,
            Self::Level(..) => 200,
            Self::Field(_) => 1000,
        }
    }

    fn matches(&self, subject: &MatchInput<'_>) -> bool {
        match self {
            Self::Host(glob) => glob.is_match(subject.host),
            Self::Source(glob) => glob.is_match(subject.source),
            Self::Time(range) => range.contains(&subject.time),
            Self::Text(needle) => needle.is_in(subject.raw),
            Self::AsTyped(text) => text.is_in(subject.raw),
            Self::Regex(regex) => in_a_line(regex, subject.raw),
            Self::Level(order, level) => level::of_in(subject.raw, subject.dialect)
                .is_some_and(|found| order.holds(&found, level)),
            Self::Field(asked) => asked.matches(subject),
        }
    }
}

/// Records of several lines are searched line by line: a record matches exactly when one of its
/// lines does.
fn in_a_line(regex: &Regex, raw: &[u8]) -> bool {
    if memchr(b'\n', raw).is_none() {
        return regex.is_match(raw);
    }
    raw.split(|&b| b == b'\n').any(|line| regex.is_match(line))
}

impl Needle {
    /// Text without a capital matches either case.
    pub(super) fn of(text: &str) -> Result<Self, Failed> {
        if text.contains('\n') {
            return Ok(Self::Nowhere);
        }
        if either_case(text) {
            return Ok(Self::Regex(built(&folded(text))?));
        }
        Ok(Self::Exact(Box::new(
            memmem::Finder::new(text).into_owned(),
        )))
    }

    /// The text where no letter, digit or underscore is next to it.
    pub(super) fn whole(text: &str, either_case: bool) -> Result<Self, Failed> {
        if text.contains('\n') {
            return Ok(Self::Nowhere);
        }
        let text = if either_case {
            folded(text)
        } else {
            regex::escape(text)
        };
        Ok(Self::Regex(built(&format!(
            r"(?-u:\b{{start-half}}){text}(?-u:\b{{end-half}})"
        ))?))
    }

    pub(super) fn is_in(&self, raw: &[u8]) -> bool {
        match self {
            Self::Exact(finder) => finder.find(raw).is_some(),
            Self::Regex(regex) => regex.is_match(raw),
            Self::Nowhere => false,
        }
    }
}

impl CompiledField {
    fn of(field: &FieldTest) -> Result<Self, Failed> {
        Ok(Self {
            name: field.name.clone(),
            value: CompiledValue::of(&field.test)?,
            hint: hint(&field.test)?,
            derived: derived::may_satisfy(&field.test),
            text: as_text(field)
                .map(|(text, either_case)| Needle::whole(&text, either_case))
                .transpose()?,
            typed: as_text(field)
                .map(|(text, _)| CopiedText::new(&text))
                .transpose()?,
        })
    }

    fn matches(&self, subject: &MatchInput<'_>) -> bool {
        let raw = subject.raw;
        let has = |byte| memchr(byte, raw).is_some();
        let may_hold = self.hint.as_ref().is_none_or(|hint| hint.is_in(raw))
            || has(b'\\')
            || self.derived && has(derived::SIGN);
        if !may_hold {
            return false;
        }
        match fields::get_in(raw, subject.dialect, &self.name) {
            Some(found) => {
                self.value.holds(&found)
                    || self.typed.as_ref().is_some_and(|typed| typed.is_in(raw))
            }
            None => self.text.as_ref().is_some_and(|text| text.is_in(raw)),
        }
    }
}

/// What is in every line in which a condition holds, unless it is written with escapes.
fn hint(test: &ValueTest) -> Result<Option<Needle>, Failed> {
    match test {
        ValueTest::Like(pieces) => texts(pieces)
            .filter(|text| !text.contains('\n'))
            .max_by_key(|text| text.len())
            .map(Needle::of)
            .transpose(),
        ValueTest::Is(value) => Ok(exact(value)),
        ValueTest::IsNot(_) | ValueTest::Number(..) => Ok(None),
    }
}

/// The condition as it was written, and whether it is meant in either case.
fn as_text(field: &FieldTest) -> Option<(String, bool)> {
    let (sign, value, either_case) = match &field.test {
        ValueTest::Like(pieces) => match &pieces[..] {
            [ValuePiece::Text(text)] => (':', text, !has_capital(text)),
            _ => return None,
        },
        ValueTest::Is(value) => ('=', value, false),
        ValueTest::IsNot(_) | ValueTest::Number(..) => return None,
    };
    Some((format!("{}{sign}{value}", field.name), either_case))
}

impl CompiledValue {
    fn of(test: &ValueTest) -> Result<Self, Failed> {
        Ok(match test {
            ValueTest::Like(pieces) if pieces[..] == [ValuePiece::Any] => Self::Present,
            ValueTest::Like(pieces) => Self::Like(like(pieces)?),
            ValueTest::Is(value) => Self::Is(value.clone().into_bytes()),
            ValueTest::IsNot(value) => Self::IsNot(value.clone().into_bytes()),
            ValueTest::Number(order, number) => Self::Number(*order, number.amount()),
        })
    }

    /// Brackets around a value are no part of it, unless they were asked for.
    fn holds(&self, found: &fields::FieldValue<'_>) -> bool {
        let is = |holds: &dyn Fn(&[u8]) -> bool| {
            holds(&found.text) || fields::without_brackets(&found.text).is_some_and(holds)
        };
        match self {
            Self::Present => true,
            Self::Like(regex) => is(&|text| regex.is_match(text)),
            Self::Is(value) => is(&|text| *text == value[..]),
            Self::IsNot(value) => !is(&|text| *text == value[..]),
            Self::Number(order, wanted) => {
                let amount = std::str::from_utf8(&found.text)
                    .ok()
                    .and_then(number::amount_of);
                amount
                    .zip(*wanted)
                    .is_some_and(|(a, b)| a.is_like(&b) && order.holds(&a.value(), &b.value()))
            }
        }
    }
}

fn exact(text: &str) -> Option<Needle> {
    (!text.is_empty() && !text.contains('\n'))
        .then(|| Needle::Exact(Box::new(memmem::Finder::new(text).into_owned())))
}
