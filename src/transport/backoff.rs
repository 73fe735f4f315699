//! How long to wait before the next try: exponential, capped, fully jittered. Pure: time and chance
//! are arguments.

use std::time::Duration;

/// The first wait is at most this.
pub const BASE: Duration = Duration::from_millis(500);

/// Longest wait in the first ten minutes: an operator who fixed a host sees it within half a
/// minute.
pub const CAP: Duration = Duration::from_secs(30);

/// Longest wait after ten minutes without success: such a host is down for longer.
pub const LATE_CAP: Duration = Duration::from_secs(60);

/// From here on [`LATE_CAP`] holds.
pub const LATE_AFTER: Duration = Duration::from_secs(600);

/// A connection that lasted this long proves the host healthy; a shorter one must not restart the
/// dialling at full speed.
pub const HEALTHY_AFTER: Duration = Duration::from_secs(30);

/// The waits of one host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Backoff {
    failures: u32,
    failing_for: Duration,
}

impl Backoff {
    /// A host that has not failed yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The wait before the next try. `chance` is in `0.0..1.0` and spreads hosts that failed
    /// together over the whole wait; `tried_for` is how long the failed try took.
    pub fn after_failure(&mut self, tried_for: Duration, chance: f64) -> Duration {
        let ceiling = self.ceiling();
        let wait = ceiling.mul_f64(chance.clamp(0.0, 1.0));
        self.failures = self.failures.saturating_add(1);
        self.failing_for = self
            .failing_for
            .saturating_add(tried_for)
            .saturating_add(wait);
        wait
    }

    /// The same where a server may count each try as an offence: no wait is shorter than `least`.
    pub fn after_offence(&mut self, tried_for: Duration, chance: f64, least: Duration) -> Duration {
        let span = self.ceiling().saturating_sub(least).max(least / 2);
        let wait = least.saturating_add(span.mul_f64(chance.clamp(0.0, 1.0)));
        self.failures = self.failures.saturating_add(1);
        self.failing_for = self
            .failing_for
            .saturating_add(tried_for)
            .saturating_add(wait);
        wait
    }

    /// A connection was lost after `lasted`: long enough, and the host starts afresh.
    pub fn after_connection(&mut self, lasted: Duration) {
        if lasted >= HEALTHY_AFTER {
            *self = Self::default();
        }
    }

    /// Tries that failed since the host was last healthy.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// The longest that the next wait can be.
    #[must_use]
    pub fn ceiling(&self) -> Duration {
        let cap = if self.failing_for >= LATE_AFTER {
            LATE_CAP
        } else {
            CAP
        };
        BASE.saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX))
            .min(cap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_ceiling_doubles_from_half_a_second_to_thirty() {
        let mut backoff = Backoff::new();
        let ceilings: Vec<f64> = (0..8)
            .map(|_| {
                let ceiling = backoff.ceiling().as_secs_f64();
                backoff.after_failure(Duration::ZERO, 0.0);
                ceiling
            })
            .collect();
        assert_eq!(ceilings, [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]);
    }

    #[test]
    fn after_ten_minutes_of_failure_the_wait_may_be_a_minute() {
        let mut backoff = Backoff::new();
        for _ in 0..7 {
            backoff.after_failure(Duration::from_secs(10), 1.0);
        }
        assert_eq!(backoff.ceiling(), CAP);
        backoff.after_failure(Duration::from_secs(600), 1.0);
        assert_eq!(backoff.ceiling(), LATE_CAP);
    }

    #[test]
    fn only_half_a_minute_of_health_resets_it() {
        let mut backoff = Backoff::new();
        backoff.after_failure(Duration::ZERO, 0.5);
        backoff.after_connection(Duration::from_secs(29));
        assert_eq!(backoff.failures(), 1);
        backoff.after_connection(Duration::from_secs(30));
        assert_eq!(backoff, Backoff::new());
    }

    #[test]
    fn what_may_be_an_offence_is_never_tried_again_at_once_and_still_within_the_cap() {
        let mut backoff = Backoff::new();
        let least = Duration::from_secs(10);
        let waits: Vec<f64> = [0.0, 1.0, 0.5, 0.0, 0.0, 0.0, 1.0]
            .map(|chance| {
                backoff
                    .after_offence(Duration::ZERO, chance, least)
                    .as_secs_f64()
            })
            .into();
        assert_eq!(waits, [10.0, 15.0, 12.5, 10.0, 10.0, 10.0, 30.0]);
        assert_eq!(backoff.failures(), 7);
    }

    proptest! {
        #[test]
        fn a_wait_never_exceeds_the_late_cap_whatever_the_chance(chances in prop::collection::vec(-1.0..2.0_f64, 1..100)) {
            let mut backoff = Backoff::new();
            for chance in chances {
                prop_assert!(backoff.after_failure(Duration::from_secs(30), chance) <= LATE_CAP);
            }
        }
    }
}
