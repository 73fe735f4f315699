//! A pass over the hosts, printed: bounded, or until there is enough.

use std::io::{self, IsTerminal as _, Write};
use std::time::Duration;

use anyhow::Result;
use jiff::tz::TimeZone;

use super::{prompts, standard_output};
use crate::clock;
use crate::config::RunPlan;
use crate::fleet::{Feed, Fleet, OneShotClient};
use crate::model::host::HostSpec;
use crate::model::read_position::SavedPositions;
use crate::report::{self, Outcome, Progress, ReportContent, Run, Shutdown};
use crate::stages::{Backfill, Checkpoint, GrepStage, LineFilter};

/// The fleet itself ends at the deadline and says what it was waiting for; this is for it to be
/// heard.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// What a pass goes over and what of it is printed.
pub(super) struct Pass<'a> {
    plan: &'a RunPlan,
    hosts: Vec<HostSpec>,
    part: ReportContent,
    /// The lines that are printed.
    pub(super) filter: LineFilter,
    /// What remembers how far they were.
    pub(super) checkpoint: Option<Checkpoint>,
}

impl<'a> Pass<'a> {
    /// Of all sources.
    pub(super) fn new(plan: &'a RunPlan, hosts: Vec<HostSpec>, part: ReportContent) -> Self {
        let filter = LineFilter {
            query: plan.grep.clone(),
            sources: Vec::new(),
        };
        Self {
            plan,
            hosts,
            part,
            filter,
            checkpoint: None,
        }
    }

    /// Connects to the hosts and prints what they send. Returns the exit code.
    pub(super) async fn print(self) -> Result<u8> {
        let plan = self.plan;
        let shutdown = Shutdown::of_process();
        let progress = if plan.once {
            Progress::on_stderr()
        } else {
            Progress::hidden()
        };
        let connector = plan.connector(prompts::asker(progress.clone()));
        let (fleet, updates) = Fleet::resume(
            self.hosts.clone(),
            plan.fleet_options(),
            connector.clone(),
            &self.saved_positions(),
        );
        let printer = Printer {
            options: self.options(progress),
            out: standard_output::open(self.checkpoint.is_some())?,
            hosts: &self.hosts,
            filter: self.filter,
            checkpoint: self.checkpoint,
            shutdown,
        };
        let outcome = if !plan.backfill {
            printer.print(updates).await
        } else if plan.once {
            // The pass has left its hosts by the time at which it is known what was lost.
            let client = OneShotClient::new(&self.hosts, connector);
            printer.print(Backfill::new(updates, client)).await
        } else {
            let client = fleet.requests();
            printer.print(Backfill::new(updates, client)).await
        };
        fleet.stop().await;
        Ok(outcome?.exit)
    }

    fn saved_positions(&self) -> SavedPositions {
        let checkpoint = self.checkpoint.as_ref();
        checkpoint.map_or_else(SavedPositions::new, |checkpoint| {
            checkpoint.remembered().clone()
        })
    }

    fn options(&self, progress: Progress) -> report::ReportOptions {
        let plan = self.plan;
        report::ReportOptions {
            form: plan.form(),
            timeout: plan.once.then_some(plan.timeout + LAST_WORDS),
            part: self.part,
            color: report::wants_color(io::stdout().is_terminal()),
            progress,
            today: clock::local_now().date(),
            zone: TimeZone::system(),
        }
    }
}

/// Prints the wanted lines of a feed, whichever stages it has come through.
struct Printer<'a> {
    hosts: &'a [HostSpec],
    options: report::ReportOptions,
    filter: LineFilter,
    checkpoint: Option<Checkpoint>,
    shutdown: Shutdown,
    out: Box<dyn Write>,
}

impl Printer<'_> {
    async fn print(mut self, updates: impl Feed) -> Result<Outcome, report::ReportError> {
        let wanted = GrepStage::new(updates, self.hosts, self.filter);
        Run::new(self.hosts, self.options)
            .with_checkpoint(self.checkpoint)
            .print(wanted, &mut self.shutdown, &mut self.out)
            .await
    }
}
