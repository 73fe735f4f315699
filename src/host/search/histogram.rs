//! Histograms: how many records match, by time and level, in one pass.

use crate::parse::level;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::host::Files;
use crate::model::level::Level;
use crate::model::line::Line;
use crate::model::time::Time;
use crate::query::request::{HistogramBucket, HistogramRequest, LogResponse};

use super::hunt::{Catch, Catcher, Hunt, Quarry};
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
    let Some(quarry) = quarry(answerer.host_name(), asked) else {
        return Ok(());
    };
    let name = Arc::clone(&log.info.name);
    let text = LogText::new(&mut *answerer.files, log, &answerer.clock);
    let out = &mut answerer.out;
    let (mut hunt, notes) = Hunt::plan(text, &quarry).await?;
    for note in notes {
        out.note(&name, note).await?;
    }
    let bucket = i64::try_from(asked.bucket.as_nanos())
        .unwrap_or(i64::MAX)
        .max(1);
    let mut counts = Counts {
        bucket,
        buckets: BTreeMap::new(),
        left_out: 0,
    };
    hunt.run(&mut counts, out).await?;
    if counts.left_out > 0 {
        let why = format!(
            "{} lines are not counted: there are more than {MOST_BUCKETS} buckets",
            counts.left_out
        );
        out.note(&name, why).await?;
        out.totals.more = true;
    }
    let buckets: Vec<HistogramBucket> = counts
        .buckets
        .into_iter()
        .map(|(start, counts)| HistogramBucket { start, counts })
        .collect();
    for part in buckets.chunks(REPLY_BUCKETS) {
        out.send(LogResponse::Buckets(name.clone(), part.to_vec()))
            .await?;
    }
    Ok(())
}

/// What is counted; `None` where nothing can match.
pub(super) fn quarry<'a>(host: &'a str, asked: &'a HistogramRequest) -> Option<Quarry<'a>> {
    let window = super::both(&asked.window, &asked.query)?;
    Some(Quarry {
        host,
        query: &asked.query,
        window,
        newest_first: false,
        context: Context::default(),
    })
}

struct Counts {
    /// Nanoseconds.
    bucket: i64,
    buckets: BTreeMap<Time, [u64; 1 + Level::COUNT]>,
    left_out: u64,
}

impl Catcher for Counts {
    async fn take(&mut self, catch: Catch, out: &mut Out<'_>) -> Result<(), Halt> {
        let time = catch.record[0].time.0;
        let start = Time(time.div_euclid(self.bucket).saturating_mul(self.bucket));
        if self.buckets.len() >= MOST_BUCKETS && !self.buckets.contains_key(&start) {
            self.left_out += 1;
            return Ok(());
        }
        let level = level_of(&catch.record);
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
