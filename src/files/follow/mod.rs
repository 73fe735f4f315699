//! Follows files across whatever happens to them: the decisions, without any I/O.
//!
//! [`Follower`] takes what a driver observed ([`FileObservation`]), and gives what the driver is to
//! do ([`FollowRequest`]) and what has come of it ([`FollowOutcome`]). It outlives connections:
//! after [`Follower::restart`] it goes on where it was.
//!
//! ```text
//!           look                 same file, longer          another file under the name,
//!  Unknown ──────▶ Reading ──────────────────────┐           or the name is gone
//!                    ▲  ▲                        │        ┌──────────────────────────────▶ Finding ─┐
//!                    │  └────── deliver ◀────────┘        │   rewritten in place                    │ found: it
//!                    │                        Reading ────┴──────────────▶ Comparing ──▶ Finding ───┤ becomes old
//!                    │                                                       │ no copy    │ lost    │
//!                    └──────────── the old generation is read to its end ◀───┴── gap ◀────┘ Waiting ◀┘
//! ```
//!
//! An offset is only believed together with a *marker*, the bytes before it. Each read begins at
//! least 1 KiB before the offset; where these bytes are not those we have, the file is not the one
//! we read, whatever its number and size say. (32 bytes are not enough: lines of one program end
//! alike. Inode numbers are reused at once on ext4.)

use std::time::Duration;

use crate::model::cursor::Cursor;
use crate::model::gap::GapReason;
use crate::parse::split::FilePiece;

mod aliases;
mod denied;
mod followed_file;
mod followed_log;
mod followed_source;
mod follower;
mod gone_files;
mod heads;
mod inode_change;
mod known_generations;
mod last_lines;
mod messages;
mod permission;
mod reading;
mod resume;
mod rotated_files;
mod rotation_history;
mod succession;
mod tail;

use followed_file::FollowedFile;
pub use followed_file::MARKER;
#[cfg(test)]
pub(crate) use followed_file::cksum;
pub use followed_log::FollowedLog;
pub use followed_source::StartAt;
use followed_source::{FollowedSource, Phase};
pub use follower::Follower;
use follower::emit;
use last_lines::{FIRST_WINDOW, first_window};
pub use messages::{
    FileFingerprint, FileHead, FileObservation, FileStat, FileUnavailable, FollowOutcome,
    FollowRequest, ListedFile, RotatedSibling, Watch,
};
pub use permission::PermissionBlock;
use reading::FileRead;

/// The most generations of a log that are told apart.
const MOST_LISTED: usize = 20_000;

impl Follower {
    /// Adds a source; `source` is its number, unique on the host.
    pub fn add(&mut self, source: u32, log: FollowedLog, begin: StartAt) {
        let live = self.new_watch(source);
        let followed = FollowedSource::new(log, begin, live);
        self.requests.push(followed.to_be_watched(source));
        self.sources.insert(source, followed);
    }

    /// The same of a file that a pattern has found: it is not told where another source reads it
    /// under another name.
    pub fn add_found(&mut self, source: u32, log: FollowedLog, begin: StartAt) {
        self.add(source, log, begin);
        self.source(source).of_pattern = true;
    }

    /// The log of a source is written to another file from now on: the next day's. What it had
    /// before is read to its end. False where that is so already.
    pub fn move_on(&mut self, source: u32, path: Vec<u8>) -> bool {
        let followed = self.sources.get_mut(&source);
        let Some(followed) = followed.filter(|followed| followed.log.path != path) else {
            return false;
        };
        followed.log.path = path;
        let request = followed.to_be_watched(source);
        self.requests.push(request);
        true
    }

    /// A new connection: nothing is watched there yet, everything is remembered here.
    pub fn restart(&mut self) {
        self.requests.clear();
        for (&number, source) in &mut self.sources {
            self.requests.push(source.to_be_watched(number));
            source.restart();
            let near = source.live;
            let old = source.old.iter();
            self.requests.extend(old.map(|old| old.to_be_found(near)));
        }
    }

    /// The link brings so many bytes in about a second.
    pub fn set_pace(&mut self, bytes: u64) {
        self.slow = (bytes < FIRST_WINDOW).then_some(bytes);
    }

    /// What the script is to do, in this order; each request is given once.
    pub fn take_requests(&mut self) -> Vec<FollowRequest> {
        std::mem::take(&mut self.requests)
    }

