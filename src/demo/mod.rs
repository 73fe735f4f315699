//! A fleet of SSH servers in this process, with living logs: for newcomers, and for tests of scale.
//!
//! The servers are real (russh's server side), each on a port of its own on 127.0.0.1, and are
//! reached in the same way as any host: key, `known_hosts`, `exec /bin/sh -s`. Keys are made for the
//! run. Everything on disk is in one private folder, which is removed at the end, even after
//! `kill -9` (`folder`).
//!
//! ```text
//! world ──lines──▶ writer (one thread) ──▶ FOLDER/web-1/access.log …      server (a task per host)
//!  a story told by a seeded generator        rotation, size caps             └▶ shell (a /bin/sh per channel)
//! ```
//!
//! Nothing here knows of fleet, scrollback or screen: to the console these are hosts like others.

use std::path::Path;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::{mpsc, watch};

use self::cast::Cast;
use self::folder::DemoFolder;
use self::server_starter::ServerStarter;
use self::writer::WriterThread;
use crate::model::host::HostSpec;

mod cast;
mod error;
mod folder;
mod lines;
mod server;
mod server_starter;
mod shell;
mod world;
mod writer;

pub use cast::{DEFAULT_SIZE, MAX_SIZE};
pub use error::DemoError;

/// How long an orderly stop waits for the servers to hang up before it drops them.
const STOP_WITHIN: Duration = Duration::from_secs(2);

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
        let mut starter = ServerStarter::new(folder.path(), stop, alive)?;
        let mut hosts = Vec::new();
        for (index, member) in cast.members.iter().enumerate() {
            let cuts = cast.drops_connections(index);
            hosts.push(starter.start(member, cuts).await?);
        }
        starter.finish()?;
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
