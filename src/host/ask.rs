//! A host that answers questions about its logs, by whichever driver it is reached: this machine's
//! own files are read by `engine`, those of others by a shell, those that only root may read by a
//! shell of root's; what is no file (a journal, a container) by the host's own programs. What is
//! made of files is left to [`search`](super::search).

use tokio::sync::mpsc;

use crate::model::host::{HostSpec, SystemFacts, TransportKind};
use crate::model::source::{SourceKind, SourceSpec};
use crate::query::request::{LogRequest, LogResponse, ResponseTotals};
use crate::transport::{Connection, LinkError};

use super::driver::files::{Failure, Files};
use super::local::LocalFiles;
use super::problems::Problem;
use super::programs::Talk;
use super::search::LogAnswerer;
use super::search::response_sender::ResponseSender;
use super::shell::ShellFiles;
use super::sources::{usual_sources, whole_journal};

/// A host that answers, one question after the other. Shells are started when they are needed, for
/// each is a session, and some servers give one only.
pub struct Answering {
    connection: Connection,
    /// For the files of the login.
    driver: Option<Driver>,
    /// For the files of root.
    root: Option<Box<ShellFiles>>,
    /// Why there is no shell of root's, where that was found out already.
    refused: Option<LinkError>,
    /// For what is no file.
    talk: Talk,
    facts: SystemFacts,
}

enum Driver {
    Local(Box<LocalFiles>),
    Shell(Box<ShellFiles>),
}

/// Asks a host one question. Its replies come as they are found; a full channel makes the host
/// wait, a closed one makes it stop. Dropping the future leaves nothing behind on the host.
///
/// # Errors
/// When the host is lost. What is wrong with one source is a [`LogResponse::Failed`].
pub async fn ask(
    connection: &Connection,
    host: &HostSpec,
    ask: &LogRequest,
    replies: mpsc::Sender<LogResponse>,
) -> Result<(), LinkError> {
    Answering::begin(connection, host, std::slice::from_ref(ask))
        .await?
        .answer(host, ask, replies)
        .await
}

impl Answering {
    /// Finds out what the host is, in a shell that will be needed for these questions.
    ///
    /// # Errors
    /// When it is lost, or has no shell.
    pub async fn begin(
        connection: &Connection,
        host: &HostSpec,
        asks: &[LogRequest],
    ) -> Result<Self, LinkError> {
        let mut this = Self::begin_knowing(connection, SystemFacts::default());
        match Parts::of(host).only(asks) {
            Some(Only::Root) if host.transport != TransportKind::Local => {
                this.begin_as_root(host).await?;
            }
            Some(Only::Streams { as_root }) if host.transport != TransportKind::Local => {
                match Talk::begin(connection, as_root).await {
                    Ok((talk, facts)) => (this.talk, this.facts) = (talk, facts),
                    Err(error) => this.describe_after(error, host).await?,
                }
            }
            _ => this.describe(host).await?,
        }
        Ok(this)
    }

    /// The same where it is known already what the host is.
    #[must_use]
    pub fn begin_knowing(connection: &Connection, facts: SystemFacts) -> Self {
        Self {
            connection: connection.clone(),
            driver: None,
            root: None,
            refused: None,
            talk: Talk::default(),
            facts,
        }
    }

    /// What the host says of itself.
    #[must_use]
    pub fn facts(&self) -> &SystemFacts {
        &self.facts
    }

    async fn begin_as_root(&mut self, host: &HostSpec) -> Result<(), LinkError> {
        match ShellFiles::start_as_root(&self.connection).await {
            Ok(mut files) => {
                self.facts = files.describe().await?;
                self.root = Some(Box::new(files));
                Ok(())
            }
            Err(error) => {
                self.refused = Some(error.clone());
                self.describe_after(error, host).await
            }
        }
    }

    /// Describes the host in another shell after the wanted one was refused. A server with a single
    /// session refuses that one too, or hangs up; then the first refusal is the error.
    async fn describe_after(
        &mut self,
        refusal: LinkError,
        host: &HostSpec,
    ) -> Result<(), LinkError> {
        let described = self.describe(host).await;
        // What is asked next needs the session.
        self.driver = None;
        described.map_err(|_| {
            let mut refusal = refusal;
            let hint = &mut refusal.status.hint;
            *hint = hint.take().map(|hint| hint.replace("{user}", "the login"));
            refusal
        })
    }

    async fn describe(&mut self, host: &HostSpec) -> Result<(), LinkError> {
        self.facts = match self.driver(host).await? {
            Driver::Local(files) => files.describe().await,
            Driver::Shell(files) => files.describe().await?,
        };
        Ok(())
    }

    /// Who has the files of the login.
    async fn driver(&mut self, host: &HostSpec) -> Result<&mut Driver, LinkError> {
        let driver = match self.driver.take() {
            Some(driver) => driver,
            None if host.transport == TransportKind::Local => {
                Driver::Local(Box::new(LocalFiles::new()))
            }
            None => {
                self.make_room();
                Driver::Shell(Box::new(ShellFiles::start(&self.connection).await?))
            }
        };
        Ok(self.driver.insert(driver))
    }

