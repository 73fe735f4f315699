//! What the journal, containers and pods have said before: their own programs are asked for it, and
//! what they print is read line by line, in bounded memory.
//!
//! Such a line has no offset. Its cursor has the file 0.0, and as offset about its microseconds
//! since 1970, by which it is found again; the check tells it from others of that time. What a
//! command or standard input has said is not kept by anyone.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::host::search::histogram::{self, HistogramCounts};
use crate::host::search::hits::{self, HitSink};
use crate::host::search::matches::MatchSink;
use crate::host::search::response_sender::ResponseSender;
use crate::host::search::stream::{MatchOrder, RecentLines, StreamSearch};
use crate::model::host::{HostSpec, SystemFacts};
use crate::model::line::Line;
use crate::model::source::{SourceInfo, SourceKind, SourceSpec};
use crate::model::time::Time;
use crate::query::request::{
    HistogramRequest, LogRequest, LogResponse, PageRequest, PageStart, RequestCost, RequestKind,
    ResponseTotals, SearchRequest,
};
use crate::transport::{Connection, LinkError};

use super::argv::{self, CommandLine, StartFrom};
use super::discovery;
use super::line_page::{Forwards, More, is_before};
use super::line_splitter::RawLine;
use super::list_output::{ContainerLog, WantedContainers};
use super::problem;
use super::program::{Program, Shell};
use super::reader::ProgramLineReader;
use super::tail_start::{find_tail_start, from_time, log_command};
use super::timestamp_prefix::{EngineOutput, PrefixStripper};
use crate::host::problems::Problem;

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

    /// Answers a request about the programs of a host, not about its files. It sends no
    /// [`LogResponse::Done`] and returns what the answer has come to. A full channel makes the host
    /// wait, a closed one makes it stop.
    ///
    /// # Errors
    /// When the host is lost. What is wrong with one source is a [`LogResponse::Failed`].
    pub async fn answer(
        &mut self,
        connection: &Connection,
        host: &HostSpec,
        facts: &SystemFacts,
        ask: &LogRequest,
        replies: &mpsc::Sender<LogResponse>,
    ) -> Result<ResponseTotals, LinkError> {
        let mut answerer = ProgramAnswerer {
            host,
            facts,
            ask,
            talk: self,
            out: ResponseSender::new(replies, ResponseTotals::default()),
        };
        let is_program = |spec: &&SourceSpec| !matches!(spec.kind, SourceKind::Path(_));
        for spec in host.sources.iter().filter(is_program) {
            let answered = tokio::select! {
                biased;
                () = replies.closed() => break,
                answered = answerer.about(connection, spec) => answered,
            };
            answered?;
        }
        Ok(answerer.out.totals)
    }
}

struct ProgramAnswerer<'a> {
    host: &'a HostSpec,
    facts: &'a SystemFacts,
    ask: &'a LogRequest,
    talk: &'a mut Talk,
    out: ResponseSender<'a>,
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
struct PastStream {
    name: Arc<str>,
    label: String,
    /// Why it may not be all of it.
    problem: Option<String>,
    time: Option<String>,
    of: Of,
}

enum Of {
    Journal(Option<String>),
    Container(ContainerLog),
}

impl PastStream {
    fn words(&self, from: &StartFrom<'_>) -> CommandLine {
        match &self.of {
            Of::Journal(unit) => argv::journal(unit.as_deref(), from, false),
            Of::Container(at) => log_command(at, from, false),
        }
    }

    /// From a time on; from the beginning where that is before all that can be.
    fn since(&self, time: Time) -> StartFrom<'static> {
        match self.of {
            Of::Journal(_) if time.0 <= 0 => StartFrom::Oldest,
            Of::Journal(_) => StartFrom::Time(time.0),
            Of::Container(_) => from_time(time.0),
        }
    }

    fn trouble(&self, code: i32, said: &str) -> Problem {
        match &self.of {
            Of::Journal(_) => {
                Problem::plain(&format!("journalctl ended with status {code}: {said}"))
            }
            Of::Container(ContainerLog::Engine(engine, _)) => {
                problem::of_engine(*engine, code, said)
            }
            Of::Container(ContainerLog::Pod(_)) => problem::of_kubectl(code, said),
        }
    }
}

