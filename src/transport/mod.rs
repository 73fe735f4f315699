//! Reaching a host: yields byte streams of remote shells and says why it could not.
//!
//! [`Connector::connect`] plans (`plan`, `resolve`), picks a route (`route`), dials and logs in (`dial`, `russh`), and
//! gives a [`Connection`], from which [`Connection::open_shell`] starts shells. Three roads lead to a shell: russh,
//! the user's own `ssh` (`system`), and a child process on this machine (`local`). What is said to a shell is left to
//! `host`; when to try again is left to `host` too, with the waits of [`backoff`].

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::model::{Answer, Endpoint, HostSpec, HostStatus, Question, TransportKind};

pub mod backoff;
mod budget;
mod child;
mod deadline;
mod dial;
mod failure;
mod keyring;
mod known_hosts;
mod local;
mod pace;
mod plan;
mod proxy;
mod resolve;
mod route;
mod russh;
mod shell;
mod stream;
mod system;

pub use pace::{Asker as PaceAsker, Span as PaceSpan};
pub use shell::{ShellEvent, ShellInput, ShellOutput};

/// Answers what only a person can. `ask` may take as long as a person does; dropping the future withdraws the question.
pub trait Asker: Send + Sync {
    /// Puts a question and waits for its answer.
    fn ask(&self, question: Question) -> Pin<Box<dyn Future<Output = Answer> + Send + '_>>;
}

/// What is the same for all hosts of a run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whether `ssh -G` is asked what the user's OpenSSH configuration says of a host.
    pub ssh_config: bool,
    /// Longest time in which a server says nothing while TCP, key exchange and authentication are under way, without the
    /// time a person takes to answer. One that goes on talking has six times as much in all. Each jump host on the way
    /// has as much.
    pub connect_timeout: Duration,
    /// Where accepted host keys are stored when the host names no file; `None`: the user's `~/.ssh/known_hosts`.
    pub known_hosts: Option<PathBuf>,
}

/// Makes connections within the budget: shared by all hosts of a run.
#[derive(Clone)]
pub struct Connector {
    inner: Arc<Inner>,
}

/// What the hosts of a run share.
struct Inner {
    settings: Settings,
    asker: Arc<dyn Asker>,
    budget: budget::Budget,
    keyring: keyring::Keyring,
    resolver: resolve::Resolver,
    bastions: route::Bastions,
    /// In place of `$SSH_AUTH_SOCK`.
    agent: std::sync::OnceLock<PathBuf>,
    /// In place of the user's and the system's OpenSSH configuration.
    ssh_config: std::sync::OnceLock<PathBuf>,
    /// Held while a host key is stored.
    storing: tokio::sync::Mutex<()>,
}

/// Why a host was not reached, or was lost: a state with its reason and a hint.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}", .status.reason.as_deref().unwrap_or("no reason given"))]
pub struct LinkError {
    /// What the host's row shows.
    pub status: HostStatus,
}

impl Connector {
    /// A connector with an empty budget book.
    #[must_use]
    pub fn new(settings: Settings, asker: Arc<dyn Asker>) -> Self {
        Self {
            inner: Arc::new(Inner {
                settings,
                asker,
                budget: budget::Budget::new(),
                keyring: keyring::Keyring::default(),
                resolver: resolve::Resolver::new(),
                bastions: route::Bastions::default(),
                agent: std::sync::OnceLock::new(),
                ssh_config: std::sync::OnceLock::new(),
                storing: tokio::sync::Mutex::default(),
            }),
        }
    }

    /// Uses the ssh-agent at this socket in place of `$SSH_AUTH_SOCK`, where the user's configuration names no other.
    #[must_use]
    pub fn with_agent(self, socket: PathBuf) -> Self {
        // The first one stays; it is set where the connector is made.
        let _ = self.inner.agent.set(socket);
        self
    }

    /// Reads the user's OpenSSH configuration from this file alone, as `ssh -F` does. Only where the settings have it
    /// read at all.
    #[must_use]
    pub fn with_ssh_config(self, file: PathBuf) -> Self {
        let _ = self.inner.ssh_config.set(file);
        self
    }

    /// Dials, checks the host key, logs in: by the first route that answers.
    ///
    /// # Errors
    /// With the state, the reason and the hint for the host's row.
    pub async fn connect(&self, host: &HostSpec) -> Result<Connection, LinkError> {
        let road = match host.transport {
            TransportKind::Local => Road::Local(local::Local::new()),
            TransportKind::System => Road::System(self.system(host).await?),
            TransportKind::Russh => {
                Road::Russh(route::reach(&self.inner, host, self.inner.plan(&host.endpoint).await?).await?)
            }
            TransportKind::Auto => self.choose(host).await?,
        };
        Ok(Connection { link: Arc::new(Link { road, greeted: AtomicBool::new(false) }) })
    }

