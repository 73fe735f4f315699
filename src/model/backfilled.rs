//! Remembers the lines that filled a gap, so that they are dropped when the follower reads the same
//! file after a rotation. Asking for them is left to those who show or print lines.

use std::collections::{BTreeMap, VecDeque};

use super::cursor::{FileId, LineRef};
use super::line::FleetLine;
use super::source::SourceId;

/// The most lines that are remembered, of all gaps. Of those beyond, the follower's are shown a
/// second time.
const MOST_LINES: usize = 100_000;

/// The lines that filled the gaps of each source, and that the follower has not brought since.
#[derive(Debug, Default)]
pub struct BackfilledLines(BTreeMap<SourceId, SourceBackfill>);

#[derive(Debug, Default)]
struct SourceBackfill {
    /// In the order of their files.
    lines: VecDeque<LineRef>,
    /// Which file went on after the gap.
    after: Option<FileId>,
}

impl BackfilledLines {
    /// A gap was filled by these lines, before one of the file `after`.
    pub fn note<'a>(
        &mut self,
        source: SourceId,
        lines: impl Iterator<Item = &'a FleetLine>,
        after: Option<FileId>,
    ) {
        let others: usize = self
            .0
            .iter()
            .filter(|(of, _)| **of != source)
            .map(|(_, fill)| fill.lines.len())
            .sum();
        let fill = self.0.entry(source).or_default();
        fill.after = after;
        fill.lines.retain(|place| Some(place.cursor.file) != after);
        let room = MOST_LINES.saturating_sub(others + fill.lines.len());
        // The follower does not bring again what follows in the same file.
        fill.lines.extend(
            lines
                .map(|line| line.content.place())
                .filter(|place| Some(place.cursor.file) != after)
                .take(room),
        );
    }

    /// Whether the follower brings a line that filled a gap already. Each is expected once, before
    /// the log goes on in a file that is new: numbers of files are reused, and a log may say the
    /// same at the same place again.
    pub fn takes(&mut self, line: &FleetLine) -> bool {
        let Some(fill) = self
            .0
            .get_mut(&line.source)
            .filter(|fill| fill.after != Some(line.content.cursor.file))
        else {
            return false;
        };
        let of_file = fill
            .lines
            .iter()
            .find(|place| place.cursor.file == line.content.cursor.file);
        if of_file.is_some_and(|first| line.content.cursor.offset < first.cursor.offset) {
            // The follower does not know how far this file was read.
            return false;
        }
        let found = fill.lines.iter().position(|place| {
            place.cursor == line.content.cursor && place.fits(line.content.stored())
        });
        match found {
            Some(at) => drop(fill.lines.drain(..=at)),
            None => drop(self.0.remove(&line.source)),
        }
        found.is_some()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::model::cursor::Cursor;
    use crate::model::host::HostId;
    use crate::model::line::{Line, LineOrder};
    use crate::model::time::{Time, TimeSource};

    /// `FILE:OFFSET TEXT`
    fn line(written: &str) -> FleetLine {
        let (place, text) = written.split_once(' ').expect("a place and a text");
        let (file, offset) = place.split_once(':').expect("a file and an offset");
        let file = FileId {
            dev: 1,
            ino: file.parse().expect("a number"),
        };
        FleetLine {
            host: HostId(0),
            source: SourceId(0),
            order: LineOrder::InOrder,
            content: Line {
                time: Time(0),
                time_from: TimeSource::Arrival,
                cursor: Cursor {
                    file,
                    offset: offset.parse().expect("a number"),
                },
                continues: false,
                dialect: None,
                stamp: None.into(),
                raw: Bytes::copy_from_slice(text.as_bytes()),
                stored: None,
            },
        }
    }

    /// Which of the lines that came were shown before.
    fn taken(filled: &[&str], told: &[&str]) -> Vec<bool> {
        let lines: Vec<FleetLine> = filled.iter().map(|written| line(written)).collect();
        let mut filled = BackfilledLines::default();
        filled.note(
            SourceId(0),
            lines.iter(),
            Some(line("9:0 after").content.cursor.file),
        );
        told.iter()
            .map(|written| filled.takes(&line(written)))
            .collect()
    }

    #[test]
    fn what_filled_a_gap_is_not_told_again_and_nothing_else_is_kept_back() {
        let filled = ["1:4 three", "1:10 four", "2:0 five"];
        for (told, expected) in [
            (
                &["9:4 six", "1:4 three", "1:10 four", "2:0 five", "3:0 seven"][..],
                &[false, true, true, true, false][..],
            ),
            // A follower that does not know how far it was read brings all of it.
            (&["1:0 two", "1:4 three", "1:10 four"], &[false, true, true]),
            // Once.
            (&["1:4 three", "1:4 three"], &[true, false]),
            // The same file with more; another one under its number.
            (
                &["1:4 three", "1:10 four", "1:15 more"],
                &[true, true, false],
            ),
            (
                &["1:0 new", "1:4 other", "1:10 four"],
                &[false, false, false],
            ),
            // The log goes on in a file that is new: what it says there is said there.
            (&["3:0 one", "1:4 three"], &[false, false]),
        ] {
            assert_eq!(taken(&filled, told), expected, "{told:?}");
        }
    }
}
