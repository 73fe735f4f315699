//! What is remembered of all sources that are followed, and the requests and outcomes that wait to be
//! taken. The other files of this folder decide what becomes of them.

use std::collections::BTreeMap;

use crate::model::cursor::FileId;
use crate::model::time::Time;
use crate::parse::split::FilePiece;

use super::followed_file::FollowedFile;
use super::followed_source::FollowedSource;
use super::messages::{FileStat, FileUnavailable, FollowOutcome, FollowRequest, Watch};

/// Follows any number of sources.
#[derive(Debug, Default)]
pub struct Follower {
    pub(super) sources: BTreeMap<u32, FollowedSource>,
    pub(super) watches: BTreeMap<Watch, u32>,
    pub(super) next_watch: Watch,
    pub(super) requests: Vec<FollowRequest>,
    pub(super) outcomes: Vec<FollowOutcome>,
    /// Bytes that may be asked for at once, where the link is slow.
    pub(super) slow: Option<u64>,
}

impl Follower {
    pub(super) fn new_watch(&mut self, source: u32) -> Watch {
        self.next_watch += 1;
        self.watches.insert(self.next_watch, source);
        self.next_watch
    }

    /// The source of a watch, and whether the watch is its live name.
    pub(super) fn lookup(&self, watch: Watch) -> Option<(u32, bool)> {
        let number = *self.watches.get(&watch)?;
        Some((number, self.sources.get(&number)?.live == watch))
    }

    pub(super) fn source(&mut self, number: u32) -> &mut FollowedSource {
        self.sources.get_mut(&number).expect("looked up before")
    }

    pub(super) fn forget(&mut self, watch: Watch) {
        self.watches.remove(&watch);
        self.requests.push(FollowRequest::Forget(watch));
    }

    pub(super) fn set_problem(&mut self, number: u32, problem: Option<FileUnavailable>) {
        let source = self.source(number);
        if source.problem != problem {
            source.problem.clone_from(&problem);
            self.outcomes.push(FollowOutcome::Problem(number, problem));
        }
    }

    /// Tells when a file was written to, where the host can say, of which bytes were read.
    pub(super) fn tell_written(&mut self, number: u32, stat: FileStat, bytes: &[u8]) {
        let written = i64::try_from(stat.changed).unwrap_or(0);
        if written > 0 && !bytes.is_empty() {
            self.outcomes
                .push(FollowOutcome::Written(number, Time(written)));
        }
    }

    /// The generation of a source that is read under this watch.
    pub(super) fn generation(&mut self, number: u32, watch: Watch) -> Option<&mut FollowedFile> {
        self.source(number)
            .generations_mut()
            .find(|one| one.watch == watch)
    }
}

/// Gives pieces of a file on, if there are any.
pub(super) fn emit(
    outcomes: &mut Vec<FollowOutcome>,
    number: u32,
    id: FileId,
    pieces: Vec<FilePiece>,
) {
    if !pieces.is_empty() {
        outcomes.push(FollowOutcome::Pieces(number, id, pieces));
    }
}
