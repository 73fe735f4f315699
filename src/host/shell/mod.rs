//! The driver for hosts on which there is nothing but a POSIX shell: one long-lived shell per
//! connection follows all files and samples the metrics. The script is constant; what a user typed
//! reaches it only as data on standard input.

mod describe;
mod files;
mod follow;
pub mod frame;
mod limits;
mod protocol;
mod script;
mod script_text;
mod streams;

pub use files::ShellFiles;
#[cfg(test)]
pub(crate) use follow::ShellFollower;
pub use follow::{run, run_as_root};
pub(crate) use streams::note;
pub use streams::{Problems, Streams, Talk, Trouble, history};

#[cfg(test)]
mod tests;
