//! From one generation to the next: no line of a generation is shown before a listing, taken after
//! its first bytes were read, has proved that no other came between it and the one before.
//!
//! ```text
//!  first bytes ──▶ held ──▶ List ──▶ nothing between ──▶ shown
//!                             │
//!                             └────▶ others between ──▶ they are read first; these bytes are read again
//! ```
//!
//! Where the generation before is itself gone, others may have gone with it: that is a gap.

use std::collections::HashSet;
use std::time::Duration;

use crate::model::cursor::FileId;
use crate::model::gap::GapReason;
use crate::parse::split::{FileLineSplitter, FilePiece};

use super::followed_file::{FollowedFile, ReadResult, SuccessionProof};
use super::followed_source::{CopiedFile, FollowedSource, Phase};
use super::follower::{Follower, emit};
use super::messages::{FileStat, FollowRequest, RotatedSibling, Watch};
use super::reading::FileRead;
use super::rotation_history::{CopiedContent, LogListing, ReadGeneration};

/// A hole shorter than this is read like everything else.
const LONG_HOLE: u64 = 4 << 20;

impl FollowedFile {
    /// The request that looks for it next to the watched name.
    pub(super) fn to_be_found(&self, near: Watch) -> FollowRequest {
        // A file that has other bytes now is looked for by its bytes alone.
        let id = if self.rewritten.is_some() {
            FileId::default()
        } else {
            self.id
        };
        FollowRequest::Find {
            watch: self.watch,
            near,
            id,
            offset: self.offset,
            mark: self.mark(),
        }
    }

    /// Whether it seems to go on with NUL bytes for long.
    pub(super) fn is_in_long_hole(&self) -> bool {
        self.lines.is_in_hole() && self.size.saturating_sub(self.offset) > LONG_HOLE
    }

    /// Gives up waiting for a proof: the bytes that are held are all that is left.
    pub(super) fn release(&mut self, pieces: &mut Vec<FilePiece>) {
        let Some((stat, bytes)) = self.held.take() else {
            return;
        };
        if let ReadResult::Lines(mut lines) = self.take(stat, 0, &bytes, self.grew) {
            pieces.append(&mut lines);
        }
    }
}

impl FollowedSource {
    /// The files whose lines are told already.
    fn told_generations(&self) -> HashSet<FileId> {
        let told = self.generations().filter(|one| one.held.is_none());
        told.map(|one| one.id).collect()
    }

    fn compare_heads(&mut self, siblings: &[RotatedSibling], now: Duration) {
        if !self.lineage.has_begun() && siblings.iter().any(|sibling| !sibling.packed) {
            self.heads.want(now);
        }
        let all_read = self.old.iter().all(|old| old.offset > 0);
        self.heads
            .compare(siblings, |stat| self.lineage.knows(stat), all_read);
    }

    /// The current generation was copied, and is about to be cut off: all that the copy has was
    /// told.
    fn go_on_behind_copy(&mut self, stat: &FileStat, bytes: &[u8]) {
        let mut newest_first = self.old.iter_mut().rev();
        let copy = newest_first.find(|old| old.is_copy_of(stat, bytes));
        if let (Some(copy), Some(current)) = (copy, &mut self.current) {
            let rest = FileLineSplitter::new(copy.offset, false);
            current.offset = copy.offset;
            current.marker.clone_from(&copy.marker);
            current.lines = std::mem::replace(&mut copy.lines, rest);
            current.told = copy.told;
        }
    }

    /// No bytes wait for this listing: it says what was there before the current generation.
    fn note_first_listing(&mut self, siblings: &[RotatedSibling], watched: &HashSet<FileId>) {
        if let Some(current) = &self.current
            && !self.lineage.has_begun()
        {
            self.lineage.between(&LogListing {
                siblings,
                begun: current.stat(),
                watched,
            });
        }
    }
}

