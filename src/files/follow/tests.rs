//! The follower against a host that behaves as `follow.sh` does, whose files are rotated in every
//! way.

use super::rotated_files::OLD_GENERATION_WAIT;
use super::*;
use proptest::prelude::*;

mod heads;
pub(crate) mod host;
mod resume;

use host::{Action, Host, LOG, number};

/// Lines and gaps as text, in the order in which they were told.
fn told(follower: &mut Follower) -> Vec<String> {
    let mut out = Vec::new();
    for outcome in follower.take_outcomes() {
        let FollowOutcome::Pieces(_, _, pieces) = outcome else {
            continue;
        };
        out.extend(pieces.iter().map(|piece| match piece {
            FilePiece::Line { bytes, .. } => String::from_utf8_lossy(bytes).into_owned(),
            FilePiece::Gap { reason, .. } => format!("gap: {}", reason.as_str()),
        }));
    }
    out
}

fn start(text: &str, begin: StartAt) -> (Host, Follower) {
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
    let (mut host, mut follower) = start("one\ntwo\nthree\nfo", StartAt::LastLines(2));
    assert_eq!(told(&mut follower), ["two", "three"]);
    assert!(follower.is_settled());
    host.append(LOG, "ur\nfive\n");
    settle(&mut host, &mut follower);
    assert_eq!(told(&mut follower), ["four", "five"]);
}

