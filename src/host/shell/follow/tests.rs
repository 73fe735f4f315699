//! The follower against a host that behaves as `follow.sh` does, whose files are rotated in every way.

use super::*;
use proptest::prelude::*;

/// Files by name, and what the script keeps of its watches.
#[derive(Default)]
struct Host {
    files: BTreeMap<String, (u64, Vec<u8>)>,
    next_inode: u64,
    /// Stands for the time of change of every file.
    changes: usize,
    /// When each inode was changed last.
    changed: BTreeMap<u64, usize>,
    watches: BTreeMap<Watch, Script>,
    /// A file that we may not read.
    denied: Option<String>,
    /// Newest generation first.
    order: Vec<Watch>,
    /// What happens to the files while the script is at work: one of these between any two of its steps.
    meanwhile: VecDeque<Option<Action>>,
    /// Numbers of files that are gone: given to the next ones, as ext4 does.
    free: Vec<u64>,
    /// So many changes fall into one tick of the clock.
    tick: usize,
    written: u32,
    /// Lines that a rotation destroyed between its copy and its cut.
    destroyed: Vec<u32>,
    /// Lines that were written to a generation after it was renamed.
    late: Vec<u32>,
    /// Files that are copies, to which nobody writes.
    copies: Vec<u64>,
    /// What `log.1` is the copy of, not cut yet: its length.
    uncut: Option<usize>,
}

struct Script {
    path: String,
    id: FileId,
    offset: u64,
    seen: Option<Stat>,
    absent: bool,
}

const LOG: &str = "log";

/// More generations than any test has: what a rotation removes has tests of its own.
const KEPT: u32 = 99;

impl Host {
    fn create(&mut self, name: &str) {
        let inode = self.free.pop().unwrap_or_else(|| {
            self.next_inode += 1;
            self.next_inode
        });
        self.files.insert(name.to_owned(), (inode, Vec::new()));
        self.copies.retain(|copy| *copy != inode);
        self.touch(inode);
    }

    fn touch(&mut self, inode: u64) {
        self.changes += 1;
        self.changed.insert(inode, self.changes);
    }

    fn append(&mut self, name: &str, text: &str) {
        if let Some((inode, bytes)) = self.files.get_mut(name) {
            let inode = *inode;
            bytes.extend_from_slice(text.as_bytes());
            self.touch(inode);
        }
    }

    /// `log.2` to `log.3`, `log.1` to `log.2`.
    fn shift(&mut self) {
        if let Some((inode, bytes)) = self.files.remove(&format!("{LOG}.{KEPT}")) {
            self.free.push(inode);
            // What is written to a file that was read to its end, and removed before the next look, leaves no trace.
            let lines = String::from_utf8(bytes).unwrap();
            self.destroyed.extend(lines.lines().filter_map(number).filter(|line| self.late.contains(line)));
        }
        for number in (1..KEPT).rev() {
            if let Some(file) = self.files.remove(&format!("{LOG}.{number}")) {
                self.files.insert(format!("{LOG}.{}", number + 1), file);
            }
        }
    }

    fn rename_and_create(&mut self) {
        self.shift();
        if let Some(file) = self.files.remove(LOG) {
            self.files.insert(format!("{LOG}.1"), file);
        }
        self.create(LOG);
    }

    fn copy_and_truncate(&mut self) {
        self.copy();
        self.cut();
    }

    fn copy(&mut self) {
        self.shift();
        let Some(bytes) = self.files.get(LOG).map(|file| file.1.clone()) else { return };
        self.uncut = Some(bytes.len());
        let name = format!("{LOG}.1");
        self.create(&name);
        if let Some(file) = self.files.get_mut(&name) {
            file.1 = bytes;
            let inode = file.0;
            self.copies.push(inode);
        }
    }

    fn cut(&mut self) {
        let Some(length) = self.uncut.take() else { return };
        let Some((inode, bytes)) = self.files.get_mut(LOG) else { return };
        let inode = *inode;
        let lost = String::from_utf8(bytes.split_off(length)).unwrap();
        bytes.clear();
        self.destroyed.extend(lost.lines().filter_map(number));
        self.touch(inode);
    }

    fn stat(&self, name: &str) -> Option<Stat> {
        let (ino, bytes) = self.files.get(name)?;
        let changed = (self.changed[ino] / self.tick.max(1)) as u64;
        Some(Stat { id: FileId { dev: 1, ino: *ino }, size: bytes.len() as u64, changed })
    }

