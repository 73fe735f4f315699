//! A host that behaves as `follow.sh` does, and to whose files anything may happen between any two
//! of its steps.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;

use super::super::*;
use crate::model::cursor::FileId;

#[derive(Debug, Clone, Copy)]
pub(super) enum Action {
    Append(u8),
    /// The writer keeps the old file for a while.
    AppendOld(u8),
    Rename,
    /// Both halves of copying and truncating.
    Copy,
    Cut,
    /// Both halves of compressing the newest of the old generations.
    Pack,
    Packed,
    /// The file under the name may not be read.
    Deny,
    /// All may.
    Allow,
}

/// Files by name, and what the script keeps of its watches.
#[derive(Default)]
pub(crate) struct Host {
    pub(crate) files: BTreeMap<String, (u64, Vec<u8>)>,
    pub(super) next_inode: u64,
    /// Stands for the time of change of every file.
    pub(super) changes: usize,
    /// When each inode was changed last.
    pub(super) changed: BTreeMap<u64, usize>,
    pub(super) watches: BTreeMap<Watch, Script>,
    /// A file that we may not read.
    pub(super) denied: Option<String>,
    /// The same by their numbers: the mode goes with the file when it is renamed.
    pub(crate) shut: Vec<u64>,
    /// Newest generation first.
    pub(super) order: Vec<Watch>,
    /// What happens to the files while the script is at work: one of these between any two of its
    /// steps.
    pub(super) meanwhile: VecDeque<Option<Action>>,
    /// Numbers of files that are gone: given to the next ones, as ext4 does.
    pub(super) free: Vec<u64>,
    /// How the log is rotated: by copies, by new names, or either.
    pub(super) rotates: Option<bool>,
    /// Old generations are compressed.
    pub(super) packs: bool,
    /// What compresses a file does not keep its time of change, or only its microseconds.
    pub(super) packs_anew: bool,
    pub(super) packs_roughly: bool,
    /// So many changes fall into one tick of the clock.
    pub(super) tick: usize,
    /// What a tick of the clock counts.
    pub(super) unit: u64,
    /// Number of the file system, beside 1.
    pub(super) dev: u64,
    pub(super) written: u32,
    /// Lines that a rotation destroyed between its copy and its cut.
    pub(super) destroyed: Vec<u32>,
    /// Lines that were written to a generation after it was renamed.
    pub(super) late: Vec<u32>,
    /// Files that are copies, to which nobody writes.
    pub(super) copies: Vec<u64>,
    /// What `log.1` is the copy of, not cut yet: its length.
    pub(super) uncut: Option<usize>,
    /// What was seen, of which the follower has not heard.
    pub(super) told: Vec<FileObservation>,
    /// `log.1` is being compressed: when it had been changed, and whether what comes now is in time
    /// for the archive.
    pub(super) packing: Option<(usize, bool)>,
}

pub(super) struct Script {
    pub(super) path: String,
    pub(super) id: FileId,
    pub(super) offset: u64,
    pub(super) seen: Option<FileStat>,
    pub(super) absent: bool,
    /// It was told that this file is denied.
    pub(super) denied: Option<FileId>,
}

pub(crate) const LOG: &str = "log";

/// From one tick of the clock to the next, in nanoseconds: 4 ms, and never a whole second.
const TICK: u64 = 4_000_001;

/// More generations than any test has: what a rotation removes has tests of its own.
const KEPT: u32 = 99;

impl Host {
    pub(crate) fn create(&mut self, name: &str) {
        let inode = self.free.pop().unwrap_or_else(|| {
            self.next_inode += 1;
            self.next_inode
        });
        self.files.insert(name.to_owned(), (inode, Vec::new()));
        self.copies.retain(|copy| *copy != inode);
        self.shut.retain(|shut| *shut != inode);
        self.touch(inode);
    }

    pub(super) fn touch(&mut self, inode: u64) {
        self.changes += 1;
        self.changed.insert(inode, self.changes);
    }

    pub(crate) fn append(&mut self, name: &str, text: &str) {
        if let Some((inode, bytes)) = self.files.get_mut(name) {
            let inode = *inode;
            bytes.extend_from_slice(text.as_bytes());
            self.touch(inode);
        }
    }

