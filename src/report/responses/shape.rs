//! What kind of responses a report prints.

use std::time::Duration;

use crate::model::cursor::LineRef;
use crate::query::Query;

/// What kind of responses are expected.
#[derive(Debug, Clone)]
pub enum ResponseShape {
    /// Sources with their files.
    Sources,
    /// Hits of a search.
    Hits {
        /// Only how many.
        count: bool,
        /// With lines around them.
        grouped: bool,
        /// What is found is highlighted on a terminal.
        marks: Query,
    },
    /// Lines of pages, with the cursors to go on with.
    Lines,
    /// Lines around one, which is marked.
    Around(LineRef),
    /// Counts by time and level.
    Buckets {
        /// How long one is.
        bucket: Duration,
    },
    /// What it would cost.
    Costs,
}

impl ResponseShape {
    /// Whether only the number of hits is printed.
    pub(super) fn is_count(&self) -> bool {
        matches!(self, Self::Hits { count: true, .. })
    }

    /// How long a bucket is, where lines are counted by time.
    pub(super) fn bucket(&self) -> Option<Duration> {
        match self {
            Self::Buckets { bucket } => Some(*bucket),
            _ => None,
        }
    }

    /// Whether pages of lines are printed, with their ends.
    pub(super) fn is_page(&self) -> bool {
        matches!(self, Self::Lines | Self::Around(_))
    }
}
