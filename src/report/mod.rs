//! `--once`: what a fleet has said, as text for people, as JSON Lines for a pipe or as CSV for a
//! spreadsheet, with progress on stderr.
//!
//! Lines are printed as they come, in the order of the updates; nothing but a row per host is kept,
//! and with a query the lines of records that are still under way ([`stages`](crate::stages)). A host's row (an
//! object, or a line of the table of the text form) follows when it is final: at once where only a
//! person can help (denied, changed host key), otherwise when the pass is over, for until then a
//! link can break or come back. Whatever happens, the last thing printed is the summary; that of
//! CSV goes to stderr, with the table of the hosts.
//!
//! This level also answers the questions of `transport` on a terminal without a console
//! ([`asker`]). What the hosts are asked for, and when the pass is over, is left to `fleet`; flags
//! and files to `cli`.

use std::io::{self, BufWriter, Write};
use std::time::Duration;

use globset::GlobMatcher;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tokio::time::Instant;

use crate::fleet::Feed;
use crate::model::gap::Gap;
use crate::model::host::HostSpec;
use crate::model::line::FleetLine;
use crate::model::state::LinkState;
use crate::model::update::Update;
use crate::query::Query;
use crate::stages::{Checkpoint, Counted, ResumeError, Sieve, Sifted};

pub mod json;
pub mod schema;

mod answers;
mod ask;
mod changes;
mod csv;
mod ending;
mod outcome;
mod progress;
mod table;
mod text;

pub use answers::{AskOptions, ResponseShape, answer};
pub use ask::asker;
pub use csv::Cells;
pub use ending::{Ending, Why};
pub use outcome::Outcome;
pub use progress::Progress;

use self::changes::Changes;
use self::table::{Row, Table};

/// The fleet keeps the same deadline, and lets out at it what it has held back for order; this is
/// waited for so long.
const GRACE: Duration = Duration::from_millis(500);

/// Bytes of lines that are written at once, where it matters that they are whole.
const WRITTEN_AT_ONCE: usize = 8 << 10;

/// In which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Text,
    /// JSON Lines.
    Json,
    /// CSV, with or without a guard against formulas.
    Csv(Cells),
}

/// What is printed of what the hosts have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Lines, and the table of the hosts with their metrics below them.
    All,
    /// Lines. The hosts that are not well, and the summary, are for people: beside the output.
    Lines,
    /// Hosts and metrics.
    Metrics,
}

/// How to report.
#[derive(Debug, Clone)]
pub struct Options {
    /// In which form.
    pub form: Form,
    /// Print only the lines that match.
    pub grep: Option<Query>,
    /// When hosts that are not done are given up; `None` where the pass has no end but that of its
    /// updates.
    pub timeout: Option<Duration>,
    /// What is printed.
    pub part: Part,
    /// Names of sources, of which only the lines are printed; of all where there are none.
    pub sources: Vec<GlobMatcher>,
    /// Colours in the text form ([`wants_color`]).
    pub color: bool,
    /// Where progress is shown.
    pub progress: Progress,
    /// In which local time the text form shows times; JSON is always in UTC.
    pub zone: TimeZone,
    /// The day whose times the text form shows without a date.
    pub today: Date,
}

