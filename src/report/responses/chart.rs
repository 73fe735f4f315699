//! Counts by time and level, of all hosts together, drawn with blocks on a terminal.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::Range;
use std::time::Duration;

use crate::model::level::Level;
use crate::model::time::Time;
use crate::query::request::HistogramBucket;
use crate::report::text::{DIM, RED, Style, YELLOW};

/// Rows without a line that are drawn between others; more are left out and said so.
const EMPTY_ROWS: i64 = 60;

/// Buckets that are kept: more fit no screen, and the earliest are left to JSON.
const MAX_BUCKETS: usize = 100_000;

/// Columns of the longest bar, at least.
const MIN_BAR: usize = 8;

/// Eighths of a cell.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// Counts by time.
#[derive(Debug, Default)]
pub(super) struct Chart {
    /// In nanoseconds.
    step: i64,
    buckets: BTreeMap<Time, [u64; 1 + Level::COUNT]>,
}

impl Chart {
    /// Of buckets of this length.
    pub(super) fn new(bucket: Duration) -> Self {
        Self {
            step: i64::try_from(bucket.as_nanos()).unwrap_or(i64::MAX),
            buckets: BTreeMap::new(),
        }
    }

    /// Adds counts, and says when the bucket ends.
    pub(super) fn add(&mut self, bucket: &HistogramBucket) -> Time {
        let sum = self
            .buckets
            .entry(bucket.start)
            .or_insert([0; 1 + Level::COUNT]);
        sum.iter_mut()
            .zip(bucket.counts)
            .for_each(|(sum, count)| *sum += count);
        if self.buckets.len() > MAX_BUCKETS {
            self.buckets.pop_first();
        }
        Time(bucket.start.0.saturating_add(self.step))
    }

    /// Lines in all buckets.
    pub(super) fn total(&self) -> u64 {
        self.buckets.values().flatten().sum()
    }

    /// A row per bucket: when it begins, lines, warnings, errors, and a bar of them where there is
    /// a terminal.
    pub(super) fn draw(
        &self,
        out: &mut impl Write,
        style: &Style,
        width: Option<u16>,
    ) -> io::Result<()> {
        let most = self
            .buckets
            .values()
            .map(|counts| counts.iter().sum::<u64>())
            .max()
            .unwrap_or(0);
        if most == 0 {
            return Ok(());
        }
        let head = format!(
            "{:19}  {:>9}  {:>9}  {:>9}",
            "FROM", "LINES", "WARN", "ERROR"
        );
        writeln!(out, "{}", style.paint(DIM, &head))?;
        let bar = width.map(|width| {
            usize::from(width)
                .saturating_sub(head.len() + 2)
                .max(MIN_BAR)
        });
        let mut next: Option<Time> = None;
        for (start, counts) in &self.buckets {
            if let Some(next) = next {
                self.empty(out, style, next..*start)?;
            }
            next = Some(Time(start.0.saturating_add(self.step)));
            row(out, style, *start, counts, bar.map(|bar| (bar, most)))?;
        }
        Ok(())
    }

    /// Buckets without a line.
    fn empty(&self, out: &mut impl Write, style: &Style, between: Range<Time>) -> io::Result<()> {
        let rows = between.end.0.saturating_sub(between.start.0) / self.step.max(1);
        if rows > EMPTY_ROWS {
            return writeln!(
                out,
                "{}",
                style.paint(DIM, &format!("{:19}  (no line in {rows} buckets)", "…"))
            );
        }
        (0..rows).try_for_each(|n| {
            let start = Time(between.start.0 + n * self.step);
            row(out, style, start, &[0; 1 + Level::COUNT], None)
        })
    }
}

fn row(
    out: &mut impl Write,
    style: &Style,
    start: Time,
    counts: &[u64; 1 + Level::COUNT],
    bar: Option<(usize, u64)>,
) -> io::Result<()> {
    let of = |wanted: fn(Level) -> bool| -> u64 {
        Level::ALL
            .iter()
            .zip(&counts[1..])
            .filter(|(level, _)| wanted(**level))
            .map(|(_, count)| count)
            .sum()
    };
    let (lines, warnings, errors) = (
        counts.iter().sum::<u64>(),
        of(|level| level == Level::Warn),
        of(|level| level >= Level::Error),
    );
    let at = style.full_clock(start);
    let warned = style.paint(
        if warnings > 0 { YELLOW } else { DIM },
        &format!("{warnings:>9}"),
    );
    let failed = style.paint(if errors > 0 { RED } else { DIM }, &format!("{errors:>9}"));
    write!(out, "{at:19}  {lines:>9}  {warned}  {failed}")?;
    if let Some((width, most)) = bar.filter(|_| lines > 0) {
        write!(
            out,
            "  {}",
            blocks(
                style,
                [
                    (errors, RED),
                    (warnings, YELLOW),
                    (lines - warnings - errors, "")
                ],
                width,
                most
            )
        )?;
    }
    writeln!(out)
}

/// A bar with a part for each level, errors first: as long as its share of the longest, to an
/// eighth of a cell.
fn blocks(style: &Style, parts: [(u64, &str); 3], width: usize, most: u64) -> String {
    let eighths = |count: u64| {
        usize::try_from(u128::from(count) * (width as u128) * 8 / u128::from(most)).unwrap_or(0)
    };
    let mut out = String::new();
    let (mut sum, mut drawn) = (0, 0);
    for (n, (count, color)) in parts.into_iter().enumerate() {
        sum += count;
        // Few are still more than none.
        let least = if count > 0 && eighths(sum) <= drawn {
            drawn + 1
        } else {
            drawn
        };
        let mut end = eighths(sum).max(least);
        if n + 1 < parts.len() {
            // A part ends with a whole cell, for the next one has another colour.
            end = end.div_ceil(8) * 8;
        }
        let end = end.min(width * 8).max(drawn);
        let cells = "█".repeat((end - drawn) / 8) + EIGHTHS[(end - drawn) % 8];
        out += &style.paint(color, &cells);
        drawn = if count > 0 { end } else { drawn };
    }
    out
}
