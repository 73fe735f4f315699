//! Says of a source that it is read, or why it is not.

use std::sync::Arc;

use super::host::ProgramsHost;
use crate::host::HostEvent;
use crate::host::problems::Problem;
use crate::host::sources::RegisteredSource;
use crate::model::source::SourceInfo;

/// What is said of one source.
pub(super) struct SourceReport {
    source: RegisteredSource,
    /// As [`SourceInfo::path`].
    label: String,
    /// Its problem is the host's.
    counts: bool,
    /// What was said of it last: the problem, if any.
    told: Option<Option<Problem>>,
}

impl SourceReport {
    pub(super) fn new(source: RegisteredSource, label: String, counts: bool) -> Self {
        Self {
            source,
            label,
            counts,
            told: None,
        }
    }

    pub(super) fn number(&self) -> u32 {
        self.source.number
    }

    pub(super) fn label(&self) -> &str {
        &self.label
    }

    /// Has it said again, whatever it is.
    pub(super) fn forget(&mut self) {
        self.told = None;
    }

    /// What is to be said, where it has changed.
    pub(super) fn news(
        &mut self,
        host: &ProgramsHost<'_>,
        problem: Option<Problem>,
        stamps: &'static str,
    ) -> Option<HostEvent> {
        if self.told.as_ref() == Some(&problem) {
            return None;
        }
        self.told = Some(problem.clone());
        let of_host = problem.as_ref().filter(|_| self.counts);
        let of_host = of_host.map(|problem| problem.of(&self.label));
        host.set_problem(&self.source.name, of_host);
        let info = SourceInfo {
            name: Arc::clone(&self.source.name),
            path: self.label.as_str().into(),
            problem: problem.map(|problem| problem.reason),
            stamps: Some(stamps),
        };
        let source = self.source.number;
        Some(HostEvent::Source { source, info })
    }
}
