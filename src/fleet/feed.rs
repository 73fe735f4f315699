//! Where updates come from: a fleet, a stage over another feed, or a list in tests.
//!
//! What a stage makes of the updates is left to `stages`.

use crate::model::update::Update;

/// A source of updates, in batches.
pub trait Feed: Send {
    /// The next batch, never empty; `None` after the end. Must be cancel-safe.
    fn next(&mut self) -> impl Future<Output = Option<Vec<Update>>> + Send;

    /// A batch that is there already.
    fn try_next(&mut self) -> Option<Vec<Update>>;

    /// Ends the feed early: there is no time to wait for more. What it holds back comes out with
    /// what is there already, by [`try_next`](Self::try_next), which soon returns `None`.
    fn close(&mut self);
}
