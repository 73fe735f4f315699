//! The words, letters and numbers that name levels, and the fields that have them.

use crate::model::level::Level;

/// The names in use, by syslog, log4j, java.util.logging, Python, .NET, Go, PHP, PostgreSQL, MySQL
/// and supervisord.
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
    (b"debg", Level::Debug),
    (b"trac", Level::Trace),
    (b"blat", Level::Trace),
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
    b"error_severity",
    b"severity_label",
    b"severitylabel",
    b"severitylevel",
    b"leveltext",
    b"level_text",
    b"log_severity",
    b"logseverity",
    b"msg_level",
    b"loglvl",
    b"log_lvl",
    b"prio",
    b"level.name",
    b"level_value",
    b"levelvalue",
    b"@severity",
    b"entrytype",
    b"leveldisplayname",
];

/// java.util.logging speaks the language of the system: German, French, Spanish, Italian,
/// Portuguese, Japanese, Chinese.
const TRANSLATED: &[(&str, Level)] = &[
    ("SCHWERWIEGEND", Level::Error),
    ("WARNUNG", Level::Warn),
    ("KONFIGURATION", Level::Debug),
    ("FEIN", Level::Debug),
    ("FEINER", Level::Trace),
    ("FEINSTEN", Level::Trace),
    ("GRAVE", Level::Error),
    ("AVERTISSEMENT", Level::Warn),
    ("INFOS", Level::Info),
    ("ADVERTENCIA", Level::Warn),
    ("INFORMACIÓN", Level::Info),
    ("AVVERTENZA", Level::Warn),
    ("INFORMAZIONI", Level::Info),
    ("ADVERTÊNCIA", Level::Warn),
    ("INFORMAÇÕES", Level::Info),
    ("重大", Level::Error),
    ("致命的", Level::Error),
    ("严重", Level::Error),
    ("警告", Level::Warn),
    ("情報", Level::Info),
    ("信息", Level::Info),
];

/// What a word with which a message begins, and which a colon follows, means in other languages.
pub(super) fn translated(word: &[u8]) -> Option<Level> {
    TRANSLATED
        .iter()
        .find(|(name, _)| name.as_bytes() == word)
        .map(|&(_, level)| level)
}

/// In any case.
pub(super) fn named(word: &[u8]) -> Option<Level> {
    // By far most words of a line differ from all names in this alone.
    let first = word.first()?.to_ascii_lowercase();
    if !(3..=13).contains(&word.len()) || !b"iewdftncapsvb".contains(&first) {
        return None;
    }
    NAMES
        .iter()
        .find(|(name, _)| word.eq_ignore_ascii_case(name))
        .map(|&(_, level)| level)
}

/// By the severity of syslog.
pub(super) fn of_syslog(severity: u32) -> Level {
    match severity {
        0..=2 => Level::Fatal,
        3 => Level::Error,
        4 => Level::Warn,
        5 => Level::Notice,
        6 => Level::Info,
        _ => Level::Debug,
    }
}

pub(super) fn of_letter(letter: u8) -> Option<Level> {
    Some(match letter.to_ascii_uppercase() {
        b'V' | b'T' => Level::Trace,
        b'D' => Level::Debug,
        b'I' => Level::Info,
        b'N' => Level::Notice,
        b'W' => Level::Warn,
        b'E' => Level::Error,
        b'F' | b'C' => Level::Fatal,
        _ => return None,
    })
}

/// Whether a field of this name has the level.
pub(super) fn is_key(word: &[u8]) -> bool {
    (2..=16).contains(&word.len()) && KEYS.iter().any(|key| word.eq_ignore_ascii_case(key))
}
