//! What a search looks for, and where the records that match go. Both scans use it: that of files
//! (`match_scan`) and that of lines from a program (`stream`).

use std::ops::Range;

use crate::model::line::Line;
use crate::model::time::Time;
use crate::query::Query;

use super::response_sender::ResponseSender;
use super::runs::Context;
use super::stop_reason::StopReason;

/// What is looked for.
pub(crate) struct SearchCriteria<'a> {
    pub(crate) host: &'a str,
    pub(crate) query: &'a Query,
    pub(crate) window: Range<Time>,
    pub(crate) newest_first: bool,
    /// Lines around each record.
    pub(crate) context: Context,
}

impl<'a> SearchCriteria<'a> {
    /// Records of a host that match in a window of time, oldest first and without context; `None`
    /// where the query rules out the whole window.
    pub(super) fn within(host: &'a str, query: &'a Query, window: &Range<Time>) -> Option<Self> {
        let own = query.window()?;
        let both = window.start.max(own.start)..window.end.min(own.end);
        (!both.is_empty()).then_some(Self {
            host,
            query,
            window: both,
            newest_first: false,
            context: Context::default(),
        })
    }
}

/// A record that matches.
pub(crate) struct RecordMatch {
    /// Never empty.
    pub(crate) record: Vec<Line>,
    pub(crate) before: Vec<Line>,
    pub(crate) after: Vec<Line>,
}

impl RecordMatch {
    /// All its lines, and those around it.
    pub(super) fn lines(&self) -> impl Iterator<Item = &Line> {
        self.before.iter().chain(&self.record).chain(&self.after)
    }

    /// What it occupies in memory without the lines that are yet to come after it, in bytes.
    pub(crate) fn memory(&self) -> usize {
        let lines = self.record.iter().chain(&self.before);
        lines.map(Line::memory).sum()
    }
}

/// What becomes of the records that match, in the order that was asked for.
pub(crate) trait MatchSink: Send {
    /// Takes one more. [`StopReason::Enough`] ends the search.
    fn take(
        &mut self,
        found: RecordMatch,
        out: &mut ResponseSender<'_>,
    ) -> impl Future<Output = Result<(), StopReason>> + Send;

    /// Nothing may come for a while: sends what was held back.
    fn rest(
        &mut self,
        _out: &mut ResponseSender<'_>,
    ) -> impl Future<Output = Result<(), StopReason>> + Send {
        std::future::ready(Ok(()))
    }

    /// How many more are wanted.
    fn wants(&self, out: &ResponseSender<'_>) -> u64;
}
