//! What a sample of lines proves about the stamps of their source.
//!
//! A number or a time of day in one line may be anything. The same column of nearly every line,
//! rising, is a stamp; a date that never changes, while another one does, is not. And 05/06 is told
//! from 06/05 by the days around it.

use super::clock::MomentResolver;
use super::formats::FORMATS;
use super::layout::{
    TimestampLayout, TimestampSpot, at_spot, has_fields, has_notation, is_contradicted,
    is_plausible, spots,
};
use super::notation::{ParsedStamp, StampPlace, TimestampNotation};
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
            "epoch" => self.is_of_the_past(now) && !self.is_counter(),
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
        let in_place = other.layout.word <= self.layout.word
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
    let tallies = count(&rest, calendar, now);
    let Some(main) = choose(&tallies, rest.len(), now) else {
        return layouts;
    };
    layouts.push(main.layout);
    while layouts.len() < MOST_LAYOUTS {
        rest.retain(|line| {
            layouts
                .iter()
                .all(|layout| layout.find(line, &calendar.names).is_none())
        });
        let tallies = count(&rest, calendar, now);
        let Some(other) = tallies
            .iter()
            .filter(|tally| main.is_beside(tally))
            .max_by_key(|tally| tally.hits)
        else {
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

fn count(lines: &[&[u8]], calendar: &mut MomentResolver, now: Time) -> Vec<LayoutTally> {
    let mut tallies: Vec<LayoutTally> = Vec::new();
    let mut add = |layout: TimestampLayout, shaped: bool, time: Time| {
        let same = |tally: &&mut LayoutTally| {
            tally.layout.format == layout.format && tally.layout.word == layout.word
        };
        if let Some(tally) = tallies.iter_mut().find(same) {
            tally.layout.exact |= layout.exact;
            tally.add(time);
        } else if tallies.len() < MOST_TALLIES {
            let (hits, rises, falls) = (1, 0, 0);
            tallies.push(LayoutTally {
                layout,
                shaped,
                hits,
                rises,
                falls,
                last: time,
                range: (time, time),
            });
        }
    };
    for line in lines {
        let by_field = has_fields(line) && in_fields(line, calendar, now, &mut add);
        if !by_field && !in_spots(line, calendar, now, &mut add) {
            in_fields(line, calendar, now, &mut add);
        }
    }
    tallies
}

/// Adds the stamp of a field; whether there is one.
fn in_fields(
    line: &[u8],
    calendar: &mut MomentResolver,
    now: Time,
    add: &mut impl FnMut(TimestampLayout, bool, Time),
) -> bool {
    for format in FORMATS
        .iter()
        .filter(|format| format.place == StampPlace::Field)
    {
        let at = usize::from(!has_notation(format, line));
        let layout = TimestampLayout::of_field(format, at);
        if let Some((_, found)) = layout.find(line, &calendar.names)
            && let Some(time) = calendar.time(found.moment, now, None)
        {
            add(layout, true, time);
            return true;
        }
    }
    false
}

/// Adds all that may be a stamp in the places of a line; whether any has the shape of one.
fn in_spots(
    line: &[u8],
    calendar: &mut MomentResolver,
    now: Time,
    add: &mut impl FnMut(TimestampLayout, bool, Time),
) -> bool {
    let (mut behind, mut shaped) = (0, false);
    for place in spots(line) {
        if place.at < behind {
            continue;
        }
        let text = &line[place.at..];
        let before = behind;
        for format in FORMATS
            .iter()
            .filter(|format| format.place != StampPlace::Field && format.begins_with(text[0]))
        {
            if format.name == "w3c" || (behind > before && !format.ambiguous) {
                continue;
            }
            let Some((layout, has_shape, end, time)) =
                candidate(format, line, place, calendar, now)
            else {
                continue;
            };
            add(layout, has_shape, time);
            shaped |= has_shape;
            behind = behind.max(end);
        }
    }
    shaped
}

/// What may be a stamp of this format in a place: the layout, whether it has the shape of one,
/// where it ends, its time.
fn candidate(
    format: &'static TimestampNotation,
    line: &[u8],
    place: TimestampSpot,
    calendar: &mut MomentResolver,
    now: Time,
) -> Option<(TimestampLayout, bool, usize, Time)> {
    let ParsedStamp { moment, end, .. } = (format.parse)(&line[place.at..], &calendar.names)?;
    let end = place.at + end;
    let time = calendar
        .time(moment, now, None)
        .filter(|&time| is_plausible(format, time, now))?;
    if format.name == "epoch" && is_contradicted(line, end, time, calendar) {
        return None;
    }
    let shape = match format.place {
        StampPlace::Anywhere => Some(false),
        StampPlace::Start => at_spot(line, place, calendar, now).map(|(layout, ..)| layout.exact),
        StampPlace::Field | StampPlace::Proved => None,
    };
    // Numbers of the kernel have their brackets.
    let exact = shape.unwrap_or(format.name != "boot");
    Some((
        TimestampLayout {
            exact,
            ..TimestampLayout::at_spot(format, line, place)
        },
        shape.is_some(),
        end,
        time,
    ))
}

/// The stamp of most lines.
fn choose(tallies: &[LayoutTally], lines: usize, now: Time) -> Option<&LayoutTally> {
    let shaped = || {
        tallies
            .iter()
            .filter(|tally| tally.shaped && !tally.is_quoted(lines, now))
    };
    let most = shaped().map(|tally| tally.hits).max().unwrap_or(0);
    let common = |tally: &&LayoutTally| tally.hits * 10 >= most * 8;
    let moves = shaped()
        .filter(common)
        .any(|tally| !tally.is_constant() && tally.falls * 5 <= tally.hits);
    let shaped = shaped()
        .filter(common)
        .filter(|tally| !moves || !tally.is_constant())
        .min_by_key(|tally| {
            (
                tally.layout.word,
                future(tally, now),
                tally.falls,
                tally.spread(),
                distance(tally, now),
            )
        });
    // A number before the stamp is the better stamp, if it is one: it has no zone to be guessed.
    let better = |tally: &&LayoutTally| match shaped {
        Some(shaped) if shaped.hits * 2 >= tally.hits => {
            tally.layout.word < shaped.layout.word && tally.layout.format.name == "epoch"
        }
        _ => true,
    };
    let proved = tallies
        .iter()
        .filter(|tally| !tally.shaped && tally.is_proved(lines, now))
        .filter(better);
    let proved = proved.min_by_key(|tally| {
        (
            tally.layout.format.name == "clock",
            tally.layout.word,
            tally.falls,
        )
    });
    proved.or(shaped)
}

/// Whether any of the times is yet to come.
fn future(tally: &LayoutTally, now: Time) -> bool {
    tally.range.1 > now.plus_millis(super::clock::AHEAD_MS)
}

fn distance(tally: &LayoutTally, now: Time) -> u64 {
    now.0.abs_diff(tally.range.1.0)
}
