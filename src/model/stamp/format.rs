//! Formats of stamps as the inventory gives them.

use super::formats::{FORMATS, Format};

/// The format of the stamps of a source, as the inventory has it.
#[derive(Debug, Clone)]
pub struct TimeFormat(&'static Format);

impl TimeFormat {
    /// The format that a text of the inventory means.
    ///
    /// # Errors
    /// What is wrong with it and what would be right, in one line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let format = FORMATS.iter().find(|format| format.name == text);
        format.map(Self).ok_or_else(|| format!("unknown time format {text:?}"))
    }

    /// The names of formats.
    pub fn names() -> impl Iterator<Item = &'static str> {
        FORMATS.iter().map(|format| format.name)
    }

    pub(super) fn named(&self) -> &'static Format {
        self.0
    }
}
