//! What the hosts of a run share when they are dialled: settings, budget, keys, jump hosts.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::Mutex;

use super::bastion_pool::BastionPool;
use super::budget::HandshakeBudget;
use super::error::LinkError;
use super::keyring::Keyring;
use super::outage::OutageWatch;
use super::plan::{AgentAt, ConnectPlan};
use super::prompt_answerer::PromptAnswerer;
use super::resolve::AddressResolver;
use super::settings::TransportSettings;
use crate::model::host::{Endpoint, HostKeyPolicy, HostName};

/// As long as sshd itself waits for a login (LoginGraceTime): under load, with a slow directory
/// service or a slow home, a login takes longer than anybody likes, and is no less welcome for it.
pub(super) const LOGIN_TIME: Duration = Duration::from_secs(120);

/// An agent may ask its owner for a touch or a confirmation; sshd itself waits two minutes in all.
const AGENT_TIME: Duration = Duration::from_secs(60);

/// What the hosts of a run share.
pub(super) struct ConnectorState {
    pub(super) settings: TransportSettings,
    pub(super) asker: Arc<dyn PromptAnswerer>,
    pub(super) budget: HandshakeBudget,
    pub(super) keyring: Keyring,
    resolver: AddressResolver,
    pub(super) bastions: BastionPool,
    /// In place of `$SSH_AUTH_SOCK`.
    pub(super) agent: OnceLock<PathBuf>,
    /// In place of the user's and the system's OpenSSH configuration.
    pub(super) ssh_config: OnceLock<PathBuf>,
    /// What to do with unknown keys of jump hosts that only the user's configuration knows.
    pub(super) host_keys: OnceLock<HostKeyPolicy>,
    /// What to do with unknown keys whatever anything else says.
    pub(super) last_word: OnceLock<HostKeyPolicy>,
    /// In place of [`LOGIN_TIME`].
    pub(super) login_time: OnceLock<Duration>,
    /// In place of [`AGENT_TIME`].
    pub(super) agent_time: OnceLock<Duration>,
    /// Hosts that the built-in client cannot reach and the user's `ssh` can, each with why.
    beyond_russh: std::sync::Mutex<HashMap<HostName, Arc<str>>>,
    /// Hosts whose servers give a connection few sessions, each with how many.
    sessions: std::sync::Mutex<HashMap<HostName, usize>>,
    /// Connections that were lost of late.
    pub(super) outage: std::sync::Mutex<OutageWatch>,
    /// Held while a host key is stored.
    pub(super) storing: Mutex<()>,
}

impl ConnectorState {
    /// With nothing dialled yet.
    pub(super) fn new(settings: TransportSettings, asker: Arc<dyn PromptAnswerer>) -> Self {
        Self {
            settings,
            asker,
            budget: HandshakeBudget::new(),
            keyring: Keyring::default(),
            resolver: AddressResolver::new(),
            bastions: BastionPool::default(),
            agent: OnceLock::new(),
            ssh_config: OnceLock::new(),
            host_keys: OnceLock::new(),
            last_word: OnceLock::new(),
            login_time: OnceLock::new(),
            agent_time: OnceLock::new(),
            beyond_russh: std::sync::Mutex::default(),
            sessions: std::sync::Mutex::default(),
            outage: std::sync::Mutex::default(),
            storing: Mutex::default(),
        }
    }

    /// What `ssh` is told about its configuration.
    pub(super) fn config_option(&self) -> Option<String> {
        match self.ssh_config.get() {
            _ if !self.settings.ssh_config => Some("-Fnone".to_owned()),
            Some(file) => Some(format!("-F{}", file.display())),
            None => None,
        }
    }

    /// Why a host is out of reach of the built-in client, where that was learnt.
    pub(super) fn beyond_russh(&self, host: &HostName) -> Option<Arc<str>> {
        let learnt = self.beyond_russh.lock();
        learnt
            .unwrap_or_else(PoisonError::into_inner)
            .get(host)
            .cloned()
    }

    /// How many sessions the server of a host gives a connection, where that was learnt.
    pub(super) fn sessions(&self, host: &HostName) -> Option<usize> {
        let learnt = self.sessions.lock();
        learnt
            .unwrap_or_else(PoisonError::into_inner)
            .get(host)
            .copied()
    }

    /// Keeps that for the run. A refusal tells how many there were at most, so the least counts.
    pub(super) fn learn_sessions(&self, host: &HostName, sessions: usize) {
        tracing::info!("the server of {host} gives a connection {sessions} sessions");
        let mut learnt = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let least = learnt.entry(host.clone()).or_insert(sessions);
        *least = sessions.min(*least);
    }

    /// Keeps that for the run, and says it in the log.
    pub(super) fn learn_beyond_russh(&self, host: &HostName, why: &str) -> Arc<str> {
        tracing::info!("{host} is reached by the system's ssh, for {why}");
        let why: Arc<str> = why.into();
        let mut learnt = self
            .beyond_russh
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        learnt.insert(host.clone(), Arc::clone(&why));
        why
    }

    /// How long a server that speaks SSH, and then the shell of a login, may take.
    pub(super) fn login_time(&self) -> Duration {
        let chosen = self.login_time.get().copied();
        chosen.unwrap_or_else(|| LOGIN_TIME.max(self.settings.connect_timeout))
    }

    /// How long the ssh-agent may take for a signature.
    pub(super) fn agent_time(&self) -> Duration {
        self.agent_time.get().copied().unwrap_or(AGENT_TIME)
    }

    pub(super) async fn plan(&self, endpoint: &Endpoint) -> Result<ConnectPlan, LinkError> {
        let said = if self.settings.ssh_config {
            self.resolver.ask(endpoint, self.config_option()).await?
        } else {
            None
        };
        let mut plan = ConnectPlan::new(endpoint, said.as_deref(), &self.settings)?;
        if let Some(policy) = self.last_word.get() {
            plan.host_keys = *policy;
        }
        if let (AgentAt::Environment, Some(socket)) = (&plan.agent, self.agent.get()) {
            plan.agent = AgentAt::Socket(socket.clone());
        }
        Ok(plan)
    }
}
