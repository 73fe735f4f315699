//! The console against hosts in memory: whatever comes in whatever order, what is on the screen is
//! a piece of the whole log, and it stays where it is.

use proptest::prelude::*;

use super::*;
use crate::app::Event;
use crate::model::gap::Gap;
use crate::model::line::FleetLine;
use crate::model::update::Update;
use crate::scrollback::RingEntry;

mod world;

use world::{SOURCES, World, answer_everything, seeds};

#[test]
fn a_search_goes_on_on_the_hosts_where_the_pane_has_no_match_and_lands_on_it() {
    let mut world = World::new(&seeds(400), 5, 1 << 20, 1 << 20, None);
    world.keys("/keep<ret>");
    for _ in 0..100 {
        world.send(Event::Tick);
    }
    assert!(world.app.searching_hosts().is_some(), "{}", world.state());
    answer_everything(&mut world);
    let (seen, cursor) = world.seen();
    assert_eq!(
        (cursor, seen.contains(&9)),
        (Some(10), true),
        "{}",
        world.state()
    );
    world.keys("N");
    world.keys("<esc>");
    answer_everything(&mut world);
    assert_eq!(
        (world.app.searching_hosts(), world.seen().1),
        (None, Some(10))
    );
}

#[test]
fn the_next_error_is_looked_for_on_the_hosts_too_in_either_direction_and_esc_ends_it() {
    let seeds: Vec<_> = (0..1000).map(|at| (at % 3, true, at == 500)).collect();
    let mut world = World::new(&seeds, 5, 1 << 20, 1 << 20, None);
    world.seek("E");
    assert!(world.app.searching_hosts().is_some(), "{}", world.state());
    world.keys("<esc>");
    assert_eq!(
        (world.app.searching_hosts(), world.asked.len()),
        (None, 0),
        "{:?}",
        world.asked
    );
    world.seek("E");
    answer_everything(&mut world);
    assert_eq!(world.seen().1, Some(500), "{}", world.state());
    world.seek("W");
    answer_everything(&mut world);
    assert_eq!(
        world.app.notice(),
        Some("no warning and no error above, nor on the hosts")
    );
    world.keys("gg");
    answer_everything(&mut world);
    assert_eq!(world.seen().0[0], 0, "{}", world.state());
    world.seek("e");
    assert!(world.app.searching_hosts().is_some(), "{}", world.state());
    answer_everything(&mut world);
    assert_eq!(world.seen().1, Some(500), "{}", world.state());
}

#[test]
fn a_search_looks_on_the_hosts_where_only_some_sources_have_their_lines() {
    // Of the quiet source everything is held, back to an old match; the newer one of another source
    // is not.
    let mut seeds = vec![(0, true, true)];
    seeds.extend((0..300).map(|at| (1 + at % 2, true, at == 100)));
    let mut world = World::new(&seeds, 5, 1 << 20, 1 << 20, None);
    world.seek("/keep<ret>");
    answer_everything(&mut world);
    assert_eq!(world.seen().1, Some(101), "{}", world.state());
    world.seek("n");
    answer_everything(&mut world);
    assert_eq!(world.seen().1, Some(0), "{}", world.state());
}

#[test]
fn a_search_on_the_hosts_finds_only_what_the_filter_lets_through() {
    let seeds: Vec<_> = (0..900)
        .map(|at| (at % 3, true, at == 10 || at > 890))
        .collect();
    let mut world = World::new(&seeds, 5, 1 << 20, 1 << 20, Some("keep"));
    world.seek("/\"of 1\"<ret>");
    world.seek("nnn");
    answer_everything(&mut world);
    assert_eq!(world.seen().1, Some(10), "{}", world.state());
}

/// Time in which rows stop waiting for slow hosts.
const PATIENCE: i64 = 1100;

#[test]
fn a_slow_host_keeps_nothing_of_the_others_from_a_view_of_the_past_and_is_sorted_in_when_it_comes()
{
    for query in [None, Some("line")] {
        for slow in 0..SOURCES {
            let mut world = World::new(&seeds(300), 5, 1 << 20, 1 << 20, query);
            world.go_to(150);
            world.answer_all_but(slow);
            let (seen, _) = world.seen();
            assert!(seen.len() <= 1, "they wait a moment: {seen:?}");
            world.pass(PATIENCE);
            world.answer_all_but(slow);
            let (seen, _) = world.seen();
            assert!(seen.len() > 5, "{query:?} {slow}: {}", world.state());
            let is_slow = |at: &usize| world.lines[*at].source.0 == slow;
            assert!(!seen.iter().any(is_slow), "{}", world.state());
            let (waited, failed) = world.pane().window().expect("a window").missing_hosts();
            assert_eq!((waited.len(), failed.len()), (1, 0));
            let cursor = world.seen().1;
            world.answer_the_rest();
            world
                .check()
                .expect("in order, with the rows of the slow host");
            assert_eq!(world.seen().1, cursor, "the cursor stays on its line");
            assert!(
                world
                    .seen()
                    .0
                    .iter()
                    .any(|at| world.lines[*at].source.0 == slow)
            );
            let (waited, failed) = world.pane().window().expect("a window").missing_hosts();
            assert!(waited.is_empty() && failed.is_empty());
        }
    }
}

