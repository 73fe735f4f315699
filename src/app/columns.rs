//! Which columns a pane of a width has. Known here because a wrapped line takes as many rows as its
//! column is narrow.

use jiff::civil::Date;

use super::{App, LogPane, TimeStyle};
use crate::model::text::SafeText;

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

/// Widths in cells, each without the blank after it; 0 is a column that is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
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
}

impl LineColumns {
    /// The columns of a pane `width` cells wide.
    #[must_use]
    pub fn of(app: &App, pane: &LogPane, width: u16) -> Self {
        let mut columns = Self {
            host: if width >= HOST_FROM && app.view_options.host {
                host_width(app, pane)
            } else {
                0
            },
            time: time_width(app.view_options.time, width),
            level: u16::from(width >= 16),
            source: if width >= SOURCE_FROM && app.view_options.source {
                source_width(app)
            } else {
                0
            },
            text: 0,
            day: app.day_of(pane),
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

    /// Rows that a text takes where lines are wrapped.
    #[must_use]
    pub fn rows(&self, text: &SafeText) -> u16 {
        u16::try_from(text.rows(self.text.into()).len()).unwrap_or(u16::MAX)
    }
}

/// A pane of one host need not name it in every row: its header does.
fn host_width(app: &App, pane: &LogPane) -> u16 {
    let hosts = app.scrollback.hosts();
    let one = hosts.len() <= 1 || pane.lens_hosts().is_some_and(|hosts| hosts.len() == 1);
    let longest = hosts
        .iter()
        .map(|row| row.name.as_str().chars().count())
        .max()
        .unwrap_or(0);
    if one { 0 } else { longest.min(MAX_HOST) as u16 }
}

fn source_width(app: &App) -> u16 {
    let longest = app
        .scrollback
        .sources()
        .map(|(_, row)| row.info.name.chars().count())
        .max()
        .unwrap_or(0);
    longest.min(MAX_SOURCE) as u16
}

fn time_width(style: TimeStyle, width: u16) -> u16 {
    match style {
        TimeStyle::Full if width >= FULL_TIME_FROM => 12,
        TimeStyle::Full | TimeStyle::Short if width >= SHORT_TIME_FROM => 8,
        _ => 0,
    }
}
