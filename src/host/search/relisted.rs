//! Finds the generations of a log in a new listing of its files, after a rotation.

use std::collections::{HashMap, HashSet};

use crate::model::cursor::FileId;
use crate::model::log_file::{Compression, LogFile};

/// Where the generations that were listed before are in a new listing; `None`: they are gone.
///
/// A renamed file keeps its number. One that was compressed since, and the copy of one that was
/// emptied, are new files in the place of the old ones.
pub(super) fn places(before: &[LogFile], now: &[LogFile]) -> Vec<Option<usize>> {
    let relisted = Relisted {
        before: before.iter().map(|file| file.id).collect(),
        now,
        // Of one that has two names the first.
        at: now
            .iter()
            .enumerate()
            .rev()
            .map(|(number, file)| (file.id, number))
            .collect(),
    };
    let mut places = Vec::new();
    // The end of the list, then the place of the next younger generation that is still there.
    let mut end = Some(now.len());
    for file in before.iter().rev() {
        let place = relisted.place(file, end.unwrap_or(0));
        end = place.or(end.filter(|end| *end < now.len()));
        places.push(place);
    }
    places.reverse();
    places
}

struct Relisted<'a> {
    before: HashSet<FileId>,
    now: &'a [LogFile],
    at: HashMap<FileId, usize>,
}

impl Relisted<'_> {
    /// Where the text of a file is now, in itself or in a new file; `end` is where its successor
    /// is.
    fn place(&self, file: &LogFile, end: usize) -> Option<usize> {
        match self.at.get(&file.id) {
            Some(&at) if !has_shrunk(file, &self.now[at]) => Some(at),
            Some(&at) => self.copy(file, at),
            None => self.copy(file, end),
        }
    }

    /// The youngest of the new files right before a place that may have the text of a file.
    fn copy(&self, file: &LogFile, end: usize) -> Option<usize> {
        (0..end)
            .rev()
            .take_while(|&at| !self.before.contains(&self.now[at].id))
            .find(|&at| may_have_text_of(&self.now[at], file))
    }
}

fn has_shrunk(before: &LogFile, now: &LogFile) -> bool {
    before.compression == Compression::Plain && now.size < before.size
}

/// A smaller plain file cannot: since then the log may have been emptied again and again.
fn may_have_text_of(copy: &LogFile, file: &LogFile) -> bool {
    let is_plain = |file: &LogFile| file.compression == Compression::Plain;
    !is_plain(file) || !is_plain(copy) || copy.size >= file.size
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Time;

    #[test]
    fn generations_are_found_again_in_a_new_listing() {
        let of = |files: &[(u64, u64)]| -> Vec<LogFile> {
            let file = |(ino, size): &(u64, u64)| {
                let compression = if *size == 3 {
                    Compression::Gzip
                } else {
                    Compression::Plain
                };
                LogFile {
                    id: FileId { dev: 1, ino: *ino },
                    size: *size,
                    compression,
                    path: b"/l/a".to_vec(),
                    modified: Time(0),
                }
            };
            files.iter().map(file).collect()
        };
        let before = of(&[(1, 10), (2, 10), (3, 10)]);
        for (now, expected) in [
            // Nothing, a rename, one that was packed meanwhile, one that is gone.
            (
                of(&[(1, 10), (2, 10), (3, 12)]),
                [Some(0), Some(1), Some(2)],
            ),
            (
                of(&[(1, 10), (2, 10), (3, 12), (4, 1)]),
                [Some(0), Some(1), Some(2)],
            ),
            (
                of(&[(1, 10), (9, 3), (3, 12), (4, 1)]),
                [Some(0), Some(1), Some(2)],
            ),
            (of(&[(2, 10), (3, 12), (4, 1)]), [None, Some(0), Some(1)]),
            (
                of(&[(8, 3), (9, 3), (3, 12), (4, 1)]),
                [Some(0), Some(1), Some(2)],
            ),
            // Copied and emptied.
            (
                of(&[(1, 10), (2, 10), (9, 12), (3, 1)]),
                [Some(0), Some(1), Some(2)],
            ),
            (of(&[(1, 10), (2, 10), (3, 1)]), [Some(0), Some(1), None]),
            (
                of(&[(1, 10), (2, 10), (8, 12), (9, 1), (3, 1)]),
                [Some(0), Some(1), Some(2)],
            ),
        ] {
            assert_eq!(places(&before, &now), expected, "{now:?}");
        }
    }
}
