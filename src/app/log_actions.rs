//! What actions do to the log pane that has the focus: moving in it, marking and copying lines.

use super::event::Effect;
use super::{App, LogPane};
use crate::model::time::Time;
use crate::scrollback::Filter;

impl App {
    /// Rows for lines in the focused pane: all but its header.
    pub(super) fn page_height(&self) -> u16 {
        self.pane_height(self.panes.focus)
    }

    pub(super) fn move_cursor(&mut self, delta: i64) {
        let height = self.page_height();
        self.with_pane(|pane, scrollback| pane.move_cursor(delta, height, scrollback));
    }

    /// A page keeps two lines in sight; wrapped lines count their rows, so that none is skipped.
    pub(super) fn page(&mut self, times: i64, divisor: u16) {
        let height = self.page_height();
        let rows = (height / divisor)
            .saturating_sub(if divisor == 1 { 2 } else { 0 })
            .max(1);
        let lines = i64::from(self.lines_in(rows, times < 0));
        self.with_pane(|pane, scrollback| {
            pane.scroll(times.saturating_mul(lines), height, scrollback);
        });
    }

    /// How many lines from the cursor fill so many rows.
    fn lines_in(&self, rows: u16, up: bool) -> u16 {
        let Some(pane) = self.panes.focused().filter(|pane| pane.wrap) else {
            return rows;
        };
        let columns = self.columns(pane, self.pane_area(self.panes.focus).width);
        let cursor = pane.cursor().unwrap_or(0);
        let mut left = rows;
        let mut lines = 0;
        while left > 0 && lines < rows {
            let distance = usize::from(lines);
            let Some(index) = (if up {
                cursor.checked_sub(distance)
            } else {
                Some(cursor + distance)
            }) else {
                break;
            };
            let entry = pane.entry_at(index, &self.scrollback);
            left = left.saturating_sub(columns.wrapped_rows(entry, rows));
            lines += 1;
        }
        lines.max(1)
    }

    /// To the oldest line that was read; from there, or when it is wanted `again`, to the oldest of
    /// all logs: lines that have been read since then are above what was the top.
    pub(super) fn go_to_top(&mut self, again: bool) {
        let at_top = |pane: &LogPane| pane.window().is_some() && pane.cursor() == Some(0);
        if again || self.panes.focused().is_some_and(at_top) {
            self.cancel_for(self.panes.focus);
            self.with_pane(|pane, scrollback| pane.go_to(Time(i64::MIN), scrollback));
        } else {
            self.go_to(1);
        }
    }

    pub(super) fn go_to(&mut self, line: u32) {
        let height = self.page_height();
        let index = (line as usize).saturating_sub(1);
        self.with_pane(|pane, scrollback| pane.jump(index, height, scrollback));
    }

    pub(super) fn sideways(&mut self, columns: i32) {
        self.with_pane(|pane, _| pane.scroll_sideways(if pane.wrap { 0 } else { columns }));
    }

    pub(super) fn set_wrap(&mut self, wrap: bool) {
        self.with_pane(|pane, _| {
            pane.wrap = wrap;
            pane.left = 0;
        });
    }

    pub(super) fn mark(&mut self) {
        self.scrollback.mark(self.now);
        if self
            .panes
            .focused()
            .is_some_and(|pane| !pane.is_following())
        {
            self.say("marked below the newest line; f goes there");
        }
    }

    pub(super) fn bookmark(&mut self) {
        let set = self.panes.focused_mut().and_then(LogPane::toggle_bookmark);
        if set == Some(true) {
            self.say("bookmarked; ] and [ go from one to the next");
        }
    }

    pub(super) fn clear(&mut self) {
        self.with_pane(|pane, scrollback| {
            pane.search = None;
            pane.change_filter(scrollback, |filter| *filter = Filter::default());
        });
    }

    pub(super) fn copy(&mut self, whole: bool) {
        let Some(pane) = self.panes.focused() else {
            return;
        };
        let Some((seq, entry)) = pane.entry(&self.scrollback) else {
            return;
        };
        let Some(line) = entry.line() else { return };
        let copied = match pane.rows(&self.scrollback).whole(seq).filter(|_| whole) {
            Some(record) => {
                let (subject, text) = (record.subject(), String::from_utf8_lossy(record.text()));
                format!(
                    "{} {} {} {text}",
                    timestamp(record.first.content.time),
                    subject.host,
                    subject.source
                )
            }
            None => String::from_utf8_lossy(&line.content.raw).into_owned(),
        };
        self.effects.push(Effect::Copy(copied));
    }
}

fn timestamp(time: Time) -> String {
    time.to_timestamp().to_string()
}