impl Follower {
    /// What is next to the name of a source.
    pub(super) fn listed(
        &mut self,
        live: Watch,
        is_whole: bool,
        siblings: &[RotatedSibling],
        now: Duration,
    ) {
        let Some((number, true)) = self.lookup(live) else {
            return;
        };
        if !is_whole {
            // Files move all the while: the bytes wait.
            return self.requests.push(FollowRequest::List(live));
        }
        let source = self.source(number);
        source.compare_heads(siblings, now);
        let watched = source.told_generations();
        let Some(generation) = source.generations().find(|one| one.held.is_some()) else {
            return source.note_first_listing(siblings, &watched);
        };
        let is_new = generation.proof == SuccessionProof::Wanted;
        let begun = generation
            .held
            .as_ref()
            .map_or_else(FileStat::default, |(stat, _)| *stat);
        let between = source.lineage.between(&LogListing {
            siblings,
            begun,
            watched: &watched,
        });
        let from = source.old.back().map_or(0, |old| old.offset);
        source.lineage.doubted = (between.is_doubtful && is_new).then_some(from);
        if between.is_broken && is_new {
            self.broken(number, begun.id, from);
        }
        if between.missed.is_empty() {
            self.proven(number, now);
        } else {
            self.read_first(number, &between.missed, now);
        }
    }

    /// The generation before is gone, perhaps others with it.
    pub(super) fn broken(&mut self, number: u32, id: FileId, from: u64) {
        self.source(number).lineage.broken();
        let gap = FilePiece::Gap {
            from,
            to: None,
            reason: GapReason::RotatedAway,
        };
        emit(&mut self.outcomes, number, id, vec![gap]);
    }

    /// The bytes that were held are the next.
    fn proven(&mut self, number: u32, now: Duration) {
        let source = self.source(number);
        let is_copied = std::mem::take(&mut source.copied);
        let Some(generation) = source.generations_mut().find(|one| one.held.is_some()) else {
            return;
        };
        let watch = generation.watch;
        let Some((stat, bytes)) = generation.held.take() else {
            return;
        };
        generation.proof = if bytes.is_empty() {
            SuccessionProof::OfName
        } else {
            SuccessionProof::Done
        };
        if is_copied && watch == source.live {
            source.go_on_behind_copy(&stat, &bytes);
        }
        source.unread = true;
        self.tell_written(number, stat, &bytes);
        let Some(generation) = self.generation(number, watch) else {
            return;
        };
        let taken = generation.take(stat, 0, &bytes, now);
        let request = FollowRequest::ReadFrom(watch, generation.id, generation.offset);
        generation.at_end = false;
        if let ReadResult::Lines(pieces) = taken {
            emit(&mut self.outcomes, number, stat.id, pieces);
        }
        self.requests.push(request);
    }

    /// Generations that came and went unseen are read before the one that was begun, from where
    /// they were left.
    fn read_first(&mut self, number: u32, missed: &[(FileStat, u64)], now: Duration) {
        let source = self.source(number);
        let begun = source
            .old
            .iter()
            .position(|old| old.held.is_some())
            .and_then(|at| source.old.remove(at));
        // Where a late line to an old one was the first of it, what has the name now goes on.
        if let Some(current) = source
            .current
            .take_if(|current| current.held.is_some() || current.offset == 0)
        {
            let changed = current
                .held
                .as_ref()
                .map_or(current.changed, |(stat, _)| stat.changed);
            let id = current.id;
            let size = current.size;
            source.phase = Phase::Waiting(Some(FileStat { id, size, changed }));
            source.copied = true;
        }
        for &(stat, offset) in missed {
            self.queue(number, stat, offset, now);
        }
        if let Some(begun) = begun {
            self.forget(begun.watch);
            let stat = begun.held.as_ref().map_or(begun.stat(), |(stat, _)| *stat);
            self.queue(
                number,
                FileStat {
                    id: begun.id,
                    ..stat
                },
                0,
                now,
            );
        }
    }

    /// What was taken for a generation that was missed is a copy of one that was told up to an
    /// offset.
    pub(super) fn read_copy(
        &mut self,
        number: u32,
        watch: Watch,
        stat: FileStat,
        original: CopiedContent,
    ) {
        let source = self.source(number);
        if stat.size <= original.offset {
            source.old.retain(|old| old.watch != watch);
            source.lineage.was_copied_to(stat);
            return self.forget(watch);
        }
        let Some(generation) = self.generation(number, watch) else {
            return;
        };
        let id = generation.id;
        *generation = FollowedFile::new(watch, id, original.offset, false, generation.grew);
        generation.marker = original.marker;
        generation.recalled = true;
        self.requests
            .push(FollowRequest::ReadFrom(watch, id, original.offset));
    }

