//! What the script lists, and which of it belongs together.

use std::collections::HashSet;

use crate::files::listing::FileListing;
use crate::files::log_names::LogNames;
use crate::model::log_file::LogFile;

use super::protocol::ListingPart;

/// What the script lists, frame by frame.
pub(super) struct Lister<'a> {
    limit: usize,
    pattern: &'a [u8],
    /// What was asked for. It comes first.
    own: FileListing,
    /// Older generations of it.
    others: FileListing,
    logs: LogNames,
}

impl<'a> Lister<'a> {
    /// A list of what this pattern brings, each of the two parts in at most so many bytes.
    pub(super) fn new(pattern: &'a [u8], limit: usize) -> Self {
        let logs = [pattern.to_vec()].into_iter().collect();
        Self {
            limit,
            pattern,
            own: FileListing::within(limit),
            others: FileListing::within(limit),
            logs,
        }
    }

    /// Takes in what the script lists next.
    pub(super) fn push(&mut self, part: ListingPart) {
        match part {
            ListingPart::Begin => *self = Self::new(self.pattern, self.limit),
            ListingPart::Look => {}
            ListingPart::Unsettled => self.own.is_settled = false,
            ListingPart::Cut => self.own.is_cut = true,
            ListingPart::Links(links) => {
                for link in links {
                    self.own.push_link(link);
                }
            }
            ListingPart::Files { own, files } => {
                for (number, file) in files.into_iter().enumerate() {
                    // One that went away counts, too.
                    let Some(file) = file else { continue };
                    self.push_file(file, number < own);
                }
            }
        }
    }

    fn push_file(&mut self, file: LogFile, is_own: bool) {
        if is_own {
            self.logs.insert(file.path.clone());
            self.own.push(file);
            self.forget_names_left_out();
        } else if self.logs.log_of(&file.path).is_some() || self.logs.has_day(&file.path) {
            self.others.push(file);
        } else if self.logs.are_begun_like(&file.path) {
            self.others.push_beside(file.path);
        }
    }

    /// Names of files that were left out are not kept either.
    fn forget_names_left_out(&mut self) {
        if self.logs.len() > 2 * self.own.len() + 1 {
            let own = self.own.iter().map(|file| file.path.clone());
            self.logs = own.chain([self.pattern.to_vec()]).collect();
        }
    }

    /// Those that were asked for, and by their names older generations of them; each file once.
    pub(super) fn chosen(self) -> FileListing {
        let mut listing = self.own;
        listing.append(self.others);
        let mut known = HashSet::new();
        listing.retain(|file| known.insert(file.id));
        listing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::cursor::FileId;
    use crate::model::log_file::Compression;
    use crate::model::time::Time;

    #[test]
    fn r53_a_host_that_lists_without_end_costs_no_more_memory_than_the_limit() {
        let limit = 100_000;
        let mut lister = Lister::new(b"/l/*.log", limit);
        for part in 0..200_u64 {
            let file = |n| LogFile {
                path: format!("/l/{}.log", part * 100 + n).into_bytes(),
                id: FileId {
                    dev: 1,
                    ino: part * 100 + n,
                },
                size: 5,
                modified: Time((1000 + part as i64) * 1_000_000_000),
                compression: Compression::Plain,
            };
            lister.push(ListingPart::Files {
                own: 100,
                files: (0..100).map(|n| Some(file(n))).collect(),
            });
        }
        assert!(lister.logs.len() < 2 * limit / 120, "{}", lister.logs.len());
        let listing = lister.chosen();
        assert!(listing.len() < limit / 120, "{}", listing.len());
        assert_eq!(listing.len() as u64 + listing.left_out(), 20_000);
        assert!(
            listing
                .iter()
                .all(|file| file.modified.0 >= 1190 * 1_000_000_000),
            "the newest are kept"
        );
    }
}
