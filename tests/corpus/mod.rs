//! A folder of logs beside what a person reads in each of their lines, and how far the library
//! reads the same.
//!
//! Lines are read as the console reads them: the stamper learns from a batch and stamps each line,
//! the joiner says which go on with the record before, the record says its level.
//! `tests/logs/README.md` describes the folder. What this leaves to others: printing (the example
//! `formats`) and deciding (the test `formats`).

mod kind;

use logtrail::parse::level;
use std::fmt;
use std::path::Path;

use bytes::Bytes;
use logtrail::model::cursor::{Cursor, FileId};
use logtrail::model::host::HostId;
use logtrail::model::level::Level;
use logtrail::model::line::{FleetLine, Line, LineOrder};
use logtrail::model::source::SourceId;
use logtrail::model::time::{HostClock, Time, TimeSource};
use logtrail::parse::multiline::RecordJoiner;
use logtrail::parse::timestamp::TimestampReader;

use kind::Want;
pub(crate) use kind::{Kind, read};

/// The least share of stamped lines that must have the right time, in every kind.
pub(crate) const TIME_AT_LEAST: f64 = 0.99;

/// The largest share of lines that may have a level which they do not state.
pub(crate) const WRONG_LEVEL_AT_MOST: f64 = 0.01;

/// Lines that arrive together when a file is opened, so that the stamper sees them before it is
/// asked for the first.
pub(crate) const TOGETHER: usize = 200;

/// As much of a line as is shown.
const SHOWN_BYTES: usize = 160;

/// How many of how many.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Share {
    /// So many had it.
    pub(crate) part: usize,
    /// Of so many.
    pub(crate) of: usize,
}

impl Share {
    fn count(&mut self, right: bool) {
        self.of += 1;
        self.part += usize::from(right);
    }

    fn add(&mut self, other: Self) {
        self.part += other.part;
        self.of += other.of;
    }

    /// 0 to 1; `None` of nothing.
    #[expect(
        clippy::cast_precision_loss,
        reason = "lines of a log are fewer than 2^52"
    )]
    pub(crate) fn ratio(self) -> Option<f64> {
        (self.of > 0).then(|| self.part as f64 / self.of as f64)
    }
}

/// How a kind, or all of them, was read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    /// All lines.
    pub(crate) lines: usize,
    /// Lines that state a time.
    pub(crate) stamped: usize,
    /// Right times, of the lines that state one and of those where we saw one that is none.
    pub(crate) time: Share,
    /// Levels found as they are stated, of the lines that state one.
    pub(crate) level: Share,
    /// Levels that are not what the line states, of all lines: another one, or one where none is
    /// stated.
    pub(crate) wrong_level: Share,
    /// Right answers to whether a line goes on with the record before.
    pub(crate) continues: Share,
    /// The name of the format that was found.
    pub(crate) format: Option<&'static str>,
}

impl Tally {
    /// Takes those of another kind as well.
    pub(crate) fn add(&mut self, other: &Self) {
        self.lines += other.lines;
        self.stamped += other.stamped;
        self.time.add(other.time);
        self.level.add(other.level);
        self.wrong_level.add(other.wrong_level);
        self.continues.add(other.continues);
    }

    /// Whether times and levels are as good as is promised.
    pub(crate) fn is_good(&self) -> bool {
        self.time.ratio().is_none_or(|right| right >= TIME_AT_LEAST)
            && self
                .wrong_level
                .ratio()
                .is_none_or(|wrong| wrong <= WRONG_LEVEL_AT_MOST)
    }
}

/// A line that was not read as expected.
#[derive(Debug)]
pub(crate) struct Miss {
    /// From 1.
    pub(crate) line: usize,
    /// `time`, `level` or `continues`.
    pub(crate) what: &'static str,
    /// What a person reads; `-` for nothing.
    pub(crate) expected: String,
    /// What we read.
    pub(crate) found: String,
    /// The line.
    pub(crate) text: Vec<u8>,
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            line,
            what,
            expected,
            found,
            text,
        } = self;
        let shown = text[..text.len().min(SHOWN_BYTES)].escape_ascii();
        write!(
            f,
            "line {line}: {what} {found}, expected {expected}: {shown}"
        )
    }
}

