//! Reads, matches and extends `known_hosts` files, by the rules of OpenSSH's sshd(8).
//!
//! Plain, hashed and wildcard names, negation, `[host]:port`, several keys per host, `@revoked`
//! before everything else, `@cert-authority`. russh's own helper accepts revoked keys and stops at
//! the first bad line, so it is not used. The caller decides what to do with an unknown key.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use ::russh::keys::ssh_key::certificate::CertType;
use ::russh::keys::ssh_key::public::KeyData;
use ::russh::keys::{Algorithm, Certificate, HashAlg, PublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

mod revoked;
#[cfg(test)]
mod tests;

pub(super) use revoked::RevokedKeys;

/// Everything on record, of all files, in order.
#[derive(Debug, Default)]
pub(super) struct KnownHosts {
    entries: Vec<KnownHost>,
}

/// What the record says of a key that a server presents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum KeyVerdict {
    /// It is on record for this host.
    Known,
    /// Nothing is on record for this host.
    Unknown,
    /// It, or the authority that signed it, is marked `@revoked`.
    Revoked(KnownHostsLine),
    /// It, or the authority that signed it, is in this file of `RevokedHostKeys`.
    Listed(PathBuf),
    /// It cannot be trusted, whatever is on record: why, and what to do.
    Unfit { why: String, hint: &'static str },
    /// Other keys are on record for this host.
    Changed {
        /// `SHA256:…` of the key on record.
        recorded: String,
        /// Where it is on record.
        at: KnownHostsLine,
    },
}

/// A line of a file, for messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KnownHostsLine {
    pub(super) file: PathBuf,
    /// From 1.
    pub(super) line: usize,
}

impl std::fmt::Display for KnownHostsLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}

#[derive(Debug)]
struct KnownHost {
    marker: HostKeyMarker,
    names: RecordedNames,
    key: KeyData,
    at: KnownHostsLine,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HostKeyMarker {
    None,
    Revoked,
    CertAuthority,
}

#[derive(Debug)]
enum RecordedNames {
    Patterns(Vec<String>),
    Hashed { salt: Vec<u8>, hash: Vec<u8> },
}

/// The name under which a server is on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RecordedServer {
    bare: String,
    port: u16,
}

impl RecordedServer {
    /// `host` is what is dialled, or the alias that the user's configuration gives (then the port
    /// is not part of it).
    pub(super) fn new(host: &str, port: u16) -> Self {
        Self {
            bare: host.to_lowercase(),
            port,
        }
    }

    /// `host`, or `[host]:port` where the port is not 22.
    pub(super) fn name(&self) -> String {
        if self.port == 22 {
            self.bare.clone()
        } else {
            format!("[{}]:{}", self.bare, self.port)
        }
    }
}