    /// Answers a question, as [`ask`] does.
    ///
    /// # Errors
    /// When the host is lost.
    pub async fn answer(
        &mut self,
        host: &HostSpec,
        ask: &LogRequest,
        replies: mpsc::Sender<LogResponse>,
    ) -> Result<(), LinkError> {
        let parts = self.parts(host).await?.about(ask);
        let mut totals = ResponseTotals::default();
        if let Some(streams) = &parts.streams {
            if asks_login_and_root(streams) {
                // It starts one shell after the other, each where there is a session.
                self.driver = None;
                self.root = None;
            }
            self.make_room();
            totals = self
                .talk
                .answer(&self.connection, streams, &self.facts, ask, &replies)
                .await?;
            if parts.root.is_some() || parts.files.is_some() {
                self.talk.end().await;
            }
        }
        if let Some(root) = &parts.root {
            totals = self.answer_as_root(root, ask, totals, &replies).await?;
        }
        if let Some(files) = &parts.files {
            totals = self.answer_of_files(files, ask, totals, &replies).await?;
        }
        // Where nobody listens any more, nobody needs to know.
        let _ = replies.send(LogResponse::Done(totals)).await;
        Ok(())
    }

    /// Gives up the shells of this request where the connection has no session for another. One
    /// that waits for a session while it holds one may wait for ever: all others may be in use for
    /// as long as the connection lasts, or by a request that waits for this one.
    fn make_room(&mut self) {
        if !self.connection.has_room() {
            self.driver = None;
            self.root = None;
        }
    }

    /// Divides a host by who may read its sources.
    async fn parts(&mut self, host: &HostSpec) -> Result<Parts, LinkError> {
        if !host.sources.is_empty() || !self.has_none_of_the_usual(host).await? {
            return Ok(Parts::of(host));
        }
        // The journal may need the only session that the server gives.
        self.driver = None;
        Ok(Parts::of(&HostSpec {
            sources: vec![whole_journal()],
            ..host.clone()
        }))
    }

    /// Answers about the files of the login; where the server gives no session for it, each of
    /// their sources says so.
    async fn answer_of_files(
        &mut self,
        host: &HostSpec,
        ask: &LogRequest,
        totals: ResponseTotals,
        replies: &mpsc::Sender<LogResponse>,
    ) -> Result<ResponseTotals, LinkError> {
        let facts = self.facts.clone();
        let connection = self.connection.clone();
        match self.driver(host).await {
            Ok(driver) => {
                let out = ResponseSender::new(replies, totals);
                driver.answer(host, &facts, ask, out).await
            }
            Err(error) if connection.has_ended_by(&error).await => Err(error),
            Err(error) => {
                refuse(host, ask, error, replies).await;
                Ok(totals)
            }
        }
    }

    /// Answers about the files of root; where sudo refuses, each of their sources says so.
    async fn answer_as_root(
        &mut self,
        host: &HostSpec,
        ask: &LogRequest,
        totals: ResponseTotals,
        replies: &mpsc::Sender<LogResponse>,
    ) -> Result<ResponseTotals, LinkError> {
        let started = match (self.root.take(), self.refused.take()) {
            (Some(files), _) => Ok(files),
            (None, Some(error)) => Err(error),
            (None, None) => {
                self.make_room();
                ShellFiles::start_as_root(&self.connection)
                    .await
                    .map(Box::new)
            }
        };
        match started {
            Ok(files) => {
                let files = self.root.insert(files);
                let out = ResponseSender::new(replies, totals);
                let answerer = LogAnswerer::new(&mut **files, host, &self.facts, out);
                answerer.answer(ask).await
            }
            Err(error) => {
                refuse(host, ask, error, replies).await;
                Ok(totals)
            }
        }
    }

    async fn has_none_of_the_usual(&mut self, host: &HostSpec) -> Result<bool, LinkError> {
        match self.driver(host).await? {
            Driver::Local(files) => has_none_of_the_usual(&mut **files).await,
            Driver::Shell(files) => has_none_of_the_usual(&mut **files).await,
        }
    }
}

impl Driver {
    async fn answer(
        &mut self,
        host: &HostSpec,
        facts: &SystemFacts,
        ask: &LogRequest,
        out: ResponseSender<'_>,
    ) -> Result<ResponseTotals, LinkError> {
        match self {
            Self::Local(files) => {
                let answerer = LogAnswerer::new(&mut **files, host, facts, out);
                answerer.answer(ask).await
            }
            Self::Shell(files) => {
                let answerer = LogAnswerer::new(&mut **files, host, facts, out);
                answerer.answer(ask).await
            }
        }
    }
}

/// Reports for every source in question why there is no answer.
async fn refuse(
    host: &HostSpec,
    ask: &LogRequest,
    error: LinkError,
    replies: &mpsc::Sender<LogResponse>,
) {
    let why = Problem::from(error).told();
    for spec in host.sources.iter().filter(|spec| may_be_about(ask, spec)) {
        // Where nobody listens any more, nobody needs to know.
        let _ = replies
            .send(LogResponse::Failed(spec.name.as_str().into(), why.clone()))
            .await;
    }
}

