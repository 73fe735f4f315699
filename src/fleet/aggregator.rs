//! The one task that takes what the hosts say, puts it in order, and hands it on in batches.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep_until};

use crate::clock;
use crate::host::{HostEvent, Outbox};
use crate::model::gap::Gap;
use crate::model::host::HostId;
use crate::model::line::{FleetLine, Line, LineOrder};
use crate::model::source::SourceId;
use crate::model::state::{HostStatus, LinkState};
use crate::model::time::Time;
use crate::model::update::Update;

use super::backlog::Backlogs;
use super::goal::Goal;
use super::ledger::{Awaited, LedgerBuilder};
use super::merge::{Merge, Release, ReleaseMoment};

/// Bytes that are taken from one host before the next has its turn.
const SHARE_BYTES: usize = 128 << 10;

/// Hosts that are reached within this of the start have their first lines in order with the
/// others'.
const GRACE: Duration = Duration::from_secs(2);

/// While little comes, it is handed on this often.
const TURN: Duration = Duration::from_millis(25);

/// How long to sleep while nothing comes and nothing is held.
const IDLE: Duration = Duration::from_secs(3600);

/// Runs until the goal is reached or nobody listens any more.
pub(super) async fn run(mut aggregator: Aggregator, batches: mpsc::Sender<Vec<Update>>) {
    while !batches.is_closed() {
        let turns = aggregator.take_turns();
        let is_over = aggregator.is_over();
        let batch = aggregator.release(is_over);
        if !batch.is_empty() && batches.send(batch).await.is_err() {
            return;
        }
        if is_over && aggregator.is_drained {
            return;
        }
        if turns.more || !aggregator.is_drained {
            tokio::task::yield_now().await;
            continue;
        }
        if !turns.busy {
            // Lines of many hosts come one by one: wait a moment and take them together.
            tokio::time::sleep(TURN).await;
        }
        tokio::select! {
            () = aggregator.ready.notified() => {}
            () = sleep_until(aggregator.next_deadline()) => {}
            () = batches.closed() => return,
        }
    }
}

/// What a turn of all hosts has shown.
#[derive(Default)]
struct Turns {
    /// Some host has more.
    more: bool,
    /// Some host had enough that it may be waiting to go on.
    busy: bool,
}

/// Merges what the hosts of a fleet say, and knows how complete it is.
pub(super) struct Aggregator {
    outboxes: Vec<Outbox>,
    /// Some outbox has something.
    ready: Arc<Notify>,
    goal: Goal,
    ledger: LedgerBuilder,
    merge: Merge,
    backlogs: Backlogs,
    /// A host's number of a source to the fleet's.
    sources: BTreeMap<(HostId, u32), SourceId>,
    started: Instant,
    /// Whose turn is first.
    first: usize,
    /// The last batch had all that could go. Until then no more is taken.
    is_drained: bool,
    /// The next batch.
    updates: Vec<Update>,
}

