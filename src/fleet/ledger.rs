//! What is known of every host of the fleet, and how complete the picture is.

use std::time::Duration;

use crate::model::host::HostId;
use crate::model::state::{HostStatus, LinkState};
use crate::model::time::Time;
use crate::model::update::{Ledger, Update};

/// One row per host, and the counts of the whole.
#[derive(Debug)]
pub(super) struct LedgerBuilder {
    hosts: Vec<LedgerRow>,
    counts: Ledger,
    told: Ledger,
    told_at: Option<Duration>,
}

#[derive(Debug, Clone)]
struct LedgerRow {
    state: LinkState,
    /// What a host that is being reached waits for.
    waits: Option<String>,
    /// Why it was lost or not reached, since it was last up.
    failure: Option<HostStatus>,
    /// How often that happened.
    failures: u32,
    read_to: Option<Time>,
    done: bool,
}

/// What a host that is not done still owes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    /// A login: what it waits for, and why the one before it failed.
    Login(Option<String>, Option<HostStatus>),
    /// Lines or metrics.
    Rest,
    /// Another try: how the last one failed, and the number of tries.
    AnotherTry(HostStatus, u32),
}

/// The ledger is sent at most this often.
const TELL_EVERY: Duration = Duration::from_millis(250);

impl LedgerBuilder {
    /// For this many hosts, none of them reached yet.
    #[must_use]
    pub(super) fn new(hosts: usize) -> Self {
        let row = LedgerRow {
            state: LinkState::Connecting,
            waits: None,
            failure: None,
            failures: 0,
            read_to: None,
            done: false,
        };
        let counts = Ledger {
            hosts: u32::try_from(hosts).unwrap_or(u32::MAX),
            ..Ledger::default()
        };
        Self {
            hosts: vec![row; hosts],
            counts,
            told: Ledger::default(),
            told_at: None,
        }
    }

    /// Notes the state of a host. A host that is not up holds nobody back.
    pub(super) fn status(&mut self, host: HostId, status: &HostStatus) {
        let row = &mut self.hosts[host.index()];
        row.state = status.state;
        row.waits = status
            .reason
            .clone()
            .filter(|_| status.state == LinkState::Connecting);
        match status.state {
            LinkState::Connecting => {}
            state if state.is_up() => row.failure = None,
            _ => {
                row.failure = Some(status.clone());
                row.failures += 1;
            }
        }
        if !status.state.is_up() {
            row.read_to = None;
        }
    }

    /// Notes how far a host was read and how many bytes that took.
    pub(super) fn read_to(&mut self, host: HostId, to: Time, bytes: u64) {
        self.hosts[host.index()].read_to = self.hosts[host.index()].read_to.max(Some(to));
        self.counts.bytes_read += bytes;
    }

    /// Notes that a host is done with its bounded pass.
    pub(super) fn done(&mut self, host: HostId) {
        self.hosts[host.index()].done = true;
    }

    /// Counts what was released, and how many lines were late up to here.
    pub(super) fn released(&mut self, updates: &[Update], late: u64) {
        for update in updates {
            match update {
                Update::Lines(lines) => self.counts.lines += lines.len() as u64,
                Update::Gap(_) => self.counts.gaps += 1,
                _ => {}
            }
        }
        self.counts.late = late;
    }

    /// Every host is done.
    #[must_use]
    pub(super) fn all_done(&self) -> bool {
        self.hosts.iter().all(|row| row.done)
    }

    /// Hosts that are not done, with what they still owe.
    pub(super) fn undone(&self) -> impl Iterator<Item = (HostId, Awaited)> + '_ {
        let hosts = (0..).map(HostId).zip(&self.hosts);
        hosts
            .filter(|(_, row)| !row.done)
            .map(|(host, row)| (host, row.awaited()))
    }

    /// Some host has neither been read to its end once nor failed.
    #[must_use]
    pub(super) fn any_on_its_way(&self) -> bool {
        self.hosts.iter().any(|row| match row.state {
            LinkState::Connecting => true,
            state => state.is_up() && row.read_to.is_none(),
        })
    }

    /// Every host that is up has been read to here.
    #[must_use]
    pub(super) fn watermark(&self) -> Option<Time> {
        let up = self.hosts.iter().filter(|row| row.state.is_up());
        up.map(|row| row.read_to).min().flatten()
    }

    /// The ledger, if it has changed and the last one is a moment ago, or `at_once`.
    pub(super) fn tell(&mut self, now: Duration, at_once: bool) -> Option<Ledger> {
        self.counts.up = self.hosts.iter().filter(|row| row.state.is_up()).count() as u32;
        // A host that only has streams does not report how far it was read.
        let known = self.watermark().filter(|to| *to > Time(i64::MIN));
        self.counts.complete_to = known.or(self.counts.complete_to);
        let soon = self.told_at.is_some_and(|at| now < at + TELL_EVERY);
        if self.counts == self.told || (soon && !at_once) {
            return None;
        }
        self.told = self.counts.clone();
        self.told_at = Some(now);
        Some(self.counts.clone())
    }
}