#[test]
fn a_slow_host_is_caught_up_with_page_by_page_wherever_one_scrolls() {
    let mut world = World::new(&seeds(3000), 5, 1 << 20, 1 << 20, None);
    world.go_to(2000);
    world.answer_all_but(1);
    for _ in 0..12 {
        world.pass(PATIENCE);
        world.keys("<pgup><pgup><pgup>");
        world.answer_all_but(1);
    }
    world.answer_the_rest();
    world.check().expect("in order");
    world.keys("gg");
    answer_everything(&mut world);
    assert_eq!(world.seen().0.first(), Some(&0), "{}", world.state());
    world.check().expect("in order");
}

#[test]
fn a_search_jumps_to_a_match_without_waiting_long_for_a_slow_host_and_tells_of_a_nearer_one() {
    // The slow host has the nearer match.
    let seeds: Vec<_> = (0..900)
        .map(|at| (at % 3, true, at == 300 || at == 700))
        .collect();
    let slow = 700 % SOURCES;
    let mut world = World::new(&seeds, 5, 1 << 20, 1 << 20, None);
    world.seek("/keep<ret>");
    world.answer_all_but(slow);
    assert!(
        world
            .app
            .searching_hosts()
            .is_some_and(|words| words.contains("waiting for web-2"))
    );
    world.pass(2000);
    world.answer_all_but(slow);
    world.pass(PATIENCE);
    world.answer_all_but(slow);
    assert_eq!(world.seen().1, Some(300), "{}", world.state());
    let words = world.app.searching_hosts().expect("still asked");
    assert!(words.contains("not searched yet: web-2"), "{words}");
    answer_everything(&mut world);
    assert_eq!(world.app.searching_hosts(), None);
    assert_eq!(world.seen().1, Some(300), "nobody is moved");
    assert!(
        world
            .app
            .notice()
            .is_some_and(|notice| notice.contains("a match there is nearer")),
        "{:?}",
        world.app.notice()
    );
}

#[test]
fn taking_the_filter_off_keeps_the_line_among_those_with_the_same_stamp() {
    // Three lines at each moment; the last of them passes the filter.
    let seeds: Vec<_> = (0..600)
        .map(|at| (at % 3, at % 3 == 0, at % 3 == 2))
        .collect();
    let mut world = World::new(&seeds, 5, 1 << 20, 1 << 20, Some("keep"));
    world.go_to(300);
    answer_everything(&mut world);
    world.keys("jjj");
    answer_everything(&mut world);
    let before = world.seen().1;
    assert!(before.is_some(), "{}", world.state());
    for _ in 0..2 {
        world.keys("<C-f>");
        answer_everything(&mut world);
        assert_eq!(world.seen().1, before, "{}", world.state());
    }
}

#[test]
fn a_second_g_goes_to_the_oldest_of_all_logs_though_lines_came_in_between() {
    let mut world = World::new(&seeds(3000), 20, 1 << 20, 1 << 20, None);
    world.keys("g");
    world.answer_all().expect("answered");
    assert!(
        world.seen().0.first().is_some_and(|&first| first > 0),
        "{}",
        world.state()
    );
    world.keys("g");
    answer_everything(&mut world);
    assert_eq!(world.seen().0.first(), Some(&0), "{}", world.state());
}