    /// Lets something happen.
    fn step(&mut self) {
        if let Some(action) = self.meanwhile.pop_front().flatten() {
            self.act(action);
        }
    }

    /// What is beside a name, each with what stat says of it when its turn comes.
    fn beside(&mut self, prefix: &str) -> Vec<(String, Stat)> {
        let names: Vec<String> =
            self.files.keys().filter(|name| name.starts_with(prefix) && *name != prefix).cloned().collect();
        let mut out = Vec::new();
        for name in names {
            self.step();
            out.extend(self.stat(&name).map(|stat| (name, stat)));
        }
        out
    }

    fn list(&mut self, prefix: &str) -> (bool, Vec<Sibling>) {
        let sibling = |(name, stat): (String, Stat)| Sibling { stat, name: name[prefix.len()..].into(), packed: false };
        let mut had: Option<Vec<Sibling>> = None;
        for _ in 0..6 {
            let listed: Vec<Sibling> = self.beside(prefix).into_iter().map(sibling).collect();
            let names = |all: &[Sibling]| all.iter().map(|one| (one.name.clone(), one.stat.id)).collect::<Vec<_>>();
            if had.is_some_and(|had| names(&had) == names(&listed)) {
                return (true, listed);
            }
            had = Some(listed);
        }
        (false, Vec::new())
    }

    /// The file of this number, or the first that has these bytes before the offset.
    fn find(&mut self, prefix: &str, id: FileId, offset: u64, mark: Option<Mark>) -> Option<(String, Stat)> {
        for _ in 0..2 {
            let beside = self.beside(prefix);
            if let Some(found) = beside.into_iter().find(|(_, stat)| stat.id == id) {
                return Some(found);
            }
        }
        let mark = mark?;
        let end = usize::try_from(offset).unwrap();
        let is_it = |bytes: &[u8]| {
            let before = bytes.get(end - mark.length..end);
            before.is_some_and(|before| generation::cksum(before) == mark.sum)
        };
        self.beside(prefix).into_iter().find(|(name, _)| self.files.get(name).is_some_and(|file| is_it(&file.1)))
    }

    fn act(&mut self, action: Action) {
        let (name, count) = match action {
            Action::Append(count) => (LOG, count),
            Action::AppendOld(count) => ("log.1", count),
            _ => ("", 0),
        };
        // Nobody writes to a copy.
        let is_copy = name == "log.1" && self.copies.contains(&self.files.get(name).map_or(0, |file| file.0));
        if self.files.contains_key(name) && !is_copy {
            for _ in 0..count {
                self.written += 1;
                if name != LOG {
                    self.late.push(self.written);
                }
                self.append(name, &format!("line {} of many that look alike\n", self.written));
            }
        }
        match action {
            Action::Rename if self.uncut.is_none() => self.rename_and_create(),
            Action::Copy if self.uncut.is_none() => self.copy(),
            Action::Cut => self.cut(),
            _ => {}
        }
    }

    /// Does what the follower asks and tells it what comes of it.
    fn serve(&mut self, follower: &mut Follower, now: Duration) {
        loop {
            let requests = follower.take_requests();
            if requests.is_empty() {
                return;
            }
            for request in requests {
                self.serve_one(follower, &request, now);
            }
        }
    }

