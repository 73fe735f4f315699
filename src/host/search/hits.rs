//! Sends the records that match as hits, in either direction, until there are enough.
//!
//! A hit is the first line of its record. The rest of the record precedes the lines that were
//! wanted after it; [`Line::continues`](crate::model::line::Line::continues) distinguishes them.

use std::sync::Arc;

use crate::query::request::{LogResponse, SearchHit, SearchRequest};

use super::matches::{MatchSink, RecordMatch, SearchCriteria};
use super::response_sender::ResponseSender;
use super::runs::LINE_OVERHEAD;
use super::stop_reason::StopReason;

/// What a search looks for; `None` where nothing can match.
pub(crate) fn criteria<'a>(host: &'a str, search: &'a SearchRequest) -> Option<SearchCriteria<'a>> {
    let mut criteria = SearchCriteria::within(host, &search.query, &search.window)?;
    criteria.newest_first = search.newest_first;
    if !search.count_only {
        criteria.context.before = search.before as usize;
        criteria.context.after = search.after as usize;
    }
    Some(criteria)
}

/// Sends hits in batches, for each response wakes up its receiver.
pub(crate) struct HitSink {
    name: Arc<str>,
    limit: u64,
    count_only: bool,
    waiting: Vec<SearchHit>,
    /// What they hold, about.
    bytes: usize,
}

/// A batch of so many bytes waits no longer.
const MOST_WAITING: usize = 64 << 10;

impl HitSink {
    /// For a source of this name.
    pub(crate) fn new(name: Arc<str>, search: &SearchRequest) -> Self {
        Self {
            name,
            limit: search.limit.unwrap_or(u64::MAX),
            count_only: search.count_only,
            waiting: Vec::new(),
            bytes: 0,
        }
    }
}

/// A match as it is sent; `None` where it has no line.
fn hit_of(found: RecordMatch) -> Option<SearchHit> {
    let mut lines = found.record.into_iter();
    Some(SearchHit {
        line: lines.next()?,
        before: found.before,
        after: lines.chain(found.after).collect(),
    })
}

impl MatchSink for HitSink {
    async fn take(
        &mut self,
        found: RecordMatch,
        out: &mut ResponseSender<'_>,
    ) -> Result<(), StopReason> {
        out.totals.hits += 1;
        if self.count_only {
            out.totals.lines += 1;
            return Ok(());
        }
        out.totals.lines += found.lines().count() as u64;
        self.bytes += found
            .lines()
            .map(|line| line.raw.len() + LINE_OVERHEAD)
            .sum::<usize>();
        self.waiting.extend(hit_of(found));
        if self.bytes < MOST_WAITING {
            Ok(())
        } else {
            self.rest(out).await
        }
    }

    async fn rest(&mut self, out: &mut ResponseSender<'_>) -> Result<(), StopReason> {
        self.bytes = 0;
        let waiting = std::mem::take(&mut self.waiting);
        if waiting.is_empty() {
            Ok(())
        } else {
            out.send(LogResponse::Hits(self.name.clone(), waiting))
                .await
        }
    }

    fn wants(&self, out: &ResponseSender<'_>) -> u64 {
        self.limit.saturating_sub(out.totals.hits)
    }
}
