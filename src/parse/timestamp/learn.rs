//! What a sample of lines proves about the stamps of their source.
//!
//! A number or a time of day in one line may be anything. The same column of nearly every line,
//! rising, is a stamp; a date that never changes, while another one does, is not. The days around it
//! show whether 05/06 is the fifth of June or the sixth of May.

use super::SAMPLE_BYTES;
use super::clock::MomentResolver;
use super::formats::FORMATS;
use super::layout::{
    TimestampLayout, at_spot, field_formats, has_fields, has_notation, is_contradicted, is_object,
    is_plausible,
};
use super::moment::WrittenMoment;
use super::notation::{StampPlace, TimestampNotation};
use super::spots::{
    LATE, PREFIX_BYTES, TimestampSpot, colon_spots, is_behind_date, is_behind_tag, spots,
};
use crate::model::time::Time;

/// Layouts that a source may have at once.
pub(super) const MOST_LAYOUTS: usize = 6;

/// Lines that must have a stamp in the same column to prove one that its shape does not.
const PROOF_LINES: usize = 8;

/// Nanoseconds.
const A_DAY: u64 = 24 * 3600 * 1_000_000_000;

/// Nanoseconds.
const A_SECOND: i64 = 1_000_000_000;

/// Different layouts that are counted; a sample with more has none.
const MOST_TALLIES: usize = 96;

/// What was seen of one layout.
struct LayoutTally {
    layout: TimestampLayout,
    /// One line would have been enough.
    shaped: bool,
    /// There is nothing before it but a name in brackets.
    tagged: bool,
    hits: usize,
    /// Of it, those that were later than the one before, and those that were earlier.
    rises: usize,
    falls: usize,
    last: Time,
    /// The earliest and the latest.
    range: (Time, Time),
}

impl LayoutTally {
    fn add(&mut self, time: Time) {
        self.hits += 1;
        self.rises += usize::from(time > self.last);
        self.falls += usize::from(time < self.last);
        self.last = time;
        self.range = (self.range.0.min(time), self.range.1.max(time));
    }

    fn is_constant(&self) -> bool {
        self.hits >= PROOF_LINES && self.range.0 == self.range.1
    }

    fn spread(&self) -> i64 {
        self.range.1.0.saturating_sub(self.range.0.0)
    }

    /// Whether the column is a stamp though its shape does not say so.
    fn is_proved(&self, lines: usize, now: Time) -> bool {
        let nearly_all = self.hits >= PROOF_LINES && self.hits * 10 >= lines * 9;
        if self.layout.format.name == "clock" {
            // A time that begins lines has a shape of its own, and may have stack traces between.
            // Midnights fall.
            let begins = self.layout.word == 0
                && self.hits >= PROOF_LINES / 2
                && self.hits * 10 >= lines * 3;
            let many = nearly_all || begins;
            return many && self.rises > 0 && self.falls * 4 <= self.hits;
        }
        let in_order = self.falls * 5 <= self.hits;
        let is_told = match self.layout.format.name {
            "epoch" | "hex-seconds" => self.is_of_the_past(now) && !self.is_counter(),
            _ => self.hits >= 3 * PROOF_LINES,
        };
        nearly_all
            && (in_order || is_told || self.is_present(now))
            && (self.spread() > 0 || self.is_present(now))
    }

    /// So many numbers that are all of the time between 2001 and now are no coincidence in any
    /// order.
    fn is_of_the_past(&self, now: Time) -> bool {
        self.range.1.0 <= now.0.saturating_add_unsigned(A_DAY)
    }

    /// Whether the numbers are next to each other, and each is another than the one before it:
    /// those of things that are counted.
    fn is_counter(&self) -> bool {
        let step = self.spread() / i64::try_from(self.hits).unwrap_or(i64::MAX);
        self.rises + self.falls + 1 == self.hits && step <= 2 * A_SECOND
    }

    /// Whether the shape is all that speaks for it: the same date again and again, or a few among
    /// many lines, and none of this day. Messages have such dates.
    fn is_quoted(&self, lines: usize, now: Time) -> bool {
        let same = self.hits >= 3 && self.range.0 == self.range.1;
        self.layout.word > 0 && !self.is_present(now) && (same || self.hits * 20 < lines)
    }

    fn is_present(&self, now: Time) -> bool {
        self.last.0.abs_diff(now.0) <= A_DAY
    }

