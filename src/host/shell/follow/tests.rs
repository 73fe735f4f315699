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
}

struct Script {
    path: String,
    id: FileId,
    offset: u64,
    seen: Option<(Stat, usize)>,
    absent: bool,
}

const LOG: &str = "log";

impl Host {
    fn create(&mut self, name: &str) {
        self.next_inode += 1;
        self.files.insert(name.to_owned(), (self.next_inode, Vec::new()));
        self.touch(self.next_inode);
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
        for number in (1..9).rev() {
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
        self.shift();
        let Some(bytes) = self.files.get_mut(LOG).map(|file| std::mem::take(&mut file.1)) else { return };
        self.create(&format!("{LOG}.1"));
        self.touch(self.files[LOG].0);
        self.files.insert(format!("{LOG}.1"), (self.next_inode, bytes));
    }

    fn stat(&self, name: &str) -> Option<Stat> {
        let (ino, bytes) = self.files.get(name)?;
        Some(Stat { id: FileId { dev: 1, ino: *ino }, size: bytes.len() as u64 })
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
            Request::Find { watch, near, id, offset } => {
                let prefix = self.watches[near].path.clone();
                let found = self
                    .files
                    .iter()
                    .find(|(name, file)| name.starts_with(&prefix) && **name != prefix && file.0 == id.ino);
                let stat = found.and_then(|(name, _)| self.stat(name));
                if let Some((name, _)) = found {
                    let script = Script { path: name.clone(), id: *id, offset: *offset, seen: None, absent: false };
                    if self.watches.insert(*watch, script).is_none() {
                        let live = self.order.iter().position(|other| other == near).unwrap();
                        self.order.insert(live + 1, *watch);
                    }
                }
                let newer = found.map_or_else(Vec::new, |(_, file)| self.newer(&prefix, file.0));
                follower.see(&Seen::Found(*watch, stat, newer), now);
            }
            Request::Compare(watch, offset) => {
                let live = &self.watches[watch].path;
                let beside = self.files.iter().filter(|(name, _)| name.starts_with(live) && *name != live);
                for (name, (_, bytes)) in beside {
                    let end = usize::try_from(*offset).unwrap();
                    if bytes.len() >= end {
                        let start = end.saturating_sub(1500);
                        let stat = self.stat(name).unwrap();
                        follower.see(&Seen::Candidate(*watch, stat, start as u64, &bytes[start..end]), now);
                    }
                }
                follower.see(&Seen::Compared(*watch), now);
            }
            Request::Forget(watch) => {
                self.watches.remove(watch);
                self.order.retain(|other| other != watch);
            }
        }
    }

    /// The files beside `path` that changed after that one, oldest first.
    fn newer(&self, path: &str, inode: u64) -> Vec<Stat> {
        let beside = self.files.iter().filter(|(name, _)| name.starts_with(path) && *name != path);
        let mut newer: Vec<_> = beside.filter(|(_, file)| self.changed[&file.0] > self.changed[&inode]).collect();
        newer.sort_by_key(|(_, file)| self.changed[&file.0]);
        newer.into_iter().filter_map(|(name, _)| self.stat(name)).collect()
    }

    fn poll(&mut self, follower: &mut Follower, now: Duration) {
        self.serve(follower, now);
        for watch in self.order.clone().into_iter().rev() {
            self.look(follower, watch, now);
        }
        follower.see(&Seen::PollEnded, now);
        self.serve(follower, now);
    }

    fn look(&mut self, follower: &mut Follower, watch: Watch, now: Duration) {
        let Some(script) = self.watches.get(&watch) else { return };
        let Some(stat) = self.stat(&script.path) else {
            if !std::mem::replace(&mut self.watches.get_mut(&watch).unwrap().absent, true) {
                follower.see(&Seen::Absent(watch, Absence::Missing), now);
            }
            return;
        };
        if self.denied.as_ref() == Some(&script.path) {
            return follower.see(&Seen::Absent(watch, Absence::Denied), now);
        }
        let bytes = self.files[&script.path].1.clone();
        let script = self.watches.get_mut(&watch).unwrap();
        script.absent = false;
        if script.seen.replace((stat, self.changes)) == Some((stat, self.changes)) {
            return;
        }
        if stat.id != script.id || stat.size < script.offset {
            follower.see(&Seen::Changed(watch, stat), now);
            return;
        }
        let start = usize::try_from(script.offset).unwrap().saturating_sub(1500);
        script.offset = stat.size;
        follower.see(&Seen::Read(watch, stat, start as u64, &bytes[start..]), now);
    }
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
    poll_twice(&mut host, &mut follower);
    (host, follower)
}

fn poll_twice(host: &mut Host, follower: &mut Follower) {
    for _ in 0..4 {
        host.poll(follower, Duration::ZERO);
    }
}

