//! What all panels beside the main pane share.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::paint::Row;
use super::theme::{Role, Theme};
use crate::app::App;

/// A panel beside the main pane, without the border between them; the whole of it where it has all
/// the width.
pub(super) fn bordered(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) -> Rect {
    if app.areas(buffer.area).main.width == 0 {
        return area;
    }
    let border = Rect {
        x: area.right() - 1,
        width: 1,
        ..area
    };
    for y in 0..border.height {
        Row::new(buffer, border, y).put("│", theme.get(Role::PaneBorder));
    }
    Rect {
        width: area.width - 1,
        ..area
    }
}
