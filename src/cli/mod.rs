//! What was typed: options and subcommands, their help, the man page and the completions. What it
//! means together with the environment and the files is left to `config`.

mod arguments;
mod commands;
mod explain;
mod help;
mod hosts;
mod log;
mod man;
mod query;

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use jiff::SignedDuration;

pub use arguments::parse_args;
pub use commands::{
    ContextArgs, HistogramArgs, ReadArgs, SearchArgs, SourceArgs, SourcesArgs, TailArgs, TimeArgs,
};
pub use explain::{write_explanation_json, write_explanation_text};
pub use hosts::{write_hosts_json, write_hosts_text};
pub use log::{LogError, start_log};
pub use man::write_man;
pub use query::write_query_help;

use crate::demo;

/// The command line.
#[derive(Debug, Clone, Default, Parser)]
#[command(
    name = "logtrail-tui",
    version,
    about = help::ABOUT,
    long_about = help::LONG_ABOUT,
    after_help = help::AFTER_HELP,
    after_long_help = help::AFTER_LONG_HELP,
    max_term_width = 100,
    disable_help_subcommand = true
)]
pub struct CliArgs {
    /// Options of every subcommand.
    #[command(flatten)]
    pub global: GlobalArgs,
    /// Which hosts.
    #[command(flatten)]
    pub selection: SelectionArgs,
    /// Options of the console and of `--once`.
    #[command(flatten)]
    pub viewing: ViewingArgs,
    /// Read standard input as a source of this machine: app | logtrail-tui -
    ///
    /// Only standard input; with --hosts it stands beside the hosts that are named. Keys come from
    /// the terminal.
    #[arg(value_name = "-", value_parser = parse_input)]
    pub input: Option<StdinOperand>,
    /// What to do other than to open the console.
    #[command(subcommand)]
    pub command: Option<CliCommand>,
}

/// `-`, where a file would be named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StdinOperand;

/// Options that are taken before and after the subcommand.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct GlobalArgs {
    /// Read the inventory from FILE
    ///
    /// Without it: the file that $LOGTRAIL_HOSTS names, then hosts.toml in the configuration folder
    /// (~/.config/logtrail on Linux). hosts.example.toml in the source documents every key.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        help_heading = "Global options"
    )]
    pub config: Option<PathBuf>,

    /// Print JSON Lines in place of text, where something is printed
    #[arg(long, global = true, help_heading = "Global options")]
    pub json: bool,

    /// Wait no longer than this for a host (10s, 500ms, 2m)
    ///
    /// With --once, tail and metrics it bounds the whole pass (default 30s), and what has arrived
    /// by then is printed. Of search, read and the like it bounds how long a host says nothing
    /// (default 30s): while it says something it may go on. Within that time a host that is silent
    /// for 10s, hangs up or has too many connections is dialled again; one that refuses, or has no
    /// address, is done at once. In the console and with tail -f it bounds how long a host says
    /// nothing before the login (default 10s); one that speaks SSH has two minutes to log in, and
    /// its shell two to answer, before it is dialled again.
    #[arg(long, global = true, value_name = "DURATION", value_parser = parse_timeout, help_heading = "Global options")]
    pub timeout: Option<Duration>,

    /// Do not ask `ssh -G` what ~/.ssh/config says of a host
    #[arg(long, global = true, help_heading = "Global options")]
    pub no_ssh_config: bool,

    /// What to do with a host key that known_hosts does not know
    ///
    /// It goes before what hosts.toml and ~/.ssh/config say; of these, the one that is strict
    /// counts. A key that differs from the known one is always refused.
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "POLICY",
        help_heading = "Global options"
    )]
    pub host_keys: Option<HostKeys>,

    /// Colours: the name of a theme, or a theme file
    ///
    /// A value with a '/' or ending in .toml is a file. $NO_COLOR, when set and not empty, turns
    /// colours off.
    #[arg(
        long,
        global = true,
        value_name = "NAME|FILE",
        help_heading = "Global options"
    )]
    pub theme: Option<String>,

    /// Write a debug log to FILE, filtered by $LOGTRAIL_LOG
    ///
    /// $LOGTRAIL_LOG has the syntax of tracing's filters, as in debug or logtrail::transport=trace;
    /// default info.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        help_heading = "Global options",
        hide_short_help = true
    )]
    pub log_file: Option<PathBuf>,
}

/// `--hosts`. Not one of clap's global options, for of those the one after the subcommand replaces
/// the one before it.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct SelectionArgs {
    /// Which hosts; the language is that of `config`.
    #[arg(long, value_name = "SELECTION", help_heading = "Global options")]
    #[arg(help = help::HOSTS_BRIEF, long_help = help::HOSTS)]
    pub hosts: Vec<String>,
}

