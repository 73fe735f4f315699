//! Reading back: what a host's logs have said, made of the few questions that [`Files`] answers.
//!
//! [`answer`] takes an [`Ask`] and sends [`Reply`]s as it finds them. A log is one address space
//! over its generations, oldest first (`chain`, `links`, `sources`); `text` reads it, `reader` makes
//! lines with times and records of its bytes, `walk` goes along them in both directions. Above that
//! stand `place` (cursors), `seek` (times), `page`, `search`, `histogram` and `cost`. Who has the
//! files is left to the drivers, what people see of it to those who asked.
//!
//! # Rules
//!
//! * The same line has the same time however it is reached: what the stamps of a file look like is
//!   learnt from its head, once, and what a stamp leaves open (a year) follows from when the file
//!   was last written to.
//! * A generation begins a record; records do not cross the border of two files.
//! * Nothing is lost without a word: bytes that are not shown are a [`LogResponse::Gap`], other doubts a
//!   [`LogResponse::Note`].
//! * A file that was moved while it was read is found again; what was found before is not found
//!   twice.

mod chain;
mod cost;
mod file_reader;
mod histogram;
mod hits;
mod hunt;
mod links;
mod page;
mod parts;
mod place;
mod runs;
mod seek;
mod sources;
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

use sources::{Log, Source};
use text::LogText;

/// A log that is moved about more often than this while one question is answered is given up.
const MOST_ATTEMPTS: usize = 4;

/// Answers a question about the files of a host; the last reply is [`LogResponse::Done`]. Who has closed
/// the channel wants no more, and the work ends at once.
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
    let totals = answer_part(files, host, facts, ask, ResponseTotals::default(), replies).await?;
    // Where nobody listens any more, nobody needs to know.
    let _ = replies.send(LogResponse::Done(totals)).await;
    Ok(())
}

/// A part of an answer, which goes on from these totals and does not end it.
pub(super) async fn answer_part<F: Files>(
    files: &mut F,
    host: &HostSpec,
    facts: &SystemFacts,
    ask: &LogRequest,
    totals: ResponseTotals,
    replies: &mpsc::Sender<LogResponse>,
) -> Result<ResponseTotals, LinkError> {
    let mut out = Out { replies, totals };
    let clock = facts.clock();
    let ended = tokio::select! {
        biased;
        () = replies.closed() => return Ok(totals),
        ended = about_sources(files, host, &clock, ask, &mut out) => ended,
    };
    match ended {
        Err(Halt::Link(error)) => Err(error),
        _ => Ok(out.totals),
    }
}

/// Why something ends before it is done.
#[derive(Debug)]
pub(super) enum Halt {
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
pub(super) struct Out<'a> {
    replies: &'a mpsc::Sender<LogResponse>,
    /// What they came to.
    pub(super) totals: ResponseTotals,
}

impl Out<'_> {
    async fn send(&mut self, reply: LogResponse) -> Result<(), Halt> {
        self.replies.send(reply).await.map_err(|_| Halt::Closed)
    }

    async fn note(&mut self, name: &Arc<str>, text: impl Into<String>) -> Result<(), Halt> {
        self.send(LogResponse::Note(Arc::clone(name), text.into()))
            .await
    }
}

async fn about_sources<F: Files>(
    files: &mut F,
    host: &HostSpec,
    clock: &HostClock,
    ask: &LogRequest,
    out: &mut Out<'_>,
) -> Result<(), Halt> {
    for source in sources::sources(files, host, ask).await? {
        let log = match source {
            Source::Log(log) => log,
            Source::Failed(name, why) => {
                out.send(LogResponse::Failed(name, why)).await?;
                continue;
            }
        };
        let name = Arc::clone(&log.info.name);
        match about_log(files, host, clock, *log, &ask.what, out).await {
            Err(Halt::File(path, error)) => {
                out.send(LogResponse::Failed(name, told(&path, &error)))
                    .await?;
            }
            other => other?,
        }
    }
    Ok(())
}

async fn about_log<F: Files>(
    files: &mut F,
    host: &HostSpec,
    clock: &HostClock,
    log: Log,
    what: &RequestKind,
    out: &mut Out<'_>,
) -> Result<(), Halt> {
    let host = host.name().as_str();
    match what {
        RequestKind::List => out.send(LogResponse::Source(log.info, log.files)).await,
        RequestKind::Page(page) => paged(files, clock, log, page, out).await,
        RequestKind::Search(asked) => hits::search(files, host, clock, log, asked, out).await,
        RequestKind::Histogram(asked) => {
            histogram::histogram(files, host, clock, log, asked, out).await
        }
        RequestKind::Estimate(asked) => cost::estimate(files, host, clock, log, asked, out).await,
    }
}

/// The times of which something was asked: those of the question that its query does not rule out.
fn both(window: &Range<Time>, query: &Query) -> Option<Range<Time>> {
    let other = query.window()?;
    let both = window.start.max(other.start)..window.end.min(other.end);
    (!both.is_empty()).then_some(both)
}

/// A page; begun anew where a file was moved meanwhile, for nothing of it was sent yet.
async fn paged<F: Files>(
    files: &mut F,
    clock: &HostClock,
    mut log: Log,
    page: &PageRequest,
    out: &mut Out<'_>,
) -> Result<(), Halt> {
    for attempt in 1.. {
        let mut text = LogText::new(files, log.clone(), clock);
        let read = page::read(&mut text, page).await;
        text.tally.add_to(&mut out.totals);
        match read {
            Err(halt) if halt.is_moved() && attempt < MOST_ATTEMPTS => {
                log.files = sources::again(files, &log)
                    .await
                    .map_err(|failure| Halt::of(failure, &log.path))?;
            }
            read => return page::send(&log.info.name, read?, out).await,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
