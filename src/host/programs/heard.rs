//! What is heard of a program that runs: its lines, and what it complains of.

use tokio::time::Instant;

use super::argv::CommandLine;
use super::dedup::Deduplicator;
use super::kind::ProgramKind;
use super::reader::ProgramLineReader;
use super::timestamp_prefix::{EngineOutput, PrefixStripper};
use crate::host::driver::line_splitter::RawLine;
use crate::host::search::stream::RecentLines;
use crate::model::line::Line;

/// A program that is run, and what is wanted of it.
pub(super) struct ProgramRun {
    pub(super) words: CommandLine,
    /// It is ended then.
    pub(super) limit: Option<Instant>,
    /// Only so many lines, the last ones.
    pub(super) last: Option<usize>,
    /// A last line without a line end is left for the next run.
    pub(super) holds: bool,
}

impl ProgramRun {
    /// All that it prints, however long it runs.
    pub(super) fn whole(words: CommandLine) -> Self {
        Self {
            words,
            limit: None,
            last: None,
            holds: false,
        }
    }
}

/// How it ended.
pub(super) struct ProgramEnd {
    /// Its exit status; `None` where its time was over.
    pub(super) code: Option<i32>,
    /// The last that it said beside lines.
    pub(super) complaint: Option<String>,
}

/// What was heard of a running program.
pub(super) struct ProgramHeard {
    pub(super) run: ProgramRun,
    /// Lines have come, or it runs for a while.
    pub(super) settled: bool,
    pub(super) complaint: Option<String>,
    /// Of a container: reads its stamps.
    stripper: Option<PrefixStripper>,
    /// The last line of a container was new.
    is_new: bool,
    /// Those that will be sent when it has ended, where only so many are wanted.
    pub(super) recent: RecentLines,
    /// The last line, which may go on.
    held: Option<RawLine>,
}

impl ProgramHeard {
    pub(super) fn new(run: ProgramRun, kind: &ProgramKind) -> Self {
        Self {
            run,
            settled: false,
            complaint: None,
            stripper: kind.stripper(),
            is_new: false,
            recent: RecentLines::default(),
            held: None,
        }
    }

    pub(super) fn end(self, code: Option<i32>) -> ProgramEnd {
        ProgramEnd {
            code,
            complaint: self.complaint,
        }
    }

    /// Keeps the last line back, where it may have no line end.
    pub(super) fn hold_back(&mut self, more: Vec<RawLine>) -> Vec<RawLine> {
        if !self.run.holds {
            return more;
        }
        let mut lines: Vec<_> = self.held.take().into_iter().chain(more).collect();
        self.held = lines.pop();
        lines
    }

    /// The line that was kept back, unless the next run brings all of it.
    pub(super) fn take_held(&mut self, is_unended: bool) -> Vec<RawLine> {
        let held = self.held.take().filter(|_| !is_unended);
        held.into_iter().collect()
    }

    /// Makes lines of what a program has printed.
    pub(super) fn read(
        &mut self,
        more: Vec<RawLine>,
        kind: &mut ProgramKind,
        reader: &mut ProgramLineReader,
    ) -> Vec<Line> {
        match kind {
            ProgramKind::Journal { cursor, .. } => {
                let mut lines = Vec::with_capacity(more.len());
                for line in more {
                    if let Some(name) = reader.record(&line.bytes, &mut lines) {
                        *cursor = Some(name);
                    }
                }
                lines
            }
            ProgramKind::Container(container) => {
                self.read_stamped(more, &mut container.taken, reader)
            }
            ProgramKind::Command(_) => reader.plain_lines(more),
        }
    }

    /// Lines of an engine. One without a stamp is its complaint; behind others it may as well go on
    /// with them.
    fn read_stamped(
        &mut self,
        more: Vec<RawLine>,
        taken: &mut Deduplicator,
        reader: &mut ProgramLineReader,
    ) -> Vec<Line> {
        let Some(stripper) = &mut self.stripper else {
            return Vec::new();
        };
        let printed: Vec<_> = more.into_iter().map(|line| stripper.line(line)).collect();
        let stamped = printed.iter().flat_map(EngineOutput::lines);
        reader.learn(stamped.map(|line| &line.raw[..]));
        let mut lines = Vec::with_capacity(printed.len());
        let mut has_begun = self.settled;
        for output in printed {
            match output {
                EngineOutput::Lines(stamped) => {
                    has_begun = true;
                    for line in stamped {
                        let new = taken.take(line);
                        self.is_new = new.is_some();
                        lines.extend(new.map(|line| reader.stamped(line.at, line.raw)));
                    }
                }
                EngineOutput::Rest(bytes) if self.is_new => {
                    lines.push(reader.plain(RawLine::rest(bytes)));
                }
                EngineOutput::Rest(_) => {}
                EngineOutput::Other(bytes) => {
                    self.complaint = Some(String::from_utf8_lossy(&bytes).into_owned());
                    if has_begun {
                        lines.push(reader.plain(RawLine::whole(bytes)));
                    }
                }
            }
        }
        lines
    }
}
