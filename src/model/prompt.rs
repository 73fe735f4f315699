//! What only a person can answer while a host is being reached. A question holds up its own host
//! and no other.

use zeroize::Zeroizing;

use super::host::HostName;

/// Asked by `transport`, answered in the console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperatorPrompt {
    /// The host key is not on record: trust it and store it?
    TrustHostKey {
        /// The host (or jump host) that presented it.
        host: HostName,
        /// `address:port` as dialled.
        address: String,
        /// `ssh-ed25519`, `ecdsa-sha2-nistp256`, …
        key_type: String,
        /// `SHA256:…`, as `ssh-keygen -lf` prints it.
        fingerprint: String,
    },
    /// The passphrase of an encrypted key file. Asked once for all hosts that use the key.
    Passphrase {
        /// The key file, for display.
        path: String,
        /// True where the last answer was wrong.
        again: bool,
    },
    /// A password or another prompt of the server (keyboard-interactive).
    Secret {
        /// The host that asks.
        host: HostName,
        /// The server's words, or `password for USER`; not yet sanitised.
        prompt: String,
        /// Whether the answer may be shown while it is typed.
        echo: bool,
    },
}

/// The answer to a [`OperatorPrompt`].
#[derive(Clone, PartialEq, Eq)]
pub enum PromptReply {
    /// To [`OperatorPrompt::TrustHostKey`].
    Yes,
    /// Refuses; the host stays as it is, with the reason.
    No,
    /// A passphrase, password or code; wiped from memory after use.
    Secret(Zeroizing<String>),
}

impl std::fmt::Debug for PromptReply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Yes => "Yes",
            Self::No => "No",
            Self::Secret(_) => "Secret(…)",
        })
    }
}
