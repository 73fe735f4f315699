//! Reaches a host: yields byte streams of remote shells, or says why it could not.
//!
//! [`Connector::connect`] plans (`plan`, `resolve`), picks a route (`route`), dials and logs in
//! (`dial`, `russh`), and gives a [`Connection`], from which [`Connection::open_shell`] starts
//! shells. There are three ways to a shell: russh, the user's own `ssh` (`system`), and a child
//! process on this machine (`local`). `host` decides what is sent to a shell, and when to try
//! again, with the waits of [`backoff`].

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::model::host::{HostKeyPolicy, HostSpec, TransportKind};
use crate::model::state::HostStatus;

mod algorithms;
pub mod backoff;
mod bastion_pool;
mod budget;
mod child;
mod connector_state;
mod deadline;
mod dial;
mod error;
mod failure;
mod further;
mod greeting;
mod hops;
mod jump_spec;
mod keyring;
mod known_hosts;
mod local;
mod login_methods;
mod noise;
mod openssh;
mod outage;
mod outward;
mod overheard;
mod pace;
mod plan;
mod prompt_answerer;
mod proxy;
mod resolve;
mod route;
mod russh;
pub(crate) mod sessions;
mod settings;
mod shell;
mod stream;
mod system;
mod tokens;

use connector_state::ConnectorState;
#[cfg(test)]
use connector_state::LOGIN_TIME;
pub use deadline::{Deadline, DeadlineElapsed};
pub use error::LinkError;
pub(crate) use noise::is_noise;
pub use pace::{PaceShare as PaceAsker, PaceSpan};
pub use prompt_answerer::PromptAnswerer;
use sessions::SessionUse;
pub use settings::TransportSettings;
pub use shell::{ShellEvent, ShellInput, ShellOutput};

/// Channels are closed a moment before the connection says why it ended.
const END_TOLD_WITHIN: Duration = Duration::from_secs(1);

/// What closing waits for the shells of child processes to be gone.
const CLOSE_TIME: Duration = Duration::from_millis(1500);

/// Makes connections within the budget: shared by all hosts of a run.
#[derive(Clone)]
pub struct Connector {
    inner: Arc<ConnectorState>,
}

impl Connector {
    /// A connector with an empty budget book.
    #[must_use]
    pub fn new(settings: TransportSettings, asker: Arc<dyn PromptAnswerer>) -> Self {
        Self {
            inner: Arc::new(ConnectorState::new(settings, asker)),
        }
    }

    /// Uses the ssh-agent at this socket in place of `$SSH_AUTH_SOCK`, where the user's
    /// configuration names no other.
    #[must_use]
    pub fn with_agent(self, socket: PathBuf) -> Self {
        // The first one stays; it is set where the connector is made.
        let _ = self.inner.agent.set(socket);
        self
    }

    /// Gives the ssh-agent so long for each signature, in place of a minute.
    #[must_use]
    pub fn with_agent_time(self, limit: Duration) -> Self {
        let _ = self.inner.agent_time.set(limit);
        self
    }

    /// Reads the user's OpenSSH configuration from this file alone, as `ssh -F` does. Only where
    /// the settings have it read at all.
    #[must_use]
    pub fn with_ssh_config(self, file: PathBuf) -> Self {
        let _ = self.inner.ssh_config.set(file);
        self
    }

    /// Treats unknown keys of jump hosts that only the user's configuration knows so, unless it is
    /// stricter: as the defaults of the inventory have it for every host.
    #[must_use]
    pub fn with_host_keys(self, policy: Option<HostKeyPolicy>) -> Self {
        if let Some(policy) = policy {
            let _ = self.inner.host_keys.set(policy);
        }
        self
    }

    /// Treats unknown keys of every server so, whatever the inventory and the user's configuration
    /// say: as the command line has it.
    #[must_use]
    pub fn with_last_word(self, policy: Option<HostKeyPolicy>) -> Self {
        if let Some(policy) = policy {
            let _ = self.inner.last_word.set(policy);
        }
        self
    }

    /// Gives a server so long to log us in, and a login as long until its shell answers, in place
    /// of two minutes, or of the connect timeout where that is longer.
    #[must_use]
    pub fn with_login_time(self, limit: Duration) -> Self {
        let _ = self.inner.login_time.set(limit);
        self
    }