impl Aggregator {
    /// Host `n` of the fleet fills outbox `n` and wakes `ready`.
    pub(super) fn new(
        outboxes: Vec<Outbox>,
        ready: Arc<Notify>,
        goal: Goal,
        started: Instant,
    ) -> Self {
        Self {
            ledger: LedgerBuilder::new(outboxes.len()),
            outboxes,
            ready,
            goal,
            merge: Merge::default(),
            backlogs: Backlogs::default(),
            sources: BTreeMap::new(),
            started,
            first: 0,
            is_drained: true,
            updates: Vec::new(),
        }
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// Takes the share of every host, beginning with another each time; nothing while a batch of
    /// what could go is left.
    fn take_turns(&mut self) -> Turns {
        if !self.is_drained {
            return Turns {
                more: true,
                busy: true,
            };
        }
        let count = self.outboxes.len();
        let mut turns = Turns::default();
        let mut events = Vec::new();
        for host in (self.first..count).chain(0..self.first) {
            let (taken, left) = self.outboxes[host].take(SHARE_BYTES, &mut events);
            turns.more |= left;
            turns.busy |= taken >= SHARE_BYTES / 2;
            for event in events.drain(..) {
                self.on_event(HostId::of_index(host), event);
            }
        }
        self.first = (self.first + 1) % count.max(1);
        turns
    }

    fn on_event(&mut self, host: HostId, event: HostEvent) {
        match event {
            HostEvent::Status(status) => self.on_status(host, status),
            HostEvent::Facts(facts) => self.updates.push(Update::Facts(host, Arc::new(facts))),
            HostEvent::Sample(sample) => self.updates.push(Update::Sample(host, Arc::new(sample))),
            HostEvent::Source { source, info } => {
                let source = self.source(host, source);
                self.merge.name(source, host, &info.name);
                self.updates.push(Update::Source(host, source, info));
            }
            HostEvent::Begun { source, reached } => {
                let source = self.source(host, source);
                self.backlogs.begin_file(source);
                self.updates.push(Update::Begun(host, source, reached));
            }
            HostEvent::Lines { source, lines } => self.on_lines(host, source, lines),
            HostEvent::Unfinished { source, line } => {
                let line = FleetLine::new(host, self.source(host, source), line);
                self.updates.push(Update::Unfinished(Box::new(line)));
            }
            HostEvent::Gap {
                source,
                from,
                to,
                reason,
                since,
            } => {
                let gap = Gap {
                    host,
                    source: self.source(host, source),
                    from,
                    to,
                    reason,
                    since,
                    until: clock::now(),
                };
                self.merge.gap(gap, self.now());
            }
            HostEvent::ReadTo { up_to, bytes } => {
                if up_to.is_some() {
                    self.backlogs.end_files(host);
                }
                let up_to = up_to.unwrap_or(Time(i64::MIN));
                self.ledger.read_to(host, up_to, bytes);
            }
            HostEvent::Done => self.ledger.done(host),
        }
    }

    fn on_lines(&mut self, host: HostId, source: u32, lines: Vec<Line>) {
        let source = self.source(host, source);
        let now = self.now();
        for line in lines {
            let is_backlog = self.backlogs.has(source, &line, now);
            let mut line = FleetLine::new(host, source, line);
            if is_backlog {
                line.order = LineOrder::Backlog;
            }
            self.merge.line(line, now);
        }
    }

    fn on_status(&mut self, host: HostId, status: HostStatus) {
        self.ledger.status(host, &status);
        self.updates.push(Update::Status(host, status));
    }

    /// The fleet's number of a host's source.
    fn source(&mut self, host: HostId, number: u32) -> SourceId {
        let next = SourceId::of_index(self.sources.len());
        *self.sources.entry((host, number)).or_insert_with(|| {
            self.backlogs.hear(next, host, clock::now());
            next
        })
    }

    fn is_over(&self) -> bool {
        match self.goal {
            Goal::Follow => false,
            Goal::Once { deadline } => self.ledger.all_done() || self.now() >= deadline,
        }
    }

    /// What may go, at most a batch.
    fn release(&mut self, is_over: bool) -> Vec<Update> {
        let now = self.now();
        let what = self.releasable(is_over, now);
        let before = self.updates.len();
        let moment = ReleaseMoment {
            elapsed: now,
            wall: clock::now(),
        };
        self.is_drained = self.merge.release(what, moment, &mut self.updates);
        self.ledger
            .released(&self.updates[before..], self.merge.late());
        let is_last = is_over && self.is_drained;
        if is_last {
            self.time_out();
        }
        let ledger = self.ledger.tell(now, is_last);
        self.updates.extend(ledger.map(Update::Ledger));
        std::mem::take(&mut self.updates)
    }

    fn releasable(&self, is_over: bool, now: Duration) -> Release {
        match self.goal {
            _ if is_over => Release::All,
            Goal::Once { .. } => Release::Nothing,
            Goal::Follow if now < GRACE && self.ledger.any_on_its_way() => Release::Nothing,
            Goal::Follow => Release::UpTo(self.ledger.watermark()),
        }
    }

    /// Hosts that are not done at the deadline: what was being waited for.
    fn time_out(&mut self) {
        let undone: Vec<_> = self.ledger.undone().collect();
        for (host, awaited) in undone {
            self.on_status(host, at_the_deadline(awaited));
        }
    }

    fn next_deadline(&self) -> Instant {
        let due = match (self.goal, self.merge.next_deadline()) {
            (Goal::Once { deadline }, _) => deadline,
            (Goal::Follow, Some(held)) if self.now() < GRACE => held.max(GRACE),
            (Goal::Follow, Some(held)) => held,
            (Goal::Follow, None) => self.now() + IDLE,
        };
        self.started + due
    }
}

/// The status of a host that is not done at the deadline; while it is being redialled, why it was
/// lost.
fn at_the_deadline(awaited: Awaited) -> HostStatus {
    let reason = match awaited {
        Awaited::Login(Some(waits), before) => still_waiting(&waits, before),
        Awaited::Login(None, _) => "it did not let us in before the deadline".to_owned(),
        Awaited::Rest => "it had not sent all lines and metrics at the deadline".to_owned(),
        Awaited::AnotherTry(failure, tries) => return failure.at_last(tries),
    };
    HostStatus::because(LinkState::Timeout, reason, "give it more time: --timeout")
}

/// What a login waits for at the deadline, and how the login before it failed, if there was one.
pub(super) fn still_waiting(waits: &str, before: Option<HostStatus>) -> String {
    let before = before
        .and_then(|status| status.reason)
        .map(|reason| format!("; before: {reason}"))
        .unwrap_or_default();
    format!("{waits} when the time was over{before}")
}
