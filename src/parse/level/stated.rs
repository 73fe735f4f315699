//! A level that was found, and how far into a line it is looked for.

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
