//! An incident: a lock in a database that slows the services and fails requests at the proxies.
//! [`super::incident_lines`] writes it to the logs.

/// The time from the first slow query to the worst.
const RISE_MS: f64 = 4_000.0;

/// One incident.
#[derive(Debug, Clone)]
pub(super) struct Incident {
    /// Which of the databases.
    pub(super) db: usize,
    pub(super) from_ms: i64,
    pub(super) until_ms: i64,
    /// The process that holds the lock, and the one that waits for it.
    pub(super) holder: u32,
    pub(super) waiter: u32,
}

impl Incident {
    /// How bad it is for a query at a moment: 0 to 1.
    pub(super) fn weight(&self, db: usize, at_ms: i64) -> f64 {
        if db != self.db || at_ms < self.from_ms || at_ms >= self.until_ms {
            return 0.0;
        }
        ((at_ms - self.from_ms) as f64 / RISE_MS).clamp(0.1, 1.0)
    }
}