impl ProgramAnswerer<'_> {
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
                let why = Problem::from(error).told();
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

    async fn answer(&mut self, shell: &mut Shell, past: &PastStream) -> Result<(), LinkError> {
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
                let commands = vec![past.words(&StartFrom::Oldest).join(" ")];
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
            RequestKind::Search(search) => self.search(shell, past, search).await,
            RequestKind::Histogram(asked) => self.histogram(shell, past, asked).await,
        }
    }

    async fn forwards(
        &mut self,
        shell: &mut Shell,
        past: &PastStream,
        page: &PageRequest,
    ) -> Result<(), LinkError> {
        let mut forwards = Forwards::new(page);
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
        let from = past.since(Time(start));
        let mut output = self.begin(shell, past, &from).await?;
        'reading: while let Some(lines) = output.next().await? {
            for line in lines {
                if forwards.line(line) == More::Enough {
                    break 'reading;
                }
            }
        }
        self.end(output, past).await?;
        if matches!(page.start, PageStart::Cursor(_) | PageStart::After(_)) && !forwards.met {
            let note = "the line of the cursor is not there any more: this is what follows it";
            self.send(LogResponse::Note(Arc::clone(&past.name), note.to_owned()))
                .await;
        }
        self.out.totals.more |= forwards.more;
        self.send_lines(past, forwards.lines).await;
        Ok(())
    }

    /// Looks among the last lines, and among more of them until there are enough.
    async fn backwards(
        &mut self,
        shell: &mut Shell,
        past: &PastStream,
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
            let (mut last, mut count, mut before) = (RecentLines::default(), 0, 0);
            // Of lines of one moment each has a place after the one before it: where not all of
            // them were read, theirs are not known.
            let (mut first, mut doubtful) = (None, 0);
            let begin = match &past.of {
                Of::Journal(_) => None,
                Of::Container(at) => Some(find_tail_start(shell, at, among).await?),
            };
            let from = begin
                .as_ref()
                .map_or(StartFrom::Last(among), |begin| begin.from.clone());
            let mut output = self.begin(shell, past, &from).await?;
            while let Some(lines) = output.next().await? {
                for line in lines {
                    count += 1;
                    first.get_or_insert(line.time);
                    if is_before(&line, &page.start) && page.window.contains(&line.time) {
                        before += 1;
                        doubtful += usize::from(first == Some(line.time));
                        last.push(line, most);
                    }
                }
            }
            self.end(output, past).await?;
            let is_all = begin.map_or(count < among, |begin| begin.is_all) || among >= MOST_LINES;
            if before - doubtful < most && !is_all && !last.is_full {
                among = among.saturating_mul(8).min(MOST_LINES);
                continue;
            }
            self.out.totals.more |= before > last.len();
            let lines = last.take();
            self.send_lines(past, lines).await;
            return Ok(());
        }
    }

    async fn search(
        &mut self,
        shell: &mut Shell,
        past: &PastStream,
        search: &SearchRequest,
    ) -> Result<(), LinkError> {
        let sink = HitSink::new(Arc::clone(&past.name), search);
        let criteria = hits::criteria(self.host.name().as_str(), search);
        let Some(criteria) = criteria.filter(|_| sink.wants(&self.out) > 0) else {
            return Ok(());
        };
        let order = if search.newest_first && !search.count_only {
            MatchOrder::NewestFirst
        } else {
            MatchOrder::OldestFirst
        };
        let name = Arc::clone(&past.name);
        let scan = StreamSearch::new(&criteria, name, search.window.clone(), order, sink);
        let Some((sink, left_out)) = self.scan(shell, past, search.window.start, scan).await?
        else {
            return Ok(());
        };
        self.out.totals.more |= left_out > 0;
        if left_out > 0 && sink.wants(&self.out) > 0 {
            let note = format!("{left_out} hits are left out, for the others are too long");
            self.send(LogResponse::Note(Arc::clone(&past.name), note))
                .await;
        }
        Ok(())
    }

    async fn histogram(
        &mut self,
        shell: &mut Shell,
        past: &PastStream,
        asked: &HistogramRequest,
    ) -> Result<(), LinkError> {
        let Some(criteria) = histogram::criteria(self.host.name().as_str(), asked) else {
            return Ok(());
        };
        let name = Arc::clone(&past.name);
        let window = asked.window.clone();
        let counts = HistogramCounts::new(asked);
        let scan = StreamSearch::new(&criteria, name, window, MatchOrder::OldestFirst, counts);
        if let Some((counts, _)) = self.scan(shell, past, asked.window.start, scan).await? {
            // Where nobody listens any more, the whole is about to end.
            let _ = counts.send(&past.name, &mut self.out).await;
        }
        Ok(())
    }

    /// Gives the lines of a stream to a search until no more are wanted; `None` where nobody
    /// listens any more.
    async fn scan<S: MatchSink>(
        &mut self,
        shell: &mut Shell,
        past: &PastStream,
        start: Time,
        mut search: StreamSearch<'_, S>,
    ) -> Result<Option<(S, u64)>, LinkError> {
        let mut output = self.begin(shell, past, &past.since(start)).await?;
        while let Some(lines) = output.next().await? {
            if search.push(lines, &mut self.out).await.is_err() {
                break;
            }
        }
        self.end(output, past).await?;
        Ok(search.finish(&mut self.out).await.ok())
    }

    /// Runs the program that prints a stream.
    async fn begin<'s>(
        &self,
        shell: &'s mut Shell,
        past: &PastStream,
        from: &StartFrom<'_>,
    ) -> Result<ProgramOutput<'s>, LinkError> {
        let mut reader = ProgramLineReader::new(past.time.as_deref());
        reader.set_clock(&self.facts.clock());
        let prefix = match &past.of {
            Of::Container(at) => Some(PrefixStripper::new(at)),
            Of::Journal(_) => None,
        };
        Ok(ProgramOutput {
            program: shell.run(&past.words(from)).await?,
            reader,
            prefix,
            said: String::new(),
            has_begun: false,
            scanned: 0,
        })
    }

    /// Ends the program, and says so if it has failed.
    async fn end(
        &mut self,
        mut output: ProgramOutput<'_>,
        past: &PastStream,
    ) -> Result<(), LinkError> {
        self.out.totals.scanned += output.scanned;
        self.out.totals.received += output.program.take_bytes_read();
        let code = output.program.end().await?.unwrap_or(0);
        if code != 0 {
            let problem = past.trouble(code, &output.said);
            self.send(LogResponse::Failed(Arc::clone(&past.name), problem.told()))
                .await;
        }
        Ok(())
    }

    async fn send_lines(&mut self, past: &PastStream, lines: Vec<Line>) {
        self.out.totals.lines += lines.len() as u64;
        let mut lines = lines.into_iter().peekable();
        while lines.peek().is_some() {
            let part = lines.by_ref().take(REPLY_LINES).collect();
            self.send(LogResponse::Lines(Arc::clone(&past.name), part))
                .await;
        }
    }

    /// Where nobody listens any more, the whole is about to end.
    async fn send(&mut self, reply: LogResponse) {
        let _ = self.out.send(reply).await;
    }
}