    /// A compressed file unpacks to so much, or to more. One that was read to its end is looked at
    /// no more: it does not grow; one that ends before what was read of it is another file.
    pub(super) fn unpacked_to(&mut self, watch: Watch, end: u64, is_whole: bool) {
        let Some((number, false)) = self.lookup(watch) else {
            return;
        };
        let Some(generation) = self.generation(number, watch) else {
            return;
        };
        if is_whole && end < generation.offset {
            self.old_rewritten(number, watch, GapReason::RotatedAway);
        } else if generation.at_end {
            self.drop_old(number, watch, GapReason::RotatedAway);
        }
    }

    /// What was taken for a generation that was missed is, by its first bytes, one that was read
    /// before it was compressed: it is read on from there.
    pub(super) fn recognise_unpacked(&mut self, read: &FileRead<'_>) {
        let FileRead { watch, stat, .. } = *read;
        let Some((number, false)) = self.lookup(watch) else {
            return;
        };
        let is_begun = |old: &&mut FollowedFile| {
            old.watch == watch && old.id == stat.id && old.offset == 0 && read.start == 0
        };
        let Some(begun) = self.source(number).old.iter_mut().find(is_begun) else {
            return;
        };
        begun.size = stat.size;
        self.forget_original(number, read);
        let Some(original) = self.source(number).lineage.packed_from(stat, read.bytes) else {
            return self.read_unknown_archive(number, read);
        };
        self.source(number).lineage.doubted = None;
        if let Some(generation) = self.generation(number, watch) {
            *generation =
                FollowedFile::new(watch, stat.id, original.offset, false, generation.grew);
            generation.marker = original.marker;
            generation.head = original.head;
            generation.recalled = true;
        }
    }

    /// The file that an archive was made of is read on in the archive.
    fn forget_original(&mut self, number: u32, archive: &FileRead<'_>) {
        let source = self.source(number);
        let is_original = |old: &FollowedFile| {
            let is_read = old.watch != archive.watch && old.offset > 0 && !old.recalled;
            is_read && ReadGeneration::of(old).is_begun_by(archive.stat, archive.bytes)
        };
        let at = source.old.iter().position(is_original);
        if let Some(original) = at.and_then(|at| source.old.remove(at)) {
            source.lineage.remember(&original, false);
            self.forget(original.watch);
        }
    }

    /// An archive of nothing that was read: its lines are new, unless they were there before.
    fn read_unknown_archive(&mut self, number: u32, read: &FileRead<'_>) {
        if self.pass_over_known(read.watch, read.stat, read.start, read.bytes) {
            return;
        }
        if let Some(from) = self.source(number).lineage.doubted.take() {
            self.broken(number, read.stat.id, from);
        }
    }

    /// A generation that was found in this file may have been listed as one that was missed: then
    /// it is read once.
    pub(super) fn join(&mut self, number: u32, watch: Watch, id: FileId) {
        let old = &self.source(number).old;
        let is_begun = old.iter().any(|old| old.watch == watch && old.offset > 0);
        let twin = old
            .iter()
            .find(|old| old.watch != watch && old.id == id && (old.offset == 0 || !is_begun));
        let Some(twin) = twin.map(|twin| if is_begun { twin.watch } else { watch }) else {
            return;
        };
        self.source(number).old.retain(|old| old.watch != twin);
        self.forget(twin);
    }

    /// A generation that was listed went away before it was read: the next listing may have it
    /// compressed.
    pub(super) fn look_again(&mut self, number: u32, watch: Watch) {
        let source = self.source(number);
        let Some(at) = source.old.iter().position(|old| old.watch == watch) else {
            return;
        };
        let Some(old) = source.old.remove(at) else {
            return;
        };
        source.lineage.seek(old.stat());
        self.watches.remove(&watch);
        self.requests.push(FollowRequest::Forget(watch));
    }

    fn queue(&mut self, number: u32, stat: FileStat, offset: u64, now: Duration) {
        let watch = self.new_watch(number);
        let source = self.source(number);
        let mut generation = FollowedFile::new(watch, stat.id, offset, false, now);
        generation.size = stat.size;
        generation.changed = stat.changed;
        if let Some(read) = source
            .lineage
            .recall(stat.id)
            .filter(|read| read.offset == offset && offset > 0)
        {
            generation.marker = read.marker.clone();
            generation.head = read.head.clone();
            generation.recalled = true;
        }
        let request = generation.to_be_found(source.live);
        source.old.push_back(generation);
        self.requests.push(request);
    }

