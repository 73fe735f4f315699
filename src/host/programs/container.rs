//! A container that is followed: which of those that had its name one after another is read, and
//! from where on.

use tokio::sync::watch;

use super::argv::{self, CommandLine, StartFrom};
use super::dedup::Deduplicator;
use super::list_output::{ContainerLog, ContainerState, ContainerTarget};
use super::problem;
use super::tail_start::log_command;
use super::timestamp_prefix::PrefixStripper;
use crate::host::problems::Problem;

/// A container that is followed.
pub(super) struct FollowedContainer {
    target: watch::Receiver<Option<ContainerTarget>>,
    pub(super) taken: Deduplicator,
    /// All of it is wanted, for it came into being while we looked; or was begun with before.
    pub(super) whole: bool,
    /// The one that is read, and how often it had been started again.
    instance: Option<(String, u32)>,
    /// It was read to its end after it had ended.
    pub(super) is_read: bool,
}

/// Whether there is anything to read of a container.
pub(super) enum ContainerReadiness {
    Ready,
    /// There is nothing, and why; `None` where nobody has looked yet.
    Waits(Option<Problem>),
}

impl FollowedContainer {
    /// One that is looked for; `whole` where it came into being while we looked.
    pub(super) fn new(target: watch::Receiver<Option<ContainerTarget>>, whole: bool) -> Self {
        Self {
            target,
            taken: Deduplicator::default(),
            whole,
            instance: None,
            is_read: false,
        }
    }

    pub(super) fn readiness(&mut self) -> ContainerReadiness {
        let Some(target) = self.target.borrow_and_update().clone() else {
            return ContainerReadiness::Waits(None);
        };
        let is_same = self.instance == Some((target.instance, target.restarts));
        ContainerReadiness::Waits(Some(match target.state {
            ContainerState::Running => return ContainerReadiness::Ready,
            ContainerState::Ended(_) if !(self.is_read && is_same) => {
                return ContainerReadiness::Ready;
            }
            ContainerState::Ended(why) => Problem::plain(&why),
            ContainerState::Gone(why) => {
                // What comes into being under this name is new from its first line.
                self.whole = true;
                why
            }
            ContainerState::Unknown(why) => why,
        }))
    }

    /// Waits until something about it has changed; false where nobody looks any more.
    pub(super) async fn changed(&mut self) -> bool {
        self.target.changed().await.is_ok()
    }

    pub(super) fn has_ended(&self) -> bool {
        let target = self.target.borrow();
        let state = target.as_ref().map(|target| &target.state);
        matches!(state, Some(ContainerState::Ended(_)))
    }

    /// What prints the end of the run before this one, where the container was started again while
    /// we did not look.
    pub(super) fn previous_run(&mut self) -> Option<CommandLine> {
        let target = self.target.borrow().clone()?;
        let run = (target.instance.clone(), target.restarts);
        let (instance, restarts) = self.instance.replace(run)?;
        if instance != target.instance {
            // Another of the same name: all of it is new.
            self.taken = Deduplicator::default();
            self.whole = true;
            return None;
        }
        match target.at {
            ContainerLog::Pod(of) if restarts < target.restarts => {
                let since = StartFrom::Time(self.taken.resume()?);
                Some(argv::pod_log(&of, &since, false, true))
            }
            _ => None,
        }
    }

    /// Its log, where only the last lines are wanted before everything that comes.
    pub(super) fn begins_with_last(&mut self) -> Option<ContainerLog> {
        if self.whole {
            return None;
        }
        // A connection may have ended while they were read, and nothing of them was sent.
        self.taken = Deduplicator::default();
        self.log()
    }

    /// What prints all that was not taken yet.
    pub(super) fn words(&mut self, follow: bool) -> CommandLine {
        let resume = self.taken.resume();
        let from = resume.map_or(StartFrom::Oldest, StartFrom::Time);
        let log = self.log();
        log.map_or_else(Vec::new, |at| log_command(&at, &from, follow))
    }

    /// Reads the stamps of its lines.
    pub(super) fn stripper(&self) -> Option<PrefixStripper> {
        self.log().as_ref().map(PrefixStripper::new)
    }

    /// Why its program has failed.
    pub(super) fn problem(&self, code: i32, said: &str) -> Option<Problem> {
        self.log().map(|at| problem::of_container(&at, code, said))
    }

    fn log(&self) -> Option<ContainerLog> {
        let target = self.target.borrow();
        target.as_ref().map(|target| target.at.clone())
    }
}
