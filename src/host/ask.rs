//! A host that answers questions about its logs, by whichever driver it is reached: this machine's own files are read
//! by `engine`, those of others by a shell; what is no file (a journal, a container) by the host's own programs. What is
//! made of files is left to [`history`].

use tokio::sync::mpsc;

use crate::model::ask::Totals;
use crate::model::{Ask, Facts, HostSpec, Reply, SourceKind, TransportKind};
use crate::transport::{Connection, LinkError};

use super::history;
use super::local::LocalFiles;
use super::shell::{self, ShellFiles};

/// A host that answers, one question after the other.
pub struct Answering {
    connection: Connection,
    driver: Driver,
    facts: Facts,
}

enum Driver {
    Local(Box<LocalFiles>),
    Shell(Box<ShellFiles>),
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
        let connection = connection.clone();
        if host.transport == TransportKind::Local {
            let files = LocalFiles::new();
            let facts = files.describe().await;
            return Ok(Self { connection, driver: Driver::Local(Box::new(files)), facts });
        }
        let mut files = ShellFiles::start(&connection).await?;
        let facts = files.describe().await?;
        Ok(Self { connection, driver: Driver::Shell(Box::new(files)), facts })
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
        let (files, streams) = divide(host);
        let mut totals = Totals::default();
        if let Some(streams) = &streams {
            totals = shell::history(&self.connection, streams, &self.facts, ask, &replies).await?;
        }
        let Some(files) = &files else {
            // Where nobody listens any more, nobody needs to know.
            let _ = replies.send(Reply::Done(totals)).await;
            return Ok(());
        };
        let facts = &self.facts;
        match &mut self.driver {
            Driver::Local(driver) => history::answer_after(&mut **driver, files, facts, ask, totals, &replies).await,
            Driver::Shell(driver) => history::answer_after(&mut **driver, files, facts, ask, totals, &replies).await,
        }
    }
}

/// The host with only those of its sources that are files, and with only the others; `None` where it has none of them. A
/// host for which no source is named has files.
fn divide(host: &HostSpec) -> (Option<HostSpec>, Option<HostSpec>) {
    let is_file = |kind: &SourceKind| matches!(kind, SourceKind::Path(_));
    let (files, streams): (Vec<_>, Vec<_>) = host.sources.iter().cloned().partition(|spec| is_file(&spec.kind));
    let with = |sources: Vec<_>| HostSpec { sources, ..host.clone() };
    let has_files = host.sources.is_empty() || !files.is_empty();
    (has_files.then(|| with(files)), (!streams.is_empty()).then(|| with(streams)))
}
