//! What the command line means: options over the environment over files over defaults, as one
//! [`RunPlan`].
//!
//! Reads files and checks that keys are there; connects to nothing and prints nothing. Everything
//! that is wrong is one line with file, line, column and what was probably meant.

mod commands;
mod environment;
mod error;
mod file;
mod host_selection;
mod host_table;
mod identity;
mod inventory;
mod kinds;
mod routes;
mod selection;
mod sources;
mod target;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::cli::{CliArgs, CliCommand, HostKeys, ViewingArgs};
use crate::fleet::{FleetOptions, Goal};
use crate::model::host::{Endpoint, HostKeyPolicy, HostName, HostSpec, TransportKind};
use crate::model::source::{SourceKind, SourceSpec};
use crate::query::Query;
use crate::report::{CsvCells, OutputFormat};
use crate::transport::{Connector, PromptAnswerer, TransportSettings};

pub use commands::{RequestTask, RunTask, globs};
pub use environment::ProcessEnvironment;
pub use error::{ConfigError, ErrorPlace};
use inventory::Inventory;

/// What is to be done, decided.
#[derive(Debug, Clone)]
pub struct RunPlan {
    /// The hosts, in the order of selection; empty for `demo`, which makes its own.
    pub hosts: Vec<HostSpec>,
    /// The file that was read; `None` where there is none.
    pub inventory: Option<PathBuf>,
    /// What is to be done with them.
    pub task: RunTask,
    /// One bounded pass in place of the console.
    pub once: bool,
    /// JSON Lines in place of text.
    pub json: bool,
    /// CSV in place of text, of `once` only.
    pub csv: Option<CsvCells>,
    /// The longest time for the whole of a pass; of a question the longest time in which a host
    /// says nothing.
    pub timeout: Duration,
    /// The longest time for one attempt to connect.
    pub connect_timeout: Duration,
    /// Last lines of each source to begin with.
    pub lines: u32,
    /// Time between two samples.
    pub interval: Duration,
    /// What a line must match.
    pub grep: Option<Query>,
    /// Where lines were lost, to ask for them once more.
    pub backfill: bool,
    /// To print what becomes of `grep` in place of connecting.
    pub explain: bool,
    /// Whether `ssh -G` is asked.
    pub ssh_config: bool,
    /// What to do with unknown keys of hosts that are in no inventory: `--host-keys`, or that of
    /// `[defaults]`.
    pub host_keys: Option<HostKeyPolicy>,
    /// `--host-keys`, which has the last word.
    pub host_keys_option: Option<HostKeyPolicy>,
    /// Colours.
    pub theme: ThemeChoice,
    /// The user's folder for files of ours, such as themes, whether or not it exists.
    pub config_dir: Option<PathBuf>,
    /// Where the debug log goes.
    pub log_file: Option<PathBuf>,
    /// What passes into the debug log (`LOGTRAIL_LOG`).
    pub log_filter: Option<String>,
}

/// Which colours are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ThemeChoice {
    /// The built-in default.
    Default,
    /// None (`NO_COLOR`).
    NoColour,
    /// A theme by its name.
    Named(String),
    /// A theme file.
    File(PathBuf),
}

/// Lines of each source that fill a screen with something to scroll back to.
const CONSOLE_LINES: u32 = 200;
/// Slow enough to cost a host nothing (4 ms of CPU per sample), fast enough to see a spike.
const INTERVAL: Duration = Duration::from_secs(2);
/// Longer than a slow login (reverse DNS, PAM), shorter than patience.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Room for one slow login through a bastion, the pass itself and two samples.
const ONCE_TIMEOUT: Duration = Duration::from_secs(30);

