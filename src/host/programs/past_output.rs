//! The lines of a program that prints what a stream has said.

use super::argv::StartFrom;
use super::past_stream::PastStream;
use super::reader::ProgramLineReader;
use super::timestamp_prefix::{EngineOutput, PrefixStripper};
use crate::host::driver::line_splitter::RawLine;
use crate::host::driver::programs::RunPrograms;
use crate::model::line::Line;
use crate::model::time::HostClock;
use crate::transport::LinkError;

/// What a program prints of a stream.
pub(super) struct PastOutput<'s, P> {
    pub(super) programs: &'s mut P,
    reader: ProgramLineReader,
    stripper: Option<PrefixStripper>,
    /// What it said of itself before the first line.
    pub(super) said: String,
    has_begun: bool,
    /// Bytes.
    pub(super) scanned: u64,
}

impl<'s, P: RunPrograms> PastOutput<'s, P> {
    /// Runs the program. The host has this clock.
    pub(super) async fn begin(
        programs: &'s mut P,
        past: &PastStream,
        from: &StartFrom<'_>,
        clock: &HostClock,
    ) -> Result<Self, LinkError> {
        let mut reader = past.reader();
        reader.set_clock(clock);
        programs.run(&past.words(from)).await?;
        Ok(Self {
            programs,
            reader,
            stripper: past.stripper(),
            said: String::new(),
            has_begun: false,
            scanned: 0,
        })
    }

    /// The lines that come next (perhaps none); `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Line>>, LinkError> {
        let Some(raw) = self.programs.next().await? else {
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
        let Some(stripper) = &mut self.stripper else {
            self.reader.record(&line.bytes, lines);
            return;
        };
        match stripper.line(line.clone()) {
            EngineOutput::Lines(stamped) => {
                let stamped = stamped.into_iter();
                lines.extend(stamped.map(|line| self.reader.stamped(line.at, line.raw)));
            }
            EngineOutput::Rest(bytes) => lines.push(self.reader.plain(RawLine::rest(bytes))),
            EngineOutput::Other(_) if self.has_begun => lines.push(self.reader.plain(line)),
            EngineOutput::Other(bytes) => self.said = String::from_utf8_lossy(&bytes).into_owned(),
        }
    }
}
