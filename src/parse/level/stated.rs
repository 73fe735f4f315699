//! A level that was found, and how far into a line it is looked for.

use crate::model::dialect::LineDialect;
use crate::model::level::Level;

/// Where a statement of the level is looked for: stamps, names and threads come before it.
pub(crate) const HEAD_BYTES: usize = 256;

/// A level, and how clearly it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StatedLevel {
    pub(crate) level: Level,
    /// A field, or a word that is set apart; more than `error:` before a message.
    pub(crate) clear: bool,
}

impl StatedLevel {
    pub(crate) fn clear(level: Level) -> Self {
        Self { level, clear: true }
    }
}

/// So many objects are looked into that are the text of a member of another.
const MAX_NESTED: u8 = 3;

/// What is known when a line is looked at.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LineContext<'a> {
    /// What its source means by its lines.
    pub(crate) dialect: Option<&'a LineDialect>,
    /// In so many others it was found.
    depth: u8,
}

impl<'a> LineContext<'a> {
    pub(crate) fn of(dialect: Option<&'a LineDialect>) -> Self {
        Self { dialect, depth: 0 }
    }

    /// For a line that is the text of a member; `None` where it is too deep.
    pub(crate) fn deeper(self) -> Option<Self> {
        let depth = self.depth + 1;
        (depth <= MAX_NESTED).then_some(Self { depth, ..self })
    }
}