/// Decides what is to be done. `man` and `completions` need no plan and should not ask for one.
///
/// # Errors
/// When a file, an option or a variable is wrong, or no host is meant.
pub fn load(args: &CliArgs, env: &ProcessEnvironment) -> Result<RunPlan, ConfigError> {
    let chosen = match &args.command {
        Some(CliCommand::Demo(_)) => demo_hosts(args)?,
        _ => hosts(args, env)?,
    };
    let viewing = args.all_viewing();
    let (hosts, viewing) = of_command(args, chosen.hosts, viewing)?;
    let task = commands::task(args, env, &hosts)?;
    let once = viewing.once || task.is_one_pass();
    let grep = grep(&viewing, env)?;
    let timeout = args.global.timeout;
    Ok(RunPlan {
        backfill: backfill(&viewing, &task)?,
        hosts,
        task,
        inventory: chosen.inventory,
        once,
        json: args.global.json,
        csv: csv(args, &viewing)?,
        timeout: timeout.unwrap_or(ONCE_TIMEOUT),
        connect_timeout: connect_timeout(timeout, once),
        lines: viewing.lines.unwrap_or_else(|| usual_lines(&viewing)),
        interval: viewing.interval.unwrap_or(INTERVAL),
        explain: explain(&viewing, grep.as_ref())?,
        grep,
        ssh_config: !args.global.no_ssh_config,
        host_keys: chosen.host_keys,
        host_keys_option: host_keys_option(args),
        theme: theme(args, env),
        config_dir: config_dir(env),
        log_file: args.global.log_file.clone(),
        log_filter: env
            .variable("LOGTRAIL_LOG")
            .map(|filter| filter.to_string_lossy().into_owned()),
    })
}

fn grep(viewing: &ViewingArgs, env: &ProcessEnvironment) -> Result<Option<Query>, ConfigError> {
    let text = viewing.grep.as_deref();
    text.filter(|text| !text.trim().is_empty())
        .map(|text| {
            Query::parse(text, &env.now).map_err(|error| ConfigError::query("--grep", text, error))
        })
        .transpose()
}

/// The hosts and the options of the console as a subcommand has them.
fn of_command(
    args: &CliArgs,
    hosts: Vec<HostSpec>,
    before: ViewingArgs,
) -> Result<(Vec<HostSpec>, ViewingArgs), ConfigError> {
    match &args.command {
        Some(CliCommand::Tail(options)) => {
            let usual = commands::printed_lines(options.grep.as_deref());
            let viewing = ViewingArgs {
                lines: Some(options.lines.unwrap_or(usual)),
                grep: options.grep.clone(),
                backfill: options.backfill || before.backfill,
                ..before
            };
            let hosts = commands::narrowed(hosts, &options.sourced.source)?;
            Ok((hosts, viewing))
        }
        Some(CliCommand::Metrics(_)) => {
            let viewing = ViewingArgs {
                lines: Some(0),
                ..before
            };
            Ok((hosts, viewing))
        }
        _ => Ok((hosts, before)),
    }
}

/// CSV has rows for lines and no place for anything else.
fn csv(args: &CliArgs, viewing: &ViewingArgs) -> Result<Option<CsvCells>, ConfigError> {
    let (option, cells) = match (viewing.raw_csv, viewing.csv) {
        (true, _) => ("--raw-csv", CsvCells::Raw),
        (_, true) => ("--csv", CsvCells::Guarded),
        _ => return Ok(None),
    };
    match (viewing.once, args.global.json) {
        (true, false) => Ok(Some(cells)),
        (true, true) => Err(ConfigError::option(
            option,
            "not together with --json; choose one of them",
        )),
        (false, _) => Err(ConfigError::option(
            option,
            "needs --once; the console prints nothing",
        )),
    }
}

impl RunPlan {
    /// In which form lines are printed.
    #[must_use]
    pub fn form(&self) -> OutputFormat {
        match (self.json, self.csv) {
            (true, _) => OutputFormat::Json,
            (_, Some(cells)) => OutputFormat::Csv(cells),
            _ => OutputFormat::Text,
        }
    }

