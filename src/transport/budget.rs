//! How many handshakes may be in progress at once: per server, and in all.
//!
//! sshd begins to drop connections at ten that have not logged in (`MaxStartups 10:30:100`);
//! measured, four at a time from us are never dropped. Whoever waits for a person gives the permit
//! back first.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::AbortHandle;

/// Handshakes in progress at one server or bastion.
pub(super) const PER_ENDPOINT: usize = 4;

/// Handshakes in progress in all: they cost processor time here and sockets on the way.
pub(super) const IN_ALL: usize = 32;

/// A handshake that takes longer waits for its server and costs nothing here: it makes room for
/// others in all, though not at its server. Otherwise a few hosts that are slow or dead would hold
/// up the whole fleet.
const SLOW: Duration = Duration::from_secs(2);

/// The book of one run.
pub(super) struct HandshakeBudget {
    all: Arc<Semaphore>,
    endpoints: Mutex<HashMap<String, Arc<Semaphore>>>,
}

/// Permission for one handshake; given back on drop.
pub(super) struct HandshakePermit {
    all: Arc<Mutex<Option<OwnedSemaphorePermit>>>,
    slow: AbortHandle,
    _endpoint: OwnedSemaphorePermit,
}

impl HandshakePermit {
    fn new(all: OwnedSemaphorePermit, endpoint: OwnedSemaphorePermit) -> Self {
        let all = Arc::new(Mutex::new(Some(all)));
        let held = Arc::clone(&all);
        let slow = tokio::spawn(async move {
            tokio::time::sleep(SLOW).await;
            give_back(&held);
        });
        Self {
            all,
            slow: slow.abort_handle(),
            _endpoint: endpoint,
        }
    }
}

impl Drop for HandshakePermit {
    fn drop(&mut self) {
        self.slow.abort();
        give_back(&self.all);
    }
}

fn give_back(held: &Mutex<Option<OwnedSemaphorePermit>>) {
    drop(held.lock().unwrap_or_else(PoisonError::into_inner).take());
}

impl HandshakeBudget {
    pub(super) fn new() -> Self {
        Self {
            all: Arc::new(Semaphore::new(IN_ALL)),
            endpoints: Mutex::default(),
        }
    }

    /// Waits for a place. `None` never happens while the book lives, for the semaphores are never
    /// closed.
    pub(super) async fn handshake(&self, endpoint: &str) -> Option<HandshakePermit> {
        // The endpoint first: whoever queues at a busy bastion must not hold a place that others
        // could use.
        let endpoint = self.endpoint(endpoint).acquire_owned().await.ok()?;
        let all = Arc::clone(&self.all).acquire_owned().await.ok()?;
        Some(HandshakePermit::new(all, endpoint))
    }

    fn endpoint(&self, endpoint: &str) -> Arc<Semaphore> {
        let mut endpoints = self
            .endpoints
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        Arc::clone(
            endpoints
                .entry(endpoint.to_owned())
                .or_insert_with(|| Arc::new(Semaphore::new(PER_ENDPOINT))),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[tokio::test]
    async fn the_fifth_handshake_at_one_server_waits_for_one_of_the_four() {
        let budget = HandshakeBudget::new();
        let mut held = Vec::new();
        for _ in 0..PER_ENDPOINT {
            held.push(
                budget
                    .handshake("a:22")
                    .now_or_never()
                    .flatten()
                    .expect("free"),
            );
        }
        assert!(budget.handshake("a:22").now_or_never().is_none());
        assert!(
            budget.handshake("b:22").now_or_never().is_some(),
            "another server is not concerned"
        );
        held.pop();
        assert!(budget.handshake("a:22").now_or_never().is_some());
    }

    #[tokio::test]
    async fn no_more_than_thirty_two_are_in_progress_in_all() {
        let budget = HandshakeBudget::new();
        let mut held = Vec::new();
        for n in 0..IN_ALL {
            held.push(
                budget
                    .handshake(&format!("h{n}:22"))
                    .now_or_never()
                    .flatten()
                    .expect("free"),
            );
        }
        assert!(budget.handshake("another:22").now_or_never().is_none());
        held.pop();
        assert!(budget.handshake("another:22").now_or_never().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn those_that_wait_for_slow_servers_hold_up_only_others_at_the_same_servers() {
        let budget = HandshakeBudget::new();
        let mut held = Vec::new();
        for n in 0..100 {
            held.push(
                budget
                    .handshake(&format!("slow{n}:22"))
                    .await
                    .expect("a place"),
            );
        }
        let begun = tokio::time::Instant::now();
        budget.handshake("quick:22").await.expect("a place");
        assert!(begun.elapsed() <= SLOW);
        for _ in 1..PER_ENDPOINT {
            held.push(budget.handshake("slow0:22").await.expect("a place"));
        }
        assert!(
            budget.handshake("slow0:22").now_or_never().is_none(),
            "its server still counts it"
        );
    }
}