/// Options of what shows or prints lines: the console, `--once`, `demo`.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ViewingArgs {
    /// Make one bounded pass over the hosts, print what they have, and exit
    #[arg(long)]
    pub once: bool,

    /// With --once: print the lines as CSV, for a spreadsheet
    ///
    /// A header, then a row for each line and each gap: time, time_from, level, host, source, text,
    /// cursor, continues. What a spreadsheet would take for a formula begins with an apostrophe.
    /// The summary goes to standard error.
    #[arg(long)]
    pub csv: bool,

    /// As --csv, but without apostrophes: for a reader that computes nothing
    #[arg(long, hide_short_help = true)]
    pub raw_csv: bool,

    /// Begin with the last N lines of each source [default: 200; with --once 10; with --grep 1000]
    ///
    /// At most those in the last 8 MiB of a file are looked at.
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(0..=MAX_LINES))]
    pub lines: Option<u32>,

    /// Of these lines, and of those to come, keep only what matches QUERY
    ///
    /// Words must all occur; "a phrase"; /regular expression/; field:value; field>=500;
    /// level>=warn; host:GLOB; source:GLOB; since:15m; 13:00..13:05; yesterday; OR and parentheses;
    /// a leading '-' negates. Lower-case text matches either case. `logtrail-tui query` explains
    /// the language. In the console it is the filter of the first pane; & changes it.
    #[arg(long, value_name = "QUERY", allow_hyphen_values = true)]
    pub grep: Option<String>,

    /// With --once: where lines were lost, ask the host for them once more
    ///
    /// What it still has (in a rotated file that has turned up, say) is printed in place of the
    /// gap.
    #[arg(long, hide_short_help = true)]
    pub backfill: bool,

    /// Print what becomes of the QUERY of --grep, and connect to nothing
    ///
    /// How it was understood, the times it means, what a host's grep can be asked, and what is
    /// checked here.
    #[arg(long)]
    pub explain: bool,

    /// Time between two samples of the metrics [default: 2s]
    #[arg(long, value_name = "DURATION", value_parser = parse_interval)]
    pub interval: Option<Duration>,
}

/// More lines than this per source are not a look at the end of a log but an export, and would not
/// fit the ring.
const MAX_LINES: i64 = 100_000;

/// Values of `--host-keys`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum HostKeys {
    /// Ask in the console, refuse elsewhere
    Strict,
    /// Store the key of a host that is met for the first time
    AcceptNew,
}

/// Subcommands.
#[derive(Debug, Clone, Subcommand)]
pub enum CliCommand {
    /// Show a made-up fleet of SSH servers inside this process
    ///
    /// Nothing to set up, nothing left behind.
    Demo(DemoArgs),
    /// List the hosts that the inventory and --hosts come to, and connect to none
    ///
    /// A check of the configuration.
    Hosts(SelectionArgs),
    /// List the sources of the hosts, and the files of each, rotated ones too
    Sources(SourcesArgs),
    /// Print the last lines of each source in one order; with -f go on
    Tail(TailArgs),
    /// Search all files of the sources, on the hosts themselves
    ///
    /// Rotated and compressed files too. Hits are printed as they are found, the newest first.
    Search(Box<SearchArgs>),
    /// Print lines that follow each other: from a time or a cursor on, or before it
    Read(Box<ReadArgs>),
    /// Print the lines around the one that a cursor names
    Context(ContextArgs),
    /// Count lines by time and level
    Histogram(HistogramArgs),
    /// Print the hosts' metrics
    Metrics(SelectionArgs),
    /// Print how queries are written, for --grep and for the / and & of the console
    Query,
    /// Print a man page as roff; read it with `logtrail-tui man | man -l -`
    Man {
        /// Which: of this program, or of the JSON Lines that it prints
        #[arg(value_enum, default_value_t)]
        page: ManPage,
    },
    /// Print the completions of a shell, to be sourced or stored where it looks for them
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

/// Man pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ManPage {
    /// logtrail-tui(1)
    #[default]
    Tui,
    /// logtrail-json(5)
    Json,
}

/// Options of `demo`.
#[derive(Debug, Clone, clap::Args)]
pub struct DemoArgs {
    /// Number of hosts
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = demo::DEFAULT_SIZE, value_parser = clap::value_parser!(u16).range(1..=MAX_DEMO_HOSTS))]
    pub size: u16,
    /// Which hosts: refused, with the reason, for it makes its own.
    #[command(flatten)]
    pub selection: SelectionArgs,
    /// Options of the console, which may stand after `demo` too.
    #[command(flatten)]
    pub viewing: ViewingArgs,
}

/// A demo server costs about 1 MB and a few file handles of this process; 200 stay below the usual
/// limit of 1024.
const MAX_DEMO_HOSTS: i64 = demo::MAX_SIZE as i64;

impl CliArgs {
    /// The selections before and after the subcommand, in this order.
    #[must_use]
    pub fn all_selections(&self) -> Vec<String> {
        let after = self
            .command
            .as_ref()
            .and_then(CliCommand::selection)
            .map_or(&[][..], |selection| &selection.hosts);
        [&self.selection.hosts[..], after].concat()
    }