/// Why nothing more could be printed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The output takes no more, for another reason than that its reader has gone.
    #[error("write the report to standard output: {0}")]
    Write(#[from] io::Error),
    /// What was printed cannot be remembered.
    #[error(transparent)]
    Resume(#[from] ResumeError),
}

/// True where the output is a terminal and `NO_COLOR` is unset or empty (<https://no-color.org>).
#[must_use]
pub fn wants_color(output_is_terminal: bool) -> bool {
    output_is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Prints updates until they end or the time is up, then the rows of the hosts and the summary.
/// Host `n` of `hosts` is `HostId(n)` in the updates.
///
/// # Errors
/// When the output cannot be written. A reader that has gone is none: the outcome then has exit
/// code 0.
pub async fn run(
    mut updates: impl Feed,
    hosts: &[HostSpec],
    options: Options,
    ending: &mut Ending,
    out: &mut impl Write,
) -> Result<Outcome, Error> {
    run_with_notes(
        &mut updates,
        hosts,
        options,
        ending,
        (out, &mut io::stderr()),
        None,
    )
    .await
}

/// The same, and what was printed is remembered, where there is a file for that. `out` is to be
/// without a buffer.
///
/// # Errors
/// As of [`run`], and when what was printed last cannot be remembered.
pub async fn run_and_remember(
    mut updates: impl Feed,
    hosts: &[HostSpec],
    options: Options,
    ending: &mut Ending,
    out: &mut impl Write,
    checkpoint: Option<Checkpoint>,
) -> Result<Outcome, Error> {
    run_with_notes(
        &mut updates,
        hosts,
        options,
        ending,
        (out, &mut io::stderr()),
        checkpoint,
    )
    .await
}

/// The same, where what does not belong into the output (the summary of CSV) goes to `notes`.
async fn run_with_notes(
    updates: &mut impl Feed,
    hosts: &[HostSpec],
    options: Options,
    ending: &mut Ending,
    (out, notes): (&mut impl Write, &mut impl Write),
    checkpoint: Option<Checkpoint>,
) -> Result<Outcome, Error> {
    let progress = options.progress.clone();
    progress.begin(hosts.len());
    let mut report = Report::new(hosts, options, out, checkpoint);
    let done = match report.begin() {
        Ok(()) => report.consume(updates, ending, notes).await,
        failed => failed,
    };
    progress.end();
    let done = done.and_then(|()| report.finish(notes));
    report
        .checkpoint
        .take()
        .map_or(Ok(()), Checkpoint::finish)?;
    match done {
        Ok(outcome) => Ok(outcome),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Outcome {
            exit: 0,
            ..report.outcome()
        }),
        Err(error) => Err(error.into()),
    }
}

struct Report<'a, W: Write> {
    options: Options,
    out: BufWriter<Counted<W>>,
    checkpoint: Option<Checkpoint>,
    table: Table<'a>,
    text: text::Style,
    sieve: Option<Sieve>,
    changes: Changes,
    started: Instant,
}

impl<'a, W: Write> Report<'a, W> {
    fn new(
        hosts: &'a [HostSpec],
        options: Options,
        out: W,
        checkpoint: Option<Checkpoint>,
    ) -> Self {
        let out = match &checkpoint {
            Some(checkpoint) => {
                BufWriter::with_capacity(8 * WRITTEN_AT_ONCE, checkpoint.counted(out))
            }
            None => BufWriter::new(Counted::plain(out)),
        };
        let text = text::Style::new(hosts, options.color, options.zone.clone(), options.today);
        let sieve = options.grep.clone().map(Sieve::new);
        let changes = Changes::default();
        Self {
            options,
            out,
            checkpoint,
            table: Table::new(hosts),
            text,
            sieve,
            changes,
            started: Instant::now(),
        }
    }

    fn begin(&mut self) -> io::Result<()> {
        match self.options.form {
            Form::Csv(_) => csv::header(&mut self.out),
            Form::Text | Form::Json => Ok(()),
        }
    }

    async fn consume(
        &mut self,
        updates: &mut impl Feed,
        ending: &mut Ending,
        notes: &mut impl Write,
    ) -> io::Result<()> {
        let deadline = self
            .options
            .timeout
            .map(|timeout| self.started + timeout + GRACE);
        let deadline = async || match deadline {
            Some(deadline) => tokio::time::sleep_until(deadline).await,
            None => std::future::pending().await,
        };
        let timed_out = loop {
            let batch = tokio::select! {
                biased;
                () = deadline() => break true,
                why = ending.wait() => match why {
                    Why::Unread => return Err(io::ErrorKind::BrokenPipe.into()),
                    Why::Interrupted => break false,
                },
                batch = updates.next() => batch,
            };
            let Some(batch) = batch else { return Ok(()) };
            self.show(batch, notes)?;
        };
        updates.close();
        while let Some(batch) = updates.try_next() {
            self.show(batch, notes)?;
        }
        match self.options.timeout {
            Some(timeout) if timed_out => self.table.time_is_up(timeout),
            Some(_) => self.table.interrupted(),
            None => {}
        }
        Ok(())
    }

