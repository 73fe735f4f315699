//! Searches the lines that a program prints of a source. Nothing can be skipped or found sooner:
//! every line is looked at, in its order.
//!
//! Memory is bounded, whatever comes. Matches wait for the lines after them, or for their turn where
//! the newest are wanted first. They are held up to a number of bytes; beyond that the oldest are
//! dropped and counted.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use crate::model::line::Line;
use crate::model::record::RecordText;
use crate::model::time::Time;
use crate::query::MatchInput;

use super::matches::{MatchSink, RecordMatch, SearchCriteria};
use super::response_sender::ResponseSender;
use super::stop_reason::StopReason;

/// Most bytes of lines that are held for one search.
pub(crate) const MOST_BYTES: usize = 8 << 20;

/// The last lines, up to a number of lines and of bytes.
#[derive(Default)]
pub(crate) struct RecentLines {
    lines: VecDeque<Line>,
    bytes: usize,
    /// A line had to go because of the bytes.
    pub(crate) is_full: bool,
}

impl RecentLines {
    /// Adds a line and keeps the last `most`.
    pub(crate) fn push(&mut self, line: Line, most: usize) {
        self.bytes += line.memory();
        self.lines.push_back(line);
        self.is_full |= self.bytes > MOST_BYTES && self.lines.len() <= most;
        while self.lines.len() > most || (self.bytes > MOST_BYTES && self.lines.len() > 1) {
            let Some(gone) = self.lines.pop_front() else {
                return;
            };
            self.bytes -= gone.memory();
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.lines.len()
    }

    /// All of them, oldest first.
    pub(crate) fn take(&mut self) -> Vec<Line> {
        self.bytes = 0;
        std::mem::take(&mut self.lines).into()
    }
}

/// When the matches are given on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MatchOrder {
    /// As they come.
    OldestFirst,
    /// When all lines have come.
    NewestFirst,
}

/// A match, and how many of the lines after it have not come yet.
struct WaitingMatch {
    found: RecordMatch,
    missing: usize,
}

/// A search under way.
pub(crate) struct StreamSearch<'a, S> {
    criteria: &'a SearchCriteria<'a>,
    source: Arc<str>,
    /// Lines outside of it are passed over.
    window: Range<Time>,
    order: MatchOrder,
    sink: S,
    /// The lines of the record under way.
    record: Vec<Line>,
    before: RecentLines,
    waiting: VecDeque<WaitingMatch>,
    waiting_bytes: usize,
    /// Matches that had to go before their turn.
    left_out: u64,
}

impl<'a, S: MatchSink> StreamSearch<'a, S> {
    /// Gives the records of `source` that match to the sink.
    pub(crate) fn new(
        criteria: &'a SearchCriteria<'a>,
        source: Arc<str>,
        window: Range<Time>,
        order: MatchOrder,
        sink: S,
    ) -> Self {
        Self {
            criteria,
            source,
            window,
            order,
            sink,
            record: Vec::new(),
            before: RecentLines::default(),
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            left_out: 0,
        }
    }

    /// Takes the next lines.
    ///
    /// # Errors
    /// [`StopReason::Enough`] when no more are wanted.
    pub(crate) async fn push(
        &mut self,
        lines: Vec<Line>,
        out: &mut ResponseSender<'_>,
    ) -> Result<(), StopReason> {
        for line in lines {
            if line.time >= self.window.end {
                return Err(StopReason::Enough);
            }
            if line.time < self.window.start {
                continue;
            }
            if !line.continues {
                self.end_record(out);
                self.give_on(out).await?;
                if self.is_over(out) {
                    return Err(StopReason::Enough);
                }
            }
            self.record.push(line);
        }
        self.sink.rest(out).await
    }

    /// No more lines come, or none are wanted. Returns the sink, and how many matches were left
    /// out.
    pub(crate) async fn finish(
        mut self,
        out: &mut ResponseSender<'_>,
    ) -> Result<(S, u64), StopReason> {
        self.end_record(out);
        for waiting in &mut self.waiting {
            waiting.missing = 0;
        }
        if self.order == MatchOrder::NewestFirst {
            self.waiting.make_contiguous().reverse();
            self.order = MatchOrder::OldestFirst;
        }
        self.give_on(out).await?;
        self.sink.rest(out).await?;
        Ok((self.sink, self.left_out))
    }

    /// Decides the record under way, and gives its lines to the matches that wait for them.
    fn end_record(&mut self, out: &ResponseSender<'_>) {
        let record = std::mem::take(&mut self.record);
        let is_wanted = self.order == MatchOrder::NewestFirst || self.wants(out) > 0;
        let is_match = is_wanted && self.matches(&record);
        for waiting in &mut self.waiting {
            let wanted = record.iter().take(waiting.missing);
            waiting.found.after.extend(wanted.cloned());
            waiting.missing = waiting.missing.saturating_sub(record.len());
        }
        if is_match {
            self.hold(record.clone(), out);
        }
        let most = self.criteria.context.before;
        if most > 0 {
            for line in record {
                self.before.push(line, most);
            }
        }
    }

    fn matches(&self, record: &[Line]) -> bool {
        RecordText::of(record).is_some_and(|text| {
            let input = MatchInput::of_record(self.criteria.host, &self.source, &text);
            self.criteria.query.matches(&input)
        })
    }

    fn hold(&mut self, record: Vec<Line>, out: &ResponseSender<'_>) {
        let found = RecordMatch {
            before: self.before.lines.iter().cloned().collect(),
            record,
            after: Vec::new(),
        };
        self.waiting_bytes += found.memory();
        self.waiting.push_back(WaitingMatch {
            found,
            missing: self.criteria.context.after,
        });
        let most = match self.order {
            MatchOrder::NewestFirst => self.sink.wants(out),
            MatchOrder::OldestFirst => u64::MAX,
        };
        while self.waiting.len() as u64 > most
            || (self.waiting_bytes > MOST_BYTES && self.waiting.len() > 1)
        {
            self.take_first();
            self.left_out += 1;
        }
    }

    fn take_first(&mut self) -> Option<RecordMatch> {
        let first = self.waiting.pop_front()?.found;
        self.waiting_bytes = self.waiting_bytes.saturating_sub(first.memory());
        Some(first)
    }

    /// Gives on the matches that wait for nothing.
    async fn give_on(&mut self, out: &mut ResponseSender<'_>) -> Result<(), StopReason> {
        if self.order == MatchOrder::NewestFirst {
            return Ok(());
        }
        while self.waiting.front().is_some_and(|first| first.missing == 0) {
            if let Some(first) = self.take_first() {
                self.sink.take(first, out).await?;
            }
        }
        Ok(())
    }

    /// How many more matches are wanted than those that wait.
    fn wants(&self, out: &ResponseSender<'_>) -> u64 {
        self.sink
            .wants(out)
            .saturating_sub(self.waiting.len() as u64)
    }

    fn is_over(&self, out: &ResponseSender<'_>) -> bool {
        self.order == MatchOrder::OldestFirst && self.waiting.is_empty() && self.wants(out) == 0
    }
}
