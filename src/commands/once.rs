//! `--once`: one pass over what the console would show, printed.

use anyhow::Result;

use super::pass::Pass;
use crate::config::RunPlan;
use crate::model::host::HostSpec;
use crate::report::ReportContent;

/// Prints the pass. Returns the exit code.
pub(super) async fn run(plan: &RunPlan, hosts: Vec<HostSpec>) -> Result<u8> {
    Pass::new(plan, hosts, ReportContent::All).print().await
}