impl KnownHosts {
    /// Reads files in order. One that does not exist is empty; lines that cannot be understood are
    /// skipped, as OpenSSH does.
    ///
    /// # Errors
    /// When a file exists and cannot be read: then nobody knows what is revoked.
    pub(super) fn read(files: &[PathBuf]) -> io::Result<Self> {
        let mut known = Self::default();
        for file in files {
            match std::fs::read(file) {
                Ok(bytes) => known.add(file, &String::from_utf8_lossy(&bytes)),
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                    ) => {}
                Err(error) => {
                    return Err(io::Error::new(
                        error.kind(),
                        format!("{}: {error}", file.display()),
                    ));
                }
            }
        }
        Ok(known)
    }

    fn add(&mut self, file: &Path, text: &str) {
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let at = KnownHostsLine {
                file: file.to_owned(),
                line: number,
            };
            match KnownHost::parse(line, at) {
                Ok(entry) => self.entries.push(entry),
                Err((at, why)) => tracing::debug!("{at}: {why}; the line is skipped"),
            }
        }
    }

    /// What is to be thought of a plain key.
    pub(super) fn check(&self, subject: &RecordedServer, key: &KeyData) -> KeyVerdict {
        if let Some(at) = self.revoked(key) {
            return KeyVerdict::Revoked(at);
        }
        let name = subject.name();
        let mut recorded = None;
        for entry in self.plain(&name) {
            if entry.key == *key {
                return KeyVerdict::Known;
            }
            // A recorded key of the same type says more than one of another type.
            if recorded.is_none_or(|r: &KnownHost| r.key.algorithm() != key.algorithm()) {
                recorded = Some(entry);
            }
        }
        match recorded {
            Some(entry) => KeyVerdict::Changed {
                recorded: fingerprint(&entry.key),
                at: entry.at.clone(),
            },
            None if subject.port != 22
                && self.plain(&subject.bare).any(|entry| entry.key == *key) =>
            {
                KeyVerdict::Known
            }
            None => KeyVerdict::Unknown,
        }
    }

    /// What is to be thought of a host certificate: `Known` only where an authority on record
    /// signed it for this host and for now; `Unknown` means that its bare key must be judged.
    pub(super) fn check_certificate(
        &self,
        subject: &RecordedServer,
        cert: &Certificate,
        now: SystemTime,
    ) -> KeyVerdict {
        if let Some(at) = self
            .revoked(cert.public_key())
            .or_else(|| self.revoked(cert.signature_key()))
        {
            return KeyVerdict::Revoked(at);
        }
        let authorities: Vec<_> = self
            .authorities(subject)
            .map(|entry| PublicKey::new(entry.key.clone(), "").fingerprint(HashAlg::Sha256))
            .collect();
        let seconds = now
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        let trusted = cert.cert_type() == CertType::Host
            && cert.critical_options().is_empty()
            && cert
                .valid_principals()
                .iter()
                .any(|principal| glob(&principal.to_lowercase(), &subject.bare))
            && cert.validate_at(seconds, &authorities).is_ok();
        if trusted {
            KeyVerdict::Known
        } else {
            KeyVerdict::Unknown
        }
    }

    /// The types of the keys on record for a host, most trusted first: they are negotiated first,
    /// or a server with several keys would present one that nobody ever saw.
    pub(super) fn recorded_types(&self, subject: &RecordedServer) -> Vec<Algorithm> {
        let name = subject.name();
        let bare = subject.bare.clone();
        let mut types = Vec::new();
        for entry in self.plain(&name).chain(self.plain(&bare)) {
            let algorithm = entry.key.algorithm();
            if !types.contains(&algorithm) {
                types.push(algorithm);
            }
        }
        types
    }

    /// Whether an authority is on record for a host, so that asking for its certificate makes
    /// sense.
    pub(super) fn has_authority(&self, subject: &RecordedServer) -> bool {
        self.authorities(subject).next().is_some()
    }

    fn plain<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a KnownHost> + 'a {
        self.entries
            .iter()
            .filter(move |entry| entry.marker == HostKeyMarker::None && entry.names.include(name))
    }

    /// Those for its name with the port, and as with OpenSSH those for its name alone.
    fn authorities<'a>(
        &'a self,
        subject: &'a RecordedServer,
    ) -> impl Iterator<Item = &'a KnownHost> + 'a {
        let name = subject.name();
        let concerns =
            move |names: &RecordedNames| names.include(&name) || names.include(&subject.bare);
        self.entries.iter().filter(move |entry| {
            entry.marker == HostKeyMarker::CertAuthority && concerns(&entry.names)
        })
    }

    /// OpenSSH matches the host here too; a key that was revoked anywhere is not to be trusted
    /// anywhere.
    fn revoked(&self, key: &KeyData) -> Option<KnownHostsLine> {
        self.entries
            .iter()
            .find(|entry| entry.marker == HostKeyMarker::Revoked && entry.key == *key)
            .map(|entry| entry.at.clone())
    }
}

/// `SHA256:…`, as `ssh-keygen -lf` prints it.
pub(super) fn fingerprint(key: &KeyData) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

