//! What a host can be asked about its logs apart from following them, and what it answers. How it
//! finds an answer is left to `host`.
//!
//! One [`LogRequest`] goes to many hosts; each answers with any number of [`LogResponse`]s as it
//! finds them, in the order of its sources and of their bytes unless it says otherwise, and the
//! last one is [`LogResponse::Done`].

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use globset::GlobBuilder;

use crate::model::cursor::LineRef;
use crate::model::gap::GapReason;
use crate::model::level::Level;
use crate::model::line::Line;
use crate::model::log_file::LogFile;
use crate::model::source::SourceInfo;
use crate::model::time::Time;
use crate::query::Query;

/// A question to the hosts, about the sources that `source` names (all of them where it is empty).
#[derive(Debug, Clone)]
pub struct LogRequest {
    /// Names or globs of sources, as after `source:` in a query; one of them must fit.
    pub sources: Vec<String>,
    /// What is wanted of them.
    pub what: RequestKind,
}

impl LogRequest {
    /// Whether it is about a source of this name. A pattern without a capital fits in either case,
    /// as in a query.
    #[must_use]
    pub fn is_about(&self, source: &str) -> bool {
        let fits = |pattern: &String| {
            let any_case = !pattern.chars().any(char::is_uppercase);
            let glob = GlobBuilder::new(pattern).case_insensitive(any_case).build();
            pattern == source || glob.is_ok_and(|glob| glob.compile_matcher().is_match(source))
        };
        self.sources.is_empty() || self.sources.iter().any(fits)
    }
}

/// What is wanted.
#[derive(Debug, Clone)]
pub enum RequestKind {
    /// The sources, and the files that each consists of.
    List,
    /// What a page, a search or a histogram would cost. Only what shows where a time is found is
    /// read.
    Estimate(Box<RequestKind>),
    /// Lines that follow each other.
    Page(PageRequest),
    /// Lines that match.
    Search(SearchRequest),
    /// How many lines match, by time and level.
    Histogram(HistogramRequest),
}

/// Lines that follow each other in a source.
#[derive(Debug, Clone)]
pub struct PageRequest {
    /// Where it begins.
    pub start: PageStart,
    /// Towards older lines. Lines come in the order of the file all the same.
    pub backwards: bool,
    /// At most so many.
    pub lines: u32,
    /// Nothing stamped outside of this.
    pub window: Range<Time>,
}

/// A place in a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageStart {
    /// Its first byte that is still there.
    Oldest,
    /// Its end.
    Newest,
    /// The first line that is not older.
    At(Time),
    /// A line, as a cursor names it: the page begins with it, or, backwards, ends before it.
    Cursor(LineRef),
    /// The same, where the page begins after that line.
    After(LineRef),
}

/// Lines that match.
#[derive(Debug, Clone)]
pub struct SearchRequest {
    /// What a line must be.
    pub query: Query,
    /// Nothing stamped outside of this.
    pub window: Range<Time>,
    /// The newest first, otherwise the oldest.
    pub newest_first: bool,
    /// Lines before each hit.
    pub before: u32,
    /// Lines after each hit.
    pub after: u32,
    /// A host stops after so many hits (a record is one, whatever number of its lines match) in all
    /// its sources together.
    pub limit: Option<u64>,
    /// Only their number is wanted.
    pub count_only: bool,
}

/// How many records match, by time and level: a stack trace counts once.
#[derive(Debug, Clone)]
pub struct HistogramRequest {
    /// What a line must be.
    pub query: Query,
    /// Nothing stamped outside of this.
    pub window: Range<Time>,
    /// How long a bucket is. The first begins at a multiple of it since 1970.
    pub bucket: Duration,
}

/// A part of an answer.
#[derive(Debug, Clone)]
pub enum LogResponse {
    /// A source that was asked for, with its files, oldest first; none for what is no file.
    Source(SourceInfo, Vec<LogFile>),
    /// Lines that follow each other, of the source with this name.
    Lines(Arc<str>, Vec<Line>),
    /// Records that match, at least one, in the order in which they are wanted.
    Hits(Arc<str>, Vec<SearchHit>),
    /// Counts of a source: the beginning of each bucket, and the lines in it by level
    /// ([`HistogramBucket`]).
    Buckets(Arc<str>, Vec<HistogramBucket>),
    /// Bytes that a source had, or must have had, and that are not to be read any more.
    Gap(Arc<str>, MissingBytes),
    /// Something about a source that a reader of the answer should know: not in order, a damaged
    /// file.
    Note(Arc<str>, String),
    /// A source could not be read (further): the answer is not complete.
    Failed(Arc<str>, String),
    /// How far it is: bytes looked at, of so many.
    Progress(u64, u64),
    /// What it would cost, of [`RequestKind::Estimate`].
    Cost(Arc<str>, RequestCost),
    /// The end.
    Done(ResponseTotals),
}

/// A record that matches, with the lines around it.
#[derive(Debug, Clone)]
pub struct SearchHit {
    /// Its first line.
    pub line: Line,
    /// Those before it, oldest first.
    pub before: Vec<Line>,
    /// The rest of the record ([`Line::continues`]), then those after it.
    pub after: Vec<Line>,
}

/// Lines of a span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistogramBucket {
    /// When it begins.
    pub start: Time,
    /// Lines that state no level, then those of each level of [`Level::ALL`].
    pub counts: [u64; 1 + Level::COUNT],
}

/// Bytes that are not to be read any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingBytes {
    /// Offset of the first.
    pub from: u64,
    /// Offset after the last; `None` where it cannot be known.
    pub to: Option<u64>,
    /// Why.
    pub reason: GapReason,
}

/// What an answer costs a host.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequestCost {
    /// Bytes that are read from disk.
    pub bytes: u64,
    /// Files that are read, with how many bytes of each.
    pub files: Vec<(String, u64)>,
    /// The programs that read them, as a person would type them; none where this one does.
    pub commands: Vec<String>,
}

/// What an answer came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ResponseTotals {
    /// Lines sent, or of a count those counted.
    pub lines: u64,
    /// Hits found.
    pub hits: u64,
    /// Bytes of files that the host looked at, as they are on disk: of a compressed one no more
    /// than it has there. What is looked at again is not counted again. Of what is no file, bytes
    /// of text.
    pub scanned: u64,
    /// Bytes that came from the host.
    pub received: u64,
    /// There was more, and it ended at a limit.
    pub more: bool,
}
