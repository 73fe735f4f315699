//! Which generations of a log came and went unseen: remembers those that were read or were there
//! before, and decides what a listing of the files next to the log proves. `succession` reads the
//! ones that were missed.
//!
//! Numbers of files are reused at once and times of change are coarse, may be set by hand, and move
//! when a writer is late. So the rule is not "what changed later is newer" but "what was there at
//! the last listing, as it is now, is known; anything else came since".

use std::cmp::Reverse;
use std::collections::{HashSet, VecDeque};

use crate::files::rotation::{BACKUP, RotationIndex};
use crate::model::cursor::FileId;
use crate::model::time::Time;

use super::followed_file::{FollowedFile, MARKER};
use super::gone_files::{GoneFiles, MILLISECOND, SECOND};
use super::messages::{FileStat, RotatedSibling};

/// Generations whose end is remembered, to find lines that were written to them later.
const REMEMBERED: usize = 16;

/// In the unit of times of change.
const MINUTE: u64 = 60 * SECOND;

/// What was next to the log, and how far it was read.
#[derive(Debug, Default)]
pub(super) struct RotationHistory {
    /// Read by us; oldest first.
    read: VecDeque<ReadGeneration>,
    /// There at the last listing, and not read by us.
    there: HashSet<FileStat>,
    /// The last one that was read to its end before the next was begun.
    last: Option<FileStat>,
    listed: bool,
    /// An earlier run was told of the last one, and what it knew of the others is forgotten.
    resumed: bool,
    /// When the generation that was begun at the last listing had been changed: what came since is
    /// not older.
    floor: u64,
    /// Those that were missed and are, by their names, newer than the last one.
    after_last: Vec<FileId>,
    /// What is in these is a gap.
    given_up: Vec<FileId>,
    /// Listed, and gone before they were read: perhaps compressed by now.
    sought: Vec<FileStat>,
    /// What is in these was not told.
    wanted: Vec<FileId>,
    /// Listed again because it was changed between a listing and its first read.
    suspected: Option<FileId>,
    /// Where the last generation ended that the next to be read may be, or it is lost.
    pub(super) doubted: Option<u64>,
    /// Files that were cut off, and no copy of them found that has all of it: what is shorter may
    /// be one.
    cuts: VecDeque<TruncatedFile>,
}

/// A file that was read so far and then cut off.
#[derive(Debug)]
struct TruncatedFile {
    offset: u64,
    marker: Vec<u8>,
    head: Vec<u8>,
    /// Nothing was listed since.
    is_new: bool,
}

/// A generation that was read.
#[derive(Debug, Clone)]
pub(super) struct ReadGeneration {
    pub(super) stat: FileStat,
    pub(super) offset: u64,
    pub(super) marker: Vec<u8>,
    /// Its first bytes.
    pub(super) head: Vec<u8>,
}

impl ReadGeneration {
    /// What is remembered of a generation.
    pub(super) fn of(generation: &FollowedFile) -> Self {
        Self {
            stat: generation.stat(),
            offset: generation.offset,
            marker: generation.marker.clone(),
            head: generation.head.clone(),
        }
    }

    /// Whether this is what was remembered of this generation before.
    fn is_of_same(&self, generation: &FollowedFile) -> bool {
        begin_alike(&self.head, &generation.head) || (self.head.is_empty() && generation.offset > 0)
    }

    /// Whether the first bytes of what a compressed file unpacks to may be those of this
    /// generation: the archive was perhaps made before the last of it was written.
    pub(super) fn is_begun_by(&self, stat: FileStat, bytes: &[u8]) -> bool {
        let known = usize::try_from(self.offset).unwrap_or(usize::MAX);
        let has_marker = bytes
            .get(..known)
            .is_none_or(|known| known.ends_with(&self.marker));
        let compared = self.head.len().min(bytes.len());
        let is_whole_or_long = compared == self.head.len() || stat.size <= bytes.len() as u64;
        match self.head.is_empty() {
            true => has_marker && known <= bytes.len() && !self.marker.is_empty(),
            false => is_whole_or_long && has_marker && begin_alike(&self.head, bytes),
        }
    }
}

/// What was there before a listing, in a form in which one of thousands is found at once.
struct KnownFiles {
    there: HashSet<FileStat>,
    /// No more as they were; each may be one that is compressed now, for a compressed file keeps
    /// its time of change.
    gone: GoneFiles,
    /// Size and time of change of those whose number is no more.
    without_number: HashSet<(u64, u64)>,
}

