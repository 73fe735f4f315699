//! How grave a line is. What a line states is found by `parse::level`.

use std::fmt;

/// The level a line states, in rising gravity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Finest detail.
    Trace,
    /// For developers.
    Debug,
    /// Normal events.
    Info,
    /// Normal, but worth a look (syslog).
    Notice,
    /// Something is odd.
    Warn,
    /// Something failed.
    Error,
    /// Syslog's crit, alert and emerg too.
    Fatal,
}

impl Level {
    /// How many there are.
    pub const COUNT: usize = 7;

    /// All levels, in rising gravity.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Trace,
        Self::Debug,
        Self::Info,
        Self::Notice,
        Self::Warn,
        Self::Error,
        Self::Fatal,
    ];

    /// The word in JSON and in queries.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Notice => "notice",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
