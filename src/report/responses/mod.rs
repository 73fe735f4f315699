//! What hosts answer to a question, as text for people or as JSON Lines: printed as it comes, each
//! answer at once.
//!
//! The text form has on the output what was asked for and nothing else, so that it can be counted
//! and cut; the hosts that are not well, notes and the summary go beside it. JSON has everything on
//! the output, the summary last. Whom to ask what is left to `config`, in which order lines of
//! pages come to `fleet`.

mod chart;
mod groups;
mod paced;
mod text;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tokio::time::Instant;

use self::chart::Chart;
use self::groups::{HitGroups, HitLines};
use self::paced::Paced;
use self::text::LineMark;
use super::table::{Bytes, PageEnds, Row, Table};
use super::text::Style;
use super::{Ending, Error, Outcome, Progress, Why, json};
use crate::fleet::FanOutEvent;
use crate::model::cursor::LineRef;
use crate::model::gap::Gap;
use crate::model::host::{HostId, HostSpec};
use crate::model::line::{FleetLine, Line};
use crate::model::source::SourceId;
use crate::model::state::LinkState;
use crate::model::time::Time;
use crate::model::update::Update;
use crate::query::Query;
use crate::query::request::{HistogramBucket, LogResponse, ResponseTotals};
use crate::stages::SourceName;

/// What kind of answers are expected.
#[derive(Debug, Clone)]
pub enum ResponseShape {
    /// Sources with their files.
    Sources,
    /// Hits of a search.
    Hits {
        /// Only how many.
        count: bool,
        /// With lines around them.
        grouped: bool,
        /// What is found stands out on a terminal.
        marks: Query,
    },
    /// Lines of pages, with the cursors to go on with.
    Lines,
    /// Lines around one, which stands out.
    Around(LineRef),
    /// Counts by time and level.
    Buckets {
        /// How long one is.
        bucket: Duration,
    },
    /// What it would cost.
    Costs,
}

/// How to print.
#[derive(Debug, Clone)]
pub struct AskOptions {
    /// What kind of answers.
    pub shape: ResponseShape,
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

/// Where answers come from: hosts, or a list in tests.
pub trait ResponsePrinter {
    /// What comes next; `None` after the end. Must be cancel-safe.
    fn next(&mut self) -> impl Future<Output = Option<FanOutEvent>> + Send;
}

impl ResponsePrinter for crate::fleet::FanOut {
    fn next(&mut self) -> impl Future<Output = Option<FanOutEvent>> + Send {
        Self::next(self)
    }
}

/// Prints answers until they end or nobody wants more, then the summary. Host `n` of `hosts` is
/// `HostId(n)`.
///
/// # Errors
/// When the output cannot be written. A reader that has gone is none: the outcome then has exit
/// code 0.
pub async fn answer(
    answers: &mut impl ResponsePrinter,
    hosts: &[HostSpec],
    options: AskOptions,
    ending: &mut Ending,
    output: ResponseOutput<'_, impl Write, impl Write>,
) -> Result<Outcome, Error> {
    let progress = options.progress.clone();
    progress.begin(hosts.len());
    let mut printed = PrintedResponse::new(hosts, options, output);
    let done = printed.consume(answers, ending).await;
    progress.end();
    match done.and_then(|()| printed.finish()) {
        Ok(outcome) => Ok(outcome),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            let outcome = outcome(&printed.table, printed.hits, &printed.options.shape);
            Ok(Outcome { exit: 0, ..outcome })
        }
        Err(error) => Err(error.into()),
    }
}

/// Where responses are printed.
pub struct ResponseOutput<'a, W, N> {
    /// What was asked for.
    pub out: &'a mut W,
    /// What belongs beside it: hosts that are not well, notes, the summary.
    pub notes: &'a mut N,
}

struct PrintedResponse<'a, W: Write, N: Write> {
    options: AskOptions,
    out: Paced<&'a mut W>,
    notes: &'a mut N,
    table: Table<'a>,
    style: Style,
    groups: HitGroups,
    chart: Chart,
    /// Hits, printed or counted.
    hits: u64,
    counts: BTreeMap<HostId, u64>,
    bytes: Bytes,
    /// Of each host: bytes looked at, of so many.
    progress: BTreeMap<HostId, (u64, u64)>,
    started: Instant,
}

impl<'a, W: Write, N: Write> PrintedResponse<'a, W, N> {
    fn new(hosts: &'a [HostSpec], options: AskOptions, output: ResponseOutput<'a, W, N>) -> Self {
        let mut table = Table::new(hosts);
        table.rows.iter_mut().for_each(|row| row.done = Some(false));
        let style = Style::new(hosts, options.color, options.zone.clone(), options.today);
        let chart = match &options.shape {
            ResponseShape::Buckets { bucket } => Chart::new(*bucket),
            _ => Chart::default(),
        };
        Self {
            options,
            out: Paced::new(output.out),
            notes: output.notes,
            table,
            style,
            groups: HitGroups::default(),
            chart,
            hits: 0,
            counts: BTreeMap::new(),
            bytes: Bytes::default(),
            progress: BTreeMap::new(),
            started: Instant::now(),
        }
    }

