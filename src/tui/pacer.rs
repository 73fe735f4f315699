//! When to draw: at once for a key, at most thirty times a second for data, never when nothing has
//! changed.
//!
//! The one place that decides it, so that debouncers cannot fight. Times are arguments.

use std::time::Duration;

use tokio::time::Instant;

/// Two frames for keys are at least this far apart: a held key repeats at 30 to 50 Hz, a paste
/// comes all at once.
const KEY_INTERVAL: Duration = Duration::from_millis(8);
/// Two frames for data are at least this far apart; thirty a second read as smooth.
const DATA_INTERVAL: Duration = Duration::from_millis(33);
/// On a slow terminal drawing takes at most a quarter of the time…
const SLOW_FACTOR: u32 = 4;
/// …but something moves twice a second even there.
const MAX_INTERVAL: Duration = Duration::from_millis(500);

/// Turns changes into the moment of the next frame.
#[derive(Debug, Default)]
pub struct FramePacer {
    last: Option<Instant>,
    cost: Duration,
    due: Option<Instant>,
}

impl FramePacer {
    /// The operator did something that changed the screen.
    pub fn input(&mut self, now: Instant) {
        self.at(self.last.map_or(now, |last| now.max(last + KEY_INTERVAL)));
    }

    /// Data changed the screen.
    pub fn data(&mut self, now: Instant) {
        let interval = (self.cost * SLOW_FACTOR).clamp(DATA_INTERVAL, MAX_INTERVAL);
        self.at(self.last.map_or(now, |last| now.max(last + interval)));
    }

    /// The screen will change at `when`, without an event. The earliest wish wins.
    pub fn at(&mut self, when: Instant) {
        self.due = Some(self.due.map_or(when, |due| due.min(when)));
    }

    /// When to draw next; `None`: not before something happens.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// A frame was begun at `now`.
    pub fn drawn(&mut self, now: Instant) {
        self.last = Some(now);
        self.due = None;
    }

    /// How long the last frame took until the terminal had it.
    pub fn took(&mut self, cost: Duration) {
        self.cost = cost;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_key_is_drawn_at_once_but_not_twice_within_eight_milliseconds() {
        let (mut pacer, start) = (FramePacer::default(), Instant::now());
        pacer.input(start);
        assert_eq!(pacer.due(), Some(start));
        pacer.drawn(start);
        assert_eq!(pacer.due(), None);
        pacer.input(start + ms(2));
        assert_eq!(pacer.due(), Some(start + ms(8)));
        pacer.drawn(start + ms(8));
        pacer.input(start + ms(100));
        assert_eq!(pacer.due(), Some(start + ms(100)));
    }

    #[test]
    fn a_second_of_data_is_thirty_frames() {
        let (mut pacer, start) = (FramePacer::default(), Instant::now());
        let mut frames = 0;
        for passed in 0..1000 {
            let now = start + ms(passed);
            pacer.data(now);
            if pacer.due().is_some_and(|due| due <= now) {
                pacer.drawn(now);
                frames += 1;
            }
        }
        assert_eq!(frames, 31);
    }

    #[test]
    fn a_key_does_not_wait_for_data_and_the_earliest_wish_wins() {
        let (mut pacer, start) = (FramePacer::default(), Instant::now());
        pacer.drawn(start);
        pacer.at(start + ms(1000));
        pacer.data(start + ms(10));
        assert_eq!(pacer.due(), Some(start + ms(33)));
        pacer.input(start + ms(12));
        assert_eq!(pacer.due(), Some(start + ms(12)));
    }

    #[test]
    fn a_slow_terminal_has_fewer_frames_but_two_a_second() {
        let (mut pacer, start) = (FramePacer::default(), Instant::now());
        pacer.drawn(start);
        pacer.took(ms(50));
        pacer.data(start + ms(1));
        assert_eq!(pacer.due(), Some(start + ms(200)));
        pacer.drawn(start + ms(200));
        pacer.took(ms(9000));
        pacer.data(start + ms(201));
        assert_eq!(pacer.due(), Some(start + ms(700)));
    }
}
