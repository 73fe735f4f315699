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
//!
//! Where the server gives fewer, and for commands beyond those that have a session of their own,
//! there are further connections (`further`), and these rules hold for all of them together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

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

/// What a session is for, which decides whether further connections are made for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum SessionUse {
    /// To answer a log request.
    #[default]
    Request,
    /// For as long as the connection lasts.
    Lasting,
    /// The same, and not on the first connection, on which all places for such are taken.
    Beside,
}

/// Lends the sessions of one connection.
pub(crate) struct SessionBudget {
    free: Arc<Semaphore>,
    /// How many there are in all.
    size: Arc<AtomicUsize>,
    /// For programs that are followed in sessions of their own.
    programs: Semaphore,
}

/// Permission for one session; given back on drop.
pub(super) struct SessionPermit {
    permit: OwnedSemaphorePermit,
    size: Arc<AtomicUsize>,
}

impl SessionBudget {
    /// On a server that gives a connection so many at most, where that is known.
    pub(super) fn new(most: Option<usize>) -> Self {
        let size = most.map_or(ALL, |most| most.clamp(1, ALL));
        Self {
            free: Arc::new(Semaphore::new(size)),
            size: Arc::new(AtomicUsize::new(size)),
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
                permit.map(|permit| self.lend(permit)).map_err(|_| failure::closed_by_us())
            }
        }
    }

    /// A session that is free now.
    pub(super) fn try_session(&self) -> Option<SessionPermit> {
        let permit = Arc::clone(&self.free).try_acquire_owned().ok()?;
        Some(self.lend(permit))
    }

    fn lend(&self, permit: OwnedSemaphorePermit) -> SessionPermit {
        SessionPermit {
            permit,
            size: Arc::clone(&self.size),
        }
    }

    /// The server gives so many and no more.
    pub(super) fn limit_to(&self, most: usize) {
        while self.size.load(Ordering::Relaxed) > most.max(1) && self.free.forget_permits(1) == 1 {
            self.size.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Whether the server gives fewer than there is use for.
    pub(super) fn is_short(&self) -> bool {
        self.size.load(Ordering::Relaxed) < ALL
    }

    pub(super) fn in_use(&self) -> usize {
        let size = self.size.load(Ordering::Relaxed);
        size.saturating_sub(self.free.available_permits())
    }

    /// Whether a session could be had at once.
    pub(super) fn has_free_session(&self) -> bool {
        self.free.available_permits() > 0
    }

    /// Waits until every session has been given back.
    pub(super) async fn all_free(&self) {
        let all = u32::try_from(self.size.load(Ordering::Relaxed)).unwrap_or(u32::MAX);
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
        let size = self.size.load(Ordering::Relaxed);
        let in_use = size.saturating_sub(self.permit.semaphore().available_permits());
        in_use.saturating_sub(self.permit.num_permits())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_session_is_waited_for_until_one_is_free_or_the_connection_ends() {
        let budget = SessionBudget::new(None);
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
    async fn a_server_that_gives_fewer_is_asked_for_no_more() {
        let budget = SessionBudget::new(None);
        let held = [budget.try_session(), budget.try_session()];
        assert!(!budget.is_short());
        budget.limit_to(2);
        assert!(budget.is_short() && !budget.has_free_session());
        assert_eq!(budget.in_use(), 2);
        drop(held);
        assert_eq!(budget.in_use(), 0);
        let again = [budget.try_session(), budget.try_session()];
        assert!(again.iter().all(Option::is_some) && budget.try_session().is_none());
        assert_eq!(again[0].as_ref().map(SessionPermit::others), Some(1));
        let known = SessionBudget::new(Some(1));
        assert!(known.is_short() && known.try_session().is_some());
    }

    #[tokio::test]
    async fn so_many_programs_have_sessions_of_their_own() {
        let budget = SessionBudget::new(None);
        let mut held: Vec<_> = std::iter::from_fn(|| budget.try_program()).collect();
        assert_eq!(held.len(), FOLLOWED_PROGRAMS);
        held.pop();
        assert!(budget.program().await.is_some(), "there is room again");
    }
}
