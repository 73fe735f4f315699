//! What is known of a host across its connections: its sources, its problems, its clock, and how
//! far behind it is. From these comes its state, as the screen and the JSON show it.
//!
//! Three parts of the host's task report to it: the files, the files that need sudo, and the
//! programs. It does no I/O; what they read goes to the outbox directly.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::lag::Lag;
use super::problems::{Problem, ProblemKey, Problems};
use super::sources::{RegisteredSource, SourceRegistry};
use crate::model::state::{HostStatus, LinkState};
use crate::model::time::{HostClock, Time};

/// The state of one host.
#[derive(Default)]
pub(crate) struct HostState {
    sources: SourceRegistry,
    problems: Problems,
    lag: Lag,
    /// Programs that have printed more than was read, with the time of the last line that was, by
    /// the numbers of their sources.
    unread: BTreeMap<u32, Time>,
    /// The login, for hints.
    user: String,
    clock: watch::Sender<Option<HostClock>>,
    /// What was reported last.
    reported: Option<HostStatus>,
}

impl HostState {
    /// Registers a source; see [`SourceRegistry::add`].
    pub(crate) fn add_source(&mut self, wanted: &str, otherwise: &str) -> RegisteredSource {
        self.sources.add(wanted, otherwise)
    }

    /// Replaces the problem of something, or (`None`) ends it.
    pub(crate) fn set_problem(&mut self, key: ProblemKey, problem: Option<Problem>) {
        self.problems.set(key, problem);
    }

    /// The host has said who the login is and what time it has.
    pub(crate) fn describe(&mut self, user: &str, clock: HostClock) {
        user.clone_into(&mut self.user);
        self.clock.send_replace(Some(clock));
    }

    /// The host's clock, as soon as it is known.
    pub(crate) fn clock(&self) -> watch::Receiver<Option<HostClock>> {
        self.clock.subscribe()
    }

    /// A program has printed more behind this line, or (`None`) it has not.
    pub(crate) fn set_unread(&mut self, source: u32, newest: Option<Time>) {
        match newest {
            Some(newest) => self.unread.insert(source, newest),
            None => self.unread.remove(&source),
        };
    }

    /// A new connection: what programs have printed is not known.
    pub(crate) fn forget_unread(&mut self) {
        self.unread.clear();
    }

    /// All lines that were there at `asked` have been read, in a look at the files that took
    /// `look`.
    pub(crate) fn complete(&mut self, asked: Time, look: Duration) {
        self.lag.complete(asked, look);
    }

    /// Computes how far behind all is at `now`. The connection began at `began`; `newest` is the
    /// time of the line up to which every file that has more was read. The host's clock is ahead of
    /// ours by `skew_ms`.
    pub(crate) fn look_behind(
        &mut self,
        now: Time,
        began: Time,
        newest: Option<Time>,
        skew_ms: i64,
    ) {
        let by_our_clock = |stamp: Time| stamp.plus_millis(-skew_ms);
        let of_programs = self.unread.values().min().copied();
        self.lag.look(
            now,
            began,
            newest.map(by_our_clock),
            of_programs.map(by_our_clock),
        );
    }

    /// The status, unless it was reported before.
    pub(crate) fn take_changed_status(&mut self) -> Option<HostStatus> {
        let status = self.status();
        if self.reported.as_ref() == Some(&status) {
            return None;
        }
        self.reported = Some(status.clone());
        Some(status)
    }

    /// Forces the status to be reported again, because something else was reported since.
    pub(crate) fn resend_status(&mut self) {
        self.reported = None;
    }

    /// Ok, or degraded with a summary of the problems.
    pub(super) fn status(&self) -> HostStatus {
        let user = self.user.split(' ').next().unwrap_or_default();
        let behind_s = self.lag.told();
        let Some(problem) = self.problems.summary(user) else {
            return HostStatus {
                behind_s,
                ..HostStatus::plain(LinkState::Ok)
            };
        };
        HostStatus {
            hint: Some(problem.hint).filter(|hint| !hint.is_empty()),
            reason: Some(problem.reason),
            of_way: self.problems.has(&ProblemKey::Route),
            behind_s,
            ..HostStatus::plain(LinkState::Degraded)
        }
        .bounded()
    }
}

/// The state of a host as the parts of its task share it.
#[derive(Clone, Default)]
pub(crate) struct SharedState(Arc<Mutex<HostState>>);

impl SharedState {
    /// The state itself, for a moment: nothing may be awaited while it is held.
    pub(crate) fn lock(&self) -> MutexGuard<'_, HostState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Time {
        Time(seconds * 1_000_000_000)
    }

    #[test]
    fn a_status_is_reported_once_and_again_when_it_has_changed_or_is_to_be_resent() {
        let mut state = HostState::default();
        assert!(state.take_changed_status().is_some());
        assert_eq!(state.take_changed_status(), None);
        state.set_problem(ProblemKey::Privilege, Some(Problem::plain("sudo refuses")));
        let reported = state.take_changed_status().expect("it has changed");
        assert_eq!(reported.reason.as_deref(), Some("sudo refuses"));
        assert_eq!(state.take_changed_status(), None);
        state.resend_status();
        assert_eq!(state.take_changed_status(), Some(reported));
    }

    #[test]
    fn a_jump_host_whose_key_has_changed_is_a_problem_of_the_way() {
        let mut state = HostState::default();
        let reason = "jump host b: its key has changed";
        state.set_problem(ProblemKey::Route, Some(Problem::new(reason, "ask")));
        let expected = HostStatus {
            of_way: true,
            ..HostStatus::because(LinkState::Degraded, reason, "ask")
        };
        assert_eq!(state.status(), expected);
    }

    #[test]
    fn a_program_with_more_behind_its_last_line_is_behind_though_all_files_are_read() {
        let mut state = HostState::default();
        state.complete(at(159), Duration::ZERO);
        state.set_unread(7, Some(at(120)));
        state.set_unread(8, Some(at(140)));
        let behind = |state: &mut HostState| {
            state.look_behind(at(160), at(0), None, 0);
            state.status().behind_s
        };
        assert_eq!(behind(&mut state), Some(40));
        state.set_unread(7, None);
        assert_eq!(behind(&mut state), Some(20));
        state.forget_unread();
        assert_eq!(behind(&mut state), None);
    }
}
