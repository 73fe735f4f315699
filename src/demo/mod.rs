//! A fleet of SSH servers in this process, with living logs: for newcomers, and for tests of scale.
//!
//! The servers are real (russh's server side), each on a port of its own on 127.0.0.1, and are
//! reached by the same road as any host: key, `known_hosts`, `exec /bin/sh -s`. Keys are made for
//! the run. Everything on disk lies in one private folder, which is removed at the end, even after
//! `kill -9` (`folder`).
//!
//! ```text
//! world ──lines──▶ writer (one thread) ──▶ FOLDER/web-1/access.log …      server (a task per host)
//!  a story told by a seeded generator        rotation, size caps             └▶ shell (a /bin/sh per channel)
//! ```
//!
//! What the console makes of it is left to the console: nothing here knows of fleet, store or
//! screen.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rand::SeedableRng as _;
use russh::keys::ssh_key::LineEnding;
use russh::keys::{Algorithm, PrivateKey};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

use self::cast::Cast;
use self::folder::DemoFolder;
use self::server::DemoServer;
use self::writer::WriterThread;
use crate::model::host::{
    Address, Endpoint, HostName, HostSpec, NameError, TransportKind, UserName,
};
use crate::model::source::{SourceKind, SourceSpec};

mod cast;
mod folder;
mod lines;
mod server;
mod shell;
mod world;
mod writer;

/// Hosts of a demo fleet where no size is asked for: every role, and one screen shows them all.
pub const DEFAULT_SIZE: u16 = 6;

/// Most hosts of a demo fleet: beyond it the machine would be busy with its own handshakes.
pub const MAX_SIZE: u16 = 200;

/// The only login that is let in.
const USER: &str = "demo";

/// How long an orderly stop waits for the servers to hang up before it drops them.
const STOP_WITHIN: Duration = Duration::from_secs(2);

