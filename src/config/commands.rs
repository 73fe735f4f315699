//! What the subcommands mean that ask hosts: a [`RunTask`].

use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use globset::GlobMatcher;

use super::environment::ProcessEnvironment;
use super::error::ConfigError;
use crate::cli::{self, CliArgs, CliCommand};
use crate::model::cursor::LineRef;
use crate::model::host::HostSpec;
use crate::model::source::{SourceKind, SourceSpec};
use crate::model::time::Time;
use crate::query::request::{
    HistogramRequest, LogRequest, PageRequest, PageStart, RequestKind, SearchRequest,
};
use crate::query::{Query, ReferenceTime, TimeSpan, WrittenTime};
use crate::report::ResponseShape;

/// What is to be done with the hosts.
#[derive(Debug, Clone)]
pub enum RunTask {
    /// The console, or one pass over what it would show.
    View,
    /// Questions, and how the answers are printed.
    Ask(Box<RequestTask>),
    /// The last lines, and perhaps what comes after them.
    Tail {
        /// Go on.
        follow: bool,
        /// Names of sources as globs.
        sources: Vec<String>,
        /// The file that remembers what was printed.
        resume: Option<PathBuf>,
    },
    /// Their metrics.
    Metrics,
}

impl RunTask {
    /// Whether it ends by itself, whatever the options say.
    pub(super) fn is_one_pass(&self) -> bool {
        match self {
            Self::Ask(_) | Self::Metrics => true,
            Self::Tail { follow, .. } => !follow,
            Self::View => false,
        }
    }
}

/// Questions to the hosts.
#[derive(Debug, Clone)]
pub struct RequestTask {
    /// Each host is asked all of them in this order.
    pub asks: Vec<LogRequest>,
    /// How the answers are printed.
    pub shape: ResponseShape,
    /// The query, where what becomes of it is printed first.
    pub explain: Option<Query>,
    /// What is looked for.
    pub query: Option<Query>,
}

/// Lines of each source that can be read when they are printed for a whole fleet.
const ONCE_LINES: u32 = 10;

/// Lines of each source among which `--grep` looks: what does not match takes no room.
const GREP_LINES: u32 = 1000;

/// Lines of a page.
const PAGE_LINES: u32 = 100;

/// Rows of a histogram that fit a screen.
const BUCKETS: i64 = 60;

/// Buckets where the times have no beginning.
const BUCKET: Duration = Duration::from_secs(3600);

/// How long a bucket is made, in seconds.
const NICE: [u64; 17] = [
    1,
    5,
    10,
    30,
    60,
    300,
    600,
    900,
    1800,
    3600,
    3 * 3600,
    6 * 3600,
    12 * 3600,
    86_400,
    2 * 86_400,
    7 * 86_400,
    28 * 86_400,
];

const ALWAYS: Range<Time> = Time(i64::MIN)..Time(i64::MAX);

/// What is to be done with these hosts.
pub(super) fn task(
    args: &CliArgs,
    env: &ProcessEnvironment,
    hosts: &[HostSpec],
) -> Result<RunTask, ConfigError> {
    let Some(command) = &args.command else {
        return Ok(RunTask::View);
    };
    let meant = match command {
        CliCommand::Sources(_) => MeantRequest::new(RequestKind::List, ResponseShape::Sources),
        CliCommand::Search(options) => search(options, env)?,
        CliCommand::Read(options) => read(options, env, hosts)?,
        CliCommand::Context(options) => context(options, hosts)?,
        CliCommand::Histogram(options) => histogram(options, env)?,
        CliCommand::Tail(options) => {
            return Ok(RunTask::Tail {
                follow: options.follow,
                sources: options.sourced.source.clone(),
                resume: options.resume.clone(),
            });
        }
        CliCommand::Metrics(_) => return Ok(RunTask::Metrics),
        CliCommand::Demo(_)
        | CliCommand::Hosts(_)
        | CliCommand::Query
        | CliCommand::Man { .. }
        | CliCommand::Completions { .. } => {
            return Ok(RunTask::View);
        }
    };
    let sourced = command.sourced();
    let sources = sourced.map_or(&[][..], |sourced| &sourced.source[..]);
    globs(sources)?;
    Ok(RunTask::Ask(Box::new(meant.of_sources(sources))))
}

/// The lines of each source to begin with where none are given and all are printed.
pub(super) fn printed_lines(grep: Option<&str>) -> u32 {
    if grep.is_some() {
        GREP_LINES
    } else {
        ONCE_LINES
    }
}

