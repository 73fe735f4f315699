//! One connection's worth of following, by whichever driver: keeps its questions and answers in
//! step, and turns what comes of them into events of the host.
//!
//! When files are looked at is left to `poller`, when metrics are read to `sampler`, and which
//! files there are to `finder`.

mod finder;
mod poller;
mod sampler;

use std::time::Duration;

use tokio::time::Instant;

use crate::clock;
use crate::files::follow::FileObservation;
use crate::metrics::ProcCounters;
use crate::model::source::SourceSpec;
use crate::model::state::{HostStatus, LinkState};
use crate::model::time::Time;
use crate::transport::LinkError;

use super::driver::follow::{DriverEvent, DriverRequestKind, HostDriver, PollEnd, SilentRequest};
use super::followed_files::{FollowedFiles, ObservedAt};
use super::{Outbox, Work};
use finder::FileFinder;
use poller::FollowPoller;
use sampler::MetricSampler;

/// Whether what was asked has been answered is looked at this often, and how far behind all is.
const LOOK: Duration = Duration::from_millis(200);

/// Follows the sources of `wanted` and samples metrics until the connection ends, or (`work.once`)
/// all is said.
///
/// # Errors
/// When the host hangs, or the connection breaks. What was read before has been sent.
pub(crate) async fn run<D: HostDriver>(
    driver: D,
    wanted: &[SourceSpec],
    files: &mut FollowedFiles,
    work: &Work,
    outbox: &Outbox,
) -> Result<D, LinkError> {
    if !wanted.is_empty()
        && let Some(begin) = files.wants_journal.take()
    {
        // Where nobody waits for it the connection is ending.
        let _ = begin.send(());
    }
    files.is_bounded = work.once;
    files.follower.restart();
    let now = Instant::now();
    let sampler = files.reports_host.then(|| {
        let sampler = MetricSampler::new(work.sample_every, work.once, now);
        if files.df_hangs {
            sampler.without_disks()
        } else {
            sampler
        }
    });
    let mut session = FollowSession {
        driver,
        finder: FileFinder::new(wanted, files.as_root, work.lines),
        poller: FollowPoller::new(now),
        sampler,
        files,
        work,
        outbox,
        began: clock::now(),
        is_described: false,
    };
    session.driver.describe();
    session.follow().await?;
    Ok(session.driver)
}

struct FollowSession<'a, D> {
    driver: D,
    finder: FileFinder,
    poller: FollowPoller,
    /// `None` where another session tells the metrics.
    sampler: Option<MetricSampler>,
    files: &'a mut FollowedFiles,
    work: &'a Work,
    outbox: &'a Outbox,
    began: Time,
    is_described: bool,
}

