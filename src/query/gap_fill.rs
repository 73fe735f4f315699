//! Filling a gap: the page that is asked for, and which of the lines that come take its place.
//!
//! ```text
//!  line before │ the gap: these lines are wanted │ line after
//!              ╰─ the page begins here           ╰─ and is of no more use from here on
//! ```
//!
//! Pure. The caller asks the host, as often and for as much as it decides. How a host finds the
//! bytes again (an earlier generation that has turned up, under whatever name) is left to `host`.

use crate::model::cursor::LineRef;
use crate::model::gap::{Gap, GapReason};
use crate::model::line::Line;
use crate::model::time::Time;
use crate::query::request::{MissingBytes, PageRequest, PageStart};

/// Where the lines of a gap end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GapBoundary {
    /// Before this line, which came after the gap.
    Line(LineRef),
    /// With the file in which the gap begins.
    File,
    /// With the response.
    Response,
}

/// How the filling of a gap ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FillOutcome {
    /// Nothing is missing.
    Whole,
    /// The rest is still missing.
    Broken,
    /// The line before the gap is gone from the host, so nothing is known to belong here.
    StartGone,
    /// What the host has does not lead to the line after the gap, so nothing is known to belong
    /// here.
    LeadsElsewhere,
}

/// A gap that is being filled.
#[derive(Debug, Clone)]
pub struct GapFill {
    before: LineRef,
    boundary: GapBoundary,
    /// The last line that took its place, and the offset after it.
    last: Option<(LineRef, u64)>,
    /// The last line when the present page began.
    page_began: Option<LineRef>,
    outcome: Option<FillOutcome>,
}

impl GapFill {
    /// Fills a gap that follows the line `before`.
    #[must_use]
    pub fn new(before: LineRef, boundary: GapBoundary) -> Self {
        Self {
            before,
            boundary,
            last: None,
            page_began: None,
            outcome: None,
        }
    }

    /// The next page to ask for.
    #[must_use]
    pub fn page(&mut self, lines: u32) -> PageRequest {
        self.page_began = self.last.map(|(place, _)| place);
        PageRequest {
            start: PageStart::After(self.last_place()),
            backwards: false,
            lines,
            window: Time(i64::MIN)..Time(i64::MAX),
        }
    }

    /// Takes in a line of the response. Returns whether it takes the place of the gap.
    pub fn takes(&mut self, line: &Line) -> bool {
        if self.outcome.is_some() {
            return false;
        }
        if self.is_past(line) {
            self.outcome = Some(FillOutcome::Whole);
            return false;
        }
        let end = line.cursor.offset + line.stored().len() as u64 + 1;
        self.last = Some((line.place(), end));
        true
    }

    /// Takes in bytes that the host does not have either. Returns whether they are a part of the
    /// gap, with lines on both sides.
    pub fn misses(&mut self, missing: &MissingBytes) -> bool {
        if self.outcome.is_some() {
            return false;
        }
        let is_lost = matches!(
            missing.reason,
            GapReason::Truncated | GapReason::RotatedAway
        );
        // The page was to begin with the line after this one, and begins elsewhere.
        if is_lost && missing.from == self.last_place().cursor.offset {
            self.outcome = Some(match self.last {
                None => FillOutcome::StartGone,
                Some(_) => FillOutcome::Broken,
            });
        }
        self.outcome.is_none()
    }

    /// The response is complete; `more` where it ended at the limit of the page.
    pub fn page_ends(&mut self, more: bool) {
        let outcome = match self.boundary {
            // A page without a line would lead to the same page.
            _ if more && self.page_began == self.last.map(|(place, _)| place) => {
                FillOutcome::Broken
            }
            _ if more => return,
            GapBoundary::Line(_) => FillOutcome::LeadsElsewhere,
            GapBoundary::File | GapBoundary::Response => FillOutcome::Whole,
        };
        self.outcome.get_or_insert(outcome);
    }

    /// No more is to be had, or is wanted.
    pub fn breaks_off(&mut self) {
        self.outcome.get_or_insert(FillOutcome::Broken);
    }

    /// How it ended, once it has.
    #[must_use]
    pub fn outcome(&self) -> Option<FillOutcome> {
        self.outcome
    }

    /// What of `gap` is still missing.
    #[must_use]
    pub fn rest(&self, gap: &Gap) -> Gap {
        let Some((place, from)) = self.last else {
            return gap.clone();
        };
        let is_same = place.cursor.file == self.before.cursor.file;
        let to = gap.to.filter(|&to| is_same && to > from);
        Gap {
            from,
            to,
            ..gap.clone()
        }
    }

    fn last_place(&self) -> LineRef {
        self.last.map_or(self.before, |(place, _)| place)
    }

