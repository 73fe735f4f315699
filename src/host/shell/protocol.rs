//! What all scripts and the console have in common on the wire. The words of each script are in the
//! `protocol` of its driver.
//!
//! A request is one line of words, an answer one frame or several ([`frame`](super::frame)): a
//! header of words and a body. A path or a pattern is one word, as [`escape`] writes it. Each
//! request has its answers before those of the next, and [`END`](super::frame::END) behind them.
//!
//! | request | answers |
//! |---|---|
//! | (none) | `ready`, twice, when the script has begun: a frame is whole when the next begins |
//! | `describe` | `described`, with a line of a name and a value for each fact |
//! | `renew` | none, and no end: the lease of the script is renewed, whatever it does |

use crate::model::cursor::FileId;

/// The first answer.
pub(crate) const READY: &str = "ready";

/// Asks the host what it is.
pub(crate) const DESCRIBE: &str = "describe";

/// The answer to [`DESCRIBE`].
pub(crate) const DESCRIBED: &str = "described";

/// Renews the lease of the script; a whole line.
pub(crate) const RENEW: &str = "renew\n";

/// The host said something that the script cannot have said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the host answered {0:?}, which makes no sense here")]
pub(crate) struct ProtocolError(pub(crate) String);

impl ProtocolError {
    /// As much of a header as can be shown.
    pub(crate) fn of_header(header: &str) -> Self {
        Self(header.chars().take(80).collect())
    }
}

/// A path or pattern as one word for `printf %b`: everything but the plainest characters in octal.
#[must_use]
pub(crate) fn escape(path: &[u8]) -> String {
    let mut out = String::with_capacity(path.len());
    for &byte in path {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("\\0{byte:03o}"));
        }
    }
    out
}

/// A word of a script's `stats`.
pub(crate) struct StatWord {
    pub(crate) id: FileId,
    pub(crate) size: u64,
    /// In nanoseconds since 1970. `None` where the host has no number for it: then the word is only
    /// good to tell the script of a change.
    pub(crate) changed: Option<i64>,
}

impl StatWord {
    /// Reads `device:inode:size:time`.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        let mut parts = word.split(':');
        let mut number = || parts.next()?.parse::<u64>().ok();
        let (dev, ino, size) = (number()?, number()?, number()?);
        Some(Self {
            id: FileId { dev, ino },
            size,
            changed: parts.next().and_then(nanoseconds),
        })
    }
}

/// Of seconds with digits behind a point, or without.
fn nanoseconds(text: &str) -> Option<i64> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let nanos: i64 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    seconds
        .parse::<i64>()
        .ok()?
        .checked_mul(1_000_000_000)?
        .checked_add(nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_becomes_one_plain_word() {
        assert_eq!(
            escape(b"/var/log/a b\n'$x.log"),
            "/var/log/a\\0040b\\0012\\0047\\0044x.log"
        );
    }

    #[test]
    fn the_time_of_a_file_is_read_as_finely_as_the_host_tells_it() {
        for (word, changed) in [
            ("1:2:3:1795188137", Some(1_795_188_137_000_000_000)),
            (
                "1:2:3:1795188137.000000250",
                Some(1_795_188_137_000_000_250),
            ),
            ("1:2:3:1795188137.5", Some(1_795_188_137_500_000_000)),
            ("1:2:3:Nov210930", None),
            ("1:2:3", None),
        ] {
            let stat = StatWord::parse(word).expect("a stat");
            assert_eq!(
                (stat.id.ino, stat.size, stat.changed),
                (2, 3, changed),
                "{word}"
            );
        }
        assert!(StatWord::parse("a:b:c:d").is_none() && StatWord::parse("1:2").is_none());
    }
}
