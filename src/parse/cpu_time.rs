//! What a test costs the processor, which other work on the machine does not change.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// What this thread has cost so far.
pub(crate) fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).expect("no clock goes back")
}
