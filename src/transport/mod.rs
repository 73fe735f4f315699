//! Reaching a host: yields byte streams of remote shells and says why it could not.
//!
//! [`Connector::connect`] plans (`plan`, `resolve`), picks a route (`route`), dials and logs in
//! (`dial`, `russh`), and gives a [`Connection`], from which [`Connection::open_shell`] starts
//! shells. Three roads lead to a shell: russh, the user's own `ssh` (`system`), and a child process
//! on this machine (`local`). What is said to a shell is left to `host`; when to try again is left
//! to `host` too, with the waits of [`backoff`].

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::model::host::{Endpoint, HostKeyPolicy, HostSpec, TransportKind};
use crate::model::state::HostStatus;

mod algorithms;
pub mod backoff;
mod budget;
mod child;
mod deadline;
mod dial;
mod error;
mod failure;
mod greeting;
mod hops;
mod keyring;
mod known_hosts;
mod local;
mod noise;
mod openssh;
mod overheard;
mod pace;
mod plan;
mod prompt_answerer;
mod proxy;
mod resolve;
mod route;
mod russh;
mod settings;
mod shell;
mod stream;
mod system;
mod tokens;

pub use deadline::{Deadline, DeadlineElapsed};
pub use error::LinkError;
pub(crate) use noise::is_noise;
pub use pace::{PaceShare as PaceAsker, PaceSpan};
pub use prompt_answerer::PromptAnswerer;
pub use settings::TransportSettings;
pub use shell::{ShellEvent, ShellInput, ShellOutput};

/// As long as sshd itself waits for a login (LoginGraceTime): under load, with a slow directory
/// service or a slow home, a login takes longer than anybody likes, and is no less welcome for it.
const LOGIN_TIME: Duration = Duration::from_secs(120);

/// Channels are closed a moment before the connection says why it ended.
const END_TOLD_WITHIN: Duration = Duration::from_secs(1);

/// An agent may ask its owner for a touch or a confirmation; sshd itself waits two minutes in all.
const AGENT_TIME: Duration = Duration::from_secs(60);

/// Makes connections within the budget: shared by all hosts of a run.
#[derive(Clone)]
pub struct Connector {
    inner: Arc<ConnectorState>,
}

/// What the hosts of a run share.
struct ConnectorState {
    settings: TransportSettings,
    asker: Arc<dyn PromptAnswerer>,
    budget: budget::HandshakeBudget,
    keyring: keyring::Keyring,
    resolver: resolve::AddressResolver,
    bastions: route::BastionPool,
    /// In place of `$SSH_AUTH_SOCK`.
    agent: std::sync::OnceLock<PathBuf>,
    /// In place of the user's and the system's OpenSSH configuration.
    ssh_config: std::sync::OnceLock<PathBuf>,
    /// What to do with unknown keys of jump hosts that only the user's configuration knows.
    host_keys: std::sync::OnceLock<HostKeyPolicy>,
    /// What to do with unknown keys whatever anything else says.
    last_word: std::sync::OnceLock<HostKeyPolicy>,
    /// In place of [`LOGIN_TIME`].
    login_time: std::sync::OnceLock<Duration>,
    /// In place of [`AGENT_TIME`].
    agent_time: std::sync::OnceLock<Duration>,
    /// Held while a host key is stored.
    storing: tokio::sync::Mutex<()>,
}

impl Connector {
    /// A connector with an empty budget book.
    #[must_use]
    pub fn new(settings: TransportSettings, asker: Arc<dyn PromptAnswerer>) -> Self {
        Self {
            inner: Arc::new(ConnectorState {
                settings,
                asker,
                budget: budget::HandshakeBudget::new(),
                keyring: keyring::Keyring::default(),
                resolver: resolve::AddressResolver::new(),
                bastions: route::BastionPool::default(),
                agent: std::sync::OnceLock::new(),
                ssh_config: std::sync::OnceLock::new(),
                host_keys: std::sync::OnceLock::new(),
                last_word: std::sync::OnceLock::new(),
                login_time: std::sync::OnceLock::new(),
                agent_time: std::sync::OnceLock::new(),
                storing: tokio::sync::Mutex::default(),
            }),
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
        let link = match host.transport {
            TransportKind::Local => ConnectionState::by(
                ConnectionBackend::Local(local::LocalShells::new()),
                self.inner.login_time(),
            ),
            TransportKind::System => ConnectionState::by(
                ConnectionBackend::System(self.system(host).await?),
                self.inner.login_time(),
            ),
            TransportKind::Russh => {
                self.russh(host, self.inner.plan(&host.endpoint).await?)
                    .await?
            }
            TransportKind::Auto => self.choose(host).await?,
        };
        Ok(Connection {
            link: Arc::new(link),
        })
    }

    async fn choose(&self, host: &HostSpec) -> Result<ConnectionState, LinkError> {
        let plan = self.inner.plan(&host.endpoint).await?;
        match &plan.beyond_russh {
            None => self.russh(host, plan).await,
            Some(why) => {
                tracing::info!(
                    "{} is reached by the system's ssh, for its configuration asks for {why}",
                    host.name()
                );
                Ok(ConnectionState::by(
                    ConnectionBackend::System(self.system(host).await?),
                    self.inner.login_time(),
                ))
            }
        }
    }

    async fn russh(
        &self,
        host: &HostSpec,
        plan: plan::ConnectPlan,
    ) -> Result<ConnectionState, LinkError> {
        let route::ReachedServer { client, warning } =
            route::reach(&self.inner, host, plan).await?;
        Ok(ConnectionState::warned(
            ConnectionBackend::Russh(client),
            self.inner.login_time(),
            warning,
        ))
    }

    async fn system(&self, host: &HostSpec) -> Result<system::SystemSsh, LinkError> {
        system::SystemSsh::connect(host, &self.inner).await
    }
}

impl ConnectorState {
    /// What `ssh` is told about its configuration.
    fn config_option(&self) -> Option<String> {
        match self.ssh_config.get() {
            _ if !self.settings.ssh_config => Some("-Fnone".to_owned()),
            Some(file) => Some(format!("-F{}", file.display())),
            None => None,
        }
    }