    fn serve_one(&mut self, follower: &mut Follower, request: &Request, now: Duration) {
        match request {
            Request::Watch { watch, path, .. } => {
                let path = String::from_utf8(path.clone()).unwrap();
                let script = Script { path, id: FileId::default(), offset: 0, seen: None, absent: false };
                self.watches.insert(*watch, script);
                self.order.insert(0, *watch);
            }
            Request::ReadFrom(watch, id, offset) => {
                if let Some(script) = self.watches.get_mut(watch) {
                    (script.id, script.offset, script.seen) = (*id, *offset, None);
                }
            }
            Request::Find { watch, near, id, offset, mark } => {
                let prefix = self.watches[near].path.clone();
                let found = self.find(&prefix, *id, *offset, *mark);
                if let Some((path, stat)) = found.clone() {
                    let script = Script { path, id: stat.id, offset: *offset, seen: None, absent: false };
                    if self.watches.insert(*watch, script).is_none() {
                        let live = self.order.iter().position(|other| other == near).unwrap();
                        self.order.insert(live + 1, *watch);
                    }
                }
                follower.see(&Seen::Found(*watch, found.map(|(_, stat)| stat)), now);
            }
            Request::List(watch) => {
                let prefix = self.watches[watch].path.clone();
                let (is_whole, listed) = self.list(&prefix);
                follower.see(&Seen::Listed(*watch, is_whole, listed), now);
            }
            Request::Hole(..) => {}
            Request::Compare(watch, offset) => {
                let live = self.watches[watch].path.clone();
                for (name, stat) in self.beside(&live) {
                    let end = usize::try_from(*offset).unwrap();
                    let Some((_, bytes)) = self.files.get(&name) else { continue };
                    let reaches = bytes.len() >= end;
                    let start = if reaches { end.saturating_sub(1500) } else { 0 };
                    let end = if reaches { end } else { bytes.len().min(4096) };
                    follower.see(&Seen::Candidate(*watch, stat, start as u64, &bytes[start..end]), now);
                }
                follower.see(&Seen::Compared(*watch), now);
            }
            Request::Forget(watch) => {
                self.watches.remove(watch);
                self.order.retain(|other| other != watch);
            }
        }
    }

    fn poll(&mut self, follower: &mut Follower, now: Duration) {
        self.serve(follower, now);
        // One stat of all, newest first, and then a read of each, oldest first.
        let mut seen = Vec::new();
        for watch in self.order.clone() {
            self.step();
            seen.push((watch, self.watches.get(&watch).and_then(|script| self.stat(&script.path))));
        }
        for (watch, stat) in seen.into_iter().rev() {
            self.look(follower, watch, stat, now);
        }
        follower.see(&Seen::PollEnded, now);
        self.serve(follower, now);
    }

    fn look(&mut self, follower: &mut Follower, watch: Watch, stat: Option<Stat>, now: Duration) {
        let Some(script) = self.watches.get_mut(&watch) else { return };
        let Some(stat) = stat else {
            if !std::mem::replace(&mut script.absent, true) {
                follower.see(&Seen::Absent(watch, Absence::Missing), now);
            }
            return;
        };
        if self.denied.as_ref() == Some(&script.path) {
            return follower.see(&Seen::Absent(watch, Absence::Denied), now);
        }
        script.absent = false;
        if script.seen.replace(stat) == Some(stat) {
            return;
        }
        if stat.id != script.id || stat.size < script.offset {
            return follower.see(&Seen::Changed(watch, stat), now);
        }
        self.step();
        let script = &self.watches[&watch];
        let Some((ino, bytes)) = self.files.get(&script.path) else { return };
        if script.offset < 1024 && *ino != stat.id.ino {
            let other = self.stat(&script.path).unwrap();
            return follower.see(&Seen::Changed(watch, other), now);
        }
        let start = usize::try_from(script.offset).unwrap().saturating_sub(1500);
        let end = bytes.len().min(usize::try_from(stat.size).unwrap());
        let bytes = bytes.get(start..end).unwrap_or_default().to_vec();
        self.watches.get_mut(&watch).unwrap().offset = stat.size;
        follower.see(&Seen::Read(watch, stat, start as u64, &bytes), now);
    }
}

fn number(line: &str) -> Option<u32> {
    line.split(' ').nth(1).and_then(|word| word.parse().ok())
}

/// Lines and gaps as text, in the order in which they were told.
fn told(follower: &mut Follower) -> Vec<String> {
    let mut out = Vec::new();
    for outcome in follower.take_outcomes() {
        let Outcome::Pieces(_, _, pieces) = outcome else { continue };
        out.extend(pieces.iter().map(|piece| match piece {
            Piece::Line { bytes, .. } => String::from_utf8_lossy(bytes).into_owned(),
            Piece::Gap { reason, .. } => format!("gap: {}", reason.as_str()),
        }));
    }
    out
}

fn start(text: &str, begin: Begin) -> (Host, Follower) {
    let mut host = Host::default();
    host.create(LOG);
    host.append(LOG, text);
    let mut follower = Follower::default();
    follower.add(0, LOG.into(), begin);
    settle(&mut host, &mut follower);
    (host, follower)
}

fn settle(host: &mut Host, follower: &mut Follower) {
    for _ in 0..12 {
        host.poll(follower, Duration::ZERO);
    }
}

