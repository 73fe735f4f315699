//! One file under two names: a bind mount, a link, a second pattern. Its lines are shown once,
//! under the name that was there first.
//!
//! Which file a new name leads to is decided at the end of a look, when all names have been looked
//! at: a rotation may have moved the file under both. While one source reads a file, the others
//! that have it wait and know how far it was read. Where their name keeps the file for longer, they
//! go on there.

use std::time::Duration;

use super::followed_file::FollowedFile;
use super::followed_source::{FileAlias, FollowedSource, Phase};
use super::follower::Follower;
use super::messages::FileStat;

enum AliasOwner {
    Nobody,
    /// Another source reads it, or is about to; how far it has come, where that is news.
    Other(Option<Box<FollowedFile>>),
    /// Another source was reading it, whose name cannot be read any more.
    Lost(u32),
}

impl FollowedSource {
    /// Whether this source reads a file, or is about to; it is known to have read up to `known`.
    fn owner(&self, number: u32, stat: FileStat, known: Option<u64>) -> AliasOwner {
        let Some(generation) = self.generations().find(|one| one.id == stat.id) else {
            let next = match self.phase {
                Phase::Finding(next) | Phase::Waiting(next) => next,
                Phase::Comparing(next, _) => Some(next),
                Phase::Unknown | Phase::Reading => None,
            };
            return match next {
                Some(next) if next.id == stat.id => AliasOwner::Other(None),
                _ => AliasOwner::Nobody,
            };
        };
        let current = self.current.as_ref().map(|current| current.id);
        let is_reading = matches!(self.phase, Phase::Unknown | Phase::Reading);
        if self.problem.is_none() || current != Some(stat.id) || !is_reading {
            let is_news = known != Some(generation.offset);
            return AliasOwner::Other(is_news.then(|| Box::new(generation.clone())));
        }
        // One that was asked for by its name goes on where it was when that is back, whatever
        // others have told.
        if self.of_pattern {
            AliasOwner::Lost(number)
        } else {
            AliasOwner::Nobody
        }
    }
}

impl Follower {
    /// A name of a pattern leads to this file; what becomes of it is decided when all names have
    /// been looked at.
    pub(super) fn wait_for_twins(&mut self, number: u32, stat: FileStat) {
        let source = self.source(number);
        let known = source.twin.take().and_then(|twin| twin.known);
        source.twin = Some(FileAlias {
            stat: Some(stat),
            known,
        });
    }

    /// Begins with the files that no other source reads.
    pub(super) fn part_twins(&mut self, now: Duration) {
        let waiting = |(&number, source): (&u32, &FollowedSource)| {
            Some((number, source.twin.as_ref()?.stat?))
        };
        let waiting: Vec<(u32, FileStat)> = self.sources.iter().filter_map(waiting).collect();
        for (number, stat) in waiting {
            let owner = self.owner(number, stat);
            let twin = self.source(number).twin.as_mut();
            let known = match owner {
                AliasOwner::Other(news) => {
                    if let (Some(twin), Some(news)) = (twin, news) {
                        twin.known = Some(*news);
                    }
                    continue;
                }
                AliasOwner::Lost(other) => self.source(other).current.take(),
                AliasOwner::Nobody => twin.and_then(|twin| twin.known.take()),
            };
            self.go_on_as_twin(number, stat, known, now);
        }
    }

    fn owner(&self, number: u32, stat: FileStat) -> AliasOwner {
        if stat.id.dev == 0 {
            // Of a host that cannot tell devices apart.
            return AliasOwner::Nobody;
        }
        let twin = self
            .sources
            .get(&number)
            .and_then(|source| source.twin.as_ref());
        let known = twin.and_then(|twin| twin.known.as_ref());
        let known = known
            .filter(|known| known.id == stat.id)
            .map(|known| known.offset);
        let others = self.sources.iter().filter(|(other, _)| **other != number);
        others
            .map(|(&other, source)| source.owner(other, stat, known))
            .find(|owner| !matches!(owner, AliasOwner::Nobody))
            .unwrap_or(AliasOwner::Nobody)
    }

    fn go_on_as_twin(
        &mut self,
        number: u32,
        stat: FileStat,
        known: Option<FollowedFile>,
        now: Duration,
    ) {
        let source = self.source(number);
        source.twin = None;
        let Some(known) = known
            .filter(|known| known.id == stat.id && known.held.is_none() && known.tail.is_none())
        else {
            return self.begin(number, stat, now);
        };
        let request = source.read_on(known.id, known.offset);
        source.current = Some(FollowedFile {
            watch: source.live,
            ..known
        });
        source.begun = true;
        self.requests.push(request);
    }
}
