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
use super::ledger::{Awaited, Book};
use super::merge::{LetOut, Merge};

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
    let mut conductor = Conductor {
        book: Book::new(outboxes.len()),
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
        let (more, busy) = if all_out {
            conductor.take_turns()
        } else {
            (true, true)
        };
        let over = conductor.is_over();
        all_out = conductor.let_out(over);
        if !conductor.out.is_empty() {
            let batch = std::mem::take(&mut conductor.out);
            if batches.send(batch).await.is_err() {
                return;
            }
        }
        if over && all_out {
            return;
        }
        if more || !all_out {
            tokio::task::yield_now().await;
            continue;
        }
        if !busy {
            // Lines of many hosts come one by one: wait a moment and take them together.
            tokio::time::sleep(TURN).await;
        }
        let deadline = conductor.next_deadline();
        tokio::select! {
            () = ready.notified() => {}
            () = sleep_until(deadline) => {}
            () = batches.closed() => return,
        }
    }
}

struct Conductor {
    outboxes: Vec<Outbox>,
    goal: Goal,
    book: Book,
    merge: Merge,
    /// A host's number of a source to the fleet's.
    sources: BTreeMap<(usize, u32), SourceId>,
    started: Instant,
    /// Whose turn is first.
    first: usize,
    out: Vec<Update>,
}

impl Conductor {
    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// Takes the share of every host, beginning with another each time. Whether any has more, and
    /// whether any was so full that its host may be waiting to go on.
    fn take_turns(&mut self) -> (bool, bool) {
        let count = self.outboxes.len();
        let (mut more, mut busy) = (false, false);
        let mut events = Vec::new();
        for turn in 0..count {
            let host = (self.first + turn) % count;
            let (taken, left) = self.outboxes[host].take(SHARE_BYTES, &mut events);
            more |= left;
            busy |= taken >= SHARE_BYTES / 2;
            for event in events.drain(..) {
                self.heard(host, event);
            }
        }
        self.first = if count == 0 {
            0
        } else {
            (self.first + 1) % count
        };
        (more, busy)
    }

    fn heard(&mut self, host: usize, event: HostEvent) {
        let id = HostId(u32::try_from(host).unwrap_or(u32::MAX));
        match event {
            HostEvent::Status(status) => {
                self.book.status(host, &status);
                self.out.push(Update::Status(id, status));
            }
            HostEvent::Facts(facts) => self.out.push(Update::Facts(id, Arc::new(facts))),
            HostEvent::Source(number, info) => {
                let source = self.source(host, number);
                self.out.push(Update::Source(id, source, info));
            }
            HostEvent::Begun(number, reached) => {
                let source = self.source(host, number);
                self.out.push(Update::Begun(id, source, reached));
            }
            HostEvent::Lines(number, lines) => {
                let (source, now) = (self.source(host, number), self.now());
                for line in lines {
                    self.merge.line(FleetLine::new(id, source, line), now);
                }
            }
            HostEvent::Unfinished(number, line) => {
                let record = FleetLine::new(id, self.source(host, number), line);
                self.out.push(Update::Unfinished(Box::new(record)));
            }
            HostEvent::Gap(number, from, to, reason, since) => {
                let (source, until) = (self.source(host, number), wall_clock());
                self.merge.gap(
                    Gap {
                        host: id,
                        source,
                        from,
                        to,
                        reason,
                        since,
                        until,
                    },
                    self.now(),
                );
            }
            HostEvent::Sample(sample) => self.out.push(Update::Sample(id, Arc::new(sample))),
            HostEvent::ReadTo(to, bytes) => self.book.read_to(host, to, bytes),
            HostEvent::Done => self.book.done(host),
        }
    }

    fn source(&mut self, host: usize, number: u32) -> SourceId {
        let next = SourceId(u32::try_from(self.sources.len()).unwrap_or(u32::MAX));
        *self.sources.entry((host, number)).or_insert(next)
    }

    fn is_over(&self) -> bool {
        match self.goal {
            Goal::Follow => false,
            Goal::Once { deadline } => self.book.all_done() || self.now() >= deadline,
        }
    }

    /// Lets out what may go, at most a batch. Whether that was all.
    fn let_out(&mut self, over: bool) -> bool {
        let now = self.now();
        let what = match self.goal {
            _ if over => LetOut::All,
            Goal::Once { .. } => LetOut::Nothing,
            Goal::Follow if now < GRACE && self.book.any_on_its_way() => LetOut::Nothing,
            Goal::Follow => LetOut::UpTo(self.book.watermark()),
        };
        let before = self.out.len();
        let all = self.merge.let_out(what, now, &mut self.out);
        let (mut lines, mut gaps) = (0, 0);
        for update in &self.out[before..] {
            match update {
                Update::Lines(records) => lines += records.len() as u64,
                Update::Gap(_) => gaps += 1,
                _ => {}
            }
        }
        self.book.let_out(lines, gaps, self.merge.late());
        if over && all {
            self.time_out();
        }
        self.out
            .extend(self.book.tell(now, over && all).map(Update::Ledger));
        all
    }

    /// Hosts that are not done at the deadline: what was being waited for.
    fn time_out(&mut self) {
        let undone: Vec<_> = self
            .book
            .undone()
            .map(|(host, awaited)| (host, at_the_deadline(awaited)))
            .collect();
        for (host, status) in undone {
            self.book.status(host, &status);
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
