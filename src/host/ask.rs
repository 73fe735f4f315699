//! A host that answers questions about its logs, by whichever driver it is reached: this machine's own files are read
//! by `engine`, those of others by a shell, those of root by a shell of root's; what is no file (a journal, a container)
//! by the host's own programs. What is made of files is left to [`history`].

use tokio::sync::mpsc;

use crate::model::ask::Totals;
use crate::model::{Ask, Facts, HostSpec, Reply, SourceKind, SourceSpec, TransportKind};
use crate::transport::{Connection, LinkError};

use super::files::{Failure, Files};
use super::history;
use super::local::LocalFiles;
use super::shell::{self, ShellFiles, Trouble};
use super::track::{usual_sources, whole_journal};

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
        let [streams, of_root, files] = match host.sources.is_empty() && self.has_none_of_the_usual().await? {
            true => divide(&HostSpec { sources: vec![whole_journal()], ..host.clone() }),
            false => divide(host),
        };
        let mut totals = Totals::default();
        if let Some(streams) = &streams {
            totals = shell::history(&self.connection, streams, &self.facts, ask, &replies).await?;
        }
        if let Some(of_root) = &of_root {
            totals = self.answer_as_root(of_root, ask, totals, &replies).await?;
        }
        if let Some(files) = &files {
            let facts = &self.facts;
            totals = match &mut self.driver {
                Driver::Local(driver) => {
                    history::answer_part(&mut **driver, files, facts, ask, totals, &replies).await?
                }
                Driver::Shell(driver) => {
                    history::answer_part(&mut **driver, files, facts, ask, totals, &replies).await?
                }
            };
        }
        // Where nobody listens any more, nobody needs to know.
        let _ = replies.send(Reply::Done(totals)).await;
        Ok(())
    }

    /// What only root may read, by a shell of its own: also on this machine.
    async fn answer_as_root(
        &self,
        host: &HostSpec,
        ask: &Ask,
        before: Totals,
        replies: &mpsc::Sender<Reply>,
    ) -> Result<Totals, LinkError> {
        let is_wanted = |spec: &&SourceSpec| spec.kind.is_glob() || ask.is_about(&spec.name);
        if !host.sources.iter().any(|spec| is_wanted(&spec)) {
            return Ok(before);
        }
        match ShellFiles::start_as_root(&self.connection).await {
            Ok(mut files) => {
                let totals = history::answer_part(&mut files, host, &self.facts, ask, before, replies).await?;
                files.end().await;
                Ok(totals)
            }
            Err(error) => {
                let why = Trouble::from(error).reason;
                for spec in host.sources.iter().filter(is_wanted) {
                    let _ = replies.send(Reply::Failed(spec.name.as_str().into(), why.clone())).await;
                }
                Ok(before)
            }
        }
    }

    async fn has_none_of_the_usual(&mut self) -> Result<bool, LinkError> {
        match &mut self.driver {
            Driver::Local(files) => has_none_of_the_usual(&mut **files).await,
            Driver::Shell(files) => has_none_of_the_usual(&mut **files).await,
        }
    }
}

/// A host for which no source is named has the usual logs or, like one that is followed, its journal.
async fn has_none_of_the_usual<F: Files>(files: &mut F) -> Result<bool, LinkError> {
    for spec in usual_sources() {
        match files.list(spec.kind.to_string().as_bytes()).await {
            Ok(found) if found.is_empty() => {}
            Err(Failure::Link(error)) => return Err(error),
            // What is there and cannot be read is said where it is asked.
            Ok(_) | Err(Failure::File(_)) => return Ok(false),
        }
    }
    Ok(true)
}

/// The host with only those of its sources that are no files, with only the files of root, and with only the others;
/// `None` where it has none of them. A host for which no source is named has files.
fn divide(host: &HostSpec) -> [Option<HostSpec>; 3] {
    let part_of = |spec: &SourceSpec| match spec.kind {
        SourceKind::Path(_) if spec.as_root => 1,
        SourceKind::Path(_) => 2,
        _ => 0,
    };
    [0, 1, 2].map(|part| {
        let sources: Vec<_> = host.sources.iter().filter(|spec| part_of(spec) == part).cloned().collect();
        let is_there = !sources.is_empty() || (part == 2 && host.sources.is_empty());
        is_there.then(|| HostSpec { sources, ..host.clone() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Endpoint, HostName};

    #[test]
    fn each_source_is_asked_by_who_may_read_it() {
        let spec = |name: &str, kind, as_root| SourceSpec { name: name.to_owned(), kind, time: None, as_root };
        let file = |name: &str, as_root| spec(name, SourceKind::Path(format!("/{name}")), as_root);
        let mut host = HostSpec::new(Endpoint::new(HostName::new("web-1").expect("a name")));
        let names = |parts: [Option<HostSpec>; 3]| {
            let of = |part: HostSpec| part.sources.into_iter().map(|spec| spec.name).collect::<Vec<_>>().join(" ");
            parts.map(|part| part.map(of))
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(names(divide(&host)), [None, None, some("")], "without named sources it has the usual files");
        host.sources =
            vec![file("a", false), spec("unit", whole_journal().kind, true), file("s", true), file("b", false)];
        assert_eq!(names(divide(&host)), [some("unit"), some("s"), some("a b")]);
        host.sources = vec![whole_journal()];
        assert_eq!(names(divide(&host)), [some("journal"), None, None]);
    }
}
