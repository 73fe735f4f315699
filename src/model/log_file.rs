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

/// The compressions whose text is read, each with the ending of its files and the program that
/// unpacks it. The scripts of the shell driver have their patterns from this table.
const COMPRESSIONS: [(Compression, &str, &str); 4] = [
    (Compression::Gzip, ".gz", "gzip"),
    (Compression::Bzip2, ".bz2", "bzip2"),
    (Compression::Xz, ".xz", "xz"),
    (Compression::Zstd, ".zst", "zstd"),
];

/// Endings of compressed files whose text is not read. They are archives and no logs all the same.
const OTHER_ARCHIVES: [&str; 7] = [".lz4", ".Z", ".zip", ".lzma", ".7z", ".tgz", ".rar"];

impl Compression {
    /// By the end of the file's name; that is what `logrotate` and people go by.
    #[must_use]
    pub fn of_name(name: &[u8]) -> Self {
        COMPRESSIONS
            .iter()
            .find(|(_, ending, _)| name.ends_with(ending.as_bytes()))
            .map_or(Self::Plain, |(compression, ..)| *compression)
    }

    /// The name of a file without the ending that says so.
    #[must_use]
    pub fn stripped(self, name: &[u8]) -> &[u8] {
        name.strip_suffix(self.ending().as_bytes()).unwrap_or(name)
    }

    /// The word for it in JSON, which is also the program that unpacks it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.row().map_or("plain", |(_, _, program)| program)
    }

    /// How the names of such files end.
    #[must_use]
    pub fn ending(self) -> &'static str {
        self.row().map_or("", |(_, ending, _)| ending)
    }

    fn row(self) -> Option<&'static (Self, &'static str, &'static str)> {
        COMPRESSIONS.iter().find(|(one, ..)| *one == self)
    }

    /// All whose text is read, without [`Self::Plain`].
    pub fn all() -> impl Iterator<Item = Self> {
        COMPRESSIONS.iter().map(|(compression, ..)| *compression)
    }
}

/// Endings of all compressed files, also of those that cannot be read.
pub fn archive_endings() -> impl Iterator<Item = &'static str> {
    Compression::all()
        .map(Compression::ending)
        .chain(OTHER_ARCHIVES)
}

/// Whether a file is compressed, going by its name, in a way in which it is not read.
#[must_use]
pub fn is_unreadable_archive(name: &[u8]) -> bool {
    OTHER_ARCHIVES
        .iter()
        .any(|ending| name.ends_with(ending.as_bytes()))
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
    pub compression: Compression,
}
