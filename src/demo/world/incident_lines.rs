//! When incidents happen, and what the logs say of their beginning, middle and end.

use rand::RngExt as _;

use super::super::cast::LineForm;
use super::DemoWorld;
use super::incident::Incident;

/// Quiet between two incidents, in milliseconds.
const QUIET_MS: std::ops::Range<i64> = 50_000..90_000;

/// The first one comes sooner, so that the history has one.
const FIRST_MS: std::ops::Range<i64> = 60_000..80_000;

/// How long one lasts.
const LASTS_MS: std::ops::Range<i64> = 14_000..24_000;

impl DemoWorld {
    /// Begins and ends incidents.
    pub(super) fn incidents(&mut self, from: i64, to: i64) {
        if let Some(ended) = self.incident.take_if(|incident| incident.until_ms <= to) {
            self.next_incident_ms = Some(to + self.rng.random_range(QUIET_MS));
            self.recovered(&ended);
        }
        let first = from + self.rng.random_range(FIRST_MS);
        let next = *self.next_incident_ms.get_or_insert(first);
        if self.incident.is_none() && next <= to && !self.dbs.is_empty() {
            let incident = Incident {
                db: self.rng.random_range(0..self.dbs.len()),
                from_ms: from,
                until_ms: from + self.rng.random_range(LASTS_MS),
                holder: self.rng.random_range(2000..30_000),
                waiter: self.rng.random_range(2000..30_000),
            };
            self.begun(&incident);
            self.incident = Some(incident);
        }
    }

    fn begun(&mut self, incident: &Incident) {
        self.lock_is_held(incident);
        let from_ms = incident.from_ms;
        for log in self.logs_of_services() {
            for round in 1..6 {
                let late = self.rng.random_range(0..400);
                let waiting = round * 11 + (late / 40) as i32;
                let oldest = f64::from(waiting) / 9.0;
                let line = format!(
                    "  WARN [pool-watch-1] c.e.shop.db.Pool - orders-pool: active=20 idle=0 waiting={waiting}, oldest lease {oldest:.1} s"
                );
                self.write(from_ms + 2_000 * i64::from(round) + late, log, line);
            }
        }
    }

    /// The log of the database shows which process waits for which.
    fn lock_is_held(&mut self, incident: &Incident) {
        let Incident {
            from_ms,
            holder,
            waiter,
            ..
        } = *incident;
        let Some(log) = self.dbs[incident.db].file(LineForm::Database) else {
            return;
        };
        let statement = format!(
            " [{holder}] migrate@shop LOG:  statement: ALTER TABLE orders ADD COLUMN delivery_note text"
        );
        self.write(from_ms, log, statement);
        for round in 1..4 {
            let waited = 1000.0 * f64::from(round) + 0.204;
            let at = from_ms + 400 + 1000 * i64::from(round);
            let wait = format!(
                " [{waiter}] shop@shop LOG:  process {waiter} still waiting for RowExclusiveLock on relation 16437 of \
                 database 16384 after {waited:.3} ms"
            );
            self.write(at, log, wait);
            let queue = round * 7 + 3;
            let detail = format!(
                " [{waiter}] shop@shop DETAIL:  Process holding the lock: {holder}. Wait queue: {queue} processes."
            );
            self.write(at, log, detail);
        }
    }

    fn logs_of_services(&self) -> Vec<usize> {
        let logs = self
            .apis
            .iter()
            .filter_map(|api| api.file(LineForm::Service));
        logs.collect()
    }

    fn recovered(&mut self, incident: &Incident) {
        let Incident {
            db,
            from_ms,
            until_ms,
            holder,
            waiter,
        } = *incident;
        let took = (until_ms - from_ms) as f64;
        if let Some(log) = self.dbs[db].file(LineForm::Database) {
            let done = format!(
                " [{holder}] migrate@shop LOG:  duration: {took:.3} ms  statement: ALTER TABLE orders ADD COLUMN delivery_note text"
            );
            self.write(until_ms, log, done);
            let got = format!(
                " [{waiter}] shop@shop LOG:  process {waiter} acquired RowExclusiveLock on relation 16437 of database 16384 after {:.3} ms",
                took - 412.7
            );
            self.write(until_ms + 2, log, got);
        }
        for log in self.logs_of_services() {
            let late = self.rng.random_range(300..1500);
            let line = "  INFO [pool-watch-1] c.e.shop.db.Pool - orders-pool: recovered, active=6 idle=14 waiting=0";
            self.write(until_ms + late, log, line.to_owned());
        }
    }
}
