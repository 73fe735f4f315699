//! The keys of the ssh-agent: which of them are offered, and how they sign.
//!
//! A public key file in `identity` or `IdentityFile` names the key of the agent; the agent's bare
//! key signs for a certificate in a file, as OpenSSH does it. `auth` offers them in their order.

use std::time::Duration;

use ::russh::keys::agent::client::{AgentClient, AgentStream};
use ::russh::keys::agent::{AgentIdentity, AgentSessionBinding};
use ::russh::keys::{Certificate, HashAlg, PublicKey};
use ::russh::{AgentAuthError, SendError, Signer};
use tokio::sync::{mpsc, oneshot};

use crate::transport::keyring::{self, PublicHalf};
use crate::transport::plan::{AgentAt, ConnectPlan};

/// An agent that does not list its keys in this time is ignored.
pub(super) const LIST_TIME: Duration = Duration::from_secs(5);

pub(super) type Agent = AgentClient<Box<dyn AgentStream + Send + Unpin>>;

/// What is offered to a server by the agent.
pub(super) struct AgentOffer {
    pub(super) identity: AgentIdentity,
    /// The certificate is of a file: the agent has its key alone.
    pub(super) of_a_file: bool,
}

/// What came of asking the agent for its keys.
pub(super) enum AgentOpening {
    /// What to offer: certificates first, and only the keys of the plan where it says so.
    Agent(Agent, Vec<AgentOffer>),
    /// There is none, or it cannot be spoken to.
    Nobody,
    /// It did not list its keys within [`LIST_TIME`].
    Silent,
}

/// Asks the agent for its keys.
pub(super) async fn open(
    plan: &ConnectPlan,
    binding: Option<&AgentSessionBinding>,
) -> AgentOpening {
    let connecting = async {
        let mut agent = connect(&plan.agent).await?;
        if let Some(binding) = binding {
            // Agents other than OpenSSH's do not know this; they have no restricted keys either.
            let _ = agent.bind_session(binding, false).await;
        }
        let identities = agent.request_identities().await.ok()?;
        Some((agent, identities))
    };
    match tokio::time::timeout(LIST_TIME, connecting).await {
        Ok(Some((agent, identities))) => {
            AgentOpening::Agent(agent, WantedKey::new(plan).offers(identities))
        }
        Ok(None) => AgentOpening::Nobody,
        Err(_) => AgentOpening::Silent,
    }
}

async fn connect(at: &AgentAt) -> Option<Agent> {
    let connected = match at {
        AgentAt::Nowhere => return None,
        AgentAt::Environment => AgentClient::connect_env().await,
        AgentAt::Socket(path) => AgentClient::connect_uds(path).await,
    };
    connected
        .inspect_err(|error| tracing::debug!("no ssh-agent: {error}"))
        .ok()
        .map(AgentClient::dynamic)
}

/// What the files of a plan say of the keys of the agent.
struct WantedKey {
    /// Nothing else is offered.
    only: bool,
    keys: Vec<PublicKey>,
    /// Named in place of a key: they are offered, and their bare keys are not.
    instead: Vec<Certificate>,
    /// Of the keys above, or of any key of the agent.
    certificates: Vec<Certificate>,
}

impl WantedKey {
    fn new(plan: &ConnectPlan) -> Self {
        let mut wanted = Self {
            only: plan.identities_only,
            keys: Vec::new(),
            instead: Vec::new(),
            certificates: Vec::new(),
        };
        for path in &plan.identity {
            match keyring::public_half(path, None) {
                Some(PublicHalf::Key(key)) => {
                    wanted
                        .certificates
                        .extend(keyring::certificates(path, &[], &key));
                    wanted.keys.push(key);
                }
                Some(PublicHalf::Certificate(cert)) => wanted.instead.push(*cert),
                None => {}
            }
        }
        wanted.certificates.extend(
            plan.certificates
                .iter()
                .filter_map(|path| keyring::certificate(path)),
        );
        wanted
    }