/// All kinds below a folder, read and compared, in the order of their names; `batch` lines arrive
/// together.
///
/// # Errors
///
/// One line that says which file or which line of it is broken, and how.
pub(crate) fn measure(
    folder: &Path,
    batch: usize,
) -> Result<Vec<(Kind, Tally, Vec<Miss>)>, String> {
    let kinds = read(folder)?;
    Ok(kinds.into_iter().map(|kind| compare(kind, batch)).collect())
}

fn compare(kind: Kind, together: usize) -> (Kind, Tally, Vec<Miss>) {
    let (mut tally, mut misses) = (
        Tally {
            lines: kind.lines.len(),
            ..Tally::default()
        },
        Vec::new(),
    );
    let clock = HostClock {
        zone: kind.zone.clone(),
        boot: kind.boot,
    };
    let (mut stamper, mut joiner) = (TimestampReader::new(&clock), RecordJoiner::default());
    for (batch, lines) in kind.lines.chunks(together).enumerate() {
        if stamper.wants_sample() {
            stamper.learn(&mut lines.iter().map(|line| &line.raw[..]), kind.now);
        }
        for (at, line) in lines.iter().enumerate() {
            let record = record(&mut stamper, &mut joiner, &line.raw, kind.now);
            let number = batch * together + at + 1;
            let mut miss = |what, expected, found| {
                misses.push(Miss {
                    line: number,
                    what,
                    expected,
                    found,
                    text: line.raw.to_vec(),
                });
            };
            judge_time(&mut tally, line.time, &record, &mut miss);
            judge_level(&mut tally, line.level, level::of_line(&record), &mut miss);
            if let Want::Is(expected) = line.continues {
                tally.continues.count(record.content.continues == expected);
                if record.content.continues != expected {
                    miss(
                        "continues",
                        expected.to_string(),
                        record.content.continues.to_string(),
                    );
                }
            }
        }
    }
    tally.format = stamper.format();
    (kind, tally, misses)
}

fn record(
    stamper: &mut TimestampReader,
    joiner: &mut RecordJoiner,
    raw: &Bytes,
    now: Time,
) -> FleetLine {
    let stamped = stamper.stamp(raw, now);
    let stamp = stamped.span.clone().into();
    FleetLine {
        host: HostId(0),
        source: SourceId(0),
        order: LineOrder::InOrder,
        content: Line {
            time: stamped.time,
            time_from: stamped.from,
            cursor: Cursor {
                file: FileId { dev: 0, ino: 0 },
                offset: 0,
            },
            continues: joiner.continues(raw, stamped.span),
            stamp,
            raw: raw.clone(),
        },
    }
}

fn judge_time(
    tally: &mut Tally,
    want: Want<Option<Time>>,
    record: &FleetLine,
    miss: &mut impl FnMut(&'static str, String, String),
) {
    let Want::Is(expected) = want else { return };
    let found = (record.content.time_from == TimeSource::Stamp).then_some(record.content.time);
    tally.stamped += usize::from(expected.is_some());
    if expected.is_some() || found.is_some() {
        tally.time.count(expected == found);
    }
    if expected != found {
        let text = |time: Option<Time>| {
            time.map_or_else(|| "-".to_owned(), |time| time.to_timestamp().to_string())
        };
        miss("time", text(expected), text(found));
    }
}

fn judge_level(
    tally: &mut Tally,
    want: Want<Option<Level>>,
    found: Option<Level>,
    miss: &mut impl FnMut(&'static str, String, String),
) {
    let Want::Is(expected) = want else { return };
    tally
        .wrong_level
        .count(found.is_some() && found != expected);
    if expected.is_some() {
        tally.level.count(found == expected);
    }
    if expected != found {
        let text =
            |level: Option<Level>| level.map_or_else(|| "-".to_owned(), |level| level.to_string());
        miss("level", text(expected), text(found));
    }
}