/// Whether some programs are asked by the login and others by root.
fn asks_login_and_root(streams: &HostSpec) -> bool {
    let roots = streams.sources.iter().filter(|spec| spec.as_root).count();
    (1..streams.sources.len()).contains(&roots)
}

/// Whether a question is about a source, or may be about one of those that its pattern stands for.
fn may_be_about(ask: &LogRequest, spec: &SourceSpec) -> bool {
    spec.kind.is_glob() || ask.is_about(&spec.name)
}

/// A host for which no source is named has the usual logs or, like one that is followed, its
/// journal.
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

/// What the questions are about, if they need no file shell of the login.
#[derive(Debug, PartialEq, Eq)]
enum Only {
    Root,
    Streams { as_root: bool },
}

impl Parts {
    fn of(host: &HostSpec) -> Self {
        let files = part_of(host, |spec| is_file(spec) && !spec.as_root);
        Self {
            files: files.or_else(|| host.sources.is_empty().then(|| host.clone())),
            root: part_of(host, |spec| is_file(spec) && spec.as_root),
            streams: part_of(host, |spec| !is_file(spec)),
        }
    }

    /// Leaves out the files that a question is not about.
    fn about(self, ask: &LogRequest) -> Self {
        let is_wanted = |part: &HostSpec| {
            part.sources.is_empty() || part.sources.iter().any(|spec| may_be_about(ask, spec))
        };
        Self {
            files: self.files.filter(is_wanted),
            root: self.root.filter(is_wanted),
            streams: self.streams,
        }
    }

    fn only(&self, asks: &[LogRequest]) -> Option<Only> {
        let has_usual = self.files.iter().any(|part| part.sources.is_empty());
        if has_usual || first_about(self.files.as_ref(), asks).is_some() {
            return None;
        }
        let keeps_a_past =
            |spec: &&SourceSpec| !matches!(spec.kind, SourceKind::Command(_) | SourceKind::Input);
        match first_about(self.streams.as_ref(), asks).filter(keeps_a_past) {
            Some(stream) => Some(Only::Streams {
                as_root: stream.as_root,
            }),
            None => first_about(self.root.as_ref(), asks).map(|_| Only::Root),
        }
    }
}

fn is_file(spec: &SourceSpec) -> bool {
    matches!(spec.kind, SourceKind::Path(_))
}

/// A host with those of its sources that are so; `None` where it has none of them.
fn part_of(host: &HostSpec, is_so: impl Fn(&SourceSpec) -> bool) -> Option<HostSpec> {
    let sources = host.sources.iter().filter(|spec| is_so(spec));
    let sources: Vec<_> = sources.cloned().collect();
    (!sources.is_empty()).then(|| HostSpec {
        sources,
        ..host.clone()
    })
}

/// The first source that a question is about.
fn first_about<'a>(part: Option<&'a HostSpec>, asks: &[LogRequest]) -> Option<&'a SourceSpec> {
    let mut sources = part.iter().flat_map(|part| &part.sources);
    sources.find(|spec| asks.iter().any(|ask| may_be_about(ask, spec)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::host::{Endpoint, HostName};

    #[test]
    fn each_source_is_asked_by_who_may_read_it() {
        let spec = |name: &str, kind, as_root| SourceSpec {
            name: name.to_owned(),
            kind,
            time: None,
            encoding: None,
            as_root,
            archive: None,
        };
        let file = |name: &str, as_root| spec(name, SourceKind::Path(format!("/{name}")), as_root);
        let mut host = HostSpec::new(Endpoint::new(HostName::new("web-1").expect("a name")));
        let names = |host: &HostSpec| {
            let Parts {
                files,
                root,
                streams,
            } = Parts::of(host);
            let of = |part: HostSpec| {
                part.sources
                    .into_iter()
                    .map(|spec| spec.name)
                    .collect::<Vec<_>>()
                    .join(" ")
            };
            [streams, root, files].map(|part| part.map(of))
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            names(&host),
            [None, None, some("")],
            "without named sources it has the usual files"
        );
        host.sources = vec![
            file("a", false),
            spec("unit", whole_journal().kind, true),
            file("s", true),
            file("b", false),
        ];
        assert_eq!(names(&host), [some("unit"), some("s"), some("a b")]);
        let only = |host: &HostSpec, name: &str| {
            Parts::of(host).only(&[LogRequest {
                sources: vec![name.to_owned()],
                what: crate::query::request::RequestKind::List,
            }])
        };
        assert_eq!(only(&host, "s"), Some(Only::Root));
        assert_eq!(only(&host, "unit"), Some(Only::Streams { as_root: true }));
        assert_eq!(only(&host, "?"), None, "files among others");
        assert_eq!(only(&host, "none"), None);
        host.sources.insert(
            0,
            spec("up", SourceKind::Command(vec!["uptime".to_owned()]), false),
        );
        assert_eq!(only(&host, "up"), None, "nobody keeps what it said");
        host.sources = vec![whole_journal()];
        assert_eq!(
            only(&host, "journal"),
            Some(Only::Streams { as_root: false })
        );
        assert_eq!(names(&host), [some("journal"), None, None]);
    }
}