/// Hosts with those of their sources that may have one of these names: those of a pattern are not
/// known yet.
pub(super) fn narrowed(
    hosts: Vec<HostSpec>,
    sources: &[String],
) -> Result<Vec<HostSpec>, ConfigError> {
    if sources.is_empty() {
        return Ok(hosts);
    }
    let globs = globs(sources)?;
    let is_wanted = |source: &SourceSpec| {
        let is_one = !source.kind.is_glob() && source.kind != SourceKind::Journal(None);
        !is_one || globs.iter().any(|glob| glob.is_match(&source.name))
    };
    let mut kept = hosts;
    kept.retain_mut(|host| {
        let of_its_own = host.sources.is_empty();
        host.sources.retain(is_wanted);
        of_its_own || !host.sources.is_empty()
    });
    if kept.is_empty() {
        let message = format!(
            "no host has a source like {}; see `logtrail-tui sources`",
            sources.join(", ")
        );
        return Err(ConfigError::option("--source", message));
    }
    Ok(kept)
}

/// Names of sources as patterns.
///
/// # Errors
/// When one is no pattern.
pub fn globs(sources: &[String]) -> Result<Vec<GlobMatcher>, ConfigError> {
    let globs = sources.iter().map(|source| super::selection::glob(source));
    globs
        .collect::<Result<_, _>>()
        .map_err(|message| ConfigError::option("--source", message))
}

/// What a subcommand asks of hosts, before its sources are known.
struct MeantRequest {
    kinds: Vec<RequestKind>,
    shape: ResponseShape,
    explain: Option<Query>,
    query: Option<Query>,
}

impl MeantRequest {
    fn new(kind: RequestKind, shape: ResponseShape) -> Self {
        Self {
            kinds: vec![kind],
            shape,
            explain: None,
            query: None,
        }
    }

    fn of_query(self, query: Query) -> Self {
        Self {
            query: Some(query),
            ..self
        }
    }

    /// With `--explain` it is asked what the request would cost.
    fn or_explained(self, explain: bool, query: Option<Query>) -> Self {
        if !explain {
            return self;
        }
        Self {
            kinds: self
                .kinds
                .into_iter()
                .map(|kind| RequestKind::Estimate(Box::new(kind)))
                .collect(),
            shape: ResponseShape::Costs,
            explain: query,
            query: None,
        }
    }

    fn of_sources(self, sources: &[String]) -> RequestTask {
        let about = |what| LogRequest {
            sources: sources.to_vec(),
            what,
        };
        RequestTask {
            asks: self.kinds.into_iter().map(about).collect(),
            shape: self.shape,
            explain: self.explain,
            query: self.query,
        }
    }
}

fn search(
    options: &cli::SearchArgs,
    env: &ProcessEnvironment,
) -> Result<MeantRequest, ConfigError> {
    let query = query(&options.query, env)?;
    let window = both(&query, times(&options.times, env)?)?;
    let context = options.context.unwrap_or(0);
    let before = options.before_context.unwrap_or(context);
    let after = options.after_context.unwrap_or(context);
    let kind = RequestKind::Search(SearchRequest {
        query: query.clone(),
        window,
        newest_first: !options.oldest_first,
        before,
        after,
        limit: options.limit,
        count_only: options.count,
    });
    let shape = ResponseShape::Hits {
        count: options.count,
        grouped: before > 0 || after > 0,
        marks: query.clone(),
    };
    let request = MeantRequest::new(kind, shape).of_query(query.clone());
    Ok(request.or_explained(options.explain, Some(query)))
}

fn read(
    options: &cli::ReadArgs,
    env: &ProcessEnvironment,
    hosts: &[HostSpec],
) -> Result<MeantRequest, ConfigError> {
    let mut window = times(&options.times, env)?;
    let at = options
        .at
        .as_deref()
        .map(|text| moment("--at", text, &env.now))
        .transpose()?;
    let start = match (&options.cursor, &options.after, at) {
        (Some(text), _, _) => PageStart::Cursor(cursor("--cursor", text, hosts)?),
        (_, Some(text), _) => PageStart::After(cursor("--after", text, hosts)?),
        (_, _, Some(at)) => PageStart::At(at),
        _ => usual_start(options.backwards, &window),
    };
    if !options.backwards && options.times.until.is_some() {
        window.start = at.unwrap_or(window.start);
    }
    let bounded = window.start != ALWAYS.start && window.end != ALWAYS.end;
    let usual = if bounded { u32::MAX } else { PAGE_LINES };
    let kind = RequestKind::Page(PageRequest {
        start,
        backwards: options.backwards,
        lines: options.lines.unwrap_or(usual),
        window,
    });
    Ok(MeantRequest::new(kind, ResponseShape::Lines).or_explained(options.explain, None))
}

fn usual_start(backwards: bool, window: &Range<Time>) -> PageStart {
    if backwards {
        PageStart::Newest
    } else if window.start == ALWAYS.start {
        PageStart::Oldest
    } else {
        PageStart::At(window.start)
    }
}

