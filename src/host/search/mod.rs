//! Reads back what was written before, with the few operations that [`Files`] has.
//!
//! [`answer`] takes a [`LogRequest`] and sends [`LogResponse`]s as it finds them. A log is one
//! address space over its generations, oldest first (`sources`, `links`, `alias`, `chain`). `text`
//! reads it, `file_reader` makes lines of its bytes, and `walk` goes along them in both directions.
//! `place` finds cursors and `seek` times. `match_scan` finds the records of files that match,
//! `stream` those of lines from a program; `hits` and `histogram` take what is found. `page` and
//! `cost` answer the rest. The drivers read the files, and the callers show the answers.
//!
//! # Rules
//!
//! * The same line has the same time however it is reached: what the stamps of a file look like is
//!   learnt from its head, once, and what a stamp leaves open (a year) follows from when the file
//!   was last written to.
//! * A generation begins a record; records do not cross the border of two files.
//! * No loss is silent: bytes that are not shown are a [`LogResponse::Gap`], other doubts a
//!   [`LogResponse::Note`].
//! * A file that was moved while it was read is found again; what was found before is not found
//!   twice.

mod alias;
mod caveats;
mod chain;
mod cost;
mod file_reader;
pub(crate) mod histogram;
pub(crate) mod hits;
mod holes;
mod links;
mod log_head;
mod match_scan;
pub(crate) mod matches;
mod page;
mod part_buffer;
mod parts;
mod place;
mod record_lines;
mod relisted;
pub(crate) mod response_sender;
mod runs;
mod seek;
mod sources;
pub(crate) mod stop_reason;
pub(crate) mod stream;
mod text;
mod walk;

use std::sync::Arc;

use tokio::sync::mpsc;

use super::Files;
use crate::model::host::{HostSpec, SystemFacts};
use crate::model::time::HostClock;
use crate::query::request::{LogRequest, LogResponse, PageRequest, RequestKind, ResponseTotals};
use crate::transport::LinkError;

use histogram::HistogramCounts;
use hits::HitSink;
use match_scan::MatchScan;
use matches::{MatchSink, SearchCriteria};
use part_buffer::PartLimits;
use response_sender::ResponseSender;
use sources::{Log, Source};
use stop_reason::StopReason;
use text::LogText;

/// A log that is moved about more often than this while one request is answered is given up.
const MOST_ATTEMPTS: usize = 4;

/// Answers a request about the files of a host; the last response is [`LogResponse::Done`]. The
/// work ends at once when the channel is closed.
///
/// # Errors
/// The host is gone. What is wrong with a single source is a response.
pub async fn answer<F: Files>(
    files: &mut F,
    host: &HostSpec,
    facts: &SystemFacts,
    ask: &LogRequest,
    replies: &mpsc::Sender<LogResponse>,
) -> Result<(), LinkError> {
    let out = ResponseSender::new(replies, ResponseTotals::default());
    let answerer = LogAnswerer::new(files, host, facts, out);
    let totals = answerer.answer(ask).await?;
    // Where nobody listens any more, nobody needs to know.
    let _ = replies.send(LogResponse::Done(totals)).await;
    Ok(())
}

/// Answers one request about the files of a host.
pub(super) struct LogAnswerer<'a, F> {
    files: &'a mut F,
    host: &'a HostSpec,
    clock: HostClock,
    out: ResponseSender<'a>,
    limits: PartLimits,
}

impl<'a, F: Files> LogAnswerer<'a, F> {
    /// With the files of a host whose clock is in `facts`.
    pub(super) fn new(
        files: &'a mut F,
        host: &'a HostSpec,
        facts: &SystemFacts,
        out: ResponseSender<'a>,
    ) -> Self {
        Self {
            files,
            host,
            clock: facts.clock(),
            out,
            limits: PartLimits::default(),
        }
    }

    /// Answers without ending the answer; returns what it has come to.
    ///
    /// # Errors
    /// The host is gone.
    pub(super) async fn answer(mut self, ask: &LogRequest) -> Result<ResponseTotals, LinkError> {
        let replies = self.out.channel();
        let before = self.out.totals;
        let ended = tokio::select! {
            biased;
            () = replies.closed() => return Ok(before),
            ended = self.about_sources(ask) => ended,
        };
        match ended {
            Err(StopReason::Link(error)) => Err(error),
            _ => Ok(self.out.totals),
        }
    }

    async fn about_sources(&mut self, ask: &LogRequest) -> Result<(), StopReason> {
        for source in sources::sources(self.files, self.host, ask).await? {
            let log = match source {
                Source::Log(log) => log,
                Source::Failed(name, why) => {
                    self.out.fail(&name, why).await?;
                    continue;
                }
            };
            let name = Arc::clone(&log.info.name);
            match self.about_log(*log, &ask.what).await {
                Err(StopReason::File(path, error)) => {
                    self.out.fail(&name, error.explained(&path)).await?;
                }
                other => other?,
            }
        }
        Ok(())
    }

    async fn about_log(&mut self, log: Log, what: &RequestKind) -> Result<(), StopReason> {
        let host = self.host.name().as_str();
        let name = Arc::clone(&log.info.name);
        match what {
            RequestKind::List => {
                let beside = sources::beside_note(&log);
                let source = LogResponse::Source(log.info, log.files);
                self.out.send(source).await?;
                match beside {
                    Some(note) => self.out.note(&name, note).await,
                    None => Ok(()),
                }
            }
            RequestKind::Page(page) => self.page(log, page).await,
            RequestKind::Search(asked) => {
                let mut hits = HitSink::new(name, asked);
                self.scan(log, hits::criteria(host, asked), &mut hits).await
            }
            RequestKind::Histogram(asked) => {
                let mut counts = HistogramCounts::new(asked);
                let criteria = histogram::criteria(host, asked);
                self.scan(log, criteria, &mut counts).await?;
                counts.send(&name, &mut self.out).await
            }
            RequestKind::Estimate(asked) => {
                let text = LogText::new(&mut *self.files, log, &self.clock);
                let cost = cost::estimate(text, host, asked).await?;
                self.out.send(LogResponse::Cost(name, cost)).await
            }
        }
    }

    /// A page. It is read again if a file was moved while it was read: nothing of it was sent yet.
    async fn page(&mut self, mut log: Log, page: &PageRequest) -> Result<(), StopReason> {
        for attempt in 1.. {
            let mut text = LogText::new(&mut *self.files, log.clone(), &self.clock);
            let read = page::read(&mut text, page).await;
            text.tally.add_to(&mut self.out.totals);
            match read {
                Err(reason) if reason.is_moved() && attempt < MOST_ATTEMPTS => {
                    log.files = sources::again(self.files, &log).await?;
                }
                read => return page::send(&log.info.name, read?, &mut self.out).await,
            }
        }
        Ok(())
    }

    /// Gives the records of a log that meet the criteria to a sink; without criteria none can.
    async fn scan(
        &mut self,
        log: Log,
        criteria: Option<SearchCriteria<'_>>,
        sink: &mut impl MatchSink,
    ) -> Result<(), StopReason> {
        let Some(criteria) = criteria else {
            return Ok(());
        };
        let name = Arc::clone(&log.info.name);
        let text = LogText::new(&mut *self.files, log, &self.clock);
        let (mut scan, notes) = MatchScan::plan(text, &criteria, self.limits).await?;
        for note in notes {
            self.out.note(&name, note).await?;
        }
        scan.run(sink, &mut self.out).await
    }
}

#[cfg(test)]
mod tests;