    /// What the connector is made with.
    #[must_use]
    pub fn connector_settings(&self) -> TransportSettings {
        TransportSettings {
            ssh_config: self.ssh_config,
            connect_timeout: self.connect_timeout,
            known_hosts: None,
        }
    }

    /// What hosts are reached with. In a pass and in a question it is `--timeout` that ends a slow
    /// login; to follow, a connector has its own patience.
    #[must_use]
    pub fn connector(&self, asker: Arc<dyn PromptAnswerer>) -> Connector {
        let connector = Connector::new(self.connector_settings(), asker)
            .with_host_keys(self.host_keys)
            .with_last_word(self.host_keys_option);
        if self.once {
            connector.with_login_time(self.timeout)
        } else {
            connector
        }
    }

    /// What the fleet is started with.
    #[must_use]
    pub fn fleet_options(&self) -> FleetOptions {
        let goal = if self.once {
            Goal::Once {
                deadline: self.timeout,
            }
        } else {
            Goal::Follow
        };
        FleetOptions {
            goal,
            lines: self.lines,
            sample_every: self.interval,
        }
    }
}

/// How long one attempt waits for a server that says nothing. A pass has several, for a silent
/// server leaves time for the next route to its host, and may speak when it is dialled again.
fn connect_timeout(given: Option<Duration>, once: bool) -> Duration {
    match given {
        Some(given) if once => given.min(CONNECT_TIMEOUT),
        Some(given) => given,
        None => CONNECT_TIMEOUT,
    }
}

fn explain(viewing: &ViewingArgs, grep: Option<&Query>) -> Result<bool, ConfigError> {
    if viewing.explain && grep.is_none() {
        return Err(ConfigError::option(
            "--explain",
            "there is no query to explain; give one with --grep QUERY",
        ));
    }
    Ok(viewing.explain)
}

/// In the console it is a key.
fn backfill(viewing: &ViewingArgs, task: &RunTask) -> Result<bool, ConfigError> {
    let prints = viewing.once || matches!(task, RunTask::Tail { .. });
    if viewing.backfill && !prints {
        return Err(ConfigError::option(
            "--backfill",
            "needs --once or tail; in the console a key fills a gap",
        ));
    }
    Ok(viewing.backfill)
}

fn demo_hosts(args: &CliArgs) -> Result<ChosenHosts, ConfigError> {
    for (given, option) in [
        (args.global.config.is_some(), "--config"),
        (!args.all_selections().is_empty(), "--hosts"),
        (args.input.is_some(), "-"),
    ] {
        if given {
            return Err(ConfigError::option(
                option,
                "demo makes its own hosts; choose how many with --size",
            ));
        }
    }
    Ok(ChosenHosts::default())
}

/// The hosts that are meant, with what was read to find them.
#[derive(Default)]
struct ChosenHosts {
    inventory: Option<PathBuf>,
    hosts: Vec<HostSpec>,
    host_keys: Option<HostKeyPolicy>,
}

fn host_keys_option(args: &CliArgs) -> Option<HostKeyPolicy> {
    args.global.host_keys.map(|policy| match policy {
        HostKeys::Strict => HostKeyPolicy::Strict,
        HostKeys::AcceptNew => HostKeyPolicy::AcceptNew,
    })
}

fn hosts(args: &CliArgs, env: &ProcessEnvironment) -> Result<ChosenHosts, ConfigError> {
    let host_keys = host_keys_option(args);
    let inventory = match inventory_file(args, env)? {
        Some(file) => Inventory::new(file, env, host_keys)?,
        None => Inventory::none(host_keys),
    };
    let mut hosts = selected(args, &inventory)?;
    identity::check(&hosts, &inventory)?;
    if args.input.is_some() {
        hosts.push(standard_input(&inventory, &hosts)?);
    }
    Ok(ChosenHosts {
        inventory: inventory.file.as_ref().map(|file| file.path.clone()),
        hosts,
        host_keys: inventory.table.defaults.host_keys,
    })
}