    /// Whether another layout is of a source that has several kinds of lines: two lines or more
    /// have it, and those were written about when these were.
    fn is_beside(&self, other: &Self) -> bool {
        let from = self.range.0.0.saturating_sub_unsigned(A_DAY);
        let to = self.range.1.0.saturating_add_unsigned(A_DAY);
        let is_same = other.layout.format == self.layout.format;
        let in_place = other.layout.word <= self.layout.word
            || (is_same && other.tagged)
            || (other.layout.format.name == "access" && other.hits > 2)
            || other.layout.format.place == StampPlace::Field;
        other.shaped
            && other.hits > 1
            && in_place
            && other.range.0.0 >= from
            && other.range.1.0 <= to
    }
}

/// The layouts of a sample, the most common first.
pub(super) fn learn(
    lines: &[&[u8]],
    calendar: &mut MomentResolver,
    now: Time,
) -> Vec<TimestampLayout> {
    let mut layouts = Vec::new();
    let mut rest: Vec<&[u8]> = heads(lines);
    let tallies = SampleCounter::count(&rest, calendar, now);
    let Some(main) = choose(&tallies, rest.len(), now) else {
        return layouts;
    };
    layouts.push(main.layout);
    while layouts.len() < MOST_LAYOUTS {
        let is_read =
            |line: &&[u8], layout: &TimestampLayout| layout.find(line, &calendar.names).is_some();
        rest.retain(|line| !layouts.iter().any(|layout| is_read(line, layout)));
        let tallies = SampleCounter::count(&rest, calendar, now);
        let beside = tallies.iter().filter(|tally| main.is_beside(tally));
        let Some(other) = beside.max_by_key(|tally| tally.hits) else {
            break;
        };
        layouts.push(other.layout);
    }
    layouts
}

/// The lines that begin a record: those that are not indented, unless nearly all are.
fn heads<'a>(lines: &[&'a [u8]]) -> Vec<&'a [u8]> {
    let is_head = |line: &&[u8]| line.first().is_some_and(|b| !matches!(b, b' ' | b'\t'));
    let heads: Vec<&[u8]> = lines.iter().copied().filter(is_head).collect();
    if heads.len() * 4 >= lines.len() {
        heads
    } else {
        lines.to_vec()
    }
}

/// Counts what may be stamps in the lines of a sample.
struct SampleCounter<'c> {
    calendar: &'c mut MomentResolver,
    now: Time,
    tallies: Vec<LayoutTally>,
}

/// What may be a stamp in a place of a line.
struct SpotCandidate {
    layout: TimestampLayout,
    /// It has the shape of one.
    shaped: bool,
    /// There is nothing before it but a name in brackets.
    is_tagged: bool,
    end: usize,
    time: Time,
}

impl<'c> SampleCounter<'c> {
    fn count(lines: &[&[u8]], calendar: &'c mut MomentResolver, now: Time) -> Vec<LayoutTally> {
        let mut counter = Self {
            calendar,
            now,
            tallies: Vec::new(),
        };
        for line in lines {
            let by_field = has_fields(line) && counter.in_fields(line);
            // The time of an object that is longer than its sample may be in the rest of it.
            let is_cut = line.len() >= SAMPLE_BYTES && is_object(line);
            if !by_field && !is_cut && !counter.in_spots(line) {
                counter.in_fields(line);
            }
        }
        counter.tallies
    }

    fn add(&mut self, candidate: SpotCandidate) {
        let SpotCandidate {
            layout,
            shaped,
            is_tagged,
            time,
            ..
        } = candidate;
        let same = |tally: &&mut LayoutTally| tally.layout.is_like(&layout);
        if let Some(tally) = self.tallies.iter_mut().find(same) {
            tally.layout.exact |= layout.exact;
            tally.tagged &= is_tagged;
            tally.add(time);
        } else if self.tallies.len() < MOST_TALLIES {
            self.tallies.push(LayoutTally {
                layout,
                shaped,
                tagged: is_tagged,
                hits: 1,
                rises: 0,
                falls: 0,
                last: time,
                range: (time, time),
            });
        }
    }

    /// Adds the stamp of a field; whether there is one.
    fn in_fields(&mut self, line: &[u8]) -> bool {
        for format in field_formats() {
            let at = usize::from(!has_notation(format, line));
            let layout = TimestampLayout::of_field(format, at);
            if let Some((_, found)) = layout.find(line, &self.calendar.names)
                && let Some(time) = self.calendar.time(found.moment, self.now, None)
            {
                self.add(SpotCandidate {
                    layout,
                    shaped: true,
                    is_tagged: false,
                    end: found.end,
                    time,
                });
                return true;
            }
        }
        false
    }

