//! The console's program: reads the command line, has it made into a plan, and hands the plan to
//! the part that does it. Errors leave here as one line on standard error, with the exit code of
//! the design.

use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};
use std::os::fd::AsFd as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Parser;
use jiff::Zoned;
use jiff::tz::TimeZone;
use logtrail::cli::{self, CliArgs, CliCommand};
use logtrail::config::{self, ProcessEnvironment, RequestTask, RunPlan, RunTask, ThemeChoice};
use logtrail::fleet::{Anew, Asking, Fleet};
use logtrail::model::host::HostSpec;
use logtrail::model::source::SourceKind;
use logtrail::query::Query;
use logtrail::report::{self, AskOptions, Backfill, Checkpoint, Ending, Part, Progress};
use logtrail::{demo, tui};

/// The fleet itself ends at the deadline and says what it was waiting for; this is for it to be
/// heard.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Usage or configuration: nothing was connected.
const EXIT_USAGE: u8 = 2;

fn main() -> ExitCode {
    match run(&CliArgs::parse()) {
        Ok(code) => ExitCode::from(code),
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // Our errors say their reasons themselves; with the chain of causes each would be said
            // twice. Standard error may be closed too, and then nobody is left to be told.
            let _ = writeln!(io::stderr(), "logtrail-tui: {error}");
            ExitCode::from(EXIT_USAGE)
        }
    }
}

fn run(args: &CliArgs) -> Result<u8> {
    match &args.command {
        Some(CliCommand::Query) => return print(|out| cli::write_query_help(out)),
        Some(CliCommand::Man { page }) => return print(|out| cli::write_man(*page, out)),
        Some(CliCommand::Completions { shell }) => {
            return print(|out| cli::write_completions(*shell, out));
        }
        _ => {}
    }
    let environment = ProcessEnvironment::of_process();
    let plan = config::load(args, &environment)?;
    if let Some(path) = &plan.log_file {
        cli::start_log(path, plan.log_filter.as_deref())?;
    }
    if let Some(query) = plan.grep.as_ref().filter(|_| plan.explain) {
        return print(|out| explain(query, plan.json, &environment, out));
    }
    match &args.command {
        Some(CliCommand::Hosts(_)) if plan.json => {
            print(|out| cli::write_hosts_json(&plan.hosts, out))
        }
        Some(CliCommand::Hosts(_)) => print(|out| cli::write_hosts_text(&plan.hosts, out)),
        Some(CliCommand::Demo(options)) => on_runtime(demo(&plan, options.size)),
        _ => on_runtime(perform(&plan, &environment)),
    }
}

/// What becomes of a query.
fn explain(
    query: &Query,
    json: bool,
    environment: &ProcessEnvironment,
    out: &mut dyn Write,
) -> io::Result<()> {
    let explained = query.explain();
    if json {
        cli::write_explanation_json(&explained, out)
    } else {
        cli::write_explanation_text(&explained, &environment.now.zone, out)
    }
}

/// The console on the hosts, until it is quit.
async fn console(plan: &RunPlan, hosts: Vec<HostSpec>) -> Result<u8> {
    // Where standard input is a source, keys come from the terminal all the same.
    let reads_input = hosts
        .iter()
        .flat_map(|host| &host.sources)
        .any(|source| source.kind == SourceKind::Input);
    if !io::stdout().is_terminal() || !(reads_input || io::stdin().is_terminal()) {
        bail!(
            "the console needs a terminal; for a script or a pipe use --once, with --json for JSON Lines"
        );
    }
    let (asker, questions) = tui::questions();
    let connector = plan.connector(Arc::new(asker));
    let (fleet, updates) = Fleet::start(hosts.clone(), plan.fleet_options(), connector);
    tui::run(fleet, updates, &hosts, questions, console_options(plan)).await?;
    Ok(0)
}

fn console_options(plan: &RunPlan) -> tui::Options {
    let own = plan.config_dir.as_ref().map(|folder| folder.join("themes"));
    let (theme, themes) = match &plan.theme {
        ThemeChoice::Default => (None, own),
        ThemeChoice::NoColour => (Some("none".to_owned()), own),
        ThemeChoice::Named(name) => (Some(name.clone()), own),
        ThemeChoice::File(file) => {
            let name = file
                .file_stem()
                .map(|stem| stem.to_string_lossy().into_owned());
            (name, file.parent().map(Path::to_owned))
        }
    };
    tui::Options {
        theme,
        themes,
        query: plan.grep.clone(),
        ..tui::Options::default()
    }
}

/// What the subcommand, or its absence, asks for.
async fn perform(plan: &RunPlan, environment: &ProcessEnvironment) -> Result<u8> {
    match &plan.task {
        RunTask::View => view(plan, plan.hosts.clone()).await,
        RunTask::Ask(asked) => ask(plan, asked, environment).await,
        RunTask::Tail {
            sources, resume, ..
        } => {
            // Before anything is connected: an error is one of usage.
            let open = |path| Checkpoint::open(path, &mut io::stderr());
            let checkpoint = resume.as_deref().map(open).transpose()?;
            pass(plan, plan.hosts.clone(), (Part::Lines, sources), checkpoint).await
        }
        RunTask::Metrics => pass(plan, plan.hosts.clone(), (Part::Metrics, &[]), None).await,
    }
}

