//! Counts the records that match, by time and level, in one pass.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::level::Level;
use crate::model::line::Line;
use crate::model::time::Time;
use crate::parse::level;
use crate::query::request::{HistogramBucket, HistogramRequest, LogResponse};

use super::matches::{MatchSink, RecordMatch, SearchCriteria};
use super::response_sender::ResponseSender;
use super::stop_reason::StopReason;

/// More buckets than a screen, or a file of a spreadsheet, has room for.
const MOST_BUCKETS: usize = 100_000;

/// So many go in one reply.
const REPLY_BUCKETS: usize = 1000;

/// What is counted; `None` where nothing can match.
pub(crate) fn criteria<'a>(
    host: &'a str,
    asked: &'a HistogramRequest,
) -> Option<SearchCriteria<'a>> {
    SearchCriteria::within(host, &asked.query, &asked.window)
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

    /// The beginning of the bucket that a time belongs to.
    fn bucket_of(&self, time: Time) -> Time {
        Time(time.0.div_euclid(self.bucket).saturating_mul(self.bucket))
    }

    /// Sends the counts of the source of this name.
    pub(crate) async fn send(
        self,
        name: &Arc<str>,
        out: &mut ResponseSender<'_>,
    ) -> Result<(), StopReason> {
        if self.left_out > 0 {
            let why = format!(
                "{} lines are not counted: there are more than {MOST_BUCKETS} buckets",
                self.left_out
            );
            out.note(name, why).await?;
            out.totals.more = true;
        }
        let buckets: Vec<HistogramBucket> = self
            .buckets
            .into_iter()
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
    async fn take(
        &mut self,
        found: RecordMatch,
        out: &mut ResponseSender<'_>,
    ) -> Result<(), StopReason> {
        let start = self.bucket_of(found.record[0].time);
        if self.buckets.len() >= MOST_BUCKETS && !self.buckets.contains_key(&start) {
            self.left_out += 1;
            return Ok(());
        }
        self.buckets.entry(start).or_default()[column_of(&found.record)] += 1;
        out.totals.hits += 1;
        out.totals.lines += 1;
        Ok(())
    }

    fn wants(&self, _: &ResponseSender<'_>) -> u64 {
        u64::MAX
    }
}

/// The place of a record's level in [`HistogramBucket::counts`].
fn column_of(record: &[Line]) -> usize {
    level_of(record)
        .and_then(|level| Level::ALL.iter().position(|other| *other == level))
        .map_or(0, |at| at + 1)
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
        .find_map(|line| level::of_in(&line.raw, line.dialect.as_deref()))
}
