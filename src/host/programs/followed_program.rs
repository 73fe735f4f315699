//! Reads what a program prints, and says what has become of it. When it is run is left to `turns`.

use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};

use super::argv;
use super::container::FollowedContainer;
use super::heard::{ProgramEnd, ProgramHeard, ProgramRun};
use super::host::ProgramsHost;
use super::journal;
use super::kind::ProgramKind;
use super::listing::Listing;
use super::problem;
use super::reader::ProgramLineReader;
use super::report::SourceReport;
use super::tail_start::{find_tail_start, log_command};
use crate::host::HostEvent;
use crate::host::driver::line_splitter::RawLine;
use crate::host::driver::programs::RunPrograms;
use crate::host::problems::Problem;
use crate::model::line::Line;
use crate::model::time::Time;
use crate::transport::LinkError;

/// A program that cannot do what it is asked says so sooner.
const SETTLED_AFTER: Duration = Duration::from_secs(3);

/// A source that a program reads, across connections.
pub(super) struct FollowedProgram {
    pub(super) kind: ProgramKind,
    report: SourceReport,
    reader: ProgramLineReader,
    /// The time of the last line that was sent.
    newest: Option<Time>,
    /// What keeps a part of the journal from us while the rest is read.
    standing: Option<Problem>,
}

/// What comes of waiting for lines.
enum NextLines {
    Lines(Vec<RawLine>),
    Ended,
    TimeIsOver,
}

impl From<Option<Vec<RawLine>>> for NextLines {
    fn from(lines: Option<Vec<RawLine>>) -> Self {
        lines.map_or(Self::Ended, Self::Lines)
    }
}

impl FollowedProgram {
    pub(super) fn new(kind: ProgramKind, report: SourceReport, reader: ProgramLineReader) -> Self {
        Self {
            kind,
            report,
            reader,
            newest: None,
            standing: None,
        }
    }

    pub(super) fn label(&self) -> &str {
        self.report.label()
    }

    /// Another connection begins.
    pub(super) async fn connected(&mut self, host: &ProgramsHost<'_>) {
        self.report.forget();
        if let Some(clock) = host.clock().await {
            self.reader.set_clock(&clock);
        }
    }

    /// Runs what reads it until that ends, or for a limited time.
    pub(super) async fn read(
        &mut self,
        programs: &mut impl RunPrograms,
        host: &ProgramsHost<'_>,
        follow: bool,
        limit: Option<Instant>,
    ) -> Result<ProgramEnd, LinkError> {
        if let ProgramKind::Journal { .. } = &self.kind {
            let check = Listing::of(programs, &argv::journal_check()).await?;
            self.standing = journal::explained(check.code, &check.lines);
        }
        let container = self.kind.container();
        if let Some(words) = container.and_then(FollowedContainer::previous_run) {
            let run = ProgramRun::whole(words);
            self.listen(programs, host, run).await?;
        }
        let holds = !follow && !host.work.once && self.is_running_container();
        if let Some(end) = self.read_tail(programs, host, holds).await?
            && (!follow || end.code != Some(0))
        {
            return Ok(end);
        }
        let run = ProgramRun {
            limit,
            holds,
            ..ProgramRun::whole(self.kind.words(host.work.lines, follow))
        };
        self.listen(programs, host, run).await
    }

    /// Reads the last lines of a container, where it begins with these.
    async fn read_tail(
        &mut self,
        programs: &mut impl RunPrograms,
        host: &ProgramsHost<'_>,
        holds: bool,
    ) -> Result<Option<ProgramEnd>, LinkError> {
        let container = self.kind.container();
        let Some(at) = container.and_then(FollowedContainer::begins_with_last) else {
            return Ok(None);
        };
        let start = find_tail_start(programs, &at, host.work.lines).await?;
        let run = ProgramRun {
            last: Some(host.work.lines as usize),
            holds,
            ..ProgramRun::whole(log_command(&at, &start.from, false))
        };
        self.listen(programs, host, run).await.map(Some)
    }

    fn is_running_container(&self) -> bool {
        matches!(self.kind, ProgramKind::Container(_)) && !self.kind.has_ended()
    }

    /// Runs a program and takes its lines until it ends.
    async fn listen(
        &mut self,
        programs: &mut impl RunPrograms,
        host: &ProgramsHost<'_>,
        run: ProgramRun,
    ) -> Result<ProgramEnd, LinkError> {
        programs.run(&run.words).await?;
        let mut heard = ProgramHeard::new(run, &self.kind);
        loop {
            match self.next_lines(programs, host, &mut heard).await? {
                NextLines::Lines(more) => self.hear(programs, host, &mut heard, more).await,
                NextLines::Ended => break,
                // It is ended with its shell.
                NextLines::TimeIsOver => return Ok(heard.end(None)),
            }
        }
        host.state.lock().set_unread(self.report.number(), None);
        let exit = programs.stop().await?;
        let held = heard.take_held(exit.is_unended);
        self.take(host, &mut heard, held).await;
        self.take_last(host, &mut heard).await;
        Ok(heard.end(Some(exit.code.unwrap_or(-1))))
    }

