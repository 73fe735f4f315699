//! How a report looks: its form, its content, its colours and times.

use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::csv::CsvCells;
use super::progress::Progress;

/// In which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputFormat {
    /// For people.
    Text,
    /// JSON Lines.
    Json,
    /// CSV, with or without a guard against formulas.
    Csv(CsvCells),
}

/// What is printed of what the hosts have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportContent {
    /// Lines, and the table of the hosts with their metrics below them.
    All,
    /// Lines. The hosts that are not well and the summary are for people, and go to the notes.
    Lines,
    /// Hosts and metrics.
    Metrics,
}

/// How to report.
#[derive(Debug, Clone)]
pub struct ReportOptions {
    /// In which form.
    pub form: OutputFormat,
    /// When hosts that are not done are given up; `None` where the pass has no end but that of its
    /// updates.
    pub timeout: Option<Duration>,
    /// What is printed.
    pub part: ReportContent,
    /// Colours in the text form ([`wants_color`]).
    pub color: bool,
    /// Where progress is shown.
    pub progress: Progress,
    /// In which local time the text form shows times; JSON is always in UTC.
    pub zone: TimeZone,
    /// The day whose times the text form shows without a date.
    pub today: Date,
}

/// True where the output is a terminal and `NO_COLOR` is unset or empty (<https://no-color.org>).
#[must_use]
pub fn wants_color(output_is_terminal: bool) -> bool {
    output_is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
