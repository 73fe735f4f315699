//! `--once`: what a fleet has said, as text for people, as JSON Lines for a pipe or as CSV for a
//! spreadsheet, with progress on stderr.
//!
//! Lines are printed as they come, in the order of the updates; only a row per host is kept. A
//! host's row (an object, or a line of the table of the text form) follows when it is final: at
//! once where only a person can help (denied, changed host key), otherwise when the pass is over,
//! for until then a link can break or come back. Whatever happens, the last thing printed is the
//! summary; that of CSV goes to stderr, with the table of the hosts.
//!
//! What the hosts are asked for, and when the pass is over, is left to `fleet`; flags
//! and files to `cli`.

pub mod json;
pub mod schema;

mod clock_text;
mod counted;
mod csv;
mod options;
mod outcome;
mod progress;
mod rendering;
mod responses;
mod run;
mod shutdown;
mod status_log;
mod table;
mod text;

pub use csv::CsvCells;
pub use options::{OutputFormat, ReportContent, ReportOptions, wants_color};
pub use outcome::Outcome;
pub use progress::Progress;
pub use responses::{ResponseOptions, ResponseOutput, ResponseShape, print_responses};
pub use run::{ReportError, Run};
pub use shutdown::{Shutdown, ShutdownReason};

#[cfg(test)]
mod tests;
