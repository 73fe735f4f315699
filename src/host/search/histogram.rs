//! Histograms: how many records match, by time and level, in one pass.

use crate::parse::level;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::host::Files;
use crate::model::level::Level;
use crate::model::line::Line;
use crate::model::time::Time;
use crate::query::request::{HistogramBucket, HistogramRequest, LogResponse};

use super::match_scan::MatchScan;
use super::matches::{MatchSink, RecordMatch, SearchCriteria};
use super::runs::Context;
use super::sources::Log;
use super::text::LogText;
use super::{Halt, LogAnswerer, Out};

/// More buckets than a screen, or a file of a spreadsheet, has room for.
const MOST_BUCKETS: usize = 100_000;

/// So many go in one reply.
const REPLY_BUCKETS: usize = 1000;

/// Counts the records of a log.
pub(super) async fn histogram<F: Files>(
    answerer: &mut LogAnswerer<'_, F>,
    log: Log,
    asked: &HistogramRequest,
) -> Result<(), Halt> {
    let Some(criteria) = criteria(answerer.host_name(), asked) else {
        return Ok(());
    };
    let name = Arc::clone(&log.info.name);
    let text = LogText::new(&mut *answerer.files, log, &answerer.clock);
    let out = &mut answerer.out;
    let (mut scan, notes) = MatchScan::plan(text, &criteria, answerer.limits).await?;
    for note in notes {
        out.note(&name, note).await?;
    }
    let mut counts = HistogramCounts::new(asked);
    scan.run(&mut counts, out).await?;
    counts.send(&name, out).await
}

/// What is counted; `None` where nothing can match.
pub(crate) fn criteria<'a>(
    host: &'a str,
    asked: &'a HistogramRequest,
) -> Option<SearchCriteria<'a>> {
    let window = super::both(&asked.window, &asked.query)?;
    Some(SearchCriteria {
        host,
        query: &asked.query,
        window,
        newest_first: false,
        context: Context::default(),
    })
}

/// Counts the records that match.
pub(crate) struct HistogramCounts {
    /// Nanoseconds.
    bucket: i64,
    buckets: BTreeMap<Time, [u64; 1 + Level::COUNT]>,
    left_out: u64,
}

impl HistogramCounts {
    /// Counts nothing yet.
    pub(crate) fn new(asked: &HistogramRequest) -> Self {
        let bucket = i64::try_from(asked.bucket.as_nanos()).unwrap_or(i64::MAX);
        Self {
            bucket: bucket.max(1),
            buckets: BTreeMap::new(),
            left_out: 0,
        }
    }

    /// Sends the counts of the source of this name.
    pub(crate) async fn send(self, name: &Arc<str>, out: &mut Out<'_>) -> Result<(), Halt> {
        if self.left_out > 0 {
            let why = format!(
                "{} lines are not counted: there are more than {MOST_BUCKETS} buckets",
                self.left_out
            );
            out.note(name, why).await?;
            out.totals.more = true;
        }
        let buckets = self.buckets.into_iter();
        let buckets: Vec<HistogramBucket> = buckets
            .map(|(start, counts)| HistogramBucket { start, counts })
            .collect();
        for part in buckets.chunks(REPLY_BUCKETS) {
            let reply = LogResponse::Buckets(Arc::clone(name), part.to_vec());
            out.send(reply).await?;
        }
        Ok(())
    }
}

impl MatchSink for HistogramCounts {
    async fn take(&mut self, found: RecordMatch, out: &mut Out<'_>) -> Result<(), Halt> {
        let time = found.record[0].time.0;
        let start = Time(time.div_euclid(self.bucket).saturating_mul(self.bucket));
        if self.buckets.len() >= MOST_BUCKETS && !self.buckets.contains_key(&start) {
            self.left_out += 1;
            return Ok(());
        }
        let level = level_of(&found.record);
        let column = level
            .and_then(|level| Level::ALL.iter().position(|other| *other == level))
            .map_or(0, |at| at + 1);
        self.buckets.entry(start).or_default()[column] += 1;
        out.totals.hits += 1;
        out.totals.lines += 1;
        Ok(())
    }

    fn wants(&self, _: &Out<'_>) -> u64 {
        u64::MAX
    }
}

/// The level that a record states: in its first line, or as java.util.logging does in the one after
/// it.
fn level_of(record: &[Line]) -> Option<Level> {
    let states = |line: &&Line| {
        !line.continues
            || line
                .raw
                .first()
                .is_some_and(|byte| !byte.is_ascii_whitespace())
    };
    record
        .iter()
        .take(2)
        .filter(states)
        .find_map(|line| level::of(&line.raw))
}