    /// Dials, checks the host key, logs in: by the first route that answers.
    ///
    /// # Errors
    /// With the state, the reason and the hint for the host's row.
    pub async fn connect(&self, host: &HostSpec) -> Result<Connection, LinkError> {
        let state = self.connect_alone(host).await?;
        let further = further::FurtherConnections::new(self.clone(), host.clone());
        let has_further = !state.person_was_asked();
        Ok(Connection {
            further: has_further.then(|| Arc::new(further)),
            ..Connection::alone(Arc::new(state))
        })
    }

    /// A connection was lost: over how long the dials of all that were lost with it are spread.
    #[must_use]
    pub(crate) fn lost_one(&self) -> Duration {
        let outage = self.inner.outage.lock();
        let mut outage = outage.unwrap_or_else(std::sync::PoisonError::into_inner);
        outage.lost(tokio::time::Instant::now())
    }

    /// One connection, on which no others follow.
    async fn connect_alone(&self, host: &HostSpec) -> Result<ConnectionState, LinkError> {
        let mut state = match host.transport {
            TransportKind::Local => self.state(ConnectionBackend::Local(local::LocalShells::new())),
            TransportKind::System => self.system(host).await?,
            TransportKind::Russh => self.russh(host).await?,
            TransportKind::Auto => self.choose(host).await?,
        };
        state.sessions = sessions::SessionBudget::new(self.inner.sessions(host.name()));
        Ok(state)
    }

    /// The built-in client, unless it cannot do what the configuration or the server asks for. That
    /// is learnt once for each host, for a server was dialled for it.
    async fn choose(&self, host: &HostSpec) -> Result<ConnectionState, LinkError> {
        let learnt = self.inner.beyond_russh(host.name());
        let why = match learnt {
            Some(why) => why,
            None => match self.russh(host).await {
                Err(LinkError {
                    beyond_russh: Some(why),
                    ..
                }) => self.inner.learn_beyond_russh(host.name(), &why),
                other => return other,
            },
        };
        let mut state = self
            .system(host)
            .await
            .map_err(|error| error.by_ssh(&why))?;
        state.by_ssh = Some(why);
        Ok(state)
    }

    async fn russh(&self, host: &HostSpec) -> Result<ConnectionState, LinkError> {
        let plan = self.inner.plan(&host.endpoint).await?;
        let reached = route::reach(&self.inner, host, plan).await?;
        let mut state = self.state(ConnectionBackend::Russh(reached.client));
        state.warning = reached.warning;
        Ok(state)
    }

    async fn system(&self, host: &HostSpec) -> Result<ConnectionState, LinkError> {
        let ssh = system::SystemSsh::connect(host, &self.inner).await?;
        Ok(self.state(ConnectionBackend::System(ssh)))
    }

    fn state(&self, road: ConnectionBackend) -> ConnectionState {
        ConnectionState::new(road, self.inner.login_time())
    }
}

/// A connection to a host. Clones are the same connection; it ends when [`Connection::close`] is
/// called, when its last clone is dropped, or when it breaks.
#[derive(Clone)]
pub struct Connection {
    link: Arc<ConnectionState>,
    /// `None` for one of these, and where there may be none.
    further: Option<Arc<further::FurtherConnections>>,
    /// What its sessions are for, as far as this clone is concerned.
    uses: SessionUse,
}

/// A shell, and the pace of the connection on which it is.
pub(crate) struct OpenedShell {
    pub(crate) input: ShellInput,
    pub(crate) output: ShellOutput,
    pub(crate) pace: PaceAsker,
}

struct ConnectionState {
    road: ConnectionBackend,
    sessions: sessions::SessionBudget,
    /// Whether a first shell has answered: then the others are taken to.
    greeted: watch::Sender<bool>,
    login_time: Duration,
    since: Instant,
    /// Bytes that the login has printed before its shell answered.
    printed: AtomicU64,
    warning: Option<HostStatus>,
    /// Why the user's own `ssh` is used in place of the built-in client, where nobody said that it
    /// should be.
    by_ssh: Option<Arc<str>>,
}

impl ConnectionState {
    fn new(road: ConnectionBackend, login_time: Duration) -> Self {
        Self {
            road,
            sessions: sessions::SessionBudget::new(None),
            greeted: watch::Sender::new(false),
            login_time,
            since: Instant::now(),
            printed: AtomicU64::new(0),
            warning: None,
            by_ssh: None,
        }
    }
}

impl ConnectionState {
    /// Whether the login needed a person: then another would, too.
    fn person_was_asked(&self) -> bool {
        matches!(&self.road, ConnectionBackend::Russh(client) if client.person_was_asked)
    }

