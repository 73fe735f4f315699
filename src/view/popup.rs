//! What opens above the panes: help, a host, a record, a question.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::dialog::{Dialog, wrapped};
use super::help::help_lines;
use super::host::host_lines;
use super::paint::Shown;
use super::question::{answer_cursor, question_lines, question_title};
use super::record::{gap_lines, record_lines};
use super::theme::Theme;
use crate::app::{App, Popup};
use crate::scrollback::RingEntry;

/// Draws what is open. Returns where the cursor goes, if something is typed there.
pub(super) fn draw(
    app: &App,
    theme: &Theme,
    screen: Rect,
    buffer: &mut Buffer,
) -> Option<Position> {
    if let Some(popup) = app.popup() {
        let dialog = popup_dialog(app, popup, screen.width.saturating_sub(4));
        let inner = dialog.draw(theme, screen, buffer);
        let hidden = dialog.lines.len().saturating_sub(inner.height.into());
        popup
            .scroll()
            .set_limit(u16::try_from(hidden).unwrap_or(u16::MAX));
    }
    let question = app.questions().open()?;
    let width = screen.width.saturating_sub(4).min(84);
    let lines = question_lines(app, question, width.saturating_sub(4).into());
    let dialog = Dialog {
        title: Shown::from(question_title(question)),
        lines,
        width,
        offset: 0,
    };
    let area = dialog.draw(theme, screen, buffer);
    answer_cursor(app, question, &dialog.lines, area)
}

/// What is open, in at most so many cells.
fn popup_dialog(app: &App, popup: &Popup, room: u16) -> Dialog {
    let width = room.min(match popup {
        Popup::Help(_) => 150,
        Popup::Host(_) | Popup::Record(_) => 100,
    });
    let inside = width.saturating_sub(4);
    let (title, lines) = match popup {
        Popup::Help(_) => (Shown::from(" Keys and commands "), help_lines(inside)),
        Popup::Host(pane) => (
            format!(" {} ", app.scrollback().host_name(pane.host)).into(),
            host_lines(app, pane.host),
        ),
        Popup::Record(pane) => match app.entry(pane.seq) {
            Some(RingEntry::Gap(lost)) => (Shown::from(" Gap "), gap_lines(app, lost)),
            _ => (Shown::from(" Record "), record_lines(app, pane.seq, inside)),
        },
    };
    Dialog {
        title,
        lines: wrapped(lines, inside.into()),
        width,
        offset: popup.scroll().offset(),
    }
}