/// What lies between the last generation and the one that was begun.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct SkippedGenerations {
    /// To be read first, oldest first; those that were read once with their offset.
    pub(super) missed: Vec<(FileStat, u64)>,
    /// The last generation is there no more, and others may have gone with it.
    pub(super) is_broken: bool,
    /// It seems to be there no more, but the oldest of those that were missed is compressed: that
    /// may be it, with another time of change.
    pub(super) is_doubtful: bool,
}

/// The files next to a log, listed after the first bytes of the generation `begun` were read.
#[derive(Clone, Copy)]
pub(super) struct LogListing<'a> {
    pub(super) siblings: &'a [RotatedSibling],
    pub(super) begun: FileStat,
    /// Files that are being read already.
    pub(super) watched: &'a HashSet<FileId>,
}

impl<'a> LogListing<'a> {
    /// Those that may have come before the generation that was begun.
    fn relevant(&self) -> Vec<&'a RotatedSibling> {
        // Where it has lost the name by now, what is newer is for the next listing.
        let begun = self
            .siblings
            .iter()
            .find(|sibling| sibling.stat.id == self.begun.id);
        let plain = self.siblings.iter().filter(|sibling| !sibling.packed);
        let plain: HashSet<&[u8]> = plain.map(|sibling| &sibling.name[..]).collect();
        let is_relevant = |sibling: &&RotatedSibling| {
            let is_read = self.is_read(sibling.stat.id);
            let is_later = begun.is_some_and(|begun| sibling.is_newer_than(begun));
            // A file that is being compressed is there twice.
            let is_twin = sibling.packed && plain.contains(&sibling.name[..]);
            !is_read && !is_later && !is_twin
        };
        self.siblings.iter().filter(is_relevant).collect()
    }

    fn is_read(&self, id: FileId) -> bool {
        id == self.begun.id || self.watched.contains(&id)
    }

    fn lists(&self, stat: FileStat) -> bool {
        self.siblings.iter().any(|sibling| sibling.is_of(stat))
    }

    /// Whether this generation is neither read nor listed.
    fn is_without(&self, stat: FileStat) -> bool {
        !self.is_read(stat.id) && !self.lists(stat)
    }

    /// Whether a generation that went away before it was read is listed again, or among those that
    /// were missed, or has nothing that could be.
    fn may_have(&self, sought: FileStat, missed: &[&RotatedSibling]) -> bool {
        // It may have been written to after it was listed, and before it was compressed.
        let may_be = |sibling: &&RotatedSibling| {
            sibling.stat.id == sought.id
                || (sibling.packed && sibling.stat.changed / SECOND >= sought.changed / SECOND)
        };
        sought.size == 0 || missed.iter().any(may_be) || self.lists(sought)
    }

    fn is_packed(&self, stat: FileStat) -> bool {
        self.siblings
            .iter()
            .any(|sibling| sibling.packed && sibling.stat.id == stat.id)
    }
}

/// What was read of a file before it was cut off.
pub(super) struct CopiedContent {
    pub(super) offset: u64,
    /// The bytes before the offset.
    pub(super) marker: Vec<u8>,
}

impl RotationHistory {
    /// An earlier run was told of a line that was written at `time`, and of what was there before.
    pub(super) fn resume(&mut self, time: Time) {
        self.listed = true;
        self.resumed = true;
        // The line may have been stamped in whole seconds, or a moment before the last one of the
        // file before.
        self.floor = u64::try_from(time.0)
            .unwrap_or(0)
            .saturating_add(2 * SECOND);
    }

    /// `generation` was read as far as it goes; `is_last`, and the next is begun.
    pub(super) fn remember(&mut self, generation: &FollowedFile, is_last: bool) {
        let stat = generation.stat();
        self.read
            .retain(|read| read.stat.id != stat.id || !read.is_of_same(generation));
        self.forget_number(stat.id);
        self.read.push_back(ReadGeneration::of(generation));
        if self.read.len() > REMEMBERED {
            self.read.pop_front();
        }
        if is_last || self.last.is_some_and(|last| last.id == stat.id) {
            self.last = Some(stat);
        }
    }

    /// Another file has this number now: the one that was read is known by its bytes alone.
    fn forget_number(&mut self, id: FileId) {
        self.read
            .iter_mut()
            .filter(|read| read.stat.id == id)
            .for_each(|read| read.stat.id = FileId::default());
    }