    /// Ends it, with everything that runs on it.
    async fn close(&self) {
        match &self.road {
            ConnectionBackend::Russh(client) => return client.close().await,
            ConnectionBackend::System(system) => system.close(),
            ConnectionBackend::Local(local) => local.close(),
        }
        let _ = tokio::time::timeout(CLOSE_TIME, self.sessions.all_free()).await;
    }
}

impl Drop for ConnectionState {
    /// The watchdog may hold the connection for another moment.
    fn drop(&mut self) {
        if let ConnectionBackend::Russh(client) = &self.road {
            client.hang_up();
        }
    }
}

enum ConnectionBackend {
    Russh(Arc<russh::client::RusshClient>),
    System(system::SystemSsh),
    Local(local::LocalShells),
}

impl Connection {
    /// This machine by way of another shell than its own.
    #[cfg(test)]
    pub(crate) fn by_shell(command: &[&str]) -> Self {
        let road = ConnectionBackend::Local(local::LocalShells::running(command));
        Self::alone(Arc::new(ConnectionState::new(road, LOGIN_TIME)))
    }

    fn alone(link: Arc<ConnectionState>) -> Self {
        Self {
            link,
            further: None,
            uses: SessionUse::default(),
        }
    }

    /// The same connection, for sessions of this use.
    pub(crate) fn for_use(&self, uses: SessionUse) -> Self {
        Self {
            uses,
            ..self.clone()
        }
    }

    /// Starts a shell like [`Connection::open_shell_within`], on a further connection where this one
    /// has no session for it.
    ///
    /// # Errors
    /// The same; where there is no further connection either, with why.
    pub(crate) async fn open_anywhere(
        &self,
        time: &mut Deadline,
    ) -> Result<OpenedShell, LinkError> {
        let Some(further) = &self.further else {
            return self.open_here(time).await;
        };
        let sessions = &self.link.sessions;
        let is_short = sessions.is_short() && !sessions.has_free_session();
        let refusal = if self.uses == SessionUse::Beside {
            failure::all_places_taken()
        } else if is_short {
            failure::few_sessions(&self.place(), sessions.in_use())
        } else {
            match self.open_here(time).await {
                Err(refusal) if self.is_for_sessions(&refusal) => {
                    sessions.limit_to(sessions.in_use());
                    further.learn(sessions.in_use());
                    refusal
                }
                other => return other,
            }
        };
        let (connection, permit) = further.with_session(self.uses, refusal).await?;
        connection.open_with(permit, time).await
    }

    async fn open_here(&self, time: &mut Deadline) -> Result<OpenedShell, LinkError> {
        let permit = self.link.sessions.session(self.ended()).await?;
        self.open_with(permit, time).await
    }

    /// Whether a shell was refused for the number of sessions.
    fn is_for_sessions(&self, refusal: &LinkError) -> bool {
        let is_refused = refusal.state() == crate::model::state::LinkState::Throttled;
        is_refused && self.is_greeted() && self.link.sessions.in_use() > 0
    }

    fn is_over(&self) -> bool {
        match &self.link.road {
            ConnectionBackend::Russh(client) => client.is_over(),
            ConnectionBackend::System(system) => system.has_ended(),
            ConnectionBackend::Local(local) => local.ending.get().is_some(),
        }
    }

    /// Whether a log request could have another session at once.
    pub(crate) fn has_room(&self) -> bool {
        let sessions = &self.link.sessions;
        let further = self.further.as_ref().filter(|_| sessions.is_short());
        sessions.has_free_session() || further.is_some_and(|further| further.has_room())
    }

    /// Starts `exec /bin/sh -s` on the host, on a channel of its own. Waits while the budget of
    /// sessions is used up. The first shell of a connection must answer, so that a login without a
    /// shell is told from a host that works.
    ///
    /// # Errors
    /// When the server refuses another session, what runs there is no shell, or the connection has
    /// ended.
    pub async fn open_shell(&self) -> Result<(ShellInput, ShellOutput), LinkError> {
        self.open_shell_within(&mut Deadline::new(self.link.login_time))
            .await
    }

    /// The same within a time that the caller goes on with. Waiting for the budget of sessions is
    /// not counted.
    ///
    /// # Errors
    /// As [`Connection::open_shell`], and when the time is over.
    pub async fn open_shell_within(
        &self,
        time: &mut Deadline,
    ) -> Result<(ShellInput, ShellOutput), LinkError> {
        let opened = self.open_here(time).await?;
        Ok((opened.input, opened.output))
    }

