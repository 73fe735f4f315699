//! How far behind what is told of a host is: in seconds, and only where it is worth telling.
//!
//! Two things are known: when everything that there was had been told last, and what the newest
//! line says of its time while there is more behind it. Time is an argument; what is read and when
//! is left to `session`.

use std::time::Duration;

use crate::model::time::Time;

/// Less is no news.
const TOLD_FROM: Duration = Duration::from_secs(5);

/// Over a long way each look takes so long that this many of them are no news either.
const LOOKS: u32 = 3;

/// What is behind, across connections.
#[derive(Debug, Default)]
pub(super) struct Lag {
    /// All that was written before this had been told, by our clock.
    complete: Option<Time>,
    /// How long the last look took.
    look: Duration,
    told: Option<u64>,
}

impl Lag {
    /// All that was there at `asked` has been told, in a look that took so long.
    pub(super) fn complete(&mut self, asked: Time, look: Duration) {
        self.complete = self.complete.max(Some(asked));
        self.look = look;
    }

    /// Looks at how far behind all is at `now`; `began` is when this connection did, and `newest`
    /// the time of the line up to which every file that has more has been told; `of_programs` the
    /// same of programs, which no look brings.
    pub(super) fn look(
        &mut self,
        now: Time,
        began: Time,
        newest: Option<Time>,
        of_programs: Option<Time>,
    ) {
        let complete = self.complete.unwrap_or(began);
        // A stamp from the future says nothing.
        let newest = newest
            .filter(|newest| *newest <= now)
            .unwrap_or(complete)
            .max(complete);
        let to = of_programs.map_or(newest, |of_programs| of_programs.min(newest));
        let behind = Duration::from_nanos(now.0.saturating_sub(to.0).max(0).unsigned_abs());
        let worth = TOLD_FROM.max(self.look * LOOKS);
        self.told = (behind >= worth).then(|| rounded(behind.as_secs(), self.told));
    }

    /// What is to be told.
    pub(super) fn told(&self) -> Option<u64> {
        self.told
    }
}

/// It changes all the time; what was told stays while it is about right.
fn rounded(seconds: u64, told: Option<u64>) -> u64 {
    match told {
        Some(told) if seconds.abs_diff(told) <= 1 + told / 10 => told,
        _ => seconds,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Time {
        Time(seconds * 1_000_000_000)
    }

    #[test]
    fn a_host_that_tells_all_at_each_look_is_not_behind_and_one_that_falls_silent_is_after_five_seconds()
     {
        let mut lag = Lag::default();
        lag.complete(at(100), Duration::from_millis(20));
        let told = [100, 102, 104, 105, 106, 107, 120].map(|now| {
            lag.look(at(now), at(0), None, None);
            lag.told()
        });
        assert_eq!(
            told,
            [None, None, None, Some(5), Some(5), Some(7), Some(20)]
        );
        lag.complete(at(120), Duration::from_millis(20));
        lag.look(at(121), at(0), None, None);
        assert_eq!(lag.told(), None);
    }

    #[test]
    fn the_newest_line_tells_how_far_behind_a_log_is_that_grows_too_fast() {
        let behind = |newest| {
            let mut lag = Lag::default();
            lag.complete(at(100), Duration::ZERO);
            lag.look(at(160), at(0), newest, None);
            lag.told()
        };
        assert_eq!(behind(Some(at(120))), Some(40));
        assert_eq!(
            behind(None),
            Some(60),
            "without stamps it is as old as the last look that brought all"
        );
        assert_eq!(
            behind(Some(at(50))),
            Some(60),
            "a line that was written late"
        );
        assert_eq!(behind(Some(at(9999))), Some(60), "a stamp from the future");
    }

    #[test]
    fn over_a_long_way_looks_that_take_long_are_no_news() {
        let mut lag = Lag::default();
        lag.complete(at(100), Duration::from_secs(3));
        lag.look(at(106), at(0), None, None);
        assert_eq!(lag.told(), None);
        lag.look(at(110), at(0), None, None);
        assert_eq!(lag.told(), Some(10));
    }

    #[test]
    fn before_the_first_look_all_counts_from_the_connection() {
        let mut lag = Lag::default();
        lag.look(at(103), at(100), None, None);
        assert_eq!(lag.told(), None);
        lag.look(at(108), at(100), None, None);
        assert_eq!(lag.told(), Some(8));
    }
}
