//! A time limit over several steps, between which a person may take as long as it needs.
//!
//! The limit is for a server that says nothing. One that is slow or far away says little by little, and each time that
//! something comes it has the whole limit again, though not for ever.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

use super::pace::Pacer;

/// A server that goes on talking has so many times the limit: sshd itself waits for two minutes.
const MOST_TIMES: u32 = 6;

/// Time that is left; runs only while a step runs.
pub(super) struct Deadline {
    whole: Duration,
    /// Until the server must have said something.
    left: Duration,
    /// Until it must have said all.
    left_in_all: Duration,
    pacer: Pacer,
}

/// No time is left.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Elapsed;

impl Deadline {
    /// For steps that wait for what `pacer` counts.
    pub(super) fn new(whole: Duration, pacer: Pacer) -> Self {
        Self { whole, left: whole, left_in_all: whole * MOST_TIMES, pacer }
    }

    /// The time that was given in all.
    pub(super) fn whole(&self) -> Duration {
        self.whole
    }

    /// Runs a step within the time that is left, and takes what it needed from it.
    pub(super) async fn run<F: Future>(&mut self, step: F) -> Result<F::Output, Elapsed> {
        let begun = Instant::now();
        let end = begun + self.left_in_all;
        let mut until = (begun + self.left).min(end);
        tokio::pin!(step);
        let result = loop {
            if let Ok(output) = tokio::time::timeout_at(until, &mut step).await {
                break Ok(output);
            }
            let heard = self.pacer.last_arrival();
            let longer = (heard + self.whole).min(end);
            if heard < begun || longer <= until {
                break Err(Elapsed);
            }
            until = longer;
        };
        let heard = self.pacer.last_arrival();
        let left = if heard < begun {
            self.left.saturating_sub(begun.elapsed())
        } else {
            self.whole.saturating_sub(heard.elapsed())
        };
        self.left_in_all = self.left_in_all.saturating_sub(begun.elapsed());
        self.left = left.min(self.left_in_all);
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_the_steps_count() {
        let mut deadline = Deadline::new(Duration::from_secs(10), Pacer::new());
        let step = |s| tokio::time::sleep(Duration::from_secs(s));
        assert_eq!(deadline.run(step(6)).await, Ok(()));
        step(3600).await;
        assert_eq!(deadline.run(step(3)).await, Ok(()));
        assert_eq!(deadline.run(step(2)).await, Err(Elapsed));
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_goes_on_talking_has_the_whole_limit_each_time_but_not_for_ever() {
        let pacer = Pacer::new();
        let mut deadline = Deadline::new(Duration::from_secs(10), pacer.clone());
        let talks = |times: u32| {
            let pacer = pacer.clone();
            async move {
                for _ in 0..times {
                    tokio::time::sleep(Duration::from_secs(9)).await;
                    pacer.arrived(1);
                }
            }
        };
        assert_eq!(deadline.run(talks(3)).await, Ok(()));
        let begun = Instant::now();
        assert_eq!(deadline.run(talks(100)).await, Err(Elapsed));
        assert_eq!(begun.elapsed().as_secs(), 60 - 27);
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_falls_silent_has_the_limit_once() {
        let pacer = Pacer::new();
        let mut deadline = Deadline::new(Duration::from_secs(10), pacer.clone());
        let falls_silent = async {
            tokio::time::sleep(Duration::from_secs(5)).await;
            pacer.arrived(100);
            std::future::pending::<()>().await;
        };
        let begun = Instant::now();
        assert_eq!(deadline.run(falls_silent).await, Err(Elapsed));
        assert_eq!(begun.elapsed().as_secs(), 15);
    }
}
