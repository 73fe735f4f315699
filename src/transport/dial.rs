//! Dials one server and logs in: budget, time limit, host key, prompts to a person.
//!
//! `route` decides which servers are dialled, and through which others.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::russh::keys::PublicKey;

use super::budget::HandshakePermit;
use super::connector_state::ConnectorState;
use super::deadline::Deadline;
use super::failure;
use super::known_hosts::{self, KeyVerdict, KnownHosts, RevokedKeys};
use super::overheard::{self, ServerLanguage, StepOverdue};
use super::pace::LinkPacer;
use super::plan::ConnectPlan;
use super::russh::auth::{self, LoginContext, LoginFailure};
use super::russh::client::{self, HandlerNotes, HandshakenClient, LoginPacing, RusshClient};
use super::russh::trust::{self, HostKeyJudge, JudgedKey};
use super::stream::ByteStream;
use super::{LinkError, outward, proxy};
use crate::model::host::{HostKeyPolicy, HostName};
use crate::model::prompt::{OperatorPrompt, PromptReply};
use crate::model::state::LinkState;

/// Dialling again after a question was answered: one host key, and the passphrases of the keys that
/// are offered.
const MAX_ATTEMPTS: usize = 8;

/// Why an attempt stopped short.
enum AttemptError {
    Failed(LinkError),
    UnknownKey(JudgedKey),
    Locked(std::path::PathBuf),
}

impl From<LinkError> for AttemptError {
    fn from(error: LinkError) -> Self {
        Self::Failed(error)
    }
}

/// One server to dial, perhaps through another.
pub(super) struct ServerDial<'a> {
    pub(super) inner: &'a ConnectorState,
    pub(super) plan: &'a ConnectPlan,
    /// The server that carries the connection; directly where `None`.
    pub(super) outer: Option<Arc<RusshClient>>,
    /// When the attempt to reach the host began.
    pub(super) begun: Instant,
}

