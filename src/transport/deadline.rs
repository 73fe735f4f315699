//! A time limit over several steps, between which a person may take as long as it needs.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

/// Time that is left; runs only while a step runs.
#[derive(Debug)]
pub struct Deadline {
    whole: Duration,
    left: Duration,
}

/// No time is left.
#[derive(Debug, PartialEq, Eq)]
pub struct DeadlineElapsed;

impl Deadline {
    /// All of the time is left.
    #[must_use]
    pub fn new(whole: Duration) -> Self {
        Self { whole, left: whole }
    }

    /// The time that was given in all.
    #[must_use]
    pub fn whole(&self) -> Duration {
        self.whole
    }

    /// Runs a step within the time that is left, and takes what it needed from it.
    ///
    /// # Errors
    /// When the time is over before the step is.
    pub async fn run<F: Future>(&mut self, step: F) -> Result<F::Output, DeadlineElapsed> {
        self.run_at_most(self.left, step).await
    }

    /// The same for a step that may not take all that is left.
    pub(super) async fn run_at_most<F: Future>(
        &mut self,
        most: Duration,
        step: F,
    ) -> Result<F::Output, DeadlineElapsed> {
        let begun = Instant::now();
        let result = tokio::time::timeout(self.left.min(most), step).await;
        self.left = self.left.saturating_sub(begun.elapsed());
        result.map_err(|_| DeadlineElapsed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_the_steps_count() {
        let mut deadline = Deadline::new(Duration::from_secs(10));
        let step = |s| tokio::time::sleep(Duration::from_secs(s));
        assert_eq!(deadline.run(step(6)).await, Ok(()));
        step(3600).await;
        assert_eq!(deadline.run(step(3)).await, Ok(()));
        assert_eq!(deadline.run(step(2)).await, Err(DeadlineElapsed));
        let mut deadline = Deadline::new(Duration::from_secs(10));
        assert_eq!(
            deadline.run_at_most(Duration::from_secs(4), step(6)).await,
            Err(DeadlineElapsed)
        );
        assert_eq!(deadline.run(step(5)).await, Ok(()), "six are left");
        assert_eq!(
            deadline.run_at_most(Duration::from_secs(4), step(2)).await,
            Err(DeadlineElapsed),
            "one is left"
        );
    }
}
