//! `metrics`: one pass over the hosts that prints only their metrics.

use anyhow::Result;

use super::pass::Pass;
use crate::config::RunPlan;
use crate::report::ReportContent;

/// Prints the metrics. Returns the exit code.
pub(super) async fn run(plan: &RunPlan) -> Result<u8> {
    Pass::new(plan, plan.hosts.clone(), ReportContent::Metrics)
        .print()
        .await
}
