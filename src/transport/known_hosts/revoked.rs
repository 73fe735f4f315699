//! `RevokedHostKeys`: files of keys that are not to be trusted, whatever else is on record.
//!
//! A file is a list of public keys, or a binary Key Revocation List, which `ssh-keygen -Q` reads
//! for us. As with OpenSSH a file that cannot be read or understood leaves no key trusted.
//! The parent handles `@revoked` lines of known_hosts.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use ::russh::keys::ssh_key::public::KeyData;
use ::russh::keys::{Certificate, PublicKey, PublicKeyOrCertificate};
use tempfile::NamedTempFile;
use tokio::process::Command;
use tokio::time::Instant;

/// What a Key Revocation List begins with.
const MAGIC: &[u8] = b"SSHKRL\n\0";

/// A list of a hundred thousand keys; a larger file is a mistake (a device, a log).
const MAX_LIST_BYTES: u64 = 64 << 20;

/// What reading all lists of a server may take: `ssh-keygen` needs 10 ms; more than this is a file
/// system that hangs. The server waits for that, and its silence must not be taken for its own.
const TIME: Duration = Duration::from_secs(3);

/// The files of one server.
#[derive(Debug, Default)]
pub(crate) struct RevokedKeys {
    files: Vec<RevocationFile>,
}

#[derive(Debug)]
enum RevocationFile {
    Keys { path: PathBuf, keys: Vec<KeyData> },
    Krl { path: PathBuf },
}

impl RevokedKeys {
    /// Reads the files.
    ///
    /// # Errors
    /// When one cannot be read, or a line of it is no key: then nobody knows what is revoked.
    pub(crate) fn read(paths: &[PathBuf]) -> io::Result<Self> {
        let named = |path: &PathBuf, error: io::Error| {
            io::Error::new(error.kind(), format!("{}: {error}", path.display()))
        };
        let files = paths
            .iter()
            .map(|path| RevocationFile::read(path).map_err(|error| named(path, error)));
        Ok(Self {
            files: files.collect::<io::Result<_>>()?,
        })
    }

