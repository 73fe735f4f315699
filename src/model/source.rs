//! Sources: one logical log on one host.

use std::sync::Arc;

/// The place of a source in the fleet of this run: an index from 0, in order of discovery, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u32);

impl SourceId {
    /// The index as a `usize`, for tables that have a row per source.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Where the bytes of a source come from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SourceKind {
    /// A file, or every file that a shell pattern (`*`, `?`, `[…]`) matches; absolute, as the host spells it.
    Path(String),
    /// A unit of the journal (`nginx.service`), or the whole journal where `None`.
    Journal(Option<String>),
}

impl SourceKind {
    /// True where the path is a pattern that may match several files.
    #[must_use]
    pub fn is_glob(&self) -> bool {
        matches!(self, Self::Path(path) if path.contains(['*', '?', '[']))
    }
}

/// A source as the inventory asks for it. A pattern becomes one source for each file it matches.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SourceSpec {
    /// What it is called; derived from the path or unit where the inventory gives no name.
    pub name: String,
    /// Where its bytes come from.
    pub kind: SourceKind,
    /// Name of the format of its stamps, or `None` to detect it.
    pub time: Option<String>,
}

/// A source that exists, as the screen and the JSON show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceInfo {
    /// Its name; unique on its host.
    pub name: Arc<str>,
    /// The file's path as the host spells it (any bytes, shown lossily), or `journal:UNIT`.
    pub path: Arc<str>,
    /// Why nothing comes from it at present (missing, permission denied), or `None` while it is read.
    pub problem: Option<String>,
    /// The format of its lines' stamps, [`NO_STAMPS`] where none is known; `None` while no line has come.
    pub stamps: Option<&'static str>,
}

/// Lines have the time of their arrival.
pub const NO_STAMPS: &str = "none";