    async fn choose(&self, host: &HostSpec) -> Result<Road, LinkError> {
        let plan = self.inner.plan(&host.endpoint).await?;
        match &plan.beyond_russh {
            None => Ok(Road::Russh(route::reach(&self.inner, host, plan).await?)),
            Some(why) => {
                tracing::info!("{} is reached by the system's ssh, for its configuration asks for {why}", host.name());
                Ok(Road::System(self.system(host).await?))
            }
        }
    }

    async fn system(&self, host: &HostSpec) -> Result<system::System, LinkError> {
        system::System::connect(host, &self.inner).await
    }
}

impl Inner {
    /// What `ssh` is told about its configuration.
    fn config_option(&self) -> Option<String> {
        match self.ssh_config.get() {
            _ if !self.settings.ssh_config => Some("-Fnone".to_owned()),
            Some(file) => Some(format!("-F{}", file.display())),
            None => None,
        }
    }

    async fn plan(&self, endpoint: &Endpoint) -> Result<plan::Plan, LinkError> {
        let said =
            if self.settings.ssh_config { self.resolver.ask(endpoint, self.config_option()).await? } else { None };
        let mut plan = plan::Plan::new(endpoint, said.as_deref(), &self.settings)?;
        if let (plan::AgentAt::Environment, Some(socket)) = (&plan.agent, self.agent.get()) {
            plan.agent = plan::AgentAt::Socket(socket.clone());
        }
        Ok(plan)
    }
}

/// A connection to a host. Clones are the same connection; it ends when [`Connection::close`] is called, when its last
/// clone is dropped, or when it breaks.
#[derive(Clone)]
pub struct Connection {
    link: Arc<Link>,
}

struct Link {
    road: Road,
    /// Whether a first shell has answered: then the others are taken to.
    greeted: AtomicBool,
}

impl Drop for Link {
    /// The watchdog may hold the connection for another moment.
    fn drop(&mut self) {
        if let Road::Russh(client) = &self.road {
            client.hang_up();
        }
    }
}

enum Road {
    Russh(Arc<russh::client::Client>),
    System(system::System),
    Local(local::Local),
}

impl Connection {
    /// This machine by way of another shell than its own.
    #[cfg(test)]
    pub(crate) fn by_shell(command: &[&str]) -> Self {
        let road = Road::Local(local::Local::running(command));
        Self { link: Arc::new(Link { road, greeted: AtomicBool::new(false) }) }
    }

    /// Starts `exec /bin/sh -s` on the host, on a channel of its own. Waits while the budget of sessions is used up.
    /// The first shell of a connection must answer, so that a login without a shell is told from a host that works.
    ///
    /// # Errors
    /// When the server refuses another session, what runs there is no shell, or the connection has ended.
    pub async fn open_shell(&self) -> Result<(ShellInput, ShellOutput), LinkError> {
        let (place, opened) = match &self.link.road {
            Road::Russh(client) => (client.place.to_string(), russh::channel::open_shell(client).await),
            Road::System(system) => (system.place(), system.open_shell().await),
            Road::Local(local) => ("this machine".to_owned(), local.open_shell().await),
        };
        let (mut input, mut output) = opened?;
        if !self.link.greeted.load(Ordering::Relaxed) {
            shell::greet(&mut input, &mut output, &place).await?;
            self.link.greeted.store(true, Ordering::Relaxed);
        }
        Ok((input, output))
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

    fn pacer(&self) -> &pace::Pacer {
        match &self.link.road {
            Road::Russh(client) => &client.pacer,
            Road::System(system) => &system.pacer,
            Road::Local(local) => &local.pacer,
        }
    }

    /// Waits until the connection has ended, and says why. Every waiter is told, at any time.
    pub async fn ended(&self) -> LinkError {
        match &self.link.road {
            Road::Russh(client) => client.ended().await,
            Road::System(system) => system.ended().await,
            Road::Local(local) => local.ending.ended().await,
        }
    }

    /// Ends it, with everything that runs on it; returns within 2 seconds.
    pub async fn close(&self) {
        match &self.link.road {
            Road::Russh(client) => client.close().await,
            Road::System(system) => system.close().await,
            Road::Local(local) => local.close().await,
        }
    }
}