/// Why there is no demo.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// Asked for none, or for too many hosts.
    #[error("demo fleet of {0} hosts: the size must be 1 to {MAX_SIZE}; try --size {DEFAULT_SIZE}")]
    Size(usize),
    /// The folder for keys and logs could not be made or filled.
    #[error(
        "demo: {what} {path}: {source}; free some space there, or set TMPDIR to a folder that can be written"
    )]
    Folder {
        /// What was being done.
        what: &'static str,
        /// To which file or folder.
        path: String,
        /// Why it failed.
        source: io::Error,
    },
    /// The shell that clears up after us could not be started.
    #[error(
        "demo: start /bin/sh to remove {path} at the end: {source}; the demo needs a POSIX shell"
    )]
    Watcher {
        /// The folder.
        path: String,
        /// Why it failed.
        source: io::Error,
    },
    /// A listener or thread could not be had.
    #[error("demo: {what}: {source}; try a smaller --size")]
    System {
        /// What was being done.
        what: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// A key could not be made or written down.
    #[error("demo: make an ed25519 key: {0}")]
    Key(#[from] russh::keys::ssh_key::Error),
    /// A name of ours is not valid: our bug.
    #[error("demo: {0}")]
    Name(#[from] NameError),
}

/// A running demo fleet. Dropping it ends every server and shell and removes its folder;
/// [`DemoFleet::stop`] does the same and lets the servers say goodbye first.
pub struct DemoFleet {
    hosts: Vec<HostSpec>,
    // Order matters on drop: hang up, stop writing, remove the folder.
    hang_up: watch::Sender<()>,
    gone: mpsc::Receiver<()>,
    writer: WriterThread,
    folder: DemoFolder,
}

impl DemoFleet {
    /// Makes keys and logs and starts `size` servers. Needs a running tokio runtime.
    ///
    /// # Errors
    /// When `size` is not 1 to [`MAX_SIZE`], or the system denies a folder, a port, a thread or
    /// `/bin/sh`.
    pub async fn start(size: usize) -> Result<Self, DemoError> {
        if !(1..=usize::from(MAX_SIZE)).contains(&size) {
            return Err(DemoError::Size(size));
        }
        raise_file_limit();
        let cast = Cast::new(size);
        let folder = DemoFolder::create()?;
        let logs = folder.path().to_owned();
        let told = cast.clone();
        let writer = tokio::task::spawn_blocking(move || WriterThread::start(&told, &logs))
            .await
            .map_err(|source| DemoError::System {
                what: "write the first lines",
                source: source.into(),
            })??;
        let (hang_up, stop) = watch::channel(());
        let (alive, gone) = mpsc::channel(1);
        let hosts = start_servers(&cast, folder.path(), &stop, &alive).await?;
        Ok(Self {
            hosts,
            hang_up,
            gone,
            writer,
            folder,
        })
    }

    /// How to reach the hosts, and what to read there.
    #[must_use]
    pub fn hosts(&self) -> Vec<HostSpec> {
        self.hosts.clone()
    }

    /// The private folder with keys and logs, gone once the fleet is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Ends every connection in order, then every shell, and removes the folder; returns within
    /// about 2 seconds.
    pub async fn stop(self) {
        let Self {
            hang_up,
            mut gone,
            writer,
            folder,
            ..
        } = self;
        drop(hang_up);
        // Nothing is ever sent: `recv` ends when the last server and shell has let go of its
        // sender.
        let _ = tokio::time::timeout(STOP_WITHIN, gone.recv()).await;
        let clear = tokio::task::spawn_blocking(move || {
            drop(writer);
            drop(folder);
        });
        let _ = clear.await;
    }
}

async fn start_servers(
    cast: &Cast,
    folder: &Path,
    stop: &watch::Receiver<()>,
    alive: &mpsc::Sender<()>,
) -> Result<Vec<HostSpec>, DemoError> {
    // The generator of `rand` itself is not used for keys: this one takes its seed from the system.
    let mut rng = rand::rngs::StdRng::from_rng(&mut rand::rng());
    let client_key = PrivateKey::random(&mut rng, Algorithm::Ed25519)?;
    let identity = folder.join("id_ed25519");
    write_private(&identity, client_key.to_openssh(LineEnding::LF)?.as_bytes())?;
    let known_hosts = folder.join("known_hosts");
    let let_in = Arc::new(client_key.public_key().key_data().clone());
    let mut known = String::new();
    let mut specs = Vec::new();
    for (index, member) in cast.members.iter().enumerate() {
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .map_err(|source| DemoError::System {
                what: "listen on 127.0.0.1",
                source,
            })?;
        let port = listener
            .local_addr()
            .map_err(|source| DemoError::System {
                what: "listen on 127.0.0.1",
                source,
            })?
            .port();
        let host_key = PrivateKey::random(&mut rng, Algorithm::Ed25519)?;
        known.push_str(&known_hosts_line(&member.name, port, &host_key)?);
        let mut spec = host_spec(member, folder, port)?;
        spec.endpoint.identity = vec![identity.clone()];
        spec.endpoint.known_hosts = vec![known_hosts.clone()];
        specs.push(spec);
        let server = DemoServer::new(
            host_key,
            Arc::clone(&let_in),
            folder.join(&member.name),
            cast.drops_connections(index),
        );
        tokio::spawn(server.run(listener, stop.clone(), alive.clone()));
    }
    write_private(&known_hosts, known.as_bytes())?;
    Ok(specs)
}

/// Under both names, so that it matters to nobody which of them is looked up.
fn known_hosts_line(name: &str, port: u16, key: &PrivateKey) -> Result<String, DemoError> {
    let public = key.public_key().to_openssh()?;
    Ok(format!("[{name}]:{port},[127.0.0.1]:{port} {public}\n"))
}

fn host_spec(member: &cast::CastMember, folder: &Path, port: u16) -> Result<HostSpec, DemoError> {
    let sources = member.files.iter().map(|file| SourceSpec {
        name: file.form.source_name().to_owned(),
        kind: SourceKind::Path(
            log_path(folder, member, file)
                .to_string_lossy()
                .into_owned(),
        ),
        time: None,
        as_root: false,
    });
    let endpoint = Endpoint {
        address: Some(Address::new("127.0.0.1")?),
        port: Some(port),
        user: Some(UserName::new(USER)?),
        ..Endpoint::new(HostName::new(&member.name)?)
    };
    Ok(HostSpec {
        tags: vec!["demo".to_owned(), member.role.as_str().to_owned()],
        sources: sources.collect(),
        transport: TransportKind::Russh,
        ..HostSpec::new(endpoint)
    })
}

fn log_path(folder: &Path, member: &cast::CastMember, file: &cast::DemoLog) -> PathBuf {
    folder.join(&member.name).join(file.form.file_name())
}

fn write_private(path: &Path, contents: &[u8]) -> Result<(), DemoError> {
    let write = || {
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?
            .write_all(contents)
    };
    write().map_err(|source| DemoError::Folder {
        what: "write",
        path: path.display().to_string(),
        source,
    })
}

/// 200 hosts are 200 listeners, 400 sockets and 600 pipes; the usual soft limit is 1024. A refusal
/// is no error: it shows later, if at all, as a host that cannot be reached.
fn raise_file_limit() {
    const WANTED: u64 = 4096;
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map_or(WANTED, |hard| hard.min(WANTED));
    if limit.current.is_some_and(|soft| soft < wanted) {
        let _ = setrlimit(
            Resource::Nofile,
            Rlimit {
                current: Some(wanted),
                maximum: limit.maximum,
            },
        );
    }
}
