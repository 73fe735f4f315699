//! What a followed program reads, and how far it was read.

use super::argv::{self, CommandLine, StartFrom};
use super::container::FollowedContainer;
use super::timestamp_prefix::PrefixStripper;
use crate::model::source::SourceKind;

/// Where the lines of a program come from.
pub(super) enum ProgramKind {
    Journal {
        unit: Option<String>,
        /// The journal's name for the last record that was read.
        cursor: Option<String>,
    },
    Command(CommandLine),
    Container(Box<FollowedContainer>),
}

impl ProgramKind {
    pub(super) fn container(&mut self) -> Option<&mut FollowedContainer> {
        match self {
            Self::Container(container) => Some(container),
            Self::Journal { .. } | Self::Command(_) => None,
        }
    }

    /// Whether it is a container that does not run any more.
    pub(super) fn has_ended(&self) -> bool {
        matches!(self, Self::Container(container) if container.has_ended())
    }

    /// What prints the lines that were not read yet; of a journal that was not read at all so many
    /// of the last ones.
    pub(super) fn words(&mut self, lines: u32, follow: bool) -> CommandLine {
        match self {
            Self::Journal { unit, cursor } => {
                let cursor = cursor.as_deref();
                let from = cursor.map_or(StartFrom::Last(lines), StartFrom::Cursor);
                argv::journal(unit.as_deref(), &from, follow)
            }
            Self::Command(words) => words.clone(),
            Self::Container(container) => container.words(follow),
        }
    }

    /// Reads the stamps that an engine of containers puts before each line.
    pub(super) fn stripper(&self) -> Option<PrefixStripper> {
        match self {
            Self::Container(container) => container.stripper(),
            Self::Journal { .. } | Self::Command(_) => None,
        }
    }
}

/// What is shown of a source in place of a path.
pub(super) fn label(kind: &SourceKind) -> String {
    match kind {
        SourceKind::Journal(None) => "journal:*".to_owned(),
        kind => kind.to_string(),
    }
}