    /// What was in one file is in another now: it was compressed, or copied. Where the first was
    /// rewritten, its number went to another generation, perhaps.
    pub(super) fn moved(&mut self, from: FileId, to: FileStat, is_rewritten: bool) {
        if is_rewritten && from != to.id && self.there.iter().all(|stat| stat.id != from) {
            self.wanted.push(from);
        }
        let read = self.read.iter_mut().map(|read| &mut read.stat);
        read.chain(&mut self.last)
            .filter(|stat| stat.id == from)
            .for_each(|stat| *stat = to);
    }

    /// The chain is broken, and that has been told.
    pub(super) fn broken(&mut self) {
        self.last = None;
        self.doubted = None;
    }

    /// A file was cut off, which has been told; copies of what was read of it are of no interest.
    pub(super) fn cut(&mut self, generation: &FollowedFile) {
        self.last = None;
        self.cuts.push_back(TruncatedFile {
            offset: generation.offset,
            marker: generation.marker.clone(),
            head: generation.head.clone(),
            is_new: true,
        });
        if self.cuts.len() > REMEMBERED {
            self.cuts.pop_front();
        }
    }

    /// The generation that this compressed file was made of, going by its first bytes, if it was
    /// read and is remembered. (What was written to it after that may have made the times of change
    /// of the two differ. A generation that was found in this archive before is remembered under the
    /// archive's number, so an equal number does not rule it out.)
    pub(super) fn packed_from(&mut self, packed: FileStat, bytes: &[u8]) -> Option<ReadGeneration> {
        let at = self
            .read
            .iter()
            .position(|read| read.is_begun_by(packed, bytes))?;
        let mut read = self.read.remove(at)?;
        self.moved(read.stat.id, packed, false);
        if packed.size < read.offset {
            read.offset = packed.size;
            read.marker = bytes[bytes.len().saturating_sub(MARKER)..].to_vec();
        }
        Some(read)
    }

    /// How far a file with these first bytes was read before it was cut off, if it seems to be a
    /// copy of that, and what must be there if it is.
    pub(super) fn copied_from(&mut self, bytes: &[u8]) -> Option<CopiedContent> {
        let at = self
            .cuts
            .iter()
            .position(|cut| begin_alike(&cut.head, bytes))?;
        self.cuts.remove(at).map(|cut| CopiedContent {
            offset: cut.offset,
            marker: cut.marker,
        })
    }

    /// Nothing more of this file is shown, whatever it is.
    pub(super) fn give_up(&mut self, id: FileId) {
        self.read.retain(|read| read.stat.id != id);
        self.given_up.push(id);
    }

    /// A generation that was listed is gone before it was read.
    pub(super) fn seek(&mut self, stat: FileStat) {
        self.there.retain(|other| other.id != stat.id);
        self.forget_number(stat.id);
        self.sought.push(stat);
    }

    /// Whether what was listed as one file is another by the time that it is read: it is shorter,
    /// or was changed since (once: a writer may be late).
    pub(super) fn is_another(&mut self, listed: FileStat, stat: FileStat) -> bool {
        let is_changed = listed.changed != stat.changed && self.suspected.take() != Some(stat.id);
        if is_changed {
            self.suspected = Some(stat.id);
        }
        is_changed || stat.size < listed.size
    }

    /// What is in this file is not what was read of it, but another generation.
    pub(super) fn want(&mut self, id: FileId) {
        self.forget_number(id);
        self.wanted.push(id);
    }

    /// This file is a copy of what was read last, and has no more.
    pub(super) fn was_copied_to(&mut self, copy: FileStat) {
        self.forget_number(copy.id);
        self.there.insert(copy);
        self.wanted.retain(|id| *id != copy.id);
        self.last = Some(copy);
    }

    /// Whether it was there, as it is now, at the last listing.
    pub(super) fn knows(&self, stat: FileStat) -> bool {
        self.there.contains(&stat) || self.recall(stat.id).is_some_and(|read| read.stat == stat)
    }

    /// Whether a file with this number was there at the last listing, and was not read by us.
    pub(super) fn was_there(&self, id: FileId) -> bool {
        self.there.iter().any(|stat| stat.id == id) && self.recall(id).is_none()
    }

    /// Whether by the names that were listed last this file is newer than the last one that was
    /// read.
    pub(super) fn came_after_last(&self, id: FileId) -> bool {
        self.after_last.contains(&id)
    }

    /// What was read of this file, if it was.
    pub(super) fn recall(&self, id: FileId) -> Option<&ReadGeneration> {
        self.read.iter().find(|read| read.stat.id == id)
    }