    /// How long a server that speaks SSH, and then the shell of a login, may take.
    fn login_time(&self) -> Duration {
        self.login_time
            .get()
            .copied()
            .unwrap_or_else(|| LOGIN_TIME.max(self.settings.connect_timeout))
    }

    /// How long the ssh-agent may take for a signature.
    fn agent_time(&self) -> Duration {
        self.agent_time.get().copied().unwrap_or(AGENT_TIME)
    }

    async fn plan(&self, endpoint: &Endpoint) -> Result<plan::ConnectPlan, LinkError> {
        let said = if self.settings.ssh_config {
            self.resolver.ask(endpoint, self.config_option()).await?
        } else {
            None
        };
        let mut plan = plan::ConnectPlan::new(endpoint, said.as_deref(), &self.settings)?;
        if let Some(policy) = self.last_word.get() {
            plan.host_keys = *policy;
        }
        if let (plan::AgentAt::Environment, Some(socket)) = (&plan.agent, self.agent.get()) {
            plan.agent = plan::AgentAt::Socket(socket.clone());
        }
        Ok(plan)
    }
}

/// A connection to a host. Clones are the same connection; it ends when [`Connection::close`] is
/// called, when its last clone is dropped, or when it breaks.
#[derive(Clone)]
pub struct Connection {
    link: Arc<ConnectionState>,
}

struct ConnectionState {
    road: ConnectionBackend,
    /// Whether a first shell has answered: then the others are taken to.
    greeted: watch::Sender<bool>,
    login_time: Duration,
    since: Instant,
    /// Bytes that the login has printed before its shell answered.
    printed: AtomicU64,
    warning: Option<HostStatus>,
}

impl ConnectionState {
    fn by(road: ConnectionBackend, login_time: Duration) -> Self {
        Self::warned(road, login_time, None)
    }

    fn warned(road: ConnectionBackend, login_time: Duration, warning: Option<HostStatus>) -> Self {
        let greeted = watch::Sender::new(false);
        Self {
            road,
            greeted,
            login_time,
            since: Instant::now(),
            printed: AtomicU64::new(0),
            warning,
        }
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
        Self {
            link: Arc::new(ConnectionState::by(road, LOGIN_TIME)),
        }
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
        let ConnectionState {
            greeted, printed, ..
        } = &*self.link;
        let first = !*greeted.borrow();
        let (place, opened) = match &self.link.road {
            ConnectionBackend::Russh(client) => (
                client.place.to_string(),
                russh::channel::open_shell(client, time, first).await,
            ),
            ConnectionBackend::System(system) => (system.place(), system.open_shell().await),
            ConnectionBackend::Local(local) => {
                ("this machine".to_owned(), local.open_shell().await)
            }
        };
        let (mut input, mut output) = opened?;
        if first {
            greeting::greet(&mut input, &mut output, &place, time, printed).await?;
            greeted.send_replace(true);
        }
        Ok((input, output))
    }

    /// What a person must hear of the way to the host though it leads there: that the key of a jump
    /// host has changed, for which another was taken.
    #[must_use]
    pub fn warning(&self) -> Option<&HostStatus> {
        self.link.warning.as_ref()
    }

    /// Whether a shell has answered: until then the login is not over.
    #[must_use]
    pub fn is_greeted(&self) -> bool {
        *self.link.greeted.borrow()
    }

    /// Waits until a shell has answered.
    pub async fn greeted(&self) {
        let _ = self
            .link
            .greeted
            .subscribe()
            .wait_for(|greeted| *greeted)
            .await;
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
        match self.link.printed.load(Ordering::Relaxed) {
            0 => format!("logged in; waiting for its shell for {seconds} s"),
            noise => {
                let amount = greeting::amount(noise);
                format!(
                    "logged in; waiting for its shell for {seconds} s, past {amount} that the login prints"
                )
            }
        }
    }

    /// How long a shell of this login may take to begin.
    #[must_use]
    pub fn login_time(&self) -> Duration {
        self.link.login_time
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
        tokio::time::timeout(told_within, self.ended())
            .await
            .is_ok()
    }

    /// Ends it, with everything that runs on it; returns within 2 seconds.
    pub async fn close(&self) {
        match &self.link.road {
            ConnectionBackend::Russh(client) => client.close().await,
            ConnectionBackend::System(system) => system.close().await,
            ConnectionBackend::Local(local) => local.close().await,
        }
    }
}