    /// `log.2` to `log.3`, `log.1` to `log.2`.
    pub(super) fn shift(&mut self) {
        self.end_packing();
        if let Some((inode, bytes)) = self.files.remove(&format!("{LOG}.{KEPT}")) {
            self.free.push(inode);
            // What is written to a file that was read to its end, and removed before the next look,
            // leaves no trace.
            let lines = String::from_utf8(bytes).unwrap();
            self.destroyed.extend(
                lines
                    .lines()
                    .filter_map(number)
                    .filter(|line| self.late.contains(line)),
            );
        }
        for (number, ending) in (1..KEPT)
            .rev()
            .flat_map(|number| ["", ".gz"].map(|ending| (number, ending)))
        {
            if let Some(file) = self.files.remove(&format!("{LOG}.{number}{ending}")) {
                self.files
                    .insert(format!("{LOG}.{}{ending}", number + 1), file);
            }
        }
    }

    /// Both are there while a file is compressed, the archive not whole.
    fn start_packing(&mut self, takes_more: bool) {
        let plain = format!("{LOG}.1");
        let Some((inode, bytes)) = self.files.get(&plain).cloned() else {
            return;
        };
        if self.packing.is_some()
            || self.uncut.is_some()
            || self.files.contains_key(&format!("{plain}.gz"))
        {
            return;
        }
        self.packing = Some((self.changed[&inode], takes_more));
        self.create(&format!("{plain}.gz"));
        if let Some(file) = self.files.get_mut(&format!("{plain}.gz")) {
            file.1 = bytes;
            file.1.truncate(if takes_more {
                file.1.len() / 2
            } else {
                file.1.len()
            });
        }
    }

    /// The archive has the time of change of what it was made of, which is removed.
    fn end_packing(&mut self) {
        let Some((changed, takes_more)) = self.packing.take() else {
            return;
        };
        let plain = format!("{LOG}.1");
        let (Some((inode, bytes)), Some(archive)) = (
            self.files.remove(&plain),
            self.files.get_mut(&format!("{plain}.gz")),
        ) else {
            return;
        };
        let is_empty = bytes.is_empty();
        if takes_more {
            archive.1 = bytes;
        } else {
            let lost = String::from_utf8(bytes[archive.1.len()..].to_vec()).unwrap();
            self.destroyed.extend(lost.lines().filter_map(number));
        }
        let archive = archive.0;
        match self.packs_anew {
            true => self.touch(archive),
            false => drop(self.changed.insert(archive, changed)),
        }
        self.shut
            .extend(self.shut.contains(&inode).then_some(archive));
        // A copy that gets the name and the number of an old empty file is taken for what came to
        // that late.
        self.free.extend((!is_empty).then_some(inode));
    }

    pub(crate) fn rename_and_create(&mut self) {
        self.shift();
        if let Some(file) = self.files.remove(LOG) {
            self.files.insert(format!("{LOG}.1"), file);
        }
        self.create(LOG);
    }

    pub(crate) fn copy_and_truncate(&mut self) {
        self.copy();
        self.cut();
    }

    pub(super) fn copy(&mut self) {
        self.shift();
        let Some(bytes) = self.files.get(LOG).map(|file| file.1.clone()) else {
            return;
        };
        self.uncut = Some(bytes.len());
        let name = format!("{LOG}.1");
        self.create(&name);
        if let Some(file) = self.files.get_mut(&name) {
            file.1 = bytes;
            let inode = file.0;
            self.copies.push(inode);
        }
    }

    pub(super) fn cut(&mut self) {
        let Some(length) = self.uncut.take() else {
            return;
        };
        let Some((inode, bytes)) = self.files.get_mut(LOG) else {
            return;
        };
        let inode = *inode;
        let lost = String::from_utf8(bytes.split_off(length)).unwrap();
        bytes.clear();
        self.destroyed.extend(lost.lines().filter_map(number));
        self.touch(inode);
    }

    pub(super) fn stat(&self, name: &str) -> Option<FileStat> {
        let (ino, bytes) = self.files.get(name)?;
        let changed = (self.changed[ino] / self.tick.max(1)) as u64
            * if self.unit == 0 { TICK } else { self.unit };
        let changed = if self.packs_roughly && is_packed(name) {
            changed / 1000 * 1000
        } else {
            changed
        };
        let size = if is_packed(name) {
            bytes.len() as u64 / 4 + 20
        } else {
            bytes.len() as u64
        };
        Some(FileStat {
            id: FileId {
                dev: 1 + self.dev,
                ino: *ino,
            },
            size,
            changed,
        })
    }

