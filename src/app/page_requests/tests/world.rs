//! Hosts in memory, and the console that follows them and asks them.

use bytes::Bytes;
use proptest::prelude::*;

use super::super::*;
use crate::app::keys::parse_keys;
use crate::app::{Event, fixture};
use crate::model::cursor::{Cursor, FileId};
use crate::model::line::{ByteSpan as Stamp, FleetLine, Line, LineOrder};
use crate::model::time::TimeSource;
use crate::model::update::Update;
use crate::query::MatchInput;
use crate::query::request::{PageStart, ResponseTotals, SearchHit};

pub(super) const SOURCES: u32 = 3;
pub(super) const HEIGHT: u16 = 14;

/// Everything that all hosts ever wrote, in order; host `n` has source `n`.
pub(super) struct World {
    pub(super) app: App,
    pub(super) lines: Vec<FleetLine>,
    /// How many of them the fleet has told.
    pub(super) asked: Vec<(AskId, HostId, Arc<LogRequest>)>,
    pub(super) now: i64,
}

impl World {
    /// `before` lines were written before the start, of which the last `held` of each source come
    /// at once.
    pub(super) fn new(
        seeds: &[(u32, bool, bool)],
        held: usize,
        ring: usize,
        window: usize,
        query: Option<&str>,
    ) -> Self {
        let mut app = App::new(&fixture::hosts(), jiff::tz::TimeZone::UTC);
        app.scrollback = Scrollback::new(&fixture::hosts(), ring);
        app.panes.window_bytes = window;
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
        let lines = first
            .into_iter()
            .map(|at| world.lines[at].clone())
            .collect();
        world.send(Event::Batch(vec![Update::Lines(lines)]));
        world
    }

    /// Writes a record of a source, in a later moment; what is added to the source in threes are
    /// further lines.
    pub(super) fn write(&mut self, (source, later, kept): (u32, bool, bool)) {
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

    pub(super) fn write_line(&mut self, source: u32, time: i64, continues: bool, text: String) {
        let offset = self
            .lines
            .iter()
            .filter(|line| line.source.0 == source)
            .count() as u64
            * 10;
        self.lines.push(FleetLine {
            host: HostId(source),
            source: SourceId(source),
            order: LineOrder::InOrder,
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
                dialect: None,
                stamp: Stamp::default(),
                raw: Bytes::from(text),
                stored: None,
            },
        });
    }

