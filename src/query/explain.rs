//! What becomes of a query: how it was understood, what a host can be asked, what is left to look
//! at here.

use std::ops::Range;

use super::ast::{QueryExpr, QueryTerm};
use super::grep::Prefilter;
use super::when::ReferenceTime;
use crate::model::time::Time;

/// What becomes of a query.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryExplanation {
    /// The query as it was understood.
    pub query: String,
    /// The ranges of times in it as they are printed, and the moments they mean: the first is in
    /// it, the last not.
    pub times: Vec<(String, Range<Time>)>,
    /// What a host's `grep` is asked.
    pub prefilter: Prefilter,
    /// The times of the lines that a host is asked for; `None` where no line can match.
    pub window: Option<Range<Time>>,
    /// The terms that are looked at afterwards, in every line that comes from a host.
    pub checked: Vec<String>,
}

impl QueryExplanation {
    pub(super) fn of(expr: &QueryExpr, prefilter: Prefilter, now: &ReferenceTime) -> Self {
        let mut times = Vec::new();
        collect(expr, now, &mut times);
        let checked = match expr {
            QueryExpr::All(parts) => parts.iter().map(ToString::to_string).collect(),
            other => vec![other.to_string()],
        };
        Self {
            query: expr.to_string(),
            times,
            prefilter,
            window: window(expr, now),
            checked,
        }
    }
}

fn collect(expr: &QueryExpr, now: &ReferenceTime, times: &mut Vec<(String, Range<Time>)>) {
    match expr {
        QueryExpr::All(parts) | QueryExpr::Any(parts) => {
            parts.iter().for_each(|part| collect(part, now, times));
        }
        QueryExpr::Not(inner) => collect(inner, now, times),
        QueryExpr::Term(QueryTerm::Time(span)) => times.push((span.to_string(), span.resolve(now))),
        QueryExpr::Term(_) => {}
    }
}

/// The times outside which nothing matches; `None` where nothing matches at all.
pub(super) fn window(expr: &QueryExpr, now: &ReferenceTime) -> Option<Range<Time>> {
    let always = Time(i64::MIN)..Time(i64::MAX);
    match expr {
        QueryExpr::All(parts) => parts
            .iter()
            .try_fold(always, |all, part| common(&all, &window(part, now)?)),
        QueryExpr::Any(parts) => parts
            .iter()
            .filter_map(|part| window(part, now))
            .reduce(|a, b| a.start.min(b.start)..a.end.max(b.end)),
        QueryExpr::Term(QueryTerm::Time(span)) => {
            Some(span.resolve(now)).filter(|range| range.start < range.end)
        }
        QueryExpr::Not(_) | QueryExpr::Term(_) => Some(always),
    }
}

fn common(a: &Range<Time>, b: &Range<Time>) -> Option<Range<Time>> {
    let both = a.start.max(b.start)..a.end.min(b.end);
    (both.start < both.end).then_some(both)
}
