//! Notices that many connections are lost at once, so that they are not all dialled again at once:
//! this machine has slept, or the network between was gone. Pure: the time is an argument.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// Connections that are lost within so long are lost together.
const TOGETHER: Duration = Duration::from_secs(10);

/// So many are dialled again at once, whatever it was.
const AT_ONCE: usize = 3;

/// Over so long the others are spread at least, and over so much longer for each of them; at most
/// over this.
const SPREAD: Duration = Duration::from_secs(12);
const SPREAD_EACH: Duration = Duration::from_millis(100);
const SPREAD_MOST: Duration = Duration::from_secs(60);

/// When connections of a run were lost of late.
#[derive(Debug, Default)]
pub(super) struct OutageWatch {
    lost: VecDeque<Instant>,
}

impl OutageWatch {
    /// Another was lost now: over how long the dials of those that were lost with it are spread.
    pub(super) fn lost(&mut self, now: Instant) -> Duration {
        while self
            .lost
            .front()
            .is_some_and(|first| now.duration_since(*first) > TOGETHER)
        {
            self.lost.pop_front();
        }
        self.lost.push_back(now);
        let others = self.lost.len().saturating_sub(AT_ONCE);
        let each = SPREAD_EACH.saturating_mul(u32::try_from(others).unwrap_or(u32::MAX));
        match others {
            0 => Duration::ZERO,
            _ => SPREAD.max(each).min(SPREAD_MOST),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r32_the_dials_of_connections_that_are_lost_together_are_spread_and_those_of_few_are_not() {
        let mut watch = OutageWatch::default();
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let few = [0, 100, 200].map(|millis| watch.lost(at(millis)));
        assert_eq!(few, [Duration::ZERO; 3]);
        assert_eq!(watch.lost(at(300)), SPREAD);
        assert_eq!(watch.lost(at(60_000)), Duration::ZERO, "long after");
        let spans = (0..1000).map(|n| watch.lost(at(120_000 + n)));
        assert_eq!(spans.max(), Some(SPREAD_MOST));
    }
}