    async fn open_with(
        &self,
        permit: sessions::SessionPermit,
        time: &mut Deadline,
    ) -> Result<OpenedShell, LinkError> {
        let is_first = !self.is_greeted();
        let opened = match &self.link.road {
            ConnectionBackend::Russh(client) => {
                russh::channel::open_shell(client, permit, time, is_first).await
            }
            ConnectionBackend::System(system) => system.open_shell(permit),
            ConnectionBackend::Local(local) => local.open_shell(permit),
        };
        let (mut input, mut output) = opened?;
        if is_first {
            let printed = &self.link.printed;
            greeting::greet(&mut input, &mut output, &self.place(), time, printed).await?;
            self.link.greeted.send_replace(true);
        }
        Ok(OpenedShell {
            input,
            output,
            pace: self.pace(),
        })
    }

    fn place(&self) -> String {
        match &self.link.road {
            ConnectionBackend::Russh(client) => client.place.to_string(),
            ConnectionBackend::System(system) => system.place(),
            ConnectionBackend::Local(_) => "this machine".to_owned(),
        }
    }

    /// What a person must hear of the way to the host though it leads there: that the key of a jump
    /// host has changed, for which another was taken.
    #[must_use]
    pub fn warning(&self) -> Option<&HostStatus> {
        self.link.warning.as_ref()
    }

    /// Why the user's own `ssh` is used in place of the built-in client, where the inventory does
    /// not say so.
    #[must_use]
    pub fn by_ssh(&self) -> Option<&str> {
        self.link.by_ssh.as_deref()
    }

    /// Whether a shell has answered: until then the login is not over.
    #[must_use]
    pub fn is_greeted(&self) -> bool {
        *self.link.greeted.borrow()
    }

    /// Waits until a shell has answered.
    pub async fn greeted(&self) {
        let mut greeted = self.link.greeted.subscribe();
        let _ = greeted.wait_for(|greeted| *greeted).await;
    }

    /// Bytes that the login has printed before its shell answered.
    #[must_use]
    pub fn printed(&self) -> u64 {
        self.link.printed.load(Ordering::Relaxed)
    }

    /// What a login that has no shell yet is waiting for, in words.
    #[must_use]
    pub fn waits_for(&self) -> String {
        let seconds = self.link.since.elapsed().as_secs();
        let past = match self.printed() {
            0 => String::new(),
            noise => format!(", past {} that the login prints", greeting::amount(noise)),
        };
        format!("logged in; waiting for its shell for {seconds} s{past}")
    }

    /// How long a shell of this login may take to begin.
    #[must_use]
    pub fn login_time(&self) -> Duration {
        self.link.login_time
    }

    /// How many sessions each use may take.
    #[must_use]
    pub(crate) fn sessions(&self) -> &sessions::SessionBudget {
        &self.link.sessions
    }

    /// Takes part in the pace of this connection: for a shell that will be asked for much.
    #[must_use]
    pub fn pace(&self) -> PaceAsker {
        self.pacer().asker()
    }

    /// When a shell of it last said something, be it only a part of an answer.
    #[must_use]
    pub fn heard(&self) -> tokio::time::Instant {
        self.pacer().heard()
    }

    fn pacer(&self) -> &pace::LinkPacer {
        match &self.link.road {
            ConnectionBackend::Russh(client) => &client.pacer,
            ConnectionBackend::System(system) => &system.pacer,
            ConnectionBackend::Local(local) => &local.pacer,
        }
    }

    /// Waits until the connection has ended, and says why. Every waiter is told, at any time.
    pub async fn ended(&self) -> LinkError {
        match &self.link.road {
            ConnectionBackend::Russh(client) => client.ended().await,
            ConnectionBackend::System(system) => system.ended().await,
            ConnectionBackend::Local(local) => local.ending.ended().await,
        }
    }

    /// Whether this failure of a shell is the end of the connection, which is told a moment later.
    /// A server that refuses a session is still there.
    pub async fn has_ended_by(&self, failure: &LinkError) -> bool {
        let refused = failure.state() == crate::model::state::LinkState::Throttled;
        let told_within = if refused {
            Duration::ZERO
        } else {
            END_TOLD_WITHIN
        };
        let ended = tokio::time::timeout(told_within, self.ended());
        ended.await.is_ok()
    }

    /// Ends it, with everything that runs on it; returns within 2 seconds.
    pub async fn close(&self) {
        let further = async {
            if let Some(further) = &self.further {
                further.close().await;
            }
        };
        tokio::join!(self.link.close(), further);
    }

    async fn close_alone(&self) {
        self.link.close().await;
    }
}
