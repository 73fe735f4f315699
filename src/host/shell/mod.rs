//! The driver for hosts on which there is nothing but a POSIX shell: one long-lived shell per
//! connection follows all files and samples the metrics. The script is constant; what a user typed
//! reaches it only as data on standard input.

pub(crate) mod describe;
mod files;
mod follow;
pub mod frame;
pub(crate) mod limits;
pub(crate) mod programs;
pub(crate) mod protocol;
pub(crate) mod script;
pub(crate) mod script_text;

pub use files::ShellFiles;
#[cfg(test)]
pub(crate) use follow::ShellFollower;
pub(crate) use follow::{run, run_as_root};
pub(crate) use programs::ShellPrograms;

#[cfg(test)]
pub(crate) mod tests;
