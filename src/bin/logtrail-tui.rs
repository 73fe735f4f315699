//! The console's program: reads the command line, has it made into a plan, and hands the plan to the part that does
//! it. Errors leave here as one line on standard error, with the exit code of the design.

use std::io::{self, BufWriter, ErrorKind, Write};
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Parser;
use logtrail::cli::{self, Args, Command};
use logtrail::config::{self, Environment, Plan};

/// Usage or configuration: nothing was connected.
const EXIT_USAGE: u8 = 2;

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(code) => ExitCode::from(code),
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error may be closed too, and then nobody is left to be told.
            let _ = writeln!(io::stderr(), "logtrail-tui: {error:#}");
            ExitCode::from(EXIT_USAGE)
        }
    }
}

fn run(args: &Args) -> Result<u8> {
    match &args.command {
        Some(Command::Man) => return print(|out| cli::write_man(out)),
        Some(Command::Completions { shell }) => return print(|out| cli::write_completions(*shell, out)),
        Some(Command::Demo(_) | Command::Hosts) | None => {}
    }
    let plan = config::load(args, &Environment::of_process())?;
    if let Some(path) = &plan.log_file {
        cli::start_log(path, plan.log_filter.as_deref())?;
    }
    match &args.command {
        Some(Command::Hosts) if plan.json => print(|out| cli::write_hosts_json(&plan.hosts, out)),
        Some(Command::Hosts) => print(|out| cli::write_hosts_text(&plan.hosts, out)),
        Some(Command::Demo(options)) => demo(&plan, options.size),
        _ if plan.once => once(&plan),
        _ => console(&plan),
    }
}

/// The console on the hosts of the plan, until it is quit.
fn console(plan: &Plan) -> Result<u8> {
    bail!("the console is not part of this build yet ({} hosts were configured, none connected)", plan.hosts.len());
}

/// One bounded pass over the hosts of the plan, printed.
fn once(plan: &Plan) -> Result<u8> {
    bail!("--once is not part of this build yet ({} hosts were configured, none connected)", plan.hosts.len());
}

/// The console, or one pass, on a fleet of `size` servers in this process.
fn demo(_plan: &Plan, size: u16) -> Result<u8> {
    bail!("demo is not part of this build yet ({size} hosts were asked for, none started)");
}

fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<u8> {
    let mut out = BufWriter::new(io::stdout().lock());
    write(&mut out)?;
    out.flush()?;
    Ok(0)
}

/// `| head` closes the pipe when it has enough, which is no failure.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let of_io = |cause: &(dyn std::error::Error + 'static)| cause.downcast_ref::<io::Error>().map(io::Error::kind);
    error.chain().any(|cause| of_io(cause) == Some(ErrorKind::BrokenPipe))
}
