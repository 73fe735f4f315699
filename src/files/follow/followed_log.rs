//! Which files are generations of a log that is followed, by their names.

use bytes::Bytes;

use crate::files::patterns::{archive_pattern, series_pattern, sibling_pattern};
use crate::files::rotation::{RotationIndex, name_start, without_endings};
use crate::files::series::{LogSeries, SeriesFile};
use crate::model::log_file::Compression;

use super::messages::{ListedFile, RotatedSibling};

/// A log as it is followed: under which name it is written to, and where its generations lie.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FollowedLog {
    /// Of the file that is written to.
    pub path: Vec<u8>,
    /// The files have the date in their names, and the one that is written to is another each day.
    pub series: Option<LogSeries>,
    /// The folder of its rotated files, where the inventory names one.
    pub archive: Option<String>,
}

impl From<&str> for FollowedLog {
    fn from(path: &str) -> Self {
        Self {
            path: path.into(),
            ..Self::default()
        }
    }
}

impl From<Vec<u8>> for FollowedLog {
    fn from(path: Vec<u8>) -> Self {
        Self {
            path,
            ..Self::default()
        }
    }
}

impl FollowedLog {
    /// Patterns that match what may be its generations: in its folder, and in folders of rotated
    /// files.
    pub(super) fn siblings(&self) -> [Vec<u8>; 2] {
        let beside = match &self.series {
            Some(series) => [&series_pattern(series)[..], b"*"].concat(),
            None => sibling_pattern(&self.path),
        };
        let archived = archive_pattern(&self.path, false, self.archive.as_deref());
        [beside, archived]
    }

    /// What a file near the log is; `None` where by its name it is none of its generations.
    pub(super) fn sibling(&self, file: &ListedFile) -> Option<RotatedSibling> {
        let compression = Compression::of_name(&file.name);
        let own = &self.path[name_start(&self.path)..];
        let index = match (&file.target, &self.series) {
            (Some(target), _) => index_beside_target(target, &file.name),
            (None, Some(series)) => {
                let folder = &self.path[..name_start(&self.path)];
                series.index(&[folder, &file.name].concat())
            }
            // A line end in a name is sent as another byte.
            (None, None) if own.contains(&b'\n') => {
                let own: Vec<u8> = own
                    .iter()
                    .map(|&byte| if byte == b'\n' { 1 } else { byte })
                    .collect();
                RotationIndex::of(&own, &file.name)
            }
            (None, None) => RotationIndex::of(own, &file.name),
        };
        let name = file.name.slice_ref(compression.stripped(&file.name));
        Some(RotatedSibling {
            stat: file.stat,
            name,
            index: index.filter(|index| *index != RotationIndex::Live)?,
            packed: compression != Compression::Plain,
        })
    }
}

/// What a file is that was found next to the target of a link.
fn index_beside_target(target: &Bytes, name: &[u8]) -> Option<RotationIndex> {
    if let Some(day) = SeriesFile::of(target) {
        return day.series.index(name);
    }
    RotationIndex::of(target, without_endings(name))
}
