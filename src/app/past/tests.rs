//! The console against hosts in memory: whatever comes in whatever order, what is on the screen is
//! a piece of the whole log, and it stays where it is.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::app::keys::parse_keys;
use crate::app::{Event, fixture};
use crate::model::cursor::{Cursor, FileId};
use crate::model::line::ByteSpan as Stamp;
use crate::model::time::TimeSource;
use crate::model::update::Update;
use crate::query::MatchInput;
use crate::query::request::{ResponseTotals, SearchHit};

const SOURCES: u32 = 3;
const HEIGHT: u16 = 14;

/// Everything that all hosts ever wrote, in order; host `n` has source `n`.
struct World {
    app: App,
    lines: Vec<FleetLine>,
    /// How many of them the fleet has told.
    asked: Vec<(AskId, HostId, Arc<LogRequest>)>,
    now: i64,
}

impl World {
    /// `before` lines were written before the start, of which the last `held` of each source come
    /// at once.
    fn new(
        seeds: &[(u32, bool, bool)],
        held: usize,
        ring: usize,
        past: usize,
        query: Option<&str>,
    ) -> Self {
        let mut app = App::new(&fixture::hosts(), jiff::tz::TimeZone::UTC);
        app.store = Store::new(&fixture::hosts(), ring);
        app.past_bytes = past;
        let mut world = Self {
            app,
            lines: Vec::new(),
            asked: Vec::new(),
            now: 0,
        };
        seeds.iter().for_each(|&seed| world.write(seed));
        world.send(Event::Resize(120, HEIGHT + 3));
        world.send(Event::Batch(fixture::beginning()));
        if let Some(query) = query {
            world.keys(&format!("&{query}<ret>"));
        }
        let of = |world: &Self, source: u32| {
            let own: Vec<usize> = (0..world.lines.len())
                .filter(|&at| world.lines[at].source.0 == source)
                .collect();
            let from = own.len().saturating_sub(held);
            let first = (0..=from).rev().find(|&at| {
                own.get(at)
                    .is_none_or(|&at| !world.lines[at].content.continues)
            });
            own[first.unwrap_or(0)..].to_vec()
        };
        let mut first: Vec<usize> = (0..SOURCES).flat_map(|source| of(&world, source)).collect();
        first.sort_unstable();
        let records = first
            .into_iter()
            .map(|at| world.lines[at].clone())
            .collect();
        world.send(Event::Batch(vec![Update::Lines(records)]));
        world
    }

    /// Writes a record of a source, in a later moment; what is added to the source in threes are
    /// further lines.
    fn write(&mut self, (source, later, kept): (u32, bool, bool)) {
        let (source, more) = (source % SOURCES, source / SOURCES);
        let last = self
            .lines
            .last()
            .map(|last| (last.content.time.0, last.source.0));
        let (time, before) = last.unwrap_or((fixture::START.0, 0));
        let time = if later || source <= before {
            time + 1_000_000
        } else {
            time
        };
        let at = self.lines.len();
        self.write_line(
            source,
            time,
            false,
            format!(
                "{} line {at} of {source}",
                if kept { "ERROR keep" } else { "drop" }
            ),
        );
        (0..more).for_each(|number| self.write_line(source, time, true, format!("  at {number}")));
    }

    fn write_line(&mut self, source: u32, time: i64, continues: bool, text: String) {
        let offset = self
            .lines
            .iter()
            .filter(|line| line.source.0 == source)
            .count() as u64
            * 10;
        self.lines.push(FleetLine {
            host: HostId(source),
            source: SourceId(source),
            late: false,
            content: Line {
                time: Time(time),
                time_from: TimeSource::Stamp,
                cursor: Cursor {
                    file: FileId {
                        dev: 1,
                        ino: source.into(),
                    },
                    offset,
                },
                continues,
                stamp: Stamp::default(),
                raw: Bytes::from(text),
            },
        });
    }

    fn send(&mut self, event: Event) {
        self.now += 1;
        let effects = self
            .app
            .update(event, fixture::START.plus_millis(100_000 + self.now));
        for effect in effects {
            match effect {
                Effect::Ask(id, host, what) => self.asked.push((id, host, what.0)),
                Effect::CancelAsk(id) => self.asked.retain(|(other, ..)| *other != id),
                _ => {}
            }
        }
    }

    fn keys(&mut self, keys: &str) {
        parse_keys(keys)
            .into_iter()
            .for_each(|key| self.send(Event::Key(key.into())));
    }

