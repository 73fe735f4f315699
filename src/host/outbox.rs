//! What a host has to say, in a queue bounded in bytes between its task and the merge of the fleet.
//!
//! When it is full the host's task waits, and so does not ask the host for more: the lines stay
//! where they are safe, in the files of the host. Nothing is dropped here.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::HostEvent;

/// Enough for the largest read of a file, so that the next is on its way while one is merged; small
/// enough for hundreds of hosts.
pub(super) const OUTBOX_BYTES: usize = 512 << 10;

/// Both ends of the queue: clones are the same queue.
#[derive(Clone)]
pub struct Outbox {
    inner: Arc<OutboxInner>,
}

struct OutboxInner {
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
        Self {
            inner: Arc::new(OutboxInner {
                queue: Mutex::default(),
                room: Notify::new(),
                ready,
            }),
        }
    }

    /// Adds an event; waits while the queue is full. An event larger than the bound is let in when
    /// it is alone.
    pub async fn send(&self, event: HostEvent) {
        self.send_all([event]).await;
    }

    /// Adds events in their order; waits while the queue is full. Where the waiting is cut short,
    /// because a connection ended, the rest is let in at once: what was read of a host is not read
    /// again, and so must not be dropped. There is no more of it than one answer brings.
    pub async fn send_all(&self, events: impl IntoIterator<Item = HostEvent>) {
        let mut unsent = Unsent {
            outbox: self,
            events: events.into_iter().collect(),
        };
        loop {
            let room = self.inner.room.notified();
            unsent.send_what_fits();
            if unsent.events.is_empty() {
                return;
            }
            room.await;
        }
    }

    /// Takes events of about `share` bytes, at least one if there is any. How many bytes, and
    /// whether more are left.
    pub fn take(&self, share: usize, out: &mut Vec<HostEvent>) -> (usize, bool) {
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
        (taken, more)
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.inner
            .queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Events on their way into the queue.
struct Unsent<'a> {
    outbox: &'a Outbox,
    events: VecDeque<HostEvent>,
}

impl Unsent<'_> {
    fn send_what_fits(&mut self) {
        let mut queue = self.outbox.lock();
        while let Some(event) = self.events.pop_front() {
            let size = event.size();
            if queue.bytes > 0 && queue.bytes + size > OUTBOX_BYTES {
                self.events.push_front(event);
                break;
            }
            queue.bytes += size;
            queue.events.push_back((event, size));
        }
        drop(queue);
        self.outbox.inner.ready.notify_one();
    }
}

impl Drop for Unsent<'_> {
    fn drop(&mut self) {
        if self.events.is_empty() {
            return;
        }
        let mut queue = self.outbox.lock();
        for event in self.events.drain(..) {
            let size = event.size();
            queue.bytes += size;
            queue.events.push_back((event, size));
        }
        drop(queue);
        self.outbox.inner.ready.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::state::{HostStatus, LinkState};
    use std::time::Duration;
    use tokio::time::timeout;

    fn big() -> HostEvent {
        let reason = "x".repeat(OUTBOX_BYTES / 2);
        HostEvent::Status(HostStatus {
            reason: Some(reason),
            ..HostStatus::plain(LinkState::Timeout)
        })
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_outbox_holds_up_its_sender_until_something_is_taken() {
        let outbox = Outbox::new(Arc::new(Notify::new()));
        outbox.send(big()).await;
        let second = outbox.send(big());
        tokio::pin!(second);
        assert!(
            timeout(Duration::from_secs(1), &mut second).await.is_err(),
            "two do not fit"
        );
        let mut out = Vec::new();
        assert!(!outbox.take(1, &mut out).1);
        assert_eq!(out.len(), 1);
        timeout(Duration::from_secs(1), second)
            .await
            .expect("there is room again");
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_for_room_when_its_connection_ends_is_let_in_whole_and_in_order() {
        let outbox = Outbox::new(Arc::new(Notify::new()));
        let numbered = |seconds| {
            let reason = Some("x".repeat(OUTBOX_BYTES / 2));
            let status = HostStatus {
                reason,
                retry_in_s: Some(seconds),
                ..HostStatus::plain(LinkState::Timeout)
            };
            HostEvent::Status(status)
        };
        outbox.send(numbered(0)).await;
        assert!(
            timeout(
                Duration::from_secs(1),
                outbox.send_all((1..4).map(numbered))
            )
            .await
            .is_err()
        );
        let mut out = Vec::new();
        assert!(!outbox.take(usize::MAX, &mut out).1);
        let order = out.iter().map(|event| match event {
            HostEvent::Status(status) => status.retry_in_s,
            _ => None,
        });
        assert_eq!(
            order.collect::<Vec<_>>(),
            [Some(0), Some(1), Some(2), Some(3)]
        );
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
        assert!(outbox.take(1, &mut out).1, "two are left");
        assert!(!outbox.take(usize::MAX, &mut out).1);
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
