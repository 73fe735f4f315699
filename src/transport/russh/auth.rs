//! Logs in, in the order of OpenSSH: keys of the agent, key files, then what a person types.
//!
//! A refusal is final here and above: nothing in this program tries a refused login again by
//! itself. It is one only when the server says so: a connection that ends in the middle of a login
//! says nothing of the login.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use ::russh::client::AuthResult;
use ::russh::keys::agent::AgentIdentity;
use ::russh::keys::{Certificate, HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKey};
use ::russh::{Error, MethodKind, MethodSet, SendError, Signer};

use super::agent::{self, Agent, AgentOffer, AgentOpening, AgentRequest, SigningError};
use super::client::{HandshakenClient, broken, rsa_hash};
use crate::transport::LinkError;
use crate::transport::budget::HandshakePermit;
use crate::transport::deadline::Deadline;
use crate::transport::keyring::{self, KeyFile, PublicHalf};
use crate::transport::known_hosts::fingerprint;
use crate::transport::login_methods::LoginMethod;

mod attempt;
mod failures;
mod prompts;

use attempt::LoginAttempt;
pub(crate) use attempt::LoginContext;
use failures::{LOCKED, OF_THE_AGENT};

/// Keys offered per login: sshd hangs up at the sixth refusal (MaxAuthTries).
const MAX_OFFERS: usize = 5;

/// The end of a connection and the last answer on it come by two ways.
const OVER_TIME: Duration = Duration::from_millis(500);

/// Why a login came to nothing.
pub(crate) enum LoginFailure {
    /// The server would take this key, and its passphrase is needed.
    Locked(PathBuf),
    /// For good.
    Failed(LinkError),
}

impl From<LinkError> for LoginFailure {
    fn from(error: LinkError) -> Self {
        Self::Failed(error)
    }
}

/// Logs in, and says whether a person was asked for it. The permit for the handshake is given back
/// before that.
pub(crate) async fn log_in(
    login: &LoginContext<'_>,
    greeted: &mut HandshakenClient,
    deadline: &mut Deadline,
    permit: &mut Option<HandshakePermit>,
) -> Result<bool, LoginFailure> {
    let first = greeted.handle.authenticate_none(&login.plan.user);
    let first = deadline.run(first).await;
    let mut attempt = LoginAttempt {
        login,
        greeted,
        deadline,
        allowed: MethodSet::empty(),
        offered: Vec::new(),
        offers: 0,
        asked: false,
        ended_while_asking: false,
        wants_sha1: false,
        agent_answers: false,
        agent_is_silent: false,
    };
    let first = first.map_err(|_| attempt.silent())?;
    if attempt.settle(first).await? {
        return Ok(false);
    }
    attempt.take_banner();
    let keys_come_later =
        !attempt.may(MethodKind::PublicKey) || login.plan.login_methods.asks_first();
    if !keys_come_later && attempt.keys().await? {
        return Ok(false);
    }
    *permit = None;
    // `AuthenticationMethods password,publickey` wants keys once the prompts are answered.
    if attempt.prompts().await? || (keys_come_later && attempt.keys().await?) {
        return Ok(attempt.asked);
    }
    Err(attempt.refused().into())
}

impl LoginAttempt<'_, '_> {
    /// True when logged in.
    async fn settle(&mut self, result: Result<AuthResult, Error>) -> Result<bool, LinkError> {
        match result {
            Ok(AuthResult::Success) => Ok(true),
            Ok(AuthResult::Failure {
                remaining_methods,
                partial_success,
            }) => {
                if remaining_methods.is_empty() && self.is_over().await {
                    return Err(self.hung_up());
                }
                if partial_success {
                    self.offers = 0;
                }
                self.allowed = remaining_methods;
                Ok(false)
            }
            Err(error) if !self.ended_while_asking && !self.is_over().await => {
                Err(broken(&self.login.plan.place.to_string(), &error))
            }
            Err(_) => Err(self.hung_up()),
        }
    }

    /// Whether the connection has ended. The library answers a question for which no answer came as
    /// if it were a refusal that allows nothing more.
    async fn is_over(&self) -> bool {
        let ending = self.greeted.notes.ending.ended();
        self.greeted.handle.is_closed() || tokio::time::timeout(OVER_TIME, ending).await.is_ok()
    }