    fn live(&mut self, seeds: &[(u32, bool, bool)]) {
        let from = self.lines.len();
        seeds.iter().for_each(|&seed| self.write(seed));
        self.send(Event::Batch(vec![Update::Lines(
            self.lines[from..].to_vec(),
        )]));
    }

    /// Has a host answer one of the questions.
    fn answer(&mut self, which: usize) {
        if self.asked.is_empty() {
            return;
        }
        let (id, host, ask) = self.asked.remove(which % self.asked.len());
        let own: Vec<&FleetLine> = self.lines.iter().filter(|line| line.host == host).collect();
        let name = self
            .app
            .store
            .source(SourceId(host.0))
            .map(|row| Arc::clone(&row.info.name))
            .expect("a source");
        let (replies, more) = match &ask.what {
            RequestKind::Page(page) => {
                let (lines, more) = page_of(&own, page);
                (vec![LogResponse::Lines(name, lines)], more)
            }
            RequestKind::Search(search) => {
                let (hits, more) = hits_of(&own, search);
                (
                    hits.into_iter()
                        .map(|hit| LogResponse::Hits(Arc::clone(&name), vec![hit]))
                        .collect(),
                    more,
                )
            }
            other => panic!("{other:?}"),
        };
        self.send(Event::Replies(id, replies));
        self.send(Event::Replies(
            id,
            vec![LogResponse::Done(ResponseTotals {
                more,
                ..ResponseTotals::default()
            })],
        ));
    }

    fn answer_all(&mut self) -> Result<(), TestCaseError> {
        for _ in 0..300 {
            if self.asked.is_empty() {
                return Ok(());
            }
            self.still(|world| world.answer(0))?;
        }
        Err(TestCaseError::fail(format!(
            "it asks for ever: {:?}",
            self.asked
        )))
    }

    fn pane(&self) -> &LogPane {
        &self.app.panes[&self.app.focus]
    }

    /// The lines on the screen, as indices of `lines`, from the top; and the one under the cursor.
    fn seen(&self) -> (Vec<usize>, Option<usize>) {
        let pane = self.pane();
        let (top, bottom) = pane.on_screen(HEIGHT).unwrap_or((0, 0));
        let at = |index: usize| {
            let record = pane.rows(&self.app.store).get(pane.seq(index)?)?.record()?;
            self.lines
                .iter()
                .position(|line| line.content.cursor == record.content.cursor)
        };
        (
            (top..bottom).filter_map(at).collect(),
            pane.cursor().and_then(at),
        )
    }

    fn all(&self) -> Vec<usize> {
        let query = self.pane().looking().query.clone();
        let passes = |at: &usize| {
            let first = (0..=*at)
                .rev()
                .map(|at| &self.lines[at])
                .find(|line| !line.content.continues)
                .expect("a first line");
            let subject = MatchInput {
                host: "",
                source: "",
                time: first.content.time,
                raw: &first.content.raw,
            };
            query.as_ref().is_none_or(|query| query.matches(&subject))
        };
        (0..self.lines.len()).filter(passes).collect()
    }

    /// What is seen is a piece of everything.
    fn check(&self) -> Result<(), TestCaseError> {
        if !self.pane().shows_past() {
            return Ok(());
        }
        let (seen, all) = (self.seen().0, self.all());
        let Some(first) = seen.first() else {
            return Ok(());
        };
        let from = all.iter().position(|at| at == first).unwrap_or(all.len());
        prop_assert_eq!(
            &seen[..],
            &all[from..(from + seen.len()).min(all.len())],
            "a piece of the whole log: {}",
            self.state()
        );
        prop_assert!(
            self.pane()
                .past()
                .is_none_or(|past| past.rows().bytes() <= self.app.past_bytes + 40_000)
        );
        Ok(())
    }
    /// For whoever has to find out why.
    fn state(&self) -> String {
        let past = self.pane().past();
        let newer = past.map(|past| {
            past.states(Side::Newer)
                .map(|(_, _, state)| state)
                .collect::<Vec<_>>()
        });
        let rows = past.map(|past| {
            (
                past.joined(),
                past.rows().first(),
                past.rows().end(),
                past.rows().bytes(),
            )
        });
        let ring = self.app.store.ring();
        let (place, len, cursor) = (self.pane().place(), self.pane().len(), self.pane().cursor());
        format!(
            "newer {newer:?}, joined and rows {rows:?}, ring {}..{}, place {place:?} {cursor:?} of {len}, asked {:?}",
            ring.first(),
            ring.end(),
            self.asked
        )
    }

