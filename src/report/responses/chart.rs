//! Counts by time and level, of all hosts together, drawn with blocks on a terminal.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::Range;
use std::time::Duration;

use crate::model::level::Level;
use crate::model::time::Time;
use crate::query::request::HistogramBucket;
use crate::report::text::{DIM, RED, TextStyle, YELLOW};

/// Rows without a line that are drawn between others; for more, one row with their number.
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
        style: &TextStyle,
        width: Option<u16>,
    ) -> io::Result<()> {
        let longest = self
            .buckets
            .values()
            .map(|counts| counts.iter().sum())
            .max();
        let Some(longest) = longest.filter(|lines: &u64| *lines > 0) else {
            return Ok(());
        };
        let head = format!(
            "{:19}  {:>9}  {:>9}  {:>9}",
            "FROM", "LINES", "WARN", "ERROR"
        );
        writeln!(out, "{}", style.paint(DIM, &head))?;
        let bar = width.map(|width| BarScale {
            width: usize::from(width)
                .saturating_sub(head.len() + 2)
                .max(MIN_BAR),
            longest,
        });
        let mut next: Option<Time> = None;
        for (start, counts) in &self.buckets {
            if let Some(next) = next {
                self.empty(out, style, next..*start)?;
            }
            next = Some(Time(start.0.saturating_add(self.step)));
            writeln!(out, "{}", row(style, *start, &LevelSums::of(counts), bar))?;
        }
        Ok(())
    }

    /// Buckets without a line.
    fn empty(
        &self,
        out: &mut impl Write,
        style: &TextStyle,
        between: Range<Time>,
    ) -> io::Result<()> {
        let rows = between.end.0.saturating_sub(between.start.0) / self.step.max(1);
        if rows > EMPTY_ROWS {
            let left_out = format!("{:19}  (no line in {rows} buckets)", "…");
            return writeln!(out, "{}", style.paint(DIM, &left_out));
        }
        (0..rows).try_for_each(|n| {
            let start = Time(between.start.0 + n * self.step);
            writeln!(out, "{}", row(style, start, &LevelSums::default(), None))
        })
    }
}

/// The lines of a bucket.
#[derive(Debug, Default)]
struct LevelSums {
    lines: u64,
    warnings: u64,
    errors: u64,
}

impl LevelSums {
    fn of(counts: &[u64; 1 + Level::COUNT]) -> Self {
        let mut sums = Self {
            lines: counts.iter().sum(),
            ..Self::default()
        };
        for (level, count) in Level::ALL.into_iter().zip(&counts[1..]) {
            match level {
                Level::Warn => sums.warnings += count,
                level if level >= Level::Error => sums.errors += count,
                _ => {}
            }
        }
        sums
    }
}

/// How long bars are.
#[derive(Debug, Clone, Copy)]
struct BarScale {
    /// In cells.
    width: usize,
    /// Lines of the longest bar.
    longest: u64,
}

impl BarScale {
    /// The length of a bar for this many lines, in eighths of a cell.
    fn eighths(self, lines: u64) -> usize {
        let eighths = u128::from(lines) * (self.width as u128) * 8 / u128::from(self.longest);
        usize::try_from(eighths).unwrap_or(0)
    }
}

fn row(style: &TextStyle, start: Time, sums: &LevelSums, scale: Option<BarScale>) -> String {
    let at = style.full_clock(start);
    let lines = sums.lines;
    let warnings = count(style, sums.warnings, YELLOW);
    let errors = count(style, sums.errors, RED);
    let mut row = format!("{at:19}  {lines:>9}  {warnings}  {errors}");
    if let Some(scale) = scale.filter(|_| lines > 0) {
        row += "  ";
        row += &bar(style, sums, scale);
    }
    row
}

/// A column that has its colour where there is something in it.
fn count(style: &TextStyle, count: u64, color: &str) -> String {
    style.paint(if count > 0 { color } else { DIM }, &format!("{count:>9}"))
}

/// A bar with a part for each level, errors first: as long as its share of the longest, to an
/// eighth of a cell.
fn bar(style: &TextStyle, sums: &LevelSums, scale: BarScale) -> String {
    let others = sums.lines - sums.warnings - sums.errors;
    let mut out = String::new();
    let mut lines = 0;
    let mut drawn = 0;
    for (count, color) in [(sums.errors, RED), (sums.warnings, YELLOW), (others, "")] {
        if count == 0 {
            continue;
        }
        lines += count;
        // Few are still more than none.
        let mut end = scale.eighths(lines).max(drawn + 1);
        let is_last = color.is_empty();
        if !is_last {
            // A part ends with a whole cell, for the next one has another colour.
            end = end.next_multiple_of(8);
        }
        let end = end.min(scale.width * 8).max(drawn);
        let cells = "█".repeat((end - drawn) / 8) + EIGHTHS[(end - drawn) % 8];
        out += &style.paint(color, &cells);
        drawn = end;
    }
    out
}