#[test]
fn a_line_under_way_is_told_once_it_has_waited_and_again_when_it_grew() {
    let (mut host, mut follower) = start("one\n", StartAt::Start);
    told(&mut follower);
    let mut under_way = |text: &str, ms: u64| {
        host.append(LOG, text);
        host.poll(&mut follower, Duration::from_millis(ms));
        let outcomes = follower.take_outcomes().into_iter();
        let line = |outcome| match outcome {
            FollowOutcome::Unfinished(0, _, offset, line) => Some((offset, line)),
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
    follower.add(0, LOG.into(), StartAt::LastLines(5));
    let mut before = 0;
    while !follower.is_settled() {
        assert_eq!(
            told(&mut follower),
            Vec::<String>::new(),
            "nothing is told before it is settled"
        );
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
    let (_, mut follower) = start(&text, StartAt::LastLines(10));
    let lines = told(&mut follower);
    assert_eq!(lines.len(), 10);
    assert!(
        lines[0].starts_with("10 ") && lines[9].starts_with("19 "),
        "{:.20} {:.20}",
        lines[0],
        lines[9]
    );
}

#[test]
fn a_renamed_file_is_read_to_its_end_before_the_new_one() {
    let (mut host, mut follower) = start("a\n", StartAt::Start);
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
    let (mut host, mut follower) = start("a\n", StartAt::Start);
    host.append(LOG, "b\n");
    host.copy_and_truncate();
    host.append(LOG, "longer than all before\n");
    settle(&mut host, &mut follower);
    assert_eq!(told(&mut follower), ["a", "b", "longer than all before"]);
}

#[test]
fn a_truncated_file_without_a_copy_leaves_a_gap() {
    let (mut host, mut follower) = start("a\nb\n", StartAt::Start);
    host.files.get_mut(LOG).unwrap().1.clear();
    host.append(LOG, "c\n");
    settle(&mut host, &mut follower);
    assert_eq!(told(&mut follower), ["a", "b", "gap: truncated", "c"]);
}

#[test]
fn a_file_rewritten_longer_is_noticed_by_its_bytes() {
    let (mut host, mut follower) = start("aaaa\n", StartAt::Start);
    host.files.get_mut(LOG).unwrap().1 = b"rewritten, and longer\n".to_vec();
    settle(&mut host, &mut follower);
    assert_eq!(
        told(&mut follower),
        ["aaaa", "gap: truncated", "rewritten, and longer"]
    );
}

#[test]
fn a_deleted_and_recreated_file_leaves_a_gap_even_with_the_same_inode() {
    let (mut host, mut follower) = start("aaaa\n", StartAt::Start);
    let inode = host.files[LOG].0;
    host.files.remove(LOG);
    settle(&mut host, &mut follower);
    host.files
        .insert(LOG.to_owned(), (inode, b"bbbb\ncc\n".to_vec()));
    settle(&mut host, &mut follower);
    assert_eq!(
        told(&mut follower),
        ["aaaa", "gap: truncated", "bbbb", "cc"]
    );
}

#[test]
fn a_file_that_was_away_and_came_back_is_read_on() {
    let (mut host, mut follower) = start("a\n", StartAt::Start);
    let file = host.files.remove(LOG).unwrap();
    settle(&mut host, &mut follower);
    host.files.insert(LOG.to_owned(), file);
    host.append(LOG, "b\n");
    settle(&mut host, &mut follower);
    assert_eq!(told(&mut follower), ["a", "b"]);
}

#[test]
fn a_file_that_is_renamed_with_no_successor_is_read_on_and_its_successor_from_the_start() {
    let (mut host, mut follower) = start("a\n", StartAt::LastLines(5));
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
    follower.add(0, LOG.into(), StartAt::LastLines(1));
    settle(&mut host, &mut follower);
    assert_eq!(
        follower.take_outcomes(),
        [
            FollowOutcome::Begun(0, Cursor::default(), Vec::new()),
            FollowOutcome::Problem(0, Some(FileUnavailable::Missing))
        ]
    );
    host.create(LOG);
    host.append(LOG, "a\nb\n");
    settle(&mut host, &mut follower);
    assert_eq!(told(&mut follower), ["a", "b"]);
}

#[test]
fn after_a_lost_connection_it_goes_on_where_it_was_through_two_rotations() {
    let (mut host, mut follower) = start("a\n", StartAt::LastLines(5));
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
    let (mut host, mut follower) = start("a\n", StartAt::Start);
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
    let (mut host, mut follower) = start("a\n", StartAt::Start);
    host.append(LOG, "b\n");
    host.rename_and_create();
    host.append(LOG, "c\n");
    host.denied = Some("log.1".to_owned());
    settle(&mut host, &mut follower);
    assert_eq!(told(&mut follower), ["a"], "others wait for it a little");
    host.poll(&mut follower, Duration::from_secs(4));
    settle(&mut host, &mut follower);
    assert_eq!(told(&mut follower), ["gap: rotated-away", "c"]);
}

#[test]
fn an_old_generation_that_may_be_read_again_in_time_is_read_first() {
    let (mut host, mut follower) = start("a\n", StartAt::Start);
    host.append(LOG, "b\n");
    host.rename_and_create();
    host.append(LOG, "c\n");
    host.denied = Some("log.1".to_owned());
    settle(&mut host, &mut follower);
    // It moves on meanwhile.
    host.rename_and_create();
    host.append(LOG, "d\n");
    host.denied = Some("log.2".to_owned());
    settle(&mut host, &mut follower);
    host.denied = None;
    settle(&mut host, &mut follower);
    assert_eq!(told(&mut follower), ["a", "b", "c", "d"]);
}

#[test]
fn while_the_name_is_denied_nobody_waits_for_an_old_generation_that_is_denied_too() {
    let (mut host, mut follower) = start("a\n", StartAt::Start);
    host.append(LOG, "b\n");
    let old = host.stat(LOG).unwrap();
    host.rename_and_create();
    host.append(LOG, "c\n");
    let watch = host.order[0];
    follower.see(
        &FileObservation::Denied(watch, host.stat(LOG), PermissionBlock::default()),
        Duration::ZERO,
    );
    host.denied = Some("log.1".to_owned());
    host.serve(&mut follower, Duration::ZERO);
    let old_watch = *host.order.last().unwrap();
    assert_eq!(host.watches[&old_watch].id, old.id);
    for seconds in 0..100 {
        follower.see(
            &FileObservation::Denied(old_watch, Some(old), PermissionBlock::default()),
            Duration::from_secs(seconds),
        );
        follower.see(&FileObservation::PollEnded, Duration::from_secs(seconds));
    }
    host.denied = None;
    settle(&mut host, &mut follower);
    assert_eq!(told(&mut follower), ["a", "b", "c"]);
}

#[test]
fn an_old_generation_that_is_truncated_holds_up_nobody() {
    let (mut host, mut follower) = start("a\n", StartAt::Start);
    host.append(LOG, "b\n");
    host.rename_and_create();
    host.append(LOG, "c\n");
    host.files.get_mut("log.1").unwrap().1.clear();
    settle(&mut host, &mut follower);
    assert_eq!(told(&mut follower), ["a", "gap: truncated", "c"]);
}

#[test]
fn an_old_generation_whose_name_went_to_another_file_before_the_read_is_looked_for_again() {
    let (mut host, mut follower) = start("a\n", StartAt::Start);
    host.rename_and_create();
    settle(&mut host, &mut follower);
    host.append("log.1", "late\n");
    let (watch, stat) = (*host.order.last().unwrap(), host.stat("log.1").unwrap());
    host.rename_and_create();
    follower.see(
        &FileObservation::Read(
            watch,
            stat,
            0,
            bytes::Bytes::from_static(b"of another file\n"),
        ),
        Duration::ZERO,
    );
    settle(&mut host, &mut follower);
    assert_eq!(told(&mut follower), ["a", "late"]);
    host.files.get_mut("log.2").unwrap().1 = b"of another file\n".to_vec();
    host.touch(stat.id.ino);
    settle(&mut host, &mut follower);
    assert_eq!(
        told(&mut follower),
        Vec::<String>::new(),
        "it was read to its end before"
    );
}

#[test]
fn an_old_generation_is_forgotten_when_it_has_rested_long_enough() {
    let (mut host, mut follower) = start("a\n", StartAt::Start);
    host.rename_and_create();
    settle(&mut host, &mut follower);
    assert_eq!(host.watches.len(), 2);
    host.poll(&mut follower, OLD_GENERATION_WAIT * 2);
    host.poll(&mut follower, OLD_GENERATION_WAIT * 2);
    assert_eq!(host.watches.len(), 1);
}

#[test]
fn a_generation_that_was_written_to_late_hides_none_that_came_after_it() {
    let (mut host, mut follower) = start("a\n", StartAt::Start);
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
    let (mut host, mut follower) = start("a\n", StartAt::Start);
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
fn what_stood_in_an_empty_file_that_was_copied_and_cut_before_the_next_look_is_read_from_the_copy()
{
    let (mut host, mut follower) = start("a\n", StartAt::Start);
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
    let (mut host, mut follower) = start("a\n", StartAt::Start);
    host.append(LOG, "b\n");
    host.copy_and_truncate();
    host.append(LOG, "c, and longer than all before it\n");
    host.rename_and_create();
    host.append(LOG, "d\n");
    settle(&mut host, &mut follower);
    assert_eq!(
        told(&mut follower),
        ["a", "b", "c, and longer than all before it", "d"]
    );
}

#[test]
fn a_copy_that_is_seen_before_its_original_is_cut_is_told_once() {
    let (mut host, mut follower) = start("a\n", StartAt::Start);
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
fn whenever_a_generation_is_compressed_it_is_read_once_and_there_is_no_gap() {
    for (seen, found) in (0..8).flat_map(|seen| (0..8).map(move |found| (seen, found))) {
        let (mut host, mut follower) = start("a\n", StartAt::Start);
        host.packs = true;
        host.rename_and_create();
        (0..seen).for_each(|_| host.poll(&mut follower, Duration::ZERO));
        host.append(LOG, "b\n");
        host.rename_and_create();
        (0..found).for_each(|_| host.poll(&mut follower, Duration::ZERO));
        host.act(Action::Pack);
        host.act(Action::Packed);
        host.append(LOG, "c\n");
        settle(&mut host, &mut follower);
        assert_eq!(
            told(&mut follower),
            ["a", "b", "c"],
            "{seen} looks, and {found}"
        );
    }
}

#[test]
fn where_the_generation_before_is_gone_others_may_be_too_and_that_is_one_gap() {
    let (mut host, mut follower) = start("a\n", StartAt::Start);
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
        2 => Just(Action::Pack),
        2 => Just(Action::Packed),
        1 => Just(Action::Deny),
        1 => Just(Action::Allow),
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
    /// Files are moved, or copied and cut off, between any two steps of the script, and clocks are
    /// coarse: each line is told once and whole, or is in a gap.
    #[test]
    fn every_line_is_told_once_or_is_in_a_gap_whatever_happens_and_when(
        turns in prop::collection::vec(turn(), 1..80),
        tick in 1usize..60,
        copies in any::<bool>(),
        packs in any::<bool>(),
        packs_anew in any::<bool>(),
    ) {
        // Copies that are compressed at once get the numbers of those before them, and nothing
        // tells them apart.
        let packs = packs && !copies;
        // Where numbers of files are used again, a clock that stands still would make two files the
        // same.
        let tick = if packs { 1 } else { tick };
        let host = Host { tick, rotates: Some(copies), packs, packs_anew, ..Host::default() };
        assert_told_once(host, turns);
    }
}

#[test]
fn a_generation_that_was_found_in_its_archive_and_lost_there_is_not_told_again() {
    let quiet = |steps| Turn::Poll(vec![None; steps]);
    let host = Host {
        tick: 1,
        rotates: Some(false),
        packs: true,
        packs_anew: true,
        ..Host::default()
    };
    let turns = vec![
        Turn::Act(Action::Rename),
        Turn::Poll(vec![Some(Action::Append(7))]),
        quiet(3),
        quiet(5),
        Turn::Act(Action::Rename),
        quiet(4),
        Turn::Reconnect,
        Turn::Act(Action::Pack),
        Turn::Poll(vec![None, Some(Action::Packed)]),
        Turn::Reconnect,
        Turn::Poll(vec![Some(Action::Rename), None, Some(Action::Rename)]),
    ];
    assert_told_once(host, turns);
}

/// Follows a log through these turns: each line of it is told once and whole, or is in a gap.
fn assert_told_once(mut host: Host, turns: Vec<Turn>) {
    host.create(LOG);
    let mut follower = Follower::default();
    follower.add(0, LOG.into(), StartAt::Start);
    settle(&mut host, &mut follower);
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
    host.act(Action::Packed);
    host.act(Action::Allow);
    // What a coarse clock hides, and lines that came late to a file that was empty, the next
    // generation shows.
    host.rename_and_create();
    host.act(Action::Append(1));
    (0..20).for_each(|_| host.poll(&mut follower, Duration::ZERO));
    let mut numbers = Vec::new();
    let mut gaps = 0;
    for line in told(&mut follower) {
        if line.starts_with("gap") {
            gaps += 1;
            continue;
        }
        let number = number(&line);
        let whole = format!("line {} of many that look alike", number.unwrap_or(0));
        assert_eq!(line, whole);
        numbers.extend(number);
    }
    numbers.sort_unstable();
    let twice: Vec<_> = numbers
        .windows(2)
        .filter(|pair| pair[0] == pair[1])
        .collect();
    assert!(twice.is_empty(), "twice: {twice:?}");
    // Each gap is for lines that followed each other, but for those that the rotation itself
    // destroyed.
    let untold = |n: &u32| numbers.binary_search(n).is_err() && !host.destroyed.contains(n);
    let missing: Vec<u32> = (1..=host.written).filter(untold).collect();
    let told_or_missing: Vec<u32> = (1..=host.written)
        .filter(|n| !host.destroyed.contains(n) || !untold(n))
        .collect();
    let runs =
        told_or_missing.chunk_by(|one, next| missing.contains(one) == missing.contains(next));
    let runs = runs.filter(|run| missing.contains(&run[0])).count();
    assert!(
        runs <= gaps,
        "untold {missing:?} of {}, and {gaps} gaps",
        host.written
    );
}
