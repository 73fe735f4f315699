//! Private keys of the run: read once, unlocked once, shared by all hosts.
//!
//! A passphrase is asked for by the first host that needs the key; the others wait for the same
//! answer.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use ::russh::keys::{self, Algorithm, Certificate, PrivateKey, PublicKey};

use super::PromptAnswerer;
use crate::model::prompt::{OperatorPrompt, PromptReply};

/// Wrong passphrases until we give up on a key, as `ssh` does.
const PASSPHRASE_TRIES: u32 = 3;

/// A key file is a few KiB; anything larger is a mistake (a device, a log).
const MAX_KEY_BYTES: u64 = 1 << 20;

/// The key files of the run.
#[derive(Default)]
pub(super) struct Keyring {
    files: Mutex<HashMap<PathBuf, Arc<KeySlot>>>,
}

#[derive(Default)]
struct KeySlot {
    state: Mutex<KeyState>,
    /// Held while a person thinks: it is what makes the others wait for the same answer.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct KeyState {
    key: Option<Arc<PrivateKey>>,
    /// When a person last declined to unlock it: whoever had been waiting then must not ask again.
    declined: Option<Instant>,
}

impl KeySlot {
    fn state(&self) -> MutexGuard<'_, KeyState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known without reading the file.
    fn known(&self, begun: Instant) -> Option<KeyFile> {
        let state = self.state();
        match &state.key {
            Some(key) => Some(KeyFile::Ready(Arc::clone(key))),
            None => state
                .declined
                .filter(|at| *at >= begun)
                .map(|_| KeyFile::Declined),
        }
    }
}

/// A key file as it is.
pub(super) enum KeyFile {
    /// Can sign.
    Ready(Arc<PrivateKey>),
    /// Needs its passphrase; the public half where it can be read without.
    Locked(Option<PublicKey>),
    /// A person declined to unlock it for this attempt.
    Declined,
    /// No such file.
    Missing,
    /// The file of a public key or of a certificate, which names a key of the ssh-agent.
    Public(PublicHalf),
    /// Why it cannot be used.
    Broken(String),
}

impl Keyring {
    /// Looks at a key file, without asking anybody and without waiting for anybody who is being
    /// asked: the caller holds a place in the budget. `begun` is when the attempt to connect began.
    pub(super) async fn look(&self, path: &Path, begun: Instant) -> KeyFile {
        let slot = self.slot(path);
        if let Some(known) = slot.known(begun) {
            return known;
        }
        let read = load(path.to_owned(), None).await;
        if let KeyFile::Ready(key) = &read {
            slot.state().key = Some(Arc::clone(key));
        }
        read
    }

    /// Asks for the passphrase unless somebody else just did. The result is found by
    /// [`Keyring::look`].
    pub(super) async fn unlock(&self, path: &Path, asker: &dyn PromptAnswerer, begun: Instant) {
        let slot = self.slot(path);
        let _asking = slot.asking.lock().await;
        if slot.known(begun).is_some() {
            return;
        }
        for again in (0..PASSPHRASE_TRIES).map(|n| n > 0) {
            let question = OperatorPrompt::Passphrase {
                path: path.display().to_string(),
                again,
            };
            let PromptReply::Secret(passphrase) = asker.ask(question).await else {
                break;
            };
            if let KeyFile::Ready(key) = load(path.to_owned(), Some(passphrase)).await {
                slot.state().key = Some(key);
                return;
            }
        }
        slot.state().declined = Some(Instant::now());
    }

    fn slot(&self, path: &Path) -> Arc<KeySlot> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(files.entry(path.to_owned()).or_default())
    }
}

/// Reading and above all unlocking (a quarter of a second of computing) stay off the runtime's
/// threads.
async fn load(path: PathBuf, passphrase: Option<zeroize::Zeroizing<String>>) -> KeyFile {
    tokio::task::spawn_blocking(move || load_now(&path, passphrase.as_ref().map(|p| p.as_str())))
        .await
        .unwrap_or_else(|error| KeyFile::Broken(error.to_string()))
}

