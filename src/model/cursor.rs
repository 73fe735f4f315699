//! Cursors: the name of a byte of a source, stable across rotation and printable for scripts.

use std::fmt;
use std::str::FromStr;

/// Which file: as the host's kernel numbers it. Inode numbers are reused at once on ext4, so an identity is only
/// believed together with a marker of the bytes before the offset, which the follower keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct FileId {
    /// Device number; 0 where the host could not tell.
    pub dev: u64,
    /// Inode number.
    pub ino: u64,
}

/// The byte at which a record begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// The file, or all zeroes for sources that are not files.
    pub file: FileId,
    /// Bytes before it in that file, or the record's number for sources that are not files.
    pub offset: u64,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}.{:x}.{}", self.file.dev, self.file.ino, self.offset)
    }
}

/// Not the text of a cursor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a cursor: expected DEV.INODE.OFFSET as printed in \"cursor\"")]
pub struct CursorError(String);

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let parse = || {
            let mut parts = text.splitn(3, '.');
            let dev = u64::from_str_radix(parts.next()?, 16).ok()?;
            let ino = u64::from_str_radix(parts.next()?, 16).ok()?;
            let offset = parts.next()?.parse().ok()?;
            Some(Self { file: FileId { dev, ino }, offset })
        };
        parse().ok_or_else(|| CursorError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_cursor_reads_back_as_itself() {
        let cursor = Cursor { file: FileId { dev: 0xfe01, ino: 123_456 }, offset: u64::MAX };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
    }

    #[test]
    fn text_that_is_no_cursor_is_refused() {
        for text in ["", "1.2", "x.y.z", "1.2.-3"] {
            assert!(text.parse::<Cursor>().is_err(), "{text:?}");
        }
    }
}
