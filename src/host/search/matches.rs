//! What a search looks for, and what becomes of the records that match. Both scans use it: that of
//! files (`match_scan`) and that of lines from a program (`stream`).

use std::ops::Range;

use crate::model::line::Line;
use crate::model::time::Time;
use crate::query::Query;

use super::runs::Context;
use super::{Halt, Out};

/// What is looked for.
pub(crate) struct SearchCriteria<'a> {
    pub(crate) host: &'a str,
    pub(crate) query: &'a Query,
    pub(crate) window: Range<Time>,
    pub(crate) newest_first: bool,
    /// Lines around each record.
    pub(crate) context: Context,
}

/// A record that matches.
pub(crate) struct RecordMatch {
    /// Never empty.
    pub(crate) record: Vec<Line>,
    pub(crate) before: Vec<Line>,
    pub(crate) after: Vec<Line>,
}

impl RecordMatch {
    /// What it occupies in memory without the lines that are yet to come after it, in bytes.
    pub(crate) fn memory(&self) -> usize {
        let lines = self.record.iter().chain(&self.before);
        lines.map(Line::memory).sum()
    }
}

/// What becomes of the records that match, in the order that was asked for.
pub(crate) trait MatchSink: Send {
    /// One more. [`Halt::Enough`] ends it.
    fn take(
        &mut self,
        found: RecordMatch,
        out: &mut Out<'_>,
    ) -> impl Future<Output = Result<(), Halt>> + Send;

    /// Nothing may come for a while: what waits for company goes out.
    fn rest(&mut self, _out: &mut Out<'_>) -> impl Future<Output = Result<(), Halt>> + Send {
        std::future::ready(Ok(()))
    }

    /// How many more are wanted.
    fn wants(&self, out: &Out<'_>) -> u64;
}
