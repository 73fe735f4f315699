//! `metrics`: one pass over the hosts, of which only the metrics are printed.

use anyhow::Result;

use super::pass::Pass;
use crate::config::RunPlan;
use crate::report::Part;

/// Prints the metrics. Returns the exit code.
pub(super) async fn run(plan: &RunPlan) -> Result<u8> {
    Pass::new(plan, plan.hosts.clone(), Part::Metrics)
        .print()
        .await
}