impl<D: HostDriver> FollowSession<'_, D> {
    /// Asks and listens until the end.
    async fn follow(&mut self) -> Result<(), LinkError> {
        loop {
            self.ask_what_is_due();
            self.driver.flush().await?;
            if self.is_done() {
                self.files.finish(clock::now());
                self.tell().await;
                return Ok(());
            }
            self.listen_until(self.next_deadline()).await?;
            self.files.look_behind(clock::now(), self.began);
            self.tell().await;
        }
    }

    /// Takes what the host says next, or nothing where that does not come in time.
    async fn listen_until(&mut self, deadline: Instant) -> Result<(), LinkError> {
        let event = tokio::select! {
            // What has come is looked at before the time: the fleet may have kept us waiting.
            biased;
            event = self.driver.next() => event?,
            () = tokio::time::sleep_until(deadline) => return Ok(()),
        };
        self.files.follower.set_pace(self.driver.share() as u64);
        event.map_or(Ok(()), |event| self.on_event(event))
    }

    fn is_done(&self) -> bool {
        self.work.once
            && self.is_described
            && self.sampler.as_ref().is_none_or(MetricSampler::is_done)
            && self.driver.is_idle()
            && self.has_all()
    }

    /// Whether all files are known, and all that was in them has been read.
    fn has_all(&self) -> bool {
        self.finder.is_through() && self.files.follower.is_settled()
    }

    fn ask_what_is_due(&mut self) {
        let now = Instant::now();
        self.pass_on_requests();
        if self.is_described {
            self.finder.ask_when_due(&mut self.driver, self.files, now);
            self.pass_on_requests();
        }
        if let Some(sampler) = &mut self.sampler {
            sampler.ask_when_due(&mut self.driver, now);
        }
        if self.is_described && !(self.work.once && self.has_all()) {
            self.poller.ask_when_due(&mut self.driver, now);
        }
    }

    fn pass_on_requests(&mut self) {
        for request in self.files.follower.take_requests() {
            self.driver.request(request);
        }
    }

    fn next_deadline(&self) -> Instant {
        let now = Instant::now();
        let files = [self.finder.next_due(), self.poller.next_due()];
        let files = files.into_iter().flatten().filter(|_| self.is_described);
        let metrics = self.sampler.as_ref().and_then(MetricSampler::next_due);
        let next = files.chain(metrics).min().unwrap_or(now + LOOK);
        next.clamp(now + Duration::from_millis(1), now + LOOK)
    }

    /// Sends what is to be told; waits while the fleet has no room, and so asks the host for
    /// nothing.
    async fn tell(&mut self) {
        self.outbox.send_all(self.files.take_events()).await;
    }

    fn on_event(&mut self, event: DriverEvent) -> Result<(), LinkError> {
        match event {
            DriverEvent::Seen(seen) => {
                if matches!(
                    seen,
                    FileObservation::Read(..) | FileObservation::Unpacked(..)
                ) {
                    self.poller.has_grown(Instant::now());
                }
                self.files.observe(&seen, observed_now());
            }
            DriverEvent::Polled(polled) => self.polled(&polled),
            DriverEvent::Expanded(expanded, took) => {
                self.finder.answered(took);
                self.finder.expanded(&expanded, self.files);
            }
            DriverEvent::Barred(barred, took) => {
                self.finder.answered(took);
                self.finder.barred(&barred, self.files);
            }
            DriverEvent::PatternHangs(number) => self.finder.hangs(number, self.files),
            DriverEvent::Described(description) => {
                self.finder.set_journal(description.journal);
                self.files.describe(description.facts, description.user);
                self.is_described = true;
            }
            DriverEvent::Counters(counters) => self.sampled(*counters),
            DriverEvent::Disks(disks) => {
                self.files.disks = disks;
                self.sampler
                    .iter_mut()
                    .for_each(MetricSampler::disks_measured);
            }
            DriverEvent::Silent(request) => return Err(self.silent(request)),
        }
        Ok(())
    }

    fn sampled(&mut self, counters: ProcCounters) {
        self.sampler
            .iter_mut()
            .for_each(|sampler| sampler.sampled(Instant::now()));
        self.files.sample(counters, clock::now());
    }

    fn polled(&mut self, polled: &PollEnd) {
        let seen = FileObservation::PollEnded;
        self.files.observe(&seen, observed_now());
        self.poller.polled(polled, self.work.once, Instant::now());
        if polled.again || !self.has_all() {
            return;
        }
        self.files.seen_whole |= self.finder.is_complete();
        let bytes = self.driver.take_bytes_read();
        self.files.read_to(polled.asked, clock::now(), bytes);
    }

    /// A host that has been asked something and not said a word for long hangs. A file system that
    /// does not answer is no reason to have no logs either.
    fn silent(&mut self, request: SilentRequest) -> LinkError {
        match request.kind {
            DriverRequestKind::Disks => self.files.df_hangs = true,
            DriverRequestKind::Poll | DriverRequestKind::Expand | DriverRequestKind::Other => {
                self.files.hung = true;
            }
            DriverRequestKind::Sample => {}
        }
        let reason = format!(
            "the host has not answered for {} s, though the connection stands",
            request.waited.as_secs()
        );
        let hint = "a disk or network mount may hang there; the connection is made again";
        LinkError::from(HostStatus::because(LinkState::Timeout, reason, hint))
    }
}

/// The time now, by both clocks.
fn observed_now() -> ObservedAt {
    static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    ObservedAt {
        since_start: START.elapsed(),
        time: clock::now(),
    }
}
