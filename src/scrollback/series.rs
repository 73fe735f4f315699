//! Numbers over time: the points of a sparkline, and a meter of events per second.

use std::collections::VecDeque;

use crate::model::time::Time;

/// Points that a series keeps: two minutes at a sample a second, ten at one in five.
pub const SERIES_POINTS: usize = 120;

/// The last points of one number, oldest first. A point that was not measured is `None`, never 0.
#[derive(Debug, Clone, Default)]
pub struct Series {
    points: VecDeque<Option<f64>>,
}

impl Series {
    /// Adds the newest point.
    pub fn push(&mut self, point: Option<f64>) {
        if self.points.len() == SERIES_POINTS {
            self.points.pop_front();
        }
        self.points
            .push_back(point.filter(|value| value.is_finite()));
    }

    /// The last `count` points, oldest first; fewer where fewer are known.
    pub fn last(&self, count: usize) -> impl Iterator<Item = Option<f64>> {
        self.points
            .iter()
            .skip(self.points.len().saturating_sub(count))
            .copied()
    }

    /// The highest point that is remembered.
    #[must_use]
    pub fn highest(&self) -> Option<f64> {
        self.points.iter().flatten().copied().reduce(f64::max)
    }

    /// The newest point, where it was measured.
    #[must_use]
    pub fn latest(&self) -> Option<f64> {
        self.points.back().copied().flatten()
    }
}

/// Whole seconds over which a rate is taken. Long enough to be calm, short enough to see a stop.
const WINDOW_S: i64 = 4;
/// One more slot than the window, for the second that is not over yet.
const SLOTS: usize = 5;

/// Counts events per second over the last seconds.
#[derive(Debug, Clone, Default)]
pub struct Meter {
    slots: [u32; SLOTS],
    /// The second that the newest slot counts.
    second: i64,
    /// The second of the first event.
    since: Option<i64>,
}

impl Meter {
    /// Counts an event at `now`.
    pub fn count(&mut self, now: Time) {
        let second = second_of(now);
        if second > self.second {
            let passed = usize::try_from(second - self.second)
                .unwrap_or(SLOTS)
                .min(SLOTS);
            self.slots.rotate_left(passed);
            self.slots[SLOTS - passed..].fill(0);
            self.second = second;
        }
        self.since.get_or_insert(second);
        self.slots[SLOTS - 1] = self.slots[SLOTS - 1].saturating_add(1);
    }

    /// Whether the first event is so long ago that the rate no longer holds what had piled up
    /// before it.
    #[must_use]
    pub fn is_settled(&self, now: Time) -> bool {
        self.since
            .is_some_and(|since| second_of(now) > since + WINDOW_S)
    }

    /// Events per second over the last four whole seconds, or since the second of the first event
    /// where that is less.
    #[must_use]
    pub fn per_second(&self, now: Time) -> f64 {
        let Some(since) = self.since else { return 0.0 };
        let current = second_of(now).max(self.second);
        let in_window = |slot: usize| {
            let second = self.second - (SLOTS - 1 - slot) as i64;
            // The first second holds what had piled up before us, which is no rate.
            second < current && second >= current - WINDOW_S && second > since
        };
        let sum: u64 = (0..SLOTS)
            .filter(|&slot| in_window(slot))
            .map(|slot| u64::from(self.slots[slot]))
            .sum();
        let seconds = (current - since - 1).clamp(1, WINDOW_S);
        sum as f64 / seconds as f64
    }
}

fn second_of(time: Time) -> i64 {
    time.0.div_euclid(1_000_000_000)
}
