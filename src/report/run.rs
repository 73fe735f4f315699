//! One report: updates in, printed lines, rows of hosts and a summary out.

use std::io::{self, BufWriter, Write};
use std::time::Duration;

use tokio::time::Instant;

use super::counted::Counted;
use super::options::{OutputFormat, ReportContent, ReportOptions};
use super::outcome::Outcome;
use super::rendering::{LineRenderer, RenderedLines};
use super::shutdown::Shutdown;
use super::status_log::StatusLog;
use super::table::ReportTable;
use super::{csv, json, text};
use crate::fleet::Feed;
use crate::model::gap::Gap;
use crate::model::host::{HostId, HostSpec};
use crate::model::line::FleetLine;
use crate::model::state::HostStatus;
use crate::model::update::Update;
use crate::stages::{Checkpoint, ResumeError};

/// The fleet keeps the same deadline, and lets out at it what it has held back for order; this is
/// waited for so long.
const GRACE: Duration = Duration::from_millis(500);

/// Bytes of lines that are written at once, where it matters that they are whole.
const WRITTEN_AT_ONCE: usize = 8 << 10;

/// Bytes that the output is given at once otherwise: as many as a pipe takes on Linux.
const OUTPUT_BUFFER: usize = 64 << 10;

/// Why nothing more could be printed.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The output takes no more, for another reason than that its reader has gone.
    #[error("write the report to standard output: {0}")]
    Write(#[from] io::Error),
    /// What was printed cannot be remembered.
    #[error(transparent)]
    Resume(#[from] ResumeError),
}

/// A report that is about to be printed.
pub struct Run<'a> {
    hosts: &'a [HostSpec],
    options: ReportOptions,
    notes: Box<dyn Write + 'a>,
    checkpoint: Option<Checkpoint>,
}

impl<'a> Run<'a> {
    /// Host `n` of `hosts` is `HostId(n)` in the updates.
    #[must_use]
    pub fn new(hosts: &'a [HostSpec], options: ReportOptions) -> Self {
        Self {
            hosts,
            options,
            notes: Box::new(io::stderr()),
            checkpoint: None,
        }
    }

    /// What does not belong in the output (the summary of CSV) goes here instead of standard error.
    #[must_use]
    pub fn with_notes(mut self, notes: impl Write + 'a) -> Self {
        self.notes = Box::new(notes);
        self
    }

    /// Remembers what was printed. The output must then be unbuffered.
    #[must_use]
    pub fn with_checkpoint(mut self, checkpoint: Option<Checkpoint>) -> Self {
        self.checkpoint = checkpoint;
        self
    }

    /// Prints updates until they end or the time is up, then the rows of the hosts and the summary.
    ///
    /// # Errors
    /// When the output cannot be written, or what was printed last cannot be remembered. A reader
    /// that has gone is no error: the outcome then has exit code 0.
    pub async fn print(
        self,
        mut updates: impl Feed,
        shutdown: &mut Shutdown,
        out: &mut impl Write,
    ) -> Result<Outcome, ReportError> {
        let progress = self.options.progress.clone();
        progress.begin(self.hosts.len());
        let mut report = Report::new(self, out);
        let consumed = report.consume(&mut updates, shutdown).await;
        progress.end();
        let done = consumed.and_then(|()| report.finish());
        let checkpoint = report.checkpoint.take();
        checkpoint.map_or(Ok(()), Checkpoint::finish)?;
        match done {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Outcome {
                exit: 0,
                ..report.table.outcome(report.prints_metrics_only())
            }),
            done => Ok(done?),
        }
    }
}

/// Why a report has no further updates before they end.
enum Stopped {
    TimedOut,
    Interrupted,
}

struct Report<'a, W: Write> {
    options: ReportOptions,
    out: BufWriter<Counted<W>>,
    notes: Box<dyn Write + 'a>,
    checkpoint: Option<Checkpoint>,
    table: ReportTable<'a>,
    text: text::TextStyle,
    status_log: StatusLog,
    started: Instant,
}

impl<'a, W: Write> Report<'a, W> {
    fn new(run: Run<'a>, out: W) -> Self {
        let Run {
            hosts,
            options,
            notes,
            checkpoint,
        } = run;
        Self {
            out: buffered(out, checkpoint.as_ref()),
            notes,
            checkpoint,
            table: ReportTable::new(hosts),
            text: text::TextStyle::new(hosts, options.color, options.zone.clone(), options.today),
            status_log: StatusLog::default(),
            started: Instant::now(),
            options,
        }
    }

