//! Judges what a server presents: the strength of its key and of its certificate, what is revoked,
//! what is on record.
//!
//! `known_hosts` reads what is on record, and `dial` decides what to do about an unknown key.

use ::russh::keys::agent::AgentSessionBinding;
use ::russh::keys::{PublicKey, PublicKeyOrCertificate};
use ::russh::{Names, Preferred, cipher};

use crate::clock;
use crate::model::state::LinkState;
use crate::transport::LinkError;
use crate::transport::algorithms::{self, KeyPolicy};
use crate::transport::failure::{self, ServerLabel};
use crate::transport::known_hosts::{
    KeyVerdict, KnownHosts, RecordedServer, RevokedKeys, fingerprint,
};

/// How the handler judges a host key.
pub(crate) struct HostKeyJudge {
    pub(crate) known: KnownHosts,
    pub(crate) subject: RecordedServer,
    /// A key that a person has just accepted.
    pub(crate) pinned: Option<PublicKey>,
    pub(crate) accept_new: bool,
    pub(crate) revoked: RevokedKeys,
    pub(crate) policy: KeyPolicy,
}

/// A key that was judged.
pub(crate) struct JudgedKey {
    pub(crate) key: PublicKey,
    pub(crate) verdict: KeyVerdict,
    /// Why the certificate in which it came does not count.
    pub(crate) aside: Option<String>,
}

const NEW_KEY: &str =
    "give the host a stronger key, or reach it with transport = \"system\" as your OpenSSH allows";

impl HostKeyJudge {
    pub(super) fn preferred(&self) -> Preferred {
        self.policy.preferred(
            &self.known.recorded_types(&self.subject),
            self.known.has_authority(&self.subject),
        )
    }

    /// In the order of OpenSSH: what is too weak, what is revoked, what an authority says, what is
    /// on record.
    pub(super) async fn judge(&self, presented: &PublicKeyOrCertificate) -> JudgedKey {
        let key = presented.public_key();
        let mut aside = None;
        let verdict = match self.unfit(presented).await {
            Some(verdict) => verdict,
            None => self.look_up(presented, &key, &mut aside),
        };
        JudgedKey {
            key,
            verdict,
            aside,
        }
    }

    async fn unfit(&self, presented: &PublicKeyOrCertificate) -> Option<KeyVerdict> {
        if let Some(why) = self.policy.weakness(presented.public_key().key_data()) {
            return Some(KeyVerdict::Unfit {
                why: format!("is too weak ({why})"),
                hint: NEW_KEY,
            });
        }
        match self.revoked.check(presented).await {
            Ok(None) => None,
            Ok(Some(file)) => Some(KeyVerdict::Listed(file.to_owned())),
            Err(why) => Some(KeyVerdict::Unfit {
                why: format!("cannot be checked against the revoked keys: {why}"),
                hint: "mend the file, or RevokedHostKeys in ~/.ssh/config",
            }),
        }
    }

    fn look_up(
        &self,
        presented: &PublicKeyOrCertificate,
        key: &PublicKey,
        aside: &mut Option<String>,
    ) -> KeyVerdict {
        if let Some(cert) = presented.certificate() {
            let now = clock::now().to_timestamp().into();
            match self.known.check_certificate(&self.subject, cert, now) {
                KeyVerdict::Unknown => {}
                KeyVerdict::Known => match self.policy.distrusted_authority(cert) {
                    None => return KeyVerdict::Known,
                    // Like OpenSSH we go on with the bare key, which may be on record too.
                    why => *aside = why,
                },
                verdict => return verdict,
            }
        }
        let verdict = self.known.check(&self.subject, key.key_data());
        let pinned = self
            .pinned
            .as_ref()
            .is_some_and(|pinned| pinned.key_data() == key.key_data());
        if verdict == KeyVerdict::Unknown && pinned {
            KeyVerdict::Known
        } else {
            verdict
        }
    }
}

/// Why the signature by which a server proves its key does not count. The library takes any that is
/// valid, whatever was negotiated.
pub(super) fn unfit_signature(binding: &AgentSessionBinding) -> Option<KeyVerdict> {
    let name = algorithms::of_signature(binding.signature()).unwrap_or_default();
    let why = algorithms::refusal(name)?;
    Some(KeyVerdict::Unfit {
        why: format!("is proved with {name:?} ({why})"),
        hint: NEW_KEY,
    })
}

/// Puts what was negotiated into the log.
pub(super) fn note_negotiated(place: &str, names: &Names) {
    let kex = names.kex.as_ref();
    let key = names.key.as_str();
    let cipher = names.cipher.as_ref();
    let mac = names.server_mac.as_ref();
    let strict = if names.strict_kex() {
        "strict"
    } else {
        "not strict"
    };
    tracing::info!(
        "{place}: key exchange {kex} ({strict}), host key {key}, cipher {cipher}, mac {mac}"
    );
    if !names.strict_kex() && names.cipher == cipher::CHACHA20_POLY1305 {
        tracing::warn!(
            "{place}: without strict key exchange and with {cipher}, who is on the way can drop its first messages unnoticed \
             (CVE-2023-48795); update its sshd"
        );
    }
}

/// A key judged while shaking hands, as the error it leads to. `Unknown` is for the caller to ask
/// about.
pub(crate) fn distrusted(
    place: &ServerLabel,
    subject: &RecordedServer,
    judged: &JudgedKey,
) -> LinkError {
    let JudgedKey {
        key,
        verdict,
        aside,
    } = judged;
    let presented = format!(
        "{} {}",
        key.algorithm().as_str(),
        fingerprint(key.key_data())
    );
    let aside = aside
        .as_ref()
        .map(|why| format!("; its certificate does not count: {why}"))
        .unwrap_or_default();
    match verdict {
        KeyVerdict::Changed { recorded, at } => LinkError::new(
            LinkState::HostKeyChanged,
            format!(
                "the host key of {place} has changed: it presents {presented}, on record is {recorded} at {at}{aside}"
            ),
            format!(
                "if the host was really rebuilt: ssh-keygen -R '{}' -f '{}', then connect again",
                subject.name(),
                at.file.display()
            ),
        ),
        KeyVerdict::Revoked(at) => revoked(place, &format!("marked @revoked at {at}"), &presented),
        KeyVerdict::Listed(file) => {
            revoked(place, &format!("revoked by {}", file.display()), &presented)
        }
        KeyVerdict::Unfit { why, hint } => {
            failure::denied(format!("the host key of {place} {why}: {presented}"), *hint)
        }
        KeyVerdict::Unknown | KeyVerdict::Known => failure::denied(
            format!(
                "the host key of {place} is not on record and was not accepted: {presented}{aside}"
            ),
            "compare it with the host's own, then accept it in the console or with ssh, or use --host-keys accept-new",
        ),
    }
}

fn revoked(place: &ServerLabel, how: &str, presented: &str) -> LinkError {
    LinkError::new(
        LinkState::HostKeyChanged,
        format!("the host key of {place} is {how}: {presented}"),
        failure::REVOKED,
    )
}
