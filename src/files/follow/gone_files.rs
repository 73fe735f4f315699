//! Generations that are gone from where they were, found again as what they were compressed to: by
//! number or by time of change, without going through all of them for each.

use std::collections::{BTreeMap, HashMap};

use crate::model::cursor::FileId;

use super::messages::{FileStat, RotatedSibling};

/// In the unit of times of change. What packs a file keeps its time of change, some of it (bzip2)
/// no finer than this.
pub(super) const SECOND: u64 = 1_000_000_000;
/// Others round it, to microseconds or to what a floating point number holds.
pub(super) const MILLISECOND: u64 = SECOND / 1000;

/// Files that are there no more as they were, by their numbers and their times of change.
#[derive(Default)]
pub(super) struct GoneFiles {
    by_id: HashMap<FileId, Vec<u64>>,
    by_time: BTreeMap<u64, Vec<FileId>>,
}

impl GoneFiles {
    pub(super) fn of(stats: impl Iterator<Item = FileStat>) -> Self {
        let mut gone = Self::default();
        for stat in stats {
            gone.by_id.entry(stat.id).or_default().push(stat.changed);
            gone.by_time.entry(stat.changed).or_default().push(stat.id);
        }
        gone
    }

    /// Takes out the one that this compressed file was made of, if there is one.
    pub(super) fn take(&mut self, packed: &RotatedSibling) -> bool {
        let id = packed.stat.id;
        let known = self.by_id.get(&id).and_then(|times| times.first());
        let found = match known {
            Some(&changed) => Some((id, changed)),
            None => self.of_same_time(packed.stat.changed),
        };
        found.is_some_and(|(id, changed)| {
            forget_one(&mut self.by_id, id, &changed);
            let ids = self.by_time.entry(changed).or_default();
            ids.retain(|other| *other != id);
            if ids.is_empty() {
                self.by_time.remove(&changed);
            }
            true
        })
    }

    /// Whatever compresses a file keeps its time of change, at least to the second.
    fn of_same_time(&self, changed: u64) -> Option<(FileId, u64)> {
        let times = match changed % SECOND {
            0 => changed..changed.saturating_add(SECOND),
            _ => {
                let from = changed.saturating_sub(MILLISECOND - 1);
                from..changed.saturating_add(MILLISECOND)
            }
        };
        let mut same = self.by_time.range(times);
        same.find_map(|(&changed, ids)| Some((*ids.first()?, changed)))
    }
}

fn forget_one(by_id: &mut HashMap<FileId, Vec<u64>>, id: FileId, changed: &u64) {
    if let Some(times) = by_id.get_mut(&id) {
        times.retain(|other| other != changed);
        if times.is_empty() {
            by_id.remove(&id);
        }
    }
}