    /// The viewing options of the command line as a whole: `--once demo` and `demo --once` are the
    /// same.
    #[must_use]
    pub fn all_viewing(&self) -> ViewingArgs {
        let before = self.viewing.clone();
        let Some(CliCommand::Demo(DemoArgs { viewing: after, .. })) = &self.command else {
            return before;
        };
        ViewingArgs {
            once: after.once || before.once,
            csv: after.csv || before.csv,
            raw_csv: after.raw_csv || before.raw_csv,
            lines: after.lines.or(before.lines),
            grep: after.grep.clone().or(before.grep),
            backfill: after.backfill || before.backfill,
            explain: after.explain || before.explain,
            interval: after.interval.or(before.interval),
        }
    }
}

impl CliCommand {
    /// The hosts that stand after it.
    fn selection(&self) -> Option<&SelectionArgs> {
        Some(match self {
            Self::Hosts(selection)
            | Self::Metrics(selection)
            | Self::Demo(DemoArgs { selection, .. }) => selection,
            Self::Query | Self::Man { .. } | Self::Completions { .. } => return None,
            _ => &self.sourced()?.selection,
        })
    }

    /// Which sources, where it takes that.
    #[must_use]
    pub fn sourced(&self) -> Option<&SourceArgs> {
        Some(match self {
            Self::Sources(options) => &options.sourced,
            Self::Tail(options) => &options.sourced,
            Self::Search(options) => &options.sourced,
            Self::Read(options) => &options.sourced,
            Self::Context(options) => &options.sourced,
            Self::Histogram(options) => &options.sourced,
            _ => return None,
        })
    }
}

/// Prints the completions of a shell.
///
/// # Errors
/// When the output cannot be written.
pub fn write_completions(shell: clap_complete::Shell, out: &mut dyn Write) -> io::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut CliArgs::command(), "logtrail-tui", &mut script);
    out.write_all(&script)
}

/// Whatever is no subcommand comes here.
fn parse_input(text: &str) -> Result<StdinOperand, String> {
    if text == "-" {
        return Ok(StdinOperand);
    }
    let command = CliArgs::command();
    let names: Vec<&str> = command
        .get_subcommands()
        .map(clap::Command::get_name)
        .collect();
    let near = names
        .iter()
        .map(|name| (strsim::damerau_levenshtein(text, name), name))
        .min();
    Err(match near {
        Some((distance, name)) if distance <= 2 => {
            format!("no such command; did you mean {name:?}?")
        }
        _ => format!(
            "no such command; there are {}, and - for standard input",
            names.join(", ")
        ),
    })
}

fn parse_timeout(text: &str) -> Result<Duration, String> {
    parse_duration(
        text,
        Duration::from_millis(100),
        Duration::from_secs(24 * 3600),
    )
}

/// Under half a second, rates are noise and sampling shows in the host's own CPU figures.
fn parse_interval(text: &str) -> Result<Duration, String> {
    parse_duration(text, Duration::from_millis(500), Duration::from_secs(3600))
}

fn parse_duration(text: &str, least: Duration, most: Duration) -> Result<Duration, String> {
    let what = "a duration such as 10s, 500ms or 2m";
    let given = match text.trim().parse::<u32>() {
        Ok(_) => return Err(format!("a unit is missing: {what}")),
        Err(_) => text
            .parse::<SignedDuration>()
            .map_err(|_| format!("expected {what}"))?,
    };
    match Duration::try_from(given) {
        Ok(given) if (least..=most).contains(&given) => Ok(given),
        _ => Err(format!("must be from {least:?} to {}s", most.as_secs())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> CliArgs {
        CliArgs::try_parse_from(line.split_whitespace()).expect("a valid command line")
    }

    #[test]
    fn the_definition_of_the_command_line_is_sound() {
        CliArgs::command().debug_assert();
    }

    #[test]
    fn global_options_are_taken_on_either_side_of_the_subcommand() {
        for line in [
            "logtrail-tui --json --hosts a hosts",
            "logtrail-tui hosts --json --hosts a",
        ] {
            let args = parse(line);
            assert!(args.global.json, "{line}");
            assert_eq!(args.all_selections(), ["a"], "{line}");
        }
        assert_eq!(
            parse("logtrail-tui --hosts a,b hosts --hosts c").all_selections(),
            ["a,b", "c"]
        );
    }

    #[test]
    fn viewing_options_are_taken_on_either_side_of_demo() {
        for line in [
            "logtrail-tui --once --lines 7 demo --size 3",
            "logtrail-tui demo --size 3 --once --lines 7",
        ] {
            let viewing = parse(line).all_viewing();
            assert!(viewing.once, "{line}");
            assert_eq!(viewing.lines, Some(7), "{line}");
        }
    }

    #[test]
    fn durations_have_units_and_bounds() {
        assert_eq!(parse_timeout("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(parse_timeout("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse_timeout("2m"), Ok(Duration::from_secs(120)));
        for bad in ["", "10", "ten", "-5s", "0s", "99h", "1ms"] {
            assert!(parse_timeout(bad).is_err(), "{bad}");
        }
        assert!(parse_interval("100ms").is_err());
    }

    #[test]
    fn a_query_may_start_with_a_negation() {
        let args = CliArgs::try_parse_from(["logtrail-tui", "--grep", "-healthz"]).expect("valid");
        assert_eq!(args.viewing.grep.as_deref(), Some("-healthz"));
    }
}