/// Questions to the hosts, and their answers.
async fn ask(plan: &RunPlan, asked: &RequestTask, environment: &ProcessEnvironment) -> Result<u8> {
    let mut ending = Ending::of_process();
    if let Some(query) = &asked.explain {
        print(|out| explain(query, plan.json, environment, out))?;
    }
    let progress = Progress::on_stderr();
    let connector = plan.connector(report::asker(progress.clone()));
    let mut asking = Asking::start(plan.hosts.clone(), &asked.asks, plan.timeout, connector);
    let terminal = io::stdout().is_terminal();
    let width = terminal.then(|| crossterm::terminal::size().map_or(80, |(columns, _)| columns));
    let options = AskOptions {
        shape: asked.shape.clone(),
        json: plan.json,
        color: report::wants_color(terminal),
        width,
        progress,
        today: Zoned::now().date(),
        zone: TimeZone::system(),
    };
    let (mut out, mut notes) = (io::stdout().lock(), io::stderr());
    let outcome = report::answer(
        &mut asking,
        &plan.hosts,
        options,
        &mut ending,
        (&mut out, &mut notes),
    )
    .await;
    asking.stop().await;
    Ok(outcome?.exit)
}

/// One pass over the hosts, printed: bounded, or until there is enough.
async fn pass(
    plan: &RunPlan,
    hosts: Vec<HostSpec>,
    (part, sources): (Part, &[String]),
    checkpoint: Option<Checkpoint>,
) -> Result<u8> {
    let mut ending = Ending::of_process();
    let progress = if plan.once {
        Progress::on_stderr()
    } else {
        Progress::hidden()
    };
    let connector = plan.connector(report::asker(progress.clone()));
    let remembered = checkpoint
        .as_ref()
        .map(|checkpoint| checkpoint.remembered().clone())
        .unwrap_or_default();
    let (fleet, updates) = Fleet::resume(
        hosts.clone(),
        plan.fleet_options(),
        connector.clone(),
        &remembered,
    );
    let options = report::Options {
        form: plan.form(),
        grep: plan.grep.clone(),
        timeout: plan.once.then_some(plan.timeout + LAST_WORDS),
        part,
        sources: config::globs(sources)?,
        color: report::wants_color(io::stdout().is_terminal()),
        progress,
        today: Zoned::now().date(),
        zone: TimeZone::system(),
    };
    let mut out = output(checkpoint.is_some())?;
    let (out, ending) = (&mut out, &mut ending);
    let outcome = match (plan.backfill, plan.once) {
        (false, _) => {
            report::run_and_remember(updates, &hosts, options, ending, out, checkpoint).await
        }
        // A bounded pass has left its hosts by the time at which it is known what was lost.
        (true, true) => {
            let updates = Backfill::new(updates, Anew::new(&hosts, connector));
            report::run_and_remember(updates, &hosts, options, ending, out, checkpoint).await
        }
        (true, false) => {
            let updates = Backfill::new(updates, fleet.questions());
            report::run_and_remember(updates, &hosts, options, ending, out, checkpoint).await
        }
    };
    fleet.stop().await;
    Ok(outcome?.exit)
}

/// Standard output; without a buffer where it is to be known what was printed.
fn output(is_counted: bool) -> io::Result<Box<dyn Write>> {
    Ok(match is_counted {
        true => Box::new(File::from(io::stdout().as_fd().try_clone_to_owned()?)),
        false => Box::new(io::stdout().lock()),
    })
}

/// The console, or one pass, on a fleet of `size` servers in this process.
async fn demo(plan: &RunPlan, size: u16) -> Result<u8> {
    let fleet = demo::DemoFleet::start(usize::from(size)).await?;
    // What ~/.ssh/config says of hosts that happen to have these names is not meant for them.
    let plan = RunPlan {
        ssh_config: false,
        ..plan.clone()
    };
    let result = view(&plan, fleet.hosts()).await;
    fleet.stop().await;
    result
}

async fn view(plan: &RunPlan, hosts: Vec<HostSpec>) -> Result<u8> {
    if plan.once {
        pass(plan, hosts, (Part::All, &[]), None).await
    } else {
        console(plan, hosts).await
    }
}

fn on_runtime(work: impl Future<Output = Result<u8>>) -> Result<u8> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let result = runtime.block_on(work);
    // A look-up of a name or a key derivation may still be running on a thread of its own; nobody
    // waits for it.
    runtime.shutdown_background();
    result
}

fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<u8> {
    let mut out = BufWriter::new(io::stdout().lock());
    write(&mut out)?;
    out.flush()?;
    Ok(0)
}

/// `| head` closes the pipe when it has enough, which is no failure.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let of_io = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<io::Error>().map(io::Error::kind)
    };
    error
        .chain()
        .any(|cause| of_io(cause) == Some(ErrorKind::BrokenPipe))
}
