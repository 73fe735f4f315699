//! What the journal, containers and pods have said before: their own programs are asked for it, and
//! what they print is read line by line, in bounded memory.
//!
//! Such a line has no offset. Its cursor has the file 0.0, and as offset about its microseconds
//! since 1970, by which it is found again; the check tells it from others of that time. What a
//! command or standard input has said is not kept by anyone.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::model::host::{HostSpec, SystemFacts};
use crate::model::line::Line;
use crate::model::source::{SourceInfo, SourceKind, SourceSpec};
use crate::model::time::Time;
use crate::query::request::{
    LogRequest, LogResponse, PageRequest, PageStart, RequestCost, RequestKind, ResponseTotals,
};
use crate::transport::{Connection, LinkError};

use super::argv::{self as words, CommandLine as Words, StartFrom as From};
use super::discovery as list;
use super::line_splitter::RawLine;
use super::list_output::{ContainerLog as At, WantedContainers};
use super::problem as trouble;
use super::program::Shell;
use super::reader::ProgramLineReader as Reader;
use super::sift::{Forwards, Last, Matches, More, is_before};
use super::tail_start::{find_tail_start as from_last, from_time, log_command as words_of};
use super::timestamp_prefix::{EngineOutput as Said, PrefixStripper as Unstamp};
use crate::host::problems::Problem as Trouble;

/// Lines in one reply.
const REPLY_LINES: usize = 1000;

/// A page backwards looks for its lines among so many of the last ones, at most.
const MOST_LINES: u32 = 1 << 20;

/// The shell in which the streams of a host are asked: one at a time, for a server may give no
/// more.
#[derive(Default)]
pub struct Talk(Option<(bool, Shell)>);

impl Talk {
    /// Begins with what the host says of itself, in a shell of root's where wanted.
    ///
    /// # Errors
    /// When no shell starts, or sudo refuses.
    pub async fn begin(
        connection: &Connection,
        as_root: bool,
    ) -> Result<(Self, SystemFacts), LinkError> {
        let mut shell = Shell::start(connection, as_root).await?;
        let facts = shell.describe().await?;
        Ok((Self(Some((as_root, shell))), facts))
    }

    /// Ends it.
    pub async fn end(&mut self) {
        if let Some((_, mut shell)) = self.0.take() {
            shell.end().await;
        }
    }

    /// Takes out a shell of the login's or of root's, so that one that was left in the middle is
    /// not used again.
    async fn take(&mut self, connection: &Connection, as_root: bool) -> Result<Shell, LinkError> {
        match self.0.take() {
            Some((is_root, shell)) if is_root == as_root => Ok(shell),
            Some((_, mut other)) => {
                other.end().await;
                Shell::start(connection, as_root).await
            }
            None => Shell::start(connection, as_root).await,
        }
    }
}

/// Answers a question about the streams of a host; nothing about its files, and no [`LogResponse::Done`]:
/// what it came to is what is returned. A full channel makes the host wait, a closed one makes it
/// stop.
///
/// # Errors
/// When the host is lost. What is wrong with one source is a [`LogResponse::Failed`].
pub async fn history(
    (connection, talk): (&Connection, &mut Talk),
    host: &HostSpec,
    facts: &SystemFacts,
    ask: &LogRequest,
    replies: &mpsc::Sender<LogResponse>,
) -> Result<ResponseTotals, LinkError> {
    let mut answering = Answering {
        host,
        facts,
        ask,
        replies,
        talk,
        totals: ResponseTotals::default(),
    };
    for spec in host
        .sources
        .iter()
        .filter(|spec| !matches!(spec.kind, SourceKind::Path(_)))
    {
        let answered = tokio::select! {
            biased;
            () = replies.closed() => break,
            answered = answering.about(connection, spec) => answered,
        };
        answered?;
    }
    Ok(answering.totals)
}

struct Answering<'a> {
    host: &'a HostSpec,
    facts: &'a SystemFacts,
    ask: &'a LogRequest,
    replies: &'a mpsc::Sender<LogResponse>,
    talk: &'a mut Talk,
    totals: ResponseTotals,
}

