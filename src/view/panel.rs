//! What the parts of the screen that lie side by side share: borders and headers.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::paint::Row;
use super::theme::{Role, Theme};

/// A panel to the left of the main pane, without the border between them; the whole of it where it
/// has all the width.
pub(super) fn bordered(theme: &Theme, area: Rect, buffer: &mut Buffer) -> Rect {
    if area.width == buffer.area.width {
        return area;
    }
    let width = area.width - 1;
    draw_border(theme, area.x + width, area, buffer);
    Rect { width, ..area }
}

/// A border in the column `x`, as high as an area.
pub(super) fn draw_border(theme: &Theme, x: u16, area: Rect, buffer: &mut Buffer) {
    let border = Rect {
        x,
        width: 1,
        ..area
    };
    for y in 0..border.height {
        Row::new(buffer, border, y).put("│", theme.get(Role::PaneBorder));
    }
}

/// How the header of a part is drawn.
pub(super) fn header_role(focused: bool) -> Role {
    if focused {
        Role::PaneHeaderFocused
    } else {
        Role::PaneHeader
    }
}