    /// Adds all that may be a stamp in the places of a line; whether any has the shape of one.
    fn in_spots(&mut self, line: &[u8]) -> bool {
        let mut behind = 0;
        let mut shaped = false;
        for spot in spots(line).chain(colon_spots(line, PREFIX_BYTES)) {
            if spot.at < behind {
                continue;
            }
            let before = behind;
            self.calendar.has_unknown_zone = false;
            for format in FORMATS {
                if behind > before && !format.ambiguous {
                    continue;
                }
                if let Some(candidate) = self.candidate(format, line, spot) {
                    shaped |= candidate.shaped;
                    behind = behind.max(candidate.end);
                    self.add(candidate);
                }
            }
            if behind == before && self.calendar.has_unknown_zone {
                return true;
            }
        }
        shaped
    }

    /// What may be a stamp of this format in a place.
    fn candidate(
        &mut self,
        format: &'static TimestampNotation,
        line: &[u8],
        spot: TimestampSpot,
    ) -> Option<SpotCandidate> {
        let text = &line[spot.at..];
        let is_elsewhere = format.place == StampPlace::Field
            || format.name == "w3c"
            || (spot.word == LATE && format.place != StampPlace::Anywhere);
        if is_elsewhere || !format.begins_with(text[0]) {
            return None;
        }
        let found = (format.parse)(text, &self.calendar.names)?.shifted(spot.at);
        let is_clock = matches!(found.moment, WrittenMoment::Clock(..));
        if is_clock && is_behind_date(&line[..spot.at]) {
            return None;
        }
        let time = self.calendar.time(found.moment, self.now, None)?;
        if !is_plausible(format, time, self.now)
            || (format.name == "epoch" && is_contradicted(line, found.end, time, self.calendar))
        {
            return None;
        }
        let exact = self.exactness(format, line, spot);
        Some(SpotCandidate {
            layout: TimestampLayout {
                // Numbers of the kernel have their brackets.
                exact: exact.unwrap_or(format.name != "boot"),
                ..TimestampLayout::at_spot(format, line, spot)
            },
            shaped: exact.is_some(),
            is_tagged: is_behind_tag(line, spot.at),
            end: found.end,
            time,
        })
    }

    /// Whether only this very word is the stamp; `None` where its shape proves nothing.
    fn exactness(
        &mut self,
        format: &TimestampNotation,
        line: &[u8],
        spot: TimestampSpot,
    ) -> Option<bool> {
        match format.place {
            StampPlace::Anywhere => Some(false),
            StampPlace::Start => {
                at_spot(line, spot, self.calendar, self.now).map(|candidate| candidate.layout.exact)
            }
            StampPlace::Field | StampPlace::Proved => None,
        }
    }
}

/// The stamp of most lines.
fn choose(tallies: &[LayoutTally], lines: usize, now: Time) -> Option<&LayoutTally> {
    let shaped = choose_shaped(tallies, lines, now);
    // A number before the stamp is the better stamp, if it is one: it has no zone to be guessed.
    let is_better = |tally: &&LayoutTally| match shaped {
        Some(shaped) if shaped.hits * 2 >= tally.hits => {
            tally.layout.word < shaped.layout.word && tally.layout.format.name == "epoch"
        }
        _ => true,
    };
    tallies
        .iter()
        .filter(|tally| !tally.shaped && tally.is_proved(lines, now))
        .filter(is_better)
        .min_by_key(|tally| {
            let is_clock = tally.layout.format.name == "clock";
            (is_clock, tally.layout.word, tally.falls)
        })
        .or(shaped)
}

/// The best of those with the shape of a stamp: one that is about as common as any, and moves if
/// another does.
fn choose_shaped(tallies: &[LayoutTally], lines: usize, now: Time) -> Option<&LayoutTally> {
    let shaped = || {
        tallies
            .iter()
            .filter(|tally| tally.shaped && !tally.is_quoted(lines, now))
    };
    let most = shaped().map(|tally| tally.hits).max()?;
    let common = || shaped().filter(|tally| tally.hits * 10 >= most * 8);
    let moves = common().any(|tally| !tally.is_constant() && tally.falls * 5 <= tally.hits);
    common()
        .filter(|tally| !moves || !tally.is_constant())
        .min_by_key(|tally| {
            let newest = tally.range.1;
            let is_to_come = newest > now.plus_millis(super::clock::AHEAD_MS);
            let distance = now.0.abs_diff(newest.0);
            let spread = tally.spread();
            (tally.layout.word, is_to_come, tally.falls, spread, distance)
        })
}
