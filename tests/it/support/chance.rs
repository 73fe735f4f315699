//! Chance in tests. It is the same in every run, so that a failure comes again; slow rounds
//! (`tests/rotations`, `tests/kills`, `tests/queries`) have `LOGTRAIL_TEST_SEED=random`, a new one
//! each time. The seed is printed, which the harness shows where a test fails.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

const SEED: u64 = 20_261_129;

/// A source of chance, as the environment wants it: fixed, new, or of a seed that was printed.
pub(crate) fn chance() -> StdRng {
    let seed = match std::env::var("LOGTRAIL_TEST_SEED").as_deref() {
        Ok("random") => rand::random(),
        Ok(seed) => seed
            .parse()
            .expect("LOGTRAIL_TEST_SEED is a number, or random"),
        Err(_) => SEED,
    };
    eprintln!("again with LOGTRAIL_TEST_SEED={seed}");
    StdRng::seed_from_u64(seed)
}

/// Some time between two numbers of milliseconds.
pub(crate) fn millis(chance: &mut StdRng, range: std::ops::Range<u64>) -> Duration {
    Duration::from_millis(chance.random_range(range))
}
