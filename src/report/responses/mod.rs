//! Prints the responses of hosts to a request, as text for people or as JSON Lines, each as it
//! comes.
//!
//! The output of the text form has what was asked for and nothing else, so that it can be counted
//! and cut; hosts that are not well, notes and the summary go to the notes. JSON has everything on
//! the output, the summary last. `config` decides which hosts to ask; `fleet` orders the lines of
//! pages.

mod chart;
mod groups;
mod shape;
mod text;
mod throttled_writer;

use std::collections::BTreeMap;
use std::io::{self, Write};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use tokio::time::Instant;

use self::chart::Chart;
use self::groups::{HitGroups, HitLines};
pub use self::shape::ResponseShape;
use self::text::{LineMark, ResponseSummary};
use self::throttled_writer::ThrottledWriter;
use super::table::{ReadTotals, ReportTable};
use super::text::{TextStyle, troubles};
use super::{Outcome, Progress, ReportError, Shutdown, json};
use crate::clock;
use crate::fleet::FanOutEvent;
use crate::model::gap::Gap;
use crate::model::host::{HostId, HostSpec};
use crate::model::line::FleetLine;
use crate::model::log_file::LogFile;
use crate::model::source::SourceInfo;
use crate::model::text::SafeText;
use crate::model::update::Update;
use crate::query::QueryReading;
use crate::query::request::{HistogramBucket, LogResponse, RequestCost, ResponseTotals, SearchHit};
use crate::stages::SourceName;

/// How to print.
#[derive(Debug, Clone)]
pub struct ResponseOptions {
    /// What kind of responses.
    pub shape: ResponseShape,
    /// How the query was read: said where nothing matches.
    pub reading: Option<QueryReading>,
    /// JSON Lines in place of text.
    pub json: bool,
    /// Colours in the text form.
    pub color: bool,
    /// Columns of a chart; `None` where it is no terminal: then numbers alone are printed.
    pub width: Option<u16>,
    /// Where progress is shown.
    pub progress: Progress,
    /// In which local time the text form shows times.
    pub zone: TimeZone,
    /// The day whose times the text form shows without a date.
    pub today: Date,
}

/// Where responses come from: hosts, or a list in tests.
pub trait ResponseFeed {
    /// What comes next; `None` after the end. Must be cancel-safe.
    fn next(&mut self) -> impl Future<Output = Option<FanOutEvent>> + Send;
}

impl ResponseFeed for crate::fleet::FanOut {
    fn next(&mut self) -> impl Future<Output = Option<FanOutEvent>> + Send {
        Self::next(self)
    }
}

/// Prints responses until they end or nobody wants more, then the summary. Host `n` of `hosts` is
/// `HostId(n)`.
///
/// # Errors
/// When the output cannot be written. A reader that has gone is none: the outcome then has exit
/// code 0.
pub async fn print_responses(
    responses: &mut impl ResponseFeed,
    hosts: &[HostSpec],
    options: ResponseOptions,
    shutdown: &mut Shutdown,
    output: ResponseOutput<'_, impl Write, impl Write>,
) -> Result<Outcome, ReportError> {
    let progress = options.progress.clone();
    progress.begin(hosts.len());
    let mut printed = ResponsePrinter::new(hosts, options, output);
    let done = printed.consume(responses, shutdown).await;
    progress.end();
    match done.and_then(|()| printed.finish()) {
        Ok(outcome) => Ok(outcome),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Outcome {
            exit: 0,
            ..printed.outcome()
        }),
        Err(error) => Err(error.into()),
    }
}

/// Where responses are printed.
pub struct ResponseOutput<'a, W, N> {
    /// What was asked for.
    pub out: &'a mut W,
    /// What does not belong there: hosts that are not well, notes, the summary.
    pub notes: &'a mut N,
}

