//! The files that a path or pattern matches, in bounded memory. `host::search` decides which of them
//! are one log.

use std::collections::BTreeSet;
use std::ops::Deref;

use crate::model::log_file::LogFile;
use crate::model::time::Time;

/// What a [`LogFile`] takes on top of its path.
const OVERHEAD: usize = 120;

/// The most names of files beside logs that are kept.
const MOST_BESIDE: usize = 1000;

/// A log that is a symlink: it has generations next to its target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLink {
    /// The link.
    pub path: Vec<u8>,
    /// Its final target, a path without links; the file need not exist.
    pub target: Vec<u8>,
}

/// Files in no order. Where they are more than fit, those that were written to last are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileListing {
    /// False where files were moved all the while that they were listed: some may be missing.
    pub is_settled: bool,
    /// There were more folders, or deeper ones, than a pattern with `**` goes through.
    pub is_cut: bool,
    files: Vec<LogFile>,
    /// Paths beside the logs that are none of their generations by their names: the first by the
    /// order of their bytes.
    beside: BTreeSet<Vec<u8>>,
    links: Vec<LogLink>,
    left_out: u64,
    /// When the newest of those that were left out was written to.
    cutoff: Option<Time>,
    bytes: usize,
    limit: usize,
}

impl Default for FileListing {
    fn default() -> Self {
        Self::within(Self::LIMIT)
    }
}

impl FileListing {
    /// Most bytes of memory that one takes, about: 100,000 files with paths of 100 bytes.
    pub const LIMIT: usize = 24 << 20;

    /// An empty one of at most so many bytes.
    #[must_use]
    pub fn within(limit: usize) -> Self {
        Self {
            is_settled: true,
            is_cut: false,
            files: Vec::new(),
            beside: BTreeSet::new(),
            links: Vec::new(),
            left_out: 0,
            cutoff: None,
            bytes: 0,
            limit,
        }
    }

    /// Adds a file.
    pub fn push(&mut self, file: LogFile) {
        if self.cutoff.is_some_and(|cutoff| file.modified <= cutoff) {
            self.left_out += 1;
            return;
        }
        self.bytes += cost(&file);
        self.files.push(file);
        if self.bytes > self.limit {
            self.drop_the_oldest();
        }
    }

    /// Adds a symlink, or counts it as left out if the limit is reached.
    pub fn push_link(&mut self, link: LogLink) {
        let bytes = link.path.len() + link.target.len() + OVERHEAD;
        if self.bytes + bytes > self.limit {
            self.left_out += 1;
        } else {
            self.bytes += bytes;
            self.links.push(link);
        }
    }

    /// Notes a file that lies beside the logs and was not taken for one of theirs.
    pub fn push_beside(&mut self, path: Vec<u8>) {
        self.beside.insert(path);
        if self.beside.len() > MOST_BESIDE {
            self.beside.pop_last();
        }
    }

    /// Files that lie beside the logs and were not taken; of very many the first.
    pub fn beside(&self) -> impl Iterator<Item = &Vec<u8>> {
        self.beside.iter()
    }

    /// The symlinks among what was asked for, in their order.
    #[must_use]
    pub fn links(&self) -> &[LogLink] {
        &self.links
    }

    /// Keeps those for which this holds.
    pub fn retain(&mut self, mut keep: impl FnMut(&LogFile) -> bool) {
        let bytes = &mut self.bytes;
        self.files.retain(|file| {
            let is_kept = keep(file);
            *bytes -= if is_kept { 0 } else { cost(file) };
            is_kept
        });
    }

    /// Adds what another one has; what that has left out counts too.
    pub fn append(&mut self, other: Self) {
        other.files.into_iter().for_each(|file| self.push(file));
        other
            .links
            .into_iter()
            .for_each(|link| self.push_link(link));
        other
            .beside
            .into_iter()
            .for_each(|path| self.push_beside(path));
        self.is_cut |= other.is_cut;
        self.left_out += other.left_out;
        self.cutoff = self.cutoff.max(other.cutoff);
        self.is_settled &= other.is_settled;
    }