#[test]
fn it_begins_with_the_last_lines_and_goes_on_with_new_ones() {
    let (mut host, mut follower) = start("one\ntwo\nthree\nfo", Begin::LastLines(2));
    assert_eq!(told(&mut follower), ["two", "three"]);
    assert!(follower.all_begun());
    host.append(LOG, "ur\nfive\n");
    settle(&mut host, &mut follower);
    assert_eq!(told(&mut follower), ["four", "five"]);
}

#[test]
fn a_line_under_way_is_told_once_it_has_waited_and_again_when_it_grew() {
    let (mut host, mut follower) = start("one\n", Begin::Start);
    told(&mut follower);
    let mut under_way = |text: &str, ms: u64| {
        host.append(LOG, text);
        host.poll(&mut follower, Duration::from_millis(ms));
        let outcomes = follower.take_outcomes().into_iter();
        let line = |outcome| match outcome {
            Outcome::Unfinished(0, _, offset, line) => Some((offset, line)),
            _ => None,
        };
        outcomes.filter_map(line).collect::<Vec<_>>()
    };
    let line = |text: &'static str| vec![(4, bytes::Bytes::from_static(text.as_bytes()))];
    assert_eq!(under_way("tw", 1000), []);
    assert_eq!(under_way("", 1400), []);
    assert_eq!(under_way("", 1500), line("tw"));
    assert_eq!(under_way("", 9000), []);
    assert_eq!(under_way("o", 9100), []);
    assert_eq!(under_way("", 9900), line("two"));
    assert_eq!(under_way("\n", 19_900), []);
}

#[test]
fn it_is_settled_only_when_all_that_is_there_has_been_told() {
    let mut host = Host::default();
    host.create(LOG);
    host.append(LOG, "one\n");
    let mut follower = Follower::default();
    follower.add(0, LOG.into(), Begin::LastLines(5));
    let mut before = 0;
    while !follower.is_settled() {
        assert_eq!(told(&mut follower), Vec::<String>::new(), "nothing is told before it is settled");
        host.poll(&mut follower, Duration::ZERO);
        before += 1;
        assert!(before < 5, "{follower:?}");
    }
    assert_eq!(told(&mut follower), ["one"]);
    host.rename_and_create();
    host.poll(&mut follower, Duration::ZERO);
    assert!(!follower.is_settled(), "the old generation may have more");
    settle(&mut host, &mut follower);
    assert!(follower.is_settled());
}

#[test]
fn last_lines_longer_than_the_first_window_are_found_further_back() {
    let long = "x".repeat(50_000);
    let text: String = (0..20).map(|n| format!("{n} {long}\n")).collect();
    let (_, mut follower) = start(&text, Begin::LastLines(10));
    let lines = told(&mut follower);
    assert_eq!(lines.len(), 10);
    assert!(lines[0].starts_with("10 ") && lines[9].starts_with("19 "), "{:.20} {:.20}", lines[0], lines[9]);
}

#[test]
fn a_renamed_file_is_read_to_its_end_before_the_new_one() {
    let (mut host, mut follower) = start("a\n", Begin::Start);
    host.append(LOG, "b\n");
    host.rename_and_create();
    host.append("log.1", "c\n");
    host.append(LOG, "d\n");
    settle(&mut host, &mut follower);
    host.append("log.1", "late\n");
    host.append(LOG, "e\n");
    settle(&mut host, &mut follower);
    assert_eq!(told(&mut follower), ["a", "b", "c", "d", "late", "e"]);
}

#[test]
fn a_copied_and_truncated_file_is_read_from_its_copy_first() {
    let (mut host, mut follower) = start("a\n", Begin::Start);
    host.append(LOG, "b\n");
    host.copy_and_truncate();
    host.append(LOG, "longer than all before\n");
    settle(&mut host, &mut follower);
    assert_eq!(told(&mut follower), ["a", "b", "longer than all before"]);
}

#[test]
fn a_truncated_file_without_a_copy_leaves_a_gap() {
    let (mut host, mut follower) = start("a\nb\n", Begin::Start);
    host.files.get_mut(LOG).unwrap().1.clear();
    host.append(LOG, "c\n");
    settle(&mut host, &mut follower);
    assert_eq!(told(&mut follower), ["a", "b", "gap: truncated", "c"]);
}