    fn show(&mut self, batch: Vec<Update>, notes: &mut impl Write) -> io::Result<()> {
        let progress = self.options.progress.clone();
        progress.suspend(|| {
            for update in batch {
                self.apply(update)?;
            }
            for note in self.changes.take() {
                // Nobody may be there to be told.
                let _ = writeln!(notes, "{note}");
            }
            self.out.flush()
        })?;
        progress.now(self.table.done(), || self.table.awaited());
        Ok(())
    }

    fn apply(&mut self, update: Update) -> io::Result<()> {
        match update {
            Update::Lines(records) => {
                if let Some(checkpoint) = &self.checkpoint {
                    let name = |record: &FleetLine| {
                        (
                            self.table.host_name(record.host),
                            self.table.source_name(record.source),
                        )
                    };
                    checkpoint.meet(&records, name);
                }
                records
                    .into_iter()
                    .try_for_each(|record| self.record(record))
            }
            Update::Gap(gap) => match &mut self.sieve {
                Some(sieve) => {
                    sieve.gap(gap);
                    self.sift()
                }
                None => self.gap(&gap),
            },
            Update::Status(host, status) => {
                let final_now = status.state.needs_a_person();
                if self.options.timeout.is_none() {
                    self.changes.note(host, self.table.host_name(host), &status);
                }
                self.table.status(host, status);
                if final_now {
                    self.row(host.index())
                } else {
                    Ok(())
                }
            }
            Update::Begun(host, source, reached) => {
                let (names, end) = (
                    (self.table.host_name(host), self.table.source_name(source)),
                    self.end(),
                );
                if let Some(checkpoint) = &mut self.checkpoint {
                    checkpoint.begun(source, names, end, *reached);
                }
                Ok(())
            }
            other => {
                self.table.apply(other);
                Ok(())
            }
        }
    }

    fn record(&mut self, record: FleetLine) -> io::Result<()> {
        let name = self.table.source_name(record.source);
        if !self.options.sources.is_empty()
            && !self.options.sources.iter().any(|glob| glob.is_match(name))
        {
            self.remember(record);
            return Ok(());
        }
        match &mut self.sieve {
            Some(sieve) => {
                sieve.line(record);
                self.sift()
            }
            None => self.line(record),
        }
    }

    /// Prints what of the lines that match may be printed.
    fn sift(&mut self) -> io::Result<()> {
        loop {
            let (table, Some(sieve)) = (&self.table, &mut self.sieve) else {
                return Ok(());
            };
            let name = |record: &FleetLine| {
                (
                    table.host_name(record.host),
                    table.source_name(record.source),
                )
            };
            match sieve.next(name) {
                None => return Ok(()),
                Some(Sifted::Gap(gap)) => self.gap(&gap)?,
                Some(Sifted::Line(record, true)) => self.line(record)?,
                Some(Sifted::Line(record, false)) => {
                    self.table.heard(record.host);
                    self.remember(record);
                }
            }
        }
    }

    fn line(&mut self, record: FleetLine) -> io::Result<()> {
        let host = self.table.host_name(record.host);
        let source = self.table.source_name(record.source);
        match self.options.form {
            Form::Json => json::write(&mut self.out, &json::Line::new(host, source, &record))?,
            Form::Csv(cells) => csv::line(&mut self.out, cells, host, source, &record)?,
            Form::Text => self.text.line(&mut self.out, host, source, &record)?,
        }
        self.table.printed(record.host);
        self.remember(record);
        // Whoever is killed now has printed whole lines, but for what the kernel tears.
        if self.checkpoint.is_some() && self.out.buffer().len() >= WRITTEN_AT_ONCE {
            self.out.flush()
        } else {
            Ok(())
        }
    }