/// What is answered of a command or of standard input. Who asks about everything is told and gets
/// the rest; only for who asks about this very source is the answer not complete.
fn without_past(spec: &SourceSpec, ask: &LogRequest) -> LogResponse {
    let name: Arc<str> = spec.name.as_str().into();
    if matches!(ask.what, RequestKind::List) {
        let info = SourceInfo {
            name,
            path: spec.kind.to_string().into(),
            problem: None,
            stamps: None,
        };
        return LogResponse::Source(info, Vec::new());
    }
    let why = "nobody keeps what it has said: it can only be followed".to_owned();
    if ask.sources.is_empty() {
        LogResponse::Note(name, why)
    } else {
        LogResponse::Failed(name, why)
    }
}

/// A stream that can be asked for what it said.
struct Past {
    name: Arc<str>,
    label: String,
    /// Why it may not be all of it.
    problem: Option<String>,
    time: Option<String>,
    of: Of,
}

enum Of {
    Journal(Option<String>),
    Container(At),
}

impl Past {
    fn words(&self, from: &From<'_>) -> Words {
        match &self.of {
            Of::Journal(unit) => words::journal(unit.as_deref(), from, false),
            Of::Container(at) => words_of(at, from, false),
        }
    }

    /// From a time on; from the beginning where that is before all that can be.
    fn since(&self, time: Time) -> From<'static> {
        match self.of {
            Of::Journal(_) if time.0 <= 0 => From::Oldest,
            Of::Journal(_) => From::Time(time.0),
            Of::Container(_) => from_time(time.0),
        }
    }

    fn trouble(&self, code: i32, said: &str) -> Trouble {
        match &self.of {
            Of::Journal(_) => {
                Trouble::plain(&format!("journalctl ended with status {code}: {said}"))
            }
            Of::Container(At::Engine(engine, _)) => trouble::of_engine(*engine, code, said),
            Of::Container(At::Pod(_)) => trouble::of_kubectl(code, said),
        }
    }
}

