//! Limits how much is asked of a host at once, so that other traffic on its connection never waits
//! long behind it.
//!
//! An answer is sent as fast as the host can, and queues up in front of the slowest link on the
//! way; whatever is asked next (a ping, metrics) is answered behind it. So no more is asked for
//! than the link carries in about a second, and how much that is is learnt from how fast answers
//! come. On a quick link nothing is held back.
//!
//! [`RequestPace`] decides, with time as an argument; [`LinkPacer`] is the same with a clock, and is
//! shared by all users of one connection. It also knows when the last byte came, which
//! distinguishes a slow link from a dead one.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// What is asked for at once at least: less costs more in round trips than it saves.
const LEAST: f64 = 4096.0;

/// And at most, over all that are asked at the same time: on a link that carries so much in a
/// second nothing is held back.
const MOST: f64 = 4.0 * 1024.0 * 1024.0;

/// To begin with, where the login was quick, and where it was not.
const FIRST_WINDOW: f64 = 64.0 * 1024.0;
const FIRST_WINDOW_OF_SLOW: f64 = 16.0 * 1024.0;
const QUICK_LOGIN: Duration = Duration::from_millis(500);

/// Answers of fewer bytes say nothing of the link.
const TELLING: u64 = 4096;

/// An answer that takes less to come holds up nobody: the pauses in it may be those of a busy host.
const SOON: Duration = Duration::from_millis(500);

/// Several that ask at once may together ask for this much more than one alone.
const TOGETHER: f64 = 1.5;

/// How long a stream that was sent much counts as one that asks for more.
const ACTIVE: Duration = Duration::from_secs(3);

/// Pauses that are remembered: the longest since any moment that matters.
const PAUSES: usize = 64;

/// How much may be asked for. Times count from any moment, the same for all calls.
#[derive(Debug)]
struct RequestPace {
    /// Bytes of one second, as far as is known.
    window: f64,
    received: u64,
    last: Duration,
    /// When each ended and how long it was: later ones are shorter.
    pauses: VecDeque<(Duration, Duration)>,
    /// When each that asks was last told much.
    askers: BTreeMap<u64, Duration>,
    next_asker: u64,
}

/// The time from a question to its answer.
#[derive(Debug, Clone, Copy)]
pub struct PaceSpan {
    begun: Duration,
    received: u64,
}

impl RequestPace {
    fn new(window: f64, now: Duration) -> Self {
        let pauses = VecDeque::new();
        let askers = BTreeMap::new();
        Self {
            window,
            received: 0,
            last: now,
            pauses,
            askers,
            next_asker: 0,
        }
    }

    /// So many bytes have come out of the socket.
    fn arrived(&mut self, now: Duration, bytes: u64) {
        let pause = now.saturating_sub(self.last);
        while self
            .pauses
            .back()
            .is_some_and(|(_, shorter)| *shorter <= pause)
        {
            self.pauses.pop_back();
        }
        self.pauses.push_back((now, pause));
        if self.pauses.len() > PAUSES {
            self.pauses.pop_front();
        }
        self.received += bytes;
        self.last = now;
    }

    fn begin(&self, now: Duration) -> PaceSpan {
        PaceSpan {
            begun: now,
            received: self.received,
        }
    }

    /// The answer is whole: what came during it, and how long that took without the one pause in
    /// which the question was on its way, is what the link carries.
    fn end(&mut self, now: Duration, span: PaceSpan) {
        let bytes = self.received - span.received;
        if bytes < TELLING {
            return;
        }
        let within =
            |(ended, pause): &(Duration, Duration)| (*pause).min(ended.saturating_sub(span.begun));
        let waited = self.pauses.iter().map(within).max().unwrap_or_default();
        let took = now.saturating_sub(span.begun).saturating_sub(waited);
        let carried = bytes as f64 / took.as_secs_f64().max(0.000_001);
        // A small answer tells when a link is slow, and little of how quick it is.
        let most = self.window.max((bytes as f64 * 4.0).min(self.window * 2.0));
        let least = if took < SOON {
            self.window
        } else {
            self.window / 4.0
        };
        self.window = carried.clamp(least, most).clamp(LEAST, MOST);
    }

    fn add_asker(&mut self) -> u64 {
        self.next_asker += 1;
        self.next_asker
    }

    fn remove_asker(&mut self, asker: u64) {
        self.askers.remove(&asker);
    }

    /// One that asks was told so many bytes.
    fn heard(&mut self, asker: u64, now: Duration, bytes: usize) {
        if bytes as f64 >= LEAST / 4.0 {
            self.askers.insert(asker, now);
        }
    }

