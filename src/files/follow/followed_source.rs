//! The state of one source that is followed: the generation under its name, and those that lost it.

use std::collections::VecDeque;

use crate::model::cursor::FileId;

use super::followed_file::FollowedFile;
use super::followed_log::FollowedLog;
use super::heads::KnownHeads;
use super::messages::{FileStat, FileUnavailable, FollowRequest, RotatedSibling, Watch};
use super::rotation_history::RotationHistory;

/// Where to begin with a source that is seen first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartAt {
    /// With its last lines.
    LastLines(u32),
    /// With its first byte.
    Start,
}

/// A log that is followed.
#[derive(Debug)]
pub(super) struct FollowedSource {
    pub(super) log: FollowedLog,
    pub(super) begin: StartAt,
    pub(super) live: Watch,
    /// The generation under the live name, while it is known.
    pub(super) current: Option<FollowedFile>,
    pub(super) phase: Phase,
    /// Generations that lost the name but may still have, or get, bytes; oldest first.
    pub(super) old: VecDeque<FollowedFile>,
    pub(super) problem: Option<FileUnavailable>,
    /// The last lines were read (or it began elsewhere).
    pub(super) begun: bool,
    /// It was told where to read on and has not been read since.
    pub(super) unread: bool,
    pub(super) lineage: RotationHistory,
    pub(super) heads: KnownHeads,
    /// What came so far of a listing that has several parts.
    pub(super) listing: Vec<RotatedSibling>,
    /// A generation was found next to the name that may be a copy of what the name still has.
    pub(super) copied: bool,
    pub(super) renumbered: InodeChange,
    /// It was found by a pattern, and not asked for by its name.
    pub(super) of_pattern: bool,
    pub(super) twin: Option<FileAlias>,
}

/// What is being done about a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing is known of the name on this connection.
    Unknown,
    /// The current generation is being read.
    Reading,
    /// Our generation is looked for next to the name; then goes on with the file under the name, if
    /// there is one.
    Finding(Option<FileStat>),
    /// The name's file was rewritten: copies of what it was are being compared. The best candidate
    /// so far.
    Comparing(FileStat, Option<CopiedFile>),
    /// The old generation is read to its end first.
    Waiting(Option<FileStat>),
}

/// A copy of a file that was cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CopiedFile {
    /// It has all that was read.
    Whole(FileId),
    /// It was made before the last of it was written, and has nothing that was not read.
    Before(FileStat),
}

/// What is known of a current generation whose number is no more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum InodeChange {
    #[default]
    No,
    /// The file under the name is being compared; what the number was.
    Tried(FileId),
    /// The file with this number is another.
    Refused(FileId),
}

/// A source of a pattern that has not begun, or whose file is read under another name.
#[derive(Debug)]
pub(super) struct FileAlias {
    /// The file under its name, if there is one.
    pub(super) stat: Option<FileStat>,
    /// How far the other has read the file.
    pub(super) known: Option<FollowedFile>,
}

impl FileAlias {
    /// Whether another source reads its file.
    pub(super) fn is_read(&self) -> bool {
        self.stat.is_some() && self.known.is_some()
    }
}

impl FollowedSource {
    /// Nothing is known of it yet.
    pub(super) fn new(log: FollowedLog, begin: StartAt, live: Watch) -> Self {
        Self {
            log,
            begin,
            live,
            current: None,
            phase: Phase::Unknown,
            old: VecDeque::new(),
            problem: None,
            begun: false,
            unread: false,
            lineage: RotationHistory::default(),
            heads: KnownHeads::default(),
            listing: Vec::new(),
            copied: false,
            renumbered: InodeChange::No,
            of_pattern: false,
            twin: None,
        }
    }

    /// The request for looks at its name; `number` is that of the source.
    pub(super) fn to_be_watched(&self, number: u32) -> FollowRequest {
        FollowRequest::Watch {
            watch: self.live,
            chain: number,
            path: self.log.path.clone(),
            siblings: Box::new(self.log.siblings()),
        }
    }

    /// The file under its name is read on from an offset: the request for that.
    pub(super) fn read_on(&mut self, id: FileId, offset: u64) -> FollowRequest {
        self.phase = Phase::Reading;
        self.unread = true;
        FollowRequest::ReadFrom(self.live, id, offset)
    }

    /// A new connection: nothing is watched there yet.
    pub(super) fn restart(&mut self) {
        self.listing.clear();
        // Of an empty file nothing tells whether it is the same when another has its name.
        for old in self.old.iter().filter(|old| old.is_empty()) {
            self.lineage.remember(old, false);
        }
        self.old.retain(|old| !old.is_empty());
        for old in &mut self.old {
            old.rested |= old.at_end;
            old.at_end = false;
            old.held = None;
            old.denied = None;
        }
        if let Some(current) = &mut self.current {
            current.held = None;
        }
        self.heads.restart();
        if !matches!(self.phase, Phase::Waiting(_)) {
            self.phase = Phase::Unknown;
        }
    }

    /// Whether the last poll has brought all that it has.
    pub(super) fn is_at_rest(&self) -> bool {
        let held = self
            .current
            .as_ref()
            .and_then(|current| current.held.as_ref());
        self.begun && self.phase == Phase::Reading && !self.unread && held.is_none()
    }

    pub(super) fn generations(&self) -> impl Iterator<Item = &FollowedFile> {
        self.old.iter().chain(&self.current)
    }

    pub(super) fn generations_mut(&mut self) -> impl Iterator<Item = &mut FollowedFile> {
        self.old.iter_mut().chain(&mut self.current)
    }

    /// The old generation that is read under this watch.
    pub(super) fn old_mut(&mut self, watch: Watch) -> Option<&mut FollowedFile> {
        self.old.iter_mut().find(|old| old.watch == watch)
    }

    /// Its name leads to no file that could be read under another one.
    pub(super) fn lose_alias(&mut self) {
        if let Some(twin) = &mut self.twin {
            twin.stat = None;
        }
    }

    /// Whether a current generation whose name is gone is to be looked for under another one.
    pub(super) fn may_be_renamed(&self) -> bool {
        let Some(current) = &self.current else {
            return false;
        };
        self.phase == Phase::Reading || (self.phase == Phase::Unknown && current.recalled)
    }

    /// Whether it has no lines of its own, because another source has its file.
    pub(super) fn is_read_by_another(&self) -> bool {
        self.twin.as_ref().is_some_and(FileAlias::is_read)
    }

    /// Gives the current generation back the number under which it was read.
    pub(super) fn give_number_back(&mut self) {
        if let (InodeChange::Tried(before), Some(current)) = (self.renumbered, &mut self.current) {
            current.id = before;
            self.renumbered = InodeChange::No;
        }
    }
}
