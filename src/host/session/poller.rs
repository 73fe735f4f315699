//! When the files of a host are looked at, and how many bytes a look may bring.

use std::ops::RangeInclusive;
use std::time::Duration;

use tokio::time::Instant;

use crate::host::driver::follow::{FollowFiles, PollEnd};

/// From one look at the files to the next: with the round trip, what a line waits at most. Files
/// that rest are looked at half as often, for each look costs the host a process where nothing
/// there can wait for them.
const POLL: Duration = Duration::from_millis(200);
const POLL_AT_REST: Duration = Duration::from_millis(400);
const REST_AFTER: Duration = Duration::from_secs(5);

/// Most bytes that one look brings of one file, so that a flood on one does not hold up the others:
/// more where the link is quick, for each look costs the host two processes; less where it is slow,
/// as the pace of the connection has it.
const POLL_BYTES: RangeInclusive<usize> = 256 << 10..=1 << 20;
const QUICK: Duration = Duration::from_millis(100);

/// Looks at the files again and again.
pub(super) struct FollowPoller {
    next: Instant,
    /// A look is under way.
    is_pending: bool,
    /// The last time that a file had grown.
    active: Instant,
    /// Within [`POLL_BYTES`].
    bytes: usize,
}

impl FollowPoller {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            next: now,
            is_pending: false,
            active: now,
            bytes: *POLL_BYTES.start(),
        }
    }

    /// Looks, when it is time.
    pub(super) fn ask_when_due(&mut self, driver: &mut impl FollowFiles, now: Instant) {
        if now >= self.next && !self.is_pending {
            self.is_pending = true;
            driver.poll(self.bytes);
        }
    }

    /// When it is time to look. Nothing is asked again before its answer.
    pub(super) fn next_due(&self) -> Option<Instant> {
        (!self.is_pending).then_some(self.next)
    }

    /// A file has grown.
    pub(super) fn has_grown(&mut self, now: Instant) {
        self.active = now;
    }

    /// A look is over; the next one follows at once where that is wanted.
    pub(super) fn polled(&mut self, polled: &PollEnd, at_once: bool, now: Instant) {
        self.is_pending = false;
        if polled.again {
            let wanted = if polled.took < QUICK {
                self.bytes * 2
            } else {
                self.bytes / 2
            };
            self.bytes = wanted.clamp(*POLL_BYTES.start(), *POLL_BYTES.end());
        }
        let wait = if polled.again || at_once {
            Duration::ZERO
        } else if now.duration_since(self.active) > REST_AFTER {
            POLL_AT_REST
        } else {
            POLL
        };
        self.next = now + wait;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::follow::FollowRequest;
    use crate::model::time::Time;

    /// Keeps how much each look may bring.
    #[derive(Default)]
    struct Looks(Vec<usize>);

    impl FollowFiles for Looks {
        fn request(&mut self, _: FollowRequest) {}

        fn poll(&mut self, most: usize) {
            self.0.push(most);
        }

        fn expand(&mut self, _: u32, _: &[u8]) -> bool {
            false
        }
    }

    fn polled(again: bool, ms: u64) -> PollEnd {
        PollEnd {
            again,
            asked: Time(0),
            took: Duration::from_millis(ms),
        }
    }

    #[test]
    fn the_next_look_waits_for_the_answer_to_the_one_before() {
        let now = Instant::now();
        let mut poller = FollowPoller::new(now);
        let mut looks = Looks::default();
        poller.ask_when_due(&mut looks, now);
        poller.ask_when_due(&mut looks, now + REST_AFTER);
        assert_eq!((looks.0.len(), poller.next_due()), (1, None));
        poller.polled(&polled(false, 1), false, now);
        assert_eq!(poller.next_due(), Some(now + POLL));
    }

    #[test]
    fn files_at_rest_are_looked_at_half_as_often() {
        let now = Instant::now();
        let mut poller = FollowPoller::new(now);
        let late = now + 2 * REST_AFTER;
        poller.polled(&polled(false, 1), false, late);
        assert_eq!(poller.next_due(), Some(late + POLL_AT_REST));
        poller.has_grown(late);
        poller.polled(&polled(false, 1), false, late);
        assert_eq!(poller.next_due(), Some(late + POLL));
    }

    #[test]
    fn a_quick_link_is_asked_for_more_and_a_slow_one_for_less_up_to_the_limits() {
        let now = Instant::now();
        let mut poller = FollowPoller::new(now);
        let mut looks = Looks::default();
        for ms in [1, 1, 1, 1000, 1000, 1000, 1000] {
            poller.ask_when_due(&mut looks, now);
            poller.polled(&polled(true, ms), false, now);
        }
        let kib: Vec<usize> = looks.0.iter().map(|bytes| bytes >> 10).collect();
        assert_eq!(kib, [256, 512, 1024, 1024, 512, 256, 256]);
    }
}