#[test]
fn it_begins_with_the_last_lines_and_goes_on_with_new_ones() {
    let (mut host, mut follower) = start("one\ntwo\nthree\nfo", Begin::LastLines(2));
    assert_eq!(told(&mut follower), ["two", "three"]);
    assert!(follower.all_begun());
    host.append(LOG, "ur\nfive\n");
    poll_twice(&mut host, &mut follower);
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
    poll_twice(&mut host, &mut follower);
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
    poll_twice(&mut host, &mut follower);
    host.append("log.1", "late\n");
    host.append(LOG, "e\n");
    poll_twice(&mut host, &mut follower);
    assert_eq!(told(&mut follower), ["a", "b", "c", "d", "late", "e"]);
}

#[test]
fn a_copied_and_truncated_file_is_read_from_its_copy_first() {
    let (mut host, mut follower) = start("a\n", Begin::Start);
    host.append(LOG, "b\n");
    host.copy_and_truncate();
    host.append(LOG, "longer than all before\n");
    poll_twice(&mut host, &mut follower);
    assert_eq!(told(&mut follower), ["a", "b", "longer than all before"]);
}

#[test]
fn a_truncated_file_without_a_copy_leaves_a_gap() {
    let (mut host, mut follower) = start("a\nb\n", Begin::Start);
    host.files.get_mut(LOG).unwrap().1.clear();
    host.append(LOG, "c\n");
    poll_twice(&mut host, &mut follower);
    assert_eq!(told(&mut follower), ["a", "b", "gap: truncated", "c"]);
}

#[test]
fn a_file_rewritten_longer_is_noticed_by_its_bytes() {
    let (mut host, mut follower) = start("aaaa\n", Begin::Start);
    host.files.get_mut(LOG).unwrap().1 = b"rewritten, and longer\n".to_vec();
    poll_twice(&mut host, &mut follower);
    assert_eq!(told(&mut follower), ["aaaa", "gap: truncated", "rewritten, and longer"]);
}

#[test]
fn a_deleted_and_recreated_file_leaves_a_gap_even_with_the_same_inode() {
    let (mut host, mut follower) = start("aaaa\n", Begin::Start);
    let inode = host.files[LOG].0;
    host.files.remove(LOG);
    poll_twice(&mut host, &mut follower);
    host.files.insert(LOG.to_owned(), (inode, b"bbbb\ncc\n".to_vec()));
    poll_twice(&mut host, &mut follower);
    assert_eq!(told(&mut follower), ["aaaa", "gap: truncated", "bbbb", "cc"]);
}

#[test]
fn a_file_that_was_away_and_came_back_is_read_on() {
    let (mut host, mut follower) = start("a\n", Begin::Start);
    let file = host.files.remove(LOG).unwrap();
    poll_twice(&mut host, &mut follower);
    host.files.insert(LOG.to_owned(), file);
    host.append(LOG, "b\n");
    poll_twice(&mut host, &mut follower);
    assert_eq!(told(&mut follower), ["a", "b"]);
}

#[test]
fn a_file_that_is_renamed_with_no_successor_is_read_on_and_its_successor_from_the_start() {
    let (mut host, mut follower) = start("a\n", Begin::LastLines(5));
    let file = host.files.remove(LOG).unwrap();
    host.files.insert("log.1".to_owned(), file);
    host.append("log.1", "b\n");
    poll_twice(&mut host, &mut follower);
    host.create(LOG);
    host.append(LOG, "c\n");
    poll_twice(&mut host, &mut follower);
    assert_eq!(told(&mut follower), ["a", "b", "c"]);
}

#[test]
fn a_file_that_appears_later_is_read_from_its_first_byte() {
    let mut host = Host::default();
    let mut follower = Follower::default();
    follower.add(0, LOG.into(), Begin::LastLines(1));
    poll_twice(&mut host, &mut follower);
    assert_eq!(follower.take_outcomes(), [Outcome::Problem(0, Some(Absence::Missing))]);
    host.create(LOG);
    host.append(LOG, "a\nb\n");
    poll_twice(&mut host, &mut follower);
    assert_eq!(told(&mut follower), ["a", "b"]);
}

#[test]
fn after_a_lost_connection_it_goes_on_where_it_was_through_two_rotations() {
    let (mut host, mut follower) = start("a\n", Begin::LastLines(5));
    host.append(LOG, "b\nhal");
    poll_twice(&mut host, &mut follower);
    host.append(LOG, "f\n");
    host.rename_and_create();
    host.append(LOG, "d\n");
    (host.watches, host.order) = Default::default();
    follower.restart();
    poll_twice(&mut host, &mut follower);
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
    poll_twice(&mut host, &mut follower);
    assert_eq!(told(&mut follower), ["a", "b", "c", "d", "e"]);
}

