//! The words that name levels, and the fields that have them.

use super::Level;

/// The names in use, by syslog, log4j, java.util.logging, Python, .NET, Go, PHP, PostgreSQL and MySQL.
const NAMES: &[(&[u8], Level)] = &[
    (b"info", Level::Info),
    (b"error", Level::Error),
    (b"warn", Level::Warn),
    (b"warning", Level::Warn),
    (b"debug", Level::Debug),
    (b"err", Level::Error),
    (b"fatal", Level::Fatal),
    (b"trace", Level::Trace),
    (b"notice", Level::Notice),
    (b"critical", Level::Fatal),
    (b"crit", Level::Fatal),
    (b"alert", Level::Fatal),
    (b"emerg", Level::Fatal),
    (b"emergency", Level::Fatal),
    (b"panic", Level::Fatal),
    (b"dpanic", Level::Fatal),
    (b"severe", Level::Error),
    (b"note", Level::Notice),
    (b"inf", Level::Info),
    (b"information", Level::Info),
    (b"informational", Level::Info),
    (b"wrn", Level::Warn),
    (b"eror", Level::Error),
    (b"ftl", Level::Fatal),
    (b"dbg", Level::Debug),
    (b"dbug", Level::Debug),
    (b"trc", Level::Trace),
    (b"trce", Level::Trace),
    (b"verbose", Level::Trace),
    (b"fine", Level::Debug),
    (b"finer", Level::Trace),
    (b"finest", Level::Trace),
];

/// Names of the field, as loggers spell them.
const KEYS: &[&[u8]] = &[
    b"level",
    b"lvl",
    b"severity",
    b"loglevel",
    b"log_level",
    b"log.level",
    b"levelname",
    b"level_name",
    b"severity_text",
    b"severitytext",
    b"@l",
    b"@level",
    b"syslog.severity",
];

/// In any case.
pub(super) fn named(word: &[u8]) -> Option<Level> {
    // By far most words of a line are told from all names by this alone.
    let first = word.first()?.to_ascii_lowercase();
    if !(3..=13).contains(&word.len()) || !b"iewdftncapsv".contains(&first) {
        return None;
    }
    NAMES.iter().find(|(name, _)| word.eq_ignore_ascii_case(name)).map(|&(_, level)| level)
}

/// Whether a field of this name has the level.
pub(super) fn is_key(word: &[u8]) -> bool {
    (2..=15).contains(&word.len()) && KEYS.iter().any(|key| word.eq_ignore_ascii_case(key))
}
