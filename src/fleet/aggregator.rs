//! The one task that takes what the hosts say, puts it in order, and hands it on in batches.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep_until};

use crate::host::{HostEvent, Outbox};
use crate::model::gap::Gap;
use crate::model::host::HostId;
use crate::model::line::FleetLine;
use crate::model::source::SourceId;
use crate::model::state::{HostStatus, LinkState};
use crate::model::time::Time;
use crate::model::update::Update;

use super::Goal;
use super::ledger::{Awaited, LedgerBuilder};
use super::merge::{Merge, Release};

/// What is taken of one host before the next has its turn.
const SHARE_BYTES: usize = 128 << 10;

/// Hosts that are reached within this of the start have their first lines in order with the
/// others'.
const GRACE: Duration = Duration::from_secs(2);

/// While little comes, it is handed on this often.
const TURN: Duration = Duration::from_millis(25);

/// Runs until the goal is reached or nobody listens any more.
pub(super) async fn run(
    outboxes: Vec<Outbox>,
    goal: Goal,
    started: Instant,
    ready: Arc<Notify>,
    batches: mpsc::Sender<Vec<Update>>,
) {
    let mut aggregator = Aggregator {
        ledger: LedgerBuilder::new(outboxes.len()),
        outboxes,
        goal,
        merge: Merge::default(),
        sources: BTreeMap::new(),
        started,
        first: 0,
        out: Vec::new(),
    };
    let mut all_out = true;
    loop {
        // While a batch is left of what may go, no more is taken.
        let turns = if all_out {
            aggregator.take_turns()
        } else {
            Turns {
                more: true,
                busy: true,
            }
        };
        let over = aggregator.is_over();
        all_out = aggregator.release(over);
        if !aggregator.out.is_empty() {
            let batch = std::mem::take(&mut aggregator.out);
            if batches.send(batch).await.is_err() {
                return;
            }
        }
        if over && all_out {
            return;
        }
        if turns.more || !all_out {
            tokio::task::yield_now().await;
            continue;
        }
        if !turns.busy {
            // Lines of many hosts come one by one: wait a moment and take them together.
            tokio::time::sleep(TURN).await;
        }
        let deadline = aggregator.next_deadline();
        tokio::select! {
            () = ready.notified() => {}
            () = sleep_until(deadline) => {}
            () = batches.closed() => return,
        }
    }
}

/// What a turn of all hosts has shown.
#[derive(Default)]
struct Turns {
    /// Some host has more.
    more: bool,
    /// Some host had so much that it may be waiting to go on.
    busy: bool,
}

struct Aggregator {
    outboxes: Vec<Outbox>,
    goal: Goal,
    ledger: LedgerBuilder,
    merge: Merge,
    /// A host's number of a source to the fleet's.
    sources: BTreeMap<(usize, u32), SourceId>,
    started: Instant,
    /// Whose turn is first.
    first: usize,
    out: Vec<Update>,
}

impl Aggregator {
    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// Takes the share of every host, beginning with another each time.
    fn take_turns(&mut self) -> Turns {
        let count = self.outboxes.len();
        let mut turns = Turns::default();
        let mut events = Vec::new();
        for turn in 0..count {
            let host = (self.first + turn) % count;
            let (taken, left) = self.outboxes[host].take(SHARE_BYTES, &mut events);
            turns.more |= left;
            turns.busy |= taken >= SHARE_BYTES / 2;
            for event in events.drain(..) {
                self.on_event(host, event);
            }
        }
        self.first = if count == 0 {
            0
        } else {
            (self.first + 1) % count
        };
        turns
    }

    fn on_event(&mut self, host: usize, event: HostEvent) {
        let id = HostId(u32::try_from(host).unwrap_or(u32::MAX));
        match event {
            HostEvent::Status(status) => {
                self.ledger.status(host, &status);
                self.out.push(Update::Status(id, status));
            }
            HostEvent::Facts(facts) => self.out.push(Update::Facts(id, Arc::new(facts))),
            HostEvent::Source { source, info } => {
                let source = self.source(host, source);
                self.out.push(Update::Source(id, source, info));
            }
            HostEvent::Begun { source, reached } => {
                let source = self.source(host, source);
                self.out.push(Update::Begun(id, source, reached));
            }
            HostEvent::Lines { source, lines } => {
                let source = self.source(host, source);
                let now = self.now();
                for line in lines {
                    self.merge.line(FleetLine::new(id, source, line), now);
                }
            }
            HostEvent::Unfinished { source, line } => {
                let line = FleetLine::new(id, self.source(host, source), line);
                self.out.push(Update::Unfinished(Box::new(line)));
            }
            HostEvent::Gap {
                source,
                from,
                to,
                reason,
                since,
            } => {
                let gap = Gap {
                    host: id,
                    source: self.source(host, source),
                    from,
                    to,
                    reason,
                    since,
                    until: wall_clock(),
                };
                self.merge.gap(gap, self.now());
            }
            HostEvent::Sample(sample) => self.out.push(Update::Sample(id, Arc::new(sample))),
            HostEvent::ReadTo { up_to, bytes } => {
                let up_to = up_to.unwrap_or(Time(i64::MIN));
                self.ledger.read_to(host, up_to, bytes);
            }
            HostEvent::Done => self.ledger.done(host),
        }
    }

    fn source(&mut self, host: usize, number: u32) -> SourceId {
        let next = SourceId(u32::try_from(self.sources.len()).unwrap_or(u32::MAX));
        *self.sources.entry((host, number)).or_insert(next)
    }

    fn is_over(&self) -> bool {
        match self.goal {
            Goal::Follow => false,
            Goal::Once { deadline } => self.ledger.all_done() || self.now() >= deadline,
        }
    }

    /// Releases what may go, at most a batch. Returns whether that was all.
    fn release(&mut self, over: bool) -> bool {
        let now = self.now();
        let what = match self.goal {
            _ if over => Release::All,
            Goal::Once { .. } => Release::Nothing,
            Goal::Follow if now < GRACE && self.ledger.any_on_its_way() => Release::Nothing,
            Goal::Follow => Release::UpTo(self.ledger.watermark()),
        };
        let before = self.out.len();
        let all = self.merge.release(what, now, &mut self.out);
        let mut lines = 0;
        let mut gaps = 0;
        for update in &self.out[before..] {
            match update {
                Update::Lines(released) => lines += released.len() as u64,
                Update::Gap(_) => gaps += 1,
                _ => {}
            }
        }
        self.ledger.released(lines, gaps, self.merge.late());
        if over && all {
            self.time_out();
        }
        self.out
            .extend(self.ledger.tell(now, over && all).map(Update::Ledger));
        all
    }

    /// Hosts that are not done at the deadline: what was being waited for.
    fn time_out(&mut self) {
        let undone: Vec<_> = self
            .ledger
            .undone()
            .map(|(host, awaited)| (host, at_the_deadline(awaited)))
            .collect();
        for (host, status) in undone {
            self.ledger.status(host, &status);
            self.out.push(Update::Status(
                HostId(u32::try_from(host).unwrap_or(u32::MAX)),
                status,
            ));
        }
    }

    fn next_deadline(&self) -> Instant {
        let mut next = self.started + self.now() + Duration::from_secs(3600);
        if let Goal::Once { deadline } = self.goal {
            next = next.min(self.started + deadline);
        } else if let Some(held) = self.merge.next_deadline() {
            let earliest = if self.now() < GRACE {
                GRACE
            } else {
                Duration::ZERO
            };
            next = next.min(self.started + held.max(earliest));
        }
        next
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

fn wall_clock() -> Time {
    Time::from_timestamp(Timestamp::now())
}