    /// Whether the files next to the log have been listed once.
    pub(super) fn has_begun(&self) -> bool {
        self.listed
    }

    /// What a listing says of what came before the generation that was begun.
    pub(super) fn between(&mut self, listing: &LogListing<'_>) -> SkippedGenerations {
        let is_first = !std::mem::replace(&mut self.listed, true);
        let relevant = listing.relevant();
        let missed = if is_first {
            Vec::new()
        } else {
            self.news(&relevant, listing.siblings)
        };
        let is_gone = self.last.is_some_and(|last| listing.is_without(last));
        let is_lost = |sought: &FileStat| !listing.may_have(*sought, &missed);
        let is_lost = self.sought.iter().any(is_lost);
        self.note_listing(listing.begun, &relevant);
        self.after_last = self.newer_than_last(&missed, listing.siblings);
        let missed = self.in_order(missed);
        let is_packed = missed
            .first()
            .is_some_and(|(stat, _)| listing.is_packed(*stat));
        let is_doubtful = is_gone && !is_lost && is_packed;
        SkippedGenerations {
            missed,
            is_broken: (is_gone || is_lost) && !is_doubtful,
            is_doubtful,
        }
    }

    /// What came since the last listing.
    fn news<'a>(
        &self,
        relevant: &[&'a RotatedSibling],
        listed: &[RotatedSibling],
    ) -> Vec<&'a RotatedSibling> {
        let mut known = self.known(listed);
        relevant
            .iter()
            .copied()
            .filter(|sibling| self.is_news(sibling, listed, &mut known))
            .collect()
    }

    /// What the next listing is compared with.
    fn note_listing(&mut self, begun: FileStat, relevant: &[&RotatedSibling]) {
        self.sought.clear();
        self.floor = begun.changed;
        self.resumed = false;
        self.given_up.clear();
        self.wanted.clear();
        self.cuts.iter_mut().for_each(|cut| cut.is_new = false);
        self.there = relevant.iter().map(|sibling| sibling.stat).collect();
    }

    /// Those that are, by their names, newer than the last one that was read.
    fn newer_than_last(
        &self,
        missed: &[&RotatedSibling],
        listed: &[RotatedSibling],
    ) -> Vec<FileId> {
        let last = self
            .last
            .and_then(|last| listed.iter().find(|sibling| sibling.is_of(last)));
        let Some(last) = last else {
            return Vec::new();
        };
        missed
            .iter()
            .filter(|sibling| sibling.is_newer_by_name(last))
            .map(|sibling| sibling.stat.id)
            .collect()
    }

    /// Whether this file, or something in it, came since the last listing.
    fn is_news(
        &self,
        sibling: &RotatedSibling,
        listed: &[RotatedSibling],
        known: &mut KnownFiles,
    ) -> bool {
        let stat = sibling.stat;
        if let Some(read) = self.recall(stat.id) {
            // Of a compressed file it is known how long it is when it is unpacked.
            let has_more =
                !sibling.packed && (read.stat.size != stat.size || read.offset < stat.size);
            return read.stat.changed != stat.changed || has_more;
        }
        if self.wanted.contains(&stat.id) || self.sought.iter().any(|sought| sibling.is_of(*sought))
        {
            return true;
        }
        // Where its first bytes are not known, size is all there is to tell a copy by.
        let is_copy =
            |cut: &TruncatedFile| cut.is_new && cut.head.is_empty() && stat.size <= cut.offset;
        let is_copy = self.cuts.iter().any(is_copy);
        if is_copy || known.there.contains(&stat) || self.given_up.contains(&stat.id) {
            return false;
        }
        if sibling.packed && known.gone.take(sibling) {
            return false;
        }
        // Only its number is another: its file system was mounted again.
        if sibling.is_exact() && known.without_number.contains(&(stat.size, stat.changed)) {
            return false;
        }
        // An old one that grew, or was unpacked: nobody asked for what it is the end of.
        !self.is_older_than_last(sibling, listed)
    }

    /// What was known before this listing.
    fn known(&self, listed: &[RotatedSibling]) -> KnownFiles {
        let stats: HashSet<FileStat> = listed.iter().map(|sibling| sibling.stat).collect();
        let ids: HashSet<FileId> = stats.iter().map(|stat| stat.id).collect();
        // Those that were read from their first bytes on are known by these. A number may have gone
        // to another file.
        let headless = self
            .read
            .iter()
            .filter(|read| read.offset > 0 && read.head.is_empty())
            .map(|read| read.stat);
        let gone = headless
            .chain(self.there.iter().copied())
            .filter(|known| !stats.contains(known));
        let gone = GoneFiles::of(gone);
        let whole = self
            .read
            .iter()
            .filter(|read| read.offset >= read.stat.size)
            .map(|read| read.stat);
        let absent = whole
            .chain(self.there.iter().copied())
            .filter(|known| !ids.contains(&known.id));
        let without_number = absent.map(|known| (known.size, known.changed)).collect();
        KnownFiles {
            there: self.there.clone(),
            gone,
            without_number,
        }
    }

    fn is_older_than_last(&self, sibling: &RotatedSibling, listed: &[RotatedSibling]) -> bool {
        let is_before = sibling.stat.changed < self.floor;
        let Some(last) = self.last else {
            return self.resumed && is_before;
        };
        match listed.iter().find(|other| other.is_of(last)) {
            Some(place) => is_before && place.is_newer_than(sibling),
            // An archive may be the last itself, with another time: it was written to until it was
            // compressed.
            None if sibling.packed => sibling.stat.changed < last.changed.saturating_sub(MINUTE),
            None => is_before,
        }
    }

    /// Oldest first: by the time of change, and where all have names that tell, by their names.
    fn in_order(&self, mut missed: Vec<&RotatedSibling>) -> Vec<(FileStat, u64)> {
        missed.sort_by_key(|sibling| sibling.stat.changed);
        if missed.iter().all(|sibling| sibling.number().is_some()) {
            missed.sort_by_key(|sibling| std::cmp::Reverse(sibling.number()));
        } else if missed.iter().all(|sibling| sibling.date().is_some()) {
            missed.sort_by_key(|sibling| sibling.date());
        }
        let missed = missed.into_iter().map(|sibling| sibling.stat);
        missed.map(|stat| (stat, self.read_up_to(stat))).collect()
    }

    /// How far a generation was read, where that can be.
    fn read_up_to(&self, stat: FileStat) -> u64 {
        self.recall(stat.id)
            .filter(|read| read.offset <= stat.size)
            .map_or(0, |read| read.offset)
    }
}