impl Answering<'_> {
    async fn about(&mut self, connection: &Connection, spec: &SourceSpec) -> Result<(), LinkError> {
        if matches!(spec.kind, SourceKind::Command(_) | SourceKind::Input) {
            if self.ask.is_about(&spec.name) {
                self.send(without_past(spec, self.ask)).await;
            }
            return Ok(());
        }
        if !spec.kind.is_glob() && !self.ask.is_about(&spec.name) {
            return Ok(());
        }
        let mut shell = match self.talk.take(connection, spec.as_root).await {
            Err(error) if spec.as_root || !connection.has_ended_by(&error).await => {
                let why = Trouble::from(error).told();
                self.send(LogResponse::Failed(spec.name.as_str().into(), why))
                    .await;
                return Ok(());
            }
            shell => shell?,
        };
        match streams_of(spec, &mut shell).await? {
            Ok(streams) => {
                for past in streams
                    .into_iter()
                    .filter(|past| self.ask.is_about(&past.name))
                {
                    if let (Some(why), false) =
                        (&past.problem, matches!(self.ask.what, RequestKind::List))
                    {
                        self.send(LogResponse::Note(Arc::clone(&past.name), why.clone()))
                            .await;
                    }
                    self.answer(&mut shell, &past).await?;
                }
            }
            Err(trouble) => {
                self.send(LogResponse::Failed(
                    spec.name.as_str().into(),
                    trouble.told(),
                ))
                .await;
            }
        }
        self.talk.0 = Some((spec.as_root, shell));
        Ok(())
    }

    async fn answer(&mut self, shell: &mut Shell, past: &Past) -> Result<(), LinkError> {
        // It outlives what borrows the rest.
        let ask = self.ask;
        match &ask.what {
            RequestKind::List => {
                let (name, path) = (Arc::clone(&past.name), past.label.as_str().into());
                let info = SourceInfo {
                    name,
                    path,
                    problem: past.problem.clone(),
                    stamps: None,
                };
                self.send(LogResponse::Source(info, Vec::new())).await;
                Ok(())
            }
            RequestKind::Estimate(_) => {
                let commands = vec![past.words(&From::Oldest).join(" ")];
                let cost = RequestCost {
                    bytes: 0,
                    files: Vec::new(),
                    commands,
                };
                self.send(LogResponse::Cost(Arc::clone(&past.name), cost))
                    .await;
                Ok(())
            }
            RequestKind::Page(page) if page.backwards => self.backwards(shell, past, page).await,
            RequestKind::Page(page) => self.forwards(shell, past, page).await,
            RequestKind::Search(search) => {
                let left = search
                    .limit
                    .map_or(u64::MAX, |limit| limit.saturating_sub(self.totals.hits));
                let matches = Matches::search(self.host.name().as_str(), &past.name, search, left);
                if left > 0 {
                    self.matches(shell, past, search.window.start, matches)
                        .await
                } else {
                    Ok(())
                }
            }
            RequestKind::Histogram(asked) => {
                let matches = Matches::histogram(self.host.name().as_str(), &past.name, asked);
                self.matches(shell, past, asked.window.start, matches).await
            }
        }
    }

    async fn forwards(
        &mut self,
        shell: &mut Shell,
        past: &Past,
        page: &PageRequest,
    ) -> Result<(), LinkError> {
        let mut sift = Forwards::new(page);
        let start = match page.start {
            PageStart::Oldest => page.window.start.0,
            PageStart::Newest => return Ok(()),
            PageStart::At(time) => time.0.max(page.window.start.0),
            // The places of lines that come in one microsecond depend on those right before them.
            PageStart::Cursor(place) | PageStart::After(place) => {
                i64::try_from(place.cursor.offset)
                    .unwrap_or(i64::MAX)
                    .saturating_mul(1000)
                    .saturating_sub(1_000_000_000)
            }
        };
        self.read(shell, past, &past.since(Time(start)), |line, _| {
            sift.line(line)
        })
        .await?;
        if matches!(page.start, PageStart::Cursor(_) | PageStart::After(_)) && !sift.met {
            let note = "the line of the cursor is not there any more: this is what follows it";
            self.send(LogResponse::Note(Arc::clone(&past.name), note.to_owned()))
                .await;
        }
        self.totals.more |= sift.more;
        self.send_lines(past, sift.lines).await;
        Ok(())
    }

    /// Looks among the last lines, and among more of them until there are enough.
    async fn backwards(
        &mut self,
        shell: &mut Shell,
        past: &Past,
        page: &PageRequest,
    ) -> Result<(), LinkError> {
        let most = page.lines as usize;
        let is_end = matches!(page.start, PageStart::Newest) && page.window.end == Time(i64::MAX);
        let mut among = if is_end {
            page.lines.saturating_add(64)
        } else {
            page.lines.saturating_mul(4).max(1000)
        };
        loop {
            let (mut last, mut count, mut before) = (Last::default(), 0, 0);
            // Of lines of one moment each has a place after the one before it: where not all of
            // them were read, theirs are not known.
            let (mut first, mut doubtful) = (None, 0);
            let begin = match &past.of {
                Of::Journal(_) => None,
                Of::Container(at) => Some(from_last(shell, at, among).await?),
            };
            let from = begin
                .as_ref()
                .map_or(From::Last(among), |begin| begin.from.clone());
            self.read(shell, past, &from, |line, _| {
                count += 1;
                first.get_or_insert(line.time);
                if is_before(&line, &page.start) && page.window.contains(&line.time) {
                    before += 1;
                    doubtful += usize::from(first == Some(line.time));
                    last.push(line, most);
                }
                More::Wanted
            })
            .await?;
            let is_all = begin.map_or(count < among, |begin| begin.is_all) || among >= MOST_LINES;
            if before - doubtful < most && !is_all && !last.is_full {
                among = among.saturating_mul(8).min(MOST_LINES);
                continue;
            }
            self.totals.more |= before > last.len();
            let lines = last.take();
            self.send_lines(past, lines).await;
            return Ok(());
        }
    }

    async fn matches(
        &mut self,
        shell: &mut Shell,
        past: &Past,
        start: Time,
        mut matches: Matches<'_>,
    ) -> Result<(), LinkError> {
        self.read(shell, past, &past.since(start), |line, out| {
            matches.line(line, out)
        })
        .await?;
        let mut rest = Vec::new();
        matches.finish(&mut rest);
        let (told, left_out) = matches.told();
        self.totals.hits += told;
        self.totals.lines += told;
        self.totals.more |= left_out.is_some();
        if let Some(note) = left_out.filter(|note| !note.is_empty()) {
            self.send(LogResponse::Note(Arc::clone(&past.name), note))
                .await;
        }
        for reply in rest {
            self.send(reply).await;
        }
        Ok(())
    }

    /// Reads lines until no more are wanted, and sends what is made of them.
    async fn read(
        &mut self,
        shell: &mut Shell,
        past: &Past,
        from: &From<'_>,
        mut take: impl FnMut(Line, &mut Vec<LogResponse>) -> More,
    ) -> Result<(), LinkError> {
        let mut reader = Reader::new(past.time.as_deref());
        reader.set_clock(&self.facts.clock());
        let words = past.words(from);
        let mut program = shell.run(&words).await?;
        let mut unstamp = match &past.of {
            Of::Container(at) => Some(Unstamp::new(at)),
            Of::Journal(_) => None,
        };
        let (mut said, mut begun, mut lines, mut out) =
            (String::new(), false, Vec::new(), Vec::new());
        'reading: while let Some(more) = program.next().await? {
            for line in more {
                self.totals.scanned += line.bytes.len() as u64 + 1;
                match unstamp.as_mut().map(|unstamp| unstamp.line(line.clone())) {
                    None => drop(reader.record(&line.bytes, &mut lines)),
                    Some(Said::Lines(of)) => {
                        lines.extend(of.into_iter().map(|it| reader.stamped(it.at, it.raw)));
                    }
                    Some(Said::Rest(bytes)) => lines.push(reader.plain(RawLine {
                        bytes,
                        is_rest: true,
                    })),
                    Some(Said::Other(_)) if begun => lines.push(reader.plain(line)),
                    Some(Said::Other(bytes)) => said = String::from_utf8_lossy(&bytes).into_owned(),
                }
                begun |= !lines.is_empty();
                if lines
                    .drain(..)
                    .any(|line| take(line, &mut out) == More::Enough)
                {
                    break 'reading;
                }
            }
            for reply in out.drain(..) {
                self.send(reply).await;
            }
        }
        self.totals.received += program.take_bytes_read();
        let code = program.end().await?.unwrap_or(0);
        for reply in out {
            self.send(reply).await;
        }
        if code != 0 {
            let trouble = past.trouble(code, &said);
            self.send(LogResponse::Failed(Arc::clone(&past.name), trouble.told()))
                .await;
        }
        Ok(())
    }

    async fn send_lines(&mut self, past: &Past, lines: Vec<Line>) {
        self.totals.lines += lines.len() as u64;
        let mut lines = lines.into_iter().peekable();
        while lines.peek().is_some() {
            let part = lines.by_ref().take(REPLY_LINES).collect();
            self.send(LogResponse::Lines(Arc::clone(&past.name), part))
                .await;
        }
    }

    /// Where nobody listens any more, the whole is about to end.
    async fn send(&self, reply: LogResponse) {
        let _ = self.replies.send(reply).await;
    }
}

