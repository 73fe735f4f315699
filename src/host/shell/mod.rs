//! The driver for hosts on which there is nothing but a POSIX shell: one long-lived shell per
//! connection follows all files and samples the metrics. The script is constant; what a user typed
//! reaches it only as data on standard input.

pub mod codec;
mod describe;
mod files;
pub mod frame;
mod limits;
mod script;
mod script_text;
mod session;
mod streams;
mod suspects;

pub use files::ShellFiles;
pub use session::{run, run_as_root};
pub(crate) use streams::note;
pub use streams::{Problems, Streams, Talk, Trouble, history};

use crate::model::host::Facts;
use crate::model::time::Time;

/// What a description of this machine, whose clock is ours, says.
pub(super) fn described(text: &[u8], at: Time) -> Facts {
    describe::parse(text, at, at).facts
}

#[cfg(test)]
mod tests;