struct ResponsePrinter<'a, W: Write, N: Write> {
    options: ResponseOptions,
    out: ThrottledWriter<&'a mut W>,
    notes: &'a mut N,
    table: ReportTable<'a>,
    style: TextStyle,
    groups: HitGroups,
    chart: Chart,
    /// Hits, printed or counted.
    hits: u64,
    counts: BTreeMap<HostId, u64>,
    totals: ReadTotals,
    /// Per host: bytes searched, and bytes to search.
    progress: BTreeMap<HostId, (u64, u64)>,
    started: Instant,
}

impl<'a, W: Write, N: Write> ResponsePrinter<'a, W, N> {
    fn new(
        hosts: &'a [HostSpec],
        options: ResponseOptions,
        output: ResponseOutput<'a, W, N>,
    ) -> Self {
        let mut table = ReportTable::new(hosts);
        table.rows.iter_mut().for_each(|row| row.done = Some(false));
        let style = TextStyle::new(hosts, options.color, options.zone.clone(), options.today);
        Self {
            chart: options.shape.bucket().map(Chart::new).unwrap_or_default(),
            options,
            out: ThrottledWriter::new(output.out),
            notes: output.notes,
            table,
            style,
            groups: HitGroups::default(),
            hits: 0,
            counts: BTreeMap::new(),
            totals: ReadTotals::default(),
            progress: BTreeMap::new(),
            started: Instant::now(),
        }
    }

    async fn consume(
        &mut self,
        responses: &mut impl ResponseFeed,
        shutdown: &mut Shutdown,
    ) -> io::Result<()> {
        loop {
            let event = tokio::select! {
                biased;
                reason = shutdown.wait() => {
                    reason.unless_unread()?;
                    self.table.interrupted();
                    return Ok(());
                }
                () = self.out.due() => {
                    self.show()?;
                    continue;
                }
                event = responses.next() => event,
            };
            let Some(event) = event else { return Ok(()) };
            self.on_event(event)?;
            if self.out.is_due() {
                self.show()?;
            }
            self.show_progress();
        }
    }

    /// Shows what was printed, with the progress out of its way.
    fn show(&mut self) -> io::Result<()> {
        self.options.progress.suspend(|| self.out.flush())
    }

    fn show_progress(&self) {
        let done: u64 = self.progress.values().map(|(done, _)| done).sum();
        let of: u64 = self.progress.values().map(|(_, of)| of).sum();
        self.options.progress.now(self.table.done(), || {
            let mut awaited = self.table.awaited();
            if of > 0 {
                awaited += &format!(" · {} of {}", text::size(done), text::size(of));
            }
            awaited
        });
    }

    fn on_event(&mut self, event: FanOutEvent) -> io::Result<()> {
        match event {
            FanOutEvent::Update(Update::Lines(lines)) => {
                lines.iter().try_for_each(|line| self.line(line))
            }
            FanOutEvent::Update(Update::Gap(gap)) => self.gap(gap),
            FanOutEvent::Update(Update::Status(host, status)) => {
                self.table.status(host, status);
                Ok(())
            }
            FanOutEvent::Update(other) => {
                self.table.apply(other);
                Ok(())
            }
            FanOutEvent::Reply(host, LogResponse::Progress(done, of)) => {
                self.progress.insert(host, (done, of));
                Ok(())
            }
            FanOutEvent::Reply(host, reply) => {
                self.table.heard(host);
                self.reply(host, reply)
            }
            FanOutEvent::Done(host) => self.done(host),
        }
    }

    fn reply(&mut self, host: HostId, reply: LogResponse) -> io::Result<()> {
        let host_name = self.table.host_name(host);
        let json = self.options.json;
        match reply {
            LogResponse::Source(info, files) => self.source(host_name, &info, &files),
            LogResponse::Hits(source, hits) => hits
                .into_iter()
                .try_for_each(|hit| self.hit(host, &source, hit)),
            LogResponse::Buckets(source, buckets) => self.buckets(host_name, &source, &buckets),
            LogResponse::Note(source, text) => self.note(host_name, &source, &text, false),
            LogResponse::Failed(source, text) if json => self.note(host_name, &source, &text, true),
            LogResponse::Cost(source, cost) => self.cost(host_name, &source, &cost),
            LogResponse::Done(totals) => {
                self.totals(host, totals);
                Ok(())
            }
            // A failure is in the reason of its host. Lines and gaps come in their order, as
            // updates.
            LogResponse::Failed(..)
            | LogResponse::Lines(..)
            | LogResponse::Gap(..)
            | LogResponse::Progress(..) => Ok(()),
        }
    }

