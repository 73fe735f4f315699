//! The other paths under which a log that is a symlink has generations. Names only; `links` lists
//! the files, and `chain` decides which of them belong to the log.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::files::listing::LogLink;
use crate::files::log_names::is_rotated;
use crate::files::rotation::{RotationIndex, name_start, separates};
use crate::model::log_file::LogFile;

/// Another path under which generations of a log lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Alias {
    /// The path of the log.
    pub(super) log: Vec<u8>,
    /// Only older generations than this belong to the log.
    pub(super) before: Option<RotationIndex>,
}

impl Alias {
    /// Whether a generation under this path is one of the log.
    pub(super) fn has(&self, generation: &RotationIndex) -> bool {
        self.before
            .as_ref()
            .is_none_or(|before| generation < before && is_date(generation))
    }
}

/// Aliases by their path.
pub(super) type Aliases = HashMap<Vec<u8>, Alias>;

/// The aliases of a symlinked log: its target and, if the name of the target has a date, that name
/// without the date. To a link to `app-20261120.log` belong the older files of `app.log`.
pub(super) fn aliases_of(link: &LogLink) -> Vec<(Vec<u8>, Alias)> {
    let alias = |before| Alias {
        log: link.path.clone(),
        before,
    };
    let mut aliases = vec![(link.target.clone(), alias(None))];
    aliases.extend(undated(&link.target).map(|(path, date)| (path, alias(Some(date)))));
    aliases.retain(|(path, _)| *path != link.path);
    aliases
}

/// The aliases of logs whose rotated files lie in other folders, by those that were found there.
pub(super) fn of_archives(archived: &[LogFile], own: &[LogFile], path: &str) -> Aliases {
    let folders = archived
        .iter()
        .map(|file| &file.path[..name_start(&file.path)]);
    let folders: BTreeSet<&[u8]> = folders.collect();
    if folders.is_empty() {
        return Aliases::new();
    }
    let all: HashSet<&[u8]> = own.iter().map(|file| &file.path[..]).collect();
    let logs = all.iter().copied().filter(|log| !is_rotated(log, &all));
    let logs: BTreeSet<&[u8]> = logs.chain([path.as_bytes()]).collect();
    let mut aliases = Aliases::new();
    for folder in folders {
        for log in &logs {
            let name = [folder, &log[name_start(log)..]].concat();
            let alias = Alias {
                log: log.to_vec(),
                before: None,
            };
            aliases.entry(name).or_insert(alias);
        }
    }
    aliases
}

/// The name of the log that a file with a date in its name belongs to; `None` without a date.
fn undated(file: &[u8]) -> Option<(Vec<u8>, RotationIndex)> {
    let start = name_start(file);
    let dot = file[start..].iter().rposition(|&byte| byte == b'.');
    let extension = dot.map_or(file.len(), |dot| start + dot);
    let without = |at: usize| {
        let end = extension.max(at);
        [file[..at].to_vec(), [&file[..at], &file[end..]].concat()]
    };
    (start + 1..file.len())
        .filter(|&at| separates(&file[at]))
        .flat_map(without)
        .filter_map(|path| RotationIndex::of(&path, file).map(|generation| (path, generation)))
        .find(|(_, generation)| is_date(generation))
}

/// Whether the name has a date in it. Other long numbers may be process ids.
fn is_date(generation: &RotationIndex) -> bool {
    let RotationIndex::Dated(numbers) = generation else {
        return false;
    };
    numbers
        .first()
        .is_some_and(|first| YEARS.contains(first) || *first >= LEAST_EPOCH)
}

/// Numbers in a name that are taken for a year.
const YEARS: std::ops::RangeInclusive<u64> = 1970..=2100;

/// The least number in a name that is taken for seconds since 1970 (September 2001): a date has
/// fewer digits.
const LEAST_EPOCH: u64 = 1_000_000_000;
