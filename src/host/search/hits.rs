//! Searches: the records that match, as hits, in either direction, until there are enough.
//!
//! A hit is the first line of its record; the rest of the record goes before the lines that were
//! wanted after it, and is told from them by
//! [`Line::continues`](crate::model::line::Line::continues).

use std::sync::Arc;

use crate::host::Files;
use crate::query::request::{LogResponse, SearchHit, SearchRequest};

use super::match_scan::MatchScan;
use super::matches::{MatchSink, RecordMatch, SearchCriteria};
use super::runs::Context;
use super::sources::Log;
use super::text::LogText;
use super::{Halt, LogAnswerer, Out};

/// Searches a log.
pub(super) async fn search<F: Files>(
    answerer: &mut LogAnswerer<'_, F>,
    log: Log,
    search: &SearchRequest,
) -> Result<(), Halt> {
    let Some(criteria) = criteria(answerer.host_name(), search) else {
        return Ok(());
    };
    let mut sink = HitSink::new(Arc::clone(&log.info.name), search);
    let text = LogText::new(&mut *answerer.files, log, &answerer.clock);
    let (mut scan, notes) = MatchScan::plan(text, &criteria, answerer.limits).await?;
    for note in notes {
        answerer.out.note(&sink.name, note).await?;
    }
    scan.run(&mut sink, &mut answerer.out).await
}

/// What a search looks for; `None` where nothing can match.
pub(crate) fn criteria<'a>(host: &'a str, search: &'a SearchRequest) -> Option<SearchCriteria<'a>> {
    let window = super::both(&search.window, &search.query)?;
    let around = Context {
        before: search.before as usize,
        after: search.after as usize,
    };
    let context = if search.count_only {
        Context::default()
    } else {
        around
    };
    Some(SearchCriteria {
        host,
        query: &search.query,
        window,
        newest_first: search.newest_first,
        context,
    })
}

/// Sends hits: those that are found together, together, for each answer on its way wakes up who
/// waits for it.
pub(crate) struct HitSink {
    name: Arc<str>,
    limit: u64,
    count_only: bool,
    waiting: Vec<SearchHit>,
    /// What they hold, about.
    bytes: usize,
}

/// Hits that have so many bytes together wait no longer.
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

impl MatchSink for HitSink {
    async fn take(&mut self, found: RecordMatch, out: &mut Out<'_>) -> Result<(), Halt> {
        out.totals.hits += 1;
        if self.count_only {
            out.totals.lines += 1;
            return Ok(());
        }
        let mut lines = found.record.into_iter();
        let Some(line) = lines.next() else {
            return Ok(());
        };
        let after: Vec<_> = lines.chain(found.after).collect();
        out.totals.lines += 1 + (found.before.len() + after.len()) as u64;
        self.bytes += found
            .before
            .iter()
            .chain([&line])
            .chain(&after)
            .map(|line| line.raw.len() + 100)
            .sum::<usize>();
        self.waiting.push(SearchHit {
            line,
            before: found.before,
            after,
        });
        if self.bytes < MOST_WAITING {
            Ok(())
        } else {
            self.rest(out).await
        }
    }

    async fn rest(&mut self, out: &mut Out<'_>) -> Result<(), Halt> {
        self.bytes = 0;
        let waiting = std::mem::take(&mut self.waiting);
        if waiting.is_empty() {
            Ok(())
        } else {
            out.send(LogResponse::Hits(self.name.clone(), waiting))
                .await
        }
    }

    fn wants(&self, out: &Out<'_>) -> u64 {
        self.limit.saturating_sub(out.totals.hits)
    }
}