    /// How many bytes one that asks may ask for now.
    fn share(&self, asker: u64, now: Duration) -> usize {
        let asks = |(other, told): &(&u64, &Duration)| {
            **other != asker && now.saturating_sub(**told) < ACTIVE
        };
        let others = self.askers.iter().filter(asks).count();
        let share = if others == 0 {
            self.window
        } else {
            self.window * TOGETHER / (others + 1) as f64
        };
        share.max(LEAST) as usize
    }
}

/// The pace of a connection, and its pulse.
#[derive(Clone)]
pub(super) struct LinkPacer(Arc<SharedPace>);

struct SharedPace {
    start: Instant,
    state: Mutex<PaceState>,
}

struct PaceState {
    pace: RequestPace,
    first: Option<Duration>,
    /// When a shell last said something.
    heard: Duration,
    round_trip: Option<Duration>,
}

impl LinkPacer {
    /// For a connection that is about to be made.
    pub(super) fn new() -> Self {
        Self::with(FIRST_WINDOW)
    }

    /// For what is no network.
    pub(super) fn unhurried() -> Self {
        Self::with(MOST)
    }

    fn with(window: f64) -> Self {
        let state = PaceState {
            pace: RequestPace::new(window, Duration::ZERO),
            first: None,
            heard: Duration::ZERO,
            round_trip: None,
        };
        Self(Arc::new(SharedPace {
            start: Instant::now(),
            state: Mutex::new(state),
        }))
    }

    /// Somebody has logged in: how long that took is the first that is known of the link.
    pub(super) fn logged_in(&self) {
        let slow = self.now() > QUICK_LOGIN;
        let mut state = self.lock();
        if slow {
            state.pace.window = state.pace.window.min(FIRST_WINDOW_OF_SLOW);
        }
    }

    /// Bytes have come.
    pub(super) fn arrived(&self, bytes: usize) {
        let now = self.now();
        let mut state = self.lock();
        state.first.get_or_insert(now);
        state.pace.arrived(now, bytes as u64);
    }

    /// When bytes came last; the beginning where none have.
    pub(super) fn last_arrival(&self) -> Instant {
        self.0.start + self.lock().pace.last
    }

    /// A ping came back after so long.
    pub(super) fn pinged(&self, after: Duration) {
        let mut state = self.lock();
        let before = state.round_trip.unwrap_or_default();
        state.round_trip = Some(after.max(before.mul_f64(0.75)));
    }

    /// How long pings take at present; none before the first.
    pub(super) fn round_trip(&self) -> Option<Duration> {
        self.lock().round_trip
    }

    /// How long something of a few round trips may take that takes `limit` on a link without any
    /// length.
    pub(super) fn patience(&self, limit: Duration) -> Duration {
        let state = self.lock();
        limit + 4 * state.round_trip.or(state.first).unwrap_or_default()
    }

    /// When a shell last said something, and not only the server; the beginning where none has.
    pub(super) fn heard(&self) -> Instant {
        self.0.start + self.lock().heard
    }

    /// A caller that will ask for much.
    pub(super) fn asker(&self) -> PaceShare {
        let number = self.lock().pace.add_asker();
        PaceShare {
            pacer: self.clone(),
            number,
        }
    }

    fn now(&self) -> Duration {
        self.0.start.elapsed()
    }

    fn lock(&self) -> MutexGuard<'_, PaceState> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One of those that ask for much over the same connection.
pub struct PaceShare {
    pacer: LinkPacer,
    number: u64,
}

impl PaceShare {
    /// How many bytes may be asked for now.
    #[must_use]
    pub fn share(&self) -> usize {
        let now = self.pacer.now();
        self.pacer.lock().pace.share(self.number, now)
    }

    /// Something is asked that is answered at once.
    #[must_use]
    pub fn begin(&self) -> PaceSpan {
        self.pacer.lock().pace.begin(self.pacer.now())
    }

    /// It was answered.
    pub fn end(&self, span: PaceSpan) {
        let now = self.pacer.now();
        self.pacer.lock().pace.end(now, span);
    }