    /// Something that is no key: the line under the cursor stays, on its row.
    fn still(&mut self, change: impl FnOnce(&mut Self)) -> Result<(), TestCaseError> {
        // Where it has just been told to go, it lands with the first line that comes.
        let has_landed = self.pane().landing.is_none()
            && self
                .pane()
                .place()
                .is_some_and(|place| self.pane().rows(&self.app.store).get(place.seq).is_some());
        let was = (
            self.pane().place(),
            self.seen().1,
            self.pane().shows_past() && has_landed,
        );
        change(self);
        let is = (self.pane().place(), self.seen().1);
        if let (Some(before), Some(line), true) = was
            && self.pane().landing.is_none()
        {
            prop_assert_eq!(
                is.1,
                Some(line),
                "the line under the cursor, which was at {:?}: {}",
                before,
                self.state()
            );
            prop_assert_eq!(is.0.map(|place| place.row), Some(before.row));
        }
        self.check()
    }
}

fn to_line(record: &FleetLine) -> Line {
    record.content.clone()
}

/// What a host answers.
fn page_of(own: &[&FleetLine], page: &PageRequest) -> (Vec<Line>, bool) {
    let at = |place: &crate::model::cursor::LineRef| {
        own.iter()
            .position(|line| line.content.cursor == place.cursor && place.fits(&line.content.raw))
            .expect("a known line")
    };
    let from = match &page.start {
        PageStart::Oldest => 0,
        PageStart::Newest => own.len(),
        PageStart::At(time) => own.partition_point(|line| line.content.time < *time),
        PageStart::Cursor(place) => at(place),
        PageStart::After(place) => at(place) + 1,
    };
    let most = (page.lines as usize).min(7);
    let range = if page.backwards {
        from.saturating_sub(most)..from
    } else {
        from..(from + most).min(own.len())
    };
    let more = if page.backwards {
        range.start > 0
    } else {
        range.end < own.len()
    };
    (own[range].iter().map(|line| to_line(line)).collect(), more)
}

fn hits_of(own: &[&FleetLine], search: &SearchRequest) -> (Vec<SearchHit>, bool) {
    let is_hit = |record: &&[&FleetLine]| {
        let subject = MatchInput {
            host: "",
            source: "",
            time: record[0].content.time,
            raw: &record[0].content.raw,
        };
        search.window.contains(&record[0].content.time) && search.query.matches(&subject)
    };
    let hit = |record: &[&FleetLine]| SearchHit {
        line: to_line(record[0]),
        before: vec![],
        after: record[1..].iter().map(|line| to_line(line)).collect(),
    };
    let mut hits: Vec<SearchHit> = own
        .chunk_by(|_, next| next.content.continues)
        .filter(is_hit)
        .map(hit)
        .collect();
    if search.newest_first {
        hits.reverse();
    }
    let most = if search.limit > Some(500) {
        hits.len()
    } else {
        7
    };
    let more = hits.len() > most;
    hits.truncate(most);
    (hits, more)
}

fn seeds(count: usize) -> Vec<(u32, bool, bool)> {
    (0..count)
        .map(|at| (u32::try_from(at % 3).unwrap_or(0), true, at == 10))
        .collect()
}

fn answer_everything(world: &mut World) {
    world.answer_all().expect("everything is answered");
}

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

impl World {
    /// Gives it the time that a jump through all lines takes.
    fn seek(&mut self, keys: &str) {
        self.keys(keys);
        for _ in 0..100 {
            self.send(Event::Tick);
        }
    }
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
    world.seek("N");
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
    world.seek("NNN");
    answer_everything(&mut world);
    assert_eq!(world.seen().1, Some(10), "{}", world.state());
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
                world.pane().entry(&world.app.store),
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
            .store
            .ring()
            .from(0)
            .filter(|(_, entry)| entry.record().is_some_and(lost))
            .count();
        let gaps = world
            .app
            .store
            .ring()
            .from(0)
            .filter(|(_, entry)| matches!(entry, RingEntry::Gap(_)))
            .count();
        let why = world.app.store.gap_explained(&gap).map(str::to_owned);
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
        past in prop::sample::select(vec![30_000usize, 1 << 20]),
        query in prop::sample::select(vec![None, Some("keep")]),
        steps in steps(),
    ) {
        let mut world = World::new(&seeds, held, ring, past, query);
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