    async fn consume(
        &mut self,
        answers: &mut impl ResponsePrinter,
        ending: &mut Ending,
    ) -> io::Result<()> {
        loop {
            let event = tokio::select! {
                biased;
                why = ending.wait() => match why {
                    Why::Unread => return Err(io::ErrorKind::BrokenPipe.into()),
                    Why::Interrupted => {
                        self.table.interrupted();
                        return Ok(());
                    }
                },
                () = self.out.due() => {
                    self.show()?;
                    continue;
                }
                event = answers.next() => event,
            };
            let Some(event) = event else { return Ok(()) };
            if let FanOutEvent::Reply(host, LogResponse::Progress(done, of)) = event {
                self.progress.insert(host, (done, of));
            } else {
                self.on_event(event)?;
                if self.out.is_due() {
                    self.show()?;
                }
            }
            self.show_progress();
        }
    }

    /// Shows what was printed, with the progress out of its way.
    fn show(&mut self) -> io::Result<()> {
        self.options.progress.suspend(|| self.out.flush())
    }

    fn show_progress(&self) {
        let (done, of) = self
            .progress
            .values()
            .fold((0, 0), |(done, of), host| (done + host.0, of + host.1));
        let read = || {
            if of > 0 {
                format!(" · {} of {}", text::size(done), text::size(of))
            } else {
                String::new()
            }
        };
        self.options
            .progress
            .now(self.table.done(), || self.table.awaited() + &read());
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
            FanOutEvent::Reply(host, reply) => {
                self.table.heard(host);
                self.reply(host, reply)
            }
            FanOutEvent::Done(host) => self.done(host),
        }
    }

    fn reply(&mut self, host: HostId, reply: LogResponse) -> io::Result<()> {
        let name = self.table.host_name(host);
        let json = self.options.json;
        match reply {
            LogResponse::Source(info, files) => match self.options.shape {
                ResponseShape::Sources if json => {
                    json::write(&mut self.out, &json::SourceLine::new(name, &info, &files))
                }
                ResponseShape::Sources => self.style.source(&mut self.out, name, &info, &files),
                _ => Ok(()),
            },
            LogResponse::Hits(source, hits) => hits.into_iter().try_for_each(|hit| {
                // A line beside the numbered sources: its source is known by its name.
                let of_host = |line| FleetLine::new(host, SourceId(0), line);
                let near = |lines: Vec<Line>| lines.into_iter().map(of_host).collect::<Vec<_>>();
                let lines = HitLines {
                    before: &near(hit.before),
                    line: &of_host(hit.line),
                    after: &near(hit.after),
                };
                self.hit(&source, lines)
            }),
            LogResponse::Buckets(source, buckets) => self.buckets(name, &source, &buckets),
            LogResponse::Note(source, text) => self.note(name, &source, &text, false),
            LogResponse::Failed(source, text) if json => self.note(name, &source, &text, true),
            LogResponse::Cost(source, cost) if json => {
                json::write(&mut self.out, &json::CostLine::new(name, &source, &cost))
            }
            LogResponse::Cost(source, cost) => self.style.cost(&mut self.out, name, &source, &cost),
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

    fn totals(&mut self, host: HostId, totals: ResponseTotals) {
        self.bytes.read += totals.received;
        *self.bytes.scanned.get_or_insert(0) += totals.scanned;
        *self.bytes.more.get_or_insert(false) |= totals.more;
        if matches!(self.options.shape, ResponseShape::Hits { count: true, .. }) {
            self.hits += totals.hits;
            *self.counts.entry(host).or_default() += totals.hits;
        }
    }

    fn hit(&mut self, source: &str, hit: HitLines<'_>) -> io::Result<()> {
        let host = self.table.host_name(hit.line.host);
        let name = SourceName { host, source };
        self.hits += 1;
        if self.options.json {
            let hit = json::Hit::new(host, source, hit.line, hit.before, hit.after);
            return json::write(&mut self.out, &hit);
        }
        match &self.options.shape {
            ResponseShape::Hits {
                grouped: true,
                marks,
                ..
            } => {
                let group = self.groups.arrange(name, marks, hit);
                self.style.group(&mut self.out, name, &group, marks)
            }
            ResponseShape::Hits { marks, .. } => {
                let head = self.style.head(hit.line.content.time, host, source);
                let content = self.style.content(hit.line, Some(marks));
                writeln!(self.out, "{head} {content}")
            }
            _ => Ok(()),
        }
    }

    fn line(&mut self, line: &FleetLine) -> io::Result<()> {
        let name = self.table.host_name(line.host);
        let source = self.table.source_name(line.source);
        if self.options.json {
            json::write(&mut self.out, &json::Line::new(name, source, line))?;
        } else if let ResponseShape::Around(place) = &self.options.shape {
            // Compressed since then it is in another file, at the same place of its text.
            let is_it =
                line.content.cursor.offset == place.cursor.offset && place.fits(&line.content.raw);
            let mark = match is_it {
                true => LineMark::Hit(None),
                false => LineMark::Context,
            };
            let name = SourceName { host: name, source };
            self.style.marked(&mut self.out, name, line, mark)?;
        } else {
            self.style.line(&mut self.out, name, source, line)?;
        }
        let source: Arc<str> = source.into();
        let ends = self
            .bytes
            .pages
            .iter_mut()
            .find(|page| page.host == line.host && page.source == source);
        match ends {
            Some(page) => page.last = line.content.place(),
            None => {
                let (first, last) = (line.content.place(), line.content.place());
                self.bytes.pages.push(PageEnds {
                    host: line.host,
                    source,
                    first,
                    last,
                });
            }
        }
        self.table.printed(line.host);
        Ok(())
    }

    fn gap(&mut self, gap: Gap) -> io::Result<()> {
        let gap = Gap {
            until: Time::from_timestamp(Timestamp::now()),
            ..gap
        };
        let (host, source) = (
            self.table.host_name(gap.host),
            self.table.source_name(gap.source),
        );
        if self.options.json {
            json::write(&mut self.out, &json::GapLine::new(host, source, &gap))?;
        } else {
            self.style.gap(&mut self.out, host, source, &gap)?;
        }
        self.table.gaps += 1;
        Ok(())
    }

    fn buckets(&mut self, host: &str, source: &str, buckets: &[HistogramBucket]) -> io::Result<()> {
        for bucket in buckets {
            let until = self.chart.add(bucket);
            if self.options.json {
                json::write(
                    &mut self.out,
                    &json::BucketLine::new(host, source, bucket, until),
                )?;
            }
        }
        Ok(())
    }

    fn note(&mut self, host: &str, source: &str, text: &str, failed: bool) -> io::Result<()> {
        if self.options.json {
            return json::write(
                &mut self.out,
                &json::NoteLine::new(host, source, text, failed),
            );
        }
        // On a terminal it stands behind what was found before it.
        self.show()?;
        // Nobody may be there to be told.
        let _ = self
            .options
            .progress
            .suspend(|| self.style.note(self.notes, host, source, text));
        Ok(())
    }

    /// A host is done: of JSON its object, and its count.
    fn done(&mut self, host: HostId) -> io::Result<()> {
        self.progress.remove(&host);
        if let Some(row) = self.table.rows.get_mut(host.index()) {
            row.done = Some(true);
        }
        if let (ResponseShape::Hits { count: true, .. }, Some(hits)) =
            (&self.options.shape, self.counts.get(&host))
        {
            let name = self.table.host_name(host);
            if self.options.json {
                json::write(&mut self.out, &json::CountLine::new(name, *hits))?;
            } else {
                self.style.count(&mut self.out, name, *hits)?;
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
        let outcome = outcome(&self.table, self.hits, &self.options.shape);
        let elapsed = self.started.elapsed();
        if self.options.json {
            (0..self.table.rows.len()).try_for_each(|index| self.row(index))?;
            if !matches!(
                self.options.shape,
                ResponseShape::Lines | ResponseShape::Around(_)
            ) {
                self.bytes.pages.clear();
            }
            let summary = json::Summary::new(&outcome, &self.table.rows, &self.bytes, elapsed);
            json::write(&mut self.out, &summary)?;
        } else {
            if let ResponseShape::Buckets { .. } = self.options.shape {
                self.chart
                    .draw(&mut self.out, &self.style, self.options.width)?;
            }
            self.out.flush()?;
            let _ = self.last_words(&outcome, elapsed);
        }
        self.out.flush()?;
        Ok(outcome)
    }

    fn last_words(&mut self, outcome: &Outcome, elapsed: Duration) -> io::Result<()> {
        self.style.troubles(self.notes, &self.table.rows)?;
        if matches!(self.options.shape, ResponseShape::Lines) {
            for page in &self.bytes.pages {
                self.style
                    .page_ends(self.notes, self.table.host_name(page.host), page)?;
            }
        }
        let counted = self.chart.total();
        self.style.answered(
            self.notes,
            (outcome, &self.table.rows),
            &self.options.shape,
            (&self.bytes, counted),
            elapsed,
        )
    }
}

fn outcome(table: &Table<'_>, hits: u64, shape: &ResponseShape) -> Outcome {
    let rows = &table.rows;
    let ok = rows
        .iter()
        .filter(|row| row.status.state == LinkState::Ok)
        .count();
    let exit = match () {
        () if !rows.iter().any(Row::answered) => 4,
        () if ok < rows.len() || table.gaps > 0 => 3,
        () if hits == 0 && matches!(shape, ResponseShape::Hits { .. }) => 1,
        () => 0,
    };
    Outcome {
        hosts: rows.len(),
        ok,
        lines: table.lines,
        hits,
        gaps: table.gaps,
        exit,
    }
}

#[cfg(test)]
mod tests;