    pub(super) fn send(&mut self, event: Event) {
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

    pub(super) fn keys(&mut self, keys: &str) {
        parse_keys(keys)
            .into_iter()
            .for_each(|key| self.send(Event::Key(key.into())));
    }

    pub(super) fn live(&mut self, seeds: &[(u32, bool, bool)]) {
        let from = self.lines.len();
        seeds.iter().for_each(|&seed| self.write(seed));
        self.send(Event::Batch(vec![Update::Lines(
            self.lines[from..].to_vec(),
        )]));
    }

    /// Has a host answer one of the questions.
    pub(super) fn answer(&mut self, which: usize) {
        if self.asked.is_empty() {
            return;
        }
        let (id, host, ask) = self.asked.remove(which % self.asked.len());
        let own: Vec<&FleetLine> = self.lines.iter().filter(|line| line.host == host).collect();
        let name = self
            .app
            .scrollback
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

    /// Goes to the moment of a line.
    pub(super) fn go_to(&mut self, line: usize) {
        let time = self.lines[line].content.time;
        let id = self.app.panes.focus;
        self.app.cancel_for(id);
        self.app
            .with_pane(|pane, scrollback| pane.go_to(time, scrollback));
        self.send(Event::Tick);
    }

    /// Lets so many milliseconds pass.
    pub(super) fn pass(&mut self, ms: i64) {
        self.now += ms;
        self.send(Event::Tick);
    }

    /// Has all hosts answer but one.
    pub(super) fn answer_all_but(&mut self, slow: u32) {
        let quick = |world: &Self| {
            let mut asked = world.asked.iter();
            asked.position(|(_, host, _)| host.0 != slow)
        };
        while let Some(which) = quick(self) {
            self.answer(which);
        }
    }

    /// Has all hosts answer, though rows are missing until the last has.
    pub(super) fn answer_the_rest(&mut self) {
        for _ in 0..300 {
            self.answer(0);
        }
        assert!(self.asked.is_empty(), "{}", self.state());
    }

    pub(super) fn answer_all(&mut self) -> Result<(), TestCaseError> {
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

    pub(super) fn pane(&self) -> &LogPane {
        self.app.panes.focused().expect("a pane")
    }

    /// The lines on the screen, as indices of `lines`, from the top; and the one under the cursor.
    pub(super) fn seen(&self) -> (Vec<usize>, Option<usize>) {
        let pane = self.pane();
        let (top, bottom) = pane.on_screen(HEIGHT).unwrap_or((0, 0));
        let at = |index: usize| {
            let shown = pane
                .rows(&self.app.scrollback)
                .get(pane.seq(index)?)?
                .line()?;
            self.lines
                .iter()
                .position(|line| line.content.cursor == shown.content.cursor)
        };
        (
            (top..bottom).filter_map(at).collect(),
            pane.cursor().and_then(at),
        )
    }

    pub(super) fn all(&self) -> Vec<usize> {
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
                dialect: None,
                raw: &first.content.raw,
            };
            query.as_ref().is_none_or(|query| query.matches(&subject))
        };
        (0..self.lines.len()).filter(passes).collect()
    }

    /// What is seen is a piece of everything.
    pub(super) fn check(&self) -> Result<(), TestCaseError> {
        if !self.pane().shows_window() {
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
                .window()
                .is_none_or(|window| window.rows().bytes() <= self.app.panes.window_bytes + 40_000)
        );
        Ok(())
    }
    /// For whoever has to find out why.
    pub(super) fn state(&self) -> String {
        let window = self.pane().window();
        let newer = window.map(|window| {
            window
                .states(Side::Newer)
                .map(|(_, _, state)| state)
                .collect::<Vec<_>>()
        });
        let rows = window.map(|window| {
            (
                window.joined(),
                window.rows().first(),
                window.rows().end(),
                window.rows().bytes(),
            )
        });
        let ring = self.app.scrollback.ring();
        let (place, len, cursor) = (
            self.pane().position(),
            self.pane().len(),
            self.pane().cursor(),
        );
        format!(
            "newer {newer:?}, joined and rows {rows:?}, ring {:?}..{:?}, place {place:?} {cursor:?} of {len}, asked {:?}",
            ring.first(),
            ring.end(),
            self.asked
        )
    }

    /// Something that is no key: the line under the cursor stays, on its row.
    pub(super) fn still(&mut self, change: impl FnOnce(&mut Self)) -> Result<(), TestCaseError> {
        // Where it has just been told to go, it lands with the first line that comes.
        let has_landed = self.pane().landing.is_none()
            && self.pane().position().is_some_and(|place| {
                self.pane()
                    .rows(&self.app.scrollback)
                    .get(place.seq)
                    .is_some()
            });
        let was = (
            self.pane().position(),
            self.seen().1,
            self.pane().shows_window() && has_landed,
        );
        change(self);
        let is = (self.pane().position(), self.seen().1);
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
            prop_assert_eq!(is.0.map(|position| position.row), Some(before.row));
        }
        self.check()
    }

    /// Gives it the time that a jump through all lines takes.
    pub(super) fn seek(&mut self, keys: &str) {
        self.keys(keys);
        for _ in 0..100 {
            self.send(Event::Tick);
        }
    }
}

pub(super) fn to_line(line: &FleetLine) -> Line {
    line.content.clone()
}

/// What a host answers.
pub(super) fn page_of(own: &[&FleetLine], page: &PageRequest) -> (Vec<Line>, bool) {
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

pub(super) fn hits_of(own: &[&FleetLine], search: &SearchRequest) -> (Vec<SearchHit>, bool) {
    let is_hit = |record: &&[&FleetLine]| {
        let subject = MatchInput {
            host: "",
            source: "",
            time: record[0].content.time,
            dialect: None,
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

pub(super) fn seeds(count: usize) -> Vec<(u32, bool, bool)> {
    (0..count)
        .map(|at| (u32::try_from(at % 3).unwrap_or(0), true, at == 10))
        .collect()
}

pub(super) fn answer_everything(world: &mut World) {
    world.answer_all().expect("everything is answered");
}
