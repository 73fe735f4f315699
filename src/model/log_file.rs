//! A file of a log as it was listed. `files` has the requests for its contents.

use super::cursor::FileId;
use super::time::Time;

/// How the text of a file is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Compression {
    /// As it is.
    #[default]
    Plain,
    /// `gzip`, of one or several members.
    Gzip,
    /// `bzip2`.
    Bzip2,
    /// `xz`.
    Xz,
    /// `zstd`.
    Zstd,
}

impl Compression {
    /// By the end of the file's name; that is what `logrotate` and people go by.
    #[must_use]
    pub fn of_name(name: &[u8]) -> Self {
        let ends: [(&[u8], Self); 4] = [
            (b".gz", Self::Gzip),
            (b".bz2", Self::Bzip2),
            (b".xz", Self::Xz),
            (b".zst", Self::Zstd),
        ];
        ends.iter()
            .find(|(end, _)| name.ends_with(end))
            .map_or(Self::Plain, |(_, packing)| *packing)
    }

    /// The name of a file without the ending that says so.
    #[must_use]
    pub fn stripped(self, name: &[u8]) -> &[u8] {
        let ending = match self {
            Self::Plain => 0,
            Self::Gzip | Self::Xz => 3,
            Self::Bzip2 | Self::Zstd => 4,
        };
        &name[..name.len().saturating_sub(ending)]
    }

    /// The word for it in JSON, which is also the program that unpacks it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Gzip => "gzip",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
            Self::Zstd => "zstd",
        }
    }
}

/// A file as it was found in its folder. Its path is only where it was; the reader makes sure
/// that it is still `id`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFile {
    /// Where, as the host spells it: any bytes but NUL.
    pub path: Vec<u8>,
    /// Which.
    pub id: FileId,
    /// Bytes on disk.
    pub size: u64,
    /// When it was last written to.
    pub modified: Time,
    /// How its text is stored.
    pub packing: Compression,
}