    pub(super) fn candidate(&mut self, watch: Watch, stat: FileStat, start: u64, bytes: &[u8]) {
        let Some((number, true)) = self.lookup(watch) else {
            return;
        };
        let source = self.source(number);
        let (Phase::Comparing(now, best), Some(current)) = (source.phase, &source.current) else {
            return;
        };
        let best = match best {
            Some(CopiedFile::Whole(_)) => return,
            _ if !current.marker.is_empty() && current.marker_matches(start, bytes) => {
                CopiedFile::Whole(stat.id)
            }
            None if start == 0
                && current.began_like(stat, bytes)
                && !source.lineage.knows(stat) =>
            {
                CopiedFile::Before(stat)
            }
            _ => return,
        };
        source.phase = Phase::Comparing(now, Some(best));
    }

    pub(super) fn compared(&mut self, watch: Watch, now: Duration) {
        let Some((number, true)) = self.lookup(watch) else {
            return;
        };
        let source = self.source(number);
        let (Phase::Comparing(stat, best), Some(current)) = (source.phase, &mut source.current)
        else {
            return;
        };
        match best {
            Some(CopiedFile::Whole(copy)) => {
                // The copy has what we have read and more: read its rest as an old generation.
                current.id = copy;
                return self.start_finding(number, Some(stat));
            }
            Some(CopiedFile::Before(copy)) => {
                let id = current.id;
                let mut pieces = Vec::new();
                current.lines.finish(&mut pieces);
                source.lineage.was_copied_to(copy);
                emit(&mut self.outcomes, number, id, pieces);
            }
            None if current.offset > 0 => {
                // Where its number went to another file at once, it is an archive by now, perhaps.
                current.rewritten = Some(GapReason::Truncated);
                return self.start_finding(number, Some(stat));
            }
            None => {}
        }
        self.activate(number, stat, now);
    }

    /// An old generation has other bytes under its number.
    pub(super) fn old_rewritten(&mut self, number: u32, watch: Watch, reason: GapReason) {
        let source = self.source(number);
        let near = source.live;
        let Some(old) = source.old.iter_mut().find(|old| old.watch == watch) else {
            return;
        };
        if old.recalled {
            // The file that had its number is gone, read to its end; this one is new.
            let FileStat { id, size, changed } = old.stat();
            *old = FollowedFile {
                size,
                changed,
                ..FollowedFile::new(watch, id, 0, false, old.grew)
            };
        } else if old.rewritten.is_some() || old.marker.is_empty() {
            return self.drop_old(number, watch, reason);
        } else {
            // It was copied and cut off before it was renamed, perhaps: the copy has what was not
            // read.
            old.rewritten = Some(reason);
        }
        let request = old.to_be_found(near);
        self.requests.push(request);
    }

    /// The NUL bytes of a file go up to `to`.
    pub(super) fn hole(&mut self, watch: Watch, stat: FileStat, to: u64) {
        let Some((number, _)) = self.lookup(watch) else {
            return;
        };
        let Some(generation) = self
            .generation(number, watch)
            .filter(|one| one.id == stat.id)
        else {
            return;
        };
        if to > generation.offset && to <= stat.size && generation.is_in_long_hole() {
            generation.pass_hole(to);
            let request = FollowRequest::ReadFrom(watch, generation.id, to);
            self.requests.push(request);
        }
    }
}

impl FollowedFile {
    /// Whether a file that is shorter than what was read begins with the same bytes.
    fn began_like(&self, stat: FileStat, bytes: &[u8]) -> bool {
        let compared = self.head.len().min(bytes.len());
        stat.size <= self.offset && compared > 0 && bytes[..compared] == self.head[..compared]
    }

    /// Whether this generation is a copy of a file with these first bytes.
    fn is_copy_of(&self, stat: &FileStat, bytes: &[u8]) -> bool {
        let is_alike =
            !self.head.is_empty() && bytes.starts_with(&self.head) && stat.size >= self.offset;
        is_alike && self.id != stat.id && self.marker_matches(0, bytes)
    }
}
