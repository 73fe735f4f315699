//! What the program can be asked to do, one file per use case: each puts the parts of the other
//! rooms together, runs them, and returns the exit code.
//!
//! What was typed is left to `cli`, what it means to `config`. This level also shows the prompts of
//! `transport` on a terminal without a console ([`asker`]).

mod console;
mod demo;
mod explain;
mod metrics;
mod once;
mod pass;
mod prompts;
mod request;
mod standard_output;
mod tail;

pub use prompts::asker;

use std::io::{self, ErrorKind};

use anyhow::Result;

use crate::cli::{self, CliArgs, CliCommand};
use crate::config::{self, ProcessEnvironment, RunPlan, RunTask};
use crate::model::host::HostSpec;
use standard_output::print;

/// Does what was typed. Returns the exit code of the design.
///
/// # Errors
/// Of usage or configuration, before anything is connected, or when nothing can be printed. `|
/// head` closes the pipe when it has enough, which is no failure.
pub fn run(args: &CliArgs) -> Result<u8> {
    match run_command(args) {
        Err(error) if is_broken_pipe(&error) => Ok(0),
        done => done,
    }
}

fn run_command(args: &CliArgs) -> Result<u8> {
    match &args.command {
        Some(CliCommand::Query) => print(|out| cli::write_query_help(out)),
        Some(CliCommand::Man { page }) => print(|out| cli::write_man(*page, out)),
        Some(CliCommand::Completions { shell }) => print(|out| cli::write_completions(*shell, out)),
        _ => run_plan(args, &ProcessEnvironment::of_process()),
    }
}

fn run_plan(args: &CliArgs, environment: &ProcessEnvironment) -> Result<u8> {
    let plan = config::load(args, environment)?;
    if let Some(path) = &plan.log_file {
        cli::start_log(path, plan.log_filter.as_deref())?;
    }
    if let Some(query) = plan.grep.as_ref().filter(|_| plan.explain) {
        return explain::print_explanation(query, plan.json, environment);
    }
    match &args.command {
        Some(CliCommand::Hosts(_)) => print_hosts(&plan),
        Some(CliCommand::Demo(options)) => on_runtime(demo(&plan, options.size)),
        _ => on_runtime(perform(&plan, environment)),
    }
}

fn print_hosts(plan: &RunPlan) -> Result<u8> {
    if plan.json {
        print(|out| cli::write_hosts_json(&plan.hosts, out))
    } else {
        print(|out| cli::write_hosts_text(&plan.hosts, out))
    }
}

/// What the subcommand, or its absence, asks for.
async fn perform(plan: &RunPlan, environment: &ProcessEnvironment) -> Result<u8> {
    match &plan.task {
        RunTask::View => view(plan, plan.hosts.clone()).await,
        RunTask::Ask(asked) => request::run(plan, asked, environment).await,
        RunTask::Tail {
            sources, resume, ..
        } => tail::run(plan, sources, resume.as_deref()).await,
        RunTask::Metrics => metrics::run(plan).await,
    }
}

/// The console, or one pass over what it would show.
async fn view(plan: &RunPlan, hosts: Vec<HostSpec>) -> Result<u8> {
    if plan.once {
        once::run(plan, hosts).await
    } else {
        console::run(plan, hosts).await
    }
}

/// The same on a fleet of `size` servers in this process.
async fn demo(plan: &RunPlan, size: u16) -> Result<u8> {
    let fleet = demo::DemoRun::start(plan, size).await?;
    let result = view(fleet.plan(), fleet.hosts()).await;
    fleet.stop().await;
    result
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

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == ErrorKind::BrokenPipe)
}