#[test]
fn the_bytes_of_a_gap_take_its_place_or_it_says_why_not() {
    for is_there in [true, false] {
        let mut world = World::new(&seeds(60), 5, 1 << 20, 1 << 20, None);
        let first = world.lines.len();
        seeds(15).into_iter().for_each(|seed| world.write(seed));
        let lost = |line: &FleetLine| line.source.0 == 0;
        let told: Vec<FleetLine> = world.lines[first..]
            .iter()
            .filter(|line| !lost(line))
            .cloned()
            .collect();
        let missing: Vec<FleetLine> = world.lines[first..]
            .iter()
            .filter(|line| lost(line))
            .cloned()
            .collect();
        let (from, to) = (
            missing[0].content.cursor.offset,
            missing[4].content.cursor.offset + 10,
        );
        let gap = Gap {
            host: HostId(0),
            source: SourceId(0),
            from,
            to: Some(to),
            reason: crate::model::gap::GapReason::RotatedAway,
            since: None,
            until: missing[0].content.time,
        };
        world.send(Event::Batch(vec![
            Update::Gap(gap.clone()),
            Update::Lines(told),
        ]));
        let after = world.lines.len();
        seeds(3).into_iter().for_each(|seed| world.write(seed));
        let rest = world.lines[after..].to_vec();
        world.send(Event::Batch(vec![Update::Lines(rest)]));
        if !is_there {
            world.lines.retain(|line| {
                !lost(line) || line.content.cursor.offset < from || line.content.cursor.offset >= to
            });
        }
        let at_gap = |world: &World| {
            matches!(
                world.pane().entry(&world.app.scrollback),
                Some((_, RingEntry::Gap(_)))
            )
        };
        for _ in 0..40 {
            if !at_gap(&world) {
                world.keys("k");
            }
        }
        assert!(at_gap(&world), "{}", world.state());
        world.keys("r");
        // They stand where the gap stood, not where their times would have put them.
        while !world.asked.is_empty() {
            world.answer(0);
        }
        let lines = world
            .app
            .scrollback
            .ring()
            .from(Seq::NOTICE)
            .filter(|(_, entry)| entry.line().is_some_and(lost))
            .count();
        let gaps = world
            .app
            .scrollback
            .ring()
            .from(Seq::NOTICE)
            .filter(|(_, entry)| matches!(entry, RingEntry::Gap(_)))
            .count();
        let why = world.app.scrollback.gap_explained(&gap).map(str::to_owned);
        if is_there {
            assert_eq!((lines, gaps), (5 + 5 + 1, 0), "{why:?}");
        } else {
            assert_eq!((lines, gaps), (5 + 1, 1));
            assert_eq!(
                why.as_deref(),
                Some("the bytes are not on the host any more")
            );
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Live(Vec<(u32, bool, bool)>),
    Answer(usize),
    Keys(&'static str),
    At(usize),
}

fn seed() -> impl Strategy<Value = (u32, bool, bool)> {
    (0..SOURCES * 3, any::<bool>(), any::<bool>())
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let keys = prop::sample::select(vec![
        "k", "<pgup>", "<pgup>", "<pgup>", "<pgdn>", "<pgdn>", "j", "g", "G", "<C-u>",
    ]);
    let step = prop_oneof![
        3 => prop::collection::vec(seed(), 1..5).prop_map(Step::Live),
        8 => (0usize..8).prop_map(Step::Answer),
        6 => keys.prop_map(Step::Keys),
        1 => (0usize..200).prop_map(Step::At),
    ];
    prop::collection::vec(step, 0..80)
}

proptest! {
    #[test]
    fn the_screen_shows_a_piece_of_the_whole_log_and_stays(
        seeds in prop::collection::vec(seed(), 0..90),
        held in 0usize..20,
        ring in prop::sample::select(vec![3_000usize, 10_000, 1 << 20]),
        window in prop::sample::select(vec![30_000usize, 1 << 20]),
        query in prop::sample::select(vec![None, Some("keep")]),
        steps in steps(),
    ) {
        let mut world = World::new(&seeds, held, ring, window, query);
        for step in steps {
            match step {
                Step::Live(seeds) => world.still(|world| world.live(&seeds))?,
                Step::Answer(which) => world.still(|world| world.answer(which))?,
                Step::Keys(keys) => {
                    world.keys(keys);
                    world.check()?;
                }
                Step::At(at) => {
                    if let Some(line) = world.lines.get(at) {
                        let time = line.content.time.to_timestamp();
                        world.keys(&format!(":at {time}<ret>"));
                        world.check()?;
                    }
                }
            }
        }
        if world.lines.is_empty() {
            return Ok(());
        }
        // Everything is read in the end, up to the first line.
        world.keys("k");
        let first = world.all().first().copied();
        for _ in 0..400 {
            world.answer_all()?;
            if first.is_none() || world.seen().0.first() == first.as_ref() {
                break;
            }
            world.keys("<pgup>");
            world.check()?;
        }
        prop_assert_eq!(world.seen().0.first().copied(), first, "the first line of all");
        for _ in 0..400 {
            world.answer_all()?;
            if world.pane().is_following() {
                break;
            }
            world.keys("<pgdn>");
            world.check()?;
        }
        prop_assert!(world.pane().is_following(), "back at the live end: {}", world.state());
    }
}
