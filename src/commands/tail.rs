//! `tail`: the last lines of the hosts, and perhaps what comes after them.

use std::io;
use std::path::Path;

use anyhow::Result;

use super::pass::Pass;
use crate::config::{self, RunPlan};
use crate::report::ReportContent;
use crate::stages::Checkpoint;

/// Prints the lines of the sources that the globs name. Returns the exit code.
pub(super) async fn run(plan: &RunPlan, sources: &[String], resume: Option<&Path>) -> Result<u8> {
    let mut pass = Pass::new(plan, plan.hosts.clone(), ReportContent::Lines);
    // Before anything is connected: an error is one of usage.
    if let Some(path) = resume {
        pass.checkpoint = Some(Checkpoint::open(path, &mut io::stderr())?);
    }
    pass.filter.sources = config::globs(sources)?;
    pass.print().await
}
