//! Stages between a fleet and its sink: each takes a [`Feed`](crate::fleet::Feed) and is one, so
//! that stages can be put over each other.
//!
//! ```text
//!  fleet ──▶ Backfill ──▶ GrepStage ──▶ sink ──▶ output
//!                                        │ notes   │ acknowledges
//!                                        └────▶ Checkpoint ──▶ file
//! ```
//!
//! [`Tee`] gives the same updates to several sinks at once.
//!
//! [`Checkpoint`] is at their end: it remembers how far what came out of them was delivered. What
//! is printed, and how, is left to `report`.

mod backfill;
mod grep;
mod positions;
mod tee;

pub use backfill::{Backfill, GapRequests};
pub use grep::{GrepStage, LineFilter};
pub use positions::{Acknowledger, Checkpoint, ResumeError, SourceName};
pub use tee::{SlowReader, Tee, TeeBranch};