#[test]
fn an_old_generation_that_may_not_be_read_any_more_holds_up_nobody() {
    let (mut host, mut follower) = start("a\n", Begin::Start);
    host.append(LOG, "b\n");
    host.rename_and_create();
    host.append(LOG, "c\n");
    host.denied = Some("log.1".to_owned());
    poll_twice(&mut host, &mut follower);
    assert_eq!(told(&mut follower), ["a", "gap: rotated-away", "c"]);
}

#[test]
fn an_old_generation_that_is_truncated_holds_up_nobody() {
    let (mut host, mut follower) = start("a\n", Begin::Start);
    host.append(LOG, "b\n");
    host.rename_and_create();
    host.append(LOG, "c\n");
    host.files.get_mut("log.1").unwrap().1.clear();
    poll_twice(&mut host, &mut follower);
    assert_eq!(told(&mut follower), ["a", "gap: truncated", "c"]);
}

#[test]
fn an_old_generation_whose_name_went_to_another_file_before_the_read_is_looked_for_again() {
    let (mut host, mut follower) = start("a\n", Begin::Start);
    host.rename_and_create();
    poll_twice(&mut host, &mut follower);
    host.append("log.1", "late\n");
    let (watch, stat) = (*host.order.last().unwrap(), host.stat("log.1").unwrap());
    host.rename_and_create();
    follower.see(&Seen::Read(watch, stat, 0, b"of another file\n"), Duration::ZERO);
    poll_twice(&mut host, &mut follower);
    assert_eq!(told(&mut follower), ["a", "late"]);
    follower.see(&Seen::Read(watch, stat, 0, b"of another file\n"), Duration::ZERO);
    follower.see(&Seen::Read(watch, stat, 0, b"of another file\n"), Duration::ZERO);
    assert_eq!(told(&mut follower), ["gap: truncated"], "it is the same file, and has other bytes");
}

#[test]
fn an_old_generation_is_forgotten_when_it_has_rested_long_enough() {
    let (mut host, mut follower) = start("a\n", Begin::Start);
    host.rename_and_create();
    poll_twice(&mut host, &mut follower);
    assert_eq!(host.watches.len(), 2);
    host.poll(&mut follower, OLD_GENERATION_WAIT * 2);
    host.poll(&mut follower, OLD_GENERATION_WAIT * 2);
    assert_eq!(host.watches.len(), 1);
}

#[derive(Debug, Clone, Copy)]
enum Action {
    Append(u8),
    /// The writer keeps the old file for a while.
    AppendOld(u8),
    Rename,
    CopyTruncate,
    Poll,
    Reconnect,
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        6 => (1u8..40).prop_map(Action::Append),
        1 => (1u8..4).prop_map(Action::AppendOld),
        1 => Just(Action::Rename),
        1 => Just(Action::CopyTruncate),
        6 => Just(Action::Poll),
        1 => Just(Action::Reconnect),
    ]
}

proptest! {
    /// With a look between being truncated and being rotated again nothing is lost, nothing is told twice and no line is torn.
    #[test]
    fn every_line_is_told_once_whatever_happens_to_the_file(actions in prop::collection::vec(action(), 1..80)) {
        let (mut host, mut follower) = start("", Begin::Start);
        let (mut written, mut renamed, mut copied) = (0u32, false, false);
        for action in actions {
            let (name, count) = match action {
                Action::Append(count) => (LOG, count),
                Action::AppendOld(count) if renamed => {
                    poll_twice(&mut host, &mut follower);
                    ("log.1", count)
                }
                _ => ("", 0),
            };
            for _ in 0..count {
                written += 1;
                host.append(name, &format!("line {written} of many that look alike\n"));
            }
            match action {
                Action::Rename => {
                    if std::mem::take(&mut copied) {
                        poll_twice(&mut host, &mut follower);
                    }
                    host.rename_and_create();
                    renamed = true;
                }
                Action::CopyTruncate => {
                    poll_twice(&mut host, &mut follower);
                    host.copy_and_truncate();
                    (renamed, copied) = (false, true);
                }
                Action::Poll => host.poll(&mut follower, Duration::ZERO),
                Action::Reconnect => {
                    (host.watches, host.order) = Default::default();
                    follower.restart();
                }
                _ => {}
            }
        }
        poll_twice(&mut host, &mut follower);
        let mut numbers: Vec<u32> = Vec::new();
        for line in told(&mut follower) {
            if line.starts_with("gap") {
                continue;
            }
            let number = line.split(' ').nth(1).and_then(|word| word.parse().ok());
            prop_assert_eq!(&line, &format!("line {} of many that look alike", number.unwrap_or(0)));
            numbers.extend(number);
        }
        numbers.sort_unstable();
        prop_assert_eq!(numbers, (1..=written).collect::<Vec<_>>());
    }
}
