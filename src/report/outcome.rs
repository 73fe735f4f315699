//! The result of a report: counts of what was printed, and the exit code.

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// Hosts that were asked.
    pub hosts: usize,
    /// Hosts that gave everything they were asked for: a degraded one, of which a file could not be
    /// read, is none.
    pub ok: usize,
    /// Lines printed.
    pub lines: u64,
    /// Hits of a search.
    pub hits: u64,
    /// Gaps reported.
    pub gaps: u64,
    /// 0 every host gave everything, 3 partial, 4 no host answered; 0 too where the reader of the
    /// output has gone.
    pub exit: u8,
}
