//! Stages between a fleet and who shows it: each takes a [`Feed`](crate::fleet::Feed) and is one,
//! so that they can be put over each other.
//!
//! ```text
//!  fleet ──▶ Backfill ──▶ … ──▶ report
//! ```
//!
//! [`Checkpoint`] stands at their end: it remembers how far what came out of them was printed. What
//! is printed, and how, is left to `report`.

mod backfill;
mod grep;
mod positions;

pub use backfill::{Backfill, GapRequests};
pub use positions::{Checkpoint, ResumeError};

pub(crate) use grep::{Sieve, Sifted};
pub(crate) use positions::Counted;
