//! Distinguishes a dead link from a slow one: a link is dead when not even a byte comes any more,
//! though the server was asked for a sign of life.
//!
//! The library's own keepalive cannot: it counts whole packets, and does not fire while its session
//! loop is stuck. What comes is counted where it leaves the socket ([`LinkPacer`]), and a ping that
//! waits behind other data is no reason to cut a link on which these data flow.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::transport::failure::ConnectionEnd;
use crate::transport::pace::LinkPacer;

/// A connection that may die.
pub(super) trait WatchedLink: Send + Sync + 'static {
    /// What counts the bytes that come.
    fn pacer(&self) -> &LinkPacer;

    /// It has ended.
    fn has_ended(&self) -> bool;

    /// Asks the server for a sign of life; true when it has given one.
    fn ping(self: Arc<Self>) -> Ping;

    /// Nothing comes any more.
    fn give_up(&self);
}

/// After so long without a byte the server is asked for one.
const ASK_AFTER: Duration = Duration::from_secs(4);

/// It is asked now and then on a busy link too: so is known how long the way is.
const PING_EVERY: Duration = Duration::from_secs(15);

/// After so long without a byte the link is dead, so that the next try begins within 20 s. On a
/// long way it takes longer.
const DEAD_AFTER: Duration = Duration::from_secs(16);
const DEAD_AFTER_TRIPS: u32 = 4;

/// Looks are this far apart. One that comes much later tells that this process was stopped, or the
/// machine asleep: what came in that time is not read yet.
const LOOK_EVERY: Duration = Duration::from_millis(500);
const STOPPED: Duration = Duration::from_secs(2);

pub(super) type Ping = Pin<Box<dyn Future<Output = bool> + Send>>;

/// A ping under way, and since when.
struct PendingPing {
    since: Instant,
    ping: Ping,
}

/// Watches until the connection has ended, or nothing comes any more: then it ends it.
pub(super) async fn watch_over(link: Weak<impl WatchedLink>, ending: ConnectionEnd) {
    let mut asked: Option<PendingPing> = None;
    // The first tells how long the way is.
    let mut next_ping = Instant::now();
    // Silence before this does not count.
    let mut awake = Instant::now();
    loop {
        let look = Instant::now() + LOOK_EVERY;
        let answered = tokio::select! {
            () = sleep_until(look) => None,
            answered = answer(&mut asked) => Some(answered),
            _ = ending.ended() => return,
        };
        let Some(link) = link.upgrade() else {
            return;
        };
        if link.has_ended() {
            return;
        }
        let now = Instant::now();
        if now > look + STOPPED {
            awake = now;
        }
        if let (Some(true), Some(asked)) = (answered, asked.take_if(|_| answered.is_some())) {
            link.pacer().pinged(asked.since.elapsed());
        }
        let silent_for = now - link.pacer().last_arrival().max(awake).min(now);
        match &asked {
            Some(asked)
                if silent_for >= dead_after(link.pacer().round_trip())
                    && asked.since.elapsed() >= ASK_AFTER =>
            {
                return link.give_up();
            }
            None if now >= next_ping || silent_for >= ASK_AFTER => {
                next_ping = now + PING_EVERY;
                asked = Some(PendingPing {
                    since: now,
                    ping: Arc::clone(&link).ping(),
                });
            }
            _ => {}
        }
    }
}

/// Waits for the ping that is under way; for ever where there is none.
async fn answer(asked: &mut Option<PendingPing>) -> bool {
    match asked {
        Some(asked) => asked.ping.as_mut().await,
        None => std::future::pending().await,
    }
}

fn dead_after(round_trip: Option<Duration>) -> Duration {
    DEAD_AFTER.max(ASK_AFTER + DEAD_AFTER_TRIPS * round_trip.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_way_is_given_more_time() {
        let after = |seconds| dead_after(Some(Duration::from_secs(seconds))).as_secs();
        assert_eq!(
            (dead_after(None).as_secs(), after(1), after(3), after(6)),
            (16, 16, 16, 28)
        );
    }
}
