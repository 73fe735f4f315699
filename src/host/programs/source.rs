//! A source that is no file: a program that is run again and again, or standard input.

use std::sync::Arc;

use tokio::sync::Mutex;

use super::container::FollowedContainer;
use super::followed_program::FollowedProgram;
use super::host::ProgramsHost;
use super::input::StdinSource;
use super::kind::ProgramKind;
use super::reader::ProgramLineReader;
use super::report::SourceReport;
use super::turns::ProgramTurns;
use crate::model::source::SourceSpec;

/// What is followed, across connections.
pub(super) enum ProgramSource {
    Input(Box<StdinSource>),
    Program(Box<ProgramTurns>),
}

/// A source that runs while others are found.
pub(super) type SharedSource = Arc<Mutex<ProgramSource>>;

impl ProgramSource {
    pub(super) fn program(spec: &SourceSpec, kind: ProgramKind, report: SourceReport) -> Self {
        let program = FollowedProgram::new(kind, report, ProgramLineReader::of(spec));
        Self::Program(Box::new(ProgramTurns::new(program, spec.as_root)))
    }

    pub(super) fn container(
        spec: &SourceSpec,
        report: SourceReport,
        container: FollowedContainer,
    ) -> Self {
        Self::program(spec, ProgramKind::Container(Box::new(container)), report)
    }

    pub(super) fn shared(self) -> SharedSource {
        Arc::new(Mutex::new(self))
    }

    /// Reads it until the connection ends; in a bounded pass until it has given its last lines.
    pub(super) async fn run(&mut self, host: &ProgramsHost<'_>) {
        match self {
            Self::Input(input) => input.run(host).await,
            Self::Program(program) => program.run(host).await,
        }
    }
}
