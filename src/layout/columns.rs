//! Which columns a log pane of a width has, and what of a line goes into the last of them.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::options::{TimeStyle, ViewOptions, date};
use crate::model::host::HostId;
use crate::model::line::FleetLine;
use crate::model::text::{ColourHandling, SafeText, settled};
use crate::model::time::TimeSource;
use crate::parse::display::LineDisplay;
use crate::scrollback::{RingEntry, Scrollback};

/// Longer names are cut with `…`.
const MAX_HOST: usize = 16;
const MAX_SOURCE: usize = 14;
/// Narrower panes have shorter times, and none below the second.
const FULL_TIME_FROM: u16 = 84;
const SHORT_TIME_FROM: u16 = 46;
/// Narrower panes do not name sources.
const SOURCE_FROM: u16 = 76;
/// Narrower panes do not name hosts.
const HOST_FROM: u16 = 32;
/// Narrower panes have no letter of the level.
const LEVEL_FROM: u16 = 16;

/// Most bytes of a line that are looked at for one screen; the rest is beyond its right edge or its
/// last row.
const MAX_LINE_BYTES: usize = 64 * 1024;

/// Bytes of text set aside for a cell: letters with a few combining marks.
const BYTES_PER_CELL: usize = 8;

/// The columns of a pane. Widths are in cells, each without the blank after it; 0 is a column that
/// is not shown.
#[derive(Debug, Clone)]
pub struct LineColumns {
    /// The host's name.
    pub host: u16,
    /// The time: 12 with milliseconds, 8 without.
    pub time: u16,
    /// The letter of the level.
    pub level: u16,
    /// The source's name.
    pub source: u16,
    /// What is left for the text.
    pub text: u16,
    /// Of lines of this day the time is shown, of others the date: the pane's header has it where
    /// it is not today.
    pub day: Date,
    /// The zone of the times.
    pub zone: TimeZone,
    raw: bool,
}

impl LineColumns {
    /// The columns of a pane `width` cells wide that shows these hosts (`None`: all) and looks at
    /// this day.
    #[must_use]
    pub fn of(
        options: &ViewOptions,
        scrollback: &Scrollback,
        hosts: Option<&BTreeSet<HostId>>,
        day: Date,
        width: u16,
    ) -> Self {
        let mut columns = Self {
            host: if width >= HOST_FROM && options.host {
                host_width(scrollback, hosts)
            } else {
                0
            },
            time: time_width(options.time, width),
            level: u16::from(width >= LEVEL_FROM),
            source: if width >= SOURCE_FROM && options.source {
                source_width(scrollback)
            } else {
                0
            },
            text: 0,
            day,
            zone: options.zone(),
            raw: options.raw,
        };
        columns.text = width.saturating_sub(columns.prefix());
        columns
    }

    /// Cells before the text: the bookmark column and every column with the blank after it.
    #[must_use]
    pub fn prefix(&self) -> u16 {
        let columns = [self.host, self.time, self.level, self.source];
        1 + columns
            .iter()
            .map(|&width| if width == 0 { 0 } else { width + 1 })
            .sum::<u16>()
    }

    /// As much of a line as can fill this many cells: with its colours and only the last state of a
    /// progress bar, or, in the raw view, byte for byte.
    #[must_use]
    pub fn text_of(&self, line: &FleetLine, cells: usize) -> SafeText {
        let most = (cells * BYTES_PER_CELL + BYTES_PER_CELL).min(MAX_LINE_BYTES);
        let content = &line.content;
        match self.display_of(line) {
            LineDisplay::Raw => SafeText::line(&content.raw, ColourHandling::Shown, most),
            display => SafeText::line(
                &settled(&display.of_stamped(&content.raw, content.stamp.range())),
                ColourHandling::Kept,
                most,
            ),
        }
    }

    /// A line is shown without its stamp, unless the column of the time says less (on another day
    /// than the pane's it shows no seconds). A pane too narrow for that column has no room for
    /// stamps either.
    fn display_of(&self, line: &FleetLine) -> LineDisplay {
        match (self.raw, self.time, line.content.time_from) {
            (true, ..) => LineDisplay::Raw,
            (_, 0, TimeSource::Stamp) => LineDisplay::Bare,
            (_, _, TimeSource::Stamp) if date(line.content.time, self.zone.clone()) == self.day => {
                LineDisplay::Bare
            }
            _ => LineDisplay::Stamped,
        }
    }

    /// Rows that an entry takes where lines are wrapped; its text is read for at most `rows` of them.
    #[must_use]
    pub fn wrapped_rows(&self, entry: Option<&RingEntry>, rows: u16) -> u16 {
        let cells = usize::from(rows) * usize::from(self.text);
        let text = entry
            .and_then(RingEntry::line)
            .map(|line| self.text_of(line, cells));
        text.map_or(1, |text| {
            u16::try_from(text.rows(self.text.into()).len()).unwrap_or(u16::MAX)
        })
    }
}

/// A pane of one host need not name it in every row: its header does.
fn host_width(scrollback: &Scrollback, shown: Option<&BTreeSet<HostId>>) -> u16 {
    let hosts = scrollback.hosts();
    if hosts.len() <= 1 || shown.is_some_and(|shown| shown.len() == 1) {
        return 0;
    }
    longest(hosts.iter().map(|row| row.name.as_str()), MAX_HOST)
}

fn source_width(scrollback: &Scrollback) -> u16 {
    longest(
        scrollback.sources().map(|(_, row)| &*row.info.name),
        MAX_SOURCE,
    )
}

/// The length of the longest of these names, or `most`.
fn longest<'a>(names: impl Iterator<Item = &'a str>, most: usize) -> u16 {
    let longest = names.map(|name| name.chars().count()).max().unwrap_or(0);
    longest.min(most) as u16
}

fn time_width(style: TimeStyle, width: u16) -> u16 {
    match style {
        TimeStyle::Full if width >= FULL_TIME_FROM => 12,
        TimeStyle::Full | TimeStyle::Short if width >= SHORT_TIME_FROM => 8,
        _ => 0,
    }
}