/// Whether two files seem to begin with the same bytes, as far as they are known.
fn begin_alike(one: &[u8], other: &[u8]) -> bool {
    let compared = one.len().min(other.len());
    compared > 0 && one[..compared] == other[..compared]
}

impl RotatedSibling {
    /// What a rotation counts up.
    fn number(&self) -> Option<u64> {
        match self.index {
            RotationIndex::Numbered(Reverse(number)) => Some(number),
            _ => None,
        }
    }

    /// What is in the order of time; not `.backup`, which is between two of the others.
    fn date(&self) -> Option<&[u64]> {
        match &self.index {
            RotationIndex::Dated(date) if !self.name.ends_with(BACKUP.as_bytes()) => Some(date),
            _ => None,
        }
    }

    fn is_newer_than(&self, other: &Self) -> bool {
        match (self.number(), other.number(), self.date(), other.date()) {
            (Some(this), Some(that), ..) => this < that,
            (.., Some(this), Some(that)) => this > that,
            _ => self.stat.changed > other.stat.changed,
        }
    }

    /// Whether both names tell their age, and this one's is less.
    fn is_newer_by_name(&self, other: &Self) -> bool {
        let have_names = (self.number().is_some() && other.number().is_some())
            || (self.date().is_some() && other.date().is_some());
        have_names && self.is_newer_than(other)
    }

    /// Whether this is that file, or that file compressed.
    fn is_of(&self, file: FileStat) -> bool {
        self.stat.id == file.id || self.is_made_of(file)
    }

    /// Whether by its time of change this is that file compressed, or a copy.
    pub(super) fn is_made_of(&self, file: FileStat) -> bool {
        let is_same_time = match self.stat.changed % SECOND {
            0 => self.stat.changed == file.changed / SECOND * SECOND,
            _ => self.stat.changed.abs_diff(file.changed) < MILLISECOND,
        };
        (self.packed && is_same_time) || self.is_like(file)
    }

    /// Whether it is as long as that file, and was changed at the very same time.
    fn is_like(&self, file: FileStat) -> bool {
        self.is_exact() && (self.stat.size, self.stat.changed) == (file.size, file.changed)
    }

    /// Whether its size and its time of change tell it from all others.
    fn is_exact(&self) -> bool {
        !self.packed && !self.stat.changed.is_multiple_of(SECOND)
    }
}
