//! Which generations of a log came and went unseen: the memory of those that were read or were there before, and what
//! a listing of the files beside the log proves.
//!
//! Numbers of files are reused at once and times of change are coarse, may be set by hand, and move when a writer is
//! late. So the rule is not "what changed later is newer" but "what was there at the last listing, as it is now, is
//! known; anything else came since".

use std::collections::VecDeque;

use crate::model::FileId;

use super::generation::Generation;
use super::{Sibling, Stat};

/// Generations whose end is remembered, to find lines that were written to them later.
const REMEMBERED: usize = 8;

/// In the unit of times of change. What packs a file keeps its time of change, some of it (bzip2) no finer than this.
const SECOND: u64 = 1_000_000_000;

/// What was beside the log, and how far it was read.
#[derive(Debug, Default)]
pub(super) struct Lineage {
    /// Read by us; oldest first.
    read: VecDeque<Read>,
    /// There at the last listing, and not read by us.
    there: Vec<Stat>,
    /// The last one that was read to its end before the next was begun.
    last: Option<Stat>,
    listed: bool,
    /// When the generation that was begun at the last listing had been changed: what came since is not older.
    floor: u64,
    /// What is in these is a gap.
    given_up: Vec<FileId>,
    /// Listed, and gone before they were read: compressed meanwhile, perhaps.
    sought: Vec<Stat>,
    /// What is in these was not told.
    wanted: Vec<FileId>,
    /// Files that were cut off, and no copy of them found that has all of it: what is shorter may be one.
    cuts: VecDeque<Cut>,
}

/// A file that was read so far and then cut off.
#[derive(Debug)]
struct Cut {
    offset: u64,
    marker: Vec<u8>,
    head: Vec<u8>,
    /// Nothing was listed since.
    is_new: bool,
}

/// A generation that was read.
#[derive(Debug, Clone)]
pub(super) struct Read {
    pub(super) stat: Stat,
    pub(super) offset: u64,
    pub(super) marker: Vec<u8>,
}

/// What lies between the last generation and the one that was begun.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Between {
    /// To be read first, oldest first; those that were read once with their offset.
    pub(super) missed: Vec<(Stat, u64)>,
    /// The last generation is there no more, and others may have gone with it.
    pub(super) is_broken: bool,
}

impl Lineage {
    /// `generation` was read as far as it goes; `is_last`, and the next is begun.
    pub(super) fn remember(&mut self, generation: &Generation, is_last: bool) {
        let stat = generation.stat();
        self.read.retain(|read| read.stat.id != stat.id);
        self.read.push_back(Read { stat, offset: generation.offset, marker: generation.marker.clone() });
        if self.read.len() > REMEMBERED {
            self.read.pop_front();
        }
        if is_last {
            self.last = Some(stat);
        }
    }

    /// The chain is broken, and that has been told.
    pub(super) fn broken(&mut self) {
        self.last = None;
    }

    /// A file was cut off, which has been told; copies of what was read of it are of no interest.
    pub(super) fn cut(&mut self, generation: &Generation) {
        self.last = None;
        let (marker, head) = (generation.marker.clone(), generation.head.clone());
        self.cuts.push_back(Cut { offset: generation.offset, marker, head, is_new: true });
        if self.cuts.len() > REMEMBERED {
            self.cuts.pop_front();
        }
    }

    /// How far a file with these first bytes was read before it was cut off, if it seems to be a copy of that, and what
    /// must stand there if it is.
    pub(super) fn copied_from(&mut self, bytes: &[u8]) -> Option<(u64, Vec<u8>)> {
        let is_alike = |cut: &Cut| {
            let compared = cut.head.len().min(bytes.len());
            compared > 0 && bytes[..compared] == cut.head[..compared]
        };
        let at = self.cuts.iter().position(is_alike)?;
        self.cuts.remove(at).map(|cut| (cut.offset, cut.marker))
    }

    /// What is in this file will be told of no more, whatever it is.
    pub(super) fn give_up(&mut self, id: FileId) {
        self.read.retain(|read| read.stat.id != id);
        self.given_up.push(id);
    }

    /// A generation that was listed is gone before it was read.
    pub(super) fn seek(&mut self, stat: Stat) {
        self.there.retain(|other| other.id != stat.id);
        self.read.retain(|read| read.stat.id != stat.id);
        self.sought.push(stat);
    }

    /// What is in this file is not what was read of it, but another generation.
    pub(super) fn want(&mut self, id: FileId) {
        self.read.retain(|read| read.stat.id != id);
        self.wanted.push(id);
    }

    /// This file is a copy of what was read last, and has no more.
    pub(super) fn was_copied_to(&mut self, copy: Stat) {
        self.there.push(copy);
        self.last = Some(copy);
    }

    /// Whether it was there, as it is now, at the last listing.
    pub(super) fn knows(&self, stat: Stat) -> bool {
        self.there.contains(&stat) || self.recall(stat.id).is_some_and(|read| read.stat == stat)
    }

    /// What was read of this file, if it was.
    pub(super) fn recall(&self, id: FileId) -> Option<&Read> {
        self.read.iter().find(|read| read.stat.id == id)
    }

    /// Whether the files beside the log have been listed once.
    pub(super) fn has_begun(&self) -> bool {
        self.listed
    }