/// Appends a key for a host, with the name hashed where asked; makes the file (0600) and its folder
/// (0700) if needed.
///
/// # Errors
/// When the file cannot be made or written.
pub(super) fn append(
    file: &Path,
    subject: &RecordedServer,
    key: &PublicKey,
    hashed: bool,
) -> io::Result<()> {
    if let Some(folder) = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty() && !folder.exists())
    {
        make_folder(folder)?;
    }
    let name = if hashed {
        hash_name(&subject.name())
    } else {
        subject.name()
    };
    let bare = PublicKey::new(key.key_data().clone(), "");
    let line = format!("{name} {}\n", bare.to_openssh().map_err(io::Error::other)?);
    let lead = if ends_within_a_line(file) { "\n" } else { "" };
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // One write: O_APPEND keeps lines of several writers whole.
    options
        .open(file)?
        .write_all(format!("{lead}{line}").as_bytes())
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn ends_within_a_line(file: &Path) -> bool {
    use io::{Read, Seek, SeekFrom};
    let last = || -> io::Result<u8> {
        let mut file = std::fs::File::open(file)?;
        file.seek(SeekFrom::End(-1))?;
        let mut byte = [0];
        file.read_exact(&mut byte)?;
        Ok(byte[0])
    };
    last().is_ok_and(|byte| byte != b'\n')
}

fn hash_name(name: &str) -> String {
    let salt: [u8; 20] = rand::random();
    format!(
        "|1|{}|{}",
        STANDARD.encode(salt),
        STANDARD.encode(hmac_sha1(&salt, name))
    )
}

fn hmac_sha1(salt: &[u8], name: &str) -> Vec<u8> {
    // HMAC takes a key of any length, so the error cannot occur; an empty hash matches nothing.
    Hmac::<Sha1>::new_from_slice(salt).map_or_else(
        |_| Vec::new(),
        |mut mac| {
            mac.update(name.as_bytes());
            mac.finalize().into_bytes().to_vec()
        },
    )
}

impl KnownHost {
    fn parse(line: &str, at: KnownHostsLine) -> Result<Self, (KnownHostsLine, String)> {
        let mut words = line.split_ascii_whitespace();
        let mut first = words.next().unwrap_or_default();
        let marker = match first {
            "@revoked" => HostKeyMarker::Revoked,
            "@cert-authority" => HostKeyMarker::CertAuthority,
            other if other.starts_with('@') => return Err((at, format!("unknown marker {other}"))),
            _ => HostKeyMarker::None,
        };
        if marker != HostKeyMarker::None {
            first = words.next().unwrap_or_default();
        }
        let (Some(kind), Some(blob)) = (words.next(), words.next()) else {
            return Err((at, "no key in it".to_owned()));
        };
        let key = match PublicKey::from_openssh(&format!("{kind} {blob}")) {
            Ok(key) => key.key_data().clone(),
            Err(error) => return Err((at, format!("the key is not readable: {error}"))),
        };
        match RecordedNames::parse(first) {
            Some(names) => Ok(Self {
                marker,
                names,
                key,
                at,
            }),
            None => Err((at, "the hashed name is not readable".to_owned())),
        }
    }
}

impl RecordedNames {
    fn parse(word: &str) -> Option<Self> {
        let Some(hashed) = word.strip_prefix("|1|") else {
            return Some(Self::Patterns(
                word.split(',').map(str::to_lowercase).collect(),
            ));
        };
        let (salt, hash) = hashed.split_once('|')?;
        Some(Self::Hashed {
            salt: STANDARD.decode(salt).ok()?,
            hash: STANDARD.decode(hash).ok()?,
        })
    }

    fn include(&self, name: &str) -> bool {
        match self {
            Self::Hashed { salt, hash } => !hash.is_empty() && hmac_sha1(salt, name) == *hash,
            Self::Patterns(patterns) => {
                let refused = |p: &String| p.strip_prefix('!').is_some_and(|p| glob(p, name));
                !patterns.iter().any(refused)
                    && patterns
                        .iter()
                        .any(|p| !p.starts_with('!') && glob(p, name))
            }
        }
    }
}

/// `*` and `?`, nothing else: `[` is part of `[host]:port` here. Linear in time but for one
/// fallback point.
fn glob(pattern: &str, text: &str) -> bool {
    let pattern = pattern.as_bytes();
    let text = text.as_bytes();
    let mut p = 0;
    let mut t = 0;
    let mut fallback = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                fallback = Some((p, t));
                p += 1;
            }
            Some(&c) if c == b'?' || c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match fallback {
                Some((star, from)) => {
                    fallback = Some((star, from + 1));
                    p = star + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == b'*')
}