    /// How many files are missing, for there were too many: they were written to longest ago. (Of
    /// two lists in one, each has left out its own oldest.)
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// The files alone.
    #[must_use]
    pub fn into_files(self) -> Vec<LogFile> {
        self.files
    }

    /// Some more than need be, so that it does not happen with every file.
    fn drop_the_oldest(&mut self) {
        self.files
            .sort_by_key(|file| std::cmp::Reverse(file.modified));
        while self.bytes > self.limit / 4 * 3 {
            let Some(oldest) = self.files.pop() else {
                return;
            };
            self.bytes -= cost(&oldest);
            self.left_out += 1;
            self.cutoff = self.cutoff.max(Some(oldest.modified));
        }
    }
}

fn cost(file: &LogFile) -> usize {
    file.path.len() + OVERHEAD
}

impl Deref for FileListing {
    type Target = [LogFile];

    fn deref(&self) -> &[LogFile] {
        &self.files
    }
}

impl IntoIterator for FileListing {
    type Item = LogFile;
    type IntoIter = std::vec::IntoIter<LogFile>;

    fn into_iter(self) -> Self::IntoIter {
        self.files.into_iter()
    }
}

impl FromIterator<LogFile> for FileListing {
    fn from_iter<I: IntoIterator<Item = LogFile>>(files: I) -> Self {
        let mut listing = Self::default();
        files.into_iter().for_each(|file| listing.push(file));
        listing
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::cursor::FileId;
    use crate::model::log_file::Compression;
    use crate::model::time::Time;

    fn file(number: usize, modified: i64) -> LogFile {
        let id = FileId {
            dev: 1,
            ino: number as u64,
        };
        let path = format!("/l/{number:05}").into_bytes();
        LogFile {
            path,
            id,
            size: 1,
            modified: Time(modified),
            compression: Compression::Plain,
        }
    }

    proptest! {
        #[test]
        fn what_is_left_out_is_counted_and_not_newer_than_what_is_kept(times in prop::collection::vec(0..1000_i64, 0..200)) {
            let limit = 50 * cost(&file(0, 0));
            let mut listing = FileListing::within(limit);
            for (number, &time) in times.iter().enumerate() {
                listing.push(file(number, time));
            }
            prop_assert_eq!(listing.len() as u64 + listing.left_out(), times.len() as u64);
            prop_assert!(listing.len() <= 50 && (times.len() <= 50) == (listing.left_out() == 0));
            let mut newest_first = times.clone();
            newest_first.sort_unstable_by_key(|&time| std::cmp::Reverse(time));
            let mut kept: Vec<i64> = listing.iter().map(|file| file.modified.0).collect();
            kept.sort_unstable_by_key(|&time| std::cmp::Reverse(time));
            prop_assert_eq!(&kept[..], &newest_first[..kept.len()]);
        }

        #[test]
        fn of_two_lists_in_one_no_file_is_lost_without_being_counted(
            one in prop::collection::vec(0..3_i64, 0..80),
            other in prop::collection::vec(0..3_i64, 0..80),
        ) {
            let listing = |times: &[i64]| {
                let mut listing = FileListing::within(50 * cost(&file(0, 0)));
                times.iter().enumerate().for_each(|(number, &time)| listing.push(file(number, time)));
                listing
            };
            let (mut all, added) = (listing(&one), listing(&other));
            let room = 50 - all.len().min(50);
            let fits = added.len() <= room;
            let expected = all.len() + added.len();
            all.append(added);
            prop_assert_eq!(all.len() as u64 + all.left_out(), (one.len() + other.len()) as u64);
            prop_assert!(!fits || one.len() > 50 || all.len() == expected, "{} of {expected}", all.len());
        }
    }
}