fn context(options: &cli::ContextArgs, hosts: &[HostSpec]) -> Result<MeantRequest, ConfigError> {
    let place = cursor("CURSOR", &options.cursor, hosts)?;
    let page = |backwards: bool, lines: u32| {
        RequestKind::Page(PageRequest {
            start: PageStart::Cursor(place),
            backwards,
            lines,
            window: ALWAYS,
        })
    };
    let mut kinds = vec![page(false, options.context + 1)];
    if options.context > 0 {
        kinds.insert(0, page(true, options.context));
    }
    Ok(MeantRequest {
        kinds,
        shape: ResponseShape::Around(place),
        explain: None,
        query: None,
    })
}

fn histogram(
    options: &cli::HistogramArgs,
    env: &ProcessEnvironment,
) -> Result<MeantRequest, ConfigError> {
    let query = query(&options.query, env)?;
    let window = both(&query, times(&options.times, env)?)?;
    let bucket = options
        .bucket
        .unwrap_or_else(|| bucket_of(&window, env.now.time));
    let kind = RequestKind::Histogram(HistogramRequest {
        query: query.clone(),
        window,
        bucket,
    });
    let shape = ResponseShape::Buckets { bucket };
    let request = MeantRequest::new(kind, shape).of_query(query.clone());
    Ok(request.or_explained(options.explain, Some(query)))
}

/// About as many buckets as a screen has rows.
fn bucket_of(window: &Range<Time>, now: Time) -> Duration {
    if window.start == ALWAYS.start {
        return BUCKET;
    }
    let span = window.end.min(now).0.saturating_sub(window.start.0).max(0);
    let least = u64::try_from(span / 1_000_000_000 / BUCKETS).unwrap_or(0);
    let fits = NICE.into_iter().find(|nice| *nice >= least);
    Duration::from_secs(fits.unwrap_or(NICE[NICE.len() - 1]))
}

fn query(words: &[String], env: &ProcessEnvironment) -> Result<Query, ConfigError> {
    // With grep it means standard input, so that is what was meant here too.
    if words.iter().any(|word| word == "-") {
        let how = "filter it with `… | logtrail-tui - --once --grep QUERY`; a minus is '\"-\"', and -word what is left out";
        return Err(ConfigError::option(
            "QUERY",
            format!("of standard input (-) nothing is kept to look through: {how}"),
        ));
    }
    let text = words.join(" ");
    Query::parse(&text, &env.now).map_err(|error| ConfigError::query("QUERY", &text, error))
}

/// The times that the options and the query both allow.
fn both(query: &Query, given: Range<Time>) -> Result<Range<Time>, ConfigError> {
    let own = query.window().unwrap_or(Time(0)..Time(0));
    let window = own.start.max(given.start)..own.end.min(given.end);
    if window.start < window.end {
        return Ok(window);
    }
    Err(ConfigError::option(
        "QUERY",
        "the times in it and in the options exclude each other: no line can match",
    ))
}

fn times(times: &cli::TimeArgs, env: &ProcessEnvironment) -> Result<Range<Time>, ConfigError> {
    let when =
        |option, text: &Option<String>| text.as_deref().map(|text| when(option, text)).transpose();
    let span = TimeSpan {
        from: when("--since", &times.since)?,
        to: when("--until", &times.until)?,
    };
    let window = span.resolve(&env.now);
    if window.start < window.end {
        return Ok(window);
    }
    Err(ConfigError::option(
        "--until",
        "ends before --since begins, or with it",
    ))
}

fn moment(option: &'static str, text: &str, now: &ReferenceTime) -> Result<Time, ConfigError> {
    Ok(TimeSpan {
        from: Some(when(option, text)?),
        to: None,
    }
    .resolve(now)
    .start)
}

/// A time of the language of queries.
fn when(option: &'static str, text: &str) -> Result<WrittenTime, ConfigError> {
    let text = text.trim();
    WrittenTime::parse(text).ok_or_else(|| {
        let valid =
            "15m or '2 hours ago', 03:14, 2026-11-20, '2026-11-20 03:14', 'yesterday 03:14', friday, or a time as a log has it";
        ConfigError::option(option, format!("{text:?} is not a time; valid are {valid}"))
    })
}

/// A cursor, which names a file of one host.
fn cursor(option: &'static str, text: &str, hosts: &[HostSpec]) -> Result<LineRef, ConfigError> {
    let place = text
        .trim()
        .parse()
        .map_err(|error: crate::model::cursor::CursorError| {
            ConfigError::option(option, error.to_string())
        })?;
    match hosts {
        [_] => Ok(place),
        _ => Err(ConfigError::option(
            option,
            format!(
                "a cursor is of one host, and {} are selected; name the host with --hosts",
                hosts.len()
            ),
        )),
    }
}

#[cfg(test)]
#[path = "tests/commands.rs"]
mod tests;
