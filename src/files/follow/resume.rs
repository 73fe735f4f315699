//! Goes on where another run of the program stopped: as after a lost connection, with what that run
//! remembered.

use std::time::Duration;

use crate::model::cursor::{Cursor, FileId};
use crate::model::read_position::ReadPosition;
use crate::parse::split::FileLineSplitter;

use super::followed_file::{FollowedFile, SuccessionProof};
use super::followed_log::FollowedLog;
use super::followed_source::StartAt;
use super::follower::Follower;
use super::messages::{FollowOutcome, FollowRequest};

/// What packs or copies a file keeps its time of change; that of a stamp may be of another zone.
const ZONES: i64 = 24 * 3600 * 1_000_000_000;

impl Follower {
    /// Adds a source of which these generations were printed so far, oldest first.
    pub fn resume(&mut self, source: u32, log: FollowedLog, reached: &[ReadPosition]) {
        self.add(source, log, StartAt::Start);
        let Some((last, older)) = reached.split_last() else {
            return;
        };
        for one in older {
            let watch = self.new_watch(source);
            let known = self.source(source);
            // Its successor was begun, so it was read to its end; it may have grown since.
            let old = FollowedFile {
                rested: true,
                ..FollowedFile::resumed(watch, one)
            };
            // By its number alone: to look through all files for its bytes takes long, and nobody
            // writes to a packed one.
            let near = known.live;
            let id = old.id;
            let offset = old.offset;
            known.old.push_back(old);
            self.requests.push(FollowRequest::Find {
                watch,
                near,
                id,
                offset,
                mark: None,
            });
        }
        let known = self.source(source);
        known.begun = true;
        known.lineage.resume(last.time);
        known.current = Some(FollowedFile {
            recalled: true,
            ..FollowedFile::resumed(known.live, last)
        });
    }
}

impl FollowedFile {
    /// Whether this is its file on a file system that has another number since the host was started
    /// again.
    pub(super) fn is_renumbered(&self, id: FileId) -> bool {
        self.recalled && self.id.ino == id.ino && self.id.dev != id.dev
    }

    /// Says where a source begins: with the line that comes next.
    pub(super) fn begun(&self, number: u32) -> Option<FollowOutcome> {
        let under_way = self.lines.under_way();
        let offset = self.offset - under_way as u64;
        let before = self.marker[..self.marker.len().saturating_sub(under_way)].to_vec();
        self.lines.is_at_line().then(|| {
            FollowOutcome::Begun(
                number,
                Cursor {
                    file: self.id,
                    offset,
                },
                before,
            )
        })
    }

    fn resumed(watch: u32, reached: &ReadPosition) -> Self {
        let offset = reached.offset();
        let mut this = Self::new(
            watch,
            reached.place.cursor.file,
            offset,
            false,
            Duration::ZERO,
        );
        this.lines = FileLineSplitter::new(offset, reached.is_in_line());
        this.marker.clone_from(&reached.before);
        this.changed = u64::try_from(reached.time.0.saturating_sub(ZONES)).unwrap_or(0);
        this.proof = SuccessionProof::Done;
        this
    }
}