/// What a program prints of a stream.
struct ProgramOutput<'s> {
    program: Program<'s>,
    reader: ProgramLineReader,
    /// Cuts off what an engine of containers puts before each line.
    prefix: Option<PrefixStripper>,
    /// What it said of itself before the first line.
    said: String,
    has_begun: bool,
    /// Bytes.
    scanned: u64,
}

impl ProgramOutput<'_> {
    /// The lines that come next (perhaps none); `None` at the end.
    async fn next(&mut self) -> Result<Option<Vec<Line>>, LinkError> {
        let Some(raw) = self.program.next().await? else {
            return Ok(None);
        };
        let mut lines = Vec::new();
        for line in raw {
            self.read(line, &mut lines);
            self.has_begun |= !lines.is_empty();
        }
        Ok(Some(lines))
    }

    fn read(&mut self, line: RawLine, lines: &mut Vec<Line>) {
        self.scanned += line.bytes.len() as u64 + 1;
        let Some(prefix) = &mut self.prefix else {
            self.reader.record(&line.bytes, lines);
            return;
        };
        match prefix.line(line.clone()) {
            EngineOutput::Lines(of) => {
                lines.extend(of.into_iter().map(|it| self.reader.stamped(it.at, it.raw)));
            }
            EngineOutput::Rest(bytes) => {
                let is_rest = true;
                lines.push(self.reader.plain(RawLine { bytes, is_rest }));
            }
            EngineOutput::Other(_) if self.has_begun => lines.push(self.reader.plain(line)),
            EngineOutput::Other(bytes) => self.said = String::from_utf8_lossy(&bytes).into_owned(),
        }
    }
}

/// The streams of a source, by the names that following gives them; or why nobody knows.
async fn streams_of(
    spec: &SourceSpec,
    shell: &mut Shell,
) -> Result<Result<Vec<PastStream>, Problem>, LinkError> {
    let past = |name: &str, label: String, of| PastStream {
        name: name.into(),
        label,
        problem: None,
        time: spec.time.clone(),
        of,
    };
    if let SourceKind::Journal(unit) = &spec.kind {
        let (said, code) = shell.answer(&argv::journal_check()).await?;
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
        return Ok(Ok(vec![PastStream { problem, ..past }]));
    }
    let Some(wanted) = WantedContainers::new(&spec.kind) else {
        return Ok(Ok(Vec::new()));
    };
    let found = match discovery::look(&spec.kind, &wanted, &mut None, shell).await? {
        Ok(found) => found,
        Err(trouble) => return Ok(Err(trouble)),
    };
    if found.is_empty() {
        return Ok(Err(Problem::plain(discovery::nothing(&spec.kind))));
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
