//! Further connections to a host, where one has too few sessions for what is read there.
//!
//! Some servers give a connection one session (`MaxSessions 1`, tinysshd); and a host may have more
//! commands than one connection carries. How many sessions a server gives is learnt from its first
//! refusal and kept for the run (`connector_state`), so that it is not asked for more again. They
//! are dialled one at a time, within the budget of handshakes like all others, with growing waits
//! where that fails; never where the login needed a person, who would be asked again. What is not
//! used for a minute is closed.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

use super::backoff::Backoff;
use super::sessions::{SessionPermit, SessionUse};
use super::{Connection, ConnectionState, Connector, LinkError};
use crate::model::host::HostSpec;

/// Further connections to one host.
const MOST: usize = 5;

/// Of these, kept for questions: what lasts as long as the connection takes the others.
const FOR_REQUESTS: usize = 1;

/// What nothing uses for so long is closed.
const IDLE: Duration = Duration::from_secs(60);

/// The further connections to one host. They end with the first.
pub(super) struct FurtherConnections {
    connector: Connector,
    host: HostSpec,
    dialled: Mutex<DialledFurther>,
}

struct DialledFurther {
    open: Vec<Connection>,
    backoff: Backoff,
    /// Not dialled before this, and why the last time failed.
    pause: Option<(Instant, LinkError)>,
}

impl FurtherConnections {
    pub(super) fn new(connector: Connector, host: HostSpec) -> Self {
        Self {
            connector,
            host,
            dialled: Mutex::new(DialledFurther {
                open: Vec::new(),
                backoff: Backoff::default(),
                pause: None,
            }),
        }
    }

    /// How many sessions the server gives a connection, where it is known to give few.
    pub(super) fn learn(&self, sessions: usize) {
        self.connector
            .inner
            .learn_sessions(self.host.name(), sessions);
    }

    /// A connection with a free session. `refusal` is why the first one has none.
    ///
    /// # Errors
    /// The refusal, with why there is no further connection.
    pub(super) async fn with_session(
        &self,
        uses: SessionUse,
        refusal: LinkError,
    ) -> Result<(Connection, SessionPermit), LinkError> {
        loop {
            let open = {
                let mut dialled = self.dialled.lock().await;
                dialled.open.retain(|one| !one.is_over());
                let free = dialled.open.iter().find_map(|one| {
                    let permit = one.link.sessions.try_session()?;
                    Some((one.clone(), permit))
                });
                if let Some(free) = free {
                    return Ok(free);
                }
                if dialled.open.len() < most(uses) {
                    self.dial(&mut dialled, &refusal).await?;
                    continue;
                }
                dialled.open.clone()
            };
            if uses != SessionUse::Request {
                return Err(refusal.without_further(&format!("{} are in use", most(uses))));
            }
            if let Some(freed) = first_freed(open).await {
                return Ok(freed);
            }
        }
    }

    /// Whether a question could have a session at once.
    pub(super) fn has_room(&self) -> bool {
        // Where one is being dialled, there will be.
        let Ok(dialled) = self.dialled.try_lock() else {
            return true;
        };
        let is_free = |one: &Connection| !one.is_over() && one.link.sessions.has_free_session();
        let may_dial = dialled.pause.is_none() && dialled.open.len() < most(SessionUse::Request);
        may_dial || dialled.open.iter().any(is_free)
    }

    async fn dial(
        &self,
        dialled: &mut DialledFurther,
        refusal: &LinkError,
    ) -> Result<(), LinkError> {
        let now = Instant::now();
        if let Some((until, why)) = &dialled.pause
            && now < *until
        {
            return Err(refusal.clone().without_further(why.reason()));
        }
        match self.connector.connect_alone(&self.host).await {
            Ok(state) => {
                let state = Arc::new(state);
                tokio::spawn(close_when_idle(Arc::downgrade(&state)));
                dialled.open.push(Connection::alone(state));
                dialled.pause = None;
                dialled.backoff = Backoff::default();
                Ok(())
            }
            Err(why) => {
                let wait = dialled.backoff.after_failure(now.elapsed(), rand::random());
                let least = why
                    .status
                    .retry_in_s
                    .map_or(Duration::ZERO, Duration::from_secs);
                dialled.pause = Some((Instant::now() + wait.max(least), why.clone()));
                Err(refusal.clone().without_further(why.reason()))
            }
        }
    }

    /// Ends them.
    pub(super) async fn close(&self) {
        let open = std::mem::take(&mut self.dialled.lock().await.open);
        let closing = open.iter().map(Connection::close_alone);
        futures_util::future::join_all(closing).await;
    }
}

fn most(uses: SessionUse) -> usize {
    match uses {
        SessionUse::Request => MOST,
        SessionUse::Lasting | SessionUse::Beside => MOST - FOR_REQUESTS,
    }
}

/// The first of these that has a session again; `None` where one has ended meanwhile.
async fn first_freed(open: Vec<Connection>) -> Option<(Connection, SessionPermit)> {
    let waiting = open.iter().map(|one| {
        Box::pin(async move {
            let permit = one.link.sessions.session(one.ended()).await.ok()?;
            Some((one.clone(), permit))
        })
    });
    let (first, ..) = futures_util::future::select_all(waiting).await;
    first
}

async fn close_when_idle(link: Weak<ConnectionState>) {
    let mut was_idle = false;
    loop {
        sleep(IDLE / 2).await;
        let Some(link) = link.upgrade() else {
            return;
        };
        let is_idle = link.sessions.in_use() == 0;
        if is_idle && was_idle {
            return link.close().await;
        }
        was_idle = is_idle;
    }
}