impl LedgerRow {
    fn awaited(&self) -> Awaited {
        match (&self.waits, &self.failure) {
            _ if self.state.is_up() => Awaited::Rest,
            (None, Some(failure)) => Awaited::AnotherTry(failure.clone(), self.failures),
            (waits, failure) => Awaited::Login(waits.clone(), failure.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::model::cursor::{Cursor, FileId};
    use crate::model::gap::{Gap, GapReason};
    use crate::model::line::{ByteSpan, FleetLine, Line};
    use crate::model::source::SourceId;
    use crate::model::time::TimeSource;

    fn line() -> FleetLine {
        let content = Line {
            time: Time(1),
            time_from: TimeSource::Stamp,
            cursor: Cursor {
                file: FileId::default(),
                offset: 0,
            },
            continues: false,
            dialect: None,
            stamp: ByteSpan::default(),
            raw: Bytes::from_static(b"line"),
            stored: None,
        };
        FleetLine::new(HostId(0), SourceId(0), content)
    }

    fn gap() -> Update {
        Update::Gap(Gap {
            host: HostId(0),
            source: SourceId(0),
            from: 0,
            to: None,
            reason: GapReason::Truncated,
            since: None,
            until: Time(2),
        })
    }

    #[test]
    fn the_slowest_host_that_is_up_makes_the_watermark() {
        let mut book = LedgerBuilder::new(3);
        let ok = HostStatus::plain(LinkState::Ok);
        book.status(HostId(0), &ok);
        book.status(HostId(1), &ok);
        book.read_to(HostId(0), Time(50), 10);
        assert_eq!(
            book.watermark(),
            None,
            "one that is up has not been read yet"
        );
        book.read_to(HostId(1), Time(40), 10);
        assert_eq!(book.watermark(), Some(Time(40)));
        book.status(HostId(1), &HostStatus::plain(LinkState::Timeout));
        assert_eq!(
            book.watermark(),
            Some(Time(50)),
            "one that is down holds nobody back"
        );
        assert!(book.any_on_its_way(), "the third is being dialled");
    }

    #[test]
    fn a_host_that_does_not_say_how_far_it_was_read_makes_no_time_of_it() {
        let mut book = LedgerBuilder::new(1);
        book.status(HostId(0), &HostStatus::plain(LinkState::Ok));
        book.read_to(HostId(0), Time(i64::MIN), 10);
        let ledger = book.tell(Duration::ZERO, true).expect("it has changed");
        assert_eq!((ledger.bytes_read, ledger.complete_to), (10, None));
        assert!(!book.any_on_its_way(), "and holds up nobody");
    }

    #[test]
    fn a_host_that_is_dialled_again_is_known_by_why_the_try_before_failed() {
        let mut book = LedgerBuilder::new(1);
        let connecting = HostStatus::plain(LinkState::Connecting);
        let waits = HostStatus {
            reason: Some("logged in".to_owned()),
            ..connecting.clone()
        };
        let silent = HostStatus::because(LinkState::Timeout, "said nothing", "");
        let awaited = |book: &LedgerBuilder| book.undone().map(|(_, awaited)| awaited).next();
        assert_eq!(awaited(&book), Some(Awaited::Login(None, None)));
        for tries in 1..=2 {
            book.status(HostId(0), &connecting);
            book.status(HostId(0), &silent);
            assert_eq!(
                awaited(&book),
                Some(Awaited::AnotherTry(silent.clone(), tries))
            );
        }
        book.status(HostId(0), &connecting);
        assert_eq!(awaited(&book), Some(Awaited::AnotherTry(silent.clone(), 2)));
        book.status(HostId(0), &waits);
        assert_eq!(
            awaited(&book),
            Some(Awaited::Login(Some("logged in".to_owned()), Some(silent)))
        );
        book.status(HostId(0), &HostStatus::plain(LinkState::Ok));
        assert_eq!(awaited(&book), Some(Awaited::Rest));
        book.status(HostId(0), &connecting);
        assert_eq!(
            awaited(&book),
            Some(Awaited::Login(None, None)),
            "it has let us in since"
        );
    }

    #[test]
    fn the_ledger_is_told_when_it_has_changed_and_not_too_often() {
        let mut book = LedgerBuilder::new(1);
        let ledger = book.tell(Duration::ZERO, false).expect("the first");
        assert_eq!((ledger.hosts, ledger.up, ledger.complete_to), (1, 0, None));
        assert_eq!(book.tell(TELL_EVERY, false), None, "nothing has changed");
        book.released(&[Update::Lines(vec![line(), line()]), gap()], 5);
        assert_eq!(book.tell(Duration::from_millis(1), false), None, "too soon");
        assert_eq!(
            book.tell(Duration::from_millis(1), true).map(|ledger| (
                ledger.lines,
                ledger.gaps,
                ledger.late
            )),
            Some((2, 1, 5))
        );
    }
}