    fn begin(&mut self) -> io::Result<()> {
        match self.options.form {
            OutputFormat::Csv(_) => csv::header(&mut self.out),
            OutputFormat::Text | OutputFormat::Json => Ok(()),
        }
    }

    async fn consume(
        &mut self,
        updates: &mut impl Feed,
        shutdown: &mut Shutdown,
    ) -> io::Result<()> {
        self.begin()?;
        let Some(reason) = self.show_until_shutdown(updates, shutdown).await? else {
            return Ok(());
        };
        updates.close();
        while let Some(batch) = updates.try_next() {
            self.show(batch)?;
        }
        match (self.options.timeout, reason) {
            (Some(timeout), Stopped::TimedOut) => self.table.time_is_up(timeout),
            (Some(_), Stopped::Interrupted) => self.table.interrupted(),
            (None, _) => {}
        }
        Ok(())
    }

    /// Prints updates as they come. Returns why there will be no more of them, unless they ended.
    async fn show_until_shutdown(
        &mut self,
        updates: &mut impl Feed,
        shutdown: &mut Shutdown,
    ) -> io::Result<Option<Stopped>> {
        let timeout = self.options.timeout;
        let deadline = timeout.map(|timeout| self.started + timeout + GRACE);
        loop {
            let batch = tokio::select! {
                biased;
                () = until(deadline) => return Ok(Some(Stopped::TimedOut)),
                reason = shutdown.wait() => {
                    reason.unless_unread()?;
                    return Ok(Some(Stopped::Interrupted));
                }
                batch = updates.next() => batch,
            };
            let Some(batch) = batch else { return Ok(None) };
            self.show(batch)?;
        }
    }

    fn show(&mut self, batch: Vec<Update>) -> io::Result<()> {
        let progress = self.options.progress.clone();
        progress.suspend(|| {
            for update in batch {
                self.apply(update)?;
            }
            for note in self.status_log.take() {
                // The reader may have gone.
                let _ = writeln!(self.notes, "{note}");
            }
            self.out.flush()
        })?;
        progress.now(self.table.done(), || self.table.awaited());
        Ok(())
    }

    fn apply(&mut self, update: Update) -> io::Result<()> {
        match update {
            Update::Lines(_) | Update::Gap(_) if self.prints_metrics_only() => Ok(()),
            Update::Lines(lines) => {
                self.begin_sources(&lines);
                self.lines(lines)
            }
            Update::FilteredOut(lines) => {
                self.begin_sources(&lines);
                for line in lines {
                    self.table.heard(line.host);
                    self.remember(line);
                }
                Ok(())
            }
            Update::Gap(gap) => self.gap(&gap),
            Update::Status(host, status) => self.status(host, status),
            Update::Begun(host, source, reached) => {
                let end = self.end();
                if let Some(checkpoint) = &mut self.checkpoint {
                    let name = self.table.name(host, source);
                    checkpoint.begun(source, name, end, *reached);
                }
                Ok(())
            }
            other => {
                self.table.apply(other);
                Ok(())
            }
        }
    }

    fn prints_metrics_only(&self) -> bool {
        self.options.part == ReportContent::Metrics
    }

    fn status(&mut self, host: HostId, status: HostStatus) -> io::Result<()> {
        let final_now = status.state.needs_a_person();
        if self.options.timeout.is_none() {
            self.status_log
                .note(host, self.table.host_name(host), &status);
        }
        self.table.status(host, status);
        if final_now {
            self.row(host.index())?;
        }
        Ok(())
    }

    fn lines(&mut self, lines: Vec<FleetLine>) -> io::Result<()> {
        let renderer = LineRenderer {
            form: self.options.form,
            text: &self.text,
            table: &self.table,
        };
        let rendered = renderer.render(&lines)?;
        let texts = rendered.iter().flat_map(RenderedLines::each);
        for (line, text) in lines.into_iter().zip(texts) {
            self.out.write_all(text)?;
            self.table.printed(line.host);
            self.remember(line);
            // Whoever is killed now has printed whole lines, but for what the kernel tears.
            if self.checkpoint.is_some() && self.out.buffer().len() >= WRITTEN_AT_ONCE {
                self.out.flush()?;
            }
        }
        Ok(())
    }

