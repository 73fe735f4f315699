//! A host that answers questions about its logs, by whichever driver it is reached: this machine's own files are read
//! by `engine`, those of others by a shell. What is made of the files is left to [`history`].

use tokio::sync::mpsc;

use crate::model::{Ask, Facts, HostSpec, Reply, TransportKind};
use crate::transport::{Connection, LinkError};

use super::history;
use super::local::LocalFiles;

/// A host that answers, one question after the other.
pub struct Answering {
    driver: Driver,
    facts: Facts,
}

enum Driver {
    Local(LocalFiles),
}

/// Asks a host one question. Its replies come as they are found; a full channel makes the host wait, a closed one makes
/// it stop. Dropping the future leaves nothing behind on the host.
///
/// # Errors
/// When the host is lost. What is wrong with one source is a [`Reply::Failed`].
pub async fn ask(
    connection: &Connection,
    host: &HostSpec,
    ask: &Ask,
    replies: mpsc::Sender<Reply>,
) -> Result<(), LinkError> {
    Answering::begin(connection, host).await?.answer(host, ask, replies).await
}

impl Answering {
    /// Finds out what the host is.
    ///
    /// # Errors
    /// When it is lost, or has no shell.
    pub async fn begin(connection: &Connection, host: &HostSpec) -> Result<Self, LinkError> {
        if host.transport == TransportKind::Local {
            let files = LocalFiles::new();
            let facts = files.describe().await;
            return Ok(Self { driver: Driver::Local(files), facts });
        }
        let _ = connection;
        Err(LinkError {
            status: crate::model::HostStatus::because(crate::model::LinkState::Unreachable, "INTERIM", ""),
        })
    }

    /// What the host says of itself.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Answers a question, as [`ask`] does.
    ///
    /// # Errors
    /// When the host is lost.
    pub async fn answer(&mut self, host: &HostSpec, ask: &Ask, replies: mpsc::Sender<Reply>) -> Result<(), LinkError> {
        match &mut self.driver {
            Driver::Local(files) => history::answer(files, host, &self.facts, ask, &replies).await,
        }
    }
}
