//! The sessions of one connection: how many there are, and how many each use may take.
//!
//! sshd allows ten for a connection (`MaxSessions`). Two stay free, because the server frees a
//! session some time after we have closed it. The uses share the other eight:
//!
//! | use | at most | held by | for how long |
//! |---|---|---|---|
//! | follow the login's files and sample metrics | 1 | `host::session` | the connection |
//! | follow root's files | 1 | `host::sudo` | the connection |
//! | follow programs, each in a session of its own | [`FOLLOWED_PROGRAMS`] | `host::programs` | the connection |
//! | ask all other programs in turn | [`SHARED_SHELLS`]: the login's and root's | `host::programs` | the connection |
//! | answer log requests | what is left; [`REQUESTS`] requests at a time | `host::request_server` | a request |
//!
//! What lasts as long as the connection leaves at least one session, and a request that needs
//! another gives up its own where none is free. So no request waits for the end of the connection
//! or for one that waits for it.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use super::LinkError;
use super::failure;

/// Sessions of a connection that are in use at once. This machine's shells are limited like those
/// of a server, so that nothing behaves differently here.
const ALL: usize = 8;

/// Sessions that follow files: the login's and root's.
const FOLLOWED_FILES: usize = 2;

/// Programs that are followed in sessions of their own.
const FOLLOWED_PROGRAMS: usize = 3;

/// Shells in which further programs are asked in turn: the login's and root's.
pub(crate) const SHARED_SHELLS: usize = 2;

/// Log requests that a host answers at once.
pub(crate) const REQUESTS: usize = 2;

const _: () = assert!(FOLLOWED_FILES + FOLLOWED_PROGRAMS + SHARED_SHELLS < ALL);

/// Lends the sessions of one connection.
pub(crate) struct SessionBudget {
    free: Arc<Semaphore>,
    /// For programs that are followed in sessions of their own.
    programs: Semaphore,
}

/// Permission for one session; given back on drop.
pub(super) struct SessionPermit(OwnedSemaphorePermit);

impl SessionBudget {
    pub(super) fn new() -> Self {
        Self {
            free: Arc::new(Semaphore::new(ALL)),
            programs: Semaphore::new(FOLLOWED_PROGRAMS),
        }
    }

    /// Waits for a free session.
    ///
    /// # Errors
    /// When the connection ends first.
    pub(super) async fn session(
        &self,
        ended: impl Future<Output = LinkError>,
    ) -> Result<SessionPermit, LinkError> {
        tokio::select! {
            biased;
            why = ended => Err(why),
            permit = Arc::clone(&self.free).acquire_owned() => {
                permit.map(SessionPermit).map_err(|_| failure::closed_by_us())
            }
        }
    }

    /// Whether a session could be had at once.
    pub(crate) fn has_free_session(&self) -> bool {
        self.free.available_permits() > 0
    }

    /// Waits until every session has been given back.
    pub(super) async fn all_free(&self) {
        let all = u32::try_from(ALL).unwrap_or(u32::MAX);
        let _ = self.free.acquire_many(all).await;
    }

    /// Permission to follow a program in a session of its own, where there is room for it.
    pub(crate) fn try_program(&self) -> Option<SemaphorePermit<'_>> {
        self.programs.try_acquire().ok()
    }

    /// The same; waits for room. `None` never happens, for the semaphore is never closed.
    pub(crate) async fn program(&self) -> Option<SemaphorePermit<'_>> {
        self.programs.acquire().await.ok()
    }
}

impl SessionPermit {
    /// How many other sessions of the connection are in use.
    pub(super) fn others(&self) -> usize {
        let in_use = ALL - self.0.semaphore().available_permits();
        in_use - self.0.num_permits()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_session_is_waited_for_until_one_is_free_or_the_connection_ends() {
        let budget = SessionBudget::new();
        let mut held = Vec::new();
        for others in 0..ALL {
            let permit = budget.session(std::future::pending()).await.expect("free");
            assert_eq!(permit.others(), others);
            held.push(permit);
        }
        let ended = budget.session(async { failure::closed_by_us() }).await;
        assert!(ended.is_err(), "all are in use");
        held.pop();
        let freed = budget.session(std::future::pending()).await;
        assert_eq!(freed.expect("one is free").others(), ALL - 1);
    }

    #[tokio::test]
    async fn so_many_programs_have_sessions_of_their_own() {
        let budget = SessionBudget::new();
        let mut held: Vec<_> = std::iter::from_fn(|| budget.try_program()).collect();
        assert_eq!(held.len(), FOLLOWED_PROGRAMS);
        held.pop();
        assert!(budget.program().await.is_some(), "there is room again");
    }
}