    /// What the server has said to us lately.
    fn take_banner(&self) -> Option<String> {
        self.greeted
            .notes
            .banner
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// Whether the server and the user's configuration allow a method.
    fn may(&self, method: MethodKind) -> bool {
        let own = match method {
            MethodKind::PublicKey => LoginMethod::Keys,
            MethodKind::KeyboardInteractive => LoginMethod::KeyboardInteractive,
            MethodKind::Password => LoginMethod::Password,
            _ => return false,
        };
        let mut methods = self.login.plan.login_methods.in_order();
        self.allowed.contains(&method) && methods.any(|method| method == own)
    }

    /// The best method that asks a person, of those that may be used.
    fn prompting(&self) -> Option<LoginMethod> {
        let mut methods = self.login.plan.login_methods.in_order();
        methods.find(|method| match method {
            LoginMethod::Keys => false,
            LoginMethod::KeyboardInteractive => self.may(MethodKind::KeyboardInteractive),
            LoginMethod::Password => self.may(MethodKind::Password),
        })
    }

    async fn keys(&mut self) -> Result<bool, LoginFailure> {
        if !self.may(MethodKind::PublicKey) {
            return Ok(false);
        }
        let mut tried = Vec::new();
        if self.agent_keys(&mut tried).await? {
            return Ok(true);
        }
        for path in &self.login.plan.identity {
            if self.offers >= MAX_OFFERS || !self.may(MethodKind::PublicKey) {
                break;
            }
            if self.key_file(path, &tried).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn agent_keys(&mut self, tried: &mut Vec<AgentIdentity>) -> Result<bool, LinkError> {
        let opened =
            agent::open(self.login.plan, self.greeted.handle.agent_session_binding()).await;
        self.agent_is_silent = matches!(opened, AgentOpening::Silent);
        let AgentOpening::Agent(mut agent, offers) = opened else {
            return Ok(false);
        };
        self.agent_answers = true;
        for offer in offers {
            if self.offers >= MAX_OFFERS || !self.may(MethodKind::PublicKey) {
                break;
            }
            let key = offer.identity.public_key().into_owned();
            let name = format!("agent key {}", fingerprint(key.key_data()));
            if self.is_weak(&name, &key) {
                continue;
            }
            self.offers += 1;
            self.offered.push(name);
            let result = self.sign_by_agent(&mut agent, &offer).await?;
            tried.push(offer.identity);
            if self.settle(result).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What the server says of a key of the agent within the time that is left of the login, and
    /// why there was no signature.
    async fn offer_by_agent(
        &mut self,
        agent: &mut Agent,
        offer: &AgentOffer,
    ) -> Result<Offered, LinkError> {
        let hash = self.hash_for(&offer.identity.public_key()).await?;
        let (mut signer, mut requests) = agent::passing();
        let user = self.login.plan.user.clone();
        let handle = &mut self.greeted.handle;
        let mut offering = std::pin::pin!(async {
            match &offer.identity {
                AgentIdentity::PublicKey { key, .. } => {
                    handle
                        .authenticate_publickey_with(user, key.clone(), hash, &mut signer)
                        .await
                }
                AgentIdentity::Certificate { certificate, .. } => {
                    handle
                        .authenticate_certificate_with(user, certificate.clone(), hash, &mut signer)
                        .await
                }
            }
        });
        let mut unsigned = None;
        let result = loop {
            let step = async {
                tokio::select! {
                    result = &mut offering => LoginStep::Answered(result),
                    Some(request) = requests.recv() => LoginStep::Wanted(Box::new(request)),
                }
            };
            match self.deadline.run(step).await {
                Err(_) => break None,
                Ok(LoginStep::Answered(result)) => break Some(result),
                // A person may have to touch or confirm, so this is not counted against the server.
                Ok(LoginStep::Wanted(request)) => {
                    let limit = self.login.agent_time;
                    let signed = agent::sign(agent, *request, offer.of_a_file, limit).await;
                    unsigned = signed.err();
                }
            }
        };
        Ok((result, unsigned))
    }

    async fn sign_by_agent(
        &mut self,
        agent: &mut Agent,
        offer: &AgentOffer,
    ) -> Result<Result<AuthResult, Error>, LinkError> {
        match self.offer_by_agent(agent, offer).await? {
            (_, Some(SigningError::Late)) => Err(self.unsigned()),
            (None, _) => Err(self.silent()),
            (Some(Ok(result)), _) => Ok(Ok(result)),
            (Some(Err(_)), _) if self.greeted.handle.is_closed() => Ok(Err(Error::HUP)),
            (Some(Err(_)), unsigned) => {
                // The agent declined; the connection is still good for the next key.
                let why = unsigned.map(|why| why.to_string()).unwrap_or_default();
                tracing::debug!("the ssh-agent did not sign: {why}");
                Ok(Ok(AuthResult::Failure {
                    remaining_methods: self.allowed.clone(),
                    partial_success: false,
                }))
            }
        }
    }

    async fn key_file(
        &mut self,
        path: &Path,
        tried: &[AgentIdentity],
    ) -> Result<bool, LoginFailure> {
        let name = path.display();
        match self.login.keyring.look(path, self.login.begun).await {
            KeyFile::Missing if !self.login.plan.identities_only => {}
            KeyFile::Missing => self.offered.push(format!("{name} (no such file)")),
            KeyFile::Broken(why) => self.offered.push(format!("{name} ({why})")),
            KeyFile::Declined => self.offered.push(format!("{name}{LOCKED}")),
            KeyFile::Public(half) => return self.public_file(path, &half, tried).await,
            KeyFile::Locked(public) => return self.locked(path, public, tried).await,
            KeyFile::Ready(key) => return Ok(self.ready(path, key, tried).await?),
        }
        Ok(false)
    }

    /// A private key that can sign: its certificates first.
    async fn ready(
        &mut self,
        path: &Path,
        key: Arc<PrivateKey>,
        tried: &[AgentIdentity],
    ) -> Result<bool, LinkError> {
        let public = key.public_key();
        if self.is_weak(&format!("key {}", path.display()), public) {
            return Ok(false);
        }
        for cert in keyring::certificates(path, &self.login.plan.certificates, public) {
            if self.offer_certificate(path, &key, cert).await? {
                return Ok(true);
            }
        }
        if was_tried(tried, public) {
            return Ok(false);
        }
        self.offer(path, key).await
    }

    /// A public key file: the agent was asked for its key, so what is left is the private key file
    /// next to it.
    async fn public_file(
        &mut self,
        path: &Path,
        half: &PublicHalf,
        tried: &[AgentIdentity],
    ) -> Result<bool, LoginFailure> {
        let was_offered = match half {
            PublicHalf::Key(key) => was_tried(tried, key),
            PublicHalf::Certificate(cert) => {
                tried.iter().any(|id| agent::has_certificate(id, cert))
            }
        };
        if was_offered {
            return Ok(false);
        }
        let same = |file: &PathBuf| {
            keyring::public_half(file, None)
                .is_some_and(|own| own.key().key_data() == half.key().key_data())
        };
        if let Some(file) = keyring::private_next_to(path).filter(same) {
            return Box::pin(self.key_file(&file, tried)).await;
        }
        let agent = if self.agent_answers {
            "which does not hold it"
        } else {
            "and none answers"
        };
        self.offered
            .push(format!("{} ({OF_THE_AGENT}, {agent})", path.display()));
        Ok(false)
    }

    /// As OpenSSH does it, a key of ours that is too short is not offered.
    fn is_weak(&mut self, name: &str, key: &PublicKey) -> bool {
        let why = self.login.plan.policy.weakness(key.key_data());
        self.offered
            .extend(why.iter().map(|why| format!("{name} ({why})")));
        why.is_some()
    }

    async fn offer(&mut self, path: &Path, key: Arc<PrivateKey>) -> Result<bool, LinkError> {
        self.offers += 1;
        self.offered.push(format!("key {}", path.display()));
        let hash = self.hash_for(key.public_key()).await?;
        let user = self.login.plan.user.clone();
        let asking = self
            .greeted
            .handle
            .authenticate_publickey(user, PrivateKeyWithHashAlg::new(key, hash));
        let result = self.deadline.run(asking).await.map_err(|_| self.silent())?;
        self.settle(result).await
    }

    async fn offer_certificate(
        &mut self,
        path: &Path,
        key: &Arc<PrivateKey>,
        cert: Certificate,
    ) -> Result<bool, LinkError> {
        if self.offers >= MAX_OFFERS || !self.may(MethodKind::PublicKey) {
            return Ok(false);
        }
        self.offers += 1;
        self.offered
            .push(format!("certificate of {}", path.display()));
        let user = self.login.plan.user.clone();
        let asking = self
            .greeted
            .handle
            .authenticate_openssh_cert(user, Arc::clone(key), cert);
        let result = self.deadline.run(asking).await.map_err(|_| self.silent())?;
        self.settle(result).await
    }

    /// Asks the server whether it would take the key before a person is asked to unlock it.
    async fn locked(
        &mut self,
        path: &Path,
        public: Option<PublicKey>,
        tried: &[AgentIdentity],
    ) -> Result<bool, LoginFailure> {
        let Some(public) = public else {
            return Err(LoginFailure::Locked(path.to_owned()));
        };
        if self.is_weak(&format!("key {}", path.display()), &public) {
            return Ok(false);
        }
        if !keyring::certificates(path, &self.login.plan.certificates, &public).is_empty() {
            return Err(LoginFailure::Locked(path.to_owned()));
        }
        if was_tried(tried, &public) {
            return Ok(false);
        }
        self.probe(path, public).await
    }

    /// Offers a key without a signature, which the server asks for if it would take the key.
    async fn probe(&mut self, path: &Path, public: PublicKey) -> Result<bool, LoginFailure> {
        self.offers += 1;
        self.offered.push(format!("key {}", path.display()));
        let hash = self.hash_for(&public).await?;
        let user = self.login.plan.user.clone();
        let mut probe = AuthProbe { accepted: false };
        let asking = self
            .greeted
            .handle
            .authenticate_publickey_with(user, public, hash, &mut probe);
        let result = self.deadline.run(asking).await.map_err(|_| self.silent())?;
        match result {
            Err(_) if probe.accepted => Err(LoginFailure::Locked(path.to_owned())),
            Err(ProbeStop) => Err(self.hung_up().into()),
            Ok(result) => Ok(self.settle(Ok(result)).await?),
        }
    }

    async fn hash_for(&mut self, key: &PublicKey) -> Result<Option<HashAlg>, LinkError> {
        if !key.algorithm().is_rsa() {
            return Ok(None);
        }
        let asking = self.greeted.handle.best_supported_rsa_hash();
        let supported = self.deadline.run(asking).await.map_err(|_| self.silent())?;
        let supported = supported.ok().flatten();
        self.wants_sha1 |= supported.flatten().is_none();
        Ok(Some(rsa_hash(supported)))
    }
}

/// What came of the offer of a key of the agent, within the time of the login.
type Offered = (Option<Result<AuthResult, SendError>>, Option<SigningError>);

/// What came next of it.
enum LoginStep {
    Answered(Result<AuthResult, SendError>),
    Wanted(Box<AgentRequest>),
}

/// Whether the agent has signed with this key itself.
fn was_tried(tried: &[AgentIdentity], key: &PublicKey) -> bool {
    tried
        .iter()
        .any(|id| matches!(id, AgentIdentity::PublicKey { key: tried, .. } if tried.key_data() == key.key_data()))
}

/// Signs nothing: that it was asked to is the answer.
struct AuthProbe {
    accepted: bool,
}

#[derive(Debug)]
struct ProbeStop;

impl From<SendError> for ProbeStop {
    fn from(_: SendError) -> Self {
        Self
    }
}

impl Signer for AuthProbe {
    type Error = ProbeStop;

    async fn auth_sign(
        &mut self,
        _: &AgentIdentity,
        _: Option<HashAlg>,
        _: Vec<u8>,
    ) -> Result<Vec<u8>, ProbeStop> {
        self.accepted = true;
        Err(ProbeStop)
    }
}
