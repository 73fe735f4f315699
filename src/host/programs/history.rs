//! What the journal, containers and pods have said before: their own programs are asked for it, and
//! what they print is read line by line, in bounded memory.
//!
//! Such a line has no offset. Its cursor has the file 0.0, and as offset about its microseconds
//! since 1970, by which it is found again; the check tells it from others of that time.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::argv::StartFrom;
use super::line_page::{Backwards, Forwards, More};
use super::past_output::PastOutput;
use super::past_stream::{PastKind, PastStream, find_streams, without_past};
use crate::host::driver::programs::RunPrograms;
use crate::host::problems::Problem;
use crate::host::search::histogram::{self, HistogramCounts};
use crate::host::search::hits::{self, HitSink};
use crate::host::search::matches::MatchSink;
use crate::host::search::response_sender::ResponseSender;
use crate::host::search::stream::{MatchOrder, StreamSearch};
use crate::host::shell::ShellPrograms;
use crate::model::host::{HostSpec, SystemFacts};
use crate::model::line::Line;
use crate::model::source::{SourceKind, SourceSpec};
use crate::model::time::Time;
use crate::query::request::{
    HistogramRequest, LogRequest, LogResponse, PageRequest, PageStart, RequestKind, ResponseTotals,
    SearchRequest,
};
use crate::transport::{Connection, LinkError};

/// Lines in one reply.
const REPLY_LINES: usize = 1000;

/// A page backwards looks for its lines among so many of the last ones, at most.
const MOST_LINES: u32 = 1 << 20;

/// The shell in which the streams of a host are asked: one at a time, for a server may give no
/// more.
#[derive(Default)]
pub struct Talk(Option<(bool, ShellPrograms)>);