    /// Lets something happen.
    pub(super) fn step(&mut self) {
        if let Some(action) = self.meanwhile.pop_front().flatten() {
            self.act(action);
        }
    }

    /// What is beside a name, each with what stat says of it when its turn comes; false where one
    /// went away meanwhile.
    pub(super) fn beside_now(&mut self, prefix: &str) -> (bool, Vec<(String, FileStat)>) {
        let names: Vec<String> = self
            .files
            .keys()
            .filter(|name| name.starts_with(prefix) && *name != prefix)
            .cloned()
            .collect();
        let (count, mut out) = (names.len(), Vec::new());
        for name in names {
            self.step();
            out.extend(self.stat(&name).map(|stat| (name, stat)));
        }
        (out.len() == count, out)
    }

    fn beside(&mut self, prefix: &str) -> Vec<(String, FileStat)> {
        self.beside_now(prefix).1
    }

    pub(super) fn list(&mut self, prefix: &str) -> (bool, Vec<ListedFile>) {
        let sibling = |(name, stat): (String, FileStat)| ListedFile {
            stat,
            name: name.rsplit('/').next().unwrap_or(&name).to_owned().into(),
            target: None,
        };
        let mut had: Option<Vec<ListedFile>> = None;
        for _ in 0..6 {
            let (is_all, listed) = self.beside_now(prefix);
            if !is_all {
                had = None;
                continue;
            }
            let listed: Vec<ListedFile> = listed.into_iter().map(sibling).collect();
            let names = |all: &[ListedFile]| -> Vec<_> {
                let names = all.iter().map(|one| (one.name.clone(), one.stat.id));
                names.collect()
            };
            if had.is_some_and(|had| names(&had) == names(&listed)) {
                return (true, listed);
            }
            had = Some(listed);
        }
        (false, Vec::new())
    }

    /// The file of this number, or the first that has these bytes before the offset.
    pub(super) fn find(
        &mut self,
        prefix: &str,
        id: FileId,
        offset: u64,
        mark: Option<FileFingerprint>,
    ) -> Option<(String, FileStat)> {
        let mut had = Vec::new();
        for _ in 0..6 {
            let beside = self.beside(prefix);
            if let Some(found) = beside.iter().find(|(_, stat)| stat.id == id) {
                return Some(found.clone());
            }
            let has: Vec<_> = beside
                .into_iter()
                .map(|(name, stat)| (name, stat.id))
                .collect();
            if had == has {
                break;
            }
            had = has;
        }
        let mark = mark?;
        let beside = self.beside(prefix);
        let end = usize::try_from(offset).unwrap();
        let is_it = |bytes: &[u8]| {
            let before = bytes.get(end - mark.length..end);
            before.is_some_and(|before| followed_file::cksum(before) == mark.sum)
        };
        let may_be = |name: &str, stat: &FileStat| {
            !is_packed(name) || stat.changed / 1_000_000_000 >= mark.since
        };
        let is_open = |ino: u64| !self.shut.contains(&ino);
        let has_it = |name: &String| {
            self.files
                .get(name)
                .is_some_and(|file| is_open(file.0) && is_it(&file.1))
        };
        beside
            .into_iter()
            .find(|(name, stat)| may_be(name, stat) && has_it(name))
    }