fn selected(args: &CliArgs, inventory: &Inventory) -> Result<Vec<HostSpec>, ConfigError> {
    let selections = args.all_selections();
    let count = inventory.table.hosts.len();
    if !selections.is_empty() {
        return host_selection::choose(inventory, &selections);
    }
    match &inventory.file {
        _ if args.input.is_some() => Ok(Vec::new()),
        None => Ok(vec![this_machine(inventory)?]),
        Some(file) if count == 0 => {
            let message = "no host: add [hosts.NAME], or name a target with --hosts user@host";
            Err(file.error(0, message))
        }
        Some(_) => Ok((0..count).map(|n| inventory.spec(n)).collect()),
    }
}

/// The inventory: of `--config`, of `LOGTRAIL_HOSTS`, of the user's configuration folder. Only the
/// last may be missing.
fn inventory_file(
    args: &CliArgs,
    env: &ProcessEnvironment,
) -> Result<Option<file::ConfigText>, ConfigError> {
    if let Some(path) = &args.global.config {
        return file::ConfigText::read(path).map(Some);
    }
    if let Some(path) = env.variable("LOGTRAIL_HOSTS") {
        let read = file::ConfigText::read(path.as_ref());
        return read.map(Some).map_err(|error| match error.place {
            ErrorPlace::WholeFile(_) => ConfigError::option("LOGTRAIL_HOSTS", error.to_string()),
            ErrorPlace::File { .. } | ErrorPlace::Option(_) | ErrorPlace::Query { .. } => error,
        });
    }
    // A broken link is a mistake to report, and not an absent file.
    config_dir(env)
        .map(|folder| folder.join("hosts.toml"))
        .filter(|path| path.symlink_metadata().is_ok())
        .map(|path| file::ConfigText::read(&path))
        .transpose()
}

fn config_dir(env: &ProcessEnvironment) -> Option<PathBuf> {
    env.config_dir
        .as_ref()
        .map(|folder| folder.join("logtrail"))
}

/// This machine with nothing but standard input.
fn standard_input(inventory: &Inventory, others: &[HostSpec]) -> Result<HostSpec, ConfigError> {
    let mut host = this_machine(inventory)?;
    if others.iter().any(|other| other.name() == host.name()) {
        host.endpoint.name =
            HostName::new("stdin").map_err(|error| ConfigError::option("-", error.to_string()))?;
    }
    host.sources = vec![SourceSpec {
        name: "stdin".to_owned(),
        kind: SourceKind::Input,
        time: None,
        encoding: None,
        as_root: false,
        archive: None,
    }];
    Ok(host)
}

/// This machine's own logs.
fn this_machine(inventory: &Inventory) -> Result<HostSpec, ConfigError> {
    let name = HostName::new("localhost")
        .map_err(|error| ConfigError::option("--hosts", error.to_string()))?;
    let endpoint = Endpoint {
        host_keys: inventory.table.defaults.host_keys,
        ..Endpoint::new(name)
    };
    Ok(HostSpec {
        transport: TransportKind::Local,
        ..HostSpec::new(endpoint)
    })
}

fn usual_lines(viewing: &ViewingArgs) -> u32 {
    if viewing.once || viewing.grep.is_some() {
        commands::printed_lines(viewing.grep.as_deref())
    } else {
        CONSOLE_LINES
    }
}

fn theme(args: &CliArgs, env: &ProcessEnvironment) -> ThemeChoice {
    match &args.global.theme {
        Some(file) if file.contains('/') || file.ends_with(".toml") => {
            ThemeChoice::File(PathBuf::from(file))
        }
        Some(name) => ThemeChoice::Named(name.clone()),
        None if env.variable("NO_COLOR").is_some() => ThemeChoice::NoColour,
        None => ThemeChoice::Default,
    }
}