    /// What has come of what was seen, in this order; each outcome is given once.
    pub fn take_outcomes(&mut self) -> Vec<FollowOutcome> {
        std::mem::take(&mut self.outcomes)
    }

    /// True where the last poll has brought all that the sources have: none is begun, searched for
    /// or changing hands.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.sources.values().all(|source| {
            source.problem.is_some() || source.is_read_by_another() || source.is_at_rest()
        })
    }

    /// Whether a source is known to have more than was read.
    #[must_use]
    pub fn has_more(&self, source: u32) -> bool {
        let source = self.sources.get(&source);
        source.is_some_and(|source| source.generations().any(|one| !one.at_end))
    }

    /// Ends unfinished last lines, at the end of a bounded pass.
    pub fn finish(&mut self) {
        for (&number, source) in &mut self.sources {
            for generation in source.generations_mut() {
                let mut pieces = Vec::new();
                generation.lines.finish(&mut pieces);
                emit(&mut self.outcomes, number, generation.id, pieces);
            }
        }
    }

    /// Takes in what the script saw at `now`, on any clock that does not go back.
    pub fn see(&mut self, seen: &FileObservation, now: Duration) {
        match *seen {
            FileObservation::Changed(watch, stat) => self.changed(watch, stat, now),
            FileObservation::Read(watch, stat, start, ref bytes) => {
                if !self.pass_over_known(watch, stat, start, bytes) {
                    let read = FileRead::new(watch, stat, start, bytes, now);
                    self.read(&read.within_size());
                }
            }
            FileObservation::Unpacked(watch, stat, start, ref bytes) => {
                self.unpacked(&FileRead::new(watch, stat, start, bytes, now));
            }
            FileObservation::Absent(watch, ref why) => self.absent(watch, why),
            FileObservation::Denied(watch, stat, ref barrier) => {
                self.denied(watch, stat, barrier, now);
            }
            FileObservation::Found(watch, stat) => self.found(watch, stat, now),
            FileObservation::ListedPart(watch, ref siblings) => {
                self.gather_listing(watch, siblings);
            }
            FileObservation::Listed(watch, is_whole, ref siblings) => {
                if let Some(all) = self.gather_listing(watch, siblings) {
                    let all = std::mem::take(all);
                    self.listed(watch, is_whole, &all, now);
                }
            }
            FileObservation::Heads(watch, ref heads) => self.learn_heads(watch, heads),
            FileObservation::Hole(watch, stat, to) => self.hole(watch, stat, to),
            FileObservation::Candidate(watch, stat, start, ref bytes) => {
                self.candidate(watch, stat, start, bytes);
            }
            FileObservation::Compared(watch) => self.compared(watch, now),
            FileObservation::PollEnded => self.poll_ended(now),
        }
    }

    fn unpacked(&mut self, read: &FileRead<'_>) {
        self.recognise_unpacked(read);
        self.read(read);
        let end = read.start + read.bytes.len() as u64;
        self.unpacked_to(read.watch, end, read.stat.size <= end);
    }

    /// All that came so far of a listing. Of very many generations the newest are kept: nothing is
    /// missed of those that were not touched for longest.
    fn gather_listing(
        &mut self,
        watch: Watch,
        listed: &[ListedFile],
    ) -> Option<&mut Vec<RotatedSibling>> {
        let (number, true) = self.lookup(watch)? else {
            return None;
        };
        let source = self.source(number);
        let siblings = listed.iter().filter_map(|file| source.log.sibling(file));
        source.listing.extend(siblings);
        let listing = &mut source.listing;
        if listing.len() > MOST_LISTED {
            listing.sort_by_key(|sibling| std::cmp::Reverse(sibling.stat.changed));
            listing.truncate(MOST_LISTED / 4 * 3);
        }
        Some(listing)
    }

    fn changed(&mut self, watch: Watch, stat: FileStat, now: Duration) {
        let Some((number, is_live)) = self.lookup(watch) else {
            return;
        };
        if !is_live {
            return self.old_changed(number, watch, stat);
        }
        self.set_problem(number, None);
        let source = self.source(number);
        match (source.phase, &source.current) {
            (Phase::Unknown | Phase::Reading, Some(_)) => self.current_changed(number, stat, now),
            (Phase::Unknown | Phase::Reading, None) => self.first_look(number, stat, now),
            (Phase::Finding(_), _) => source.phase = Phase::Finding(Some(stat)),
            (Phase::Comparing(_, best), _) => source.phase = Phase::Comparing(stat, best),
            (Phase::Waiting(_), _) => source.phase = Phase::Waiting(Some(stat)),
        }
    }

    /// The name leads to another file, to a shorter one, or to one to read on in.
    fn current_changed(&mut self, number: u32, stat: FileStat, now: Duration) {
        let source = self.source(number);
        let live = source.live;
        let is_unknown = source.phase == Phase::Unknown;
        let Some(current) = &mut source.current else {
            return;
        };
        let offset = current.offset;
        if is_unknown && current.is_renumbered(stat.id) {
            current.id = stat.id;
            self.changed(live, stat, now);
        } else if current.id != stat.id {
            self.start_finding(number, Some(stat));
        } else if stat.size >= offset {
            let request = source.read_on(stat.id, offset);
            self.requests.push(request);
        } else if !self.was_not_renumbered(number, stat) {
            self.start_comparing(number, stat);
        }
    }

    fn old_changed(&mut self, number: u32, watch: Watch, stat: FileStat) {
        let is_shorter =
            |old: &FollowedFile| old.watch == watch && old.id == stat.id && stat.size < old.offset;
        if self.source(number).old.iter().any(is_shorter) {
            self.old_rewritten(number, watch, GapReason::Truncated);
        } else {
            self.old_moved(number, watch);
        }
    }

    fn first_look(&mut self, number: u32, stat: FileStat, now: Duration) {
        if self.source(number).of_pattern {
            self.wait_for_twins(number, stat);
        } else {
            self.begin(number, stat, now);
        }
    }

    fn begin(&mut self, number: u32, stat: FileStat, now: Duration) {
        let slow = self.slow;
        let source = self.source(number);
        if source.begun {
            return self.activate(number, stat, now);
        }
        match source.begin {
            StartAt::LastLines(want) => {
                self.start_tail(number, stat, want, first_window(want, slow), now);
            }
            StartAt::Start => {
                let start = Cursor {
                    file: stat.id,
                    offset: 0,
                };
                let begun = FollowOutcome::Begun(number, start, Vec::new());
                self.outcomes.push(begun);
                self.activate(number, stat, now);
            }
        }
    }

    /// The file under the name is read from its first byte.
    fn activate(&mut self, number: u32, stat: FileStat, now: Duration) {
        let source = self.source(number);
        for (n, old) in source.old.iter().enumerate() {
            source.lineage.remember(old, n + 1 == source.old.len());
        }
        source.current = Some(FollowedFile::unproven(source.live, stat, now));
        source.begun = true;
        let request = source.read_on(stat.id, 0);
        self.requests.push(request);
    }

    fn start_finding(&mut self, number: u32, next: Option<FileStat>) {
        let watch = self.new_watch(number);
        let source = self.source(number);
        source.give_number_back();
        let Some(current) = &source.current else {
            return;
        };
        source.phase = Phase::Finding(next);
        let request = FollowedFile {
            watch,
            ..current.clone()
        }
        .to_be_found(source.live);
        self.requests.push(request);
    }

    fn start_comparing(&mut self, number: u32, stat: FileStat) {
        let source = self.source(number);
        let Some(current) = &source.current else {
            return;
        };
        source.phase = Phase::Comparing(stat, None);
        let request = FollowRequest::Compare(source.live, current.offset);
        self.requests.push(request);
    }

    fn absent(&mut self, watch: Watch, why: &FileUnavailable) {
        let Some((number, live)) = self.lookup(watch) else {
            return;
        };
        if !live {
            return self.old_absent(number, watch, why);
        }
        let source = self.source(number);
        source.lose_alias();
        let is_missing = *why == FileUnavailable::Missing;
        let is_new = is_missing && source.current.is_none();
        let is_begun = source.begun;
        if is_new {
            // Whatever appears under the name is new from its first byte.
            source.begin = StartAt::Start;
        }
        // The name is gone and nothing took it yet: the file may have been renamed.
        if is_missing && source.may_be_renamed() {
            self.start_finding(number, None);
        }
        if is_new && !is_begun {
            let begun = FollowOutcome::Begun(number, Cursor::default(), Vec::new());
            self.outcomes.push(begun);
        }
        self.set_problem(number, Some(why.clone()));
    }

    fn old_absent(&mut self, number: u32, watch: Watch, why: &FileUnavailable) {
        match why {
            FileUnavailable::Missing => self.old_moved(number, watch),
            // It is still there, where nobody can say.
            FileUnavailable::Failing(_) => {}
            FileUnavailable::Denied(_) | FileUnavailable::Special => {
                self.give_up_old(number, watch);
            }
        }
    }

    fn found(&mut self, watch: Watch, stat: Option<FileStat>, now: Duration) {
        let Some((number, _)) = self.lookup(watch) else {
            return;
        };
        let source = self.source(number);
        if source.old.iter().any(|old| old.watch == watch) {
            return self.old_found(number, watch, stat);
        }
        let (Phase::Finding(next), Some(current)) = (source.phase, &source.current) else {
            return;
        };
        let id = current.id;
        let is_same = |next: &FileStat| next.id == id && current.rewritten.is_none();
        if let Some(next) = next.filter(is_same) {
            // The name has got it back.
            let live = source.live;
            source.phase = Phase::Unknown;
            self.forget(watch);
            return self.changed(live, next, now);
        }
        if stat.is_none_or(|stat| stat.id != id) && self.try_renumbered(number, next) {
            // What was found has the same bytes, and may be a copy.
            return self.forget(watch);
        }
        match stat {
            Some(stat) => self.became_old(number, watch, stat, next, now),
            None => {
                self.watches.remove(&watch);
                self.not_found(number, next, now);
            }
        }
    }

    /// Our generation is nowhere. While nothing has its name it may come back; else it is lost.
    fn not_found(&mut self, number: u32, next: Option<FileStat>, now: Duration) {
        let source = self.source(number);
        let Some(stat) = next else {
            source.phase = Phase::Unknown;
            return;
        };
        let is_unread = |current: &mut FollowedFile| current.offset == 0 && current.held.is_none();
        let current = source.current.as_ref();
        let rewritten = current.and_then(|current| current.rewritten);
        let reason = rewritten.unwrap_or(GapReason::RotatedAway);
        match source.current.take_if(is_unread) {
            // Nothing of it was told: what the next listing has of it is shown from there.
            Some(unread) => source.lineage.seek(unread.stat()),
            None => self.lose_current(number, reason),
        }
        self.activate(number, stat, now);
    }

    /// What the current generation still had is gone: nobody can say how much it was.
    fn lose_current(&mut self, number: u32, reason: GapReason) {
        let Some(mut current) = self.source(number).current.take() else {
            return;
        };
        let tail = current.tail.take();
        let mut pieces = tail.map_or_else(Vec::new, |tail| tail.pieces.into());
        current.release(&mut pieces);
        current.lines.finish(&mut pieces);
        pieces.push(FilePiece::Gap {
            from: current.offset,
            to: None,
            reason,
        });
        emit(&mut self.outcomes, number, current.id, pieces);
        let lineage = &mut self.source(number).lineage;
        lineage.broken();
        match reason {
            GapReason::Truncated => lineage.cut(&current),
            // It may have been on the way from one name to another.
            _ => lineage.remember(&current, false),
        }
    }

    /// Old generations that were read to their end make room for the next; those that rest are
    /// forgotten.
    fn poll_ended(&mut self, now: Duration) {
        let numbers: Vec<u32> = self.sources.keys().copied().collect();
        for number in numbers {
            self.give_up_denied(number, now);
            let source = self.source(number);
            if let Phase::Waiting(next) = source.phase
                && source.old.iter().all(|old| old.at_end)
            {
                match next {
                    Some(stat) => self.activate(number, stat, now),
                    None => source.phase = Phase::Unknown,
                }
            }
            self.forget_rested(number, now);
            self.tell_unfinished(number, now);
        }
        self.part_twins(now);
        self.ask_for_heads(now);
    }

    fn tell_unfinished(&mut self, number: u32, now: Duration) {
        let Some(current) = &mut self.source(number).current else {
            return;
        };
        if let Some((offset, line)) = current.unfinished(now) {
            let id = current.id;
            self.outcomes
                .push(FollowOutcome::Unfinished(number, id, offset, line));
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
