//! What the lines of a source mean that no line says by itself: how its numbers of levels count,
//! which word of a line is the level, and the names of its columns.
//!
//! Found by [`parse::dialect`](crate::parse::dialect), and kept with each line, so that it means
//! the same wherever it is looked at.

/// What is known of the lines of a source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineDialect {
    /// How numbers count that say a level in a field.
    pub scale: Option<NumberScale>,
    /// The word of each line that is its level.
    pub level: Option<LevelColumn>,
    /// The columns that the head of the log has named.
    pub columns: Option<NamedColumns>,
}

impl LineDialect {
    /// Whether there is nothing that a line would not say by itself.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}

/// How loggers count levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NumberScale {
    /// From 0, an emergency, to 7, debug: syslog, the journal, GELF.
    Syslog,
    /// In tens from trace to 60: bunyan and pino.
    Bunyan,
    /// In tens from debug to 50: Python.
    Python,
    /// From 0, debug, to 4, fatal: Nextcloud, ownCloud.
    Nextcloud,
    /// From 0, trace, to 6, nothing: .NET.
    DotNet,
    /// From 0, verbose, to 4, critical: Azure's Application Insights.
    Azure,
    /// From 1, critical, to 5, verbose: Windows' events.
    Windows,
    /// From 2, verbose, to 7, a failed assertion: Android.
    Android,
    /// In hundreds from debug to 600: Monolog.
    Monolog,
    /// In hundreds from debug to 800: Google Cloud.
    GoogleCloud,
    /// In hundreds from 100, fatal, to trace: log4j 2.
    Log4j,
    /// In ten thousands from debug to 50000: log4j 1, logback.
    Logback,
    /// In hundreds from 300, finest, to 1000: java.util.logging.
    JavaUtil,
    /// In fours from 1, trace, to 24: OpenTelemetry.
    Telemetry,
    /// From 0, system, to 3, a note: MySQL.
    MySql,
    /// From 0 to 10, rising: CEF and LEEF.
    SecurityEvent,
}

/// The place of the level in the lines of a source, counted in words from their beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LevelColumn {
    /// Which word it is. What is in brackets is one word.
    pub word: u8,
    /// What the level is written like.
    pub kind: LevelMarkKind,
}

/// How a column writes a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LevelMarkKind {
    /// A letter, perhaps with a digit: `E!`, `(W)`, `D1`.
    Letter,
    /// A number: `[40]`.
    Number(NumberScale),
    /// A name, perhaps together with other words: `daemon.err`, `Warn`.
    Name,
}

/// The columns of a log, by the names that its head gives them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedColumns {
    /// In the order of the columns.
    pub names: Vec<Box<[u8]>>,
    /// Which of them has the level.
    pub level: Option<usize>,
    /// Which of them has the status of a request.
    pub status: Option<usize>,
    /// What is between two of them.
    pub separator: ColumnSeparator,
}

/// What separates the columns of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnSeparator {
    /// Tabs, and blanks in lines without a tab, as W3C's extended format has it. A value with
    /// blanks is in quotes.
    Blank,
    /// This byte, and nothing is quoted.
    Byte(u8),
    /// This byte, as CSV has it: a value in quotes may contain it.
    Quoted(u8),
}
