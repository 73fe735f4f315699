//! Takes what was read of a watched file: decides whether it belongs to the generation it was asked
//! of, and which lines it brings. [`FollowedFile`] takes the bytes.

use std::time::Duration;

use crate::model::gap::GapReason;
use crate::parse::split::FilePiece;

use super::followed_file::{FollowedFile, ReadResult};
use super::followed_source::{FollowedSource, InodeChange, Phase};
use super::follower::{Follower, emit};
use super::messages::{FileStat, FollowRequest, Watch};

/// Bytes of a watched file, read at `now`.
#[derive(Clone, Copy)]
pub(super) struct FileRead<'a> {
    pub(super) watch: Watch,
    pub(super) stat: FileStat,
    /// Offset of the first byte.
    pub(super) start: u64,
    pub(super) bytes: &'a [u8],
    pub(super) now: Duration,
}

impl<'a> FileRead<'a> {
    pub(super) fn new(
        watch: Watch,
        stat: FileStat,
        start: u64,
        bytes: &'a [u8],
        now: Duration,
    ) -> Self {
        Self {
            watch,
            stat,
            start,
            bytes,
            now,
        }
    }

    /// Without what is beyond the size that was told: that is not there yet, whatever was read. A
    /// network file system may give NUL bytes for it, and tell the old size once more.
    pub(super) fn within_size(self) -> Self {
        let known = self.stat.size.saturating_sub(self.start);
        let known = usize::try_from(known).unwrap_or(usize::MAX);
        Self {
            bytes: &self.bytes[..self.bytes.len().min(known)],
            ..self
        }
    }
}

impl FollowedSource {
    /// Whether the current generation is read. One that was away and has come back is: its bytes
    /// tell whether it is the same.
    fn is_reading(&mut self) -> bool {
        if self.phase == Phase::Unknown && self.current.is_some() {
            self.phase = Phase::Reading;
        }
        self.phase == Phase::Reading
    }

    /// The generation that something was read of.
    fn generation_of(&mut self, read: &FileRead<'_>) -> Option<&mut FollowedFile> {
        let generation = if read.watch == self.live {
            self.current.as_mut()
        } else {
            self.old_mut(read.watch)
        };
        generation.filter(|generation| generation.id == read.stat.id)
    }
}

impl Follower {
    pub(super) fn read(&mut self, read: &FileRead<'_>) {
        let Some((number, is_live)) = self.lookup(read.watch) else {
            return;
        };
        let source = self.source(number);
        if is_live && !source.is_reading() {
            return self.changed(read.watch, read.stat, read.now);
        }
        source.unread &= !is_live;
        let is_for_later = self.holds_back(number, read);
        if !is_for_later && (is_live || self.is_as_listed(number, read)) {
            self.take_read(number, read);
        }
    }

    /// The first bytes of a generation are held until a listing has shown what came before it.
    /// True too where no generation waits for them.
    fn holds_back(&mut self, number: u32, read: &FileRead<'_>) -> bool {
        let source = self.source(number);
        let name = source.live;
        let Some(generation) = source.generation_of(read) else {
            return true;
        };
        if !generation.wants_proof(read.stat, read.bytes) {
            return false;
        }
        if generation.held.is_none() && read.start == 0 {
            generation.held = Some((read.stat, read.bytes.to_vec()));
            self.requests.push(FollowRequest::List(name));
        }
        true
    }

    /// Whether an old generation is what the listing had: not another file by now, and no copy of
    /// what was read already.
    fn is_as_listed(&mut self, number: u32, read: &FileRead<'_>) -> bool {
        let source = self.source(number);
        let Some(generation) = source.generation_of(read) else {
            return false;
        };
        let listed = generation.stat();
        let is_begun = generation.offset > 0 || read.start > 0;
        let was_listed = generation.was_never_read() && generation.size > 0;
        if was_listed && source.lineage.is_another(listed, read.stat) {
            self.look_again(number, read.watch);
            return false;
        }
        if !is_begun && let Some(original) = source.lineage.copied_from(read.bytes) {
            self.read_copy(number, read.watch, read.stat, original);
            return false;
        }
        true
    }

    fn take_read(&mut self, number: u32, read: &FileRead<'_>) {
        self.tell_written(number, read.stat, read.bytes);
        let source = self.source(number);
        let is_live = read.watch == source.live;
        let Some(generation) = source.generation_of(read) else {
            return;
        };
        let is_first = !is_live && generation.offset == 0 && !read.bytes.is_empty();
        match generation.take(read.stat, read.start, read.bytes, read.now) {
            ReadResult::Lines(pieces) => {
                let doubted = source.lineage.doubted.take_if(|_| is_first);
                if let Some(from) = doubted {
                    self.broken(number, read.stat.id, from);
                }
                self.tell_pieces(number, read, pieces);
            }
            ReadResult::WrongOffset => {
                generation.at_end = false;
                let request = FollowRequest::ReadFrom(read.watch, generation.id, generation.offset);
                self.requests.push(request);
            }
            ReadResult::Rewritten if is_live => {
                if !self.was_not_renumbered(number, read.stat) {
                    self.start_comparing(number, read.stat);
                }
            }
            ReadResult::Rewritten => self.old_has_other_bytes(number, read),
        }
    }

    fn tell_pieces(&mut self, number: u32, read: &FileRead<'_>, pieces: Vec<FilePiece>) {
        let source = self.source(number);
        let is_live = read.watch == source.live;
        if is_live {
            source.renumbered = InodeChange::No;
        }
        let Some(generation) = source.generation_of(read) else {
            return;
        };
        let is_progress = generation.at_end || !pieces.is_empty();
        let hole = generation
            .is_in_long_hole()
            .then_some(FollowRequest::Hole(read.watch, generation.offset));
        self.requests.extend(hole);
        emit(&mut self.outcomes, number, read.stat.id, pieces);
        // What has brought nothing though there is more may fail again.
        if is_progress {
            self.set_problem(number, None);
        }
        self.tail_progress(number, read.stat, read.now);
    }

    /// The name of an old generation may have gone to another file between the look and the read:
    /// only the second time counts.
    fn old_has_other_bytes(&mut self, number: u32, read: &FileRead<'_>) {
        let Some(generation) = self.source(number).generation_of(read) else {
            return;
        };
        generation.rested |= generation.at_end;
        generation.at_end = false;
        generation.size = read.stat.size;
        if std::mem::replace(&mut generation.doubted, true) {
            self.old_rewritten(number, read.watch, GapReason::Truncated);
        } else {
            self.old_moved(number, read.watch);
        }
    }
}
