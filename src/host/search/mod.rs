//! Reading back: what a host's logs have said, made of the few questions that [`Files`] answers.
//!
//! [`answer`] takes a [`LogRequest`] and sends [`LogResponse`]s as it finds them. A log is one
//! address space over its generations, oldest first (`chain`, `links`, `sources`). `text` reads it,
//! `file_reader` makes lines of its bytes, and `walk` goes along them in both directions. `place`
//! finds cursors and `seek` times. `match_scan` finds the records of files that match, `stream`
//! those of lines from a program; `hits` and `histogram` take what is found. `page` and `cost`
//! answer the rest. The files are left to the drivers, and what people see to the callers.
//!
//! # Rules
//!
//! * The same line has the same time however it is reached: what the stamps of a file look like is
//!   learnt from its head, once, and what a stamp leaves open (a year) follows from when the file
//!   was last written to.
//! * A generation begins a record; records do not cross the border of two files.
//! * Nothing is lost without a word: bytes that are not shown are a [`LogResponse::Gap`], other
//!   doubts a [`LogResponse::Note`].
//! * A file that was moved while it was read is found again; what was found before is not found
//!   twice.

mod chain;
mod cost;
mod file_reader;
pub(crate) mod histogram;
pub(crate) mod hits;
mod links;
mod match_scan;
pub(crate) mod matches;
mod page;
mod parts;
mod place;
mod runs;
mod seek;
mod sources;
pub(crate) mod stream;
mod text;
mod walk;

use std::ops::Range;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::{Failure, Files};
use crate::files::access::FileError;
use crate::model::host::{HostSpec, SystemFacts};
use crate::model::time::{HostClock, Time};
use crate::query::Query;
use crate::query::request::{LogRequest, LogResponse, PageRequest, RequestKind, ResponseTotals};
use crate::transport::LinkError;

use match_scan::PartLimits;
use sources::{Log, Source};
use text::LogText;

/// A log that is moved about more often than this while one question is answered is given up.
const MOST_ATTEMPTS: usize = 4;

/// Answers a question about the files of a host; the last reply is [`LogResponse::Done`]. Who has
/// closed the channel wants no more, and the work ends at once.
///
/// # Errors
/// The host is gone. What can be said of a single source is a reply.
pub async fn answer<F: Files>(
    files: &mut F,
    host: &HostSpec,
    facts: &SystemFacts,
    ask: &LogRequest,
    replies: &mpsc::Sender<LogResponse>,
) -> Result<(), LinkError> {
    let out = Out::new(replies, ResponseTotals::default());
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
    out: Out<'a>,
    limits: PartLimits,
}

impl<'a, F: Files> LogAnswerer<'a, F> {
    /// With the files of a host whose clock is in `facts`.
    pub(super) fn new(
        files: &'a mut F,
        host: &'a HostSpec,
        facts: &SystemFacts,
        out: Out<'a>,
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
        let replies = self.out.replies;
        let before = self.out.totals;
        let ended = tokio::select! {
            biased;
            () = replies.closed() => return Ok(before),
            ended = self.about_sources(ask) => ended,
        };
        match ended {
            Err(Halt::Link(error)) => Err(error),
            _ => Ok(self.out.totals),
        }
    }

    async fn about_sources(&mut self, ask: &LogRequest) -> Result<(), Halt> {
        for source in sources::sources(self.files, self.host, ask).await? {
            let log = match source {
                Source::Log(log) => log,
                Source::Failed(name, why) => {
                    self.out.send(LogResponse::Failed(name, why)).await?;
                    continue;
                }
            };
            let name = Arc::clone(&log.info.name);
            match self.about_log(*log, &ask.what).await {
                Err(Halt::File(path, error)) => {
                    let why = told(&path, &error);
                    self.out.send(LogResponse::Failed(name, why)).await?;
                }
                other => other?,
            }
        }
        Ok(())
    }

    async fn about_log(&mut self, log: Log, what: &RequestKind) -> Result<(), Halt> {
        match what {
            RequestKind::List => {
                let source = LogResponse::Source(log.info, log.files);
                self.out.send(source).await
            }
            RequestKind::Page(page) => self.paged(log, page).await,
            RequestKind::Search(asked) => hits::search(self, log, asked).await,
            RequestKind::Histogram(asked) => histogram::histogram(self, log, asked).await,
            RequestKind::Estimate(asked) => cost::estimate(self, log, asked).await,
        }
    }

    /// A page. It is read again if a file was moved while it was read: nothing of it was sent yet.
    async fn paged(&mut self, mut log: Log, page: &PageRequest) -> Result<(), Halt> {
        for attempt in 1.. {
            let mut text = LogText::new(&mut *self.files, log.clone(), &self.clock);
            let read = page::read(&mut text, page).await;
            text.tally.add_to(&mut self.out.totals);
            match read {
                Err(halt) if halt.is_moved() && attempt < MOST_ATTEMPTS => {
                    log.files = sources::again(self.files, &log)
                        .await
                        .map_err(|failure| Halt::of(failure, &log.path))?;
                }
                read => return page::send(&log.info.name, read?, &mut self.out).await,
            }
        }
        Ok(())
    }

    fn host_name(&self) -> &'a str {
        self.host.name().as_str()
    }
}

/// Why something ends before it is done.
#[derive(Debug)]
pub(crate) enum Halt {
    /// The host is gone.
    Link(LinkError),
    /// Nobody listens any more.
    Closed,
    /// As much was found as was asked for.
    Enough,
    /// A file cannot be read: which, and why.
    File(String, FileError),
}

impl Halt {
    fn of(failure: Failure, path: &[u8]) -> Self {
        match failure {
            Failure::Link(error) => Self::Link(error),
            Failure::File(error) => Self::File(String::from_utf8_lossy(path).into_owned(), error),
        }
    }

    fn is_of_file(&self) -> bool {
        matches!(self, Self::File(..))
    }

    /// The file was moved away since it was listed.
    fn is_moved(&self) -> bool {
        matches!(self, Self::File(_, error) if is_move(error))
    }
}

/// Why a file cannot be read, and what can be done about it, in one line.
fn told(path: &str, error: &FileError) -> String {
    match error.hint() {
        Some(hint) => format!("{path}: {error} – {hint}"),
        None => format!("{path}: {error}"),
    }
}

/// The file is another one, or gone, since it was listed.
fn is_move(error: &FileError) -> bool {
    matches!(error, FileError::Replaced | FileError::Missing)
}

/// Where answers go.
pub(crate) struct Out<'a> {
    replies: &'a mpsc::Sender<LogResponse>,
    /// What they came to.
    pub(crate) totals: ResponseTotals,
}

impl<'a> Out<'a> {
    /// Goes on from these totals.
    pub(crate) fn new(replies: &'a mpsc::Sender<LogResponse>, totals: ResponseTotals) -> Self {
        Self { replies, totals }
    }

    pub(crate) async fn send(&mut self, reply: LogResponse) -> Result<(), Halt> {
        self.replies.send(reply).await.map_err(|_| Halt::Closed)
    }

    pub(crate) async fn note(
        &mut self,
        name: &Arc<str>,
        text: impl Into<String>,
    ) -> Result<(), Halt> {
        self.send(LogResponse::Note(Arc::clone(name), text.into()))
            .await
    }
}

/// The times of which something was asked: those of the question that its query does not rule out.
fn both(window: &Range<Time>, query: &Query) -> Option<Range<Time>> {
    let other = query.window()?;
    let both = window.start.max(other.start)..window.end.min(other.end);
    (!both.is_empty()).then_some(both)
}

#[cfg(test)]
mod tests;