    /// What a listing, taken after the first bytes of `begun` were read, says of what came before it. `watched` are
    /// being read already.
    pub(super) fn between(&mut self, listed: &[Sibling], begun: Stat, watched: &[FileId]) -> Between {
        let is_first = !std::mem::replace(&mut self.listed, true);
        // Where `begun` has lost the name meanwhile, what is newer is for the next listing.
        let moved = listed.iter().find(|sibling| sibling.stat.id == begun.id);
        let relevant = |sibling: &&Sibling| {
            let is_itself = sibling.stat.id == begun.id || watched.contains(&sibling.stat.id);
            let is_later = moved.is_some_and(|moved| sibling.is_newer_than(moved));
            // A file that is being compressed is there twice.
            let is_twin = sibling.packed && listed.iter().any(|other| !other.packed && other.name == sibling.name);
            !is_itself && !is_later && !is_twin
        };
        let relevant: Vec<&Sibling> = listed.iter().filter(relevant).collect();
        let mut missed: Vec<&Sibling> = Vec::new();
        if !is_first {
            missed.extend(relevant.iter().copied().filter(|sibling| self.is_news(sibling, listed)));
        }
        let is_broken = self.last.is_some_and(|last| {
            !watched.contains(&last.id) && last.id != begun.id && !listed.iter().any(|sibling| sibling.is_of(last))
        });
        // It may have been written to after it was listed, and before it was compressed.
        let may_be = |sibling: &Sibling, sought: &Stat| {
            sibling.stat.id == sought.id || (sibling.packed && sibling.stat.changed / SECOND >= sought.changed / SECOND)
        };
        let is_lost = |sought: &Stat| sought.size > 0 && !missed.iter().any(|sibling| may_be(sibling, sought));
        let is_broken = is_broken || self.sought.iter().any(is_lost);
        self.sought.clear();
        self.floor = begun.changed;
        self.given_up.clear();
        self.wanted.clear();
        self.cuts.iter_mut().for_each(|cut| cut.is_new = false);
        self.there = relevant.iter().map(|sibling| sibling.stat).collect();
        Between { missed: self.in_order(missed), is_broken }
    }

    /// Whether this file, or something in it, came since the last listing.
    fn is_news(&self, sibling: &Sibling, listed: &[Sibling]) -> bool {
        let stat = sibling.stat;
        if let Some(read) = self.recall(stat.id) {
            // Of a compressed file it is known how long it is when it is unpacked.
            let has_more = !sibling.packed && (read.stat.size != stat.size || read.offset < stat.size);
            return read.stat.changed != stat.changed || has_more;
        }
        if self.wanted.contains(&stat.id) {
            return true;
        }
        // Where its first bytes are not known, size is all there is to tell a copy by.
        let is_copy = |cut: &Cut| cut.is_new && cut.head.is_empty() && stat.size <= cut.offset;
        let is_copy = self.cuts.iter().any(is_copy);
        if is_copy || self.there.contains(&stat) || self.given_up.contains(&stat.id) {
            return false;
        }
        if sibling.packed && self.was_packed(sibling, listed) {
            return false;
        }
        // An old one that grew, or was unpacked: nobody asked for what it is the end of.
        !self.is_older_than_last(sibling, listed)
    }

    /// Whether a compressed file is one that was known before it was compressed; its time of change is kept.
    fn was_packed(&self, sibling: &Sibling, listed: &[Sibling]) -> bool {
        let read = self.read.iter().filter(|read| read.offset > 0).map(|read| read.stat);
        let known = read.chain(self.there.iter().copied());
        let mut gone = known.filter(|known| listed.iter().all(|other| other.stat.id != known.id));
        gone.any(|known| sibling.is_of(known))
    }

    fn is_older_than_last(&self, sibling: &Sibling, listed: &[Sibling]) -> bool {
        let Some(last) = self.last else { return false };
        let is_before = sibling.stat.changed < self.floor;
        let place = listed.iter().find(|other| other.is_of(last));
        is_before && place.is_none_or(|place| place.is_newer_than(sibling))
    }

    /// Oldest first: by the time of change, and where all have names that tell, by their names.
    fn in_order(&self, mut missed: Vec<&Sibling>) -> Vec<(Stat, u64)> {
        missed.sort_by_key(|sibling| sibling.stat.changed);
        if missed.iter().all(|sibling| sibling.number().is_some()) {
            missed.sort_by_key(|sibling| std::cmp::Reverse(sibling.number()));
        } else if missed.iter().all(|sibling| sibling.date().is_some()) {
            missed.sort_by_key(|sibling| sibling.date());
        }
        let from =
            |stat: Stat| self.recall(stat.id).filter(|read| read.offset <= stat.size).map_or(0, |read| read.offset);
        missed.into_iter().map(|sibling| (sibling.stat, from(sibling.stat))).collect()
    }
}

impl Sibling {
    /// `.3`: what a rotation counts up.
    fn number(&self) -> Option<u32> {
        let digits = self.name.strip_prefix(['.', '-', '_'])?;
        (digits.len() < 6).then(|| digits.parse().ok()).flatten()
    }

    /// `-20261120`, in the order of time; not `.backup`, which is between two of the others.
    fn date(&self) -> Option<&str> {
        let is_date = self.name.bytes().filter(u8::is_ascii_digit).count() >= 6 && !self.name.ends_with(".backup");
        is_date.then_some(&self.name)
    }

    fn is_newer_than(&self, other: &Self) -> bool {
        match (self.number(), other.number(), self.date(), other.date()) {
            (Some(this), Some(that), ..) => this < that,
            (.., Some(this), Some(that)) => this > that,
            _ => self.stat.changed > other.stat.changed,
        }
    }

    /// Whether this is that file, or that file compressed.
    fn is_of(&self, file: Stat) -> bool {
        let is_same_time = match self.stat.changed % SECOND {
            0 => self.stat.changed == file.changed / SECOND * SECOND,
            _ => self.stat.changed == file.changed,
        };
        self.stat.id == file.id || (self.packed && is_same_time)
    }
}
