//! How long a script on a host may take. Each limit is here once, for all drivers that talk to a
//! script; limits of one of them alone stay with it.

use std::time::Duration;

/// A script ends itself when nobody renews its lease for ten minutes (`prelude.sh`).
pub(crate) const LEASE_RENEWAL: Duration = Duration::from_secs(120);

/// An answer that takes longer means that the host hangs (on a dead disk, say).
pub(crate) const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// What goes through much text may be silent for longer.
pub(crate) const WORK_LIMIT: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_outlives_several_renewals_that_are_lost() {
        let lease = include_str!("prelude.sh")
            .split_once("${lease_s:-")
            .and_then(|(_, rest)| rest.split_once('}')?.0.parse().ok())
            .map(Duration::from_secs);
        assert!(
            lease.is_some_and(|lease| lease >= 4 * LEASE_RENEWAL),
            "{lease:?}"
        );
    }
}
