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

mod answers;
mod changes;
mod counted;
mod csv;
mod ending;
mod options;
mod outcome;
mod progress;
mod run;
mod table;
mod text;

pub use answers::{AskOptions, ResponseOutput, ResponseShape, answer};
pub use csv::Cells;
pub use ending::{Ending, Why};
pub use options::{Form, Options, Part, wants_color};
pub use outcome::Outcome;
pub use progress::Progress;
pub use run::{Error, Run};

#[cfg(test)]
mod tests;