    /// So many bytes of an answer have come.
    pub fn heard(&self, bytes: usize) {
        let now = self.pacer.now();
        let mut state = self.pacer.lock();
        state.heard = now;
        state.pace.heard(self.number, now, bytes);
    }
}

impl Drop for PaceShare {
    fn drop(&mut self) {
        self.pacer.lock().pace.remove_asker(self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A link that carries `rate` bytes a second, `trip` seconds there and back, packet by packet.
    struct Wire {
        rate: f64,
        trip: f64,
        now: f64,
    }

    impl Wire {
        /// Somebody asks for `bytes` and hears them all; how long they were on the wire.
        fn answer(&mut self, pace: &mut RequestPace, bytes: usize) -> f64 {
            let span = pace.begin(Duration::from_secs_f64(self.now));
            self.now += self.trip;
            let mut left = bytes;
            while left > 0 {
                let packet = left.min(1448);
                self.now += packet as f64 / self.rate;
                pace.arrived(Duration::from_secs_f64(self.now), packet as u64);
                left -= packet;
            }
            pace.end(Duration::from_secs_f64(self.now), span);
            bytes as f64 / self.rate
        }
    }

    proptest! {
        #[test]
        fn what_is_asked_for_at_once_is_soon_no_more_than_a_link_carries_in_two_seconds(
            rate in 3_000.0..2_000_000.0f64, trip in 0.0..4.0f64, first in LEAST..MOST,
        ) {
            let mut pace = RequestPace::new(first, Duration::ZERO);
            let (asker, mut wire) = (pace.add_asker(), Wire { rate, trip, now: 1.0 });
            for n in 0..30 {
                let bytes = pace.share(asker, Duration::from_secs_f64(wire.now));
                let took = wire.answer(&mut pace, bytes);
                prop_assert!(n < 10 || took < 2.0, "{bytes} bytes took {took} s after {n} answers");
                let is_used = took > 0.4 || bytes as f64 >= MOST || bytes as f64 <= LEAST;
                prop_assert!(n < 20 || is_used, "{bytes} bytes took {took} s after {n} answers");
            }
        }

        #[test]
        fn several_that_ask_at_once_ask_together_for_half_as_much_again_at_most(
            window in LEAST..MOST, count in 1usize..6,
        ) {
            let mut pace = RequestPace::new(window, Duration::ZERO);
            let askers: Vec<u64> = (0..count).map(|_| pace.add_asker()).collect();
            let now = Duration::from_secs(1);
            askers.iter().for_each(|asker| pace.heard(*asker, now, 1 << 20));
            let all: usize = askers.iter().map(|asker| pace.share(*asker, now)).sum();
            prop_assert!(all as f64 <= (window * TOGETHER).max(LEAST * count as f64));
            let later = now + ACTIVE;
            prop_assert!(pace.share(askers[0], later) as f64 > window - 1.0, "the others have stopped");
        }
    }

    #[test]
    fn an_answer_behind_another_is_not_taken_for_a_slow_link() {
        let second = Duration::from_secs_f64;
        let mut pace = RequestPace::new(32.0 * 1024.0, Duration::ZERO);
        // What was asked before comes first, a round trip of 3 s before the answer.
        let span = pace.begin(second(10.0));
        pace.arrived(second(10.1), 3000);
        (0..20).for_each(|n| pace.arrived(second(13.0 + 0.05 * f64::from(n)), 1500));
        pace.end(second(13.95), span);
        assert!(
            (30_000.0..36_000.0).contains(&pace.window),
            "{}",
            pace.window
        );
    }

    #[test]
    fn a_busy_host_on_a_quick_link_is_asked_for_no_less() {
        let second = Duration::from_secs_f64;
        let mut pace = RequestPace::new(FIRST_WINDOW, Duration::ZERO);
        let span = pace.begin(second(10.0));
        // Two programs, each of which takes its time to start.
        pace.arrived(second(10.3), 4000);
        pace.arrived(second(10.5), 3000);
        pace.end(second(10.5), span);
        assert!((pace.window - FIRST_WINDOW).abs() < 1.0, "{}", pace.window);
    }

    #[test]
    fn answers_of_a_few_bytes_change_nothing() {
        let mut pace = RequestPace::new(FIRST_WINDOW, Duration::ZERO);
        let mut wire = Wire {
            rate: 500.0,
            trip: 1.0,
            now: 0.0,
        };
        for _ in 0..100 {
            wire.answer(&mut pace, 100);
        }
        assert!((pace.window - FIRST_WINDOW).abs() < 1.0);
    }

    #[test]
    fn one_that_goes_away_leaves_its_share_to_the_others() {
        let pacer = LinkPacer::new();
        let (first, second) = (pacer.asker(), pacer.asker());
        second.heard(1 << 20);
        assert!(first.share() < FIRST_WINDOW as usize);
        drop(second);
        assert_eq!(first.share(), FIRST_WINDOW as usize);
    }
}