impl Talk {
    /// Begins with what the host says of itself, in a shell of root's where wanted.
    ///
    /// # Errors
    /// When no shell starts, or sudo refuses.
    pub async fn begin(
        connection: &Connection,
        as_root: bool,
    ) -> Result<(Self, SystemFacts), LinkError> {
        let mut shell = ShellPrograms::start(connection, as_root).await?;
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
    async fn take(
        &mut self,
        connection: &Connection,
        as_root: bool,
    ) -> Result<ShellPrograms, LinkError> {
        match self.0.take() {
            Some((is_root, shell)) if is_root == as_root => return Ok(shell),
            Some((_, mut other)) => other.end().await,
            None => {}
        }
        ShellPrograms::start(connection, as_root).await
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

impl ProgramAnswerer<'_> {
    async fn about(&mut self, connection: &Connection, spec: &SourceSpec) -> Result<(), LinkError> {
        if !spec.kind.is_glob() && !self.ask.is_about(&spec.name) {
            return Ok(());
        }
        if matches!(spec.kind, SourceKind::Command(_) | SourceKind::Input) {
            self.send(without_past(spec, self.ask)).await;
            return Ok(());
        }
        let mut shell = match self.talk.take(connection, spec.as_root).await {
            Err(error) if spec.as_root || !connection.has_ended_by(&error).await => {
                self.fail(spec.name.as_str().into(), error.into()).await;
                return Ok(());
            }
            shell => shell?,
        };
        match find_streams(&mut shell, spec).await? {
            Ok(streams) => self.answer_all(&mut shell, &streams).await?,
            Err(problem) => self.fail(spec.name.as_str().into(), problem).await,
        }
        self.talk.0 = Some((spec.as_root, shell));
        Ok(())
    }

    async fn answer_all(
        &mut self,
        programs: &mut impl RunPrograms,
        streams: &[PastStream],
    ) -> Result<(), LinkError> {
        let ask = self.ask;
        for past in streams.iter().filter(|past| ask.is_about(&past.name)) {
            if let Some(why) = &past.problem
                && !matches!(ask.what, RequestKind::List)
            {
                self.note(past, why.clone()).await;
            }
            self.answer(programs, past).await?;
        }
        Ok(())
    }

    async fn answer(
        &mut self,
        programs: &mut impl RunPrograms,
        past: &PastStream,
    ) -> Result<(), LinkError> {
        // It outlives what borrows the rest.
        let ask = self.ask;
        match &ask.what {
            RequestKind::List => self.send(past.info()).await,
            RequestKind::Estimate(_) => self.send(past.cost()).await,
            RequestKind::Page(page) if page.backwards => {
                self.backwards(programs, past, page).await?;
            }
            RequestKind::Page(page) => self.forwards(programs, past, page).await?,
            RequestKind::Search(search) => self.search(programs, past, search).await?,
            RequestKind::Histogram(asked) => self.histogram(programs, past, asked).await?,
        }
        Ok(())
    }

    async fn forwards(
        &mut self,
        programs: &mut impl RunPrograms,
        past: &PastStream,
        page: &PageRequest,
    ) -> Result<(), LinkError> {
        if page.start == PageStart::Newest {
            return Ok(());
        }
        let mut forwards = Forwards::new(page);
        let from = past.since(forwards.reads_from());
        let mut output = self.begin(programs, past, &from).await?;
        'reading: while let Some(lines) = output.next().await? {
            for line in lines {
                if forwards.line(line) == More::Enough {
                    break 'reading;
                }
            }
        }
        self.end(output, past).await?;
        if forwards.has_missed_cursor() {
            let note = "the line of the cursor is not there any more: this is what follows it";
            self.note(past, note.to_owned()).await;
        }
        self.out.totals.more |= forwards.more;
        self.send_lines(past, forwards.lines).await;
        Ok(())
    }

    /// Looks among the last lines, and among more of them until there are enough.
    async fn backwards(
        &mut self,
        programs: &mut impl RunPrograms,
        past: &PastStream,
        page: &PageRequest,
    ) -> Result<(), LinkError> {
        let mut among = Backwards::first_guess(page);
        loop {
            let tail = past.tail_start(programs, among).await?;
            let mut backwards = Backwards::new(page);
            let mut output = self.begin(programs, past, &tail.from).await?;
            while let Some(lines) = output.next().await? {
                lines.into_iter().for_each(|line| backwards.line(line));
            }
            self.end(output, past).await?;
            let is_all = match past.of {
                PastKind::Journal(_) => backwards.read < among,
                PastKind::Container(_) => tail.is_all,
            };
            if is_all || among >= MOST_LINES || backwards.is_complete() {
                self.out.totals.more |= backwards.has_more();
                let lines = backwards.lines.take();
                self.send_lines(past, lines).await;
                return Ok(());
            }
            among = among.saturating_mul(8).min(MOST_LINES);
        }
    }

    async fn search(
        &mut self,
        programs: &mut impl RunPrograms,
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
        let scanned = self.scan(programs, past, search.window.start, scan).await?;
        if let Some((sink, left_out)) = scanned.filter(|(_, left_out)| *left_out > 0) {
            self.out.totals.more = true;
            if sink.wants(&self.out) > 0 {
                let note = format!("{left_out} hits are left out, for the others are too long");
                self.note(past, note).await;
            }
        }
        Ok(())
    }

    async fn histogram(
        &mut self,
        programs: &mut impl RunPrograms,
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
        let scanned = self.scan(programs, past, asked.window.start, scan).await?;
        if let Some((counts, _)) = scanned {
            // Where nobody listens any more, the whole is about to end.
            let _ = counts.send(&past.name, &mut self.out).await;
        }
        Ok(())
    }

    /// Gives the lines of a stream to a search until no more are wanted; `None` where nobody
    /// listens any more.
    async fn scan<S: MatchSink>(
        &mut self,
        programs: &mut impl RunPrograms,
        past: &PastStream,
        start: Time,
        mut search: StreamSearch<'_, S>,
    ) -> Result<Option<(S, u64)>, LinkError> {
        let mut output = self.begin(programs, past, &past.since(start)).await?;
        while let Some(lines) = output.next().await? {
            if search.push(lines, &mut self.out).await.is_err() {
                break;
            }
        }
        self.end(output, past).await?;
        Ok(search.finish(&mut self.out).await.ok())
    }

    /// Runs the program that prints a stream.
    async fn begin<'s, P: RunPrograms>(
        &self,
        programs: &'s mut P,
        past: &PastStream,
        from: &StartFrom<'_>,
    ) -> Result<PastOutput<'s, P>, LinkError> {
        PastOutput::begin(programs, past, from, &self.facts.clock()).await
    }

    /// Ends the program, and says so if it has failed.
    async fn end(
        &mut self,
        output: PastOutput<'_, impl RunPrograms>,
        past: &PastStream,
    ) -> Result<(), LinkError> {
        self.out.totals.scanned += output.scanned;
        self.out.totals.received += output.programs.take_bytes_read();
        let code = output.programs.stop().await?.code.unwrap_or(0);
        if code != 0 {
            let problem = past.failure(code, &output.said);
            self.fail(Arc::clone(&past.name), problem).await;
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

    async fn note(&mut self, past: &PastStream, note: String) {
        self.send(LogResponse::Note(Arc::clone(&past.name), note))
            .await;
    }

    async fn fail(&mut self, name: Arc<str>, problem: Problem) {
        self.send(LogResponse::Failed(name, problem.told())).await;
    }

    /// Where nobody listens any more, the whole is about to end.
    async fn send(&mut self, reply: LogResponse) {
        let _ = self.out.send(reply).await;
    }
}
