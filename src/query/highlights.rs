//! Which parts of a line that matched are highlighted: the places of the terms that are not
//! negated. Colours are the view's.

use std::ops::Range;

use super::ast::{FieldTest, QueryExpr, QueryTerm, ValueTest};
use super::copied::CopiedText;
use super::expression::{self, Failed};
use super::matcher::Needle;

/// The places that are marked.
#[derive(Debug, Default)]
pub(super) struct TextHighlights(Vec<Needle>);

impl TextHighlights {
    pub(super) fn of(expr: &QueryExpr) -> Result<Self, Failed> {
        let mut needles = Vec::new();
        collect(expr, &mut needles)?;
        Ok(Self(needles))
    }

    pub(super) fn find(&self, shown: &str) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        for needle in &self.0 {
            match needle {
                Needle::Exact(finder) => {
                    let length = finder.needle().len();
                    found.extend(finder.find_iter(shown.as_bytes()).map(|at| at..at + length));
                }
                Needle::Regex(regex) => {
                    found.extend(regex.find_iter(shown.as_bytes()).map(|found| found.range()));
                }
                Needle::Nowhere => {}
            }
        }
        // An expression that switches Unicode off may match a part of a character.
        found.retain(|range| {
            !range.is_empty()
                && shown.is_char_boundary(range.start)
                && shown.is_char_boundary(range.end)
        });
        merged(found)
    }
}

fn collect(expr: &QueryExpr, needles: &mut Vec<Needle>) -> Result<(), Failed> {
    match expr {
        QueryExpr::All(parts) | QueryExpr::Any(parts) => {
            parts.iter().try_for_each(|part| collect(part, needles))?;
        }
        QueryExpr::Term(QueryTerm::Text(text)) => needles.push(Needle::of(text)?),
        QueryExpr::Term(QueryTerm::AsTyped(text)) => {
            needles.push(Needle::Regex(CopiedText::new(text)?.pattern().clone()));
        }
        QueryExpr::Term(QueryTerm::Regex(pattern)) => {
            needles.push(Needle::Regex(expression::regex(pattern)?));
        }
        QueryExpr::Term(QueryTerm::Field(field)) => values(field, needles)?,
        QueryExpr::Not(_) | QueryExpr::Term(_) => {}
    }
    Ok(())
}

/// A value is marked wherever it is: what is shown is not always written as in the line.
fn values(field: &FieldTest, needles: &mut Vec<Needle>) -> Result<(), Failed> {
    match &field.test {
        ValueTest::Like(pieces) => {
            for text in expression::texts(pieces) {
                // Beside a wildcard a value goes on.
                let whole = pieces.len() == 1;
                needles.push(if whole {
                    Needle::whole(text, expression::either_case(text))?
                } else {
                    Needle::of(text)?
                });
            }
        }
        ValueTest::Is(value) if !value.is_empty() => needles.push(Needle::whole(value, false)?),
        ValueTest::Is(_) | ValueTest::IsNot(_) | ValueTest::Number(..) => {}
    }
    Ok(())
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