#[test]
fn a_file_rewritten_longer_is_noticed_by_its_bytes() {
    let (mut host, mut follower) = start("aaaa\n", Begin::Start);
    host.files.get_mut(LOG).unwrap().1 = b"rewritten, and longer\n".to_vec();
    settle(&mut host, &mut follower);
    assert_eq!(told(&mut follower), ["aaaa", "gap: truncated", "rewritten, and longer"]);
}

#[test]
fn a_deleted_and_recreated_file_leaves_a_gap_even_with_the_same_inode() {
    let (mut host, mut follower) = start("aaaa\n", Begin::Start);
    let inode = host.files[LOG].0;
    host.files.remove(LOG);
    settle(&mut host, &mut follower);
    host.files.insert(LOG.to_owned(), (inode, b"bbbb\ncc\n".to_vec()));
    settle(&mut host, &mut follower);
    assert_eq!(told(&mut follower), ["aaaa", "gap: truncated", "bbbb", "cc"]);
}

#[test]
fn a_file_that_was_away_and_came_back_is_read_on() {
    let (mut host, mut follower) = start("a\n", Begin::Start);
    let file = host.files.remove(LOG).unwrap();
    settle(&mut host, &mut follower);
    host.files.insert(LOG.to_owned(), file);
    host.append(LOG, "b\n");
    settle(&mut host, &mut follower);
    assert_eq!(told(&mut follower), ["a", "b"]);
}

#[test]
fn a_file_that_is_renamed_with_no_successor_is_read_on_and_its_successor_from_the_start() {
    let (mut host, mut follower) = start("a\n", Begin::LastLines(5));
    let file = host.files.remove(LOG).unwrap();
    host.files.insert("log.1".to_owned(), file);
    host.append("log.1", "b\n");
    settle(&mut host, &mut follower);
    host.create(LOG);
    host.append(LOG, "c\n");
    settle(&mut host, &mut follower);
    assert_eq!(told(&mut follower), ["a", "b", "c"]);
}

#[test]
fn a_file_that_appears_later_is_read_from_its_first_byte() {
    let mut host = Host::default();
    let mut follower = Follower::default();
    follower.add(0, LOG.into(), Begin::LastLines(1));
    settle(&mut host, &mut follower);
    assert_eq!(follower.take_outcomes(), [Outcome::Problem(0, Some(Absence::Missing))]);
    host.create(LOG);
    host.append(LOG, "a\nb\n");
    settle(&mut host, &mut follower);
    assert_eq!(told(&mut follower), ["a", "b"]);
}

#[test]
fn after_a_lost_connection_it_goes_on_where_it_was_through_two_rotations() {
    let (mut host, mut follower) = start("a\n", Begin::LastLines(5));
    host.append(LOG, "b\nhal");
    settle(&mut host, &mut follower);
    host.append(LOG, "f\n");
    host.rename_and_create();
    host.append(LOG, "d\n");
    (host.watches, host.order) = Default::default();
    follower.restart();
    settle(&mut host, &mut follower);
    assert_eq!(told(&mut follower), ["a", "b", "half", "d"]);
}

#[test]
fn generations_that_came_and_went_between_two_looks_are_read_in_their_order() {
    let (mut host, mut follower) = start("a\n", Begin::Start);
    host.append(LOG, "b\n");
    for line in ["c\n", "d\n", "e\n"] {
        host.rename_and_create();
        host.append(LOG, line);
    }
    settle(&mut host, &mut follower);
    assert_eq!(told(&mut follower), ["a", "b", "c", "d", "e"]);
}

#[test]
fn an_old_generation_that_may_not_be_read_any_more_holds_up_nobody() {
    let (mut host, mut follower) = start("a\n", Begin::Start);
    host.append(LOG, "b\n");
    host.rename_and_create();
    host.append(LOG, "c\n");
    host.denied = Some("log.1".to_owned());
    settle(&mut host, &mut follower);
    assert_eq!(told(&mut follower), ["a", "gap: rotated-away", "c"]);
}

#[test]
fn an_old_generation_that_is_truncated_holds_up_nobody() {
    let (mut host, mut follower) = start("a\n", Begin::Start);
    host.append(LOG, "b\n");
    host.rename_and_create();
    host.append(LOG, "c\n");
    host.files.get_mut("log.1").unwrap().1.clear();
    settle(&mut host, &mut follower);
    assert_eq!(told(&mut follower), ["a", "gap: truncated", "c"]);
}