    /// The file that revokes what a server presents: its key, its certificate, or the authority of
    /// that.
    ///
    /// # Errors
    /// When a file cannot be asked.
    pub(crate) async fn check(
        &self,
        presented: &PublicKeyOrCertificate,
    ) -> Result<Option<&Path>, String> {
        let until = Instant::now() + TIME;
        for file in &self.files {
            let (path, is_revoked) = match file {
                RevocationFile::Keys { path, keys } => (
                    path,
                    keys_of(presented).iter().any(|key| keys.contains(key)),
                ),
                RevocationFile::Krl { path } => {
                    let asked = ask(path, presented, until).await;
                    (
                        path,
                        asked.map_err(|why| format!("{}: {why}", path.display()))?,
                    )
                }
            };
            if is_revoked {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }
}

/// The key itself, and that of the authority.
fn keys_of(presented: &PublicKeyOrCertificate) -> Vec<KeyData> {
    match presented {
        PublicKeyOrCertificate::PublicKey { key, .. } => vec![key.key_data().clone()],
        PublicKeyOrCertificate::Certificate(cert) => {
            vec![cert.public_key().clone(), cert.signature_key().clone()]
        }
    }
}

impl RevocationFile {
    fn read(path: &Path) -> io::Result<Self> {
        let mut bytes = Vec::new();
        std::fs::File::open(path)?
            .take(MAX_LIST_BYTES + 1)
            .read_to_end(&mut bytes)?;
        if bytes.starts_with(MAGIC) {
            return Ok(Self::Krl {
                path: path.to_owned(),
            });
        }
        if bytes.len() as u64 > MAX_LIST_BYTES {
            return Err(io::Error::other("it is too large for a list of keys"));
        }
        let text = String::from_utf8_lossy(&bytes);
        let lines = (1..)
            .zip(text.lines())
            .map(|(number, line)| (number, line.trim()));
        let keys = lines
            .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
            .map(|(number, line)| {
                key(line).ok_or_else(|| io::Error::other(format!("line {number} is no public key")))
            });
        Ok(Self::Keys {
            path: path.to_owned(),
            keys: keys.collect::<io::Result<_>>()?,
        })
    }
}

/// The key of a line; of a certificate its bare key.
fn key(line: &str) -> Option<KeyData> {
    let mut words = line.split_ascii_whitespace();
    let line = format!("{} {}", words.next()?, words.next()?);
    let plain = PublicKey::from_openssh(&line).map(|key| key.key_data().clone());
    plain
        .or_else(|_| Certificate::from_openssh(&line).map(|cert| cert.public_key().clone()))
        .ok()
}

/// Whether a Key Revocation List has it, by the program of OpenSSH that reads them.
async fn ask(
    krl: &Path,
    presented: &PublicKeyOrCertificate,
    until: Instant,
) -> Result<bool, String> {
    let file = written(presented)?;
    let mut command = Command::new("ssh-keygen");
    command
        .args(["-Q", "-f"])
        .args([krl, file.path()])
        .stdin(Stdio::null())
        .kill_on_drop(true);
    match tokio::time::timeout_at(until, command.output()).await {
        Ok(Ok(output)) if output.status.success() => Ok(false),
        Ok(Ok(output)) if output.status.code() == Some(1) => Ok(true),
        Ok(Ok(output)) => Err(format!(
            "ssh-keygen: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        )),
        Ok(Err(error)) => Err(format!("cannot run ssh-keygen, which reads it: {error}")),
        Err(_) => Err(format!(
            "ssh-keygen has not read it in {} s",
            TIME.as_secs()
        )),
    }
}

/// A file with the key, for ssh-keygen.
fn written(presented: &PublicKeyOrCertificate) -> Result<NamedTempFile, String> {
    let line = match presented {
        PublicKeyOrCertificate::PublicKey { key, .. } => key.to_openssh(),
        PublicKeyOrCertificate::Certificate(cert) => cert.to_openssh(),
    };
    let line = line.map_err(|error| error.to_string())?;
    let mut builder = tempfile::Builder::new();
    let made = builder.prefix("lt").suffix(".pub").tempfile();
    let written = made.and_then(|mut file| file.write_all(line.as_bytes()).map(|()| file));
    written.map_err(|error| format!("cannot write a key for ssh-keygen: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED25519: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";

    fn read(text: &str) -> io::Result<usize> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("written");
        match RevocationFile::read(file.path())? {
            RevocationFile::Keys { keys, .. } => Ok(keys.len()),
            RevocationFile::Krl { .. } => Err(io::Error::other("not a list")),
        }
    }

    #[test]
    fn a_list_has_a_key_in_each_line_that_is_no_comment() {
        assert_eq!(read("").expect("an empty list"), 0);
        assert_eq!(
            read(&format!(
                "# gone\n\n \t\n  {ED25519} ann's old one\r\n{ED25519}\n"
            ))
            .expect("a list"),
            2
        );
    }

    #[test]
    fn a_line_that_is_no_key_makes_the_whole_file_unreadable() {
        for line in [
            "junk",
            "junk line",
            "ssh-rsa junk",
            "ssh-ed25519 AAAA",
            &format!("*.example.com {ED25519}"),
        ] {
            let error = read(&format!("{ED25519}\n{line}\n")).expect_err(line);
            assert!(error.to_string().contains("line 2"), "{error}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_list_that_hangs_is_given_up_by_name_before_the_server_can_be_blamed() {
        let folder = tempfile::tempdir().expect("a folder");
        // Nobody writes into it, so that whoever opens it hangs.
        let path = folder.path().join("krl");
        assert!(
            std::process::Command::new("mkfifo")
                .arg(&path)
                .status()
                .expect("mkfifo starts")
                .success()
        );
        let key = PublicKey::from_openssh(ED25519).expect("a key");
        let presented = PublicKeyOrCertificate::PublicKey {
            key,
            hash_alg: None,
        };
        let revoked = RevokedKeys {
            files: vec![
                RevocationFile::Krl { path: path.clone() },
                RevocationFile::Krl { path: path.clone() },
            ],
        };
        let begun = Instant::now();
        let why = revoked.check(&presented).await.expect_err("it hangs");
        assert_eq!(
            why,
            format!("{}: ssh-keygen has not read it in 3 s", path.display())
        );
        assert_eq!(begun.elapsed().as_secs(), 3);
    }

    #[test]
    fn a_file_that_is_not_there_and_a_folder_are_errors_that_name_it() {
        let folder = tempfile::tempdir().expect("a folder");
        for path in [folder.path().join("none"), folder.path().to_owned()] {
            let error = RevokedKeys::read(std::slice::from_ref(&path)).expect_err("unreadable");
            assert!(
                error
                    .to_string()
                    .starts_with(&format!("{}: ", path.display())),
                "{error}"
            );
        }
    }
}
