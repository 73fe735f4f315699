//! Gaps: bytes that should have been shown and were not, and why. Every loss is one of these, never
//! silence.

use super::host::HostId;
use super::source::SourceId;
use super::time::Time;

/// Why bytes are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GapReason {
    /// The file was emptied or rewritten in place, and no copy with the bytes before it was found.
    Truncated,
    /// The file was renamed or replaced, and its former generation is not to be found.
    RotatedAway,
    /// A line was longer than the limit; the rest of it was skipped.
    LineTooLong,
    /// A hole of NUL bytes (a writer without `O_APPEND` after a truncation).
    NulBytes,
    /// A queue or buffer of ours was full.
    Overflow,
}

impl GapReason {
    /// The word in JSON and on screen.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::RotatedAway => "rotated-away",
            Self::LineTooLong => "line-too-long",
            Self::NulBytes => "nul-bytes",
            Self::Overflow => "overflow",
        }
    }
}

/// Bytes of a source that were lost, or could not be proven to have been shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Whose.
    pub host: HostId,
    /// Of which source.
    pub source: SourceId,
    /// Offset of the first missing byte.
    pub from: u64,
    /// Offset after the last missing byte; `None` where it cannot be known.
    pub to: Option<u64>,
    /// Why.
    pub reason: GapReason,
    /// When the last byte before it was read (our clock).
    pub since: Option<Time>,
    /// When it was noticed (our clock).
    pub until: Time,
}

impl Gap {
    /// How many bytes are missing, where it is known.
    #[must_use]
    pub fn bytes(&self) -> Option<u64> {
        self.to.map(|to| to.saturating_sub(self.from))
    }
}
