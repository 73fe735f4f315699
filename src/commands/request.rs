//! Requests to the hosts about what was written before (`search`, `show`, `histogram` and their
//! kin), and their responses.

use std::io::{self, IsTerminal as _};

use anyhow::Result;
use jiff::tz::TimeZone;

use super::{explain, prompts};
use crate::clock;
use crate::config::{ProcessEnvironment, RequestTask, RunPlan};
use crate::fleet::FanOut;
use crate::query::Query;
use crate::report::{self, Progress, ResponseOptions, ResponseOutput, Shutdown};

/// Asks the hosts and prints their responses. Returns the exit code.
pub(super) async fn run(
    plan: &RunPlan,
    asked: &RequestTask,
    environment: &ProcessEnvironment,
) -> Result<u8> {
    let mut shutdown = Shutdown::of_process();
    if let Some(query) = &asked.explain {
        explain::print_explanation(query, plan.json, environment)?;
    }
    let progress = Progress::on_stderr();
    let connector = plan.connector(prompts::asker(progress.clone()));
    let mut fan_out = FanOut::start(plan.hosts.clone(), &asked.asks, plan.timeout, connector);
    let options = options(plan, asked, progress);
    let output = ResponseOutput {
        out: &mut io::stdout().lock(),
        notes: &mut io::stderr(),
    };
    let outcome =
        report::print_responses(&mut fan_out, &plan.hosts, options, &mut shutdown, output).await;
    fan_out.stop().await;
    Ok(outcome?.exit)
}

fn options(plan: &RunPlan, asked: &RequestTask, progress: Progress) -> ResponseOptions {
    let terminal = io::stdout().is_terminal();
    let width = terminal.then(|| crossterm::terminal::size().map_or(80, |(columns, _)| columns));
    ResponseOptions {
        shape: asked.shape.clone(),
        reading: asked.query.as_ref().map(Query::reading),
        json: plan.json,
        color: report::wants_color(terminal),
        width,
        progress,
        today: clock::local_now().date(),
        zone: TimeZone::system(),
    }
}
