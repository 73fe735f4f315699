//! The subcommands that ask hosts: their options and help. What the options mean is left to
//! `config`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{MAX_LINES, SelectionArgs, parse_duration};

/// Which sources of which hosts.
#[derive(Debug, Clone, Default, Args)]
pub struct SourceArgs {
    /// Which hosts.
    #[command(flatten)]
    pub selection: SelectionArgs,
    /// Only of sources whose name is like this: a name or a glob, as after `source:` in a query;
    /// may be repeated
    #[arg(long, value_name = "NAME|GLOB", value_delimiter = ',')]
    pub source: Vec<String>,
}

/// Which times.
#[derive(Debug, Clone, Default, Args)]
pub struct TimeArgs {
    /// Nothing older: 15m or '2 hours ago', 03:14, 'yesterday 03:14', friday, 2026-11-20, or a time
    /// as a log has it
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub since: Option<String>,
    /// Nothing from then on; a day is meant with all of it
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub until: Option<String>,
}

/// Options of `sources`.
#[derive(Debug, Clone, Default, Args)]
pub struct SourcesArgs {
    /// Of what.
    #[command(flatten)]
    pub sourced: SourceArgs,
}

/// Options of `tail`.
#[derive(Debug, Clone, Default, Args)]
pub struct TailArgs {
    /// Go on with what is written from now on, until Ctrl-C or until nobody reads it any more
    #[arg(short, long)]
    pub follow: bool,
    /// Begin with the last N lines of each source [default: 10; with --grep 1000]
    #[arg(short = 'n', long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(0..=MAX_LINES))]
    pub lines: Option<u32>,
    /// Of these lines, and of those to come, print only what matches QUERY
    #[arg(long, value_name = "QUERY", allow_hyphen_values = true)]
    pub grep: Option<String>,
    /// Where lines were lost, ask the host for them once more
    ///
    /// What it still has (in a rotated file that has turned up, say) is printed in place of the
    /// gap. Until it is known, what comes after the gap in its source waits, for a minute at most.
    #[arg(long)]
    pub backfill: bool,
    /// With -f: go on after the lines that earlier runs printed, which FILE remembers
    ///
    /// However a run ended, the next one with the same FILE goes on where it stopped, over whatever
    /// rotations came between; what a host has no more is a gap. After Ctrl-C, SIGTERM or a closed
    /// pipe no line is missing and none comes twice; after a kill -9 what was printed within the
    /// last second may come twice. A line counts as printed when standard output has taken it, or
    /// when --grep or --source left it out. A source that FILE does not know begins with its last
    /// lines, as --lines says; a file that a pattern finds new, with its first. Journals,
    /// containers and commands always begin with their last lines. FILE is made with mode 0600, for
    /// the ends of lines are in it; beside it are FILE.lock, FILE.previous (the one before) and,
    /// where one was torn, FILE.corrupt.
    #[arg(long, value_name = "FILE", requires = "follow")]
    pub resume: Option<PathBuf>,
    /// Of what.
    #[command(flatten)]
    pub sourced: SourceArgs,
}

/// Options of `search`.
#[derive(Debug, Clone, Default, Args)]
pub struct SearchArgs {
    /// What a line must be; `logtrail-tui query` explains the language. Several words must all hold
    #[arg(required = true, value_name = "QUERY")]
    pub query: Vec<String>,
    /// Which times.
    #[command(flatten)]
    pub times: TimeArgs,
    /// Print N lines before and after each hit too
    #[arg(short = 'C', long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(0..=MAX_CONTEXT))]
    pub context: Option<u32>,
    /// Print N lines after each hit too
    #[arg(short = 'A', long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(0..=MAX_CONTEXT))]
    pub after_context: Option<u32>,
    /// Print N lines before each hit too
    #[arg(short = 'B', long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(0..=MAX_CONTEXT))]
    pub before_context: Option<u32>,
    /// Each host stops after N hits, so that a fast one does not take the room of the others
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
    /// Print only how many hits each host has
    #[arg(long, conflicts_with_all = ["context", "after_context", "before_context", "oldest_first"])]
    pub count: bool,
    /// Begin with the oldest lines; otherwise with the newest
    #[arg(long)]
    pub oldest_first: bool,
    /// Print what the query becomes and what it would cost each host, and read nothing for it
    #[arg(long)]
    pub explain: bool,
    /// Of what.
    #[command(flatten)]
    pub sourced: SourceArgs,
}

/// Options of `read`.
#[derive(Debug, Clone, Default, Args)]
pub struct ReadArgs {
    /// Begin with the first line that is not older
    #[arg(
        long,
        value_name = "TIME",
        allow_hyphen_values = true,
        conflicts_with = "since"
    )]
    pub at: Option<String>,
    /// Which times.
    #[command(flatten)]
    pub times: TimeArgs,
    /// Begin with the line that a cursor names; with --backwards end before it
    #[arg(long, value_name = "CURSOR", conflicts_with_all = ["at", "after"])]
    pub cursor: Option<String>,
    /// Begin after the line that a cursor names
    #[arg(long, value_name = "CURSOR", conflicts_with_all = ["at", "backwards"])]
    pub after: Option<String>,
    /// At most N lines of each source [default: 100; all between --since or --at and --until]
    #[arg(short = 'n', long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..))]
    pub lines: Option<u32>,
    /// The lines before the beginning in place of those from there on, in the same order; without a
    /// beginning the newest
    #[arg(long)]
    pub backwards: bool,
    /// Print what it would cost each host, and read nothing for it
    #[arg(long)]
    pub explain: bool,
    /// Of what.
    #[command(flatten)]
    pub sourced: SourceArgs,
}

/// Options of `context`.
#[derive(Debug, Clone, Default, Args)]
pub struct ContextArgs {
    /// The line, as "cursor" names it in JSON
    #[arg(value_name = "CURSOR")]
    pub cursor: String,
    /// So many lines before and after it
    #[arg(short = 'C', long, value_name = "N", allow_negative_numbers = true, default_value_t = 10, value_parser = clap::value_parser!(u32).range(0..=MAX_CONTEXT))]
    pub context: u32,
    /// Of what.
    #[command(flatten)]
    pub sourced: SourceArgs,
}

/// Options of `histogram`.
#[derive(Debug, Clone, Default, Args)]
pub struct HistogramArgs {
    /// What a line must be to be counted; without it all lines are
    #[arg(value_name = "QUERY")]
    pub query: Vec<String>,
    /// Which times.
    #[command(flatten)]
    pub times: TimeArgs,
    /// How long a bucket is [default: about 60 of them; 1h where the times have no beginning]
    #[arg(long, value_name = "DURATION", value_parser = parse_bucket)]
    pub bucket: Option<Duration>,
    /// Print what the query becomes and what it would cost each host, and read nothing for it
    #[arg(long)]
    pub explain: bool,
    /// Of what.
    #[command(flatten)]
    pub sourced: SourceArgs,
}

/// More than this beside each hit is a page, which `read` prints.
const MAX_CONTEXT: i64 = 1000;

/// From a second, below which most stamps do not go, to about a month.
fn parse_bucket(text: &str) -> Result<Duration, String> {
    parse_duration(
        text,
        Duration::from_secs(1),
        Duration::from_secs(31 * 86_400),
    )
}