    /// Waits for lines; a program that prints nothing is well when it has run for a while.
    async fn next_lines(
        &mut self,
        programs: &mut impl RunPrograms,
        host: &ProgramsHost<'_>,
        heard: &mut ProgramHeard,
    ) -> Result<NextLines, LinkError> {
        let mut next = pin!(programs.next());
        if let Some(limit) = heard.run.limit {
            let lines = timeout_at(limit, next).await;
            return lines.map_or(Ok(NextLines::TimeIsOver), |lines| Ok(lines?.into()));
        }
        if !heard.settled {
            if let Ok(lines) = timeout(SETTLED_AFTER, &mut next).await {
                return Ok(lines?.into());
            }
            heard.settled = true;
            let problem = heard.complaint.as_deref().map(Problem::plain);
            self.tell(host, self.standing.clone().or(problem)).await;
        }
        Ok(next.await?.into())
    }

    /// Takes lines that have come, and says how far the program was read.
    async fn hear(
        &mut self,
        programs: &mut impl RunPrograms,
        host: &ProgramsHost<'_>,
        heard: &mut ProgramHeard,
        more: Vec<RawLine>,
    ) {
        let more = heard.hold_back(more);
        self.take(host, heard, more).await;
        let newest = self.newest.filter(|_| programs.has_more());
        host.state.lock().set_unread(self.report.number(), newest);
        let bytes = programs.take_bytes_read();
        let read = HostEvent::ReadTo { up_to: None, bytes };
        host.outbox.send(read).await;
    }

    async fn take(
        &mut self,
        host: &ProgramsHost<'_>,
        heard: &mut ProgramHeard,
        more: Vec<RawLine>,
    ) {
        let lines = heard.read(more, &mut self.kind, &mut self.reader);
        let Some(most) = heard.run.last else {
            return self.send(host, lines, heard).await;
        };
        for line in lines {
            heard.recent.push(line, most);
        }
    }

    /// Sends the last lines, where that was all that is wanted; from there on everything is.
    async fn take_last(&mut self, host: &ProgramsHost<'_>, heard: &mut ProgramHeard) {
        if heard.run.last.is_none() {
            return;
        }
        if let Some(container) = self.kind.container() {
            container.whole = true;
        }
        let lines = heard.recent.take();
        self.send(host, lines, heard).await;
    }

    async fn send(&mut self, host: &ProgramsHost<'_>, lines: Vec<Line>, heard: &mut ProgramHeard) {
        let Some(last) = lines.last() else { return };
        heard.settled = true;
        self.newest = Some(last.time);
        // Together: where the connection ends while the queue is full, none of it may be dropped.
        let state = self.news(host, self.standing.clone());
        let source = self.report.number();
        let lines = HostEvent::Lines { source, lines };
        host.outbox.send_all(state.into_iter().chain([lines])).await;
    }

    /// Says what has become of it, when all of it that there is has been read.
    pub(super) async fn ended(&mut self, host: &ProgramsHost<'_>, end: &ProgramEnd) {
        let had_ended = self.kind.has_ended();
        let problem = self.problem_of(end, false);
        let is_over = had_ended && problem.is_none();
        if let Some(container) = self.kind.container() {
            container.is_read = is_over;
        }
        // What has ended says so in a moment.
        if !is_over {
            self.tell(host, problem).await;
        }
    }

    /// What is wrong when a program has ended; `once` in a bounded pass.
    pub(super) fn problem_of(&self, end: &ProgramEnd, once: bool) -> Option<Problem> {
        let code = end.code?;
        let said = end.complaint.as_deref().unwrap_or_default();
        match &self.kind {
            ProgramKind::Journal { .. } => self
                .standing
                .clone()
                .or_else(|| (!once).then(|| Problem::plain("journalctl ended on the host"))),
            ProgramKind::Command(_) if once && code == 0 => None,
            ProgramKind::Command(words) => Some(problem::of_command(&words[0], code)),
            ProgramKind::Container(_) if code == 0 => None,
            ProgramKind::Container(container) => container.problem(code, said),
        }
    }

    /// Says that it is read or why it is not, where that has changed.
    pub(super) async fn tell(&mut self, host: &ProgramsHost<'_>, problem: Option<Problem>) {
        host.outbox.send_all(self.news(host, problem)).await;
    }

    fn news(&mut self, host: &ProgramsHost<'_>, problem: Option<Problem>) -> Option<HostEvent> {
        let stamps = match self.kind {
            ProgramKind::Journal { .. } => "journal",
            ProgramKind::Container(_) => "engine",
            ProgramKind::Command(_) => self.reader.stamps(),
        };
        self.report.news(host, problem, stamps)
    }
}
