//! Waiting for what a shell does. On an idle machine nothing takes as long as the limits say; they
//! are stretched like those of the tests in `tests/it`.

use std::time::{Duration, Instant};

/// Longest wait for anything that no test has a limit of its own for.
const PATIENCE: Duration = Duration::from_secs(10);

/// As long as something may take on a machine that is not idle.
pub(crate) fn stretched(limit: Duration) -> Duration {
    let factor = std::env::var("LOGTRAIL_TEST_SLOWNESS");
    limit * factor.map_or(4, |factor| factor.parse().expect("a whole number"))
}

/// Waits until something is so.
#[track_caller]
pub(crate) fn wait_until(is_so: impl FnMut() -> bool, state: impl Fn() -> String) {
    wait_within(PATIENCE, is_so, state);
}

/// Waits until something is so; fails with the state where that takes longer than the limit,
/// stretched.
#[track_caller]
pub(crate) fn wait_within(
    limit: Duration,
    mut is_so: impl FnMut() -> bool,
    state: impl Fn() -> String,
) {
    let limit = stretched(limit);
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < limit, "{}", state());
        std::thread::sleep(Duration::from_millis(5));
    }
}
