//! Starts the servers of a demo fleet: keys, `known_hosts`, ports, and how each host is reached.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use russh::keys::ssh_key::LineEnding;
use russh::keys::ssh_key::public::KeyData;
use russh::keys::{Algorithm, PrivateKey};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

use super::cast::{CastMember, USER};
use super::error::DemoError;
use super::server::DemoServer;
use crate::model::host::{Address, Endpoint, HostName, HostSpec, TransportKind, UserName};
use crate::model::source::{SourceKind, SourceSpec};

/// Starts one server after the other.
pub(super) struct ServerStarter<'a> {
    folder: &'a Path,
    rng: StdRng,
    /// The key of the client, and where it is.
    let_in: Arc<KeyData>,
    identity: PathBuf,
    /// Lines of `known_hosts`.
    known: String,
    stop: watch::Receiver<()>,
    alive: mpsc::Sender<()>,
}

impl<'a> ServerStarter<'a> {
    /// Makes the key of the client. Servers end when `stop` is closed, and hold `alive`.
    pub(super) fn new(
        folder: &'a Path,
        stop: watch::Receiver<()>,
        alive: mpsc::Sender<()>,
    ) -> Result<Self, DemoError> {
        // The generator of `rand` itself is not used for keys: this one takes its seed from the
        // system.
        let mut rng = StdRng::from_rng(&mut rand::rng());
        let client_key = PrivateKey::random(&mut rng, Algorithm::Ed25519)?;
        let identity = folder.join("id_ed25519");
        write_private(&identity, client_key.to_openssh(LineEnding::LF)?.as_bytes())?;
        Ok(Self {
            folder,
            rng,
            let_in: Arc::new(client_key.public_key().key_data().clone()),
            identity,
            known: String::new(),
            stop,
            alive,
        })
    }

    /// Starts the server of a host; `cuts`: it loses its connections every now and then.
    pub(super) async fn start(
        &mut self,
        member: &CastMember,
        cuts: bool,
    ) -> Result<HostSpec, DemoError> {
        let (listener, port) = listen().await.map_err(|source| DemoError::System {
            what: "listen on 127.0.0.1",
            source,
        })?;
        let host_key = PrivateKey::random(&mut self.rng, Algorithm::Ed25519)?;
        self.make_known(&member.name, port, &host_key)?;
        let spec = self.host_spec(member, port)?;
        let home = self.folder.join(&member.name);
        let server = DemoServer::new(host_key, Arc::clone(&self.let_in), home, cuts);
        tokio::spawn(server.run(listener, self.stop.clone(), self.alive.clone()));
        Ok(spec)
    }

    /// Notes the key of a host under both of its names, so that either may be looked up.
    fn make_known(&mut self, name: &str, port: u16, key: &PrivateKey) -> Result<(), DemoError> {
        let public = key.public_key().to_openssh()?;
        let line = format!("[{name}]:{port},[127.0.0.1]:{port} {public}\n");
        self.known.push_str(&line);
        Ok(())
    }

    fn host_spec(&self, member: &CastMember, port: u16) -> Result<HostSpec, DemoError> {
        let sources = member.files.iter().map(|file| {
            let path = member.log_path(self.folder, file);
            SourceSpec {
                name: file.form.source_name().to_owned(),
                kind: SourceKind::Path(path.to_string_lossy().into_owned()),
                time: None,
                encoding: None,
                as_root: false,
                archive: None,
            }
        });
        let endpoint = Endpoint {
            address: Some(Address::new("127.0.0.1")?),
            port: Some(port),
            user: Some(UserName::new(USER)?),
            identity: vec![self.identity.clone()],
            known_hosts: vec![self.known_hosts()],
            ..Endpoint::new(HostName::new(&member.name)?)
        };
        Ok(HostSpec {
            tags: vec!["demo".to_owned(), member.role.as_str().to_owned()],
            sources: sources.collect(),
            transport: TransportKind::Russh,
            ..HostSpec::new(endpoint)
        })
    }

    fn known_hosts(&self) -> PathBuf {
        self.folder.join("known_hosts")
    }

    /// Writes the keys of all servers down.
    pub(super) fn finish(self) -> Result<(), DemoError> {
        write_private(&self.known_hosts(), self.known.as_bytes())
    }
}

async fn listen() -> io::Result<(TcpListener, u16)> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let port = listener.local_addr()?.port();
    Ok((listener, port))
}

fn write_private(path: &Path, contents: &[u8]) -> Result<(), DemoError> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(contents))
        .map_err(|source| DemoError::Folder {
            what: "write",
            path: path.display().to_string(),
            source,
        })
}
