//! Upper bounds on real time: all that the tests assert are here. They hold on an idle machine and
//! are stretched by `LOGTRAIL_TEST_SLOWNESS`, 4 where nothing is said. `1` is for measuring.

use std::time::{Duration, Instant};

/// How many times longer than on an idle machine anything may take.
fn slowness() -> u32 {
    std::env::var("LOGTRAIL_TEST_SLOWNESS").map_or(4, |factor| {
        factor
            .parse()
            .expect("LOGTRAIL_TEST_SLOWNESS is a whole number")
    })
}

/// Fails with `what` where it took longer than it may.
#[track_caller]
pub(crate) fn assert_at_most(limit: Duration, took: Duration, what: &str) {
    let stretched = limit * slowness();
    assert!(
        took < stretched,
        "{what}: {took:?}, and at most {limit:?}, stretched to {stretched:?}"
    );
}

/// Real time since a moment.
#[derive(Clone, Copy)]
pub(crate) struct Stopwatch {
    began: Instant,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self {
            began: Instant::now(),
        }
    }

    pub(crate) fn took(self) -> Duration {
        self.began.elapsed()
    }

    /// Fails with `what` where more than `limit` is over.
    #[track_caller]
    pub(crate) fn assert_within(self, limit: Duration, what: &str) {
        assert_at_most(limit, self.took(), what);
    }

    /// The same for a limit in seconds.
    #[track_caller]
    pub(crate) fn assert_within_s(self, seconds: u64, what: &str) {
        self.assert_within(Duration::from_secs(seconds), what);
    }
}
