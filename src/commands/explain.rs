//! `--explain`: what a query means, printed instead of what it finds, or before it.

use anyhow::Result;

use super::standard_output::print;
use crate::cli;
use crate::config::ProcessEnvironment;
use crate::query::Query;

/// Prints what becomes of a query. Returns the exit code.
pub(super) fn print_explanation(
    query: &Query,
    json: bool,
    environment: &ProcessEnvironment,
) -> Result<u8> {
    let explained = query.explain();
    if json {
        print(|out| cli::write_explanation_json(&explained, out))
    } else {
        print(|out| cli::write_explanation_text(&explained, &environment.now.zone, out))
    }
}