    fn source(&mut self, host: &str, info: &SourceInfo, files: &[LogFile]) -> io::Result<()> {
        if !matches!(self.options.shape, ResponseShape::Sources) {
            return Ok(());
        }
        if self.options.json {
            return json::write(&mut self.out, &json::SourceLine::new(host, info, files));
        }
        self.style.source(&mut self.out, host, info, files)
    }

    fn cost(&mut self, host: &str, source: &str, cost: &RequestCost) -> io::Result<()> {
        let name = SourceName { host, source };
        if self.options.json {
            return json::write(&mut self.out, &json::CostLine::new(name, cost));
        }
        self.style.cost(&mut self.out, name, cost)
    }

    fn totals(&mut self, host: HostId, totals: ResponseTotals) {
        self.totals.read += totals.received;
        *self.totals.scanned.get_or_insert(0) += totals.scanned;
        *self.totals.more.get_or_insert(false) |= totals.more;
        if self.options.shape.is_count() {
            self.hits += totals.hits;
            *self.counts.entry(host).or_default() += totals.hits;
        }
    }

    fn hit(&mut self, host: HostId, source: &str, hit: SearchHit) -> io::Result<()> {
        let hit = HitLines::new(host, hit);
        let host = self.table.host_name(host);
        let name = SourceName { host, source };
        self.hits += 1;
        if self.options.json {
            let hit = json::Hit::new(name, &hit.line, &hit.before, &hit.after);
            return json::write(&mut self.out, &hit);
        }
        match &self.options.shape {
            ResponseShape::Hits {
                grouped: true,
                marks,
                ..
            } => {
                let group = self.groups.arrange(name, marks, &hit);
                self.style.group(&mut self.out, name, &group, marks)
            }
            ResponseShape::Hits { marks, .. } => {
                let head = self.style.head(hit.line.content.time, name);
                let content = self.style.content(&hit.line, Some(marks));
                writeln!(self.out, "{head} {content}")
            }
            _ => Ok(()),
        }
    }

    fn line(&mut self, line: &FleetLine) -> io::Result<()> {
        let name = self.table.name(line.host, line.source);
        if self.options.json {
            json::write(&mut self.out, &json::LineObject::new(name, line))?;
        } else if let ResponseShape::Around(place) = &self.options.shape {
            let mark = LineMark::around(place, line);
            self.style.marked(&mut self.out, name, line, mark)?;
        } else {
            let place = self.style.place(name);
            self.style.line(&mut self.out, &place, line)?;
        }
        self.totals.extend_page(line, name.source);
        self.table.printed(line.host);
        Ok(())
    }

    fn gap(&mut self, gap: Gap) -> io::Result<()> {
        let gap = Gap {
            until: clock::now(),
            ..gap
        };
        let name = self.table.name(gap.host, gap.source);
        if self.options.json {
            json::write(&mut self.out, &json::GapLine::new(name, &gap))?;
        } else {
            self.style.gap(&mut self.out, name, &gap)?;
        }
        self.table.gaps += 1;
        Ok(())
    }

    fn buckets(&mut self, host: &str, source: &str, buckets: &[HistogramBucket]) -> io::Result<()> {
        let name = SourceName { host, source };
        for bucket in buckets {
            let until = self.chart.add(bucket);
            if self.options.json {
                let bucket = json::BucketLine::new(name, bucket, until);
                json::write(&mut self.out, &bucket)?;
            }
        }
        Ok(())
    }