    /// What to offer of the identities that the agent lists.
    fn offers(&self, identities: Vec<AgentIdentity>) -> Vec<AgentOffer> {
        let bare = |cert: &Certificate| identities.iter().find(|id| is_key_of(id, cert));
        let listed = |cert: &Certificate| identities.iter().any(|id| has_certificate(id, cert));
        let named = self.instead.iter().filter(|cert| bare(cert).is_some());
        let own = self
            .certificates
            .iter()
            .filter(|cert| bare(cert).is_some_and(|id| !self.only || self.wants(id)));
        let mut of_files: Vec<&Certificate> = Vec::new();
        for cert in named.chain(own) {
            if !listed(cert) && !of_files.iter().any(|other| is_same(other, cert)) {
                of_files.push(cert);
            }
        }
        let mut offers: Vec<AgentOffer> = of_files
            .into_iter()
            .map(|cert| AgentOffer {
                identity: cert.clone().into(),
                of_a_file: true,
            })
            .collect();
        let rest = identities
            .into_iter()
            .filter(|id| !self.only || self.wants(id));
        offers.extend(rest.map(|identity| AgentOffer {
            identity,
            of_a_file: false,
        }));
        offers.sort_by_key(|offer| {
            (
                !self.wants(&offer.identity),
                certificate_of(&offer.identity).is_none(),
            )
        });
        offers
    }

    fn wants(&self, id: &AgentIdentity) -> bool {
        let named = self.instead.iter().any(|cert| has_certificate(id, cert));
        named
            || self
                .keys
                .iter()
                .any(|key| key.key_data() == id.public_key().key_data())
    }
}

/// Whether an identity is the bare key of this certificate.
fn is_key_of(id: &AgentIdentity, cert: &Certificate) -> bool {
    matches!(id, AgentIdentity::PublicKey { key, .. } if key.key_data() == cert.public_key())
}

fn certificate_of(id: &AgentIdentity) -> Option<&Certificate> {
    match id {
        AgentIdentity::Certificate { certificate, .. } => Some(certificate),
        AgentIdentity::PublicKey { .. } => None,
    }
}

/// Whether an identity is this certificate.
pub(super) fn has_certificate(id: &AgentIdentity, cert: &Certificate) -> bool {
    certificate_of(id).is_some_and(|held| is_same(held, cert))
}

/// But for its comment, which an agent need not keep.
fn is_same(one: &Certificate, other: &Certificate) -> bool {
    one.to_bytes()
        .is_ok_and(|bytes| other.to_bytes().is_ok_and(|others| others == bytes))
}

/// A server wants a signature of the agent.
pub(super) struct AgentRequest {
    identity: AgentIdentity,
    hash: Option<HashAlg>,
    to_sign: Vec<u8>,
    /// Dropped without one where none came.
    signature: oneshot::Sender<Vec<u8>>,
}

/// Passes on what a server wants to have signed, so that the agent's time is not that of the
/// server.
pub(super) struct SigningRelay(mpsc::Sender<AgentRequest>);

/// A signer, and what it is asked for.
pub(super) fn passing() -> (SigningRelay, mpsc::Receiver<AgentRequest>) {
    let (sender, requests) = mpsc::channel(1);
    (SigningRelay(sender), requests)
}

impl Signer for SigningRelay {
    type Error = SendError;

    async fn auth_sign(
        &mut self,
        presented: &AgentIdentity,
        hash: Option<HashAlg>,
        to_sign: Vec<u8>,
    ) -> Result<Vec<u8>, SendError> {
        let (signature, signed) = oneshot::channel();
        let request = AgentRequest {
            identity: presented.clone(),
            hash,
            to_sign,
            signature,
        };
        self.0.send(request).await.map_err(|_| SendError {})?;
        signed.await.map_err(|_| SendError {})
    }
}

/// Why there is no signature.
#[derive(Debug, thiserror::Error)]
pub(super) enum SigningError {
    /// The agent did not answer in its time; it may still do, so it is asked for nothing more.
    #[error("it did not answer in its time")]
    Late,
    #[error(transparent)]
    Declined(AgentAuthError),
}

/// Has the agent sign within `limit`.
pub(super) async fn sign(
    agent: &mut Agent,
    request: AgentRequest,
    of_a_file: bool,
    limit: Duration,
) -> Result<(), SigningError> {
    let AgentRequest {
        identity,
        hash,
        to_sign,
        signature,
    } = request;
    // For a certificate of a file the agent has the bare key.
    let held = if of_a_file {
        identity.public_key().into_owned().into()
    } else {
        identity
    };
    let signing = agent.auth_sign(&held, hash, to_sign);
    let signed = tokio::time::timeout(limit, signing)
        .await
        .map_err(|_| SigningError::Late)?
        .map_err(SigningError::Declined)?;
    // Who asked may have gone with the connection.
    let _ = signature.send(signed);
    Ok(())
}
