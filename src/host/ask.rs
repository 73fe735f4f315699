//! A host that answers questions about its logs, by whichever driver it is reached: this machine's own files are read
//! by `engine`, those of others by a shell, those that only root may read by a shell of root's; what is no file (a journal,
//! a container) by the host's own programs. What is made of files is left to [`history`].

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
    /// For the files of root, once they were asked for.
    root: Option<Box<ShellFiles>>,
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
        Self::begin_knowing(connection, host, None).await
    }

    /// The same where it may be known already what the host is.
    ///
    /// # Errors
    /// When it is lost, or has no shell.
    pub async fn begin_knowing(
        connection: &Connection,
        host: &HostSpec,
        known: Option<Facts>,
    ) -> Result<Self, LinkError> {
        let connection = connection.clone();
        if host.transport == TransportKind::Local {
            let files = LocalFiles::new();
            let facts = files.describe().await;
            return Ok(Self { connection, driver: Driver::Local(Box::new(files)), root: None, facts });
        }
        let mut files = ShellFiles::start(&connection).await?;
        let facts = match known {
            Some(facts) => facts,
            None => files.describe().await?,
        };
        Ok(Self { connection, driver: Driver::Shell(Box::new(files)), root: None, facts })
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
        let Parts { files, root, streams } = match host.sources.is_empty() && self.has_none_of_the_usual().await? {
            true => Parts::of(&HostSpec { sources: vec![whole_journal()], ..host.clone() }),
            false => Parts::of(host),
        };
        let mut totals = Totals::default();
        if let Some(streams) = &streams {
            totals = shell::history(&self.connection, streams, &self.facts, ask, &replies).await?;
        }
        if let Some(root) = &root {
            totals = self.answer_as_root(root, ask, totals, &replies).await?;
        }
        let facts = &self.facts;
        if let Some(files) = &files {
            totals = match &mut self.driver {
                Driver::Local(driver) => history::answer_part(&mut **driver, files, facts, ask, totals, &replies).await,
                Driver::Shell(driver) => history::answer_part(&mut **driver, files, facts, ask, totals, &replies).await,
            }?;
        }
        // Where nobody listens any more, nobody needs to know.
        let _ = replies.send(Reply::Done(totals)).await;
        Ok(())
    }

    /// Answers about the files of root; where sudo refuses, each of their sources says so.
    async fn answer_as_root(
        &mut self,
        host: &HostSpec,
        ask: &Ask,
        totals: Totals,
        replies: &mpsc::Sender<Reply>,
    ) -> Result<Totals, LinkError> {
        let wanted = |spec: &&SourceSpec| spec.kind.is_glob() || ask.is_about(&spec.name);
        if !host.sources.iter().any(|spec| wanted(&spec)) {
            return Ok(totals);
        }
        if self.root.is_none() {
            match ShellFiles::start_as_root(&self.connection).await {
                Ok(files) => self.root = Some(Box::new(files)),
                Err(error) => {
                    let why = Trouble::from(error).told();
                    for spec in host.sources.iter().filter(wanted) {
                        let _ = replies.send(Reply::Failed(spec.name.as_str().into(), why.clone())).await;
                    }
                    return Ok(totals);
                }
            }
        }
        let Some(files) = &mut self.root else { return Ok(totals) };
        history::answer_part(&mut **files, host, &self.facts, ask, totals, replies).await
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

/// A host with only some of its sources each; `None` where it has none of them.
struct Parts {
    /// Those that are files. A host for which no source is named has files.
    files: Option<HostSpec>,
    /// Those that are files of root.
    root: Option<HostSpec>,
    /// Those that are no files.
    streams: Option<HostSpec>,
}

impl Parts {
    fn of(host: &HostSpec) -> Self {
        let is_file = |spec: &SourceSpec| matches!(spec.kind, SourceKind::Path(_));
        let with = |which: &dyn Fn(&SourceSpec) -> bool| {
            let sources: Vec<_> = host.sources.iter().filter(|spec| which(spec)).cloned().collect();
            (!sources.is_empty()).then(|| HostSpec { sources, ..host.clone() })
        };
        let usual = host.sources.is_empty().then(|| host.clone());
        Self {
            files: usual.or_else(|| with(&|spec| is_file(spec) && !spec.as_root)),
            root: with(&|spec| is_file(spec) && spec.as_root),
            streams: with(&|spec| !is_file(spec)),
        }
    }
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
        let names = |host: &HostSpec| {
            let Parts { files, root, streams } = Parts::of(host);
            let of = |part: HostSpec| part.sources.into_iter().map(|spec| spec.name).collect::<Vec<_>>().join(" ");
            [streams, root, files].map(|part| part.map(of))
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(names(&host), [None, None, some("")], "without named sources it has the usual files");
        host.sources =
            vec![file("a", false), spec("unit", whole_journal().kind, true), file("s", true), file("b", false)];
        assert_eq!(names(&host), [some("unit"), some("s"), some("a b")]);
        host.sources = vec![whole_journal()];
        assert_eq!(names(&host), [some("journal"), None, None]);
    }
}