fn load_now(path: &Path, passphrase: Option<&str>) -> KeyFile {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return KeyFile::Missing,
        Ok(meta) if !meta.is_file() || meta.len() > MAX_KEY_BYTES => {
            return KeyFile::Broken("it is not a key file".to_owned());
        }
        Ok(_) | Err(_) => {}
    }
    let text = match std::fs::read_to_string(path) {
        Ok(text) => zeroize::Zeroizing::new(text),
        Err(error) => return KeyFile::Broken(error.to_string()),
    };
    if let Some(half) = PublicHalf::parse(&text) {
        return KeyFile::Public(half);
    }
    match keys::decode_secret_key(&text, passphrase) {
        // The library ends the whole session when it is to sign with one of these.
        Ok(key) if is_security_key(&key) => KeyFile::Broken(
            "a security key; add it to the ssh-agent, or set transport = \"system\"".to_owned(),
        ),
        Ok(key) => KeyFile::Ready(Arc::new(key)),
        Err(_) if passphrase.is_none() && is_encrypted(&text) => {
            KeyFile::Locked(public_half(path, Some(&text)).map(|half| half.key()))
        }
        Err(error) => KeyFile::Broken(error.to_string()),
    }
}

fn is_security_key(key: &PrivateKey) -> bool {
    matches!(
        key.algorithm(),
        Algorithm::SkEd25519 | Algorithm::SkEcdsaSha2NistP256
    )
}

fn is_encrypted(text: &str) -> bool {
    PrivateKey::from_openssh(text).is_ok_and(|key| key.is_encrypted())
        || text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----")
        || text.contains("Proc-Type: 4,ENCRYPTED")
        || text
            .lines()
            .any(|line| line.starts_with("Encryption: ") && !line.ends_with("none"))
}

/// What a file says of a key without its private half.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum PublicHalf {
    Key(PublicKey),
    Certificate(Box<Certificate>),
}

impl PublicHalf {
    /// The file of a public key or of a certificate.
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let key = PublicKey::from_openssh(text).map(Self::Key);
        key.or_else(|_| {
            Certificate::from_openssh(text).map(|cert| Self::Certificate(Box::new(cert)))
        })
        .ok()
    }

    pub(super) fn key(&self) -> PublicKey {
        match self {
            Self::Key(key) => key.clone(),
            Self::Certificate(cert) => PublicKey::new(cert.public_key().clone(), ""),
        }
    }
}

/// The public half of a key file: from the file itself where its format tells, else from the `.pub`
/// next to it.
pub(super) fn public_half(path: &Path, text: Option<&str>) -> Option<PublicHalf> {
    let own = text
        .map(str::to_owned)
        .or_else(|| read_small(path))
        .and_then(|text| {
            let private = PrivateKey::from_openssh(&text)
                .ok()
                .map(|key| PublicHalf::Key(key.public_key().clone()));
            private.or_else(|| PublicHalf::parse(&text))
        });
    own.or_else(|| PublicHalf::parse(&read_small(&beside(path, ".pub"))?))
}

/// The private key file next to the file of a public key or of a certificate.
pub(super) fn private_next_to(path: &Path) -> Option<PathBuf> {
    let name = path.to_str()?;
    let bare = name
        .strip_suffix("-cert.pub")
        .or_else(|| name.strip_suffix(".pub"))?;
    Some(PathBuf::from(bare)).filter(|file| file.is_file())
}

/// The certificates of a key: `KEY-cert.pub` next to it, and those named by the user that belong to
/// it.
pub(super) fn certificates(path: &Path, named: &[PathBuf], key: &PublicKey) -> Vec<Certificate> {
    std::iter::once(beside(path, "-cert.pub"))
        .chain(named.iter().cloned())
        .filter_map(|file| certificate(&file))
        .filter(|cert| cert.public_key() == key.key_data())
        .collect()
}

/// A certificate in a file.
pub(super) fn certificate(file: &Path) -> Option<Certificate> {
    Certificate::from_openssh(read_small(file)?.trim()).ok()
}

fn read_small(file: &Path) -> Option<String> {
    let is_small =
        std::fs::metadata(file).is_ok_and(|meta| meta.is_file() && meta.len() <= MAX_KEY_BYTES);
    is_small
        .then(|| std::fs::read_to_string(file).ok())
        .flatten()
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
