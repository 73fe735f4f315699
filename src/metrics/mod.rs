//! How the metrics of a host are computed from two readings of `/proc`, and from what `df` says.
//!
//! [`ProcCounters`] is one reading; a [`Sample`](crate::model::metrics::Sample) is what lies between
//! two. Reading is left to the drivers, and what each number means to the sample.

mod df;
mod proc;
mod rates;

pub use df::{DISK_FS, parse_df};
pub use proc::{INTERFACE_GLOB, PROC_FILES, ProcCounters};
