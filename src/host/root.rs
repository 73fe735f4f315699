//! Files that only root may read: followed like the others, on the same connection, in a shell that
//! is root's by `sudo -n`.
//!
//! What is said of them joins what the host says: their sources have numbers of their own, and
//! their trouble becomes a part of the host's state. Metrics and facts are left to the first shell.
//!
//! A host that has nothing but such files, on a server that gives a connection one session, has
//! this shell alone: it is connected again for that, and the shell tells all there is. Where sudo
//! refuses it goes back to the usual one.

use tokio::time::{Instant, sleep};

use crate::model::source::{SourceKind, SourceSpec};
use crate::model::state::{HostStatus, LinkState};
use crate::model::time::Time;
use crate::transport::backoff::Backoff;
use crate::transport::{Connection, LinkError};

use super::shell::{self, Problems, Trouble};
use super::track::Track;
use super::{HostEvent, Outbox, Work};
use crate::files::follow::StartAt;

/// Numbers of these sources begin here, beyond those of files and streams.
const FIRST_NUMBER: u32 = 1 << 17;

/// Under this name the trouble of these sources is kept; no source can be called so.
const NAME: &str = ",root";

/// The files of root on one host, across connections.
pub(super) struct RootFiles {
    sources: Vec<SourceSpec>,
    track: Track,
    problems: Problems,
    /// The host has no other sources.
    is_all: bool,
    shell: Beside,
}

/// The shell besides root's on a connection.
enum Beside {
    First,
    /// None: root's has the only session.
    Nothing,
    /// The usual shell has the only session, because sudo refused.
    Only(Trouble),
}

impl RootFiles {
    /// Those among `sources`.
    #[must_use]
    pub(super) fn new(sources: &[SourceSpec], problems: Problems, track: Track) -> Self {
        let is_ours = |spec: &&SourceSpec| spec.as_root && matches!(spec.kind, SourceKind::Path(_));
        let is_all = sources.iter().all(|spec| is_ours(&spec));
        let sources = sources.iter().filter(is_ours).cloned().collect();
        Self {
            sources,
            track,
            problems,
            is_all,
            shell: Beside::First,
        }
    }

    /// Follows them until the connection ends; in a bounded pass until each has given its last
    /// lines. Where sudo refuses, it is tried again now and then; the other files of the host do
    /// not wait for it.
    ///
    /// # Errors
    /// When the next connection must be for these files alone.
    pub(super) async fn run(
        &mut self,
        connection: &Connection,
        work: &Work,
        outbox: &Outbox,
    ) -> Result<(), LinkError> {
        if self.sources.is_empty() {
            return Ok(());
        }
        if let Beside::Only(why) = std::mem::replace(&mut self.shell, Beside::First) {
            self.say_why_not(why, work, outbox).await;
            return if work.once {
                Ok(())
            } else {
                std::future::pending().await
            };
        }
        let mut backoff = Backoff::default();
        self.track.forget_told();
        loop {
            let began = Instant::now();
            let ours = Told {
                outbox,
                problems: &self.problems,
                is_alone: false,
            };
            let Err(error) =
                shell::run_as_root(connection, &self.sources, &mut self.track, work, &ours).await
            else {
                return Ok(());
            };
            if connection.has_ended_by(&error).await {
                // Not their trouble; whoever holds the connection knows.
                return std::future::pending().await;
            }
            if self.is_all && error.status.state == LinkState::Throttled {
                self.shell = Beside::Nothing;
                return Err(error);
            }
            self.say_why_not(error.into(), work, outbox).await;
            if work.once {
                return Ok(());
            }
            backoff.after_connection(began.elapsed());
            sleep(backoff.after_failure(began.elapsed(), rand::random())).await;
        }
    }

    /// Whether this connection is for these files alone.
    pub(super) fn is_alone(&self) -> bool {
        matches!(self.shell, Beside::Nothing)
    }

    /// Follows the files, and reports all else that is reported of a host.
    ///
    /// # Errors
    /// When the connection ends. If sudo refused, the next one is for the usual shell.
    pub(super) async fn run_alone(
        &mut self,
        connection: &Connection,
        work: &Work,
        outbox: &Outbox,
    ) -> Result<(), LinkError> {
        self.track.forget_told();
        self.track.way = connection.warning().cloned();
        let ours = Told {
            outbox,
            problems: &self.problems,
            is_alone: true,
        };
        let ended =
            shell::run_as_root(connection, &self.sources, &mut self.track, work, &ours).await;
        ended.map_err(|error| match error.status.state {
            LinkState::Degraded => {
                let why = Trouble::from(error);
                self.shell = Beside::Only(why.clone());
                let hint = "it is dialled again, for all but what needs sudo";
                LinkError::from(HostStatus::because(LinkState::Throttled, why.reason, hint))
            }
            _ => error,
        })
    }

    /// Shows the sources with what keeps them from being read.
    async fn say_why_not(&mut self, trouble: Trouble, work: &Work, outbox: &Outbox) {
        for spec in &self.sources {
            if let (SourceKind::Path(path), false) = (&spec.kind, spec.kind.is_glob()) {
                self.track
                    .add_file(spec, path.as_bytes(), true, StartAt::LastLines(work.lines));
            }
        }
        for number in 0..self.track.count_sources() {
            self.track
                .set_problem(number, Some((trouble.reason.clone(), trouble.hint.clone())));
        }
        let ours = Told {
            outbox,
            problems: &self.problems,
            is_alone: false,
        };
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
    is_alone: bool,
}

impl Told<'_> {
    /// Whether nothing else reports on the host.
    #[must_use]
    pub(super) fn is_alone(&self) -> bool {
        self.is_alone
    }

    /// Passes on what concerns their sources.
    pub async fn send_all(&self, events: Vec<HostEvent>) {
        self.outbox
            .send_all(events.into_iter().filter_map(|event| self.ours(event)))
            .await;
    }

    fn ours(&self, event: HostEvent) -> Option<HostEvent> {
        use HostEvent::{Facts, ReadTo, Sample, Status};
        if self.is_alone && matches!(event, Status(_) | Facts(_) | Sample(_) | ReadTo(..)) {
            return Some(event);
        }
        let Status(status) = &event else {
            return renumbered(event);
        };
        let trouble = status.reason.as_ref().map(|reason| Trouble {
            reason: reason.clone(),
            hint: status.hint.clone().unwrap_or_default(),
        });
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
        HostEvent::Status(_) | HostEvent::Facts(_) | HostEvent::Sample(_) | HostEvent::Done => {
            return None;
        }
    })
}