impl ServerDial<'_> {
    /// Dials until it is in or it is clear that it cannot be. Between two attempts nothing is held
    /// while a person is asked: no connection, no place in the budget.
    pub(super) async fn run(&self) -> Result<Arc<RusshClient>, LinkError> {
        let mut pinned = None;
        for _ in 0..MAX_ATTEMPTS {
            match self.attempt(pinned.clone()).await {
                Ok(client) => return Ok(client),
                Err(AttemptError::Failed(error)) => return Err(error),
                Err(AttemptError::UnknownKey(judged)) => {
                    self.ask_to_trust(&judged).await?;
                    pinned = Some(judged.key);
                }
                Err(AttemptError::Locked(path)) => {
                    self.inner
                        .keyring
                        .unlock(&path, &*self.inner.asker, self.begun)
                        .await;
                }
            }
        }
        Err(failure::denied(
            format!(
                "{} was given up after {MAX_ATTEMPTS} attempts to log in",
                self.plan.place
            ),
            "its host key or the key files change while they are used",
        ))
    }

    async fn attempt(&self, pinned: Option<PublicKey>) -> Result<Arc<RusshClient>, AttemptError> {
        let trust = self.trust(pinned).await?;
        let mut permit = self.inner.budget.handshake(&self.budget_name()).await;
        let pacer = LinkPacer::new();
        let stream = self
            .stream(&mut Deadline::new(self.inner.settings.connect_timeout))
            .await?;
        let mut greeted = self
            .shake_hands(stream, pacer, trust)
            .await
            .map_err(|setback| self.by_the_way(setback))?;
        let guard = greeted.cut.on_drop();
        // It speaks SSH, so it is there: from here on it may be as slow as a login may be.
        let mut deadline = Deadline::new(self.inner.login_time());
        let logged_in = self.log_in(&mut greeted, &mut deadline, &mut permit).await;
        greeted.person_was_asked = logged_in.map_err(|setback| self.by_the_way(setback))?;
        guard.disarm();
        Ok(RusshClient::new(
            greeted,
            self.plan.place.clone(),
            self.outer.clone(),
        ))
    }

    /// Where what carried the connection went away, the server itself did nothing.
    fn by_the_way(&self, setback: AttemptError) -> AttemptError {
        match setback {
            AttemptError::Failed(error) if !error.state().needs_a_person() => {
                AttemptError::Failed(client::OuterClient::by(self.outer.clone()).explain(error))
            }
            setback => setback,
        }
    }

    async fn stream(&self, deadline: &mut Deadline) -> Result<Box<dyn ByteStream>, LinkError> {
        let place = &self.plan.place;
        let (opened, awaited) = match (&self.outer, &self.plan.proxy_command) {
            (Some(outer), _) => (
                deadline.run(outer.tunnel(place)).await,
                "a way through the jump host",
            ),
            (None, Some(command)) => (Ok(proxy::run(command, self.plan)), "the proxy command"),
            (None, None) => (
                deadline
                    .run(outward::connect(
                        place,
                        &self.plan.local_end,
                        deadline_share(self.inner),
                    ))
                    .await,
                "a TCP connection",
            ),
        };
        opened.unwrap_or_else(|_| Err(failure::no_answer(place, awaited, deadline.whole())))
    }

    async fn shake_hands(
        &self,
        stream: Box<dyn ByteStream>,
        pacer: LinkPacer,
        trust: HostKeyJudge,
    ) -> Result<HandshakenClient, AttemptError> {
        let (stream, overheard) = overheard::listen(stream);
        let silence = self.inner.settings.connect_timeout;
        let login_time = self.inner.login_time();
        let pacing = LoginPacing { pacer, login_time };
        let shaking = client::handshake(Box::new(stream), pacing, &self.plan.place, trust);
        let done = overheard
            .while_speaking(shaking, silence, login_time)
            .await
            .map_err(|overdue| self.not_in_time(&overdue, overheard.language()))?;
        match done {
            Ok(greeted) => {
                self.store_if_new(&greeted).await;
                Ok(greeted)
            }
            Err((::russh::Error::UnknownKey, notes)) => Err(self.key_not_taken(&notes)),
            Err((error, _)) => {
                let failed = LinkError {
                    beyond_russh: self.plan.policy.only_ssh_can(&error),
                    ..client::shaking_hands(&self.plan.place, &error)
                };
                Err(self.not_shaken(failed, overheard.language()).into())
            }
        }
    }

    /// The handshake took too long.
    fn not_in_time(&self, overdue: &StepOverdue, language: ServerLanguage) -> LinkError {
        let waited = if *overdue == StepOverdue::Silent {
            self.inner.settings.connect_timeout
        } else {
            self.inner.login_time()
        };
        let place = &self.plan.place;
        match language {
            ServerLanguage::Other(line) => failure::no_version(place, &line, overdue, waited),
            ServerLanguage::Unknown | ServerLanguage::Ssh => {
                failure::no_answer(place, "the key exchange", waited)
            }
        }
    }

    /// The handler did not take the host key: it may be put on record, or it is distrusted.
    fn key_not_taken(&self, notes: &HandlerNotes) -> AttemptError {
        let place = &self.plan.place;
        match notes.take_judged() {
            Some(judged) if judged.verdict == KeyVerdict::Unknown => {
                AttemptError::UnknownKey(judged)
            }
            Some(judged) => self.distrusted(&judged).into(),
            None => client::shaking_hands(place, &::russh::Error::UnknownKey).into(),
        }
    }

    fn distrusted(&self, judged: &JudgedKey) -> LinkError {
        let mut error = trust::distrusted(&self.plan.place, &self.plan.subject, judged);
        if judged.verdict == KeyVerdict::Unknown && self.plan.checking_is_off {
            error.not_checked();
        }
        error
    }

    /// What a failed handshake means, by what the server had said before.
    fn not_shaken(&self, failed: LinkError, language: ServerLanguage) -> LinkError {
        let closed = failed.state() == LinkState::Throttled;
        match (language, &self.outer, &self.plan.proxy_command) {
            (ServerLanguage::Other(line), ..) => failure::not_ssh(&self.plan.place, &line),
            (ServerLanguage::Ssh, ..) if closed => failure::left_in_key_exchange(&self.plan.place),
            (ServerLanguage::Unknown, None, Some(command)) if closed => {
                proxy::ended(command, self.plan)
            }
            _ => failed,
        }
    }

    async fn log_in(
        &self,
        greeted: &mut HandshakenClient,
        deadline: &mut Deadline,
        permit: &mut Option<HandshakePermit>,
    ) -> Result<bool, AttemptError> {
        let host = self.host()?;
        let ConnectorState { keyring, asker, .. } = self.inner;
        let agent_time = self.inner.agent_time();
        let login = LoginContext {
            plan: self.plan,
            host: &host,
            keyring,
            asker: &**asker,
            begun: self.begun,
            agent_time,
        };
        auth::log_in(&login, greeted, deadline, permit)
            .await
            .map_err(|refused| match refused {
                LoginFailure::Locked(path) => AttemptError::Locked(path),
                LoginFailure::Failed(error) => AttemptError::Failed(error),
            })
    }

    async fn trust(&self, pinned: Option<PublicKey>) -> Result<HostKeyJudge, LinkError> {
        let files = self.plan.known_hosts.clone();
        let known = on_disk(move || KnownHosts::read(&files))
            .await
            .map_err(|error| {
                let hint = "mend the file or its permissions";
                self.unreadable("the host keys on record", &error, hint)
            })?;
        let files = self.plan.revoked.clone();
        let revoked = on_disk(move || RevokedKeys::read(&files))
            .await
            .map_err(|error| {
                self.unreadable("the revoked host keys", &error, failure::UNREADABLE_REVOKED)
            })?;
        Ok(HostKeyJudge {
            known,
            subject: self.plan.subject.clone(),
            pinned,
            accept_new: self.plan.host_keys == HostKeyPolicy::AcceptNew,
            revoked,
            policy: self.plan.policy.clone(),
        })
    }

    fn unreadable(&self, what: &str, error: &io::Error, hint: &str) -> LinkError {
        let place = &self.plan.place;
        let reason = format!("cannot read {what}, so {place} cannot be trusted: {error}");
        failure::denied(reason, hint)
    }

    async fn store_if_new(&self, greeted: &HandshakenClient) {
        if let Some(JudgedKey {
            key,
            verdict: KeyVerdict::Unknown,
            ..
        }) = greeted.notes.take_judged()
            && let Err(error) = self.store(&key).await
        {
            tracing::warn!(
                "the host key of {} was accepted but not stored: {error}",
                self.plan.place
            );
        }
    }

    async fn ask_to_trust(&self, judged: &JudgedKey) -> Result<(), LinkError> {
        let key = &judged.key;
        let question = OperatorPrompt::TrustHostKey {
            host: self.host()?,
            address: self.plan.place.dialled(),
            key_type: key.algorithm().as_str().to_owned(),
            fingerprint: known_hosts::fingerprint(key.key_data()),
        };
        if self.inner.asker.ask(question).await != PromptReply::Yes {
            return Err(self.distrusted(judged));
        }
        if let Err(error) = self.store(key).await {
            // The person trusts it for now; next time the question comes again.
            tracing::warn!(
                "the host key of {} is trusted but not stored: {error}",
                self.plan.place
            );
        }
        Ok(())
    }

    /// Appends the key, unless another host of the same name has done so by now.
    async fn store(&self, key: &PublicKey) -> io::Result<()> {
        let Some(file) = self.plan.store_in.clone() else {
            return Err(io::Error::other(
                "there is no home folder to keep known_hosts in",
            ));
        };
        let subject = self.plan.subject.clone();
        let key = key.clone();
        let hashed = self.plan.hash_names;
        let _one_at_a_time = self.inner.storing.lock().await;
        on_disk(move || {
            let known = KnownHosts::read(std::slice::from_ref(&file))?;
            match known.check(&subject, key.key_data()) {
                KeyVerdict::Unknown => known_hosts::append(&file, &subject, &key, hashed),
                _ => Ok(()),
            }
        })
        .await
    }

    fn host(&self) -> Result<HostName, LinkError> {
        let place = &self.plan.place;
        HostName::new(&place.name).map_err(|error| {
            LinkError::new(
                LinkState::Unreachable,
                format!("{place}: {error}"),
                "rename the host",
            )
        })
    }

    /// The same address behind different jump hosts is not the same server.
    fn budget_name(&self) -> String {
        let via = self
            .outer
            .as_ref()
            .map(|outer| outer.place.dialled())
            .unwrap_or_default();
        format!("{via}>{}", self.plan.place.dialled())
    }
}

/// Runs what may wait for a disk.
async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(io::Error::other(error)))
}

/// What one address of several may take, so that one that drops packets leaves time for the next.
fn deadline_share(inner: &ConnectorState) -> Duration {
    inner.settings.connect_timeout / 2
}