    /// How far the output goes, with what it has not taken yet.
    fn end(&self) -> u64 {
        self.out.get_ref().taken() + self.out.buffer().len() as u64
    }

    /// These lines are about to be printed.
    fn begin_sources(&self, lines: &[FleetLine]) {
        if let Some(checkpoint) = &self.checkpoint {
            checkpoint.begin_sources(lines, |line| self.table.name(line.host, line.source));
        }
    }

    /// A line was printed, or is not wanted: the next run goes on after it.
    fn remember(&mut self, line: FleetLine) {
        let end = self.end();
        if let Some(checkpoint) = &mut self.checkpoint {
            let name = self.table.name(line.host, line.source);
            self.status_log.say(checkpoint.line(line, name, end));
        }
    }

    fn gap(&mut self, gap: &Gap) -> io::Result<()> {
        let name = self.table.name(gap.host, gap.source);
        match self.options.form {
            OutputFormat::Json => json::write(&mut self.out, &json::GapLine::new(name, gap))?,
            OutputFormat::Csv(cells) => csv::gap(&mut self.out, cells, name, gap)?,
            OutputFormat::Text => self.text.gap(&mut self.out, name, gap)?,
        }
        let end = self.end();
        if let Some(checkpoint) = &mut self.checkpoint {
            checkpoint.gap(gap.source, name, end);
        }
        self.table.gaps += 1;
        Ok(())
    }

    /// A host's object and its metrics, once; the other forms have a table at the end instead.
    fn row(&mut self, index: usize) -> io::Result<()> {
        let Some(row) = self.table.rows.get_mut(index) else {
            return Ok(());
        };
        if self.options.form != OutputFormat::Json || std::mem::replace(&mut row.written, true) {
            return Ok(());
        }
        json::write(&mut self.out, &json::HostObject::new(row))?;
        match &row.sample {
            Some(sample) => {
                let host = row.spec.name().as_str();
                json::write(&mut self.out, &json::Metric::new(host, sample))
            }
            None => Ok(()),
        }
    }

    fn finish(&mut self) -> io::Result<Outcome> {
        self.table.settle();
        let outcome = self.table.outcome(self.prints_metrics_only());
        match (self.options.form, self.options.part) {
            (OutputFormat::Json, _) => self.finish_json(&outcome)?,
            (OutputFormat::Text, ReportContent::Lines) => self.note_ending(&outcome),
            (OutputFormat::Text, _) => {
                let ending = self.text.end(&outcome, &self.table, self.started.elapsed());
                self.out.write_all(ending.as_bytes())?;
            }
            (OutputFormat::Csv(_), _) => {
                let ending = self.text.end(&outcome, &self.table, self.started.elapsed());
                // The rows are what was asked for; the reader of the notes may have gone.
                let _ = self.notes.write_all(ending.as_bytes());
            }
        }
        self.out.flush()?;
        Ok(outcome)
    }

    fn finish_json(&mut self, outcome: &Outcome) -> io::Result<()> {
        let elapsed = self.started.elapsed();
        (0..self.table.rows.len()).try_for_each(|index| self.row(index))?;
        let bytes = self.table.bytes();
        let summary = json::Summary::new(outcome, &self.table.rows, &bytes, elapsed);
        json::write(&mut self.out, &summary)
    }

    /// The hosts that are not well, and the summary. The reader of the notes may have gone.
    fn note_ending(&mut self, outcome: &Outcome) {
        let troubles = text::troubles(&self.table.rows);
        let summary = self
            .text
            .summary(outcome, &self.table, self.started.elapsed());
        let _ = write!(self.notes, "{troubles}{summary}");
    }
}

/// The output with a buffer. Where a checkpoint counts what was printed, the buffer has room for
/// lines beyond what is written at once, so that they stay whole.
fn buffered<W: Write>(out: W, checkpoint: Option<&Checkpoint>) -> BufWriter<Counted<W>> {
    match checkpoint {
        Some(checkpoint) => {
            let out = Counted::new(out, Some(checkpoint.acknowledger()));
            BufWriter::with_capacity(OUTPUT_BUFFER, out)
        }
        None => BufWriter::with_capacity(OUTPUT_BUFFER, Counted::new(out, None)),
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