    /// How far the output goes, with what it has not taken yet.
    fn end(&self) -> u64 {
        self.out.get_ref().taken() + self.out.buffer().len() as u64
    }

    /// A line was printed, or is not wanted: the next run goes on after it.
    fn remember(&mut self, record: FleetLine) {
        let end = self.end();
        let Some(checkpoint) = &mut self.checkpoint else {
            return;
        };
        let names = (
            self.table.host_name(record.host),
            self.table.source_name(record.source),
        );
        self.changes.say(checkpoint.line(record, names, end));
    }

    fn gap(&mut self, gap: &Gap) -> io::Result<()> {
        let (host, source) = (
            self.table.host_name(gap.host),
            self.table.source_name(gap.source),
        );
        match self.options.form {
            Form::Json => json::write(&mut self.out, &json::GapLine::new(host, source, gap))?,
            Form::Csv(cells) => csv::gap(&mut self.out, cells, host, source, gap)?,
            Form::Text => self.text.gap(&mut self.out, host, source, gap)?,
        }
        self.table.gaps += 1;
        let end = self.end();
        if let Some(checkpoint) = &mut self.checkpoint {
            checkpoint.gap(
                gap.source,
                (
                    self.table.host_name(gap.host),
                    self.table.source_name(gap.source),
                ),
                end,
            );
        }
        Ok(())
    }

    /// A host's object and its metrics, once; the other forms have a table at the end instead.
    fn row(&mut self, index: usize) -> io::Result<()> {
        let Some(row) = self.table.rows.get_mut(index) else {
            return Ok(());
        };
        if self.options.form != Form::Json || std::mem::replace(&mut row.written, true) {
            return Ok(());
        }
        json::write(&mut self.out, &json::HostObject::new(row))?;
        match &row.sample {
            Some(sample) => json::write(
                &mut self.out,
                &json::Metric::new(row.spec.name().as_str(), sample),
            ),
            None => Ok(()),
        }
    }

    fn finish(&mut self, notes: &mut impl Write) -> io::Result<Outcome> {
        if let Some(sieve) = &mut self.sieve {
            sieve.finish();
        }
        self.sift()?;
        self.table.settle();
        if self.options.part == Part::Metrics {
            self.table.forgive_sources();
        }
        let outcome = self.outcome();
        let elapsed = self.started.elapsed();
        match self.options.form {
            Form::Json => {
                (0..self.table.rows.len()).try_for_each(|index| self.row(index))?;
                json::write(
                    &mut self.out,
                    &json::Summary::new(&outcome, &self.table.rows, &self.table.bytes(), elapsed),
                )?;
            }
            Form::Text if self.options.part == Part::Lines => {
                let _ = self.text.troubles(notes, &self.table.rows);
                let _ = self.text.summary(notes, &outcome, &self.table, elapsed);
            }
            Form::Text => self
                .text
                .end(&mut self.out, &outcome, &self.table, elapsed)?,
            Form::Csv(_) => {
                // The rows are what was asked for: nobody may be there to be told about them.
                let _ = self.text.end(notes, &outcome, &self.table, elapsed);
            }
        }
        self.out.flush()?;
        Ok(outcome)
    }

    fn outcome(&self) -> Outcome {
        let rows = &self.table.rows;
        let ok = rows
            .iter()
            .filter(|row| row.status.state == LinkState::Ok)
            .count();
        let exit = match () {
            () if !rows.iter().any(Row::answered) => 4,
            () if ok < rows.len() || self.table.gaps > 0 => 3,
            () => 0,
        };
        Outcome {
            hosts: rows.len(),
            ok,
            lines: self.table.lines,
            hits: 0,
            gaps: self.table.gaps,
            exit,
        }
    }
}

#[cfg(test)]
mod tests;