    pub(super) fn act(&mut self, action: Action) {
        let (name, count) = match action {
            Action::Append(count) => (LOG, count),
            Action::AppendOld(count) => ("log.1", count),
            _ => ("", 0),
        };
        // Nobody writes to a copy.
        let is_copy = name == "log.1"
            && self
                .copies
                .contains(&self.files.get(name).map_or(0, |file| file.0));
        if self.files.contains_key(name) && !is_copy {
            let is_empty = self.files[name].1.is_empty();
            for _ in 0..count {
                self.written += 1;
                if name != LOG {
                    self.late.push(self.written);
                    // Whether what comes while it is compressed is in the archive, nobody can say;
                    // nor is it known of the archive of an empty file that a late line was in it.
                    if self.packing.is_some() || (self.packs && is_empty) {
                        self.destroyed.push(self.written);
                    }
                }
                self.append(
                    name,
                    &format!("line {} of many that look alike\n", self.written),
                );
            }
        }
        match action {
            Action::Rename if self.uncut.is_none() && self.rotates != Some(true) => {
                self.rename_and_create();
            }
            Action::Copy if self.uncut.is_none() && self.rotates != Some(false) => self.copy(),
            Action::Cut => self.cut(),
            Action::Pack if self.packs => self.start_packing(self.written.is_multiple_of(2)),
            Action::Packed => self.end_packing(),
            Action::Deny => self.shut.extend(self.files.get(LOG).map(|file| file.0)),
            Action::Allow => self.shut.clear(),
            _ => {}
        }
    }

    /// Does what the follower asks and tells it what comes of it.
    pub(super) fn serve(&mut self, follower: &mut Follower, now: Duration) {
        loop {
            let requests = follower.take_requests();
            if requests.is_empty() {
                return;
            }
            for request in requests {
                for seen in self.answer(&request) {
                    follower.see(&seen, now);
                }
            }
        }
    }

    /// Does one thing that a follower asks: what comes of it.
    pub(crate) fn answer(&mut self, request: &FollowRequest) -> Vec<FileObservation> {
        self.serve_one(request);
        std::mem::take(&mut self.told)
    }

    fn serve_one(&mut self, request: &FollowRequest) {
        match request {
            FollowRequest::Watch { watch, path, .. } => {
                let path = String::from_utf8(path.clone()).unwrap();
                let script = Script {
                    path,
                    id: FileId::default(),
                    offset: 0,
                    seen: None,
                    absent: false,
                    denied: None,
                };
                self.watches.insert(*watch, script);
                self.order.insert(0, *watch);
            }
            FollowRequest::ReadFrom(watch, id, offset) => {
                if let Some(script) = self.watches.get_mut(watch) {
                    (script.id, script.offset, script.seen, script.denied) =
                        (*id, *offset, None, None);
                }
            }
            FollowRequest::Find {
                watch,
                near,
                id,
                offset,
                mark,
            } => {
                let prefix = self.watches[near].path.clone();
                let found = self.find(&prefix, *id, *offset, *mark);
                if let Some((path, stat)) = found.clone() {
                    let script = Script {
                        path,
                        id: stat.id,
                        offset: *offset,
                        seen: None,
                        absent: false,
                        denied: None,
                    };
                    if self.watches.insert(*watch, script).is_none() {
                        let live = self.order.iter().position(|other| other == near).unwrap();
                        self.order.insert(live + 1, *watch);
                    }
                }
                self.told
                    .push(FileObservation::Found(*watch, found.map(|(_, stat)| stat)));
            }
            FollowRequest::List(watch) => {
                let prefix = self.watches[watch].path.clone();
                let (is_whole, listed) = self.list(&prefix);
                self.told
                    .push(FileObservation::Listed(*watch, is_whole, listed));
            }
            FollowRequest::Heads(watch) => {
                let live = self.watches[watch].path.clone();
                let plain = self
                    .beside(&live)
                    .into_iter()
                    .filter(|(name, _)| !is_packed(name));
                let head = |(name, stat): (String, FileStat)| {
                    let (_, bytes) = self
                        .files
                        .get(&name)
                        .filter(|file| !self.shut.contains(&file.0))?;
                    let bytes = &bytes[..bytes.len().min(1024)];
                    Some(FileHead {
                        stat,
                        sum: followed_file::cksum(bytes),
                        length: bytes.len(),
                    })
                };
                let heads = plain.filter_map(head).collect();
                self.told.push(FileObservation::Heads(*watch, heads));
            }
            FollowRequest::Hole(..) => {}
            FollowRequest::Compare(watch, offset) => {
                for (name, stat) in self.beside(&self.watches[watch].path.clone()) {
                    let end = usize::try_from(*offset).unwrap();
                    let file = self.files.get(&name).filter(|_| !is_packed(&name));
                    let Some((_, bytes)) = file.filter(|(ino, _)| !self.shut.contains(ino)) else {
                        continue;
                    };
                    let reaches = bytes.len() >= end;
                    let start = if reaches { end.saturating_sub(1500) } else { 0 };
                    let end = if reaches { end } else { bytes.len().min(4096) };
                    self.told.push(FileObservation::Candidate(
                        *watch,
                        stat,
                        start as u64,
                        Bytes::copy_from_slice(&bytes[start..end]),
                    ));
                }
                self.told.push(FileObservation::Compared(*watch));
            }
            FollowRequest::Forget(watch) => {
                self.watches.remove(watch);
                self.order.retain(|other| other != watch);
            }
        }
    }

