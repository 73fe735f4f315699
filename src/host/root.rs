//! Files that only root may read: followed like the others, on the same connection, in a shell that is root's by `sudo -n`.
//!
//! What is said of them joins what the host says: their sources have numbers of their own, and their trouble becomes a
//! part of the host's state. Metrics and facts are left to the first shell.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use crate::model::{SourceKind, SourceSpec, Time};
use crate::transport::backoff::Backoff;
use crate::transport::{Connection, LinkError};

use super::shell::follow::Begin;
use super::shell::{self, Problems, Trouble};
use super::track::Track;
use super::{HostEvent, Outbox, Work};

/// Numbers of these sources begin here, beyond those of files and streams.
const FIRST_NUMBER: u32 = 1 << 17;

/// Under this name the trouble of these sources is kept; no source can be called so.
const NAME: &str = ",root";

/// Channels are closed a moment before the connection says why it ended.
const END_TOLD_WITHIN: Duration = Duration::from_secs(1);

/// The files of root on one host, across connections.
pub(super) struct RootFiles {
    sources: Vec<SourceSpec>,
    track: Track,
    problems: Problems,
}

impl RootFiles {
    /// Those among `sources`.
    #[must_use]
    pub(super) fn new(sources: &[SourceSpec], problems: Problems, track: Track) -> Self {
        let is_ours = |spec: &&SourceSpec| spec.as_root && matches!(spec.kind, SourceKind::Path(_));
        Self { sources: sources.iter().filter(is_ours).cloned().collect(), track, problems }
    }

    /// Follows them until the connection ends; in a bounded pass until each has given its last lines. Where sudo refuses,
    /// it is tried again now and then; the other files of the host do not wait for it.
    pub(super) async fn run(&mut self, connection: &Connection, work: &Work, outbox: &Outbox) {
        if self.sources.is_empty() {
            return;
        }
        let mut backoff = Backoff::default();
        self.track.forget_told();
        loop {
            let began = Instant::now();
            let ours = Told { outbox, problems: &self.problems };
            let Err(error) = shell::run_as_root(connection, &self.sources, &mut self.track, work, &ours).await else {
                return;
            };
            if timeout(END_TOLD_WITHIN, connection.ended()).await.is_ok() {
                // Not their trouble; whoever holds the connection knows.
                return std::future::pending().await;
            }
            self.say_why_not(error, work, outbox).await;
            if work.once {
                return;
            }
            backoff.after_connection(began.elapsed());
            sleep(backoff.after_failure(began.elapsed(), rand::random())).await;
        }
    }

    /// Shows the sources with what keeps them from being read.
    async fn say_why_not(&mut self, error: LinkError, work: &Work, outbox: &Outbox) {
        let trouble = Trouble::from(error);
        for spec in &self.sources {
            if let (SourceKind::Path(path), false) = (&spec.kind, spec.kind.is_glob()) {
                self.track.add_file(spec, path.as_bytes(), true, Begin::LastLines(work.lines));
            }
        }
        for number in 0..self.track.count_sources() {
            self.track.set_problem(number, Some((trouble.reason.clone(), trouble.hint.clone())));
        }
        let ours = Told { outbox, problems: &self.problems };
        ours.send_all(self.track.take_events()).await;
        // Said once, and not for each of them.
        shell::note(&self.problems, NAME, Some(trouble));
        self.track.forget_told();
    }
}

/// Takes what these files have to say into what the host says.
pub struct Told<'a> {
    outbox: &'a Outbox,
    problems: &'a Problems,
}

impl Told<'_> {
    /// Passes on what concerns their sources.
    pub async fn send_all(&self, events: Vec<HostEvent>) {
        self.outbox.send_all(events.into_iter().filter_map(|event| self.ours(event))).await;
    }

    fn ours(&self, event: HostEvent) -> Option<HostEvent> {
        let HostEvent::Status(status) = &event else { return renumbered(event) };
        let trouble = status
            .reason
            .as_ref()
            .map(|reason| Trouble { reason: reason.clone(), hint: status.hint.clone().unwrap_or_default() });
        shell::note(self.problems, NAME, trouble);
        None
    }
}

fn renumbered(event: HostEvent) -> Option<HostEvent> {
    use HostEvent::{Begun, Gap, Lines, ReadTo, Source, Unfinished};
    Some(match event {
        Source(number, info) => Source(FIRST_NUMBER + number, info),
        Lines(number, lines) => Lines(FIRST_NUMBER + number, lines),
        Begun(number, reached) => Begun(FIRST_NUMBER + number, reached),
        Unfinished(number, line) => Unfinished(FIRST_NUMBER + number, line),
        Gap(number, from, to, reason, since) => Gap(FIRST_NUMBER + number, from, to, reason, since),
        // How far the host was read is said by the first shell; here only how much.
        ReadTo(_, bytes) => ReadTo(Time(i64::MIN), bytes),
        HostEvent::Status(_) | HostEvent::Facts(_) | HostEvent::Sample(_) | HostEvent::Done => return None,
    })
}
