//! Cursors: the name of a byte of a source, stable across rotation and printable for scripts.

use std::fmt;
use std::str::FromStr;

/// Which file: as the host's kernel numbers it. Inode numbers are reused at once on ext4, so an
/// identity is only believed together with a marker of the bytes before the offset, which the
/// follower keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct FileId {
    /// Device number; 0 where the host could not tell.
    pub dev: u64,
    /// Inode number.
    pub ino: u64,
}

/// The byte at which a record begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
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

/// A cursor that can be handed out and come back later: with a check of the line that stood there,
/// by which it is known again in a copy, and told from another line that took its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LineRef {
    /// Where the line began.
    pub cursor: Cursor,
    /// CRC-32 (IEEE) of the line, of its first [`CHECKED_BYTES`] at most; `None` in cursors that
    /// were typed without.
    pub check: Option<u32>,
}

/// So much of a line is checked; the rest of a longer one may not have been kept.
pub const CHECKED_BYTES: usize = 1024;

impl LineRef {
    /// The place of a line.
    #[must_use]
    pub fn of(cursor: Cursor, line: &[u8]) -> Self {
        Self {
            cursor,
            check: Some(check(line)),
        }
    }

    /// Whether this line may be the one that stood there.
    #[must_use]
    pub fn fits(&self, line: &[u8]) -> bool {
        self.check.is_none_or(|known| known == check(line))
    }

    /// Whether a beginning of this line, shorter than it, may be what stood there: the line was
    /// under way and has grown.
    #[must_use]
    pub fn fits_beginning(&self, line: &[u8]) -> bool {
        let Some(known) = self.check else {
            return false;
        };
        let mut hasher = crc32fast::Hasher::new();
        line.iter().take(CHECKED_BYTES).any(|&byte| {
            hasher.update(&[byte]);
            hasher.clone().finalize() == known
        })
    }
}

fn check(line: &[u8]) -> u32 {
    crc32fast::hash(&line[..line.len().min(CHECKED_BYTES)])
}

impl fmt::Display for LineRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.check {
            Some(check) => write!(f, "{}.{check:08x}", self.cursor),
            None => self.cursor.fmt(f),
        }
    }
}

impl FromStr for LineRef {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let parts: Vec<&str> = text.split('.').collect();
        let [.., last] = parts[..] else {
            return Err(CursorError(text.to_owned()));
        };
        if parts.len() != 4 {
            return Ok(Self {
                cursor: text.parse()?,
                check: None,
            });
        }
        let check = u32::from_str_radix(last, 16).map_err(|_| CursorError(text.to_owned()))?;
        let cursor = text[..text.len() - last.len() - 1]
            .parse()
            .map_err(|_| CursorError(text.to_owned()))?;
        Ok(Self {
            cursor,
            check: Some(check),
        })
    }
}

/// Not the text of a cursor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a cursor: expected DEV.INODE.OFFSET.CHECK as printed in \"cursor\"")]
pub struct CursorError(String);

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let parse = || {
            let mut parts = text.splitn(3, '.');
            let dev = u64::from_str_radix(parts.next()?, 16).ok()?;
            let ino = u64::from_str_radix(parts.next()?, 16).ok()?;
            let offset = parts.next()?.parse().ok()?;
            Some(Self {
                file: FileId { dev, ino },
                offset,
            })
        };
        parse().ok_or_else(|| CursorError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_cursor_reads_back_as_itself() {
        let cursor = Cursor {
            file: FileId {
                dev: 0xfe01,
                ino: 123_456,
            },
            offset: u64::MAX,
        };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
    }

    #[test]
    fn a_printed_place_reads_back_as_itself_and_knows_its_line() {
        let cursor = Cursor {
            file: FileId {
                dev: 0xfe01,
                ino: 7,
            },
            offset: 42,
        };
        let place = LineRef::of(cursor, b"one line");
        assert_eq!(place.to_string().parse(), Ok(place));
        assert!(place.fits(b"one line") && !place.fits(b"another"));
        assert!(place.fits_beginning(b"one line and its end") && !place.fits_beginning(b"one"));
        let typed: LineRef = "fe01.7.42".parse().expect("a cursor without a check");
        assert_eq!(
            typed,
            LineRef {
                cursor,
                check: None
            }
        );
        assert!(typed.fits(b"any line"));
        for text in ["fe01.7.42.x", "fe01.7.42.1.2", ""] {
            assert!(text.parse::<LineRef>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn text_that_is_no_cursor_is_refused() {
        for text in ["", "1.2", "x.y.z", "1.2.-3"] {
            assert!(text.parse::<Cursor>().is_err(), "{text:?}");
        }
    }
}