    fn note(&mut self, host: &str, source: &str, text: &str, failed: bool) -> io::Result<()> {
        let name = SourceName { host, source };
        if self.options.json {
            return json::write(&mut self.out, &json::NoteLine::new(name, text, failed));
        }
        // On a terminal it comes after what was found before it.
        self.show()?;
        let note = text::note(name, text);
        // The reader of the notes may have gone.
        let _ = self
            .options
            .progress
            .suspend(|| self.notes.write_all(note.as_bytes()));
        Ok(())
    }

    /// A host is done: of JSON its object, and its count.
    fn done(&mut self, host: HostId) -> io::Result<()> {
        self.progress.remove(&host);
        if let Some(row) = self.table.rows.get_mut(host.index()) {
            row.done = Some(true);
        }
        // Only where hits are counted.
        if let Some(&hits) = self.counts.get(&host) {
            let name = self.table.host_name(host);
            if self.options.json {
                json::write(&mut self.out, &json::CountLine::new(name, hits))?;
            } else {
                writeln!(self.out, "{}  {hits}", SafeText::new(name))?;
            }
        }
        self.row(host.index())
    }

    fn row(&mut self, index: usize) -> io::Result<()> {
        let Some(row) = self.table.rows.get_mut(index).filter(|_| self.options.json) else {
            return Ok(());
        };
        if std::mem::replace(&mut row.written, true) {
            return Ok(());
        }
        json::write(&mut self.out, &json::HostObject::new(row))
    }

    fn finish(&mut self) -> io::Result<Outcome> {
        self.table.settle();
        let outcome = self.outcome();
        self.say_reading(&outcome)?;
        if self.options.json {
            self.finish_json(&outcome)?;
        } else {
            if let ResponseShape::Buckets { .. } = self.options.shape {
                self.chart
                    .draw(&mut self.out, &self.style, self.options.width)?;
            }
            self.out.flush()?;
            // The reader of the notes may have gone.
            let _ = self.notes.write_all(self.last_words(&outcome).as_bytes());
        }
        self.out.flush()?;
        Ok(outcome)
    }

    /// Says how the query was read, where nothing matches.
    fn say_reading(&mut self, outcome: &Outcome) -> io::Result<()> {
        let found = self.hits > 0 || self.chart.total() > 0;
        // Exit code 4: nobody answered.
        let is_said = !found && outcome.exit < 4;
        let Some(reading) = self.options.reading.as_ref().filter(|_| is_said) else {
            return Ok(());
        };
        if self.options.json {
            let text = reading.to_string();
            return json::write(&mut self.out, &json::NoteLine::of_answer(&text));
        }
        let text = reading.for_shell().to_string();
        self.show()?;
        // The reader of the notes may have gone.
        let _ = writeln!(self.notes, "no line matches: {}", SafeText::new(&text));
        Ok(())
    }

    fn finish_json(&mut self, outcome: &Outcome) -> io::Result<()> {
        (0..self.table.rows.len()).try_for_each(|index| self.row(index))?;
        if !self.options.shape.is_page() {
            self.totals.pages.clear();
        }
        let elapsed = self.started.elapsed();
        let summary = json::Summary::new(outcome, &self.table.rows, &self.totals, elapsed);
        json::write(&mut self.out, &summary)
    }

    fn last_words(&self, outcome: &Outcome) -> String {
        let mut words = troubles(&self.table.rows);
        if matches!(self.options.shape, ResponseShape::Lines) {
            for page in &self.totals.pages {
                words += &text::page_ends(self.table.host_name(page.host), page);
            }
        }
        let summary = ResponseSummary {
            outcome,
            rows: &self.table.rows,
            shape: &self.options.shape,
            totals: &self.totals,
            lines_in_chart: self.chart.total(),
            elapsed: self.started.elapsed(),
        };
        words + &summary.line()
    }

    fn outcome(&self) -> Outcome {
        let outcome = self.table.outcome(false);
        let is_search = matches!(self.options.shape, ResponseShape::Hits { .. });
        let has_missed = is_search && self.hits == 0 && outcome.exit == 0;
        Outcome {
            hits: self.hits,
            exit: if has_missed { 1 } else { outcome.exit },
            ..outcome
        }
    }
}

#[cfg(test)]
mod tests;