    pub(super) fn poll(&mut self, follower: &mut Follower, now: Duration) {
        self.serve(follower, now);
        for seen in self.look_at_all() {
            follower.see(&seen, now);
        }
        follower.see(&FileObservation::PollEnded, now);
        self.serve(follower, now);
    }

    /// One stat of all, newest first, and then a read of each, oldest first.
    pub(crate) fn look_at_all(&mut self) -> Vec<FileObservation> {
        let mut found = Vec::new();
        for watch in self.order.clone() {
            self.step();
            let script = self.watches.get(&watch);
            found.push((watch, script.and_then(|script| self.stat(&script.path))));
        }
        for (watch, stat) in found.into_iter().rev() {
            self.look(watch, stat);
        }
        std::mem::take(&mut self.told)
    }

    fn look(&mut self, watch: Watch, stat: Option<FileStat>) {
        let Some(script) = self.watches.get_mut(&watch) else {
            return;
        };
        let Some(stat) = stat else {
            if !std::mem::replace(&mut script.absent, true) {
                self.told
                    .push(FileObservation::Absent(watch, FileUnavailable::Missing));
            }
            return;
        };
        if self.denied.as_ref() == Some(&script.path) {
            return self.told.push(FileObservation::Denied(
                watch,
                Some(stat),
                PermissionBlock::default(),
            ));
        }
        if self.shut.contains(&stat.id.ino) {
            script.seen = None;
            if script.denied.replace(stat.id) != Some(stat.id) {
                self.told.push(FileObservation::Denied(
                    watch,
                    Some(stat),
                    PermissionBlock::default(),
                ));
            }
            return;
        }
        script.denied = None;
        script.absent = false;
        if script.seen.replace(stat) == Some(stat) {
            return;
        }
        let packed = is_packed(&script.path);
        if stat.id != script.id || (stat.size < script.offset && !packed) {
            return self.told.push(FileObservation::Changed(watch, stat));
        }
        self.step();
        let script = &self.watches[&watch];
        let Some((ino, bytes)) = self
            .files
            .get(&script.path)
            .filter(|file| !self.shut.contains(&file.0))
        else {
            // What cannot be opened after all is looked at again.
            self.watches.get_mut(&watch).unwrap().seen = None;
            return;
        };
        if (script.offset < 1024 || packed) && *ino != stat.id.ino {
            let other = self.stat(&script.path).unwrap();
            return self.told.push(FileObservation::Changed(watch, other));
        }
        let start = usize::try_from(script.offset).unwrap().saturating_sub(1500);
        if packed {
            let text = bytes.get(start..).unwrap_or_default().to_vec();
            let size = (start + text.len()) as u64;
            self.watches.get_mut(&watch).unwrap().seen = None;
            return self.told.push(FileObservation::Unpacked(
                watch,
                FileStat { size, ..stat },
                start as u64,
                text.into(),
            ));
        }
        let end = bytes.len().min(usize::try_from(stat.size).unwrap());
        let bytes = bytes.get(start..end).unwrap_or_default().to_vec();
        let to = stat.size;
        // Where there is too little to compare, what was opened is looked at once more.
        let stat = if script.offset < 1024 {
            self.stat(&script.path).unwrap()
        } else {
            stat
        };
        self.watches.get_mut(&watch).unwrap().offset = to;
        self.told.push(FileObservation::Read(
            watch,
            stat,
            start as u64,
            bytes.into(),
        ));
    }
}

fn is_packed(name: &str) -> bool {
    name.ends_with(".gz")
}

pub(super) fn number(line: &str) -> Option<u32> {
    line.split(' ').nth(1).and_then(|word| word.parse().ok())
}
