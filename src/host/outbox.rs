//! What a host has to say, in a queue bounded in bytes between its task and the merge of the fleet.
//!
//! When it is full the host's task waits, and so does not ask the host for more: the lines stay where they are safe,
//! in the files of the host. Nothing is dropped here.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::HostEvent;

/// Enough for the largest read of a file, so that the next is on its way while one is merged; small enough for
/// hundreds of hosts.
pub(super) const OUTBOX_BYTES: usize = 512 << 10;

/// Both ends of the queue: clones are the same queue.
#[derive(Clone)]
pub struct Outbox {
    inner: Arc<Inner>,
}

struct Inner {
    queue: Mutex<Queue>,
    room: Notify,
    /// Shared by all outboxes of a fleet: something is in one of them.
    ready: Arc<Notify>,
}

#[derive(Default)]
struct Queue {
    events: VecDeque<(HostEvent, usize)>,
    bytes: usize,
}

impl Outbox {
    /// An empty queue that tells `ready` when something comes.
    #[must_use]
    pub fn new(ready: Arc<Notify>) -> Self {
        Self { inner: Arc::new(Inner { queue: Mutex::default(), room: Notify::new(), ready }) }
    }

    /// Adds an event; waits while the queue is full. An event larger than the bound is let in when it is alone.
    pub async fn send(&self, event: HostEvent) {
        let size = event.size();
        loop {
            let room = self.inner.room.notified();
            {
                let mut queue = self.lock();
                if queue.bytes == 0 || queue.bytes + size <= OUTBOX_BYTES {
                    queue.bytes += size;
                    queue.events.push_back((event, size));
                    break;
                }
            }
            room.await;
        }
        self.inner.ready.notify_one();
    }

    /// Takes events of about `share` bytes, at least one if there is any. True where more are left.
    pub fn take(&self, share: usize, out: &mut Vec<HostEvent>) -> bool {
        let mut queue = self.lock();
        let mut taken = 0;
        while taken < share
            && let Some((event, size)) = queue.events.pop_front()
        {
            taken += size;
            queue.bytes -= size;
            out.push(event);
        }
        let more = !queue.events.is_empty();
        drop(queue);
        if taken > 0 {
            self.inner.room.notify_one();
        }
        more
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.inner.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{HostStatus, LinkState};
    use std::time::Duration;
    use tokio::time::timeout;

    fn big() -> HostEvent {
        let reason = "x".repeat(OUTBOX_BYTES / 2);
        HostEvent::Status(HostStatus::because(LinkState::Timeout, reason, ""))
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_outbox_holds_up_its_sender_until_something_is_taken() {
        let outbox = Outbox::new(Arc::new(Notify::new()));
        outbox.send(big()).await;
        assert!(timeout(Duration::from_secs(1), outbox.send(big())).await.is_err(), "two do not fit");
        let mut out = Vec::new();
        assert!(!outbox.take(1, &mut out));
        assert_eq!(out.len(), 1);
        timeout(Duration::from_secs(1), outbox.send(big())).await.expect("there is room again");
    }

    #[tokio::test]
    async fn a_share_is_taken_in_order_and_says_whether_more_is_left() {
        let outbox = Outbox::new(Arc::new(Notify::new()));
        for seconds in 0..3 {
            let mut status = HostStatus::plain(LinkState::Connecting);
            status.retry_in_s = Some(seconds);
            outbox.send(HostEvent::Status(status)).await;
        }
        let mut out = Vec::new();
        assert!(outbox.take(1, &mut out), "two are left");
        assert!(!outbox.take(usize::MAX, &mut out));
        let order: Vec<_> = out
            .iter()
            .map(|event| match event {
                HostEvent::Status(status) => status.retry_in_s,
                _ => None,
            })
            .collect();
        assert_eq!(order, [Some(0), Some(1), Some(2)]);
    }
}
