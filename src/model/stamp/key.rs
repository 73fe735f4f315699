//! How stamps can be compared by a program that knows nothing of them, such as `awk` on a host.

/// Where the parts of a stamp stand in a line, so that moments can be compared as texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeKey {}
