//! Following files across whatever happens to them: the decisions, without any I/O.
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

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::model::cursor::{Cursor, FileId};
use crate::model::gap::GapReason;
use crate::parse::split::FilePiece;

mod aliases;
mod denied;
mod followed_file;
mod heads;
mod inode_change;
mod last_lines;
mod messages;
mod permission;
mod reading;
mod resume;
mod rotated_files;
mod rotation_history;
mod succession;
mod tail;

use aliases::FileAlias;
use followed_file::FollowedFile;
pub use followed_file::MARKER;
#[cfg(test)]
pub(crate) use followed_file::cksum;
use heads::KnownHeads;
use inode_change::InodeChange;
use last_lines::{FIRST_WINDOW, first_window};
pub use messages::{
    FileFingerprint, FileHead, FileObservation, FileStat, FileUnavailable, FollowOutcome,
    FollowRequest, RotatedSibling, Watch,
};
pub use permission::PermissionBlock;
use reading::FileRead;
use rotation_history::RotationHistory;

/// Where to begin with a source that is seen first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartAt {
    /// With its last lines.
    LastLines(u32),
    /// With its first byte.
    Start,
}

/// The most generations of a log that are told apart.
const MOST_LISTED: usize = 100_000;

/// Follows any number of sources.
#[derive(Debug, Default)]
pub struct Follower {
    sources: BTreeMap<u32, FollowedSource>,
    watches: BTreeMap<Watch, u32>,
    next_watch: Watch,
    requests: Vec<FollowRequest>,
    outcomes: Vec<FollowOutcome>,
    /// Bytes that may be asked for at once, where the link is slow.
    slow: Option<u64>,
}

#[derive(Debug)]
struct FollowedSource {
    path: Vec<u8>,
    begin: StartAt,
    live: Watch,
    /// The generation under the live name, while it is known.
    current: Option<FollowedFile>,
    phase: Phase,
    /// Generations that lost the name but may still have, or get, bytes; oldest first.
    old: VecDeque<FollowedFile>,
    problem: Option<FileUnavailable>,
    /// The last lines were read (or it began elsewhere).
    begun: bool,
    /// It was told where to read on and has not been read since.
    unread: bool,
    lineage: RotationHistory,
    heads: KnownHeads,
    /// What came so far of a listing that has several parts.
    listing: Vec<RotatedSibling>,
    /// A generation was found next to the name that may be a copy of what the name still has.
    copied: bool,
    renumbered: InodeChange,
    /// It was found by a pattern, and not asked for by its name.
    of_pattern: bool,
    twin: Option<FileAlias>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing is known of the name on this connection.
    Unknown,
    /// The current generation is being read.
    Reading,
    /// Our generation is looked for next to the name; then goes on with what the name stands for,
    /// if anything.
    Finding(Option<FileStat>),
    /// The name's file was rewritten: copies of what it was are being compared. The best candidate
    /// so far.
    Comparing(FileStat, Option<CopiedFile>),
    /// The old generation is read to its end first.
    Waiting(Option<FileStat>),
}

/// A copy of a file that was cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CopiedFile {
    /// It has all that was read.
    Whole(FileId),
    /// It was made before the last of it was written, and has nothing that was not read.
    Before(FileStat),
}

impl Follower {
    /// Adds a source; `source` is its number, unique on the host.
    pub fn add(&mut self, source: u32, path: Vec<u8>, begin: StartAt) {
        let live = self.new_watch(source);
        self.requests.push(FollowRequest::Watch {
            watch: live,
            chain: source,
            path: path.clone(),
        });
        self.sources.insert(
            source,
            FollowedSource {
                path,
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
            },
        );
    }

    /// The same of a file that a pattern has found: it is not told where another source reads it
    /// under another name.
    pub fn add_found(&mut self, source: u32, path: Vec<u8>, begin: StartAt) {
        self.add(source, path, begin);
        self.source(source).of_pattern = true;
    }