/// The streams of a source, by the names that following gives them; or why nobody knows.
async fn streams_of(
    spec: &SourceSpec,
    shell: &mut Shell,
) -> Result<Result<Vec<Past>, Trouble>, LinkError> {
    let past = |name: &str, label: String, of| Past {
        name: name.into(),
        label,
        problem: None,
        time: spec.time.clone(),
        of,
    };
    if let SourceKind::Journal(unit) = &spec.kind {
        let (said, code) = shell.answer(&words::journal_check()).await?;
        let trouble = super::journal::explained(code, &said);
        if let (Some(trouble), true) = (&trouble, code != 0) {
            return Ok(Err(trouble.clone()));
        }
        // It says so where it shows only a part, or has nothing.
        let problem = trouble.map(|trouble| trouble.reason);
        let past = past(
            &spec.name,
            super::label(&spec.kind),
            Of::Journal(unit.clone()),
        );
        return Ok(Ok(vec![Past { problem, ..past }]));
    }
    let Some(wanted) = WantedContainers::new(&spec.kind) else {
        return Ok(Ok(Vec::new()));
    };
    let found = match list::look(&spec.kind, &wanted, &mut None, shell).await? {
        Ok(found) => found,
        Err(trouble) => return Ok(Err(trouble)),
    };
    if found.is_empty() {
        return Ok(Err(Trouble::plain(list::nothing(&spec.kind))));
    }
    let streams = found.into_iter().map(|(name, target)| {
        if spec.kind.is_glob() {
            past(
                &format!("{}/{name}", spec.name),
                target.label(),
                Of::Container(target.at),
            )
        } else {
            past(&spec.name, spec.kind.to_string(), Of::Container(target.at))
        }
    });
    // They are read one after the other: however many there are.
    Ok(Ok(streams
        .take(if spec.kind.is_glob() { usize::MAX } else { 1 })
        .collect()))
}