#[test]
fn an_old_generation_whose_name_went_to_another_file_before_the_read_is_looked_for_again() {
    let (mut host, mut follower) = start("a\n", Begin::Start);
    host.rename_and_create();
    settle(&mut host, &mut follower);
    host.append("log.1", "late\n");
    let (watch, stat) = (*host.order.last().unwrap(), host.stat("log.1").unwrap());
    host.rename_and_create();
    follower.see(&Seen::Read(watch, stat, 0, b"of another file\n"), Duration::ZERO);
    settle(&mut host, &mut follower);
    assert_eq!(told(&mut follower), ["a", "late"]);
    host.files.get_mut("log.2").unwrap().1 = b"of another file\n".to_vec();
    host.touch(stat.id.ino);
    settle(&mut host, &mut follower);
    assert_eq!(told(&mut follower), Vec::<String>::new(), "it was read to its end before");
}

#[test]
fn an_old_generation_is_forgotten_when_it_has_rested_long_enough() {
    let (mut host, mut follower) = start("a\n", Begin::Start);
    host.rename_and_create();
    settle(&mut host, &mut follower);
    assert_eq!(host.watches.len(), 2);
    host.poll(&mut follower, OLD_GENERATION_WAIT * 2);
    host.poll(&mut follower, OLD_GENERATION_WAIT * 2);
    assert_eq!(host.watches.len(), 1);
}

#[test]
fn a_generation_that_was_written_to_late_hides_none_that_came_after_it() {
    let (mut host, mut follower) = start("a\n", Begin::Start);
    host.rename_and_create();
    host.append(LOG, "c\n");
    host.rename_and_create();
    host.append(LOG, "d\n");
    host.append("log.2", "late\n");
    settle(&mut host, &mut follower);
    assert_eq!(told(&mut follower), ["a", "late", "c", "d"]);
}

#[test]
fn lines_that_come_to_a_generation_after_it_was_forgotten_are_told_at_the_next_rotation() {
    let (mut host, mut follower) = start("a\n", Begin::Start);
    host.rename_and_create();
    host.append(LOG, "b\n");
    settle(&mut host, &mut follower);
    host.poll(&mut follower, OLD_GENERATION_WAIT * 2);
    host.poll(&mut follower, OLD_GENERATION_WAIT * 2);
    host.append("log.1", "very late\n");
    settle(&mut host, &mut follower);
    assert_eq!(told(&mut follower), ["a", "b"]);
    host.rename_and_create();
    host.append(LOG, "c\n");
    settle(&mut host, &mut follower);
    assert_eq!(told(&mut follower), ["very late", "c"]);
}

#[test]
fn what_stood_in_an_empty_file_that_was_copied_and_cut_before_the_next_look_is_read_from_the_copy() {
    let (mut host, mut follower) = start("a\n", Begin::Start);
    host.copy_and_truncate();
    settle(&mut host, &mut follower);
    for line in ["b\n", "c\n", "d\n"] {
        host.append(LOG, line);
        host.copy_and_truncate();
    }
    host.append(LOG, "e\n");
    settle(&mut host, &mut follower);
    assert_eq!(told(&mut follower), ["a", "b", "c", "d", "e"]);
}

#[test]
fn a_file_that_was_copied_and_cut_and_then_renamed_is_read_from_its_copy() {
    let (mut host, mut follower) = start("a\n", Begin::Start);
    host.append(LOG, "b\n");
    host.copy_and_truncate();
    host.append(LOG, "c, and longer than all before it\n");
    host.rename_and_create();
    host.append(LOG, "d\n");
    settle(&mut host, &mut follower);
    assert_eq!(told(&mut follower), ["a", "b", "c, and longer than all before it", "d"]);
}

#[test]
fn a_copy_that_is_seen_before_its_original_is_cut_is_told_once() {
    let (mut host, mut follower) = start("a\n", Begin::Start);
    host.rename_and_create();
    host.append(LOG, "b\n");
    host.meanwhile = [None, None, None, Some(Action::Copy)].into();
    settle(&mut host, &mut follower);
    host.append(LOG, "c\n");
    settle(&mut host, &mut follower);
    assert_eq!(told(&mut follower), ["a", "b", "c"]);
    host.uncut = Some(4);
    host.cut();
    host.append(LOG, "d\n");
    settle(&mut host, &mut follower);
    assert_eq!(told(&mut follower).last().map(String::as_str), Some("d"));
}