    /// A new connection: nothing is watched there yet, everything is remembered here.
    pub fn restart(&mut self) {
        self.requests.clear();
        for (&number, source) in &mut self.sources {
            self.requests.push(FollowRequest::Watch {
                watch: source.live,
                chain: number,
                path: source.path.clone(),
            });
            source.listing.clear();
            // Of an empty file nothing tells whether it is the same when another has its name.
            let lineage = &mut source.lineage;
            source
                .old
                .iter()
                .filter(|old| old.is_empty())
                .for_each(|old| lineage.remember(old, false));
            source.old.retain(|old| !old.is_empty());
            for old in &mut source.old {
                old.rested |= old.at_end;
                old.at_end = false;
                old.held = None;
                old.denied = None;
                self.requests.push(old.to_be_found(source.live));
            }
            if let Some(current) = &mut source.current {
                current.held = None;
            }
            source.heads.restart();
            source.phase = match source.phase {
                Phase::Waiting(next) => Phase::Waiting(next),
                _ => Phase::Unknown,
            };
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
        let is_held = |source: &FollowedSource| {
            source
                .current
                .as_ref()
                .is_some_and(|current| current.held.is_some())
        };
        let at_rest = |source: &FollowedSource| {
            source.begun && source.phase == Phase::Reading && !source.unread && !is_held(source)
        };
        let is_out =
            |source: &FollowedSource| source.problem.is_some() || source.is_read_by_another();
        self.sources
            .values()
            .all(|source| is_out(source) || at_rest(source))
    }

    /// Whether a source is known to have more than was read.
    #[must_use]
    pub fn has_more(&self, source: u32) -> bool {
        let is_short = |generation: &FollowedFile| !generation.at_end;
        self.sources
            .get(&source)
            .is_some_and(|source| source.old.iter().chain(&source.current).any(is_short))
    }

    /// Ends unfinished last lines, at the end of a bounded pass.
    pub fn finish(&mut self) {
        for (&number, source) in &mut self.sources {
            for generation in source.old.iter_mut().chain(&mut source.current) {
                let mut pieces = Vec::new();
                generation.lines.finish(&mut pieces);
                emit(&mut self.outcomes, number, generation.id, pieces);
            }
        }
    }

    /// Takes in what the script saw at `now`, on any clock that does not go back.
    pub fn see(&mut self, seen: &FileObservation, now: Duration) {
        let read = |watch, stat, start, bytes| FileRead {
            watch,
            stat,
            start,
            bytes,
            now,
        };
        match *seen {
            FileObservation::Changed(watch, stat) => self.changed(watch, stat, now),
            FileObservation::Read(watch, stat, start, ref bytes) => {
                if !self.pass_over_known(watch, stat, start, bytes) {
                    self.read(&read(watch, stat, start, bytes).within_size());
                }
            }
            FileObservation::Unpacked(watch, stat, start, ref bytes) => {
                self.unpacked(&read(watch, stat, start, bytes));
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
                let all = self.gather_listing(watch, siblings).map(std::mem::take);
                if let Some(all) = all {
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
        siblings: &[RotatedSibling],
    ) -> Option<&mut Vec<RotatedSibling>> {
        let (number, true) = self.lookup(watch)? else {
            return None;
        };
        let listing = &mut self.source(number).listing;
        listing.extend_from_slice(siblings);
        if listing.len() > MOST_LISTED {
            listing.sort_by_key(|sibling| std::cmp::Reverse(sibling.stat.changed));
            listing.truncate(MOST_LISTED / 4 * 3);
        }
        Some(listing)
    }

    fn new_watch(&mut self, source: u32) -> Watch {
        self.next_watch += 1;
        self.watches.insert(self.next_watch, source);
        self.next_watch
    }

    /// The source of a watch, and whether the watch is its live name.
    fn lookup(&self, watch: Watch) -> Option<(u32, bool)> {
        let number = *self.watches.get(&watch)?;
        Some((number, self.sources.get(&number)?.live == watch))
    }

    fn source(&mut self, number: u32) -> &mut FollowedSource {
        self.sources.get_mut(&number).expect("looked up before")
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

    /// The name stands for another file, for a shorter one, or for one to read on in.
    fn current_changed(&mut self, number: u32, stat: FileStat, now: Duration) {
        let source = self.source(number);
        let is_unknown = source.phase == Phase::Unknown;
        let Some(current) = &mut source.current else {
            return;
        };
        if is_unknown && current.is_renumbered(stat.id) {
            current.id = stat.id;
            let live = source.live;
            self.changed(live, stat, now);
        } else if current.id != stat.id {
            self.start_finding(number, Some(stat));
        } else if stat.size < current.offset {
            if !self.was_not_renumbered(number, stat) {
                self.start_comparing(number, stat);
            }
        } else {
            let request = FollowRequest::ReadFrom(source.live, current.id, current.offset);
            source.phase = Phase::Reading;
            source.unread = true;
            self.requests.push(request);
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
        match self.source(number).of_pattern {
            true => self.wait_for_twins(number, stat),
            false => self.begin(number, stat, now),
        }
    }

    fn begin(&mut self, number: u32, stat: FileStat, now: Duration) {
        let slow = self.slow;
        let source = self.source(number);
        match source.begin {
            StartAt::LastLines(want) if !source.begun => {
                self.start_tail(number, stat, want, first_window(want, slow), now);
            }
            _ => {
                if !source.begun {
                    self.outcomes.push(FollowOutcome::Begun(
                        number,
                        Cursor {
                            file: stat.id,
                            offset: 0,
                        },
                        Vec::new(),
                    ));
                }
                self.activate(number, stat, now);
            }
        }
    }

    /// What the name stands for is read from its first byte.
    fn activate(&mut self, number: u32, stat: FileStat, now: Duration) {
        let source = self.source(number);
        for (n, old) in source.old.iter().enumerate() {
            source.lineage.remember(old, n + 1 == source.old.len());
        }
        source.current = Some(FollowedFile::unproven(source.live, stat, now));
        source.phase = Phase::Reading;
        source.unread = true;
        source.begun = true;
        let request = FollowRequest::ReadFrom(source.live, stat.id, 0);
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
            return match why {
                FileUnavailable::Missing => self.old_moved(number, watch),
                // It is still there, where nobody can say.
                FileUnavailable::Failing(_) => {}
                FileUnavailable::Denied(_) | FileUnavailable::Special => {
                    self.give_up_old(number, watch);
                }
            };
        }
        let mut is_new = false;
        let source = self.source(number);
        source.twin.iter_mut().for_each(|twin| twin.stat = None);
        if *why == FileUnavailable::Missing && source.current.is_none() {
            // Whatever appears under the name is new from its first byte.
            source.begin = StartAt::Start;
            is_new = !source.begun;
        }
        // The name is gone and nothing took it yet: the file may have been renamed.
        let is_known = |current: &FollowedFile| source.phase == Phase::Reading || current.recalled;
        let is_free = matches!(source.phase, Phase::Reading | Phase::Unknown);
        if *why == FileUnavailable::Missing
            && is_free
            && source.current.as_ref().is_some_and(is_known)
        {
            self.start_finding(number, None);
        }
        if is_new {
            self.outcomes
                .push(FollowOutcome::Begun(number, Cursor::default(), Vec::new()));
        }
        self.set_problem(number, Some(why.clone()));
    }

    fn found(&mut self, watch: Watch, stat: Option<FileStat>, now: Duration) {
        let Some((number, _)) = self.lookup(watch) else {
            return;
        };
        let source = self.source(number);
        if source.old.iter().any(|old| old.watch == watch) {
            return self.old_found(number, watch, stat);
        }
        let Phase::Finding(next) = source.phase else {
            return;
        };
        let Some(current) = &source.current else {
            return;
        };
        if let Some(next) = next.filter(|next| next.id == current.id && current.rewritten.is_none())
        {
            // The name has got it back.
            source.phase = Phase::Unknown;
            self.forget(watch);
            let live = self.source(number).live;
            return self.changed(live, next, now);
        }
        if stat.is_none_or(|stat| stat.id != current.id) && self.try_renumbered(number, next) {
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
        let reason = source
            .current
            .as_ref()
            .and_then(|current| current.rewritten)
            .unwrap_or(GapReason::RotatedAway);
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
        let mut pieces = current
            .tail
            .take()
            .map(|tail| tail.pieces.into())
            .unwrap_or_default();
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

    fn forget(&mut self, watch: Watch) {
        self.watches.remove(&watch);
        self.requests.push(FollowRequest::Forget(watch));
    }

    fn set_problem(&mut self, number: u32, problem: Option<FileUnavailable>) {
        let source = self.source(number);
        if source.problem != problem {
            source.problem.clone_from(&problem);
            self.outcomes.push(FollowOutcome::Problem(number, problem));
        }
    }
}

fn emit(outcomes: &mut Vec<FollowOutcome>, number: u32, id: FileId, pieces: Vec<FilePiece>) {
    if !pieces.is_empty() {
        outcomes.push(FollowOutcome::Pieces(number, id, pieces));
    }
}

#[cfg(test)]
pub(crate) mod tests;