    /// Whether a line comes after the gap.
    #[must_use]
    pub fn is_past(&self, line: &Line) -> bool {
        match self.boundary {
            GapBoundary::Line(after) => {
                let is_there = line.cursor.offset == after.cursor.offset;
                is_there && (line.cursor.file == after.cursor.file || after.fits(line.stored()))
            }
            GapBoundary::File => line.cursor.file != self.before.cursor.file,
            GapBoundary::Response => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;
    use crate::model::cursor::{Cursor, FileId};
    use crate::model::host::HostId;
    use crate::model::line::ByteSpan;
    use crate::model::source::SourceId;
    use crate::model::time::TimeSource;

    /// A line of four bytes, with its line end, of a file.
    fn line(ino: u64, number: u64) -> Line {
        Line {
            time: Time(0),
            time_from: TimeSource::Arrival,
            continues: false,
            dialect: None,
            stamp: ByteSpan::default(),
            cursor: Cursor {
                file: FileId { dev: 1, ino },
                offset: number * 4,
            },
            raw: Bytes::from(format!("{number:03}")),
            stored: None,
        }
    }

    fn gap(from: u64, to: Option<u64>) -> Gap {
        Gap {
            host: HostId(0),
            source: SourceId(0),
            from,
            to,
            reason: GapReason::Truncated,
            since: None,
            until: Time(0),
        }
    }

    fn lost(from: u64) -> MissingBytes {
        MissingBytes {
            from,
            to: None,
            reason: GapReason::RotatedAway,
        }
    }

    fn start(page: &PageRequest) -> u64 {
        match page.start {
            PageStart::After(place) => place.cursor.offset,
            _ => unreachable!("pages of gaps begin after a line"),
        }
    }

    proptest! {
        #[test]
        fn the_lines_between_are_taken_once_whatever_the_pages_are(
            count in 0u64..40,
            beyond in 0u64..5,
            page_lines in 1usize..9,
        ) {
            let file: Vec<Line> = (0..count + 2 + beyond).map(|number| line(1, number)).collect();
            let after = file[count as usize + 1].place();
            let mut fill = GapFill::new(file[0].place(), GapBoundary::Line(after));
            let mut taken = Vec::new();
            while fill.outcome().is_none() {
                let from = start(&fill.page(page_lines as u32)) as usize / 4 + 1;
                let page = file.iter().skip(from).take(page_lines);
                taken.extend(page.filter(|line| fill.takes(line)).cloned());
                fill.page_ends(from + page_lines < file.len());
            }
            prop_assert_eq!(fill.outcome(), Some(FillOutcome::Whole));
            prop_assert_eq!(taken, &file[1..=count as usize]);
        }
    }

    #[test]
    fn a_page_that_does_not_begin_where_it_was_to_fills_nothing() {
        let mut fill = GapFill::new(line(1, 3).place(), GapBoundary::Response);
        assert!(!fill.misses(&lost(12)));
        assert!(!fill.takes(&line(1, 0)));
        assert_eq!(fill.outcome(), Some(FillOutcome::StartGone));
        assert_eq!(fill.rest(&gap(16, None)), gap(16, None));
    }

    #[test]
    fn what_is_lost_between_two_pages_stays_a_gap() {
        let mut fill = GapFill::new(line(1, 3).place(), GapBoundary::Line(line(1, 9).place()));
        assert!(fill.takes(&line(1, 4)));
        fill.page_ends(true);
        assert_eq!(start(&fill.page(1)), 16);
        assert!(!fill.misses(&lost(16)));
        assert_eq!(fill.outcome(), Some(FillOutcome::Broken));
        assert_eq!(fill.rest(&gap(16, Some(36))), gap(20, Some(36)));
    }

    #[test]
    fn bytes_that_are_missing_further_on_do_not_end_it() {
        let mut fill = GapFill::new(line(1, 3).place(), GapBoundary::Line(line(1, 9).place()));
        assert!(fill.takes(&line(1, 4)) && fill.misses(&lost(20)) && fill.takes(&line(1, 8)));
        assert!(!fill.takes(&line(1, 9)));
        assert_eq!(fill.outcome(), Some(FillOutcome::Whole));
    }

    #[test]
    fn a_response_that_ends_is_judged_by_where_it_was_to_lead() {
        let after = GapBoundary::Line(line(1, 9).place());
        for (boundary, more, expected) in [
            (after, false, FillOutcome::LeadsElsewhere),
            (GapBoundary::File, false, FillOutcome::Whole),
            (GapBoundary::Response, false, FillOutcome::Whole),
            (after, true, FillOutcome::Broken),
        ] {
            let mut fill = GapFill::new(line(1, 3).place(), boundary);
            let _ = fill.page(10);
            fill.page_ends(more);
            assert_eq!(fill.outcome(), Some(expected), "{boundary:?} {more}");
        }
        let mut fill = GapFill::new(line(1, 3).place(), GapBoundary::File);
        assert!(fill.takes(&line(1, 4)) && !fill.takes(&line(2, 0)));
        assert_eq!(fill.outcome(), Some(FillOutcome::Whole));
    }
}