#[test]
fn where_the_generation_before_is_gone_others_may_be_too_and_that_is_one_gap() {
    let (mut host, mut follower) = start("a\n", Begin::Start);
    host.append(LOG, "b\n");
    host.rename_and_create();
    // Its end is read, and then all old ones are removed before the next is looked at.
    host.poll(&mut follower, Duration::ZERO);
    host.poll(&mut follower, Duration::ZERO);
    host.files.remove("log.1");
    host.files.remove(LOG);
    host.create(LOG);
    host.append(LOG, "d\n");
    settle(&mut host, &mut follower);
    assert_eq!(told(&mut follower), ["a", "b", "gap: rotated-away", "d"]);
}

#[derive(Debug, Clone, Copy)]
enum Action {
    Append(u8),
    /// The writer keeps the old file for a while.
    AppendOld(u8),
    Rename,
    /// Both halves of copying and truncating.
    Copy,
    Cut,
}

#[derive(Debug, Clone)]
enum Turn {
    Act(Action),
    /// A look, and what happens between its steps.
    Poll(Vec<Option<Action>>),
    Reconnect,
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        6 => (1u8..40).prop_map(Action::Append),
        1 => (1u8..4).prop_map(Action::AppendOld),
        1 => Just(Action::Rename),
        1 => Just(Action::Copy),
        2 => Just(Action::Cut),
    ]
}

fn turn() -> impl Strategy<Value = Turn> {
    let meanwhile = prop::collection::vec(prop::option::weighted(0.25, action()), 0..30);
    prop_oneof![
        9 => action().prop_map(Turn::Act),
        6 => meanwhile.prop_map(Turn::Poll),
        1 => Just(Turn::Reconnect),
    ]
}

proptest! {
    /// Files are moved, copied and cut off between any two steps of the script, and clocks are coarse: each line is
    /// told once and whole, or is in a gap.
    #[test]
    fn every_line_is_told_once_or_is_in_a_gap_whatever_happens_and_when(
        turns in prop::collection::vec(turn(), 1..80),
        tick in 1usize..60,
    ) {
        let (mut host, mut follower) = start("", Begin::Start);
        host.tick = tick;
        for turn in turns {
            match turn {
                Turn::Act(action) => host.act(action),
                Turn::Poll(meanwhile) => {
                    host.meanwhile = meanwhile.into();
                    host.poll(&mut follower, Duration::ZERO);
                    host.meanwhile.clear();
                }
                Turn::Reconnect => {
                    (host.watches, host.order) = Default::default();
                    follower.restart();
                }
            }
        }
        host.cut();
        // What a coarse clock hides, and lines that came late to a file that was empty, the next generation shows.
        host.act(Action::Rename);
        host.act(Action::Append(1));
        (0..20).for_each(|_| host.poll(&mut follower, Duration::ZERO));
        let (mut numbers, mut gaps) = (Vec::new(), 0);
        for line in told(&mut follower) {
            if line.starts_with("gap") {
                gaps += 1;
                continue;
            }
            let number = number(&line);
            prop_assert_eq!(&line, &format!("line {} of many that look alike", number.unwrap_or(0)));
            numbers.extend(number);
        }
        numbers.sort_unstable();
        let twice: Vec<_> = numbers.windows(2).filter(|pair| pair[0] == pair[1]).collect();
        prop_assert!(twice.is_empty(), "twice: {:?}", twice);
        // Each gap is for lines that stood together, but for those that the rotation itself destroyed.
        let untold = |n: &u32| numbers.binary_search(n).is_err() && !host.destroyed.contains(n);
        let missing: Vec<u32> = (1..=host.written).filter(untold).collect();
        let told_or_missing: Vec<u32> = (1..=host.written).filter(|n| !host.destroyed.contains(n) || !untold(n)).collect();
        let runs = told_or_missing.chunk_by(|one, next| missing.contains(one) == missing.contains(next));
        let runs = runs.filter(|run| missing.contains(&run[0])).count();
        prop_assert!(runs <= gaps, "untold {:?} of {}, and {} gaps", missing, host.written, gaps);
    }
}
