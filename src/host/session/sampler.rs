//! When the metrics of a host are read.

use std::time::Duration;

use tokio::time::Instant;

use crate::host::driver::follow::SampleMetrics;

/// How full disks are changes slowly, and `df` is dear.
const DISKS_EVERY: Duration = Duration::from_secs(60);

/// The second sample of a bounded pass comes this long after the first: rates over less are noise.
const FIRST_WINDOW: Duration = Duration::from_millis(750);

/// Samples of a bounded pass: rates need two.
const BOUNDED_SAMPLES: u32 = 2;

/// Reads the counters and the disks of a host again and again.
pub(super) struct MetricSampler {
    every: Duration,
    /// Two samples are enough.
    is_bounded: bool,
    samples: u32,
    sample: SampleSchedule,
    /// `None` where the host does not come back from there.
    disks: Option<SampleSchedule>,
}

/// When something is asked for next.
struct SampleSchedule {
    next: Instant,
    /// It has been asked for.
    is_pending: bool,
}

impl SampleSchedule {
    fn new(now: Instant) -> Self {
        Self {
            next: now,
            is_pending: false,
        }
    }

    /// Whether it is time, and `next` is when it is the next time.
    fn is_due(&mut self, now: Instant, next: Instant) -> bool {
        let is_due = now >= self.next && !self.is_pending;
        if is_due {
            self.next = next;
        }
        is_due
    }

    /// Nothing is asked again before its answer.
    fn due(&self) -> Option<Instant> {
        (!self.is_pending).then_some(self.next)
    }
}

impl MetricSampler {
    /// Takes a sample in each of these intervals.
    pub(super) fn new(every: Duration, is_bounded: bool, now: Instant) -> Self {
        Self {
            every: every.max(FIRST_WINDOW),
            is_bounded,
            samples: 0,
            sample: SampleSchedule::new(now),
            disks: Some(SampleSchedule::new(now)),
        }
    }

    /// The same on a host that did not come back when it was asked for its disks.
    pub(super) fn without_disks(self) -> Self {
        Self {
            disks: None,
            ..self
        }
    }

    /// Asks for what it is time for.
    pub(super) fn ask_when_due(&mut self, driver: &mut impl SampleMetrics, now: Instant) {
        if let Some(disks) = &mut self.disks
            && disks.is_due(now, now + DISKS_EVERY)
        {
            disks.is_pending = true;
            driver.measure_disks();
        }
        let every = if self.samples == 0 {
            FIRST_WINDOW
        } else {
            self.every
        };
        if self.sample.is_due(now, now + every) && !self.is_done() {
            self.sample.is_pending = true;
            driver.sample();
        }
    }

    /// When it is time for the next.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let disks = self.disks.as_ref().and_then(SampleSchedule::due);
        self.sample.due().into_iter().chain(disks).min()
    }

    /// Counters have come. Of a busy host they come late, and the window begins only there.
    pub(super) fn sampled(&mut self, now: Instant) {
        self.samples += 1;
        self.sample.is_pending = false;
        self.sample.next = self.sample.next.max(now + FIRST_WINDOW);
    }

    /// The disks have come.
    pub(super) fn disks_measured(&mut self) {
        if let Some(disks) = &mut self.disks {
            disks.is_pending = false;
        }
    }

    /// Whether a bounded pass has all its samples.
    pub(super) fn is_done(&self) -> bool {
        self.is_bounded && self.samples >= BOUNDED_SAMPLES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Asked {
        samples: u32,
        disks: u32,
    }

    impl SampleMetrics for Asked {
        fn sample(&mut self) {
            self.samples += 1;
        }

        fn measure_disks(&mut self) {
            self.disks += 1;
        }
    }

    #[test]
    fn a_bounded_pass_takes_two_samples_with_a_window_between_them() {
        let now = Instant::now();
        let mut sampler = MetricSampler::new(Duration::from_secs(5), true, now);
        let mut asked = Asked::default();
        sampler.ask_when_due(&mut asked, now);
        sampler.ask_when_due(&mut asked, now + DISKS_EVERY);
        assert_eq!(
            (asked.samples, asked.disks),
            (1, 1),
            "not before the answer"
        );
        sampler.sampled(now);
        sampler.disks_measured();
        assert_eq!(sampler.next_due(), Some(now + FIRST_WINDOW));
        sampler.ask_when_due(&mut asked, now + FIRST_WINDOW);
        sampler.sampled(now + FIRST_WINDOW);
        assert!(sampler.is_done());
        sampler.ask_when_due(&mut asked, now + 2 * DISKS_EVERY);
        assert_eq!(asked.samples, 2);
    }

    #[test]
    fn a_host_that_hangs_at_its_disks_is_asked_for_the_counters_alone() {
        let now = Instant::now();
        let mut sampler = MetricSampler::new(Duration::from_secs(5), false, now).without_disks();
        let mut asked = Asked::default();
        sampler.ask_when_due(&mut asked, now);
        assert_eq!((asked.samples, asked.disks), (1, 0));
        assert_eq!(sampler.next_due(), None);
    }
}
